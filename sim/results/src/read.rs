//! Reads a run directory back. It may be damaged or hostile: names, sizes and hashes are checked
//! before anything is believed, and every id in it must name something.

use crate::columns::ColumnsFile;
use crate::consistent;
use crate::disk::hex;
use crate::parquet_read::TableReader;
use crate::summary::{FileEntry, Manifest, Summary};
use crate::thin::read_thinned;
use crate::view::{RunView, Thinned};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

/// Name of the file that makes a directory a run directory.
pub const MANIFEST: &str = "manifest.json";
pub(crate) const MANIFEST_FORMAT: &str = "steerlab-manifest/1";
pub(crate) const SUMMARY_FORMAT: &str = "steerlab-summary/1";

const MANIFEST_BYTES_MAX: u64 = 4 << 20;
const JSON_BYTES_MAX: u64 = 256 << 20;
const FILE_BYTES_MAX: u64 = 8 << 30;
const FILES_MAX: usize = 64;

/// Why a run directory cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The file or directory.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for ReadError {}

fn refuse<T>(path: &Path, reason: impl Into<String>) -> Result<T, ReadError> {
    Err(ReadError { path: path.to_owned(), reason: reason.into() })
}

impl RunView {
    /// Reads a run directory with all its tables, thinned to what pictures can show: see
    /// [`RunView::thinned`].
    ///
    /// # Errors
    /// If it is not one, a file is missing, changed, too large or not what it says, or the
    /// scenario in it is not sound. The error names the file and the reason.
    pub fn read(dir: &Path) -> Result<RunView, ReadError> {
        let (mut view, columns, tables) = RunView::open(dir, &|_| true)?;
        let read = read_thinned(&tables, &view.scenario);
        let (tables, thinned) = read.or_else(|(table, reason)| {
            refuse(&dir.join(format!("{}.parquet", tables[table].0)), reason)
        })?;
        (view.tables, view.thinned) = (tables, thinned);
        Ok(view.explained(&columns))
    }

    /// Reads a run directory with only the tables named: a comparison needs `runs` alone. All
    /// files are checked nevertheless.
    ///
    /// # Errors
    /// As [`RunView::read`]; a table that is not there is simply not in the view.
    pub fn read_tables(dir: &Path, tables: &[&str]) -> Result<RunView, ReadError> {
        let (mut view, columns, tables) = RunView::open(dir, &|table| tables.contains(&table))?;
        for (name, table) in &tables {
            let path = dir.join(format!("{name}.parquet"));
            view.tables.push(table.read_all().or_else(|reason| refuse(&path, reason))?);
        }
        Ok(view.explained(&columns))
    }

    /// The tables of a run directory, opened to be read row group by row group, in file-name order.
    /// Their files are checked; nothing else is read.
    ///
    /// # Errors
    /// If it is no run directory, or a table is missing, changed, too large or damaged.
    pub fn open_tables(dir: &Path) -> Result<Vec<(String, TableReader)>, ReadError> {
        let mut tables = Vec::new();
        for entry in &read_manifest(dir)?.files {
            let Some(name) = entry.name.strip_suffix(".parquet") else { continue };
            let path = dir.join(&entry.name);
            let file = open_verified(&path, entry)?;
            let table = TableReader::open(name, file).or_else(|why| refuse(&path, why))?;
            tables.push((name.to_owned(), table));
        }
        Ok(tables)
    }

