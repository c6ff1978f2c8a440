//! What is announced, where users land, which tunnels and limits are in force.

use super::{Event, World, phase, source};
use crate::kernel::stream::single_uniform;
use crate::kernel::{Id, SimSpan, SimTime, StreamKey, Table, entity_hash, math};
use crate::load::fluid::TenantLimit;
use crate::net::{LinkId, NodeId, NodeKind, SiteId};
use crate::record::{DropCause, MoveRecord, Recorder};
use crate::route::Fate;
use crate::route::landing::{Attributes, Explanation, HopChoice, Offer, Trouble};
use crate::scenario::{ClientGroupId, PrefixId, Scenario, TenantId};
use crate::steer::TunnelPair;
use std::collections::BTreeMap;

/// Time between waves of groups that follow changed announcements. Routers send updates in
/// batches too; that five seconds is the right order is our assumption (the default advertisement
/// interval of RFC 4271 is 5 s inside and 30 s between ASes).
const WAVE: SimSpan = SimSpan::from_seconds(5);

/// How a prefix is announced over one session, where that is not plainly.
type Session = (PrefixId, SiteId, LinkId);

/// Some groups that follow one change together.
#[derive(Clone, Debug, Default)]
struct Batch {
    groups: Vec<(ClientGroupId, PrefixId)>,
    cause: String,
}

/// Control state in force.
#[derive(Clone, Debug)]
pub(crate) struct Steering {
    /// Per prefix and site: announced, as far as our routers are concerned.
    pub announced: Table<PrefixId, Vec<bool>>,
    /// Sessions over which a prefix is announced otherwise than plainly: whether at all, and how.
    sessions: BTreeMap<Session, (bool, Attributes)>,
    /// Per (client group, prefix): what becomes of its traffic now.
    fate: Vec<Fate>,
    /// Links of each site to neighbours.
    outside: Table<SiteId, Vec<LinkId>>,
    /// Installed tunnels and the index of each pair.
    pub tunnels: Vec<TunnelPair>,
    pub tunnel_of: BTreeMap<(NodeId, NodeId), usize>,
    /// Share of what lands at a site that is served at another.
    pub spills: BTreeMap<(SiteId, SiteId, Option<TenantId>), f64>,
    /// Limits by (tenant, neighbour).
    pub limits: Vec<TenantLimit>,
    /// Groups that will follow a change, by batch; taken when they do.
    batches: BTreeMap<u32, Batch>,
    /// Number of the next batch.
    next_batch: u32,
    /// What happened last, for people: why users move.
    pub cause: String,
    /// When the landing model is played next.
    routing_at: SimTime,
    /// Per link: whether routing knows its session as up.
    session_up: Vec<bool>,
    /// Trouble that others make now, in the order in which it began; twice if it began twice.
    troubles: Vec<Trouble>,
}

impl Steering {
    pub fn new(scenario: &Scenario) -> Steering {
        let network = &scenario.network;
        let sites = network.sites.len();
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
        let mut outside = Table::filled(sites, Vec::new());
        for (id, link) in network.links.iter() {
            let leads_out = |end: &NodeId| matches!(network.nodes[*end], NodeKind::Neighbour(_));
            if let (true, Some(site)) = (
                link.ends.iter().any(leads_out),
                link.ends.iter().find_map(|&end| network.node_site(end)),
            ) {
                outside[site].push(id);
            }
        }
        let limits = vec![
            TenantLimit { police_bps: None, remark_bps: None };
            scenario.tenants.len() * network.neighbours.len()
        ];
        let mut steering = Steering {
            announced,
            sessions: BTreeMap::new(),
            fate: vec![
                Fate::Lost(DropCause::NoRoute);
                scenario.client_groups.len() * scenario.prefixes.len()
            ],
            outside,
            tunnels: Vec::new(),
            tunnel_of: BTreeMap::new(),
            spills: BTreeMap::new(),
            limits,
            batches: BTreeMap::new(),
            next_batch: 0,
            cause: String::new(),
            routing_at: SimTime::NEVER,
            session_up: vec![true; network.links.len()],
            troubles: Vec::new(),
        };
        for row in &scenario.announcements {
            let attributes = row.attributes.clone();
            steering.set_sessions(row.prefix, row.site, row.link, row.announced, &attributes);
        }
        steering
    }

