//! House style that no lint knows. Words that are forbidden are spelled in pieces here, so that
//! this file may be looked at too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Longest Rust file, its test module not counted.
const FILE_LINES_MAX: usize = 600;
/// Longest kernel, tests and blank lines included: readable at one sitting.
const KERNEL_LINES_MAX: usize = 1_050;

/// Where our own files are.
const FOLDERS: [&str; 8] =
    ["sim", "reports", "tests", "xtask", "notebooks", "scenarios", ".ci", ".cargo"];
/// What tools leave behind.
const LEFT_BEHIND: [&str; 5] = [".git", "target", ".venv", "__pycache__", ".ipynb_checkpoints"];

/// One text file of the repository.
struct Source {
    /// Relative to the root, with forward slashes.
    path: String,
    text: String,
}

impl Source {
    fn has_extension(&self, extensions: &[&str]) -> bool {
        let extension = Path::new(&self.path).extension();
        extension.is_some_and(|found| extensions.iter().any(|wanted| found == *wanted))
    }

    /// Whether the whole file is test code.
    fn is_test(&self) -> bool {
        let stem = Path::new(&self.path).file_stem().unwrap_or_default().to_string_lossy();
        let folders = format!("/{}", self.path);
        stem == "tests"
            || stem == "testkit"
            || stem.ends_with("_tests")
            || folders.contains("/tests/")
    }

    /// Numbered lines before the test module, comments blanked out. Empty for test code.
    fn code(&self) -> Vec<(usize, &str)> {
        if self.is_test() {
            return Vec::new();
        }
        let lines = self.text.lines().take_while(|line| *line != "#[cfg(test)]");
        lines
            .map(|line| if line.trim_start().starts_with("//") { "" } else { line })
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .collect()
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn collect(folder: &Path, deep: bool, found: &mut Vec<Source>) {
    let entries = std::fs::read_dir(folder).expect("the repository is readable");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the repository is readable").path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if LEFT_BEHIND.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            if deep {
                collect(&path, true, found);
            }
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            // What is not UTF-8 is a picture or packed data.
            let relative = path.strip_prefix(root()).expect("it was found under the root");
            let path = relative.to_string_lossy().replace('\\', "/");
            found.push(Source { path, text });
        }
    }
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root(), false, &mut found);
    for folder in FOLDERS.map(|folder| root().join(folder)) {
        if folder.is_dir() {
            collect(&folder, true, &mut found);
        }
    }
    assert!(found.len() > 30, "only {} files found: the walk is broken", found.len());
    found
}

fn rust() -> Vec<Source> {
    let mut sources = sources();
    sources.retain(|source| source.has_extension(&["rs"]));
    sources
}

fn nothing(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn files_are_short() {
    let mut complaints = Vec::new();
    for source in rust() {
        if source.is_test() {
            continue;
        }
        let lines = source.text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        if lines > FILE_LINES_MAX {
            complaints.push(format!("{}: {lines} lines, at most {FILE_LINES_MAX}", source.path));
        }
    }
    nothing(&complaints);
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    let word = concat!(".unwrap", "()");
    let mut complaints = Vec::new();
    for source in rust() {
        for (number, line) in source.code() {
            if line.contains(word) {
                complaints.push(format!("{}:{number}: say why with expect", source.path));
            }
        }
    }
    nothing(&complaints);
}

/// Whether `text` holds `word` with no letter, digit or underscore next to it.
fn has_word(text: &str, word: &str) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !joins(before.chars().next_back()) && !joins(after.chars().next())
    })
}

#[test]
fn nothing_is_left_for_later() {
    let words = [
        concat!("to", "do!"),
        concat!("unimple", "mented!"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("TO", "DO"),
    ];
    let mut complaints = Vec::new();
    for source in sources() {
        if !source.has_extension(&["rs", "toml", "md", "yaml", "yml", "py", "sh", "css", "html"]) {
            continue;
        }
        for (number, line) in source.text.lines().enumerate() {
            for word in words.iter().filter(|word| has_word(line, word)) {
                complaints.push(format!("{}:{}: {word}", source.path, number + 1));
            }
        }
    }
    nothing(&complaints);
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    let folders = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let mut complaints = Vec::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            let hit = folders.iter().find(|folder| {
                line.match_indices(**folder).any(|(at, _)| {
                    // `https://example.com/home/` is an address, not a folder.
                    let before = line[..at].chars().next_back();
                    !before.is_some_and(|c| c.is_alphanumeric() || "_-.$})~".contains(c))
                })
            });
            if let Some(folder) = hit {
                complaints.push(format!("{}:{}: {folder}", source.path, number + 1));
            }
        }
    }
    nothing(&complaints);
}

#[test]
fn kernel_is_small_and_knows_no_network_word() {
    let words = [
        "anycast",
        "as_path",
        "bgp",
        "catchment",
        "client",
        "clients",
        "colo",
        "dns",
        "igp",
        "link",
        "links",
        "neighbour",
        "neighbours",
        "network",
        "packet",
        "packets",
        "prefix",
        "prefixes",
        "route",
        "routes",
        "router",
        "server",
        "servers",
        "session",
        "site",
        "sites",
        "tenant",
        "traffic",
    ];
    let kernel: Vec<Source> = rust()
        .into_iter()
        .filter(|source| source.path.starts_with("sim/engine/src/kernel/"))
        .collect();
    let lines: usize = kernel.iter().map(|source| source.text.lines().count()).sum();
    assert!(lines > 100, "only {lines} lines of kernel found");
    assert!(lines <= KERNEL_LINES_MAX, "{lines} lines of kernel, at most {KERNEL_LINES_MAX}");
    let mut complaints = Vec::new();
    for source in &kernel {
        for (number, line) in source.code() {
            let parts = line.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
            for word in parts.filter(|part| words.contains(&part.as_str())) {
                complaints.push(format!("{}:{number}: {word}", source.path));
            }
        }
    }
    nothing(&complaints);
}

/// Quoted codes such as `E0101` in a line.
fn codes_in(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2).filter(|word| {
        word.len() == 5
            && word.starts_with(['E', 'W'])
            && word[1..].bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// A code is declared once, in the table that makes the pages of `steerlab explain`, and used.
#[test]
fn every_diagnostic_code_has_a_page_and_every_page_a_use() {
    let table = "sim/scenario/src/codes.rs";
    let (mut declared, mut used) = (BTreeSet::new(), BTreeSet::new());
    for source in rust().iter().filter(|source| source.path.starts_with("sim/")) {
        let codes = source.code().into_iter().flat_map(|(_, line)| codes_in(line));
        let codes = codes.map(str::to_owned);
        if source.path == table {
            declared.extend(codes);
        } else if !source.path.ends_with("/examples.rs") {
            used.extend(codes);
        }
    }
    let without_page: Vec<&String> = used.difference(&declared).collect();
    assert!(without_page.is_empty(), "used but not in {table}: {without_page:?}");
    let without_use: Vec<&String> = declared.difference(&used).collect();
    assert!(without_use.is_empty(), "in {table} but never used: {without_use:?}");
}
