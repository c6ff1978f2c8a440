//! The metric catalogue: one entry a metric, in one table.
//!
//! Adding a metric is one line of the table here and one function below it.

use crate::labels::{Labels, Split, label_sets, named_sets};
use std::sync::OnceLock;
use steerlab_engine::net::{ArcId, LinkId};
use steerlab_engine::record::{
    ArcTotals, Better, Flow, LatencyParts, LatencyStats, LinkBill, MetricInfo, RunTotals,
    ZoomCounts,
};
use steerlab_engine::scenario::Scenario;

/// What a metric is computed from: one finished run and the part of it that is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Final figures of the run.
    pub totals: &'a RunTotals,
    /// The entities asked about.
    pub split: Split,
}

/// Value of a metric; none where it has no value, such as a ratio of nothing.
type Evaluate = fn(&Query<'_>) -> Option<f64>;

const fn info(
    id: &'static str,
    unit: &'static str,
    better: Better,
    labels: &'static [&'static str],
    meaning: &'static str,
) -> MetricInfo {
    MetricInfo { id, unit, meaning, better, labels }
}

use Better::{Higher, Lower, Neither};

/// Labels of a metric of traffic.
const WHOSE: &[&str] = &["class", "tenant"];

#[rustfmt::skip]
static TABLE: [(MetricInfo, Evaluate); 45] = [
    (info("offered_bits", "bit", Neither, WHOSE, "traffic that wanted to be moved"), |q| Some(flow(q)?.offered_bits)),
    (info("served_bits", "bit", Higher, WHOSE, "traffic delivered end to end"), |q| Some(flow(q)?.served_bits)),
    (info("served_ratio", "", Higher, WHOSE, "bits delivered end to end over bits offered"), served_ratio),
    (info("loss_ratio", "", Lower, &["class", "tenant", "cause"], "bits dropped over bits offered"), loss_ratio),
    (info("availability_ratio", "", Higher, WHOSE, "requests answered over requests offered"), availability_ratio),
    (info("latency_ms_mean", "ms", Lower, &[], "mean latency of answered requests"), |q| latency(q, q.totals.latency_ms.mean)),
    (info("latency_ms_p50", "ms", Lower, &[], "median latency of answered requests"), |q| latency(q, q.totals.latency_ms.p50)),
    (info("latency_ms_p95", "ms", Lower, &[], "95th percentile of the latency of answered requests"), |q| latency(q, q.totals.latency_ms.p95)),
    (info("latency_ms_p99", "ms", Lower, &[], "99th percentile of the latency of answered requests"), |q| latency(q, q.totals.latency_ms.p99)),
    (info("latency_setup_ms_mean", "ms", Lower, &["site"], "part of the mean latency: round trips that only set the connection up; by landing site"), |q| part(q, |parts| parts.setup_ms)),
    (info("latency_propagation_ms_mean", "ms", Lower, &["site"], "part of the mean latency: the way of request and answer, without queueing; by landing site"), |q| part(q, |parts| parts.propagation_ms)),
    (info("latency_link_queue_ms_mean", "ms", Lower, &["site"], "part of the mean latency: waiting in buffers of our links; by landing site"), |q| part(q, |parts| parts.link_queue_ms)),
    (info("latency_service_ms_mean", "ms", Lower, &["site"], "part of the mean latency: waiting for servers and being served; by landing site"), |q| part(q, |parts| parts.service_ms)),
    (info("latency_origin_ms_mean", "ms", Lower, &["site"], "part of the mean latency: fetching from the origin what caches do not hold; by landing site"), |q| part(q, |parts| parts.origin_ms)),
    (info("non_best_site_ratio", "", Lower, &[], "requests that landed elsewhere than at their best site over all requests"), non_best_site_ratio),
    (info("users_moved_requests_per_s", "requests/s", Lower, &[], "requests whose landing site changed, as rates at each change, summed"), |q| Some(q.totals.moved_requests_per_s)),
    (info("link_utilisation_max", "", Lower, &["link"], "largest placed load over capacity of any link, direction and instant"), |q| arcs_max(q, |arc| arc.utilisation_max)),
    (info("link_utilisation_mean", "", Lower, &["link"], "time mean of placed load over capacity, mean over link directions with capacity"), link_utilisation_mean),
    (info("link_overload_s", "s", Lower, &["link"], "seconds with placed load above capacity, on the link direction with most of them"), |q| arcs_max(q, |arc| arc.overload_s)),
    (info("link_carried_bits", "bit", Neither, &["link"], "bits carried, summed over links and directions"), |q| arcs_sum(q, |arc| arc.carried_bits)),
    (info("link_dropped_bits", "bit", Lower, &["link"], "bits dropped at full or dead links, summed over links and directions"), |q| arcs_sum(q, |arc| arc.dropped_bits)),
    (info("link_queue_ms_mean", "ms", Lower, &["link"], "how long bits waited in front of links, mean over bits carried"), link_queue_ms_mean),
    (info("marked_ratio", "", Lower, &["link"], "bits of elastic services that full links marked (ECN) over bits carried"), |q| ratio(arcs_sum(q, |arc| arc.marked_bits)?, arcs_sum(q, |arc| arc.carried_bits)?)),
    (info("billed_bps", "bit/s", Lower, &["link"], "rates at which links are billed, each the percentile of its five-minute samples, summed over links with a price"), |q| bills(q).map(|bill| bill.billed_bps).reduce(|sum, one| sum + one)),
    (info("cost_p95", "", Lower, &["link"], "cost of links with a price at their billed percentile (the 95th unless another is set), in the currency of the prices"), |q| bills(q).map(|bill| bill.cost).reduce(|sum, one| sum + one)),
    (info("site_utilisation_max", "", Lower, &["site"], "largest offered CPU work over capacity of any site with servers, at any instant"), |q| sites(q).map(|site| site.cpu_utilisation_max).reduce(f64::max)),
    (info("site_utilisation_mean", "", Neither, &["site"], "time mean of offered CPU work over capacity, mean over sites with servers"), |q| mean(sites(q).map(|site| site.cpu_utilisation_mean))),
    (info("site_overload_s", "s", Lower, &["site"], "seconds with more CPU work offered than capacity, at the site with most of them"), |q| sites(q).map(|site| site.overload_s).reduce(f64::max)),
    (info("zoom_offered_requests", "requests", Neither, &["site"], "requests that arrived where the scenario zooms"), |q| Some(zoom(q)?.offered)),
    (info("zoom_served_ratio", "", Higher, &["site"], "requests answered over requests that arrived where the scenario zooms"), |q| zoom(q).and_then(|zoom| ratio(zoom.served, zoom.offered))),
    (info("zoom_latency_ms_mean", "ms", Lower, &["site"], "mean latency of requests answered where the scenario zooms"), |q| zoom_latency(q, |ms| ms.mean)),
    (info("zoom_latency_ms_p50", "ms", Lower, &["site"], "median of that latency"), |q| zoom_latency(q, |ms| ms.p50)),
    (info("zoom_latency_ms_p95", "ms", Lower, &["site"], "95th percentile of that latency"), |q| zoom_latency(q, |ms| ms.p95)),
    (info("zoom_latency_ms_p99", "ms", Lower, &["site"], "99th percentile of that latency"), |q| zoom_latency(q, |ms| ms.p99)),
    (info("zoom_wait_ms_mean", "ms", Lower, &["site"], "waiting at the servers beyond the service itself, mean of those requests"), |q| zoom_part(q, 3)),
    (info("zoom_setup_ms_mean", "ms", Lower, &["site"], "setting up connections, mean of those requests"), |q| zoom_part(q, 0)),
    (info("zoom_retry_ratio", "", Lower, &["site"], "retries over requests that arrived where the scenario zooms"), |q| zoom(q).and_then(|zoom| ratio(zoom.retries, zoom.offered))),
    (info("zoom_connections_broken", "", Lower, &["site"], "connections broken where the scenario zooms"), |q| Some(zoom(q)?.connections_broken)),
    (info("zoom_server_utilisation_max", "", Lower, &["site"], "share of its time that the busiest server worked where the scenario zooms"), |q| Some(zoom(q)?.utilisation_max)),
    (info("actions_applied", "", Neither, &[], "policy actions that took effect"), |q| Some(q.totals.actions_applied as f64)),
    (info("actions_refused", "", Neither, &[], "policy actions asked for and refused"), |q| Some(q.totals.actions_refused as f64)),
    (info("flaps", "", Lower, &[], "actions that undid an earlier one on the same target within ten minutes"), |q| Some(q.totals.flaps as f64)),
    (info("dns_stale_answer_ratio_mean", "", Lower, &[], "requests towards DNS names that followed an earlier answer than the last one over all such requests"), dns_stale_answer_ratio),
    (info("backbone_byte_km", "byte km", Lower, &[], "bytes times kilometres carried on backbone links"), |q| Some(q.totals.backbone_byte_km)),
    (info("transit_ratio", "", Lower, &[], "bits that left over transit links over all bits that left"), |q| Some(q.totals.transit_ratio)),
];

