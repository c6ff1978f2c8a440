//! Cumulative distributions: what share of the cases lies below a value.

use super::axis::{log_axis, value_axis};
use super::{Grid, HALF_PX, Heading, LegendItem, Picture, Plot, Swatch, THIRD_PX, WIDE_PX};
use crate::figure::{Axis, Chart, Dash, Ink, Layer, Pen, Shape, TOP_PX};
use crate::number::{number, percent, quantity};
use crate::rows::{Missing, Rows};
use crate::text;
use steerlab_results::view::RunView;

/// The marked percentiles and their shapes.
const MARKED: [(f64, &str, Shape); 3] =
    [(0.5, "p50", Shape::Dot), (0.95, "p95", Shape::Square), (0.99, "p99", Shape::Diamond)];

/// Points of a drawn curve.
const CURVE_POINTS: usize = 160;

/// Sorted values with their cumulative share.
#[derive(Clone, Debug, Default)]
struct Distribution {
    /// (value, share at or below it), ascending.
    steps: Vec<(f64, f64)>,
    cases: usize,
}

impl Distribution {
    /// Of (value, weight) pairs; those without weight do not count.
    fn of(mut cases: Vec<(f64, f64)>) -> Distribution {
        cases.retain(|(value, weight)| value.is_finite() && *weight > 0.0);
        cases.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let total: f64 = cases.iter().map(|(_, weight)| weight).sum();
        let count = cases.len();
        let mut below = 0.0;
        for case in &mut cases {
            below += case.1;
            case.1 = below / total;
        }
        Distribution { steps: cases, cases: count }
    }

    /// The smallest value with at least this share at or below it.
    fn quantile(&self, share: f64) -> Option<f64> {
        let index = self.steps.partition_point(|(_, below)| *below < share - 1e-12);
        self.steps.get(index.min(self.steps.len().saturating_sub(1))).map(|(value, _)| *value)
    }

    /// The curve, thinned evenly in share.
    fn curve(&self) -> Vec<(f64, f64)> {
        let Some(&(first, _)) = self.steps.first() else { return Vec::new() };
        let mut out = vec![(first, 0.0)];
        for point in 1..=CURVE_POINTS {
            let share = point as f64 / CURVE_POINTS as f64;
            if let Some(value) = self.quantile(share) {
                out.push((value, share));
            }
        }
        out.dedup();
        out
    }
}

/// One quantity, in every arm.
struct Quantity {
    name: &'static str,
    heading: &'static str,
    caption: &'static str,
    unit: &'static str,
    arms: Vec<Distribution>,
}

/// Distributions of latency and utilisation.
///
/// # Errors
/// Why there is none at all; a single missing one is left out and named in the words.
pub fn distributions(view: &RunView) -> Result<Plot, Missing> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for quantity in [latency(view), links(view), sites(view)] {
        match quantity {
            Ok(quantity) if quantity.arms.iter().any(|arm| arm.cases > 0) => found.push(quantity),
            Ok(quantity) => missing.push(format!("No values for “{}”.", quantity.heading)),
            Err(Missing(why)) => missing.push(why),
        }
    }
    if found.is_empty() {
        return Err(Missing(missing.join(" ")));
    }
    let mut shows = found.first().map_or_else(String::new, |quantity| words(view, quantity));
    if !missing.is_empty() {
        shows.push_str(&format!(" Left out: {}", missing.join(" ")));
    }
    let size = match found.len() {
        1 => (WIDE_PX, 320),
        2 => (HALF_PX, 290),
        _ => (THIRD_PX, 270),
    };
    Ok(Plot {
        id: "distributions".to_owned(),
        title: "Distributions of latency and utilisation".to_owned(),
        shows,
        how: "A point on a curve says: this share of the cases is at or below this value. The \
              further left, the lower the values; where curves part tells for whom the arms \
              differ. Cases of all replications are pooled. Latency cases are the mean latencies \
              of client groups in a bucket, weighted by their served requests, so its tail is \
              shorter than that of single requests in the timeline above.",
        legend: legend(view),
        pictures: found.iter().map(|quantity| picture(view, quantity, size)).collect(),
        data: Some(grid(view, &found)),
    })
}

