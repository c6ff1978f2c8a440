//! Traffic on links: what is injected where, what arrives at every arc, what gets through.
//!
//! Traffic of one queue (a class, or a tenant's part of a class) towards one destination is propagated at once along its DAG, so a whole
//! matrix costs one pass per destination, not per pair.

use super::buffers::Buffers;
use super::sharing::{Shape, queue_ratios};
use crate::kernel::Id;
use crate::net::graph::Adjacency;
use crate::net::{ArcId, Network, NodeId};
use crate::route::{Dag, RouteTable};
use crate::steer::TunnelPair;

/// The links as they really are.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// Per arc: whether it carries anything.
    pub up: Vec<bool>,
    /// Per arc: capacity while up, bit/s (0 while down).
    pub capacity_bps: Vec<f64>,
    /// Per arc: address blocks announced over it by the neighbour at its head, one bit each.
    pub blocks: Vec<u64>,
}

/// How traffic gets from a node to its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Along a DAG of the route table.
    Dag(usize),
    /// Along the tunnels of an installed pair.
    Tunnels(usize),
}

/// Traffic put into the network, before propagation. Bits per second.
#[derive(Clone, Debug, Default)]
pub struct Injection {
    queues: usize,
    nodes: usize,
    /// (dag, queue, node).
    dag: Vec<f64>,
    /// (tunnel pair, queue).
    tunnels: Vec<f64>,
    /// (arc, queue): traffic that enters over one arc and goes no further.
    arcs: Vec<f64>,
}

impl Injection {
    /// Makes room for a shape and empties everything.
    pub fn reset(&mut self, queues: usize, nodes: usize, dags: usize, pairs: usize, arcs: usize) {
        (self.queues, self.nodes) = (queues, nodes);
        for (values, len) in [
            (&mut self.dag, dags * queues * nodes),
            (&mut self.tunnels, pairs * queues),
            (&mut self.arcs, arcs * queues),
        ] {
            values.clear();
            values.resize(len, 0.0);
        }
    }

    /// Adds traffic at a node.
    #[inline]
    pub fn add(&mut self, path: Path, queue: usize, node: NodeId, bps: f64) {
        match path {
            Path::Dag(dag) => {
                self.dag[(dag * self.queues + queue) * self.nodes + node.index()] += bps;
            }
            Path::Tunnels(pair) => self.tunnels[pair * self.queues + queue] += bps,
        }
    }

    /// Adds traffic that enters over one arc.
    #[inline]
    pub fn add_entry(&mut self, arc: ArcId, queue: usize, bps: f64) {
        self.arcs[arc.index() * self.queues + queue] += bps;
    }
}

/// Everything needed to propagate traffic, borrowed for one solution.
#[derive(Clone, Copy)]
pub struct Fabric<'a> {
    /// The network.
    pub network: &'a Network,
    /// Its adjacency.
    pub graph: &'a Adjacency,
    /// Forwarding in force.
    pub routes: &'a RouteTable,
    /// Tunnels in force.
    pub tunnels: &'a [TunnelPair],
    /// Links as they are.
    pub truth: &'a Truth,
    /// Queues of every link: a class each, or a (class, tenant) each, classes first.
    pub queues: usize,
    /// Queues of one class: 1, or the number of tenants.
    pub tenants: usize,
}

/// What every (arc, queue) does to the traffic that arrives there.
#[derive(Clone, Debug, Default)]
pub struct Transfer {
    /// Rate out over rate in: above 1 only while a buffer empties.
    pub ratio: Vec<f64>,
    /// Share of what arrives that joins the buffer; negative while it empties, 0 for links without
    /// a memory.
    pub kept: Vec<f64>,
    /// Rate out of a buffer with a memory, bit/s; 0 for other links.
    pub out_bps: Vec<f64>,
    /// Seconds in the buffer.
    pub wait_s: Vec<f64>,
}

