//! Server pools: response time below saturation, backlog with memory above.

use crate::kernel::{SimTime, math};
use crate::net::Pool;

/// Above this utilisation the stationary formula is not used any more: what is beyond shows as
/// backlog.
pub const UTILISATION_MAX: f64 = 0.99;

/// Probability that an arrival must wait in M/M/c (Erlang C), for `servers` >= 1 and utilisation
/// in [0, 1).
///
/// Uses 1/B = sum over k of c(c-1)...(c-k+1)/a^k (B is Erlang's loss formula, a the offered load),
/// stopping when the sum cannot change any more or B is below 1e-18: a few hundred steps even for
/// tens of thousands of servers, and exact arithmetic operations only.
#[must_use]
pub fn erlang_c(servers: u64, utilisation: f64) -> f64 {
    if utilisation <= 0.0 {
        return 0.0;
    }
    if utilisation >= 1.0 {
        return 1.0;
    }
    let offered = servers as f64 * utilisation;
    let (mut sum, mut term) = (1.0_f64, 1.0_f64);
    for busy in (1..=servers).rev() {
        term *= busy as f64 / offered;
        sum += term;
        if sum > 1e18 || term < sum * 1e-17 {
            break;
        }
    }
    let blocking = 1.0 / sum;
    blocking / (1.0 - utilisation * (1.0 - blocking))
}

/// Mean sojourn time over mean service time of M/M/c, in which processor sharing among the cores
/// has the same mean as first come first served. Utilisation is capped at [`UTILISATION_MAX`].
#[must_use]
pub fn sojourn_factor(cores: u64, utilisation: f64) -> f64 {
    let rho = utilisation.min(UTILISATION_MAX);
    1.0 + erlang_c(cores, rho) / (cores as f64 * (1.0 - rho))
}

/// Mean response time in seconds per CPU-second of demand at a colo whose pools are equally
/// utilised: the mean over pools by the work they do.
#[must_use]
pub fn seconds_per_cpu_s(pools: &[(Pool, f64)], utilisation: f64) -> f64 {
    let capacity: f64 = pools.iter().map(|(pool, up)| pool.capacity() * up).sum();
    if capacity <= 0.0 {
        return 0.0;
    }
    pools
        .iter()
        .filter(|(_, up)| *up > 0.0)
        .map(|(pool, up)| {
            let cores = ((pool.core_count() as f64 * up) as u64).max(1);
            let share = pool.capacity() * up / capacity;
            share * sojourn_factor(cores, utilisation) / pool.core_speed
        })
        .sum()
}

/// Work of one demand that waits at a colo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waiting {
    /// Bundle under which it arrived.
    pub bundle: u32,
    /// Demand it belongs to.
    pub demand: u32,
    /// CPU-seconds.
    pub work_cpu_s: f64,
}

/// What a colo's servers are doing between two events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything that arrives is served.
    Keeping,
    /// More arrives than can be served: the backlog grows.
    Filling,
    /// The backlog is at its bound: what cannot be served is dropped.
    Full,
    /// Less arrives than can be served: the backlog shrinks.
    Draining,
}

/// The servers of one colo as a fluid: work arrives, at most `capacity` of it is done per second,
/// the rest waits, up to a bound.
#[derive(Clone, Debug, Default)]
pub struct Backlog {
    /// Waiting work in total, CPU-seconds.
    pub work_cpu_s: f64,
    /// Whose it is, by (bundle, demand). Adds up to `work_cpu_s`.
    pub waiting: Vec<Waiting>,
}

impl Backlog {
    /// What happens with this arrival rate of work.
    #[must_use]
    pub fn mode(&self, arrival: f64, capacity: f64, bound_cpu_s: f64) -> Mode {
        if arrival > capacity {
            if self.work_cpu_s >= bound_cpu_s * (1.0 - 1e-12) { Mode::Full } else { Mode::Filling }
        } else if self.work_cpu_s > 0.0 {
            Mode::Draining
        } else {
            Mode::Keeping
        }
    }

