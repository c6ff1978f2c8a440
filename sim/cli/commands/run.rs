//! `steerlab run` and `steerlab demo`: from a scenario to a run directory, a table and a report.

use super::{show_diagnostics, vocabulary, write_file};
use crate::args::{DemoArgs, Format, RunArgs, RunOptions};
use crate::console::{Console, shown};
use crate::exit::{self, Exit};
use crate::progress::Progress;
use crate::signals::Signals;
use crate::workers::Workers;
use std::path::{Path, PathBuf};
use std::time::Instant;
use steerlab_engine::run::Limits;
use steerlab_engine::scenario::Scenario;
use steerlab_policies::BuiltIn;
use steerlab_results::assemble::{Assembled, assemble};
use steerlab_results::csv_io;
use steerlab_results::error::StoreError;
use steerlab_results::execute::{Executed, execute};
use steerlab_results::plan::Plan;
use steerlab_results::read::ReadError;
use steerlab_results::store::Store;
use steerlab_results::summary::{Provenance, Summary};
use steerlab_results::view::RunView;
use steerlab_scenario::{Loaded, Severity};

/// Runs the embedded demo.
pub fn demo(console: &Console, args: &DemoArgs) -> Exit {
    run_source(console, &Source::Library("demo"), &args.options)
}

/// Runs a scenario.
pub fn run(console: &Console, args: &RunArgs) -> Exit {
    run_source(console, &source_of(&args.scenario), &args.options)
}

/// Where a scenario comes from.
pub enum Source {
    /// A file.
    File(PathBuf),
    /// A scenario of the library.
    Library(&'static str),
}

/// A file, or a library scenario if there is no such file but such a name.
#[must_use]
pub fn source_of(path: &Path) -> Source {
    let entry = steerlab_scenario::library()
        .iter()
        .find(|entry| !path.exists() && Path::new(entry.name) == path);
    entry.map_or_else(|| Source::File(path.to_owned()), |entry| Source::Library(entry.name))
}

/// Loads a scenario with the overrides of the command line.
pub fn load(source: &Source, options: &RunOptions) -> Result<Loaded, String> {
    let mut sets = Vec::new();
    for set in &options.set {
        let (path, value) = set
            .split_once('=')
            .ok_or_else(|| format!("`--set {set}` has no `=`; write --set PATH=VALUE"))?;
        sets.push((path.to_owned(), value.to_owned()));
    }
    if let Source::File(path) = source
        && !path.exists()
    {
        return Err(format!(
            "there is no file {}, and no scenario of that name in the library; `steerlab list \
             scenarios` names those",
            path.display()
        ));
    }
    let seed = options.seed.map(|seed| ("seed".to_owned(), seed.to_string()));
    let count = options.replications.map(|n| ("replications".to_owned(), n.to_string()));
    sets.extend(seed.into_iter().chain(count));
    Ok(match source {
        Source::File(path) => steerlab_scenario::load_file_with(path, &sets, &vocabulary()),
        Source::Library(name) => {
            let text = steerlab_scenario::library()
                .iter()
                .find(|entry| entry.name == *name)
                .map_or("", |entry| entry.text);
            let shown = format!("{name}.yaml");
            steerlab_scenario::load_text_with(&shown, text.as_bytes(), &sets, &vocabulary())
        }
    })
}

fn run_source(console: &Console, source: &Source, options: &RunOptions) -> Exit {
    let started = Instant::now();
    match produce(console, source, options) {
        Ok(produced) => conclude(console, &produced, options, started),
        Err(exit) => exit,
    }
}

/// A finished run directory.
pub struct Produced {
    /// Where it is and what it says.
    pub assembled: Assembled,
    /// What had to be done.
    pub executed: Executed,
    /// Whether the scenario has warnings of its own.
    pub warned: bool,
}

/// Loads, plans, runs and assembles.
///
/// # Errors
/// The exit code, after the error has been shown.
pub fn produce(console: &Console, source: &Source, options: &RunOptions) -> Result<Produced, Exit> {
    let loaded = load(source, options)
        .map_err(|what| console.fail(Exit::BadInput, &what, "see `steerlab run --help`"))?;
    show_diagnostics(console, &loaded);
    let warned = loaded.diagnostics.iter().any(|found| found.severity == Severity::Warning);
    let scenario = loaded.scenario.ok_or(Exit::BadInput)?;
    let hash = steerlab_scenario::content_sha256(&scenario);
    exit::working_on(format!("scenario {} {hash}, seed {}", scenario.name, scenario.seed));
    let store = Store::new(&options.out);
    let plan = Plan::new(&scenario, &hash, &BuiltIn, &store, options.no_cache)
        .map_err(|error| console.fail(Exit::BadInput, &error.to_string(), ""))?;
    let executed = carry_out(console, &plan, &scenario, &store, options)?;
    let provenance = provenance(source, &scenario, options);
    let assembled = assemble(&plan, &scenario, &BuiltIn, &store, provenance)
        .map_err(|error| cannot_write(console, &error))?;
    Ok(Produced { assembled, executed, warned })
}

fn cannot_write(console: &Console, error: &StoreError) -> Exit {
    console.fail(Exit::CannotWrite, &error.to_string(), "")
}

fn carry_out(
    console: &Console,
    plan: &Plan,
    scenario: &Scenario,
    store: &Store,
    options: &RunOptions,
) -> Result<Executed, Exit> {
    let signals = Signals::get();
    let limits =
        Limits { events_max: options.max_events.unwrap_or_else(|| Limits::default().events_max) };
    let workers = Workers::new(options.jobs)
        .map_err(|error| console.fail(Exit::BadInput, &error, "ask for fewer --jobs"))?;
    let progress = Progress::new(*console, plan.runs.len());
    let cancelled = || signals.any();
    let done = signals.noted_during(|| {
        execute(plan, scenario, &BuiltIn, &workers, store, &progress, &cancelled, limits)
    });
    progress.done();
    let executed = done.map_err(|error| cannot_write(console, &error))?;
    if executed.cancelled {
        let kept = executed.finished + executed.cached;
        console.say(&format!(
            "stopped: {kept} of {} runs are finished and kept; the same command continues",
            plan.runs.len()
        ));
        return Err(signals.exit());
    }
    if !executed.stopped.is_empty() {
        return Err(console.fail(
            Exit::Limit,
            &format!(
                "{} of {} runs met the limit of events",
                executed.stopped.len(),
                plan.runs.len()
            ),
            "raise --max-events, or look for a policy that acts without end",
        ));
    }
    Ok(executed)
}

/// How it was made, and how to make it again.
fn provenance(source: &Source, scenario: &Scenario, options: &RunOptions) -> Provenance {
    let mut reproduce = match source {
        Source::Library(name) => format!("steerlab run {name}"),
        Source::File(path) => {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            format!("steerlab run {}", name.unwrap_or_default())
        }
    };
    reproduce.push_str(&format!(" --seed {}", scenario.seed));
    if let Some(count) = options.replications {
        reproduce.push_str(&format!(" --replications {count}"));
    }
    for set in &options.set {
        reproduce.push_str(&format!(" --set '{}'", set.replace('\'', "'\\''")));
    }
    Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        // Arguments need not be UTF-8.
        command: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        reproduce,
    }
}

