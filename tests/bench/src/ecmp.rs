//! What it costs to load one whole traffic matrix on a network with equal-cost multipath.
//!
//! The work, by the engine's own types: a route table, the DAG of shortest paths towards every
//! node, the whole matrix put in, its propagation to every arc, and the largest utilisation. Two
//! figures: everything, routes computed anew each time; and loading alone on routes that stand.
//! The largest utilisation is compared with a plain computation that shares nothing with the
//! engine and, where the published table lies beside the networks, with that.

use crate::measure::{machine, own_cpu_seconds};
use std::collections::BTreeMap;
use std::path::Path;
use steerlab_engine::kernel::Id;
use steerlab_engine::load::links::{Fabric, Injection, Path as Way, Truth};
use steerlab_engine::net::graph::Adjacency;
use steerlab_engine::net::testing::{plain_link, plain_site};
use steerlab_engine::net::{LinkKind, Network, NodeId};
use steerlab_engine::route::{Installed, RouteTable};

/// Processor seconds of one batch, so that the clock's step does not matter.
const BATCH_CPU_SECONDS: f64 = 0.1;
/// Batches; the median counts.
const BATCHES: usize = 15;
/// Relative difference allowed between two ways of computing the same number.
const EXACT: f64 = 1e-9;
/// Relative difference allowed from the published table, which has seven digits behind the point.
const PUBLISHED: f64 = 1e-6;

/// A network and its matrix, ready to load.
struct Case {
    name: String,
    network: Network,
    graph: Adjacency,
    truth: Truth,
    installed: Installed,
    /// (from, to, bit/s), in the order of the file.
    demands: Vec<(NodeId, NodeId, f64)>,
}

/// A directed edge of the file: ends, weight, kbit/s.
type Edge = (usize, usize, u64, u64);

/// Loads the matrix in `demands` on the network in `graph` (REPETITA's formats) again and again,
/// and prints what it cost.
///
/// # Errors
/// If a file cannot be read or is not understood, or the largest utilisation is wrong.
pub fn run(graph: &str, demands: &str) -> Result<(), String> {
    let case = Case::read(graph, demands)?;
    let mut loader = Loader::new(&case);
    loader.route();
    loader.load();
    let found = loader.utilisation_max();
    check(&case, found, demands)?;
    println!(
        "{}: {} nodes, {} arcs, {} demands, largest utilisation {found:.6}",
        case.name,
        case.graph.node_count(),
        (0..case.graph.node_count())
            .map(|node| case.graph.leaving(NodeId::from_index(node)).len())
            .sum::<usize>(),
        case.demands.len(),
    );
    println!("machine: {}", machine());
    let both = batches(|| {
        loader.route();
        loader.load();
        loader.utilisation_max()
    });
    let load = batches(|| {
        loader.load();
        loader.utilisation_max()
    });
    println!("{:<28} {:>9} {:>9} {:>9}", "CPU ms", "median", "least", "most");
    for (name, times) in [("routes anew and loading", both), ("loading alone", load)] {
        let [least, median, most] = times.map(|seconds| seconds * 1e3);
        println!("{name:<28} {median:>9.4} {least:>9.4} {most:>9.4}");
    }
    Ok(())
}

/// Least, median and most processor seconds of one piece of work over all batches.
fn batches(mut work: impl FnMut() -> f64) -> [f64; 3] {
    let (start, mut count, mut sum) = (own_cpu_seconds(), 0_u32, 0.0);
    while own_cpu_seconds() - start < BATCH_CPU_SECONDS {
        sum += work();
        count += 1;
    }
    let mut times = Vec::new();
    for _ in 0..BATCHES {
        let start = own_cpu_seconds();
        for _ in 0..count {
            sum += work();
        }
        times.push((own_cpu_seconds() - start) / f64::from(count));
    }
    // What is computed is looked at, so that nobody computes it for nothing.
    assert!(sum.is_finite(), "utilisations are numbers");
    times.sort_by(f64::total_cmp);
    [times[0], times[BATCHES / 2], times[BATCHES - 1]]
}

/// What is kept from one loading to the next.
struct Loader<'a> {
    case: &'a Case,
    routes: RouteTable,
    /// Per node: the DAG towards it.
    dags: Vec<usize>,
    injection: Injection,
    arrival_bps: Vec<f64>,
}

