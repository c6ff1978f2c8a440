//! Runs whose traffic is played flow by flow.

use std::sync::Arc;
use steerlab_engine::kernel::{Id, SimSpan, SimTime, Stream};
use steerlab_engine::load::flows::{Arrivals, SourceSpec};
use steerlab_engine::load::law::Law;
use steerlab_engine::net::testing::{line_network, plain_link};
use steerlab_engine::net::{ArcId, LinkId, LinkKind, Network, NodeId};
use steerlab_engine::record::{Bucket, FlowRow, Recorder, RunId, RunTotals};
use steerlab_engine::run::{Limits, run};
use steerlab_engine::scenario::testing::plain;
use steerlab_engine::scenario::{
    ArmId, Change, Demand, Fidelity, Rate, Scenario, ServiceId, Source, Target, TenantId,
    TimelineEvent,
};
use steerlab_engine::steer::{Ask, Descriptor, Policy, PolicyRegistry, View};

struct Idle;

impl Policy for Idle {
    fn decide(&mut self, _: &View<'_>, _: &mut Stream, _: &mut Ask<'_>) {}
}

struct Nothing;

impl PolicyRegistry for Nothing {
    fn descriptors(&self) -> &[Descriptor] {
        static LIST: [Descriptor; 1] = [Descriptor {
            name: "idle",
            version: 1,
            summary: "",
            source: "",
            surfaces: &[],
            feeds: &[],
            default_period: SimSpan::from_seconds(60),
            params: &[],
            build: |_| Box::new(Idle),
            check: |_| Ok(()),
        }];
        &LIST
    }
}

/// Rows of flows, and what was carried and conserved in each bucket.
#[derive(Default)]
struct Rows {
    flows: Vec<FlowRow>,
    carried_bps: Vec<Vec<f64>>,
    dropped_bps: Vec<f64>,
}

impl Recorder for Rows {
    fn bucket(&mut self, bucket: &Bucket<'_>) {
        self.flows.extend_from_slice(bucket.flows);
        self.carried_bps.push(bucket.arcs.iter().map(|arc| arc.carried_bps).collect());
        self.dropped_bps.push(bucket.total.flow.dropped_bits_total());
    }
}

fn play(scenario: &Scenario) -> (RunTotals, Rows) {
    let id = RunId { arm: ArmId(0), replication: 0 };
    let mut rows = Rows::default();
    let totals = run(scenario, id, &Nothing, &mut rows, Limits::default(), &|| false)
        .expect("no limit is in reach");
    (totals, rows)
}

fn transfer(id: &str, from: u32, to: u32, bps: f64, service: u32) -> Demand {
    Demand {
        id: id.to_owned(),
        source: Source::Node(NodeId(from)),
        target: Target::Node(NodeId(to)),
        service: ServiceId(service),
        tenant: TenantId(0),
        rate: Rate::Bps(bps),
        profile: None,
    }
}

fn flows_over(network: Network, arrivals: Arrivals, size: Law, mean_bits: f64) -> Scenario {
    let mut scenario = plain(network, "idle");
    scenario.fidelity = Fidelity::Flows;
    scenario.services.rows_mut()[0].flow = Some(SourceSpec { arrivals, size, mean_bits });
    scenario
}

/// Exactly these flows: alone, shared, and beside inelastic traffic.
#[test]
fn recorded_flows_share_what_rates_leave() {
    let at = |seconds: u64| SimTime(seconds * 1_000_000_000);
    let list = vec![(at(0), 4e9), (at(10), 8e8), (at(100), 8e8)];
    let recorded = Arrivals::Recorded(Arc::new(list));
    let mut scenario =
        flows_over(line_network(2, 1_000_000_000), recorded, Law::Deterministic, 1e9);
    scenario.bucket = SimSpan::from_seconds(200);
    scenario.horizon = SimSpan::from_seconds(200);
    scenario.demands.push(transfer("flows", 0, 1, 1e6, 0));
    scenario.demands.push(transfer("rates", 0, 1, 8e8, 1));
    // 200 Mbit/s are left: alone to 10 s, then half each for 8 s, then alone again.
    let (totals, rows) = play(&scenario);
    let [row] = rows.flows[..] else { panic!("one bucket, one service with flows") };
    assert_eq!((row.started, row.finished, row.active, row.broken), (3, 3, 0, 0));
    let times = [24.0, 8.0, 4.0];
    assert!((row.times.completion_s_mean - times.iter().sum::<f64>() / 3.0).abs() < 1e-6);
    let slowdowns = [24.0 / 4.0, 8.0 / 0.8, 4.0 / 0.8];
    assert!((row.times.slowdown_mean - slowdowns.iter().sum::<f64>() / 3.0).abs() < 1e-5);
    assert!((rows.carried_bps[0][0] - (8e8 + 5.6e9 / 200.0)).abs() < 1e-3);
    assert!((totals.total.served_bits - (8e8 * 200.0 + 5.6e9)).abs() < 1.0);
    assert!((row.finished_bps - 5.6e9 / 200.0).abs() < 1e-6);
    assert_eq!(rows.dropped_bps, [0.0]);
}

