//! Three fidelities of one scenario: rates, single flows, single requests. Mean loads agree, and
//! times are those of M/G/1-PS.

use crate::support::folder::Folder;
use crate::support::program::Program;
use crate::support::root;
use crate::support::table::Table;
use std::collections::BTreeMap;

/// Student's t with 5 degrees of freedom, two sides of 99 %.
const T_5: f64 = 4.032;
/// The first bucket of two minutes is left out: queues fill.
const WARM_UP_S: f64 = 120.0;

/// Runs the scenario and gives the folder of its tables.
fn run(folder: &Folder, fidelity: &str) -> std::path::PathBuf {
    let scenario = root().join("scenarios/fidelities.yaml");
    Program::new(folder.path())
        .args(["run", "--quiet", "--no-report", "--csv", fidelity])
        .args(["--set", &format!("fidelity={fidelity}")])
        .args([scenario.as_os_str()])
        .exits(0);
    folder.join(fidelity)
}

/// Sums over all rows by an entity; NaN cells count as nothing.
fn sums(table: &Table, entity: &str, value: &str) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for ([name], [value]) in table.select([entity], [value]) {
        *sums.entry(name.to_owned()).or_insert(0.0) += if value.is_nan() { 0.0 } else { value };
    }
    sums
}

/// Means per replication of a column weighted by another, after the warm-up.
fn means(table: &Table, of: (&str, &str), value: &str, weight: &str) -> Vec<f64> {
    let mut sums: BTreeMap<String, [f64; 2]> = BTreeMap::new();
    for ([name, replication], [time_s, value, weight]) in
        table.select([of.0, "replication"], ["time_s", value, weight])
    {
        if name == of.1 && time_s >= WARM_UP_S && weight > 0.0 {
            let sum = sums.entry(replication.to_owned()).or_default();
            sum[0] += value * weight;
            sum[1] += weight;
        }
    }
    sums.values().map(|[sum, weight]| sum / weight).collect()
}

/// Asserts that the 99 % interval of the mean of six replications holds a value.
fn assert_interval(sample: &[f64], expected: f64, what: &str) {
    assert_eq!(sample.len(), 6, "{what}");
    let mean = sample.iter().sum::<f64>() / 6.0;
    let variance = sample.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 5.0;
    let half = T_5 * (variance / 6.0).sqrt();
    println!("{what}: {mean:.4} +- {half:.4}, expected {expected:.4}");
    assert!((mean - expected).abs() <= half, "{what}: {mean} +- {half}, expected {expected}");
    assert!(half <= 0.05 * expected, "{what}: too wide an interval to show anything");
}

#[test]
fn rates_flows_and_requests_agree() {
    let folder = Folder::new("fidelities");
    let (fluid, flows) = (run(&folder, "fluid"), run(&folder, "flows"));
    let read = |folder: &std::path::Path, table: &str| Table::read(&folder.join(table));
    let carried = |folder| sums(&read(folder, "links.csv"), "link", "carried_bps");
    let (theirs, ours) = (carried(&fluid), carried(&flows));
    assert_eq!(theirs.len(), 3);
    for (link, &expected) in &theirs {
        println!("{link}: flows carry {:.5} of the rates", ours[link] / expected);
        assert!((ours[link] / expected - 1.0).abs() <= 0.005, "{link}");
    }
    // One over one less the load, whatever the law of sizes.
    let times = read(&flows, "flows.csv");
    for service in ["even", "plain", "wild"] {
        let slowdowns = means(&times, ("service", service), "slowdown_mean", "finished");
        assert_interval(&slowdowns, 2.5, service);
    }
    let sites = read(&fluid, "sites.csv");
    let load = means(&sites, ("site", "core"), "cpu_utilisation_mean", "served_requests_per_s");
    let service_ms =
        means(&sites, ("site", "core"), "latency_service_ms_mean", "answered_requests_per_s");
    let zoom = read(&fluid, "zoom.csv");
    let of = ("colo", "core");
    let played = means(&zoom, of, "server_utilisation_mean", "offered_requests_per_s");
    let mean = |sample: &[f64]| sample.iter().sum::<f64>() / sample.len() as f64;
    println!("server load: rates {:.5}, requests {:.5}", mean(&load), mean(&played));
    assert!((mean(&load) - 0.5).abs() <= 1e-9);
    assert!((mean(&played) / mean(&load) - 1.0).abs() <= 0.005);
    assert!((mean(&service_ms) - 4.0).abs() <= 1e-9, "rates: {service_ms:?}");
    let waited = means(&zoom, of, "wait_ms_mean", "served_requests_per_s");
    let served = means(&zoom, of, "service_ms_mean", "served_requests_per_s");
    let stays: Vec<f64> = waited.iter().zip(&served).map(|(wait, serve)| wait + serve).collect();
    assert_interval(&stays, mean(&service_ms), "a request's stay");
}
