//! Weighted max-min fair sharing: exact, with a certificate, and cheap after a change.
//!
//! *Resources* (a direction of a link, a pool of servers) have a capacity. *Entities* cross some of
//! them, each with a coefficient: one unit of rate puts that much load on the resource (1 on a
//! plain path, a fraction where traffic is split). An entity has a number of members that all get
//! the same rate, a weight, perhaps a cap on the rate of a member, and a priority. Priority 0 is
//! served first; what it leaves goes to 1. Inelastic background takes its part of each resource
//! before the elastic entities of its priority.
//!
//! Rates are weighted max-min fair (Bertsekas and Gallager, *Data Networks*, 6.5.2): rate per
//! weight, the *level*, rises for all together; a resource that fills freezes those that cross it.
//! An entity's level is thus the least level among its resources and its cap. The resource (or
//! cap) with the least is its *bottleneck*.
//!
//! # Why the outcome does not depend on history
//!
//! A resource knows the entities that cross it only as sums of weight by bottleneck, in whole
//! quanta, so exact in any order. Its own level follows from these sums and from the levels of the
//! bottlenecks before it, consumed in the order of (level, resource) until the next would come after
//! its own; from nothing else. Take two solutions in which every resource agrees with its sums and
//! every entity is held back by the first on its path. Let them be the same up to some place of the
//! order, and differ there. The one that is earlier in its solution has, in the other, the same
//! consumed bottlenecks, hence the same level to the last bit, hence the same place. So there is one
//! solution only, and however it is reached, it has the same bytes.
//!
//! A change marks the resources it touches. Marked resources are filled again, lowest first; one
//! whose level changes marks those that have it as a bottleneck of somebody; an entity moves only
//! when two of its resources change order. Nothing else is looked at.

mod certificate;
mod fair_share;
mod layer;
mod problem;
mod row;

pub use certificate::{Bottleneck, Violation, certify};
pub use fair_share::{BandwidthFunction, Demand, FairShare, Freeze, Tunnel, fair_share};
pub use problem::{Entity, Problem, Solution};

use layer::Layer;
pub(crate) use layer::Log;

/// Names an entity of a [`Sharing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId {
    pub(crate) priority: u32,
    pub(crate) slot: u32,
}

/// The allocation of all resources, kept up to date through changes.
///
/// Change what you like, then call [`Sharing::settle`]; what is read is as of the last settling.
#[derive(Clone, Debug)]
pub struct Sharing {
    capacity: Vec<f64>,
    /// What a priority finds of each resource, before background.
    available: Vec<Vec<f64>>,
    background: Vec<Vec<f64>>,
    layers: Vec<Layer>,
}

impl Sharing {
    /// Resources with these capacities (at least 0; infinite where nothing binds) and no entity.
    ///
    /// # Panics
    /// If a capacity is negative or no number.
    #[must_use]
    pub fn new(capacity: &[f64]) -> Sharing {
        assert!(capacity.iter().all(|&c| c >= 0.0), "capacities are at least 0");
        Sharing {
            capacity: capacity.to_vec(),
            available: Vec::new(),
            background: Vec::new(),
            layers: Vec::new(),
        }
    }

    /// Number of resources.
    #[must_use]
    pub fn resources(&self) -> usize {
        self.capacity.len()
    }

    /// Capacity of a resource.
    #[must_use]
    pub fn capacity(&self, resource: usize) -> f64 {
        self.capacity[resource]
    }

    /// Adds an entity with its number of members.
    ///
    /// # Panics
    /// If the entity breaks a rule of [`Entity`] or names a resource that does not exist.
    pub fn add(&mut self, entity: &Entity, count: u32) -> EntityId {
        let rows = entity.checked_rows(self.capacity.len());
        self.need_priority(entity.priority);
        let layer = &mut self.layers[entity.priority as usize];
        let slot = layer.insert(&rows, entity.weight, entity.cap);
        layer.set_count(slot, count);
        EntityId { priority: entity.priority, slot }
    }

    /// Takes an entity away. Its id may be given to another one.
    pub fn remove(&mut self, id: EntityId) {
        self.layers[id.priority as usize].remove(id.slot);
    }

    /// Sets the number of members.
    pub fn set_count(&mut self, id: EntityId, count: u32) {
        self.layers[id.priority as usize].set_count(id.slot, count);
    }

    /// Number of members.
    #[must_use]
    pub fn count(&self, id: EntityId) -> u32 {
        self.layers[id.priority as usize].member(id.slot).count
    }

    /// Sets the capacity of a resource.
    ///
    /// # Panics
    /// If it is negative or no number.
    pub fn set_capacity(&mut self, resource: usize, capacity: f64) {
        assert!(capacity >= 0.0, "capacities are at least 0");
        self.capacity[resource] = capacity;
        if let Some(available) = self.available.first_mut() {
            available[resource] = capacity;
            self.offer(0, resource);
        }
    }

