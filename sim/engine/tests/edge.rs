//! Caches and admission at sites in whole runs: against exact caches fed the same requests, and
//! against arithmetic.

use std::sync::Arc;
use steerlab_engine::kernel::{Id, SimSpan, SimTime, Stream, StreamKey};
use steerlab_engine::load::admission::{Control, FilterTerms, ShedTerms};
use steerlab_engine::load::cache::{Cache, Hop, Lru, Popularity, Source as From, Tiers};
use steerlab_engine::net::testing::{plain_link, plain_neighbour, plain_site};
use steerlab_engine::net::{LinkKind, NeighbourKind, Network, NodeId, Pool, SiteId};
use steerlab_engine::record::{ArcRow, Bucket, DropCause, Recorder, RunId, RunTotals, SiteRow};
use steerlab_engine::run::{Limits, run};
use steerlab_engine::scenario::testing::plain;
use steerlab_engine::scenario::{
    AdmissionPlan, ArmId, CachedService, Change, Class, ClassId, ClientGroup, ClientGroupId,
    Demand, DemandId, Prefix, PrefixId, Rate, Scenario, ServiceId, ShedPlan, SiteCache, Source,
    Surge, Target, Tenant, TenantBucket, TenantId, TimelineEvent,
};
use steerlab_engine::steer::{Ask, Descriptor, Policy, PolicyRegistry, Surface, View};

struct Nobody;

impl Policy for Nobody {
    fn decide(&mut self, _view: &View<'_>, _stream: &mut Stream, _ask: &mut Ask<'_>) {}
}

struct Registry;

impl PolicyRegistry for Registry {
    fn descriptors(&self) -> &[Descriptor] {
        static LIST: [Descriptor; 1] = [Descriptor {
            name: "nobody",
            version: 1,
            summary: "",
            source: "",
            surfaces: &[Surface::Announce],
            feeds: &[],
            default_period: SimSpan::from_seconds(1),
            params: &[],
            build: |_| Box::new(Nobody),
            check: |_| Ok(()),
        }];
        &LIST
    }
}

/// Keeps all rows.
#[derive(Default)]
struct Rows {
    sites: Vec<Vec<SiteRow>>,
    arcs: Vec<Vec<ArcRow>>,
    dropped: Vec<[f64; DropCause::ALL.len()]>,
    offered_bits: Vec<f64>,
    latency_ms: Vec<[f64; 2]>,
}

impl Recorder for Rows {
    fn bucket(&mut self, bucket: &Bucket<'_>) {
        self.sites.push(bucket.sites.to_vec());
        self.arcs.push(bucket.arcs.to_vec());
        self.dropped.push(bucket.total.flow.dropped_bits);
        self.offered_bits.push(bucket.total.flow.offered_bits);
        self.latency_ms.push([bucket.total.latency_ms.mean, bucket.total.latency_ms.p99]);
    }
}

fn play(scenario: &Scenario) -> (Rows, RunTotals) {
    scenario.assert_consistent();
    let mut rows = Rows::default();
    let id = RunId { arm: ArmId(0), replication: 0 };
    let totals = run(scenario, id, &Registry, &mut rows, Limits::default(), &|| false)
        .expect("no limit is in reach");
    (rows, totals)
}

fn close(ours: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((ours - expected).abs() <= tolerance, "{what}: {ours}, expected {expected}");
}

fn seconds(seconds: u64) -> SimTime {
    SimTime::ZERO.after(SimSpan::from_seconds(seconds))
}

const A: SiteId = SiteId(0);
const B: SiteId = SiteId(1);
const OBJECT_BYTES: f64 = 10_000.0;
const OBJECTS: u64 = 10_000;
/// Capacity in objects.
const CAPACITY: u64 = 1_000;

