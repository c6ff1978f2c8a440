//! The graph with sites and added links, and what is known of each link in each direction.

use super::Rule;
use super::evidence::Evidence;
use crate::route::internet::{AsGraph, Relation};
use std::collections::BTreeMap;

/// How an offer over a link is received. Lower is better.
pub(super) const NORMAL: u8 = 0;
/// Taken only if there is nothing else.
pub(super) const LAST_RESORT: u8 = 1;
/// Never taken.
pub(super) const NEVER: u8 = 2;

/// The graph. Every link has two *edges*: at each node one for every neighbour it hears from.
pub(super) struct Web {
    /// Edges of node `i` are `first[i]..first[i + 1]`, by ascending neighbour.
    first: Vec<u32>,
    /// The neighbour heard from.
    pub(super) from: Vec<u32>,
    /// What that neighbour is to the node.
    pub(super) relation: Vec<Relation>,
    /// How often the neighbour names itself on this edge, at least 1.
    pub(super) times: Vec<u32>,
    /// Sites (bits) whose route the neighbour was seen to pass on here against the rule.
    pub(super) against_rule: Vec<u32>,
    /// How offers that lead to a site are received: site by site, edge by edge.
    pub(super) reception: Vec<Vec<u8>>,
    /// Nodes that are sites, in order.
    pub(super) sites: Vec<u32>,
}

impl Web {
    pub(super) fn new(graph: &AsGraph, evidence: &Evidence, rules: &[Rule]) -> Web {
        let sites: Vec<u32> = (0..evidence.seen.len()).map(|site| evidence.node(site)).collect();
        let nodes = evidence.asns.len() + sites.len();
        let place = |asn: u32| {
            evidence.asns.binary_search(&asn).expect("all numbers of the graph are here") as u32
        };
        let places: Vec<u32> = graph.asns().iter().map(|&asn| place(asn)).collect();
        let mut ends = Vec::with_capacity(graph.link_count() * 2 + evidence.added.len());
        for (index, &at) in (0_u32..).zip(&places) {
            for relation in Relation::ALL {
                let heard = graph.neighbours(index, relation).iter();
                ends.extend(heard.map(|&from| (at, places[from as usize], relation)));
            }
        }
        ends.extend(evidence.added.iter().map(|(&(at, from), &relation)| (at, from, relation)));
        ends.sort_unstable_by_key(|&(at, from, _)| (at, from));
        let mut first = vec![0_u32; nodes + 1];
        for &(at, ..) in &ends {
            first[at as usize + 1] += 1;
        }
        for node in 0..nodes {
            first[node + 1] += first[node];
        }
        let mut web = Web {
            first,
            from: ends.iter().map(|end| end.1).collect(),
            relation: ends.iter().map(|end| end.2).collect(),
            times: vec![1; ends.len()],
            against_rule: vec![0; ends.len()],
            reception: vec![vec![NORMAL; ends.len()]; sites.len()],
            sites,
        };
        if rules.contains(&Rule::Prepends) {
            web.note_prepends(evidence);
        }
        if rules.contains(&Rule::AgainstRule) {
            web.note_exceptions(evidence);
        }
        web
    }

    /// Number of nodes.
    pub(super) fn len(&self) -> usize {
        self.first.len() - 1
    }

    /// Whether a node is a site.
    pub(super) fn is_site(&self, node: u32) -> bool {
        self.sites.first().is_some_and(|&first| node >= first)
    }

    /// The edges of a node.
    pub(super) fn edges(&self, at: u32) -> std::ops::Range<usize> {
        self.first[at as usize] as usize..self.first[at as usize + 1] as usize
    }

    /// The edge over which `at` hears from `from`.
    pub(super) fn edge(&self, at: u32, from: u32) -> Option<usize> {
        let edges = self.edges(at);
        let found = self.from[edges.clone()].binary_search(&from).ok()?;
        Some(edges.start + found)
    }

    /// What `from` is to `at`, its neighbour on a path.
    pub(super) fn relation_on_path(&self, at: u32, from: u32) -> Relation {
        let edge = self.edge(at, from).expect("links of paths have been added");
        self.relation[edge]
    }

    /// How often neighbours name themselves: the median of what the paths show.
    fn note_prepends(&mut self, evidence: &Evidence) {
        let mut times: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for path in evidence.seen.iter().flat_map(|seen| &seen.paths) {
            for two in path.hops.windows(2) {
                let edge = self.edge(two[0].0, two[1].0).expect("links of paths have been added");
                times.entry(edge).or_default().push(two[1].1);
            }
        }
        for (edge, mut named) in times {
            named.sort_unstable();
            self.times[edge] = named[named.len() / 2];
        }
    }

    /// Routes that were passed on against the rule.
    fn note_exceptions(&mut self, evidence: &Evidence) {
        for (site, seen) in evidence.seen.iter().enumerate() {
            for three in seen.paths.iter().flat_map(|path| path.hops.windows(3)) {
                let [(to, _), (by, _), (beyond, _)] = [three[0], three[1], three[2]];
                let edge = self.edge(to, by).expect("links of paths have been added");
                let customer = self.relation_on_path(by, beyond) == Relation::Customer;
                if !customer && self.relation[edge] != Relation::Provider {
                    self.against_rule[edge] |= 1 << site;
                }
            }
        }
    }
}
