//! Caches that ask each other, in the large: who misses how much where, while all of them warm up.
//!
//! Every cache is an LRU cache in Che's approximation ([`Warmth`]). What one cache misses is asked
//! of the next: object by object, so that an upper cache sees the popularity that the lower ones
//! have filtered. A request that missed in a lower cache was for an object not asked for there
//! during the lower window; the upper cache can have it from this lower cache only if its own
//! window is longer (Martina, Garetto, Leonardi, "A unified approach to the performance analysis of
//! caching systems", 2014, section on networks).

use super::{Spectrum, Warmth, che};
use crate::kernel::math;
use std::sync::Arc;

/// One cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Its capacity in bytes.
    pub capacity_bytes: f64,
    /// Whom it asks for what it misses; none: the origin.
    pub next: Option<usize>,
}

/// Objects of one kind that all caches may keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// Size of each in bytes.
    pub bytes: f64,
    /// Popularity, the same everywhere.
    pub spectrum: Arc<Spectrum>,
    /// How long a copy may be used after its fetch, in seconds; none: for ever.
    pub ttl_s: Option<f64>,
}

/// Caches that ask another one, with their misses per second of each point.
type Askers = Vec<(usize, Vec<f64>)>;

/// What a cache does with requests for one content.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Misses {
    /// Share of the requests of its own users that miss.
    pub own: f64,
    /// Requests per second that it passes on, those of other caches included.
    pub passed_per_s: f64,
    /// Share of what this cache passes on that misses in the next one, too; 1 at the origin.
    pub at_next: f64,
}

/// State of all caches.
#[derive(Clone, Debug)]
pub struct Cascade {
    places: Vec<Place>,
    contents: Vec<Content>,
    /// Places, those that ask before those that are asked.
    order: Vec<usize>,
    warmth: Vec<Warmth>,
    /// Since when each cache has been filling.
    cold_since_s: Vec<f64>,
}

impl Cascade {
    /// Cold caches at an instant. None if caches ask each other in a circle.
    #[must_use]
    pub fn new(places: Vec<Place>, contents: Vec<Content>, now_s: f64) -> Option<Cascade> {
        let order = askers_first(&places)?;
        let members =
            || contents.iter().map(|content| (content.bytes, Arc::clone(&content.spectrum)));
        let warmth = places
            .iter()
            .map(|place| Warmth::new(place.capacity_bytes, members(), now_s))
            .collect();
        let cold_since_s = vec![now_s; places.len()];
        Some(Cascade { places, contents, order, warmth, cold_since_s })
    }

    /// Lets time pass under the present rates.
    pub fn advance(&mut self, to_s: f64) {
        self.warmth.iter_mut().for_each(|warmth| warmth.advance(to_s));
    }

    /// Lets as much time pass under constant rates as the caches need to settle, at most some
    /// hundred years. Seconds that passed.
    pub fn settle(&mut self, rates: &[Vec<f64>]) -> f64 {
        let start_s = self.warmth.first().map_or(0.0, Warmth::now_s);
        let mut before = self.set_rates(rates, 0.0);
        let (mut now_s, mut step_s) = (start_s, 1.0);
        for _ in 0..32 {
            now_s += step_s;
            step_s *= 2.0;
            self.advance(now_s);
            let after = self.set_rates(rates, 0.0);
            let same = after.iter().flatten().zip(before.iter().flatten()).all(|(now, then)| {
                (now.own - then.own).abs() <= 1e-9
                    && (now.passed_per_s - then.passed_per_s).abs() <= 1e-9 * now.passed_per_s
            });
            before = after;
            // What expires must have had the time to.
            let ttl_s =
                self.contents.iter().filter_map(|content| content.ttl_s).fold(0.0, f64::max);
            if same && now_s - start_s > 2.0 * ttl_s {
                break;
            }
        }
        now_s - start_s
    }

    /// Empties a cache.
    pub fn flush(&mut self, place: usize) {
        self.warmth[place].flush();
        self.cold_since_s[place] = self.warmth[place].now_s();
    }

    /// Makes a cache ask another one, or the origin, from now on. False, and no change, if caches
    /// would ask each other in a circle.
    pub fn set_next(&mut self, place: usize, next: Option<usize>) -> bool {
        let before = std::mem::replace(&mut self.places[place].next, next);
        match askers_first(&self.places) {
            Some(order) => self.order = order,
            None => self.places[place].next = before,
        }
        self.places[place].next == next
    }

    /// All places, those that ask before those that are asked.
    #[must_use]
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// Whom a cache asks.
    #[must_use]
    pub fn next(&self, place: usize) -> Option<usize> {
        self.places[place].next
    }

