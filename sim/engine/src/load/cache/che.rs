//! Che's approximation: hit ratios of caches in the steady state, from rates alone.
//!
//! A cache of capacity C keeps an object for about the same time T, the characteristic time,
//! whatever the object is. T solves: expected bytes kept = C. Under independent requests (Poisson,
//! rate r an object) the probability of being kept is 1 - exp(-rT) in LRU caches and rT / (1 + rT)
//! in FIFO and random ones (Che, Tung, Wang, "Hierarchical web caching systems", 2002; Fricker,
//! Robert, Roberts, "A versatile and accurate approximation for LRU cache performance", 2012;
//! Martina, Garetto, Leonardi, "A unified approach to the performance analysis of caching systems",
//! 2014).

use super::Spectrum;
use crate::kernel::math;
use std::sync::Arc;

/// Requests for one population that a cache meets.
#[derive(Clone, Debug)]
pub struct Load {
    /// Requests per second, 0 or more.
    pub rate_per_s: f64,
    /// Size of each object in bytes, above 0; 1 to count objects.
    pub bytes: f64,
    /// Popularity of the objects.
    pub spectrum: Arc<Spectrum>,
}

/// Policies with a characteristic time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eviction {
    /// Least recently used.
    Lru,
    /// First in first out, or random: they hit alike.
    FifoOrRandom,
}

impl Eviction {
    /// Probability that an object is kept of which `requests` are expected in a characteristic
    /// time.
    #[inline]
    #[must_use]
    pub fn kept(self, requests: f64) -> f64 {
        match self {
            Eviction::Lru => 1.0 - math::exp(-requests),
            // Infinite requests are kept for sure.
            Eviction::FifoOrRandom => 1.0 - 1.0 / (1.0 + requests),
        }
    }

    /// Derivative of [`Eviction::kept`].
    #[inline]
    fn slope(self, requests: f64) -> f64 {
        match self {
            Eviction::Lru => math::exp(-requests),
            Eviction::FifoOrRandom => 1.0 / ((1.0 + requests) * (1.0 + requests)),
        }
    }
}

/// The characteristic time in seconds of a cache under some loads; infinite if everything that is
/// asked for fits.
#[must_use]
pub fn characteristic_time_s(eviction: Eviction, loads: &[Load], capacity_bytes: f64) -> f64 {
    let loads: Vec<&Load> = loads.iter().filter(|load| load.rate_per_s > 0.0).collect();
    let fill_bytes_per_s: f64 = loads.iter().map(|load| load.rate_per_s * load.bytes).sum();
    if loads.iter().map(|load| asked_bytes(load)).sum::<f64>() <= capacity_bytes {
        return f64::INFINITY;
    }
    if capacity_bytes <= 0.0 {
        return 0.0;
    }
    // The bytes kept are a concave rising function of the time. Newton's method from below never
    // overshoots, and the first guess is below: no cache fills faster than by misses alone.
    let mut time_s = capacity_bytes / fill_bytes_per_s;
    for _ in 0..200 {
        let (mut kept, mut slope) = (0.0, 0.0);
        for load in &loads {
            for &(probability, weight) in load.spectrum.points() {
                let rate = load.rate_per_s * probability;
                kept += load.bytes * weight * eviction.kept(rate * time_s);
                slope += load.bytes * weight * rate * eviction.slope(rate * time_s);
            }
        }
        let step_s = (capacity_bytes - kept) / slope;
        // Neither a number, nor a step forward: rounding has the last word.
        if step_s.is_nan() || step_s <= time_s * 1e-14 {
            break;
        }
        time_s += step_s;
    }
    time_s
}

/// Bytes of all objects of a load that are ever asked for.
fn asked_bytes(load: &Load) -> f64 {
    load.bytes * load.spectrum.sum(|probability| if probability > 0.0 { 1.0 } else { 0.0 })
}

/// Share of a load's requests that hit in a cache with a characteristic time; 0 if there are none.
#[must_use]
pub fn hit_ratio(eviction: Eviction, load: &Load, time_s: f64) -> f64 {
    if load.rate_per_s <= 0.0 {
        return 0.0;
    }
    let window = load.rate_per_s * time_s;
    load.spectrum.sum(|p| if p > 0.0 { p * eviction.kept(p * window) } else { 0.0 })
}