/// All metrics, in catalogue order: what checks and comparisons may name.
#[must_use]
pub fn metrics() -> &'static [MetricInfo] {
    static INFOS: OnceLock<Vec<MetricInfo>> = OnceLock::new();
    INFOS.get_or_init(|| TABLE.iter().map(|(info, _)| *info).collect())
}

/// The entry of a metric id.
#[must_use]
pub fn find(metric: &str) -> Option<&'static MetricInfo> {
    metrics().iter().find(|info| info.id == metric)
}

/// One value of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSample {
    /// Metric id.
    pub metric: &'static str,
    /// (label, value) pairs in catalogue order; empty for the whole network.
    pub labels: Labels,
    /// The value; none where there is none (a ratio of nothing) or it is not finite.
    pub value: Option<f64>,
}

/// Evaluates the whole catalogue for one run: every metric for the whole network, then split by
/// each of its labels alone (kinds with more than [`crate::labels::SPLIT_MAX`] entities are left
/// out), then the sets of labels that the scenario's checks and comparison name.
#[must_use]
pub fn evaluate(scenario: &Scenario, totals: &RunTotals) -> Vec<MetricSample> {
    let named = named_sets(scenario);
    let mut samples = Vec::new();
    for (info, function) in &TABLE {
        let mut sets = label_sets(scenario, info);
        for (metric, labels) in &named {
            if metric == info.id && !sets.contains(labels) {
                sets.push(labels.clone());
            }
        }
        for labels in sets {
            let value = Split::of(scenario, info, &labels)
                .and_then(|split| function(&Query { scenario, totals, split }))
                .filter(|value| value.is_finite());
            samples.push(MetricSample { metric: info.id, labels, value });
        }
    }
    samples
}

