//! Importers end to end: traps, exactness, hostile input, and all recorded data at hand.

mod as_rel;
mod data;
mod hostile;
mod repetita;
mod routes;
mod sndlib;
mod topologyzoo;

use super::*;
use crate::matrix::{self, RecordedMatrix};
use saphyr_parser::{Event, Parser};

fn document(name: &str, bytes: impl Into<Vec<u8>>) -> Document {
    Document { name: name.to_owned(), bytes: bytes.into() }
}

fn input(name: &str, bytes: impl Into<Vec<u8>>) -> ImportInput {
    let topology = document(name, bytes);
    ImportInput { topology, demands: None, options: ImportOptions::default() }
}

fn with_demands(mut input: ImportInput, name: &str, bytes: impl Into<Vec<u8>>) -> ImportInput {
    input.demands = Some(DemandInput::File(document(name, bytes)));
    input
}

fn import(importer: &str, input: &ImportInput) -> Imported {
    match super::importer(importer).expect("importer").import(input) {
        Ok(imported) => imported,
        Err(error) => panic!("{error}"),
    }
}

fn refused(importer: &str, input: &ImportInput) -> Vec<Problem> {
    let error = super::importer(importer).expect("importer").import(input).expect_err("refused");
    assert!(!error.problems.is_empty());
    for problem in &error.problems {
        assert!(!problem.what.is_empty() && !problem.why.is_empty() && !problem.help.is_empty());
    }
    error.problems
}

fn matrix_of(imported: &Imported) -> RecordedMatrix {
    assert_eq!(imported.files.len(), 1);
    assert_eq!(imported.files[0].0, format!("{}.matrix.parquet", imported.name));
    matrix::read(&imported.files[0].1).expect("a matrix file that reads back")
}

fn has_note(imported: &Imported, words: &str) {
    assert!(imported.notes.iter().any(|note| note.contains(words)), "{:#?}", imported.notes);
}

/// Every scalar of the YAML that follows the key `id`; fails where the YAML is malformed.
fn ids(yaml: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut follows = false;
    for event in Parser::new_from_str(yaml) {
        let (event, _) = event.expect("valid YAML");
        if let Event::Scalar(text, ..) = event {
            if follows {
                ids.push(text.to_string());
            }
            follows = !follows && text == "id";
        }
    }
    ids
}

fn assert_valid_ids(imported: &Imported) {
    let found = ids(&imported.yaml);
    assert!(found.len() > 2, "{}", imported.yaml);
    for id in found {
        let valid = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        assert!((1..=128).contains(&id.len()) && id.chars().all(valid), "{id:?}");
    }
}

#[test]
fn the_table_is_sorted_and_complete() {
    let names: Vec<&str> = importers().iter().map(|importer| importer.name()).collect();
    assert_eq!(names, ["repetita", "sndlib", "topology-zoo"]);
    assert!(super::importer("nothing").is_none());
    let recordings: Vec<&str> = recordings().iter().map(|recording| recording.name).collect();
    assert_eq!(recordings, ["bgplay", "catchment", "mrt"]);
    assert!(importers().iter().all(|i| !i.summary().is_empty() && !i.source().is_empty()));
}

#[test]
fn cuts_are_read() {
    let cut = Cut::parse("a@b@3d12h..4d").unwrap();
    assert_eq!((cut.link.as_str(), cut.at.as_str()), ("a@b", "3d12h"));
    assert_eq!(cut.until.as_deref(), Some("4d"));
    for bad in ["", "a", "@1h", "a@"] {
        assert_eq!(Cut::parse(bad).unwrap_err().problems[0].code, "E0256", "{bad}");
    }
    assert_eq!(parse_capacity("2.5Gbps"), Some(2_500_000_000));
    assert_eq!(parse_capacity("0bps"), None);
}
