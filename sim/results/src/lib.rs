//! From runs to verdicts: run store, tables, metric catalogue, statistics and comparison.
//!
//! The way of the data:
//!
//! 1. [`plan::Plan::new`] names every run (arm x replication) by a hash of all that can change it
//!    ([`identity`]), and finds which are finished in the [`store`].
//! 2. [`execute::execute`] plays the missing ones. A [`recorder::TableRecorder`] writes the
//!    tables of a run block by block; when it is finished it is kept as a [`cell`], whole and
//!    durable.
//! 3. [`assemble::assemble`] reads the cells one by one, a row group at a time, and makes the run
//!    directory: Parquet tables, `columns.json`, `scenario.json`, `topology.json`, `summary.json`, and
//!    `manifest.json` last. It appears under its name all at once.
//! 4. [`view::RunView::read`] reads it back, trusting nothing; [`compare::compare_runs`] compares
//!    two.
//!
//! Metrics are one table in [`catalogue`]. Judgements are [`checks`] (on means) and [`compare`]
//! (on paired differences, by interval against a margin: [`verdict`], with [`stats`] below).
//! Everything is written through [`disk::Disk`], where tests make any operation fail.
//!
//! Same scenario, seed and version: the same bytes, whatever the order of the runs; only
//! `provenance` in the manifest may differ.
//!
//! What this crate must not know: YAML, HTML, the command line. It knows the engine only.

pub mod assemble;
pub mod catalogue;
pub mod cell;
pub mod cell_write;
pub mod checks;
pub mod columns;
pub mod compare;
#[cfg(test)]
mod compare_tests;
mod consistent;
pub mod csv_io;
pub mod disk;
pub mod error;
pub mod execute;
pub mod identity;
pub mod labels;
#[cfg(test)]
mod long_tests;
pub mod parquet_io;
pub mod parquet_read;
pub mod plan;
mod publish;
pub mod read;
pub mod recorder;
#[cfg(test)]
mod run_tests;
pub mod samples;
pub mod stats;
pub mod store;
pub mod summary;
pub mod table;
#[cfg(test)]
mod testkit;
mod thin;
pub mod topology;
mod totals;
pub mod verdict;
pub mod view;
pub mod workspace;

/// The engine, for crates that know results only but name its public types.
pub use steerlab_engine as engine;
