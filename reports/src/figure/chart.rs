//! One picture on two axes, drawn by plotters: everything a chart of ours is made of.

use super::canvas::{Canvas, SCALE};
use super::ink::{Ink, Pen};
use super::width::text_width;
use crate::text;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, Circle, DrawingArea, EmptyElement, IntoDrawingArea,
    PathElement, Polygon, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, TextStyle};
use std::ops::Range;
use steerlab_results::engine::kernel::math;

/// Size of all text in charts, pixels.
const FONT_PX: i32 = 11;

const CANNOT_FAIL: &str = "drawing into a string cannot fail";

/// One axis: its range and its labelled ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Smallest value shown.
    pub min: f64,
    /// Largest value shown, above `min`.
    pub max: f64,
    /// Values with a label, ascending.
    pub ticks: Vec<(f64, String)>,
    /// Whether equal lengths are equal ratios; `min` is then above 0.
    pub log: bool,
}

impl Axis {
    /// Position between 0 (at `min`) and 1 (at `max`); outside values stay at the edge.
    #[must_use]
    pub fn position(&self, value: f64) -> f64 {
        let place = |v: f64| if self.log { math::ln(v.max(self.min)) } else { v };
        let (low, high) = (place(self.min), place(self.max));
        let at = (place(value) - low) / (high - low);
        if at.is_finite() { at.clamp(0.0, 1.0) } else { 0.0 }
    }
}

impl Ranged for Axis {
    type ValueType = f64;
    type FormatOption = NoDefaultFormatting;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        limit.0 + (self.position(*value) * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(value, _)| *value).collect()
    }

    fn range(&self) -> Range<f64> {
        self.min..self.max
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|(at, _)| at == value);
        tick.map_or_else(String::new, |(_, label)| label.clone())
    }
}

/// Shape of a marker; no two meanings share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Filled circle.
    Dot,
    /// Ring with a paper core.
    Ring,
    /// Triangle that points up.
    Up,
    /// Triangle that points left: the value lies beyond the axis.
    Left,
    /// Triangle that points right: the value lies beyond the axis.
    Right,
    /// Square.
    Square,
    /// Diamond.
    Diamond,
    /// Triangle that points down.
    Down,
    /// Cross of two lines: lost.
    Cross,
}

/// Something in the picture. Coordinates are values on the axes.
#[derive(Clone, Debug)]
pub enum Layer {
    /// A line through points; breaks where a value is not finite.
    Line(Vec<(f64, f64)>, Pen),
    /// A filled outline.
    Area(Vec<(f64, f64)>, Pen),
    /// A vertical line over the whole height.
    Rule(f64, Pen),
    /// A horizontal line over the whole width.
    Level(f64, Pen),
    /// A marker of some radius, in tenths of a pixel.
    Mark(f64, f64, Shape, u32, Ink),
    /// A small triangle below the axis line: an action.
    Tick(f64, Ink),
    /// A numbered flag above the plot: an event.
    Flag(f64, String),
    /// Words at a point, moved by pixels; anchored left, centre or right by sign.
    Words(f64, f64, (i32, i32), String, Ink, i32),
    /// Words right of the plot at a height; several are moved apart.
    EndLabel(f64, String, Ink),
}

/// A picture.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Left and right margin in pixels.
    pub margin_x: (u32, u32),
    /// Height above the plot in pixels: [`TOP_PX`] where there is a caption or flags.
    pub margin_top: u32,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// Words above the vertical axis: quantity and unit.
    pub y_caption: String,
    /// Words below the right end of the horizontal axis.
    pub x_caption: String,
    /// Whether vertical grid lines are drawn (horizontal ones otherwise).
    pub grid_vertical: bool,
    /// What is in it, back to front.
    pub layers: Vec<Layer>,
}

type Context<'a, 'b> = ChartContext<'a, Canvas<'b>, Cartesian2d<Axis, Axis>>;
type Root<'b> = DrawingArea<Canvas<'b>, plotters::coord::Shift>;

/// Height above the plot that captions and flags need, pixels.
pub const TOP_PX: u32 = 40;
/// Height below the plot: labels and caption.
const BOTTOM_PX: i32 = 38;

