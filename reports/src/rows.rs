//! Reading the tables of a run directory, tolerant of what is not there.
//!
//! A missing table or column is an answer ([`Missing`]), not a failure: the figure is left out and
//! the report says why.

use steerlab_results::view::{ColumnData, DataTable, RunView};

/// Why something cannot be shown, as a sentence for the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(pub String);

/// A column of numbers.
#[derive(Clone, Copy)]
pub enum Numbers<'a> {
    /// Floating point.
    F64(&'a [f64]),
    /// Whole numbers.
    U64(&'a [u64]),
}

impl Numbers<'_> {
    /// The value of a row; not a number where the column is too short.
    #[must_use]
    pub fn at(&self, row: usize) -> f64 {
        match self {
            Numbers::F64(values) => values.get(row).copied().unwrap_or(f64::NAN),
            Numbers::U64(values) => values.get(row).map_or(f64::NAN, |value| *value as f64),
        }
    }
}

/// A column of text.
#[derive(Clone, Copy)]
pub struct Texts<'a> {
    /// Distinct values.
    pub dictionary: &'a [String],
    codes: &'a [u32],
}

impl<'a> Texts<'a> {
    /// Position in the dictionary of a row's value; none where the table is damaged.
    #[must_use]
    pub fn code(&self, row: usize) -> Option<usize> {
        let code = *self.codes.get(row)? as usize;
        (code < self.dictionary.len()).then_some(code)
    }

    /// The value of a row; empty where the table is damaged.
    #[must_use]
    pub fn at(&self, row: usize) -> &'a str {
        self.code(row).map_or("", |code| &self.dictionary[code])
    }
}

/// A table with its rows assigned to arms.
#[derive(Clone)]
pub struct Rows<'a> {
    table: &'a DataTable,
    arm_codes: Texts<'a>,
    arm_of_code: Vec<Option<usize>>,
    replications: Numbers<'a>,
    times: Option<Numbers<'a>>,
}

impl<'a> Rows<'a> {
    /// Opens a table.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn open(view: &'a RunView, name: &str) -> Result<Rows<'a>, Missing> {
        let table = view
            .table(name)
            .ok_or_else(|| Missing(format!("The run directory has no table `{name}`.")))?;
        let arm_codes = texts(table, "arm")?;
        let arm_of_code = arm_codes
            .dictionary
            .iter()
            .map(|id| view.summary.arms.iter().position(|arm| arm.arm == *id))
            .collect();
        let replications = numbers(table, "replication")?;
        let times = numbers(table, "time_s").ok();
        Ok(Rows { table, arm_codes, arm_of_code, replications, times })
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.rows()
    }

    /// Position of a row's arm in the summary; none for an arm it does not know.
    #[must_use]
    pub fn arm(&self, row: usize) -> Option<usize> {
        self.arm_codes.code(row).and_then(|code| self.arm_of_code[code])
    }

    /// Replication of a row.
    #[must_use]
    pub fn replication(&self, row: usize) -> u64 {
        match self.replications {
            Numbers::U64(values) => values.get(row).copied().unwrap_or(0),
            Numbers::F64(values) => values.get(row).map_or(0, |value| *value as u64),
        }
    }

    /// Bucket start of a row, seconds.
    #[must_use]
    pub fn time_s(&self, row: usize) -> f64 {
        self.times.map_or(f64::NAN, |times| times.at(row))
    }

    /// A numeric column.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn numbers(&self, column: &str) -> Result<Numbers<'a>, Missing> {
        numbers(self.table, column)
    }

    /// A text column.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn texts(&self, column: &str) -> Result<Texts<'a>, Missing> {
        texts(self.table, column)
    }

    /// The distinct bucket starts, ascending.
    ///
    /// # Errors
    /// If the table has none.
    pub fn buckets(&self) -> Result<Vec<f64>, Missing> {
        let mut out: Vec<f64> = Vec::new();
        for row in 0..self.len() {
            let time = self.time_s(row);
            // Rows come in runs of equal times, so most repeats are caught here.
            if time.is_finite() && out.last() != Some(&time) {
                out.push(time);
            }
        }
        out.sort_by(f64::total_cmp);
        out.dedup();
        if out.is_empty() {
            return Err(Missing(format!(
                "The table `{}` has no rows with a time.",
                self.table.name
            )));
        }
        Ok(out)
    }
}

