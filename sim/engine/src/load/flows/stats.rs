//! How long flows took.

use super::sim::Completion;
use crate::load::histogram::Histogram;

/// Counts and distributions of a kind of flows over some time.
#[derive(Clone, Debug, Default)]
pub struct FlowStats {
    /// Flows that arrived.
    pub started: u64,
    /// Flows that finished.
    pub finished: u64,
    /// Flows that ended unfinished.
    pub broken: u64,
    /// Flows that have neither finished nor ended otherwise.
    pub active: u64,
    /// Sum of round trips without queueing of flows that arrived, seconds.
    pub round_trips_s: f64,
    /// Bits of flows that arrived.
    pub started_bits: f64,
    /// Bits of flows that finished.
    pub finished_bits: f64,
    completion: Histogram,
    /// Slowdowns, as milliseconds.
    slowdown: Histogram,
}

/// Mean and percentiles of completion times and slowdowns; zeros without finished flows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FlowTimes {
    /// Mean seconds from arrival to end.
    pub completion_s_mean: f64,
    /// Median.
    pub completion_s_p50: f64,
    /// 99th percentile.
    pub completion_s_p99: f64,
    /// Mean of completion time over what it would have been alone on the empty path.
    pub slowdown_mean: f64,
    /// 99th percentile of the same.
    pub slowdown_p99: f64,
}

impl FlowStats {
    /// A flow arrives; `round_trip_s` is not part of its completion time.
    pub fn start(&mut self, bits: f64, round_trip_s: f64) {
        self.started += 1;
        self.active += 1;
        self.started_bits += bits;
        self.round_trips_s += round_trip_s;
    }

    /// A flow ends unfinished.
    pub fn break_off(&mut self) {
        self.broken += 1;
        self.active -= 1;
    }

    /// A flow has finished.
    pub fn finish(&mut self, done: &Completion) {
        self.finished += 1;
        self.active -= 1;
        self.finished_bits += done.bits;
        // The histogram counts whole nanoseconds; a slowdown of 1 is a million of them.
        self.completion.add((done.seconds() * 1e9) as u64, 1.0);
        if let Some(slowdown) = done.slowdown() {
            self.slowdown.add((slowdown * 1e6) as u64, 1.0);
        }
    }

    /// What the distributions say.
    #[must_use]
    pub fn times(&self) -> FlowTimes {
        let completion = self.completion.stats();
        let slowdown = self.slowdown.stats();
        FlowTimes {
            completion_s_mean: completion.mean * 1e-3,
            completion_s_p50: completion.p50 * 1e-3,
            completion_s_p99: completion.p99 * 1e-3,
            slowdown_mean: slowdown.mean,
            slowdown_p99: slowdown.p99,
        }
    }

    /// Begins anew; who is active stays so.
    pub fn clear(&mut self) {
        (self.started, self.finished, self.broken) = (0, 0, 0);
        (self.started_bits, self.finished_bits, self.round_trips_s) = (0.0, 0.0, 0.0);
        self.completion.clear();
        self.slowdown.clear();
    }
}
