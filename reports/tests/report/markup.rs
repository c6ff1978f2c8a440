//! Reading back what was written: a tokenizer strict enough to notice broken markup.

/// An element's start or end tag.
#[derive(Debug)]
pub struct Tag {
    pub name: String,
    pub closing: bool,
    attributes: Vec<(String, String)>,
}

impl Tag {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| name.as_str())
    }
}

/// All tags of a page; panics where markup is broken. The content of `<style>` is skipped.
pub fn tags(page: &str) -> Vec<Tag> {
    let mut out = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").unwrap_or(page);
    let mut open: Vec<String> = Vec::new();
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let (tag, empty, after) = tag(rest);
        rest = after;
        let void = empty || matches!(tag.name.as_str(), "meta" | "br" | "hr");
        if tag.closing {
            assert_eq!(open.pop().as_deref(), Some(tag.name.as_str()), "tags do not nest");
        } else if !void {
            open.push(tag.name.clone());
        }
        if tag.name == "style" && !tag.closing {
            rest = &rest[rest.find("</style>").expect("the style ends")..];
        }
        out.push(tag);
    }
    assert!(open.is_empty(), "still open: {open:?}");
    out
}

fn tag(text: &str) -> (Tag, bool, &str) {
    let closing = text.starts_with('/');
    let text = text.strip_prefix('/').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).expect("a tag ends");
    assert!(end > 0, "`<` without a name: {}", &text[..text.len().min(40)]);
    let name = text[..end].to_owned();
    let mut rest = &text[end..];
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\n']);
        if let Some(after) = rest.strip_prefix("/>") {
            return (Tag { name, closing, attributes }, true, after);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (Tag { name, closing, attributes }, false, after);
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != ':');
        let end = end.expect("an attribute ends");
        assert!(end > 0, "broken tag <{name} at: {}", &rest[..rest.len().min(40)]);
        let key = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix("=\"") {
            let end = after.find('"').expect("a value ends");
            value = unescape(&after[..end]);
            rest = &after[end + 1..];
        }
        attributes.push((key, value));
    }
}

pub fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#10;", "\n")
        .replace("&amp;", "&")
}

/// Panics unless the text is well-formed XML without forbidden characters.
pub fn assert_xml(text: &str) {
    let forbidden = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    assert!(!text.contains(forbidden), "a character XML forbids");
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut depth = 0;
    loop {
        match reader.read_event().expect("well-formed XML") {
            quick_xml::events::Event::Start(start) => {
                start.attributes().for_each(|attribute| drop(attribute.expect("an attribute")));
                depth += 1;
            }
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "an element is not closed");
}

/// The scenario that a page carries; panics where it is not there or not whole.
pub fn embedded_scenario(page: &str) -> steerlab_results::engine::scenario::Scenario {
    let start = page.find("<pre id=\"steerlab-scenario\"").expect("it is embedded");
    let rest = &page[start..];
    let from = rest.find("<code>").expect("it is code") + "<code>".len();
    let to = rest.find("</code>").expect("it ends");
    serde_json::from_str(&unescape(&rest[from..to])).expect("it is JSON of a scenario")
}