/// Share of a load's requests that hit in a cache without limit whose objects live for `ttl_s` from
/// their fetch: rT / (1 + rT) an object. Exact for Poisson requests.
#[must_use]
pub fn ttl_hit_ratio(load: &Load, ttl_s: f64) -> f64 {
    hit_ratio(Eviction::FifoOrRandom, load, ttl_s)
}

/// The same if hits renew the time: 1 - exp(-rT) an object. Exact for Poisson requests.
#[must_use]
pub fn ttl_renewed_hit_ratio(load: &Load, ttl_s: f64) -> f64 {
    hit_ratio(Eviction::Lru, load, ttl_s)
}

/// Share of the requests for one object that hit in an LRU cache with characteristic time `time_s`
/// whose objects also expire `ttl_s` after their fetch. `rate_per_s` are the requests for it.
///
/// A fetch is followed by U - 1 hits on average, until a gap is longer than the characteristic time
/// or the object expires: U(t) = 1 + integral over gaps x up to min(t, T) of r e^(-rx) U(t - x),
/// which the method of steps solves. Exact given the characteristic time.
#[must_use]
pub fn lru_ttl_object_hit_ratio(rate_per_s: f64, time_s: f64, ttl_s: f64) -> f64 {
    if rate_per_s <= 0.0 || time_s <= 0.0 || ttl_s <= 0.0 {
        return 0.0;
    }
    let lost = math::exp(-rate_per_s * time_s);
    let requests = rate_per_s * ttl_s;
    if requests.is_infinite() || requests * lost > 15.0 {
        // It is evicted long before it expires.
        return 1.0 - lost;
    }
    let (mut sum, mut step) = (0.0_f64, 0.0);
    loop {
        let gone_s = if step > 0.0 { step * time_s } else { 0.0 };
        if gone_s >= ttl_s {
            break;
        }
        let y = rate_per_s * (ttl_s - gone_s);
        // (lost y)^step / step! (1 + y / (step + 1)), by products that stay in range.
        let mut term = 1.0 + y / (step + 1.0);
        for k in 1..=step as u32 {
            term *= lost * y / f64::from(k);
        }
        sum += if step % 2.0 == 0.0 { term } else { -term };
        if term < sum.abs() * 1e-17 {
            break;
        }
        step += 1.0;
    }
    1.0 - 1.0 / sum.max(1.0)
}

/// Share of a load's requests that hit in an LRU cache with a characteristic time whose objects
/// expire `ttl_s` after their fetch.
#[must_use]
pub fn lru_ttl_hit_ratio(load: &Load, time_s: f64, ttl_s: f64) -> f64 {
    load.spectrum.sum(|p| p * lru_ttl_object_hit_ratio(load.rate_per_s * p, time_s, ttl_s))
}

/// Hit ratios, one a load, of a cache that keeps what is asked for most often per byte: perfect LFU
/// in the long run. A part of an object counts as that part of its requests.
#[must_use]
pub fn perfect_lfu_hit_ratios(loads: &[Load], capacity_bytes: f64) -> Vec<f64> {
    if let [load] = loads {
        return vec![load.spectrum.top(capacity_bytes / load.bytes)];
    }
    let density = |load: &Load| load.rate_per_s / load.bytes;
    let kept = |load: &Load, threshold: f64| {
        if load.rate_per_s <= 0.0 {
            0.0
        } else {
            load.spectrum.count_at_least(threshold / density(load))
        }
    };
    let kept_bytes = |threshold: f64| -> f64 {
        loads.iter().map(|load| load.bytes * kept(load, threshold)).sum()
    };
    let asked_bytes: f64 = loads.iter().filter(|load| load.rate_per_s > 0.0).map(asked_bytes).sum();
    if asked_bytes <= capacity_bytes {
        return loads.iter().map(|load| f64::from(u8::from(load.rate_per_s > 0.0))).collect();
    }
    // Bisect the logarithm of the threshold; what is equal at it is kept in part.
    let (mut none, mut all) = (loads.iter().map(density).fold(0.0, f64::max) * 2.0, 1e-300);
    for _ in 0..200 {
        let middle = math::sqrt(none) * math::sqrt(all);
        if kept_bytes(middle) > capacity_bytes { all = middle } else { none = middle }
    }
    let (below, above) = (kept_bytes(none), kept_bytes(all));
    let part = if above > below { (capacity_bytes - below) / (above - below) } else { 0.0 };
    let count = |load: &Load| kept(load, none) + part * (kept(load, all) - kept(load, none));
    loads.iter().map(|load| load.spectrum.top(count(load))).collect()
}
