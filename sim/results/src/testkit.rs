//! A small scenario, a made-up run and a fake registry for the tests of this crate.

use crate::cell::StoredRun;
use crate::error::StoreError;
use crate::identity::RunHash;
use crate::recorder::TableRecorder;
use crate::store::Store;
use crate::summary::Provenance;
use steerlab_engine::kernel::{SimSpan, SimTime, Table};
use steerlab_engine::load::flows::FlowTimes;
use steerlab_engine::net::{
    ArcId, Link, LinkId, LinkKind, LinkModel, Neighbour, Network, NodeId, Pool, Scheduling, SiteId,
};
use steerlab_engine::record::*;
use steerlab_engine::route::landing::LandingSpec;
use steerlab_engine::route::{Fate, Landing};
use steerlab_engine::scenario::*;
use steerlab_engine::steer::*;

fn link(id: &str, ends: [NodeId; 2], capacity_bps: [u64; 2]) -> Link {
    Link {
        id: id.into(),
        label: format!("link {id}"),
        kind: LinkKind::Backbone,
        ends,
        capacity_bps,
        weight: [1, 1],
        delay: SimSpan::from_millis(1),
        lag_members: 1,
        buffer: SimSpan::ZERO,
        scheduling: Scheduling::StrictPriority,
        srlgs: Vec::new(),
        preference: 0,
        distance_km: None,
        model: LinkModel::default(),
    }
}

fn network() -> Network {
    let mut network = Network::default();
    for id in ["a", "b", "c"] {
        let site = network.add_site(id, &format!("Site {id}"), None);
        let colo = network.add_colo(site, id);
        if id != "c" {
            let pool = format!("{id}/pool");
            network.add_pool(Pool { id: pool, colo, servers: 1, cores: 4, core_speed: 1.0 });
        }
    }
    let end = |site| network.site_node(SiteId(site));
    let links =
        [link("ab", [end(0), end(1)], [1000, 1000]), link("bc", [end(1), end(2)], [500, 0])];
    for link in links {
        network.links.push(link);
    }
    network.add_neighbour(Neighbour {
        id: "isp".into(),
        label: String::new(),
        asn: Some(64_500),
        kind: steerlab_engine::net::NeighbourKind::Eyeball,
        location: None,
        node: NodeId(0),
        blocks: 1,
    });
    network
}

pub(crate) fn arm(id: &str, policy: &str) -> Arm {
    let params = vec![("level".to_owned(), ParamValue::Ratio(0.9))];
    let period = SimSpan::from_seconds(60);
    let policies = vec![PolicySpec { name: policy.into(), period, params }];
    Arm { id: id.into(), label: format!("arm {id}"), policies, balancer: None }
}

fn unlabelled(metric: &str) -> Operand {
    Operand::Metric { metric: metric.into(), labels: Vec::new() }
}

/// Routing that takes no time.
fn at_once() -> RoutingSpec {
    RoutingSpec {
        igp_convergence: SimSpan::ZERO,
        bgp_convergence_min: SimSpan::ZERO,
        bgp_convergence_mean: SimSpan::ZERO,
        bgp_convergence_max: SimSpan::ZERO,
        landing_noise: 0.0,
    }
}

fn services() -> Table<ServiceId, Service> {
    let film = Service {
        id: "film".into(),
        class: ClassId(0),
        cpu_s: 0.0,
        request_bytes: 0.0,
        response_bytes: 1.0,
        setup_round_trips: 1.0,
        elastic: None,
        tcp: None,
        flow: None,
    };
    [film].into_iter().collect()
}

fn prefixes() -> Table<PrefixId, Prefix> {
    let any = Prefix { id: "any".into(), sites: vec![SiteId(0)], value: 1.0 };
    [any].into_iter().collect()
}

