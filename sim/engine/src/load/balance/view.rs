//! What a front end sees of the servers behind it: counts of requests in flight, weights, health,
//! and how old all that is.
//!
//! A front end that shares its view with others is told of everybody's requests; one with a view
//! of its own only of its own. That is the choice of who calls [`View::sent`] and
//! [`View::finished`].
//!
//! Staleness follows M. Mitzenmacher, "How useful is old information?", 2000: a bulletin board
//! that is written anew at fixed times, entries that are written one by one, and a fixed delay.

use super::Seen;
use super::levels::Levels;
use crate::kernel::{SimSpan, SimTime, math};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How old the counts are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Staleness {
    /// Never old.
    #[default]
    Fresh,
    /// All counts are read together at multiples of this span, above 0.
    Board(SimSpan),
    /// The count of each server is read once in this span, above 0, evenly one after the other:
    /// each entry has its own age.
    Entries(SimSpan),
    /// Counts are always this old.
    Delay(SimSpan),
}

/// How the weight of a server that begins to take work rises to its own.
///
/// A server that has taken work for `t` has the share `max(least, (t / window)^(1 / aggression))`
/// of its weight (slow start as in Envoy's documentation). The weight moves in steps of a
/// hundredth of the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SlowStart {
    /// Time until the full weight, above 0.
    pub window: SimSpan,
    /// Shape, above 0: 1 is a straight line, more rises faster at first.
    pub aggression: f64,
    /// Share of its weight a server has at least, above 0, at most 1.
    pub least: f64,
}

/// What a failed request counts: so that a server that fails fast does not look idle and draw all
/// requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ErrorPenalty {
    /// How many requests in flight it looks like.
    pub requests: u32,
    /// For how long.
    pub hold: SimSpan,
}

/// How a front end sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ViewSpec {
    /// How old its counts are.
    pub staleness: Staleness,
    /// Slow start; none: full weight at once.
    pub slow_start: Option<SlowStart>,
    /// Penalty of errors; none: errors count as answers.
    pub error_penalty: Option<ErrorPenalty>,
}

/// A server as it is declared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Relative capacity, at least 0.
    pub weight: f64,
    /// Zone.
    pub zone: u16,
    /// Priority level, 0 first.
    pub priority: u16,
}

/// A change of a count that is not seen yet.
#[derive(Clone, Copy, Debug)]
struct Late {
    at: SimTime,
    server: u32,
    up: bool,
}

/// What a front end sees. Its methods must be called in order of time.
#[derive(Debug)]
pub struct View {
    spec: ViewSpec,
    /// Counts as they are.
    live: Vec<u32>,
    /// Counts as they are seen.
    shown: Vec<u32>,
    /// Weight of each server when warm; 0 while drained.
    full: Vec<f64>,
    /// Weight after slow start.
    weight: Vec<f64>,
    healthy: Vec<bool>,
    zone: Vec<u16>,
    priority: Vec<u16>,
    /// Since when each server has taken work.
    since: Vec<SimTime>,
    /// When a weight moves next; [`SimTime::NEVER`] if none ramps.
    next_step: SimTime,
    version: u64,
    levels: Option<Levels>,
    /// When a count is read next, and for [`Staleness::Entries`] whose.
    next_read: SimTime,
    reads: u64,
    late: VecDeque<Late>,
    /// Penalties that end: instant and server.
    penalties: VecDeque<(SimTime, u32)>,
    /// The first instant at which any of this happens: one comparison for most calls.
    wake: SimTime,
}

impl View {
    /// A view of idle, healthy, warm servers. `levels`: whether to keep [`Seen::levels`].
    #[must_use]
    pub fn new(spec: ViewSpec, servers: &[Place], levels: bool) -> View {
        let count = servers.len();
        let weight: Vec<f64> = servers.iter().map(|server| server.weight).collect();
        let next_read = match spec.staleness {
            _ if servers.is_empty() => SimTime::NEVER,
            Staleness::Fresh | Staleness::Delay(_) => SimTime::NEVER,
            Staleness::Board(every) | Staleness::Entries(every) => {
                assert!(every > SimSpan::ZERO, "counts are read at distinct instants");
                SimTime::ZERO
            }
        };
        let mut view = View {
            spec,
            live: vec![0; count],
            shown: vec![0; count],
            full: weight.clone(),
            weight,
            healthy: vec![true; count],
            zone: servers.iter().map(|server| server.zone).collect(),
            priority: servers.iter().map(|server| server.priority).collect(),
            since: vec![SimTime::ZERO; count],
            next_step: SimTime::NEVER,
            version: 1,
            levels: levels.then(Levels::default),
            next_read,
            reads: 0,
            late: VecDeque::new(),
            penalties: VecDeque::new(),
            wake: next_read,
        };
        view.order_anew();
        view
    }

