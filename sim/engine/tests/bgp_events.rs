//! The event-driven BGP solver on small networks whose results are known.

use std::sync::Arc;
use steerlab_engine::kernel::{SimSpan, SimTime, math};
use steerlab_engine::route::bgp::*;

/// A network in the making: speakers and sessions by name.
#[derive(Default)]
struct Net {
    network: BgpNetwork,
}

impl Net {
    fn new(prefixes: usize) -> Net {
        let mut net = Net::default();
        for index in 0..prefixes {
            net.network.prefixes.push(BgpPrefix { id: format!("p{index}"), parent: None });
        }
        net
    }

    fn speaker(&mut self, asn: u32, router_id: u32) -> SpeakerId {
        let id = format!("r{}", self.network.speakers.len());
        self.network.speakers.push(plain_speaker(id, asn, router_id))
    }

    fn session(&mut self, a: SpeakerId, b: SpeakerId, relation: Relation) -> SessionId {
        let id = format!("s{}", self.network.sessions.len());
        let address = |speaker: SpeakerId| self.network.speakers[speaker].router_id;
        let sides = [plain_side(relation, address(a)), plain_side(reverse(relation), address(b))];
        let delay = SimSpan::from_millis(10);
        self.network.sessions.push(Session {
            id,
            ends: [a, b],
            sides,
            delay,
            delay_jitter: 0.0,
            up: true,
        })
    }

    fn link(&mut self, a: SpeakerId, b: SpeakerId, cost: u64) -> IgpLinkId {
        let id = format!("l{}", self.network.igp_links.len());
        self.network.igp_links.push(IgpLink { id, ends: [a, b], cost: [cost, cost], up: true })
    }

    fn policy(&mut self, rules: Vec<Rule>, otherwise: Verdict) -> RoutePolicyId {
        let id = format!("policy-{}", self.network.policies.len());
        self.network.policies.push(RoutePolicy { id, rules, otherwise })
    }

    fn sim(self) -> BgpSim {
        BgpSim::new(Arc::new(self.network), 1, 0)
    }
}

const P: BgpPrefixId = BgpPrefixId(0);

fn origination(speaker: SpeakerId) -> Origination {
    Origination::plain(speaker, P)
}

fn announce(sim: &mut BgpSim, speaker: SpeakerId) {
    sim.apply(sim.now(), BgpChange::Announce(origination(speaker)));
}

fn quiet(sim: &mut BgpSim) -> u64 {
    match sim.settle(SettleLimits::default()) {
        Settled::Converged { updates, .. } => updates,
        other => panic!("does not settle: {other:?}"),
    }
}

fn path(sim: &BgpSim, speaker: SpeakerId) -> Option<Vec<u32>> {
    sim.best(speaker, P).map(|route| route.path)
}

#[test]
fn a_route_goes_along_a_chain_and_comes_back_by_withdrawal() {
    let mut net = Net::new(1);
    let chain: Vec<SpeakerId> = (1..=4).map(|asn| net.speaker(asn, asn)).collect();
    for pair in chain.windows(2) {
        net.session(pair[0], pair[1], Relation::Plain);
    }
    let mut sim = net.sim();
    announce(&mut sim, chain[0]);
    assert_eq!(quiet(&mut sim), 3);
    assert_eq!(path(&sim, chain[3]), Some(vec![3, 2, 1]));
    assert_eq!(sim.last_best_change(), SimTime(30_000_000));
    let way = sim.forward(chain[3], P);
    assert_eq!(way.hops, [chain[3], chain[2], chain[1], chain[0]]);
    assert_eq!(way.end, ForwardingEnd::Delivered(chain[0]));
    sim.apply(sim.now(), BgpChange::Withdraw { speaker: chain[0], prefix: P });
    assert_eq!(quiet(&mut sim), 3);
    assert_eq!(path(&sim, chain[3]), None);
    assert_eq!(sim.forward(chain[3], P).end, ForwardingEnd::NoRoute(chain[3]));
}

/// All speakers meshed, the first one the origin; settled.
fn clique(n: u32, mrai: Mrai, delay_jitter: f64) -> (BgpSim, Vec<SpeakerId>) {
    let mut net = Net::new(1);
    let all: Vec<SpeakerId> = (1..=n).map(|asn| net.speaker(asn, asn)).collect();
    for (place, &a) in all.iter().enumerate() {
        for &b in &all[place + 1..] {
            net.session(a, b, Relation::Plain);
        }
    }
    for session in net.network.sessions.rows_mut() {
        session.delay_jitter = delay_jitter;
        for side in &mut session.sides {
            side.mrai = mrai;
        }
    }
    let mut sim = net.sim();
    announce(&mut sim, all[0]);
    quiet(&mut sim);
    (sim, all)
}

/// Updates after the origin withdraws, and how long it takes.
fn withdrawal(sim: &mut BgpSim, origin: SpeakerId) -> (u64, SimSpan) {
    let start = sim.now();
    sim.apply(start, BgpChange::Withdraw { speaker: origin, prefix: P });
    let updates = quiet(sim);
    (updates, sim.last_best_change().since(start))
}

#[test]
fn a_withdrawal_in_a_full_mesh_explores_ever_longer_paths() {
    // An independent program with the same rules (all speak once a round, nobody tells a route back
    // to its next hop, the origin is told too) counts these updates. Where speakers tell routes back
    // and leave the loop check to the receiver, where the origin is told nothing, and where its own
    // withdrawals are not counted, the same program counts 4, 16, 39, 76, 130, 204.
    let expected = [8, 23, 50, 92, 152, 233];
    for (n, updates) in (3_u32..).zip(expected) {
        let (mut sim, all) = clique(n, Mrai::default(), 0.0);
        let (counted, time) = withdrawal(&mut sim, all[0]);
        assert_eq!(counted, updates, "n = {n}");
        // One round for the withdrawal to arrive, n - 2 for the paths of 2, 3, ... n - 1 hops.
        assert_eq!(time, SimSpan::from_millis(10 * u64::from(n - 1)), "n = {n}");
        assert!(all.iter().all(|&speaker| path(&sim, speaker).is_none()));
    }
}

fn mrai(seconds: u64) -> Mrai {
    Mrai { interval: SimSpan::from_seconds(seconds), ..Mrai::default() }
}

#[test]
fn withdrawal_time_in_a_full_mesh_grows_with_the_mesh_and_with_the_interval() {
    // Labovitz and others (2000): at least (n - 3) intervals. The timers are idle when the
    // withdrawal comes, so the first two rounds of exploration do not wait.
    let seconds = |n: u32, interval: u64, withdrawals_wait: bool| {
        let mrai = Mrai { withdrawals_wait, ..mrai(interval) };
        let (mut sim, all) = clique(n, mrai, 0.0);
        withdrawal(&mut sim, all[0]).1.seconds()
    };
    for n in 4..=9 {
        let rounds = seconds(n, 30, true) / 30.0;
        assert!((rounds - f64::from(n - 3)).abs() < 0.01, "n = {n}: {rounds} intervals");
        assert!((seconds(n, 60, true) - 2.0 * seconds(n, 30, true)).abs() < 0.1, "n = {n}");
        // Withdrawals that do not wait cut the last round short where it is a withdrawal alone.
        let rounds = seconds(n, 30, false) / 30.0;
        let expected = f64::from(n - 3 - (n + 1) % 2);
        assert!((rounds - expected).abs() < 0.01, "n = {n}: {rounds} intervals");
    }
}

