//! Servers in order of their outstanding requests, kept in order as counts rise and fall by one.
//!
//! The order is an array of servers cut into runs of equal counts. One up: the server changes
//! places with the last of its run and the border moves left over it; one down: the other way
//! round. No step looks at more than one server, whatever their number (the bucket structure of
//! Matula and Beck, "Smallest-last ordering", 1983).

/// Marks a server that is not in the order.
const OUT: u32 = u32::MAX;

/// Servers in order of their counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Servers, least loaded first.
    order: Vec<u32>,
    /// Position of each server in `order`; [`OUT`] if it is not there.
    position: Vec<u32>,
    /// Where in `order` the servers with at least this count begin.
    start: Vec<u32>,
    /// The least count; 0 without servers.
    floor: usize,
}

impl Levels {
    /// Orders anew the servers for which `member` holds, by `count`.
    pub fn rebuild(&mut self, count: &[u32], member: impl Fn(usize) -> bool) {
        let servers = count.len();
        self.position.clear();
        self.position.resize(servers, OUT);
        self.start.clear();
        self.floor = 0;
        for server in (0..servers).filter(|&server| member(server)) {
            let level = count[server] as usize + 1;
            if self.start.len() <= level {
                self.start.resize(level + 1, 0);
            }
            self.start[level] += 1;
        }
        let mut sum = 0;
        for entry in &mut self.start {
            sum += *entry;
            *entry = sum;
        }
        self.order.clear();
        self.order.resize(sum as usize, 0);
        // Each run is filled from its begin, which moves on; moved back afterwards.
        for server in (0..servers).filter(|&server| member(server)) {
            let at = &mut self.start[count[server] as usize];
            self.order[*at as usize] = server as u32;
            self.position[server] = *at;
            *at += 1;
        }
        for level in (1..self.start.len()).rev() {
            self.start[level] = self.start[level - 1];
        }
        if let Some(first) = self.start.first_mut() {
            *first = 0;
        }
        self.floor = self.start.iter().rposition(|&before| before == 0).unwrap_or(0);
    }

    /// The count of a server rose from `count` to one more.
    #[inline]
    pub fn up(&mut self, server: u32, count: u32) {
        let position = self.position[server as usize];
        if position == OUT {
            return;
        }
        let next = count as usize + 1;
        if self.start.len() <= next {
            self.start.resize(next + 1, self.order.len() as u32);
        }
        self.start[next] -= 1;
        self.exchange(position, self.start[next]);
        if self.start[next] == 0 {
            self.floor = next;
        }
    }

    /// The count of a server fell from `count`, above 0, to one less.
    #[inline]
    pub fn down(&mut self, server: u32, count: u32) {
        let position = self.position[server as usize];
        if position == OUT {
            return;
        }
        let border = self.start[count as usize];
        self.start[count as usize] += 1;
        self.floor = self.floor.min(count as usize - 1);
        self.exchange(position, border);
    }

    #[inline]
    fn exchange(&mut self, a: u32, b: u32) {
        let (first, second) = (self.order[a as usize], self.order[b as usize]);
        self.order[a as usize] = second;
        self.order[b as usize] = first;
        self.position[first as usize] = b;
        self.position[second as usize] = a;
    }

    /// All servers with the least count; empty if there are no servers.
    ///
    /// The order among them depends on what happened before, so a tie must be broken by a draw.
    #[must_use]
    #[inline]
    pub fn least(&self) -> &[u32] {
        let end = self.start.get(self.floor + 1).map_or(self.order.len(), |&end| end as usize);
        &self.order[..end]
    }

    /// All servers with a count of 0.
    #[must_use]
    #[inline]
    pub fn idle(&self) -> &[u32] {
        let end = self.start.get(1).map_or(self.order.len(), |&end| end as usize);
        &self.order[..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_look_at_all(
            steps in prop::collection::vec((0_usize..7, any::<bool>()), 0..200),
            first in prop::collection::vec(0_u32..4, 7),
            members in prop::collection::vec(any::<bool>(), 7),
        ) {
            let mut count = first;
            let mut levels = Levels::default();
            levels.rebuild(&count, |server| members[server]);
            for (server, up) in steps {
                if up {
                    levels.up(server as u32, count[server]);
                    count[server] += 1;
                } else if count[server] > 0 {
                    levels.down(server as u32, count[server]);
                    count[server] -= 1;
                }
                let least = (0..7).filter(|&i| members[i]).map(|i| count[i]).min();
                let of = |value| {
                    (0..7_u32)
                        .filter(|&i| members[i as usize] && Some(count[i as usize]) == value)
                        .collect::<Vec<_>>()
                };
                let sorted = |servers: &[u32]| {
                    let mut servers = servers.to_vec();
                    servers.sort_unstable();
                    servers
                };
                prop_assert_eq!(sorted(levels.least()), of(least));
                prop_assert_eq!(sorted(levels.idle()), of(Some(0)));
            }
        }
    }
}
