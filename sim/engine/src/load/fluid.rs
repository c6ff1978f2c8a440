//! The fluid solution: for the present rates, what every bundle of traffic gets.
//!
//! A bundle is all traffic that meets the same fate: same landing site (or source node), same
//! destination, service and tenant. Its way is: policed at the source, in over the entry links,
//! perhaps across the backbone to another serving site, through the servers, out along the egress
//! paths. What one stage loses is not offered to the next. Links shared in a circle make this a
//! fixed point, found by damped iteration.

use super::buffers::Buffers;
use super::elastic::Wish;
use super::links::{Fabric, Injection, Passage, Path, Transfer};
use super::outcome::served_share;
use super::server::{Backlog, Mode};
use crate::kernel::{Id, Table};
use crate::net::{ArcId, ColoId, NeighbourId, NodeId, Pool};
use crate::record::DropCause;
use crate::scenario::{ClassId, Service, TenantId};

/// One place where a bundle is served.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Colo whose servers do the work; none for pure transfer.
    pub colo: Option<ColoId>,
    /// Node where the response starts.
    pub node: NodeId,
    /// Share of the bundle.
    pub share: f64,
    /// Way of the requests from the landing site, if they are served elsewhere: the landing node
    /// and the path.
    pub spill: Option<(NodeId, Path)>,
    /// The only way out from here, where it is not that of the bundle.
    pub exit: Option<Path>,
    /// What becomes of what the cache there does not hold.
    pub fetch: Fetched,
}

/// What fetching on cache misses does to the requests of a branch. The default: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fetched {
    /// Shares of the requests lost because their fetch was: at full links, at dead ones, for want
    /// of a route.
    pub lost: [f64; 3],
    /// Share of the requests that had to be fetched.
    pub misses: f64,
    /// Mean seconds that the answered ones waited for it, hits included.
    pub wait_s: f64,
}

impl Fetched {
    /// Share of the requests that can be answered.
    #[must_use]
    pub fn got(&self) -> f64 {
        1.0 - self.lost.iter().sum::<f64>()
    }
}

/// Shares of what reaches a site that admission turns away there, in order: by a filter, by a
/// token bucket, by shedding. The default: none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Refused {
    /// By a filter against an attack.
    pub filtered: f64,
    /// By its tenant's token bucket.
    pub over_budget: f64,
    /// To keep the servers' queue short.
    pub shed: f64,
}

impl Refused {
    /// Share that is let in.
    #[must_use]
    pub fn admitted(&self) -> f64 {
        1.0 - (self.filtered + self.over_budget + self.shed)
    }
}

impl Branch {
    /// Ways of the response with their shares; none where egress is not modelled.
    pub(crate) fn exits<'a>(
        &self,
        bundle: &'a Bundle,
    ) -> impl Iterator<Item = (Path, f64)> + use<'a> {
        let common = if self.exit.is_none() { bundle.exits.as_slice() } else { &[] };
        self.exit.map(|path| (path, 1.0)).into_iter().chain(common.iter().copied())
    }
}

/// The way of a bundle under the present routing. Rates are requests/s for bundles of client
/// groups, bit/s for transfers.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// Service.
    pub service: crate::scenario::ServiceId,
    /// Tenant.
    pub tenant: TenantId,
    /// Class of the service.
    pub class: ClassId,
    /// Bits from the user per unit of rate.
    pub request_bits: f64,
    /// Bits to the user per unit of rate (1 for transfers, whose unit is the bit).
    pub response_bits: f64,
    /// CPU-seconds per unit of rate.
    pub cpu_s: f64,
    /// Whether users ask for it: the rate counts requests, not bits.
    pub requests: bool,
    /// Site where it lands or starts.
    pub landing: Option<crate::net::SiteId>,
    /// Neighbour the traffic goes to, if any.
    pub neighbour: Option<NeighbourId>,
    /// Whether the landing or source site is down: everything is lost.
    pub dead: bool,
    /// Arcs by which requests come in, with shares; empty where that is not modelled.
    pub entry: Vec<(ArcId, f64)>,
    /// What is turned away at the landing site.
    pub refused: Refused,
    /// Whether caches fetch this for themselves: no user's traffic of its own.
    pub fetch: bool,
    /// Where it is served; shares add up to 1.
    pub branches: Vec<Branch>,
    /// Paths to the destination, with shares; empty where egress is not modelled.
    pub exits: Vec<(Path, f64)>,
}

