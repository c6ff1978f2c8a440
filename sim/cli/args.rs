//! What may be typed.

mod labs;

pub use labs::{BgpArgs, FlowsArgs, LabArgs, LabFormat, ShareArgs};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Network simulation and traffic-engineering lab for anycast edge networks.
#[derive(Debug, Parser)]
#[command(name = "steerlab", version, about, after_help = crate::exit::HELP, max_term_width = 100)]
pub struct Cli {
    /// Options of all commands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of all commands.
#[derive(Args, Debug)]
pub struct Global {
    /// Only errors on stderr
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// More on stderr: every cached and finished run
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// Colours: `auto` follows the terminal and `NO_COLOR`
    #[arg(long, global = true, value_enum, default_value_t = When::Auto)]
    pub color: When,
    /// Progress on stderr: `auto` is a bar on a terminal, lines otherwise
    #[arg(long, global = true, value_enum, default_value_t = ProgressKind::Auto)]
    pub progress: ProgressKind,
}

/// When to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// If the output is a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressKind {
    /// A bar on a terminal, lines otherwise.
    Auto,
    /// A bar.
    Bar,
    /// Lines.
    Lines,
    /// Nothing.
    None,
}

/// Form of the answer on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[value(alias = "text")]
    Table,
    /// For programs.
    Json,
    /// For pull requests and step summaries.
    Md,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the embedded demo: a 20-site anycast edge loses its largest site at the evening peak
    Demo(DemoArgs),
    /// Write a commented starter scenario
    Init(InitArgs),
    /// Check scenarios and report everything that is wrong
    Validate(ValidateArgs),
    /// Run a scenario: all arms, all replications
    Run(RunArgs),
    /// Judge arms of a run, or runs against each other
    Compare(CompareArgs),
    /// Make the report of a run directory again
    Report(ReportArgs),
    /// Turn recorded data into a scenario or a table
    Import(ImportArgs),
    /// Find the path of every AS of an Internet graph to origins
    Routes(RoutesArgs),
    /// Predict which site each AS reaches, from paths seen while each site announces alone
    PredictCatchment(PredictCatchmentArgs),
    /// Make an Internet graph that looks like recorded ones, for tests of growth
    GenerateAsGraph(GenerateAsGraphArgs),
    /// Write which site serves whom at an instant of a run, as a catchment table
    ExportCatchment(ExportCatchmentArgs),
    /// Compare which site serves whom: a modelled table against a measured one
    CompareCatchment(CompareCatchmentArgs),
    /// Play a BGP lab: routers, sessions, policies, and what must come out
    Bgp(BgpArgs),
    /// Play load labs: queues, balancers, caches, admission, and what must come out
    Lab(LabArgs),
    /// Play a recorded trace of flows that share links max-min fairly, and say when each ends
    Flows(FlowsArgs),
    /// Share links among flows by weight, cap, priority or bandwidth function: one allocation
    Share(ShareArgs),
    /// Compute what theory says: queues, balancers, caches, controllers
    Theory(TheoryArgs),
    /// List what there is
    List(ListArgs),
    /// Explain a diagnostic, a route or an action
    Explain(ExplainArgs),
    /// Print the JSON Schema of scenarios
    Schema(SchemaArgs),
    /// Print shell completions
    Completions(CompletionsArgs),
}

/// How runs are made and what is left.
#[derive(Args, Clone, Debug)]
pub struct RunOptions {
    /// Directory for run directories and the store of finished runs
    #[arg(long, default_value = "runs")]
    pub out: PathBuf,
    /// Runs at the same time; default: one per processor
    #[arg(long, short, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub jobs: Option<u32>,
    /// Root seed, in place of the scenario's
    #[arg(long)]
    pub seed: Option<u64>,
    /// Replications, in place of the scenario's
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub replications: Option<u32>,
    /// Replace a value: `--set links.0.capacity=10Gbps`; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Do all runs again, even those the store has
    #[arg(long)]
    pub no_cache: bool,
    /// Largest number of events of one run
    #[arg(long, value_name = "N")]
    pub max_events: Option<u64>,
    /// Treat warnings as failed checks
    #[arg(long)]
    pub deny_warnings: bool,
    /// Also write all tables as CSV into this directory
    #[arg(long, value_name = "DIR")]
    pub csv: Option<PathBuf>,
    /// Also write all plots as SVG files into this directory
    #[arg(long, value_name = "DIR")]
    pub svg: Option<PathBuf>,
    /// Also write the checks as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Do not make report.html
    #[arg(long)]
    pub no_report: bool,
    /// Form of the answer on stdout
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// `steerlab demo`
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// How to run it.
    #[command(flatten)]
    pub options: RunOptions,
}

