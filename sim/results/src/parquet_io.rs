//! Tables as Parquet files, row group by row group: the same bytes for the same values.
//!
//! Numbers are optional columns (no value is null in the file, NaN in memory), whole numbers and
//! text are required. Everything is dictionary-encoded where that pays, and compressed with Snappy.

use crate::columns::{ColumnKind, ColumnSpec};
use crate::view::{ColumnData, DataColumn, DataTable};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

/// Written into every file; fixed, so that equal tables are equal files.
const CREATED_BY: &str = concat!("steerlab ", env!("CARGO_PKG_VERSION"));
/// Rows written at a time.
const BATCH: usize = 1 << 16;
/// Largest number of values of a table that is read back (4 GiB of numbers).
const VALUES_MAX: u64 = 1 << 29;
/// Largest size of a table before compression.
const UNPACKED_BYTES_MAX: u64 = 4 << 30;

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

/// Reads a table written by [`ParquetWriter`] (or by anything that writes required or optional
/// flat columns of doubles, 64-bit integers and text).
///
/// # Errors
/// What is wrong with the file, for people. The file may be hostile: sizes are checked first, and
/// a panic of the Parquet library is caught and told as damage.
pub fn read_table(name: &str, file: File) -> Result<DataTable, String> {
    let read = std::panic::AssertUnwindSafe(|| read_checked(name, file));
    match std::panic::catch_unwind(read) {
        Ok(result) => result,
        Err(_) => Err("the Parquet data is damaged".to_owned()),
    }
}

fn read_checked(name: &str, file: File) -> Result<DataTable, String> {
    let damaged = |error: ParquetError| format!("not a readable Parquet file: {error}");
    let reader = SerializedFileReader::new(file).map_err(damaged)?;
    check_size(reader.metadata())?;
    let fields = reader.metadata().file_metadata().schema_descr().columns().to_vec();
    let mut columns: Vec<Filling> = Vec::new();
    for field in &fields {
        let kind = match field.physical_type() {
            Physical::DOUBLE => ColumnKind::F64,
            Physical::INT64 => ColumnKind::U64,
            Physical::BYTE_ARRAY => ColumnKind::Text,
            other => return Err(format!("column `{}` has type {other}", field.name())),
        };
        if field.max_rep_level() != 0
            || field.max_def_level() > 1
            || field.path().parts().len() != 1
        {
            return Err(format!("column `{}` is nested", field.name()));
        }
        columns.push(Filling::new(field.name(), kind, field.max_def_level() == 1));
    }
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(damaged)?;
        for (position, column) in columns.iter_mut().enumerate() {
            column.read(group.as_ref(), position)?;
        }
    }
    let columns = columns.into_iter().map(Filling::finish).collect();
    Ok(DataTable { name: name.to_owned(), columns })
}

fn check_size(metadata: &ParquetMetaData) -> Result<(), String> {
    let (mut values, mut bytes) = (0_u64, 0_u64);
    for group in metadata.row_groups() {
        let rows = u64::try_from(group.num_rows()).map_err(|_| "negative row count")?;
        values = values.saturating_add(rows.saturating_mul(group.num_columns() as u64));
        for column in group.columns() {
            // The library asserts that these are not negative.
            let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
            if start < 0 || column.data_page_offset() < 0 || column.compressed_size() < 0 {
                return Err("a column lies outside the file".to_owned());
            }
            let size = u64::try_from(column.uncompressed_size()).map_err(|_| "negative size")?;
            bytes = bytes.saturating_add(size);
        }
    }
    if values > VALUES_MAX {
        return Err(format!("{values} values; at most {VALUES_MAX} are read"));
    }
    if bytes > UNPACKED_BYTES_MAX {
        return Err(format!("{bytes} bytes unpacked; at most {UNPACKED_BYTES_MAX} are read"));
    }
    Ok(())
}

/// A column while it is read.
struct Filling {
    name: String,
    optional: bool,
    data: ColumnData,
    index: BTreeMap<Vec<u8>, u32>,
}

impl Filling {
    fn new(name: &str, kind: ColumnKind, optional: bool) -> Filling {
        let data = match kind {
            ColumnKind::F64 => ColumnData::F64(Vec::new()),
            ColumnKind::U64 => ColumnData::U64(Vec::new()),
            ColumnKind::Text => ColumnData::Text { dictionary: Vec::new(), codes: Vec::new() },
        };
        Filling { name: name.to_owned(), optional, data, index: BTreeMap::new() }
    }

