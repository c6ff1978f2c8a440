//! The drawing surface behind plotters: compact SVG with classes instead of colours.
//!
//! Plotters' own SVG surface writes fixed colours, whole pixels and one element per grid line.
//! This one draws ten times larger and divides by ten on paper (so curves are smooth), joins
//! neighbours of equal style into one path, and leaves colours to the style sheet, so that the
//! same picture serves light and dark pages.

use super::ink::{Dash, Ink};
use super::width::text_width;
use crate::text;
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle, FontTransform,
};
use std::convert::Infallible;
use std::fmt::Write as _;

/// Drawing units per pixel.
pub const SCALE: i32 = 10;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// Collects the elements of one picture.
pub struct Canvas<'a> {
    out: &'a mut String,
    size: (u32, u32),
    /// Attributes of the path that is being collected, and its data.
    open: Option<(String, String)>,
}

impl<'a> Canvas<'a> {
    /// A picture of `width` x `height` pixels, its elements appended to `out`.
    pub fn new(out: &'a mut String, width: u32, height: u32) -> Canvas<'a> {
        Canvas { out, size: (width * SCALE as u32, height * SCALE as u32), open: None }
    }

    /// Adds a piece of path; joined with the one before if the attributes are the same.
    fn path(&mut self, attributes: String, data: &str) {
        match &mut self.open {
            // Translucent shapes that overlap would look lighter in one path.
            Some((open, collected)) if *open == attributes && !attributes.contains("opacity") => {
                collected.push_str(data);
            }
            _ => {
                self.flush();
                self.open = Some((attributes, data.to_owned()));
            }
        }
    }

    fn flush(&mut self) {
        if let Some((attributes, data)) = self.open.take() {
            let _ = write!(self.out, "<path {attributes} d=\"{data}\"/>");
        }
    }

    fn line_attributes<S: BackendStyle>(style: &S) -> String {
        let color = style.color();
        let dash = Dash::from_code(color.rgb.0).class();
        let space = if dash.is_empty() { "" } else { " " };
        let mut out = format!("class=\"l {}{space}{dash}\"", Ink::from_code(color.rgb.2).class());
        let width = style.stroke_width();
        if width != SCALE as u32 {
            let _ = write!(out, " stroke-width=\"{}\"", tenths(width as i32));
        }
        push_opacity(&mut out, color);
        out
    }

    fn fill_attributes(color: BackendColor) -> String {
        let mut out = format!("class=\"f {}\"", Ink::from_code(color.rgb.2).class());
        push_opacity(&mut out, color);
        out
    }
}

impl DrawingBackend for Canvas<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        self.flush();
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        if color.alpha > 0.0 {
            let data = format!("M{} {}h.1v.1h-.1z", tenths(point.0), tenths(point.1));
            self.path(Self::fill_attributes(color), &data);
        }
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        if style.color().alpha > 0.0 {
            self.path(Self::line_attributes(style), &path_data([from, to]));
        }
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let ((x0, y0), (x1, y1)) = (upper_left, bottom_right);
        let corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)];
        if fill {
            return self.fill_polygon(corners, style);
        }
        if style.color().alpha > 0.0 {
            let data = path_data(corners) + "z";
            self.path(Self::line_attributes(style), &data);
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        if style.color().alpha > 0.0 {
            self.path(Self::line_attributes(style), &path_data(path));
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let color = style.color();
        if color.alpha > 0.0 {
            self.flush();
            let attributes =
                if fill { Self::fill_attributes(color) } else { Self::line_attributes(style) };
            let (x, y, r) = (tenths(center.0), tenths(center.1), tenths(radius as i32));
            let _ = write!(self.out, "<circle {attributes} cx=\"{x}\" cy=\"{y}\" r=\"{r}\"/>");
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        vert: I,
        style: &S,
    ) -> Drawn {
        let color = style.color();
        if color.alpha > 0.0 {
            let data = path_data(vert) + "z";
            self.path(Self::fill_attributes(color), &data);
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        words: &str,
        style: &S,
        pos: BackendCoord,
    ) -> Drawn {
        let color = style.color();
        if color.alpha <= 0.0 || words.is_empty() {
            return Ok(());
        }
        self.flush();
        let anchor = match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Right => " text-anchor=\"end\"",
            HPos::Center => " text-anchor=\"middle\"",
        };
        let size = style.size();
        // Where the baseline is, from the named point: capitals are 0.72 of the size high.
        let baseline = match style.anchor().v_pos {
            VPos::Top => 0.76,
            VPos::Center => 0.355,
            VPos::Bottom => -0.22,
        } * size;
        let turn = match style.transform() {
            FontTransform::None => 0,
            FontTransform::Rotate90 => 90,
            FontTransform::Rotate180 => 180,
            FontTransform::Rotate270 => 270,
        };
        let (x, y) = (tenths(pos.0), tenths(pos.1 + baseline as i32));
        let bold = if matches!(style.style(), FontStyle::Bold) { " b" } else { "" };
        let _ = write!(
            self.out,
            "<text class=\"f {}{bold}\" x=\"{x}\" y=\"{y}\"{anchor} font-size=\"{}\"",
            Ink::from_code(color.rgb.2).class(),
            tenths(size as i32),
        );
        if turn != 0 {
            let _ = write!(self.out, " transform=\"rotate({turn} {x} {})\"", tenths(pos.1));
        }
        let _ = write!(self.out, ">{}</text>", text::xml(&text::clean(words)));
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        words: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok(((text_width(words) * style.size()) as u32, style.size() as u32))
    }
}

fn push_opacity(out: &mut String, color: BackendColor) {
    if color.alpha < 1.0 {
        let _ = write!(out, " opacity=\"{}\"", tenths_of((color.alpha * 100.0) as i32, 100));
    }
}

/// Path data through points, relative and in tenths of a pixel.
fn path_data(points: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut out = String::new();
    let mut last: Option<BackendCoord> = None;
    let mut horizontal_run = false;
    for point in points {
        let Some((x, y)) = last else {
            let _ = write!(out, "M{} {}", tenths(point.0), tenths(point.1));
            last = Some(point);
            continue;
        };
        let (dx, dy) = (point.0 - x, point.1 - y);
        match (dx, dy) {
            (0, 0) => continue,
            (_, 0) => out.push_str(&format!("h{}", tenths(dx))),
            (0, _) => out.push_str(&format!("v{}", tenths(dy))),
            _ => {
                let x = tenths(dx);
                let y = tenths(dy);
                let space = if y.starts_with('-') { "" } else { " " };
                let letter = if horizontal_run && x.starts_with('-') {
                    ""
                } else if horizontal_run {
                    " "
                } else {
                    "l"
                };
                let _ = write!(out, "{letter}{x}{space}{y}");
            }
        }
        horizontal_run = dx != 0 && dy != 0;
        last = Some(point);
    }
    // A single point would draw nothing; a line of no length with round ends is a dot.
    if last.is_some() && !out.contains(['l', 'h', 'v']) {
        out.push_str("h0");
    }
    out
}

/// A length in tenths of a pixel as text in pixels.
fn tenths(value: i32) -> String {
    tenths_of(value, SCALE)
}

/// `value / unit` without trailing zeros and without the zero before the point.
fn tenths_of(value: i32, unit: i32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, rest) = (value.unsigned_abs() / unit as u32, value.unsigned_abs() % unit as u32);
    if rest == 0 {
        return if whole == 0 { "0".to_owned() } else { format!("{sign}{whole}") };
    }
    let digits = if unit == 100 { format!("{rest:02}") } else { rest.to_string() };
    let digits = digits.trim_end_matches('0');
    let whole = if whole == 0 { String::new() } else { whole.to_string() };
    format!("{sign}{whole}.{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_data_is_short_and_exact() {
        assert_eq!(path_data([(10, 20), (25, 20), (25, 35)]), "M1 2h1.5v1.5");
        assert_eq!(path_data([(0, 0), (5, -5), (10, 5)]), "M0 0l.5-.5 .5 1");
        assert_eq!(path_data([(3, 4)]), "M.3 .4h0");
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [(0, "0"), (5, ".5"), (-5, "-.5"), (10, "1"), (-123, "-12.3")] {
            assert_eq!(tenths(value), text);
        }
        assert_eq!(tenths_of(5, 100), ".05");
        assert_eq!(tenths_of(20, 100), ".2");
    }
}
