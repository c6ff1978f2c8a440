//! `wcmp-k-shortest`: each pair uses its k shortest loopless paths, in proportion to bottleneck
//! capacity.
//!
//! Model: k loopless paths by (IGP weight, list of edges) on the topology last reported; shares in
//! proportion to the smallest capacity on each path. New tunnels are asked for whenever the
//! topology feed reports a change. Pairs without any path are left to the IGP.

use std::collections::BTreeSet;
use std::sync::Arc;
use steerlab_engine::kernel::{Id, SimSpan, Stream};
use steerlab_engine::net::{ArcId, NodeId, NodeKind};
use steerlab_engine::route::k_shortest_paths;
use steerlab_engine::scenario::{Source, Target};
use steerlab_engine::steer::{
    Action, Ask, Descriptor, FeedKind, Param, ParamKind, Policy, Surface, Tunnel, TunnelPair, View,
};

/// How it is registered.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "wcmp-k-shortest",
    version: 1,
    summary: "k shortest loopless paths per pair, weighted by bottleneck capacity",
    source: "Yen 1971; weighted-cost multipath",
    surfaces: &[Surface::Paths],
    feeds: &[FeedKind::Topology],
    default_period: SimSpan::from_seconds(86_400),
    params: &[Param {
        name: "k",
        kind: ParamKind::Count { min: 1, max: 64 },
        default: Some("4"),
        doc: "paths per pair",
    }],
    build: |params| Box::new(WcmpKShortest { k: params.count("k") as usize, seen: Vec::new() }),
    check: |_| Ok(()),
};

struct WcmpKShortest {
    k: usize,
    /// Capacities on which the present tunnels were computed.
    seen: Vec<f64>,
}

impl Policy for WcmpKShortest {
    fn decide(&mut self, view: &View<'_>, _stream: &mut Stream, ask: &mut Ask<'_>) {
        let Some(topology) = view.topology_feed else { return };
        if topology.values == self.seen {
            return;
        }
        let pairs: BTreeSet<(NodeId, NodeId)> = view
            .demands
            .rows()
            .iter()
            .filter_map(|demand| match (demand.source, demand.target) {
                (Source::Node(from), Target::Node(to)) => Some((from, to)),
                _ => None,
            })
            .filter(|(from, to)| {
                from != to
                    && [from, to]
                        .iter()
                        .all(|&&node| matches!(view.network.nodes[node], NodeKind::Colo(_)))
            })
            .collect();
        let tunnels: Vec<TunnelPair> = pairs
            .into_iter()
            .filter_map(|(from, to)| self.tunnels(view, &topology.values, from, to))
            .collect();
        let cause = if self.seen.is_empty() { "initial paths" } else { "topology changed" };
        if ask.request(Action::SetTunnels(Arc::new(tunnels)), cause).is_ok() {
            self.seen = topology.values.clone();
        }
    }
}

impl WcmpKShortest {
    fn tunnels(
        &self,
        view: &View<'_>,
        capacity_bps: &[f64],
        from: NodeId,
        to: NodeId,
    ) -> Option<TunnelPair> {
        let usable = |arc: ArcId| capacity_bps[arc.index()] > 0.0;
        let paths = k_shortest_paths(view.adjacency, from, to, self.k, &usable);
        let bottlenecks: Vec<f64> = paths
            .iter()
            .map(|(_, arcs)| {
                arcs.iter().map(|arc| capacity_bps[arc.index()]).fold(f64::INFINITY, f64::min)
            })
            .collect();
        let total: f64 = bottlenecks.iter().sum();
        let tunnels: Vec<Tunnel> = paths
            .into_iter()
            .zip(bottlenecks)
            .map(|((_, arcs), bottleneck)| Tunnel { arcs, share: bottleneck / total })
            .collect();
        (!tunnels.is_empty()).then_some(TunnelPair { from, to, tunnels })
    }
}
