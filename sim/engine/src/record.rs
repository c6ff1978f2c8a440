//! What a run tells about itself, and the trait of those who listen.
//!
//! The engine never formats and never writes. Tables, fingerprints, progress and tests are all
//! recorders.

mod flow;
mod latency;

pub use flow::{DropCause, Flow};
pub use latency::LatencyParts;

mod zoom;

use crate::kernel::{SimSpan, SimTime};
use crate::load::flows::FlowTimes;
use crate::net::{ArcId, LinkId, SiteId};
use crate::route::Fate;
use crate::scenario::{ArmId, ClassId, ClientGroupId, PrefixId, ServiceId, TenantId};
use crate::steer::{Action, Refusal, Surface};

pub use zoom::{ZoomCounts, ZoomRow, ZoomTotals};

/// Listens to one run. All methods have a default that does nothing.
pub trait Recorder {
    /// A time bucket of all entities is complete. Rows are in id order.
    fn bucket(&mut self, _bucket: &Bucket<'_>) {}
    /// A (coarser) bucket of client groups is complete. Rows are in id order.
    fn client_bucket(&mut self, _start: SimTime, _end: SimTime, _rows: &[ClientRow]) {}
    /// A bucket of colos played request by request is complete: those of which some of it was
    /// played, in order.
    fn zoom_bucket(&mut self, _start: SimTime, _rows: &[ZoomRow]) {}
    /// Something happened to the world.
    fn event(&mut self, _event: &EventRecord<'_>) {}
    /// A policy asked for something.
    fn action(&mut self, _action: &ActionRecord<'_>) {}
    /// A client group's traffic fares otherwise from now on. At every instant the largest moves are
    /// told.
    fn moved(&mut self, _row: &MoveRecord<'_>) {}
    /// Something to know before trusting the result.
    fn warning(&mut self, _warning: &Warning) {}
    /// How far the run is; called at every bucket end.
    fn progress(&mut self, _now: SimTime, _horizon: SimSpan) {}
}

/// Ignores everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRecorder;

impl Recorder for NoRecorder {}

/// One complete time bucket. Rates are means over the bucket.
#[derive(Clone, Debug)]
pub struct Bucket<'a> {
    /// Start.
    pub start: SimTime,
    /// End.
    pub end: SimTime,
    /// One row a site.
    pub sites: &'a [SiteRow],
    /// One row an arc that has capacity.
    pub arcs: &'a [ArcRow],
    /// One row a (tenant, class) pair, tenants first.
    pub tenants: &'a [TenantRow],
    /// One row a service whose traffic is played as single flows.
    pub flows: &'a [FlowRow],
    /// The whole network.
    pub total: &'a TotalRow,
}

/// Flows of a service during a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlowRow {
    /// Which service.
    pub service: ServiceId,
    /// Flows that arrived.
    pub started: u64,
    /// Flows that finished.
    pub finished: u64,
    /// Flows that lost their way and ended unfinished.
    pub broken: u64,
    /// Flows under way at the end of the bucket.
    pub active: u64,
    /// Bits of flows that arrived, per second.
    pub started_bps: f64,
    /// Bits of flows that finished, per second.
    pub finished_bps: f64,
    /// Mean round trip over our own links of flows that arrived, ms: not part of completion times.
    pub round_trip_ms_mean: f64,
    /// How long those that finished took.
    pub times: FlowTimes,
}

/// A site during a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SiteRow {
    /// CPU work offered to it (as serving site) over its CPU capacity, mean; 0 without pools.
    pub cpu_utilisation_mean: f64,
    /// The same, largest value.
    pub cpu_utilisation_max: f64,
    /// Requests per second that landed there.
    pub landed_requests_per_s: f64,
    /// Requests per second served there.
    pub served_requests_per_s: f64,
    /// Requests per second dropped by its servers.
    pub dropped_requests_per_s: f64,
    /// Requests waiting at the end of the bucket.
    pub queued_requests: f64,
    /// Bits per second that left the network there.
    pub egress_bps: f64,
    /// Requests per second that landed there and were answered, wherever they were served.
    pub answered_requests_per_s: f64,
    /// What those waited for, means in ms; zeros without requests.
    pub latency_parts_ms: LatencyParts,
    /// Share of the requests served there for what caches may keep that were hits; 0 without.
    pub cache_hit_ratio: f64,
    /// Requests per second served there for what caches may keep.
    pub cache_requests_per_s: f64,
    /// Bits per second that its caches fetched, from the origin or other caches.
    pub fetch_bps: f64,
    /// Those of them that came from the origin.
    pub origin_bps: f64,
    /// Prefixes it announces at the end of the bucket.
    pub announced_prefixes: u32,
    /// Whether it is up at the end of the bucket.
    pub up: bool,
}

/// One direction of a link during a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArcRow {
    /// Which.
    pub arc: ArcId,
    /// Load that routing places on it over its capacity (the configured one while it is down),
    /// mean. May exceed 1.
    pub utilisation_mean: f64,
    /// The same, largest value.
    pub utilisation_max: f64,
    /// Load that routing places on it, before any drop upstream or here, bit/s.
    pub placed_bps: f64,
    /// What it carried, bit/s.
    pub carried_bps: f64,
    /// What it dropped, bit/s.
    pub dropped_bps: f64,
    /// How long what it carried waited in front of it, mean over bits, ms.
    pub queue_ms_mean: f64,
    /// Elastic traffic that it marked (ECN) because it was full, bit/s.
    pub marked_bps: f64,
    /// What waits in front of it at the end of the bucket, bits; 0 for a link without memory.
    pub backlog_bits: f64,
    /// Capacity at the end of the bucket, bit/s; 0 = down.
    pub capacity_bps: f64,
    /// Address blocks the neighbour announces over it at the end of the bucket; 0 on our own
    /// links.
    pub announced_blocks: u32,
}

