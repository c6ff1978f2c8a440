//! Reads tables back, whole or row group by row group. A file may be hostile: sizes are checked
//! first, and a panic of the Parquet library is caught and told as damage.

use crate::columns::ColumnKind;
use crate::view::{ColumnData, DataColumn, DataTable};
use parquet::basic::Type as Physical;
use parquet::column::reader::ColumnReader;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use std::collections::BTreeMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Largest number of values that are read at a time (4 GiB of numbers).
const VALUES_MAX: u64 = 1 << 29;
/// Largest size of what is read at a time, before compression.
const UNPACKED_BYTES_MAX: u64 = 4 << 30;

/// A table written by [`crate::parquet_io::ParquetWriter`] (or by anything that writes required or
/// optional flat columns of doubles, 64-bit integers and text), read row group by row group.
pub struct TableReader {
    name: String,
    reader: SerializedFileReader<File>,
    columns: Vec<(String, ColumnKind, bool)>,
}

impl TableReader {
    /// Opens a table and checks its columns.
    ///
    /// # Errors
    /// What is wrong with the file, for people.
    pub fn open(name: &str, file: File) -> Result<TableReader, String> {
        caught(|| {
            let reader = SerializedFileReader::new(file).map_err(unreadable)?;
            let fields = reader.metadata().file_metadata().schema_descr().columns().to_vec();
            let mut columns = Vec::new();
            for field in &fields {
                let kind = match field.physical_type() {
                    Physical::DOUBLE => ColumnKind::F64,
                    Physical::INT64 => ColumnKind::U64,
                    Physical::BYTE_ARRAY => ColumnKind::Text,
                    other => return Err(format!("column `{}` has type {other}", field.name())),
                };
                let nested = field.max_rep_level() != 0
                    || field.max_def_level() > 1
                    || field.path().parts().len() != 1;
                if nested {
                    return Err(format!("column `{}` is nested", field.name()));
                }
                columns.push((field.name().to_owned(), kind, field.max_def_level() == 1));
            }
            Ok(TableReader { name: name.to_owned(), reader, columns })
        })
    }

    /// Number of row groups.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.reader.num_row_groups()
    }

    /// Number of rows, as the file says.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let groups = self.reader.metadata().row_groups().iter();
        groups.fold(0, |sum, group| sum.saturating_add(group.num_rows().max(0).unsigned_abs()))
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The columns, without rows.
    #[must_use]
    pub fn no_rows(&self) -> DataTable {
        let columns = self.columns.iter();
        let filling = columns.map(|(name, kind, optional)| Filling::new(name, *kind, *optional));
        DataTable { name: self.name.clone(), columns: filling.map(Filling::finish).collect() }
    }

    /// The rows of one row group.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn read_group(&self, group: usize) -> Result<DataTable, String> {
        caught(|| self.read_groups(group..group + 1))
    }

    /// All rows.
    ///
    /// # Errors
    /// What is wrong with the file, for people; or that it is too large.
    pub fn read_all(&self) -> Result<DataTable, String> {
        caught(|| self.read_groups(0..self.groups()))
    }

    fn read_groups(&self, groups: std::ops::Range<usize>) -> Result<DataTable, String> {
        check_size(self.reader.metadata(), groups.clone())?;
        let filling = |(name, kind, optional): &(String, ColumnKind, bool)| {
            Filling::new(name, *kind, *optional)
        };
        let mut columns: Vec<Filling> = self.columns.iter().map(filling).collect();
        for group in groups {
            let group = self.reader.get_row_group(group).map_err(unreadable)?;
            for (position, column) in columns.iter_mut().enumerate() {
                column.read(group.as_ref(), position)?;
            }
        }
        let columns = columns.into_iter().map(Filling::finish).collect();
        Ok(DataTable { name: self.name.clone(), columns })
    }
}

fn unreadable(error: ParquetError) -> String {
    format!("not a readable Parquet file: {error}")
}

fn caught<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("the Parquet data is damaged".to_owned()))
}

fn check_size(metadata: &ParquetMetaData, groups: std::ops::Range<usize>) -> Result<(), String> {
    let (mut values, mut bytes) = (0_u64, 0_u64);
    for group in &metadata.row_groups()[groups] {
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
