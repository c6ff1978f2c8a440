//! `steerlab share`
use crate::args::ShareArgs;
use crate::console::Console;
use crate::exit::Exit;

/// Shares.
pub fn share(_console: &Console, _args: &ShareArgs) -> Exit {
    Exit::BadInput
}