/// A tenant's traffic of one class during a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TenantRow {
    /// Which tenant.
    pub tenant: TenantId,
    /// Which class (that of the service; remarking does not change it here).
    pub class: ClassId,
    /// Flow during the bucket.
    pub flow: Flow,
}

/// The whole network during a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TotalRow {
    /// All traffic.
    pub flow: Flow,
    /// Latency of served requests in ms, request-weighted; zeros without requests.
    pub latency_ms: LatencyStats,
    /// What served requests waited for, means in ms; adds up to the mean latency.
    pub latency_parts_ms: LatencyParts,
    /// Share of requests that land elsewhere than at their best site.
    pub non_best_site_ratio: f64,
    /// Requests per second whose landing site changed during the bucket (rate at the change,
    /// summed over changes; a measure of users moved).
    pub moved_requests_per_s: f64,
}

/// Mean and percentiles of latency.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LatencyStats {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
}

/// A client group during a client bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClientRow {
    /// Which group.
    pub client_group: ClientGroupId,
    /// Flow during the bucket (rates).
    pub flow: Flow,
    /// Mean latency of served requests, ms; 0 without requests.
    pub latency_ms_mean: f64,
    /// Landing site at the end of the bucket of its first demand; none: unreachable.
    pub landing: Option<SiteId>,
}

/// Something happened to the world.
#[derive(Clone, Debug)]
pub struct EventRecord<'a> {
    /// When.
    pub at: SimTime,
    /// Kind, as in YAML: `link-fails`, `surge`, `igp-converged` ...
    pub kind: &'a str,
    /// Who: `scenario`, `network`, or the name of an external agent.
    pub agent: &'a str,
    /// Name of the entity concerned.
    pub entity: &'a str,
    /// Free text for people.
    pub label: &'a str,
}

/// A client group's traffic fares otherwise from now on.
#[derive(Clone, Debug)]
pub struct MoveRecord<'a> {
    /// When.
    pub at: SimTime,
    /// What happened that made it move, for people.
    pub cause: &'a str,
    /// Who.
    pub client_group: ClientGroupId,
    /// Towards which prefix.
    pub prefix: PrefixId,
    /// What became of it before.
    pub from: Fate,
    /// What becomes of it now.
    pub to: Fate,
    /// Its requests per second at that instant.
    pub requests_per_s: f64,
    /// AS path from the users on, where routing knows one.
    pub as_path: &'a str,
    /// Why it goes there.
    pub reason: &'a str,
}

/// A policy asked for something. Every request is told once, when it is asked.
#[derive(Clone, Debug)]
pub struct ActionRecord<'a> {
    /// Number of the request in this run, from 0.
    pub number: u64,
    /// When it was asked.
    pub asked_at: SimTime,
    /// When it takes effect; none if refused or lost.
    pub effect_at: Option<SimTime>,
    /// Which policy of the arm.
    pub policy: &'a str,
    /// What.
    pub action: &'a Action,
    /// Entities concerned, for people.
    pub target: &'a str,
    /// Why, in the policy's words.
    pub cause: &'a str,
    /// Why it was declined, if it was.
    pub refusal: Option<Refusal>,
    /// Which surface.
    pub surface: Surface,
}

