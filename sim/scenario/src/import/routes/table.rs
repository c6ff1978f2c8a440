//! The table of observed routes as CSV.
//!
//! Line 1 is `# format: steerlab-observed-routes/1`, line 2 `# source: FILE`, then a header and one
//! line a row, in the order read. Columns: `time_us` (microseconds since 1970-01-01T00:00:00Z),
//! `peer_asn`, `peer_address`, `prefix`, `kind` (`table`, `announce`, `withdraw`), `as_path` (nearest
//! first, prepends kept, `{}` around sets), `origin` (`igp`, `egp`, `incomplete`), `med`,
//! `local_pref`, `communities` (separated by spaces), `next_hop`. What a route does not have is
//! empty: an absent MED is not 0.

use super::RouteSink;
use super::observation::{RouteObservation, RouteOrigin};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Format and version of the table.
pub const ROUTES_FORMAT: &str = "steerlab-observed-routes/1";

/// Names of the columns, in order.
pub(super) const COLUMNS: [&str; 11] = [
    "time_us",
    "peer_asn",
    "peer_address",
    "prefix",
    "kind",
    "as_path",
    "origin",
    "med",
    "local_pref",
    "communities",
    "next_hop",
];

/// What stands above the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutesHead {
    /// Last part of the input's path.
    pub source: String,
}

/// Writes rows as CSV as they come.
pub struct CsvRoutes<W: Write> {
    out: W,
    line: String,
}

impl RoutesHead {
    /// The head for an input; only the last part of its path is kept, without line breaks.
    #[must_use]
    pub fn of(path: &str) -> RoutesHead {
        let name = crate::import::common::names::base_name(path);
        RoutesHead { source: name.chars().filter(|c| !c.is_control()).collect() }
    }
}

impl<W: Write> CsvRoutes<W> {
    /// Writes the head.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(mut out: W, head: &RoutesHead) -> io::Result<CsvRoutes<W>> {
        writeln!(out, "# format: {ROUTES_FORMAT}")?;
        writeln!(out, "# source: {}", head.source)?;
        writeln!(out, "{}", COLUMNS.join(","))?;
        Ok(CsvRoutes { out, line: String::new() })
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> RouteSink for CsvRoutes<W> {
    fn take(&mut self, row: &RouteObservation) -> io::Result<()> {
        let line = &mut self.line;
        line.clear();
        let kind = row.kind.name();
        let fixed = write!(
            line,
            "{},{},{},{},{kind},",
            row.time_us, row.peer_asn, row.peer_address, row.prefix
        );
        fixed.expect("a string takes all");
        push_field(line, &row.as_path.to_string());
        line.push(',');
        line.push_str(row.origin.map_or("", RouteOrigin::name));
        for number in [row.med, row.local_pref] {
            line.push(',');
            if let Some(number) = number {
                write!(line, "{number}").expect("a string takes all");
            }
        }
        line.push(',');
        line.push_str(&communities(row));
        line.push(',');
        if let Some(next_hop) = row.next_hop {
            write!(line, "{next_hop}").expect("a string takes all");
        }
        line.push('\n');
        self.out.write_all(line.as_bytes())
    }
}

/// The communities, separated by spaces.
pub(super) fn communities(row: &RouteObservation) -> String {
    let texts: Vec<String> = row.communities.iter().map(ToString::to_string).collect();
    texts.join(" ")
}

/// Appends a field, in quotes where it has a comma (sets do). Our fields have no quotes.
pub(super) fn push_field(line: &mut String, field: &str) {
    if field.contains(',') {
        line.push('"');
        line.push_str(field);
        line.push('"');
    } else {
        line.push_str(field);
    }
}
