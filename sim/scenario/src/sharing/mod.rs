//! Sharing as data: traces of flows, and labs of one allocation each.

mod lab;
mod lab_table;
mod resolve;
mod trace;

pub use lab::{
    ExpectedFlow, ExpectedFreeze, ExpectedHold, ExpectedTunnels, ShareDemand, ShareExpect,
    ShareFlow, ShareLab, ShareLink,
};
pub use trace::{LoadedTrace, TraceFlow, load_trace};

use crate::Vocabulary;
use crate::load::{self, Loaded};
use std::path::Path;

/// What became of the file of a sharing lab.
#[derive(Clone, Debug, Default)]
pub struct LoadedShare {
    /// The lab; none if there is any error.
    pub lab: Option<ShareLab>,
    /// What was found in the file, for [`crate::render`] and [`crate::to_json`]. It never holds a
    /// scenario.
    pub findings: Loaded,
}

/// Loads a sharing lab after replacing values: `sets` are (path, value) pairs such as
/// (`links.0.capacity`, `10Gbps`).
#[must_use]
pub fn load_share(
    path: &Path,
    sets: &[(String, String)],
    vocabulary: &Vocabulary<'_>,
) -> LoadedShare {
    let (lab, findings) =
        load::load_other(path, sets, vocabulary, &lab_table::SHARE, |fields, _, sink| {
            resolve::lab(fields, sink)
        });
    LoadedShare { lab, findings }
}
