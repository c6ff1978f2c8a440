//! Reports from a run directory: one self-contained page, pictures, Markdown and JUnit.
//!
//! Everything is made from a [`RunView`] alone, so a report can be made from an old run directory
//! without running anything. The same view gives the same bytes.
//!
//! What this crate must not know: files, clocks, YAML, the command line, how runs are made. It
//! knows results only.

mod figure;
mod junit;
mod markdown;
pub mod number;
mod page;
mod plots;
mod rows;
mod text;
mod words;

use figure::svg::{self, Frame};
use plots::{Figures, Plot};
use steerlab_results::summary::ComparisonRow;
use steerlab_results::view::RunView;

pub use number::{duration, number, percent, quantity, signed};

/// A picture as a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// File name without ending, `[a-z0-9._-]`: `traffic-spill`. Unique in a report.
    pub name: String,
    /// A complete SVG document that follows light and dark.
    pub svg: String,
    /// What it shows.
    pub title: String,
}

/// `report.html`: one page, no network, no scripts.
///
/// A table or column that is missing leaves its figure out, with a note that says why.
#[must_use]
pub fn html(view: &RunView) -> String {
    page::page(view)
}

/// All pictures of the report, each as a file of its own.
#[must_use]
pub fn figures(view: &RunView) -> Vec<Figure> {
    let figures = Figures::of(view);
    let mut out: Vec<Figure> = Vec::new();
    for plot in figures.drawn() {
        for (index, picture) in plot.pictures.iter().enumerate() {
            out.push(file(view, plot, index, picture));
        }
    }
    out
}

fn file(view: &RunView, plot: &Plot, index: usize, picture: &plots::Picture) -> Figure {
    let name = match file_name(&picture.name) {
        part if plot.pictures.len() == 1 || part.is_empty() && index == 0 => plot.id.clone(),
        part => {
            // Two arms may differ only in characters a file name cannot have.
            let taken = |other: &plots::Picture| file_name(&other.name) == part;
            let number = plot.pictures[..index].iter().filter(|other| taken(other)).count();
            let suffix = if number > 0 { format!("-{}", number + 1) } else { String::new() };
            format!("{}-{part}{suffix}", plot.id)
        }
    };
    let (width, height) = picture.size;
    let ground = picture.ground.as_ref().map_or(String::new(), |path| {
        format!(
            "<rect class=\"sea\" width=\"{width}\" height=\"{height}\"/><path class=\"land\" d=\"{path}\"/>"
        )
    });
    let title = page::picture_title(view, plot, picture);
    let svg = svg::standalone(&Frame {
        id: &name,
        title: &title,
        description: &picture.description,
        size: picture.size,
        ground: &ground,
        elements: &picture.elements,
    });
    Figure { name, svg, title }
}

/// What of a name may stand in a file name everywhere, in lower case.
fn file_name(name: &str) -> String {
    let keep =
        |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    name.chars().take(60).map(keep).collect::<String>().trim_matches('-').to_owned()
}

/// A summary for step summaries and comments: verdict, checks, comparison, metrics; at most 60 kB.
#[must_use]
pub fn markdown(view: &RunView) -> String {
    markdown::summary(view)
}

/// A comparison of two runs as a Markdown table, at most 60 kB.
#[must_use]
pub fn markdown_comparison(rows: &[ComparisonRow]) -> String {
    markdown::comparison(rows)
}

/// The checks as JUnit XML: one case a check.
#[must_use]
pub fn junit(view: &RunView) -> String {
    junit::suite(view)
}
