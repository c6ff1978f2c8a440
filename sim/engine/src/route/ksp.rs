//! Loopless k-shortest paths (Yen 1971), in a total order: weight, then the list of arcs.

use super::spf::{UNREACHABLE, distances_to};
use crate::kernel::Id;
use crate::net::graph::Adjacency;
use crate::net::{ArcId, NodeId};
use std::collections::BTreeSet;

/// Up to `k` loopless paths from `from` to `to` by (weight, arc list), as arc lists with their
/// weights. Parallel arcs make different paths.
#[must_use]
pub fn k_shortest_paths(
    graph: &Adjacency,
    from: NodeId,
    to: NodeId,
    k: usize,
    usable: &dyn Fn(ArcId) -> bool,
) -> Vec<(u64, Vec<ArcId>)> {
    let mut found: Vec<(u64, Vec<ArcId>)> = Vec::new();
    let mut candidates: BTreeSet<(u64, Vec<ArcId>)> = BTreeSet::new();
    let free = Blocked { nodes: vec![false; graph.node_count()], arcs: Vec::new() };
    if from == to || k == 0 {
        return found;
    }
    if let Some(first) = first_path(graph, from, to, &free, usable) {
        candidates.insert(first);
    }
    while let Some(path) = candidates.pop_first() {
        found.push(path);
        if found.len() == k {
            break;
        }
        let (_, last) = &found[found.len() - 1];
        for spur in 0..last.len() {
            let root = &last[..spur];
            let mut blocked = Blocked { nodes: vec![false; graph.node_count()], arcs: Vec::new() };
            for &arc in root {
                blocked.nodes[graph.from[arc.index()].index()] = true;
            }
            blocked.arcs.extend(
                found
                    .iter()
                    .filter(|(_, known)| known.len() > spur && known[..spur] == *root)
                    .map(|(_, known)| known[spur]),
            );
            let node = graph.from[last[spur].index()];
            if let Some((weight, tail)) = first_path(graph, node, to, &blocked, usable) {
                let root_weight: u64 = root.iter().map(|arc| graph.weight[arc.index()]).sum();
                let arcs = root.iter().copied().chain(tail).collect();
                candidates.insert((root_weight.saturating_add(weight), arcs));
            }
        }
    }
    found
}

struct Blocked {
    nodes: Vec<bool>,
    arcs: Vec<ArcId>,
}

/// The first path in the order (weight, arc list) that avoids what is blocked.
fn first_path(
    graph: &Adjacency,
    from: NodeId,
    to: NodeId,
    blocked: &Blocked,
    usable: &dyn Fn(ArcId) -> bool,
) -> Option<(u64, Vec<ArcId>)> {
    let allowed = |arc: ArcId| {
        usable(arc)
            && !blocked.arcs.contains(&arc)
            && !blocked.nodes[graph.to[arc.index()].index()]
            && !blocked.nodes[graph.from[arc.index()].index()]
    };
    let distance = distances_to(graph, &[(to, 0)], allowed);
    if distance[from.index()] == UNREACHABLE {
        return None;
    }
    let mut arcs = Vec::new();
    let mut node = from;
    // Arcs are in id order at every node, so the first one on a shortest path gives the smallest
    // arc list among the shortest paths. Weights are at least 1, so distance falls at every step.
    while node != to {
        let &arc = graph.leaving(node).iter().find(|&&arc| {
            let next = graph.to[arc.index()];
            allowed(arc)
                && distance[next.index()] != UNREACHABLE
                && (next == to || graph.transit[next.index()])
                && distance[next.index()].saturating_add(graph.weight[arc.index()])
                    == distance[node.index()]
        })?;
        arcs.push(arc);
        node = graph.to[arc.index()];
    }
    Some((distance[from.index()], arcs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Stream, StreamKey};
    use crate::net::testing::line_network;

    /// All simple paths by depth-first search, sorted: the naive answer.
    fn all_paths(graph: &Adjacency, from: NodeId, to: NodeId) -> Vec<(u64, Vec<ArcId>)> {
        fn walk(
            graph: &Adjacency,
            node: NodeId,
            to: NodeId,
            seen: &mut Vec<NodeId>,
            path: &mut Vec<ArcId>,
            all: &mut Vec<(u64, Vec<ArcId>)>,
        ) {
            if node == to {
                all.push((path.iter().map(|arc| graph.weight[arc.index()]).sum(), path.clone()));
                return;
            }
            for &arc in graph.leaving(node) {
                let next = graph.to[arc.index()];
                if !seen.contains(&next) {
                    seen.push(next);
                    path.push(arc);
                    walk(graph, next, to, seen, path, all);
                    path.pop();
                    seen.pop();
                }
            }
        }
        let mut all = Vec::new();
        walk(graph, from, to, &mut vec![from], &mut Vec::new(), &mut all);
        all.sort();
        all
    }

    #[test]
    fn equals_the_sorted_list_of_all_simple_paths() {
        for seed in 0..100 {
            let mut stream =
                Stream::new(StreamKey { seed, replication: 0, purpose: "ksp", entity: 0 });
            let nodes = 3 + stream.below(4);
            let mut network = line_network(nodes as usize, 1);
            for _ in 0..stream.below(8) {
                let ends = [stream.below(nodes) as u32, stream.below(nodes) as u32];
                if ends[0] != ends[1] {
                    let mut link = network.links.rows()[0].clone();
                    link.ends = ends.map(NodeId);
                    link.weight = [1 + stream.below(3), 1 + stream.below(3)];
                    network.links.push(link);
                }
            }
            let graph = Adjacency::new(&network);
            let (from, to) = (NodeId(0), NodeId(nodes as u32 - 1));
            let mut expected = all_paths(&graph, from, to);
            for k in [1, 2, 4, 7] {
                let ours = k_shortest_paths(&graph, from, to, k, &|_| true);
                expected.truncate(expected.len());
                assert_eq!(ours, expected[..k.min(expected.len())], "seed {seed}, k {k}");
            }
        }
    }
}
