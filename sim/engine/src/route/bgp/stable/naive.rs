//! Import, export and choice written down once more, plainly: a route is a value, nothing is kept
//! or shared.

use super::TooLarge;
use super::situation::Situation;
use crate::kernel::Id;
use crate::route::bgp::model::{
    BgpNetwork, BgpPrefixId, Community, Match, Origin, Relation, RoutePolicyId, Session, SessionId,
    Set, SpeakerId, Validation, Validity, Verdict,
};
use std::collections::BTreeSet;

/// A route as a speaker holds it.
#[derive(Clone, Debug, PartialEq)]
struct Route {
    path: Vec<u32>,
    clusters: Vec<u32>,
    communities: BTreeSet<Community>,
    local_pref: u32,
    med: Option<u32>,
    origin: Origin,
    originator: Option<u32>,
    /// Where it leaves the AS.
    exit: SpeakerId,
    /// Relation of the neighbour that brought it into the AS; none: the AS's own.
    class: Option<Relation>,
    /// Invalid, taken as the last resort.
    last_resort: bool,
}

/// A route that a speaker could hold.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) holder: SpeakerId,
    /// The neighbour's candidate it is made of; none: originated here.
    pub(super) parent: Option<usize>,
    /// The session it came over, and which side of it the holder is.
    from: Option<(SessionId, usize)>,
    route: Route,
}

/// The speakers on the way of a candidate, its holder first.
pub(super) fn way(candidates: &[Candidate], index: usize) -> Vec<SpeakerId> {
    let steps = std::iter::successors(Some(index), |&at| candidates[at].parent);
    steps.map(|at| candidates[at].holder).collect()
}

/// One network, one prefix.
pub(super) struct Naive<'a> {
    situation: &'a Situation,
    prefix: BgpPrefixId,
    /// Cost from each speaker to each other one; none: no way.
    costs: Vec<Vec<Option<u64>>>,
}

/// Where a policy is applied.
struct Spot {
    own: u32,
    neighbour: u32,
    /// The AS that a rule prepends.
    prepends: Option<u32>,
}

impl<'a> Naive<'a> {
    pub(super) fn new(situation: &'a Situation, prefix: BgpPrefixId) -> Naive<'a> {
        Naive { situation, prefix, costs: costs(&situation.network) }
    }

    fn network(&self) -> &'a BgpNetwork {
        &self.situation.network
    }

    /// All routes that could ever be held, each with the one it is made of.
    pub(super) fn candidates(&self, most: usize) -> Result<Vec<Candidate>, TooLarge> {
        let mut found: Vec<Candidate> = Vec::new();
        let own = self.situation.originations.iter().filter(|own| own.prefix == self.prefix);
        for origination in own {
            let asn = self.network().speakers[origination.speaker].asn;
            let mut path = vec![asn; usize::from(origination.prepend)];
            path.extend(&origination.path);
            let route = Route {
                path,
                clusters: Vec::new(),
                communities: origination.communities.iter().copied().collect(),
                local_pref: 100,
                med: origination.med,
                origin: origination.origin,
                originator: None,
                exit: origination.speaker,
                class: None,
                last_resort: false,
            };
            let holder = origination.speaker;
            found.push(Candidate { holder, parent: None, from: None, route });
        }
        let mut at = 0;
        while at < found.len() {
            for (id, session) in self.network().sessions.iter() {
                if !session.up {
                    continue;
                }
                for side in 0..2 {
                    if session.ends[side] == found[at].holder {
                        let made = self.tell(&found[at], id, session, side);
                        found.extend(made.map(|route| Candidate {
                            holder: session.ends[1 - side],
                            parent: Some(at),
                            from: Some((id, 1 - side)),
                            route,
                        }));
                    }
                }
            }
            if found.len() > most {
                return Err(TooLarge::Candidates(most));
            }
            at += 1;
        }
        Ok(found)
    }

