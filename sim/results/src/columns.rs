//! What the columns of every table are: name, type, meaning, and the unit that the name states.

use crate::view::{ColumnData, DataTable};
use serde::{Deserialize, Serialize};

/// Type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Numbers; NaN in memory and null in files where there is no value.
    F64,
    /// Whole numbers.
    U64,
    /// Text.
    Text,
}

/// A column before it has values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Name with quantity, unit and statistic.
    pub name: &'static str,
    /// Type of its values.
    pub kind: ColumnKind,
    /// What it holds, one line.
    pub meaning: &'static str,
}

/// Tables a run fills, in file-name order.
pub const RUN_TABLES: [&str; 10] = [
    "actions",
    "client_groups",
    "events",
    "flows",
    "links",
    "moves",
    "sites",
    "tenants",
    "totals",
    "zoom",
];

/// The table of metric values, one row per run and metric, made when runs are put together.
pub const RUNS_TABLE: &str = "runs";

const fn number(name: &'static str, meaning: &'static str) -> ColumnSpec {
    ColumnSpec { name, kind: ColumnKind::F64, meaning }
}

const fn count(name: &'static str, meaning: &'static str) -> ColumnSpec {
    ColumnSpec { name, kind: ColumnKind::U64, meaning }
}

const fn text(name: &'static str, meaning: &'static str) -> ColumnSpec {
    ColumnSpec { name, kind: ColumnKind::Text, meaning }
}

/// Columns that say whose row it is; the first two of every table in a run directory.
pub const KEYS: [ColumnSpec; 2] =
    [text("arm", "arm id"), count("replication", "replication, from 0")];

const TIME: ColumnSpec = number("time_s", "start of the bucket since the scenario's start");

const FLOW: [ColumnSpec; 20] = [
    number("offered_bps", "traffic that wanted to be moved"),
    number("served_bps", "traffic delivered end to end"),
    number("dropped_bps", "traffic lost, all causes"),
    number("dropped_bps_link_full", "traffic lost because a link was full"),
    number("dropped_bps_down", "traffic sent into a link or site that was down"),
    number("dropped_bps_no_route", "traffic without any route"),
    number("dropped_bps_server_full", "traffic lost because a server queue was full"),
    number("dropped_bps_policed", "traffic lost to a policy's limit"),
    number("dropped_bps_loop", "traffic that other networks send in a circle"),
    number("dropped_bps_blackhole", "traffic that another network discards"),
    number("dropped_bps_hijacked", "traffic that lands at a network that is not ours"),
    number("dropped_bps_throttled", "traffic that adapting senders held back at full links"),
    number("dropped_bps_over_budget", "traffic over its tenant's budget at a site"),
    number("dropped_bps_shed", "traffic shed to keep the servers' queue short"),
    number("dropped_bps_filtered", "traffic that looked like an attack, rightly or not"),
    number(
        "queue_growth_bps",
        "traffic that joined queues of servers and links, less what left them",
    ),
    number("offered_requests_per_s", "requests offered"),
    number("served_requests_per_s", "requests answered"),
    number("dropped_requests_per_s", "requests lost, all causes"),
    number(
        "queue_growth_requests_per_s",
        "requests that joined queues of servers and links, less what left them",
    ),
];

const LATENCY_PARTS: [ColumnSpec; 5] = [
    number(
        "latency_setup_ms_mean",
        "round trips that only set the connection up, mean of requests",
    ),
    number(
        "latency_propagation_ms_mean",
        "the way of request and answer without queueing, mean of requests",
    ),
    number("latency_link_queue_ms_mean", "waiting in buffers of our links, mean of requests"),
    number("latency_service_ms_mean", "waiting for servers and being served, mean of requests"),
    number("latency_origin_ms_mean", "fetching from the origin, mean of requests"),
];

const SITE_LATENCY: [ColumnSpec; 2] = [
    number("answered_requests_per_s", "requests that landed here and were answered"),
    number("latency_ms_mean", "mean latency of those; none without requests"),
];

const TOTALS: [ColumnSpec; 7] = [
    number("bucket_s", "length of the bucket"),
    number("latency_ms_mean", "mean latency of served requests; none without requests"),
    number("latency_ms_p50", "median latency of served requests; none without requests"),
    number("latency_ms_p95", "95th percentile of latency; none without requests"),
    number("latency_ms_p99", "99th percentile of latency; none without requests"),
    number("non_best_site_ratio", "share of requests that land elsewhere than at their best site"),
    number("moved_requests_per_s", "rate of requests whose landing site changed in the bucket"),
];

