//! Runs Steerlab and a peer on the same input and compares what came of it.
//!
//! ```text
//! cargo run --release -- bgpsim             10 networks, 100 prefixes, reflectors and full mesh
//! cargo run --release -- bgpsim --large     Cogentco, 1,000 prefixes
//! cargo run --release -- simgrid            flows on random platforms, then in a closed loop
//! cargo run --release -- simgrid --timed    random platforms alone
//! cargo run --release -- simgrid --flows    closed loop alone
//! ```
//!
//! Each side plays in a process of its own, so that processor time and memory are its own. What is
//! played is made here from a seed; neither side draws anything of its own.

#[cfg(feature = "bgpsim")]
mod bgpsim;
mod measure;
mod simgrid;

use std::process::ExitCode;

#[cfg(not(feature = "bgpsim"))]
mod bgpsim {
    //! Stands for the comparison that was left out.

    const LEFT_OUT: &str = "bgpsim was left out: build with its feature";

    pub fn compare_all(_: bool) -> Result<bool, String> {
        Err(LEFT_OUT.to_owned())
    }

    pub fn play(_: &[&str]) -> Result<bool, String> {
        Err(LEFT_OUT.to_owned())
    }
}

const USAGE: &str =
    "usage: steerlab-peers bgpsim [--large] | steerlab-peers simgrid [--timed | --flows]";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["bgpsim"] => bgpsim::compare_all(false),
        ["bgpsim", "--large"] => bgpsim::compare_all(true),
        ["simgrid"] => simgrid::compare(true, true),
        ["simgrid", "--timed"] => simgrid::compare(false, true),
        ["simgrid", "--flows"] => simgrid::compare(true, false),
        ["side", rest @ ..] => bgpsim::play(rest),
        ["simgrid-ours", graph, a, b, c] => simgrid::play_ours(graph, [a, b, c]),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}
