//! Who acts in a run: the scheduler, the arm's policies and their feeds.

use super::at_least_one;
use crate::kernel::{EventKey, Fingerprint, Scheduler, SimSpan, SimTime, Stream, Table};
use crate::record::{Recorder, RunId};
use crate::scenario::{ClientGroupId, DemandId, MatrixId, PolicySpec, Scenario};
use crate::steer::{
    Ask, DemandEnds, Descriptor, DnsView, FeedKind, GroupPlace, Params, Policy, PolicyRegistry,
    View,
};
use crate::world::{Event, World, phase, source};
use std::rc::Rc;

/// A policy of the arm.
struct Player<'a> {
    spec: &'a PolicySpec,
    descriptor: &'a Descriptor,
    policy: Box<dyn Policy>,
    stream: Stream,
    /// The decision that is scheduled next, so that a wake-up does not decide twice.
    decides_at: SimTime,
}

/// The scheduler and everybody who acts through it.
pub(super) struct Players<'a> {
    scenario: &'a Scenario,
    scheduler: Scheduler<Event>,
    list: Vec<Player<'a>>,
    /// What policies may know of demands.
    demand_ends: Table<DemandId, DemandEnds>,
    /// What policies may know of client groups.
    group_places: Table<ClientGroupId, GroupPlace>,
    decisions: Fingerprint,
}

