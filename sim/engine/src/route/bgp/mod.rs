//! BGP, router by router: decision process, policies, sessions, events in time.
//!
//! [`model`] says what exists: speakers, sessions, policies, prefixes. It is data and never
//! changes during a run.

pub mod model;

pub use model::{
    BgpNetwork, BgpPrefix, BgpPrefixId, Community, Damping, DecisionOptions, IgpLink, IgpLinkId,
    Match, Mrai, MraiScope, Origin, Origination, Relation, Roa, RoutePolicy, RoutePolicyId, Rule,
    Session, SessionId, SessionSide, Set, Speaker, SpeakerId, Validation, Validity, Verdict,
};
