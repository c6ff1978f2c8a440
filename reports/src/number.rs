//! Numbers for people: four significant figures, SI prefixes, one way of writing each unit.

use crate::text::clean;

/// A number with at most four significant figures: `0.01235`, `12.35`, `1,235`, `12.35 M`.
///
/// From a million on it carries an SI prefix after a space (M, G, T, P, E). Below one in ten
/// thousand it is written with a power of ten. Not a number is `n/a`, infinities are `∞` and `−∞`.
/// A negative number carries a true minus sign.
#[must_use]
pub fn number(value: f64) -> String {
    let (digits, prefix) = split(value, PLAIN_MAX);
    if prefix.is_empty() { digits } else { format!("{digits} {prefix}") }
}

/// A number with its unit: `12.35 Gbit/s`, `3.2 ms`, `12.35 M requests/s`.
///
/// `bps` and `bit/s` mean the same. Ten thousand milliseconds are `10 s`. An empty unit gives the
/// bare number.
#[must_use]
pub fn quantity(value: f64, unit: &str) -> String {
    let unit = clean(unit_name(unit));
    if unit.is_empty() || !value.is_finite() {
        return number(value);
    }
    if unit == "ms" && value.abs() >= GLUED_MAX {
        return quantity(value / 1e3, "s");
    }
    let glued = takes_prefix(&unit);
    let (digits, prefix) = split(value, if glued { GLUED_MAX } else { PLAIN_MAX });
    match (prefix.is_empty(), glued) {
        (true, _) => format!("{digits} {unit}"),
        (false, true) => format!("{digits} {prefix}{unit}"),
        (false, false) => format!("{digits} {prefix} {unit}"),
    }
}

/// A value and the half-width of its interval on one scale: `12.35 ± 0.95 G`. The half-width has
/// two significant figures.
#[must_use]
pub fn with_error(value: f64, half: f64) -> String {
    let size = value.abs().max(half.abs());
    if !size.is_finite() || !value.is_finite() {
        return number(value);
    }
    let (factor, prefix) = if size < PLAIN_MAX { (1.0, "") } else { prefix_for(size * 1.00005) };
    let space = if prefix.is_empty() { "" } else { " " };
    let (value, half) = (figures(value / factor, 4), figures(half.abs() / factor, 2));
    format!("{value} ± {half}{space}{prefix}")
}

/// A unit as we write it for people; units we do not know stay as they are.
#[must_use]
pub fn unit_name(unit: &str) -> &str {
    match unit {
        "bps" | "bits/s" => "bit/s",
        "requests_per_s" | "req/s" => "requests/s",
        "ratio" | "count" | "1" => "",
        other => other,
    }
}

/// A ratio as a percentage with at most three significant figures: `97.3 %`.
#[must_use]
pub fn percent(ratio: f64) -> String {
    if !ratio.is_finite() {
        return number(ratio);
    }
    format!("{} %", figures(ratio * 100.0, 3))
}

/// A span of simulated seconds: `250 ms`, `45 s`, `12 min`, `2 h 30 min`, `3 d 4 h`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return number(seconds);
    }
    if seconds.abs() < 1.0 && seconds != 0.0 {
        return quantity(seconds * 1e3, "ms");
    }
    if seconds.abs() < 60.0 {
        return quantity(seconds, "s");
    }
    let whole = seconds.abs().round() as u64;
    let parts = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = whole;
    let mut words = Vec::new();
    for (size, unit) in parts {
        if rest >= size && words.len() < 2 {
            words.push(format!("{} {unit}", rest / size));
            rest %= size;
        } else if !words.is_empty() {
            break;
        }
    }
    format!("{}{}", if seconds < 0.0 { "−" } else { "" }, words.join(" "))
}

/// An instant as hours and minutes, `4:05`, with seconds where they matter, `4:05:30`.
#[must_use]
pub fn clock(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return number(seconds);
    }
    let whole = (seconds + 1e-9) as u64;
    let (hours, minutes, rest) = (whole / 3_600, whole / 60 % 60, whole % 60);
    if rest == 0 {
        format!("{hours}:{minutes:02}")
    } else {
        format!("{hours}:{minutes:02}:{rest:02}")
    }
}

/// A difference with its sign: `+1.2 ms`, `−3 ms`, `0 ms`.
#[must_use]
pub fn signed(value: f64, unit: &str) -> String {
    let text = quantity(value, unit);
    if value > 0.0 { format!("+{text}") } else { text }
}

/// The step between axis labels (1, 2, 2.5 or 5 times a power of ten) that gives about `count`.
#[must_use]
pub fn nice_step(range: f64, count: usize) -> f64 {
    if !(range.is_finite() && range > 0.0) {
        return 1.0;
    }
    let rough = range / count.max(1) as f64;
    let mut power = 1.0;
    while power * 10.0 <= rough {
        power *= 10.0;
    }
    while power > rough {
        power /= 10.0;
    }
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|&step| step >= rough * 0.999)
        .unwrap_or(power * 10.0)
}

