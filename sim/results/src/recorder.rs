//! Collects the tables of one run in memory.

use crate::columns::RUN_TABLES;
use crate::summary::WarningEntry;
use crate::table::{TableBuilder, Value};
use crate::view::DataTable;
use std::collections::BTreeSet;
use steerlab_engine::kernel::{Id, SimTime};
use steerlab_engine::record::{
    ActionRecord, ArcRow, Bucket, ClientRow, EventRecord, Flow, MoveRecord, Recorder, TenantRow,
    TotalRow, Warning,
};
use steerlab_engine::route::Fate;
use steerlab_engine::scenario::Scenario;

/// Everything one run told: its tables and its warnings.
#[derive(Clone, Debug, PartialEq)]
pub struct RunData {
    /// Tables in file-name order, without the columns arm and replication.
    pub tables: Vec<DataTable>,
    /// Warnings, sorted, without duplicates.
    pub warnings: Vec<WarningEntry>,
}

/// A [`Recorder`] that fills the tables of one run.
#[derive(Clone, Debug)]
pub struct TableRecorder {
    totals: TableBuilder,
    sites: TableBuilder,
    links: TableBuilder,
    tenants: TableBuilder,
    client_groups: TableBuilder,
    events: TableBuilder,
    moves: TableBuilder,
    /// Site names, to say where a group came from and goes.
    site_ids: Vec<String>,
    actions: TableBuilder,
    warnings: BTreeSet<WarningEntry>,
}

impl TableRecorder {
    /// A recorder for one run of `scenario`.
    #[must_use]
    pub fn new(scenario: &Scenario) -> TableRecorder {
        let network = &scenario.network;
        let sites = || network.sites.rows().iter().map(|row| row.id.as_str());
        let links = network.links.rows().iter().map(|row| row.id.as_str());
        let tenants = scenario.tenants.rows().iter().map(|row| row.id.as_str());
        let classes = scenario.classes.rows().iter().map(|row| row.id.as_str());
        let groups = scenario.client_groups.rows().iter().map(|row| row.id.as_str());
        TableRecorder {
            totals: TableBuilder::new("totals"),
            sites: TableBuilder::new("sites").with_dictionary("site", sites()),
            links: TableBuilder::new("links")
                .with_dictionary("link", links)
                .with_dictionary("direction", ["forward", "back"].into_iter()),
            tenants: TableBuilder::new("tenants")
                .with_dictionary("tenant", tenants)
                .with_dictionary("class", classes),
            client_groups: TableBuilder::new("client_groups")
                .with_dictionary("client_group", groups)
                // Code 0 is "lands nowhere"; site n has code n + 1.
                .with_dictionary("landing_site", std::iter::once("").chain(sites())),
            events: TableBuilder::new("events"),
            moves: TableBuilder::new("moves")
                .with_dictionary(
                    "client_group",
                    scenario.client_groups.rows().iter().map(|row| row.id.as_str()),
                )
                .with_dictionary(
                    "prefix",
                    scenario.prefixes.rows().iter().map(|row| row.id.as_str()),
                ),
            site_ids: sites().map(str::to_owned).collect(),
            actions: TableBuilder::new("actions"),
            warnings: BTreeSet::new(),
        }
    }

    /// What was collected.
    #[must_use]
    pub fn finish(self) -> RunData {
        let tables = [
            self.actions,
            self.client_groups,
            self.events,
            self.links,
            self.moves,
            self.sites,
            self.tenants,
            self.totals,
        ]
        .map(TableBuilder::finish);
        debug_assert!(tables.iter().map(|table| table.name.as_str()).eq(RUN_TABLES));
        RunData { tables: tables.into(), warnings: self.warnings.into_iter().collect() }
    }

    fn total(&mut self, start: SimTime, end: SimTime, row: &TotalRow) {
        let served = row.flow.served_requests > 0.0;
        let latency = |value: f64| Value::F64(if served { value } else { f64::NAN });
        let mut values = vec![Value::F64(start.seconds()), Value::F64(end.since(start).seconds())];
        values.extend(flow(&row.flow));
        values.extend([
            latency(row.latency_ms.mean),
            latency(row.latency_ms.p50),
            latency(row.latency_ms.p95),
            latency(row.latency_ms.p99),
        ]);
        values.extend(row.latency_parts_ms.values().map(latency));
        values.extend([Value::F64(row.non_best_site_ratio), Value::F64(row.moved_requests_per_s)]);
        self.totals.push(&values);
    }