/// Two sites, each nearest to a group, and a cloud with the origin, each pair joined by a link of
/// 20 ms. Requests for the `web` service: 200 per second at A, 100 at B.
fn two_sites() -> Scenario {
    let mut network = Network::default();
    let sites = [plain_site(&mut network, "a"), plain_site(&mut network, "b")];
    let cloud = plain_neighbour(&mut network, "cloud", NeighbourKind::Cloud, 1);
    let there = network.neighbours[cloud].node;
    let nodes: Vec<NodeId> = sites.iter().map(|&site| network.site_node(site)).collect();
    for (name, kind, ends) in [
        ("a-b", LinkKind::Backbone, [nodes[0], nodes[1]]),
        ("a-cloud", LinkKind::Pni, [nodes[0], there]),
        ("b-cloud", LinkKind::Pni, [nodes[1], there]),
    ] {
        let mut link = plain_link(name, kind, ends, 1_000_000_000);
        link.delay = SimSpan::from_millis(20);
        network.links.push(link);
    }
    let mut scenario = plain(network, "nobody");
    (scenario.bucket, scenario.traffic_step) = (SimSpan::from_seconds(5), SimSpan::from_seconds(1));
    scenario.client_bucket = scenario.bucket;
    scenario.horizon = SimSpan::from_seconds(300);
    scenario.prefixes.push(Prefix { id: "any".to_owned(), sites: vec![A, B], value: 1.0 });
    for (index, rate) in [200.0, 100.0].into_iter().enumerate() {
        let ms = |site: usize| SimSpan::from_millis(if site == index { 10 } else { 30 });
        let group = scenario.client_groups.push(ClientGroup {
            id: format!("g{index}"),
            label: String::new(),
            location: None,
            neighbour: None,
            asn: None,
            weight: 1.0,
            rtt: vec![(A, ms(0)), (B, ms(1))],
        });
        scenario.demands.push(web(group, rate));
    }
    scenario.services[ServiceId(1)].cpu_s = 0.0;
    scenario
}

fn web(group: ClientGroupId, rate: f64) -> Demand {
    Demand {
        id: format!("web{}", group.0),
        source: Source::Clients(group),
        target: Target::Prefix(PrefixId(0)),
        service: ServiceId(1),
        tenant: TenantId(0),
        rate: Rate::RequestsPerS(rate),
        profile: None,
    }
}

fn with_caches(scenario: &mut Scenario, upper_of_b: Option<SiteId>) {
    scenario.caches.services.push(CachedService {
        service: ServiceId(1),
        popularity: Popularity::Zipf { objects: OBJECTS, alpha: 0.8 },
        object_bytes: OBJECT_BYTES,
        ttl: None,
    });
    let capacity_bytes = CAPACITY as f64 * OBJECT_BYTES;
    scenario.caches.sites = vec![
        SiteCache { site: A, capacity_bytes, next: None },
        SiteCache { site: B, capacity_bytes, next: upper_of_b },
    ];
    scenario.caches.origin = Some(NodeId(2));
    scenario.caches.origin_time = SimSpan::from_millis(5);
}

fn event(at_s: u64, change: Change) -> TimelineEvent {
    TimelineEvent { at: seconds(at_s), agent: "scenario".to_owned(), label: String::new(), change }
}

