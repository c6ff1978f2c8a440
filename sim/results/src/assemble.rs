//! Puts the finished runs of a plan together: tables, summary, manifest, all or nothing.
//!
//! The directory is built under a temporary name from the stored runs, one row group in memory at
//! a time, and renamed into place when every file in it is durable. The same plan gives the same
//! bytes, however and in whatever order the runs were done.

use crate::catalogue::{self, MetricSample};
use crate::cell::{BlockRows, StoredRun};
use crate::cell_write::BLOCK_ROWS;
use crate::checks;
use crate::columns::{ColumnsFile, KEYS, RUN_TABLES, RUNS_TABLE, columns};
use crate::compare;
use crate::disk::{Disk, DiskFile};
use crate::error::StoreError;
use crate::parquet_io::ParquetWriter;
use crate::plan::{Plan, PlannedRun};
use crate::publish::{Published, publish};
use crate::read::{MANIFEST, MANIFEST_FORMAT, SUMMARY_FORMAT};
use crate::samples::{Samples, runs_rows};
use crate::stats;
use crate::store::Store;
use crate::summary::{
    ArmSummary, FileEntry, Manifest, MetricValue, Provenance, RunSummary, Summary, WarningEntry,
};
use crate::topology::Topology;
use crate::view::{ColumnData, DataTable};
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use steerlab_engine::run::TRAJECTORY_VERSION;
use steerlab_engine::scenario::Scenario;
use steerlab_engine::steer::PolicyRegistry;

/// Rows of a row group; the last one of a run has what is left. Fixed, so that nothing but the rows
/// decides where groups end.
const GROUP_ROWS: usize = 16 * BLOCK_ROWS;
/// A row group ends earlier when its texts take this many bytes.
const GROUP_TEXT_BYTES: usize = 16 << 20;

/// `scenario.json`: the resolved scenario (recorded series are not in it).
#[derive(Serialize)]
struct Resolved<'a> {
    format: &'static str,
    #[serde(flatten)]
    scenario: &'a Scenario,
}

/// A run directory that is in place.
#[derive(Clone, Debug, PartialEq)]
pub struct Assembled {
    /// Where it is.
    pub dir: PathBuf,
    /// What its summary says.
    pub summary: Summary,
    /// Whether it was there before, with the same files, and was left alone.
    pub unchanged: bool,
}

/// Makes the run directory of a plan whose runs are all in the store, and points `latest` to it.
///
/// # Errors
/// If a run is not in the store (any more), or something cannot be written. Nothing half-made is
/// visible then.
pub fn assemble(
    plan: &Plan,
    scenario: &Scenario,
    registry: &dyn PolicyRegistry,
    store: &Store,
    provenance: Provenance,
) -> Result<Assembled, StoreError> {
    let temporary = store.temporary("runs")?;
    store.disk().make_dirs(&temporary)?;
    let mut builder = Builder {
        disk: store.disk(),
        dir: &temporary,
        files: Vec::new(),
        samples: Samples::default(),
        order: Vec::new(),
        runs: Vec::new(),
        warnings: BTreeSet::new(),
    };
    builder.tables(plan, scenario, store)?;
    let summary = builder.summary(plan, scenario, registry);
    builder.json("columns.json", &ColumnsFile::current())?;
    builder.json("scenario.json", &Resolved { format: "steerlab-resolved/1", scenario })?;
    builder.json("topology.json", &Topology::of(&scenario.network))?;
    builder.json("summary.json", &summary)?;
    let manifest = builder.manifest(provenance)?;
    let Published { dir, unchanged } = publish(store, &temporary, &plan.directory, &manifest)?;
    Ok(Assembled { dir, summary, unchanged })
}

/// A run directory while it is built.
struct Builder<'a> {
    disk: &'a Disk,
    dir: &'a Path,
    files: Vec<FileEntry>,
    samples: Samples,
    /// Metrics and labels in catalogue order.
    order: Vec<MetricSample>,
    runs: Vec<RunSummary>,
    warnings: BTreeSet<WarningEntry>,
}

