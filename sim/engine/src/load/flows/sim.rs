//! The simulator of flows.

use super::class::{Bits, Class, Paths};
use super::clock::{Clock, Due};
use super::moment::Moment;
use crate::kernel::Id;
use crate::load::maxmin::{Entity, EntityId, Sharing};
use crate::net::ArcId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Names an active flow. Ids of finished flows are not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

/// A flow that arrives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlowSpec<'a> {
    /// Arcs it crosses. Without arcs and cap it finishes at once.
    pub path: &'a [ArcId],
    /// Bits to carry, at least 0.
    pub bits: f64,
    /// Share at a bottleneck, 2^-30 to 2^30.
    pub weight: f64,
    /// Largest rate, bit/s, above 0.
    pub cap_bps: Option<f64>,
    /// Priority, 0 first, below 256.
    pub priority: u32,
    /// Comes back with the completion.
    pub tag: u64,
}

impl FlowSpec<'_> {
    /// A flow of weight 1 and priority 0 without a cap.
    #[must_use]
    pub fn plain(path: &[ArcId], bits: f64) -> FlowSpec<'_> {
        FlowSpec { path, bits, weight: 1.0, cap_bps: None, priority: 0, tag: 0 }
    }
}

/// A flow that has finished.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Completion {
    /// Its id, no longer in use.
    pub flow: FlowId,
    /// What its arrival gave.
    pub tag: u64,
    /// When it arrived.
    pub started: Moment,
    /// When it finished.
    pub at: Moment,
    /// Bits carried.
    pub bits: f64,
    /// Seconds it would have taken alone on its path as it was when it arrived; infinite if that
    /// was closed.
    pub alone_s: f64,
}

impl Completion {
    /// Seconds from arrival to end.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.at.since(self.started)
    }

    /// Time taken over time alone; none where that says nothing: no time at all, or a closed path.
    #[must_use]
    pub fn slowdown(&self) -> Option<f64> {
        let tells = self.alone_s > 0.0 && self.alone_s < f64::INFINITY;
        tells.then(|| self.seconds() / self.alone_s)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub generation: u32,
    class: u32,
    pub bits: f64,
    pub alone_s: f64,
    pub started: Moment,
    pub tag: u64,
}

pub(super) const NO_CLASS: u32 = u32::MAX;
/// Classes without flows that are kept for flows to come, beside as many as have flows.
const IDLE_CLASSES: usize = 1024;

/// Flows over arcs with capacities.
///
/// Time moves with [`FlowSim::advance`] and with arrivals; everything else happens at the present
/// instant. The rates follow when time moves on, so any number of changes at one instant costs one
/// allocation.
#[derive(Clone, Debug)]
pub struct FlowSim {
    pub(super) now: Moment,
    pub(super) sharing: Sharing,
    /// Whether something changed since rates were settled.
    pub(super) stale: bool,
    /// Clock of each node, by priority.
    pub(super) clock_of: Vec<Vec<u32>>,
    pub(super) clocks: Vec<Clock>,
    pub(super) due: Due,
    pub(super) classes: Vec<Class>,
    /// Class of each entity, by priority.
    pub(super) class_of: Vec<Vec<u32>>,
    free_classes: Vec<u32>,
    idle_classes: usize,
    paths: Paths,
    pub(super) flows: Vec<Flow>,
    /// Service of its class at which each flow is finished.
    pub(super) done: Vec<f64>,
    free_flows: Vec<u32>,
    active: usize,
    pub(super) carried: Vec<Carried>,
    pub(super) touched: Vec<u32>,
}

/// Bits that arcs have carried for one priority.
#[derive(Clone, Debug, Default)]
pub(super) struct Carried {
    pub bits: Vec<f64>,
    pub bps: Vec<f64>,
    pub at: Vec<Moment>,
}

impl Carried {
    pub fn until(&self, arc: usize, now: Moment) -> f64 {
        self.bits[arc] + self.bps[arc] * now.since(self.at[arc])
    }
}