impl Bundle {
    /// Bits per unit of rate, both ways.
    #[must_use]
    pub fn unit_bits(&self) -> f64 {
        self.request_bits + self.response_bits
    }

    /// Fills in what follows from the service.
    #[must_use]
    pub fn units(service: &Service, transfer: bool) -> (f64, f64, f64) {
        if transfer {
            (0.0, 1.0, 0.0)
        } else {
            (service.request_bytes * 8.0, service.response_bytes * 8.0, service.cpu_s)
        }
    }
}

/// Limit of a tenant towards a neighbour, bit/s over all sites.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TenantLimit {
    /// Above this the excess is dropped at the source.
    pub police_bps: Option<f64>,
    /// Above this the excess goes in the last class.
    pub remark_bps: Option<f64>,
}

/// What a request spends beyond the users' round trips, seconds, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Waits {
    /// On our own links, without queueing.
    pub propagation_s: f64,
    /// In the buffers of our own links.
    pub link_queue_s: f64,
    /// At the servers, waiting included.
    pub service_s: f64,
    /// Fetching what a cache did not hold.
    pub origin_s: f64,
}

impl Waits {
    /// Adds `weight` times another's.
    pub(super) fn add(&mut self, other: &Waits, weight: f64) {
        self.propagation_s += other.propagation_s * weight;
        self.link_queue_s += other.link_queue_s * weight;
        self.service_s += other.service_s * weight;
        self.origin_s += other.origin_s * weight;
    }
}

/// What becomes of a bundle, per unit of its rate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Share that is served end to end, leaving out branches with a backlog.
    pub served: f64,
    /// Shares lost by cause, leaving out what arrives at servers with a backlog.
    pub dropped: [f64; DropCause::ALL.len()],
    /// Mean seconds beyond the users' round trips, of what is served.
    pub latency_s: f64,
    /// What they are spent on; adds up to `latency_s`.
    pub waits: Waits,
    /// Share of what is served that had to be fetched first.
    pub fetched: f64,
    /// Share that joins buffers of links; negative while they empty.
    pub queued: f64,
    /// One entry a branch.
    pub branches: Vec<BranchOutcome>,
    /// Whether any branch has a backlog, so that served work is not what arrives.
    pub backlogged: bool,
    /// Whether nothing is lost and nothing joins a buffer.
    pub clean: bool,
}

/// What becomes of a branch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BranchOutcome {
    /// Share of the bundle that reaches the servers.
    pub arriving: f64,
    /// Shares of a response that get through to the user, are lost at full links, at dead ones,
    /// for want of a route, and join buffers of links.
    pub egress: [f64; 5],
    /// Whether the colo has a backlog.
    pub backlogged: bool,
    /// Seconds in servers and on our own links.
    pub latency_s: f64,
    /// What they are spent on; adds up to `latency_s`.
    pub waits: Waits,
    /// Share of what is served there that had to be fetched first.
    pub fetched: f64,
}

/// Servers of one colo as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ColoState {
    /// CPU-seconds per second; infinite where servers are not modelled.
    pub capacity: f64,
    /// Largest backlog, CPU-seconds.
    pub bound_cpu_s: f64,
    /// CPU-seconds per second that arrive (solution).
    pub arrival: f64,
    /// Share of arrivals accepted (solution).
    pub accepted: f64,
    /// Seconds per CPU-second of demand below saturation (solution).
    pub seconds_per_cpu_s: f64,
    /// Arrival and capacity for which `seconds_per_cpu_s` holds.
    pub(super) computed_for: (f64, f64),
}

impl ColoState {
    /// Response times must be found anew: what is in service has changed.
    pub(crate) fn forget_response_time(&mut self) {
        self.computed_for = (f64::NAN, f64::NAN);
    }
}

