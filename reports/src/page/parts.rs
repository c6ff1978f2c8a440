//! Pieces that several sections use: swatches, tables, figures.

use crate::figure::svg::{self, Frame};
use crate::figure::{Dash, Ink, Pen, Shape};
use crate::plots::{Grid, HALF_PX, Heading, LegendItem, Picture, Plot, Shown, Swatch, THIRD_PX};
use crate::text;
use maud::{Markup, PreEscaped, html};
use steerlab_results::view::RunView;

/// Words up to this long are kept in one line of a table.
const SHORT_CHARS: usize = 16;

/// A sample of an arm's line.
#[must_use]
pub fn arm_swatch(arm: usize) -> Markup {
    swatch(Swatch::Line(Pen::line(Ink::Arm(arm)).dashed(Dash::of(arm)).width(30)))
}

/// An arm's name with its sample.
#[must_use]
pub fn arm_name(view: &RunView, arm: usize) -> Markup {
    let id = view.summary.arms.get(arm).map_or("", |arm| arm.arm.as_str());
    html! { (arm_swatch(arm)) (text::clean(id)) }
}

/// A sample of ink.
#[must_use]
pub fn swatch(swatch: Swatch) -> Markup {
    let (size, body) = match swatch {
        Swatch::Line(pen) => {
            let class = [pen.ink.class(), pen.dash.class()].join(" ");
            let width = f64::from(pen.width.max(12)) / 10.0;
            (
                26,
                format!(
                    "<path class=\"l {}\" stroke-width=\"{width}\" d=\"M1 6h24\"/>",
                    class.trim_end()
                ),
            )
        }
        Swatch::Patch(pen) => {
            let opacity = if pen.opacity < 1.0 {
                format!(" opacity=\"{}\"", pen.opacity)
            } else {
                String::new()
            };
            (
                18,
                format!(
                    "<rect class=\"f {}\"{opacity} x=\"1\" y=\"1\" width=\"16\" height=\"10\"/>",
                    pen.ink.class()
                ),
            )
        }
        Swatch::Mark(shape, ink) => (14, mark(shape, ink)),
    };
    html! {
        svg.sw width=(size) height="12" viewBox={ "0 0 " (size) " 12" } aria-hidden="true" {
            (PreEscaped(body))
        }
    }
}

fn mark(shape: Shape, ink: Ink) -> String {
    let class = ink.class();
    match shape {
        Shape::Dot => format!("<circle class=\"f {class}\" cx=\"7\" cy=\"6\" r=\"4.5\"/>"),
        Shape::Ring => {
            format!("<circle class=\"l {class}\" stroke-width=\"1.8\" cx=\"7\" cy=\"6\" r=\"4\"/>")
        }
        Shape::Up => format!("<path class=\"f {class}\" d=\"M7 1.5l4.5 8.5h-9z\"/>"),
        Shape::Left => format!("<path class=\"f {class}\" d=\"M2.5 6l8.5-4.5v9z\"/>"),
        Shape::Right => format!("<path class=\"f {class}\" d=\"M11.5 6l-8.5-4.5v9z\"/>"),
        Shape::Square => format!("<path class=\"f {class}\" d=\"M3 2h8v8h-8z\"/>"),
        Shape::Down => format!("<path class=\"f {class}\" d=\"M7 10.5l4.5-8.5h-9z\"/>"),
        Shape::Cross => {
            format!("<path class=\"l {class}\" stroke-width=\"2\" d=\"M3.5 2.5l7 7m0-7l-7 7\"/>")
        }
        Shape::Diamond => {
            format!("<path class=\"f {class}\" d=\"M7 .8l5.2 5.2-5.2 5.2-5.2-5.2z\"/>")
        }
    }
}