impl<'a> Loader<'a> {
    fn new(case: &'a Case) -> Loader<'a> {
        Loader {
            case,
            routes: RouteTable::new(case.installed.clone()),
            dags: Vec::new(),
            injection: Injection::default(),
            arrival_bps: vec![0.0; case.graph.arc_count()],
        }
    }

    /// Computes the routes to every node anew.
    fn route(&mut self) {
        self.routes = RouteTable::new(self.case.installed.clone());
        self.dags.clear();
        for node in 0..self.case.graph.node_count() {
            let dag = self.routes.dag_to_node(&self.case.graph, NodeId::from_index(node));
            self.dags.push(dag);
        }
    }

    /// Puts the whole matrix in and propagates it.
    fn load(&mut self) {
        let graph = &self.case.graph;
        self.injection.reset(1, graph.node_count(), self.routes.len(), 0, graph.arc_count());
        for &(from, to, bps) in &self.case.demands {
            self.injection.add(Way::Dag(self.dags[to.index()]), 0, from, bps);
        }
        let fabric = Fabric {
            network: &self.case.network,
            graph,
            routes: &self.routes,
            tunnels: &[],
            truth: &self.case.truth,
            queues: 1,
            tenants: 1,
        };
        fabric.propagate(&self.injection, None, &mut self.arrival_bps);
    }

    fn utilisation_max(&self) -> f64 {
        utilisation_max(&self.arrival_bps, &self.case.truth.capacity_bps)
    }
}

fn utilisation_max(load_bps: &[f64], capacity_bps: &[f64]) -> f64 {
    let loads = load_bps.iter().zip(capacity_bps).filter(|(_, capacity)| **capacity > 0.0);
    loads.map(|(load, capacity)| load / capacity).fold(0.0, f64::max)
}

impl Case {
    fn read(graph: &str, demands: &str) -> Result<Case, String> {
        let read =
            |file: &str| std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"));
        let (nodes, edges) = parse_graph(&read(graph)?).map_err(|bad| format!("{graph}: {bad}"))?;
        let network = build(nodes, &edges)?;
        let graph_arcs = Adjacency::new(&network);
        let capacity_bps: Vec<f64> = (0..network.arc_count())
            .map(|arc| network.links.rows()[arc / 2].capacity_bps[arc % 2] as f64)
            .collect();
        let up: Vec<bool> = capacity_bps.iter().map(|bps| *bps > 0.0).collect();
        let blocks = vec![0; network.arc_count()];
        let installed = Installed {
            up: up.clone(),
            capacity_bps: capacity_bps.clone(),
            blocks: blocks.clone(),
        };
        let truth = Truth { up, capacity_bps, blocks };
        let demands =
            parse_demands(&read(demands)?, nodes).map_err(|bad| format!("{demands}: {bad}"))?;
        let name = Path::new(graph).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Case { name, network, graph: graph_arcs, truth, installed, demands })
    }
}

/// The network: a link for two edges in opposite directions, or for one that stands alone.
fn build(nodes: usize, edges: &[Edge]) -> Result<Network, String> {
    let mut network = Network::default();
    for node in 0..nodes {
        plain_site(&mut network, &format!("n{node}"));
    }
    let mut waiting: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    let mut links = Vec::new();
    for (index, &(from, to, weight, kbps)) in edges.iter().enumerate() {
        let bps = kbps.checked_mul(1_000).ok_or(format!("edge {index}: too much bandwidth"))?;
        match waiting.get_mut(&(to, from)).and_then(Vec::pop) {
            Some(link) => {
                let link: &mut steerlab_engine::net::Link = &mut links[link];
                (link.capacity_bps[1], link.weight[1]) = (bps, weight);
            }
            None => {
                let ends = [NodeId::from_index(from), NodeId::from_index(to)];
                let mut link = plain_link(&format!("e{index}"), LinkKind::Backbone, ends, 0);
                (link.capacity_bps[0], link.weight[0]) = (bps, weight);
                waiting.entry((from, to)).or_default().push(links.len());
                links.push(link);
            }
        }
    }
    for link in links {
        network.links.push(link);
    }
    Ok(network)
}

/// The rows of a section with their words.
fn rows<'a>(text: &'a str, section: &str) -> Result<Vec<Vec<&'a str>>, String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(section));
    let heading = lines.next().ok_or(format!("no section {section}"))?;
    let count = heading.split_whitespace().nth(1).and_then(|word| word.parse().ok());
    let count: usize = count.ok_or(format!("bad heading: {heading}"))?;
    let rows: Vec<Vec<&str>> =
        lines.skip(1).take(count).map(|line| line.split_whitespace().collect()).collect();
    if rows.len() == count { Ok(rows) } else { Err(format!("{section} is cut short")) }
}

fn cell<T: std::str::FromStr>(row: &[&str], at: usize) -> Result<T, String> {
    let word = row.get(at).and_then(|word| word.parse().ok());
    word.ok_or_else(|| format!("bad line: {}", row.join(" ")))
}

fn node(row: &[&str], at: usize, nodes: usize) -> Result<usize, String> {
    let node = cell::<usize>(row, at)?;
    if node < nodes { Ok(node) } else { Err(format!("no node {node}")) }
}

fn parse_graph(text: &str) -> Result<(usize, Vec<Edge>), String> {
    let nodes = rows(text, "NODES")?.len();
    let edge = |row: &Vec<&str>| -> Result<Edge, String> {
        Ok((node(row, 1, nodes)?, node(row, 2, nodes)?, cell(row, 3)?, cell(row, 4)?))
    };
    let edges = rows(text, "EDGES")?.iter().map(edge).collect::<Result<_, _>>()?;
    Ok((nodes, edges))
}

