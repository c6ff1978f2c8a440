//! All stable states of a small network for one prefix, found by trying.
//!
//! A state gives each speaker one of the routes it could ever hold, or none. It is stable if every
//! speaker would choose that route among what its neighbours, in that state, tell it. This tells
//! "no stable state" from "several stable states, timing decides" (Griffin, Shepherd and Wilfong
//! 2002), which no single run can.
//!
//! Nothing here is shared with the event-driven solver: routes are plain values, made by walking
//! every path a route could take (`naive`), so that each checks the other.

mod naive;
mod situation;

pub use situation::Situation;

use super::model::{BgpPrefixId, SpeakerId};
use crate::kernel::Id;
use naive::{Candidate, Naive};

/// How much may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StableLimits {
    /// Most routes that all speakers together could hold.
    pub candidates: usize,
    /// Most assignments tried.
    pub steps: u64,
}

impl Default for StableLimits {
    /// 20,000 routes and 2,000,000 assignments: a few seconds.
    fn default() -> StableLimits {
        StableLimits { candidates: 20_000, steps: 2_000_000 }
    }
}

/// A stable state: for each speaker, in id order, the speakers on the way of its route, itself
/// first and the origin last; none: no route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StableState {
    /// By speaker.
    pub paths: Vec<Option<Vec<SpeakerId>>>,
}

/// The search was given up: the network is too large for trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooLarge {
    /// More routes than allowed.
    Candidates(usize),
    /// More assignments than allowed.
    Steps(u64),
}

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TooLarge::Candidates(most) => write!(f, "more than {most} routes are possible"),
            TooLarge::Steps(most) => write!(f, "more than {most} assignments would be tried"),
        }
    }
}

/// All stable states for `prefix`, in order.
///
/// The age of routes (`prefer_oldest`) is not looked at: it is no part of a state.
///
/// # Errors
/// The network is too large for the limits.
pub fn stable_states(
    situation: &Situation,
    prefix: BgpPrefixId,
    limits: StableLimits,
) -> Result<Vec<StableState>, TooLarge> {
    let naive = Naive::new(situation, prefix);
    let candidates = naive.candidates(limits.candidates)?;
    let count = situation.network.speakers.len();
    let mut held = vec![Vec::new(); count];
    for (index, candidate) in candidates.iter().enumerate() {
        held[candidate.holder.index()].push(index);
    }
    let mut search = Search {
        naive: &naive,
        candidates: &candidates,
        held,
        chosen: vec![Choice::Open; count],
        found: Vec::new(),
        steps: 0,
        limit: limits.steps,
    };
    search.descend()?;
    let mut found = search.found;
    found.sort();
    found.dedup();
    Ok(found)
}

/// What a speaker holds in the state being built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Open,
    Nothing,
    Route(usize),
}

struct Search<'a> {
    naive: &'a Naive<'a>,
    candidates: &'a [Candidate],
    /// Candidates of each speaker.
    held: Vec<Vec<usize>>,
    chosen: Vec<Choice>,
    found: Vec<StableState>,
    steps: u64,
    limit: u64,
}

/// What a speaker may still choose.
enum Options {
    /// All that it depends on is known: this is its choice.
    Decided(Choice),
    /// One of these.
    Several(Vec<Choice>),
}

impl Search<'_> {
    fn descend(&mut self) -> Result<(), TooLarge> {
        self.steps += 1;
        if self.steps > self.limit {
            return Err(TooLarge::Steps(self.limit));
        }
        let Some((speaker, options)) = self.next() else {
            if self.is_stable() {
                self.found.push(self.state());
            }
            return Ok(());
        };
        let options = match options {
            Options::Decided(choice) => vec![choice],
            Options::Several(choices) => choices,
        };
        for choice in options {
            self.chosen[speaker] = choice;
            if self.is_possible() {
                self.descend()?;
            }
        }
        self.chosen[speaker] = Choice::Open;
        Ok(())
    }

    /// The open speaker with the fewest options; a decided one if there is one.
    fn next(&self) -> Option<(usize, Options)> {
        let mut best: Option<(usize, Vec<Choice>)> = None;
        for speaker in 0..self.chosen.len() {
            if self.chosen[speaker] != Choice::Open {
                continue;
            }
            let mut known = true;
            let mut choices = vec![Choice::Nothing];
            for &index in &self.held[speaker] {
                match self.offered(index) {
                    Some(true) => choices.push(Choice::Route(index)),
                    Some(false) => {}
                    None => {
                        known = false;
                        choices.push(Choice::Route(index));
                    }
                }
            }
            if known {
                return Some((speaker, Options::Decided(self.decision(speaker))));
            }
            if best.as_ref().is_none_or(|(_, least)| choices.len() < least.len()) {
                best = Some((speaker, choices));
            }
        }
        best.map(|(speaker, choices)| (speaker, Options::Several(choices)))
    }

    /// Whether a candidate is on offer in the state so far; none: open.
    fn offered(&self, index: usize) -> Option<bool> {
        let Some(parent) = self.candidates[index].parent else { return Some(true) };
        match self.chosen[self.candidates[parent].holder.index()] {
            Choice::Open => None,
            choice => Some(choice == Choice::Route(parent)),
        }
    }

    /// What a speaker chooses among what is on offer for certain.
    fn decision(&self, speaker: usize) -> Choice {
        let offered: Vec<usize> = self.held[speaker]
            .iter()
            .copied()
            .filter(|&index| self.offered(index) == Some(true))
            .collect();
        self.naive.best(self.candidates, &offered).map_or(Choice::Nothing, Choice::Route)
    }

    /// Whether no choice made so far is wrong for certain.
    fn is_possible(&self) -> bool {
        (0..self.chosen.len()).all(|speaker| {
            if let Choice::Route(index) = self.chosen[speaker]
                && self.offered(index) == Some(false)
            {
                return false;
            }
            let closed = self.chosen[speaker] != Choice::Open
                && self.held[speaker].iter().all(|&index| self.offered(index).is_some());
            !closed || self.decision(speaker) == self.chosen[speaker]
        })
    }

    fn is_stable(&self) -> bool {
        (0..self.chosen.len()).all(|speaker| self.decision(speaker) == self.chosen[speaker])
    }

    fn state(&self) -> StableState {
        let path = |choice: &Choice| match *choice {
            Choice::Route(index) => Some(naive::way(self.candidates, index)),
            _ => None,
        };
        StableState { paths: self.chosen.iter().map(path).collect() }
    }
}

#[cfg(test)]
mod tests;
