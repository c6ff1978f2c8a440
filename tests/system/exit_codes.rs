//! Every documented exit code has an example, and the streams hold what belongs to them.

use crate::support::SMALL;
use crate::support::folder::{Folder, tree};
use crate::support::program::{Program, STEERLAB, finish, steerlab};
use std::process::{Command, Stdio};

/// The small scenario with another check.
fn with_check(folder: &Folder, name: &str, check: &str) {
    folder.write(name, SMALL.replace("loss_ratio{arm=static} < 90%", check));
}

/// Two arms that do the same, so that nothing is better or worse.
fn twins(folder: &Folder, name: &str) {
    let same = "{id: twin, policies: [static-anycast]}";
    folder.write(name, SMALL.replace("{id: threshold, policies: [threshold-withdraw]}", same));
}

#[test]
fn zero_when_all_is_well() {
    let folder = Folder::new("exit-0");
    folder.small();
    for words in [
        "--help",
        "--version",
        "help run",
        "validate small.yaml",
        "run small.yaml",
        "list metrics",
        "explain E0101",
        "schema",
        "completions bash",
    ] {
        let finished = steerlab(folder.path(), words).exits(0);
        assert!(!finished.stdout.is_empty(), "{words}: no answer");
    }
    twins(&folder, "twins.yaml");
    let compared = steerlab(folder.path(), "compare twins.yaml").exits(0);
    assert!(!compared.stdout.contains("WORSE"), "{compared:?}");
}

#[test]
fn one_for_a_failed_check_and_a_confirmed_regression() {
    let folder = Folder::new("exit-1");
    with_check(&folder, "failing.yaml", "loss_ratio{arm=static} > 99%");
    let run = steerlab(folder.path(), "run failing.yaml").exits(1);
    assert!(run.stdout.contains("FAIL"), "{run:?}");
    folder.small();
    let compared = steerlab(folder.path(), "compare small.yaml --replications 5").exits(1);
    assert!(compared.stdout.contains("WORSE"), "{compared:?}");
    // `run` and `demo` fail on checks only.
    steerlab(folder.path(), "run small.yaml --replications 5").exits(0);
    // Asked not to judge, it does not.
    steerlab(folder.path(), "compare small.yaml --replications 5 --fail-on nothing").exits(0);
    steerlab(folder.path(), "compare small.yaml --replications 5 --fail-on inconclusive").exits(0);
}

#[test]
fn a_denied_warning_fails() {
    let folder = Folder::new("exit-warning");
    let late = "  - fail: {site: fra, at: 2h}\narms:";
    folder.write("late.yaml", SMALL.replace("arms:", late));
    steerlab(folder.path(), "run late.yaml").exits(0);
    let denied = steerlab(folder.path(), "run late.yaml --deny-warnings").exits(1);
    assert!(denied.stderr.contains("warning[W0802]"), "{denied:?}");
    steerlab(folder.path(), "validate late.yaml").exits(0);
    steerlab(folder.path(), "validate late.yaml --deny-warnings").exits(2);
}