/// Three sites in a triangle: traffic goes over the direct link until that fails.
fn triangle() -> Network {
    let mut network = line_network(3, 100_000_000);
    let ends = [NodeId(0), NodeId(2)];
    network.links.push(plain_link("direct", LinkKind::Backbone, ends, 100_000_000));
    network
}

#[test]
fn flows_stop_at_a_dead_link_and_go_on_when_routing_has_found_another_way() {
    let recorded = Arrivals::Recorded(Arc::new(vec![(SimTime(0), 4e9)]));
    let mut scenario = flows_over(triangle(), recorded, Law::Deterministic, 4e9);
    scenario.horizon = SimSpan::from_seconds(120);
    scenario.routing.igp_convergence = SimSpan::from_seconds(5);
    scenario.demands.push(transfer("flow", 0, 2, 1e6, 0));
    scenario.timeline.push(TimelineEvent {
        at: SimTime(30_000_000_000),
        agent: "scenario".to_owned(),
        label: String::new(),
        change: Change::LinkFails(LinkId(2)),
    });
    let (_, rows) = play(&scenario);
    // 40 s of work, and 5 s in which nothing moved.
    assert_eq!([rows.flows[0].finished, rows.flows[1].finished], [1, 0]);
    assert!((rows.flows[0].times.completion_s_mean - 45.0).abs() < 1e-6);
    let direct = ArcId::of(LinkId(2), 0).index();
    assert!((rows.carried_bps[0][direct] - 3e9 / 60.0).abs() < 1e-3);
    assert!((rows.carried_bps[0][0] - 1e9 / 60.0).abs() < 1e-3);
}

#[test]
fn flows_without_any_way_break_and_are_lost() {
    let recorded =
        Arrivals::Recorded(Arc::new(vec![(SimTime(0), 4e9), (SimTime(50_000_000_000), 1e9)]));
    let mut scenario = flows_over(line_network(2, 100_000_000), recorded, Law::Deterministic, 4e9);
    scenario.horizon = SimSpan::from_seconds(60);
    scenario.routing.igp_convergence = SimSpan::from_seconds(5);
    scenario.demands.push(transfer("flow", 0, 1, 1e6, 0));
    scenario.timeline.push(TimelineEvent {
        at: SimTime(30_000_000_000),
        agent: "scenario".to_owned(),
        label: String::new(),
        change: Change::LinkFails(LinkId(0)),
    });
    let (totals, rows) = play(&scenario);
    let row = rows.flows[0];
    assert_eq!((row.started, row.finished, row.broken, row.active), (1, 0, 1, 0));
    assert_eq!(totals.total.offered_bits, 5e9);
    assert_eq!(totals.total.dropped_bits_total(), 5e9);
    assert_eq!(totals.total.served_bits, 0.0);
}

/// One scenario at both fidelities: the same mean loads within half a percent.
#[test]
fn fluid_and_flows_carry_the_same_mean_loads() {
    let mut scenario = flows_over(triangle(), Arrivals::Poisson, Law::Deterministic, 5e5);
    scenario.horizon = SimSpan::from_seconds(4_000);
    scenario.client_bucket = scenario.horizon;
    scenario.bucket = SimSpan::from_seconds(400);
    for (id, from, to, bps) in
        [("a", 0, 1, 4e7), ("b", 1, 2, 5e7), ("c", 0, 2, 6e7), ("d", 2, 0, 4e7)]
    {
        scenario.demands.push(transfer(id, from, to, bps, 0));
    }
    let (flows, rows) = play(&scenario);
    scenario.fidelity = Fidelity::Fluid;
    let (fluid, none) = play(&scenario);
    assert!(none.flows.is_empty() && rows.flows.len() == 10);
    for (arc, (ours, theirs)) in flows.arcs.iter().zip(&fluid.arcs).enumerate() {
        let (ours, theirs) = (ours.carried_bits, theirs.carried_bits);
        eprintln!("arc {arc}: {:.5} of fluid", ours / theirs);
        assert!((ours - theirs).abs() <= 0.005 * theirs, "arc {arc}: {ours} and {theirs}");
    }
    // What is offered and not yet served is under way.
    let total = &flows.total;
    assert!((total.offered_bits - total.served_bits - total.queued_bits).abs() < 1.0);
    assert!(rows.flows.iter().all(|row| row.times.slowdown_mean >= 1.0));
}
