//! A BGP network as BIRD 2 daemons: one in a network namespace of its own for each speaker, a pair
//! of virtual interfaces for each eBGP session and IGP link, OSPF with our costs inside ASes.
//!
//! BIRD's own ways are set where they differ from the decision process we claim: preference 100 and
//! MED 0 where a route has none, MED compared as a whole per neighbour AS (`deterministic med`), no
//! preference for older routes. What a route's class is (customer, peer, ..) travels inside an AS
//! as a large community that no other AS sees.

use super::root;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use steerlab_engine::kernel::Id;
use steerlab_engine::route::bgp::{
    BgpChange, BgpNetwork, BgpPrefixId, Community, Match, Origin, Origination, Relation,
    RoutePolicyId, SessionId, Set, SpeakerId, Validation, Validity, Verdict,
};

/// Second number of the large communities that carry a class.
const CLASS: u32 = 777;

/// A best route as both sides can show it: session, AS path, preference, MED, communities.
pub type Best = BTreeMap<(String, String), String>;

/// Why daemons cannot be started here; `None`: they can.
pub fn missing() -> Option<String> {
    for program in ["bird", "birdc", "ip"] {
        let found = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
            .iter()
            .any(|folder| Path::new(folder).join(program).exists());
        if !found {
            return Some(format!("no {program} (Debian packages bird2 and iproute2)"));
        }
    }
    let name = format!("stl{}-probe", std::process::id());
    let made = ip(&["netns", "add", &name]);
    let _gone = ip(&["netns", "del", &name]);
    made.err().map(|problem| format!("no network namespaces here: {problem}"))
}

