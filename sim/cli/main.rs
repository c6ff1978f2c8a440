//! The `steerlab` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    steerlab::main().into()
}
