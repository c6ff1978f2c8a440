//! What becomes of each bundle once the links' and servers' shares are known.

use super::fluid::{
    Branch, BranchOutcome, Bundle, ColoState, Fetched, Fluid, Inputs, Outcome, Refused, Waits,
};
use super::links::{Fabric, Injection, Passage, Path};
use super::server::{Backlog, Mode, seconds_per_cpu_s};
use super::waiting::{State, waits};
use crate::kernel::{Id, Table};
use crate::net::{ArcId, ColoId, NodeId};
use crate::record::DropCause;
use crate::scenario::ClassId;

/// Share of a branch's arrivals whose responses leave now. Zero where a backlog decides instead.
pub(super) fn served_share(
    branch: &Branch,
    colos: &Table<ColoId, ColoState>,
    backlogs: &Table<ColoId, Backlog>,
) -> f64 {
    let Some(colo) = branch.colo else { return 1.0 };
    let state = &colos[colo];
    if backlogs[colo].work_cpu_s > 0.0 {
        0.0
    } else if state.arrival > state.capacity {
        state.capacity / state.arrival
    } else {
        1.0
    }
}

impl Fluid {
    /// Rate of a branch that reaches its servers.
    pub(super) fn arriving(
        &mut self,
        fabric: &Fabric<'_>,
        bundle: &Bundle,
        index: usize,
        branch: &Branch,
    ) -> f64 {
        self.rate[index]
            * self.sent(index)
            * branch.share
            * self.entry[index].delivered
            * bundle.refused.admitted()
            * self.spilled(fabric, bundle, branch).delivered
    }

    /// Rate of a bundle that reaches its landing site, before admission.
    pub(crate) fn reaching(&self, index: usize) -> f64 {
        self.rate[index] * self.sent(index) * self.entry[index].delivered
    }

    /// What becomes of requests on their way to another serving site.
    pub(super) fn spilled(
        &mut self,
        fabric: &Fabric<'_>,
        bundle: &Bundle,
        branch: &Branch,
    ) -> Passage {
        match branch.spill {
            None => Passage::FREE,
            Some((node, path)) => {
                let queue = self.queue_of(bundle.class, bundle.tenant);
                self.passage(fabric, path, queue, node)
            }
        }
    }

    /// A bundle's queue, and the one of its tenant in the last class.
    fn queues_of(&self, bundle: &Bundle) -> [usize; 2] {
        let last = ClassId::from_index(self.queues / self.tenants - 1);
        [bundle.class, last].map(|class| self.queue_of(class, bundle.tenant))
    }

    /// Responses leave along the exits; what is remarked goes in the last class.
    pub(super) fn leave(
        &self,
        bundle: &Bundle,
        index: usize,
        node: NodeId,
        exits: impl Iterator<Item = (Path, f64)>,
        bps: f64,
        injection: &mut Injection,
    ) {
        let [queue, last] = self.queues_of(bundle);
        let remarked = self.remarked[index];
        for (path, share) in exits {
            injection.add(path, queue, node, bps * share * (1.0 - remarked));
            if remarked > 0.0 {
                injection.add(path, last, node, bps * share * remarked);
            }
        }
    }

    /// Where work waits, the servers are busy with it: responses leave at the rate of their
    /// capacity, mixed as the waiting work is.
    pub(super) fn leave_backlogs(
        &self,
        inputs: &Inputs<'_>,
        colos: &Table<ColoId, ColoState>,
        injection: &mut Injection,
    ) {
        for (colo, backlog) in inputs.backlogs.iter() {
            if backlog.work_cpu_s <= 0.0 {
                continue;
            }
            let node = inputs.fabric.network.colos[colo].node;
            for waiting in &backlog.waiting {
                let index = waiting.bundle as usize;
                let bundle = &inputs.bundles[index];
                let done = colos[colo].capacity * waiting.work_cpu_s / backlog.work_cpu_s;
                let here = bundle.branches.iter().find(|branch| branch.colo == Some(colo));
                let got = here.map_or(1.0, |branch| branch.fetch.got());
                let bps = done / bundle.cpu_s * bundle.response_bits * got;
                self.leave(bundle, index, node, bundle.exits.iter().copied(), bps, injection);
            }
        }
    }

