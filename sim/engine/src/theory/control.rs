//! Controllers that see or act late, and answers that age.

use super::power;
use crate::kernel::math;
use std::f64::consts::PI;

/// Largest gain for which x(t + 1) = x(t) - g x(t - k) settles: 2 sin(pi / (2 (2 k + 1))).
///
/// Source: S. Levin and R. May, A note on difference-delay equations (1976).
#[must_use]
pub fn gain_limit(lag: u64) -> f64 {
    2.0 * math::sin(PI / (2.0 * (2.0 * lag as f64 + 1.0)))
}

/// Largest gain for which it settles without overshoot: k^k / (k + 1)^(k + 1), where the
/// characteristic equation has a double real root.
#[must_use]
pub fn gain_without_overshoot(lag: u64) -> f64 {
    let k = lag as f64;
    power(k / (k + 1.0), lag) / (k + 1.0)
}

/// Share of resolvers' users who still follow the old DNS answer `elapsed` seconds after a change.
///
/// Ages of answers in caches are uniform at the change; `sticky` never let go.
#[must_use]
pub fn dns_residual(elapsed: f64, ttl: f64, sticky: f64) -> f64 {
    let old = if ttl > 0.0 { (1.0 - elapsed / ttl).max(0.0) } else { 0.0 };
    sticky + (1.0 - sticky) * old
}
