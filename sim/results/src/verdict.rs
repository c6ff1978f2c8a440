//! From paired differences to a judgement on one metric.

use crate::stats;
use crate::summary::Verdict;
use steerlab_engine::record::Better;

/// Judges a difference, candidate minus baseline, by its interval.
///
/// | interval | lower is better | higher is better | neither |
/// |---|---|---|---|
/// | all above +margin | worse | better | inconclusive |
/// | all below −margin | better | worse | inconclusive |
/// | all within ±margin | no material difference | the same | the same |
/// | anything else, or none | inconclusive | the same | the same |
///
/// A metric of which neither direction is better can only be found equal.
#[must_use]
pub fn judge(interval: Option<(f64, f64)>, margin: f64, better: Better) -> Verdict {
    let Some((low, high)) = interval else { return Verdict::Inconclusive };
    if low >= -margin && high <= margin {
        return Verdict::NoMaterialDifference;
    }
    match (low > margin, high < -margin, better) {
        (true, _, Better::Higher) | (_, true, Better::Lower) => Verdict::Better,
        (true, _, Better::Lower) | (_, true, Better::Higher) => Verdict::Worse,
        _ => Verdict::Inconclusive,
    }
}

/// Replications that would probably settle an inconclusive difference of mean `mean` and standard
/// deviation `sd` (both over `n` pairs): enough for an interval that lies on one side of the
/// nearest margin, and, if the difference is beyond it, for a p value that survives Holm's
/// correction over `family` metrics in the worst case. It takes the observed mean and standard
/// deviation for the true ones, so it is an estimate. With fewer than two pairs it is 2.
///
/// None: no number would (the difference lies on the margin), or more than a million.
#[must_use]
pub fn replications_needed(
    differences: &[f64],
    margin: f64,
    confidence: f64,
    family: usize,
) -> Option<u64> {
    let n = differences.len() as u64;
    let (Some(mean), Some(sd)) = (stats::mean(differences), stats::sample_sd(differences)) else {
        return Some(2);
    };
    if sd == 0.0 {
        return None;
    }
    let distance = (mean.abs() - margin).abs();
    let interval = stats::replications_needed(sd, distance, confidence)?;
    let corrected = if mean.abs() > margin {
        let strict = 1.0 - (1.0 - confidence) / family.max(1) as f64;
        stats::replications_needed(sd, mean.abs(), strict)?
    } else {
        0
    };
    Some(interval.max(corrected).max(n + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Better::{Higher, Lower, Neither};
    use Verdict::{
        Better as Good, Inconclusive as Open, NoMaterialDifference as Same, Worse as Bad,
    };

    #[test]
    fn the_table_of_verdicts() {
        // Margin 1. Interval; lower, higher, neither is better.
        for (interval, lower, higher, neither) in [
            (Some((1.5, 2.0)), Bad, Good, Open),
            (Some((-2.0, -1.5)), Good, Bad, Open),
            (Some((-0.5, 0.9)), Same, Same, Same),
            (Some((-1.0, 1.0)), Same, Same, Same),
            (Some((0.5, 1.5)), Open, Open, Open),
            (Some((1.0, 1.5)), Open, Open, Open),
            (Some((-3.0, 3.0)), Open, Open, Open),
            (Some((2.0, 2.0)), Bad, Good, Open),
            (None, Open, Open, Open),
        ] {
            for (better, expected) in [(Lower, lower), (Higher, higher), (Neither, neither)] {
                assert_eq!(judge(interval, 1.0, better), expected, "{interval:?} {better:?}");
            }
        }
    }

    #[test]
    fn without_a_margin_only_exact_equality_is_no_difference() {
        assert_eq!(judge(Some((0.0, 0.0)), 0.0, Lower), Same);
        assert_eq!(judge(Some((1e-12, 1e-12)), 0.0, Lower), Bad);
        assert_eq!(judge(Some((-1e-12, 1e-12)), 0.0, Lower), Open);
    }

    #[test]
    fn replications_needed_reach_the_nearest_margin() {
        // Mean 2, sd 1, margin 1.5: half-width 0.5 is needed.
        let differences = [1.0, 2.0, 3.0];
        let expected = stats::replications_needed(1.0, 0.5, 0.95).unwrap();
        assert_eq!(replications_needed(&differences, 1.5, 0.95, 1), Some(expected));
        assert_eq!(replications_needed(&differences, 2.5, 0.95, 1), Some(expected));
        assert_eq!(replications_needed(&differences, 2.0, 0.95, 1), None, "on the margin");
        assert_eq!(replications_needed(&[1.0], 0.5, 0.95, 1), Some(2));
        assert_eq!(replications_needed(&[1.0, 1.0], 0.5, 0.95, 1), None);
        assert_eq!(replications_needed(&differences, 0.0, 0.5, 1), Some(4), "more than there are");
    }

    #[test]
    fn the_correction_asks_for_more() {
        let differences = [1.0, 2.0, 3.0];
        let alone = replications_needed(&differences, 0.0, 0.95, 1).unwrap();
        assert!(replications_needed(&differences, 0.0, 0.95, 20).unwrap() > alone);
    }
}
