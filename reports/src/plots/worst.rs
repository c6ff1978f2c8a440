//! The few entities that matter: those with the highest load, of links and of sites.

use super::timeline::{Context, Curve, line_ink};
use crate::figure::{Dash, Ink, Pen};
use crate::number::percent;
use crate::rows::{Cube, Missing, Rows, Spread};
use crate::text;

/// The most loaded entities.
pub struct Worst {
    /// A curve each, worst first.
    pub curves: Vec<Curve>,
    /// How many there are.
    pub count: usize,
    /// Largest single value of any replication.
    peak: f64,
    /// Entities that go above capacity in any replication.
    pub overloaded: usize,
}

impl Worst {
    /// How many go above capacity.
    pub fn overloaded_words(&self, noun: &str) -> String {
        match self.overloaded {
            0 => format!("No {noun} goes above 100 %"),
            1 => format!("1 {noun} goes above 100 %"),
            n => format!("{n} {noun}s go above 100 %"),
        }
    }

    /// How many there are and how bad it gets.
    pub fn words(&self, noun: &str) -> String {
        let shown = self.curves.len();
        let overloaded = self.overloaded_words(noun);
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

/// The link directions with the highest utilisation in any arm, at most `most`.
///
/// # Errors
/// Why there are none.
pub fn links(context: &Context<'_>, most: usize) -> Result<Worst, Missing> {
    let rows = Rows::open(context.view, "links")?;
    let (names, directions) = (rows.texts("link")?, rows.texts("direction").ok());
    let backs: Vec<bool> = directions.map_or_else(Vec::new, |texts| {
        texts.dictionary.iter().map(|word| word == "back").collect()
    });
    let key = |row: usize| {
        let back = directions.and_then(|texts| texts.code(row)).is_some_and(|code| backs[code]);
        names.code(row).map(|code| code * 2 + usize::from(back))
    };
    let label = |key: usize| {
        let arrow = match (directions, key % 2) {
            (None, _) => "",
            (_, 0) => " →",
            _ => " ←",
        };
        format!("{}{arrow}", text::clean(&names.dictionary[key / 2]))
    };
    let columns = ("utilisation_max", "utilisation_mean");
    worst_entities(context, &rows, columns, (names.dictionary.len() * 2, most), key, label)
}

/// The sites with the highest CPU utilisation in any arm, at most `most`.
///
/// # Errors
/// Why there are none.
pub fn sites(context: &Context<'_>, most: usize) -> Result<Worst, Missing> {
    let rows = Rows::open(context.view, "sites")?;
    let names = rows.texts("site")?;
    let columns = ("cpu_utilisation_max", "cpu_utilisation_mean");
    let (key, label) = (|row| names.code(row), |key: usize| text::clean(&names.dictionary[key]));
    worst_entities(context, &rows, columns, (names.dictionary.len(), most), key, label)
}

/// Picks the entities whose largest value, averaged over replications, is highest in any arm.
fn worst_entities(
    context: &Context<'_>,
    rows: &Rows<'_>,
    (column, second_choice): (&str, &str),
    (keys, most): (usize, usize),
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
    ranked.truncate(most);
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
