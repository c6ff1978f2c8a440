//! Puts a finished directory in its place.

use crate::disk::unique;
use crate::error::StoreError;
use crate::read::{MANIFEST, open_verified, read_manifest};
use crate::store::Store;
use crate::summary::Manifest;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Attempts when other processes keep publishing the same directory.
const ATTEMPTS: usize = 5;

/// Where a directory was published.
pub(crate) struct Published {
    pub(crate) dir: PathBuf,
    pub(crate) unchanged: bool,
}

/// What is at the place where a directory should go.
enum Place {
    Empty,
    /// A whole run directory with the same files.
    Same,
    /// A directory that is damaged or not a run directory.
    Other,
}

/// Renames `temporary`, whole and durable, to `name` in the store's root, and points `latest` to
/// it.
///
/// A directory that is there already with the same files (provenance may differ) is left alone.
/// Any other is moved aside to `<name>.replaced-<n>` first, and removed from there when files in
/// it that are not ours, such as a report, are carried over. A crash between the two renames
/// leaves it aside and no directory, which repeating the command mends.
pub(crate) fn publish(
    store: &Store,
    temporary: &Path,
    name: &str,
    manifest: &Manifest,
) -> Result<Published, StoreError> {
    let disk = store.disk();
    let dir = store.root().join(name);
    let mut unchanged = false;
    for attempt in 1.. {
        match look(&dir, manifest)? {
            Place::Same => {
                unchanged = true;
                disk.remove_dir(temporary)?;
            }
            Place::Empty => match disk.rename(temporary, &dir) {
                // Another process was faster: look again.
                Err(error) if is_taken(&error.source) && attempt < ATTEMPTS => continue,
                other => other?,
            },
            Place::Other => replace(store, temporary, &dir, manifest)?,
        }
        break;
    }
    disk.sync_dir(store.root())?;
    point_latest(store, name)?;
    Ok(Published { dir, unchanged })
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

fn look(dir: &Path, manifest: &Manifest) -> Result<Place, StoreError> {
    match fs::symlink_metadata(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Place::Empty),
        Err(error) => return Err(StoreError::new(dir, "read", error)),
        Ok(metadata) if !metadata.is_dir() => {
            let error = io::Error::new(
                io::ErrorKind::AlreadyExists,
                "something that is not a directory is in the way; move it elsewhere",
            );
            return Err(StoreError::new(dir, "write", error));
        }
        Ok(_) => {}
    }
    let same = read_manifest(dir).is_ok_and(|there| {
        there.files == manifest.files
            && there.files.iter().all(|entry| open_verified(&dir.join(&entry.name), entry).is_ok())
    });
    Ok(if same { Place::Same } else { Place::Other })
}

fn replace(
    store: &Store,
    temporary: &Path,
    dir: &Path,
    manifest: &Manifest,
) -> Result<(), StoreError> {
    let disk = store.disk();
    // Not in the workspace: what a crash leaves there is removed, and it may hold files of others.
    let mut old = aside(dir);
    while old.exists() {
        old = aside(dir);
    }
    disk.rename(dir, &old)?;
    if let Err(error) = disk.rename(temporary, dir) {
        // Put back what was there; if that fails, too, the first error is the one to tell.
        let _ = disk.rename(&old, dir);
        return Err(error);
    }
    let entries = fs::read_dir(&old).map_err(|error| StoreError::new(&old, "read", error))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = name == MANIFEST || manifest.files.iter().any(|file| *file.name == *name);
        if !ours {
            disk.rename(&entry.path(), &dir.join(&name))?;
        }
    }
    disk.sync_dir(dir)?;
    disk.remove_dir(&old)
}

fn aside(dir: &Path) -> PathBuf {
    let mut path = dir.as_os_str().to_owned();
    path.push(format!(".replaced-{}", unique()));
    path.into()
}

/// Makes `latest` a link to the run directory, in one step.
fn point_latest(store: &Store, name: &str) -> Result<(), StoreError> {
    let disk = store.disk();
    let link = store.temporary("latest")?;
    disk.link(name, &link)?;
    disk.rename(&link, &store.root().join("latest"))?;
    disk.sync_dir(store.root())
}
