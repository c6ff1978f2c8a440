//! Reports.
pub mod figure;
pub mod number;
mod text;
