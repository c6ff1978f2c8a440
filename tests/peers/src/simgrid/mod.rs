//! SimGrid: flows that share links max-min fairly.
//!
//! Two comparisons. *Timed*: random platforms with flows of random paths, sizes, starts and caps;
//! the times at which all flows end. *Closed loop*: N slots on Cogentco, each sending one flow
//! after the other by the shortest path, exponential sizes of mean 10 MB; flows ended per processor
//! second, and the instant at which the last of them ended.

mod ours;
mod platform;
mod program;

use crate::measure;
use ours::Closed;
use platform::Platform;
use program::Program;
use std::path::{Path, PathBuf};

/// Relative difference allowed between the two sides.
const TOLERANCE: f64 = 1e-6;
/// Random platforms.
const PLATFORMS: u64 = 50;
/// Slots of the closed loop, and how many flows SimGrid plays then.
const LOOPS: [(u64, u64); 4] = [(100, 20_000), (1_000, 5_000), (10_000, 600), (100_000, 40)];
/// Flows per processor second that we aim at, by slots, and memory at the last.
const AIMS: [f64; 4] = [60_000.0, 25_000.0, 3_000.0, 1_000.0];
const AIM_MIB: f64 = 100.0;
/// We play on until so many processor seconds are spent, so that the clock's step does not matter.
const CPU_SECONDS: f64 = 2.0;
/// Flows of each slot after which clocks are compared, at most. A closed loop with few slots is
/// chaotic: a difference in the last digit grows by about a quarter with every flow of a slot, to
/// 1e-11 after 50 and to 1e-3 after 120.
const CHECKED_PER_SLOT: u64 = 20;

/// Both comparisons.
///
/// # Errors
/// Something is missing or does not work.
pub fn compare(flows: bool, timed: bool) -> Result<bool, String> {
    let program = Program::build()?;
    println!("machine: {}; SimGrid {}", measure::machine(), program.version);
    let mut good = true;
    if timed {
        good &= compare_timed(&program)?;
    }
    if flows {
        good &= compare_closed(&program)?;
    }
    Ok(good)
}

