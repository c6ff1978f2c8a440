//! What transit costs: billing at a percentile.

/// Number (from 1) of the sample in ascending order that is billed: nearest rank.
#[must_use]
pub fn billed_rank(samples: u64, percentile: f64) -> u64 {
    assert!(samples > 0 && percentile > 0.0 && percentile <= 1.0);
    // 0.95 is not exact in binary: what is a whole number up to rounding counts as one.
    let exact = percentile * samples as f64;
    let whole = exact.round();
    let rank = if (exact - whole).abs() < 1e-9 * exact.max(1.0) { whole } else { exact.ceil() };
    (rank as u64).clamp(1, samples)
}

/// What is billed of a series of samples.
#[must_use]
pub fn billed(series: &[f64], percentile: f64) -> f64 {
    let mut sorted = series.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[billed_rank(sorted.len() as u64, percentile) as usize - 1]
}
