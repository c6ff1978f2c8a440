//! Recorded peers in a lab: each becomes a speaker that says what it said, when it said it.

use super::lab::{LabReplay, LabStep};
use super::resolve::Resolver;
use crate::files::Root;
use crate::import::routes::{BgpUpdate, BgpUpdates, ObservedPath, PathSegment, Prefix, RouteKind};
use crate::recording;
use crate::table::Entity;
use crate::typed::{Fields, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::route::bgp::{
    BgpChange, BgpPrefixId, Origination, Relation, RoutePolicy, RoutePolicyId, Session, SpeakerId,
    Verdict, plain_side, plain_speaker,
};

/// A recorded peer: AS number and address.
type Peer = (u32, IpAddr);

/// First router id for peers whose address is no IPv4 address or is taken: class E, which no
/// router has.
const SPARE_ROUTER_ID: u32 = 0xf000_0000;

/// Most announcements and withdrawals that are played.
const STEPS_MAX: usize = 1_000_000;

/// Most peers that become speakers.
const PEERS_MAX: usize = 10_000;

/// Which part of a recording is played, and when.
struct Cut {
    from_us: u64,
    until_us: u64,
    at: SimTime,
    /// AS numbers; none: all.
    asns: Option<BTreeSet<u32>>,
    blocks: BTreeMap<Prefix, BgpPrefixId>,
}

impl Cut {
    fn of(&self, update: &BgpUpdate) -> Option<(Peer, BgpPrefixId)> {
        let asn = update.peer_asn;
        let wanted = self.asns.as_ref().is_none_or(|asns| asns.contains(&asn));
        let block = self.blocks.get(&update.prefix).filter(|_| wanted)?;
        (update.time_us <= self.until_us).then_some(((asn, update.peer_address), *block))
    }

    fn time(&self, update: &BgpUpdate) -> SimTime {
        let since_us = update.time_us.saturating_sub(self.from_us);
        SimTime(self.at.0.saturating_add(since_us.saturating_mul(1_000)))
    }
}

/// What was assumed of recorded paths.
#[derive(Default)]
struct Assumed {
    sets: u64,
    foreign: u64,
}

impl Assumed {
    /// A recorded path without the peer's own AS in front, which the peer puts there itself. A set
    /// counts one (RFC 4271, 9.1.2.2 a) and is its lowest AS; confederations count none (RFC 5065).
    fn behind(&mut self, path: &ObservedPath, peer_asn: u32) -> Vec<u32> {
        let mut flat = Vec::new();
        for segment in &path.0 {
            match segment {
                PathSegment::Sequence(asns) => flat.extend(asns),
                PathSegment::Set(asns) => {
                    self.sets += 1;
                    flat.extend(asns.iter().min());
                }
                PathSegment::ConfedSequence(_) | PathSegment::ConfedSet(_) => {}
            }
        }
        if flat.first() == Some(&peer_asn) {
            flat.remove(0);
        } else if !flat.is_empty() {
            self.foreign += 1;
        }
        flat
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.sets > 0 {
            notes.push(format!("{} AS sets are played as their lowest AS", self.sets));
        }
        if self.foreign > 0 {
            notes.push(format!(
                "{} paths do not begin with the peer's AS (a route server?) and are played with it \
                 in front",
                self.foreign
            ));
        }
        notes
    }
}

impl Resolver<'_> {
    /// Adds speakers, sessions and steps for a recording. None: something is wrong with it and has
    /// been reported.
    pub(super) fn replay(
        &mut self,
        fields: &Fields,
        root: &Root,
        steps: &mut Vec<LabStep>,
    ) -> Option<LabReplay> {
        let to = self.named(Entity::Speaker, fields, "to").map(SpeakerId);
        let import = self.policies(fields, "import");
        let file = fields.get("file")?;
        let recording = recording::updates(file, root, self.sink)?;
        let cut = self.cut(fields);
        self.check_cut(fields, &recording, &cut);
        let to = to?;
        let chosen = recording.updates.iter().filter_map(|update| cut.of(update));
        let peers: BTreeSet<Peer> = chosen.map(|(peer, _)| peer).collect();
        self.check_peers(fields, &peers, to);
        if peers.len() > PEERS_MAX {
            let help = "list some of them under `peers`: at most 10,000";
            self.error("E0303", file.span, &format!("{} peers are played", peers.len()), help);
            return None;
        }
        let delay = fields.time("delay").unwrap_or(SimSpan::ZERO);
        let speakers = self.add_peers(&peers, to, delay, &import, file);
        let mut assumed = Assumed::default();
        let (held, updates) = play(&recording, &cut, &speakers, &mut assumed, steps);
        if held + updates > STEPS_MAX {
            let what = format!("{} announcements and withdrawals are played", held + updates);
            let help = "list fewer `peers` or `prefixes`, or a shorter time: at most 1,000,000";
            self.error("E0303", file.span, &what, help);
        }
        let zero_us = i64::try_from(cut.from_us).unwrap_or(i64::MAX);
        let zero_us = zero_us.saturating_sub(i64::try_from(cut.at.0 / 1_000).unwrap_or(i64::MAX));
        let rows = recording.updates.len();
        let played = recording.updates.iter().filter(|update| cut.of(update).is_some()).count();
        Some(LabReplay {
            to,
            peers: speakers.into_values().collect(),
            zero_unix_us: recording.start_unix_s.saturating_mul(1_000_000).saturating_add(zero_us),
            held: held as u64,
            updates: updates as u64,
            left_out: (rows - played) as u64,
            notes: assumed.notes(),
        })
    }

    fn cut(&mut self, fields: &Fields) -> Cut {
        let us = |key| fields.time(key).map(|span: SimSpan| span.0 / 1_000);
        let asns = fields.get("peers").filter(|value| value.text().is_none()).map(|value| {
            let counts = value.items().iter().filter_map(Value::count);
            counts.filter_map(|count| u32::try_from(count).ok()).collect()
        });
        let prefixes = self.network.prefixes.iter();
        let blocks = prefixes.filter_map(|(id, row)| Some((Prefix::parse(&row.id)?, id)));
        Cut {
            from_us: us("from").unwrap_or(0),
            until_us: us("until").unwrap_or(u64::MAX),
            at: SimTime(fields.time("at").map_or(0, |span| span.0)),
            asns,
            blocks: blocks.collect(),
        }
    }

    /// What is asked for must be there.
    fn check_cut(&mut self, fields: &Fields, recording: &BgpUpdates, cut: &Cut) {
        if cut.until_us <= cut.from_us {
            let help = "make `until` later than `from`";
            self.error("E0406", fields.place("until"), "`until` is not after `from`", help);
        }
        let recorded: BTreeSet<Prefix> = recording.updates.iter().map(|row| row.prefix).collect();
        if !cut.blocks.keys().any(|block| recorded.contains(block)) {
            let shown: Vec<String> = recorded.iter().take(4).map(|p| format!("`{p}`")).collect();
            let help = format!("list recorded blocks under `prefixes`: {}", shown.join(", "));
            let what = "none of the lab's prefixes is in the recording";
            self.error("E0301", fields.place("file"), what, &help);
        }
        let recorded: BTreeSet<u32> = recording.updates.iter().map(|row| row.peer_asn).collect();
        for value in fields.get("peers").map_or(&[][..], Value::items) {
            let asn = value.count().and_then(|count| u32::try_from(count).ok());
            if let Some(asn) = asn.filter(|asn| !recorded.contains(asn)) {
                let what = format!("AS{asn} is no peer of the recording");
                let shown: Vec<String> = recorded.iter().take(8).map(u32::to_string).collect();
                let help = format!("peers are {}, ..", shown.join(", "));
                self.error("E0301", value.span, &what, &help);
            }
        }
    }

    fn check_peers(&mut self, fields: &Fields, peers: &BTreeSet<Peer>, to: SpeakerId) {
        let own = self.network.speakers[to].asn;
        if peers.iter().any(|(asn, _)| *asn == own) {
            let what = format!("a recorded peer is of AS{own}, as the speaker that hears it");
            let help = "give the speaker another `asn`, or list `peers` without this one";
            self.error("E0403", fields.place("to"), &what, help);
        }
    }

    /// A speaker and a session for every peer. The peers hear nothing.
    fn add_peers(
        &mut self,
        peers: &BTreeSet<Peer>,
        to: SpeakerId,
        delay: SimSpan,
        import: &[RoutePolicyId],
        file: &Value,
    ) -> BTreeMap<Peer, SpeakerId> {
        let silence = self.network.policies.push(RoutePolicy {
            id: "recorded-peers-hear-nothing".into(),
            rules: Vec::new(),
            otherwise: Verdict::Reject,
        });
        let speakers = self.network.speakers.rows();
        let mut taken: BTreeSet<u32> = speakers.iter().map(|row| row.router_id).collect();
        let own = &self.network.speakers[to];
        let (own_address, name) = (own.router_id, own.id.clone());
        let mut made = BTreeMap::new();
        for &(asn, address) in peers {
            let id = format!("AS{asn}-{address}");
            let wanted = match address {
                IpAddr::V4(v4) => u32::from(v4),
                IpAddr::V6(_) => SPARE_ROUTER_ID,
            };
            let mut free = [wanted].into_iter().chain(SPARE_ROUTER_ID..=u32::MAX);
            let router_id = free.find(|id| !taken.contains(id)).unwrap_or(u32::MAX);
            taken.insert(router_id);
            let speaker = self.network.speakers.push(plain_speaker(id.clone(), asn, router_id));
            self.define(Entity::Speaker, Arc::from(&*id), speaker.0 as usize, file.span);
            let mut sides = [router_id, own_address].map(|at| plain_side(Relation::Plain, at));
            sides[1].import = import.to_vec();
            sides[1].export = vec![silence];
            let id = format!("{id}-{name}");
            self.define(Entity::Session, Arc::from(&*id), self.network.sessions.len(), file.span);
            self.network.sessions.push(Session {
                id,
                ends: [speaker, to],
                sides,
                delay,
                delay_jitter: 0.0,
                up: true,
            });
            made.insert((asn, address), speaker);
        }
        made
    }
}

