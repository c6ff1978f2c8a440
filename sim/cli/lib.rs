//! The `steerlab` command: arguments in, exit code out.
//!
//! It wires the rooms together and knows everything; nothing knows it. One file a command.

mod args;
mod commands;
mod console;
mod exit;
mod progress;
mod table;
mod workers;

pub use exit::Exit;

use args::{Cli, Command};
use clap::Parser;
use console::Console;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::BadInput } else { Exit::Done };
            // A closed pipe is not an error of ours.
            let _closed = error.print();
            return exit;
        }
    };
    let console = Console::new(&cli.global);
    exit::guarded(move || dispatch(&console, cli.command))
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
        Command::List(args) => commands::list::list(console, &args),
        Command::Explain(args) => commands::explain::explain(console, &args),
        Command::Schema(args) => commands::schema::schema(console, &args),
        Command::Completions(args) => commands::schema::completions(console, &args),
    }
}
