//! Recorded announcements, played: the hijack of a video platform's block on 2008-02-24, as the
//! peers of RIPE's collectors saw it. What must come out is worked out here from the recording
//! itself, without our reader.

use crate::support::data;
use crate::support::folder::Folder;
use crate::support::program::{Program, steerlab};
use crate::support::table::Table;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

const RECORDING: &str = "bgp-events/youtube-pakistan-20080224.bgplay.json";
const BLOCK: &str = "208.65.153.0/24";
const HALVES: [&str; 2] = ["208.65.153.0/25", "208.65.153.128/25"];
const VICTIM: u64 = 36_561;
const HIJACKER: u64 = 17_557;

/// A row of the recording.
struct Row {
    time: String,
    source: String,
    prefix: String,
    /// None: withdrawn.
    path: Option<Vec<u64>>,
}

/// The recording, read anew: AS number and address of each source, rows in order of time.
struct Recording {
    sources: BTreeMap<String, (u64, Ipv4Addr)>,
    rows: Vec<Row>,
}

fn recording(text: &str) -> Recording {
    let whole: Value = serde_json::from_str(text).unwrap();
    let data = &whole["data"];
    let row = |time: &Value, attrs: &Value, withdrawn: bool| Row {
        time: time.as_str().unwrap().to_owned(),
        source: attrs["source_id"].as_str().unwrap().to_owned(),
        prefix: attrs["target_prefix"].as_str().unwrap().to_owned(),
        path: (!withdrawn).then(|| {
            attrs["path"].as_array().unwrap().iter().map(|asn| asn.as_u64().unwrap()).collect()
        }),
    };
    let list = |key: &str| data[key].as_array().unwrap().clone();
    let held = list("initial_state");
    let mut rows: Vec<Row> =
        held.iter().map(|entry| row(&data["query_starttime"], entry, false)).collect();
    let events = list("events");
    let later = events.iter().map(|e| row(&e["timestamp"], &e["attrs"], e["type"] == "W"));
    rows.extend(later);
    rows.sort_by(|a, b| a.time.cmp(&b.time));
    let source = |entry: &Value| {
        let address = entry["ip"].as_str().unwrap().parse().unwrap();
        (entry["id"].as_str().unwrap().to_owned(), (entry["as_number"].as_u64().unwrap(), address))
    };
    Recording { sources: list("sources").iter().map(source).collect(), rows }
}

/// Seconds of the day of `2008-02-24T18:47:53`.
fn second(time: &str) -> u64 {
    let part = |at: usize| time[at..at + 2].parse::<u64>().unwrap();
    part(11) * 3_600 + part(14) * 60 + part(17)
}

impl Recording {
    /// What the best route to a block was over time for somebody who hears all sources: the
    /// shortest path, then the lowest address. (second since the first row, path).
    fn best(&self, prefix: &str) -> Vec<(u64, Option<Vec<u64>>)> {
        let start = second(&self.rows[0].time);
        let mut held: BTreeMap<&str, &Vec<u64>> = BTreeMap::new();
        let mut moves = Vec::new();
        let mut last: Option<(&str, &Vec<u64>)> = None;
        for instant in self.rows.chunk_by(|a, b| a.time == b.time) {
            for row in instant.iter().filter(|row| row.prefix == prefix) {
                match &row.path {
                    Some(path) => held.insert(&row.source, path),
                    None => held.remove(row.source.as_str()),
                };
            }
            let best = held.iter().min_by_key(|(id, path)| (path.len(), self.sources[**id].1));
            let best = best.map(|(&id, &path)| (id, path));
            if best != last {
                moves.push((second(&instant[0].time) - start, best.map(|(_, path)| path.clone())));
                last = best;
            }
        }
        moves
    }

    /// Seconds at which the number of sources with a path that ends at `origin` reaches `enough`
    /// first, and falls below it last.
    fn followed(&self, prefix: &str, origin: u64, enough: usize) -> (u64, u64) {
        let start = second(&self.rows[0].time);
        let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
        let (mut first, mut last, mut was) = (None, 0, false);
        for instant in self.rows.chunk_by(|a, b| a.time == b.time) {
            for row in instant.iter().filter(|row| row.prefix == prefix) {
                match &row.path {
                    Some(path) => ends.insert(&row.source, *path.last().unwrap()),
                    None => ends.remove(row.source.as_str()),
                };
            }
            let is = ends.values().filter(|end| **end == origin).count() >= enough;
            let now = second(&instant[0].time) - start;
            if is {
                first = first.or(Some(now));
            } else if was {
                last = now;
            }
            was = is;
        }
        (first.unwrap(), last)
    }
}

