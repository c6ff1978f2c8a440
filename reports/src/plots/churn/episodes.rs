//! Moves put together by what caused them.

use super::causes::Origins;
use super::lost::Losses;
use crate::rows::{Missing, Rows};
use crate::text;
use crate::words;
use std::collections::{BTreeMap, BTreeSet};
use steerlab_results::view::RunView;

/// Most causes that an arm names; the others are summed.
const NAMED_MAX: usize = 12;
/// Moves that the table lists of an instant at most.
const LISTED_MAX: usize = 10;
/// Most pairs of places a cause names.
const FLOWS_MAX: usize = 3;

/// What moved after one cause; rates and bits are means over replications.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Episode {
    /// The cause in words.
    pub what: String,
    /// The same for narrow places.
    pub short: String,
    /// When it happened first, seconds.
    pub start_s: f64,
    /// How often in a replication.
    pub times: f64,
    /// Users that landed elsewhere, requests/s; who moves twice counts twice.
    pub moved: f64,
    /// Of these, those that landed nowhere from then on.
    pub into_loss: f64,
    /// From the cause to its last move, seconds, mean.
    pub lasted_s: f64,
    /// From its first to its last move, seconds, mean.
    pub moving_s: f64,
    /// From where to where, requests/s, largest first; and how many more pairs there are.
    pub flows: Vec<(String, String, f64)>,
    /// Pairs not in `flows`.
    pub more_flows: usize,
    /// Bits lost until the next cause, in the order of the routing losses.
    pub lost_bits: [f64; 4],
}

/// The causes of one arm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArmChurn {
    /// In order of time.
    pub episodes: Vec<Episode>,
    /// Causes that are not named, with the users they moved.
    pub left_out: (usize, f64),
    /// Users that moved without a listed move, such as with DNS answers.
    pub elsewhere: f64,
}

/// All arms.
#[derive(Clone, Debug, Default)]
pub struct Churn {
    /// By arm.
    pub arms: Vec<ArmChurn>,
}

/// One cause in one run, while it is put together.
#[derive(Default)]
struct Part {
    short: String,
    start_s: f64,
    first_s: f64,
    last_s: f64,
    /// Listed rate that changed its site, by bucket of the totals.
    listed: BTreeMap<usize, f64>,
    /// Listed moves by instant, as bits of its seconds, with the bucket.
    instants: BTreeMap<(usize, u64), usize>,
    into_loss: f64,
    flows: Flows,
}

/// Identity of a row: words, and the instant where the scenario fixes it.
type Key = (String, Option<u64>);

/// Parts by run, then by key and start.
type Parts = BTreeMap<(usize, u64), BTreeMap<(Key, u64), Part>>;

/// Requests per second by pair of places.
type Flows = BTreeMap<(String, String), f64>;

/// A row while it is summed.
type Gathered = (Episode, Flows);

impl Churn {
    /// Reads the table of moves.
    ///
    /// # Errors
    /// Why there is nothing to tell.
    pub fn of(view: &RunView) -> Result<Churn, Missing> {
        let rows = Rows::open(view, "moves")?;
        let losses = Losses::of(view);
        let parts = parts(view, &rows, &losses)?;
        let arms = (0..view.summary.arms.len()).map(|arm| churn(view, arm, &parts, &losses));
        let churn = Churn { arms: arms.collect() };
        if churn.arms.iter().all(|arm| arm.episodes.is_empty() && arm.elsewhere <= 0.0) {
            return Err(Missing("Nobody moved.".to_owned()));
        }
        Ok(churn)
    }
}

