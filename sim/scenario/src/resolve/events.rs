//! Surges, events, and what agents of others do.

use super::{Resolver, number_of};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::table::Entity;
use crate::typed::{Fields, Value};
use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::net::{GeoPoint, LinkId, NeighbourId, NodeKind, PoolId, SiteId, SrlgId};
use steerlab_engine::scenario::{Change, Demand, DemandId, Source, Surge, Target, TimelineEvent};
use steerlab_engine::steer::FeedKind;

/// Name of the scenario itself as the doer of events.
pub(super) const SCENARIO: &str = "scenario";

impl Resolver<'_> {
    pub(super) fn events(&mut self, fields: &Fields) {
        for surge in fields.rows("surges") {
            self.surge(surge);
        }
        for event in fields.rows("events") {
            self.event(event);
        }
        for (index, agent) in fields.rows("agents").enumerate() {
            self.define(Entity::Agent, agent, index);
            if let Some(id) = agent.text("id")
                && matches!(&**id, "scenario" | "network")
            {
                let message = "this name is taken by the scenario's own events".to_owned();
                self.error("E0302", agent.place("id"), message, "give the agent another id");
            }
            let name = agent.string("id");
            for step in agent.rows("steps") {
                self.agent_step(step, &name);
            }
        }
        // Stable: equal times stay in the order written.
        self.out.timeline.sort_by_key(|event| event.at);
    }

    pub(super) fn push_event(&mut self, at: SimTime, agent: &str, label: &str, change: Change) {
        let (agent, label) = (agent.to_owned(), label.to_owned());
        self.out.timeline.push(TimelineEvent { at, agent, label, change });
    }

    fn surge(&mut self, fields: &Fields) {
        let (at, until) = self.interval(fields);
        let ramp = fields.time("ramp").unwrap_or(SimSpan::ZERO);
        if let Some(until) = until
            && until > at
            && ramp.0.saturating_mul(2) > until.since(at).0
        {
            let message = "rise and fall take longer than the surge".to_owned();
            let help = "make `ramp` at most half of the time from `at` to `until`";
            self.error("E0406", fields.place("ramp"), message, help);
        }
        let demands = self.surged(fields);
        let Some(demands) = demands else { return };
        if demands.is_empty() {
            self.sink.push(
                Diagnostic::new("W0808", fields.span, "this surge touches no demand")
                    .help("name demands, tenants, neighbours or a place that have some"),
            );
        }
        self.out.surges.push(Surge {
            at,
            until: until.unwrap_or(SimTime::NEVER),
            ramp,
            factor: fields.number("factor").unwrap_or(1.0),
            demands,
            label: fields.string("label"),
        });
    }

    /// Which demands a surge touches, in order; none if something is wrong with it.
    fn surged(&mut self, fields: &Fields) -> Option<Vec<DemandId>> {
        let (key, value) = fields.chosen()?;
        match key {
            "demands" => {
                let entries = self.references(Entity::Demand, fields, key);
                let sets = entries.iter().filter_map(|entry| self.demand_sets.get(*entry as usize));
                let mut found: Vec<DemandId> = sets.flatten().copied().collect();
                found.sort();
                Some(found)
            }
            "tenants" => {
                let tenants = self.references(Entity::Tenant, fields, key);
                Some(self.demands_where(|demand, _| tenants.contains(&demand.tenant.0)))
            }
            "neighbours" => {
                let wanted: Vec<NeighbourId> = self
                    .references(Entity::Neighbour, fields, key)
                    .into_iter()
                    .map(NeighbourId)
                    .collect();
                Some(self.demands_where(|demand, resolver| {
                    resolver.neighbours_of(demand).iter().flatten().any(|n| wanted.contains(n))
                }))
            }
            _ => {
                let near = value.fields()?;
                let (centre, radius_km) = (near.point("at")?, near.number("radius_km")?);
                Some(self.demands_where(|demand, resolver| {
                    resolver.place_of(demand).is_some_and(|at| at.distance_km(centre) <= radius_km)
                }))
            }
        }
    }

    fn demands_where(&self, wanted: impl Fn(&Demand, &Self) -> bool) -> Vec<DemandId> {
        let rows = self.out.demands.iter();
        rows.filter(|(_, demand)| wanted(demand, self)).map(|(id, _)| id).collect()
    }

    /// The neighbours at the two ends of a demand.
    fn neighbours_of(&self, demand: &Demand) -> [Option<NeighbourId>; 2] {
        let of_node = |node| match self.out.network.nodes[node] {
            NodeKind::Neighbour(neighbour) => Some(neighbour),
            NodeKind::Colo(_) => None,
        };
        let source = match demand.source {
            Source::Clients(group) => self.out.client_groups[group].neighbour,
            Source::Node(node) => of_node(node),
        };
        let target = match demand.target {
            Target::Prefix(_) => None,
            Target::Node(node) => of_node(node),
        };
        [source, target]
    }

    fn place_of(&self, demand: &Demand) -> Option<GeoPoint> {
        match demand.source {
            Source::Clients(group) => self.out.client_groups[group].location,
            Source::Node(_) => None,
        }
    }

    fn event(&mut self, fields: &Fields) {
        let Some((kind, value)) = fields.chosen() else { return };
        let Some(event) = value.fields() else { return };
        let label = event.string("label");
        if kind == "mark" {
            let at = event.get("at").and_then(|value| self.instant(value));
            self.push_event(at.unwrap_or(SimTime::ZERO), SCENARIO, &label, Change::Mark);
            return;
        }
        let (at, until) = self.interval(event);
        let changes = match kind {
            "fail" => self.failure(event),
            "degrade" => self.degradation(event),
            "servers-down" => {
                let pool = self.reference(Entity::Pool, event, "pool").map(PoolId);
                let share = event.number("share").unwrap_or(0.0);
                pool.map(|pool| (Change::ServersDown(pool, share), Change::ServersDown(pool, 0.0)))
            }
            "session-down" | "leak" | "hijack" | "blackhole" | "zombie" | "depeer"
            | "local-pref" => self.routing_event(kind, event),
            _ => {
                let word = event.text("feed").map_or("", |text| &**text);
                let feed = FeedKind::ALL.into_iter().find(|feed| feed.name() == word);
                if let (Some(feed), Some(until)) = (feed, until) {
                    self.push_event(at, SCENARIO, &label, Change::FeedOutage(feed, until));
                }
                return;
            }
        };
        let Some((begin, end)) = changes else { return };
        self.push_event(at, SCENARIO, &label, begin);
        if let Some(until) = until {
            self.push_event(until, SCENARIO, &label, end);
        }
    }

    fn failure(&mut self, event: &Fields) -> Option<(Change, Change)> {
        let (kind, value) = event.chosen()?;
        Some(match kind {
            "site" => {
                let site = SiteId(self.find(Entity::Site, value)?);
                (Change::SiteFails(site), Change::SiteRestored(site))
            }
            "link" => {
                let link = LinkId(self.find(Entity::Link, value)?);
                (Change::LinkFails(link), Change::LinkRestored(link))
            }
            _ => {
                let srlg = SrlgId(self.find(Entity::Srlg, value)?);
                (Change::SrlgFails(srlg), Change::SrlgRestored(srlg))
            }
        })
    }

    fn degradation(&mut self, event: &Fields) -> Option<(Change, Change)> {
        let link = LinkId(self.reference(Entity::Link, event, "link")?);
        let down = number_of(event.count("members_down"), 0);
        let members = self.out.network.links[link].lag_members;
        if down > members {
            let message = format!("{down} members fail, the link has {members}");
            let help = "lower `members_down`, or raise `lag_members` of the link";
            self.error("E0407", event.place("members_down"), message, help);
        }
        Some((Change::LinkMembersDown(link, down), Change::LinkMembersDown(link, 0)))
    }

    fn agent_step(&mut self, fields: &Fields, agent: &str) {
        let Some((kind, value)) = fields.chosen() else { return };
        let Some(step) = value.fields() else { return };
        let at = step.get("at").and_then(|value| self.instant(value)).unwrap_or(SimTime::ZERO);
        let found = self.references(Entity::Link, step, "links");
        let links: Vec<LinkId> = found.into_iter().map(LinkId).collect();
        self.check_sessions(&links, step.items("links"), step.place("links"));
        let label = step.string("label");
        let change = match kind {
            "withdraw" => {
                let share = step.number("share").unwrap_or(1.0);
                Change::NeighbourWithdraws { links, share, if_above: step.number("if_above") }
            }
            _ => Change::NeighbourRestores { links },
        };
        self.push_event(at, agent, &label, change);
    }

    /// An agent acts for a neighbour: only its own links have sessions.
    fn check_sessions(&mut self, links: &[LinkId], values: &[Value], span: Span) {
        let network = &self.out.network;
        let ours = |link: &LinkId| {
            let ends = network.links[*link].ends;
            // Ends that were wrong have been reported; a stand-in may not exist.
            ends.iter().all(|end| matches!(network.nodes.get(*end), Some(NodeKind::Colo(_)) | None))
        };
        let wrong: Vec<String> = links
            .iter()
            .filter(|link| ours(link))
            .map(|link| network.links[*link].id.clone())
            .collect();
        for name in wrong {
            let place = values
                .iter()
                .find(|value| value.text().is_some_and(|text| **text == *name))
                .map_or(span, |value| value.span);
            let message = format!("the link `{name}` does not end at a neighbour");
            self.error("E0410", place, message, "name links towards one neighbour");
        }
    }
}
