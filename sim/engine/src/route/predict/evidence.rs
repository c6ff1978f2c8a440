//! What the paths of sites that announce alone say, by index of AS.

use super::AlonePaths;
use crate::route::internet::{AsGraph, Relation};
use std::collections::{BTreeMap, BTreeSet};

/// A path without repetitions: each AS and how often it names itself, the collector's AS first.
pub(super) struct Path {
    pub(super) hops: Vec<(u32, u32)>,
}

/// What is seen of one site.
pub(super) struct Seen {
    /// Paths in ascending order, each once; ASes are indices, the last hop is the site's node.
    pub(super) paths: Vec<Path>,
    /// For each AS on a path: its next hops and the length of the path from there, prepends
    /// included.
    pub(super) routes: BTreeMap<u32, BTreeSet<(u32, u32)>>,
    /// First ASes of paths: those that tell a collector what they use.
    pub(super) monitors: BTreeSet<u32>,
    /// ASes that tell collectors of other sites, and are on no path of this one.
    pub(super) without: BTreeSet<u32>,
}

/// All that is seen. Nodes are the ASes of the graph and of the paths in ascending order of their
/// numbers, then the sites.
pub(super) struct Evidence {
    pub(super) asns: Vec<u32>,
    pub(super) seen: Vec<Seen>,
    /// Relations that the graph lacks: what the second node is to the first. Both directions.
    pub(super) added: BTreeMap<(u32, u32), Relation>,
}

/// The ASes that hear a site directly, ascending, and whether they are seen to pass the route on to
/// their own peers or providers.
pub(super) fn passed_on(graph: &AsGraph, site: &AlonePaths) -> BTreeMap<u32, bool> {
    let mut heard = BTreeMap::new();
    for path in &site.paths {
        let Some(&asn) = path.last() else { continue };
        let next = path.iter().rev().find(|&&other| other != asn);
        let relation = next.and_then(|&next| relation(graph, asn, next));
        *heard.entry(asn).or_insert(false) |= relation.is_some_and(|it| it != Relation::Customer);
    }
    heard
}

/// What AS number `to` is to `from` in the graph.
fn relation(graph: &AsGraph, from: u32, to: u32) -> Option<Relation> {
    graph.relation(graph.index_of(from)?, graph.index_of(to)?)
}

impl Evidence {
    pub(super) fn new(graph: &AsGraph, sites: &[AlonePaths]) -> Evidence {
        let named = sites.iter().flat_map(|site| site.paths.iter().flatten().copied());
        let mut asns: Vec<u32> = graph.asns().iter().copied().chain(named).collect();
        asns.sort_unstable();
        asns.dedup();
        let count = asns.len() as u32;
        let mut seen: Vec<Seen> =
            (count..).zip(sites).map(|(node, site)| Seen::new(&asns, site, node)).collect();
        let monitors: BTreeSet<u32> =
            seen.iter().flat_map(|seen| seen.monitors.iter().copied()).collect();
        for site in &mut seen {
            let off = monitors.iter().filter(|at| !site.routes.contains_key(at));
            site.without = off.copied().collect();
        }
        let mut evidence = Evidence { asns, seen, added: BTreeMap::new() };
        evidence.add_sites(graph, sites);
        evidence.add_links(graph);
        evidence
    }

    /// Node of a site.
    pub(super) fn node(&self, site: usize) -> u32 {
        (self.asns.len() + site) as u32
    }

    /// What node `to` is to node `from`.
    pub(super) fn relation(&self, graph: &AsGraph, from: u32, to: u32) -> Option<Relation> {
        if let Some(&added) = self.added.get(&(from, to)) {
            return Some(added);
        }
        let asn = |node: u32| self.asns.get(node as usize).copied();
        relation(graph, asn(from)?, asn(to)?)
    }

    fn add(&mut self, from: u32, to: u32, relation: Relation) {
        self.added.insert((from, to), relation);
        self.added.insert((to, from), relation.inverse());
    }

    /// Links between sites and those who hear them.
    fn add_sites(&mut self, graph: &AsGraph, sites: &[AlonePaths]) {
        for (site, paths) in sites.iter().enumerate() {
            for (asn, passed_on) in passed_on(graph, paths) {
                let at = self.asns.binary_search(&asn).expect("the numbers of all paths are here");
                let relation = if passed_on { Relation::Customer } else { Relation::Peer };
                self.add(at as u32, self.node(site), relation);
            }
        }
    }

    /// Links of paths that the graph lacks. Who passes on a route from a peer or a provider sells
    /// to whom it passes it on; who passes a route up buys from there.
    fn add_links(&mut self, graph: &AsGraph) {
        let mut missing = Vec::new();
        for path in self.seen.iter().flat_map(|seen| &seen.paths) {
            for at in (0..path.hops.len() - 1).rev() {
                let before = at.checked_sub(1).map(|before| path.hops[before].0);
                let (to, from) = (path.hops[at].0, path.hops[at + 1].0);
                missing.push((to, from, path.hops.get(at + 2).map(|hop| hop.0), before));
            }
        }
        for (to, from, beyond, before) in missing {
            if self.relation(graph, to, from).is_some() {
                continue;
            }
            let class = beyond.and_then(|beyond| self.relation(graph, from, beyond));
            let onward = before.and_then(|before| self.relation(graph, before, to));
            let relation = match (class, onward) {
                (Some(class), _) if class != Relation::Customer => Relation::Provider,
                (_, Some(onward)) if onward != Relation::Provider => Relation::Customer,
                _ => Relation::Peer,
            };
            self.add(to, from, relation);
        }
    }
}

impl Seen {
    fn new(asns: &[u32], site: &AlonePaths, node: u32) -> Seen {
        let mut paths: Vec<Vec<(u32, u32)>> =
            site.paths.iter().filter_map(|path| hops(asns, path, node)).collect();
        paths.sort_unstable();
        paths.dedup();
        let mut seen = Seen {
            paths: paths.into_iter().map(|hops| Path { hops }).collect(),
            routes: BTreeMap::new(),
            monitors: BTreeSet::new(),
            without: BTreeSet::new(),
        };
        for path in &seen.paths {
            seen.monitors.insert(path.hops[0].0);
            let mut length = 0;
            for two in path.hops.windows(2).rev() {
                let (next, times) = two[1];
                length += times;
                seen.routes.entry(two[0].0).or_default().insert((next, length));
            }
        }
        seen
    }

    /// The length of the shortest path seen from an AS on a path.
    pub(super) fn shortest(&self, at: u32) -> Option<u32> {
        self.routes.get(&at)?.iter().map(|&(_, length)| length).min()
    }
}

/// A path by index with the site's node at its end; none: empty, or an AS comes again.
fn hops(asns: &[u32], path: &[u32], node: u32) -> Option<Vec<(u32, u32)>> {
    let mut hops: Vec<(u32, u32)> = Vec::with_capacity(path.len() + 1);
    for asn in path {
        let at = asns.binary_search(asn).expect("the numbers of all paths are here") as u32;
        match hops.iter().position(|hop| hop.0 == at) {
            None => hops.push((at, 1)),
            Some(place) if place + 1 == hops.len() => hops[place].1 += 1,
            Some(_) => return None,
        }
    }
    if hops.is_empty() {
        return None;
    }
    hops.push((node, 1));
    Some(hops)
}
