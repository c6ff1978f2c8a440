//! Tables of ours as text: a line that names format and version, a header, one line a row.
//!
//! The first line is `# format: NAME/VERSION`. More lines that begin with `#` may follow anywhere;
//! `# key: value` before the header is kept, the others are comments. Fields are separated by
//! commas; a field with a comma or a quote stands in double quotes, quotes in it doubled. A field
//! does not reach over the end of its line. The order of the columns is free.

use crate::diagnostic::{Diagnostic, Sink, quote};
use crate::files::{self, Refused};
use crate::source::Span;
use std::collections::BTreeMap;
use std::path::Path;

/// Largest file, bytes.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// The file is not a table of this format.
pub(crate) const E_TABLE: &str = "E0260";
/// A row has a value that is not usable.
pub(crate) const E_ROW: &str = "E0261";
/// Two rows are about the same.
pub(crate) const E_TWICE: &str = "E0262";

/// A column that a table may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub name: &'static str,
    pub required: bool,
}

/// What a table of a format looks like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Such as `steerlab-catchment/1`; empty for tables of others, whose first line is the header.
    pub format: &'static str,
    pub columns: &'static [Column],
    /// Most rows.
    pub rows_max: usize,
}

/// A row: one text for every column of the layout, in its order; empty where the table does not
/// have the column.
pub(crate) struct Row {
    fields: Vec<(String, Span)>,
}

impl Row {
    /// The text of a column and where it stands.
    pub(crate) fn field(&self, column: usize) -> (&str, Span) {
        let (text, span) = &self.fields[column];
        (text, *span)
    }
}

/// The text of a file.
pub(crate) fn load(path: &Path) -> Result<String, Refused> {
    let bytes = files::read(path, FILE_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|error| Refused {
        code: E_TABLE,
        message: format!("byte {} is no UTF-8", error.utf8_error().valid_up_to()),
        help: "save the table as UTF-8 text",
    })
}

/// Reads a table: gives each row to `visit`, and the `# key: value` pairs at the end. All that is
/// wrong goes into the sink, rows with the wrong number of fields are not given.
pub(crate) fn read(
    text: &str,
    file: u32,
    layout: &Layout,
    sink: &mut Sink,
    mut visit: impl FnMut(&Row, &mut Sink),
) -> BTreeMap<String, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut pairs = BTreeMap::new();
    let mut header: Option<Vec<Option<usize>>> = None;
    let mut rows = 0;
    check_format(text, file, layout, sink);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end_matches('\r');
        let number = u32::try_from(number + 1).unwrap_or(u32::MAX);
        let place = whole(file, number, line);
        if line.trim().is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            if let (None, Some((key, value))) = (&header, comment.split_once(':')) {
                pairs.insert(key.trim().to_owned(), value.trim().to_owned());
            }
            continue;
        }
        let Some(fields) = split(line, place, sink) else { continue };
        let Some(order) = &header else {
            let Some(order) = read_header(&fields, place, layout, sink) else { return pairs };
            header = Some(order);
            continue;
        };
        if fields.len() != order.len() {
            let what = format!("{} fields instead of {}", fields.len(), order.len());
            let help = "give every row one field for each column of the header";
            sink.push(Diagnostic::new(E_ROW, place, what).help(help));
            continue;
        }
        rows += 1;
        if rows > layout.rows_max {
            let what = format!("more than {} rows", layout.rows_max);
            sink.push(Diagnostic::new(E_TABLE, place, what).help("split the table"));
            return pairs;
        }
        let mut row = Row { fields: vec![(String::new(), place); layout.columns.len()] };
        for (field, column) in fields.into_iter().zip(order) {
            if let Some(column) = column {
                row.fields[*column] = field;
            }
        }
        visit(&row, sink);
    }
    if header.is_none() {
        let what = "the table has no header";
        let place = Span::start_of(file);
        sink.push(Diagnostic::new(E_TABLE, place, what).help(header_help(layout)));
    }
    pairs
}

fn whole(file: u32, line: u32, text: &str) -> Span {
    Span { file, line, column: 1, end_line: line, end_column: 1 }.part(0, text.chars().count())
}

fn check_format(text: &str, file: u32, layout: &Layout, sink: &mut Sink) {
    if layout.format.is_empty() {
        return;
    }
    let line = text.lines().next().unwrap_or("").trim_end();
    let place = whole(file, 1, line);
    let found = line.strip_prefix('#').and_then(|line| line.trim_start().strip_prefix("format:"));
    let help = format!("write `# format: {}` as the first line", layout.format);
    let what = match found.map(str::trim) {
        Some(format) if format == layout.format => return,
        Some(format) => {
            let name = layout.format.split('/').next().unwrap_or_default();
            let same = format.split('/').next() == Some(name);
            let kind = if same { "version" } else { "format" };
            format!("{} is not the {kind} that is read here, {}", quote(format), layout.format)
        }
        None => "the first line does not name the format".to_owned(),
    };
    sink.push(Diagnostic::new(E_TABLE, place, what).help(help));
}

fn header_help(layout: &Layout) -> String {
    let named = |required| {
        let columns = layout.columns.iter().filter(move |column| column.required == required);
        columns.map(|column| column.name).collect::<Vec<_>>().join(", ")
    };
    match named(false) {
        optional if optional.is_empty() => format!("columns are {}", named(true)),
        optional => format!("columns are {}; there may be {optional}", named(true)),
    }
}