#[test]
fn two_when_it_cannot_start() {
    let folder = Folder::new("exit-2");
    folder.small();
    folder.write("broken.yaml", SMALL.replace("seed: 7", "sede: 7"));
    for (words, says) in [
        ("", "Usage"),
        ("rnu", "unrecognized subcommand"),
        ("run", "SCENARIO"),
        ("run small.yaml --jobs 0", "--jobs"),
        ("run small.yaml --replications 0", "--replications"),
        ("run small.yaml --seed -1", "-1"),
        ("run small.yaml --color pink", "pink"),
        ("run nothing.yaml", "nothing.yaml"),
        ("run .", "regular file"),
        ("run broken.yaml", "did you mean `seed`"),
        ("validate broken.yaml", "did you mean `seed`"),
        ("validate small.yaml broken.yaml", "did you mean `seed`"),
        ("validate nothing.yaml", "nothing.yaml"),
        ("compare broken.yaml", "did you mean `seed`"),
        ("compare small.yaml --metric loss", "there is no metric `loss`"),
        ("compare small.yaml --margin much", "--margin"),
        ("compare small.yaml --confidence 100%", "--confidence"),
        ("compare .", "manifest.json"),
        ("report .", "manifest.json"),
        ("init small.yaml", "small.yaml exists"),
        ("init new.yaml --from nothing", "no scenario `nothing`"),
        ("import nothing small.yaml", "formats are"),
        ("import repetita small.yaml", "E0251"),
        ("import repetita nothing.graph", "nothing.graph"),
        ("explain route", "needs a scenario"),
        ("explain route small.yaml --client nobody", "no client group `nobody`"),
        ("explain action", "needs a run directory"),
        ("list nothing", "nothing"),
        ("completions nothing", "nothing"),
    ] {
        let finished = steerlab(folder.path(), words).exits(2);
        assert!(finished.stderr.contains(says), "{words}: {}", finished.stderr);
        assert!(!finished.stdout.contains("error"), "{words}: errors are no answer");
    }
    let left: Vec<String> = tree(folder.path()).into_keys().collect();
    assert_eq!(left, ["broken.yaml", "small.yaml"], "nothing is written");
}

#[test]
fn three_when_it_cannot_be_said() {
    let folder = Folder::new("exit-3");
    folder.small();
    // One pair of runs with chance has no interval.
    let words = "compare small.yaml --replications 1";
    let finished = steerlab(folder.path(), words).exits(3);
    assert!(finished.stdout.contains("inconclusive"), "{finished:?}");
    steerlab(folder.path(), &format!("{words} --fail-on worse")).exits(0);
    steerlab(folder.path(), &format!("{words} --fail-on nothing")).exits(0);
}

#[test]
fn four_when_nothing_is_selected() {
    let folder = Folder::new("exit-4");
    let text = SMALL.replace("  - {id: threshold, policies: [threshold-withdraw]}\n", "");
    folder.write("alone.yaml", &text);
    // Without requests there is no latency.
    let users =
        "demands:\n  - {id: users, clients: all, prefix: anycast, service: web, rate: 600krps}";
    let idle = SMALL.replace(users, "demands: []").replace("[loss_ratio]", "[latency_ms_p99]");
    folder.write("idle.yaml", idle);
    for (words, says) in [
        ("explain E9999", "no code `E9999`"),
        ("compare alone.yaml", "one arm only"),
        ("compare idle.yaml", "no value"),
    ] {
        let finished = steerlab(folder.path(), words).exits(4);
        assert!(finished.stderr.contains(says), "{words}: {}", finished.stderr);
    }
    steerlab(folder.path(), "run alone.yaml --out alone").exits(0);
    steerlab(folder.path(), "explain action alone/latest --number 99").exits(4);
}

#[test]
fn five_when_a_limit_stops_it() {
    let folder = Folder::new("exit-5");
    folder.small();
    let finished = steerlab(folder.path(), "run small.yaml --max-events 10").exits(5);
    assert!(finished.stderr.contains("--max-events"), "{}", finished.stderr);
    assert_eq!(finished.stdout, "", "no answer");
    assert!(tree(folder.path()).keys().all(|name| name == "small.yaml"), "nothing is left");
    // With room to finish it does.
    steerlab(folder.path(), "run small.yaml --max-events 1000000").exits(0);
}

#[test]
fn six_when_it_cannot_write() {
    let folder = Folder::new("exit-6");
    folder.small();
    folder.write("file", "in the way");
    for words in [
        "run small.yaml --out file/runs",
        "run small.yaml --junit file/junit.xml",
        "run small.yaml --csv file/csv",
        "run small.yaml --svg file/svg",
        "init file/new.yaml",
        "compare small.yaml --out file/runs",
        "demo --replications 1 --out file/runs --set horizon=1min --set arms.static=x",
    ] {
        if words.starts_with("demo") {
            // What cannot start is told first.
            steerlab(folder.path(), words).exits(2);
            continue;
        }
        let finished = steerlab(folder.path(), words).exits(6);
        assert!(finished.stderr.contains("file"), "{words} names the path: {}", finished.stderr);
        assert!(finished.stderr.contains("cannot"), "{words}: {}", finished.stderr);
    }
    assert_eq!(std::fs::read(folder.join("file")).unwrap(), b"in the way");
}

