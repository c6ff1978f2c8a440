//! Tests of the whole way: plan, execute, assemble, read, compare.

use crate::assemble::{Assembled, assemble};
use crate::disk::Disk;
use crate::error::StoreError;
use crate::execute::{Executed, NoObserver, Observer, execute, execute_with};
use crate::plan::{Plan, PlannedRun};
use crate::read::MANIFEST;
use crate::store::Store;
use crate::summary::{Manifest, Verdict};
use crate::testkit::{self, FailAt, FakeRegistry, TempDir, tree};
use crate::view::RunView;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use steerlab_engine::record::Recorder;
use steerlab_engine::run::{Limits, RunExecutor, Serial, Stopped};
use steerlab_engine::scenario::{Check, CheckOp, Operand, Scenario};

/// Does jobs in an order of its own, some of them at once.
struct Shuffled(usize);

impl RunExecutor for Shuffled {
    fn execute(&self, count: usize, job: &(dyn Fn(usize) + Sync)) {
        let order: Vec<usize> = (0..count).map(|n| (n * self.0 + 1) % count).collect();
        std::thread::scope(|scope| {
            for half in order.chunks(count.div_ceil(2).max(1)) {
                scope.spawn(move || half.iter().for_each(|&n| job(n)));
            }
        });
    }
}

fn plan(scenario: &Scenario, store: &Store) -> Plan {
    Plan::new(scenario, "c0ffee", &FakeRegistry::new(1), store, false).unwrap()
}

fn run_all(
    scenario: &Scenario,
    store: &Store,
    executor: &dyn RunExecutor,
) -> Result<Assembled, StoreError> {
    let plan = plan(scenario, store);
    let play = |run: &PlannedRun, recorder: &mut dyn Recorder, _: &dyn Fn() -> bool| {
        Ok(testkit::fake_run(scenario, run.id, recorder))
    };
    execute_with(&plan, scenario, executor, store, &NoObserver, &|| false, &play)?;
    assemble(&plan, scenario, &FakeRegistry::new(1), store, testkit::provenance())
}

pub(crate) fn finished(scenario: &Scenario) -> (TempDir, Assembled) {
    let dir = TempDir::new();
    let assembled = run_all(scenario, &Store::new(&dir.0), &Serial).unwrap();
    (dir, assembled)
}

pub(crate) fn metric(metric: &str) -> Operand {
    Operand::Metric { metric: metric.into(), labels: Vec::new() }
}

#[test]
fn a_run_directory_reads_back_as_it_was_made() {
    let mut scenario = testkit::scenario();
    let (left, right) = (metric("latency_ms_p99"), Operand::Number(95.0));
    scenario.checks = vec![Check { text: "p99".into(), left, op: CheckOp::Lt, right }];
    let (dir, assembled) = finished(&scenario);
    let view = RunView::read(&assembled.dir).unwrap();
    assert_eq!(view.summary, assembled.summary);
    assert_eq!(view.manifest.provenance, testkit::provenance());
    let names: Vec<&str> = view.tables.iter().map(|table| table.name.as_str()).collect();
    let expected = [
        "actions",
        "client_groups",
        "events",
        "flows",
        "links",
        "moves",
        "runs",
        "sites",
        "tenants",
        "totals",
        "zoom",
    ];
    assert_eq!(names, expected);
    // 2 arms x 3 replications x 3 buckets x 3 sites.
    let sites = view.table("sites").unwrap();
    assert_eq!(sites.rows(), 54);
    assert_eq!((sites.text("arm", 27), sites.number("replication", 9)), (Some("alt"), Some(1.0)));
    assert_eq!(sites.text("site", 1), Some("b"));
    assert!(sites.columns.iter().all(|column| !column.meaning.is_empty()));
    let totals = view.table("totals").unwrap();
    assert_eq!(totals.number("latency_ms_p99", 0), None, "no requests served in the first bucket");
    assert_eq!(totals.number("latency_ms_p99", 1), Some(4.0));
    let groups = view.table("client_groups").unwrap();
    assert_eq!(
        (groups.text("landing_site", 0), groups.text("landing_site", 1)),
        (Some(""), Some("b"))
    );
    assert_eq!(view.summary.runs.len(), 6);
    assert_eq!(view.summary.checks.len(), 2);
    assert!(view.summary.checks.iter().all(|check| check.pass && check.left == Some(91.0)));
    assert_eq!(view.summary.warnings.len(), 1, "{:?}", view.summary.warnings);
    let latest = std::fs::canonicalize(dir.0.join("latest")).unwrap();
    assert_eq!(latest, std::fs::canonicalize(&assembled.dir).unwrap());
}

