//! Tables as Parquet files, row group by row group: the same bytes for the same values.
//!
//! Numbers are optional columns (no value is null in the file, NaN in memory), whole numbers and
//! text are required. Everything is dictionary-encoded where that pays, and compressed with Snappy.

use crate::columns::{ColumnKind, ColumnSpec};
use crate::view::ColumnData;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use std::io::{self, Write};
use std::sync::Arc;

/// Written into every file; fixed, so that equal tables are equal files.
const CREATED_BY: &str = concat!("steerlab ", env!("CARGO_PKG_VERSION"));
/// Rows written at a time.
const BATCH: usize = 1 << 16;

/// A Parquet file being written.
pub struct ParquetWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Starts a file with these columns.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn new(file: W, name: &str, columns: &[ColumnSpec]) -> io::Result<ParquetWriter<W>> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(CREATED_BY.to_owned())
            // What the footer says of every row group is in memory until the end: no more than
            // readers use of files that are sorted by time.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .build();
        let schema = schema(name, columns).map_err(into_io)?;
        let writer =
            SerializedFileWriter::new(file, schema, Arc::new(properties)).map_err(into_io)?;
        Ok(ParquetWriter { writer })
    }

    /// Appends a row group; a table without rows appends nothing.
    ///
    /// # Errors
    /// If the file cannot be written or the columns are not those of the file.
    pub fn append(&mut self, columns: &[&ColumnData]) -> io::Result<()> {
        if columns.first().is_none_or(|column| column.rows() == 0) {
            return Ok(());
        }
        self.append_group(columns).map_err(into_io)
    }

    fn append_group(&mut self, columns: &[&ColumnData]) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for data in columns {
            let mut column = group
                .next_column()?
                .ok_or_else(|| ParquetError::General("more columns than the file".into()))?;
            write_column(&mut column, data)?;
            column.close()?;
        }
        group.close()?;
        Ok(())
    }

    /// Writes the footer and gives the file back.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(self) -> io::Result<W> {
        self.writer.into_inner().map_err(into_io)
    }
}

/// Writes a column in batches, so that no second copy of a large one is made.
fn write_column(
    column: &mut SerializedColumnWriter<'_>,
    data: &ColumnData,
) -> Result<(), ParquetError> {
    match data {
        ColumnData::F64(values) => {
            for batch in values.chunks(BATCH) {
                let there = |value: &f64| !value.is_nan();
                let levels: Vec<i16> = batch.iter().map(|value| there(value).into()).collect();
                let present: Vec<f64> = batch.iter().copied().filter(there).collect();
                column.typed::<DoubleType>().write_batch(&present, Some(&levels), None)?;
            }
        }
        ColumnData::U64(values) => {
            for batch in values.chunks(BATCH) {
                let signed: Vec<i64> = batch.iter().map(|value| value.cast_signed()).collect();
                column.typed::<Int64Type>().write_batch(&signed, None, None)?;
            }
        }
        ColumnData::Text { dictionary, codes } => {
            let texts: Vec<ByteArray> =
                dictionary.iter().map(|text| text.as_str().into()).collect();
            for batch in codes.chunks(BATCH) {
                let rows: Vec<ByteArray> =
                    batch.iter().map(|&code| texts[code as usize].clone()).collect();
                column.typed::<ByteArrayType>().write_batch(&rows, None, None)?;
            }
        }
    }
    Ok(())
}

impl ColumnData {
    /// Number of values.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            ColumnData::F64(values) => values.len(),
            ColumnData::U64(values) => values.len(),
            ColumnData::Text { codes, .. } => codes.len(),
        }
    }
}

fn schema(name: &str, columns: &[ColumnSpec]) -> Result<TypePtr, ParquetError> {
    let field = |column: &ColumnSpec| {
        let (physical, logical, repetition) = match column.kind {
            ColumnKind::F64 => (Physical::DOUBLE, None, Repetition::OPTIONAL),
            ColumnKind::U64 => {
                let whole = LogicalType::integer(64, false);
                (Physical::INT64, Some(whole), Repetition::REQUIRED)
            }
            ColumnKind::Text => {
                (Physical::BYTE_ARRAY, Some(LogicalType::String), Repetition::REQUIRED)
            }
        };
        Type::primitive_type_builder(column.name, physical)
            .with_logical_type(logical)
            .with_repetition(repetition)
            .build()
            .map(Arc::new)
    };
    let fields = columns.iter().map(field).collect::<Result<_, _>>()?;
    Type::group_type_builder(name).with_fields(fields).build().map(Arc::new)
}