impl FlowSim {
    /// Arcs with these capacities in bit/s (at least 0; infinite where nothing binds), no flows.
    ///
    /// # Panics
    /// If a capacity is negative or no number.
    #[must_use]
    pub fn new(capacity_bps: &[f64]) -> FlowSim {
        let mut capacity = capacity_bps.to_vec();
        // For flows that cross nothing.
        capacity.push(f64::INFINITY);
        FlowSim {
            now: Moment::ZERO,
            sharing: Sharing::new(&capacity),
            stale: false,
            clock_of: Vec::new(),
            clocks: Vec::new(),
            due: Due::default(),
            classes: Vec::new(),
            class_of: Vec::new(),
            free_classes: Vec::new(),
            idle_classes: 0,
            paths: Paths::default(),
            flows: Vec::new(),
            done: Vec::new(),
            free_flows: Vec::new(),
            active: 0,
            carried: Vec::new(),
            touched: Vec::new(),
        }
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Number of flows that have not finished.
    #[must_use]
    pub fn active(&self) -> usize {
        self.active
    }

    /// Sets the capacity of an arc from now on, bit/s.
    ///
    /// # Panics
    /// If it is negative or no number.
    pub fn set_capacity(&mut self, arc: ArcId, bps: f64) {
        self.sharing.set_capacity(arc.index(), bps);
        self.stale = true;
    }

    /// Sets the inelastic load of a priority on an arc from now on, bit/s.
    ///
    /// # Panics
    /// If it is negative or not finite.
    pub fn set_background(&mut self, arc: ArcId, priority: u32, bps: f64) {
        self.sharing.set_background(arc.index(), priority, bps);
        self.stale = true;
    }

    /// A flow arrives.
    ///
    /// # Panics
    /// If `at` is in the past or beyond a completion that has not been collected, or the flow breaks
    /// a rule of [`FlowSpec`].
    pub fn arrival(&mut self, at: Moment, spec: &FlowSpec<'_>) -> FlowId {
        self.move_to(at);
        assert!((0.0..f64::INFINITY).contains(&spec.bits), "flows have 0 or more bits");
        let class = self.class(spec);
        let alone_s = spec.bits / self.alone_bps(spec);
        let FlowSpec { bits, tag, .. } = *spec;
        let flow = Flow { generation: 0, class, bits, alone_s, started: at, tag };
        let slot = if let Some(slot) = self.free_flows.pop() {
            let generation = self.flows[slot as usize].generation;
            self.flows[slot as usize] = Flow { generation, ..flow };
            slot
        } else {
            self.flows.push(flow);
            self.done.push(0.0);
            u32::try_from(self.flows.len() - 1).expect("flows are far below 2^32")
        };
        self.active += 1;
        self.join(slot, class, spec.bits);
        FlowId { slot, generation: self.flows[slot as usize].generation }
    }

    /// Ends a flow before it is finished; returns the bits it had left, none if it is not active.
    pub fn cancel(&mut self, flow: FlowId) -> Option<f64> {
        let left = self.leave(flow)?;
        self.release(flow.slot);
        Some(left)
    }

    /// Has a flow go on over other arcs with the bits it has left. Says whether it is active.
    pub fn reroute(&mut self, flow: FlowId, path: &[ArcId]) -> bool {
        let Some(left) = self.leave(flow) else {
            return false;
        };
        let old = &self.classes[self.flows[flow.slot as usize].class as usize];
        let spec = FlowSpec {
            weight: old.weight,
            cap_bps: old.cap,
            priority: old.entity.priority,
            ..FlowSpec::plain(path, left)
        };
        let class = self.class(&spec);
        self.flows[flow.slot as usize].class = class;
        self.join(flow.slot, class, left);
        true
    }

    /// Rate of a flow as of the last settling, bit/s; none if it is not active.
    pub fn rate_bps(&mut self, flow: FlowId) -> Option<f64> {
        self.refresh();
        let class = self.class_of_flow(flow)?;
        Some(self.sharing.rate(self.classes[class as usize].entity))
    }

    /// Bits a flow has left at the present instant; none if it is not active.
    pub fn left_bits(&mut self, flow: FlowId) -> Option<f64> {
        self.refresh();
        let class = self.class_of_flow(flow)?;
        Some((self.done[flow.slot as usize] - self.attained(class)).max(0.0))
    }

    /// When the next flow finishes if nothing changes before; none if none will.
    pub fn next_completion(&mut self) -> Option<Moment> {
        self.refresh();
        let (at, _) = self.due.first();
        (at < Moment::NEVER).then_some(at)
    }

    /// Moves time to `until` and hands out every flow that finishes up to and including then.
    ///
    /// # Panics
    /// If `until` is in the past.
    pub fn advance(&mut self, until: Moment, each: &mut impl FnMut(Completion)) {
        assert!(until >= self.now, "time does not go back");
        loop {
            self.refresh();
            let (at, mut clock) = self.due.first();
            if at > until || at == Moment::NEVER {
                break;
            }
            self.now = self.now.max(at);
            // All that finish at this instant leave together, under one allocation.
            loop {
                self.finish(clock, each);
                let next = self.due.first();
                if next.0 > self.now {
                    break;
                }
                clock = next.1;
            }
        }
        if until < Moment::NEVER {
            self.now = until;
        }
    }

    /// Elastic bits that an arc has carried for a priority up to now.
    pub fn carried_bits(&mut self, arc: ArcId, priority: u32) -> f64 {
        self.refresh();
        let now = self.now;
        self.carried.get(priority as usize).map_or(0.0, |carried| carried.until(arc.index(), now))
    }

    /// Elastic rate of a priority on an arc, bit/s.
    pub fn load_bps(&mut self, arc: ArcId, priority: u32) -> f64 {
        self.refresh();
        self.sharing.elastic_load(arc.index(), priority)
    }

    /// Active flows with their tags, in no particular but a fixed order.
    pub fn flows(&self) -> impl Iterator<Item = (FlowId, u64)> + '_ {
        let active = |flow: &Flow| flow.class != NO_CLASS;
        (0_u32..)
            .zip(&self.flows)
            .filter(move |(_, flow)| active(flow))
            .map(|(slot, flow)| (FlowId { slot, generation: flow.generation }, flow.tag))
    }

