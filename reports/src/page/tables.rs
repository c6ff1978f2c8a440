//! All figures with their intervals.

use super::parts::arm_name;
use crate::number::unit_name;
use crate::words::verdict_word;
use crate::{text, words};
use maud::{Markup, html};
use std::collections::BTreeSet;
use steerlab_results::catalogue;
use steerlab_results::summary::{ComparisonRow, MetricValue, Verdict};
use steerlab_results::view::RunView;

/// Most rows of one table of labelled metrics.
const LABELLED_ROWS_MAX: usize = 60;

/// A metric with its labels: what a row stands for.
type Key = (String, Vec<(String, String)>);

/// The section of tables.
pub fn metrics(view: &RunView) -> Markup {
    let (whole, labelled): (Vec<Key>, Vec<Key>) =
        keys(view).into_iter().partition(|(_, labels)| labels.is_empty());
    let kinds = kinds(&labelled);
    html! {
        section #metrics {
            h2 { "Metrics with intervals" }
            p { (words::method(view)) }
            @if whole.is_empty() && labelled.is_empty() {
                p.absent { "The summary holds no metrics." }
            }
            @if !whole.is_empty() { (table(view, &whole)) }
            p.how {
                strong { "How to read. " }
                "One row is one metric over the whole run and network. "
                @if view.summary.comparison.is_empty() {
                    "Nothing was compared, so no figure is marked as better."
                } @else {
                    "Bold with the word better: the difference from the baseline is larger than \
                     the margin with confidence, and only for the metrics the scenario compares. \
                     Overlapping intervals do not say that arms are equal: the paired differences \
                     below are the sharper test."
                }
            }
            (meanings(whole.iter().chain(&labelled)))
            @for kind in kinds {
                @let rows: Vec<Key> = labelled.iter().filter(|key| label_kind(key) == kind).cloned().collect();
                details.data {
                    summary { "Metrics by " (kind) " (" (rows.len()) ")" }
                    (table(view, &rows[..rows.len().min(LABELLED_ROWS_MAX)]))
                    @if rows.len() > LABELLED_ROWS_MAX {
                        p.quiet { "The first " (LABELLED_ROWS_MAX) " of " (rows.len()) "; all are in summary.json." }
                    }
                }
            }
        }
    }
}

/// What the metrics stand for, in the words of the catalogue.
fn meanings<'a>(keys: impl Iterator<Item = &'a Key>) -> Markup {
    let ids: BTreeSet<&str> = keys.map(|(metric, _)| metric.as_str()).collect();
    let known: Vec<_> = ids.into_iter().filter_map(catalogue::find).collect();
    html! {
        @if !known.is_empty() {
            details.data {
                summary { "What the metrics mean (" (known.len()) ")" }
                dl.facts { @for info in known { div { dt { code { (info.id) } } dd { (info.meaning) } } } }
            }
        }
    }
}

/// All rows in the order of the first arm that has them.
fn keys(view: &RunView) -> Vec<Key> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for metric in view.summary.arms.iter().flat_map(|arm| &arm.metrics) {
        let key = (metric.metric.clone(), metric.labels.clone());
        if seen.insert(key.clone()) {
            out.push(key);
        }
    }
    out
}

/// `class`, or `class and tenant`.
fn label_kind((_, labels): &Key) -> String {
    words::list(&labels.iter().map(|(name, _)| text::clean(name)).collect::<Vec<_>>())
}

fn kinds(labelled: &[Key]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for key in labelled {
        let kind = label_kind(key);
        if !out.contains(&kind) {
            out.push(kind);
        }
    }
    out
}

fn find<'a>(view: &'a RunView, arm: usize, (metric, labels): &Key) -> Option<&'a MetricValue> {
    let metrics = &view.summary.arms.get(arm)?.metrics;
    metrics.iter().find(|value| value.metric == *metric && value.labels == *labels)
}

fn judged<'a>(view: &'a RunView, arm: usize, (metric, labels): &Key) -> Option<&'a ComparisonRow> {
    let id = &view.summary.arms.get(arm)?.arm;
    view.summary
        .comparison
        .iter()
        .find(|row| row.candidate == *id && row.metric == *metric && row.labels == *labels)
}

fn table(view: &RunView, keys: &[Key]) -> Markup {
    let arms = view.summary.arms.len();
    html! {
        div.scroll tabindex="0" role="group" aria-label="Metrics" {
            table {
                thead { tr {
                    th scope="col" { "Metric" } th scope="col" { "Unit" }
                    @for arm in 0..arms { th.n scope="col" { (arm_name(view, arm)) } }
                    th.n scope="col" { "n" }
                } }
                tbody {
                    @for key in keys {
                        @let values: Vec<Option<&MetricValue>> = (0..arms).map(|arm| find(view, arm, key)).collect();
                        @let first = values.iter().flatten().next();
                        tr {
                            th scope="row" { code { (text::metric(&key.0, &key.1)) } }
                            td.quiet { (first.map_or(String::new(), |value| text::clean(unit_name(&value.unit)))) }
                            @for (arm, value) in values.iter().enumerate() {
                                td.n { (cell(*value, judged(view, arm, key))) }
                            }
                            td.n.quiet { (first.map_or(0, |value| value.n)) }
                        }
                    }
                }
            }
        }
    }
}

fn cell(value: Option<&MetricValue>, judged: Option<&ComparisonRow>) -> Markup {
    let Some(value) = value else { return html! { "–" } };
    let figure = words::metric_mean(value);
    html! {
        @match judged.map(|row| row.verdict) {
            Some(Verdict::Better) => { strong { (figure) } " " span.be.word { (verdict_word(Verdict::Better)) } },
            Some(Verdict::Worse) => { (figure) " " span.wo.word { (verdict_word(Verdict::Worse)) } },
            _ => (figure),
        }
    }
}