/// Three sites a, b (servers) and c; links ab (both ways) and bc (one way); tenants shop and film,
/// classes interactive and bulk; arms base and alt; three replications.
pub(crate) fn scenario() -> Scenario {
    let feed = FeedSpec { period: SimSpan::from_seconds(1), delay: SimSpan::ZERO, noise: 0.0 };
    let actuator = ActuatorSpec { delay: SimSpan::ZERO, jitter: SimSpan::ZERO, failure: 0.0 };
    let class = |id: &str| Class { id: id.into(), weight: 1.0 };
    let tenant = |id: &str| Tenant { id: id.into(), label: String::new(), budget_bps: None };
    let scenario = Scenario {
        name: "tiny".into(),
        label: "A tiny scenario".into(),
        description: String::new(),
        assumptions: Vec::new(),
        seed: 7,
        start_time_of_day: SimSpan::ZERO,
        start: String::new(),
        horizon: SimSpan::from_seconds(180),
        bucket: SimSpan::from_seconds(60),
        client_bucket: SimSpan::from_seconds(60),
        traffic_step: SimSpan::from_seconds(60),
        replications: 3,
        network: network(),
        classes: [class("interactive"), class("bulk")].into_iter().collect(),
        tenants: [tenant("shop"), tenant("film")].into_iter().collect(),
        services: services(),
        prefixes: prefixes(),
        client_groups: [ClientGroup {
            id: "metro".into(),
            label: String::new(),
            location: None,
            neighbour: None,
            asn: None,
            weight: 1.0,
            rtt: Vec::new(),
        }]
        .into_iter()
        .collect(),
        dns: Dns::default(),
        caches: steerlab_engine::scenario::CachePlan::default(),
        admission: steerlab_engine::scenario::AdmissionPlan::default(),
        profiles: Table::new(),
        matrices: [Matrix {
            file: "m.csv".into(),
            sha256: "00".into(),
            scale: 1.0,
            times: vec![SimTime::ZERO].into(),
            columns: 1,
            rates_bps: vec![5.0].into(),
        }]
        .into_iter()
        .collect(),
        demands: Table::new(),
        demand_noise: DemandNoise { cv: 0.1, step: SimSpan::from_seconds(60) },
        surges: Vec::new(),
        fidelity: steerlab_engine::scenario::Fidelity::Fluid,
        timeline: Vec::new(),
        queue_limit: SimSpan::from_seconds(1),
        zoom: Vec::new(),
        routing: at_once(),
        landing: LandingSpec::Nearest,
        announcements: Vec::new(),
        feeds: vec![feed; FeedKind::ALL.len()],
        actuators: vec![actuator; Surface::ALL.len()],
        arms: [arm("base", "nothing"), arm("alt", "something")].into_iter().collect(),
        checks: Vec::new(),
        compare: CompareSpec {
            metrics: ["loss_ratio", "latency_ms_p99"].map(unlabelled).into(),
            margin: 0.02,
            confidence: 0.95,
        },
    };
    scenario.assert_consistent();
    scenario
}

fn flow(offered_bits: f64, cause: DropCause, dropped: f64, requests: [f64; 2]) -> Flow {
    let mut flow = Flow {
        offered_bits,
        served_bits: offered_bits - dropped,
        offered_requests: requests[0],
        served_requests: requests[1],
        dropped_requests: requests[0] - requests[1],
        ..Flow::default()
    };
    flow.dropped_bits[cause as usize] = dropped;
    flow
}

