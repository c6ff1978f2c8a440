//! Writes the tables of one run as they are told: only rows of blocks that are not full are in
//! memory.

use crate::cell_write::{BLOCK_ROWS, BLOCK_TEXT_BYTES, CellWriter};
use crate::columns::RUN_TABLES;
use crate::error::StoreError;
use crate::identity::RunHash;
use crate::summary::WarningEntry;
use crate::table::{TableBuilder, Value};
use std::collections::BTreeSet;
use steerlab_engine::kernel::{Id, SimTime};
use steerlab_engine::record::{
    ActionRecord, ArcRow, Bucket, ClientRow, EventRecord, Flow, FlowRow, MoveRecord, Recorder,
    RunTotals, TenantRow, TotalRow, Warning, ZoomRow,
};
use steerlab_engine::route::Fate;
use steerlab_engine::scenario::Scenario;

/// Where the rows go, until that fails.
#[derive(Debug)]
struct Out {
    writer: CellWriter,
    failed: Option<StoreError>,
}

impl Out {
    fn block(&mut self, position: usize, rows: &mut TableBuilder) {
        if self.failed.is_none() {
            self.failed = self.writer.block(position, rows).err();
        }
        rows.clear();
    }
}

/// One table, and its place in [`RUN_TABLES`].
#[derive(Debug)]
struct Spool {
    position: usize,
    rows: TableBuilder,
}

impl Spool {
    fn new(rows: TableBuilder) -> Spool {
        let name = &rows.table().name;
        let position = RUN_TABLES.iter().position(|table| table == name);
        Spool { position: position.expect("a table that runs fill"), rows }
    }

    /// Appends a row. A full block goes out: where blocks end depends on the rows alone.
    fn push(&mut self, out: &mut Out, row: &[Value<'_>]) {
        self.rows.push(row);
        let full = self.rows.table().rows() >= BLOCK_ROWS;
        if full || self.rows.text_bytes() >= BLOCK_TEXT_BYTES {
            out.block(self.position, &mut self.rows);
        }
    }
}

/// A [`Recorder`] that writes the tables of one run. A write that fails is told at the end, and by
/// [`TableRecorder::failed`]; the rows after it are lost.
#[derive(Debug)]
pub struct TableRecorder {
    out: Out,
    totals: Spool,
    sites: Spool,
    links: Spool,
    tenants: Spool,
    client_groups: Spool,
    events: Spool,
    flows: Spool,
    moves: Spool,
    /// Site names, to say where a group came from and goes.
    site_ids: Vec<String>,
    actions: Spool,
    zoom: Spool,
    warnings: BTreeSet<WarningEntry>,
}

impl TableRecorder {
    /// A recorder for one run of `scenario`, which it writes to a file.
    #[must_use]
    pub fn new(scenario: &Scenario, writer: CellWriter) -> TableRecorder {
        let network = &scenario.network;
        let sites = || network.sites.rows().iter().map(|row| row.id.as_str());
        let links = network.links.rows().iter().map(|row| row.id.as_str());
        let tenants = scenario.tenants.rows().iter().map(|row| row.id.as_str());
        let classes = scenario.classes.rows().iter().map(|row| row.id.as_str());
        let groups = || scenario.client_groups.rows().iter().map(|row| row.id.as_str());
        let services = scenario.services.rows().iter().map(|row| row.id.as_str());
        let prefixes = scenario.prefixes.rows().iter().map(|row| row.id.as_str());
        let colos = network.colos.rows().iter().map(|row| row.id.as_str());
        let table = TableBuilder::new;
        TableRecorder {
            out: Out { writer, failed: None },
            totals: Spool::new(table("totals")),
            sites: Spool::new(table("sites").with_dictionary("site", sites())),
            links: Spool::new(
                table("links")
                    .with_dictionary("link", links)
                    .with_dictionary("direction", ["forward", "back"].into_iter()),
            ),
            tenants: Spool::new(
                table("tenants")
                    .with_dictionary("tenant", tenants)
                    .with_dictionary("class", classes),
            ),
            client_groups: Spool::new(
                table("client_groups")
                    .with_dictionary("client_group", groups())
                    // Code 0 is "lands nowhere"; site n has code n + 1.
                    .with_dictionary("landing_site", std::iter::once("").chain(sites())),
            ),
            events: Spool::new(table("events")),
            flows: Spool::new(table("flows").with_dictionary("service", services)),
            moves: Spool::new(
                table("moves")
                    .with_dictionary("client_group", groups())
                    .with_dictionary("prefix", prefixes),
            ),
            site_ids: sites().map(str::to_owned).collect(),
            actions: Spool::new(table("actions")),
            zoom: Spool::new(table("zoom").with_dictionary("colo", colos)),
            warnings: BTreeSet::new(),
        }
    }

    /// Whether a write has failed: to go on would be in vain.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.out.failed.is_some()
    }

    /// Writes the rows that are left, the warnings and the totals. The file is then durable, under
    /// its temporary name.
    ///
    /// # Errors
    /// The first write that failed.
    pub(crate) fn finish(
        mut self,
        run: &RunHash,
        totals: &RunTotals,
    ) -> Result<CellWriter, StoreError> {
        let mut tables = [
            self.actions,
            self.client_groups,
            self.events,
            self.flows,
            self.links,
            self.moves,
            self.sites,
            self.tenants,
            self.totals,
            self.zoom,
        ];
        for Spool { position, rows } in &mut tables {
            self.out.block(*position, rows);
        }
        let Out { mut writer, failed } = self.out;
        if let Some(error) = failed {
            return Err(error);
        }
        let tables: Vec<&TableBuilder> = tables.iter().map(|table| &table.rows).collect();
        assert!(tables.iter().map(|rows| rows.table().name.as_str()).eq(RUN_TABLES));
        writer.finish(run, &tables, self.warnings.into_iter().collect(), totals)?;
        Ok(writer)
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
        self.totals.push(&mut self.out, &values);
    }