    /// Sets how a prefix is announced over one link of a site, or over all of them.
    pub fn set_sessions(
        &mut self,
        prefix: PrefixId,
        site: SiteId,
        link: Option<LinkId>,
        announced: bool,
        attributes: &Attributes,
    ) {
        let links = link.map_or_else(|| self.outside[site].clone(), |link| vec![link]);
        for link in links {
            self.sessions.insert((prefix, site, link), (announced, attributes.clone()));
        }
    }

    /// Links of a site to neighbours.
    pub fn outside(&self, site: SiteId) -> &[LinkId] {
        &self.outside[site]
    }

    /// What becomes of a group's traffic to a prefix.
    pub fn fate(&self, prefixes: usize, group: ClientGroupId, prefix: PrefixId) -> Fate {
        self.fate[group.index() * prefixes + prefix.index()]
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

    /// Sessions over which a prefix is announced and can be heard, in order of (site, link).
    fn offers(&self, prefix: PrefixId) -> Vec<Offer> {
        let mut offers = Vec::new();
        let sites = self.scenario.network.sites.ids();
        for site in sites.filter(|&site| self.heard(prefix, site)) {
            let links = &self.steering.outside[site];
            if links.is_empty() {
                offers.push(Offer { site, link: None, attributes: Attributes::default() });
            }
            for &link in links.iter().filter(|&&link| self.truth.session_up(link)) {
                let session = self.steering.sessions.get(&(prefix, site, link));
                let (announced, attributes) =
                    session.cloned().unwrap_or((true, Attributes::default()));
                if announced {
                    offers.push(Offer { site, link: Some(link), attributes });
                }
            }
        }
        offers
    }

    /// Whether a prefix is announced anywhere else than at a site over a link (or all of them).
    pub fn announced_elsewhere(
        &self,
        prefix: PrefixId,
        site: SiteId,
        link: Option<LinkId>,
    ) -> bool {
        let here = |offer: &Offer| {
            offer.site == site && (link.is_none() || offer.link.is_none() || offer.link == link)
        };
        self.offers(prefix).iter().any(|offer| !here(offer))
    }

    /// Announcements, or what is up, may have changed: tells routing. Of one prefix, if only one
    /// changed.
    pub fn announce(&mut self, only: Option<PrefixId>) {
        if only.is_none() {
            self.tell_sessions();
        }
        let changed: Vec<PrefixId> = self
            .scenario
            .prefixes
            .ids()
            .filter(|prefix| only.is_none_or(|only| only == *prefix))
            .filter(|&prefix| {
                let offers = self.offers(prefix);
                self.landing_model.announce(self.now, prefix, &offers)
            })
            .collect();
        self.routing_changed(&changed);
    }

    /// Tells routing which sessions went down or came up.
    fn tell_sessions(&mut self) {
        for site in self.scenario.network.sites.ids() {
            for &link in &self.steering.outside[site] {
                let up = self.truth.session_up(link);
                if std::mem::replace(&mut self.steering.session_up[link.index()], up) != up {
                    self.landing_model.set_session(self.now, link, up);
                }
            }
        }
    }

    /// Something others do changes routing for all prefixes. What began twice lasts until it has
    /// ended twice.
    pub fn set_trouble(&mut self, trouble: &Trouble, on: bool, recorder: &mut dyn Recorder) {
        let trouble = match *trouble {
            Trouble::Depeering { a, b } => Trouble::Depeering { a: a.min(b), b: a.max(b) },
            _ => trouble.clone(),
        };
        let troubles = &mut self.steering.troubles;
        let before = troubles.contains(&trouble);
        if on {
            troubles.push(trouble.clone());
        } else if let Some(at) = troubles.iter().position(|row| *row == trouble) {
            troubles.remove(at);
        }
        if troubles.contains(&trouble) == before {
            return;
        }
        self.landing_model.set_trouble(self.now, &trouble, on);
        if matches!(trouble, Trouble::Blackhole { .. }) && self.now > SimTime::ZERO {
            self.lose_at_once(recorder);
        }
        let all: Vec<PrefixId> = self.scenario.prefixes.ids().collect();
        self.routing_changed(&all);
    }

    /// Who discards traffic does so without telling anybody: users need not learn of it.
    fn lose_at_once(&mut self, recorder: &mut dyn Recorder) {
        let scenario = self.scenario;
        let discarded = Fate::Lost(DropCause::Blackhole);
        let mut groups = Vec::new();
        for group in scenario.client_groups.ids() {
            for prefix in scenario.prefixes.ids() {
                let next = self.landing_model.fate(group, prefix);
                let now = self.steering.fate(scenario.prefixes.len(), group, prefix);
                if next != now && (next == discarded || now == discarded) {
                    groups.push((group, prefix));
                }
            }
        }
        let cause = self.steering.cause.clone();
        self.move_groups(&Batch { groups, cause }, recorder);
    }

    /// Users follow what changed: at the start at once, else when routing has converged.
    fn routing_changed(&mut self, prefixes: &[PrefixId]) {
        if self.now == SimTime::ZERO {
            // How the network starts is known to routing; only changes are news.
            self.land_at_once();
            // What never settles goes on; what has settled has nothing left to do.
            self.schedule_routing();
            return;
        }
        if self.landing_model.converges_by_itself() {
            self.schedule_routing();
        } else {
            // Who waits to follow an earlier change is not hurried by one that no user hears of.
            self.schedule_landing(prefixes);
        }
    }

    /// The landing model is played when something happens in it, in steps.
    fn schedule_routing(&mut self) {
        let Some(next) = self.landing_model.next_time() else { return };
        let at = next.max(self.now);
        if at < self.steering.routing_at {
            self.steering.routing_at = at;
            self.outbox.push((at, phase::EFFECT, source::ROUTING, Event::Routing));
        }
    }

    /// Plays the landing model up to now. Users go where their networks send them at once.
    pub fn play_routing(&mut self, recorder: &mut dyn Recorder) {
        if self.now < self.steering.routing_at {
            return;
        }
        self.steering.routing_at = SimTime::NEVER;
        let scenario = self.scenario;
        let changed = self.landing_model.advance(self.now);
        let groups = changed
            .into_iter()
            .flat_map(|prefix| scenario.client_groups.ids().map(move |group| (group, prefix)))
            .collect();
        let cause = self.steering.cause.clone();
        self.move_groups(&Batch { groups, cause }, recorder);
        self.schedule_routing();
    }

    /// Every group whose fate is another one now will follow, each after a convergence time of its
    /// own.
    fn schedule_landing(&mut self, prefixes: &[PrefixId]) {
        let scenario = self.scenario;
        let mut batches: BTreeMap<SimTime, Vec<(ClientGroupId, PrefixId)>> = BTreeMap::new();
        for (group, row) in scenario.client_groups.iter() {
            for &prefix in prefixes {
                let next = self.landing_model.fate(group, prefix);
                if next != self.steering.fate(scenario.prefixes.len(), group, prefix) {
                    let at = self.converged_at(&row.id, prefix);
                    batches.entry(at).or_default().push((group, prefix));
                }
            }
        }
        for (at, groups) in batches {
            let batch = self.steering.next_batch;
            self.steering.next_batch += 1;
            let cause = self.steering.cause.clone();
            self.steering.batches.insert(batch, Batch { groups, cause });
            self.outbox.push((at, phase::EFFECT, source::LANDING, Event::Landing(batch)));
        }
    }

    /// Minimum plus an exponential time, cut at the maximum. The instant of the change names the
    /// draw, so that arms which act differently elsewhere still share it. Groups move in waves, at whole
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
                ^ self.now.0.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        });
        let mean_s = routing.bgp_convergence_mean.seconds();
        let seconds = routing.bgp_convergence_min.seconds() - mean_s * math::ln(1.0 - draw);
        let seconds = seconds.min(routing.bgp_convergence_max.seconds());
        let at = self.now.after(SimSpan::from_seconds_f64_ceil(seconds));
        SimTime(at.0.div_ceil(WAVE.0).saturating_mul(WAVE.0))
    }

    /// Every group goes where routing sends it now: how a run begins.
    pub fn land_at_once(&mut self) {
        let scenario = self.scenario;
        let prefixes = scenario.prefixes.len();
        self.landing_model.advance(self.now);
        for group in scenario.client_groups.ids() {
            for prefix in scenario.prefixes.ids() {
                self.steering.fate[group.index() * prefixes + prefix.index()] =
                    self.landing_model.fate(group, prefix);
            }
        }
        self.ways_stale = true;
    }

    /// A batch of groups goes where routing sends it at this moment.
    pub fn follow_announcements(&mut self, batch: u32, recorder: &mut dyn Recorder) {
        let batch = self.steering.batches.remove(&batch).expect("a batch follows once");
        self.move_groups(&batch, recorder);
    }

    fn move_groups(&mut self, batch: &Batch, recorder: &mut dyn Recorder) {
        let prefixes = self.scenario.prefixes.len();
        let mut moves = Vec::new();
        for &(group, prefix) in &batch.groups {
            let to = self.landing_model.fate(group, prefix);
            let slot = group.index() * prefixes + prefix.index();
            let from = self.steering.fate[slot];
            if to == from {
                continue;
            }
            self.steering.fate[slot] = to;
            self.moved.push((group, prefix));
            let requests_per_s = self.bundles.rate_of(&self.demands, group, prefix);
            if to.site() != from.site() {
                self.ledger.moved_requests_per_s += requests_per_s;
            }
            let over_another_link = to.site().is_some() && to.site() == from.site();
            if !over_another_link {
                moves.push(Move { group, prefix, from, to, requests_per_s });
            }
        }
        self.tell_moves(moves, &batch.cause, recorder);
    }

    /// Tells the largest moves one by one, with their reasons.
    fn tell_moves(&self, mut moves: Vec<Move>, cause: &str, recorder: &mut dyn Recorder) {
        moves.sort_by(|a, b| {
            (b.requests_per_s.total_cmp(&a.requests_per_s))
                .then(a.group.cmp(&b.group))
                .then(a.prefix.cmp(&b.prefix))
        });
        for row in moves.iter().take(MOVES_TOLD) {
            let (as_path, reason) = match self.landing_model.explain(row.group, row.prefix) {
                Explanation::Hops(hops) => way_of(&hops),
                Explanation::Sites(rows) => {
                    (String::new(), rows.first().map_or_else(String::new, |row| row.reason.clone()))
                }
                Explanation::Words(words) => (String::new(), words),
            };
            recorder.moved(&MoveRecord {
                at: self.now,
                cause,
                client_group: row.group,
                prefix: row.prefix,
                from: row.from,
                to: row.to,
                requests_per_s: row.requests_per_s,
                as_path: &as_path,
                reason: &reason,
            });
        }
    }
}

/// Moves told one by one at an instant: the largest. The others are in the sums.
const MOVES_TOLD: usize = 10;

/// A group whose traffic fares otherwise from now on.
struct Move {
    group: ClientGroupId,
    prefix: PrefixId,
    from: Fate,
    to: Fate,
    requests_per_s: f64,
}

/// The AS path that is taken, from the users on, and why at the first AS that had a choice.
fn way_of(hops: &[HopChoice]) -> (String, String) {
    let names: Vec<String> = hops.iter().map(|hop| hop.asn.to_string()).collect();
    let chose = |hop: &&HopChoice| hop.routes.len() > 1 && hop.routes[0].learned_from != "own";
    let choice = hops.iter().find(chose).or(hops.first());
    let reason = choice.and_then(|hop| {
        let taken = hop.routes.iter().find(|route| route.taken)?;
        Some(format!("AS{}: {}", hop.asn, taken.reason))
    });
    (names.join(" "), reason.unwrap_or_default())
}
