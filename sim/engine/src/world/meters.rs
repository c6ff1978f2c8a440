//! What feeds see: means over their period, with their error, delivered after their delay.

use super::{Event, World, phase, source};
use crate::kernel::{Id, SimSpan, SimTime, Stream, Table};
use crate::net::SiteId;
use crate::scenario::Scenario;
use crate::steer::{ArcReading, FeedKind, Sample, ServersReading, SiteReading, TenantReading};
use std::collections::VecDeque;

/// A sample on its way.
#[derive(Clone, Debug)]
enum InFlight {
    Sites(Sample<Vec<SiteReading>>, Vec<ServersReading>),
    Links(Sample<Vec<ArcReading>>),
    Tenants(Sample<TenantReading>),
    Topology(Sample<Vec<f64>>),
}

/// Integrals since the last sample, and the newest delivered samples.
#[derive(Debug)]
pub(crate) struct Meters {
    /// Whether any policy of the arm reads the feed.
    pub used: [bool; 4],
    pub site_feed: Option<Sample<Vec<SiteReading>>>,
    pub server_feed: Option<Sample<Vec<ServersReading>>>,
    pub link_feed: Option<Sample<Vec<ArcReading>>>,
    pub tenant_feed: Option<Sample<TenantReading>>,
    pub topology_feed: Option<Sample<Vec<f64>>>,
    /// Whether each site answered when last heard of; all do until a `sites` feed says otherwise.
    pub known_alive: Vec<bool>,
    /// A change of topology is to be reported.
    pub topology_changed: bool,
    metered_until: SimTime,
    sampled_at: [SimTime; 4],
    site_utilisation_s: Vec<f64>,
    site_requests: Vec<f64>,
    arc_offered: Vec<f64>,
    arc_dropped: Vec<f64>,
    tenant_offered: Vec<f64>,
    outages: [SimTime; 4],
    noise: Table<SiteId, Stream>,
    arc_noise: Vec<Stream>,
    tenant_noise: Vec<Stream>,
    in_flight: [VecDeque<InFlight>; 4],
}

impl Meters {
    /// Meters with nothing seen yet; streams come with [`Meters::listen`].
    pub fn new(scenario: &Scenario) -> Meters {
        let network = &scenario.network;
        Meters {
            used: [false; 4],
            site_feed: None,
            server_feed: None,
            link_feed: None,
            tenant_feed: None,
            topology_feed: None,
            known_alive: vec![true; network.sites.len()],
            topology_changed: false,
            metered_until: SimTime::ZERO,
            sampled_at: [SimTime::ZERO; 4],
            site_utilisation_s: vec![0.0; network.sites.len()],
            site_requests: vec![0.0; network.sites.len()],
            arc_offered: vec![0.0; network.arc_count()],
            arc_dropped: vec![0.0; network.arc_count()],
            tenant_offered: vec![0.0; scenario.tenants.len() * network.neighbours.len()],
            outages: [SimTime::ZERO; 4],
            noise: Table::new(),
            arc_noise: Vec::new(),
            tenant_noise: Vec::new(),
            in_flight: Default::default(),
        }
    }

    /// Prepares the streams of the feeds in use.
    pub fn listen(&mut self, scenario: &Scenario, replication: u32, used: [bool; 4]) {
        self.used = used;
        let network = &scenario.network;
        let noisy = |kind: FeedKind| used[kind as usize] && scenario.feed(kind).noise > 0.0;
        let stream = |purpose, kind: &str, id: &str| {
            Stream::new(scenario.stream_key(replication, purpose, kind, id))
        };
        if noisy(FeedKind::Sites) {
            self.noise = network
                .sites
                .rows()
                .iter()
                .map(|site| stream("feed-sites", "site", &site.id))
                .collect();
        }
        if noisy(FeedKind::Links) {
            self.arc_noise = (0..network.arc_count())
                .map(|arc| {
                    let kind = if arc % 2 == 0 { "forward" } else { "back" };
                    stream("feed-links", kind, &network.links.rows()[arc / 2].id)
                })
                .collect();
        }
        if noisy(FeedKind::Tenants) {
            self.tenant_noise = scenario
                .tenants
                .rows()
                .iter()
                .flat_map(|tenant| {
                    network
                        .neighbours
                        .rows()
                        .iter()
                        .map(|neighbour| stream("feed-tenants", &tenant.id, &neighbour.id))
                })
                .collect();
        }
    }

