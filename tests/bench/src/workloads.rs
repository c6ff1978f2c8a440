//! The workloads, each engine in a process of its own, with the checks that make a time worth
//! reading: the mean must be right, and the same on every engine.

use crate::measure::{self, Cost};
use crate::outcome::Outcome;
use crate::table::Table;
use crate::{hold, mm1, nexosim_mm1, p2c};
use serde::Serialize;

/// One workload on one engine.
#[derive(Clone, Debug, Serialize)]
struct Row {
    workload: &'static str,
    engine: &'static str,
    does: &'static str,
    outcome: Outcome,
    /// Median of the repeats.
    cpu_seconds: f64,
    events_per_cpu_second: f64,
    costs: Vec<Cost>,
}

const ROWS: [(&str, &str, &str); 5] = [
    ("mm1", "steerlab", "mean, variance, fingerprint"),
    ("mm1", "bare", "sum"),
    ("mm1", "nexosim", "mean, variance"),
    ("p2c", "steerlab", "mean, variance, fingerprint"),
    ("p2c", "bare", "sum"),
];

fn workload(name: &str, engine: &str, arrivals: u64) -> Option<Outcome> {
    Some(match (name, engine) {
        ("mm1", "steerlab") => mm1::on_steerlab(arrivals),
        ("mm1", "bare") => mm1::on_bare_heap(arrivals),
        ("mm1", "nexosim") => nexosim_mm1::on_nexosim(arrivals),
        ("p2c", "steerlab") => p2c::on_steerlab(arrivals),
        ("p2c", "bare") => p2c::on_bare_heap(arrivals),
        _ => return None,
    })
}

/// Runs one workload in this process and prints its outcome as JSON.
///
/// # Errors
/// If there is no such workload or engine.
pub fn run_here(name: &str, engine: &str, arrivals: u64) -> Result<(), String> {
    let outcome = workload(name, engine, arrivals)
        .ok_or_else(|| format!("no workload {name} on engine {engine}"))?;
    println!("{}", serde_json::to_string(&outcome).map_err(|error| error.to_string())?);
    Ok(())
}

fn measure_row(
    (workload, engine, does): (&'static str, &'static str, &'static str),
    arrivals: u64,
    repeats: usize,
) -> Result<Row, String> {
    eprintln!("{workload} on {engine}");
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let arguments = ["run", workload, "--engine", engine, "--arrivals", &arrivals.to_string()]
        .map(str::to_owned);
    let costs = measure::repeat(&program.to_string_lossy(), &arguments, repeats, |code| code == 0)?;
    let median = &costs[costs.len() / 2];
    let outcome: Outcome =
        serde_json::from_str(&median.stdout).map_err(|error| error.to_string())?;
    Ok(Row {
        workload,
        engine,
        does,
        cpu_seconds: median.cpu_seconds,
        events_per_cpu_second: outcome.events as f64 / median.cpu_seconds,
        outcome,
        costs,
    })
}

/// What is wrong with the rows, if anything.
fn complaints(rows: &[Row], arrivals: u64) -> Vec<String> {
    let mut complaints = Vec::new();
    let scale = (1e7 / arrivals as f64).sqrt();
    for row in rows {
        let (expected, tolerance) = match row.workload {
            "mm1" => (mm1::SOJOURN_SECONDS_MEAN, 4.0 * mm1::sojourn_standard_error(arrivals)),
            _ => (p2c::SOJOURN_SECONDS_MEAN, p2c::SOJOURN_SECONDS_TOLERANCE * scale),
        };
        let mean = row.outcome.sojourn_seconds_mean;
        if (mean - expected).abs() > tolerance {
            complaints.push(format!(
                "{} on {}: mean {mean} s is not within {tolerance:.4} of {expected}",
                row.workload, row.engine
            ));
        }
        let first = rows.iter().find(|other| other.workload == row.workload);
        if first.is_some_and(|first| first.outcome.sojourn_seconds_mean != mean) {
            complaints.push(format!("{} on {}: another mean", row.workload, row.engine));
        }
        if row.outcome.events != 2 * arrivals {
            complaints.push(format!("{} on {}: events lost", row.workload, row.engine));
        }
    }
    let variance = rows[0].outcome.sojourn_seconds2_variance.unwrap_or(0.0);
    if (variance / mm1::SOJOURN_SECONDS2_VARIANCE - 1.0).abs() > 0.1 * scale {
        complaints.push(format!("mm1: variance {variance} is far from 100"));
    }
    complaints
}

fn table(rows: &[Row]) -> Table {
    let head =
        ["workload", "engine", "keeps", "mean sojourn, s", "CPU s", "M events / CPU s", "MiB"];
    let mut table = Table::new(head.map(str::to_owned).to_vec());
    for row in rows {
        let memory = row.costs.iter().map(|cost| cost.memory_mib_peak).fold(0.0, f64::max);
        table.push(vec![
            row.workload.to_owned(),
            row.engine.to_owned(),
            row.does.to_owned(),
            format!("{:.6}", row.outcome.sojourn_seconds_mean),
            format!("{:.2}", row.cpu_seconds),
            format!("{:.1}", row.events_per_cpu_second / 1e6),
            format!("{memory:.0}"),
        ]);
    }
    table
}

/// All kernel benchmarks: prints Markdown tables, then one line of JSON.
///
/// # Errors
/// If a result is wrong or a process fails.
pub fn kernel(arrivals: u64, repeats: usize) -> Result<(), String> {
    let machine = measure::machine();
    let hold = hold::measure()?;
    let rows = ROWS
        .into_iter()
        .map(|row| measure_row(row, arrivals, repeats))
        .collect::<Result<Vec<Row>, String>>()?;
    println!("Machine: {machine}.\n\n{}\n{}", hold::table(&hold), table(&rows));
    let json = serde_json::json!({
        "format": "steerlab-bench-kernel/1",
        "machine": machine,
        "arrivals": arrivals,
        "hold": hold,
        "workloads": rows,
    });
    println!("{json}");
    match complaints(&rows, arrivals) {
        complaints if complaints.is_empty() => Ok(()),
        complaints => Err(complaints.join("\n")),
    }
}
