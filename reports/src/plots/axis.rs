//! Axes for values and for time, with labels people expect.

use crate::figure::Axis;
use crate::number::{clock, nice_step, number, prefix_for, unit_name};
use steerlab_results::engine::kernel::math;
use steerlab_results::view::RunView;

const DAY_S: f64 = 86_400.0;

/// Most steps on one side of zero, whatever the numbers are.
const STEPS_MAX: f64 = 12.0;

/// Steps between labels of a time axis, seconds.
const TIME_STEPS_S: [f64; 22] = [
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    900.0,
    1_800.0,
    3_600.0,
    7_200.0,
    10_800.0,
    21_600.0,
    43_200.0,
    86_400.0,
    172_800.0,
    604_800.0,
    2_419_200.0,
    31_536_000.0,
];

/// How instants are told: since the start, or as time of day where the scenario has a date.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeScale {
    /// Seconds after midnight at the start; none: told since the start.
    pub start_of_day_s: Option<f64>,
    /// The start as written.
    pub start: String,
}

impl TimeScale {
    /// The way of the scenario.
    #[must_use]
    pub fn of(view: &RunView) -> TimeScale {
        let start = crate::text::clean(&view.scenario.start);
        let offset = view.scenario.start_time_of_day.seconds();
        TimeScale { start_of_day_s: (!start.is_empty()).then_some(offset), start }
    }

    /// An instant for people: `4:05`, or `20:05 UTC`, with the day after the first.
    #[must_use]
    pub fn instant(&self, time_s: f64) -> String {
        let Some(offset) = self.start_of_day_s else { return clock(time_s) };
        let at = time_s + offset;
        let day = (at / DAY_S) as u64;
        let text = clock(at % DAY_S);
        if day == 0 {
            format!("{text} UTC")
        } else {
            format!("{text} UTC, day {}", day.saturating_add(1))
        }
    }

    /// What the axis shows.
    #[must_use]
    pub fn caption(&self) -> String {
        match self.start_of_day_s {
            Some(_) => format!("time of day, UTC (start {})", self.start),
            None => "time since the start, h:mm".to_owned(),
        }
    }

    /// An axis over [first, last] seconds with up to `labels` labels.
    #[must_use]
    pub fn axis(&self, first: f64, last: f64, labels: usize) -> Axis {
        let last = if last > first { last } else { first + 1.0 };
        let offset = self.start_of_day_s.unwrap_or(0.0);
        let step = TIME_STEPS_S
            .into_iter()
            .find(|step| (last - first) / step <= labels as f64)
            .unwrap_or((last - first) / labels.max(1) as f64);
        let mut ticks = Vec::new();
        let mut at = ((first + offset) / step).ceil() * step;
        while at <= last + offset + step * 1e-9 && ticks.len() <= labels + 1 {
            let label = match self.start_of_day_s {
                _ if step >= DAY_S => {
                    format!("day {}", ((at / DAY_S).round() as u64).saturating_add(1))
                }
                Some(_) => clock(at % DAY_S),
                None => clock(at),
            };
            ticks.push((at - offset, label));
            at += step;
        }
        Axis { min: first, max: last, ticks, log: false }
    }
}

/// An axis from 0 to at least `max`, and the caption of its unit.
#[must_use]
pub fn value_axis(max: f64, unit: &str) -> (Axis, String) {
    // What is this small is rounding, and would give steps of nothing.
    let max = if max.is_finite() && max > 1e-12 { max } else { 1.0 };
    let (factor, prefix) = match unit {
        "%" => (0.01, ""),
        // Milliseconds do not take prefixes: they become seconds.
        "ms" if max >= 10_000.0 => (1_000.0, "s"),
        "ms" => (1.0, ""),
        _ => prefix_for(max),
    };
    let step = nice_step(max / factor, 5);
    let count = (max / factor / step - 1e-9).ceil().clamp(1.0, STEPS_MAX) as usize;
    let ticks = (0..=count)
        .map(|index| {
            let value = step * index as f64;
            (value * factor, number(value))
        })
        .collect();
    let caption = match (prefix, unit_name(unit)) {
        ("", unit) => unit.to_owned(),
        (_, "ms") => prefix.to_owned(),
        (prefix, unit) if unit.starts_with("bit") => format!("{prefix}{unit}"),
        ("k", unit) => format!("thousand {unit}"),
        ("M", unit) => format!("million {unit}"),
        (prefix, unit) => format!("{prefix} {unit}"),
    };
    (Axis { min: 0.0, max: step * count as f64 * factor, ticks, log: false }, caption)
}