/// Totals of a run of [`scenario`], easy to check by hand.
pub(crate) fn totals() -> RunTotals {
    let flows = vec![
        flow(100.0, DropCause::Down, 0.0, [10.0, 9.0]),
        flow(200.0, DropCause::LinkFull, 20.0, [0.0, 0.0]),
        flow(300.0, DropCause::Policed, 30.0, [30.0, 27.0]),
        flow(400.0, DropCause::Down, 0.0, [0.0, 0.0]),
    ];
    let mut total = Flow::default();
    flows.iter().for_each(|flow| total.add(flow));
    let arc = |utilisation_max: f64, utilisation_mean, overload_s, dropped_bits| ArcTotals {
        utilisation_max,
        utilisation_mean,
        overload_s,
        carried_bits: 100.0,
        dropped_bits,
        queue_ms_mean: 1.5,
        marked_bits: 10.0,
    };
    let site = |cpu_utilisation_max, cpu_utilisation_mean, overload_s| SiteTotals {
        cpu_utilisation_max,
        cpu_utilisation_mean,
        overload_s,
        served_requests: 18.0,
        dropped_requests: 2.0,
        answered_requests: 17.0,
        latency_parts_ms: LatencyParts::of([5.0, 4.0, 3.0, 2.0, 1.0]),
    };
    RunTotals {
        arm: 0,
        zoom: Vec::new(),
        replication: 0,
        duration_s: 180.0,
        flows,
        total,
        latency_ms: LatencyStats { mean: 20.0, p50: 15.0, p95: 60.0, p99: 90.0 },
        latency_parts_ms: LatencyParts::of([8.0, 6.0, 3.0, 2.0, 1.0]),
        arcs: vec![
            arc(0.5, 0.25, 0.0, 0.0),
            arc(1.5, 0.75, 12.0, 20.0),
            arc(0.9, 0.5, 0.0, 0.0),
            arc(9.0, 9.0, 9.0, 9.0),
        ],
        bills: vec![
            LinkBill { link: LinkId(0), billed_bps: 8e6, cost: 16.0 },
            LinkBill { link: LinkId(1), billed_bps: 2e6, cost: 3.0 },
        ],
        sites: vec![site(0.8, 0.4, 0.0), site(1.2, 0.6, 7.0), site(5.0, 5.0, 5.0)],
        moved_requests_per_s: 3.0,
        non_best_site_ratio: 0.25,
        actions_applied: 4,
        actions_refused: 1,
        flaps: 2,
        backbone_byte_km: 12_345.5,
        transit_ratio: 0.125,
        dns_requests: 80.0,
        dns_stale_requests: 20.0,
        events: 99,
        fingerprint: 0xdead_beef_0bad_cafe,
    }
}

/// A made-up run: tells the recorder a few rows and gives totals that depend on arm and
/// replication. Every second arm loses twice as much.
pub(crate) fn fake_run(scenario: &Scenario, id: RunId, recorder: &mut dyn Recorder) -> RunTotals {
    let replication = f64::from(id.replication);
    let mut totals = totals();
    totals.arm = id.arm.0 as usize;
    totals.replication = id.replication;
    totals.latency_ms.p99 = 90.0 + replication;
    totals.total.dropped_bits[0] = (20.0 + replication) * if id.arm.0 % 2 == 1 { 2.0 } else { 1.0 };
    totals.fingerprint ^= u64::from(id.replication) << 8 | u64::from(id.arm.0);
    let buckets = scenario.horizon.0 / scenario.bucket.0;
    for number in 0..buckets {
        let start = SimTime(number * scenario.bucket.0);
        let end = start.after(scenario.bucket);
        fake_bucket(start, end, replication, recorder);
        let landing = (number > 0).then_some(SiteId(1));
        let client_group = ClientGroupId(0);
        let flow = totals.flows[0];
        let row = ClientRow { client_group, flow, latency_ms_mean: 12.5, landing };
        recorder.client_bucket(start, end, &[row]);
        recorder.progress(end, scenario.horizon);
    }
    recorder.event(&EventRecord {
        at: SimTime(1_500_000_000),
        kind: "mark",
        agent: "scenario",
        entity: "",
        label: "=cut, \"quoted\"\nline",
    });
    recorder.moved(&MoveRecord {
        at: SimTime(1_500_000_000),
        cause: "cut",
        client_group: ClientGroupId(0),
        prefix: PrefixId(0),
        from: Fate::Lands(Landing { site: SiteId(0), via: None, links: u64::MAX }),
        to: Fate::Lost(DropCause::Loop),
        requests_per_s: 2.5,
        as_path: "64500 64501",
        reason: "AS64500: lost at path length",
    });
    recorder.action(&ActionRecord {
        number: 0,
        asked_at: SimTime::ZERO,
        effect_at: None,
        policy: "something",
        action: &Action::FollowIgp,
        target: "",
        cause: "because",
        refusal: Some(Refusal::NoChange),
        surface: Surface::Paths,
    });
    recorder.warning(&Warning { code: "W0101", message: "look here".into() });
    totals
}

