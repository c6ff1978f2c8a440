//! Exit codes: part of the public interface.

use std::process::ExitCode;
use std::sync::Mutex;

/// How a command ended. When several apply, 2 comes before 1 before 3 before 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; all checks pass, no confirmed regression.
    Done = 0,
    /// A check failed or a regression was confirmed.
    Failed = 1,
    /// Could not start: bad flags, invalid scenario, unreadable input.
    BadInput = 2,
    /// Intervals too wide for the asked margin.
    Inconclusive = 3,
    /// Nothing selected or matched.
    NothingSelected = 4,
    /// A limit stopped it; finished runs are kept.
    Limit = 5,
    /// Could not write outputs.
    CannotWrite = 6,
    /// A bug in steerlab.
    Bug = 101,
    /// Interrupted; finished runs are kept.
    Interrupted = 130,
    /// Terminated; finished runs are kept.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// The table shown by `--help`.
pub const HELP: &str = "\
Exit codes:
    0  done: all checks pass, no confirmed regression
    1  a check failed, or a regression was confirmed
    2  could not start: bad flags, invalid scenario, unreadable input
    3  inconclusive: intervals too wide for the asked margin
    4  nothing selected or matched
    5  a limit stopped it; finished runs are kept
    6  could not write outputs
  101  a bug in steerlab
  130  interrupted, 143 terminated; finished runs are kept";

static WORKING_ON: Mutex<String> = Mutex::new(String::new());

/// Notes what a bug report should name: scenario, hash, seed.
pub fn working_on(what: String) {
    if let Ok(mut text) = WORKING_ON.lock() {
        *text = what;
    }
}

static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// Runs a command. A panic that reaches us is a bug, and said to be one; a panic that a library
/// raised and somebody handled on the way is not shown at all.
pub fn guarded(command: impl FnOnce() -> Exit + std::panic::UnwindSafe) -> Exit {
    std::panic::set_hook(Box::new(|info| {
        if let Ok(mut text) = LAST_PANIC.lock() {
            *text = format!("{info}\n{}", std::backtrace::Backtrace::capture());
        }
    }));
    std::panic::catch_unwind(command).unwrap_or_else(|_| {
        let text =
            |mutex: &Mutex<String>| mutex.lock().map(|text| text.clone()).unwrap_or_default();
        anstream::eprintln!(
            "{}\n\nThis is a bug in steerlab {}, not in your input.\n{}\nPlease report it with the \
             scenario and the lines above. Finished runs are kept.",
            text(&LAST_PANIC),
            env!("CARGO_PKG_VERSION"),
            text(&WORKING_ON)
        );
        Exit::Bug
    })
}
