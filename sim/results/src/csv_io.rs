//! Tables as CSV, on request.

use crate::parquet_read::TableReader;
use crate::view::{ColumnData, DataTable};
use std::borrow::Cow;
use std::io::{self, Write};

/// Writes a table as CSV (RFC 4180 quoting, one header line, `\n` line ends).
///
/// Numbers are written so that they read back exactly; no value is an empty cell. Text that a
/// spreadsheet would take for a formula (first character `=`, `+`, `-`, `@`, tab or carriage
/// return) gets an apostrophe in front; numbers are left alone.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_csv(table: &DataTable, out: impl Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().from_writer(out);
    write_head(table, &mut writer)?;
    write_rows(table, &mut writer)?;
    writer.flush()
}

/// Writes a Parquet table as CSV, as [`write_csv`] does, a row group at a time.
///
/// # Errors
/// If `out` cannot be written, or a row group cannot be read.
pub fn copy_csv(table: &TableReader, out: impl Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().from_writer(out);
    write_head(&table.no_rows(), &mut writer)?;
    for group in 0..table.groups() {
        write_rows(&table.read_group(group).map_err(io::Error::other)?, &mut writer)?;
    }
    writer.flush()
}

fn write_head(table: &DataTable, writer: &mut csv::Writer<impl Write>) -> io::Result<()> {
    let names = table.columns.iter().map(|column| neutral(&column.name).into_owned());
    Ok(writer.write_record(names)?)
}

fn write_rows(table: &DataTable, writer: &mut csv::Writer<impl Write>) -> io::Result<()> {
    for row in 0..table.rows() {
        for column in &table.columns {
            match &column.data {
                ColumnData::F64(values) => writer.write_field(number(values[row])),
                ColumnData::U64(values) => writer.write_field(values[row].to_string()),
                ColumnData::Text { dictionary, codes } => {
                    writer.write_field(neutral(&dictionary[codes[row] as usize]).as_ref())
                }
            }?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(())
}

/// The shortest text that reads back as the same number; empty for NaN.
fn number(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        String::new()
    } else if size != 0.0 && !(1e-5..1e16).contains(&size) {
        format!("{value:e}")
    } else {
        format!("{value}")
    }
}

/// Text that no spreadsheet takes for a formula.
#[must_use]
pub fn neutral(text: &str) -> Cow<'_, str> {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => Cow::Owned(format!("'{text}")),
        _ => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{TableBuilder, Value};
    use proptest::prelude::*;

    #[test]
    fn formulas_are_neutralised_and_numbers_are_not() {
        let mut table = TableBuilder::new("events");
        for text in ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "a=b", "", "x,\"y\"\nz"] {
            let text = Value::Text(text);
            table.push(&[Value::F64(-1.5), text, text, text, text]);
        }
        let mut out = Vec::new();
        write_csv(&table.finish(), &mut out).unwrap();
        let mut reader = csv::Reader::from_reader(&out[..]);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let labels: Vec<&str> = rows.iter().map(|row| row.get(4).unwrap()).collect();
        let expected = ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "a=b", "", "x,\"y\"\nz"];
        assert_eq!(labels, expected);
        assert!(rows.iter().all(|row| row.get(0) == Some("-1.5")));
    }

    #[test]
    fn no_value_is_an_empty_cell() {
        assert_eq!(number(f64::NAN), "");
        assert_eq!(number(0.1), "0.1");
        assert_eq!(number(1e300), "1e300");
        assert_eq!(number(3.0), "3");
    }

    proptest! {
        #[test]
        fn numbers_read_back_exactly(value in any::<f64>()) {
            prop_assume!(!value.is_nan());
            let read: f64 = number(value).parse().unwrap();
            prop_assert_eq!(read.to_bits(), value.to_bits());
        }
    }
}
