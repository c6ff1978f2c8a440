//! What the table of client groups says about landing sites.

use crate::figure::{Ink, LINE_INKS, Shape};
use crate::rows::{Missing, Numbers, Rows, Texts, locate};
use crate::text;
use steerlab_results::view::RunView;

/// Most sites that get a colour, a shape and a name; the others are counted together.
const NAMED_MAX: usize = LINE_INKS;

/// How many of them are named for their size; the others for how much their share changes.
const LARGEST: usize = 3;

/// Shapes of the named sites, in the order of their inks.
const SHAPES: [Shape; NAMED_MAX] =
    [Shape::Dot, Shape::Square, Shape::Diamond, Shape::Up, Shape::Down];

/// What became of a group's users: a position among the named sites, another site, or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// A named site.
    Named(usize),
    /// One of the other sites.
    Other,
    /// No site.
    Lost,
}

impl Slot {
    /// Colour of it.
    #[must_use]
    pub fn ink(self) -> Ink {
        match self {
            Slot::Named(index) => Ink::Line(index),
            Slot::Other => Ink::Axis,
            Slot::Lost => Ink::Text,
        }
    }

    /// Shape of it.
    #[must_use]
    pub fn shape(self) -> Shape {
        match self {
            Slot::Named(index) => SHAPES[index % NAMED_MAX],
            Slot::Other => Shape::Ring,
            Slot::Lost => Shape::Cross,
        }
    }
}

/// Landing sites of all arms.
pub struct Catchment<'a> {
    rows: Rows<'a>,
    weights: Numbers<'a>,
    groups: Texts<'a>,
    landings: Texts<'a>,
    /// Starts of the client buckets, seconds.
    pub starts_s: Vec<f64>,
    /// Width of the last client bucket, seconds.
    pub width_s: f64,
    /// Ids of the named sites, by share.
    pub named: Vec<String>,
    /// What there is, named sites first.
    pub slots: Vec<Slot>,
    /// Number of sites at which somebody lands.
    pub sites: usize,
    /// Slot of each entry of the dictionary of landing sites.
    slot_of_code: Vec<Slot>,
    /// Requests per second, summed over replications, by arm, bucket and slot.
    sums: Vec<f64>,
    /// The replication that maps show.
    pub replication: u64,
}

