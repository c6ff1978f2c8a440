//! RIPEstat BGPlay: the routes to a few prefixes at one instant, and every change after it.
//!
//! Source: stat.ripe.net, data call `bgplay`. A JSON document whose `data` has `query_starttime`,
//! `sources` (id, AS number and address of each vantage point), `initial_state` (routes at the
//! start) and `events` of type A (announced) or W (withdrawn). Times are UTC. Limit: 64 MiB.

use super::observation::{
    Community, ObservedPath, PathSegment, Prefix, RouteKind, RouteObservation, parse_asn,
};
use super::{Counting, RouteReadError, RouteSink, RoutesRead};
use crate::import::Document;
use crate::import::common::problem::{
    E_NAME, E_NUMBER, E_STAMP, E_SYNTAX, Problem, Problems, shown,
};
use crate::import::common::stamp::Stamp;
use crate::import::common::text::Text;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Reads a document and gives its rows to `sink`: the state at the start as rows of the kind
/// `table`, then the events in order of time; those of one instant in the order given.
///
/// # Errors
/// [`RouteReadError::Input`] with all problems, before the first row is given;
/// [`RouteReadError::Sink`] if a row cannot be kept.
pub fn read_bgplay(
    document: &Document,
    sink: &mut dyn RouteSink,
) -> Result<RoutesRead, RouteReadError> {
    let text = Text::decode(&document.name, &document.bytes)?;
    let value: Value = serde_json::from_str(&text.text).map_err(|error| {
        let column = u32::try_from(error.column()).unwrap_or(u32::MAX);
        let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
        Problem::new(E_SYNTAX, &document.name, format!("not JSON: {error}"))
            .at((line, column.max(1)))
            .why("an answer of RIPEstat is one JSON document")
            .help("fetch the answer again")
    })?;
    let mut answer = Answer { file: &document.name, problems: Problems::default() };
    let rows = answer.rows(&value["data"]);
    let rows = answer.problems.finish(rows)?.expect("what is missing is a problem");
    let mut out = Counting::new(sink);
    for row in &rows {
        out.counts.records += 1;
        out.take(row)?;
    }
    Ok(RoutesRead { counts: out.finish(), notes: Vec::new() })
}

/// An answer being read.
struct Answer<'a> {
    file: &'a str,
    problems: Problems,
}

/// Vantage points: AS number and address by id.
type Sources = BTreeMap<String, (u32, IpAddr)>;

