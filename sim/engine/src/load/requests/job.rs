//! What is in flight: requests, and the attempts that serve them.

use super::stats::Cause;

/// No such thing.
pub(super) const NONE: u32 = u32::MAX;

/// A request from its arrival to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    /// Arrival, ns.
    pub(super) arrived: u64,
    /// Seed of its own draws.
    pub(super) seed: u64,
    /// Service demand, core-seconds.
    pub(super) demand_s: f64,
    /// Which user of the source it comes from.
    pub(super) user: u64,
    pub(super) source: u32,
    /// Attempts of it under way; [`NONE`] where there is none.
    pub(super) live: [u32; 2],
    /// Attempts so far without the second copy.
    pub(super) tries: u32,
    pub(super) hedged: bool,
}

/// Where an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On its way to the site.
    Travelling,
    /// In a queue of its server.
    Waiting,
    /// On a core of its server.
    InService,
    /// Its answer is on the way back.
    Returning,
}

/// An attempt: one copy of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    /// Request it is for; [`NONE`] if nobody waits for it any more.
    pub(super) request: u32,
    pub(super) source: u32,
    /// Server; [`NONE`] before it is chosen.
    pub(super) server: u32,
    /// Connection it travels on; [`NONE`] if connections are not modelled.
    pub(super) connection: u32,
    /// Which attempt of the request it is, from 0.
    pub(super) attempt: u32,
    pub(super) balancer: u32,
    /// Whether its connection chose the server.
    pub(super) pinned: bool,
    pub(super) place: Place,
    pub(super) priority: u8,
    /// Times it was put on a core: an event of an earlier turn is out of date.
    pub(super) turn: u16,
    /// Why it failed at the server, if it did.
    pub(super) failure: Option<Cause>,
    /// When it was sent, ns, set-up included.
    pub(super) sent: u64,
    /// Arrival at the server, ns.
    pub(super) came: u64,
    /// Last put on a core, ns.
    pub(super) resumed: u64,
    /// Seed of its request's own draws.
    pub(super) seed: u64,
    /// Demand, core-seconds.
    pub(super) demand_s: f64,
    /// What is left of the demand, core-seconds.
    pub(super) left_s: f64,
    /// Parts of its latency so far, ns.
    pub(super) setup_ns: u64,
    pub(super) propagation_ns: u64,
    pub(super) link_queue_ns: u64,
    pub(super) origin_ns: u64,
    /// All time at the server, ns.
    pub(super) at_server_ns: u64,
}
