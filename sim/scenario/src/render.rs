//! Findings for people (the terminal) and for programs (JSON).

use crate::diagnostic::{Diagnostic, Severity};
use crate::limits::DIAGNOSTICS_SHOWN;
use crate::source::{SourceMap, Span};
use serde::Serialize;
use std::fmt::Write as _;

/// Widest part of a source line that is shown, characters.
const WIDTH: usize = 120;

/// Colours of one terminal text.
struct Paint {
    on: bool,
}

impl Paint {
    fn wrap(&self, style: &str, text: &str) -> String {
        if self.on { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn severity(&self, severity: Severity, text: &str) -> String {
        self.wrap(if severity == Severity::Error { "1;31" } else { "1;33" }, text)
    }
}

/// Whether a character could change how a terminal shows what is around it.
fn unsafe_to_print(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Appends a character, or its escape if it must not be printed raw. Returns the width.
pub(crate) fn push_safe(out: &mut String, character: char) -> usize {
    if character == '\t' {
        out.push(' ');
        1
    } else if unsafe_to_print(character) {
        let escape = format!("\\u{{{:x}}}", u32::from(character));
        out.push_str(&escape);
        escape.len()
    } else {
        out.push(character);
        1
    }
}

/// A text without characters that must not be printed raw.
fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push_safe(&mut out, character);
    }
    out
}

/// The shown part of a source line and the caret line below it.
fn excerpt(line: &str, span: Span) -> (String, String) {
    let start = (span.column as usize).saturating_sub(1);
    let count = line.chars().count();
    let end = if span.end_line == span.line { span.end_column as usize - 1 } else { count };
    let first = start.saturating_sub(WIDTH / 2);
    let mut shown = String::new();
    let mut carets = String::new();
    if first > 0 {
        shown.push('…');
        carets.push(' ');
    }
    for (index, character) in line.chars().enumerate().skip(first).take(WIDTH) {
        let width = push_safe(&mut shown, character);
        let mark = if (start..end).contains(&index) { '^' } else { ' ' };
        carets.extend(std::iter::repeat_n(mark, width));
    }
    if first + WIDTH < count {
        shown.push('…');
    }
    if start >= count {
        carets.push('^');
    }
    (shown, carets.trim_end().to_owned())
}

fn place(sources: &SourceMap, span: Span) -> String {
    let name = sources.file(span.file).map_or("", |file| &file.name);
    format!("{}:{}:{}", safe(name), span.line, span.column)
}

fn one(out: &mut String, sources: &SourceMap, diagnostic: &Diagnostic, paint: &Paint) {
    let severity = diagnostic.severity;
    let head = format!("{}[{}]", severity.name(), diagnostic.code);
    let message = paint.wrap("1", &safe(&diagnostic.message));
    let _ = writeln!(out, "{}: {message}", paint.severity(severity, &head));
    let width = diagnostic.span.map_or(1, |span| span.line.to_string().len());
    let bar = paint.wrap("1;34", &format!("{:width$} |", ""));
    match diagnostic.span {
        None => {
            let _ = writeln!(out, "{:width$}--> {}", "", safe(&diagnostic.file));
        }
        Some(span) => {
            let (line, carets) = excerpt(sources.line(span.file, span.line), span);
            let number = paint.wrap("1;34", &format!("{} |", span.line));
            let _ = writeln!(out, "{:width$}--> {}", "", place(sources, span));
            let _ = writeln!(out, "{number} {line}");
            let _ = writeln!(out, "{bar} {}", paint.severity(severity, &carets));
        }
    }
    for (span, words) in &diagnostic.related {
        let _ = writeln!(out, "{:width$} = {}: {}", "", safe(words), place(sources, *span));
    }
    let _ = writeln!(out, "{:width$} = why: {}", "", safe(&diagnostic.why));
    if let Some(suggestion) = &diagnostic.suggestion {
        let _ = writeln!(out, "{:width$} = did you mean `{}`?", "", safe(suggestion));
    }
    if !diagnostic.help.is_empty() {
        let _ = writeln!(out, "{:width$} = help: {}", "", safe(&diagnostic.help));
    }
    out.push('\n');
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// All findings as text: the first ones in full, the others counted. Errors come first.
pub(crate) fn text(
    sources: &SourceMap,
    diagnostics: &[Diagnostic],
    omitted: usize,
    color: bool,
) -> String {
    let paint = Paint { on: color };
    let of = |severity| diagnostics.iter().filter(move |d| d.severity == severity);
    let (errors, warnings) = (of(Severity::Error).count(), of(Severity::Warning).count());
    let mut out = String::new();
    let ordered = of(Severity::Error).chain(of(Severity::Warning));
    for diagnostic in ordered.take(DIAGNOSTICS_SHOWN) {
        one(&mut out, sources, diagnostic, &paint);
    }
    let hidden = diagnostics.len().saturating_sub(DIAGNOSTICS_SHOWN) + omitted;
    if hidden > 0 {
        let _ = writeln!(out, "... and {hidden} more; `--format json` lists them.");
    }
    let line = match (errors, warnings) {
        _ if omitted > 0 => counted(diagnostics.len() + omitted, "finding"),
        (0, 0) => String::new(),
        (0, _) => counted(warnings, "warning"),
        (_, 0) => counted(errors, "error"),
        _ => format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")),
    };
    if !line.is_empty() {
        let _ = writeln!(out, "{line}.");
    }
    if let Some(first) = of(Severity::Error).chain(of(Severity::Warning)).next() {
        let _ = writeln!(out, "`steerlab explain {}` tells more about a code.", first.code);
    }
    out
}

#[derive(Serialize)]
struct JsonReport<'a> {
    format: &'static str,
    errors: usize,
    warnings: usize,
    omitted: usize,
    diagnostics: Vec<JsonDiagnostic<'a>>,
}

#[derive(Serialize)]
struct JsonDiagnostic<'a> {
    code: &'a str,
    severity: &'a str,
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    message: &'a str,
    why: &'a str,
    help: &'a str,
    suggestion: Option<&'a str>,
    related: Vec<JsonRelated<'a>>,
}

