//! One file a command.

pub mod bgp;
pub mod compare;
pub mod compare_catchment;
pub mod explain;
pub mod flows;
mod generate_as_graph;
pub mod import;
pub mod import_table;
pub mod init;
pub mod lab;
pub mod list;
pub mod predict;
mod predict_table;
pub mod report;
pub mod routes;
mod routes_table;
pub mod run;
pub mod run_table;
pub mod schema;
pub mod share;
pub mod theory;
pub mod validate;

pub use generate_as_graph::generate_as_graph;

use crate::console::Console;
use crate::exit::Exit;
use std::io::Write;
use std::path::Path;
use steerlab_policies::BuiltIn;
use steerlab_results::catalogue;
use steerlab_scenario::{Loaded, Vocabulary};

/// The words of scenarios as this program knows them.
#[must_use]
pub fn vocabulary() -> Vocabulary<'static> {
    Vocabulary { registry: &BuiltIn, metrics: catalogue::metrics() }
}

/// Shows all diagnostics of a scenario on stderr.
pub fn show_diagnostics(console: &Console, loaded: &Loaded) {
    let text = steerlab_scenario::render(loaded, console.color_err);
    if loaded.scenario.is_none() {
        console.err(&text);
    } else if !text.is_empty() {
        console.say(&text);
    }
}

/// Writes a file so that it is there in full or not at all. Makes the folders above it.
///
/// # Errors
/// The exit code, after the error has been shown.
pub fn write_file(console: &Console, path: &Path, bytes: &[u8]) -> Result<(), Exit> {
    fill_file(console, path, |file| file.write_all(bytes))
}

/// [`write_file`] with contents that are never in memory as a whole.
///
/// # Errors
/// The exit code, after the error has been shown.
pub fn fill_file(
    console: &Console,
    path: &Path,
    fill: impl FnOnce(&mut steerlab_results::disk::DiskFile) -> std::io::Result<()>,
) -> Result<(), Exit> {
    let disk = steerlab_results::disk::Disk::default();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or(Ok(()), |folder| disk.make_dirs(folder));
    folder.and_then(|()| disk.fill_atomic(path, fill)).map_err(|error| {
        let what = format!("cannot {} {}: {}", error.action, error.path.display(), error.source);
        console.fail(Exit::CannotWrite, &what, "check the path, its rights and the free space")
    })
}
