//! What was lost while users were where a cause had sent them.

use crate::rows::{Numbers, Rows};
use std::collections::BTreeMap;
use steerlab_results::view::RunView;

/// Causes of loss that come from where routing sends users: columns of the totals.
pub const ROUTING_LOSSES: [&str; 4] = ["loop", "blackhole", "hijacked", "no_route"];

/// A row of the totals: start and width in seconds, losses in bit/s.
type Bucket = (f64, f64, [f64; 4]);

/// Losses by arm and replication.
pub struct Losses {
    runs: BTreeMap<(usize, u64), Vec<Bucket>>,
    /// Users that moved, in all buckets, by arm and replication.
    moved: BTreeMap<(usize, u64), Vec<(f64, f64)>>,
}

impl Losses {
    /// Reads the totals; what they do not tell is 0.
    #[must_use]
    pub fn of(view: &RunView) -> Losses {
        let mut out = Losses { runs: BTreeMap::new(), moved: BTreeMap::new() };
        let Ok(rows) = Rows::open(view, "totals") else { return out };
        let columns =
            ROUTING_LOSSES.map(|cause| rows.numbers(&format!("dropped_bps_{cause}")).ok());
        let moved = rows.numbers("moved_requests_per_s").ok();
        let widths = rows.numbers("bucket_s").ok();
        let value = |numbers: Option<Numbers<'_>>, row: usize| {
            let value = numbers.map_or(0.0, |numbers| numbers.at(row));
            if value > 0.0 && value < 1e30 { value } else { 0.0 }
        };
        for row in 0..rows.len() {
            let (Some(arm), time_s) = (rows.arm(row), rows.time_s(row)) else { continue };
            if !time_s.is_finite() {
                continue;
            }
            let run = (arm, rows.replication(row));
            let width = widths.map_or(view.scenario.bucket.seconds(), |_| value(widths, row));
            let losses = columns.map(|column| value(column, row));
            out.runs.entry(run).or_default().push((time_s, width, losses));
            out.moved.entry(run).or_default().push((time_s, value(moved, row)));
        }
        for buckets in out.runs.values_mut() {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        for buckets in out.moved.values_mut() {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        out
    }

    /// Start of each bucket of a run with the users that moved in it.
    #[must_use]
    pub fn moved(&self, run: (usize, u64)) -> &[(f64, f64)] {
        self.moved.get(&run).map_or(&[], Vec::as_slice)
    }

    /// Bits lost after each of some instants (ascending) until the next one, by cause.
    ///
    /// Buckets know no instants inside them. A bucket in which instants fall is shared out by time
    /// and by what was lost in the buckets beside it: what is lost before but not after a change
    /// is not blamed on it.
    #[must_use]
    pub fn after(&self, run: (usize, u64), starts_s: &[f64]) -> Vec<[f64; 4]> {
        let mut out = vec![[0.0; 4]; starts_s.len()];
        let Some(buckets) = self.runs.get(&run) else { return out };
        for (index, &(start, width, losses)) in buckets.iter().enumerate() {
            let end = start + width;
            let before = starts_s.partition_point(|at| *at <= start);
            let within = starts_s[before..].partition_point(|at| *at < end);
            for cause in 0..4 {
                let bits = losses[cause] * width;
                if bits <= 0.0 {
                    continue;
                }
                let mut blame = |period: Option<usize>, bits: f64| {
                    if let Some(period) = period {
                        out[period][cause] += bits;
                    }
                };
                let earlier = before.checked_sub(1);
                if within == 0 {
                    blame(earlier, bits);
                    continue;
                }
                let last = before + within - 1;
                let beside = |at: Option<usize>| {
                    at.and_then(|at| buckets.get(at)).map_or(0.0, |bucket| bucket.2[cause])
                };
                let left = beside(index.checked_sub(1)) * (starts_s[before] - start);
                let right = beside(Some(index + 1)) * (end - starts_s[last]);
                if left + right > 0.0 {
                    blame(earlier, bits * left / (left + right));
                    blame(Some(last), bits * right / (left + right));
                } else {
                    blame(Some(before), bits);
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(rates: &[f64]) -> Losses {
        let bucket = |(index, rate): (usize, &f64)| (index as f64 * 60.0, 60.0, [*rate; 4]);
        let runs = BTreeMap::from([((0, 0), rates.iter().enumerate().map(bucket).collect())]);
        Losses { runs, moved: BTreeMap::new() }
    }

    #[test]
    fn nothing_is_blamed_on_what_ended_it() {
        // A black hole from 60 s to 160 s.
        let after = losses(&[0.0, 1.0, 2.0 / 3.0, 0.0]).after((0, 0), &[60.0, 160.0]);
        assert!((after[0][1] - 100.0).abs() < 1e-9 && after[1][1] == 0.0, "{after:?}");
    }

    #[test]
    fn a_loss_within_one_bucket_belongs_to_what_happened_in_it() {
        let after = losses(&[0.0, 0.5, 0.0]).after((0, 0), &[10.0, 70.0]);
        assert_eq!((after[0][0], after[1][0]), (0.0, 30.0));
    }

    #[test]
    fn all_that_is_lost_after_the_first_instant_is_somebodys() {
        let after = losses(&[1.0, 1.0, 3.0, 1.0]).after((0, 0), &[0.0, 75.0, 130.0]);
        let sum: f64 = after.iter().map(|lost| lost[2]).sum();
        assert!((sum - 360.0).abs() < 1e-9, "{after:?}");
    }
}
