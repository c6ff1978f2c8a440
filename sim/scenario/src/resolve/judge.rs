//! Checks and what is compared.

use super::Resolver;
use crate::check::{CheckError, foregone, parse_check, parse_metric};
use crate::diagnostic::{Diagnostic, quote};
use crate::table::COMPARE_METRICS_DEFAULT;
use crate::typed::{Fields, Value};
use std::sync::Arc;
use steerlab_engine::scenario::{CompareSpec, Operand};

impl Resolver<'_> {
    pub(super) fn judge(&mut self, fields: &Fields) {
        for value in fields.items("checks") {
            let Some(text) = value.text().map(Arc::clone) else { continue };
            match parse_check(&text, self.vocabulary.metrics, &self.out) {
                Ok(check) => {
                    if let Some(outcome) = foregone(&check) {
                        let word = if outcome { "fail" } else { "hold" };
                        self.sink.push(
                            Diagnostic::new(
                                "W0805",
                                value.span,
                                format!("the check {} can never {word}", quote(&text)),
                            )
                            .help("compare with a number that the metric can pass"),
                        );
                    }
                    self.out.checks.push(check);
                }
                Err(error) => self.check_error(value, &text, error),
            }
        }
        self.compare(fields.fields("compare"));
    }

    /// Places an error inside the text of a check. Quoted text begins one character later; text
    /// that YAML has changed (escapes, several lines) is marked as a whole.
    fn check_error(&mut self, value: &Value, text: &str, error: CheckError) {
        let length = text.chars().count();
        let span = value.span;
        let width = (span.end_column.saturating_sub(span.column)) as usize;
        let place = if span.line == span.end_line && width == length {
            span.part(error.offset, error.length)
        } else if span.line == span.end_line && width == length + 2 {
            span.part(error.offset + 1, error.length)
        } else {
            span
        };
        self.sink.push(
            Diagnostic::new(error.code, place, error.message)
                .help(error.help)
                .suggest(error.suggestion),
        );
    }

    fn compare(&mut self, compare: Option<&Fields>) {
        let known = |id: &&str| self.vocabulary.metrics.iter().any(|metric| *metric.id == **id);
        let implied = COMPARE_METRICS_DEFAULT.iter().copied().filter(known);
        let implied: Vec<Operand> = implied
            .map(|id| Operand::Metric { metric: id.to_owned(), labels: Vec::new() })
            .collect();
        let mut spec = CompareSpec { metrics: implied, margin: 0.01, confidence: 0.95 };
        if let Some(compare) = compare {
            spec.margin = compare.number("margin").unwrap_or(spec.margin);
            spec.confidence = compare.number("confidence").unwrap_or(spec.confidence);
            if compare.get("metrics").is_some() {
                spec.metrics.clear();
            }
            for value in compare.items("metrics") {
                let Some(text) = value.text().map(Arc::clone) else { continue };
                match parse_metric(&text, self.vocabulary.metrics, &self.out) {
                    Ok(metric) => spec.metrics.push(metric),
                    Err(error) => self.check_error(value, &text, error),
                }
            }
        }
        self.out.compare = spec;
    }
}
