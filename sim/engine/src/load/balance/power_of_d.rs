//! Power of d choices: the least loaded of a few servers drawn by chance.
//!
//! Model: `d` draws, distinct or with replacement, in proportion to weight; of these the one with
//! the least (count + 1) / weight, the first drawn of equals. With equal weights that is the least
//! count. With as many distinct draws as servers it is least connections.
//!
//! Source: M. Mitzenmacher, "The power of two choices in randomized load balancing", 1996;
//! N. Vvedenskaya et al., 1996. NGINX `random two least_conn`, HAProxy `random(d)`.

use super::least_connections::least;
use super::roster::Roster;
use super::{Ask, Balancer, Seen};
use crate::kernel::Stream;

/// Most draws a pick.
pub const DRAWS_MAX: u32 = 32;

/// How often a draw is repeated to find a server that was not drawn yet. It is not found in time
/// only where one server has nearly all the weight; then fewer are compared.
const TRIES: usize = 64;

/// See the module.
#[derive(Debug)]
pub struct PowerOfD {
    draws: u32,
    distinct: bool,
    roster: Roster,
}

impl PowerOfD {
    /// A balancer with 1 to [`DRAWS_MAX`] draws.
    #[must_use]
    pub fn new(draws: u32, distinct: bool) -> PowerOfD {
        assert!((1..=DRAWS_MAX).contains(&draws), "draws are within their range");
        PowerOfD { draws, distinct, roster: Roster::default() }
    }
}

impl Balancer for PowerOfD {
    #[inline]
    fn pick(&mut self, _ask: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        self.roster.update(seen);
        if self.roster.equal() {
            if self.draws == 2 {
                let (a, b) = self.roster.draw_pair(self.distinct, draw)?;
                let count = |server: u32| seen.outstanding[server as usize];
                return Some(if count(b) < count(a) { b } else { a });
            }
            let load = |server: u32| f64::from(seen.outstanding[server as usize]);
            return self.best(load, Roster::draw_evenly, draw);
        }
        let load = |server: u32| {
            f64::from(seen.outstanding[server as usize] + 1) / seen.weight[server as usize]
        };
        self.best(load, Roster::draw, draw)
    }
}

impl PowerOfD {
    fn best(
        &self,
        load: impl Fn(u32) -> f64,
        one: impl Fn(&Roster, &mut Stream) -> Option<u32>,
        draw: &mut Stream,
    ) -> Option<u32> {
        let draws = self.draws as usize;
        if self.distinct && draws >= self.roster.open().len() {
            return least(self.roster.open(), load, draw);
        }
        let mut drawn = [0_u32; DRAWS_MAX as usize];
        let mut best: Option<(f64, u32)> = None;
        let mut count = 0;
        for _ in 0..draws * TRIES {
            let server = one(&self.roster, draw)?;
            if self.distinct && drawn[..count].contains(&server) {
                continue;
            }
            drawn[count] = server;
            count += 1;
            let load = load(server);
            if best.is_none_or(|(lowest, _)| load < lowest) {
                best = Some((load, server));
            }
            if count == draws {
                break;
            }
        }
        best.map(|(_, server)| server)
    }
}