    /// What becomes of traffic from a node along a path, with the present ratios.
    pub(super) fn passage(
        &mut self,
        fabric: &Fabric<'_>,
        path: Path,
        queue: usize,
        node: NodeId,
    ) -> Passage {
        match path {
            Path::Tunnels(pair) => fabric.tunnel_passage(pair, queue, &self.transfer),
            Path::Dag(dag) => {
                let slot = dag * fabric.queues + queue;
                if self.passages.len() <= slot {
                    self.passages.resize(fabric.routes.len() * fabric.queues, Vec::new());
                }
                if self.passages[slot].is_empty() {
                    let mut rows = std::mem::take(&mut self.passages[slot]);
                    fabric.passages(fabric.routes.dag(dag), queue, &self.transfer, &mut rows);
                    self.passages[slot] = rows;
                }
                self.passages[slot][node.index()]
            }
        }
    }

    /// What becomes of a response that leaves at a node: over all exits, remarked part included.
    fn egress(
        &mut self,
        fabric: &Fabric<'_>,
        bundle: &Bundle,
        index: usize,
        branch: &Branch,
    ) -> Passage {
        // An answer without bits here is played as a flow of its own, or has nothing to lose.
        if bundle.exits.is_empty() || bundle.response_bits <= 0.0 {
            return Passage::FREE;
        }
        let [queue, last] = self.queues_of(bundle);
        let remarked = self.remarked[index];
        let mut sum = Passage { delivered: 0.0, ..Passage::FREE };
        for (path, share) in branch.exits(bundle) {
            for (queue, part) in [(queue, 1.0 - remarked), (last, remarked)] {
                if part > 0.0 {
                    let passage = self.passage(fabric, path, queue, branch.node);
                    sum.delivered += share * part * passage.delivered;
                    sum.down += share * part * passage.down;
                    sum.no_route += share * part * passage.no_route;
                    sum.queued += share * part * passage.queued;
                    sum.delay_s += share * part * passage.delivered * passage.delay_s;
                    sum.queue_s += share * part * passage.delivered * passage.queue_s;
                }
            }
        }
        sum.with_mean_delay()
    }

    /// Fills in `self.outcome` and the response times of `colos`.
    pub(super) fn outcomes(&mut self, inputs: &Inputs<'_>, colos: &mut Table<ColoId, ColoState>) {
        self.passages.clear();
        self.wait(inputs);
        for (colo, state) in colos.iter_mut() {
            let pools = &inputs.pools[colo];
            // Most changes leave most colos as they were.
            if state.computed_for == (state.arrival, state.capacity) {
                continue;
            }
            state.computed_for = (state.arrival, state.capacity);
            state.seconds_per_cpu_s = if state.capacity > 0.0 && !pools.is_empty() {
                seconds_per_cpu_s(pools, state.arrival / state.capacity)
            } else {
                1.0
            };
        }
        let mut outcomes = std::mem::take(&mut self.outcome);
        outcomes.resize(inputs.bundles.len(), Outcome::default());
        for (index, bundle) in inputs.bundles.iter().enumerate() {
            let branches = std::mem::take(&mut outcomes[index].branches);
            outcomes[index] = self.bundle_outcome(inputs, colos, bundle, index, branches);
        }
        self.outcome = outcomes;
    }

