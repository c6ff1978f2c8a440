//! REPETITA: pairing of directed edges, exact sums, broken files.

use super::*;

const GRAPH: &str = "NODES 3\nlabel x y\n0_New_York -74.00597 40.71427\n1_Chicago -87.65 41.85\n\
    2_Nowhere 900 0\n\nEDGES 6\nlabel src dest weight bw delay\ne0 0 1 1 9953280 1913\n\
    e1 1 0 7 9953281 1913\ne2 0 1 3 1000000 10\ne3 1 2 1 2500000 40\ne4 2 2 1 1 1\n\
    e5 2 1 1 2500000 41\n";

#[test]
fn opposite_edges_become_one_link_and_a_single_one_stays_single() {
    let imported = import("repetita", &input("dir/Small.graph", GRAPH));
    assert_eq!(imported.name, "Small");
    let expected = [
        "  - {id: \"0_New_York\", at: [40.71427, -74.00597]}",
        "  - {id: \"2_Nowhere\"}",
        "  - {id: e0, label: \"e0 / e1\", kind: backbone, ends: [\"0_New_York\", \"1_Chicago\"], \
         capacity: {forward: 9953280kbps, back: 9953281kbps}, weight: {forward: 1, back: 7}, \
         delay: 1913us}",
        "  - {id: e2, kind: backbone, ends: [\"0_New_York\", \"1_Chicago\"], \
         capacity: {forward: 1Gbps, back: 0bps}, weight: 3, delay: 10us}",
        "  - {id: e3, label: \"e3 / e5\", kind: backbone, ends: [\"1_Chicago\", \"2_Nowhere\"], \
         capacity: 2500Mbps, weight: 1, delay: 41us}",
    ];
    for line in expected {
        assert!(imported.yaml.lines().any(|found| found == line), "{line}\n{}", imported.yaml);
    }
    has_note(&imported, "1 one-directional link");
    has_note(&imported, "1 link whose two directions differ in delay");
    has_note(&imported, "1 edge from a node to itself dropped");
    has_note(&imported, "1 node whose coordinates are no longitude and latitude");
    has_note(&imported, "1 node has no coordinates");
    has_note(&imported, "no demands given");
    assert_valid_ids(&imported);
}

#[test]
fn demands_add_up_exactly() {
    // 2^53 - 1 bit/s is the largest odd whole number a double holds beside its neighbours.
    let demands = "DEMANDS 5\nlabel src dest bw\na 0 1 193388\nb 0 1 4503599627370.495\n\
        c 1 0 0.001\nd 2 2 5\ne 0 1 4503599627370.495\n";
    let input = with_demands(input("Small.graph", GRAPH), "Small.0000.demands", demands);
    let imported = import("repetita", &input);
    let matrix = matrix_of(&imported);
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(matrix.pairs, [pair("0_New_York", "1_Chicago"), pair("1_Chicago", "0_New_York")]);
    assert_eq!(matrix.rates_bps, [193_388_000.0 + 9_007_199_254_740_990.0, 1.0]);
    has_note(&imported, "2 demands of a pair that had one already");
    has_note(&imported, "1 demand from a node to itself dropped");
    assert!(imported.yaml.contains("horizon: 1h\nbucket: 5min\ntraffic_step: 5min\n"));
    assert!(imported.yaml.contains("matrix: {file: Small.matrix.parquet}}"));
}

#[test]
fn all_problems_of_a_pass_are_told_with_their_places() {
    let broken = "NODES 2\nlabel x y\na x 2\nb 3 4\nEDGES 3\nlabel src dest weight bw delay\n\
        e 0 5 1 10 5\nf 1 0 0 10 5\ng 1 0 1 -10 5\n";
    let problems = refused("repetita", &input("b.graph", broken));
    let places: Vec<_> = problems.iter().map(|p| (p.code, p.line, p.column)).collect();
    let expected = [("E0252", 3, 1), ("E0253", 7, 1), ("E0252", 8, 1), ("E0252", 9, 1)];
    assert_eq!(places, expected);
    assert_eq!(problems[0].file, "b.graph");
}

#[test]
fn files_that_disagree_with_their_headings_are_refused() {
    for (broken, words) in [
        ("", "ends before section NODES"),
        ("NODES x\n", "where 'NODES n' should be"),
        ("DEMANDS 1\nlabel src dest bw\n", "where 'NODES n' should be"),
        ("NODES 1\n", "no column names"),
        ("NODES 2\nlabel x y\na 1 2\n", "1 rows in NODES instead of 2"),
        ("NODES 99999999999999\nlabel x y\n", "0 rows"),
        ("NODES 1\nlabel x y\na 1\n", "2 words in a row"),
        ("NODES 0\nlabel x y\nEDGES 0\nlabel\nmore\n", "behind the last one"),
    ] {
        let problems = refused("repetita", &input("b.graph", broken));
        assert!(problems[0].what.contains(words), "{}", problems[0]);
        assert_eq!(problems[0].code, "E0251");
    }
}
