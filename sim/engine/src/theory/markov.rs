//! Queues with exponential service: M/M/1, M/M/c, M/M/c/K.
//!
//! Source: L. Kleinrock, Queueing Systems, volume 1 (1975), chapter 3; A. K. Erlang (1917).

use super::root;
use crate::kernel::math;

/// Probability that all servers are busy and a request is lost (Erlang B), for an offered load in
/// Erlangs. By the recursion on the number of servers, which cannot overflow.
#[must_use]
pub fn erlang_b(offered: f64, servers: u64) -> f64 {
    assert!(offered >= 0.0 && offered.is_finite());
    let mut blocking = 1.0;
    for n in 1..=servers {
        blocking = offered * blocking / (n as f64 + offered * blocking);
    }
    blocking
}

/// Probability that a request waits (Erlang C), for a load per server below 1.
#[must_use]
pub fn erlang_c(load: f64, servers: u64) -> f64 {
    assert!((0.0..1.0).contains(&load) && servers > 0);
    let blocking = erlang_b(load * servers as f64, servers);
    blocking / (1.0 - load * (1.0 - blocking))
}

/// Mean wait of M/M/c in service times.
#[must_use]
pub fn wait_mean(load: f64, servers: u64) -> f64 {
    erlang_c(load, servers) / (servers as f64 * (1.0 - load))
}

/// Quantile of the wait of M/M/c in service times; 0 where enough requests do not wait.
#[must_use]
pub fn wait_quantile(load: f64, servers: u64, at: f64) -> f64 {
    let waits = erlang_c(load, servers);
    if waits <= 1.0 - at {
        return 0.0;
    }
    math::ln(waits / (1.0 - at)) / (servers as f64 * (1.0 - load))
}

/// Probability that the time in system of M/M/c exceeds `t` service times.
#[must_use]
pub fn sojourn_above(load: f64, servers: u64, t: f64) -> f64 {
    let waits = erlang_c(load, servers);
    let drain = servers as f64 * (1.0 - load);
    let served = math::exp(-t);
    let both = if (drain - 1.0).abs() < 1e-9 {
        (1.0 + t) * served
    } else {
        (drain * served - math::exp(-drain * t)) / (drain - 1.0)
    };
    (1.0 - waits) * served + waits * both
}

/// Quantile of the time in system of M/M/c in service times.
#[must_use]
pub fn sojourn_quantile(load: f64, servers: u64, at: f64) -> f64 {
    assert!((0.0..1.0).contains(&at));
    if servers == 1 {
        return -math::ln(1.0 - at) / (1.0 - load);
    }
    let mut high = 1.0;
    while sojourn_above(load, servers, high) > 1.0 - at {
        high *= 2.0;
    }
    root(0.0, high, |t| (1.0 - at) - sojourn_above(load, servers, t))
}

/// What M/M/c/K gives.
#[derive(Clone, Copy, Debug)]
pub struct FiniteQueue {
    /// Share of requests that find the system full.
    pub blocking: f64,
    /// Mean number in the system.
    pub number: f64,
    /// Mean number in service.
    pub busy: f64,
    /// Share of admitted requests that wait.
    pub waits: f64,
}

/// M/M/c/K: at most `places` in the system, waiting ones included. `offered` is in Erlangs.
#[must_use]
pub fn finite_queue(offered: f64, servers: u64, places: u64) -> FiniteQueue {
    assert!(offered > 0.0 && servers > 0 && places >= servers);
    let (mut weight, mut total) = (1.0_f64, 1.0_f64);
    let (mut number, mut busy, mut waiting) = (0.0, 0.0, 0.0);
    for n in 1..=places {
        let at_work = n.min(servers) as f64;
        if n > servers {
            // Who arrives at n - 1 >= servers waits and is admitted, for n - 1 < places.
            waiting += weight;
        }
        weight *= offered / at_work;
        total += weight;
        number += n as f64 * weight;
        busy += at_work * weight;
        if total > 1e200 {
            let scale = 1e-200;
            weight *= scale;
            total *= scale;
            number *= scale;
            busy *= scale;
            waiting *= scale;
        }
    }
    let blocking = weight / total;
    let waits = waiting / (total - weight);
    FiniteQueue { blocking, number: number / total, busy: busy / total, waits }
}
