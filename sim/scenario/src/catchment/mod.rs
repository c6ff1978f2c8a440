//! Catchment tables: which site serves whom.
//!
//! Format `steerlab-catchment/1`, a CSV file. Line 1 is `# format: steerlab-catchment/1`; then a
//! header with the columns
//!
//! - `kind`: `client-group` (an id of a scenario), `prefix` (an address block of clients) or `as`;
//! - `id`: the group's id, the block such as `192.0.2.0/24`, or the AS number in decimal;
//! - `site`: id of the site that serves it;
//! - `weight`, optional: how much it counts, a number of at least 0; an empty field is 1;
//! - `prefix`, optional: the announced prefix that the row is about; an empty field is any;
//! - `rtt_ms`, optional: round-trip time to the site, milliseconds, at least 0; may be empty.
//!
//! A client has one site for each announced prefix. The order of rows and columns is free; what is
//! written is sorted, so the same table is the same file. Limits: 10,000,000 rows, 512 MiB.

mod agreement;
mod convert;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use agreement::{
    Agreement, COMPARISON_FORMAT, CatchmentComparison, Confusion, Disagreement, KindAgreement,
    WeightsOf, compare_catchments,
};
pub use convert::{CatchmentSource, Converted, WeightBy, convert_catchment};
pub use read::LoadedCatchment;

use crate::diagnostic::Diagnostic;
use crate::import::routes::Prefix;
use std::fmt;
use std::path::Path;

/// Format and version of the table.
pub const CATCHMENT_FORMAT: &str = "steerlab-catchment/1";

/// Whose traffic a row is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CatchmentClient {
    /// A client group of a scenario, by its id.
    Group(String),
    /// An address block.
    Block(Prefix),
    /// An autonomous system.
    As(u32),
}

/// What a row is about: no two rows of a table have the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CatchmentKey {
    /// Whose traffic.
    pub client: CatchmentClient,
    /// To which announced prefix; none: to any.
    pub prefix: Option<String>,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct CatchmentRow {
    /// What it is about.
    pub key: CatchmentKey,
    /// Id of the site.
    pub site: String,
    /// How much it counts, finite and at least 0; none: 1.
    pub weight: Option<f64>,
    /// Round-trip time to the site, milliseconds, finite and at least 0.
    pub rtt_ms: Option<f64>,
}

/// A table without two rows of the same key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CatchmentTable {
    rows: Vec<CatchmentRow>,
}

impl CatchmentClient {
    /// `client-group`, `prefix` or `as`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            CatchmentClient::Group(_) => "client-group",
            CatchmentClient::Block(_) => "prefix",
            CatchmentClient::As(_) => "as",
        }
    }
}

impl fmt::Display for CatchmentClient {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CatchmentClient::Group(id) => out.write_str(id),
            CatchmentClient::Block(block) => block.fmt(out),
            CatchmentClient::As(asn) => asn.fmt(out),
        }
    }
}

impl CatchmentRow {
    /// Its weight, 1 if none is given.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weight.unwrap_or(1.0)
    }
}

impl CatchmentTable {
    /// A table of rows in any order.
    ///
    /// # Errors
    /// A key that two rows have.
    pub fn new(mut rows: Vec<CatchmentRow>) -> Result<CatchmentTable, CatchmentKey> {
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        match rows.windows(2).find(|two| two[0].key == two[1].key) {
            Some(two) => Err(two[0].key.clone()),
            None => Ok(CatchmentTable { rows }),
        }
    }

    /// The rows, in ascending order of their keys.
    #[must_use]
    pub fn rows(&self) -> &[CatchmentRow] {
        &self.rows
    }

    /// Where a client's traffic to an announced prefix goes: the row about this prefix, or else the
    /// row about any.
    #[must_use]
    pub fn find(&self, client: &CatchmentClient, prefix: &str) -> Option<&CatchmentRow> {
        let row = |prefix: Option<&str>| {
            let wanted = (client, prefix);
            let order =
                |row: &CatchmentRow| (&row.key.client, row.key.prefix.as_deref()).cmp(&wanted);
            self.rows.binary_search_by(order).ok().map(|at| &self.rows[at])
        };
        row(Some(prefix)).or_else(|| row(None))
    }

    /// Reads a table from a file.
    ///
    /// # Errors
    /// Everything that is wrong with it, with file, line and column.
    pub fn read(path: &Path) -> Result<CatchmentTable, Vec<Diagnostic>> {
        let loaded = CatchmentTable::load(path);
        loaded.table.ok_or(loaded.diagnostics)
    }

    /// Reads a table from bytes; `name` stands in the diagnostics.
    ///
    /// # Errors
    /// As [`CatchmentTable::read`].
    pub fn parse(name: &str, bytes: &[u8]) -> Result<CatchmentTable, Vec<Diagnostic>> {
        let loaded = CatchmentTable::load_bytes(name, bytes);
        loaded.table.ok_or(loaded.diagnostics)
    }
}
