//! `steerlab flows`: plays a recorded trace of flows over a network.

mod ends;

use super::{fill_file, import};
use crate::args::{FlowsArgs, Format, ProgressKind};
use crate::console::Console;
use crate::exit::Exit;
use crate::table;
use ends::{End, Summary};
use std::io::Write;
use std::time::{Duration, Instant};
use steerlab_engine::kernel::SimTime;
use steerlab_engine::load::flows::{FlowSim, FlowSpec, Moment};
use steerlab_engine::route::PathTree;
use steerlab_scenario::import::{RepetitaGraph, read_graph, read_limited};
use steerlab_scenario::sharing::{LoadedTrace, TraceFlow, load_trace};

/// Largest network, nodes: the tree of every node is kept.
const NODES_MAX: usize = 4_096;
/// Time between lines about progress.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Plays a trace.
pub fn flows(console: &Console, args: &FlowsArgs) -> Exit {
    let graph = match read_limited(&args.topology).and_then(|file| read_graph(&file)) {
        Ok(graph) => graph,
        Err(error) => {
            import::show(console, &error);
            return Exit::BadInput;
        }
    };
    if graph.nodes.len() > NODES_MAX {
        let what = format!("the network has {} nodes, at most {NODES_MAX}", graph.nodes.len());
        return console.fail(Exit::BadInput, &what, "take a part of it");
    }
    graph.notes.iter().for_each(|note| console.say(&format!("note: {note}")));
    let mut ways = Ways::new(&graph);
    let reaches = |source, target| ways.tree(source).distance(target).is_some();
    let LoadedTrace { flows, sources, diagnostics, omitted } =
        load_trace(&args.trace, graph.nodes.len(), reaches);
    let shown =
        steerlab_scenario::render_findings(&sources, &diagnostics, omitted, console.color_err);
    let Some(flows) = flows else {
        console.err(&shown);
        return Exit::BadInput;
    };
    let begin = Instant::now();
    let ends = play(console, &graph, &mut ways, &flows);
    let took_s = begin.elapsed().as_secs_f64();
    if let Some(out) = &args.out
        && let Err(exit) = fill_file(console, out, |file| write(file, &flows, &ends))
    {
        return exit;
    }
    let rate = flows.len() as f64 / took_s;
    console.say(&format!("played {} flows in {took_s:.2} s, {rate:.0} a second", flows.len()));
    let summary = Summary::of(&flows, &ends);
    let (head, rows) = (["quantity", "value"], summary.rows(&graph));
    match args.format {
        Format::Json => match serde_json::to_string_pretty(&summary.json(&graph)) {
            Ok(text) => console.answer(&text),
            Err(error) => return console.fail(Exit::CannotWrite, &error.to_string(), ""),
        },
        Format::Table => console.answer(&table::plain(&head, &rows)),
        Format::Md => console.answer(&table::markdown(&head, &rows)),
    }
    Exit::Done
}

/// Shortest-path trees of the network, each made when it is first needed.
struct Ways {
    arcs: Vec<(u32, u32, u64)>,
    trees: Vec<Option<PathTree>>,
}

impl Ways {
    fn new(graph: &RepetitaGraph) -> Ways {
        let arc = |edge: &steerlab_scenario::import::RepetitaEdge| {
            let [from, to] = edge.ends;
            (from, to, edge.weight)
        };
        Ways { arcs: graph.edges.iter().map(arc).collect(), trees: vec![None; graph.nodes.len()] }
    }

    fn tree(&mut self, source: u32) -> &PathTree {
        let nodes = self.trees.len();
        self.trees[source as usize].get_or_insert_with(|| PathTree::from(source, nodes, &self.arcs))
    }
}

/// The instant at which a flow starts.
fn start(flow: &TraceFlow) -> Moment {
    Moment::from(SimTime(flow.start_ns)).after(flow.start_fraction_ns * 1e-9)
}

/// Plays all flows; gives what became of each, in the order of the trace.
fn play(
    console: &Console,
    graph: &RepetitaGraph,
    ways: &mut Ways,
    flows: &[TraceFlow],
) -> Vec<End> {
    let capacity_bps: Vec<f64> = graph.edges.iter().map(|edge| edge.capacity_bps as f64).collect();
    let mut sim = FlowSim::new(&capacity_bps);
    let mut ends = vec![End::default(); flows.len()];
    let mut order: Vec<usize> = (0..flows.len()).collect();
    // Stable: flows that start at one instant keep their order.
    order.sort_by_key(|&index| start(&flows[index]));
    let mut said = Instant::now();
    for (done, &index) in order.iter().enumerate() {
        let flow = &flows[index];
        let at = start(flow);
        sim.advance(at, &mut |done| ends[done.tag as usize].at = done.at);
        let path = ways.tree(flow.source).path(flow.target);
        let path = path.expect("the trace was read with the ways there are");
        let bits = flow.bytes as f64 * 8.0;
        let narrowest = path.iter().map(|arc| capacity_bps[arc.0 as usize]);
        ends[index].alone_s = bits / narrowest.fold(f64::INFINITY, f64::min);
        sim.arrival(at, &FlowSpec { tag: index as u64, ..FlowSpec::plain(&path, bits) });
        if said.elapsed() >= SAY_EVERY && console.progress != ProgressKind::None {
            let (all, active) = (flows.len(), sim.active());
            console.say(&format!("{} of {all} flows have started, {active} go on", done + 1));
            said = Instant::now();
        }
    }
    sim.advance(Moment::NEVER, &mut |done| ends[done.tag as usize].at = done.at);
    ends
}

/// Writes the trace with the ends in picoseconds: at the nearest nanosecond alone, an end halfway
/// between two would be half a nanosecond off.
fn write(file: &mut impl Write, flows: &[TraceFlow], ends: &[End]) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(file);
    out.write_all(b"start,src,dst,bytes,end\n")?;
    for (flow, end) in flows.iter().zip(ends) {
        let picos = (end.at.fraction_ns() * 1e3).round() as u64;
        let (nanos, picos) = (end.at.time().0 + picos / 1_000, picos % 1_000);
        let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        writeln!(out, "{},{seconds}.{nanos:09}{picos:03}", flow.text)?;
    }
    out.flush()
}
