//! Judges the checks of a scenario on the means over replications.

use crate::labels::arm_of;
use crate::samples::Samples;
use crate::summary::CheckResult;
use steerlab_engine::scenario::{Check, CheckOp, Operand, Scenario};

/// Judges every check, in scenario order.
///
/// A check with a metric that names no arm is judged once for every arm. A check whose metrics all
/// name their arm is judged once. Numbers are in the metric's unit, ratios as fractions. A side
/// without a value fails the check.
#[must_use]
pub fn judge(scenario: &Scenario, samples: &Samples) -> Vec<CheckResult> {
    let mut results = Vec::new();
    for check in &scenario.checks {
        if needs_arm(&check.left) || needs_arm(&check.right) {
            let arms = scenario.arms.rows().iter().map(|arm| Some(arm.id.as_str()));
            results.extend(arms.map(|arm| judge_one(check, samples, arm)));
        } else {
            results.push(judge_one(check, samples, None));
        }
    }
    results
}

fn needs_arm(operand: &Operand) -> bool {
    match operand {
        Operand::Number(_) => false,
        Operand::Metric { labels, .. } => arm_of(labels).is_none(),
    }
}

fn judge_one(check: &Check, samples: &Samples, arm: Option<&str>) -> CheckResult {
    let left = samples.operand(&check.left, arm);
    let right = samples.operand(&check.right, arm);
    let pass = left.zip(right).is_some_and(|(left, right)| holds(left, check.op, right));
    CheckResult { text: check.text.clone(), arm: arm.map(str::to_owned), left, right, pass }
}

fn holds(left: f64, op: CheckOp, right: f64) -> bool {
    match op {
        CheckOp::Lt => left < right,
        CheckOp::Le => left <= right,
        CheckOp::Gt => left > right,
        CheckOp::Ge => left >= right,
        CheckOp::Eq => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::MetricSample;
    use crate::testkit;

    fn metric(metric: &str, labels: &[(&str, &str)]) -> Operand {
        let labels =
            labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Operand::Metric { metric: metric.into(), labels }
    }

    /// `base` has loss 0.01 and 0.03 (mean 0.02), `alt` has 0.04; only `base` has a latency.
    fn judged(left: Operand, op: CheckOp, right: Operand) -> Vec<CheckResult> {
        let mut scenario = testkit::scenario();
        scenario.checks = vec![Check { text: "as written".into(), left, op, right }];
        let mut samples = Samples::default();
        let sample = |metric, value| MetricSample { metric, labels: vec![], value: Some(value) };
        samples.add("base", 0, &[sample("loss_ratio", 0.01), sample("latency_ms_p99", 9.0)]);
        samples.add("base", 1, &[sample("loss_ratio", 0.03)]);
        samples.add("alt", 0, &[sample("loss_ratio", 0.04)]);
        judge(&scenario, &samples)
    }

    #[test]
    fn without_an_arm_every_arm_is_judged() {
        let results = judged(metric("loss_ratio", &[]), CheckOp::Le, Operand::Number(0.02));
        let shown: Vec<_> =
            results.iter().map(|r| (r.arm.as_deref(), r.left, r.right, r.pass)).collect();
        let expected = [
            (Some("base"), Some(0.02), Some(0.02), true),
            (Some("alt"), Some(0.04), Some(0.02), false),
        ];
        assert_eq!(shown, expected);
        assert_eq!(results[0].text, "as written");
    }

    #[test]
    fn named_arms_are_judged_once() {
        let base = metric("loss_ratio", &[("arm", "base")]);
        let alt = metric("loss_ratio", &[("arm", "alt")]);
        let results = judged(alt.clone(), CheckOp::Lt, base.clone());
        assert_eq!(results.len(), 1);
        assert_eq!((results[0].arm.as_deref(), results[0].pass), (None, false));
        assert!(judged(base, CheckOp::Lt, alt)[0].pass);
    }

    #[test]
    fn one_named_side_is_compared_with_every_arm() {
        let base = metric("loss_ratio", &[("arm", "base")]);
        let results = judged(metric("loss_ratio", &[]), CheckOp::Le, base);
        assert_eq!(results.iter().map(|r| r.pass).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn no_value_fails() {
        let results = judged(metric("latency_ms_p99", &[]), CheckOp::Lt, Operand::Number(10.0));
        assert_eq!((results[0].pass, results[0].left), (true, Some(9.0)));
        assert_eq!((results[1].pass, results[1].left), (false, None));
    }

    #[test]
    fn operators() {
        for (op, less, equal, more) in [
            (CheckOp::Lt, true, false, false),
            (CheckOp::Le, true, true, false),
            (CheckOp::Gt, false, false, true),
            (CheckOp::Ge, false, true, true),
            (CheckOp::Eq, false, true, false),
        ] {
            let got = [holds(1.0, op, 2.0), holds(2.0, op, 2.0), holds(3.0, op, 2.0)];
            assert_eq!(got, [less, equal, more], "{op:?}");
        }
    }
}
