//! Committed documents that are generated: they must be what the program prints now.

use crate::support::program::steerlab;
use crate::support::root;
use steerlab_policies::BuiltIn;

/// Compares, or with STEERLAB_BLESS=1 writes.
fn is_current(path: &str, text: &str) {
    let path = root().join(path);
    if std::env::var_os("STEERLAB_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == text,
        "{} is not what the program prints; run the tests once with STEERLAB_BLESS=1",
        path.display()
    );
}

#[test]
fn the_schema_of_scenarios_is_current() {
    let schema = steerlab_scenario::json_schema(&BuiltIn);
    is_current(
        "scenarios/schema/scenario.schema.json",
        &(serde_json::to_string_pretty(&schema).unwrap() + "\n"),
    );
}

#[test]
fn the_reference_of_the_language_is_current() {
    is_current("scenarios/reference.md", &steerlab_scenario::reference_markdown(&BuiltIn));
}

#[test]
fn the_page_of_theory_is_current() {
    let page = steerlab(&root(), "theory --format md").exits(0).stdout;
    is_current("scenarios/theory.md", &page);
}
