//! The validated, immutable scenario: what a run is made from.
//!
//! Only the scenario crate builds one from text; tests build small ones by hand. Every id in it
//! refers to an existing row ([`Scenario::assert_consistent`] checks).

mod dns;
mod edge;
mod judge;
mod routing;
pub mod testing;
mod transport;
mod zoom;

pub use dns::{Caches, Dns, DnsName, NameId, NamedDemand, ResolverId, SharedResolver};
pub use edge::{AdmissionPlan, CachePlan, CachedService, ShedPlan, SiteCache, TenantBucket};
pub use judge::{Check, CheckOp, CompareSpec, Operand};
pub use routing::{Announcement, RoutingSpec};
pub use transport::{Elastic, Tcp, TcpModel};
pub use zoom::ZoomSpec;

use crate::define_ids;
use crate::kernel::{SimSpan, SimTime, StreamKey, Table, entity_hash};
use crate::load::balance::BalancerSpec;
use crate::load::flows::SourceSpec;
use crate::net::{
    GeoPoint, LinkId, NeighbourId, Network, NodeId, PoolId, Scheduling, SiteId, SrlgId,
};
use crate::route::landing::{LandingSpec, Trouble};
use crate::steer::{Action, FeedKind, ParamValue, Surface};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

define_ids! {
    /// A customer whose traffic is accounted, budgeted and prioritised as one.
    TenantId,
    /// A traffic priority.
    ClassId,
    /// What is asked for.
    ServiceId,
    /// An announced address block.
    PrefixId,
    /// Users of one AS in one metro.
    ClientGroupId,
    /// A flow aggregate's demand.
    DemandId,
    /// A daily shape.
    ProfileId,
    /// A recorded traffic-matrix series.
    MatrixId,
    /// One set of policies under comparison.
    ArmId,
}

/// A traffic class. Rows are in priority order: the first is served first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Class {
    /// Name.
    pub id: String,
    /// Share under weighted scheduling where the link names no weights of its own.
    pub weight: f64,
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    /// Name.
    pub id: String,
    /// Free text.
    pub label: String,
    /// Contracted rate towards any one neighbour, bit/s, if there is a contract.
    pub budget_bps: Option<u64>,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Name.
    pub id: String,
    /// Priority class of its traffic.
    pub class: ClassId,
    /// CPU-seconds of reference work per request; 0 for pure transfer.
    pub cpu_s: f64,
    /// Bytes from the user per request.
    pub request_bytes: f64,
    /// Bytes to the user per request.
    pub response_bytes: f64,
    /// Round trips before the first byte of the answer can arrive, connection set-up included.
    pub setup_round_trips: f64,
    /// How its senders adapt to full links; none: they do not, and lose. Not written where there
    /// is none, so that such a scenario keeps its identity; nor is `tcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elastic: Option<Elastic>,
    /// How its traffic comes as single flows, at that fidelity. Not written where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<SourceSpec>,
    /// What its transport protocol makes of round trips and loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Tcp>,
}

/// At which fidelity traffic is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fidelity {
    /// All traffic is rates.
    #[default]
    Fluid,
    /// Responses and transfers of services with [`Service::flow`] are single flows that share
    /// links max-min fairly; all other traffic is rates.
    Flows,
}

impl Fidelity {
    /// Whether all traffic is rates.
    #[must_use]
    pub fn is_fluid(&self) -> bool {
        *self == Fidelity::Fluid
    }
}

/// An address block that sites announce.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prefix {
    /// Name.
    pub id: String,
    /// Sites that announce it at the start.
    pub sites: Vec<SiteId>,
    /// How valuable its traffic is; policies move the lowest first.
    pub value: f64,
}

/// Users of one AS in one metro.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientGroup {
    /// Name.
    pub id: String,
    /// Free text.
    pub label: String,
    /// Where they are.
    pub location: Option<GeoPoint>,
    /// The AS they are in; none: anywhere behind the public Internet, egress is not modelled.
    pub neighbour: Option<NeighbourId>,
    /// Number of the AS they are in, where routing must know: their neighbour's, if they have one.
    pub asn: Option<u32>,
    /// Share of demand relative to the other groups of a demand.
    pub weight: f64,
    /// Round-trip time to some sites where measured; the others follow from distance.
    pub rtt: Vec<(SiteId, SimSpan)>,
}

