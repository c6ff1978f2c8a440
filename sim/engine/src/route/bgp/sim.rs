//! The event-driven solver: what it owns, and its doors.

use super::attrs::{NOTHING, Store};
use super::change::BgpChange;
use super::damping::DampingTable;
use super::decide::{Decider, Rank};
use super::igp::Igp;
use super::model::{BgpNetwork, BgpPrefixId, IgpLinkId, SessionId, SpeakerId};
use super::roa::Origins;
use super::state::{
    Cell, End, EndId, Event, LocalRoute, PHASE_CHANGE, Router, SessionState, Update,
};
use super::view::Refusal;
use super::watch::{Cycle, Watch};
use crate::kernel::{Fingerprint, Id, Scheduler, SimSpan, SimTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Hears what happens while a [`BgpSim`] runs. All methods do nothing unless written.
pub trait RouteSink {
    /// A speaker's best route to a prefix changed (or went); ask the solver for it afterwards.
    fn best_changed(&mut self, at: SimTime, speaker: SpeakerId, prefix: BgpPrefixId) {
        let _ = (at, speaker, prefix);
    }
    /// A speaker decided anew about a prefix: routes that it holds changed, the best one or others
    /// (equally good ones among them).
    fn decided(&mut self, at: SimTime, speaker: SpeakerId, prefix: BgpPrefixId) {
        let _ = (at, speaker, prefix);
    }
    /// A speaker sent an announcement (or a withdrawal) of one prefix.
    fn sent(&mut self, at: SimTime, sent: Sent) {
        let _ = (at, sent);
    }
    /// A session came up or went down.
    fn session_changed(&mut self, at: SimTime, session: SessionId, up: bool, cause: SessionCause) {
        let _ = (at, session, up, cause);
    }
    /// The exact state of the network came back: it goes round until something else changes.
    fn circling(&mut self, at: SimTime, cycle: &Cycle) {
        let _ = (at, cycle);
    }
}

/// One prefix in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Over which session.
    pub session: SessionId,
    /// By whom.
    pub from: SpeakerId,
    /// About what.
    pub prefix: BgpPrefixId,
    /// An announcement; otherwise a withdrawal.
    pub announced: bool,
}

/// Why a session came up or went down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionCause {
    /// A scheduled change, of the session or of what it needs.
    Change,
    /// More prefixes than one end allows.
    PrefixLimit {
        /// Who tore it down.
        by: SpeakerId,
        /// How many it held.
        held: u32,
    },
    /// The pause after a prefix limit is over.
    Restart,
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deaf;

impl RouteSink for Deaf {}

/// What a solver counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Announcements sent, one for each prefix.
    pub announcements: u64,
    /// Withdrawals sent, one for each prefix.
    pub withdrawals: u64,
    /// Messages sent; what goes over a session at one instant is one message.
    pub messages: u64,
    /// Runs of the decision process.
    pub decisions: u64,
    /// Changes of best routes.
    pub best_changes: u64,
}

impl Counts {
    /// Announcements and withdrawals.
    #[must_use]
    pub fn updates(&self) -> u64 {
        self.announcements + self.withdrawals
    }
}

/// When [`BgpSim::settle`] gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettleLimits {
    /// Most announcements and withdrawals sent during the call.
    pub updates: u64,
    /// Events after this are not played.
    pub until: SimTime,
}

impl Default for SettleLimits {
    /// Ten million updates, no limit of time.
    fn default() -> SettleLimits {
        SettleLimits { updates: 10_000_000, until: SimTime::NEVER }
    }
}

/// How a call of [`BgpSim::settle`] ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// Nothing is left to happen.
    Converged {
        /// When a best route changed last.
        at: SimTime,
        /// Announcements and withdrawals sent during the call.
        updates: u64,
    },
    /// The exact state came back, so the network goes round for ever.
    Diverged {
        /// Who goes round, through which routes.
        cycle: Cycle,
    },
    /// A limit was reached, and some states of all best routes had come back by then. Timing is
    /// random, so it may settle later.
    Oscillating {
        /// How many distinct states of all best routes came back.
        recurring_states: usize,
        /// Who moved, through which routes, most recent moves.
        cycle: Cycle,
    },
    /// A limit was reached while the network still moved through states it had not seen.
    LimitReached {
        /// The instant reached.
        at: SimTime,
        /// Announcements and withdrawals sent during the call.
        updates: u64,
    },
}

/// How a call of [`BgpSim::advance`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// Everything up to the instant asked for has happened.
    Reached,
    /// At this instant the network goes round without time passing. It stays there; changes of a
    /// later instant cannot help it.
    StuckAt(SimTime),
}

