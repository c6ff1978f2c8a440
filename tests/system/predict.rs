//! Predicted catchments against measured ones: two sites of a testbed, and the Internet of a month.

use crate::support::data;
use crate::support::folder::Folder;
use crate::support::program::Program;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The graph and the folder of experiments.
fn inputs() -> Option<(PathBuf, PathBuf)> {
    let graph = data("asrel/caida-20191201.as-rel2.txt.bz2")?;
    Some((graph, data("peering-catchments/experiments")?))
}

fn score(folder: &Folder, graph: &Path, experiments: &Path) -> Value {
    Program::new(folder.path())
        .args(["predict-catchment", "--quiet", "--format", "json"])
        .args([graph.as_os_str(), "--experiments".as_ref(), experiments.as_os_str()])
        .exits(0)
        .json()
}

/// Percent of the measured ASes that a count is, over competing experiments of one vantage.
fn percent(score: &Value, vantage: &str, count: &str) -> f64 {
    let totals = score["competing"].as_array().unwrap();
    let total = totals.iter().find(|total| total["seen_by"] == vantage).unwrap();
    let counts = &total["counts"];
    100.0 * counts[count].as_f64().unwrap() / counts["measured"].as_f64().unwrap()
}

#[test]
fn predictions_beat_the_plain_model_and_the_larger_site_in_hindsight() {
    let Some((graph, experiments)) = inputs() else { return };
    let folder = Folder::new("predict");
    let score = score(&folder, &graph, &experiments);
    // Both baselines as computed by a program of its own, on the same files.
    let baselines =
        [("pings", 55.6, 85.0), ("traceroutes", 65.4, 84.3), ("collectors", 67.9, 87.8)];
    for (vantage, plain, larger) in baselines {
        for (count, expected) in [("plain_right", plain), ("larger", larger)] {
            let found = percent(&score, vantage, count);
            assert!((found - expected).abs() <= 0.1, "{vantage}, {count}: {found}, not {expected}");
        }
        let right = percent(&score, vantage, "right");
        println!("{vantage}: {right:.1} % right, plain {plain} %, larger {larger} %");
        assert!(right >= 80.0, "{vantage}: only {right} % right");
        assert!(right > larger, "{vantage}: {right} % right, the larger site {larger} %");
    }
    let competing: Vec<&Value> = score["competing"].as_array().unwrap().iter().collect();
    let experiments: Vec<&Value> = competing.iter().map(|total| &total["experiments"]).collect();
    assert_eq!(experiments, [&json!(5), &json!(7), &json!(7)]);
    let rows = score["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 42);
    for row in rows {
        let counts = &row["counts"];
        let share = counts["right"].as_f64().unwrap() / counts["measured"].as_f64().unwrap();
        assert!(share >= 0.7, "{} by {}: {share}", row["experiment"], row["seen_by"]);
    }
}

/// Numbers of the collectors' peers in files of paths, ascending.
fn peers(files: &[(PathBuf, String)]) -> Vec<u32> {
    let rows = files.iter().flat_map(|(_, text)| text.lines());
    let first = |row: &str| row.split(['\t', ',']).nth(2).unwrap().parse().unwrap();
    let peers: BTreeSet<u32> = rows.map(first).collect();
    peers.into_iter().collect()
}

/// A copy of an experiment in which every other peer of the collectors is hidden, the first of all
/// or the second, and whose collectors' map has only the hidden ones.
fn hide_half(from: &Path, to: &Path, first_hidden: usize) {
    let names = std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path());
    let sites = from.file_name().unwrap().to_str().unwrap().split('_').skip(1);
    let alone: Vec<String> = sites.map(|site| format!("{site}_bgpstream_paths.csv")).collect();
    let read = |name: &String| (to.join(name), std::fs::read_to_string(from.join(name)).unwrap());
    let alone: Vec<(PathBuf, String)> = alone.iter().map(read).collect();
    let hidden: BTreeSet<u32> = peers(&alone).into_iter().skip(first_hidden).step_by(2).collect();
    std::fs::create_dir_all(to).unwrap();
    for (path, text) in &alone {
        let kept = text.lines().filter(|row| {
            let first = row.split(['\t', ',']).nth(2).unwrap();
            !hidden.contains(&first.parse().unwrap())
        });
        let kept: String = kept.flat_map(|row| [row, "\n"]).collect();
        std::fs::write(path, kept).unwrap();
    }
    for path in names.filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut map: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        if name.starts_with("cp_") {
            let map = map.as_object_mut().unwrap();
            map.retain(|asn, _| hidden.contains(&asn.parse().unwrap()));
        }
        std::fs::write(to.join(name), map.to_string()).unwrap();
    }
}

