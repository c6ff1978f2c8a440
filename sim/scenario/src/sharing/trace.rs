//! Traces of flows: which node sends how much to which other node, and when.
//!
//! The format is plain CSV with the header `start,src,dst,bytes`: seconds since the start, node
//! numbers from 0, bytes. A column `end` may give the seconds at which each flow ended elsewhere.
//! Limits: 512 MiB, ten million flows, 100 years.

use crate::diagnostic::{Diagnostic, Sink, quote};
use crate::source::{SourceMap, Span};
use crate::table_text::{self, Column, E_ROW, E_TABLE, Layout, Row};
use std::path::Path;

const START: usize = 0;
const SRC: usize = 1;
const DST: usize = 2;
const BYTES: usize = 3;
const END: usize = 4;

const LAYOUT: Layout = Layout {
    format: "",
    columns: &[
        Column { name: "start", required: true },
        Column { name: "src", required: true },
        Column { name: "dst", required: true },
        Column { name: "bytes", required: true },
        Column { name: "end", required: false },
    ],
    rows_max: 10_000_000,
};

/// Latest instant, seconds: about 100 years.
const SECONDS_MAX: u64 = 3_155_760_000;
/// Largest flow: every whole number up to here has a float of its own.
const BYTES_MAX: u64 = 1 << 53;

/// A flow of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceFlow {
    /// Seconds, nodes and bytes as they stand in the file, separated by commas.
    pub text: String,
    /// Whole nanoseconds since the start ...
    pub start_ns: u64,
    /// ... and what the file has beyond them, below 1.
    pub start_fraction_ns: f64,
    /// Node it leaves from.
    pub source: u32,
    /// Node it goes to, another one.
    pub target: u32,
    /// Bytes to carry.
    pub bytes: u64,
    /// Seconds since the start at which it ended elsewhere: whole nanoseconds and the rest.
    pub end_ns: Option<(u64, f64)>,
    /// Line in the file, from 1.
    pub line: u32,
}

/// The outcome of reading a trace.
#[derive(Debug)]
pub struct LoadedTrace {
    /// The flows in the order of the file, if nothing is wrong.
    pub flows: Option<Vec<TraceFlow>>,
    /// The text, for showing the findings.
    pub sources: SourceMap,
    /// All findings in order of place.
    pub diagnostics: Vec<Diagnostic>,
    /// Findings beyond those kept.
    pub omitted: usize,
}

/// Reads a trace on a network of `nodes` nodes. `reaches` says whether a node can be reached from
/// another.
#[must_use]
pub fn load_trace(
    path: &Path,
    nodes: usize,
    mut reaches: impl FnMut(u32, u32) -> bool,
) -> LoadedTrace {
    let name = path.display().to_string();
    let (mut sink, mut sources) = (Sink::default(), SourceMap::default());
    let mut flows = Vec::new();
    match table_text::load(path) {
        Ok(text) => {
            let file = sources.add(&name, text);
            let text = sources.file(file).map_or("", |file| &file.text);
            table_text::read(text, file, &LAYOUT, &mut sink, |row, sink| {
                flows.extend(read_row(row, nodes, &mut reaches, sink));
            });
            if flows.is_empty() && sink.error_count() == 0 {
                let found = Diagnostic::new(E_TABLE, Span::start_of(file), "the trace is empty");
                sink.push(found.help("write one row a flow below the header"));
            }
        }
        Err(refused) => {
            sources.add(&name, String::new());
            sink.push(Diagnostic::new(refused.code, None, refused.message).help(refused.help));
        }
    }
    let good = sink.error_count() == 0;
    let (diagnostics, omitted) = sink.finish(&sources);
    LoadedTrace { flows: good.then_some(flows), sources, diagnostics, omitted }
}

