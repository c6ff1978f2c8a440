//! The steps that are a cargo command.

use crate::Outcome;
use crate::shell::{cargo, command, run, target, works};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

fn one_check(name: &str, result: Result<(), String>) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.check(name, result);
    outcome
}

/// Adds a part of the tool chain that a minimal installation lacks.
fn ensure_component(subcommand: &str, component: &str) -> Result<(), String> {
    if works(cargo().args([subcommand, "--version"])) {
        return Ok(());
    }
    run(command("rustup").args(["component", "add", component]))
}

/// `cargo fmt --check`.
pub fn fmt() -> Result<Outcome, String> {
    ensure_component("fmt", "rustfmt")?;
    Ok(one_check("cargo fmt", run(cargo().args(["fmt", "--all", "--check"]))))
}

/// `cargo clippy`, warnings are errors.
pub fn clippy() -> Result<Outcome, String> {
    ensure_component("clippy", "clippy")?;
    let arguments =
        ["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    Ok(one_check("cargo clippy", run(cargo().args(arguments))))
}

/// `cargo doc`, warnings are errors.
pub fn doc() -> Result<Outcome, String> {
    let mut command = cargo();
    command.args(["doc", "--locked", "--workspace", "--no-deps"]);
    Ok(one_check("cargo doc", run(command.env("RUSTDOCFLAGS", "--deny warnings"))))
}

/// `cargo deny`, when it is installed; its advisories, when their database can be had. Licences, sources and banned crates are checked without it
/// by the system tests; advisories are not.
pub fn deny() -> Result<Outcome, String> {
    if !works(cargo().args(["deny", "--version"])) {
        return Ok(Outcome::skip(
            "cargo-deny is not installed (cargo install cargo-deny --locked, about 3 minutes): \
             security advisories are not checked; licences, sources and bans are, by the tests",
        ));
    }
    let mut outcome = Outcome::default();
    let local = ["deny", "--workspace", "check", "licenses", "bans", "sources"];
    outcome.check("licences, bans, sources", run(cargo().args(local)));
    if let Err(problem) = run(cargo().args(["deny", "fetch", "db"])) {
        outcome.skipped.push(format!("advisories are not checked: no database: {problem}"));
        return Ok(outcome);
    }
    let advisories = ["deny", "--workspace", "check", "--disable-fetch", "advisories"];
    outcome.check("advisories", run(cargo().args(advisories)));
    Ok(outcome)
}

/// `cargo test`: shows its output, counts its results, and brings to light what tests skipped.
///
/// The system tests run the debug build; the release build is made first, so that they can compare
/// what the two compute.
pub fn test() -> Result<Outcome, String> {
    crate::routers::install();
    run(cargo().args(["build", "--locked", "--release", "--quiet"]))?;
    let release =
        target().join("release").join(format!("steerlab{}", std::env::consts::EXE_SUFFIX));
    let mut command = cargo();
    command.env("STEERLAB_RELEASE_BIN", release);
    command.args(["test", "--locked", "--workspace", "--no-fail-fast", "--", "--show-output"]);
    println!("$ cargo test --locked --workspace --no-fail-fast");
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start cargo test: {error}"))?;
    let mut reader = Reader::default();
    let stdout = child.stdout.take().ok_or("cargo test has no output")?;
    for line in BufReader::new(stdout).lines() {
        let line = line.map_err(|error| format!("cannot read from cargo test: {error}"))?;
        if reader.take(&line) {
            println!("{line}");
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let mut outcome = reader.outcome;
    if !status.success() && outcome.failed() == 0 {
        outcome.failures.push("cargo test failed before all tests had run".to_owned());
    }
    if outcome.passed == 0 {
        outcome.failures.push("cargo test ran no test at all".to_owned());
    }
    Ok(outcome)
}

/// Reads what `cargo test -- --show-output` prints.
#[derive(Default)]
struct Reader {
    outcome: Outcome,
    in_successes: bool,
}

impl Reader {
    /// Takes a line; says whether to show it. What passing tests printed is not shown; what they
    /// say they skipped is kept for the end.
    fn take(&mut self, line: &str) -> bool {
        match line {
            "successes:" => self.in_successes = true,
            "failures:" => self.in_successes = false,
            _ => {}
        }
        if let Some((passed, failed)) = counts(line) {
            self.in_successes = false;
            self.outcome.passed += passed;
            self.outcome.failed_elsewhere += failed;
        }
        let skipped = if self.in_successes { skipped(line) } else { None };
        if let Some(reason) = skipped.filter(|reason| !self.outcome.skipped.contains(reason)) {
            self.outcome.skipped.push(reason);
        }
        !self.in_successes
    }
}

/// The reason in a line such as `SKIPPED: no data folder` or `skipping: no data folder`.
fn skipped(line: &str) -> Option<String> {
    let line = line.trim();
    let first = line.split([':', ' ']).next()?;
    let says_so = ["skip", "skipped", "skipping"].contains(&first.to_lowercase().as_str());
    says_so.then(|| line[first.len()..].trim_start_matches([':', ' ']).to_owned())
}

/// Passed and failed of a line such as `test result: ok. 5 passed; 0 failed; 0 ignored; ...`.
fn counts(line: &str) -> Option<(u64, u64)> {
    let parts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let number = |what: &str| {
        let part = parts.split("; ").find_map(|part| part.strip_suffix(what))?;
        part.trim().parse().ok()
    };
    Some((number(" passed")?, number(" failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up_and_skips_come_to_light() {
        let mut reader = Reader::default();
        let lines = [
            ("running 2 tests", true),
            ("test a ... ok", true),
            ("successes:", false),
            ("---- a stdout ----", false),
            ("chatter of a", false),
            ("SKIPPED: no data folder", false),
            ("skipping no data folder", false),
            ("skips are not always skips", false),
            (
                "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; \
              finished in 0.00s",
                true,
            ),
            ("failures:", true),
            ("---- b stdout ----", true),
            (
                "test result: FAILED. 1 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; \
              finished in 0.00s",
                true,
            ),
        ];
        for (line, shown) in lines {
            assert_eq!(reader.take(line), shown, "{line}");
        }
        assert_eq!((reader.outcome.passed, reader.outcome.failed()), (3, 3));
        assert_eq!(reader.outcome.skipped, ["no data folder"]);
    }
}
