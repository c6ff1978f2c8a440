//! What is really up.

use crate::kernel::{Id, Table};
use crate::load::links::Truth;
use crate::net::{ArcId, LinkId, Network, NodeKind, PoolId, SiteId, SrlgId};
use crate::route::Installed;
use crate::scenario::Change;

/// Causes of trouble, and the state of links that follows from them.
#[derive(Clone, Debug)]
pub(crate) struct TruthState {
    pub site_up: Table<SiteId, bool>,
    /// Whether the Internet can hear a site: it is up, and one of its links to neighbours is, if
    /// it has any.
    pub site_heard: Table<SiteId, bool>,
    /// Share of each pool's servers in service.
    pub pool_up: Table<PoolId, f64>,
    /// The links as they are.
    pub links: Truth,
    link_failed: Table<LinkId, bool>,
    /// For how many reasons no BGP is spoken over each link.
    session_down: Table<LinkId, u32>,
    members_down: Table<LinkId, u32>,
    srlg_failed: Table<SrlgId, bool>,
    /// Per arc: blocks its neighbour has withdrawn from it.
    withdrawn: Vec<u64>,
}

/// The lowest `count` of 64 bits.
fn low_bits(count: u32) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

impl TruthState {
    pub fn new(network: &Network) -> TruthState {
        let arcs = network.arc_count();
        let mut state = TruthState {
            site_up: Table::filled(network.sites.len(), true),
            site_heard: Table::filled(network.sites.len(), true),
            pool_up: Table::filled(network.pools.len(), 1.0),
            links: Truth {
                up: vec![false; arcs],
                capacity_bps: vec![0.0; arcs],
                blocks: vec![0; arcs],
            },
            link_failed: Table::filled(network.links.len(), false),
            session_down: Table::filled(network.links.len(), 0),
            members_down: Table::filled(network.links.len(), 0),
            srlg_failed: Table::filled(network.srlgs.len(), false),
            withdrawn: vec![0; arcs],
        };
        state.refresh(network);
        state
    }

    /// What routing would install if it converged now.
    pub fn installed(&self) -> Installed {
        Installed {
            up: self.links.up.clone(),
            capacity_bps: self.links.capacity_bps.clone(),
            blocks: self.links.blocks.clone(),
        }
    }

    /// Whether routes are exchanged over a link to a neighbour.
    pub fn session_up(&self, link: LinkId) -> bool {
        let up =
            self.links.up[ArcId::of(link, 0).index()] || self.links.up[ArcId::of(link, 1).index()];
        up && self.session_down[link] == 0
    }

    /// Applies a change of the world. Marks and feed outages are not the network's.
    pub fn apply(&mut self, change: &Change, network: &Network) {
        match change {
            Change::LinkFails(link) => self.link_failed[*link] = true,
            Change::LinkRestored(link) => {
                self.link_failed[*link] = false;
                self.members_down[*link] = 0;
            }
            Change::LinkMembersDown(link, members) => self.members_down[*link] = *members,
            Change::SiteFails(site) => self.site_up[*site] = false,
            Change::SiteRestored(site) => self.site_up[*site] = true,
            Change::SrlgFails(srlg) => self.srlg_failed[*srlg] = true,
            Change::SrlgRestored(srlg) => self.srlg_failed[*srlg] = false,
            Change::ServersDown(pool, share) => self.pool_up[*pool] = 1.0 - share.clamp(0.0, 1.0),
            Change::NeighbourWithdraws { links, share, .. } => {
                self.withdraw(network, links, *share);
            }
            Change::NeighbourRestores { links } => self.withdraw(network, links, 0.0),
            Change::SessionDown(link) => self.session_down[*link] += 1,
            Change::SessionUp(link) => {
                self.session_down[*link] = self.session_down[*link].saturating_sub(1);
            }
            Change::RoutingTrouble(_)
            | Change::RoutingTroubleEnds(_)
            | Change::FeedOutage(..)
            | Change::Mark => {}
        }
        self.refresh(network);
    }

    /// The first `share` of a neighbour's blocks, in whole blocks rounded up, is withdrawn.
    fn withdraw(&mut self, network: &Network, links: &[LinkId], share: f64) {
        for &link in links {
            for direction in 0..2 {
                let arc = ArcId::of(link, direction);
                if let NodeKind::Neighbour(neighbour) = network.nodes[network.arc_to(arc)] {
                    let blocks = network.neighbours[neighbour].blocks;
                    let count = libm::ceil(share.clamp(0.0, 1.0) * f64::from(blocks)) as u32;
                    self.withdrawn[arc.index()] = low_bits(count.min(blocks));
                }
            }
        }
    }

    fn refresh(&mut self, network: &Network) {
        let node_up = |node| network.node_site(node).is_none_or(|site| self.site_up[site]);
        for (link, row) in network.links.iter() {
            let members_up = row.lag_members.saturating_sub(self.members_down[link]);
            let up = !self.link_failed[link]
                && members_up > 0
                && !row.srlgs.iter().any(|&srlg| self.srlg_failed[srlg])
                && row.ends.iter().all(|&end| node_up(end));
            for direction in 0..2 {
                let arc = ArcId::of(link, direction);
                let configured = row.capacity_bps[direction] as f64;
                let up = up && configured > 0.0;
                let whole = f64::from(members_up) / f64::from(row.lag_members);
                self.links.up[arc.index()] = up;
                self.links.capacity_bps[arc.index()] = if up { configured * whole } else { 0.0 };
                self.links.blocks[arc.index()] = match network.nodes[network.arc_to(arc)] {
                    NodeKind::Neighbour(neighbour) if up && self.session_down[link] == 0 => {
                        low_bits(network.neighbours[neighbour].blocks)
                            & !self.withdrawn[arc.index()]
                    }
                    _ => 0,
                };
            }
        }
        self.refresh_heard(network);
    }

    fn refresh_heard(&mut self, network: &Network) {
        let (mut outside, mut alive) = (
            Table::<SiteId, bool>::filled(network.sites.len(), false),
            Table::<SiteId, bool>::filled(network.sites.len(), false),
        );
        for arc in (0..network.arc_count()).map(ArcId::from_index) {
            let leads_out = matches!(network.nodes[network.arc_to(arc)], NodeKind::Neighbour(_));
            if let (true, Some(site)) = (leads_out, network.node_site(network.arc_from(arc))) {
                outside[site] = true;
                alive[site] |= self.links.up[arc.index()] && self.session_down[arc.link()] == 0;
            }
        }
        for site in network.sites.ids() {
            self.site_heard[site] = self.site_up[site] && (alive[site] || !outside[site]);
        }
    }
}