    /// Appends one row group's values. [`check_size`] has bounded the number of rows.
    fn read(&mut self, group: &dyn RowGroupReader, position: usize) -> Result<(), String> {
        let rows =
            usize::try_from(group.metadata().num_rows()).map_err(|_| "negative row count")?;
        let name = &self.name;
        let damaged = |error: ParquetError| format!("column `{name}`: {error}");
        let reader = group.get_column_reader(position).map_err(damaged)?;
        match (reader, &mut self.data) {
            (ColumnReader::DoubleColumnReader(reader), ColumnData::F64(values)) => {
                let (present, levels) = records(reader, rows, self.optional).map_err(damaged)?;
                values.extend(spread(present, levels, rows, f64::NAN, name)?);
            }
            (ColumnReader::Int64ColumnReader(reader), ColumnData::U64(values)) => {
                let (present, levels) = records(reader, rows, self.optional).map_err(damaged)?;
                let all = spread(present, levels, rows, 0, name)?;
                values.extend(all.into_iter().map(i64::cast_unsigned));
            }
            (
                ColumnReader::ByteArrayColumnReader(reader),
                ColumnData::Text { dictionary, codes },
            ) => {
                let (present, levels) = records(reader, rows, self.optional).map_err(damaged)?;
                for text in spread(present, levels, rows, ByteArray::from(""), name)? {
                    codes.push(code_of(text.data(), dictionary, &mut self.index, name)?);
                }
            }
            _ => return Err(format!("column `{name}` changes its type")),
        }
        Ok(())
    }

    fn finish(self) -> DataColumn {
        DataColumn { name: self.name, meaning: String::new(), data: self.data }
    }
}

fn code_of(
    text: &[u8],
    dictionary: &mut Vec<String>,
    index: &mut BTreeMap<Vec<u8>, u32>,
    name: &str,
) -> Result<u32, String> {
    if let Some(&code) = index.get(text) {
        return Ok(code);
    }
    let value = std::str::from_utf8(text).map_err(|_| format!("column `{name}` is not UTF-8"))?;
    let code = u32::try_from(dictionary.len()).map_err(|_| "too many distinct texts")?;
    dictionary.push(value.to_owned());
    index.insert(text.to_vec(), code);
    Ok(code)
}

type Records<T> = (Vec<T>, Option<Vec<i16>>);

/// The values that are there, and for an optional column which rows have one.
fn records<D: parquet::data_type::DataType>(
    mut reader: parquet::column::reader::ColumnReaderImpl<D>,
    rows: usize,
    optional: bool,
) -> Result<Records<D::T>, ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let mut read = 0;
    while read < rows {
        let definition = optional.then_some(&mut levels);
        let (now, _, _) = reader.read_records(rows - read, definition, None, &mut values)?;
        if now == 0 {
            break;
        }
        read += now;
    }
    Ok((values, optional.then_some(levels)))
}

/// One value a row, `absent` where there is none.
fn spread<T: Clone>(
    present: Vec<T>,
    levels: Option<Vec<i16>>,
    rows: usize,
    absent: T,
    name: &str,
) -> Result<Vec<T>, String> {
    let short = || format!("column `{name}` holds other than {rows} rows");
    let Some(levels) = levels else {
        return if present.len() == rows { Ok(present) } else { Err(short()) };
    };
    let mut present = present.into_iter();
    let mut all = Vec::with_capacity(levels.len());
    for level in &levels {
        all.push(if *level == 1 { present.next().ok_or_else(short)? } else { absent.clone() });
    }
    if all.len() == rows && present.next().is_none() { Ok(all) } else { Err(short()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::columns;
    use crate::testkit;
    use steerlab_engine::record::RunId;
    use steerlab_engine::scenario::ArmId;

    /// Reads bytes through a file, as run directories are read.
    fn read_bytes(name: &str, bytes: &[u8]) -> Result<DataTable, String> {
        let dir = testkit::TempDir::new();
        let path = dir.0.join("table");
        std::fs::write(&path, bytes).unwrap();
        read_table(name, File::open(path).unwrap())
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
