//! Flows in a closed loop: each of N slots sends one flow after the other, of exponential size,
//! between random nodes by the shortest path. Counts flows finished per processor second.

use crate::measure::{own_cpu_seconds, own_memory_mib_peak};
use steerlab_engine::kernel::{Stream, StreamKey};
use steerlab_engine::load::flows::{FlowSim, FlowSpec, Moment};
use steerlab_engine::route::PathTree;

const MEAN_BITS: f64 = 8e7;

/// Plays the loop on a REPETITA graph and prints one line: flows finished per processor second
/// after the first completion.
///
/// # Errors
/// If the file cannot be read or is not understood.
pub fn print(file: &str, concurrent: usize, finish: usize) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let (nodes, arcs, capacity) = graph(&text)?;
    let trees: Vec<PathTree> =
        (0..nodes).map(|source| PathTree::from(source, nodes as usize, &arcs)).collect();
    let key = StreamKey { seed: 1, replication: 0, purpose: "flows-bench", entity: 0 };
    let mut stream = Stream::new(key);
    let mut sim = FlowSim::new(&capacity);
    let mut send = |sim: &mut FlowSim, at: Moment| {
        let from = stream.below(u64::from(nodes)) as u32;
        let to = (from + 1 + stream.below(u64::from(nodes - 1)) as u32) % nodes;
        let bits = MEAN_BITS * stream.exponential();
        if let Some(path) = trees[from as usize].path(to) {
            sim.arrival(at, &FlowSpec::plain(&path, bits));
        }
    };
    for _ in 0..concurrent {
        send(&mut sim, Moment::ZERO);
    }
    let (mut finished, mut seconds, mut start) = (0_usize, 0.0, None);
    let mut ended = Vec::new();
    while finished < finish {
        let Some(at) = sim.next_completion() else {
            return Err("no flow finishes: is any capacity above 0?".to_owned());
        };
        sim.advance(at, &mut |done| ended.push(done));
        for done in ended.drain(..) {
            seconds += done.seconds();
            finished += usize::from(start.is_some());
            send(&mut sim, at);
        }
        start = start.or_else(|| Some(own_cpu_seconds()));
    }
    let cpu = own_cpu_seconds() - start.unwrap_or_default();
    println!(
        "{concurrent:>7} concurrent {finished:>8} finished {cpu:>8.3} CPU s {:>8.0} per CPU s {:>6.1} MiB peak, mean {:.6} s, at {:.6} s",
        finished as f64 / cpu,
        own_memory_mib_peak(),
        seconds / finished as f64,
        sim.now().seconds()
    );
    Ok(())
}

type Graph = (u32, Vec<(u32, u32, u64)>, Vec<f64>);

/// Nodes, arcs, and capacities in bit/s of a REPETITA graph (capacities in kbit/s there).
fn graph(text: &str) -> Result<Graph, String> {
    let (mut nodes, mut arcs, mut capacity) = (0, Vec::new(), Vec::new());
    let mut in_edges = false;
    for line in text.lines() {
        let bad = || format!("bad line: {line}");
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["NODES", count] => nodes = count.parse().map_err(|_| bad())?,
            ["EDGES", _] => in_edges = true,
            ["label", ..] | [] => {}
            [_, from, to, weight, kbps, ..] if in_edges => {
                let end = |word: &str| {
                    word.parse::<u32>().ok().filter(|&node| node < nodes).ok_or_else(bad)
                };
                arcs.push((end(from)?, end(to)?, weight.parse().map_err(|_| bad())?));
                let kbps: f64 = kbps.parse().map_err(|_| bad())?;
                capacity.push(kbps * 1000.0);
            }
            _ => {}
        }
    }
    if nodes < 2 { Err("fewer than two nodes".to_owned()) } else { Ok((nodes, arcs, capacity)) }
}
