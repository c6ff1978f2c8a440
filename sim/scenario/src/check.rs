//! Checks: `loss_ratio{class=interactive} < 0.1%`, `a{arm=x} <= b{arm=y}`.
//!
//! Grammar: side, one of `<` `<=` `>` `>=` `==`, side. A side is a number, with `%` or the
//! metric's unit if it has one, or a metric with labels in braces.

use crate::diagnostic::{nearest, quote};
use crate::quantity;
use steerlab_engine::record::{DropCause, MetricInfo};
use steerlab_engine::scenario::{Check, CheckOp, Operand, Scenario};

/// What is wrong with a check, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckError {
    /// Code of the diagnostic.
    pub code: &'static str,
    /// First wrong character, from 0.
    pub offset: usize,
    /// Number of wrong characters.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

/// One side with its place and, for a number, its unit.
struct Side {
    operand: Operand,
    unit: String,
    offset: usize,
    length: usize,
}

struct Reader<'a> {
    text: Vec<char>,
    at: usize,
    metrics: &'a [MetricInfo],
    scenario: &'a Scenario,
}

/// Parses a check and compares its names with the metrics and the scenario.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse_check(
    text: &str,
    metrics: &[MetricInfo],
    scenario: &Scenario,
) -> Result<Check, CheckError> {
    let mut reader = Reader { text: text.chars().collect(), at: 0, metrics, scenario };
    let left = reader.side()?;
    let op = reader.op()?;
    let right = reader.side()?;
    reader.end()?;
    match (&left.operand, &right.operand) {
        (Operand::Number(_), Operand::Number(_)) => {
            let help = "compare a metric with a number, or two metrics";
            return Err(reader.error("E0701", 0, reader.text.len(), "no metric is named", help));
        }
        (Operand::Number(_), Operand::Metric { metric, .. }) => reader.unit(&left, metric)?,
        (Operand::Metric { metric, .. }, Operand::Number(_)) => reader.unit(&right, metric)?,
        (Operand::Metric { metric: a, .. }, Operand::Metric { metric: b, .. }) => {
            let (first, second) = (reader.unit_of(a), reader.unit_of(b));
            if first != second {
                let words =
                    |unit: &str| if unit.is_empty() { "no unit".into() } else { quote(unit) };
                let message = format!(
                    "{} has {}, {} has {}",
                    quote(a),
                    words(first),
                    quote(b),
                    words(second)
                );
                let help = "compare metrics with the same unit";
                return Err(reader.error("E0704", right.offset, right.length, message, help));
            }
        }
    }
    Ok(Check { text: text.to_owned(), left: left.operand, op, right: right.operand })
}

/// Parses a metric with labels.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse_metric(
    text: &str,
    metrics: &[MetricInfo],
    scenario: &Scenario,
) -> Result<Operand, CheckError> {
    let mut reader = Reader { text: text.chars().collect(), at: 0, metrics, scenario };
    let side = reader.side()?;
    reader.end()?;
    if matches!(side.operand, Operand::Number(_)) {
        let help = "name a metric such as `loss_ratio`";
        return Err(reader.error("E0701", 0, side.length, "this is a number, not a metric", help));
    }
    Ok(side.operand)
}

/// Values that a label can have in a scenario.
fn label_values(scenario: &Scenario, label: &str) -> Vec<String> {
    let network = &scenario.network;
    match label {
        "arm" => scenario.arms.rows().iter().map(|row| row.id.clone()).collect(),
        "class" => scenario.classes.rows().iter().map(|row| row.id.clone()).collect(),
        "tenant" => scenario.tenants.rows().iter().map(|row| row.id.clone()).collect(),
        "site" => network.sites.rows().iter().map(|row| row.id.clone()).collect(),
        "link" => network.links.rows().iter().map(|row| row.id.clone()).collect(),
        "cause" => DropCause::ALL.iter().map(|cause| cause.name().to_owned()).collect(),
        _ => Vec::new(),
    }
}

