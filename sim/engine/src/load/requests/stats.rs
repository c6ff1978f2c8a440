//! What is counted, always.

use crate::kernel::SimTime;
use crate::load::histogram::Histogram;

/// Why a request was not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The queue of the server was full.
    Refused,
    /// The client gave up.
    TimedOut,
    /// The server failed.
    Failed,
    /// The connection broke.
    Broken,
    /// No server took work.
    NoServer,
}

impl Cause {
    /// Number of causes.
    pub const COUNT: usize = 5;

    /// All causes, in the order of [`ClassStats::dropped`].
    pub const ALL: [Cause; Cause::COUNT] =
        [Cause::Refused, Cause::TimedOut, Cause::Failed, Cause::Broken, Cause::NoServer];
}

/// Where the time of served requests went, in seconds added up over requests. The parts add up to
/// the latency.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Breakdown {
    /// Setting up the connection, DNS included.
    pub setup_s: f64,
    /// Propagation of request and answer.
    pub propagation_s: f64,
    /// Link queues on the way.
    pub link_queue_s: f64,
    /// Waiting at the server: all time there beyond `service_s`.
    pub wait_s: f64,
    /// Service as if alone on a core.
    pub service_s: f64,
    /// Waiting for the origin.
    pub origin_s: f64,
    /// Before the attempt that was answered: earlier attempts and pauses.
    pub retry_s: f64,
}

impl Breakdown {
    /// Sum of the parts.
    #[must_use]
    pub fn total_s(&self) -> f64 {
        self.setup_s
            + self.propagation_s
            + self.link_queue_s
            + self.wait_s
            + self.service_s
            + self.origin_s
            + self.retry_s
    }

    #[inline]
    pub(super) fn add(&mut self, other: &Breakdown) {
        self.setup_s += other.setup_s;
        self.propagation_s += other.propagation_s;
        self.link_queue_s += other.link_queue_s;
        self.wait_s += other.wait_s;
        self.service_s += other.service_s;
        self.origin_s += other.origin_s;
        self.retry_s += other.retry_s;
    }
}

/// Counts of one class since the last reset.
#[derive(Clone, Debug, Default)]
pub struct ClassStats {
    /// Requests that arrived.
    pub offered: u64,
    /// Requests that were answered.
    pub served: u64,
    /// Requests given up, by the cause of the last attempt; order of [`Cause::ALL`].
    pub dropped: [u64; Cause::COUNT],
    /// Attempts sent: first copies, retries and hedges.
    pub attempts: u64,
    /// Retries sent.
    pub retries: u64,
    /// Second copies sent.
    pub hedges: u64,
    /// Retries and hedges that the budget forbade.
    pub over_budget: u64,
    /// Attempts that ended without an answer, by cause.
    pub attempts_failed: [u64; Cause::COUNT],
    /// Attempts that a server completed for nobody.
    pub wasted: u64,
    /// Connections opened.
    pub connections_opened: u64,
    /// Connections closed in an orderly way.
    pub connections_closed: u64,
    /// Connections broken.
    pub connections_broken: u64,
    /// Time from arrival to answer of the requests served.
    pub latency: Histogram,
    /// Where that time went.
    pub breakdown: Breakdown,
    /// Requests in the system, mean over time.
    pub in_system_mean: f64,
    pub(super) level: Level,
}

impl ClassStats {
    /// Requests dropped, all causes.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// Mean latency of the requests served, seconds; 0 if there were none.
    #[must_use]
    pub fn latency_s_mean(&self) -> f64 {
        if self.served == 0 { 0.0 } else { self.breakdown.total_s() / self.served as f64 }
    }

    /// Adds counts of another class or span; `in_system_mean` is added too, as for classes side by
    /// side.
    pub fn merge(&mut self, other: &ClassStats) {
        self.offered += other.offered;
        self.served += other.served;
        self.attempts += other.attempts;
        self.retries += other.retries;
        self.hedges += other.hedges;
        self.over_budget += other.over_budget;
        self.wasted += other.wasted;
        self.connections_opened += other.connections_opened;
        self.connections_closed += other.connections_closed;
        self.connections_broken += other.connections_broken;
        for cause in 0..Cause::COUNT {
            self.dropped[cause] += other.dropped[cause];
            self.attempts_failed[cause] += other.attempts_failed[cause];
        }
        self.latency.merge(&other.latency);
        self.breakdown.add(&other.breakdown);
        self.in_system_mean += other.in_system_mean;
    }

    pub(super) fn reset(&mut self, now: SimTime) {
        let level = Level { count: self.level.count, changed: now, area: 0.0 };
        let mut latency = std::mem::take(&mut self.latency);
        latency.clear();
        *self = ClassStats { latency, level, ..ClassStats::default() };
    }
}

/// What one server did since the last reset.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ServerStats {
    /// Attempts completed.
    pub completed: u64,
    /// Attempts refused.
    pub refused: u64,
    /// Attempts waiting or in service, mean over time.
    pub in_system_mean: f64,
    /// Cores that worked over cores, mean over time.
    pub utilisation: f64,
}

/// Statistics of a cell since the last reset.
#[derive(Clone, Debug, Default)]
pub struct CellStats {
    /// Length of the span, seconds.
    pub seconds: f64,
    /// By class.
    pub classes: Vec<ClassStats>,
    /// By server.
    pub servers: Vec<ServerStats>,
}

impl CellStats {
    /// All classes together.
    #[must_use]
    pub fn total(&self) -> ClassStats {
        let mut total = ClassStats::default();
        self.classes.iter().for_each(|class| total.merge(class));
        total
    }
}

/// A number of things whose mean over time is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Level {
    pub(super) count: u32,
    changed: SimTime,
    /// Integral over time, in things times nanoseconds.
    area: f64,
}

impl Level {
    /// Brings the integral to an instant.
    #[inline]
    pub(super) fn settle(&mut self, now: SimTime) {
        self.area += now.since(self.changed).0 as f64 * f64::from(self.count);
        self.changed = now;
    }

    #[inline]
    pub(super) fn up(&mut self, now: SimTime) {
        self.settle(now);
        self.count += 1;
    }

    #[inline]
    pub(super) fn down(&mut self, now: SimTime) {
        self.settle(now);
        self.count -= 1;
    }

    /// Mean over a span that ends where the level was last settled.
    pub(super) fn mean(&self, seconds: f64) -> f64 {
        if seconds > 0.0 { self.area * 1e-9 / seconds } else { f64::from(self.count) }
    }
}
