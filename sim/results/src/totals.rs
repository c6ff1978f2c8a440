//! Final figures of a run as flat arrays of numbers, for its cached form.

use serde::{Deserialize, Serialize};
use steerlab_engine::net::{LinkId, SiteId};
use steerlab_engine::record::{
    ArcTotals, Flow, LatencyParts, LatencyStats, LinkBill, RunTotals, SiteTotals, ZoomCounts,
    ZoomTotals,
};

/// Numbers besides those of flows, arcs and sites: duration, latency, moved, non-best, byte-km,
/// transit, requests towards DNS names, those that followed an earlier answer; parts of latency.
const SCALARS: u64 = 16;
const FLOW_NUMBERS: usize = 19;
const ARC_NUMBERS: usize = 7;
const BILL_NUMBERS: usize = 3;
const SITE_NUMBERS: usize = 11;
const ZOOM_NUMBERS: usize = 26;
/// Whole numbers: arm, replication, applied, refused, flaps, events, fingerprint.
pub(crate) const COUNTS: u64 = 7;

/// How many rows the totals have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TotalsShape {
    flows: u64,
    arcs: u64,
    bills: u64,
    sites: u64,
    /// Not written where nothing was played request by request.
    #[serde(default, skip_serializing_if = "is_zero")]
    zoom: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl TotalsShape {
    pub(crate) fn of(totals: &RunTotals) -> TotalsShape {
        TotalsShape {
            flows: totals.flows.len() as u64,
            arcs: totals.arcs.len() as u64,
            bills: totals.bills.len() as u64,
            sites: totals.sites.len() as u64,
            zoom: totals.zoom.len() as u64,
        }
    }

    /// Numbers to read; none if there are more than can be counted.
    pub(crate) fn numbers(&self) -> Option<u64> {
        let flows = self.flows.checked_add(1)?.checked_mul(FLOW_NUMBERS as u64)?;
        let arcs = self.arcs.checked_mul(ARC_NUMBERS as u64)?;
        let sites = self.sites.checked_mul(SITE_NUMBERS as u64)?;
        let bills = self.bills.checked_mul(BILL_NUMBERS as u64)?;
        let zoom = self.zoom.checked_mul(ZOOM_NUMBERS as u64)?;
        let rows = flows.checked_add(arcs)?.checked_add(bills)?.checked_add(sites)?;
        rows.checked_add(zoom)?.checked_add(SCALARS)
    }
}