/// Where a demand comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Users, who land by routing.
    Clients(ClientGroupId),
    /// A node of the network.
    Node(NodeId),
}

/// Where a demand goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// An anycast prefix: routing decides the landing site.
    Prefix(PrefixId),
    /// A node: a site of ours (backbone traffic) or a neighbour.
    Node(NodeId),
}

/// How much of a demand there is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rate {
    /// Requests per second (demands of client groups); bits follow from the service.
    RequestsPerS(f64),
    /// Bits per second from source to target; no requests and no CPU.
    Bps(f64),
    /// A column of a recorded matrix, bits per second.
    Recorded {
        /// Which matrix.
        matrix: MatrixId,
        /// Which of its pairs.
        column: u32,
    },
}

/// One demand: the traffic of (source, service, tenant) towards a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    /// Name.
    pub id: String,
    /// Where from.
    pub source: Source,
    /// Where to.
    pub target: Target,
    /// What is asked for.
    pub service: ServiceId,
    /// Who pays.
    pub tenant: TenantId,
    /// How much, before profile, surges and noise.
    pub rate: Rate,
    /// Daily shape; none is flat.
    pub profile: Option<ProfileId>,
}

/// A daily shape: multiplies the rate by a value between `trough_ratio` and 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Name.
    pub id: String,
    /// Time of day of the peak.
    pub peak_time: SimSpan,
    /// Rate at the trough over rate at the peak, in (0, 1].
    pub trough_ratio: f64,
    /// Whether the time of day is the local solar time of the client group (longitude / 15 h)
    /// instead of UTC.
    pub local_time: bool,
}

/// A recorded series of traffic matrices: piecewise constant, column = pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// File it was read from, relative to the scenario.
    pub file: String,
    /// Hash of the file's contents: part of the scenario's identity.
    pub sha256: String,
    /// Multiplies every rate.
    pub scale: f64,
    /// Instants from which each row holds, ascending, the first at 0.
    #[serde(skip)]
    pub times: Arc<Vec<SimTime>>,
    /// Number of pairs.
    pub columns: u32,
    /// Rates in bit/s before `scale`, row after row.
    #[serde(skip)]
    pub rates_bps: Arc<Vec<f64>>,
}

/// Random variation of demand: a log-normal factor of mean 1 per demand, redrawn at every step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DemandNoise {
    /// Coefficient of variation, 0 for none.
    pub cv: f64,
    /// How long a drawn factor holds.
    pub step: SimSpan,
}

/// Something that happens to the world at a given time, in every arm alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineEvent {
    /// When.
    pub at: SimTime,
    /// Whose doing it is: `scenario`, or the name of an external agent.
    pub agent: String,
    /// What people call it.
    pub label: String,
    /// What changes.
    pub change: Change,
}

/// A change of the world that no policy of ours asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// All members of a link fail.
    LinkFails(LinkId),
    /// The link is whole again.
    LinkRestored(LinkId),
    /// This many members of a bundle are down from now on.
    LinkMembersDown(LinkId, u32),
    /// A site loses power: nothing is served, its links and announcements are down.
    SiteFails(SiteId),
    /// The site is back.
    SiteRestored(SiteId),
    /// All links of a shared-risk group fail.
    SrlgFails(SrlgId),
    /// They are restored.
    SrlgRestored(SrlgId),
    /// This share (0 to 1) of a pool's servers is out of service from now on.
    ServersDown(PoolId, f64),
    /// A neighbour stops announcing this share of its address blocks on these links.
    NeighbourWithdraws {
        /// Sessions affected.
        links: Vec<LinkId>,
        /// Share of its blocks withdrawn, 0 to 1; counted in whole blocks, rounded up.
        share: f64,
        /// Only if what is sent into one of the links is above this share of its capacity.
        if_above: Option<f64>,
    },
    /// It announces everything again on these links.
    NeighbourRestores {
        /// Sessions affected.
        links: Vec<LinkId>,
    },
    /// The BGP session over a link goes down; the link itself stays up.
    SessionDown(LinkId),
    /// It is up again.
    SessionUp(LinkId),
    /// Something goes wrong in the routing of others.
    RoutingTrouble(Trouble),
    /// It is right again.
    RoutingTroubleEnds(Trouble),
    /// A feed delivers nothing until the given time.
    FeedOutage(FeedKind, SimTime),
    /// No change: a mark on the time axis.
    Mark,
}

