//! Balancers that send by the hash of a connection's key: one file a table.
//!
//! They hold no connections. Every packet is looked up again, so a connection breaks when the table
//! says another server than the one that holds it, unless a table of connections
//! ([`Connections`]) or the second slot of a bucket ([`daisy::Daisy`]) remembers.

pub mod bounded;
pub mod buckets;
pub mod connections;
pub mod daisy;
pub mod ecmp;
pub mod jump;
pub mod maglev;
pub mod rendezvous;
pub mod ring;

use super::{Ask, Balancer, Seen};
use crate::kernel::stream::mix;
use crate::kernel::{SimSpan, SimTime, Stream};
pub use connections::{Connections, Eviction};
use serde::{Deserialize, Serialize};

/// From keys to servers.
pub trait Hashing: std::fmt::Debug {
    /// Takes new weights, one a server, 0 for servers that take no work.
    fn rebuild(&mut self, weights: &[f64], now: SimTime);

    /// Server of a key; none if no server takes work. `outstanding`: requests in flight of each
    /// server, for those that look at load.
    fn lookup(&self, key: u64, outstanding: &[u32]) -> Option<u32>;

    /// Server that gets the packets of a key which the first one does not know.
    fn second(&self, _key: u64) -> Option<u32> {
        None
    }

    /// The server of each entry, if it is a table whose entries get equal shares of all keys.
    fn entries(&self) -> Option<&[u32]> {
        None
    }
}

/// Which table, with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HashSpec {
    /// [`ecmp::Ecmp`].
    EcmpModulo,
    /// [`ring::Ring`].
    RingHash {
        /// Points of a server of mean weight, at least 1.
        points: u32,
    },
    /// [`bounded::BoundedRing`].
    BoundedRing {
        /// Points of a server of mean weight, at least 1.
        points: u32,
        /// By how much a server's load may exceed its share, above 0.
        excess: f64,
    },
    /// [`rendezvous::Rendezvous`].
    Rendezvous,
    /// [`jump::Jump`].
    JumpHash,
    /// [`maglev::Maglev`].
    Maglev {
        /// Entries, a prime number.
        table: u32,
    },
    /// [`daisy::Daisy`].
    DaisyChain {
        /// Buckets, at least 1.
        buckets: u32,
        /// How long a bucket keeps its server after a change, if that server takes work.
        quarantine: SimSpan,
        /// Whether the server before gets what the present one does not know.
        chained: bool,
    },
}

impl HashSpec {
    /// An empty table. Equal seeds give equal tables.
    #[must_use]
    pub fn build(&self, seed: u64) -> Box<dyn Hashing> {
        let seed = spread_seed(seed);
        match *self {
            HashSpec::EcmpModulo => Box::new(ecmp::Ecmp::new(seed)),
            HashSpec::RingHash { points } => Box::new(ring::Ring::new(points, seed)),
            HashSpec::BoundedRing { points, excess } => {
                Box::new(bounded::BoundedRing::new(points, excess, seed))
            }
            HashSpec::Rendezvous => Box::new(rendezvous::Rendezvous::new(seed)),
            HashSpec::JumpHash => Box::new(jump::Jump::new(seed)),
            HashSpec::Maglev { table } => Box::new(maglev::Maglev::new(table, seed)),
            HashSpec::DaisyChain { buckets, quarantine, chained } => {
                Box::new(daisy::Daisy::new(buckets, quarantine, chained, seed))
            }
        }
    }
}

/// A balancer that sends by hash.
#[derive(Debug)]
pub struct Hashed {
    hashing: Box<dyn Hashing>,
    connections: Option<Connections>,
    version: Option<u64>,
    weights: Vec<f64>,
}

impl Hashed {
    /// A balancer around a table, with or without a table of connections.
    #[must_use]
    pub fn new(hashing: Box<dyn Hashing>, connections: Option<Connections>) -> Hashed {
        Hashed { hashing, connections, version: None, weights: Vec::new() }
    }

    #[inline]
    fn update(&mut self, now: SimTime, seen: &Seen<'_>) {
        if self.version != Some(seen.version) {
            self.renew(now, seen);
        }
    }

    #[cold]
    fn renew(&mut self, now: SimTime, seen: &Seen<'_>) {
        self.version = Some(seen.version);
        self.weights.clear();
        let servers = 0..seen.weight.len();
        let weight = |server| if seen.takes_work(server) { seen.weight[server] } else { 0.0 };
        self.weights.extend(servers.map(weight));
        self.hashing.rebuild(&self.weights, now);
    }
}

impl Balancer for Hashed {
    #[inline]
    fn pick(&mut self, ask: &Ask, seen: &Seen<'_>, _draw: &mut Stream) -> Option<u32> {
        self.update(ask.now, seen);
        let server = self.hashing.lookup(ask.key, seen.outstanding)?;
        if let Some(connections) = &mut self.connections {
            connections.insert(ask.key, server);
        }
        Some(server)
    }

    fn reaches(&mut self, ask: &Ask, seen: &Seen<'_>, owner: u32) -> bool {
        self.update(ask.now, seen);
        if let Some(connections) = &mut self.connections
            && let Some(server) = connections.get(ask.key)
        {
            return server == owner;
        }
        let server = self.hashing.lookup(ask.key, seen.outstanding);
        if let (Some(connections), Some(server)) = (&mut self.connections, server) {
            connections.insert(ask.key, server);
        }
        server == Some(owner) || self.hashing.second(ask.key) == Some(owner)
    }

    fn closed(&mut self, key: u64) {
        if let Some(connections) = &mut self.connections {
            connections.remove(key);
        }
    }
}

/// A seed whose every bit depends on all of the given one, so that hashes of near keys under near
/// seeds have nothing in common.
pub(crate) fn spread_seed(seed: u64) -> u64 {
    mix(seed ^ 0x9e37_79b9_7f4a_7c15)
}

/// Hash of a key for one table: independent of other tables that hash the same keys, as devices
/// with the same hash one behind the other would polarise.
#[inline]
pub(crate) fn salted(key: u64, seed: u64) -> u64 {
    mix(key ^ seed)
}

/// Hash number `index` of a server.
#[inline]
pub(crate) fn of_server(server: u32, index: u64, seed: u64) -> u64 {
    mix(mix(seed ^ u64::from(server)).wrapping_add(index))
}

/// Scales a hash to a whole number below `bound`.
#[inline]
pub(crate) fn scaled(hash: u64, bound: usize) -> usize {
    ((u128::from(hash) * bound as u128) >> 64) as usize
}
