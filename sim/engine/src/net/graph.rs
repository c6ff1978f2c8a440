//! The network as a petgraph, for whoever wants its algorithms.
//!
//! Routing uses its own flat arrays (petgraph's maps iterate in a random order); this view is the
//! door to the ecosystem and the oracle of the routing tests.

use super::{ArcId, Network, NodeId, NodeKind};
use petgraph::graph::DiGraph;

/// A directed graph with one node a colo or neighbour and one edge an arc with capacity.
#[must_use]
pub fn to_petgraph(network: &Network) -> DiGraph<NodeId, ArcId, u32> {
    let mut graph = DiGraph::with_capacity(network.nodes.len(), network.arc_count());
    let nodes: Vec<_> = network.nodes.ids().map(|node| graph.add_node(node)).collect();
    for (link, row) in network.links.iter() {
        for direction in 0..2 {
            if row.capacity_bps[direction] > 0 {
                let arc = ArcId::of(link, direction);
                graph.add_edge(
                    nodes[network.arc_from(arc).0 as usize],
                    nodes[network.arc_to(arc).0 as usize],
                    arc,
                );
            }
        }
    }
    graph
}

/// Flat adjacency: the arcs that enter and leave each node, in arc order.
///
/// Arcs without capacity are left out. Neighbours are kept; that nothing passes through them is
/// the routing's rule.
#[derive(Clone, Debug)]
pub struct Adjacency {
    out_start: Vec<u32>,
    out_arcs: Vec<ArcId>,
    in_start: Vec<u32>,
    in_arcs: Vec<ArcId>,
    /// Tail node of each arc.
    pub from: Vec<NodeId>,
    /// Head node of each arc.
    pub to: Vec<NodeId>,
    /// IGP cost of each arc.
    pub weight: Vec<u64>,
    /// Whether each node may be passed through (colos yes, neighbours no).
    pub transit: Vec<bool>,
}

impl Adjacency {
    /// The adjacency of a network.
    #[must_use]
    pub fn new(network: &Network) -> Adjacency {
        let arcs: Vec<ArcId> = (0..network.arc_count() as u32).map(ArcId).collect();
        let from: Vec<NodeId> = arcs.iter().map(|&arc| network.arc_from(arc)).collect();
        let to: Vec<NodeId> = arcs.iter().map(|&arc| network.arc_to(arc)).collect();
        let weight =
            arcs.iter().map(|&arc| network.links[arc.link()].weight[arc.direction()]).collect();
        let usable = |arc: ArcId| network.links[arc.link()].capacity_bps[arc.direction()] > 0;
        let group = |end: &[NodeId]| {
            let mut start = vec![0_u32; network.nodes.len() + 1];
            for &arc in arcs.iter().filter(|&&arc| usable(arc)) {
                start[end[arc.0 as usize].0 as usize + 1] += 1;
            }
            for index in 1..start.len() {
                start[index] += start[index - 1];
            }
            let mut next = start.clone();
            let mut grouped = vec![ArcId(0); start[network.nodes.len()] as usize];
            for &arc in arcs.iter().filter(|&&arc| usable(arc)) {
                let slot = &mut next[end[arc.0 as usize].0 as usize];
                grouped[*slot as usize] = arc;
                *slot += 1;
            }
            (start, grouped)
        };
        let (out_start, out_arcs) = group(&from);
        let (in_start, in_arcs) = group(&to);
        let transit =
            network.nodes.rows().iter().map(|kind| matches!(kind, NodeKind::Colo(_))).collect();
        Adjacency { out_start, out_arcs, in_start, in_arcs, from, to, weight, transit }
    }

    /// Arcs that leave a node.
    #[must_use]
    #[inline]
    pub fn leaving(&self, node: NodeId) -> &[ArcId] {
        let node = node.0 as usize;
        &self.out_arcs[self.out_start[node] as usize..self.out_start[node + 1] as usize]
    }

    /// Arcs that enter a node.
    #[must_use]
    #[inline]
    pub fn entering(&self, node: NodeId) -> &[ArcId] {
        let node = node.0 as usize;
        &self.in_arcs[self.in_start[node] as usize..self.in_start[node + 1] as usize]
    }

    /// Number of nodes.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.transit.len()
    }

    /// Number of arcs, those without capacity included.
    #[must_use]
    pub fn arc_count(&self) -> usize {
        self.from.len()
    }
}