    /// Sets the inelastic load of a priority on a resource.
    ///
    /// # Panics
    /// If it is negative or not finite.
    pub fn set_background(&mut self, resource: usize, priority: u32, load: f64) {
        assert!((0.0..f64::INFINITY).contains(&load), "background is finite and at least 0");
        if load == 0.0 && priority as usize >= self.layers.len() {
            return;
        }
        self.need_priority(priority);
        self.background[priority as usize][resource] = load;
        self.offer(priority as usize, resource);
    }

    /// Brings all rates up to date with the changes since the last call.
    pub fn settle(&mut self) {
        for priority in 0..self.layers.len() {
            self.layers[priority].settle();
            if priority + 1 == self.layers.len() {
                break;
            }
            for i in 0..self.layers[priority].log.loads.len() {
                let resource = self.layers[priority].log.loads[i] as usize;
                self.available[priority + 1][resource] = self.left(priority, resource);
                self.offer(priority + 1, resource);
            }
        }
    }

    /// Rate of each member of an entity; infinite if nothing holds it back.
    #[must_use]
    pub fn rate(&self, id: EntityId) -> f64 {
        let layer = &self.layers[id.priority as usize];
        let member = layer.member(id.slot);
        if member.count == 0 {
            return 0.0;
        }
        if member.at == u32::MAX {
            return f64::INFINITY;
        }
        match member.cap {
            Some(cap) if member.at as usize >= layer.resources => cap,
            _ => layer.keys.level[member.at as usize] * member.weight,
        }
    }

    /// What holds an entity back.
    #[must_use]
    pub fn bottleneck(&self, id: EntityId) -> Bottleneck {
        let layer = &self.layers[id.priority as usize];
        let member = layer.member(id.slot);
        if member.count == 0 || member.at == u32::MAX {
            Bottleneck::Nothing
        } else if member.at as usize >= layer.resources {
            Bottleneck::Cap
        } else if layer.keys.level[member.at as usize] == f64::INFINITY {
            Bottleneck::Nothing
        } else {
            Bottleneck::Resource(member.at as usize)
        }
    }

    /// Load of a resource, background and elastic, over all priorities.
    #[must_use]
    pub fn load(&self, resource: usize) -> f64 {
        (0..self.layers.len())
            .map(|priority| {
                self.carried_background(resource, priority as u32)
                    + self.layers[priority].load[resource]
            })
            .fold(0.0, |sum, load| sum + load)
    }

    /// Elastic load of a priority on a resource.
    #[must_use]
    pub fn elastic_load(&self, resource: usize, priority: u32) -> f64 {
        self.layers.get(priority as usize).map_or(0.0, |layer| layer.load[resource])
    }

    /// Background of a priority that a resource carries: no more than higher priorities leave.
    #[must_use]
    pub fn carried_background(&self, resource: usize, priority: u32) -> f64 {
        let priority = priority as usize;
        self.background
            .get(priority)
            .map_or(0.0, |load| load[resource].min(self.available[priority][resource]))
    }

    /// Rate per weight at which a resource holds back entities of a priority; none where it is not
    /// full.
    #[must_use]
    pub fn level(&self, resource: usize, priority: u32) -> Option<f64> {
        let level = self.layers.get(priority as usize)?.keys.level[resource];
        (level < f64::INFINITY).then_some(level)
    }

    /// Makes sure that there is a layer for a priority.
    fn need_priority(&mut self, priority: u32) {
        assert!(priority < 256, "priorities are below 256");
        while self.layers.len() <= priority as usize {
            let last = self.layers.len().checked_sub(1);
            let available: Vec<f64> = match last {
                None => self.capacity.clone(),
                Some(last) => (0..self.resources()).map(|r| self.left(last, r)).collect(),
            };
            self.layers.push(Layer::new(&available));
            self.background.push(vec![0.0; available.len()]);
            self.available.push(available);
        }
    }

    /// What a priority leaves of a resource.
    fn left(&self, priority: usize, resource: usize) -> f64 {
        let layer = &self.layers[priority];
        (layer.capacity[resource] - layer.load[resource]).max(0.0)
    }

    /// Gives a priority what is available less its background.
    fn offer(&mut self, priority: usize, resource: usize) {
        let left = self.available[priority][resource] - self.background[priority][resource];
        self.layers[priority].set_capacity(resource as u32, left.max(0.0));
    }

    /// Number of priorities in use.
    pub(crate) fn priorities(&self) -> usize {
        self.layers.len()
    }

    /// Number of nodes (resources, then caps) of a priority.
    pub(crate) fn nodes(&self, priority: usize) -> usize {
        self.layers[priority].nodes()
    }

    /// What changed since [`Sharing::clear_log`].
    pub(crate) fn log(&self, priority: usize) -> &Log {
        &self.layers[priority].log
    }

    /// Level of a node.
    pub(crate) fn node_level(&self, priority: usize, node: u32) -> f64 {
        self.layers[priority].keys.level[node as usize]
    }

    /// Node that holds an entity back.
    pub(crate) fn node_of(&self, id: EntityId) -> u32 {
        self.layers[id.priority as usize].member(id.slot).at
    }

    /// Forgets what changed.
    pub(crate) fn clear_log(&mut self) {
        self.layers.iter_mut().for_each(Layer::clear_log);
    }
}
