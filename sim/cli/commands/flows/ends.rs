//! What became of the flows of a trace, and its summary.

use super::start;
use serde::Serialize;
use serde_json::{Value, json};
use steerlab_engine::kernel::SimTime;
use steerlab_engine::load::flows::Moment;
use steerlab_report::number;
use steerlab_scenario::import::RepetitaGraph;
use steerlab_scenario::sharing::TraceFlow;

/// What became of a flow.
#[derive(Clone, Copy, Default)]
pub struct End {
    /// When it ended.
    pub at: Moment,
    /// How long it would have taken alone, seconds.
    pub alone_s: f64,
}

/// Mean and percentiles by nearest rank.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Spread {
    mean: f64,
    p50: f64,
    p99: f64,
    max: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Spread {
        // In the order of the trace, so that the sum is the same everywhere.
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.sort_by(f64::total_cmp);
        let rank = |percent: usize| values[(values.len() * percent).div_ceil(100).max(1) - 1];
        Spread { mean, p50: rank(50), p99: rank(99), max: rank(100) }
    }
}

/// A trace in a few figures.
pub struct Summary {
    flows: usize,
    bytes: f64,
    first_start_s: f64,
    last_end_s: f64,
    completion_s: Spread,
    slowdown: Spread,
    /// Flows whose end the trace gives, and how far ours are from those at most.
    recorded: usize,
    off_s_max: f64,
}

impl Summary {
    /// Of one flow or more.
    pub fn of(flows: &[TraceFlow], ends: &[End]) -> Summary {
        let pairs = || flows.iter().zip(ends);
        let took = |(flow, end): (&TraceFlow, &End)| end.at.since(start(flow));
        let off = pairs().filter_map(|(flow, end)| {
            let (nanos, fraction) = flow.end_ns?;
            let recorded = Moment::from(SimTime(nanos)).after(fraction * 1e-9);
            Some(end.at.since(recorded).abs())
        });
        Summary {
            flows: flows.len(),
            bytes: flows.iter().map(|flow| flow.bytes as f64).sum(),
            first_start_s: flows.iter().map(start).min().unwrap_or_default().seconds(),
            last_end_s: ends.iter().map(|end| end.at).max().unwrap_or_default().seconds(),
            completion_s: Spread::of(pairs().map(took).collect()),
            slowdown: Spread::of(pairs().map(|pair| took(pair) / pair.1.alone_s).collect()),
            recorded: flows.iter().filter(|flow| flow.end_ns.is_some()).count(),
            off_s_max: off.fold(0.0, f64::max),
        }
    }

    /// Flows that ended per second of the trace.
    fn flows_per_s(&self) -> f64 {
        self.flows as f64 / (self.last_end_s - self.first_start_s)
    }

    /// As rows of a table: quantity and value.
    pub fn rows(&self, graph: &RepetitaGraph) -> Vec<Vec<String>> {
        let mut rows = vec![
            ("nodes", graph.nodes.len().to_string()),
            ("arcs", graph.edges.len().to_string()),
            ("flows", self.flows.to_string()),
            ("bytes", number(self.bytes)),
            ("first start, s", format!("{:.9}", self.first_start_s)),
            ("last end, s", format!("{:.9}", self.last_end_s)),
            ("flows/s", number(self.flows_per_s())),
        ];
        let Spread { mean, p50, p99, max } = self.completion_s;
        for (name, value) in [
            ("completion, s, mean", mean),
            ("completion, s, p50", p50),
            ("completion, s, p99", p99),
            ("completion, s, max", max),
        ] {
            rows.push((name, format!("{value:.9}")));
        }
        let Spread { mean, p50, p99, max } = self.slowdown;
        for (name, value) in [
            ("slowdown, mean", mean),
            ("slowdown, p50", p50),
            ("slowdown, p99", p99),
            ("slowdown, max", max),
        ] {
            rows.push((name, format!("{value:.6}")));
        }
        if self.recorded > 0 {
            rows.push(("ends in the trace", self.recorded.to_string()));
            rows.push(("largest difference from them, s", format!("{:.3e}", self.off_s_max)));
        }
        rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect()
    }

    /// As format `steerlab-flows/1`.
    pub fn json(&self, graph: &RepetitaGraph) -> Value {
        json!({
            "format": "steerlab-flows/1",
            "nodes": graph.nodes.len(),
            "arcs": graph.edges.len(),
            "flows": self.flows,
            "bytes": self.bytes,
            "first_start_s": self.first_start_s,
            "last_end_s": self.last_end_s,
            "flows_per_s": self.flows_per_s(),
            "completion_s": self.completion_s,
            "slowdown": self.slowdown,
            "recorded_ends": self.recorded,
            "recorded_end_off_s_max": (self.recorded > 0).then_some(self.off_s_max),
        })
    }
}
