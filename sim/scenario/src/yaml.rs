//! YAML text to a tree of nodes with positions, within the limits.
//!
//! Scalars stay raw text: what they mean is decided by what is expected in their place, so `NO`
//! can be an id and `010` is never silently eight. Tags, several documents, duplicate keys and
//! keys that are not plain text are refused. Aliases and merge keys work; what they repeat counts
//! against the limits. Nothing here recurses deeper than [`limits::DEPTH_MAX`].

use crate::diagnostic::{Diagnostic, Sink, quote};
use crate::limits;
use crate::source::{Span, end_position};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub span: Span,
    pub kind: NodeKind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NodeKind {
    /// Text; `plain` unless quoted or a block.
    Scalar { text: Arc<str>, plain: bool },
    /// A list.
    Seq(Vec<Node>),
    /// A mapping, in the order written.
    Map(Vec<Entry>),
}

/// One entry of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub key: Arc<str>,
    pub key_span: Span,
    pub value: Node,
}

impl Node {
    /// Whether nothing is written: an empty plain scalar, `~` or `null`.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.kind, NodeKind::Scalar { text, plain: true }
            if matches!(&**text, "" | "~" | "null"))
    }

    /// What it is, in words.
    pub(crate) fn shape(&self) -> &'static str {
        match &self.kind {
            _ if self.is_empty() => "nothing",
            NodeKind::Scalar { .. } => "a single value",
            NodeKind::Seq(_) => "a list",
            NodeKind::Map(_) => "a mapping",
        }
    }
}

/// What the texts of one scenario may still use up, together.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    nodes: usize,
    events: usize,
    aliases: usize,
    merges: usize,
    text_bytes: usize,
}

/// Stands for a key that was refused; YAML cannot contain this character.
const NOT_A_KEY: &str = "\u{0}";

/// Size of a subtree, for repeating it.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    nodes: usize,
    depth: usize,
    text_bytes: usize,
}

/// A list or mapping that is still open.
struct Open {
    node: Node,
    anchor: usize,
    size: Size,
    /// Key that waits for its value (mappings only).
    key: Option<(Arc<str>, Span)>,
}

/// Parses one text. Reports what is wrong; none if nothing can be made of it.
pub(crate) fn parse(file: u32, text: &str, budget: &mut Budget, sink: &mut Sink) -> Option<Node> {
    let mut builder = Builder {
        file,
        text,
        budget,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        root: None,
        documents: 0,
        sink,
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let step = match event {
            Ok((event, span)) => builder.event(event, builder.span(span.start, span.end)),
            Err(error) => Err(builder.syntax_error(&error)),
        };
        if let Err(diagnostic) = step {
            builder.sink.push(*diagnostic);
            return None;
        }
    }
    match builder.root {
        Some(node) if !node.is_empty() => Some(node),
        _ => {
            sink.push(
                Diagnostic::new("E0002", Span::start_of(file), "the file is empty")
                    .help("start from `steerlab init`, or see `steerlab explain E0002`"),
            );
            None
        }
    }
}

struct Builder<'a> {
    file: u32,
    text: &'a str,
    budget: &'a mut Budget,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Node, Size)>,
    root: Option<Node>,
    documents: usize,
    sink: &'a mut Sink,
}

/// A diagnostic that ends the parsing. Boxed: it is much larger than what is usual.
type Fatal = Result<(), Box<Diagnostic>>;

