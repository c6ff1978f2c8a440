//! What one workload gives: exact streaming moments, and the line a child process prints.

use serde::{Deserialize, Serialize};

/// Streaming count, mean and variance of whole nanoseconds. The sums are exact integers, so they
/// do not depend on order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moments {
    count: u64,
    sum: u128,
    sum_of_squares: u128,
}

impl Moments {
    /// Takes one value, in nanoseconds.
    #[inline]
    pub fn add(&mut self, nanos: u64) {
        self.count += 1;
        self.sum += u128::from(nanos);
        self.sum_of_squares += u128::from(nanos) * u128::from(nanos);
    }

    /// Mean in seconds.
    pub fn mean_seconds(&self) -> f64 {
        self.sum as f64 / self.count as f64 / 1e9
    }

    /// Population variance in square seconds.
    pub fn variance_seconds2(&self) -> f64 {
        let mean = self.mean_seconds();
        self.sum_of_squares as f64 / self.count as f64 / 1e18 - mean * mean
    }
}

/// The result of one workload on one engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    pub events: u64,
    pub sojourn_seconds_mean: f64,
    /// Only engines that keep it.
    pub sojourn_seconds2_variance: Option<f64>,
    /// Only engines that keep one.
    pub fingerprint: Option<String>,
}
