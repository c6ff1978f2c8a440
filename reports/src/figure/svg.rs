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
