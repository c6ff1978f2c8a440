//! BGP labs: a network of speakers, what happens to it, and what must come out, in one file.
//!
//! The file goes through the same parser, limits and checks as a scenario; only its table
//! (`lab_table`) and its last stage (`resolve`) are its own. Route policies (`policy`,
//! `policy_table`) are read the same way wherever they stand.

mod expect;
mod expect_table;
mod lab;
mod lab_table;
mod policy;
mod policy_table;
mod replay;
mod resolve;
mod steps;
#[cfg(test)]
mod tests;
mod words;

pub use lab::{
    BgpLab, ExpectedForward, ExpectedRoute, ForwardEnd, LabExpect, LabMoment, LabOutcome, LabPhase,
    LabReplay, LabSeeds, LabStable, LabStep,
};
pub use words::community_text;

pub(crate) use lab_table::MRAI_KIND;
pub(crate) use policy::{number, route_policies};
pub(crate) use policy_table::ROUTE_POLICY;
pub(crate) use resolve::mrai;

use crate::Vocabulary;
use crate::load::{self, Loaded};
use std::path::Path;

/// What became of a lab file.
#[derive(Clone, Debug, Default)]
pub struct LoadedLab {
    /// The lab; none if there is any error.
    pub lab: Option<BgpLab>,
    /// What was found in the file, for [`crate::render`] and [`crate::to_json`]. It never holds a
    /// scenario.
    pub findings: Loaded,
}

/// Loads a lab after replacing values: `sets` are (path, value) pairs such as
/// (`defaults.mrai`, `30s`).
#[must_use]
pub fn load_lab(path: &Path, sets: &[(String, String)], vocabulary: &Vocabulary<'_>) -> LoadedLab {
    let (lab, findings) = load::load_other(path, sets, vocabulary, &lab_table::LAB, resolve::lab);
    LoadedLab { lab, findings }
}
