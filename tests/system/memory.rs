//! Memory does not grow with simulated time: tables are written as they fill.

use crate::support::folder::Folder;
use crate::support::program::{Program, STEERLAB};
use std::path::Path;
use std::time::Duration;

/// One site, one link, one group, a bucket a second, nothing else: rows are all there is.
const SCENARIO: &str = "format: steerlab-scenario/1
name: long
seed: 7
bucket: 1s
client_bucket: 1s
sites:
  - {id: ams, at: [52.37, 4.90], pools: [{id: a, servers: 20, cores: 64}]}
neighbours:
  - {id: carrier, kind: transit}
links:
  - {id: ams-carrier, ends: [ams, carrier], capacity: 100Gbps, delay: 1ms}
client_groups:
  - {id: here, at: [52.0, 4.0], neighbour: carrier, weight: 1}
services:
  - {id: web, cpu: 5ms, request: 1kB, response: 60kB, protocol: http2-tls13}
prefixes:
  - {id: anycast, sites: all}
demands:
  - {id: users, clients: all, prefix: anycast, service: web, rate: 60krps}
arms:
  - {id: static, policies: [static-anycast]}
";

/// Runs the scenario for this long and gives the largest resident set, KiB, and the bytes of the
/// run directory.
fn cost(horizon: &str, words: &[&str]) -> (u64, u64) {
    let folder = Folder::new("memory");
    folder.write("long.yaml", SCENARIO);
    let mut child = Program::other(Path::new(STEERLAB), folder.path())
        .args(["run", "long.yaml", "--jobs", "1", "--out", "runs"])
        .args(["--set", &format!("horizon={horizon}")])
        .args(words)
        .start();
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    // The system counts the peak; only the last instants before the end may be missed.
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
        peak_kib = peak_kib.max(now.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    }
    let finished = crate::support::program::finish(child);
    assert_eq!(finished.code, 0, "{finished:?}");
    let tables = std::fs::read_dir(folder.join("runs/latest")).unwrap();
    let bytes = tables.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    (peak_kib, bytes)
}

#[test]
fn eight_times_the_simulated_time_takes_no_more_memory() {
    // Long enough that every buffer of the shorter run is full: more buckets than a row group has rows.
    let (short_kib, short_bytes) = cost("20h", &["--no-report"]);
    let (long_kib, long_bytes) = cost("160h", &["--no-report"]);
    println!("20 hours: {short_kib} KiB, {short_bytes} bytes; 160: {long_kib}, {long_bytes}");
    assert!(short_kib > 5_000, "nothing was measured: {short_kib} KiB");
    assert!(long_bytes > 6 * short_bytes, "the longer run has no more to tell");
    let growth = long_kib as f64 / short_kib as f64 - 1.0;
    assert!(growth < 0.1, "{short_kib} KiB for 20 hours, {long_kib} KiB for 160: {growth:.2}");
}