#[test]
fn an_unchanged_route_is_not_sent_again_and_a_timer_starts_again_after_a_send() {
    // a - b, and c behind b's back: what b tells a is paced.
    let mut net = Net::new(1);
    let (a, b, c) = (net.speaker(1, 1), net.speaker(2, 2), net.speaker(3, 3));
    let ab = net.session(b, a, Relation::Plain);
    net.session(b, c, Relation::Plain);
    net.network.sessions[ab].sides[0].mrai = mrai(30);
    let mut sim = net.sim();
    #[derive(Default)]
    struct Times(Vec<(u64, bool)>);
    impl RouteSink for Times {
        fn sent(&mut self, at: SimTime, sent: Sent) {
            if sent.session == SessionId(0) {
                self.0.push((at.0 / 1_000_000, sent.announced));
            }
        }
    }
    let mut times = Times::default();
    let med = |speaker, med| BgpChange::Announce(Origination { med, ..origination(speaker) });
    let second = |s: u64| SimTime::ZERO.after(SimSpan::from_seconds(s));
    // Sent at once; the timer runs until 30 s.
    sim.apply(second(0), med(b, Some(1)));
    // Changed and changed back while it runs: nothing at 30 s, and the timer is idle then.
    sim.apply(second(5), med(b, Some(2)));
    sim.apply(second(10), med(b, Some(1)));
    // Sent at once at 40 s; merged and sent at 70 s; the timer runs again, so the next waits to 100 s.
    sim.apply(second(40), med(b, Some(3)));
    sim.apply(second(41), med(b, Some(4)));
    sim.apply(second(42), med(b, Some(5)));
    sim.apply(second(75), med(b, Some(6)));
    // A withdrawal does not wait, and what waited goes with it.
    sim.apply(second(101), med(b, Some(7)));
    sim.apply(second(102), BgpChange::Withdraw { speaker: b, prefix: P });
    sim.settle_heard(SettleLimits::default(), &mut times);
    let sent = [(0, true), (40_000, true), (70_000, true), (100_000, true), (102_000, false)];
    assert_eq!(times.0, sent);
    assert_eq!((path(&sim, a), path(&sim, c)), (None, None));
}

#[test]
fn timers_by_prefix_let_other_prefixes_pass_and_timers_by_peer_do_not() {
    let last = |scope| {
        let mut net = Net::new(2);
        let (a, b) = (net.speaker(1, 1), net.speaker(2, 2));
        let session = net.session(a, b, Relation::Plain);
        net.network.sessions[session].sides[0].mrai = Mrai { scope, ..mrai(30) };
        let mut sim = net.sim();
        announce(&mut sim, a);
        let second = Origination { prefix: BgpPrefixId(1), ..origination(a) };
        sim.apply(SimTime(1_000_000_000), BgpChange::Announce(second));
        quiet(&mut sim);
        sim.last_best_change().seconds()
    };
    assert_eq!(last(MraiScope::Prefix), 1.01);
    assert_eq!(last(MraiScope::Peer), 30.01);
}

#[test]
fn withdrawals_wait_if_they_are_told_to() {
    let gone = |withdrawals_wait| {
        let mut net = Net::new(1);
        let (a, b) = (net.speaker(1, 1), net.speaker(2, 2));
        let session = net.session(a, b, Relation::Plain);
        net.network.sessions[session].sides[0].mrai = Mrai { withdrawals_wait, ..mrai(30) };
        let mut sim = net.sim();
        announce(&mut sim, a);
        sim.apply(SimTime(1_000_000_000), BgpChange::Withdraw { speaker: a, prefix: P });
        quiet(&mut sim);
        sim.last_best_change().seconds()
    };
    assert_eq!((gone(false), gone(true)), (1.01, 30.01));
}

#[test]
fn what_arrives_while_a_speaker_works_is_processed_together() {
    let mut net = Net::new(1);
    let (a, b, c) = (net.speaker(1, 1), net.speaker(2, 2), net.speaker(3, 3));
    net.session(a, b, Relation::Plain);
    net.session(b, c, Relation::Plain);
    net.network.speakers[b].processing = SimSpan::from_millis(100);
    let mut sim = net.sim();
    let med = |med| BgpChange::Announce(Origination { med: Some(med), ..origination(a) });
    sim.apply(SimTime(0), med(1));
    sim.apply(SimTime(50_000_000), med(2));
    // Two over the first session, one over the second, 10 + 100 + 10 ms after the first change.
    assert_eq!(quiet(&mut sim), 3);
    assert_eq!(sim.last_best_change(), SimTime(120_000_000));
}

/// Local preferences by neighbour for a prefix, as an import policy.
fn prefer(net: &mut Net, value: u32) -> RoutePolicyId {
    let rule = Rule { matches: vec![], sets: vec![Set::LocalPref(value)], then: Verdict::Accept };
    net.policy(vec![rule], Verdict::Accept)
}

/// Origin 0; each other node ranks permitted paths, best first; all else is refused.
fn gadget(lists: &[(u32, &[&[u32]])], tune: impl Fn(&mut Session)) -> (BgpSim, Vec<SpeakerId>) {
    let mut net = Net::new(1);
    let nodes = lists.len() as u32 + 1;
    // AS numbers are shifted by one: 0 is no AS.
    let all: Vec<SpeakerId> = (0..nodes).map(|node| net.speaker(node + 1, node + 1)).collect();
    let mut pairs: Vec<(u32, u32)> = lists
        .iter()
        .flat_map(|(node, paths)| {
            paths.iter().map(|path| (*node.min(&path[0]), *node.max(&path[0])))
        })
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    for (a, b) in pairs {
        let id = net.session(all[a as usize], all[b as usize], Relation::Plain);
        tune(&mut net.network.sessions[id]);
        for (side, (this, far)) in [(a, b), (b, a)].into_iter().enumerate() {
            let list = lists.iter().find(|(node, _)| *node == this);
            let paths = list.map_or(&[][..], |(_, paths)| paths);
            let rules = paths
                .iter()
                .enumerate()
                .filter(|(_, path)| path[0] == far)
                .map(|(place, path)| Rule {
                    matches: vec![Match::PathIs(vec![path.iter().map(|node| node + 1).collect()])],
                    sets: vec![Set::LocalPref(900 - place as u32)],
                    then: Verdict::Accept,
                })
                .collect();
            let policy = net.policy(rules, Verdict::Reject);
            net.network.sessions[id].sides[side].import = vec![policy];
        }
    }
    let mut sim = net.sim();
    announce(&mut sim, all[0]);
    (sim, all)
}

fn node_path(sim: &BgpSim, speaker: SpeakerId) -> Vec<u32> {
    path(sim, speaker).unwrap_or_default().into_iter().map(|asn| asn - 1).collect()
}

const GOOD: [(u32, &[&[u32]]); 4] =
    [(1, &[&[3, 0], &[0]]), (2, &[&[1, 0], &[0]]), (3, &[&[0]]), (4, &[&[3, 0], &[2, 0]])];
