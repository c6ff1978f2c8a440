//! What a policy may see: the newest delivered sample of each of its feeds, and what it knows
//! anyway because it is our own configuration.

use crate::kernel::{SimTime, Table};
use crate::net::graph::Adjacency;
use crate::net::{ArcId, ColoId, GeoPoint, LinkId, NeighbourId, Network, SiteId};
use crate::scenario::{
    ClientGroupId, Demand, DemandId, DnsName, NameId, Prefix, PrefixId, ResolverId, ServiceId,
    SharedResolver, Source, Target, Tenant, TenantId,
};
use crate::steer::AnswerScope;
use std::collections::BTreeMap;
use std::rc::Rc;

/// One delivered sample of a feed.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<T> {
    /// End of the interval it is the mean over.
    pub sampled_at: SimTime,
    /// When it arrived.
    pub delivered_at: SimTime,
    /// The values.
    pub values: T,
}

/// What the `sites` feed says of a site; means over the feed's period, with its noise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SiteReading {
    /// CPU work offered over CPU capacity; above 1 when overloaded; 0 without pools.
    pub cpu_utilisation: f64,
    /// Requests offered per second.
    pub requests_per_s: f64,
    /// Whether the site answers at all.
    pub alive: bool,
}

/// What the `sites` feed says of the servers of a colo that is played request by request; means
/// over the feed's period, with its noise. One entry a server, pool after pool.
#[derive(Clone, Debug, PartialEq)]
pub struct ServersReading {
    /// Which colo.
    pub colo: ColoId,
    /// Cores that worked over cores.
    pub utilisation: Vec<f64>,
    /// Whether it is in service.
    pub up: Vec<bool>,
    /// Its weight at the balancers.
    pub weights: Vec<f64>,
}

/// What the `links` feed says of an arc.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ArcReading {
    /// What was sent towards it, bit/s.
    pub offered_bps: f64,
    /// What it dropped, bit/s.
    pub dropped_bps: f64,
    /// Its capacity while it is up, bit/s; 0 while it is down.
    pub capacity_bps: f64,
}

/// What the `tenants` feed says: rate offered by each tenant towards each neighbour, all sites
/// together, before any limit, bit/s. Row = tenant, column = neighbour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TenantReading {
    /// Rates, tenant after tenant.
    pub offered_bps: Vec<f64>,
    /// Number of neighbours.
    pub neighbours: usize,
}

impl TenantReading {
    /// Rate of one tenant towards one neighbour.
    #[must_use]
    pub fn offered(&self, tenant: TenantId, neighbour: NeighbourId) -> f64 {
        self.offered_bps[tenant.0 as usize * self.neighbours + neighbour.0 as usize]
    }
}

/// What is known of a demand without measuring it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemandEnds {
    /// Where from.
    pub source: Source,
    /// Where to.
    pub target: Target,
    /// What is asked for.
    pub service: ServiceId,
    /// Who pays.
    pub tenant: TenantId,
}

impl From<&Demand> for DemandEnds {
    fn from(demand: &Demand) -> DemandEnds {
        let &Demand { source, target, service, tenant, .. } = demand;
        DemandEnds { source, target, service, tenant }
    }
}

/// What is known of a client group without measuring it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupPlace {
    /// Where its users are, as a geography database has it.
    pub location: Option<GeoPoint>,
    /// Its usual share of demand relative to other groups: a planning figure, not today's.
    pub weight: f64,
}

/// What is known of DNS: our own configuration and what we asked for.
#[derive(Clone, Copy, Debug)]
pub struct DnsView<'a> {
    /// Names with their candidates.
    pub names: &'a Table<NameId, DnsName>,
    /// Shared resolvers: where they ask from, and whether they tell the client's subnet.
    pub resolvers: &'a Table<ResolverId, SharedResolver>,
    /// Client groups.
    pub groups: &'a Table<ClientGroupId, GroupPlace>,
    /// Answers as last requested: share of queries for each candidate of the name. A scope that is
    /// not here has no answer of its own.
    pub answers: &'a BTreeMap<(NameId, AnswerScope), Rc<[f64]>>,
}

/// A policy's view of the world at one decision.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The time of the decision.
    pub now: SimTime,
    /// The network as configured (not what of it is up).
    pub network: &'a Network,
    /// Its adjacency, for path computations.
    pub adjacency: &'a Adjacency,
    /// Prefixes as configured.
    pub prefixes: &'a Table<PrefixId, Prefix>,
    /// Tenants as configured.
    pub tenants: &'a Table<TenantId, Tenant>,
    /// Demands as configured: who talks to whom, not how much.
    pub demands: &'a Table<DemandId, DemandEnds>,
    /// What we ourselves announce: for each prefix, per site, as last requested.
    pub announced: &'a Table<PrefixId, Vec<bool>>,
    /// DNS names and how we answer them.
    pub dns: DnsView<'a>,
    /// `sites` feed: one reading a site.
    pub site_feed: Option<&'a Sample<Vec<SiteReading>>>,
    /// `sites` feed: one reading a colo that is played request by request at present.
    pub server_feed: Option<&'a Sample<Vec<ServersReading>>>,
    /// `links` feed: one reading an arc.
    pub link_feed: Option<&'a Sample<Vec<ArcReading>>>,
    /// `tenants` feed.
    pub tenant_feed: Option<&'a Sample<TenantReading>>,
    /// `topology` feed: capacity of each arc as last reported, bit/s, 0 = down. Delivered at
    /// every change and once at the start.
    pub topology_feed: Option<&'a Sample<Vec<f64>>>,
}

impl View<'_> {
    /// The newest reading of a site.
    #[must_use]
    pub fn site(&self, site: SiteId) -> Option<SiteReading> {
        self.site_feed.map(|sample| sample.values[site.0 as usize])
    }

    /// The newest reading of an arc.
    #[must_use]
    pub fn arc(&self, arc: ArcId) -> Option<ArcReading> {
        self.link_feed.map(|sample| sample.values[arc.0 as usize])
    }

    /// Links that end at a neighbour.
    pub fn links_to(&self, neighbour: NeighbourId) -> impl Iterator<Item = LinkId> + '_ {
        let node = self.network.neighbours[neighbour].node;
        self.network
            .links
            .iter()
            .filter(move |(_, link)| link.ends.contains(&node))
            .map(|(id, _)| id)
    }
}
