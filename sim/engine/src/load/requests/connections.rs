//! Connections: set-up, reuse, idle time, and what breaks them.

use super::agenda::Event;
use super::cell::Cell;
use super::chance::{self, Purpose, mix};
use super::job::NONE;
use super::slab::Slab;
use super::spec::{ConnectionSpec, Level};
use super::stats::Cause;
use crate::kernel::{SimSpan, SimTime, Stream, StreamKey};
use crate::load::balance::Ask;
use std::collections::BTreeMap;

/// One connection.
#[derive(Clone, Copy, Debug)]
struct Connection {
    source: u32,
    user: u64,
    balancer: u32,
    /// Server it sticks to; [`NONE`] if each request is balanced.
    server: u32,
    /// Hash of what identifies it, such as the five-tuple.
    key: u64,
    version: u32,
    opened: u64,
    /// When set-up is over.
    ready: u64,
    /// Requests sent on it, and under way.
    requests: u32,
    in_flight: u32,
    last_used: u64,
    /// End of its life.
    expires: u64,
    /// Whether an event looks after it.
    watched: bool,
    /// Takes no new requests.
    closing: bool,
    /// Next connection of the same user.
    next: u32,
}

/// All connections of a cell.
#[derive(Debug, Default)]
pub(super) struct Connections {
    table: Slab<Connection>,
    /// First connection by source and user.
    first: BTreeMap<(u32, u64), u32>,
    version: u32,
    breaks: u64,
}

/// What decides whether a connection survives a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConnectionSeen {
    /// Source of its requests.
    pub source: u32,
    /// Server it sticks to; none if each request is balanced.
    pub server: Option<u32>,
    /// Hash of what identifies it: the same for all its packets.
    pub key: u64,
    /// Version of the tables when it was opened; see [`Cell::new_tables`].
    pub version: u32,
    /// When it was opened.
    pub opened: SimTime,
    /// A uniform draw of its own for this question, in [0, 1).
    pub draw: f64,
}

impl Connections {
    /// Connections open.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// A connection of a user that takes one more request.
    fn usable(&self, source: u32, user: u64, spec: &ConnectionSpec, now: u64) -> Option<u32> {
        let mut at = self.first.get(&(source, user)).copied().unwrap_or(NONE);
        while at != NONE {
            let it = &self.table[at];
            let room = it.in_flight < spec.protocol.streams_max()
                && spec.requests_max.is_none_or(|most| it.requests < most);
            if room && !it.closing && now < it.expires {
                return Some(at);
            }
            at = it.next;
        }
        None
    }

    /// Adds a connection to those of its user.
    fn insert(&mut self, connection: Connection) -> u32 {
        let user = (connection.source, connection.user);
        let next = self.first.get(&user).copied().unwrap_or(NONE);
        let at = self.table.insert(Connection { next, ..connection });
        self.first.insert(user, at);
        at
    }

    /// Takes a connection away.
    fn remove(&mut self, at: u32) {
        let it = self.table[at];
        let user = (it.source, it.user);
        let head = self.first[&user];
        if head == at {
            if it.next == NONE {
                self.first.remove(&user);
            } else {
                self.first.insert(user, it.next);
            }
        } else {
            let mut before = head;
            while self.table[before].next != at {
                before = self.table[before].next;
            }
            self.table[before].next = it.next;
        }
        self.table.remove(at);
    }
}

impl Cell {
    /// Finds or opens a connection for an attempt; gives the time until it can be sent, in ns.
    pub(super) fn connect(&mut self, job: u32) -> u64 {
        let now = self.now().0;
        let it = self.floor.jobs[job];
        let user = self.requests[it.request].user;
        let client = self.sources[it.source as usize].client as usize;
        let spec = self.clients[client].connection.as_ref().expect("asked for with connections");
        let at = match self.connections.usable(it.source, user, spec, now) {
            Some(at) => at,
            None => self.open(job, user),
        };
        let connection = &mut self.connections.table[at];
        connection.in_flight += 1;
        connection.requests += 1;
        connection.last_used = now;
        let setup = connection.ready.saturating_sub(now);
        let it = &mut self.floor.jobs[job];
        it.connection = at;
        if self.level == Level::Connection {
            (it.pinned, it.balancer, it.server) = (true, connection.balancer, connection.server);
        }
        setup
    }