/// A surge multiplies the rate of some demands for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surge {
    /// Start of the rise.
    pub at: SimTime,
    /// End of the fall; [`SimTime::NEVER`] = stays.
    pub until: SimTime,
    /// How long the linear rise, and the fall before `until`, take; zero = a step.
    pub ramp: SimSpan,
    /// Factor at the top, at least 0.
    pub factor: f64,
    /// Which demands.
    pub demands: Vec<DemandId>,
    /// What people call it.
    pub label: String,
}

/// How a feed sees the world.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedSpec {
    /// Time between samples; a sample is the mean over it.
    pub period: SimSpan,
    /// Time from sample to delivery.
    pub delay: SimSpan,
    /// Standard deviation of the relative error.
    pub noise: f64,
}

/// How a surface's actions take effect.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActuatorSpec {
    /// Time from request to effect.
    pub delay: SimSpan,
    /// Additional uniform random time, drawn per action.
    pub jitter: SimSpan,
    /// Chance that an action is lost, 0 to 1.
    pub failure: f64,
}

/// One policy of an arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicySpec {
    /// Its registered name.
    pub name: String,
    /// Time between its decisions.
    pub period: SimSpan,
    /// Parameter values in the order of its descriptor.
    pub params: Vec<(String, ParamValue)>,
}

/// One set of policies under comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Name.
    pub id: String,
    /// Free text.
    pub label: String,
    /// Its policies, at least one.
    pub policies: Vec<PolicySpec>,
    /// Who chooses servers where the scenario zooms, instead of what `zoom` says. Not written
    /// where there is none, so that such an arm keeps its identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balancer: Option<BalancerSpec>,
}

/// A scripted step of the `scripted` policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScriptStep {
    /// When it is asked for.
    pub at: SimTime,
    /// What is asked.
    pub action: Action,
    /// Why, for the record.
    pub cause: String,
}

/// A scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Name, `[A-Za-z0-9._-]`.
    pub name: String,
    /// Free text.
    pub label: String,
    /// Longer free text: what it shows, with sources.
    pub description: String,
    /// Statements a reader must know before trusting a result.
    pub assumptions: Vec<String>,
    /// Root of all chance.
    pub seed: u64,
    /// Wall-clock time of the start in UTC, as nanoseconds after midnight.
    pub start_time_of_day: SimSpan,
    /// The start as written, such as `2025-08-21T16:00:00Z`; empty if none was given.
    pub start: String,
    /// End of the run.
    pub horizon: SimSpan,
    /// Width of a time bucket in the tables.
    pub bucket: SimSpan,
    /// Width of a time bucket in the table of client groups, a multiple of `bucket`.
    pub client_bucket: SimSpan,
    /// How often demand changes between events.
    pub traffic_step: SimSpan,
    /// Number of replications.
    pub replications: u32,
    /// At which fidelity traffic is played. Not written where it is fluid, so that such a scenario
    /// keeps its identity.
    #[serde(default, skip_serializing_if = "Fidelity::is_fluid")]
    pub fidelity: Fidelity,
    /// What exists.
    pub network: Network,
    /// Classes in priority order, at least one.
    pub classes: Table<ClassId, Class>,
    /// Tenants, at least one.
    pub tenants: Table<TenantId, Tenant>,
    /// Services, at least one where there are demands.
    pub services: Table<ServiceId, Service>,
    /// Anycast prefixes.
    pub prefixes: Table<PrefixId, Prefix>,
    /// Client groups.
    pub client_groups: Table<ClientGroupId, ClientGroup>,
    /// DNS. Not written where there is none, so that such a scenario keeps its identity.
    #[serde(default, skip_serializing_if = "Dns::is_empty")]
    pub dns: Dns,
    /// Caches. Not written where there are none, so that such a scenario keeps its identity.
    #[serde(default, skip_serializing_if = "CachePlan::is_empty")]
    pub caches: CachePlan,
    /// Admission. Not written where there is none, so that such a scenario keeps its identity.
    #[serde(default, skip_serializing_if = "AdmissionPlan::is_empty")]
    pub admission: AdmissionPlan,
    /// Daily shapes.
    pub profiles: Table<ProfileId, Profile>,
    /// Recorded matrices.
    pub matrices: Table<MatrixId, Matrix>,
    /// Demands.
    pub demands: Table<DemandId, Demand>,
    /// Random variation of demand.
    pub demand_noise: DemandNoise,
    /// Surges.
    pub surges: Vec<Surge>,
    /// What happens, sorted by time (equal times in the order written).
    pub timeline: Vec<TimelineEvent>,
    /// Longest backlog a server pool holds, in seconds of work at full capacity.
    pub queue_limit: SimSpan,
    /// Colos played request by request. Not written where there is none, so that such a scenario
    /// keeps its identity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zoom: Vec<ZoomSpec>,
    /// How routing reacts.
    pub routing: RoutingSpec,
    /// How it is decided where users land.
    pub landing: LandingSpec,
    /// Announcements that differ from a plain one, in order; later ones win.
    pub announcements: Vec<Announcement>,
    /// Feeds, in the order of [`FeedKind::ALL`].
    pub feeds: Vec<FeedSpec>,
    /// Actuators, in the order of [`Surface::ALL`].
    pub actuators: Vec<ActuatorSpec>,
    /// Arms, at least one; the first is the baseline.
    pub arms: Table<ArmId, Arm>,
    /// Checks.
    pub checks: Vec<Check>,
    /// What is compared.
    pub compare: CompareSpec,
}