/// The steps of a recording: what is held where it begins, at the start; then what changes. How many
/// of both.
fn play(
    recording: &BgpUpdates,
    cut: &Cut,
    speakers: &BTreeMap<Peer, SpeakerId>,
    assumed: &mut Assumed,
    steps: &mut Vec<LabStep>,
) -> (usize, usize) {
    let mut held: BTreeMap<(Peer, BgpPrefixId), &BgpUpdate> = BTreeMap::new();
    let mut later = Vec::new();
    for update in &recording.updates {
        let Some(cell) = cut.of(update) else { continue };
        if update.time_us > cut.from_us {
            later.push((cell, update));
        } else if update.kind == RouteKind::Withdraw {
            held.remove(&cell);
        } else {
            held.insert(cell, update);
        }
    }
    for (&(peer, prefix), update) in &held {
        let change = change(update, (speakers[&peer], prefix), assumed);
        steps.push(LabStep { at: SimTime::ZERO, change });
    }
    for ((peer, prefix), update) in &later {
        let change = change(update, (speakers[peer], *prefix), assumed);
        steps.push(LabStep { at: cut.time(update), change });
    }
    (held.len(), later.len())
}

fn change(
    update: &BgpUpdate,
    (speaker, prefix): (SpeakerId, BgpPrefixId),
    assumed: &mut Assumed,
) -> BgpChange {
    if update.kind == RouteKind::Withdraw {
        return BgpChange::Withdraw { speaker, prefix };
    }
    BgpChange::Announce(Origination {
        path: assumed.behind(&update.as_path, update.peer_asn),
        ..Origination::plain(speaker, prefix)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bgp::{LoadedLab, load_lab};
    use crate::testing::{Folder, vocabulary};
    use std::sync::atomic::{AtomicU32, Ordering};

    const UPDATES: &str = "\
# format: steerlab-bgp-updates/1
# start: 2008-02-24T18:45:00Z
time_s,peer_asn,peer_address,prefix,kind,as_path
0,7,192.0.2.7,10.0.0.0/8,table,7 5
0,8,2001:db8::8,10.0.0.0/8,table,\"8 {6,5}\"
0,9,192.0.2.9,10.0.0.0/8,table,5
1.5,7,192.0.2.7,10.0.0.0/8,announce,7 7 6 5
2,7,192.0.2.7,192.168.0.0/16,announce,7 5
3,8,2001:db8::8,10.0.0.0/8,withdraw,
9,9,192.0.2.9,10.0.0.0/8,announce,(65001) 9 5
";

    const LAB: &str = "\
format: steerlab-bgp/1
name: recorded
speakers: [{id: here, asn: 100, router_id: 192.0.2.7}]
prefixes: [{id: 10.0.0.0/8}]
policies: [{id: none, otherwise: reject}]
";

    /// Tests run at the same time; each load has a folder of its own.
    static FOLDERS: AtomicU32 = AtomicU32::new(0);

    fn load(replay: &str) -> LoadedLab {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = Folder::new(&format!("bgp-replay-{number}"));
        folder.write("updates.csv", UPDATES.as_bytes());
        folder.write("broken.csv", UPDATES.replace(",7 5", ",x").as_bytes());
        let text = format!("{LAB}replay: {replay}\n");
        load_lab(&folder.write("lab.yaml", text.as_bytes()), &[], &vocabulary())
    }

    /// Steps as (seconds, speaker, path; none: withdrawn).
    fn steps(lab: &crate::bgp::BgpLab) -> Vec<(f64, &str, Option<&[u32]>)> {
        let name = |speaker: SpeakerId| lab.network.speakers[speaker].id.as_str();
        let row = |step: &LabStep| match &step.change {
            BgpChange::Announce(made) => (step.at, made.speaker, Some(made.path.clone())),
            BgpChange::Withdraw { speaker, .. } => (step.at, *speaker, None),
            other => panic!("{other:?}"),
        };
        let rows = lab.steps.iter().map(row);
        rows.map(|(at, speaker, path)| {
            (at.seconds(), name(speaker), path.map(|path| &*path.leak()))
        })
        .collect()
    }

    #[test]
    fn peers_say_what_they_said_when_they_said_it() {
        let loaded = load("{file: updates.csv, to: here, delay: 3ms, import: [none]}");
        let lab = loaded.lab.unwrap_or_else(|| panic!("{:?}", loaded.findings.diagnostics));
        let (seven, eight, nine) = ("AS7-192.0.2.7", "AS8-2001:db8::8", "AS9-192.0.2.9");
        assert_eq!(
            steps(&lab),
            [
                (0.0, seven, Some(&[5][..])),
                (0.0, eight, Some(&[5])),
                (0.0, nine, Some(&[5])),
                (1.5, seven, Some(&[7, 6, 5])),
                (3.0, eight, None),
                (9.0, nine, Some(&[5])),
            ]
        );
        let speakers = lab.network.speakers.rows();
        let ids: Vec<u32> = speakers.iter().map(|row| row.router_id).collect();
        // An address that is taken, and one of IPv6, make way.
        assert_eq!(ids, [0xc000_0207, 0xf000_0000, 0xf000_0001, 0xc000_0209]);
        let session = &lab.network.sessions.rows()[1];
        assert_eq!((session.id.as_str(), session.delay.0), ("AS8-2001:db8::8-here", 3_000_000));
        assert_eq!(session.sides[1].import, [RoutePolicyId(0)]);
        let silence = &lab.network.policies[session.sides[1].export[0]];
        assert!(silence.rules.is_empty() && silence.otherwise == Verdict::Reject);
        let replay = lab.replay.unwrap();
        assert_eq!((replay.held, replay.updates, replay.left_out), (3, 3, 1));
        assert_eq!(replay.clock(SimTime(1_500_000_000)), "2008-02-24T18:45:01Z");
        assert_eq!(replay.notes.len(), 2, "{:?}", replay.notes);
    }

    #[test]
    fn a_part_begins_with_what_is_held_then() {
        let part = "{file: updates.csv, to: here, peers: [7, 8], from: 3s, until: 8s, at: 10s}";
        let lab = load(part).lab.unwrap();
        assert_eq!(steps(&lab), [(0.0, "AS7-192.0.2.7", Some(&[7, 6, 5][..]))]);
        let lab = load(&part.replace("3s", "2s")).lab.unwrap();
        let (seven, eight) = ("AS7-192.0.2.7", "AS8-2001:db8::8");
        let wanted =
            [(0.0, seven, Some(&[7, 6, 5][..])), (0.0, eight, Some(&[5])), (11.0, eight, None)];
        assert_eq!(steps(&lab), wanted);
        assert_eq!(lab.replay.unwrap().clock(SimTime(11_000_000_000)), "2008-02-24T18:45:03Z");
    }

    #[test]
    fn what_is_wrong_with_a_replay_is_told() {
        for (replay, wanted) in [
            ("{file: updates.csv, to: there}", &["E0301"][..]),
            ("{file: missing.csv, to: here}", &["E0502"]),
            ("{file: ../updates.csv, to: here}", &["E0501"]),
            ("{file: broken.csv, to: here}", &["E0504", "E0504"]),
            (
                "{file: updates.csv, to: here, peers: [7, 10], from: 9s, until: 9s}",
                &["E0301", "E0406"],
            ),
            ("{file: updates.csv, to: here, peers: some}", &["E0103"]),
        ] {
            let loaded = load(replay);
            let codes: Vec<&str> =
                loaded.findings.diagnostics.iter().map(|found| found.code).collect();
            assert_eq!(codes, wanted, "{replay}: {:?}", loaded.findings.diagnostics);
            assert!(loaded.lab.is_none());
        }
        let folder = Folder::new("bgp-replay-own");
        folder.write("updates.csv", UPDATES.as_bytes());
        let text = LAB.replace("asn: 100", "asn: 7").replace("10.0.0.0/8", "11.0.0.0/8");
        let text = format!("{text}replay: {{file: updates.csv, to: here}}\n");
        let loaded = load_lab(&folder.write("lab.yaml", text.as_bytes()), &[], &vocabulary());
        let codes: Vec<&str> = loaded.findings.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(codes, ["E0301"], "no recorded block is there");
        let text = text.replace("11.0.0.0/8", "10.0.0.0/8");
        let loaded = load_lab(&folder.write("lab.yaml", text.as_bytes()), &[], &vocabulary());
        let codes: Vec<&str> = loaded.findings.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(codes, ["E0403"], "the speaker is of a peer's AS");
    }
}
