//! Markdown for step summaries and review comments.

use crate::number::{duration, quantity, unit_name};
use crate::plots::{Churn, churn_pairs};
use crate::text::{self, markdown_cell};
use crate::words::{self, Outcome};
use std::fmt::Write as _;
use steerlab_results::summary::{ComparisonRow, Verdict};
use steerlab_results::view::RunView;

/// Largest text, bytes: what step summaries and comments take without being cut.
const BYTES_MAX: usize = 60_000;

/// Room kept for the closing lines.
const TAIL_BYTES: usize = 1_500;

/// Most causes of moves listed for an arm.
const CAUSES_MAX: usize = 4;

/// The summary of a run.
#[must_use]
pub fn summary(view: &RunView) -> String {
    let mut page = Page::default();
    let outcome = Outcome::of(&view.summary.checks, &view.summary.comparison);
    let title =
        if view.scenario.label.is_empty() { &view.summary.scenario } else { &view.scenario.label };
    page.line(&format!("## {} {}", outcome.symbol(), words::verdict_line(view)));
    page.line("");
    page.line(&format!("**{}.** {}", markdown_cell(title), cells(&words::summary(view))));
    checks(&mut page, view);
    if !view.summary.comparison.is_empty() {
        page.line("");
        page.line("### Against the baseline");
        page.line("");
        comparison_table(&mut page, &view.summary.comparison);
    }
    churn(&mut page, view);
    metrics(&mut page, view);
    if !view.summary.warnings.is_empty() {
        page.line("");
        page.line("### Before you trust this");
        page.line("");
        for warning in &view.summary.warnings {
            page.row(&format!(
                "- **{}** {}",
                markdown_cell(&warning.code),
                markdown_cell(&warning.message)
            ));
        }
    }
    page.finish(&format!(
        "\nReproduce: {}\n\nSeed {}, {}, scenario {}, Steerlab {}.\n",
        code(&text::clean(&view.manifest.provenance.reproduce)),
        view.summary.seed,
        text::count(view.summary.replications as usize, "replication"),
        code(&view.summary.scenario_sha256.chars().take(12).collect::<String>()),
        markdown_cell(&view.manifest.provenance.version)
    ))
}

/// The comparison of two runs.
#[must_use]
pub fn comparison(rows: &[ComparisonRow]) -> String {
    let mut page = Page::default();
    let symbol = match rows {
        rows if rows.iter().any(|row| row.verdict == Verdict::Worse) => "✗",
        rows if rows.iter().any(|row| row.verdict == Verdict::Inconclusive) => "?",
        _ => "✓",
    };
    if rows.is_empty() {
        page.line("## – Nothing was compared");
        return page.finish("");
    }
    page.line(&format!("## {symbol} {}", words::comparison_counts(rows)));
    page.line("");
    comparison_table(&mut page, rows);
    page.finish("")
}

fn checks(page: &mut Page, view: &RunView) {
    if view.summary.checks.is_empty() {
        return;
    }
    page.line("");
    page.line("| Result | Check | Arm | Left side | Right side |");
    page.line("|---|---|---|---:|---:|");
    for check in &view.summary.checks {
        page.row(&format!(
            "| {} | {} | {} | {} | {} |",
            if check.pass { "✓ pass" } else { "**✗ fail**" },
            code(&text::clean(&check.text)),
            check.arm.as_deref().map_or(String::new(), markdown_cell),
            words::side_of(check, check.left),
            words::side_of(check, check.right)
        ));
    }
}

fn comparison_table(page: &mut Page, rows: &[ComparisonRow]) {
    page.line("| Verdict | Metric | Arm | Against | Mean | Difference | Interval | n |");
    page.line("|---|---|---|---:|---:|---:|---:|---:|");
    for row in rows {
        let verdict = words::verdict_with_need(row);
        let verdict = match row.verdict {
            Verdict::Better => format!("**✓ {verdict}**"),
            Verdict::Worse => format!("**✗ {verdict}**"),
            Verdict::NoMaterialDifference => format!("= {verdict}"),
            Verdict::Inconclusive => format!("? {verdict}"),
        };
        let unit = markdown_cell(unit_name(&row.unit));
        let difference = |value| words::metric_difference(&row.metric, &unit, value);
        let interval = row.interval.map_or("–".to_owned(), |(low, high)| {
            format!("{} to {}", difference(low), difference(high))
        });
        page.row(&format!(
            "| {verdict} | {} | {} | {} | {} | {} | {interval} | {} |",
            code(&text::metric(&row.metric, &row.labels)),
            markdown_cell(&row.candidate),
            words::metric_value(&row.metric, &unit, row.baseline_mean),
            words::metric_value(&row.metric, &unit, row.candidate_mean),
            difference(row.difference),
            row.n
        ));
    }
}

