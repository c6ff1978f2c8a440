//! What has been counted: every amount accumulated on its own, so that conservation is a check
//! and not an identity.

use super::World;
use super::latency::{hits_and_misses, parts_of, parts_of_ways, round_trips_ms, tcp_s};
use super::part::Part;
use crate::kernel::{Id, SimTime};
use crate::load::billing::Meter;
use crate::load::fluid::Waits;
use crate::load::histogram::Histogram;
use crate::load::server::Waiting;
use crate::net::LinkId;
use crate::record::{ArcTotals, DropCause, Flow, LatencyParts, SiteTotals};
use crate::scenario::Scenario;

/// Accumulated during the present bucket.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SiteCount {
    pub utilisation_s: f64,
    pub utilisation_max: f64,
    pub overload_s: f64,
    pub landed_requests: f64,
    pub served_requests: f64,
    pub dropped_requests: f64,
    pub queued_requests: f64,
    pub egress_bits: f64,
    /// Requests that landed there and were answered.
    pub answered_requests: f64,
    /// What they waited for, summed over them.
    pub latency_parts: LatencyParts,
    /// Requests for what caches may keep, those of them that hit, and bits fetched, all and from
    /// the origin.
    pub cached: [f64; 4],
}

/// Accumulated during the present bucket.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ArcCount {
    pub utilisation_s: f64,
    pub utilisation_max: f64,
    pub overload_s: f64,
    pub placed_bits: f64,
    pub carried_bits: f64,
    pub dropped_bits: f64,
    /// Bits carried times the seconds they waited.
    pub queue_bit_s: f64,
    pub marked_bits: f64,
}

/// Accumulated during the present client bucket.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GroupCount {
    pub flow: Flow,
    /// Latency times requests served, seconds.
    pub latency_s: f64,
}

/// A demand's work in the queue of a colo, since the last solution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queueing {
    colo: u32,
    bundle: u32,
    demand: u32,
    branch: u32,
    /// Share of the colo's arrivals.
    share: f64,
    /// Work at the last solution.
    anchored: f64,
    /// Work when last counted.
    counted: f64,
}

/// All counts of a run.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(super) counted_until: SimTime,
    pub anchored_at: SimTime,
    /// By (tenant, class), present bucket.
    pub bucket_flows: Vec<Flow>,
    /// By (tenant, class), whole run.
    pub run_flows: Vec<Flow>,
    pub groups: Vec<GroupCount>,
    pub sites: Vec<SiteCount>,
    pub site_totals: Vec<SiteTotals>,
    pub arcs: Vec<ArcCount>,
    pub arc_totals: Vec<ArcTotals>,
    pub latency_bucket: Histogram,
    pub latency_run: Histogram,
    /// What answered requests of the run waited for, summed over them.
    pub parts_run: LatencyParts,
    pub moved_requests_per_s: f64,
    pub moved_total: f64,
    pub served_bucket: f64,
    pub non_best_bucket: f64,
    pub served_run: f64,
    pub non_best_run: f64,
    pub backbone_byte_km: f64,
    pub exit_bits: f64,
    pub transit_bits: f64,
    pub queueing: Vec<Queueing>,
    /// Per demand: what waits in buffers of links, in units of its rate times seconds.
    pub in_buffers: Vec<f64>,
    /// Meters of the links that have a price.
    pub meters: Vec<(LinkId, Meter)>,
    classes: usize,
}

impl Ledger {
    pub fn new(scenario: &Scenario) -> Ledger {
        let pairs = scenario.tenants.len() * scenario.classes.len();
        let arcs = scenario.network.arc_count();
        let sites = scenario.network.sites.len();
        Ledger {
            counted_until: SimTime::ZERO,
            anchored_at: SimTime::ZERO,
            bucket_flows: vec![Flow::default(); pairs],
            run_flows: vec![Flow::default(); pairs],
            groups: vec![GroupCount::default(); scenario.client_groups.len()],
            sites: vec![SiteCount::default(); sites],
            site_totals: vec![SiteTotals::default(); sites],
            arcs: vec![ArcCount::default(); arcs],
            arc_totals: vec![ArcTotals::default(); arcs],
            latency_bucket: Histogram::default(),
            latency_run: Histogram::default(),
            parts_run: LatencyParts::default(),
            moved_requests_per_s: 0.0,
            moved_total: 0.0,
            served_bucket: 0.0,
            non_best_bucket: 0.0,
            served_run: 0.0,
            non_best_run: 0.0,
            backbone_byte_km: 0.0,
            exit_bits: 0.0,
            transit_bits: 0.0,
            queueing: Vec::new(),
            in_buffers: Vec::new(),
            meters: scenario
                .network
                .links
                .iter()
                .filter(|(_, link)| link.model.billing.is_some())
                .map(|(id, _)| (id, Meter::default()))
                .collect(),
            classes: scenario.classes.len(),
        }
    }
}