/// A file of this process in the folder for such files.
fn scratch(name: &str, text: &str) -> Result<PathBuf, String> {
    let path = std::env::temp_dir().join(format!("steerlab-peers-{}-{name}", std::process::id()));
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

fn compare_timed(program: &Program) -> Result<bool, String> {
    let (mut flows, mut worst, mut worst_end, mut at) = (0, 0.0_f64, 0.0_f64, 0);
    for seed in 1..=PLATFORMS {
        let platform = Platform::random(seed);
        let file = scratch("timed.txt", &platform.text())?;
        let text = program.run(&["timed", &file.to_string_lossy()])?;
        let theirs: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
        let ours = ours::timed(&platform);
        if theirs.len() != ours.len() {
            return Err(format!("platform {seed}: SimGrid says {} times", theirs.len()));
        }
        for (flow, (ours, theirs)) in platform.flows.iter().zip(ours.iter().zip(&theirs)) {
            let start = flow.start_ns as f64 / 1e9;
            let off = (ours - theirs).abs() / (theirs - start);
            // A flow that never ended on one side is no number.
            if off.is_nan() || off > worst {
                (worst, at) = (if off.is_nan() { f64::INFINITY } else { off }, seed);
            }
            worst_end = worst_end.max((ours - theirs).abs());
        }
        flows += ours.len();
        // Left behind only when something went wrong, for whoever looks into it.
        std::fs::remove_file(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    println!(
        "timed: {PLATFORMS} random platforms, {flows} flows; largest difference {worst:.1e} of a \
         completion time (platform {at}), {worst_end:.1e} s"
    );
    Ok(worst <= TOLERANCE)
}

fn compare_closed(program: &Program) -> Result<bool, String> {
    let data = std::env::var_os("STEERLAB_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| PathBuf::from("../../../shared/data"));
    let graph = data.join("maxmin-golden/Cogentco.graph");
    let text = std::fs::read_to_string(&graph).map_err(|error| {
        format!("{}: {error}; set STEERLAB_DATA to the shared data", graph.display())
    })?;
    let mut platform = Platform::network(&text)?;
    platform.routes.retain(|route| route.source != route.target);
    let file = scratch("closed.txt", &platform.text())?;
    let file_name = file.to_string_lossy();
    println!(
        "closed loop on Cogentco, {} hosts, {} links; flows ended per processor second behind the \
         first\n",
        platform.hosts,
        platform.links.len()
    );
    println!(
        "| slots | SimGrid flows | per CPU s | MiB | ours, same flows | ours, longer | per CPU s \
         | MiB | ratio | aim | flows | clocks differ by |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let mut good = true;
    for ((slots, flows), aim) in LOOPS.into_iter().zip(AIMS) {
        let check = flows.min(slots * CHECKED_PER_SLOT);
        let numbers = [slots, flows, check].map(|number| number.to_string());
        let [a, b, c] = numbers.each_ref().map(String::as_str);
        let theirs = read_closed(&program.run(&["closed", &file_name, a, b, c])?, flows)?;
        let [same, longer] = ours_apart(&graph, [a, b, c])?;
        let rate = |side: &Closed| side.flows as f64 / side.cpu_seconds;
        // The clock of processor time ticks every few milliseconds.
        let rate_text = |side: &Closed| match side.cpu_seconds {
            short if short < 0.02 => "-".to_owned(),
            _ => format!("{:.0}", rate(side)),
        };
        let off = (same.clock - theirs.clock).abs() / theirs.clock;
        let memory = longer.memory_mib_peak;
        good &= off <= TOLERANCE;
        let met = rate(&longer) >= aim && (slots < LOOPS[3].0 || memory <= AIM_MIB);
        println!(
            "| {slots} | {flows} | {:.1} | {:.0} | {} | {} | {:.0} | {memory:.0} | {:.1} | {} \
             {aim:.0} | {check} | {off:.1e} |",
            rate(&theirs),
            theirs.memory_mib_peak,
            rate_text(&same),
            longer.flows,
            rate(&longer),
            rate(&longer) / rate(&theirs),
            if met { "met:" } else { "MISSED:" },
        );
    }
    std::fs::remove_file(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(good)
}

/// Three numbers: processor seconds, clock, memory.
fn read_closed(line: &str, flows: u64) -> Result<Closed, String> {
    let numbers: Vec<f64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [cpu_seconds, clock, memory_mib_peak] = numbers[..] else {
        return Err(format!("not three numbers: {line}"));
    };
    Ok(Closed { flows, cpu_seconds, clock, memory_mib_peak })
}

/// Plays our side in a process of its own, so that time and memory are its own.
fn ours_apart(graph: &Path, numbers: [&str; 3]) -> Result<[Closed; 2], String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = std::process::Command::new(program)
        .args(["simgrid-ours", &graph.to_string_lossy()])
        .args(numbers)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("ours: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut sides = text.lines().map(|line| {
        let (flows, rest) = line.split_once(' ').ok_or("no number of flows")?;
        read_closed(rest, flows.parse().map_err(|_| "a bad number of flows")?)
    });
    match (sides.next(), sides.next()) {
        (Some(same), Some(longer)) => Ok([same?, longer?]),
        _ => Err(format!("ours: not two lines: {text}")),
    }
}

/// The child of [`ours_apart`].
///
/// # Errors
/// The network cannot be read.
pub fn play_ours(graph: &str, numbers: [&str; 3]) -> Result<bool, String> {
    let text = std::fs::read_to_string(graph).map_err(|error| format!("{graph}: {error}"))?;
    let number = |word: &str| word.parse::<u64>().map_err(|_| format!("{word} is no number"));
    let [slots, flows, check] = numbers.map(number);
    let platform = Platform::network(&text)?;
    let sides = ours::closed(&platform, slots?, flows?, check?, CPU_SECONDS);
    for Closed { flows, cpu_seconds, clock, memory_mib_peak } in sides {
        println!("{flows} {cpu_seconds:.9} {clock:?} {memory_mib_peak:.3}");
    }
    Ok(true)
}
