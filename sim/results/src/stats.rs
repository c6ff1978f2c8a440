//! Statistics of a few numbers: means, Student-t intervals, the paired t test, Holm's correction,
//! and how many replications would settle a question.
//!
//! The t distribution comes from statrs, which uses the platform's logarithm; its results are
//! rounded to nine significant digits, so that intervals and p values are the same on every
//! machine.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Largest number of replications worth naming.
const REPLICATIONS_MAX: u64 = 1_000_000;

/// Arithmetic mean; none without values. Of equal values it is exactly that value.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    let first = *values.first()?;
    if all_equal(values) {
        return Some(first);
    }
    Some(values.iter().sum::<f64>() / values.len() as f64)
}

/// Sample standard deviation (n − 1); none with fewer than two values. Of equal values it is
/// exactly 0.
#[must_use]
pub fn sample_sd(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    if all_equal(values) {
        return Some(0.0);
    }
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

fn all_equal(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair[0] == pair[1])
}

/// Rounds to nine significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.8e}").parse().expect("a printed number is a number")
}

fn student(degrees: u64) -> StudentsT {
    StudentsT::new(0.0, 1.0, degrees as f64).expect("at least one degree of freedom")
}

/// The number that a t-distributed quantity of `degrees` (at least 1) degrees of freedom stays
/// within, in absolute value, with probability `confidence` in (0, 1).
#[must_use]
pub fn t_two_sided(confidence: f64, degrees: u64) -> f64 {
    assert!(degrees >= 1 && confidence > 0.0 && confidence < 1.0);
    rounded(student(degrees).inverse_cdf(0.5 + confidence / 2.0))
}

/// Student-t interval of the mean; none with fewer than two values. Of equal values it is that
/// value, twice.
#[must_use]
pub fn t_interval(values: &[f64], confidence: f64) -> Option<(f64, f64)> {
    let (mean, sd) = (mean(values)?, sample_sd(values)?);
    if sd == 0.0 {
        return Some((mean, mean));
    }
    let half = t_two_sided(confidence, values.len() as u64 - 1) * sd / (values.len() as f64).sqrt();
    Some((mean - half, mean + half))
}

/// Two-sided p value of "the mean is 0"; none with fewer than two values or without variance.
/// Applied to paired differences it is the paired t test.
#[must_use]
pub fn t_test_p(differences: &[f64]) -> Option<f64> {
    let (mean, sd) = (mean(differences)?, sample_sd(differences)?);
    if sd == 0.0 {
        return None;
    }
    let t = mean / (sd / (differences.len() as f64).sqrt());
    if t.is_nan() {
        return None;
    }
    if t.is_infinite() {
        return Some(0.0);
    }
    let tail = student(differences.len() as u64 - 1).cdf(-t.abs());
    Some(rounded((2.0 * tail).min(1.0)))
}

