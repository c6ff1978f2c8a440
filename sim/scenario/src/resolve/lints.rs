//! Warnings about scenarios that can run but probably do not mean what they say.

use super::Resolver;
use crate::diagnostic::{Diagnostic, quote};
use crate::source::Span;
use crate::typed::Fields;
use std::collections::BTreeMap;
use steerlab_engine::kernel::Id;
use steerlab_engine::net::graph::Adjacency;
use steerlab_engine::net::{NeighbourId, NodeId, SiteId};
use steerlab_engine::scenario::{PrefixId, Rate, Source, Target};

/// Graph searches at most: one for each source of demand.
const SEARCHES_MAX: usize = 500;

impl Resolver<'_> {
    /// Called for scenarios without errors.
    pub(super) fn lints(&mut self, fields: &Fields) {
        self.profile_without_start(fields);
        self.paths(fields);
        self.users_without_link(fields);
        self.servers_too_few(fields);
    }

    fn warn(&mut self, code: &'static str, span: Span, message: String, help: &str) {
        self.sink.push(Diagnostic::new(code, span, message).help(help));
    }

    fn profile_without_start(&mut self, fields: &Fields) {
        if self.start.is_none() && !self.out.profiles.is_empty() {
            let message = "daily shapes are used without a `start`".to_owned();
            let help = "the run begins at midnight UTC: write `start:` if it should not";
            self.warn("W0806", fields.place("profiles"), message, help);
        }
    }

    /// Where the entry of an engine demand stands.
    fn demand_place(&self, fields: &Fields, demand: usize) -> Span {
        let demand = demand as u32;
        let entry = self.demand_sets.iter().position(|set| set.iter().any(|id| id.0 == demand));
        let rows: Vec<&Fields> = fields.rows("demands").collect();
        entry.and_then(|entry| rows.get(entry)).map_or(fields.span, |row| row.place("id"))
    }

    /// Demands between nodes without a path, and sites that take part in no path.
    fn paths(&mut self, fields: &Fields) {
        let adjacency = Adjacency::new(&self.out.network);
        let mut targets: BTreeMap<NodeId, Vec<(NodeId, usize)>> = BTreeMap::new();
        for (id, demand) in self.out.demands.iter() {
            if let (Source::Node(from), Target::Node(to)) = (demand.source, demand.target) {
                targets.entry(from).or_default().push((to, id.index()));
            }
        }
        let mut lost: Vec<usize> = Vec::new();
        for (from, wanted) in targets.iter().take(SEARCHES_MAX) {
            let reached = reachable(&adjacency, *from);
            lost.extend(wanted.iter().filter(|(to, _)| !reached[to.index()]).map(|(_, id)| *id));
        }
        lost.sort_unstable();
        let Some(first) = lost.first() else { return };
        let message = format!(
            "{} has no path: {} of the demands between nodes can never be served",
            quote(&self.out.demands.rows()[*first].id),
            lost.len()
        );
        let help = "add a link between its ends; nothing passes through neighbours";
        self.warn("W0803", self.demand_place(fields, *first), message, help);
    }

    /// Users of a neighbour that no site announcing their prefix can reach.
    fn users_without_link(&mut self, fields: &Fields) {
        let network = &self.out.network;
        let adjacency = Adjacency::new(network);
        let mut known: BTreeMap<(PrefixId, NeighbourId), bool> = BTreeMap::new();
        let mut reached: BTreeMap<SiteId, Vec<bool>> = BTreeMap::new();
        let mut lost = Vec::new();
        for (id, demand) in self.out.demands.iter() {
            let (Source::Clients(group), Target::Prefix(prefix)) = (demand.source, demand.target)
            else {
                continue;
            };
            let Some(neighbour) = self.out.client_groups[group].neighbour else { continue };
            let served = *known.entry((prefix, neighbour)).or_insert_with(|| {
                let node = network.neighbours[neighbour].node;
                self.out.prefixes[prefix].sites.iter().any(|site| {
                    if reached.len() >= SEARCHES_MAX && !reached.contains_key(site) {
                        return true;
                    }
                    reached
                        .entry(*site)
                        .or_insert_with(|| reachable(&adjacency, network.site_node(*site)))
                        [node.index()]
                })
            });
            if !served {
                lost.push(id.index());
            }
        }
        let Some(first) = lost.first() else { return };
        let message = format!(
            "{} can never be served: no site that announces its prefix reaches its users' \
             neighbour ({} demands)",
            quote(&self.out.demands.rows()[*first].id),
            lost.len()
        );
        let help = "add a link to the neighbour, or announce the prefix at a site that has one";
        self.warn("W0804", self.demand_place(fields, *first), message, help);
    }

    /// More CPU work than all servers together can do.
    fn servers_too_few(&mut self, fields: &Fields) {
        let network = &self.out.network;
        if network.colos.is_empty() || network.colos.rows().iter().any(|colo| colo.pools.is_empty())
        {
            return;
        }
        let capacity: f64 = network.pools.rows().iter().map(|pool| pool.capacity()).sum();
        let work: f64 = self
            .out
            .demands
            .iter()
            // Parts of a demand towards a name share one rate.
            .filter(|(id, _)| self.out.dns.whole_of(*id).is_none_or(|(_, all)| all.first == *id))
            .map(|(_, demand)| match demand.rate {
                Rate::RequestsPerS(rate) => rate * self.out.services[demand.service].cpu_s,
                _ => 0.0,
            })
            .sum();
        if work > capacity {
            let message = format!(
                "at its peak the demand needs {work:.0} cores of reference work, all servers have \
                 {capacity:.0}"
            );
            let help = "add servers, or lower `rate` or `cpu`, if that is not what is studied";
            self.warn("W0809", fields.place("demands"), message, help);
        }
    }
}

/// The nodes that traffic from a node can reach; nothing passes through a neighbour.
fn reachable(adjacency: &Adjacency, from: NodeId) -> Vec<bool> {
    let mut reached = vec![false; adjacency.node_count()];
    let mut waiting = vec![from];
    reached[from.index()] = true;
    while let Some(node) = waiting.pop() {
        if node != from && !adjacency.transit[node.index()] {
            continue;
        }
        for arc in adjacency.leaving(node) {
            let next = adjacency.to[arc.index()];
            if !reached[next.index()] {
                reached[next.index()] = true;
                waiting.push(next);
            }
        }
    }
    reached
}