/// What exact caches do with as many requests in every bucket: hit ratio by site and bits fetched
/// from the origin per second by site.
fn exact(
    scenario: &Scenario,
    rows: &Rows,
    upper_of_b: bool,
    flush: &[usize],
) -> Vec<[[f64; 2]; 2]> {
    let replications = 40;
    let bucket_s = scenario.bucket.seconds();
    let mut asked = vec![[0.0_f64; 2]; rows.sites.len()];
    let (mut hits, mut origin) = (asked.clone(), asked.clone());
    let sampler = scenario.caches.services[0].popularity.sampler().expect("valid by construction");
    let hop = |cache| Hop { cache, fetch: SimSpan::ZERO };
    for replication in 0..replications {
        let key = StreamKey { seed: 9, replication, purpose: "requests", entity: 0 };
        let mut draw = Stream::new(key);
        let lru = || -> Box<dyn Cache> { Box::new(Lru::new(CAPACITY)) };
        let mut tiers = Tiers::new([lru(), lru()], false);
        for (bucket, row) in rows.sites.iter().enumerate() {
            if flush.contains(&bucket) {
                tiers.flush(0);
            }
            let rates = [row[0].cache_requests_per_s, row[1].cache_requests_per_s];
            let total = rates[0] + rates[1];
            let mut at_s = draw.exponential() / total;
            while at_s < bucket_s {
                let site = usize::from(draw.uniform() * total >= rates[0]);
                // While A is down, B asks the origin.
                let tiered = upper_of_b && row[0].up;
                let mut way = vec![hop(site as u32)];
                way.extend((site == 1 && tiered).then(|| hop(0)));
                let fetch = tiers.request(&way, sampler.sample(&mut draw), 1, SimTime(0));
                asked[bucket][site] += 1.0;
                hits[bucket][site] += f64::from(u8::from(fetch.source == From::Cache(0)));
                let asks_origin = if tiered { 0 } else { site };
                origin[bucket][asks_origin] += f64::from(u8::from(fetch.source == From::Origin));
                at_s += draw.exponential() / total;
            }
        }
    }
    let span_s = bucket_s * f64::from(replications);
    (0..asked.len())
        .map(|bucket| {
            [0, 1].map(|site| {
                let n = asked[bucket][site];
                let ratio = if n > 0.0 { hits[bucket][site] / n } else { 0.0 };
                [ratio, origin[bucket][site] / span_s * OBJECT_BYTES * 8.0]
            })
        })
        .collect()
}

/// A warms up, fails at 100 s, and is back, cold, at 200 s.
fn compare_with_exact(upper_of_b: bool, origin_tolerance: f64) -> Rows {
    let mut scenario = two_sites();
    with_caches(&mut scenario, upper_of_b.then_some(A));
    scenario.timeline = vec![event(100, Change::SiteFails(A)), event(200, Change::SiteRestored(A))];
    let (rows, _) = play(&scenario);
    let expected = exact(&scenario, &rows, upper_of_b, &[20, 40]);
    let mut origin_sum = [0.0; 2];
    for (bucket, (row, exact)) in rows.sites.iter().zip(&expected).enumerate() {
        for site in 0..2 {
            let what = format!("bucket {bucket}, site {site}");
            let n = row[site].cache_requests_per_s * scenario.bucket.seconds() * 40.0;
            if n > 100.0 {
                let p = exact[site][0];
                let error = 4.5 * (p * (1.0 - p) / n).sqrt();
                close(row[site].cache_hit_ratio, p, error + 4e-3, &what);
            }
        }
        // A second passes until routing has found A again, and nothing is fetched from it.
        if upper_of_b && bucket == 40 {
            continue;
        }
        let ours = row[0].origin_bps + row[1].origin_bps;
        let exact = exact[0][1] + exact[1][1];
        origin_sum[0] += ours;
        origin_sum[1] += exact;
        let error = 4.5 * (exact * OBJECT_BYTES * 8.0 / 200.0).sqrt();
        close(ours, exact, error + origin_tolerance * exact, &format!("bucket {bucket}, origin"));
    }
    close(origin_sum[0] / origin_sum[1], 1.0, origin_tolerance / 2.0 + 2e-3, "origin in all");
    rows
}

