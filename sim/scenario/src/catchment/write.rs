//! Writing catchment tables: sorted, so that the same table gives the same bytes.

use super::read::LAYOUT;
use super::{CATCHMENT_FORMAT, CatchmentRow, CatchmentTable};
use std::fmt::Write as _;

impl CatchmentTable {
    /// The text of the table. Optional columns are there if any row has them; rows ascend by kind
    /// (client groups, prefixes, ASes), id and announced prefix, AS numbers as numbers.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let has = |value: fn(&CatchmentRow) -> bool| self.rows.iter().any(value);
        let shown = [
            true,
            true,
            true,
            has(|row| row.weight.is_some()),
            has(|row| row.key.prefix.is_some()),
            has(|row| row.rtt_ms.is_some()),
        ];
        let mut text = format!("# format: {CATCHMENT_FORMAT}\n");
        let names = LAYOUT.columns.iter().zip(shown).filter(|(_, shown)| *shown);
        text.push_str(&names.map(|(column, _)| column.name).collect::<Vec<_>>().join(","));
        text.push('\n');
        for row in &self.rows {
            let client = &row.key.client;
            write!(text, "{},{client},{}", client.kind(), row.site).expect("a string takes all");
            let number = |number: Option<f64>| number.map_or(String::new(), |n| n.to_string());
            let optional = [
                number(row.weight),
                row.key.prefix.clone().unwrap_or_default(),
                number(row.rtt_ms),
            ];
            for (field, _) in optional.iter().zip(&shown[3..]).filter(|(_, shown)| **shown) {
                write!(text, ",{field}").expect("a string takes all");
            }
            text.push('\n');
        }
        text
    }
}
