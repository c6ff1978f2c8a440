//! Many prefixes at once.

use super::announce::Announcements;
use super::graph::AsGraph;
use super::solution::{Solution, Unsettled};
use super::solve::Workspace;
use crate::run::RunExecutor;
use std::sync::{Mutex, OnceLock};

/// Solves for many prefixes, each by itself; the result does not depend on how `executor` runs
/// them. Keeps 8 bytes for each prefix and AS.
pub fn solve_many(
    graph: &AsGraph,
    prefixes: &[Announcements],
    executor: &dyn RunExecutor,
) -> Vec<Result<Solution, Unsettled>> {
    let slots: Vec<OnceLock<Result<Solution, Unsettled>>> =
        prefixes.iter().map(|_| OnceLock::new()).collect();
    let spare: Mutex<Vec<Workspace>> = Mutex::new(Vec::new());
    executor.execute(prefixes.len(), &|prefix| {
        let lock = || spare.lock().expect("nothing panics while holding it");
        let idle = lock().pop();
        let mut workspace = idle.unwrap_or_default();
        let solved = Solution::solve(graph, &prefixes[prefix], &mut workspace);
        lock().push(workspace);
        assert!(slots[prefix].set(solved).is_ok(), "an executor runs each job once");
    });
    let solved = slots.into_iter().map(OnceLock::into_inner);
    solved.map(|slot| slot.expect("an executor runs each job")).collect()
}