impl Answer<'_> {
    fn problem(&mut self, code: &'static str, place: &str, what: &str, value: &Value) {
        let mut text = value.to_string();
        if value.is_null() {
            "nothing".clone_into(&mut text);
        }
        let what = format!("{place}: {what}, not {}", shown(&text));
        self.problems.push(
            Problem::new(code, self.file, what)
                .why("a route that is read wrong is another route")
                .help("give the answer of RIPEstat's data call `bgplay` as it came"),
        );
    }

    fn list<'v>(&mut self, data: &'v Value, key: &str) -> &'v [Value] {
        match data[key].as_array() {
            Some(list) => list,
            None => {
                self.problem(E_SYNTAX, &format!("data.{key}"), "a list is expected", &data[key]);
                &[]
            }
        }
    }

    fn rows(&mut self, data: &Value) -> Option<Vec<RouteObservation>> {
        let start_us = self.time(&data["query_starttime"], "data.query_starttime");
        let sources = self.sources(data);
        let mut rows = Vec::new();
        for (index, entry) in self.list(data, "initial_state").iter().enumerate() {
            let place = format!("data.initial_state[{index}]");
            rows.push(self.row(entry, &place, start_us, RouteKind::Table, &sources));
        }
        for (index, event) in self.list(data, "events").iter().enumerate() {
            let place = format!("data.events[{index}]");
            let time_us = self.time(&event["timestamp"], &format!("{place}.timestamp"));
            let kind = match event["type"].as_str() {
                Some("A") => RouteKind::Announce,
                Some("W") => RouteKind::Withdraw,
                _ => {
                    let place = format!("{place}.type");
                    self.problem(E_SYNTAX, &place, "\"A\" or \"W\" is expected", &event["type"]);
                    continue;
                }
            };
            rows.push(self.row(
                &event["attrs"],
                &format!("{place}.attrs"),
                time_us,
                kind,
                &sources,
            ));
        }
        let mut rows: Vec<RouteObservation> = rows.into_iter().collect::<Option<_>>()?;
        start_us?;
        rows.sort_by_key(|row| (row.time_us, row.kind != RouteKind::Table));
        Some(rows)
    }

    fn time(&mut self, value: &Value, place: &str) -> Option<u64> {
        let stamp = value.as_str().and_then(Stamp::parse);
        let time_us = stamp.and_then(|Stamp(s)| u64::try_from(s).ok()?.checked_mul(1_000_000));
        if time_us.is_none() {
            self.problem(E_STAMP, place, "a time such as 2008-02-24T18:45:00 is expected", value);
        }
        time_us
    }

    fn sources(&mut self, data: &Value) -> Sources {
        let mut sources = Sources::new();
        for (index, source) in self.list(data, "sources").iter().enumerate() {
            let place = format!("data.sources[{index}]");
            let id = source["id"].as_str();
            let asn = source["as_number"].as_u64().and_then(|asn| u32::try_from(asn).ok());
            let address = source["ip"].as_str().and_then(|ip| ip.parse().ok());
            match (id, asn, address) {
                (Some(id), Some(asn), Some(address)) => {
                    sources.insert(id.to_owned(), (asn, address));
                }
                _ => {
                    let what = "`id`, `as_number` and `ip` are expected";
                    self.problem(E_SYNTAX, &place, what, source);
                }
            }
        }
        sources
    }

    fn row(
        &mut self,
        entry: &Value,
        place: &str,
        time_us: Option<u64>,
        kind: RouteKind,
        sources: &Sources,
    ) -> Option<RouteObservation> {
        let source = &entry["source_id"];
        let peer = source.as_str().and_then(|id| sources.get(id)).copied();
        if peer.is_none() {
            let what = "the id of one of data.sources is expected";
            self.problem(E_NAME, &format!("{place}.source_id"), what, source);
        }
        let target = &entry["target_prefix"];
        let prefix = target.as_str().and_then(Prefix::parse);
        if prefix.is_none() {
            let what = "a prefix is expected";
            self.problem(E_NUMBER, &format!("{place}.target_prefix"), what, target);
        }
        let (mut as_path, mut communities) = (Some(ObservedPath::default()), Some(Vec::new()));
        if kind != RouteKind::Withdraw {
            as_path = path(&entry["path"]);
            if as_path.is_none() {
                let what = "a list of AS numbers is expected";
                self.problem(E_NUMBER, &format!("{place}.path"), what, &entry["path"]);
            }
            communities = read_communities(&entry["community"]);
            if communities.is_none() {
                let what = "a list of communities is expected";
                self.problem(E_NUMBER, &format!("{place}.community"), what, &entry["community"]);
            }
        }
        let (peer_asn, peer_address) = peer?;
        Some(RouteObservation {
            time_us: time_us?,
            peer_asn,
            peer_address,
            prefix: prefix?,
            kind,
            as_path: as_path?,
            origin: None,
            med: None,
            local_pref: None,
            communities: communities?,
            next_hop: None,
        })
    }
}

/// A list of AS numbers; a list inside it is a set.
fn path(value: &Value) -> Option<ObservedPath> {
    let asn = |value: &Value| u32::try_from(value.as_u64()?).ok();
    let mut segments = Vec::new();
    for step in value.as_array().filter(|path| !path.is_empty())? {
        match step {
            Value::Array(set) if !set.is_empty() => {
                let set: Option<Vec<u32>> = set.iter().map(asn).collect();
                segments.push(PathSegment::Set(set?));
            }
            one => match segments.last_mut() {
                Some(PathSegment::Sequence(asns)) => asns.push(asn(one)?),
                _ => segments.push(PathSegment::Sequence(vec![asn(one)?])),
            },
        }
    }
    Some(ObservedPath(segments))
}

/// A list of texts such as `7018:5000` or `64496:1:2`; none is an empty list.
fn read_communities(value: &Value) -> Option<Vec<Community>> {
    if value.is_null() {
        return Some(Vec::new());
    }
    let read = |value: &Value| {
        let parts: Option<Vec<u32>> = value.as_str()?.split(':').map(parse_asn).collect();
        match parts?.as_slice() {
            [high, low] => {
                Some(Community::Plain(u16::try_from(*high).ok()?, u16::try_from(*low).ok()?))
            }
            [admin, first, second] => Some(Community::Large(*admin, *first, *second)),
            _ => None,
        }
    };
    value.as_array()?.iter().map(read).collect()
}