impl Chart {
    /// The elements of the picture, without the `<svg>` around them.
    #[must_use]
    pub fn elements(&self) -> String {
        let mut out = String::new();
        {
            let root = Canvas::new(&mut out, self.size.0, self.size.1).into_drawing_area();
            let mut context = ChartBuilder::on(&root)
                .margin_top(self.margin_top as i32 * SCALE)
                .margin_right(self.margin_x.1 as i32 * SCALE)
                .set_left_and_bottom_label_area_size(0)
                .x_label_area_size(BOTTOM_PX * SCALE)
                .y_label_area_size(self.margin_x.0 as i32 * SCALE)
                .build_cartesian_2d(self.x.clone(), self.y.clone())
                .expect(CANNOT_FAIL);
            self.draw_mesh(&mut context);
            for layer in &self.layers {
                self.draw_layer(&root, &mut context, layer);
            }
            self.draw_end_labels(&root, &context);
            self.draw_captions(&root);
            root.present().expect(CANNOT_FAIL);
        }
        out
    }

    fn draw_mesh(&self, context: &mut Context<'_, '_>) {
        let grid = Pen::line(Ink::Grid).width(10).style(false);
        let hidden = Pen::line(Ink::Grid).opacity(0.0).style(false);
        let axis = Pen::line(if self.grid_vertical { Ink::Grid } else { Ink::Axis }).width(10);
        let mut mesh = context.configure_mesh();
        mesh.bold_line_style(grid)
            .light_line_style(hidden)
            .axis_style(axis.style(false))
            .label_style(style(Ink::Muted, HPos::Center, VPos::Center, false))
            .set_all_tick_mark_size(3 * SCALE);
        if self.grid_vertical {
            mesh.disable_y_mesh();
        } else {
            mesh.disable_x_mesh();
        }
        mesh.draw().expect(CANNOT_FAIL);
    }

    fn draw_layer(&self, root: &Root<'_>, context: &mut Context<'_, '_>, layer: &Layer) {
        match layer {
            Layer::Line(points, pen) => {
                let runs = points.split(|(x, y)| !x.is_finite() || !y.is_finite());
                let lines = runs
                    .filter(|run| !run.is_empty())
                    .map(|run| PathElement::new(run.to_vec(), pen.style(false)));
                context.draw_series(lines).expect(CANNOT_FAIL);
            }
            Layer::Area(points, pen) => {
                let shape = Polygon::new(points.clone(), pen.style(true));
                context.draw_series([shape]).expect(CANNOT_FAIL);
            }
            Layer::Rule(x, pen) => {
                let ends = vec![(*x, self.y.min), (*x, self.y.max)];
                context.draw_series([PathElement::new(ends, pen.style(false))]).expect(CANNOT_FAIL);
            }
            Layer::Level(y, pen) => {
                let ends = vec![(self.x.min, *y), (self.x.max, *y)];
                context.draw_series([PathElement::new(ends, pen.style(false))]).expect(CANNOT_FAIL);
            }
            Layer::Mark(x, y, shape, radius, ink) => {
                let at = context.backend_coord(&(*x, *y));
                draw_mark(root, at, *shape, *radius as i32, *ink);
            }
            Layer::Tick(x, ink) => {
                let (px, py) = context.backend_coord(&(*x, self.y.min));
                draw_mark(root, (px, py - 4 * SCALE), Shape::Up, 40, *ink);
            }
            Layer::Flag(x, words) => self.draw_flag(root, context, *x, words),
            Layer::Words(x, y, (dx, dy), words, ink, anchor) => {
                let h = match anchor.signum() {
                    -1 => HPos::Right,
                    0 => HPos::Center,
                    _ => HPos::Left,
                };
                let label = EmptyElement::at((*x, *y))
                    + Text::new(
                        words.clone(),
                        (dx * SCALE, dy * SCALE),
                        style(*ink, h, VPos::Center, false),
                    );
                context.draw_series([label]).expect(CANNOT_FAIL);
            }
            Layer::EndLabel(..) => {}
        }
    }

