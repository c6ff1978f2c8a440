//! Placeholder.
pub mod import;
pub mod matrix;
