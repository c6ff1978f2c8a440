//! Landing by BGP message by message: loops, black holes and hunting on the way included.

use super::bgp::{
    BgpSpec, OWN_ROUTE, OwnSession, SPECIFIC, arbitrary_exits, is_arbitrary, own_sessions,
    way_words,
};
use super::event_network::{EventNetwork, event_network};
use super::walk::{Places, Step, walk};
use super::{Explanation, Fate, HopChoice, LandingModel, Offer, RouteChoice, Trouble};
use crate::kernel::{Id, SimTime, Table};
use crate::net::{GeoPoint, LinkId};
use crate::record::{DropCause, Warning};
use crate::route::bgp::{
    Advanced, BgpChange, BgpPrefixId, BgpSim, Candidate, Community, Cycle, Origin, Origination,
    RouteSink, RouteView, SettleLimits, Settled, SpeakerId, Standing, Step as DecisionStep,
};
use crate::scenario::{ClientGroupId, PrefixId, Scenario};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where a route leads from an AS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hop {
    /// To the AS of this index.
    As(u32),
    /// To us, over this link.
    Ours(LinkId),
    /// Nowhere further: the AS announces the prefix itself.
    Own,
}

/// Equally good next hops of ASes that were asked about: most groups share their way.
type Known = RefCell<BTreeMap<u32, Vec<Hop>>>;

/// Routing as it is while messages travel; users go where it sends them at every instant.
pub struct EventLanding {
    spec: Arc<BgpSpec>,
    net: EventNetwork,
    sim: BgpSim,
    sessions: Table<LinkId, Option<OwnSession>>,
    places: Places,
    /// Per client group: index of its AS, and its place.
    groups: Vec<(Option<u32>, Option<GeoPoint>)>,
    offers: Table<PrefixId, Vec<Offer>>,
    fates: Table<PrefixId, Vec<Fate>>,
    /// Groups on whose way an AS had a choice about which geography says nothing.
    arbitrary: Table<PrefixId, usize>,
    blackholes: BTreeSet<u32>,
    /// Trouble of others now, in the order in which it began.
    troubles: Vec<Trouble>,
    /// Time of the solver at the start of the run: by then it had converged.
    base: SimTime,
    /// Prefixes to look at again at the next step, whether messages changed them or not.
    touched: BTreeSet<PrefixId>,
    caveat: Option<String>,
    stuck: bool,
}

/// Notes which prefixes changed anywhere.
#[derive(Default)]
struct Changed {
    prefixes: BTreeSet<BgpPrefixId>,
    cycle: Option<Cycle>,
}

impl RouteSink for Changed {
    fn best_changed(&mut self, _at: SimTime, _speaker: SpeakerId, prefix: BgpPrefixId) {
        self.prefixes.insert(prefix);
    }

    /// Users follow the nearest of equally good routes, and those may change while the best stays.
    fn decided(&mut self, _at: SimTime, _speaker: SpeakerId, prefix: BgpPrefixId) {
        self.prefixes.insert(prefix);
    }

    fn circling(&mut self, _at: SimTime, cycle: &Cycle) {
        self.cycle = Some(cycle.clone());
    }
}

impl EventLanding {
    /// The model of a scenario in one replication whose routing is `spec`.
    #[must_use]
    pub fn new(scenario: &Scenario, spec: &BgpSpec, replication: u32) -> EventLanding {
        let net = event_network(scenario, spec);
        let groups = scenario.client_groups.rows().iter();
        let groups: Vec<_> = groups
            .map(|row| (row.asn.and_then(|asn| spec.graph.index_of(asn)), row.location))
            .collect();
        let nowhere = vec![Fate::Lost(DropCause::NoRoute); groups.len()];
        EventLanding {
            sim: BgpSim::new(Arc::clone(&net.network), scenario.seed, replication),
            net,
            sessions: own_sessions(scenario, spec),
            places: Places::new(spec),
            groups,
            offers: Table::filled(scenario.prefixes.len(), Vec::new()),
            fates: Table::filled(scenario.prefixes.len(), nowhere),
            arbitrary: Table::filled(scenario.prefixes.len(), 0),
            blackholes: BTreeSet::new(),
            troubles: Vec::new(),
            base: SimTime::ZERO,
            touched: BTreeSet::new(),
            caveat: None,
            stuck: false,
            spec: Arc::new(spec.clone()),
        }
    }

