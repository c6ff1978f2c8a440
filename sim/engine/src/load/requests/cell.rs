//! The cell: clock, sources, servers, and what happens to a request from arrival to end.

use super::agenda::{Agenda, Event};
use super::chance::{self, Purpose};
use super::connections::Connections;
use super::front::Front;
use super::job::{Job, NONE, Place, Request};
use super::slab::Slab;
use super::source::{Source, Way};
use super::spec::{CellSpec, ClientSpec, Level, Path, Pattern};
use super::station::{Floor, Station};
use super::stats::{Breakdown, Cause, CellStats, ClassStats};
use crate::kernel::{Fingerprint, SimSpan, SimTime, StreamKey};
use crate::load::balance::{Ask, Balancer};

/// The servers of one colo with all who use them, request by request.
#[derive(Debug)]
pub struct Cell {
    pub(super) floor: Floor,
    pub(super) requests: Slab<Request>,
    pub(super) sources: Vec<Source>,
    pub(super) clients: Vec<ClientSpec>,
    pub(super) stations: Vec<Station>,
    /// Weights at the balancers when up.
    pub(super) weights: Vec<f64>,
    pub(super) health_delay: SimSpan,
    pub(super) front: Front,
    pub(super) level: Level,
    probe_delay: SimSpan,
    probe_targets: Vec<u32>,
    pub(super) connections: Connections,
    pub(super) classes: Vec<ClassStats>,
    stats_since: SimTime,
    ended: u64,
    /// How far the present advance goes: later arrivals are not on the agenda yet.
    until: SimTime,
}

impl Cell {
    /// A cell at time 0 with its balancers, at least one; all run the same rule, each with its own
    /// draws.
    #[must_use]
    pub fn new(spec: &CellSpec, balancers: Vec<Box<dyn Balancer>>) -> Cell {
        let source = |arrival| Source::new(arrival, spec.seed, spec.replication);
        let sources: Vec<Source> = spec.arrivals.iter().map(source).collect();
        let fits = |source: &Source| {
            source.class < spec.classes && (source.client as usize) < spec.clients.len()
        };
        assert!(sources.iter().all(fits), "a source refers to a class and a client that exist");
        let entity = |index: usize| (sources.len() + index) as u32;
        let station = |(index, server)| Station::new(server, index as u32, entity(index));
        let stations: Vec<Station> = spec.servers.iter().enumerate().map(station).collect();
        let key = StreamKey {
            seed: spec.seed,
            replication: spec.replication,
            purpose: "balancer",
            entity: spec.entity,
        };
        let agenda = Agenda::new(sources.len() + stations.len() + 1);
        let mut cell = Cell {
            floor: Floor { agenda, jobs: Slab::default() },
            requests: Slab::default(),
            sources,
            clients: spec.clients.clone(),
            stations,
            weights: spec.servers.iter().map(|server| server.weight).collect(),
            health_delay: spec.front.health_delay,
            front: Front::new(&spec.front, &spec.servers, balancers, key),
            level: spec.front.level,
            probe_delay: spec.front.probe_delay,
            probe_targets: Vec::new(),
            connections: Connections::default(),
            classes: vec![ClassStats::default(); spec.classes as usize],
            stats_since: SimTime::ZERO,
            ended: 0,
            until: SimTime::ZERO,
        };
        cell.begin(spec);
        cell
    }

    /// Fills the budgets and lets the clients of closed loops think.
    fn begin(&mut self, spec: &CellSpec) {
        for (index, arrival) in (0_u32..).zip(&spec.arrivals) {
            let source = &mut self.sources[index as usize];
            let budget = self.clients[arrival.client as usize].retry.budget;
            source.tokens = budget.map_or(0.0, |budget| budget.burst);
            if let Pattern::Closed { clients, .. } = arrival.pattern {
                for client in 0..clients {
                    let span = source.think().expect("clients of a closed loop think");
                    let event = Event::Arrive { source: index, tag: client };
                    self.floor.agenda.schedule(SimTime::ZERO.after(span), index, event);
                }
            }
        }
    }

