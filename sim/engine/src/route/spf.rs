//! Shortest paths towards a destination, with equal-cost multipath.

use crate::kernel::Id;
use crate::net::graph::Adjacency;
use crate::net::{ArcId, NodeId};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Distance of a node from which the destination cannot be reached.
pub const UNREACHABLE: u64 = u64::MAX;

/// How traffic flows towards one destination: for every node the arcs it uses next and the share
/// of each. Loop-free by construction: distance falls along every arc.
#[derive(Clone, Debug, PartialEq)]
pub struct Dag {
    /// Nodes that reach the destination and must still forward, farthest first.
    pub order: Vec<NodeId>,
    /// IGP distance of each node to where its traffic leaves; [`UNREACHABLE`] without a route.
    pub distance: Vec<u64>,
    start: Vec<u32>,
    next: Vec<(ArcId, f64)>,
}

impl Dag {
    /// The arcs a node uses next with their shares, which add up to 1; empty at the destination
    /// and where there is no route.
    #[must_use]
    #[inline]
    pub fn next(&self, node: NodeId) -> &[(ArcId, f64)] {
        &self.next[self.start[node.index()] as usize..self.start[node.index() + 1] as usize]
    }

    /// Whether traffic at a node has somewhere to go (or has arrived).
    #[must_use]
    #[inline]
    pub fn reaches(&self, node: NodeId) -> bool {
        self.distance[node.index()] != UNREACHABLE
    }

    /// Builds a DAG from distances and the next arcs of each node.
    pub(super) fn from_parts(
        distance: Vec<u64>,
        rank: &[u64],
        next_of: Vec<Vec<(ArcId, f64)>>,
    ) -> Dag {
        let mut order: Vec<NodeId> = (0..next_of.len())
            .filter(|&i| !next_of[i].is_empty())
            .map(NodeId::from_index)
            .collect();
        order.sort_by_key(|node| (Reverse(rank[node.index()]), node.0));
        let mut start = Vec::with_capacity(next_of.len() + 1);
        let mut next = Vec::new();
        start.push(0);
        for arcs in next_of {
            next.extend(arcs);
            start.push(next.len() as u32);
        }
        Dag { order, distance, start, next }
    }
}

/// Shortest-path searches one after the other, in the same memory.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// What may be settled next, as [`rank`].
    waiting: BinaryHeap<Reverse<u128>>,
    /// Nodes that the last search reached, in ascending (distance, node).
    settled: Vec<NodeId>,
}

impl Search {
    /// Distances of all nodes to the nearest of `seeds` over the arcs that `usable` allows, never
    /// through a node that may not be passed (Dijkstra). Seeds have the given start distances.
    pub fn distances_to(
        &mut self,
        graph: &Adjacency,
        seeds: &[(NodeId, u64)],
        usable: impl Fn(ArcId) -> bool,
    ) -> Vec<u64> {
        let mut distance = vec![UNREACHABLE; graph.node_count()];
        self.waiting.clear();
        self.settled.clear();
        for &(node, start) in seeds {
            if start < distance[node.index()] {
                distance[node.index()] = start;
                self.waiting.push(Reverse(rank(start, node)));
            }
        }
        while let Some(Reverse(next)) = self.waiting.pop() {
            let (reached, node) = ((next >> 32) as u64, NodeId(next as u32));
            if reached > distance[node.index()] {
                continue;
            }
            self.settled.push(node);
            // Traffic may pass through `node` on its way only if it is ours; a seed is the way out.
            if !graph.transit[node.index()] && seeds.iter().all(|&(seed, _)| seed != node) {
                continue;
            }
            for &arc in graph.entering(node) {
                let from = graph.from[arc.index()];
                let candidate = reached.saturating_add(graph.weight[arc.index()]);
                if candidate < distance[from.index()] && usable(arc) {
                    distance[from.index()] = candidate;
                    self.waiting.push(Reverse(rank(candidate, from)));
                }
            }
        }
        distance
    }

    /// The DAG of all shortest paths to `destination`: every equal-cost next edge gets the same
    /// share, parallel edges apart (the even split per next-hop edge of REPETITA, arXiv
    /// 1710.08665).
    #[must_use]
    pub fn shortest_dag(
        &mut self,
        graph: &Adjacency,
        destination: NodeId,
        usable: impl Fn(ArcId) -> bool,
    ) -> Dag {
        let distance = self.distances_to(graph, &[(destination, 0)], &usable);
        let nodes = graph.node_count();
        let mut start = Vec::with_capacity(nodes + 1);
        let mut next = Vec::with_capacity(2 * self.settled.len());
        start.push(0);
        for index in 0..nodes {
            let node = NodeId::from_index(index);
            if node != destination && distance[index] != UNREACHABLE {
                let before = next.len();
                let arcs = equal_arcs(graph, node, &distance, destination, &usable);
                next.extend(arcs.map(|arc| (arc, 0.0)));
                let share = 1.0 / (next.len() - before) as f64;
                next[before..].iter_mut().for_each(|(_, even)| *even = share);
            }
            start.push(next.len() as u32);
        }
        // Farthest first, equally far nodes by number. Whoever is settled has a next arc, except
        // the destination, which is settled first.
        let mut order = Vec::with_capacity(self.settled.len().saturating_sub(1));
        let mut end = self.settled.len();
        while end > 1 {
            let far = distance[self.settled[end - 1].index()];
            let mut begin = end - 1;
            while begin > 1 && distance[self.settled[begin - 1].index()] == far {
                begin -= 1;
            }
            order.extend_from_slice(&self.settled[begin..end]);
            end = begin;
        }
        Dag { order, distance, start, next }
    }
}

