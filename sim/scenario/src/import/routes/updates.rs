//! Updates to be replayed: the rows that change routes, with times since a start.
//!
//! Line 1 is `# format: steerlab-bgp-updates/1`, line 2 `# start: TIME` (UTC, what second 0 was),
//! then the header `time_s,peer_asn,peer_address,prefix,kind,as_path` and one line a row, in order of
//! time; rows of one instant in the order they came. `time_s` is decimal seconds since the start
//! with at most six digits behind the point. Rows of kind `table` are the state at the start: all
//! of them have time 0 and stand first. `as_path` is nearest first with its prepends; a withdrawal
//! has none. A peer is an AS number and an address: an AS can have several sessions.

use super::RouteSink;
use super::observation::{ObservedPath, Prefix, RouteKind, RouteObservation, parse_asn};
use super::table::push_field;
use crate::diagnostic::{Diagnostic, Sink, quote};
use crate::import::common::stamp::Stamp;
use crate::source::{SourceMap, Span};
use crate::table_text::{self, Column, E_ROW, E_TABLE, Layout, Row};
use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;
use std::path::Path;

/// Format and version of the file.
pub const UPDATES_FORMAT: &str = "steerlab-bgp-updates/1";

/// Most rows, written or read.
const ROWS_MAX: usize = 20_000_000;

/// Most bytes of rows kept while collecting.
const KEPT_BYTES_MAX: usize = 1 << 30;

const LAYOUT: Layout = Layout {
    format: UPDATES_FORMAT,
    columns: &[
        Column { name: "time_s", required: true },
        Column { name: "peer_asn", required: true },
        Column { name: "peer_address", required: true },
        Column { name: "prefix", required: true },
        Column { name: "kind", required: true },
        Column { name: "as_path", required: true },
    ],
    rows_max: ROWS_MAX,
};

/// Collects the rows of a recording and writes them in order.
#[derive(Debug, Default)]
pub struct UpdateCollector {
    /// Time, whether it is no row of a table, and all fields but the time.
    rows: Vec<(u64, bool, Box<str>)>,
    kept_bytes: usize,
}

/// One row to be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BgpUpdate {
    /// Microseconds since the start.
    pub time_us: u64,
    /// AS number of the peer.
    pub peer_asn: u32,
    /// Address of the peer.
    pub peer_address: IpAddr,
    /// What the route leads to.
    pub prefix: Prefix,
    /// What happens.
    pub kind: RouteKind,
    /// The path, nearest first; empty for a withdrawal.
    pub as_path: ObservedPath,
}

/// A file of updates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BgpUpdates {
    /// What second 0 was, in seconds since 1970-01-01T00:00:00Z.
    pub start_unix_s: i64,
    /// The rows in order.
    pub updates: Vec<BgpUpdate>,
}

/// The outcome of reading a file of updates.
#[derive(Debug)]
pub struct LoadedUpdates {
    /// The updates, if nothing is wrong.
    pub updates: Option<BgpUpdates>,
    /// The text, for showing the findings.
    pub sources: SourceMap,
    /// All findings in order of place.
    pub diagnostics: Vec<Diagnostic>,
    /// Findings beyond those kept.
    pub omitted: usize,
}

impl RouteSink for UpdateCollector {
    fn take(&mut self, row: &RouteObservation) -> io::Result<()> {
        let mut line = String::new();
        let (address, kind) = (row.peer_address, row.kind.name());
        write!(line, "{},{address},{},{kind},", row.peer_asn, row.prefix)
            .expect("a string takes all");
        push_field(&mut line, &row.as_path.to_string());
        self.kept_bytes += line.len() + size_of::<(u64, bool, Box<str>)>();
        if self.kept_bytes > KEPT_BYTES_MAX || self.rows.len() == ROWS_MAX {
            return Err(io::Error::other(format!(
                "more updates than can be put in order: at most {ROWS_MAX} rows, {KEPT_BYTES_MAX} bytes"
            )));
        }
        self.rows.push((row.time_us, row.kind != RouteKind::Table, line.into()));
        Ok(())
    }
}

impl UpdateCollector {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes all rows in order. Second 0 is the whole second of the earliest row; rows of a table
    /// are put there.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write(mut self, out: &mut dyn io::Write) -> io::Result<()> {
        let start_s = self.rows.iter().map(|row| row.0).min().unwrap_or(0) / 1_000_000;
        for row in self.rows.iter_mut().filter(|row| !row.1) {
            row.0 = start_s * 1_000_000;
        }
        self.rows.sort_by_key(|row| (row.0, row.1));
        writeln!(out, "# format: {UPDATES_FORMAT}")?;
        let start = Stamp(i64::try_from(start_s).unwrap_or(0));
        writeln!(out, "# start: {}", start.text())?;
        let names: Vec<&str> = LAYOUT.columns.iter().map(|column| column.name).collect();
        writeln!(out, "{}", names.join(","))?;
        for (time_us, _, line) in &self.rows {
            writeln!(out, "{},{line}", seconds(time_us - start_s * 1_000_000))?;
        }
        Ok(())
    }
}