/// Which column of the layout each field is. None if the rows cannot be read with it.
fn read_header(
    fields: &[(String, Span)],
    place: Span,
    layout: &Layout,
    sink: &mut Sink,
) -> Option<Vec<Option<usize>>> {
    let mut order = Vec::new();
    let mut usable = true;
    for (name, span) in fields {
        let column = layout.columns.iter().position(|column| column.name == name);
        if column.is_none() {
            let nearest = sink.nearest(name, layout.columns.iter().map(|column| column.name));
            let what = format!("unknown column {}", quote(name));
            let found = Diagnostic::new(E_TABLE, *span, what).help(header_help(layout));
            sink.push(found.suggest(nearest));
        } else if order.contains(&column) {
            let what = format!("column {} is there twice", quote(name));
            sink.push(Diagnostic::new(E_TABLE, *span, what).help("remove one of them"));
            usable = false;
        }
        order.push(column);
    }
    for (index, column) in layout.columns.iter().enumerate() {
        if column.required && !order.contains(&Some(index)) {
            let what = format!("column `{}` is missing", column.name);
            sink.push(Diagnostic::new(E_TABLE, place, what).help(header_help(layout)));
            usable = false;
        }
    }
    usable.then_some(order)
}

/// The fields of a line, without spaces around them.
fn split(line: &str, place: Span, sink: &mut Sink) -> Option<Vec<(String, Span)>> {
    let characters: Vec<char> = line.chars().collect();
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        while characters.get(at) == Some(&' ') {
            at += 1;
        }
        let (start, mut text) = (at, String::new());
        if characters.get(at) == Some(&'"') {
            at += 1;
            loop {
                match (characters.get(at), characters.get(at + 1)) {
                    (Some('"'), Some('"')) => {
                        text.push('"');
                        at += 2;
                    }
                    (Some('"'), _) => break,
                    (Some(&other), _) => {
                        text.push(other);
                        at += 1;
                    }
                    (None, _) => {
                        let span = place.part(start, at - start);
                        let what = "a quote without its end";
                        let help = "end the field with a double quote on the same line";
                        sink.push(Diagnostic::new(E_ROW, span, what).help(help));
                        return None;
                    }
                }
            }
            at += 1;
            while characters.get(at) == Some(&' ') {
                at += 1;
            }
        } else {
            while characters.get(at).is_some_and(|c| *c != ',') {
                text.push(characters[at]);
                at += 1;
            }
        }
        let trimmed = text.trim();
        fields.push((trimmed.to_owned(), place.part(start, trimmed.chars().count())));
        match characters.get(at) {
            None => return Some(fields),
            Some(',') => at += 1,
            Some(_) => {
                let span = place.part(at, 1);
                let help = "put a comma between fields, and double the quotes inside a field";
                sink.push(Diagnostic::new(E_ROW, span, "text behind a quote").help(help));
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    const LAYOUT: Layout = Layout {
        format: "steerlab-test/1",
        columns: &[Column { name: "one", required: true }, Column { name: "two", required: false }],
        rows_max: 3,
    };

    fn rows(text: &str) -> (Vec<String>, Vec<(u32, u32, String)>) {
        let (mut sink, mut rows) = (Sink::default(), Vec::new());
        read(text, 0, &LAYOUT, &mut sink, |row, _| {
            rows.push(format!("{}|{}", row.field(0).0, row.field(1).0));
        });
        let (found, _) = sink.finish(&SourceMap::default());
        (rows, found.iter().map(|d| (d.line(), d.column(), d.message.clone())).collect())
    }

    #[test]
    fn fields_quotes_and_column_order() {
        let text = "\u{feff}# format: steerlab-test/1\r\n# a remark\ntwo,one\r\n\n1, a \n\
                    \"x,\"\"y\"\"\",b\n";
        let (rows, found) = rows(text);
        assert_eq!(rows, ["a|1", "b|x,\"y\""]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn everything_wrong_is_told_in_one_pass() {
        let text = "# format: steerlab-test/2\none,tow\na,b,c\n\"a\n\"a\"x,1\nfine,1\n";
        let (rows, found) = rows(text);
        assert_eq!(rows, ["fine|"]);
        let places: Vec<(u32, u32)> =
            found.iter().map(|(line, column, _)| (*line, *column)).collect();
        assert_eq!(places, [(1, 1), (2, 5), (3, 1), (4, 1), (5, 4)], "{found:?}");
        assert!(found[0].2.contains("not the version"));
    }

    #[test]
    fn no_header_no_column_too_many_rows() {
        for (text, says) in [
            ("", "does not name the format"),
            ("# format: steerlab-test/1\n", "no header"),
            ("# format: steerlab-test/1\ntwo\n1\n", "`one` is missing"),
            ("# format: steerlab-test/1\none,one\n1,2\n", "twice"),
            ("# format: steerlab-test/1\none\n1\n2\n3\n4\n", "more than 3 rows"),
            ("# format: steerlab-other/1\none\n1\n", "not the format"),
        ] {
            let (_, found) = rows(text);
            assert!(found.iter().any(|found| found.2.contains(says)), "{text:?}: {found:?}");
        }
    }
}
