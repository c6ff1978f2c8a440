//! Development tasks. `cargo xtask test` is the one test command of this repository: it sets up
//! what it needs and runs every check.
//!
//! ```text
//! cargo xtask test                  everything
//! cargo xtask test --only clippy    one step; may be given more than once
//! cargo xtask test --list           what the steps are
//! ```

// A task's product is what it prints.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod browser;
mod cargo;
mod notebooks;
mod page;
mod png;
mod routers;
mod shell;

use std::process::ExitCode;
use std::time::Instant;

/// What a step found.
#[derive(Debug, Default)]
pub struct Outcome {
    passed: u64,
    /// One line for each thing that failed and cannot be counted by a tool.
    failures: Vec<String>,
    /// Failures a tool counted and showed itself.
    failed_elsewhere: u64,
    /// Why something was not checked. Never silent.
    skipped: Vec<String>,
}

impl Outcome {
    /// Nothing was checked, and why.
    fn skip(reason: impl Into<String>) -> Outcome {
        Outcome { skipped: vec![reason.into()], ..Outcome::default() }
    }

    /// Counts one check.
    fn check(&mut self, name: &str, result: Result<(), String>) {
        match result {
            Ok(()) => {
                println!("ok: {name}");
                self.passed += 1;
            }
            Err(problem) => {
                println!("FAILED: {name}: {problem}");
                self.failures.push(format!("{name}: {problem}"));
            }
        }
    }

    fn failed(&self) -> u64 {
        self.failures.len() as u64 + self.failed_elsewhere
    }
}

/// One step. An error means the step could not be carried out, which counts as one failure.
struct Step {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<Outcome, String>,
}

const STEPS: [Step; 7] = [
    Step { name: "fmt", about: "the code is formatted", run: cargo::fmt },
    Step { name: "clippy", about: "no lint warns, in any target", run: cargo::clippy },
    Step { name: "test", about: "unit, property, system and doc tests", run: cargo::test },
    Step { name: "doc", about: "the documentation builds without a warning", run: cargo::doc },
    Step { name: "deny", about: "licences, sources, advisories (cargo-deny)", run: cargo::deny },
    Step { name: "browser", about: "the report of the demo in Chromium", run: browser::run },
    Step { name: "notebooks", about: "every notebook runs to its end", run: notebooks::run },
];

const USAGE: &str = "usage: cargo xtask test [--only STEP]... [--list]";

fn list() {
    for step in &STEPS {
        println!("{:<10} {}", step.name, step.about);
    }
}

/// Which steps the command line asks for; `None` if it asks for the list.
fn selected(arguments: &[String]) -> Result<Option<Vec<&'static Step>>, String> {
    let mut words = arguments.iter().map(String::as_str);
    if words.next() != Some("test") {
        return Err(USAGE.to_owned());
    }
    let mut only = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "--list" => return Ok(None),
            "--only" => only.push(words.next().ok_or("--only needs the name of a step")?),
            other => return Err(format!("unknown argument {other:?}\n{USAGE}")),
        }
    }
    if let Some(unknown) = only.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        return Err(format!("no step {unknown:?}; cargo xtask test --list shows them"));
    }
    let wanted = |step: &&Step| only.is_empty() || only.contains(&step.name);
    Ok(Some(STEPS.iter().filter(wanted).collect()))
}

/// Runs the steps one after the other, all of them, and adds up what they found.
fn run_steps(steps: &[&Step]) -> Outcome {
    let mut total = Outcome::default();
    for step in steps {
        println!("\n== {}: {} ==", step.name, step.about);
        let start = Instant::now();
        let outcome = (step.run)()
            .unwrap_or_else(|problem| Outcome { failures: vec![problem], ..Outcome::default() });
        let (passed, failed) = (outcome.passed, outcome.failed());
        println!("== {}: {passed} passed, {failed} failed, {:.0?} ==", step.name, start.elapsed());
        let named = |lines: Vec<String>| {
            lines.into_iter().map(|line| format!("{}: {line}", step.name)).collect::<Vec<_>>()
        };
        total.passed += passed;
        total.failed_elsewhere += outcome.failed_elsewhere;
        total.failures.extend(named(outcome.failures));
        total.skipped.extend(named(outcome.skipped));
    }
    total
}

/// The end of the output: what was not checked, what failed, and the sum.
fn print_total(total: &Outcome) {
    println!();
    for reason in &total.skipped {
        println!("SKIPPED {reason}");
    }
    for failure in &total.failures {
        println!("FAILED {failure}");
    }
    println!("{} passed, {} failed", total.passed, total.failed());
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match selected(&arguments) {
        Ok(None) => list(),
        Ok(Some(steps)) => {
            let total = run_steps(&steps);
            print_total(&total);
            if total.failed() > 0 {
                return ExitCode::FAILURE;
            }
        }
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> Result<Option<Vec<&'static str>>, String> {
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        Ok(selected(&arguments)?.map(|steps| steps.iter().map(|step| step.name).collect()))
    }

    #[test]
    fn steps_are_selected_by_name_and_unknown_ones_refused() {
        assert_eq!(names(&["test"]).unwrap().unwrap().len(), STEPS.len());
        assert_eq!(
            names(&["test", "--only", "doc", "--only", "fmt"]).unwrap(),
            Some(vec!["fmt", "doc"])
        );
        assert_eq!(names(&["test", "--list"]).unwrap(), None);
        assert!(names(&["test", "--only", "nothing"]).unwrap_err().contains("nothing"));
        assert!(names(&["test", "--only"]).is_err());
        assert!(names(&["best"]).is_err());
    }

    #[test]
    fn a_step_that_cannot_run_counts_as_a_failure() {
        let broken = Step { name: "x", about: "", run: || Err("no disk".to_owned()) };
        let skipping = Step { name: "y", about: "", run: || Ok(Outcome::skip("no tool")) };
        let total = run_steps(&[&skipping, &broken]);
        assert_eq!((total.passed, total.failed()), (0, 1));
        assert_eq!(total.failures, ["x: no disk"]);
        assert_eq!(total.skipped, ["y: no tool"]);
        assert_eq!(run_steps(&[&skipping]).failed(), 0);
    }
}