    /// A rule with a numbered plate on top.
    fn draw_flag(&self, root: &Root<'_>, context: &mut Context<'_, '_>, x: f64, words: &str) {
        let rule = Pen::line(Ink::Event).width(10).dashed(super::Dash::Short);
        self.draw_layer(root, context, &Layer::Rule(x, rule));
        let (px, py) = context.backend_coord(&(x, self.y.max));
        let half = ((text_width(words) * f64::from(FONT_PX) / 2.0 + 3.5).max(7.5) * 10.0) as i32;
        let center = py - 9 * SCALE;
        let plate = vec![
            (px - half, center - 75),
            (px + half, center - 75),
            (px + half, center + 75),
            (px - half, center + 75),
        ];
        root.draw(&Polygon::new(plate, Pen::line(Ink::Event).style(true))).expect(CANNOT_FAIL);
        let words = Text::new(
            words.to_owned(),
            (px, center),
            style(Ink::Paper, HPos::Center, VPos::Center, true),
        );
        root.draw(&words).expect(CANNOT_FAIL);
    }

    /// End labels, moved apart so that none covers another; a hair line leads to its value.
    fn draw_end_labels(&self, root: &Root<'_>, context: &Context<'_, '_>) {
        let mut labels: Vec<(i32, i32, &str, Ink)> = Vec::new();
        for layer in &self.layers {
            if let Layer::EndLabel(y, words, ink) = layer {
                let (x, y) = context.backend_coord(&(self.x.max, *y));
                labels.push((x, y, words, *ink));
            }
        }
        labels.sort_by_key(|&(_, y, _, _)| y);
        let top = self.margin_top as i32 * SCALE + 50;
        let bottom = (self.size.1 as i32 - BOTTOM_PX) * SCALE - 20;
        let heights =
            spread(&labels.iter().map(|label| label.1).collect::<Vec<_>>(), 125, top, bottom);
        let room = f64::from(self.margin_x.1.saturating_sub(16)) / f64::from(FONT_PX);
        for ((x, y, words, ink), height) in labels.into_iter().zip(heights) {
            let leader = PathElement::new(
                vec![(x + 20, y), (x + 90, height)],
                Pen::line(ink).width(10).opacity(0.6).style(false),
            );
            root.draw(&leader).expect(CANNOT_FAIL);
            let mut words = words.to_owned();
            while text_width(&words) > room && words.chars().count() > 4 {
                words = text::shorten(&words, words.chars().count() - 1);
            }
            let label =
                Text::new(words, (x + 110, height), style(ink, HPos::Left, VPos::Center, false));
            root.draw(&label).expect(CANNOT_FAIL);
        }
    }

    fn draw_captions(&self, root: &Root<'_>) {
        let y = Text::new(
            self.y_caption.clone(),
            (2 * SCALE, 7 * SCALE),
            style(Ink::Muted, HPos::Left, VPos::Center, false),
        );
        root.draw(&y).expect(CANNOT_FAIL);
        let right = (self.size.0 - self.margin_x.1) as i32 * SCALE;
        let x = Text::new(
            self.x_caption.clone(),
            (right, (self.size.1 as i32 - 7) * SCALE),
            style(Ink::Muted, HPos::Right, VPos::Center, false),
        );
        root.draw(&x).expect(CANNOT_FAIL);
    }
}

/// Pixels that the widest of some labels needs, between bounds.
#[must_use]
pub fn label_room(labels: &[(f64, String)], least: u32, most: u32) -> u32 {
    let widest = labels.iter().map(|(_, label)| text_width(label)).fold(0.0, f64::max);
    ((widest * f64::from(FONT_PX)) as u32 + 14).clamp(least, most)
}

/// A text style of ours.
fn style(ink: Ink, h: HPos, v: VPos, bold: bool) -> TextStyle<'static> {
    let face = if bold { FontStyle::Bold } else { FontStyle::Normal };
    let size = (if bold { FONT_PX - 1 } else { FONT_PX }) * SCALE;
    let font = FontDesc::new(FontFamily::SansSerif, f64::from(size), face);
    let mut style = TextStyle::from(font);
    style.color = ink.color().to_backend_color();
    style.pos = Pos::new(h, v);
    style
}