#[test]
fn predictions_hold_for_ases_whose_tables_are_hidden() {
    let Some((graph, experiments)) = inputs() else { return };
    let entries = std::fs::read_dir(&experiments).unwrap().map(|entry| entry.unwrap().path());
    let entries: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    for half in [0, 1] {
        let folder = Folder::new("predict-hidden");
        for entry in &entries {
            let copy = folder.join("experiments").join(entry.file_name().unwrap());
            hide_half(entry, &copy, half);
        }
        let score = score(&folder, &graph, &folder.join("experiments"));
        for vantage in ["pings", "traceroutes", "collectors"] {
            let [right, plain, larger] =
                ["right", "plain_right", "larger"].map(|count| percent(&score, vantage, count));
            println!(
                "half {half} hidden, {vantage}: {right:.1} % right, plain {plain:.1} %, \
                 larger {larger:.1} %"
            );
            assert!(right >= 70.0, "half {half} hidden, {vantage}: only {right} % right");
        }
    }
}

/// 1 and 2 are peers; 11 buys from 1 and hears `east`, 12 buys from 2 and hears `west`.
const GRAPH: &str = "# made up\n1|2|0\n1|11|-1\n2|12|-1\n11|31|-1\n12|32|-1\n12|33|-1\n";

fn small(folder: &Folder) {
    folder.write("graph.txt", GRAPH);
    folder.write("east.csv", "rrc0\t1\t1,11,64512\nrrc0\t2\t2,1,11,64512\n");
    folder.write("west.csv", "rrc0\t2\t2,12,64512\nrrc0\t1\t1,2,12,64512\n");
    folder.write("measured.json", r#"{"31": ["east"], "32": ["west"], "33": ["east"]}"#);
}

#[test]
fn a_prediction_is_a_catchment_table() {
    let folder = Folder::new("predict-small");
    small(&folder);
    let words = "predict-catchment graph.txt --alone east=east.csv --alone west=west.csv \
                 --out out/table.csv --measured measured.json --format json";
    let finished = Program::new(folder.path()).args(words.split_whitespace()).exits(0);
    let counts = &finished.json()["rows"][0]["counts"];
    assert_eq!((&counts["measured"], &counts["right"]), (&json!(3), &json!(2)));
    let table = std::fs::read_to_string(folder.join("out/table.csv")).unwrap();
    let expected = "# format: steerlab-catchment/1\nkind,id,site\nas,1,east\nas,2,west\n\
                    as,11,east\nas,12,west\nas,31,east\nas,32,west\nas,33,west\n";
    assert_eq!(table, expected);
}

#[test]
fn bad_input_is_reported_with_its_place() {
    let folder = Folder::new("predict-bad");
    small(&folder);
    folder.write("bad.csv", "rrc0\t1\t1,eleven,64512\nrrc0 2 2,1,11,64512\n");
    let cases = [
        ("graph.txt --alone east=bad.csv --alone west=west.csv", "bad.csv:1:10"),
        ("graph.txt --alone east=bad.csv --alone west=west.csv", "bad.csv:2:1"),
        ("graph.txt --alone east=east.csv", "1 sites"),
        ("graph.txt --alone east=east.csv --alone east=west.csv", "`east=west.csv`"),
        ("graph.txt --alone east.csv", "`east.csv`"),
        ("graph.txt --experiments .", "holds no experiment"),
        ("graph.txt", "--alone"),
        (
            "graph.txt --alone a=east.csv --alone b=west.csv --measured measured.json",
            "measured.json:1:9",
        ),
    ];
    for (words, expected) in cases {
        let finished = Program::new(folder.path())
            .args(["predict-catchment"])
            .args(words.split_whitespace())
            .exits(2);
        assert!(finished.stderr.contains(expected), "{words}: {}", finished.stderr);
    }
}
