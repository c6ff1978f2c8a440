//! `steerlab theory` against the table of known answers, and as people use it.

use crate::support::program::steerlab;
use crate::support::{data, root};
use serde_json::Value;

/// The known answers; `None` where the data are not there.
fn known() -> Option<Value> {
    let path = data("known-answers/known-answers.json")?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

/// One quantity of a model.
fn theory(model: &str, parameters: &[(&str, String)], quantity: &str) -> f64 {
    let texts: Vec<(String, String)> =
        parameters.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
    let answers = steerlab_engine::theory::model(model).unwrap().answer(&texts);
    let answers = answers.unwrap_or_else(|troubles| panic!("{model}: {troubles:?}"));
    answers.iter().find(|one| one.id() == quantity).unwrap().value
}

/// Compares one quantity; the values of the table have rounding errors of their own.
#[track_caller]
fn agrees(row: &Value, field: &str, value: f64, relative: f64) {
    let expected = row[field].as_f64().unwrap();
    let error = (value - expected).abs();
    assert!(error <= relative * expected.abs() + 1e-300, "{field} of {row}: {value}");
}

fn rows<'a>(known: &'a Value, name: &str) -> &'a [Value] {
    known[name].as_array().unwrap()
}

#[test]
fn queues_agree_with_the_known_answers() {
    let Some(known) = known() else { return };
    for row in rows(&known, "mmc") {
        let given = [("servers", row["c"].to_string()), ("load", row["rho"].to_string())];
        agrees(row, "p_wait", theory("mmc", &given, "wait_probability"), 1e-11);
        agrees(row, "mean_wait", theory("mmc", &given, "wait_s_mean"), 1e-11);
        agrees(row, "mean_sojourn", theory("mmc", &given, "sojourn_s_mean"), 1e-11);
        agrees(row, "wait_p99", theory("mmc", &given, "wait_s_p99"), 1e-9);
    }
    for (load, quantiles) in known["mm1_sojourn_quantiles"].as_object().unwrap() {
        for (at, name) in [("0.5", "p50"), ("0.9", "p90"), ("0.99", "p99"), ("0.999", "p999")] {
            let id = format!("sojourn_s_{name}");
            agrees(quantiles, at, theory("mm1", &[("load", load.clone())], &id), 1e-11);
        }
    }
    for row in rows(&known, "erlang_b") {
        let given =
            [("servers", row["servers"].to_string()), ("offered", row["offered"].to_string())];
        agrees(row, "blocking", theory("erlang-b", &given, "blocking_ratio"), 1e-11);
    }
    for row in rows(&known, "mg1_fifo") {
        let given = [("load", row["rho"].to_string()), ("cv2", row["cv2"].to_string())];
        agrees(row, "mean_wait", theory("mg1", &given, "wait_s_mean"), 1e-11);
        agrees(row, "mean_sojourn", theory("mg1", &given, "sojourn_s_mean"), 1e-11);
    }
    for row in rows(&known, "mg1_ps") {
        let given = [("load", row["rho"].to_string())];
        agrees(row, "mean_sojourn", theory("mg1ps", &given, "sojourn_s_mean"), 1e-11);
        agrees(row, "mean_n", theory("mg1ps", &given, "in_system_mean"), 1e-11);
    }
    for (load, _) in known["md1_wait"].as_object().unwrap() {
        let wait = theory("md1", &[("load", load.clone())], "wait_s_mean");
        agrees(&known["md1_wait"], load, wait, 1e-11);
    }
    for row in rows(&known, "closed_loop_mva") {
        let given = [("clients", row["clients"].to_string()), ("think", row["think"].to_string())];
        agrees(row, "throughput", theory("mva", &given, "throughput_per_s"), 1e-11);
        agrees(row, "response", theory("mva", &given, "sojourn_s_mean"), 1e-11);
    }
}

#[test]
fn priorities_agree_with_the_known_answers() {
    let Some(known) = known() else { return };
    for row in rows(&known, "mm1_priority") {
        let given = [("loads", format!("{},{}", row["l1"], row["l2"]))];
        for class in [0, 1] {
            let label = format!("{{class={}}}", class + 1);
            let of = |field: &str| row[field][class].as_f64().unwrap();
            let wait = theory("priority-nonpreemptive", &given, &format!("wait_s_mean{label}"));
            assert!((wait / of("nonpreemptive_wait") - 1.0).abs() < 1e-11, "{row}: {wait}");
            let sojourn = theory("priority", &given, &format!("sojourn_s_mean{label}"));
            assert!((sojourn / of("preemptive_resume_sojourn") - 1.0).abs() < 1e-11, "{row}");
        }
    }
}