fn draw_mark(root: &Root<'_>, (x, y): (i32, i32), shape: Shape, radius: i32, ink: Ink) {
    let filled = Pen::line(ink).style(true);
    let r = radius;
    let outline = match shape {
        Shape::Dot => {
            root.draw(&Circle::new((x, y), r, filled)).expect(CANNOT_FAIL);
            return;
        }
        Shape::Ring => {
            let core = Pen::line(Ink::Paper).style(true);
            root.draw(&Circle::new((x, y), r, core)).expect(CANNOT_FAIL);
            let ring = Pen::line(ink).width(18).style(false);
            root.draw(&Circle::new((x, y), r, ring)).expect(CANNOT_FAIL);
            return;
        }
        Shape::Cross => {
            let r = r * 8 / 10;
            let pen = Pen::line(ink).width(20).style(false);
            for ends in [[(x - r, y - r), (x + r, y + r)], [(x - r, y + r), (x + r, y - r)]] {
                root.draw(&PathElement::new(ends.to_vec(), pen)).expect(CANNOT_FAIL);
            }
            return;
        }
        Shape::Up => vec![(x, y - r), (x + r, y + r * 8 / 10), (x - r, y + r * 8 / 10)],
        Shape::Down => vec![(x, y + r), (x + r, y - r * 8 / 10), (x - r, y - r * 8 / 10)],
        Shape::Left => vec![(x - r, y), (x + r * 8 / 10, y - r), (x + r * 8 / 10, y + r)],
        Shape::Right => vec![(x + r, y), (x - r * 8 / 10, y - r), (x - r * 8 / 10, y + r)],
        Shape::Square => {
            let r = r * 9 / 10;
            vec![(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]
        }
        Shape::Diamond => vec![(x, y - r), (x + r, y), (x, y + r), (x - r, y)],
    };
    root.draw(&Polygon::new(outline, filled)).expect(CANNOT_FAIL);
}

/// Moves ascending heights apart to at least `gap`, inside [top, bottom] as far as they fit.
fn spread(heights: &[i32], gap: i32, top: i32, bottom: i32) -> Vec<i32> {
    let mut out = heights.to_vec();
    for index in 0..out.len() {
        let floor = if index == 0 { top } else { out[index - 1] + gap };
        out[index] = out[index].max(floor);
    }
    let mut ceiling = bottom;
    for height in out.iter_mut().rev() {
        *height = (*height).min(ceiling);
        ceiling = *height - gap;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(layers: Vec<Layer>) -> Chart {
        Chart {
            size: (400, 200),
            margin_x: (40, 60),
            margin_top: TOP_PX,
            x: Axis {
                min: 0.0,
                max: 10.0,
                ticks: vec![(0.0, "0".into()), (5.0, "five".into())],
                log: false,
            },
            y: Axis { min: 0.0, max: 1.0, ticks: vec![(0.5, "half".into())], log: false },
            y_caption: "share".into(),
            x_caption: "time".into(),
            grid_vertical: false,
            layers,
        }
    }

    #[test]
    fn draws_classes_and_never_colours() {
        let line = Layer::Line(vec![(0.0, 0.0), (10.0, 1.0)], Pen::line(Ink::Arm(1)));
        let elements = chart(vec![line, Layer::Flag(5.0, "1".into())]).elements();
        assert!(elements.contains("class=\"l a1\""), "{elements}");
        assert!(elements.contains(">five</text>") && elements.contains(">half</text>"));
        assert!(!elements.contains('#') && !elements.contains("rgb"));
    }

    #[test]
    fn a_gap_in_the_data_is_a_gap_in_the_line() {
        let points = vec![(0.0, 0.1), (1.0, 0.2), (2.0, f64::NAN), (3.0, 0.1), (4.0, 0.2)];
        let elements = chart(vec![Layer::Line(points, Pen::line(Ink::Arm(0)))]).elements();
        let path = elements.split("class=\"l a0\"").nth(1).expect("the line is there");
        let data = path.split('"').nth(3).expect("path data");
        assert_eq!(data.matches('M').count(), 2, "{data}");
    }

    #[test]
    fn values_outside_stay_at_the_edge() {
        let axis = Axis { min: 1.0, max: 100.0, ticks: vec![], log: true };
        assert_eq!(axis.position(0.0), 0.0);
        assert_eq!(axis.position(10.0), 0.5);
        assert_eq!(axis.position(1e9), 1.0);
        assert_eq!(axis.position(f64::NAN), 0.0);
    }

    #[test]
    fn labels_do_not_cover_each_other() {
        assert_eq!(spread(&[10, 12, 14], 10, 0, 100), [10, 20, 30]);
        assert_eq!(spread(&[95, 96, 97], 10, 0, 100), [80, 90, 100]);
    }
}
