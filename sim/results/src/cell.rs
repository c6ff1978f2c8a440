//! The stored form of one run: a file that is either whole or not trusted, and that can be written
//! and read in pieces, so that no run has to fit into memory.
//!
//! Layout: magic `STLRUN5\n`; blocks of rows, in the order in which they filled; the end; SHA-256 of
//! the end. A block is the columns of some rows of one table, one after the other: little-endian
//! f64, u64, or u32 codes. Before the codes of a text column stand the texts that are new in this
//! block (count, then length and bytes of each); codes below count the texts of the header, which
//! the whole file shares. The end is: length of the header, u32; header, JSON (names, shared texts,
//! warnings, and for each block its table, rows, bytes and SHA-256); the totals' numbers and counts;
//! position of the end, u64. Every length is checked against what the file holds before memory is
//! taken.

use crate::columns::{ColumnKind, columns};
use crate::disk::sha256_hex;
use crate::identity::RunHash;
use crate::summary::WarningEntry;
use crate::totals::{self, TotalsShape};
use crate::view::{ColumnData, DataColumn, DataTable};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{Read, Seek, SeekFrom};
use steerlab_engine::record::RunTotals;

pub(crate) const MAGIC: &[u8; 8] = b"STLRUN5\n";
pub(crate) const FORMAT: &str = "steerlab-cell/4";
/// Largest header: names, shared texts, warnings and blocks.
pub(crate) const HEADER_BYTES_MAX: u64 = 256 << 20;
/// Largest block that is read.
const BLOCK_BYTES_MAX: u64 = 64 << 20;
const HASH_BYTES: usize = 32;
/// Bytes of the position of the end, and of the hash.
const TAIL_BYTES: usize = 8 + HASH_BYTES;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) format: String,
    pub(crate) run: String,
    pub(crate) totals: TotalsShape,
    pub(crate) warnings: Vec<WarningEntry>,
    pub(crate) tables: Vec<TableHeader>,
    pub(crate) blocks: Vec<BlockEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableHeader {
    pub(crate) name: String,
    pub(crate) columns: Vec<ColumnHeader>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColumnHeader {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    /// Texts that the whole file shares.
    pub(crate) dictionary: Vec<String>,
}

/// A block: which table, how many rows, how long, which hash. Blocks lie one after the other.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlockEntry {
    pub(crate) table: u64,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// A finished run, opened: what is known at its end. Rows are read block by block.
pub struct StoredRun<R> {
    source: R,
    tables: Vec<TableHeader>,
    blocks: Vec<BlockEntry>,
    /// Warnings, sorted, without duplicates.
    pub warnings: Vec<WarningEntry>,
    /// Its final figures.
    pub totals: RunTotals,
}

/// Some rows of a table that came from blocks.
pub(crate) struct BlockRows {
    /// The rows.
    pub(crate) table: DataTable,
    known: Vec<usize>,
    /// Bytes of the texts that came with the rows.
    pub(crate) text_bytes: usize,
}

impl<R: Read + Seek> StoredRun<R> {
    /// Opens a run of `length` bytes. None: its end is not whole, not of this version, not this
    /// run, or not what was written. Blocks are not looked at: see [`StoredRun::is_whole`].
    #[must_use]
    pub fn open(mut source: R, length: u64, run: &RunHash) -> Option<StoredRun<R>> {
        let mut magic = [0; MAGIC.len()];
        source.read_exact(&mut magic).ok()?;
        let before_tail = length.checked_sub(TAIL_BYTES as u64)?;
        source.seek(SeekFrom::Start(before_tail)).ok()?;
        let mut tail = [0; TAIL_BYTES];
        source.read_exact(&mut tail).ok()?;
        let from = u64::from_le_bytes(tail[..8].try_into().expect("eight bytes"));
        let bytes = before_tail.checked_sub(from)?;
        let longest = HEADER_BYTES_MAX * 2;
        if magic != *MAGIC || from < MAGIC.len() as u64 || bytes > longest {
            return None;
        }
        source.seek(SeekFrom::Start(from)).ok()?;
        let mut end = vec![0; usize::try_from(bytes).ok()? + 8];
        source.read_exact(&mut end).ok()?;
        if Sha256::digest(&end)[..] != tail[8..] {
            return None;
        }
        end.truncate(end.len() - 8);
        let mut input = Input(&end);
        let header_bytes = input.length()?;
        let header: Header = serde_json::from_slice(input.take(header_bytes)?).ok()?;
        if header.format != FORMAT || header.run != run.as_str() {
            return None;
        }
        let numbers = input.array(header.totals.numbers()?, f64::from_le_bytes)?;
        let counts = input.array(totals::COUNTS, u64::from_le_bytes)?;
        let totals = totals::decode(&header.totals, &numbers, &counts)?;
        let Header { warnings, tables, blocks, .. } = header;
        // Nothing lies between the blocks, nor after them.
        let filled = blocks.iter().try_fold(MAGIC.len() as u64, |at, block| {
            let known = block.table < tables.len() as u64;
            at.checked_add(block.bytes).filter(|_| known && block.bytes <= BLOCK_BYTES_MAX)
        });
        let sound = input.0.is_empty() && filled == Some(from) && tables.iter().all(is_ours);
        sound.then_some(StoredRun { source, tables, blocks, warnings, totals })
    }

    /// Names of its tables, in file-name order.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.name.as_str())
    }

    /// Whether every block is what was written. Reads all of them, one at a time.
    pub fn is_whole(&mut self) -> bool {
        (0..self.tables.len()).all(|table| {
            let mut rows = self.no_rows(table);
            self.each_block(table, |run, block, at| {
                rows.clear();
                run.read_block(block, at, &mut rows)
            })
            .is_some()
        })
    }

    /// Calls `visit` with each block of a table and its position in the file, in order. None as
    /// soon as one says so.
    pub(crate) fn each_block(
        &mut self,
        table: usize,
        mut visit: impl FnMut(&mut StoredRun<R>, &BlockEntry, u64) -> Option<()>,
    ) -> Option<()> {
        let mut at = MAGIC.len() as u64;
        for index in 0..self.blocks.len() {
            let block = self.blocks[index].clone();
            if block.table == table as u64 {
                visit(self, &block, at)?;
            }
            at += block.bytes;
        }
        Some(())
    }

    /// An empty table, ready to take blocks.
    pub(crate) fn no_rows(&self, table: usize) -> BlockRows {
        let header = &self.tables[table];
        let specs = columns(&header.name).expect("checked when the run was opened");
        let column = |(column, spec): (&ColumnHeader, &crate::columns::ColumnSpec)| DataColumn {
            name: column.name.clone(),
            meaning: spec.meaning.to_owned(),
            data: match column.kind {
                ColumnKind::F64 => ColumnData::F64(Vec::new()),
                ColumnKind::U64 => ColumnData::U64(Vec::new()),
                ColumnKind::Text => {
                    ColumnData::Text { dictionary: column.dictionary.clone(), codes: Vec::new() }
                }
            },
        };
        BlockRows {
            known: header.columns.iter().map(|column| column.dictionary.len()).collect(),
            table: DataTable {
                name: header.name.clone(),
                columns: header.columns.iter().zip(&specs).map(column).collect(),
            },
            text_bytes: 0,
        }
    }

    /// Appends a block's rows. None: it is not what was written.
    pub(crate) fn read_block(
        &mut self,
        block: &BlockEntry,
        at: u64,
        rows: &mut BlockRows,
    ) -> Option<()> {
        self.source.seek(SeekFrom::Start(at)).ok()?;
        let mut bytes = vec![0; usize::try_from(block.bytes).ok()?];
        self.source.read_exact(&mut bytes).ok()?;
        if sha256_hex(&bytes) != block.sha256 {
            return None;
        }
        let mut input = Input(&bytes);
        for (column, &known) in rows.table.columns.iter_mut().zip(&rows.known) {
            rows.text_bytes += input.column(block.rows, &mut column.data, known)?;
        }
        input.0.is_empty().then_some(())
    }
}

