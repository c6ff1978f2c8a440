//! From the elements of a picture to a complete `<svg>`.

use crate::text;
use std::fmt::Write as _;

/// Colours of all roles, in light, dark and print.
pub const STYLE: &str = include_str!("ink.css");

/// What a `<svg>` needs besides its elements.
pub struct Frame<'a> {
    /// Unique on the page: prefix of element ids.
    pub id: &'a str,
    /// Title for those who cannot see it.
    pub title: &'a str,
    /// Description for those who cannot see it.
    pub description: &'a str,
    /// Width and height, pixels.
    pub size: (u32, u32),
    /// What lies under the elements: markup.
    pub ground: &'a str,
    /// The picture.
    pub elements: &'a str,
}

/// The picture as an element of a page that has [`STYLE`].
#[must_use]
pub fn inline(frame: &Frame<'_>) -> String {
    open(frame, "") + frame.ground + frame.elements + "</svg>"
}

/// The picture as a file of its own.
#[must_use]
pub fn standalone(frame: &Frame<'_>) -> String {
    let (width, height) = frame.size;
    let extra =
        format!(" xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\"");
    format!(
        "{}<style>{STYLE}</style><rect class=\"f pa\" width=\"{width}\" height=\"{height}\"/>{}{}</svg>\n",
        open(frame, &extra),
        frame.ground,
        frame.elements
    )
}

fn open(frame: &Frame<'_>, extra: &str) -> String {
    let id = text::xml(frame.id);
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg{extra} viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
         <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
        frame.size.0,
        frame.size.1,
        text::xml(frame.title),
        text::xml(frame.description)
    );
    out
}

#[cfg(test)]
mod tests {
    use super::STYLE;
    use std::collections::BTreeMap;

    /// Variables of one block of the style sheet, as linear luminance.
    fn luminances(block: &str) -> BTreeMap<&str, f64> {
        let block = &block[block.find(":root{").expect("variables") + 6..];
        let block = &block[..block.find('}').expect("the block ends")];
        block
            .split(';')
            .filter_map(|line| line.split_once(':'))
            .map(|(name, hex)| {
                let hex = hex.trim_start_matches('#');
                let digits: String = if hex.len() == 3 {
                    hex.chars().flat_map(|digit| [digit, digit]).collect()
                } else {
                    hex.to_owned()
                };
                let channel = |at: usize| {
                    let value = u8::from_str_radix(&digits[at..at + 2], 16).expect("a hex colour");
                    let value = f64::from(value) / 255.0;
                    if value <= 0.040_45 {
                        value / 12.92
                    } else {
                        ((value + 0.055) / 1.055).powf(2.4)
                    }
                };
                (name, 0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4))
            })
            .collect()
    }

    fn contrast(a: f64, b: f64) -> f64 {
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn contrast_is_enough_in_light_dark_and_print() {
        let dark = STYLE.find("@media (prefers-color-scheme:dark)").expect("a dark block");
        let print = STYLE.find("@media print").expect("a print block");
        for block in [STYLE, &STYLE[dark..], &STYLE[print..]] {
            let of = luminances(block);
            let paper = of["--paper"];
            // Words and marks that carry words: 4.5 to 1 (WCAG 2.1 AA).
            let mut words = vec!["--ink", "--muted", "--lost", "--better", "--worse", "--event"];
            words.extend(["--a0", "--a1", "--a2", "--a3", "--a4", "--a5"]);
            words.extend(["--s0", "--s1", "--s2", "--s3", "--s4"]);
            for name in words {
                assert!(
                    contrast(of[name], paper) >= 4.5,
                    "{name} {:.2}",
                    contrast(of[name], paper)
                );
            }
            // Graphical objects: 3 to 1, on the ground of the map too.
            for name in ["--u0", "--u1", "--u2", "--u3", "--axis"] {
                assert!(
                    contrast(of[name], paper) >= 3.0,
                    "{name} {:.2}",
                    contrast(of[name], paper)
                );
            }
            for name in ["--u0", "--u1", "--u2", "--u3", "--lost"] {
                assert!(contrast(of[name], of["--sea"]) >= 3.0, "{name} on the sea");
            }
        }
    }
}
