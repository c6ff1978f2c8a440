//! What `summary.json` and `manifest.json` hold.

use serde::{Deserialize, Serialize};

/// `summary.json`, format `steerlab-summary/1`. The same scenario gives the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// `steerlab-summary/1`.
    pub format: String,
    /// Scenario name.
    pub scenario: String,
    /// SHA-256 of the resolved scenario, hex.
    pub scenario_sha256: String,
    /// Meaning of trajectories.
    pub trajectory_version: u32,
    /// Root seed.
    pub seed: u64,
    /// Replications per arm.
    pub replications: u32,
    /// Confidence level of all intervals.
    pub confidence: f64,
    /// Per arm, in scenario order.
    pub arms: Vec<ArmSummary>,
    /// Per run, arms first.
    pub runs: Vec<RunSummary>,
    /// Checks, in scenario order.
    pub checks: Vec<CheckResult>,
    /// Comparison of every other arm with the first, on the primary metrics; empty with one arm.
    pub comparison: Vec<ComparisonRow>,
    /// Things to know before trusting the figures, without duplicates, sorted.
    pub warnings: Vec<WarningEntry>,
}

/// An arm's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmSummary {
    /// Arm id.
    pub arm: String,
    /// Arm label.
    pub label: String,
    /// Policies with their versions, such as `threshold-withdraw/1`.
    pub policies: Vec<String>,
    /// Figures, in catalogue order, then by labels.
    pub metrics: Vec<MetricValue>,
}

/// One figure over the replications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricValue {
    /// Metric id.
    pub metric: String,
    /// (label, value) pairs; empty for the whole network.
    pub labels: Vec<(String, String)>,
    /// Unit, empty for ratios and counts.
    pub unit: String,
    /// Mean over replications.
    pub mean: f64,
    /// Student-t interval of the mean; none with one replication.
    pub interval: Option<(f64, f64)>,
    /// Number of replications.
    pub n: u32,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Arm id.
    pub arm: String,
    /// Replication.
    pub replication: u32,
    /// Trajectory, 16 hex digits.
    pub fingerprint: String,
    /// Events applied.
    pub events: u64,
}

/// A judged check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// As written.
    pub text: String,
    /// Arm it was judged on; none where the check itself names arms.
    pub arm: Option<String>,
    /// Left value (mean over replications); none if the metric has no value.
    pub left: Option<f64>,
    /// Right value.
    pub right: Option<f64>,
    /// Whether it holds. A side without a value fails.
    pub pass: bool,
}

/// Judgement on one metric: another arm against the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonRow {
    /// Metric id.
    pub metric: String,
    /// Labels.
    pub labels: Vec<(String, String)>,
    /// Unit.
    pub unit: String,
    /// Baseline: arm id (or run:arm when two runs are compared).
    pub baseline: String,
    /// What is compared with it.
    pub candidate: String,
    /// Baseline mean.
    pub baseline_mean: f64,
    /// Candidate mean.
    pub candidate_mean: f64,
    /// Mean of paired differences, candidate − baseline.
    pub difference: f64,
    /// t interval of the difference, not corrected; none with fewer than two pairs. Without
    /// variance, and with one pair of a scenario free of chance, it is the difference itself,
    /// twice.
    pub interval: Option<(f64, f64)>,
    /// p value of the paired t test after Holm's correction over the metrics compared for this
    /// candidate; none without variance or with fewer than two pairs.
    pub p_value: Option<f64>,
    /// Pairs.
    pub n: u32,
    /// Margin in the metric's unit: smaller differences do not matter.
    pub margin: f64,
    /// The judgement.
    pub verdict: Verdict,
    /// For `inconclusive`: replications that would probably settle it; none if no number would,
    /// or more than a million.
    pub replications_needed: Option<u64>,
}

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Better by more than the margin, with confidence.
    Better,
    /// Worse by more than the margin, with confidence.
    Worse,
    /// The difference is within the margin, with confidence.
    NoMaterialDifference,
    /// The interval is too wide to say, the p value does not survive the correction, or neither
    /// direction of the metric is the better one.
    Inconclusive,
}

/// A warning, as in the engine's records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WarningEntry {
    /// Stable code.
    pub code: String,
    /// What was seen and what to do.
    pub message: String,
}

/// `manifest.json`, format `steerlab-manifest/1`: written last; a directory without it is not a
/// run directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// `steerlab-manifest/1`.
    pub format: String,
    /// Files of the directory with size and SHA-256, sorted by name.
    pub files: Vec<FileEntry>,
    /// How it was made: the only part that may differ between equal runs.
    pub provenance: Provenance,
}

/// One file of a run directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Name relative to the directory.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

/// How a run directory was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// `steerlab` version.
    pub version: String,
    /// The command line, as typed.
    pub command: Vec<String>,
    /// A command that reproduces it.
    pub reproduce: String,
}
