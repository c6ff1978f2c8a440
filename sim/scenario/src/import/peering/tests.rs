//! Files as they should be, and as they should not.

use super::*;
use crate::import::Document;
use std::collections::BTreeMap;

fn document(text: &str) -> Document {
    Document { name: "file".to_owned(), bytes: text.as_bytes().to_vec() }
}

fn sites() -> [String; 2] {
    ["a", "b"].map(str::to_owned)
}

/// Code and place of each problem.
fn places<T: std::fmt::Debug>(result: Result<T, ImportError>) -> Vec<(&'static str, u32, u32)> {
    let problems = result.unwrap_err().problems;
    assert!(problems.iter().all(|problem| !problem.why.is_empty() && !problem.help.is_empty()));
    problems.iter().map(|problem| (problem.code, problem.line, problem.column)).collect()
}

#[test]
fn the_announcers_part_is_cut_off() {
    let text = "rrc0\t3\t3,2,2,64512,64513,64512\nrrc1\t64512\t64512,64513,64512\n\
                rrc0\t7\t7,64512\r\n";
    let found = read_alone_paths(&document(text)).unwrap();
    assert_eq!(found.paths, [vec![3, 2, 2], vec![], vec![7]]);
    assert!(read_alone_paths(&document("")).unwrap().paths.is_empty());
}

#[test]
fn every_malformed_row_is_reported_with_its_place() {
    let text = "rrc0\t3\t3,2,64512\nrrc0\t3\nrrc00\tx\t3,,+5,64512\nrrc0\t3\t3,4294967296,64512\n\
                rrc0\t0\t3,{4},64512\nrrc0\t3\t3,64513\n";
    let expected = [
        ("E0251", 2, 1),
        ("E0252", 3, 7),
        ("E0252", 3, 11),
        ("E0252", 3, 12),
        ("E0252", 4, 10),
        ("E0252", 5, 6),
        ("E0252", 5, 10),
        ("E0253", 6, 1),
    ];
    assert_eq!(places(read_alone_paths(&document(text))), expected);
    let bytes = Document { name: "file".to_owned(), bytes: vec![0xff, b'\n'] };
    assert_eq!(places(read_alone_paths(&bytes)), [("E0251", 0, 0)]);
}

#[test]
fn maps_give_positions_of_sites() {
    let text = "{\"7\": [\"b\"], \"4294967295\" : \"a\",\n \"8\": [\"b\", \"a\", \"b\"]}\n";
    let found = read_measured_sites(&document(text), &sites()).unwrap();
    let expected = [(7, vec![1]), (8, vec![0, 1]), (4_294_967_295, vec![0])];
    assert_eq!(found, expected.into_iter().collect::<BTreeMap<_, _>>());
    assert!(read_measured_sites(&document(" {} "), &sites()).unwrap().is_empty());
}

#[test]
fn wrong_numbers_and_sites_are_all_reported() {
    let text =
        "{\"0\": [\"a\"], \"1\": [\"c\"],\n \"+2\": [\"a\"], \"3\": \"a\", \"3\": [\"b\", \"d\"]}";
    let expected =
        [("E0252", 1, 2), ("E0253", 1, 20), ("E0252", 2, 2), ("E0253", 2, 36), ("E0253", 2, 25)];
    assert_eq!(places(read_measured_sites(&document(text), &sites())), expected);
}

#[test]
fn what_is_no_map_is_reported_where_it_breaks() {
    let cases = [
        ("", 1, 1),
        ("[]", 1, 1),
        ("{\"1\": [\"a\"]", 1, 12),
        ("{\"1\": [\"a\"]} x", 1, 14),
        ("{\"1\": [\"a\"],}", 1, 13),
        ("{\"1\": []}", 1, 8),
        ("{\"1\": 5}", 1, 7),
        ("{\n\"1\" [\"a\"]}", 2, 5),
        ("{\"1\\u0031\": [\"a\"]}", 1, 2),
        ("{\"1\": [\"a", 1, 8),
    ];
    for (text, line, column) in cases {
        let found = places(read_measured_sites(&document(text), &sites()));
        assert_eq!(found, [("E0251", line, column)], "{text}");
    }
}

#[test]
fn names_of_experiments_have_three_parts() {
    assert_eq!(parts("12_a_b"), Some((12, sites())));
    for wrong in ["a_b", "x_a_b", "1_a_a", "1_a_b_c", "1__b", "1_a_", ""] {
        assert_eq!(parts(wrong), None, "{wrong}");
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_reported() {
    let missing = Path::new("no such folder");
    assert_eq!(places(read_experiments(missing)), [("E0250", 0, 0)]);
}
