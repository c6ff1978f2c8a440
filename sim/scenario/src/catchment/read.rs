//! Reading catchment tables: all findings in one pass.

use super::{CATCHMENT_FORMAT, CatchmentClient, CatchmentKey, CatchmentRow, CatchmentTable};
use crate::diagnostic::{Diagnostic, Sink, quote};
use crate::import::routes::{Prefix, parse_asn};
use crate::limits::ID_BYTES_MAX;
use crate::source::{SourceMap, Span};
use crate::table_text::{self, Column, E_ROW, E_TABLE, E_TWICE, Layout, Row};
use std::collections::BTreeMap;
use std::path::Path;

const KIND: usize = 0;
const ID: usize = 1;
const SITE: usize = 2;
const WEIGHT: usize = 3;
const PREFIX: usize = 4;
const RTT_MS: usize = 5;

pub(super) const LAYOUT: Layout = Layout {
    format: CATCHMENT_FORMAT,
    columns: &[
        Column { name: "kind", required: true },
        Column { name: "id", required: true },
        Column { name: "site", required: true },
        Column { name: "weight", required: false },
        Column { name: "prefix", required: false },
        Column { name: "rtt_ms", required: false },
    ],
    rows_max: 10_000_000,
};

/// The outcome of reading a table.
#[derive(Debug)]
pub struct LoadedCatchment {
    /// The table, if nothing is wrong.
    pub table: Option<CatchmentTable>,
    /// The text, for showing the findings.
    pub sources: SourceMap,
    /// All findings in order of place.
    pub diagnostics: Vec<Diagnostic>,
    /// Findings beyond those kept.
    pub omitted: usize,
}

impl CatchmentTable {
    /// Reads a table and keeps its text, so that findings can be shown with their lines.
    #[must_use]
    pub fn load(path: &Path) -> LoadedCatchment {
        let name = path.display().to_string();
        match table_text::load(path) {
            Ok(text) => load_text(&name, text),
            Err(refused) => {
                let found = Diagnostic::new(refused.code, None, refused.message).help(refused.help);
                refuse(&name, found)
            }
        }
    }

    /// The same from bytes.
    pub(super) fn load_bytes(name: &str, bytes: &[u8]) -> LoadedCatchment {
        match std::str::from_utf8(bytes) {
            Ok(text) => load_text(name, text.to_owned()),
            Err(error) => {
                let what = format!("byte {} is no UTF-8", error.valid_up_to());
                let help = "save the table as UTF-8 text";
                refuse(name, Diagnostic::new(E_TABLE, None, what).help(help))
            }
        }
    }

    /// Reads a table that is a file of a scenario; none if anything is wrong with it.
    pub(crate) fn parse_text(text: &str, file: u32, sink: &mut Sink) -> Option<CatchmentTable> {
        let before = sink.error_count();
        let mut places: BTreeMap<CatchmentKey, Span> = BTreeMap::new();
        let mut rows = Vec::new();
        table_text::read(text, file, &LAYOUT, sink, |row, sink| {
            let Some(new) = read_row(row, sink) else { return };
            if let Some(first) = places.get(&new.key) {
                let (kind, id) = (new.key.client.kind(), new.key.client.to_string());
                let what = format!("{kind} {} is there twice", quote(&id));
                let help = "keep one of the rows: a client has one site for each announced prefix";
                let found = Diagnostic::new(E_TWICE, row.field(ID).1, what).help(help);
                sink.push(found.related(*first, "the first row"));
                return;
            }
            places.insert(new.key.clone(), row.field(ID).1);
            rows.push(new);
        });
        if sink.error_count() > before {
            return None;
        }
        CatchmentTable::new(rows).ok()
    }
}

fn load_text(name: &str, text: String) -> LoadedCatchment {
    let (mut sink, mut sources) = (Sink::default(), SourceMap::default());
    let file = sources.add(name, text);
    let text = sources.file(file).map_or("", |file| &file.text);
    let table = CatchmentTable::parse_text(text, file, &mut sink);
    let (diagnostics, omitted) = sink.finish(&sources);
    LoadedCatchment { table, sources, diagnostics, omitted }
}

