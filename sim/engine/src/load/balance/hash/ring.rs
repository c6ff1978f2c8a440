//! Ring hash: consistent hashing with many points a server.
//!
//! Model: each server has points on a circle of 2^64; a key belongs to the next point. The number
//! of points is `points x weight / mean weight`, at least 1, where the mean is that of the first
//! table, so that points never move because other servers come or go. When a server leaves, its
//! keys alone move, spread over the others.
//!
//! Source: D. Karger et al., "Consistent hashing and random trees", STOC 1997; libketama, 2007
//! (160 points).

use super::{Hashing, of_server, salted};
use crate::kernel::SimTime;

/// Most points of one server.
pub const POINTS_MAX: u32 = 1 << 16;

/// See the module.
#[derive(Debug)]
pub struct Ring {
    seed: u64,
    points: u32,
    unit: Option<f64>,
    /// Points in order.
    at: Vec<u64>,
    /// Server of each point.
    owner: Vec<u32>,
}

impl Ring {
    /// An empty ring with 1 to [`POINTS_MAX`] points for a server of mean weight.
    #[must_use]
    pub fn new(points: u32, seed: u64) -> Ring {
        assert!((1..=POINTS_MAX).contains(&points), "points are within their range");
        Ring { seed, points, unit: None, at: Vec::new(), owner: Vec::new() }
    }

    /// Position of the first point at or after a key's place; none on an empty ring.
    #[inline]
    pub(super) fn position(&self, key: u64) -> Option<usize> {
        let hash = salted(key, self.seed);
        let position = self.at.partition_point(|&point| point < hash);
        if position < self.at.len() {
            return Some(position);
        }
        (!self.at.is_empty()).then_some(0)
    }

    /// Servers from a position on, once round the ring.
    pub(super) fn from(&self, position: usize) -> impl Iterator<Item = u32> {
        self.owner[position..].iter().chain(&self.owner[..position]).copied()
    }
}

impl Hashing for Ring {
    fn rebuild(&mut self, weights: &[f64], _now: SimTime) {
        let open = || (0..weights.len() as u32).filter(|&server| weights[server as usize] > 0.0);
        let total: f64 = weights.iter().sum();
        if self.unit.is_none() && total > 0.0 {
            self.unit = Some(total / open().count() as f64);
        }
        let unit = self.unit.unwrap_or(1.0);
        let mut points = Vec::new();
        for server in open() {
            let wanted = f64::from(self.points) * weights[server as usize] / unit;
            // The cast rounds down; half a point more rounds to the nearest.
            let count = ((wanted + 0.5) as u32).clamp(1, POINTS_MAX);
            points.extend(
                (0..u64::from(count)).map(|index| (of_server(server, index, self.seed), server)),
            );
        }
        points.sort_unstable();
        (self.at, self.owner) = points.into_iter().unzip();
    }

    #[inline]
    fn lookup(&self, key: u64, _outstanding: &[u32]) -> Option<u32> {
        self.position(key).map(|position| self.owner[position])
    }
}
