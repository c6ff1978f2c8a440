//! A weighted histogram of latency with a relative resolution of about 0.8 %.

use crate::record::LatencyStats;

const SUB_BITS: u32 = 7;
const SUB: usize = 1 << SUB_BITS;
const BUCKETS: usize = (64 - SUB_BITS as usize + 1) * SUB;

/// Weighted histogram of nanoseconds in log-linear buckets (integers only, so the same on every
/// machine).
#[derive(Clone, Debug)]
pub struct Histogram {
    weight: Vec<f64>,
    total: f64,
    sum_ms: f64,
    low: usize,
    high: usize,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { weight: vec![0.0; BUCKETS], total: 0.0, sum_ms: 0.0, low: BUCKETS, high: 0 }
    }
}

/// Bucket of a value.
#[inline]
fn bucket(nanos: u64) -> usize {
    if nanos < SUB as u64 {
        return nanos as usize;
    }
    let exponent = 63 - nanos.leading_zeros();
    let shift = exponent - SUB_BITS;
    (shift as usize + 1) * SUB + ((nanos >> shift) as usize - SUB)
}

/// Middle of a bucket, in nanoseconds.
fn middle(bucket: usize) -> f64 {
    if bucket < SUB {
        return bucket as f64;
    }
    let shift = (bucket / SUB - 1) as u32;
    let base = ((bucket % SUB + SUB) as u64) << shift;
    base as f64 + (1_u64 << shift) as f64 / 2.0
}

impl Histogram {
    /// Adds a value with a weight, at least 0.
    #[inline]
    pub fn add(&mut self, nanos: u64, weight: f64) {
        let index = bucket(nanos);
        self.weight[index] += weight;
        self.total += weight;
        self.sum_ms += nanos as f64 * 1e-6 * weight;
        self.low = self.low.min(index);
        self.high = self.high.max(index);
    }

    /// Adds another histogram.
    pub fn merge(&mut self, other: &Histogram) {
        if other.total == 0.0 {
            return;
        }
        for index in other.low..=other.high {
            self.weight[index] += other.weight[index];
        }
        self.total += other.total;
        self.sum_ms += other.sum_ms;
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
    }

    /// Empties it.
    pub fn clear(&mut self) {
        if self.low <= self.high && self.low < BUCKETS {
            self.weight[self.low..=self.high].fill(0.0);
        }
        (self.total, self.sum_ms, self.low, self.high) = (0.0, 0.0, BUCKETS, 0);
    }

    /// Smallest bucket middle with at least this share of weight at or below, in ms.
    #[must_use]
    pub fn quantile_ms(&self, share: f64) -> f64 {
        if self.total <= 0.0 {
            return 0.0;
        }
        let target = share * self.total;
        let mut seen = 0.0;
        for index in self.low..=self.high {
            seen += self.weight[index];
            if seen >= target {
                return middle(index) * 1e-6;
            }
        }
        middle(self.high) * 1e-6
    }

    /// Mean and the usual percentiles; zeros when empty.
    #[must_use]
    pub fn stats(&self) -> LatencyStats {
        LatencyStats {
            mean: if self.total > 0.0 { self.sum_ms / self.total } else { 0.0 },
            p50: self.quantile_ms(0.50),
            p95: self.quantile_ms(0.95),
            p99: self.quantile_ms(0.99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_contiguous_and_tight() {
        let mut last = 0;
        for nanos in (0..5_000_u64).chain((5_000..100_000_000).step_by(9_973)) {
            let index = bucket(nanos);
            assert!(index >= last);
            last = index;
            let error = (middle(index) - nanos as f64).abs();
            assert!(error <= 1.0 + nanos as f64 / SUB as f64, "{nanos}");
        }
        assert!(bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn quantiles_agree_with_sorting() {
        let mut histogram = Histogram::default();
        let values: Vec<u64> = (1..=10_000_u64).map(|i| i * 7_919 % 10_007 * 10_000).collect();
        values.iter().for_each(|&v| histogram.add(v, 1.0));
        let mut sorted = values;
        sorted.sort_unstable();
        for share in [0.5, 0.95, 0.99] {
            let exact = sorted[(share * 10_000.0) as usize - 1] as f64 * 1e-6;
            assert!((histogram.quantile_ms(share) / exact - 1.0).abs() < 0.01);
        }
        histogram.clear();
        assert_eq!(histogram.stats(), LatencyStats::default());
    }
}
