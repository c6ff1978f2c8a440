//! What a hash does to keys: how even its shares are, and which keys move when servers leave or
//! weights change. Exact where the hash is a table of entries with equal shares, else by keys drawn
//! by chance.

use super::hash::HashSpec;
use crate::kernel::{SimTime, Stream, StreamKey};

/// Keys drawn where a hash is no table, unless said otherwise.
pub const KEYS: u32 = 1_000_000;

/// How many keys are looked at, and which table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Method {
    /// Seed of the table and of the keys.
    pub seed: u64,
    /// Keys drawn where the hash is no table of entries.
    pub keys: u32,
}

impl Default for Method {
    fn default() -> Method {
        Method { seed: 1, keys: KEYS }
    }
}

/// Shares and moves of keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// Keys, or entries of the table, that were looked at.
    pub keys: u64,
    /// Whether these are all entries of a table, so that shares are exact.
    pub exact: bool,
    /// Keys of each server before the change.
    pub before: Vec<u64>,
    /// Keys of each server after the change.
    pub after: Vec<u64>,
    /// Keys that had to move: their server takes no work any more.
    pub orphaned: u64,
    /// Keys that moved between servers that take work before and after.
    pub moved_among_survivors: u64,
}

/// How even shares are, relative to weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Balance {
    /// Least share of a server by its due share.
    pub min_over_mean: f64,
    /// Greatest share of a server by its due share.
    pub max_over_mean: f64,
}

impl Audit {
    /// Moved keys that need not have moved because their server left, as a share of all keys.
    #[must_use]
    pub fn disruption_ratio(&self) -> f64 {
        self.moved_among_survivors as f64 / self.keys as f64
    }

    /// All moved keys as a share of all keys.
    #[must_use]
    pub fn moved_ratio(&self) -> f64 {
        (self.moved_among_survivors + self.orphaned) as f64 / self.keys as f64
    }
}

/// How even counts are among servers with weights above 0; none if there are none.
#[must_use]
pub fn balance(counts: &[u64], weights: &[f64]) -> Option<Balance> {
    let keys: f64 = counts.iter().map(|&count| count as f64).sum();
    let weight: f64 = weights.iter().sum();
    let open = counts.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
    let parts = open.map(|(&count, own)| count as f64 / (keys * own / weight));
    parts.fold(None, |found, part| {
        let Balance { min_over_mean: min, max_over_mean: max } =
            found.unwrap_or(Balance { min_over_mean: part, max_over_mean: part });
        Some(Balance { min_over_mean: min.min(part), max_over_mean: max.max(part) })
    })
}

/// Looks at a hash under some weights and then under others, one a server, 0 for servers that take
/// no work. No requests are in flight. With no server at all keys belong to nobody.
///
/// # Panics
///
/// If the lists differ in length or a parameter of the hash is out of its range.
#[must_use]
pub fn audit(spec: &HashSpec, before: &[f64], after: &[f64], method: Method) -> Audit {
    assert_eq!(before.len(), after.len(), "the same servers before and after");
    let servers = before.len();
    let mut hashing = spec.build(method.seed);
    hashing.rebuild(before, SimTime::ZERO);
    let exact = hashing.entries().is_some();
    let idle = vec![0; servers];
    let map = |hashing: &dyn super::hash::Hashing| -> Vec<Option<u32>> {
        match hashing.entries() {
            Some(entries) => entries.iter().map(|&s| (s < servers as u32).then_some(s)).collect(),
            None => {
                let (seed, purpose) = (method.seed, "balancer-audit");
                let mut draw = Stream::new(StreamKey { seed, replication: 0, purpose, entity: 0 });
                (0..method.keys).map(|_| hashing.lookup(draw.next_u64(), &idle)).collect()
            }
        }
    };
    let mut first = map(&*hashing);
    hashing.rebuild(after, SimTime::NEVER);
    let mut second = map(&*hashing);
    // A table without servers has no entries.
    let keys = first.len().max(second.len());
    first.resize(keys, None);
    second.resize(keys, None);
    let count = |map: &[Option<u32>]| {
        let mut counts = vec![0; servers];
        map.iter().flatten().for_each(|&server| counts[server as usize] += 1);
        counts
    };
    let moved = || first.iter().zip(&second).filter(|(was, is)| was != is);
    let gone = |server: &Option<u32>| server.is_none_or(|server| after[server as usize] <= 0.0);
    let orphaned = moved().filter(|(was, _)| was.is_some() && gone(was)).count() as u64;
    let stays = |server: &Option<u32>| {
        server.is_some_and(|server| before[server as usize] > 0.0 && after[server as usize] > 0.0)
    };
    let moved_among_survivors = moved().filter(|(was, is)| stays(was) && stays(is)).count() as u64;
    Audit {
        keys: first.len() as u64,
        exact,
        before: count(&first),
        after: count(&second),
        orphaned,
        moved_among_survivors,
    }
}

/// Looks at a hash before and after some servers leave.
///
/// # Panics
///
/// As [`audit`], and if a removed server does not exist.
#[must_use]
pub fn removal(spec: &HashSpec, weights: &[f64], removed: &[u32], method: Method) -> Audit {
    let mut after = weights.to_vec();
    removed.iter().for_each(|&server| after[server as usize] = 0.0);
    audit(spec, weights, &after, method)
}

/// [`removal`] for a Maglev table of a prime number of entries: exact.
#[must_use]
pub fn maglev_audit(weights: &[f64], table: u32, removed: &[u32]) -> Audit {
    removal(&HashSpec::Maglev { table }, weights, removed, Method::default())
}
