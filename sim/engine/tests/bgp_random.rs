//! The event-driven BGP solver on random networks: against a solver of another kind, and against
//! itself after a long history.

use std::collections::BTreeMap;
use std::sync::Arc;
use steerlab_engine::kernel::{Id, SimSpan, SimTime, Stream, StreamKey};
use steerlab_engine::route::bgp::*;

fn stream(entity: u64) -> Stream {
    Stream::new(StreamKey { seed: 7, replication: 0, purpose: "bgp-random", entity })
}

fn quiet(sim: &mut BgpSim) {
    let settled = sim.settle(SettleLimits::default());
    assert!(matches!(settled, Settled::Converged { .. }), "{settled:?}");
}

fn origination(speaker: SpeakerId, prefix: u32) -> Origination {
    Origination::plain(speaker, BgpPrefixId(prefix))
}

fn random_mrai(stream: &mut Stream) -> Mrai {
    Mrai {
        interval: SimSpan::from_millis(stream.below(3) * 40),
        jitter: 0.25,
        scope: [MraiScope::Peer, MraiScope::Prefix][stream.below(2) as usize],
        withdrawals_wait: stream.below(2) == 0,
    }
}

/// A hierarchy: providers have lower numbers than their customers, so nobody is his own provider.
fn hierarchy(stream: &mut Stream, ases: u32) -> Vec<(u32, u32, Relation)> {
    let mut links = BTreeMap::new();
    for asn in 2..=ases {
        for _ in 0..1 + stream.below(3) {
            let provider = 1 + stream.below(u64::from(asn - 1)) as u32;
            links.entry((provider, asn)).or_insert(Relation::Customer);
        }
        if stream.below(3) == 0 {
            let peer = 1 + stream.below(u64::from(asn - 1)) as u32;
            links.entry((peer, asn)).or_insert(Relation::Peer);
        }
    }
    links.into_iter().map(|((a, b), relation)| (a, b, relation)).collect()
}

/// Each AS's path by three sweeps over the hierarchy: up to providers, across to peers, down to
/// customers. Shortest path, then lowest neighbour.
fn three_sweeps(
    links: &[(u32, u32, Relation)],
    origins: &[u32],
    ases: u32,
) -> BTreeMap<u32, Vec<u32>> {
    type Held = BTreeMap<u32, (u8, Vec<u32>)>;
    let mut held: Held = origins.iter().map(|&asn| (asn, (0, Vec::new()))).collect();
    // A better route has a lower class, then a shorter path, then a lower first AS.
    let offer = |held: &mut Held, to: u32, class: u8, via: u32| {
        let mut path = vec![via];
        path.extend(&held[&via].1);
        let new = (class, path.len(), path[0]);
        let old = held.get(&to).map(|(class, path)| (*class, path.len(), path.first().copied()));
        if old.is_none_or(|old| new < (old.0, old.1, old.2.unwrap_or(0))) {
            held.insert(to, (class, path));
            return true;
        }
        false
    };
    // Up, from the edge to the top, by growing length: repeat until nothing changes.
    let mut moved = true;
    while moved {
        moved = false;
        for &(provider, customer, relation) in links {
            if relation == Relation::Customer
                && held.get(&customer).is_some_and(|(class, _)| *class <= 1)
            {
                moved |= offer(&mut held, provider, 1, customer);
            }
        }
    }
    let own_and_customers: Vec<u32> = held.keys().copied().collect();
    let before = held.clone();
    for &(a, b, relation) in links {
        if relation == Relation::Peer {
            for (to, via) in [(a, b), (b, a)] {
                if own_and_customers.contains(&via) && before[&via].0 <= 1 {
                    let mut path = vec![via];
                    path.extend(&before[&via].1);
                    let new = (2, path.len(), path[0]);
                    let old = held.get(&to);
                    if old.is_none_or(|(class, old)| {
                        new < (*class, old.len(), old.first().copied().unwrap_or(0))
                    }) {
                        held.insert(to, (2, path));
                    }
                }
            }
        }
    }
    for customer in 1..=ases {
        for &(provider, to, relation) in links {
            if relation == Relation::Customer && to == customer && held.contains_key(&provider) {
                offer(&mut held, customer, 3, provider);
            }
        }
    }
    held.into_iter().map(|(asn, (_, path))| (asn, path)).collect()
}