/// Seconds with as many digits as needed.
fn seconds(time_us: u64) -> String {
    let (whole, micros) = (time_us / 1_000_000, time_us % 1_000_000);
    if micros == 0 {
        return whole.to_string();
    }
    format!("{whole}.{micros:06}").trim_end_matches('0').to_owned()
}

/// Microseconds of decimal seconds with at most six digits behind the point.
fn micros(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 6 {
        return None;
    }
    let scale = 10_u64.pow(6 - part.len() as u32);
    let whole: u64 = whole.parse().ok()?;
    whole.checked_mul(1_000_000)?.checked_add(part.parse::<u64>().ok()? * scale)
}

impl BgpUpdates {
    /// Reads a file of updates.
    #[must_use]
    pub fn load(path: &Path) -> LoadedUpdates {
        let name = path.display().to_string();
        let (mut sink, mut sources) = (Sink::default(), SourceMap::default());
        let updates = match table_text::load(path) {
            Ok(text) => {
                let file = sources.add(&name, text);
                let text = sources.file(file).map_or("", |file| &file.text);
                BgpUpdates::parse(text, file, &mut sink)
            }
            Err(refused) => {
                let file = sources.add(&name, String::new());
                let place = Span::start_of(file);
                sink.push(Diagnostic::new(refused.code, place, refused.message).help(refused.help));
                None
            }
        };
        let (diagnostics, omitted) = sink.finish(&sources);
        LoadedUpdates { updates, sources, diagnostics, omitted }
    }

    /// Reads the text of a file of updates; none if anything is wrong with it.
    pub(crate) fn parse(text: &str, file: u32, sink: &mut Sink) -> Option<BgpUpdates> {
        let before = sink.error_count();
        let mut updates: Vec<BgpUpdate> = Vec::new();
        let pairs = table_text::read(text, file, &LAYOUT, sink, |row, sink| {
            let Some(update) = read_row(row, sink) else { return };
            let (_, span) = row.field(0);
            if updates.last().is_some_and(|last| last.time_us > update.time_us) {
                let what = "the row before is later";
                let help = "put the rows in order of time_s";
                sink.push(Diagnostic::new(E_ROW, span, what).help(help));
            }
            let later = update.time_us > 0
                || updates.last().is_some_and(|last| last.kind != RouteKind::Table);
            if update.kind == RouteKind::Table && later {
                let what = "a row of kind `table` is not at the start";
                let help = "give it time_s 0 and put it before all announcements and withdrawals";
                sink.push(Diagnostic::new(E_ROW, row.field(4).1, what).help(help));
            }
            updates.push(update);
        });
        let start = pairs.get("start").and_then(|start| Stamp::parse(start));
        if start.is_none() {
            let what = "the table does not say when second 0 was";
            let help = "write `# start: 2008-02-24T18:45:00Z` below the first line";
            sink.push(Diagnostic::new(E_TABLE, Span::start_of(file), what).help(help));
        }
        let start_unix_s = start?.0;
        (sink.error_count() == before).then_some(BgpUpdates { start_unix_s, updates })
    }
}

/// A row's value, or a finding if the text is not one.
fn value<T>(
    row: &Row,
    column: usize,
    help: &str,
    sink: &mut Sink,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let (text, span) = row.field(column);
    let value = read(text);
    if value.is_none() {
        let name = LAYOUT.columns[column].name;
        let what = format!("{name}: {} is not usable", quote(text));
        sink.push(Diagnostic::new(E_ROW, span, what).help(help));
    }
    value
}

