//! Tables for people: terminal and Markdown.

use crate::console::printable;

/// A table for a terminal: columns two spaces apart, columns of numbers to the right.
#[must_use]
pub fn plain(head: &[&str], rows: &[Vec<String>]) -> String {
    let lines: Vec<Vec<String>> =
        std::iter::once(head.iter().map(|&cell| cell.to_owned()).collect())
            .chain(rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()))
            .collect();
    let column = |index: usize| lines.iter().filter_map(move |line| line.get(index));
    let width: Vec<usize> = (0..head.len())
        .map(|index| column(index).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let numeric: Vec<bool> = (0..head.len())
        .map(|index| {
            let number = |cell: &String| {
                cell == "-"
                    || cell.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit())
            };
            !rows.is_empty() && column(index).skip(1).all(number)
        })
        .collect();
    let mut text = String::new();
    for line in &lines {
        let mut shown = String::new();
        for (index, cell) in line.iter().enumerate() {
            let padding = " ".repeat(width[index] - cell.chars().count());
            let (before, after) =
                if numeric[index] { (padding.as_str(), "") } else { ("", padding.as_str()) };
            shown.push_str(&format!("{before}{cell}{after}  "));
        }
        text.push_str(shown.trim_end());
        text.push('\n');
    }
    text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_right_and_words_left() {
        let rows =
            vec![vec!["a".to_owned(), "1".to_owned()], vec!["bc".to_owned(), "12".to_owned()]];
        assert_eq!(plain(&["x", "n"], &rows), "x    n\na    1\nbc  12\n");
    }

    #[test]
    fn markdown_cells_stay_in_their_cell() {
        let text = markdown(&["x"], &[vec!["a|b`<script>\n".to_owned()]]);
        assert_eq!(text, "| x |\n| --- |\n| a\\|b\\`&lt;script>  |\n");
    }
}
