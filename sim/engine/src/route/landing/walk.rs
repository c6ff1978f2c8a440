//! From sets of equally good next hops and a client's place to the exit taken.
//!
//! A large AS has many places where it hands traffic over. Among equally good next hops it takes
//! the one that is nearest to where the traffic is (early exit, "hot potato"), so that one AS can
//! split between sites. Both solvers ask this one function.

use super::bgp::BgpSpec;
use crate::net::GeoPoint;
use crate::net::geo::unit_distance_km;
use std::collections::BTreeMap;

/// Two ASes meet where both are within this distance: the same metro.
const SAME_METRO_KM: f64 = 50.0;

/// Where ASes are, as far as known, by index in the graph.
#[derive(Clone, Debug, Default)]
pub struct Places {
    of: BTreeMap<u32, Vec<[f64; 3]>>,
}

impl Places {
    /// Of a scenario. ASes that are not in the graph are left out.
    #[must_use]
    pub fn new(spec: &BgpSpec) -> Places {
        let mut of: BTreeMap<u32, Vec<[f64; 3]>> = BTreeMap::new();
        for row in &spec.presence {
            if let Some(at) = spec.graph.index_of(row.asn) {
                of.entry(at).or_default().extend(row.at.iter().map(|point| point.unit_vector()));
            }
        }
        Places { of }
    }

    /// Where one AS hands over to another: the place nearest to `from`; none: not known.
    fn handover(&self, a: u32, b: u32, from: Option<[f64; 3]>) -> Option<[f64; 3]> {
        let (here, there) = (self.of.get(&a)?, self.of.get(&b)?);
        let meets = |at: &&[f64; 3]| {
            there.iter().any(|other| unit_distance_km(**at, *other) <= SAME_METRO_KM)
        };
        let shared = here.iter().filter(meets);
        match from {
            None => shared.copied().next(),
            Some(from) => shared
                .copied()
                .min_by(|a, b| unit_distance_km(from, *a).total_cmp(&unit_distance_km(from, *b))),
        }
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
        let located = |hop: &H| match next(hop) {
            Some(to) => places.handover(at, to, place),
            None => exit_place(hop).map(GeoPoint::unit_vector),
        };
        let (hop, chosen) = match hops.as_slice() {
            [] => (None, Chosen::Only),
            [only] => (Some(only.clone()), Chosen::Only),
            several => match nearest(several, place, &located) {
                Some(hop) => (Some(hop), Chosen::Nearest),
                None => (default(at), Chosen::Arbitrary),
            },
        };
        way.push(Step { at, hop: hop.clone(), chosen });
        let Some(hop) = hop else { return way };
        place = located(&hop).or(place);
        let Some(to) = next(&hop) else { return way };
        if way.iter().any(|step| step.at == to) {
            return way;
        }
        at = to;
    }
}

/// The hop whose place is nearest; the first of equals. None: no place is known, or not where the
/// traffic is.
fn nearest<H: Clone>(
    hops: &[H],
    from: Option<[f64; 3]>,
    located: &dyn Fn(&H) -> Option<[f64; 3]>,
) -> Option<H> {
    let from = from?;
    let mut best: Option<(f64, &H)> = None;
    for hop in hops {
        let Some(at) = located(hop) else { continue };
        let km = unit_distance_km(from, at);
        if best.is_none_or(|(least, _)| km < least) {
            best = Some((km, hop));
        }
    }
    best.map(|(_, hop)| hop.clone())
}
