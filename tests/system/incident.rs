//! The replayed incident: the published order of events must come out.

use crate::support::folder::Folder;
use crate::support::program::Program;
use crate::support::root;
use crate::support::table::Table;
use std::collections::BTreeMap;

const SCENARIO: &str = "scenarios/incidents/cloud-link-saturation-2025-08-21.yaml";

/// Share of a tenant's traffic lost by (arm, minute after 16:00), mean over replications.
fn loss_of_others(csv: &std::path::Path) -> BTreeMap<(String, u32), f64> {
    let table = Table::read(&csv.join("tenants.csv"));
    let mut sums: BTreeMap<(String, u32), (f64, f64)> = BTreeMap::new();
    let rows = table.select(["arm", "tenant"], ["time_s", "offered_bps", "dropped_bps"]);
    for ([arm, tenant], [time_s, offered_bps, dropped_bps]) in rows {
        if tenant == "others" {
            let sum = sums.entry((arm.to_owned(), (time_s / 60.0) as u32)).or_default();
            sum.0 += offered_bps;
            sum.1 += dropped_bps;
        }
    }
    sums.into_iter().map(|(key, (offered, dropped))| (key, dropped / offered)).collect()
}

#[test]
fn the_published_order_of_events_comes_out() {
    let folder = Folder::new("incident");
    Program::new(folder.path())
        .args(["run".as_ref(), root().join(SCENARIO).as_os_str()])
        .args(["--csv", "csv", "--no-report", "--quiet"])
        .exits(0);
    let loss = loss_of_others(&folder.join("csv"));
    let minute = |hour: u32, minute: u32| (hour - 16) * 60 + minute;
    let at = |arm: &str, hour: u32, min: u32| loss[&(arm.to_owned(), minute(hour, min))];
    for arm in ["do-nothing", "manual", "tenant-budget"] {
        assert_eq!(at(arm, 16, 26), 0.0, "{arm}: nothing is lost before the surge");
    }
    // 16:27 surge, 16:37 the neighbour withdraws (and BGP needs some seconds).
    let surge = at("manual", 16, 30);
    let withdrawn = at("manual", 16, 40);
    assert!(surge > 0.2, "the surge loses traffic: {surge}");
    assert!(withdrawn > surge + 0.01, "the withdrawal makes it worse: {surge} to {withdrawn}");
    // +158 min: rate limit; +180 min: traffic moved; +198 min: first routes restored.
    let limited = at("manual", 19, 10);
    assert!(limited < withdrawn - 0.05, "the limit relieves: {withdrawn} to {limited}");
    assert!(limited > 0.05, "but not fully: {limited}");
    for (hour, min) in [(19, 30), (19, 44), (19, 46), (20, 10), (20, 25), (20, 50)] {
        assert_eq!(at("manual", hour, min), 0.0, "relieved at {hour}:{min}");
    }
    // Whoever does nothing suffers until the surge is over.
    assert!(at("do-nothing", 20, 25) > 0.2);
    assert_eq!(at("do-nothing", 20, 35), 0.0);
    // A budget enforced within seconds leaves the neighbour no reason to withdraw.
    for min in (minute(16, 29)..minute(20, 59)).step_by(7) {
        assert_eq!(loss[&("tenant-budget".to_owned(), min)], 0.0);
    }
    let events = std::fs::read_to_string(folder.join("csv").join("events.csv")).unwrap();
    let count = |kind: &str| events.lines().filter(|line| line.contains(kind)).count();
    // Five replications of two arms see the withdrawal, those of the third do not.
    assert_eq!((count("neighbour-withdraws"), count("neighbour-keeps")), (10, 5));
}
