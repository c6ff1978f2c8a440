//! Which balancer, with its parameters: what a scenario states and what a run builds.

use super::Balancer;
use super::bucket_loop::{BucketLoop, BucketLoopSpec};
use super::hash::{Connections, Eviction, HashSpec, Hashed};
use super::least_connections::{JoinIdle, LeastConnections};
use super::least_request::LeastRequest;
use super::peak_ewma::PeakEwma;
use super::power_of_d::PowerOfD;
use super::prequal::{Prequal, PrequalSpec};
use super::priority::Priority;
use super::random::Random;
use super::round_robin::RoundRobin;
use super::subset::Subset;
use super::zone_aware::ZoneAware;
use crate::kernel::SimSpan;
use crate::kernel::stream::mix;
use serde::{Deserialize, Serialize};

/// A table of connections in front of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ConnectionsSpec {
    /// Most connections, at least 1.
    pub size: u32,
    /// Who gives way in a full table.
    pub eviction: Eviction,
}

/// A balancer with its parameters. Their meaning is in the module of each; their ranges are in
/// [`super::descriptors::BALANCERS`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BalancerSpec {
    /// [`Random`].
    Random,
    /// [`RoundRobin`].
    RoundRobin,
    /// [`LeastConnections`].
    LeastConnections,
    /// [`JoinIdle`].
    JoinIdle,
    /// [`PowerOfD`].
    #[serde(rename_all = "kebab-case")]
    PowerOfD {
        /// Servers drawn, 1 to 32.
        draws: u32,
        /// Whether they are distinct.
        distinct: bool,
    },
    /// [`PeakEwma`].
    #[serde(rename_all = "kebab-case")]
    PeakEwma {
        /// Time in which a measurement fades to 1/e.
        decay: SimSpan,
        /// Servers drawn, at least 2.
        choices: u32,
        /// What a failure counts at least.
        failure: SimSpan,
    },
    /// [`LeastRequest`].
    #[serde(rename_all = "kebab-case")]
    LeastRequest {
        /// Servers drawn where weights are equal, at least 1.
        choices: u32,
        /// Power of requests in flight where they are not.
        bias: f64,
    },
    /// [`Prequal`].
    Prequal(PrequalSpec),
    /// [`BucketLoop`].
    BucketLoop(BucketLoopSpec),
    /// [`Hashed`].
    #[serde(rename_all = "kebab-case")]
    Hash {
        /// The table.
        table: HashSpec,
        /// Table of connections; none: every packet is hashed.
        connections: Option<ConnectionsSpec>,
    },
    /// [`Subset`].
    #[serde(rename_all = "kebab-case")]
    Subset {
        /// Servers a balancer knows.
        size: u32,
        /// How it balances among them.
        inner: Box<BalancerSpec>,
    },
    /// [`ZoneAware`].
    #[serde(rename_all = "kebab-case")]
    ZoneAware {
        /// Servers below which zones do not matter.
        hosts_min: u32,
        /// How it balances inside a zone.
        inner: Box<BalancerSpec>,
    },
    /// [`Priority`].
    #[serde(rename_all = "kebab-case")]
    Priority {
        /// Overprovisioning factor in percent.
        overprovisioning_percent: u32,
        /// Percent of healthy servers below which health is ignored; 0: never.
        panic_percent: u32,
        /// How it balances inside a level.
        inner: Box<BalancerSpec>,
    },
}

/// Where a balancer is built.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setting {
    /// Number of servers behind it.
    pub servers: usize,
    /// Seed of its hashes. Balancers of one site that must agree on tables share it.
    pub seed: u64,
    /// Number of this balancer among those of its site, from 0.
    pub balancer: u32,
    /// Requests that each zone sends, relative to each other; empty: not known.
    pub zone_rate: Vec<f64>,
}

impl Setting {
    /// The setting of a balancer inside another.
    pub(super) fn part(&self, number: u64) -> Setting {
        let seed = mix(self.seed.wrapping_add(mix(number + 1)));
        Setting { seed, ..self.clone() }
    }
}

impl BalancerSpec {
    /// An instance. Equal settings give equal balancers.
    ///
    /// # Panics
    ///
    /// If a parameter is out of its range.
    #[must_use]
    pub fn build(&self, setting: &Setting) -> Box<dyn Balancer> {
        let servers = setting.servers;
        match self {
            BalancerSpec::Random => Box::new(Random::default()),
            BalancerSpec::RoundRobin => Box::new(RoundRobin::default()),
            BalancerSpec::LeastConnections => Box::new(LeastConnections::default()),
            BalancerSpec::JoinIdle => Box::new(JoinIdle::default()),
            BalancerSpec::PowerOfD { draws, distinct } => {
                Box::new(PowerOfD::new(*draws, *distinct))
            }
            BalancerSpec::PeakEwma { decay, choices, failure } => {
                Box::new(PeakEwma::new(servers, *decay, *choices, *failure))
            }
            BalancerSpec::LeastRequest { choices, bias } => {
                Box::new(LeastRequest::new(*choices, *bias))
            }
            BalancerSpec::Prequal(spec) => Box::new(Prequal::new(servers, *spec)),
            BalancerSpec::BucketLoop(spec) => {
                Box::new(BucketLoop::new(servers, *spec, setting.seed))
            }
            BalancerSpec::Hash { table, connections } => {
                let connections =
                    connections.map(|spec| Connections::new(spec.size, spec.eviction));
                Box::new(Hashed::new(table.build(setting.seed), connections))
            }
            BalancerSpec::Subset { size, inner } => Box::new(Subset::new(inner, setting, *size)),
            BalancerSpec::ZoneAware { hosts_min, inner } => {
                Box::new(ZoneAware::new((**inner).clone(), setting, *hosts_min))
            }
            BalancerSpec::Priority { overprovisioning_percent, panic_percent, inner } => {
                let (factor, panic) = (*overprovisioning_percent, *panic_percent);
                Box::new(Priority::new((**inner).clone(), setting.clone(), factor, panic))
            }
        }
    }
}
