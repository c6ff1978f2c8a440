//! Whether an allocation is max-min fair, judged without the solver.
//!
//! An allocation is weighted max-min fair if and only if it is feasible and everybody below his cap
//! crosses a full resource where nobody of his priority has more rate per weight (Bertsekas and
//! Gallager, *Data Networks*, 6.5.2). Strict priorities are judged one after the other: full means
//! full with the traffic of this priority and of those before it.

use super::{Entity, Problem};

/// What holds an entity back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bottleneck {
    /// This resource is full and nobody of the same priority has more rate per weight there.
    Resource(usize),
    /// Its own cap.
    Cap,
    /// Nothing: no finite resource on its way, or no member.
    Nothing,
}

/// Why an allocation is not max-min fair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Violation {
    /// There is not one rate for each entity, or a rate is negative or no number.
    NoRate {
        /// The first such entity.
        entity: usize,
    },
    /// A resource carries more than its capacity.
    Overload {
        /// Resource.
        resource: usize,
        /// Load on it.
        load: f64,
        /// What it can carry.
        capacity: f64,
    },
    /// An entity has more than its cap.
    AboveCap {
        /// Entity.
        entity: usize,
        /// Rate of a member.
        rate: f64,
        /// Its cap.
        cap: f64,
    },
    /// An entity below its cap has no bottleneck: it could have more, or somebody with more rate
    /// per weight holds it back everywhere.
    NoBottleneck {
        /// Entity.
        entity: usize,
        /// Rate of a member.
        rate: f64,
    },
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Violation::NoRate { entity } => write!(f, "entity {entity} has no rate of 0 or more"),
            Violation::Overload { resource, load, capacity } => {
                write!(f, "resource {resource} carries {load}, more than its {capacity}")
            }
            Violation::AboveCap { entity, rate, cap } => {
                write!(f, "entity {entity} has {rate}, more than its cap of {cap}")
            }
            Violation::NoBottleneck { entity, rate } => write!(
                f,
                "entity {entity} has {rate} and no full resource where it has the most per weight"
            ),
        }
    }
}

impl std::error::Error for Violation {}

/// Checks the rates of members of all entities of a problem, with a relative tolerance.
///
/// # Errors
/// The first violation found. On success, what holds each entity back.
pub fn certify(
    problem: &Problem,
    rate: &[f64],
    tolerance: f64,
) -> Result<Vec<Bottleneck>, Violation> {
    let entities = &problem.entities;
    let good = |entity: usize| rate.get(entity).is_some_and(|&rate| rate >= 0.0);
    if let Some(entity) = (0..entities.len().max(rate.len())).find(|&e| !good(e)) {
        return Err(Violation::NoRate { entity });
    }
    let mut found = vec![Bottleneck::Nothing; entities.len()];
    let mut left = problem.capacity.clone();
    let mut priorities: Vec<u32> = entities.iter().map(|(entity, _)| entity.priority).collect();
    priorities.extend(problem.background.iter().map(|background| background.1));
    priorities.sort_unstable();
    priorities.dedup();
    for priority in priorities {
        for &(resource, at, load) in &problem.background {
            if at == priority {
                left[resource] = (left[resource] - load).max(0.0);
            }
        }
        let stage = Stage::of(problem, rate, priority);
        for (resource, &load) in stage.load.iter().enumerate() {
            let capacity = problem.capacity[resource];
            if load > left[resource] + tolerance * capacity {
                let over = capacity - left[resource] + load;
                return Err(Violation::Overload { resource, load: over, capacity });
            }
        }
        for (index, (entity, count)) in entities.iter().enumerate() {
            if entity.priority == priority && *count > 0 {
                found[index] = stage.bottleneck(problem, &left, index, rate[index], tolerance)?;
            }
        }
        for (left, load) in left.iter_mut().zip(&stage.load) {
            *left = (*left - load).max(0.0);
        }
    }
    Ok(found)
}

/// Everything about one priority.
struct Stage {
    load: Vec<f64>,
    /// Highest rate per weight on each resource.
    highest: Vec<f64>,
}

impl Stage {
    fn of(problem: &Problem, rate: &[f64], priority: u32) -> Stage {
        let resources = problem.capacity.len();
        let mut stage = Stage { load: vec![0.0; resources], highest: vec![0.0; resources] };
        for ((entity, count), rate) in problem.entities.iter().zip(rate) {
            if entity.priority != priority || *count == 0 {
                continue;
            }
            for &(resource, coefficient) in &entity.rows {
                let resource = resource as usize;
                if problem.capacity[resource] < f64::INFINITY {
                    stage.load[resource] += coefficient * rate * f64::from(*count);
                }
                stage.highest[resource] = stage.highest[resource].max(rate / entity.weight);
            }
        }
        stage
    }

    fn bottleneck(
        &self,
        problem: &Problem,
        left: &[f64],
        index: usize,
        rate: f64,
        tolerance: f64,
    ) -> Result<Bottleneck, Violation> {
        let Entity { weight, cap, rows, .. } = &problem.entities[index].0;
        if let Some(cap) = *cap {
            if rate > cap * (1.0 + tolerance) {
                return Err(Violation::AboveCap { entity: index, rate, cap });
            }
            if rate >= cap * (1.0 - tolerance) {
                return Ok(Bottleneck::Cap);
            }
        }
        let capacity = &problem.capacity;
        let binds = |resource: usize| {
            self.load[resource] >= left[resource] - tolerance * capacity[resource]
                && rate / weight >= self.highest[resource] * (1.0 - tolerance)
        };
        let finite = |resource: &usize| capacity[*resource] < f64::INFINITY;
        let mut crossed = rows.iter().map(|row| row.0 as usize).filter(finite);
        match crossed.find(|&resource| binds(resource)) {
            Some(resource) => Ok(Bottleneck::Resource(resource)),
            None if rate == f64::INFINITY => Ok(Bottleneck::Nothing),
            None => Err(Violation::NoBottleneck { entity: index, rate }),
        }
    }
}
