//! Exact numbers: decimals scaled by powers of ten, spans of time, rates.

/// Nanoseconds of each unit of time, largest first.
const SPAN_UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Bits per second of each unit of rate, largest first.
const RATE_UNITS: [(&str, u64); 5] = [
    ("Tbps", 1_000_000_000_000),
    ("Gbps", 1_000_000_000),
    ("Mbps", 1_000_000),
    ("kbps", 1_000),
    ("bps", 1),
];

/// Largest capacity or rate, bit/s.
pub(crate) const MAX_RATE_BPS: u64 = 1_000_000_000_000_000_000;

/// A decimal number as written: sign, digits without point, power of ten.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i32,
}

/// Splits a decimal number such as `-12.50e3`; none if the text is anything else.
fn decimal(text: &str) -> Option<Decimal<'_>> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (number, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], rest[at + 1..].parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let some = !whole.is_empty() || !fraction.is_empty();
    (some && digits(whole) && digits(fraction) && number.len() <= 400 && exponent.abs() <= 400)
        .then_some(Decimal { negative, whole, fraction, exponent })
}

/// The number in a text times 10^power, rounded once; none if it is no finite number.
pub(crate) fn scaled_f64(text: &str, power: i32) -> Option<f64> {
    let number = decimal(text)?;
    let sign = if number.negative { "-" } else { "" };
    let exponent = number.exponent + power;
    let exact = format!("{sign}{}.{}e{exponent}", number.whole, number.fraction);
    exact.parse().ok().filter(|value: &f64| value.is_finite())
}

/// The number in a text times 10^power as a whole number, and whether it was one already
/// (otherwise it is rounded up at a half). None if it is negative, no number, or above 10^18.
pub(crate) fn scaled_u64(text: &str, power: i32) -> Option<(u64, bool)> {
    let number = decimal(text)?;
    let digits: Vec<u8> = number.whole.bytes().chain(number.fraction.bytes()).collect();
    let zero = digits.iter().all(|&digit| digit == b'0');
    if number.negative && !zero {
        return None;
    }
    // Position of the decimal point in `digits` after scaling.
    let point = number.whole.len() as i64 + i64::from(number.exponent) + i64::from(power);
    let mut value = 0_u64;
    for index in 0..point.max(0) {
        let digit = digits.get(index as usize).map_or(0, |digit| u64::from(digit - b'0'));
        value = value.checked_mul(10)?.checked_add(digit)?;
        if value > MAX_RATE_BPS {
            return None;
        }
    }
    let rest = digits.iter().skip(point.max(0) as usize);
    let exact = rest.clone().all(|&digit| digit == b'0');
    let half = point >= 0 && rest.clone().next().is_some_and(|&digit| digit >= b'5');
    Some((value + u64::from(half), exact))
}

/// A span such as `90s` or `3d12h` in nanoseconds; none if the text is anything else.
pub(crate) fn parse_span(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let value: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let name = if &rest[..letters] == "m" { "min" } else { &rest[..letters] };
        let (_, unit) = SPAN_UNITS.iter().find(|(unit, _)| *unit == name)?;
        total = total.checked_add(value.checked_mul(*unit)?)?;
        rest = &rest[letters..];
    }
    (!text.is_empty()).then_some(total)
}

/// A span in the largest unit that keeps it whole, such as `1913us`; from an hour on in days,
/// hours and so on, such as `3d12h`.
pub(crate) fn span_text(nanos: u64) -> String {
    if nanos < SPAN_UNITS[1].1 {
        return in_largest_unit(nanos, &SPAN_UNITS, "s");
    }
    let mut text = String::new();
    let mut rest = nanos;
    for (name, size) in SPAN_UNITS {
        if rest >= size {
            text.push_str(&format!("{}{name}", rest / size));
            rest %= size;
        }
    }
    text
}

/// A rate in the largest unit that keeps it whole, such as `9953280kbps`.
pub(crate) fn rate_text(bps: u64) -> String {
    in_largest_unit(bps, &RATE_UNITS, "bps")
}

fn in_largest_unit(value: u64, units: &[(&str, u64)], zero: &str) -> String {
    let unit = units.iter().find(|(_, size)| value > 0 && value.is_multiple_of(*size));
    unit.map_or_else(|| format!("0{zero}"), |(name, size)| format!("{}{name}", value / size))
}

/// A rate such as `2.5Gbps` in bit/s; none if the text is anything else or no whole number.
pub(crate) fn parse_rate(text: &str) -> Option<u64> {
    let at = text.find(|character: char| character.is_ascii_alphabetic() && character != 'e')?;
    let (number, unit) = text.split_at(at);
    let (_, size) = RATE_UNITS.iter().find(|(name, _)| *name == unit)?;
    let (bps, exact) = scaled_u64(number.trim(), size.ilog10() as i32)?;
    exact.then_some(bps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_is_exact() {
        assert_eq!(scaled_u64("9920.00", 6), Some((9_920_000_000, true)));
        assert_eq!(scaled_u64("2.4", 9), Some((2_400_000_000, true)));
        assert_eq!(scaled_u64("1.8E9", 0), Some((1_800_000_000, true)));
        assert_eq!(scaled_u64("1234567.5e-1", 0), Some((123_457, false)));
        assert_eq!(scaled_u64("0.04", 0), Some((0, false)));
        assert_eq!(scaled_u64("0.004e1", 0), Some((0, false)));
        assert_eq!(scaled_u64("-0", 0), Some((0, true)));
        assert_eq!(scaled_u64("-1", 0), None);
        assert_eq!(scaled_u64("1e19", 0), None);
        for bad in ["", ".", "e5", "1e", "NaN", "inf", "0x10", "1_000", "1,5", "--1", "1e999"] {
            assert_eq!(scaled_u64(bad, 0), None, "{bad}");
            assert_eq!(scaled_f64(bad, 0), None, "{bad}");
        }
        assert_eq!(scaled_f64("1.990081", 6), Some(1_990_081.0));
        assert_eq!(scaled_f64("0.1", 6), Some(100_000.0));
        // Multiplying would round twice: 4.35 * 1e6 is 4350000.0 only by luck, 1.1e6 * 1.1 is not.
        assert_eq!(scaled_f64("0.000057", 6), Some(57.0));
        assert_eq!(scaled_f64("-2.5", 0), Some(-2.5));
    }

    #[test]
    fn spans_and_rates() {
        assert_eq!(parse_span("3d12h"), Some(84 * 3_600_000_000_000));
        assert_eq!(parse_span("5m"), parse_span("5min"));
        for bad in ["", "5", "h", "5 h", "-5h", "5x", "99999999999d"] {
            assert_eq!(parse_span(bad), None, "{bad}");
        }
        assert_eq!(span_text(84 * 3_600_000_000_000), "3d12h");
        assert_eq!(span_text(4_830 * 60_000_000_000), "3d8h30min");
        assert_eq!(span_text(45 * 60_000_000_000), "45min");
        assert_eq!(span_text(1_913_000), "1913us");
        assert_eq!(span_text(0), "0s");
        assert_eq!(rate_text(9_953_280_000), "9953280kbps");
        assert_eq!(rate_text(9_920_000_000), "9920Mbps");
        assert_eq!(rate_text(0), "0bps");
        assert_eq!(parse_rate("2.5Gbps"), Some(2_500_000_000));
        assert_eq!(parse_rate("10GB"), None);
        assert_eq!(parse_rate("0.5bps"), None);
    }
}
