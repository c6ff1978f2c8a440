//! What policies ask: checked at once, effective through an actuator, later.

use super::{Event, World, phase, source};
use crate::kernel::{Id, SimSpan, SimTime, Stream, Table};
use crate::net::{Network, NodeKind};
use crate::record::{ActionRecord, Recorder};
use crate::scenario::{NameId, PrefixId, Scenario};
use crate::steer::{Action, AnswerScope, Descriptor, Refusal, Surface, TunnelPair};
use std::collections::BTreeMap;

/// Two opposite actions on one target within this time are a flap.
pub(super) const FLAP_WINDOW: SimSpan = SimSpan::from_seconds(600);

/// Requests and what became of them.
#[derive(Debug)]
pub(crate) struct Requests {
    /// Announcements as last requested (which may not be in force yet).
    pub announced: Table<PrefixId, Vec<bool>>,
    /// Requests so far; the number of the next one.
    asked: u64,
    /// Actions under way, by number; taken when they take effect.
    actions: BTreeMap<u32, Action>,
    actuators: Vec<Stream>,
    last: BTreeMap<String, (SimTime, bool)>,
    /// When the newest action on each target takes effect: a later one never overtakes it.
    newest_effect: BTreeMap<String, SimTime>,
    pub applied: u64,
    pub refused: u64,
    pub flaps: u64,
}

impl Requests {
    pub fn new(scenario: &Scenario, replication: u32) -> Requests {
        let sites = scenario.network.sites.len();
        let announced = scenario
            .prefixes
            .rows()
            .iter()
            .map(|prefix| {
                let mut row = vec![false; sites];
                prefix.sites.iter().for_each(|site| row[site.index()] = true);
                row
            })
            .collect();
        Requests {
            announced,
            asked: 0,
            actions: BTreeMap::new(),
            actuators: Surface::ALL
                .iter()
                .map(|surface| {
                    Stream::new(scenario.stream_key(
                        replication,
                        "actuator",
                        "surface",
                        surface.name(),
                    ))
                })
                .collect(),
            last: BTreeMap::new(),
            newest_effect: BTreeMap::new(),
            applied: 0,
            refused: 0,
            flaps: 0,
        }
    }
}

/// Entities an action is about, for people and for telling flaps: the same for an action and its
/// opposite.
fn target_of(action: &Action, scenario: &Scenario) -> String {
    let network = &scenario.network;
    let tenant_at = |tenant: crate::scenario::TenantId, neighbour: crate::net::NeighbourId| {
        format!("{} -> {}", scenario.tenants[tenant].id, network.neighbours[neighbour].id)
    };
    match action {
        Action::Withdraw { prefix, site } | Action::Announce { prefix, site } => {
            format!("{} at {}", scenario.prefixes[*prefix].id, network.sites[*site].id)
        }
        Action::ChangeAnnouncement { prefix, site, link, .. } => {
            let site = &network.sites[*site].id;
            let over = link.map_or("all links", |link| network.links[link].id.as_str());
            format!("{} at {site} over {over}", scenario.prefixes[*prefix].id)
        }
        Action::Spill { from, to, tenant, .. } => {
            let who = tenant.map_or("all", |tenant| scenario.tenants[tenant].id.as_str());
            format!("{} -> {} ({who})", network.sites[*from].id, network.sites[*to].id)
        }
        Action::SetAnswer { name, scope, .. } => answer_target(*name, *scope, scenario),
        Action::SetWeights { colo, .. } => network.colos[*colo].id.clone(),
        Action::FollowIgp => "backbone".to_owned(),
        Action::SetTunnels(pairs) => format!("backbone, {} pairs", pairs.len()),
        Action::LimitTenant { tenant, neighbour, .. }
        | Action::RemarkTenant { tenant, neighbour, .. }
        | Action::LiftTenantLimit { tenant, neighbour } => tenant_at(*tenant, *neighbour),
    }
}