/// A disk that takes no more: files may have so many blocks only.
#[cfg(target_os = "linux")]
#[test]
fn six_when_the_disk_is_full() {
    let folder = Folder::new("exit-full");
    folder.small();
    for blocks in [0, 1, 8, 40] {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let finished = Program::other("sh".as_ref(), folder.path())
            .args(["-c", &script, STEERLAB, "run", "small.yaml"])
            .run();
        assert_eq!(finished.code, 6, "{blocks} blocks: {finished:?}");
        assert!(finished.stderr.contains("cannot write"), "{blocks}: {}", finished.stderr);
        assert!(finished.stderr.contains("runs/"), "the path is named: {}", finished.stderr);
    }
    steerlab(folder.path(), "run small.yaml").exits(0);
    let other = Folder::new("exit-not-full");
    other.small();
    steerlab(other.path(), "run small.yaml").exits(0);
    assert_eq!(tree(folder.path()), tree(other.path()), "as if the disk had never been full");
}

#[cfg(target_os = "linux")]
#[test]
fn six_when_the_answer_is_lost() {
    let folder = Folder::new("exit-stdout");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let child = Command::new(STEERLAB)
        .args(["list", "metrics"])
        .current_dir(folder.path())
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn();
    let finished = finish(child.unwrap());
    assert_eq!(finished.code, 6, "{finished:?}");
    assert!(finished.stderr.contains("stdout"), "{finished:?}");
}

/// 2 before 1 before 3 before 0.
#[test]
fn the_gravest_code_is_given() {
    let folder = Folder::new("exit-order");
    folder.small();
    let metrics = "--metric loss_ratio --metric actions_applied --replications 5";
    let both = steerlab(folder.path(), &format!("compare small.yaml {metrics}")).exits(1);
    // Of the number of actions neither more nor fewer is better.
    assert!(both.stdout.contains("WORSE") && both.stdout.contains("inconclusive"), "{both:?}");
    steerlab(folder.path(), &format!("compare small.yaml {metrics} --fail-on inconclusive"))
        .exits(3);
    with_check(&folder, "failing.yaml", "loss_ratio{arm=static} > 99%");
    steerlab(folder.path(), "run failing.yaml --out failing.yaml/x").exits(6);
    steerlab(folder.path(), "run failing.yaml --set seed=x").exits(2);
}

#[test]
fn a_reader_that_goes_away_is_not_an_error() {
    let folder = Folder::new("exit-pipe");
    folder.small();
    for words in [
        "list metrics",
        "list codes",
        "list balancers",
        "schema",
        "schema --reference",
        "completions zsh",
        "run small.yaml --format json",
        "validate small.yaml",
        "--help",
    ] {
        let mut child = steerlab(folder.path(), words).start();
        // Nobody reads, as after `| head -0`.
        drop(child.stdout.take());
        let finished = finish(child);
        assert_eq!(finished.code, 0, "{words}: {finished:?}");
        assert!(!finished.stderr.contains("ipe"), "{words}: {}", finished.stderr);
    }
}

