//! Route policies and settings of single sessions, through whole runs. One network: AS 30 buys of
//! AS 10 and AS 20; we (AS 64500) buy of both, of AS 10 at `ams` and of AS 20 at `fra`. Without
//! more, AS 30 has two routes that are equal up to the router id, which is lower for AS 10: its
//! users land at `ams`.

use crate::support::folder::Folder;
use crate::support::program::steerlab;
use crate::support::table::Table;

const NETWORK: &str = "\
format: steerlab-scenario/1
name: terms
seed: 7
horizon: 30min
bucket: 1min
sites:
  - {id: ams, at: [52.37, 4.90], pools: [{id: a, servers: 40, cores: 64}]}
  - {id: fra, at: [50.11, 8.68], pools: [{id: a, servers: 40, cores: 64}]}
neighbours: [{id: north, kind: transit, asn: 10}, {id: south, kind: transit, asn: 20}]
links:
  - {id: ams-north, ends: [ams, north], capacity: 400Gbps, delay: 1ms}
  - {id: fra-south, ends: [fra, south], capacity: 400Gbps, delay: 1ms}
services: [{id: web, cpu: 5ms, request: 1kB, response: 60kB, protocol: http2-tls13}]
prefixes: [{id: main, sites: all}, {id: second, sites: all}]
client_groups: [{id: users, at: [52.37, 4.90], asn: 30}]
demands: [{id: load, clients: all, prefix: main, service: web, rate: 60krps}]
arms: [{id: now, policies: [POLICY]}]
EVENTSrouting:
  model: bgp
  solver: events
  asn: 64500
  as_links: [{customer: 30, provider: 10}, {customer: 30, provider: 20}]
";

/// The network with more lines of `routing`.
fn network(routing: &str) -> String {
    let text = NETWORK.replace("POLICY", "static-anycast").replace("EVENTS", "");
    format!("{text}{routing}")
}

/// Where the users land for `main` in each bucket, and (second, from, to) of each move.
fn landing(name: &str, text: &str) -> (Vec<String>, Vec<(f64, String, String)>) {
    let folder = Folder::new(name);
    folder.write("s.yaml", text);
    steerlab(folder.path(), "run s.yaml --out r --csv csv --no-report").exits(0);
    let table = Table::read(&folder.join("csv/client_groups.csv"));
    let sites = table.select(["landing_site"], ["time_s"]).map(|([site], _)| site.to_owned());
    let moves = Table::read(&folder.join("csv/moves.csv"));
    let moves = moves
        .select(["prefix", "from", "to"], ["time_s"])
        .filter(|([prefix, ..], _)| *prefix == "main")
        .map(|([_, from, to], [at])| (at, from.to_owned(), to.to_owned()))
        .collect();
    (sites.collect(), moves)
}

fn explained(name: &str, text: &str, words: &str) -> String {
    let folder = Folder::new(name);
    folder.write("s.yaml", text);
    let words = format!("explain route s.yaml --client users {words}");
    steerlab(folder.path(), &words).exits(0).stdout
}

#[test]
fn a_provider_that_refuses_by_community_is_not_on_the_way() {
    let (sites, moves) = landing("terms-plain", &network(""));
    assert!(sites.iter().all(|site| site == "ams") && moves.is_empty());
    let policies = "  policies:
    - {id: mark, rules: [{match: {prefix: [main]}, set: {add_communities: [64500:666]}}]}
    - {id: refuse, rules: [{match: {community: [64500:666]}, then: reject}]}
";
    let both = "  sessions:
    - {between: [64500, 10], link: ams-north, export: [mark]}
    - {between: [10, 64500], import: [refuse]}
";
    let text = network(&format!("{policies}{both}"));
    let (sites, moves) = landing("terms-mark", &text);
    assert!(sites.iter().all(|site| site == "fra") && moves.is_empty());
    // Only what carries the mark is refused.
    let second = explained("terms-mark-second", &text, "--prefix second --at 5min");
    assert!(second.contains("users lands at ams over north for second"), "{second}");
    // The mark alone, and the rule alone, refuse nothing.
    for row in both.lines().skip(1) {
        let (sites, _) =
            landing("terms-half", &network(&format!("{policies}  sessions:\n{row}\n")));
        assert!(sites.iter().all(|site| site == "ams"), "{row}");
    }
}

