//! Does the runs of a plan and keeps each as soon as it is finished.

use crate::error::StoreError;
use crate::plan::{Plan, PlannedRun};
use crate::recorder::TableRecorder;
use crate::store::Store;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::record::{
    ActionRecord, Bucket, ClientRow, EventRecord, MoveRecord, Recorder, RunTotals, Warning, ZoomRow,
};
use steerlab_engine::run::{Limits, RunExecutor, Stopped};
use steerlab_engine::scenario::Scenario;
use steerlab_engine::steer::PolicyRegistry;

/// Hears how the runs are getting on, from several threads at once.
pub trait Observer: Sync {
    /// The run was found finished in the store.
    fn cached(&self, _run: &PlannedRun) {}
    /// The run begins.
    fn started(&self, _run: &PlannedRun) {}
    /// This share of the run, 0 to 1, is done; told at every bucket end.
    fn progress(&self, _run: &PlannedRun, _fraction: f64) {}
    /// The run is finished and safely in the store.
    fn finished(&self, _run: &PlannedRun) {}
    /// A limit or the caller ended the run; it is not in the store.
    fn stopped(&self, _run: &PlannedRun, _why: &Stopped) {}
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Executed {
    /// Runs done and kept.
    pub finished: usize,
    /// Runs found in the store.
    pub cached: usize,
    /// Runs that a limit ended, by position in the plan.
    pub stopped: Vec<(usize, Stopped)>,
    /// Whether the caller cancelled; runs may be missing.
    pub cancelled: bool,
}

impl Executed {
    /// Whether every run of the plan is in the store.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.stopped.is_empty() && !self.cancelled
    }
}

/// Plays one run: the engine's [`steerlab_engine::run::run`], or what a test has instead.
type Play<'a> = dyn Fn(&PlannedRun, &mut dyn Recorder, &dyn Fn() -> bool) -> Result<RunTotals, Stopped>
    + Sync
    + 'a;

/// Does the runs of `plan` that the store does not have, through `executor`, in any order and
/// perhaps at once. Each finished run is in the store, durable, before the next thing happens to
/// it; no run is ever whole in memory. After a cancellation or a failing disk no further run is begun.
/// A run that reaches a limit does not stop the others.
///
/// # Errors
/// The failing write of the first run, in plan order, that could not be kept.
#[expect(clippy::too_many_arguments, reason = "the one place where all the parts meet")]
pub fn execute(
    plan: &Plan,
    scenario: &Scenario,
    registry: &dyn PolicyRegistry,
    executor: &dyn RunExecutor,
    store: &Store,
    observer: &dyn Observer,
    cancelled: &(dyn Fn() -> bool + Sync),
    limits: Limits,
) -> Result<Executed, StoreError> {
    let play = |run: &PlannedRun, recorder: &mut dyn Recorder, cancelled: &dyn Fn() -> bool| {
        steerlab_engine::run::run(scenario, run.id, registry, recorder, limits, cancelled)
    };
    execute_with(plan, scenario, executor, store, observer, cancelled, &play)
}

/// [`execute`] with the engine as a parameter.
pub(crate) fn execute_with(
    plan: &Plan,
    scenario: &Scenario,
    executor: &dyn RunExecutor,
    store: &Store,
    observer: &dyn Observer,
    cancelled: &(dyn Fn() -> bool + Sync),
    play: &Play<'_>,
) -> Result<Executed, StoreError> {
    let (cached, missing): (Vec<_>, Vec<_>) =
        plan.runs.iter().enumerate().partition(|(_, run)| run.cached);
    cached.iter().for_each(|(_, run)| observer.cached(run));
    let disk_failed = AtomicBool::new(false);
    let ends: Mutex<BTreeMap<usize, End>> = Mutex::default();
    executor.execute(missing.len(), &|job| {
        let (position, run) = missing[job];
        let end = if disk_failed.load(Ordering::Relaxed) || cancelled() {
            End::NotBegun
        } else {
            play_one(run, scenario, store, observer, cancelled, play)
        };
        if matches!(end, End::Failed(_)) {
            disk_failed.store(true, Ordering::Relaxed);
        }
        ends.lock().unwrap_or_else(PoisonError::into_inner).insert(position, end);
    });
    let mut executed = Executed { cached: cached.len(), ..Executed::default() };
    for (position, end) in ends.into_inner().unwrap_or_else(PoisonError::into_inner) {
        match end {
            End::Kept => executed.finished += 1,
            End::Stopped(Stopped::Cancelled) | End::NotBegun => executed.cancelled = true,
            End::Stopped(why) => executed.stopped.push((position, why)),
            End::Failed(error) => return Err(error),
        }
    }
    Ok(executed)
}

/// How a run ended.
enum End {
    Kept,
    NotBegun,
    Stopped(Stopped),
    Failed(StoreError),
}

fn play_one(
    run: &PlannedRun,
    scenario: &Scenario,
    store: &Store,
    observer: &dyn Observer,
    cancelled: &(dyn Fn() -> bool + Sync),
    play: &Play<'_>,
) -> End {
    observer.started(run);
    let writer = match store.begin(&run.hash) {
        Ok(writer) => writer,
        Err(error) => return End::Failed(error),
    };
    let failed = Cell::new(false);
    let tables = TableRecorder::new(scenario, writer);
    let mut recorder = Watched { tables, failed: &failed, run, observer };
    // A run whose rows cannot be written is not worth its time.
    let result = play(run, &mut recorder, &|| cancelled() || failed.get());
    match result {
        Err(why) if !failed.get() => {
            observer.stopped(run, &why);
            End::Stopped(why)
        }
        result => {
            let totals = result.unwrap_or_default();
            let kept = recorder.tables.finish(&run.hash, &totals);
            match kept.and_then(|finished| store.keep(finished)) {
                Ok(()) => {
                    observer.finished(run);
                    End::Kept
                }
                Err(error) => End::Failed(error),
            }
        }
    }
}

/// Collects tables and tells the observer of progress.
struct Watched<'a> {
    tables: TableRecorder,
    /// Whether a row could not be written.
    failed: &'a Cell<bool>,
    run: &'a PlannedRun,
    observer: &'a dyn Observer,
}

impl Recorder for Watched<'_> {
    fn bucket(&mut self, bucket: &Bucket<'_>) {
        self.tables.bucket(bucket);
    }
    fn client_bucket(&mut self, start: SimTime, end: SimTime, rows: &[ClientRow]) {
        self.tables.client_bucket(start, end, rows);
    }
    fn event(&mut self, event: &EventRecord<'_>) {
        self.tables.event(event);
    }
    fn moved(&mut self, row: &MoveRecord<'_>) {
        self.tables.moved(row);
    }
    fn zoom_bucket(&mut self, start: SimTime, rows: &[ZoomRow]) {
        self.tables.zoom_bucket(start, rows);
    }

    fn action(&mut self, action: &ActionRecord<'_>) {
        self.tables.action(action);
    }
    fn warning(&mut self, warning: &Warning) {
        self.tables.warning(warning);
    }
    fn progress(&mut self, now: SimTime, horizon: SimSpan) {
        self.failed.set(self.tables.failed());
        let fraction = now.seconds() / horizon.seconds();
        self.observer.progress(self.run, fraction.clamp(0.0, 1.0));
    }
}
