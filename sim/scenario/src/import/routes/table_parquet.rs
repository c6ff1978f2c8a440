//! The table of observed routes as Parquet: the columns of the CSV form, `format` and `source` as
//! key-value pairs. What a route does not have is null.

use super::RouteSink;
use super::observation::{RouteObservation, RouteOrigin};
use super::table::{COLUMNS, ROUTES_FORMAT, RoutesHead, communities};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use std::io::{self, Write};
use std::sync::Arc;

/// Rows of one row group: what is kept in memory.
const ROWS_PER_GROUP: usize = 1 << 17;

/// Which columns are numbers and which may be absent.
const NUMBERS: [&str; 4] = ["time_us", "peer_asn", "med", "local_pref"];
const OPTIONAL: [&str; 4] = ["origin", "med", "local_pref", "next_hop"];

/// Writes rows as Parquet, a group at a time.
pub struct ParquetRoutes<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    rows: Vec<RouteObservation>,
}

impl<W: Write + Send> ParquetRoutes<W> {
    /// Writes the head.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(out: W, head: &RoutesHead) -> io::Result<ParquetRoutes<W>> {
        let schema = schema().map_err(io::Error::other)?;
        let properties = Arc::new(properties(head));
        let writer = SerializedFileWriter::new(out, Arc::new(schema), properties);
        Ok(ParquetRoutes { writer: writer.map_err(io::Error::other)?, rows: Vec::new() })
    }

    /// Writes what is left, and the foot; gives what was written to.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush().map_err(io::Error::other)?;
        self.writer.into_inner().map_err(io::Error::other)
    }

    fn flush(&mut self) -> ParquetResult<()> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        let text = |text: String| Some(ByteArray::from(text.into_bytes()));
        let number = |number: Option<u32>| number.map(i64::from);
        column::<Int64Type, _>(&mut group, &rows, false, |row| i64::try_from(row.time_us).ok())?;
        column::<Int64Type, _>(&mut group, &rows, false, |row| number(Some(row.peer_asn)))?;
        column::<ByteArrayType, _>(&mut group, &rows, false, |r| text(r.peer_address.to_string()))?;
        column::<ByteArrayType, _>(&mut group, &rows, false, |r| text(r.prefix.to_string()))?;
        column::<ByteArrayType, _>(&mut group, &rows, false, |r| text(r.kind.name().to_owned()))?;
        column::<ByteArrayType, _>(&mut group, &rows, false, |r| text(r.as_path.to_string()))?;
        column::<ByteArrayType, _>(&mut group, &rows, true, |row| {
            row.origin.map(RouteOrigin::name).map(ByteArray::from)
        })?;
        column::<Int64Type, _>(&mut group, &rows, true, |row| number(row.med))?;
        column::<Int64Type, _>(&mut group, &rows, true, |row| number(row.local_pref))?;
        column::<ByteArrayType, _>(&mut group, &rows, false, |row| text(communities(row)))?;
        column::<ByteArrayType, _>(&mut group, &rows, true, |row| {
            row.next_hop.and_then(|next_hop| text(next_hop.to_string()))
        })?;
        group.close()?;
        Ok(())
    }
}

impl<W: Write + Send> RouteSink for ParquetRoutes<W> {
    fn take(&mut self, row: &RouteObservation) -> io::Result<()> {
        self.rows.push(row.clone());
        if self.rows.len() == ROWS_PER_GROUP {
            self.flush().map_err(io::Error::other)?;
        }
        Ok(())
    }
}

/// Writes one column; `value` gives none only where the column is optional.
fn column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    rows: &[RouteObservation],
    optional: bool,
    value: impl Fn(&RouteObservation) -> Option<T::T>,
) -> ParquetResult<()> {
    let mut column = group.next_column()?.expect("the schema has as many columns");
    let mut values = Vec::with_capacity(rows.len());
    let mut present = Vec::with_capacity(rows.len());
    for row in rows {
        let value = value(row);
        present.push(i16::from(value.is_some()));
        values.extend(value);
    }
    let levels = optional.then_some(present.as_slice());
    column.typed::<T>().write_batch(&values, levels, None)?;
    column.close()
}

fn schema() -> ParquetResult<Type> {
    let field = |name: &&str| {
        let number = NUMBERS.contains(name);
        let physical = if number { Physical::INT64 } else { Physical::BYTE_ARRAY };
        let logical = (!number).then_some(LogicalType::String);
        let optional = OPTIONAL.contains(name);
        let repetition = if optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let builder = Type::primitive_type_builder(name, physical).with_repetition(repetition);
        Ok(Arc::new(builder.with_logical_type(logical).build()?))
    };
    let fields = COLUMNS.iter().map(field).collect::<ParquetResult<Vec<_>>>()?;
    Type::group_type_builder("routes").with_fields(fields).build()
}

/// Fixed properties: nothing here may depend on the machine, the time or the library's version.
fn properties(head: &RoutesHead) -> WriterProperties {
    let pair = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
    WriterProperties::builder()
        .set_created_by("steerlab".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(true)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(vec![
            pair("format", ROUTES_FORMAT),
            pair("source", &head.source),
        ]))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::routes::{ObservedPath, PathSegment, Prefix, RouteKind};
    use bytes::Bytes;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    #[test]
    fn what_is_absent_is_null_and_every_row_is_there() {
        let bare = RouteObservation {
            time_us: 5,
            peer_asn: u32::MAX,
            peer_address: "192.0.2.1".parse().unwrap(),
            prefix: Prefix::parse("198.51.100.0/24").unwrap(),
            kind: RouteKind::Withdraw,
            as_path: ObservedPath::default(),
            origin: None,
            med: None,
            local_pref: None,
            communities: Vec::new(),
            next_hop: None,
        };
        let full = RouteObservation {
            kind: RouteKind::Announce,
            as_path: ObservedPath(vec![PathSegment::Set(vec![1, 2])]),
            origin: Some(RouteOrigin::Egp),
            med: Some(0),
            next_hop: Some("2001:db8::1".parse().unwrap()),
            ..bare.clone()
        };
        let head = RoutesHead::of("folder/some\nfile.gz");
        let mut routes = ParquetRoutes::new(Vec::new(), &head).unwrap();
        // One group and a row more.
        for index in 0..=ROWS_PER_GROUP {
            routes.take(if index % 2 == 0 { &bare } else { &full }).unwrap();
        }
        let bytes = routes.finish().unwrap();
        let file = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
        let metadata = file.metadata().file_metadata();
        assert_eq!(metadata.num_rows() as usize, ROWS_PER_GROUP + 1);
        let pairs = metadata.key_value_metadata().unwrap();
        let pairs: Vec<&str> = pairs.iter().filter_map(|pair| pair.value.as_deref()).collect();
        assert_eq!(pairs, [ROUTES_FORMAT, "somefile.gz"]);
        let rows: Vec<String> =
            file.get_row_iter(None).unwrap().take(2).map(|row| row.unwrap().to_string()).collect();
        assert_eq!(
            rows,
            [
                "{time_us: 5, peer_asn: 4294967295, peer_address: \"192.0.2.1\", prefix: \
                 \"198.51.100.0/24\", kind: \"withdraw\", as_path: \"\", origin: null, med: null, \
                 local_pref: null, communities: \"\", next_hop: null}",
                "{time_us: 5, peer_asn: 4294967295, peer_address: \"192.0.2.1\", prefix: \
                 \"198.51.100.0/24\", kind: \"announce\", as_path: \"{1,2}\", origin: \"egp\", med: 0, \
                 local_pref: null, communities: \"\", next_hop: \"2001:db8::1\"}",
            ]
        );
    }
}
