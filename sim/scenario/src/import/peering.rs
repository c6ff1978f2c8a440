//! Measured two-site anycast experiments as the PEERING testbed's users publish them.
//!
//! Source: Sermpezis, Kotronis, Arakadakis, Vakali, *Estimating the Impact of BGP Prefix
//! Hijacking*, 2021, and its repository. One folder an experiment, `ID_SITEA_SITEB`:
//!
//! - `SITE_bgpstream_paths.csv`: what collectors see while that site announces alone. No header;
//!   collector, AS number of the collector's peer, AS path, separated by tabs. The path is AS
//!   numbers separated by commas, the collector's peer first, and ends with the announcer.
//! - `dp_pings_est_as_to_mux_catchment.json`, `dp_trace_est_ra_as_to_mux_catchment.json`,
//!   `cp_bgpstream_est_mon_as_to_mux_catchment.json`: the sites that each AS reaches while both
//!   announce, as pings, traceroutes and collectors tell: `{"64512": ["sitea"]}`.
//!
//! The file of paths while both sites announce holds the answer and is never read. Limits: those
//! of [`read_limited`].

mod map;
mod paths;

pub use map::{MeasuredSites, read_measured_sites};
pub use paths::read_alone_paths;

use super::common::problem::{E_LIMIT, E_NAME, ImportError, Problem, Problems, shown};
use super::read_limited;
use std::fs;
use std::path::{Path, PathBuf};
use steerlab_engine::route::predict::AlonePaths;

/// How it was found out which site an AS reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vantage {
    /// The site at which replies to pings arrive.
    Pings,
    /// Traceroutes from measurement probes.
    Traceroutes,
    /// AS paths at route collectors.
    Collectors,
}

impl Vantage {
    /// All, in the order of tables.
    pub const ALL: [Vantage; 3] = [Vantage::Pings, Vantage::Traceroutes, Vantage::Collectors];

    /// Name as in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Vantage::Pings => "pings",
            Vantage::Traceroutes => "traceroutes",
            Vantage::Collectors => "collectors",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Vantage::Pings => "dp_pings_est_as_to_mux_catchment.json",
            Vantage::Traceroutes => "dp_trace_est_ra_as_to_mux_catchment.json",
            Vantage::Collectors => "cp_bgpstream_est_mon_as_to_mux_catchment.json",
        }
    }
}

/// One experiment.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Number at the start of the folder's name.
    pub number: u64,
    /// Both sites, as in the folder's name.
    pub sites: [String; 2],
    /// What is seen while each announces alone.
    pub alone: [AlonePaths; 2],
    /// What was measured while both announce, as far as there are files.
    pub measured: Vec<(Vantage, MeasuredSites)>,
}

/// Reads all experiments of a folder, in order of their numbers.
///
/// # Errors
/// All that is wrong with any of their files; a folder that is no experiment; no experiment.
pub fn read_experiments(folder: &Path) -> Result<Vec<Experiment>, ImportError> {
    let mut problems = Problems::default();
    let mut experiments = Vec::new();
    for path in folders(folder)? {
        match experiment(&path) {
            Ok(experiment) => experiments.push(experiment),
            Err(error) => problems.absorb(error),
        }
    }
    experiments.sort_by(|a, b| (a.number, &a.sites).cmp(&(b.number, &b.sites)));
    let mut experiments = problems.finish(experiments)?;
    experiments.dedup_by(|a, b| (a.number, &a.sites) == (b.number, &b.sites));
    if experiments.is_empty() {
        return Err(Problem::new(E_NAME, &folder.display().to_string(), "holds no experiment")
            .why("there is nothing to predict")
            .help("name the folder that holds folders such as 3_ufmg01_uw01")
            .into());
    }
    Ok(experiments)
}

/// The folders in a folder, by name; hidden ones are no experiments.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let name = folder.display().to_string();
    let unreadable = |error: std::io::Error| {
        Problem::new(E_LIMIT, &name, format!("cannot be listed: {error}"))
            .why("each folder in it is an experiment")
            .help("check the path and the permissions")
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().is_dir() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn experiment(folder: &Path) -> Result<Experiment, ImportError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some((number, sites)) = parts(&name) else {
        return Err(Problem::new(E_NAME, &folder.display().to_string(), "is no experiment")
            .why(format!("{} is not made of a number and two sites", shown(&name)))
            .help("name it as in 3_ufmg01_uw01, or move it elsewhere")
            .into());
    };
    let mut problems = Problems::default();
    let mut alone = [AlonePaths::default(), AlonePaths::default()];
    for (site, paths) in sites.iter().zip(&mut alone) {
        let file = folder.join(format!("{site}_bgpstream_paths.csv"));
        match read_limited(&file).and_then(|document| read_alone_paths(&document)) {
            Ok(found) => *paths = found,
            Err(error) => problems.absorb(error),
        }
    }
    let mut measured = Vec::new();
    for vantage in Vantage::ALL {
        let file = folder.join(vantage.file());
        if !file.exists() {
            continue;
        }
        match read_limited(&file).and_then(|document| read_measured_sites(&document, &sites)) {
            Ok(map) => measured.push((vantage, map)),
            Err(error) => problems.absorb(error),
        }
    }
    problems.finish(Experiment { number, sites, alone, measured })
}

/// The parts of `ID_SITEA_SITEB`.
fn parts(name: &str) -> Option<(u64, [String; 2])> {
    let mut parts = name.split('_');
    let number = parts.next()?.parse().ok()?;
    let sites = [parts.next()?.to_owned(), parts.next()?.to_owned()];
    let whole = parts.next().is_none() && sites.iter().all(|site| !site.is_empty());
    (whole && sites[0] != sites[1]).then_some((number, sites))
}

#[cfg(test)]
mod tests;
