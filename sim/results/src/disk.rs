//! The only door to the file system for writing: every operation names its path when it fails,
//! and tests can make any one of them fail.

use crate::error::StoreError;
use crate::workspace::Workspace;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Something that changes the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskOp {
    /// A directory is made.
    MakeDir,
    /// A file is created.
    Create,
    /// Bytes are written to a file.
    Write,
    /// A file or directory is made durable.
    Sync,
    /// A file or directory is renamed.
    Rename,
    /// A symbolic link is made.
    Link,
    /// A file or directory is removed.
    Remove,
}

/// Decides before every operation whether it fails; for tests.
pub trait Faults: Send + Sync {
    /// An error makes the operation fail with it; a failing write leaves half of its bytes.
    ///
    /// # Errors
    /// Whatever the test wants to see.
    fn before(&self, op: DiskOp, path: &Path) -> io::Result<()>;
}

/// Access to the disk.
#[derive(Clone, Default)]
pub struct Disk {
    faults: Option<Arc<dyn Faults>>,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Disk").field("faults", &self.faults.is_some()).finish()
    }
}

impl Disk {
    /// A disk that fails when `faults` says so.
    #[must_use]
    pub fn with_faults(faults: Arc<dyn Faults>) -> Disk {
        Disk { faults: Some(faults) }
    }

    fn before(&self, op: DiskOp, path: &Path) -> io::Result<()> {
        self.faults.as_ref().map_or(Ok(()), |faults| faults.before(op, path))
    }

    fn attempt<T>(
        &self,
        op: DiskOp,
        path: &Path,
        action: &'static str,
        run: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, StoreError> {
        self.before(op, path)
            .and_then(|()| run())
            .map_err(|source| StoreError::new(path, action, source))
    }

    /// Makes a directory and its parents; one that exists is fine.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn make_dirs(&self, path: &Path) -> Result<(), StoreError> {
        self.attempt(DiskOp::MakeDir, path, "make directory", || fs::create_dir_all(path))
    }

    /// Creates a new file; one that exists is an error.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn create(&self, path: &Path) -> Result<DiskFile, StoreError> {
        let file = self.attempt(DiskOp::Create, path, "create", || File::create_new(path))?;
        let raw = RawFile { file, path: path.to_owned(), disk: self.clone() };
        let writer = BufWriter::with_capacity(256 * 1024, raw);
        Ok(DiskFile { writer, hash: Sha256::new(), bytes: 0 })
    }

    /// Makes the entries of a directory durable (where the system allows it).
    ///
    /// # Errors
    /// If the system refuses.
    pub fn sync_dir(&self, path: &Path) -> Result<(), StoreError> {
        self.attempt(DiskOp::Sync, path, "sync directory", || {
            if cfg!(unix) { really_sync(&File::open(path)?) } else { Ok(()) }
        })
    }

    /// Renames; a file takes the place of a file, a directory that of an empty directory.
    ///
    /// # Errors
    /// If it cannot be renamed; the path named is the destination.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.attempt(DiskOp::Rename, to, "rename into place", || fs::rename(from, to))
    }

    /// Makes a symbolic link; where there are none, a file that holds the target.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn link(&self, target: &str, path: &Path) -> Result<(), StoreError> {
        self.attempt(DiskOp::Link, path, "link", || {
            #[cfg(unix)]
            return std::os::unix::fs::symlink(target, path);
            #[cfg(not(unix))]
            return fs::write(path, target);
        })
    }

    /// Removes a directory and all in it; one that is gone is fine.
    ///
    /// # Errors
    /// If something in it cannot be removed.
    pub fn remove_dir(&self, path: &Path) -> Result<(), StoreError> {
        self.attempt(DiskOp::Remove, path, "remove", || absent_is_fine(fs::remove_dir_all(path)))
    }

    /// Removes a file; one that is gone is fine.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove_file(&self, path: &Path) -> Result<(), StoreError> {
        self.attempt(DiskOp::Remove, path, "remove", || absent_is_fine(fs::remove_file(path)))
    }

    /// Writes a file so that `path` holds either its old contents or all of the new ones: a
    /// temporary in a workspace beside it, synced, then renamed into place, then the directory
    /// synced. What an earlier process left there when it was killed is removed. Makes the
    /// directories above.
    ///
    /// # Errors
    /// If any step fails; the old file is as it was.
    pub fn write_atomic(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        self.fill_atomic(path, |file| file.write_all(bytes))
    }

    /// [`Disk::write_atomic`] with contents that are never in memory as a whole.
    ///
    /// # Errors
    /// If any step fails; the old file is as it was.
    pub fn fill_atomic(
        &self,
        path: &Path,
        fill: impl FnOnce(&mut DiskFile) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let workspace = Workspace::new(&parent, self)
            .map_err(|error| StoreError { path: path.to_owned(), ..error })?;
        self.place(&workspace.path("part"), path, fill)?;
        self.sync_dir(&parent)
    }

    /// Fills `temporary`, syncs it and renames it to `path`. Removes it if a step fails.
    ///
    /// # Errors
    /// If any step fails; the error names `path`.
    pub(crate) fn place(
        &self,
        temporary: &Path,
        path: &Path,
        fill: impl FnOnce(&mut DiskFile) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let write = || {
            let mut file = self.create(temporary)?;
            fill(&mut file).map_err(|source| StoreError::new(path, "write", source))?;
            file.finish()?;
            self.rename(temporary, path)
        };
        write().map_err(|error| {
            // The first error is the one to tell; a temporary that stays is cleaned up later.
            let _ = self.remove_file(temporary);
            StoreError { path: path.to_owned(), ..error }
        })
    }
}

