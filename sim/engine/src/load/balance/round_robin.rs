//! Smooth weighted round robin: each server as often as its weight says, never in bursts.
//!
//! Model: each pick adds its weight to every server's score, takes the highest score (the first of
//! equals), and subtracts the sum of weights from it. Weights 5, 1, 1 give a a b a c a a. With
//! equal weights that is plain round robin, which is done without a look at all servers.
//!
//! Source: NGINX, `ngx_http_upstream_round_robin.c` ("smooth weighted round-robin balancing",
//! 2012).

use super::roster::Roster;
use super::{Ask, Balancer, Seen};
use crate::kernel::Stream;

/// See the module.
#[derive(Debug, Default)]
pub struct RoundRobin {
    roster: Roster,
    /// Score of each server.
    score: Vec<f64>,
    /// With equal weights: the server picked last.
    last: Option<u32>,
}

impl Balancer for RoundRobin {
    #[inline]
    fn pick(&mut self, _ask: &Ask, seen: &Seen<'_>, _draw: &mut Stream) -> Option<u32> {
        if self.roster.update(seen) {
            self.score.resize(seen.weight.len(), 0.0);
            for (server, score) in self.score.iter_mut().enumerate() {
                // Who comes back starts without debts.
                if !seen.takes_work(server) {
                    *score = 0.0;
                }
            }
        }
        let open = self.roster.open();
        if open.is_empty() {
            return None;
        }
        let server = if self.roster.equal() { self.next(seen) } else { self.highest(seen) };
        self.last = Some(server);
        Some(server)
    }
}

impl RoundRobin {
    fn next(&self, seen: &Seen<'_>) -> u32 {
        let open = self.roster.open();
        let Some(last) = self.last else { return open[0] };
        let mut server = last + 1;
        // All take work in most cases, so the next one is found at once.
        while (server as usize) < seen.weight.len() {
            if seen.takes_work(server as usize) {
                return server;
            }
            server += 1;
        }
        open[0]
    }

    fn highest(&mut self, seen: &Seen<'_>) -> u32 {
        let mut total = 0.0;
        let mut best = self.roster.open()[0];
        for &server in self.roster.open() {
            let weight = seen.weight[server as usize];
            let score = &mut self.score[server as usize];
            *score += weight;
            total += weight;
            if self.score[server as usize] > self.score[best as usize] {
                best = server;
            }
        }
        self.score[best as usize] -= total;
        best
    }
}
