//! Least request as in Envoy.
//!
//! Model: with equal weights, the server with the fewest active requests of `choices` draws with
//! replacement. With unequal weights, weighted round robin with the weights
//! `weight / (active + 1)^bias`: servers stand in a queue by the time their turn comes; who is
//! picked comes again `1 / weight` later, by the weight at that time (earliest deadline first).
//! `bias` 0 is plain weighted round robin.
//!
//! Source: Envoy documentation, "Supported load balancers: weighted least request".

use super::roster::Roster;
use super::{Ask, Balancer, Seen};
use crate::kernel::{Stream, math};

/// A turn of a server in the queue.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Turn {
    deadline: f64,
    /// When it joined the queue: the order of equal deadlines.
    order: u64,
    server: u32,
}

impl Turn {
    fn before(&self, other: &Turn) -> bool {
        (self.deadline, self.order) < (other.deadline, other.order)
    }
}

/// See the module.
#[derive(Debug)]
pub struct LeastRequest {
    choices: u32,
    bias: f64,
    roster: Roster,
    /// Turns as a binary heap, the next one first.
    queue: Vec<Turn>,
    joined: u64,
}

/// Weight of a server in turns: `weight / (active + 1)^bias`.
#[must_use]
pub fn weight_in_turns(weight: f64, active: u32, bias: f64) -> f64 {
    if bias == 1.0 {
        return weight / (f64::from(active) + 1.0);
    }
    weight / math::powf(f64::from(active) + 1.0, bias)
}

impl LeastRequest {
    /// At least 1 choice; `bias` at least 0.
    #[must_use]
    pub fn new(choices: u32, bias: f64) -> LeastRequest {
        assert!(choices >= 1 && bias >= 0.0, "parameters are within their ranges");
        LeastRequest { choices, bias, roster: Roster::default(), queue: Vec::new(), joined: 0 }
    }

    /// Puts a turn to its place below the first, which it replaces.
    fn sift(&mut self, mut at: usize) {
        loop {
            let mut child = 2 * at + 1;
            if child >= self.queue.len() {
                return;
            }
            if child + 1 < self.queue.len() && self.queue[child + 1].before(&self.queue[child]) {
                child += 1;
            }
            if !self.queue[child].before(&self.queue[at]) {
                return;
            }
            self.queue.swap(at, child);
            at = child;
        }
    }

    fn queue_anew(&mut self, seen: &Seen<'_>) {
        self.queue.clear();
        for &server in self.roster.open() {
            let weight = self.weight(server, seen);
            self.queue.push(Turn { deadline: 1.0 / weight, order: self.joined, server });
            self.joined += 1;
        }
        (0..self.queue.len()).rev().for_each(|at| self.sift(at));
    }

    fn weight(&self, server: u32, seen: &Seen<'_>) -> f64 {
        let server = server as usize;
        weight_in_turns(seen.weight[server], seen.outstanding[server], self.bias)
    }
}

impl Balancer for LeastRequest {
    fn pick(&mut self, _ask: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        let renewed = self.roster.update(seen);
        if self.roster.equal() {
            self.queue.clear();
            let count = |server: u32| seen.outstanding[server as usize];
            let (mut best, other) = self.roster.draw_pair(false, draw)?;
            if self.choices > 1 && count(other) < count(best) {
                best = other;
            }
            for _ in 2..self.choices {
                let other = self.roster.draw_evenly(draw)?;
                if count(other) < count(best) {
                    best = other;
                }
            }
            return Some(best);
        }
        if renewed {
            self.queue_anew(seen);
        }
        let first = *self.queue.first()?;
        let deadline = first.deadline + 1.0 / self.weight(first.server, seen);
        self.queue[0] = Turn { deadline, order: self.joined, ..first };
        self.joined += 1;
        self.sift(0);
        Some(first.server)
    }
}
