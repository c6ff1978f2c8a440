//! Source texts and positions in them.

use serde::Serialize;

/// A range of characters in one file. Lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Which file of the [`SourceMap`].
    pub file: u32,
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// Line of the end.
    pub end_line: u32,
    /// Column just behind the last character.
    pub end_column: u32,
}

impl Span {
    /// The first character of a file.
    #[must_use]
    pub fn start_of(file: u32) -> Span {
        Span { file, line: 1, column: 1, end_line: 1, end_column: 2 }
    }

    /// A part of a text on one line: `length` characters that begin `offset` after the start.
    #[must_use]
    pub fn part(self, offset: usize, length: usize) -> Span {
        let column = self.column.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
        let end = column.saturating_add(u32::try_from(length.max(1)).unwrap_or(u32::MAX));
        Span { column, end_line: self.line, end_column: end, ..self }
    }
}

/// One source text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceFile {
    /// Name as shown to people.
    pub name: String,
    /// Contents; bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// All texts that a scenario was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a text and returns its number.
    pub fn add(&mut self, name: &str, text: String) -> u32 {
        self.files.push(SourceFile { name: name.to_owned(), text });
        u32::try_from(self.files.len() - 1).expect("the number of includes is limited")
    }

    /// Replaces the text of a file.
    pub(crate) fn replace(&mut self, file: u32, text: &str) {
        if let Some(file) = self.files.get_mut(file as usize) {
            text.clone_into(&mut file.text);
        }
    }

    /// The file of a number.
    #[must_use]
    pub fn file(&self, file: u32) -> Option<&SourceFile> {
        self.files.get(file as usize)
    }

    /// All files; the first is the scenario itself.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// A line of a file without its line break; empty if there is none.
    #[must_use]
    pub fn line(&self, file: u32, line: u32) -> &str {
        let Some(file) = self.file(file) else { return "" };
        lines(&file.text).nth((line as usize).saturating_sub(1)).unwrap_or("")
    }
}

/// Lines of a text as YAML counts them: `\n`, `\r\n` and a lone `\r` each end one.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let current = rest?;
        match current.find(['\n', '\r']) {
            None => {
                rest = None;
                Some(current)
            }
            Some(at) => {
                let skip = if current[at..].starts_with("\r\n") { 2 } else { 1 };
                rest = Some(&current[at + skip..]);
                Some(&current[..at])
            }
        }
    })
}

/// Line and column (from 1, in characters) of the end of a text.
#[must_use]
pub fn end_position(text: &str) -> (u32, u32) {
    let (mut line, mut last) = (0_u32, "");
    for part in lines(text) {
        line = line.saturating_add(1);
        last = part;
    }
    (line, u32::try_from(last.chars().count() + 1).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_line_breaks_count() {
        let parts: Vec<_> = lines("a\r\nb\rc\nd").collect();
        assert_eq!(parts, ["a", "b", "c", "d"]);
        assert_eq!(end_position("a\r\nbö"), (2, 3));
        assert_eq!(end_position(""), (1, 1));
        let mut map = SourceMap::default();
        let file = map.add("x", "one\ntwo".into());
        assert_eq!(map.line(file, 2), "two");
        assert_eq!(map.line(file, 9), "");
    }
}
