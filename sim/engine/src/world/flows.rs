//! Single flows inside a run: sources follow the demands, links carry what other traffic leaves.
//!
//! Between two solutions rates, ways and capacities stay, so the flows are played from one to the
//! next. A flow is offered when it arrives and served when it has finished; in between it counts as
//! queued.

use super::World;
use crate::kernel::{Id, SimTime, Stream};
use crate::load::flows::{
    Completion, FlowId, FlowSim, FlowSpec, FlowStats, Moment, Source, flow_stream,
};
use crate::load::fluid::Bundle;
use crate::load::links::Path;
use crate::net::{ArcId, LinkKind, NodeId};
use crate::record::{DropCause, Flow, FlowRow};
use crate::scenario::{Scenario, ServiceId, Source as From};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A flow's tag is its demand and its number there.
const NUMBER_BITS: u32 = 40;

/// What arcs have carried, and what has been counted of it.
#[derive(Clone, Debug, Default)]
struct Carried {
    bits: Vec<f64>,
    counted: Vec<f64>,
    metered: Vec<f64>,
    /// Mean over the interval that was counted last, bit/s.
    bps: Vec<f64>,
}

/// All single flows of a run.
#[derive(Clone, Debug)]
pub(crate) struct Flows {
    sim: FlowSim,
    /// By demand; none where traffic is a rate.
    sources: Vec<Option<Source>>,
    /// When sources have something to do, as of the present rates.
    due: BinaryHeap<Reverse<(Moment, u32)>>,
    /// By service.
    stats: Vec<FlowStats>,
    carried: Carried,
    finished: u64,
}

impl Flows {
    /// The sources of a scenario; none if it plays no flows.
    pub fn of(scenario: &Scenario, replication: u32) -> Option<Flows> {
        let source = |demand: &crate::scenario::Demand| {
            let spec = scenario.services[demand.service].flow.clone()?;
            let key = scenario.stream_key(replication, "flow", "demand", &demand.id);
            scenario.plays_flows(demand.service).then(|| Source::new(spec, key))
        };
        let sources: Vec<Option<Source>> = scenario.demands.rows().iter().map(source).collect();
        if sources.iter().all(Option::is_none) {
            return None;
        }
        let arcs = scenario.network.arc_count();
        let none = || vec![0.0; arcs];
        Some(Flows {
            sim: FlowSim::new(&none()),
            sources,
            due: BinaryHeap::new(),
            stats: vec![FlowStats::default(); scenario.services.len()],
            carried: Carried { bits: none(), counted: none(), metered: none(), bps: none() },
            finished: 0,
        })
    }
}

/// Where a flow goes, or why it cannot.
type Way = Result<Vec<ArcId>, DropCause>;

/// One of several by their shares.
fn pick<T: Copy>(choices: impl Iterator<Item = (T, f64)>, draw: f64) -> Option<T> {
    let choices: Vec<(T, f64)> = choices.filter(|choice| choice.1 > 0.0).collect();
    let total: f64 = choices.iter().map(|choice| choice.1).sum();
    let mut left = draw * total;
    for &(choice, share) in &choices {
        if left < share {
            return Some(choice);
        }
        left -= share;
    }
    choices.last().map(|choice| choice.0)
}

