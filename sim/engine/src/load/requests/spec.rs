//! What a cell is made of: arrivals, classes, clients, servers, the front end.

use crate::kernel::{SimSpan, SimTime};
use crate::load::balance::ViewSpec;
use crate::load::law::Law;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::setup::Protocol;

/// A cell: the servers of one colo and all who use them.
#[derive(Clone, Debug)]
pub struct CellSpec {
    /// Seed of the scenario.
    pub seed: u64,
    /// Which replication, from 0.
    pub replication: u32,
    /// Stable hash of the colo's name, see [`crate::kernel::entity_hash`].
    pub entity: u64,
    /// Number of classes by which statistics are kept, at least 1.
    pub classes: u32,
    /// Sources of requests.
    pub arrivals: Vec<ArrivalSpec>,
    /// Ways in which clients behave; arrivals refer to them.
    pub clients: Vec<ClientSpec>,
    /// Servers.
    pub servers: Vec<ServerSpec>,
    /// Front end.
    pub front: FrontSpec,
}

/// A source of requests: one client group with one service and tenant, say.
#[derive(Clone, Debug)]
pub struct ArrivalSpec {
    /// Stable hash of what it is. Its draws depend on this and the seed alone.
    pub entity: u64,
    /// When requests arrive.
    pub pattern: Pattern,
    /// Law of the service demand.
    pub service: Law,
    /// Mean service demand, core-seconds at a speed of 1, above 0.
    pub service_s: f64,
    /// Class of statistics, below [`CellSpec::classes`].
    pub class: u32,
    /// Priority at the servers, 0 first. Others than priority servers ignore it.
    pub priority: u8,
    /// Index of its behaviour among [`CellSpec::clients`].
    pub client: u32,
    /// Number of users that share the arrivals evenly, each with connections of its own, at least
    /// 1. Ignored in a closed loop, whose clients are the users.
    pub users: u64,
    /// Zone the requests come from.
    pub zone: u16,
    /// What lies between the clients and the servers.
    pub path: Path,
}

/// When requests arrive.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Poisson, per second, at least 0; the rate can be changed at any time.
    Poisson(f64),
    /// Independent gaps of a law with this rate per second, at least 0.
    Renewal(Law, f64),
    /// At these instants, ascending.
    Recorded(Arc<Vec<SimTime>>),
    /// A closed loop: each client thinks, asks, waits for the answer, thinks again. All begin to
    /// think at the start.
    Closed {
        /// Number of clients.
        clients: u32,
        /// Law of the time to think.
        think: Law,
        /// Its mean in seconds, at least 0.
        think_s: f64,
    },
}

/// What lies between the clients of a source and the servers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Path {
    /// Time to set up what a request is sent on, where connections are not modelled, seconds.
    pub setup_s: f64,
    /// Round-trip time without queues, seconds.
    pub rtt_s: f64,
    /// Time in link queues in one round trip, seconds.
    pub link_queue_s: f64,
    /// Time that an answer waits for the origin, seconds: mean over hits and misses.
    pub origin_s: f64,
}

/// How clients behave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClientSpec {
    /// How long a client waits for the answer to one attempt; none: for ever.
    pub timeout: Option<SimSpan>,
    /// Whether the server learns that the client gave up and stops working.
    pub timeout_stops_server: bool,
    /// Probability that the server fails an attempt, after it has done the work.
    pub failure: f64,
    /// Retries.
    pub retry: RetrySpec,
    /// Hedging; none: one copy.
    pub hedge: Option<SimSpan>,
    /// Connections; none: they cost nothing and are not modelled.
    pub connection: Option<ConnectionSpec>,
}

/// When and how often clients try again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrySpec {
    /// Attempts after the first, at most.
    pub max: u32,
    /// Pause before the first retry.
    pub backoff: SimSpan,
    /// Factor from one pause to the next, at least 1.
    pub backoff_factor: f64,
    /// Longest pause.
    pub backoff_max: SimSpan,
    /// Whether a pause is drawn evenly between 0 and its length ("full jitter", M. Brooker,
    /// "Exponential backoff and jitter", 2015).
    pub jitter: bool,
    /// Limit to the ratio of retries to requests; none: no limit.
    pub budget: Option<RetryBudget>,
}

/// A budget of retries and hedges, kept by each source: a request pays in, a retry takes 1 out
/// (after the token bucket of Finagle's `RetryBudget`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetryBudget {
    /// Tokens per request, at least 0: the ratio of retries to requests in the long run.
    pub ratio: f64,
    /// Tokens held at most, and at the start.
    pub burst: f64,
}

