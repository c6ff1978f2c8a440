//! Means, intervals and verdicts of a lab.

use super::play::{Metrics, play};
use crate::workers::Workers;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use steerlab_engine::run::RunExecutor;
use steerlab_results::stats;
use steerlab_scenario::load_lab::{Expectation, LoadLab, Wanted};

/// What all replications of all cases gave.
pub struct Results {
    /// By case: metrics, each with one value a replication.
    cases: Vec<BTreeMap<String, Vec<f64>>>,
}

impl Results {
    /// Plays all replications of all cases. The split into threads changes nothing: each
    /// replication has streams of its own, and results are put together in order.
    pub fn of(lab: &LoadLab, seed: u64, workers: &Workers) -> Results {
        let replications = lab.replications as usize;
        let slots: Vec<OnceLock<Metrics>> =
            (0..lab.cases.len() * replications).map(|_| OnceLock::new()).collect();
        workers.execute(slots.len(), &|index| {
            let (case, replication) = (index / replications, index % replications);
            let metrics = play(&lab.cases[case].experiment, seed, replication as u32);
            assert!(slots[index].set(metrics).is_ok(), "each replication is played once");
        });
        let mut cases = vec![BTreeMap::new(); lab.cases.len()];
        for (index, slot) in slots.into_iter().enumerate() {
            let metrics = slot.into_inner().expect("all replications were played");
            for (name, value) in metrics {
                let values: &mut Vec<f64> = cases[index / replications].entry(name).or_default();
                values.push(value);
            }
        }
        Results { cases }
    }

    /// Values of a metric, one a replication; none if the experiment has no such metric.
    fn values(&self, case: usize, metric: &str) -> Option<&[f64]> {
        self.cases[case].get(metric).map(Vec::as_slice)
    }
}

/// One expectation in one case.
#[derive(Debug)]
pub struct Verdict {
    /// Case; empty for the only one.
    pub case: String,
    /// Metric.
    pub metric: String,
    /// Who says what must come out, such as `mm1`, `value` or `at least`.
    pub by: String,
    /// What must come out.
    pub expected: Option<f64>,
    /// Mean over the replications.
    pub mean: Option<f64>,
    /// Interval of the mean.
    pub interval: Option<(f64, f64)>,
    /// How it was judged.
    pub rule: String,
    /// Whether it is met.
    pub met: bool,
    /// What else there is to say.
    pub note: String,
    /// Share of further seeds whose 95 % interval holds the expected value; none if not asked, or
    /// where it is not judged by an interval.
    pub coverage: Option<f64>,
    /// Position of the expectation and of its case.
    at: (usize, usize),
}

/// What came out of a lab.
#[derive(Debug)]
pub struct Judged {
    /// All expectations in all cases.
    pub verdicts: Vec<Verdict>,
    /// Further seeds played to try the intervals.
    pub coverage_rounds: Option<u32>,
}

/// Judges all expectations in all cases they speak of.
pub fn judge(lab: &LoadLab, results: &Results) -> Judged {
    let mut verdicts = Vec::new();
    for (number, row) in lab.expect.iter().enumerate() {
        if let Wanted::Ascending(ids) = &row.wanted {
            verdicts.extend(ascending(lab, results, number, row, ids));
            continue;
        }
        for (at, case) in lab.cases.iter().enumerate() {
            let spoken = row.cases.is_empty() || row.cases.contains(&case.id);
            let expected = match row.wanted {
                Wanted::AtLeast(bound) | Wanted::AtMost(bound) if spoken => Some(bound),
                _ => case.expected[number],
            };
            if let Some(expected) = expected.filter(|_| spoken) {
                verdicts.push(single(lab, results, (number, at), row, expected));
            }
        }
    }
    Judged { verdicts, coverage_rounds: None }
}