fn ip(words: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(words).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("ip {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

/// Daemons that run; they end, and their namespaces go, when this is dropped.
pub struct Daemons {
    names: Vec<String>,
    folder: PathBuf,
    children: Vec<Child>,
    speakers: Vec<String>,
    sessions: Vec<String>,
    prefixes: Vec<String>,
}

fn dotted(address: u32) -> String {
    let [a, b, c, d] = address.to_be_bytes();
    format!("{a}.{b}.{c}.{d}")
}

/// Address of one side of the virtual wire number `wire`.
fn wire_address(wire: usize, side: usize) -> String {
    format!("172.16.{wire}.{}", side + 1)
}

impl Daemons {
    /// Starts one daemon for each speaker of `network`. `tag` tells this network from others.
    pub fn start(tag: &str, network: &BgpNetwork, changes: &[BgpChange]) -> Daemons {
        let process = std::process::id();
        let folder = std::env::temp_dir().join(format!("steerlab-bird-{process}-{tag}"));
        std::fs::create_dir_all(&folder).unwrap();
        let names: Vec<String> =
            (0..network.speakers.len()).map(|at| format!("stl{process}-{tag}-{at}")).collect();
        let ids = |rows: Vec<&String>| rows.into_iter().cloned().collect::<Vec<String>>();
        let mut daemons = Daemons {
            names,
            folder,
            children: Vec::new(),
            speakers: ids(network.speakers.rows().iter().map(|row| &row.id).collect()),
            sessions: ids(network.sessions.rows().iter().map(|row| &row.id).collect()),
            prefixes: ids(network.prefixes.rows().iter().map(|row| &row.id).collect()),
        };
        daemons.wire(network);
        let announced = announced(changes);
        for (speaker, _) in network.speakers.iter() {
            let text = Config { network, speaker, announced: &announced }.text();
            daemons.spawn(speaker.index(), &text);
        }
        daemons
    }

    fn wire(&self, network: &BgpNetwork) {
        for name in &self.names {
            ip(&["netns", "add", name]).unwrap();
        }
        let mut lines = vec![String::new(); self.names.len()];
        for (at, speaker) in network.speakers.rows().iter().enumerate() {
            let own = dotted(speaker.router_id);
            let _ = writeln!(lines[at], "link set lo up\naddr add {own}/32 dev lo");
        }
        for (wire, ends) in wires(network) {
            let (a, b) = (ends[0].index(), ends[1].index());
            let (first, second) = (format!("w{wire}a"), format!("w{wire}b"));
            ip(&[
                "link",
                "add",
                &first,
                "netns",
                &self.names[a],
                "type",
                "veth",
                "peer",
                "name",
                &second,
                "netns",
                &self.names[b],
            ])
            .unwrap();
            for (side, (at, device)) in [(a, first), (b, second)].into_iter().enumerate() {
                let address = wire_address(wire, side);
                let line = &mut lines[at];
                let _ = writeln!(line, "addr add {address}/30 dev {device}\nlink set {device} up");
            }
        }
        for (name, text) in self.names.iter().zip(lines) {
            let file = self.folder.join(format!("{name}.ip"));
            std::fs::write(&file, text).unwrap();
            ip(&["-n", name, "-batch", &file.display().to_string()]).unwrap();
            // Sessions inside an AS pass through other routers.
            let forward = "echo 1 > /proc/sys/net/ipv4/ip_forward";
            ip(&["netns", "exec", name, "sh", "-c", forward]).unwrap();
        }
    }

    fn socket(&self, at: usize) -> PathBuf {
        self.folder.join(format!("{at}.ctl"))
    }

    fn spawn(&mut self, at: usize, text: &str) {
        let file = self.folder.join(format!("{at}.conf"));
        std::fs::write(&file, text).unwrap();
        let log = std::fs::File::create(self.folder.join(format!("{at}.log"))).unwrap();
        let child = Command::new("ip")
            .args(["netns", "exec", &self.names[at], "bird", "-f", "-c"])
            .arg(&file)
            .arg("-s")
            .arg(self.socket(at))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .current_dir(root())
            .spawn()
            .unwrap();
        self.children.push(child);
    }

    /// Whether all daemons still run.
    pub fn alive(&mut self) -> bool {
        self.children.iter_mut().all(|child| child.try_wait().unwrap().is_none())
    }

    /// What the daemons said on their way, for messages.
    pub fn complaints(&self) -> String {
        let texts = (0..self.names.len()).map(|at| {
            let log = self.folder.join(format!("{at}.log"));
            std::fs::read_to_string(log).unwrap_or_default()
        });
        texts.collect()
    }

    /// Best BGP routes of all daemons: (speaker, prefix) to a line of details.
    pub fn best(&self) -> Best {
        let mut found = Best::new();
        for at in 0..self.names.len() {
            let output = Command::new("birdc")
                .arg("-s")
                .arg(self.socket(at))
                .args(["show", "route", "primary", "all"])
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            self.read(at, &text, &mut found);
        }
        found
    }

    /// Reads the answer of one daemon.
    fn read(&self, at: usize, text: &str, found: &mut Best) {
        let mut current: Option<(String, BTreeMap<String, String>)> = None;
        let mut close = |route: Option<(String, BTreeMap<String, String>)>| {
            if let Some((prefix, details)) = route
                && self.prefixes.contains(&prefix)
            {
                let line = shown(&details);
                found.insert((self.speakers[at].clone(), prefix), line);
            }
        };
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if !line.starts_with(char::is_whitespace) {
                close(current.take());
                // A line such as `10.1.0.0/16 unicast [s3 12:00:00.000] * (100) [AS1i]`.
                if words.first().is_some_and(|word| word.contains('/')) {
                    let protocol = words.iter().find_map(|word| word.strip_prefix('['));
                    let session = protocol.and_then(|name| name.strip_prefix('s')?.parse().ok());
                    let session = session.and_then(|at: usize| self.sessions.get(at));
                    let from = session.cloned().unwrap_or_else(|| "own".to_owned());
                    let details = BTreeMap::from([("from".to_owned(), from)]);
                    current = Some((words[0].to_owned(), details));
                }
            } else if let (Some((_, details)), Some((key, value))) =
                (&mut current, line.trim().split_once(": "))
            {
                details.insert(key.to_owned(), value.to_owned());
            }
        }
        close(current);
    }
}

impl Drop for Daemons {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ended = child.kill();
            let _waited = child.wait();
        }
        for name in &self.names {
            let _gone = ip(&["netns", "del", name]);
        }
        let _removed = std::fs::remove_dir_all(&self.folder);
    }
}

/// A route of BIRD as a line.
fn shown(details: &BTreeMap<String, String>) -> String {
    let of = |key: &str| details.get(key).cloned().unwrap_or_default();
    if of("from") == "own" {
        return "own".to_owned();
    }
    let standard = marks(&of("BGP.community"));
    let large = marks(&of("BGP.large_community"));
    let mut all: Vec<String> = standard
        .iter()
        .chain(large.iter().filter(|mark| mark.get(1) != Some(&CLASS)))
        .map(|mark| format!("{mark:?}"))
        .collect();
    all.sort();
    let med = details.get("BGP.med").cloned().unwrap_or_else(|| "none".to_owned());
    let (from, path) = (of("from"), of("BGP.as_path"));
    line(&from, &path, &of("BGP.local_pref"), &med, &of("BGP.origin"), &all.join(" "))
}

