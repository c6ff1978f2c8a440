//! Queues of links: waiting below saturation, buffers with a memory, shares of tenants.

use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::net::testing::line_network;
use steerlab_engine::net::{Billing, LinkId, NodeId, Queueing};
use steerlab_engine::record::{
    ArcRow, Bucket, DropCause, Recorder, RunId, RunTotals, TenantRow, TotalRow,
};
use steerlab_engine::run::{Limits, run};
use steerlab_engine::scenario::testing::plain;
use steerlab_engine::scenario::{
    ArmId, Change, Demand, DemandId, Elastic, Rate, Scenario, ServiceId, Source, Surge, Target,
    Tcp, TcpModel, Tenant, TenantId, TimelineEvent,
};
use steerlab_engine::steer::{Descriptor, Policy, PolicyRegistry};

struct Idle;

impl Policy for Idle {
    fn decide(
        &mut self,
        _: &steerlab_engine::steer::View<'_>,
        _: &mut steerlab_engine::kernel::Stream,
        _: &mut steerlab_engine::steer::Ask<'_>,
    ) {
    }
}

struct Registry;

impl PolicyRegistry for Registry {
    fn descriptors(&self) -> &[Descriptor] {
        static LIST: [Descriptor; 1] = [Descriptor {
            name: "idle",
            version: 1,
            summary: "",
            source: "",
            surfaces: &[],
            feeds: &[],
            default_period: SimSpan::from_seconds(600),
            params: &[],
            build: |_| Box::new(Idle),
            check: |_| Ok(()),
        }];
        &LIST
    }
}

#[derive(Default)]
struct Rows {
    totals: Vec<TotalRow>,
    arcs: Vec<Vec<ArcRow>>,
    tenants: Vec<Vec<TenantRow>>,
}

impl Recorder for Rows {
    fn bucket(&mut self, bucket: &Bucket<'_>) {
        self.totals.push(*bucket.total);
        self.arcs.push(bucket.arcs.to_vec());
        self.tenants.push(bucket.tenants.to_vec());
    }
}

fn play(scenario: &Scenario) -> (RunTotals, Rows) {
    let mut rows = Rows::default();
    let id = RunId { arm: ArmId(0), replication: 0 };
    let totals = run(scenario, id, &Registry, &mut rows, Limits::default(), &|| false)
        .expect("no limit is in reach");
    (totals, rows)
}

fn transfer(id: &str, to: u32, tenant: u32, bps: f64) -> Demand {
    Demand {
        id: id.to_owned(),
        source: Source::Node(NodeId(0)),
        target: Target::Node(NodeId(to)),
        service: ServiceId(0),
        tenant: TenantId(tenant),
        rate: Rate::Bps(bps),
        profile: None,
    }
}

/// `links` links of 1 Mbit/s in a row with buffers of 10 s that have a memory; 1.5 Mbit/s over all
/// of them for a minute, then `factor` times as much.
fn surge(links: usize, factor: f64) -> Scenario {
    let mut network = line_network(links + 1, 1_000_000);
    for link in network.links.rows_mut() {
        link.buffer = SimSpan::from_seconds(10);
        link.model.backlog = true;
    }
    let mut scenario = plain(network, "idle");
    scenario.horizon = SimSpan::from_seconds(180);
    scenario.bucket = SimSpan::from_seconds(10);
    scenario.client_bucket = SimSpan::from_seconds(60);
    scenario.demands.push(transfer("d", links as u32, 0, 1.5e6));
    scenario.surges.push(Surge {
        at: SimTime(60_000_000_000),
        until: SimTime::NEVER,
        ramp: SimSpan::ZERO,
        factor,
        demands: vec![DemandId(0)],
        label: String::new(),
    });
    scenario
}

fn assert_near(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() <= 1e-6 * expected.abs().max(1.0),
        "{what}: {found}, by hand {expected}"
    );
}