const BAD3: [(u32, &[&[u32]]); 3] =
    [(1, &[&[2, 0], &[0]]), (2, &[&[3, 0], &[0]]), (3, &[&[1, 0], &[0]])];
const DISAGREE: [(u32, &[&[u32]]); 2] = [(1, &[&[2, 0], &[0]]), (2, &[&[1, 0], &[0]])];

#[test]
fn a_good_gadget_settles_in_its_one_stable_state() {
    let (mut sim, all) = gadget(&GOOD, |_| {});
    quiet(&mut sim);
    let paths: Vec<Vec<u32>> = all[1..].iter().map(|&node| node_path(&sim, node)).collect();
    assert_eq!(paths, [vec![3, 0], vec![0], vec![0], vec![3, 0]]);
}

#[test]
fn a_bad_gadget_goes_round_and_the_round_is_named() {
    let (mut sim, all) = gadget(&BAD3, |_| {});
    let Settled::Diverged { cycle } = sim.settle(SettleLimits::default()) else {
        panic!("a bad gadget has no stable state");
    };
    // In lock step all three switch in every round: period two rounds of 10 ms.
    assert_eq!(cycle.period, SimSpan::from_millis(20));
    let who: Vec<SpeakerId> = cycle.members.iter().map(|member| member.speaker).collect();
    assert_eq!(who, all[1..]);
    for member in &cycle.members {
        let lengths: Vec<Option<usize>> = member
            .routes
            .iter()
            .map(|route| route.as_ref().map(|route| route.path.len()))
            .collect();
        assert!(lengths == [Some(1), Some(2)] || lengths == [Some(2), Some(1)], "{lengths:?}");
    }
    assert!(sim.counts().updates() < 2_000, "{:?}", sim.counts());
}

#[test]
fn a_network_that_goes_round_in_no_time_is_seen_and_does_not_hang() {
    let (mut sim, _) = gadget(&BAD3, |session| session.delay = SimSpan::ZERO);
    let mut other = sim.clone();
    let stuck = sim.advance(SimTime(1_000_000_000), &mut Deaf);
    assert_eq!(stuck, Advanced::StuckAt(SimTime::ZERO));
    assert!(matches!(other.settle(SettleLimits::default()), Settled::Diverged { .. }));
    // A change at that very instant can still help, and time goes on.
    sim.apply(sim.now(), BgpChange::SessionDown(SessionId(0)));
    assert_eq!(sim.advance(SimTime(1_000_000_000), &mut Deaf), Advanced::Reached);
    assert_eq!(sim.next_time(), None);
}

#[test]
fn a_bad_gadget_with_random_delays_is_said_to_oscillate() {
    let (mut sim, _) = gadget(&BAD3, |session| session.delay_jitter = 0.5);
    let limits = SettleLimits { updates: 20_000, ..SettleLimits::default() };
    let settled = sim.settle(limits);
    let Settled::Oscillating { recurring_states, cycle } = settled else { panic!("{settled:?}") };
    assert!(recurring_states >= 2 && cycle.members.len() == 3, "{recurring_states}");
}

#[test]
fn disagree_circles_in_lock_step_and_settles_with_paced_and_jittered_updates() {
    let (mut sim, _) = gadget(&DISAGREE, |_| {});
    let settled = sim.settle(SettleLimits::default());
    assert!(matches!(settled, Settled::Diverged { .. }), "{settled:?}");
    let (mut sim, all) = gadget(&DISAGREE, |session| {
        session.delay_jitter = 0.5;
        for side in &mut session.sides {
            side.mrai = Mrai { jitter: 0.25, ..mrai(30) };
        }
    });
    quiet(&mut sim);
    let state = (node_path(&sim, all[1]), node_path(&sim, all[2]));
    let stable = [(vec![2, 0], vec![0]), (vec![0], vec![1, 0])];
    assert!(stable.contains(&state), "{state:?}");
}

/// One AS of several routers, each with a neighbour AS outside.
struct As {
    net: Net,
    inside: Vec<SpeakerId>,
}

impl As {
    fn new(routers: u32) -> As {
        let mut net = Net::new(1);
        let inside = (1..=routers).map(|id| net.speaker(100, id)).collect();
        As { net, inside }
    }

    fn mesh(&mut self) {
        for (place, &a) in self.inside.clone().iter().enumerate() {
            for &b in &self.inside.clone()[place + 1..] {
                self.net.session(a, b, Relation::Internal);
            }
        }
    }

    fn outside(&mut self, at: usize, asn: u32, router_id: u32) -> SpeakerId {
        let outside = self.net.speaker(asn, router_id);
        self.net.session(self.inside[at], outside, Relation::Plain);
        outside
    }
}

#[test]
fn the_nearest_exit_wins_and_changes_with_the_igp() {
    // R1 hears a route from R2 (cost 5) and from R3 (cost 10).
    let mut net = As::new(3);
    net.mesh();
    let (r1, r2, r3) = (net.inside[0], net.inside[1], net.inside[2]);
    let near = net.net.link(r1, r2, 5);
    net.net.link(r1, r3, 10);
    let two = net.outside(1, 2, 20);
    let three = net.outside(2, 3, 30);
    let mut sim = net.net.sim();
    announce(&mut sim, two);
    announce(&mut sim, three);
    quiet(&mut sim);
    let exit = |sim: &BgpSim| sim.best(r1, P).map(|route| route.exit);
    assert_eq!(exit(&sim), Some(r2));
    let lost = &sim.explain(r1, P)[1];
    assert_eq!(lost.standing, Standing::LostAt { step: Step::IgpCost, to: 0 });
    for (change, expected) in [
        (BgpChange::IgpCost { link: near, cost: [50, 50] }, r3),
        (BgpChange::IgpCost { link: near, cost: [5, 5] }, r2),
        (BgpChange::IgpLinkDown(near), r3),
        (BgpChange::IgpLinkUp(near), r2),
    ] {
        sim.apply(sim.now(), change.clone());
        quiet(&mut sim);
        assert_eq!(exit(&sim), Some(expected), "{change:?}");
    }
    // R2 is cut off: its session goes, so its route goes, and it reaches nobody inside.
    sim.apply(sim.now(), BgpChange::IgpLinkDown(near));
    quiet(&mut sim);
    assert_eq!(sim.explain(r1, P).len(), 1);
    assert!(!sim.session_is_up(SessionId(0)));
}

#[test]
fn a_cost_change_that_decides_nothing_sends_nothing() {
    let mut net = As::new(3);
    net.mesh();
    let (r1, r2, r3) = (net.inside[0], net.inside[1], net.inside[2]);
    let near = net.net.link(r1, r2, 5);
    net.net.link(r1, r3, 10);
    let two = net.outside(1, 2, 20);
    let mut sim = net.net.sim();
    announce(&mut sim, two);
    quiet(&mut sim);
    let before = sim.counts();
    sim.apply(sim.now(), BgpChange::IgpCost { link: near, cost: [9, 9] });
    assert_eq!(quiet(&mut sim), 0);
    assert_eq!(sim.counts().best_changes, before.best_changes);
    assert_eq!(sim.best(r1, P).and_then(|route| route.igp_cost), Some(9));
}

