//! `steerlab compare`: a verdict and an exit code.

use super::run::{Produced, load, produce, source_of};
use super::run_table::verdicts;
use super::show_diagnostics;
use crate::args::{CompareArgs, FailOn, Format};
use crate::console::{Console, shown};
use crate::exit::Exit;
use serde_json::json;
use std::path::Path;
use steerlab_engine::scenario::{CompareSpec, Scenario};
use steerlab_results::compare::{Comparison, compare_arms, compare_runs};
use steerlab_results::samples::Samples;
use steerlab_results::summary::Verdict;
use steerlab_results::view::RunView;

/// Judges arms of one input, or several inputs against the first.
pub fn compare(console: &Console, args: &CompareArgs) -> Exit {
    let (spec, views) = match views(console, args) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let comparison = match judge(&views, &spec) {
        Ok(comparison) => comparison,
        Err(what) => return console.fail(Exit::BadInput, &what, ""),
    };
    if comparison.rows.is_empty() {
        let lonely = views.len() == 1 && views[0].scenario.arms.len() == 1;
        let (what, help) = if lonely {
            (
                "nothing to compare: one arm only",
                "give the scenario a second arm, or name a second run",
            )
        } else {
            (
                "nothing to compare: the metrics have no value in these runs",
                "name another with --metric",
            )
        };
        warn(console, &comparison);
        return console.fail(Exit::NothingSelected, what, help);
    }
    answer(console, &comparison, args.options.format);
    exit_of(&comparison, args)
}

/// What to judge, and the runs to judge it on. Everything that can be wrong is found before
/// anything is run.
fn views(console: &Console, args: &CompareArgs) -> Result<(CompareSpec, Vec<RunView>), Exit> {
    let inputs: Vec<Input> = args
        .inputs
        .iter()
        .map(|path| Input::open(console, path, args))
        .collect::<Result<_, _>>()?;
    let first = match &inputs[0] {
        Input::Run(view) => &view.scenario,
        Input::Scenario(_, scenario) => scenario,
    };
    let spec = spec_of(first, args)
        .map_err(|what| console.fail(Exit::BadInput, &what, "see `steerlab list metrics`"))?;
    if spec.metrics.is_empty() {
        return Err(console.fail(
            Exit::NothingSelected,
            "no metric to compare",
            "name one with --metric, or under `compare:` in the scenario",
        ));
    }
    let views = inputs.into_iter().map(|input| match input {
        Input::Run(view) => Ok(*view),
        Input::Scenario(path, _) => {
            let Produced { assembled, .. } = produce(console, &source_of(path), &args.options)?;
            console.say(&format!("run directory: {}", shown(&assembled.dir)));
            read(console, &assembled.dir)
        }
    });
    Ok((spec, views.collect::<Result<_, _>>()?))
}

/// What was named: a run directory, or a scenario to be run.
enum Input<'a> {
    Run(Box<RunView>),
    Scenario(&'a Path, Box<Scenario>),
}

impl Input<'_> {
    fn open<'a>(console: &Console, path: &'a Path, args: &CompareArgs) -> Result<Input<'a>, Exit> {
        if path.is_dir() {
            return Ok(Input::Run(Box::new(read(console, path)?)));
        }
        let loaded = load(&source_of(path), &args.options)
            .map_err(|what| console.fail(Exit::BadInput, &what, "see `steerlab compare --help`"))?;
        if loaded.scenario.is_none() {
            show_diagnostics(console, &loaded);
        }
        loaded.scenario.map_or(Err(Exit::BadInput), |one| Ok(Input::Scenario(path, Box::new(one))))
    }
}

fn read(console: &Console, dir: &Path) -> Result<RunView, Exit> {
    RunView::read(dir).map_err(|error| {
        console.fail(Exit::BadInput, &error.to_string(), "name run directories or scenario files")
    })
}

/// The scenario's primary metrics and margins, or those of the command line.
fn spec_of(scenario: &Scenario, args: &CompareArgs) -> Result<CompareSpec, String> {
    let mut spec = scenario.compare.clone();
    if !args.metric.is_empty() {
        spec.metrics = args
            .metric
            .iter()
            .map(|text| {
                let metrics = steerlab_results::catalogue::metrics();
                steerlab_scenario::parse_metric(text, metrics, scenario)
                    .map_err(|error| format!("--metric {text}: {}", error.message))
            })
            .collect::<Result<_, String>>()?;
    }
    let ratio = |text: &Option<String>, name: &str| match text {
        None => Ok(None),
        Some(text) => steerlab_scenario::parse_ratio(text)
            .map(Some)
            .map_err(|why| format!("--{name} {text}: {why}")),
    };
    if let Some(margin) = ratio(&args.margin, "margin")? {
        spec.margin = margin;
    }
    if let Some(confidence) = ratio(&args.confidence, "confidence")? {
        if !(0.5..1.0).contains(&confidence) {
            return Err("--confidence must be at least 50% and below 100%".to_owned());
        }
        spec.confidence = confidence;
    }
    Ok(spec)
}

fn judge(views: &[RunView], spec: &CompareSpec) -> Result<Comparison, String> {
    let [first, others @ ..] = views else { return Ok(Comparison::default()) };
    if others.is_empty() {
        let samples = first.table("runs").and_then(Samples::from_table);
        let samples = samples.ok_or_else(|| format!("{} has no values", first.dir.display()))?;
        let mut scenario = first.scenario.clone();
        scenario.compare = spec.clone();
        return Ok(compare_arms(&scenario, &samples));
    }
    let mut all = Comparison::default();
    for other in others {
        let one = compare_runs(first, other, spec).map_err(|error| error.to_string())?;
        all.rows.extend(one.rows);
        all.warnings.extend(one.warnings);
    }
    Ok(all)
}

fn answer(console: &Console, comparison: &Comparison, format: Format) {
    let text = match format {
        Format::Table => verdicts(&comparison.rows),
        Format::Md => steerlab_report::markdown_comparison(&comparison.rows),
        Format::Json => json!({
            "format": "steerlab-comparison/1",
            "rows": comparison.rows,
            "warnings": comparison.warnings,
        })
        .to_string(),
    };
    console.answer(&text);
    warn(console, comparison);
}

fn warn(console: &Console, comparison: &Comparison) {
    for warning in &comparison.warnings {
        console.warn(&warning.code, &warning.message);
    }
}

fn exit_of(comparison: &Comparison, args: &CompareArgs) -> Exit {
    let asked = |what| args.fail_on.contains(&what);
    let has = |verdict| comparison.rows.iter().any(|row| row.verdict == verdict);
    let warned =
        !comparison.warnings.is_empty() && (asked(FailOn::Warning) || args.options.deny_warnings);
    if asked(FailOn::Nothing) {
        Exit::Done
    } else if warned || asked(FailOn::Worse) && has(Verdict::Worse) {
        Exit::Failed
    } else if asked(FailOn::Inconclusive) && has(Verdict::Inconclusive) {
        Exit::Inconclusive
    } else {
        Exit::Done
    }
}