/// Parts by run and key.
fn parts(view: &RunView, rows: &Rows<'_>, losses: &Losses) -> Result<Parts, Missing> {
    let [causes, from, to] = ["cause", "from", "to"].map(|column| rows.texts(column));
    let (causes, from, to) = (causes?, from?, to?);
    let rates = rows.numbers("requests_per_s")?;
    let origins = Origins::of(view);
    let places = Places::of(view);
    let mut out = Parts::new();
    for row in 0..rows.len() {
        let (Some(arm), time_s) = (rows.arm(row), rows.time_s(row)) else { continue };
        if !(time_s >= 0.0 && time_s.is_finite()) {
            continue;
        }
        let run = (arm, rows.replication(row));
        let origin = origins.before(arm, run.1, causes.at(row), time_s);
        let (key, start_s) = match origin {
            Some(origin) => {
                let fixed = origin.fixed.then_some(origin.at_s.to_bits());
                ((origin.words.clone(), fixed), origin.at_s)
            }
            None => ((text::clean(causes.at(row)), None), f64::NAN),
        };
        // Several runs of one action make one row; each is told from the others by its start.
        let part = out.entry(run).or_default().entry((key, start_s.to_bits())).or_insert(Part {
            short: origin
                .map_or_else(|| text::clean(causes.at(row)), |origin| origin.short.clone()),
            start_s: if start_s.is_finite() { start_s } else { time_s },
            first_s: time_s,
            ..Part::default()
        });
        part.first_s = part.first_s.min(time_s);
        part.last_s = part.last_s.max(time_s);
        let rate = rates.at(row);
        let rate = if rate > 0.0 && rate < 1e30 { rate } else { 0.0 };
        let (from, to) = (places.of_name(from.at(row)), places.of_name(to.at(row)));
        let buckets = losses.moved(run);
        let bucket = buckets.partition_point(|(start, _)| *start <= time_s).saturating_sub(1);
        // What is lost for another reason fills the list too, and moves nobody.
        *part.instants.entry((bucket, time_s.to_bits())).or_default() += 1;
        if from.1 && to.1 {
            continue;
        }
        *part.listed.entry(bucket).or_default() += rate;
        part.into_loss += if to.1 { rate } else { 0.0 };
        *part.flows.entry((from.0, to.0)).or_default() += rate;
    }
    Ok(out)
}

/// Names of places: sites by id, losses by cause.
struct Places<'a> {
    sites: BTreeSet<&'a str>,
}

