//! Heat maps: how loaded the worst entities are over time, a row each.

use super::axis::TimeScale;
use super::timeline::{Context, buckets};
use super::worst::{self, Worst};
use super::{ARMS_MAX, Grid, Heading, LegendItem, Picture, Plot, Swatch, WIDE_PX};
use crate::figure::{Axis, Chart, Dash, HEAT_INKS, Ink, Layer, Pen, TOP_PX, label_room};
use crate::number::percent;
use crate::rows::{Missing, Spread};
use crate::text;
use std::fmt::Write as _;

/// Most rows of a heat map.
const ROWS_MAX: usize = 20;
/// Most columns; several buckets share one where there are more.
const COLUMNS_MAX: usize = 96;
/// Height of a row, pixels.
const ROW_PX: u32 = 16;
/// Room right of the cells, pixels.
const RIGHT_PX: u32 = 22;
/// Height below the cells that [`Chart`] takes for labels, pixels.
const BOTTOM_PX: u32 = 38;
/// Share of the capacity of a step of colour.
const STEP: f64 = 0.2;
/// From this step on, above capacity, a cell has a title of its own; others share that of their row.
const TITLED_FROM: usize = HEAT_INKS - 1;

/// What there is to say about a kind of entity.
struct Kind {
    id: &'static str,
    title: &'static str,
    noun: &'static str,
    how: &'static str,
}

/// Utilisation of the worst link directions.
///
/// # Errors
/// Why there is none.
pub fn links(context: &Context<'_>) -> Result<Plot, Missing> {
    let worst = worst::links(context, ROWS_MAX)?;
    let kind = Kind {
        id: "links-heat",
        title: "Utilisation of links over time",
        noun: "link direction",
        how: "A row is a link direction, the worst first, the same rows in every arm. A cell is the \
              largest utilisation in its time, mean over replications. Utilisation is what routing \
              places on a link over its capacity; above 100 % traffic is lost there, which a dotted \
              line marks. No colour: no value. Point at a row or at a cell above 100 % to read its numbers. → is \
              from a link's first end to its second, ← is back.",
    };
    Ok(draw(context, &worst, &kind))
}

/// CPU utilisation of the worst sites.
///
/// # Errors
/// Why there is none.
pub fn sites(context: &Context<'_>) -> Result<Plot, Missing> {
    let worst = worst::sites(context, ROWS_MAX)?;
    let kind = Kind {
        id: "sites-heat",
        title: "CPU utilisation of sites over time",
        noun: "site",
        how: "A row is a site, the worst first, the same rows in every arm. A cell is the largest CPU \
              utilisation in its time, mean over replications. Utilisation is the CPU work offered \
              over CPU capacity; above 100 % requests queue and are then lost, which a dotted line \
              marks. No colour: no value. Point at a row or at a cell above 100 % to read its numbers.",
    };
    Ok(draw(context, &worst, &kind))
}

fn draw(context: &Context<'_>, worst: &Worst, kind: &Kind) -> Plot {
    let arms = &context.view.summary.arms;
    let rows = worst.curves.len();
    let names: Vec<String> =
        worst.curves.iter().map(|curve| text::shorten(&curve.label, 34)).collect();
    let ticks: Vec<(f64, String)> = names
        .iter()
        .enumerate()
        .map(|(row, name)| (rows as f64 - 0.5 - row as f64, name.clone()))
        .collect();
    let left = label_room(&ticks, 60, 250) + 10;
    let size = (WIDE_PX, TOP_PX + ROW_PX * rows as u32 + BOTTOM_PX);
    let plot_px = size.0 - left - RIGHT_PX;
    let buckets = buckets(context);
    let pictures = (0..arms.len().min(ARMS_MAX))
        .map(|arm| {
            let span = (buckets.first(), buckets.last());
            let place = Place { left: f64::from(left), width: f64::from(plot_px), span };
            let mut elements = String::new();
            for (row, curve) in worst.curves.iter().enumerate() {
                let cells = Cells::of(&curve.spreads[arm], context);
                cells.draw(&mut elements, &place, &context.scale, (row, &curve.label));
            }
            let mut layers = context.marks.layers(Some(arm), span, f64::from(plot_px));
            // Triangles of actions would hide the last row.
            layers.retain(|layer| !matches!(layer, Layer::Tick(..)));
            let chart = Chart {
                size,
                margin_x: (left, RIGHT_PX),
                margin_top: TOP_PX,
                x: context.scale.axis(span.0, span.1, plot_px as usize / 70),
                y: Axis { min: 0.0, max: rows as f64, ticks: ticks.clone(), log: false },
                y_caption: String::new(),
                x_caption: context.scale.caption(),
                grid_vertical: true,
                layers,
            };
            elements.push_str(&chart.elements());
            Picture {
                name: arms[arm].arm.clone(),
                heading: if arms.len() > 1 { Heading::Arm(arm) } else { Heading::None },
                description: describe(worst, arm),
                size,
                elements,
                ground: None,
            }
        })
        .collect();
    let left_out = match worst.count.saturating_sub(rows) {
        0 => "All are shown.".to_owned(),
        n => format!("Shown: the {rows} worst; {} left out.", text::count(n, kind.noun)),
    };
    Plot {
        id: kind.id.to_owned(),
        title: kind.title.to_owned(),
        shows: format!("{} in any arm. {left_out}", worst.overloaded_words(kind.noun)),
        how: kind.how,
        legend: legend(),
        pictures,
        data: Some(grid(context, worst, kind)),
    }
}

