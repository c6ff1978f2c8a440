//! Landing by distance: what is left of routing when nothing is known about it.

use super::{
    ANY_LINK, Explanation, Fate, Landing, LandingModel, Offer, RttMatrix, SiteRank, announcing,
};
use crate::kernel::stream::single_uniform;
use crate::kernel::{Id, SimTime, StreamKey, Table, entity_hash};
use crate::net::SiteId;
use crate::record::DropCause;
use crate::scenario::{ClientGroupId, PrefixId, Scenario};

/// Each group lands at the announcing site of least cost: the round-trip time, mistaken by up to
/// the scenario's `landing_noise`, for routing does not measure distance. Ties go to the lower
/// site id.
#[derive(Clone, Debug)]
pub struct NearestLanding {
    sites: usize,
    rtt: RttMatrix,
    cost_ms: Vec<f64>,
    /// Sites of each group, least cost first: a landing is the first that announces.
    order: Vec<u16>,
    /// Per prefix and site: announced and heard.
    announced: Table<PrefixId, Vec<bool>>,
}

impl NearestLanding {
    /// Costs of all (group, site) pairs of a scenario in one replication.
    #[must_use]
    pub fn new(scenario: &Scenario, replication: u32, rtt: &RttMatrix) -> NearestLanding {
        let sites = scenario.network.sites.len();
        let site_hashes: Vec<u64> = scenario
            .network
            .sites
            .rows()
            .iter()
            .map(|site| entity_hash("site", &site.id))
            .collect();
        let mut cost_ms = Vec::with_capacity(sites * scenario.client_groups.len());
        for (id, group) in scenario.client_groups.iter() {
            let group_hash = entity_hash("client-group", &group.id);
            for (rtt_ms, &hash) in rtt.row(id).iter().zip(&site_hashes) {
                let key = StreamKey {
                    seed: scenario.seed,
                    replication,
                    purpose: "landing",
                    entity: group_hash.rotate_left(17) ^ hash,
                };
                let error = single_uniform(key) * scenario.routing.landing_noise;
                cost_ms.push(rtt_ms * (1.0 + error));
            }
        }
        let order = preference_order(&cost_ms, sites);
        let announced = Table::filled(scenario.prefixes.len(), vec![false; sites]);
        NearestLanding { sites, rtt: rtt.clone(), cost_ms, order, announced }
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
    fn announce(&mut self, _now: SimTime, prefix: PrefixId, offers: &[Offer]) -> bool {
        let row = announcing(self.announced[prefix].len(), offers);
        let news = row != self.announced[prefix];
        self.announced[prefix] = row;
        news
    }

    fn fate(&self, group: ClientGroupId, prefix: PrefixId) -> Fate {
        let order = &self.order[group.index() * self.sites..(group.index() + 1) * self.sites];
        let announced = &self.announced[prefix];
        match order.iter().find(|&&site| announced[usize::from(site)]) {
            Some(&site) => {
                Fate::Lands(Landing { site: SiteId(u32::from(site)), via: None, links: ANY_LINK })
            }
            None => Fate::Lost(DropCause::NoRoute),
        }
    }

    fn explain(&self, group: ClientGroupId, prefix: PrefixId) -> Explanation {
        let row = group.index() * self.sites..(group.index() + 1) * self.sites;
        let (rtt, cost) = (self.rtt.row(group), &self.cost_ms[row]);
        let mut rows: Vec<SiteRank> = (0..self.sites)
            .map(|index| SiteRank {
                site: SiteId::from_index(index),
                announces: self.announced[prefix][index],
                rtt_ms: rtt[index],
                cost_ms: cost[index],
                reason: String::new(),
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
        Explanation::Sites(rows)
    }
}
