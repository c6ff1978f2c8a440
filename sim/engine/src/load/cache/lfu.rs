//! Least frequently used, with counts of everything or of what is kept only.

use super::{Cache, Lookup, entry};
use crate::kernel::SimTime;
use std::collections::BTreeSet;

/// LFU cache. Among equally rare objects the one used longest ago goes first. A request costs the
/// logarithm of the number of objects kept.
#[derive(Clone, Debug)]
pub struct Lfu {
    capacity_bytes: u64,
    held_bytes: u64,
    perfect: bool,
    requests: u64,
    /// Kept objects by (count, last use).
    order: BTreeSet<(u64, u64, u32)>,
    known: Vec<Known>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    count: u64,
    last_use: u64,
    bytes: u64,
    held: bool,
}

impl Lfu {
    /// Counts requests of all objects for ever. A new object is kept only if no object that would
    /// have to go was asked for more often.
    #[must_use]
    pub fn perfect(capacity_bytes: u64) -> Lfu {
        let (order, known) = (BTreeSet::new(), Vec::new());
        Lfu { capacity_bytes, held_bytes: 0, perfect: true, requests: 0, order, known }
    }

    /// Counts requests of kept objects since they came in. A new object is always kept.
    #[must_use]
    pub fn in_cache(capacity_bytes: u64) -> Lfu {
        Lfu { perfect: false, ..Lfu::perfect(capacity_bytes) }
    }

    /// Number of objects, rarest first, that must go for one with this size and count; none if it
    /// is not to be kept.
    fn victims(&self, bytes: u64, count: u64) -> Option<usize> {
        let limit = self.capacity_bytes.checked_sub(bytes)?;
        let mut left = self.held_bytes;
        let mut victims = 0;
        for &(rarer, _, object) in &self.order {
            if left <= limit {
                break;
            }
            if self.perfect && rarer > count {
                return None;
            }
            left -= self.known[object as usize].bytes;
            victims += 1;
        }
        Some(victims)
    }
}

impl Cache for Lfu {
    fn request(&mut self, object: u32, bytes: u64, _now: SimTime) -> Lookup {
        self.requests += 1;
        let known = entry(&mut self.known, object, Known::default());
        let was = *known;
        known.count = if was.held || self.perfect { was.count + 1 } else { 1 };
        known.last_use = self.requests;
        let now = *known;
        if was.held {
            self.order.remove(&(was.count, was.last_use, object));
            self.order.insert((now.count, now.last_use, object));
            return Lookup::Hit;
        }
        if let Some(victims) = self.victims(bytes, now.count) {
            for _ in 0..victims {
                let (_, _, victim) = self.order.pop_first().expect("victims are kept objects");
                self.known[victim as usize].held = false;
                self.held_bytes -= self.known[victim as usize].bytes;
            }
            self.known[object as usize] = Known { held: true, bytes, ..now };
            self.order.insert((now.count, now.last_use, object));
            self.held_bytes += bytes;
        }
        Lookup::Miss
    }

    fn contains(&self, object: u32) -> bool {
        self.known.get(object as usize).is_some_and(|known| known.held)
    }

    fn bytes(&self) -> u64 {
        self.held_bytes
    }

    fn objects(&self) -> usize {
        self.order.len()
    }

    fn flush(&mut self) {
        self.order.clear();
        self.known.clear();
        self.held_bytes = 0;
    }
}
