//! Quantities as people write them: `100Gbps`, `1h30m`, `4KiB`, `90%`, `120krps`.
//!
//! All arithmetic on quantities with units is in whole numbers, so that the value is exactly what
//! was written. A unit is always required.

use steerlab_engine::kernel::SimSpan;

/// Why a text is not the quantity that was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// Code of the diagnostic.
    pub code: &'static str,
    /// What is wrong, without the text itself.
    pub what: String,
    /// What to do.
    pub help: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl Bad {
    fn malformed(what: impl Into<String>, help: impl Into<String>) -> Bad {
        Bad { code: "E0201", what: what.into(), help: help.into(), suggestion: None }
    }

    pub(crate) fn range(what: impl Into<String>, help: impl Into<String>) -> Bad {
        Bad { code: "E0202", what: what.into(), help: help.into(), suggestion: None }
    }

    fn unit(what: impl Into<String>, help: impl Into<String>, suggestion: Option<String>) -> Bad {
        Bad { code: "E0205", what: what.into(), help: help.into(), suggestion }
    }
}

/// A decimal number without sign and exponent, kept exact: `digits` / 10^`scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Decimal {
    digits: u128,
    scale: u32,
}

/// Most digits a number may have.
const DIGITS_MAX: usize = 25;

/// Splits the leading decimal number off a text; the message says why there is none.
fn decimal(text: &str) -> Result<(Decimal, &str), String> {
    if text.starts_with('-') {
        return Err("is negative".into());
    }
    if text.starts_with('+') {
        return Err("has a plus sign".into());
    }
    let whole = text.bytes().take_while(u8::is_ascii_digit).count();
    if whole == 0 {
        return Err("does not begin with a number".into());
    }
    if whole > 1 && text.starts_with('0') {
        return Err("begins with a zero, as octal numbers do".into());
    }
    let (number, mut rest) = text.split_at(whole);
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err("has a point without a digit behind it".into());
        }
        (fraction, rest) = after.split_at(digits);
    }
    if rest.starts_with('_') {
        return Err("has an underscore in a number".into());
    }
    if number.len() + fraction.len() > DIGITS_MAX {
        return Err(format!("has more than {DIGITS_MAX} digits"));
    }
    let digits = number
        .bytes()
        .chain(fraction.bytes())
        .fold(0_u128, |sum, digit| sum * 10 + u128::from(digit - b'0'));
    let scale = u32::try_from(fraction.len()).expect("at most 25 digits");
    Ok((Decimal { digits, scale }, rest))
}

impl Decimal {
    /// The number times `factor`, if that is whole and fits.
    fn times(self, factor: u128) -> Option<u128> {
        let product = self.digits.checked_mul(factor)?;
        let divisor = 10_u128.checked_pow(self.scale)?;
        product.is_multiple_of(divisor).then(|| product / divisor)
    }
}

