//! The direct and the event-driven solver select the same routes: the same best one and the same set
//! of equally good ones in every AS.

// Helpers of tests are tests, too; the lints know only the functions marked as such.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use steerlab_engine::kernel::{Id, SimSpan, SimTime, Stream, StreamKey};
use steerlab_engine::route::bgp::{
    BgpChange, BgpNetwork, BgpPrefix, BgpPrefixId, BgpSim, Community, Mrai, MraiScope, Origin,
    Origination, Relation, Session, SettleLimits, Settled, SpeakerId, plain_side, plain_speaker,
};
use steerlab_engine::route::internet::{
    self, Announcements, AsGraph, Class, NextHop, Seed, Solution, Workspace, generate,
};

/// The first AS number outside the graph.
const OUTSIDE: u32 = 1_000_000;

fn stream(seed: u64) -> Stream {
    Stream::new(StreamKey { seed, replication: 0, purpose: "test", entity: 0 })
}

/// A hierarchy whose peers partly meet over route servers.
fn graph(chance: &mut Stream) -> AsGraph {
    let ases = 6 + chance.below(50) as usize;
    let links = ases + chance.below((ases * (ases - 1) / 4 - ases) as u64) as usize;
    let mut made = generate(ases, links, chance.next_u64()).unwrap();
    for link in &mut made {
        if link.relation == internet::Relation::Peer && chance.below(3) == 0 {
            link.relation = internet::Relation::RouteServer;
        }
    }
    AsGraph::new(&made).unwrap()
}

/// One to four sessions with networks outside, with prepends and wishes.
fn announcements(graph: &AsGraph, chance: &mut Stream) -> Announcements {
    let seeds = (0..1 + chance.below(4) as u32).map(|exit| {
        let at = chance.below(graph.len() as u64) as u32;
        let class = Class::ALL[1 + chance.below(4) as usize];
        let mut seed = Seed::session(at, class, OUTSIDE + exit, chance.below(4) as u16, exit);
        let neighbours = graph.all_neighbours(at);
        let mut any = || neighbours[chance.below(neighbours.len() as u64) as usize];
        let (one, other) = (any(), any());
        match chance.below(6) {
            0 => seed.control.no_export = true,
            1 => seed.control.no_export_to.push(one),
            2 => seed.control.prepend_to.push((other, 1 + chance.below(3) as u16)),
            _ => {}
        }
        seed
    });
    Announcements { seeds: seeds.collect(), ..Announcements::default() }
}

fn relation(of: internet::Relation) -> Relation {
    match of {
        internet::Relation::Customer => Relation::Customer,
        internet::Relation::Peer => Relation::Peer,
        internet::Relation::RouteServer => Relation::RouteServer,
        internet::Relation::Provider => Relation::Provider,
    }
}

/// What the other end is, if this end is `relation` to it.
fn other(relation: Relation) -> Relation {
    match relation {
        Relation::Customer => Relation::Provider,
        Relation::Provider => Relation::Customer,
        same => same,
    }
}

fn class_relation(class: Class) -> Relation {
    match class {
        Class::Customer => Relation::Customer,
        Class::Peer => Relation::Peer,
        Class::RouteServer => Relation::RouteServer,
        Class::Provider => Relation::Provider,
        Class::Own => unreachable!("only sessions here"),
    }
}

fn add_session(
    network: &mut BgpNetwork,
    ends: [SpeakerId; 2],
    relations: [Relation; 2],
    chance: &mut Stream,
) {
    let addresses = ends.map(|end| network.speakers[end].asn);
    let mrai = Mrai {
        interval: SimSpan(chance.below(3) * 1_000_000_000),
        jitter: 0.25,
        scope: MraiScope::Peer,
        withdrawals_wait: chance.below(2) == 0,
    };
    let mut sides =
        [plain_side(relations[0], addresses[0]), plain_side(relations[1], addresses[1])];
    sides.iter_mut().for_each(|side| side.mrai = mrai);
    network.sessions.push(Session {
        id: format!("{}-{}", addresses[0], addresses[1]),
        ends,
        sides,
        delay: SimSpan(1 + chance.below(50_000_000)),
        delay_jitter: 1.0,
        up: true,
    });
}