#[derive(Serialize)]
struct JsonRelated<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
}

/// All findings as `steerlab-diagnostics/1`.
pub(crate) fn json(sources: &SourceMap, diagnostics: &[Diagnostic], omitted: usize) -> String {
    let name = |span: &Span| sources.file(span.file).map_or("", |file| file.name.as_str());
    let rows = diagnostics.iter().map(|diagnostic| JsonDiagnostic {
        code: diagnostic.code,
        severity: diagnostic.severity.name(),
        file: &diagnostic.file,
        line: diagnostic.line(),
        column: diagnostic.column(),
        end_line: diagnostic.span.map_or(0, |span| span.end_line),
        end_column: diagnostic.span.map_or(0, |span| span.end_column),
        message: &diagnostic.message,
        why: &diagnostic.why,
        help: &diagnostic.help,
        suggestion: diagnostic.suggestion.as_deref(),
        related: diagnostic
            .related
            .iter()
            .map(|(span, words)| JsonRelated {
                file: name(span),
                line: span.line,
                column: span.column,
                message: words,
            })
            .collect(),
    });
    let count = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let report = JsonReport {
        format: "steerlab-diagnostics/1",
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        omitted,
        diagnostics: rows.collect(),
    };
    serde_json::to_string_pretty(&report).expect("plain structs of text and numbers serialise")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str, source: &str, span: Span) -> String {
        let mut sources = SourceMap::default();
        sources.add(name, source.to_owned());
        let mut diagnostic = Diagnostic::new("E0101", span, "unknown key `capcity`")
            .help("remove it")
            .suggest(Some("capacity"));
        diagnostic.file = name.to_owned();
        text(&sources, &[diagnostic], 0, false)
    }

    #[test]
    fn the_line_is_shown_with_carets_below() {
        let span = Span { file: 0, line: 2, column: 3, end_line: 2, end_column: 10 };
        let shown = sample("demo.yaml", "links:\n  capcity: 1\n", span);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[0], "error[E0101]: unknown key `capcity`");
        assert_eq!(lines[1], " --> demo.yaml:2:3");
        assert_eq!(lines[2], "2 |   capcity: 1");
        assert_eq!(lines[3], "  |   ^^^^^^^");
        assert!(lines[4].starts_with("  = why: "));
        assert_eq!(lines[5], "  = did you mean `capacity`?");
        assert_eq!(lines[6], "  = help: remove it");
        assert!(shown.contains("1 error."));
    }

    #[test]
    fn nothing_that_moves_the_cursor_is_printed() {
        let span = Span { file: 0, line: 1, column: 9, end_line: 1, end_column: 12 };
        let shown = sample("a\u{1b}[2J\u{202e}b", "\u{1b}[31m\t\u{202e}x: 1\u{7}", span);
        assert!(shown.chars().all(|c| c == '\n' || !unsafe_to_print(c)), "{shown:?}");
        let lines: Vec<_> = shown.lines().collect();
        assert!(lines[2].starts_with(r"1 | \u{1b}[31m \u{202e}x: 1"), "{}", lines[2]);
        let x = lines[2].find("x:").unwrap() + 1;
        assert_eq!(lines[3].find('^').unwrap(), x);
        assert!(shown.lines().all(|line| !line.starts_with("::")));
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let source = format!("{}BAD{}", "x".repeat(5_000), "y".repeat(5_000));
        let span = Span { file: 0, line: 1, column: 5_001, end_line: 1, end_column: 5_004 };
        let shown = sample("f", &source, span);
        let lines: Vec<_> = shown.lines().collect();
        assert!(lines[2].chars().count() < 140);
        let at = |text: &str, what: char| text.chars().position(|c| c == what).unwrap();
        assert_eq!(at(lines[2], 'B'), at(lines[3], '^'));
    }

    #[test]
    fn only_the_first_are_shown_and_the_rest_counted() {
        let sources = SourceMap::default();
        let many: Vec<_> =
            (0..30).map(|i| Diagnostic::new("E0101", None, format!("n{i}"))).collect();
        let shown = text(&sources, &many, 7, false);
        assert_eq!(shown.matches("error[E0101]").count(), 20);
        assert!(shown.contains("... and 17 more") && shown.contains("37 findings."));
        let value: serde_json::Value =
            serde_json::from_str(&json(&sources, &many, 7)).expect("JSON");
        assert_eq!(value["format"], "steerlab-diagnostics/1");
        assert_eq!(value["diagnostics"].as_array().unwrap().len(), 30);
        assert_eq!(value["omitted"], 7);
    }
}