fn read_row(
    row: &Row,
    nodes: usize,
    reaches: &mut impl FnMut(u32, u32) -> bool,
    sink: &mut Sink,
) -> Option<TraceFlow> {
    let start = read_seconds(row, START, sink);
    let source = read_node(row, SRC, nodes, sink);
    let target = read_node(row, DST, nodes, sink);
    let bytes = read_bytes(row, sink);
    let end = match row.field(END).0 {
        "" => Some(None),
        _ => read_seconds(row, END, sink).map(Some),
    };
    if let (Some(source), Some(target)) = (source, target) {
        let what = if source == target {
            Some(format!("a flow from node {source} to itself crosses no link"))
        } else if !reaches(source, target) {
            Some(format!("node {target} cannot be reached from node {source}"))
        } else {
            None
        };
        if let Some(what) = what {
            let found = Diagnostic::new(E_ROW, row.field(DST).1, what);
            sink.push(found.help("name a node to which the network has a way, or drop the row"));
            return None;
        }
    }
    let ((start_ns, start_fraction_ns), bytes) = (start?, bytes?);
    Some(TraceFlow {
        text: [START, SRC, DST, BYTES].map(|column| row.field(column).0).join(","),
        start_ns,
        start_fraction_ns,
        source: source?,
        target: target?,
        bytes,
        end_ns: end?,
        line: row.field(START).1.line,
    })
}

fn bad(row: &Row, column: usize, help: &str, sink: &mut Sink) {
    let (text, span) = row.field(column);
    let name = LAYOUT.columns[column].name;
    let what = match text {
        "" => format!("{name} is empty"),
        text => format!("{name}: {} cannot be used", quote(text)),
    };
    sink.push(Diagnostic::new(E_ROW, span, what).help(help));
}

/// Seconds as whole nanoseconds and the rest, exactly as written.
fn read_seconds(row: &Row, column: usize, sink: &mut Sink) -> Option<(u64, f64)> {
    let nanos = decimal_nanos(row.field(column).0);
    if nanos.is_none() {
        let help = "write seconds since the start as a plain decimal number, such as 12.000000345, \
                    at most 100 years";
        bad(row, column, help, sink);
    }
    nanos
}

fn decimal_nanos(text: &str) -> Option<(u64, f64)> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && part.is_empty()) || !digits(whole) || !digits(part) {
        return None;
    }
    let seconds: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let (nanos, rest) = part.split_at(part.len().min(9));
    let nanos: u64 = format!("{nanos:0<9}").parse().ok()?;
    let rest: f64 = if rest.is_empty() { 0.0 } else { format!("0.{rest}").parse().ok()? };
    let total = seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?;
    // A rest of very many nines is one by its float.
    let (total, rest) = if rest >= 1.0 { (total + 1, 0.0) } else { (total, rest) };
    (seconds <= SECONDS_MAX).then_some((total, rest))
}

fn read_node(row: &Row, column: usize, nodes: usize, sink: &mut Sink) -> Option<u32> {
    let text = row.field(column).0;
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let node = text.parse::<u32>().ok().filter(|&node| plain && (node as usize) < nodes);
    if node.is_none() {
        let help = format!("write the number of a node, 0 to {}", nodes.saturating_sub(1));
        bad(row, column, &help, sink);
    }
    node
}

fn read_bytes(row: &Row, sink: &mut Sink) -> Option<u64> {
    let text = row.field(BYTES).0;
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let bytes = text.parse::<u64>().ok().filter(|bytes| plain && (1..=BYTES_MAX).contains(bytes));
    if bytes.is_none() {
        bad(row, BYTES, "write a whole number of bytes, 1 to 9007199254740992", sink);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::decimal_nanos;

    #[test]
    fn decimals_are_read_exactly() {
        assert_eq!(decimal_nanos("0.000160323"), Some((160_323, 0.0)));
        assert_eq!(decimal_nanos("12"), Some((12_000_000_000, 0.0)));
        assert_eq!(decimal_nanos(".5"), Some((500_000_000, 0.0)));
        assert_eq!(decimal_nanos("1.0000000015"), Some((1_000_000_001, 0.5)));
        for text in ["", ".", "-1", "1e3", "nan", "1.2.3", "+1", "99999999999999999999", " 1"] {
            assert_eq!(decimal_nanos(text), None, "{text}");
        }
        assert_eq!(decimal_nanos(&format!("0.{}", "9".repeat(400))), Some((1_000_000_000, 0.0)));
    }
}