/// The SI prefix that makes `max` readable, with its factor: `(1e9, "G")`.
#[must_use]
pub fn prefix_for(max: f64) -> (f64, &'static str) {
    PREFIXES.into_iter().rev().find(|(factor, _)| max.abs() >= *factor).unwrap_or((1.0, ""))
}

/// From here on a bare number carries a prefix: what rounds to a million.
const PLAIN_MAX: f64 = 999_950.0;
/// From here on a number whose unit takes a prefix carries one: what rounds to ten thousand.
const GLUED_MAX: f64 = 9_999.5;

const PREFIXES: [(f64, &str); 6] =
    [(1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T"), (1e15, "P"), (1e18, "E")];

/// Units that an SI prefix may be glued to.
fn takes_prefix(unit: &str) -> bool {
    unit.starts_with("bit") || matches!(unit, "B" | "B/s" | "W" | "m")
}

/// Digits and SI prefix of a number.
fn split(value: f64, plain_max: f64) -> (String, &'static str) {
    if value.is_nan() {
        return ("n/a".to_owned(), "");
    }
    if value.is_infinite() {
        return (if value > 0.0 { "∞" } else { "−∞" }.to_owned(), "");
    }
    let size = value.abs();
    if size < plain_max {
        return (figures(value, 4), "");
    }
    // 999,950 rounds to 1,000 k, which must become 1 M.
    let (factor, prefix) = prefix_for(size * 1.00005);
    (figures(value / factor, 4), prefix)
}

/// A finite number with at most `count` significant figures, trailing zeros cut.
fn figures(value: f64, count: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // `{:e}` rounds exactly, so the exponent is that of the rounded number.
    let text = format!("{:.*e}", count - 1, value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if value < 0.0 { "−" } else { "" };
    if exponent < -4 {
        return format!("{sign}{}e{exponent}", trim_zeros(mantissa));
    }
    let decimals = (count as i32 - 1 - exponent).max(0) as usize;
    let rounded: f64 = text.parse().unwrap_or(value.abs());
    let plain = trim_zeros(&format!("{rounded:.decimals$}")).to_owned();
    format!("{sign}{}", group_thousands(&plain))
}

fn trim_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// Commas between groups of three digits of the whole part.
fn group_thousands(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut out = String::with_capacity(text.len() + 4);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_significant_figures_and_si() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (0.012_345_6, "0.01235"),
            (12.345_6, "12.35"),
            (1_234.56, "1,235"),
            (9_999.4, "9,999"),
            (9_999.6, "10,000"),
            (12_345.6, "12,350"),
            (999_960.0, "1 M"),
            (-2.5e9, "−2.5 G"),
            (0.000_012_345, "1.234e-5"),
            (f64::NAN, "n/a"),
            (f64::INFINITY, "∞"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn units() {
        assert_eq!(quantity(12.345e9, "bps"), "12.35 Gbit/s");
        assert_eq!(quantity(12_346.0, "requests/s"), "12,350 requests/s");
        assert_eq!(quantity(12.345e6, "requests/s"), "12.35 M requests/s");
        assert_eq!(quantity(12_345.0, "bit/s"), "12.35 kbit/s");
        assert_eq!(quantity(10_450.0, "ms"), "10.45 s");
        assert_eq!(quantity(3.0, "ms"), "3 ms");
        assert_eq!(quantity(0.5, ""), "0.5");
        assert_eq!(with_error(12.345e9, 9.5e8), "12.35 ± 0.95 G");
        assert_eq!(with_error(0.5, 0.012_34), "0.5 ± 0.012");
        assert_eq!(percent(0.973_4), "97.3 %");
        assert_eq!(signed(1.0, "ms"), "+1 ms");
        assert_eq!(signed(-1.0, "ms"), "−1 ms");
    }

    #[test]
    fn spans_and_instants() {
        assert_eq!(duration(0.25), "250 ms");
        assert_eq!(duration(45.0), "45 s");
        assert_eq!(duration(9_000.0), "2 h 30 min");
        assert_eq!(duration(86_400.0), "1 d");
        assert_eq!(duration(86_460.0), "1 d");
        assert_eq!(clock(14_700.0), "4:05");
        assert_eq!(clock(14_730.0), "4:05:30");
    }

    #[test]
    fn steps_are_nice() {
        for range in [0.001, 0.7, 1.0, 3.0, 9.9, 1e9, 7.3e12] {
            let step = nice_step(range, 5);
            let count = range / step;
            assert!((2.0..=5.1).contains(&count), "{range}: {step}");
        }
    }
}
