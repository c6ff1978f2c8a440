//! Colos played request by request, side by side with the fluid: between two solutions each source
//! of requests has the rate, the way and the servers that the solution gives it.
//!
//! What the fluid level decides before the servers (landing, limits, loss on the way in) has been
//! decided when a request arrives here; what it decides after them (loss of responses) is not
//! played.

use super::World;
use super::meters::error_factor;
use crate::kernel::{Id, SimTime, Stream, entity_hash};
use crate::load::balance::{BalancerSpec, Setting};
use crate::load::fluid::Waits;
use crate::load::histogram::Histogram;
use crate::load::requests::{
    ArrivalSpec, Cell, CellSpec, CellStats, Discipline, Path, Pattern, ServerSpec,
};
use crate::net::{ColoId, PoolId, SiteId};
use crate::record::{Recorder, ZoomCounts, ZoomRow, ZoomTotals};
use crate::scenario::{ArmId, DemandId, Rate, Source, ZoomSpec};
use crate::steer::{FeedKind, Refusal, ServersReading};

/// One colo of one entry of `zoom`.
#[derive(Debug)]
pub(crate) struct Zoom {
    spec: usize,
    colo: ColoId,
    site: SiteId,
    cell: Cell,
    /// Demand of each source.
    demands: Vec<DemandId>,
    /// Where each of them landed.
    landing: Vec<Option<SiteId>>,
    /// Pool of each server, and which of its servers it is.
    servers: Vec<(PoolId, u32)>,
    /// Work that each server can do, core-seconds per second.
    capacity: Vec<f64>,
    begun: bool,
    counting: bool,
    ended: bool,
    /// Work that servers in service could have done since the last bucket, core-seconds.
    could: f64,
    /// Solution whose rates hold.
    solution: u64,
    /// Of the whole run.
    total: Sum,
    meter: Meter,
}

/// What the `sites` feed measures in the servers.
#[derive(Debug)]
struct Meter {
    /// Seconds that each server worked until the statistics of the cell were last reset.
    worked_s: Vec<f64>,
    /// The same until the last sample.
    sampled_s: Vec<f64>,
    noise: Stream,
}

impl Zoom {
    /// Statistics of the cell since the last reset; resets them.
    fn take_stats(&mut self) -> CellStats {
        let stats = self.cell.take_stats();
        for (sum, server) in self.meter.worked_s.iter_mut().zip(&stats.servers) {
            *sum += server.utilisation * stats.seconds;
        }
        stats
    }

    /// Mean utilisation of each server since the last sample, `seconds` ago.
    fn sample(&mut self, seconds: f64) -> Vec<f64> {
        let stats = self.cell.stats();
        let mut means = Vec::with_capacity(self.servers.len());
        for (index, server) in stats.servers.iter().enumerate() {
            let worked_s = self.meter.worked_s[index] + server.utilisation * stats.seconds;
            let since = worked_s - self.meter.sampled_s[index];
            self.meter.sampled_s[index] = worked_s;
            means.push(if seconds > 0.0 { since / seconds } else { 0.0 });
        }
        means
    }
}

/// Counts that can be added up: latency as a histogram, means as sums.
#[derive(Clone, Debug, Default)]
struct Sum {
    counts: ZoomCounts,
    latency: Histogram,
    parts_s: [f64; 7],
    seconds: f64,
    /// Work done, and work that servers in service could have done, core-seconds.
    done: f64,
    could: f64,
    /// Seconds worked, by server.
    worked: Vec<f64>,
}