fn parse_demands(text: &str, nodes: usize) -> Result<Vec<(NodeId, NodeId, f64)>, String> {
    let demand = |row: &Vec<&str>| {
        let (from, to) = (node(row, 1, nodes)?, node(row, 2, nodes)?);
        Ok((NodeId::from_index(from), NodeId::from_index(to), cell::<f64>(row, 3)? * 1e3))
    };
    rows(text, "DEMANDS")?.iter().map(demand).collect()
}

/// Compares the largest utilisation with a plain computation and with the published table.
fn check(case: &Case, found: f64, demands: &str) -> Result<(), String> {
    let plain = utilisation_max(&plain_loads(case)?, &case.truth.capacity_bps);
    if (found - plain).abs() > EXACT * plain {
        return Err(format!("largest utilisation {found}, by the plain computation {plain}"));
    }
    match published(&case.name, demands)? {
        Some(value) if (found - value).abs() > PUBLISHED * value => {
            Err(format!("largest utilisation {found}, published {value}"))
        }
        Some(value) => {
            println!("equal to the plain computation and to the published {value}");
            Ok(())
        }
        None => {
            println!("equal to the plain computation; no published value beside the files");
            Ok(())
        }
    }
}

/// Loads by Floyd-Warshall and by following every demand's traffic node by node, farthest first.
fn plain_loads(case: &Case) -> Result<Vec<f64>, String> {
    let nodes = case.graph.node_count();
    let arcs: Vec<usize> =
        (0..case.graph.arc_count()).filter(|&arc| case.truth.capacity_bps[arc] > 0.0).collect();
    let ends = |arc: usize| (case.graph.from[arc].index(), case.graph.to[arc].index());
    let weight = |arc: usize| case.graph.weight[arc] as f64;
    // By target, then by node.
    let mut distance = vec![vec![f64::INFINITY; nodes]; nodes];
    (0..nodes).for_each(|node| distance[node][node] = 0.0);
    for &arc in &arcs {
        let (from, to) = ends(arc);
        distance[to][from] = distance[to][from].min(weight(arc));
    }
    for via in 0..nodes {
        for from in 0..nodes {
            for to in 0..nodes {
                let detour = distance[via][from] + distance[to][via];
                distance[to][from] = distance[to][from].min(detour);
            }
        }
    }
    let mut loads = vec![0.0; case.graph.arc_count()];
    for (target, rest) in distance.iter().enumerate() {
        let mut at = vec![0.0; nodes];
        for &(from, to, bps) in case.demands.iter().filter(|row| row.1.index() == target) {
            if !rest[from.index()].is_finite() {
                return Err(format!("no way from node {} to node {}", from.0, to.0));
            }
            at[from.index()] += bps;
        }
        let mut order: Vec<usize> = (0..nodes).filter(|&node| rest[node].is_finite()).collect();
        order.sort_by(|&a, &b| rest[b].total_cmp(&rest[a]));
        for node in order.into_iter().filter(|&node| node != target) {
            let onward: Vec<usize> = arcs
                .iter()
                .copied()
                .filter(|&arc| {
                    let (from, to) = ends(arc);
                    from == node && weight(arc) + rest[to] == rest[node]
                })
                .collect();
            let share = at[node] / onward.len() as f64;
            for arc in onward {
                loads[arc] += share;
                at[ends(arc).1] += share;
            }
        }
    }
    Ok(loads)
}

/// The published largest utilisation: column `mlu_ecmp` of `mlu-<set>-<number>.csv` in the folder
/// above the networks, where `<number>` is the matrix's and one such table names the network.
fn published(name: &str, demands: &str) -> Result<Option<f64>, String> {
    let path = Path::new(demands);
    let number = path.file_stem().and_then(|stem| Path::new(stem).extension());
    let (Some(number), Some(folder)) = (number, path.parent()) else { return Ok(None) };
    let set = match folder.file_name().map(|name| name.to_string_lossy()) {
        Some(name) if name.ends_with("_unary") => "unary",
        Some(name) if name.ends_with("_inverseCapacity") => "inverse",
        _ => return Ok(None),
    };
    let Some(above) = folder.parent() else { return Ok(None) };
    let table = above.join(format!("mlu-{set}-{}.csv", number.to_string_lossy()));
    let Ok(text) = std::fs::read_to_string(&table) else { return Ok(None) };
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = lines.next().unwrap_or_default();
    let column = |wanted: &str| head.iter().position(|name| *name == wanted);
    let (Some(topology), Some(mlu)) = (column("topology"), column("mlu_ecmp")) else {
        return Err(format!("{}: not the table expected", table.display()));
    };
    let row = lines.find(|row| row.get(topology) == Some(&name));
    row.map(|row| cell(&row, mlu)).transpose()
}