/// `steerlab run`
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Scenario file, or the name of one in the library (`steerlab list scenarios`)
    pub scenario: PathBuf,
    /// How to run it.
    #[command(flatten)]
    pub options: RunOptions,
}

/// `steerlab init`
#[derive(Args, Debug)]
pub struct InitArgs {
    /// File to write
    pub file: PathBuf,
    /// Library scenario to start from instead of the starter
    #[arg(long, value_name = "NAME")]
    pub from: Option<String>,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// `steerlab validate`
#[derive(Args, Debug)]
pub struct ValidateArgs {
    /// Scenario files
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Form of the diagnostics
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Fail on warnings too
    #[arg(long)]
    pub deny_warnings: bool,
}

/// `steerlab compare`
#[derive(Args, Debug)]
pub struct CompareArgs {
    /// One run directory or scenario: its arms against the first. Several: each against the first
    #[arg(required = true, value_name = "RUN_OR_FILE")]
    pub inputs: Vec<PathBuf>,
    /// Primary metric such as `loss_ratio{class=interactive}`; may be repeated; default: the
    /// scenario's
    #[arg(long, short)]
    pub metric: Vec<String>,
    /// Smallest relative difference that matters, such as `1%`; default: the scenario's
    #[arg(long)]
    pub margin: Option<String>,
    /// Confidence level such as `95%`; default: the scenario's
    #[arg(long)]
    pub confidence: Option<String>,
    /// Verdicts that fail the command
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [FailOn::Worse, FailOn::Inconclusive])]
    pub fail_on: Vec<FailOn>,
    /// How scenarios among the inputs are run.
    #[command(flatten)]
    pub options: RunOptions,
}

/// Verdicts that fail `compare`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Exit 1 on a confirmed regression.
    Worse,
    /// Exit 3 if it cannot be said.
    Inconclusive,
    /// Exit 1 on any warning.
    Warning,
    /// Never fail on a verdict.
    Nothing,
}

/// `steerlab report`
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Run directory
    pub run: PathBuf,
    /// Where to write; default: report.html in the run directory
    #[arg(long, short)]
    pub output: Option<PathBuf>,
    /// Also write all plots as SVG files into this directory
    #[arg(long, value_name = "DIR")]
    pub svg: Option<PathBuf>,
    /// Also write the checks as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Print a Markdown summary on stdout
    #[arg(long)]
    pub markdown: bool,
}

/// Capacity of imported links for which there is none.
pub const FALLBACK_CAPACITY: &str = "10Gbps";