fn refuse(name: &str, found: Diagnostic) -> LoadedCatchment {
    let (mut sink, mut sources) = (Sink::default(), SourceMap::default());
    sources.add(name, String::new());
    sink.push(found);
    let (diagnostics, omitted) = sink.finish(&sources);
    LoadedCatchment { table: None, sources, diagnostics, omitted }
}

fn read_row(row: &Row, sink: &mut Sink) -> Option<CatchmentRow> {
    let client = read_client(row, sink);
    let (site, span) = row.field(SITE);
    let site_fits = is_id(site);
    if !site_fits {
        let what = match site {
            "" => "the site is empty".to_owned(),
            site => format!("{} is no site", quote(site)),
        };
        sink.push(Diagnostic::new(E_ROW, span, what).help(ID_HELP));
    }
    let weight = read_number(row, WEIGHT, sink);
    let rtt_ms = read_number(row, RTT_MS, sink);
    let (prefix, span) = row.field(PREFIX);
    // An announced prefix is named by its id in the scenario, or by the block itself.
    let prefix_fits = prefix.is_empty() || is_id(prefix) || Prefix::parse(prefix).is_some();
    if !prefix_fits {
        let what = format!("{} is no announced prefix", quote(prefix));
        let help = "write the prefix's id, a block such as 192.0.2.0/24, or nothing";
        sink.push(Diagnostic::new(E_ROW, span, what).help(help));
    }
    let prefix = (!prefix.is_empty()).then(|| prefix.to_owned());
    let row = CatchmentRow {
        key: CatchmentKey { client: client?, prefix },
        site: site.to_owned(),
        weight: weight?,
        rtt_ms: rtt_ms?,
    };
    (site_fits && prefix_fits).then_some(row)
}

const ID_HELP: &str = "write an id: letters, digits, `.`, `_` and `-`, at most 128";

fn read_client(row: &Row, sink: &mut Sink) -> Option<CatchmentClient> {
    let (kind, kind_span) = row.field(KIND);
    let (id, span) = row.field(ID);
    let (client, help) = match kind {
        "client-group" => (is_id(id).then(|| CatchmentClient::Group(id.to_owned())), ID_HELP),
        "prefix" => (
            Prefix::parse(id).map(CatchmentClient::Block),
            "write a block such as 192.0.2.0/24, without bits behind its length",
        ),
        "as" => (
            parse_asn(id).map(CatchmentClient::As),
            "write the number alone, such as 64496, at most 4294967295",
        ),
        _ => {
            let kinds = ["client-group", "prefix", "as"];
            let nearest = sink.nearest(kind, kinds);
            let what = format!("{} is no kind of client", quote(kind));
            let found = Diagnostic::new(E_ROW, kind_span, what);
            let found = found.help("write client-group, prefix or as");
            sink.push(found.suggest(nearest));
            return None;
        }
    };
    if client.is_none() {
        let what = match id {
            "" => "the id is empty".to_owned(),
            id => format!("{} is no id of a row of kind `{kind}`", quote(id)),
        };
        sink.push(Diagnostic::new(E_ROW, span, what).help(help));
    }
    client
}

/// A number of at least 0, or nothing. The outer none: neither.
#[allow(clippy::option_option, reason = "absent and wrong are different things")]
fn read_number(row: &Row, column: usize, sink: &mut Sink) -> Option<Option<f64>> {
    let (text, span) = row.field(column);
    if text.is_empty() {
        return Some(None);
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    let number = text.parse::<f64>().ok().filter(|number| plain && number.is_finite());
    if let Some(number) = number.filter(|number| *number >= 0.0) {
        // Adding zero turns a negative zero into a positive one.
        return Some(Some(number + 0.0));
    }
    let name = LAYOUT.columns[column].name;
    let what = match number {
        Some(_) => format!("{name}: {} is below 0", quote(text)),
        None => format!("{name}: {} is no number", quote(text)),
    };
    let help = "write a number of at least 0, such as 12.5, or leave the field empty";
    sink.push(Diagnostic::new(E_ROW, span, what).help(help));
    None
}

/// Whether a text may be an id of the language.
pub(super) fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed)
}
