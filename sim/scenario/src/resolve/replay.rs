//! Recorded originations of our prefixes by others, as hijacks with their times.

use super::Resolver;
use super::events::SCENARIO;
use super::routing::number;
use crate::diagnostic::Diagnostic;
use crate::import::routes::{BgpUpdates, Prefix, RouteKind};
use crate::recording;
use crate::table::Entity;
use crate::typed::{Fields, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use steerlab_engine::kernel::SimTime;
use steerlab_engine::route::landing::Trouble;
use steerlab_engine::route::landing::bgp::BgpSpec;
use steerlab_engine::scenario::{Change, PrefixId};

/// Most changes that a recording may make of itself.
const TURNS_MAX: usize = 100_000;

/// What a recorded block stands for: a prefix of ours, or more specific blocks of it.
type Stands = (PrefixId, bool);

/// Who is meant.
struct Asked {
    blocks: BTreeMap<Prefix, Stands>,
    ours: BTreeSet<u32>,
    origins: Option<BTreeSet<u32>>,
    share: f64,
}

/// An AS begins (or ceases) to originate something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Turn {
    time_us: u64,
    asn: u32,
    stands: Stands,
    begins: bool,
}

impl Asked {
    fn wanted(&self, asn: u32) -> bool {
        !self.ours.contains(&asn) && self.origins.as_ref().is_none_or(|asns| asns.contains(&asn))
    }
}

/// When each AS originated what, by the rule of [`Asked::share`]: all rows of one instant count
/// before anything is concluded from them.
fn turns(recording: &BgpUpdates, asked: &Asked) -> Vec<Turn> {
    type Peer = (u32, IpAddr);
    let peer = |row: &crate::import::routes::BgpUpdate| (row.peer_asn, row.peer_address);
    let peers: BTreeSet<Peer> = recording.updates.iter().map(peer).collect();
    let enough = (asked.share * peers.len() as f64).max(1.0);
    let mut held: BTreeMap<(Peer, Prefix), u32> = BTreeMap::new();
    let mut followers: BTreeMap<(Prefix, u32), u32> = BTreeMap::new();
    let mut active: BTreeMap<(u32, Stands), BTreeSet<Prefix>> = BTreeMap::new();
    let mut found = Vec::new();
    for instant in recording.updates.chunk_by(|a, b| a.time_us == b.time_us) {
        let mut touched = BTreeSet::new();
        for row in instant.iter().filter(|row| asked.blocks.contains_key(&row.prefix)) {
            let origin =
                recording::origin(&row.as_path).filter(|_| row.kind != RouteKind::Withdraw);
            let cell = (peer(row), row.prefix);
            let before = match origin {
                Some(origin) => held.insert(cell, origin),
                None => held.remove(&cell),
            };
            if let Some(before) = before {
                *followers.entry((row.prefix, before)).or_insert(0) -= 1;
            }
            if let Some(origin) = origin {
                *followers.entry((row.prefix, origin)).or_insert(0) += 1;
            }
            touched.extend(before.into_iter().chain(origin).map(|asn| (row.prefix, asn)));
        }
        for (prefix, asn) in touched.into_iter().filter(|(_, asn)| asked.wanted(*asn)) {
            let stands = asked.blocks[&prefix];
            let seen = f64::from(followers[&(prefix, asn)]) >= enough;
            let blocks = active.entry((asn, stands)).or_default();
            let before = !blocks.is_empty();
            if seen {
                blocks.insert(prefix);
            } else {
                blocks.remove(&prefix);
            }
            let begins = !blocks.is_empty();
            if begins != before {
                found.push(Turn { time_us: instant[0].time_us, asn, stands, begins });
            }
        }
    }
    found
}