const SITE_CACHES: [ColumnSpec; 4] = [
    number("cache_requests_per_s", "requests served here for what caches may keep"),
    number("cache_hit_ratio", "share of those that hit; none without requests"),
    number("fetch_bps", "what the caches here fetched, from the origin or other caches"),
    number("origin_bps", "what they fetched from the origin"),
];

const SITES: [ColumnSpec; 10] = [
    text("site", "site id"),
    number("cpu_utilisation_mean", "CPU work offered over CPU capacity, mean; 0 without pools"),
    number("cpu_utilisation_max", "the same, largest value in the bucket"),
    number("landed_requests_per_s", "requests that landed here"),
    number("served_requests_per_s", "requests served here"),
    number("dropped_requests_per_s", "requests dropped by the servers here"),
    number("queued_requests", "requests waiting at the end of the bucket"),
    number("egress_bps", "traffic that left the network here"),
    count("announced_prefixes", "prefixes announced at the end of the bucket"),
    count("up", "1 if up at the end of the bucket, else 0"),
];

const LINKS: [ColumnSpec; 12] = [
    text("link", "link id"),
    text("direction", "forward (first end to second) or back"),
    number(
        "utilisation_mean",
        "placed load over capacity (the configured one while down), mean; may exceed 1",
    ),
    number("utilisation_max", "the same, largest value in the bucket"),
    number("placed_bps", "load that routing places here, before any drop"),
    number("carried_bps", "load carried"),
    number("dropped_bps", "load dropped here"),
    number("capacity_bps", "capacity at the end of the bucket; 0 = down"),
    count(
        "announced_blocks",
        "address blocks the neighbour announces here at the end of the bucket",
    ),
    number("queue_ms_mean", "how long what was carried waited here, mean over bits"),
    number("marked_bps", "elastic traffic marked here because the link was full"),
    number("backlog_bits", "what waits here at the end of the bucket; 0 without `backlog`"),
];

const TENANTS: [ColumnSpec; 2] =
    [text("tenant", "tenant id"), text("class", "class id of the service")];

const CLIENT_GROUPS: [ColumnSpec; 2] = [
    text("client_group", "client group id"),
    text("landing_site", "landing site of its first demand at the end; empty: none"),
];

const CLIENT_LATENCY: [ColumnSpec; 1] =
    [number("latency_ms_mean", "mean latency of served requests; none without requests")];

const FLOWS: [ColumnSpec; 13] = [
    text("service", "service id; only those with `flow`, at fidelity flows"),
    count("started", "flows that arrived"),
    count("finished", "flows that finished"),
    count("broken", "flows that lost their way and ended unfinished"),
    count("active", "flows under way at the end of the bucket"),
    number("started_bps", "bits of flows that arrived, over the length of the bucket"),
    number("finished_bps", "bits of flows that finished, over the length of the bucket"),
    number(
        "round_trip_ms_mean",
        "round trip over our own links, mean of flows that arrived; not in completion times",
    ),
    number("completion_s_mean", "arrival to end, mean of flows that finished; none without any"),
    number("completion_s_p50", "median of the same"),
    number("completion_s_p99", "99th percentile of the same"),
    number("slowdown_mean", "completion time over that alone on the empty path, mean"),
    number("slowdown_p99", "99th percentile of the same"),
];

const EVENTS: [ColumnSpec; 5] = [
    number("time_s", "when, since the scenario's start"),
    text("kind", "kind of event"),
    text("agent", "who did it: scenario, network or an external agent"),
    text("entity", "entity concerned"),
    text("label", "what people call it"),
];

const MOVES: [ColumnSpec; 9] = [
    number("time_s", "when, since the scenario's start"),
    text("cause", "what happened before"),
    text("client_group", "who moved; at every instant the largest groups are listed"),
    text("prefix", "towards which prefix"),
    text("from", "site before; a drop cause if the traffic was lost"),
    text("to", "site from now on; a drop cause if the traffic is lost"),
    number("requests_per_s", "requests of the group at that instant"),
    text("as_path", "AS path from the users on; empty if routing knows none"),
    text("reason", "why it goes there"),
];