impl Sum {
    fn of(stats: &CellStats, zoom: &Zoom) -> Sum {
        let total = stats.total();
        let mut sum =
            Sum { latency: total.latency.clone(), seconds: stats.seconds, ..Sum::default() };
        let parts = &total.breakdown;
        sum.parts_s = [
            parts.setup_s,
            parts.propagation_s,
            parts.link_queue_s,
            parts.wait_s,
            parts.service_s,
            parts.origin_s,
            parts.retry_s,
        ];
        sum.could = zoom.could;
        for (server, capacity) in stats.servers.iter().zip(&zoom.capacity) {
            sum.done += server.utilisation * capacity * stats.seconds;
            sum.worked.push(server.utilisation * stats.seconds);
        }
        sum.counts = ZoomCounts {
            offered: total.offered as f64,
            served: total.served as f64,
            dropped: total.dropped.map(|count| count as f64),
            retries: total.retries as f64,
            hedges: total.hedges as f64,
            wasted: total.wasted as f64,
            connections_opened: total.connections_opened as f64,
            connections_broken: total.connections_broken as f64,
            ..ZoomCounts::default()
        };
        sum
    }

    /// Adds what another colo did, or this one in another span.
    fn add(&mut self, other: &Sum, same_colo: bool) {
        let (mine, its) = (&mut self.counts, &other.counts);
        mine.offered += its.offered;
        mine.served += its.served;
        mine.dropped.iter_mut().zip(its.dropped).for_each(|(sum, count)| *sum += count);
        mine.retries += its.retries;
        mine.hedges += its.hedges;
        mine.wasted += its.wasted;
        mine.connections_opened += its.connections_opened;
        mine.connections_broken += its.connections_broken;
        self.latency.merge(&other.latency);
        self.parts_s.iter_mut().zip(other.parts_s).for_each(|(sum, part)| *sum += part);
        self.done += other.done;
        self.could += other.could;
        if same_colo {
            self.seconds += other.seconds;
            self.worked.resize(other.worked.len(), 0.0);
            self.worked.iter_mut().zip(&other.worked).for_each(|(sum, worked)| *sum += worked);
        } else {
            let busiest = other.finished().utilisation_max;
            self.counts.utilisation_max = self.counts.utilisation_max.max(busiest);
        }
    }

    /// With means instead of sums.
    fn finished(&self) -> ZoomCounts {
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let busiest = self.worked.iter().fold(0.0, |most: f64, worked| most.max(*worked));
        ZoomCounts {
            latency_ms: self.latency.stats(),
            parts_ms: self.parts_s.map(|seconds| share(seconds * 1e3, self.counts.served)),
            utilisation_mean: share(self.done, self.could),
            utilisation_max: share(busiest, self.seconds).max(self.counts.utilisation_max),
            ..self.counts.clone()
        }
    }
}

