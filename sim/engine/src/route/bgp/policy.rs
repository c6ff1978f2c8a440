//! Route policies: what rules ask and change, and the built-in rules of import and export.

use super::attrs::{Attributes, Class, EMPTY, Store};
use super::model::{
    BgpNetwork, BgpPrefixId, Community, Match, Relation, RoutePolicyId, Set, Validity, Verdict,
};
use super::roa::{Origins, chain};

/// Where a policy is applied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) network: &'a BgpNetwork,
    pub(super) origins: &'a Origins,
    pub(super) prefix: BgpPrefixId,
    pub(super) own_asn: u32,
    pub(super) neighbour_asn: u32,
    /// The AS that a rule prepends: the neighbour's on import, one's own on export, none inside.
    pub(super) prepends: Option<u32>,
}

impl Place<'_> {
    /// Validation state of a route here.
    pub(super) fn validity(&self, store: &Store, route: &Attributes) -> Validity {
        let origin = store.path_last(route.path).unwrap_or(self.own_asn);
        self.origins.validity(self.prefix, origin)
    }
}

/// The policy that refused a route, and its rule; none: no rule decided and the policy refuses then.
pub(super) type RefusedBy = (RoutePolicyId, Option<u32>);

/// Applies policies in order.
///
/// # Errors
/// Who refused the route.
pub(super) fn apply(
    store: &mut Store,
    place: &Place<'_>,
    policies: &[RoutePolicyId],
    mut route: Attributes,
) -> Result<Attributes, RefusedBy> {
    for &id in policies {
        let policy = &place.network.policies[id];
        let mut verdict = (policy.otherwise, None);
        for (rule, number) in policy.rules.iter().zip(0_u32..) {
            if !rule.matches.iter().all(|test| matches(store, place, test, &route)) {
                continue;
            }
            for set in &rule.sets {
                change(store, place, set, &mut route);
            }
            if rule.then != Verdict::Next {
                verdict = (rule.then, Some(number));
                break;
            }
        }
        if verdict.0 == Verdict::Reject {
            return Err((id, verdict.1));
        }
    }
    Ok(route)
}

fn matches(store: &Store, place: &Place<'_>, test: &Match, route: &Attributes) -> bool {
    match test {
        Match::Prefix(list) => list.contains(&place.prefix),
        Match::Within(list) => chain(place.network, place.prefix).any(|at| list.contains(&at)),
        Match::PathIs(paths) => {
            paths.iter().any(|path| store.path(route.path).eq(path.iter().copied()))
        }
        Match::PathContains(list) => store.path(route.path).any(|asn| list.contains(&asn)),
        Match::PathFrom(list) => {
            store.path_first(route.path).is_some_and(|asn| list.contains(&asn))
        }
        Match::OriginAs(list) => {
            list.contains(&store.path_last(route.path).unwrap_or(place.own_asn))
        }
        Match::PathLengthMin(length) => store.path_length(route.path) >= *length,
        Match::Community(list) => {
            store.communities(route.communities).iter().any(|mark| list.contains(mark))
        }
        Match::Validity(list) => list.contains(&place.validity(store, route)),
        Match::LearnedFrom(list) => match route.class {
            Class::Own => false,
            Class::Learned(relation) => list.contains(&relation),
        },
        Match::Own => route.class == Class::Own,
        Match::NeighbourAs(list) => list.contains(&place.neighbour_asn),
        Match::Not(inner) => !matches(store, place, inner, route),
    }
}

fn change(store: &mut Store, place: &Place<'_>, set: &Set, route: &mut Attributes) {
    match set {
        Set::LocalPref(value) => route.local_pref = *value,
        Set::Med(value) => route.med = *value,
        Set::Origin(value) => route.origin = *value,
        Set::Prepend(times) => {
            if let Some(asn) = place.prepends {
                route.path = store.prepend_times(asn, u32::from(*times), route.path);
            }
        }
        Set::AddCommunities(marks) => {
            let mut all = store.communities(route.communities).to_vec();
            all.extend(marks);
            route.communities = store.communities_of(all);
        }
        Set::RemoveCommunities(marks) => {
            let all = store.communities(route.communities).iter().copied();
            let left = all.filter(|mark| !marks.contains(mark)).collect();
            route.communities = store.communities_of(left);
        }
        Set::ClearCommunities => route.communities = EMPTY,
    }
}

/// Whether a route of this class may be told to a neighbour of this relation: own and customer
/// routes to everybody, others to customers only (Gao and Rexford 2001); a plain neighbour tells
/// and hears everything.
pub(super) fn exportable(class: Class, to: Relation) -> bool {
    match (class, to) {
        (Class::Own | Class::Learned(Relation::Customer | Relation::Plain), _)
        | (_, Relation::Customer | Relation::Plain) => true,
        (Class::Learned(_), _) => false,
    }
}

/// Local preference that a mark asks AS `asn` for; the last in order of marks counts.
pub(super) fn asked_local_pref(store: &Store, communities: u32, asn: u32) -> Option<u32> {
    let mut asked = store.communities(communities).iter().filter_map(|mark| match mark {
        Community::LocalPref { at, value } if *at == asn => Some(*value),
        _ => None,
    });
    asked.next_back()
}

/// What the marks of a route say about telling it to another AS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// Not outside this AS.
    pub(super) no_export: bool,
    /// To nobody.
    pub(super) no_advertise: bool,
    /// Not to this neighbour.
    pub(super) not_to_neighbour: bool,
    /// Own AS in front this many more times.
    pub(super) prepends: u32,
}

/// Reads the marks of a route that AS `asn` may tell to AS `to`.
pub(super) fn marks(store: &Store, communities: u32, asn: u32, neighbour: u32) -> Marks {
    let mut marks = Marks::default();
    for mark in store.communities(communities) {
        match mark {
            Community::NoExport => marks.no_export = true,
            Community::NoAdvertise => marks.no_advertise = true,
            Community::NoExportTo { at, to } if (*at, *to) == (asn, neighbour) => {
                marks.not_to_neighbour = true;
            }
            Community::PrependTo { at, to, times } if (*at, *to) == (asn, neighbour) => {
                marks.prepends += u32::from(*times);
            }
            _ => {}
        }
    }
    marks
}