/// Scratch space and results of the fluid solution, kept between solutions to avoid allocation.
#[derive(Clone, Debug, Default)]
pub struct Fluid {
    /// Rate of each bundle.
    pub rate: Vec<f64>,
    /// Outcome of each bundle.
    pub outcome: Vec<Outcome>,
    /// Load that routing places on each arc before any drop, bit/s.
    pub placed_bps: Vec<f64>,
    /// What arrives at each (arc, queue), bit/s.
    pub arrival_bps: Vec<f64>,
    /// What becomes of it there.
    pub transfer: Transfer,
    /// Rate of each (tenant, neighbour) before limits, bit/s.
    pub tenant_offered_bps: Vec<f64>,
    /// Largest residual of a fixed point that did not settle; 0 if all did.
    pub residual_max: f64,
    pub(super) queues: usize,
    pub(super) tenants: usize,
    pub(super) policed: Vec<f64>,
    /// Share of what is not policed that elastic senders hold back.
    pub(super) throttled: Vec<f64>,
    /// Per slot: whether elastic traffic keeps the link full; empty where nothing is held back.
    pub saturated: Vec<bool>,
    /// Per slot: elastic traffic, bit/s; empty where nothing is held back.
    pub elastic_bps: Vec<f64>,
    pub(super) remarked: Vec<f64>,
    pub(super) entry: Vec<Passage>,
    pub(super) passages: Vec<Vec<Passage>>,
    injection: Injection,
    next: Transfer,
}

/// What the solution depends on.
pub struct Inputs<'a> {
    /// Links and routing.
    pub fabric: Fabric<'a>,
    /// Bundles.
    pub bundles: &'a [Bundle],
    /// Limits by (tenant, neighbour), tenant-major.
    pub limits: &'a [TenantLimit],
    /// Number of neighbours.
    pub neighbours: usize,
    /// Backlogs.
    pub backlogs: &'a Table<ColoId, Backlog>,
    /// What elastic bundles want, by bundle; empty where no service is elastic.
    pub wishes: &'a [Wish],
    /// What waits in front of links with a memory.
    pub buffers: &'a Buffers,
    /// Pools of each colo with the share of their servers that is in service.
    pub pools: &'a Table<ColoId, Vec<(Pool, f64)>>,
}

const ITERATIONS_MAX: usize = 500;
const SETTLED: f64 = 1e-13;

impl Fluid {
    /// Solves for the rates in `self.rate`; reads and writes `colos`.
    pub fn solve(&mut self, inputs: &Inputs<'_>, colos: &mut Table<ColoId, ColoState>) {
        let fabric = &inputs.fabric;
        let slots = fabric.graph.arc_count() * fabric.queues;
        (self.queues, self.tenants) = (fabric.queues, fabric.tenants);
        self.arrival_bps.resize(slots, 0.0);
        self.transfer.reset(slots);
        self.next.reset(slots);
        self.limit_tenants(inputs);
        self.throttled.clear();
        self.throttled.resize(inputs.bundles.len(), 0.0);
        self.passages.clear();
        self.pass(inputs, colos, true);
        self.placed_bps.clear();
        self.placed_bps.extend(
            self.arrival_bps.chunks(fabric.queues).map(|queues| queues.iter().sum::<f64>()),
        );
        self.settle(inputs, colos);
        self.slow_down(inputs, colos);
        self.outcomes(inputs, colos);
    }

    /// Solves anew after senders have changed what they send.
    pub(super) fn restart(&mut self, inputs: &Inputs<'_>, colos: &mut Table<ColoId, ColoState>) {
        self.transfer.reset(self.arrival_bps.len());
        self.settle(inputs, colos);
    }

    /// Share of a bundle that its senders send and that is not policed.
    pub(super) fn sent(&self, bundle: usize) -> f64 {
        (1.0 - self.policed[bundle]) * (1.0 - self.throttled[bundle])
    }

