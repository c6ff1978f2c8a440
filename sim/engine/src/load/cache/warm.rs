//! An LRU cache that warms up, in the large: Che's approximation with a window that remembers.
//!
//! An object is kept at time t if it was asked for after b(t), the last use of the object that is
//! next to go. Before the cache is full b is the cold start. After that b(t) solves: expected bytes
//! asked for between b(t) and t = capacity. With constant rates t - b(t) becomes the characteristic
//! time; with rates that change the same equation says how the cache turns over from one population
//! to another. b never goes back: what is evicted is gone.

use super::Spectrum;
use crate::kernel::math;
use std::collections::VecDeque;
use std::sync::Arc;

/// State of one LRU cache under loads that change in steps.
///
/// Requests come in two kinds: with the popularity of their population, and filtered by other
/// caches, with a rate of each point of the spectrum.
#[derive(Clone, Debug)]
pub struct Warmth {
    capacity_bytes: f64,
    members: Vec<Member>,
    now_s: f64,
    /// Objects last asked for before this instant are gone.
    boundary_s: f64,
    /// Instants at which rates changed with the counts until then; the first is not after the
    /// boundary.
    history: VecDeque<(f64, Vec<f64>)>,
    /// Counts of requests until now: one a population, then, once there were filtered ones, one a
    /// point of each population.
    counts: Vec<f64>,
    /// How fast they grow, per second.
    rates: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Member {
    bytes: f64,
    spectrum: Arc<Spectrum>,
    /// Where the counts of its points begin.
    points_from: usize,
}

impl Warmth {
    /// A cold cache at an instant, with the populations it may be asked for: size of an object in
    /// bytes and popularity. No requests come before [`Warmth::set_rates`].
    #[must_use]
    pub fn new(
        capacity_bytes: f64,
        populations: impl IntoIterator<Item = (f64, Arc<Spectrum>)>,
        now_s: f64,
    ) -> Warmth {
        let mut members: Vec<Member> = populations
            .into_iter()
            .map(|(bytes, spectrum)| Member { bytes, spectrum, points_from: 0 })
            .collect();
        let mut from = members.len();
        let counts = vec![0.0; from];
        for member in &mut members {
            member.points_from = from;
            from += member.spectrum.points().len();
        }
        let history = VecDeque::from([(now_s, counts.clone())]);
        let rates = counts.clone();
        Warmth { capacity_bytes, members, now_s, boundary_s: now_s, history, counts, rates }
    }

    /// Requests per second of each population from now on.
    pub fn set_rates(&mut self, rates_per_s: &[f64]) {
        self.set_all_rates(rates_per_s, &[]);
    }

    /// The same with filtered requests beside them: for each population requests per second of an
    /// object of each point of its spectrum, or nothing.
    pub fn set_all_rates(&mut self, rates_per_s: &[f64], filtered_per_s: &[Vec<f64>]) {
        assert_eq!(rates_per_s.len(), self.members.len(), "one rate a population");
        let mut rates = rates_per_s.to_vec();
        if filtered_per_s.iter().any(|points| !points.is_empty()) {
            self.count_points();
        }
        rates.resize(self.counts.len(), 0.0);
        for (member, points) in self.members.iter().zip(filtered_per_s) {
            if !points.is_empty() {
                let slots = member.points_from..member.points_from + points.len();
                rates[slots].copy_from_slice(points);
            }
        }
        if rates == self.rates {
            return;
        }
        if self.history.back().is_none_or(|(at_s, _)| *at_s < self.now_s) {
            self.history.push_back((self.now_s, self.counts.clone()));
        }
        self.rates = rates;
    }

    /// Counts requests by point from now on; until now there were none.
    fn count_points(&mut self) {
        let points = self.members.iter().map(|member| member.spectrum.points().len());
        let slots = self.members.len() + points.sum::<usize>();
        self.counts.resize(slots, 0.0);
        self.history.iter_mut().for_each(|(_, counts)| counts.resize(slots, 0.0));
        self.rates.resize(slots, 0.0);
    }

    /// Lets time pass under the present rates. Instants must not go back.
    pub fn advance(&mut self, to_s: f64) {
        let span_s = to_s - self.now_s;
        assert!(span_s >= 0.0, "time does not go back");
        self.now_s = to_s;
        for (count, rate) in self.counts.iter_mut().zip(&self.rates) {
            *count += rate * span_s;
        }
        self.evict();
    }

    /// Gives the cache another capacity in bytes. What has no room any more is evicted.
    pub fn set_capacity(&mut self, capacity_bytes: f64) {
        self.capacity_bytes = capacity_bytes;
        self.evict();
    }

    /// Empties the cache.
    pub fn flush(&mut self) {
        self.boundary_s = self.now_s;
        self.history.clear();
        self.history.push_back((self.now_s, self.counts.clone()));
    }

