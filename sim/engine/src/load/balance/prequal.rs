//! Hot-cold lexicographic rule over a pool of probes, in the manner of Prequal.
//!
//! Model: probes that came back lie in a small pool. Each says how many requests a server held and
//! how long recent ones took there. A probe is hot if its requests in flight exceed a quantile of
//! what recent probes said. A pick takes the cold probe with the lowest latency; if all are hot,
//! the one with the fewest requests in flight. Its count then rises by one, for the request just
//! sent. A probe leaves the pool when it is too old, was used as often as its budget allows, gives
//! way to a newer one in a full pool, or is removed: some a pick, in turn the oldest and the worst
//! (the hot one with the most requests in flight, else the cold one with the highest latency).
//! With too few probes the pick is by chance.
//!
//! Budget of uses: `max(1, (1 + delta) / ((1 - pool / servers) probes - removals))` in the mean;
//! without limit where the denominator is not above 0.
//!
//! Source: B. Wydrowski et al., "Load is not what you should balance: Introducing Prequal", NSDI
//! 2024, section 4. The weight of a server says only whether it takes work.

use super::roster::Roster;
use super::{Ask, Balancer, Seen};
use crate::kernel::{SimSpan, SimTime, Stream};
use serde::{Deserialize, Serialize};

/// Probes of which the quantile is taken.
const RECENT: usize = 128;

/// Parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PrequalSpec {
    /// Most probes kept, at least 1.
    pub pool: u32,
    /// Probes sent a request, at least 0.
    pub probes: f64,
    /// Probes removed a request, at least 0.
    pub removals: f64,
    /// Quantile of requests in flight above which a probe is hot, 0 to 1.
    pub hot_quantile: f64,
    /// Age at which a probe is dropped.
    pub age_max: SimSpan,
    /// By how much the uses of probes may exceed their supply, at least 0.
    pub delta: f64,
    /// Below this many probes the pick is by chance.
    pub pool_min: u32,
}

impl Default for PrequalSpec {
    fn default() -> PrequalSpec {
        PrequalSpec {
            pool: 16,
            probes: 3.0,
            removals: 1.0,
            hot_quantile: 0.84,
            age_max: SimSpan::from_seconds(1),
            delta: 1.0,
            pool_min: 2,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    server: u32,
    at: SimTime,
    in_flight: u32,
    latency_s: f64,
    uses: u32,
}

/// See the module.
#[derive(Debug)]
pub struct Prequal {
    spec: PrequalSpec,
    servers: usize,
    roster: Roster,
    /// Oldest first.
    pool: Vec<Probe>,
    /// Requests in flight of the last probes, round and round.
    recent: Vec<u32>,
    next: usize,
    /// The same in order.
    sorted: Vec<u32>,
    /// Parts of uses and removals that are still owed.
    uses_owed: f64,
    removals_owed: f64,
    worst_next: bool,
}

impl Prequal {
    /// A balancer with parameters in their ranges.
    #[must_use]
    pub fn new(servers: usize, spec: PrequalSpec) -> Prequal {
        assert!(spec.pool >= 1 && (0.0..=1.0).contains(&spec.hot_quantile), "ranges hold");
        Prequal {
            spec,
            servers,
            roster: Roster::default(),
            pool: Vec::with_capacity(spec.pool as usize + 1),
            recent: Vec::with_capacity(RECENT),
            next: 0,
            sorted: Vec::with_capacity(RECENT),
            uses_owed: 0.0,
            removals_owed: 0.0,
            worst_next: false,
        }
    }

    /// Mean number of uses of a probe; infinite where supply falls short of removals.
    #[must_use]
    pub fn uses_mean(spec: &PrequalSpec, servers: usize) -> f64 {
        let fresh = 1.0 - f64::from(spec.pool) / servers.max(1) as f64;
        let supply = fresh * spec.probes - spec.removals;
        if supply <= 0.0 { f64::INFINITY } else { ((1.0 + spec.delta) / supply).max(1.0) }
    }

    /// Requests in flight above which a probe is hot.
    fn hot_above(&self) -> u32 {
        let Some(last) = self.sorted.len().checked_sub(1) else { return u32::MAX };
        let rank = (self.spec.hot_quantile * self.sorted.len() as f64) as usize;
        self.sorted[rank.min(last)]
    }

    fn remember(&mut self, in_flight: u32) {
        if self.recent.len() < RECENT {
            self.recent.push(in_flight);
        } else {
            let old = std::mem::replace(&mut self.recent[self.next], in_flight);
            self.next = (self.next + 1) % RECENT;
            self.sorted.remove(self.sorted.partition_point(|&value| value < old));
        }
        let at = self.sorted.partition_point(|&value| value < in_flight);
        self.sorted.insert(at, in_flight);
    }

    /// The probe that comes first, or last (`worst`): cold before hot; among cold ones by latency,
    /// among hot ones by requests in flight.
    fn extreme(&self, worst: bool) -> Option<usize> {
        let hot = self.hot_above();
        let mut found: Option<(usize, (bool, f64))> = None;
        for (index, probe) in self.pool.iter().enumerate() {
            let rank = if probe.in_flight > hot {
                (true, f64::from(probe.in_flight))
            } else {
                (false, probe.latency_s)
            };
            if found.is_none_or(|(_, other)| if worst { rank > other } else { rank < other }) {
                found = Some((index, rank));
            }
        }
        found.map(|(index, _)| index)
    }

    fn remove_some(&mut self) {
        self.removals_owed += self.spec.removals;
        while self.removals_owed >= 1.0 {
            self.removals_owed -= 1.0;
            if self.pool.len() as u32 <= self.spec.pool_min {
                continue;
            }
            let index = if self.worst_next { self.extreme(true) } else { Some(0) };
            self.worst_next = !self.worst_next;
            if let Some(index) = index {
                self.pool.remove(index);
            }
        }
    }
}

impl Balancer for Prequal {
    fn pick(&mut self, ask: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        self.roster.update(seen);
        let age_max = self.spec.age_max;
        self.pool.retain(|probe| {
            ask.now.since(probe.at) <= age_max && seen.takes_work(probe.server as usize)
        });
        let found = self.extreme(false).filter(|_| self.pool.len() as u32 >= self.spec.pool_min);
        let Some(index) = found else {
            return self.roster.draw(draw);
        };
        let probe = &mut self.pool[index];
        let server = probe.server;
        probe.in_flight += 1;
        probe.uses = probe.uses.saturating_sub(1);
        if probe.uses == 0 {
            self.pool.remove(index);
        }
        self.remove_some();
        Some(server)
    }

    fn probed(&mut self, server: u32, now: SimTime, in_flight: u32, latency_s: f64) {
        self.remember(in_flight);
        let mean = Prequal::uses_mean(&self.spec, self.servers);
        let uses = if mean.is_finite() {
            self.uses_owed += mean;
            let uses = self.uses_owed as u32;
            self.uses_owed -= f64::from(uses);
            uses
        } else {
            u32::MAX
        };
        self.pool.push(Probe { server, at: now, in_flight, latency_s, uses });
        if self.pool.len() > self.spec.pool as usize {
            self.pool.remove(0);
        }
    }

    fn probes_per_request(&self) -> f64 {
        self.spec.probes
    }
}