/// A table of cells that are already text.
#[must_use]
pub fn table(grid: &Grid) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Table" {
            table {
                thead { tr {
                    @for (index, head) in grid.head.iter().enumerate() {
                        th scope="col" class=[(index >= grid.word_columns).then_some("n")] { (head) }
                    }
                } }
                tbody {
                    @for row in &grid.rows { tr {
                        @for (index, cell) in row.iter().enumerate() {
                            td class=[cell_class(index >= grid.word_columns, cell)] { (cell) }
                        }
                    } }
                }
            }
        }
        @if !grid.note.is_empty() { p.quiet { (grid.note) } }
    }
}

/// Numbers stand at the right; short words such as instants are not broken.
fn cell_class(number: bool, cell: &str) -> Option<&'static str> {
    match (number, cell.chars().count()) {
        (true, _) => Some("n"),
        (false, 1..=SHORT_CHARS) => Some("w"),
        _ => None,
    }
}

/// A figure, or why there is none.
#[must_use]
pub fn figure(view: &RunView, shown: &Shown, data: bool) -> Markup {
    let plot = match shown {
        Ok(plot) => plot,
        Err(absent) => {
            return html! {
                p.absent { strong { (absent.title) } " is left out. " (absent.why.0) }
            };
        }
    };
    let caption = format!("{}-caption", plot.id);
    html! {
        figure role="group" aria-labelledby=(caption) {
            figcaption #(caption) {
                h3 { (plot.title) }
                p { (plot.shows) }
            }
            (legend(&plot.legend))
            div class={ "pictures" (columns(plot)) } {
                @for (index, picture) in plot.pictures.iter().enumerate() {
                    (panel(view, plot, index, picture))
                }
            }
            p.how { strong { "How to read. " } (plot.how) }
            @if let (true, Some(grid)) = (data, &plot.data) {
                details.data {
                    summary { "Numbers behind this figure" }
                    (table(grid))
                }
            }
        }
    }
}

/// Class of the grid that fits the width of the pictures.
fn columns(plot: &Plot) -> &'static str {
    match plot.pictures.first().map(|picture| picture.size.0) {
        Some(THIRD_PX) => " three",
        Some(HALF_PX) => " many",
        _ => " one",
    }
}

fn legend(items: &[LegendItem]) -> Markup {
    html! {
        @if !items.is_empty() {
            ul.legend {
                @for item in items {
                    li { @for sample in &item.swatches { (swatch(*sample)) } (item.label) }
                }
            }
        }
    }
}

fn panel(view: &RunView, plot: &Plot, index: usize, picture: &Picture) -> Markup {
    let id = format!("{}-{index}", plot.id);
    let land = format!("{}-land", plot.id);
    let (width, height) = picture.size;
    let ground = match (&picture.ground, index) {
        (None, _) => String::new(),
        (Some(path), 0) => format!(
            "<rect class=\"sea\" width=\"{width}\" height=\"{height}\"/><path id=\"{land}\" class=\"land\" d=\"{path}\"/>"
        ),
        (Some(_), _) => format!(
            "<rect class=\"sea\" width=\"{width}\" height=\"{height}\"/><use href=\"#{land}\"/>"
        ),
    };
    let svg = svg::inline(&Frame {
        id: &id,
        title: &picture_title(view, plot, picture),
        description: &picture.description,
        size: picture.size,
        ground: &ground,
        elements: &picture.elements,
    });
    html! {
        div.panel {
            @match &picture.heading {
                Heading::None => {},
                Heading::Arm(arm) => h4 { (arm_name(view, *arm)) },
                Heading::Words(words) => h4 { (words) },
            }
            div.scroll tabindex="0" role="group" aria-label={ (plot.title) ", picture" } { (PreEscaped(svg)) }
        }
    }
}

/// Title of one picture: that of the figure and what sets it apart.
#[must_use]
pub fn picture_title(view: &RunView, plot: &Plot, picture: &Picture) -> String {
    match &picture.heading {
        Heading::None => plot.title.clone(),
        Heading::Arm(arm) => {
            let id = view.summary.arms.get(*arm).map_or("", |arm| arm.arm.as_str());
            format!("{}: {}", plot.title, text::clean(id))
        }
        Heading::Words(words) => format!("{}: {words}", plot.title),
    }
}
