//! Networks and traffic in formats of others, as scenarios of ours.
//!
//! One file a format, one row in the table of [`importers`]. An importer takes bytes and gives the
//! text of a scenario, its matrix file, and every assumption it made.

mod as_rel;
pub(crate) mod common;
mod disk;
mod origins;
pub mod peering;
mod repetita;
pub mod routes;
mod sndlib;
mod topologyzoo;

pub use as_rel::read_as_rel;
pub use common::problem::{ImportError, Problem};
pub(crate) use common::stamp::stamp_text;
pub use disk::{DiskFolder, read_limited};
pub use origins::{Listed, origins, parse_origins};
pub use repetita::{RepetitaEdge, RepetitaGraph, read_graph};

use common::problem::E_OPTION;

/// A file's name, as shown to people, and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Path as the user gave it; only its last part reaches the scenario.
    pub name: String,
    /// Contents.
    pub bytes: Vec<u8>,
}

/// A folder whose files are read one at a time, so that a series need not fit in memory twice.
pub trait Folder {
    /// Its name, as shown to people.
    fn name(&self) -> &str;
    /// Names of the files directly inside, in ascending order.
    ///
    /// # Errors
    /// Why it cannot be listed.
    fn files(&self) -> Result<Vec<String>, String>;
    /// The bytes of one of its files.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read(&self, file: &str) -> Result<Vec<u8>, String>;
}

/// Where the demands come from if not from the network's own file.
pub enum DemandInput {
    /// A file: one matrix, or an archive of them (.tar, .tar.gz, .tar.xz).
    File(Document),
    /// A folder of matrices.
    Folder(Box<dyn Folder>),
}

/// A link failure asked for: `LINK@T` or `LINK@T..T2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Id of the link in the scenario, or its name in the file.
    pub link: String,
    /// When it fails, as a span since the start such as `3d12h`.
    pub at: String,
    /// When it is restored; none: never.
    pub until: Option<String>,
}

/// What the user asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportOptions {
    /// Name of the scenario and of its files; none: the network file's name without its ending.
    pub name: Option<String>,
    /// Policies, one arm each; empty: `spf-ecmp`.
    pub arms: Vec<String>,
    /// Link failures.
    pub cuts: Vec<Cut>,
    /// Factor on all demands, 0.000001 to 1000000.
    pub scale: f64,
    /// Start of the part of a dynamic series to take, such as `2004-03-02` or `20040302-1200`.
    pub from: Option<String>,
    /// Length of that part, or of the run where there is one matrix, such as `7d`.
    pub length: Option<String>,
    /// Capacity of links for which the file has none, bit/s, at least 1.
    pub fallback_capacity_bps: u64,
}

/// What an importer works on.
pub struct ImportInput {
    /// The network.
    pub topology: Document,
    /// The demands, where they are elsewhere.
    pub demands: Option<DemandInput>,
    /// What the user asked for.
    pub options: ImportOptions,
}

/// A scenario made from an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Name of the scenario; the YAML belongs into `<name>.yaml`.
    pub name: String,
    /// The scenario.
    pub yaml: String,
    /// Files it refers to, to be written beside it.
    pub files: Vec<(String, Vec<u8>)>,
    /// Every assumption made; the scenario lists them too.
    pub notes: Vec<String>,
}

/// Reads one format.
pub trait Importer: Sync {
    /// Name on the command line.
    fn name(&self) -> &'static str;
    /// What it reads, in one line.
    fn summary(&self) -> &'static str;
    /// Where such data come from, and who made them.
    fn source(&self) -> &'static str;
    /// Makes a scenario. The same input gives the same bytes.
    ///
    /// # Errors
    /// All problems that one pass could find.
    fn import(&self, input: &ImportInput) -> Result<Imported, ImportError>;
}

/// All importers, in order of their names.
#[must_use]
pub fn importers() -> &'static [&'static dyn Importer] {
    &[&repetita::Repetita, &sndlib::Sndlib, &topologyzoo::TopologyZoo]
}

/// A recorded form that becomes a table and not a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Name on the command line.
    pub name: &'static str,
    /// What is read, in one line.
    pub summary: &'static str,
    /// Where such data come from, and who made them.
    pub source: &'static str,
}

/// All recorded forms that become tables, in order of their names.
#[must_use]
pub fn recordings() -> &'static [Recording] {
    &[
        Recording {
            name: "bgplay",
            summary: "RIPEstat BGPlay: routes to a few prefixes and their changes, as a table",
            source: "stat.ripe.net, data call bgplay",
        },
        Recording {
            name: "catchment",
            summary: "measured catchments (--from peering-json or atlas-dns), as a catchment table",
            source: "github.com/sermpezis/bgp-estimation, IFIP Networking 2021; RIPE Atlas",
        },
        Recording {
            name: "mrt",
            summary: "MRT tables and updates (plain, .gz, .bz2), as a table of observed routes",
            source: "RFC 6396; RIPE RIS, RouteViews",
        },
    ]
}

/// The importer of a name.
#[must_use]
pub fn importer(name: &str) -> Option<&'static dyn Importer> {
    importers().iter().copied().find(|importer| importer.name() == name)
}

impl Default for ImportOptions {
    fn default() -> Self {
        ImportOptions {
            name: None,
            arms: Vec::new(),
            cuts: Vec::new(),
            scale: 1.0,
            from: None,
            length: None,
            fallback_capacity_bps: 10_000_000_000,
        }
    }
}

impl Cut {
    /// Reads `LINK@T` or `LINK@T..T2`; the times are checked by the importer.
    ///
    /// # Errors
    /// The text has no link or no time.
    pub fn parse(text: &str) -> Result<Cut, ImportError> {
        let parts = text.rsplit_once('@').filter(|(link, at)| !link.is_empty() && !at.is_empty());
        let Some((link, times)) = parts else {
            let what = format!("{} is no cut", common::problem::shown(text));
            return Err(Problem::new(E_OPTION, "--cut", what)
                .why("a cut names a link and the time it fails")
                .help("write LINK@3d12h, or LINK@3d12h..3d16h to have it repaired")
                .into());
        };
        let (at, until) = match times.split_once("..") {
            Some((at, until)) => (at, Some(until.to_owned())),
            None => (times, None),
        };
        Ok(Cut { link: link.to_owned(), at: at.to_owned(), until })
    }
}

/// Reads a rate such as `10Gbps` in bit/s, at least 1; none if the text is anything else.
#[must_use]
pub fn parse_capacity(text: &str) -> Option<u64> {
    common::units::parse_rate(text).filter(|bps| *bps > 0)
}

#[cfg(test)]
mod tests;