impl<'a> Players<'a> {
    /// Builds the arm's policies and schedules all that is known in advance.
    ///
    /// Panics if the arm names an unregistered policy: the scenario's constructor has checked.
    pub fn new(
        scenario: &'a Scenario,
        id: RunId,
        registry: &'a dyn PolicyRegistry,
        world: &mut World<'_>,
    ) -> Players<'a> {
        let arm = &scenario.arms[id.arm];
        let list: Vec<Player<'a>> = arm
            .policies
            .iter()
            .map(|spec| {
                let descriptor =
                    registry.find(&spec.name).expect("scenarios name registered policies only");
                let key = scenario.stream_key(id.replication, "policy", &arm.id, &spec.name);
                Player {
                    spec,
                    descriptor,
                    policy: (descriptor.build)(&Params(&spec.params)),
                    stream: Stream::new(key),
                    decides_at: SimTime::ZERO,
                }
            })
            .collect();
        let used = FeedKind::ALL
            .map(|kind| list.iter().any(|player| player.descriptor.feeds.contains(&kind)));
        world.meters.listen(scenario, id.replication, used);
        let sources = source::COLO as usize + scenario.network.colos.len();
        let mut players = Players {
            scenario,
            scheduler: Scheduler::new(sources),
            list,
            demand_ends: scenario.demands.rows().iter().map(DemandEnds::from).collect(),
            group_places: scenario
                .client_groups
                .rows()
                .iter()
                .map(|group| GroupPlace { location: group.location, weight: group.weight })
                .collect(),
            decisions: Fingerprint::default(),
        };
        players.schedule_scenario();
        players.schedule_feeds(used);
        players
    }

    fn at(&mut self, at: SimTime, phase: crate::kernel::Phase, source: u32, event: Event) {
        if at <= SimTime::ZERO.after(self.scenario.horizon) {
            self.scheduler.schedule(at, phase, source, event);
        }
    }

    fn schedule_scenario(&mut self) {
        let scenario = self.scenario;
        let zero = SimTime::ZERO;
        self.at(zero, phase::TRAFFIC, source::TRAFFIC, Event::TrafficStep);
        if scenario.demand_noise.cv > 0.0 {
            let first = zero.after(at_least_one(scenario.demand_noise.step));
            self.at(first, phase::CHANGE, source::TRAFFIC, Event::NoiseStep);
        }
        for (matrix, row) in scenario.matrices.iter() {
            if let Some(&next) = row.times.get(1) {
                self.at(next, phase::CHANGE, source::TRAFFIC, Event::MatrixRow(matrix));
            }
        }
        for (line, row) in scenario.timeline.iter().enumerate() {
            self.at(row.at, phase::CHANGE, source::TIMELINE, Event::Timeline(line as u32));
        }
        for (index, surge) in scenario.surges.iter().enumerate() {
            let index = index as u32;
            for (at, begins) in [(surge.at, true), (surge.until, false)] {
                self.at(at, phase::CHANGE, source::TRAFFIC, Event::SurgeMark(index, begins));
            }
        }
        self.look_again(zero);
        let horizon = zero.after(scenario.horizon);
        self.at(horizon, phase::END, source::END, Event::End);
        for player in 0..self.list.len() as u32 {
            self.at(zero, phase::DECIDE, source::POLICY + player, Event::Decide(player));
        }
    }

    fn schedule_feeds(&mut self, used: [bool; 4]) {
        for kind in FeedKind::ALL {
            if used[kind as usize] {
                let period = at_least_one(self.scenario.feed(kind).period);
                let first = match kind {
                    FeedKind::Topology => SimTime::ZERO,
                    _ => SimTime::ZERO.after(period),
                };
                let number = kind as u32;
                self.at(first, phase::SAMPLE, source::FEED + number, Event::Sample(number as u8));
            }
        }
    }

    /// Schedules the event that follows `event` in its series.
    pub fn repeat(&mut self, event: Event, world: &World<'_>) {
        let now = world.now;
        match event {
            // A step between regular ones does not begin a series of its own.
            Event::TrafficStep
                if self.traffic_varies()
                    && now.0.is_multiple_of(at_least_one(self.scenario.traffic_step).0) =>
            {
                let next = now.after(at_least_one(self.scenario.traffic_step));
                self.at(next, phase::TRAFFIC, source::TRAFFIC, Event::TrafficStep);
            }
            Event::NoiseStep => {
                let next = now.after(at_least_one(self.scenario.demand_noise.step));
                self.at(next, phase::CHANGE, source::TRAFFIC, Event::NoiseStep);
                self.refresh_traffic(now);
            }
            Event::MatrixRow(matrix) => {
                self.next_row(matrix, now);
                self.refresh_traffic(now);
            }
            Event::SurgeMark(..) => self.refresh_traffic(now),
            Event::Look => self.look_again(now),
            _ => {}
        }
    }

    /// Controllers of shedding look at their queues once a period.
    fn look_again(&mut self, now: SimTime) {
        if let Some(shed) = &self.scenario.admission.shed {
            let period = SimSpan::from_seconds_f64_ceil(shed.terms.period_s);
            let next = now.after(at_least_one(period));
            self.at(next, phase::EFFECT, source::ADMISSION, Event::Look);
        }
    }

    /// Demand takes its new values at this instant, unless its own step falls on it anyway.
    fn refresh_traffic(&mut self, now: SimTime) {
        let step = at_least_one(self.scenario.traffic_step);
        if !self.traffic_varies() || !now.0.is_multiple_of(step.0) {
            self.at(now, phase::TRAFFIC, source::TRAFFIC, Event::TrafficStep);
        }
    }

    fn next_row(&mut self, matrix: MatrixId, now: SimTime) {
        let times = &self.scenario.matrices[matrix].times;
        let next = times.partition_point(|&time| time <= now);
        if let Some(&at) = times.get(next) {
            self.at(at, phase::CHANGE, source::TRAFFIC, Event::MatrixRow(matrix));
        }
    }

    /// Whether demand changes between marks: daily shapes and ramps do.
    fn traffic_varies(&self) -> bool {
        let scenario = self.scenario;
        scenario.demands.rows().iter().any(|demand| demand.profile.is_some())
            || scenario.surges.iter().any(|surge| surge.ramp.0 > 0)
            // Caches warm up and turn over all the time.
            || !scenario.caches.is_empty()
    }

    /// A periodic feed samples again; topology is sampled when it changes.
    pub fn resample(&mut self, feed: u8, world: &World<'_>) {
        let kind = FeedKind::ALL[feed as usize];
        if kind != FeedKind::Topology {
            let next = world.now.after(at_least_one(self.scenario.feed(kind).period));
            self.at(next, phase::SAMPLE, source::FEED + u32::from(feed), Event::Sample(feed));
        }
    }

    /// Policies that read the topology feed decide at once when it speaks.
    pub fn wake_for_topology(&mut self, now: SimTime) {
        for index in 0..self.list.len() {
            let reads = self.list[index].descriptor.feeds.contains(&FeedKind::Topology);
            if reads && self.list[index].decides_at != now {
                let index = index as u32;
                self.at(now, phase::DECIDE, source::POLICY + index, Event::Decide(index));
            }
        }
    }

    /// A policy decides.
    pub fn decide(&mut self, index: u32, world: &mut World<'_>, recorder: &mut dyn Recorder) {
        let player = &mut self.list[index as usize];
        let now = world.now;
        let scheduled = player.decides_at == now;
        // What the view borrows is taken out of the world for the time of the decision.
        let announced = world.requests.announced.clone();
        let answers = world.dns.requested.clone();
        let feeds = (
            world.meters.site_feed.take(),
            world.meters.link_feed.take(),
            world.meters.tenant_feed.take(),
            world.meters.topology_feed.take(),
            world.meters.server_feed.take(),
        );
        let reads = |kind| player.descriptor.feeds.contains(&kind);
        let adjacency = Rc::clone(&world.graph);
        let view = View {
            now,
            network: &self.scenario.network,
            adjacency: &adjacency,
            prefixes: &self.scenario.prefixes,
            tenants: &self.scenario.tenants,
            demands: &self.demand_ends,
            announced: &announced,
            dns: DnsView {
                names: &self.scenario.dns.names,
                resolvers: &self.scenario.dns.resolvers,
                groups: &self.group_places,
                answers: &answers,
            },
            site_feed: feeds.0.as_ref().filter(|_| reads(FeedKind::Sites)),
            server_feed: feeds.4.as_ref().filter(|_| reads(FeedKind::Sites)),
            link_feed: feeds.1.as_ref().filter(|_| reads(FeedKind::Links)),
            tenant_feed: feeds.2.as_ref().filter(|_| reads(FeedKind::Tenants)),
            topology_feed: feeds.3.as_ref().filter(|_| reads(FeedKind::Topology)),
        };
        let decisions = &mut self.decisions;
        let (descriptor, name) = (player.descriptor, player.spec.name.as_str());
        let mut submit = |action: crate::steer::Action, cause: String| {
            decisions.absorb(now.0);
            decisions.absorb_str(action.name());
            decisions.absorb_str(&cause);
            world.request(descriptor, name, action, &cause, recorder)
        };
        player.policy.decide(&view, &mut player.stream, &mut Ask { submit: &mut submit });
        (
            world.meters.site_feed,
            world.meters.link_feed,
            world.meters.tenant_feed,
            world.meters.topology_feed,
            world.meters.server_feed,
        ) = feeds;
        if scheduled {
            let next = now.after(at_least_one(player.spec.period));
            player.decides_at = next;
            self.at(next, phase::DECIDE, source::POLICY + index, Event::Decide(index));
        }
    }

    /// Schedules what the world wants to happen.
    pub fn send(&mut self, world: &mut World<'_>) {
        if std::mem::take(&mut world.meters.topology_changed)
            && world.meters.used[FeedKind::Topology as usize]
        {
            let number = FeedKind::Topology as u32;
            let event = Event::Sample(number as u8);
            self.at(world.now, phase::SAMPLE, source::FEED + number, event);
        }
        for (at, phase, source, event) in std::mem::take(&mut world.outbox) {
            self.at(at, phase, source, event);
        }
    }

    /// Instant of the next event.
    pub fn peek_time(&self) -> Option<SimTime> {
        self.scheduler.peek_key().map(EventKey::time)
    }

    /// The next event.
    pub fn pop(&mut self) -> Option<(EventKey, Event)> {
        self.scheduler.pop()
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.scheduler.popped()
    }

    /// The trajectory: events applied, decisions, and what it all came to.
    pub fn fingerprint(&self, world: &World<'_>) -> u64 {
        let mut print = self.scheduler.fingerprint();
        print.absorb(self.decisions.value());
        print.absorb(world.trajectory.value());
        print.value()
    }
}
