//! A sharing problem as plain data, and its solution from scratch.

use super::{Bottleneck, EntityId, Sharing};

/// Traffic that takes what it can get.
#[derive(Clone, Debug, PartialEq)]
pub struct Entity {
    /// Share at a bottleneck relative to others, 2^-30 to 2^30.
    pub weight: f64,
    /// Largest rate of a member, above 0.
    pub cap: Option<f64>,
    /// Priority, 0 first, below 256.
    pub priority: u32,
    /// Resources crossed and the load there per unit of rate: 2^-30 to 2^30, also times
    /// the weight. A resource named
    /// twice has the sum. An entity without resources is held back by its cap alone.
    pub rows: Vec<(u32, f64)>,
}

impl Entity {
    /// An entity of weight 1, priority 0 and no cap over a plain path.
    #[must_use]
    pub fn over(resources: &[u32]) -> Entity {
        Entity {
            weight: 1.0,
            cap: None,
            priority: 0,
            rows: resources.iter().map(|&resource| (resource, 1.0)).collect(),
        }
    }

    /// Rows in the order of resources, each once.
    ///
    /// # Panics
    /// If a value breaks a rule of its field.
    pub(super) fn checked_rows(&self, resources: usize) -> Vec<(u32, f64)> {
        let range = SMALLEST..=LARGEST;
        assert!(range.contains(&self.weight), "weights are 2^-30 to 2^30");
        assert!(self.cap.is_none_or(|cap| cap > 0.0 && cap < f64::INFINITY), "caps are above 0");
        let mut rows = self.rows.clone();
        rows.sort_by_key(|row| row.0);
        rows.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        for &(resource, coefficient) in &rows {
            assert!((resource as usize) < resources, "entities cross resources that exist");
            assert!(range.contains(&coefficient), "coefficients are 2^-30 to 2^30");
            let product = coefficient * self.weight;
            assert!(range.contains(&product), "weight times coefficient is 2^-30 to 2^30");
        }
        rows
    }
}

/// Bounds of weights and coefficients: 2^-30 and 2^30.
const SMALLEST: f64 = 1.0 / LARGEST;
const LARGEST: f64 = 1_073_741_824.0;

/// A whole sharing problem.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Problem {
    /// Capacity of each resource, at least 0.
    pub capacity: Vec<f64>,
    /// Inelastic load: resource, priority, load.
    pub background: Vec<(usize, u32, f64)>,
    /// Entities with their numbers of members.
    pub entities: Vec<(Entity, u32)>,
}

/// What everybody gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// Rate of each member, by entity.
    pub rate: Vec<f64>,
    /// What holds each entity back.
    pub bottleneck: Vec<Bottleneck>,
    /// Load of each resource, background included.
    pub load: Vec<f64>,
}

impl Problem {
    /// A sharing of this problem, settled, with the ids of its entities in their order.
    #[must_use]
    pub fn share(&self) -> (Sharing, Vec<EntityId>) {
        let mut sharing = Sharing::new(&self.capacity);
        for &(resource, priority, load) in &self.background {
            sharing.set_background(resource, priority, load);
        }
        let ids = self.entities.iter().map(|(entity, count)| sharing.add(entity, *count)).collect();
        sharing.settle();
        (sharing, ids)
    }

    /// The max-min fair allocation.
    #[must_use]
    pub fn solve(&self) -> Solution {
        let (sharing, ids) = self.share();
        Solution {
            rate: ids.iter().map(|&id| sharing.rate(id)).collect(),
            bottleneck: ids.iter().map(|&id| sharing.bottleneck(id)).collect(),
            load: (0..self.capacity.len()).map(|resource| sharing.load(resource)).collect(),
        }
    }
}
