//! Time of shared flows: whole nanoseconds and the fraction beyond them.

use crate::kernel::SimTime;
use std::cmp::Ordering;

/// An instant since the scenario's start, finer than a nanosecond.
///
/// Completions of shared flows hardly ever fall on whole nanoseconds. The fraction orders them and
/// is integrated; seconds in one float would lose it after a few hours.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moment {
    nanos: u64,
    /// 0 up to but not 1 nanosecond.
    fraction: f64,
}

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Moment) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Moment) -> Ordering {
        self.nanos.cmp(&other.nanos).then(self.fraction.total_cmp(&other.fraction))
    }
}

impl From<SimTime> for Moment {
    fn from(time: SimTime) -> Moment {
        Moment { nanos: time.0, fraction: 0.0 }
    }
}

impl Moment {
    /// The scenario's start.
    pub const ZERO: Moment = Moment { nanos: 0, fraction: 0.0 };
    /// Later than any instant that comes.
    pub const NEVER: Moment = Moment { nanos: u64::MAX, fraction: 0.0 };

    /// Whole nanoseconds, the rest cut off.
    #[must_use]
    pub fn time(self) -> SimTime {
        SimTime(self.nanos)
    }

    /// Nanoseconds beyond the whole ones, below 1.
    #[must_use]
    pub fn fraction_ns(self) -> f64 {
        self.fraction
    }

    /// Seconds since the scenario's start, rounded to a float.
    #[must_use]
    pub fn seconds(self) -> f64 {
        (self.nanos as f64 + self.fraction) * 1e-9
    }

    /// This instant later by `seconds`, at least 0; [`Moment::NEVER`] if that is too far.
    #[must_use]
    pub fn after(self, seconds: f64) -> Moment {
        let nanos = seconds * 1e9 + self.fraction;
        if nanos.is_nan() || nanos >= (u64::MAX - self.nanos) as f64 {
            return Moment::NEVER;
        }
        let whole = nanos as u64;
        Moment { nanos: self.nanos + whole, fraction: nanos - whole as f64 }
    }

    /// Seconds since an earlier instant; negative if that is in fact later.
    #[must_use]
    pub fn since(self, earlier: Moment) -> f64 {
        let nanos = if self.nanos >= earlier.nanos {
            (self.nanos - earlier.nanos) as f64
        } else {
            -((earlier.nanos - self.nanos) as f64)
        };
        (nanos + (self.fraction - earlier.fraction)) * 1e-9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_survive_far_from_the_start() {
        let year = Moment::from(SimTime(31_536_000_000_000_000));
        let later = year.after(1.25e-9).after(0.5e-9);
        assert_eq!(later.time().0 - year.time().0, 1);
        assert!((later.fraction_ns() - 0.75).abs() < 1e-12);
        assert!((later.since(year) - 1.75e-9).abs() < 1e-21);
        assert_eq!(year.since(later), -later.since(year));
        assert!(year < later && later < Moment::NEVER);
        assert_eq!(year.after(1e30), Moment::NEVER);
        assert_eq!(year.after(f64::INFINITY), Moment::NEVER);
    }
}