/// A name and whose queries for it.
pub(super) fn answer_target(name: NameId, scope: AnswerScope, scenario: &Scenario) -> String {
    let name = &scenario.dns.names[name].id;
    match scope {
        AnswerScope::All => format!("{name} for all"),
        AnswerScope::ClientGroup(group) => {
            format!("{name} for {}", scenario.client_groups[group].id)
        }
        AnswerScope::Resolver(id) => format!("{name} through {}", scenario.dns.resolvers[id].id),
    }
}

/// Whether an action takes something away (true) or gives it back; none if neither.
fn direction(action: &Action) -> Option<bool> {
    match action {
        Action::Withdraw { .. } | Action::LimitTenant { .. } | Action::RemarkTenant { .. } => {
            Some(true)
        }
        Action::Announce { .. } | Action::LiftTenantLimit { .. } => Some(false),
        Action::Spill { share, .. } => Some(*share > 0.0),
        // Whether an answer undoes an earlier one is told by the answer, not by its kind.
        Action::ChangeAnnouncement { .. }
        | Action::FollowIgp
        | Action::SetTunnels(_)
        | Action::SetWeights { .. }
        | Action::SetAnswer { .. } => None,
    }
}

/// Whether every id of an action refers to something.
fn entities_exist(action: &Action, scenario: &Scenario) -> bool {
    let network = &scenario.network;
    match action {
        Action::Withdraw { prefix, site } | Action::Announce { prefix, site } => {
            scenario.prefixes.get(*prefix).is_some() && network.sites.get(*site).is_some()
        }
        Action::ChangeAnnouncement { prefix, site, link, .. } => {
            scenario.prefixes.get(*prefix).is_some()
                && network.sites.get(*site).is_some()
                && link.is_none_or(|link| network.links.get(link).is_some())
        }
        Action::Spill { from, to, tenant, .. } => {
            network.sites.get(*from).is_some()
                && network.sites.get(*to).is_some()
                && from != to
                && tenant.is_none_or(|tenant| scenario.tenants.get(tenant).is_some())
        }
        Action::SetAnswer { name, scope, answer } => {
            let known = match scope {
                AnswerScope::All => true,
                AnswerScope::ClientGroup(group) => scenario.client_groups.get(*group).is_some(),
                AnswerScope::Resolver(id) => scenario.dns.resolvers.get(*id).is_some(),
            };
            known
                && scenario.dns.names.get(*name).is_some()
                && answer.iter().all(|(prefix, _)| scenario.prefixes.get(*prefix).is_some())
        }
        Action::SetWeights { colo, .. } => network.colos.get(*colo).is_some(),
        Action::FollowIgp | Action::SetTunnels(_) => true,
        Action::LimitTenant { tenant, neighbour, .. }
        | Action::RemarkTenant { tenant, neighbour, .. }
        | Action::LiftTenantLimit { tenant, neighbour } => {
            scenario.tenants.get(*tenant).is_some() && network.neighbours.get(*neighbour).is_some()
        }
    }
}

/// Whether a pair's tunnels are paths between our nodes whose shares add up to 1.
fn tunnels_hold(pair: &TunnelPair, network: &Network) -> bool {
    let ours = |node| matches!(network.nodes.get(node), Some(NodeKind::Colo(_)));
    let total: f64 = pair.tunnels.iter().map(|tunnel| tunnel.share).sum();
    ours(pair.from)
        && ours(pair.to)
        && (total - 1.0).abs() <= 1e-9
        && pair.tunnels.iter().all(|tunnel| {
            let mut at = pair.from;
            tunnel.share > 0.0
                && tunnel.arcs.iter().all(|&arc| {
                    let exists = network.links.get(arc.link()).is_some()
                        && network.links[arc.link()].capacity_bps[arc.direction()] > 0
                        && network.arc_from(arc) == at;
                    if exists {
                        at = network.arc_to(arc);
                    }
                    exists && ours(at)
                })
                && at == pair.to
        })
}