/// A logarithmic axis over [min, max], both above 0, with labels at 1, 2 and 5.
#[must_use]
pub fn log_axis(min: f64, max: f64) -> Axis {
    let min = if min.is_finite() && min > 0.0 { min } else { 1e-3 };
    let max = if max.is_finite() && max > min { max } else { min * 10.0 };
    let mut power = 1.0;
    while power > min {
        power /= 10.0;
    }
    while power * 10.0 <= min {
        power *= 10.0;
    }
    let decades = (math::ln(max / power) / math::ln(10.0)).ceil() as usize;
    let factors: &[f64] = if decades > 4 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let mut ticks = Vec::new();
    while power <= max {
        for factor in factors {
            let value = factor * power;
            if value >= min && value <= max {
                ticks.push((value, number(value)));
            }
        }
        power *= 10.0;
    }
    Axis { min, max, ticks, log: true }
}

/// A symmetric axis around zero for ratios, labelled in percent with signs.
#[must_use]
pub fn signed_percent_axis(extent: f64) -> Axis {
    let extent = if extent.is_finite() && extent > 1e-12 { extent } else { 0.1 };
    let step = nice_step(extent * 100.0, 4) / 100.0;
    let count = (extent / step - 1e-9).ceil().clamp(1.0, STEPS_MAX) as i64;
    let ticks = (-count..=count)
        .map(|index| {
            let value = step * index as f64;
            let sign = if index > 0 { "+" } else { "" };
            (value, format!("{sign}{} %", number(value * 100.0)))
        })
        .collect();
    Axis { min: -step * count as f64, max: step * count as f64, ticks, log: false }
}

/// A symmetric axis around zero for values with a unit; ticks carry signs.
#[must_use]
pub fn signed_axis(extent: f64, factor: f64) -> Axis {
    let extent = if extent.is_finite() && extent > 1e-12 { extent } else { factor };
    let step = nice_step(extent / factor, 4);
    let count = (extent / factor / step - 1e-9).ceil().clamp(1.0, STEPS_MAX) as i64;
    let ticks = (-count..=count)
        .map(|index| {
            let value = step * index as f64;
            (value * factor, format!("{}{}", if index > 0 { "+" } else { "" }, number(value)))
        })
        .collect();
    let max = step * count as f64 * factor;
    Axis { min: -max, max, ticks, log: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn time_axes() {
        let since = TimeScale { start_of_day_s: None, start: String::new() };
        assert_eq!(labels(&since.axis(0.0, 7_200.0, 7)), ["0:00", "0:30", "1:00", "1:30", "2:00"]);
        let utc = TimeScale { start_of_day_s: Some(85_500.0), start: "x".into() };
        assert_eq!(labels(&utc.axis(0.0, 3_600.0, 5)), ["23:45", "0:00", "0:15", "0:30", "0:45"]);
        assert_eq!(utc.instant(1_800.0), "0:15 UTC, day 2");
        assert_eq!(labels(&since.axis(0.0, 259_200.0, 4)), ["day 1", "day 2", "day 3", "day 4"]);
    }

    #[test]
    fn value_axes_start_at_zero_and_name_their_unit() {
        let (axis, caption) = value_axis(3.2e9, "bit/s");
        assert_eq!(caption, "Gbit/s");
        assert_eq!(labels(&axis), ["0", "1", "2", "3", "4"]);
        let (axis, caption) = value_axis(1.15, "%");
        assert_eq!(caption, "%");
        assert_eq!(labels(&axis), ["0", "25", "50", "75", "100", "125"]);
        assert_eq!(value_axis(0.0, "ms").0.max, 1.0);
        assert_eq!(value_axis(2_500.0, "ms").1, "ms");
        assert_eq!(labels(&value_axis(12_000.0, "ms").0), ["0", "2.5", "5", "7.5", "10", "12.5"]);
        assert_eq!(value_axis(12_000.0, "ms").1, "s");
    }

    #[test]
    fn absurd_ranges_give_few_ticks() {
        for max in [1e308, 1e-320, f64::MAX, f64::INFINITY, f64::NAN, -1.0] {
            assert!(value_axis(max, "%").0.ticks.len() <= 13);
            assert!(signed_axis(max, 0.01).ticks.len() <= 25);
            assert!(signed_percent_axis(max).ticks.len() <= 25);
        }
    }

    #[test]
    fn log_axes_cover_their_range() {
        let axis = log_axis(3.0, 450.0);
        assert_eq!(labels(&axis), ["5", "10", "20", "50", "100", "200"]);
    }
}
