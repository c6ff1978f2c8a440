//! From counts to rows: what a recorder is told at the end of a bucket, and at the end of a run.

use super::World;
use crate::kernel::{Id, SimTime};
use crate::net::ArcId;
use crate::record::{
    ArcRow, Bucket, ClientRow, Flow, LatencyParts, LatencyStats, Recorder, RunTotals, SiteRow,
    TenantRow, TotalRow, Warning,
};
use crate::route::Fate;
use crate::scenario::{ClassId, TenantId};

/// A total as a rate per second.
fn per_second(flow: &Flow, seconds: f64) -> Flow {
    Flow {
        offered_bits: flow.offered_bits / seconds,
        served_bits: flow.served_bits / seconds,
        dropped_bits: flow.dropped_bits.map(|bits| bits / seconds),
        queued_bits: flow.queued_bits / seconds,
        offered_requests: flow.offered_requests / seconds,
        served_requests: flow.served_requests / seconds,
        dropped_requests: flow.dropped_requests / seconds,
        queued_requests: flow.queued_requests / seconds,
    }
}

/// Offered = served + dropped + growth of queues, within 1e-9 of the largest amount involved. Kept
/// in release builds.
fn assert_conserved(flow: &Flow, scale: f64, what: &str) {
    let accounted = flow.served_bits + flow.dropped_bits_total() + flow.queued_bits;
    let error = (flow.offered_bits - accounted).abs();
    let scale = scale.max(flow.offered_bits).max(flow.served_bits).max(flow.queued_bits.abs());
    assert!(
        error <= 1e-9 * scale + 1e-6,
        "{what}: {} bits offered, {accounted} accounted for",
        flow.offered_bits
    );
}

