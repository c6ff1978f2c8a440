//! Tests of comparisons, within a run directory and between two.

use crate::catalogue::MetricSample;
use crate::compare::{CompareError, compare_arms, compare_runs};
use crate::run_tests::{finished, metric};
use crate::samples::Samples;
use crate::summary::Verdict;
use crate::testkit;
use crate::view::RunView;
use steerlab_engine::scenario::Operand;

#[test]
fn two_directories_are_compared_arm_by_arm() {
    let scenario = testkit::scenario();
    let (_a, first) = finished(&scenario);
    let mut other = scenario.clone();
    other.seed += 1;
    let (_b, second) = finished(&other);
    let a = RunView::read(&first.dir).unwrap();
    let b = RunView::read(&second.dir).unwrap();
    let same = compare_runs(&a, &a, &scenario.compare).unwrap();
    assert_eq!(same.overall(), Some(Verdict::NoMaterialDifference));
    assert!(same.warnings.is_empty());
    assert_eq!(same.rows.len(), 4, "two arms, two metrics");
    let name = first.dir.file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(same.rows[2].baseline, format!("{name}:alt"));
    let different = compare_runs(&a, &b, &scenario.compare).unwrap();
    assert_eq!(different.warnings[0].code, "W0901");
}

#[test]
fn without_a_common_arm_the_first_are_compared() {
    let scenario = testkit::scenario();
    let mut other = scenario.clone();
    other.arms = [testkit::arm("x", "nothing"), testkit::arm("y", "nothing")].into_iter().collect();
    other.replications = 2;
    other.horizon.0 *= 2;
    let (_a, first) = finished(&scenario);
    let (_b, second) = finished(&other);
    let a = RunView::read(&first.dir).unwrap();
    let b = RunView::read(&second.dir).unwrap();
    let comparison = compare_runs(&a, &b, &scenario.compare).unwrap();
    assert_eq!(comparison.rows.len(), 2);
    assert!(comparison.rows[0].candidate.ends_with(":x"));
    assert_eq!(comparison.rows[0].n, 2);
    let codes: Vec<&str> = comparison.warnings.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["W0902", "W0903"]);
}

#[test]
fn unknown_and_missing_metrics_are_told() {
    let scenario = testkit::scenario();
    let (_a, first) = finished(&scenario);
    let a = RunView::read(&first.dir).unwrap();
    let mut spec = scenario.compare.clone();
    spec.metrics = vec![metric("loss")];
    let error = compare_runs(&a, &a, &spec).unwrap_err();
    assert_eq!(error, CompareError::UnknownMetric("loss".into()));
    let labels = vec![("class".to_owned(), "none".to_owned())];
    let absent = Operand::Metric { metric: "loss_ratio".into(), labels };
    spec.confidence = 1.0;
    assert_eq!(compare_runs(&a, &a, &spec).unwrap_err(), CompareError::BadSpec);
    spec.confidence = 0.95;
    spec.metrics = vec![absent.clone()];
    assert_eq!(compare_runs(&a, &a, &spec).unwrap_err(), CompareError::NothingToCompare);
    spec.metrics = vec![absent, metric("flaps")];
    let comparison = compare_runs(&a, &a, &spec).unwrap();
    assert_eq!(comparison.rows.len(), 2);
    assert!(comparison.warnings.iter().any(
        |warning| warning.code == "W0905" && warning.message.contains("loss_ratio{class=none}")
    ));
}

#[test]
fn one_replication_settles_only_what_is_free_of_chance() {
    let mut scenario = testkit::scenario();
    scenario.replications = 1;
    let (_dir, noisy) = finished(&scenario);
    let row = &noisy.summary.comparison[0];
    assert_eq!((row.verdict, row.interval, row.n), (Verdict::Inconclusive, None, 1));
    assert_eq!(row.replications_needed, Some(2));
    scenario.demand_noise.cv = 0.0;
    let (_dir, exact) = finished(&scenario);
    let row = &exact.summary.comparison[0];
    assert_eq!((row.verdict, row.p_value), (Verdict::Worse, None));
    assert_eq!(row.interval, Some((row.difference, row.difference)));
}

#[test]
fn holm_takes_back_a_claim_that_many_metrics_make_by_chance() {
    // One metric with p below 0.05, then the same among others without any effect.
    let mut scenario = testkit::scenario();
    scenario.compare.margin = 0.0;
    let mut samples = Samples::default();
    let noise = [0.3, -0.4, 0.1, 0.2, -0.2];
    for (replication, noise) in (0..).zip(noise) {
        let sample = |metric, value| MetricSample { metric, labels: vec![], value: Some(value) };
        let none = [("flaps", 5.0), ("transit_ratio", 5.0), ("loss_ratio", 5.0)];
        let base: Vec<_> = none.iter().map(|(id, value)| sample(*id, *value)).collect();
        let alt: Vec<_> = none.iter().map(|(id, value)| sample(*id, value + noise)).collect();
        samples.add("base", replication, &base);
        samples.add("alt", replication, &alt);
        samples.add("base", replication, &[sample("latency_ms_p99", 10.0)]);
        samples.add("alt", replication, &[sample("latency_ms_p99", 10.4 + noise)]);
    }
    scenario.compare.metrics = vec![metric("latency_ms_p99")];
    let alone = &compare_arms(&scenario, &samples).rows[0];
    assert_eq!(alone.verdict, Verdict::Worse);
    let others = ["latency_ms_p99", "flaps", "transit_ratio", "loss_ratio"];
    scenario.compare.metrics = others.map(metric).into();
    let family = &compare_arms(&scenario, &samples).rows[0];
    assert_eq!(family.verdict, Verdict::Inconclusive);
    assert_eq!(family.interval, alone.interval);
    assert!((family.p_value.unwrap() - 4.0 * alone.p_value.unwrap()).abs() < 1e-9);
    assert!(family.replications_needed.unwrap() > 5);
}
