//! The network that messages travel in: one speaker for every AS, one of ours for every link.

use super::Trouble;
use super::bgp::{BgpSpec, SessionTerms, own_sessions};
use crate::kernel::{SimSpan, Table};
use crate::net::LinkId;
use crate::route::bgp::{
    BgpNetwork, BgpPrefix, BgpPrefixId, Damping, Match, Relation, Roa, RoutePolicy, RoutePolicyId,
    Rule, Session, SessionId, Set, SpeakerId, Verdict, plain_side, plain_speaker, reverse,
};
use crate::route::internet::Relation as AsRelation;
use crate::scenario::{Change, PrefixId, Scenario};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A network, and what its parts stand for.
pub(super) struct EventNetwork {
    pub network: Arc<BgpNetwork>,
    /// Speaker of each AS, by index in the graph.
    pub speaker_of: Vec<SpeakerId>,
    /// Index of the AS of each speaker; none: it is ours.
    pub index_of: Vec<Option<u32>>,
    /// Our router at each link to a neighbour.
    pub router_of: Table<LinkId, Option<SpeakerId>>,
    /// Our session over each link to a neighbour.
    pub own_session_of: Table<LinkId, Option<SessionId>>,
    /// The link of each router of ours.
    pub link_of: BTreeMap<SpeakerId, LinkId>,
    /// Block of each prefix.
    pub whole: Table<PrefixId, BgpPrefixId>,
    /// More specific block of each prefix, where somebody will hijack one.
    pub specific: Table<PrefixId, Option<BgpPrefixId>>,
    /// Prefix of each block.
    pub prefix_of: Vec<Option<PrefixId>>,
    /// Session between two ASes, and which end the first is.
    pub session_of: BTreeMap<(u32, u32), (SessionId, usize)>,
    /// Import policy for each local preference that somebody will set.
    pub preferences: BTreeMap<u32, RoutePolicyId>,
}

/// Usual values of route-flap damping: those of RFC 2439's descendants in routers (penalty 1000,
/// cut-off 2000, reuse 750, half-life 15 min, at most 60 min).
const DAMPING: Damping = Damping {
    withdrawal_penalty: 1_000.0,
    change_penalty: 500.0,
    suppress_above: 2_000.0,
    reuse_below: 750.0,
    half_life: SimSpan::from_seconds(900),
    max_suppress: SimSpan::from_seconds(3_600),
};

pub(super) fn event_network(scenario: &Scenario, spec: &BgpSpec) -> EventNetwork {
    let mut network = BgpNetwork::default();
    let mut index_of = Vec::new();
    let mut speaker_of = Vec::new();
    for (index, &asn) in spec.graph.asns().iter().enumerate() {
        let mut speaker = plain_speaker(format!("AS{asn}"), asn, asn);
        speaker.processing = spec.timing.processing;
        speaker.damping = spec.timing.damping.then_some(DAMPING);
        if let Some((_, mode)) = spec.validators.iter().find(|(who, _)| *who == asn) {
            speaker.validation = *mode;
        }
        speaker_of.push(network.speakers.push(speaker));
        index_of.push(Some(index as u32));
    }
    let mut net = EventNetwork {
        network: Arc::new(BgpNetwork::default()),
        speaker_of,
        index_of,
        router_of: Table::filled(scenario.network.links.len(), None),
        own_session_of: Table::filled(scenario.network.links.len(), None),
        link_of: BTreeMap::new(),
        whole: Table::new(),
        specific: Table::new(),
        prefix_of: Vec::new(),
        session_of: BTreeMap::new(),
        preferences: BTreeMap::new(),
    };
    add_foreign_sessions(&mut net, &mut network, spec);
    add_own_sessions(&mut net, &mut network, scenario, spec);
    add_prefixes(&mut net, &mut network, scenario, spec);
    add_policies(&net, &mut network, spec);
    spec.sessions.iter().for_each(|terms| configure(&net, &mut network, terms));
    add_preferences(&mut net, &mut network, scenario);
    net.network = Arc::new(network);
    net
}

fn relation_of(relation: AsRelation) -> Relation {
    match relation {
        AsRelation::Customer => Relation::Customer,
        AsRelation::Peer => Relation::Peer,
        AsRelation::RouteServer => Relation::RouteServer,
        AsRelation::Provider => Relation::Provider,
    }
}

fn session(
    id: String,
    ends: [SpeakerId; 2],
    relations: [Relation; 2],
    addresses: [u32; 2],
    spec: &BgpSpec,
) -> Session {
    let side = |end: usize| {
        let mut side = plain_side(relations[end], addresses[end]);
        side.mrai = spec.timing.mrai;
        side
    };
    Session {
        id,
        ends,
        sides: [side(0), side(1)],
        delay: spec.timing.session_delay,
        delay_jitter: spec.timing.session_jitter,
        up: true,
    }
}

/// Sessions between other ASes.
fn add_foreign_sessions(net: &mut EventNetwork, network: &mut BgpNetwork, spec: &BgpSpec) {
    for link in spec.graph.links().filter(|link| link.a != spec.asn && link.b != spec.asn) {
        let of = |asn| spec.graph.index_of(asn).map(|at| net.speaker_of[at as usize]);
        let (Some(a), Some(b)) = (of(link.a), of(link.b)) else { continue };
        let relation = relation_of(link.relation);
        let id = network.sessions.push(session(
            format!("AS{}-AS{}", link.a, link.b),
            [a, b],
            [
                relation,
                if relation == Relation::RouteServer { relation } else { reverse(relation) },
            ],
            [link.a, link.b],
            spec,
        ));
        net.session_of.insert((link.a, link.b), (id, 0));
        net.session_of.insert((link.b, link.a), (id, 1));
    }
}

