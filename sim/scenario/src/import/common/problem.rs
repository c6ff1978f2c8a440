//! What is wrong with an input, where, why, and what to do.

use std::fmt;

/// Problems kept; the rest is counted.
const MAX_KEPT: usize = 100;

/// The input cannot be read, is too large, or holds too much.
pub(crate) const E_LIMIT: &str = "E0250";
/// The file is not of the format, or breaks its grammar.
pub(crate) const E_SYNTAX: &str = "E0251";
/// A value is not a number or out of range.
pub(crate) const E_NUMBER: &str = "E0252";
/// A name refers to nothing, or is used twice.
pub(crate) const E_NAME: &str = "E0253";
/// An archive is damaged or hostile.
pub(crate) const E_ARCHIVE: &str = "E0254";
/// A time stamp is missing, wrong or contradicts another.
pub(crate) const E_STAMP: &str = "E0255";
/// An option does not fit the input.
pub(crate) const E_OPTION: &str = "E0256";
/// Two ASes have two relations.
pub(crate) const E_RELATIONS: &str = "E0257";
/// An AS is an indirect provider of itself.
pub(crate) const E_CYCLE: &str = "E0258";
/// An AS is linked to itself.
pub(crate) const E_SELF_LINK: &str = "E0259";

/// One thing that is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Code for `explain`, `E0250` to `E0259`.
    pub code: &'static str,
    /// File as named by the caller; for an archive `archive:entry`.
    pub file: String,
    /// Line from 1; 0 means the file as a whole.
    pub line: u32,
    /// Column from 1, in characters; 0 means the line as a whole.
    pub column: u32,
    /// What is wrong.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub help: String,
}

/// Why an import failed: at least one problem, all that one pass could find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    /// The problems in the order found, at least one, at most 100.
    pub problems: Vec<Problem>,
    /// Problems found beyond those.
    pub omitted: u64,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.code, self.file)?;
        if self.line > 0 {
            write!(out, ":{}:{}", self.line, self.column)?;
        }
        write!(out, ": {}; {}; {}", self.what, self.why, self.help)
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(out, "{problem}")?;
        }
        if self.omitted > 0 {
            writeln!(out, "and {} more", self.omitted)?;
        }
        Ok(())
    }
}

impl std::error::Error for ImportError {}

impl Problem {
    /// A problem of a file as a whole.
    pub(crate) fn new(code: &'static str, file: &str, what: impl Into<String>) -> Problem {
        Problem {
            code,
            file: file.to_owned(),
            line: 0,
            column: 0,
            what: what.into(),
            why: String::new(),
            help: String::new(),
        }
    }

    /// The same at a place.
    pub(crate) fn at(mut self, (line, column): (u32, u32)) -> Problem {
        (self.line, self.column) = (line, column);
        self
    }

    /// The same with the reason.
    pub(crate) fn why(mut self, why: impl Into<String>) -> Problem {
        self.why = why.into();
        self
    }

    /// The same with what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = help.into();
        self
    }
}

impl From<Problem> for ImportError {
    fn from(problem: Problem) -> ImportError {
        ImportError { problems: vec![problem], omitted: 0 }
    }
}

/// Collects problems until the end of a pass.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<Problem>,
    omitted: u64,
}

impl Problems {
    pub(crate) fn push(&mut self, problem: Problem) {
        if self.found.len() < MAX_KEPT {
            self.found.push(problem);
        } else {
            self.omitted += 1;
        }
    }

    /// Takes over all problems of a smaller pass.
    pub(crate) fn absorb(&mut self, error: ImportError) {
        error.problems.into_iter().for_each(|problem| self.push(problem));
        self.omitted += error.omitted;
    }

    /// Whether there are more problems than are kept.
    pub(crate) fn is_full(&self) -> bool {
        self.omitted > 0
    }

    /// All problems, in order of place.
    pub(crate) fn sorted(mut self) -> ImportError {
        self.found.sort_by_key(|problem| (problem.line, problem.column));
        ImportError { problems: self.found, omitted: self.omitted }
    }

    /// The value of a pass without problems, or all problems.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, ImportError> {
        if self.found.is_empty() {
            return Ok(value);
        }
        Err(ImportError { problems: self.found, omitted: self.omitted })
    }
}

/// A text as shown in messages: quoted, at most 60 characters, control characters escaped.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::from("'");
    for (index, character) in text.chars().enumerate() {
        if index == 60 {
            out.push('…');
            break;
        }
        if character.is_control() {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out.push('\'');
    out
}
