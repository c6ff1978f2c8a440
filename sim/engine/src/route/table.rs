//! The forwarding state in force, and the DAG towards every destination in use.

use super::spf::{Dag, Search, UNREACHABLE, equal_next};
use crate::kernel::Id;
use crate::net::graph::Adjacency;
use crate::net::{ArcId, NeighbourId, NeighbourKind, Network, NodeId, NodeKind};
use std::collections::BTreeMap;

/// What routing believes of the network: the truth as of its last convergence.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    /// Per arc: whether routing uses it.
    pub up: Vec<bool>,
    /// Per arc: its capacity, bit/s; splits among parallel exits follow it.
    pub capacity_bps: Vec<f64>,
    /// Per arc into a neighbour: the address blocks announced over it, one bit each.
    pub blocks: Vec<u64>,
}

/// Where traffic is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    /// A node of ours.
    Node(NodeId),
    /// One address block of a neighbour.
    Block(NeighbourId, u32),
}

/// All DAGs in use, built on demand and kept until the installed state changes.
#[derive(Clone, Debug)]
pub struct RouteTable {
    installed: Installed,
    search: Search,
    dags: Vec<Dag>,
    by_destination: BTreeMap<Destination, usize>,
    by_exits: BTreeMap<Vec<ArcId>, usize>,
}

impl RouteTable {
    /// An empty table over a forwarding state.
    #[must_use]
    pub fn new(installed: Installed) -> RouteTable {
        RouteTable {
            installed,
            search: Search::default(),
            dags: Vec::new(),
            by_destination: BTreeMap::new(),
            by_exits: BTreeMap::new(),
        }
    }

    /// The state it was built from.
    #[must_use]
    pub fn installed(&self) -> &Installed {
        &self.installed
    }

    /// A DAG by its index.
    #[must_use]
    pub fn dag(&self, index: usize) -> &Dag {
        &self.dags[index]
    }

    /// Number of DAGs built.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dags.len()
    }

    /// Whether none has been built.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dags.is_empty()
    }

    /// Index of the DAG towards a node.
    pub fn dag_to_node(&mut self, graph: &Adjacency, node: NodeId) -> usize {
        if let Some(&index) = self.by_destination.get(&Destination::Node(node)) {
            return index;
        }
        let up = &self.installed.up;
        self.dags.push(self.search.shortest_dag(graph, node, |arc| up[arc.index()]));
        let index = self.dags.len() - 1;
        self.by_destination.insert(Destination::Node(node), index);
        index
    }

    /// The DAGs towards a neighbour with the share of its traffic that follows each: blocks with
    /// the same exits share a DAG.
    pub fn dags_to_neighbour(
        &mut self,
        network: &Network,
        graph: &Adjacency,
        neighbour: NeighbourId,
    ) -> Vec<(usize, f64)> {
        let blocks = network.neighbours[neighbour].blocks;
        let mut weights: BTreeMap<usize, u32> = BTreeMap::new();
        for block in 0..blocks {
            *weights.entry(self.dag_to_block(network, graph, neighbour, block)).or_default() += 1;
        }
        weights
            .into_iter()
            .map(|(dag, count)| (dag, f64::from(count) / f64::from(blocks)))
            .collect()
    }

    fn dag_to_block(
        &mut self,
        network: &Network,
        graph: &Adjacency,
        neighbour: NeighbourId,
        block: u32,
    ) -> usize {
        let key = Destination::Block(neighbour, block);
        if let Some(&index) = self.by_destination.get(&key) {
            return index;
        }
        let exits = self.exits(network, graph, neighbour, block);
        let index = match self.by_exits.get(&exits) {
            Some(&index) => index,
            None => {
                let search = &mut self.search;
                self.dags.push(exit_dag(network, graph, &self.installed, &exits, search));
                self.by_exits.insert(exits, self.dags.len() - 1);
                self.dags.len() - 1
            }
        };
        self.by_destination.insert(key, index);
        index
    }

    /// Arcs over which a block can be reached: sessions with the neighbour that announce it, and
    /// all sessions with transit providers, who reach everybody.
    fn exits(
        &self,
        network: &Network,
        graph: &Adjacency,
        neighbour: NeighbourId,
        block: u32,
    ) -> Vec<ArcId> {
        let direct =
            |arc: &ArcId| network.nodes[graph.to[arc.index()]] == NodeKind::Neighbour(neighbour);
        let mut exits: Vec<ArcId> = (0..graph.arc_count())
            .map(ArcId::from_index)
            .filter(|arc| self.installed.up[arc.index()])
            .filter(|arc| match network.nodes[graph.to[arc.index()]] {
                NodeKind::Colo(_) => false,
                NodeKind::Neighbour(_) if direct(arc) => {
                    self.installed.blocks[arc.index()] >> block & 1 == 1
                }
                NodeKind::Neighbour(at) => {
                    network.neighbours[at].kind == NeighbourKind::Transit
                        && self.installed.blocks[arc.index()] != 0
                }
            })
            .collect();
        // Of equal local preference, the neighbour's own session has the shorter AS path.
        let preference = |arc: &ArcId| network.links[arc.link()].preference;
        let most = exits.iter().map(preference).max();
        if exits.iter().any(|arc| direct(arc) && Some(preference(arc)) == most) {
            exits.retain(|arc| direct(arc) || Some(preference(arc)) != most);
        }
        exits
    }
}

