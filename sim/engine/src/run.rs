//! The story of a run.

mod players;

use crate::kernel::{SimSpan, SimTime};
use crate::record::{NoRecorder, Recorder, RunId, RunTotals};
use crate::route::{Explanation, Fate};
use crate::scenario::{ClientGroupId, PrefixId, Scenario};
use crate::steer::{FeedKind, PolicyRegistry};
use crate::world::{Event, World, phase};
use players::Players;

/// Bounds on one run; reaching one stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest number of events.
    pub events_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { events_max: 10_000_000_000 }
    }
}

/// Why a run ended before its horizon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// More events than [`Limits::events_max`].
    TooManyEvents,
    /// The caller asked through `cancelled`.
    Cancelled,
}

/// Version of what trajectories mean: a change that alters any fingerprint raises it.
pub const TRAJECTORY_VERSION: u32 = 2;

/// Plays one run and tells `recorder` what happened. `cancelled` is asked at every instant at which
/// something happens and at every bucket end.
///
/// # Errors
/// [`Stopped`] if a limit was reached or the caller cancelled; the recorder has been told
/// everything up to there.
pub fn run(
    scenario: &Scenario,
    id: RunId,
    registry: &dyn PolicyRegistry,
    recorder: &mut dyn Recorder,
    limits: Limits,
    cancelled: &dyn Fn() -> bool,
) -> Result<RunTotals, Stopped> {
    let mut play = Play::new(scenario, id, registry);
    while let Some(at) = play.next_time() {
        if at != play.world.now {
            if cancelled() {
                return Err(Stopped::Cancelled);
            }
            play.end_buckets(at, recorder, cancelled)?;
        }
        let Some((key, event)) = play.players.pop() else { break };
        play.world.now = key.time();
        if key.phase() >= phase::SAMPLE {
            play.world.settle();
        }
        if event == Event::End {
            break;
        }
        play.step(event, recorder);
        if play.players.events() > limits.events_max {
            return Err(Stopped::TooManyEvents);
        }
    }
    Ok(play.finish(recorder))
}

/// Where a client group lands for a prefix at an instant of a run, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteQuery {
    /// What becomes of the group's traffic at that instant.
    pub fate: Fate,
    /// What routing would make of it by then; another one while it has not converged.
    pub next: Fate,
    /// Why.
    pub why: Explanation,
}

/// Plays a run up to `at` (or its horizon) and asks about one client group and prefix there.
/// What happens at `at` itself has happened.
///
/// # Errors
/// [`Stopped`] if a limit was reached before.
pub fn query_route(
    scenario: &Scenario,
    id: RunId,
    registry: &dyn PolicyRegistry,
    (group, prefix): (ClientGroupId, PrefixId),
    at: SimTime,
) -> Result<RouteQuery, Stopped> {
    let play = Play::until(scenario, id, registry, at)?;
    let world = &play.world;
    Ok(RouteQuery {
        fate: world.steering.fate(scenario.prefixes.len(), group, prefix),
        next: world.landing_model.fate(group, prefix),
        why: world.landing_model.explain(group, prefix),
    })
}

/// Plays a run up to `at` (or its horizon) and tells what becomes of everybody's traffic then: groups
/// in order, for each all prefixes in order.
///
/// # Errors
/// [`Stopped`] if a limit was reached before.
pub fn query_catchment(
    scenario: &Scenario,
    id: RunId,
    registry: &dyn PolicyRegistry,
    at: SimTime,
) -> Result<Vec<Fate>, Stopped> {
    let play = Play::until(scenario, id, registry, at)?;
    let groups = scenario.client_groups.ids();
    let pairs = groups.flat_map(|group| scenario.prefixes.ids().map(move |prefix| (group, prefix)));
    let prefixes = scenario.prefixes.len();
    Ok(pairs.map(|(group, prefix)| play.world.steering.fate(prefixes, group, prefix)).collect())
}

/// A run in progress.
struct Play<'a> {
    scenario: &'a Scenario,
    id: RunId,
    world: World<'a>,
    players: Players<'a>,
    bucket_start: SimTime,
    client_start: SimTime,
}