    fn solver_time(&self, now: SimTime) -> SimTime {
        SimTime(self.base.0.saturating_add(now.0))
    }

    fn apply(&mut self, now: SimTime, change: BgpChange) {
        self.sim.apply(self.solver_time(now), change);
    }

    fn speaker(&self, asn: u32) -> Option<SpeakerId> {
        self.spec.graph.index_of(asn).map(|at| self.net.speaker_of[at as usize])
    }

    fn origination(&self, prefix: PrefixId, offer: &Offer) -> Option<Origination> {
        let link = offer.link?;
        let own = self.sessions[link]?;
        let asked = &offer.attributes;
        let mut communities = Vec::new();
        communities.extend(asked.no_export.then_some(Community::NoExport));
        communities.extend(asked.blackhole.then_some(Community::Blackhole));
        let at = own.asn;
        communities.extend(asked.no_export_to.iter().map(|&to| Community::NoExportTo { at, to }));
        communities.extend(asked.prepend_to.iter().map(|&(to, times)| Community::PrependTo {
            at,
            to,
            times,
        }));
        communities.extend(asked.local_pref.map(|value| Community::LocalPref { at, value }));
        communities.extend(asked.communities.iter().map(|&(a, b)| Community::Plain(a, b)));
        communities.sort_unstable();
        Some(Origination {
            speaker: self.net.router_of[link]?,
            prefix: self.net.whole[prefix],
            med: asked.med,
            origin: Origin::Igp,
            communities,
            prepend: asked.prepend,
            path: Vec::new(),
            sessions: None,
        })
    }

    /// What an AS originates of a prefix now: the last of what it began and has not ended.
    fn hijack(&mut self, now: SimTime, asn: u32, prefix: PrefixId, specific: bool) {
        let Some(speaker) = self.speaker(asn) else { return };
        let block = if specific { self.net.specific[prefix] } else { Some(self.net.whole[prefix]) };
        let Some(block) = block else { return };
        let last = self.troubles.iter().rev().find_map(|row| match row {
            Trouble::Hijack { asn: who, prefix: what, more_specific, pretends } => {
                let same = (*who, *what, *more_specific) == (asn, prefix, specific);
                same.then_some(*pretends)
            }
            _ => None,
        });
        let change = match last {
            Some(pretends) => BgpChange::Announce(Origination {
                path: if pretends { vec![self.spec.asn] } else { Vec::new() },
                ..Origination::plain(speaker, block)
            }),
            None => BgpChange::Withdraw { speaker, prefix: block },
        };
        self.apply(now, change);
    }

    /// What an AS prefers routes of another by now: the last of what began and has not ended.
    fn prefer(&mut self, now: SimTime, asn: u32, neighbour: u32) {
        let value = self.troubles.iter().rev().find_map(|row| match row {
            Trouble::LocalPref { asn: who, neighbour: whom, value } => {
                ((*who, *whom) == (asn, neighbour)).then_some(*value)
            }
            _ => None,
        });
        let Some(&(session, side)) = self.net.session_of.get(&(asn, neighbour)) else { return };
        // What the session is configured with stays; the override comes last and so wins.
        let usual = &self.net.network.sessions[session].sides[side];
        let (mut import, export) = (usual.import.clone(), usual.export.clone());
        import.extend(value.and_then(|value| self.net.preferences.get(&value)));
        self.apply(now, BgpChange::SetPolicies { session, side, import, export });
    }

