//! Flows: single transfers that arrive, share links max-min fairly, and finish.
//!
//! [`FlowSim`] holds them. Flows with the same path, weight, cap and priority form a class and get
//! the same rate. All classes held back by one bottleneck get the same rate per weight, its level;
//! so a bottleneck has one clock, which counts the service that a weight of 1 has had, and knows
//! in the order of this clock which class finishes a flow next. A change of a level touches one
//! clock, however many flows it holds back.
//!
//! A [`Source`] sends flows; [`FlowStats`] says how long they took.

mod class;
mod clock;
mod moment;
mod settle;
mod sim;
mod source;
mod stats;
#[cfg(test)]
mod tests;

pub use moment::Moment;
pub use sim::{Completion, FlowId, FlowSim, FlowSpec};
pub use source::{Arrivals, Sent, Source, SourceSpec, flow_stream};
pub use stats::{FlowStats, FlowTimes};
