//! The table as a Parquet file, column by column.

use super::table::TableBuilder;
use super::{COLUMNS, FORMAT, MAX_CELLS, RecordedMatrix};
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Rows of one row group when writing.
const ROWS_PER_GROUP: usize = 1 << 20;

/// Rows read at a time.
const ROWS_PER_BATCH: usize = 1 << 14;

/// Most bytes a column of a row group may unfold to.
const MAX_CHUNK_BYTES: i64 = 1 << 30;

pub(super) fn write(matrix: &RecordedMatrix) -> ParquetResult<Vec<u8>> {
    let width = matrix.pairs.len();
    let rows: Vec<usize> = (0..matrix.rates_bps.len())
        .filter(|&cell| cell < width || cell % width == 0 || matrix.rates_bps[cell] != 0.0)
        .collect();
    let schema = Arc::new(schema()?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties()))?;
    for rows in rows.chunks(ROWS_PER_GROUP) {
        let mut group = writer.next_row_group()?;
        let times: Vec<i64> = rows.iter().map(|row| matrix.times[row / width].0 as i64).collect();
        write_column::<Int64Type>(&mut group, &times)?;
        let name = |text: &String| ByteArray::from(text.as_bytes().to_vec());
        let from: Vec<ByteArray> = matrix.pairs.iter().map(|pair| name(&pair.0)).collect();
        let to: Vec<ByteArray> = matrix.pairs.iter().map(|pair| name(&pair.1)).collect();
        for names in [from, to] {
            let column: Vec<ByteArray> =
                rows.iter().map(|row| names[row % width].clone()).collect();
            write_column::<ByteArrayType>(&mut group, &column)?;
        }
        let rates: Vec<f64> = rows.iter().map(|&row| matrix.rates_bps[row]).collect();
        write_column::<DoubleType>(&mut group, &rates)?;
        group.close()?;
    }
    writer.into_inner()
}

fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
) -> ParquetResult<()> {
    let mut column = group.next_column()?.expect("the schema has four columns");
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

fn schema() -> ParquetResult<Type> {
    let field = |name: &str, physical, logical| -> ParquetResult<TypePtr> {
        let builder = Type::primitive_type_builder(name, physical);
        let builder = builder.with_repetition(Repetition::REQUIRED);
        Ok(Arc::new(builder.with_logical_type(logical).build()?))
    };
    let fields = vec![
        field(COLUMNS[0], Physical::INT64, None)?,
        field(COLUMNS[1], Physical::BYTE_ARRAY, Some(LogicalType::String))?,
        field(COLUMNS[2], Physical::BYTE_ARRAY, Some(LogicalType::String))?,
        field(COLUMNS[3], Physical::DOUBLE, None)?,
    ];
    Type::group_type_builder("matrix").with_fields(fields).build()
}

/// Fixed properties: nothing here may depend on the machine, the time or the library's version.
fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_created_by("steerlab".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(true)
        .set_column_dictionary_enabled(ColumnPath::from(COLUMNS[3]), false)
        // Rates measured in whole bit/s end in zero bytes: kept apart, those cost nothing.
        .set_column_encoding(ColumnPath::from(COLUMNS[3]), Encoding::BYTE_STREAM_SPLIT)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(vec![KeyValue::new("format".to_owned(), FORMAT.to_owned())]))
        .build()
}

pub(super) fn read(bytes: &[u8], table: &mut TableBuilder) -> Result<(), String> {
    // The library panics on some damaged pages (seen with random bytes changed); such a panic means
    // that the file is damaged and nothing else.
    let outcome = catch_unwind(AssertUnwindSafe(|| read_groups(bytes, table)));
    outcome.unwrap_or_else(|_| Err("the Parquet file is damaged".to_owned()))
}

fn read_groups(bytes: &[u8], table: &mut TableBuilder) -> Result<(), String> {
    let file = SerializedFileReader::new(Bytes::copy_from_slice(bytes)).map_err(damaged)?;
    check_metadata(file.metadata())?;
    let mut first_row = 0;
    for number in 0..file.num_row_groups() {
        let group = file.get_row_group(number).map_err(damaged)?;
        first_row += read_group(group.as_ref(), first_row, table)?;
    }
    Ok(())
}

fn damaged(error: impl std::fmt::Display) -> String {
    format!(
        "the Parquet file is damaged or uses a feature not supported here (only Snappy compression \
         is): {error}"
    )
}

