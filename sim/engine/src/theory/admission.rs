//! What is let in, and what comes again: token buckets and retries.

use super::power;
use crate::kernel::math;

/// What passes a token bucket that starts full, in the unit of `burst`, when `offered` per second
/// comes evenly for `duration` seconds.
///
/// Source: RFC 2697, in its simplest form.
#[must_use]
pub fn bucket_passed(rate: f64, burst: f64, offered: f64, duration: f64) -> f64 {
    (offered * duration).min(burst + rate * duration)
}

/// How many tries one request costs if each try fails on its own with probability `failure` and
/// up to `retries` retries follow.
#[must_use]
pub fn tries(failure: f64, retries: u64) -> f64 {
    assert!((0.0..=1.0).contains(&failure));
    let mut sum = 1.0;
    let mut term = 1.0;
    for _ in 0..retries {
        term *= failure;
        sum += term;
        if term < sum * 1e-18 {
            break;
        }
    }
    sum
}

/// Probability that a try fails when `load` times the capacity is asked for by first tries, what
/// exceeds the capacity fails at no cost, and failed tries come back up to `retries` times.
///
/// The tries that succeed fill the capacity: load (1 - p^(r + 1)) = 1.
#[must_use]
pub fn overload_failure(load: f64, retries: u64) -> f64 {
    if load <= 1.0 {
        return 0.0;
    }
    math::powf(1.0 - 1.0 / load, 1.0 / (retries as f64 + 1.0))
}

/// Share of requests that fail for good.
#[must_use]
pub fn lost_after(failure: f64, retries: u64) -> f64 {
    power(failure, retries + 1)
}