impl<'a> Catchment<'a> {
    /// Reads the table of client groups.
    ///
    /// # Errors
    /// Why there is nothing to show.
    pub fn of(view: &'a RunView) -> Result<Catchment<'a>, Missing> {
        let rows = Rows::open(view, "client_groups")?;
        let (groups, landings) = (rows.texts("client_group")?, rows.texts("landing_site")?);
        let weights = weights(&rows)?;
        let starts_s = rows.buckets()?;
        let arms = view.summary.arms.len();
        let codes = landings.dictionary.len();
        let mut sums = vec![0.0; arms * starts_s.len() * codes];
        let mut hint = 0;
        for row in 0..rows.len() {
            let place = (rows.arm(row), landings.code(row));
            let (Some(arm), Some(code)) = place else { continue };
            let Some(bucket) = locate(&starts_s, rows.time_s(row), &mut hint) else { continue };
            sums[(arm * starts_s.len() + bucket) * codes + code] += weight(&weights, row);
        }
        let ranges = ranges(&sums, codes);
        let lost = |code: usize| landings.dictionary[code].is_empty();
        let mut landing: Vec<usize> =
            (0..codes).filter(|&code| ranges[code].peak > 0.0 && !lost(code)).collect();
        if landing.is_empty() {
            return Err(Missing("No client group lands at a site.".to_owned()));
        }
        let named = pick(&mut landing, &ranges, landings.dictionary);
        let slot_of_code: Vec<Slot> = (0..codes)
            .map(|code| match named.iter().position(|known| *known == code) {
                Some(index) => Slot::Named(index),
                None if lost(code) => Slot::Lost,
                None => Slot::Other,
            })
            .collect();
        let mut slots: Vec<Slot> = (0..named.len()).map(Slot::Named).collect();
        if landing.len() > named.len() {
            slots.push(Slot::Other);
        }
        if (0..codes).any(|code| lost(code) && ranges[code].peak > 0.0) {
            slots.push(Slot::Lost);
        }
        let mut by_slot = vec![0.0; arms * starts_s.len() * slots.len()];
        for (cell, sum) in sums.iter().enumerate() {
            let (place, code) = (cell / codes, cell % codes);
            if let Some(at) = slots.iter().position(|slot| *slot == slot_of_code[code]) {
                by_slot[place * slots.len() + at] += sum;
            }
        }
        let named = named.iter().map(|&code| text::clean(&landings.dictionary[code])).collect();
        let replication = (0..rows.len()).map(|row| rows.replication(row)).min().unwrap_or(0);
        let width_s = width(view, &starts_s);
        let sites = landing.len();
        let sums = by_slot;
        Ok(Catchment {
            rows,
            weights,
            groups,
            landings,
            starts_s,
            width_s,
            named,
            slots,
            sites,
            slot_of_code,
            sums,
            replication,
        })
    }

    /// Name of a slot for people.
    #[must_use]
    pub fn label(&self, slot: Slot) -> String {
        match slot {
            Slot::Named(index) => self.named[index].clone(),
            Slot::Other => {
                let others = self.sites - self.named.len();
                if others == 1 {
                    "1 other site".to_owned()
                } else {
                    format!("{others} other sites")
                }
            }
            Slot::Lost => "lost".to_owned(),
        }
    }

    /// End of a bucket: the instant for which the table states the landing sites.
    #[must_use]
    pub fn end_s(&self, bucket: usize) -> f64 {
        let last = || self.starts_s.last().copied().unwrap_or(0.0) + self.width_s;
        self.starts_s.get(bucket + 1).copied().unwrap_or_else(last)
    }

    /// Shares of the slots in an arm and bucket, mean over replications weighted by demand; all 0
    /// without demand.
    #[must_use]
    pub fn shares(&self, arm: usize, bucket: usize) -> Vec<f64> {
        let first = (arm * self.starts_s.len() + bucket) * self.slots.len();
        let sums = &self.sums[first..first + self.slots.len()];
        let total: f64 = sums.iter().sum();
        let share = |sum: &f64| if total > 0.0 && total.is_finite() { sum / total } else { 0.0 };
        sums.iter().map(share).collect()
    }

    /// Slot and requests per second of each entry of [`Catchment::group_ids`] in an arm and bucket
    /// of the first replication.
    #[must_use]
    pub fn landings(&self, arm: usize, bucket: usize) -> Vec<Option<(Slot, f64)>> {
        let mut out = vec![None; self.groups.dictionary.len()];
        for (group, code, weight) in self.entries(arm, bucket) {
            out[group] = Some((self.slot_of_code[code], weight));
        }
        out
    }

    /// Ids of the client groups, in the order of [`Catchment::landings`].
    #[must_use]
    pub fn group_ids(&self) -> &'a [String] {
        self.groups.dictionary
    }

    fn entries(&self, arm: usize, bucket: usize) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        let time_s = self.starts_s[bucket];
        (0..self.rows.len())
            .filter(move |&row| {
                self.rows.arm(row) == Some(arm)
                    && self.rows.time_s(row) == time_s
                    && self.rows.replication(row) == self.replication
            })
            .filter_map(|row| {
                Some((self.groups.code(row)?, self.landings.code(row)?, weight(&self.weights, row)))
            })
    }

    /// Share of the users that land elsewhere than in the first bucket, by bucket.
    #[must_use]
    pub fn away(&self, arm: usize) -> Vec<f64> {
        let mut first = vec![None; self.groups.dictionary.len()];
        for (group, code, _) in self.entries(arm, 0) {
            first[group] = Some(code);
        }
        let mut sums = vec![(0.0, 0.0); self.starts_s.len()];
        let mut hint = 0;
        for row in 0..self.rows.len() {
            if self.rows.arm(row) != Some(arm) || self.rows.replication(row) != self.replication {
                continue;
            }
            let Some(bucket) = locate(&self.starts_s, self.rows.time_s(row), &mut hint) else {
                continue;
            };
            let weight = weight(&self.weights, row);
            let (Some(group), Some(code)) = (self.groups.code(row), self.landings.code(row)) else {
                continue;
            };
            sums[bucket].1 += weight;
            if first[group].is_some_and(|before| before != code) {
                sums[bucket].0 += weight;
            }
        }
        let share = |(away, all): (f64, f64)| if all > 0.0 { away / all } else { 0.0 };
        sums.into_iter().map(share).collect()
    }
}

