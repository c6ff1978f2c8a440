//! What a speaker holds, for people: the best route, its equals, and why each other one lost.

use super::attrs::{AttrId, Attributes, Class, NOTHING};
use super::decide::Step;
use super::model::{
    BgpNetwork, BgpPrefixId, Community, Origin, Relation, RoutePolicyId, SessionId, SpeakerId,
    Validity,
};
use super::sim::BgpSim;
use super::state::{EndId, Entry, LOCAL, REFUSED};
use crate::kernel::{Id, SimTime};

/// A route as one speaker holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteView {
    /// To where.
    pub prefix: BgpPrefixId,
    /// The session it is from; none: the speaker's own.
    pub session: Option<SessionId>,
    /// Who told it; none: the speaker's own.
    pub from: Option<SpeakerId>,
    /// How it came into this AS; none: originated in it.
    pub learned: Option<Relation>,
    /// AS path, nearest first, without the own AS.
    pub path: Vec<u32>,
    /// Local preference.
    pub local_pref: u32,
    /// Origin attribute.
    pub origin: Origin,
    /// MED, if any.
    pub med: Option<u32>,
    /// Marks, in order.
    pub communities: Vec<Community>,
    /// Where traffic leaves this AS: this speaker, or another one of the AS.
    pub exit: SpeakerId,
    /// Next hop as announced: the exit, or the far end of the exit's session.
    pub next_hop: SpeakerId,
    /// IGP cost to the exit; none: unreachable.
    pub igp_cost: Option<u64>,
    /// Router id of who brought it into the AS, if it was reflected.
    pub originator: Option<u32>,
    /// Clusters it was reflected in, last first.
    pub clusters: Vec<u32>,
    /// Validation state of its origin.
    pub validity: Validity,
    /// Since when it is held.
    pub since: SimTime,
}

/// Why a route is not even a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The AS path holds the own AS.
    OwnAs,
    /// The AS path is longer than this speaker takes.
    PathTooLong,
    /// The origin is invalid and this speaker drops such routes.
    Invalid,
    /// This speaker brought the route into the AS itself.
    Originator,
    /// It was reflected in this speaker's cluster before.
    ClusterLoop,
    /// An import policy refuses it.
    Policy {
        /// Which.
        policy: RoutePolicyId,
        /// Its rule, from 0; none: no rule decided, and the policy refuses then.
        rule: Option<u32>,
    },
    /// It flapped too often lately.
    Damped,
    /// The IGP has no way to the next hop.
    NextHopUnreachable,
}

impl Refusal {
    /// For people.
    #[must_use]
    pub fn words(self, network: &BgpNetwork) -> String {
        match self {
            Refusal::OwnAs => "its path has this AS already".to_owned(),
            Refusal::PathTooLong => "its path is too long for this speaker".to_owned(),
            Refusal::Invalid => "its origin is invalid".to_owned(),
            Refusal::Originator => "this speaker brought it into the AS itself".to_owned(),
            Refusal::ClusterLoop => "it was reflected in this cluster before".to_owned(),
            Refusal::Policy { policy, rule } => {
                let name = &network.policies[policy].id;
                match rule {
                    Some(rule) => format!("rule {} of policy {name}", rule + 1),
                    None => format!("no rule of policy {name} accepts it"),
                }
            }
            Refusal::Damped => "it flapped too often lately".to_owned(),
            Refusal::NextHopUnreachable => "its next hop cannot be reached".to_owned(),
        }
    }
}

/// What the decision process made of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is used.
    Best,
    /// Nothing up to and including the IGP cost separates it from the best, and the options of the
    /// decision process use all such routes.
    EquallyGood,
    /// It lost.
    LostAt {
        /// Where.
        step: Step,
        /// To which candidate, by its place in the list.
        to: usize,
    },
    /// It did not take part.
    Refused(Refusal),
}

/// A route that a speaker holds, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The route; a refused one as it arrived.
    pub route: RouteView,
    /// What became of it.
    pub standing: Standing,
}

impl BgpSim {
    /// The best route of a speaker to exactly this prefix.
    #[must_use]
    pub fn best(&self, speaker: SpeakerId, prefix: BgpPrefixId) -> Option<RouteView> {
        let cell = self.cell(speaker, prefix);
        if !BgpSim::has_best(cell) {
            return None;
        }
        let held = cell.entries.iter().find(|entry| entry.end == cell.from);
        let since = held.map_or(SimTime::ZERO, |entry| entry.since);
        Some(self.view(speaker, prefix, cell.from, cell.best, since))
    }

    /// Whether two speakers' or instants' best routes differ can be told from this number without
    /// making views: it names the best route's source and attributes; none: no route.
    #[must_use]
    pub fn best_key(&self, speaker: SpeakerId, prefix: BgpPrefixId) -> Option<(u32, u32)> {
        let cell = self.cell(speaker, prefix);
        BgpSim::has_best(cell).then_some((cell.from, cell.best))
    }

