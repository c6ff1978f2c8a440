//! Finds SimGrid, builds the peer program, and runs it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Fast and exact: plain max-min over bandwidth, everything computed anew only where something
/// changed, small stacks without guard pages.
const SETTINGS: [&str; 6] = [
    "--cfg=network/model:CM02",
    "--cfg=network/crosstraffic:0",
    "--cfg=network/optim:Full",
    "--cfg=contexts/stack-size:16",
    "--cfg=contexts/guard-size:0",
    "--log=root.thres:error",
];

const MISSING: &str = "\
SimGrid is missing: no include/simgrid/s4u.hpp under SIMGRID_PREFIX, /usr/local, /usr or /opt/simgrid.
NOTHING WAS COMPARED. Install it in one of two ways and run the command again:
  Debian (3.32):  apt install libsimgrid-dev libboost-dev g++
  release 4.1:    its source is at simgrid.org and on PyPI; it needs cmake, g++ and libboost-dev:
                  cmake -DCMAKE_INSTALL_PREFIX=PREFIX -Denable_lto=ON -Denable_model-checking=OFF .
                  make install, then SIMGRID_PREFIX=PREFIX cargo run --release -- simgrid";

/// The peer program, built.
pub struct Program {
    path: PathBuf,
    pub version: String,
}

impl Program {
    /// Builds the program in the folder of this executable.
    ///
    /// # Errors
    /// SimGrid or a compiler is missing, or the build failed.
    pub fn build() -> Result<Program, String> {
        let prefix = prefix().ok_or(MISSING)?;
        let here = std::env::current_exe().map_err(|error| error.to_string())?;
        let path = here.with_file_name("simgrid-peer");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/simgrid/peer.cpp");
        let compiler = std::env::var("CXX").unwrap_or_else(|_| "g++".to_owned());
        let lib = prefix.join("lib");
        let output = Command::new(&compiler)
            .args(["-O3", "-std=c++17", "-DNDEBUG"])
            .arg(&source)
            .arg("-I")
            .arg(prefix.join("include"))
            .arg(format!("-L{}", lib.display()))
            .arg(format!("-Wl,-rpath,{}", lib.display()))
            .args(["-lsimgrid", "-o"])
            .arg(&path)
            .output()
            .map_err(|error| format!("cannot run {compiler}: {error}; install g++ or set CXX"))?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{compiler} cannot build {}:\n{why}", source.display()));
        }
        Ok(Program { path, version: version(&prefix) })
    }

    /// Runs it and gives what it printed.
    ///
    /// # Errors
    /// What it complained about.
    pub fn run(&self, words: &[&str]) -> Result<String, String> {
        let output = Command::new(&self.path)
            .args(words)
            .args(SETTINGS)
            .output()
            .map_err(|error| format!("{}: {error}", self.path.display()))?;
        if !output.status.success() {
            return Err(format!("SimGrid: {}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn prefix() -> Option<PathBuf> {
    let given = std::env::var_os("SIMGRID_PREFIX").map(PathBuf::from);
    let usual = ["/usr/local", "/usr", "/opt/simgrid"].map(PathBuf::from);
    let mut known = given.into_iter().chain(usual);
    known.find(|prefix| prefix.join("include/simgrid/s4u.hpp").exists())
}

/// The version that the headers state.
fn version(prefix: &Path) -> String {
    let mut found = Vec::new();
    for file in ["version.h", "config.h"] {
        let text = std::fs::read_to_string(prefix.join("include/simgrid").join(file));
        for part in ["MAJOR", "MINOR"] {
            let name = format!("SIMGRID_VERSION_{part}");
            let line = text.iter().flat_map(|text| text.lines()).find(|line| line.contains(&name));
            let number = line.and_then(|line| line.split_whitespace().nth(2));
            found.extend(number.map(str::to_owned));
        }
        if !found.is_empty() {
            break;
        }
    }
    if found.is_empty() { "of unknown version".to_owned() } else { found.join(".") }
}
