//! Flows against completion times that another simulator computed.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use steerlab_engine::kernel::SimTime;
use steerlab_engine::load::flows::{FlowSim, FlowSpec, Moment};
use steerlab_engine::route::PathTree;

/// Folder of shared data, if it is there.
fn data(folder: &str) -> Option<PathBuf> {
    let root = std::env::var("STEERLAB_DATA")
        .map(PathBuf::from)
        .unwrap_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    let folder = root.join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no {}; set STEERLAB_DATA to the shared data", folder.display());
    None
}

/// Number of nodes, arcs, and capacities in bit/s of a REPETITA graph.
fn graph(path: &Path) -> (usize, Vec<(u32, u32, u64)>, Vec<f64>) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let nodes = lines.next().unwrap().strip_prefix("NODES ").unwrap().trim().parse().unwrap();
    let (mut arcs, mut capacity) = (Vec::new(), Vec::new());
    for line in lines.skip_while(|line| !line.starts_with("EDGES")).skip(2) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let [_, from, to, weight, kbps, _] = fields[..] {
            arcs.push((from.parse().unwrap(), to.parse().unwrap(), weight.parse().unwrap()));
            capacity.push(kbps.parse::<f64>().unwrap() * 1000.0);
        }
    }
    (nodes, arcs, capacity)
}

/// Decimal seconds to whole nanoseconds.
fn nanos(text: &str) -> u64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: u64 = format!("{part:0<9}")[..9].parse().unwrap();
    whole.parse::<u64>().unwrap() * 1_000_000_000 + part
}

/// Plays a trace; largest difference of a completion in seconds, and the number of flows.
fn play(folder: &Path, graph_name: &str, trace: &str) -> (f64, usize) {
    let (nodes, arcs, capacity) = graph(&folder.join(graph_name));
    let trees: Vec<PathTree> =
        (0..nodes as u32).map(|source| PathTree::from(source, nodes, &arcs)).collect();
    let mut reader = csv_rows(&folder.join(trace));
    // The order of arrival is the order of time.
    reader.sort_by_key(|row| nanos(&row[0]));
    let mut sim = FlowSim::new(&capacity);
    let mut ends = vec![None; reader.len()];
    for (index, row) in reader.iter().enumerate() {
        let start = Moment::from(SimTime(nanos(&row[0])));
        sim.advance(start, &mut |done| ends[done.tag as usize] = Some(done.at));
        let (from, to): (usize, u32) = (row[1].parse().unwrap(), row[2].parse().unwrap());
        let path = trees[from].path(to).unwrap();
        let bits = row[3].parse::<f64>().unwrap() * 8.0;
        sim.arrival(start, &FlowSpec { tag: index as u64, ..FlowSpec::plain(&path, bits) });
    }
    sim.advance(Moment::NEVER, &mut |done| ends[done.tag as usize] = Some(done.at));
    let mut worst: f64 = 0.0;
    for (row, end) in reader.iter().zip(&ends) {
        let expected = Moment::from(SimTime(nanos(&row[4])));
        worst = worst.max(end.expect("every flow finishes").since(expected).abs());
    }
    assert_eq!(sim.active(), 0);
    (worst, reader.len())
}

fn csv_rows(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn completion_times_of_recorded_traces() {
    let Some(folder) = data("maxmin-golden") else {
        return;
    };
    let mut traces: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".simgrid.csv"))
        .collect();
    traces.sort();
    assert!(traces.len() >= 3);
    for trace in traces {
        let graph = if trace.starts_with("abilene") { "Abilene.graph" } else { "Cogentco.graph" };
        let (worst, flows) = play(&folder, graph, &trace);
        eprintln!("{trace}: {flows} flows, largest difference {worst:.3e} s");
        assert!(worst <= 1e-9, "{trace}: {worst} s");
    }
}
