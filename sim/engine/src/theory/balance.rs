//! Many servers behind a balancer: power of d choices, round robin, hash rings.
//!
//! Sources: M. Mitzenmacher, The Power of Two Choices in Randomized Load Balancing (2001);
//! N. Vvedenskaya, R. Dobrushin, F. Karpelevich (1996); L. Kleinrock, volume 1, section 6.4, for
//! GI/M/1; D. Karger and others, Consistent Hashing (1997).

use super::{power, root};
use crate::kernel::math;

/// Share of servers that hold at least `k` requests with power of `d` choices and infinitely many
/// servers: load^((d^k - 1) / (d - 1)).
#[must_use]
pub fn choices_at_least(load: f64, d: u64, k: u64) -> f64 {
    assert!((0.0..1.0).contains(&load) && d > 0);
    if d == 1 {
        return power(load, k);
    }
    // The exponent 1 + d + d^2 + ... grows beyond any number; the power is 0 long before.
    let mut exponent = 0.0_f64;
    for _ in 0..k {
        exponent = exponent * d as f64 + 1.0;
    }
    math::exp(exponent * math::ln(load))
}

/// Mean time in system with power of `d` choices and infinitely many servers, in service times.
#[must_use]
pub fn choices_sojourn(load: f64, d: u64) -> f64 {
    if d == 1 {
        return 1.0 / (1.0 - load);
    }
    let mut sum = 0.0;
    for k in 1.. {
        let share = choices_at_least(load, d, k);
        sum += share;
        if share < sum * 1e-18 {
            break;
        }
    }
    sum / load
}

/// Probability that an arrival at a server which gets every `servers`-th of Poisson arrivals finds
/// it busy (the root of the Erlang-N/M/1 queue).
#[must_use]
pub fn round_robin_busy(load: f64, servers: u64) -> f64 {
    assert!(load > 0.0 && load < 1.0 && servers > 0);
    if servers == 1 {
        return load;
    }
    let n = servers as f64;
    // 1 is a root, too; the other lies below it, and below the load of the Poisson case.
    root(0.0, load, |busy| busy - math::exp(-n * math::ln(1.0 + (1.0 - busy) / (n * load))))
}

/// Squared coefficient of variation of what backends own of a ring on which each has `points`
/// points: exact, as the share is a Beta variable.
#[must_use]
pub fn ring_share_cv2(backends: u64, points: u64) -> f64 {
    (backends as f64 - 1.0) / (backends as f64 * points as f64 + 1.0)
}

/// Expected largest share of a ring over the mean share.
///
/// One point a backend: the harmonic number of the backends, exact. More: the largest of as many
/// independent Beta variables, whose weak dependence is neglected.
#[must_use]
pub fn ring_largest(backends: u64, points: u64) -> f64 {
    if backends == 1 {
        return 1.0;
    }
    if points == 1 {
        return (1..=backends).map(|n| 1.0 / n as f64).sum();
    }
    let (v, rest) = (points as f64, (backends as f64 - 1.0) * points as f64);
    let mean = 1.0 / backends as f64;
    let spread = mean * math::sqrt(ring_share_cv2(backends, points));
    let end = (mean + 40.0 * spread).min(1.0);
    // The density is at its largest near the mode; relative to it nothing overflows.
    let log = |x: f64| (v - 1.0) * math::ln(x) + (rest - 1.0) * math::ln(1.0 - x);
    let mode = ((v - 1.0) / (v + rest - 2.0)).max(1e-12);
    let top = log(mode);
    let steps = 40_000;
    let width = end / f64::from(steps);
    let density = |i: u32| {
        let x = (f64::from(i) + 0.5) * width;
        math::exp(log(x) - top)
    };
    let total: f64 = (0..steps).map(density).sum();
    let (mut below, mut largest) = (0.0, 0.0);
    for i in 0..steps {
        let half = 0.5 * density(i);
        below += half;
        largest += (1.0 - power((below / total).min(1.0), backends)) * width;
        below += half;
    }
    largest / mean
}
