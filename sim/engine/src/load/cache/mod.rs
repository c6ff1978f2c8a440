//! Caches: exact per object, and in the large by Che's approximation.
//!
//! Exact caches implement [`Cache`] and are asked object by object: [`Lru`], [`Fifo`],
//! [`RandomEviction`], [`Lfu`], [`S3Fifo`], [`Unbounded`], each alone or with a time to live
//! ([`Expiring`]). [`Tiers`] joins them: lower caches ask upper ones, those ask the origin.
//! [`Spectrum`], [`che`], [`Warmth`] and [`Cascade`] say what the same caches do to rates of
//! requests, without objects.

use crate::kernel::SimTime;

mod alias;
mod cascade;
pub mod che;
mod fifo;
mod lfu;
mod list;
mod lru;
mod popularity;
mod random;
mod s3fifo;
mod spectrum;
mod tier;
mod ttl;
mod unbounded;
mod warm;

pub use alias::Alias;
pub use cascade::{Cascade, Content, Misses, Place};
pub use fifo::Fifo;
pub use lfu::Lfu;
pub use lru::Lru;
pub use popularity::{Mixture, Popularity, Sampler, ZipfSampler};
pub use random::RandomEviction;
pub use s3fifo::S3Fifo;
pub use spectrum::{Spectrum, zipf_mass};
pub use tier::{Counts, Fetch, Hop, Source, Tiers};
pub use ttl::Expiring;
pub use unbounded::Unbounded;
pub use warm::Warmth;

/// What a cache answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The object was there.
    Hit,
    /// It was not. It is now, unless the cache did not admit it.
    Miss,
}

impl Lookup {
    /// Whether the object was there.
    #[must_use]
    pub fn is_hit(self) -> bool {
        self == Lookup::Hit
    }
}

/// A cache of numbered objects. Object-safe.
///
/// Numbers should be dense from 0: every cache here indexes its state by them. Capacity and sizes
/// are bytes; a cache that is to count objects gets 1 as the size of each. An object larger than
/// the whole cache is never kept. What is in the cache has the size it was fetched with.
pub trait Cache: std::fmt::Debug {
    /// Asks for an object. On a miss it is fetched and kept at once, if the policy admits it.
    /// Instants must not go back.
    fn request(&mut self, object: u32, bytes: u64, now: SimTime) -> Lookup;

    /// Whether the object is kept (also if it is too old to be used).
    fn contains(&self, object: u32) -> bool;

    /// Bytes kept.
    fn bytes(&self) -> u64;

    /// Objects kept.
    fn objects(&self) -> usize;

    /// Forgets everything: a cold start.
    fn flush(&mut self);
}

/// The entry of an object in a vector that grows with the largest number seen.
fn entry<T: Clone>(entries: &mut Vec<T>, object: u32, empty: T) -> &mut T {
    let index = object as usize;
    if index >= entries.len() {
        // Half more than needed, so that slowly rising numbers do not move the whole each time.
        entries.resize((index + 1).max(entries.len() + entries.len() / 2), empty);
    }
    &mut entries[index]
}