    /// What is seen now.
    #[inline]
    pub fn seen(&mut self, now: SimTime) -> Seen<'_> {
        self.advance(now);
        Seen {
            outstanding: &self.shown,
            weight: &self.weight,
            healthy: &self.healthy,
            zone: &self.zone,
            priority: &self.priority,
            version: self.version,
            levels: self.levels.as_ref(),
        }
    }

    /// A request was sent to a server.
    #[inline]
    pub fn sent(&mut self, server: u32, now: SimTime) {
        self.advance(now);
        self.live[server as usize] += 1;
        self.changed(server, true, now);
    }

    /// A request at a server was answered, or given up (`ok` is false then).
    #[inline]
    pub fn finished(&mut self, server: u32, now: SimTime, ok: bool) {
        self.advance(now);
        let live = &mut self.live[server as usize];
        assert!(*live > 0, "a request finishes after it was sent");
        *live -= 1;
        self.changed(server, false, now);
        if !ok && let Some(penalty) = self.spec.error_penalty {
            (0..penalty.requests).for_each(|_| self.show(server, true));
            self.penalties.push_back((now.after(penalty.hold), server));
            self.set_wake();
        }
    }

    /// Sets the weight of a server. One that had none begins its slow start.
    pub fn set_weight(&mut self, server: u32, weight: f64, now: SimTime) {
        assert!(weight >= 0.0 && weight.is_finite(), "weights are numbers from 0 up");
        self.advance(now);
        let index = server as usize;
        let before = self.full[index] > 0.0 && self.healthy[index];
        self.full[index] = weight;
        self.took_effect(index, before, now);
    }

    /// Says whether the checks of a server pass. One that recovers begins its slow start.
    pub fn set_health(&mut self, server: u32, healthy: bool, now: SimTime) {
        self.advance(now);
        let index = server as usize;
        let before = self.full[index] > 0.0 && self.healthy[index];
        self.healthy[index] = healthy;
        self.took_effect(index, before, now);
    }

    fn took_effect(&mut self, index: usize, before: bool, now: SimTime) {
        if !before && self.full[index] > 0.0 && self.healthy[index] {
            self.since[index] = now;
        }
        self.step_weights(now);
    }

    /// Weights at an instant, and when they move next.
    fn step_weights(&mut self, now: SimTime) {
        self.next_step = SimTime::NEVER;
        match self.spec.slow_start {
            None => self.weight.copy_from_slice(&self.full),
            Some(ramp) => {
                let step = SimSpan((ramp.window.0 / 100).max(1));
                for (index, weight) in self.weight.iter_mut().enumerate() {
                    let (full, age) = (self.full[index], now.since(self.since[index]));
                    // Servers of the start are warm.
                    let warm = self.since[index] == SimTime::ZERO || age >= ramp.window;
                    *weight = if warm { full } else { full * ramp.share(age) };
                    if !warm && full > 0.0 {
                        self.next_step = now.after(step);
                    }
                }
            }
        }
        self.version += 1;
        self.order_anew();
        self.set_wake();
    }

    /// Brings what is seen to an instant.
    #[inline]
    fn advance(&mut self, now: SimTime) {
        if now >= self.wake {
            self.catch_up(now);
        }
    }

    #[cold]
    fn catch_up(&mut self, now: SimTime) {
        if now >= self.next_read {
            self.read(now);
        }
        if now >= self.next_step {
            self.step_weights(now);
        }
        while let Some(&late) = self.late.front().filter(|late| late.at <= now) {
            self.late.pop_front();
            self.show(late.server, late.up);
        }
        while let Some(&(_, server)) = self.penalties.front().filter(|(until, _)| *until <= now) {
            self.penalties.pop_front();
            let requests = self.spec.error_penalty.map_or(0, |penalty| penalty.requests);
            (0..requests).for_each(|_| self.show(server, false));
        }
        self.set_wake();
    }

    fn set_wake(&mut self) {
        let late = self.late.front().map_or(SimTime::NEVER, |late| late.at);
        let penalty = self.penalties.front().map_or(SimTime::NEVER, |&(until, _)| until);
        self.wake = self.next_read.min(self.next_step).min(late).min(penalty);
    }

    /// Reads all counts whose time has come. Nothing changed since then, for whatever changes
    /// advances the view first.
    #[cold]
    fn read(&mut self, now: SimTime) {
        match self.spec.staleness {
            Staleness::Fresh | Staleness::Delay(_) => {}
            Staleness::Board(every) => {
                self.reads = now.0 / every.0 + 1;
                self.next_read = SimTime(self.reads.saturating_mul(every.0));
                self.shown.copy_from_slice(&self.live);
                self.penalise();
                self.order_anew();
            }
            Staleness::Entries(every) => {
                let servers = self.live.len() as u64;
                let at = |read: u64| {
                    let nanos = u128::from(read) * u128::from(every.0) / u128::from(servers);
                    SimTime(u64::try_from(nanos).unwrap_or(u64::MAX))
                };
                // After a long silence each is read once, not once for every turn missed.
                while at(self.reads + servers) <= now {
                    self.reads += servers;
                }
                while at(self.reads) <= now {
                    self.read_one((self.reads % servers) as usize);
                    self.reads += 1;
                }
                self.next_read = at(self.reads);
            }
        }
    }

    fn read_one(&mut self, index: usize) {
        let requests = self.spec.error_penalty.map_or(0, |penalty| penalty.requests);
        let held = self.penalties.iter().filter(|(_, server)| *server as usize == index).count();
        let target = self.live[index] + requests * held as u32;
        while self.shown[index] < target {
            self.show(index as u32, true);
        }
        while self.shown[index] > target {
            self.show(index as u32, false);
        }
    }

    fn penalise(&mut self) {
        let requests = self.spec.error_penalty.map_or(0, |penalty| penalty.requests);
        self.penalties.iter().for_each(|&(_, server)| self.shown[server as usize] += requests);
    }

    #[inline]
    fn changed(&mut self, server: u32, up: bool, now: SimTime) {
        match self.spec.staleness {
            Staleness::Fresh => self.show(server, up),
            Staleness::Board(_) | Staleness::Entries(_) => {}
            Staleness::Delay(by) => {
                self.late.push_back(Late { at: now.after(by), server, up });
                self.set_wake();
            }
        }
    }

    #[inline]
    fn show(&mut self, server: u32, up: bool) {
        let count = &mut self.shown[server as usize];
        if let Some(levels) = &mut self.levels {
            if up { levels.up(server, *count) } else { levels.down(server, *count) }
        }
        if up { *count += 1 } else { *count -= 1 }
    }

    fn order_anew(&mut self) {
        if let Some(levels) = &mut self.levels {
            let (weight, healthy) = (&self.weight, &self.healthy);
            levels.rebuild(&self.shown, |server| weight[server] > 0.0 && healthy[server]);
        }
    }
}

