//! ECMP modulo: the hash of the key modulo the number of servers.
//!
//! Model: the servers that take work stand in a row, whatever their weights. When one of n leaves,
//! (n - 1)/n of all keys move.
//!
//! Source: C. Hopps, RFC 2992 section 2 (modulo-N hash), 2000.

use super::{Hashing, salted};
use crate::kernel::SimTime;

/// See the module.
#[derive(Debug)]
pub struct Ecmp {
    seed: u64,
    open: Vec<u32>,
}

impl Ecmp {
    /// An empty table.
    #[must_use]
    pub fn new(seed: u64) -> Ecmp {
        Ecmp { seed, open: Vec::new() }
    }
}

impl Hashing for Ecmp {
    fn rebuild(&mut self, weights: &[f64], _now: SimTime) {
        self.open.clear();
        self.open.extend((0..weights.len() as u32).filter(|&s| weights[s as usize] > 0.0));
    }

    #[inline]
    fn lookup(&self, key: u64, _outstanding: &[u32]) -> Option<u32> {
        let slot = salted(key, self.seed).checked_rem(self.open.len() as u64)?;
        Some(self.open[slot as usize])
    }
}