impl Builder<'_> {
    /// Writes all tables, and collects what the summary needs on the way.
    fn tables(
        &mut self,
        plan: &Plan,
        scenario: &Scenario,
        store: &Store,
    ) -> Result<(), StoreError> {
        let mut writers = Vec::new();
        for table in RUN_TABLES.into_iter().chain([RUNS_TABLE]) {
            writers.push(TableWriter::new(self.disk, self.dir, table)?);
        }
        for run in &plan.runs {
            let gone = || {
                let gone = io::Error::new(io::ErrorKind::NotFound, "the run is not there, whole");
                StoreError::new(&store.cell_path(&run.hash), "read", gone)
            };
            let mut stored = store.open(&run.hash).ok_or_else(gone)?;
            let (last, tables) = writers.split_last_mut().expect("there are tables");
            for (table, writer) in tables.iter_mut().enumerate() {
                writer.copy(run, &mut stored, table)?.ok_or_else(gone)?;
            }
            let samples = catalogue::evaluate(scenario, &stored.totals);
            last.append(run, &runs_rows(&samples))?;
            self.take(run, stored, samples);
        }
        for writer in writers {
            self.files.push(writer.finish()?);
        }
        Ok(())
    }

    fn take<R>(&mut self, run: &PlannedRun, stored: StoredRun<R>, samples: Vec<MetricSample>) {
        let StoredRun { totals, warnings, .. } = stored;
        self.samples.add(&run.arm, run.id.replication, &samples);
        self.order = samples;
        self.warnings.extend(warnings);
        if !crate::totals::all_finite(&totals) {
            self.warnings.insert(WarningEntry {
                code: "W0906".to_owned(),
                message: format!(
                    "run {} of arm `{}` has figures that are not numbers; metrics made of them \
                     are left out; this is a bug, please report it",
                    run.id.replication, run.arm
                ),
            });
        }
        self.runs.push(RunSummary {
            arm: run.arm.clone(),
            replication: run.id.replication,
            fingerprint: format!("{:016x}", totals.fingerprint),
            events: totals.events,
        });
    }

    fn summary(
        &mut self,
        plan: &Plan,
        scenario: &Scenario,
        registry: &dyn PolicyRegistry,
    ) -> Summary {
        let comparison = compare::compare_arms(scenario, &self.samples);
        self.warnings.extend(comparison.warnings);
        let arm = |arm: &steerlab_engine::scenario::Arm| ArmSummary {
            arm: arm.id.clone(),
            label: arm.label.clone(),
            policies: arm
                .policies
                .iter()
                .map(|policy| {
                    let version = registry.find(&policy.name).map_or(0, |one| one.version);
                    format!("{}/{version}", policy.name)
                })
                .collect(),
            metrics: self.metrics(&arm.id, scenario.compare.confidence),
        };
        Summary {
            format: SUMMARY_FORMAT.to_owned(),
            scenario: scenario.name.clone(),
            scenario_sha256: plan.content_sha256.clone(),
            trajectory_version: TRAJECTORY_VERSION,
            seed: scenario.seed,
            replications: scenario.replications,
            confidence: scenario.compare.confidence,
            arms: scenario.arms.rows().iter().map(arm).collect(),
            runs: self.runs.clone(),
            checks: checks::judge(scenario, &self.samples),
            comparison: comparison.rows,
            warnings: self.warnings.iter().cloned().collect(),
        }
    }

    /// Figures of an arm, in catalogue order; those without a value are left out.
    fn metrics(&self, arm: &str, confidence: f64) -> Vec<MetricValue> {
        let figure = |sample: &MetricSample| {
            let values = self.samples.list(arm, sample.metric, &sample.labels);
            Some(MetricValue {
                metric: sample.metric.to_owned(),
                labels: sample.labels.clone(),
                unit: crate::columns::unit_of(sample.metric).to_owned(),
                mean: stats::mean(&values)?,
                interval: stats::t_interval(&values, confidence),
                n: u32::try_from(values.len()).ok()?,
            })
        };
        self.order.iter().filter_map(figure).collect()
    }

    fn json<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), StoreError> {
        let path = self.dir.join(name);
        let fail = |error| StoreError::new(&path, "write", error);
        let mut text = serde_json::to_vec_pretty(value).map_err(|error| fail(error.into()))?;
        text.push(b'\n');
        let mut file = self.disk.create(&path)?;
        file.write_all(&text).map_err(fail)?;
        let written = file.finish()?;
        let (bytes, sha256) = (written.bytes, written.sha256);
        self.files.push(FileEntry { name: name.to_owned(), bytes, sha256 });
        Ok(())
    }

    /// Writes the manifest, last, and makes the directory durable.
    fn manifest(&mut self, provenance: Provenance) -> Result<Manifest, StoreError> {
        let mut files = std::mem::take(&mut self.files);
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let manifest = Manifest { format: MANIFEST_FORMAT.to_owned(), files, provenance };
        self.json(MANIFEST, &manifest)?;
        self.disk.sync_dir(self.dir)?;
        Ok(manifest)
    }
}