#[test]
fn random_hierarchies_settle_in_the_state_of_another_solver_whatever_the_timing() {
    for case in 0..150 {
        let mut stream = stream(case);
        let ases = 5 + stream.below(40) as u32;
        let links = hierarchy(&mut stream, ases);
        let origins: Vec<u32> =
            (0..1 + stream.below(3)).map(|_| 1 + stream.below(u64::from(ases)) as u32).collect();
        let expected = three_sweeps(&links, &origins, ases);
        let (mut network, asns) = from_as_graph(&links, 1, SimSpan::from_millis(10));
        for session in network.sessions.rows_mut() {
            session.delay_jitter = 5.0;
            for side in &mut session.sides {
                side.mrai = random_mrai(&mut stream);
            }
        }
        for speaker in network.speakers.rows_mut() {
            speaker.processing = SimSpan::from_millis(stream.below(3) * 5);
        }
        let mut sim = BgpSim::new(Arc::new(network), case, 0);
        for asn in &origins {
            let speaker = SpeakerId::from_index(asns.binary_search(asn).unwrap());
            let at = SimTime(stream.below(100_000_000));
            sim.apply(at, BgpChange::Announce(origination(speaker, 0)));
        }
        quiet(&mut sim);
        for (index, asn) in asns.iter().enumerate() {
            let speaker = SpeakerId::from_index(index);
            let path = sim.best(speaker, BgpPrefixId(0)).map(|route| route.path);
            assert_eq!(path.as_ref(), expected.get(asn), "case {case}, AS {asn}");
            if path.is_some() {
                let end = sim.forward(speaker, BgpPrefixId(0)).end;
                assert!(matches!(end, ForwardingEnd::Delivered(_)), "case {case}, AS {asn}");
            }
        }
    }
}

/// A large AS with reflectors and links, its customers, peers and providers, some with several
/// sessions, damping off. Policies are in the network, unused at first.
fn big_as(stream: &mut Stream, mesh: bool) -> BgpNetwork {
    let mut network = BgpNetwork::default();
    let routers = 6 + stream.below(6) as u32;
    let mut session = |network: &mut BgpNetwork, a: u32, b: u32, relations: [Relation; 2]| {
        let id = format!("s{}", network.sessions.len());
        network.sessions.push(Session {
            id,
            ends: [SpeakerId(a), SpeakerId(b)],
            sides: [plain_side(relations[0], a + 1), plain_side(relations[1], b + 1)],
            delay: SimSpan::from_millis(1 + stream.below(20)),
            delay_jitter: 0.5,
            up: true,
        });
    };
    for router in 0..routers {
        network.speakers.push(plain_speaker(format!("r{router}"), 1000, router + 1));
    }
    for a in 0..routers {
        for b in a + 1..routers {
            let relations = match (mesh, a < 2, b < 2) {
                (true, _, _) | (_, true, true) => [Relation::Internal; 2],
                (_, true, false) => [Relation::ReflectorClient, Relation::Internal],
                _ => continue,
            };
            session(&mut network, a, b, relations);
        }
    }
    for outside in 0..8_u32 {
        let id = network.speakers.len() as u32;
        network.speakers.push(plain_speaker(format!("e{outside}"), 1 + outside, id + 1));
        let relation =
            [Relation::Customer, Relation::Peer, Relation::Provider][outside as usize % 3];
        for at in [outside % routers, (outside * 5 + 1) % routers] {
            session(&mut network, at, id, [relation, reverse(relation)]);
        }
    }
    let mut link = |network: &mut BgpNetwork, a: u32, b: u32| {
        let id = format!("l{}", network.igp_links.len());
        let cost = [1 + stream.below(30), 1 + stream.below(30)];
        network.igp_links.push(IgpLink { id, ends: [SpeakerId(a), SpeakerId(b)], cost, up: true });
    };
    for router in 0..routers {
        link(&mut network, router, (router + 1) % routers);
        link(&mut network, router, (router + 3) % routers);
    }
    add_policies(&mut network);
    for prefix in 0..4 {
        network.prefixes.push(BgpPrefix { id: format!("p{prefix}"), parent: None });
    }
    for side in network.sessions.rows_mut().iter_mut().flat_map(|session| &mut session.sides) {
        side.mrai = random_mrai(stream);
        side.next_hop_self = stream.below(2) == 0;
    }
    for speaker in network.speakers.rows_mut() {
        speaker.processing = SimSpan::from_millis(stream.below(3) * 3);
    }
    network
}

