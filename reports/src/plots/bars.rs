//! Horizontal bars with their numbers beside them.

use super::axis::value_axis;
use crate::figure::{Axis, Chart, Dash, Ink, Layer, Pen, label_room};
use crate::text;

/// Height of a bar with its room, pixels.
const ROW_PX: u32 = 24;

/// A bar: parts from left to right.
pub struct Bar {
    /// What it stands for.
    pub label: String,
    /// Lengths and inks.
    pub parts: Vec<(f64, Ink)>,
    /// Words at its end.
    pub words: String,
}

/// Draws bars on an axis from 0 to at least `max`; returns size and elements.
#[must_use]
pub fn draw(
    bars: &[Bar],
    width: u32,
    (max, unit): (f64, &str),
    caption: &str,
) -> ((u32, u32), String) {
    let size = (width, 48 + ROW_PX * bars.len() as u32);
    let count = bars.len() as f64;
    let mut layers = Vec::new();
    let letters = if width > 600 { 48 } else { 26 };
    let mut ticks = Vec::new();
    let (x, unit) = value_axis(max, unit);
    for (index, bar) in bars.iter().enumerate() {
        let y = count - 0.5 - index as f64;
        ticks.push((y, text::shorten(&bar.label, letters)));
        let mut from = 0.0;
        for &(length, ink) in bar.parts.iter().filter(|(length, _)| *length > 0.0) {
            let to = from + length;
            let outline = vec![(from, y - 0.3), (to, y - 0.3), (to, y + 0.3), (from, y + 0.3)];
            // Lost parts are told by their broken outline too, not only by their colour.
            let lost = ink == Ink::Lost;
            let fill = Pen::line(ink).opacity(if lost { 0.3 } else { 0.75 });
            layers.push(Layer::Area(outline.clone(), fill));
            if lost {
                let closed = outline.iter().chain(outline.first()).copied().collect();
                layers.push(Layer::Line(closed, Pen::line(ink).width(12).dashed(Dash::Short)));
            }
            from = to;
        }
        layers.push(Layer::Words(from.min(x.max), y, (6, 0), bar.words.clone(), Ink::Text, 1));
    }
    let chart = Chart {
        size,
        margin_x: (label_room(&ticks, 80, if width > 600 { 320 } else { 180 }), 96),
        margin_top: 10,
        x,
        y: Axis { min: 0.0, max: count, ticks, log: false },
        y_caption: String::new(),
        x_caption: if unit.is_empty() { caption.to_owned() } else { format!("{caption}, {unit}") },
        grid_vertical: true,
        layers,
    };
    (size, chart.elements())
}