/// Flow of the class and tenant asked about, summed in id order.
fn flow(query: &Query<'_>) -> Option<Flow> {
    let Query { scenario, totals, split } = query;
    if split.class.is_none() && split.tenant.is_none() {
        return Some(totals.total);
    }
    let classes = scenario.classes.len();
    let mut sum = Flow::default();
    for tenant in scenario.tenants.ids().filter(|id| split.tenant.is_none_or(|one| one == *id)) {
        for class in scenario.classes.ids().filter(|id| split.class.is_none_or(|one| one == *id)) {
            sum.add(totals.flows.get(tenant.0 as usize * classes + class.0 as usize)?);
        }
    }
    Some(sum)
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// What was played request by request at the site asked about; none if nothing was.
fn zoom<'a>(query: &Query<'a>) -> Option<&'a ZoomCounts> {
    let row = query.totals.zoom.iter().find(|row| row.site == query.split.site)?;
    Some(&row.counts)
}

fn zoom_latency(query: &Query<'_>, which: fn(&LatencyStats) -> f64) -> Option<f64> {
    zoom(query).filter(|zoom| zoom.served > 0.0).map(|zoom| which(&zoom.latency_ms))
}

fn zoom_part(query: &Query<'_>, part: usize) -> Option<f64> {
    zoom(query).filter(|zoom| zoom.served > 0.0).map(|zoom| zoom.parts_ms[part])
}

fn served_ratio(query: &Query<'_>) -> Option<f64> {
    let flow = flow(query)?;
    ratio(flow.served_bits, flow.offered_bits)
}

fn availability_ratio(query: &Query<'_>) -> Option<f64> {
    let flow = flow(query)?;
    ratio(flow.served_requests, flow.offered_requests)
}

fn loss_ratio(query: &Query<'_>) -> Option<f64> {
    let flow = flow(query)?;
    let dropped = match query.split.cause {
        Some(cause) => flow.dropped_bits[cause as usize],
        None => flow.dropped_bits_total(),
    };
    ratio(dropped, flow.offered_bits)
}

fn latency(query: &Query<'_>, value: f64) -> Option<f64> {
    (query.totals.total.served_requests > 0.0).then_some(value)
}

/// A part of the mean latency, of all requests or of those that landed at a site.
fn part(query: &Query<'_>, value: fn(&LatencyParts) -> f64) -> Option<f64> {
    let Some(site) = query.split.site else {
        return latency(query, value(&query.totals.latency_parts_ms));
    };
    let site = query.totals.sites.get(site.0 as usize)?;
    (site.answered_requests > 0.0).then(|| value(&site.latency_parts_ms))
}

