//! CSV tables as the program writes them, read without its own reader.

use std::collections::BTreeMap;
use std::path::Path;

/// A table: rows of cells, columns by name.
pub struct Table {
    columns: BTreeMap<String, usize>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads a file.
    pub fn read(path: &Path) -> Table {
        let text = std::fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Table::parse(&text)
    }

    /// Reads a text (RFC 4180).
    pub fn parse(text: &str) -> Table {
        let mut rows = records(text);
        let head = rows.remove(0);
        for row in &rows {
            assert_eq!(row.len(), head.len(), "{row:?}");
        }
        let columns = head.into_iter().enumerate().map(|(at, name)| (name, at)).collect();
        Table { columns, rows }
    }

    /// Position of a column.
    pub fn column(&self, name: &str) -> usize {
        *self.columns.get(name).unwrap_or_else(|| panic!("no column {name}: {:?}", self.columns))
    }

    /// Rows as (text cells of `keys`, numbers of `values`).
    pub fn select<'a, const K: usize, const V: usize>(
        &'a self,
        keys: [&str; K],
        values: [&str; V],
    ) -> impl Iterator<Item = ([&'a str; K], [f64; V])> {
        let keys = keys.map(|name| self.column(name));
        let values = values.map(|name| self.column(name));
        self.rows.iter().map(move |row| {
            let number = |at: usize| row[at].parse().unwrap_or(f64::NAN);
            (keys.map(|at| row[at].as_str()), values.map(number))
        })
    }
}

fn records(text: &str) -> Vec<Vec<String>> {
    if !text.contains('"') {
        let cells = |line: &str| line.split(',').map(str::to_owned).collect();
        return text.lines().map(cells).collect();
    }
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    assert!(!quoted && cell.is_empty() && row.is_empty(), "the last line has no end");
    rows
}

#[test]
fn quoted_cells_hold_commas_quotes_and_line_ends() {
    let table = Table::parse("a,b\n\"x,\"\"y\n\",2\nz,3\n");
    let rows: Vec<_> = table.select(["a"], ["b"]).collect();
    assert_eq!(rows, [(["x,\"y\n"], [2.0]), (["z"], [3.0])]);
}
