//! Reads tables for pictures: of very long runs no more than pictures can show, so that memory does
//! not grow with simulated time. Buckets are merged while they are read, row group by row group.

use crate::columns::{RUNS_TABLE, is_bucketed};
use crate::parquet_read::TableReader;
use crate::view::{ColumnData, DataColumn, DataTable, Thinned};
use std::collections::BTreeMap;
use steerlab_engine::scenario::Scenario;

/// Largest number of points in time: a week of five-minute buckets, twice what a picture is wide.
const POINTS_MAX: u64 = 2016;
/// Largest number of values of a table, if there are many entities, runs and buckets.
const VALUES_MAX: u64 = 24 << 20;
/// Largest number of values that are kept of a table whose rows do not merge as ours do.
const MERGED_VALUES_MAX: usize = 1 << 28;
/// Largest number of rows of a table that lists what happened, all runs together.
const LIST_ROWS_MAX: u64 = 200_000;

/// Reads all of these tables, thinned where they are too long.
///
/// # Errors
/// Position of the table, and what is wrong with it.
pub(crate) fn read_thinned(
    tables: &[(String, TableReader)],
    scenario: &Scenario,
) -> Result<(Vec<DataTable>, Thinned), (usize, String)> {
    let (factor, client_factor) = factors(tables, scenario);
    let mut thinned =
        Thinned { buckets: factor, client_buckets: client_factor, left_out: BTreeMap::new() };
    let mut out = Vec::new();
    for (position, (name, table)) in tables.iter().enumerate() {
        let (factor, bucket) = if name == "client_groups" {
            (client_factor, scenario.client_bucket)
        } else {
            (factor, scenario.bucket)
        };
        let read = if name == RUNS_TABLE {
            table.read_all()
        } else if !is_bucketed(name) {
            list(table, scenario, &mut thinned)
        } else if factor == 1 {
            table.read_all()
        } else {
            merge(table, factor, (bucket.seconds(), scenario.horizon.seconds()))
        };
        out.push(read.map_err(|why| (position, why))?);
    }
    Ok((out, thinned))
}

/// Buckets that become one point, of all tables and of those of client groups.
fn factors(tables: &[(String, TableReader)], scenario: &Scenario) -> (u64, u64) {
    let points = |bucket: u64| scenario.horizon.0.div_ceil(bucket.max(1)).div_ceil(POINTS_MAX);
    let (mut all, mut clients) = (points(scenario.bucket.0), points(scenario.client_bucket.0));
    for (name, table) in tables.iter().filter(|(name, _)| is_bucketed(name)) {
        let values = table.rows().saturating_mul(table.columns() as u64);
        let factor = if name == "client_groups" { &mut clients } else { &mut all };
        *factor = (*factor).max(values.div_ceil(VALUES_MAX));
    }
    (all.max(1), clients.max(1))
}

/// A list of what happened: the first rows of every run.
fn list(
    table: &TableReader,
    scenario: &Scenario,
    thinned: &mut Thinned,
) -> Result<DataTable, String> {
    let all = table.rows();
    if all <= LIST_ROWS_MAX {
        return table.read_all();
    }
    let runs = scenario.arms.len() as u64 * u64::from(scenario.replications);
    let most = (LIST_ROWS_MAX / runs.max(1)).max(1);
    let mut out = Merged::new(&table.no_rows(), 1, (1.0, f64::INFINITY));
    let (mut run, mut taken) = (None, 0);
    for group in 0..table.groups() {
        let group = table.read_group(group)?;
        let codes = out.translate(&group)?;
        for row in 0..group.rows() {
            let now = Some(out.run_of(&group, &codes, row)?);
            if run != now {
                (run, taken) = (now, 0);
            }
            taken += 1;
            if taken <= most {
                out.push(&group, &codes, row);
            }
        }
    }
    let left_out = all.saturating_sub(out.table.rows() as u64);
    thinned.left_out.insert(out.table.name.clone(), left_out);
    Ok(out.table)
}