    fn arc(&mut self, start: SimTime, row: &ArcRow) {
        self.links.push(&[
            Value::F64(start.seconds()),
            Value::Code(row.arc.link().0),
            Value::Code(row.arc.direction() as u32),
            Value::F64(row.utilisation_mean),
            Value::F64(row.utilisation_max),
            Value::F64(row.placed_bps),
            Value::F64(row.carried_bps),
            Value::F64(row.dropped_bps),
            Value::F64(row.capacity_bps),
            Value::U64(row.announced_blocks.into()),
            Value::F64(row.queue_ms_mean),
            Value::F64(row.marked_bps),
            Value::F64(row.backlog_bits),
        ]);
    }

    fn tenant(&mut self, start: SimTime, row: &TenantRow) {
        let mut values =
            vec![Value::F64(start.seconds()), Value::Code(row.tenant.0), Value::Code(row.class.0)];
        values.extend(flow(&row.flow));
        self.tenants.push(&values);
    }
}

/// The columns of a flow, in the order of the column table.
fn flow(flow: &Flow) -> [Value<'static>; 17] {
    let dropped = flow.dropped_bits;
    [
        flow.offered_bits,
        flow.served_bits,
        flow.dropped_bits_total(),
        dropped[0],
        dropped[1],
        dropped[2],
        dropped[3],
        dropped[4],
        dropped[5],
        dropped[6],
        dropped[7],
        dropped[8],
        flow.queued_bits,
        flow.offered_requests,
        flow.served_requests,
        flow.dropped_requests,
        flow.queued_requests,
    ]
    .map(Value::F64)
}

impl Recorder for TableRecorder {
    fn bucket(&mut self, bucket: &Bucket<'_>) {
        for (row, site) in bucket.sites.iter().zip(0..) {
            let mut values = vec![
                Value::F64(bucket.start.seconds()),
                Value::Code(site),
                Value::F64(row.cpu_utilisation_mean),
                Value::F64(row.cpu_utilisation_max),
                Value::F64(row.landed_requests_per_s),
                Value::F64(row.served_requests_per_s),
                Value::F64(row.dropped_requests_per_s),
                Value::F64(row.queued_requests),
                Value::F64(row.egress_bps),
                Value::U64(row.announced_prefixes.into()),
                Value::U64(row.up.into()),
                Value::F64(row.answered_requests_per_s),
            ];
            let answered = row.answered_requests_per_s > 0.0;
            let parts = row.latency_parts_ms;
            let latencies = std::iter::once(parts.total()).chain(parts.values());
            values.extend(latencies.map(|ms| Value::F64(if answered { ms } else { f64::NAN })));
            self.sites.push(&values);
        }
        for row in bucket.arcs {
            self.arc(bucket.start, row);
        }
        for row in bucket.tenants {
            self.tenant(bucket.start, row);
        }
        self.total(bucket.start, bucket.end, bucket.total);
    }

    fn client_bucket(&mut self, start: SimTime, _end: SimTime, rows: &[ClientRow]) {
        for row in rows {
            let mut values = vec![
                Value::F64(start.seconds()),
                Value::Code(row.client_group.0),
                Value::Code(row.landing.map_or(0, |site| site.0 + 1)),
            ];
            values.extend(flow(&row.flow));
            let served = row.flow.served_requests > 0.0;
            values.push(Value::F64(if served { row.latency_ms_mean } else { f64::NAN }));
            self.client_groups.push(&values);
        }
    }

    fn event(&mut self, event: &EventRecord<'_>) {
        self.events.push(&[
            Value::F64(event.at.seconds()),
            Value::Text(event.kind),
            Value::Text(event.agent),
            Value::Text(event.entity),
            Value::Text(event.label),
        ]);
    }

    fn moved(&mut self, row: &MoveRecord<'_>) {
        let name = |fate: Fate| match fate {
            Fate::Lands(landing) => self.site_ids[landing.site.index()].as_str(),
            Fate::Lost(cause) => cause.name(),
        };
        let (from, to) = (name(row.from), name(row.to));
        self.moves.push(&[
            Value::F64(row.at.seconds()),
            Value::Text(row.cause),
            Value::Code(row.client_group.0),
            Value::Code(row.prefix.0),
            Value::Text(from),
            Value::Text(to),
            Value::F64(row.requests_per_s),
            Value::Text(row.as_path),
            Value::Text(row.reason),
        ]);
    }

    fn action(&mut self, action: &ActionRecord<'_>) {
        self.actions.push(&[
            Value::F64(action.asked_at.seconds()),
            Value::U64(action.number),
            Value::F64(action.effect_at.map_or(f64::NAN, SimTime::seconds)),
            Value::Text(action.policy),
            Value::Text(action.surface.name()),
            Value::Text(action.action.name()),
            Value::Text(action.target),
            Value::Text(action.cause),
            Value::Text(action.refusal.map_or("", |refusal| refusal.name())),
        ]);
    }

    fn warning(&mut self, warning: &Warning) {
        self.warnings.insert(WarningEntry {
            code: warning.code.to_owned(),
            message: warning.message.clone(),
        });
    }
}