fn latency(view: &RunView) -> Result<Quantity, Missing> {
    let rows = Rows::open(view, "client_groups")?;
    let values = rows.numbers("latency_ms_mean")?;
    let weights = rows.numbers("served_requests_per_s").ok();
    let weight = |row: usize| match weights {
        Some(weights) => weights.at(row),
        None => f64::from(u8::from(values.at(row) > 0.0)),
    };
    Ok(Quantity {
        name: "latency",
        heading: "Latency of client groups",
        caption: "mean latency in a bucket, ms",
        unit: "ms",
        arms: pool(view, &rows, |row| (values.at(row), weight(row))),
    })
}

fn links(view: &RunView) -> Result<Quantity, Missing> {
    let rows = Rows::open(view, "links")?;
    let values = rows.numbers("utilisation_mean").or_else(|_| rows.numbers("utilisation_max"))?;
    Ok(Quantity {
        name: "links",
        heading: "Utilisation of links",
        caption: "mean utilisation in a bucket, %",
        unit: "%",
        arms: pool(view, &rows, |row| (values.at(row), 1.0)),
    })
}

fn sites(view: &RunView) -> Result<Quantity, Missing> {
    let rows = Rows::open(view, "sites")?;
    let values =
        rows.numbers("cpu_utilisation_mean").or_else(|_| rows.numbers("cpu_utilisation_max"))?;
    let quantity = Quantity {
        name: "sites",
        heading: "CPU utilisation of sites",
        caption: "mean CPU utilisation in a bucket, %",
        unit: "%",
        arms: pool(view, &rows, |row| (values.at(row), 1.0)),
    };
    if quantity.arms.iter().all(|arm| arm.quantile(1.0).unwrap_or(0.0) <= 0.0) {
        return Err(Missing("No site does any CPU work.".to_owned()));
    }
    Ok(quantity)
}

fn pool(view: &RunView, rows: &Rows<'_>, case: impl Fn(usize) -> (f64, f64)) -> Vec<Distribution> {
    let mut cases = vec![Vec::new(); view.summary.arms.len()];
    for row in 0..rows.len() {
        if let Some(arm) = rows.arm(row) {
            cases[arm].push(case(row));
        }
    }
    cases.into_iter().map(Distribution::of).collect()
}

fn show(value: f64, unit: &str) -> String {
    if unit == "%" { percent(value) } else { quantity(value, unit) }
}

fn words(view: &RunView, quantity: &Quantity) -> String {
    let parts: Vec<String> = view
        .summary
        .arms
        .iter()
        .zip(&quantity.arms)
        .filter_map(|(arm, distribution)| {
            let [p50, p99] = [0.5, 0.99].map(|share| distribution.quantile(share));
            Some(format!(
                "{} {} / {}",
                text::clean(&arm.arm),
                show(p50?, quantity.unit),
                show(p99?, quantity.unit)
            ))
        })
        .collect();
    format!("{}, p50 / p99: {}.", quantity.heading, parts.join(", "))
}

fn x_axis(quantity: &Quantity) -> Axis {
    let over_arms = |share: f64, pick: fn(f64, f64) -> f64| {
        quantity.arms.iter().filter_map(|arm| arm.quantile(share)).reduce(pick).unwrap_or(0.0)
    };
    let (low, middle) = (over_arms(0.001, f64::min), over_arms(0.5, f64::max));
    // The last percent may reach far; it is in the numbers, not on the axis.
    let high = over_arms(1.0, f64::max).min(1.3 * over_arms(0.99, f64::max));
    // A long tail would press everything else against the axis.
    if quantity.unit != "%" && low > 0.0 && high > 8.0 * middle {
        return log_axis(low, high);
    }
    value_axis(high, quantity.unit).0
}