/// One table of the run directory while it is written.
struct TableWriter {
    path: PathBuf,
    writer: ParquetWriter<DiskFile>,
}

impl TableWriter {
    fn new(disk: &Disk, dir: &Path, table: &str) -> Result<TableWriter, StoreError> {
        let path = dir.join(format!("{table}.parquet"));
        let mut specs = KEYS.to_vec();
        specs.extend(columns(table).expect("every table of this crate has columns"));
        let file = disk.create(&path)?;
        let writer = ParquetWriter::new(file, table, &specs)
            .map_err(|error| StoreError::new(&path, "write", error))?;
        Ok(TableWriter { path, writer })
    }

    /// Appends a table of a stored run, row group by row group. None: a block of it is not what was
    /// written.
    fn copy<R: Read + Seek>(
        &mut self,
        run: &PlannedRun,
        stored: &mut StoredRun<R>,
        table: usize,
    ) -> Result<Option<()>, StoreError> {
        let mut group = stored.no_rows(table);
        let mut failed = None;
        let mut flush = |group: &mut BlockRows| {
            failed = self.append(run, &group.table).err();
            group.clear();
            failed.is_none()
        };
        let read = stored.each_block(table, |stored, block, at| {
            stored.read_block(block, at, &mut group)?;
            let full = group.table.rows() + BLOCK_ROWS > GROUP_ROWS;
            let long = group.text_bytes >= GROUP_TEXT_BYTES;
            (!(full || long) || flush(&mut group)).then_some(())
        });
        if read.is_some() {
            flush(&mut group);
        }
        failed.map_or(Ok(read), Err)
    }

    /// Appends some rows of one run as a row group, with arm and replication in front.
    fn append(&mut self, run: &PlannedRun, table: &DataTable) -> Result<(), StoreError> {
        let rows = table.rows();
        let arm = ColumnData::Text { dictionary: vec![run.arm.clone()], codes: vec![0; rows] };
        let replication = ColumnData::U64(vec![run.id.replication.into(); rows]);
        let mut data = vec![&arm, &replication];
        data.extend(table.columns.iter().map(|column| &column.data));
        self.writer.append(&data).map_err(|error| StoreError::new(&self.path, "write", error))
    }

    fn finish(self) -> Result<FileEntry, StoreError> {
        let TableWriter { path, writer } = self;
        let file = writer.finish().map_err(|error| StoreError::new(&path, "write", error))?;
        let written = file.finish()?;
        let name = path.file_name().expect("made of a name").to_string_lossy().into_owned();
        Ok(FileEntry { name, bytes: written.bytes, sha256: written.sha256 })
    }
}
