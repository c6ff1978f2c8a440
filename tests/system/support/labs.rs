//! The BGP labs of the library.

use super::root;
use steerlab_scenario::Vocabulary;
use steerlab_scenario::bgp::{BgpLab, load_lab};

/// Names of all labs, in order.
pub fn names() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("scenarios/bgp")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 50, "only {} labs found", names.len());
    names
}

/// A lab by its name.
pub fn load(name: &str) -> BgpLab {
    let metrics = steerlab_results::catalogue::metrics();
    let vocabulary = Vocabulary { registry: &steerlab_policies::BuiltIn, metrics };
    let file = root().join("scenarios/bgp").join(name).join("network.yaml");
    let loaded = load_lab(&file, &[], &vocabulary);
    loaded.lab.unwrap_or_else(|| panic!("{name}: {:?}", loaded.findings.diagnostics))
}
