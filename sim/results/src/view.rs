//! A finished run directory in memory: all that reports and notebooks need.

use crate::summary::{Manifest, Summary};
use std::collections::BTreeMap;
use std::path::PathBuf;
use steerlab_engine::scenario::Scenario;

/// A table of a run directory: one row per (arm, replication, bucket start, entity).
#[derive(Clone, Debug, PartialEq)]
pub struct DataTable {
    /// File name without ending: `sites`, `links`, `tenants`, `totals`, `client_groups`,
    /// `events`, `actions`, and `runs` (one row per run, metric and labels).
    pub name: String,
    /// Columns of equal length.
    pub columns: Vec<DataColumn>,
}

/// A column; quantity, unit and statistic are in its name.
#[derive(Clone, Debug, PartialEq)]
pub struct DataColumn {
    /// Name such as `utilisation_max` or `time_s`.
    pub name: String,
    /// What it holds, one line; goes into `columns.json`.
    pub meaning: String,
    /// Values.
    pub data: ColumnData,
}

/// Values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnData {
    /// Numbers; NaN where there is no value (null in files).
    F64(Vec<f64>),
    /// Whole numbers.
    U64(Vec<u64>),
    /// Text, dictionary-coded: row i is `dictionary[codes[i]]`.
    Text {
        /// Distinct values.
        dictionary: Vec<String>,
        /// One index a row.
        codes: Vec<u32>,
    },
}

impl DataTable {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| match &column.data {
            ColumnData::F64(values) => values.len(),
            ColumnData::U64(values) => values.len(),
            ColumnData::Text { codes, .. } => codes.len(),
        })
    }

    /// The column of a name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&DataColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// How the tables of a view differ from those of the run directory, which may be larger than
/// memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thinned {
    /// Buckets in one row; 1 = as they are. Merged rows hold means by length, the largest of
    /// columns that say largest or percentile, and the last of what holds at the end of a bucket.
    pub buckets: u64,
    /// The same for buckets of client groups.
    pub client_buckets: u64,
    /// Rows left out at the end of each run, by table that lists what happened.
    pub left_out: BTreeMap<String, u64>,
}

impl Default for Thinned {
    fn default() -> Thinned {
        Thinned { buckets: 1, client_buckets: 1, left_out: BTreeMap::new() }
    }
}

/// A run directory, read.
#[derive(Clone, Debug)]
pub struct RunView {
    /// Where it was read from.
    pub dir: PathBuf,
    /// The resolved scenario (recorded series are not in it).
    pub scenario: Scenario,
    /// Figures, checks, comparison.
    pub summary: Summary,
    /// Provenance.
    pub manifest: Manifest,
    /// All tables, in file-name order.
    pub tables: Vec<DataTable>,
    /// What was merged or left out to keep them small.
    pub thinned: Thinned,
}

impl RunView {
    /// The table of a name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&DataTable> {
        self.tables.iter().find(|table| table.name == name)
    }
}
