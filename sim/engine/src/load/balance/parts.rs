//! Servers in groups, each with a balancer of its own: what balancers over balancers are made of.

use super::spec::{BalancerSpec, Setting};
use super::{Ask, Balancer, Seen};
use crate::kernel::{SimTime, Stream};

/// One group.
#[derive(Debug)]
struct Part {
    inner: Box<dyn Balancer>,
    /// Weights of all servers, 0 outside the group.
    weight: Vec<f64>,
    totals: Totals,
}

/// What a group has.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Totals {
    /// Sum of weights of servers that take work.
    pub capacity: f64,
    /// Servers with a weight.
    pub hosts: u32,
    /// Of these, healthy ones.
    pub healthy: u32,
}

/// All groups, numbered from 0.
#[derive(Debug)]
pub(crate) struct Parts {
    spec: BalancerSpec,
    setting: Setting,
    group: Vec<u16>,
    parts: Vec<Part>,
    /// Says that all are healthy: for a group in panic.
    all_healthy: Vec<bool>,
    version: Option<u64>,
}

impl Parts {
    /// Groups that balance by `spec`.
    pub(crate) fn new(spec: BalancerSpec, setting: Setting) -> Parts {
        let all_healthy = vec![true; setting.servers];
        Parts { spec, setting, group: Vec::new(), parts: Vec::new(), all_healthy, version: None }
    }

    /// Takes new weights and health; `group` says where each server belongs. True if anything
    /// changed.
    pub(crate) fn update(&mut self, seen: &Seen<'_>, group: &[u16]) -> bool {
        if self.version == Some(seen.version) {
            return false;
        }
        self.version = Some(seen.version);
        self.group.clear();
        self.group.extend_from_slice(group);
        let count = group.iter().max().map_or(0, |&last| usize::from(last) + 1);
        while self.parts.len() < count {
            let inner = self.spec.build(&self.setting.part(self.parts.len() as u64));
            self.parts.push(Part { inner, weight: Vec::new(), totals: Totals::default() });
        }
        for (number, part) in self.parts.iter_mut().enumerate() {
            let mut totals = Totals::default();
            part.weight.clear();
            for (server, &weight) in seen.weight.iter().enumerate() {
                let inside = usize::from(group[server]) == number;
                part.weight.push(if inside { weight } else { 0.0 });
                if inside && weight > 0.0 {
                    totals.hosts += 1;
                    totals.healthy += u32::from(seen.healthy[server]);
                    totals.capacity += if seen.healthy[server] { weight } else { 0.0 };
                }
            }
            part.totals = totals;
        }
        true
    }

    /// Number of groups.
    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    /// What a group has.
    pub(crate) fn totals(&self, number: usize) -> Totals {
        self.parts[number].totals
    }

    /// A server of a group; in `panic` whatever its health.
    pub(crate) fn pick(
        &mut self,
        number: usize,
        panic: bool,
        ask: &Ask,
        seen: &Seen<'_>,
        draw: &mut Stream,
    ) -> Option<u32> {
        let part = &mut self.parts[number];
        let healthy = if panic { &self.all_healthy } else { seen.healthy };
        // Two numbers a version: the table of a group in panic is another one.
        let version = 2 * seen.version + u64::from(panic);
        let inside = Seen { weight: &part.weight, healthy, version, levels: None, ..*seen };
        part.inner.pick(ask, &inside, draw)
    }

    /// Whether packets still reach a server, as far as its group decides; in `panic` whatever its
    /// health.
    pub(crate) fn reaches(&mut self, panic: bool, ask: &Ask, seen: &Seen<'_>, owner: u32) -> bool {
        let group = usize::from(self.group[owner as usize]);
        let part = &mut self.parts[group];
        let healthy = if panic { &self.all_healthy } else { seen.healthy };
        let version = 2 * seen.version + u64::from(panic);
        let inside = Seen { weight: &part.weight, healthy, version, levels: None, ..*seen };
        part.inner.reaches(ask, &inside, owner)
    }

    fn part_of(&mut self, server: u32) -> Option<&mut Part> {
        let group = usize::from(*self.group.get(server as usize)?);
        self.parts.get_mut(group)
    }

    pub(crate) fn closed(&mut self, key: u64) {
        self.parts.iter_mut().for_each(|part| part.inner.closed(key));
    }

    pub(crate) fn finished(&mut self, server: u32, now: SimTime, latency_s: f64, ok: bool) {
        if let Some(part) = self.part_of(server) {
            part.inner.finished(server, now, latency_s, ok);
        }
    }

    pub(crate) fn probed(&mut self, server: u32, now: SimTime, in_flight: u32, latency_s: f64) {
        if let Some(part) = self.part_of(server) {
            part.inner.probed(server, now, in_flight, latency_s);
        }
    }

    pub(crate) fn probes_per_request(&self) -> f64 {
        self.parts.first().map_or(0.0, |part| part.inner.probes_per_request())
    }
}
