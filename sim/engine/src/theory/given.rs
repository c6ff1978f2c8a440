//! Parameters of a model: their kinds, ranges and defaults, and how they are read from text.

use super::Model;
use crate::load::law::Law;
use std::fmt;

/// A parameter of a model.
#[derive(Debug)]
pub struct Parameter {
    /// Stable name: quantity and unit.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// Unit; empty for ratios and counts.
    pub unit: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// What it is if not given.
    pub preset: Preset,
}

/// What a parameter may hold.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A number.
    Number(Range),
    /// A whole number, both ends included.
    Count(u64, u64),
    /// Numbers separated by commas, at most that many.
    Numbers(Range, usize),
    /// A law of sizes or durations, such as `exponential` or `erlang:4`.
    Law,
}

/// A range of numbers.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// Lower end.
    pub min: f64,
    /// Whether the lower end is in.
    pub with_min: bool,
    /// Upper end.
    pub max: f64,
    /// Whether the upper end is in.
    pub with_max: bool,
}

/// What a parameter is if not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// An error.
    Required,
    /// Nothing; the model says what that means.
    None,
    /// A value, as typed.
    Text(&'static str),
}

/// Largest number that a parameter may hold; far from where sums lose their sense.
const LARGEST: f64 = 1e15;

impl Range {
    /// Above 0.
    pub const POSITIVE: Range = Range { min: 0.0, with_min: false, max: LARGEST, with_max: true };
    /// 0 or more.
    pub const NOT_NEGATIVE: Range =
        Range { min: 0.0, with_min: true, max: LARGEST, with_max: true };
    /// 0 to 1.
    pub const RATIO: Range = Range { min: 0.0, with_min: true, max: 1.0, with_max: true };
    /// Between 0 and 1, without the ends.
    pub const INSIDE: Range = Range { min: 0.0, with_min: false, max: 1.0, with_max: false };
    /// 0 to below 1.
    pub const BELOW_ONE: Range = Range { min: 0.0, with_min: true, max: 1.0, with_max: false };

    /// Whether a number is in it.
    #[must_use]
    pub fn has(&self, x: f64) -> bool {
        let above = if self.with_min { x >= self.min } else { x > self.min };
        let below = if self.with_max { x <= self.max } else { x < self.max };
        above && below
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let low = if self.with_min { "from " } else { "above " };
        write!(f, "{low}{}", self.min)?;
        if self.max < LARGEST {
            let high = if self.with_max { " to " } else { " to below " };
            write!(f, "{high}{}", self.max)?;
        } else if self.with_min {
            write!(f, " on")?;
        }
        Ok(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Number(range) => write!(f, "number {range}"),
            Kind::Count(min, max) => write!(f, "whole number from {min} to {max}"),
            Kind::Numbers(range, most) => {
                write!(f, "up to {most} numbers {range}, separated by commas")
            }
            Kind::Law => write!(f, "{}", LAWS),
        }
    }
}

/// What can be written for a law.
const LAWS: &str = "deterministic, exponential, uniform, erlang:STAGES, hyper-exponential:CV2, \
                    log-normal:CV2 or pareto:TAIL";

/// What is wrong with a parameter, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Name of the parameter.
    pub parameter: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: String,
}

impl Trouble {
    /// A trouble with a parameter.
    pub(crate) fn new(parameter: &str, what: String, help: &str) -> Trouble {
        Trouble { parameter: parameter.to_owned(), what, help: help.to_owned() }
    }
}

#[derive(Clone, Debug)]
enum Value {
    Number(f64),
    Numbers(Vec<f64>),
    Law(Law),
}

