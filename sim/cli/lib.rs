//! The `steerlab` command: arguments in, exit code out.
//!
//! It wires the rooms together and knows everything; nothing knows it. One file a command.

mod args;
mod commands;
mod console;
mod exit;
mod progress;
mod signals;
mod table;
mod workers;

pub use exit::Exit;

use args::{Cli, Command};
use clap::Parser;
use console::Console;
use std::io::Write;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::BadInput } else { Exit::Done };
            let text = error.render().to_string();
            let safe = console::printable(&text);
            // A closed pipe is not an error of ours.
            let _closed = if safe == text { error.print() } else { write_err(&safe) };
            return exit;
        }
    };
    let console = Console::new(&cli.global);
    match exit::guarded(move || dispatch(&console, cli.command)) {
        Exit::Done | Exit::Failed | Exit::Inconclusive if console::answer_lost() => {
            Exit::CannotWrite
        }
        exit => exit,
    }
}

/// Words of the command line that could steer a terminal are shown without doing so.
fn write_err(text: &str) -> std::io::Result<()> {
    std::io::stderr().lock().write_all(text.as_bytes())
}

fn dispatch(console: &Console, command: Command) -> Exit {
    match command {
        Command::Demo(args) => commands::run::demo(console, &args),
        Command::Init(args) => commands::init::init(console, &args),
        Command::Validate(args) => commands::validate::validate(console, &args),
        Command::Run(args) => commands::run::run(console, &args),
        Command::Compare(args) => commands::compare::compare(console, &args),
        Command::Report(args) => commands::report::report(console, &args),
        Command::Import(args) => commands::import::import(console, &args),
        Command::Routes(args) => commands::routes::routes(console, &args),
        Command::PredictCatchment(args) => commands::predict::predict(console, &args),
        Command::GenerateAsGraph(args) => commands::generate_as_graph(console, &args),
        Command::ExportCatchment(args) => commands::explain::export_catchment(console, &args),
        Command::CompareCatchment(args) => {
            commands::compare_catchment::compare_catchment(console, &args)
        }
        Command::Bgp(args) => commands::bgp::bgp(console, &args),
        Command::Lab(args) => commands::lab::lab(console, &args),
        Command::Flows(args) => commands::flows::flows(console, &args),
        Command::Share(args) => commands::share::share(console, &args),
        Command::Theory(args) => commands::theory::theory(console, &args),
        Command::List(args) => commands::list::list(console, &args),
        Command::Explain(args) => commands::explain::explain(console, &args),
        Command::Schema(args) => commands::schema::schema(console, &args),
        Command::Completions(args) => commands::schema::completions(console, &args),
    }
}