    /// What the far end of a session makes of a candidate, if it hears of it and takes it.
    fn tell(
        &self,
        candidate: &Candidate,
        id: SessionId,
        session: &Session,
        side: usize,
    ) -> Option<Route> {
        if session.sides[side].relation.is_internal()
            && self.cost(session.ends[0], session.ends[1]).is_none()
        {
            return None;
        }
        let told = self.export(candidate, id, session, side)?;
        self.import(told, session, 1 - side)
    }

    fn export(
        &self,
        candidate: &Candidate,
        id: SessionId,
        session: &Session,
        side: usize,
    ) -> Option<Route> {
        let network = self.network();
        let own = &network.speakers[session.ends[side]];
        let neighbour = &network.speakers[session.ends[1 - side]];
        let relation = session.sides[side].relation;
        let mut route = candidate.route.clone();
        match candidate.from {
            None => {
                let listed = |list: &Vec<SessionId>| list.contains(&id);
                let own = self.situation.originations.iter();
                let mut own = own
                    .filter(|own| own.prefix == self.prefix && own.speaker == session.ends[side]);
                if !own.any(|own| own.sessions.as_ref().is_none_or(listed)) {
                    return None;
                }
            }
            Some((from, _)) if from == id => return None,
            Some((from, from_side)) => {
                let heard_from = network.sessions[from].sides[from_side].relation;
                if heard_from.is_internal() && relation.is_internal() {
                    if Relation::Internal == heard_from && Relation::Internal == relation {
                        return None;
                    }
                    let source = network.sessions[from].ends[1 - from_side];
                    let source = network.speakers[source].router_id;
                    route.originator = route.originator.or(Some(source));
                    route.clusters.insert(0, own.cluster_id.unwrap_or(own.router_id));
                }
            }
        }
        let external = !relation.is_internal();
        let mut prepends = 0;
        for mark in &route.communities {
            match *mark {
                // A mark speaks to those who hear the route, not to who sets it.
                Community::NoAdvertise if candidate.from.is_some() => return None,
                Community::NoExport if external && route.class.is_some() => return None,
                Community::NoExportTo { at, to }
                    if external && at == own.asn && to == neighbour.asn =>
                {
                    return None;
                }
                Community::PrependTo { at, to, times }
                    if external && at == own.asn && to == neighbour.asn =>
                {
                    prepends += usize::from(times);
                }
                _ => {}
            }
        }
        if external {
            let leaks = self.situation.leaking.contains(&session.ends[side]);
            if !leaks && !may_pass(route.class, relation) {
                return None;
            }
            // A MED goes out from the router that originates the route only (RFC 4271, 5.1.4).
            if candidate.from.is_some() {
                route.med = None;
            }
            route.originator = None;
            route.clusters.clear();
        }
        let spot =
            Spot { own: own.asn, neighbour: neighbour.asn, prepends: external.then_some(own.asn) };
        let mut route = self.apply(&session.sides[side].export, route, &spot)?;
        if external {
            route.path.splice(0..0, vec![own.asn; prepends + 1]);
        }
        Some(route)
    }

    fn import(&self, mut route: Route, session: &Session, side: usize) -> Option<Route> {
        let network = self.network();
        let own = &network.speakers[session.ends[side]];
        let neighbour = &network.speakers[session.ends[1 - side]];
        let relation = session.sides[side].relation;
        let external = !relation.is_internal();
        if external {
            let too_long = |most: u32| route.path.len() as u64 > u64::from(most);
            if route.path.contains(&own.asn) || own.path_length_max.is_some_and(too_long) {
                return None;
            }
            route.exit = session.ends[side];
            route.class = Some(relation);
            route.last_resort = false;
            route.local_pref = relation.default_local_pref();
            let invalid = self.validity(&route, own.asn) == Validity::Invalid;
            match own.validation {
                Validation::Drop if invalid => return None,
                Validation::Depreference if invalid => {
                    route.last_resort = true;
                    route.local_pref = 0;
                }
                _ => {}
            }
            for mark in &route.communities {
                if let Community::LocalPref { at, value } = *mark
                    && at == own.asn
                    && !route.last_resort
                {
                    route.local_pref = value;
                }
            }
        } else if route.originator == Some(own.router_id)
            || route.clusters.contains(&own.cluster_id.unwrap_or(own.router_id))
        {
            return None;
        }
        let spot = Spot {
            own: own.asn,
            neighbour: neighbour.asn,
            prepends: external.then_some(neighbour.asn),
        };
        let route = self.apply(&session.sides[side].import, route, &spot)?;
        let reachable = external || self.cost(session.ends[side], route.exit).is_some();
        reachable.then_some(route)
    }