impl World<'_> {
    /// Checks an action against what is known and requested. `Ok` means it will be tried.
    fn check(&self, action: &Action, descriptor: &Descriptor) -> Result<(), Refusal> {
        let scenario = self.scenario;
        if !descriptor.surfaces.contains(&action.surface()) {
            return Err(Refusal::NotItsSurface);
        }
        if !entities_exist(action, scenario) {
            return Err(Refusal::UnknownEntity);
        }
        match action {
            Action::Withdraw { prefix, site } => {
                let row = &self.requests.announced[*prefix];
                if !row[site.index()] {
                    Err(Refusal::NoChange)
                } else if !self.others_announce(*prefix, *site) {
                    Err(Refusal::LastAnnouncement)
                } else {
                    Ok(())
                }
            }
            Action::Announce { prefix, site } => {
                if self.requests.announced[*prefix][site.index()] {
                    Err(Refusal::NoChange)
                } else if !scenario.prefixes[*prefix].sites.contains(site) {
                    Err(Refusal::NotAnnouncedHere)
                } else {
                    Ok(())
                }
            }
            Action::ChangeAnnouncement { prefix, site, link, announced, .. } => {
                let outside = self.steering.outside(*site);
                if link.is_some_and(|link| !outside.contains(&link))
                    || !scenario.prefixes[*prefix].sites.contains(site)
                {
                    Err(Refusal::NotAnnouncedHere)
                } else if !announced && !self.announced_elsewhere(*prefix, *site, *link) {
                    Err(Refusal::LastAnnouncement)
                } else {
                    Ok(())
                }
            }
            Action::Spill { share, .. } => {
                if (0.0..=1.0).contains(share) {
                    Ok(())
                } else {
                    Err(Refusal::OutOfRange)
                }
            }
            Action::LimitTenant { rate_bps, .. } | Action::RemarkTenant { rate_bps, .. } => {
                let sane = rate_bps.is_finite() && *rate_bps >= 0.0;
                if sane { Ok(()) } else { Err(Refusal::OutOfRange) }
            }
            Action::SetTunnels(pairs) => {
                let hold = pairs.iter().all(|pair| tunnels_hold(pair, &scenario.network));
                let distinct =
                    pairs.windows(2).all(|two| (two[0].from, two[0].to) < (two[1].from, two[1].to));
                if hold && distinct { Ok(()) } else { Err(Refusal::BrokenTunnel) }
            }
            Action::SetAnswer { name, scope, answer } => {
                self.dns.check(scenario, *name, *scope, answer)
            }
            Action::SetWeights { colo, weights } => self.check_weights(*colo, weights),
            Action::FollowIgp | Action::LiftTenantLimit { .. } => Ok(()),
        }
    }

    /// Whether another site announces a prefix, as requested so far, and is not known to be dead:
    /// what a dead site announces serves nobody. Known is what a feed delivered, so that a refusal
    /// tells no policy more than its feeds do.
    fn others_announce(&self, prefix: PrefixId, site: crate::net::SiteId) -> bool {
        let row = &self.requests.announced[prefix];
        self.scenario.network.sites.ids().any(|other| {
            other != site && row[other.index()] && self.meters.known_alive[other.index()]
        })
    }

    /// A policy asks. Returns whether the action will be tried.
    pub fn request(
        &mut self,
        descriptor: &Descriptor,
        policy: &str,
        action: Action,
        cause: &str,
        recorder: &mut dyn Recorder,
    ) -> Result<(), Refusal> {
        let verdict = self.check(&action, descriptor);
        let number = self.requests.asked;
        self.requests.asked += 1;
        let surface = action.surface();
        let mut effect_at = None;
        if verdict.is_ok() {
            let spec = *self.scenario.actuator(surface);
            let stream = &mut self.requests.actuators[surface as usize];
            let jitter = SimSpan((stream.uniform() * spec.jitter.0 as f64) as u64);
            let lost = stream.uniform() < spec.failure;
            // What is asked at the very start is the configuration the network starts with.
            let starts = self.now == SimTime::ZERO;
            let delay = if starts { SimSpan::ZERO } else { SimSpan(spec.delay.0 + jitter.0) };
            if starts || !lost {
                self.note_request(&action);
                effect_at = Some(self.in_order(&action, self.now.after(delay)));
            }
        } else {
            self.requests.refused += 1;
        }
        let target = match verdict {
            Err(Refusal::UnknownEntity) => "unknown".to_owned(),
            _ => target_of(&action, self.scenario),
        };
        recorder.action(&ActionRecord {
            number,
            asked_at: self.now,
            effect_at,
            policy,
            action: &action,
            target: &target,
            cause,
            refusal: verdict.err(),
            surface,
        });
        if let Some(at) = effect_at {
            let number = number as u32;
            self.outbox.push((at, phase::EFFECT, source::EFFECT, Event::Effect(number)));
            let before = self.requests.actions.insert(number, action);
            assert!(before.is_none(), "request {number} is under way twice");
        }
        verdict
    }

    /// The instant of an action's effect: not before that of an earlier one on the same target.
    fn in_order(&mut self, action: &Action, at: SimTime) -> SimTime {
        let target = match action {
            // All tunnels are replaced together.
            Action::FollowIgp | Action::SetTunnels(_) => "backbone".to_owned(),
            _ => target_of(action, self.scenario),
        };
        let newest = self.requests.newest_effect.entry(target).or_insert(at);
        *newest = at.max(*newest);
        *newest
    }

    /// What we know to be under way.
    fn note_request(&mut self, action: &Action) {
        match action {
            Action::Withdraw { prefix, site } => {
                self.requests.announced[*prefix][site.index()] = false;
            }
            Action::Announce { prefix, site } => {
                self.requests.announced[*prefix][site.index()] = true;
            }
            Action::SetAnswer { name, scope, answer } => {
                self.dns.note_request(self.scenario, *name, *scope, answer);
            }
            _ => {}
        }
    }

    /// An action takes effect.
    pub fn take_effect(&mut self, number: u32, recorder: &mut dyn Recorder) {
        let Some(action) = self.requests.actions.remove(&number) else { return };
        let target = target_of(&action, self.scenario);
        self.tell(recorder, "action-effective", "network", &target, action.name());
        self.steering.cause = format!("{} {target}", action.name());
        self.requests.applied += 1;
        if let Some(takes) = direction(&action) {
            if let Some((at, before)) = self.requests.last.get(&target)
                && *before != takes
                && self.now.since(*at) <= FLAP_WINDOW
            {
                self.requests.flaps += 1;
            }
            self.requests.last.insert(target, (self.now, takes));
        }
        let neighbours = self.scenario.network.neighbours.len();
        match action {
            Action::Withdraw { prefix, site } => self.set_announced(prefix, site, false),
            Action::Announce { prefix, site } => self.set_announced(prefix, site, true),
            Action::ChangeAnnouncement { prefix, site, link, announced, attributes } => {
                self.steering.set_sessions(prefix, site, link, announced, &attributes);
                self.announce(Some(prefix));
            }
            Action::SetAnswer { name, scope, answer } => {
                self.answer(name, scope, &answer, recorder);
            }
            Action::SetWeights { colo, weights } => self.set_weights(colo, &weights),
            Action::Spill { from, to, tenant, share } => {
                self.steering.spills.insert((from, to, tenant), share);
                self.ways_stale = true;
            }
            Action::FollowIgp => {
                self.steering.set_tunnels(&[]);
                self.ways_stale = true;
            }
            Action::SetTunnels(pairs) => {
                self.steering.set_tunnels(&pairs);
                self.ways_stale = true;
            }
            Action::LimitTenant { tenant, neighbour, rate_bps } => {
                let slot = tenant.index() * neighbours + neighbour.index();
                self.steering.limits[slot].police_bps = Some(rate_bps);
                self.solution_stale = true;
            }
            Action::RemarkTenant { tenant, neighbour, rate_bps } => {
                let slot = tenant.index() * neighbours + neighbour.index();
                self.steering.limits[slot].remark_bps = Some(rate_bps);
                self.solution_stale = true;
            }
            Action::LiftTenantLimit { tenant, neighbour } => {
                let slot = tenant.index() * neighbours + neighbour.index();
                self.steering.limits[slot].police_bps = None;
                self.steering.limits[slot].remark_bps = None;
                self.solution_stale = true;
            }
        }
    }

    fn set_announced(&mut self, prefix: PrefixId, site: crate::net::SiteId, on: bool) {
        self.steering.announced[prefix][site.index()] = on;
        self.announce(Some(prefix));
    }
}