#[test]
fn only_the_tables_asked_for_are_read() {
    let (_dir, made) = finished(&testkit::scenario());
    let view = RunView::read_tables(&made.dir, &["runs"]).unwrap();
    assert_eq!((view.tables.len(), view.tables[0].name.as_str()), (1, "runs"));
    // The others are still checked.
    std::fs::write(made.dir.join("sites.parquet"), b"x").unwrap();
    assert!(RunView::read_tables(&made.dir, &["runs"]).is_err());
}

#[test]
fn the_summary_compares_arms() {
    let (_dir, assembled) = finished(&testkit::scenario());
    let rows = &assembled.summary.comparison;
    assert_eq!(rows.len(), 2);
    // Losses 50, 51, 52 of 1000 bits against 70, 72, 74 (the fake doubles one cause).
    let loss = &rows[0];
    assert_eq!((loss.metric.as_str(), loss.n, loss.verdict), ("loss_ratio", 3, Verdict::Worse));
    assert!((loss.difference - 0.021).abs() < 1e-12, "{loss:?}");
    let (low, high) = loss.interval.unwrap();
    // Differences 0.020, 0.021, 0.022: t(0.975, 2) * 0.001 / sqrt(3) = 0.002484137711
    // with SciPy 1.17.1: scipy.stats.t.ppf(0.975, 2) * 0.001 / 3**.5
    assert!((low - (0.021 - 0.002_484_137_7)).abs() < 1e-9, "{low}");
    assert!((high - (0.021 + 0.002_484_137_7)).abs() < 1e-9, "{high}");
    let latency = &rows[1];
    assert_eq!(latency.verdict, Verdict::NoMaterialDifference);
    assert_eq!((latency.interval, latency.p_value), (Some((0.0, 0.0)), None));
}

#[test]
fn any_order_of_execution_gives_the_same_bytes() {
    let scenario = testkit::scenario();
    let (expected_dir, _) = finished(&scenario);
    let expected = tree(&expected_dir.0);
    assert!(expected.len() > 12);
    for stride in [1, 5, 7] {
        let dir = TempDir::new();
        run_all(&scenario, &Store::new(&dir.0), &Shuffled(stride)).unwrap();
        assert!(tree(&dir.0) == expected, "stride {stride}");
    }
}

#[test]
fn a_repeated_command_computes_nothing_and_leaves_the_directory_alone() {
    let scenario = testkit::scenario();
    let (dir, first) = finished(&scenario);
    let before = tree(&dir.0);
    let store = Store::new(&dir.0);
    assert_eq!(plan(&scenario, &store).missing(), 0);
    let again = run_all(&scenario, &store, &Serial).unwrap();
    assert!(again.unchanged && !first.unchanged);
    assert_eq!(again.summary, first.summary);
    drop(store);
    assert!(tree(&dir.0) == before);
}

#[test]
fn a_damaged_directory_is_replaced_and_foreign_files_are_kept() {
    let scenario = testkit::scenario();
    let (dir, first) = finished(&scenario);
    let mut expected = tree(&dir.0);
    std::fs::write(first.dir.join("summary.json"), b"{}").unwrap();
    std::fs::write(first.dir.join("report.html"), b"mine").unwrap();
    let again = run_all(&scenario, &Store::new(&dir.0), &Serial).unwrap();
    assert!(!again.unchanged);
    let name = first.dir.file_name().unwrap().to_string_lossy().into_owned();
    expected.insert(format!("{name}/report.html"), b"mine".to_vec());
    assert!(tree(&dir.0) == expected);
}

#[test]
fn a_file_in_the_way_is_not_removed() {
    let scenario = testkit::scenario();
    let dir = TempDir::new();
    let store = Store::new(&dir.0);
    let path = plan(&scenario, &store).path(&store);
    std::fs::write(&path, b"mine").unwrap();
    let error = run_all(&scenario, &store, &Serial).unwrap_err();
    assert_eq!(error.path, path);
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}

/// Files under final names: without the workspaces of dead processes.
fn visible(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = tree(root);
    files.retain(|name, _| !name.starts_with(".steerlab-tmp-"));
    files
}

