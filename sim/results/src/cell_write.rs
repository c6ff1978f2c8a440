//! Writes the stored form of a run while the run is going on: the layout is told in
//! [`crate::cell`].

use crate::cell::{BlockEntry, ColumnHeader, FORMAT, HEADER_BYTES_MAX, Header, MAGIC, TableHeader};
use crate::columns::kind_of;
use crate::disk::{Disk, DiskFile, hex};
use crate::error::StoreError;
use crate::identity::RunHash;
use crate::summary::WarningEntry;
use crate::table::TableBuilder;
use crate::totals::{self, TotalsShape};
use crate::view::{ColumnData, DataColumn};
use std::io::{self, Write};
use std::path::PathBuf;
use steerlab_engine::record::RunTotals;

/// Rows of a block: what a table holds in memory before it goes to the file.
pub(crate) const BLOCK_ROWS: usize = 4096;
/// A block ends earlier when its texts take this many bytes.
pub(crate) const BLOCK_TEXT_BYTES: usize = 4 << 20;
/// Values converted at a time.
const CHUNK: usize = 8192;

/// The file of a run in progress, under a temporary name. Dropped before it is kept, it is removed.
#[derive(Debug)]
pub struct CellWriter {
    disk: Disk,
    /// Where it lies until it is whole.
    temporary: PathBuf,
    /// Where it will lie; errors name this path.
    path: PathBuf,
    /// None once it is finished.
    file: Option<DiskFile>,
    blocks: Vec<BlockEntry>,
    placed: bool,
}

impl CellWriter {
    /// Begins the file.
    ///
    /// # Errors
    /// If it cannot be created.
    pub(crate) fn new(
        disk: &Disk,
        temporary: PathBuf,
        path: PathBuf,
    ) -> Result<CellWriter, StoreError> {
        let file =
            disk.create(&temporary).map_err(|error| StoreError { path: path.clone(), ..error })?;
        let (disk, blocks) = (disk.clone(), Vec::new());
        let mut writer =
            CellWriter { disk, temporary, path, file: Some(file), blocks, placed: false };
        writer.attempt(|file| {
            file.write_all(MAGIC)?;
            // Readers compare it; every hash is that of a block or of the end.
            file.take_digest();
            Ok(())
        })?;
        Ok(writer)
    }

    /// Does something with the file; an error names the run's own path.
    fn attempt<T>(
        &mut self,
        write: impl FnOnce(&mut DiskFile) -> io::Result<T>,
    ) -> Result<T, StoreError> {
        let file = self.file.as_mut().expect("nothing is written to a finished file");
        write(file).map_err(|error| StoreError::new(&self.path, "write", error))
    }

    /// Writes the rows that a table holds as one block; `table` is its position among the tables
    /// of a run. No rows: no block.
    ///
    /// # Errors
    /// If they cannot be written.
    pub(crate) fn block(&mut self, table: usize, rows: &TableBuilder) -> Result<(), StoreError> {
        let count = rows.table().rows();
        if count == 0 {
            return Ok(());
        }
        let entry = self.attempt(|file| {
            let from = file.bytes();
            for (column, &known) in rows.table().columns.iter().zip(rows.known()) {
                write_column(file, &column.data, known)?;
            }
            let sha256 = hex(&file.take_digest());
            let (table, rows) = (table as u64, count as u64);
            Ok(BlockEntry { table, rows, bytes: file.bytes() - from, sha256 })
        })?;
        self.blocks.push(entry);
        Ok(())
    }

    /// Writes what is known at the end of the run and makes the file durable, still under its
    /// temporary name. The same run gives the same bytes.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn finish(
        &mut self,
        run: &RunHash,
        tables: &[&TableBuilder],
        warnings: Vec<WarningEntry>,
        totals: &RunTotals,
    ) -> Result<(), StoreError> {
        let header = Header {
            format: FORMAT.to_owned(),
            run: run.as_str().to_owned(),
            totals: TotalsShape::of(totals),
            warnings,
            tables: tables.iter().map(|table| table_header(table)).collect(),
            blocks: std::mem::take(&mut self.blocks),
        };
        self.attempt(|file| write_trailer(file, &header, totals))?;
        let file = self.file.take().expect("a run is finished once");
        file.finish().map_err(|error| StoreError { path: self.path.clone(), ..error })?;
        Ok(())
    }

    /// Puts the finished file in its place.
    ///
    /// # Errors
    /// If it cannot be renamed.
    pub(crate) fn place(mut self) -> Result<(), StoreError> {
        assert!(self.file.is_none(), "only a finished file is kept");
        self.disk.rename(&self.temporary, &self.path)?;
        self.placed = true;
        Ok(())
    }

    /// Where it will lie.
    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }
}

impl Drop for CellWriter {
    fn drop(&mut self) {
        if !self.placed {
            // What cannot be removed goes with the workspace.
            let _ = self.disk.remove_file(&self.temporary);
        }
    }
}

fn table_header(rows: &TableBuilder) -> TableHeader {
    let column = |(column, &known): (&DataColumn, &usize)| ColumnHeader {
        name: column.name.clone(),
        kind: kind_of(&column.data),
        dictionary: match &column.data {
            ColumnData::Text { dictionary, .. } => dictionary[..known].to_vec(),
            ColumnData::F64(_) | ColumnData::U64(_) => Vec::new(),
        },
    };
    let table = rows.table();
    TableHeader {
        name: table.name.clone(),
        columns: table.columns.iter().zip(rows.known()).map(column).collect(),
    }
}

/// Header, totals, and where all of that begins.
fn write_trailer(file: &mut DiskFile, header: &Header, totals: &RunTotals) -> io::Result<()> {
    let from = file.bytes();
    let header = serde_json::to_vec(header).map_err(io::Error::other)?;
    let length = u32::try_from(header.len())
        .ok()
        .filter(|&length| u64::from(length) <= HEADER_BYTES_MAX)
        .ok_or_else(|| io::Error::other("too many distinct texts in one run"))?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(&header)?;
    let (numbers, counts) = totals::encode(totals);
    write_array(file, &numbers, |value| value.to_le_bytes())?;
    write_array(file, &counts, |value| value.to_le_bytes())?;
    file.write_all(&from.to_le_bytes())?;
    let digest = file.take_digest();
    file.write_all(&digest)
}

fn write_column(file: &mut DiskFile, data: &ColumnData, known: usize) -> io::Result<()> {
    match data {
        ColumnData::F64(values) => write_array(file, values, |value| value.to_le_bytes()),
        ColumnData::U64(values) => write_array(file, values, |value| value.to_le_bytes()),
        ColumnData::Text { dictionary, codes } => {
            let new = &dictionary[known..];
            file.write_all(&length_of(new.len())?)?;
            for text in new {
                file.write_all(&length_of(text.len())?)?;
                file.write_all(text.as_bytes())?;
            }
            write_array(file, codes, |value| value.to_le_bytes())
        }
    }
}

fn length_of(count: usize) -> io::Result<[u8; 4]> {
    let count = u32::try_from(count).map_err(|_| io::Error::other("a text of 4 GiB"))?;
    Ok(count.to_le_bytes())
}

fn write_array<T: Copy, const N: usize>(
    file: &mut DiskFile,
    values: &[T],
    bytes: fn(T) -> [u8; N],
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(CHUNK.min(values.len()) * N);
    for chunk in values.chunks(CHUNK) {
        buffer.clear();
        chunk.iter().for_each(|&value| buffer.extend(bytes(value)));
        file.write_all(&buffer)?;
    }
    Ok(())
}