/// Half a megabit a second too much fills 10 Mbit in 20 s and is lost for 40 s; then half a
/// megabit a second of room empties the buffer in 20 s.
#[test]
fn a_buffer_fills_drops_and_empties() {
    let (totals, rows) = play(&surge(1, 1.0 / 3.0));
    assert_near(totals.total.offered_bits, 90e6 + 60e6, "offered");
    assert_near(totals.total.dropped_bits[DropCause::LinkFull as usize], 20e6, "dropped");
    assert_near(totals.total.served_bits, 130e6, "served");
    assert_near(totals.total.queued_bits, 0.0, "queued");
    for (bucket, expected) in [(0, 5e6), (1, 10e6), (5, 10e6), (6, 5e6), (7, 0.0), (8, 0.0)] {
        assert_near(rows.arcs[bucket][0].backlog_bits, expected, "backlog");
    }
    assert_near(rows.arcs[6][0].carried_bps, 1e6, "a buffer that empties keeps its link busy");
    assert_near(rows.arcs[8][0].carried_bps, 0.5e6, "an empty one does not");
    assert_near(rows.arcs[3][0].queue_ms_mean, 10_000.0, "wait behind a full buffer");
    assert_near(rows.arcs[8][0].queue_ms_mean, 0.0, "wait without backlog");
}

/// Where traffic ends at once, what waits is delivered nevertheless.
#[test]
fn a_buffer_empties_without_arrivals() {
    let (totals, rows) = play(&surge(1, 0.0));
    assert_near(totals.total.served_bits, 70e6, "served");
    assert_near(totals.total.queued_bits, 0.0, "queued");
    assert_near(rows.arcs[6][0].carried_bps, 1e6, "carried while it empties");
    assert_near(rows.arcs[6][0].backlog_bits, 0.0, "empty after 10 s");
}

/// Behind the first full link nothing queues: it lets through what the next one carries.
#[test]
fn only_the_first_link_of_a_row_queues() {
    let (totals, rows) = play(&surge(3, 1.0 / 3.0));
    assert_near(totals.total.served_bits, 130e6, "served");
    assert!(rows.arcs.iter().all(|arcs| arcs[2].backlog_bits < 1.0 && arcs[4].backlog_bits < 1.0));
}

/// A link that fails loses what waits in front of it.
#[test]
fn a_dead_link_loses_its_buffer() {
    let mut scenario = surge(1, 0.0);
    for (at, change) in [(60, Change::LinkFails(LinkId(0))), (90, Change::LinkRestored(LinkId(0)))]
    {
        scenario.timeline.push(TimelineEvent {
            at: SimTime(at * 1_000_000_000),
            agent: "scenario".to_owned(),
            label: String::new(),
            change,
        });
    }
    let (totals, _) = play(&scenario);
    assert_near(totals.total.served_bits, 60e6, "served");
    assert_near(totals.total.dropped_bits[DropCause::Down as usize], 10e6, "lost with the link");
    assert_near(totals.total.queued_bits, 0.0, "queued");
}

/// The mean wait of M/M/1 at load 0.75 is three packets.
#[test]
fn a_link_delays_below_saturation() {
    let mut scenario = surge(1, 0.0);
    scenario.surges.clear();
    scenario.demands[DemandId(0)].rate = Rate::Bps(0.75e6);
    let link = &mut scenario.network.links[LinkId(0)];
    link.model.backlog = false;
    link.model.queueing = Queueing::Mm1;
    let (totals, rows) = play(&scenario);
    assert_near(rows.arcs[4][0].queue_ms_mean, 3.0 * 12.0, "row");
    assert_near(totals.arcs[0].queue_ms_mean, 36.0, "run");
}