fn fake_bucket(start: SimTime, end: SimTime, replication: f64, recorder: &mut dyn Recorder) {
    let site = SiteRow { egress_bps: 1.0 / 3.0 + replication, up: true, ..SiteRow::default() };
    let arc = |arc| ArcRow {
        arc: ArcId(arc),
        utilisation_mean: 0.5,
        utilisation_max: 0.75,
        placed_bps: 500.0,
        carried_bps: 500.0,
        dropped_bps: 0.0,
        queue_ms_mean: 2.0,
        marked_bps: 25.0,
        backlog_bits: 4.0,
        capacity_bps: 1000.0,
        announced_blocks: 0,
    };
    let tenant = |tenant, class| TenantRow {
        tenant: TenantId(tenant),
        class: ClassId(class),
        flow: flow(100.0, DropCause::LinkFull, 5.0, [10.0, 9.5]),
    };
    let total = TotalRow {
        flow: flow(400.0, DropCause::LinkFull, 20.0, [40.0, start.seconds()]),
        latency_ms: LatencyStats { mean: 1.0, p50: 2.0, p95: 3.0, p99: 4.0 },
        latency_parts_ms: LatencyParts::of([0.5, 0.25, 0.125, 0.0625, 0.0625]),
        non_best_site_ratio: 0.25,
        moved_requests_per_s: 1.0,
    };
    recorder.bucket(&Bucket {
        start,
        end,
        sites: &[site; 3],
        arcs: &[arc(0), arc(1), arc(2)],
        tenants: &[tenant(0, 0), tenant(0, 1), tenant(1, 0), tenant(1, 1)],
        flows: &[FlowRow {
            service: ServiceId(0),
            started: 3,
            finished: 2,
            broken: 0,
            active: 1,
            started_bps: 300.0,
            finished_bps: 200.0,
            round_trip_ms_mean: 5.0,
            times: FlowTimes { completion_s_mean: 0.5, ..FlowTimes::default() },
        }],
        total: &total,
    });
    let counts = ZoomCounts { offered: 5.0, served: 4.0, ..ZoomCounts::default() };
    recorder.zoom_bucket(
        start,
        &[ZoomRow { colo: steerlab_engine::net::ColoId(0), seconds: 1.0, counts }],
    );
}

/// Keeps a made-up run in a store.
pub(crate) fn keep_fake(
    store: &Store,
    scenario: &Scenario,
    id: RunId,
    run: &RunHash,
) -> Result<RunTotals, StoreError> {
    let mut recorder = TableRecorder::new(scenario, store.begin(run)?);
    let totals = fake_run(scenario, id, &mut recorder);
    store.keep(recorder.finish(run, &totals)?)?;
    Ok(totals)
}

/// The file of a made-up run, and what it is.
pub(crate) fn fake_cell(scenario: &Scenario, id: RunId) -> (RunTotals, RunHash, Vec<u8>) {
    let identities = crate::identity::Identities::new(scenario);
    let registry = FakeRegistry::new(1);
    let run = identities.run(&scenario.arms[id.arm], id.replication, &registry).unwrap();
    let dir = TempDir::new();
    let store = Store::new(&dir.0);
    let totals = keep_fake(&store, scenario, id, &run).unwrap();
    let bytes = std::fs::read(store.cell_path(&run)).unwrap();
    (totals, run, bytes)
}