/// Prints the answer, makes the report, and finds the exit code.
fn conclude(
    console: &Console,
    produced: &Produced,
    options: &RunOptions,
    started: Instant,
) -> Exit {
    let summary = &produced.assembled.summary;
    let dir = &produced.assembled.dir;
    let mut report = None;
    if !options.no_report
        || options.csv.is_some()
        || options.svg.is_some()
        || options.junit.is_some()
    {
        match write_extras(console, dir, options) {
            Ok(path) => report = path,
            Err(exit) => return exit,
        }
    }
    let text = match options.format {
        Format::Json => serde_json::to_string_pretty(summary).unwrap_or_default(),
        Format::Md => match RunView::read(dir) {
            Ok(view) => steerlab_report::markdown(&view),
            Err(error) => return console.fail(Exit::CannotWrite, &error.to_string(), ""),
        },
        Format::Table => crate::commands::run_table::table(summary, console.color_out),
    };
    console.answer(&text);
    for warning in &summary.warnings {
        console.warn(&warning.code, &warning.message);
    }
    if summary.checks.is_empty() {
        console.say("no checks in the scenario: the exit code says only that it ran");
    }
    let all = produced.executed.finished + produced.executed.cached;
    console.say(&format!(
        "{} of {all} runs from the store, {:.1} s",
        produced.executed.cached,
        started.elapsed().as_secs_f64()
    ));
    console.say(&format!("run directory: {}", shown(dir)));
    if let Some(report) = report {
        console.say(&format!("report: {}", shown(&report)));
    }
    exit_of(summary, produced, options)
}

fn exit_of(summary: &Summary, produced: &Produced, options: &RunOptions) -> Exit {
    let denied = options.deny_warnings && (produced.warned || !summary.warnings.is_empty());
    if denied || summary.checks.iter().any(|check| !check.pass) { Exit::Failed } else { Exit::Done }
}

/// Report, CSV, SVG, JUnit; returns the path of the report.
fn write_extras(
    console: &Console,
    dir: &Path,
    options: &RunOptions,
) -> Result<Option<PathBuf>, Exit> {
    let unreadable =
        |error: ReadError| console.fail(Exit::CannotWrite, &error.to_string(), "run it again");
    if let Some(folder) = &options.csv {
        // Tables may be larger than memory: they are copied, not read.
        for (name, table) in RunView::open_tables(dir).map_err(unreadable)? {
            let path = folder.join(format!("{name}.csv"));
            super::fill_file(console, &path, |out| csv_io::copy_csv(&table, out))?;
        }
    }
    if options.no_report && options.svg.is_none() && options.junit.is_none() {
        return Ok(None);
    }
    let view = RunView::read(dir).map_err(unreadable)?;
    super::report::write_pictures(
        console,
        &view,
        options.svg.as_deref(),
        options.junit.as_deref(),
    )?;
    if options.no_report {
        return Ok(None);
    }
    let path = dir.join("report.html");
    write_file(console, &path, steerlab_report::html(&view).as_bytes())?;
    Ok(Some(path))
}
