//! Event queues under comparison. All order by the whole 128-bit key.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use steerlab_engine::kernel::{EventKey, Queue};

/// What the hold model needs of a queue.
pub trait EventQueue: Default {
    fn push(&mut self, key: EventKey, event: u64);
    fn pop(&mut self) -> Option<(EventKey, u64)>;
}

/// The engine's own.
#[derive(Default)]
pub struct Engine(Queue<u64>);

impl EventQueue for Engine {
    #[inline]
    fn push(&mut self, key: EventKey, event: u64) {
        self.0.push(key, event);
    }
    #[inline]
    fn pop(&mut self) -> Option<(EventKey, u64)> {
        self.0.pop()
    }
}

/// The standard binary heap.
#[derive(Default)]
pub struct Binary(BinaryHeap<Reverse<(EventKey, u64)>>);

impl EventQueue for Binary {
    #[inline]
    fn push(&mut self, key: EventKey, event: u64) {
        self.0.push(Reverse((key, event)));
    }
    #[inline]
    fn pop(&mut self) -> Option<(EventKey, u64)> {
        self.0.pop().map(|Reverse(entry)| entry)
    }
}

/// The standard ordered map.
#[derive(Default)]
pub struct Ordered(BTreeMap<EventKey, u64>);

impl EventQueue for Ordered {
    #[inline]
    fn push(&mut self, key: EventKey, event: u64) {
        self.0.insert(key, event);
    }
    #[inline]
    fn pop(&mut self) -> Option<(EventKey, u64)> {
        self.0.pop_first()
    }
}

/// An array heap with `ARITY` children a node; moves a hole instead of swapping.
#[derive(Default)]
pub struct Wide<const ARITY: usize>(Vec<(EventKey, u64)>);

impl<const ARITY: usize> EventQueue for Wide<ARITY> {
    #[inline]
    fn push(&mut self, key: EventKey, event: u64) {
        let mut hole = self.0.len();
        self.0.push((key, event));
        while hole > 0 {
            let parent = (hole - 1) / ARITY;
            if self.0[parent].0 <= key {
                break;
            }
            self.0[hole] = self.0[parent];
            hole = parent;
        }
        self.0[hole] = (key, event);
    }

    #[inline]
    fn pop(&mut self) -> Option<(EventKey, u64)> {
        let last = self.0.pop()?;
        let Some(&top) = self.0.first() else { return Some(last) };
        let mut hole = 0;
        while let Some(children) = self.0.get(hole * ARITY + 1..) {
            let children = &children[..children.len().min(ARITY)];
            let Some(&(mut least_key, _)) = children.first() else { break };
            let mut least = 0;
            for (index, child) in children.iter().enumerate().skip(1) {
                if child.0 < least_key {
                    (least, least_key) = (index, child.0);
                }
            }
            if last.0 <= least_key {
                break;
            }
            least += hole * ARITY + 1;
            self.0[hole] = self.0[least];
            hole = least;
        }
        self.0[hole] = last;
        Some(top)
    }
}
