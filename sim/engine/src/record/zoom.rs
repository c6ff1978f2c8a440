//! What is told of colos played request by request.

use super::LatencyStats;
use crate::load::requests::Cause;
use crate::net::{ColoId, SiteId};

/// A colo played request by request, during the part of a bucket in which it was.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoomRow {
    /// Which.
    pub colo: ColoId,
    /// Length of that part, seconds.
    pub seconds: f64,
    /// What happened in it.
    pub counts: ZoomCounts,
}

/// A site played request by request, over the whole run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ZoomTotals {
    /// Which; none: all together.
    pub site: Option<SiteId>,
    /// What happened there.
    pub counts: ZoomCounts,
}

/// What happened to requests that were played one by one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ZoomCounts {
    /// Requests that arrived.
    pub offered: f64,
    /// Requests answered.
    pub served: f64,
    /// Requests not answered, by cause: refused by a full queue, timed out, failed, broken, no
    /// server.
    pub dropped: [f64; Cause::COUNT],
    /// Attempts after the first.
    pub retries: f64,
    /// Second copies.
    pub hedges: f64,
    /// Attempts that servers completed for nobody.
    pub wasted: f64,
    /// Connections opened.
    pub connections_opened: f64,
    /// Connections broken.
    pub connections_broken: f64,
    /// Latency of the answered ones, ms.
    pub latency_ms: LatencyStats,
    /// What they waited for, means in ms: set-up, propagation, link queues, waiting at the server,
    /// service, origin, earlier attempts. They add up to the mean.
    pub parts_ms: [f64; 7],
    /// Work done over what servers in service could do.
    pub utilisation_mean: f64,
    /// Share of its time that the busiest server worked.
    pub utilisation_max: f64,
}