/// A unit and what one of it is worth in the base unit.
type Unit = (&'static str, u128);

const K: u128 = 1_000;

/// Bits per second.
pub const BANDWIDTH_UNITS: &[Unit] = &[
    ("bps", 1),
    ("kbps", K),
    ("Mbps", K * K),
    ("Gbps", K * K * K),
    ("Tbps", K * K * K * K),
    ("Pbps", K * K * K * K * K),
];

/// Bytes.
pub const BYTE_UNITS: &[Unit] = &[
    ("B", 1),
    ("kB", K),
    ("MB", K * K),
    ("GB", K * K * K),
    ("TB", K * K * K * K),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Nanoseconds.
pub const SPAN_UNITS: &[Unit] = &[
    ("ns", 1),
    ("us", K),
    ("µs", K),
    ("ms", K * K),
    ("s", K * K * K),
    ("m", 60 * K * K * K),
    ("min", 60 * K * K * K),
    ("h", 3_600 * K * K * K),
    ("d", 86_400 * K * K * K),
];

/// Thousandths of a request per second.
pub const REQUEST_UNITS: &[Unit] =
    &[("rps", K), ("krps", K * K), ("Mrps", K * K * K), ("Grps", K * K * K * K)];

fn unit_names(units: &[Unit]) -> String {
    units
        .iter()
        .filter(|(name, _)| name.is_ascii())
        .map(|(name, _)| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A number with one of the units, in the base unit.
fn with_unit(text: &str, units: &[Unit], base: &str, example: &str) -> Result<u128, Bad> {
    let help =
        format!("write a number and a unit, such as `{example}`; units: {}", unit_names(units));
    let (number, rest) = decimal(text).map_err(|what| Bad::malformed(what, help.clone()))?;
    let unit = rest.trim_start();
    if unit.is_empty() {
        return Err(Bad::unit("has no unit", help, None));
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let near = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        let suggestion = near.map(|(name, _)| text[..text.len() - rest.len()].to_owned() + name);
        return Err(Bad::unit(format!("has the unknown unit `{}`", short(unit)), help, suggestion));
    };
    number.times(*factor).ok_or_else(|| {
        Bad::malformed(format!("is not a whole number of {base}"), "use fewer decimal places")
    })
}

/// At most 16 characters of a text, for messages.
fn short(text: &str) -> String {
    if text.chars().count() > 16 {
        text.chars().take(16).chain(['…']).collect()
    } else {
        text.to_owned()
    }
}

/// A bandwidth such as `100Gbps`, in bit/s.
///
/// # Errors
/// Not a number with a unit of bits per second, or above 2^64.
pub fn bandwidth(text: &str) -> Result<u64, Bad> {
    let bits =
        with_unit(text, BANDWIDTH_UNITS, "bits per second", "100Gbps").map_err(|mut bad| {
            let in_bytes = ["B", "Bps", "B/s"].iter().any(|unit| text.ends_with(unit));
            if bad.code == "E0205" && in_bytes {
                bad.help = "bandwidth is in bits per second: multiply bytes by 8".into();
                bad.suggestion = None;
            }
            bad
        })?;
    u64::try_from(bits).map_err(|_| Bad::range("is above 10^18 bit/s", "use a smaller rate"))
}

/// A size such as `50kB` or `4KiB`, in bytes.
///
/// # Errors
/// Not a number with a unit of bytes, or above 2^64.
pub fn bytes(text: &str) -> Result<u64, Bad> {
    let bytes = with_unit(text, BYTE_UNITS, "bytes", "50kB")?;
    u64::try_from(bytes).map_err(|_| Bad::range("is above 10^15 bytes", "use a smaller size"))
}

/// A request rate such as `120krps`, in requests per second.
///
/// # Errors
/// Not a number with a unit of requests per second, to three decimal places.
pub fn request_rate(text: &str) -> Result<f64, Bad> {
    let milli = with_unit(text, REQUEST_UNITS, "thousandths of a request per second", "120krps")?;
    // Exact up to 2^53 thousandths; larger rates are rounded once.
    Ok(milli as f64 / K as f64)
}

/// A span of time such as `5ms` or `1h30m`.
///
/// # Errors
/// Not a sequence of numbers with units of time, largest first, or above 584 years.
pub fn span(text: &str) -> Result<SimSpan, Bad> {
    let help = "write a number and a unit, such as `5ms`, `20s`, `90m` or `1h30m`; units: \
                `ns`, `us`, `ms`, `s`, `m` or `min`, `h`, `d`";
    let mut rest = text;
    let mut sum = 0_u128;
    let mut previous = u128::MAX;
    while !rest.is_empty() {
        let (number, after) = decimal(rest).map_err(|what| Bad::malformed(what, help))?;
        let after = after.trim_start();
        let letters = after.bytes().take_while(|b| !b.is_ascii_digit() && *b != b' ').count();
        let (unit, next) = after.split_at(letters);
        if unit.is_empty() {
            return Err(Bad::unit("has no unit of time", help, None));
        }
        let Some((_, factor)) = SPAN_UNITS.iter().find(|(name, _)| *name == unit) else {
            let what = format!("has the unknown unit of time `{}`", short(unit));
            let help = if unit == "M" {
                "`M` could be minutes or months: write `min` for minutes, `d` for days"
            } else {
                help
            };
            return Err(Bad::unit(what, help, None));
        };
        if *factor >= previous {
            return Err(Bad::malformed(
                "names its units out of order",
                "largest unit first: `1h30m`",
            ));
        }
        previous = *factor;
        let nanos = number
            .times(*factor)
            .ok_or_else(|| Bad::malformed("is not a whole number of nanoseconds", help))?;
        sum = sum.saturating_add(nanos);
        rest = next.trim_start();
    }
    if previous == u128::MAX {
        return Err(Bad::malformed("is empty", help));
    }
    u64::try_from(sum)
        .map(SimSpan)
        .map_err(|_| Bad::range("is longer than 584 years", "use a shorter span"))
}

/// A ratio such as `0.9` or `90%`.
///
/// # Errors
/// Not a number, or not finite.
pub fn ratio(text: &str) -> Result<f64, Bad> {
    match text.strip_suffix('%') {
        Some(percent) => number(percent.trim_end()).map(|value| value / 100.0),
        None => number(text),
    }
}

/// A plain number such as `-3`, `0.25` or `1e-3`.
///
/// # Errors
/// Not a decimal number, or not finite.
pub fn number(text: &str) -> Result<f64, Bad> {
    let help = "write a decimal number such as `0.25`";
    let lower = text.trim_start_matches(['-', '+', '.']).to_ascii_lowercase();
    if matches!(lower.as_str(), "nan" | "inf" | "infinity") {
        return Err(Bad::malformed("is not a finite number", help));
    }
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let (_, rest) = decimal(unsigned).map_err(|what| Bad::malformed(what, help))?;
    let exponent = rest.strip_prefix(['e', 'E']).map(|e| e.strip_prefix(['+', '-']).unwrap_or(e));
    let whole = match exponent {
        Some(digits) => {
            !digits.is_empty() && digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit())
        }
        None => rest.is_empty(),
    };
    if !whole {
        let what = if rest.starts_with(':') {
            "is written in base sixty"
        } else {
            "has something behind the number"
        };
        return Err(Bad::malformed(what, help));
    }
    let value: f64 = unsigned.parse().map_err(|_| Bad::malformed("is not a number", help))?;
    if !value.is_finite() {
        return Err(Bad::range("is too large for a number", help));
    }
    Ok(sign * value)
}

/// A whole number such as `5`.
///
/// # Errors
/// Anything but digits without leading zero, or above 2^64.
pub fn count(text: &str) -> Result<u64, Bad> {
    let help = "write a whole number such as `5`, digits only";
    let (value, rest) = decimal(text).map_err(|what| Bad::malformed(what, help))?;
    if value.scale > 0 || !rest.is_empty() {
        return Err(Bad::malformed("is not a whole number", help));
    }
    u64::try_from(value.digits).map_err(|_| Bad::range("is above 2^64", help))
}

#[cfg(test)]
#[path = "quantity_tests.rs"]
mod tests;
