//! Who may know whom, what may be built in, and under which licences: read from `cargo metadata`.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Our crates and which of ours each may use, tests included. Whoever is not listed may not exist.
const EDGES: [(&str, &[&str]); 8] = [
    ("steerlab-engine", &[]),
    ("steerlab-policies", &["steerlab-engine"]),
    ("steerlab-scenario", &["steerlab-engine"]),
    ("steerlab-results", &["steerlab-engine"]),
    ("steerlab-report", &["steerlab-results"]),
    ("steerlab-bench", &["steerlab-engine", "steerlab-scenario"]),
    ("xtask", &[]),
    (
        "steerlab",
        &[
            "steerlab-engine",
            "steerlab-policies",
            "steerlab-scenario",
            "steerlab-results",
            "steerlab-report",
        ],
    ),
];

/// All the engine is built from. No clock, file, thread, YAML or HTML comes in by this door.
const ENGINE_USES: [&str; 5] = ["libm", "petgraph", "rand", "rand_distr", "serde"];

/// Most crates in the tree of the release binary, ours included.
const RELEASE_CRATES_MAX: usize = 200;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn metadata() -> Value {
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(root())
            .output()
            .expect("the tool chain that built this test can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("cargo and rustc print UTF-8")
    };
    let version = run("rustc", &["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.expect("rustc -vV names the host");
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", host];
    serde_json::from_str(&run(env!("CARGO"), &arguments)).expect("cargo metadata prints JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("cargo metadata has text here")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("cargo metadata has a list here")
}

/// Packages of the workspace by name.
fn members(metadata: &Value) -> BTreeMap<&str, &Value> {
    let ids: BTreeSet<&str> = list(&metadata["workspace_members"]).iter().map(text).collect();
    list(&metadata["packages"])
        .iter()
        .filter(|package| ids.contains(text(&package["id"])))
        .map(|package| (text(&package["name"]), package))
        .collect()
}

#[test]
fn each_crate_knows_only_whom_it_may_know() {
    let metadata = metadata();
    let members = members(&metadata);
    let allowed: BTreeMap<&str, &[&str]> = EDGES.into_iter().collect();
    for (name, package) in &members {
        let may_use = allowed
            .get(name)
            .unwrap_or_else(|| panic!("{name} is new: say in EDGES whom it knows"));
        for dependency in list(&package["dependencies"]) {
            let other = text(&dependency["name"]);
            let fine = !members.contains_key(other) || may_use.contains(&other);
            assert!(fine, "{name} must not depend on {other}");
        }
    }
    let gone: Vec<&&str> = allowed.keys().filter(|name| !members.contains_key(**name)).collect();
    assert!(gone.is_empty(), "no longer in the workspace, remove from EDGES: {gone:?}");
}

#[test]
fn engine_is_built_from_the_listed_crates_only() {
    let metadata = metadata();
    let members = members(&metadata);
    let uses: BTreeSet<&str> = list(&members["steerlab-engine"]["dependencies"])
        .iter()
        .filter(|dependency| dependency["kind"] != "dev")
        .map(|dependency| text(&dependency["name"]))
        .collect();
    assert_eq!(uses, BTreeSet::from(ENGINE_USES));
}

/// Ids of the packages that are built for the release binary, build scripts included.
fn release_tree(metadata: &Value) -> BTreeSet<&str> {
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"]["nodes"]).iter().map(|node| (text(&node["id"]), node)).collect();
    let mut found = BTreeSet::new();
    let mut open = vec![text(&members(metadata)["steerlab"]["id"])];
    while let Some(id) = open.pop() {
        if !found.insert(id) {
            continue;
        }
        for dependency in list(&nodes[id]["deps"]) {
            let built = |kind: &Value| kind["kind"] != "dev";
            if list(&dependency["dep_kinds"]).iter().any(built) {
                open.push(text(&dependency["pkg"]));
            }
        }
    }
    found
}

#[test]
fn release_binary_is_built_from_few_crates() {
    let metadata = metadata();
    let count = release_tree(&metadata).len();
    assert!(count > members(&metadata).len() - 2, "the tree was not walked: {count} crates");
    assert!(count <= RELEASE_CRATES_MAX, "{count} crates, at most {RELEASE_CRATES_MAX}");
}

/// Quoted words between `start` and the next `]` of a text.
fn quoted_after<'a>(text: &'a str, start: &str) -> BTreeSet<&'a str> {
    let from = text.find(start).unwrap_or_else(|| panic!("deny.toml has no {start:?}"));
    let part = text[from..].split(']').next().unwrap_or_default();
    part.split('"').skip(1).step_by(2).collect()
}

/// Whether a licence expression can be met with the allowed licences alone.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    expression
        .split(" AND ")
        .all(|part| part.split(" OR ").any(|licence| allowed.contains(licence.trim())))
}

#[test]
fn licences_are_judged_as_written() {
    let allowed = BTreeSet::from(["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"]);
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "Apache-2.0 OR MIT",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
    ] {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND BSD-3-Clause", ""] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}

/// What `cargo deny` would check of licences, sources and bans, for machines without it.
#[test]
fn foreign_crates_have_allowed_licences_and_sources() {
    let metadata = metadata();
    let members = members(&metadata);
    let rules = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml is readable");
    let licences = quoted_after(&rules, "\nallow = [");
    let sources = quoted_after(&rules, "\nallow-registry = [");
    let exceptions = rules.lines().find_map(|line| line.strip_prefix("exceptions = "));
    let exceptions = exceptions.unwrap_or_default();
    assert!(licences.contains("MIT") && sources.len() == 1, "deny.toml was not understood");
    let mut complaints = Vec::new();
    for package in list(&metadata["packages"]) {
        let name = text(&package["name"]);
        if rules.contains(&format!("{{ crate = \"{name}\", reason")) {
            complaints.push(format!("{name} is banned"));
        }
        if members.contains_key(name) {
            continue;
        }
        let licence = package["license"].as_str().unwrap_or("none stated");
        let excepted = exceptions.contains(&format!("allow = [\"{licence}\"], crate = \"{name}\""));
        if !excepted && !is_allowed(licence, &licences) {
            complaints.push(format!("{name}: licence {licence}"));
        }
        let source = package["source"].as_str().unwrap_or("a path");
        if !sources.iter().any(|allowed| source == format!("registry+{allowed}")) {
            complaints.push(format!("{name}: from {source}"));
        }
    }
    assert!(complaints.is_empty(), "see deny.toml: {complaints:#?}");
}

#[test]
fn every_crate_keeps_the_house_lints() {
    let metadata = metadata();
    for (name, package) in members(&metadata) {
        let manifest = std::fs::read_to_string(text(&package["manifest_path"]))
            .expect("cargo has just read this manifest");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name} has lints of its own");
        assert_eq!(text(&package["license"]), "Apache-2.0", "{name}");
    }
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).expect("it is readable");
    assert!(workspace.contains("unsafe_code = \"forbid\""));
}

/// Clippy reads the nearest `clippy.toml` only, so the common part stands in each of them.
#[test]
fn every_lint_file_repeats_the_common_part() {
    let common = std::fs::read_to_string(root().join("clippy.toml")).expect("it is readable");
    assert!(common.contains("too-many-lines-threshold = 70"));
    for folder in ["sim/engine", "sim/policies", "sim/results"] {
        let file = Path::new(folder).join("clippy.toml");
        let own = std::fs::read_to_string(root().join(&file)).expect("it is readable");
        assert!(own.starts_with(&common), "{} must start with the common part", file.display());
        assert!(own.contains("std::collections::HashMap"), "{}", file.display());
    }
}
