//! How routing reacts, and what is announced otherwise than plainly.

use super::PrefixId;
use crate::kernel::SimSpan;
use crate::net::{LinkId, SiteId};
use crate::route::landing::Attributes;
use serde::{Deserialize, Serialize};

/// How routing reacts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoutingSpec {
    /// Time the backbone's IGP needs after a change of topology.
    pub igp_convergence: SimSpan,
    /// Shortest time after which a client group follows a changed anycast announcement.
    pub bgp_convergence_min: SimSpan,
    /// Mean of the exponential time on top of it.
    pub bgp_convergence_mean: SimSpan,
    /// Longest time.
    pub bgp_convergence_max: SimSpan,
    /// Largest relative error with which the Internet's routing mistakes distances: each (client
    /// group, site) cost is multiplied by 1 + u, u uniform in [0, this). 0 = always the nearest.
    pub landing_noise: f64,
}

/// How a prefix is announced where it is not announced plainly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    /// What.
    pub prefix: PrefixId,
    /// Where.
    pub site: SiteId,
    /// Over which link; none: over all of the site.
    pub link: Option<LinkId>,
    /// Whether it is announced there at all.
    pub announced: bool,
    /// How.
    pub attributes: Attributes,
}
