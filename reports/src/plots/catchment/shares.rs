//! Which site serves what share of the users, over time.

use super::gather::{Catchment, Slot};
use crate::figure::{Chart, Dash, Layer, Pen, TOP_PX};
use crate::number::percent;
use crate::plots::axis::value_axis;
use crate::plots::curve::Buckets;
use crate::plots::timeline::Context;
use crate::plots::{ARMS_MAX, Grid, HALF_PX, Heading, LegendItem, Picture, Plot, Swatch, WIDE_PX};
use crate::rows::{Missing, Spread};
use crate::text;

/// Rows of the data table, all arms together.
const DATA_ROWS: usize = 48;
/// A band must be this high to carry its mark, pixels.
const MARK_PX: f64 = 13.0;
/// Smallest share at the end that gets a label of its own.
const LABELLED_MIN: f64 = 0.004;

/// The stacked area of landing sites.
///
/// # Errors
/// Why there is none.
pub fn over_time(context: &Context<'_>, catchment: &Catchment<'_>) -> Result<Plot, Missing> {
    if catchment.starts_s.len() < 2 {
        return Err(Missing(
            "The table of client groups has one bucket; a smaller `client_bucket` shows more."
                .to_owned(),
        ));
    }
    let arms = &context.view.summary.arms;
    let pictures = (0..arms.len().min(ARMS_MAX))
        .map(|arm| picture(context, catchment, arm, arms.len()))
        .collect();
    Ok(Plot {
        id: "catchment".to_owned(),
        title: "Which site serves whom".to_owned(),
        shows: shows(context, catchment),
        how: "Each picture is one arm. The height of a band is the share of all requests that come \
              from client groups landing at that site. A group counts whole for the site of its \
              first demand (with DNS: of the answer most of it follows) at the end of a client \
              bucket; what comes and goes within a bucket is in the table of moves. Lost: the group \
              lands at no site. Shares also shift \
              when groups at different hours want more or less. Named are the sites with most users \
              and those whose share changes most.",
        legend: areas(catchment),
        pictures,
        data: Some(grid(context, catchment)),
    })
}

/// How solid a band is.
fn opacity(slot: Slot) -> f64 {
    if slot == Slot::Lost { 0.75 } else { 0.32 }
}

/// The legend with patches before the marks.
fn areas(catchment: &Catchment<'_>) -> Vec<LegendItem> {
    let mut items = legend(catchment);
    for (item, slot) in items.iter_mut().zip(&catchment.slots) {
        item.swatches.insert(0, Swatch::Patch(Pen::line(slot.ink()).opacity(opacity(*slot))));
    }
    items
}

/// What the marks and colours stand for.
pub fn legend(catchment: &Catchment<'_>) -> Vec<LegendItem> {
    catchment
        .slots
        .iter()
        .map(|&slot| LegendItem {
            swatches: vec![Swatch::Mark(slot.shape(), slot.ink())],
            label: catchment.label(slot),
        })
        .collect()
}

fn picture(context: &Context<'_>, catchment: &Catchment<'_>, arm: usize, arms: usize) -> Picture {
    let size = if arms > 1 { (HALF_PX, 260) } else { (WIDE_PX, 290) };
    let margin_x = (42, 124);
    let plot = (size.0 - margin_x.0 - margin_x.1, size.1 - TOP_PX - 38);
    let buckets = Buckets { starts_s: &catchment.starts_s, width_s: catchment.width_s };
    let shares: Vec<Vec<f64>> =
        (0..catchment.starts_s.len()).map(|bucket| catchment.shares(arm, bucket)).collect();
    let mut base = vec![0.0; shares.len()];
    let (mut layers, mut front) = (Vec::new(), Vec::new());
    for (index, &slot) in catchment.slots.iter().enumerate() {
        let top: Vec<f64> = base.iter().zip(&shares).map(|(low, of)| low + of[index]).collect();
        let band = Spread { mean: Vec::new(), low: base, high: top };
        let pen = Pen::line(slot.ink());
        layers.push(Layer::Area(buckets.band(&band, plot.0 as usize), pen.opacity(opacity(slot))));
        let edge = pen.width(12).dashed(Dash::of(index));
        // Where a band has no height its edge is that of the band below.
        let seen = band.low.iter().zip(&band.high);
        let seen: Vec<f64> =
            seen.map(|(low, high)| if high > low { *high } else { f64::NAN }).collect();
        layers.push(Layer::Line(buckets.curve(&seen, plot.0 as usize), edge));
        push_names(&mut front, catchment, slot, &band, plot);
        base = band.high;
    }
    let span = (buckets.first(), buckets.last());
    layers.extend(context.marks.layers(Some(arm), span, f64::from(plot.0)));
    layers.extend(front);
    let (y, unit) = value_axis(1.0, "%");
    let chart = Chart {
        size,
        margin_x,
        margin_top: TOP_PX,
        x: context.scale.axis(span.0, span.1, plot.0 as usize / 70),
        y,
        y_caption: format!("share of requests by landing site, {unit}"),
        x_caption: context.scale.caption(),
        grid_vertical: false,
        layers,
    };
    let id = &context.view.summary.arms[arm].arm;
    Picture {
        name: id.clone(),
        heading: if arms > 1 { Heading::Arm(arm) } else { Heading::None },
        description: format!("Stacked shares of landing sites. {}", from_to(catchment, arm)),
        size,
        elements: chart.elements(),
        ground: None,
    }
}

