//! The event queue: a small heap in front of a radix wheel.
//!
//! What comes soon is `near`: a run sorted once, and a 4-ary heap of what was pushed into that span
//! later. What comes after the horizon is `far`: one bucket per (level, digit), where the level is
//! the highest base-16 digit in which an event's time differs from the horizon. When `near` is used
//! up, the first bucket is narrowed, level by level, until about `RUN_MAX` events are left, and
//! those are sorted. An event moves at most once per level. With few events the horizon is the end
//! of time and everything stays in the heap.
//!
//! Buckets look at the time word alone; heap and run compare whole keys. So the order is the total
//! key order, also for an event pushed at the current instant with a smaller phase or source than
//! the last one popped. Chosen by measurement: `steerlab-bench hold` compares it with other heaps.

use super::key::EventKey;
use super::time::SimTime;

/// Longest run that is sorted as it is; a longer one is narrowed first.
const RUN_MAX: usize = 32;
/// Longest heap before its later part moves to the buckets.
const HEAP_MAX: usize = 64;
/// With no more far events than this, the wheel is given up until the heap is full again.
const FAR_MIN: usize = 8;
/// Bits of time per level.
const DIGIT_BITS: u32 = 4;
const DIGITS: usize = 1 << DIGIT_BITS;
const LEVELS: u32 = u64::BITS / DIGIT_BITS;
/// Children of a heap node.
const ARITY: usize = 4;

/// A queue of events that pops them in key order.
///
/// Order is right for any interleaving of pushes and pops. It is fast as long as no event is pushed
/// at a time before the last one popped. Storage is reused: in steady state nothing is allocated.
#[derive(Clone, Debug)]
pub struct Queue<E> {
    /// Events up to the horizon, pushed since the run was sorted; a heap.
    heap: Vec<Entry<E>>,
    /// Events up to the horizon, latest first.
    run: Vec<Entry<E>>,
    /// Last instant of `near`; its lowest `level` digits are all ones.
    horizon: u64,
    level: u32,
    /// Events after the horizon, by level and digit.
    far: Vec<Vec<Entry<E>>>,
    far_len: usize,
    /// For each level a mask of its non-empty buckets, and a mask of the levels that have any.
    digits_used: [u16; LEVELS as usize],
    levels_used: u16,
    /// Emptied buckets, kept for their storage.
    spare: Vec<Vec<Entry<E>>>,
}

#[derive(Clone, Debug)]
struct Entry<E> {
    key: EventKey,
    event: E,
}

impl<E> Entry<E> {
    #[inline]
    fn time(&self) -> u64 {
        self.key.time().0
    }
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Queue {
            heap: Vec::new(),
            run: Vec::new(),
            horizon: u64::MAX,
            level: LEVELS,
            far: (0..LEVELS as usize * DIGITS).map(|_| Vec::new()).collect(),
            far_len: 0,
            digits_used: [0; LEVELS as usize],
            levels_used: 0,
            spare: Vec::new(),
        }
    }
}

impl<E> Queue<E> {
    /// Adds an event.
    #[inline]
    pub fn push(&mut self, key: EventKey, event: E) {
        let entry = Entry { key, event };
        if entry.time() <= self.horizon {
            heap_push(&mut self.heap, entry);
            if self.heap.len() > HEAP_MAX && self.level > 0 {
                self.spill();
            }
        } else {
            self.push_far(entry);
        }
    }

    /// Takes the event with the smallest key.
    #[inline]
    pub fn pop(&mut self) -> Option<(EventKey, E)> {
        self.pop_until(SimTime::NEVER)
    }

    /// Takes the event with the smallest key, if it happens at `limit` or before.
    #[inline]
    pub fn pop_until(&mut self, limit: SimTime) -> Option<(EventKey, E)> {
        loop {
            let (sorted_is_next, key) = match (self.run.last(), self.heap.first()) {
                (Some(sorted), Some(top)) if sorted.key < top.key => (true, sorted.key),
                (Some(sorted), None) => (true, sorted.key),
                (_, Some(top)) => (false, top.key),
                (None, None) if self.far_len == 0 => return None,
                (None, None) => {
                    self.refill();
                    continue;
                }
            };
            if key.time() > limit {
                return None;
            }
            let entry = if sorted_is_next { self.run.pop() } else { heap_pop(&mut self.heap) };
            return entry.map(|entry| (entry.key, entry.event));
        }
    }

    /// The smallest key.
    #[must_use]
    pub fn peek_key(&self) -> Option<EventKey> {
        let near =
            self.run.last().into_iter().chain(self.heap.first()).map(|entry| entry.key).min();
        near.or_else(|| self.far[self.first_bucket()?].iter().map(|entry| entry.key).min())
    }

