//! The way of traffic from a client's AS to where it ends, asked of either solver.
//!
//! The rule for one hop is [`exit::step`]: among equally good next hops the nearest one.

use super::bgp::BgpSpec;
use crate::net::GeoPoint;
use crate::route::internet::AsGraph;
use crate::route::internet::exit::{self, Candidate, Presence};
use std::sync::Arc;

/// Where ASes are, and their numbers by index.
#[derive(Clone, Debug)]
pub struct Places {
    presence: Presence,
    graph: Arc<AsGraph>,
}

impl Places {
    /// Of a scenario.
    #[must_use]
    pub fn new(spec: &BgpSpec) -> Places {
        let mut presence = Presence::default();
        for row in &spec.presence {
            presence.set_places(row.asn, &row.at);
        }
        Places { presence, graph: Arc::clone(&spec.graph) }
    }
}

/// How a next hop was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// There was no other.
    Only,
    /// The nearest of several whose place is known.
    Nearest,
    /// No place is known: the one that BGP's last tie-break takes.
    Arbitrary,
}

/// One AS on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<H> {
    /// Index of the AS.
    pub at: u32,
    /// Where it sends the traffic; none: it has no route.
    pub hop: Option<H>,
    /// How that was chosen.
    pub chosen: Chosen,
}

/// Follows traffic from an AS and a place. `candidates` gives the equally good next hops of an AS,
/// `next` the AS that a hop leads to (none: it leaves the graph), `exit_place` where a hop that
/// leaves the graph does so, `default` the hop that BGP's last tie-break takes.
///
/// Ends at a hop that leaves the graph, at an AS without a route, or when an AS comes up again (a
/// loop: the last step then leads to an AS).
pub fn walk<H: Clone + PartialEq>(
    (start, place): (u32, Option<GeoPoint>),
    places: &Places,
    candidates: impl Fn(u32) -> Vec<H>,
    next: impl Fn(&H) -> Option<u32>,
    exit_place: impl Fn(&H) -> Option<GeoPoint>,
    default: impl Fn(u32) -> Option<H>,
) -> Vec<Step<H>> {
    let mut place = place.map(GeoPoint::unit_vector);
    let mut at = start;
    let mut way: Vec<Step<H>> = Vec::new();
    loop {
        let hops = candidates(at);
        let located: Vec<Candidate> = hops
            .iter()
            .map(|hop| match next(hop) {
                Some(to) => Candidate::Neighbour { asn: places.graph.asn(to), key: to },
                None => Candidate::Exit { exit: 0, at: exit_place(hop) },
            })
            .collect();
        let own = places.graph.asn(at);
        // Nothing is nearer than a network of which nothing is known: if BGP's last tie-break takes
        // such a one, that stays.
        let taken = default(at);
        let somewhere = match taken.as_ref().and_then(&next) {
            Some(to) => places.presence.knows(places.graph.asn(to)),
            None => true,
        };
        let step = place
            .filter(|_| hops.len() < 2 || somewhere)
            .and_then(|place| exit::step(&places.presence, own, place, &located));
        let (hop, chosen) = match (hops.as_slice(), step) {
            ([], _) => (None, Chosen::Only),
            ([only], _) => (Some(only.clone()), Chosen::Only),
            (several, Some(step)) if !step.unknown => {
                (Some(several[step.taken].clone()), Chosen::Nearest)
            }
            _ => (taken, Chosen::Arbitrary),
        };
        if let Some(step) = step.filter(|step| !step.unknown) {
            place = Some(step.at);
        }
        way.push(Step { at, hop: hop.clone(), chosen });
        let Some(to) = hop.as_ref().and_then(&next) else { return way };
        if way.iter().any(|step| step.at == to) {
            return way;
        }
        at = to;
    }
}
