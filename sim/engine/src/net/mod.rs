//! What exists: sites, colos, server pools, links, neighbours, geography.
//!
//! Everything here is immutable during a run; what is up, announced or loaded is the world's.

pub mod geo;
pub mod graph;
mod link_model;
pub mod testing;

use crate::define_ids;
use crate::kernel::{SimSpan, Table};
use serde::{Deserialize, Serialize};

pub use geo::GeoPoint;
pub use link_model::{Billing, LinkModel, Queueing};

define_ids! {
    /// A site (PoP).
    SiteId,
    /// A data centre inside a site.
    ColoId,
    /// A group of equal servers in a colo.
    PoolId,
    /// Another AS that we have sessions with.
    NeighbourId,
    /// An end of links: a colo or a neighbour.
    NodeId,
    /// A link: a directed pair of capacities between two nodes.
    LinkId,
    /// One direction of a link: arc `2 * link` leads from the first end to the second, the next
    /// one back.
    ArcId,
    /// A shared-risk group.
    SrlgId,
}

/// A place where the edge network serves users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// Name, `[A-Za-z0-9._-]`.
    pub id: String,
    /// Free text for people.
    pub label: String,
    /// Where it is, if known.
    pub location: Option<GeoPoint>,
    /// Its colos, at least one; the first is where links of the site end unless they say
    /// otherwise.
    pub colos: Vec<ColoId>,
}

/// One data centre of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Colo {
    /// Name, unique in the scenario: `site` for an implied colo, `site/colo` otherwise.
    pub id: String,
    /// The site it belongs to.
    pub site: SiteId,
    /// Its node in the graph.
    pub node: NodeId,
    /// Its server pools; none means that it serves without limit.
    pub pools: Vec<PoolId>,
}

/// `servers` machines of one hardware generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// Name, unique in the scenario: `site/colo/pool`.
    pub id: String,
    /// The colo it stands in.
    pub colo: ColoId,
    /// Number of machines, at least 1.
    pub servers: u32,
    /// Cores of one machine, at least 1.
    pub cores: u32,
    /// CPU-seconds of reference work that one core does in a second (1 = the reference
    /// generation).
    pub core_speed: f64,
}

/// What kind of network a neighbour is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeighbourKind {
    /// An access network full of users.
    Eyeball,
    /// Sells us the rest of the Internet.
    Transit,
    /// Exchanges its own and its customers' traffic.
    Peer,
    /// A cloud region where origins run.
    Cloud,
}

/// Another AS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Name.
    pub id: String,
    /// Free text.
    pub label: String,
    /// Its AS number, if it matters.
    pub asn: Option<u32>,
    /// What it is to us.
    pub kind: NeighbourKind,
    /// Where it is, if known.
    pub location: Option<GeoPoint>,
    /// Its node in the graph.
    pub node: NodeId,
    /// Number of equal address blocks its addresses fall into (1 to 64): the granularity at which
    /// it can withdraw reachability from a session.
    pub blocks: u32,
}

/// What a graph node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// A colo of ours.
    Colo(ColoId),
    /// A neighbour AS: traffic begins or ends there and never passes through.
    Neighbour(NeighbourId),
}

/// What kind of link it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// Site to site, ours.
    Backbone,
    /// Colo to colo.
    Dci,
    /// Private interconnect with one neighbour.
    Pni,
    /// Through an exchange.
    Ixp,
    /// Paid transit.
    Transit,
    /// To a cloud region.
    Cloud,
    /// To users directly.
    Access,
}

impl LinkKind {
    /// Name as in YAML and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            LinkKind::Backbone => "backbone",
            LinkKind::Dci => "dci",
            LinkKind::Pni => "pni",
            LinkKind::Ixp => "ixp",
            LinkKind::Transit => "transit",
            LinkKind::Cloud => "cloud",
            LinkKind::Access => "access",
        }
    }

    /// Default local preference of a session over such a link; larger is preferred. The order
    /// private peering, exchange, transit is Edge Fabric's base policy (Schlinker et al.,
    /// SIGCOMM 2017).
    #[must_use]
    pub fn default_preference(self) -> u32 {
        match self {
            LinkKind::Access => 400,
            LinkKind::Pni | LinkKind::Cloud => 300,
            LinkKind::Ixp => 200,
            LinkKind::Transit => 100,
            LinkKind::Backbone | LinkKind::Dci => 0,
        }
    }
}

/// How a link's queue shares capacity among classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheduling {
    /// Classes in order of their priority; the lower gets what the higher leave.
    StrictPriority,
    /// Classes share by weight (in class-id order); what one does not use the others get.
    Weighted(Vec<f64>),
}

/// A link between two nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Name.
    pub id: String,
    /// Free text.
    pub label: String,
    /// What kind of link.
    pub kind: LinkKind,
    /// The two nodes.
    pub ends: [NodeId; 2],
    /// Capacity from the first end to the second and back, bit/s; 0 = no such direction.
    pub capacity_bps: [u64; 2],
    /// IGP cost in each direction, at least 1.
    pub weight: [u64; 2],
    /// One-way propagation delay.
    pub delay: SimSpan,
    /// Members of the bundle (at least 1); a member's failure takes an equal share of capacity.
    pub lag_members: u32,
    /// Queue in front of the link, in time at full rate.
    pub buffer: SimSpan,
    /// How classes share it.
    pub scheduling: Scheduling,
    /// Groups of links that fail together.
    pub srlgs: Vec<SrlgId>,
    /// Local preference of the session over it (links to neighbours only).
    pub preference: u32,
    /// Length used for byte-kilometres, if both ends have a location.
    pub distance_km: Option<f64>,
    /// Queueing, memory, marks, shares of tenants and bills. Not written where it is the default,
    /// so that such a scenario keeps its identity.
    #[serde(default, skip_serializing_if = "LinkModel::is_default")]
    pub model: LinkModel,
}