/// "Check this before you trust the result."
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// Stable code such as `W0101`.
    pub code: &'static str,
    /// What was seen and what to do.
    pub message: String,
}

/// Final figures of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunTotals {
    /// Which arm.
    pub arm: usize,
    /// Which replication.
    pub replication: u32,
    /// Simulated seconds.
    pub duration_s: f64,
    /// Flow by (tenant, class), tenants first.
    pub flows: Vec<Flow>,
    /// Flow of all.
    pub total: Flow,
    /// Latency of all served requests, ms.
    pub latency_ms: LatencyStats,
    /// What served requests waited for, means in ms; adds up to the mean latency.
    pub latency_parts_ms: LatencyParts,
    /// Per arc.
    pub arcs: Vec<ArcTotals>,
    /// Of links with a price.
    pub bills: Vec<LinkBill>,
    /// Per site.
    pub sites: Vec<SiteTotals>,
    /// What was played request by request: all together, then by site; empty if nothing was.
    pub zoom: Vec<ZoomTotals>,
    /// Requests that changed their landing site, as rates at the change, summed.
    pub moved_requests_per_s: f64,
    /// Request-weighted share that landed elsewhere than at the best site.
    pub non_best_site_ratio: f64,
    /// Actions that took effect.
    pub actions_applied: u64,
    /// Actions asked and refused.
    pub actions_refused: u64,
    /// Reversals of an earlier action on the same target within ten minutes.
    pub flaps: u64,
    /// Bytes times kilometres on backbone links.
    pub backbone_byte_km: f64,
    /// Bits that left over transit links over all bits that left.
    pub transit_ratio: f64,
    /// Events applied.
    pub events: u64,
    /// Requests towards DNS names.
    pub dns_requests: f64,
    /// Those of them that followed an earlier answer than the last one.
    pub dns_stale_requests: f64,
    /// The trajectory.
    pub fingerprint: u64,
}

/// An arc over the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ArcTotals {
    /// Largest placed load over capacity at any instant.
    pub utilisation_max: f64,
    /// Time mean.
    pub utilisation_mean: f64,
    /// Seconds with placed load above capacity.
    pub overload_s: f64,
    /// Bits carried.
    pub carried_bits: f64,
    /// Bits dropped.
    pub dropped_bits: f64,
    /// How long what it carried waited in front of it, mean over bits, ms.
    pub queue_ms_mean: f64,
    /// Bits of elastic traffic that it marked (ECN).
    pub marked_bits: f64,
}

/// What a link with a price is billed for the whole run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkBill {
    /// Which.
    pub link: LinkId,
    /// Rate at the percentile of its five-minute samples, each the larger direction, bit/s.
    pub billed_bps: f64,
    /// What that costs, in the currency of its price.
    pub cost: f64,
}

/// A site over the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SiteTotals {
    /// Largest offered CPU over capacity at any instant.
    pub cpu_utilisation_max: f64,
    /// Time mean.
    pub cpu_utilisation_mean: f64,
    /// Seconds with more CPU work offered than capacity.
    pub overload_s: f64,
    /// Requests served.
    pub served_requests: f64,
    /// Requests dropped by its servers.
    pub dropped_requests: f64,
    /// Requests that landed there and were answered, wherever they were served.
    pub answered_requests: f64,
    /// What those waited for, means in ms; zeros without requests.
    pub latency_parts_ms: LatencyParts,
}

/// How a run is identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId {
    /// Arm.
    pub arm: ArmId,
    /// Replication, from 0.
    pub replication: u32,
}

/// Which direction of a metric is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither: a description.
    Neither,
}

/// One entry of the metric catalogue: what checks and comparisons may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricInfo {
    /// Id as quantity, unit, statistic: `latency_ms_p99`.
    pub id: &'static str,
    /// Unit as shown to people; empty for ratios and counts.
    pub unit: &'static str,
    /// What it is, one line.
    pub meaning: &'static str,
    /// Direction of better.
    pub better: Better,
    /// Labels it may be split by besides `arm`: of `class`, `tenant`, `site`, `link`, `cause`.
    pub labels: &'static [&'static str],
}
