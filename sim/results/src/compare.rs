//! Compares arms, within one run directory or between two.
//!
//! Replications are paired by number: with the same world and seed, replication k meets the same
//! arrivals, failures and noise in every arm (common random numbers), so the difference of a pair
//! is due to the policies alone. The verdict follows from the interval of the mean difference
//! against the margin; "better" and "worse" also need a p value that survives Holm's correction
//! over the primary metrics. Differences without variance are compared exactly.

use crate::catalogue;
use crate::columns::RUNS_TABLE;
use crate::identity::world_sha256;
use crate::labels::{self, arm_of, canonical};
use crate::samples::Samples;
use crate::stats;
use crate::summary::{ComparisonRow, Verdict, WarningEntry};
use crate::verdict;
use crate::view::RunView;
use std::fmt;
use steerlab_engine::record::{Better, MetricInfo};
use steerlab_engine::scenario::{CompareSpec, Operand, Scenario};

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// One row per candidate and primary metric: candidates first.
    pub rows: Vec<ComparisonRow>,
    /// Things to know before trusting the rows.
    pub warnings: Vec<WarningEntry>,
}

impl Comparison {
    /// The judgement on all rows together: worse before inconclusive before better before no
    /// material difference. None: there are no rows.
    #[must_use]
    pub fn overall(&self) -> Option<Verdict> {
        let order =
            [Verdict::Worse, Verdict::Inconclusive, Verdict::Better, Verdict::NoMaterialDifference];
        order.into_iter().find(|verdict| self.rows.iter().any(|row| row.verdict == *verdict))
    }
}

/// Why two run directories cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompareError {
    /// A metric to compare is not in the catalogue, or is a number.
    UnknownMetric(String),
    /// The confidence level is not between 0 and 1, or the margin is negative.
    BadSpec,
    /// Neither directory, for no arm, has values of any metric asked for.
    NothingToCompare,
    /// A directory has no usable table of runs.
    NoRuns(std::path::PathBuf),
}

impl fmt::Display for CompareError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompareError::UnknownMetric(metric) => {
                write!(out, "no metric `{metric}`; `steerlab list metrics` names all")
            }
            CompareError::BadSpec => {
                write!(out, "confidence must be between 0 and 1 and the margin at least 0")
            }
            CompareError::NothingToCompare => {
                write!(out, "the two have no arm and metric in common; name other metrics")
            }
            CompareError::NoRuns(path) => {
                write!(out, "{}: no table `{RUNS_TABLE}`; run it again", path.display())
            }
        }
    }
}

impl std::error::Error for CompareError {}

/// One arm of one set of runs.
struct Side<'a> {
    samples: &'a Samples,
    arm: &'a str,
    shown: String,
}

/// Compares every other arm of a scenario with its first. Numbers among the metrics are skipped
/// (the scenario reader refuses them); a metric with a label `arm` is judged for that arm only.
#[must_use]
pub fn compare_arms(scenario: &Scenario, samples: &Samples) -> Comparison {
    let mut comparison = Comparison::default();
    let arms = scenario.arms.rows();
    for candidate in arms.iter().skip(1) {
        let baseline = Side { samples, arm: &arms[0].id, shown: arms[0].id.clone() };
        let candidate = Side { samples, arm: &candidate.id, shown: candidate.id.clone() };
        let exact = chance_free(scenario);
        compare_sides(&baseline, &candidate, &scenario.compare, exact, &mut comparison);
    }
    comparison.warnings.sort();
    comparison.warnings.dedup();
    comparison
}

