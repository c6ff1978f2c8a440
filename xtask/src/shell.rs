//! Running other programs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies in the root of the repository").to_owned()
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    // A relative folder is relative to where cargo was called, which need not be the root; joining
    // an absolute one gives that one.
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || root().join("target"),
        |folder| std::env::current_dir().unwrap_or_else(|_| root()).join(folder),
    )
}

/// Where the tasks put what they make.
pub fn scratch(name: &str) -> Result<PathBuf, String> {
    let folder = target().join("xtask").join(name);
    std::fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    Ok(folder)
}

/// The cargo that runs this task.
pub fn cargo() -> Command {
    command(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
}

/// A program to be run in the root of the repository.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Runs a program and shows what it prints. An error unless it ends with 0.
pub fn run(command: &mut Command) -> Result<(), String> {
    println!("$ {}", shown(command));
    let status = command.status().map_err(|error| format!("{}: {error}", shown(command)))?;
    succeeded(command, status)
}

fn succeeded(command: &Command, status: ExitStatus) -> Result<(), String> {
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", shown(command))) }
}

/// Whether a program can be started and ends with 0.
pub fn works(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Runs a program quietly for at most `limit` and returns what it printed to stdout and stderr.
pub fn output(command: &mut Command, limit: Duration) -> Result<(String, String), String> {
    let (out, err) = (temporary("stdout")?, temporary("stderr")?);
    let file = |path: &Path| {
        std::fs::File::create(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    command.stdin(Stdio::null()).stdout(file(&out)?).stderr(file(&err)?);
    let mut child = command.spawn().map_err(|error| format!("{}: {error}", shown(command)))?;
    let status = wait(&mut child, limit).map_err(|why| format!("{}: {why}", shown(command)))?;
    let text = |path: &Path| -> Result<String, String> {
        let problem = |error| format!("{}: {error}", path.display());
        let bytes = std::fs::read(path).map_err(problem)?;
        std::fs::remove_file(path).map_err(problem)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (out, err) = (text(&out)?, text(&err)?);
    match succeeded(command, status) {
        Ok(()) => Ok((out, err)),
        Err(problem) => Err(format!("{problem}\n{err}")),
    }
}

fn temporary(name: &str) -> Result<PathBuf, String> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Ok(scratch("output")?.join(format!("{}-{number}.{name}", std::process::id())))
}

fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus, String> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status);
        }
        if start.elapsed() > limit {
            child.kill().map_err(|error| error.to_string())?;
            child.wait().map_err(|error| error.to_string())?;
            return Err(format!("not done after {limit:?}, stopped"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether this runs as root, so that missing system packages can be installed.
pub fn is_root() -> bool {
    let id = command("id").arg("-u").stdin(Stdio::null()).output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Installs Debian packages; an error says why that is not possible.
pub fn apt_install(packages: &[&str]) -> Result<(), String> {
    if !is_root() {
        return Err(format!("not root; as root: apt-get install {}", packages.join(" ")));
    }
    if !works(command("apt-get").arg("--version")) {
        return Err(format!("no apt-get on this system to install {}", packages.join(" ")));
    }
    run(command("apt-get").args(["update", "-q"]))?;
    run(command("apt-get")
        .args(["install", "-q", "-y", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_collected_and_a_slow_program_is_stopped() {
        let mut echo = command("sh");
        let (out, err) =
            output(echo.args(["-c", "echo a; echo b >&2"]), Duration::from_secs(20)).unwrap();
        assert_eq!((out.as_str(), err.as_str()), ("a\n", "b\n"));
        let mut failing = command("sh");
        let failing = output(failing.args(["-c", "echo why >&2; exit 3"]), Duration::from_secs(20));
        assert!(failing.unwrap_err().contains("why"));
        let slow = output(command("sleep").arg("30"), Duration::from_millis(50));
        assert!(slow.unwrap_err().contains("not done"));
    }
}
