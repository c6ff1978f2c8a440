//! The cached form of one finished run: a compact file that is either whole or not trusted.
//!
//! Layout: magic `STLRUN1\n`; length of the header, u32; header, JSON (names, row counts,
//! dictionaries, warnings); then little-endian arrays: the totals' numbers and counts, every
//! column in order (f64, u64, or u32 codes); SHA-256 of all that comes before. Reading checks
//! every length against what is left of the file before it allocates, and the hash at the end.

use crate::columns::{ColumnKind, kind_of, matches_spec};
use crate::disk::DiskFile;
use crate::identity::RunHash;
use crate::recorder::RunData;
use crate::summary::WarningEntry;
use crate::totals::{self, TotalsShape};
use crate::view::{ColumnData, DataColumn, DataTable};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};
use steerlab_engine::record::RunTotals;

const MAGIC: &[u8; 8] = b"STLRUN1\n";
const FORMAT: &str = "steerlab-cell/3";
const HASH_BYTES: u64 = 32;
/// Largest header: names, dictionaries and warnings.
const HEADER_BYTES_MAX: u64 = 256 << 20;
/// Values converted at a time.
const CHUNK: usize = 8192;

/// One finished run.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Its tables and warnings.
    pub data: RunData,
    /// Its final figures.
    pub totals: RunTotals,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    run: String,
    totals: TotalsShape,
    warnings: Vec<WarningEntry>,
    tables: Vec<TableHeader>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableHeader {
    name: String,
    rows: u64,
    columns: Vec<ColumnHeader>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnHeader {
    name: String,
    kind: ColumnKind,
    dictionary: Vec<String>,
}

impl Cell {
    /// Writes the run. The same run gives the same bytes.
    ///
    /// # Errors
    /// What the file says.
    pub fn write(&self, run: &RunHash, file: &mut DiskFile) -> io::Result<()> {
        let header = serde_json::to_vec(&self.header(run)).map_err(io::Error::other)?;
        let length = u32::try_from(header.len())
            .ok()
            .filter(|&length| u64::from(length) <= HEADER_BYTES_MAX)
            .ok_or_else(|| io::Error::other("too many distinct texts in one run"))?;
        file.write_all(MAGIC)?;
        file.write_all(&length.to_le_bytes())?;
        file.write_all(&header)?;
        let (numbers, counts) = totals::encode(&self.totals);
        write_array(file, &numbers, |value| value.to_le_bytes())?;
        write_array(file, &counts, |value| value.to_le_bytes())?;
        for column in self.data.tables.iter().flat_map(|table| &table.columns) {
            match &column.data {
                ColumnData::F64(values) => write_array(file, values, |value| value.to_le_bytes()),
                ColumnData::U64(values) => write_array(file, values, |value| value.to_le_bytes()),
                ColumnData::Text { codes, .. } => {
                    write_array(file, codes, |value| value.to_le_bytes())
                }
            }?;
        }
        let digest = file.digest();
        file.write_all(&digest)
    }

    fn header(&self, run: &RunHash) -> Header {
        let column = |column: &DataColumn| ColumnHeader {
            name: column.name.clone(),
            kind: kind_of(&column.data),
            dictionary: match &column.data {
                ColumnData::Text { dictionary, .. } => dictionary.clone(),
                ColumnData::F64(_) | ColumnData::U64(_) => Vec::new(),
            },
        };
        let table = |table: &DataTable| TableHeader {
            name: table.name.clone(),
            rows: table.rows() as u64,
            columns: table.columns.iter().map(column).collect(),
        };
        Header {
            format: FORMAT.to_owned(),
            run: run.as_str().to_owned(),
            totals: TotalsShape::of(&self.totals),
            warnings: self.data.warnings.clone(),
            tables: self.data.tables.iter().map(table).collect(),
        }
    }

    /// Reads a run from `length` bytes. None: it is not whole, not of this version, not this run,
    /// or not what was written; nothing of it is to be trusted.
    #[must_use]
    pub fn read(source: impl Read, length: u64, run: &RunHash) -> Option<Cell> {
        let left = length.checked_sub(HASH_BYTES)?;
        let mut input = Input { source, left, hash: Sha256::new() };
        let mut magic = [0; 8];
        input.fill(&mut magic)?;
        let mut header_length = [0; 4];
        input.fill(&mut header_length)?;
        let header_length = u64::from(u32::from_le_bytes(header_length));
        if magic != *MAGIC || header_length > HEADER_BYTES_MAX {
            return None;
        }
        let header: Vec<u8> = input.array(header_length, |[byte]: [u8; 1]| byte)?;
        let header: Header = serde_json::from_slice(&header).ok()?;
        if header.format != FORMAT || header.run != run.as_str() {
            return None;
        }
        let numbers = input.array(header.totals.numbers()?, f64::from_le_bytes)?;
        let counts = input.array(totals::COUNTS, u64::from_le_bytes)?;
        let totals = totals::decode(&header.totals, &numbers, &counts)?;
        let mut tables = Vec::new();
        for table in header.tables {
            tables.push(input.table(table)?);
        }
        let data = RunData { tables, warnings: header.warnings };
        input.verify().then_some(Cell { data, totals })
    }
}

fn write_array<T: Copy, const N: usize>(
    file: &mut DiskFile,
    values: &[T],
    bytes: fn(T) -> [u8; N],
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(CHUNK * N);
    for chunk in values.chunks(CHUNK) {
        buffer.clear();
        chunk.iter().for_each(|&value| buffer.extend(bytes(value)));
        file.write_all(&buffer)?;
    }
    Ok(())
}

/// A file being read: how much is left, and the hash so far.
struct Input<R> {
    source: R,
    left: u64,
    hash: Sha256,
}

impl<R: Read> Input<R> {
    fn fill(&mut self, buffer: &mut [u8]) -> Option<()> {
        self.left = self.left.checked_sub(buffer.len() as u64)?;
        self.source.read_exact(buffer).ok()?;
        self.hash.update(&*buffer);
        Some(())
    }

    /// Reads `count` values, after checking that the file holds as many.
    fn array<T, const N: usize>(&mut self, count: u64, value: fn([u8; N]) -> T) -> Option<Vec<T>> {
        if count.checked_mul(N as u64)? > self.left {
            return None;
        }
        let mut rest = usize::try_from(count).ok()?;
        let mut values = Vec::with_capacity(rest);
        let mut buffer = vec![0; CHUNK.min(rest) * N];
        while rest > 0 {
            let now = CHUNK.min(rest);
            self.fill(&mut buffer[..now * N])?;
            let chunks = buffer[..now * N].chunks_exact(N);
            values.extend(chunks.map(|chunk| value(chunk.try_into().expect("chunks of N bytes"))));
            rest -= now;
        }
        Some(values)
    }

    fn table(&mut self, header: TableHeader) -> Option<DataTable> {
        let specs = crate::columns::columns(&header.name)?;
        let mut columns = Vec::new();
        for column in header.columns {
            let data = match column.kind {
                ColumnKind::F64 => ColumnData::F64(self.array(header.rows, f64::from_le_bytes)?),
                ColumnKind::U64 => ColumnData::U64(self.array(header.rows, u64::from_le_bytes)?),
                ColumnKind::Text => {
                    let codes = self.array(header.rows, u32::from_le_bytes)?;
                    let dictionary = column.dictionary;
                    if codes.iter().any(|&code| code as usize >= dictionary.len()) {
                        return None;
                    }
                    ColumnData::Text { dictionary, codes }
                }
            };
            let spec = specs.get(columns.len())?;
            columns.push(DataColumn { name: column.name, meaning: spec.meaning.to_owned(), data });
        }
        let table = DataTable { name: header.name, columns };
        matches_spec(&table).then_some(table)
    }

    /// Whether nothing but the hash is left, and it is the right one.
    fn verify(mut self) -> bool {
        let mut stored = [0; HASH_BYTES as usize];
        self.left == 0
            && self.source.read_exact(&mut stored).is_ok()
            && self.hash.finalize()[..] == stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;
    use crate::identity::Identities;
    use crate::testkit::{self, FakeRegistry, TempDir};
    use proptest::prelude::*;
    use steerlab_engine::record::RunId;
    use steerlab_engine::scenario::ArmId;

    fn sample() -> (Cell, RunHash, Vec<u8>) {
        let scenario = testkit::scenario();
        let id = RunId { arm: ArmId(0), replication: 1 };
        let cell = testkit::fake_cell(&scenario, id);
        let registry = FakeRegistry::new(1);
        let run = Identities::new(&scenario).run(&scenario.arms[id.arm], 1, &registry).unwrap();
        let bytes = bytes(&cell, &run);
        (cell, run, bytes)
    }

    fn bytes(cell: &Cell, run: &RunHash) -> Vec<u8> {
        let dir = TempDir::new();
        let path = dir.0.join("cell");
        let mut file = Disk::default().create(&path).unwrap();
        cell.write(run, &mut file).unwrap();
        file.finish().unwrap();
        std::fs::read(&path).unwrap()
    }

    fn read(bytes: &[u8], run: &RunHash) -> Option<Cell> {
        Cell::read(bytes, bytes.len() as u64, run)
    }

    /// Text of all values: NaN is not equal to itself, but prints the same.
    fn shown(cell: &Cell) -> String {
        format!("{cell:?}")
    }

    #[test]
    fn what_was_written_is_read() {
        let (cell, run, bytes) = sample();
        let read = read(&bytes, &run).expect("a whole cell");
        assert_eq!(shown(&read), shown(&cell));
        assert_eq!(read.totals, cell.totals);
        assert!(read.data.tables.iter().all(|table| table.rows() > 0), "nothing tested otherwise");
    }

    #[test]
    fn another_run_a_cut_or_any_changed_byte_is_not_trusted() {
        let (_, run, bytes) = sample();
        let scenario = testkit::scenario();
        let other = Identities::new(&scenario)
            .run(&scenario.arms[ArmId(1)], 1, &FakeRegistry::new(1))
            .unwrap();
        assert!(read(&bytes, &other).is_none(), "another run");
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length], &run).is_none(), "cut at {length}");
        }
        let longer = [&bytes[..], b"x"].concat();
        assert!(read(&longer, &run).is_none(), "longer");
        for position in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 0x20;
            assert!(read(&changed, &run).is_none(), "byte {position}");
        }
    }

    /// A file with a right hash but a header of the test's choice.
    fn forged(bytes: &[u8], change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
        let length = u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize;
        let mut header: serde_json::Value =
            serde_json::from_slice(&bytes[12..12 + length]).unwrap();
        change(&mut header);
        let header = serde_json::to_vec(&header).unwrap();
        let mut forged = MAGIC.to_vec();
        forged.extend((header.len() as u32).to_le_bytes());
        forged.extend(header);
        forged.extend(&bytes[12 + length..bytes.len() - HASH_BYTES as usize]);
        let hash = Sha256::digest(&forged);
        forged.extend(hash);
        forged
    }

    #[test]
    fn a_forged_header_is_refused_without_panic_or_large_allocation() {
        let (_, run, bytes) = sample();
        assert!(read(&forged(&bytes, |_| ()), &run).is_some(), "the forgery itself works");
        let changes: [fn(&mut serde_json::Value); 8] = [
            |header| header["tables"][3]["rows"] = u64::MAX.into(),
            |header| header["tables"][3]["rows"] = (1_u64 << 60).into(),
            |header| header["totals"]["flows"] = u64::MAX.into(),
            |header| header["totals"]["arcs"] = 0.into(),
            |header| header["tables"][3]["columns"][1]["dictionary"] = serde_json::json!([]),
            |header| header["tables"][3]["name"] = "sites".into(),
            |header| header["tables"][3]["columns"][0]["name"] = "other".into(),
            |header| header["format"] = "steerlab-cell/0".into(),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert!(read(&forged(&bytes, change), &run).is_none(), "change {number}");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(tail in proptest::collection::vec(any::<u8>(), 0..400)) {
            let (_, run, bytes) = sample();
            let mixed = [&bytes[..bytes.len().min(tail.len() * 7)], &tail].concat();
            prop_assert!(read(&mixed, &run).is_none());
        }
    }
}