/// BGP as events in time: every speaker, every message, every timer.
///
/// Equal networks, seeds and changes give equal runs. Nothing is announced at the start.
#[derive(Clone, Debug)]
pub struct BgpSim {
    pub(super) network: Arc<BgpNetwork>,
    pub(super) seed: u64,
    pub(super) replication: u32,
    pub(super) clock: Scheduler<Event>,
    pub(super) store: Store,
    pub(super) igp: Igp,
    pub(super) link_wanted: Vec<bool>,
    pub(super) link_cost: Vec<[u64; 2]>,
    pub(super) origins: Origins,
    pub(super) ends: Vec<End>,
    pub(super) routers: Vec<Router>,
    pub(super) sessions: Vec<SessionState>,
    /// By speaker, then prefix.
    pub(super) cells: Vec<Cell>,
    pub(super) locals: Vec<LocalRoute>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) discards: BTreeSet<(SpeakerId, BgpPrefixId)>,
    pub(super) damping: DampingTable,
    /// Scheduled changes by number; taken when they happen.
    pub(super) changes: BTreeMap<usize, BgpChange>,
    /// Number of the next change.
    pub(super) next_change: usize,
    pub(super) watch: Watch,
    pub(super) counts: Counts,
    pub(super) last_best_change: SimTime,
    pub(super) scratch: Scratch,
}

/// Working memory, kept between events.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    pub(super) ranks: Vec<Rank>,
    pub(super) sources: Vec<(EndId, u32)>,
    pub(super) decider: Decider,
    /// What each end of the speaker at work wants to send.
    pub(super) outs: Vec<Vec<Update>>,
    /// What each export group of that speaker makes of the prefix at work.
    pub(super) exports: Vec<Option<u32>>,
}

impl BgpSim {
    /// A solver for `network`, all quiet. Chance is drawn from (`seed`, `replication`), the purpose,
    /// the session's name and a count, so a further session never shifts the draws of another.
    ///
    /// Panics if an internal session joins two ASes, or an external one stays inside one: such a
    /// network is a bug of whoever made it.
    #[must_use]
    pub fn new(network: Arc<BgpNetwork>, seed: u64, replication: u32) -> BgpSim {
        let ends: Vec<End> = network
            .sessions
            .ids()
            .flat_map(|id| [End::new(&network, id, 0), End::new(&network, id, 1)])
            .collect();
        let mut routers = vec![
            Router {
                ends: Vec::new(),
                up: true,
                leaks: false,
                ignores_withdrawals: false,
                inbox: Vec::new(),
                dirty: Vec::new(),
                refresh: Vec::new(),
                process_at: None,
                groups: 0,
                only_listens: false,
                spoke: false,
            };
            network.speakers.len()
        ];
        for (id, end) in (0..).zip(&ends) {
            routers[end.speaker.index()].ends.push(id);
        }
        let session =
            |wanted| SessionState { wanted, tripped: false, restart_at: None, attempt: 0 };
        let sources = 1 + network.speakers.len() + ends.len();
        let mut sim = BgpSim {
            seed,
            replication,
            clock: Scheduler::new(sources),
            store: Store::new(),
            igp: Igp::new(&network),
            link_wanted: network.igp_links.rows().iter().map(|link| link.up).collect(),
            link_cost: network.igp_links.rows().iter().map(|link| link.cost).collect(),
            origins: Origins::new(&network),
            sessions: network.sessions.rows().iter().map(|row| session(row.up)).collect(),
            cells: vec![Cell::EMPTY; network.speakers.len() * network.prefixes.len()],
            ends,
            routers,
            locals: Vec::new(),
            refusals: Vec::new(),
            discards: BTreeSet::new(),
            damping: DampingTable::default(),
            changes: BTreeMap::new(),
            next_change: 0,
            watch: Watch::default(),
            counts: Counts::default(),
            last_best_change: SimTime::ZERO,
            scratch: Scratch::default(),
            network,
        };
        for speaker in sim.network.speakers.ids() {
            sim.regroup(speaker);
        }
        for session in sim.network.sessions.ids() {
            let up = sim.session_possible(session);
            for side in 0..2 {
                sim.ends[2 * session.index() + side].up = up;
            }
        }
        sim
    }

    /// The network it plays.
    #[must_use]
    pub fn network(&self) -> &BgpNetwork {
        &self.network
    }

    /// Schedules a change. Changes of one instant happen in the order they were scheduled.
    ///
    /// Panics if `at` is before the last event played, or if the change names what does not exist.
    pub fn apply(&mut self, at: SimTime, change: BgpChange) {
        let index = self.next_change;
        self.next_change += 1;
        self.changes.insert(index, change);
        self.clock.schedule(at, PHASE_CHANGE, 0, Event::Change(index));
    }

    /// When something happens next, if anything is left to happen.
    #[must_use]
    pub fn next_time(&self) -> Option<SimTime> {
        Some(self.clock.peek_key()?.time())
    }

