//! Whole processes: processor seconds and peak memory of a command.

use crate::measure::{self, Cost};
use crate::table::Table;
use std::path::Path;

fn print(title: &str, costs: &[Cost]) {
    let head = ["command", "CPU s", "wall s", "peak MiB", "exit code"];
    let mut table = Table::new(head.map(str::to_owned).to_vec());
    for cost in costs {
        table.push(vec![
            title.to_owned(),
            format!("{:.2}", cost.cpu_seconds),
            format!("{:.2}", cost.wall_seconds),
            format!("{:.0}", cost.memory_mib_peak),
            cost.exit_code.to_string(),
        ]);
    }
    println!("Machine: {}.\n\n{table}", measure::machine());
    let json = serde_json::json!({
        "format": "steerlab-bench-whole/1",
        "machine": measure::machine(),
        "command": title,
        "costs": costs,
    });
    println!("{json}");
}

/// Runs any command and prints what it cost.
///
/// # Errors
/// If it cannot be run.
pub fn command(command: &[String], repeats: usize) -> Result<(), String> {
    let costs = measure::repeat(&command[0], &command[1..], repeats, |_| true)?;
    print(&command.join(" ").replace('\n', " "), &costs);
    Ok(())
}

/// Runs `steerlab run FILE` with the binary beside this one, into an empty folder each time, so
/// that no stored run is used again.
///
/// # Errors
/// If the command does not end with 0, 1 or 3: done, a check failed, or inconclusive.
pub fn scenario(file: &str, repeats: usize) -> Result<(), String> {
    let here = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = here.parent().ok_or("this program lies in no folder")?;
    let program = folder.join("steerlab");
    if !program.exists() {
        return Err(format!(
            "{} is missing; build it with: cargo build --release",
            program.display()
        ));
    }
    let mut costs = Vec::new();
    for repeat in 0..repeats.max(1) {
        let out = folder.join("bench-runs").join(repeat.to_string());
        empty(&out)?;
        let arguments = ["run", file, "--out", &out.to_string_lossy()].map(str::to_owned);
        let program = program.to_string_lossy();
        costs.extend(measure::repeat(&program, &arguments, 1, |code| [0, 1, 3].contains(&code))?);
        empty(&out)?;
    }
    print(&format!("steerlab run {file}"), &costs);
    Ok(())
}

fn empty(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .map_err(|error| format!("cannot empty {}: {error}", folder.display()))?;
    }
    Ok(())
}
