//! The run store: finished runs, one file each, found by what they are.
//!
//! Layout under the output directory: `.store/<2 hex>/<run hash>.run` for finished runs,
//! `<scenario>-<hash12>/` for run directories, `latest` for the last one, and the workspaces of
//! living processes. Several processes may share one store: files are renamed into place whole, so
//! at worst a run is computed by each of them, with the same bytes.

use crate::cell::StoredRun;
use crate::cell_write::CellWriter;
use crate::disk::Disk;
use crate::error::StoreError;
use crate::identity::RunHash;
use crate::workspace::Workspace;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Finished runs under an output directory.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    disk: Disk,
    // Made at the first write: looking into a store leaves no trace.
    workspace: Mutex<Option<Workspace>>,
}

impl Store {
    /// The store of an output directory, which need not exist. Touches nothing.
    #[must_use]
    pub fn new(root: &Path) -> Store {
        Store::with_disk(root, Disk::default())
    }

    /// A store that writes through `disk`.
    #[must_use]
    pub fn with_disk(root: &Path, disk: Disk) -> Store {
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        Store { root: root.to_owned(), disk, workspace: Mutex::new(None) }
    }

    /// The output directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// File of a run.
    #[must_use]
    pub fn cell_path(&self, run: &RunHash) -> PathBuf {
        let name = run.as_str();
        self.root.join(".store").join(&name[..2]).join(format!("{name}.run"))
    }

    /// Whether a finished run is there, whole. Reads all of it, a block at a time.
    #[must_use]
    pub fn contains(&self, run: &RunHash) -> bool {
        self.open(run).is_some_and(|mut run| run.is_whole())
    }

    /// A finished run. None: it is not there, or its end is damaged. Its blocks are checked when
    /// they are read.
    #[must_use]
    pub fn open(&self, run: &RunHash) -> Option<StoredRun<BufReader<File>>> {
        let file = File::open(self.cell_path(run)).ok()?;
        let metadata = file.metadata().ok()?;
        if !metadata.is_file() {
            return None;
        }
        StoredRun::open(BufReader::new(file), metadata.len(), run)
    }

    /// Begins the file of a run, under a temporary name.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn begin(&self, run: &RunHash) -> Result<CellWriter, StoreError> {
        let path = self.cell_path(run);
        let temporary =
            self.temporary("cell").map_err(|error| StoreError { path: path.clone(), ..error })?;
        CellWriter::new(&self.disk, temporary, path)
    }

    /// Keeps a finished run. When this returns, it survives a crash of the machine.
    ///
    /// # Errors
    /// If it cannot be put in its place; the store is as it was.
    pub fn keep(&self, finished: CellWriter) -> Result<(), StoreError> {
        let shelf = finished.path().parent().expect("a cell lies in a directory of the store");
        let shelf = shelf.to_owned();
        if !shelf.is_dir() {
            self.disk.make_dirs(&shelf)?;
            self.disk.sync_dir(&self.root.join(".store"))?;
            self.disk.sync_dir(&self.root)?;
        }
        finished.place()?;
        self.disk.sync_dir(&shelf)
    }

    /// A fresh path in this process's workspace.
    pub(crate) fn temporary(&self, name: &str) -> Result<PathBuf, StoreError> {
        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        if workspace.is_none() {
            *workspace = Some(Workspace::new(&self.root, &self.disk)?);
        }
        Ok(workspace.as_ref().expect("made above").path(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identities;
    use crate::testkit::{self, FailAt, FakeRegistry, TempDir, keep_fake, tree};
    use std::io::ErrorKind;
    use steerlab_engine::record::RunId;
    use steerlab_engine::scenario::{ArmId, Scenario};

    fn sample() -> (Scenario, RunId, RunHash) {
        let scenario = testkit::scenario();
        let id = RunId { arm: ArmId(0), replication: 0 };
        let registry = FakeRegistry::new(1);
        let run = Identities::new(&scenario).run(&scenario.arms[id.arm], 0, &registry).unwrap();
        (scenario, id, run)
    }

    #[test]
    fn a_kept_run_is_found_again_and_nothing_else_is_left() {
        let dir = TempDir::new();
        let (scenario, id, run) = sample();
        let store = Store::new(&dir.0);
        assert!(!store.contains(&run));
        assert!(tree(&dir.0).is_empty(), "looking leaves no trace");
        let totals = keep_fake(&store, &scenario, id, &run).unwrap();
        assert!(store.contains(&run));
        drop(store);
        let files = tree(&dir.0);
        assert_eq!(files.len(), 1, "{:?}", files.keys());
        assert_eq!(Store::new(&dir.0).open(&run).unwrap().totals, totals);
    }

    #[test]
    fn a_run_that_is_given_up_leaves_nothing() {
        let dir = TempDir::new();
        let (_, _, run) = sample();
        let store = Store::new(&dir.0);
        let begun = store.begin(&run).unwrap();
        assert_eq!(tree(&dir.0).len(), 2, "the file and the lock of its workspace");
        drop(begun);
        assert_eq!(tree(&dir.0).len(), 1);
        assert!(!store.contains(&run));
    }

    #[test]
    fn a_damaged_run_is_absent_and_replaced() {
        let dir = TempDir::new();
        let (scenario, id, run) = sample();
        let store = Store::new(&dir.0);
        keep_fake(&store, &scenario, id, &run).unwrap();
        let path = store.cell_path(&run);
        let whole = std::fs::read(&path).unwrap();
        let mut changed = whole.clone();
        changed[100] ^= 1;
        for damaged in [&whole[..whole.len() - 1], &changed] {
            std::fs::write(&path, damaged).unwrap();
            assert!(!store.contains(&run));
        }
        keep_fake(&store, &scenario, id, &run).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }

    #[test]
    fn any_failing_step_is_told_with_its_path_and_spoils_nothing() {
        let (scenario, id, run) = sample();
        for kind in [ErrorKind::StorageFull, ErrorKind::PermissionDenied, ErrorKind::Other] {
            let mut failures = 0;
            for step in 0.. {
                let dir = TempDir::new();
                let faults = FailAt::once(step, kind);
                let store = Store::with_disk(&dir.0, Disk::with_faults(faults.clone()));
                let result = keep_fake(&store, &scenario, id, &run);
                if !faults.struck() {
                    assert!(result.is_ok());
                    break;
                }
                if let Err(error) = result {
                    failures += 1;
                    assert!(error.path.starts_with(&dir.0), "{error}");
                    assert_eq!(error.source.kind(), kind);
                }
                drop(store);
                for (name, bytes) in tree(&dir.0) {
                    if name.starts_with(".steerlab-tmp-") {
                        continue;
                    }
                    assert!(name.starts_with(".store/"), "step {step} leaves {name}");
                    assert!(testkit::tables_of(&run, &bytes).is_some());
                }
                let again = Store::new(&dir.0);
                keep_fake(&again, &scenario, id, &run).unwrap();
                assert!(again.contains(&run));
                drop(again);
                assert_eq!(tree(&dir.0).len(), 1, "step {step}: leftovers are cleaned up");
            }
            assert!(failures >= 8, "only {failures} steps could fail");
        }
    }
}
