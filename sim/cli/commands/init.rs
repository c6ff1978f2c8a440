//! `steerlab init`: a starter that runs as it is.

use super::write_file;
use crate::args::InitArgs;
use crate::console::Console;
use crate::exit::Exit;

/// Writes the starter scenario, or one of the library.
pub fn init(console: &Console, args: &InitArgs) -> Exit {
    let text = match &args.from {
        None => steerlab_scenario::TEMPLATE,
        Some(name) => match steerlab_scenario::library().iter().find(|entry| entry.name == *name) {
            Some(entry) => entry.text,
            None => {
                return console.fail(
                    Exit::BadInput,
                    &format!("the library has no scenario `{name}`"),
                    "`steerlab list scenarios` names all",
                );
            }
        },
    };
    if args.file.exists() && !args.force {
        return console.fail(
            Exit::BadInput,
            &format!("{} exists", args.file.display()),
            "choose another name, or replace it with --force",
        );
    }
    if let Err(exit) = write_file(console, &args.file, text.as_bytes()) {
        return exit;
    }
    let file = args.file.display();
    console.say(&format!("wrote {file}\nnext:\n  steerlab validate {file}\n  steerlab run {file}"));
    Exit::Done
}
