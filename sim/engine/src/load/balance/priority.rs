//! Priority levels with spill and panic mode, as in Envoy.
//!
//! Model: the health of a level is the share of its servers that are healthy times the
//! overprovisioning factor, in whole percent, at most 100. Levels take load in order, each its
//! health relative to the sum of all (at most 100), until 100 % are given out; what rounding leaves
//! goes to the first level with health. A level whose share of healthy servers is below the panic
//! threshold ignores health, unless the healths add up to 100 %. If no level has any health, all
//! panic and load follows the number of servers.
//!
//! Source: Envoy documentation, "Priority levels" and "Panic threshold".

use super::parts::Parts;
use super::spec::{BalancerSpec, Setting};
use super::{Ask, Balancer, Seen};
use crate::kernel::{SimTime, Stream};

/// Load of each level in whole percent, and whether it panics. `levels`: healthy servers and all
/// servers of each. `overprovisioning_percent` is 140 and `panic_percent` 50 in Envoy.
#[must_use]
pub fn loads(
    levels: &[(u32, u32)],
    overprovisioning_percent: u32,
    panic_percent: u32,
) -> Vec<(u32, bool)> {
    let health: Vec<u64> = levels
        .iter()
        .map(|&(healthy, hosts)| {
            let scaled = u64::from(overprovisioning_percent) * u64::from(healthy);
            scaled.checked_div(u64::from(hosts)).unwrap_or(0).min(100)
        })
        .collect();
    let sum = health.iter().sum::<u64>().min(100);
    if sum == 0 {
        let counts: Vec<f64> = levels.iter().map(|&(_, hosts)| f64::from(hosts)).collect();
        let shares = super::hash::buckets::whole(&counts, 100);
        return shares.into_iter().map(|share| (share, panic_percent > 0)).collect();
    }
    let mut left = 100;
    let mut out = Vec::new();
    for (&health, &(healthy, hosts)) in health.iter().zip(levels) {
        // To the nearest percent.
        let load = ((2 * 100 * health + sum) / (2 * sum)).min(left);
        left -= load;
        let few = u64::from(healthy) * 100 < u64::from(panic_percent) * u64::from(hosts);
        out.push((load as u32, few && sum < 100));
    }
    if let Some(first) = health.iter().position(|&health| health > 0) {
        out[first].0 += left as u32;
    }
    out
}

/// See the module.
#[derive(Debug)]
pub struct Priority {
    parts: Parts,
    overprovisioning_percent: u32,
    panic_percent: u32,
    loads: Vec<(u32, bool)>,
}

impl Priority {
    /// Levels that balance inside by `inner`.
    #[must_use]
    pub fn new(
        inner: BalancerSpec,
        setting: Setting,
        overprovisioning_percent: u32,
        panic_percent: u32,
    ) -> Priority {
        let parts = Parts::new(inner, setting);
        Priority { parts, overprovisioning_percent, panic_percent, loads: Vec::new() }
    }

    fn update(&mut self, seen: &Seen<'_>) {
        if self.parts.update(seen, seen.priority) {
            let of = |number| {
                let totals = self.parts.totals(number);
                (totals.healthy, totals.hosts)
            };
            let levels: Vec<(u32, u32)> = (0..self.parts.len()).map(of).collect();
            self.loads = loads(&levels, self.overprovisioning_percent, self.panic_percent);
        }
    }
}

impl Balancer for Priority {
    fn pick(&mut self, ask: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        self.update(seen);
        let mut at = draw.below(100) as u32;
        let mut chosen = None;
        for (number, &(load, panic)) in self.loads.iter().enumerate() {
            if at < load {
                chosen = Some((number, panic));
                break;
            }
            at -= load;
        }
        let (number, panic) = chosen?;
        self.parts.pick(number, panic, ask, seen, draw)
    }

    fn reaches(&mut self, ask: &Ask, seen: &Seen<'_>, owner: u32) -> bool {
        self.update(seen);
        let level = seen.priority.get(owner as usize).map_or(0, |&level| usize::from(level));
        let panic = self.loads.get(level).is_some_and(|&(_, panic)| panic);
        self.parts.reaches(panic, ask, seen, owner)
    }

    fn closed(&mut self, key: u64) {
        self.parts.closed(key);
    }

    fn finished(&mut self, server: u32, now: SimTime, latency_s: f64, ok: bool) {
        self.parts.finished(server, now, latency_s, ok);
    }

    fn probed(&mut self, server: u32, now: SimTime, in_flight: u32, latency_s: f64) {
        self.parts.probed(server, now, in_flight, latency_s);
    }

    fn probes_per_request(&self) -> f64 {
        self.parts.probes_per_request()
    }
}