fn single(
    lab: &LoadLab,
    results: &Results,
    at: (usize, usize),
    row: &Expectation,
    expected: f64,
) -> Verdict {
    let by = match &row.wanted {
        Wanted::Theory { model, quantity } if *quantity == row.metric => model.clone(),
        Wanted::Theory { model, quantity } => format!("{model} {quantity}"),
        Wanted::AtLeast(_) => "at least".to_owned(),
        Wanted::AtMost(_) => "at most".to_owned(),
        _ => "value".to_owned(),
    };
    let mut verdict = Verdict {
        case: lab.cases[at.1].id.clone(),
        metric: row.metric.clone(),
        by,
        expected: Some(expected),
        mean: None,
        interval: None,
        rule: String::new(),
        met: false,
        note: row.source.clone(),
        coverage: None,
        at,
    };
    let Some(values) = results.values(at.1, &row.metric) else {
        let known: Vec<&str> = results.cases[at.1].keys().map(String::as_str).collect();
        verdict.note = format!("no such metric; there are {}", known.join(", "));
        return verdict;
    };
    let mean = stats::mean(values).expect("a lab has replications");
    let (low, high) = stats::t_interval(values, lab.confidence).expect("at least two of them");
    let percent = 100.0 * lab.confidence;
    verdict.mean = Some(mean);
    verdict.interval = Some((low, high));
    (verdict.rule, verdict.met) = match (&row.wanted, row.tolerance) {
        (Wanted::AtLeast(_), _) => (format!("{percent}% interval"), low >= expected),
        (Wanted::AtMost(_), _) => (format!("{percent}% interval"), high <= expected),
        (_, Some(tolerance)) => {
            let near = (mean - expected).abs() <= tolerance * expected.abs();
            (format!("within {}%", 100.0 * tolerance), near)
        }
        // What has no chance in it must be exact; sums of it have rounding errors.
        (_, None) if low == high => ("exact".to_owned(), equal(mean, expected)),
        (_, None) => (format!("{percent}% interval"), (low..=high).contains(&expected)),
    };
    verdict
}

/// Equal up to rounding.
fn equal(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
}

/// Each case must be below the next: the interval of the paired difference lies above 0.
fn ascending(
    lab: &LoadLab,
    results: &Results,
    number: usize,
    row: &Expectation,
    ids: &[String],
) -> Vec<Verdict> {
    let position = |id: &String| lab.cases.iter().position(|case| case.id == *id);
    let mut verdicts = Vec::new();
    for pair in ids.windows(2) {
        let (Some(low), Some(high)) = (position(&pair[0]), position(&pair[1])) else { continue };
        let (Some(first), Some(second)) =
            (results.values(low, &row.metric), results.values(high, &row.metric))
        else {
            continue;
        };
        let differences: Vec<f64> = second.iter().zip(first).map(|(b, a)| b - a).collect();
        let interval = stats::t_interval(&differences, lab.confidence);
        verdicts.push(Verdict {
            case: pair[1].clone(),
            metric: row.metric.clone(),
            by: format!("above {}", pair[0]),
            expected: stats::mean(first),
            mean: stats::mean(second),
            interval: None,
            rule: format!("{}% paired", 100.0 * lab.confidence),
            met: interval.is_some_and(|(least, _)| least > 0.0),
            note: row.source.clone(),
            coverage: None,
            at: (number, high),
        });
    }
    verdicts
}

/// Tries the intervals: how many of 95 % hold what is expected, over further seeds.
pub fn cover(lab: &LoadLab, rounds: u32, judged: &mut Judged, again: impl Fn(u64) -> Results) {
    let mut held = vec![0_u32; judged.verdicts.len()];
    let tried = |verdict: &Verdict| {
        let row = &lab.expect[verdict.at.0];
        let exact = matches!(row.wanted, Wanted::Theory { .. } | Wanted::Value);
        exact && row.tolerance.is_none() && verdict.interval.is_some_and(|(low, high)| low < high)
    };
    for round in 1..=u64::from(rounds) {
        // Seeds far from those that people choose.
        let results = again(lab.seed.wrapping_add(round.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        for (verdict, held) in judged.verdicts.iter().zip(&mut held) {
            let values = results.values(verdict.at.1, &verdict.metric);
            let interval = values.and_then(|values| stats::t_interval(values, 0.95));
            if let (Some((low, high)), Some(expected)) = (interval, verdict.expected) {
                *held += u32::from((low..=high).contains(&expected));
            }
        }
    }
    for (index, held) in held.into_iter().enumerate() {
        let share = f64::from(held) / f64::from(rounds);
        let verdict = &mut judged.verdicts[index];
        verdict.coverage = tried(verdict).then_some(share);
    }
    judged.coverage_rounds = Some(rounds);
}