#[test]
fn balancers_agree_with_the_known_answers() {
    let Some(known) = known() else { return };
    for row in rows(&known, "power_of_d_infinite") {
        for d in [1, 2, 3, 5] {
            let given = [("load", row["lam"].to_string()), ("d", d.to_string())];
            agrees(row, &format!("d{d}"), theory("p2c", &given, "sojourn_s_mean"), 1e-11);
        }
        for (k, _) in row["fraction_with_at_least_k"].as_object().unwrap() {
            let id = format!("servers_with_at_least{{k={k}}}");
            let share = theory("p2c", &[("load", row["lam"].to_string())], &id);
            agrees(&row["fraction_with_at_least_k"], k, share, 1e-11);
        }
    }
    for row in rows(&known, "round_robin_exact") {
        let given = [("servers", row["servers"].to_string()), ("load", row["lam"].to_string())];
        agrees(row, "mean_sojourn", theory("round-robin", &given, "sojourn_s_mean"), 1e-9);
    }
    for row in rows(&known, "jsq_exact") {
        let given = [("servers", row["servers"].to_string()), ("load", row["lam"].to_string())];
        agrees(row, "mean_sojourn", theory("jsq", &given, "sojourn_s_mean"), 1e-9);
    }
}

#[test]
fn caches_agree_with_the_known_answers() {
    let Some(known) = known() else { return };
    for row in rows(&known, "cache_che") {
        let given = [
            ("objects", row["objects"].to_string()),
            ("alpha", row["alpha"].to_string()),
            ("capacity", row["capacity"].to_string()),
        ];
        // Sums over a million objects are grouped, to about 1e-9.
        agrees(row, "lru_hit", theory("che", &given, "hit_ratio"), 1e-7);
        let time = theory("che", &given, "characteristic_time_requests");
        agrees(row, "lru_characteristic_time_requests", time, 1e-7);
        agrees(row, "fifo_random_hit", theory("che", &given, "hit_ratio_fifo"), 1e-7);
        agrees(row, "perfect_lfu_hit", theory("che", &given, "hit_ratio_perfect_lfu"), 1e-9);
    }
}

#[test]
fn bills_agree_with_the_known_answers() {
    let Some(known) = known() else { return };
    // The cases are sentences; the figures of each are theirs.
    let cases = rows(&known, "billing_p95");
    for (case, high) in [(1, 431), (2, 432), (3, 433)] {
        assert!(cases[case]["case"].as_str().unwrap().contains(&format!("{high} samples at 10")));
        let mut series = vec!["1"; 8640 - high];
        series.extend(vec!["10"; high]);
        let billed = theory("billing", &[("series", series.join(","))], "billed");
        agrees(&cases[case], "bill_gbps", billed, 0.0);
    }
    let ramp: Vec<String> = (1..=8640).map(|i| i.to_string()).collect();
    agrees(&cases[4], "bill_mbps", theory("billing", &[("series", ramp.join(","))], "billed"), 0.0);
}

#[test]
fn the_command_answers_lists_and_explains() {
    let ask = |words: &str| steerlab(&root(), words);
    let answer = ask("theory mmc --servers 4 --rho 0.9 --format json").exits(0).json();
    assert_eq!(answer["format"], "steerlab-theory/1");
    let sojourn = answer["quantities"].as_array().unwrap().iter();
    let sojourn = sojourn.filter(|one| one["id"] == "sojourn_s_mean");
    let sojourn: Vec<f64> = sojourn.map(|one| one["value"].as_f64().unwrap()).collect();
    assert!((sojourn[0] - 2.969_383_160_738_407).abs() < 1e-11);
    let table = ask("theory mm1 --rate 90 --service-s 0.01").exits(0).stdout;
    assert!(table.contains("sojourn_s_mean"), "{table}");
    assert!(table.contains("s / (1 - load)"), "{table}");
    for model in steerlab_engine::theory::models() {
        let words = format!("theory {} {}", model.name, model.example);
        ask(&words).exits(0);
        let help = ask(&format!("theory {} --help", model.name)).exits(0).stdout;
        for parameter in model.parameters {
            assert!(help.contains(&parameter.name.replace('_', "-")), "{help}");
        }
    }
    let all = ask("theory").exits(0).stdout;
    assert!(steerlab_engine::theory::models().all(|model| all.contains(model.name)));
}

#[test]
fn bad_parameters_are_refused_with_what_would_do() {
    for (words, part) in [
        ("theory mm2", "one of mm1"),
        ("theory mm1", "--load is missing"),
        ("theory mm1 --load 1.5", "below a load of 1"),
        ("theory mmc --servers 0 --load 0.5", "from 1 to 100000"),
        ("theory mm1 --load 0.5 --speed 3", "--speed"),
    ] {
        let finished = steerlab(&root(), words).exits(2);
        assert!(finished.stdout.is_empty(), "{words}: {}", finished.stdout);
        assert!(finished.stderr.contains(part), "{words}: {}", finished.stderr);
    }
}