fn column<'a>(table: &'a DataTable, name: &str) -> Result<&'a ColumnData, Missing> {
    let absent = || Missing(format!("The table `{}` has no column `{name}`.", table.name));
    table.column(name).map(|column| &column.data).ok_or_else(absent)
}

fn numbers<'a>(table: &'a DataTable, name: &str) -> Result<Numbers<'a>, Missing> {
    match column(table, name)? {
        ColumnData::F64(values) => Ok(Numbers::F64(values)),
        ColumnData::U64(values) => Ok(Numbers::U64(values)),
        ColumnData::Text { .. } => Err(Missing(format!(
            "The column `{name}` of the table `{}` holds text instead of numbers.",
            table.name
        ))),
    }
}

fn texts<'a>(table: &'a DataTable, name: &str) -> Result<Texts<'a>, Missing> {
    match column(table, name)? {
        ColumnData::Text { dictionary, codes } => Ok(Texts { dictionary, codes }),
        _ => Err(Missing(format!(
            "The column `{name}` of the table `{}` holds numbers instead of text.",
            table.name
        ))),
    }
}

/// Mean, smallest and largest value over replications, one of each a bucket.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spread {
    /// Mean; not a number where no replication has a value.
    pub mean: Vec<f64>,
    /// Smallest.
    pub low: Vec<f64>,
    /// Largest.
    pub high: Vec<f64>,
}

impl Spread {
    /// The largest mean; 0 without values.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.mean.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max)
    }

    /// The largest single value; 0 without values.
    #[must_use]
    pub fn top(&self) -> f64 {
        self.high.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max)
    }

    /// Whether replications differ visibly.
    #[must_use]
    pub fn varies(&self) -> bool {
        self.low.iter().zip(&self.high).any(|(low, high)| high > low)
    }
}

/// A metric over (arm, slot, bucket), gathered over replications. A slot is an entity of interest.
pub struct Cube {
    slots: usize,
    buckets: usize,
    sum: Vec<f64>,
    count: Vec<u32>,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Cube {
    /// Gathers `value(row)` of all rows to which `slot` gives a place.
    pub fn gather(
        rows: &Rows<'_>,
        buckets: &[f64],
        (arms, slots): (usize, usize),
        mut slot: impl FnMut(usize) -> Option<usize>,
        value: impl Fn(usize) -> f64,
    ) -> Cube {
        let cells = arms * slots * buckets.len();
        let mut cube = Cube {
            slots,
            buckets: buckets.len(),
            sum: vec![0.0; cells],
            count: vec![0; cells],
            low: vec![f64::INFINITY; cells],
            high: vec![f64::NEG_INFINITY; cells],
        };
        let mut hint = 0;
        for row in 0..rows.len() {
            let (Some(slot), Some(arm)) = (slot(row), rows.arm(row)) else { continue };
            let Some(bucket) = locate(buckets, rows.time_s(row), &mut hint) else { continue };
            let value = value(row);
            if value.is_finite() {
                let cell = (arm * slots + slot) * buckets.len() + bucket;
                cube.sum[cell] += value;
                cube.count[cell] += 1;
                cube.low[cell] = cube.low[cell].min(value);
                cube.high[cell] = cube.high[cell].max(value);
            }
        }
        cube
    }

    /// What was gathered for an arm and a slot.
    #[must_use]
    pub fn spread(&self, arm: usize, slot: usize) -> Spread {
        let first = (arm * self.slots + slot) * self.buckets;
        let cells = first..first + self.buckets;
        let or_nan = |value: f64, count: u32| if count > 0 { value } else { f64::NAN };
        Spread {
            mean: cells
                .clone()
                .map(|cell| or_nan(self.sum[cell] / f64::from(self.count[cell]), self.count[cell]))
                .collect(),
            low: cells.clone().map(|cell| or_nan(self.low[cell], self.count[cell])).collect(),
            high: cells.map(|cell| or_nan(self.high[cell], self.count[cell])).collect(),
        }
    }
}

/// Position of a time among ascending ones; `hint` is where the last one was found.
pub fn locate(buckets: &[f64], time_s: f64, hint: &mut usize) -> Option<usize> {
    for near in [*hint, *hint + 1] {
        if buckets.get(near) == Some(&time_s) {
            *hint = near;
            return Some(near);
        }
    }
    let found = buckets.binary_search_by(|bucket| bucket.total_cmp(&time_s)).ok()?;
    *hint = found;
    Some(found)
}
