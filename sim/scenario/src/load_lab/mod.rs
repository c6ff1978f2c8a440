//! Load labs: one closed experiment with queues, balancers, caches or admission, and what must come
//! out, in one file.
//!
//! The file goes through the same parser, limits and checks as a scenario; its table (`table`) and
//! its last stage (`resolve`, `expect`) are its own. A lab is an experiment or several cases of
//! one, which differ in replaced values.

mod expect;
mod lab;
mod resolve;
mod table;
#[cfg(test)]
mod tests;

pub use lab::{
    BillingLab, BucketLab, CacheLab, CachePolicy, ChainLab, Expectation, Experiment, LoadCase,
    LoadLab, QueueLab, SpillLab, TableLab, TiersLab, Wanted,
};

use crate::Vocabulary;
use crate::load::{self, Loaded};
use std::path::Path;

/// What became of a lab file.
#[derive(Clone, Debug, Default)]
pub struct LoadedLab {
    /// The lab; none if there is any error.
    pub lab: Option<LoadLab>,
    /// What was found in the file, for [`crate::render`] and [`crate::to_json`]. It never holds a
    /// scenario.
    pub findings: Loaded,
}

/// Loads a lab after replacing values: `sets` are (path, value) pairs such as
/// (`queue.load`, `0.8`).
///
/// A value replaced here holds in all cases. If it is the one that the cases vary, there is one
/// case left.
#[must_use]
pub fn load_lab(path: &Path, sets: &[(String, String)], vocabulary: &Vocabulary<'_>) -> LoadedLab {
    let (found, findings) =
        load::load_other(path, sets, vocabulary, &table::LAB, |fields, _, sink| {
            resolve::lab(fields, sets, sink)
        });
    let Some((mut lab, plans)) = found else { return LoadedLab { lab: None, findings } };
    for plan in plans {
        let all: Vec<(String, String)> = plan.sets.iter().chain(sets).cloned().collect();
        let (case, findings) =
            load::load_other(path, &all, vocabulary, &table::LAB, |fields, _, sink| {
                resolve::experiment(fields, &plan, sink)
            });
        let Some((experiment, given, expected)) = case else {
            return LoadedLab { lab: None, findings };
        };
        lab.cases.push(LoadCase { id: plan.id, experiment, given, expected });
    }
    LoadedLab { lab: Some(lab), findings }
}