fn legend() -> Vec<LegendItem> {
    (0..HEAT_INKS)
        .map(|step| {
            let patch = Swatch::Patch(Pen::line(Ink::Heat(step)));
            let (from, to) = (percent(step as f64 * STEP), percent((step + 1) as f64 * STEP));
            if step + 1 < HEAT_INKS {
                LegendItem { swatches: vec![patch], label: format!("{from} to {to}") }
            } else {
                let dots = Swatch::Line(Pen::line(Ink::Heat(step)).dashed(Dash::Dots));
                LegendItem { swatches: vec![patch, dots], label: format!("above {from}") }
            }
        })
        .collect()
}

/// Step of colour of a utilisation; none where there is no value.
fn step_of(value: f64) -> Option<usize> {
    if !value.is_finite() {
        None
    } else if value > 1.0 {
        Some(HEAT_INKS - 1)
    } else {
        Some(((value.max(0.0) / STEP) as usize).min(HEAT_INKS - 2))
    }
}

/// Where cells lie.
struct Place {
    left: f64,
    width: f64,
    span: (f64, f64),
}

impl Place {
    fn x(&self, time_s: f64) -> f64 {
        let at = (time_s - self.span.0) / (self.span.1 - self.span.0);
        self.left + if at.is_finite() { at.clamp(0.0, 1.0) } else { 0.0 } * self.width
    }
}

/// One row: cells of equal colour that touch are one.
struct Cells {
    /// Start, end, step and largest value.
    runs: Vec<(f64, f64, Option<usize>, f64)>,
    summary: String,
}

impl Cells {
    fn of(spread: &Spread, context: &Context<'_>) -> Cells {
        let buckets = buckets(context);
        let count = buckets.starts_s.len();
        let columns = count.min(COLUMNS_MAX);
        let start =
            |bucket: usize| buckets.starts_s.get(bucket).copied().unwrap_or_else(|| buckets.last());
        let mut runs: Vec<(f64, f64, Option<usize>, f64)> = Vec::new();
        for column in 0..columns {
            let (from, to) = (column * count / columns, (column + 1) * count / columns);
            let value = highest(&spread.mean[from..to]);
            let step = step_of(value);
            match runs.last_mut() {
                Some((_, end, last, largest)) if *last == step => {
                    *end = start(to);
                    *largest = largest.max(value);
                }
                _ => runs.push((start(from), start(to), step, value)),
            }
        }
        Cells { runs, summary: summary(spread, context) }
    }