#[test]
fn an_equal_route_inside_is_not_told_outside_again() {
    // R1 tells R3's route to R4. Then R2's equal one wins by router id: nothing is said to R4.
    let mut net = As::new(3);
    net.mesh();
    let two = net.outside(1, 2, 20);
    let three = net.outside(2, 2, 30);
    let four = net.outside(0, 4, 40);
    let told = SessionId(net.net.network.sessions.len() as u32 - 1);
    let (r1, r2, r3) = (net.inside[0], net.inside[1], net.inside[2]);
    let mut sim = net.net.sim();
    announce(&mut sim, three);
    quiet(&mut sim);
    assert_eq!(sim.best(r1, P).and_then(|route| route.from), Some(r3));
    struct Said(SessionId, usize);
    impl RouteSink for Said {
        fn sent(&mut self, _: SimTime, sent: Sent) {
            self.1 += usize::from(sent.session == self.0);
        }
    }
    let mut said = Said(told, 0);
    announce(&mut sim, two);
    sim.settle_heard(SettleLimits::default(), &mut said);
    assert_eq!(sim.best(r1, P).and_then(|route| route.from), Some(r2));
    assert_eq!(said.1, 0);
    assert_eq!(path(&sim, four), Some(vec![100, 2]));
}

#[test]
fn an_announcement_replaces_the_one_before() {
    // R3 tells 3 4 5, R4 tells 4 5 by its own path: R4 wins. R3 tells a shorter one: R3 wins.
    let mut net = Net::new(1);
    let (r1, r3, r4) = (net.speaker(1, 1), net.speaker(3, 3), net.speaker(4, 4));
    net.session(r1, r3, Relation::Plain);
    net.session(r1, r4, Relation::Plain);
    let mut sim = net.sim();
    let with = |speaker, path: &[u32]| {
        BgpChange::Announce(Origination { path: path.to_vec(), ..origination(speaker) })
    };
    sim.apply(SimTime::ZERO, with(r3, &[8, 9]));
    sim.apply(SimTime::ZERO, with(r4, &[9]));
    quiet(&mut sim);
    assert_eq!(path(&sim, r1), Some(vec![4, 9]));
    sim.apply(sim.now(), with(r3, &[9]));
    quiet(&mut sim);
    assert_eq!(path(&sim, r1), Some(vec![3, 9]));
    // A path that holds the own AS replaces it too, though it is refused.
    sim.apply(sim.now(), with(r3, &[1, 9]));
    quiet(&mut sim);
    assert_eq!(path(&sim, r1), Some(vec![4, 9]));
    assert_eq!(sim.explain(r1, P)[0].standing, Standing::Refused(Refusal::OwnAs));
}

#[test]
fn reflectors_tell_clients_everything_and_others_what_clients_said() {
    // C1 and C2 are clients of R; N1 and N2 are not. No other sessions.
    let who_hears = |announcer: usize| {
        let mut net = As::new(5);
        let [r, c1, c2, n1, n2] = net.inside[..] else { unreachable!() };
        for client in [c1, c2] {
            net.net.session(client, r, Relation::Internal);
            let id = SessionId(net.net.network.sessions.len() as u32 - 1);
            net.net.network.sessions[id].sides[1].relation = Relation::ReflectorClient;
        }
        net.net.session(r, n1, Relation::Internal);
        net.net.session(r, n2, Relation::Internal);
        let outside = net.outside(announcer, 2, 20);
        let inside = net.inside.clone();
        let mut sim = net.net.sim();
        announce(&mut sim, outside);
        quiet(&mut sim);
        let hears: Vec<bool> = inside.iter().map(|&at| sim.best(at, P).is_some()).collect();
        let other = if announcer == 1 { inside[2] } else { inside[1] };
        (hears, sim.best(other, P))
    };
    let (from_reflector, plain) = who_hears(0);
    assert_eq!(from_reflector, [true; 5]);
    assert_eq!(plain.map(|route| (route.originator, route.clusters)), Some((None, vec![])));
    let (from_client, reflected) = who_hears(1);
    assert_eq!(from_client, [true; 5]);
    assert_eq!(reflected.map(|route| (route.originator, route.clusters)), Some((Some(2), vec![1])));
    let (from_other, _) = who_hears(3);
    assert_eq!(from_other, [true, true, true, true, false]);
}

#[test]
fn a_reflected_route_stops_at_its_originator_and_in_its_cluster() {
    // Two reflectors of one cluster, a client of both.
    let mut net = As::new(3);
    let [r1, r2, c] = net.inside[..] else { unreachable!() };
    for reflector in [r1, r2] {
        net.net.network.speakers[reflector].cluster_id = Some(77);
        let id = net.net.session(c, reflector, Relation::Internal);
        net.net.network.sessions[id].sides[1].relation = Relation::ReflectorClient;
    }
    net.net.session(r1, r2, Relation::Internal);
    let outside = net.outside(2, 2, 20);
    let mut sim = net.net.sim();
    announce(&mut sim, outside);
    quiet(&mut sim);
    let standings: Vec<Standing> = sim.explain(r2, P).iter().map(|c| c.standing).collect();
    assert_eq!(standings, [Standing::Best, Standing::Refused(Refusal::ClusterLoop)]);
    // A session without marks between a client's neighbour and the client: the originator refuses.
    let mut net = As::new(4);
    let [a, r1, r2, r3] = net.inside[..] else { unreachable!() };
    let mut client = |of: SpeakerId, who: SpeakerId| {
        let id = net.net.session(who, of, Relation::Internal);
        net.net.network.sessions[id].sides[1].relation = Relation::ReflectorClient;
    };
    client(r1, a);
    client(r2, r1);
    client(r3, r2);
    client(a, r3);
    // The circle is closed in one direction only: a itself tells r3 nothing.
    let silent = net.net.policy(vec![], Verdict::Reject);
    net.net.network.sessions[SessionId(3)].sides[1].export = vec![silent];
    let outside = net.outside(0, 2, 20);
    let mut sim = net.net.sim();
    announce(&mut sim, outside);
    quiet(&mut sim);
    let standings: Vec<Standing> = sim.explain(a, P).iter().map(|c| c.standing).collect();
    assert_eq!(standings, [Standing::Refused(Refusal::Originator), Standing::Best]);
}

#[test]
fn a_route_that_may_not_be_told_takes_back_the_one_told_before() {
    // r hears a customer's route and tells it to its peer; then a policy makes the provider's
    // better: the peer must hear a withdrawal.
    let mut net = Net::new(1);
    let (r, customer, provider, peer) =
        (net.speaker(1, 1), net.speaker(2, 2), net.speaker(3, 3), net.speaker(4, 4));
    net.session(r, customer, Relation::Customer);
    let up = net.session(r, provider, Relation::Provider);
    net.session(r, peer, Relation::Peer);
    let high = prefer(&mut net, 1_000);
    let mut sim = net.sim();
    announce(&mut sim, customer);
    announce(&mut sim, provider);
    quiet(&mut sim);
    assert_eq!(path(&sim, r), Some(vec![2]));
    assert_eq!(path(&sim, peer), Some(vec![1, 2]));
    let set = |import| BgpChange::SetPolicies { session: up, side: 0, import, export: vec![] };
    sim.apply(sim.now(), set(vec![high]));
    quiet(&mut sim);
    assert_eq!(path(&sim, r), Some(vec![3]));
    assert_eq!(path(&sim, peer), None);
    // A leak tells it all the same, and ends.
    sim.apply(sim.now(), BgpChange::Leak { speaker: r, on: true });
    quiet(&mut sim);
    assert_eq!(path(&sim, peer), Some(vec![1, 3]));
    sim.apply(sim.now(), BgpChange::Leak { speaker: r, on: false });
    sim.apply(sim.now(), set(vec![]));
    quiet(&mut sim);
    assert_eq!(path(&sim, peer), Some(vec![1, 2]));
}

