//! From a file or a text to a scenario, or to all that is wrong with it.

use crate::Vocabulary;
use crate::diagnostic::{Diagnostic, Severity, Sink, quote};
use crate::files::{self, Refused, Root};
use crate::shape::Shape;
use crate::source::{SourceMap, Span, end_position};
use crate::table::{Mapping, ROOT};
use crate::typed::Fields;
use crate::yaml::{self, Budget, Entry, Node, NodeKind};
use crate::{generate, limits, resolve, set};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use steerlab_engine::scenario::Scenario;

/// What became of a scenario text.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The scenario; none if there is any error.
    pub scenario: Option<Scenario>,
    /// Findings in order of place: errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// Further findings that were only counted.
    pub omitted: usize,
    /// The texts it was read from.
    pub sources: SourceMap,
}

/// Loads a scenario file with its includes and data files.
#[must_use]
pub fn load_file(path: &Path, vocabulary: &Vocabulary<'_>) -> Loaded {
    load_file_with(path, &[], vocabulary)
}

/// Loads a scenario file after replacing values: `sets` are (path, value) pairs such as
/// (`links.0.capacity`, `10Gbps`). Paths name keys, and list items by id or position from 0.
#[must_use]
pub fn load_file_with(
    path: &Path,
    sets: &[(String, String)],
    vocabulary: &Vocabulary<'_>,
) -> Loaded {
    let name = path.display().to_string();
    match files::read(path, files::text_limit(0)) {
        Ok(bytes) => Loader::new(Root::of(path), vocabulary).load(&name, &bytes, sets),
        Err(refused) => {
            let mut loader = Loader::new(Root::default(), vocabulary);
            loader.sources.add(&name, String::new());
            loader.sink.push(whole_file(&refused));
            loader.finish(None)
        }
    }
}

/// Loads a scenario text that has no folder: it cannot name other files.
#[must_use]
pub fn load_text(name: &str, text: &[u8], vocabulary: &Vocabulary<'_>) -> Loaded {
    load_text_with(name, text, &[], vocabulary)
}

/// Loads a scenario text after replacing values, as [`load_file_with`] does.
#[must_use]
pub fn load_text_with(
    name: &str,
    text: &[u8],
    sets: &[(String, String)],
    vocabulary: &Vocabulary<'_>,
) -> Loaded {
    Loader::new(Root::default(), vocabulary).load(name, text, sets)
}

/// Reads a file of another of our languages: the same parser, limits, checks and findings, with
/// its own table and its own last stage, which may read files below its folder. No includes. The [`Loaded`] holds what was found.
pub(crate) fn load_other<T>(
    path: &Path,
    sets: &[(String, String)],
    vocabulary: &Vocabulary<'_>,
    mapping: &'static Mapping,
    resolve: impl FnOnce(&Fields, &Root, &mut Sink) -> Option<T>,
) -> (Option<T>, Loaded) {
    let name = path.display().to_string();
    let mut loader = Loader::new(Root::of(path), vocabulary);
    let made = match files::read(path, files::text_limit(0)) {
        Ok(bytes) => loader.parse(&name, &bytes).and_then(|mut tree| {
            set::apply(&mut tree, sets, &mut loader.sources, &mut loader.sink);
            let mut shape = Shape { sink: &mut loader.sink, vocabulary };
            let fields = shape.mapping(&tree, mapping)?;
            resolve(&fields, &loader.root, &mut loader.sink)
        }),
        Err(refused) => {
            loader.sources.add(&name, String::new());
            loader.sink.push(whole_file(&refused));
            None
        }
    };
    let loaded = loader.finish(None);
    (made.filter(|_| loaded.error_count() == 0), loaded)
}

fn whole_file(refused: &Refused) -> Diagnostic {
    Diagnostic::new(refused.code, None, format!("the scenario: {}", refused.message))
        .help(refused.help)
}

/// What a refused file is to its mention at `span`.
pub(crate) fn refused_file(refused: &Refused, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(refused.code, span, format!("the file {}: {}", quote(name), refused.message))
        .help(refused.help)
}

struct Loader<'a> {
    root: Root,
    vocabulary: &'a Vocabulary<'a>,
    sources: SourceMap,
    sink: Sink,
    budget: Budget,
    bytes: u64,
    /// What stands before the names of included files when they are shown.
    folder: String,
    seen: BTreeSet<PathBuf>,
}

impl Loaded {
    /// Number of errors among the kept findings.
    #[must_use]
    pub fn error_count(&self) -> usize {
        self.count(Severity::Error)
    }

