//! Geography: which of many equally good exits the traffic of a client takes.
//!
//! Routing selects for every AS a *set* of equally good next hops. A large AS is in many places, and
//! hands traffic over where that costs it least: at the interconnection nearest to where the traffic
//! is (early exit, hot potato). Following that rule hop by hop from the client, one AS splits between
//! several exits as real ones do.
//!
//! Presence: an AS may have a list of places. Two ASes meet wherever both have a place within
//! [`MEETING_KM`]. Of the candidates that are known to meet the AS somewhere the nearest is taken. If
//! there is none, or nothing at all is known of the network that BGP's last tie-break takes, that
//! one stays, the traffic stays where it is, and the hop counts as unknown.

use crate::net::geo::{GeoPoint, unit_distance_km};
use std::collections::BTreeMap;

/// Places of two ASes at most so far apart are one place where they meet, km: the size of a metro.
pub const MEETING_KM: f64 = 50.0;

/// A point on the unit sphere.
pub type Point = [f64; 3];

/// Where ASes are, by AS number.
#[derive(Clone, Debug, Default)]
pub struct Presence {
    places: BTreeMap<u32, Vec<Point>>,
}

impl Presence {
    /// Sets the places of an AS.
    pub fn set_places(&mut self, asn: u32, places: &[GeoPoint]) {
        self.places.insert(asn, places.iter().map(|place| place.unit_vector()).collect());
    }

    /// The place nearest to `from` where two ASes meet, and how far it is, km; none: unknown.
    fn nearest_meeting(&self, a: u32, b: u32, from: Point) -> Option<(f64, Point)> {
        let (here, there) = (self.places.get(&a)?, self.places.get(&b)?);
        let meets = |point: &&Point| {
            there.iter().any(|other| unit_distance_km(**point, *other) <= MEETING_KM)
        };
        let meetings = here.iter().filter(meets);
        meetings
            .map(|point| (unit_distance_km(*point, from), *point))
            .min_by(|a, b| a.0.total_cmp(&b.0))
    }
}

/// One equally good way out of an AS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Candidate {
    /// On to a neighbour with this AS number.
    Neighbour(u32),
    /// Out: over a session to a site that is there; none: the place is unknown.
    Exit(Option<GeoPoint>),
}

/// What one AS does with traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Position of the candidate taken.
    pub taken: usize,
    /// Where the traffic is then.
    pub at: Point,
    /// Whether geography could not tell although there was a choice.
    pub unknown: bool,
}

/// What the AS `asn` does with traffic that is at `at`: the rule for one hop. `usual` is the position
/// of the candidate that BGP's last tie-break takes. None: there are no candidates.
#[must_use]
pub fn step(
    presence: &Presence,
    asn: u32,
    at: Point,
    candidates: &[Candidate],
    usual: usize,
) -> Option<Step> {
    let place = |candidate: &Candidate| match *candidate {
        Candidate::Neighbour(next) => presence.nearest_meeting(asn, next, at),
        Candidate::Exit(site) => {
            let site = site?.unit_vector();
            Some((unit_distance_km(site, at), site))
        }
    };
    if let [only] = candidates {
        let at = place(only).map_or(at, |(_, point)| point);
        return Some(Step { taken: 0, at, unknown: false });
    }
    let known = match candidates.get(usual)? {
        Candidate::Neighbour(next) => presence.places.contains_key(next),
        Candidate::Exit(_) => true,
    };
    let mut best: Option<(f64, usize, Point)> = None;
    for (taken, candidate) in candidates.iter().enumerate().filter(|_| known) {
        if let Some((km, point)) = place(candidate)
            && best.is_none_or(|best| km < best.0)
        {
            best = Some((km, taken, point));
        }
    }
    Some(match best {
        Some((_, taken, at)) => Step { taken, at, unknown: false },
        None => Step { taken: usual, at, unknown: true },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMSTERDAM: GeoPoint = GeoPoint { lat: 52.37, lon: 4.90 };
    const NEW_YORK: GeoPoint = GeoPoint { lat: 40.71, lon: -74.01 };
    const BOSTON: GeoPoint = GeoPoint { lat: 42.36, lon: -71.06 };

    #[test]
    fn nothing_is_nearer_than_a_network_of_which_nothing_is_known() {
        let mut presence = Presence::default();
        presence.set_places(30, &[AMSTERDAM, NEW_YORK]);
        presence.set_places(20, &[NEW_YORK]);
        presence.set_places(40, &[BOSTON]);
        let from = BOSTON.unit_vector();
        let taken = |candidates: &[Candidate], usual| {
            let step = step(&presence, 30, from, candidates, usual).unwrap();
            (step.taken, step.unknown)
        };
        let (known, unknown) = (Candidate::Neighbour(20), Candidate::Neighbour(10));
        assert_eq!(taken(&[unknown, known], 0), (0, true));
        assert_eq!(taken(&[unknown, known], 1), (1, false));
        // Known, but nowhere near: what is known to meet wins.
        assert_eq!(taken(&[Candidate::Neighbour(40), known], 0), (1, false));
        assert_eq!(taken(&[unknown, unknown], 1), (1, true));
        assert_eq!(taken(&[Candidate::Exit(Some(NEW_YORK)), known], 1), (0, false));
        assert_eq!(step(&presence, 30, from, &[], 0), None);
    }
}
