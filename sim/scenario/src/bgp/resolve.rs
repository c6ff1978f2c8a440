//! From checked values to a lab: names become ids, and what a single value cannot know is checked.
//!
//! Rows are built even where a value was wrong (with a stand-in), so that one mistake does not hide
//! the next; whoever calls throws the lab away if anything was reported.

use super::lab::{BgpLab, LabStep};
use super::policy::{self, number, small, text, word};
use super::words;
use crate::diagnostic::{Diagnostic, Sink};
use crate::files::Root;
use crate::resolve::names::Names;
use crate::source::Span;
use crate::table::Entity;
use crate::typed::{Data, Fields, Value};
use std::sync::Arc;
use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::route::bgp::{
    BgpChange, BgpNetwork, BgpPrefix, BgpPrefixId, Damping, DecisionOptions, IgpLink, Match, Mrai,
    MraiScope, Origin, Origination, Relation, Roa, RoutePolicy, RoutePolicyId, Rule, Session,
    SessionId, SessionSide, Set, Speaker, SpeakerId, Validation, Verdict,
};

/// Local preference of the best permitted path; each further one has one less.
const PERMITTED_PREF: u32 = 1_000_000;

/// Builds a lab. What is wrong goes to `sink`; then the result means nothing.
pub(super) fn lab(fields: &Fields, root: &Root, sink: &mut Sink) -> Option<BgpLab> {
    let defaults = Defaults::of(fields.fields("defaults"));
    let mut resolver =
        Resolver { sink, names: Names::new(), defaults, network: BgpNetwork::default() };
    resolver.prefixes(fields);
    resolver.network.decision = decision(fields.fields("decision"));
    resolver.network.policies =
        policy::route_policies(fields, "policies", &mut resolver.names, resolver.sink);
    for (index, row) in fields.rows("speakers").enumerate() {
        resolver.speaker(index, row);
    }
    for (index, row) in fields.rows("sessions").enumerate() {
        resolver.session(index, row);
    }
    for (index, row) in fields.rows("igp_links").enumerate() {
        resolver.igp_link(index, row);
    }
    for row in fields.rows("speakers") {
        resolver.permitted(row);
    }
    for row in fields.rows("roas") {
        resolver.roa(row);
    }
    let mut steps = Vec::new();
    let replay = fields.fields("replay").and_then(|row| resolver.replay(row, root, &mut steps));
    for row in fields.rows("announce") {
        let change = BgpChange::Announce(resolver.origination(row));
        steps.push(LabStep { at: SimTime::ZERO, change });
    }
    for row in fields.rows("timeline") {
        resolver.step(row, &mut steps);
    }
    // Stable: equal times stay in the order written.
    steps.sort_by_key(|step| step.at);
    let expect = resolver.expect(fields);
    let label = Some(fields.string("label")).filter(|label| !label.is_empty());
    Some(BgpLab {
        name: fields.string("name"),
        label: label.unwrap_or_else(|| fields.string("name")),
        description: fields.string("description"),
        source: fields.string("source"),
        seed: fields.count("seed").unwrap_or(1),
        horizon: fields.time("horizon").unwrap_or(SimSpan::ZERO),
        updates_max: fields.count("updates_max").unwrap_or(0),
        network: resolver.network,
        steps,
        replay,
        expect,
    })
}

/// What holds where nothing else is said; the same values as in the table.
struct Defaults {
    delay: SimSpan,
    delay_jitter: f64,
    processing: SimSpan,
    mrai: Mrai,
    next_hop_self: bool,
}

impl Defaults {
    fn of(given: Option<&Fields>) -> Defaults {
        let time = |key| given.and_then(|fields| fields.time(key));
        Defaults {
            delay: time("delay").unwrap_or(SimSpan::from_millis(10)),
            delay_jitter: given.and_then(|fields| fields.number("delay_jitter")).unwrap_or(0.0),
            processing: time("processing").unwrap_or(SimSpan::ZERO),
            mrai: given.and_then(|fields| mrai(fields, "mrai")).unwrap_or_default(),
            next_hop_self: given.and_then(|fields| fields.flag("next_hop_self")).unwrap_or(true),
        }
    }
}

fn decision(given: Option<&Fields>) -> DecisionOptions {
    let flag = |key| given.and_then(|fields| fields.flag(key)).unwrap_or(false);
    DecisionOptions {
        always_compare_med: flag("always_compare_med"),
        missing_med_is_worst: flag("missing_med_is_worst"),
        prefer_oldest: flag("prefer_oldest"),
        multipath: flag("multipath"),
    }
}