/// Compares run directory `b` with `a`, the baseline. Arms of the same id are compared; if there
/// is none, the first arms are.
///
/// # Errors
/// If a metric is unknown, a directory has no table of runs, or nothing can be compared.
pub fn compare_runs(
    a: &RunView,
    b: &RunView,
    spec: &CompareSpec,
) -> Result<Comparison, CompareError> {
    let confidence = spec.confidence > 0.0 && spec.confidence < 1.0;
    if !(confidence && spec.margin >= 0.0 && spec.margin.is_finite()) {
        return Err(CompareError::BadSpec);
    }
    for operand in &spec.metrics {
        match operand {
            Operand::Number(number) => {
                return Err(CompareError::UnknownMetric(number.to_string()));
            }
            Operand::Metric { metric, .. } if catalogue::find(metric).is_none() => {
                return Err(CompareError::UnknownMetric(metric.clone()));
            }
            Operand::Metric { .. } => {}
        }
    }
    let samples = |view: &RunView| {
        view.table(RUNS_TABLE)
            .and_then(Samples::from_table)
            .ok_or_else(|| CompareError::NoRuns(view.dir.clone()))
    };
    let (samples_a, samples_b) = (samples(a)?, samples(b)?);
    let mut comparison = Comparison { rows: Vec::new(), warnings: pairing_warnings(a, b) };
    let exact = chance_free(&a.scenario) && chance_free(&b.scenario);
    for (arm_a, arm_b) in matched_arms(a, b) {
        let baseline = Side { samples: &samples_a, arm: arm_a, shown: shown(a, arm_a) };
        let candidate = Side { samples: &samples_b, arm: arm_b, shown: shown(b, arm_b) };
        compare_sides(&baseline, &candidate, spec, exact, &mut comparison);
    }
    if comparison.rows.is_empty() {
        return Err(CompareError::NothingToCompare);
    }
    comparison.warnings.sort();
    comparison.warnings.dedup();
    Ok(comparison)
}

/// `directory:arm`.
fn shown(view: &RunView, arm: &str) -> String {
    match view.dir.file_name() {
        Some(name) => format!("{}:{arm}", name.to_string_lossy()),
        None => format!("{}:{arm}", view.summary.scenario),
    }
}

fn matched_arms<'a>(a: &'a RunView, b: &'a RunView) -> Vec<(&'a str, &'a str)> {
    let ids = |view: &'a RunView| view.summary.arms.iter().map(|arm| arm.arm.as_str());
    let common: Vec<_> =
        ids(a).filter(|id| ids(b).any(|other| other == *id)).map(|id| (id, id)).collect();
    if common.is_empty() { ids(a).zip(ids(b)).take(1).collect() } else { common }
}

fn pairing_warnings(a: &RunView, b: &RunView) -> Vec<WarningEntry> {
    let mut warnings = Vec::new();
    let mut warn = |code: &str, message: &str| {
        warnings.push(WarningEntry { code: code.to_owned(), message: message.to_owned() });
    };
    if a.summary.seed != b.summary.seed {
        warn(
            "W0901",
            "the runs have different seeds: pairs do not share their random numbers, so intervals \
             are wider than they need to be; run both with one seed",
        );
    } else if world_sha256(&a.scenario) != world_sha256(&b.scenario) {
        warn(
            "W0902",
            "the runs play different scenarios: pairs share random numbers only where they agree, \
             and differences are not due to policies alone",
        );
    }
    if a.summary.replications != b.summary.replications {
        warn(
            "W0903",
            "the runs have different numbers of replications: only those both have are compared",
        );
    }
    if a.summary.trajectory_version != b.summary.trajectory_version {
        warn(
            "W0904",
            "the runs were made by versions that play scenarios differently: part of a difference \
             may be due to that; run both with one version",
        );
    }
    warnings
}

/// Whether nothing in a scenario draws chance, so that one replication says it all. Policies that
/// draw chance of their own need at least two replications to be compared.
#[must_use]
pub fn chance_free(scenario: &Scenario) -> bool {
    scenario.demand_noise.cv == 0.0
        && scenario.feeds.iter().all(|feed| feed.noise == 0.0)
        && scenario.actuators.iter().all(|one| one.jitter.0 == 0 && one.failure == 0.0)
        && (scenario.client_groups.is_empty() || landing_is_certain(scenario))
}

/// Whether users land, and follow changes, without chance.
fn landing_is_certain(scenario: &Scenario) -> bool {
    scenario.routing.bgp_convergence_mean.0 == 0 && scenario.routing.landing_noise == 0.0
}

/// A row before Holm's correction, with what the correction needs.
struct Draft {
    row: ComparisonRow,
    differences: Vec<f64>,
    info: &'static MetricInfo,
}