fn non_best_site_ratio(query: &Query<'_>) -> Option<f64> {
    (query.totals.total.offered_requests > 0.0).then_some(query.totals.non_best_site_ratio)
}

fn dns_stale_answer_ratio(query: &Query<'_>) -> Option<f64> {
    let RunTotals { dns_requests, dns_stale_requests, .. } = *query.totals;
    (dns_requests > 0.0).then(|| dns_stale_requests / dns_requests)
}

/// Totals of the arcs asked about that have capacity in the scenario.
fn arcs<'a>(query: &Query<'a>) -> impl Iterator<Item = &'a ArcTotals> + use<'a> {
    let Query { scenario, totals, split } = *query;
    let arc_of = move |link: LinkId, direction: usize| {
        let capacity = scenario.network.links[link].capacity_bps[direction];
        (capacity > 0).then(|| totals.arcs.get(ArcId::of(link, direction).0 as usize)).flatten()
    };
    scenario
        .network
        .links
        .ids()
        .filter(move |link| split.link.is_none_or(|one| one == *link))
        .flat_map(move |link| (0..2).filter_map(move |direction| arc_of(link, direction)))
}

fn arcs_max(query: &Query<'_>, value: fn(&ArcTotals) -> f64) -> Option<f64> {
    arcs(query).map(value).reduce(f64::max)
}

fn arcs_sum(query: &Query<'_>, value: fn(&ArcTotals) -> f64) -> Option<f64> {
    arcs(query).map(value).reduce(|sum, value| sum + value)
}

fn link_utilisation_mean(query: &Query<'_>) -> Option<f64> {
    mean(arcs(query).map(|arc| arc.utilisation_mean))
}

fn link_queue_ms_mean(query: &Query<'_>) -> Option<f64> {
    let (mut waited, mut carried) = (0.0, 0.0);
    for arc in arcs(query) {
        waited += arc.queue_ms_mean * arc.carried_bits;
        carried += arc.carried_bits;
    }
    ratio(waited, carried)
}

/// Bills of the links asked about.
fn bills<'a>(query: &Query<'a>) -> impl Iterator<Item = &'a LinkBill> + use<'a> {
    let Query { totals, split, .. } = *query;
    totals.bills.iter().filter(move |bill| split.link.is_none_or(|link| link == bill.link))
}

