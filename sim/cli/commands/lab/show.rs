//! Shows what came out of a lab: for people and for programs.

use super::judge::{Judged, Verdict};
use crate::table;
use serde_json::{Value, json};
use steerlab_scenario::load_lab::LoadLab;

/// Six significant digits.
fn number(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    if rounded != 0.0 && !(1e-4..1e9).contains(&rounded.abs()) {
        format!("{rounded:e}")
    } else {
        format!("{rounded}")
    }
}

fn row(verdict: &Verdict, with_case: bool, rounds: Option<u32>) -> Vec<String> {
    let shown = |value: Option<f64>| value.map_or("-".to_owned(), number);
    let interval = verdict.interval.map_or("-".to_owned(), |(low, high)| {
        if low < high { format!("{} .. {}", number(low), number(high)) } else { "-".to_owned() }
    });
    let mut cells = Vec::new();
    if with_case {
        cells.push(verdict.case.clone());
    }
    cells.extend([
        verdict.metric.clone(),
        verdict.by.clone(),
        shown(verdict.expected),
        shown(verdict.mean),
        interval,
        verdict.rule.clone(),
    ]);
    if rounds.is_some() {
        let percent = |share: f64| format!("{:.1}%", 100.0 * share);
        cells.push(verdict.coverage.map_or("-".to_owned(), percent));
    }
    cells.push(if verdict.met { "ok" } else { "NOT MET" }.to_owned());
    cells
}

/// The answer for people.
pub fn text(lab: &LoadLab, judged: &Judged) -> String {
    let with_case = lab.cases.len() > 1;
    let rounds = judged.coverage_rounds;
    let mut head = if with_case { vec!["case"] } else { Vec::new() };
    head.extend(["metric", "expected by", "expected", "mean", "interval", "judged by"]);
    if rounds.is_some() {
        head.push("held by 95%");
    }
    head.push("verdict");
    let rows: Vec<Vec<String>> =
        judged.verdicts.iter().map(|verdict| row(verdict, with_case, rounds)).collect();
    let unmet = judged.verdicts.iter().filter(|verdict| !verdict.met).count();
    let mut text = format!("{}\n\n{}\n", lab.label, table::plain(&head, &rows));
    let all = judged.verdicts.len();
    text.push_str(&format!(
        "{} of {all} expectations met; {} replications, seed {}\n",
        all - unmet,
        lab.replications,
        lab.seed
    ));
    if let Some(rounds) = rounds {
        text.push_str(&format!("intervals tried with {rounds} further seeds\n"));
    }
    for verdict in judged.verdicts.iter().filter(|verdict| !verdict.met) {
        if !verdict.note.is_empty() {
            text.push_str(&format!("{}: {}\n", verdict.metric, verdict.note));
        }
    }
    text
}

/// One lab for programs.
pub fn json(lab: &LoadLab, judged: &Judged) -> Value {
    let expectations: Vec<Value> = judged
        .verdicts
        .iter()
        .map(|verdict| {
            let mut value = json!({
                "case": verdict.case,
                "metric": verdict.metric,
                "by": verdict.by,
                "expected": verdict.expected,
                "mean": verdict.mean,
                "low": verdict.interval.map(|(low, _)| low),
                "high": verdict.interval.map(|(_, high)| high),
                "rule": verdict.rule,
                "met": verdict.met,
                "note": verdict.note,
            });
            if judged.coverage_rounds.is_some() {
                value["coverage"] = json!(verdict.coverage);
            }
            value
        })
        .collect();
    json!({
        "name": lab.name,
        "label": lab.label,
        "description": lab.description,
        "source": lab.source,
        "seed": lab.seed,
        "replications": lab.replications,
        "confidence": lab.confidence,
        "coverage_rounds": judged.coverage_rounds,
        "expectations": expectations,
        "expectations_unmet": judged.verdicts.iter().filter(|verdict| !verdict.met).count(),
    })
}

/// The whole answer for programs.
pub fn whole(labs: Vec<Value>) -> Value {
    json!({ "format": "steerlab-lab/1", "labs": labs })
}