impl Builder<'_> {
    fn span(&self, start: Marker, end: Marker) -> Span {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let line = number(start.line());
        let column = number(start.col() + 1);
        let (mut end_line, mut end_column) = (number(end.line()), number(end.col() + 1));
        if (end_line, end_column) <= (line, column) {
            (end_line, end_column) = (line, column + 1);
        }
        Span { file: self.file, line, column, end_line, end_column }
    }

    fn syntax_error(&self, error: &ScanError) -> Box<Diagnostic> {
        let marker = error.marker();
        let mut span = self.span(*marker, *marker);
        if error.info().contains("recursion limit") {
            return self.over(span, &format!("more than {} nested levels", limits::DEPTH_MAX));
        }
        if let Some(tab) = self.tab_near(span, error.info().contains("tab")) {
            return Box::new(
                Diagnostic::new("E0005", tab, "a tab is used as indentation")
                    .help("indent with spaces, two a level"),
            );
        }
        if span.line as usize > self.text.lines().count() {
            let (line, column) = end_position(self.text.trim_end());
            span = Span { line, column, end_line: line, end_column: column + 1, ..span };
        }
        Box::new(
            Diagnostic::new("E0001", span, format!("this is not YAML: {}", error.info()))
                .help("check indentation, brackets, quotes and colons around this place"),
        )
    }

    /// A tab in the indentation of the line of an error, or of the next one.
    fn tab_near(&self, span: Span, next_too: bool) -> Option<Span> {
        let lines = self.text.lines().zip(1_u32..).skip(span.line as usize - 1);
        lines.take(if next_too { 2 } else { 1 }).find_map(|(text, line)| {
            let at = text.chars().take_while(|c| c.is_whitespace()).position(|c| c == '\t')?;
            let column = u32::try_from(at + 1).unwrap_or(u32::MAX);
            Some(Span { line, column, end_line: line, end_column: column + 1, ..span })
        })
    }

    fn over(&self, span: Span, what: &str) -> Box<Diagnostic> {
        Box::new(
            Diagnostic::new("E0006", span, format!("the scenario has {what}"))
                .help("put recorded data into a data file and large sets into `generate`"),
        )
    }

    fn count(&mut self, span: Span, size: Size) -> Fatal {
        self.budget.nodes += size.nodes;
        self.budget.text_bytes += size.text_bytes;
        if self.budget.nodes > limits::NODES_MAX {
            return Err(self.over(span, &format!("more than {} values", limits::NODES_MAX)));
        }
        if self.budget.text_bytes as u64 > limits::TOTAL_BYTES_MAX {
            return Err(self.over(span, "more than 64 MiB of text after repeating aliases"));
        }
        if self.open.len() + size.depth > limits::DEPTH_MAX {
            return Err(self.over(span, &format!("more than {} nested levels", limits::DEPTH_MAX)));
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Fatal {
        self.budget.events += 1;
        if self.budget.events > limits::EVENTS_MAX {
            return Err(self.over(span, &format!("more than {} YAML events", limits::EVENTS_MAX)));
        }
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents == 1 {
                    return Ok(());
                }
                Err(Box::new(
                    Diagnostic::new("E0009", span, "a second document begins here")
                        .help("one file holds one scenario: remove `---` or split the file"),
                ))
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.scalar(&text, style, anchor, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.start(NodeKind::Seq(Vec::new()), anchor, span)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), span);
                self.start(NodeKind::Map(Vec::new()), anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, span),
        }
    }

    fn refuse_tag(&mut self, tag: Option<&saphyr_parser::Tag>, span: Span) {
        let Some(tag) = tag else { return };
        self.sink.push(
            Diagnostic::new(
                "E0008",
                span,
                format!("the tag {} is not allowed", quote(&tag.to_string())),
            )
            .help("remove the tag: what a value means is known from its key"),
        );
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, span: Span) -> Fatal {
        let size = Size { nodes: 1, depth: 0, text_bytes: text.len() };
        self.count(span, size)?;
        if text.len() > limits::TEXT_BYTES_MAX {
            self.sink.push(
                Diagnostic::new(
                    "E0012",
                    span,
                    format!("this text has {} bytes, the limit is 65,536", text.len()),
                )
                .help("shorten it, or move it into a document of its own"),
            );
        }
        let plain = style == ScalarStyle::Plain;
        let node = Node { span, kind: NodeKind::Scalar { text: Arc::from(text), plain } };
        self.complete(node, anchor, size);
        Ok(())
    }

    fn start(&mut self, kind: NodeKind, anchor: usize, span: Span) -> Fatal {
        let size = Size { nodes: 1, depth: 1, text_bytes: 0 };
        self.count(span, size)?;
        self.open.push(Open { node: Node { span, kind }, anchor, size, key: None });
        Ok(())
    }

    fn end(&mut self) -> Fatal {
        let Some(mut open) = self.open.pop() else { return Ok(()) };
        if let NodeKind::Map(entries) = &mut open.node.kind {
            entries.retain(|entry| &*entry.key != NOT_A_KEY);
            self.merge(entries, open.node.span)?;
            self.refuse_duplicates(entries);
        }
        self.complete(open.node, open.anchor, open.size);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Fatal {
        self.budget.aliases += 1;
        if self.budget.aliases > limits::ALIASES_MAX {
            return Err(self.over(span, &format!("more than {} aliases", limits::ALIASES_MAX)));
        }
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(Box::new(
                Diagnostic::new("E0011", span, "this alias stands inside what it names")
                    .help("write the value out; an alias can only repeat something complete"),
            ));
        };
        let (mut node, size) = (node.clone(), *size);
        self.count(span, size)?;
        node.span = span;
        self.complete(node, 0, size);
        Ok(())
    }

    /// Puts a complete node into its parent.
    fn complete(&mut self, node: Node, anchor: usize, size: Size) {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        parent.size.nodes += size.nodes;
        parent.size.text_bytes += size.text_bytes;
        parent.size.depth = parent.size.depth.max(size.depth + 1);
        match &mut parent.node.kind {
            NodeKind::Seq(items) => items.push(node),
            NodeKind::Map(entries) => match parent.key.take() {
                Some((key, key_span)) => {
                    // What is not there is shown at its key.
                    let span = if node.is_empty() { key_span } else { node.span };
                    entries.push(Entry { key, key_span, value: Node { span, ..node } });
                }
                None => {
                    let key = match &node.kind {
                        NodeKind::Scalar { text, .. } => Arc::clone(text),
                        _ => {
                            self.sink.push(
                                Diagnostic::new("E0010", node.span, "a key must be plain text")
                                    .help("write `key: value`; quote text that begins with `{` or `[`"),
                            );
                            Arc::from(NOT_A_KEY)
                        }
                    };
                    parent.key = Some((key, node.span));
                }
            },
            NodeKind::Scalar { .. } => {}
        }
    }

    /// Replaces `<<` by the entries of what it names; written entries win.
    fn merge(&mut self, entries: &mut Vec<Entry>, span: Span) -> Fatal {
        if !entries.iter().any(|entry| &*entry.key == "<<") {
            return Ok(());
        }
        self.budget.merges += 1;
        if self.budget.merges > limits::MERGES_MAX {
            return Err(self.over(span, &format!("more than {} merge keys", limits::MERGES_MAX)));
        }
        let mut merged: Vec<Entry> = Vec::new();
        let (sources, mut kept): (Vec<Entry>, Vec<Entry>) =
            std::mem::take(entries).into_iter().partition(|entry| &*entry.key == "<<");
        if sources.len() > 1 {
            let (first, second) = (sources[0].key_span, sources[1].key_span);
            self.duplicate("<<", first, second);
        }
        for source in sources {
            let maps = match source.value.kind {
                NodeKind::Seq(items) => items,
                kind => vec![Node { span: source.value.span, kind }],
            };
            for map in maps {
                let NodeKind::Map(given) = map.kind else {
                    self.sink.push(
                        Diagnostic::new("E0011", map.span, "`<<` needs a mapping")
                            .help("write `<<: *name`, where `&name` marks a mapping"),
                    );
                    continue;
                };
                let mut present: BTreeMap<Arc<str>, ()> =
                    kept.iter().chain(&merged).map(|e| (Arc::clone(&e.key), ())).collect();
                for entry in given {
                    if present.insert(Arc::clone(&entry.key), ()).is_none() {
                        merged.push(entry);
                    }
                }
            }
        }
        kept.extend(merged);
        *entries = kept;
        Ok(())
    }

    /// Keeps the first of equal keys and reports the others.
    fn refuse_duplicates(&mut self, entries: &mut Vec<Entry>) {
        let mut seen: BTreeMap<Arc<str>, Span> = BTreeMap::new();
        entries.retain(|entry| match seen.get(&entry.key) {
            Some(&first) => {
                self.duplicate(&entry.key, first, entry.key_span);
                false
            }
            None => {
                seen.insert(Arc::clone(&entry.key), entry.key_span);
                true
            }
        });
    }

    fn duplicate(&mut self, key: &str, first: Span, second: Span) {
        self.sink.push(
            Diagnostic::new("E0007", second, format!("the key {} is given twice", quote(key)))
                .help("keep one of them; several things of a kind are a list with `-`")
                .related(first, "first given here"),
        );
    }
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
