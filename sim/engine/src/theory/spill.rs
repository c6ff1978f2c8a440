//! How load goes to the next priority level when hosts are unhealthy.
//!
//! Source: Envoy documentation, "Priority levels" (load balancing).

/// Load of each priority level in percent, for the healthy percent of each level and the
/// overprovisioning factor (in percent: 140).
///
/// The health of a level is its healthy share times the factor, at most 100. If all levels
/// together reach 100, each takes its health until nothing is left; otherwise loads are scaled to
/// 100, rounded, the last level taking what is left.
#[must_use]
pub fn priority_loads(healthy_percent: &[f64], factor_percent: f64) -> Vec<u32> {
    let healths: Vec<u32> = healthy_percent
        .iter()
        .map(|healthy| ((healthy * factor_percent / 100.0 + 1e-9).floor() as u32).min(100))
        .collect();
    let total = healths.iter().sum::<u32>().min(100);
    if total == 0 {
        // Nobody is healthy: the first level takes everything.
        return (0..healths.len()).map(|level| if level == 0 { 100 } else { 0 }).collect();
    }
    let mut left = 100;
    let take = |&health: &u32| {
        let load = ((2 * health * 100 + total) / (2 * total)).min(left);
        left -= load;
        load
    };
    healths.iter().map(take).collect()
}
