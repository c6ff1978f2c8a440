//! What is announced, where users land, which tunnels and limits are in force.

use super::{Event, World, phase, source};
use crate::kernel::stream::single_uniform;
use crate::kernel::{Id, SimSpan, SimTime, StreamKey, Table, entity_hash, math};
use crate::load::fluid::TenantLimit;
use crate::net::{NodeId, SiteId};
use crate::route::{Landing, LandingModel};
use crate::scenario::{ClientGroupId, PrefixId, Scenario, TenantId};
use crate::steer::TunnelPair;
use std::collections::BTreeMap;

/// Time between waves of groups that follow changed announcements. Routers send updates in
/// batches too; that five seconds is the right order is our assumption (the default advertisement
/// interval of RFC 4271 is 5 s inside and 30 s between ASes).
const WAVE: SimSpan = SimSpan::from_seconds(5);

/// Control state in force.
#[derive(Clone, Debug)]
pub(crate) struct Steering {
    /// Per prefix and site: announced, as far as our routers are concerned.
    pub announced: Table<PrefixId, Vec<bool>>,
    /// Per (client group, prefix): where the group lands now.
    pub landing: Vec<Option<Landing>>,
    /// Installed tunnels and the index of each pair.
    pub tunnels: Vec<TunnelPair>,
    pub tunnel_of: BTreeMap<(NodeId, NodeId), usize>,
    /// Share of what lands at a site that is served at another.
    pub spills: BTreeMap<(SiteId, SiteId, Option<TenantId>), f64>,
    /// Limits by (tenant, neighbour).
    pub limits: Vec<TenantLimit>,
    /// Groups that will follow a change, by batch.
    batches: Vec<Vec<(ClientGroupId, PrefixId)>>,
    /// Number of changes of network and announcements so far: names the draws of convergence times.
    pub changes: u64,
}

impl Steering {
    pub fn new(scenario: &Scenario, model: &dyn LandingModel) -> Steering {
        let sites = scenario.network.sites.len();
        let announced: Table<PrefixId, Vec<bool>> = scenario
            .prefixes
            .rows()
            .iter()
            .map(|prefix| {
                let mut row = vec![false; sites];
                prefix.sites.iter().for_each(|site| row[site.index()] = true);
                row
            })
            .collect();
        let landing = scenario
            .client_groups
            .ids()
            .flat_map(|group| scenario.prefixes.ids().map(move |prefix| (group, prefix)))
            .map(|(group, prefix)| model.landing(group, &|site| announced[prefix][site.index()]))
            .collect();
        let limits = vec![
            TenantLimit { police_bps: None, remark_bps: None };
            scenario.tenants.len() * scenario.network.neighbours.len()
        ];
        Steering {
            announced,
            landing,
            tunnels: Vec::new(),
            tunnel_of: BTreeMap::new(),
            spills: BTreeMap::new(),
            limits,
            batches: Vec::new(),
            changes: 0,
        }
    }

    /// Where a group lands for a prefix.
    pub fn landing(
        &self,
        prefixes: usize,
        group: ClientGroupId,
        prefix: PrefixId,
    ) -> Option<Landing> {
        self.landing[group.index() * prefixes + prefix.index()]
    }

    /// Installs tunnels in place of all earlier ones.
    pub fn set_tunnels(&mut self, pairs: &[TunnelPair]) {
        self.tunnels = pairs.to_vec();
        self.tunnel_of =
            pairs.iter().enumerate().map(|(index, pair)| ((pair.from, pair.to), index)).collect();
    }
}

impl World<'_> {
    /// Whether the Internet can hear a site's announcement of a prefix.
    pub fn heard(&self, prefix: PrefixId, site: SiteId) -> bool {
        self.steering.announced[prefix][site.index()] && self.truth.site_heard[site]
    }

    /// Announcements changed: every group whose best site is another one now will follow, each
    /// after a convergence time of its own. Only of one prefix, if only one changed.
    pub fn schedule_landing(&mut self, only: Option<PrefixId>) {
        let scenario = self.scenario;
        self.steering.changes += 1;
        let mut batches: BTreeMap<SimTime, Vec<(ClientGroupId, PrefixId)>> = BTreeMap::new();
        for (group, row) in scenario.client_groups.iter() {
            for prefix in scenario.prefixes.ids() {
                if only.is_some_and(|only| only != prefix) {
                    continue;
                }
                let next = self.landing_model.landing(group, &|site| self.heard(prefix, site));
                let now = self.steering.landing(scenario.prefixes.len(), group, prefix);
                if next.map(|landing| landing.site) != now.map(|landing| landing.site) {
                    let at = self.converged_at(&row.id, prefix);
                    batches.entry(at).or_default().push((group, prefix));
                }
            }
        }
        for (at, groups) in batches {
            let batch = self.steering.batches.len() as u32;
            self.steering.batches.push(groups);
            self.outbox.push((at, phase::EFFECT, source::LANDING, Event::Landing(batch)));
        }
    }

    /// Minimum plus an exponential time, cut at the maximum. Groups move in waves, at whole
    /// multiples of [`WAVE`], and not each at an instant of its own.
    fn converged_at(&self, group: &str, prefix: PrefixId) -> SimTime {
        let routing = &self.scenario.routing;
        let prefix = entity_hash("prefix", &self.scenario.prefixes[prefix].id);
        let draw = single_uniform(StreamKey {
            seed: self.scenario.seed,
            replication: self.replication,
            purpose: "bgp-convergence",
            entity: entity_hash("client-group", group)
                ^ prefix.rotate_left(23)
                ^ self.steering.changes.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        });
        let mean_s = routing.bgp_convergence_mean.seconds();
        let seconds = routing.bgp_convergence_min.seconds() - mean_s * math::ln(1.0 - draw);
        let seconds = seconds.min(routing.bgp_convergence_max.seconds());
        let at = self.now.after(SimSpan::from_seconds_f64_ceil(seconds));
        SimTime(at.0.div_ceil(WAVE.0).saturating_mul(WAVE.0))
    }

    /// Every group takes its best site now: how a run begins.
    pub fn land_at_once(&mut self) {
        let scenario = self.scenario;
        let prefixes = scenario.prefixes.len();
        for group in scenario.client_groups.ids() {
            for prefix in scenario.prefixes.ids() {
                let landing = self.landing_model.landing(group, &|site| self.heard(prefix, site));
                self.steering.landing[group.index() * prefixes + prefix.index()] = landing;
            }
        }
    }

    /// A batch of groups takes the best site of this moment.
    pub fn follow_announcements(&mut self, batch: u32) {
        let groups = std::mem::take(&mut self.steering.batches[batch as usize]);
        let prefixes = self.scenario.prefixes.len();
        for (group, prefix) in groups {
            let next = self.landing_model.landing(group, &|site| self.heard(prefix, site));
            let slot = group.index() * prefixes + prefix.index();
            let before = self.steering.landing[slot];
            if next.map(|landing| landing.site) != before.map(|landing| landing.site) {
                self.steering.landing[slot] = next;
                self.ledger.moved_requests_per_s +=
                    self.bundles.rate_of(&self.demands, group, prefix);
                self.moved.push((group, prefix));
            }
        }
    }
}
