//! Ring hash with bounded loads: the next server on the ring that is not full.
//!
//! Model: with `m` requests in flight, the new one counted, a server of share `s` of the weights
//! holds at most `ceil((1 + excess) m s)` of them. A key belongs to the first server from its
//! point on that has room.
//!
//! Source: V. Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent hashing with bounded loads",
//! SODA 2018; HAProxy `hash-balance-factor`.

use super::Hashing;
use super::ring::Ring;
use crate::kernel::SimTime;

/// See the module.
#[derive(Debug)]
pub struct BoundedRing {
    ring: Ring,
    excess: f64,
    /// Share of the weights of each server.
    share: Vec<f64>,
}

impl BoundedRing {
    /// An empty ring; `excess` above 0.
    #[must_use]
    pub fn new(points: u32, excess: f64, seed: u64) -> BoundedRing {
        assert!(excess > 0.0, "a bound leaves room");
        BoundedRing { ring: Ring::new(points, seed), excess, share: Vec::new() }
    }
}

impl Hashing for BoundedRing {
    fn rebuild(&mut self, weights: &[f64], now: SimTime) {
        self.ring.rebuild(weights, now);
        let total: f64 = weights.iter().sum();
        self.share.clear();
        self.share.extend(weights.iter().map(|weight| weight / total.max(f64::MIN_POSITIVE)));
    }

    fn lookup(&self, key: u64, outstanding: &[u32]) -> Option<u32> {
        let position = self.ring.position(key)?;
        let sum: u64 = outstanding.iter().map(|&count| u64::from(count)).sum();
        let scale = (1.0 + self.excess) * (sum + 1) as f64;
        // Holding fewer than x is holding at most ceil(x) - 1: one more fits.
        let room = |server: &u32| {
            f64::from(outstanding[*server as usize]) < scale * self.share[*server as usize]
        };
        let mut around = self.ring.from(position);
        // The bounds add up to more than all requests. Only those that servers hold which take no
        // work any more can fill all others; then the first one takes it.
        let first = around.next()?;
        if room(&first) { Some(first) } else { Some(around.find(room).unwrap_or(first)) }
    }
}