/// Requests offered, or bits where a scenario has no requests.
fn weights<'a>(rows: &Rows<'a>) -> Result<Numbers<'a>, Missing> {
    let some = |numbers: &Numbers<'_>| (0..rows.len()).any(|row| numbers.at(row) > 0.0);
    match rows.numbers("offered_requests_per_s") {
        Ok(requests) if some(&requests) => Ok(requests),
        _ => rows.numbers("offered_bps"),
    }
}

/// A rate that can be summed, whatever a damaged table holds.
fn weight(weights: &Numbers<'_>, row: usize) -> f64 {
    let value = weights.at(row);
    if value > 0.0 && value < 1e30 { value } else { 0.0 }
}

/// Share of a landing site over all arms and buckets.
#[derive(Clone, Copy)]
struct Range {
    sum: f64,
    least: f64,
    peak: f64,
}

fn ranges(sums: &[f64], codes: usize) -> Vec<Range> {
    let mut ranges = vec![Range { sum: 0.0, least: f64::INFINITY, peak: 0.0 }; codes];
    for cell in sums.chunks(codes.max(1)) {
        let total: f64 = cell.iter().sum();
        for (range, sum) in ranges.iter_mut().zip(cell) {
            if total > 0.0 {
                let share = sum / total;
                range.sum += share;
                range.least = range.least.min(share);
                range.peak = range.peak.max(share);
            }
        }
    }
    ranges
}

/// The sites that get a name: those with most users, then those whose share changes most. Those
/// with most users come first.
fn pick(landing: &mut [usize], ranges: &[Range], names: &[String]) -> Vec<usize> {
    let change = |code: usize| ranges[code].peak - ranges[code].least;
    let mut sort = |from: usize, by: &dyn Fn(usize) -> f64| {
        let rest = landing.get_mut(from..).unwrap_or_default();
        rest.sort_by(|&a, &b| by(b).total_cmp(&by(a)).then_with(|| names[a].cmp(&names[b])));
    };
    sort(0, &|code| ranges[code].sum);
    sort(LARGEST, &change);
    let mut named = landing[..landing.len().min(NAMED_MAX)].to_vec();
    named.sort_by(|&a, &b| {
        ranges[b].sum.total_cmp(&ranges[a].sum).then_with(|| names[a].cmp(&names[b]))
    });
    named
}

/// Width of the last bucket: the horizon may cut it short.
fn width(view: &RunView, starts_s: &[f64]) -> f64 {
    let whole = match starts_s {
        [.., before, last] => last - before,
        _ => view.scenario.client_bucket.seconds(),
    };
    let left = view.scenario.horizon.seconds() - starts_s.last().copied().unwrap_or(0.0);
    if left > 0.0 { whole.min(left) } else { whole.max(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_sites_and_changing_sites_are_named() {
        let names: Vec<String> = ["a", "b", "c", "d", "e", "f", "g"].map(str::to_owned).to_vec();
        // In two buckets: `g` is small but for a moment, `f` changes a little.
        let shares =
            [30.0, 25.0, 20.0, 10.0, 9.0, 6.0, 0.0, 26.0, 22.0, 18.0, 10.0, 9.0, 4.0, 11.0];
        let mut landing: Vec<usize> = (0..7).collect();
        let named = pick(&mut landing, &ranges(&shares, 7), &names);
        assert_eq!(named, [0, 1, 2, 6, 5]);
    }
}
