//! What can go wrong with files.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A file operation that failed.
#[derive(Debug)]
pub struct StoreError {
    /// What was to be read or written.
    pub path: PathBuf,
    /// What was tried: `write`, `rename`, ...
    pub action: &'static str,
    /// Why it failed.
    pub source: io::Error,
}

impl StoreError {
    /// An error about `path`.
    #[must_use]
    pub fn new(path: &Path, action: &'static str, source: io::Error) -> StoreError {
        StoreError { path: path.to_owned(), action, source }
    }

    fn remedy(&self) -> &'static str {
        match self.source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some space or choose another directory; finished runs are kept"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "check the permissions or choose another directory"
            }
            io::ErrorKind::CrossesDevices => {
                "the store and the run directories must be on one file system"
            }
            _ => "finished runs are kept; repeat the command to continue",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StoreError { path, action, source } = self;
        write!(out, "cannot {action} {}: {source}; {}", path.display(), self.remedy())
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