    /// Opens a connection; its draws are those of the request that opens it.
    fn open(&mut self, job: u32, user: u64) -> u32 {
        let now = self.now();
        let it = self.floor.jobs[job];
        let source = &self.sources[it.source as usize];
        let client = &self.clients[source.client as usize];
        let spec = client.connection.as_ref().expect("asked for with connections");
        let attempt = u64::from(it.attempt);
        let draw = |purpose| chance::uniform(it.seed, purpose, attempt);
        let resumed = draw(Purpose::Resumption) < spec.resumed;
        let trips = u64::from(spec.protocol.round_trips(resumed, spec.early_data));
        let trip = source.way.rtt_ns + source.way.queue_there_ns + source.way.queue_back_ns;
        let lookup = if draw(Purpose::Lookup) < spec.dns_share { spec.dns.0 } else { 0 };
        let expires = spec.life.as_ref().map_or(u64::MAX, |(law, mean_s)| {
            let entity = chance::bits(it.seed, Purpose::Life, attempt);
            let key = StreamKey { seed: 0, replication: 0, purpose: "connection-life", entity };
            let life_s = law.sample(*mean_s, &mut Stream::new(key));
            now.after(SimSpan((life_s * 1e9 + 0.5) as u64)).0
        });
        let key = chance::bits(it.seed, Purpose::Key, attempt);
        let balancer = self.front.balancer_of(key);
        let ask = Ask { now, key, zone: source.zone };
        let mut server = NONE;
        if self.level == Level::Connection
            && let Some(chosen) = self.front.pick(balancer, &ask)
        {
            self.front.sent(balancer, chosen, now);
            server = chosen;
        }
        self.classes[source.class as usize].connections_opened += 1;
        self.connections.insert(Connection {
            source: it.source,
            user,
            balancer,
            server,
            key,
            version: self.connections.version,
            opened: now.0,
            ready: now.0 + lookup + trips * trip,
            requests: 0,
            in_flight: 0,
            last_used: now.0,
            expires,
            watched: false,
            // Without a server it serves for this one request only: it will fail.
            closing: server == NONE && self.level == Level::Connection,
            next: NONE,
        })
    }

    /// A request on a connection is over.
    pub(super) fn request_over(&mut self, at: u32) {
        let now = self.now().0;
        let connection = &mut self.connections.table[at];
        connection.in_flight -= 1;
        connection.last_used = now;
        self.settle(at);
    }

    /// A request on a connection was given up. One that carries a single request at a time cannot
    /// go on.
    pub(super) fn request_given_up(&mut self, at: u32) {
        let source = self.connections.table[at].source;
        let client = self.sources[source as usize].client as usize;
        let spec = self.clients[client].connection.as_ref();
        if spec.is_some_and(|spec| spec.protocol.streams_max() == 1) {
            self.connections.table[at].closing = true;
        }
        self.request_over(at);
    }

    /// Closes a connection that is idle and at its end, or sees to it that this will happen.
    fn settle(&mut self, at: u32) {
        let now = self.now().0;
        let it = self.connections.table[at];
        if it.in_flight > 0 {
            return;
        }
        let client = self.sources[it.source as usize].client as usize;
        let spec = self.clients[client].connection.as_ref().expect("it has a connection");
        let worn = spec.requests_max.is_some_and(|most| it.requests >= most);
        let due = match spec.life {
            Some(_) => it.expires,
            None => it.last_used.saturating_add(spec.keep_alive.0),
        };
        if it.closing || worn || now >= due {
            let class = self.sources[it.source as usize].class as usize;
            self.classes[class].connections_closed += 1;
            self.close(at, true);
        } else if !it.watched {
            self.connections.table[at].watched = true;
            let event = Event::Idle { connection: at, stamp: self.connections.table.stamp(at) };
            self.floor.agenda.schedule(SimTime(due), it.source, event);
        }
    }

