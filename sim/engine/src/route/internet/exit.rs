//! Geography: which of many equally good exits the traffic of a client takes.
//!
//! Routing selects for every AS a *set* of equally good next hops. A large AS is in many places, and
//! hands traffic over where that costs it least: at the interconnection nearest to where the traffic
//! is (early exit, hot potato). Following that rule hop by hop from the client, one AS splits between
//! several exits as real ones do.
//!
//! Presence: an AS may have a list of places, and a pair of ASes a list of places where they meet. A
//! pair without a list of its own meets wherever both have a place within [`MEETING_KM`]. If nothing
//! is known of any candidate, the first one is taken (the lowest AS number), the traffic stays where
//! it is, and the hop counts as unknown. Candidates of which nothing is known lose against those of
//! which something is.

use super::solution::{NextHop, Routes};
use super::terms::Terms;
use crate::net::geo::{GeoPoint, unit_distance_km};
use std::collections::BTreeMap;

/// Places of two ASes at most so far apart are one place where they meet, km: the size of a metro.
pub const MEETING_KM: f64 = 50.0;

/// Most ASes that traffic crosses before it is said to go round.
const HOPS_MAX: usize = 256;

/// A point on the unit sphere.
type Point = [f64; 3];

/// Where ASes are and where they meet, by AS number.
#[derive(Clone, Debug, Default)]
pub struct Presence {
    places: BTreeMap<u32, Vec<Point>>,
    meetings: BTreeMap<(u32, u32), Vec<Point>>,
}

impl Presence {
    /// Sets the places of an AS.
    pub fn set_places(&mut self, asn: u32, places: &[GeoPoint]) {
        self.places.insert(asn, places.iter().map(|place| place.unit_vector()).collect());
    }

    /// Sets the places where two ASes meet; either may come first.
    pub fn set_meetings(&mut self, a: u32, b: u32, places: &[GeoPoint]) {
        let points = places.iter().map(|place| place.unit_vector()).collect();
        self.meetings.insert((a.min(b), a.max(b)), points);
    }

    /// Whether anything is known of where an AS is.
    #[must_use]
    pub fn knows(&self, asn: u32) -> bool {
        self.places.contains_key(&asn) || self.meetings.keys().any(|&(a, b)| a == asn || b == asn)
    }

    /// Whether nothing is known of anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty() && self.meetings.is_empty()
    }

    /// The place nearest to `from` where two ASes meet, and how far it is, km; none: unknown.
    fn nearest_meeting(&self, a: u32, b: u32, from: Point) -> Option<(f64, Point)> {
        if let Some(points) = self.meetings.get(&(a.min(b), a.max(b))) {
            return nearest(points.iter().copied(), from);
        }
        let (here, there) = (self.places.get(&a)?, self.places.get(&b)?);
        let meets = |point: &Point| {
            there.iter().any(|other| unit_distance_km(*point, *other) <= MEETING_KM)
        };
        nearest(here.iter().copied().filter(meets), from)
    }
}

fn nearest(points: impl Iterator<Item = Point>, from: Point) -> Option<(f64, Point)> {
    points.map(|point| (unit_distance_km(point, from), point)).min_by(|a, b| a.0.total_cmp(&b.0))
}

/// One equally good way out of an AS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Candidate {
    /// On to a neighbour with this AS number; `key` is whatever the caller knows it by.
    Neighbour {
        /// Its number.
        asn: u32,
        /// The caller's name for it.
        key: u32,
    },
    /// Out: over a session to a site.
    Exit {
        /// Name of the session or site.
        exit: u32,
        /// Where the site is; none: unknown.
        at: Option<GeoPoint>,
    },
}

/// What one AS does with traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Position of the candidate taken.
    pub taken: usize,
    /// Where the traffic is then, as a unit vector.
    pub at: [f64; 3],
    /// Whether geography could not tell although there was a choice.
    pub unknown: bool,
}

/// Where the AS `asn` hands over traffic that is at `at` to a candidate, and how far that is, km;
/// none: nothing is known.
fn place(
    presence: &Presence,
    asn: u32,
    at: [f64; 3],
    candidate: &Candidate,
) -> Option<(f64, [f64; 3])> {
    match *candidate {
        Candidate::Neighbour { asn: next, .. } => presence.nearest_meeting(asn, next, at),
        Candidate::Exit { at: site, .. } => {
            site.and_then(|site| nearest(std::iter::once(site.unit_vector()), at))
        }
    }
}