    /// Number of warnings among the kept findings.
    #[must_use]
    pub fn warning_count(&self) -> usize {
        self.count(Severity::Warning)
    }

    fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|found| found.severity == severity).count()
    }
}

impl<'a> Loader<'a> {
    fn new(root: Root, vocabulary: &'a Vocabulary<'a>) -> Loader<'a> {
        Loader {
            root,
            vocabulary,
            sources: SourceMap::default(),
            sink: Sink::default(),
            budget: Budget::default(),
            bytes: 0,
            folder: String::new(),
            seen: BTreeSet::new(),
        }
    }

    fn load(mut self, name: &str, bytes: &[u8], sets: &[(String, String)]) -> Loaded {
        if bytes.len() as u64 > limits::FILE_BYTES_MAX {
            self.sources.add(name, String::new());
            self.sink.push(
                Diagnostic::new("E0004", None, "the scenario is larger than 16 MiB")
                    .help("split it with `includes`, or put recorded data into a data file"),
            );
            return self.finish(None);
        }
        if let Ok(path) = self.root_file(name) {
            self.seen.insert(path);
            self.folder = name.rfind(['/', '\\']).map_or("", |at| &name[..=at]).to_owned();
        }
        let Some(mut tree) = self.parse(name, bytes) else { return self.finish(None) };
        self.include(&mut tree);
        set::apply(&mut tree, sets, &mut self.sources, &mut self.sink);
        self.generate(&mut tree);
        let mut shape = Shape { sink: &mut self.sink, vocabulary: self.vocabulary };
        let fields = shape.mapping(&tree, &ROOT);
        drop(tree);
        let scenario = fields.and_then(|fields| {
            resolve::scenario(&fields, &self.root, self.vocabulary, &mut self.sink)
        });
        self.finish(scenario)
    }

    /// The scenario's own file, so that it cannot include itself.
    fn root_file(&self, name: &str) -> Result<PathBuf, Refused> {
        let file = Path::new(name).file_name().and_then(|name| name.to_str()).unwrap_or("");
        self.root.resolve(file)
    }

    fn finish(self, scenario: Option<Scenario>) -> Loaded {
        let scenario = scenario.filter(|_| self.sink.error_count() == 0);
        let (diagnostics, omitted) = self.sink.finish(&self.sources);
        Loaded { scenario, diagnostics, omitted, sources: self.sources }
    }

    /// Parses one text; it gets the next number.
    fn parse(&mut self, name: &str, bytes: &[u8]) -> Option<Node> {
        self.bytes += bytes.len() as u64;
        let file = self.sources.add(name, String::from_utf8_lossy(bytes).into_owned());
        let text = match decode(bytes) {
            Ok(text) => text,
            Err((line, column, what)) => {
                let span = Span { file, line, column, end_line: line, end_column: column + 1 };
                self.sink
                    .push(Diagnostic::new("E0003", span, what).help("save the file as UTF-8 text"));
                return None;
            }
        };
        // What is shown has no byte order mark, so that columns agree.
        let text = text.to_owned();
        self.sources.replace(file, &text);
        yaml::parse(file, &text, &mut self.budget, &mut self.sink)
    }

    /// Appends the lists of included files, files included by them too.
    fn include(&mut self, tree: &mut Node) {
        let mut waiting = included(tree);
        waiting.reverse();
        let mut count = 0;
        while let Some((name, span)) = waiting.pop() {
            count += 1;
            if count > limits::INCLUDES_MAX {
                self.sink.push(
                    Diagnostic::new("E0303", span, "more than 1,000 files are included")
                        .help("join some of them"),
                );
                return;
            }
            let Some(part) = self.read_include(&name, span) else { continue };
            let mut more = included(&part);
            more.reverse();
            waiting.append(&mut more);
            self.merge(tree, part);
        }
    }

    fn read_include(&mut self, name: &str, span: Span) -> Option<Node> {
        let limit = files::text_limit(self.bytes);
        let read = self.root.resolve(name).and_then(|path| {
            if self.seen.contains(&path) {
                return Err(Refused {
                    code: "E0503",
                    message: "it is included already, or includes itself".into(),
                    help: "include every file once",
                });
            }
            let bytes = files::read(&path, limit)?;
            Ok((path, bytes))
        });
        match read {
            Ok((path, bytes)) => {
                self.seen.insert(path);
                let shown = format!("{}{name}", self.folder);
                self.parse(&shown, &bytes)
            }
            Err(refused) => {
                self.sink.push(refused_file(&refused, name, span));
                None
            }
        }
    }

    /// Appends lists, adds other keys, refuses what both have.
    fn merge(&mut self, tree: &mut Node, part: Node) {
        let span = part.span;
        let (NodeKind::Map(entries), NodeKind::Map(parts)) = (&mut tree.kind, part.kind) else {
            self.sink.push(
                Diagnostic::new("E0103", span, "an included file must be a mapping")
                    .help("write lists such as `sites:` or `links:` in it"),
            );
            return;
        };
        for entry in parts {
            // The list of includes has been followed; the version is checked in the main file.
            if matches!(&*entry.key, "includes" | "format") {
                continue;
            }
            let Some(known) = entries.iter_mut().find(|known| known.key == entry.key) else {
                entries.push(entry);
                continue;
            };
            match (&mut known.value.kind, entry.value.kind) {
                (NodeKind::Seq(items), NodeKind::Seq(more)) => items.extend(more),
                _ => self.sink.push(
                    Diagnostic::new(
                        "E0007",
                        entry.key_span,
                        format!("the key {} is given in two files", quote(&entry.key)),
                    )
                    .help("keep one of them; only lists are joined")
                    .related(known.key_span, "first given here"),
                ),
            }
        }
    }

    /// Replaces `generate` by what it makes.
    fn generate(&mut self, tree: &mut Node) {
        let NodeKind::Map(entries) = &tree.kind else { return };
        let Some(entry) = entries.iter().find(|entry| &*entry.key == "generate") else { return };
        // Errors in it are found and told when the whole is checked.
        let mut quiet = Sink::default();
        let mut shape = Shape { sink: &mut quiet, vocabulary: self.vocabulary };
        let Some(fields) = shape.mapping(&entry.value, &crate::table::GENERATE) else { return };
        if quiet.error_count() > 0 {
            return;
        }
        let Some(text) = generate::text(&fields) else { return };
        let file = self.sources.add("generated", text);
        let text = self.sources.file(file).map_or(String::new(), |file| file.text.clone());
        // Its size is bounded by the limits of its keys, not by those of what people write.
        let part = yaml::parse(file, &text, &mut Budget::default(), &mut self.sink);
        if let Some(part) = part {
            self.merge(tree, part);
        }
    }
}