    /// Shares of each bundle that are policed and remarked.
    fn limit_tenants(&mut self, inputs: &Inputs<'_>) {
        self.tenant_offered_bps.clear();
        self.tenant_offered_bps.resize(inputs.limits.len(), 0.0);
        let slot = |bundle: &Bundle| {
            bundle.neighbour.map(|n| bundle.tenant.index() * inputs.neighbours + n.index())
        };
        for (bundle, rate) in inputs.bundles.iter().zip(&self.rate) {
            if let Some(slot) = slot(bundle) {
                self.tenant_offered_bps[slot] += rate * bundle.response_bits;
            }
        }
        self.policed.clear();
        self.remarked.clear();
        for bundle in inputs.bundles {
            let (mut policed, mut remarked) = (0.0, 0.0);
            if let Some(slot) = slot(bundle) {
                let offered = self.tenant_offered_bps[slot];
                let limit = inputs.limits[slot];
                let excess = |rate: Option<f64>, offered: f64| match rate {
                    Some(rate) if offered > rate => 1.0 - rate / offered,
                    _ => 0.0,
                };
                policed = excess(limit.police_bps, offered);
                remarked = excess(limit.remark_bps, offered * (1.0 - policed));
            }
            self.policed.push(policed);
            self.remarked.push(remarked);
        }
    }

    /// Finds the shares that every link lets through.
    fn settle(&mut self, inputs: &Inputs<'_>, colos: &mut Table<ColoId, ColoState>) {
        let (mut damping, mut last_residual) = (1.0, f64::INFINITY);
        for _ in 0..ITERATIONS_MAX {
            self.pass(inputs, colos, false);
            inputs.fabric.ratios(&self.arrival_bps, inputs.buffers, &mut self.next);
            let mut residual = 0.0_f64;
            for (ratio, &target) in self.transfer.ratio.iter_mut().zip(&self.next.ratio) {
                residual = residual.max((target - *ratio).abs());
                *ratio += damping * (target - *ratio);
            }
            self.follow_buffers(inputs.buffers);
            if residual <= SETTLED {
                return;
            }
            if residual >= last_residual && damping > 0.05 {
                damping *= 0.5;
            }
            last_residual = residual;
        }
        self.residual_max = self.residual_max.max(last_residual);
        self.clamp(inputs, colos);
    }

    /// What joins or leaves buffers, by the ratios in force.
    fn follow_buffers(&mut self, buffers: &Buffers) {
        if buffers.bits.is_empty() {
            return;
        }
        self.transfer.out_bps.copy_from_slice(&self.next.out_bps);
        for (slot, kept) in self.transfer.kept.iter_mut().enumerate() {
            // What is lost at a full buffer is lost; all else that does not pass joins it.
            let joins = self.next.kept[slot];
            *kept = if joins == 0.0 { 0.0 } else { 1.0 - self.transfer.ratio[slot] };
        }
    }

    /// Makes an unsettled solution feasible: letting less through never makes more arrive
    /// elsewhere, so lowering every share to what fits ends with no link above its capacity.
    fn clamp(&mut self, inputs: &Inputs<'_>, colos: &mut Table<ColoId, ColoState>) {
        for _ in 0..ITERATIONS_MAX {
            self.pass(inputs, colos, false);
            inputs.fabric.ratios(&self.arrival_bps, inputs.buffers, &mut self.next);
            let mut lowered = 0.0_f64;
            for (ratio, &fits) in self.transfer.ratio.iter_mut().zip(&self.next.ratio) {
                if fits < *ratio {
                    lowered = lowered.max(*ratio - fits);
                    *ratio = fits;
                }
            }
            self.follow_buffers(inputs.buffers);
            if lowered <= SETTLED {
                return;
            }
        }
    }