#[test]
fn marks_steer_what_neighbours_do() {
    // 1 - 2 - {3, 4}; all plain.
    let heard = |communities: Vec<Community>| {
        let mut net = Net::new(1);
        let all: Vec<SpeakerId> = (1..=4).map(|asn| net.speaker(asn, asn)).collect();
        net.session(all[0], all[1], Relation::Plain);
        net.session(all[1], all[2], Relation::Plain);
        net.session(all[1], all[3], Relation::Plain);
        let mut sim = net.sim();
        let change = Origination { communities, ..origination(all[0]) };
        sim.apply(SimTime::ZERO, BgpChange::Announce(change));
        quiet(&mut sim);
        let pref = sim.best(all[1], P).map(|route| route.local_pref);
        let end = sim.forward(all[3], P).end;
        (pref, path(&sim, all[2]), path(&sim, all[3]), end)
    };
    let plain = Some(vec![2, 1]);
    let origin = ForwardingEnd::Delivered(SpeakerId(0));
    let nowhere = ForwardingEnd::NoRoute(SpeakerId(3));
    assert_eq!(heard(vec![]), (Some(100), plain.clone(), plain.clone(), origin));
    assert_eq!(heard(vec![Community::NoExport]), (Some(100), None, None, nowhere));
    assert_eq!(heard(vec![Community::NoAdvertise]), (Some(100), None, None, nowhere));
    let not_to = Community::NoExportTo { at: 2, to: 4 };
    assert_eq!(heard(vec![not_to]), (Some(100), plain.clone(), None, nowhere));
    let prepend = Community::PrependTo { at: 2, to: 4, times: 2 };
    let longer = Some(vec![2, 2, 2, 1]);
    assert_eq!(heard(vec![prepend]), (Some(100), plain.clone(), longer, origin));
    let wish = Community::LocalPref { at: 2, value: 7 };
    assert_eq!(heard(vec![wish]), (Some(7), plain.clone(), plain.clone(), origin));
    let hole = ForwardingEnd::Blackhole(SpeakerId(3));
    assert_eq!(heard(vec![Community::Blackhole]), (Some(100), plain.clone(), plain, hole));
}

#[test]
fn invalid_origins_are_dropped_or_taken_last() {
    let taken = |validation| {
        let mut net = Net::new(1);
        let (r, good, bad) = (net.speaker(1, 1), net.speaker(2, 2), net.speaker(3, 3));
        net.network.speakers[r].validation = validation;
        net.network.roas.push(Roa { prefix: P, more_specific_levels: 0, asn: 2 });
        net.session(r, good, Relation::Provider);
        net.session(r, bad, Relation::Customer);
        let mut sim = net.sim();
        announce(&mut sim, good);
        announce(&mut sim, bad);
        quiet(&mut sim);
        let standing = sim.explain(r, P)[usize::from(validation != Validation::Ignore)].standing;
        (path(&sim, r), standing)
    };
    let lost = |step, to| Standing::LostAt { step, to };
    assert_eq!(taken(Validation::Ignore), (Some(vec![3]), lost(Step::LocalPref, 1)));
    assert_eq!(taken(Validation::Drop), (Some(vec![2]), Standing::Refused(Refusal::Invalid)));
    assert_eq!(taken(Validation::Depreference), (Some(vec![2]), lost(Step::Validation, 0)));
}

#[test]
fn traffic_takes_the_most_specific_route() {
    // 1 announces the block, 3 hijacks half of it; 2 sits between. Validation stops it.
    let reached = |validation| {
        let mut net = Net::new(2);
        net.network.prefixes[BgpPrefixId(1)].parent = Some(P);
        net.network.roas.push(Roa { prefix: P, more_specific_levels: 0, asn: 1 });
        let (one, two, three) = (net.speaker(1, 1), net.speaker(2, 2), net.speaker(3, 3));
        net.network.speakers[two].validation = validation;
        net.session(one, two, Relation::Plain);
        net.session(two, three, Relation::Plain);
        let mut sim = net.sim();
        announce(&mut sim, one);
        let hijack = Origination { prefix: BgpPrefixId(1), ..origination(three) };
        sim.apply(SimTime::ZERO, BgpChange::Announce(hijack));
        quiet(&mut sim);
        (sim.forward(two, P).end, sim.forward(two, BgpPrefixId(1)).end)
    };
    let (one, three) =
        (ForwardingEnd::Delivered(SpeakerId(0)), ForwardingEnd::Delivered(SpeakerId(2)));
    assert_eq!(reached(Validation::Ignore), (one, three));
    assert_eq!(reached(Validation::Drop), (one, one));
}

#[test]
fn too_many_prefixes_tear_a_session_down_and_it_starts_again() {
    let mut net = Net::new(3);
    let (a, b) = (net.speaker(1, 1), net.speaker(2, 2));
    let session = net.session(a, b, Relation::Plain);
    net.network.sessions[session].sides[1].prefixes_max = Some(2);
    net.network.sessions[session].sides[1].restart = Some(SimSpan::from_seconds(60));
    let mut sim = net.sim();
    for prefix in 0..3 {
        let at = SimTime(u64::from(prefix) * 1_000_000_000);
        let change = Origination { prefix: BgpPrefixId(prefix), ..origination(a) };
        sim.apply(at, BgpChange::Announce(change));
    }
    sim.apply(SimTime(30_000_000_000), BgpChange::Withdraw { speaker: a, prefix: P });
    #[derive(Default)]
    struct Log(Vec<(u64, bool, SessionCause)>);
    impl RouteSink for Log {
        fn session_changed(&mut self, at: SimTime, _: SessionId, up: bool, cause: SessionCause) {
            self.0.push((at.0 / 1_000_000, up, cause));
        }
    }
    let mut log = Log::default();
    sim.advance(SimTime(10_000_000_000), &mut log);
    assert!((0..3).all(|prefix| sim.best(b, BgpPrefixId(prefix)).is_none()));
    sim.settle_heard(SettleLimits::default(), &mut log);
    let limit = SessionCause::PrefixLimit { by: b, held: 3 };
    assert_eq!(log.0, [(2_010, false, limit), (62_010, true, SessionCause::Restart)]);
    let held: Vec<bool> = (0..3).map(|prefix| sim.best(b, BgpPrefixId(prefix)).is_some()).collect();
    assert_eq!(held, [false, true, true]);
}

