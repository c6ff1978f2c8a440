//! First in, first out: hits do not matter.

use super::{Cache, Lookup, Lru};
use crate::kernel::SimTime;

/// FIFO cache: the queue of an [`Lru`] that nobody promotes.
#[derive(Clone, Debug)]
pub struct Fifo {
    queue: Lru,
}

impl Fifo {
    /// An empty cache with a capacity in bytes.
    #[must_use]
    pub fn new(capacity_bytes: u64) -> Fifo {
        Fifo { queue: Lru::new(capacity_bytes) }
    }
}

impl Cache for Fifo {
    fn request(&mut self, object: u32, bytes: u64, _now: SimTime) -> Lookup {
        if self.queue.contains(object) {
            return Lookup::Hit;
        }
        self.queue.insert(object, bytes);
        Lookup::Miss
    }

    fn contains(&self, object: u32) -> bool {
        self.queue.contains(object)
    }

    fn bytes(&self) -> u64 {
        self.queue.bytes()
    }

    fn objects(&self) -> usize {
        self.queue.objects()
    }

    fn flush(&mut self) {
        self.queue.flush();
    }
}