impl ArcId {
    /// The arc of `link` that leads away from end `direction` (0 or 1).
    #[must_use]
    pub fn of(link: LinkId, direction: usize) -> ArcId {
        debug_assert!(direction < 2);
        ArcId(link.0 * 2 + direction as u32)
    }

    /// The link it is a direction of.
    #[must_use]
    pub fn link(self) -> LinkId {
        LinkId(self.0 / 2)
    }

    /// 0 = from the first end, 1 = from the second.
    #[must_use]
    pub fn direction(self) -> usize {
        (self.0 % 2) as usize
    }
}

/// The network of a scenario. Built through the `add_` methods and `links.push`;
/// every id refers to an existing row, every colo and neighbour has its own node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Sites.
    pub sites: Table<SiteId, Site>,
    /// Colos of all sites.
    pub colos: Table<ColoId, Colo>,
    /// Server pools of all colos.
    pub pools: Table<PoolId, Pool>,
    /// Neighbours.
    pub neighbours: Table<NeighbourId, Neighbour>,
    /// Graph nodes.
    pub nodes: Table<NodeId, NodeKind>,
    /// Links.
    pub links: Table<LinkId, Link>,
    /// Names of the shared-risk groups.
    pub srlgs: Table<SrlgId, String>,
}

impl Network {
    /// The node where links and demands of a site end: that of its first colo.
    #[must_use]
    pub fn site_node(&self, site: SiteId) -> NodeId {
        self.colos[self.sites[site].colos[0]].node
    }

    /// The site a node belongs to; none for a neighbour.
    #[must_use]
    pub fn node_site(&self, node: NodeId) -> Option<SiteId> {
        match self.nodes[node] {
            NodeKind::Colo(colo) => Some(self.colos[colo].site),
            NodeKind::Neighbour(_) => None,
        }
    }

    /// Name of a node: that of its colo or neighbour.
    #[must_use]
    pub fn node_name(&self, node: NodeId) -> &str {
        match self.nodes[node] {
            NodeKind::Colo(colo) => &self.colos[colo].id,
            NodeKind::Neighbour(neighbour) => &self.neighbours[neighbour].id,
        }
    }

    /// Where a node is, if known.
    #[must_use]
    pub fn node_location(&self, node: NodeId) -> Option<GeoPoint> {
        match self.nodes[node] {
            NodeKind::Colo(colo) => self.sites[self.colos[colo].site].location,
            NodeKind::Neighbour(neighbour) => self.neighbours[neighbour].location,
        }
    }

    /// Tail node of an arc.
    #[must_use]
    pub fn arc_from(&self, arc: ArcId) -> NodeId {
        self.links[arc.link()].ends[arc.direction()]
    }

    /// Head node of an arc.
    #[must_use]
    pub fn arc_to(&self, arc: ArcId) -> NodeId {
        self.links[arc.link()].ends[1 - arc.direction()]
    }

    /// Number of arcs (two a link).
    #[must_use]
    pub fn arc_count(&self) -> usize {
        self.links.len() * 2
    }

    /// CPU-seconds of reference work a colo can do in a second; none where it has no pools.
    #[must_use]
    pub fn colo_capacity_cpu_s_per_s(&self, colo: ColoId) -> Option<f64> {
        let pools = &self.colos[colo].pools;
        (!pools.is_empty()).then(|| pools.iter().map(|&pool| self.pools[pool].capacity()).sum())
    }

    /// Appends a site with its implied first colo and returns it.
    pub fn add_site(&mut self, id: &str, label: &str, location: Option<GeoPoint>) -> SiteId {
        self.sites.push(Site {
            id: id.to_owned(),
            label: label.to_owned(),
            location,
            colos: Vec::new(),
        })
    }

    /// Appends a colo to a site; `id` is its full name.
    pub fn add_colo(&mut self, site: SiteId, id: &str) -> ColoId {
        let colo = ColoId(self.colos.len() as u32);
        let node = self.nodes.push(NodeKind::Colo(colo));
        self.sites[site].colos.push(colo);
        self.colos.push(Colo { id: id.to_owned(), site, node, pools: Vec::new() })
    }

    /// Appends a pool to its colo.
    pub fn add_pool(&mut self, pool: Pool) -> PoolId {
        let colo = pool.colo;
        let id = self.pools.push(pool);
        self.colos[colo].pools.push(id);
        id
    }

    /// Appends a neighbour; its `node` field is set here.
    pub fn add_neighbour(&mut self, mut neighbour: Neighbour) -> NeighbourId {
        let id = NeighbourId(self.neighbours.len() as u32);
        neighbour.node = self.nodes.push(NodeKind::Neighbour(id));
        self.neighbours.push(neighbour)
    }
}

impl Pool {
    /// CPU-seconds of reference work per second.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        f64::from(self.servers) * f64::from(self.cores) * self.core_speed
    }

    /// Cores of all machines.
    #[must_use]
    pub fn core_count(&self) -> u64 {
        u64::from(self.servers) * u64::from(self.cores)
    }
}
