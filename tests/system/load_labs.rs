//! Every load lab of the library comes out as theory and its sources say.

use crate::support::program::{Finished, Program};
use crate::support::root;
use serde_json::Value;
use std::path::PathBuf;

fn folder() -> PathBuf {
    root().join("scenarios/load")
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The release build, if there is one: it plays all labs in a minute.
fn program() -> Program {
    match std::env::var_os("STEERLAB_RELEASE_BIN") {
        Some(path) => Program::other(&PathBuf::from(path), &root()),
        None => Program::new(&root()),
    }
}

fn play(program: Program, labs: &[String], words: &[&str]) -> Finished {
    let files = labs.iter().map(|lab| folder().join(lab).display().to_string());
    let first = ["lab".to_owned(), "--format=json".to_owned()];
    let words = words.iter().map(|word| (*word).to_owned());
    program.args(first.into_iter().chain(files).chain(words)).run()
}

fn expectations(lab: &Value) -> &[Value] {
    lab["expectations"].as_array().unwrap()
}

#[test]
fn every_lab_comes_out_as_expected() {
    let names = names();
    assert!(names.len() >= 40, "{names:?}");
    let mut complaints = Vec::new();
    for name in &names {
        let played = play(program(), std::slice::from_ref(name), &[]);
        if played.code == 2 {
            complaints.push(format!("{name}: {}{}", played.stdout, played.stderr));
            continue;
        }
        let answer = played.json();
        assert_eq!(answer["format"], "steerlab-lab/1");
        let lab = &answer["labs"][0];
        assert_eq!(lab["name"], **name, "a folder is named as its lab");
        assert!(!expectations(lab).is_empty(), "{name} expects nothing");
        for text in ["label", "description", "source"] {
            assert_ne!(lab[text], "", "{name} has no {text}");
        }
        for one in expectations(lab).iter().filter(|one| one["met"] != true) {
            complaints.push(format!("{name}: {one}"));
        }
        if played.code != i32::from(lab["expectations_unmet"] != 0) {
            complaints.push(format!("{name}: exit code {}", played.code));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn short(lab: &str, words: &[&str]) -> Finished {
    let some = ["--replications=6", "--set", "queue.requests=5000"];
    let words: Vec<&str> = some.iter().chain(words).copied().collect();
    play(Program::new(&root()), &[lab.to_owned()], &words)
}

#[test]
fn an_expectation_that_is_not_met_fails_the_command() {
    let set = ["--set", "expect.0.tolerance=0.0001"];
    let failed = short("mm1", &set);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert_ne!(failed.json()["labs"][0]["expectations_unmet"], 0);
    let unknown = short("mm1", &["--set", "expect.0.theory=mm2"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stdout.contains("E0301"), "{}", unknown.stdout);
    let unstable = short("mm1", &["--set", "queue.load=1.5"]);
    assert_eq!(unstable.code, 2);
    assert!(unstable.stdout.contains("below a load of 1"), "{}", unstable.stdout);
}

#[test]
fn theory_follows_the_experiment() {
    let answer = short("mmc", &["--set", "queue.load=0.6", "--set", "queue.cores=3"]).json();
    let first = &answer["labs"][0]["expectations"][0];
    let texts = [("servers".to_owned(), "3".to_owned()), ("load".to_owned(), "0.6".to_owned())];
    let exact = steerlab_engine::theory::model("mmc").unwrap().answer(&texts).unwrap();
    let exact = exact.iter().find(|one| one.id() == "sojourn_s_mean").unwrap().value;
    assert!((first["expected"].as_f64().unwrap() - exact).abs() < 1e-12, "{first}");
    assert!((first["mean"].as_f64().unwrap() / exact - 1.0).abs() < 0.1, "{first}");
}

#[test]
fn the_number_of_jobs_changes_nothing_and_a_seed_does() {
    let one = short("jsq-2", &["--jobs=1"]).stdout;
    assert_eq!(one, short("jsq-2", &["--jobs=3"]).stdout);
    assert_ne!(one, short("jsq-2", &["--seed=9"]).stdout);
}

#[test]
fn intervals_can_be_tried_with_further_seeds() {
    let set = ["--coverage=20", "--set", "queue.load=0.3"];
    let answer = short("mm1", &set).json();
    let lab = &answer["labs"][0];
    assert_eq!(lab["coverage_rounds"], 20);
    let shares: Vec<f64> =
        expectations(lab).iter().filter_map(|one| one["coverage"].as_f64()).collect();
    // Four are judged by intervals, two by a tolerance. 20 rounds of 95 %: below 15 of 20 has a
    // probability of 3e-4.
    assert_eq!(shares.len(), 4, "{lab}");
    assert!(shares.iter().all(|&share| share >= 0.75), "{shares:?}");
}
