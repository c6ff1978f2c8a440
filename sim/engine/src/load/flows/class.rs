//! Classes of flows, and the table that finds the class of a path.

use crate::load::maxmin::EntityId;
use crate::net::ArcId;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

/// A number of bits that orders: never negative, never NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bits(pub f64);

impl Eq for Bits {}

impl PartialOrd for Bits {
    fn partial_cmp(&self, other: &Bits) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bits {
    fn cmp(&self, other: &Bits) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Flows of one path, weight, cap and priority: all get the same rate.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub entity: EntityId,
    pub path: Arc<[ArcId]>,
    pub weight: f64,
    pub cap: Option<f64>,
    /// Clock that serves it; none while it has no flows or has just got its first.
    pub clock: Option<u32>,
    /// Place at that clock.
    pub place: u32,
    /// Service that a flow which was always there would have had ...
    pub attained: f64,
    /// ... when the clock stood here.
    pub reading: f64,
    /// Service at which each flow is finished, and its slot: the next first.
    pub flows: BinaryHeap<Reverse<(Bits, u32)>>,
}

impl Class {
    /// Service by a reading of the clock.
    pub fn attained_at(&self, reading: f64) -> f64 {
        self.attained + self.weight * (reading - self.reading)
    }

    /// Reading of the clock at which the next flow is finished.
    pub fn finish(&self) -> f64 {
        let next = self.flows.peek().map_or(0.0, |Reverse((bits, _))| bits.0);
        self.reading + (next - self.attained) / self.weight
    }

    /// Counts service again from 0, so that sums stay small.
    pub fn restart(&mut self, flow_done: &mut [f64]) {
        let down = self.attained;
        self.attained = 0.0;
        let flows = std::mem::take(&mut self.flows).into_vec();
        let lower = |Reverse((bits, slot)): Reverse<(Bits, u32)>| {
            let done = bits.0 - down;
            flow_done[slot as usize] = done;
            Reverse((Bits(done), slot))
        };
        self.flows = flows.into_iter().map(lower).collect();
    }
}

/// Which classes a path has.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    classes: BTreeMap<Arc<[ArcId]>, Vec<u32>>,
}

impl Paths {
    /// The class of a path that `fits`, if there is one.
    pub fn find(&self, path: &[ArcId], mut fits: impl FnMut(u32) -> bool) -> Option<u32> {
        self.classes.get(path)?.iter().copied().find(|&class| fits(class))
    }

    /// Notes a class and returns its path, shared.
    pub fn insert(&mut self, path: &[ArcId], class: u32) -> Arc<[ArcId]> {
        if let Some((known, _)) = self.classes.get_key_value(path) {
            let known = Arc::clone(known);
            self.classes.get_mut(path).expect("the path was just found").push(class);
            return known;
        }
        let path: Arc<[ArcId]> = path.into();
        self.classes.insert(Arc::clone(&path), vec![class]);
        path
    }

    /// Forgets a class.
    pub fn remove(&mut self, path: &[ArcId], class: u32) {
        if let Some(classes) = self.classes.get_mut(path) {
            classes.retain(|&other| other != class);
            if classes.is_empty() {
                self.classes.remove(path);
            }
        }
    }
}
