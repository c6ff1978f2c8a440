//! What users wait for, in parts.

/// What users wait for until an answer is there, by cause. As means over served requests (ms) in
/// rows and totals, as sums (ms times requests) while counting.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LatencyParts {
    /// Round trips that only set the connection up: DNS, TCP, TLS or QUIC.
    pub setup_ms: f64,
    /// The way of request and answer: the users' round trip and our own links, without queueing.
    pub propagation_ms: f64,
    /// Waiting in the buffers of our links.
    pub link_queue_ms: f64,
    /// At the servers: waiting for them and being served.
    pub service_ms: f64,
    /// Fetching from the origin what a cache did not hold.
    pub origin_ms: f64,
}

impl LatencyParts {
    /// Names of the parts as in columns and metrics, in the order of [`LatencyParts::values`].
    pub const NAMES: [&'static str; 5] =
        ["setup", "propagation", "link_queue", "service", "origin"];

    /// The parts in order.
    #[must_use]
    pub fn values(&self) -> [f64; 5] {
        [self.setup_ms, self.propagation_ms, self.link_queue_ms, self.service_ms, self.origin_ms]
    }

    /// From the parts in order.
    #[must_use]
    pub fn of(values: [f64; 5]) -> LatencyParts {
        let [setup_ms, propagation_ms, link_queue_ms, service_ms, origin_ms] = values;
        LatencyParts { setup_ms, propagation_ms, link_queue_ms, service_ms, origin_ms }
    }

    /// The whole.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.values().iter().sum()
    }

    /// Adds `weight` times another breakdown.
    #[inline]
    pub fn add(&mut self, other: &LatencyParts, weight: f64) {
        self.setup_ms += other.setup_ms * weight;
        self.propagation_ms += other.propagation_ms * weight;
        self.link_queue_ms += other.link_queue_ms * weight;
        self.service_ms += other.service_ms * weight;
        self.origin_ms += other.origin_ms * weight;
    }

    /// Every part times a factor.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> LatencyParts {
        LatencyParts::of(self.values().map(|value| value * factor))
    }
}
