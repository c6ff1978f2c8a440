//! The only mutable state of a run. It changes only by applying an event.
//!
//! Children: `truth` (what is up), `steering` (announcements, landing, tunnels, limits), `bundles`
//! (which traffic shares a fate), `ledger` (what has been counted), `meters` (what feeds see),
//! `requests` (what policies ask and when it takes effect), `zoom` (colos played request by request).

mod admission;
mod arcs;
mod buffers;
mod bundles;
mod caches;
mod dns;
mod elastic;
mod flows;
mod latency;
mod ledger;
mod meters;
mod part;
mod requests;
mod rows;
mod steering;
mod truth;
mod zoom;

use crate::kernel::{Fingerprint, Id, SimSpan, SimTime, Table};
use crate::load::buffers::Buffers;
use crate::load::demand::Demands;
use crate::load::fluid::{ColoState, Fluid, Inputs};
use crate::load::links::Fabric;
use crate::load::server::Backlog;
use crate::net::graph::Adjacency;
use crate::net::{ArcId, ColoId, LinkId, Pool};
use crate::record::{EventRecord, Recorder};
use crate::route::landing::model_of;
use crate::route::{Installed, LandingModel, RouteTable, RttMatrix};
use crate::scenario::{Change, ClientGroupId, MatrixId, PrefixId, Scenario};
use crate::steer::FeedKind;
use std::collections::VecDeque;
use std::rc::Rc;

pub(crate) use admission::AdmissionState;
pub(crate) use bundles::Bundles;
pub(crate) use caches::CacheState;
pub(crate) use dns::DnsState;
pub(crate) use flows::Flows;
pub(crate) use ledger::Ledger;
pub(crate) use meters::Meters;
pub(crate) use requests::Requests;
pub(crate) use steering::Steering;
pub(crate) use truth::TruthState;

/// What can happen in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Demand takes the values of its next step.
    TrafficStep,
    /// Demand noise is drawn anew.
    NoiseStep,
    /// A matrix moves to its next row.
    MatrixRow(MatrixId),
    /// A line of the scenario's timeline.
    Timeline(u32),
    /// A surge begins or ends: a mark, demand follows at the traffic step of the same instant.
    SurgeMark(u32, bool),
    /// Some client groups follow a changed announcement.
    Landing(u32),
    /// Something happens in a landing model with a time of its own.
    Routing,
    /// The IGP (and iBGP) has converged on the present topology.
    Converged,
    /// A colo's backlog reaches its bound or runs empty, if the solution is still this old.
    Backlog(ColoId, u64),
    /// A link's buffer is full or empty, if the solution is still this old.
    Buffer(u64),
    /// A token bucket is empty or a filter learns, if the solution is still this old.
    Admission(u64),
    /// Controllers of shedding look at their queues.
    Look,
    /// Caches have aged: shares of DNS answers move, if no change came in between.
    DnsStep(u64),
    /// A requested action takes effect.
    Effect(u32),
    /// A feed takes a sample.
    Sample(u8),
    /// A sample arrives.
    Deliver(u8),
    /// A policy decides.
    Decide(u32),
    /// The run ends.
    End,
}

/// An event to be scheduled: instant, phase, source, event.
pub(crate) type Scheduled = (SimTime, crate::kernel::Phase, u32, Event);

/// Phases of an instant, in order.
pub(crate) mod phase {
    use crate::kernel::Phase;
    /// The world changes.
    pub const CHANGE: Phase = Phase(0);
    /// Actions and routing take effect.
    pub const EFFECT: Phase = Phase(1);
    /// Demand takes new values (after what changed at the same instant).
    pub const TRAFFIC: Phase = Phase(2);
    /// Feeds take samples.
    pub const SAMPLE: Phase = Phase(3);
    /// Samples arrive.
    pub const DELIVER: Phase = Phase(4);
    /// Policies decide.
    pub const DECIDE: Phase = Phase(5);
    /// The run ends.
    pub const END: Phase = Phase(6);
}

