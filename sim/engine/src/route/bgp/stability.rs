//! Which stable states a network has: whether timing decides, or nothing can.
//!
//! A state gives every speaker's best route to one prefix, with every table up to date. It is stable
//! if no speaker would choose otherwise. The search starts from no routes at all and from the routes
//! held now, lets one speaker at a time choose anew, and visits every state that some order reaches.

use super::attrs::NOTHING;
use super::damping::DampingTable;
use super::model::{BgpPrefixId, SpeakerId};
use super::sim::{BgpSim, Deaf};
use super::state::{EndId, Entry};
use super::view::RouteView;
use crate::kernel::{Id, SimTime};
use std::collections::BTreeSet;

/// What a search for stable states found.
#[derive(Clone, Debug, PartialEq)]
pub struct Stability {
    /// Best route of each speaker, in each stable state found.
    pub stable: Vec<Vec<Option<RouteView>>>,
    /// States visited.
    pub visited: usize,
    /// Whether every state that can be reached one speaker at a time was visited: then no other
    /// stable state can be reached so.
    pub complete: bool,
}

/// Where each speaker's best route is from, and its attributes.
type State = Vec<(EndId, u32)>;

impl BgpSim {
    /// Searches the stable states for one prefix, with sessions, links and policies as they are now.
    /// Visits at most `states_max` states. Timers, damping and zombies play no part. For small
    /// networks: the number of states grows exponentially with the number of speakers that hesitate.
    #[must_use]
    pub fn stable_states(&self, prefix: BgpPrefixId, states_max: usize) -> Stability {
        let mut sim = self.clone();
        sim.damping = DampingTable::default();
        let now: State = self
            .network
            .speakers
            .ids()
            .map(|speaker| self.cell(speaker, prefix))
            .map(|cell| (cell.from, cell.best))
            .collect();
        let mut stack = vec![vec![(NOTHING, NOTHING); now.len()], now];
        let mut seen: BTreeSet<State> = stack.iter().cloned().collect();
        let mut found = Stability { stable: Vec::new(), visited: 0, complete: true };
        while let Some(state) = stack.pop() {
            if found.visited == states_max {
                found.complete = false;
                break;
            }
            found.visited += 1;
            sim.take_state(prefix.0, &state);
            let choices = sim.choices(prefix.0);
            for (place, &choice) in choices.iter().enumerate() {
                if choice != state[place] {
                    let mut next = state.clone();
                    next[place] = choice;
                    if seen.insert(next.clone()) {
                        stack.push(next);
                    }
                }
            }
            if choices == state {
                found.stable.push(sim.views(prefix, &state));
            }
        }
        found
    }

    fn take_state(&mut self, prefix: u32, state: &State) {
        for (index, &(from, best)) in state.iter().enumerate() {
            let cell = self.cell_index(SpeakerId::from_index(index), prefix);
            (self.cells[cell].from, self.cells[cell].best) = (from, best);
        }
    }

    /// What each speaker would choose if it heard what all others hold now.
    fn choices(&mut self, prefix: u32) -> State {
        let speakers = self.network.speakers.ids();
        speakers.map(|speaker| self.choice(speaker, prefix)).collect()
    }

    fn choice(&mut self, speaker: SpeakerId, prefix: u32) -> (EndId, u32) {
        if !self.routers[speaker.index()].up {
            return (NOTHING, NOTHING);
        }
        let mut entries = Vec::new();
        for end in self.routers[speaker.index()].ends.clone() {
            if !self.ends[end as usize].up {
                continue;
            }
            let raw = self.wanted(end ^ 1, prefix);
            if raw != NOTHING {
                let used = self.import(end, prefix, raw);
                entries.push(Entry { end, raw, used, since: SimTime::ZERO });
            }
        }
        let cell = self.cell_index(speaker, prefix);
        let held = (self.cells[cell].from, self.cells[cell].best);
        self.cells[cell].entries = entries;
        self.decide(speaker, prefix, &mut Deaf);
        let cell = &mut self.cells[cell];
        let choice = (cell.from, cell.best);
        (cell.from, cell.best) = held;
        choice
    }

    fn views(&self, prefix: BgpPrefixId, state: &State) -> Vec<Option<RouteView>> {
        let held = state.iter().enumerate().map(|(index, &(from, route))| {
            let speaker = SpeakerId::from_index(index);
            (from != NOTHING).then(|| self.view(speaker, prefix, from, route, SimTime::ZERO))
        });
        held.collect()
    }
}
