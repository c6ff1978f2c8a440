//! Maglev hashing: a lookup table of prime size with nearly equal shares and little disruption.
//!
//! Model: each server has its own order of all entries, `offset + j skip mod size`. In turns each
//! takes the first entry of its order that is free. A server below the largest weight sits out some
//! turns: in turn `i` it takes part if `i w >= t`, after which `t` rises by the largest weight, so
//! two servers of weights 1 and 2 get 21,846 and 43,691 of 65,537 entries.
//!
//! Source: D. Eisenbud et al., "Maglev: a fast and reliable software network load balancer", NSDI
//! 2016, section 3.4; weights as in Envoy, `maglev_lb.cc`.

use super::{Hashing, of_server, salted, scaled};
use crate::kernel::SimTime;

/// Entries unless said otherwise, as in the paper and Envoy.
pub const TABLE: u32 = 65_537;

/// See the module.
#[derive(Debug)]
pub struct Maglev {
    seed: u64,
    size: u32,
    table: Vec<u32>,
}

/// One server while the table is filled.
struct Turn {
    server: u32,
    /// The next entry it would take.
    next: u32,
    skip: u32,
    weight: f64,
    /// Sum of largest weights over the turns it took.
    target: f64,
}

impl Maglev {
    /// An empty table of a prime number of entries.
    #[must_use]
    pub fn new(size: u32, seed: u64) -> Maglev {
        assert!(is_prime(size), "only a prime size lets every order reach every entry");
        Maglev { seed, size, table: Vec::new() }
    }

    fn turns(&self, weights: &[f64]) -> Vec<Turn> {
        let mut turns = Vec::new();
        for (server, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            let server = server as u32;
            let size = u64::from(self.size);
            turns.push(Turn {
                server,
                next: (of_server(server, 0, self.seed) % size) as u32,
                skip: (of_server(server, 1, self.seed) % (size - 1).max(1)) as u32 + 1,
                weight,
                target: 0.0,
            });
        }
        turns
    }
}

/// Whether a number is prime.
#[must_use]
pub fn is_prime(number: u32) -> bool {
    number >= 2
        && (2..).take_while(|f| f * f <= u64::from(number)).all(|f| u64::from(number) % f != 0)
}

impl Hashing for Maglev {
    fn rebuild(&mut self, weights: &[f64], _now: SimTime) {
        const FREE: u32 = u32::MAX;
        let mut turns = self.turns(weights);
        let largest = turns.iter().map(|turn| turn.weight).fold(0.0, f64::max);
        self.table.clear();
        if turns.is_empty() {
            return;
        }
        self.table.resize(self.size as usize, FREE);
        let mut left = self.size;
        let mut round = 0.0;
        while left > 0 {
            round += 1.0;
            for turn in turns.iter_mut().filter(|turn| round * turn.weight >= turn.target) {
                if left == 0 {
                    break;
                }
                turn.target += largest;
                while self.table[turn.next as usize] != FREE {
                    turn.step(self.size);
                }
                self.table[turn.next as usize] = turn.server;
                turn.step(self.size);
                left -= 1;
            }
        }
    }

    #[inline]
    fn lookup(&self, key: u64, _outstanding: &[u32]) -> Option<u32> {
        self.table.get(scaled(salted(key, self.seed), self.table.len())).copied()
    }

    fn entries(&self) -> Option<&[u32]> {
        Some(&self.table)
    }
}

impl Turn {
    #[inline]
    fn step(&mut self, size: u32) {
        let next = u64::from(self.next) + u64::from(self.skip);
        self.next =
            if next >= u64::from(size) { (next - u64::from(size)) as u32 } else { next as u32 };
    }
}
