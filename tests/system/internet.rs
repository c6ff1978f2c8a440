//! Routing on graphs of the whole Internet, through the program.

use crate::support::data;
use crate::support::folder::Folder;
use crate::support::program::{Finished, Program, steerlab};
use std::io::Read;
use std::path::Path;

/// The real graph: CAIDA's AS relationships of 2019-12-01.
const GRAPH: &str = "asrel/caida-20191201.as-rel2.txt.bz2";

/// 100 ASes of it, drawn once: `random.Random(1).sample(sorted(ases), 100)` in Python.
const ORIGINS: &str = include_str!("internet-origins.txt");

fn routes(folder: &Path, words: &[&str]) -> Program {
    Program::new(folder).args(["routes"]).args(words)
}

/// The value behind `name: ` in an answer.
fn value<'a>(finished: &'a Finished, name: &str) -> &'a str {
    let start = format!("{name}: ");
    let line = finished.stdout.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("no {name} in {finished:?}"))
}

/// `asn,prefix,class,as_path` lines of our table with classes as the known answers number them.
fn numbered(table: &str) -> Vec<String> {
    let rows = table.lines().skip(1).map(|row| {
        let fields: Vec<&str> = row.split(',').collect();
        let class = ["own", "customer", "peer", "provider"];
        let class = class.iter().position(|name| *name == fields[2]).unwrap();
        format!("{},{},{class},{}", fields[0], fields[1], fields[3])
    });
    rows.collect()
}

fn expected(relative: &str) -> Option<Vec<String>> {
    let mut text = String::new();
    let packed = std::fs::File::open(data(relative)?).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    Some(text.lines().skip(1).map(str::to_owned).collect())
}

#[test]
fn every_path_is_the_one_that_six_other_programs_find() {
    let Some(graph) = data(GRAPH) else { return };
    let graph = graph.to_string_lossy().into_owned();
    let folder = Folder::new("internet-known");
    folder.write("origins.txt", ORIGINS);
    for (job, digest, count, table) in [
        ("one", "8e56732f149f39cf", "66603", "asrel/expected/caida2019-one.csv.gz"),
        ("anycast", "b02af847b8df152b", "66637", "asrel/expected/caida2019-any.csv.gz"),
    ] {
        let words = ["--origins-file", "origins.txt", "--job", job, "--out", "t.csv", "--digest"];
        let finished = routes(folder.path(), &[&[graph.as_str()], &words[..]].concat()).exits(0);
        assert_eq!(value(&finished, "digest"), digest);
        assert_eq!(value(&finished, "routes"), count);
        let Some(expected) = expected(table) else { return };
        let ours = numbered(&std::fs::read_to_string(folder.join("t.csv")).unwrap());
        assert_eq!(ours.len(), expected.len());
        for (ours, expected) in ours.iter().zip(&expected) {
            assert_eq!(ours, expected);
        }
    }
}

/// A provider with two customers, one of which has a peer with a customer.
const SMALL: &str = "# a comment\n10|20|-1\n10|30|-1\n30|40|0\n40|50|-1|bgp\n";

#[test]
fn a_small_graph_by_hand() {
    let folder = Folder::new("internet-small");
    folder.write("small.txt", SMALL);
    let words = ["small.txt", "--origins", "50", "--out", "small.csv"];
    routes(folder.path(), &words).exits(0);
    let table = std::fs::read_to_string(folder.join("small.csv")).unwrap();
    // A route from a peer goes to customers only, so 10 and 20 hear nothing.
    let expected = "asn,prefix,class,as_path\n\
                    30,0,peer,30-40-50\n40,0,customer,40-50\n50,0,own,50\n";
    assert_eq!(table, expected);
}

