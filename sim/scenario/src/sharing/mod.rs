//! Sharing as data: traces of flows, and labs of static allocations.

mod trace;

pub use trace::{LoadedTrace, TraceFlow, load_trace};