/// `steerlab import`
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// Format (`steerlab list importers`)
    pub importer: String,
    /// Network or recording
    pub input: PathBuf,
    /// Demands: a file, a folder of matrices, or an archive of them
    #[arg(long)]
    pub demands: Option<PathBuf>,
    /// Policies, one arm each
    #[arg(long, value_delimiter = ',')]
    pub arms: Vec<String>,
    /// Link failure `LINK@T` or `LINK@T..T2`, such as `ATLAng_HSTNng@3d12h`; may be repeated
    #[arg(long)]
    pub cut: Vec<String>,
    /// Factor on all demands
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
    pub scale: f64,
    /// Start of the part of a series to take, such as 2004-03-02; for `catchment`: the form of the
    /// file, peering-json or atlas-dns
    #[arg(long)]
    pub from: Option<String>,
    /// Length of that part, or of the run, such as 7d
    #[arg(long = "for")]
    pub length: Option<String>,
    /// Capacity of links for which the file has none
    #[arg(long, default_value = FALLBACK_CAPACITY)]
    pub fallback_capacity: String,
    /// Name of the scenario; default: from the output or input file
    #[arg(long)]
    pub name: Option<String>,
    /// File to write. A scenario's matrices go beside it; observed routes are .csv or .parquet.
    /// Default: NAME.yaml here, NAME.routes.csv or NAME.catchment.csv
    #[arg(long, short, visible_alias = "out")]
    pub output: Option<PathBuf>,
    /// For `mrt` and `bgplay`: also write the updates, to be replayed, as CSV
    #[arg(long, value_name = "FILE")]
    pub updates: Option<PathBuf>,
    /// For `mrt`: leave out damaged records, and count them, instead of refusing the file
    #[arg(long)]
    pub skip_damaged: bool,
    /// For `catchment --from atlas-dns`: what the weight of an AS counts; default: queries
    #[arg(long, value_enum)]
    pub weight: Option<WeightKind>,
    /// Replace files that exist
    #[arg(long)]
    pub force: bool,
}

/// `steerlab routes`
#[derive(Args, Debug)]
pub struct RoutesArgs {
    /// AS relationships as CAIDA publishes them (serial-1 or serial-2; plain, .gz or .bz2)
    pub graph: PathBuf,
    /// AS numbers that announce, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "ASN",
        required_unless_present = "origins_file"
    )]
    pub origins: Vec<u32>,
    /// File with AS numbers that announce, separated by white space or commas
    #[arg(long, value_name = "FILE")]
    pub origins_file: Option<PathBuf>,
    /// Who announces what
    #[arg(long, value_enum, default_value_t = RoutesJob::Anycast)]
    pub job: RoutesJob,
    /// Table to write, CSV: asn, prefix (from 0), class, as_path (joined by dashes)
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print 16 hex digits of SHA-256 over the lines `asn,prefix,as-path`, in order of the numbers
    #[arg(long)]
    pub digest: bool,
    /// Prefixes at the same time; default: one per processor
    #[arg(long, short, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub jobs: Option<u32>,
}

/// Who announces what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoutesJob {
    /// One prefix, announced by the first origin.
    One,
    /// One prefix, announced by all origins.
    Anycast,
    /// One prefix an origin.
    Each,
}

/// `steerlab predict-catchment`
#[derive(Args, Debug)]
pub struct PredictCatchmentArgs {
    /// AS relationships as CAIDA publishes them (serial-1 or serial-2; plain, .gz or .bz2)
    pub graph: PathBuf,
    /// Paths that collectors see while one site announces alone; once a site
    #[arg(long, value_name = "SITE=FILE", required_unless_present = "experiments")]
    pub alone: Vec<String>,
    /// JSON map from AS number to the site measured while all announce, to compare with
    #[arg(long, value_name = "FILE", requires = "alone")]
    pub measured: Option<PathBuf>,
    /// Predict all experiments in a folder (ID_SITEA_SITEB), and compare with their measurements
    #[arg(long, value_name = "DIR", conflicts_with_all = ["alone", "out"])]
    pub experiments: Option<PathBuf>,
    /// Catchment table to write, CSV: kind, id, site
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Leave parts of the method out, to see what they are worth
    #[arg(long, value_enum, value_delimiter = ',', value_name = "RULE")]
    pub without: Vec<PredictionRule>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Parts of the method of predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PredictionRule {
    /// An AS on a path keeps to the next hops it was seen to take.
    SeenNextHops,
    /// A collector's AS on no path to a site has no route to it.
    Absence,
    /// Who is mostly not taken is a last resort.
    Untaken,
    /// Who was seen to pass on a route against the rule does so again.
    AgainstRule,
    /// Prepends count.
    Prepends,
    /// Longer offers of the best class get a share, too.
    LongerOffers,
    /// Ties go to the site that is the first choice of more ASes.
    TiesToMajority,
}

/// `steerlab generate-as-graph`
#[derive(Args, Debug)]
pub struct GenerateAsGraphArgs {
    /// Number of ASes
    #[arg(long, default_value_t = 78_000)]
    pub ases: usize,
    /// Number of links
    #[arg(long, default_value_t = 680_000)]
    pub links: usize,
    /// Seed: the same numbers give the same graph everywhere
    #[arg(long)]
    pub seed: u64,
    /// File to write, in CAIDA's serial-1 format
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
}

/// What weights count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WeightKind {
    /// Answered queries.
    Queries,
    /// Probes.
    Probes,
}

