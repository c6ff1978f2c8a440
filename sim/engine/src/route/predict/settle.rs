//! All sites announce at once: each AS looks at its neighbours' offers until nobody changes.

use super::SHARE_EPSILON;
use super::web::{NEVER, Web};
use crate::route::internet::Relation;
use std::collections::VecDeque;

/// How often an AS looks at most. Routing that is still not at rest then goes round in circles.
const LOOKS_MAX: u8 = 64;

/// Changes of shares below this are not told to neighbours.
const SHARE_CHANGE_MIN: f64 = 1e-3;

/// What every node has in the end.
pub(super) struct Settled {
    /// Share of each site, node by node.
    pub(super) shares: Vec<f64>,
    /// Sites (bits) with the largest share; 0: no route.
    pub(super) leads: Vec<u32>,
    /// Nodes that looked as often as they may.
    pub(super) unsettled: usize,
}

/// A route's rank: how it is received, class, length. Lower is better.
type Rank = (u8, Relation, u32);

struct State<'a> {
    web: &'a Web,
    taken: [f64; 3],
    /// Class and length of the best route; a site's own route is like one from a customer.
    best: Vec<(Relation, u32)>,
    settled: Settled,
}

/// Lets routes spread from the sites.
pub(super) fn settle(web: &Web, taken: [f64; 3]) -> Settled {
    let (nodes, sites) = (web.len(), web.sites.len());
    let settled = Settled { shares: vec![0.0; nodes * sites], leads: vec![0; nodes], unsettled: 0 };
    let mut state = State { web, taken, best: vec![(Relation::Customer, 0); nodes], settled };
    let mut queue = VecDeque::new();
    let mut waiting = vec![false; nodes];
    let mut looks = vec![0_u8; nodes];
    let push = |queue: &mut VecDeque<u32>, waiting: &mut [bool], node: u32| {
        for &next in &web.from[web.edges(node)] {
            if !web.is_site(next) && !std::mem::replace(&mut waiting[next as usize], true) {
                queue.push_back(next);
            }
        }
    };
    for (site, &node) in web.sites.iter().enumerate() {
        state.settled.shares[node as usize * sites + site] = 1.0;
        state.settled.leads[node as usize] = 1 << site;
        push(&mut queue, &mut waiting, node);
    }
    let mut shares = vec![0.0; sites];
    while let Some(at) = queue.pop_front() {
        waiting[at as usize] = false;
        if looks[at as usize] == LOOKS_MAX {
            continue;
        }
        looks[at as usize] += 1;
        if state.look(at, &mut shares) {
            push(&mut queue, &mut waiting, at);
        }
    }
    state.settled.unsettled = looks.iter().filter(|&&looks| looks == LOOKS_MAX).count();
    state.settled
}

impl State<'_> {
    /// The rank of what is offered over an edge; none: nothing.
    fn offer(&self, edge: usize) -> Option<Rank> {
        let web = self.web;
        let from = web.from[edge] as usize;
        let leads = self.settled.leads[from];
        let ((class, length), relation) = (self.best[from], web.relation[edge]);
        let by_rule = class == Relation::Customer || relation == Relation::Provider;
        if leads == 0 || !(by_rule || web.against_rule[edge] & leads != 0) {
            return None;
        }
        let sites = (0..web.sites.len()).filter(|site| leads >> site & 1 == 1);
        let reception = sites.map(|site| web.reception[site][edge]).min().unwrap_or(NEVER);
        (reception < NEVER).then_some((reception, relation, length + web.times[edge]))
    }

    /// Chooses anew at a node. Says whether neighbours need to know.
    fn look(&mut self, at: u32, shares: &mut [f64]) -> bool {
        let edges = self.web.edges(at);
        let best = edges.clone().filter_map(|edge| self.offer(edge)).min();
        let sites = shares.len();
        shares.fill(0.0);
        if let Some((reception, relation, length)) = best {
            let mut total = 0.0;
            for edge in edges {
                let Some(offer) = self.offer(edge) else { continue };
                if (offer.0, offer.1) != (reception, relation) {
                    continue;
                }
                let weight = self.taken[(offer.2 - length).min(2) as usize];
                let from = self.web.from[edge] as usize * sites;
                total += weight;
                for (share, offered) in shares.iter_mut().zip(&self.settled.shares[from..]) {
                    *share += weight * offered;
                }
            }
            shares.iter_mut().for_each(|share| *share /= total);
        }
        let route =
            best.map_or((Relation::Customer, 0), |(_, relation, length)| (relation, length));
        self.replace(at as usize, route, shares)
    }

    /// Puts down what a node chose. Says whether neighbours need to know.
    fn replace(&mut self, at: usize, route: (Relation, u32), shares: &[f64]) -> bool {
        let most = shares.iter().fold(0.0, |most: f64, &share| most.max(share));
        let leading = |&(_, &share): &(usize, &f64)| share > 0.0 && share >= most - SHARE_EPSILON;
        let leads =
            shares.iter().enumerate().filter(leading).fold(0, |set, (site, _)| set | 1 << site);
        let before = &mut self.settled.shares[at * shares.len()..][..shares.len()];
        let moved = before.iter().zip(shares).any(|(a, b)| (a - b).abs() > SHARE_CHANGE_MIN);
        let changed = moved || self.best[at] != route || self.settled.leads[at] != leads;
        before.copy_from_slice(shares);
        self.best[at] = route;
        self.settled.leads[at] = leads;
        changed
    }
}