    /// Number of pending events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len() + self.run.len() + self.far_len
    }

    /// Whether nothing is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Files an event after the horizon.
    #[inline]
    fn push_far(&mut self, entry: Entry<E>) {
        let time = entry.time();
        debug_assert!(time > self.horizon, "a near event is filed as far");
        let level = (time ^ self.horizon).ilog2() / DIGIT_BITS;
        let digit = (time >> (level * DIGIT_BITS)) as usize % DIGITS;
        let bucket = &mut self.far[level as usize * DIGITS + digit];
        if bucket.capacity() == 0 {
            *bucket = self.spare.pop().unwrap_or_default();
        }
        bucket.push(entry);
        self.far_len += 1;
        self.digits_used[level as usize] |= 1 << digit;
        self.levels_used |= 1 << level;
    }

    /// Index of the bucket with the earliest far events.
    fn first_bucket(&self) -> Option<usize> {
        if self.levels_used == 0 {
            return None;
        }
        let level = self.levels_used.trailing_zeros() as usize;
        Some(level * DIGITS + self.digits_used[level].trailing_zeros() as usize)
    }

    /// Empties the first bucket behind the run and returns its level.
    fn take_first_bucket(&mut self) -> Option<u32> {
        let index = self.first_bucket()?;
        let (level, digit) = (index / DIGITS, index % DIGITS);
        self.digits_used[level] &= !(1 << digit);
        if self.digits_used[level] == 0 {
            self.levels_used &= !(1 << level);
        }
        let mut bucket = std::mem::take(&mut self.far[index]);
        self.far_len -= bucket.len();
        if self.run.is_empty() {
            std::mem::swap(&mut self.run, &mut bucket);
        } else {
            self.run.append(&mut bucket);
        }
        self.spare.push(bucket);
        u32::try_from(level).ok()
    }

    /// Makes a new run when `near` is used up.
    #[cold]
    fn refill(&mut self) {
        debug_assert!(self.run.is_empty() && self.heap.is_empty(), "near is not used up");
        if self.far_len <= FAR_MIN {
            while self.take_first_bucket().is_some() {}
            self.level = LEVELS;
            self.horizon = u64::MAX;
        } else if let Some(level) = self.take_first_bucket() {
            self.level = level;
            self.horizon = self.run[0].time() | low_digits(level);
        }
        self.narrow();
    }

    /// Moves the later part of `near` to the buckets.
    #[cold]
    fn spill(&mut self) {
        self.run.append(&mut self.heap);
        self.narrow();
    }

    /// Draws the horizon closer, level by level, until the run is short; then sorts the run.
    fn narrow(&mut self) {
        let mut run = std::mem::take(&mut self.run);
        while run.len() > RUN_MAX && self.level > 0 {
            // Staying inside the horizon's own block keeps every filed event's bucket right.
            let block_start = self.horizon & !low_digits(self.level);
            let first =
                run.iter().map(Entry::time).min().map_or(block_start, |t| t.max(block_start));
            self.level -= 1;
            self.horizon = first | low_digits(self.level);
            let horizon = self.horizon;
            for entry in run.extract_if(.., |entry| entry.time() > horizon) {
                self.push_far(entry);
            }
        }
        run.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.key));
        self.run = run;
    }
}

/// The lowest `level` digits all ones, the others zero.
#[inline]
fn low_digits(level: u32) -> u64 {
    if level >= LEVELS { u64::MAX } else { (1 << (level * DIGIT_BITS)) - 1 }
}

#[inline]
fn heap_push<E>(heap: &mut Vec<Entry<E>>, entry: Entry<E>) {
    let (key, mut hole) = (entry.key, heap.len());
    heap.push(entry);
    while hole > 0 {
        let parent = (hole - 1) / ARITY;
        if heap[parent].key <= key {
            break;
        }
        heap.swap(hole, parent);
        hole = parent;
    }
}

#[inline]
fn heap_pop<E>(heap: &mut Vec<Entry<E>>) -> Option<Entry<E>> {
    if heap.is_empty() {
        return None;
    }
    let top = heap.swap_remove(0);
    let mut hole = 0;
    while let Some(children) = heap.get(hole * ARITY + 1..) {
        let Some(first) = children.first() else { break };
        let (mut least, mut least_key) = (0, first.key);
        for (index, child) in children.iter().enumerate().take(ARITY).skip(1) {
            if child.key < least_key {
                (least, least_key) = (index, child.key);
            }
        }
        if heap[hole].key <= least_key {
            break;
        }
        least += hole * ARITY + 1;
        heap.swap(hole, least);
        hole = least;
    }
    Some(top)
}
