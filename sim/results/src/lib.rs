//! From runs to verdicts: run store, tables, metric catalogue, statistics and comparison.
//!
//! What this crate must not know: YAML, HTML, the command line. It knows the engine only.

pub mod summary;
pub mod view;

/// The engine, for crates that know results only but name its public types.
pub use steerlab_engine as engine;
