//! What a lab expects, and what theory says to it.

use super::lab::{Expectation, Wanted};
use super::resolve::{Given, Plan};
use crate::diagnostic::{Diagnostic, Sink, nearest, quote};
use crate::typed::{Fields, Value};
use std::sync::Arc;
use steerlab_engine::theory::{Model, model, models};

/// Metrics of each kind of experiment, without labels.
const METRICS: [(&str, &[&str]); 8] = [
    (
        "queue",
        &[
            "sojourn_s_mean",
            "sojourn_s_p50",
            "sojourn_s_p90",
            "sojourn_s_p99",
            "sojourn_s_p999",
            "wait_s_mean",
            "in_system_mean",
            "utilisation",
            "throughput_per_s",
            "blocking_ratio",
            "loss_ratio",
            "success_ratio",
            "tries_per_request",
        ],
    ),
    ("cache", &["hit_ratio"]),
    ("tiers", &["origin_fetches_per_s", "hit_ratio_lower", "hit_ratio_upper"]),
    (
        "table",
        &[
            "share_max_over_mean",
            "share_min_over_mean",
            "moved_ratio",
            "disruption_ratio",
            "entries",
        ],
    ),
    ("chain", &["in_flight_mean", "broken"]),
    ("bucket", &["passed", "dropped", "passed_ratio"]),
    ("spill", &["load_percent", "share_percent"]),
    ("billing", &["billed"]),
];

fn texts(fields: &Fields, key: &str) -> Vec<Arc<str>> {
    fields.items(key).iter().filter_map(Value::text).cloned().collect()
}

/// All expectations. `ids` are the cases there are.
pub(super) fn rows(fields: &Fields, ids: &[&str], sink: &mut Sink) -> Vec<Expectation> {
    let kind = fields.chosen().map_or("", |(kind, _)| kind);
    let mut found = Vec::new();
    for row in fields.rows("expect") {
        let metric = row.string("metric");
        known_metric(kind, row, &metric, sink);
        let wanted = wanted(row, &metric, sink);
        let cases: Vec<String> = texts(row, "cases").iter().map(ToString::to_string).collect();
        // With a varied value of their own, people get a case that the file does not have.
        let whole = ids.len() > 1 || fields.get("vary").is_none();
        if whole {
            known_cases(row, "cases", ids, sink);
            known_cases(row, "ascending", ids, sink);
        }
        let (tolerance, source) = (row.number("tolerance"), row.string("source"));
        found.push(Expectation { metric, cases, wanted, tolerance, source });
    }
    found
}

fn known_metric(kind: &str, row: &Fields, metric: &str, sink: &mut Sink) {
    let Some((_, known)) = METRICS.iter().find(|(name, _)| *name == kind) else { return };
    let base = metric.split('{').next().unwrap_or("");
    if !known.contains(&base) {
        let message = format!("`{kind}` has no metric {}", quote(metric));
        sink.push(
            Diagnostic::new("E0301", row.place("metric"), message)
                .help(format!("metrics: {}", known.join(", ")))
                .suggest(nearest(base, known.iter().copied())),
        );
    }
}

fn known_cases(row: &Fields, key: &str, ids: &[&str], sink: &mut Sink) {
    for value in row.items(key) {
        let Some(text) = value.text() else { continue };
        if !ids.contains(&&**text) {
            let message = format!("there is no case {}", quote(text));
            sink.push(
                Diagnostic::new("E0301", value.span, message)
                    .help(format!("cases: {}", ids.join(", "))),
            );
        }
    }
}

fn wanted(row: &Fields, metric: &str, sink: &mut Sink) -> Wanted {
    for key in ["quantity", "given"] {
        if row.get(key).is_some() && row.get("theory").is_none() {
            let message = format!("`{key}` says more about `theory`, which is not there");
            let help = "add `theory`, or leave it out";
            sink.push(Diagnostic::new("E0408", row.place(key), message).help(help));
        }
    }
    let number = |key| row.number(key).unwrap_or(0.0);
    match row.chosen().map(|(key, _)| key) {
        Some("theory") => Wanted::Theory {
            model: row.string("theory"),
            quantity: row.text("quantity").map_or_else(|| metric.to_owned(), ToString::to_string),
        },
        Some("at_least") => Wanted::AtLeast(number("at_least")),
        Some("at_most") => Wanted::AtMost(number("at_most")),
        Some("ascending") => {
            Wanted::Ascending(texts(row, "ascending").iter().map(ToString::to_string).collect())
        }
        _ => Wanted::Value,
    }
}