    /// When the present mode ends by itself.
    #[must_use]
    pub fn crossing(
        &self,
        now: SimTime,
        arrival: f64,
        capacity: f64,
        bound_cpu_s: f64,
    ) -> Option<SimTime> {
        let seconds = match self.mode(arrival, capacity, bound_cpu_s) {
            Mode::Keeping | Mode::Full => return None,
            Mode::Filling => (bound_cpu_s - self.work_cpu_s) / (arrival - capacity),
            Mode::Draining if arrival >= capacity => return None,
            Mode::Draining => self.work_cpu_s / (capacity - arrival),
        };
        let span = crate::kernel::SimSpan::from_seconds_f64_ceil(seconds);
        Some(now.after(crate::kernel::SimSpan(span.0.max(1))))
    }

    /// Backlog after `seconds` in the present mode, and the factor by which old shares persist.
    ///
    /// Under processor sharing a demand's waiting work W_g obeys
    /// dW_g/dt = a_g − C W_g / W, with a_g its accepted arrivals, C the capacity and W the total.
    /// With W(t) linear the solution is W_g(t) = x_g W(t) + phi (W_g(0) − x_g W(0)), where x_g is
    /// the demand's share of arrivals and phi = (W(t)/W(0))^(−C/r), r = dW/dt, or
    /// exp(−C t / W) when r = 0.
    #[must_use]
    pub fn after(
        &self,
        seconds: f64,
        accepted: f64,
        capacity: f64,
        bound_cpu_s: f64,
    ) -> (f64, f64) {
        let before = self.work_cpu_s;
        let growth = accepted - capacity;
        let after = (before + growth * seconds).clamp(0.0, bound_cpu_s);
        if before <= 0.0 || after <= 0.0 {
            return (after, 0.0);
        }
        let ratio = after / before;
        let slow = (ratio - 1.0).abs() < 1e-9;
        let exponent = if slow {
            -capacity * seconds / before
        } else {
            // r = (after − before) / seconds, so C/r = C seconds / (after − before).
            -capacity * seconds / (after - before) * math::ln(ratio)
        };
        (after, math::exp(exponent).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Erlang C by the textbook sum, for small c.
    fn erlang_c_naive(c: u64, rho: f64) -> f64 {
        let a = c as f64 * rho;
        let (mut term, mut sum) = (1.0, 0.0);
        for k in 0..c {
            sum += term;
            term *= a / (k + 1) as f64;
        }
        let last = term / (1.0 - rho);
        last / (sum + last)
    }

    #[test]
    fn erlang_c_agrees_with_the_textbook_sum_and_published_values() {
        for c in [1, 2, 3, 10, 50, 100] {
            for rho in [0.05, 0.5, 0.8, 0.9, 0.95, 0.99] {
                let (ours, naive) = (erlang_c(c, rho), erlang_c_naive(c, rho));
                assert!((ours - naive).abs() <= 1e-12 + 1e-10 * naive, "c {c} rho {rho}");
            }
        }
        assert!((erlang_c(10, 0.9) - 0.6687).abs() < 5e-5);
        assert!((erlang_c(100, 0.95) - 0.5065).abs() < 5e-5);
        assert!((erlang_c(16, 0.8) - 0.30488).abs() < 5e-6);
        assert!((sojourn_factor(10, 0.9) - 1.6687).abs() < 5e-5);
        assert!((sojourn_factor(1, 0.9) - 10.0).abs() < 1e-9);
        assert!(erlang_c(30_000, 0.7) < 1e-15);
    }

    #[test]
    fn shares_of_the_backlog_follow_the_differential_equation() {
        // Two demands: only the first arrives, the second waits from before. Euler with tiny steps
        // is the naive answer.
        for (accepted, capacity) in [(3.0, 2.0), (1.0, 2.0), (2.0, 2.0)] {
            let backlog = Backlog { work_cpu_s: 4.0, waiting: Vec::new() };
            let seconds = 1.5;
            let (after, phi) = backlog.after(seconds, accepted, capacity, 1e9);
            let old = phi * 3.0; // the second demand began with 3 of the 4, arrivals share 0
            let (mut total, mut second) = (4.0, 3.0);
            let steps = 1_000_000;
            for _ in 0..steps {
                let dt = seconds / f64::from(steps);
                second -= capacity * second / total * dt;
                total += (accepted - capacity) * dt;
            }
            assert!((after - total).abs() < 1e-6);
            assert!((old - second).abs() < 1e-5, "{accepted}: {old} against {second}");
        }
    }
}
