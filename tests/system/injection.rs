//! Names and labels that try to act: on a terminal, in a spreadsheet, in Markdown, in a pipeline's
//! log, in JUnit XML, in a page. All of them stay text.

use crate::support::SMALL;
use crate::support::folder::Folder;
use crate::support::program::{Finished, Program, steerlab};
use crate::support::table::Table;
use serde_json::Value;
use std::path::Path;

/// Free texts, each an attack on somebody who shows it as it is.
const LABELS: [&str; 14] = [
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "\u{202e}gnp.exe\u{2066}",
    "::error file=a,line=1::owned",
    "a | b `c` **d** [e](http://evil.example)",
    "]]></failure><system-out>&amp;",
    "--><svg onload=alert(1)>",
    "{{7*7}} ${7*7} <% 7 %>",
    "@everyone #1 \u{85}\u{2028}::warning::x",
];

/// A YAML text in double quotes.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_ascii() && !c.is_ascii_control() => c.to_string(),
            c => format!("\\U{:08x}", u32::from(c)),
        })
        .collect();
    format!("\"{escaped}\"")
}

/// The small scenario with the labels wherever one may stand.
fn hostile_scenario(folder: &Folder) {
    let mut labels = LABELS.iter().cycle().map(|label| quoted(label));
    let mut text = String::new();
    for line in SMALL.lines() {
        let label = labels.next().unwrap();
        let with_label = match line.trim_start() {
            // Services, prefixes and demands have none.
            other if other.contains("protocol:") || other.contains(": all") => line.to_owned(),
            named if named.starts_with("- {id: ") && named.ends_with('}') => {
                format!("{}, label: {label}}}", &line[..line.len() - 1])
            }
            _ => line.to_owned(),
        };
        text.push_str(&with_label);
        text.push('\n');
        if line.starts_with("name:") {
            text.push_str(&format!("label: {}\n", labels.next().unwrap()));
            text.push_str(&format!("description: {}\n", labels.next().unwrap()));
            let all: Vec<String> = LABELS.iter().map(|label| quoted(label)).collect();
            text.push_str(&format!("assumptions: [{}]\n", all.join(", ")));
        }
        if line == "events:" {
            for label in LABELS {
                text.push_str(&format!("  - mark: {{at: 1min, label: {}}}\n", quoted(label)));
            }
        }
    }
    text = text.replace("loss_ratio{arm=static} < 90%", "loss_ratio{arm=static} > 99%");
    folder.write("hostile.yaml", text);
}

/// Characters that act instead of showing: on a terminal, or on the reading direction.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn assert_inert_on_terminals_and_in_logs(finished: &Finished, what: &str) {
    for (stream, text) in [("stdout", &finished.stdout), ("stderr", &finished.stderr)] {
        let found = text.chars().find(|c| acts(*c));
        assert_eq!(found, None, "{what}: {stream} has a character that acts: {text}");
        let command = text.lines().find(|line| line.trim_start().starts_with("::"));
        assert_eq!(command, None, "{what}: {stream} gives a command to the pipeline");
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn hostile_labels_stay_text_in_every_output() {
    let folder = Folder::new("injection");
    hostile_scenario(&folder);
    let run = "run hostile.yaml --csv csv --junit junit.xml --svg svg";
    let table = steerlab(folder.path(), run).exits(1);
    assert_inert_on_terminals_and_in_logs(&table, "run");
    let markdown = steerlab(folder.path(), "run hostile.yaml --format md").exits(1);
    assert_inert_on_terminals_and_in_logs(&markdown, "markdown");
    let same = steerlab(folder.path(), "report runs/latest --markdown").exits(0);
    assert_inert_on_terminals_and_in_logs(&same, "report --markdown");
    let compared = steerlab(folder.path(), "compare hostile.yaml").run();
    assert_inert_on_terminals_and_in_logs(&compared, "compare");
    let actions = steerlab(folder.path(), "explain action runs/latest").exits(0);
    assert_inert_on_terminals_and_in_logs(&actions, "explain action");
    markdown_is_inert(&markdown.stdout);
    csv_is_inert(&folder.join("csv"));
    junit_is_inert(&read(&folder.join("junit.xml")));
    page_is_inert(&read(&folder.join("runs/latest/report.html")));
    let mut pictures = 0;
    for entry in std::fs::read_dir(folder.join("svg")).unwrap() {
        markup_is_inert(&read(&entry.unwrap().path()));
        pictures += 1;
    }
    assert!(pictures > 3, "only {pictures} pictures");
    // For programs the texts are whole: JSON escapes what it must.
    let summary: Value =
        serde_json::from_str(&read(&folder.join("runs/latest/scenario.json"))).unwrap();
    assert!(LABELS.contains(&summary["label"].as_str().unwrap()), "{}", summary["label"]);
}

fn markdown_is_inert(text: &str) {
    for forbidden in ["<script", "<img", "<svg", "](http", "**d**", "`c`", "@everyone", "@SUM"] {
        assert!(!text.contains(forbidden), "{forbidden} in Markdown:\n{text}");
    }
    // Every row of a table has as many cells as its head.
    let lines: Vec<&str> = text.lines().collect();
    let bars = |line: &str| line.matches('|').count();
    let mut tables = 0;
    for (at, line) in lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.starts_with("| --- ") || line.starts_with("|---"))
    {
        let rows = lines[at..].iter().take_while(|row| row.starts_with('|'));
        for row in rows {
            assert_eq!(bars(row), bars(line), "{row}");
        }
        tables += 1;
    }
    assert!(tables > 0, "no tables found in:\n{text}");
}

