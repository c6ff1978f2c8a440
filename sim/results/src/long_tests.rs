//! Tests of runs that are longer than a block, a row group and a picture.

use crate::assemble::assemble;
use crate::execute::{NoObserver, execute_with};
use crate::plan::{Plan, PlannedRun};
use crate::recorder::TableRecorder;
use crate::store::Store;
use crate::testkit::{self, FakeRegistry, TempDir, tables_of};
use crate::view::{ColumnData, DataTable, RunView};
use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::record::{EventRecord, Recorder, RunId};
use steerlab_engine::run::Serial;
use steerlab_engine::scenario::{ArmId, Scenario};

/// More rows of sites than a row group holds, more buckets than a picture shows.
const BUCKETS: u64 = 22_001;
const EVENTS: u64 = 100_500;

fn long(replications: u32) -> Scenario {
    let mut scenario = testkit::scenario();
    scenario.replications = replications;
    // The last bucket is half as long.
    scenario.horizon = SimSpan(scenario.bucket.0 * BUCKETS - scenario.bucket.0 / 2);
    scenario
}

/// A long run, with an event of its own text at every millisecond.
fn tell(scenario: &Scenario, id: RunId, recorder: &mut dyn Recorder) {
    let mut whole = scenario.clone();
    whole.horizon = SimSpan(scenario.bucket.0 * BUCKETS);
    testkit::fake_run(&whole, id, recorder);
    for number in 0..EVENTS {
        let label = format!("event {number}");
        let (kind, agent, entity) = ("mark", "scenario", "");
        let at = SimTime(number * 1_000_000);
        recorder.event(&EventRecord { at, kind, agent, entity, label: &label });
    }
}

fn numbers<'a>(table: &'a DataTable, column: &str) -> &'a [f64] {
    match &table.column(column).unwrap().data {
        ColumnData::F64(values) => values,
        _ => panic!("{column} holds numbers"),
    }
}

#[test]
fn rows_of_many_blocks_come_back_in_order_with_their_texts() {
    let scenario = long(1);
    let id = RunId { arm: ArmId(0), replication: 0 };
    let (_, run, _) = testkit::fake_cell(&testkit::scenario(), id);
    let dir = TempDir::new();
    let store = Store::new(&dir.0);
    let mut recorder = TableRecorder::new(&scenario, store.begin(&run).unwrap());
    tell(&scenario, id, &mut recorder);
    store.keep(recorder.finish(&run, &testkit::totals()).unwrap()).unwrap();
    let tables = tables_of(&run, &std::fs::read(store.cell_path(&run)).unwrap()).unwrap();
    let table = |name: &str| tables.iter().find(|table| table.name == name).unwrap();
    let events = table("events");
    assert_eq!(events.rows() as u64, EVENTS + 1);
    for number in [0, 4095, 4096, 65_535, 65_536, EVENTS as usize - 1] {
        assert_eq!(events.text("label", number + 1), Some(format!("event {number}").as_str()));
    }
    let sites = table("sites");
    assert_eq!(sites.rows() as u64, 3 * BUCKETS);
    assert!(numbers(sites, "time_s").is_sorted());
    assert_eq!(sites.text("site", 65_537), Some("c"), "65,537 is 2 more than a multiple of 3");
}

#[test]
fn a_long_run_is_assembled_in_row_groups_and_thinned_for_pictures() {
    let scenario = long(1);
    let dir = TempDir::new();
    let store = Store::new(&dir.0);
    let plan = Plan::new(&scenario, "c0ffee", &FakeRegistry::new(1), &store, false).unwrap();
    let play = |run: &PlannedRun, recorder: &mut dyn Recorder, _: &dyn Fn() -> bool| {
        tell(&scenario, run.id, recorder);
        Ok(testkit::totals())
    };
    execute_with(&plan, &scenario, &Serial, &store, &NoObserver, &|| false, &play).unwrap();
    let registry = FakeRegistry::new(1);
    let made = assemble(&plan, &scenario, &registry, &store, testkit::provenance()).unwrap();
    let tables = RunView::open_tables(&made.dir).unwrap();
    let (_, sites) = tables.iter().find(|(name, _)| name == "sites").unwrap();
    let groups: Vec<usize> =
        (0..sites.groups()).map(|group| sites.read_group(group).unwrap().rows()).collect();
    assert!(groups.len() > 2 && groups.iter().all(|&rows| rows <= 65_536), "{groups:?}");
    assert_eq!(groups.iter().sum::<usize>() as u64, 2 * 3 * BUCKETS);
    let whole = sites.read_all().unwrap();
    assert_eq!(whole.text("arm", 3 * BUCKETS as usize - 1), Some("base"));
    assert_eq!(whole.text("arm", 3 * BUCKETS as usize), Some("alt"));

    let view = RunView::read(&made.dir).unwrap();
    // 22,001 buckets in at most 2,016 points: eleven in each.
    assert_eq!((view.thinned.buckets, view.thinned.client_buckets), (11, 11));
    let points = BUCKETS.div_ceil(11);
    let totals = view.table("totals").unwrap();
    assert_eq!(totals.rows() as u64, 2 * points);
    let sum: f64 = numbers(totals, "bucket_s").iter().sum();
    assert_eq!(sum, 2.0 * BUCKETS as f64 * scenario.bucket.seconds());
    let mean = |first: u64| (first..first + 11).sum::<u64>() as f64 / 11.0;
    let served = numbers(totals, "served_requests_per_s");
    let bucket_s = scenario.bucket.seconds();
    for point in [0, 1, 1999] {
        let expected = mean(point * 11) * bucket_s;
        assert!((served[point as usize] / expected - 1.0).abs() < 1e-12, "point {point}");
        assert_eq!(numbers(totals, "time_s")[point as usize], (point * 11) as f64 * bucket_s);
    }
    assert_eq!(numbers(totals, "latency_ms_p99")[0], 4.0, "where there is one");
    assert_eq!(view.table("sites").unwrap().rows() as u64, 2 * 3 * points);
    assert_eq!(view.table("sites").unwrap().text("site", 2), Some("c"));
    let events = view.table("events").unwrap();
    assert_eq!(events.rows(), 200_000, "100,000 of each run");
    assert_eq!(events.text("arm", 100_000), Some("alt"));
    assert_eq!(view.thinned.left_out.get("events"), Some(&(2 * (EVENTS + 1) - 200_000)));
    assert_eq!(view.thinned.left_out.len(), 1);
}
