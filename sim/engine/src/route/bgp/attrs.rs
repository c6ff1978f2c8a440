//! Route attributes, each distinct set kept once.
//!
//! Tables and messages hold small numbers; equal numbers mean equal attributes. Numbers are given in
//! the order of first use, so they do not depend on the hash.

use super::model::{Community, Origin, Relation, SpeakerId};
use std::hash::{Hash, Hasher};

/// Number of a set of attributes; [`NOTHING`] means no route.
pub(super) type AttrId = u32;
/// No route, no entry.
pub(super) const NOTHING: u32 = u32::MAX;

/// How a route came into the AS that holds it; carried inside the AS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Class {
    /// Originated in this AS.
    Own,
    /// Learned from a neighbour of this relation (never an internal one).
    Learned(Relation),
}

/// Everything about a route but its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Attributes {
    /// AS path, nearest first.
    pub(super) path: PathId,
    /// Clusters it was reflected in, last first.
    pub(super) clusters: PathId,
    pub(super) communities: u32,
    pub(super) local_pref: u32,
    pub(super) med: Option<u32>,
    /// Router id of who brought it into the AS, set by the first reflector.
    pub(super) originator: Option<u32>,
    /// Where traffic leaves the AS: the cost to reach this speaker is the cost of the next hop.
    pub(super) exit: SpeakerId,
    /// The next hop as announced: the exit, or the far end of the exit's session.
    pub(super) next_hop: SpeakerId,
    pub(super) origin: Origin,
    pub(super) class: Class,
    /// Invalid by its origin, and taken as the last resort.
    pub(super) depreferenced: bool,
}

/// A multiply-rotate hash with fixed keys: fast, the same everywhere, and never observed.
#[derive(Default)]
struct FixedHasher(u64);

impl FixedHasher {
    #[inline]
    fn take(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for FixedHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.take(u64::from(byte));
        }
    }
    #[inline]
    fn write_u8(&mut self, word: u8) {
        self.take(u64::from(word));
    }
    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.take(u64::from(word));
    }
    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.take(word);
    }
    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.take(word as u64);
    }
    #[inline]
    fn write_isize(&mut self, word: isize) {
        self.take(word as u64);
    }
    #[inline]
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}

/// Distinct values, numbered in the order of first use.
#[derive(Clone, Debug)]
pub(super) struct Interner<T> {
    items: Vec<T>,
    /// Open addressing with linear probing; a power of two, at most half full.
    slots: Vec<u32>,
}

impl<T: Hash + Eq> Interner<T> {
    pub(super) fn new() -> Interner<T> {
        Interner { items: Vec::new(), slots: vec![NOTHING; 64] }
    }

    /// Number of `value`, new if it was never seen.
    #[inline]
    pub(super) fn intern(&mut self, value: T) -> u32 {
        if self.items.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut slot = hash_of(&value) as usize & mask;
        loop {
            let id = self.slots[slot];
            if id == NOTHING {
                break;
            }
            if self.items[id as usize] == value {
                return id;
            }
            slot = (slot + 1) & mask;
        }
        let id = u32::try_from(self.items.len()).expect("memory ends before 2^32 attribute sets");
        self.slots[slot] = id;
        self.items.push(value);
        id
    }

    #[inline]
    pub(super) fn get(&self, id: u32) -> &T {
        &self.items[id as usize]
    }

    #[cold]
    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        self.slots = vec![NOTHING; size];
        for (id, item) in (0_u32..).zip(&self.items) {
            let mut slot = hash_of(item) as usize & (size - 1);
            while self.slots[slot] != NOTHING {
                slot = (slot + 1) & (size - 1);
            }
            self.slots[slot] = id;
        }
    }
}

