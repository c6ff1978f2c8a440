//! A popularity as a short list of probabilities with weights, so that sums over up to 10^8 objects
//! cost some hundred terms.

use super::Popularity;
use crate::kernel::math;

/// Zipf ranks up to here are kept one by one.
const EXACT_RANKS: u64 = 64;
/// Zipf laws of up to that many objects are kept whole.
const WHOLE_RANKS: u64 = 256;
/// Abscissae (positive half) and weights of Gauss-Legendre quadrature with eight points.
const GAUSS: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_5),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_3),
];

/// Probabilities of the objects of one population, grouped.
///
/// The sum of f(p) over all objects is the sum of weight x f(p) over the points. It is exact for
/// lists and short Zipf laws. Long Zipf laws keep their first ranks; the rest is an Euler-Maclaurin
/// integral over geometric bins, eight Gauss points each. For the f of caches, which are smooth in
/// the logarithm of p, the error is below 1e-9 of the sum.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    points: Vec<(f64, f64)>,
    ranks: Ranks,
}

/// What "the most popular n" are.
#[derive(Clone, Debug, PartialEq)]
enum Ranks {
    Zipf {
        objects: f64,
        alpha: f64,
        mass: f64,
    },
    /// Probabilities, largest first, and their running sums.
    List {
        probabilities: Vec<f64>,
        sums: Vec<f64>,
    },
}

impl Spectrum {
    /// The spectrum of a popularity. None if there is no object or no positive finite weight.
    #[must_use]
    pub fn new(popularity: &Popularity) -> Option<Spectrum> {
        match popularity {
            Popularity::Zipf { objects, alpha } => Spectrum::zipf(*objects, *alpha),
            Popularity::Weights(weights) => Spectrum::list(weights),
        }
    }

    fn zipf(objects: u64, alpha: f64) -> Option<Spectrum> {
        if objects == 0 || alpha.is_nan() || alpha < 0.0 || alpha.is_infinite() {
            return None;
        }
        let mut ranks: Vec<(f64, f64)> = Vec::new();
        let whole = objects <= WHOLE_RANKS;
        let single = if whole { objects } else { EXACT_RANKS };
        ranks.extend((1..=single).map(|rank| (rank as f64, 1.0)));
        if !whole {
            integrate(EXACT_RANKS as f64, objects as f64, alpha, &mut ranks);
        }
        let mass: f64 = ranks.iter().map(|(rank, weight)| weight * math::powf(*rank, -alpha)).sum();
        let points = ranks
            .into_iter()
            .map(|(rank, weight)| (math::powf(rank, -alpha) / mass, weight))
            .collect();
        Some(Spectrum { points, ranks: Ranks::Zipf { objects: objects as f64, alpha, mass } })
    }

    fn list(weights: &[f64]) -> Option<Spectrum> {
        let sum: f64 = weights.iter().sum();
        let valid = weights.iter().all(|&weight| weight >= 0.0 && weight.is_finite());
        if !valid || sum <= 0.0 || !sum.is_finite() {
            return None;
        }
        let mut probabilities: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
        probabilities.sort_by(|a, b| b.total_cmp(a));
        let sums = probabilities.iter().scan(0.0, |sum, &probability| {
            *sum += probability;
            Some(*sum)
        });
        let sums = sums.collect();
        let mut points: Vec<(f64, f64)> = Vec::new();
        for &probability in &probabilities {
            match points.last_mut() {
                Some((last, weight)) if *last == probability => *weight += 1.0,
                _ => points.push((probability, 1.0)),
            }
        }
        Some(Spectrum { points, ranks: Ranks::List { probabilities, sums } })
    }

    /// Probabilities with the number of objects each stands for. Numbers need not be whole; few of
    /// them are negative (corrections at the ends of integrals).
    #[must_use]
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// Number of objects.
    #[must_use]
    pub fn objects(&self) -> f64 {
        match &self.ranks {
            Ranks::Zipf { objects, .. } => *objects,
            Ranks::List { probabilities, .. } => probabilities.len() as f64,
        }
    }

    /// Sum of f(probability) over all objects.
    pub fn sum(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.points.iter().map(|&(probability, weight)| weight * f(probability)).sum()
    }

