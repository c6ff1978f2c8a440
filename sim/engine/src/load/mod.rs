//! What traffic does to links and servers: demand, class queues, server pools, the fluid solution.

pub mod balance;
pub mod demand;
pub mod flows;
pub mod fluid;
pub mod histogram;
pub mod law;
pub mod links;
pub mod maxmin;
mod outcome;
pub mod server;
pub mod sharing;
