//! The importers' only access to files.

use super::common::problem::{E_LIMIT, Problem};
use super::{DemandInput, Document, Folder, ImportError};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Largest input file, bytes.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Most files in a folder.
const MAX_FILES: usize = 200_000;

/// Reads a file of at most 1 GiB.
///
/// # Errors
/// It cannot be read, or is larger.
pub fn read_limited(path: &Path) -> Result<Document, ImportError> {
    let name = path.display().to_string();
    let bytes = read_bytes(path).map_err(|what| {
        Problem::new(E_LIMIT, &name, what)
            .why("the import needs this file")
            .help("check the path and the permissions")
    })?;
    Ok(Document { name, bytes })
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let file = fs::File::open(path).map_err(|error| format!("cannot be opened: {error}"))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("has more than {MAX_FILE_BYTES} bytes"));
    }
    Ok(bytes)
}

/// A folder on disk.
#[derive(Clone, Debug)]
pub struct DiskFolder {
    path: PathBuf,
    name: String,
}

impl DiskFolder {
    /// The folder at a path; nothing is read yet.
    #[must_use]
    pub fn new(path: &Path) -> DiskFolder {
        DiskFolder { path: path.to_owned(), name: path.display().to_string() }
    }
}

impl Folder for DiskFolder {
    fn name(&self) -> &str {
        &self.name
    }

    fn files(&self) -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        let list = fs::read_dir(&self.path).map_err(|error| error.to_string())?;
        for entry in list {
            let entry = entry.map_err(|error| error.to_string())?;
            if !entry.path().is_file() {
                continue;
            }
            let name = entry.file_name().into_string();
            names.push(name.map_err(|name| format!("the file name {name:?} is not UTF-8"))?);
            if names.len() > MAX_FILES {
                return Err(format!("more than {MAX_FILES} files"));
            }
        }
        names.sort();
        Ok(names)
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, String> {
        read_bytes(&self.path.join(file))
    }
}

impl DemandInput {
    /// A folder, or a file read at once.
    ///
    /// # Errors
    /// As [`read_limited`].
    pub fn open(path: &Path) -> Result<DemandInput, ImportError> {
        if path.is_dir() {
            return Ok(DemandInput::Folder(Box::new(DiskFolder::new(path))));
        }
        Ok(DemandInput::File(read_limited(path)?))
    }
}