/// Distance, then node, as one number: it compares faster than a pair.
#[inline]
fn rank(distance: u64, node: NodeId) -> u128 {
    u128::from(distance) << 32 | u128::from(node.0)
}

/// [`Search::distances_to`], once.
#[must_use]
pub fn distances_to(
    graph: &Adjacency,
    seeds: &[(NodeId, u64)],
    usable: impl Fn(ArcId) -> bool,
) -> Vec<u64> {
    Search::default().distances_to(graph, seeds, usable)
}

/// [`Search::shortest_dag`], once.
#[must_use]
pub fn shortest_dag(graph: &Adjacency, destination: NodeId, usable: impl Fn(ArcId) -> bool) -> Dag {
    Search::default().shortest_dag(graph, destination, usable)
}

/// The arcs of `node` that lie on shortest paths, in arc order.
fn equal_arcs<'a>(
    graph: &'a Adjacency,
    node: NodeId,
    distance: &'a [u64],
    destination: NodeId,
    usable: impl Fn(ArcId) -> bool + 'a,
) -> impl Iterator<Item = ArcId> + 'a {
    let here = distance[node.index()];
    graph.leaving(node).iter().copied().filter(move |&arc| {
        let to = graph.to[arc.index()];
        let rest = distance[to.index()];
        rest != UNREACHABLE
            && rest.saturating_add(graph.weight[arc.index()]) == here
            && (to == destination || graph.transit[to.index()])
            && usable(arc)
    })
}

/// Next arcs of `node` on shortest paths given all distances, with even shares.
pub(super) fn equal_next(
    graph: &Adjacency,
    node: NodeId,
    distance: &[u64],
    destination: NodeId,
    usable: impl Fn(ArcId) -> bool,
) -> Vec<(ArcId, f64)> {
    let arcs: Vec<ArcId> = equal_arcs(graph, node, distance, destination, usable).collect();
    let share = 1.0 / arcs.len() as f64;
    arcs.into_iter().map(|arc| (arc, share)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Stream, StreamKey};
    use crate::net::graph::to_petgraph;
    use crate::net::{Network, testing::line_network};

    fn random_network(seed: u64) -> Network {
        let mut stream =
            Stream::new(StreamKey { seed, replication: 0, purpose: "test", entity: 0 });
        let nodes = 2 + stream.below(12) as usize;
        let mut network = line_network(nodes, 1_000);
        for _ in 0..stream.below(30) {
            let ends = [stream.below(nodes as u64) as u32, stream.below(nodes as u64) as u32];
            if ends[0] != ends[1] {
                let mut link = network.links.rows()[0].clone();
                link.ends = ends.map(NodeId);
                link.weight = [1 + stream.below(4), 1 + stream.below(4)];
                network.links.push(link);
            }
        }
        network
    }

    #[test]
    fn distances_agree_with_petgraph_on_random_graphs() {
        for seed in 0..200 {
            let network = random_network(seed);
            let graph = Adjacency::new(&network);
            let mut pet = to_petgraph(&network);
            pet.reverse();
            for target in network.nodes.ids() {
                let ours = distances_to(&graph, &[(target, 0)], |_| true);
                let theirs = petgraph::algo::dijkstra(
                    &pet,
                    petgraph::graph::NodeIndex::new(target.index()),
                    None,
                    |edge| graph.weight[edge.weight().index()],
                );
                for node in network.nodes.ids() {
                    let expected = theirs
                        .get(&petgraph::graph::NodeIndex::new(node.index()))
                        .copied()
                        .unwrap_or(UNREACHABLE);
                    assert_eq!(ours[node.index()], expected, "seed {seed}");
                }
            }
        }
    }

    #[test]
    fn shares_add_up_and_distance_falls_along_every_arc() {
        for seed in 0..200 {
            let network = random_network(seed);
            let graph = Adjacency::new(&network);
            for target in network.nodes.ids() {
                let dag = shortest_dag(&graph, target, |_| true);
                let mut order: Vec<NodeId> =
                    network.nodes.ids().filter(|&node| !dag.next(node).is_empty()).collect();
                order.sort_by_key(|node| (Reverse(dag.distance[node.index()]), node.0));
                assert_eq!(dag.order, order, "farthest first, then by number");
                for &node in &dag.order {
                    let total: f64 = dag.next(node).iter().map(|(_, share)| share).sum();
                    assert!((total - 1.0).abs() < 1e-12);
                    for (arc, _) in dag.next(node) {
                        let to = graph.to[arc.index()];
                        assert!(dag.distance[to.index()] < dag.distance[node.index()]);
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_passes_through_a_neighbour() {
        let network = crate::net::testing::neighbour_between();
        let graph = Adjacency::new(&network);
        let (a, b) =
            (network.site_node(crate::net::SiteId(0)), network.site_node(crate::net::SiteId(1)));
        let dag = shortest_dag(&graph, b, |_| true);
        assert!(!dag.reaches(a), "the only way leads through another AS");
        let neighbour = network.neighbours.rows()[0].node;
        assert!(dag.reaches(neighbour), "the neighbour itself is next door");
    }
}
