//! Gadgets whose stable states are known (Griffin, Shepherd and Wilfong 2002).

use super::{Situation, StableLimits, StableState, TooLarge, stable_states};
use crate::kernel::Table;
use crate::route::bgp::model::{
    BgpNetwork, BgpPrefix, BgpPrefixId, Match, Origination, Relation, RoutePolicy, RoutePolicyId,
    Rule, Session, SessionSide, Set, SpeakerId, Verdict,
};
use crate::route::bgp::{plain_side, plain_speaker};

/// A network of ASes in which each node takes only the paths listed, best first, as digits. AS 9
/// is node 0.
fn gadget(lists: &[(u32, &[&str])], edges: &[(u32, u32)]) -> Situation {
    let nodes = edges.iter().flat_map(|&(a, b)| [a, b]).max().unwrap() + 1;
    let asn = |node: u32| if node == 0 { 9 } else { node };
    let mut network = BgpNetwork {
        speakers: (0..nodes).map(|node| plain_speaker(node.to_string(), asn(node), node)).collect(),
        prefixes: Table::filled(1, BgpPrefix { id: "p".into(), parent: None }),
        ..BgpNetwork::default()
    };
    for (node, list) in lists {
        let rules = (0..).zip(*list).map(|(rank, path)| {
            let hops = path.chars().skip(1).map(|c| asn(c.to_digit(10).unwrap())).collect();
            Rule {
                matches: vec![Match::PathIs(vec![hops])],
                sets: vec![Set::LocalPref(1000 - rank)],
                then: Verdict::Accept,
            }
        });
        let id = format!("permitted-{node}");
        let rules = rules.collect();
        network.policies.push(RoutePolicy { id, rules, otherwise: Verdict::Reject });
    }
    let policy = |node: u32| {
        let at = lists.iter().position(|(listed, _)| *listed == node);
        at.map(|at| vec![RoutePolicyId(at as u32)]).unwrap_or_default()
    };
    let side =
        |node: u32| SessionSide { import: policy(node), ..plain_side(Relation::Plain, node) };
    let sessions: Vec<Session> = edges
        .iter()
        .map(|&(a, b)| Session {
            id: format!("{a}-{b}"),
            ends: [SpeakerId(a), SpeakerId(b)],
            sides: [side(a), side(b)],
            delay: crate::kernel::SimSpan::from_millis(10),
            delay_jitter: 0.0,
            up: true,
        })
        .collect();
    network.sessions = sessions.into_iter().collect();
    let origination = Origination::plain(SpeakerId(0), BgpPrefixId(0));
    Situation { network, originations: vec![origination], ..Situation::default() }
}

fn states(situation: &Situation) -> Vec<String> {
    let found = stable_states(situation, BgpPrefixId(0), StableLimits::default()).unwrap();
    let digits = |path: &Option<Vec<SpeakerId>>| match path {
        Some(path) => path.iter().map(|hop| hop.0.to_string()).collect::<String>(),
        None => "-".to_owned(),
    };
    let line =
        |state: &StableState| state.paths[1..].iter().map(digits).collect::<Vec<_>>().join(" ");
    found.iter().map(line).collect()
}

const FIVE: [(u32, u32); 7] = [(1, 0), (2, 0), (3, 0), (1, 3), (2, 1), (3, 4), (4, 2)];

#[test]
fn gadgets_have_the_states_they_are_known_for() {
    let good: &[(u32, &[&str])] =
        &[(1, &["130", "10"]), (2, &["210", "20"]), (3, &["30"]), (4, &["430", "420"])];
    assert_eq!(states(&gadget(good, &FIVE)), ["130 20 30 430"]);
    let naughty: &[(u32, &[&str])] =
        &[(1, &["130", "10"]), (2, &["210", "20"]), (3, &["3420", "30"]), (4, &["430", "420"])];
    assert_eq!(states(&gadget(naughty, &FIVE)), ["130 20 30 430"]);
    let bad: &[(u32, &[&str])] =
        &[(1, &["130", "10"]), (2, &["210", "20"]), (3, &["3420", "30"]), (4, &["420", "430"])];
    assert_eq!(states(&gadget(bad, &FIVE)), Vec::<String>::new());
    let disagree: &[(u32, &[&str])] = &[(1, &["120", "10"]), (2, &["210", "20"])];
    let edges = [(1, 0), (2, 0), (1, 2)];
    assert_eq!(states(&gadget(disagree, &edges)), ["10 210", "120 20"]);
}

#[test]
fn what_is_too_large_is_said_to_be() {
    let edges: Vec<(u32, u32)> = (0..9).flat_map(|a| (0..a).map(move |b| (a, b))).collect();
    let mesh = gadget(&[], &edges);
    let few = StableLimits { candidates: 1_000, steps: 1_000 };
    let answer = stable_states(&mesh, BgpPrefixId(0), few);
    assert_eq!(answer, Err(TooLarge::Candidates(1_000)));
    let small = gadget(&[(1, &["120", "10"]), (2, &["210", "20"])], &[(1, 0), (2, 0), (1, 2)]);
    let none = StableLimits { candidates: 1_000, steps: 1 };
    assert_eq!(stable_states(&small, BgpPrefixId(0), none), Err(TooLarge::Steps(1)));
}