    /// A connection may have been idle long enough.
    pub(super) fn maybe_idle(&mut self, at: u32, stamp: u32) {
        if self.connections.table.holds(at, stamp) {
            self.connections.table[at].watched = false;
            self.settle(at);
        }
    }

    /// Forgets a connection.
    fn close(&mut self, at: u32, ok: bool) {
        let it = self.connections.table[at];
        let now = self.now();
        self.front.closed(it.balancer, it.key);
        if it.server != NONE {
            let open_s = (now.0 - it.opened) as f64 * 1e-9;
            self.front.finished(it.balancer, it.server, now, open_s, ok);
        }
        self.connections.remove(at);
    }

    /// Tables change: connections opened from now on have a version one higher. Gives it.
    pub fn new_tables(&mut self) -> u32 {
        self.connections.version += 1;
        self.connections.version
    }

    /// Breaks the connections that a rule names: their requests under way fail, and may be tried
    /// again. Gives their number.
    pub fn break_connections(&mut self, mut broken: impl FnMut(&ConnectionSeen) -> bool) -> u64 {
        self.connections.breaks += 1;
        let question = mix(self.connections.breaks);
        let mut doomed = Vec::new();
        for at in self.connections.table.taken() {
            let it = &self.connections.table[at];
            let seen = ConnectionSeen {
                source: it.source,
                server: (it.server != NONE).then_some(it.server),
                key: it.key,
                version: it.version,
                opened: SimTime(it.opened),
                draw: (mix(it.key ^ question) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64),
            };
            if broken(&seen) {
                doomed.push(at);
            }
        }
        self.break_all(&doomed);
        doomed.len() as u64
    }

    /// Breaks this share, from 0 to 1, of the connections of a source: a share of its clients
    /// lands elsewhere. Gives their number.
    pub fn break_share(&mut self, source: u32, share: f64) -> u64 {
        self.break_connections(|it| it.source == source && it.draw < share)
    }

    /// Asks the balancers whether the packets of each connection still get to its server, and
    /// breaks those that do not. Gives their number.
    pub fn check_connections(&mut self) -> u64 {
        if self.level != Level::Connection {
            return 0;
        }
        let now = self.now();
        let mut doomed = Vec::new();
        for at in self.connections.table.taken() {
            let it = self.connections.table[at];
            let ask = Ask { now, key: it.key, zone: self.sources[it.source as usize].zone };
            if it.server != NONE && !self.front.reaches(it.balancer, &ask, it.server) {
                doomed.push(at);
            }
        }
        self.break_all(&doomed);
        doomed.len() as u64
    }

    /// Breaks connections, given in ascending order.
    fn break_all(&mut self, doomed: &[u32]) {
        if doomed.is_empty() {
            return;
        }
        let is_doomed = |connection: u32| doomed.binary_search(&connection).is_ok();
        let mut lost = Vec::new();
        for job in self.floor.jobs.taken() {
            let it = self.floor.jobs[job];
            if it.connection != NONE && is_doomed(it.connection) {
                lost.push(job);
            }
        }
        let mut requests = Vec::with_capacity(lost.len());
        for &job in &lost {
            let it = self.floor.jobs[job];
            self.detach(it.request, job);
            self.withdraw(job);
            let class = self.sources[it.source as usize].class as usize;
            self.classes[class].attempts_failed[Cause::Broken as usize] += 1;
            requests.push(it.request);
        }
        for &at in doomed {
            let source = self.connections.table[at].source;
            let class = self.sources[source as usize].class as usize;
            self.classes[class].connections_broken += 1;
            self.close(at, false);
        }
        // Both copies of a request may have been on broken connections: it is lost once.
        requests.sort_unstable();
        requests.dedup();
        requests.into_iter().for_each(|request| self.try_again(request, Cause::Broken));
    }
}
