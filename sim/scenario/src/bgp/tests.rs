//! Labs are read whole, and everything that is wrong with one is told in one pass.

use super::{LoadedLab, load_lab};
use crate::testing::{Folder, vocabulary};
use steerlab_engine::kernel::SimTime;
use steerlab_engine::route::bgp::{BgpChange, Community, Match, Relation, Set, SpeakerId, Verdict};

const LAB: &str = "\
format: steerlab-bgp/1
name: small
defaults: {delay: 5ms, mrai: {interval: 30s, jitter: 10%}}
speakers:
  - {id: a, asn: 1, router_id: 10.0.0.1}
  - {id: b, asn: 2, router_id: 10.0.0.2, permitted_paths: [b a, b c a]}
  - {id: c, asn: 3, router_id: 10.0.0.3, validation: drop}
policies:
  - id: mark
    rules:
      - match: {within: [10.0.0.0/8], own: false}
        not: {path_contains: [9]}
        set: {local_pref: 50, med: none, add_communities: [1:2, no-export]}
        then: next
    otherwise: reject
sessions:
  - {ends: [a, b], relation: customer, sides: {b: {import: [mark]}}}
  - {ends: [b, c], mrai: 5s}
  - {ends: [a, c], delay: 1ms}
prefixes:
  - {id: 10.0.0.0/8}
  - {id: 10.1.0.0/16, within: 10.0.0.0/8}
roas:
  - {prefix: 10.0.0.0/8, asn: 1}
announce:
  - {speaker: a, prefix: 10.0.0.0/8, prepend: 2, sessions: [a-b]}
timeline:
  - fail: {session: a-b, at: 10s, until: 20s}
  - withdraw: {speaker: a, prefix: 10.0.0.0/8, at: 5s}
expect:
  outcome: converged
  stable_states: {prefix: 10.0.0.0/8, states: [{b: b a, c: none}]}
  seeds: {count: 3, reached: [0]}
  moments:
    - {prefix: 10.0.0.0/8, best: {b: {via: a, as_path: 1 1 1}}, forward: {b: {ends: loop}}}
";

fn load(name: &str, text: &str, sets: &[(&str, &str)]) -> LoadedLab {
    let folder = Folder::new(name);
    let path = folder.write("lab.yaml", text.as_bytes());
    let sets: Vec<(String, String)> =
        sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    load_lab(&path, &sets, &vocabulary())
}

#[test]
fn a_lab_is_read_whole() {
    let loaded = load("bgp-whole", LAB, &[]);
    let lab = loaded.lab.unwrap_or_else(|| panic!("{:?}", loaded.findings.diagnostics));
    let network = &lab.network;
    assert_eq!(network.speakers.rows()[1].router_id, 0x0a00_0002);
    let first = &network.sessions.rows()[0];
    assert_eq!(first.id, "a-b");
    assert_eq!(first.sides[0].relation, Relation::Customer);
    assert_eq!(first.sides[1].relation, Relation::Provider);
    assert_eq!(first.sides[1].import.len(), 2, "its own and the permitted paths");
    assert_eq!(first.delay.0, 5_000_000);
    assert_eq!(first.sides[0].mrai.jitter, 0.1);
    assert_eq!(network.sessions.rows()[1].sides[0].mrai.interval.0, 5_000_000_000);
    let rule = &network.policies.rows()[0].rules[0];
    assert_eq!(rule.then, Verdict::Next);
    assert_eq!(rule.matches.len(), 3);
    assert_eq!(rule.matches[2], Match::Not(Box::new(Match::PathContains(vec![9]))));
    let marks = vec![Community::NoExport, Community::Plain(1, 2)];
    let sets = [Set::AddCommunities(marks), Set::LocalPref(50), Set::Med(None)];
    assert_eq!(rule.sets, sets);
    let permitted = &network.policies.rows()[1];
    assert_eq!(permitted.otherwise, Verdict::Reject);
    assert_eq!(permitted.rules[1].matches, [Match::PathIs(vec![vec![3, 1]])]);
    let times: Vec<u64> = lab.steps.iter().map(|step| step.at.0 / 1_000_000_000).collect();
    assert_eq!(times, [0, 5, 10, 20]);
    assert!(matches!(lab.steps[3].change, BgpChange::SessionUp(_)));
    assert_eq!(lab.expect.moments[0].best[0].0, SpeakerId(1));
    assert_eq!(lab.steps[0].at, SimTime::ZERO);
}

#[test]
fn a_value_can_be_replaced_from_the_command_line() {
    let loaded = load("bgp-set", LAB, &[("defaults.mrai", "7s"), ("sessions.0.delay", "9ms")]);
    let lab = loaded.lab.unwrap();
    let first = &lab.network.sessions.rows()[0];
    assert_eq!((first.sides[0].mrai.interval.0, first.delay.0), (7_000_000_000, 9_000_000));
}

#[test]
fn everything_wrong_is_told_in_one_pass() {
    let text = LAB
        .replace("ends: [b, c]", "ends: [b, x]")
        .replace("router_id: 10.0.0.3", "router_id: 10.0.0.1")
        .replace("add_communities: [1:2, no-export]", "add_communities: [1:2:3]")
        .replace("relation: customer", "relation: ibgp")
        .replace("as_path: 1 1 1", "as_path: 1-1")
        .replace("until: 20s", "until: 9s")
        .replace("reached: [0]", "reached: [1]")
        .replace("path_contains: [9]", "path_contain: [9]");
    let loaded = load("bgp-wrong", &text, &[]);
    assert!(loaded.lab.is_none());
    let found: Vec<(&str, u32)> =
        loaded.findings.diagnostics.iter().map(|finding| (finding.code, finding.line())).collect();
    let wanted = [
        ("E0302", 7),
        ("E0101", 12),
        ("E0201", 13),
        ("E0403", 17),
        ("E0301", 18),
        ("E0406", 28),
        ("E0301", 33),
        ("E0201", 35),
    ];
    assert_eq!(found, wanted);
    assert!(loaded.findings.diagnostics.iter().all(|finding| !finding.help.is_empty()));
}

#[test]
fn whatever_is_replaced_by_nonsense_is_refused_without_a_panic() {
    for (line, text) in LAB.lines().enumerate() {
        let Some((key, _)) = text.split_once(':') else { continue };
        let mut lines: Vec<String> = LAB.lines().map(str::to_owned).collect();
        for nonsense in ["[5]", "{x: 1}", "-1", "''", "[[]]"] {
            lines[line] = format!("{key}: {nonsense}");
            let _whatever = load("bgp-nonsense", &(lines.join("\n") + "\n"), &[]);
        }
        lines.remove(line);
        let _whatever = load("bgp-nonsense", &(lines.join("\n") + "\n"), &[]);
    }
    for path in ["speakers", "sessions", "prefixes", "policies", "expect", "timeline", "announce"] {
        let _whatever = load("bgp-nonsense", LAB, &[(path, "5")]);
    }
    let speakers = LAB
        .replace("{id: a, asn: 1, router_id: 10.0.0.1}", "5")
        .replace("{id: b, asn: 2, router_id: 10.0.0.2, permitted_paths: [b a, b c a]}", "6")
        .replace("{id: c, asn: 3, router_id: 10.0.0.3, validation: drop}", "7");
    assert!(load("bgp-nobody", &speakers, &[]).lab.is_none());
}