#[test]
fn the_answer_is_on_stdout_and_the_talk_on_stderr() {
    let folder = Folder::new("streams");
    folder.small();
    let json = steerlab(folder.path(), "run small.yaml --format json").exits(0);
    let written = std::fs::read_to_string(folder.join("runs/latest/summary.json")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(json.json(), written, "the answer is the summary");
    assert!(json.stderr.contains("run directory: "), "{json:?}");

    let again = steerlab(folder.path(), "run small.yaml").exits(0);
    assert!(again.stderr.contains("4 of 4 runs from the store"), "{again:?}");
    let quiet = steerlab(folder.path(), "run small.yaml --quiet").exits(0);
    assert_eq!(quiet.stdout, again.stdout);
    assert_eq!(quiet.stderr, "");
    let loud = steerlab(folder.path(), "run small.yaml --verbose").exits(0);
    assert_eq!(loud.stdout, again.stdout);
    assert!(loud.stderr.contains("cached static/0"), "{loud:?}");
    let none = steerlab(folder.path(), "run small.yaml --no-cache --progress none").exits(0);
    assert!(!none.stderr.contains("finished"), "{none:?}");

    let broken = folder.write("broken.yaml", SMALL.replace("seed: 7", "sede: 7"));
    let quiet = Program::new(folder.path()).args(["validate", "-q"]).args([&broken]).exits(2);
    assert!(quiet.stdout.is_empty() && quiet.stderr.contains("E0101"), "errors are never quiet");
    let several = steerlab(folder.path(), "validate --format json small.yaml broken.yaml").exits(2);
    assert_eq!(several.json()["errors"], several.json()["diagnostics"].as_array().unwrap().len());
    let compared = steerlab(folder.path(), "compare small.yaml --format json").run();
    assert_eq!(compared.json()["format"], "steerlab-comparison/1");
    for what in ["policies", "metrics", "scenarios", "importers", "codes"] {
        let listed = steerlab(folder.path(), &format!("list {what} --format json")).exits(0);
        assert!(listed.json()["format"].as_str().unwrap().starts_with("steerlab-"), "{what}");
    }
}

#[test]
fn colour_only_when_asked_for_and_never_alone() {
    let folder = Folder::new("colour");
    with_check(&folder, "failing.yaml", "loss_ratio > 99%");
    folder.write("broken.yaml", SMALL.replace("seed: 7", "sede: 7"));
    let plain = steerlab(folder.path(), "run failing.yaml").exits(1);
    assert!(!plain.stdout.contains('\x1b') && !plain.stderr.contains('\x1b'), "{plain:?}");
    for (words, code) in [("run failing.yaml", 1), ("validate broken.yaml", 2)] {
        let coloured = steerlab(folder.path(), &format!("{words} --color always")).exits(code);
        let both = format!("{}{}", coloured.stdout, coloured.stderr);
        assert!(both.contains("\x1b["), "{words}: {both}");
        // Without the colours it says the same.
        let never = steerlab(folder.path(), &format!("{words} --color never")).exits(code);
        assert_eq!(without_colour(&coloured.stdout), never.stdout);
        assert!(never.stdout.contains("FAIL") || never.stderr.contains("error["));
    }
    // What is asked for on the command line wins over the environment.
    let asked = steerlab(folder.path(), "run failing.yaml --color always").env("NO_COLOR", "1");
    assert!(asked.exits(1).stdout.contains("\x1b["));
    let auto = steerlab(folder.path(), "run failing.yaml").env("NO_COLOR", "1").exits(1);
    assert!(!auto.stdout.contains('\x1b'));
}

fn without_colour(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
}

/// A terminal is what people have: a bar on stderr, colour unless they do not want it.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_colour_follows_no_color() {
    let folder = Folder::new("terminal");
    with_check(&folder, "failing.yaml", "loss_ratio > 99%");
    if Command::new("script").arg("--version").output().is_err() {
        println!("SKIPPED: output on a terminal was not tested: there is no `script`");
        return;
    }
    let command = format!("{STEERLAB} run failing.yaml");
    let on_terminal = || {
        Program::other("script".as_ref(), folder.path())
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .env("TERM", "xterm")
    };
    let coloured = on_terminal().exits(1);
    assert!(coloured.stdout.contains("\x1b[") && coloured.stdout.contains("FAIL"), "{coloured:?}");
    let plain = on_terminal().env("NO_COLOR", "1").exits(1);
    let answer = plain.stdout.split("metric ").nth(1).unwrap();
    assert!(!answer.contains("\x1b[3") && !answer.contains("\x1b[1"), "{answer:?}");
}
