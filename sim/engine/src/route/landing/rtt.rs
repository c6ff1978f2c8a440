//! Round-trip times between client groups and sites.

use crate::kernel::{Id, SimSpan};
use crate::net::geo::{internet_rtt_ms, unit_distance_km};
use crate::net::{GeoPoint, SiteId};
use crate::scenario::{ClientGroupId, Scenario};
use std::rc::Rc;

/// Round-trip time assumed where neither a measurement nor both locations are known.
const UNKNOWN_RTT_MS: f64 = 50.0;

/// Round-trip time of every (client group, site) pair: as measured, else from distance. Large, so
/// clones share it.
#[derive(Clone, Debug)]
pub struct RttMatrix {
    sites: usize,
    rtt_ms: Rc<[f64]>,
}

impl RttMatrix {
    /// Of all pairs of a scenario.
    #[must_use]
    pub fn new(scenario: &Scenario) -> RttMatrix {
        let sites = scenario.network.sites.rows();
        let points: Vec<Option<[f64; 3]>> =
            sites.iter().map(|site| site.location.map(GeoPoint::unit_vector)).collect();
        let mut rtt_ms = Vec::with_capacity(sites.len() * scenario.client_groups.len());
        for group in scenario.client_groups.rows() {
            let point = group.location.map(GeoPoint::unit_vector);
            let row = rtt_ms.len();
            rtt_ms.extend(points.iter().map(|site| match (point, site) {
                (Some(a), Some(b)) => internet_rtt_ms(unit_distance_km(a, *b)),
                _ => UNKNOWN_RTT_MS,
            }));
            for (site, rtt) in &group.rtt {
                rtt_ms[row + site.index()] = rtt.millis();
            }
        }
        RttMatrix { sites: sites.len(), rtt_ms: rtt_ms.into() }
    }

    /// Of one group to every site, ms, in site order.
    #[must_use]
    pub fn row(&self, group: ClientGroupId) -> &[f64] {
        &self.rtt_ms[group.index() * self.sites..(group.index() + 1) * self.sites]
    }

    /// Between a group and a site.
    #[must_use]
    pub fn span(&self, group: ClientGroupId, site: SiteId) -> SimSpan {
        SimSpan::from_seconds_f64_ceil(self.row(group)[site.index()] / 1_000.0)
    }
}
