//! A cache without a limit: misses are first requests. With a time to live around it
//! ([`super::Expiring`]) it is the TTL cache of theory.

use super::{Cache, Lookup, entry};
use crate::kernel::SimTime;

/// Keeps everything.
#[derive(Clone, Debug, Default)]
pub struct Unbounded {
    held: Vec<bool>,
    held_bytes: u64,
    objects: usize,
}

impl Unbounded {
    /// An empty cache.
    #[must_use]
    pub fn new() -> Unbounded {
        Unbounded::default()
    }
}

impl Cache for Unbounded {
    fn request(&mut self, object: u32, bytes: u64, _now: SimTime) -> Lookup {
        let held = entry(&mut self.held, object, false);
        if *held {
            return Lookup::Hit;
        }
        *held = true;
        self.held_bytes += bytes;
        self.objects += 1;
        Lookup::Miss
    }

    fn contains(&self, object: u32) -> bool {
        self.held.get(object as usize).copied().unwrap_or(false)
    }

    fn bytes(&self) -> u64 {
        self.held_bytes
    }

    fn objects(&self) -> usize {
        self.objects
    }

    fn flush(&mut self) {
        *self = Unbounded::new();
    }
}