/// One line for both sides.
pub fn line(from: &str, path: &str, pref: &str, med: &str, origin: &str, marks: &str) -> String {
    let path = path.trim();
    format!("from {from}, path [{path}], pref {pref}, med {med}, origin {origin}, marks [{marks}]")
}

/// Numbers of marks such as `(65535,65281) (1,2)` or `(1, 900, 3)`.
fn marks(text: &str) -> Vec<Vec<u32>> {
    text.split('(')
        .filter_map(|part| part.split(')').next())
        .filter(|part| !part.trim().is_empty())
        .map(|part| part.split(',').filter_map(|word| word.trim().parse().ok()).collect())
        .collect()
}

/// A mark as the numbers it has on the wire.
pub fn wire_mark(mark: &Community) -> Vec<u32> {
    match *mark {
        Community::NoExport => vec![65_535, 65_281],
        Community::NoAdvertise => vec![65_535, 65_282],
        Community::Blackhole => vec![65_535, 666],
        Community::Plain(at, value) => vec![at, value],
        Community::NoExportTo { at, to } => vec![at, 900, to],
        Community::PrependTo { at, to, times } => vec![at, 910 + u32::from(times), to],
        Community::LocalPref { at, value } => vec![at, 920, value],
    }
}

/// The same in the language of BIRD, and the attribute it lives in.
fn filter_mark(mark: &Community) -> (&'static str, String) {
    let numbers: Vec<String> = wire_mark(mark).iter().map(u32::to_string).collect();
    let attribute = if numbers.len() == 2 { "bgp_community" } else { "bgp_large_community" };
    (attribute, format!("({})", numbers.join(",")))
}

/// Virtual wires: eBGP sessions first, then IGP links.
fn wires(network: &BgpNetwork) -> Vec<(usize, [SpeakerId; 2])> {
    let sessions = network.sessions.rows().iter();
    let outside = sessions.filter(|row| !row.sides[0].relation.is_internal()).map(|row| row.ends);
    let inside = network.igp_links.rows().iter().map(|row| row.ends);
    outside.chain(inside).enumerate().collect()
}

fn announced(changes: &[BgpChange]) -> Vec<Origination> {
    let originations = changes.iter().map(|change| match change {
        BgpChange::Announce(origination) => origination.clone(),
        other => panic!("{other:?} is not played by daemons"),
    });
    originations.collect()
}

/// The configuration of one daemon.
struct Config<'a> {
    network: &'a BgpNetwork,
    speaker: SpeakerId,
    announced: &'a [Origination],
}

