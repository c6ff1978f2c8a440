//! Timelines: what happened when, one picture an arm on shared axes.

use super::axis::{TimeScale, value_axis};
use super::curve::Buckets;
use super::marks::Marks;
use super::worst;
use super::{ARMS_MAX, Grid, HALF_PX, Heading, LegendItem, Picture, Plot, Swatch, WIDE_PX};
use crate::figure::{Chart, Dash, Ink, LINE_INKS, Layer, Pen, TOP_PX};
use crate::number::{number, percent, quantity};
use crate::rows::{Cube, Missing, Rows, Spread};
use crate::text;
use steerlab_results::view::RunView;

/// Rows of the data table under a timeline.
const DATA_ROWS: usize = 24;

/// What all timelines share.
pub struct Context<'a> {
    /// The run directory.
    pub view: &'a RunView,
    /// Events and actions.
    pub marks: &'a Marks,
    /// How instants are told.
    pub scale: TimeScale,
    /// Buckets of the tables, seconds.
    pub buckets: Vec<f64>,
}

/// One curve of a timeline, in every arm.
pub struct Curve {
    /// What it is.
    pub label: String,
    /// Ink in an arm's picture, from the positions of arm and curve.
    pub ink: fn(usize, usize) -> Ink,
    /// Dash and width.
    pub pen: Pen,
    /// Whether the range of replications is shaded.
    pub band: bool,
    /// Whether the area down to zero is shaded.
    pub filled: bool,
    /// Whether its name stands at its end.
    pub end_label: bool,
    /// Per arm.
    pub spreads: Vec<Spread>,
}

/// A timeline before it is drawn.
pub struct Spec {
    /// Name of the figure.
    pub id: String,
    /// Title.
    pub title: String,
    /// What it shows, generated from the data.
    pub shows: String,
    /// How to read it.
    pub how: &'static str,
    /// Words at the vertical axis.
    pub caption: &'static str,
    /// Unit of the values.
    pub unit: &'static str,
    /// Back to front.
    pub curves: Vec<Curve>,
    /// A horizontal line that means something, such as full capacity.
    pub level: Option<f64>,
}

/// The ink of an arm, whatever the curve.
pub fn arm_ink(arm: usize, _curve: usize) -> Ink {
    Ink::Arm(arm)
}

/// The ink of the n-th entity, whatever the arm.
pub fn line_ink(_arm: usize, curve: usize) -> Ink {
    Ink::Line(curve)
}

/// Offered, served and lost traffic.
pub fn traffic(context: &Context<'_>) -> Result<Plot, Missing> {
    let rows = Rows::open(context.view, "totals")?;
    let get = |column| metric_spreads(context, &rows, column);
    let curve = |label: &str, ink, pen, filled: bool, spreads| Curve {
        label: label.to_owned(),
        ink,
        pen,
        band: !filled,
        filled,
        end_label: false,
        spreads,
    };
    let curves = vec![
        curve("lost", |_, _| Ink::Lost, Pen::line(Ink::Lost).width(10), true, get("dropped_bps")?),
        curve("served", arm_ink, Pen::line(Ink::Arm(0)).width(20), false, get("served_bps")?),
        curve(
            "offered",
            |_, _| Ink::Text,
            Pen::line(Ink::Text).width(12).dashed(Dash::Short),
            false,
            get("offered_bps")?,
        ),
    ];
    let lost = curves[0].spreads.iter().map(Spread::peak).fold(0.0, f64::max);
    let offered = curves[2].spreads.iter().map(Spread::peak).fold(0.0, f64::max);
    Ok(draw(
        context,
        Spec {
            id: "traffic".to_owned(),
            title: "Offered, served and lost traffic".to_owned(),
            shows: format!(
                "Offered traffic peaks at {}. The largest loss in any bucket is {}.",
                quantity(offered, "bit/s"),
                quantity(lost, "bit/s")
            ),
            how: "Each picture is one arm; all share both axes. Lines are means over replications, \
              shades run from the smallest to the largest replication. Served below offered means \
              that traffic was lost or is still queued. Flags are events, triangles on the time \
              axis are actions that took effect; the list above the timelines names the events.",
            caption: "traffic",
            unit: "bit/s",
            curves,
            level: None,
        },
    ))
}

