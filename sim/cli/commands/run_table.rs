//! What `run` says on a terminal: figures per arm, checks, verdicts.

use crate::console::printable;
use crate::table::plain;
use steerlab_report::{number, percent};
use steerlab_results::summary::{ComparisonRow, MetricValue, Summary, Verdict};

/// Metrics shown on the terminal where they have a value; the rest is in the run directory.
const SHOWN: [&str; 12] = [
    "loss_ratio",
    "availability_ratio",
    "latency_ms_p50",
    "latency_ms_p99",
    "link_utilisation_max",
    "link_overload_s",
    "site_utilisation_max",
    "site_overload_s",
    "users_moved_requests_per_s",
    "actions_applied",
    "actions_refused",
    "flaps",
];

/// The whole answer.
#[must_use]
pub fn table(summary: &Summary, color: bool) -> String {
    let mut text = figures(summary);
    if !summary.checks.is_empty() {
        text.push('\n');
        text.push_str(&checks(summary, color));
    }
    if !summary.comparison.is_empty() {
        text.push('\n');
        text.push_str(&verdicts(&summary.comparison));
    }
    text
}

fn figures(summary: &Summary) -> String {
    let mut head = vec!["metric".to_owned()];
    head.extend(summary.arms.iter().map(|arm| arm.arm.clone()));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let mut rows = Vec::new();
    for metric in SHOWN {
        let values: Vec<Option<&MetricValue>> = summary
            .arms
            .iter()
            .map(|arm| arm.metrics.iter().find(|m| m.metric == metric && m.labels.is_empty()))
            .collect();
        if values.iter().any(Option::is_some) {
            let mut row = vec![metric.to_owned()];
            row.extend(values.iter().map(|value| value.map_or("-".to_owned(), cell)));
            rows.push(row);
        }
    }
    plain(&head, &rows)
}

/// Mean and half width of the interval.
fn cell(value: &MetricValue) -> String {
    let shown = |x: f64| if value.metric.ends_with("_ratio") { percent(x) } else { number(x) };
    match value.interval {
        Some((low, high)) if high > low => {
            format!("{} ± {}", shown(value.mean), shown((high - low) / 2.0))
        }
        _ => shown(value.mean),
    }
}

/// One line a check.
fn checks(summary: &Summary, color: bool) -> String {
    let paint = |pass: bool, text: &str| match (color, pass) {
        (true, true) => format!("\x1b[32m{text}\x1b[0m"),
        (true, false) => format!("\x1b[1;31m{text}\x1b[0m"),
        _ => text.to_owned(),
    };
    let mut text = String::new();
    for check in &summary.checks {
        let mark = if check.pass { "✓ pass" } else { "✗ FAIL" };
        let arm = check.arm.as_ref().map_or(String::new(), |arm| format!("  [{arm}]"));
        let side = |value: Option<f64>| value.map_or("no value".to_owned(), number);
        let seen = format!("  ({} against {})", side(check.left), side(check.right));
        let line = format!("{}  {}{arm}{seen}", paint(check.pass, mark), printable(&check.text));
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// One row a comparison.
#[must_use]
pub fn verdicts(rows: &[ComparisonRow]) -> String {
    let head = [
        "metric",
        "candidate",
        "against",
        "candidate mean",
        "baseline mean",
        "difference",
        "verdict",
    ];
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let labels: Vec<String> =
                row.labels.iter().map(|(label, value)| format!("{label}={value}")).collect();
            let labels =
                if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            vec![
                format!("{}{labels}", row.metric),
                row.candidate.clone(),
                row.baseline.clone(),
                number(row.candidate_mean),
                number(row.baseline_mean),
                difference(row),
                verdict(row),
            ]
        })
        .collect();
    plain(&head, &rows)
}

fn difference(row: &ComparisonRow) -> String {
    match row.interval {
        Some((low, high)) if high > low => {
            format!("{} [{}, {}]", number(row.difference), number(low), number(high))
        }
        _ => number(row.difference),
    }
}

/// The verdict in words.
#[must_use]
pub fn verdict(row: &ComparisonRow) -> String {
    match (row.verdict, row.replications_needed) {
        (Verdict::Better, _) => "better".to_owned(),
        (Verdict::Worse, _) => "WORSE".to_owned(),
        (Verdict::NoMaterialDifference, _) => "no material difference".to_owned(),
        (Verdict::Inconclusive, _) if row.n < 2 => {
            "inconclusive: one replication has no interval, run at least 2".to_owned()
        }
        (Verdict::Inconclusive, Some(needed)) => {
            format!("inconclusive: about {needed} replications would tell")
        }
        (Verdict::Inconclusive, None) => "inconclusive".to_owned(),
    }
}