#[test]
fn caches_of_a_run_do_what_exact_caches_do() {
    let rows = compare_with_exact(false, 0.01);
    // A full cache of 1,000 of 10,000 objects at alpha .8 hits .43666.
    close(rows.sites[19][0].cache_hit_ratio, 0.43666, 2e-5, "steady");
    // The load on the origin's links is what the caches fetch.
    for (row, arcs) in rows.sites.iter().zip(&rows.arcs) {
        let from_cloud: f64 = arcs
            .iter()
            .filter(|row| [3, 5].contains(&row.arc.index()))
            .map(|row| row.carried_bps)
            .sum();
        close(from_cloud, row[0].origin_bps + row[1].origin_bps, 1e-3, "carried from the origin");
    }
    // When A has failed, B gets the requests of both: for the same objects, so it stays warm.
    assert!(rows.sites[38][1].cache_requests_per_s > 290.0);
    close(rows.sites[38][1].cache_hit_ratio, 0.43666, 2e-3, "warm for the same objects");
    // Back, A starts cold.
    let cold = rows.sites[40..].iter().map(|row| row[0].cache_hit_ratio).filter(|&hit| hit > 0.0);
    assert!(cold.fold(1.0, f64::min) < 0.4);
}

#[test]
fn upper_tiers_of_a_run_do_what_exact_ones_do() {
    // One asker only is the worst case of the upper tier's model.
    let rows = compare_with_exact(true, 0.04);
    assert!(rows.sites[10][1].origin_bps == 0.0 && rows.sites[10][1].fetch_bps > 0.0);
    assert!(rows.sites[30][1].origin_bps == rows.sites[30][1].fetch_bps, "A is down");
}

#[test]
fn users_of_other_objects_find_a_cold_cache() {
    // B's users ask for objects of their own; A's move to B when A fails.
    let mut scenario = two_sites();
    with_caches(&mut scenario, None);
    let other = scenario.services[ServiceId(1)].clone();
    let other = scenario.services.push(other);
    scenario.demands[DemandId(1)].service = other;
    let row = scenario.caches.services[0].clone();
    scenario.caches.services.push(CachedService { service: other, ..row });
    scenario.timeline = vec![event(100, Change::SiteFails(A))];
    scenario.horizon = SimSpan::from_seconds(200);
    let (rows, _) = play(&scenario);
    let before = rows.sites[19][1];
    let worst = rows.sites[20..].iter().map(|row| row[1].cache_hit_ratio).fold(1.0, f64::min);
    let after = rows.sites[39][1];
    assert!(worst < before.cache_hit_ratio - 0.1, "from {} to {worst}", before.cache_hit_ratio);
    assert!(after.cache_hit_ratio > worst + 0.03, "warm again: {}", after.cache_hit_ratio);
    let peak = rows.sites[20..].iter().map(|row| row[1].origin_bps).fold(0.0, f64::max);
    assert!(peak > after.origin_bps * 1.03, "the origin's load rises and falls");
}

#[test]
fn misses_wait_and_are_lost_with_their_fetches() {
    let mut scenario = two_sites();
    with_caches(&mut scenario, None);
    scenario.timeline = Vec::new();
    let (free, _) = play(&scenario);
    let row = free.sites[59][0];
    let miss = 1.0 - row.cache_hit_ratio;
    // There and back 40 ms, 5 ms at the origin; a round trip of 10 ms for everybody.
    close(row.latency_parts_ms.origin_ms, miss * 45.0, 1e-6, "origin part");
    close(row.latency_parts_ms.propagation_ms, 10.0, 1e-6, "the users' way");
    // More than 1 % miss: their latency is the 99th percentile.
    close(free.latency_ms[59][1], 55.0, 0.5, "p99");
    // Half of what the misses of A need.
    let need_bps = row.origin_bps;
    let mut narrow = scenario.clone();
    for link in narrow.network.links.rows_mut().iter_mut().filter(|link| link.id == "a-cloud") {
        link.capacity_bps[1] = (need_bps / 2.0) as u64;
        link.buffer = SimSpan::ZERO;
    }
    let (rows, totals) = play(&narrow);
    let last = rows.sites[59][0];
    close(last.origin_bps / need_bps, 0.5, 1e-6, "the link is full");
    let lost = rows.dropped[59][DropCause::LinkFull as usize];
    let unit_bits = (1e3 + 1e4) * 8.0;
    close(lost / (200.0 * unit_bits), miss / 2.0, 1e-6, "half of the misses");
    let all = &totals.total;
    let accounted = all.served_bits + all.dropped_bits_total() + all.queued_bits;
    close(accounted / all.offered_bits, 1.0, 1e-9, "conservation");
    close(last.answered_requests_per_s, 200.0 * (1.0 - miss / 2.0), 1e-4, "answered");
    let waiting = miss / 2.0 * 45.0 / (1.0 - miss / 2.0);
    close(last.latency_parts_ms.origin_ms, waiting, 1e-4, "origin part of what is answered");
}

