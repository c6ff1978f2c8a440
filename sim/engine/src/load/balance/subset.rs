//! Deterministic subsetting: each balancer knows only some of the servers.
//!
//! Model: with `n` servers and subsets of `size`, `n / size` balancers in a row form a round. Each
//! round shuffles all servers in its own way and cuts them into slices, one a balancer. So each
//! server is in the subsets of equally many balancers, but for what `n` modulo `size` leaves over,
//! and the balancers of a lost server spread over all others.
//!
//! A balancer whose whole subset takes no work picks nobody.
//!
//! Source: B. Beyer et al., "Site Reliability Engineering", 2016, chapter 20, "Deterministic
//! subsetting".

use super::spec::{BalancerSpec, Setting};
use super::{Ask, Balancer, Seen};
use crate::kernel::{SimTime, Stream, StreamKey};

/// The subset of a balancer, ascending.
#[must_use]
pub fn members(servers: u32, size: u32, balancer: u32, seed: u64) -> Vec<u32> {
    if size == 0 || size >= servers {
        return (0..servers).collect();
    }
    let slices = servers / size;
    let round = u64::from(balancer / slices);
    let purpose = "balancer-subset";
    let mut draw = Stream::new(StreamKey { seed, replication: 0, purpose, entity: round });
    let mut shuffled: Vec<u32> = (0..servers).collect();
    for last in (1..shuffled.len()).rev() {
        shuffled.swap(last, draw.below(last as u64 + 1) as usize);
    }
    let first = ((balancer % slices) * size) as usize;
    let mut members = shuffled[first..first + size as usize].to_vec();
    members.sort_unstable();
    members
}

/// See the module.
#[derive(Debug)]
pub struct Subset {
    inner: Box<dyn Balancer>,
    member: Vec<bool>,
    weight: Vec<f64>,
    version: Option<u64>,
}

impl Subset {
    /// A balancer by `inner` over a subset of `size` servers, at least 1.
    #[must_use]
    pub fn new(inner: &BalancerSpec, setting: &Setting, size: u32) -> Subset {
        let mut member = vec![false; setting.servers];
        for server in members(setting.servers as u32, size, setting.balancer, setting.seed) {
            member[server as usize] = true;
        }
        let inner = inner.build(&setting.part(0));
        Subset { inner, member, weight: Vec::new(), version: None }
    }

    fn update(&mut self, seen: &Seen<'_>) {
        if self.version != Some(seen.version) {
            self.version = Some(seen.version);
            let inside = seen.weight.iter().zip(&self.member);
            self.weight.clear();
            self.weight.extend(inside.map(|(&weight, &inside)| if inside { weight } else { 0.0 }));
        }
    }
}

impl Balancer for Subset {
    fn pick(&mut self, ask: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        self.update(seen);
        let inside = Seen { weight: &self.weight, levels: None, ..*seen };
        self.inner.pick(ask, &inside, draw)
    }

    fn reaches(&mut self, ask: &Ask, seen: &Seen<'_>, owner: u32) -> bool {
        self.update(seen);
        let inside = Seen { weight: &self.weight, levels: None, ..*seen };
        self.inner.reaches(ask, &inside, owner)
    }

    fn closed(&mut self, key: u64) {
        self.inner.closed(key);
    }

    fn finished(&mut self, server: u32, now: SimTime, latency_s: f64, ok: bool) {
        self.inner.finished(server, now, latency_s, ok);
    }

    fn probed(&mut self, server: u32, now: SimTime, in_flight: u32, latency_s: f64) {
        self.inner.probed(server, now, in_flight, latency_s);
    }

    fn probes_per_request(&self) -> f64 {
        self.inner.probes_per_request()
    }
}
