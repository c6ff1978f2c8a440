//! One shortest path to every node: a tree, with a fixed choice among equals.

use crate::net::ArcId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// An arc for [`PathTree::from`]: tail, head, weight.
pub type WeightedArc = (u32, u32, u64);

/// Shortest paths from one node to all others.
///
/// Among arcs that lie on a shortest path to a node, the one with the lowest number is its last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTree {
    source: u32,
    /// Last arc of the path to each node, and its tail.
    last: Vec<Option<(ArcId, u32)>>,
    distance: Vec<Option<u64>>,
}

impl PathTree {
    /// Paths from `source` over arcs, by least sum of weights (Dijkstra). A weight of 0 counts
    /// as 1, so that paths cannot run in circles.
    ///
    /// # Panics
    /// If an arc or the source names a node that does not exist.
    #[must_use]
    pub fn from(source: u32, nodes: usize, arcs: &[WeightedArc]) -> PathTree {
        let mut out: Vec<Vec<u32>> = vec![Vec::new(); nodes];
        for (arc, &(tail, head, _)) in (0_u32..).zip(arcs) {
            assert!((head as usize) < nodes, "arcs join nodes that exist");
            out[tail as usize].push(arc);
        }
        let mut distance: Vec<Option<u64>> = vec![None; nodes];
        let mut queue = BinaryHeap::from([Reverse((0_u64, source))]);
        while let Some(Reverse((length, node))) = queue.pop() {
            if distance[node as usize].is_some() {
                continue;
            }
            distance[node as usize] = Some(length);
            for &arc in &out[node as usize] {
                let (_, head, weight) = arcs[arc as usize];
                if distance[head as usize].is_none() {
                    queue.push(Reverse((length.saturating_add(weight.max(1)), head)));
                }
            }
        }
        let mut last = vec![None; nodes];
        for (arc, &(tail, head, weight)) in (0_u32..).zip(arcs) {
            let (from, to) = (distance[tail as usize], distance[head as usize]);
            let tight = from.is_some_and(|from| Some(from.saturating_add(weight.max(1))) == to);
            if tight && head != source && last[head as usize].is_none() {
                last[head as usize] = Some((ArcId(arc), tail));
            }
        }
        PathTree { source, last, distance }
    }

    /// Sum of weights to a node; none if it cannot be reached.
    #[must_use]
    pub fn distance(&self, node: u32) -> Option<u64> {
        self.distance[node as usize]
    }

    /// Arcs of the path to a node, the first at the source; none if it cannot be reached.
    #[must_use]
    pub fn path(&self, node: u32) -> Option<Vec<ArcId>> {
        let mut path = Vec::new();
        let mut at = node;
        while at != self.source {
            let (arc, tail) = self.last[at as usize]?;
            path.push(arc);
            at = tail;
        }
        path.reverse();
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_lowest_tight_arc_from_behind() {
        let arcs = [(0, 1, 1), (0, 2, 1), (2, 3, 1), (1, 3, 1), (0, 3, 5)];
        let tree = PathTree::from(0, 5, &arcs);
        assert_eq!(tree.path(3), Some(vec![ArcId(1), ArcId(2)]));
        assert_eq!(tree.path(0), Some(vec![]));
        assert_eq!(tree.path(4), None);
        assert_eq!((tree.distance(3), tree.distance(4)), (Some(2), None));
    }
}