/// The mark inside a band and its name at the end.
fn push_names(
    layers: &mut Vec<Layer>,
    catchment: &Catchment<'_>,
    slot: Slot,
    band: &Spread,
    (_, height_px): (u32, u32),
) {
    let height = |bucket: usize| band.high[bucket] - band.low[bucket];
    let buckets = band.low.len();
    // Where it stays thick for a while, so that the mark keeps clear of edges.
    let reach = buckets / 16;
    let thick = |bucket: usize| {
        let around = bucket.saturating_sub(reach)..(bucket + reach + 1).min(buckets);
        around.map(height).fold(f64::INFINITY, f64::min)
    };
    let Some(at) = (0..buckets).rev().max_by(|&a, &b| thick(a).total_cmp(&thick(b))) else {
        return;
    };
    if height(at) * f64::from(height_px) >= MARK_PX && slot != Slot::Lost {
        let middle = (catchment.starts_s[at] + catchment.end_s(at)) / 2.0;
        let y = (band.low[at] + band.high[at]) / 2.0;
        layers.push(Layer::Mark(middle, y, slot.shape(), 42, slot.ink()));
    }
    let last = buckets - 1;
    if height(last) >= LABELLED_MIN {
        let y = (band.low[last] + band.high[last]) / 2.0;
        // The full name is in the legend.
        let name = if slot == Slot::Other { "others".to_owned() } else { catchment.label(slot) };
        let words = format!("{name} {}", percent(round(height(last))));
        layers.push(Layer::EndLabel(y, words, slot.ink()));
    }
}

/// A share to a tenth of a percent: more would only look exact.
fn round(share: f64) -> f64 {
    (share * 1_000.0).round() / 1_000.0
}

/// `ams 43 % at first, 41 % at the end; ...`.
fn from_to(catchment: &Catchment<'_>, arm: usize) -> String {
    let (first, last) =
        (catchment.shares(arm, 0), catchment.shares(arm, catchment.starts_s.len() - 1));
    let parts: Vec<String> = catchment
        .slots
        .iter()
        .enumerate()
        .filter(|(index, _)| round(first[*index]) > 0.0 || round(last[*index]) > 0.0)
        .map(|(index, &slot)| {
            let (from, to) = (percent(round(first[index])), percent(round(last[index])));
            let name = catchment.label(slot);
            if from == to {
                format!("{name} {from} throughout")
            } else {
                format!("{name} {from} to {to}")
            }
        })
        .collect();
    let parts = parts.join(", ").replace("throughout", "at both ends");
    format!("From the first to the last bucket: {parts}.")
}

fn shows(context: &Context<'_>, catchment: &Catchment<'_>) -> String {
    let arms = &context.view.summary.arms;
    let mut out = vec![from_to(catchment, 0)];
    if arms.len() > 1 {
        out[0] = format!("Under {}, {}", text::clean(&arms[0].arm), lower_first(&out[0]));
    }
    let lost_at = catchment.slots.iter().position(|slot| *slot == Slot::Lost);
    for (arm, row) in arms.iter().enumerate().take(ARMS_MAX) {
        let Some(slot) = lost_at else { break };
        let lost = (0..catchment.starts_s.len()).map(|bucket| catchment.shares(arm, bucket)[slot]);
        let lost = round(lost.fold(0.0, f64::max));
        if lost > 0.0 {
            let words =
                format!("p to {} of the users land nowhere at the end of a bucket.", percent(lost));
            out.push(if arms.len() > 1 {
                format!("Under {} u{words}", text::clean(&row.arm))
            } else {
                format!("U{words}")
            });
        }
    }
    if arms.len() > ARMS_MAX {
        out.push(format!("Shown: the first {ARMS_MAX} of {} arms.", arms.len()));
    }
    out.join(" ")
}

fn lower_first(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or(String::new(), |c| c.to_lowercase().collect::<String>() + chars.as_str())
}

fn grid(context: &Context<'_>, catchment: &Catchment<'_>) -> Grid {
    let arms: Vec<_> = context.view.summary.arms.iter().take(ARMS_MAX).collect();
    let count = catchment.starts_s.len();
    let picked = count.min((DATA_ROWS / arms.len().max(1)).max(3));
    let mut head = vec!["bucket ends".to_owned(), "arm".to_owned()];
    head.extend(catchment.slots.iter().map(|&slot| catchment.label(slot)));
    let mut rows = Vec::new();
    for row in 0..picked {
        let bucket = row * count / picked;
        for (arm, summary) in arms.iter().enumerate() {
            let mut cells =
                vec![context.scale.instant(catchment.end_s(bucket)), text::clean(&summary.arm)];
            cells.extend(
                catchment.shares(arm, bucket).into_iter().map(|share| percent(round(share))),
            );
            rows.push(cells);
        }
    }
    let note = if picked < count {
        format!(
            "{picked} of {} buckets; all are in the tables.",
            crate::number::number(count as f64)
        )
    } else {
        String::new()
    };
    Grid { head, rows, word_columns: 2, note }
}