#[test]
fn a_failure_at_any_step_is_told_and_repeating_ends_in_the_same_bytes() {
    let mut scenario = testkit::scenario();
    scenario.replications = 1;
    scenario.horizon = scenario.bucket;
    let (expected_dir, _) = finished(&scenario);
    let expected = tree(&expected_dir.0);
    for for_good in [false, true] {
        let mut steps = 0;
        // Death is one failure after another: every fourth instant is enough.
        for step in (0..).step_by(if for_good { 4 } else { 1 }) {
            let dir = TempDir::new();
            let faults = if for_good {
                FailAt::for_good(step)
            } else {
                FailAt::once(step, std::io::ErrorKind::StorageFull)
            };
            let store = Store::with_disk(&dir.0, Disk::with_faults(faults.clone()));
            let result = run_all(&scenario, &store, &Serial);
            drop(store);
            for (name, bytes) in visible(&dir.0) {
                assert!(expected.get(&name) == Some(&bytes), "step {step}: partial {name}");
            }
            if let Err(error) = &result {
                assert!(error.path.starts_with(&dir.0), "{error}");
            }
            run_all(&scenario, &Store::new(&dir.0), &Serial).unwrap();
            assert!(tree(&dir.0) == expected, "step {step}");
            if !faults.struck() {
                assert!(result.is_ok());
                break;
            }
            steps += 1;
        }
        assert!(steps > 25, "only {steps} steps could fail");
    }
}

#[test]
fn a_failure_while_replacing_keeps_foreign_files() {
    let mut scenario = testkit::scenario();
    scenario.replications = 1;
    let spoiled = || {
        let (dir, made) = finished(&scenario);
        std::fs::write(made.dir.join("summary.json"), b"{}").unwrap();
        std::fs::write(made.dir.join("report.html"), b"mine").unwrap();
        (dir, made)
    };
    let repeat = |dir: &TempDir, faults| {
        run_all(&scenario, &Store::with_disk(&dir.0, Disk::with_faults(faults)), &Serial)
    };
    let (dir, _) = spoiled();
    let counter = FailAt::for_good(i64::MAX);
    repeat(&dir, counter.clone()).unwrap();
    // Publishing is at the end: the last steps are the ones that touch what was there.
    for step in counter.seen() - 16..counter.seen() {
        let (dir, made) = spoiled();
        let _ = repeat(&dir, FailAt::for_good(step));
        let kept = tree(&dir.0).into_iter().any(|(name, bytes)| {
            name.ends_with("/report.html") && !name.starts_with('.') && bytes == b"mine"
        });
        assert!(kept, "step {step}");
        run_all(&scenario, &Store::new(&dir.0), &Serial).unwrap();
        RunView::read(&made.dir).unwrap();
    }
}

#[test]
fn processes_may_share_a_store() {
    let scenario = testkit::scenario();
    let (expected_dir, _) = finished(&scenario);
    let dir = TempDir::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| run_all(&scenario, &Store::new(&dir.0), &Serial).unwrap());
        }
    });
    assert!(tree(&dir.0) == tree(&expected_dir.0));
}

#[derive(Default)]
struct Counts {
    cached: AtomicUsize,
    started: AtomicUsize,
    finished: AtomicUsize,
    stopped: AtomicUsize,
    last: Mutex<f64>,
}

