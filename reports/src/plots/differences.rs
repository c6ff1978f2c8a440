//! Paired differences around zero: what changed against the baseline, and how sure that is.

use super::axis::signed_percent_axis;
use super::{Grid, Heading, LegendItem, Picture, Plot, Swatch, WIDE_PX};
use crate::figure::{Axis, Chart, Ink, Layer, Pen, Shape, label_room};
use crate::number::percent;
use crate::rows::Missing;
use crate::text;
use crate::words::{self, verdict_word};
use steerlab_results::summary::{ComparisonRow, Verdict};
use steerlab_results::view::RunView;

/// Most rows that are drawn; the others are in the table of the section.
const ROWS_MAX: usize = 40;

/// Most rows of the table.
const TABLE_ROWS_MAX: usize = 300;

/// Largest relative difference the axis shows; beyond it an arrow stands at the edge.
const EXTENT_MAX: f64 = 1.5;

/// Height of a row, pixels.
const ROW_PX: u32 = 30;

/// Ink and shape of a verdict.
#[must_use]
pub fn verdict_mark(verdict: Verdict) -> (Shape, Ink) {
    match verdict {
        Verdict::Better => (Shape::Dot, Ink::Better),
        Verdict::Worse => (Shape::Square, Ink::Worse),
        Verdict::NoMaterialDifference => (Shape::Ring, Ink::Muted),
        Verdict::Inconclusive => (Shape::Diamond, Ink::Muted),
    }
}

/// The dot-and-interval plot of the summary's comparison.
///
/// # Errors
/// If nothing was compared.
pub fn differences(view: &RunView) -> Result<Plot, Missing> {
    let rows = &view.summary.comparison;
    if rows.is_empty() {
        let why = if view.summary.arms.len() < 2 {
            "There is one arm, so there is nothing to compare it with."
        } else {
            "The scenario names no metrics to compare."
        };
        return Err(Missing(why.to_owned()));
    }
    let drawn: Vec<&ComparisonRow> = rows.iter().take(ROWS_MAX).collect();
    let mut shows = words::comparison_counts(rows);
    if rows.len() > drawn.len() {
        shows.push_str(&format!(" The first {ROWS_MAX} of {} are drawn.", rows.len()));
    }
    let size = (WIDE_PX, 48 + ROW_PX * drawn.len() as u32);
    Ok(Plot {
        id: "differences".to_owned(),
        title: "Paired differences".to_owned(),
        shows,
        how: "Each row is one metric of one arm against the baseline, as a share of the baseline's \
              mean. The dot is the mean of the paired differences, the bar its confidence \
              interval. The shaded zone is the margin within which a difference does not matter: \
              a verdict is given when the interval lies wholly inside or wholly outside of it. \
              Whether left or right is better depends on the metric; shape and word say which.",
        legend: legend(),
        pictures: vec![Picture {
            name: String::new(),
            heading: Heading::None,
            description: drawn
                .iter()
                .map(|row| words::comparison_sentence(row))
                .collect::<Vec<_>>()
                .join(" "),
            size,
            elements: chart(view, &drawn, size).elements(),
            ground: None,
        }],
        data: Some(grid(rows, view.summary.confidence)),
    })
}

/// What a difference is divided by to become relative.
fn scale(row: &ComparisonRow) -> Option<f64> {
    let base = row.baseline_mean.abs();
    (base > 0.0 && base.is_finite()).then_some(base)
}

fn chart(view: &RunView, rows: &[&ComparisonRow], size: (u32, u32)) -> Chart {
    let relative = |row: &&ComparisonRow| {
        let scale = scale(row)?;
        let (low, high) = row.interval.unwrap_or((row.difference, row.difference));
        Some([low / scale, high / scale, row.margin / scale].map(f64::abs))
    };
    let extent = rows.iter().filter_map(relative).flatten().filter(|v| v.is_finite());
    let x = signed_percent_axis(extent.fold(0.02, f64::max).min(EXTENT_MAX));
    let count = rows.len() as f64;
    let several = view.summary.arms.len() > 2;
    let ticks: Vec<(f64, String)> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            let name = text::metric(&row.metric, &row.labels);
            let name =
                if several { format!("{}: {name}", text::clean(&row.candidate)) } else { name };
            (count - 0.5 - index as f64, text::shorten(&name, 44))
        })
        .collect();
    let mut layers = vec![];
    for (index, row) in rows.iter().enumerate() {
        push_row(&mut layers, &x, count - 0.5 - index as f64, row);
    }
    layers.push(Layer::Rule(0.0, Pen::line(Ink::Text).width(10)));
    // The dots go over the zero line.
    let (marks, mut back): (Vec<_>, Vec<_>) =
        layers.into_iter().partition(|layer| matches!(layer, Layer::Mark(..)));
    back.extend(marks);
    Chart {
        size,
        margin_x: (label_room(&ticks, 120, 320), 250),
        margin_top: 10,
        x,
        y: Axis { min: 0.0, max: count, ticks, log: false },
        y_caption: String::new(),
        x_caption: "difference from the baseline, share of the baseline's mean".to_owned(),
        grid_vertical: true,
        layers: back,
    }
}

