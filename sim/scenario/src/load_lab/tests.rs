//! Labs are read whole, and everything that is wrong with one is told in one pass.

use super::{Experiment, LoadedLab, Wanted, load_lab};
use crate::testing::{Folder, vocabulary};

const LAB: &str = "\
format: steerlab-load/1
name: small
replications: 5
vary: {key: queue.load, values: [0.5, 0.9]}
queue:
  load: 0.7
  service: {mean: 10ms, law: erlang:2}
  servers: 4
  balancer: {power-of-d: {d: 3, distinct: no}}
  view: {staleness: board, age: 50ms}
  client: {timeout: 1s, retries: {max: 2, budget: {ratio: 10%}}}
expect:
  - {metric: sojourn_s_mean, theory: p2c, tolerance: 5%}
  - {metric: utilisation, values: [0.5, 0.9]}
  - {metric: loss_ratio, at_most: 0.1, cases: [0.5]}
  - {metric: wait_s_mean, ascending: [0.5, 0.9]}
";

fn load(name: &str, text: &str, sets: &[(&str, &str)]) -> LoadedLab {
    let folder = Folder::new(name);
    let path = folder.write("lab.yaml", text.as_bytes());
    let sets: Vec<(String, String)> =
        sets.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    load_lab(&path, &sets, &vocabulary())
}

fn near(value: Option<f64>, expected: f64) {
    let value = value.unwrap();
    assert!((value / expected - 1.0).abs() < 1e-9, "{value} is not {expected}");
}

#[test]
fn a_lab_is_read_whole() {
    let loaded = load("load-whole", LAB, &[]);
    let lab = loaded.lab.unwrap_or_else(|| panic!("{:?}", loaded.findings.diagnostics));
    let ids: Vec<&str> = lab.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["0.5", "0.9"]);
    let Experiment::Queue(queue) = &lab.cases[1].experiment else { panic!() };
    assert_eq!(queue.cell.servers.len(), 4);
    assert_eq!(queue.cell.clients[0].retry.max, 2);
    let steerlab_engine::load::requests::Pattern::Poisson(rate) = queue.cell.arrivals[0].pattern
    else {
        panic!()
    };
    near(Some(rate), 0.9 * 4.0 / 0.01);
    // Power of three at 0.5 with a service of 10 ms, from the table of known answers.
    near(lab.cases[0].expected[0], 0.011_252_441_406_268_19);
    near(lab.cases[1].expected[1], 0.9);
    assert_eq!(lab.cases[0].expected[2..], [None, None]);
    assert!(matches!(lab.expect[3].wanted, Wanted::Ascending(_)));
}

#[test]
fn a_value_of_ones_own_changes_the_experiment_and_what_theory_says() {
    let loaded = load("load-set", LAB, &[("queue.load", "0.8")]);
    let lab = loaded.lab.unwrap_or_else(|| panic!("{:?}", loaded.findings.diagnostics));
    assert_eq!(lab.cases.len(), 1);
    near(lab.cases[0].expected[0], 0.015_808_856_302_378_216);
    assert_eq!(lab.cases[0].expected[1], None, "the file has no value for this case");
    let listed = load("load-set-listed", LAB, &[("queue.load", "0.9")]).lab.unwrap();
    near(listed.cases[0].expected[1], 0.9);
}

#[test]
fn everything_wrong_is_told() {
    for (from, to, code) in [
        ("erlang:2", "erlang:half", "E0203"),
        ("power-of-d: {d: 3", "power-of-two: {d: 3", "E0601"),
        ("power-of-d: {d: 3", "power-of-d: {d: 99", "E0202"),
        ("staleness: board, age: 50ms", "staleness: board", "E0102"),
        ("theory: p2c", "theory: p3c", "E0301"),
        ("metric: utilisation", "metric: utilization", "E0301"),
        ("0.9", "1.9", "E0202"),
        (
            "{metric: utilisation, values: [0.5, 0.9]}",
            "{metric: utilisation, values: [1]}",
            "E0105",
        ),
        ("cases: [0.5]", "cases: [0.6]", "E0301"),
        ("theory: p2c, ", "", "E0104"),
        ("  load: 0.7\n", "  load: 0.7\n  rate: 5rps\n", "E0104"),
        ("at_most: 0.1", "at_most: 0.1, quantity: x", "E0408"),
    ] {
        let text = LAB.replace(from, to);
        assert_ne!(text, LAB, "{from}");
        let loaded = load("load-wrong", &text, &[]);
        assert!(loaded.lab.is_none(), "{to}");
        let codes: Vec<&str> = loaded.findings.diagnostics.iter().map(|one| one.code).collect();
        assert_eq!(codes, [code], "{to}: {:?}", loaded.findings.diagnostics);
    }
}

#[test]
fn every_kind_of_experiment_gives_theory_its_parameters() {
    for (kind, body, metric, model, quantity, expected) in [
        (
            "queue",
            "{closed: {clients: 11, think: 10s}}",
            "throughput_per_s",
            "mva",
            "",
            0.836_767_666_755_566,
        ),
        ("queue", "{load: 0.8, cores: 2}", "wait_s_mean", "mmc", "", 1.777_777_777_777_778_6),
        (
            "queue",
            "{rate: 10rps, cores: 15, queue_max: 0}",
            "blocking_ratio",
            "erlang-b",
            "",
            0.036_496_945_472_370_8,
        ),
        (
            "queue",
            "{classes: [{load: 0.4}, {load: 0.4}]}",
            "'sojourn_s_mean{class=2}'",
            "priority",
            "",
            8.333_333_333_333_336,
        ),
        (
            "queue",
            "{load: 0.1, client: {failure: 0.9, retries: {max: 2}}}",
            "tries_per_request",
            "retry",
            "",
            2.71,
        ),
        (
            "tiers",
            "{sites: 100, rate: 0.1rps, ttl: 60s}",
            "origin_fetches_per_s",
            "tiered-cache",
            "quantity: origin_fetches_per_s_flat, ",
            10.0 / 7.0,
        ),
        (
            "bucket",
            "{rate: 100, burst: 500, offered: 300, duration: 10s}",
            "passed",
            "token-bucket",
            "",
            1500.0,
        ),
        (
            "spill",
            "{levels: [{healthy: 50}, {healthy: 100}]}",
            "'load_percent{priority=1}'",
            "priority-spill",
            "",
            30.0,
        ),
        ("billing", "{runs: [{count: 8640, from: 1, step: 1}]}", "billed", "billing", "", 8208.0),
    ] {
        let text = format!(
            "format: steerlab-load/1\nname: kind\n{kind}: {body}\nexpect: [{{metric: {metric}, {quantity}theory: {model}}}]\n"
        );
        let loaded = load("load-kind", &text, &[]);
        let lab = loaded.lab.unwrap_or_else(|| panic!("{kind}: {:?}", loaded.findings.diagnostics));
        near(lab.cases[0].expected[0], expected);
    }
}
