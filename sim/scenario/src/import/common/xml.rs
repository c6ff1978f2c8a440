//! A small XML tree: elements by local name, text, and where each began.
//!
//! Refused: document type declarations (and with them entities of one's own), more than
//! [`MAX_DEPTH`] levels, more than [`MAX_ELEMENTS`] elements.

use super::problem::{E_LIMIT, E_SYNTAX, Problem, shown};
use super::text::Text;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// Deepest nesting.
const MAX_DEPTH: usize = 64;

/// Most elements in one document.
const MAX_ELEMENTS: usize = 2_000_000;

/// An element. Namespace prefixes are dropped.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// All text directly inside, trimmed.
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
    /// Byte offset of its start tag.
    pub(crate) offset: usize,
}

impl Element {
    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of a name.
    pub(crate) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of a name.
    pub(crate) fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Parses a document and returns its root element.
pub(crate) fn parse(text: &Text<'_>) -> Result<Element, Problem> {
    let mut reader = Reader::from_str(&text.text);
    let mut open = vec![Element::default()];
    let mut elements = 0;
    loop {
        let offset = reader.buffer_position() as usize;
        let event = reader.read_event().map_err(|error| {
            let at = reader.error_position() as usize;
            malformed(text, at, error.to_string())
        })?;
        let top = open.last_mut().expect("the document itself stays open");
        match event {
            Event::Start(ref start) | Event::Empty(ref start) => {
                elements += 1;
                check_limits(text, offset, open.len(), elements)?;
                let element = element(text, start, offset)?;
                if matches!(event, Event::Empty(_)) {
                    open.last_mut().expect("the document").children.push(element);
                } else {
                    open.push(element);
                }
            }
            Event::End(_) => {
                let mut done = open.pop().expect("the reader matches end tags");
                done.text = done.text.trim().to_owned();
                open.last_mut().expect("the reader matches end tags").children.push(done);
            }
            Event::Text(words) => top.text.push_str(&words.xml10_content()),
            Event::CData(words) => top.text.push_str(&words.xml10_content()),
            Event::GeneralRef(name) => top.text.push(resolved(text, offset, &name)?),
            Event::DocType(_) => {
                return Err(text
                    .problem(E_SYNTAX, offset, "a document type declaration (DOCTYPE)")
                    .why("it could define entities that unfold without bound")
                    .help("remove the declaration"));
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    root(text, open)
}

fn root(text: &Text<'_>, mut open: Vec<Element>) -> Result<Element, Problem> {
    let last = open.pop().expect("the document itself stays open");
    if !open.is_empty() {
        let what = format!("the element {} is not closed", shown(&last.name));
        return Err(malformed(text, last.offset, what));
    }
    let mut roots = last.children.into_iter();
    match (roots.next(), roots.next()) {
        (Some(root), None) => Ok(root),
        (None, _) => Err(malformed(text, 0, "there is no element in the document".to_owned())),
        (_, Some(second)) => {
            Err(malformed(text, second.offset, "a second root element".to_owned()))
        }
    }
}

fn malformed(text: &Text<'_>, offset: usize, what: String) -> Problem {
    text.problem(E_SYNTAX, offset, format!("malformed XML: {what}"))
        .why("nothing behind this place can be trusted")
        .help("check that the file was fetched whole and is XML")
}

fn check_limits(
    text: &Text<'_>,
    offset: usize,
    depth: usize,
    elements: usize,
) -> Result<(), Problem> {
    let what = if depth > MAX_DEPTH {
        format!("more than {MAX_DEPTH} levels of elements")
    } else if elements > MAX_ELEMENTS {
        format!("more than {MAX_ELEMENTS} elements")
    } else {
        return Ok(());
    };
    Err(text
        .problem(E_LIMIT, offset, what)
        .why("a limit keeps hostile files from filling the memory")
        .help("split the file"))
}

fn element(text: &Text<'_>, start: &BytesStart<'_>, offset: usize) -> Result<Element, Problem> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let fail = |what: String| malformed(text, offset, what);
        let attribute = attribute.map_err(|error| fail(error.to_string()))?;
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|error| fail(error.to_string()))?;
        let key = attribute.key.local_name();
        attributes.push((key.as_ref().to_owned(), value.into_owned()));
    }
    let name = start.local_name().as_ref().to_owned();
    Ok(Element { name, attributes, offset, ..Element::default() })
}

/// The character behind `&name;`.
fn resolved(text: &Text<'_>, offset: usize, name: &BytesRef<'_>) -> Result<char, Problem> {
    match name.resolve_char_ref() {
        Ok(Some(character)) => return Ok(character),
        Err(error) => return Err(malformed(text, offset, error.to_string())),
        Ok(None) => {}
    }
    match name.as_ref() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        other => Err(malformed(text, offset, format!("unknown entity {}", shown(other)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(xml: &str) -> Result<Element, Problem> {
        parse(&Text::decode("f.xml", xml.as_bytes()).unwrap())
    }

    #[test]
    fn names_text_and_places() {
        let root = tree(
            "<?xml version='1.0'?>\n<n:a xmlns:n='u' k='1&amp;2'><n:b> x&lt;y &#252; \
                         <![CDATA[<z>]]></n:b><c/></n:a>",
        )
        .unwrap();
        assert_eq!((root.name.as_str(), root.attribute("k")), ("a", Some("1&2")));
        assert_eq!(root.child_text("b"), Some("x<y ü <z>"));
        assert_eq!(root.children("c").count(), 1);
        assert_eq!(root.offset, 22);
    }

    #[test]
    fn refused() {
        let place = |xml: &str| tree(xml).map(|_| ()).unwrap_err();
        assert_eq!((place("<a>\n<b></a>").line, place("").code), (2, E_SYNTAX));
        for xml in ["<a>", "<a/><b/>", "text", "<a>&own;</a>", "<a k=1/>", "<a>&#0;</a>", "</a>"] {
            assert_eq!(place(xml).code, E_SYNTAX, "{xml}");
        }
        let bomb = "<!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>";
        assert!(place(bomb).what.contains("DOCTYPE"));
        let deep = "<a>".repeat(100);
        assert_eq!(place(&deep).code, E_LIMIT);
    }
}
