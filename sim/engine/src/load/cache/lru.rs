//! Least recently used: who was asked for last stays longest.

use super::list::Lists;
use super::{Cache, Lookup, entry};
use crate::kernel::SimTime;

/// LRU cache: a hit costs constant time and touches no size.
#[derive(Clone, Debug)]
pub struct Lru {
    capacity_bytes: u64,
    held_bytes: u64,
    held: usize,
    order: Lists,
    sizes: Vec<u64>,
}

impl Lru {
    /// An empty cache with a capacity in bytes.
    #[must_use]
    pub fn new(capacity_bytes: u64) -> Lru {
        Lru { capacity_bytes, held_bytes: 0, held: 0, order: Lists::new(1), sizes: Vec::new() }
    }

    /// Keeps a new object and evicts what has no room beside it.
    pub(super) fn insert(&mut self, object: u32, bytes: u64) {
        if bytes > self.capacity_bytes {
            return;
        }
        while self.held_bytes > self.capacity_bytes - bytes {
            let victim = self.order.last(0).expect("bytes are held, so objects are");
            self.order.remove(victim);
            self.held -= 1;
            self.held_bytes -= self.sizes[victim as usize];
        }
        self.order.push_front(0, object);
        *entry(&mut self.sizes, object, 0) = bytes;
        self.held += 1;
        self.held_bytes += bytes;
    }
}

impl Cache for Lru {
    #[inline]
    fn request(&mut self, object: u32, bytes: u64, _now: SimTime) -> Lookup {
        if self.order.promote(0, object) {
            return Lookup::Hit;
        }
        self.insert(object, bytes);
        Lookup::Miss
    }

    fn contains(&self, object: u32) -> bool {
        self.order.contains(object)
    }

    fn bytes(&self) -> u64 {
        self.held_bytes
    }

    fn objects(&self) -> usize {
        self.held
    }

    fn flush(&mut self) {
        self.order.clear();
        (self.held, self.held_bytes) = (0, 0);
    }
}
