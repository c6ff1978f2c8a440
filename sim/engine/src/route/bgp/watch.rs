//! Sees when the network goes round: the same state again, and who moved in between.
//!
//! Nothing is hashed until one best route has changed [`MOVES_MIN`] times since the last change from
//! outside. From then on the whole state (tables, messages on their way and timers, in time relative
//! to now) is hashed every so many decisions, so that hashing costs a fixed time for each decision
//! whatever the size of the network. It is compared with one kept state that is renewed at growing
//! distances (Brent 1980). When it comes back, one more round is recorded and compared again. A
//! random draw changes the state, so a cycle is only ever claimed where chance had no part.

use super::attrs::{AttrId, NOTHING};
use super::model::{BgpPrefixId, SpeakerId};
use super::sim::{BgpSim, RouteSink};
use super::state::{Cell, EndId};
use super::view::RouteView;
use crate::kernel::{Fingerprint, SimSpan, SimTime};
use std::collections::BTreeMap;

/// Changes of one best route before the network is watched. Path exploration stays below in
/// networks of usual size; if it does not, watching costs time and changes nothing.
const MOVES_MIN: u32 = 48;
/// Ends and speakers hashed for each decision, on average.
const HASHED_PER_STEP: usize = 64;
/// Most distinct states remembered of a network with random timing.
const STATES_MAX: usize = 4096;
/// Moves remembered of a network with random timing.
const RECENT_MAX: usize = 512;

/// A round the network goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Cycle {
    /// When the recorded round began.
    pub since: SimTime,
    /// How long one round takes; zero if nothing on the way takes time.
    pub period: SimSpan,
    /// Who changes its mind, by speaker and prefix.
    pub members: Vec<CycleMember>,
}

/// One speaker's part in a [`Cycle`].
#[derive(Clone, Debug, PartialEq)]
pub struct CycleMember {
    /// Who.
    pub speaker: SpeakerId,
    /// About what.
    pub prefix: BgpPrefixId,
    /// Its best routes of one round, in order; none: no route.
    pub routes: Vec<Option<RouteView>>,
}

/// A change of a best route.
#[derive(Clone, Copy, Debug)]
struct Move {
    at: SimTime,
    speaker: SpeakerId,
    prefix: u32,
    from: EndId,
    route: AttrId,
}

#[derive(Clone, Debug, Default)]
enum Mode {
    #[default]
    Asleep,
    /// Compares with a kept state.
    Searching {
        kept: u64,
        kept_step: u64,
        next_keep: u64,
    },
    /// Records one round, of at most `left` steps more. `tables` tells at little cost when a full
    /// comparison is worth it.
    Recording {
        state: u64,
        tables: u64,
        since: SimTime,
        left: u64,
    },
    Found(Box<Cycle>),
}

/// The watch of a solver.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    /// Hashes of all tables, of what was told, and of best routes, kept as things change.
    pub(super) tables: u64,
    pub(super) told: u64,
    pub(super) bests: u64,
    /// Random draws made so far.
    pub(super) draws: u64,
    era: u32,
    mode: Mode,
    steps: u64,
    log: Vec<Move>,
    /// How often each state of all best routes was entered, and the one that holds.
    states: BTreeMap<u64, u32>,
    last_bests: u64,
}