/// Two policies that prefer, one that refuses a prefix.
fn add_policies(network: &mut BgpNetwork) {
    for value in [150, 450] {
        let sets = vec![Set::LocalPref(value)];
        let rules = vec![Rule { matches: vec![], sets, then: Verdict::Accept }];
        let id = format!("prefer-{value}");
        network.policies.push(RoutePolicy { id, rules, otherwise: Verdict::Accept });
    }
    let rule = Rule {
        matches: vec![Match::Prefix(vec![BgpPrefixId(0)])],
        sets: vec![],
        then: Verdict::Reject,
    };
    let rules = vec![rule];
    network.policies.push(RoutePolicy {
        id: "not-p0".to_owned(),
        rules,
        otherwise: Verdict::Accept,
    });
}

/// What was done to a network, so that another one can be brought into the same state at once.
#[derive(Default)]
struct Done {
    by_subject: BTreeMap<String, BgpChange>,
}

fn random_change(stream: &mut Stream, network: &BgpNetwork, done: &mut Done) -> BgpChange {
    let session = SessionId(stream.below(network.sessions.len() as u64) as u32);
    let link = IgpLinkId(stream.below(network.igp_links.len() as u64) as u32);
    let speaker = SpeakerId(stream.below(network.speakers.len() as u64) as u32);
    let outside = SpeakerId((network.speakers.len() as u64 - 1 - stream.below(8)) as u32);
    let prefix = stream.below(4) as u32;
    let on = stream.below(2) == 0;
    let (subject, change) = match stream.below(12) {
        0..=2 => {
            let med = on.then(|| stream.below(3) as u32);
            let path = vec![5_000 + stream.below(3) as u32; stream.below(2) as usize];
            let route = Origination { med, path, ..origination(outside, prefix) };
            (format!("route {outside:?} {prefix}"), BgpChange::Announce(route))
        }
        3 => {
            let change = BgpChange::Withdraw { speaker: outside, prefix: BgpPrefixId(prefix) };
            (format!("route {outside:?} {prefix}"), change)
        }
        4 => (format!("session {session:?}"), BgpChange::SessionDown(session)),
        5 => (format!("session {session:?}"), BgpChange::SessionUp(session)),
        6 => (format!("link {link:?}"), BgpChange::IgpLinkDown(link)),
        7 => (format!("link {link:?}"), BgpChange::IgpLinkUp(link)),
        8 => {
            let cost = [1 + stream.below(30), 1 + stream.below(30)];
            (format!("cost {link:?}"), BgpChange::IgpCost { link, cost })
        }
        9 if on => (format!("speaker {speaker:?}"), BgpChange::SpeakerDown(speaker)),
        9 => (format!("speaker {speaker:?}"), BgpChange::SpeakerUp(speaker)),
        10 => {
            let side = stream.below(2) as usize;
            let external = network.speakers[network.sessions[session].ends[1]].asn != 1000;
            let import = vec![RoutePolicyId(stream.below(3) as u32); usize::from(on && external)];
            let export = vec![RoutePolicyId(2); stream.below(2) as usize];
            let change = BgpChange::SetPolicies { session, side, import, export };
            (format!("policies {session:?} {side}"), change)
        }
        _ => return BgpChange::SessionReset(session),
    };
    done.by_subject.insert(subject, change.clone());
    change
}

/// Everything that is held, except since when.
fn tables(sim: &BgpSim) -> Vec<Vec<Candidate>> {
    let speakers = sim.network().speakers.ids();
    speakers
        .flat_map(|speaker| sim.network().prefixes.ids().map(move |prefix| (speaker, prefix)))
        .map(|(speaker, prefix)| {
            let mut held = sim.explain(speaker, prefix);
            held.iter_mut().for_each(|candidate| candidate.route.since = SimTime::ZERO);
            let best = held.iter().find(|candidate| candidate.standing == Standing::Best);
            let mut shown = sim.best(speaker, prefix);
            shown.iter_mut().for_each(|route| route.since = SimTime::ZERO);
            assert_eq!(best.map(|candidate| &candidate.route), shown.as_ref());
            held
        })
        .collect()
}

