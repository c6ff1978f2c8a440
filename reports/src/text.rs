//! Text that others wrote, made harmless: visible instead of acting.
//!
//! Escaping for HTML is maud's; here is what no escaping covers: control characters, characters
//! that turn the reading direction around, and characters that cannot be seen at all.

/// Longest text of the scenario's that one cell or label shows, in characters.
const CELL_CHARS_MAX: usize = 400;

/// Makes control, direction and invisible characters visible as `\u{202e}`; keeps everything
/// else. Line breaks and tabs become spaces.
#[must_use]
pub fn clean(text: &str) -> String {
    clean_to(text, CELL_CHARS_MAX)
}

/// As [`clean`], for texts of several lines: line breaks stay.
#[must_use]
pub fn clean_lines(text: &str) -> String {
    text.lines().map(|line| clean_to(line, usize::MAX)).collect::<Vec<_>>().join("\n")
}

fn clean_to(text: &str, chars_max: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, c) in text.chars().enumerate() {
        if index >= chars_max {
            out.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if is_hidden(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// JSON with what acts or hides written as JSON escapes: the same data, nothing invisible.
#[must_use]
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Text as the content of an element. Quotes mean nothing there, and JSON is full of them.
#[must_use]
pub fn content(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Whether a character acts or hides instead of showing.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
        || (c as u32 & 0xfffe) == 0xfffe
}

/// Shortens to `chars_max` characters, the last one an ellipsis.
#[must_use]
pub fn shorten(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// A piece of text for a Markdown table cell or line: nothing in it is markup, a link, HTML or the
/// end of a cell.
#[must_use]
pub fn markdown_cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Entities instead of backslashes: a backslash inside a table cell is read twice.
            '|' => out.push_str("&#124;"),
            '`' => out.push_str("&#96;"),
            '*' => out.push_str("&#42;"),
            '_' => out.push_str("&#95;"),
            '[' => out.push_str("&#91;"),
            ']' => out.push_str("&#93;"),
            '~' => out.push_str("&#126;"),
            '#' => out.push_str("&#35;"),
            '!' => out.push_str("&#33;"),
            '$' => out.push_str("&#36;"),
            '\\' => out.push_str("&#92;"),
            // A mention of a person or team, and a workflow command.
            '@' => out.push_str("&#64;"),
            ':' => out.push_str("&#58;"),
            c => out.push(c),
        }
    }
    out
}

/// Text for XML content or a quoted attribute: escaped, and without characters XML forbids.
#[must_use]
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in clean_lines(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push_str("&#10;"),
            c => out.push(c),
        }
    }
    out
}

/// `class=interactive, site=lhr`; empty without labels.
#[must_use]
pub fn labels(labels: &[(String, String)]) -> String {
    labels
        .iter()
        .map(|(key, value)| format!("{}={}", clean(key), clean(value)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A metric with its labels as checks write it: `loss_ratio{class=bulk}`.
#[must_use]
pub fn metric(metric: &str, pairs: &[(String, String)]) -> String {
    if pairs.is_empty() { clean(metric) } else { format!("{}{{{}}}", clean(metric), labels(pairs)) }
}

/// `1 site`, `2 sites`.
#[must_use]
pub fn count(number: usize, one: &str) -> String {
    match (number, one.strip_suffix('y')) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) if !one.ends_with("ay") => {
            format!("{} {stem}ies", crate::number::number(number as f64))
        }
        _ => format!("{} {one}s", crate::number::number(number as f64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_become_visible() {
        assert_eq!(clean("a\u{202e}b\u{0}c\u{1b}[31m"), "a\\u{202e}b\\u{0}c\\u{1b}[31m");
        assert_eq!(clean("line\nbreak\ttab"), "line break tab");
        assert_eq!(clean("Zürich 東京 🌍"), "Zürich 東京 🌍");
        assert_eq!(clean(&"x".repeat(1_000)).chars().count(), CELL_CHARS_MAX + 1);
    }

    #[test]
    fn markdown_has_no_markup_left() {
        let cell = markdown_cell("a|b`c`<script>[x](http://e)**_~#@me ::warning::\\|");
        for forbidden in ['|', '`', '<', '>', '[', ']', '*', '_', '~', '\\', '@', ':'] {
            assert!(!cell.contains(forbidden), "{forbidden} in {cell}");
        }
    }

    #[test]
    fn xml_has_no_forbidden_character() {
        let text = xml("a\u{0}\u{b}\u{fffe}<&>\"'");
        assert!(!text.contains(['\u{0}', '\u{b}', '\u{fffe}', '<', '>', '"', '\'']));
    }

    #[test]
    fn plurals() {
        assert_eq!(count(1, "policy"), "1 policy");
        assert_eq!(count(2, "policy"), "2 policies");
        assert_eq!(count(0, "site"), "0 sites");
    }
}