    fn bundle_outcome(
        &mut self,
        inputs: &Inputs<'_>,
        colos: &Table<ColoId, ColoState>,
        bundle: &Bundle,
        index: usize,
        mut branches: Vec<BranchOutcome>,
    ) -> Outcome {
        branches.clear();
        let mut outcome = Outcome::default();
        let policed = self.policed[index];
        outcome.dropped[DropCause::Policed as usize] = policed;
        outcome.dropped[DropCause::Throttled as usize] = (1.0 - policed) * self.throttled[index];
        if bundle.dead {
            outcome.dropped[DropCause::Down as usize] = 1.0 - policed;
        }
        let entry = self.entry[index];
        let entry_s = self.entry_wait_s(&inputs.fabric, bundle);
        for branch in &bundle.branches {
            // Nothing arrives any more from a landing site that is down; what waits still leaves.
            let offered = if bundle.dead { 0.0 } else { self.sent(index) * branch.share };
            let spill = self.spilled(&inputs.fabric, bundle, branch);
            let reached = offered * entry.delivered;
            let admitted = reached * bundle.refused.admitted();
            let arriving = admitted * spill.delivered;
            lose(&mut outcome, offered, entry);
            refuse(&mut outcome, reached, bundle.refused);
            lose(&mut outcome, admitted, spill);
            let egress = self.egress(&inputs.fabric, bundle, index, branch);
            let (backlogged, server_s) = self.server(inputs, colos, bundle, branch);
            let fetch = branch.fetch;
            let (latency_s, waits) = waits_of(entry_s, spill, server_s, fetch.wait_s, egress);
            let got = fetch.got();
            let fetched = if got > 0.0 {
                (fetch.misses - fetch.lost.iter().sum::<f64>()).max(0.0) / got
            } else {
                0.0
            };
            if backlogged {
                outcome.backlogged |= !bundle.dead;
            } else {
                let served = arriving * got * egress.delivered;
                outcome.served += served;
                outcome.fetched += served * fetched;
                outcome.latency_s += served * latency_s;
                outcome.waits.add(&waits, served);
                lose_fetches(&mut outcome, arriving, fetch);
                lose(&mut outcome, arriving * got, egress);
            }
            branches.push(BranchOutcome {
                arriving,
                egress: [
                    egress.delivered * got,
                    egress.full() * got + fetch.lost[0],
                    egress.down * got + fetch.lost[1],
                    egress.no_route * got + fetch.lost[2],
                    egress.queued * got,
                ],
                backlogged,
                latency_s,
                waits,
                fetched,
            });
        }
        if outcome.served > 0.0 {
            outcome.latency_s /= outcome.served;
            outcome.fetched /= outcome.served;
            let sums = std::mem::take(&mut outcome.waits);
            outcome.waits.add(&sums, 1.0 / outcome.served);
        }
        outcome.clean = outcome.queued == 0.0 && outcome.dropped.iter().all(|&share| share == 0.0);
        outcome.branches = branches;
        outcome
    }

    /// How long traffic of every queue waits in front of every link.
    fn wait(&mut self, inputs: &Inputs<'_>) {
        let fabric = &inputs.fabric;
        let transfer = &mut self.transfer;
        for arc in 0..fabric.graph.arc_count() {
            let slots = arc * fabric.queues..(arc + 1) * fabric.queues;
            let link = &fabric.network.links[ArcId::from_index(arc).link()];
            if !link.model.has_queue() {
                // Only a link that is too full delays: by its whole buffer.
                let buffer_s = link.buffer.seconds();
                for slot in slots {
                    let standing = self.saturated.get(slot).is_some_and(|&full| full);
                    let full = transfer.ratio[slot] < 1.0 || standing;
                    transfer.wait_s[slot] = if full { buffer_s } else { 0.0 };
                }
                continue;
            }
            if !fabric.truth.up[arc] {
                transfer.wait_s[slots].fill(0.0);
                continue;
            }
            let bits = inputs.buffers.bits.get(slots.clone()).unwrap_or_default();
            let state = State {
                link,
                capacity_bps: fabric.truth.capacity_bps[arc],
                tenants: fabric.tenants,
                arrival_bps: &self.arrival_bps[slots.clone()],
                ratio: &transfer.ratio[slots.clone()],
                bits,
                out_bps: &transfer.out_bps[slots.clone()],
                first: (inputs.buffers.first.get(slots.clone()).unwrap_or_default(), slots.start),
                saturated: self.saturated.get(slots.clone()).unwrap_or_default(),
            };
            waits(&state, &mut transfer.wait_s[slots.clone()]);
        }
    }

