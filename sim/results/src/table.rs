//! A table while it is being filled, row by row.

use crate::columns::{ColumnKind, ColumnSpec, columns};
use crate::view::{ColumnData, DataColumn, DataTable};
use std::collections::BTreeMap;

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A number.
    F64(f64),
    /// A whole number.
    U64(u64),
    /// Text; equal texts share one dictionary entry.
    Text(&'a str),
    /// Text by its position in the dictionary the column was started with.
    Code(u32),
}

/// Fills the columns of one table.
#[derive(Clone, Debug)]
pub struct TableBuilder {
    table: DataTable,
    index: Vec<BTreeMap<String, u32>>,
    /// Entries of each column's dictionary that it was started with.
    known: Vec<usize>,
    /// Bytes of the other entries.
    text_bytes: usize,
}

impl TableBuilder {
    /// An empty table with the columns that [`columns`] names.
    ///
    /// # Panics
    /// If there is no table of this name: names are literals of this crate.
    #[must_use]
    pub fn new(name: &str) -> TableBuilder {
        TableBuilder::with_columns(name, &columns(name).expect("a table of this crate"))
    }

    /// An empty table with these columns.
    #[must_use]
    pub fn with_columns(name: &str, specs: &[ColumnSpec]) -> TableBuilder {
        let columns = specs
            .iter()
            .map(|spec| DataColumn {
                name: spec.name.to_owned(),
                meaning: spec.meaning.to_owned(),
                data: match spec.kind {
                    ColumnKind::F64 => ColumnData::F64(Vec::new()),
                    ColumnKind::U64 => ColumnData::U64(Vec::new()),
                    ColumnKind::Text => {
                        ColumnData::Text { dictionary: Vec::new(), codes: Vec::new() }
                    }
                },
            })
            .collect();
        TableBuilder {
            table: DataTable { name: name.to_owned(), columns },
            index: vec![BTreeMap::new(); specs.len()],
            known: vec![0; specs.len()],
            text_bytes: 0,
        }
    }

    /// Gives a text column its dictionary, so that rows may use [`Value::Code`].
    ///
    /// # Panics
    /// If the column does not hold text, or already has a dictionary.
    #[must_use]
    pub fn with_dictionary<'a>(
        mut self,
        column: &str,
        values: impl Iterator<Item = &'a str>,
    ) -> TableBuilder {
        let position = self
            .table
            .columns
            .iter()
            .position(|candidate| candidate.name == column)
            .expect("a column of this table");
        let ColumnData::Text { dictionary, .. } = &mut self.table.columns[position].data else {
            panic!("column `{column}` does not hold text");
        };
        assert!(dictionary.is_empty(), "column `{column}` already has a dictionary");
        for (value, code) in values.zip(0..) {
            dictionary.push(value.to_owned());
            self.index[position].entry(value.to_owned()).or_insert(code);
        }
        self.known[position] = dictionary.len();
        self
    }

    /// Appends a row.
    ///
    /// # Panics
    /// If the row does not fit the columns: a mistake of ours, never of an input.
    pub fn push(&mut self, row: &[Value<'_>]) {
        assert_eq!(row.len(), self.table.columns.len(), "row of table `{}`", self.table.name);
        for ((column, index), value) in self.table.columns.iter_mut().zip(&mut self.index).zip(row)
        {
            match (&mut column.data, value) {
                (ColumnData::F64(values), Value::F64(value)) => values.push(*value),
                (ColumnData::U64(values), Value::U64(value)) => values.push(*value),
                (ColumnData::Text { dictionary, codes }, Value::Code(code)) => {
                    assert!((*code as usize) < dictionary.len(), "code of `{}`", column.name);
                    codes.push(*code);
                }
                (ColumnData::Text { dictionary, codes }, Value::Text(text)) => {
                    let code = match index.get(*text) {
                        Some(code) => *code,
                        None => {
                            let code = u32::try_from(dictionary.len())
                                .expect("a run has fewer than 2^32 texts");
                            dictionary.push((*text).to_owned());
                            self.text_bytes += text.len();
                            index.insert((*text).to_owned(), code);
                            code
                        }
                    };
                    codes.push(code);
                }
                _ => panic!("column `{}` does not take {value:?}", column.name),
            }
        }
    }

    /// What it holds so far.
    #[must_use]
    pub fn table(&self) -> &DataTable {
        &self.table
    }

    /// For each column how many entries of its dictionary it was started with; these keep their
    /// codes.
    #[must_use]
    pub fn known(&self) -> &[usize] {
        &self.known
    }

    /// Bytes of the texts that came with rows.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// Forgets all rows, and all texts that came with them.
    pub fn clear(&mut self) {
        self.text_bytes = 0;
        let columns = self.table.columns.iter_mut().zip(&mut self.index).zip(&self.known);
        for ((column, index), &known) in columns {
            match &mut column.data {
                ColumnData::F64(values) => values.clear(),
                ColumnData::U64(values) => values.clear(),
                ColumnData::Text { dictionary, codes } => {
                    codes.clear();
                    for text in dictionary.drain(known..) {
                        index.remove(&text);
                    }
                }
            }
        }
    }

    /// The filled table.
    #[must_use]
    pub fn finish(self) -> DataTable {
        self.table
    }
}