/// Parameters of one evaluation, each within its range.
#[derive(Debug)]
pub struct Given {
    values: Vec<(&'static Parameter, Value)>,
}

impl Given {
    /// Reads texts against the table of a model.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the texts; then what is missing.
    pub(crate) fn read(model: &Model, texts: &[(String, String)]) -> Result<Given, Vec<Trouble>> {
        let mut values: Vec<(&'static Parameter, Value)> = Vec::new();
        let mut troubles = Vec::new();
        for (name, text) in texts {
            let Some(parameter) = model.parameter(name) else {
                troubles.push(unknown(model, name));
                continue;
            };
            if values.iter().any(|(one, _)| one.name == parameter.name) {
                let what = "is given twice".to_owned();
                troubles.push(Trouble::new(parameter.name, what, "give it once"));
                continue;
            }
            match parse(parameter, text) {
                Ok(value) => values.push((parameter, value)),
                Err(trouble) => troubles.push(trouble),
            }
        }
        let seen = |parameter: &Parameter| {
            texts.iter().any(|(name, _)| {
                model.parameter(name).is_some_and(|one| one.name == parameter.name)
            })
        };
        for parameter in model.parameters.iter().filter(|one| !seen(one)) {
            match parameter.preset {
                Preset::Required => {
                    let help = format!("give {}: {}", parameter.name, parameter.kind);
                    troubles.push(Trouble::new(parameter.name, "is missing".to_owned(), &help));
                }
                Preset::None => {}
                Preset::Text(text) => {
                    let value = parse(parameter, text).expect("defaults are within their ranges");
                    values.push((parameter, value));
                }
            }
        }
        if troubles.is_empty() { Ok(Given { values }) } else { Err(troubles) }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(one, _)| one.name == name).map(|(_, value)| value)
    }

    /// A number that may be left out.
    pub(crate) fn maybe(&self, name: &str) -> Option<f64> {
        match self.get(name) {
            Some(Value::Number(x)) => Some(*x),
            _ => None,
        }
    }

    /// A number.
    pub(crate) fn number(&self, name: &str) -> f64 {
        self.maybe(name).expect("a model asks for numbers of its own table only")
    }

    /// A whole number.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.number(name) as u64
    }

    /// Numbers; empty if left out.
    pub(crate) fn numbers(&self, name: &str) -> &[f64] {
        match self.get(name) {
            Some(Value::Numbers(list)) => list,
            _ => &[],
        }
    }

    /// A law, if given.
    pub(crate) fn law(&self, name: &str) -> Option<&Law> {
        match self.get(name) {
            Some(Value::Law(law)) => Some(law),
            _ => None,
        }
    }
}

fn unknown(model: &Model, name: &str) -> Trouble {
    let names: Vec<&str> = model.parameters.iter().map(|one| one.name).collect();
    let help = format!("{} has {}", model.name, names.join(", "));
    Trouble::new(name, "is no parameter of this model".to_owned(), &help)
}

fn parse(parameter: &Parameter, text: &str) -> Result<Value, Trouble> {
    let bad = || {
        let what = format!("is `{text}`, out of what it may hold");
        Trouble::new(parameter.name, what, &format!("give a {}", parameter.kind))
    };
    let text = text.trim();
    match parameter.kind {
        Kind::Number(range) => {
            decimal(text).filter(|x| range.has(*x)).map(Value::Number).ok_or_else(bad)
        }
        Kind::Count(min, max) => {
            let range = min..=max;
            let count = text.replace('_', "").parse::<u64>().ok().filter(|n| range.contains(n));
            count.map(|n| Value::Number(n as f64)).ok_or_else(bad)
        }
        Kind::Numbers(range, most) => {
            let list: Option<Vec<f64>> = text
                .trim_start_matches('[')
                .trim_end_matches(']')
                .split(',')
                .map(|one| decimal(one.trim()).filter(|x| range.has(*x)))
                .collect();
            list.filter(|list| list.len() <= most).map(Value::Numbers).ok_or_else(bad)
        }
        Kind::Law => text.parse().map(Value::Law).map_err(|()| bad()),
    }
}

/// A finite number; `95%` is 0.95.
fn decimal(text: &str) -> Option<f64> {
    let (digits, scale) = match text.strip_suffix('%') {
        Some(digits) => (digits, 0.01),
        None => (text, 1.0),
    };
    let plain = digits.chars().all(|c| c.is_ascii_digit() || "+-.eE_".contains(c));
    let x: f64 = if plain { digits.replace('_', "").parse().ok()? } else { return None };
    x.is_finite().then_some(x * scale)
}