/// The same network with speakers, one an AS; those of the graph first, by index.
fn speakers(graph: &AsGraph, what: &Announcements, chance: &mut Stream) -> BgpNetwork {
    let mut network = BgpNetwork::default();
    for &asn in graph.asns() {
        network.speakers.push(plain_speaker(format!("AS{asn}"), asn, asn));
    }
    for link in graph.links() {
        let ends = [link.a, link.b].map(|asn| SpeakerId(graph.index_of(asn).unwrap()));
        let they = relation(link.relation);
        add_session(&mut network, ends, [they, other(they)], chance);
    }
    for seed in &what.seeds {
        let asn = seed.path[0];
        let outside = network.speakers.push(plain_speaker(format!("AS{asn}"), asn, asn));
        let they = class_relation(seed.learned);
        add_session(&mut network, [SpeakerId(seed.at), outside], [they, other(they)], chance);
    }
    network.prefixes.push(BgpPrefix { id: "any".to_owned(), parent: None });
    network
}

fn origination(graph: &AsGraph, seed: &Seed, speaker: SpeakerId) -> Origination {
    let at = graph.asn(seed.at);
    let control = &seed.control;
    let mut communities = Vec::new();
    communities.extend(control.no_export.then_some(Community::NoExport));
    let to = |&index: &u32| Community::NoExportTo { at, to: graph.asn(index) };
    communities.extend(control.no_export_to.iter().map(to));
    communities.extend(control.prepend_to.iter().map(|&(index, times)| Community::PrependTo {
        at,
        to: graph.asn(index),
        times: times as u8,
    }));
    Origination {
        speaker,
        prefix: BgpPrefixId(0),
        med: None,
        origin: Origin::Igp,
        communities,
        prepend: seed.path.len() as u8 - 1,
        path: Vec::new(),
        sessions: None,
    }
}

/// AS path and the neighbours that are as good, per AS: as one solver sees it.
type Choice = (Vec<u32>, Vec<u32>);

fn direct(graph: &AsGraph, what: &Announcements) -> Vec<Choice> {
    let solution = Solution::solve(graph, what, &mut Workspace::default()).unwrap();
    let routes = solution.routes(graph, what);
    let choice = |at: u32| {
        let mut path = Vec::new();
        routes.path(at, &mut path);
        let mut equal: Vec<u32> = routes
            .equal_next_hops(at)
            .into_iter()
            .map(|hop| match hop {
                NextHop::As(next) => graph.asn(next),
                NextHop::Seed(seed) => what.seeds[seed].path[0],
                NextHop::Zombie(_) => unreachable!("nothing is wrong here"),
            })
            .collect();
        equal.sort_unstable();
        (path.split_off(1.min(path.len())), equal)
    };
    (0..graph.len() as u32).map(choice).collect()
}

fn by_events(graph: &AsGraph, what: &Announcements, chance: &mut Stream) -> Vec<Choice> {
    let network = Arc::new(speakers(graph, what, chance));
    let mut sim = BgpSim::new(Arc::clone(&network), chance.next_u64(), 0);
    for (number, seed) in what.seeds.iter().enumerate() {
        let speaker = SpeakerId::from_index(graph.len() + number);
        let at = SimTime(chance.below(20_000_000_000));
        sim.apply(at, BgpChange::Announce(origination(graph, seed, speaker)));
    }
    let settled = sim.settle(SettleLimits::default());
    assert!(matches!(settled, Settled::Converged { .. }), "{settled:?}");
    let choice = |index: usize| {
        let speaker = SpeakerId::from_index(index);
        let path = sim.best(speaker, BgpPrefixId(0)).map_or_else(Vec::new, |route| route.path);
        let equal = sim.equally_good(speaker, BgpPrefixId(0));
        let mut equal: Vec<u32> =
            equal.iter().map(|route| network.speakers[route.from.unwrap()].asn).collect();
        equal.sort_unstable();
        (path, equal)
    };
    (0..graph.len()).map(choice).collect()
}

#[test]
fn on_a_thousand_random_hierarchies() {
    let mut several = 0;
    for case in 0..1_000 {
        let mut chance = stream(case);
        let graph = graph(&mut chance);
        let what = announcements(&graph, &mut chance);
        let (one, other) = (direct(&graph, &what), by_events(&graph, &what, &mut chance));
        for (index, (direct, events)) in one.iter().zip(&other).enumerate() {
            assert_eq!(direct, events, "case {case}, AS{}", graph.asn(index as u32));
            several += usize::from(direct.1.len() > 1);
        }
    }
    assert!(several > 1_000, "only {several} sets with more than one route: nothing is tested");
}