/// Sources of events: their numbers in the event key.
pub(crate) mod source {
    /// Demand.
    pub const TRAFFIC: u32 = 0;
    /// The scenario's timeline.
    pub const TIMELINE: u32 = 1;
    /// Anycast landing.
    pub const LANDING: u32 = 2;
    /// IGP.
    pub const IGP: u32 = 3;
    /// Actuators.
    pub const EFFECT: u32 = 4;
    /// The end.
    pub const END: u32 = 5;
    /// A landing model with a time of its own.
    pub const ROUTING: u32 = 6;
    /// Caches of DNS answers.
    pub const DNS: u32 = 7;
    /// Feeds: this and the following numbers, by kind.
    pub const FEED: u32 = 8;
    /// Admission at sites.
    pub const ADMISSION: u32 = 14;
    /// Buffers of links.
    pub const BUFFER: u32 = 15;
    /// Policies of the arm: this and the following numbers, by position.
    pub const POLICY: u32 = 16;
    /// Colos: this and the following numbers, by id.
    pub const COLO: u32 = 1_024;
}

/// Rounds after which what caches and admission do to each other is taken as it is.
const EDGE_ROUNDS_MAX: usize = 60;
/// Rounds after which every step goes half the way only: most settle sooner, the others jump.
const EDGE_ROUNDS_FREE: usize = 4;

/// All mutable state of a run.
pub(crate) struct World<'a> {
    pub scenario: &'a Scenario,
    pub replication: u32,
    pub graph: Rc<Adjacency>,
    pub now: SimTime,
    pub truth: TruthState,
    pub routes: RouteTable,
    pub rtt: RttMatrix,
    pub landing_model: Box<dyn LandingModel>,
    pub steering: Steering,
    pub dns: DnsState,
    pub requests: Requests,
    pub demands: Demands,
    pub bundles: Bundles,
    pub fluid: Fluid,
    pub colos: Table<ColoId, ColoState>,
    pub backlogs: Table<ColoId, Backlog>,
    /// What waits in front of links with a memory.
    pub buffers: Buffers,
    /// Queues of every link: all, and of one class.
    pub queues: (usize, usize),
    pub pools: Table<ColoId, Vec<(Pool, f64)>>,
    pub caches: CacheState,
    pub admission: AdmissionState,
    pub ledger: Ledger,
    /// Single flows; none at fluid fidelity.
    pub flows: Option<Box<Flows>>,
    pub meters: Meters,
    /// Colos played request by request.
    pub zooms: Vec<zoom::Zoom>,
    /// Number of the present solution; crossings foreseen by older ones are void.
    pub solution: u64,
    /// Paths, spills or what is up changed: every bundle's way must be found anew.
    pub ways_stale: bool,
    /// What routing will install when it has converged on a change, and when.
    pub converging: VecDeque<(SimTime, Installed)>,
    /// Groups that land elsewhere since bundles were last assigned.
    pub moved: Vec<(ClientGroupId, PrefixId)>,
    /// Rates, capacities or structure changed: the solution is old.
    pub solution_stale: bool,
    /// Hash of all solutions.
    pub trajectory: Fingerprint,
    /// Events to schedule, drained by the run loop.
    pub outbox: Vec<Scheduled>,
}