    fn apply(&self, policies: &[RoutePolicyId], mut route: Route, spot: &Spot) -> Option<Route> {
        for &policy in policies {
            let policy = &self.network().policies[policy];
            let mut verdict = policy.otherwise;
            for rule in &policy.rules {
                if !rule.matches.iter().all(|asked| self.holds(asked, &route, spot)) {
                    continue;
                }
                rule.sets.iter().for_each(|set| change(&mut route, set, spot));
                if rule.then != Verdict::Next {
                    verdict = rule.then;
                    break;
                }
            }
            if verdict == Verdict::Reject {
                return None;
            }
        }
        Some(route)
    }

    fn holds(&self, asked: &Match, route: &Route, spot: &Spot) -> bool {
        let origin_as = route.path.last().copied().unwrap_or(spot.own);
        match asked {
            Match::Prefix(list) => list.contains(&self.prefix),
            Match::Within(list) => self.blocks().any(|block| list.contains(&block)),
            Match::PathIs(paths) => paths.contains(&route.path),
            Match::PathContains(list) => route.path.iter().any(|asn| list.contains(asn)),
            Match::PathFrom(list) => route.path.first().is_some_and(|asn| list.contains(asn)),
            Match::OriginAs(list) => list.contains(&origin_as),
            Match::PathLengthMin(least) => route.path.len() as u64 >= u64::from(*least),
            Match::Community(list) => list.iter().any(|mark| route.communities.contains(mark)),
            Match::Validity(list) => list.contains(&self.validity(route, spot.own)),
            Match::LearnedFrom(list) => route.class.is_some_and(|class| list.contains(&class)),
            Match::Own => route.class.is_none(),
            Match::NeighbourAs(list) => list.contains(&spot.neighbour),
            Match::Not(inner) => !self.holds(inner, route, spot),
        }
    }

    /// The prefix and the blocks it lies in.
    fn blocks(&self) -> impl Iterator<Item = BgpPrefixId> + '_ {
        let prefixes = &self.network().prefixes;
        std::iter::successors(Some(self.prefix), |&at| prefixes[at].parent).take(prefixes.len())
    }

    /// RFC 6811.
    fn validity(&self, route: &Route, own: u32) -> Validity {
        let origin = route.path.last().copied().unwrap_or(own);
        let mut state = Validity::Unknown;
        for (level, block) in self.blocks().enumerate() {
            for roa in self.network().roas.iter().filter(|roa| roa.prefix == block) {
                if roa.asn == origin && level <= usize::from(roa.more_specific_levels) {
                    return Validity::Valid;
                }
                state = Validity::Invalid;
            }
        }
        state
    }

    fn cost(&self, from: SpeakerId, to: SpeakerId) -> Option<u64> {
        self.costs[from.index()][to.index()]
    }

    /// The decision process (RFC 4271, 9.1.2.2; RFC 4456, 9) over candidates of one holder.
    pub(super) fn best(&self, candidates: &[Candidate], offered: &[usize]) -> Option<usize> {
        let options = self.network().decision;
        let mut left: Vec<usize> = offered.to_vec();
        let route = |index: usize| &candidates[index].route;
        least(&mut left, |at| candidates[at].from.is_some());
        least(&mut left, |at| route(at).last_resort);
        least(&mut left, |at| u32::MAX - route(at).local_pref);
        least(&mut left, |at| route(at).path.len());
        least(&mut left, |at| route(at).origin);
        let med = |at: usize| match (route(at).med, options.missing_med_is_worst) {
            (None, true) => u64::MAX,
            (med, _) => u64::from(med.unwrap_or(0)),
        };
        if options.always_compare_med {
            least(&mut left, med);
        } else {
            let before = left.clone();
            left.retain(|&at| {
                !before.iter().any(|&other| {
                    route(other).path.first() == route(at).path.first() && med(other) < med(at)
                })
            });
        }
        let network = self.network();
        let side = |at: usize| {
            let (session, side) = candidates[at].from?;
            let session = &network.sessions[session];
            Some((&session.sides[side], session.ends[1 - side], &session.sides[1 - side]))
        };
        let internal = |at: usize| side(at).is_some_and(|(own, ..)| own.relation.is_internal());
        least(&mut left, internal);
        least(&mut left, |at| match internal(at) {
            true => self.cost(candidates[at].holder, route(at).exit),
            false => Some(0),
        });
        least(&mut left, |at| {
            let peer = side(at).map(|(_, peer, _)| network.speakers[peer].router_id);
            route(at).originator.or(peer)
        });
        least(&mut left, |at| route(at).clusters.len());
        least(&mut left, |at| side(at).map(|(.., far)| far.address));
        least(&mut left, |at| candidates[at].from);
        left.first().copied()
    }
}

