//! Connections that a change of buckets breaks, with one or two servers a bucket.

use crate::kernel::math;

/// Mean number of connections broken by the `change`-th change (from 1) of a bucket whose server
/// changes every `gap` seconds, with Poisson arrivals of `rate` per second and exponential lives of
/// mean `life` seconds. The first change comes after very long.
///
/// Without a chain each change breaks what the server left holds: everything opened since the
/// change before. With a chain what the server before still holds breaks.
#[must_use]
pub fn broken(rate: f64, life: f64, gap: f64, change: u64, chained: bool) -> f64 {
    assert!(change >= 1 && rate >= 0.0 && life > 0.0 && gap >= 0.0);
    let all = rate * life;
    let kept = math::exp(-gap / life);
    match (chained, change) {
        (true, 1) => 0.0,
        // Everything opened before the first change that still lives.
        (true, 2) => all * kept,
        // Opened between the two changes before the last.
        (true, _) => all * (1.0 - kept) * kept,
        (false, 1) => all,
        (false, _) => all * (1.0 - kept),
    }
}