/// A folder with the recording as updates, and the recording read here.
fn prepared(name: &str) -> Option<(Folder, Recording)> {
    let file = data(RECORDING)?;
    let folder = Folder::new(name);
    let words = ["--out", "routes.csv", "--updates", "updates.csv"];
    Program::new(folder.path()).args(["import", "bgplay"]).args([&file]).args(words).exits(0);
    let text = std::fs::read_to_string(file).unwrap();
    Some((folder, recording(&text)))
}

const LAB: &str = "\
format: steerlab-bgp/1
name: hijack
speakers: [{id: observer, asn: 64500}, {id: stub, asn: 64501}]
sessions: [{ends: [observer, stub], relation: customer}]
prefixes:
  - {id: 208.65.152.0/22}
  - {id: 208.65.153.0/24, within: 208.65.152.0/22}
  - {id: 208.65.153.0/25, within: 208.65.153.0/24}
  - {id: 208.65.153.128/25, within: 208.65.153.0/24}
replay: {file: updates.csv, to: observer}
expect:
  outcome: converged
  moments:
    - {at: 2min, prefix: 208.65.153.0/24, best: {observer: none}, forward: {stub: {ends: delivered}}}
    - {at: 10min, prefix: 208.65.153.0/24, best: {stub: {as_path: 64500 2857 3491 17557}}}
    - {at: 85min, prefix: 208.65.153.0/24, best: {observer: {as_path: 3549 36561}}}
    - {at: 95min, prefix: 208.65.153.0/25, best: {observer: {as_path: 3549 36561}}}
";

/// (second, path) of each move to a block, as the program tells them.
fn moves(answer: &Value, prefix: &str) -> Vec<(u64, Option<Vec<u64>>)> {
    let rows = answer["replay"]["moves"].as_array().unwrap().iter();
    let rows = rows.filter(|row| row["prefix"] == prefix);
    let path = |row: &Value| {
        let asns = row["to_path"].as_array()?.iter();
        Some(asns.map(|asn| asn.as_u64().unwrap()).collect())
    };
    rows.map(|row| (row["at_ns"].as_u64().unwrap() / 1_000_000_000, path(row))).collect()
}

#[test]
fn an_observer_follows_the_recorded_hijack_second_by_second() {
    let Some((folder, recording)) = prepared("replay-lab") else { return };
    // What is known of the day, read from the recording here.
    let first = |prefix: &str, origin: u64| {
        let by = |row: &&Row| {
            row.prefix == prefix && row.path.as_ref().is_some_and(|p| p.last() == Some(&origin))
        };
        recording.rows.iter().find(by).unwrap().time[11..].to_owned()
    };
    assert_eq!(first(BLOCK, HIJACKER), "18:47:53");
    assert_eq!(first(BLOCK, VICTIM), "20:07:25");
    assert_eq!(HALVES.map(|half| first(half, VICTIM)), ["20:18:43", "20:18:43"]);
    let mut addresses: Vec<Ipv4Addr> = recording.sources.values().map(|peer| peer.1).collect();
    addresses.sort();
    assert!(addresses.is_sorted_by(|a, b| a < b), "the lowest address decides every tie");

    folder.write("lab.yaml", LAB);
    let finished = steerlab(folder.path(), "bgp lab.yaml --format json").exits(0);
    let answer: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(answer["expectations_unmet"], 0);
    assert_eq!(answer["replay"]["peers"], 111);
    assert_eq!(answer["replay"]["routes_held"], 110);
    assert_eq!(answer["replay"]["updates"], 484);
    for prefix in ["208.65.152.0/22", BLOCK, HALVES[0], HALVES[1]] {
        assert_eq!(moves(&answer, prefix), recording.best(prefix), "{prefix}");
    }
    // Whose block the observer takes it for, over time.
    let mut origins: Vec<(u64, u64)> = Vec::new();
    for (at, path) in moves(&answer, BLOCK) {
        let origin = *path.unwrap().last().unwrap();
        if origins.last().is_none_or(|last| last.1 != origin) {
            origins.push((at, origin));
        }
    }
    assert_eq!(origins, [(173, HIJACKER), (4_945, VICTIM)]);
    // The recorded peers are not in the tables; what they hold is the recording.
    assert_eq!(answer["routes"].as_array().unwrap().len(), 2 * 4);

    let text = steerlab(folder.path(), "bgp lab.yaml").exits(0).stdout;
    assert!(text.contains("recorded: 111 peers, 110 routes held at 2008-02-24T18:45:00Z"));
    let row = "2857 3491 17557         3549 36561  lost at path-length to AS3549-208.51.134.248";
    assert!(text.contains("2008-02-24T20:07:25Z") && text.contains(row), "{text}");

    // A part of the recording: only what one peer said, from the time of the hijack on.
    let part = LAB.split("expect:").next().unwrap();
    let part = part.replace("to: observer", "to: observer, peers: [2497], from: 10min, at: 1min");
    folder.write("part.yaml", part);
    let finished = steerlab(folder.path(), "bgp part.yaml --format json").exits(0);
    let answer: Value = serde_json::from_str(&finished.stdout).unwrap();
    let first = &moves(&answer, BLOCK)[0];
    assert_eq!(*first, (0, Some(vec![2_497, 3_491, HIJACKER])));
}