#[test]
fn a_session_reset_takes_everything_back_and_tells_it_again() {
    let mut net = Net::new(2);
    let chain: Vec<SpeakerId> = (1..=3).map(|asn| net.speaker(asn, asn)).collect();
    let session = net.session(chain[0], chain[1], Relation::Plain);
    net.session(chain[1], chain[2], Relation::Plain);
    let mut sim = net.sim();
    for prefix in 0..2 {
        let change = Origination { prefix: BgpPrefixId(prefix), ..origination(chain[0]) };
        sim.apply(SimTime::ZERO, BgpChange::Announce(change));
    }
    quiet(&mut sim);
    sim.apply(sim.now(), BgpChange::SessionReset(session));
    // Two withdrawals onwards, two announcements again on both sessions.
    assert_eq!(quiet(&mut sim), 6);
    assert_eq!(path(&sim, chain[2]), Some(vec![2, 1]));
    // A message on its way is lost with its session.
    sim.apply(sim.now(), BgpChange::Withdraw { speaker: chain[0], prefix: P });
    sim.apply(sim.now(), BgpChange::SessionDown(session));
    quiet(&mut sim);
    assert_eq!(path(&sim, chain[1]), None);
    sim.apply(sim.now(), BgpChange::SessionUp(session));
    quiet(&mut sim);
    assert_eq!((path(&sim, chain[2]), sim.best(chain[2], BgpPrefixId(1)).is_some()), (None, true));
}

#[test]
fn a_speaker_fails_and_comes_back() {
    let (mut sim, all) = clique(4, Mrai::default(), 0.0);
    sim.apply(sim.now(), BgpChange::SpeakerDown(all[0]));
    quiet(&mut sim);
    assert!(all.iter().all(|&speaker| path(&sim, speaker).is_none()));
    sim.apply(sim.now(), BgpChange::SpeakerUp(all[0]));
    quiet(&mut sim);
    assert!(all[1..].iter().all(|&speaker| path(&sim, speaker) == Some(vec![1])));
}

#[test]
fn zombies_stay_and_blackholes_swallow() {
    let (mut sim, all) = clique(3, Mrai::default(), 0.0);
    let (zombie, other) = (all[1], all[2]);
    sim.apply(sim.now(), BgpChange::Blackhole { speaker: all[0], prefix: P, on: true });
    quiet(&mut sim);
    assert_eq!(sim.forward(other, P).end, ForwardingEnd::Blackhole(all[0]));
    let ignore = BgpChange::IgnoreWithdrawals { speaker: zombie, session: None, on: true };
    sim.apply(sim.now(), ignore);
    sim.apply(sim.now(), BgpChange::Withdraw { speaker: all[0], prefix: P });
    quiet(&mut sim);
    assert_eq!((path(&sim, zombie), path(&sim, other)), (Some(vec![1]), Some(vec![2, 1])));
    // The origin itself takes the zombie's word for no route, as it holds its own AS.
    assert_eq!(path(&sim, all[0]), None);
}

#[test]
fn flaps_suppress_a_route_until_its_penalty_has_decayed() {
    let mut net = Net::new(1);
    let (a, b) = (net.speaker(1, 1), net.speaker(2, 2));
    net.session(a, b, Relation::Plain);
    net.network.speakers[b].damping = Some(Damping {
        withdrawal_penalty: 1000.0,
        change_penalty: 500.0,
        suppress_above: 2000.0,
        reuse_below: 750.0,
        half_life: SimSpan::from_seconds(900),
        max_suppress: SimSpan::from_seconds(3600),
    });
    let mut sim = net.sim();
    let second = |s: u64| SimTime::ZERO.after(SimSpan::from_seconds(s));
    for flap in 0..3 {
        sim.apply(second(20 * flap), BgpChange::Announce(origination(a)));
        sim.apply(second(20 * flap + 10), BgpChange::Withdraw { speaker: a, prefix: P });
    }
    sim.apply(second(60), BgpChange::Announce(origination(a)));
    sim.advance(second(70), &mut Deaf);
    assert_eq!(path(&sim, b), None);
    assert_eq!(sim.explain(b, P)[0].standing, Standing::Refused(Refusal::Damped));
    quiet(&mut sim);
    assert_eq!(path(&sim, b), Some(vec![1]));
    // 1000 at 10.01, 30.01 and 50.01 s; 750 is left after log2(penalty / 750) half-lives.
    let decay = |seconds: f64| math::powf(2.0, -seconds / 900.0);
    let penalty = 1000.0 * (1.0 + decay(20.0) + decay(40.0));
    let expected = 50.01 + 900.0 * math::ln(penalty / 750.0) / std::f64::consts::LN_2;
    let reused = sim.last_best_change().seconds();
    assert!((reused - expected).abs() < 1e-6, "{reused} {expected}");
}

#[test]
fn another_session_never_shifts_the_draws_of_the_rest() {
    let times = |extra: bool| {
        let mut net = Net::new(1);
        let (a, b, c) = (net.speaker(1, 1), net.speaker(2, 2), net.speaker(3, 3));
        if extra {
            let id = net.session(a, c, Relation::Plain);
            net.network.sessions[id].id = "another".to_owned();
        }
        let id = net.session(a, b, Relation::Plain);
        net.network.sessions[id].id = "same".to_owned();
        for session in net.network.sessions.rows_mut() {
            session.delay_jitter = 1.0;
        }
        let mut sim = net.sim();
        struct At(SpeakerId, Option<SimTime>);
        impl RouteSink for At {
            fn best_changed(&mut self, at: SimTime, speaker: SpeakerId, _: BgpPrefixId) {
                if speaker == self.0 {
                    self.1.get_or_insert(at);
                }
            }
        }
        announce(&mut sim, a);
        let mut at = At(b, None);
        sim.settle_heard(SettleLimits::default(), &mut at);
        at.1
    };
    assert!(times(true).is_some());
    assert_eq!(times(true), times(false));
}

/// RFC 3345, type I: one AS with two clusters; MED compared by neighbour AS has no stable state.
fn med_oscillation(always_compare_med: bool) -> (BgpSim, [SpeakerId; 2]) {
    let mut net = As::new(5);
    let [a, d, b, c, e] = net.inside[..] else { unreachable!() };
    net.net.network.decision.always_compare_med = always_compare_med;
    for (client, reflector, cost) in [(b, a, 5), (c, a, 4), (e, d, 12)] {
        let id = net.net.session(client, reflector, Relation::Internal);
        net.net.network.sessions[id].sides[1].relation = Relation::ReflectorClient;
        net.net.link(client, reflector, cost);
    }
    net.net.session(a, d, Relation::Internal);
    net.net.link(a, d, 1);
    let mut changes = Vec::new();
    for (at, asn, med, id) in [(2, 10, 10, 20), (3, 6, 1, 30), (4, 6, 0, 40)] {
        let outside = net.outside(at, asn, id);
        changes.push(Origination { med: Some(med), ..origination(outside) });
    }
    let mut sim = net.net.sim();
    for change in changes {
        sim.apply(SimTime::ZERO, BgpChange::Announce(change));
    }
    (sim, [a, d])
}