    /// The instant the cell has reached.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.floor.agenda.now
    }

    /// Plays everything up to an instant, that instant included.
    pub fn advance(&mut self, until: SimTime) {
        self.extend(until);
        while let Some(event) = self.floor.agenda.pop_until(until) {
            self.happen(event);
        }
        self.floor.agenda.now = self.floor.agenda.now.max(until);
    }

    /// Plays until this many more requests have ended, served or dropped. False: nothing is left
    /// that could end.
    pub fn advance_ended(&mut self, requests: u64) -> bool {
        self.extend(SimTime::NEVER);
        let target = self.ended + requests;
        while self.ended < target {
            let Some(event) = self.floor.agenda.pop_until(SimTime::NEVER) else { return false };
            self.happen(event);
        }
        true
    }

    /// Puts the arrivals up to an instant on the agenda.
    fn extend(&mut self, until: SimTime) {
        self.until = until;
        for index in 0..self.sources.len() {
            self.expect(index as u32);
        }
    }

    /// Puts the next arrival of a source on the agenda, if it is to come in this advance. (Those
    /// later stay off it: otherwise every change of a low rate would leave one behind.)
    #[inline]
    fn expect(&mut self, index: u32) {
        let source = &mut self.sources[index as usize];
        if source.scheduled {
            return;
        }
        let Some(at) = source.next_at().filter(|at| *at <= self.until) else { return };
        source.scheduled = true;
        let event = Event::Arrive { source: index, tag: source.epoch };
        // Rounding may put an arrival just before a change of its rate.
        let at = at.max(self.floor.agenda.now);
        self.floor.agenda.schedule(at, index, event);
    }

    /// Changes the rate of a Poisson or renewal source from now on; of others it changes nothing.
    /// What the next requests are stays the same: only when they arrive changes.
    pub fn set_rate(&mut self, source: u32, rate_per_s: f64) {
        let now = self.now();
        if self.sources[source as usize].rate_per_s != rate_per_s {
            self.sources[source as usize].set_rate(rate_per_s, now);
            self.expect(source);
        }
    }

    /// Changes what lies between the clients of a source and the servers, for what is sent from
    /// now on.
    pub fn set_path(&mut self, source: u32, path: &Path) {
        self.sources[source as usize].way = Way::new(path);
    }

    /// Statistics since the last reset, brought to the present.
    #[must_use]
    pub fn stats(&mut self) -> CellStats {
        let now = self.now();
        let seconds = now.since(self.stats_since).seconds();
        for class in &mut self.classes {
            class.level.settle(now);
            class.in_system_mean = class.level.mean(seconds);
        }
        CellStats {
            seconds,
            classes: self.classes.clone(),
            servers: self.stations.iter_mut().map(|station| station.stats(now, seconds)).collect(),
        }
    }

    /// Statistics since the last reset; resets them.
    pub fn take_stats(&mut self) -> CellStats {
        let stats = self.stats();
        let now = self.now();
        self.stats_since = now;
        self.classes.iter_mut().for_each(|class| class.reset(now));
        self.stations.iter_mut().for_each(|station| station.reset(now));
        stats
    }

    /// Hash of every arrival at a server and every end of a request.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.floor.agenda.fingerprint
    }

    /// Number of events so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.floor.agenda.popped
    }

    /// Requests under way, attempts under way, connections open, pending events: what memory
    /// depends on.
    #[must_use]
    pub fn in_flight(&self) -> (usize, usize, usize, usize) {
        let pending = self.floor.agenda.pending();
        (self.requests.len(), self.floor.jobs.len(), self.connections.len(), pending)
    }

    #[inline]
    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { source, tag } => self.arrive(source, tag),
            Event::Done { job, stamp, turn }
                if self.floor.jobs.holds(job, stamp) && self.floor.jobs[job].turn == turn =>
            {
                self.done(job);
            }
            // The job has gone on or away since.
            Event::Done { .. } => {}
            Event::Tick { server, epoch } => {
                while let Some(job) = self.stations[server as usize].tick(&mut self.floor, epoch) {
                    self.done(job);
                }
                self.stations[server as usize].ticked(&mut self.floor, epoch);
            }
            Event::Reach { job, stamp } if self.floor.jobs.holds(job, stamp) => self.reach(job),
            Event::Answer { job, stamp } if self.floor.jobs.holds(job, stamp) => self.answer(job),
            Event::Timeout { job, stamp } if self.floor.jobs.holds(job, stamp) => {
                self.time_out(job);
            }
            Event::Hedge { request, stamp } if self.requests.holds(request, stamp) => {
                self.hedge(request);
            }
            Event::Retry { request, stamp } if self.requests.holds(request, stamp) => {
                self.send(request, false);
            }
            Event::Health { server, epoch } => self.health_seen(server, epoch),
            Event::Idle { connection, stamp } => self.maybe_idle(connection, stamp),
            Event::Probe { balancer, server } => {
                let station = &self.stations[server as usize];
                let (held, recent_s, now) = (station.in_system(), station.recent_s, self.now());
                self.front.probed(balancer, server, now, held, recent_s);
            }
            Event::Drained { server, epoch } => self.drained(server, epoch),
            _ => {}
        }
    }

    /// A request arrives.
    #[inline]
    fn arrive(&mut self, index: u32, tag: u32) {
        let now = self.floor.agenda.now;
        let source = &mut self.sources[index as usize];
        let closed = source.is_closed();
        if !closed && tag != source.epoch {
            return;
        }
        let (demand_s, seed) = source.draw();
        let user = match source.users {
            _ if closed => u64::from(tag),
            1 => 0,
            users => chance::below(seed, Purpose::User, users),
        };
        let client = &self.clients[source.client as usize];
        if let Some(budget) = client.retry.budget {
            source.tokens = (source.tokens + budget.ratio).min(budget.burst);
        }
        let hedge = client.hedge;
        let class = &mut self.classes[source.class as usize];
        class.offered += 1;
        class.level.up(now);
        if !closed {
            source.arrived(now);
            self.expect(index);
        }
        let request = self.requests.insert(Request {
            arrived: now.0,
            seed,
            demand_s,
            user,
            source: index,
            live: [NONE; 2],
            tries: 0,
            hedged: false,
        });
        if let Some(delay) = hedge {
            let stamp = self.requests.stamp(request);
            let event = Event::Hedge { request, stamp };
            self.floor.agenda.schedule(now.after(delay), index, event);
        }
        self.send(request, false);
    }

    /// Sends the next attempt of a request, or its second copy.
    #[inline]
    pub(super) fn send(&mut self, request: u32, second_copy: bool) {
        let now = self.floor.agenda.now;
        let it = &mut self.requests[request];
        let source = &self.sources[it.source as usize];
        let attempt = it.tries + u32::from(it.hedged);
        if second_copy {
            it.hedged = true
        } else {
            it.tries += 1
        }
        let job = self.floor.jobs.insert(Job {
            request,
            source: it.source,
            server: NONE,
            connection: NONE,
            attempt,
            balancer: 0,
            pinned: false,
            place: Place::Travelling,
            priority: source.priority,
            turn: 0,
            failure: None,
            sent: now.0,
            came: 0,
            resumed: 0,
            seed: it.seed,
            demand_s: it.demand_s,
            left_s: it.demand_s,
            setup_ns: 0,
            propagation_ns: source.way.one_way_ns,
            link_queue_ns: source.way.queue_there_ns,
            origin_ns: 0,
            at_server_ns: 0,
        });
        let slot = usize::from(it.live[0] != NONE);
        it.live[slot] = job;
        self.classes[source.class as usize].attempts += 1;
        let client = &self.clients[source.client as usize];
        let (on_the_way, setup) =
            (source.way.one_way_ns + source.way.queue_there_ns, source.way.setup_ns);
        let entity = it.source;
        if let Some(timeout) = client.timeout {
            let event = Event::Timeout { job, stamp: self.floor.jobs.stamp(job) };
            self.floor.agenda.schedule(now.after(timeout), entity, event);
        }
        let setup = if client.connection.is_some() { self.connect(job) } else { setup };
        self.floor.jobs[job].setup_ns = setup;
        if setup + on_the_way == 0 {
            self.reach(job);
        } else {
            let event = Event::Reach { job, stamp: self.floor.jobs.stamp(job) };
            self.floor.agenda.schedule(now.after(SimSpan(setup + on_the_way)), entity, event);
        }
    }

    /// A job is at the site: a server is chosen.
    #[inline]
    fn reach(&mut self, job: u32) {
        let now = self.floor.agenda.now;
        let it = &mut self.floor.jobs[job];
        let balanced = !it.pinned;
        let (balancer, server) = if it.pinned {
            (it.balancer, (it.server != NONE).then_some(it.server))
        } else {
            let key = chance::bits(it.seed, Purpose::Key, u64::from(it.attempt));
            let balancer = self.front.balancer_of(key);
            it.balancer = balancer;
            let zone = self.sources[it.source as usize].zone;
            (balancer, self.front.pick(balancer, &Ask { now, key, zone }))
        };
        if self.front.wants_probes(balancer) {
            self.probe(balancer);
        }
        let Some(server) = server else { return self.turned_away(job, Cause::NoServer) };
        self.floor.agenda.fingerprint.absorb(now.0 ^ u64::from(server).rotate_right(16));
        let station = &mut self.stations[server as usize];
        let up = station.up;
        if up && station.offer(&mut self.floor, job) {
            if balanced {
                self.front.sent(balancer, server, now);
            }
            return;
        }
        if balanced {
            self.front.refused(balancer, server, now);
        }
        self.turned_away(job, if up { Cause::Refused } else { Cause::Broken });
    }

    /// Tells the front end that an attempt left a server. A balancer of connections counts those.
    #[inline]
    pub(super) fn left(&mut self, job: u32, ok: bool) {
        let it = &self.floor.jobs[job];
        if it.pinned {
            return;
        }
        let now = self.floor.agenda.now;
        self.front.finished(it.balancer, it.server, now, it.at_server_ns as f64 * 1e-9, ok);
    }

    /// Sends the probes that go with one request.
    fn probe(&mut self, balancer: u32) {
        let now = self.floor.agenda.now;
        let mut targets = std::mem::take(&mut self.probe_targets);
        self.front.probe_targets(balancer, now, &mut targets);
        for &server in &targets {
            let entity = self.sources.len() as u32 + server;
            let event = Event::Probe { balancer, server };
            self.floor.agenda.schedule(now.after(self.probe_delay), entity, event);
        }
        self.probe_targets = targets;
    }

    /// A job is done at its server.
    #[inline]
    fn done(&mut self, job: u32) {
        let server = self.floor.jobs[job].server;
        self.stations[server as usize].finish(&mut self.floor, job);
        let it = &mut self.floor.jobs[job];
        let source = &self.sources[it.source as usize];
        if it.request == NONE {
            self.classes[source.class as usize].wasted += 1;
            self.left(job, true);
            return self.floor.jobs.remove(job);
        }
        let failure = self.clients[source.client as usize].failure;
        if failure > 0.0
            && chance::uniform(it.seed, Purpose::Failure, u64::from(it.attempt)) < failure
        {
            it.failure = Some(Cause::Failed);
        }
        let ok = it.failure.is_none();
        it.origin_ns = if ok { source.way.origin_ns } else { 0 };
        self.left(job, ok);
        self.return_home(job);
    }

    /// An attempt gets no answer from a server.
    pub(super) fn turned_away(&mut self, job: u32, cause: Cause) {
        if self.floor.jobs[job].request == NONE {
            return self.floor.jobs.remove(job);
        }
        self.floor.jobs[job].failure = Some(cause);
        self.return_home(job);
    }

    /// An answer, good or bad, goes back to its client.
    #[inline]
    fn return_home(&mut self, job: u32) {
        let now = self.floor.agenda.now;
        let it = &mut self.floor.jobs[job];
        let way = &self.sources[it.source as usize].way;
        it.place = Place::Returning;
        it.propagation_ns += way.one_way_ns;
        it.link_queue_ns += way.queue_back_ns;
        let back = way.one_way_ns + way.queue_back_ns + it.origin_ns;
        if back == 0 {
            return self.answer(job);
        }
        let entity = it.source;
        let event = Event::Answer { job, stamp: self.floor.jobs.stamp(job) };
        self.floor.agenda.schedule(now.after(SimSpan(back)), entity, event);
    }

    /// An answer reaches its client.
    #[inline]
    fn answer(&mut self, job: u32) {
        let (connection, failure) = (self.floor.jobs[job].connection, self.floor.jobs[job].failure);
        if connection != NONE {
            self.request_over(connection);
        }
        if let Some(cause) = failure {
            return self.attempt_failed(job, cause);
        }
        let it = &self.floor.jobs[job];
        let at = it.request;
        let request = &self.requests[at];
        let class = &mut self.classes[self.sources[it.source as usize].class as usize];
        class.served += 1;
        let now = self.floor.agenda.now;
        class.latency.add(now.0 - request.arrived, 1.0);
        let pace_ns = self.stations[it.server as usize].pace_ns;
        let at_server_s = it.at_server_ns as f64 * 1e-9;
        let service_s = (it.demand_s * pace_ns * 1e-9).min(at_server_s);
        let seconds = |nanos: u64| nanos as f64 * 1e-9;
        class.breakdown.add(&Breakdown {
            setup_s: seconds(it.setup_ns),
            propagation_s: seconds(it.propagation_ns),
            link_queue_s: seconds(it.link_queue_ns),
            wait_s: at_server_s - service_s,
            service_s,
            origin_s: seconds(it.origin_ns),
            retry_s: seconds(it.sent - request.arrived),
        });
        self.floor.jobs.remove(job);
        let live = request.live;
        for other in live {
            if other != NONE && other != job {
                self.cancel(other);
            }
        }
        self.end(at);
    }

    /// A request is over, one way or the other.
    #[inline]
    pub(super) fn end(&mut self, request: u32) {
        let now = self.floor.agenda.now;
        let it = &self.requests[request];
        let (index, user) = (it.source, it.user);
        self.requests.remove(request);
        self.ended += 1;
        self.floor.agenda.fingerprint.absorb(now.0);
        let source = &mut self.sources[index as usize];
        self.classes[source.class as usize].level.down(now);
        if source.is_closed()
            && let Some(span) = source.think()
        {
            let event = Event::Arrive { source: index, tag: user as u32 };
            self.floor.agenda.schedule(now.after(span), index, event);
        }
    }
}