/// What the AS `asn` does with traffic that is at `at`: the rule for one hop. Candidates are in
/// order of preference among those of which nothing is known. None: there are no candidates.
#[must_use]
pub fn step(presence: &Presence, asn: u32, at: [f64; 3], candidates: &[Candidate]) -> Option<Step> {
    let place = |candidate: &Candidate| place(presence, asn, at, candidate);
    if let [only] = candidates {
        let at = place(only).map_or(at, |(_, point)| point);
        return Some(Step { taken: 0, at, unknown: false });
    }
    let mut best: Option<(f64, usize, Point)> = None;
    for (taken, candidate) in candidates.iter().enumerate() {
        if let Some((km, point)) = place(candidate)
            && best.is_none_or(|best| km < best.0)
        {
            best = Some((km, taken, point));
        }
    }
    match best {
        Some((_, taken, at)) => Some(Step { taken, at, unknown: false }),
        None => (!candidates.is_empty()).then_some(Step { taken: 0, at, unknown: true }),
    }
}

/// Where the traffic of a client ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landing {
    /// Name of the session or site; none: a withdrawn route leads nowhere.
    pub exit: Option<u32>,
    /// AS numbers on the way, first the client's.
    pub hops: Vec<u32>,
    /// ASes on the way that had a choice about which geography says nothing.
    pub unknown_hops: u32,
    /// Whether the announcement asks to discard the traffic.
    pub blackhole: bool,
}

/// Follows traffic hop by hop. `candidates` gives, for the key of an AS (see
/// [`Candidate::Neighbour`]), its number and appends its equally good ways out, the lowest AS
/// number first; it may come from any solver. None: an AS on the way has no way out, or traffic
/// goes round.
#[must_use]
pub fn follow(
    presence: &Presence,
    client: GeoPoint,
    first: u32,
    candidates: &mut dyn FnMut(u32, &mut Vec<Candidate>) -> u32,
) -> Option<Landing> {
    let mut at = client.unit_vector();
    let mut landing = Landing { exit: None, hops: Vec::new(), unknown_hops: 0, blackhole: false };
    let mut ways = Vec::new();
    let mut key = first;
    for _ in 0..HOPS_MAX {
        ways.clear();
        let asn = candidates(key, &mut ways);
        landing.hops.push(asn);
        let step = step(presence, asn, at, &ways)?;
        landing.unknown_hops += u32::from(step.unknown);
        at = step.at;
        match ways[step.taken] {
            Candidate::Neighbour { key: next, .. } => key = next,
            Candidate::Exit { exit, .. } => {
                landing.exit = Some(exit);
                return Some(landing);
            }
        }
    }
    None
}

/// Landings on a solution of the direct solver.
pub struct Landings<'a> {
    routes: Routes<'a>,
    terms: Terms<'a>,
    presence: &'a Presence,
    /// Where each seed's site is; none: unknown.
    sites: Vec<Option<GeoPoint>>,
    /// Candidates of ASes asked for before.
    known: Vec<Option<Box<[NextHop]>>>,
}