impl<'a> Play<'a> {
    fn new(scenario: &'a Scenario, id: RunId, registry: &'a dyn PolicyRegistry) -> Play<'a> {
        scenario.assert_consistent();
        let mut world = World::new(scenario, id.replication);
        world.start_zoom(id.arm);
        let players = Players::new(scenario, id, registry, &mut world);
        Play {
            scenario,
            id,
            world,
            players,
            bucket_start: SimTime::ZERO,
            client_start: SimTime::ZERO,
        }
    }

    /// A run that has been played up to an instant, what happens then included.
    fn until(
        scenario: &'a Scenario,
        id: RunId,
        registry: &'a dyn PolicyRegistry,
        at: SimTime,
    ) -> Result<Play<'a>, Stopped> {
        let mut play = Play::new(scenario, id, registry);
        let horizon = SimTime::ZERO.after(scenario.horizon);
        while play.next_time().is_some_and(|next| next <= at.min(horizon)) {
            let Some((key, event)) = play.players.pop() else { break };
            play.world.now = key.time();
            if key.phase() >= phase::SAMPLE {
                play.world.settle();
            }
            if event == Event::End {
                break;
            }
            play.step(event, &mut NoRecorder);
            if play.players.events() > Limits::default().events_max {
                return Err(Stopped::TooManyEvents);
            }
        }
        Ok(play)
    }

    /// Instant of the next event. Before time moves on, the world settles, which may itself
    /// foresee an earlier event.
    fn next_time(&mut self) -> Option<SimTime> {
        if self.players.peek_time() != Some(self.world.now) {
            self.world.settle();
            self.players.send(&mut self.world);
        }
        self.players.peek_time()
    }

    /// One event: the world changes, a feed speaks, or a policy decides.
    fn step(&mut self, event: Event, recorder: &mut dyn Recorder) {
        match event {
            Event::Sample(feed) => {
                self.world.sample(FeedKind::ALL[feed as usize]);
                self.players.resample(feed, &self.world);
            }
            Event::Deliver(feed) => {
                self.world.deliver(FeedKind::ALL[feed as usize]);
                if feed == FeedKind::Topology as u8 {
                    self.players.wake_for_topology(self.world.now);
                }
            }
            Event::Decide(policy) => self.players.decide(policy, &mut self.world, recorder),
            event => {
                self.world.apply(event, recorder);
                self.players.repeat(event, &self.world);
            }
        }
        self.players.send(&mut self.world);
    }

    /// Ends all buckets that are complete at `at`. The last one is complete at the horizon, however
    /// short: what happens at an instant belongs to the bucket that begins there, and so what
    /// happens at the horizon to none.
    fn end_buckets(
        &mut self,
        at: SimTime,
        recorder: &mut dyn Recorder,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(), Stopped> {
        let horizon = SimTime::ZERO.after(self.scenario.horizon);
        while self.bucket_start < horizon {
            let end = self.bucket_start.after(self.scenario.bucket).min(horizon);
            if end > at {
                return Ok(());
            }
            self.world.end_bucket(self.bucket_start, end, recorder);
            let client_end = self.client_start.after(self.scenario.client_bucket).min(horizon);
            if end >= client_end {
                self.world.end_client_bucket(self.client_start, end, recorder);
                self.client_start = end;
            }
            self.bucket_start = end;
            recorder.progress(end, self.scenario.horizon);
            if cancelled() {
                return Err(Stopped::Cancelled);
            }
        }
        Ok(())
    }

    /// Warnings and totals; the event at the horizon has ended all buckets.
    fn finish(self, recorder: &mut dyn Recorder) -> RunTotals {
        assert!(
            self.bucket_start >= SimTime::ZERO.after(self.scenario.horizon),
            "buckets are open"
        );
        self.world.warnings(recorder);
        let mut totals = self.world.totals(self.scenario.horizon.seconds());
        totals.arm = crate::kernel::Id::index(self.id.arm);
        totals.replication = self.id.replication;
        totals.events = self.players.events();
        totals.fingerprint = self.players.fingerprint(&self.world);
        totals
    }
}

/// Runs independent jobs. The engine has no threads; whoever has some implements this.
pub trait RunExecutor {
    /// Calls `job` once for each of 0..count, in any order, perhaps at once.
    fn execute(&self, count: usize, job: &(dyn Fn(usize) + Sync));
}

/// One after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial;

impl RunExecutor for Serial {
    fn execute(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        (0..count).for_each(job);
    }
}

/// Span between two instants that a run may ask for: never zero, so that time moves on.
pub(crate) fn at_least_one(span: SimSpan) -> SimSpan {
    SimSpan(span.0.max(1))
}
