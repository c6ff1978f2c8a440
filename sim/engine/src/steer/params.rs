//! Parameters of policies: declared once, checked by the scenario reader, read by the policy.

use crate::kernel::SimSpan;
use crate::scenario::ScriptStep;
use serde::{Deserialize, Serialize};

/// What values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamKind {
    /// A fraction, written `0.9` or `90%`, within [min, max].
    Ratio {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// A span of time within [min, max].
    Span {
        /// Shortest.
        min: SimSpan,
        /// Longest.
        max: SimSpan,
    },
    /// A whole number within [min, max].
    Count {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// A rate such as `10Gbps`, in bit/s.
    Rate,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// A list of `{at: TIME, ACTION...}` steps.
    Script,
}

/// A declared parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Param {
    /// Name in YAML.
    pub name: &'static str,
    /// What values it takes.
    pub kind: ParamKind,
    /// Default, as it would be written in YAML; none: the parameter is required.
    pub default: Option<&'static str>,
    /// One line.
    pub doc: &'static str,
}

/// A checked value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParamValue {
    /// Of [`ParamKind::Ratio`].
    Ratio(f64),
    /// Of [`ParamKind::Span`].
    Span(SimSpan),
    /// Of [`ParamKind::Count`].
    Count(u64),
    /// Of [`ParamKind::Rate`], bit/s.
    Rate(u64),
    /// Of [`ParamKind::Choice`].
    Choice(String),
    /// Of [`ParamKind::Script`], sorted by time.
    Script(Vec<ScriptStep>),
}

/// Complete, checked parameters of one policy: every declared one is there, with its kind.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a>(pub &'a [(String, ParamValue)]);

impl<'a> Params<'a> {
    fn value(&self, name: &str) -> &'a ParamValue {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
            .unwrap_or_else(|| panic!("policy reads parameter `{name}` that it does not declare"))
    }

    /// A ratio parameter.
    #[must_use]
    pub fn ratio(&self, name: &str) -> f64 {
        match self.value(name) {
            ParamValue::Ratio(value) => *value,
            other => panic!("parameter `{name}` is {other:?}, not a ratio"),
        }
    }

    /// A span parameter.
    #[must_use]
    pub fn span(&self, name: &str) -> SimSpan {
        match self.value(name) {
            ParamValue::Span(value) => *value,
            other => panic!("parameter `{name}` is {other:?}, not a span"),
        }
    }

    /// A count parameter.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        match self.value(name) {
            ParamValue::Count(value) => *value,
            other => panic!("parameter `{name}` is {other:?}, not a count"),
        }
    }

    /// A rate parameter, bit/s.
    #[must_use]
    pub fn rate_bps(&self, name: &str) -> u64 {
        match self.value(name) {
            ParamValue::Rate(value) => *value,
            other => panic!("parameter `{name}` is {other:?}, not a rate"),
        }
    }

    /// A choice parameter.
    #[must_use]
    pub fn choice(&self, name: &str) -> &'a str {
        match self.value(name) {
            ParamValue::Choice(value) => value,
            other => panic!("parameter `{name}` is {other:?}, not a choice"),
        }
    }

    /// A script parameter.
    #[must_use]
    pub fn script(&self, name: &str) -> &'a [ScriptStep] {
        match self.value(name) {
            ParamValue::Script(steps) => steps,
            other => panic!("parameter `{name}` is {other:?}, not a script"),
        }
    }
}