#[inline]
fn hash_of<T: Hash>(value: &T) -> u64 {
    let mut hasher = FixedHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Number of a list of numbers (an AS path or a cluster list); [`EMPTY`] is the empty one.
pub(super) type PathId = u32;
/// The empty list, and the empty set of communities.
pub(super) const EMPTY: u32 = 0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Node {
    first: u32,
    rest: PathId,
    length: u32,
    last: u32,
}

/// All attributes, paths and sets of communities of a run.
#[derive(Clone, Debug)]
pub(super) struct Store {
    attributes: Interner<Attributes>,
    nodes: Interner<Node>,
    communities: Interner<Vec<Community>>,
}

impl Store {
    pub(super) fn new() -> Store {
        let mut nodes = Interner::new();
        nodes.intern(Node { first: 0, rest: EMPTY, length: 0, last: 0 });
        let mut communities = Interner::new();
        communities.intern(Vec::new());
        Store { attributes: Interner::new(), nodes, communities }
    }

    #[inline]
    pub(super) fn attributes(&self, id: AttrId) -> &Attributes {
        self.attributes.get(id)
    }

    #[inline]
    pub(super) fn intern(&mut self, attributes: Attributes) -> AttrId {
        self.attributes.intern(attributes)
    }

    /// `first` in front of `rest`.
    pub(super) fn prepend(&mut self, first: u32, rest: PathId) -> PathId {
        let tail = *self.nodes.get(rest);
        let last = if rest == EMPTY { first } else { tail.last };
        self.nodes.intern(Node { first, rest, length: tail.length + 1, last })
    }

    /// `first` in front of `rest` several times.
    pub(super) fn prepend_times(&mut self, first: u32, times: u32, rest: PathId) -> PathId {
        (0..times).fold(rest, |path, _| self.prepend(first, path))
    }

    /// The list with these elements.
    pub(super) fn path_of(&mut self, elements: &[u32]) -> PathId {
        elements.iter().rev().fold(EMPTY, |path, &element| self.prepend(element, path))
    }

    #[inline]
    pub(super) fn path_length(&self, path: PathId) -> u32 {
        self.nodes.get(path).length
    }

    /// Nearest element.
    #[inline]
    pub(super) fn path_first(&self, path: PathId) -> Option<u32> {
        (path != EMPTY).then(|| self.nodes.get(path).first)
    }

    /// Farthest element.
    #[inline]
    pub(super) fn path_last(&self, path: PathId) -> Option<u32> {
        (path != EMPTY).then(|| self.nodes.get(path).last)
    }

    /// The elements, nearest first.
    pub(super) fn path(&self, path: PathId) -> impl Iterator<Item = u32> + '_ {
        let mut at = path;
        std::iter::from_fn(move || {
            let node = (at != EMPTY).then(|| self.nodes.get(at))?;
            at = node.rest;
            Some(node.first)
        })
    }

    pub(super) fn communities(&self, id: u32) -> &[Community] {
        self.communities.get(id)
    }

    /// Number of a set given in any order, doubles allowed.
    pub(super) fn communities_of(&mut self, mut marks: Vec<Community>) -> u32 {
        marks.sort_unstable();
        marks.dedup();
        self.communities.intern(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lists_have_equal_numbers_however_they_were_made() {
        let mut store = Store::new();
        let whole = store.path_of(&[1, 2, 3]);
        let tail = store.path_of(&[2, 3]);
        assert_eq!(store.prepend(1, tail), whole);
        assert_eq!(store.path(whole).collect::<Vec<_>>(), [1, 2, 3]);
        let ends = (store.path_length(whole), store.path_first(whole), store.path_last(whole));
        assert_eq!(ends, (3, Some(1), Some(3)));
        assert_eq!(store.path_last(EMPTY), None);
        let marks = vec![Community::NoExport, Community::Plain(1, 2), Community::NoExport];
        let mut turned = marks.clone();
        turned.reverse();
        assert_eq!(store.communities_of(marks), store.communities_of(turned));
        assert_eq!(store.communities_of(Vec::new()), EMPTY);
    }

    #[test]
    fn many_values_keep_their_numbers() {
        let mut interner = Interner::new();
        let numbers: Vec<u32> = (0..10_000_u32).map(|n| interner.intern(n * 7)).collect();
        assert!((0..10_000).all(|n| numbers[n as usize] == n && *interner.get(n) == n * 7));
        assert_eq!(interner.intern(7 * 1234), 1234);
    }
}