#[test]
fn med_by_neighbour_goes_round_between_two_clusters() {
    let (mut sim, reflectors) = med_oscillation(false);
    let Settled::Diverged { cycle } = sim.settle(SettleLimits::default()) else {
        panic!("RFC 3345 type I has no stable state");
    };
    let moving: Vec<SpeakerId> = cycle.members.iter().map(|member| member.speaker).collect();
    assert!(reflectors.iter().all(|reflector| moving.contains(reflector)), "{moving:?}");
    let (mut sim, [a, d]) = med_oscillation(true);
    quiet(&mut sim);
    let exits = [a, d].map(|at| sim.best(at, P).map(|route| route.exit));
    assert_eq!(exits, [Some(SpeakerId(4)); 2]);
}

/// The stable states of a gadget as lists of digits, in the order of nodes.
fn stable(lists: &[(u32, &[&[u32]])]) -> (Vec<Vec<Vec<u32>>>, bool) {
    let (mut sim, _) = gadget(lists, |_| {});
    let _ = sim.settle(SettleLimits::default());
    let found = sim.stable_states(P, 100_000);
    let digits = |route: &Option<RouteView>| {
        let path = route.as_ref().map(|route| route.path.clone()).unwrap_or_default();
        path.into_iter().map(|asn| asn - 1).collect::<Vec<u32>>()
    };
    let mut states: Vec<Vec<Vec<u32>>> =
        found.stable.iter().map(|state| state[1..].iter().map(digits).collect()).collect();
    states.sort();
    (states, found.complete)
}

#[test]
fn no_stable_state_is_told_from_two_between_which_timing_decides() {
    assert_eq!(stable(&BAD3), (vec![], true));
    let two = vec![vec![vec![0], vec![1, 0]], vec![vec![2, 0], vec![0]]];
    assert_eq!(stable(&DISAGREE), (two, true));
    let one = vec![vec![vec![3, 0], vec![0], vec![0], vec![3, 0]]];
    assert_eq!(stable(&GOOD), (one.clone(), true));
    // 3 prefers the way over 4: still one stable state; 4 prefers the way over 2 as well: none.
    let mut naughty = GOOD;
    naughty[2].1 = &[&[4, 2, 0], &[0]];
    assert_eq!(stable(&naughty), (one, true));
    naughty[3].1 = &[&[2, 0], &[3, 0]];
    assert_eq!(stable(&naughty), (vec![], true));
}

/// What a chain 1 - 2 - 3 hears at its end if 2 imports from 1 by `import` and exports to 3 by
/// `export`.
fn through(import: Vec<Rule>, export: Vec<Rule>, route: Origination) -> Option<RouteView> {
    let mut net = Net::new(2);
    net.network.prefixes[P].parent = Some(BgpPrefixId(1));
    net.network.roas.push(Roa { prefix: P, more_specific_levels: 0, asn: 9 });
    let all: Vec<SpeakerId> = (1..=3).map(|asn| net.speaker(asn, asn)).collect();
    net.session(all[0], all[1], Relation::Plain);
    net.session(all[1], all[2], Relation::Plain);
    let import = net.policy(import, Verdict::Accept);
    let export = net.policy(export, Verdict::Accept);
    net.network.sessions[SessionId(0)].sides[1].import = vec![import];
    net.network.sessions[SessionId(1)].sides[0].export = vec![export];
    let mut sim = net.sim();
    sim.apply(SimTime::ZERO, BgpChange::Announce(route));
    quiet(&mut sim);
    sim.best(all[2], P)
}

fn rule(matches: Vec<Match>, sets: Vec<Set>, then: Verdict) -> Rule {
    Rule { matches, sets, then }
}

#[test]
fn every_kind_of_match_holds_where_it_should_and_not_elsewhere() {
    // The route is 1 7 8 at speaker 2's import, marked (5, 5), origin 8 where 9 is authorised.
    let mark = Community::Plain(5, 5);
    let route =
        Origination { path: vec![7, 8], communities: vec![mark], ..origination(SpeakerId(0)) };
    let one = BgpPrefixId(1);
    let holds = [
        Match::Prefix(vec![P]),
        Match::Within(vec![one]),
        Match::Within(vec![P]),
        Match::PathIs(vec![vec![4], vec![1, 7, 8]]),
        Match::PathContains(vec![4, 7]),
        Match::PathFrom(vec![1]),
        Match::OriginAs(vec![8]),
        Match::PathLengthMin(3),
        Match::Community(vec![mark, Community::NoExport]),
        Match::Validity(vec![Validity::Invalid]),
        Match::LearnedFrom(vec![Relation::Plain]),
        Match::NeighbourAs(vec![1]),
        Match::Not(Box::new(Match::Own)),
    ];
    let fails = [
        Match::Prefix(vec![one]),
        Match::Within(vec![]),
        Match::PathIs(vec![vec![7, 8]]),
        Match::PathContains(vec![2]),
        Match::PathFrom(vec![7]),
        Match::OriginAs(vec![1, 7]),
        Match::PathLengthMin(4),
        Match::Community(vec![Community::NoExport]),
        Match::Validity(vec![Validity::Valid, Validity::Unknown]),
        Match::LearnedFrom(vec![Relation::Customer]),
        Match::NeighbourAs(vec![3]),
        Match::Own,
    ];
    let passes = |test: Match| {
        let refuse = rule(vec![test], vec![], Verdict::Reject);
        through(vec![refuse], vec![], route.clone()).is_some()
    };
    assert!(holds.iter().all(|test| !passes(test.clone())));
    assert!(fails.iter().all(|test| passes(test.clone())));
    // All matches of a rule must hold; on export the path is without the own AS, the neighbour is 3.
    let both = vec![Match::PathFrom(vec![1]), Match::PathFrom(vec![2])];
    assert!(through(vec![], vec![rule(both, vec![], Verdict::Reject)], route.clone()).is_some());
    let export = vec![Match::PathFrom(vec![1]), Match::NeighbourAs(vec![3])];
    assert!(through(vec![], vec![rule(export, vec![], Verdict::Reject)], route).is_none());
}

#[test]
fn every_kind_of_change_is_made_in_the_order_of_rules() {
    let mark = |n| Community::Plain(5, n);
    let route = Origination {
        communities: vec![mark(1), mark(2)],
        med: Some(4),
        origin: Origin::Egp,
        prepend: 1,
        ..origination(SpeakerId(0))
    };
    let plain = through(vec![], vec![], route.clone()).unwrap();
    assert_eq!((plain.path, plain.med, plain.origin), (vec![2, 1, 1], None, Origin::Egp));
    assert_eq!(plain.communities, [mark(1), mark(2)]);
    let import = vec![
        rule(vec![], vec![Set::Prepend(2), Set::AddCommunities(vec![mark(3)])], Verdict::Next),
        rule(vec![Match::PathLengthMin(4)], vec![Set::Origin(Origin::Incomplete)], Verdict::Accept),
        rule(vec![], vec![], Verdict::Reject),
    ];
    let export = vec![
        rule(vec![Match::Community(vec![mark(3)])], vec![Set::Med(Some(9))], Verdict::Next),
        rule(vec![], vec![Set::Prepend(1), Set::RemoveCommunities(vec![mark(2)])], Verdict::Accept),
    ];
    let seen = through(import, export, route.clone()).unwrap();
    assert_eq!((seen.path, seen.med), (vec![2, 2, 1, 1, 1, 1], Some(9)));
    assert_eq!((seen.origin, seen.local_pref), (Origin::Incomplete, 100));
    assert_eq!(seen.communities, [mark(1), mark(3)]);
    let clear = rule(vec![], vec![Set::ClearCommunities], Verdict::Accept);
    assert_eq!(through(vec![], vec![clear], route).unwrap().communities, []);
}