/// Whether a table has the columns that this version writes.
fn is_ours(table: &TableHeader) -> bool {
    columns(&table.name).is_some_and(|specs| {
        let same = |(spec, column): (&crate::columns::ColumnSpec, &ColumnHeader)| {
            spec.name == column.name && spec.kind == column.kind
        };
        specs.len() == table.columns.len() && specs.iter().zip(&table.columns).all(same)
    })
}

impl BlockRows {
    /// Forgets all rows, and the texts that came with them.
    pub(crate) fn clear(&mut self) {
        self.text_bytes = 0;
        for (column, &known) in self.table.columns.iter_mut().zip(&self.known) {
            match &mut column.data {
                ColumnData::F64(values) => values.clear(),
                ColumnData::U64(values) => values.clear(),
                ColumnData::Text { dictionary, codes } => {
                    codes.clear();
                    dictionary.truncate(known);
                }
            }
        }
    }
}

/// What is left of some bytes.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(count)?;
        self.0 = left;
        Some(taken)
    }

    fn length(&mut self) -> Option<usize> {
        let bytes = self.take(4)?.try_into().expect("four bytes");
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    }

    /// The next `count` values, once it is known that there are as many.
    fn values<T, const N: usize>(
        &mut self,
        count: u64,
        value: fn([u8; N]) -> T,
    ) -> Option<impl Iterator<Item = T> + use<'a, T, N>> {
        let bytes = self.take(usize::try_from(count.checked_mul(N as u64)?).ok()?)?;
        let chunks = bytes.chunks_exact(N);
        Some(chunks.map(move |chunk| value(chunk.try_into().expect("chunks of N bytes"))))
    }

    fn array<T, const N: usize>(&mut self, count: u64, value: fn([u8; N]) -> T) -> Option<Vec<T>> {
        Some(self.values(count, value)?.collect())
    }

    /// Appends a column of a block; the bytes of its new texts.
    fn column(&mut self, rows: u64, data: &mut ColumnData, known: usize) -> Option<usize> {
        match data {
            ColumnData::F64(values) => values.extend(self.values(rows, f64::from_le_bytes)?),
            ColumnData::U64(values) => values.extend(self.values(rows, u64::from_le_bytes)?),
            ColumnData::Text { dictionary, codes } => {
                // Texts of earlier blocks lie between the shared ones and those of this block.
                let shift = u32::try_from(dictionary.len() - known).ok()?;
                let mut bytes = 0;
                for _ in 0..self.length()? {
                    let length = self.length()?;
                    let text = std::str::from_utf8(self.take(length)?).ok()?;
                    dictionary.push(text.to_owned());
                    bytes += text.len();
                }
                for code in self.values(rows, u32::from_le_bytes)? {
                    let old = (code as usize) < known;
                    let code = if old { code } else { code.checked_add(shift)? };
                    if code as usize >= dictionary.len() {
                        return None;
                    }
                    codes.push(code);
                }
                return Some(bytes);
            }
        }
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identities;
    use crate::testkit::{self, FakeRegistry, tables_of};
    use proptest::prelude::*;
    use std::io::Cursor;
    use steerlab_engine::record::RunId;
    use steerlab_engine::scenario::ArmId;

    fn sample() -> (RunTotals, RunHash, Vec<u8>) {
        let id = RunId { arm: ArmId(0), replication: 1 };
        testkit::fake_cell(&testkit::scenario(), id)
    }

    /// Whether a file is found to be the run, whole; and then its tables can be read.
    fn whole(bytes: &[u8], run: &RunHash) -> bool {
        let stored = StoredRun::open(Cursor::new(bytes), bytes.len() as u64, run);
        let whole = stored.is_some_and(|mut stored| stored.is_whole());
        assert_eq!(whole, tables_of(run, bytes).is_some());
        whole
    }

    #[test]
    fn what_was_written_is_read() {
        let (totals, run, bytes) = sample();
        assert!(whole(&bytes, &run));
        let stored = StoredRun::open(Cursor::new(&bytes), bytes.len() as u64, &run).unwrap();
        assert_eq!(stored.totals, totals);
        assert_eq!(stored.warnings.len(), 1);
        let tables = tables_of(&run, &bytes).unwrap();
        assert!(tables.iter().all(|table| table.rows() > 0), "nothing tested otherwise");
        assert!(tables.iter().map(|table| table.name.as_str()).eq(crate::columns::RUN_TABLES));
    }

    #[test]
    fn another_run_a_cut_or_any_changed_byte_is_not_trusted() {
        let (_, run, bytes) = sample();
        let scenario = testkit::scenario();
        let other = Identities::new(&scenario)
            .run(&scenario.arms[ArmId(1)], 1, &FakeRegistry::new(1))
            .unwrap();
        assert!(!whole(&bytes, &other), "another run");
        for length in 0..bytes.len() {
            assert!(!whole(&bytes[..length], &run), "cut at {length}");
        }
        let longer = [&bytes[..], b"x"].concat();
        assert!(!whole(&longer, &run), "longer");
        for position in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 0x20;
            assert!(!whole(&changed, &run), "byte {position}");
        }
    }

    /// A file with right hashes but a header of the test's choice.
    fn forged(bytes: &[u8], change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
        let tail = bytes.len() - TAIL_BYTES;
        let from = u64::from_le_bytes(bytes[tail..tail + 8].try_into().unwrap()) as usize;
        let length = u32::from_le_bytes(bytes[from..from + 4].try_into().unwrap()) as usize;
        let after = from + 4 + length;
        let mut header: serde_json::Value =
            serde_json::from_slice(&bytes[from + 4..after]).unwrap();
        change(&mut header);
        let header = serde_json::to_vec(&header).unwrap();
        let mut forged = bytes[..from].to_vec();
        forged.extend((header.len() as u32).to_le_bytes());
        forged.extend(header);
        forged.extend(&bytes[after..bytes.len() - HASH_BYTES]);
        let hash = Sha256::digest(&forged[from..]);
        forged.extend(hash);
        forged
    }

    #[test]
    fn a_forged_header_is_refused_without_panic_or_large_allocation() {
        let (_, run, bytes) = sample();
        assert!(whole(&forged(&bytes, |_| ()), &run), "the forgery itself works");
        let changes: [fn(&mut serde_json::Value); 13] = [
            |header| header["blocks"][3]["rows"] = u64::MAX.into(),
            |header| header["blocks"][3]["rows"] = (1_u64 << 60).into(),
            |header| header["blocks"][3]["rows"] = 0.into(),
            |header| header["blocks"][3]["bytes"] = u64::MAX.into(),
            |header| header["blocks"][3]["bytes"] = (BLOCK_BYTES_MAX + 1).into(),
            |header| header["blocks"][3]["table"] = u64::MAX.into(),
            |header| header["blocks"][3]["sha256"] = "".into(),
            |header| header["totals"]["flows"] = u64::MAX.into(),
            |header| header["totals"]["arcs"] = 0.into(),
            |header| header["tables"][3]["columns"][1]["dictionary"] = serde_json::json!([]),
            |header| header["tables"][3]["name"] = "sites".into(),
            |header| header["tables"][3]["columns"][0]["name"] = "other".into(),
            |header| header["format"] = "steerlab-cell/0".into(),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert!(!whole(&forged(&bytes, change), &run), "change {number}");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(tail in proptest::collection::vec(any::<u8>(), 0..400)) {
            let (_, run, bytes) = sample();
            let mixed = [&bytes[..bytes.len().min(tail.len() * 7)], &tail].concat();
            prop_assert!(!whole(&mixed, &run));
        }
    }
}