/// Share of the offered traffic that was lost, all arms in one picture.
pub fn loss(context: &Context<'_>) -> Result<Plot, Missing> {
    let rows = Rows::open(context.view, "totals")?;
    let (offered, dropped) = (rows.numbers("offered_bps")?, rows.numbers("dropped_bps")?);
    let arms = context.view.summary.arms.len();
    // What a limit drops on purpose would hide what is lost against everybody's will.
    let policed = rows.numbers("dropped_bps_policed").ok();
    let policed = |row| policed.as_ref().map_or(0.0, |values| values.at(row));
    let ratio = |row| {
        let offered = offered.at(row);
        if offered > 0.0 { (dropped.at(row) - policed(row)) / offered } else { f64::NAN }
    };
    let limited = (0..rows.len()).any(|row| policed(row) > 0.0);
    let title = if limited {
        "Share of traffic lost, without what limits drop on purpose"
    } else {
        "Share of traffic lost"
    };
    let cube = Cube::gather(&rows, &context.buckets, (arms, 1), |_| Some(0), ratio);
    let spreads: Vec<Spread> = (0..arms).map(|arm| cube.spread(arm, 0)).collect();
    Ok(overlay(context, "loss", title, &spreads))
}

/// Latency percentiles.
pub fn latency(context: &Context<'_>) -> Result<Plot, Missing> {
    let rows = Rows::open(context.view, "totals")?;
    let mut curves = Vec::new();
    let columns = [
        ("latency_ms_p50", "median", Dash::Solid, 20),
        ("latency_ms_p95", "95th percentile", Dash::Long, 16),
        ("latency_ms_p99", "99th percentile", Dash::Short, 14),
    ];
    for (column, label, dash, width) in columns {
        curves.push(Curve {
            label: label.to_owned(),
            ink: arm_ink,
            pen: Pen::line(Ink::Arm(0)).dashed(dash).width(width),
            band: true,
            filled: false,
            end_label: false,
            spreads: zero_is_none(metric_spreads(context, &rows, column)?),
        });
    }
    let worst = curves[2].spreads.iter().map(Spread::peak).fold(0.0, f64::max);
    if worst <= 0.0 {
        return Err(Missing("No requests were served, so there is no latency.".to_owned()));
    }
    Ok(draw(
        context,
        Spec {
            id: "latency".to_owned(),
            title: "Latency of served requests".to_owned(),
            shows: format!("The 99th percentile peaks at {}.", quantity(worst, "ms")),
            how: "Percentiles over all requests served in a bucket. Lines are means over \
              replications, shades run from the smallest to the largest replication. Requests \
              that were lost have no latency: read this together with the loss.",
            caption: "latency",
            unit: "ms",
            curves,
            level: None,
        },
    ))
}

/// The links with the highest utilisation in any arm.
pub fn links(context: &Context<'_>) -> Result<Plot, Missing> {
    let worst = worst::links(context, LINE_INKS)?;
    Ok(draw(
        context,
        Spec {
            id: "links".to_owned(),
            title: "Most loaded links".to_owned(),
            shows: worst.words("link direction"),
            how: "The links and directions with the highest utilisation in any arm, the same ones in \
              every picture. Utilisation is what routing places on a link over its \
              capacity, what is lost on the way there included. → is from a link's first end to \
              its second, ← is back.",
            caption: "link utilisation, largest in the bucket",
            unit: "%",
            curves: worst.curves,
            level: Some(1.0),
        },
    ))
}

/// The sites with the highest CPU utilisation in any arm.
pub fn sites(context: &Context<'_>) -> Result<Plot, Missing> {
    let worst = worst::sites(context, LINE_INKS)?;
    Ok(draw(
        context,
        Spec {
            id: "sites".to_owned(),
            title: "Most loaded sites".to_owned(),
            shows: worst.words("site"),
            how: "The sites with the highest CPU utilisation in any arm, the same ones in every \
              picture. Utilisation is the CPU work offered over CPU capacity: above 100 % requests \
              queue, then are lost.",
            caption: "CPU utilisation, largest in the bucket",
            unit: "%",
            curves: worst.curves,
            level: Some(1.0),
        },
    ))
}

/// One spread an arm of a column of the totals.
fn metric_spreads(
    context: &Context<'_>,
    rows: &Rows<'_>,
    column: &str,
) -> Result<Vec<Spread>, Missing> {
    let values = rows.numbers(column)?;
    let arms = context.view.summary.arms.len();
    let cube = Cube::gather(rows, &context.buckets, (arms, 1), |_| Some(0), |row| values.at(row));
    Ok((0..arms).map(|arm| cube.spread(arm, 0)).collect())
}

/// Latency 0 stands for "no requests": a gap, not a value.
pub fn zero_is_none(mut spreads: Vec<Spread>) -> Vec<Spread> {
    for spread in &mut spreads {
        for values in [&mut spread.mean, &mut spread.low, &mut spread.high] {
            values.iter_mut().filter(|value| **value <= 0.0).for_each(|value| *value = f64::NAN);
        }
    }
    spreads
}

/// The buckets that curves stand on.
pub fn buckets<'a>(context: &'a Context<'_>) -> Buckets<'a> {
    let width_s = match context.buckets.as_slice() {
        [.., before, last] => last - before,
        _ => context.view.scenario.bucket.seconds(),
    };
    Buckets { starts_s: &context.buckets, width_s }
}