/// A part over its whole; 0 of nothing.
fn share_of(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Means of what `requests` waited for; zeros without requests.
fn mean_parts(sum: &LatencyParts, requests: f64) -> LatencyParts {
    if requests > 0.0 { sum.scaled(1.0 / requests) } else { LatencyParts::default() }
}

/// Means of the parts that add up to the mean latency. Latencies are counted in whole nanoseconds
/// and each is cut twice at most; the parts are counted on their own and must agree within that
/// (kept in release builds). What was cut is shared among the parts.
fn parts_of_mean(sum: &LatencyParts, requests: f64, latency: &LatencyStats) -> LatencyParts {
    let parts = mean_parts(sum, requests);
    let whole = parts.total();
    assert!(
        requests <= 0.0 || (whole - latency.mean).abs() <= 2.1e-6 + 1e-9 * latency.mean,
        "parts of latency add up to {whole} ms, the mean is {} ms",
        latency.mean
    );
    if whole > 0.0 { parts.scaled(latency.mean / whole) } else { parts }
}

impl World<'_> {
    /// Tells the recorder of the bucket that ends now and begins the next.
    pub fn end_bucket(&mut self, start: SimTime, end: SimTime, recorder: &mut dyn Recorder) {
        self.count_until(end);
        if end == SimTime::ZERO.after(self.scenario.horizon) {
            self.balance_accounts();
        }
        let seconds = end.since(start).seconds();
        let mut total = Flow::default();
        for flow in &self.ledger.bucket_flows {
            total.add(flow);
        }
        assert_conserved(&total, self.run_offered_bits(), "bucket");
        let sites = self.site_rows(seconds);
        let arcs = self.arc_rows(end, seconds);
        let tenants = self.tenant_rows(seconds);
        let flows = self.flow_rows(seconds);
        let ledger = &self.ledger;
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let mut parts = LatencyParts::default();
        ledger.sites.iter().for_each(|count| parts.add(&count.latency_parts, 1.0));
        let latency_ms = ledger.latency_bucket.stats();
        let row = TotalRow {
            flow: per_second(&total, seconds),
            latency_ms,
            latency_parts_ms: parts_of_mean(&parts, ledger.served_bucket, &latency_ms),
            non_best_site_ratio: share(ledger.non_best_bucket, ledger.served_bucket),
            moved_requests_per_s: ledger.moved_requests_per_s,
        };
        recorder.bucket(&Bucket {
            start,
            end,
            sites: &sites,
            arcs: &arcs,
            tenants: &tenants,
            flows: &flows,
            total: &row,
        });
        self.close_bucket();
        self.end_zoom_bucket(start, recorder);
    }

    /// Everything offered so far: queues may release what an earlier bucket offered, so rounding
    /// is judged against what has been counted.
    fn run_offered_bits(&self) -> f64 {
        self.ledger.run_flows.iter().map(|flow| flow.offered_bits).sum()
    }

    fn site_rows(&self, seconds: f64) -> Vec<SiteRow> {
        let network = &self.scenario.network;
        network
            .sites
            .ids()
            .map(|site| {
                let count = &self.ledger.sites[site.index()];
                let announced =
                    self.scenario.prefixes.ids().filter(|&prefix| self.heard(prefix, site)).count();
                SiteRow {
                    cpu_utilisation_mean: count.utilisation_s / seconds,
                    cpu_utilisation_max: count.utilisation_max,
                    landed_requests_per_s: count.landed_requests / seconds,
                    served_requests_per_s: count.served_requests / seconds,
                    dropped_requests_per_s: count.dropped_requests / seconds,
                    queued_requests: count.queued_requests,
                    egress_bps: count.egress_bits / seconds,
                    answered_requests_per_s: count.answered_requests / seconds,
                    latency_parts_ms: mean_parts(&count.latency_parts, count.answered_requests),
                    cache_hit_ratio: share_of(count.cached[1], count.cached[0]),
                    cache_requests_per_s: count.cached[0] / seconds,
                    fetch_bps: count.cached[2] / seconds,
                    origin_bps: count.cached[3] / seconds,
                    announced_prefixes: announced as u32,
                    up: self.truth.site_up[site],
                }
            })
            .collect()
    }

    fn arc_rows(&self, end: SimTime, seconds: f64) -> Vec<ArcRow> {
        let network = &self.scenario.network;
        (0..network.arc_count())
            .map(ArcId::from_index)
            .filter(|arc| network.links[arc.link()].capacity_bps[arc.direction()] > 0)
            .map(|arc| {
                let count = &self.ledger.arcs[arc.index()];
                ArcRow {
                    arc,
                    utilisation_mean: count.utilisation_s / seconds,
                    utilisation_max: count.utilisation_max,
                    placed_bps: count.placed_bits / seconds,
                    carried_bps: count.carried_bits / seconds,
                    dropped_bps: count.dropped_bits / seconds,
                    queue_ms_mean: if count.carried_bits > 0.0 {
                        count.queue_bit_s / count.carried_bits * 1e3
                    } else {
                        0.0
                    },
                    marked_bps: count.marked_bits / seconds,
                    backlog_bits: self.backlog_bits(arc, end),
                    capacity_bps: self.truth.links.capacity_bps[arc.index()],
                    announced_blocks: self.truth.links.blocks[arc.index()].count_ones(),
                }
            })
            .collect()
    }

    fn tenant_rows(&self, seconds: f64) -> Vec<TenantRow> {
        let classes = self.scenario.classes.len();
        self.ledger
            .bucket_flows
            .iter()
            .enumerate()
            .map(|(slot, flow)| TenantRow {
                tenant: TenantId::from_index(slot / classes),
                class: ClassId::from_index(slot % classes),
                flow: per_second(flow, seconds),
            })
            .collect()
    }

    /// Adds the bucket to the run and empties it.
    fn close_bucket(&mut self) {
        let ledger = &mut self.ledger;
        for (run, bucket) in ledger.run_flows.iter_mut().zip(&mut ledger.bucket_flows) {
            run.add(bucket);
            *bucket = Flow::default();
        }
        for (total, count) in ledger.site_totals.iter_mut().zip(&mut ledger.sites) {
            total.cpu_utilisation_max = total.cpu_utilisation_max.max(count.utilisation_max);
            total.cpu_utilisation_mean += count.utilisation_s;
            total.overload_s += count.overload_s;
            total.served_requests += count.served_requests;
            total.dropped_requests += count.dropped_requests;
            total.answered_requests += count.answered_requests;
            total.latency_parts_ms.add(&count.latency_parts, 1.0);
            ledger.parts_run.add(&count.latency_parts, 1.0);
            *count = super::ledger::SiteCount {
                queued_requests: count.queued_requests,
                ..super::ledger::SiteCount::default()
            };
        }
        for (total, count) in ledger.arc_totals.iter_mut().zip(&mut ledger.arcs) {
            total.utilisation_max = total.utilisation_max.max(count.utilisation_max);
            total.utilisation_mean += count.utilisation_s;
            total.overload_s += count.overload_s;
            total.carried_bits += count.carried_bits;
            total.dropped_bits += count.dropped_bits;
            total.marked_bits += count.marked_bits;
            total.queue_ms_mean += count.queue_bit_s * 1e3;
            *count = super::ledger::ArcCount::default();
        }
        ledger.latency_run.merge(&ledger.latency_bucket);
        ledger.latency_bucket.clear();
        ledger.moved_total += ledger.moved_requests_per_s;
        ledger.moved_requests_per_s = 0.0;
        ledger.served_run += ledger.served_bucket;
        ledger.non_best_run += ledger.non_best_bucket;
        ledger.served_bucket = 0.0;
        ledger.non_best_bucket = 0.0;
    }

    /// Tells the recorder of the client bucket that ends now and begins the next.
    pub fn end_client_bucket(&mut self, start: SimTime, end: SimTime, recorder: &mut dyn Recorder) {
        self.count_until(end);
        let seconds = end.since(start).seconds();
        let scenario = self.scenario;
        let prefixes = scenario.prefixes.len();
        let mut rows = Vec::with_capacity(scenario.client_groups.len());
        for group in scenario.client_groups.ids() {
            let count = std::mem::take(&mut self.ledger.groups[group.index()]);
            assert_conserved(&count.flow, count.flow.offered_bits, "client group");
            let landing = self
                .dns
                .main_prefix(self.scenario, group)
                .or(self.bundles.first_prefix[group.index()])
                .and_then(|prefix| self.steering.fate(prefixes, group, prefix).site());
            let requests = count.flow.served_requests;
            let mean_s = if requests > 0.0 { count.latency_s / requests } else { 0.0 };
            rows.push(ClientRow {
                client_group: group,
                flow: per_second(&count.flow, seconds),
                latency_ms_mean: mean_s * 1e3,
                landing,
            });
        }
        recorder.client_bucket(start, end, &rows);
    }

    /// Final figures; all buckets have been ended.
    pub fn totals(&self, duration_s: f64) -> RunTotals {
        let ledger = &self.ledger;
        let mut total = Flow::default();
        for flow in &ledger.run_flows {
            total.add(flow);
        }
        assert_conserved(&total, total.offered_bits, "run");
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let mut arcs = ledger.arc_totals.clone();
        for arc in &mut arcs {
            arc.utilisation_mean /= duration_s;
            arc.queue_ms_mean = share(arc.queue_ms_mean, arc.carried_bits);
        }
        let mut sites = ledger.site_totals.clone();
        for site in &mut sites {
            site.cpu_utilisation_mean /= duration_s;
            site.latency_parts_ms = mean_parts(&site.latency_parts_ms, site.answered_requests);
        }
        let latency_ms = ledger.latency_run.stats();
        RunTotals {
            duration_s,
            flows: ledger.run_flows.clone(),
            total,
            latency_ms,
            latency_parts_ms: parts_of_mean(&ledger.parts_run, ledger.served_run, &latency_ms),
            arcs,
            bills: self.bills(SimTime::ZERO.after(self.scenario.horizon)),
            sites,
            zoom: self.zoom_totals(),
            moved_requests_per_s: ledger.moved_total,
            non_best_site_ratio: share(ledger.non_best_run, ledger.served_run),
            actions_applied: self.requests.applied,
            actions_refused: self.requests.refused,
            flaps: self.requests.flaps,
            dns_requests: self.dns.requests,
            dns_stale_requests: self.dns.stale_requests,
            backbone_byte_km: ledger.backbone_byte_km,
            transit_ratio: share(ledger.transit_bits, ledger.exit_bits),
            ..RunTotals::default()
        }
    }

    /// Things to know before trusting the figures.
    pub fn warnings(&self, recorder: &mut dyn Recorder) {
        if self.fluid.residual_max > 1e-9 {
            recorder.warning(&Warning {
                code: "W0101",
                message: format!(
                    "the shares of full links did not settle (residual {:.1e}): traffic on links \
                     that are full in a circle is carried at a feasible, not the exact, share",
                    self.fluid.residual_max
                ),
            });
        }
        self.landing_model.caveats().iter().for_each(|warning| recorder.warning(warning));
        let nowhere = Fate::Lost(crate::record::DropCause::NoRoute);
        let unreachable = self.scenario.client_groups.ids().any(|group| {
            let mut prefixes = self.scenario.prefixes.ids();
            prefixes.any(|prefix| self.landing_model.fate(group, prefix) == nowhere)
        });
        if unreachable {
            recorder.warning(&Warning {
                code: "W0102",
                message: "some client groups land at no site at the end of the run: nobody they \
                          can reach announces their prefix"
                    .to_owned(),
            });
        }
    }
}