#[test]
fn explanations_name_the_policy_and_the_rule() {
    let mut net = Net::new(1);
    let (a, b) = (net.speaker(1, 1), net.speaker(2, 2));
    let session = net.session(a, b, Relation::Plain);
    let other = rule(vec![Match::PathFrom(vec![9])], vec![], Verdict::Accept);
    let refuse = rule(vec![Match::PathFrom(vec![1])], vec![], Verdict::Reject);
    let by_rule = net.policy(vec![other.clone(), refuse], Verdict::Accept);
    let by_default = net.policy(vec![other], Verdict::Reject);
    net.network.sessions[session].sides[1].import = vec![by_rule];
    net.network.speakers[b].path_length_max = Some(3);
    let mut sim = net.sim();
    announce(&mut sim, a);
    quiet(&mut sim);
    let why = |sim: &BgpSim| sim.explain(b, P)[0].standing;
    let refused = |policy, rule| Standing::Refused(Refusal::Policy { policy, rule });
    assert_eq!(why(&sim), refused(by_rule, Some(1)));
    let set = |import| BgpChange::SetPolicies { session, side: 1, import, export: vec![] };
    sim.apply(sim.now(), set(vec![by_default]));
    quiet(&mut sim);
    assert_eq!(why(&sim), refused(by_default, None));
    sim.apply(sim.now(), set(vec![]));
    assert_eq!(quiet(&mut sim), 0);
    assert_eq!(why(&sim), Standing::Best);
    let long = Origination { prepend: 3, ..origination(a) };
    sim.apply(sim.now(), BgpChange::Announce(long));
    quiet(&mut sim);
    assert_eq!(why(&sim), Standing::Refused(Refusal::PathTooLong));
}

#[test]
fn a_circle_is_found_among_many_who_are_at_rest() {
    // So many sessions that the state is hashed at some steps only.
    let mut net = Net::new(2);
    let all: Vec<SpeakerId> = (1..=300).map(|asn| net.speaker(asn, asn)).collect();
    let mut ring = Vec::new();
    for (a, b) in [(0, 1), (0, 2), (0, 3), (1, 2), (2, 3), (1, 3)] {
        ring.push(net.session(all[a], all[b], Relation::Plain));
    }
    for pair in all[3..].windows(2) {
        net.session(pair[0], pair[1], Relation::Plain);
    }
    // Node i (1 to 3) takes the way over the next one, then the direct one, and nothing else.
    for (session, ends) in ring.iter().zip([(0, 1), (0, 2), (0, 3), (1, 2), (2, 3), (1, 3)]) {
        for (side, (this, far)) in [ends, (ends.1, ends.0)].into_iter().enumerate() {
            let next = this % 3 + 1;
            let path = if far == 0 { vec![1] } else { vec![far + 1, 1] };
            let value = if far == 0 { 100 } else { 200 };
            let take =
                rule(vec![Match::PathIs(vec![path])], vec![Set::LocalPref(value)], Verdict::Accept);
            let rules = if this != 0 && (far == 0 || far == next) { vec![take] } else { vec![] };
            let policy = net.policy(rules, Verdict::Reject);
            net.network.sessions[*session].sides[side].import = vec![policy];
        }
    }
    let mut sim = net.sim();
    announce(&mut sim, all[0]);
    let Settled::Diverged { cycle } = sim.settle(SettleLimits::default()) else {
        panic!("three of the speakers never agree");
    };
    assert_eq!(cycle.period, SimSpan::from_millis(20));
    assert!(
        cycle.members.iter().take(3).map(|member| member.speaker).eq(all[1..4].iter().copied())
    );
}

#[test]
fn a_wedgie_stays_wedged_until_the_backup_is_reset() {
    // RFC 4264, 3/4: 0 buys from 4 and, as a backup, from 2; 2 buys from 3; 3 and 4 are peers.
    let mut net = Net::new(1);
    let n: Vec<SpeakerId> = [10, 12, 13, 14].iter().map(|&asn| net.speaker(asn, asn)).collect();
    let [zero, two, three, four] = n[..] else { unreachable!() };
    let primary = net.session(four, zero, Relation::Customer);
    let backup = net.session(two, zero, Relation::Customer);
    net.session(three, two, Relation::Customer);
    net.session(three, four, Relation::Peer);
    let low = prefer(&mut net, 50);
    net.network.sessions[backup].sides[0].import = vec![low];
    net.network.sessions[backup].up = false;
    let mut sim = net.sim();
    announce(&mut sim, zero);
    quiet(&mut sim);
    let mut after = |changes: Vec<BgpChange>| {
        for change in changes {
            sim.apply(sim.now(), change);
            quiet(&mut sim);
        }
        [two, three, four].map(|at| path(&sim, at).unwrap_or_default())
    };
    let primary_used = [vec![13, 14, 10], vec![14, 10], vec![10]];
    assert_eq!(after(vec![BgpChange::SessionUp(backup)]), primary_used);
    let failed = [vec![10], vec![12, 10], vec![13, 12, 10]];
    assert_eq!(after(vec![BgpChange::SessionDown(primary)]), failed);
    let wedged = [vec![10], vec![12, 10], vec![10]];
    assert_eq!(after(vec![BgpChange::SessionUp(primary)]), wedged);
    let reset = vec![BgpChange::SessionDown(backup), BgpChange::SessionUp(backup)];
    assert_eq!(after(reset), primary_used);
    // Both are stable states of the one network.
    assert_eq!(sim.stable_states(P, 100_000).stable.len(), 2);
}

#[test]
fn three_reflectors_that_prefer_each_others_exits_never_settle_and_two_do() {
    let play = |announcers: usize| {
        let mut net = As::new(6);
        let (reflectors, clients) = (net.inside[..3].to_vec(), net.inside[3..].to_vec());
        for i in 0..3 {
            net.net.session(reflectors[i], reflectors[(i + 1) % 3], Relation::Internal);
            let id = net.net.session(clients[i], reflectors[i], Relation::Internal);
            net.net.network.sessions[id].sides[1].relation = Relation::ReflectorClient;
            net.net.link(reflectors[i], clients[i], 5);
            net.net.link(reflectors[i], clients[(i + 1) % 3], 1);
        }
        let outside: Vec<SpeakerId> =
            (0..3).map(|i| net.outside(3 + i, 1 + i as u32, 20 + i as u32)).collect();
        let mut sim = net.net.sim();
        for &speaker in &outside[..announcers] {
            announce(&mut sim, speaker);
        }
        sim.settle(SettleLimits::default())
    };
    assert!(matches!(play(2), Settled::Converged { .. }));
    let three = play(3);
    let Settled::Diverged { cycle } = three else { panic!("{three:?}") };
    let moving: Vec<u32> = cycle.members.iter().map(|member| member.speaker.0).collect();
    assert!([0, 1, 2].iter().all(|reflector| moving.contains(reflector)), "{moving:?}");
}