    /// The instant of the last event played.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.clock.now()
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Hash of all events and changes of best routes so far: equal for equal trajectories.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.clock.fingerprint()
    }

    /// When a best route changed last.
    #[must_use]
    pub fn last_best_change(&self) -> SimTime {
        self.last_best_change
    }

    /// Whether a session is up now.
    #[must_use]
    pub fn session_is_up(&self, session: SessionId) -> bool {
        self.ends[2 * session.index()].up
    }

    /// Whether an IGP link is up now.
    #[must_use]
    pub fn igp_link_is_up(&self, link: IgpLinkId) -> bool {
        self.link_possible(link)
    }

    /// Plays all events up to and including `until`.
    pub fn advance(&mut self, until: SimTime, sink: &mut dyn RouteSink) -> Advanced {
        while self.next_time().is_some_and(|next| next <= until) {
            if self.stuck() {
                return Advanced::StuckAt(self.now());
            }
            self.step(sink);
        }
        Advanced::Reached
    }

    /// Plays until nothing is left to happen, until the network is known to go round, or until a
    /// limit. Scheduled changes are part of what happens.
    pub fn settle(&mut self, limits: SettleLimits) -> Settled {
        self.settle_heard(limits, &mut Deaf)
    }

    /// As [`BgpSim::settle`], with a listener.
    pub fn settle_heard(&mut self, limits: SettleLimits, sink: &mut dyn RouteSink) -> Settled {
        let before = self.counts.updates();
        while self.next_time().is_some_and(|next| next <= limits.until) {
            let circling = self.watch.cycle().is_some();
            if circling && (self.changes.is_empty() || self.stuck()) {
                break;
            }
            if self.counts.updates() - before >= limits.updates {
                break;
            }
            self.step(sink);
        }
        let updates = self.counts.updates() - before;
        if let Some(cycle) = self.watch.cycle() {
            return Settled::Diverged { cycle: cycle.clone() };
        }
        if self.next_time().is_none() {
            return Settled::Converged { at: self.last_best_change, updates };
        }
        let recurring_states = self.watch.recurring_states();
        if recurring_states > 0 {
            return Settled::Oscillating { recurring_states, cycle: self.recent_moves() };
        }
        Settled::LimitReached { at: self.now(), updates }
    }

    /// Whether the network goes round at this very instant, with no change waiting to stop it.
    fn stuck(&self) -> bool {
        let timeless = self.watch.cycle().is_some_and(|cycle| cycle.period == SimSpan::ZERO);
        let next = self.clock.peek_key();
        timeless && next.is_some_and(|key| key.time() == self.now() && key.phase() != PHASE_CHANGE)
    }

    /// Plays one event.
    fn step(&mut self, sink: &mut dyn RouteSink) {
        let Some((_, event)) = self.clock.pop() else { return };
        match event {
            Event::Change(index) => {
                let change = self.changes.remove(&index).expect("a change happens once");
                self.watch.disturbed();
                self.make_change(change, sink);
            }
            Event::Restart { session, attempt } => self.restart(session, attempt, sink),
            Event::Deliver { to, epoch } => self.deliver(to, epoch),
            Event::Process(speaker) => {
                self.process(speaker, sink);
                self.watch_state(sink);
            }
            Event::Mrai { end, epoch, prefix } => self.timer_expired(end, epoch, prefix, sink),
            Event::Reuse { end, prefix, generation } => self.reuse(end, prefix, generation),
        }
    }

    #[inline]
    pub(super) fn cell_index(&self, speaker: SpeakerId, prefix: u32) -> usize {
        speaker.index() * self.network.prefixes.len() + prefix as usize
    }

    #[inline]
    pub(super) fn cell(&self, speaker: SpeakerId, prefix: BgpPrefixId) -> &Cell {
        &self.cells[self.cell_index(speaker, prefix.0)]
    }

    /// Makes sure a speaker looks at what waits for it.
    #[inline]
    pub(super) fn wake(&mut self, speaker: SpeakerId) {
        let router = &mut self.routers[speaker.index()];
        if router.process_at.is_none() {
            let at = self.clock.now().after(self.network.speakers[speaker].processing);
            router.process_at = Some(at);
            let source = 1 + speaker.0;
            self.clock.schedule(at, super::state::PHASE_PROCESS, source, Event::Process(speaker));
        }
    }

    /// Source number of an end's events.
    #[inline]
    pub(super) fn source_of(&self, end: EndId) -> u32 {
        1 + self.network.speakers.len() as u32 + end
    }

    /// Whether a cell has a best route.
    #[inline]
    pub(super) fn has_best(cell: &Cell) -> bool {
        cell.from != NOTHING
    }
}