impl Transfer {
    /// Makes room for this many (arc, queue) slots, with nothing lost, kept or delayed.
    pub fn reset(&mut self, slots: usize) {
        self.ratio.clear();
        self.ratio.resize(slots, 1.0);
        for values in [&mut self.kept, &mut self.out_bps, &mut self.wait_s] {
            values.clear();
            values.resize(slots, 0.0);
        }
    }
}

/// What becomes of traffic from one node to its destination, per unit sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passage {
    /// Share delivered.
    pub delivered: f64,
    /// Share lost at links or sites that are down.
    pub down: f64,
    /// Share that has no route.
    pub no_route: f64,
    /// Share that joins the buffers of links with a memory; negative while they empty.
    pub queued: f64,
    /// Mean delay over our own links of what is delivered, seconds, queueing included.
    pub delay_s: f64,
    /// The part of it that is spent in buffers.
    pub queue_s: f64,
}

impl Passage {
    /// Nothing happens on the way.
    pub const FREE: Passage = Passage {
        delivered: 1.0,
        down: 0.0,
        no_route: 0.0,
        queued: 0.0,
        delay_s: 0.0,
        queue_s: 0.0,
    };

    /// Share lost because links are full.
    #[must_use]
    pub fn full(&self) -> f64 {
        let full = 1.0 - self.delivered - self.down - self.no_route - self.queued;
        // Shares that add up to 1 but for rounding are not a loss.
        if full < 1e-13 { 0.0 } else { full }
    }

    /// Makes means of delays that were summed over shares delivered.
    #[must_use]
    pub(super) fn with_mean_delay(self) -> Passage {
        let mean = |sum: f64| if self.delivered > 0.0 { sum / self.delivered } else { 0.0 };
        Passage { delay_s: mean(self.delay_s), queue_s: mean(self.queue_s), ..self }
    }
}

