//! Which server of a colo gets a request or a connection. One file a balancer.
//!
//! A balancer knows what its view tells it ([`Seen`]), never the servers themselves. How old the
//! view is and whose requests it counts is the matter of the front end that keeps it
//! ([`view::View`]).

pub mod audit;
pub mod bucket_loop;
pub mod descriptors;
pub mod hash;
pub mod least_connections;
pub mod least_request;
pub mod levels;
mod parts;
pub mod peak_ewma;
pub mod power_of_d;
pub mod prequal;
pub mod priority;
pub mod random;
mod roster;
pub mod round_robin;
pub mod spec;
pub mod subset;
pub mod view;
pub mod zone_aware;

use crate::kernel::{SimTime, Stream};
use levels::Levels;

pub use descriptors::{BALANCERS, BalancerDescriptor};
pub use spec::{BalancerSpec, ConnectionsSpec, Setting};
pub use view::{ErrorPenalty, Place, SlowStart, Staleness, View, ViewSpec};

/// What a balancer is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Instant.
    pub now: SimTime,
    /// Hash of what identifies the connection, such as the five-tuple: the same for all packets
    /// and requests of one connection.
    pub key: u64,
    /// Zone the request comes from.
    pub zone: u16,
}

/// What a balancer sees of its servers, one entry a server; it may be old.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Requests in flight: waiting or in service.
    pub outstanding: &'a [u32],
    /// Relative capacity after slow start; 0: takes no new work (down, drained or draining).
    pub weight: &'a [f64],
    /// Whether health checks pass.
    pub healthy: &'a [bool],
    /// Zone of each server.
    pub zone: &'a [u16],
    /// Priority level of each server, 0 first.
    pub priority: &'a [u16],
    /// Number of the present weights and health: it rises whenever they change, so that tables
    /// made from them can be kept until then.
    pub version: u64,
    /// The servers that take work, in order of `outstanding`, if the view keeps that order. Makes
    /// a search for the least loaded one take no time; without it the balancer looks at all.
    pub levels: Option<&'a Levels>,
}

impl Seen<'_> {
    /// Whether a server takes new work: weight above 0 and healthy.
    #[must_use]
    #[inline]
    pub fn takes_work(&self, server: usize) -> bool {
        self.weight[server] > 0.0 && self.healthy[server]
    }
}

/// Chooses servers. Object-safe; one instance a balancer process.
pub trait Balancer: std::fmt::Debug {
    /// The server for a new connection or request; none if no server takes work.
    fn pick(&mut self, ask: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32>;

    /// Whether a later packet of a connection that server `owner` holds still gets there. False:
    /// it meets a server that does not know it, and the connection is reset.
    ///
    /// Always true for balancers that hold the connections themselves. Those that send every
    /// packet by its hash, without or with a table of connections, answer from their tables.
    fn reaches(&mut self, _ask: &Ask, _seen: &Seen<'_>, _owner: u32) -> bool {
        true
    }

    /// A connection ended: what is remembered of its key can be forgotten.
    fn closed(&mut self, _key: u64) {}

    /// A request that this balancer sent was answered, or given up (`ok` is false then).
    fn finished(&mut self, _server: u32, _now: SimTime, _latency_s: f64, _ok: bool) {}

    /// A probe that this balancer sent came back with what the server holds and how long recent
    /// requests took there.
    fn probed(&mut self, _server: u32, _now: SimTime, _in_flight: u32, _latency_s: f64) {}

    /// Number of probes it wants to send together with each request, each to a server drawn
    /// evenly among those that take work.
    fn probes_per_request(&self) -> f64 {
        0.0
    }

    /// Whether it searches for the least loaded server, so that the view should keep
    /// [`Seen::levels`].
    fn wants_levels(&self) -> bool {
        false
    }
}
