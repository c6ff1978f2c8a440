//! Jump consistent hash: no table at all, but servers come and go at the end of the row only.
//!
//! Model: the servers that take work stand in a row, whatever their weights. When one is added at
//! the end of n, 1/(n + 1) of all keys move, all to it. One that leaves from the middle shifts all
//! behind it.
//!
//! Source: J. Lamping, E. Veach, "A fast, minimal memory, consistent hash algorithm", 2014.

use super::{Hashing, salted};
use crate::kernel::SimTime;

/// See the module.
#[derive(Debug)]
pub struct Jump {
    seed: u64,
    open: Vec<u32>,
}

impl Jump {
    /// An empty row.
    #[must_use]
    pub fn new(seed: u64) -> Jump {
        Jump { seed, open: Vec::new() }
    }
}

/// The place of a key in a row of at least one.
///
/// The key drives a generator; each draw tells at which length of the row the key jumps next.
#[must_use]
pub fn place(key: u64, row: u32) -> u32 {
    assert!(row > 0, "a key has a place in a row of at least one");
    let mut state = key;
    let (mut here, mut next) = (0_u64, 0_u64);
    while next < u64::from(row) {
        here = next;
        state = state.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let draw = (state >> 33) + 1;
        next = ((here + 1) as f64 * ((1_u64 << 31) as f64 / draw as f64)) as u64;
    }
    here as u32
}

impl Hashing for Jump {
    fn rebuild(&mut self, weights: &[f64], _now: SimTime) {
        self.open.clear();
        self.open.extend((0..weights.len() as u32).filter(|&s| weights[s as usize] > 0.0));
    }

    fn lookup(&self, key: u64, _outstanding: &[u32]) -> Option<u32> {
        if self.open.is_empty() {
            return None;
        }
        Some(self.open[place(salted(key, self.seed), self.open.len() as u32) as usize])
    }
}
