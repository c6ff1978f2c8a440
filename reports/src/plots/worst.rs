//! The few entities that matter: those with the highest load.

use super::timeline::{Context, Curve, line_ink};
use crate::figure::{Dash, Ink, LINE_INKS, Pen};
use crate::number::percent;
use crate::rows::{Cube, Missing, Rows, Spread};
use crate::text;

/// The most loaded entities.
pub struct Worst {
    /// A curve each.
    pub curves: Vec<Curve>,
    count: usize,
    /// Largest single value of any replication.
    peak: f64,
    /// Entities that go above capacity in any replication.
    overloaded: usize,
}

impl Worst {
    /// How many there are and how bad it gets.
    pub fn words(&self, noun: &str) -> String {
        let shown = self.curves.len();
        let overloaded = match self.overloaded {
            0 => format!("No {noun} goes above 100 %"),
            1 => format!("1 {noun} goes above 100 %"),
            n => format!("{n} {noun}s go above 100 %"),
        };
        // What is drawn are means; what a single replication reaches lies above them.
        let spreads = self.curves.iter().flat_map(|curve| &curve.spreads);
        let drawn = percent(spreads.map(Spread::peak).fold(0.0, f64::max));
        let single = percent(self.peak);
        let highest = if drawn == single {
            format!("the highest line reaches {drawn}")
        } else {
            format!("the highest line reaches {drawn}, a single replication {single}")
        };
        format!(
            "{overloaded} in any arm; {highest}. Shown: {shown} of {}.",
            text::count(self.count, noun)
        )
    }
}

/// Picks the entities whose largest value, averaged over replications, is highest in any arm.
pub fn worst_entities(
    context: &Context<'_>,
    rows: &Rows<'_>,
    (column, second_choice): (&str, &str),
    keys: usize,
    key: impl Fn(usize) -> Option<usize>,
    label: impl Fn(usize) -> String,
) -> Result<Worst, Missing> {
    let values = rows.numbers(column).or_else(|_| rows.numbers(second_choice))?;
    let arms = context.view.summary.arms.len();
    let mut replications: Vec<u64> = (0..rows.len()).map(|row| rows.replication(row)).collect();
    replications.sort_unstable();
    replications.dedup();
    let mut peaks = vec![f64::NEG_INFINITY; arms * replications.len() * keys];
    let mut seen = vec![false; keys];
    for row in 0..rows.len() {
        let (Some(arm), Some(key), value) = (rows.arm(row), key(row), values.at(row)) else {
            continue;
        };
        let Ok(run) = replications.binary_search(&rows.replication(row)) else { continue };
        let peak = &mut peaks[(arm * replications.len() + run) * keys + key];
        *peak = if value.is_finite() { peak.max(value) } else { *peak };
        seen[key] |= value.is_finite();
    }
    let rank = |key: usize| -> f64 {
        let arm_mean = |arm: usize| {
            let runs = (0..replications.len())
                .map(|run| peaks[(arm * replications.len() + run) * keys + key])
                .filter(|peak| peak.is_finite());
            let (sum, n) = runs.fold((0.0, 0.0), |(sum, n), peak| (sum + peak, n + 1.0));
            if n > 0.0 { sum / n } else { 0.0 }
        };
        (0..arms).map(arm_mean).fold(0.0, f64::max)
    };
    let mut ranked: Vec<(f64, usize)> =
        (0..keys).filter(|&key| seen[key]).map(|key| (rank(key), key)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let count = ranked.len();
    let runs = arms * replications.len();
    let top = |key: usize| (0..runs).map(|run| peaks[run * keys + key]).fold(0.0, f64::max);
    let overloaded = ranked.iter().filter(|(_, key)| top(*key) > 1.0).count();
    let peak = ranked.iter().map(|(_, key)| top(*key)).fold(0.0, f64::max);
    if peak <= 0.0 {
        return Err(Missing("Nothing is loaded at any time.".to_owned()));
    }
    ranked.truncate(LINE_INKS);
    ranked.retain(|(rank, _)| *rank > 0.0);
    let slots: Vec<usize> = ranked.iter().map(|(_, key)| *key).collect();
    let cube = Cube::gather(
        rows,
        &context.buckets,
        (arms, slots.len()),
        |row| key(row).and_then(|key| slots.iter().position(|slot| *slot == key)),
        |row| values.at(row),
    );
    let curves = slots
        .iter()
        .enumerate()
        .map(|(slot, &key)| Curve {
            label: label(key),
            ink: line_ink,
            pen: Pen::line(Ink::Line(slot)).dashed(Dash::of(slot)),
            band: false,
            filled: false,
            end_label: true,
            spreads: (0..arms).map(|arm| cube.spread(arm, slot)).collect(),
        })
        .collect();
    Ok(Worst { curves, count, peak, overloaded })
}
