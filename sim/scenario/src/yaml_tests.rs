use super::*;
use crate::source::SourceMap;

fn read(text: &str) -> (Option<Node>, Vec<(&'static str, u32, u32)>) {
    let mut sink = Sink::default();
    let node = parse(0, text, &mut Budget::default(), &mut sink);
    let (found, _) = sink.finish(&SourceMap::default());
    (node, found.iter().map(|d| (d.code, d.line(), d.column())).collect())
}

fn entries(node: &Node) -> &[Entry] {
    match &node.kind {
        NodeKind::Map(entries) => entries,
        other => panic!("not a mapping: {other:?}"),
    }
}

fn place(span: Span) -> (u32, u32, u32, u32) {
    (span.line, span.column, span.end_line, span.end_column)
}

#[test]
fn positions_are_of_characters() {
    for text in ["a: ö b\nlist: [x, \"y z\"]  # c\n", "a: ö b\r\nlist: [x, \"y z\"]  # c\r\n"] {
        let (node, found) = read(text);
        assert!(found.is_empty());
        let node = node.unwrap();
        let [first, second] = entries(&node) else { panic!("two entries") };
        assert_eq!(place(first.key_span), (1, 1, 1, 2));
        assert_eq!(place(first.value.span), (1, 4, 1, 7));
        let NodeKind::Seq(items) = &second.value.kind else { panic!("list") };
        assert_eq!(place(items[0].span), (2, 8, 2, 9));
        assert_eq!(place(items[1].span), (2, 11, 2, 16));
    }
}

#[test]
fn raw_text_is_kept() {
    let (node, _) = read("a: NO\nb: 010\nc: 1:30\nd: 'x'\ne:\nf: ~\n");
    let node = node.unwrap();
    let texts: Vec<_> = entries(&node)
        .iter()
        .map(|entry| match &entry.value.kind {
            NodeKind::Scalar { text, .. } => &**text,
            _ => "?",
        })
        .collect();
    assert_eq!(texts, ["NO", "010", "1:30", "x", "", "~"]);
    assert!(entries(&node)[4].value.is_empty() && entries(&node)[5].value.is_empty());
    assert!(!entries(&node)[3].value.is_empty());
}

#[test]
fn what_is_refused_is_found_where_it_stands() {
    assert_eq!(read("").1, [("E0002", 1, 1)]);
    assert_eq!(read("# only a comment\n").1, [("E0002", 1, 1)]);
    assert_eq!(read("a: 1\nb: 2\na: 3\n").1, [("E0007", 3, 1)]);
    assert_eq!(read("a: !!int 3\n").1, [("E0008", 1, 4)]);
    assert_eq!(read("a: 1\n---\nb: 2\n").1, [("E0009", 2, 1)]);
    assert_eq!(read("? [a, b]\n: 1\n").1, [("E0010", 1, 3)]);
    assert_eq!(read("a:\n\tb: 1\n").1, [("E0005", 2, 1)]);
    assert_eq!(read("a: &x [*x]\n").1, [("E0011", 1, 8)]);
    assert_eq!(read("a: &x 1\nb: {<<: *x}\n").1, [("E0011", 2, 9)]);
    assert_eq!(read("a: [1, 2\n").1[0].0, "E0001");
    assert_eq!(read(&format!("a: {}", "[".repeat(100))).1[0].0, "E0006");
    assert_eq!(read(&format!("a: {}", "x".repeat(70_000))).1, [("E0012", 1, 4)]);
}

#[test]
fn aliases_repeat_and_merges_yield_to_what_is_written() {
    let (node, found) = read("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n");
    assert!(found.is_empty(), "{found:?}");
    let node = node.unwrap();
    let used = entries(&entries(&node)[1].value);
    let pairs: Vec<_> = used
        .iter()
        .map(|entry| match &entry.value.kind {
            NodeKind::Scalar { text, .. } => (&*entry.key, &**text),
            _ => ("?", "?"),
        })
        .collect();
    assert_eq!(pairs, [("y", "3"), ("x", "1")]);
}

#[test]
fn an_alias_bomb_is_stopped_early() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let last = level - 1;
        let items = vec![format!("*a{last}"); 10].join(", ");
        text += &format!("a{level}: &a{level} [{items}]\n");
    }
    let (node, found) = read(&text);
    assert!(node.is_none());
    assert_eq!(found[0].0, "E0006");
}
