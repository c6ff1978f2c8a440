//! From runs to verdicts: run store, tables, metric catalogue, statistics and comparison.
//!
//! What this crate must not know: YAML, HTML, the command line. It knows the engine only.

pub mod summary;
pub mod view;