/// Totals of the sites asked about that have servers.
fn sites<'a>(
    query: &Query<'a>,
) -> impl Iterator<Item = &'a steerlab_engine::record::SiteTotals> + use<'a> {
    let Query { scenario, totals, split } = *query;
    let network = &scenario.network;
    network
        .sites
        .iter()
        .filter(move |(id, _)| split.site.is_none_or(|one| one == *id))
        .filter(|(_, site)| site.colos.iter().any(|colo| !network.colos[*colo].pools.is_empty()))
        .filter_map(|(id, _)| totals.sites.get(id.0 as usize))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u64);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::unit_of;
    use crate::testkit;

    fn value(samples: &[MetricSample], metric: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: Labels =
            labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        samples
            .iter()
            .find(|sample| sample.metric == metric && sample.labels == labels)
            .unwrap_or_else(|| panic!("no sample of {metric} {labels:?}"))
            .value
    }

    #[test]
    fn ids_are_unique_and_state_their_unit() {
        for (position, info) in metrics().iter().enumerate() {
            assert_eq!(info.unit, unit_of(info.id), "{}", info.id);
            assert!(metrics()[..position].iter().all(|other| other.id != info.id));
            assert!(!info.meaning.is_empty());
        }
        assert_eq!(find("flaps").map(|info| info.id), Some("flaps"));
        assert!(find("flap").is_none());
    }

    #[test]
    fn traffic_is_split_by_class_tenant_and_cause() {
        let scenario = testkit::scenario();
        let samples = evaluate(&scenario, &testkit::totals());
        // testkit: (tenant, class) offered 100, 200, 300, 400 bit; dropped 0, 20, 30, 0.
        assert_eq!(value(&samples, "offered_bits", &[]), Some(1000.0));
        assert_eq!(value(&samples, "offered_bits", &[("class", "bulk")]), Some(600.0));
        assert_eq!(value(&samples, "offered_bits", &[("tenant", "shop")]), Some(300.0));
        assert_eq!(value(&samples, "loss_ratio", &[]), Some(0.05));
        assert_eq!(value(&samples, "loss_ratio", &[("tenant", "shop")]), Some(20.0 / 300.0));
        assert_eq!(value(&samples, "loss_ratio", &[("cause", "link-full")]), Some(0.02));
        assert_eq!(value(&samples, "loss_ratio", &[("cause", "policed")]), Some(0.03));
        assert_eq!(value(&samples, "loss_ratio", &[("cause", "down")]), Some(0.0));
        assert_eq!(value(&samples, "served_ratio", &[]), Some(0.95));
        assert_eq!(value(&samples, "availability_ratio", &[]), Some(0.9));
        assert_eq!(value(&samples, "availability_ratio", &[("class", "bulk")]), None);
    }

    #[test]
    fn links_take_the_larger_direction_and_ignore_missing_ones() {
        let scenario = testkit::scenario();
        let samples = evaluate(&scenario, &testkit::totals());
        // testkit: `ab` 0.5/1.5 both ways, `bc` 0.9 forward only (its way back is garbage 9.0).
        assert_eq!(value(&samples, "link_utilisation_max", &[]), Some(1.5));
        assert_eq!(value(&samples, "link_utilisation_max", &[("link", "ab")]), Some(1.5));
        assert_eq!(value(&samples, "link_utilisation_max", &[("link", "bc")]), Some(0.9));
        assert_eq!(value(&samples, "link_utilisation_mean", &[]), Some((0.25 + 0.75 + 0.5) / 3.0));
        assert_eq!(value(&samples, "link_utilisation_mean", &[("link", "ab")]), Some(0.5));
        assert_eq!(value(&samples, "link_overload_s", &[]), Some(12.0));
        assert_eq!(value(&samples, "link_overload_s", &[("link", "bc")]), Some(0.0));
        assert_eq!(value(&samples, "link_dropped_bits", &[]), Some(20.0));
    }

    #[test]
    fn bills_add_up_over_links() {
        let scenario = testkit::scenario();
        let samples = evaluate(&scenario, &testkit::totals());
        // testkit: `ab` is billed 16 and `bc` 3.
        assert_eq!(value(&samples, "cost_p95", &[]), Some(19.0));
        assert_eq!(value(&samples, "cost_p95", &[("link", "bc")]), Some(3.0));
        assert_eq!(value(&samples, "billed_bps", &[]), Some(10e6));
        let free = RunTotals { bills: Vec::new(), ..testkit::totals() };
        assert_eq!(value(&evaluate(&scenario, &free), "cost_p95", &[]), None);
    }

    #[test]
    fn parts_of_latency_are_split_by_landing_site() {
        let scenario = testkit::scenario();
        let samples = evaluate(&scenario, &testkit::totals());
        assert_eq!(value(&samples, "latency_setup_ms_mean", &[]), Some(8.0));
        assert_eq!(value(&samples, "latency_service_ms_mean", &[("site", "a")]), Some(2.0));
    }

    #[test]
    fn sites_without_servers_do_not_count() {
        let scenario = testkit::scenario();
        let samples = evaluate(&scenario, &testkit::totals());
        // testkit: sites a 0.8 and b 1.2 have servers, c has none.
        assert_eq!(value(&samples, "site_utilisation_max", &[]), Some(1.2));
        assert_eq!(value(&samples, "site_utilisation_mean", &[]), Some(0.5));
        assert_eq!(value(&samples, "site_overload_s", &[("site", "b")]), Some(7.0));
        assert_eq!(value(&samples, "site_overload_s", &[("site", "c")]), None);
    }

    #[test]
    fn nothing_offered_has_no_ratio() {
        let scenario = testkit::scenario();
        let samples = evaluate(&scenario, &RunTotals::default());
        for metric in ["loss_ratio", "availability_ratio", "latency_ms_p99", "non_best_site_ratio"]
        {
            assert_eq!(value(&samples, metric, &[]), None, "{metric}");
        }
        assert_eq!(value(&samples, "link_utilisation_max", &[]), None);
        assert_eq!(value(&samples, "flaps", &[]), Some(0.0));
    }

    #[test]
    fn a_value_that_is_not_finite_is_none() {
        let scenario = testkit::scenario();
        let totals = RunTotals { transit_ratio: f64::NAN, ..testkit::totals() };
        assert_eq!(value(&evaluate(&scenario, &totals), "transit_ratio", &[]), None);
    }
}