    /// Bits an active flow came with.
    #[must_use]
    pub fn bits(&self, flow: FlowId) -> Option<f64> {
        self.class_of_flow(flow).map(|_| self.flows[flow.slot as usize].bits)
    }

    /// Path of an active flow.
    #[must_use]
    pub fn path(&self, flow: FlowId) -> Option<&[ArcId]> {
        let class = self.class_of_flow(flow)?;
        Some(&self.classes[class as usize].path)
    }

    /// What a flow would get if it were alone.
    fn alone_bps(&self, spec: &FlowSpec<'_>) -> f64 {
        let cap = spec.cap_bps.unwrap_or(f64::INFINITY);
        let capacity = |arc: &ArcId| self.sharing.capacity(arc.index());
        spec.path.iter().map(capacity).fold(cap, f64::min)
    }

    /// Time moves without completions.
    fn move_to(&mut self, at: Moment) {
        assert!(at >= self.now, "flows arrive at the present instant or later");
        if at > self.now {
            self.refresh();
            assert!(
                self.due.first().0 >= at,
                "flows finish before this one arrives: advance first"
            );
            self.now = at;
        }
    }

    /// The class of a flow to come, made if need be.
    fn class(&mut self, spec: &FlowSpec<'_>) -> u32 {
        let classes = &self.classes;
        let fits = |class: u32| {
            let class = &classes[class as usize];
            class.weight == spec.weight
                && class.cap == spec.cap_bps
                && class.entity.priority == spec.priority
        };
        if let Some(class) = self.paths.find(spec.path, fits) {
            return class;
        }
        let mut rows: Vec<(u32, f64)> = spec.path.iter().map(|arc| (arc.0, 1.0)).collect();
        if rows.is_empty() && spec.cap_bps.is_none() {
            rows.push(((self.sharing.resources() - 1) as u32, 1.0));
        }
        let (weight, cap, priority) = (spec.weight, spec.cap_bps, spec.priority);
        let entity = self.sharing.add(&Entity { weight, cap, priority, rows }, 0);
        let index = self.free_classes.pop().unwrap_or(self.classes.len() as u32);
        let class = Class {
            entity,
            path: self.paths.insert(spec.path, index),
            weight,
            cap,
            clock: None,
            place: 0,
            attained: 0.0,
            reading: 0.0,
            flows: BinaryHeap::new(),
        };
        if index as usize == self.classes.len() {
            self.classes.push(class);
        } else {
            self.classes[index as usize] = class;
        }
        self.note_entity(entity, index);
        self.idle_classes += 1;
        index
    }

    fn note_entity(&mut self, entity: EntityId, class: u32) {
        let (priority, slot) = (entity.priority as usize, entity.slot as usize);
        while self.class_of.len() <= priority {
            self.class_of.push(Vec::new());
        }
        if self.class_of[priority].len() <= slot {
            self.class_of[priority].resize(slot + 1, NO_CLASS);
        }
        self.class_of[priority][slot] = class;
    }

