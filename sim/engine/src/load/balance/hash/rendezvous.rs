//! Rendezvous hashing, or highest random weight: the server that scores highest for a key.
//!
//! Model: each server's score is `-w / ln u`, with `u` in (0, 1) a hash of key and server; the
//! chance to win is in proportion to `w`. With equal weights the highest hash wins, which is the
//! same order. When a server leaves, its keys alone move. A lookup asks all servers.
//!
//! Source: D. Thaler, C. Ravishankar, "Using name-based mappings to increase hit rates", 1998;
//! weights: J. Resch, "New hashing algorithms for data storage", 2015.

use super::{Hashing, of_server, salted};
use crate::kernel::stream::mix;
use crate::kernel::{SimTime, math};

/// See the module.
#[derive(Debug)]
pub struct Rendezvous {
    seed: u64,
    /// Server, its hash and its weight.
    open: Vec<(u32, u64, f64)>,
    equal: bool,
}

impl Rendezvous {
    /// An empty table.
    #[must_use]
    pub fn new(seed: u64) -> Rendezvous {
        Rendezvous { seed, open: Vec::new(), equal: true }
    }
}

impl Hashing for Rendezvous {
    fn rebuild(&mut self, weights: &[f64], _now: SimTime) {
        self.open.clear();
        for (server, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            let server = server as u32;
            self.open.push((server, of_server(server, 0, self.seed), weight));
        }
        self.equal = self.open.windows(2).all(|pair| pair[0].2 == pair[1].2);
    }

    fn lookup(&self, key: u64, _outstanding: &[u32]) -> Option<u32> {
        let key = salted(key, self.seed);
        if self.equal {
            let score = |&(_, hash, _): &(u32, u64, f64)| mix(hash ^ key);
            return self.open.iter().max_by_key(|entry| score(entry)).map(|entry| entry.0);
        }
        let mut best: Option<(f64, u32)> = None;
        for &(server, hash, weight) in &self.open {
            // The middle of one of 2^53 steps: never 0 or 1.
            let uniform = ((mix(hash ^ key) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
            let score = -weight / math::ln(uniform);
            if best.is_none_or(|(highest, _)| score > highest) {
                best = Some((score, server));
            }
        }
        best.map(|(_, server)| server)
    }
}
