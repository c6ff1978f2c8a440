//! What a policy may ask for, and why it may be refused.

use super::Surface;
use crate::net::{ArcId, ColoId, LinkId, NeighbourId, NodeId, SiteId};
use crate::route::landing::Attributes;
use crate::scenario::{ClientGroupId, NameId, PrefixId, ResolverId, TenantId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One explicit path and its share of a pair's traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tunnel {
    /// Arcs from source to destination, consecutive.
    pub arcs: Vec<ArcId>,
    /// Share of the pair's traffic, above 0; the shares of a pair add up to 1.
    pub share: f64,
}

/// The tunnels of one (source, destination) pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TunnelPair {
    /// Source node.
    pub from: NodeId,
    /// Destination node.
    pub to: NodeId,
    /// Its tunnels, at least one.
    pub tunnels: Vec<Tunnel>,
}

/// Whose queries an answer is for. A query gets the answer of the narrowest scope it is known to be
/// in: its client group, else its shared resolver, else all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerScope {
    /// Everybody.
    All,
    /// Users of a client group, as far as queries tell who they are: through their own network's
    /// resolver, or through a shared one that sends the client's subnet.
    ClientGroup(ClientGroupId),
    /// Whoever asks through a shared resolver.
    Resolver(ResolverId),
}

/// A requested action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A site stops announcing a prefix.
    Withdraw {
        /// Which prefix.
        prefix: PrefixId,
        /// Which site.
        site: SiteId,
    },
    /// A site announces a prefix (again).
    Announce {
        /// Which prefix.
        prefix: PrefixId,
        /// Which site.
        site: SiteId,
    },
    /// From now on a site announces a prefix in this way over a link, or over all of its links.
    /// Whether it announces it at all is the matter of the two actions above.
    ChangeAnnouncement {
        /// Which prefix.
        prefix: PrefixId,
        /// Which site.
        site: SiteId,
        /// Which link to a neighbour; none: all of the site.
        link: Option<LinkId>,
        /// Whether it is announced there.
        announced: bool,
        /// How.
        attributes: Attributes,
    },
    /// From now on this share of what lands at `from` is served at `to`, replacing what an
    /// earlier spill of the same (from, to, tenant) said. 0 ends it.
    Spill {
        /// Landing site.
        from: SiteId,
        /// Serving site.
        to: SiteId,
        /// Only this tenant's traffic; none = everybody's.
        tenant: Option<TenantId>,
        /// Share, 0 to 1.
        share: f64,
    },
    /// From now on queries for a name are answered so, within a scope. Caches and users follow as
    /// their answers age.
    SetAnswer {
        /// Which name.
        name: NameId,
        /// Whose queries.
        scope: AnswerScope,
        /// Candidates of the name, each once, with weights above 0: the share of queries follows
        /// by dividing by their sum. Empty: this scope has no answer of its own any more.
        answer: Vec<(PrefixId, f64)>,
    },
    /// From now on the balancers of a colo that is played request by request send new connections
    /// and requests to its servers in proportion to these weights. What is under way stays, except
    /// connections whose table entry moves further than the balancer follows.
    SetWeights {
        /// Which colo.
        colo: ColoId,
        /// Weights of its servers, pool after pool, at least 0 and not all 0. 0: the server takes
        /// no new work.
        weights: Arc<Vec<f64>>,
    },
    /// Backbone traffic follows the IGP: shortest paths, equal split per edge.
    FollowIgp,
    /// Backbone traffic of these pairs follows these tunnels; other pairs follow the IGP.
    SetTunnels(Arc<Vec<TunnelPair>>),
    /// A tenant's traffic towards a neighbour is policed to a rate; more is dropped at the source.
    LimitTenant {
        /// Which tenant.
        tenant: TenantId,
        /// Towards which neighbour.
        neighbour: NeighbourId,
        /// Rate, bit/s, over all sites.
        rate_bps: f64,
    },
    /// What a tenant sends towards a neighbour beyond a rate is carried in the last class.
    RemarkTenant {
        /// Which tenant.
        tenant: TenantId,
        /// Towards which neighbour.
        neighbour: NeighbourId,
        /// Rate, bit/s, over all sites.
        rate_bps: f64,
    },
    /// Ends limit and remarking of a tenant towards a neighbour.
    LiftTenantLimit {
        /// Which tenant.
        tenant: TenantId,
        /// Towards which neighbour.
        neighbour: NeighbourId,
    },
}

impl Action {
    /// The surface it acts on.
    #[must_use]
    pub fn surface(&self) -> Surface {
        match self {
            Action::Withdraw { .. }
            | Action::Announce { .. }
            | Action::ChangeAnnouncement { .. } => Surface::Announce,
            Action::SetAnswer { .. } => Surface::Dns,
            Action::Spill { .. } => Surface::Spill,
            Action::SetWeights { .. } => Surface::Balance,
            Action::FollowIgp | Action::SetTunnels(_) => Surface::Paths,
            Action::LimitTenant { .. }
            | Action::RemarkTenant { .. }
            | Action::LiftTenantLimit { .. } => Surface::Admit,
        }
    }

    /// Name as in YAML and tables.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Action::Withdraw { .. } => "withdraw",
            Action::Announce { .. } => "announce",
            Action::ChangeAnnouncement { .. } => "change-announcement",
            Action::Spill { .. } => "spill",
            Action::SetAnswer { .. } => "answer",
            Action::SetWeights { .. } => "set-weights",
            Action::FollowIgp => "follow-igp",
            Action::SetTunnels(_) => "set-tunnels",
            Action::LimitTenant { .. } => "limit-tenant",
            Action::RemarkTenant { .. } => "remark-tenant",
            Action::LiftTenantLimit { .. } => "lift-tenant-limit",
        }
    }
}

/// Why a request was declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The policy's descriptor does not name this surface.
    NotItsSurface,
    /// It names something that does not exist.
    UnknownEntity,
    /// A number is outside its range.
    OutOfRange,
    /// It is already so, or already under way.
    NoChange,
    /// No site would be left to announce the prefix.
    LastAnnouncement,
    /// The prefix is not one that this site may announce in this scenario.
    NotAnnouncedHere,
    /// A tunnel is not a path from its source to its destination, or shares do not add up.
    BrokenTunnel,
    /// A prefix is not one that the name may be answered with, or is listed twice.
    NotACandidate,
    /// No query for this name tells that it comes from this client group or resolver.
    ScopeNotSeen,
    /// The colo is not played request by request, so it has no balancers.
    NotZoomed,
}

impl Refusal {
    /// Name as in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Refusal::NotItsSurface => "not-its-surface",
            Refusal::UnknownEntity => "unknown-entity",
            Refusal::OutOfRange => "out-of-range",
            Refusal::NoChange => "no-change",
            Refusal::LastAnnouncement => "last-announcement",
            Refusal::NotAnnouncedHere => "not-announced-here",
            Refusal::BrokenTunnel => "broken-tunnel",
            Refusal::NotACandidate => "not-a-candidate",
            Refusal::ScopeNotSeen => "scope-not-seen",
            Refusal::NotZoomed => "not-zoomed",
        }
    }
}