/// Tenants of weights 3 and 1 on a full link: the first wants less than its three quarters.
#[test]
fn tenants_share_by_weight() {
    let mut scenario = surge(1, 1.0);
    let link = &mut scenario.network.links[LinkId(0)];
    link.model.backlog = false;
    link.model.tenant_weights = vec![3.0, 1.0, 1.0];
    for index in 1..3 {
        let id = format!("t{index}");
        scenario.tenants.push(Tenant { id, label: String::new(), budget_bps: None });
        scenario.demands.push(transfer(&format!("d{index}"), 1, index, 1e6));
    }
    let (totals, rows) = play(&scenario);
    for (tenant, carried) in [(0, 0.6e6), (1, 0.2e6), (2, 0.2e6)] {
        assert_near(rows.tenants[3][tenant].flow.served_bits, carried, "tenant");
    }
    assert_near(totals.total.served_bits, 180e6, "the link is used in full");
    scenario.demands[DemandId(0)].rate = Rate::Bps(0.5e6);
    let (_, rows) = play(&scenario);
    for (tenant, carried) in [(0, 0.5e6), (1, 0.25e6), (2, 0.25e6)] {
        assert_near(rows.tenants[3][tenant].flow.served_bits, carried, "tenant");
    }
}

/// Two links of 1 Mbit/s in a row, one elastic service: a transfer of 2 Mbit/s over both, one of
/// 2 Mbit/s over the first, one of 0.3 Mbit/s over the second.
fn parking_lot() -> Scenario {
    let mut scenario = surge(2, 1.0);
    scenario.surges.clear();
    for link in scenario.network.links.rows_mut() {
        link.model.backlog = false;
    }
    scenario.services[ServiceId(0)].elastic = Some(Elastic { weight: 1.0 });
    scenario.demands[DemandId(0)].rate = Rate::Bps(2e6);
    scenario.demands.push(transfer("first", 1, 0, 2e6));
    let mut second = transfer("second", 2, 0, 0.3e6);
    second.source = Source::Node(NodeId(1));
    scenario.demands.push(second);
    scenario
}

#[test]
fn elastic_senders_share_instead_of_losing() {
    let (totals, rows) = play(&parking_lot());
    let flow = rows.totals[3].flow;
    assert_near(flow.served_bits, 1.3e6, "half each on the first link, all of the third");
    assert_near(flow.dropped_bits[DropCause::Throttled as usize], 3.0e6, "held back");
    assert_eq!(flow.dropped_bits[DropCause::LinkFull as usize], 0.0);
    assert_near(rows.arcs[3][0].carried_bps, 1e6, "first link");
    assert_near(rows.arcs[3][2].carried_bps, 0.8e6, "second link");
    assert_near(rows.arcs[3][0].queue_ms_mean, 10_000.0, "senders fill the buffer");
    assert_near(rows.arcs[3][2].queue_ms_mean, 0.0, "a link with room has no queue");
    assert_near(totals.arcs[0].utilisation_max, 4.0, "placed load is what was wished");
    assert_eq!(totals.arcs[0].marked_bits, 0.0);
}

#[test]
fn ecn_keeps_the_queue_short() {
    let mut scenario = parking_lot();
    scenario.network.links[LinkId(0)].model.ecn = Some(SimSpan::from_millis(2));
    let (totals, rows) = play(&scenario);
    assert_near(rows.totals[3].flow.served_bits, 1.3e6, "the same shares");
    assert_near(rows.arcs[3][0].queue_ms_mean, 2.0, "wait at the mark");
    assert_near(rows.arcs[3][0].marked_bps, 1e6, "all elastic traffic of the full link");
    assert_near(totals.arcs[0].marked_bits, 180e6, "marked");
    assert_eq!(totals.arcs[2].marked_bits, 0.0, "the second link has room");
}

/// Senders that do not adapt take what they want first.
#[test]
fn elastic_traffic_yields_to_inelastic_traffic_of_its_class() {
    let mut scenario = parking_lot();
    let mut blunt = transfer("blunt", 1, 0, 0.4e6);
    blunt.service = ServiceId(1);
    scenario.demands.push(blunt);
    let (_, rows) = play(&scenario);
    let flow = rows.totals[3].flow;
    assert_near(flow.served_bits, 0.4e6 + 0.3e6 + 0.3e6 + 0.3e6, "the rest of 0.6 in halves");
    assert!(flow.dropped_bits[DropCause::LinkFull as usize] < 1e-3);
}

