//! `steerlab schema` and `steerlab completions`.

use crate::args::{Cli, CompletionsArgs, SchemaArgs};
use crate::console::Console;
use crate::exit::Exit;
use clap::CommandFactory;
use steerlab_policies::BuiltIn;

/// Prints the JSON Schema of scenarios, or the reference.
pub fn schema(console: &Console, args: &SchemaArgs) -> Exit {
    if args.reference {
        console.answer(&steerlab_scenario::reference_markdown(&BuiltIn));
        return Exit::Done;
    }
    let schema = steerlab_scenario::json_schema(&BuiltIn);
    match serde_json::to_string_pretty(&schema) {
        Ok(text) => {
            console.answer(&text);
            Exit::Done
        }
        Err(error) => console.fail(Exit::CannotWrite, &error.to_string(), ""),
    }
}

/// Prints completions for a shell.
pub fn completions(console: &Console, args: &CompletionsArgs) -> Exit {
    let mut out = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "steerlab", &mut out);
    console.answer(&String::from_utf8_lossy(&out));
    Exit::Done
}
