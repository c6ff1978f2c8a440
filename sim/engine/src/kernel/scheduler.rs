//! Clock and queue: what is scheduled, what comes next.

use super::fingerprint::Fingerprint;
use super::key::{EventKey, Phase};
use super::queue::Queue;
use super::time::SimTime;

/// Schedules events of type `E` and pops them in total key order, keeping the clock and the
/// fingerprint of everything popped.
#[derive(Clone, Debug)]
pub struct Scheduler<E> {
    now: SimTime,
    queue: Queue<E>,
    counters: Vec<u64>,
    popped: u64,
    fingerprint: Fingerprint,
}

impl<E> Scheduler<E> {
    /// A scheduler for sources 0..`sources`.
    #[must_use]
    pub fn new(sources: usize) -> Scheduler<E> {
        assert!(sources <= EventKey::SOURCE_MAX as usize + 1, "too many event sources");
        Scheduler {
            now: SimTime::ZERO,
            queue: Queue::default(),
            counters: vec![0; sources],
            popped: 0,
            fingerprint: Fingerprint::default(),
        }
    }

    /// Schedules an event of `source` at `at`. Panics on an instant in the past: a bug.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, phase: Phase, source: u32, event: E) -> EventKey {
        assert!(at >= self.now, "event scheduled in the past");
        let counter = &mut self.counters[source as usize];
        let key = EventKey::new(at, phase, source, *counter);
        *counter += 1;
        self.queue.push(key, event);
        key
    }

    /// Takes the next event and moves the clock to it.
    #[inline]
    pub fn pop(&mut self) -> Option<(EventKey, E)> {
        let (key, event) = self.queue.pop()?;
        assert!(key.time() >= self.now, "time went back");
        self.now = key.time();
        self.popped += 1;
        self.fingerprint.absorb(key.time().0);
        self.fingerprint.absorb(key.low());
        Some((key, event))
    }

    /// Key of the next event.
    #[must_use]
    pub fn peek_key(&self) -> Option<EventKey> {
        self.queue.peek_key()
    }

    /// The current instant.
    #[must_use]
    #[inline]
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// Number of events popped so far.
    #[must_use]
    pub fn popped(&self) -> u64 {
        self.popped
    }

    /// Number of pending events.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// The trajectory so far; also takes what others absorb.
    pub fn fingerprint_mut(&mut self) -> &mut Fingerprint {
        &mut self.fingerprint
    }

    /// The trajectory so far.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}