impl Observer for Counts {
    fn cached(&self, _: &PlannedRun) {
        self.cached.fetch_add(1, Ordering::Relaxed);
    }
    fn started(&self, _: &PlannedRun) {
        self.started.fetch_add(1, Ordering::Relaxed);
    }
    fn progress(&self, _: &PlannedRun, fraction: f64) {
        *self.last.lock().unwrap() = fraction;
    }
    fn finished(&self, _: &PlannedRun) {
        self.finished.fetch_add(1, Ordering::Relaxed);
    }
    fn stopped(&self, _: &PlannedRun, _: &Stopped) {
        self.stopped.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_limit_stops_one_run_and_the_others_are_kept() {
    let scenario = testkit::scenario();
    let dir = TempDir::new();
    let store = Store::new(&dir.0);
    let plan = plan(&scenario, &store);
    let counts = Counts::default();
    let play = |run: &PlannedRun, recorder: &mut dyn Recorder, _: &dyn Fn() -> bool| {
        let totals = testkit::fake_run(&scenario, run.id, recorder);
        if run.id.replication == 1 { Err(Stopped::TooManyEvents) } else { Ok(totals) }
    };
    let executed =
        execute_with(&plan, &scenario, &Serial, &store, &counts, &|| false, &play).unwrap();
    let stopped = vec![(1, Stopped::TooManyEvents), (4, Stopped::TooManyEvents)];
    assert_eq!(executed, Executed { finished: 4, cached: 0, stopped, cancelled: false });
    assert!(!executed.complete());
    assert_eq!(counts.stopped.load(Ordering::Relaxed), 2);
    assert_eq!(*counts.last.lock().unwrap(), 1.0);
    let provenance = testkit::provenance();
    let error = assemble(&plan, &scenario, &FakeRegistry::new(1), &store, provenance).unwrap_err();
    assert!(error.to_string().contains("not there, whole"), "{error}");
    let again = self::plan(&scenario, &store);
    assert_eq!(again.missing(), 2);
}

#[test]
fn a_cancellation_keeps_what_is_finished() {
    let scenario = testkit::scenario();
    let dir = TempDir::new();
    let store = Store::new(&dir.0);
    let plan = plan(&scenario, &store);
    let counts = Counts::default();
    let cancelled = || counts.finished.load(Ordering::Relaxed) >= 2;
    let play = |run: &PlannedRun, recorder: &mut dyn Recorder, _: &dyn Fn() -> bool| {
        Ok(testkit::fake_run(&scenario, run.id, recorder))
    };
    let executed =
        execute_with(&plan, &scenario, &Serial, &store, &counts, &cancelled, &play).unwrap();
    assert!(executed.cancelled && executed.finished == 2);
    assert_eq!(counts.started.load(Ordering::Relaxed), 2);
    let again = self::plan(&scenario, &store);
    let done: Vec<bool> = again.runs.iter().map(|run| run.cached).collect();
    assert_eq!(done, [true, true, false, false, false, false]);
    execute_with(&again, &scenario, &Serial, &store, &counts, &|| false, &play).unwrap();
    assert_eq!(counts.cached.load(Ordering::Relaxed), 2);
}

#[test]
fn a_full_disk_begins_no_further_run() {
    let scenario = testkit::scenario();
    let dir = TempDir::new();
    let store = Store::with_disk(&dir.0, Disk::with_faults(FailAt::for_good(10)));
    let plan = plan(&scenario, &store);
    let counts = Counts::default();
    let play = |run: &PlannedRun, recorder: &mut dyn Recorder, _: &dyn Fn() -> bool| {
        Ok(testkit::fake_run(&scenario, run.id, recorder))
    };
    let result = execute_with(&plan, &scenario, &Serial, &store, &counts, &|| false, &play);
    assert!(result.is_err());
    assert!(counts.started.load(Ordering::Relaxed) < 6);
}

#[test]
fn the_engine_is_what_execute_plays() {
    let scenario = testkit::scenario();
    let dir = TempDir::new();
    let store = Store::new(&dir.0);
    let plan = plan(&scenario, &store);
    let registry = FakeRegistry::new(1);
    let limits = Limits { events_max: 1_000_000 };
    let executed =
        execute(&plan, &scenario, &registry, &Serial, &store, &NoObserver, &|| false, limits)
            .unwrap();
    assert!(executed.complete() && executed.finished == 6);
    let made = assemble(&plan, &scenario, &registry, &store, testkit::provenance()).unwrap();
    assert_eq!(RunView::read(&made.dir).unwrap().summary, made.summary);
}

/// A finished directory whose manifest vouches for whatever `change` did to it.
fn forged(change: impl Fn(&Path)) -> (TempDir, std::path::PathBuf) {
    let mut scenario = testkit::scenario();
    scenario.replications = 1;
    let (dir, made) = finished(&scenario);
    change(&made.dir);
    let path = made.dir.join(MANIFEST);
    let mut manifest: Manifest = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for entry in &mut manifest.files {
        if let Ok(bytes) = std::fs::read(made.dir.join(&entry.name)) {
            entry.bytes = bytes.len() as u64;
            entry.sha256 = crate::disk::sha256_hex(&bytes);
        }
    }
    std::fs::write(path, serde_json::to_vec(&manifest).unwrap()).unwrap();
    (dir, made.dir)
}

fn rewrite(dir: &Path, name: &str, from: &str, to: &str) {
    let path = dir.join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_hostile_directory_is_refused_with_path_and_reason() {
    let (_dir, sound) = forged(|_| ());
    RunView::read(&sound).expect("the forgery itself works");
    type Spoil = fn(&Path);
    let cases: [(&str, &str, Spoil); 8] = [
        ("scenario.json", "does not exist", |dir| {
            rewrite(dir, "scenario.json", "\"colo\": 0", "\"colo\": 77");
        }),
        ("scenario.json", "not what it should be", |dir| {
            std::fs::write(dir.join("scenario.json"), "[".repeat(100_000)).unwrap();
        }),
        ("summary.json", "not what it should be", |dir| {
            std::fs::write(dir.join("summary.json"), b"\xff\xfe").unwrap();
        }),
        ("summary.json", "format `other` is not", |dir| {
            rewrite(dir, "summary.json", "steerlab-summary/1", "other");
        }),
        ("sites.parquet", "not a readable Parquet file", |dir| {
            std::fs::write(dir.join("sites.parquet"), b"PAR1PAR1").unwrap();
        }),
        ("runs.parquet", "cannot be read", |dir| {
            std::fs::remove_file(dir.join("runs.parquet")).unwrap();
        }),
        ("runs.parquet", "not a regular file", |dir| {
            std::fs::remove_file(dir.join("runs.parquet")).unwrap();
            std::fs::create_dir(dir.join("runs.parquet")).unwrap();
        }),
        ("columns.json", "not what it should be", |dir| {
            std::fs::write(dir.join("columns.json"), b"null").unwrap();
        }),
    ];
    for (file, reason, change) in cases {
        let (_dir, path) = forged(change);
        let error = RunView::read(&path).unwrap_err();
        assert_eq!(error.path, path.join(file), "{error}");
        assert!(error.reason.contains(reason), "{error}");
    }
}

#[test]
fn a_hostile_manifest_is_refused() {
    let escape = |name: &'static str| {
        move |dir: &Path| rewrite(dir, MANIFEST, "\"sites.parquet\"", &format!("{name:?}"))
    };
    for name in
        ["../sites.parquet", "/etc/passwd", ".hidden", "manifest.json", "", "a/b", "sites\n"]
    {
        let (_dir, path) = forged(escape(name));
        let error = RunView::read(&path).unwrap_err();
        assert!(error.reason.contains("lists the file name"), "{error}");
        assert!(!error.reason.contains('\n'), "{error}");
    }
    let (_dir, path) = forged(escape("totals.parquet"));
    assert!(RunView::read(&path).unwrap_err().reason.contains("not sorted"));
    let (_dir, path) = forged(|dir| rewrite(dir, MANIFEST, "steerlab-manifest/1", "x"));
    assert!(RunView::read(&path).unwrap_err().reason.contains("format `x`"));
    let empty = TempDir::new();
    assert!(RunView::read(&empty.0).unwrap_err().reason.contains("no manifest.json"));
    assert!(RunView::read(&empty.0.join("x")).unwrap_err().reason.contains("not a directory"));
}

#[test]
fn a_changed_file_is_noticed() {
    let (_dir, made) = finished(&testkit::scenario());
    let path = made.dir.join("totals.parquet");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert!(RunView::read(&made.dir).unwrap_err().reason.contains("changed since"));
    bytes.push(0);
    std::fs::write(&path, bytes).unwrap();
    assert!(RunView::read(&made.dir).unwrap_err().reason.contains("the manifest says"));
}

#[test]
fn a_figure_that_is_no_number_is_left_out_and_told() {
    let scenario = testkit::scenario();
    let dir = TempDir::new();
    let store = Store::new(&dir.0);
    let plan = plan(&scenario, &store);
    let play = |run: &PlannedRun, recorder: &mut dyn Recorder, _: &dyn Fn() -> bool| {
        let mut totals = testkit::fake_run(&scenario, run.id, recorder);
        totals.transit_ratio = f64::NAN;
        Ok(totals)
    };
    execute_with(&plan, &scenario, &Serial, &store, &NoObserver, &|| false, &play).unwrap();
    let provenance = testkit::provenance();
    let made = assemble(&plan, &scenario, &FakeRegistry::new(1), &store, provenance).unwrap();
    let arm = &made.summary.arms[0];
    assert!(arm.metrics.iter().all(|value| value.metric != "transit_ratio"));
    assert!(made.summary.warnings.iter().any(|warning| warning.code == "W0906"));
    RunView::read(&made.dir).unwrap();
}
