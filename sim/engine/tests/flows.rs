//! Flows against completion times that another simulator computed.

// The engine reads no files; this test compares it with recorded ones.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use steerlab_engine::kernel::{SimTime, StreamKey};
use steerlab_engine::load::flows::{Arrivals, FlowSim, FlowSpec, Moment, Source, SourceSpec};
use steerlab_engine::load::law::Law;
use steerlab_engine::net::ArcId;
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

fn key(replication: u32, entity: u64) -> StreamKey {
    StreamKey { seed: 11, replication, purpose: "", entity }
}

/// Mean response of one link at load `rho` with sizes of a law, mean 1 s alone.
fn mean_response(rho: f64, size: &Law, replication: u32, flows: u64) -> f64 {
    let spec = SourceSpec { arrivals: Arrivals::Poisson, size: size.clone(), mean_bits: 1e6 };
    let mut source = Source::new(spec, key(replication, 1));
    source.set_rate(Moment::ZERO, rho);
    let mut sim = FlowSim::new(&[1e6]);
    let warm_up = flows / 10;
    let (mut sum, mut count) = (0.0, 0);
    for _ in 0..flows {
        let at = source.due();
        let sent = source.step(at).expect("a Poisson source only sends");
        sim.advance(at, &mut |done| {
            if done.tag >= warm_up {
                sum += done.seconds();
                count += 1;
            }
        });
        let spec = FlowSpec { tag: sent.number, ..FlowSpec::plain(&[ArcId(0)], sent.bits) };
        sim.arrival(at, &spec);
    }
    sum / f64::from(count)
}

#[test]
fn a_shared_link_is_insensitive_to_the_law_of_sizes() {
    // Processor sharing: mean response E[S] / (1 - rho), whatever the law (Kleinrock, vol. 2).
    let (rho, replications) = (0.7, 30);
    let expected = 1.0 / (1.0 - rho);
    for law in [Law::Deterministic, Law::Exponential, Law::HyperExponential(4.0)] {
        let means: Vec<f64> =
            (0..replications).map(|r| mean_response(rho, &law, r, 20_000)).collect();
        let n = f64::from(replications);
        let mean = means.iter().sum::<f64>() / n;
        let variance = means.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
        // 99.5 % quantile of Student's t with 29 degrees of freedom.
        let half = 2.756 * (variance / n).sqrt();
        eprintln!("{law:?}: {mean:.4} +- {half:.4}, expected {expected:.4}");
        assert!((mean - expected).abs() <= half, "{law:?}: {mean} +- {half}");
        assert!(half < 0.05 * expected, "{law:?}: the interval says little");
    }
}

#[test]
fn sources_keep_their_mean_rate_and_their_draws() {
    let law = Law::Exponential;
    let on_off = Arrivals::OnOff { on_s: 2.0, off_s: 6.0 };
    for arrivals in [Arrivals::Poisson, on_off] {
        let spec = SourceSpec { arrivals, size: law.clone(), mean_bits: 8.0 };
        let run = |change_rate: bool| {
            let mut source = Source::new(spec.clone(), key(0, 5));
            let (mut at, end) = (Moment::ZERO, Moment::ZERO.after(40_000.0));
            source.set_rate(at, 3.0);
            let mut sizes = Vec::new();
            while at < end {
                if change_rate && sizes.len() == 1000 {
                    source.set_rate(at, 1.0);
                }
                at = source.due();
                sizes.extend(source.step(at).map(|sent| sent.bits));
            }
            sizes
        };
        let (steady, slowed) = (run(false), run(true));
        let rate = steady.len() as f64 / 40_000.0;
        assert!((rate / 3.0 - 1.0).abs() < 0.05, "{rate}");
        let mean = steady.iter().sum::<f64>() / steady.len() as f64;
        assert!((mean / 8.0 - 1.0).abs() < 0.02, "{mean}");
        assert!(slowed.len() < steady.len() / 2 && slowed == steady[..slowed.len()]);
    }
    let list = vec![(SimTime(5), 10.0), (SimTime(9), 20.0)];
    let recorded = Arrivals::Recorded(Arc::new(list));
    let spec = SourceSpec { arrivals: recorded, size: law, mean_bits: 8.0 };
    let mut source = Source::new(spec, key(0, 5));
    assert_eq!(source.due(), SimTime(5).into());
    assert_eq!(source.step(SimTime(5).into()).map(|sent| sent.bits), Some(10.0));
    assert_eq!(source.step(SimTime(9).into()).map(|sent| sent.bits), Some(20.0));
    assert_eq!(source.due(), Moment::NEVER);
}