/// Syncs, but not in this crate's own tests: they make thousands of files and pull no plugs.
fn really_sync(file: &File) -> io::Result<()> {
    if cfg!(test) { Ok(()) } else { file.sync_all() }
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A name part that no living process of this machine uses at the same time: process id and a
/// counter. Never part of a result.
pub(crate) fn unique() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A file being written: counts and hashes what goes in.
#[derive(Debug)]
pub struct DiskFile {
    writer: BufWriter<RawFile>,
    hash: Sha256,
    bytes: u64,
}

/// What a finished file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of all of it, hex; of a part where parts were hashed one by one.
    pub sha256: String,
}

impl DiskFile {
    /// SHA-256 of what was written since this was last asked. [`Written::sha256`] then tells of
    /// what comes after.
    pub(crate) fn take_digest(&mut self) -> [u8; 32] {
        self.hash.finalize_reset().into()
    }

    /// Bytes written so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Flushes and makes the file durable.
    ///
    /// # Errors
    /// If bytes cannot be written or synced.
    pub fn finish(mut self) -> Result<Written, StoreError> {
        let path = self.writer.get_ref().path.clone();
        self.writer.flush().map_err(|source| StoreError::new(&path, "write", source))?;
        let raw = self.writer.get_ref();
        raw.disk.attempt(DiskOp::Sync, &path, "sync", || really_sync(&raw.file))?;
        Ok(Written { bytes: self.bytes, sha256: hex(&self.hash.finalize()) })
    }
}

impl Write for DiskFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.writer.write(buffer)?;
        self.hash.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The file below the buffer: here faults strike.
#[derive(Debug)]
struct RawFile {
    file: File,
    path: PathBuf,
    disk: Disk,
}

impl Write for RawFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.disk.before(DiskOp::Write, &self.path) {
            // A full disk takes what still fits.
            self.file.write_all(&buffer[..buffer.len() / 2])?;
            return Err(error);
        }
        self.file.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Bytes as lower-case hex.
#[must_use]
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// SHA-256 of some bytes, hex.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{FailAt, TempDir, tree};

    #[test]
    fn hash_of_known_text() {
        // FIPS 180-4 example "abc".
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_written_file_is_counted_and_hashed() {
        let dir = TempDir::new();
        let mut file = Disk::default().create(&dir.0.join("x")).unwrap();
        file.write_all(b"abc").unwrap();
        let written = file.finish().unwrap();
        assert_eq!(written, Written { bytes: 3, sha256: sha256_hex(b"abc") });
        assert!(Disk::default().create(&dir.0.join("x")).is_err(), "exists");
    }

    #[test]
    fn any_failing_step_leaves_the_old_file_and_names_it() {
        let mut failures = 0;
        for step in 0.. {
            let dir = TempDir::new();
            let path = dir.0.join("answer.txt");
            Disk::default().write_atomic(&path, b"old").unwrap();
            let faults = FailAt::once(step, io::ErrorKind::StorageFull);
            let result = Disk::with_faults(faults.clone()).write_atomic(&path, b"new text");
            let mut now = tree(&dir.0);
            let whole = now.remove("answer.txt").expect("there is always a whole file");
            // What could not be removed goes with the next write.
            let left = now.keys().find(|name| !name.starts_with(".steerlab-tmp-"));
            assert_eq!(left, None, "step {step}");
            match result {
                Ok(()) => assert_eq!(whole, b"new text"),
                // Too late to undo: the file is in place, only its durability is unknown.
                Err(error) if error.action == "sync directory" => assert_eq!(whole, b"new text"),
                Err(error) => {
                    failures += 1;
                    assert!(error.to_string().contains("answer.txt"), "{error}");
                    assert!(error.to_string().contains("free some space"), "{error}");
                    assert_eq!(whole, b"old", "step {step}");
                }
            }
            Disk::default().write_atomic(&path, b"newer").unwrap();
            assert_eq!(tree(&dir.0).len(), 1, "step {step}: leftovers are cleaned up");
            if !faults.struck() {
                break;
            }
        }
        assert_eq!(failures, 6, "two directories, create, write, sync, rename");
    }
}