/// The system's own error where there is one below.
fn into_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::columns;
    use crate::parquet_read::TableReader;
    use crate::testkit;
    use crate::view::{DataColumn, DataTable};
    use std::fs::File;
    use steerlab_engine::record::RunId;
    use steerlab_engine::scenario::ArmId;

    /// Reads bytes through a file, as run directories are read.
    fn read_bytes(name: &str, bytes: &[u8]) -> Result<DataTable, String> {
        let dir = testkit::TempDir::new();
        let path = dir.0.join("table");
        std::fs::write(&path, bytes).unwrap();
        TableReader::open(name, File::open(path).unwrap())?.read_all()
    }

    fn tables() -> Vec<DataTable> {
        let id = RunId { arm: ArmId(0), replication: 0 };
        let (_, run, bytes) = testkit::fake_cell(&testkit::scenario(), id);
        testkit::tables_of(&run, &bytes).unwrap()
    }

    fn file(table: &DataTable, groups: usize) -> Vec<u8> {
        let specs = columns(&table.name).unwrap();
        let mut writer = ParquetWriter::new(Vec::new(), &table.name, &specs).unwrap();
        let data: Vec<&ColumnData> = table.columns.iter().map(|column| &column.data).collect();
        (0..groups).for_each(|_| writer.append(&data).unwrap());
        writer.finish().unwrap()
    }

    /// Row by row, with NaN as text, independent of how dictionaries are ordered.
    fn shown(table: &DataTable) -> Vec<String> {
        let cell = |column: &DataColumn, row: usize| match &column.data {
            ColumnData::F64(values) => format!("{:?}", values[row]),
            ColumnData::U64(values) => format!("{}", values[row]),
            ColumnData::Text { dictionary, codes } => dictionary[codes[row] as usize].clone(),
        };
        let line = |row| table.columns.iter().map(|column| cell(column, row) + "|").collect();
        (0..table.rows()).map(line).collect()
    }

    #[test]
    fn every_table_goes_both_ways_and_groups_are_joined() {
        for table in tables() {
            let read = read_bytes(&table.name, &file(&table, 2)).unwrap();
            let names = |table: &DataTable| -> Vec<String> {
                table.columns.iter().map(|column| column.name.clone()).collect()
            };
            assert_eq!(names(&read), names(&table));
            let expected = [shown(&table), shown(&table)].concat();
            assert_eq!(shown(&read), expected, "{}", table.name);
        }
    }

    #[test]
    fn extreme_values_survive() {
        let specs = [
            ColumnSpec { name: "x", kind: ColumnKind::F64, meaning: "" },
            ColumnSpec { name: "n", kind: ColumnKind::U64, meaning: "" },
            ColumnSpec { name: "t", kind: ColumnKind::Text, meaning: "" },
        ];
        let numbers = ColumnData::F64(vec![f64::MAX, -0.0, f64::NAN, 5e-324, f64::INFINITY]);
        let counts = ColumnData::U64(vec![u64::MAX, 0, 1, 1 << 63, 7]);
        let dictionary = vec![String::new(), "ü\n\"".to_owned()];
        let texts = ColumnData::Text { dictionary, codes: vec![0, 1, 1, 0, 1] };
        let mut writer = ParquetWriter::new(Vec::new(), "t", &specs).unwrap();
        writer.append(&[&numbers, &counts, &texts]).unwrap();
        let read = read_bytes("t", &writer.finish().unwrap()).unwrap();
        assert_eq!(format!("{:?}", read.columns[0].data), format!("{numbers:?}"));
        assert_eq!(read.columns[1].data, counts);
        assert_eq!(read.columns[2].data, texts);
    }

    #[test]
    fn a_table_without_rows_keeps_its_columns() {
        let specs = columns("events").unwrap();
        let bytes = ParquetWriter::new(Vec::new(), "events", &specs).unwrap().finish().unwrap();
        let read = read_bytes("events", &bytes).unwrap();
        assert_eq!((read.rows(), read.columns.len()), (0, specs.len()));
    }

    #[test]
    fn equal_tables_are_equal_files() {
        for table in tables() {
            assert_eq!(file(&table, 1), file(&table, 1));
        }
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let table = tables().into_iter().find(|table| table.name == "sites").unwrap();
        let whole = file(&table, 1);
        for length in (0..whole.len()).step_by(7) {
            assert!(read_bytes("sites", &whole[..length]).is_err(), "cut at {length}");
        }
        // A changed byte may give other values (hashes catch that), but never a crash.
        let mut refused = 0;
        for position in 0..whole.len() {
            let mut changed = whole.clone();
            changed[position] ^= 0x41;
            refused += usize::from(read_bytes("sites", &changed).is_err());
        }
        assert!(refused > 0);
    }
}