fn picture(view: &RunView, quantity: &Quantity, size: (u32, u32)) -> Picture {
    let mut layers = Vec::new();
    let x = x_axis(quantity);
    for (arm, distribution) in quantity.arms.iter().enumerate() {
        let pen = Pen::line(Ink::Arm(arm)).dashed(Dash::of(arm)).width(18);
        let curve = distribution.curve().into_iter().filter(|point| point.0 <= x.max).collect();
        layers.push(Layer::Line(curve, pen));
    }
    for (arm, distribution) in quantity.arms.iter().enumerate() {
        for (share, _, shape) in MARKED {
            if let Some(value) = distribution.quantile(share) {
                layers.push(Layer::Mark(value, share, shape, 42, Ink::Paper));
                layers.push(Layer::Mark(value, share, shape, 34, Ink::Arm(arm)));
            }
        }
    }
    let ticks = [0.0, 0.25, 0.5, 0.75, 1.0];
    let chart = Chart {
        size,
        margin_x: (42, 20),
        x,
        y: Axis {
            min: 0.0,
            max: 1.0,
            ticks: ticks.map(|share| (share, number(share * 100.0))).to_vec(),
            log: false,
        },
        margin_top: TOP_PX,
        y_caption: "share of cases at or below, %".to_owned(),
        x_caption: quantity.caption.to_owned(),
        grid_vertical: false,
        layers,
    };
    Picture {
        name: quantity.name.to_owned(),
        heading: Heading::Words(quantity.heading.to_owned()),
        description: words(view, quantity),
        size,
        elements: chart.elements(),
        ground: None,
    }
}

fn legend(view: &RunView) -> Vec<LegendItem> {
    let arms = view.summary.arms.iter().enumerate().map(|(index, arm)| LegendItem {
        swatches: vec![Swatch::Line(Pen::line(Ink::Arm(index)).dashed(Dash::of(index)).width(18))],
        label: text::clean(&arm.arm),
    });
    let marks = MARKED.map(|(_, label, shape)| LegendItem {
        swatches: vec![Swatch::Mark(shape, Ink::Text)],
        label: label.to_owned(),
    });
    arms.chain(marks).collect()
}

fn grid(view: &RunView, found: &[Quantity]) -> Grid {
    let mut rows = Vec::new();
    for quantity in found {
        for (arm, distribution) in view.summary.arms.iter().zip(&quantity.arms) {
            let at = |share: f64| {
                let value = distribution.quantile(share);
                value.map_or("–".to_owned(), |value| show(value, quantity.unit))
            };
            rows.push(vec![
                quantity.heading.to_owned(),
                text::clean(&arm.arm),
                at(0.5),
                at(0.95),
                at(0.99),
                at(1.0),
                number(distribution.cases as f64),
            ]);
        }
    }
    let head = ["quantity", "arm", "p50", "p95", "p99", "largest", "cases"];
    Grid { head: head.map(str::to_owned).to_vec(), rows, word_columns: 2, note: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_weighted() {
        let distribution = Distribution::of(vec![(3.0, 1.0), (1.0, 8.0), (2.0, 1.0), (9.0, 0.0)]);
        assert_eq!(distribution.cases, 3);
        assert_eq!(distribution.quantile(0.5), Some(1.0));
        assert_eq!(distribution.quantile(0.8), Some(1.0));
        assert_eq!(distribution.quantile(0.85), Some(2.0));
        assert_eq!(distribution.quantile(1.0), Some(3.0));
        assert_eq!(Distribution::of(vec![]).quantile(0.5), None);
    }

    #[test]
    fn curves_rise_from_nothing_to_all() {
        let cases = (0..5_000).map(|value| (f64::from(value), 1.0)).collect();
        let curve = Distribution::of(cases).curve();
        assert_eq!(curve.first(), Some(&(0.0, 0.0)));
        assert_eq!(curve.last(), Some(&(4_999.0, 1.0)));
        assert!(curve.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
        assert!(curve.len() <= CURVE_POINTS + 1);
    }
}
