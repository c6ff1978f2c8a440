//! Known answers of traffic engineering: the largest link utilisation under shortest paths with
//! even splits, of recorded topologies with recorded matrices.

use crate::support::data;
use crate::support::ecmp::Network;
use crate::support::folder::Folder;
use crate::support::program::Program;
use crate::support::table::Table;
use std::collections::BTreeMap;
use std::path::Path;

const UNARY: &str = "repetita/2016TopologyZooUCL_unary";

/// Imports a topology with its first matrix.
fn import(folder: &Folder, unary: &Path, topology: &str) {
    let args = ["import", "repetita", "--quiet", "--output"].map(str::to_owned);
    let demands = unary.join(format!("{topology}.0000.demands"));
    Program::new(folder.path())
        .args(args)
        .args([format!("{topology}.yaml")])
        .args([unary.join(format!("{topology}.graph"))])
        .args(["--demands".as_ref(), demands.as_os_str()])
        .exits(0);
}

/// Utilisation of every arc, by link and direction, over the whole run.
fn utilisations(folder: &Folder, topology: &str) -> BTreeMap<(String, String), f64> {
    Program::new(folder.path())
        .args(["run", "--quiet", "--no-report", "--set", "horizon=10min", "--csv", topology])
        .args([format!("{topology}.yaml")])
        .exits(0);
    let table = Table::read(&folder.join(topology).join("links.csv"));
    let mut arcs = BTreeMap::new();
    for ([arm, link, direction], [mean, max]) in
        table.select(["arm", "link", "direction"], ["utilisation_mean", "utilisation_max"])
    {
        assert_eq!(arm, "spf-ecmp");
        assert!((mean - max).abs() <= 1e-12 * max, "{link}: a constant demand");
        let before = arcs.insert((link.to_owned(), direction.to_owned()), max);
        assert!(before.is_none_or(|before| before == max), "{link}: a constant demand");
    }
    arcs
}

#[test]
fn every_topology_has_the_published_largest_utilisation() {
    let Some(unary) = data(UNARY) else { return };
    let Some(answers) = data("repetita/mlu-unary-0000.csv") else { return };
    let folder = Folder::new("mlu");
    let mut wrong = Vec::new();
    let answers = Table::read(&answers);
    for ([topology], [expected]) in answers.select(["topology"], ["mlu_ecmp"]) {
        import(&folder, &unary, topology);
        let run = Program::new(folder.path())
            .args(["run", "--quiet", "--no-report", "--set", "horizon=5min", "--format", "json"])
            .args([format!("{topology}.yaml")])
            .exits(0);
        let summary = run.json();
        let metrics = summary["arms"][0]["metrics"].as_array().unwrap();
        let whole = |metric: &&serde_json::Value| {
            metric["metric"] == "link_utilisation_max" && metric["labels"] == serde_json::json!([])
        };
        let found = metrics.iter().find(whole).unwrap()["mean"].as_f64().unwrap();
        // The table has seven digits after the point.
        if (found - expected).abs() > 1e-6 * expected {
            let arcs = utilisations(&folder, topology);
            let worst = arcs.iter().max_by(|a, b| a.1.total_cmp(b.1));
            wrong.push(format!("{topology}: {found}, not {expected}; largest at {worst:?}"));
        }
    }
    assert!(answers.rows.len() >= 20, "only {} topologies", answers.rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Reads a `.graph` file: the network, and the name of every arc.
fn read_graph(path: &Path) -> (Network, Vec<String>) {
    let text = std::fs::read_to_string(path).unwrap();
    let (nodes, edges) = text.split_once("EDGES").unwrap();
    let first = |line: &str| line.split(' ').next().unwrap().to_owned();
    let nodes = nodes.lines().skip(2).filter(|line| !line.is_empty()).map(first).collect();
    let mut network = Network { nodes, arcs: Vec::new() };
    let mut names = Vec::new();
    for line in edges.lines().skip(2).filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| cells[at].parse::<f64>().unwrap();
        network.arcs.push((number(1) as usize, number(2) as usize, number(3), number(4)));
        names.push(cells[0].to_owned());
    }
    (network, names)
}

fn read_demands(path: &Path) -> Vec<(usize, usize, f64)> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().skip(2).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(' ').collect();
            let node = |at: usize| cells[at].parse().unwrap();
            (node(1), node(2), cells[3].parse().unwrap())
        })
        .collect()
}

#[test]
fn every_arc_carries_what_a_naive_computation_says() {
    let Some(unary) = data(UNARY) else { return };
    let folder = Folder::new("arcs");
    for topology in ["Abilene", "Geant2012"] {
        import(&folder, &unary, topology);
        let found = utilisations(&folder, topology);
        let (network, names) = read_graph(&unary.join(format!("{topology}.graph")));
        let demands = read_demands(&unary.join(format!("{topology}.0000.demands")));
        let expected = network.utilisations(&demands);
        assert_eq!(found.len(), names.len(), "{topology}: one row an arc");
        // The files list both directions of a link one after the other; the link has the name of
        // the first.
        for (arc, name) in names.iter().enumerate() {
            let (link, direction) = match found.get(&(name.clone(), "forward".to_owned())) {
                Some(_) => (name, "forward"),
                None => (&names[arc - 1], "back"),
            };
            let found = found[&(link.clone(), direction.to_owned())];
            assert!(
                (found - expected[arc]).abs() <= 1e-9 * expected[arc].max(1e-9),
                "{topology} {name}: {found}, not {}",
                expected[arc]
            );
        }
    }
}