impl<'a> World<'a> {
    /// The world at the scenario's start, before its first event.
    pub fn new(scenario: &'a Scenario, replication: u32) -> World<'a> {
        let network = &scenario.network;
        let truth = TruthState::new(network);
        let routes = RouteTable::new(truth.installed());
        let rtt = RttMatrix::new(scenario);
        let landing_model = model_of(scenario, replication, &rtt);
        let mut world = World {
            scenario,
            replication,
            graph: Rc::new(Adjacency::new(network)),
            now: SimTime::ZERO,
            truth,
            routes,
            rtt,
            landing_model,
            steering: Steering::new(scenario),
            dns: DnsState::new(scenario),
            requests: Requests::new(scenario, replication),
            demands: Demands::new(scenario, replication),
            bundles: Bundles::new(scenario),
            fluid: Fluid::default(),
            colos: Table::filled(network.colos.len(), ColoState::default()),
            backlogs: Table::filled(network.colos.len(), Backlog::default()),
            buffers: Buffers::default(),
            queues: buffers::queues_of(scenario),
            pools: Table::filled(network.colos.len(), Vec::new()),
            caches: CacheState::new(scenario),
            admission: AdmissionState::new(scenario),
            ledger: Ledger::new(scenario),
            flows: Flows::of(scenario, replication).map(Box::new),
            meters: Meters::new(scenario),
            zooms: Vec::new(),
            solution: 0,
            ways_stale: true,
            converging: VecDeque::new(),
            moved: Vec::new(),
            solution_stale: true,
            trajectory: Fingerprint::default(),
            outbox: Vec::new(),
        };
        world.refresh_servers();
        world.start_buffers();
        world.announce(None);
        world.start_dns();
        world
    }

    /// Counts the interval that ends now, before anything changes that it was solved with.
    fn close_interval(&mut self) {
        if self.solution > 0 && !self.solution_stale {
            self.count_until(self.now);
            self.meter_until(self.now);
            self.anchor_backlogs();
            self.solution_stale = true;
        }
    }

    /// Applies one event. Policies' decisions and samples are the run loop's.
    pub fn apply(&mut self, event: Event, recorder: &mut dyn Recorder) {
        if matches!(event, Event::Backlog(_, solution) | Event::Buffer(solution) if solution != self.solution)
            || matches!(event, Event::Admission(solution) if solution != self.solution)
            || matches!(event, Event::DnsStep(number) if number != self.dns.number())
        {
            return;
        }
        self.close_interval();
        match event {
            Event::TrafficStep => {
                // Up to the next step: shapes are taken at the middle of what lasts.
                let step = self.scenario.traffic_step.0;
                let regular = SimSpan(step - self.now.0 % step);
                let marks = self.scenario.surges.iter().flat_map(|surge| [surge.at, surge.until]);
                let to_marks = marks.filter(|&at| at > self.now).map(|at| at.since(self.now));
                let lasts = to_marks.fold(regular, SimSpan::min);
                self.demands.refresh(self.scenario, self.now, lasts);
                self.solution_stale = true;
            }
            Event::NoiseStep => self.demands.redraw_noise(self.scenario),
            Event::MatrixRow(matrix) => {
                self.demands.advance_matrix(self.scenario, matrix, self.now);
            }
            Event::Timeline(line) => self.apply_timeline(line as usize, recorder),
            Event::SurgeMark(surge, begins) => {
                let row = &self.scenario.surges[surge as usize];
                let kind = if begins { "surge-begins" } else { "surge-ends" };
                self.tell(recorder, kind, "scenario", "", &row.label);
            }
            Event::Landing(batch) => self.follow_announcements(batch, recorder),
            Event::Routing => self.play_routing(recorder),
            Event::Converged => self.converge(recorder),
            // Closing the interval has made the solution stale.
            Event::Backlog(..) | Event::Buffer(_) => {}
            Event::Admission(_) => {}
            Event::Look => self.look_at_queues(),
            Event::DnsStep(_) => self.age_answers(recorder),
            Event::Effect(number) => self.take_effect(number, recorder),
            Event::Sample(_) | Event::Deliver(_) | Event::Decide(_) | Event::End => {}
        }
    }

    fn apply_timeline(&mut self, line: usize, recorder: &mut dyn Recorder) {
        let scenario = self.scenario;
        let row = &scenario.timeline[line];
        let network = &scenario.network;
        let (kind, entity) = describe(&row.change, network);
        if let Change::NeighbourWithdraws { links, if_above: Some(above), .. } = &row.change
            && !self.sent_above(links, *above)
        {
            self.tell(recorder, "neighbour-keeps", &row.agent, &entity, &row.label);
            return;
        }
        self.tell(recorder, kind, &row.agent, &entity, &row.label);
        self.steering.cause =
            if row.label.is_empty() { format!("{kind} {entity}") } else { row.label.clone() };
        match &row.change {
            Change::FeedOutage(kind, until) => {
                self.meters.outage(*kind, *until);
                // Other feeds sample again by themselves; what this one has missed comes now.
                if *kind == FeedKind::Topology && self.meters.used[*kind as usize] {
                    let number = FeedKind::Topology as u32;
                    let sample = Event::Sample(number as u8);
                    let at = self.now.max(*until);
                    self.outbox.push((at, phase::SAMPLE, source::FEED + number, sample));
                }
            }
            Change::Mark => {}
            Change::RoutingTrouble(trouble) => self.set_trouble(trouble, true, recorder),
            Change::RoutingTroubleEnds(trouble) => self.set_trouble(trouble, false, recorder),
            change => {
                self.truth.apply(change, network);
                self.refresh_servers();
                self.lose_backlogs();
                self.lose_buffers();
                self.bundles.best_stale = true;
                self.topology_changed();
            }
        }
    }

    /// Whether a neighbour would see one of its links used above a share of its capacity: what is
    /// sent into it, under the solution until now.
    fn sent_above(&self, links: &[LinkId], share: f64) -> bool {
        // Before the first solution nothing has been sent.
        if self.solution == 0 {
            return false;
        }
        let queues = self.queues.0;
        links.iter().flat_map(|&link| [ArcId::of(link, 0), ArcId::of(link, 1)]).any(|arc| {
            let index = arc.index();
            let sent: f64 =
                self.fluid.arrival_bps[index * queues..(index + 1) * queues].iter().sum();
            let sent = sent + self.flow_bps(index);
            sent > share * self.truth.links.capacity_bps[index] && sent > 0.0
        })
    }

    /// Something of the network came, went or changed capacity: load changes now, routing later.
    fn topology_changed(&mut self) {
        self.solution_stale = true;
        self.ways_stale = true;
        self.meters.topology_changed = true;
        if self.now == SimTime::ZERO {
            // How the network starts is known to routing; only changes are news.
            self.routes = RouteTable::new(self.truth.installed());
        } else {
            let at = self.now.after(self.scenario.routing.igp_convergence);
            self.converging.push_back((at, self.truth.installed()));
            self.outbox.push((at, phase::EFFECT, source::IGP, Event::Converged));
        }
        self.announce(None);
    }

    fn converge(&mut self, recorder: &mut dyn Recorder) {
        let mut due = None;
        while self.converging.front().is_some_and(|(at, _)| *at <= self.now) {
            due = self.converging.pop_front().map(|(_, installed)| installed);
        }
        if let Some(installed) = due
            && *self.routes.installed() != installed
        {
            self.routes = RouteTable::new(installed);
            self.ways_stale = true;
            self.solution_stale = true;
            self.tell(recorder, "igp-converged", "network", "", "");
        }
    }

    /// Capacity of every colo's servers as they are in service.
    fn refresh_servers(&mut self) {
        let network = &self.scenario.network;
        for (id, colo) in network.colos.iter() {
            let pools: Vec<(Pool, f64)> = colo
                .pools
                .iter()
                .map(|&pool| (network.pools[pool].clone(), self.truth.pool_up[pool]))
                .collect();
            let capacity = if pools.is_empty() {
                f64::INFINITY
            } else {
                pools.iter().map(|(pool, up)| pool.capacity() * up).sum()
            };
            let bound = capacity * self.scenario.queue_limit.seconds();
            self.colos[id].capacity = capacity;
            self.colos[id].bound_cpu_s = bound;
            if self.pools[id] != pools {
                self.colos[id].forget_response_time();
            }
            self.pools[id] = pools;
        }
    }

    /// Brings the solution up to date with everything that happened at this instant.
    pub fn settle(&mut self) {
        if self.ways_stale || !self.moved.is_empty() {
            let changed = self.ways_stale;
            self.assign_bundles();
            if changed {
                self.reroute_flows();
            }
            self.solution_stale = true;
        }
        if self.solution_stale {
            self.solve();
            self.admit_to_backlogs();
            self.solution_stale = false;
        }
    }

    fn solve(&mut self) {
        self.solution += 1;
        self.fluid.rate.clear();
        self.fluid.rate.resize(self.bundles.list.len(), 0.0);
        for (bundle, rate) in self.bundles.of_demand.iter().zip(&self.demands.rate) {
            if let Some(bundle) = bundle {
                self.fluid.rate[*bundle as usize] += rate;
            }
        }
        self.solve_edges();
        self.trajectory.absorb(self.now.0);
        self.fluid.placed_bps.iter().for_each(|&bps| self.trajectory.absorb_f64(bps));
        for state in self.colos.rows() {
            self.trajectory.absorb_f64(state.arrival);
            self.trajectory.absorb_f64(state.accepted);
            self.trajectory.absorb_f64(state.seconds_per_cpu_s);
        }
        self.buffers.bits.iter().for_each(|&bits| self.trajectory.absorb_f64(bits));
        self.offer_to_flows();
        self.assert_links_feasible();
        self.foresee_backlogs();
        self.foresee_buffers();
        self.foresee_admission();
    }

    /// Solves with what caches fetch and admission turns away. Both depend on what reaches the
    /// sites, and that on both: a fixed point, found by repetition.
    fn solve_edges(&mut self) {
        if self.caches.is_empty() && self.admission.is_empty() {
            self.solve_fluid();
            return;
        }
        self.caches.advance(self.now);
        self.advance_admission();
        let mut before: Vec<f64> = Vec::new();
        let mut residual = 0.0_f64;
        for round in 0..EDGE_ROUNDS_MAX {
            let mut wishes = Vec::new();
            self.refuse(round == 0, &mut wishes);
            self.fetch(round == 0, round > EDGE_ROUNDS_FREE, &mut wishes);
            let differ = |(&now, &then): (&f64, &f64)| {
                if now == then { 0.0 } else { (now - then).abs() / now.abs().max(then.abs()) }
            };
            residual = wishes.iter().zip(&before).map(differ).fold(0.0, f64::max);
            if round > 0 && residual <= 1e-11 {
                return;
            }
            before = wishes;
            self.solve_fluid();
        }
        self.fluid.residual_max = self.fluid.residual_max.max(residual);
    }

    fn solve_fluid(&mut self) {
        let wishes = self.wishes();
        let inputs = Inputs {
            fabric: Fabric {
                network: &self.scenario.network,
                graph: &self.graph,
                routes: &self.routes,
                tunnels: &self.steering.tunnels,
                truth: &self.truth.links,
                queues: self.queues.0,
                tenants: self.queues.1,
            },
            bundles: &self.bundles.list,
            limits: &self.steering.limits,
            neighbours: self.scenario.network.neighbours.len(),
            backlogs: &self.backlogs,
            wishes: &wishes,
            buffers: &self.buffers,
            pools: &self.pools,
        };
        self.fluid.solve(&inputs, &mut self.colos);
    }

    /// Schedules the instants at which backlogs reach their bound or run empty.
    fn foresee_backlogs(&mut self) {
        for (colo, state) in self.colos.iter() {
            let backlog = &self.backlogs[colo];
            let crossing =
                backlog.crossing(self.now, state.arrival, state.capacity, state.bound_cpu_s);
            if let Some(at) = crossing {
                let event = Event::Backlog(colo, self.solution);
                self.outbox.push((at, phase::CHANGE, source::COLO + colo.0, event));
            }
        }
    }

    /// No link carries more than its capacity (kept in release builds).
    fn assert_links_feasible(&self) {
        let queues = self.queues.0;
        for (arc, &capacity) in self.truth.links.capacity_bps.iter().enumerate() {
            let slots = arc * queues..(arc + 1) * queues;
            let carried: f64 = self.fluid.arrival_bps[slots.clone()]
                .iter()
                .zip(&self.fluid.transfer.ratio[slots])
                .map(|(arrival, ratio)| arrival * ratio)
                .sum();
            assert!(
                carried <= capacity * (1.0 + 1e-9) + 1e-6,
                "arc {arc} carries {carried} of {capacity} bit/s"
            );
        }
    }

    pub(crate) fn tell(
        &self,
        recorder: &mut dyn Recorder,
        kind: &str,
        agent: &str,
        entity: &str,
        label: &str,
    ) {
        recorder.event(&EventRecord { at: self.now, kind, agent, entity, label });
    }
}

/// Kind and entity of a change, for the record.
fn describe(change: &Change, network: &crate::net::Network) -> (&'static str, String) {
    let names = |links: &[crate::net::LinkId]| {
        links.iter().map(|&link| network.links[link].id.as_str()).collect::<Vec<_>>().join(" ")
    };
    match change {
        Change::LinkFails(link) => ("link-fails", network.links[*link].id.clone()),
        Change::LinkRestored(link) => ("link-restored", network.links[*link].id.clone()),
        Change::LinkMembersDown(link, _) => ("link-members-down", network.links[*link].id.clone()),
        Change::SiteFails(site) => ("site-fails", network.sites[*site].id.clone()),
        Change::SiteRestored(site) => ("site-restored", network.sites[*site].id.clone()),
        Change::SrlgFails(srlg) => ("srlg-fails", network.srlgs[*srlg].clone()),
        Change::SrlgRestored(srlg) => ("srlg-restored", network.srlgs[*srlg].clone()),
        Change::ServersDown(pool, _) => ("servers-down", network.pools[*pool].id.clone()),
        Change::NeighbourWithdraws { links, .. } => ("neighbour-withdraws", names(links)),
        Change::NeighbourRestores { links } => ("neighbour-restores", names(links)),
        Change::SessionDown(link) => ("session-down", network.links[*link].id.clone()),
        Change::SessionUp(link) => ("session-up", network.links[*link].id.clone()),
        Change::RoutingTrouble(trouble) => (trouble.kind(true), trouble.entity()),
        Change::RoutingTroubleEnds(trouble) => (trouble.kind(false), trouble.entity()),
        Change::FeedOutage(kind, _) => ("feed-outage", kind.name().to_owned()),
        Change::Mark => ("mark", String::new()),
    }
}