/// Keeps those with the least value.
fn least<K: Ord>(left: &mut Vec<usize>, value: impl Fn(usize) -> K) {
    if let Some(least) = left.iter().map(|&at| value(at)).min() {
        left.retain(|&at| value(at) == least);
    }
}

/// Gao and Rexford: own and customers' routes to all, everything to customers; a plain neighbour
/// tells and hears everything.
fn may_pass(class: Option<Relation>, to: Relation) -> bool {
    matches!(class, None | Some(Relation::Customer | Relation::Plain))
        || matches!(to, Relation::Customer | Relation::Plain)
}

fn change(route: &mut Route, set: &Set, spot: &Spot) {
    match set {
        Set::LocalPref(value) => route.local_pref = *value,
        Set::Med(value) => route.med = *value,
        Set::Origin(value) => route.origin = *value,
        Set::Prepend(times) => {
            if let Some(asn) = spot.prepends {
                route.path.splice(0..0, vec![asn; usize::from(*times)]);
            }
        }
        Set::AddCommunities(marks) => route.communities.extend(marks),
        Set::RemoveCommunities(marks) => {
            route.communities.retain(|mark| !marks.contains(mark));
        }
        Set::ClearCommunities => route.communities.clear(),
    }
}

/// Cost between all speakers of each AS (Floyd and Warshall). In an AS without any link all costs
/// are 0.
fn costs(network: &BgpNetwork) -> Vec<Vec<Option<u64>>> {
    let count = network.speakers.len();
    let asn = |at: usize| network.speakers.rows()[at].asn;
    let linked: BTreeSet<u32> =
        network.igp_links.rows().iter().map(|link| asn(link.ends[0].index())).collect();
    let start = |a: usize, b: usize| {
        (a == b || (asn(a) == asn(b) && !linked.contains(&asn(a)))).then_some(0)
    };
    let row = |a: usize| (0..count).map(|b| start(a, b)).collect();
    let mut costs: Vec<Vec<Option<u64>>> = (0..count).map(row).collect();
    for link in network.igp_links.rows().iter().filter(|link| link.up) {
        let [a, b] = link.ends.map(Id::index);
        for (from, to, cost) in [(a, b, link.cost[0]), (b, a, link.cost[1])] {
            let known: &mut Option<u64> = &mut costs[from][to];
            *known = Some(known.map_or(cost, |known| known.min(cost)));
        }
    }
    for middle in 0..count {
        let onward = costs[middle].clone();
        for row in &mut costs {
            let Some(first) = row[middle] else { continue };
            for (known, second) in row.iter_mut().zip(&onward) {
                let through = second.map(|second| first.saturating_add(second));
                if let Some(through) = through
                    && known.is_none_or(|known| through < known)
                {
                    *known = Some(through);
                }
            }
        }
    }
    costs
}
