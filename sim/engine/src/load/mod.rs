//! What traffic does to links and servers: demand, class queues, server pools, the fluid solution.

pub mod balance;
pub mod billing;
pub mod buffers;
pub mod demand;
pub mod elastic;
pub mod fluid;
pub mod histogram;
pub mod law;
pub mod links;
mod outcome;
pub mod server;
pub mod sharing;
pub mod tcp;
pub mod waiting;