/// Names in `includes`, with their places; what is not a list of texts is left to the checks.
fn included(tree: &Node) -> Vec<(String, Span)> {
    let NodeKind::Map(entries) = &tree.kind else { return Vec::new() };
    let list = entries.iter().find(|entry: &&Entry| &*entry.key == "includes");
    let Some(NodeKind::Seq(items)) = list.map(|entry| &entry.value.kind) else { return Vec::new() };
    items
        .iter()
        .filter_map(|item| match &item.kind {
            NodeKind::Scalar { text, .. } => Some((text.to_string(), item.span)),
            _ => None,
        })
        .collect()
}

/// The text of bytes without byte order mark; or where (line, column) and why it is not text.
fn decode(bytes: &[u8]) -> Result<&str, (u32, u32, String)> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err((1, 1, "this looks like UTF-16, not UTF-8".into()));
    }
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (valid, invalid) = match std::str::from_utf8(body) {
        Ok(text) => (text, None),
        Err(error) => {
            let valid = std::str::from_utf8(&body[..error.valid_up_to()]).unwrap_or("");
            (valid, body.get(error.valid_up_to()))
        }
    };
    let control =
        valid.find(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}'));
    if let Some(at) = control {
        let (line, column) = end_position(&valid[..at]);
        let code = valid[at..].chars().next().map_or(0, u32::from);
        return Err((line, column, format!("the control character U+{code:04X} is not text")));
    }
    match invalid {
        None => Ok(valid),
        Some(byte) => {
            let (line, column) = end_position(valid);
            Err((line, column, format!("the byte 0x{byte:02X} is not UTF-8")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_text_is_found_where_it_stands() {
        assert_eq!(decode(b"\xef\xbb\xbfa: 1"), Ok("a: 1"));
        assert_eq!(decode(b"\xff\xfea\0").unwrap_err().0, 1);
        let (line, column, what) = decode(b"a: 1\nb: \xc3\x28").unwrap_err();
        assert_eq!((line, column), (2, 4));
        assert!(what.contains("0xC3"));
        let (line, column, what) = decode(b"a\r\nb\0").unwrap_err();
        assert_eq!((line, column), (2, 2));
        assert!(what.contains("U+0000"));
    }
}