impl World<'_> {
    /// Plays all flows up to an instant under the present solution.
    pub(super) fn play_flows(&mut self, until: SimTime) {
        let Some(mut flows) = self.flows.take() else { return };
        let end = Moment::from(until);
        if end > flows.sim.now() {
            let mut done = Vec::new();
            while let Some(&Reverse((at, demand))) = flows.due.peek()
                && at < end
            {
                flows.due.pop();
                flows.sim.advance(at, &mut |flow| done.push(flow));
                self.end_flows(&mut flows, &mut done);
                self.send_flow(&mut flows, demand, at);
            }
            flows.sim.advance(end, &mut |flow| done.push(flow));
            self.end_flows(&mut flows, &mut done);
            let classes = self.scenario.classes.len() as u32;
            for arc in 0..self.graph.arc_count() {
                let of_class = |class| flows.sim.carried_bits(ArcId::from_index(arc), class);
                flows.carried.bits[arc] = (0..classes).map(of_class).sum();
            }
        }
        self.flows = Some(flows);
    }

    /// A source does what is due: perhaps a flow starts.
    fn send_flow(&mut self, flows: &mut Flows, demand: u32, at: Moment) {
        let Some(source) = flows.sources[demand as usize].as_mut() else { return };
        let sent = source.step(at);
        flows.due.push(Reverse((source.due(), demand)));
        let Some(mut sent) = sent else { return };
        let row = &self.scenario.demands.rows()[demand as usize];
        let service = &self.scenario.services[row.service];
        let way = self.flow_way(demand as usize, &mut sent.stream);
        let path = match way {
            Ok(path) => path,
            Err(cause) => {
                self.book_flow(demand, |flow| {
                    flow.offered_bits += sent.bits;
                    flow.dropped_bits[cause as usize] += sent.bits;
                });
                return;
            }
        };
        let spec = FlowSpec {
            weight: service.elastic.map_or(1.0, |elastic| elastic.weight),
            priority: service.class.0,
            tag: (u64::from(demand) << NUMBER_BITS) | sent.number,
            ..FlowSpec::plain(&path, sent.bits)
        };
        flows.sim.arrival(at, &spec);
        flows.stats[row.service.index()].start(sent.bits, self.round_trip_s(&path));
        self.book_flow(demand, |flow| {
            flow.offered_bits += sent.bits;
            flow.queued_bits += sent.bits;
        });
    }

    /// Twice the propagation over our own links.
    fn round_trip_s(&self, path: &[ArcId]) -> f64 {
        let delay = |arc: &ArcId| {
            let link = &self.scenario.network.links[arc.link()];
            let own = matches!(link.kind, LinkKind::Backbone | LinkKind::Dci);
            if own { link.delay.seconds() } else { 0.0 }
        };
        2.0 * path.iter().map(delay).sum::<f64>()
    }

    /// Books what happens to a flow of a demand.
    fn book_flow(&mut self, demand: u32, change: impl Fn(&mut Flow)) {
        let row = &self.scenario.demands.rows()[demand as usize];
        let class = self.scenario.services[row.service].class;
        let slot = row.tenant.index() * self.scenario.classes.len() + class.index();
        change(&mut self.ledger.bucket_flows[slot]);
        if let From::Clients(group) = row.source {
            change(&mut self.ledger.groups[group.index()].flow);
        }
    }

    fn end_flows(&mut self, flows: &mut Flows, done: &mut Vec<Completion>) {
        for flow in done.drain(..) {
            let demand = (flow.tag >> NUMBER_BITS) as u32;
            let service = self.scenario.demands.rows()[demand as usize].service;
            flows.stats[service.index()].finish(&flow);
            flows.finished += 1;
            self.book_flow(demand, |count| {
                count.queued_bits -= flow.bits;
                count.served_bits += flow.bits;
            });
        }
    }

    /// The way of one flow of a demand: one of the paths of its bundle, drawn by their shares.
    fn flow_way(&self, demand: usize, stream: &mut Stream) -> Way {
        let Some(number) = self.bundles.of_demand[demand] else {
            return Err(self.bundles.fate[demand].lost.unwrap_or(DropCause::NoRoute));
        };
        let bundle: &Bundle = &self.bundles.list[number as usize];
        if bundle.dead {
            return Err(DropCause::Down);
        }
        // Every draw is made in any case, so that a change of one choice leaves the others.
        let draws = [stream.uniform(), stream.uniform()];
        let branches = bundle.branches.iter().map(|branch| (branch, branch.share));
        let branch = pick(branches, draws[0]).ok_or(DropCause::NoRoute)?;
        let Some(path) = pick(branch.exits(bundle), draws[1]) else {
            return if bundle.exits.is_empty() { Ok(Vec::new()) } else { Err(DropCause::NoRoute) };
        };
        match path {
            Path::Tunnels(pair) => {
                let tunnels = &self.steering.tunnels[pair].tunnels;
                let choices = tunnels.iter().enumerate().map(|(i, tunnel)| (i, tunnel.share));
                let chosen = pick(choices, stream.uniform()).ok_or(DropCause::NoRoute)?;
                Ok(tunnels[chosen].arcs.clone())
            }
            Path::Dag(dag) => self.walk(dag, branch.node, stream),
        }
    }

    /// From a node along a DAG, one arc at a time.
    fn walk(&self, dag: usize, from: NodeId, stream: &mut Stream) -> Way {
        let dag = self.routes.dag(dag);
        if !dag.reaches(from) {
            return Err(DropCause::NoRoute);
        }
        let (mut path, mut node) = (Vec::new(), from);
        while let Some(arc) = pick(dag.next(node).iter().copied(), stream.uniform()) {
            path.push(arc);
            node = self.graph.to[arc.index()];
        }
        Ok(path)
    }

    /// Flows under way take the paths that are in force now, by the same draws as before. Those
    /// without a path any more break.
    pub(super) fn reroute_flows(&mut self) {
        self.play_flows(self.now);
        let Some(mut flows) = self.flows.take() else { return };
        let active: Vec<(FlowId, u64)> = flows.sim.flows().collect();
        for (id, tag) in active {
            let demand = (tag >> NUMBER_BITS) as usize;
            let Some(source) = &flows.sources[demand] else { continue };
            let mut stream = flow_stream(source.key(), tag & ((1 << NUMBER_BITS) - 1));
            match self.flow_way(demand, &mut stream) {
                Ok(path) if flows.sim.path(id) == Some(&path[..]) => {}
                Ok(path) => {
                    flows.sim.reroute(id, &path);
                }
                Err(cause) => {
                    let bits = flows.sim.bits(id).unwrap_or(0.0);
                    flows.sim.cancel(id);
                    let service = self.scenario.demands.rows()[demand].service;
                    flows.stats[service.index()].break_off();
                    self.book_flow(demand as u32, |flow| {
                        flow.queued_bits -= bits;
                        flow.dropped_bits[cause as usize] += bits;
                    });
                }
            }
        }
        self.flows = Some(flows);
    }

    /// A new solution: sources follow the demands, flows share what other traffic leaves.
    pub(super) fn offer_to_flows(&mut self) {
        self.play_flows(self.now);
        let Some(mut flows) = self.flows.take() else { return };
        let (queues, tenants) = self.queues;
        for index in 0..self.graph.arc_count() {
            let arc = ArcId::from_index(index);
            let links = &self.truth.links;
            flows
                .sim
                .set_capacity(arc, if links.up[index] { links.capacity_bps[index] } else { 0.0 });
            for class in 0..queues / tenants {
                let slots =
                    index * queues + class * tenants..index * queues + (class + 1) * tenants;
                let carried: f64 = slots.map(|slot| self.rate_out(slot)).sum();
                flows.sim.set_background(arc, class as u32, carried);
            }
        }
        let now = Moment::from(self.now);
        flows.due.clear();
        for demand in 0..flows.sources.len() {
            let rate = self.flow_rate(demand);
            if let Some(source) = flows.sources[demand].as_mut() {
                source.set_rate(now, rate);
                flows.due.push(Reverse((source.due().max(now), demand as u32)));
            }
        }
        self.trajectory.absorb(flows.finished);
        self.trajectory.absorb(flows.sim.active() as u64);
        self.flows = Some(flows);
    }

    /// What leaves a queue of an arc, bit/s.
    fn rate_out(&self, slot: usize) -> f64 {
        let transfer = &self.fluid.transfer;
        if transfer.out_bps[slot] > 0.0 {
            transfer.out_bps[slot]
        } else {
            self.fluid.arrival_bps[slot] * transfer.ratio[slot]
        }
    }

    /// Flows per second that a demand starts: transfers by their mean size, one for each request
    /// that servers answer.
    fn flow_rate(&self, demand: usize) -> f64 {
        let row = &self.scenario.demands.rows()[demand];
        let rate = self.demands.rate[demand];
        if let From::Node(_) = row.source {
            let spec = self.scenario.services[row.service].flow.as_ref();
            return spec.map_or(0.0, |spec| rate / spec.mean_bits);
        }
        // Requests that land nowhere are lost as such.
        let Some(number) = self.bundles.of_demand[demand] else { return 0.0 };
        let bundle = &self.bundles.list[number as usize];
        let fates = &self.fluid.outcome[number as usize].branches;
        let answered = bundle.branches.iter().zip(fates).map(|(branch, fate)| {
            let state = branch.colo.map(|colo| &self.colos[colo]);
            let share = state.map_or(1.0, |state| {
                if state.arrival > state.capacity { state.capacity / state.arrival } else { 1.0 }
            });
            fate.arriving * branch.fetch.got() * share
        });
        rate * answered.sum::<f64>()
    }

    /// Counts what the interval that ends now carried.
    pub(super) fn count_flows(&mut self, seconds: f64) {
        let Some(flows) = self.flows.as_mut() else { return };
        let Carried { bits, counted, bps, .. } = &mut flows.carried;
        for arc in 0..bits.len() {
            bps[arc] = (bits[arc] - counted[arc]) / seconds;
            counted[arc] = bits[arc];
        }
    }

    /// Mean rate of flows on an arc in the interval counted last, bit/s.
    pub(super) fn flow_bps(&self, arc: usize) -> f64 {
        self.flows.as_ref().map_or(0.0, |flows| flows.carried.bps[arc])
    }

    /// Bits of flows on an arc since this was last asked.
    pub(super) fn flow_bits_since_metered(&mut self, arc: usize) -> f64 {
        let Some(flows) = self.flows.as_mut() else { return 0.0 };
        let bits = flows.carried.bits[arc];
        bits - std::mem::replace(&mut flows.carried.metered[arc], bits)
    }

    /// One row a service that has flows; the next bucket begins.
    pub(super) fn flow_rows(&mut self, seconds: f64) -> Vec<FlowRow> {
        let Some(flows) = self.flows.as_mut() else { return Vec::new() };
        let mut rows = Vec::new();
        for (index, stats) in flows.stats.iter_mut().enumerate() {
            let service = ServiceId::from_index(index);
            if !self.scenario.plays_flows(service) {
                continue;
            }
            let started = stats.started.max(1) as f64;
            rows.push(FlowRow {
                service,
                started: stats.started,
                finished: stats.finished,
                broken: stats.broken,
                active: stats.active,
                started_bps: stats.started_bits / seconds,
                finished_bps: stats.finished_bits / seconds,
                round_trip_ms_mean: stats.round_trips_s / started * 1e3,
                times: stats.times(),
            });
            stats.clear();
        }
        rows
    }
}
