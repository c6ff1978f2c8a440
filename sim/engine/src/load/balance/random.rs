//! Random: a server by chance, in proportion to weight. No knowledge of load, no memory.
//!
//! Source: the baseline of all comparisons, such as M. Mitzenmacher, "The power of two choices in
//! randomized load balancing", 1996. With equal servers and Poisson arrivals each is M/G/1.

use super::roster::Roster;
use super::{Ask, Balancer, Seen};
use crate::kernel::Stream;

/// See the module.
#[derive(Debug, Default)]
pub struct Random {
    roster: Roster,
}

impl Balancer for Random {
    #[inline]
    fn pick(&mut self, _ask: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        self.roster.update(seen);
        self.roster.draw(draw)
    }
}