impl Fabric<'_> {
    pub(super) fn slot(&self, arc: ArcId, queue: usize) -> usize {
        arc.index() * self.queues + queue
    }

    /// Propagates injected traffic. `ratio` is the share that each (arc, class) lets through; none
    /// means that nothing is lost anywhere. Writes what arrives at each (arc, class).
    pub fn propagate(&self, injection: &Injection, ratio: Option<&[f64]>, arrival: &mut [f64]) {
        arrival.copy_from_slice(&injection.arcs);
        let nodes = self.graph.node_count();
        let mut at = vec![0.0; nodes];
        for dag_index in 0..self.routes.len() {
            let dag = self.routes.dag(dag_index);
            for queue in 0..self.queues {
                let base = (dag_index * self.queues + queue) * nodes;
                let injected = &injection.dag[base..base + nodes];
                if injected.iter().all(|&bps| bps == 0.0) {
                    continue;
                }
                at.copy_from_slice(injected);
                for &node in &dag.order {
                    let here = at[node.index()];
                    if here == 0.0 {
                        continue;
                    }
                    for &(arc, share) in dag.next(node) {
                        let slot = self.slot(arc, queue);
                        let arriving = here * share;
                        arrival[slot] += arriving;
                        let passed = ratio.map_or(1.0, |ratio| ratio[slot]);
                        at[self.graph.to[arc.index()].index()] += arriving * passed;
                    }
                }
            }
        }
        for (pair_index, pair) in self.tunnels.iter().enumerate() {
            for queue in 0..self.queues {
                let injected = injection.tunnels[pair_index * self.queues + queue];
                if injected == 0.0 {
                    continue;
                }
                for tunnel in &pair.tunnels {
                    let mut here = injected * tunnel.share;
                    for &arc in &tunnel.arcs {
                        let slot = self.slot(arc, queue);
                        arrival[slot] += here;
                        here *= ratio.map_or(1.0, |ratio| ratio[slot]);
                    }
                }
            }
        }
    }

    /// What each (arc, queue) lets through with these arrivals. `kept` and `out_bps` are written
    /// only where a link has a memory; they hold zeros elsewhere.
    pub fn ratios(&self, arrival: &[f64], buffers: &Buffers, shares: &mut Transfer) {
        for arc in 0..self.graph.arc_count() {
            let slots = arc * self.queues..(arc + 1) * self.queues;
            if !self.truth.up[arc] {
                shares.ratio[slots.clone()].fill(0.0);
                shares.kept[slots.clone()].fill(0.0);
                shares.out_bps[slots].fill(0.0);
                continue;
            }
            let link = &self.network.links[ArcId::from_index(arc).link()];
            let shape = Shape {
                scheduling: &link.scheduling,
                tenant_weights: &link.model.tenant_weights,
                tenants: self.tenants,
                capacity_bps: self.truth.capacity_bps[arc],
            };
            if link.model.backlog {
                buffers.ratios(&shape, link.buffer, slots, arrival, shares);
            } else {
                queue_ratios(&shape, &arrival[slots.clone()], &mut shares.ratio[slots]);
            }
        }
    }

    /// Propagation of our own links; the way to and through neighbours is in the users' round trip.
    pub(super) fn propagation_s(&self, arc: ArcId) -> f64 {
        use crate::net::LinkKind::{Backbone, Dci};
        let link = &self.network.links[arc.link()];
        if matches!(link.kind, Backbone | Dci) { link.delay.seconds() } else { 0.0 }
    }

    /// What becomes of traffic of a queue from every node along a DAG.
    pub fn passages(&self, dag: &Dag, queue: usize, shares: &Transfer, out: &mut Vec<Passage>) {
        out.clear();
        out.resize(
            self.graph.node_count(),
            Passage { no_route: 1.0, delivered: 0.0, ..Passage::FREE },
        );
        for (index, passage) in out.iter_mut().enumerate() {
            if dag.distance[index] == 0 && dag.next(NodeId::from_index(index)).is_empty() {
                *passage = Passage::FREE;
            }
        }
        for &node in dag.order.iter().rev() {
            let mut sum = Passage { delivered: 0.0, ..Passage::FREE };
            for &(arc, share) in dag.next(node) {
                let slot = self.slot(arc, queue);
                let passed = shares.ratio[slot];
                let to = self.graph.to[arc.index()];
                // Whoever is led to and forwards no further is the destination.
                let rest = if dag.next(to).is_empty() { Passage::FREE } else { out[to.index()] };
                let delivered = share * passed * rest.delivered;
                sum.delivered += delivered;
                sum.queued += share * (shares.kept[slot] + passed * rest.queued);
                sum.down +=
                    if self.truth.up[arc.index()] { share * passed * rest.down } else { share };
                let queue_s = shares.wait_s[slot];
                sum.delay_s += delivered * (self.propagation_s(arc) + queue_s + rest.delay_s);
                sum.queue_s += delivered * (queue_s + rest.queue_s);
            }
            out[node.index()] = sum.with_mean_delay();
        }
    }

    /// What becomes of traffic of a queue along the tunnels of a pair.
    #[must_use]
    pub fn tunnel_passage(&self, pair: usize, queue: usize, shares: &Transfer) -> Passage {
        let mut sum = Passage { delivered: 0.0, ..Passage::FREE };
        for tunnel in &self.tunnels[pair].tunnels {
            let (mut left, mut delay_s, mut queue_s) = (tunnel.share, 0.0, 0.0);
            for &arc in &tunnel.arcs {
                let slot = self.slot(arc, queue);
                let passed = shares.ratio[slot];
                delay_s += self.propagation_s(arc) + shares.wait_s[slot];
                queue_s += shares.wait_s[slot];
                if self.truth.up[arc.index()] {
                    sum.queued += left * shares.kept[slot];
                    left *= passed;
                } else {
                    sum.down += left;
                    left = 0.0;
                }
            }
            sum.delivered += left;
            sum.delay_s += left * delay_s;
            sum.queue_s += left * queue_s;
        }
        sum.with_mean_delay()
    }
}
