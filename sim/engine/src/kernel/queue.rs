//! The event queue.

use super::key::EventKey;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A queue of events that pops them in key order.
#[derive(Clone, Debug)]
pub struct Queue<E> {
    heap: BinaryHeap<Entry<E>>,
}

#[derive(Clone, Debug)]
struct Entry<E> {
    key: EventKey,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl<E> Eq for Entry<E> {}
impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Queue { heap: BinaryHeap::new() }
    }
}

impl<E> Queue<E> {
    /// Adds an event.
    #[inline]
    pub fn push(&mut self, key: EventKey, event: E) {
        self.heap.push(Entry { key, event });
    }

    /// Takes the event with the smallest key.
    #[inline]
    pub fn pop(&mut self) -> Option<(EventKey, E)> {
        self.heap.pop().map(|entry| (entry.key, entry.event))
    }

    /// The smallest key.
    #[must_use]
    pub fn peek_key(&self) -> Option<EventKey> {
        self.heap.peek().map(|entry| entry.key)
    }

    /// Number of pending events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}