    /// One pass over all bundles with the present ratios: what arrives at links and servers.
    /// `lossless`: nothing is lost and servers keep up, whatever arrives.
    fn pass(&mut self, inputs: &Inputs<'_>, colos: &mut Table<ColoId, ColoState>, lossless: bool) {
        let fabric = &inputs.fabric;
        let mut injection = std::mem::take(&mut self.injection);
        injection.reset(
            fabric.queues,
            fabric.graph.node_count(),
            fabric.routes.len(),
            fabric.tunnels.len(),
            fabric.graph.arc_count(),
        );
        self.passages.clear();
        self.entry.clear();
        for state in colos.rows_mut() {
            state.arrival = 0.0;
        }
        for (index, bundle) in inputs.bundles.iter().enumerate() {
            let entry = self.enter(fabric, bundle, index, lossless, &mut injection);
            self.entry.push(entry);
            self.arrive(fabric, bundle, index, lossless, &mut injection, colos);
        }
        for (colo, state) in colos.iter_mut() {
            let mode = inputs.backlogs[colo].mode(state.arrival, state.capacity, state.bound_cpu_s);
            state.accepted = if mode == Mode::Full { state.capacity / state.arrival } else { 1.0 };
        }
        for (index, bundle) in inputs.bundles.iter().enumerate() {
            if self.rate[index] == 0.0 || bundle.dead {
                continue;
            }
            for branch in &bundle.branches {
                let sent = if lossless {
                    self.rate[index] * self.sent(index) * branch.share * bundle.refused.admitted()
                } else {
                    self.arriving(fabric, bundle, index, branch)
                        * served_share(branch, colos, inputs.backlogs)
                        * branch.fetch.got()
                };
                let bps = sent * bundle.response_bits;
                self.leave(bundle, index, branch.node, branch.exits(bundle), bps, &mut injection);
            }
        }
        if !lossless {
            self.leave_backlogs(inputs, colos, &mut injection);
        }
        let mut arrival = std::mem::take(&mut self.arrival_bps);
        fabric.propagate(
            &injection,
            (!lossless).then_some(self.transfer.ratio.as_slice()),
            &mut arrival,
        );
        self.arrival_bps = arrival;
        self.injection = injection;
    }

    /// Queue of a class and tenant on every link.
    pub(super) fn queue_of(&self, class: ClassId, tenant: TenantId) -> usize {
        class.index() * self.tenants + if self.tenants > 1 { tenant.index() } else { 0 }
    }

    /// Requests come in over the entry links. Returns what becomes of them there.
    fn enter(
        &self,
        fabric: &Fabric<'_>,
        bundle: &Bundle,
        index: usize,
        lossless: bool,
        injection: &mut Injection,
    ) -> Passage {
        if bundle.entry.is_empty() || bundle.dead || self.rate[index] == 0.0 {
            return Passage::FREE;
        }
        let bits = self.rate[index] * self.sent(index) * bundle.request_bits;
        let mut passage = Passage { delivered: 0.0, ..Passage::FREE };
        let queue = self.queue_of(bundle.class, bundle.tenant);
        for &(arc, share) in &bundle.entry {
            injection.add_entry(arc, queue, bits * share);
            let slot = arc.index() * fabric.queues + queue;
            if lossless {
                passage.delivered += share;
            } else if fabric.truth.up[arc.index()] {
                passage.delivered += share * self.transfer.ratio[slot];
                passage.queued += share * self.transfer.kept[slot];
            } else {
                passage.down += share;
            }
        }
        passage
    }

    /// Requests reach the servers, perhaps across the backbone.
    fn arrive(
        &mut self,
        fabric: &Fabric<'_>,
        bundle: &Bundle,
        index: usize,
        lossless: bool,
        injection: &mut Injection,
        colos: &mut Table<ColoId, ColoState>,
    ) {
        if bundle.dead || self.rate[index] == 0.0 {
            return;
        }
        let entry = self.entry[index];
        for branch in &bundle.branches {
            let entered = self.rate[index]
                * self.sent(index)
                * branch.share
                * if lossless { 1.0 } else { entry.delivered };
            let entered = entered * bundle.refused.admitted();
            if let Some((node, path)) = branch.spill {
                let queue = self.queue_of(bundle.class, bundle.tenant);
                injection.add(path, queue, node, entered * bundle.request_bits);
            }
            let Some(colo) = branch.colo else { continue };
            let arriving = if lossless {
                entered
            } else {
                entered * self.spilled(fabric, bundle, branch).delivered
            };
            colos[colo].arrival += arriving * bundle.cpu_s;
        }
    }
}