    /// Probability that a request is for one of the `count` most popular objects. A part of an
    /// object counts as that part of its requests.
    #[must_use]
    pub fn top(&self, count: f64) -> f64 {
        let count = count.clamp(0.0, self.objects());
        let whole = math::floor(count);
        match &self.ranks {
            Ranks::Zipf { alpha, mass, .. } => {
                let next = math::powf(whole + 1.0, -alpha);
                (zipf_mass(whole as u64, *alpha) + (count - whole) * next) / mass
            }
            Ranks::List { probabilities, sums } => {
                let full = if whole >= 1.0 { sums[whole as usize - 1] } else { 0.0 };
                let next = probabilities.get(whole as usize).copied().unwrap_or(0.0);
                full + (count - whole) * next
            }
        }
    }

    /// Number of objects with at least this probability; for Zipf laws between ranks, too, so that
    /// it is continuous.
    #[must_use]
    pub fn count_at_least(&self, probability: f64) -> f64 {
        match &self.ranks {
            Ranks::Zipf { objects, alpha, mass } => {
                let weight = probability * mass;
                if weight > 1.0 {
                    0.0
                } else if *alpha == 0.0 || weight <= math::powf(*objects, -alpha) {
                    *objects
                } else {
                    math::powf(weight, -1.0 / alpha).min(*objects)
                }
            }
            Ranks::List { probabilities, .. } => {
                probabilities.partition_point(|&own| own >= probability) as f64
            }
        }
    }
}

/// Sum of r^-alpha for ranks 1 to `ranks`; relative error below 1e-12 for any number of ranks.
#[must_use]
pub fn zipf_mass(ranks: u64, alpha: f64) -> f64 {
    let single = ranks.min(EXACT_RANKS);
    let head: f64 = (1..=single).map(|rank| math::powf(rank as f64, -alpha)).sum();
    if ranks <= EXACT_RANKS {
        return head;
    }
    // Euler-Maclaurin about the midpoints: integral between half ranks, minus a 24th of the
    // difference of the slopes, plus 7 / 5760 of that of the third derivatives.
    let (low, high) = (EXACT_RANKS as f64 + 0.5, ranks as f64 + 0.5);
    let slope = |x: f64| -alpha * math::powf(x, -alpha - 1.0);
    let third = |x: f64| slope(x) * (alpha + 1.0) * (alpha + 2.0) / (x * x);
    head + integral(low, high, alpha) - (slope(high) - slope(low)) / 24.0
        + (third(high) - third(low)) * (7.0 / 5760.0)
}

/// Integral of x^-alpha.
fn integral(low: f64, high: f64, alpha: f64) -> f64 {
    let ratio = math::ln(high / low);
    let t = (1.0 - alpha) * ratio;
    let growth = if t.abs() < 1e-3 {
        1.0 + t / 2.0 * (1.0 + t / 3.0 * (1.0 + t / 4.0))
    } else {
        (math::exp(t) - 1.0) / t
    };
    math::powf(low, 1.0 - alpha) * ratio * growth
}

/// Ranks above `after` up to `objects` as weighted ranks: Gauss points in the logarithm of the
/// rank, and differences of neighbours for the slopes at both ends.
fn integrate(after: f64, objects: f64, alpha: f64, ranks: &mut Vec<(f64, f64)>) {
    let (low, high) = (math::ln(after + 0.5), math::ln(objects + 0.5));
    // A bin is an octave of ranks, less for steep laws.
    let width = 0.7 / (alpha / 2.0).max(1.0);
    let bins = math::floor((high - low) / width) + 1.0;
    let half = (high - low) / bins / 2.0;
    for bin in 0..bins as u64 {
        let middle = low + half * (2.0 * bin as f64 + 1.0);
        for (offset, weight) in GAUSS {
            for at in [middle - half * offset, middle + half * offset] {
                let rank = math::exp(at);
                ranks.push((rank, weight * half * rank));
            }
        }
    }
    // + slope(low) / 24 - slope(high) / 24
    ranks.extend([(after + 1.0, 1.0 / 24.0), (after, -1.0 / 24.0)]);
    ranks.extend([(objects + 1.0, -1.0 / 24.0), (objects, 1.0 / 24.0)]);
}
