//! The story of a run.

use crate::record::{Recorder, RunId, RunTotals};
use crate::scenario::Scenario;
use crate::steer::PolicyRegistry;

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
pub const TRAJECTORY_VERSION: u32 = 1;

/// Plays one run and tells `recorder` what happened. `cancelled` is asked at every bucket end.
///
/// # Errors
/// [`Stopped`] if a limit was reached or the caller cancelled; the recorder has been told
/// everything up to there.
pub fn run(
    _scenario: &Scenario,
    _id: RunId,
    _registry: &dyn PolicyRegistry,
    _recorder: &mut dyn Recorder,
    _limits: Limits,
    _cancelled: &dyn Fn() -> bool,
) -> Result<RunTotals, Stopped> {
    Ok(RunTotals::default())
}

/// Runs independent jobs and returns their results in order. The engine has no threads; whoever
/// has some implements this.
pub trait RunExecutor {
    /// Calls `job` for 0..count, in any order, perhaps at once.
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
