//! How the best routes of the speaker that hears recorded peers moved over time.

use std::collections::{BTreeMap, BTreeSet};
use steerlab_engine::kernel::SimTime;
use steerlab_engine::route::bgp::{
    BgpPrefixId, BgpSim, Candidate, Refusal, RouteView, SpeakerId, Standing,
};

/// A change of a best route. Both routes are none if a speaker lost its route or had none.
pub struct Move {
    /// When.
    pub at: SimTime,
    /// To what.
    pub prefix: BgpPrefixId,
    /// The route before.
    pub before: Option<Taken>,
    /// The route after.
    pub after: Option<Taken>,
    /// Why.
    pub why: Why,
}

/// A route as far as a move shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Taken {
    /// Who told it; none: the speaker itself.
    pub from: Option<SpeakerId>,
    /// AS path, nearest first.
    pub path: Vec<u32>,
}

/// Why a best route changed.
pub enum Why {
    /// There was none before.
    First,
    /// Whoever told the route before tells another, which is the best now.
    Replaced,
    /// The route before is withdrawn (or its session is down).
    Withdrawn,
    /// Whoever told the route before tells another, which lost at this step.
    Worse(&'static str),
    /// The route before is still there and lost at this step to a new one.
    Beaten(&'static str),
    /// The route before, or what replaced it, is refused now.
    Refused(Refusal),
}

impl Taken {
    fn of(route: &RouteView) -> Taken {
        Taken { from: route.from, path: route.path.clone() }
    }
}

/// Notes the moves of one speaker.
pub struct Moves {
    speaker: SpeakerId,
    best: BTreeMap<BgpPrefixId, Taken>,
    /// In order of time, then prefix.
    pub found: Vec<Move>,
}

impl Moves {
    /// Of this speaker, before anything happens.
    pub fn new(speaker: SpeakerId) -> Moves {
        Moves { speaker, best: BTreeMap::new(), found: Vec::new() }
    }

    /// Whose.
    pub fn speaker(&self) -> SpeakerId {
        self.speaker
    }

    /// Looks at prefixes whose best route changed at an instant that is over.
    pub fn note(&mut self, sim: &BgpSim, at: SimTime, changed: &BTreeSet<BgpPrefixId>) {
        for &prefix in changed {
            let after = sim.best(self.speaker, prefix).as_ref().map(Taken::of);
            let before = self.best.remove(&prefix);
            if let Some(after) = &after {
                self.best.insert(prefix, after.clone());
            }
            // It came and went, or only attributes changed that are not shown.
            if before == after {
                continue;
            }
            let candidates = sim.explain(self.speaker, prefix);
            let why = why(before.as_ref(), after.as_ref(), &candidates);
            self.found.push(Move { at, prefix, before, after, why });
        }
    }
}

fn why(before: Option<&Taken>, after: Option<&Taken>, candidates: &[Candidate]) -> Why {
    let Some(before) = before else { return Why::First };
    if after.is_some_and(|after| after.from == before.from) {
        return Why::Replaced;
    }
    let Some(now) = candidates.iter().find(|row| row.route.from == before.from) else {
        return Why::Withdrawn;
    };
    match now.standing {
        Standing::LostAt { step, .. } if now.route.path == before.path => Why::Beaten(step.name()),
        Standing::LostAt { step, .. } => Why::Worse(step.name()),
        Standing::Refused(refusal) => Why::Refused(refusal),
        // Equally good or, while a decision waits, still the best: it was there first.
        Standing::Best | Standing::EquallyGood => Why::Replaced,
    }
}
