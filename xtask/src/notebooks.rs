//! Every notebook, executed from its first cell to its last.

use crate::{Outcome, shell};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest time one notebook may take.
const LIMIT: Duration = Duration::from_secs(300);

/// Executes `notebooks/*.ipynb` in a Python environment of its own. The notebooks find the release
/// binary first on `PATH`; what they write stays under `target`.
pub fn run() -> Result<Outcome, String> {
    let folder = shell::root().join("notebooks");
    let notebooks = notebooks_in(&folder)?;
    if notebooks.is_empty() {
        return Err("there is no notebook in notebooks/".to_owned());
    }
    if !shell::works(shell::command("python3").arg("--version")) {
        return Ok(Outcome::skip(format!("no python3: {} notebooks not run", notebooks.len())));
    }
    shell::run(shell::cargo().args(["build", "--locked", "--release", "--quiet"]))?;
    let python = environment(&folder.join("requirements.txt"))?;
    let done = shell::scratch("notebooks")?;
    let mut outcome = Outcome::default();
    for notebook in notebooks {
        let name = notebook.file_name().unwrap_or_default().to_string_lossy().into_owned();
        outcome.check(&format!("notebooks/{name}"), execute(&python, &notebook, &done.join(&name)));
    }
    Ok(outcome)
}

fn notebooks_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("notebooks/: {error}"))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "ipynb"))
        .collect();
    paths.sort();
    Ok(paths)
}

/// The Python of an environment that holds exactly the pinned requirements.
fn environment(requirements: &Path) -> Result<PathBuf, String> {
    let wanted = std::fs::read_to_string(requirements)
        .map_err(|error| format!("notebooks/requirements.txt: {error}"))?;
    let folder = shell::scratch("python")?;
    let (python, stamp) = (folder.join("bin/python"), folder.join("requirements.installed"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let create =
        || shell::run(shell::command("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    if create().is_err() {
        // Debian splits this module off.
        shell::apt_install(&["python3-venv"])?;
        create()?;
    }
    shell::run(
        shell::command(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .arg("--requirement")
            .arg(requirements),
    )?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(python)
}

/// Runs every cell; an error carries the traceback.
const EXECUTE: &str = "
import sys, nbformat
from nbclient import NotebookClient
source, target, folder = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
client = NotebookClient(notebook, timeout=240, kernel_name='python3',
                        resources={'metadata': {'path': folder}})
try:
    client.execute()
finally:
    nbformat.write(notebook, target)
";

fn execute(python: &Path, notebook: &Path, done: &Path) -> Result<(), String> {
    let release = shell::target().join("release");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = shell::command(python);
    command.args(["-c", EXECUTE]).arg(notebook).arg(done).arg(shell::root().join("notebooks"));
    command.env("PATH", format!("{}:{path}", release.display()));
    command.env("MPLBACKEND", "agg").env("PYTHONDONTWRITEBYTECODE", "1");
    shell::output(&mut command, LIMIT).map(|_| ())
}