    /// A feed delivers nothing until then.
    pub fn outage(&mut self, kind: FeedKind, until: SimTime) {
        self.outages[kind as usize] = self.outages[kind as usize].max(until);
    }
}

/// A relative error, drawn once for all values of a reading: never below zero.
pub(super) fn error_factor(noise: f64, stream: Option<&mut Stream>) -> f64 {
    stream.map_or(1.0, |stream| (1.0 + noise * stream.normal()).max(0.0))
}

impl World<'_> {
    /// Integrates what the meters read, up to `until`, under the present solution.
    pub fn meter_until(&mut self, until: SimTime) {
        let seconds = until.since(self.meters.metered_until).seconds();
        self.meters.metered_until = until;
        if seconds <= 0.0 || self.solution == 0 {
            return;
        }
        if self.meters.used[FeedKind::Sites as usize] {
            for (id, site) in self.scenario.network.sites.iter() {
                let utilisation = self.site_utilisation(site);
                self.meters.site_utilisation_s[id.index()] += utilisation * seconds;
            }
            for (bundle, rate) in self.bundles.list.iter().zip(&self.fluid.rate) {
                if let (true, Some(site)) = (bundle.requests, bundle.landing) {
                    self.meters.site_requests[site.index()] += rate * seconds;
                }
            }
        }
        if self.meters.used[FeedKind::Links as usize] {
            self.play_flows(until);
            let queues = self.queues.0;
            for arc in 0..self.graph.arc_count() {
                self.meters.arc_offered[arc] += self.flow_bits_since_metered(arc);
                for slot in arc * queues..(arc + 1) * queues {
                    let arrival = self.fluid.arrival_bps[slot] * seconds;
                    self.meters.arc_offered[arc] += arrival;
                    let transfer = &self.fluid.transfer;
                    let lost = 1.0 - transfer.ratio[slot] - transfer.kept[slot];
                    self.meters.arc_dropped[arc] += arrival * lost;
                }
            }
        }
        if self.meters.used[FeedKind::Tenants as usize] {
            let sums = self.meters.tenant_offered.iter_mut();
            for (sum, rate) in sums.zip(&self.fluid.tenant_offered_bps) {
                *sum += rate * seconds;
            }
        }
    }

    /// Takes a sample of a feed and sends it on its way.
    pub fn sample(&mut self, kind: FeedKind) {
        self.meter_until(self.now);
        let slot = kind as usize;
        let seconds = self.now.since(self.meters.sampled_at[slot]).seconds();
        self.meters.sampled_at[slot] = self.now;
        let spec = *self.scenario.feed(kind);
        // How the network starts is known; only changes are news.
        let known = kind == FeedKind::Topology && self.now == SimTime::ZERO;
        let delivered_at = self.now.after(if known { SimSpan::ZERO } else { spec.delay });
        let sample = match kind {
            FeedKind::Sites => {
                let servers = self.read_servers(seconds);
                InFlight::Sites(self.stamp(delivered_at, Self::read_sites, seconds), servers)
            }
            FeedKind::Links => InFlight::Links(self.stamp(delivered_at, Self::read_links, seconds)),
            FeedKind::Tenants => {
                InFlight::Tenants(self.stamp(delivered_at, Self::read_tenants, seconds))
            }
            FeedKind::Topology => InFlight::Topology(Sample {
                sampled_at: self.now,
                delivered_at,
                values: self.truth.links.capacity_bps.clone(),
            }),
        };
        if self.now < self.meters.outages[slot] {
            return;
        }
        self.meters.in_flight[slot].push_back(sample);
        let feed = source::FEED + slot as u32;
        self.outbox.push((delivered_at, phase::DELIVER, feed, Event::Deliver(slot as u8)));
    }

    fn stamp<T>(
        &mut self,
        delivered_at: SimTime,
        read: fn(&mut Self, f64) -> T,
        seconds: f64,
    ) -> Sample<T> {
        Sample { sampled_at: self.now, delivered_at, values: read(self, seconds) }
    }

    fn read_sites(&mut self, seconds: f64) -> Vec<SiteReading> {
        let noise = self.scenario.feed(FeedKind::Sites).noise;
        let mut readings = Vec::with_capacity(self.scenario.network.sites.len());
        for id in self.scenario.network.sites.ids() {
            let index = id.index();
            let stream = (!self.meters.noise.is_empty()).then(|| &mut self.meters.noise[id]);
            let utilisation =
                if seconds > 0.0 { self.meters.site_utilisation_s[index] / seconds } else { 0.0 };
            let requests =
                if seconds > 0.0 { self.meters.site_requests[index] / seconds } else { 0.0 };
            let factor = error_factor(noise, stream);
            readings.push(SiteReading {
                cpu_utilisation: utilisation * factor,
                requests_per_s: requests * factor,
                alive: self.truth.site_up[id],
            });
        }
        self.meters.site_utilisation_s.fill(0.0);
        self.meters.site_requests.fill(0.0);
        readings
    }

    fn read_links(&mut self, seconds: f64) -> Vec<ArcReading> {
        let noise = self.scenario.feed(FeedKind::Links).noise;
        let mut readings = Vec::with_capacity(self.graph.arc_count());
        for arc in 0..self.graph.arc_count() {
            let mean = |bits: f64| if seconds > 0.0 { bits / seconds } else { 0.0 };
            let stream = self.meters.arc_noise.get_mut(arc);
            let factor = error_factor(noise, stream);
            readings.push(ArcReading {
                offered_bps: mean(self.meters.arc_offered[arc]) * factor,
                dropped_bps: mean(self.meters.arc_dropped[arc]) * factor,
                capacity_bps: self.truth.links.capacity_bps[arc],
            });
        }
        self.meters.arc_offered.fill(0.0);
        self.meters.arc_dropped.fill(0.0);
        readings
    }

    fn read_tenants(&mut self, seconds: f64) -> TenantReading {
        let noise = self.scenario.feed(FeedKind::Tenants).noise;
        let neighbours = self.scenario.network.neighbours.len();
        let mut offered_bps = std::mem::take(&mut self.meters.tenant_offered);
        for (index, bits) in offered_bps.iter_mut().enumerate() {
            let mean = if seconds > 0.0 { *bits / seconds } else { 0.0 };
            *bits = mean * error_factor(noise, self.meters.tenant_noise.get_mut(index));
        }
        self.meters.tenant_offered = vec![0.0; offered_bps.len()];
        TenantReading { offered_bps, neighbours }
    }

    /// The oldest sample on its way arrives.
    pub fn deliver(&mut self, kind: FeedKind) {
        match self.meters.in_flight[kind as usize].pop_front() {
            Some(InFlight::Sites(sample, servers)) => {
                let Sample { sampled_at, delivered_at, .. } = sample;
                self.meters.server_feed =
                    Some(Sample { sampled_at, delivered_at, values: servers });
                self.meters.known_alive = sample.values.iter().map(|site| site.alive).collect();
                self.meters.site_feed = Some(sample);
            }
            Some(InFlight::Links(sample)) => self.meters.link_feed = Some(sample),
            Some(InFlight::Tenants(sample)) => self.meters.tenant_feed = Some(sample),
            Some(InFlight::Topology(sample)) => self.meters.topology_feed = Some(sample),
            None => {}
        }
    }
}
