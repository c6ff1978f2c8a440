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
                Some(to) => Candidate::Neighbour(places.graph.asn(to)),
                None => Candidate::Exit(exit_place(hop)),
            })
            .collect();
        let own = places.graph.asn(at);
        let taken = default(at);
        let usual = hops.iter().position(|hop| Some(hop) == taken.as_ref()).unwrap_or(0);
        let step =
            place.and_then(|place| exit::step(&places.presence, own, place, &located, usual));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::internet::{
        Announcements, Class, Link, NextHop, Relation, Seed, Solution, Workspace,
    };

    const AMSTERDAM: GeoPoint = GeoPoint { lat: 52.37, lon: 4.90 };
    const HAARLEM: GeoPoint = GeoPoint { lat: 52.39, lon: 4.64 };
    const FRANKFURT: GeoPoint = GeoPoint { lat: 50.11, lon: 8.68 };
    const NEW_YORK: GeoPoint = GeoPoint { lat: 40.71, lon: -74.01 };
    const BOSTON: GeoPoint = GeoPoint { lat: 42.36, lon: -71.06 };
    const MUNICH: GeoPoint = GeoPoint { lat: 48.14, lon: 11.58 };

    /// 10 and 20 sell transit to our sites 0 (Amsterdam), 1 (New York) and 2 (Frankfurt); 30 buys
    /// from both. Gives the exit of a client of 30, the ASes on the way, and how many of them had a
    /// choice about which geography says nothing.
    fn land(presence: Presence, client: GeoPoint) -> (Option<u32>, Vec<u32>, usize) {
        let links = [10, 20].map(|a| Link { a, b: 30, relation: Relation::Customer });
        let graph = AsGraph::new(&links).unwrap();
        let seed = |at, exit| Seed::session(at, Class::Customer, 64_512, 0, exit);
        let seeds = vec![seed(0, 0), seed(1, 1), seed(1, 2)];
        let announced = Announcements { seeds, ..Announcements::default() };
        let solution = Solution::solve(&graph, &announced, &mut Workspace::default()).unwrap();
        let routes = solution.routes(&graph, &announced);
        let places = Places { presence, graph: Arc::new(graph.clone()) };
        let way = walk(
            (2, Some(client)),
            &places,
            |at| routes.equal_next_hops(at),
            |hop| match hop {
                NextHop::As(next) => Some(*next),
                _ => None,
            },
            |hop| match hop {
                NextHop::Seed(seed) => Some([AMSTERDAM, NEW_YORK, FRANKFURT][*seed]),
                _ => None,
            },
            |at| routes.next_hop(at),
        );
        let exit = way.last().and_then(|step| match step.hop {
            Some(NextHop::Seed(seed)) => Some(announced.seeds[seed].exit),
            _ => None,
        });
        let unknown = way.iter().filter(|step| step.chosen == Chosen::Arbitrary).count();
        (exit, way.iter().map(|step| graph.asn(step.at)).collect(), unknown)
    }

    #[test]
    fn one_as_splits_between_sites_by_where_its_clients_are() {
        let mut presence = Presence::default();
        presence.set_places(30, &[AMSTERDAM, NEW_YORK]);
        presence.set_places(10, &[HAARLEM]);
        presence.set_places(20, &[NEW_YORK]);
        assert_eq!(land(presence.clone(), MUNICH), (Some(0), vec![30, 10], 0));
        // Handed over in New York, it takes the site there, not the one in Frankfurt.
        assert_eq!(land(presence, BOSTON), (Some(1), vec![30, 20], 0));
    }

    #[test]
    fn the_unknown_falls_back_to_the_lowest_number_and_is_counted() {
        assert_eq!(land(Presence::default(), BOSTON), (Some(0), vec![30, 10], 1));
    }

    #[test]
    fn what_goes_round_or_nowhere_ends() {
        let links = [Link { a: 1, b: 2, relation: Relation::Peer }];
        let graph = Arc::new(AsGraph::new(&links).unwrap());
        let places = Places { presence: Presence::default(), graph };
        let ways = |hops: fn(u32) -> Vec<u32>| {
            let way = walk(
                (0, Some(BOSTON)),
                &places,
                hops,
                |hop| Some(*hop),
                |_| None,
                |at| hops(at).first().copied(),
            );
            way.iter().map(|step| step.hop).collect::<Vec<_>>()
        };
        assert_eq!(ways(|at| vec![1 - at]), [Some(1), Some(0)]);
        assert_eq!(ways(|_| Vec::new()), [None]);
    }
}
