//! Times of day, dates and instants.

use crate::quantity::{self, Bad};
use steerlab_engine::kernel::SimSpan;

/// Nanoseconds in a second and in a day.
const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// A date with time and offset (RFC 3339).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub unix_ns: i128,
    /// Offset of the clock it was written in from UTC, nanoseconds.
    pub offset_ns: i128,
}

/// An instant as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So long after the start.
    Since(SimSpan),
    /// The next time a clock in the start's time zone shows this time of day.
    Clock(SimSpan),
    /// A date.
    Date(DateTime),
}

fn bad(what: &str, help: &str) -> Bad {
    Bad { code: "E0201", what: what.into(), help: help.into(), suggestion: None }
}

/// Exactly two digits at the front of a text.
fn two(text: &str) -> Option<(i128, &str)> {
    let head = text.get(..2)?;
    head.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
    Some((head.parse().ok()?, &text[2..]))
}

/// `HH:MM` or `HH:MM:SS`, in nanoseconds after midnight, and the rest of the text.
fn clock(text: &str) -> Option<(i128, &str)> {
    let (hour, rest) = two(text)?;
    let (minute, rest) = two(rest.strip_prefix(':')?)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => two(rest)?,
        None => (0, rest),
    };
    (hour < 24 && minute < 60 && second < 60)
        .then_some((((hour * 60 + minute) * 60 + second) * SECOND, rest))
}

/// A time of day such as `06:30`, as the span since midnight.
///
/// # Errors
/// Not `HH:MM` or `HH:MM:SS`, or no such time.
pub fn time_of_day(text: &str) -> Result<SimSpan, Bad> {
    match clock(text) {
        Some((nanos, "")) => Ok(SimSpan(u64::try_from(nanos).expect("below one day"))),
        _ => Err(bad("is not a time of day", "write `HH:MM`, from `00:00` to `23:59`")),
    }
}

/// A date and time such as `2025-08-21T16:27:00Z`.
///
/// # Errors
/// Not RFC 3339, or no such date.
pub fn date_time(text: &str) -> Result<DateTime, Bad> {
    let help = "write a date and time with its offset, such as `2025-08-21T16:27:00Z` or \
                `2025-08-21T18:27:00+02:00`";
    parse_date_time(text).ok_or_else(|| bad("is not a date and time (RFC 3339)", help))
}

fn parse_date_time(text: &str) -> Option<DateTime> {
    let year_text = text.get(..4)?;
    year_text.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
    let year: i128 = year_text.parse().ok()?;
    let (month, rest) = two(text[4..].strip_prefix('-')?)?;
    let (day, rest) = two(rest.strip_prefix('-')?)?;
    let date = days_from_civil(year, month, day)?;
    let (time, rest) = clock(rest.strip_prefix(['T', 't'])?)?;
    let (fraction, rest) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(after) => {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            (1..=9).contains(&digits).then_some(())?;
            let value: i128 = after[..digits].parse().ok()?;
            (value * 10_i128.pow(9 - digits as u32), &after[digits..])
        }
    };
    let offset = match rest {
        "Z" | "z" => 0,
        _ => {
            let sign = if rest.starts_with('+') { 1 } else { -1 };
            let (hours, rest) = two(rest.strip_prefix(['+', '-'])?)?;
            let (minutes, rest) = two(rest.strip_prefix(':')?)?;
            (rest.is_empty() && hours < 24 && minutes < 60).then_some(())?;
            sign * (hours * 60 + minutes) * 60 * SECOND
        }
    };
    Some(DateTime { unix_ns: date * DAY + time + fraction - offset, offset_ns: offset })
}

/// Days from 1970-01-01 in the Gregorian calendar; none if there is no such day.
fn days_from_civil(year: i128, month: i128, day: i128) -> Option<i128> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = lengths.get(..usize::try_from(month - 1).ok()?)?;
    let length = lengths.get(before.len())?;
    (day >= 1 && day <= *length).then_some(())?;
    let years = year - 1;
    let until_year = years * 365 + years / 4 - years / 100 + years / 400;
    Some(until_year + before.iter().sum::<i128>() + day - 1 - 719_162)
}

/// An instant: a span since the start, a clock time, or a date.
///
/// # Errors
/// None of the three.
pub fn moment(text: &str) -> Result<Moment, Bad> {
    if text.len() > 5 && text.as_bytes()[4] == b'-' {
        return date_time(text).map(Moment::Date);
    }
    if text.contains(':') {
        return time_of_day(text).map(Moment::Clock);
    }
    quantity::span(text).map(Moment::Since).map_err(|mut bad| {
        bad.help = "write the time since the start such as `90m`, or with `start:` also a clock \
                    time `16:27` or a date `2025-08-21T16:27:00Z`"
            .into();
        bad
    })
}

impl DateTime {
    /// Time of day in UTC, as the span since midnight.
    #[must_use]
    pub fn utc_time_of_day(&self) -> SimSpan {
        SimSpan(u64::try_from(self.unix_ns.rem_euclid(DAY)).expect("below one day"))
    }

    /// Span from this instant to another; none if that is earlier or further than 584 years.
    #[must_use]
    pub fn until(&self, other: &DateTime) -> Option<SimSpan> {
        u64::try_from(other.unix_ns - self.unix_ns).ok().map(SimSpan)
    }

    /// Span from this instant to the next time its own clock shows a time of day (zero if now).
    #[must_use]
    pub fn until_clock(&self, time_of_day: SimSpan) -> SimSpan {
        let now = (self.unix_ns + self.offset_ns).rem_euclid(DAY);
        let wait = (i128::from(time_of_day.0) - now).rem_euclid(DAY);
        SimSpan(u64::try_from(wait).expect("below one day"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let seconds = |text: &str| date_time(text).map(|date| date.unix_ns / SECOND);
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(seconds("2000-03-01T00:00:00Z"), Ok(951_868_800));
        assert_eq!(seconds("2025-08-21T16:27:00Z"), Ok(1_755_793_620));
        assert_eq!(seconds("2025-08-21T18:27:00+02:00"), Ok(1_755_793_620));
        assert_eq!(date_time("1970-01-01T00:00:00.25Z").unwrap().unix_ns, 250_000_000);
        for text in [
            "2025-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-08-21",
            "2025-08-21T16:27:00",
            "2025-08-21T25:00:00Z",
            "2025-00-10T00:00:00Z",
            "äöü5-08-21T16:27:00Z",
            "2025-08-21T16:27:00+2:00",
        ] {
            assert_eq!(date_time(text).unwrap_err().code, "E0201", "{text}");
        }
        assert!(date_time("2024-02-29T00:00:00Z").is_ok());
    }

    #[test]
    fn clock_times_are_after_the_start() {
        let start = date_time("2025-08-21T23:00:00+02:00").unwrap();
        assert_eq!(start.utc_time_of_day(), SimSpan::from_seconds(21 * 3_600));
        assert_eq!(start.until_clock(SimSpan::from_seconds(1_800)), SimSpan::from_seconds(5_400));
        assert_eq!(start.until_clock(SimSpan::from_seconds(23 * 3_600)), SimSpan::ZERO);
        assert_eq!(moment("16:27"), Ok(Moment::Clock(SimSpan::from_seconds(59_220))));
        assert_eq!(moment("90m"), Ok(Moment::Since(SimSpan::from_seconds(5_400))));
        assert!(matches!(moment("2025-08-21T16:27:00Z"), Ok(Moment::Date(_))));
        assert!(moment("24:00").is_err() && moment("soon").is_err() && moment("6:3").is_err());
    }
}
