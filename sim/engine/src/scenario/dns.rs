//! DNS as the scenario has it: names, who asks through which resolver, and how long answers live.

use super::{ClientGroupId, DemandId, PrefixId, Scenario, Source, Target};
use crate::define_ids;
use crate::kernel::{Id, SimSpan, Table};
use crate::net::GeoPoint;
use serde::{Deserialize, Serialize};

define_ids! {
    /// A DNS name.
    NameId,
    /// A resolver that several client groups share.
    ResolverId,
}

/// A DNS name: what users ask for before they send a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DnsName {
    /// Name.
    pub id: String,
    /// How long an answer may be kept.
    pub ttl: SimSpan,
    /// Prefixes it may be answered with, at least one, each once.
    pub candidates: Vec<PrefixId>,
    /// Share of queries answered with each candidate at the start; they add up to 1.
    pub weights: Vec<f64>,
}

/// A resolver that users of several client groups ask through, such as a public one. Whoever does
/// not use one asks through a resolver of their own network: it is near them, serves them alone,
/// and so tells who they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedResolver {
    /// Name.
    pub id: String,
    /// Where it asks from.
    pub location: Option<GeoPoint>,
    /// Whether its queries carry the client's subnet (EDNS client subnet, RFC 7871).
    pub ecs: bool,
}

/// How long answers really live. Shares are of requests; what neither share takes keeps an answer
/// for its time to live and no longer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Caches {
    /// Share behind caches that keep every answer for at least `ttl_floor`.
    pub floor_share: f64,
    /// That least time.
    pub ttl_floor: SimSpan,
    /// Share that ignores the time to live.
    pub sticky_share: f64,
    /// Mean of the exponential time for which it keeps an answer; above zero.
    pub sticky_mean: SimSpan,
}

impl Default for Caches {
    /// Reproduces the published step response: see [`crate::route::dns`].
    fn default() -> Caches {
        Caches {
            floor_share: 0.2,
            ttl_floor: SimSpan::from_seconds(60),
            sticky_share: 0.112,
            sticky_mean: SimSpan::from_seconds(522),
        }
    }
}

/// A demand that was written towards a name. It is one demand for every candidate of the name:
/// `first` and the following, in the order of the candidates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedDemand {
    /// Name of the demand; its parts have longer ones.
    pub id: String,
    /// Which DNS name.
    pub name: NameId,
    /// The demand for its first candidate.
    pub first: DemandId,
}

/// All of DNS.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Dns {
    /// Names.
    pub names: Table<NameId, DnsName>,
    /// Resolvers that client groups share.
    pub resolvers: Table<ResolverId, SharedResolver>,
    /// For each client group: the shared resolvers it asks through and the share of its requests
    /// behind each, above 0, at most 1 in all. The rest asks through its own.
    pub mixes: Vec<Vec<(ResolverId, f64)>>,
    /// How long answers live.
    pub caches: Caches,
    /// Demands towards names, in the order of their first parts.
    pub demands: Vec<NamedDemand>,
}

impl Dns {
    /// Whether the scenario has no DNS names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Parts of a demand towards a name.
    #[must_use]
    pub fn parts(&self, demand: &NamedDemand) -> std::ops::Range<usize> {
        let first = demand.first.index();
        first..first + self.names[demand.name].candidates.len()
    }

    /// The demand towards a name that a demand is part of, with its position.
    #[must_use]
    pub fn whole_of(&self, part: DemandId) -> Option<(usize, &NamedDemand)> {
        let after = self.demands.partition_point(|demand| demand.first <= part);
        let index = after.checked_sub(1)?;
        let demand = &self.demands[index];
        self.parts(demand).contains(&part.index()).then_some((index, demand))
    }

    /// Panics if an id does not refer to a row or shares do not add up.
    pub(super) fn assert_consistent(&self, scenario: &Scenario) {
        if self.is_empty() {
            assert!(self.demands.is_empty(), "demands towards no name");
            return;
        }
        for name in self.names.rows() {
            assert!(name.ttl.0 > 0 && !name.candidates.is_empty());
            assert_eq!(name.weights.len(), name.candidates.len());
            assert!(name.weights.iter().all(|&weight| weight >= 0.0));
            assert!((name.weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            assert!(name.candidates.iter().all(|&prefix| scenario.prefixes.get(prefix).is_some()));
        }
        let Caches { floor_share, sticky_share, sticky_mean, .. } = self.caches;
        assert!(floor_share >= 0.0 && sticky_share >= 0.0 && floor_share + sticky_share <= 1.0);
        assert!(sticky_mean.0 > 0);
        assert_eq!(self.mixes.len(), scenario.client_groups.len());
        for mix in &self.mixes {
            let total: f64 = mix.iter().map(|(_, share)| share).sum();
            assert!(mix.iter().all(|(_, share)| *share > 0.0) && total <= 1.0 + 1e-9);
            assert!(mix.iter().all(|(id, _)| self.resolvers.get(*id).is_some()));
        }
        for demand in &self.demands {
            let group = self.group_of(scenario, demand);
            let candidates = &self.names[demand.name].candidates;
            for (part, &prefix) in self.parts(demand).zip(candidates) {
                let row = &scenario.demands.rows()[part];
                assert_eq!(row.source, Source::Clients(group));
                assert_eq!(row.target, Target::Prefix(prefix));
            }
        }
        let apart = |two: &[NamedDemand]| self.parts(&two[0]).end <= self.parts(&two[1]).start;
        assert!(self.demands.windows(2).all(apart), "demands towards names share parts");
    }

    /// Who asks: demands towards names are of client groups.
    #[must_use]
    pub fn group_of(&self, scenario: &Scenario, demand: &NamedDemand) -> ClientGroupId {
        match scenario.demands[demand.first].source {
            Source::Clients(group) => group,
            Source::Node(_) => unreachable!("only client groups ask for names"),
        }
    }
}
