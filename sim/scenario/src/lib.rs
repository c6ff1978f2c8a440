//! The scenario language of Steerlab: from YAML text to the engine's validated `Scenario`, or to
//! all diagnostics in one pass.
//!
//! The stages: text -> nodes with positions ([`limits`] hold here) -> typed values (one table says
//! what is allowed where) -> the scenario (names resolved, cross checks). Policies and metrics are
//! not known here; they come in through a [`Vocabulary`].
//!
//! What this crate must not know: how a scenario is run, stored or shown.

pub mod bgp;
pub mod catchment;
mod check;
mod clock;
mod codes;
mod diagnostic;
mod examples;
mod files;
mod generate;
#[cfg(test)]
mod hostile_tests;
pub mod import;
mod library;
pub mod limits;
mod load;
pub mod load_lab;
pub mod matrix;
mod quantity;
mod recording;
mod reference;
mod render;
mod resolve;
#[cfg(test)]
mod resolve_tests;
mod schema;
mod set;
mod shape;
pub mod sharing;
mod source;
mod table;
mod table_text;
#[cfg(test)]
mod testing;
mod typed;
mod yaml;

pub use check::{parse_check, parse_metric};
pub use codes::{codes, explain};
pub use diagnostic::{Diagnostic, Severity};
pub use library::{DEMO, LibraryEntry, TEMPLATE, library};
pub use load::{Loaded, load_file, load_file_with, load_text, load_text_with};
pub use reference::reference_markdown;
pub use schema::json_schema;
pub use source::{SourceFile, SourceMap, Span};

use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use steerlab_engine::kernel::SimSpan;
use steerlab_engine::record::MetricInfo;
use steerlab_engine::scenario::Scenario;
use steerlab_engine::steer::PolicyRegistry;

/// The words of a scenario that other crates define.
#[derive(Clone, Copy)]
pub struct Vocabulary<'a> {
    /// Policies that arms may name.
    pub registry: &'a dyn PolicyRegistry,
    /// Metrics that checks and comparisons may name.
    pub metrics: &'a [MetricInfo],
}

/// All findings as text for a terminal: the first 20 in full, the others counted. Empty if there
/// are none.
#[must_use]
pub fn render(loaded: &Loaded, color: bool) -> String {
    render::text(&loaded.sources, &loaded.diagnostics, loaded.omitted, color)
}

/// Findings of tables as text for a terminal, like [`render`].
#[must_use]
pub fn render_findings(
    sources: &SourceMap,
    diagnostics: &[Diagnostic],
    omitted: usize,
    color: bool,
) -> String {
    render::text(sources, diagnostics, omitted, color)
}

/// All findings as JSON, format `steerlab-diagnostics/1`.
#[must_use]
pub fn to_json(loaded: &Loaded) -> String {
    render::json(&loaded.sources, &loaded.diagnostics, loaded.omitted)
}

/// SHA-256 of the resolved scenario, hex: what it means, not how it is written. Recorded series
/// enter through the hash of their file.
#[must_use]
pub fn content_sha256(scenario: &Scenario) -> String {
    let text = serde_json::to_vec(scenario).expect("a scenario is plain data");
    hex(&Sha256::digest(&text))
}

/// The resolved scenario as JSON, format `steerlab-resolved/1` (recorded series are not in it).
#[must_use]
pub fn scenario_json(scenario: &Scenario) -> String {
    #[derive(Serialize)]
    struct Resolved<'a> {
        format: &'static str,
        #[serde(flatten)]
        scenario: &'a Scenario,
    }
    serde_json::to_string_pretty(&Resolved { format: "steerlab-resolved/1", scenario })
        .expect("a scenario is plain data")
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A span of time as people write it: `45m`, `1h30m`.
///
/// # Errors
/// What is wrong, and how to write it.
pub fn parse_span(text: &str) -> Result<SimSpan, String> {
    quantity::span(text).map_err(|bad| format!("{}; {}", bad.what, bad.help))
}

/// A share as people write it: `0.01` or `1%`.
///
/// # Errors
/// What is wrong, and how to write it.
pub fn parse_ratio(text: &str) -> Result<f64, String> {
    quantity::ratio(text).map_err(|bad| format!("{}; {}", bad.what, bad.help))
}
