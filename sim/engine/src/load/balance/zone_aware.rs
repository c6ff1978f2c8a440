//! Zone-aware routing as in Envoy: traffic stays in its zone as far as all servers get the same
//! rate.
//!
//! Model: zone `z` sends the share `o` of all requests and has the share `u` of all capacity that
//! takes work. If `u >= o` all of its requests stay. Else the part `u / o` stays and the rest goes
//! to zones with capacity to spare, in proportion to `u - o` there. With fewer than `hosts_min`
//! servers that take work zones do not matter.
//!
//! Where the shares of requests are not given they are counted, old ones forgotten by halves.
//!
//! Source: Envoy documentation, "Zone aware routing".

use super::parts::Parts;
use super::spec::{BalancerSpec, Setting};
use super::{Ask, Balancer, Seen};
use crate::kernel::{SimTime, Stream};

/// Requests after which counts of requests by zone are halved.
const MEMORY: f64 = 10_000.0;

/// See the module.
#[derive(Debug)]
pub struct ZoneAware {
    /// One part a zone.
    zones: Parts,
    /// All servers, for when there are few.
    everywhere: Box<dyn Balancer>,
    hosts_min: u32,
    /// Share of all requests that each zone sends; empty: counted.
    origin: Vec<f64>,
    /// Requests of each zone.
    count: Vec<f64>,
    counted: f64,
}

impl ZoneAware {
    /// Zones that balance inside by `inner`. Shares of requests come from the setting.
    #[must_use]
    pub fn new(inner: BalancerSpec, setting: &Setting, hosts_min: u32) -> ZoneAware {
        let everywhere = inner.build(&setting.part(u64::from(u16::MAX) + 1));
        let total: f64 = setting.zone_rate.iter().sum();
        let origin = setting.zone_rate.iter().map(|rate| rate / total).collect();
        let zones = Parts::new(inner, setting.clone());
        ZoneAware { zones, everywhere, hosts_min, origin, count: Vec::new(), counted: 0.0 }
    }

    fn note(&mut self, zone: usize) {
        if self.count.len() <= zone {
            self.count.resize(zone + 1, 0.0);
        }
        self.count[zone] += 1.0;
        self.counted += 1.0;
        if self.counted >= MEMORY {
            self.counted *= 0.5;
            self.count.iter_mut().for_each(|count| *count *= 0.5);
        }
    }

    fn origin(&self, zone: usize) -> f64 {
        if self.origin.is_empty() {
            self.count.get(zone).map_or(0.0, |count| count / self.counted)
        } else {
            self.origin.get(zone).copied().unwrap_or(0.0)
        }
    }

    /// The zone that serves a request of another; none if none has capacity.
    fn zone(&self, from: usize, draw: &mut Stream) -> Option<usize> {
        let capacity: f64 =
            (0..self.zones.len()).map(|zone| self.zones.totals(zone).capacity).sum();
        if capacity <= 0.0 {
            return None;
        }
        let upstream = |zone: usize| {
            if zone < self.zones.len() { self.zones.totals(zone).capacity / capacity } else { 0.0 }
        };
        let (here, sent) = (upstream(from), self.origin(from));
        if here > 0.0 && (here >= sent || draw.uniform() * sent < here) {
            return Some(from);
        }
        let spare = |zone: usize| (upstream(zone) - self.origin(zone)).max(0.0);
        let total: f64 = (0..self.zones.len()).map(spare).sum();
        // Shares of requests that do not match any capacity leave nothing to spare: by capacity.
        let part = |zone: usize| if total > 0.0 { spare(zone) / total } else { upstream(zone) };
        let mut at = draw.uniform();
        let mut last = None;
        for zone in (0..self.zones.len()).filter(|&zone| part(zone) > 0.0) {
            last = Some(zone);
            if at < part(zone) {
                break;
            }
            at -= part(zone);
        }
        last
    }

    fn few(&self) -> bool {
        let hosts: u32 = (0..self.zones.len()).map(|zone| self.zones.totals(zone).healthy).sum();
        hosts < self.hosts_min
    }
}

impl Balancer for ZoneAware {
    fn pick(&mut self, ask: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        self.zones.update(seen, seen.zone);
        let from = usize::from(ask.zone);
        self.note(from);
        if self.few() {
            return self.everywhere.pick(ask, seen, draw);
        }
        let zone = self.zone(from, draw)?;
        self.zones.pick(zone, false, ask, seen, draw)
    }

    fn reaches(&mut self, ask: &Ask, seen: &Seen<'_>, owner: u32) -> bool {
        self.zones.update(seen, seen.zone);
        if self.few() {
            return self.everywhere.reaches(ask, seen, owner);
        }
        self.zones.reaches(false, ask, seen, owner)
    }

    fn closed(&mut self, key: u64) {
        self.zones.closed(key);
        self.everywhere.closed(key);
    }

    fn finished(&mut self, server: u32, now: SimTime, latency_s: f64, ok: bool) {
        self.zones.finished(server, now, latency_s, ok);
        self.everywhere.finished(server, now, latency_s, ok);
    }

    fn probed(&mut self, server: u32, now: SimTime, in_flight: u32, latency_s: f64) {
        self.zones.probed(server, now, in_flight, latency_s);
        self.everywhere.probed(server, now, in_flight, latency_s);
    }

    fn probes_per_request(&self) -> f64 {
        self.everywhere.probes_per_request()
    }
}
