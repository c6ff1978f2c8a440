//! Which traffic shares a fate: bundles, made anew whenever landing, paths or spills change.

use super::World;
use crate::kernel::{Id, SimSpan};
use crate::load::demand::Demands;
use crate::load::fluid::{Branch, Bundle, Fetched, Refused};
use crate::load::links::Path;
use crate::net::{ArcId, ColoId, LinkId, NeighbourId, NeighbourKind, NodeId, NodeKind, SiteId};
use crate::record::DropCause;
use crate::route::landing::{ANY_LINK, link_bit};
use crate::route::{Fate, Landing};
use crate::scenario::{
    ClientGroupId, DemandId, PrefixId, Scenario, ServiceId, Source, Target, TenantId,
};
use std::collections::BTreeMap;

/// What makes two demands share a fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    origin: Origin,
    target: Destination,
    service: ServiceId,
    tenant: TenantId,
    /// Whether it is part of an attack.
    attack: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    /// A site, and the neighbour over whose links it comes, where routing says, and which links.
    Landing(SiteId, Option<NeighbourId>, u64),
    Node(NodeId),
    /// What a cache fetches from there for itself.
    Fetch(NodeId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Destination {
    /// Users of a neighbour; none: somewhere behind the Internet, egress not modelled.
    Users(Option<NeighbourId>),
    Node(NodeId),
}

/// What the ledger needs of a demand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DemandFate {
    /// Client group, if users ask.
    pub group: Option<ClientGroupId>,
    /// Nanoseconds of round trips before an answer.
    pub round_trips_ns: u64,
    /// One of them.
    pub rtt_ns: u64,
    /// How much of that only sets the connection up.
    pub setup_ns: u64,
    /// Whether another announcing site would be nearer.
    pub non_best: bool,
    /// Why it is lost, if it lands nowhere.
    pub lost: Option<DropCause>,
}

/// Bundles, which keep their numbers for the whole run, and who is in which.
#[derive(Clone, Debug)]
pub(crate) struct Bundles {
    pub list: Vec<Bundle>,
    /// Bundle of each demand; none: it lands nowhere.
    pub of_demand: Vec<Option<u32>>,
    pub fate: Vec<DemandFate>,
    keys: Vec<Key>,
    numbers: BTreeMap<Key, u32>,
    demands_of: BTreeMap<(ClientGroupId, PrefixId), Vec<DemandId>>,
    /// Prefix of each group's first demand; the first prefix where it has none.
    pub first_prefix: Vec<Option<PrefixId>>,
    /// Per (client group, prefix): round trip to the nearest site that could serve it.
    best_rtt: Vec<Option<SimSpan>>,
    /// Sites came or went: `best_rtt` is old.
    pub best_stale: bool,
}

impl Bundles {
    pub fn new(scenario: &Scenario) -> Bundles {
        let mut demands_of: BTreeMap<_, Vec<DemandId>> = BTreeMap::new();
        let mut fate = vec![DemandFate::default(); scenario.demands.len()];
        let mut first_prefix = vec![None; scenario.client_groups.len()];
        for (id, demand) in scenario.demands.iter() {
            if let (Source::Clients(group), Target::Prefix(prefix)) = (demand.source, demand.target)
            {
                demands_of.entry((group, prefix)).or_default().push(id);
                fate[id.index()].group = Some(group);
                first_prefix[group.index()].get_or_insert(prefix);
            }
        }
        for prefix in &mut first_prefix {
            *prefix = prefix.or(scenario.prefixes.ids().next());
        }
        Bundles {
            list: Vec::new(),
            of_demand: vec![None; scenario.demands.len()],
            fate,
            keys: Vec::new(),
            numbers: BTreeMap::new(),
            demands_of,
            first_prefix,
            best_rtt: Vec::new(),
            best_stale: true,
        }
    }

