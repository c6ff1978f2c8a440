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
#[derive(Clone, Debug)]
pub struct Warmth {
    capacity_bytes: f64,
    members: Vec<Member>,
    now_s: f64,
    /// Objects last asked for before this instant are gone.
    boundary_s: f64,
    /// Instants at which rates changed with the requests until then, one number a population; the
    /// first is not after the boundary.
    history: VecDeque<(f64, Vec<f64>)>,
    /// Requests until now.
    requests: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Member {
    bytes: f64,
    spectrum: Arc<Spectrum>,
    rate_per_s: f64,
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
        let member = |(bytes, spectrum)| Member { bytes, spectrum, rate_per_s: 0.0 };
        let members: Vec<Member> = populations.into_iter().map(member).collect();
        let requests = vec![0.0; members.len()];
        let history = VecDeque::from([(now_s, requests.clone())]);
        Warmth { capacity_bytes, members, now_s, boundary_s: now_s, history, requests }
    }

    /// Requests per second of each population from now on.
    pub fn set_rates(&mut self, rates_per_s: &[f64]) {
        assert_eq!(rates_per_s.len(), self.members.len(), "one rate a population");
        let same =
            self.members.iter().zip(rates_per_s).all(|(member, &rate)| member.rate_per_s == rate);
        if same {
            return;
        }
        if self.history.back().is_none_or(|(at_s, _)| *at_s < self.now_s) {
            self.history.push_back((self.now_s, self.requests.clone()));
        }
        for (member, &rate) in self.members.iter_mut().zip(rates_per_s) {
            member.rate_per_s = rate;
        }
    }

    /// Lets time pass under the present rates. Instants must not go back.
    pub fn advance(&mut self, to_s: f64) {
        let span_s = to_s - self.now_s;
        assert!(span_s >= 0.0, "time does not go back");
        self.now_s = to_s;
        for (requests, member) in self.requests.iter_mut().zip(&self.members) {
            *requests += member.rate_per_s * span_s;
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
        self.history.push_back((self.now_s, self.requests.clone()));
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
        self.kept(&self.requests_at(self.boundary_s)).0
    }

    /// Share of a population's requests that hit now.
    #[must_use]
    pub fn hit_ratio(&self, population: usize) -> f64 {
        let window = self.window_requests(population);
        self.members[population].spectrum.sum(|p| p * (1.0 - math::exp(-p * window)))
    }

    /// Requests for a population in the present window. An object of it is kept with probability
    /// 1 - exp(-p x this).
    #[must_use]
    pub fn window_requests(&self, population: usize) -> f64 {
        self.requests[population] - self.requests_at(self.boundary_s)[population]
    }

    /// Requests until an instant of the history.
    fn requests_at(&self, at_s: f64) -> Vec<f64> {
        let next = self.history.partition_point(|(start_s, _)| *start_s <= at_s);
        let (start_s, start) = &self.history[next.max(1) - 1];
        let (end_s, end) = match self.history.get(next.max(1)) {
            Some((end_s, end)) => (*end_s, end),
            None => (self.now_s, &self.requests),
        };
        let part = if end_s > *start_s { (at_s - start_s) / (end_s - start_s) } else { 0.0 };
        start.iter().zip(end).map(|(low, high)| low + part * (high - low)).collect()
    }

    /// Expected bytes asked for since there had been `since` requests, and how fast they would grow
    /// with `since` going back by one second of `rates`.
    fn kept(&self, since: &[f64]) -> (f64, Vec<f64>) {
        let mut bytes = 0.0;
        let mut slopes = Vec::with_capacity(self.members.len());
        for ((member, now), since) in self.members.iter().zip(&self.requests).zip(since) {
            let window = (now - since).max(0.0);
            let (mut objects, mut slope) = (0.0, 0.0);
            for &(probability, weight) in member.spectrum.points() {
                let absent = math::exp(-probability * window);
                objects += weight * (1.0 - absent);
                slope += weight * probability * absent;
            }
            bytes += member.bytes * objects;
            slopes.push(member.bytes * slope);
        }
        (bytes, slopes)
    }

    /// Moves the boundary to where what was asked for since fits.
    fn evict(&mut self) {
        if self.kept(&self.requests_at(self.boundary_s)).0 <= self.capacity_bytes {
            return;
        }
        // The stretch of constant rates in which the boundary lies: the first one whose end fits.
        while let Some((_, end)) = self.history.get(1) {
            if self.kept(end).0 <= self.capacity_bytes {
                break;
            }
            self.history.pop_front();
        }
        let start_s = self.history[0].0;
        let (end_s, end) = match self.history.get(1) {
            Some((end_s, end)) => (*end_s, end.clone()),
            None => (self.now_s, self.requests.clone()),
        };
        let span_s = end_s - start_s;
        let rates: Vec<f64> =
            end.iter().zip(&self.history[0].1).map(|(high, low)| (high - low) / span_s).collect();
        // Newton's method on a concave rising function, from below: it never overshoots.
        let mut back_s = 0.0;
        for _ in 0..200 {
            let since: Vec<f64> =
                end.iter().zip(&rates).map(|(end, rate)| end - rate * back_s).collect();
            let (bytes, slopes) = self.kept(&since);
            let slope: f64 = slopes.iter().zip(&rates).map(|(slope, rate)| slope * rate).sum();
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
