//! Text as a YAML scalar that reads back as the same text.

/// Longest text kept of a label or note, characters.
const MAX_TEXT_CHARS: usize = 2_000;

/// Words that some YAML reader takes for something else than text.
const RESERVED: [&str; 12] =
    ["true", "false", "yes", "no", "on", "off", "null", "nan", "inf", "y", "n", "infinity"];

/// The text plain where that is safe everywhere, else in double quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut characters = text.chars();
    let plain = characters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.')
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str())
        && text.len() <= 200;
    if plain {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for (index, character) in text.chars().enumerate() {
        if index == MAX_TEXT_CHARS {
            out.push('…');
            break;
        }
        push_escaped(&mut out, character);
    }
    out.push('"');
    out
}

fn push_escaped(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // Control characters, YAML's other line breaks, the byte-order mark and characters that
        // turn the direction of writing must not stand in the file as they are.
        _ if character.is_control()
            || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || matches!(character, '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
        {
            out.push_str(&format!("\\u{:04X}", u32::from(character)));
        }
        _ => out.push(character),
    }
}

/// A coordinate: the shortest text that reads back as the same number, at most nine decimals.
pub(crate) fn degrees(value: f64) -> String {
    let text = format!("{value}");
    if text.len() <= 20 {
        return text;
    }
    let text = format!("{value:.9}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use saphyr_parser::{Event, Parser};

    /// Reads the scalars of `[scalar, scalar]` back.
    fn read_back(yaml: &str) -> Vec<String> {
        Parser::new_from_str(yaml)
            .map(|event| event.expect("valid YAML").0)
            .filter_map(|event| match event {
                Event::Scalar(text, ..) => Some(text.into_owned()),
                _ => None,
            })
            .collect()
    }

    fn round_trip(text: &str) {
        let yaml = format!("- {{id: {}, z: end}}\n", quoted(text));
        assert_eq!(read_back(&yaml), ["id", text, "z", "end"], "{yaml}");
    }

    #[test]
    fn hostile_names_read_back_as_they_are() {
        for text in [
            "",
            " ",
            "a b",
            "0",
            "007",
            "1e3",
            "~",
            "null",
            "Yes",
            "n",
            "- x",
            "a: b",
            "# c",
            "a #b",
            "{x}",
            "[x]",
            "x, y",
            "\"q\"",
            "it's",
            "\\n",
            "a\nb",
            "a\r\nb",
            "\t",
            "*alias",
            "&anchor",
            "!tag",
            "%dir",
            "@at",
            "`tick`",
            "|",
            ">",
            "---",
            "...",
            "?",
            "Zürich",
            "日本",
            "\u{85}",
            "\u{2028}",
            "\u{feff}x",
            "\u{7f}",
            "\u{1b}[31m",
            "\u{202e}",
            "<<",
            "=",
            "x: {y: [z",
            "emoji 🚀",
            "trailing ",
            "key:",
        ] {
            round_trip(text);
        }
        assert_eq!(quoted("Kansas-City.1_x"), "Kansas-City.1_x");
        assert_eq!(quoted("no"), "\"no\"");
        assert!(quoted(&"x".repeat(10_000)).len() < 2_100);
    }

    #[test]
    fn coordinates_stay_short() {
        assert_eq!(degrees(-84.3833), "-84.3833");
        assert_eq!(degrees(0.0), "0");
        assert_eq!(degrees(1e-30), "0");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_text_reads_back(text in "\\PC{0,40}|[\\x01-\\x7f]{0,20}") {
            round_trip(&text);
        }
    }
}
