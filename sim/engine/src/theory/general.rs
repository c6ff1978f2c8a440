//! One server with any law of service: M/G/1 first come first served, and processor sharing.
//!
//! Source: F. Pollaczek (1930), A. Khinchine (1932); L. Kleinrock, Queueing Systems, volume 2
//! (1976), section 4.4, for processor sharing.

use crate::kernel::math;

/// Mean wait of M/G/1 in service times (Pollaczek-Khinchine); infinite if the variance is.
#[must_use]
pub fn wait_mean(load: f64, cv2: f64) -> f64 {
    assert!((0.0..1.0).contains(&load) && cv2 >= 0.0);
    load * (1.0 + cv2) / (2.0 * (1.0 - load))
}

/// Mean time in system of a request of `size` under processor sharing, in the unit of the size:
/// the law of the others does not matter.
#[must_use]
pub fn shared_sojourn(load: f64, size: f64) -> f64 {
    assert!((0.0..1.0).contains(&load));
    size / (1.0 - load)
}

/// Probability of at least `n` in the system under processor sharing.
#[must_use]
pub fn shared_at_least(load: f64, n: u64) -> f64 {
    super::power(load, n)
}

/// Smallest number in system that at least a share `at` of instants do not exceed, under
/// processor sharing.
#[must_use]
pub fn shared_number_quantile(load: f64, at: f64) -> f64 {
    if load <= 1.0 - at {
        return 0.0;
    }
    // P(N <= n) = 1 - load^(n + 1).
    let exact = math::ln(1.0 - at) / math::ln(load) - 1.0;
    let below = math::floor(exact).max(0.0);
    if 1.0 - math::powf(load, below + 1.0) >= at { below } else { below + 1.0 }
}
