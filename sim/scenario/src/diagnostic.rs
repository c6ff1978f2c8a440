//! What is wrong with a scenario, where, why, and what to do.

use crate::codes;
use crate::limits;
use crate::quantity::Bad;
use crate::source::{SourceMap, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The scenario cannot run.
    Error,
    /// It can, but the result may not be what was meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code such as `E0101`; [`crate::explain`] tells more about it.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// File as shown to people.
    pub file: String,
    /// Where; none if it concerns the file as a whole.
    pub span: Option<Span>,
    /// What is wrong.
    pub message: String,
    /// Why that is wrong.
    pub why: String,
    /// What to do.
    pub help: String,
    /// "Did you mean": a replacement for the marked text.
    pub suggestion: Option<String>,
    /// Other places that matter, each with a few words.
    pub related: Vec<(Span, String)>,
}

impl Diagnostic {
    /// A finding at a place. The code must be one of [`codes::CODES`] or
    /// [`codes::TABLE_CODES`].
    #[must_use]
    pub(crate) fn new(
        code: &'static str,
        span: impl Into<Option<Span>>,
        message: impl Into<String>,
    ) -> Diagnostic {
        let why = codes::find(code).map_or("", |entry| entry.why);
        debug_assert!(!why.is_empty(), "{code} is not in the table of codes");
        Diagnostic {
            code,
            severity: if code.starts_with('W') { Severity::Warning } else { Severity::Error },
            file: String::new(),
            span: span.into(),
            message: message.into(),
            why: why.to_owned(),
            help: String::new(),
            suggestion: None,
            related: Vec::new(),
        }
    }

    /// The same with what to do.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = help.into();
        self
    }

    /// The same with what was probably meant.
    #[must_use]
    pub(crate) fn suggest(mut self, suggestion: Option<impl Into<String>>) -> Diagnostic {
        self.suggestion = suggestion.map(Into::into);
        self
    }

    /// The same with another place.
    #[must_use]
    pub(crate) fn related(mut self, span: Span, words: impl Into<String>) -> Diagnostic {
        self.related.push((span, words.into()));
        self
    }

    /// A text that is not the quantity expected under `name`.
    #[must_use]
    pub(crate) fn bad_quantity(bad: Bad, span: Span, name: &str, text: &str) -> Diagnostic {
        Diagnostic::new(bad.code, span, format!("{name}: {} {}", quote(text), bad.what))
            .help(bad.help)
            .suggest(bad.suggestion)
    }

    /// Line from 1, or 0 if the file as a whole is meant.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.span.map_or(0, |span| span.line)
    }

    /// Column from 1, or 0 if the file as a whole is meant.
    #[must_use]
    pub fn column(&self) -> u32 {
        self.span.map_or(0, |span| span.column)
    }
}

/// A text as shown in messages: in backticks, shortened, without control characters.
pub(crate) fn quote(text: &str) -> String {
    let mut shown = String::from("`");
    for (index, character) in text.chars().enumerate() {
        if index == 60 {
            shown.push('…');
            break;
        }
        crate::render::push_safe(&mut shown, character);
    }
    shown.push('`');
    shown
}

/// Collects findings; keeps the first [`limits::DIAGNOSTICS_MAX`] and counts the others.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    found: Vec<Diagnostic>,
    omitted: usize,
    errors: usize,
    suggestions: usize,
}

/// Suggestions computed at most: each compares with every known name.
const SUGGESTIONS_MAX: usize = 200;

impl Sink {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        if self.found.len() < limits::DIAGNOSTICS_MAX {
            self.found.push(diagnostic);
        } else {
            self.omitted += 1;
        }
    }

    pub(crate) fn error_count(&self) -> usize {
        self.errors
    }

    /// The known name nearest to a misspelt one.
    pub(crate) fn nearest<'a>(
        &mut self,
        wrong: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Option<String> {
        self.suggestions += 1;
        (self.suggestions <= SUGGESTIONS_MAX).then(|| nearest(wrong, known)).flatten()
    }

    /// All findings in order of place, with file names, and the number of those not kept.
    pub(crate) fn finish(mut self, sources: &SourceMap) -> (Vec<Diagnostic>, usize) {
        let scenario = sources.file(0).map_or("", |file| &file.name);
        for diagnostic in &mut self.found {
            let file = diagnostic.span.and_then(|span| sources.file(span.file));
            diagnostic.file = file.map_or(scenario, |file| &file.name).to_owned();
        }
        self.found.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
        self.found.dedup();
        (self.found, self.omitted)
    }
}

/// The known name with the smallest edit distance, if it is near enough; the first of equals.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wrong: Vec<char> = wrong.chars().take(130).collect();
    let allowed = (wrong.len() / 3).max(1);
    known
        .into_iter()
        .filter(|name| name.len().abs_diff(wrong.len()) <= allowed * 4)
        .map(|name| {
            let letters: Vec<char> = name.chars().collect();
            let same_letters = letters.len() == wrong.len()
                && letters.iter().zip(&wrong).all(|(a, b)| a.eq_ignore_ascii_case(b));
            let distance = edit_distance(&wrong, &letters);
            (if same_letters { distance.min(1) } else { distance }, name)
        })
        .filter(|(distance, _)| *distance > 0 && *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name.to_owned())
        .filter(|_| !wrong.is_empty())
}

/// Smallest number of insertions, deletions, replacements and swaps of neighbours (optimal string
/// alignment).
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            let change = last[j] + usize::from(x != y);
            row[j + 1] = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names_are_near() {
        let known = ["capacity", "weight", "delay", "kind"];
        assert_eq!(nearest("capcity", known).as_deref(), Some("capacity"));
        assert_eq!(nearest("dealy", known).as_deref(), Some("delay"));
        assert_eq!(nearest("bandwidth", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("ams", ["AMS", "fra"]).as_deref(), Some("AMS"));
        assert_eq!(nearest("amx", ["fra", "ams", "amy"]).as_deref(), Some("ams"));
    }

    #[test]
    fn swaps_count_once() {
        let distance = |a: &str, b: &str| {
            edit_distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
        };
        assert_eq!(distance("abcd", "acbd"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn the_sink_keeps_a_bounded_number_and_counts_the_rest() {
        let mut sink = Sink::default();
        for line in 0..limits::DIAGNOSTICS_MAX as u32 + 5 {
            let span = Span { line, ..Span::start_of(0) };
            sink.push(Diagnostic::new("E0101", span, "x"));
        }
        assert_eq!(sink.error_count(), limits::DIAGNOSTICS_MAX + 5);
        let (kept, omitted) = sink.finish(&SourceMap::default());
        assert_eq!((kept.len(), omitted), (limits::DIAGNOSTICS_MAX, 5));
    }
}
