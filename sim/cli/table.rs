//! Tables for people: terminal and Markdown.

use crate::console::printable;
use comfy_table::{ContentArrangement, Table};

/// A table for a terminal.
#[must_use]
pub fn plain(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_preset("                   ");
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(head.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|cell| printable(cell)).collect::<Vec<_>>());
    }
    let text = table.to_string();
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A Markdown table; cells cannot break out of it.
#[must_use]
pub fn markdown(head: &[&str], rows: &[Vec<String>]) -> String {
    let escape = |cell: &str| {
        printable(cell)
            .replace('\\', "\\\\")
            .replace('|', "\\|")
            .replace('`', "\\`")
            .replace('<', "&lt;")
            .replace(['\n', '\r'], " ")
    };
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), " --- |".repeat(head.len()));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| escape(cell)).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}