/// A router of ours at every link, so that each announces as it is asked to. They have one router
/// id; among them the first link has the lowest address.
fn add_own_sessions(
    net: &mut EventNetwork,
    network: &mut BgpNetwork,
    scenario: &Scenario,
    spec: &BgpSpec,
) {
    let sessions = own_sessions(scenario, spec);
    for (link, own) in sessions.iter() {
        let Some(own) = own else { continue };
        let Some(theirs) = spec.graph.index_of(own.asn) else { continue };
        let name = &scenario.network.links[link].id;
        let router = network.speakers.push(plain_speaker(name.clone(), spec.asn, spec.asn));
        net.index_of.push(None);
        net.router_of[link] = Some(router);
        net.link_of.insert(router, link);
        let we_are = own.we_are;
        let they_are = if we_are == Relation::RouteServer { we_are } else { reverse(we_are) };
        let theirs = net.speaker_of[theirs as usize];
        let address = link.0;
        let id = network.sessions.push(session(
            name.clone(),
            [router, theirs],
            [they_are, we_are],
            [address, own.asn],
            spec,
        ));
        net.own_session_of[link] = Some(id);
    }
}

fn add_prefixes(
    net: &mut EventNetwork,
    network: &mut BgpNetwork,
    scenario: &Scenario,
    spec: &BgpSpec,
) {
    for (id, prefix) in scenario.prefixes.iter() {
        let whole = network.prefixes.push(BgpPrefix { id: prefix.id.clone(), parent: None });
        net.prefix_of.push(Some(id));
        net.whole.push(whole);
        let hijacked = scenario.timeline.iter().any(|event| {
            matches!(
                &event.change,
                Change::RoutingTrouble(Trouble::Hijack { prefix, more_specific: true, .. })
                    if *prefix == id
            )
        });
        let specific = hijacked.then(|| {
            net.prefix_of.push(Some(id));
            let name = format!("{} more specific", prefix.id);
            network.prefixes.push(BgpPrefix { id: name, parent: Some(whole) })
        });
        net.specific.push(specific);
    }
    for roa in &spec.roas {
        network.roas.push(Roa {
            prefix: net.whole[roa.prefix],
            more_specific_levels: u8::from(roa.more_specifics),
            asn: roa.asn,
        });
    }
}

/// The scenario's route policies; they come first, so their ids hold. Prefixes become blocks.
fn add_policies(net: &EventNetwork, network: &mut BgpNetwork, spec: &BgpSpec) {
    assert!(network.policies.is_empty(), "the scenario's policies have the first ids");
    for policy in spec.policies.rows() {
        let mut policy = policy.clone();
        let rules = policy.rules.iter_mut();
        rules.flat_map(|rule| &mut rule.matches).for_each(|asked| as_blocks(net, asked));
        network.policies.push(policy);
    }
}

fn as_blocks(net: &EventNetwork, asked: &mut Match) {
    match asked {
        Match::Prefix(list) | Match::Within(list) => {
            list.iter_mut().for_each(|id| *id = net.whole[PrefixId(id.0)]);
        }
        Match::Not(inner) => as_blocks(net, inner),
        _ => {}
    }
}

/// Configures one AS's ends of its sessions with another.
fn configure(net: &EventNetwork, network: &mut BgpNetwork, terms: &SessionTerms) {
    for id in network.sessions.ids() {
        let ends = network.sessions[id].ends;
        let asns = ends.map(|end| network.speakers[end].asn);
        let Some(side) = [0, 1]
            .into_iter()
            .find(|&side| asns[side] == terms.asn && asns[1 - side] == terms.neighbour)
        else {
            continue;
        };
        let link = ends.iter().find_map(|end| net.link_of.get(end));
        if terms.link.is_some() && terms.link.as_ref() != link {
            continue;
        }
        let session = &mut network.sessions[id];
        session.delay = terms.delay.unwrap_or(session.delay);
        session.delay_jitter = terms.delay_jitter.unwrap_or(session.delay_jitter);
        let end = &mut session.sides[side];
        end.import.clone_from(&terms.import);
        end.export.clone_from(&terms.export);
        end.mrai = terms.mrai.unwrap_or(end.mrai);
        (end.prefixes_max, end.restart) = (terms.prefixes_max, terms.restart);
    }
}

/// A policy for every local preference that the timeline will set.
fn add_preferences(net: &mut EventNetwork, network: &mut BgpNetwork, scenario: &Scenario) {
    for event in &scenario.timeline {
        if let Change::RoutingTrouble(Trouble::LocalPref { value, .. }) = &event.change {
            net.preferences.entry(*value).or_insert_with(|| {
                network.policies.push(RoutePolicy {
                    id: format!("local-pref-{value}"),
                    rules: vec![Rule {
                        matches: Vec::new(),
                        sets: vec![Set::LocalPref(*value)],
                        then: Verdict::Accept,
                    }],
                    otherwise: Verdict::Accept,
                })
            });
        }
    }
}