    /// The present instant in seconds.
    #[must_use]
    pub fn now_s(&self) -> f64 {
        self.now_s
    }

    /// Seconds since the last use of the object that is next to go: the time since the cold start,
    /// until the cache is full; later the characteristic time.
    #[must_use]
    pub fn window_s(&self) -> f64 {
        self.now_s - self.boundary_s
    }

    /// Bytes kept now.
    #[must_use]
    pub fn bytes(&self) -> f64 {
        self.kept_since(&self.counts_at(self.boundary_s), &self.rates).0
    }

    /// Share of a population's own requests that hit now.
    #[must_use]
    pub fn hit_ratio(&self, population: usize) -> f64 {
        let points = self.members[population].spectrum.points();
        let hit = |(&(probability, weight), window): (&(f64, f64), f64)| {
            weight * probability * (1.0 - math::exp(-window))
        };
        points.iter().zip(self.windows(population)).map(hit).sum()
    }

    /// Expected requests in the present window for an object of each point of a population's
    /// spectrum. It is kept with probability 1 - exp(-this).
    #[must_use]
    pub fn windows(&self, population: usize) -> Vec<f64> {
        let since = self.counts_at(self.boundary_s);
        let member = &self.members[population];
        let shaped = self.counts[population] - since[population];
        let window = |(point, &(probability, _)): (usize, &(f64, f64))| {
            let slot = member.points_from + point;
            let filtered = self.counts.get(slot).map_or(0.0, |count| count - since[slot]);
            (probability * shaped + filtered).max(0.0)
        };
        member.spectrum.points().iter().enumerate().map(window).collect()
    }

    /// Counts until an instant of the history.
    fn counts_at(&self, at_s: f64) -> Vec<f64> {
        let next = self.history.partition_point(|(start_s, _)| *start_s <= at_s).max(1);
        let (start_s, start) = &self.history[next - 1];
        let (end_s, end) = match self.history.get(next) {
            Some((end_s, end)) => (*end_s, end),
            None => (self.now_s, &self.counts),
        };
        let part = if end_s > *start_s { (at_s - start_s) / (end_s - start_s) } else { 0.0 };
        start.iter().zip(end).map(|(low, high)| low + part * (high - low)).collect()
    }

    /// Expected bytes asked for since there had been `since` requests, and how fast they would grow
    /// with `since` going back by one second of `rates`.
    fn kept_since(&self, since: &[f64], rates: &[f64]) -> (f64, f64) {
        let (mut bytes, mut slope) = (0.0, 0.0);
        for (index, member) in self.members.iter().enumerate() {
            let shaped = self.counts[index] - since[index];
            let (mut objects, mut growth) = (0.0, 0.0);
            for (point, &(probability, weight)) in member.spectrum.points().iter().enumerate() {
                let slot = member.points_from + point;
                let mut window = probability * shaped;
                let mut rate = probability * rates[index];
                if let Some(count) = self.counts.get(slot) {
                    window += count - since[slot];
                    rate += rates[slot];
                }
                let absent = math::exp(-window.max(0.0));
                objects += weight * (1.0 - absent);
                growth += weight * rate * absent;
            }
            bytes += member.bytes * objects;
            slope += member.bytes * growth;
        }
        (bytes, slope)
    }

    /// Moves the boundary to where what was asked for since fits.
    fn evict(&mut self) {
        let fits = |warmth: &Warmth, since: &[f64]| {
            warmth.kept_since(since, &warmth.rates).0 <= warmth.capacity_bytes
        };
        if fits(self, &self.counts_at(self.boundary_s)) {
            return;
        }
        // The stretch of constant rates in which the boundary lies: the first one whose end fits.
        while self.history.get(1).is_some_and(|(_, end)| !fits(self, end)) {
            self.history.pop_front();
        }
        let start_s = self.history[0].0;
        let (end_s, end) = match self.history.get(1) {
            Some((end_s, end)) => (*end_s, end.clone()),
            None => (self.now_s, self.counts.clone()),
        };
        let span_s = end_s - start_s;
        let rates: Vec<f64> =
            end.iter().zip(&self.history[0].1).map(|(high, low)| (high - low) / span_s).collect();
        // Newton's method on a concave rising function, from below: it never overshoots.
        let mut back_s = 0.0;
        for _ in 0..200 {
            let since: Vec<f64> =
                end.iter().zip(&rates).map(|(end, rate)| end - rate * back_s).collect();
            let (bytes, slope) = self.kept_since(&since, &rates);
            let step_s = (self.capacity_bytes - bytes) / slope;
            if step_s.is_nan() || step_s <= span_s * 1e-15 {
                break;
            }
            back_s += step_s;
        }
        let boundary_s = (end_s - back_s).clamp(start_s, end_s);
        self.boundary_s = self.boundary_s.max(boundary_s);
    }
}