    /// Blocks that traffic to a prefix may follow, the most specific first.
    fn blocks(&self, prefix: PrefixId) -> impl Iterator<Item = BgpPrefixId> + '_ {
        self.net.specific[prefix].into_iter().chain([self.net.whole[prefix]])
    }

    fn hop_of(&self, route: &RouteView) -> Hop {
        let Some(from) = route.from else { return Hop::Own };
        match self.net.link_of.get(&from) {
            Some(&link) => Hop::Ours(link),
            None => Hop::As(self.net.index_of[from.index()].unwrap_or(u32::MAX)),
        }
    }

    /// Equally good routes of an AS to the most specific block that it has a route to.
    fn equally_good(&self, at: u32, prefix: PrefixId) -> Vec<RouteView> {
        let speaker = self.net.speaker_of[at as usize];
        let mut blocks = self.blocks(prefix);
        let routes = blocks.find_map(|block| {
            let routes = self.sim.equally_good(speaker, block);
            (!routes.is_empty()).then_some(routes)
        });
        routes.unwrap_or_default()
    }

    fn candidates(&self, at: u32, prefix: PrefixId) -> Vec<Hop> {
        self.equally_good(at, prefix).iter().map(|route| self.hop_of(route)).collect()
    }

    fn best(&self, at: u32, prefix: PrefixId) -> Option<Hop> {
        let speaker = self.net.speaker_of[at as usize];
        let mut blocks = self.blocks(prefix);
        blocks.find_map(|block| self.sim.best(speaker, block)).map(|route| self.hop_of(&route))
    }

    fn way(&self, group: usize, prefix: PrefixId, known: &Known) -> Vec<Step<Hop>> {
        let (Some(at), location) = self.groups[group] else { return Vec::new() };
        walk(
            (at, location),
            &self.places,
            |at| {
                let mut known = known.borrow_mut();
                known.entry(at).or_insert_with(|| self.candidates(at, prefix)).clone()
            },
            |hop| match hop {
                Hop::As(next) => Some(*next),
                Hop::Ours(_) | Hop::Own => None,
            },
            |hop| match hop {
                Hop::Ours(link) => self.sessions[*link].and_then(|own| own.location),
                Hop::As(_) | Hop::Own => None,
            },
            |at| self.best(at, prefix),
        )
    }

    /// Whether an AS was asked to discard traffic to a prefix by the announcement that it follows
    /// out over a link of ours (RFC 7999).
    fn asked_to_discard(&self, at: u32, prefix: PrefixId, link: LinkId) -> bool {
        self.equally_good(at, prefix).iter().any(|route| {
            self.hop_of(route) == Hop::Ours(link)
                && route.communities.contains(&Community::Blackhole)
        })
    }

    fn end(&self, prefix: PrefixId, way: &[Step<Hop>]) -> Fate {
        let Some(last) = way.last() else { return Fate::Lost(DropCause::NoRoute) };
        if way.iter().any(|step| self.blackholes.contains(&self.spec.graph.asn(step.at))) {
            return Fate::Lost(DropCause::Blackhole);
        }
        match last.hop {
            None if way.len() == 1 => Fate::Lost(DropCause::NoRoute),
            // A network on the way was told of a route that is not there any more.
            None => Fate::Lost(DropCause::Blackhole),
            Some(Hop::As(_)) => Fate::Lost(DropCause::Loop),
            Some(Hop::Own) => Fate::Lost(DropCause::Hijacked),
            Some(Hop::Ours(link)) if self.asked_to_discard(last.at, prefix, link) => {
                Fate::Lost(DropCause::Blackhole)
            }
            Some(Hop::Ours(link)) => match self.sessions[link] {
                Some(own) => {
                    let hops = self.candidates(last.at, prefix);
                    let equal = hops.iter().filter_map(|hop| match hop {
                        Hop::Ours(link) => self.sessions[*link],
                        Hop::As(_) | Hop::Own => None,
                    });
                    Fate::Lands(own.landing(equal))
                }
                None => Fate::Lost(DropCause::NoRoute),
            },
        }
    }

    fn find_fates(&mut self, prefix: PrefixId) {
        let mut arbitrary = 0;
        let known = Known::default();
        let groups = 0..self.groups.len();
        let fates = groups
            .map(|group| {
                let way = self.way(group, prefix, &known);
                arbitrary += usize::from(is_arbitrary(&way));
                self.end(prefix, &way)
            })
            .collect();
        self.fates[prefix] = fates;
        self.arbitrary[prefix] = arbitrary;
    }

    /// Before the run: until nothing is left to happen.
    fn settle(&mut self) -> BTreeSet<BgpPrefixId> {
        let mut changed = Changed::default();
        let sessions = self.net.network.sessions.len() as u64;
        let prefixes = self.net.network.prefixes.len() as u64;
        // Far more than hunting for paths takes.
        let updates = 1_000_000 + 50 * sessions * prefixes;
        let limits = SettleLimits { updates, ..SettleLimits::default() };
        self.caveat = match self.sim.settle_heard(limits, &mut changed) {
            Settled::Converged { .. } => None,
            Settled::Diverged { cycle } => {
                Some(format!("routing goes round for ever: {}", self.members(&cycle)))
            }
            Settled::Oscillating { cycle, .. } => {
                Some(format!("routing had not settled at the start: {}", self.members(&cycle)))
            }
            Settled::LimitReached { .. } => Some("routing had not settled at the start".to_owned()),
        };
        self.base = self.sim.now();
        changed.prefixes
    }

    fn members(&self, cycle: &Cycle) -> String {
        let names = cycle
            .members
            .iter()
            .take(8)
            .map(|member| self.net.network.speakers[member.speaker].id.clone());
        names.collect::<Vec<_>>().join(", ")
    }

    fn words(&self, candidates: &[Candidate], row: &Candidate) -> String {
        let good = format!(
            "local preference {}, path length {}",
            row.route.local_pref,
            row.route.path.len()
        );
        match row.standing {
            _ if row.route.from.is_none() => OWN_ROUTE.to_owned(),
            Standing::Best | Standing::EquallyGood => good,
            // What only the last tie-breaks separate is equally good for whoever is nearer.
            Standing::LostAt { step, .. } if step >= DecisionStep::Oldest => good,
            Standing::LostAt { step, to } => {
                let than = |value: &dyn Fn(&RouteView) -> u64| {
                    let best = candidates.get(to).map_or(0, |other| value(&other.route));
                    format!(": {}, the best has {best}", value(&row.route))
                };
                let told = match step {
                    DecisionStep::LocalPref => than(&|route| u64::from(route.local_pref)),
                    DecisionStep::PathLength => than(&|route| route.path.len() as u64),
                    _ => String::new(),
                };
                format!("lost at {}{told}", step.name().replace('-', " "))
            }
            Standing::Refused(refusal) => format!("refused: {}", refusal.words(&self.net.network)),
        }
    }
}

