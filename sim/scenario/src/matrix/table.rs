//! The long table on its way in: checks each row and builds the dense series.

use super::{COLUMNS, MAX_CELLS, MAX_NAME_BYTES, RecordedMatrix};
use std::collections::BTreeMap;
use steerlab_engine::kernel::SimTime;

/// Collects rows in file order.
#[derive(Default)]
pub(super) struct TableBuilder {
    times: Vec<SimTime>,
    /// Number of each pair, in order of appearance.
    pairs: BTreeMap<(String, String), u32>,
    /// (instant, pair, rate) of each row.
    cells: Vec<(u32, u32, f64)>,
    last: Option<(SimTime, (String, String))>,
}

impl TableBuilder {
    /// Takes one row. `place` names it in messages.
    pub(super) fn push(
        &mut self,
        time_ns: i64,
        from: &str,
        to: &str,
        rate_bps: f64,
        place: &dyn Fn() -> String,
    ) -> Result<(), String> {
        let fail = |what: String| Err(format!("{}: {what}", place()));
        let Ok(time) = u64::try_from(time_ns).map(SimTime) else {
            return fail(format!("time_ns is {time_ns}; times start at 0"));
        };
        if !rate_bps.is_finite() || rate_bps < 0.0 {
            return fail(format!("rate_bps is {rate_bps}; a rate is finite and at least 0"));
        }
        for name in [from, to] {
            if name.is_empty() || name.len() > MAX_NAME_BYTES {
                return fail(format!("a node name has 1 to {MAX_NAME_BYTES} bytes"));
            }
        }
        if from == to {
            return fail(format!("demand from '{from}' to itself; leave such rows out"));
        }
        let row = (time, (from.to_owned(), to.to_owned()));
        if self.last.as_ref().is_some_and(|last| *last >= row) {
            return fail(format!(
                "row ({time_ns}, {from}, {to}) comes after a later or equal one; sort the rows \
                 by time_ns, from, to and keep each once"
            ));
        }
        self.store(time, rate_bps, &row.1).or_else(fail)?;
        self.last = Some(row);
        Ok(())
    }

    fn store(
        &mut self,
        time: SimTime,
        rate_bps: f64,
        pair: &(String, String),
    ) -> Result<(), String> {
        if self.times.last() != Some(&time) {
            if self.times.is_empty() && time != SimTime::ZERO {
                return Err("the first time_ns is not 0; times count from the start".to_owned());
            }
            self.times.push(time);
        }
        let next = self.pairs.len() as u32;
        let column = match self.pairs.get(pair) {
            Some(&column) => column,
            None => *self.pairs.entry(pair.clone()).or_insert(next),
        };
        if self.times.len().saturating_mul(self.pairs.len()) > MAX_CELLS {
            return Err(format!("more than {MAX_CELLS} cells (instants x pairs)"));
        }
        // Adding zero turns a negative zero into a positive one.
        self.cells.push((self.times.len() as u32 - 1, column, rate_bps + 0.0));
        Ok(())
    }

    /// The dense series, pairs sorted.
    pub(super) fn finish(self) -> Result<RecordedMatrix, String> {
        if self.cells.is_empty() {
            return Err("the matrix file holds no rows".to_owned());
        }
        let width = self.pairs.len();
        let mut column_of = vec![0; width];
        for (sorted, number) in self.pairs.values().enumerate() {
            column_of[*number as usize] = sorted;
        }
        let mut rates_bps = vec![0.0; width * self.times.len()];
        for (instant, pair, rate) in self.cells {
            rates_bps[instant as usize * width + column_of[pair as usize]] = rate;
        }
        Ok(RecordedMatrix { times: self.times, pairs: self.pairs.into_keys().collect(), rates_bps })
    }
}

/// Reads the table from CSV with a header line.
pub(super) fn read_csv(bytes: &[u8], table: &mut TableBuilder) -> Result<(), String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|error| csv_error(&error))?;
    if !header.iter().eq(COLUMNS) {
        return Err(format!(
            "neither a Parquet file nor a CSV file whose first line is '{}'",
            COLUMNS.join(",")
        ));
    }
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| csv_error(&error))? {
        let line = record.position().map_or(0, csv::Position::line);
        let place = || format!("line {line}");
        let time_ns = record[0]
            .parse()
            .map_err(|_| format!("line {line}: time_ns '{}' is no whole number", &record[0]))?;
        let rate_bps = record[3]
            .parse()
            .map_err(|_| format!("line {line}: rate_bps '{}' is no number", &record[3]))?;
        table.push(time_ns, &record[1], &record[2], rate_bps, &place)?;
    }
    Ok(())
}

fn csv_error(error: &csv::Error) -> String {
    let line = error.position().map_or_else(String::new, |at| format!("line {}: ", at.line()));
    let what = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8".to_owned(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields instead of {expected_len}")
        }
        _ => "the line cannot be read".to_owned(),
    };
    format!("{line}{what}")
}