impl SiteCount {
    fn answered(&mut self, parts: &LatencyParts, requests: f64) {
        self.answered_requests += requests;
        self.latency_parts.add(parts, requests);
    }
}

impl World<'_> {
    /// Counts everything between the last count and `until` under the present solution.
    pub fn count_until(&mut self, until: SimTime) {
        let from = self.ledger.counted_until;
        let seconds = until.since(from).seconds();
        self.ledger.counted_until = until;
        if seconds > 0.0 && self.solution > 0 {
            self.play_flows(until);
            self.count_flows(seconds);
            self.count_bundles(seconds);
            self.count_demands(seconds);
            self.count_queues(until, seconds);
            self.count_arcs(seconds);
            self.count_bills(from, until);
            self.count_sites(seconds);
            self.count_dns(seconds);
            self.play_zooms(from, until);
            self.count_caches(seconds);
        }
    }

    fn count_bundles(&mut self, seconds: f64) {
        for (index, bundle) in self.bundles.list.iter().enumerate() {
            let amount = self.fluid.rate[index] * seconds;
            if amount == 0.0 || bundle.fetch {
                continue;
            }
            let outcome = &self.fluid.outcome[index];
            let part = Part {
                amount,
                served: amount * outcome.served,
                dropped: outcome.dropped.map(|share| share * amount),
                queued: amount * outcome.queued,
            };
            let slot = bundle.tenant.index() * self.ledger.classes + bundle.class.index();
            self.ledger.bucket_flows[slot].add(&part.flow(bundle.unit_bits(), bundle.requests));
            if !bundle.requests {
                continue;
            }
            if let Some(site) = bundle.landing {
                let count = &mut self.ledger.sites[site.index()];
                count.landed_requests += amount;
                count.answered(&parts_of_ways(outcome.waits), part.served);
            }
            for (branch, fate) in bundle.branches.iter().zip(&outcome.branches) {
                let site = self.scenario.network.node_site(branch.node);
                if let (Some(site), false) = (site, fate.backlogged) {
                    self.ledger.sites[site.index()].served_requests += amount * fate.arriving;
                }
            }
        }
    }

    fn count_demands(&mut self, seconds: f64) {
        let ledger = &mut self.ledger;
        for (index, (&rate, &number)) in
            self.demands.rate.iter().zip(&self.bundles.of_demand).enumerate()
        {
            let amount = rate * seconds;
            if amount == 0.0 {
                continue;
            }
            let fate = self.bundles.fate[index];
            let Some(number) = number else {
                let demand = &self.scenario.demands.rows()[index];
                let service = &self.scenario.services[demand.service];
                let mut dropped = [0.0; DropCause::ALL.len()];
                dropped[fate.lost.unwrap_or(DropCause::NoRoute) as usize] = amount;
                let bits = (service.request_bytes + service.response_bytes) * 8.0;
                let flow = Part { amount, served: 0.0, dropped, queued: 0.0 }.flow(bits, true);
                let slot = demand.tenant.index() * ledger.classes + service.class.index();
                ledger.bucket_flows[slot].add(&flow);
                if let Some(group) = fate.group {
                    ledger.groups[group.index()].flow.add(&flow);
                }
                continue;
            };
            let outcome = &self.fluid.outcome[number as usize];
            if outcome.queued != 0.0 {
                ledger.in_buffers[index] += amount * outcome.queued;
            }
            let Some(group) = fate.group else { continue };
            let bundle = &self.bundles.list[number as usize];
            let served = amount * outcome.served;
            let count = &mut ledger.groups[group.index()];
            if outcome.clean {
                count.flow.add_clean(amount, served, bundle.unit_bits());
            } else {
                let part = Part {
                    amount,
                    served,
                    dropped: outcome.dropped.map(|share| share * amount),
                    queued: amount * outcome.queued,
                };
                count.flow.add(&part.flow(bundle.unit_bits(), true));
            }
            let tcp_s = match &self.scenario.services[bundle.service].tcp {
                None => 0.0,
                Some(tcp) => tcp_s(tcp, fate, bundle, outcome),
            };
            let latency_s = outcome.latency_s + tcp_s;
            let origin_s = outcome.waits.origin_s;
            let kinds = if outcome.fetched > 0.0 { 2 } else { 1 };
            let parts = hits_and_misses([latency_s, origin_s, outcome.fetched]);
            for &(latency_s, share) in &parts[..kinds] {
                let latency_ns = fate.round_trips_ns + (latency_s * 1e9) as u64;
                count.latency_s += served * share * latency_ns as f64 * 1e-9;
                ledger.latency_bucket.add(latency_ns, served * share);
            }
            ledger.served_bucket += served;
            if fate.non_best {
                ledger.non_best_bucket += served;
            }
            if let Some(site) = bundle.landing {
                let parts = &mut ledger.sites[site.index()].latency_parts;
                let (setup_ms, way_ms) = round_trips_ms(fate);
                parts.setup_ms += setup_ms * served;
                parts.propagation_ms += (way_ms + tcp_s * 1e3) * served;
            }
        }
    }

    /// Work that went through a queue: see [`crate::load::server::Backlog::after`].
    fn count_queues(&mut self, until: SimTime, seconds: f64) {
        let since_anchor = until.since(self.ledger.anchored_at).seconds();
        let mut queueing = std::mem::take(&mut self.ledger.queueing);
        // Rows are in order of their colos, and all rows of a colo share these two.
        let mut of_colo = (u32::MAX, (0.0, 0.0));
        for row in &mut queueing {
            let colo = crate::net::ColoId(row.colo);
            let (state, backlog) = (&self.colos[colo], &self.backlogs[colo]);
            if of_colo.0 != row.colo {
                let accepted = state.arrival * state.accepted;
                let after =
                    backlog.after(since_anchor, accepted, state.capacity, state.bound_cpu_s);
                of_colo = (row.colo, after);
            }
            let (total, persist) = of_colo.1;
            let work = (row.share * total
                + persist * (row.anchored - row.share * backlog.work_cpu_s))
                .max(0.0);
            let growth = work - row.counted;
            row.counted = work;
            let arrived = row.share * state.arrival * seconds;
            let taken = arrived * state.accepted;
            self.count_queued(*row, arrived, taken, growth);
        }
        self.ledger.queueing = queueing;
    }

    fn count_queued(&mut self, row: Queueing, arrived: f64, taken: f64, growth: f64) {
        let bundle = &self.bundles.list[row.bundle as usize];
        let outcome = &self.fluid.outcome[row.bundle as usize];
        let node = self.scenario.network.colos[crate::net::ColoId(row.colo)].node;
        let branch = outcome.branches.get(row.branch as usize).copied();
        let [through, full, down, no_route, kept] =
            branch.map_or([1.0, 0.0, 0.0, 0.0, 0.0], |b| b.egress);
        let per_request = 1.0 / bundle.cpu_s;
        let done = (taken - growth) * per_request;
        let mut dropped = [0.0; DropCause::ALL.len()];
        dropped[DropCause::ServerFull as usize] = (arrived - taken) * per_request;
        dropped[DropCause::LinkFull as usize] = done * full;
        dropped[DropCause::Down as usize] = done * down;
        dropped[DropCause::NoRoute as usize] = done * no_route;
        // What arrived is already offered under its bundle; only its fate is counted here.
        let queued = growth * per_request + done * kept;
        let part = Part { amount: 0.0, served: done * through, dropped, queued };
        if kept != 0.0 {
            self.ledger.in_buffers[row.demand as usize] += done * kept;
        }
        let flow = part.flow(bundle.unit_bits(), true);
        let slot = bundle.tenant.index() * self.ledger.classes + bundle.class.index();
        self.ledger.bucket_flows[slot].add(&flow);
        if let Some(site) = self.scenario.network.node_site(node) {
            let count = &mut self.ledger.sites[site.index()];
            count.served_requests += done;
            count.dropped_requests += dropped[DropCause::ServerFull as usize];
        }
        let fate = self.bundles.fate[row.demand as usize];
        let Some(group) = fate.group else { return };
        let (latency_s, waits) =
            branch.map_or((0.0, Waits::default()), |branch| (branch.latency_s, branch.waits));
        let served = part.served.max(0.0);
        let count = &mut self.ledger.groups[group.index()];
        count.flow.add(&flow);
        let fetched = branch.map_or(0.0, |branch| branch.fetched);
        for (latency_s, share) in hits_and_misses([latency_s, waits.origin_s, fetched]) {
            let latency_ns = fate.round_trips_ns + (latency_s * 1e9) as u64;
            count.latency_s += served * share * latency_ns as f64 * 1e-9;
            self.ledger.latency_bucket.add(latency_ns, served * share);
        }
        self.ledger.served_bucket += served;
        if fate.non_best {
            self.ledger.non_best_bucket += served;
        }
        if let Some(site) = self.bundles.list[row.bundle as usize].landing {
            self.ledger.sites[site.index()].answered(&parts_of(fate, waits), served);
        }
    }

    /// CPU work offered to a site over what its servers can do; 0 where servers are not modelled.
    pub(super) fn site_utilisation(&self, site: &crate::net::Site) -> f64 {
        let (mut arrival, mut capacity) = (0.0, 0.0);
        for &colo in &site.colos {
            let state = &self.colos[colo];
            if state.capacity.is_finite() {
                arrival += state.arrival;
                capacity += state.capacity;
            }
        }
        if capacity > 0.0 { arrival / capacity } else { 0.0 }
    }

    fn count_sites(&mut self, seconds: f64) {
        for (id, site) in self.scenario.network.sites.iter() {
            let utilisation = self.site_utilisation(site);
            let count = &mut self.ledger.sites[id.index()];
            count.utilisation_s += utilisation * seconds;
            count.utilisation_max = count.utilisation_max.max(utilisation);
            count.overload_s += if utilisation > 1.0 { seconds } else { 0.0 };
        }
        for count in &mut self.ledger.sites {
            count.queued_requests = 0.0;
        }
        for row in &self.ledger.queueing {
            let colo = &self.scenario.network.colos[crate::net::ColoId(row.colo)];
            let bundle = &self.bundles.list[row.bundle as usize];
            self.ledger.sites[colo.site.index()].queued_requests += row.counted / bundle.cpu_s;
        }
    }

    /// Before a new solution: the backlogs become what they have grown or shrunk to.
    pub fn anchor_backlogs(&mut self) {
        let since = self.now.since(self.ledger.anchored_at).seconds();
        self.ledger.anchored_at = self.now;
        self.anchor_buffers(since);
        for (colo, backlog) in self.backlogs.iter_mut() {
            let state = &self.colos[colo];
            if backlog.work_cpu_s == 0.0 && state.arrival <= state.capacity {
                continue;
            }
            let accepted = state.arrival * state.accepted;
            backlog.work_cpu_s =
                backlog.after(since, accepted, state.capacity, state.bound_cpu_s).0;
            backlog.waiting.clear();
        }
        for row in &self.ledger.queueing {
            let backlog = &mut self.backlogs[crate::net::ColoId(row.colo)];
            if backlog.work_cpu_s > 0.0 && row.counted > 0.0 {
                backlog.waiting.push(Waiting {
                    bundle: row.bundle,
                    demand: row.demand,
                    work_cpu_s: row.counted,
                });
            }
        }
        // An emptied backlog may leave crumbs of rounding with its owners: they are served.
        let mut queueing = std::mem::take(&mut self.ledger.queueing);
        for row in &mut queueing {
            let emptied = self.backlogs[crate::net::ColoId(row.colo)].work_cpu_s <= 0.0;
            if emptied && row.counted > 0.0 {
                let crumbs = row.counted;
                row.counted = 0.0;
                self.count_queued(*row, 0.0, 0.0, -crumbs);
            }
        }
    }

    /// What waits at a site without power is lost; so is what exceeds the bound of the servers that
    /// are left. Backlogs have been brought up to this instant.
    pub fn lose_backlogs(&mut self) {
        let network = &self.scenario.network;
        for (colo, backlog) in self.backlogs.iter_mut() {
            let site = network.colos[colo].site;
            let up = self.truth.site_up[site];
            let left = if up { self.colos[colo].bound_cpu_s } else { 0.0 };
            if backlog.work_cpu_s <= 0.0 || backlog.work_cpu_s <= left {
                continue;
            }
            let cause = if up { DropCause::ServerFull } else { DropCause::Down };
            let lost = 1.0 - left / backlog.work_cpu_s;
            for waiting in &mut backlog.waiting {
                let bundle = &self.bundles.list[waiting.bundle as usize];
                let amount = waiting.work_cpu_s * lost / bundle.cpu_s;
                let mut dropped = [0.0; DropCause::ALL.len()];
                dropped[cause as usize] = amount;
                let part = Part { amount: 0.0, served: 0.0, dropped, queued: -amount };
                let flow = part.flow(bundle.unit_bits(), true);
                let slot = bundle.tenant.index() * self.ledger.classes + bundle.class.index();
                self.ledger.bucket_flows[slot].add(&flow);
                if let Some(group) = self.bundles.fate[waiting.demand as usize].group {
                    self.ledger.groups[group.index()].flow.add(&flow);
                }
                self.ledger.sites[site.index()].dropped_requests +=
                    dropped[DropCause::ServerFull as usize];
                waiting.work_cpu_s *= 1.0 - lost;
            }
            backlog.work_cpu_s = left;
            if left <= 0.0 {
                backlog.waiting.clear();
            }
        }
    }

    /// After a new solution: who queues where, with what share of the arrivals.
    pub fn admit_to_backlogs(&mut self) {
        let mut rows: Vec<Queueing> = Vec::new();
        for (colo, backlog) in self.backlogs.iter() {
            for waiting in &backlog.waiting {
                let branches = &self.bundles.list[waiting.bundle as usize].branches;
                let branch = branches.iter().position(|branch| branch.colo == Some(colo));
                rows.push(Queueing {
                    colo: colo.0,
                    bundle: waiting.bundle,
                    demand: waiting.demand,
                    branch: branch.map_or(u32::MAX, |branch| branch as u32),
                    share: 0.0,
                    anchored: waiting.work_cpu_s,
                    counted: waiting.work_cpu_s,
                });
            }
        }
        if self.fluid.outcome.iter().any(|outcome| outcome.backlogged) {
            self.queue_arrivals(&mut rows);
        }
        rows.sort_by_key(|row| (row.colo, row.bundle, row.demand));
        rows.dedup_by(|later, first| {
            let same = (later.colo, later.bundle, later.demand, later.branch)
                == (first.colo, first.bundle, first.demand, first.branch);
            if same {
                first.share += later.share;
                first.anchored += later.anchored;
                first.counted += later.counted;
            }
            same
        });
        self.ledger.queueing = rows;
    }

    fn queue_arrivals(&self, rows: &mut Vec<Queueing>) {
        for (demand, number) in self.bundles.of_demand.iter().enumerate() {
            let Some(number) = *number else { continue };
            let (bundle, outcome) =
                (&self.bundles.list[number as usize], &self.fluid.outcome[number as usize]);
            for (index, (branch, fate)) in bundle.branches.iter().zip(&outcome.branches).enumerate()
            {
                let Some(colo) = branch.colo.filter(|_| fate.backlogged) else { continue };
                let arrival = self.demands.rate[demand] * fate.arriving * bundle.cpu_s;
                let total = self.colos[colo].arrival;
                rows.push(Queueing {
                    colo: colo.0,
                    bundle: number,
                    demand: demand as u32,
                    branch: index as u32,
                    share: if total > 0.0 { arrival / total } else { 0.0 },
                    anchored: 0.0,
                    counted: 0.0,
                });
            }
        }
    }
}
