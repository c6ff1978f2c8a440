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
