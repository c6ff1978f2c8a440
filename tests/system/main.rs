//! System tests.

mod architecture;
mod tidy;
