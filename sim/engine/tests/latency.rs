//! What users wait for: the parts of latency, in scenarios whose parts are known by arithmetic.

use steerlab_engine::kernel::{SimSpan, SimTime, Stream};
use steerlab_engine::net::testing::{plain_link, plain_site};
use steerlab_engine::net::{GeoPoint, LinkKind, Network, NodeId, Pool, SiteId};
use steerlab_engine::record::{
    Bucket, LatencyParts, Recorder, RunId, RunTotals, SiteRow, TotalRow,
};
use steerlab_engine::run::{Limits, run};
use steerlab_engine::scenario::testing::plain;
use steerlab_engine::scenario::{
    ArmId, Change, ClientGroup, ClientGroupId, Demand, Prefix, PrefixId, Rate, Scenario, ServiceId,
    Source, Target, TenantId, TimelineEvent,
};
use steerlab_engine::steer::{Action, Ask, Descriptor, Policy, PolicyRegistry, Surface, View};

/// Serves half of what lands at the first site at the second one, from the start.
struct Half;

impl Policy for Half {
    fn decide(&mut self, view: &View<'_>, _stream: &mut Stream, ask: &mut Ask<'_>) {
        if view.now == SimTime::ZERO {
            let spill = Action::Spill { from: SiteId(0), to: SiteId(1), tenant: None, share: 0.5 };
            ask.request(spill, "test").expect("both sites exist");
        }
    }
}

struct Registry;

impl PolicyRegistry for Registry {
    fn descriptors(&self) -> &[Descriptor] {
        static LIST: [Descriptor; 1] = [Descriptor {
            name: "half",
            version: 1,
            summary: "",
            source: "",
            surfaces: &[Surface::Spill],
            feeds: &[],
            default_period: SimSpan::from_seconds(1),
            params: &[],
            build: |_| Box::new(Half),
            check: |_| Ok(()),
        }];
        &LIST
    }
}

/// Users 20 ms from a site of one core, which serves half of their 100 requests a second (10 ms of
/// work each) and sends the other half over 4 ms of backbone to a second such site.
fn two_sites(backbone_bps: u64) -> Scenario {
    let mut network = Network::default();
    for id in ["a", "b"] {
        let site = plain_site(&mut network, id);
        let colo = network.sites[site].colos[0];
        let id = format!("{id}/pool");
        network.add_pool(Pool { id, colo, servers: 1, cores: 1, core_speed: 1.0 });
    }
    let ends = [NodeId(0), NodeId(1)];
    let mut link = plain_link("l", LinkKind::Backbone, ends, backbone_bps);
    link.delay = SimSpan(4_000_000);
    link.buffer = SimSpan(5_000_000);
    network.links.push(link);
    let mut scenario = plain(network, "half");
    scenario.services[ServiceId(1)].setup_round_trips = 3.0;
    scenario.prefixes.push(Prefix { id: "p".to_owned(), sites: vec![SiteId(0)], value: 1.0 });
    scenario.client_groups.push(ClientGroup {
        id: "users".to_owned(),
        label: String::new(),
        location: Some(GeoPoint { lat: 0.0, lon: 0.0 }),
        neighbour: None,
        asn: None,
        weight: 1.0,
        rtt: vec![(SiteId(0), SimSpan(20_000_000)), (SiteId(1), SimSpan(30_000_000))],
    });
    scenario.demands.push(Demand {
        id: "d".to_owned(),
        source: Source::Clients(ClientGroupId(0)),
        target: Target::Prefix(PrefixId(0)),
        service: ServiceId(1),
        tenant: TenantId(0),
        rate: Rate::RequestsPerS(100.0),
        profile: None,
    });
    scenario
}

#[derive(Default)]
struct Rows {
    totals: Vec<TotalRow>,
    sites: Vec<Vec<SiteRow>>,
}

impl Recorder for Rows {
    fn bucket(&mut self, bucket: &Bucket<'_>) {
        self.totals.push(*bucket.total);
        self.sites.push(bucket.sites.to_vec());
    }
}

fn play(scenario: &Scenario) -> (RunTotals, Rows) {
    let mut rows = Rows::default();
    let id = RunId { arm: ArmId(0), replication: 0 };
    let totals = run(scenario, id, &Registry, &mut rows, Limits::default(), &|| false)
        .expect("no limit is in reach");
    (totals, rows)
}

fn assert_parts(parts: &LatencyParts, expected: [f64; 5]) {
    for ((value, expected), name) in parts.values().iter().zip(expected).zip(LatencyParts::NAMES) {
        // Latencies are whole nanoseconds.
        assert!((value - expected).abs() < 3e-6, "{name}: {value} ms, by hand {expected} ms");
    }
}

/// Three round trips of 20 ms, two of them for set-up; half of the requests make a detour of 8 ms;
/// cores half busy keep a request of 10 ms for 20 ms.
#[test]
fn every_part_by_hand() {
    let (totals, rows) = play(&two_sites(1_000_000_000));
    let expected = [40.0, 24.0, 0.0, 20.0, 0.0];
    assert_parts(&totals.latency_parts_ms, expected);
    assert_parts(&totals.sites[0].latency_parts_ms, expected);
    assert_eq!(totals.sites[1].latency_parts_ms, LatencyParts::default(), "nobody lands there");
    assert!((totals.sites[0].answered_requests - 60_000.0).abs() < 1e-6);
    assert!((totals.latency_ms.mean - 84.0).abs() < 1e-5);
    assert_parts(&rows.totals[3].latency_parts_ms, expected);
    assert_parts(&rows.sites[3][0].latency_parts_ms, expected);
}

/// The backbone carries half of what it is asked to, so of four requests one is lost on it and one
/// passes with 5 ms of queueing on either way; the second site is a quarter busy.
#[test]
fn a_full_link_shows_as_queueing() {
    // 50 requests a second of 1 kB are 400 kbit/s.
    let (totals, _) = play(&two_sites(200_000));
    let thirds = |near: f64, far: f64| (2.0 * near + far) / 3.0;
    let service = thirds(20.0, 10.0 / 0.75);
    assert_parts(
        &totals.latency_parts_ms,
        [40.0, thirds(20.0, 28.0), thirds(0.0, 10.0), service, 0.0],
    );
}

/// Through overload, backlog, failure and recovery the parts add up to the mean, in every bucket,
/// and in the run.
#[test]
fn parts_add_up_to_the_mean() {
    let mut scenario = two_sites(200_000);
    let down = |at_s: u64, change| TimelineEvent {
        at: SimTime(at_s * 1_000_000_000),
        agent: "scenario".to_owned(),
        label: String::new(),
        change,
    };
    let pool = steerlab_engine::net::PoolId(0);
    scenario.timeline = vec![
        down(100, Change::ServersDown(pool, 0.6)),
        down(130, Change::ServersDown(pool, 0.0)),
        down(250, Change::LinkFails(steerlab_engine::net::LinkId(0))),
        down(340, Change::LinkRestored(steerlab_engine::net::LinkId(0))),
    ];
    let (totals, rows) = play(&scenario);
    let adds_up = |parts: &LatencyParts, mean: f64| {
        assert!(mean > 0.0 && (parts.total() - mean).abs() <= 1e-9 * mean, "{parts:?} of {mean}");
    };
    adds_up(&totals.latency_parts_ms, totals.latency_ms.mean);
    let service = |row: &TotalRow| row.latency_parts_ms.service_ms;
    assert!(service(&rows.totals[2]) > 10.0 * service(&rows.totals[0]), "work waited for seconds");
    for row in &rows.totals {
        adds_up(&row.latency_parts_ms, row.latency_ms.mean);
    }
}
