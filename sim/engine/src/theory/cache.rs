//! Caches with a time to live, alone and in tiers.
//!
//! Source: J. Jung, A. W. Berger, H. Balakrishnan, Modeling TTL-based Internet Caches (2003).

/// Fetches per second of a cache that keeps an object for `ttl` seconds after it was fetched, with
/// Poisson requests for it.
#[must_use]
pub fn ttl_fetches(rate: f64, ttl: f64) -> f64 {
    assert!(rate >= 0.0 && ttl >= 0.0);
    rate / (1.0 + rate * ttl)
}

/// Share of requests that such a cache answers.
#[must_use]
pub fn ttl_hits(rate: f64, ttl: f64) -> f64 {
    rate * ttl / (1.0 + rate * ttl)
}

/// Fetches per second from the origin with `sites` lower caches in front of one upper cache. What
/// the lower caches ask for is taken as Poisson, which many of them together nearly are.
#[must_use]
pub fn tiered_fetches(sites: u64, rate: f64, ttl: f64) -> f64 {
    ttl_fetches(sites as f64 * ttl_fetches(rate, ttl), ttl)
}