/// A table of buckets, `factor` of them in one row an entity.
fn merge(table: &TableReader, factor: u64, spans_s: (f64, f64)) -> Result<DataTable, String> {
    let mut out = Merged::new(&table.no_rows(), factor, spans_s);
    for group in 0..table.groups() {
        let group = table.read_group(group)?;
        let codes = out.translate(&group)?;
        for row in 0..group.rows() {
            out.add(&group, &codes, row)?;
        }
        if out.table.rows().saturating_mul(table.columns()) > MERGED_VALUES_MAX {
            return Err("too many entities in one bucket".to_owned());
        }
    }
    Ok(out.table)
}

/// What becomes of a column when buckets are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// The same in all of them.
    Key,
    /// That of the first bucket.
    First,
    /// That of the last bucket.
    Last,
    /// Mean by length.
    Mean,
    /// Mean by length and what another column counts.
    MeanBy(usize),
    /// Largest.
    Max,
    /// Sum.
    Sum,
}

fn rule_of(column: &DataColumn, empty: &DataTable) -> Rule {
    // Whose mean it is.
    let counted = |names: &[&str]| {
        let position = |name: &&str| empty.columns.iter().position(|column| column.name == **name);
        names.iter().find_map(position).map_or(Rule::Mean, Rule::MeanBy)
    };
    let name = column.name.as_str();
    let percentile = |part: &str| {
        part.strip_prefix('p')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match &column.data {
        ColumnData::Text { .. } if name == "landing_site" => Rule::Last,
        ColumnData::Text { .. } => Rule::Key,
        ColumnData::U64(_) if name == "replication" => Rule::Key,
        ColumnData::U64(_) => Rule::Last,
        ColumnData::F64(_) if name == "time_s" => Rule::First,
        ColumnData::F64(_) if name == "bucket_s" => Rule::Sum,
        ColumnData::F64(_) if name.starts_with("latency_") && name.ends_with("_ms_mean") => {
            counted(&["answered_requests_per_s", "served_requests_per_s"])
        }
        ColumnData::F64(_) if name == "queue_ms_mean" => counted(&["carried_bps"]),
        ColumnData::F64(_) if name.split('_').any(|part| part == "max" || percentile(part)) => {
            Rule::Max
        }
        ColumnData::F64(_) => Rule::Mean,
    }
}

/// A table while buckets are merged.
struct Merged {
    table: DataTable,
    rules: Vec<Rule>,
    index: Vec<BTreeMap<String, u32>>,
    factor: u64,
    bucket_s: f64,
    horizon_s: f64,
    time: Option<usize>,
    /// Run and point that rows are being added to.
    present: Option<(u32, u64, u64)>,
    /// Rows of the present point by entity, and what each column's values weigh so far.
    open: BTreeMap<Vec<u32>, (usize, Vec<f64>)>,
}

/// Positions in the merged dictionaries of a row group's texts, by column.
type Codes = Vec<Vec<u32>>;

impl Merged {
    fn new(empty: &DataTable, factor: u64, (bucket_s, horizon_s): (f64, f64)) -> Merged {
        let position = |name| empty.columns.iter().position(|column| column.name == name);
        Merged {
            rules: empty.columns.iter().map(|column| rule_of(column, empty)).collect(),
            index: vec![BTreeMap::new(); empty.columns.len()],
            factor,
            bucket_s,
            horizon_s,
            time: position("time_s"),
            present: None,
            open: BTreeMap::new(),
            table: empty.clone(),
        }
    }

    fn translate(&mut self, group: &DataTable) -> Result<Codes, String> {
        let mut out = Vec::new();
        let columns = self.table.columns.iter_mut().zip(&mut self.index).zip(&group.columns);
        for ((to, index), from) in columns {
            let mut codes = Vec::new();
            if let (ColumnData::Text { dictionary, .. }, ColumnData::Text { dictionary: new, .. }) =
                (&mut to.data, &from.data)
            {
                for text in new {
                    let next = u32::try_from(dictionary.len()).map_err(|_| "too many texts")?;
                    codes.push(*index.entry(text.clone()).or_insert_with(|| {
                        dictionary.push(text.clone());
                        next
                    }));
                }
            }
            out.push(codes);
        }
        Ok(out)
    }

    /// Arm and replication of a row: the first two columns of every table.
    fn run_of(&self, group: &DataTable, codes: &Codes, row: usize) -> Result<(u32, u64), String> {
        match group.columns.as_slice() {
            [
                DataColumn { data: ColumnData::Text { codes: arm, .. }, .. },
                DataColumn { data: ColumnData::U64(replication), .. },
                ..,
            ] => Ok((codes[0][arm[row] as usize], replication[row])),
            _ => Err("its first columns are not arm and replication".to_owned()),
        }
    }

    fn add(&mut self, group: &DataTable, codes: &Codes, row: usize) -> Result<(), String> {
        let (arm, replication) = self.run_of(group, codes, row)?;
        let time_s = match self.time.map(|time| &group.columns[time].data) {
            Some(ColumnData::F64(times)) if times[row] >= 0.0 => times[row],
            _ => return Err("a row has no time".to_owned()),
        };
        let point = (time_s / self.bucket_s).round() as u64 / self.factor;
        if self.present != Some((arm, replication, point)) {
            self.present = Some((arm, replication, point));
            self.open.clear();
        }
        let length_s = self.bucket_s.min(self.horizon_s - time_s).max(0.0);
        let mut key = Vec::new();
        for ((column, codes), rule) in group.columns.iter().zip(codes).zip(&self.rules) {
            if let (ColumnData::Text { codes: texts, .. }, Rule::Key) = (&column.data, rule) {
                key.push(codes[texts[row] as usize]);
            }
        }
        let weight = |rule: &Rule| match rule {
            Rule::MeanBy(column) => match &group.columns[*column].data {
                ColumnData::F64(values) => length_s * values[row].max(0.0),
                _ => length_s,
            },
            _ => length_s,
        };
        let weights: Vec<f64> = self.rules.iter().map(weight).collect();
        if let Some((to, sums)) = self.open.get_mut(&key) {
            for (column, from) in group.columns.iter().enumerate() {
                let into = &mut self.table.columns[column].data;
                let pair = (&mut sums[column], weights[column]);
                fold(into, *to, (&from.data, row), &codes[column], self.rules[column], pair);
            }
        } else {
            self.open.insert(key, (self.table.rows(), weights));
            self.push(group, codes, row);
        }
        Ok(())
    }

    fn push(&mut self, group: &DataTable, codes: &Codes, row: usize) {
        for ((to, from), codes) in self.table.columns.iter_mut().zip(&group.columns).zip(codes) {
            match (&mut to.data, &from.data) {
                (ColumnData::F64(to), ColumnData::F64(from)) => to.push(from[row]),
                (ColumnData::U64(to), ColumnData::U64(from)) => to.push(from[row]),
                (ColumnData::Text { codes: to, .. }, ColumnData::Text { codes: from, .. }) => {
                    to.push(codes[from[row] as usize]);
                }
                _ => unreachable!("all row groups of a table have its columns"),
            }
        }
    }
}

/// Merges one value into one that is there; `weights` are what that one weighs and what this one
/// does.
fn fold(
    into: &mut ColumnData,
    to: usize,
    (from, row): (&ColumnData, usize),
    codes: &[u32],
    rule: Rule,
    weights: (&mut f64, f64),
) {
    match (into, from) {
        (ColumnData::F64(into), ColumnData::F64(from)) => {
            let (old, new) = (&mut into[to], from[row]);
            if new.is_nan() || rule == Rule::First {
                return;
            }
            let (sum, weight) = weights;
            if old.is_nan() {
                (*old, *sum) = (new, weight);
                return;
            }
            match rule {
                Rule::Max => *old = old.max(new),
                Rule::Sum => *old += new,
                Rule::Mean | Rule::MeanBy(_) if *sum + weight > 0.0 => {
                    *old = (*old * *sum + new * weight) / (*sum + weight);
                    *sum += weight;
                }
                _ => *old = new,
            }
        }
        (ColumnData::U64(into), ColumnData::U64(from)) => into[to] = from[row],
        (ColumnData::Text { codes: into, .. }, ColumnData::Text { codes: from, .. }) => {
            into[to] = codes[from[row] as usize];
        }
        _ => unreachable!("all row groups of a table have its columns"),
    }
}
