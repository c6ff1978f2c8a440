//! How wide text will be, without a font: average advance widths of common sans-serif faces.

/// Width of a text over its font size.
#[must_use]
pub fn text_width(text: &str) -> f64 {
    text.chars().map(advance).sum()
}

fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | '\'' | '|' | ':' | ';' | '!' => 0.27,
        ' ' | 'f' | 't' | 'r' | 'I' | '(' | ')' | '[' | ']' | '/' | '-' => 0.36,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.88,
        'A'..='Z' | '+' | '−' | '<' | '>' | '=' | '→' | '←' => 0.68,
        '0'..='9' => 0.57,
        c if c.is_ascii() => 0.55,
        // Wide scripts take a full square.
        c if (c as u32) >= 0x1100 => 1.0,
        _ => 0.6,
    }
}
