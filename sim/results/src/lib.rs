//! From runs to verdicts: run store, tables, metric catalogue, statistics and comparison.
//!
//! What this crate must not know: YAML, HTML, the command line. It knows the engine only.

pub mod catalogue;
pub mod cell;
pub mod columns;
pub mod csv_io;
pub mod disk;
pub mod error;
pub mod identity;
pub mod labels;
pub mod parquet_io;
pub mod recorder;
pub mod store;
pub mod summary;
pub mod table;
#[cfg(test)]
mod testkit;
mod totals;
pub mod view;
pub mod workspace;