fn read_row(row: &Row, sink: &mut Sink) -> Option<BgpUpdate> {
    let time_us = value(row, 0, "write seconds since the start, such as 12.5", sink, micros);
    let peer_asn = value(row, 1, "write an AS number, such as 3333", sink, parse_asn);
    let address = |text: &str| text.parse().ok();
    let peer_address = value(row, 2, "write an address, such as 192.0.2.1", sink, address);
    let prefix = value(row, 3, "write a prefix, such as 192.0.2.0/24", sink, Prefix::parse);
    let kind = value(row, 4, "write table, announce or withdraw", sink, RouteKind::parse);
    let help = "write AS numbers, nearest first, such as 3333 1103 64496";
    let as_path = value(row, 5, help, sink, ObservedPath::parse);
    let (kind, as_path) = (kind?, as_path?);
    if kind == RouteKind::Withdraw && !as_path.is_empty() {
        let what = "as_path: a withdrawal has no path";
        sink.push(Diagnostic::new(E_ROW, row.field(5).1, what).help("leave the field empty"));
    }
    Some(BgpUpdate {
        time_us: time_us?,
        peer_asn: peer_asn?,
        peer_address: peer_address?,
        prefix: prefix?,
        kind,
        as_path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEAD: &str = "# format: steerlab-bgp-updates/1\n# start: 2008-02-24T18:45:00Z\n\
                        time_s,peer_asn,peer_address,prefix,kind,as_path\n";

    fn parse(text: &str) -> (Option<BgpUpdates>, Vec<Diagnostic>) {
        let (mut sink, mut sources) = (Sink::default(), SourceMap::default());
        let file = sources.add("u.csv", text.to_owned());
        let updates = BgpUpdates::parse(text, file, &mut sink);
        (updates, sink.finish(&sources).0)
    }

    #[test]
    fn rows_come_out_in_order_of_time_with_the_table_first() {
        let row = |time_us, kind, asn| RouteObservation {
            time_us,
            peer_asn: asn,
            peer_address: "192.0.2.1".parse().unwrap(),
            prefix: Prefix::parse("198.51.100.0/24").unwrap(),
            kind,
            as_path: match kind {
                RouteKind::Withdraw => ObservedPath::default(),
                _ => ObservedPath::parse("1 2 {3,4}").unwrap(),
            },
            origin: None,
            med: None,
            local_pref: None,
            communities: Vec::new(),
            next_hop: None,
        };
        let mut collector = UpdateCollector::default();
        for row in [
            row(100_000_000, RouteKind::Announce, 1),
            row(102_500_000, RouteKind::Withdraw, 2),
            row(100_250_001, RouteKind::Announce, 3),
            row(103_000_000, RouteKind::Table, 4),
        ] {
            collector.take(&row).unwrap();
        }
        assert_eq!(collector.len(), 4);
        let mut text = Vec::new();
        collector.write(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let head = HEAD.replace("2008-02-24T18:45:00Z", "1970-01-01T00:01:40Z");
        assert_eq!(
            text,
            format!(
                "{head}0,4,192.0.2.1,198.51.100.0/24,table,\"1 2 {{3,4}}\"\n\
                 0,1,192.0.2.1,198.51.100.0/24,announce,\"1 2 {{3,4}}\"\n\
                 0.250001,3,192.0.2.1,198.51.100.0/24,announce,\"1 2 {{3,4}}\"\n\
                 2.5,2,192.0.2.1,198.51.100.0/24,withdraw,\n"
            )
        );
        let (updates, found) = parse(&text);
        assert!(found.is_empty(), "{found:?}");
        let updates = updates.unwrap();
        let times: Vec<u64> = updates.updates.iter().map(|update| update.time_us).collect();
        assert_eq!(times, [0, 0, 250_001, 2_500_000]);
        assert_eq!(updates.start_unix_s, 100);
    }

    #[test]
    fn every_problem_is_told_at_its_place() {
        let rows = "\
1,1,192.0.2.1,198.51.100.0/24,announce,1 2
0.5,1,192.0.2.1,198.51.100.0/24,announce,1 2
1,1,192.0.2.1,198.51.100.0/24,table,1 2
-1,x,192.0.2,198.51.100.1/24,gone,1 x
2,1,192.0.2.1,198.51.100.0/24,withdraw,1 2
0.0000001,1,192.0.2.1,198.51.100.0/24,announce,1
";
        let (updates, found) = parse(&format!("{HEAD}{rows}"));
        assert!(updates.is_none());
        let places: Vec<(u32, u32)> = found.iter().map(|f| (f.line(), f.column())).collect();
        let line_7 = [(7, 1), (7, 4), (7, 6), (7, 14), (7, 30), (7, 35)];
        let expected = [&[(5, 1), (6, 31)][..], &line_7, &[(8, 40), (9, 1)]].concat();
        assert_eq!(places, expected, "{found:#?}");
        let (updates, found) = parse(&HEAD.replace("# start", "# begin"));
        assert!(updates.is_none() && found[0].message.contains("second 0"), "{found:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_text_gives_updates_or_findings(
            text in "([0-9.,\"{}() #\n\r]|announce|table|:|/|\\PC){0,80}",
            headed in any::<bool>(),
        ) {
            let text = if headed { format!("{HEAD}{text}") } else { text };
            let (updates, found) = parse(&text);
            prop_assert_eq!(updates.is_some(), found.is_empty());
            let catchment = crate::catchment::CatchmentTable::parse("c.csv", text.as_bytes());
            prop_assert!(catchment.is_err_and(|found| !found.is_empty()));
        }
    }
}