const SCENARIO: &str = "\
format: steerlab-scenario/1
name: hijack
seed: 7
horizon: 140min
bucket: 1min
sites: [{id: sfo, at: [37.62, -122.38], pools: [{id: a, servers: 40, cores: 64}]}]
neighbours: [{id: one, kind: transit, asn: 3549}, {id: two, kind: transit, asn: 1239}]
links:
  - {id: sfo-one, ends: [sfo, one], capacity: 400Gbps, delay: 1ms}
  - {id: sfo-two, ends: [sfo, two], capacity: 400Gbps, delay: 1ms}
services: [{id: web, cpu: 5ms, request: 1kB, response: 60kB, protocol: http2-tls13}]
prefixes: [{id: video, sites: all}]
client_groups:
  - {id: near, at: [37.62, -122.38], asn: 3549}
  - {id: validating, at: [40.71, -74.01], asn: 1239}
demands: [{id: load, clients: all, prefix: video, service: web, rate: 60krps}]
routing:
  model: bgp
  solver: events
  asn: 36561
  as_links:
    - {customer: 17557, provider: 3491}
    - {peers: [3491, 3549]}
    - {peers: [3491, 1239]}
    - {peers: [3549, 1239]}
  roas: [{prefix: video, asn: 36561}]
  validators: [{asn: 1239}]
  replay:
    file: updates.csv
    blocks: [{block: 208.65.153.0/24, prefix: video, more_specific: true}]
arms: [{id: now, policies: [static-anycast]}]
";

#[test]
fn users_are_lost_for_as_long_as_the_recording_shows_the_hijacker() {
    let Some((folder, recording)) = prepared("replay-run") else { return };
    // 5 % of 111 peers are six peers.
    let (begins, ends) = recording.followed(BLOCK, HIJACKER, 6);
    assert_eq!((begins, ends), (177, 8_206), "18:47:57 to 21:01:46");
    folder.write("s.yaml", SCENARIO);
    steerlab(folder.path(), "run s.yaml --out r --csv csv --no-report").exits(0);
    let events = Table::read(&folder.join("csv/events.csv"));
    let times: Vec<(&str, f64)> =
        events.select(["kind"], ["time_s"]).map(|([kind], [at])| (kind, at)).collect();
    assert_eq!(times, [("hijack", begins as f64), ("hijack-ends", ends as f64)]);
    // Messages take parts of a second on this graph; an AS that validates does not follow.
    let table = Table::read(&folder.join("csv/moves.csv"));
    let moved: Vec<(&str, &str, f64)> = table
        .select(["client_group", "to"], ["time_s"])
        .map(|([group, to], [at])| (group, to, at))
        .collect();
    assert!(moved.iter().all(|row| row.0 == "near"), "{moved:?}");
    let (first, last) = (moved[0], moved[moved.len() - 1]);
    assert!(first.1 == "hijacked" && (0.0..1.0).contains(&(first.2 - begins as f64)), "{moved:?}");
    assert!(last.1 == "sfo" && (0.0..1.0).contains(&(last.2 - ends as f64)), "{moved:?}");
}