impl<'a> Places<'a> {
    fn of(view: &'a RunView) -> Places<'a> {
        let sites = view.scenario.network.sites.rows().iter().map(|site| site.id.as_str());
        Places { sites: sites.collect() }
    }

    /// Name for people, and whether it is a loss.
    fn of_name(&self, name: &str) -> (String, bool) {
        match words::drop_cause(name) {
            Some(words) if !self.sites.contains(name) => (format!("lost: {words}"), true),
            _ => (text::clean(name), false),
        }
    }
}

/// As [`Places::of_name`], for one name.
pub(super) fn place_name(view: &RunView, name: &str) -> String {
    Places::of(view).of_name(name).0
}

fn churn(view: &RunView, arm: usize, parts: &Parts, losses: &Losses) -> ArmChurn {
    let mut rows: BTreeMap<Key, Gathered> = BTreeMap::new();
    let mut elsewhere = 0.0;
    let runs = f64::from(view.summary.replications.max(1));
    let replications = (0..view.summary.replications.max(1)).map(u64::from);
    let nothing = BTreeMap::new();
    for run in replications.map(|replication| (arm, replication)) {
        let of_run = parts.get(&run).unwrap_or(&nothing);
        let mut in_time: Vec<(&Key, &Part)> =
            of_run.iter().map(|((key, _), part)| (key, part)).collect();
        in_time.sort_by(|a, b| a.1.first_s.total_cmp(&b.1.first_s).then_with(|| a.0.cmp(b.0)));
        let starts: Vec<f64> = in_time.iter().map(|(_, part)| part.first_s).collect();
        let lost = losses.after(run, &starts);
        let whole = shares_of_buckets(&in_time, losses.moved(run), &mut elsewhere);
        for (((key, part), lost), moved) in in_time.into_iter().zip(lost).zip(whole) {
            let (row, flows) = rows.entry(key.clone()).or_insert_with(|| {
                let what = key.0.clone();
                let short = part.short.clone();
                (
                    Episode { what, short, start_s: part.start_s, ..Episode::default() },
                    BTreeMap::new(),
                )
            });
            row.start_s = row.start_s.min(part.start_s);
            row.times += 1.0;
            row.moved += moved / runs;
            let listed: f64 = part.listed.values().sum();
            let factor = if listed > 0.0 { moved / listed / runs } else { 0.0 };
            row.into_loss += part.into_loss * factor;
            row.lasted_s += part.last_s - part.start_s;
            row.moving_s += part.last_s - part.first_s;
            for (pair, rate) in &part.flows {
                *flows.entry(pair.clone()).or_default() += rate * factor;
            }
            for (sum, bits) in row.lost_bits.iter_mut().zip(lost) {
                *sum += bits / runs;
            }
        }
    }
    finish(rows.into_values().collect(), elsewhere / runs, runs)
}

/// Users moved by each part. The table of moves lists the largest groups of an instant only. Where
/// a list is full, what the totals count in the bucket is shared out by what is listed in it.
fn shares_of_buckets(
    parts: &[(&Key, &Part)],
    totals: &[(f64, f64)],
    elsewhere: &mut f64,
) -> Vec<f64> {
    let mut listed: BTreeMap<usize, (f64, bool)> = BTreeMap::new();
    for (_, part) in parts {
        for (bucket, rate) in &part.listed {
            listed.entry(*bucket).or_default().0 += rate;
        }
        for ((bucket, _), count) in &part.instants {
            listed.entry(*bucket).or_default().1 |= *count >= LISTED_MAX;
        }
    }
    for (bucket, (_, total)) in totals.iter().enumerate() {
        let (sum, full) = listed.get(&bucket).copied().unwrap_or_default();
        // What rounding leaves is no user.
        if (!full || sum <= 0.0) && total - sum > 1e-6 * total {
            *elsewhere += total - sum;
        }
    }
    let of_bucket = |(bucket, rate): (&usize, &f64)| {
        let total = totals.get(*bucket).map_or(0.0, |(_, total)| *total);
        let (sum, full) = listed.get(bucket).copied().unwrap_or_default();
        if full && sum > 0.0 { rate / sum * total.max(sum) } else { *rate }
    };
    parts.iter().map(|(_, part)| part.listed.iter().map(of_bucket).sum()).collect()
}

fn finish(mut rows: Vec<Gathered>, elsewhere: f64, runs: f64) -> ArmChurn {
    rows.sort_by(|a, b| {
        let order = b.0.moved.total_cmp(&a.0.moved).then(a.0.start_s.total_cmp(&b.0.start_s));
        order.then_with(|| a.0.what.cmp(&b.0.what))
    });
    let left = rows.split_off(rows.len().min(NAMED_MAX));
    let left_out = (left.len(), left.iter().map(|(row, _)| row.moved).sum());
    let mut episodes: Vec<Episode> = rows
        .into_iter()
        .map(|(mut row, flows)| {
            row.lasted_s /= row.times;
            row.moving_s /= row.times;
            row.times /= runs;
            let mut flows: Vec<(String, String, f64)> =
                flows.into_iter().map(|((from, to), rate)| (from, to, rate)).collect();
            flows.sort_by(|a, b| b.2.total_cmp(&a.2));
            row.more_flows = flows.len().saturating_sub(FLOWS_MAX);
            flows.truncate(FLOWS_MAX);
            Episode { flows, ..row }
        })
        .collect();
    episodes.sort_by(|a, b| a.start_s.total_cmp(&b.start_s).then_with(|| a.what.cmp(&b.what)));
    ArmChurn { episodes, left_out, elsewhere }
}
