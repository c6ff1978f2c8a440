//! Killed, interrupted, terminated: nothing half-made is visible, no finished run is lost, and the
//! repeated command ends in the same bytes as an undisturbed one.

use crate::support::folder::{Folder, assert_same, tree};
use crate::support::program::{Finished, Program, finish, wait};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

type Tree = BTreeMap<String, Vec<u8>>;

/// 2 arms x 10 replications.
const RUNS: usize = 20;
const KILLS: usize = 20;

/// The program at work on the small scenario in a folder; the same words each time, so that even
/// the provenance is the same.
fn program(folder: &Folder, words: &str) -> Program {
    if !folder.join("small.yaml").exists() {
        folder.small();
    }
    Program::new(folder.path())
        .args(["run", "small.yaml", "--progress", "lines"])
        .args(words.split_whitespace())
}

/// A started command and the lines of its talk.
struct Started {
    child: Child,
    lines: Receiver<String>,
    /// Runs it said to have finished.
    finished: usize,
}

impl Started {
    fn new(program: Program) -> Started {
        let mut child = program.start();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            // A killed process may leave a part of a line.
            stderr.lines().map_while(Result::ok).for_each(|line| {
                let _nobody_listens = sender.send(line);
            });
        });
        Started { child, lines, finished: 0 }
    }

    /// Waits until this many runs are finished, or the command has ended.
    fn until(&mut self, finished: usize) {
        while self.finished < finished {
            let Ok(line) = self.lines.recv() else { return };
            self.finished += usize::from(line.starts_with("finished "));
        }
    }

    /// Kills it for good; says whether it was still at work.
    fn kill(&mut self) -> bool {
        let at_work = self.child.try_wait().unwrap().is_none();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.until(usize::MAX);
        at_work
    }
}

/// What is to be seen: everything but temporaries.
fn visible(out: &Path) -> Tree {
    let mut files = if out.exists() { tree(out) } else { Tree::new() };
    files.retain(|name, _| name.split('/').all(|part| !part.starts_with(".steerlab-")));
    files
}

/// Everything to be seen is as it will be in the end: whole files under final names.
fn assert_nothing_half_made(seen: &Tree, whole: &Tree, when: &str) {
    for (name, bytes) in seen {
        let there = whole.get(name).unwrap_or_else(|| panic!("{when}: {name} is no result"));
        assert!(bytes == there, "{when}: {name} is not whole");
    }
    // A run directory is there with all its files, except the report, which is made from it.
    let of_a_run = |name: &&String| name.starts_with("small-") && !name.ends_with("/report.html");
    let (some, all) = (seen.keys().filter(of_a_run).count(), whole.keys().filter(of_a_run).count());
    assert!(some == 0 || some == all, "{when}: {some} of {all} files of the run directory");
}

fn from_the_store(finished: &Finished) -> usize {
    let line = finished.stderr.lines().find(|line| line.contains("runs from the store"));
    let line = line.unwrap_or_else(|| panic!("{finished:?}"));
    line.split(' ').next().unwrap().parse().unwrap()
}

