//! Flows and allocations through the program: recorded completion times, and the sharing labs.

use crate::support::folder::Folder;
use crate::support::program::Program;
use crate::support::{data, root};
use std::path::PathBuf;

/// Decimal seconds as picoseconds, digits beyond cut off.
fn picos(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part = format!("{part:0<12}");
    whole.parse::<i128>().unwrap() * 1_000_000_000_000 + part[..12].parse::<i128>().unwrap()
}

#[test]
fn recorded_completion_times_come_out_to_a_nanosecond() {
    let Some(golden) = data("maxmin-golden") else { return };
    let folder = Folder::new("flows");
    let mut entries: Vec<String> = std::fs::read_dir(&golden)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    entries.sort();
    let traces: Vec<&str> =
        entries.iter().filter_map(|name| name.strip_suffix(".simgrid.csv")).collect();
    assert!(traces.len() >= 3, "only {} traces", traces.len());
    for trace in traces {
        let graph = if trace.starts_with("abilene") { "Abilene.graph" } else { "Cogentco.graph" };
        let out = folder.join(&format!("{trace}.csv"));
        let finished = Program::new(folder.path())
            .args(["flows".as_ref(), "--topology".as_ref(), golden.join(graph).as_os_str()])
            .args(["--trace".as_ref(), golden.join(format!("{trace}.csv")).as_os_str()])
            .args(["--out".as_ref(), out.as_os_str()])
            .args(["--format", "json"])
            .exits(0);
        let ours = std::fs::read_to_string(&out).unwrap();
        let theirs = std::fs::read_to_string(golden.join(format!("{trace}.simgrid.csv"))).unwrap();
        assert_eq!(ours.lines().count(), theirs.lines().count(), "{trace}");
        let mut sum = 0;
        for (ours, theirs) in ours.lines().zip(theirs.lines()).skip(1) {
            let ((flow, end), (same, expected)) =
                (ours.rsplit_once(',').unwrap(), theirs.rsplit_once(',').unwrap());
            assert_eq!(flow, same, "{trace}");
            let off = (picos(end) - picos(expected)).abs();
            assert!(off <= 1_000, "{trace}: {flow} ends at {end}, not {expected}");
            sum += picos(end) - picos(flow.split(',').next().unwrap());
        }
        let mean = sum as f64 / (ours.lines().count() - 1) as f64 / 1e12;
        let said = finished.json()["completion_s"]["mean"].as_f64().unwrap();
        assert!((said - mean).abs() < 1e-10, "{trace}: mean {said}, by its rows {mean}");
    }
}

/// A small network of our own, in the same form.
fn square(folder: &Folder) -> PathBuf {
    let text = "NODES 4\nlabel x y\na 0 0\nb 1 0\nc 1 1\nd 0 1\n\nEDGES 4\n\
                label src dest weight bw delay\n\
                e0 0 1 1 8000 1\ne1 1 2 1 4000 1\ne2 0 3 1 8000 1\ne3 3 2 1 8000 1\n";
    let path = folder.join("square.graph");
    std::fs::write(&path, text).unwrap();
    path
}

fn play(folder: &Folder, trace: &str) -> Program {
    square(folder);
    std::fs::write(folder.join("trace.csv"), trace).unwrap();
    let words = ["flows", "--topology", "square.graph", "--trace", "trace.csv", "--out", "out.csv"];
    Program::new(folder.path()).args(words)
}

/// From a to c two ways are equally short. Walking back from c, the edge with the lower number
/// comes over b, whose second half carries 0.5 MB/s. The two flows over it halve that until the
/// first is done.
#[test]
fn ends_are_those_worked_out_by_hand() {
    let folder = Folder::new("flows-hand");
    play(&folder, "start,src,dst,bytes\n1.5,1,2,1000000\n0,0,2,1000000\n0.25,0,3,500000\n")
        .exits(0);
    let out = std::fs::read_to_string(folder.join("out.csv")).unwrap();
    // Alone until 1.5 s the second flow gets 0.75 MB; the other quarter takes 1 s at half rate,
    // when the first has 0.25 MB and needs 1.5 s more.
    let expected = "start,src,dst,bytes,end\n1.5,1,2,1000000,4.000000000000\n\
                    0,0,2,1000000,2.500000000000\n0.25,0,3,500000,0.750000000000\n";
    assert_eq!(out, expected);
}

