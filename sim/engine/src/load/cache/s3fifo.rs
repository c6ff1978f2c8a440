//! S3-FIFO: a small queue to try objects, a main queue for those that were asked for again, and a
//! list of names of what was tried in vain (Yang, Zhang, Qiu, Yue, Rashmi, "FIFO queues are all you
//! need for cache eviction", SOSP 2023, algorithm 1).

use super::list::Lists;
use super::{Cache, Lookup, entry};
use crate::kernel::SimTime;

const SMALL: u32 = 0;
const MAIN: u32 = 1;
const GHOST: u32 = 2;
/// The small queue's share of the capacity is one part in this.
const SMALL_PART: u64 = 10;
/// Requests are counted up to this: two bits.
const COUNT_MAX: u8 = 3;

/// S3-FIFO cache. The small queue has a tenth of the capacity, the main queue the rest, and the
/// list of names covers as many bytes as the main queue has.
#[derive(Clone, Debug)]
pub struct S3Fifo {
    capacity_bytes: u64,
    /// Bytes by queue; those of the ghosts are of objects that are gone.
    bytes: [u64; 3],
    held: usize,
    queues: Lists,
    known: Vec<Known>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    bytes: u64,
    queue: u8,
    count: u8,
}

impl S3Fifo {
    /// An empty cache with a capacity in bytes.
    #[must_use]
    pub fn new(capacity_bytes: u64) -> S3Fifo {
        let queues = Lists::new(3);
        S3Fifo { capacity_bytes, bytes: [0; 3], held: 0, queues, known: Vec::new() }
    }

    fn push(&mut self, queue: u32, object: u32, bytes: u64) {
        *entry(&mut self.known, object, Known::default()) =
            Known { bytes, queue: queue as u8, count: 0 };
        self.bytes[queue as usize] += bytes;
        self.queues.push_front(queue, object);
    }

    fn pop(&mut self, queue: u32) -> Option<(u32, Known)> {
        let object = self.queues.last(queue)?;
        self.take(object);
        Some((object, self.known[object as usize]))
    }

    fn take(&mut self, object: u32) {
        let known = self.known[object as usize];
        self.bytes[known.queue as usize] -= known.bytes;
        self.queues.remove(object);
    }

    /// Evicts one object.
    fn evict(&mut self) {
        let small_bytes = self.capacity_bytes / SMALL_PART;
        let from_small = self.bytes[SMALL as usize] > 0
            && (self.bytes[SMALL as usize] >= small_bytes || self.bytes[MAIN as usize] == 0);
        if !(from_small && self.evict_small()) {
            self.evict_main();
        }
    }

    /// Moves what was asked for more than once to the main queue, until an object goes. False if
    /// none did.
    fn evict_small(&mut self) -> bool {
        while let Some((object, known)) = self.pop(SMALL) {
            if known.count > 1 {
                self.push(MAIN, object, known.bytes);
                continue;
            }
            self.push(GHOST, object, known.bytes);
            self.held -= 1;
            let ghosts_bytes = self.capacity_bytes - self.capacity_bytes / SMALL_PART;
            while self.bytes[GHOST as usize] > ghosts_bytes {
                self.pop(GHOST).expect("ghosts have bytes, so there are some");
            }
            return true;
        }
        false
    }

    /// Gives what was asked for another round, until an object goes.
    fn evict_main(&mut self) {
        while let Some((object, known)) = self.pop(MAIN) {
            if known.count == 0 {
                self.held -= 1;
                return;
            }
            self.push(MAIN, object, known.bytes);
            self.known[object as usize].count = known.count - 1;
        }
    }

    fn kept_bytes(&self) -> u64 {
        self.bytes[SMALL as usize] + self.bytes[MAIN as usize]
    }
}

impl Cache for S3Fifo {
    fn request(&mut self, object: u32, bytes: u64, _now: SimTime) -> Lookup {
        if self.contains(object) {
            let known = &mut self.known[object as usize];
            known.count = (known.count + 1).min(COUNT_MAX);
            return Lookup::Hit;
        }
        if bytes > self.capacity_bytes {
            return Lookup::Miss;
        }
        let ghost = self.queues.contains(object);
        if ghost {
            self.take(object);
        }
        while self.kept_bytes() > self.capacity_bytes - bytes {
            self.evict();
        }
        self.push(if ghost { MAIN } else { SMALL }, object, bytes);
        self.held += 1;
        Lookup::Miss
    }

    fn contains(&self, object: u32) -> bool {
        self.queues.contains(object) && u32::from(self.known[object as usize].queue) != GHOST
    }

    fn bytes(&self) -> u64 {
        self.kept_bytes()
    }

    fn objects(&self) -> usize {
        self.held
    }

    fn flush(&mut self) {
        self.queues.clear();
        self.bytes = [0; 3];
        self.held = 0;
    }
}