impl Config<'_> {
    fn text(&self) -> String {
        let own = &self.network.speakers[self.speaker];
        let mut text = format!(
            "router id {};\nlog stderr {{ warning, error, fatal, bug }};\n\
             protocol device {{ scan time 1; }}\nroa4 table roas;\n\
             protocol kernel {{ scan time 1; ipv4 {{ import none; \
             export where source ~ [ RTS_OSPF, RTS_OSPF_IA ]; }}; }}\n",
            dotted(own.router_id)
        );
        self.roas(&mut text);
        self.originated(&mut text);
        self.ospf(&mut text);
        for (id, session) in self.network.sessions.iter() {
            for side in 0..2 {
                if session.ends[side] == self.speaker {
                    self.session(&mut text, id, side);
                }
            }
        }
        text
    }

    fn prefix(&self, prefix: BgpPrefixId) -> &str {
        &self.network.prefixes[prefix].id
    }

    fn roas(&self, text: &mut String) {
        if self.network.roas.is_empty() {
            return;
        }
        text.push_str("protocol static authorised { roa4 { table roas; };\n");
        for roa in &self.network.roas {
            let block = self.prefix(roa.prefix);
            let length: u32 = block.rsplit('/').next().unwrap().parse().unwrap();
            assert_eq!(roa.more_specific_levels, 0, "levels have no length of their own here");
            let _ = writeln!(text, "  route {block} max {length} as {};", roa.asn);
        }
        text.push_str("}\n");
    }

    fn originated(&self, text: &mut String) {
        text.push_str("protocol static originated { ipv4;\n");
        for own in self.announced.iter().filter(|own| own.speaker == self.speaker) {
            let _ = writeln!(text, "  route {} blackhole;", self.prefix(own.prefix));
        }
        text.push_str("}\n");
    }

    fn ospf(&self, text: &mut String) {
        text.push_str(
            "protocol ospf v2 inside { ipv4 { import all; export none; };\n  area 0 {\n    \
             interface \"lo\" { stub; };\n",
        );
        let outside = wires(self.network).len() - self.network.igp_links.len();
        for (at, link) in self.network.igp_links.rows().iter().enumerate() {
            for side in 0..2 {
                if link.ends[side] == self.speaker {
                    let device = format!("w{}{}", outside + at, ["a", "b"][side]);
                    let cost = link.cost[side];
                    let _ = writeln!(
                        text,
                        "    interface \"{device}\" {{ type ptp; cost {cost}; hello 1; dead 30; }};"
                    );
                }
            }
        }
        text.push_str("  };\n}\n");
    }

    fn session(&self, text: &mut String, id: SessionId, side: usize) {
        let session = &self.network.sessions[id];
        let own = &self.network.speakers[self.speaker];
        let peer = &self.network.speakers[session.ends[1 - side]];
        let relation = session.sides[side].relation;
        let internal = relation.is_internal();
        let (local, far, reach) = if internal {
            (dotted(own.router_id), dotted(peer.router_id), "multihop")
        } else {
            let sessions = self.network.sessions.iter().take(id.index());
            let wire = sessions.filter(|(_, row)| !row.sides[0].relation.is_internal()).count();
            (wire_address(wire, side), wire_address(wire, 1 - side), "direct")
        };
        let number = id.index();
        let _ = writeln!(
            text,
            "filter in{number} {{\n{}  accept;\n}}\nfilter out{number} {{\n{}  accept;\n}}",
            self.import(id, side),
            self.export(id, side)
        );
        let _ = writeln!(
            text,
            "protocol bgp s{number} {{\n  local {local} as {};\n  neighbor {far} as {};\n  {reach};\n  \
             connect delay time 1;\n  connect retry time 1;\n  error wait time 1, 2;\n  \
             default bgp_med 0;\n  default bgp_local_pref 100;\n  deterministic med on;\n  \
             med metric off;\n  prefer older off;",
            own.asn, peer.asn
        );
        if relation == Relation::ReflectorClient {
            text.push_str("  rr client;\n");
        }
        if internal {
            let cluster = dotted(own.cluster_id.unwrap_or(own.router_id));
            let _ = writeln!(text, "  rr cluster id {cluster};");
        }
        let hop =
            if internal && session.sides[side].next_hop_self { "next hop self ebgp; " } else { "" };
        let _ = writeln!(
            text,
            "  ipv4 {{ {hop}import filter in{number}; export filter out{number}; }};\n}}"
        );
    }

    fn class(&self, relation: Relation) -> String {
        let asn = self.network.speakers[self.speaker].asn;
        format!("({asn},{CLASS},{})", relation as u32)
    }

    fn import(&self, id: SessionId, side: usize) -> String {
        let session = &self.network.sessions[id];
        let own = &self.network.speakers[self.speaker];
        let peer = &self.network.speakers[session.ends[1 - side]];
        let relation = session.sides[side].relation;
        let mut text = String::new();
        if !relation.is_internal() {
            let asn = own.asn;
            let _ = writeln!(text, "  bgp_large_community.delete([({asn},{CLASS},*)]);");
            let _ = writeln!(text, "  bgp_large_community.add({});", self.class(relation));
            if let Some(most) = own.path_length_max {
                let _ = writeln!(text, "  if bgp_path.len > {most} then reject;");
            }
            let _ = writeln!(text, "  bgp_local_pref = {};", relation.default_local_pref());
            for value in self.asked_preferences(asn) {
                let _ = writeln!(
                    text,
                    "  if ({asn},920,{value}) ~ bgp_large_community then bgp_local_pref = {value};"
                );
            }
            let invalid = "roa_check(roas, net, bgp_path.last) = ROA_INVALID";
            match own.validation {
                Validation::Ignore => {}
                Validation::Drop => {
                    let _ = writeln!(text, "  if {invalid} then reject;");
                }
                Validation::Depreference => {
                    let _ = writeln!(text, "  if {invalid} then bgp_local_pref = 0;");
                }
            }
        }
        let prepends = (!relation.is_internal()).then_some(peer.asn);
        for &policy in &session.sides[side].import {
            self.policy(&mut text, policy, peer.asn, prepends);
        }
        text
    }

    /// Preferences that some mark of the network asks AS `asn` for, in order.
    fn asked_preferences(&self, asn: u32) -> Vec<u32> {
        let mut values: Vec<u32> = self
            .all_marks()
            .into_iter()
            .filter_map(|mark| match mark {
                Community::LocalPref { at, value } if at == asn => Some(value),
                _ => None,
            })
            .collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    fn all_marks(&self) -> Vec<Community> {
        let mut marks: Vec<Community> =
            self.announced.iter().flat_map(|own| own.communities.clone()).collect();
        for policy in self.network.policies.rows() {
            for set in policy.rules.iter().flat_map(|rule| &rule.sets) {
                if let Set::AddCommunities(added) = set {
                    marks.extend(added);
                }
            }
        }
        marks
    }

    fn export(&self, id: SessionId, side: usize) -> String {
        let session = &self.network.sessions[id];
        let own = &self.network.speakers[self.speaker];
        let peer = &self.network.speakers[session.ends[1 - side]];
        let relation = session.sides[side].relation;
        let external = !relation.is_internal();
        let mut text =
            String::from("  if source != RTS_STATIC && source != RTS_BGP then reject;\n");
        for origination in self.announced.iter().filter(|row| row.speaker == self.speaker) {
            self.own_route(&mut text, origination, id);
        }
        if external {
            self.export_marks(&mut text, own.asn, peer.asn);
            if !matches!(relation, Relation::Customer | Relation::Plain) {
                for held in [Relation::Peer, Relation::RouteServer, Relation::Provider] {
                    let class = self.class(held);
                    let _ = writeln!(text, "  if {class} ~ bgp_large_community then reject;");
                }
            }
        }
        for &policy in &session.sides[side].export {
            self.policy(&mut text, policy, peer.asn, external.then_some(own.asn));
        }
        if external {
            let asn = own.asn;
            let _ = writeln!(text, "  bgp_large_community.delete([({asn},{CLASS},*)]);");
        }
        text
    }

    /// Attributes of an own route. MED counts only if set on export.
    fn own_route(&self, text: &mut String, own: &Origination, session: SessionId) {
        let block = self.prefix(own.prefix);
        let _ = writeln!(text, "  if source = RTS_STATIC && net = {block} then {{");
        if own.sessions.as_ref().is_some_and(|list| !list.contains(&session)) {
            text.push_str("    reject;\n");
        }
        let origin = match own.origin {
            Origin::Igp => "ORIGIN_IGP",
            Origin::Egp => "ORIGIN_EGP",
            Origin::Incomplete => "ORIGIN_INCOMPLETE",
        };
        let _ = writeln!(text, "    bgp_origin = {origin};");
        if let Some(med) = own.med {
            let _ = writeln!(text, "    bgp_med = {med};");
        }
        let asn = self.network.speakers[self.speaker].asn;
        let behind = own.path.iter().rev().copied();
        for asn in behind.chain(vec![asn; usize::from(own.prepend)]) {
            let _ = writeln!(text, "    bgp_path.prepend({asn});");
        }
        for mark in &own.communities {
            let (attribute, mark) = filter_mark(mark);
            let _ = writeln!(text, "    {attribute}.add({mark});");
        }
        text.push_str("  }\n");
    }

    /// What the marks of carriers ask for towards one neighbour.
    fn export_marks(&self, text: &mut String, asn: u32, neighbour: u32) {
        let mut marks = self.all_marks();
        marks.sort();
        marks.dedup();
        for mark in marks {
            let (_, shown) = filter_mark(&mark);
            match mark {
                Community::NoExportTo { at, to } if (at, to) == (asn, neighbour) => {
                    let _ = writeln!(text, "  if {shown} ~ bgp_large_community then reject;");
                }
                Community::PrependTo { at, to, times } if (at, to) == (asn, neighbour) => {
                    let prepends = format!("bgp_path.prepend({asn}); ").repeat(usize::from(times));
                    let _ =
                        writeln!(text, "  if {shown} ~ bgp_large_community then {{ {prepends}}}");
                }
                _ => {}
            }
        }
    }

    /// A policy written out: the first rule that decides does so by the variable of the policy.
    fn policy(&self, text: &mut String, id: RoutePolicyId, neighbour: u32, prepends: Option<u32>) {
        let policy = &self.network.policies[id];
        let mut depth = 0;
        for rule in &policy.rules {
            let tests: Vec<String> =
                rule.matches.iter().map(|test| self.test(test, neighbour)).collect();
            let test = if tests.is_empty() { "true".to_owned() } else { tests.join(" && ") };
            let mut body = String::new();
            for set in &rule.sets {
                change(&mut body, set, self.network.speakers[self.speaker].asn, prepends);
            }
            match rule.then {
                Verdict::Next => {
                    let _ = writeln!(text, "  if {test} then {{ {body} }}");
                }
                then => {
                    if then == Verdict::Reject {
                        body.push_str("reject; ");
                    }
                    let _ = writeln!(text, "  if {test} then {{ {body} }} else {{");
                    depth += 1;
                }
            }
        }
        if policy.otherwise == Verdict::Reject {
            text.push_str("  reject;\n");
        }
        text.push_str(&"  }\n".repeat(depth));
    }

    fn test(&self, test: &Match, neighbour: u32) -> String {
        let any = |parts: Vec<String>| match parts.is_empty() {
            true => "false".to_owned(),
            false => format!("({})", parts.join(" || ")),
        };
        let asns = |list: &[u32], make: &dyn Fn(u32) -> String| {
            any(list.iter().map(|&asn| make(asn)).collect())
        };
        match test {
            Match::Prefix(list) => {
                any(list.iter().map(|&at| format!("net = {}", self.prefix(at))).collect())
            }
            Match::Within(list) => {
                any(list.iter().map(|&at| format!("net ~ [{}+]", self.prefix(at))).collect())
            }
            Match::PathIs(paths) => any(paths
                .iter()
                .map(|path| {
                    let words: Vec<String> = path.iter().map(u32::to_string).collect();
                    format!("bgp_path ~ [= {} =]", words.join(" "))
                })
                .collect()),
            Match::PathContains(list) => asns(list, &|asn| format!("bgp_path ~ [= * {asn} * =]")),
            Match::PathFrom(list) => asns(list, &|asn| format!("bgp_path ~ [= {asn} * =]")),
            Match::OriginAs(list) => asns(list, &|asn| format!("bgp_path ~ [= * {asn} =]")),
            Match::PathLengthMin(least) => format!("bgp_path.len >= {least}"),
            Match::Community(list) => any(list
                .iter()
                .map(|mark| {
                    let (attribute, mark) = filter_mark(mark);
                    format!("{mark} ~ {attribute}")
                })
                .collect()),
            Match::Validity(list) => any(list
                .iter()
                .map(|state| {
                    let word = match state {
                        Validity::Valid => "ROA_VALID",
                        Validity::Unknown => "ROA_UNKNOWN",
                        Validity::Invalid => "ROA_INVALID",
                    };
                    format!("roa_check(roas, net, bgp_path.last) = {word}")
                })
                .collect()),
            Match::LearnedFrom(list) => any(list
                .iter()
                .map(|&relation| format!("{} ~ bgp_large_community", self.class(relation)))
                .collect()),
            Match::Own => "source = RTS_STATIC".to_owned(),
            Match::NeighbourAs(list) => list.contains(&neighbour).to_string(),
            Match::Not(inner) => format!("! ({})", self.test(inner, neighbour)),
        }
    }
}

