//! Least connections, which is join the shortest queue: the server with the fewest requests in
//! flight; ties by chance.
//!
//! Model: with equal weights the least count. With unequal ones the least (count + 1) / weight,
//! the load the server would have with this request. [`JoinIdle`] is join the idle queue: an idle
//! server if there is one, else any.
//!
//! Source: HAProxy `leastconn`, NGINX `least_conn`; W. Winston, "Optimality of the shortest line
//! discipline", 1977. Idle queue: Y. Lu et al., "Join-Idle-Queue", 2011.

use super::roster::Roster;
use super::{Ask, Balancer, Seen};
use crate::kernel::Stream;

/// Least connections; see the module.
#[derive(Debug, Default)]
pub struct LeastConnections {
    roster: Roster,
}

impl Balancer for LeastConnections {
    #[inline]
    fn pick(&mut self, _ask: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        self.roster.update(seen);
        match seen.levels {
            Some(levels) if self.roster.equal() => any_of(levels.least(), draw),
            _ => {
                let load = |server: u32| {
                    let server = server as usize;
                    f64::from(seen.outstanding[server] + 1) / seen.weight[server]
                };
                least(self.roster.open(), load, draw)
            }
        }
    }

    fn wants_levels(&self) -> bool {
        true
    }
}

/// Join the idle queue; see the module.
#[derive(Debug, Default)]
pub struct JoinIdle {
    roster: Roster,
}

impl Balancer for JoinIdle {
    #[inline]
    fn pick(&mut self, _ask: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        self.roster.update(seen);
        let idle = match seen.levels {
            Some(levels) => any_of(levels.idle(), draw),
            None => {
                let idle = |server: &&u32| seen.outstanding[**server as usize] == 0;
                let count = self.roster.open().iter().filter(idle).count();
                let rank = draw.below(count as u64) as usize;
                self.roster.open().iter().filter(idle).nth(rank).copied()
            }
        };
        idle.or_else(|| self.roster.draw(draw))
    }

    fn wants_levels(&self) -> bool {
        true
    }
}

/// One of some servers, all alike; none of none.
#[inline]
fn any_of(servers: &[u32], draw: &mut Stream) -> Option<u32> {
    match servers {
        [] => None,
        [only] => Some(*only),
        _ => Some(servers[draw.below(servers.len() as u64) as usize]),
    }
}

/// A server with the least load; ties by chance.
pub(crate) fn least(servers: &[u32], load: impl Fn(u32) -> f64, draw: &mut Stream) -> Option<u32> {
    let (mut lowest, mut ties, mut found) = (f64::INFINITY, 0_u64, None);
    for &server in servers {
        let load = load(server);
        if load < lowest {
            (lowest, ties, found) = (load, 1, Some(server));
        } else if load == lowest {
            ties += 1;
        }
    }
    if ties <= 1 {
        return found;
    }
    let rank = draw.below(ties) as usize;
    servers.iter().copied().filter(|&server| load(server) == lowest).nth(rank)
}
