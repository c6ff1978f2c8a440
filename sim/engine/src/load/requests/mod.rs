//! Requests and connections one by one: the servers of one colo behind a real balancer.
//!
//! A [`Cell`] holds sources of requests, clients that give up, try again and send second copies,
//! connections, a front end of balancers, and servers with queues. It is advanced in time from
//! outside, and its rates can be changed at any instant, so it can be fed by the fluid level.
//!
//! What a request is (its demand, its key, whether an attempt fails, how long it pauses) is drawn
//! at its arrival from streams of its source: it does not depend on the balancer or the server.

mod agenda;
mod cell;
mod chance;
mod client;
mod connections;
mod front;
mod job;
mod servers;
mod setup;
mod sharing;
mod slab;
mod source;
mod spec;
mod station;
mod stats;

pub use cell::Cell;
pub use connections::ConnectionSeen;
pub use setup::Protocol;
pub use spec::{
    ArrivalSpec, CellSpec, ClientSpec, ConnectionSpec, Discipline, FrontSpec, Level, Path, Pattern,
    RetryBudget, RetrySpec, ServerSpec,
};
pub use stats::{Breakdown, Cause, CellStats, ClassStats, ServerStats};