fn change(text: &mut String, set: &Set, own: u32, prepends: Option<u32>) {
    match set {
        Set::LocalPref(value) => {
            let _ = write!(text, "bgp_local_pref = {value}; ");
        }
        Set::Med(Some(value)) => {
            let _ = write!(text, "bgp_med = {value}; ");
        }
        Set::Med(None) => text.push_str("unset(bgp_med); "),
        Set::Origin(origin) => {
            let word = match origin {
                Origin::Igp => "ORIGIN_IGP",
                Origin::Egp => "ORIGIN_EGP",
                Origin::Incomplete => "ORIGIN_INCOMPLETE",
            };
            let _ = write!(text, "bgp_origin = {word}; ");
        }
        Set::Prepend(times) => {
            for asn in prepends.into_iter().flat_map(|asn| vec![asn; usize::from(*times)]) {
                let _ = write!(text, "bgp_path.prepend({asn}); ");
            }
        }
        Set::AddCommunities(marks) | Set::RemoveCommunities(marks) => {
            let word = if matches!(set, Set::AddCommunities(_)) { "add" } else { "delete" };
            for mark in marks {
                let (attribute, mark) = filter_mark(mark);
                let _ = write!(text, "{attribute}.{word}({mark}); ");
            }
        }
        Set::ClearCommunities => {
            // The class of the route is no mark of ours: it stays.
            let _ = write!(
                text,
                "bgp_community = -empty-; bgp_large_community.filter([({own},{CLASS},*)]); "
            );
        }
    }
}
