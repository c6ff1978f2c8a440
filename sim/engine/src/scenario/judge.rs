//! What is judged after the runs: checks and comparisons.

use serde::{Deserialize, Serialize};

/// A check to be judged after the runs, kept as its text and parsed form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// As written.
    pub text: String,
    /// Left side.
    pub left: Operand,
    /// Comparison: `<`, `<=`, `>`, `>=`, `==`.
    pub op: CheckOp,
    /// Right side.
    pub right: Operand,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckOp {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `==`
    Eq,
}

/// One side of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operand {
    /// A number, in the metric's unit.
    Number(f64),
    /// A metric with labels such as `class=interactive` or `arm=baseline`, mean over replications.
    Metric {
        /// Metric id.
        metric: String,
        /// (label, value) pairs.
        labels: Vec<(String, String)>,
    },
}

/// What `compare` judges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompareSpec {
    /// Primary metrics, each with labels as in checks.
    pub metrics: Vec<Operand>,
    /// Smallest relative difference that matters, at least 0.
    pub margin: f64,
    /// Confidence level of intervals, such as 0.95.
    pub confidence: f64,
}
