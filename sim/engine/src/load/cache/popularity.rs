//! How often each object of a population is asked for.

use super::Alias;
use crate::kernel::{Stream, math};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The popularity of the objects of one population.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Popularity {
    /// The r-th of `objects` objects has a probability in proportion to r to the power of -`alpha`.
    Zipf {
        /// Number of objects, at least 1.
        objects: u64,
        /// Exponent, 0 (all alike) or more.
        alpha: f64,
    },
    /// Weights of objects, in their order; they need not sum to 1.
    Weights(Arc<Vec<f64>>),
}

impl Popularity {
    /// Number of objects.
    #[must_use]
    pub fn objects(&self) -> u64 {
        match self {
            Popularity::Zipf { objects, .. } => *objects,
            Popularity::Weights(weights) => weights.len() as u64,
        }
    }

    /// What draws objects by this popularity. None if it is not one: no objects, an exponent or
    /// weight that is negative or not finite, or 2^32 objects or more.
    #[must_use]
    pub fn sampler(&self) -> Option<Sampler> {
        match self {
            Popularity::Zipf { objects, alpha } => {
                let objects = u32::try_from(*objects).ok()?;
                ZipfSampler::new(objects, *alpha).map(Sampler::Zipf)
            }
            Popularity::Weights(weights) => Alias::new(weights).map(Sampler::Weights),
        }
    }
}

/// Draws objects, numbered from 0, the most popular of a Zipf law first.
#[derive(Clone, Debug)]
pub enum Sampler {
    /// Zipf's law.
    Zipf(ZipfSampler),
    /// A list of weights.
    Weights(Alias),
}

impl Sampler {
    /// One draw.
    #[inline]
    pub fn sample(&self, draw: &mut Stream) -> u32 {
        match self {
            Sampler::Zipf(zipf) => zipf.sample(draw),
            Sampler::Weights(alias) => alias.sample(draw),
        }
    }
}

/// Several populations behind one cache: each has its own share of the requests and its own range
/// of object numbers.
#[derive(Clone, Debug)]
pub struct Mixture {
    which: Alias,
    populations: Vec<(Sampler, u32)>,
}

impl Mixture {
    /// Populations with their rates of requests. Their objects are numbered one population after
    /// the other. None if a popularity or rate is none, or if there are 2^32 objects or more.
    #[must_use]
    pub fn new(populations: &[(f64, Popularity)]) -> Option<Mixture> {
        let rates: Vec<f64> = populations.iter().map(|&(rate, _)| rate).collect();
        let mut first = 0_u32;
        let mut members = Vec::with_capacity(populations.len());
        for (_, popularity) in populations {
            members.push((popularity.sampler()?, first));
            first = first.checked_add(u32::try_from(popularity.objects()).ok()?)?;
        }
        Some(Mixture { which: Alias::new(&rates)?, populations: members })
    }

    /// One draw: the population and the object's number in the whole.
    #[inline]
    pub fn sample(&self, draw: &mut Stream) -> (u32, u32) {
        let population = self.which.sample(draw);
        let (sampler, first) = &self.populations[population as usize];
        (population, first + sampler.sample(draw))
    }
}

/// Exact draws from Zipf's law without a table: rejection-inversion (Hörmann and Derflinger,
/// "Rejection-inversion to generate variates from monotone discrete distributions", 1996). About
/// one draw in a hundred is rejected.
#[derive(Clone, Debug)]
pub struct ZipfSampler {
    objects: f64,
    alpha: f64,
    area_first: f64,
    area_last: f64,
    /// Distance from a rank within which a draw needs no second look.
    sure: f64,
}

impl ZipfSampler {
    /// The law of that many objects. None without objects or with an exponent below 0.
    #[must_use]
    pub fn new(objects: u32, alpha: f64) -> Option<ZipfSampler> {
        if objects == 0 || alpha.is_nan() || alpha < 0.0 || alpha.is_infinite() {
            return None;
        }
        let objects = f64::from(objects);
        let mut sampler =
            ZipfSampler { objects, alpha, area_first: 0.0, area_last: 0.0, sure: 0.0 };
        sampler.area_first = sampler.area(1.5) - 1.0;
        sampler.area_last = sampler.area(objects + 0.5);
        sampler.sure = 2.0 - sampler.place(sampler.area(2.5) - math::powf(2.0, -alpha));
        Some(sampler)
    }

    /// One draw: rank minus 1.
    #[inline]
    pub fn sample(&self, draw: &mut Stream) -> u32 {
        loop {
            let under = self.area_last + draw.uniform() * (self.area_first - self.area_last);
            let place = self.place(under);
            let rank = math::floor(place + 0.5).clamp(1.0, self.objects);
            if rank - place <= self.sure
                || under >= self.area(rank + 0.5) - math::powf(rank, -self.alpha)
            {
                return rank as u32 - 1;
            }
        }
    }

    /// Integral of x^-alpha from 1 to `x`.
    #[inline]
    fn area(&self, x: f64) -> f64 {
        let log = math::ln(x);
        log * growth((1.0 - self.alpha) * log)
    }

    /// Where the integral from 1 has this value.
    #[inline]
    fn place(&self, area: f64) -> f64 {
        // Rounding may bring the argument below the pole of exponents above 1.
        let scaled = (area * (1.0 - self.alpha)).max(-1.0);
        math::exp(area * decay(scaled))
    }
}

/// (e^t - 1) / t, without loss of digits near 0.
#[inline]
fn growth(t: f64) -> f64 {
    if t.abs() < 1e-3 {
        1.0 + t / 2.0 * (1.0 + t / 3.0 * (1.0 + t / 4.0 * (1.0 + t / 5.0)))
    } else {
        (math::exp(t) - 1.0) / t
    }
}

/// ln(1 + t) / t, without loss of digits near 0.
#[inline]
fn decay(t: f64) -> f64 {
    if t.abs() < 1e-3 {
        1.0 - t * (1.0 / 2.0 - t * (1.0 / 3.0 - t * (1.0 / 4.0 - t * (1.0 / 5.0))))
    } else {
        math::ln(1.0 + t) / t
    }
}