/// The same numbers give the same graph, and the same routes on it, everywhere. bgpy 13.0.13 finds
/// the same paths on this graph.
#[test]
fn generated_graphs_are_the_same_everywhere() {
    let folder = Folder::new("internet-generated");
    let make = "generate-as-graph --ases 3000 --links 20000 --seed 1 --out graph.txt";
    steerlab(folder.path(), make).exits(0);
    let again = steerlab(folder.path(), make).exits(2);
    assert!(again.stderr.contains("graph.txt exists"), "{again:?}");
    let text = std::fs::read_to_string(folder.join("graph.txt")).unwrap();
    let first = text.lines().nth(1).and_then(|line| line.split('|').next()).unwrap();
    let found = routes(folder.path(), &["graph.txt", "--origins", first, "--digest"]).exits(0);
    assert_eq!((value(&found, "ASes"), value(&found, "links")), ("3000", "20000"));
    assert_eq!((value(&found, "routes"), value(&found, "digest")), ("3000", "53cb11c0bc1769c7"));
    let refused = "generate-as-graph --ases 3000 --links 2000 --seed 1 --out small.txt";
    let refused = steerlab(folder.path(), refused).exits(2);
    assert!(refused.stderr.contains("3000 ASes need"), "{refused:?}");
    assert!(!folder.join("small.txt").exists());
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let folder = Folder::new("internet-threads");
    folder.write("small.txt", SMALL);
    let mut tables = Vec::new();
    for jobs in ["1", "2", "7"] {
        let words = ["small.txt", "--origins", "10,20,30,40,50", "--job", "each", "--jobs", jobs];
        let out = format!("{jobs}.csv");
        let finished =
            routes(folder.path(), &[&words[..], &["--out", &out, "--digest"]].concat()).exits(0);
        tables.push((finished.stdout.clone(), std::fs::read(folder.join(&out)).unwrap()));
    }
    assert!(tables.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn bad_input_is_told_with_its_place_and_writes_nothing() {
    let folder = Folder::new("internet-bad");
    folder.write("small.txt", SMALL);
    folder.write("empty.txt", "# nothing\n");
    folder.write("bad.txt", "1|2|-1\n1|x|0\n1|2|0\n4294967296|3|0\n3|3|0\n1|5|7\n");
    folder.write("cycle.txt", "1|2|-1\n2|3|-1\n3|1|-1\n");
    folder.write("origins.txt", "50\n7 x\n");
    folder.write("cut.bz2", b"BZh91AY&SY");
    folder.write("cut.gz", b"\x1f\x8b\x08\x00\x00");
    for (words, says) in [
        ("small.txt --origins 50,7", vec!["E0253", "AS 7 is not in the graph"]),
        ("small.txt --origins-file origins.txt", vec!["E0252", "origins.txt:2:3", "'x'"]),
        ("small.txt", vec!["--origins"]),
        ("missing.txt --origins 1", vec!["E0250", "missing.txt"]),
        ("empty.txt --origins 1", vec!["E0251", "no relation"]),
        (
            "bad.txt --origins 1",
            vec![
                "bad.txt:2:3",
                "'x' is no AS number",
                "bad.txt:3:1",
                "E0257",
                "AS 1 and AS 2 are peers, but line 1: AS 1 is a provider of AS 2",
                "bad.txt:4:1",
                "E0252",
                "bad.txt:5:1",
                "E0259",
                "bad.txt:6:5",
                "'7' is no relation",
            ],
        ),
        ("cycle.txt --origins 1", vec!["E0258", "1 > 2 > 3 > 1 (lines 1, 2, 3)", "cycle.txt:3:1"]),
        ("cut.bz2 --origins 1", vec!["E0254", "cut.bz2"]),
        ("cut.gz --origins 1", vec!["E0254", "cut.gz"]),
    ] {
        let words = format!("routes {words} --out out.csv");
        let finished = steerlab(folder.path(), &words).exits(2);
        for text in says {
            assert!(finished.stderr.contains(text), "{words}: no {text:?} in {finished:?}");
        }
        assert!(!folder.join("out.csv").exists(), "{words}");
    }
}

/// The event-driven solver plays every message of the whole Internet and ends where the direct one
/// does: the same path in every AS. Three origins, so that there are catchments.
#[test]
fn both_solvers_agree_on_a_real_month() {
    use steerlab_engine::kernel::{Id, SimSpan, SimTime};
    use steerlab_engine::route::bgp::{
        BgpChange, BgpPrefixId, BgpSim, Origination, SettleLimits, Settled, SpeakerId,
        from_as_graph,
    };
    use steerlab_engine::route::{bgp, internet};
    let Some(file) = data(GRAPH) else { return };
    let document = steerlab_scenario::import::Document {
        name: GRAPH.to_owned(),
        bytes: std::fs::read(file).unwrap(),
    };
    let graph = steerlab_scenario::import::read_as_rel(&document).unwrap();
    let relation = |relation| match relation {
        internet::Relation::Customer => bgp::Relation::Customer,
        internet::Relation::Peer => bgp::Relation::Peer,
        internet::Relation::RouteServer => bgp::Relation::RouteServer,
        internet::Relation::Provider => bgp::Relation::Provider,
    };
    let links: Vec<_> =
        graph.links().map(|link| (link.a, link.b, relation(link.relation))).collect();
    let (network, asns) = from_as_graph(&links, 1, SimSpan::from_seconds(1));
    assert_eq!(asns, graph.asns());
    let first_three = ORIGINS.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty());
    let origins: Vec<u32> =
        first_three.take(3).map(|asn| graph.index_of(asn.parse().unwrap()).unwrap()).collect();
    let announced = internet::Announcements::origins(&origins);
    let solution =
        internet::Solution::solve(&graph, &announced, &mut internet::Workspace::default()).unwrap();
    let mut sim = BgpSim::new(std::sync::Arc::new(network), 1, 0);
    for &at in &origins {
        let origination = Origination::plain(SpeakerId(at), BgpPrefixId(0));
        sim.apply(SimTime::ZERO, BgpChange::Announce(origination));
    }
    let settled = sim.settle(SettleLimits::default());
    assert!(matches!(settled, Settled::Converged { .. }), "{settled:?}");
    let routes = solution.routes(&graph, &announced);
    let mut reached = 0;
    for at in 0..graph.len() {
        let mut path = Vec::new();
        routes.path(at as u32, &mut path);
        reached += usize::from(!path.is_empty());
        let own = graph.asn(at as u32);
        let best = sim.best(SpeakerId::from_index(at), BgpPrefixId(0));
        let theirs: Vec<u32> =
            best.map_or_else(Vec::new, |best| std::iter::once(own).chain(best.path).collect());
        assert_eq!(path, theirs, "AS{own}");
    }
    assert!(reached > 66_000, "{reached}");
}