/// Draws a timeline, one picture an arm.
pub fn draw(context: &Context<'_>, spec: Spec) -> Plot {
    let arms = &context.view.summary.arms;
    let size = if arms.len() > 1 { (HALF_PX, 260) } else { (WIDE_PX, 290) };
    let end_labels = spec.curves.iter().any(|curve| curve.end_label);
    let margin_x = (42, if end_labels { 118 } else { 16 });
    let plot_px = size.0 - margin_x.0 - margin_x.1;
    let buckets = buckets(context);
    let top = |curve: &Curve| {
        let of = |spread: &Spread| if curve.band { spread.top() } else { spread.peak() };
        curve.spreads.iter().map(of).fold(0.0, f64::max)
    };
    let top = spec.curves.iter().map(top).fold(spec.level.unwrap_or(0.0), f64::max);
    let (y, unit) = value_axis(top, spec.unit);
    let x = context.scale.axis(buckets.first(), buckets.last(), plot_px as usize / 70);
    let pictures = (0..arms.len().min(ARMS_MAX))
        .map(|arm| {
            let span = (buckets.first(), buckets.last());
            let mut layers = context.marks.layers(Some(arm), span, f64::from(plot_px));
            if let Some(level) = spec.level {
                layers.insert(0, Layer::Level(level, Pen::line(Ink::Lost).width(10)));
            }
            for (index, curve) in spec.curves.iter().enumerate() {
                push_curve(&mut layers, buckets, curve, (arm, index), plot_px as usize);
            }
            let chart = Chart {
                size,
                margin_x,
                x: x.clone(),
                y: y.clone(),
                margin_top: TOP_PX,
                y_caption: format!("{}, {unit}", spec.caption),
                x_caption: context.scale.caption(),
                grid_vertical: false,
                layers,
            };
            Picture {
                name: arms[arm].arm.clone(),
                heading: if arms.len() > 1 { Heading::Arm(arm) } else { Heading::None },
                description: describe(&spec, arm),
                size,
                elements: chart.elements(),
                ground: None,
            }
        })
        .collect();
    Plot {
        id: spec.id.clone(),
        legend: legend(context, &spec),
        data: Some(grid(context, &spec)),
        pictures,
        title: spec.title,
        shows: spec.shows,
        how: spec.how,
    }
}

fn push_curve(
    layers: &mut Vec<Layer>,
    buckets: Buckets<'_>,
    curve: &Curve,
    (arm, index): (usize, usize),
    plot_px: usize,
) {
    let Some(spread) = curve.spreads.get(arm) else { return };
    let ink = (curve.ink)(arm, index);
    if curve.band && spread.varies() {
        let band = Pen::line(ink).opacity(0.16);
        layers.push(Layer::Area(buckets.band(spread, plot_px), band));
    }
    if curve.filled {
        let fill = Pen::line(ink).opacity(0.3);
        layers.push(Layer::Area(buckets.area(&spread.mean, plot_px), fill));
    }
    layers.push(Layer::Line(buckets.curve(&spread.mean, plot_px), Pen { ink, ..curve.pen }));
    if let (true, Some(last)) = (curve.end_label, spread.mean.iter().rfind(|v| v.is_finite())) {
        layers.push(Layer::EndLabel(*last, curve.label.clone(), ink));
    }
}

fn legend(context: &Context<'_>, spec: &Spec) -> Vec<LegendItem> {
    let arms = context.view.summary.arms.len();
    let mut items: Vec<LegendItem> = spec
        .curves
        .iter()
        .enumerate()
        .rev()
        .map(|(index, curve)| {
            let inks = (0..arms.min(crate::figure::ARM_INKS)).map(|arm| (curve.ink)(arm, index));
            let mut inks: Vec<Ink> = inks.collect();
            inks.dedup();
            let swatch = |ink| {
                let pen = Pen { ink, ..curve.pen };
                if curve.filled { Swatch::Patch(pen.opacity(0.4)) } else { Swatch::Line(pen) }
            };
            LegendItem {
                swatches: inks.into_iter().map(swatch).collect(),
                label: curve.label.clone(),
            }
        })
        .collect();
    if spec.curves.iter().any(|curve| curve.end_label) {
        items.reverse();
    }
    if context.marks.has_actions() {
        items.push(LegendItem {
            swatches: vec![Swatch::Mark(crate::figure::Shape::Up, Ink::Text)],
            label: "action takes effect".to_owned(),
        });
    }
    items
}