fn flow_numbers(flow: &Flow) -> [f64; FLOW_NUMBERS] {
    let dropped = flow.dropped_bits;
    [
        flow.offered_bits,
        flow.served_bits,
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
}

fn flow_of(numbers: &[f64]) -> Option<Flow> {
    let numbers: [f64; FLOW_NUMBERS] = numbers.try_into().ok()?;
    let [offered_bits, served_bits, a, b, c, d, e, f, g, h, i, j, k, l, queued_bits, rest @ ..] =
        numbers;
    let [offered_requests, served_requests, dropped_requests, queued_requests] = rest;
    let dropped_bits = [a, b, c, d, e, f, g, h, i, j, k, l];
    Some(Flow {
        offered_bits,
        served_bits,
        dropped_bits,
        queued_bits,
        offered_requests,
        served_requests,
        dropped_requests,
        queued_requests,
    })
}

/// The totals as (numbers, counts).
pub(crate) fn encode(totals: &RunTotals) -> (Vec<f64>, Vec<u64>) {
    let latency = &totals.latency_ms;
    let mut numbers = vec![
        totals.duration_s,
        latency.mean,
        latency.p50,
        latency.p95,
        latency.p99,
        totals.moved_requests_per_s,
        totals.non_best_site_ratio,
        totals.backbone_byte_km,
        totals.transit_ratio,
        totals.dns_requests,
        totals.dns_stale_requests,
    ];
    numbers.extend(totals.latency_parts_ms.values());
    numbers.extend(flow_numbers(&totals.total));
    numbers.extend(totals.flows.iter().flat_map(flow_numbers));
    for arc in &totals.arcs {
        numbers.extend([
            arc.utilisation_max,
            arc.utilisation_mean,
            arc.overload_s,
            arc.carried_bits,
            arc.dropped_bits,
            arc.queue_ms_mean,
            arc.marked_bits,
        ]);
    }
    for bill in &totals.bills {
        numbers.extend([f64::from(bill.link.0), bill.billed_bps, bill.cost]);
    }
    for site in &totals.sites {
        numbers.extend([
            site.cpu_utilisation_max,
            site.cpu_utilisation_mean,
            site.overload_s,
            site.served_requests,
            site.dropped_requests,
            site.answered_requests,
        ]);
        numbers.extend(site.latency_parts_ms.values());
    }
    numbers.extend(totals.zoom.iter().flat_map(zoom_numbers));
    let counts = vec![
        totals.arm as u64,
        totals.replication.into(),
        totals.actions_applied,
        totals.actions_refused,
        totals.flaps,
        totals.events,
        totals.fingerprint,
    ];
    (numbers, counts)
}

/// Whether every figure is a finite number.
pub(crate) fn all_finite(totals: &RunTotals) -> bool {
    encode(totals).0.iter().all(|number| number.is_finite())
}

/// The totals from (numbers, counts); none if they do not fit the shape.
pub(crate) fn decode(shape: &TotalsShape, numbers: &[f64], counts: &[u64]) -> Option<RunTotals> {
    if Some(numbers.len() as u64) != shape.numbers() {
        return None;
    }
    let (scalars, rest) = numbers.split_at(SCALARS as usize);
    let (scalars, parts) = scalars.split_at(11);
    let &[duration_s, mean, p50, p95, p99, moved, non_best, byte_km, transit, named, stale] =
        scalars
    else {
        return None;
    };
    let (total, rest) = rest.split_at(FLOW_NUMBERS);
    let (flows, rest) = rest.split_at(usize::try_from(shape.flows).ok()? * FLOW_NUMBERS);
    let (arcs, rest) = rest.split_at(usize::try_from(shape.arcs).ok()? * ARC_NUMBERS);
    let (bills, rest) = rest.split_at(usize::try_from(shape.bills).ok()? * BILL_NUMBERS);
    let (sites, zoom) = rest.split_at(usize::try_from(shape.sites).ok()? * SITE_NUMBERS);
    let &[arm, replication, actions_applied, actions_refused, flaps, events, fingerprint] = counts
    else {
        return None;
    };
    Some(RunTotals {
        arm: usize::try_from(arm).ok()?,
        replication: u32::try_from(replication).ok()?,
        duration_s,
        flows: flows.chunks_exact(FLOW_NUMBERS).map(flow_of).collect::<Option<_>>()?,
        total: flow_of(total)?,
        latency_ms: LatencyStats { mean, p50, p95, p99 },
        latency_parts_ms: LatencyParts::of(parts.try_into().ok()?),
        arcs: arcs.chunks_exact(ARC_NUMBERS).map(arc_of).collect(),
        bills: bills.chunks_exact(BILL_NUMBERS).map(bill_of).collect(),
        sites: sites.chunks_exact(SITE_NUMBERS).map(site_of).collect::<Option<_>>()?,
        zoom: zoom.chunks_exact(ZOOM_NUMBERS).map(zoom_of).collect::<Option<_>>()?,
        moved_requests_per_s: moved,
        non_best_site_ratio: non_best,
        actions_applied,
        actions_refused,
        flaps,
        backbone_byte_km: byte_km,
        transit_ratio: transit,
        dns_requests: named,
        dns_stale_requests: stale,
        events,
        fingerprint,
    })
}

/// Callers give rows of [`ARC_NUMBERS`] numbers.
fn arc_of(row: &[f64]) -> ArcTotals {
    ArcTotals {
        utilisation_max: row[0],
        utilisation_mean: row[1],
        overload_s: row[2],
        carried_bits: row[3],
        dropped_bits: row[4],
        queue_ms_mean: row[5],
        marked_bits: row[6],
    }
}

/// Callers give rows of [`BILL_NUMBERS`] numbers.
fn bill_of(row: &[f64]) -> LinkBill {
    LinkBill { link: LinkId(row[0] as u32), billed_bps: row[1], cost: row[2] }
}

fn site_of(row: &[f64]) -> Option<SiteTotals> {
    Some(SiteTotals {
        cpu_utilisation_max: row[0],
        cpu_utilisation_mean: row[1],
        overload_s: row[2],
        served_requests: row[3],
        dropped_requests: row[4],
        answered_requests: row[5],
        latency_parts_ms: LatencyParts::of(row[6..].try_into().ok()?),
    })
}

/// A row of what was played request by request; the first number is the site plus one, 0 for all.
fn zoom_numbers(row: &ZoomTotals) -> [f64; ZOOM_NUMBERS] {
    let (counts, ms) = (&row.counts, &row.counts.latency_ms);
    let [refused, timed_out, failed, broken, no_server] = counts.dropped;
    let [setup, propagation, link_queue, wait, service, origin, retry] = counts.parts_ms;
    [
        row.site.map_or(0.0, |site| f64::from(site.0) + 1.0),
        counts.offered,
        counts.served,
        refused,
        timed_out,
        failed,
        broken,
        no_server,
        counts.retries,
        counts.hedges,
        counts.wasted,
        counts.connections_opened,
        counts.connections_broken,
        ms.mean,
        ms.p50,
        ms.p95,
        ms.p99,
        setup,
        propagation,
        link_queue,
        wait,
        service,
        origin,
        retry,
        counts.utilisation_mean,
        counts.utilisation_max,
    ]
}

fn zoom_of(row: &[f64]) -> Option<ZoomTotals> {
    let &[mean, p50, p95, p99] = row.get(13..17)? else { return None };
    let &[utilisation_mean, utilisation_max] = row.get(24..)? else { return None };
    Some(ZoomTotals {
        site: (row[0] > 0.0).then(|| SiteId(row[0] as u32 - 1)),
        counts: ZoomCounts {
            offered: row[1],
            served: row[2],
            dropped: row[3..8].try_into().ok()?,
            retries: row[8],
            hedges: row[9],
            wasted: row[10],
            connections_opened: row[11],
            connections_broken: row[12],
            latency_ms: LatencyStats { mean, p50, p95, p99 },
            parts_ms: row[17..24].try_into().ok()?,
            utilisation_mean,
            utilisation_max,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit;

    #[test]
    fn totals_go_both_ways() {
        let mut totals = testkit::totals();
        // Every field with a value of its own, so that a swap would show.
        totals.flows[1].dropped_bits =
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0];
        totals.flows[1].queued_bits = 6.0;
        totals.flows[1].queued_requests = 7.0;
        (totals.arm, totals.replication) = (2, 3);
        let all: [f64; ZOOM_NUMBERS] = std::array::from_fn(|at| at as f64);
        let some = all.map(|number| number * 3.0 + 7.0);
        totals.zoom = [all, some].iter().map(|row| zoom_of(row).unwrap()).collect();
        assert_eq!(zoom_numbers(&totals.zoom[0]), all);
        let (numbers, counts) = encode(&totals);
        let shape = TotalsShape::of(&totals);
        assert_eq!(decode(&shape, &numbers, &counts), Some(totals));
        assert_eq!(decode(&shape, &numbers[1..], &counts), None);
        assert_eq!(decode(&shape, &numbers, &counts[1..]), None);
    }
}