    /// Sets what users ask for from now on, in requests per second by place and content, and gives
    /// what the caches do with it `ahead_s` from now: the middle of the time for which the answer
    /// is to stand.
    pub fn set_rates(&mut self, rates: &[Vec<f64>], ahead_s: f64) -> Vec<Vec<Misses>> {
        let kinds = self.contents.len();
        let mut misses = vec![vec![Misses::default(); kinds]; self.places.len()];
        // What each place's askers miss, by content: (asker, misses per second of each point).
        let mut asked: Vec<Vec<Askers>> = vec![vec![Vec::new(); kinds]; self.places.len()];
        for index in 0..self.order.len() {
            let place = self.order[index];
            let from_others = std::mem::take(&mut asked[place]);
            let filtered: Vec<Vec<f64>> =
                from_others.iter().map(|askers| sum_of_points(askers)).collect();
            self.warmth[place].set_all_rates(&rates[place], &filtered);
            let mut ahead = self.warmth[place].clone();
            ahead.advance(ahead.now_s() + ahead_s);
            for kind in 0..kinds {
                let seen = Seen {
                    content: &self.contents[kind],
                    window: ahead.windows(kind),
                    window_s: ahead.window_s(),
                    age_s: ahead.now_s() - self.cold_since_s[place],
                    own_per_s: rates[place][kind],
                    filtered: &filtered[kind],
                };
                for (asker, points) in &from_others[kind] {
                    let window_s = self.warmth[*asker].window_s();
                    misses[*asker][kind].at_next = seen.missed_share(points, window_s);
                }
                let (own, passed) =
                    seen.own_and_passed(&from_others[kind], |asker| self.warmth[asker].window_s());
                let spectrum = &self.contents[kind].spectrum;
                let total = weighted(spectrum, &passed);
                misses[place][kind] = Misses { own, passed_per_s: total, at_next: 1.0 };
                if let Some(next) = self.places[place].next {
                    asked[next][kind].push((place, passed));
                }
            }
        }
        misses
    }
}

/// One content in one cache at an instant.
struct Seen<'a> {
    content: &'a Content,
    /// Expected requests of each point in the window.
    window: Vec<f64>,
    window_s: f64,
    age_s: f64,
    own_per_s: f64,
    /// Misses of other caches per second of each point; empty if there are none.
    filtered: &'a [f64],
}

impl Seen<'_> {
    /// Probability that an object of a point is there and fresh, for a request whose own asker
    /// cannot have brought the last `own` requests of the window.
    fn hit(&self, point: usize, own: f64) -> f64 {
        let window = (self.window[point] - own).max(0.0);
        let kept = 1.0 - math::exp(-window);
        let Some(ttl_s) = self.content.ttl_s else { return kept };
        // Nothing is older than the cache's content.
        if self.age_s <= ttl_s || kept <= 0.0 {
            return kept;
        }
        let probability = self.content.spectrum.points()[point].0;
        let filtered = self.filtered.get(point).copied().unwrap_or(0.0);
        let rate_per_s = self.own_per_s * probability + filtered;
        let steady = 1.0 - math::exp(-rate_per_s * self.window_s);
        let fresh = che::lru_ttl_object_hit_ratio(rate_per_s, self.window_s, ttl_s);
        if steady > 0.0 { kept * (fresh / steady).min(1.0) } else { 0.0 }
    }

    /// Requests of an asker in this window that cannot have been followed by one of its misses:
    /// those of its own window. With a time to live misses follow expiry, not silence.
    fn blind(&self, misses_per_s: f64, asker_window_s: f64) -> f64 {
        match self.content.ttl_s {
            None => misses_per_s * asker_window_s.min(self.window_s),
            Some(_) => 0.0,
        }
    }

    /// Share of an asker's misses that miss here, too.
    fn missed_share(&self, points: &[f64], asker_window_s: f64) -> f64 {
        let spectrum = &self.content.spectrum;
        let missed = |(point, &rate): (usize, &f64)| {
            rate * (1.0 - self.hit(point, self.blind(rate, asker_window_s)))
        };
        let missed: Vec<f64> = points.iter().enumerate().map(missed).collect();
        let all = weighted(spectrum, points);
        if all > 0.0 { (weighted(spectrum, &missed) / all).clamp(0.0, 1.0) } else { 1.0 }
    }

    /// Share of the own users' requests that miss, and all misses per second of each point.
    fn own_and_passed(
        &self,
        askers: &[(usize, Vec<f64>)],
        window_s: impl Fn(usize) -> f64,
    ) -> (f64, Vec<f64>) {
        let points = self.content.spectrum.points();
        let (mut own, mut passed) = (0.0, Vec::with_capacity(points.len()));
        for (point, &(probability, weight)) in points.iter().enumerate() {
            let miss = 1.0 - self.hit(point, 0.0);
            own += weight * probability * miss;
            let mut rate = self.own_per_s * probability * miss;
            for (asker, rates) in askers {
                let blind = self.blind(rates[point], window_s(*asker));
                rate += rates[point] * (1.0 - self.hit(point, blind));
            }
            passed.push(rate);
        }
        (own.clamp(0.0, 1.0), passed)
    }
}

/// Sum of the askers' misses per second of each point; empty if nobody asks.
fn sum_of_points(askers: &[(usize, Vec<f64>)]) -> Vec<f64> {
    let mut sum: Vec<f64> = Vec::new();
    for (_, points) in askers {
        sum.resize(points.len(), 0.0);
        sum.iter_mut().zip(points).for_each(|(sum, rate)| *sum += rate);
    }
    sum
}

/// Sum over all objects of a value by point.
fn weighted(spectrum: &Spectrum, values: &[f64]) -> f64 {
    spectrum.points().iter().zip(values).map(|((_, weight), value)| weight * value).sum()
}

/// Places, those that ask before those that are asked; none if they ask in a circle.
fn askers_first(places: &[Place]) -> Option<Vec<usize>> {
    let mut askers = vec![0_usize; places.len()];
    places.iter().filter_map(|place| place.next).for_each(|next| askers[next] += 1);
    let mut order: Vec<usize> = (0..places.len()).filter(|&place| askers[place] == 0).collect();
    let mut done = 0;
    while let Some(&place) = order.get(done) {
        done += 1;
        if let Some(next) = places[place].next {
            askers[next] -= 1;
            if askers[next] == 0 {
                order.push(next);
            }
        }
    }
    (order.len() == places.len()).then_some(order)
}