/// Hash of one fact; facts are combined by exclusive or.
#[inline]
pub(super) fn zobrist(place: u64, who: u32, what: u32) -> u64 {
    let mut x = place.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ ((u64::from(who) << 32) | u64::from(what)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Watch {
    /// Something changed from outside: what was seen before proves nothing any more.
    pub(super) fn disturbed(&mut self) {
        self.era += 1;
        self.mode = Mode::Asleep;
        self.steps = 0;
        self.log.clear();
        self.states.clear();
    }

    /// Counts a change of a best route.
    #[inline]
    pub(super) fn moved(&mut self, cell: &mut Cell) {
        if cell.era != self.era {
            (cell.era, cell.moves) = (self.era, 0);
        }
        cell.moves += 1;
        if cell.moves >= MOVES_MIN && matches!(self.mode, Mode::Asleep) {
            self.mode = Mode::Searching { kept: 0, kept_step: u64::MAX, next_keep: 0 };
        }
    }

    /// Records a change of a best route while watching.
    #[inline]
    pub(super) fn note(
        &mut self,
        at: SimTime,
        speaker: SpeakerId,
        prefix: u32,
        from: EndId,
        route: AttrId,
    ) {
        match self.mode {
            Mode::Asleep | Mode::Found(_) => return,
            Mode::Searching { .. } if self.log.len() >= 2 * RECENT_MAX => {
                self.log.drain(..RECENT_MAX);
            }
            Mode::Searching { .. } | Mode::Recording { .. } => {}
        }
        self.log.push(Move { at, speaker, prefix, from, route });
    }

    /// Counts the state of all best routes, if it is another one than before.
    fn count_state(&mut self) {
        if self.bests != self.last_bests {
            self.last_bests = self.bests;
            if self.states.len() < STATES_MAX || self.states.contains_key(&self.bests) {
                *self.states.entry(self.bests).or_insert(0) += 1;
            }
        }
    }

    /// The round the network goes, if it is known to go one.
    pub(super) fn cycle(&self) -> Option<&Cycle> {
        match &self.mode {
            Mode::Found(cycle) => Some(cycle),
            _ => None,
        }
    }

    /// How many states of all best routes were entered more than once.
    pub(super) fn recurring_states(&self) -> usize {
        self.states.values().filter(|&&times| times > 1).count()
    }
}

impl BgpSim {
    /// Compares the state after a decision with what was seen before.
    #[inline]
    pub(super) fn watch_state(&mut self, sink: &mut dyn RouteSink) {
        if !matches!(self.watch.mode, Mode::Asleep | Mode::Found(_)) {
            self.compare_state(sink);
        }
    }

    #[cold]
    fn compare_state(&mut self, sink: &mut dyn RouteSink) {
        let stride = 1 + ((self.ends.len() + self.routers.len()) / HASHED_PER_STEP) as u64;
        let tables = self.watch.tables ^ self.watch.told.rotate_left(1) ^ self.watch.draws;
        self.watch.count_state();
        let step = self.watch.steps;
        self.watch.steps += 1;
        let (now, mode) = (self.clock.now(), &mut self.watch.mode);
        match mode {
            Mode::Asleep | Mode::Found(_) => return,
            Mode::Searching { .. } if !step.is_multiple_of(stride) => return,
            Mode::Searching { .. } => {}
            Mode::Recording { tables: expected, left, .. } => {
                *left -= 1;
                if *left > 0 && *expected != tables {
                    return;
                }
            }
        }
        let state = self.state_hash();
        match &mut self.watch.mode {
            Mode::Asleep | Mode::Found(_) => {}
            Mode::Searching { kept, kept_step, next_keep } => {
                if *kept_step != u64::MAX && *kept == state {
                    let left = step - *kept_step;
                    self.watch.log.clear();
                    self.watch.mode = Mode::Recording { state, tables, since: now, left };
                } else if step >= *next_keep {
                    (*kept, *kept_step, *next_keep) = (state, step, (step + stride) * 2);
                }
            }
            Mode::Recording { state: expected, since, left, .. } => {
                if *expected == state {
                    let since = *since;
                    let cycle = self.cycle_of_log(since, now.since(since));
                    sink.circling(now, &cycle);
                    self.watch.mode = Mode::Found(Box::new(cycle));
                } else if *left == 0 {
                    // Two different states had one hash. The search goes on.
                    let next_keep = (step + stride) * 2;
                    self.watch.mode = Mode::Searching { kept: state, kept_step: step, next_keep };
                }
            }
        }
    }

    /// The most recent moves of a network with random timing.
    pub(super) fn recent_moves(&self) -> Cycle {
        let since = self.watch.log.first().map_or(SimTime::ZERO, |first| first.at);
        self.cycle_of_log(since, self.clock.now().since(since))
    }

    fn cycle_of_log(&self, since: SimTime, period: SimSpan) -> Cycle {
        let mut by_cell: BTreeMap<(SpeakerId, u32), Vec<Option<RouteView>>> = BTreeMap::new();
        for step in &self.watch.log {
            let prefix = BgpPrefixId(step.prefix);
            let view = (step.from != NOTHING)
                .then(|| self.view(step.speaker, prefix, step.from, step.route, step.at));
            by_cell.entry((step.speaker, step.prefix)).or_default().push(view);
        }
        let members = by_cell
            .into_iter()
            .map(|((speaker, prefix), routes)| CycleMember {
                speaker,
                prefix: BgpPrefixId(prefix),
                routes,
            })
            .collect();
        Cycle { since, period, members }
    }

    /// Hash of everything that what happens next depends on, with times relative to now.
    fn state_hash(&self) -> u64 {
        let now = self.clock.now();
        let mut hash = Fingerprint::default();
        for word in [self.watch.tables, self.watch.told, self.watch.bests, self.watch.draws] {
            hash.absorb(word);
        }
        for (id, end) in (0_u64..).zip(&self.ends) {
            if end.flights.is_empty() && end.expiries.is_empty() && end.up {
                continue;
            }
            hash.absorb(id << 1 | u64::from(end.up));
            for flight in &end.flights {
                hash.absorb(flight.arrives.since(now).0);
                absorb_updates(&mut hash, &flight.updates);
            }
            for (&prefix, expiry) in &end.expiries {
                hash.absorb(u64::from(prefix));
                hash.absorb(expiry.since(now).0);
            }
            for &prefix in &end.pending {
                hash.absorb(u64::from(prefix));
            }
        }
        for (id, router) in (0_u64..).zip(&self.routers) {
            let Some(at) = router.process_at else { continue };
            hash.absorb(id);
            hash.absorb(at.since(now).0);
            for (end, updates) in &router.inbox {
                hash.absorb(u64::from(*end));
                absorb_updates(&mut hash, updates);
            }
            for &(prefix, force) in &router.dirty {
                hash.absorb(u64::from(prefix) << 1 | u64::from(force));
            }
            router.refresh.iter().for_each(|&end| hash.absorb(u64::from(end)));
        }
        for session in &self.sessions {
            if let Some(at) = session.restart_at {
                hash.absorb(at.since(now).0);
            }
        }
        self.damping.absorb(now, &mut hash);
        if self.network.decision.prefer_oldest {
            self.absorb_ages(&mut hash);
        }
        hash.value()
    }

    /// Which of the routes held for a prefix are older than which.
    fn absorb_ages(&self, hash: &mut Fingerprint) {
        for cell in &self.cells {
            let mut order: Vec<(SimTime, EndId)> =
                cell.entries.iter().map(|entry| (entry.since, entry.end)).collect();
            order.sort_unstable();
            for group in order.chunk_by(|a, b| a.0 == b.0) {
                hash.absorb(group.len() as u64);
                group.iter().for_each(|&(_, end)| hash.absorb(u64::from(end)));
            }
        }
    }
}

fn absorb_updates(hash: &mut Fingerprint, updates: &[(u32, AttrId)]) {
    hash.absorb(updates.len() as u64);
    for &(prefix, route) in updates {
        hash.absorb(u64::from(prefix) << 32 | u64::from(route));
    }
}
