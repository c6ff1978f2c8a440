//! What links cost: a percentile of the rates of five minutes each.
//!
//! The custom of transit: every five minutes the mean rate of each direction is noted, the larger
//! of both is the sample, and the sample of rank ceil(0.95 n) of a month's n is billed, so that the
//! largest 5 % are free. A run is one billing period.

use crate::kernel::{SimSpan, SimTime};
use crate::net::Billing;
use crate::theory::money;

/// Length of a sample.
pub const SAMPLE: SimSpan = SimSpan::from_seconds(300);

/// The sample that is billed, in the unit of the samples; 0 without samples.
#[must_use]
pub fn billed(samples: &[f64], percentile: f64) -> f64 {
    if samples.is_empty() { 0.0 } else { money::billed(samples, percentile) }
}

/// Price of a billed rate, at least that of the commitment.
#[must_use]
pub fn cost(billing: &Billing, billed_bps: f64) -> f64 {
    billing.price_per_mbps * billed_bps.max(billing.commit_bps as f64) / 1e6
}

/// Collects the samples of one link. Memory grows by one number every five simulated minutes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meter {
    bits: [f64; 2],
    since: SimTime,
    samples: Vec<f64>,
}

impl Meter {
    /// Both directions carry these rates from `from` until `until`.
    pub fn carry(&mut self, mut from: SimTime, until: SimTime, bps: [f64; 2]) {
        while from < until {
            let boundary = SimTime((from.0 / SAMPLE.0 + 1) * SAMPLE.0);
            let end = boundary.min(until);
            let seconds = end.since(from).seconds();
            for (sum, bps) in self.bits.iter_mut().zip(bps) {
                *sum += bps * seconds;
            }
            if end == boundary {
                self.close(end);
            }
            from = end;
        }
    }

    fn close(&mut self, at: SimTime) {
        let seconds = at.since(self.since).seconds();
        let [forward, back] = std::mem::take(&mut self.bits);
        self.samples.push(forward.max(back) / seconds);
        self.since = at;
    }

    /// All samples; the last one may be shorter than five minutes.
    #[must_use]
    pub fn samples_until(&self, end: SimTime) -> Vec<f64> {
        let mut meter = self.clone();
        if end > meter.since {
            meter.close(end);
        }
        meter.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A month of 30 days has 8,640 samples; the largest 432 are free.
    #[test]
    fn the_largest_twentieth_is_free() {
        let month = |bursts: usize| -> Vec<f64> {
            (0..8_640).map(|index| if index < bursts { 10e9 } else { 1e9 }).collect()
        };
        assert_eq!(billed(&month(431), 0.95), 1e9);
        assert_eq!(billed(&month(432), 0.95), 1e9);
        assert_eq!(billed(&month(433), 0.95), 10e9);
        let ramp: Vec<f64> = (1..=8_640).rev().map(|index| f64::from(index) * 1e6).collect();
        assert_eq!(billed(&ramp, 0.95), 8_208e6);
        assert_eq!(billed(&[], 0.95), 0.0);
    }

    /// Ranks by whole-number arithmetic: ceil(95 n / 100).
    #[test]
    fn ranks_do_not_suffer_from_rounding() {
        for count in 1..20_000_u64 {
            assert_eq!(money::billed_rank(count, 0.95), (95 * count).div_ceil(100), "{count}");
            assert_eq!(money::billed_rank(count, 1.0), count);
        }
    }

    #[test]
    fn the_larger_direction_counts_and_intervals_are_cut_at_five_minutes() {
        let at = |seconds: u64| SimTime(seconds * 1_000_000_000);
        let mut meter = Meter::default();
        meter.carry(at(0), at(450), [30.0, 10.0]);
        meter.carry(at(450), at(900), [0.0, 20.0]);
        meter.carry(at(900), at(960), [7.0, 0.0]);
        // 300 s of 30; 150 s of 30 and 10 then 150 s of 0 and 20; 300 s of 20; a minute of 7.
        assert_eq!(meter.samples_until(at(960)), [30.0, 15.0, 20.0, 7.0]);
        let billing = Billing { price_per_mbps: 2.0, commit_bps: 10_000_000, percentile: 0.95 };
        assert_eq!(cost(&billing, 30e6), 60.0);
        assert_eq!(cost(&billing, 3e6), 20.0);
    }
}