impl Resolver<'_> {
    pub(super) fn route_replay(&mut self, routing: &Fields, spec: &BgpSpec) {
        let Some(fields) = routing.fields("replay") else { return };
        let Some(file) = fields.get("file") else { return };
        let recording = recording::updates(file, self.root, self.sink);
        let errors = self.sink.error_count();
        let asked = self.asked(fields, spec, recording.as_ref());
        let Some(recording) = recording.filter(|_| self.sink.error_count() == errors) else {
            return;
        };
        let turns = turns(&recording, &asked);
        let asns: BTreeSet<u32> = turns.iter().map(|turn| turn.asn).collect();
        for &asn in asns.iter().filter(|asn| spec.graph.index_of(**asn).is_none()) {
            let message =
                format!("AS{asn} originates a block in the recording and is not in the AS graph");
            let help = "add its sessions to `as_links`, or list `origins` without it";
            self.error("E0422", file.span, message, help);
        }
        if turns.len() > TURNS_MAX {
            let message = format!("origins change {} times in the recording", turns.len());
            let help = "list fewer `blocks` or `origins`, or raise `share`: at most 100,000 times";
            self.error("E0303", file.span, message, help);
            return;
        }
        if turns.is_empty() {
            let what = "nobody else originates these blocks in the recording";
            let help = "check `blocks` and `origins`, or lower `share`";
            self.sink.push(Diagnostic::new("W0810", fields.span, what).help(help));
        }
        self.play(&turns, fields);
    }

    fn asked(&mut self, fields: &Fields, spec: &BgpSpec, recording: Option<&BgpUpdates>) -> Asked {
        let recorded: Option<BTreeSet<Prefix>> =
            recording.map(|found| found.updates.iter().map(|row| row.prefix).collect());
        let mut blocks = BTreeMap::new();
        for row in fields.rows("blocks") {
            let prefix = self.reference(Entity::Prefix, row, "prefix").map(PrefixId);
            let (Some(text), Some(prefix)) = (row.text("block"), prefix) else { continue };
            let (text, place) = (text.to_string(), row.place("block"));
            let Some(block) = Prefix::parse(&text) else {
                let message =
                    format!("`block`: {} is no address block", crate::diagnostic::quote(&text));
                self.error("E0201", place, message, "write it as recorded: `192.0.2.0/24`");
                continue;
            };
            if recorded.as_ref().is_some_and(|all| !all.contains(&block)) {
                let shown = recorded.iter().flatten().take(4).map(|block| format!("`{block}`"));
                let help = format!("recorded are {}", shown.collect::<Vec<_>>().join(", "));
                let message = format!("{block} is not in the recording");
                self.error("E0301", place, message, &help);
            }
            let stands = (prefix, row.flag("more_specific").unwrap_or(false));
            if blocks.insert(block, stands).is_some() {
                let message = format!("{block} is listed already");
                self.error("E0302", place, message, "list it once");
            }
        }
        let asns = |key| fields.items(key).iter().filter_map(number).collect::<BTreeSet<u32>>();
        let mut ours = asns("ours");
        ours.insert(spec.asn);
        let origins = fields.get("origins").map(|_| asns("origins"));
        if let Some(recording) = recording {
            let rows = recording.updates.iter().filter(|row| blocks.contains_key(&row.prefix));
            let known = rows.filter_map(|row| recording::origin(&row.as_path)).collect();
            self.check_origins(fields.items("origins"), &known);
        }
        Asked { blocks, ours, origins, share: fields.number("share").unwrap_or(0.0) }
    }

    fn check_origins(&mut self, origins: &[Value], known: &BTreeSet<u32>) {
        for value in origins {
            let Some(asn) = number(value).filter(|asn| !known.contains(asn)) else { continue };
            let shown = known.iter().take(8).map(|asn| format!("AS{asn}"));
            let help = format!("origins are {}", shown.collect::<Vec<_>>().join(", "));
            let message = format!("AS{asn} originates none of these blocks in the recording");
            self.error("E0301", value.span, message, &help);
        }
    }

    fn play(&mut self, turns: &[Turn], fields: &Fields) {
        let at = fields.time("at").map_or(0, |span| span.0);
        let mut late = 0;
        for turn in turns {
            let time = SimTime(at.saturating_add(turn.time_us.saturating_mul(1_000)));
            if time.0 > self.horizon.0 {
                late += 1;
                continue;
            }
            let (prefix, more_specific) = turn.stands;
            let trouble = Trouble::Hijack { asn: turn.asn, prefix, more_specific, pretends: false };
            let (label, change) = if turn.begins {
                ("recorded: it begins", Change::RoutingTrouble(trouble))
            } else {
                ("recorded: it ends", Change::RoutingTroubleEnds(trouble))
            };
            self.push_event(time, SCENARIO, label, change);
        }
        if late > 0 {
            let what = format!("{late} recorded changes are after the end of the run");
            let help = "make `horizon` longer, or `at` earlier";
            self.sink.push(Diagnostic::new("W0802", fields.place("file"), what).help(help));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Folder, vocabulary};
    use std::sync::atomic::{AtomicU32, Ordering};
    use steerlab_engine::scenario::Scenario;

    /// Four peers of two blocks. AS 9 takes the first from AS 5 and loses it again.
    const UPDATES: &str = "\
# format: steerlab-bgp-updates/1
# start: 2008-02-24T18:45:00Z
time_s,peer_asn,peer_address,prefix,kind,as_path
0,1,192.0.2.1,10.0.0.0/24,table,1 5
0,2,192.0.2.2,10.0.0.0/24,table,2 5
0,3,192.0.2.3,10.0.0.0/24,table,3 5
0,4,192.0.2.4,10.0.0.0/24,table,4 9
1,1,192.0.2.1,10.0.0.0/24,announce,1 9
2,2,192.0.2.2,10.0.0.0/24,announce,2 9
2,2,192.0.2.2,10.0.0.0/24,announce,2 5
3,2,192.0.2.2,10.0.0.0/24,announce,2 9
4,1,192.0.2.1,10.0.1.0/24,announce,1 9
5,1,192.0.2.1,10.0.0.0/24,announce,1 5
6,2,192.0.2.2,10.0.0.0/24,withdraw,
7,4,192.0.2.4,10.0.0.0/24,announce,\"4 {9,5}\"
8,1,192.0.2.1,10.0.1.0/24,withdraw,
";

    /// Tests run at the same time; each load has a folder of its own.
    static FOLDERS: AtomicU32 = AtomicU32::new(0);

    fn load(replay: &str) -> (Option<Scenario>, Vec<&'static str>) {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = Folder::new(&format!("route-replay-{number}"));
        folder.write("updates.csv", UPDATES.as_bytes());
        let text = format!(
            "format: steerlab-scenario/1\nname: r\nseed: 1\nhorizon: 1min\nbucket: 1min\n\
             sites: [{{id: ams}}]\nprefixes: [{{id: p}}, {{id: q}}]\n\
             arms: [{{id: now, policies: [static-anycast]}}]\n\
             routing:\n  model: bgp\n  asn: 5\n  as_links: [{{customer: 9, provider: 1}}]\n  \
             replay: {replay}\n"
        );
        let loaded = crate::load_file(&folder.write("s.yaml", text.as_bytes()), &vocabulary());
        (loaded.scenario, loaded.diagnostics.iter().map(|found| found.code).collect())
    }

    /// (seconds, prefix, more specific, begins).
    fn events(replay: &str) -> Vec<(f64, u32, bool, bool)> {
        let (scenario, codes) = load(replay);
        let scenario = scenario.unwrap_or_else(|| panic!("{codes:?}"));
        let row = |event: &steerlab_engine::scenario::TimelineEvent| {
            let (trouble, begins) = match &event.change {
                Change::RoutingTrouble(trouble) => (trouble, true),
                Change::RoutingTroubleEnds(trouble) => (trouble, false),
                other => panic!("{other:?}"),
            };
            let Trouble::Hijack { asn: 9, prefix, more_specific, pretends: false } = trouble else {
                panic!("{trouble:?}")
            };
            (event.at.seconds(), prefix.0, *more_specific, begins)
        };
        scenario.timeline.iter().map(row).collect()
    }

    #[test]
    fn an_origin_is_there_while_enough_peers_follow_it() {
        let first = "{file: updates.csv, share: SHARE, blocks: [{block: 10.0.0.0/24, prefix: p}]}";
        let of = |share: &str| events(&first.replace("SHARE", share));
        // One peer of four is a quarter; followers are 1 at 0 s, 2 at 1, 3 at 3, 2 at 5, 1 at 6.
        // What happens within second 2 comes to nothing. A set at the end of a path is nobody.
        assert_eq!(of("0"), [(0.0, 0, false, true), (7.0, 0, false, false)]);
        assert_eq!(of("25%"), of("0"));
        assert_eq!(of("26%"), [(1.0, 0, false, true), (6.0, 0, false, false)]);
        assert_eq!(of("75%"), [(3.0, 0, false, true), (5.0, 0, false, false)]);
        let (scenario, codes) = load(&first.replace("SHARE", "76%"));
        assert!(scenario.is_some_and(|made| made.timeline.is_empty()));
        assert_eq!(codes, ["W0810"]);
    }

    #[test]
    fn blocks_of_one_prefix_are_one_hijack() {
        let both = "{file: updates.csv, at: 10s, blocks: [{block: 10.0.0.0/24, prefix: q, \
                    more_specific: true}, {block: 10.0.1.0/24, prefix: q, more_specific: true}]}";
        assert_eq!(events(both), [(10.0, 1, true, true), (18.0, 1, true, false)]);
        let two = both.replacen("more_specific: true", "more_specific: false", 1);
        let wanted = [(10.0, 1, false, true), (14.0, 1, true, true)];
        let ends = [(17.0, 1, false, false), (18.0, 1, true, false)];
        assert_eq!(events(&two), [wanted, ends].concat());
        let (scenario, codes) = load(&both.replace("at: 10s", "at: 55s"));
        assert_eq!((scenario.unwrap().timeline.len(), codes), (1, vec!["W0802"]));
    }

    #[test]
    fn what_is_wrong_with_a_replay_is_told() {
        let block = "blocks: [{block: 10.0.0.0/24, prefix: p}]";
        for (replay, wanted) in [
            (format!("{{file: updates.csv, {block}, origins: [9, 8]}}"), &["E0301"][..]),
            (format!("{{file: missing.csv, {block}}}"), &["E0502"]),
            (format!("{{file: updates.csv, {}}}", block.replace(".0/24", ".1/24")), &["E0201"]),
            (format!("{{file: updates.csv, {}}}", block.replace("0.0/24", "2.0/24")), &["E0301"]),
            (format!("{{file: updates.csv, {}}}", block.replace(": p", ": r")), &["E0301"]),
            (format!("{{file: updates.csv, {block}, share: 150%}}"), &["E0202"]),
        ] {
            let (scenario, codes) = load(&replay);
            assert_eq!(codes, wanted, "{replay}");
            assert!(scenario.is_none());
        }
        // AS 5 as one of others is not in the graph, nor is it ours under another number.
        let other = format!("{{file: updates.csv, {block}, ours: [9]}}");
        assert_eq!(load(&other).1, ["W0810"]);
    }
}