impl World<'_> {
    /// Prepares the colos that will be played request by request.
    pub fn start_zoom(&mut self, arm: ArmId) {
        let scenario = self.scenario;
        for (index, spec) in scenario.zoom.iter().enumerate() {
            let balancer = scenario.arms[arm].balancer.as_ref().unwrap_or(&spec.balancer);
            for &colo in &spec.colos {
                let zoom = self.zoom_of(index, colo, balancer);
                self.zooms.push(zoom);
            }
        }
    }

    fn zoom_of(&self, index: usize, colo: ColoId, balancer: &BalancerSpec) -> Zoom {
        let scenario = self.scenario;
        let network = &scenario.network;
        let spec = &scenario.zoom[index];
        let (mut servers, mut specs, mut capacity) = (Vec::new(), Vec::new(), Vec::new());
        for &id in &network.colos[colo].pools {
            let pool = &network.pools[id];
            for number in 0..pool.servers {
                servers.push((id, number));
                capacity.push(f64::from(pool.cores) * pool.core_speed);
                let mut server = ServerSpec::new(spec.discipline, pool.cores, pool.core_speed);
                let room = self.room(&server);
                let all_inside =
                    spec.concurrency.is_none() && spec.discipline == Discipline::ProcessorSharing;
                // Where all are in service at once, nobody waits: the bound is on them.
                let most = if all_inside { room.max(1) } else { u32::MAX };
                server.concurrency = spec.concurrency.unwrap_or(most);
                let waiting = if all_inside { 0 } else { room };
                server.queue_max = Some(spec.queue_max.unwrap_or(waiting));
                server.weight = if spec.equal_weights { 1.0 } else { server.weight };
                specs.push(server);
            }
        }
        let (demands, arrivals) = self.zoom_sources(spec);
        let site = network.colos[colo].site;
        let entity = entity_hash("colo", &network.colos[colo].id);
        let mut cell = CellSpec::new(arrivals, specs);
        (cell.seed, cell.replication, cell.entity) = (scenario.seed, self.replication, entity);
        (cell.classes, cell.front) = (1, spec.front);
        cell.clients = vec![spec.client.clone()];
        let build = |number: u32| {
            let setting = Setting {
                servers: servers.len(),
                seed: entity ^ scenario.seed,
                balancer: number,
                zone_rate: Vec::new(),
            };
            balancer.build(&setting)
        };
        Zoom {
            spec: index,
            colo,
            site,
            cell: Cell::new(&cell, (0..spec.balancers).map(build).collect()),
            landing: vec![None; demands.len()],
            demands,
            total: Sum { worked: vec![0.0; servers.len()], ..Sum::default() },
            meter: Meter {
                worked_s: vec![0.0; servers.len()],
                sampled_s: vec![0.0; servers.len()],
                noise: Stream::new(scenario.stream_key(
                    self.replication,
                    "feed-servers",
                    "colo",
                    &network.colos[colo].id,
                )),
            },
            servers,
            capacity,
            begun: false,
            counting: false,
            ended: false,
            could: 0.0,
            solution: 0,
        }
    }

    /// A source for every demand of users that asks for work; its rate comes with the solutions.
    fn zoom_sources(&self, spec: &ZoomSpec) -> (Vec<DemandId>, Vec<ArrivalSpec>) {
        let scenario = self.scenario;
        let (mut demands, mut arrivals) = (Vec::new(), Vec::new());
        for (id, demand) in scenario.demands.iter() {
            let service = &scenario.services[demand.service];
            let (Source::Clients(_), Rate::RequestsPerS(rate)) = (demand.source, demand.rate)
            else {
                continue;
            };
            if service.cpu_s <= 0.0 {
                continue;
            }
            let users = (rate * spec.request_interval.seconds()) as u64;
            demands.push(id);
            arrivals.push(ArrivalSpec {
                entity: entity_hash("demand", &demand.id),
                pattern: Pattern::Poisson(0.0),
                service: spec.law.clone(),
                service_s: service.cpu_s,
                class: 0,
                priority: service.class.0.min(u32::from(u8::MAX)) as u8,
                client: 0,
                users: users.max(1),
                zone: 0,
                path: Path::default(),
            });
        }
        (demands, arrivals)
    }

    /// Requests that may wait in a server so that they are `queue_limit` of work, at the mean
    /// demand of the services.
    fn room(&self, server: &ServerSpec) -> u32 {
        let scenario = self.scenario;
        let working = scenario.services.rows().iter().filter(|service| service.cpu_s > 0.0);
        let (sum, count) =
            working.fold((0.0, 0.0), |(sum, count), service| (sum + service.cpu_s, count + 1.0));
        let work = scenario.queue_limit.seconds() * f64::from(server.cores) * server.speed;
        // The cast saturates; without working services nothing ever waits.
        if sum > 0.0 { (work * count / sum) as u32 } else { 0 }
    }

    /// Plays all zoomed colos over a span in which the present solution holds.
    pub(super) fn play_zooms(&mut self, from: SimTime, until: SimTime) {
        let mut zooms = std::mem::take(&mut self.zooms);
        for zoom in &mut zooms {
            self.play_zoom(zoom, from, until);
        }
        self.zooms = zooms;
    }

    fn play_zoom(&self, zoom: &mut Zoom, from: SimTime, until: SimTime) {
        let spec = &self.scenario.zoom[zoom.spec];
        let begin = SimTime(spec.from.0.saturating_sub(spec.warm_up.0));
        if zoom.ended || until <= begin {
            return;
        }
        if !zoom.begun {
            zoom.cell.advance(from.max(begin));
            zoom.begun = true;
        }
        if zoom.solution != self.solution {
            zoom.solution = self.solution;
            self.feed(zoom);
        }
        if !zoom.counting && until >= spec.from {
            zoom.cell.advance(spec.from);
            zoom.take_stats();
            zoom.counting = true;
        }
        let until_counted = until.min(spec.until);
        // Feeds that sample have played a part of the interval before.
        let played = zoom.cell.now().max(spec.from).min(until_counted);
        let seconds = until_counted.since(played).seconds();
        let up = zoom
            .servers
            .iter()
            .zip(&zoom.capacity)
            .filter(|((pool, number), _)| self.server_up(zoom.site, *pool, *number));
        zoom.could += up.map(|(_, capacity)| capacity * seconds).sum::<f64>();
        zoom.cell.advance(until_counted);
        zoom.ended = until >= spec.until;
    }

    /// Gives a zoomed colo the rates, ways and servers of the present solution.
    fn feed(&self, zoom: &mut Zoom) {
        for (index, &(pool, number)) in zoom.servers.iter().enumerate() {
            let up = self.server_up(zoom.site, pool, number);
            zoom.cell.set_up(index as u32, up);
        }
        for (index, &demand) in zoom.demands.iter().enumerate() {
            let source = index as u32;
            let bundle = self.bundles.of_demand[demand.index()];
            let landing = bundle.and_then(|number| self.bundles.list[number as usize].landing);
            if landing != zoom.landing[index] {
                if zoom.landing[index].is_some() {
                    // Packets of open connections now land elsewhere, where nobody knows them.
                    zoom.cell.break_share(source, 1.0);
                }
                zoom.landing[index] = landing;
            }
            let (share, path) = bundle.map_or((0.0, Path::default()), |number| {
                self.zoom_way(zoom, demand, number as usize)
            });
            zoom.cell.set_path(source, &path);
            zoom.cell.set_rate(source, self.demands.rate[demand.index()] * share);
        }
    }

    /// Whether one server of a pool is in service: those with the lowest numbers are.
    fn server_up(&self, site: SiteId, pool: PoolId, number: u32) -> bool {
        let servers = f64::from(self.scenario.network.pools[pool].servers);
        let up = (servers * self.truth.pool_up[pool] + 0.5) as u32;
        self.truth.site_up[site] && number < up
    }

    /// Share of a demand that arrives at the servers of a zoomed colo, and its way there.
    fn zoom_way(&self, zoom: &Zoom, demand: DemandId, number: usize) -> (f64, Path) {
        let bundle = &self.bundles.list[number];
        let outcome = &self.fluid.outcome[number];
        let (mut share, mut waits) = (0.0, Waits::default());
        for (branch, fate) in bundle.branches.iter().zip(&outcome.branches) {
            if branch.colo == Some(zoom.colo) {
                share += fate.arriving;
                waits.propagation_s += fate.arriving * fate.waits.propagation_s;
                waits.link_queue_s += fate.arriving * fate.waits.link_queue_s;
                waits.origin_s += fate.arriving * fate.waits.origin_s;
            }
        }
        if share <= 0.0 {
            return (0.0, Path::default());
        }
        let fate = &self.bundles.fate[demand.index()];
        let connections = self.scenario.zoom[zoom.spec].client.connection.is_some();
        let way_s = match (connections, fate.group, bundle.landing) {
            (true, Some(group), Some(site)) => self.rtt.span(group, site).seconds(),
            _ => (fate.round_trips_ns - fate.setup_ns) as f64 * 1e-9,
        };
        let path = Path {
            setup_s: if connections { 0.0 } else { fate.setup_ns as f64 * 1e-9 },
            rtt_s: way_s + waits.propagation_s / share,
            link_queue_s: waits.link_queue_s / share,
            origin_s: waits.origin_s / share,
        };
        (share, path)
    }

    /// What the `sites` feed reads in the servers of colos that are played now.
    pub(super) fn read_servers(&mut self, seconds: f64) -> Vec<ServersReading> {
        if self.zooms.is_empty() || self.solution == 0 {
            return Vec::new();
        }
        self.play_zooms(self.ledger.counted_until, self.now);
        let noise = self.scenario.feed(FeedKind::Sites).noise;
        let mut zooms = std::mem::take(&mut self.zooms);
        let mut readings = Vec::new();
        for zoom in zooms.iter_mut().filter(|zoom| zoom.begun && !zoom.ended) {
            let mut utilisation = zoom.sample(seconds);
            for value in utilisation.iter_mut().filter(|_| noise > 0.0) {
                *value *= error_factor(noise, Some(&mut zoom.meter.noise));
            }
            let up = |&(pool, number): &(PoolId, u32)| self.server_up(zoom.site, pool, number);
            readings.push(ServersReading {
                colo: zoom.colo,
                utilisation,
                up: zoom.servers.iter().map(up).collect(),
                weights: zoom.cell.weights().to_vec(),
            });
        }
        self.zooms = zooms;
        readings
    }

    /// Whether weights can be those of a colo's servers.
    pub(super) fn check_weights(&self, colo: ColoId, weights: &[f64]) -> Result<(), Refusal> {
        let Some(zoom) = self.zooms.iter().find(|zoom| zoom.colo == colo) else {
            return Err(Refusal::NotZoomed);
        };
        let sane = weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0);
        let some = weights.iter().any(|weight| *weight > 0.0);
        if sane && some && weights.len() == zoom.servers.len() {
            Ok(())
        } else {
            Err(Refusal::OutOfRange)
        }
    }

    /// Sets the weights of a colo's servers at its balancers.
    pub(super) fn set_weights(&mut self, colo: ColoId, weights: &[f64]) {
        for zoom in self.zooms.iter_mut().filter(|zoom| zoom.colo == colo) {
            zoom.cell.set_weights(weights);
        }
    }

    /// Tells the recorder what zoomed colos did in the bucket that ends now.
    pub(super) fn end_zoom_bucket(&mut self, start: SimTime, recorder: &mut dyn Recorder) {
        let mut rows = Vec::new();
        let mut zooms = std::mem::take(&mut self.zooms);
        for zoom in zooms.iter_mut().filter(|zoom| zoom.counting) {
            let stats = zoom.take_stats();
            if stats.seconds <= 0.0 {
                continue;
            }
            let sum = Sum::of(&stats, zoom);
            zoom.could = 0.0;
            zoom.total.add(&sum, true);
            self.trajectory.absorb(zoom.cell.fingerprint().value());
            rows.push(ZoomRow { colo: zoom.colo, seconds: stats.seconds, counts: sum.finished() });
        }
        self.zooms = zooms;
        if !rows.is_empty() {
            recorder.zoom_bucket(start, &rows);
        }
    }

    /// All that was played request by request: together, then by site.
    pub(super) fn zoom_totals(&self) -> Vec<ZoomTotals> {
        let total = |site: Option<SiteId>| {
            let mut sum = Sum::default();
            let wanted = self.zooms.iter().filter(|zoom| site.is_none_or(|it| it == zoom.site));
            wanted.for_each(|zoom| sum.add(&zoom.total, false));
            ZoomTotals { site, counts: sum.finished() }
        };
        let mut sites: Vec<SiteId> = self.zooms.iter().map(|zoom| zoom.site).collect();
        sites.sort_unstable();
        sites.dedup();
        let whole = (!sites.is_empty()).then_some(None);
        whole.into_iter().chain(sites.into_iter().map(Some)).map(total).collect()
    }
}
