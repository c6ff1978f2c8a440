//! One page in headless Chromium, with everything it printed and asked for.

use crate::shell;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Longest time one look at a page may take.
const LIMIT: Duration = Duration::from_secs(90);

/// The browser and the page to look at.
pub struct Page {
    browser: String,
    file: PathBuf,
    scratch: PathBuf,
}

/// What the reader prefers; the numbers are Chromium's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Dark = 0,
    Light = 1,
}

/// What opening the page gave.
pub struct Opened {
    /// The document after its scripts have run.
    pub dom: String,
    /// Everything written to the console.
    pub console: Vec<String>,
    /// Every address outside the page that it asked for.
    pub requests: Vec<String>,
}

/// The name of a browser that works here.
pub fn installed_browser() -> Option<String> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let works = |name: &&str| shell::works(Command::new(name).arg("--version"));
    names.into_iter().find(works).map(str::to_owned)
}

/// The name of a browser that works here; installs one when there is none and that is possible.
pub fn browser() -> Result<String, String> {
    if let Some(browser) = installed_browser() {
        return Ok(browser);
    }
    shell::apt_install(&["chromium", "fonts-dejavu-core"])?;
    installed_browser().ok_or_else(|| "chromium was installed but does not start".to_owned())
}

impl Page {
    /// A page in a file; the browser keeps its own files in `scratch`.
    pub fn new(browser: String, file: &Path, scratch: &Path) -> Result<Page, String> {
        let absolute = |path: &Path| {
            path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))
        };
        Ok(Page { browser, file: absolute(file)?, scratch: absolute(scratch)? })
    }

    /// The file the page is in.
    pub fn file(&self) -> &Path {
        &self.file
    }

    fn command(&self, more: &[String]) -> Result<Command, String> {
        let profile = self.scratch.join("profile");
        if profile.exists() {
            std::fs::remove_dir_all(&profile)
                .map_err(|error| format!("cannot empty {}: {error}", profile.display()))?;
        }
        let mut command = shell::command(&self.browser);
        command.args([
            "--headless=new",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--no-default-browser-check",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-extensions",
            "--disable-sync",
            "--hide-scrollbars",
            // Nothing may leave the machine; what the page asks for is logged all the same.
            "--host-resolver-rules=MAP * ~NOTFOUND",
        ]);
        if shell::is_root() {
            command.arg("--no-sandbox");
        }
        command.arg(format!("--user-data-dir={}", profile.display()));
        command.args(more);
        command.arg(address(&self.file));
        Ok(command)
    }

    /// Opens the page as a reader does.
    pub fn open(&self) -> Result<Opened, String> {
        let log = self.scratch.join("net-log.json");
        let more = [
            "--dump-dom".to_owned(),
            "--enable-logging=stderr".to_owned(),
            format!("--log-net-log={}", log.display()),
        ];
        let (dom, stderr) = shell::output(&mut self.command(&more)?, LIMIT)?;
        let text = std::fs::read_to_string(&log)
            .map_err(|error| format!("the browser left no network log: {error}"))?;
        Ok(Opened { dom, console: console_lines(&stderr), requests: page_requests(&text)? })
    }

    /// Takes a picture of the top of the page.
    pub fn screenshot(
        &self,
        to: &Path,
        (width, height): (u32, u32),
        scheme: Scheme,
    ) -> Result<Vec<u8>, String> {
        let more = [
            format!("--screenshot={}", to.display()),
            format!("--window-size={width},{height}"),
            format!("--blink-settings=preferredColorScheme={}", scheme as u8),
        ];
        shell::output(&mut self.command(&more)?, LIMIT)?;
        std::fs::read(to).map_err(|error| format!("no picture {}: {error}", to.display()))
    }

    /// The same page with scripts off: inside a frame that forbids them.
    pub fn without_scripts(&self) -> Result<Page, String> {
        let file = self.scratch.join("without-scripts.html");
        let frame = format!(
            "<!doctype html><style>body {{ margin: 0 }} iframe {{ border: 0; width: 100vw; \
             height: 100vh }}</style><iframe sandbox src=\"{}\"></iframe>",
            address(&self.file)
        );
        std::fs::write(&file, frame).map_err(|error| format!("{}: {error}", file.display()))?;
        Page::new(self.browser.clone(), &file, &self.scratch)
    }

    /// Prints the page and gives the number of sheets.
    pub fn sheets(&self, to: &Path) -> Result<usize, String> {
        let more =
            [format!("--print-to-pdf={}", to.display()), "--no-pdf-header-footer".to_owned()];
        shell::output(&mut self.command(&more)?, LIMIT)?;
        let file = std::fs::read(to).map_err(|error| format!("{}: {error}", to.display()))?;
        let marks = file.windows(11).filter(|mark| *mark == b"/Type /Page");
        let trees = file.windows(12).filter(|mark| *mark == b"/Type /Pages");
        Ok(marks.count() - trees.count())
    }
}

fn address(file: &Path) -> String {
    format!("file://{}", file.display())
}

/// Lines of the browser's own log that come from the page.
fn console_lines(log: &str) -> Vec<String> {
    log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect()
}

/// Addresses that the page asked for, from a network log. The browser's own business has no
/// initiator; files, data and blobs stay inside.
fn page_requests(log: &str) -> Result<Vec<String>, String> {
    let log: Value =
        serde_json::from_str(log).map_err(|error| format!("the network log is broken: {error}"))?;
    let start = &log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"];
    let events = log["events"].as_array().ok_or("the network log has no events")?;
    if !start.is_number() {
        return Err("the network log does not know request events".to_owned());
    }
    let mut addresses: Vec<String> = events
        .iter()
        .filter(|event| event["type"] == *start)
        .map(|event| &event["params"])
        .filter(|params| params["initiator"] != "not an origin")
        .filter_map(|params| params["url"].as_str())
        .filter(|url| !["file:", "data:", "blob:"].iter().any(|inside| url.starts_with(inside)))
        .map(str::to_owned)
        .collect();
    addresses.sort();
    addresses.dedup();
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_page_itself_asks_for_counts() {
        let log = r#"{"constants": {"logEventTypes": {"URL_REQUEST_START_JOB": 7, "OTHER": 8}},
          "events": [
            {"type": 7, "params": {"initiator": "not an origin", "url": "https://update.test/"}},
            {"type": 7, "params": {"initiator": "null", "url": "http://outside.test/x.png"}},
            {"type": 8, "params": {"initiator": "null", "url": "http://outside.test/y.png"}},
            {"type": 7, "params": {"initiator": "null", "url": "data:image/png;base64,"}},
            {"type": 7}]}"#;
        assert_eq!(page_requests(log).unwrap(), ["http://outside.test/x.png"]);
        assert!(page_requests("{}").is_err());
        assert!(page_requests("{").is_err());
    }

    #[test]
    fn console_lines_are_found_among_the_browsers_own() {
        let log = "[1:1:ERROR:bus.cc] no bus\n[1:1:INFO:CONSOLE:1] \"bad\", source: file:///a (1)";
        assert_eq!(console_lines(log).len(), 1);
    }
}
