//! Predictions against measurements, as tables.

use crate::args::Format;
use crate::table;
use serde_json::{Value, json};
use steerlab_engine::route::predict::{Score, pooled};
use steerlab_scenario::import::peering::Vantage;

/// One experiment as seen by one kind of vantage point.
pub struct Row {
    /// Name of the experiment.
    pub experiment: String,
    /// Kind of vantage point, where known.
    pub vantage: Option<Vantage>,
    /// The prediction's score.
    pub predicted: Score,
    /// The plain model's score.
    pub plain: Score,
}

impl Row {
    fn vantage(&self) -> &'static str {
        self.vantage.map_or("given", Vantage::name)
    }
}

/// All experiments of one kind of vantage point in which the sites really compete.
struct Total {
    vantage: Vantage,
    experiments: usize,
    predicted: Score,
    plain: Score,
    /// Mean of the accuracies of the experiments.
    predicted_mean: Option<f64>,
}

impl Total {
    fn new(vantage: Vantage, rows: &[Row]) -> Total {
        let competing: Vec<&Row> = rows
            .iter()
            .filter(|row| row.vantage == Some(vantage) && row.predicted.competes())
            .collect();
        let accuracies = competing.iter().filter_map(|row| row.predicted.accuracy());
        let sum: f64 = accuracies.sum();
        Total {
            vantage,
            experiments: competing.len(),
            predicted: pooled(competing.iter().map(|row| &row.predicted)),
            plain: pooled(competing.iter().map(|row| &row.plain)),
            predicted_mean: (!competing.is_empty()).then(|| sum / competing.len() as f64),
        }
    }
}

/// The answer: a row for each experiment and vantage, and totals over those that compete.
#[must_use]
pub fn answer(format: Format, rows: &[Row], totals: &[Vantage]) -> String {
    let totals: Vec<Total> = totals.iter().map(|&vantage| Total::new(vantage, rows)).collect();
    if format == Format::Json {
        return as_json(rows, &totals).to_string();
    }
    let show = if format == Format::Md { table::markdown } else { table::plain };
    let cells: Vec<Vec<String>> = rows.iter().map(row_cells).collect();
    let head = [
        "experiment",
        "seen by",
        "ASes",
        "compete",
        "right %",
        "plain %",
        "larger %",
        "tied %",
        "best ties %",
        "sure %",
        "right of sure %",
    ];
    let mut text = show(&head, &cells);
    if totals.is_empty() {
        return text;
    }
    let cells: Vec<Vec<String>> = totals.iter().map(total_cells).collect();
    let head =
        ["really competing", "experiments", "ASes", "right %", "mean %", "plain %", "larger %"];
    text.push('\n');
    text.push_str(&show(&head, &cells));
    text
}

/// A share in percent with one digit; a dash if there is nothing to be a share of.
fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    format!("{:.1}", 100.0 * part as f64 / whole as f64)
}

fn row_cells(row: &Row) -> Vec<String> {
    let score = &row.predicted;
    let of = |part| percent(part, score.measured);
    vec![
        row.experiment.clone(),
        row.vantage().to_owned(),
        score.measured.to_string(),
        if score.competes() { "yes" } else { "no" }.to_owned(),
        of(score.right),
        of(row.plain.right),
        of(score.larger),
        of(score.tied),
        of(score.right_at_best),
        of(score.sure),
        percent(score.sure_right, score.sure),
    ]
}

fn total_cells(total: &Total) -> Vec<String> {
    let score = &total.predicted;
    vec![
        total.vantage.name().to_owned(),
        total.experiments.to_string(),
        score.measured.to_string(),
        percent(score.right, score.measured),
        total.predicted_mean.map_or("-".to_owned(), |mean| format!("{:.1}", 100.0 * mean)),
        percent(total.plain.right, score.measured),
        percent(score.larger, score.measured),
    ]
}

/// Everything that is counted.
fn score_json(predicted: &Score, plain: &Score) -> Value {
    json!({
        "measured": predicted.measured,
        "undecided": predicted.undecided,
        "larger": predicted.larger,
        "right": predicted.right,
        "silent": predicted.silent,
        "tied": predicted.tied,
        "right_at_best": predicted.right_at_best,
        "sure": predicted.sure,
        "sure_right": predicted.sure_right,
        "plain_right": plain.right,
        "plain_silent": plain.silent,
    })
}

fn as_json(rows: &[Row], totals: &[Total]) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "experiment": row.experiment,
                "seen_by": row.vantage(),
                "competes": row.predicted.competes(),
                "counts": score_json(&row.predicted, &row.plain),
            })
        })
        .collect();
    let totals: Vec<Value> = totals
        .iter()
        .map(|total| {
            json!({
                "seen_by": total.vantage.name(),
                "experiments": total.experiments,
                "accuracy_mean": total.predicted_mean,
                "counts": score_json(&total.predicted, &total.plain),
            })
        })
        .collect();
    json!({ "format": "steerlab-prediction-score/1", "rows": rows, "competing": totals })
}