fn push_row(layers: &mut Vec<Layer>, x: &Axis, y: f64, row: &ComparisonRow) {
    let (shape, ink) = verdict_mark(row.verdict);
    let word = verdict_word(row.verdict);
    let Some(scale) = scale(row) else {
        let words = format!(
            "{word}: 0 to {}",
            words::metric_value(&row.metric, &row.unit, row.candidate_mean)
        );
        layers.push(Layer::Words(x.max, y, (14, 0), words, ink, 1));
        return;
    };
    let margin = (row.margin / scale).min(x.max);
    let zone = [(-margin, y - 0.38), (margin, y - 0.38), (margin, y + 0.38), (-margin, y + 0.38)];
    layers.push(Layer::Area(zone.to_vec(), Pen::line(Ink::Zone)));
    let inside = |value: f64| value.clamp(x.min, x.max);
    if let Some((low, high)) = row.interval {
        let bar = vec![(inside(low / scale), y), (inside(high / scale), y)];
        layers.push(Layer::Line(bar, Pen::line(ink).width(26)));
    }
    let at = row.difference / scale;
    let shape = match (at < x.min, at > x.max) {
        (true, _) => Shape::Left,
        (_, true) => Shape::Right,
        _ => shape,
    };
    layers.push(Layer::Mark(inside(at), y, shape, 48, ink));
    let words = format!("{word}, {}", relative_words(at));
    layers.push(Layer::Words(x.max, y, (14, 0), words, ink, 1));
}

fn relative_words(ratio: f64) -> String {
    let text = percent(ratio);
    if ratio > 0.0 { format!("+{text}") } else { text }
}

fn legend() -> Vec<LegendItem> {
    let verdicts =
        [Verdict::Better, Verdict::Worse, Verdict::NoMaterialDifference, Verdict::Inconclusive];
    let mut items: Vec<LegendItem> = verdicts
        .into_iter()
        .map(|verdict| {
            let (shape, ink) = verdict_mark(verdict);
            let label = verdict_word(verdict).to_owned();
            LegendItem { swatches: vec![Swatch::Mark(shape, ink)], label }
        })
        .collect();
    items.push(LegendItem {
        swatches: vec![Swatch::Patch(Pen::line(Ink::Zone))],
        label: "margin".to_owned(),
    });
    items
}

/// The comparison as a table.
#[must_use]
pub fn grid(rows: &[ComparisonRow], confidence: f64) -> Grid {
    let head = [
        "metric".to_owned(),
        "arm".to_owned(),
        "against".to_owned(),
        "verdict".to_owned(),
        "against, mean".to_owned(),
        "arm, mean".to_owned(),
        "difference".to_owned(),
        format!("{} interval", percent(confidence)),
        "margin".to_owned(),
        "p (Holm)".to_owned(),
        "pairs".to_owned(),
    ];
    let cells = |row: &ComparisonRow| {
        let interval = row.interval.map_or("–".to_owned(), |(low, high)| {
            let difference = |value| words::metric_difference(&row.metric, &row.unit, value);
            format!("{} to {}", difference(low), difference(high))
        });
        vec![
            text::metric(&row.metric, &row.labels),
            text::clean(&row.candidate),
            text::clean(&row.baseline),
            words::verdict_with_need(row),
            words::metric_value(&row.metric, &row.unit, row.baseline_mean),
            words::metric_value(&row.metric, &row.unit, row.candidate_mean),
            words::metric_difference(&row.metric, &row.unit, row.difference),
            interval,
            words::metric_value(&row.metric, &row.unit, row.margin),
            row.p_value.map_or("–".to_owned(), words::p_value),
            row.n.to_string(),
        ]
    };
    Grid {
        head: head.to_vec(),
        rows: rows.iter().take(TABLE_ROWS_MAX).map(cells).collect(),
        word_columns: 4,
        note: if rows.len() > TABLE_ROWS_MAX {
            format!("The first {TABLE_ROWS_MAX} of {}; all are in summary.json.", rows.len())
        } else {
            String::new()
        },
    }
}