/// A lower class loses to an elastic higher one, and shares by weight inside a class are 3 to 1.
#[test]
fn elastic_shares_follow_class_and_weight() {
    let mut scenario = parking_lot();
    scenario.classes.push(steerlab_engine::scenario::Class { id: "low".to_owned(), weight: 1.0 });
    let heavy = steerlab_engine::scenario::Service {
        id: "heavy".to_owned(),
        elastic: Some(Elastic { weight: 3.0 }),
        ..scenario.services[ServiceId(0)].clone()
    };
    let heavy = scenario.services.push(heavy);
    scenario.services[ServiceId(1)].class = steerlab_engine::scenario::ClassId(1);
    scenario.tenants.push(scenario.tenants[TenantId(0)].clone());
    scenario.demands[DemandId(1)].service = heavy;
    scenario.demands[DemandId(1)].tenant = TenantId(1);
    let mut low = transfer("low", 1, 0, 0.4e6);
    low.service = ServiceId(1);
    scenario.demands.push(low);
    let (_, rows) = play(&scenario);
    // Rows by (tenant, class): the heavy one is alone in tenant 1.
    assert_near(rows.tenants[3][2].flow.served_bits, 0.75e6, "three quarters");
    assert_near(rows.tenants[3][0].flow.served_bits, 0.25e6 + 0.3e6, "one quarter, and the third");
    let low = rows.tenants[3][1].flow;
    assert_near(low.dropped_bits[DropCause::LinkFull as usize], 0.4e6, "nothing is left");
}

/// Two connections with windows of 25 kB over 10 ms carry 20 Mbit/s at most.
#[test]
fn connections_limit_an_elastic_transfer() {
    let mut scenario = parking_lot();
    scenario.demands = scenario.demands.rows()[..1].iter().cloned().collect();
    for link in scenario.network.links.rows_mut() {
        link.capacity_bps = [1_000_000_000; 2];
        link.delay = SimSpan::from_millis(5);
    }
    scenario.demands[DemandId(0)].rate = Rate::Bps(50e6);
    scenario.services[ServiceId(0)].tcp = Some(Tcp {
        model: TcpModel::Pftk,
        window_bytes: 25_000.0,
        mss_bytes: 1_460.0,
        loss_ratio: 0.0,
        flows: Some(2),
    });
    let (_, rows) = play(&scenario);
    assert_near(rows.totals[3].flow.served_bits, 20e6, "two windows a round trip");
    assert_near(rows.totals[3].flow.dropped_bits[DropCause::Throttled as usize], 30e6, "the rest");
}

/// Bursts in three of 36 five-minute samples are billed: one may be free.
#[test]
fn bursts_are_billed_by_percentile() {
    let mut scenario = surge(1, 1.0);
    scenario.surges.clear();
    scenario.horizon = SimSpan::from_seconds(36 * 300);
    scenario.bucket = SimSpan::from_seconds(600);
    scenario.client_bucket = SimSpan::from_seconds(600);
    scenario.demands[DemandId(0)].rate = Rate::Bps(0.1e6);
    let link = &mut scenario.network.links[LinkId(0)];
    link.model.billing = Some(Billing { price_per_mbps: 2.0, commit_bps: 0, percentile: 0.95 });
    let burst = |index: u64| Surge {
        at: SimTime(index * 3_000_000_000_000),
        until: SimTime((index * 3_000 + 300) * 1_000_000_000),
        ramp: SimSpan::ZERO,
        factor: 5.0,
        demands: vec![DemandId(0)],
        label: String::new(),
    };
    scenario.surges = vec![burst(1)];
    // Sample number ceil(0.95 x 36) = 35 of 36: one burst is free, two are not.
    let bill = |scenario: &Scenario| play(scenario).0.bills[0];
    assert_near(bill(&scenario).billed_bps, 0.1e6, "one burst");
    assert_near(bill(&scenario).cost, 0.2, "price");
    scenario.surges.push(burst(2));
    assert_near(bill(&scenario).billed_bps, 0.5e6, "two bursts");
}