fn describe(spec: &Spec, arm: usize) -> String {
    let peaks: Vec<String> = spec
        .curves
        .iter()
        .filter_map(|curve| {
            let peak = curve.spreads.get(arm)?.peak();
            Some(format!("{} peaks at {}", curve.label, cell(peak, spec.unit)))
        })
        .collect();
    format!("Timeline: {}.", peaks.join("; "))
}

fn cell(value: f64, unit: &str) -> String {
    match unit {
        _ if !value.is_finite() => "–".to_owned(),
        "%" => percent(value),
        unit => quantity(value, unit),
    }
}

/// The means of a few buckets, evenly chosen.
fn grid(context: &Context<'_>, spec: &Spec) -> Grid {
    let arms = &context.view.summary.arms;
    let mut head = vec!["bucket start".to_owned()];
    for curve in &spec.curves {
        for arm in arms {
            let name = text::shorten(&text::clean(&arm.arm), 24);
            head.push(if arms.len() > 1 {
                format!("{}, {name}", curve.label)
            } else {
                curve.label.clone()
            });
        }
    }
    let count = context.buckets.len();
    let rows = (0..count.min(DATA_ROWS))
        .map(|row| {
            let bucket = row * count / count.min(DATA_ROWS);
            let mut cells = vec![context.scale.instant(context.buckets[bucket])];
            for curve in &spec.curves {
                for spread in &curve.spreads {
                    let value = spread.mean.get(bucket).copied().unwrap_or(f64::NAN);
                    cells.push(cell(value, spec.unit));
                }
            }
            cells
        })
        .collect();
    let note = if count > DATA_ROWS {
        format!("{DATA_ROWS} of {} buckets; all are in the tables.", number(count as f64))
    } else {
        String::new()
    };
    Grid { head, rows, word_columns: 1, note }
}

/// Draws one picture with a curve an arm.
fn overlay(context: &Context<'_>, id: &'static str, title: &str, spreads: &[Spread]) -> Plot {
    let arms = &context.view.summary.arms;
    let size = (WIDE_PX, 260);
    let margin_x = (42, if arms.len() > 1 { 150 } else { 16 });
    let plot_px = size.0 - margin_x.0 - margin_x.1;
    let buckets = buckets(context);
    let top = spreads.iter().map(Spread::top).fold(0.0, f64::max);
    let (y, _) = value_axis(top, "%");
    let span = (buckets.first(), buckets.last());
    let only = (arms.len() == 1).then_some(0);
    let mut layers = context.marks.layers(only, span, f64::from(plot_px));
    for arm in 0..spreads.len() {
        let curve = Curve {
            label: text::clean(&arms[arm].arm),
            ink: arm_ink,
            pen: Pen::line(Ink::Arm(arm)).dashed(Dash::of(arm)).width(18),
            band: true,
            filled: false,
            end_label: arms.len() > 1,
            spreads: spreads.to_vec(),
        };
        push_curve(&mut layers, buckets, &curve, (arm, 0), plot_px as usize);
    }
    let chart = Chart {
        size,
        margin_x,
        x: context.scale.axis(span.0, span.1, plot_px as usize / 70),
        y,
        margin_top: TOP_PX,
        y_caption: "lost over offered traffic, %".to_owned(),
        x_caption: context.scale.caption(),
        grid_vertical: false,
        layers,
    };
    let (shows, data) = overlay_words(context, id, title, spreads);
    Plot {
        id: id.to_owned(),
        title: title.to_owned(),
        shows: shows.clone(),
        how: "All arms on one axis. Lines are means over replications, shades run from the \
              smallest to the largest replication. Arms meet the same traffic and the same \
              failures in each replication, so differences are due to the policies.",
        legend: Vec::new(),
        pictures: vec![Picture {
            name: String::new(),
            heading: Heading::None,
            description: shows,
            size,
            elements: chart.elements(),
            ground: None,
        }],
        data: Some(data),
    }
}

/// The sentence and the numbers of a picture with a curve an arm.
fn overlay_words(
    context: &Context<'_>,
    id: &'static str,
    title: &str,
    spreads: &[Spread],
) -> (String, Grid) {
    let arms = &context.view.summary.arms;
    let words: Vec<String> = arms
        .iter()
        .zip(spreads)
        .map(|(arm, spread)| format!("{} {}", text::clean(&arm.arm), percent(spread.peak())))
        .collect();
    let shows = format!("Largest share lost in a bucket: {}.", words.join(", "));
    let grid_spec = Spec {
        id: id.to_owned(),
        title: title.to_owned(),
        shows: String::new(),
        how: "",
        caption: "",
        unit: "%",
        curves: vec![Curve {
            label: "lost".to_owned(),
            ink: arm_ink,
            pen: Pen::line(Ink::Lost),
            band: false,
            filled: false,
            end_label: false,
            spreads: spreads.to_vec(),
        }],
        level: None,
    };
    (shows, grid(context, &grid_spec))
}
