//! Every limit of the language, in one table.
//!
//! A limit is checked before anything is allocated for the thing it limits.

/// Largest scenario or included file, bytes.
pub const FILE_BYTES_MAX: u64 = 16 << 20;
/// Largest sum over the scenario and all its includes, bytes.
pub const TOTAL_BYTES_MAX: u64 = 64 << 20;
/// Largest recorded data file, bytes.
pub const DATA_BYTES_MAX: u64 = 1 << 30;
/// Largest number of files a scenario may include.
pub const INCLUDES_MAX: usize = 1_000;
/// Deepest nesting of lists and mappings.
pub const DEPTH_MAX: usize = 64;
/// Largest number of values, those repeated by aliases included.
pub const NODES_MAX: usize = 1_000_000;
/// Largest number of parser events.
pub const EVENTS_MAX: usize = 2_000_000;
/// Largest number of aliases (`*name`).
pub const ALIASES_MAX: usize = 1_000;
/// Largest number of merge keys (`<<`).
pub const MERGES_MAX: usize = 1_000;
/// Longest text value, bytes.
pub const TEXT_BYTES_MAX: usize = 64 << 10;
/// Longest id, bytes.
pub const ID_BYTES_MAX: usize = 128;
/// Largest number of sites.
pub const SITES_MAX: u64 = 10_000;
/// Largest number of links.
pub const LINKS_MAX: u64 = 200_000;
/// Largest number of client groups.
pub const CLIENT_GROUPS_MAX: u64 = 1_000_000;
/// Largest number of prefixes.
pub const PREFIXES_MAX: u64 = 100_000;
/// Largest number of demands after those of client groups and matrices are expanded.
pub const DEMANDS_MAX: u64 = 2_000_000;
/// Largest number of rows in any other list.
pub const ROWS_MAX: u64 = 200_000;
/// Longest horizon: ten years of 365.25 days, nanoseconds.
pub const HORIZON_NS_MAX: u64 = 3_652 * 86_400 * 1_000_000_000 + 43_200 * 1_000_000_000;
/// Shortest bucket, step or feed period, nanoseconds.
pub const STEP_NS_MIN: u64 = 1_000_000;
/// Largest number of buckets, traffic steps or feed samples in a run.
pub const STEPS_MAX: u64 = 10_000_000;
/// Largest rate or capacity, bit/s.
pub const RATE_BPS_MAX: u64 = 1_000_000_000_000_000_000;
/// Largest request rate, requests per second.
pub const RATE_RPS_MAX: f64 = 1e15;
/// Largest number of replications.
pub const REPLICATIONS_MAX: u64 = 100_000;
/// Diagnostics kept; the others are only counted.
pub const DIAGNOSTICS_MAX: usize = 10_000;
/// Diagnostics the terminal shows; the others are counted.
pub const DIAGNOSTICS_SHOWN: usize = 20;
/// Largest number of sites `generate` makes.
pub const GENERATED_SITES_MAX: u64 = 2_000;
/// Largest number of client groups `generate` makes.
pub const GENERATED_GROUPS_MAX: u64 = 50_000;

/// One row of the table of limits, for the reference page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is limited.
    pub what: &'static str,
    /// The limit, as people write it.
    pub value: &'static str,
}

/// The limits that people meet, as text; a test compares the numbers with the constants.
pub const TABLE: &[Limit] = &[
    Limit { what: "scenario file", value: "16 MiB" },
    Limit { what: "scenario and all includes", value: "64 MiB" },
    Limit { what: "nesting", value: "64 levels" },
    Limit { what: "values (aliases expanded)", value: "1,000,000" },
    Limit { what: "aliases, merge keys", value: "1,000 each" },
    Limit { what: "text, id", value: "64 KiB, 128 bytes" },
    Limit { what: "sites", value: "10,000" },
    Limit { what: "links", value: "200,000" },
    Limit { what: "client groups", value: "1,000,000" },
    Limit { what: "prefixes", value: "100,000" },
    Limit { what: "demands after expansion", value: "2,000,000" },
    Limit { what: "horizon", value: "10 years" },
    Limit { what: "bucket, traffic step, feed period", value: "1 ms to 10,000,000 a run" },
    Limit { what: "rate or capacity", value: "1,000,000,000,000,000,000 bit/s" },
    Limit { what: "replications", value: "100,000" },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_the_constants() {
        let value = |what: &str| {
            let row = TABLE.iter().find(|row| row.what == what).expect("row");
            let digits: String =
                row.value.chars().filter(|c| c.is_ascii_digit() || *c == ' ').collect();
            digits.split(' ').next().unwrap().parse::<u64>().unwrap()
        };
        assert_eq!(value("scenario file") << 20, FILE_BYTES_MAX);
        assert_eq!(value("scenario and all includes") << 20, TOTAL_BYTES_MAX);
        assert_eq!(value("nesting") as usize, DEPTH_MAX);
        assert_eq!(value("values (aliases expanded)") as usize, NODES_MAX);
        assert_eq!(value("aliases, merge keys") as usize, ALIASES_MAX);
        assert_eq!(value("sites"), SITES_MAX);
        assert_eq!(value("links"), LINKS_MAX);
        assert_eq!(value("client groups"), CLIENT_GROUPS_MAX);
        assert_eq!(value("prefixes"), PREFIXES_MAX);
        assert_eq!(value("demands after expansion"), DEMANDS_MAX);
        assert_eq!(value("rate or capacity"), RATE_BPS_MAX);
        assert_eq!(value("replications"), REPLICATIONS_MAX);
        assert_eq!(HORIZON_NS_MAX / 1_000_000_000, 315_576_000);
    }
}
