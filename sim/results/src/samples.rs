//! Metric values of many runs, found by arm, metric and labels: what checks and comparisons read.

use crate::catalogue::MetricSample;
use crate::labels::{self, Labels, arm_of, canonical};
use crate::stats;
use crate::table::{TableBuilder, Value};
use crate::view::DataTable;
use std::collections::BTreeMap;
use steerlab_engine::scenario::Operand;

/// Values of metrics by arm, metric and labels, then by replication. Only values that exist.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples {
    values: BTreeMap<(String, String, Labels), BTreeMap<u32, f64>>,
}

impl Samples {
    /// Takes the values of one run in.
    pub fn add(&mut self, arm: &str, replication: u32, samples: &[MetricSample]) {
        for sample in samples {
            if let Some(value) = sample.value {
                self.insert(arm, sample.metric, sample.labels.clone(), replication, value);
            }
        }
    }

    fn insert(&mut self, arm: &str, metric: &str, labels: Labels, replication: u32, value: f64) {
        let key = (arm.to_owned(), metric.to_owned(), labels);
        self.values.entry(key).or_default().insert(replication, value);
    }

    /// Values by replication; none where no replication has one. A label `arm` is ignored.
    #[must_use]
    pub fn by_replication(
        &self,
        arm: &str,
        metric: &str,
        labels: &[(String, String)],
    ) -> Option<&BTreeMap<u32, f64>> {
        self.values.get(&(arm.to_owned(), metric.to_owned(), canonical(metric, labels)))
    }

    /// Values in the order of replications; empty where there are none.
    #[must_use]
    pub fn list(&self, arm: &str, metric: &str, labels: &[(String, String)]) -> Vec<f64> {
        self.by_replication(arm, metric, labels)
            .map_or_else(Vec::new, |values| values.values().copied().collect())
    }

    /// The value of one side of a check: the number, or the metric's mean over the replications
    /// of the arm its labels name, else of `arm`.
    #[must_use]
    pub fn operand(&self, operand: &Operand, arm: Option<&str>) -> Option<f64> {
        match operand {
            Operand::Number(number) => Some(*number),
            Operand::Metric { metric, labels } => {
                let arm = arm_of(labels).or(arm)?;
                stats::mean(&self.list(arm, metric, labels))
            }
        }
    }

    /// The values of the table `runs` of a run directory. None: it is not such a table.
    #[must_use]
    pub fn from_table(table: &DataTable) -> Option<Samples> {
        let mut samples = Samples::default();
        for row in 0..table.rows() {
            let replication = table.number("replication", row)?;
            if replication.fract() != 0.0 || replication > f64::from(u32::MAX) {
                return None;
            }
            let labels = labels::from_text(table.text("labels", row)?)?;
            let (arm, metric) = (table.text("arm", row)?, table.text("metric", row)?);
            if let Some(value) = table.number("value", row).filter(|value| value.is_finite()) {
                samples.insert(arm, metric, labels, replication as u32, value);
            }
        }
        Some(samples)
    }
}

/// The rows of the table `runs` for one run, without arm and replication.
#[must_use]
pub(crate) fn runs_rows(samples: &[MetricSample]) -> DataTable {
    let mut table = TableBuilder::new(crate::columns::RUNS_TABLE);
    for sample in samples {
        if let Some(value) = sample.value {
            table.push(&[
                Value::Text(sample.metric),
                Value::Text(&labels::to_text(&sample.labels)),
                Value::Text(crate::columns::unit_of(sample.metric)),
                Value::F64(value),
            ]);
        }
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalogue, testkit};

    #[test]
    fn operands_are_means_of_the_arm_they_name() {
        let mut samples = Samples::default();
        let pair = |label: &str, value: &str| (label.to_owned(), value.to_owned());
        for (arm, replication, value) in [("a", 0, 1.0), ("a", 1, 3.0), ("b", 0, 10.0)] {
            let labels = vec![pair("class", "bulk")];
            let sample = MetricSample { metric: "loss_ratio", labels, value: Some(value) };
            samples.add(arm, replication, &[sample]);
        }
        let operand =
            |labels: Vec<(String, String)>| Operand::Metric { metric: "loss_ratio".into(), labels };
        let plain = operand(vec![pair("class", "bulk")]);
        assert_eq!(samples.operand(&plain, Some("a")), Some(2.0));
        assert_eq!(samples.operand(&plain, None), None);
        let of_b = operand(vec![pair("arm", "b"), pair("class", "bulk")]);
        assert_eq!(samples.operand(&of_b, Some("a")), Some(10.0));
        assert_eq!(samples.operand(&operand(Vec::new()), Some("a")), None);
        assert_eq!(samples.operand(&Operand::Number(4.0), None), Some(4.0));
    }

    #[test]
    fn the_table_of_runs_holds_all_values() {
        let values = catalogue::evaluate(&testkit::scenario(), &testkit::totals());
        let table = runs_rows(&values);
        let with_value = values.iter().filter(|sample| sample.value.is_some()).count();
        assert_eq!(table.rows(), with_value);
        assert!(with_value > 20 && with_value < values.len());
    }
}
