//! Figures that only some runs have: latency by parts, loss by whom, requests, flows, bills.

use crate::fake::{ARMS, Shape, USUAL, view};
use steerlab_report::{figures, html};
use steerlab_results::summary::MetricValue;
use steerlab_results::view::{ColumnData, DataColumn, DataTable, RunView};

const SMALL: Shape = Shape { buckets: 4, sites: 4, groups: 4, replications: 1, ..USUAL };

fn texts(name: &str, values: &[&str]) -> DataColumn {
    let mut dictionary: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
    dictionary.dedup();
    let code = |value: &&str| dictionary.iter().position(|known| known == value).unwrap() as u32;
    let codes = values.iter().map(code).collect();
    let data = ColumnData::Text { dictionary, codes };
    DataColumn { name: name.to_owned(), meaning: String::new(), data }
}

fn numbers(name: &str, values: &[f64]) -> DataColumn {
    let data = ColumnData::F64(values.to_vec());
    DataColumn { name: name.to_owned(), meaning: String::new(), data }
}

/// A row an arm, at the first instant.
fn add(run: &mut RunView, name: &str, entity: (&str, &str), columns: &[(&str, [f64; 2])]) {
    run.tables.retain(|table| table.name != name);
    let mut out = vec![texts("arm", &ARMS[..2])];
    let replication = ColumnData::U64(vec![0, 0]);
    out.push(DataColumn {
        name: "replication".to_owned(),
        meaning: String::new(),
        data: replication,
    });
    out.push(numbers("time_s", &[0.0, 0.0]));
    if !entity.0.is_empty() {
        out.push(texts(entity.0, &[entity.1, entity.1]));
    }
    out.extend(columns.iter().map(|(name, values)| numbers(name, values)));
    run.tables.push(DataTable { name: name.to_owned(), columns: out });
    run.tables.sort_by(|a, b| a.name.cmp(&b.name));
}

fn ids(run: &RunView) -> Vec<String> {
    figures(run).into_iter().map(|figure| figure.name).collect()
}

#[test]
fn a_run_without_requests_flows_and_prices_has_no_such_section() {
    let page = html(&view(SMALL));
    assert!(!page.contains("Requests, flows and bills") && !page.contains("#details"));
}

#[test]
fn latency_is_told_by_its_parts() {
    let mut run = view(SMALL);
    add(
        &mut run,
        "totals",
        ("", ""),
        &[
            ("bucket_s", [60.0, 60.0]),
            ("served_requests_per_s", [10.0, 10.0]),
            ("latency_setup_ms_mean", [4.0, 4.0]),
            ("latency_propagation_ms_mean", [20.0, 30.0]),
            ("latency_link_queue_ms_mean", [1.0, 0.0]),
            ("latency_service_ms_mean", [5.0, f64::NAN]),
            ("latency_origin_ms_mean", [0.0, 0.0]),
        ],
    );
    let page = html(&run);
    assert!(page.contains("do-nothing: mean 30 ms, most of it propagation (20 ms)."), "{page}");
    assert!(page.contains("spill: mean 34 ms, most of it propagation (30 ms)."));
    assert!(ids(&run).contains(&"latency-parts".to_owned()), "{:?}", ids(&run));
}

#[test]
fn loss_is_told_by_class_where_there_are_several() {
    let mut run = view(SMALL);
    let flows = [
        ("offered_bps", [100.0, 100.0]),
        ("dropped_bps_link_full", [20.0, 0.0]),
        ("dropped_bps_down", [5.0, 0.0]),
    ];
    add(&mut run, "tenants", ("class", "gold"), &flows);
    let table = run.tables.iter_mut().find(|table| table.name == "tenants").unwrap();
    table.columns.push(texts("tenant", &["a", "b"]));
    let page = html(&run);
    assert!(page.contains("Whose traffic was lost, and to what"));
    assert!(page.contains("do-nothing: class gold loses most, 25 % of what it offers."), "{page}");
    assert!(page.contains("spill: nobody loses anything."));
}