    /// Requests per second that a group sends to a prefix now.
    pub fn rate_of(&self, demands: &Demands, group: ClientGroupId, prefix: PrefixId) -> f64 {
        self.demands_of
            .get(&(group, prefix))
            .map_or(0.0, |list| list.iter().map(|demand| demands.rate[demand.index()]).sum())
    }
}

/// A place that serves a share by itself, with nothing to wait for.
fn branch(colo: Option<ColoId>, node: NodeId, share: f64) -> Branch {
    Branch { colo, node, share, spill: None, exit: None, fetch: Fetched::default() }
}

impl World<'_> {
    /// Number of the bundle by which a cache fetches a service's objects.
    pub(super) fn fetch_bundle(&mut self, from: NodeId, to: NodeId, service: ServiceId) -> u32 {
        let (origin, target) = (Origin::Fetch(from), Destination::Node(to));
        let tenant = TenantId::from_index(0);
        self.bundle_number(Key { origin, target, service, tenant, attack: false })
    }

    /// Whether a bundle is part of an attack.
    pub(super) fn is_attack(&self, bundle: usize) -> bool {
        self.bundles.keys[bundle].attack
    }

    /// Assigns demands to their bundles and finds the bundles' ways: those of groups that moved
    /// only, or all if the network changed.
    pub fn assign_bundles(&mut self) {
        let moved = std::mem::take(&mut self.moved);
        let known = if self.ways_stale { 0 } else { self.bundles.list.len() };
        if self.bundles.best_stale {
            self.find_best_sites();
        }
        if self.ways_stale {
            self.scenario.demands.ids().for_each(|demand| self.assign(demand));
        } else {
            for place in moved {
                let demands = self.bundles.demands_of.get(&place).cloned().unwrap_or_default();
                demands.into_iter().for_each(|demand| self.assign(demand));
            }
        }
        self.ways_stale = false;
        self.assign_fetches();
        let mut exits: BTreeMap<NeighbourId, Vec<(Path, f64)>> = BTreeMap::new();
        for number in known..self.bundles.list.len() {
            self.find_way(number, &mut exits);
        }
    }

    fn assign(&mut self, demand: DemandId) {
        let key = self.key_of(demand);
        let number = key.map(|key| self.bundle_number(key));
        self.bundles.of_demand[demand.index()] = number;
    }

    /// The nearest site that is up and configured for a prefix, for every group.
    fn find_best_sites(&mut self) {
        let scenario = self.scenario;
        self.bundles.best_stale = false;
        self.bundles.best_rtt.clear();
        for group in scenario.client_groups.ids() {
            for prefix in scenario.prefixes.rows() {
                let up = prefix.sites.iter().filter(|&&site| self.truth.site_up[site]);
                let best = up.map(|&site| self.rtt.span(group, site)).min();
                self.bundles.best_rtt.push(best);
            }
        }
    }

    fn key_of(&mut self, id: DemandId) -> Option<Key> {
        let scenario = self.scenario;
        let demand = &scenario.demands[id];
        let (origin, target) = match (demand.source, demand.target) {
            (Source::Clients(group), Target::Prefix(prefix)) => {
                let Landing { site, via, links } =
                    match self.steering.fate(scenario.prefixes.len(), group, prefix) {
                        Fate::Lands(landing) => landing,
                        Fate::Lost(cause) => {
                            self.bundles.fate[id.index()].lost = Some(cause);
                            return None;
                        }
                    };
                self.bundles.fate[id.index()] = self.client_fate(id, group, prefix, site);
                let row = &scenario.client_groups[group];
                // Where routing says over whom requests come in, responses leave over the same network.
                let users = Destination::Users(row.neighbour.or(via));
                (Origin::Landing(site, via, links), users)
            }
            (Source::Node(from), Target::Node(to)) => {
                let target = match scenario.network.nodes[to] {
                    NodeKind::Colo(_) => Destination::Node(to),
                    NodeKind::Neighbour(neighbour) => Destination::Users(Some(neighbour)),
                };
                (Origin::Node(from), target)
            }
            _ => unreachable!("scenarios pair client groups with prefixes and nodes with nodes"),
        };
        let attack = self.admission.attacks(id);
        Some(Key { origin, target, service: demand.service, tenant: demand.tenant, attack })
    }

    fn client_fate(
        &self,
        id: DemandId,
        group: ClientGroupId,
        prefix: PrefixId,
        landed: SiteId,
    ) -> DemandFate {
        let scenario = self.scenario;
        let rtt = self.rtt.span(group, landed);
        let best_of = |prefix: PrefixId| {
            self.bundles.best_rtt[group.index() * scenario.prefixes.len() + prefix.index()]
        };
        // Who asks for a name could be answered with any of its candidates.
        let best = match scenario.dns.whole_of(id) {
            None => best_of(prefix),
            Some((_, whole)) => {
                let candidates = &scenario.dns.names[whole.name].candidates;
                candidates.iter().filter_map(|&prefix| best_of(prefix)).min()
            }
        };
        let trips = scenario.services[scenario.demands[id].service].setup_round_trips;
        DemandFate {
            group: Some(group),
            round_trips_ns: (rtt.0 as f64 * trips) as u64,
            rtt_ns: rtt.0,
            // The last round trip carries the request and its answer.
            setup_ns: (rtt.0 as f64 * (trips - 1.0).max(0.0)) as u64,
            non_best: best.is_some_and(|best| best < rtt),
            lost: None,
        }
    }

    fn bundle_number(&mut self, key: Key) -> u32 {
        if let Some(&number) = self.bundles.numbers.get(&key) {
            return number;
        }
        let service = &self.scenario.services[key.service];
        let transfer = !matches!(key.origin, Origin::Landing(..));
        let (request_bits, mut response_bits, cpu_s) = Bundle::units(service, transfer);
        let fetch = matches!(key.origin, Origin::Fetch(_));
        if self.scenario.plays_flows(key.service) && !fetch {
            // What leaves is played flow by flow.
            response_bits = 0.0;
        }
        let number = self.bundles.list.len() as u32;
        self.bundles.list.push(Bundle {
            service: key.service,
            tenant: key.tenant,
            class: service.class,
            request_bits,
            response_bits,
            cpu_s,
            requests: !transfer,
            landing: match key.origin {
                Origin::Landing(site, ..) => Some(site),
                Origin::Node(node) | Origin::Fetch(node) => self.scenario.network.node_site(node),
            },
            neighbour: match key.target {
                Destination::Users(neighbour) => neighbour,
                Destination::Node(_) => None,
            },
            dead: false,
            refused: Refused::default(),
            fetch,
            entry: Vec::new(),
            branches: Vec::new(),
            exits: Vec::new(),
        });
        self.bundles.keys.push(key);
        self.bundles.numbers.insert(key, number);
        number
    }

    /// Entry links, serving places and exits of a bundle under the present state.
    fn find_way(&mut self, number: usize, exits: &mut BTreeMap<NeighbourId, Vec<(Path, f64)>>) {
        let key = self.bundles.keys[number];
        let network = &self.scenario.network;
        let site = match key.origin {
            Origin::Landing(site, ..) => Some(site),
            Origin::Node(node) | Origin::Fetch(node) => network.node_site(node),
        };
        let dead = site.is_some_and(|site| !self.truth.site_up[site]);
        let (entry, branches) = match key.origin {
            Origin::Landing(site, via, links) => {
                let neighbour = via.or(self.bundles.list[number].neighbour);
                let mut branches = self.serving_branches(site, key);
                self.keep_waiting_branches(number, &mut branches);
                (self.entry_arcs(site, neighbour, links), branches)
            }
            Origin::Node(node) => (Vec::new(), self.transfer_branches(node, site, key)),
            Origin::Fetch(node) => (Vec::new(), vec![branch(None, node, 1.0)]),
        };
        let exits = match key.target {
            Destination::Users(None) => Vec::new(),
            Destination::Users(Some(neighbour)) => exits
                .entry(neighbour)
                .or_insert_with(|| {
                    self.routes
                        .dags_to_neighbour(network, &self.graph, neighbour)
                        .into_iter()
                        .map(|(dag, share)| (Path::Dag(dag), share))
                        .collect()
                })
                .clone(),
            Destination::Node(to) => {
                let path = match key.origin {
                    Origin::Node(from) | Origin::Fetch(from) => self.inside_path(from, to),
                    Origin::Landing(..) => Path::Dag(self.routes.dag_to_node(&self.graph, to)),
                };
                vec![(path, 1.0)]
            }
        };
        let bundle = &mut self.bundles.list[number];
        (bundle.dead, bundle.entry) = (dead, entry);
        (bundle.branches, bundle.exits) = (branches, exits);
    }

    /// Links by which a neighbour's requests reach a landing site, in proportion to capacity: its
    /// own links there (of these only `links`, as long as any is up), else transit.
    fn entry_arcs(
        &self,
        site: SiteId,
        neighbour: Option<NeighbourId>,
        links: u64,
    ) -> Vec<(ArcId, f64)> {
        let Some(neighbour) = neighbour else { return Vec::new() };
        let network = &self.scenario.network;
        let installed = self.routes.installed();
        let arcs_from = |wanted: &dyn Fn(NeighbourId) -> bool| -> Vec<ArcId> {
            let colos = &network.sites[site].colos;
            colos
                .iter()
                .flat_map(|&colo| self.graph.entering(network.colos[colo].node))
                .copied()
                .filter(|arc| installed.up[arc.index()])
                .filter(|arc| match network.nodes[self.graph.from[arc.index()]] {
                    NodeKind::Neighbour(from) => wanted(from),
                    NodeKind::Colo(_) => false,
                })
                .collect()
        };
        let mut arcs = arcs_from(&|from| from == neighbour);
        if links != ANY_LINK {
            let node = network.neighbours[neighbour].node;
            let outside = self.steering.outside(site).iter().copied();
            let between: Vec<LinkId> =
                outside.filter(|&link| network.links[link].ends.contains(&node)).collect();
            let chosen = |arc: &ArcId| {
                let place = between.iter().position(|&link| link == arc.link());
                place.is_some_and(|place| links & link_bit(place) != 0)
            };
            if arcs.iter().any(chosen) {
                arcs.retain(chosen);
            }
        }
        if arcs.is_empty() {
            arcs = arcs_from(&|from| network.neighbours[from].kind == NeighbourKind::Transit);
        }
        let total: f64 = arcs.iter().map(|arc| installed.capacity_bps[arc.index()]).sum();
        arcs.into_iter()
            .filter(|arc| installed.capacity_bps[arc.index()] > 0.0)
            .map(|arc| (arc, installed.capacity_bps[arc.index()] / total))
            .collect()
    }

    /// Shares of a site's landed traffic that are served elsewhere, at most 1 in all.
    fn spill_shares(&self, site: SiteId, tenant: TenantId) -> Vec<(SiteId, f64)> {
        let mut shares: Vec<(SiteId, f64)> = self
            .steering
            .spills
            .iter()
            .filter(|((from, _, only), _)| *from == site && only.is_none_or(|only| only == tenant))
            .map(|((_, to, _), &share)| (*to, share))
            .filter(|(_, share)| *share > 0.0)
            .collect();
        let total: f64 = shares.iter().map(|(_, share)| share).sum();
        if total > 1.0 {
            shares.iter_mut().for_each(|(_, share)| *share /= total);
        }
        shares
    }

    fn serving_branches(&mut self, site: SiteId, key: Key) -> Vec<Branch> {
        let network = &self.scenario.network;
        let cpu = self.scenario.services[key.service].cpu_s > 0.0;
        let landing_node = network.site_node(site);
        let spills = self.spill_shares(site, key.tenant);
        let kept = 1.0 - spills.iter().map(|(_, share)| share).sum::<f64>();
        let mut branches = Vec::new();
        for (at, site_share) in std::iter::once((site, kept)).chain(spills) {
            if site_share <= 0.0 {
                continue;
            }
            for (colo, share) in self.colo_shares(at) {
                let node = network.colos[colo].node;
                let spill = (at != site)
                    .then(|| (landing_node, Path::Dag(self.routes.dag_to_node(&self.graph, node))));
                let servers = cpu && !network.colos[colo].pools.is_empty();
                branches.push(Branch {
                    colo: servers.then_some(colo),
                    node,
                    share: site_share * share,
                    spill,
                    exit: None,
                    fetch: Fetched::default(),
                });
            }
        }
        branches
    }

    /// Where work of a bundle still waits, its responses leave from there, even if nothing new is
    /// sent there any more: such a branch stays, with no share.
    fn keep_waiting_branches(&self, number: usize, branches: &mut Vec<Branch>) {
        for (colo, backlog) in self.backlogs.iter() {
            let waits = backlog.waiting.iter().any(|waiting| waiting.bundle as usize == number);
            if waits && !branches.iter().any(|branch| branch.colo == Some(colo)) {
                let node = self.scenario.network.colos[colo].node;
                branches.push(Branch {
                    colo: Some(colo),
                    node,
                    share: 0.0,
                    spill: None,
                    exit: None,
                    fetch: Fetched::default(),
                });
            }
        }
    }

    /// Colos of a site share its work in proportion to the servers in service; a site without
    /// servers serves at its first colo, one with none in service turns away at its first with any.
    fn colo_shares(&self, site: SiteId) -> Vec<(ColoId, f64)> {
        let colos = &self.scenario.network.sites[site].colos;
        let capacity = |colo: ColoId| {
            let capacity = self.colos[colo].capacity;
            if capacity.is_finite() { capacity } else { 0.0 }
        };
        let total: f64 = colos.iter().map(|&colo| capacity(colo)).sum();
        if total <= 0.0 {
            let pools = |colo: &ColoId| !self.scenario.network.colos[*colo].pools.is_empty();
            return vec![(colos.iter().copied().find(pools).unwrap_or(colos[0]), 1.0)];
        }
        colos
            .iter()
            .filter(|&&colo| capacity(colo) > 0.0)
            .map(|&colo| (colo, capacity(colo) / total))
            .collect()
    }

    /// The way between two nodes: a pair's tunnels where it has some, else the IGP's.
    fn inside_path(&mut self, from: NodeId, to: NodeId) -> Path {
        match self.steering.tunnel_of.get(&(from, to)) {
            Some(&pair) => Path::Tunnels(pair),
            None => Path::Dag(self.routes.dag_to_node(&self.graph, to)),
        }
    }

    /// A transfer starts at its source; a spilled share starts at another site that has the
    /// content too, and takes that site's way to the destination.
    fn transfer_branches(&mut self, node: NodeId, site: Option<SiteId>, key: Key) -> Vec<Branch> {
        let spills = site.map_or_else(Vec::new, |site| self.spill_shares(site, key.tenant));
        let kept = 1.0 - spills.iter().map(|(_, share)| share).sum::<f64>();
        let mut branches = vec![Branch {
            colo: None,
            node,
            share: kept,
            spill: None,
            exit: None,
            fetch: Fetched::default(),
        }];
        for (site, share) in spills {
            let node = self.scenario.network.site_node(site);
            let exit = match key.target {
                Destination::Node(to) => Some(self.inside_path(node, to)),
                Destination::Users(_) => None,
            };
            branches.push(Branch {
                colo: None,
                node,
                share,
                spill: None,
                exit,
                fetch: Fetched::default(),
            });
        }
        branches.retain(|branch| branch.share > 0.0);
        branches
    }
}
