//! From buckets to curves: steps where buckets are wide, smallest and largest a pixel where not.

use crate::rows::Spread;

/// Bucket means on a time axis.
#[derive(Clone, Copy, Debug)]
pub struct Buckets<'a> {
    /// Starts, ascending, at least one.
    pub starts_s: &'a [f64],
    /// Width of the last one, seconds.
    pub width_s: f64,
}

impl Buckets<'_> {
    /// Start of the first bucket.
    #[must_use]
    pub fn first(&self) -> f64 {
        self.starts_s.first().copied().unwrap_or(0.0)
    }

    /// End of the last bucket.
    #[must_use]
    pub fn last(&self) -> f64 {
        self.starts_s.last().copied().unwrap_or(0.0) + self.width_s
    }

    fn end(&self, index: usize) -> f64 {
        self.starts_s.get(index + 1).copied().unwrap_or_else(|| self.last())
    }

    /// The curve of a value a bucket, for a plot of some pixels.
    #[must_use]
    pub fn curve(&self, values: &[f64], width_px: usize) -> Vec<(f64, f64)> {
        if self.starts_s.len() * 2 <= width_px {
            return self.steps(values);
        }
        let mut out = Vec::new();
        for columns in self.columns(width_px) {
            let finite = columns.clone().filter(|&index| values[index].is_finite());
            let low = finite.clone().min_by(|&a, &b| values[a].total_cmp(&values[b]));
            let high = finite.max_by(|&a, &b| values[a].total_cmp(&values[b]));
            match (low, high) {
                (Some(low), Some(high)) => {
                    for index in [low.min(high), low.max(high)] {
                        out.push((self.starts_s[index], values[index]));
                    }
                    if low == high {
                        out.pop();
                    }
                }
                _ => out.push((self.starts_s[columns.start], f64::NAN)),
            }
        }
        out
    }

    /// The outline between the smallest and largest value of each bucket.
    #[must_use]
    pub fn band(&self, spread: &Spread, width_px: usize) -> Vec<(f64, f64)> {
        let (mut upper, mut lower) = (Vec::new(), Vec::new());
        for columns in self.columns(width_px.min(self.starts_s.len())) {
            let pick = |values: &[f64], better: fn(f64, f64) -> f64| {
                let finite = columns.clone().map(|i| values[i]).filter(|v| v.is_finite());
                finite.reduce(better)
            };
            let (Some(low), Some(high)) =
                (pick(&spread.low, f64::min), pick(&spread.high, f64::max))
            else {
                continue;
            };
            let (from, to) = (self.starts_s[columns.start], self.end(columns.end - 1));
            upper.extend([(from, high), (to, high)]);
            lower.extend([(from, low), (to, low)]);
        }
        upper.extend(lower.into_iter().rev());
        upper
    }

    /// The area between a curve of bucket values and zero.
    #[must_use]
    pub fn area(&self, values: &[f64], width_px: usize) -> Vec<(f64, f64)> {
        let zero = vec![0.0; values.len()];
        let spread = Spread { mean: Vec::new(), low: zero, high: values.to_vec() };
        self.band(&spread, width_px)
    }

    fn steps(&self, values: &[f64]) -> Vec<(f64, f64)> {
        let mut out: Vec<(f64, f64)> = Vec::with_capacity(values.len() * 2);
        for (index, &value) in values.iter().enumerate() {
            // A level that goes on needs no new corner.
            match out.last_mut() {
                Some(last) if last.1 == value => last.0 = self.end(index),
                _ => out.extend([(self.starts_s[index], value), (self.end(index), value)]),
            }
        }
        out
    }

    /// Ranges of buckets that share a pixel column.
    fn columns(&self, width_px: usize) -> Vec<std::ops::Range<usize>> {
        let count = self.starts_s.len();
        let columns = width_px.clamp(1, count.max(1));
        (0..columns)
            .map(|column| column * count / columns..(column + 1) * count / columns)
            .filter(|range| !range.is_empty())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_buckets_become_steps() {
        let buckets = Buckets { starts_s: &[0.0, 10.0, 20.0], width_s: 10.0 };
        let curve = buckets.curve(&[1.0, 1.0, 3.0], 100);
        assert_eq!(curve, [(0.0, 1.0), (20.0, 1.0), (20.0, 3.0), (30.0, 3.0)]);
    }

    #[test]
    fn thinning_keeps_every_extreme() {
        let starts: Vec<f64> = (0..10_000).map(f64::from).collect();
        let mut values = vec![1.0; 10_000];
        values[4_321] = 9.0;
        values[7_654] = -5.0;
        let curve = Buckets { starts_s: &starts, width_s: 1.0 }.curve(&values, 300);
        assert!(curve.len() <= 600, "{}", curve.len());
        assert!(curve.contains(&(4_321.0, 9.0)) && curve.contains(&(7_654.0, -5.0)));
    }

    #[test]
    fn a_band_covers_smallest_to_largest() {
        let spread = Spread { mean: vec![], low: vec![1.0, f64::NAN], high: vec![2.0, f64::NAN] };
        let band = Buckets { starts_s: &[0.0, 1.0], width_s: 1.0 }.band(&spread, 10);
        assert_eq!(band, [(0.0, 2.0), (1.0, 2.0), (1.0, 1.0), (0.0, 1.0)]);
    }
}
