//! Simulated time: whole nanoseconds since the scenario's start.

use serde::{Deserialize, Serialize};

/// A point in simulated time, in nanoseconds since the scenario's start (0 to about 584 years).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SimTime(pub u64);

/// A length of simulated time, in nanoseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SimSpan(pub u64);

/// Nanoseconds in one second.
pub const NANOS_PER_SECOND: u64 = 1_000_000_000;

impl SimTime {
    /// The scenario's start.
    pub const ZERO: SimTime = SimTime(0);
    /// Later than every instant a run can reach.
    pub const NEVER: SimTime = SimTime(u64::MAX);

    /// This instant moved later by `span`; stops at [`SimTime::NEVER`] instead of wrapping.
    #[must_use]
    pub fn after(self, span: SimSpan) -> SimTime {
        SimTime(self.0.saturating_add(span.0))
    }

    /// The span since `earlier`; zero if `earlier` is in fact later.
    #[must_use]
    pub fn since(self, earlier: SimTime) -> SimSpan {
        SimSpan(self.0.saturating_sub(earlier.0))
    }

    /// Seconds since the scenario's start (exact below 2^53 ns, about 104 days).
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND as f64
    }
}

impl SimSpan {
    /// No time at all.
    pub const ZERO: SimSpan = SimSpan(0);

    /// A span of whole seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> SimSpan {
        SimSpan(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// A span of whole milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> SimSpan {
        SimSpan(millis.saturating_mul(1_000_000))
    }

    /// A span from seconds, rounded up to a whole nanosecond; negative and NaN give zero.
    #[must_use]
    pub fn from_seconds_f64_ceil(seconds: f64) -> SimSpan {
        let nanos = libm::ceil(seconds * NANOS_PER_SECOND as f64);
        // The cast saturates: above u64::MAX stays there, negative and NaN become zero.
        SimSpan(nanos as u64)
    }

    /// The span in seconds.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND as f64
    }

    /// The span in milliseconds.
    #[must_use]
    pub fn millis(self) -> f64 {
        self.0 as f64 / 1e6
    }
}