impl DataTable {
    /// Text of a row of a text column; none for other columns or rows that are not there.
    #[must_use]
    pub fn text(&self, column: &str, row: usize) -> Option<&str> {
        match &self.column(column)?.data {
            ColumnData::Text { dictionary, codes } => {
                dictionary.get(*codes.get(row)? as usize).map(String::as_str)
            }
            ColumnData::F64(_) | ColumnData::U64(_) => None,
        }
    }

    /// Number of a row, whole or not; none for text, NaN and rows that are not there.
    #[must_use]
    pub fn number(&self, column: &str, row: usize) -> Option<f64> {
        match &self.column(column)?.data {
            ColumnData::F64(values) => values.get(row).copied().filter(|value| !value.is_nan()),
            ColumnData::U64(values) => values.get(row).map(|value| *value as f64),
            ColumnData::Text { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_a_code() {
        let mut events = TableBuilder::new("events");
        for kind in ["mark", "surge", "mark"] {
            let text = Value::Text;
            events.push(&[Value::F64(1.0), text(kind), text("scenario"), text(""), text("")]);
        }
        let table = events.finish();
        assert_eq!(table.rows(), 3);
        let ColumnData::Text { dictionary, codes } = &table.column("kind").unwrap().data else {
            panic!("text expected");
        };
        assert_eq!((dictionary.len(), codes.as_slice()), (2, &[0, 1, 0][..]));
        assert_eq!(table.text("kind", 2), Some("mark"));
        assert_eq!(table.text("kind", 3), None);
        assert_eq!(table.number("time_s", 0), Some(1.0));
    }

    #[test]
    fn a_cleared_table_keeps_the_texts_it_was_started_with_and_no_others() {
        let kinds = ["mark", "surge"].into_iter();
        let mut events = TableBuilder::new("events").with_dictionary("kind", kinds);
        let row = |kind| {
            [Value::F64(1.0), kind, Value::Text("scenario"), Value::Text(""), Value::Text("")]
        };
        events.push(&row(Value::Text("other")));
        assert_eq!(events.text_bytes(), "otherscenario".len());
        events.clear();
        assert_eq!((events.table().rows(), events.text_bytes()), (0, 0));
        events.push(&row(Value::Code(1)));
        events.push(&row(Value::Text("other")));
        events.push(&row(Value::Text("mark")));
        let table = events.finish();
        let kinds: Vec<_> = (0..3).map(|row| table.text("kind", row).unwrap()).collect();
        assert_eq!(kinds, ["surge", "other", "mark"]);
    }

    #[test]
    #[should_panic(expected = "does not take")]
    fn a_row_of_wrong_types_is_a_bug() {
        TableBuilder::new("events").push(&[Value::Text("x"); 5]);
    }
}