fn history(case: u64, mesh: bool, changes: usize) {
    let mut stream = stream(1_000 + case);
    let network = Arc::new(big_as(&mut stream, mesh));
    let mut sim = BgpSim::new(Arc::clone(&network), case, 0);
    let mut done = Done::default();
    for step in 0..changes {
        let change = random_change(&mut stream, &network, &mut done);
        // Some changes come while the network is still busy with the one before.
        sim.apply(sim.now(), change);
        if stream.below(2) == 0 {
            let until = sim.now().after(SimSpan::from_millis(stream.below(20)));
            assert_eq!(sim.advance(until, &mut Deaf), Advanced::Reached);
        }
        if step % 20 != 0 {
            continue;
        }
        quiet(&mut sim);
        let mut fresh = BgpSim::new(Arc::clone(&network), case + 1, 0);
        for change in done.by_subject.values() {
            fresh.apply(SimTime::ZERO, change.clone());
        }
        quiet(&mut fresh);
        assert_eq!(tables(&sim), tables(&fresh), "case {case}, step {step}");
    }
}

#[test]
fn a_long_history_in_a_meshed_as_ends_where_a_fresh_start_ends() {
    (0..4).for_each(|case| history(case, true, 1_000));
}

#[test]
fn a_long_history_with_reflectors_ends_where_a_fresh_start_ends() {
    (10..14).for_each(|case| history(case, false, 1_000));
}

#[test]
fn equal_seeds_give_equal_trajectories_and_other_seeds_others() {
    let play = |seed| {
        let network = Arc::new(big_as(&mut stream(99), false));
        let mut sim = BgpSim::new(Arc::clone(&network), seed, 0);
        let mut stream = stream(98);
        for _ in 0..50 {
            let change = random_change(&mut stream, &network, &mut Done::default());
            sim.apply(sim.now(), change);
            sim.advance(sim.now().after(SimSpan::from_millis(7)), &mut Deaf);
        }
        quiet(&mut sim);
        sim.fingerprint().value()
    };
    assert_eq!(play(1), play(1));
    assert_ne!(play(1), play(2));
}

/// Checks that what is paced keeps its pace.
struct Pace {
    network: Arc<BgpNetwork>,
    last: BTreeMap<(SessionId, SpeakerId, Option<BgpPrefixId>), SimTime>,
    gaps: usize,
}

impl RouteSink for Pace {
    fn sent(&mut self, at: SimTime, sent: Sent) {
        let session = &self.network.sessions[sent.session];
        let mrai = session.sides[usize::from(session.ends[0] != sent.from)].mrai;
        if mrai.interval == SimSpan::ZERO || !(sent.announced || mrai.withdrawals_wait) {
            return;
        }
        let prefix = (mrai.scope == MraiScope::Prefix).then_some(sent.prefix);
        let last = self.last.insert((sent.session, sent.from, prefix), at);
        // What goes at one instant goes in one message.
        if let Some(last) = last.filter(|last| *last != at) {
            let least = (1.0 - mrai.jitter) * mrai.interval.seconds();
            assert!(
                at.since(last).seconds() >= least - 1e-9,
                "{sent:?} after {:?}",
                at.since(last)
            );
            self.gaps += 1;
        }
    }

    fn session_changed(&mut self, _: SimTime, session: SessionId, up: bool, _: SessionCause) {
        // A new session starts with idle timers.
        if !up {
            self.last.retain(|key, _| key.0 != session);
        }
    }
}

#[test]
fn no_session_ever_sends_faster_than_its_interval_allows() {
    let mut gaps = 0;
    for case in 0..10 {
        let mut stream = stream(2_000 + case);
        let network = Arc::new(big_as(&mut stream, case % 2 == 0));
        let mut sim = BgpSim::new(Arc::clone(&network), case, 0);
        let mut pace = Pace { network: Arc::clone(&network), last: BTreeMap::new(), gaps: 0 };
        for _ in 0..300 {
            let change = random_change(&mut stream, &network, &mut Done::default());
            sim.apply(sim.now(), change);
            sim.advance(sim.now().after(SimSpan::from_millis(stream.below(30))), &mut pace);
        }
        sim.settle_heard(SettleLimits::default(), &mut pace);
        gaps += pace.gaps;
    }
    assert!(gaps > 1_000, "{gaps}");
}
