//! Benchmarks of the kernel and of whole runs, in processor seconds of whole processes.
//!
//! ```text
//! steerlab-bench kernel [--arrivals N] [--repeats N]   all kernel benchmarks
//! steerlab-bench hold                                  event queues alone
//! steerlab-bench requests                              request level, 100 servers
//! steerlab-bench cache [--arrivals N] [--repeats N]    caches of a million objects
//! steerlab-bench scenario FILE [--repeats N]           `steerlab run FILE`, whole process
//! steerlab-bench internet [--bgpy-python PATH]         routing on graphs of the whole Internet
//! steerlab-bench bgp FILE [--prefixes N] [--mesh] [--single]  event-driven BGP inside one AS
//! steerlab-bench bgp-internet FILE --origin ASN [--table]  the same on an AS graph, one prefix
//! steerlab-bench ecmp FILE.graph FILE.demands          one whole matrix on shortest paths
//! steerlab-bench flows FILE.graph [--concurrent N] [--finish N]  max-min sharing, closed loop
//! steerlab-bench whole -- COMMAND...                   any command, whole process
//! steerlab-bench run mm1|p2c --engine NAME             one workload in this process (a child)
//! ```

// A benchmark's product is what it prints.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bgp;
mod cache;
mod ecmp;
mod flows;
mod hold;
mod internet;
mod measure;
mod mm1;
mod nexosim_mm1;
mod outcome;
mod p2c;
mod queues;
mod requests;
mod table;
mod whole;
mod workloads;

use std::process::ExitCode;

const USAGE: &str = "usage: steerlab-bench kernel [--arrivals N] [--repeats N]
       steerlab-bench hold
       steerlab-bench requests [--arrivals N] [--repeats N]
       steerlab-bench cache [--arrivals N] [--repeats N]
       steerlab-bench scenario FILE [--repeats N]
       steerlab-bench internet [--repeats N] [--bgpy-python PATH]
       steerlab-bench bgp FILE.graph|FILE.graphml [--prefixes N] [--mesh] [--single]
       steerlab-bench bgp-internet FILE --origin ASN [--table]
       steerlab-bench ecmp FILE.graph FILE.demands
       steerlab-bench flows FILE.graph [--concurrent N] [--finish N]
       steerlab-bench whole [--repeats N] -- COMMAND...
       steerlab-bench run mm1|p2c --engine NAME [--arrivals N]";

/// What the command line asked for beyond its words.
struct Options {
    arrivals: u64,
    repeats: usize,
    prefixes: usize,
    concurrent: usize,
    finish: usize,
    mesh: bool,
    single: bool,
    origin: u32,
    table: bool,
    engine: String,
    bgpy_python: Option<String>,
    words: Vec<String>,
    command: Vec<String>,
}

fn parse(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        arrivals: 10_000_000,
        repeats: 3,
        prefixes: 100,
        concurrent: 1_000,
        finish: 20_000,
        mesh: false,
        single: false,
        origin: 0,
        table: false,
        engine: "steerlab".to_owned(),
        bgpy_python: None,
        words: Vec::new(),
        command: Vec::new(),
    };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let mut value = |name: &str| arguments.next().ok_or(format!("{name} needs a value"));
        match argument.as_str() {
            "--arrivals" => options.arrivals = number(&value("--arrivals")?)?,
            "--repeats" => options.repeats = number(&value("--repeats")?)?,
            "--prefixes" => options.prefixes = number(&value("--prefixes")?)?,
            "--concurrent" => options.concurrent = number(&value("--concurrent")?)?,
            "--finish" => options.finish = number(&value("--finish")?)?,
            "--mesh" => options.mesh = true,
            "--origin" => options.origin = number(&value("--origin")?)?,
            "--table" => options.table = true,
            "--single" => options.single = true,
            "--engine" => options.engine = value("--engine")?,
            "--bgpy-python" => options.bgpy_python = Some(value("--bgpy-python")?),
            "--" => options.command = arguments.by_ref().collect(),
            flag if flag.starts_with('-') => return Err(format!("unknown option {flag}")),
            word => options.words.push(word.to_owned()),
        }
    }
    Ok(options)
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is not a whole number"))
}

fn dispatch(options: &Options) -> Result<(), String> {
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["kernel"] => workloads::kernel(options.arrivals, options.repeats),
        ["hold"] => hold::print(),
        ["requests"] => requests::print(options.arrivals, options.repeats),
        ["cache"] => cache::print(options.arrivals, options.repeats),
        ["internet"] => internet::print(options.repeats, options.bgpy_python.as_deref()),
        ["scenario", file] => whole::scenario(file, options.repeats),
        ["bgp", file] => bgp::run(file, options.prefixes, options.mesh, options.single),
        ["bgp-internet", file] => bgp::internet(file, options.origin, options.table),
        ["ecmp", graph, demands] => ecmp::run(graph, demands),
        ["flows", file] => flows::print(file, options.concurrent, options.finish),
        ["whole"] if !options.command.is_empty() => {
            whole::command(&options.command, options.repeats)
        }
        ["run", workload] => workloads::run_here(workload, &options.engine, options.arrivals),
        _ => Err(USAGE.to_owned()),
    }
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|options| dispatch(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("steerlab-bench: {message}");
            ExitCode::from(2)
        }
    }
}
