//! AS relationships: formats, positions, hostile bytes.

use super::*;
use proptest::prelude::*;
use std::io::Write;
use steerlab_engine::route::internet::AsGraph;
use steerlab_engine::route::internet::Relation;

fn read(bytes: impl AsRef<[u8]>) -> Result<AsGraph, ImportError> {
    read_as_rel(&document("as-rel.txt", bytes.as_ref()))
}

fn places(error: &ImportError) -> Vec<(&str, u32, u32)> {
    error.problems.iter().map(|problem| (problem.code, problem.line, problem.column)).collect()
}

const SERIAL_1: &str = "# comment\n1|2|-1\n\n3|2|0\n";

#[test]
fn both_serials_and_all_packings_give_one_graph() {
    let plain = read(SERIAL_1).unwrap();
    assert_eq!(plain.asns(), [1, 2, 3]);
    assert_eq!(plain.relation(1, 0), Some(Relation::Provider));
    assert_eq!(plain.relation(1, 2), Some(Relation::Peer));
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(SERIAL_1.as_bytes()).unwrap();
    let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bz2.write_all(SERIAL_1.as_bytes()).unwrap();
    let (gz, bz2) = (gz.finish().unwrap(), bz2.finish().unwrap());
    for other in [
        b"1|2|-1|bgp,mlp\n2|3|0|mlp".as_slice(),
        b"1|2|-1\r\n\r\n2|3|0\r\n",
        b"1|2|-1\n1|2|-1\n2|3|0\n3|2|0\n",
        &gz,
        &bz2,
    ] {
        assert!(read(other).unwrap().links().eq(plain.links()));
    }
    for cut in [&gz[..gz.len() - 9], &bz2[..bz2.len() - 9]] {
        assert_eq!(places(&read(cut).unwrap_err()), [("E0254", 0, 0)]);
    }
}

#[test]
fn every_malformed_line_is_told_with_its_column() {
    for (line, code, column) in [
        ("x|2|0", "E0251", 1),
        ("1 |2|0", "E0251", 1),
        ("|2|0", "E0251", 1),
        ("1|-2|0", "E0251", 3),
        ("1||0", "E0251", 3),
        ("1", "E0251", 3),
        ("0|2|0", "E0252", 1),
        ("1|4294967296|0", "E0252", 3),
        ("1|00000000002|0", "E0252", 3),
        ("1|2", "E0251", 4),
        ("1|2|", "E0251", 5),
        ("1|2|1", "E0251", 5),
        ("1|2|-2|bgp", "E0251", 5),
        ("1|2|0 ", "E0251", 5),
        ("10|20|-11", "E0251", 7),
        ("\r7", "E0251", 1),
    ] {
        let error = read(format!("1|2|0\n{line}\n8|9|0\n")).unwrap_err();
        assert_eq!(places(&error), [(code, 2, column)], "{line:?}");
    }
}

#[test]
fn all_problems_come_in_one_pass_in_order_of_lines() {
    let error = read("1|2|0\n1|2|-1\nx\n7|7|0\n3|4|-1\n4|5|-1\n5|3|-1\n").unwrap_err();
    let expected = [("E0257", 2, 1), ("E0251", 3, 1), ("E0259", 4, 1), ("E0258", 7, 1)];
    assert_eq!(places(&error), expected);
    assert!(error.problems[3].what.contains("3 > 4 > 5 > 3 (lines 5, 6, 7)"), "{error}");
    let many = "x\n".repeat(500);
    let error = read(many).unwrap_err();
    assert!(error.omitted > 0);
}

#[test]
fn files_without_relations_are_refused() {
    for empty in ["", "\n\n", "# nothing\n"] {
        assert_eq!(places(&read(empty).unwrap_err()), [("E0251", 0, 0)]);
    }
}

#[test]
fn a_small_file_cannot_fill_memory() {
    let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    let zeros = vec![b'#'; 1 << 20];
    for _ in 0..257 {
        bz2.write_all(&zeros).unwrap();
    }
    let packed = bz2.finish().unwrap();
    assert!(packed.len() < 1 << 20);
    assert_eq!(places(&read(packed).unwrap_err()), [("E0254", 0, 0)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn nothing_panics_and_what_is_read_is_read_again(
        text in "([0-9]{1,3}\\|[0-9]{1,3}\\|(-1|0)(\\|bgp)?\n|[ -~]{0,9}\n|#x\n){0,12}",
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        if let Ok(graph) = read(&text) {
            let again: String = graph.links().map(|link| {
                let relation = if link.relation == Relation::Customer { -1 } else { 0 };
                format!("{}|{}|{relation}\n", link.a, link.b)
            }).collect();
            prop_assert!(read(&again).unwrap().links().eq(graph.links()));
        }
        let _ = read(&bytes);
        for magic in [&b"\x1f\x8b\x08"[..], b"BZh9", b"1|2|"] {
            let _ = read([magic, &bytes].concat());
        }
    }
}