/// Who moved after what, the largest causes of each arm.
fn churn(page: &mut Page, view: &RunView) {
    let Ok(churn) = Churn::of(view) else { return };
    page.line("");
    page.line("### Who moved");
    page.line("");
    page.line("| Arm | After | From → to | Moved | First to last move | Lost by routing |");
    page.line("|---|---|---|---:|---:|---:|");
    for (index, arm) in churn.arms.iter().enumerate() {
        let name = markdown_cell(&view.summary.arms[index].arm);
        if index > 0 && *arm == churn.arms[0] {
            page.row(&format!("| {name} | as the baseline | | | | |"));
            continue;
        }
        let mut largest: Vec<_> = arm.episodes.iter().collect();
        largest.sort_by(|a, b| b.moved.total_cmp(&a.moved));
        for row in largest.iter().take(CAUSES_MAX) {
            page.row(&format!(
                "| {name} | {} | {} | {} | {} | {} |",
                markdown_cell(&row.what),
                markdown_cell(&churn_pairs(row)),
                quantity(row.moved, "requests/s"),
                duration((row.moving_s * 10.0).round() / 10.0),
                quantity(row.lost_bits.iter().sum(), "bit")
            ));
        }
    }
}

fn metrics(page: &mut Page, view: &RunView) {
    let Some(first) = view.summary.arms.first() else { return };
    let whole: Vec<_> = first.metrics.iter().filter(|metric| metric.labels.is_empty()).collect();
    if whole.is_empty() {
        return;
    }
    page.line("");
    page.line("<details><summary>All metrics</summary>");
    page.line("");
    page.line(&markdown_cell(&words::method(view)));
    page.line("");
    let arms: Vec<String> = view.summary.arms.iter().map(|arm| markdown_cell(&arm.arm)).collect();
    page.line(&format!("| Metric | Unit | {} |", arms.join(" | ")));
    page.line(&format!("|---|---|{}", "---:|".repeat(arms.len())));
    for metric in whole {
        let cells: Vec<String> = view
            .summary
            .arms
            .iter()
            .map(|arm| {
                let same = |other: &&steerlab_results::summary::MetricValue| {
                    other.metric == metric.metric && other.labels.is_empty()
                };
                arm.metrics
                    .iter()
                    .find(same)
                    .map_or("–".to_owned(), |value| words::metric_mean(value))
            })
            .collect();
        page.row(&format!(
            "| {} | {} | {} |",
            code(&text::clean(&metric.metric)),
            markdown_cell(unit_name(&metric.unit)),
            cells.join(" | ")
        ));
    }
    page.close("\n</details>\n");
}

fn cells(sentences: &[String]) -> String {
    sentences.iter().map(|sentence| markdown_cell(sentence)).collect::<Vec<_>>().join(" ")
}

/// As code where nothing in it could end the code or the cell, as plain text otherwise.
fn code(words: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " _.,=<>{}()+-*/%".contains(c);
    let words = text::shorten(words, 300);
    if !words.is_empty() && words.chars().all(plain) {
        format!("`{words}`")
    } else {
        markdown_cell(&words)
    }
}

/// Lines up to the limit; what does not fit is counted.
#[derive(Default)]
struct Page {
    out: String,
    left_out: usize,
}

impl Page {
    /// A line that is always there (there are few of them).
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{}", text_line(line));
    }

    /// A line that may be left out.
    fn row(&mut self, line: &str) {
        let line = text_line(line);
        if self.left_out == 0 && self.out.len() + line.len() + TAIL_BYTES < BYTES_MAX {
            let _ = writeln!(self.out, "{line}");
        } else {
            self.left_out += 1;
        }
    }

    fn close(&mut self, tail: &str) {
        self.out.push_str(tail);
    }

    fn finish(mut self, tail: &str) -> String {
        if self.left_out > 0 {
            let _ = write!(
                self.out,
                "\n{} left out for length; all are in the report.\n",
                text::count(self.left_out, "row")
            );
        }
        self.out.push_str(tail);
        self.out
    }
}

/// No line may be longer than the room there is.
fn text_line(line: &str) -> String {
    text::shorten(line, 6_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_only_where_it_is_safe() {
        assert_eq!(code("loss_ratio{class=bulk} < 0.01"), "`loss_ratio{class=bulk} < 0.01`");
        assert_eq!(code("a`b|c"), "a&#96;b&#124;c");
    }

    #[test]
    fn length_is_limited_and_said() {
        let mut page = Page::default();
        for _ in 0..10_000 {
            page.row("| some row of a table |");
        }
        let text = page.finish("the end");
        assert!(text.len() < BYTES_MAX && text.contains("left out") && text.ends_with("the end"));
    }
}