/// A waiting time: a span alone has no jitter and covers a session.
pub(crate) fn mrai(fields: &Fields, key: &str) -> Option<Mrai> {
    let value = fields.get(key)?;
    if let Some(interval) = value.time() {
        return Some(Mrai { interval, ..Mrai::default() });
    }
    let fields = value.fields()?;
    Some(Mrai {
        interval: fields.time("interval").unwrap_or(SimSpan::ZERO),
        jitter: fields.number("jitter").unwrap_or(0.0),
        scope: word(fields, "scope").unwrap_or(MraiScope::Peer),
        withdrawals_wait: fields.flag("withdrawals_wait").unwrap_or(false),
    })
}

/// What the other end is, seen from the second end of a session.
pub(super) fn turned(relation: Relation) -> Relation {
    match relation {
        Relation::Customer => Relation::Provider,
        Relation::Provider => Relation::Customer,
        Relation::ReflectorClient => Relation::Internal,
        same => same,
    }
}

pub(super) struct Resolver<'a> {
    pub(super) sink: &'a mut Sink,
    pub(super) names: Names,
    defaults: Defaults,
    pub(super) network: BgpNetwork,
}

impl Resolver<'_> {
    pub(super) fn error(&mut self, code: &'static str, span: Span, message: &str, help: &str) {
        self.sink.push(Diagnostic::new(code, span, message).help(help));
    }

    pub(super) fn find(&mut self, entity: Entity, value: &Value) -> Option<u32> {
        self.names.find(entity, value, self.sink)
    }

    pub(super) fn named(&mut self, entity: Entity, fields: &Fields, key: &str) -> Option<u32> {
        fields.get(key).and_then(|value| self.find(entity, value))
    }

    pub(super) fn speaker_of(&mut self, fields: &Fields, key: &str) -> SpeakerId {
        SpeakerId(self.named(Entity::Speaker, fields, key).unwrap_or(0))
    }

    pub(super) fn prefix_of(&mut self, fields: &Fields) -> BgpPrefixId {
        BgpPrefixId(self.named(Entity::Prefix, fields, "prefix").unwrap_or(0))
    }

    pub(super) fn define(&mut self, entity: Entity, id: Arc<str>, index: usize, place: Span) {
        let row = u32::try_from(index).unwrap_or(u32::MAX);
        self.names.define(entity, id, row, place, self.sink);
    }

    fn prefixes(&mut self, fields: &Fields) {
        for (index, row) in fields.rows("prefixes").enumerate() {
            // Looked up before the row itself is known, so that no block lies within itself.
            let parent = self.named(Entity::Prefix, row, "within").map(BgpPrefixId);
            if let Some(id) = row.get("id")
                && text(id, "id", self.sink, words::prefix_name).is_some()
                && let Some(name) = id.text()
            {
                self.define(Entity::Prefix, Arc::clone(name), index, id.span);
            }
            self.network.prefixes.push(BgpPrefix { id: row.string("id"), parent });
        }
    }

    fn speaker(&mut self, index: usize, fields: &Fields) {
        if let Some(id) = fields.text("id") {
            self.define(Entity::Speaker, Arc::clone(id), index, fields.place("id"));
        }
        let position = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let router_id = self.address(fields, "router_id").unwrap_or(position);
        let damping = fields.fields("damping").map(|given| self.damping(given));
        let speaker = Speaker {
            id: fields.string("id"),
            asn: number(fields, "asn").unwrap_or(0),
            router_id,
            location: fields.point("at"),
            cluster_id: self.address(fields, "cluster_id"),
            validation: word(fields, "validation").unwrap_or(Validation::Ignore),
            damping,
            processing: fields.time("processing").unwrap_or(self.defaults.processing),
            path_length_max: number(fields, "path_length_max"),
        };
        let same = self.network.speakers.rows().iter().any(|other| other.router_id == router_id);
        if same {
            let place = fields.place("router_id");
            let help = "give every speaker a `router_id` of its own, or none at all";
            self.error("E0302", place, "another speaker has this router id", help);
        }
        self.network.speakers.push(speaker);
    }

    fn damping(&mut self, fields: &Fields) -> Damping {
        let penalty = |key| fields.number(key).unwrap_or(0.0);
        if penalty("reuse_below") >= penalty("suppress_above") {
            let place = fields.place("reuse_below");
            let help = "make `reuse_below` smaller than `suppress_above`";
            self.error("E0411", place, "a route would be used again at once", help);
        }
        Damping {
            withdrawal_penalty: penalty("withdrawal_penalty"),
            change_penalty: penalty("change_penalty"),
            suppress_above: penalty("suppress_above"),
            reuse_below: penalty("reuse_below"),
            half_life: fields.time("half_life").unwrap_or(SimSpan::ZERO),
            max_suppress: fields.time("max_suppress").unwrap_or(SimSpan::ZERO),
        }
    }

    fn address(&mut self, fields: &Fields, key: &str) -> Option<u32> {
        text(fields.get(key)?, key, self.sink, words::address)
    }

    /// AS of a speaker; 0 where a stand-in names none.
    fn asn(&self, speaker: SpeakerId) -> u32 {
        self.network.speakers.get(speaker).map_or(0, |row| row.asn)
    }

    fn router_id(&self, speaker: SpeakerId) -> u32 {
        self.network.speakers.get(speaker).map_or(0, |row| row.router_id)
    }

    /// The two ends of a session or link, if both exist and differ.
    fn ends(&mut self, fields: &Fields) -> Option<[SpeakerId; 2]> {
        let [first, second] = fields.items("ends") else { return None };
        let first = self.find(Entity::Speaker, first);
        let (first, second) = (first, self.find(Entity::Speaker, second));
        let (first, second) = (SpeakerId(first?), SpeakerId(second?));
        if first == second {
            let place = fields.place("ends");
            self.error("E0403", place, "both ends are the same speaker", "name two speakers");
            return None;
        }
        Some([first, second])
    }

    /// The id given, or one made of the names of the ends.
    fn id_of(&mut self, entity: Entity, fields: &Fields, index: usize) -> String {
        let ends: Vec<&str> =
            fields.items("ends").iter().filter_map(|end| end.text().map(|text| &**text)).collect();
        let made: Arc<str> = Arc::from(ends.join("-"));
        let id = fields.text("id").map_or(made, Arc::clone);
        self.define(entity, Arc::clone(&id), index, fields.place("id"));
        id.to_string()
    }

    fn session(&mut self, index: usize, fields: &Fields) {
        let id = self.id_of(Entity::Session, fields, index);
        // A stand-in keeps the numbers of the sessions that follow.
        let ends = self.ends(fields).unwrap_or([SpeakerId(0); 2]);
        let inside = ends[0] != ends[1] && self.asn(ends[0]) == self.asn(ends[1]);
        let usual = if inside { Relation::Internal } else { Relation::Plain };
        let relation: Relation = word(fields, "relation").unwrap_or(usual);
        if ends[0] != ends[1] && relation.is_internal() != inside {
            let message = if inside {
                "the ends are of one AS, the relation is one between ASes"
            } else {
                "the ends are of two ASes, the relation is one inside an AS"
            };
            let help = "write `ibgp` or `ibgp-client` for speakers of one AS only";
            self.error("E0403", fields.place("relation"), message, help);
        }
        let pair = |session: &&Session| session.ends == ends || session.ends == [ends[1], ends[0]];
        let earlier = self.network.sessions.rows().iter().filter(pair).count();
        let earlier = u32::try_from(earlier).unwrap_or(u32::MAX);
        let both = mrai(fields, "mrai").unwrap_or(self.defaults.mrai);
        let side = |end: SpeakerId, relation| SessionSide {
            relation,
            address: self.router_id(end).saturating_add(earlier),
            import: Vec::new(),
            export: Vec::new(),
            mrai: both,
            prefixes_max: None,
            restart: None,
            next_hop_self: self.defaults.next_hop_self,
        };
        let mut sides = [side(ends[0], relation), side(ends[1], turned(relation))];
        self.sides(fields, ends, &mut sides);
        self.network.sessions.push(Session {
            id,
            ends,
            sides,
            delay: fields.time("delay").unwrap_or(self.defaults.delay),
            delay_jitter: fields.number("delay_jitter").unwrap_or(self.defaults.delay_jitter),
            up: fields.flag("up").unwrap_or(true),
        });
    }

    fn sides(&mut self, fields: &Fields, ends: [SpeakerId; 2], sides: &mut [SessionSide; 2]) {
        let Some(Data::Dict(given)) = fields.get("sides").map(|value| &value.data) else { return };
        for (name, value) in given {
            let Some(speaker) = self.find(Entity::Speaker, name).map(SpeakerId) else { continue };
            let Some(at) = ends.iter().position(|&end| end == speaker) else {
                let help = "name one of the two `ends`";
                self.error("E0301", name.span, "this speaker is no end of the session", help);
                continue;
            };
            if let Some(fields) = value.fields() {
                self.side(fields, &mut sides[at]);
            }
        }
    }

    fn side(&mut self, fields: &Fields, side: &mut SessionSide) {
        if let Some(address) = self.address(fields, "address") {
            side.address = address;
        }
        side.import = self.policies(fields, "import");
        side.export = self.policies(fields, "export");
        side.mrai = mrai(fields, "mrai").unwrap_or(side.mrai);
        side.prefixes_max = number(fields, "prefixes_max");
        side.restart = fields.time("restart");
        side.next_hop_self = fields.flag("next_hop_self").unwrap_or(side.next_hop_self);
    }

    pub(super) fn policies(&mut self, fields: &Fields, key: &str) -> Vec<RoutePolicyId> {
        let mut found = Vec::new();
        for value in fields.items(key) {
            found.extend(self.find(Entity::RoutePolicy, value).map(RoutePolicyId));
        }
        found
    }

    fn igp_link(&mut self, index: usize, fields: &Fields) {
        let id = self.id_of(Entity::IgpLink, fields, index);
        let ends = self.ends(fields).unwrap_or([SpeakerId(0); 2]);
        if self.asn(ends[0]) != self.asn(ends[1]) {
            let place = fields.place("ends");
            let help = "an IGP link joins two speakers of one AS; between ASes write a session";
            self.error("E0403", place, "the ends are of two ASes", help);
        }
        let cost = costs(fields);
        let up = fields.flag("up").unwrap_or(true);
        self.network.igp_links.push(IgpLink { id, ends, cost, up });
    }

    /// Turns permitted paths into an import policy on all sessions of the speaker.
    fn permitted(&mut self, fields: &Fields) {
        let (Some(list), Some(id)) = (fields.get("permitted_paths"), fields.get("id")) else {
            return;
        };
        let Some(speaker) = self.find(Entity::Speaker, id).map(SpeakerId) else { return };
        let mut rules = Vec::new();
        for (rank, value) in (0..).zip(list.items()) {
            let Some(path) = self.path_by_speakers(value) else { continue };
            if path.first() != Some(&speaker) || path.len() < 2 {
                let help = "write the speaker itself first and the origin last, such as `1 3 0`";
                self.error("E0403", value.span, "this path does not begin here", help);
                continue;
            }
            let ases = path[1..].iter().map(|&hop| self.network.speakers[hop].asn).collect();
            rules.push(Rule {
                matches: vec![Match::PathIs(vec![ases])],
                sets: vec![Set::LocalPref(PERMITTED_PREF.saturating_sub(rank))],
                then: Verdict::Accept,
            });
        }
        let id = format!("permitted-{}", self.network.speakers[speaker].id);
        let policy = RoutePolicy { id, rules, otherwise: Verdict::Reject };
        let policy = self.network.policies.push(policy);
        for session in self.network.sessions.rows_mut() {
            for (end, side) in session.ends.into_iter().zip(&mut session.sides) {
                if end == speaker {
                    side.import.push(policy);
                }
            }
        }
    }

    /// Speakers with spaces between. Unknown ones are reported.
    pub(super) fn path_by_speakers(&mut self, value: &Value) -> Option<Vec<SpeakerId>> {
        let text = Arc::clone(value.text()?);
        let mut found = Vec::new();
        for word in text.split_whitespace() {
            let named = Value { span: value.span, data: Data::Text(Arc::from(word)) };
            found.push(SpeakerId(self.find(Entity::Speaker, &named)?));
        }
        Some(found)
    }

    fn roa(&mut self, fields: &Fields) {
        let roa = Roa {
            prefix: self.prefix_of(fields),
            more_specific_levels: small(fields, "more_specific_levels").unwrap_or(0),
            asn: number(fields, "asn").unwrap_or(0),
        };
        self.network.roas.push(roa);
    }

    pub(super) fn origination(&mut self, fields: &Fields) -> Origination {
        let speaker = self.speaker_of(fields, "speaker");
        let mut sessions = fields.get("sessions").map(|_| Vec::new());
        for value in fields.items("sessions") {
            let Some(session) = self.find(Entity::Session, value).map(SessionId) else { continue };
            if !self.network.sessions[session].ends.contains(&speaker) {
                let help = "name sessions of the speaker that announces";
                self.error("E0403", value.span, "the speaker is no end of this session", help);
            }
            if let Some(list) = &mut sessions {
                list.push(session);
            }
        }
        let path = fields.get("path");
        Origination {
            speaker,
            prefix: self.prefix_of(fields),
            med: policy::med(fields, "med").flatten(),
            origin: word(fields, "origin").unwrap_or(Origin::Igp),
            communities: policy::communities(fields, "communities", self.sink),
            prepend: small(fields, "prepend").unwrap_or(0),
            path: path
                .and_then(|value| text(value, "path", self.sink, words::as_path))
                .unwrap_or_default(),
            sessions,
        }
    }
}

pub(super) fn costs(fields: &Fields) -> [u64; 2] {
    let cost = fields.count("cost").unwrap_or(1);
    [cost, fields.count("cost_back").unwrap_or(cost)]
}
