//! Processor seconds and peak memory of whole processes, read from `/proc` (Linux only).

use serde::Serialize;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Ticks per second of the times in `/proc/*/stat`: fixed at 100 for user space on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// One whole process: what it cost and what it printed.
#[derive(Clone, Debug, Serialize)]
pub struct Cost {
    /// User and system time of the process and the children it waited for; steps of 0.01 s.
    pub cpu_seconds: f64,
    pub wall_seconds: f64,
    /// Largest resident set seen, sampled every few milliseconds.
    pub memory_mib_peak: f64,
    pub exit_code: i32,
    #[serde(skip)]
    pub stdout: String,
}

/// Processor seconds of this process's own main thread, in nanosecond steps.
pub fn own_cpu_seconds() -> f64 {
    // Reading the file makes the kernel bring its count up to date.
    let text = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    nanos.expect("/proc/self/schedstat starts with nanoseconds on Linux") / 1e9
}

/// Largest resident set of this process so far.
pub fn own_memory_mib_peak() -> f64 {
    memory_mib_peak(std::process::id()).expect("/proc/self/status states the peak on Linux")
}

/// Processor seconds of all children waited for so far.
fn children_cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is a name in brackets that may hold spaces; cutime and cstime are fields 16
    // and 17, counted from 1.
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(13).take(2).map(str::parse::<f64>);
    ticks.map(|tick| tick.expect("the times in /proc/self/stat are numbers")).sum::<f64>()
        / TICKS_PER_SECOND
}

fn memory_mib_peak(process: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}

/// Runs a program to its end.
///
/// # Errors
/// If it cannot be started or waited for.
pub fn run(program: &str, arguments: &[String]) -> Result<Cost, String> {
    let problem = |error: std::io::Error| format!("cannot run {program}: {error}");
    let before = children_cpu_seconds();
    let start = Instant::now();
    let mut child =
        Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().map_err(problem)?;
    let id = child.id();
    let sampler = std::thread::spawn(move || {
        let mut peak: f64 = 0.0;
        // A process that has ended, though not waited for, has no memory to report.
        while let Some(now) = memory_mib_peak(id) {
            peak = peak.max(now);
            std::thread::sleep(Duration::from_millis(5));
        }
        peak
    });
    let mut stdout = Vec::new();
    if let Some(mut pipe) = child.stdout.take() {
        std::io::Read::read_to_end(&mut pipe, &mut stdout).map_err(problem)?;
    }
    let status = child.wait().map_err(problem)?;
    let wall_seconds = start.elapsed().as_secs_f64();
    Ok(Cost {
        cpu_seconds: children_cpu_seconds() - before,
        wall_seconds,
        memory_mib_peak: sampler.join().map_err(|_| "the memory sampler stopped".to_owned())?,
        exit_code: status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
    })
}

/// Runs a program several times and gives all costs, cheapest processor time first.
///
/// # Errors
/// As [`run`], or if the program ends otherwise than `accept` allows.
pub fn repeat(
    program: &str,
    arguments: &[String],
    repeats: usize,
    accept: impl Fn(i32) -> bool,
) -> Result<Vec<Cost>, String> {
    let mut costs = Vec::new();
    for _ in 0..repeats.max(1) {
        let cost = run(program, arguments)?;
        if !accept(cost.exit_code) {
            return Err(format!("{program} {arguments:?} ended with code {}", cost.exit_code));
        }
        costs.push(cost);
    }
    costs.sort_by(|a, b| a.cpu_seconds.total_cmp(&b.cpu_seconds));
    Ok(costs)
}

/// The machine in one line: processor, cores, operating system.
pub fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split(':').nth(1)).unwrap_or("unknown").trim();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
    format!(
        "{model}, {cores} cores, {} {}, load {load}",
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}
