//! Runs the program, with limits on its time and memory.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longest any command of these tests may take, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(300);

/// The program as `cargo test` built it.
pub const STEERLAB: &str = env!("CARGO_BIN_EXE_steerlab");

/// A command to be run.
pub struct Program {
    command: Command,
}

/// What a command left.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; 128 + n after signal n.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    /// The program under test, working in `folder`.
    pub fn new(folder: &Path) -> Program {
        Program::other(STEERLAB.as_ref(), folder)
    }

    /// Another build of the program.
    pub fn other(binary: &Path, folder: &Path) -> Program {
        let mut command = Command::new(binary);
        command.current_dir(folder).stdin(Stdio::null());
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "GITHUB_STEP_SUMMARY"] {
            command.env_remove(name);
        }
        Program { command }
    }

    /// A build of the program with at most this much processor time and address space, as the
    /// system enforces them. Processor time does not depend on what else the machine does.
    #[cfg(unix)]
    pub fn limited(binary: &Path, folder: &Path, cpu_s: u64, memory_mib: u64) -> Program {
        let mut program = Program::other("sh".as_ref(), folder);
        // Only Linux limits the address space this way.
        let memory = if cfg!(target_os = "linux") { memory_mib * 1024 } else { 0 };
        let memory = if memory > 0 { format!("ulimit -v {memory} &&") } else { String::new() };
        let script = format!("ulimit -t {cpu_s} && {memory} exec \"$0\" \"$@\"");
        program.command.args(["-c", &script]).arg(binary);
        program
    }

    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Program {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Program {
        self.command.env(name, value);
        self
    }

    pub fn without_environment(mut self) -> Program {
        self.command.env_clear();
        self
    }

    /// Starts it, both streams captured.
    pub fn start(mut self) -> Child {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs it to its end.
    pub fn run(self) -> Finished {
        finish(self.start())
    }

    /// Runs it, and asserts that it ended with this exit code.
    pub fn exits(self, code: i32) -> Finished {
        let shown = format!("{:?}", self.command.get_args().collect::<Vec<_>>());
        let finished = self.run();
        assert_eq!(
            finished.code, code,
            "{shown}\nstdout: {}\nstderr: {}",
            finished.stdout, finished.stderr
        );
        finished
    }
}

impl Finished {
    /// The answer as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// `steerlab ARGS` in `folder`, with words separated by spaces.
pub fn steerlab(folder: &Path, words: &str) -> Program {
    Program::new(folder).args(words.split_whitespace())
}

/// Waits for the end of a started command. Kills it when patience ends, which fails the test.
pub fn finish(mut child: Child) -> Finished {
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let (status, in_time) = wait(&mut child, PATIENCE);
    let text = |reader: std::thread::JoinHandle<Vec<u8>>| {
        String::from_utf8(reader.join().unwrap()).expect("the program prints UTF-8")
    };
    let finished = Finished { code: code_of(status), stdout: text(stdout), stderr: text(stderr) };
    assert!(in_time, "no end after {PATIENCE:?}: {finished:?}");
    assert_ne!(finished.code, 101, "a bug of ours: {finished:?}");
    finished
}

/// Waits, and kills when time is over; says whether it ended by itself.
pub fn wait(child: &mut Child, patience: Duration) -> (ExitStatus, bool) {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status, true);
        }
        if begin.elapsed() > patience {
            child.kill().unwrap();
            return (child.wait().unwrap(), false);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn drain(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            stream.read_to_end(&mut bytes).unwrap();
        }
        bytes
    })
}

fn code_of(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap()
}
