//! A place for temporaries that no other process uses and that is cleaned up after a crash.
//!
//! A workspace is a directory `.steerlab-tmp-<pid>-<n>` beside the run directories, and a lock
//! file `.steerlab-tmp-<pid>-<n>.lock` that its process keeps locked for as long as it lives. The
//! system releases the lock when the process ends, however it ends. Whoever can take the lock of a
//! workspace therefore knows that its owner is dead, and removes it. Where the file system knows
//! no locks nothing is ever taken for dead, and nothing is removed.

use crate::disk::{Disk, unique};
use crate::error::StoreError;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Names tried before giving up; a name fails only if another process is in its way.
const ATTEMPTS: usize = 100;
const PREFIX: &str = ".steerlab-tmp-";

/// A locked workspace; dropping it removes it.
#[derive(Debug)]
pub struct Workspace {
    disk: Disk,
    dir: PathBuf,
    lock_path: PathBuf,
    // Held, never read: the lock lives as long as this.
    _lock: File,
}

impl Workspace {
    /// Makes a workspace in `root`, after removing those of dead processes.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new(root: &Path, disk: &Disk) -> Result<Workspace, StoreError> {
        disk.make_dirs(root)?;
        clean(root, disk);
        for _ in 0..ATTEMPTS {
            let name = format!("{PREFIX}{}", unique());
            let dir = root.join(&name);
            let lock_path = root.join(format!("{name}.lock"));
            let Some(lock) = take_lock(&lock_path)? else { continue };
            if let Err(error) = disk.make_dirs(&dir) {
                let _ = disk.remove_file(&lock_path);
                return Err(error);
            }
            return Ok(Workspace { disk: disk.clone(), dir, lock_path, _lock: lock });
        }
        let error = io::Error::other("other processes keep removing our lock file");
        Err(StoreError::new(root, "make a workspace in", error))
    }

    /// A path in the workspace that was not given out before.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{}-{name}", unique()))
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // Directory first: a directory without a lock file would never be cleaned up.
        if self.disk.remove_dir(&self.dir).is_ok() {
            let _ = self.disk.remove_file(&self.lock_path);
        }
    }
}

/// Creates and locks a lock file. None: the name is taken, or a cleaner was faster than us.
fn take_lock(path: &Path) -> Result<Option<File>, StoreError> {
    let lock = match File::create_new(path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(StoreError::new(path, "create", error)),
    };
    match lock.try_lock() {
        Ok(()) => Ok(is_file_at(&lock, path).then_some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        // No locks here: nobody will take us for dead, nobody will clean up after us.
        Err(TryLockError::Error(_)) => Ok(Some(lock)),
    }
}

/// Whether `path` still names the file that is open: between creating and locking it, a cleaner
/// may have removed it, and another process with our id (in a container) may have made its own.
fn is_file_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let same = |a: &fs::Metadata, b: &fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
        matches!((file.metadata(), fs::metadata(path)), (Ok(a), Ok(b)) if same(&a, &b))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

/// Removes the workspaces of dead processes. Best effort: what cannot be removed stays.
fn clean(root: &Path, disk: &Disk) {
    let Ok(entries) = fs::read_dir(root) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        let Some(workspace) = name.strip_suffix(".lock") else { continue };
        let Ok(lock) = File::open(entry.path()) else { continue };
        if lock.try_lock().is_ok() && disk.remove_dir(&root.join(workspace)).is_ok() {
            let _ = disk.remove_file(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{FailAt, TempDir, tree};

    fn entries(root: &Path) -> usize {
        fs::read_dir(root).unwrap().count()
    }

    #[test]
    fn a_living_workspace_is_left_alone_and_a_dropped_one_leaves_nothing() {
        let dir = TempDir::new();
        let first = Workspace::new(&dir.0, &Disk::default()).unwrap();
        let file = first.path("x");
        fs::write(&file, b"mine").unwrap();
        let second = Workspace::new(&dir.0, &Disk::default()).unwrap();
        assert_ne!(first.path("x"), first.path("x"));
        assert_eq!(fs::read(&file).unwrap(), b"mine");
        drop((first, second));
        assert_eq!(entries(&dir.0), 0);
    }

    #[test]
    fn the_workspace_of_a_dead_process_is_removed() {
        let dir = TempDir::new();
        // From the third operation on (two directories made) the owner is "dead".
        let dead = Workspace::new(&dir.0, &Disk::with_faults(FailAt::for_good(2))).unwrap();
        fs::write(dead.path("part"), b"half").unwrap();
        drop(dead);
        assert_eq!(tree(&dir.0).len(), 2, "part and lock stay behind");
        drop(Workspace::new(&dir.0, &Disk::default()).unwrap());
        assert_eq!(entries(&dir.0), 0);
    }

    #[test]
    fn what_is_not_ours_stays() {
        let dir = TempDir::new();
        fs::create_dir(dir.0.join(".steerlab-tmp-elsewhere")).unwrap();
        fs::write(dir.0.join("notes.txt"), b"x").unwrap();
        drop(Workspace::new(&dir.0, &Disk::default()).unwrap());
        assert_eq!(entries(&dir.0), 2);
    }
}