/// A reproducible sequence of numbers below a bound (splitmix64).
fn draws() -> impl FnMut(u64) -> u64 {
    let mut state = 20_250_821_u64;
    move |below| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

#[test]
fn killed_at_random_it_continues_and_ends_in_the_same_bytes() {
    const WORDS: &str = "--replications 10 --set horizon=1h --jobs 2 --out runs";
    let undisturbed = Folder::new("undisturbed");
    program(&undisturbed, WORDS).exits(0);
    let whole = tree(&undisturbed.join("runs"));
    assert_eq!(whole.keys().filter(|name| name.ends_with(".run")).count(), RUNS);
    let mut draw = draws();
    let (mut kills, mut kept_most, mut rounds) = (0, 0, 0);
    while kills < KILLS {
        rounds += 1;
        assert!(rounds < 3 * KILLS, "only {kills} commands were alive to be killed");
        let folder = Folder::new("killed");
        let out = folder.join("runs");
        let mut kept = 0;
        for _ in 0..3 {
            let mut started = Started::new(program(&folder, WORDS));
            let rest = RUNS - kept;
            // From before the first run to after the last, when all is put together.
            let runs = draw(rest as u64 + 2) as usize;
            started.until(runs.min(rest));
            let longest_us = if runs >= rest { 200_000 } else { 30_000 };
            std::thread::sleep(Duration::from_micros(draw(longest_us)));
            let alive = started.kill();
            kills += usize::from(alive);
            kept += started.finished;
            let seen = visible(&out);
            let when = format!("kill {kills} after {kept} runs");
            assert_nothing_half_made(&seen, &whole, &when);
            let stored = seen.keys().filter(|name| name.ends_with(".run")).count();
            assert!(stored >= kept, "{when}: only {stored} are in the store");
            // A run may have been kept without its being said.
            kept = stored;
        }
        let last = program(&folder, WORDS).exits(0);
        assert_eq!(from_the_store(&last), kept, "finished runs are not done again");
        kept_most = kept_most.max(kept);
        assert_same(&whole, &tree(&out), "after kills");
    }
    assert!(kept_most > RUNS / 2, "no command was killed late: {kept_most}");
}

fn send(signal: &str, child: &Child) {
    let status = Command::new("kill").arg(signal).arg(child.id().to_string()).status().unwrap();
    assert!(status.success());
}

/// Sends a signal; the exit code, after at most two seconds.
fn ends_soon(signal: &str, child: &mut Child) -> i32 {
    let begin = Instant::now();
    send(signal, child);
    let (status, in_time) = wait(child, Duration::from_secs(2));
    assert!(in_time, "{signal}: not within {:?}", begin.elapsed());
    status.code().expect("it ends by itself")
}

#[test]
fn interrupted_or_terminated_it_keeps_what_is_finished() {
    const WORDS: &str = "--set horizon=4d --set bucket=1h --jobs 1 --out runs";
    let undisturbed = Folder::new("uninterrupted");
    program(&undisturbed, WORDS).exits(0);
    let whole = tree(&undisturbed.join("runs"));
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let folder = Folder::new("interrupted");
        let out = folder.join("runs");
        let mut started = Started::new(program(&folder, WORDS));
        started.until(1);
        assert_eq!(ends_soon(signal, &mut started.child), code);
        let talk: Vec<String> = started.lines.iter().collect();
        let last = talk.last().unwrap();
        assert!(last.starts_with("stopped: ") && last.contains("of 4 runs"), "{talk:?}");
        let seen = visible(&out);
        assert_nothing_half_made(&seen, &whole, signal);
        let kept = seen.keys().filter(|name| name.ends_with(".run")).count();
        assert!((1..4).contains(&kept), "{kept} runs are kept");
        let temporaries = tree(&out).len() - seen.len();
        assert_eq!(temporaries, 0, "an orderly end leaves none");
        let again = program(&folder, WORDS).exits(0);
        assert_eq!(from_the_store(&again), kept);
        assert_same(&whole, &tree(&out), signal);
    }
}

#[test]
fn a_run_with_one_wide_bucket_can_be_interrupted() {
    let folder = Folder::new("wide");
    let words = "--set horizon=365d --set bucket=365d --replications 1 --jobs 1 --no-report";
    let mut started = Started::new(program(&folder, words));
    // Where it is by then does not matter: it must be at work, on the first run.
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(ends_soon("-INT", &mut started.child), 130);
    started.until(usize::MAX);
    assert_eq!(started.finished, 0, "the run was too short to be interrupted");
}

#[test]
fn two_commands_at_once_share_a_store() {
    const WORDS: &str = "--replications 5 --set horizon=1h --jobs 1 --out runs";
    let folder = Folder::new("shared");
    let alone = Folder::new("alone");
    program(&alone, WORDS).exits(0);
    let commands: Vec<Child> = (0..4).map(|_| program(&folder, WORDS).start()).collect();
    for command in commands {
        let finished = finish(command);
        assert_eq!(finished.code, 0, "{finished:?}");
    }
    assert_same(&tree(&alone.join("runs")), &tree(&folder.join("runs")), "four at once");
}
