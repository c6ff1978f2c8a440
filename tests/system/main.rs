//! System tests: the program as people and pipelines use it.

// Helpers of tests are tests, too; the lints know only the functions marked as such.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

mod architecture;
mod tidy;

mod abilene;
#[cfg(target_os = "linux")]
mod bird;
mod catchment;
#[cfg(unix)]
mod crash;
mod determinism;
mod documents;
mod exit_codes;
mod fidelities;
mod gadgets;
#[cfg(unix)]
mod hostile;
mod incident;
mod injection;
mod internet;
mod load_labs;
#[cfg(target_os = "linux")]
mod memory;
mod mlu;
mod predict;
mod replay;
mod routing_cases;
mod sessions;
mod sharing;
mod theory;
mod workflow;