impl Scenario {
    /// Whether a service's responses and transfers are played as single flows.
    #[must_use]
    pub fn plays_flows(&self, service: ServiceId) -> bool {
        self.fidelity == Fidelity::Flows && self.services[service].flow.is_some()
    }

    /// The stream of `purpose` for an entity in a replication.
    #[must_use]
    pub fn stream_key(
        &self,
        replication: u32,
        purpose: &'static str,
        kind: &str,
        id: &str,
    ) -> StreamKey {
        StreamKey { seed: self.seed, replication, purpose, entity: entity_hash(kind, id) }
    }

    /// How a feed sees the world.
    #[must_use]
    pub fn feed(&self, kind: FeedKind) -> &FeedSpec {
        &self.feeds[kind as usize]
    }

    /// How a surface's actions take effect.
    #[must_use]
    pub fn actuator(&self, surface: Surface) -> &ActuatorSpec {
        &self.actuators[surface as usize]
    }

    /// Panics if an id does not refer to a row or a limit is broken: for the constructor's tests
    /// and as the engine's own guard at the start of a run.
    pub fn assert_consistent(&self) {
        let network = &self.network;
        assert!(self.horizon.0 > 0 && self.bucket.0 > 0 && self.traffic_step.0 > 0);
        assert!(self.client_bucket.0 > 0 && self.client_bucket.0.is_multiple_of(self.bucket.0));
        assert!(!self.arms.is_empty() && !self.classes.is_empty() && !self.tenants.is_empty());
        assert_eq!(self.feeds.len(), FeedKind::ALL.len());
        assert_eq!(self.actuators.len(), Surface::ALL.len());
        for site in network.sites.rows() {
            assert!(!site.colos.is_empty(), "site without colo");
        }
        for link in network.links.rows() {
            assert!(link.ends.iter().all(|end| end.0 < network.nodes.len() as u32));
            assert!(link.weight.iter().all(|&weight| weight >= 1) && link.lag_members >= 1);
            if let Scheduling::Weighted(weights) = &link.scheduling {
                assert_eq!(weights.len(), self.classes.len());
            }
            let tenants = link.model.tenant_weights.len();
            assert!(tenants == 0 || tenants == self.tenants.len());
        }
        for demand in self.demands.rows() {
            assert!(demand.service.0 < self.services.len() as u32);
            assert!(demand.tenant.0 < self.tenants.len() as u32);
            if let Rate::Recorded { matrix, column } = demand.rate {
                assert!(column < self.matrices[matrix].columns);
            }
            assert!(matches!(
                (demand.source, demand.target),
                (Source::Clients(_), Target::Prefix(_)) | (Source::Node(_), Target::Node(_))
            ));
        }
        for matrix in self.matrices.rows() {
            assert_eq!(matrix.rates_bps.len(), matrix.times.len() * matrix.columns as usize);
            assert_eq!(matrix.times.first(), Some(&SimTime::ZERO));
        }
        self.dns.assert_consistent(self);
        self.zoom.iter().for_each(|zoom| zoom.assert_consistent(self));
        self.caches.assert_consistent(self);
        self.admission.assert_consistent(self);
        assert!(self.timeline.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }
}