impl LandingModel for EventLanding {
    fn announce(&mut self, now: SimTime, prefix: PrefixId, offers: &[Offer]) -> bool {
        if self.offers[prefix] == offers {
            return false;
        }
        let before = std::mem::replace(&mut self.offers[prefix], offers.to_vec());
        for old in &before {
            let gone = !offers.iter().any(|offer| offer.link == old.link);
            let router = old.link.and_then(|link| self.net.router_of[link]);
            if let (true, Some(speaker)) = (gone, router) {
                self.apply(now, BgpChange::Withdraw { speaker, prefix: self.net.whole[prefix] });
            }
        }
        for offer in offers.iter().filter(|offer| !before.contains(offer)) {
            if let Some(origination) = self.origination(prefix, offer) {
                self.apply(now, BgpChange::Announce(origination));
            }
        }
        true
    }

    fn set_session(&mut self, now: SimTime, link: LinkId, up: bool) {
        let Some(session) = self.net.own_session_of[link] else { return };
        let change =
            if up { BgpChange::SessionUp(session) } else { BgpChange::SessionDown(session) };
        self.apply(now, change);
    }

    fn set_trouble(&mut self, now: SimTime, trouble: &Trouble, on: bool) {
        self.troubles.retain(|row| row != trouble);
        if on {
            self.troubles.push(trouble.clone());
        }
        match trouble {
            Trouble::Leak { asn } => {
                if let Some(speaker) = self.speaker(*asn) {
                    self.apply(now, BgpChange::Leak { speaker, on });
                }
            }
            Trouble::Hijack { asn, prefix, more_specific, .. } => {
                self.hijack(now, *asn, *prefix, *more_specific);
            }
            Trouble::Blackhole { asn } => {
                if on {
                    self.blackholes.insert(*asn);
                } else {
                    self.blackholes.remove(asn);
                }
                self.touched.extend(self.offers.ids());
            }
            Trouble::Zombie { asn } => {
                if let Some(speaker) = self.speaker(*asn) {
                    self.apply(now, BgpChange::IgnoreWithdrawals { speaker, session: None, on });
                }
            }
            Trouble::Depeering { a, b } => {
                if let Some(&(session, _)) = self.net.session_of.get(&(*a, *b)) {
                    let change = if on {
                        BgpChange::SessionDown(session)
                    } else {
                        BgpChange::SessionUp(session)
                    };
                    self.apply(now, change);
                }
            }
            Trouble::LocalPref { asn, neighbour, .. } => self.prefer(now, *asn, *neighbour),
        }
    }

