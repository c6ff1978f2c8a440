//! Plays a lab and notes what its expectations ask for.

use super::moves::{Move, Moves};
use std::collections::BTreeSet;
use std::sync::Arc;
use steerlab_engine::kernel::SimTime;
use steerlab_engine::route::bgp::stable::{
    Situation, StableLimits, StableState, TooLarge, stable_states,
};
use steerlab_engine::route::bgp::{
    Advanced, BgpNetwork, BgpPrefixId, BgpSim, Cycle, RouteSink, Sent, SettleLimits, Settled,
    SpeakerId,
};
use steerlab_scenario::bgp::{BgpLab, LabOutcome, LabPhase};

/// A lab that was played to its end.
pub struct Played {
    /// The network as it ended.
    pub end: BgpSim,
    /// How it ended.
    pub outcome: LabOutcome,
    /// Who goes round, if anybody does.
    pub cycle: Option<Cycle>,
    /// The network at each moment of the expectations, in their order.
    pub moments: Vec<BgpSim>,
    /// What happened in each phase, in their order.
    pub phases: Vec<Phase>,
    /// How the best routes of the speaker that hears recorded peers moved.
    pub moves: Vec<Move>,
}

/// For each prefix its stable states, or why they are not known.
pub type StableByPrefix = Vec<(BgpPrefixId, Result<Vec<StableState>, TooLarge>)>;

/// What happened from one instant to the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Phase {
    /// Announcements and withdrawals sent.
    pub updates: u64,
    /// When a best route changed last.
    pub last_change: Option<SimTime>,
}

/// Counts by phase, and hears of one speaker.
struct Tally<'a> {
    phases: &'a [LabPhase],
    found: Vec<Phase>,
    /// Whose best routes are followed.
    followed: Option<SpeakerId>,
    /// Prefixes whose best route of that speaker changed.
    changed: BTreeSet<BgpPrefixId>,
    /// Whether the network goes round for ever.
    circling: bool,
}

impl Tally<'_> {
    fn at(&mut self, at: SimTime) -> Option<&mut Phase> {
        let position = self.phases.partition_point(|phase| phase.from <= at);
        self.found.get_mut(position.checked_sub(1)?)
    }
}

impl RouteSink for Tally<'_> {
    fn best_changed(&mut self, at: SimTime, speaker: SpeakerId, prefix: BgpPrefixId) {
        if self.followed == Some(speaker) {
            self.changed.insert(prefix);
        }
        if let Some(phase) = self.at(at) {
            phase.last_change = Some(at);
        }
    }

    fn sent(&mut self, at: SimTime, _: Sent) {
        if let Some(phase) = self.at(at) {
            phase.updates += 1;
        }
    }

    fn circling(&mut self, _: SimTime, _: &Cycle) {
        self.circling = true;
    }
}

/// Plays up to an instant; one by one where moves are asked for.
fn advance(
    sim: &mut BgpSim,
    until: SimTime,
    updates_max: u64,
    tally: &mut Tally<'_>,
    moves: Option<&mut Moves>,
) {
    let Some(moves) = moves else { return };
    while let Some(at) = sim.next_time().filter(|&at| at <= until) {
        let end = sim.advance(at, tally);
        moves.note(sim, at, &std::mem::take(&mut tally.changed));
        // How that ends is for the solver to judge.
        let over = sim.counts().updates() > updates_max;
        if tally.circling || over || matches!(end, Advanced::StuckAt(_)) {
            return;
        }
    }
}

/// The solver with everything that will happen.
fn started(lab: &BgpLab, network: &Arc<BgpNetwork>, seed: u64) -> BgpSim {
    let mut sim = BgpSim::new(Arc::clone(network), seed, 0);
    for step in &lab.steps {
        sim.apply(step.at, step.change.clone());
    }
    sim
}

fn limits(lab: &BgpLab) -> SettleLimits {
    SettleLimits { updates: lab.updates_max, until: SimTime(lab.horizon.0) }
}

/// Plays a lab; with `until` only so far.
pub fn play(lab: &BgpLab, until: Option<SimTime>) -> Played {
    let network = Arc::new(lab.network.clone());
    let mut sim = started(lab, &network, lab.seed);
    let phases = &lab.expect.phases;
    let mut moves = lab.replay.as_ref().map(|replay| Moves::new(replay.to));
    let mut tally = Tally {
        phases,
        found: vec![Phase::default(); phases.len()],
        followed: moves.as_ref().map(Moves::speaker),
        changed: BTreeSet::new(),
        circling: false,
    };
    let mut order: Vec<(SimTime, usize)> = Vec::new();
    for (index, moment) in lab.expect.moments.iter().enumerate() {
        order.extend(moment.at.filter(|_| until.is_none()).map(|at| (at, index)));
    }
    order.sort();
    let mut moments = vec![None; lab.expect.moments.len()];
    for (at, index) in order {
        advance(&mut sim, at, lab.updates_max, &mut tally, moves.as_mut());
        sim.advance(at, &mut tally);
        moments[index] = Some(sim.clone());
    }
    let limits = SettleLimits { until: until.unwrap_or(limits(lab).until), ..limits(lab) };
    advance(&mut sim, limits.until, lab.updates_max, &mut tally, moves.as_mut());
    let settled = sim.settle_heard(limits, &mut tally);
    let (outcome, cycle) = outcome_of(settled);
    let phases = tally.found;
    let moments = moments.into_iter().map(|found| found.unwrap_or_else(|| sim.clone())).collect();
    let moves = moves.map_or_else(Vec::new, |moves| moves.found);
    Played { end: sim, outcome, cycle, moments, phases, moves }
}

fn outcome_of(settled: Settled) -> (LabOutcome, Option<Cycle>) {
    match settled {
        Settled::Converged { .. } => (LabOutcome::Converged, None),
        Settled::Diverged { cycle } => (LabOutcome::Diverged, Some(cycle)),
        Settled::Oscillating { cycle, .. } => (LabOutcome::Oscillating, Some(cycle)),
        Settled::LimitReached { .. } => (LabOutcome::Limit, None),
    }
}

/// Plays a lab with another seed to its end.
pub fn with_seed(lab: &BgpLab, network: &Arc<BgpNetwork>, seed: u64) -> (LabOutcome, BgpSim) {
    let mut sim = started(lab, network, seed);
    let settled = sim.settle(limits(lab));
    (outcome_of(settled).0, sim)
}

/// The stable states of the network after all changes up to `until`, for each prefix.
pub fn stable(lab: &BgpLab, until: Option<SimTime>) -> StableByPrefix {
    let changes = lab.steps.iter().filter(|step| until.is_none_or(|until| step.at <= until));
    let situation = Situation::after(&lab.network, changes.map(|step| &step.change));
    let prefixes = lab.network.prefixes.ids();
    prefixes
        .map(|prefix| (prefix, stable_states(&situation, prefix, StableLimits::default())))
        .collect()
}

/// The speakers on the way of a best route, as told from one to the next: itself first, the origin
/// last. None: no route. While routes change the way can end early or in a circle; it is cut there.
pub fn way(sim: &BgpSim, speaker: SpeakerId, prefix: BgpPrefixId) -> Option<Vec<SpeakerId>> {
    let mut way = vec![speaker];
    let mut route = sim.best(speaker, prefix)?;
    while let Some(from) = route.from {
        if way.contains(&from) {
            break;
        }
        way.push(from);
        match sim.best(from, prefix) {
            Some(next) => route = next,
            None => break,
        }
    }
    Some(way)
}