    /// The candidates that nothing up to and including the IGP cost separates, in the order of
    /// sessions. The best route is one of them, unless the speaker has yet to decide.
    #[must_use]
    pub fn equally_good(&self, speaker: SpeakerId, prefix: BgpPrefixId) -> Vec<RouteView> {
        if !self.routers[speaker.index()].up {
            return Vec::new();
        }
        let (mut ranks, mut sources) = (Vec::new(), Vec::new());
        self.gather(speaker, prefix.0, &mut ranks, &mut sources);
        let mut decider = super::decide::Decider::default();
        let places = decider.equally_good(&ranks, self.network.decision);
        places
            .iter()
            .map(|&at| {
                let (from, route) = sources[at];
                self.view(speaker, prefix, from, route, ranks[at].since)
            })
            .collect()
    }

    /// All routes a speaker holds for exactly this prefix, and what became of each, as its tables
    /// are now. The own route comes first, then the order of sessions. A speaker that is down holds
    /// nothing.
    #[must_use]
    pub fn explain(&self, speaker: SpeakerId, prefix: BgpPrefixId) -> Vec<Candidate> {
        if !self.routers[speaker.index()].up {
            return Vec::new();
        }
        let (mut ranks, mut sources) = (Vec::new(), Vec::new());
        self.gather(speaker, prefix.0, &mut ranks, &mut sources);
        let options = self.network.decision;
        let mut decider = super::decide::Decider::default();
        let good = decider.equally_good(&ranks, options).to_vec();
        let (best, losses) = decider.explain(&ranks, options);
        let mut standings = vec![Standing::Best; ranks.len()];
        // Places among the candidates that took part become places in the whole list.
        let whole = self.places(speaker, prefix, &sources);
        for (loser, step, to) in losses {
            standings[loser] = if options.multipath && good.contains(&loser) {
                Standing::EquallyGood
            } else {
                Standing::LostAt { step, to: whole[to] }
            };
        }
        debug_assert!(best.is_none_or(|at| standings[at] == Standing::Best), "the best one won");
        let mut list = Vec::new();
        let mut next = 0;
        let cell = self.cell(speaker, prefix);
        if cell.local != NOTHING {
            let (from, route) = sources[0];
            let route = self.view(speaker, prefix, from, route, SimTime::ZERO);
            list.push(Candidate { route, standing: standings[0] });
            next = 1;
        }
        for entry in &cell.entries {
            let (standing, route) = match self.refusal(speaker, prefix, entry) {
                Some(refusal) => {
                    let shown = if entry.used < REFUSED { entry.used } else { entry.raw };
                    (Standing::Refused(refusal), shown)
                }
                None => {
                    next += 1;
                    (standings[next - 1], entry.used)
                }
            };
            let route = self.view(speaker, prefix, entry.end, route, entry.since);
            list.push(Candidate { route, standing });
        }
        list
    }

    /// Place in the whole list of each candidate that took part.
    fn places(
        &self,
        speaker: SpeakerId,
        prefix: BgpPrefixId,
        sources: &[(EndId, AttrId)],
    ) -> Vec<usize> {
        let cell = self.cell(speaker, prefix);
        let own = usize::from(cell.local != NOTHING);
        let place = |from: EndId| match from {
            LOCAL => 0,
            from => own + cell.entries.partition_point(|entry| entry.end < from),
        };
        sources.iter().map(|&(from, _)| place(from)).collect()
    }

    fn refusal(&self, speaker: SpeakerId, prefix: BgpPrefixId, entry: &Entry) -> Option<Refusal> {
        if entry.used >= REFUSED {
            return Some(self.refusals[(entry.used - REFUSED) as usize]);
        }
        if self.damped(entry.end, prefix.0) {
            return Some(Refusal::Damped);
        }
        let exit = self.store.attributes(entry.used).exit;
        let internal = self.ends[entry.end as usize].is_internal();
        let lost = internal && self.igp.cost(speaker, exit) == super::igp::UNREACHABLE;
        lost.then_some(Refusal::NextHopUnreachable)
    }

    pub(super) fn view(
        &self,
        speaker: SpeakerId,
        prefix: BgpPrefixId,
        from: EndId,
        route: AttrId,
        since: SimTime,
    ) -> RouteView {
        let route: &Attributes = self.store.attributes(route);
        let end = (from != LOCAL).then(|| &self.ends[from as usize]);
        let internal = end.is_some_and(|end| end.is_internal());
        let cost = if internal { self.igp.cost(speaker, route.exit) } else { 0 };
        let own_asn = self.network.speakers[speaker].asn;
        let origin_as = self.store.path_last(route.path).unwrap_or(own_asn);
        RouteView {
            prefix,
            session: end.map(|end| end.session),
            from: end.map(|end| end.peer),
            learned: match route.class {
                Class::Own => None,
                Class::Learned(relation) => Some(relation),
            },
            path: self.store.path(route.path).collect(),
            local_pref: route.local_pref,
            origin: route.origin,
            med: route.med,
            communities: self.store.communities(route.communities).to_vec(),
            exit: route.exit,
            next_hop: route.next_hop,
            igp_cost: (cost != super::igp::UNREACHABLE).then_some(cost),
            originator: route.originator,
            clusters: self.store.path(route.clusters).collect(),
            validity: self.origins.validity(prefix, origin_as),
            since,
        }
    }
}
