//! `--set path=value`: replaces single values before anything is checked.

use crate::diagnostic::{Diagnostic, Sink, nearest, quote};
use crate::source::{SourceMap, Span};
use crate::yaml::{Entry, Node, NodeKind};
use std::sync::Arc;

/// Applies replacements in order. What cannot be placed is reported.
pub(crate) fn apply(
    root: &mut Node,
    sets: &[(String, String)],
    sources: &mut SourceMap,
    sink: &mut Sink,
) {
    for (path, value) in sets {
        let line = format!("--set {path}={value}");
        let length = u32::try_from(line.chars().count()).unwrap_or(u32::MAX);
        let file = sources.add("command line", line);
        let whole = Span { file, line: 1, column: 1, end_line: 1, end_column: length + 1 };
        let skip = "--set ".len() + path.chars().count() + 1;
        let place = whole.part(skip, value.chars().count());
        let node = Node {
            span: place,
            kind: NodeKind::Scalar { text: Arc::from(value.as_str()), plain: true },
        };
        if let Err(diagnostic) = put(root, path, node, whole.part(6, path.chars().count())) {
            sink.push(*diagnostic);
        }
    }
}

fn put(root: &mut Node, path: &str, value: Node, place: Span) -> Result<(), Box<Diagnostic>> {
    let parts: Vec<&str> = path.split('.').collect();
    if parts.iter().any(|part| part.is_empty()) || parts.len() > crate::limits::DEPTH_MAX {
        return Err(Box::new(
            Diagnostic::new("E0107", place, format!("{} is not a path", quote(path)))
                .help("write keys, ids or positions with points between, as in `links.0.capacity`"),
        ));
    }
    let mut node = root;
    for part in parts {
        node = step(node, part, place)?;
    }
    *node = value;
    Ok(())
}

/// The place of one part of a path below a node. Keys of mappings are made if they are missing.
fn step<'n>(node: &'n mut Node, part: &str, place: Span) -> Result<&'n mut Node, Box<Diagnostic>> {
    let hollow = || Node { span: place, kind: NodeKind::Map(Vec::new()) };
    // A policy without parameters is written as its name alone.
    if matches!(&node.kind, NodeKind::Scalar { text, .. } if **text == *part) {
        let entry = Entry { key: Arc::from(part), key_span: node.span, value: hollow() };
        node.kind = NodeKind::Map(vec![entry]);
    }
    if node.is_empty() {
        *node = hollow();
    }
    let shape = node.shape();
    match &mut node.kind {
        NodeKind::Map(entries) => {
            let at = entries.iter().position(|entry| *entry.key == *part).unwrap_or_else(|| {
                let entry = Entry { key: Arc::from(part), key_span: place, value: hollow() };
                entries.push(entry);
                entries.len() - 1
            });
            Ok(&mut entries[at].value)
        }
        NodeKind::Seq(items) => {
            let ids: Vec<Option<Arc<str>>> = items.iter().map(id_of).collect();
            let by_id = ids.iter().position(|id| id.as_deref() == Some(part));
            let at = by_id.or_else(|| part.parse().ok()).filter(|at| *at < ids.len());
            match at {
                Some(at) => Ok(&mut items[at]),
                None => Err(Box::new(
                    Diagnostic::new(
                        "E0107",
                        place,
                        format!("no item {} in a list of {}", quote(part), ids.len()),
                    )
                    .help("name an item by its id, or by its position from 0")
                    .suggest(nearest(part, ids.iter().filter_map(Option::as_deref))),
                )),
            }
        }
        NodeKind::Scalar { .. } => Err(Box::new(
            Diagnostic::new("E0107", place, format!("{} leads into {shape}", quote(part)))
                .help("end the path at the value to replace"),
        )),
    }
}

/// The `id` of an item.
fn id_of(node: &Node) -> Option<Arc<str>> {
    let NodeKind::Map(entries) = &node.kind else { return None };
    let entry = entries.iter().find(|entry| &*entry.key == "id")?;
    match &entry.value.kind {
        NodeKind::Scalar { text, .. } => Some(Arc::clone(text)),
        _ => None,
    }
}
