//! Two-slot daisy chain: buckets that name the present server and the one before.
//!
//! Model: a packet goes to the present server of its bucket. One that belongs to no connection
//! there, and opens none, is handed on to the server before. So a connection survives one change of
//! its bucket, and breaks at the second.
//!
//! Source: D. Wragg, "Unimog - Cloudflare's edge load balancer", 2020; V. Olteanu et al.,
//! "Stateless datacenter load-balancing with Beamer", NSDI 2018; GitHub's GLB director, 2018.

use super::buckets::Buckets;
use super::{Hashing, salted};
use crate::kernel::{SimSpan, SimTime};

/// See the module.
#[derive(Debug)]
pub struct Daisy {
    seed: u64,
    buckets: Buckets,
    chained: bool,
}

impl Daisy {
    /// Buckets, at least 1, that keep a working server for `quarantine` after a change. Without
    /// `chained` the second slot is not used.
    #[must_use]
    pub fn new(buckets: u32, quarantine: SimSpan, chained: bool, seed: u64) -> Daisy {
        Daisy { seed, buckets: Buckets::new(buckets, quarantine), chained }
    }
}

impl Hashing for Daisy {
    fn rebuild(&mut self, weights: &[f64], now: SimTime) {
        self.buckets.assign(weights, now);
    }

    #[inline]
    fn lookup(&self, key: u64, _outstanding: &[u32]) -> Option<u32> {
        self.buckets.of(salted(key, self.seed)).0
    }

    fn second(&self, key: u64) -> Option<u32> {
        self.buckets.of(salted(key, self.seed)).1.filter(|_| self.chained)
    }

    fn entries(&self) -> Option<&[u32]> {
        Some(self.buckets.servers())
    }
}