impl SlowStart {
    /// Share of its weight that a server has after a time, at most 1.
    #[must_use]
    pub fn share(&self, age: SimSpan) -> f64 {
        let part = (age.0 as f64 / self.window.0 as f64).min(1.0);
        math::powf(part, 1.0 / self.aggression).max(self.least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn at(ms: u64) -> SimTime {
        SimTime(ms * MS)
    }

    fn view(staleness: Staleness) -> View {
        let server = Place { weight: 2.0, zone: 0, priority: 0 };
        View::new(ViewSpec { staleness, ..ViewSpec::default() }, &[server; 2], true)
    }

    #[test]
    fn fresh_counts_are_the_counts() {
        let mut view = view(Staleness::Fresh);
        view.sent(0, at(1));
        view.sent(0, at(1));
        view.sent(1, at(1));
        assert_eq!(view.seen(at(1)).outstanding, [2, 1]);
        view.finished(0, at(2), true);
        assert_eq!(view.seen(at(2)).outstanding, [1, 1]);
        view.finished(0, at(2), true);
        assert_eq!(view.seen(at(2)).levels.map(Levels::least), Some(&[0_u32][..]));
    }

    #[test]
    fn a_board_shows_the_instant_it_was_written() {
        let mut view = view(Staleness::Board(SimSpan::from_millis(10)));
        view.sent(0, at(1));
        assert_eq!(view.seen(at(9)).outstanding, [0, 0]);
        // The change at 12 ms comes after the reading at 10 ms, though both are seen at 13 ms.
        view.sent(1, at(12));
        assert_eq!(view.seen(at(13)).outstanding, [1, 0]);
        assert_eq!(view.seen(at(20)).outstanding, [1, 1]);
        assert_eq!(view.seen(at(20)).levels.map(|levels| levels.least().len()), Some(2));
    }

    #[test]
    fn entries_have_ages_of_their_own() {
        // Server 0 is read at 0, 10, 20 ms, server 1 at 5, 15 ms.
        let mut view = view(Staleness::Entries(SimSpan::from_millis(10)));
        view.sent(0, at(1));
        view.sent(1, at(1));
        assert_eq!(view.seen(at(4)).outstanding, [0, 0]);
        assert_eq!(view.seen(at(5)).outstanding, [0, 1]);
        assert_eq!(view.seen(at(11)).outstanding, [1, 1]);
        view.finished(0, at(11), true);
        view.finished(1, at(11), true);
        assert_eq!(view.seen(at(15)).outstanding, [1, 0]);
        assert_eq!(view.seen(at(1_000_000)).outstanding, [0, 0]);
    }

    #[test]
    fn a_delay_shifts_every_change() {
        let mut view = view(Staleness::Delay(SimSpan::from_millis(10)));
        view.sent(0, at(1));
        view.finished(0, at(3), true);
        assert_eq!(view.seen(at(10)).outstanding, [0, 0]);
        assert_eq!(view.seen(at(11)).outstanding, [1, 0]);
        assert_eq!(view.seen(at(13)).outstanding, [0, 0]);
    }

    #[test]
    fn an_error_counts_for_a_while() {
        let penalty = ErrorPenalty { requests: 3, hold: SimSpan::from_millis(10) };
        let server = Place { weight: 1.0, zone: 0, priority: 0 };
        for staleness in [Staleness::Fresh, Staleness::Board(SimSpan(1))] {
            let spec = ViewSpec { staleness, error_penalty: Some(penalty), slow_start: None };
            let mut view = View::new(spec, &[server; 2], false);
            view.sent(0, at(0));
            view.finished(0, at(1), false);
            assert_eq!(view.seen(at(10)).outstanding, [3, 0], "{staleness:?}");
            assert_eq!(view.seen(at(11)).outstanding, [0, 0], "{staleness:?}");
        }
    }

    #[test]
    fn a_returning_server_warms_up() {
        let ramp = SlowStart { window: SimSpan::from_millis(100), aggression: 1.0, least: 0.1 };
        let server = Place { weight: 2.0, zone: 0, priority: 0 };
        let spec = ViewSpec { slow_start: Some(ramp), ..ViewSpec::default() };
        let mut view = View::new(spec, &[server; 2], true);
        assert_eq!(view.seen(at(1)).weight, [2.0, 2.0]);
        view.set_weight(0, 0.0, at(10));
        assert_eq!(view.seen(at(11)).weight, [0.0, 2.0]);
        assert_eq!(view.seen(at(11)).levels.map(Levels::least), Some(&[1_u32][..]));
        view.set_weight(0, 2.0, at(20));
        let before = view.seen(at(20)).version;
        assert_eq!(view.seen(at(20)).weight, [0.2, 2.0]);
        assert_eq!(view.seen(at(70)).weight, [1.0, 2.0]);
        assert!(view.seen(at(70)).version > before);
        assert_eq!(view.seen(at(120)).weight, [2.0, 2.0]);
        view.set_health(1, false, at(130));
        assert_eq!(view.seen(at(131)).healthy, [true, false]);
        assert!(!view.seen(at(131)).takes_work(1));
    }
}
