//! Arguments of commands that play one file: labs and traces.

use super::Format;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `steerlab bgp`
#[derive(Args, Debug)]
pub struct BgpArgs {
    /// Lab file
    pub lab: PathBuf,
    /// Root seed, in place of the lab's
    #[arg(long)]
    pub seed: Option<u64>,
    /// Replace a value: `--set defaults.mrai=30s`; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Play it so far only, such as 45s; nothing is judged then
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    /// Also show all routes that a speaker holds, and why each lost
    #[arg(long, num_args = 2, value_names = ["SPEAKER", "PREFIX"])]
    pub explain: Vec<String>,
    /// Also find all stable states by trying (small networks)
    #[arg(long)]
    pub stable_states: bool,
    /// Form of the answer on stdout
    #[arg(long, value_enum, default_value_t = LabFormat::Text)]
    pub format: LabFormat,
}

/// Form of the answer about a lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LabFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `steerlab lab`
#[derive(Args, Debug)]
pub struct LabArgs {
    /// Lab files, or folders with a lab.yaml
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Root seed, in place of the labs'
    #[arg(long)]
    pub seed: Option<u64>,
    /// Replications, in place of the labs'
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    pub replications: Option<u32>,
    /// Replace a value: `--set queue.load=0.8`; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Also play it with this many further seeds, and say how many 95 % intervals hold what is
    /// expected
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub coverage: Option<u32>,
    /// Replications at the same time; default: one per processor
    #[arg(long, short, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub jobs: Option<u32>,
    /// Form of the answer on stdout
    #[arg(long, value_enum, default_value_t = LabFormat::Text)]
    pub format: LabFormat,
}

/// `steerlab flows`
#[derive(Args, Debug)]
pub struct FlowsArgs {
    /// Network in REPETITA's form (.graph); every flow takes one shortest path by weight
    #[arg(long, value_name = "FILE")]
    pub topology: PathBuf,
    /// Trace to play, CSV: start (s), src, dst (node numbers), bytes; perhaps end (s), to compare
    #[arg(long, value_name = "FILE")]
    pub trace: PathBuf,
    /// Table to write, CSV: start, src, dst, bytes, end
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Form of the answer on stdout
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// `steerlab share`
#[derive(Args, Debug)]
pub struct ShareArgs {
    /// File with links, flows and what is expected
    pub file: PathBuf,
    /// Replace a value: `--set links.0.capacity=10Gbps`; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Form of the answer on stdout
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}