/// The tables of a stored run.
pub(crate) fn tables_of(run: &RunHash, bytes: &[u8]) -> Option<Vec<crate::view::DataTable>> {
    let source = std::io::Cursor::new(bytes);
    let mut stored = StoredRun::open(source, bytes.len() as u64, run)?;
    let mut tables = Vec::new();
    for table in 0..stored.tables().count() {
        let mut rows = stored.no_rows(table);
        stored.each_block(table, |stored, block, at| stored.read_block(block, at, &mut rows))?;
        tables.push(rows.table);
    }
    Some(tables)
}

pub(crate) fn provenance() -> Provenance {
    Provenance {
        version: "0.1.0".into(),
        command: vec!["steerlab".into(), "run".into()],
        reproduce: "steerlab run tiny.yaml".into(),
    }
}

/// Knows the policies `nothing` and `something`, version 1.
pub(crate) struct FakeRegistry(Vec<Descriptor>);

struct Idle;

impl Policy for Idle {
    fn decide(&mut self, _: &View<'_>, _: &mut steerlab_engine::kernel::Stream, _: &mut Ask<'_>) {}
}

impl FakeRegistry {
    pub(crate) fn new(version: u32) -> FakeRegistry {
        let descriptor = |name| Descriptor {
            name,
            version,
            summary: "does nothing",
            source: "",
            surfaces: &[],
            feeds: &[],
            default_period: SimSpan::from_seconds(60),
            params: &[],
            build: |_| Box::new(Idle),
            check: |_| Ok(()),
        };
        FakeRegistry(vec![descriptor("nothing"), descriptor("something")])
    }
}

impl PolicyRegistry for FakeRegistry {
    fn descriptors(&self) -> &[Descriptor] {
        &self.0
    }
}

/// An empty directory of its own, removed when dropped.
pub(crate) struct TempDir(pub(crate) std::path::PathBuf);

impl TempDir {
    pub(crate) fn new() -> TempDir {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("steerlab-results-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        TempDir(path)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// All regular files under a directory with their contents, and links with their targets.
pub(crate) fn tree(root: &std::path::Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    fn walk(
        root: &std::path::Path,
        dir: &std::path::Path,
        out: &mut std::collections::BTreeMap<String, Vec<u8>>,
    ) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let kind = std::fs::symlink_metadata(&path).unwrap().file_type();
            if kind.is_symlink() {
                let target = std::fs::read_link(&path).unwrap();
                out.insert(name, target.to_string_lossy().into_owned().into_bytes());
            } else if kind.is_dir() {
                walk(root, &path, out);
            } else {
                out.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let mut out = std::collections::BTreeMap::new();
    walk(root, root, &mut out);
    out
}

/// Fails at the n-th operation: once, or from there on (as if the process had died).
pub(crate) struct FailAt {
    left: std::sync::atomic::AtomicI64,
    for_good: bool,
    kind: std::io::ErrorKind,
}

impl FailAt {
    pub(crate) fn once(step: i64, kind: std::io::ErrorKind) -> std::sync::Arc<FailAt> {
        std::sync::Arc::new(FailAt { left: step.into(), for_good: false, kind })
    }

    pub(crate) fn for_good(step: i64) -> std::sync::Arc<FailAt> {
        let kind = std::io::ErrorKind::Other;
        std::sync::Arc::new(FailAt { left: step.into(), for_good: true, kind })
    }

    /// Operations asked for so far, of one made with `for_good(i64::MAX)`.
    pub(crate) fn seen(&self) -> i64 {
        i64::MAX - self.left.load(std::sync::atomic::Ordering::SeqCst)
    }

    pub(crate) fn struck(&self) -> bool {
        self.left.load(std::sync::atomic::Ordering::SeqCst) < 0
    }
}

impl crate::disk::Faults for FailAt {
    fn before(&self, op: crate::disk::DiskOp, _: &std::path::Path) -> std::io::Result<()> {
        let left = self.left.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
        if left == 0 || (left < 0 && self.for_good) {
            return Err(std::io::Error::new(self.kind, format!("made to fail: {op:?}")));
        }
        Ok(())
    }
}
