//! BGP, router by router: decision process, policies, sessions, events in time.
//!
//! [`model`] says what exists: speakers, sessions, policies, prefixes. It is data and never
//! changes during a run. [`BgpSim`] plays it: changes go in through [`BgpSim::apply`], time passes
//! through [`BgpSim::advance`] or [`BgpSim::settle`], and everything a speaker holds can be asked for,
//! with the reason ([`BgpSim::explain`]).
//!
//! Where the standards leave a choice, or the model is simpler than a router:
//! - A speaker never tells a route back over the session it came from. Routers differ here; the
//!   far end would refuse it.
//! - A route's class (own, or learned from a customer, peer, provider) is carried inside the AS, so
//!   that export rules hold at every border.
//! - Own routes have local preference 100 in the rest of their AS, like any route without a
//!   preference. At the speaker that originates them they win over everything.
//! - Policies on export see the path before the own AS is put in front. Sessions inside an AS prepend
//!   nothing. Refusal because of the own AS in the path is for external sessions.
//! - MED is told to another AS only by the router that originates the route, or if an export policy
//!   sets it, as BIRD does.
//! - A mark such as no-export is obeyed by who hears it; who sets it on an own route still sends it.
//! - Both ends of a session learn at once that it went down. An internal session goes down at once
//!   when the IGP no longer connects its ends. The IGP itself converges at once.
//! - A prefix limit counts every prefix held from the far end, refused ones too.
//! - Damping counts withdrawals and changes of attributes, not the end of a session.
//! - An AS without a single IGP link is one place.

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
