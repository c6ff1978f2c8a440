//! The matrix file: a recorded series of traffic matrices as one long table.
//!
//! Columns: `time_ns` (INT64, nanoseconds since the scenario's start), `from`, `to` (UTF-8, node
//! ids) and `rate_bps` (DOUBLE, bits per second). Rows are sorted by (time, from, to). A row that
//! is missing means 0. The first instant lists every pair and every instant lists at least one
//! row, so the time grid and the list of pairs survive. A rate holds until the next instant.
//!
//! The same four columns are read from CSV.

mod parquet_file;
mod table;

use std::collections::BTreeSet;
use steerlab_engine::kernel::SimTime;
use table::TableBuilder;

/// Value of the key-value pair `format` in a matrix file.
pub const FORMAT: &str = "steerlab-matrix/1";

/// Most cells (instants x pairs) of a series: a year of 5-minute matrices of 300 pairs.
pub const MAX_CELLS: usize = 1 << 25;

/// Longest node name in a matrix file, in bytes.
pub const MAX_NAME_BYTES: usize = 128;

/// Names of the columns, in order.
const COLUMNS: [&str; 4] = ["time_ns", "from", "to", "rate_bps"];

/// A recorded series of traffic matrices, piecewise constant.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedMatrix {
    /// Instants from which each row holds, ascending, the first at 0.
    pub times: Vec<SimTime>,
    /// (from, to) node ids, ascending, each once.
    pub pairs: Vec<(String, String)>,
    /// Rates in bit/s, row after row: `times.len() * pairs.len()` values, finite and at least 0.
    pub rates_bps: Vec<f64>,
}

impl RecordedMatrix {
    /// What is wrong with it, if anything: the rules in the fields' descriptions.
    ///
    /// # Errors
    /// The first rule that does not hold, in words.
    pub fn check(&self) -> Result<(), String> {
        let cells = self.times.len().checked_mul(self.pairs.len());
        if self.times.first() != Some(&SimTime::ZERO) {
            return Err("the first instant of a matrix series is 0".to_owned());
        }
        if !self.times.windows(2).all(|two| two[0] < two[1]) {
            return Err("the instants of a matrix series ascend".to_owned());
        }
        if self.times.last().is_some_and(|time| i64::try_from(time.0).is_err()) {
            return Err("an instant lies beyond 292 years".to_owned());
        }
        if self.pairs.is_empty() || !self.pairs.windows(2).all(|two| two[0] < two[1]) {
            return Err("the pairs of a matrix series ascend and there is at least one".to_owned());
        }
        if cells != Some(self.rates_bps.len()) || self.rates_bps.len() > MAX_CELLS {
            return Err(format!("a matrix series has one rate a cell, at most {MAX_CELLS}"));
        }
        if !self.rates_bps.iter().all(|rate| rate.is_finite() && *rate >= 0.0) {
            return Err("a rate is finite and at least 0".to_owned());
        }
        let names: BTreeSet<&String> =
            self.pairs.iter().flat_map(|(from, to)| [from, to]).collect();
        if names.iter().any(|name| name.is_empty() || name.len() > MAX_NAME_BYTES) {
            return Err(format!("a node name has 1 to {MAX_NAME_BYTES} bytes"));
        }
        Ok(())
    }

    /// Sum of all pairs' rates at each instant, bit/s.
    #[must_use]
    pub fn totals_bps(&self) -> Vec<f64> {
        self.rates_bps.chunks(self.pairs.len().max(1)).map(|row| row.iter().sum()).collect()
    }
}

/// The bytes of a Parquet matrix file. The same matrix gives the same bytes.
///
/// # Panics
/// If the matrix breaks its own rules ([`RecordedMatrix::check`]).
#[must_use]
pub fn write(matrix: &RecordedMatrix) -> Vec<u8> {
    let checked = matrix.check();
    assert!(checked.is_ok(), "matrix to be written: {checked:?}");
    parquet_file::write(matrix).expect("writing to memory fails only on a broken schema")
}

/// Reads a matrix file: Parquet if it begins with Parquet's magic bytes, else CSV.
///
/// # Errors
/// What is wrong and what to do, in words; for CSV with the line.
pub fn read(bytes: &[u8]) -> Result<RecordedMatrix, String> {
    let mut table = TableBuilder::default();
    if bytes.starts_with(b"PAR1") {
        parquet_file::read(bytes, &mut table)?;
    } else {
        table::read_csv(bytes, &mut table)?;
    }
    let matrix = table.finish()?;
    matrix.check()?;
    Ok(matrix)
}

#[cfg(test)]
mod tests;