fn csv_is_inert(folder: &Path) {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let table = Table::read(&entry.unwrap().path());
        for cell in table.rows.iter().flatten() {
            let first = cell.chars().next().unwrap_or('0');
            let formula = "=+-@\t\r".contains(first) && cell.parse::<f64>().is_err();
            assert!(!formula, "a spreadsheet takes {cell:?} for a formula");
            seen += usize::from(cell.starts_with("'=") || cell.starts_with("'@"));
        }
    }
    assert!(seen > 0, "no hostile label is in the tables: the test tests nothing");
}

/// Tags open and close in order, attributes have quotes, and there is nothing but known entities.
fn elements(text: &str) -> Vec<&str> {
    let mut open = Vec::new();
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let end =
            rest[at..].find('>').unwrap_or_else(|| panic!("an open tag: {}", &rest[at..])) + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if tag.starts_with(['?', '!']) {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "tags cross");
            continue;
        }
        let name = tag.split([' ', '/', '\n']).next().unwrap();
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        names.push(name);
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "elements without an end");
    names
}

fn junit_is_inert(text: &str) {
    assert!(text.starts_with("<?xml"));
    let known = ["testsuites", "testsuite", "properties", "property", "testcase", "failure"];
    let names = elements(text);
    assert!(names.contains(&"failure"), "the failed check is told: {text}");
    for name in names {
        assert!(known.contains(&name), "<{name}> comes from a label");
    }
    assert_eq!(text.chars().find(|c| acts(*c)), None);
}

fn markup_is_inert(text: &str) {
    let lower = text.to_lowercase();
    for forbidden in
        ["<script>alert", "<img src=x", "onerror=alert(1)>", "<svg onload", "javascript:"]
    {
        assert!(!lower.contains(forbidden), "{forbidden} in markup");
    }
    assert_eq!(text.chars().find(|c| acts(*c)), None, "a character that acts");
}

fn page_is_inert(text: &str) {
    markup_is_inert(text);
    // The labels are there, as text.
    assert!(text.contains("&lt;script&gt;alert(1)"), "the label is not shown");
    let policy = text.split("Content-Security-Policy").nth(1).unwrap().split('>').next().unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    for directive in policy.split(';').filter(|directive| !directive.contains("style-src")) {
        assert!(!directive.contains("unsafe") && !directive.contains("http"), "{directive}");
    }
    // Every script is one of ours: with data in it, or allowed by its hash.
    for script in text.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap();
        assert!(!tag.contains("src="), "a script from elsewhere: {tag}");
        let body = script[tag.len() + 1..].split("</script").next().unwrap();
        assert!(!body.contains("<script") && !body.contains("<!--"), "a script breaks out");
    }
    for address in ["http://evil", "https://evil"] {
        let linked = format!("=\"{address}");
        assert!(!text.contains(&linked), "a label became a link");
    }
}

/// What people type comes back in messages, too.
#[test]
fn hostile_words_of_the_command_line_stay_text_in_messages() {
    let folder = Folder::new("injection-words");
    folder.small();
    let word = "\u{1b}[2J\u{202e}\u{7}x";
    for words in [
        vec!["run", word],
        vec!["validate", word],
        vec!["compare", word],
        vec!["compare", "small.yaml", "--metric", word],
        vec!["compare", "small.yaml", "--margin", word],
        vec!["report", word],
        vec!["explain", word],
        vec!["explain", "route", "small.yaml", "--client", word],
        vec!["explain", "route", "small.yaml", "--client", "london", "--at", word],
        vec!["import", word, "small.yaml"],
        vec!["import", "repetita", word],
        vec!["import", "repetita", "small.yaml", "--arms", word],
        vec!["import", "repetita", "small.yaml", "--cut", word],
        vec!["import", "repetita", "small.yaml", "--fallback-capacity", word],
        vec!["run", "small.yaml", "--set", word],
        vec!["run", "small.yaml", "--set", &format!("{word}={word}")],
        vec!["run", "small.yaml", "--jobs", word],
        vec!["init", "small.yaml", "--from", word],
        vec![word],
    ] {
        let finished = Program::new(folder.path()).args(&words).run();
        assert!([2, 4].contains(&finished.code), "{words:?}: {finished:?}");
        assert_inert_on_terminals_and_in_logs(&finished, &format!("{words:?}"));
    }
    // Names of files that are there.
    std::fs::copy(folder.join("small.yaml"), folder.join(word)).unwrap();
    for command in ["validate", "run"] {
        let finished = Program::new(folder.path()).args([command, word]).exits(0);
        assert_inert_on_terminals_and_in_logs(&finished, command);
    }
    let made = Program::new(folder.path()).args(["init", &format!("{word}.yaml")]).exits(0);
    assert_inert_on_terminals_and_in_logs(&made, "init");
}