impl Reader<'_> {
    fn error(
        &self,
        code: &'static str,
        offset: usize,
        length: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> CheckError {
        let offset = offset.min(self.text.len().saturating_sub(1));
        CheckError {
            code,
            offset,
            length: length.max(1),
            message: message.into(),
            help: help.into(),
            suggestion: None,
        }
    }

    fn syntax(&self, message: &str) -> CheckError {
        let help = "write `metric{label=value} < number`, with `<`, `<=`, `>`, `>=` or `==`";
        self.error("E0701", self.at, 1, message, help)
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
        self.text[start..self.at].iter().collect()
    }

    fn end(&mut self) -> Result<(), CheckError> {
        self.spaces();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.syntax("something stands behind the end")),
        }
    }

    fn op(&mut self) -> Result<CheckOp, CheckError> {
        self.spaces();
        let start = self.at;
        let text = self.take(|c| matches!(c, '<' | '>' | '=' | '!'));
        match text.as_str() {
            "<" => Ok(CheckOp::Lt),
            "<=" => Ok(CheckOp::Le),
            ">" => Ok(CheckOp::Gt),
            ">=" => Ok(CheckOp::Ge),
            "==" => Ok(CheckOp::Eq),
            _ => {
                self.at = start;
                Err(self.syntax("a comparison is missing here"))
            }
        }
    }

    fn side(&mut self) -> Result<Side, CheckError> {
        self.spaces();
        let offset = self.at;
        let (operand, unit) = match self.peek() {
            Some(c) if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => self.number()?,
            Some(c) if c.is_ascii_alphabetic() => (self.metric()?, String::new()),
            _ => return Err(self.syntax("a metric or a number is missing here")),
        };
        Ok(Side { operand, unit, offset, length: self.at - offset })
    }

    fn number(&mut self) -> Result<(Operand, String), CheckError> {
        let start = self.at;
        let mut digits = self.take(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | '_'));
        let exponent = matches!(self.peek(), Some('e' | 'E'))
            && self.text.get(self.at + 1).is_some_and(|c| c.is_ascii_digit() || *c == '-');
        if exponent {
            digits.push('e');
            self.at += 1;
            digits += &self.take(|c| c.is_ascii_digit() || c == '-');
        }
        let value = quantity::number(&digits).map_err(|bad| {
            let message = format!("{} {}", quote(&digits), bad.what);
            self.error("E0701", start, self.at - start, message, bad.help)
        })?;
        self.spaces();
        let unit = match self.peek() {
            Some(c) if c.is_ascii_digit() => String::new(),
            _ => self.take(|c| !c.is_whitespace() && !matches!(c, '<' | '>' | '=' | '!')),
        };
        let value = if unit == "%" { value / 100.0 } else { value };
        Ok((Operand::Number(value), unit))
    }

    fn metric(&mut self) -> Result<Operand, CheckError> {
        let start = self.at;
        let id = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
        let Some(info) = self.metrics.iter().find(|known| known.id == id) else {
            let message = format!("there is no metric {}", quote(&id));
            let help = "see `steerlab list metrics`";
            let mut error = self.error("E0702", start, id.chars().count(), message, help);
            error.suggestion = nearest(&id, self.metrics.iter().map(|known| known.id));
            return Err(error);
        };
        let mut labels = Vec::new();
        if self.peek() == Some('{') {
            self.at += 1;
            loop {
                labels.push(self.label(info, &labels)?);
                self.spaces();
                match self.peek() {
                    Some(',') => self.at += 1,
                    Some('}') => break,
                    _ => return Err(self.syntax("`,` or `}` is missing here")),
                }
            }
            self.at += 1;
        }
        labels.sort();
        Ok(Operand::Metric { metric: id, labels })
    }

    fn label(
        &mut self,
        info: &MetricInfo,
        given: &[(String, String)],
    ) -> Result<(String, String), CheckError> {
        self.spaces();
        let start = self.at;
        let label = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
        let allowed = || info.labels.iter().copied().chain(["arm"]);
        if !allowed().any(|known| known == label) {
            let names = allowed().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let message = format!("{} has no label {}", quote(info.id), quote(&label));
            let help = format!("labels of `{}`: {names}", info.id);
            let mut error = self.error("E0703", start, label.chars().count(), message, help);
            error.suggestion = nearest(&label, allowed());
            return Err(error);
        }
        if given.iter().any(|(known, _)| *known == label) {
            let message = format!("the label {} is given twice", quote(&label));
            return Err(self.error("E0703", start, label.chars().count(), message, "keep one"));
        }
        self.spaces();
        if self.peek() != Some('=') {
            return Err(self.syntax("`=` is missing here"));
        }
        self.at += 1;
        self.spaces();
        let start = self.at;
        let value = self.take(|c| !c.is_whitespace() && !matches!(c, ',' | '}' | '{'));
        let known = label_values(self.scenario, &label);
        if !known.contains(&value) {
            let message = format!("there is no {label} {}", quote(&value));
            let help = format!("name a {label} of this scenario");
            let mut error = self.error("E0703", start, value.chars().count(), message, help);
            error.suggestion = nearest(&value, known.iter().map(String::as_str));
            return Err(error);
        }
        Ok((label, value))
    }

    fn unit_of(&self, metric: &str) -> &'static str {
        self.metrics.iter().find(|known| known.id == metric).map_or("", |known| known.unit)
    }

    /// A number's unit must be that of the metric it is compared with.
    fn unit(&self, number: &Side, metric: &str) -> Result<(), CheckError> {
        let wanted = self.unit_of(metric);
        let given = number.unit.as_str();
        let fits = given.is_empty() || given == wanted || (given == "%" && wanted.is_empty());
        if fits {
            return Ok(());
        }
        let help = if wanted.is_empty() {
            format!("`{metric}` is a ratio or a count: write a number, or a percentage")
        } else {
            format!("`{metric}` is in {wanted}")
        };
        let message = format!("the unit {} does not fit {}", quote(given), quote(metric));
        Err(self.error("E0704", number.offset, number.length, message, help))
    }
}

/// Whether a check's outcome is known before any run: `Some(true)` if it always holds.
///
/// Every metric is at least 0; those whose id ends in `_ratio` are at most 1.
pub(crate) fn foregone(check: &Check) -> Option<bool> {
    let (metric, op, bound) = match (&check.left, check.op, &check.right) {
        (Operand::Metric { metric, .. }, op, Operand::Number(bound)) => (metric, op, *bound),
        (Operand::Number(bound), op, Operand::Metric { metric, .. }) => {
            let turned = match op {
                CheckOp::Lt => CheckOp::Gt,
                CheckOp::Le => CheckOp::Ge,
                CheckOp::Gt => CheckOp::Lt,
                CheckOp::Ge => CheckOp::Le,
                CheckOp::Eq => CheckOp::Eq,
            };
            (metric, turned, *bound)
        }
        _ => return None,
    };
    let top = if metric.ends_with("_ratio") { 1.0 } else { f64::INFINITY };
    let (always, never) = match op {
        CheckOp::Lt => (bound > top, bound <= 0.0),
        CheckOp::Le => (bound >= top, bound < 0.0),
        CheckOp::Gt => (bound < 0.0, bound >= top),
        CheckOp::Ge => (bound <= 0.0, bound > top),
        CheckOp::Eq => (false, bound < 0.0 || bound > top),
    };
    if always {
        Some(true)
    } else if never {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