    /// Service of a class up to now.
    pub(super) fn attained(&mut self, class: u32) -> f64 {
        let now = self.now;
        let class = &self.classes[class as usize];
        match class.clock {
            Some(clock) => class.attained_at(self.clocks[clock as usize].count_to(now)),
            None => class.attained,
        }
    }

    /// Puts a flow with so many bits to go in a class.
    fn join(&mut self, slot: u32, class: u32, bits: f64) {
        let done = self.attained(class) + bits;
        self.done[slot as usize] = done;
        let entry = &mut self.classes[class as usize];
        if entry.flows.is_empty() {
            self.idle_classes -= 1;
        }
        entry.flows.push(Reverse((Bits(done), slot)));
        self.recount(class);
        self.reschedule(class);
    }

    /// Takes a flow out of its class; returns what it had left.
    fn leave(&mut self, flow: FlowId) -> Option<f64> {
        let class = self.class_of_flow(flow)?;
        // What it has had so far was at the settled rates.
        let left = (self.done[flow.slot as usize] - self.attained(class)).max(0.0);
        self.classes[class as usize].flows.retain(|Reverse((_, slot))| *slot != flow.slot);
        self.after_leaving(class);
        Some(left)
    }

    fn class_of_flow(&self, flow: FlowId) -> Option<u32> {
        let known = self.flows.get(flow.slot as usize)?;
        (known.generation == flow.generation && known.class != NO_CLASS).then_some(known.class)
    }

    pub(super) fn release(&mut self, slot: u32) {
        let flow = &mut self.flows[slot as usize];
        flow.class = NO_CLASS;
        flow.generation = flow.generation.wrapping_add(1);
        self.free_flows.push(slot);
        self.active -= 1;
    }

    /// Tells the sharing how many flows a class has.
    fn recount(&mut self, class: u32) {
        let class = &self.classes[class as usize];
        let count = u32::try_from(class.flows.len()).expect("flows are far below 2^32");
        self.sharing.set_count(class.entity, count);
        self.stale = true;
    }

    /// Has the clock of a class know when its next flow finishes.
    fn reschedule(&mut self, class: u32) {
        let entry = &self.classes[class as usize];
        let Some(clock) = entry.clock else {
            return;
        };
        let (place, finish) = (entry.place, entry.finish());
        let classes = &mut self.classes;
        self.clocks[clock as usize].update(place, finish, |class, place| {
            classes[class as usize].place = place;
        });
        self.due.set(clock, self.clocks[clock as usize].due());
    }

    /// Takes a class from its clock.
    pub(super) fn unhook(&mut self, class: u32) {
        let entry = &mut self.classes[class as usize];
        let Some(clock) = entry.clock.take() else {
            return;
        };
        let place = entry.place;
        let classes = &mut self.classes;
        self.clocks[clock as usize].remove(place, |class, place| {
            classes[class as usize].place = place;
        });
        self.due.set(clock, self.clocks[clock as usize].due());
    }

    pub(super) fn after_leaving(&mut self, class: u32) {
        self.recount(class);
        if !self.classes[class as usize].flows.is_empty() {
            self.reschedule(class);
            return;
        }
        self.unhook(class);
        self.classes[class as usize].attained = 0.0;
        self.idle_classes += 1;
        let busy = self.classes.len() - self.free_classes.len() - self.idle_classes;
        if self.idle_classes > IDLE_CLASSES + busy {
            self.sweep();
        }
    }

    /// Forgets classes without flows.
    fn sweep(&mut self) {
        for index in 0..self.classes.len() as u32 {
            let class = &mut self.classes[index as usize];
            let EntityId { priority, slot } = class.entity;
            let known = &mut self.class_of[priority as usize][slot as usize];
            if class.flows.is_empty() && *known == index {
                *known = NO_CLASS;
                self.sharing.remove(class.entity);
                self.paths.remove(&class.path, index);
                class.path = [].into();
                class.flows = BinaryHeap::new();
                self.free_classes.push(index);
            }
        }
        self.idle_classes = 0;
    }
}

#[cfg(test)]
impl FlowSim {
    /// Sum of the lengths of what could grow with time.
    pub(super) fn sizes(&self) -> usize {
        self.flows.len() + self.classes.len() + self.clocks.len()
    }
}