impl<'a> Landings<'a> {
    /// Prepares to follow traffic; `site` tells where the site of an exit is.
    #[must_use]
    pub fn new(
        routes: Routes<'a>,
        presence: &'a Presence,
        site: &dyn Fn(u32) -> Option<GeoPoint>,
    ) -> Landings<'a> {
        let seeds = &routes.announcements().seeds;
        Landings {
            routes,
            terms: Terms::new(routes.graph(), routes.announcements()),
            presence,
            sites: seeds.iter().map(|seed| site(seed.exit)).collect(),
            known: vec![None; routes.graph().len()],
        }
    }

    /// Where the traffic of clients of an AS (index) at a place lands; none: they have no route.
    pub fn landing(&mut self, at: u32, client: GeoPoint) -> Option<Landing> {
        self.routes.next_hop(at)?;
        let (routes, presence) = (self.routes, self.presence);
        let seeds = &routes.announcements().seeds;
        let zombies = seeds.len() as u32;
        let mut landing = follow(presence, client, at, &mut |at, ways| {
            let hops = self.known[at as usize].get_or_insert_with(|| {
                let mut hops = Vec::new();
                routes.equal_next_hops_into(&self.terms, at, &mut hops);
                hops.into_boxed_slice()
            });
            ways.extend(hops.iter().map(|hop| match *hop {
                NextHop::As(key) => Candidate::Neighbour { asn: routes.graph().asn(key), key },
                NextHop::Seed(seed) => Candidate::Exit { exit: seed as u32, at: self.sites[seed] },
                NextHop::Zombie(zombie) => {
                    Candidate::Exit { exit: zombies + zombie as u32, at: None }
                }
            }));
            routes.graph().asn(at)
        })?;
        let seed = landing.exit.and_then(|seed| seeds.get(seed as usize));
        landing.exit = seed.map(|seed| seed.exit);
        landing.blackhole = seed.is_some_and(|seed| seed.control.blackhole);
        Some(landing)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Announcements, AsGraph, Class, Link, Relation, Seed, Solution, Workspace};
    use super::*;

    const AMSTERDAM: GeoPoint = GeoPoint { lat: 52.37, lon: 4.90 };
    const HAARLEM: GeoPoint = GeoPoint { lat: 52.39, lon: 4.64 };
    const FRANKFURT: GeoPoint = GeoPoint { lat: 50.11, lon: 8.68 };
    const NEW_YORK: GeoPoint = GeoPoint { lat: 40.71, lon: -74.01 };
    const BOSTON: GeoPoint = GeoPoint { lat: 42.36, lon: -71.06 };
    const MUNICH: GeoPoint = GeoPoint { lat: 48.14, lon: 11.58 };

    /// 10 and 20 sell transit to our sites 0 (Amsterdam) and 1 (New York); 30 buys from both.
    fn two_sites() -> (AsGraph, Announcements) {
        let graph = AsGraph::new(&[
            Link { a: 10, b: 30, relation: Relation::Customer },
            Link { a: 20, b: 30, relation: Relation::Customer },
        ])
        .unwrap();
        let seeds = vec![
            Seed::session(0, Class::Customer, 64_512, 0, 0),
            Seed::session(1, Class::Customer, 64_512, 0, 1),
            Seed::session(1, Class::Customer, 64_512, 0, 2),
        ];
        (graph, Announcements { seeds, ..Announcements::default() })
    }

    fn site(exit: u32) -> Option<GeoPoint> {
        [Some(AMSTERDAM), Some(NEW_YORK), Some(FRANKFURT)][exit as usize]
    }

    fn land(presence: &Presence, client: GeoPoint) -> Landing {
        let (graph, announced) = two_sites();
        let solution = Solution::solve(&graph, &announced, &mut Workspace::default()).unwrap();
        let mut landings = Landings::new(solution.routes(&graph, &announced), presence, &site);
        landings.landing(2, client).unwrap()
    }

    #[test]
    fn one_as_splits_between_sites_by_where_its_clients_are() {
        let mut presence = Presence::default();
        presence.set_places(30, &[AMSTERDAM, NEW_YORK]);
        presence.set_places(10, &[HAARLEM]);
        presence.set_places(20, &[NEW_YORK]);
        let munich = land(&presence, MUNICH);
        assert_eq!((munich.exit, munich.hops, munich.unknown_hops), (Some(0), vec![30, 10], 0));
        let boston = land(&presence, BOSTON);
        // Handed over in New York, it takes the site there, not the one in Frankfurt.
        assert_eq!((boston.exit, boston.hops), (Some(1), vec![30, 20]));
    }

    #[test]
    fn places_of_pairs_come_before_places_of_ases() {
        let mut presence = Presence::default();
        presence.set_places(30, &[AMSTERDAM, NEW_YORK]);
        presence.set_places(10, &[AMSTERDAM]);
        presence.set_places(20, &[NEW_YORK]);
        presence.set_meetings(30, 20, &[FRANKFURT]);
        assert_eq!(land(&presence, MUNICH).exit, Some(2));
    }

    #[test]
    fn the_unknown_falls_back_to_the_lowest_number_and_is_counted() {
        let landing = land(&Presence::default(), BOSTON);
        assert_eq!((landing.exit, landing.hops, landing.unknown_hops), (Some(0), vec![30, 10], 1));
    }

    #[test]
    fn what_goes_round_or_nowhere_lands_nowhere() {
        let presence = Presence::default();
        let mut round = |key: u32, ways: &mut Vec<Candidate>| {
            ways.push(Candidate::Neighbour { asn: 1 - key, key: 1 - key });
            key
        };
        assert_eq!(follow(&presence, BOSTON, 0, &mut round), None);
        assert_eq!(follow(&presence, BOSTON, 0, &mut |key, _| key), None);
    }
}