/// Connections of the clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectionSpec {
    /// Protocol: what set-up costs and how many requests share a connection.
    pub protocol: Protocol,
    /// Share of connections that resume an earlier session.
    pub resumed: f64,
    /// Whether a resumed session sends its first request as early data (0-RTT).
    pub early_data: bool,
    /// Share of connections that need a DNS answer first.
    pub dns_share: f64,
    /// Time of such a look-up.
    pub dns: SimSpan,
    /// A connection without requests is closed after this time.
    pub keep_alive: SimSpan,
    /// Requests after which a connection is closed; none: no limit.
    pub requests_max: Option<u32>,
    /// Law and mean in seconds of the life of a connection, after which it closes when idle,
    /// whatever `keep_alive` says; none: as long as it is used.
    pub life: Option<(Law, f64)>,
}

/// One server.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSpec {
    /// In which order it serves.
    pub discipline: Discipline,
    /// Cores, at least 1. Many servers behind one queue are one server with many cores.
    pub cores: u32,
    /// Core-seconds of demand that a core does per second, above 0.
    pub speed: f64,
    /// Requests in service at once, at most; at least 1. First come first served and priority
    /// never have more than `cores` in service.
    pub concurrency: u32,
    /// Requests that may wait; further ones are refused. None: no limit.
    pub queue_max: Option<u32>,
    /// Weight at the balancers: relative capacity.
    pub weight: f64,
    /// Zone.
    pub zone: u16,
    /// Priority level at the balancers, 0 first.
    pub priority: u16,
}

impl ServerSpec {
    /// A server with an endless queue and a weight of `cores` times `speed`.
    #[must_use]
    pub fn new(discipline: Discipline, cores: u32, speed: f64) -> ServerSpec {
        ServerSpec {
            discipline,
            cores,
            speed,
            concurrency: u32::MAX,
            queue_max: None,
            weight: f64::from(cores) * speed,
            zone: 0,
            priority: 0,
        }
    }
}

/// In which order a server serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Discipline {
    /// First come first served.
    Fifo,
    /// All in service share the cores evenly, none gets more than one core.
    ProcessorSharing,
    /// Lower priority numbers first; an arrival interrupts a less urgent one, which goes on later
    /// where it stopped.
    PreemptivePriority,
    /// Lower priority numbers first; service once begun is not interrupted.
    Priority,
}

/// The front end: who chooses servers, and what they see.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrontSpec {
    /// What is balanced.
    pub level: Level,
    /// Whether all balancers see the requests of all; otherwise each sees its own.
    pub shared_view: bool,
    /// How old what they see is.
    pub view: ViewSpec,
    /// Time until the answer to a probe comes back.
    pub probe_delay: SimSpan,
    /// Time until health checks find that a server went down or came back.
    pub health_delay: SimSpan,
}

/// What is balanced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Each request on its own (layer 7).
    #[default]
    Request,
    /// Each connection: its requests go to its server (layer 4).
    Connection,
}

impl Default for FrontSpec {
    fn default() -> Self {
        FrontSpec {
            level: Level::Request,
            shared_view: true,
            view: ViewSpec::default(),
            probe_delay: SimSpan::ZERO,
            health_delay: SimSpan::ZERO,
        }
    }
}

impl Default for RetrySpec {
    fn default() -> Self {
        RetrySpec {
            max: 0,
            backoff: SimSpan::ZERO,
            backoff_factor: 2.0,
            backoff_max: SimSpan(u64::MAX),
            jitter: false,
            budget: None,
        }
    }
}

impl ArrivalSpec {
    /// A Poisson source of class 0 with exponential demand, no way to go and plain clients.
    #[must_use]
    pub fn poisson(entity: u64, per_s: f64, service_s: f64) -> ArrivalSpec {
        ArrivalSpec {
            entity,
            pattern: Pattern::Poisson(per_s),
            service: Law::Exponential,
            service_s,
            class: 0,
            priority: 0,
            client: 0,
            users: 1,
            zone: 0,
            path: Path::default(),
        }
    }
}

impl CellSpec {
    /// One class of plain clients.
    #[must_use]
    pub fn new(arrivals: Vec<ArrivalSpec>, servers: Vec<ServerSpec>) -> CellSpec {
        CellSpec {
            seed: 1,
            replication: 0,
            entity: 0,
            classes: 1 + arrivals.iter().map(|arrival| arrival.class).max().unwrap_or(0),
            arrivals,
            clients: vec![ClientSpec::default()],
            servers,
            front: FrontSpec::default(),
        }
    }
}