#[test]
fn warm_caches_start_as_they_would_end() {
    let mut scenario = two_sites();
    with_caches(&mut scenario, Some(A));
    let (cold, _) = play(&scenario);
    scenario.caches.warm = true;
    let (warm, _) = play(&scenario);
    assert!(cold.sites[0][0].cache_hit_ratio < 0.4);
    for site in 0..2 {
        for (first, last) in [
            (warm.sites[0][site].cache_hit_ratio, cold.sites[59][site].cache_hit_ratio),
            (warm.sites[0][site].origin_bps, cold.sites[59][site].origin_bps),
        ] {
            close(first, last, 1e-6 * last, &format!("site {site}"));
        }
    }
}

#[test]
fn a_scenario_without_caches_has_none() {
    let (rows, _) = play(&two_sites());
    let row = rows.sites[10][0];
    assert_eq!((row.cache_requests_per_s, row.origin_bps, row.cache_hit_ratio), (0.0, 0.0, 0.0));
    assert_eq!(row.latency_parts_ms.origin_ms, 0.0);
}

#[test]
fn a_bucket_lets_burst_and_rate_through() {
    // V11 in a run: 200 requests per second offered, 50 allowed, burst 3,000: empty after 20 s.
    let mut scenario = two_sites();
    scenario.tenants.push(Tenant {
        id: "other".to_owned(),
        label: String::new(),
        budget_bps: None,
    });
    scenario.demands[DemandId(1)].tenant = TenantId(1);
    scenario.admission = AdmissionPlan {
        buckets: vec![TenantBucket {
            tenant: TenantId(0),
            sites: vec![A, B],
            rate_per_s: 50.0,
            burst_requests: 3000.0,
        }],
        ..AdmissionPlan::default()
    };
    let (rows, totals) = play(&scenario);
    let flow = totals.flows[0];
    close(flow.served_requests, 3000.0 + 50.0 * 300.0, 1e-6, "burst + r t");
    close(
        flow.dropped_bits[DropCause::OverBudget as usize] / flow.dropped_bits_total(),
        1.0,
        1e-12,
        "cause",
    );
    assert_eq!(totals.flows[1].dropped_requests, 0.0, "the other tenant loses nothing");
    assert_eq!(rows.dropped[3][DropCause::OverBudget as usize], 0.0);
    assert!(rows.dropped[4][DropCause::OverBudget as usize] > 0.0);
}