/// Holm's step-down correction: adjusted p values in the order given, never smaller than the raw
/// ones (S. Holm, Scandinavian Journal of Statistics 6, 1979).
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]).then(a.cmp(&b)));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, &index) in order.iter().enumerate() {
        let factor = (p_values.len() - rank) as f64;
        largest = largest.max((p_values[index] * factor).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

/// Smallest n, at least 2, for which a Student-t interval of standard deviation `sd` has at most
/// the half-width asked for: n ≥ (t(n − 1) · sd / half-width)². An estimate, as it takes the
/// observed standard deviation for the true one. None: more than a million, or no half-width above
/// 0 is asked for.
#[must_use]
pub fn replications_needed(sd: f64, half_width: f64, confidence: f64) -> Option<u64> {
    // Written so that NaN, too, gives no answer.
    let settled = |n: u64| t_two_sided(confidence, n - 1) * sd / (n as f64).sqrt() <= half_width;
    if half_width.is_nan() || half_width <= 0.0 || !settled(REPLICATIONS_MAX) {
        return None;
    }
    // The half-width shrinks as n grows: bisect.
    let (mut low, mut high) = (2, REPLICATIONS_MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        if settled(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-8 * b.abs()
    }

    /// Extra hours of sleep under two drugs, ten patients (Student, Biometrika 6, 1908).
    const SLEEP: [[f64; 10]; 2] = [
        [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
        [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
    ];

    fn sleep_differences() -> Vec<f64> {
        SLEEP[1].iter().zip(SLEEP[0]).map(|(b, a)| b - a).collect()
    }

    #[test]
    fn t_quantiles_agree_with_scipy() {
        // SciPy 1.17.1: scipy.stats.t.ppf(0.5 + confidence / 2, degrees)
        for (confidence, degrees, expected) in [
            (0.95, 1, 12.706204736174694),
            (0.95, 2, 4.302652729749462),
            (0.95, 9, 2.262157162798205),
            (0.90, 4, 2.1318467863266495),
            (0.99, 29, 2.756385903670605),
            (0.95, 1000, 1.9623390808264083),
        ] {
            assert!(close(t_two_sided(confidence, degrees), expected), "{confidence} {degrees}");
        }
    }

    #[test]
    fn the_paired_t_test_gives_the_published_sleep_result() {
        let differences = sleep_differences();
        // SciPy 1.17.1: r = scipy.stats.ttest_rel(b, a); r.pvalue, r.confidence_interval(0.95)
        // The same in the manual page of R's t.test: t = 4.0621, p = 0.002833.
        assert!(close(mean(&differences).unwrap(), 1.58));
        assert!(close(sample_sd(&differences).unwrap(), 1.2299954832798732));
        assert!(close(t_test_p(&differences).unwrap(), 0.002832890197384273));
        let (low, high) = t_interval(&differences, 0.95).unwrap();
        assert!(close(low, 0.7001142367230175) && close(high, 2.459885763276983));
    }

    #[test]
    fn an_interval_of_five_values() {
        // SciPy 1.17.1: scipy.stats.t.interval(0.9, 4, x.mean(), x.std(ddof=1) / 5**.5)
        let (low, high) = t_interval(&[3.1, 2.9, 3.3, 3.0, 3.6], 0.9).unwrap();
        assert!(close(low, 2.9154447711843186) && close(high, 3.4445552288156813));
    }

    #[test]
    fn a_large_common_part_costs_no_accuracy() {
        // SciPy 1.17.1: scipy.stats.ttest_1samp([1, 2, 4], 0).pvalue
        let shifted: Vec<f64> = [1.0, 2.0, 4.0].iter().map(|value| value + 1e9).collect();
        let sd = sample_sd(&[1.0, 2.0, 4.0]).unwrap();
        assert!(close(sample_sd(&shifted).unwrap(), sd));
        assert!(close(t_test_p(&[1.0, 2.0, 4.0]).unwrap(), 0.11808289631180308));
    }

    #[test]
    fn equal_values_have_exactly_no_spread() {
        let values = [0.1; 7];
        assert_eq!((mean(&values), sample_sd(&values)), (Some(0.1), Some(0.0)));
        assert_eq!(t_interval(&values, 0.95), Some((0.1, 0.1)));
        assert_eq!(t_test_p(&values), None);
    }

    #[test]
    fn values_too_large_to_add_give_no_answer_and_no_panic() {
        let huge = [f64::MAX, -f64::MAX, f64::MAX, f64::MAX];
        assert_eq!(t_test_p(&huge).filter(|p| !(0.0..=1.0).contains(p)), None);
        assert_eq!(t_test_p(&[f64::INFINITY, 1.0]), None);
        assert_eq!(replications_needed(f64::NAN, 1.0, 0.95), None);
    }

    #[test]
    fn too_few_values_have_no_interval() {
        assert_eq!((mean(&[]), mean(&[2.0])), (None, Some(2.0)));
        assert_eq!((sample_sd(&[2.0]), t_interval(&[2.0], 0.95)), (None, None));
        assert_eq!(t_test_p(&[2.0]), None);
    }

    #[test]
    fn holm_agrees_with_worked_examples() {
        // R 4: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") = 0.03 0.06 0.06 0.02
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (value, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!(close(*value, expected), "{adjusted:?}");
        }
        assert_eq!(holm(&[0.6, 0.7]), vec![1.0, 1.0]);
        assert_eq!(holm(&[0.2]), vec![0.2]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn replications_needed_agrees_with_a_search() {
        // SciPy 1.17.1: smallest n >= 2 with t.ppf(0.5 + c / 2, n - 1) * sd / sqrt(n) <= h
        assert_eq!(replications_needed(1.23, 0.5, 0.95), Some(26));
        assert_eq!(replications_needed(1.0, 0.1, 0.95), Some(387));
        assert_eq!(replications_needed(2.0, 1.0, 0.99), Some(31));
        assert_eq!(replications_needed(1.0, 10.0, 0.95), Some(2));
        assert_eq!(replications_needed(1.0, 0.0, 0.95), None);
        assert_eq!(replications_needed(1.0, 1e-9, 0.95), None);
    }
}