#[test]
fn bad_traces_are_refused_with_everything_that_is_wrong() {
    let folder = Folder::new("flows-bad");
    let trace = "start,src,dst,bytes\n-1,0,1,5\n0,9,1,5\n0,1,1,5\n0,2,0,5\n0,0,1,0\n0,0\n\
                 1e3,0,1,5\n99999999999999999999999,0,1,5\n0,0,1,99999999999999999999\n";
    let finished = play(&folder, trace).exits(2);
    for place in ["2:1", "3:3", "4:5", "5:5", "6:7", "7:1", "8:1", "9:1", "10:7"] {
        let shown = format!("trace.csv:{place}");
        assert!(finished.stderr.contains(&shown), "{shown} is missing:\n{}", finished.stderr);
    }
    assert!(finished.stderr.contains("node 0 cannot be reached from node 2"));
    assert!(!folder.join("out.csv").exists(), "something was half-written");
    play(&folder, "start,src,dst\n").exits(2);
    play(&folder, "start,src,dst,bytes\n").exits(2);
    play(&folder, "").exits(2);
    play(&folder, "\u{0}\u{1}").exits(2);
    std::fs::write(folder.join("square.graph"), "NODES 2\n").unwrap();
    Program::new(folder.path())
        .args(["flows", "--topology", "square.graph", "--trace", "trace.csv"])
        .exits(2);
}

/// Folders of sharing labs.
fn labs() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("scenarios/sharing")).unwrap();
    let mut labs: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.join("lab.yaml"))
        .collect();
    labs.sort();
    labs
}

#[test]
fn every_sharing_lab_comes_out_as_expected() {
    let folder = Folder::new("share");
    let labs = labs();
    assert!(labs.len() >= 6, "only {} labs", labs.len());
    let page = std::fs::read_to_string(root().join("scenarios/sharing/README.md")).unwrap();
    for lab in labs {
        let finished = Program::new(folder.path())
            .args(["share".as_ref(), lab.as_os_str()])
            .args(["--format", "json"])
            .exits(0);
        let answer = finished.json();
        assert!(answer["expected"].as_u64().unwrap() > 0, "{}: nothing expected", lab.display());
        let name = answer["name"].as_str().unwrap();
        assert!(page.contains(&format!("({name}/lab.yaml)")), "{name} is not in the README");
    }
}

#[test]
fn another_capacity_is_not_as_expected() {
    let folder = Folder::new("share-other");
    for lab in ["parking-lot", "b4", "classes"] {
        let file = root().join(format!("scenarios/sharing/{lab}/lab.yaml"));
        let finished = Program::new(folder.path())
            .args(["share".as_ref(), file.as_os_str()])
            .args(["--set", "links.0.capacity=100Mbps", "--format", "json"])
            .exits(1);
        assert!(!finished.json()["unmet"].as_array().unwrap().is_empty(), "{lab}");
    }
}

#[test]
fn bad_labs_are_refused_with_everything_that_is_wrong() {
    let folder = Folder::new("share-bad");
    let lab = "format: steerlab-share/1\nname: bad\nlinks:\n  - { id: a, capacity: 1Gbps }\n  \
               - { id: a, capacity: much }\nflows:\n  - { id: f, path: [a, z] }\n  \
               - { id: g, path: [], weight: -1 }\n  - { id: h, path: [a], class: 300 }\n\
               expect:\n  flows:\n    - { flow: nobody, rate: 1Gbps }\n";
    std::fs::write(folder.join("lab.yaml"), lab).unwrap();
    let finished = Program::new(folder.path()).args(["share", "lab.yaml"]).exits(2);
    for line in [5, 7, 8, 9] {
        let place = format!("lab.yaml:{line}:");
        assert!(finished.stderr.contains(&place), "{place} is missing:\n{}", finished.stderr);
    }
    // Names are looked up once the values themselves are right.
    let lab = "format: steerlab-share/1\nname: bad\nlinks:\n  - { id: a, capacity: 1Gbps }\n  \
               - { id: a, capacity: 2Gbps }\nflows:\n  - { id: f, path: [a, z] }\nexpect:\n  flows:\n    \
               - { flow: nobody, rate: 1Gbps, held_by: y }\n  freezes:\n    \
               - { link: a, fair_share: 1 }\n";
    std::fs::write(folder.join("lab.yaml"), lab).unwrap();
    let finished = Program::new(folder.path()).args(["share", "lab.yaml"]).exits(2);
    for line in [5, 7, 10, 12] {
        let place = format!("lab.yaml:{line}:");
        assert!(finished.stderr.contains(&place), "{place} is missing:\n{}", finished.stderr);
    }
    Program::new(folder.path()).args(["share", "none.yaml"]).exits(2);
}
