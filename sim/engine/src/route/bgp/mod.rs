//! BGP, router by router: decision process, policies, sessions, events in time.
//!
//! [`model`] says what exists: speakers, sessions, policies, prefixes. It is data and never
//! changes during a run. [`BgpSim`] plays it: changes go in through [`BgpSim::apply`], time passes
//! through [`BgpSim::advance`] or [`BgpSim::settle`], and everything a speaker holds can be asked for,
//! with the reason ([`BgpSim::explain`]).

mod asgraph;
mod attrs;
mod change;
mod damping;
mod decide;
mod export;
mod forward;
mod igp;
pub mod model;
mod policy;
mod process;
mod roa;
mod send;
mod sim;
mod stability;
pub mod stable;
mod state;
mod view;
mod watch;

pub use asgraph::{from_as_graph, plain_side, plain_speaker, reverse};
pub use change::BgpChange;
pub use decide::{Decider, Loss, Rank, Step};
pub use forward::{Forwarding, ForwardingEnd};
pub use model::{
    BgpNetwork, BgpPrefix, BgpPrefixId, Community, Damping, DecisionOptions, IgpLink, IgpLinkId,
    Match, Mrai, MraiScope, Origin, Origination, Relation, Roa, RoutePolicy, RoutePolicyId, Rule,
    Session, SessionId, SessionSide, Set, Speaker, SpeakerId, Validation, Validity, Verdict,
};
pub use sim::{
    Advanced, BgpSim, Counts, Deaf, RouteSink, Sent, SessionCause, SettleLimits, Settled,
};
pub use stability::Stability;
pub use view::{Candidate, Refusal, RouteView, Standing};
pub use watch::{Cycle, CycleMember};