/// Judges all primary metrics of one candidate: one family for Holm's correction.
fn compare_sides(
    baseline: &Side<'_>,
    candidate: &Side<'_>,
    spec: &CompareSpec,
    exact: bool,
    comparison: &mut Comparison,
) {
    let mut drafts = Vec::new();
    for operand in &spec.metrics {
        let Operand::Metric { metric, labels } = operand else { continue };
        if arm_of(labels).is_some_and(|arm| arm != candidate.arm) {
            continue;
        }
        match draft(baseline, candidate, (metric, labels), spec, exact) {
            Some(draft) => drafts.push(draft),
            None => comparison.warnings.push(WarningEntry {
                code: "W0905".to_owned(),
                message: format!(
                    "{} of `{}` and `{}` was not compared: no replication has a value of both",
                    name_of(metric, labels),
                    baseline.shown,
                    candidate.shown
                ),
            }),
        }
    }
    correct(&mut drafts, spec.confidence);
    comparison.rows.extend(drafts.into_iter().map(|draft| draft.row));
}

fn name_of(metric: &str, labels: &[(String, String)]) -> String {
    let labels = labels::to_text(&canonical(metric, labels));
    if labels.is_empty() { format!("`{metric}`") } else { format!("`{metric}{{{labels}}}`") }
}

fn draft(
    baseline: &Side<'_>,
    candidate: &Side<'_>,
    (metric, labels): (&str, &[(String, String)]),
    spec: &CompareSpec,
    exact: bool,
) -> Option<Draft> {
    let info = catalogue::find(metric)?;
    let a = baseline.samples.by_replication(baseline.arm, metric, labels)?;
    let b = candidate.samples.by_replication(candidate.arm, metric, labels)?;
    let pairs: Vec<(f64, f64)> =
        a.iter().filter_map(|(replication, a)| Some((*a, *b.get(replication)?))).collect();
    let differences: Vec<f64> = pairs.iter().map(|(a, b)| b - a).collect();
    let baseline_mean = stats::mean(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())?;
    let candidate_mean = stats::mean(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>())?;
    let difference = stats::mean(&differences)?;
    let interval = match differences.len() {
        1 if exact => Some((difference, difference)),
        _ => stats::t_interval(&differences, spec.confidence),
    };
    let margin = spec.margin * baseline_mean.abs();
    let row = ComparisonRow {
        metric: metric.to_owned(),
        labels: canonical(metric, labels),
        unit: info.unit.to_owned(),
        baseline: baseline.shown.clone(),
        candidate: candidate.shown.clone(),
        baseline_mean,
        candidate_mean,
        difference,
        interval,
        p_value: stats::t_test_p(&differences),
        n: u32::try_from(differences.len()).ok()?,
        margin,
        verdict: verdict::judge(interval, margin, info.better),
        replications_needed: None,
    };
    Some(Draft { row, differences, info })
}

/// Replaces p values by Holm's, takes back verdicts that do not survive them, and says how many
/// replications would settle what is open.
fn correct(drafts: &mut [Draft], confidence: f64) {
    let raw: Vec<f64> = drafts.iter().filter_map(|draft| draft.row.p_value).collect();
    let mut adjusted = stats::holm(&raw).into_iter();
    for draft in drafts {
        let row = &mut draft.row;
        if row.p_value.is_some() {
            row.p_value = adjusted.next();
            let claims = matches!(row.verdict, Verdict::Better | Verdict::Worse);
            if claims && row.p_value.is_some_and(|p| p > 1.0 - confidence) {
                row.verdict = Verdict::Inconclusive;
            }
        }
        let beyond = verdict::judge(row.interval, row.margin, Better::Lower);
        let undirected = draft.info.better == Better::Neither;
        // A metric without a better direction stays inconclusive with any number.
        let settled = undirected && beyond != Verdict::Inconclusive;
        if row.verdict == Verdict::Inconclusive && !settled {
            row.replications_needed =
                verdict::replications_needed(&draft.differences, row.margin, confidence, raw.len());
        }
    }
}