    fn arc(&mut self, start: SimTime, row: &ArcRow) {
        self.links.push(
            &mut self.out,
            &[
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
            ],
        );
    }

    fn flow_row(&mut self, start: SimTime, row: &FlowRow) {
        let times = &row.times;
        let of_finished = |value: f64| Value::F64(if row.finished > 0 { value } else { f64::NAN });
        let trip = if row.started > 0 { row.round_trip_ms_mean } else { f64::NAN };
        self.flows.push(
            &mut self.out,
            &[
                Value::F64(start.seconds()),
                Value::Code(row.service.0),
                Value::U64(row.started),
                Value::U64(row.finished),
                Value::U64(row.broken),
                Value::U64(row.active),
                Value::F64(row.started_bps),
                Value::F64(row.finished_bps),
                Value::F64(trip),
                of_finished(times.completion_s_mean),
                of_finished(times.completion_s_p50),
                of_finished(times.completion_s_p99),
                of_finished(times.slowdown_mean),
                of_finished(times.slowdown_p99),
            ],
        );
    }

    fn tenant(&mut self, start: SimTime, row: &TenantRow) {
        let mut values =
            vec![Value::F64(start.seconds()), Value::Code(row.tenant.0), Value::Code(row.class.0)];
        values.extend(flow(&row.flow));
        self.tenants.push(&mut self.out, &values);
    }
}

/// The columns of a flow, in the order of the column table.
fn flow(flow: &Flow) -> [Value<'static>; 20] {
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
        dropped[9],
        dropped[10],
        dropped[11],
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
            let asked = row.cache_requests_per_s > 0.0;
            let hits = if asked { row.cache_hit_ratio } else { f64::NAN };
            let caches = [row.cache_requests_per_s, hits, row.fetch_bps, row.origin_bps];
            values.extend(caches.map(Value::F64));
            self.sites.push(&mut self.out, &values);
        }
        for row in bucket.arcs {
            self.arc(bucket.start, row);
        }
        for row in bucket.tenants {
            self.tenant(bucket.start, row);
        }
        for row in bucket.flows {
            self.flow_row(bucket.start, row);
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
            self.client_groups.push(&mut self.out, &values);
        }
    }

    fn zoom_bucket(&mut self, start: SimTime, rows: &[ZoomRow]) {
        for row in rows {
            let counts = &row.counts;
            let served = counts.served > 0.0;
            let latency = |ms: f64| Value::F64(if served { ms } else { f64::NAN });
            let rate = |count: f64| Value::F64(count / row.seconds);
            let dropped: f64 = counts.dropped.iter().sum();
            let mut values = vec![
                Value::F64(start.seconds()),
                Value::Code(row.colo.0),
                Value::F64(row.seconds),
                rate(counts.offered),
                rate(counts.served),
                rate(dropped),
            ];
            values.extend(counts.dropped.map(rate));
            values.extend([counts.retries, counts.hedges, counts.wasted].map(rate));
            values.extend([counts.connections_opened, counts.connections_broken].map(Value::F64));
            let ms = &counts.latency_ms;
            values.extend([ms.mean, ms.p50, ms.p95, ms.p99].map(latency));
            values.extend(counts.parts_ms.map(latency));
            values.extend([
                Value::F64(counts.utilisation_mean),
                Value::F64(counts.utilisation_max),
                rate(counts.offered - counts.served - dropped),
            ]);
            self.zoom.push(&mut self.out, &values);
        }
    }

    fn event(&mut self, event: &EventRecord<'_>) {
        self.events.push(
            &mut self.out,
            &[
                Value::F64(event.at.seconds()),
                Value::Text(event.kind),
                Value::Text(event.agent),
                Value::Text(event.entity),
                Value::Text(event.label),
            ],
        );
    }

    fn moved(&mut self, row: &MoveRecord<'_>) {
        let name = |fate: Fate| match fate {
            Fate::Lands(landing) => self.site_ids[landing.site.index()].as_str(),
            Fate::Lost(cause) => cause.name(),
        };
        let (from, to) = (name(row.from), name(row.to));
        self.moves.push(
            &mut self.out,
            &[
                Value::F64(row.at.seconds()),
                Value::Text(row.cause),
                Value::Code(row.client_group.0),
                Value::Code(row.prefix.0),
                Value::Text(from),
                Value::Text(to),
                Value::F64(row.requests_per_s),
                Value::Text(row.as_path),
                Value::Text(row.reason),
            ],
        );
    }

    fn action(&mut self, action: &ActionRecord<'_>) {
        self.actions.push(
            &mut self.out,
            &[
                Value::F64(action.asked_at.seconds()),
                Value::U64(action.number),
                Value::F64(action.effect_at.map_or(f64::NAN, SimTime::seconds)),
                Value::Text(action.policy),
                Value::Text(action.surface.name()),
                Value::Text(action.action.name()),
                Value::Text(action.target),
                Value::Text(action.cause),
                Value::Text(action.refusal.map_or("", |refusal| refusal.name())),
            ],
        );
    }

    fn warning(&mut self, warning: &Warning) {
        self.warnings.insert(WarningEntry {
            code: warning.code.to_owned(),
            message: warning.message.clone(),
        });
    }
}