const ACTIONS: [ColumnSpec; 9] = [
    number("time_s", "when it was asked, since the scenario's start"),
    count("number", "number of the request in this run, from 0"),
    number("effect_s", "when it takes effect; none if refused or lost"),
    text("policy", "policy that asked"),
    text("surface", "surface it acts on"),
    text("action", "what was asked"),
    text("target", "entities concerned"),
    text("cause", "why, in the policy's words"),
    text("refusal", "why it was declined; empty if it was not"),
];

const ZOOM: [ColumnSpec; 29] = [
    text("colo", "colo played request by request"),
    number("zoom_s", "length of the part of the bucket in which it was"),
    number("offered_requests_per_s", "requests that arrived at its servers"),
    number("served_requests_per_s", "requests answered"),
    number("dropped_requests_per_s", "requests not answered, all causes"),
    number("dropped_requests_per_s_refused", "requests refused by a full queue"),
    number("dropped_requests_per_s_timed_out", "requests that their clients gave up"),
    number("dropped_requests_per_s_failed", "requests that servers failed"),
    number("dropped_requests_per_s_broken", "requests whose connection or server broke"),
    number("dropped_requests_per_s_no_server", "requests that no server took"),
    number("retry_requests_per_s", "attempts after the first"),
    number("hedge_requests_per_s", "second copies sent"),
    number("wasted_requests_per_s", "attempts that servers completed for nobody"),
    number("connections_opened", "connections opened in the bucket"),
    number("connections_broken", "connections broken in the bucket"),
    number("latency_ms_mean", "mean latency of answered requests; none without requests"),
    number("latency_ms_p50", "median of that latency"),
    number("latency_ms_p95", "95th percentile of that latency"),
    number("latency_ms_p99", "99th percentile of that latency"),
    number("setup_ms_mean", "setting up connections, mean of requests"),
    number("propagation_ms_mean", "the way of request and answer without queues, mean"),
    number("link_queue_ms_mean", "waiting in buffers of our links, mean of requests"),
    number("wait_ms_mean", "waiting at the server beyond the service itself, mean of requests"),
    number("service_ms_mean", "service as if alone on a core, mean of requests"),
    number("origin_ms_mean", "fetching from the origin, mean of requests"),
    number("retry_ms_mean", "before the attempt that was answered, mean of requests"),
    number("server_utilisation_mean", "work done over what servers in service could do"),
    number("server_utilisation_max", "share of its time that the busiest server worked"),
    number("queue_growth_requests_per_s", "requests that arrived, less those that ended"),
];

const RUNS: [ColumnSpec; 4] = [
    text("metric", "metric id"),
    text("labels", "label=value pairs joined by commas; empty for the whole network"),
    text("unit", "unit of the value; empty for ratios and counts"),
    number("value", "value of the metric over the whole run"),
];

/// The columns of a table without its [`KEYS`], in file order.
///
/// None: there is no table of this name.
#[must_use]
pub fn columns(table: &str) -> Option<Vec<ColumnSpec>> {
    let parts: Vec<&[ColumnSpec]> = match table {
        "totals" => vec![&[TIME], &TOTALS[..1], &FLOW, &TOTALS[1..5], &LATENCY_PARTS, &TOTALS[5..]],
        "sites" => vec![&[TIME], &SITES, &SITE_LATENCY, &LATENCY_PARTS, &SITE_CACHES],
        "links" => vec![&[TIME], &LINKS],
        "tenants" => vec![&[TIME], &TENANTS, &FLOW],
        "client_groups" => vec![&[TIME], &CLIENT_GROUPS, &FLOW, &CLIENT_LATENCY],
        "events" => vec![&EVENTS],
        "flows" => vec![&[TIME], &FLOWS],
        "moves" => vec![&MOVES],
        "actions" => vec![&ACTIONS],
        "zoom" => vec![&[TIME], &ZOOM],
        "runs" => vec![&RUNS],
        _ => return None,
    };
    Some(parts.concat())
}

/// Whether the rows of a table are buckets of time: one row per run, bucket and entity.
#[must_use]
pub fn is_bucketed(table: &str) -> bool {
    columns(table).is_some_and(|columns| columns.contains(&TIME))
}

/// Words in names that state a unit, longest first, with the unit as shown to people.
const UNITS: [(&str, &str); 7] = [
    ("requests_per_s", "requests/s"),
    ("byte_km", "byte km"),
    ("requests", "requests"),
    ("bits", "bit"),
    ("bps", "bit/s"),
    ("ms", "ms"),
    ("s", "s"),
];

