//! Objects that expire.

use super::{Cache, Lookup, entry};
use crate::kernel::{SimSpan, SimTime};

/// A cache whose objects may be used for a time only, counted from their fetch, or from their last
/// use if hits renew it.
///
/// An expired object keeps its place until the policy evicts it or a request fetches it anew, as in
/// real caches, which look at ages when they are asked. That request is a miss for the caller; for
/// the policy inside it is a use.
#[derive(Clone, Debug)]
pub struct Expiring<C> {
    inner: C,
    ttl: SimSpan,
    renew: bool,
    expires: Vec<SimTime>,
}

impl<C: Cache> Expiring<C> {
    /// Objects live for `ttl` from their fetch.
    #[must_use]
    pub fn new(inner: C, ttl: SimSpan) -> Expiring<C> {
        Expiring { inner, ttl, renew: false, expires: Vec::new() }
    }

    /// Objects live for `ttl` from their last request.
    #[must_use]
    pub fn renewed_by_hits(inner: C, ttl: SimSpan) -> Expiring<C> {
        Expiring { renew: true, ..Expiring::new(inner, ttl) }
    }
}

impl<C: Cache> Cache for Expiring<C> {
    fn request(&mut self, object: u32, bytes: u64, now: SimTime) -> Lookup {
        let held = self.inner.request(object, bytes, now).is_hit();
        let expires = entry(&mut self.expires, object, SimTime(0));
        let fresh = held && now < *expires;
        if !fresh || self.renew {
            *expires = now.after(self.ttl);
        }
        if fresh { Lookup::Hit } else { Lookup::Miss }
    }

    fn contains(&self, object: u32) -> bool {
        self.inner.contains(object)
    }

    fn bytes(&self) -> u64 {
        self.inner.bytes()
    }

    fn objects(&self) -> usize {
        self.inner.objects()
    }

    fn flush(&mut self) {
        self.inner.flush();
    }
}
