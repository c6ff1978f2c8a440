//! What a scenario says about caches and admission at sites.

use super::{DemandId, Scenario, ServiceId, TenantId};
use crate::kernel::SimSpan;
use crate::load::admission::{FilterTerms, ShedTerms};
use crate::load::cache::Popularity;
use crate::net::{NodeId, SiteId};
use serde::{Deserialize, Serialize};

/// A service whose answers caches may keep. All its users ask for the same objects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CachedService {
    /// Which.
    pub service: ServiceId,
    /// How often each object is asked for.
    pub popularity: Popularity,
    /// Bytes of an object, above 0.
    pub object_bytes: f64,
    /// How long a copy may be used after its fetch; none: for ever.
    pub ttl: Option<SimSpan>,
}

/// Caches at a site: one in every colo, LRU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SiteCache {
    /// Where.
    pub site: SiteId,
    /// Bytes each colo's cache holds.
    pub capacity_bytes: f64,
    /// Site whose cache is asked for what is missing here; none: the origin.
    pub next: Option<SiteId>,
}

/// All caches of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CachePlan {
    /// What they may keep.
    pub services: Vec<CachedService>,
    /// Where they are, by site, each site at most once.
    pub sites: Vec<SiteCache>,
    /// Node that has everything.
    pub origin: Option<NodeId>,
    /// Time the origin itself takes for an answer.
    pub origin_time: SimSpan,
    /// Whether caches hold at the start what they would after a long time; else nothing.
    pub warm: bool,
}

impl CachePlan {
    /// Whether there is no cache, or nothing to keep in one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.is_empty() || self.sites.is_empty() || self.origin.is_none()
    }
}

/// A token bucket of a tenant at some sites, one at each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TenantBucket {
    /// Whose requests.
    pub tenant: TenantId,
    /// Where.
    pub sites: Vec<SiteId>,
    /// Requests per second that always pass.
    pub rate_per_s: f64,
    /// Requests that pass beyond that.
    pub burst_requests: f64,
}

/// Shedding by queue delay at some sites.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShedPlan {
    /// Where.
    pub sites: Vec<SiteId>,
    /// How.
    pub terms: ShedTerms,
}

/// Who is let in at sites when not everybody can be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AdmissionPlan {
    /// Token buckets of tenants. At most one applies to a tenant at a site.
    pub buckets: Vec<TenantBucket>,
    /// Shedding of classes.
    pub shed: Option<ShedPlan>,
    /// Filters against attacks, at all sites.
    pub filter: Option<FilterTerms>,
    /// Demands that are attacks.
    pub attacks: Vec<DemandId>,
}

impl AdmissionPlan {
    /// Whether everybody is let in and nobody attacks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == AdmissionPlan::default()
    }
}

impl CachePlan {
    /// Panics if an id does not refer to a row or a limit is broken.
    pub(super) fn assert_consistent(&self, scenario: &Scenario) {
        let sites = scenario.network.sites.len() as u32;
        for row in &self.services {
            assert!(row.service.0 < scenario.services.len() as u32 && row.object_bytes > 0.0);
        }
        assert!(self.sites.windows(2).all(|pair| pair[0].site < pair[1].site));
        for row in &self.sites {
            assert!(row.site.0 < sites && row.next.is_none_or(|next| next.0 < sites));
        }
    }
}

impl AdmissionPlan {
    /// Panics if an id does not refer to a row.
    pub(super) fn assert_consistent(&self, scenario: &Scenario) {
        let known = |demand: &DemandId| demand.0 < scenario.demands.len() as u32;
        assert!(self.attacks.iter().all(known));
        for bucket in &self.buckets {
            assert!(bucket.tenant.0 < scenario.tenants.len() as u32);
        }
    }
}