#[test]
fn filters_learn_and_cost_a_little() {
    let mut scenario = two_sites();
    // An attack at A from 100 s to 200 s; a little of it reaches nobody at B.
    let mut attack = web(ClientGroupId(0), 5000.0);
    attack.id = "attack".to_owned();
    let attack = scenario.demands.push(attack);
    scenario.surges.push(Surge {
        at: SimTime::ZERO,
        until: seconds(100),
        ramp: SimSpan::ZERO,
        factor: 0.0,
        demands: vec![attack],
        label: String::new(),
    });
    scenario.surges.push(Surge {
        at: seconds(200),
        until: SimTime::NEVER,
        ramp: SimSpan::ZERO,
        factor: 0.0,
        demands: vec![attack],
        label: String::new(),
    });
    scenario.admission = AdmissionPlan {
        filter: Some(FilterTerms {
            local_delay_s: 5.0,
            global_delay_s: 15.0,
            false_positive: 0.02,
            leak: 0.1,
            hold_s: 30.0,
        }),
        attacks: vec![attack],
        ..AdmissionPlan::default()
    };
    let (rows, totals) = play(&scenario);
    let unit_bits = (1e3 + 1e4) * 8.0;
    let filtered = |bucket: usize| rows.dropped[bucket][DropCause::Filtered as usize] / unit_bits;
    close(filtered(20), 0.0, 1e-9, "nothing known yet");
    close(filtered(21), 5000.0 * 0.9 + 200.0 * 0.02, 1e-6, "A knows at 105 s");
    close(filtered(24), 5000.0 * 0.9 + 300.0 * 0.02, 1e-6, "B knows at 120 s");
    close(filtered(41), 300.0 * 0.02, 1e-6, "signatures stay for a while");
    close(filtered(46), 0.0, 1e-9, "and go");
    let all = &totals.total;
    close((all.served_bits + all.dropped_bits_total()) / all.offered_bits, 1.0, 1e-9, "conserved");
}

#[test]
fn shedding_keeps_the_queue_at_its_target() {
    // Two classes of 1.2 and 0.6 times the capacity of A.
    let mut scenario = two_sites();
    scenario.classes.push(Class { id: "bulk".to_owned(), weight: 1.0 });
    let colo = scenario.network.sites[A].colos[0];
    scenario.network.add_pool(Pool {
        id: "a/a/servers".to_owned(),
        colo,
        servers: 1,
        cores: 1,
        core_speed: 1.0,
    });
    scenario.services[ServiceId(1)].cpu_s = 0.003;
    let mut bulk = scenario.services[ServiceId(1)].clone();
    bulk.class = ClassId(1);
    let bulk = scenario.services.push(bulk);
    let mut more = web(ClientGroupId(0), 400.0);
    (more.id, more.service) = ("bulk".to_owned(), bulk);
    scenario.demands.push(more);
    scenario.admission = AdmissionPlan {
        shed: Some(ShedPlan {
            sites: vec![A],
            terms: ShedTerms {
                target_s: 0.5,
                period_s: 1.0,
                control: Control::pi(1.0, 0.5),
                error_cost: 0.0,
            },
        }),
        ..AdmissionPlan::default()
    };
    let (rows, totals) = play(&scenario);
    // The queue holds the target's work, whatever it is made of; the more important class loses
    // nothing.
    let waiting_s = rows.sites[50][0].queued_requests * 0.003;
    close(waiting_s, 0.5, 0.01, "queue delay");
    let dropped = |class: usize, cause: DropCause| totals.flows[class].dropped_bits[cause as usize];
    assert_eq!(dropped(0, DropCause::Shed), 0.0);
    assert!(dropped(1, DropCause::Shed) > 0.0);
    assert_eq!(dropped(1, DropCause::ServerFull), 0.0, "the queue never fills");
    // .6 of the capacity for the first, .4 are left of 1.2 for the second.
    let shed = rows.dropped[50][DropCause::Shed as usize] / (400.0 * (1e3 + 1e4) * 8.0);
    close(shed, 2.0 / 3.0, 0.01, "part shed");
    let all = &totals.total;
    let accounted = all.served_bits + all.dropped_bits_total() + all.queued_bits;
    close(accounted / all.offered_bits, 1.0, 1e-9, "conserved");
}

#[test]
fn empirical_popularity_is_a_list() {
    // Everything but the largest object of a list fits: all but its requests hit in the end.
    let mut scenario = two_sites();
    with_caches(&mut scenario, None);
    scenario.caches.services[0].popularity = Popularity::Weights(Arc::new(vec![1.0; 100]));
    let (rows, _) = play(&scenario);
    close(rows.sites[59][0].cache_hit_ratio, 1.0, 1e-9, "all objects fit");
    close(rows.sites[59][0].origin_bps, 0.0, 1e-3, "nothing is fetched any more");
}