    /// Reads all but the tables, and opens those that are wanted.
    fn open(dir: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Opened, ReadError> {
        let manifest = read_manifest(dir)?;
        let mut tables = Vec::new();
        let (mut scenario, mut summary, mut columns) = (None, None, None);
        for entry in &manifest.files {
            let path = dir.join(&entry.name);
            let file = open_verified(&path, entry)?;
            match entry.name.as_str() {
                "scenario.json" => scenario = Some(parse(&path, file)?),
                "summary.json" => summary = Some(parse(&path, file)?),
                "columns.json" => columns = Some(parse(&path, file)?),
                name => {
                    let table = name.strip_suffix(".parquet");
                    if let Some(table) = table.filter(|table| wanted(table)) {
                        let opened = TableReader::open(table, file);
                        let opened = opened.or_else(|reason| refuse(&path, reason))?;
                        tables.push((table.to_owned(), opened));
                    }
                }
            }
        }
        let missing = |name: &str| ReadError {
            path: dir.join(name),
            reason: "not listed in the manifest, but every run directory has it".to_owned(),
        };
        let scenario = scenario.ok_or_else(|| missing("scenario.json"))?;
        consistent::check(&scenario).or_else(|why| refuse(&dir.join("scenario.json"), why))?;
        let summary: Summary = summary.ok_or_else(|| missing("summary.json"))?;
        if summary.format != SUMMARY_FORMAT {
            let reason = format!("format `{}` is not `{SUMMARY_FORMAT}`", shown(&summary.format));
            return refuse(&dir.join("summary.json"), reason);
        }
        let columns: ColumnsFile = columns.ok_or_else(|| missing("columns.json"))?;
        let (none, thinned) = (Vec::new(), Thinned::default());
        let dir = dir.to_owned();
        let view = RunView { dir, scenario, summary, manifest, tables: none, thinned };
        Ok((view, columns, tables))
    }

    /// Gives every column its meaning.
    fn explained(mut self, columns: &ColumnsFile) -> RunView {
        for table in &mut self.tables {
            for column in &mut table.columns {
                let meaning = columns.meaning(&table.name, &column.name);
                column.meaning = meaning.unwrap_or_default().to_owned();
            }
        }
        self
    }
}

/// A view without its tables, what columns mean, and the tables.
type Opened = (RunView, ColumnsFile, Vec<(String, TableReader)>);

/// Text from a file as it may be shown: short, without control characters.
fn shown(text: &str) -> String {
    text.chars().take(60).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Reads and checks the manifest; the files it lists are not looked at.
pub(crate) fn read_manifest(dir: &Path) -> Result<Manifest, ReadError> {
    let path = dir.join(MANIFEST);
    if !dir.is_dir() {
        return refuse(dir, "not a directory");
    }
    if fs::symlink_metadata(&path).is_err() {
        return refuse(dir, format!("not a run directory: it has no {MANIFEST}"));
    }
    let file = open_regular(&path)?;
    if length(&path, &file)? > MANIFEST_BYTES_MAX {
        return refuse(&path, format!("larger than {MANIFEST_BYTES_MAX} bytes"));
    }
    let manifest: Manifest = parse(&path, file)?;
    if manifest.format != MANIFEST_FORMAT {
        let format = shown(&manifest.format);
        return refuse(&path, format!("format `{format}` is not `{MANIFEST_FORMAT}`"));
    }
    if manifest.files.len() > FILES_MAX {
        return refuse(&path, format!("lists more than {FILES_MAX} files"));
    }
    for entry in &manifest.files {
        if !is_plain(&entry.name) || entry.name == MANIFEST {
            return refuse(&path, format!("lists the file name `{}`", shown(&entry.name)));
        }
    }
    if !manifest.files.windows(2).all(|pair| pair[0].name < pair[1].name) {
        return refuse(&path, "its files are not sorted by name, or one is there twice");
    }
    Ok(manifest)
}

/// Whether a name is a plain file name of ours: no directory, nothing hidden.
fn is_plain(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !name.is_empty() && name.len() <= 128 && !name.starts_with('.') && name.bytes().all(allowed)
}

/// Opens a file that is neither link, device nor directory.
fn open_regular(path: &Path) -> Result<File, ReadError> {
    let cannot = |error: std::io::Error| ReadError {
        path: path.to_owned(),
        reason: format!("cannot be read: {error}"),
    };
    if !fs::symlink_metadata(path).map_err(cannot)?.is_file() {
        return refuse(path, "not a regular file");
    }
    File::open(path).map_err(cannot)
}

fn length(path: &Path, file: &File) -> Result<u64, ReadError> {
    match file.metadata() {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) => refuse(path, format!("cannot be read: {error}")),
    }
}

/// Opens a file after checking its size and hash; what is read from it is what was checked.
pub(crate) fn open_verified(path: &Path, entry: &FileEntry) -> Result<File, ReadError> {
    let mut file = open_regular(path)?;
    let bytes = length(path, &file)?;
    if bytes != entry.bytes {
        return refuse(path, format!("has {bytes} bytes; the manifest says {}", entry.bytes));
    }
    if bytes > FILE_BYTES_MAX {
        return refuse(path, format!("larger than {FILE_BYTES_MAX} bytes"));
    }
    let sha256 =
        hash(&mut file).or_else(|error| refuse(path, format!("cannot be read: {error}")))?;
    if sha256 != entry.sha256 {
        return refuse(path, "changed since it was written (its hash differs from the manifest)");
    }
    Ok(file)
}

/// Hash of a file, which is then at its beginning again.
fn hash(file: &mut File) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
    }
    file.rewind()?;
    Ok(hex(&hash.finalize()))
}

/// Parses a JSON file within the size limit.
fn parse<T: DeserializeOwned>(path: &Path, file: File) -> Result<T, ReadError> {
    let mut text = Vec::new();
    let read = file.take(JSON_BYTES_MAX + 1).read_to_end(&mut text);
    if let Err(error) = read {
        return refuse(path, format!("cannot be read: {error}"));
    }
    if text.len() as u64 > JSON_BYTES_MAX {
        return refuse(path, format!("larger than {JSON_BYTES_MAX} bytes"));
    }
    serde_json::from_slice(&text)
        .or_else(|error| refuse(path, format!("not what it should be: {error}")))
}