#[test]
fn zoomed_colos_show_latency_servers_and_losses() {
    let mut run = view(SMALL);
    add(
        &mut run,
        "zoom",
        ("colo", "fra<1>"),
        &[
            ("zoom_s", [60.0, 60.0]),
            ("offered_requests_per_s", [100.0, 100.0]),
            ("dropped_requests_per_s_refused", [2.0, 0.0]),
            ("dropped_requests_per_s_timed_out", [1.0, 0.0]),
            ("dropped_requests_per_s_failed", [0.0, 0.0]),
            ("dropped_requests_per_s_broken", [0.0, 0.0]),
            ("dropped_requests_per_s_no_server", [0.0, 0.0]),
            ("latency_ms_p50", [5.0, 4.0]),
            ("latency_ms_p95", [9.0, 8.0]),
            ("latency_ms_p99", [42.0, 11.0]),
            ("server_utilisation_mean", [0.5, 0.5]),
            ("server_utilisation_max", [0.9, 0.6]),
        ],
    );
    let page = html(&run);
    assert!(page.contains("Requests, flows and bills"));
    for words in [
        "The 99th percentile peaks at 42 ms.",
        "The mean of the servers peaks at 50 %, the busiest one at 90 %.",
        "do-nothing: fra&lt;1&gt; 3 %.",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("fra<1>"));
    for figure in figures(&run) {
        crate::markup::assert_xml(&figure.svg);
    }
}

#[test]
fn flows_and_bills_are_shown() {
    let mut run = view(SMALL);
    add(
        &mut run,
        "flows",
        ("service", "backup"),
        &[
            ("finished", [10.0, 20.0]),
            ("broken", [1.0, 0.0]),
            ("completion_s_mean", [3.0, 2.0]),
            ("completion_s_p99", [8.0, 6.0]),
            ("slowdown_mean", [1.5, 1.25]),
        ],
    );
    for (arm, cost) in run.summary.arms.iter_mut().zip([120.0, 80.0]) {
        for (metric, mean) in [("billed_bps", 1e9), ("cost_p95", cost)] {
            arm.metrics.push(MetricValue {
                metric: metric.to_owned(),
                labels: vec![("link".to_owned(), "fra-transit".to_owned())],
                unit: String::new(),
                mean,
                interval: None,
                n: 1,
            });
        }
    }
    let page = html(&run);
    assert!(page.contains("do-nothing: backup 1.5 times as long as alone, mean 3 s."), "{page}");
    assert!(page.contains("The 99th percentile peaks at 8 s."));
    assert!(page.contains("do-nothing costs 120, spill costs 80."));
    assert!(ids(&run).contains(&"cost".to_owned()));
}

#[test]
fn heat_maps_name_rows_and_hot_cells() {
    let run = view(USUAL);
    let found = figures(&run);
    // Pictures of many cells must stay small.
    let large = |name: &str| name.contains("-heat-");
    for figure in found.iter().filter(|figure| large(&figure.name)) {
        assert!(figure.svg.len() < 40_000, "{}: {} bytes", figure.name, figure.svg.len());
    }
    let heat = found.iter().find(|figure| figure.name == "links-heat-do-nothing").unwrap();
    assert!(heat.svg.matches("<g><title>").count() >= 10, "a title each row");
    assert!(heat.svg.contains(": up to 1"), "a title of a cell above capacity");
    assert!(heat.svg.contains("class=\"l pa d4\""), "dots above capacity");
}

#[test]
fn merged_buckets_are_told() {
    let mut run = view(SMALL);
    assert!(!html(&run).contains("are one point of"));
    run.thinned.buckets = 12;
    run.thinned.left_out.insert("moves".to_owned(), 7);
    let page = html(&run);
    assert!(page.contains("In the pictures 12 buckets are one point of"), "{page}");
    assert!(page.contains("The last 7 rows of the table `moves` are not shown."));
}