/// Schema, sizes and format before any page is touched.
fn check_metadata(metadata: &ParquetMetaData) -> Result<(), String> {
    let file = metadata.file_metadata();
    let wanted = [Physical::INT64, Physical::BYTE_ARRAY, Physical::BYTE_ARRAY, Physical::DOUBLE];
    let columns = file.schema_descr().columns();
    let fits = columns.len() == COLUMNS.len()
        && columns.iter().zip(COLUMNS.iter().zip(wanted)).all(|(column, (name, physical))| {
            column.path().parts() == [(*name).to_owned()]
                && column.physical_type() == physical
                && column.max_rep_level() == 0
                && column.max_def_level() <= 1
        });
    if !fits {
        return Err("the columns of a matrix file are time_ns (INT64), from, to (text) and \
                    rate_bps (DOUBLE), in this order"
            .to_owned());
    }
    let format = file.key_value_metadata().into_iter().flatten().find(|pair| pair.key == "format");
    if let Some(other) = format.filter(|pair| pair.value.as_deref() != Some(FORMAT)) {
        let value = other.value.as_deref().unwrap_or("");
        return Err(format!("the file's format is '{value}', not '{FORMAT}'"));
    }
    let mut rows = 0_i64;
    for group in metadata.row_groups() {
        rows = rows.saturating_add(group.num_rows().max(0));
        for column in group.columns() {
            let offsets = [Some(column.data_page_offset()), column.dictionary_page_offset()];
            let sizes = [column.compressed_size(), column.uncompressed_size()];
            if offsets.into_iter().flatten().chain(sizes).any(|number| number < 0) {
                return Err(damaged("a negative offset or size"));
            }
            if sizes[1] > MAX_CHUNK_BYTES {
                return Err(format!("a column unfolds to more than {MAX_CHUNK_BYTES} bytes"));
            }
        }
    }
    if rows as u64 > MAX_CELLS as u64 {
        return Err(format!("{rows} rows, more than {MAX_CELLS}"));
    }
    Ok(())
}

/// Reads one row group in batches and returns its number of rows.
fn read_group(
    group: &dyn RowGroupReader,
    first_row: usize,
    table: &mut TableBuilder,
) -> Result<usize, String> {
    let column = |index| group.get_column_reader(index).map_err(damaged);
    let (ColumnReader::Int64ColumnReader(times), ColumnReader::ByteArrayColumnReader(from)) =
        (column(0)?, column(1)?)
    else {
        return Err(damaged("column types differ from the schema"));
    };
    let (ColumnReader::ByteArrayColumnReader(to), ColumnReader::DoubleColumnReader(rates)) =
        (column(2)?, column(3)?)
    else {
        return Err(damaged("column types differ from the schema"));
    };
    let (mut times, mut from, mut to, mut rates) =
        (Column::new(times), Column::new(from), Column::new(to), Column::new(rates));
    let mut rows = 0;
    loop {
        let read = times.fill()?;
        if from.fill()? != read || to.fill()? != read || rates.fill()? != read {
            return Err(damaged("its columns differ in length"));
        }
        if read == 0 {
            return Ok(rows);
        }
        for index in 0..read {
            let row = first_row + rows + index + 1;
            let place = || format!("row {row}");
            let text = |value: &ByteArray| {
                std::str::from_utf8(value.data()).map(str::to_owned).map_err(damaged)
            };
            let (from, to) = (text(&from.values[index])?, text(&to.values[index])?);
            table.push(times.values[index], &from, &to, rates.values[index], &place)?;
        }
        rows += read;
    }
}

/// One column and its current batch.
struct Column<T: DataType> {
    reader: ColumnReaderImpl<T>,
    values: Vec<T::T>,
    levels: Vec<i16>,
}

impl<T: DataType> Column<T> {
    fn new(reader: ColumnReaderImpl<T>) -> Self {
        Column { reader, values: Vec::new(), levels: Vec::new() }
    }

    /// Reads the next batch and returns its length; 0 at the end. Nulls are refused.
    fn fill(&mut self) -> Result<usize, String> {
        self.values.clear();
        self.levels.clear();
        let levels = Some(&mut self.levels);
        let (records, values, _) = self
            .reader
            .read_records(ROWS_PER_BATCH, levels, None, &mut self.values)
            .map_err(damaged)?;
        if records != values {
            return Err("a value is missing (null); a matrix file has every value".to_owned());
        }
        Ok(records)
    }
}
