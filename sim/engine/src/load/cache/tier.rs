//! Caches that ask other caches: lower ones near the users, upper ones near the origin, regional
//! hubs in between.

use super::{Cache, Lookup};
use crate::kernel::{SimSpan, SimTime};
use std::collections::{BTreeMap, BTreeSet};

/// One cache on the way of a request to the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Number of the cache.
    pub cache: u32,
    /// From asking the next cache, or the origin, until the object is here.
    pub fetch: SimSpan,
}

/// Where an object came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The cache at this place of the way, 0 the first.
    Cache(usize),
    /// The origin.
    Origin,
}

/// What a request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Who had the object, or was already fetching it.
    pub source: Source,
    /// When the first cache has it.
    pub ready: SimTime,
}

/// What a cache has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests, from users or other caches.
    pub requests: u64,
    /// Requests whose object was here.
    pub hits: u64,
    /// Requests that waited for a fetch of another request.
    pub joined: u64,
    /// Fetches from the next cache or the origin.
    pub fetches: u64,
    /// Bytes of these fetches.
    pub fetched_bytes: u64,
}

/// Caches by number, and what they are fetching.
///
/// A request looks into the caches of its way in order, all at the instant it comes in, until one
/// has the object; then all before it keep it. What is not there yet is in flight: with coalescing
/// later requests wait for it, without they fetch it themselves.
#[derive(Debug)]
pub struct Tiers {
    nodes: Vec<Node>,
    coalesce: bool,
}

#[derive(Debug)]
struct Node {
    cache: Box<dyn Cache>,
    in_flight: BTreeMap<u32, SimTime>,
    /// The same by time.
    arrivals: BTreeSet<(SimTime, u32)>,
    counts: Counts,
}

impl Tiers {
    /// Empty caches, numbered in their order.
    #[must_use]
    pub fn new(caches: impl IntoIterator<Item = Box<dyn Cache>>, coalesce: bool) -> Tiers {
        let node = |cache| Node {
            cache,
            in_flight: BTreeMap::new(),
            arrivals: BTreeSet::new(),
            counts: Counts::default(),
        };
        Tiers { nodes: caches.into_iter().map(node).collect(), coalesce }
    }

    /// The way from a lower cache by a regional hub and an upper tier to the origin. A cache that
    /// has several roles is asked once.
    #[must_use]
    pub fn way(lower: Hop, regional: Option<Hop>, upper: Option<Hop>) -> Vec<Hop> {
        let mut way = vec![lower];
        for hop in [regional, upper].into_iter().flatten() {
            match way.iter_mut().find(|known| known.cache == hop.cache) {
                // The later role says where the cache fetches from.
                Some(known) => known.fetch = hop.fetch,
                None => way.push(hop),
            }
        }
        way
    }

    /// Asks for an object along a way. Instants must not go back.
    pub fn request(&mut self, way: &[Hop], object: u32, bytes: u64, now: SimTime) -> Fetch {
        let mut place = 0;
        let (source, mut ready) = loop {
            let Some(hop) = way.get(place) else { break (Source::Origin, now) };
            if let Some(ready) =
                self.nodes[hop.cache as usize].ask(object, bytes, now, self.coalesce)
            {
                break (Source::Cache(place), ready);
            }
            place += 1;
        };
        for hop in way[..place].iter().rev() {
            ready = ready.after(hop.fetch);
            self.nodes[hop.cache as usize].expect(object, ready, now);
        }
        Fetch { source, ready }
    }

    /// What a cache has counted.
    #[must_use]
    pub fn counts(&self, cache: u32) -> Counts {
        self.nodes[cache as usize].counts
    }

    /// Sets all counts to zero: the end of a warm-up.
    pub fn reset_counts(&mut self) {
        for node in &mut self.nodes {
            node.counts = Counts::default();
        }
    }

    /// A cache, to look at.
    #[must_use]
    pub fn cache(&self, cache: u32) -> &dyn Cache {
        &*self.nodes[cache as usize].cache
    }

    /// Empties one cache: a cold start. What it is fetching still comes.
    pub fn flush(&mut self, cache: u32) {
        self.nodes[cache as usize].cache.flush();
    }
}

impl Node {
    /// When the object is here; none if it must be fetched.
    fn ask(&mut self, object: u32, bytes: u64, now: SimTime, coalesce: bool) -> Option<SimTime> {
        self.land(now);
        self.counts.requests += 1;
        let lookup = self.cache.request(object, bytes, now);
        match self.in_flight.get(&object) {
            Some(&ready) if coalesce => {
                self.counts.joined += 1;
                return Some(ready);
            }
            None if lookup == Lookup::Hit => {
                self.counts.hits += 1;
                return Some(now);
            }
            _ => {}
        }
        self.counts.fetches += 1;
        self.counts.fetched_bytes += bytes;
        None
    }

    /// Notes when a fetch will be here; the earliest of several counts.
    fn expect(&mut self, object: u32, ready: SimTime, now: SimTime) {
        if ready <= now {
            return;
        }
        let known = self.in_flight.entry(object).or_insert(ready);
        if ready < *known {
            self.arrivals.remove(&(*known, object));
            *known = ready;
        }
        self.arrivals.insert((*known, object));
    }

    /// Forgets fetches that have arrived.
    fn land(&mut self, now: SimTime) {
        while let Some(&(ready, object)) = self.arrivals.first() {
            if ready > now {
                break;
            }
            self.arrivals.pop_first();
            self.in_flight.remove(&object);
        }
    }
}
