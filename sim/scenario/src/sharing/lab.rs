//! A sharing lab: links, who shares them, and what must come out.

use steerlab_engine::load::maxmin::{Demand, Entity, Problem};

/// A lab with all names resolved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareLab {
    /// Name.
    pub name: String,
    /// Title for people.
    pub label: String,
    /// What it shows.
    pub description: String,
    /// Where it comes from.
    pub source: String,
    /// What is shared.
    pub links: Vec<ShareLink>,
    /// Who shares it max-min fairly; none if `demands` are given.
    pub flows: Vec<ShareFlow>,
    /// Inelastic load: link, class, bit/s.
    pub background: Vec<(usize, u32, f64)>,
    /// Who shares it by bandwidth functions over tunnels; none if `flows` are given.
    pub demands: Vec<ShareDemand>,
    /// What must come out.
    pub expect: ShareExpect,
}

/// Something that has a capacity.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareLink {
    /// Name.
    pub id: String,
    /// Capacity, bit/s.
    pub capacity_bps: f64,
}

/// Flows with one path, weight, cap and class.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareFlow {
    /// Name.
    pub id: String,
    /// Links, weight, cap in bit/s, and class as priority.
    pub entity: Entity,
    /// How many there are.
    pub count: u32,
}

/// Somebody with a bandwidth function.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareDemand {
    /// Name.
    pub id: String,
    /// Function in bit/s by fair share, and tunnels.
    pub demand: Demand,
}

/// What must come out; what is not named is not judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareExpect {
    /// Relative difference allowed.
    pub tolerance: f64,
    /// Flows.
    pub flows: Vec<ExpectedFlow>,
    /// Demands.
    pub tunnels: Vec<ExpectedTunnels>,
    /// Edges in the order in which they become full, from the first on.
    pub freezes: Vec<ExpectedFreeze>,
}

/// What a flow must get.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpectedFlow {
    /// Index of the flow.
    pub flow: usize,
    /// Rate of one of its members, bit/s.
    pub rate_bps: f64,
    /// What must hold it back, if that is said.
    pub held_by: Option<ExpectedHold>,
}

/// What holds a flow back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedHold {
    /// A link, by index.
    Link(usize),
    /// Its own cap.
    Cap,
}

/// What a demand must get on its tunnels.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedTunnels {
    /// Index of the demand.
    pub demand: usize,
    /// Rate on each of its tunnels, bit/s.
    pub rates_bps: Vec<f64>,
}

/// An edge that must become full.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpectedFreeze {
    /// Index of the link.
    pub link: usize,
    /// Fair share at which it does.
    pub fair_share: f64,
}

impl ShareLab {
    /// Capacities of all links, bit/s.
    #[must_use]
    pub fn capacities_bps(&self) -> Vec<f64> {
        self.links.iter().map(|link| link.capacity_bps).collect()
    }

    /// The max-min problem of its flows.
    #[must_use]
    pub fn problem(&self) -> Problem {
        Problem {
            capacity: self.capacities_bps(),
            background: self.background.clone(),
            entities: self.flows.iter().map(|flow| (flow.entity.clone(), flow.count)).collect(),
        }
    }
}