#[test]
fn local_preference_set_on_import_comes_before_the_router_id() {
    // Providers have 100. 101 from AS 20 wins, 100 does not.
    for (preference, site) in [(101, "fra"), (100, "ams")] {
        let text = network(&format!(
            "  policies: [{{id: p, rules: [{{set: {{local_pref: {preference}}}}}]}}]\n  \
             sessions: [{{between: [30, 20], import: [p]}}]\n"
        ));
        let (sites, _) = landing("terms-pref", &text);
        assert!(sites.iter().all(|found| found == site), "{preference}");
    }
    // An override by an event counts on top of the policy while it lasts, and leaves the policy.
    let policy = "  policies: [{id: p, rules: [{set: {local_pref: 101}}]}]\n  \
                  sessions: [{between: [30, 20], import: [p]}]\n";
    let event =
        "events: [{local-pref: {asn: 30, neighbour: 20, value: 50, at: 10min, until: 20min}}]\n";
    let text = NETWORK.replace("POLICY", "static-anycast").replace("EVENTS", event);
    let text = format!("{text}{policy}");
    let (_, moves) = landing("terms-override", &text);
    let moves: Vec<(f64, &str, &str)> =
        moves.iter().map(|(at, from, to)| (at.floor(), from.as_str(), to.as_str())).collect();
    assert_eq!(moves, [(600.0, "fra", "ams"), (1_200.0, "ams", "fra")]);
}

#[test]
fn a_prefix_limit_tears_the_session_down_and_its_users_move() {
    // `second` is announced at `ams` from 10 min (and 5 s for the actuator) to 12 min. AS 10 then
    // hears two prefixes, one more than it takes.
    let script = "scripted: {steps: [{at: 10min, change-announcement: {prefix: second, site: ams}}, \
                  {at: 12min, withdraw: {prefix: second, site: ams}}]}";
    let start = NETWORK.replace("POLICY", script).replace("EVENTS", "");
    let start =
        format!("{start}  announcements: [{{prefix: second, site: ams, announce: false}}]\n");
    let with = |terms: &str| format!("{start}  sessions: [{{between: [10, 64500], {terms}}}]\n");
    let last = |moves: &[(f64, String, String)]| {
        moves.last().map(|(at, _, to)| (at.floor(), to.clone())).unwrap()
    };

    let (_, moves) = landing("terms-limit-two", &with("prefixes_max: 2"));
    assert!(moves.is_empty(), "{moves:?}");

    // For good: AS 30 has AS 20's route left, at `fra`.
    let (_, moves) = landing("terms-limit", &with("prefixes_max: 1"));
    assert_eq!(moves[0].0.floor(), 605.0);
    assert_eq!(moves[0].1, "ams");
    assert_eq!(last(&moves), (605.0, "fra".to_owned()));
    let why = explained("terms-limit-why", &with("prefixes_max: 1"), "--prefix main --at 20min");
    assert!(why.contains("AS30 has one route"), "{why}");

    // With a restart after 5 min there is one prefix again, and the session stays.
    let (_, moves) = landing("terms-restart", &with("prefixes_max: 1, restart: 5min"));
    assert_eq!(last(&moves), (905.0, "ams".to_owned()));
    // After 1 min there are still two: it is torn down again. The next restart finds one.
    let (_, moves) = landing("terms-restarts", &with("prefixes_max: 1, restart: 1min"));
    let to_ams = moves.iter().filter(|(_, _, to)| to == "ams").map(|(at, ..)| at.floor());
    let to_ams: Vec<f64> = to_ams.collect();
    assert_eq!(to_ams.last(), Some(&725.0), "{moves:?}");
}

#[test]
fn a_slow_session_delays_what_it_carries() {
    let event = "events: [{session-down: {link: ams-north, at: 10min}}]\n";
    let text = NETWORK.replace("POLICY", "static-anycast").replace("EVENTS", event);
    let slow = "  sessions: [{between: [10, 30], delay: 20s, delay_jitter: 0}]\n";
    let (_, moves) = landing("terms-fast", &text);
    let fast_end = moves.last().map(|row| row.0).unwrap();
    assert!((600.0..601.0).contains(&fast_end), "{moves:?}");
    // The withdrawal reaches AS 30 20 s later; until then its users' traffic ends at AS 10.
    let (_, moves) = landing("terms-slow", &format!("{text}{slow}"));
    let moves: Vec<(f64, &str)> = moves.iter().map(|row| (row.0.floor(), row.2.as_str())).collect();
    assert_eq!(moves, [(600.0, "blackhole"), (620.0, "fra")]);
}

#[test]
fn the_direct_solver_refuses_what_it_cannot_play() {
    let folder = Folder::new("terms-direct");
    let text = network("  sessions: [{between: [10, 30], prefixes_max: 5}]\n");
    folder.write("s.yaml", text.replace("solver: events", "solver: direct"));
    let finished = steerlab(folder.path(), "validate s.yaml").exits(2);
    assert!(finished.stderr.contains("error[E0426]: `sessions` needs `solver: events`"));
}
