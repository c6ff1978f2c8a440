//! What traffic does to links and servers: demand, class queues, server pools, the fluid solution.

pub mod admission;
pub mod balance;
pub mod billing;
pub mod buffers;
pub mod cache;
pub mod demand;
pub mod elastic;
pub mod flows;
pub mod fluid;
pub mod histogram;
pub mod law;
pub mod links;
pub mod maxmin;
mod outcome;
pub mod requests;
pub mod server;
pub mod sharing;
pub mod tcp;
pub mod waiting;
