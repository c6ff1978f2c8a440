//! Closed forms: what theory says about queues, balancers, caches and controllers.
//!
//! Every [`Model`] is data: its parameters with units and ranges, its quantities with units and
//! formulas, its source. `steerlab theory` prints them, the labs under `scenarios/load` are judged
//! by them, and the tests of this crate call the same functions. So a number that a test relies
//! on can be checked by hand.
//!
//! One file a family. Functions take plain numbers and are public; a model wraps one of them with
//! names.

mod given;
mod models;

pub mod admission;
pub mod balance;
pub mod cache;
pub mod chain;
pub mod closed;
pub mod control;
pub mod general;
pub mod jsq;
pub mod markov;
pub mod matrix;
pub mod money;
pub mod priority;
pub mod resilience;
pub mod spill;
pub mod tcp;

pub use given::{Given, Kind, Parameter, Preset, Range, Trouble};
pub use models::{model, models};

use std::fmt;

/// One closed form or exactly solvable model.
pub struct Model {
    /// Stable name, as typed.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it is, in a few words.
    pub title: &'static str,
    /// What it assumes and when it holds, in one or two sentences.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What it needs.
    pub parameters: &'static [Parameter],
    /// What it gives.
    pub quantities: &'static [Quantity],
    /// Parameters of an example, as typed.
    pub example: &'static str,
    /// The computation.
    pub(crate) solve: fn(&Given) -> Result<Rows, Trouble>,
}

/// A quantity of a model.
#[derive(Debug)]
pub struct Quantity {
    /// Quantity, unit and statistic, such as `sojourn_s_mean`.
    pub name: &'static str,
    /// Unit; empty for ratios and counts.
    pub unit: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// How it is computed, in the names of the parameters.
    pub formula: &'static str,
}

/// One quantity of an answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Which.
    pub quantity: &'static Quantity,
    /// Which of several, such as `class=1`; empty if there is one.
    pub label: String,
    /// Value; infinite where the quantity is.
    pub value: f64,
}

impl Answer {
    /// Name with label, such as `sojourn_s_mean{class=1}`.
    #[must_use]
    pub fn id(&self) -> String {
        if self.label.is_empty() {
            self.quantity.name.to_owned()
        } else {
            format!("{}{{{}}}", self.quantity.name, self.label)
        }
    }
}

impl Model {
    /// The answer for parameters as text, in the order of the model's quantities.
    ///
    /// # Errors
    /// All parameters that are unknown, missing, unreadable or out of range; or the condition
    /// under which the model has an answer.
    pub fn answer(&self, texts: &[(String, String)]) -> Result<Vec<Answer>, Vec<Trouble>> {
        let given = Given::read(self, texts)?;
        let rows = (self.solve)(&given).map_err(|trouble| vec![trouble])?;
        Ok(rows.named(self))
    }

    /// The parameter of a name or an alias; `-` and `_` are the same.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        let name = name.replace('-', "_");
        self.parameters.iter().find(|one| one.name == name || one.aliases.contains(&name.as_str()))
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Values on their way to an answer.
#[derive(Debug, Default)]
pub(crate) struct Rows(Vec<(&'static str, String, f64)>);

impl Rows {
    /// Puts a quantity of which there is one.
    pub(crate) fn put(&mut self, name: &'static str, value: f64) -> &mut Rows {
        self.0.push((name, String::new(), value));
        self
    }

    /// Puts one of several, told apart by a label.
    pub(crate) fn put_of(&mut self, name: &'static str, label: String, value: f64) -> &mut Rows {
        self.0.push((name, label, value));
        self
    }

    fn named(self, model: &Model) -> Vec<Answer> {
        let find = |name: &str| model.quantities.iter().find(|one| one.name == name);
        self.0
            .into_iter()
            .map(|(name, label, value)| {
                let quantity = find(name).expect("a model puts quantities of its own table only");
                Answer { quantity, label, value }
            })
            .collect()
    }
}

/// `x` to a whole power, by squaring: exact operations only.
#[must_use]
pub(crate) fn power(mut x: f64, mut n: u64) -> f64 {
    let mut result = 1.0;
    while n > 0 {
        if n & 1 == 1 {
            result *= x;
        }
        x *= x;
        n >>= 1;
    }
    result
}

/// Where a function that changes its sign from `low` to `high` does so.
#[must_use]
pub(crate) fn root(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let rising = f(high) > 0.0;
    // 200 halvings end between neighbouring numbers whatever the scale.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low.min(high) || middle >= low.max(high) {
            break;
        }
        if (f(middle) > 0.0) == rising {
            high = middle;
        } else {
            low = middle;
        }
    }
    0.5 * (low + high)
}
