//! What is to happen: events of a cell on the kernel's queue.

use crate::kernel::{EventKey, Fingerprint, Phase, Queue, SimTime};

/// Something that will happen. A stamp tells whether the place still holds what was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A request of a source; `tag` is the source's epoch, or the client of a closed loop.
    Arrive { source: u32, tag: u32 },
    /// A job arrives at the site.
    Reach { job: u32, stamp: u32 },
    /// A job in service is done, unless it was interrupted since.
    Done { job: u32, stamp: u32, turn: u16 },
    /// A processor-sharing server looks who is done.
    Tick { server: u32, epoch: u32 },
    /// An answer reaches its client.
    Answer { job: u32, stamp: u32 },
    /// A client gives up an attempt.
    Timeout { job: u32, stamp: u32 },
    /// A client sends a second copy.
    Hedge { request: u32, stamp: u32 },
    /// A client tries again.
    Retry { request: u32, stamp: u32 },
    /// A connection may have been idle long enough.
    Idle { connection: u32, stamp: u32 },
    /// The answer to a probe.
    Probe { balancer: u32, server: u32 },
    /// The front end learns whether a server is up.
    Health { server: u32, epoch: u32 },
    /// A drained server closes what is left.
    Drained { server: u32, epoch: u32 },
}

impl Event {
    /// Position among the events of one instant: who leaves comes before who gives up, and both
    /// before who arrives.
    #[inline]
    fn phase(self) -> Phase {
        Phase(match self {
            Event::Done { .. } | Event::Tick { .. } => 1,
            Event::Answer { .. } => 2,
            Event::Timeout { .. } => 3,
            Event::Drained { .. } | Event::Health { .. } | Event::Idle { .. } => 4,
            Event::Probe { .. } => 5,
            Event::Reach { .. } => 6,
            Event::Hedge { .. } | Event::Retry { .. } => 7,
            Event::Arrive { .. } => 8,
        })
    }
}

/// Clock and queue of a cell.
#[derive(Debug)]
pub(super) struct Agenda {
    pub(super) now: SimTime,
    queue: Queue<Event>,
    counters: Vec<u64>,
    pub(super) popped: u64,
    pub(super) fingerprint: Fingerprint,
}

impl Agenda {
    /// An empty agenda for sources of events 0..`entities`.
    pub(super) fn new(entities: usize) -> Agenda {
        assert!(entities <= EventKey::SOURCE_MAX as usize + 1, "too many event sources");
        Agenda {
            now: SimTime::ZERO,
            queue: Queue::default(),
            counters: vec![0; entities],
            popped: 0,
            fingerprint: Fingerprint::default(),
        }
    }

    /// Schedules an event of an entity.
    #[inline]
    pub(super) fn schedule(&mut self, at: SimTime, entity: u32, event: Event) {
        assert!(at >= self.now, "event scheduled in the past");
        let counter = &mut self.counters[entity as usize];
        let key = EventKey::new(at, event.phase(), entity, *counter);
        *counter += 1;
        self.queue.push(key, event);
    }

    /// Takes the next event up to an instant and moves the clock to it.
    #[inline]
    pub(super) fn pop_until(&mut self, limit: SimTime) -> Option<Event> {
        let (key, event) = self.queue.pop_until(limit)?;
        assert!(key.time() >= self.now, "time went back");
        self.now = key.time();
        self.popped += 1;
        Some(event)
    }

    /// Number of pending events.
    pub(super) fn pending(&self) -> usize {
        self.queue.len()
    }
}