/// What each expectation says in one case: none where it says nothing about a single value, or
/// nothing about this case.
pub(super) fn values(
    fields: &Fields,
    kind: &str,
    plan: &Plan,
    given: &Given,
    sink: &mut Sink,
) -> Vec<Option<f64>> {
    let all = fields.get("vary").map_or_else(
        || fields.items("cases").len().max(1),
        |vary| vary.fields().map_or(1, |vary| vary.items("values").len()),
    );
    let mut found = Vec::new();
    for row in fields.rows("expect") {
        let named = texts(row, "cases");
        if !named.is_empty() && !named.iter().any(|id| **id == *plan.id) {
            found.push(None);
            continue;
        }
        found.push(match row.chosen() {
            Some(("theory", value)) => theory(row, value, given, sink),
            Some(("value", value)) => value.number(),
            Some(("values", value)) => {
                let numbers = value.items();
                if numbers.len() != all {
                    let message = format!("{} values for {all} cases of the {kind}", numbers.len());
                    let help = "give one value for each case";
                    sink.push(Diagnostic::new("E0105", value.span, message).help(help));
                }
                let at = plan.position.and_then(|position| numbers.get(position));
                at.and_then(Value::number)
            }
            _ => None,
        });
    }
    found
}

fn theory(row: &Fields, value: &Value, given: &Given, sink: &mut Sink) -> Option<f64> {
    let name = value.text()?;
    let Some(model) = model(name) else {
        let names: Vec<&str> = models().map(|model| model.name).collect();
        let message = format!("there is no model {}", quote(name));
        sink.push(
            Diagnostic::new("E0301", value.span, message)
                .help(format!("models: {}", names.join(", ")))
                .suggest(nearest(name, names.iter().copied())),
        );
        return None;
    };
    let texts = parameters(row, model, given, sink);
    let wanted = row.text("quantity").or_else(|| row.text("metric"))?;
    let answers = match model.answer(&texts) {
        Ok(answers) => answers,
        Err(troubles) => {
            for trouble in troubles {
                let message =
                    format!("theory `{}`: {} {}", model.name, trouble.parameter, trouble.what);
                sink.push(Diagnostic::new("E0202", value.span, message).help(trouble.help));
            }
            return None;
        }
    };
    let found = answers.iter().find(|answer| answer.id() == **wanted);
    if found.is_none() {
        let ids: Vec<String> = answers.iter().map(|answer| answer.id()).collect();
        let message = format!("theory `{}` has no quantity {}", model.name, quote(wanted));
        sink.push(
            Diagnostic::new("E0301", value.span, message)
                .help(format!("add `quantity`, one of {}", ids.join(", "))),
        );
    }
    found.map(|answer| answer.value)
}

/// Parameters of a model: those of the experiment that it has, replaced by those of the row.
fn parameters(row: &Fields, model: &Model, given: &Given, sink: &mut Sink) -> Given {
    let mut own = Given::new();
    for value in row.items("given") {
        let Some(text) = value.text() else { continue };
        match text.split_once('=') {
            Some((name, to)) => own.push((name.trim().to_owned(), to.trim().to_owned())),
            None => sink.push(
                Diagnostic::new("E0201", value.span, format!("{} gives nothing", quote(text)))
                    .help("write `name=value`, such as `size_s=3`"),
            ),
        }
    }
    let has = |name: &str| model.parameters.iter().any(|one| one.name == name);
    // A given failure stands for the load of the tries.
    let failing = has("failure");
    for (name, value) in given.iter().filter(|(name, _)| has(name)) {
        let replaced = own.iter().any(|(other, _)| {
            model.parameter(other).is_some_and(|parameter| parameter.name == name)
        });
        if !(replaced || failing && name == "load") {
            own.push((name.clone(), value.clone()));
        }
    }
    own
}
