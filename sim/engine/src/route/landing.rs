//! Where anycast users land: first floor, by cost.

use crate::kernel::stream::single_uniform;
use crate::kernel::{Id, SimSpan, StreamKey, entity_hash};
use crate::net::geo::{internet_rtt_ms, unit_distance_km};
use crate::net::{GeoPoint, SiteId};
use crate::scenario::{ClientGroupId, Scenario};

/// Where a client group lands, and how far that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Landing {
    /// The site.
    pub site: SiteId,
    /// Round-trip time between the group and the site.
    pub rtt: SimSpan,
}

/// Why a site won or lost; best first.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The site.
    pub site: SiteId,
    /// Whether it announces the prefix and is up.
    pub announces: bool,
    /// Round-trip time.
    pub rtt: SimSpan,
    /// The cost that routing compares, ms.
    pub cost_ms: f64,
    /// In words.
    pub reason: String,
}

/// Decides where users land. A full BGP engine implements this next.
pub trait LandingModel {
    /// Where a group lands among the sites for which `announces` holds; none if there is none.
    fn landing(&self, group: ClientGroupId, announces: &dyn Fn(SiteId) -> bool) -> Option<Landing>;

    /// Round-trip time between a group and a site.
    fn rtt(&self, group: ClientGroupId, site: SiteId) -> SimSpan;

    /// All sites in the order of preference, with reasons.
    fn explain(&self, group: ClientGroupId, announces: &dyn Fn(SiteId) -> bool)
    -> Vec<Explanation>;
}

/// Each group lands at the announcing site of least cost: the round-trip time, mistaken by up to
/// the scenario's `landing_noise`, for routing does not measure distance. Ties go to the lower
/// site id.
#[derive(Clone, Debug)]
pub struct NearestLanding {
    sites: usize,
    rtt_ms: Vec<f64>,
    cost_ms: Vec<f64>,
    /// Sites of each group, least cost first: a landing is the first that announces.
    order: Vec<u16>,
}

/// Round-trip time assumed where neither a measurement nor both locations are known.
const UNKNOWN_RTT_MS: f64 = 50.0;

impl NearestLanding {
    /// Costs of all (group, site) pairs of a scenario in one replication.
    #[must_use]
    pub fn new(scenario: &Scenario, replication: u32) -> NearestLanding {
        let sites = scenario.network.sites.len();
        let site_points: Vec<Option<[f64; 3]>> = scenario
            .network
            .sites
            .rows()
            .iter()
            .map(|site| site.location.map(GeoPoint::unit_vector))
            .collect();
        let site_hashes: Vec<u64> = scenario
            .network
            .sites
            .rows()
            .iter()
            .map(|site| entity_hash("site", &site.id))
            .collect();
        let mut rtt_ms = Vec::with_capacity(sites * scenario.client_groups.len());
        let mut cost_ms = Vec::with_capacity(rtt_ms.capacity());
        for group in scenario.client_groups.rows() {
            let point = group.location.map(GeoPoint::unit_vector);
            let group_hash = entity_hash("client-group", &group.id);
            let row = rtt_ms.len();
            for site in &site_points {
                rtt_ms.push(match (point, site) {
                    (Some(a), Some(b)) => internet_rtt_ms(unit_distance_km(a, *b)),
                    _ => UNKNOWN_RTT_MS,
                });
            }
            for (site, rtt) in &group.rtt {
                rtt_ms[row + site.index()] = rtt.millis();
            }
            for (site, &hash) in site_hashes.iter().enumerate() {
                let key = StreamKey {
                    seed: scenario.seed,
                    replication,
                    purpose: "landing",
                    entity: group_hash.rotate_left(17) ^ hash,
                };
                let error = single_uniform(key) * scenario.routing.landing_noise;
                cost_ms.push(rtt_ms[row + site] * (1.0 + error));
            }
        }
        let order = preference_order(&cost_ms, sites);
        NearestLanding { sites, rtt_ms, cost_ms, order }
    }

    fn row<'a>(&self, values: &'a [f64], group: ClientGroupId) -> &'a [f64] {
        &values[group.index() * self.sites..(group.index() + 1) * self.sites]
    }
}

/// Sites in order of cost for every row of costs; equal costs by site number.
fn preference_order(cost_ms: &[f64], sites: usize) -> Vec<u16> {
    assert!(sites <= usize::from(u16::MAX), "scenarios have at most 10,000 sites");
    let mut order = Vec::with_capacity(cost_ms.len());
    for row in cost_ms.chunks_exact(sites.max(1)) {
        let start = order.len();
        order.extend(0..sites as u16);
        order[start..]
            .sort_by(|&a, &b| row[usize::from(a)].total_cmp(&row[usize::from(b)]).then(a.cmp(&b)));
    }
    order
}

impl LandingModel for NearestLanding {
    fn landing(&self, group: ClientGroupId, announces: &dyn Fn(SiteId) -> bool) -> Option<Landing> {
        let order = &self.order[group.index() * self.sites..(group.index() + 1) * self.sites];
        let site =
            order.iter().map(|&site| SiteId(u32::from(site))).find(|&site| announces(site))?;
        Some(Landing { site, rtt: self.rtt(group, site) })
    }

    fn rtt(&self, group: ClientGroupId, site: SiteId) -> SimSpan {
        SimSpan::from_seconds_f64_ceil(self.row(&self.rtt_ms, group)[site.index()] / 1_000.0)
    }

    fn explain(
        &self,
        group: ClientGroupId,
        announces: &dyn Fn(SiteId) -> bool,
    ) -> Vec<Explanation> {
        let cost = self.row(&self.cost_ms, group);
        let mut rows: Vec<Explanation> = (0..self.sites)
            .map(|index| {
                let site = SiteId::from_index(index);
                Explanation {
                    site,
                    announces: announces(site),
                    rtt: self.rtt(group, site),
                    cost_ms: cost[index],
                    reason: String::new(),
                }
            })
            .collect();
        rows.sort_by(|a, b| {
            (b.announces.cmp(&a.announces))
                .then(a.cost_ms.total_cmp(&b.cost_ms))
                .then(a.site.cmp(&b.site))
        });
        let best = rows.first().filter(|row| row.announces).map(|row| row.cost_ms);
        for (rank, row) in rows.iter_mut().enumerate() {
            row.reason = match best {
                _ if !row.announces => "does not announce the prefix, or is down".to_owned(),
                _ if rank == 0 => "least cost among announcing sites".to_owned(),
                Some(least) if row.cost_ms > least => {
                    format!("cost higher by {:.1} ms", row.cost_ms - least)
                }
                _ => "equal cost, higher site number".to_owned(),
            };
        }
        rows
    }
}