/// The unit a name states; empty for ratios, counts and text.
#[must_use]
pub fn unit_of(name: &str) -> &'static str {
    let padded = format!("_{name}_");
    UNITS
        .iter()
        .find(|(word, _)| padded.contains(&format!("_{word}_")))
        .map_or("", |(_, unit)| *unit)
}

/// `columns.json`, format `steerlab-columns/1`: what the Parquet files hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnsFile {
    /// `steerlab-columns/1`.
    pub format: String,
    /// Tables in file-name order.
    pub tables: Vec<TableColumns>,
}

/// The columns of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableColumns {
    /// File name without ending.
    pub table: String,
    /// Columns in file order.
    pub columns: Vec<ColumnEntry>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnEntry {
    /// Name.
    pub name: String,
    /// Type of its values.
    #[serde(rename = "type")]
    pub kind: ColumnKind,
    /// Unit; empty for ratios, counts and text.
    pub unit: String,
    /// What it holds.
    pub meaning: String,
}

impl ColumnsFile {
    /// Value of `format`.
    pub const FORMAT: &'static str = "steerlab-columns/1";

    /// What a run directory of this version holds.
    #[must_use]
    pub fn current() -> ColumnsFile {
        let mut names: Vec<&str> = RUN_TABLES.to_vec();
        names.push(RUNS_TABLE);
        names.sort_unstable();
        let tables = names
            .into_iter()
            .map(|table| TableColumns {
                table: table.to_owned(),
                columns: KEYS
                    .into_iter()
                    .chain(columns(table).expect("every listed table has columns"))
                    .map(|column| ColumnEntry {
                        name: column.name.to_owned(),
                        kind: column.kind,
                        unit: match column.kind {
                            ColumnKind::F64 => unit_of(column.name).to_owned(),
                            ColumnKind::U64 | ColumnKind::Text => String::new(),
                        },
                        meaning: column.meaning.to_owned(),
                    })
                    .collect(),
            })
            .collect();
        ColumnsFile { format: Self::FORMAT.to_owned(), tables }
    }

    /// Meaning of a column, if it is listed.
    #[must_use]
    pub fn meaning(&self, table: &str, column: &str) -> Option<&str> {
        let table = self.tables.iter().find(|entry| entry.table == table)?;
        let column = table.columns.iter().find(|entry| entry.name == column)?;
        Some(&column.meaning)
    }
}

/// Type of the values of a column.
#[must_use]
pub fn kind_of(data: &ColumnData) -> ColumnKind {
    match data {
        ColumnData::F64(_) => ColumnKind::F64,
        ColumnData::U64(_) => ColumnKind::U64,
        ColumnData::Text { .. } => ColumnKind::Text,
    }
}

/// Whether a table of one run (without [`KEYS`]) has exactly the columns of this version.
#[must_use]
pub fn matches_spec(table: &DataTable) -> bool {
    columns(&table.name).is_some_and(|specs| {
        specs.len() == table.columns.len()
            && specs.iter().zip(&table.columns).all(|(spec, column)| {
                spec.name == column.name && spec.kind == kind_of(&column.data)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use steerlab_engine::record::DropCause;

    #[test]
    fn names_state_their_unit() {
        for (name, unit) in [
            ("time_s", "s"),
            ("dropped_bps_link_full", "bit/s"),
            ("latency_ms_p99", "ms"),
            ("offered_requests_per_s", "requests/s"),
            ("queue_growth_requests_per_s", "requests/s"),
            ("queued_requests", "requests"),
            ("backbone_byte_km", "byte km"),
            ("offered_bits", "bit"),
            ("utilisation_max", ""),
            ("loss_ratio", ""),
            ("flaps", ""),
        ] {
            assert_eq!(unit_of(name), unit, "{name}");
        }
    }

    #[test]
    fn every_column_has_one_name_and_a_meaning() {
        for table in ColumnsFile::current().tables {
            let names: BTreeSet<_> = table.columns.iter().map(|column| &column.name).collect();
            assert_eq!(names.len(), table.columns.len(), "{}", table.table);
            assert!(table.columns.iter().all(|column| !column.meaning.is_empty()));
        }
    }

    #[test]
    fn drop_columns_follow_the_engine_causes() {
        for (position, cause) in DropCause::ALL.into_iter().enumerate() {
            let name = format!("dropped_bps_{}", cause.name().replace('-', "_"));
            assert_eq!(FLOW[3 + position].name, name);
        }
    }
}
