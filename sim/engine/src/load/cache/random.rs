//! Random eviction: every object that is kept is as likely to go.

use super::{Cache, Lookup, entry};
use crate::kernel::{SimTime, Stream};

/// Place of an object that is not kept.
const ABSENT: u32 = u32::MAX;

/// Cache with random eviction, drawn from a stream of its own.
#[derive(Debug)]
pub struct RandomEviction {
    capacity_bytes: u64,
    held_bytes: u64,
    /// Kept objects with their sizes, in no order that matters.
    held: Vec<(u32, u64)>,
    /// Where each object is in `held`.
    places: Vec<u32>,
    draw: Stream,
}

impl RandomEviction {
    /// An empty cache with a capacity in bytes.
    #[must_use]
    pub fn new(capacity_bytes: u64, draw: Stream) -> RandomEviction {
        let (held, places) = (Vec::new(), Vec::new());
        RandomEviction { capacity_bytes, held_bytes: 0, held, places, draw }
    }

    fn evict(&mut self) {
        let place = self.draw.below(self.held.len() as u64) as usize;
        let (victim, bytes) = self.held.swap_remove(place);
        self.places[victim as usize] = ABSENT;
        if let Some(&(moved, _)) = self.held.get(place) {
            self.places[moved as usize] = place as u32;
        }
        self.held_bytes -= bytes;
    }
}

impl Cache for RandomEviction {
    fn request(&mut self, object: u32, bytes: u64, _now: SimTime) -> Lookup {
        if self.contains(object) {
            return Lookup::Hit;
        }
        if bytes <= self.capacity_bytes {
            while self.held_bytes > self.capacity_bytes - bytes {
                self.evict();
            }
            *entry(&mut self.places, object, ABSENT) = self.held.len() as u32;
            self.held.push((object, bytes));
            self.held_bytes += bytes;
        }
        Lookup::Miss
    }

    fn contains(&self, object: u32) -> bool {
        self.places.get(object as usize).is_some_and(|&place| place != ABSENT)
    }

    fn bytes(&self) -> u64 {
        self.held_bytes
    }

    fn objects(&self) -> usize {
        self.held.len()
    }

    fn flush(&mut self) {
        self.held.clear();
        self.places.fill(ABSENT);
        self.held_bytes = 0;
    }
}
