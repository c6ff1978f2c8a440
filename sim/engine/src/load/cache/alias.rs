//! Draws from a list of weights in constant time: the alias method (Walker 1977, built as by Vose
//! 1991).

use crate::kernel::Stream;

/// A table of columns of equal probability, each shared by at most two entries.
#[derive(Clone, Debug)]
pub struct Alias {
    /// Share of the column that is its own entry's, and who has the rest.
    columns: Vec<(f64, u32)>,
}

impl Alias {
    /// The table of some weights. None if a weight is negative or not finite, if their sum is not
    /// positive and finite, or if there are 2^32 or more.
    #[must_use]
    pub fn new(weights: &[f64]) -> Option<Alias> {
        let sum: f64 = weights.iter().sum();
        let valid = weights.iter().all(|&weight| weight >= 0.0 && weight.is_finite());
        if !valid || sum <= 0.0 || !sum.is_finite() || u32::try_from(weights.len()).is_err() {
            return None;
        }
        let scale = weights.len() as f64 / sum;
        let mut columns: Vec<(f64, u32)> =
            weights.iter().zip(0..).map(|(weight, index)| (weight * scale, index)).collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) =
            (0..columns.len() as u32).partition(|&index| columns[index as usize].0 < 1.0);
        while let (Some(&needy), Some(&giver)) = (small.last(), large.last()) {
            small.pop();
            columns[needy as usize].1 = giver;
            let left = columns[giver as usize].0 - (1.0 - columns[needy as usize].0);
            columns[giver as usize].0 = left;
            if left < 1.0 {
                large.pop();
                small.push(giver);
            }
        }
        // What is left over has its column alone, but for rounding.
        for index in small.into_iter().chain(large) {
            columns[index as usize].0 = 1.0;
        }
        Some(Alias { columns })
    }

    /// One draw: the index of a weight.
    #[inline]
    pub fn sample(&self, draw: &mut Stream) -> u32 {
        let column = draw.below(self.columns.len() as u64) as u32;
        let (own, other) = self.columns[column as usize];
        if draw.uniform() < own { column } else { other }
    }
}
