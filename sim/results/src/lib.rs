//! From runs to verdicts: run store, tables, metric catalogue, statistics and comparison.
//!
//! What this crate must not know: YAML, HTML, the command line. It knows the engine only.

pub mod assemble;
pub mod catalogue;
pub mod cell;
pub mod checks;
pub mod columns;
pub mod compare;
mod consistent;
pub mod csv_io;
pub mod disk;
pub mod error;
pub mod execute;
pub mod identity;
pub mod labels;
pub mod parquet_io;
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
pub mod topology;
mod totals;
pub mod verdict;
pub mod view;
pub mod workspace;

/// The engine, for crates that know results only but name its public types.
pub use steerlab_engine as engine;
