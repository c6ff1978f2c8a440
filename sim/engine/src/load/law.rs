//! Laws of random sizes and durations, all given by their mean and one shape.

use crate::kernel::{Stream, math};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A law of positive values with a mean that is given apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Law {
    /// Always the mean.
    Deterministic,
    /// Exponential.
    Exponential,
    /// Sum of that many exponentials, at least 1.
    Erlang(u32),
    /// Uniform between 0 and twice the mean.
    Uniform,
    /// Two exponentials with balanced means and this squared coefficient of variation, above 1.
    HyperExponential(f64),
    /// Log-normal with this squared coefficient of variation, above 0.
    LogNormal(f64),
    /// Pareto with this tail index, above 1. Its variance is infinite up to 2.
    Pareto(f64),
    /// Values relative to the mean with their cumulative probabilities, both ascending, the last
    /// probability 1; linear in between, from 0 at probability 0.
    Empirical(Arc<Vec<(f64, f64)>>),
}

impl Law {
    /// One draw with a mean.
    #[must_use]
    pub fn sample(&self, mean: f64, stream: &mut Stream) -> f64 {
        match self {
            Law::Deterministic => mean,
            Law::Exponential => mean * stream.exponential(),
            Law::Erlang(stages) => {
                let sum: f64 = (0..*stages).map(|_| stream.exponential()).sum();
                mean * sum / f64::from(*stages)
            }
            Law::Uniform => 2.0 * mean * stream.uniform(),
            Law::HyperExponential(cv2) => {
                let p = balanced_share(*cv2);
                let share = if stream.uniform() < p { p } else { 1.0 - p };
                mean * stream.exponential() / (2.0 * share)
            }
            Law::LogNormal(cv2) => {
                let variance = math::ln(1.0 + cv2);
                mean * math::exp(math::sqrt(variance) * stream.normal() - 0.5 * variance)
            }
            Law::Pareto(alpha) => {
                let smallest = mean * (alpha - 1.0) / alpha;
                smallest * math::exp(stream.exponential() / alpha)
            }
            Law::Empirical(points) => mean * inverse(points, stream.uniform()),
        }
    }

    /// Squared coefficient of variation; infinite where the variance is.
    #[must_use]
    pub fn cv2(&self) -> f64 {
        match self {
            Law::Deterministic => 0.0,
            Law::Exponential => 1.0,
            Law::Erlang(stages) => 1.0 / f64::from(*stages),
            Law::Uniform => 1.0 / 3.0,
            Law::HyperExponential(cv2) | Law::LogNormal(cv2) => *cv2,
            Law::Pareto(alpha) if *alpha > 2.0 => 1.0 / (alpha * (alpha - 2.0)),
            Law::Pareto(_) => f64::INFINITY,
            Law::Empirical(points) => {
                let (mut first, mut second) = (0.0, 0.0);
                let mut last = (0.0, 0.0);
                for &(value, at) in points.iter() {
                    let (low, weight): (f64, f64) = (last.0, at - last.1);
                    first += weight * (low + value) / 2.0;
                    second += weight * (low * low + low * value + value * value) / 3.0;
                    last = (value, at);
                }
                second / (first * first) - 1.0
            }
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Law::Deterministic => write!(f, "deterministic"),
            Law::Exponential => write!(f, "exponential"),
            Law::Erlang(stages) => write!(f, "erlang:{stages}"),
            Law::Uniform => write!(f, "uniform"),
            Law::HyperExponential(cv2) => write!(f, "hyper-exponential:{cv2}"),
            Law::LogNormal(cv2) => write!(f, "log-normal:{cv2}"),
            Law::Pareto(tail) => write!(f, "pareto:{tail}"),
            Law::Empirical(_) => write!(f, "empirical"),
        }
    }
}

/// Reads what [`Law`] displays as: a name, and a shape behind a colon where there is one.
impl FromStr for Law {
    type Err = ();

    fn from_str(text: &str) -> Result<Law, ()> {
        let (name, shape) = match text.split_once(':') {
            Some((name, shape)) => {
                let plain = shape.chars().all(|c| c.is_ascii_digit() || c == '.');
                let shape: f64 = shape.trim().parse().map_err(|_| ())?;
                (name, Some(shape).filter(|x| plain && x.is_finite()))
            }
            None => (text, None),
        };
        match (name, shape, text.contains(':')) {
            ("deterministic", None, false) => Ok(Law::Deterministic),
            ("exponential", None, false) => Ok(Law::Exponential),
            ("uniform", None, false) => Ok(Law::Uniform),
            ("erlang", Some(stages), _) if (1.0..=1e6).contains(&stages) && stages % 1.0 == 0.0 => {
                Ok(Law::Erlang(stages as u32))
            }
            ("hyper-exponential", Some(cv2), _) if cv2 > 1.0 => Ok(Law::HyperExponential(cv2)),
            ("log-normal", Some(cv2), _) if cv2 > 0.0 => Ok(Law::LogNormal(cv2)),
            ("pareto", Some(tail), _) if tail > 1.0 => Ok(Law::Pareto(tail)),
            _ => Err(()),
        }
    }
}

/// Probability of the first branch of a hyper-exponential law with balanced means.
fn balanced_share(cv2: f64) -> f64 {
    0.5 * (1.0 + math::sqrt((cv2 - 1.0) / (cv2 + 1.0)))
}

/// Value at a probability of a piecewise linear distribution function.
fn inverse(points: &[(f64, f64)], at: f64) -> f64 {
    let next = points.partition_point(|&(_, probability)| probability <= at).min(points.len() - 1);
    let (low, from) = if next == 0 { (0.0, 0.0) } else { points[next - 1] };
    let (high, to) = points[next];
    if to <= from { high } else { low + (high - low) * ((at - from) / (to - from)).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::StreamKey;

    #[test]
    fn laws_are_read_as_they_are_shown() {
        for text in ["deterministic", "erlang:4", "hyper-exponential:2.5", "pareto:2.2"] {
            assert_eq!(text.parse::<Law>().unwrap().to_string(), text);
        }
        for text in ["erlang", "erlang:0.5", "pareto:1", "pareto:-3", "uniform:1", "pareto:1e400"] {
            assert!(text.parse::<Law>().is_err(), "{text}");
        }
    }

    #[test]
    fn means_and_variations_are_as_stated() {
        let table = vec![(0.5, 0.25), (1.0, 0.75), (1.5, 1.0)];
        let mean = 0.25 * 0.25 + 0.5 * 0.75 + 0.25 * 1.25;
        let scaled = table.into_iter().map(|(value, at)| (value / mean, at)).collect();
        let laws = [
            Law::Deterministic,
            Law::Exponential,
            Law::Erlang(4),
            Law::Uniform,
            Law::HyperExponential(4.0),
            Law::LogNormal(2.0),
            Law::Pareto(6.0),
            Law::Empirical(Arc::new(scaled)),
        ];
        for law in laws {
            let key = StreamKey { seed: 1, replication: 0, purpose: "law", entity: 0 };
            let mut stream = Stream::new(key);
            let n = 400_000;
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..n {
                let x = law.sample(3.0, &mut stream);
                sum += x;
                squares += x * x;
            }
            let mean = sum / f64::from(n);
            let cv2 = squares / f64::from(n) / (mean * mean) - 1.0;
            assert!((mean / 3.0 - 1.0).abs() < 0.01, "{law:?}: mean {mean}");
            assert!((cv2 - law.cv2()).abs() < 0.05 * law.cv2().max(0.1), "{law:?}: cv2 {cv2}");
        }
    }
}