/// The DAG towards a set of exit arcs: highest local preference first, then the nearest exit by
/// IGP cost (hot potato); exits of one node share in proportion to capacity. Nodes that cannot
/// reach a preferred exit use the best they can reach.
fn exit_dag(
    network: &Network,
    graph: &Adjacency,
    installed: &Installed,
    exits: &[ArcId],
    search: &mut Search,
) -> Dag {
    let nodes = graph.node_count();
    let mut distance = vec![UNREACHABLE; nodes];
    let mut next_of: Vec<Vec<(ArcId, f64)>> = vec![Vec::new(); nodes];
    let preference = |arc: ArcId| network.links[arc.link()].preference;
    let mut levels: Vec<u32> = exits.iter().map(|&arc| preference(arc)).collect();
    levels.sort_unstable_by(|a, b| b.cmp(a));
    levels.dedup();
    let inside = |arc: ArcId| {
        installed.up[arc.index()]
            && graph.transit[graph.from[arc.index()].index()]
            && graph.transit[graph.to[arc.index()].index()]
    };
    for level in levels {
        let mut leaving: BTreeMap<NodeId, Vec<ArcId>> = BTreeMap::new();
        for &arc in exits.iter().filter(|&&arc| preference(arc) == level) {
            leaving.entry(graph.from[arc.index()]).or_default().push(arc);
        }
        let seeds: Vec<(NodeId, u64)> = leaving.keys().map(|&node| (node, 0)).collect();
        let reached = search.distances_to(graph, &seeds, inside);
        for index in 0..nodes {
            if distance[index] != UNREACHABLE || reached[index] == UNREACHABLE {
                continue;
            }
            let node = NodeId::from_index(index);
            distance[index] = reached[index];
            next_of[index] = match leaving.get(&node) {
                Some(arcs) => capacity_shares(arcs, &installed.capacity_bps),
                None => equal_next(graph, node, &reached, node, inside),
            };
        }
    }
    let rank = distance.clone();
    Dag::from_parts(distance, &rank, next_of)
}

/// Shares of parallel exits in proportion to capacity; even if none has any.
fn capacity_shares(arcs: &[ArcId], capacity_bps: &[f64]) -> Vec<(ArcId, f64)> {
    let total: f64 = arcs.iter().map(|arc| capacity_bps[arc.index()]).sum();
    let even = 1.0 / arcs.len() as f64;
    arcs.iter()
        .map(|&arc| (arc, if total > 0.0 { capacity_bps[arc.index()] / total } else { even }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::testing::{plain_link, plain_neighbour, plain_site};
    use crate::net::{LinkKind, SiteId};

    /// Two sites; the cloud is reached by two PNIs at `a` (one half size) and by one at `b`.
    fn cloud() -> (Network, NeighbourId) {
        let mut network = Network::default();
        let a = plain_site(&mut network, "a");
        let b = plain_site(&mut network, "b");
        let cloud = plain_neighbour(&mut network, "cloud", NeighbourKind::Cloud, 4);
        let node = network.neighbours[cloud].node;
        let (a, b) = (network.site_node(a), network.site_node(b));
        network.links.push(plain_link("p1", LinkKind::Pni, [a, node], 200));
        network.links.push(plain_link("p2", LinkKind::Pni, [a, node], 100));
        network.links.push(plain_link("far", LinkKind::Pni, [b, node], 100));
        network.links.push(plain_link("ab", LinkKind::Backbone, [a, b], 100));
        (network, cloud)
    }

    fn whole(network: &Network) -> Installed {
        let arcs = network.arc_count();
        Installed {
            up: vec![true; arcs],
            capacity_bps: (0..arcs)
                .map(|arc| network.links.rows()[arc / 2].capacity_bps[arc % 2] as f64)
                .collect(),
            blocks: vec![0b1111; arcs],
        }
    }

    #[test]
    fn nearest_exit_first_and_by_capacity() {
        let (network, cloud) = cloud();
        let graph = Adjacency::new(&network);
        let mut table = RouteTable::new(whole(&network));
        let dags = table.dags_to_neighbour(&network, &graph, cloud);
        assert_eq!(dags.len(), 1, "all blocks have the same exits");
        let dag = table.dag(dags[0].0);
        let a = network.site_node(SiteId(0));
        let shares: Vec<f64> = dag.next(a).iter().map(|(_, share)| *share).collect();
        assert_eq!(shares, [200.0 / 300.0, 100.0 / 300.0]);
    }

    #[test]
    fn withdrawn_blocks_go_the_long_way_and_the_rest_stays() {
        let (network, cloud) = cloud();
        let graph = Adjacency::new(&network);
        let mut installed = whole(&network);
        for link in [0, 1] {
            installed.blocks[link * 2] = 0b1100;
        }
        let mut table = RouteTable::new(installed);
        let dags = table.dags_to_neighbour(&network, &graph, cloud);
        assert_eq!(dags.iter().map(|(_, weight)| *weight).collect::<Vec<_>>(), [0.5, 0.5]);
        let a = network.site_node(SiteId(0));
        let over_backbone =
            dags.iter().filter(|(dag, _)| table.dag(*dag).next(a)[0].0.link().0 == 3).count();
        assert_eq!(over_backbone, 1);
    }

    #[test]
    fn preference_beats_distance() {
        let (mut network, cloud) = cloud();
        for link in [0, 1] {
            network.links[crate::net::LinkId(link)].preference = 100;
        }
        let graph = Adjacency::new(&network);
        let mut table = RouteTable::new(whole(&network));
        let dags = table.dags_to_neighbour(&network, &graph, cloud);
        let a = network.site_node(SiteId(0));
        assert_eq!(table.dag(dags[0].0).next(a)[0].0.link().0, 3, "over the backbone to b");
    }
}