    /// Mean seconds that requests wait in front of the links by which they come in, where these
    /// have a queue of their own.
    fn entry_wait_s(&self, fabric: &Fabric<'_>, bundle: &Bundle) -> f64 {
        let queue = self.queue_of(bundle.class, bundle.tenant);
        let (mut passed, mut waited) = (0.0, 0.0);
        for &(arc, share) in &bundle.entry {
            let slot = arc.index() * fabric.queues + queue;
            let through = share * self.transfer.ratio[slot];
            passed += through;
            if fabric.network.links[arc.link()].model.has_queue() {
                waited += through * self.transfer.wait_s[slot];
            }
        }
        if waited > 0.0 { waited / passed } else { 0.0 }
    }

    /// Whether a branch's colo has a backlog, and the seconds a request spends there.
    fn server(
        &self,
        inputs: &Inputs<'_>,
        colos: &Table<ColoId, ColoState>,
        bundle: &Bundle,
        branch: &Branch,
    ) -> (bool, f64) {
        let Some(colo) = branch.colo else { return (false, 0.0) };
        let (state, backlog) = (&colos[colo], &inputs.backlogs[colo]);
        let mode = backlog.mode(state.arrival, state.capacity, state.bound_cpu_s);
        let waiting = if state.capacity > 0.0 { backlog.work_cpu_s / state.capacity } else { 0.0 };
        (mode != Mode::Keeping, bundle.cpu_s * state.seconds_per_cpu_s + waiting)
    }
}

/// Books what admission turns away of an amount.
fn refuse(outcome: &mut Outcome, amount: f64, refused: Refused) {
    outcome.dropped[DropCause::Filtered as usize] += amount * refused.filtered;
    outcome.dropped[DropCause::OverBudget as usize] += amount * refused.over_budget;
    outcome.dropped[DropCause::Shed as usize] += amount * refused.shed;
}

/// Books what is lost of an amount because its fetch was.
fn lose_fetches(outcome: &mut Outcome, amount: f64, fetch: Fetched) {
    let causes = [DropCause::LinkFull, DropCause::Down, DropCause::NoRoute];
    for (cause, lost) in causes.into_iter().zip(fetch.lost) {
        outcome.dropped[cause as usize] += amount * lost;
    }
}

/// Seconds that a request spends beyond the users' round trips, and on what: in front of the links
/// by which it comes in, there and back across the backbone, at the servers, waiting for the origin,
/// on the way out.
fn waits_of(
    entry_s: f64,
    spill: Passage,
    server_s: f64,
    origin_s: f64,
    egress: Passage,
) -> (f64, Waits) {
    let latency_s = server_s + 2.0 * spill.delay_s + egress.delay_s + entry_s + origin_s;
    let inside_s = 2.0 * spill.queue_s + egress.queue_s;
    let waits = Waits {
        propagation_s: 2.0 * spill.delay_s + egress.delay_s - inside_s,
        link_queue_s: inside_s + entry_s,
        service_s: server_s,
        origin_s,
    };
    (latency_s, waits)
}

/// Books what a passage loses of an amount, and what joins buffers.
fn lose(outcome: &mut Outcome, amount: f64, passage: Passage) {
    outcome.dropped[DropCause::LinkFull as usize] += amount * passage.full();
    outcome.dropped[DropCause::Down as usize] += amount * passage.down;
    outcome.dropped[DropCause::NoRoute as usize] += amount * passage.no_route;
    outcome.queued += amount * passage.queued;
}
