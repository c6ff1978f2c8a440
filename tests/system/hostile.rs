//! Hostile scenarios through the program: refused at the right place, soon, with little memory,
//! and nothing is written.

use crate::support::folder::{Folder, tree};
use crate::support::program::{Finished, Program, STEERLAB};
use crate::support::root;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Processor time for one validation by a release build.
const CPU_S: u64 = 1;
/// A debug build is several times slower than what people run.
const CPU_S_DEBUG: u64 = 5;
const MEMORY_MIB: u64 = 256;

type Place = (String, u64, u64);

fn corpus() -> PathBuf {
    root().join("scenarios/hostile")
}

/// Every error that `expected.tsv` lists, by file.
fn expected() -> BTreeMap<String, Vec<Place>> {
    let table = std::fs::read_to_string(corpus().join("expected.tsv")).unwrap();
    let mut files: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [file, code, line, column] = cells[..] else { panic!("four cells: {line}") };
        let place = (code.to_owned(), line.parse().unwrap(), column.parse().unwrap());
        files.entry(file.to_owned()).or_default().push(place);
    }
    files
}

/// The release build where there is one, and the processor time it may take.
fn fastest() -> (PathBuf, u64) {
    match std::env::var_os("STEERLAB_RELEASE_BIN") {
        Some(binary) => (binary.into(), CPU_S),
        None => {
            println!(
                "SKIPPED: the time limit of validation was tested on the debug build, at \
                 {CPU_S_DEBUG} s: STEERLAB_RELEASE_BIN names no release build"
            );
            (STEERLAB.into(), CPU_S_DEBUG)
        }
    }
}

/// Places of the errors, as `--format json` tells them.
fn places(finished: &Finished) -> Vec<Place> {
    let answer = finished.json();
    assert_eq!(answer["format"], "steerlab-diagnostics/1");
    let mut places = Vec::new();
    for diagnostic in answer["diagnostics"].as_array().unwrap() {
        for key in ["message", "why", "help"] {
            assert!(!diagnostic[key].as_str().unwrap().is_empty(), "{diagnostic}");
        }
        if diagnostic["severity"] == "error" {
            let number = |key: &str| diagnostic[key].as_u64().unwrap();
            let code = diagnostic["code"].as_str().unwrap().to_owned();
            places.push((code, number("line"), number("column")));
        }
    }
    places.sort();
    places
}

fn untouched(folder: &Folder) -> bool {
    std::fs::read_dir(folder.path()).unwrap().count() == 0
}

#[test]
fn every_hostile_file_is_refused_at_its_place_soon_and_with_little_memory() {
    let folder = Folder::new("hostile");
    let before: Vec<String> = tree(&corpus()).into_keys().collect();
    let (binary, cpu_s) = fastest();
    let mut wrong = Vec::new();
    let files = expected();
    assert!(files.len() >= 170, "only {} files", files.len());
    for (file, mut places_expected) in files {
        places_expected.sort();
        let finished = Program::limited(&binary, folder.path(), cpu_s, MEMORY_MIB)
            .args(["validate", "--format", "json"])
            .args([corpus().join(&file)])
            .run();
        if finished.code != 2 {
            wrong.push(format!("{file}: exit {}: {}", finished.code, finished.stderr));
            continue;
        }
        let found = places(&finished);
        if found != places_expected {
            wrong.push(format!("{file}: expected {places_expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n"));
    assert!(untouched(&folder), "validation writes nothing");
    assert_eq!(before, tree(&corpus()).into_keys().collect::<Vec<_>>());
}

/// The places as people see them: `--> file:line:column`, code in brackets before.
fn places_shown(stderr: &str) -> Vec<(String, String)> {
    let mut codes = stderr.lines().filter_map(|line| line.strip_prefix("error["));
    let places = stderr.lines().filter_map(|line| line.trim_start().strip_prefix("--> "));
    places
        .filter_map(|place| {
            let code = codes.next()?.split(']').next()?;
            let (_, place) = place.rsplit_once(".yaml:")?;
            Some((code.to_owned(), place.to_owned()))
        })
        .collect()
}

#[test]
fn other_commands_refuse_them_as_well_and_write_nothing() {
    let folder = Folder::new("hostile-run");
    let mut shown = 0;
    for (file, expected) in expected().into_iter().step_by(9) {
        let path = corpus().join(&file);
        let limited =
            || Program::limited(Path::new(STEERLAB), folder.path(), CPU_S_DEBUG, MEMORY_MIB);
        for words in [
            vec!["run", "--out", "runs", "--csv", "csv", "--junit", "junit.xml"],
            vec!["compare"],
            vec!["explain", "route"],
        ] {
            let finished = limited().args(&words).args([&path]).exits(2);
            assert_eq!(finished.stdout, "", "{file}: no answer");
            assert!(untouched(&folder), "{words:?} {file} writes something");
            let seen = places_shown(&finished.stderr);
            let (code, line, column) = &expected[0];
            let place = (code.clone(), format!("{line}:{column}"));
            shown += usize::from(seen.contains(&place));
            assert!(finished.stderr.contains(&format!("error[{code}]")), "{}", finished.stderr);
        }
    }
    assert!(shown > 40, "only {shown} places are shown to people");
}