    fn fate(&self, group: ClientGroupId, prefix: PrefixId) -> Fate {
        self.fates[prefix][group.index()]
    }

    fn explain(&self, group: ClientGroupId, prefix: PrefixId) -> Explanation {
        let way = self.way(group.index(), prefix, &Known::default());
        if way.is_empty() {
            return Explanation::Words("the group is in no AS of the graph".to_owned());
        }
        let hops = way.iter().map(|step| {
            let speaker = self.net.speaker_of[step.at as usize];
            let discards = self.blackholes.contains(&self.spec.graph.asn(step.at));
            let mut routes = Vec::new();
            for block in self.blocks(prefix) {
                let specific = if block == self.net.whole[prefix] { "" } else { SPECIFIC };
                let candidates = self.sim.explain(speaker, block);
                for row in &candidates {
                    let hop = self.hop_of(&row.route);
                    let taken =
                        step.hop == Some(hop) && !routes.iter().any(|r: &RouteChoice| r.taken);
                    let site = match hop {
                        Hop::Ours(link) => self.sessions[link].map(|own| own.site),
                        Hop::As(_) | Hop::Own => None,
                    };
                    routes.push(RouteChoice {
                        as_path: row.route.path.clone(),
                        site,
                        learned_from: row.route.learned.map_or("own", |relation| relation.name()),
                        taken,
                        reason: way_words(taken, discards, step, &self.words(&candidates, row))
                            + specific,
                    });
                }
                // A more specific block is followed wherever there is a route to it that is used.
                if candidates.iter().any(|row| !matches!(row.standing, Standing::Refused(_))) {
                    break;
                }
            }
            routes.sort_by_key(|row| !row.taken);
            HopChoice { asn: self.spec.graph.asn(step.at), routes }
        });
        Explanation::Hops(hops.collect())
    }

    fn converges_by_itself(&self) -> bool {
        true
    }

    fn next_time(&self) -> Option<SimTime> {
        if self.stuck {
            return None;
        }
        let next = self.sim.next_time().map(|at| SimTime(at.0.saturating_sub(self.base.0)));
        let next = if self.touched.is_empty() { next? } else { SimTime::ZERO };
        let step = self.spec.timing.step.0;
        Some(SimTime(next.0.div_ceil(step).saturating_mul(step)))
    }

    fn advance(&mut self, now: SimTime) -> Vec<PrefixId> {
        let changed = if now == SimTime::ZERO {
            self.settle()
        } else {
            let mut changed = Changed::default();
            if let Advanced::StuckAt(_) = self.sim.advance(self.solver_time(now), &mut changed) {
                self.stuck = true;
            }
            if let Some(cycle) = &changed.cycle {
                self.caveat = Some(format!("routing goes round for ever: {}", self.members(cycle)));
            }
            changed.prefixes
        };
        let mut touched = std::mem::take(&mut self.touched);
        touched.extend(changed.into_iter().filter_map(|block| self.net.prefix_of[block.index()]));
        touched.iter().for_each(|&prefix| self.find_fates(prefix));
        touched.into_iter().collect()
    }

    fn caveats(&self) -> Vec<Warning> {
        let row = |message: &String| Warning { code: "W0104", message: message.clone() };
        let arbitrary = self.arbitrary.rows().iter().copied().max().unwrap_or(0);
        let exits = arbitrary_exits(arbitrary, self.groups.len());
        self.caveat.iter().map(row).chain(exits).collect()
    }
}