/// `steerlab export-catchment`
#[derive(Args, Debug)]
pub struct ExportCatchmentArgs {
    /// Scenario
    pub input: PathBuf,
    /// Instant since the start, such as 45m
    #[arg(long, default_value = "0s")]
    pub at: String,
    /// Arm; default: the first
    #[arg(long)]
    pub arm: Option<String>,
    /// Replication, from 0
    #[arg(long, default_value_t = 0)]
    pub replication: u32,
    /// Table to write, CSV (`steerlab-catchment/1`)
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
}

/// `steerlab compare-catchment`
#[derive(Args, Debug)]
pub struct CompareCatchmentArgs {
    /// Table of a model
    pub modelled: PathBuf,
    /// Table of a measurement; its weights count, if it has any
    pub measured: PathBuf,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Also the agreement of each kind of client
    #[arg(long, value_enum)]
    pub by: Option<CompareBy>,
    /// Everybody who disagrees, not only the heaviest twenty
    #[arg(long)]
    pub all: bool,
    /// Exit 1 if a smaller share of the clients agrees, such as `80%`
    #[arg(long, value_name = "SHARE")]
    pub agreement_min: Option<String>,
}

/// What agreement is split by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompareBy {
    /// Client groups, prefixes, ASes.
    Kind,
}

/// `steerlab theory`
#[derive(Args, Debug)]
#[command(
    disable_help_flag = true,
    after_help = "Without a model: lists all. `steerlab theory MODEL --help` lists its parameters \
                  and quantities."
)]
pub struct TheoryArgs {
    /// Model, such as mm1; default: list all models
    pub model: Option<String>,
    /// Parameters of the model: `--load 0.9`, and `--format`
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "--PARAMETER VALUE",
        num_args = 0..
    )]
    pub parameters: Vec<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Print help, of the model if there is one
    #[arg(long, short)]
    pub help: bool,
}

/// `steerlab list`
#[derive(Args, Debug)]
pub struct ListArgs {
    /// What
    #[arg(value_enum)]
    pub what: Listed,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Listed {
    /// Policies with their parameters.
    Policies,
    /// Metrics for checks and comparisons.
    Metrics,
    /// Scenarios of the library.
    Scenarios,
    /// Formats that can be imported.
    Importers,
    /// Diagnostic codes.
    Codes,
    /// Balancers with their parameters and sources.
    Balancers,
}

/// `steerlab explain`
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// A diagnostic code such as E0101, or `route`, or `action`
    pub subject: String,
    /// For `route`: scenario; for `action`: run directory
    pub input: Option<PathBuf>,
    /// For `route`: client group
    #[arg(long)]
    pub client: Option<String>,
    /// For `route`: prefix; default: all
    #[arg(long)]
    pub prefix: Option<String>,
    /// For `route`: instant since the start, such as 45m
    #[arg(long, default_value = "0s")]
    pub at: String,
    /// Arm; default: for `route` the first, for `action` all
    #[arg(long)]
    pub arm: Option<String>,
    /// Replication, from 0
    #[arg(long, default_value_t = 0)]
    pub replication: u32,
    /// For `action`: its number; default: all
    #[arg(long)]
    pub number: Option<u64>,
}

/// `steerlab schema`
#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// Print the one-page reference of the language instead
    #[arg(long)]
    pub reference: bool,
}

/// `steerlab completions`
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// Shell
    pub shell: clap_complete::Shell,
}
