//! The same scenario, seed and version give the same bytes: with any number of jobs, from any
//! place, in any environment, from any build.

use crate::support::data;
use crate::support::folder::{Folder, assert_same, results};
use crate::support::program::{Program, STEERLAB};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One way to run the same thing.
#[derive(Clone, Default)]
struct Way {
    name: &'static str,
    jobs: u32,
    environment: &'static [(&'static str, &'static str)],
    empty_environment: bool,
    elsewhere: bool,
    binary: Option<PathBuf>,
}

const PLAIN: Way = Way {
    name: "plain",
    jobs: 1,
    environment: &[],
    empty_environment: false,
    elsewhere: false,
    binary: None,
};

const FAR_AWAY: [(&str, &str); 9] = [
    ("TZ", "Pacific/Kiritimati"),
    ("LC_ALL", "tr_TR.UTF-8"),
    ("LANG", "de_DE.UTF-8"),
    ("HOME", "/nowhere"),
    ("USER", "somebody"),
    ("COLUMNS", "20"),
    ("RUST_LOG", "trace"),
    ("RAYON_NUM_THREADS", "3"),
    ("SOURCE_DATE_EPOCH", "1"),
];

/// One thing differs at a time.
fn each() -> Vec<Way> {
    let environment = |name, environment| Way { name, environment, ..PLAIN };
    vec![
        Way { name: "again", ..PLAIN },
        Way { name: "2 jobs", jobs: 2, ..PLAIN },
        Way { name: "4 jobs", jobs: 4, ..PLAIN },
        Way { name: "another folder", elsewhere: true, ..PLAIN },
        environment("time zone", &FAR_AWAY[..1]),
        environment("locale", &FAR_AWAY[1..3]),
        environment("home", &FAR_AWAY[3..5]),
        environment("other variables", &FAR_AWAY[5..]),
        Way { name: "empty environment", empty_environment: true, ..PLAIN },
    ]
}

/// Everything differs at once: for what takes longer.
fn together() -> Vec<Way> {
    vec![
        Way { name: "2 jobs, far away", jobs: 2, environment: &FAR_AWAY, elsewhere: true, ..PLAIN },
        Way { name: "4 jobs, empty environment", jobs: 4, empty_environment: true, ..PLAIN },
    ]
}

/// The build with optimisation, if whoever runs the tests names it.
fn release() -> Option<Way> {
    let Some(binary) = std::env::var_os("STEERLAB_RELEASE_BIN") else {
        println!(
            "SKIPPED: debug and release builds were not compared: STEERLAB_RELEASE_BIN names no \
             release build (cargo xtask test makes one)"
        );
        return None;
    };
    let binary = PathBuf::from(binary);
    assert!(binary.is_file(), "STEERLAB_RELEASE_BIN: {} is no file", binary.display());
    Some(Way { name: "release build", binary: Some(binary), jobs: 2, ..PLAIN })
}

/// Runs `args` in one way, and returns what it printed and left.
fn produce(args: &[&str], input: Option<&Path>, way: &Way) -> (String, BTreeMap<String, Vec<u8>>) {
    let folder = Folder::new("determinism");
    let out = folder.join("out");
    let cwd = if way.elsewhere { folder.join("a folder/with spaces") } else { folder.join("cwd") };
    std::fs::create_dir_all(&cwd).unwrap();
    let mut program = Program::other(way.binary.as_deref().unwrap_or(STEERLAB.as_ref()), &cwd);
    if way.empty_environment {
        program = program.without_environment();
    }
    for (name, value) in way.environment {
        program = program.env(name, value);
    }
    let finished = program
        .args(args)
        .args(input)
        .args(["--jobs".to_owned(), way.jobs.to_string(), "--out".to_owned()])
        .args([if way.elsewhere { PathBuf::from("../../out") } else { out.clone() }])
        .run();
    // Checks of the demo may fail; that is an answer like any other.
    assert!(finished.code <= 1, "{}: {finished:?}", way.name);
    (format!("exit {}\n{}", finished.code, finished.stdout), results(&out))
}

fn is_the_same_in_all_ways(what: &str, args: &[&str], input: Option<&Path>, ways: Vec<Way>) {
    let (said, left) = produce(args, input, &PLAIN);
    let has = |end: &str| left.keys().any(|name| name.ends_with(end));
    for file in ["/manifest.json", "/summary.json", "/links.parquet", "/report.html"] {
        assert!(has(file), "{what}: no {file} in {:?}", left.keys());
    }
    for way in ways.into_iter().chain(release()) {
        let (also_said, also_left) = produce(args, input, &way);
        assert_eq!(said, also_said, "{what}, {}: another answer", way.name);
        assert_same(&left, &also_left, &format!("{what}, {}", way.name));
    }
}

#[test]
fn a_scenario_with_chance_and_policies() {
    let folder = Folder::new("determinism-small");
    let input = folder.small();
    is_the_same_in_all_ways("small", &["run"], Some(&input), each());
}

#[test]
fn the_demo() {
    let args = ["demo", "--replications", "2"];
    is_the_same_in_all_ways("demo", &args, None, together());
}

#[test]
fn imported_scenarios() {
    let Some(abilene) = data("sndlib/native/abilene.txt") else { return };
    let Some(unary) = data("repetita/2016TopologyZooUCL_unary") else { return };
    let folder = Folder::new("determinism-imported");
    let arms = ["--arms", "spf-ecmp,wcmp-k-shortest"];
    let import = |importer: &str, network: &Path, demands: &[PathBuf], cut: &str, name: &str| {
        let output = folder.join(name);
        Program::new(folder.path())
            .args(["import", importer, "--quiet"])
            .args([network])
            .args(demands.iter().flat_map(|path| [Path::new("--demands"), path]))
            .args(arms)
            .args(["--cut", cut, "--for", "30min", "--output"])
            .args([&output])
            .exits(0);
        output
    };
    let cut = "ATLAng_HSTNng@10min";
    let sndlib = import("sndlib", &abilene, &[], cut, "abilene.yaml");
    is_the_same_in_all_ways("sndlib", &["run"], Some(&sndlib), each());
    let graph = unary.join("Geant2012.graph");
    let demands = [unary.join("Geant2012.0000.demands")];
    let repetita = import("repetita", &graph, &demands, "edge_0@10min..20min", "geant.yaml");
    is_the_same_in_all_ways("repetita", &["run"], Some(&repetita), together());
}

/// What is read must be what was written, not where or under which name it lies.
#[test]
fn the_same_text_under_another_name_is_the_same_scenario() {
    let (here, there) = (Folder::new("determinism-here"), Folder::new("determinism-there"));
    let copy = there.write("deep/down/copy of it.yaml", std::fs::read(here.small()).unwrap());
    let run = |input: &Path| {
        let folder = Folder::new("determinism-name");
        let args = ["run", "--quiet", "--no-report"];
        Program::new(folder.path()).args(args).args([input]).exits(0);
        let mut left = results(&folder.join("runs"));
        // The provenance says how to make it again, with the name of the file.
        left.retain(|name, _| !name.ends_with("manifest.json"));
        left
    };
    assert_same(&run(&here.join("small.yaml")), &run(&copy), "under another name");
}