    fn draw(
        &self,
        out: &mut String,
        place: &Place,
        scale: &TimeScale,
        (row, label): (usize, &str),
    ) {
        // A stroke along the middle of the row, as thick as the style sheet says.
        let middle = TOP_PX + ROW_PX * row as u32 + ROW_PX / 2;
        let stroke = |from: f64, to: f64| {
            // Whole pixels: neighbours meet, and there are many.
            let (x0, x1) = (place.x(from).round(), place.x(to).round());
            format!("M{x0} {middle}h{}", x1 - x0)
        };
        let title = text::xml(&format!("{label}: {}", self.summary));
        let _ = write!(out, "<g><title>{title}</title>");
        let mut paths = vec![String::new(); TITLED_FROM];
        let mut over = String::new();
        for &(from, to, step, value) in &self.runs {
            let data = stroke(from, to);
            match step {
                None => {}
                Some(step) if step < TITLED_FROM => paths[step].push_str(&data),
                Some(step) => {
                    let (class, value) = (Ink::Heat(step).class(), percent(value));
                    let times = format!("{} to {}", scale.instant(from), scale.instant(to));
                    let title = text::xml(&format!("{times}: up to {value}"));
                    let _ = write!(
                        out,
                        "<path class=\"k {class}\" d=\"{data}\"><title>{title}</title></path>"
                    );
                    if step + 1 == HEAT_INKS {
                        over.push_str(&data);
                    }
                }
            }
        }
        for (step, data) in paths.iter().enumerate().filter(|(_, data)| !data.is_empty()) {
            let class = Ink::Heat(step).class();
            let _ = write!(out, "<path class=\"k {class}\" d=\"{data}\"/>");
        }
        // Above capacity is told by dots as well, not by colour alone.
        if !over.is_empty() {
            let dots = Dash::Dots.class();
            let _ = write!(out, "<path class=\"l pa {dots}\" stroke-width=\"1.5\" d=\"{over}\"/>");
        }
        out.push_str("</g>");
    }
}

/// The largest of some values; not a number if there is none.
fn highest(values: &[f64]) -> f64 {
    values.iter().copied().filter(|value| value.is_finite()).fold(f64::NAN, f64::max)
}

/// Highest value and when, mean, and for how much of the time it is above capacity.
fn facts(spread: &Spread, context: &Context<'_>) -> Option<[String; 4]> {
    let finite = || spread.mean.iter().enumerate().filter(|(_, value)| value.is_finite());
    // The first of equal ones: `max_by` would give the last.
    let peak = highest(&spread.mean);
    let (at, _) = finite().find(|(_, value)| **value == peak)?;
    let count = finite().count() as f64;
    let mean = finite().map(|(_, value)| value).sum::<f64>() / count;
    let over = finite().filter(|(_, value)| **value > 1.0).count() as f64 / count;
    let when = context.scale.instant(context.buckets[at]);
    Some([percent(peak), when, percent(mean), percent(over)])
}

fn summary(spread: &Spread, context: &Context<'_>) -> String {
    match facts(spread, context) {
        None => "no value".to_owned(),
        Some([peak, when, mean, over]) => {
            format!("highest {peak} at {when}, mean {mean}, above 100 % for {over} of the time")
        }
    }
}

fn describe(worst: &Worst, arm: usize) -> String {
    let of = |curve: &super::timeline::Curve| highest(&curve.spreads[arm].mean);
    let over = worst.curves.iter().filter(|curve| of(curve) > 1.0).count();
    let highest = worst.curves.iter().max_by(|a, b| of(a).total_cmp(&of(b)));
    let words = highest.map_or_else(String::new, |curve| {
        format!(" The highest is {} with {}.", curve.label, percent(of(curve).max(0.0)))
    });
    format!("Heat map with {} rows; {over} go above 100 %.{words}", worst.curves.len())
}

fn grid(context: &Context<'_>, worst: &Worst, kind: &Kind) -> Grid {
    let arms = &context.view.summary.arms;
    let mut head = vec![kind.noun.to_owned()];
    for arm in arms.iter().take(ARMS_MAX) {
        let name = text::shorten(&text::clean(&arm.arm), 24);
        let of = |what: &str| if arms.len() > 1 { format!("{name}, {what}") } else { what.into() };
        head.extend(["highest", "when", "mean", "above 100 %"].map(of));
    }
    let rows = worst
        .curves
        .iter()
        .map(|curve| {
            let mut cells = vec![curve.label.clone()];
            for spread in curve.spreads.iter().take(ARMS_MAX) {
                let none = || ["–"; 4].map(str::to_owned);
                cells.extend(facts(spread, context).unwrap_or_else(none));
            }
            cells
        })
        .collect();
    Grid { head, rows, word_columns: 1, note: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_fifths_of_the_capacity_and_one_above() {
        let steps = [-0.1, 0.0, 0.19, 0.2, 0.79, 0.8, 1.0, 1.001, 1e9].map(step_of);
        assert_eq!(steps, [0, 0, 0, 1, 3, 4, 4, 5, 5].map(Some));
        assert_eq!(step_of(f64::NAN), None);
    }
}
