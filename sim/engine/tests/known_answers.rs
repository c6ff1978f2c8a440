//! Small scenarios whose results are known by arithmetic.

use steerlab_engine::kernel::{Id, SimSpan, SimTime, Stream};
use steerlab_engine::net::testing::{line_network, plain_link, plain_neighbour, plain_site};
use steerlab_engine::net::{
    ArcId, ColoId, GeoPoint, LinkKind, NeighbourId, NeighbourKind, Network, NodeId, Pool, SiteId,
};
use steerlab_engine::record::{
    ActionRecord, Bucket, DropCause, EventRecord, NoRecorder, Recorder, RunId, RunTotals, TotalRow,
};
use steerlab_engine::run::{Limits, run};
use steerlab_engine::scenario::testing::plain;
use steerlab_engine::scenario::{
    ArmId, Change, ClientGroup, ClientGroupId, Demand, Prefix, PrefixId, Rate, Scenario, ServiceId,
    Source, Surge, Target, TenantId, TimelineEvent,
};
use steerlab_engine::steer::{
    Action, Ask, Descriptor, Policy, PolicyRegistry, Refusal, Surface, Tunnel, TunnelPair, View,
};

/// A policy that asks for the actions of the test at their times.
struct Script(Vec<(u64, Action)>);

impl Policy for Script {
    fn decide(&mut self, view: &View<'_>, _stream: &mut Stream, ask: &mut Ask<'_>) {
        for (at, action) in &self.0 {
            if view.now == SimTime(*at * 1_000_000_000) {
                let _ = ask.request(action.clone(), "test");
            }
        }
    }
}

macro_rules! script {
    ($name:ident, $steps:expr) => {
        struct $name;
        impl PolicyRegistry for $name {
            fn descriptors(&self) -> &[Descriptor] {
                static LIST: [Descriptor; 1] = [Descriptor {
                    name: "script",
                    version: 1,
                    summary: "",
                    source: "",
                    surfaces: &[Surface::Announce, Surface::Spill, Surface::Paths, Surface::Admit],
                    feeds: &[],
                    default_period: SimSpan::from_seconds(1),
                    params: &[],
                    build: |_| Box::new(Script($steps)),
                    check: |_| Ok(()),
                }];
                &LIST
            }
        }
    };
}

script!(Nothing, Vec::new());

fn play(
    scenario: &Scenario,
    registry: &dyn PolicyRegistry,
    recorder: &mut dyn Recorder,
) -> RunTotals {
    let id = RunId { arm: ArmId(0), replication: 0 };
    run(scenario, id, registry, recorder, Limits::default(), &|| false)
        .expect("no limit is in reach")
}

fn transfer(id: &str, from: NodeId, to: NodeId, bps: f64) -> Demand {
    Demand {
        id: id.to_owned(),
        source: Source::Node(from),
        target: Target::Node(to),
        service: ServiceId(0),
        tenant: TenantId(0),
        rate: Rate::Bps(bps),
        profile: None,
    }
}

fn event(at_s: u64, change: Change) -> TimelineEvent {
    TimelineEvent {
        at: SimTime(at_s * 1_000_000_000),
        agent: "scenario".to_owned(),
        label: String::new(),
        change,
    }
}

/// Collects the total row of every bucket.
#[derive(Default)]
struct Totals(Vec<TotalRow>);

impl Recorder for Totals {
    fn bucket(&mut self, bucket: &Bucket<'_>) {
        self.0.push(*bucket.total);
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-12)
}

/// The cloud-link saturation toy: baseline B = 1 Gbit/s doubles; private links carry 1.4 B; half
/// of the prefixes are withdrawn to a path limited to 0.3 B. Loss 30 %, then 35 %; none once the
/// tenant is limited to 0.4 B and the routes are back.
#[test]
fn cloud_link_saturation_toy() {
    const B: f64 = 1e9;
    script!(
        Limit,
        vec![(
            360,
            Action::LimitTenant { tenant: TenantId(1), neighbour: NeighbourId(0), rate_bps: 0.4e9 }
        )]
    );
    let mut network = Network::default();
    let site = plain_site(&mut network, "ashburn");
    let far = network.add_colo(site, "ashburn/far");
    let cloud = plain_neighbour(&mut network, "cloud", NeighbourKind::Cloud, 20);
    let (edge, far) = (network.site_node(site), network.colos[far].node);
    let there = network.neighbours[cloud].node;
    let mut links = Vec::new();
    for (name, ends, kind, capacity) in [
        ("pni-1", [edge, there], LinkKind::Pni, 800_000_000),
        ("pni-2", [edge, there], LinkKind::Pni, 600_000_000),
        ("dci", [edge, far], LinkKind::Dci, 300_000_000),
        ("far", [far, there], LinkKind::Pni, 10_000_000_000),
    ] {
        links.push(network.links.push(plain_link(name, kind, ends, capacity)));
    }
    let mut scenario = plain(network, "script");
    scenario.tenants.push(scenario.tenants[TenantId(0)].clone());
    scenario.demands.push(transfer("base", edge, there, B));
    let mut surge = transfer("surge", edge, there, B);
    surge.tenant = TenantId(1);
    scenario.demands.push(surge);
    let pnis = links[..2].to_vec();
    scenario.timeline = vec![
        event(120, Change::NeighbourWithdraws { links: pnis.clone(), share: 0.5, if_above: None }),
        event(480, Change::NeighbourRestores { links: pnis }),
    ];
    let mut totals = Totals::default();
    let run = play(&scenario, &Limit, &mut totals);
    let loss = |minute: usize| {
        let flow = &totals.0[minute].flow;
        flow.dropped_bits[DropCause::LinkFull as usize] / flow.offered_bits
    };
    assert!(close(loss(0), 0.30), "surge: {}", loss(0));
    // The minute after the withdrawal has converged.
    assert!(close(loss(3), 0.35), "withdrawal: {}", loss(3));
    // Limited, but half of what is left still takes the thin path: 0.7 − 0.3 of 2 B.
    assert!(close(loss(7), 0.20), "limit: {}", loss(7));
    assert_eq!(loss(9), 0.0, "restored");
    let policed = totals.0[9].flow.dropped_bits[DropCause::Policed as usize];
    assert!(close(policed, 0.6 * B));
    assert!(close(run.arcs[0].utilisation_max, 2.0 / 1.4));
}

/// Two equal paths of two hops: even split; a demand of 3 over links of 2 fills them to 0.75.
#[test]
fn diamond_splits_evenly() {
    let mut network = line_network(4, 2_000);
    network.links = [(0, 1), (0, 2), (1, 3), (2, 3)]
        .into_iter()
        .map(|(a, b)| {
            plain_link(&format!("{a}{b}"), LinkKind::Backbone, [NodeId(a), NodeId(b)], 2_000)
        })
        .collect();
    let mut scenario = plain(network, "script");
    scenario.demands.push(transfer("d", NodeId(0), NodeId(3), 3_000.0));
    let run = play(&scenario, &Nothing, &mut NoRecorder);
    for arc in [0, 2, 4, 6] {
        assert!(close(run.arcs[arc].utilisation_max, 0.75));
        assert_eq!(run.arcs[arc + 1].utilisation_max, 0.0);
    }
    assert_eq!(run.total.dropped_bits_total(), 0.0);
}

/// A line of two full links: the second is offered what the first carries, and so loses nothing;
/// utilisation counts what routing places.
#[test]
fn what_a_link_carries_is_offered_to_the_next() {
    let mut network = line_network(3, 100);
    network.links[steerlab_engine::net::LinkId(1)].capacity_bps = [80, 80];
    let mut scenario = plain(network, "script");
    scenario.demands.push(transfer("long", NodeId(0), NodeId(2), 200.0));
    let run = play(&scenario, &Nothing, &mut NoRecorder);
    assert!(close(run.arcs[0].utilisation_max, 2.0));
    assert!(close(run.arcs[2].utilisation_max, 2.5));
    assert!(close(run.arcs[0].dropped_bits, 100.0 * 600.0));
    assert!(close(run.arcs[2].dropped_bits, 20.0 * 600.0));
    assert!(close(run.total.served_bits, 80.0 * 600.0));
}

/// Three links in a circle, every demand two hops: each link gets the full demand that starts on
/// it and what its predecessor carries of another. Shares solve r (1 + r) = c.
#[test]
fn a_circle_of_full_links_settles_at_the_fixed_point() {
    let mut network = line_network(3, 120);
    network.links = (0..3)
        .map(|i| {
            let mut link = plain_link(
                &format!("l{i}"),
                LinkKind::Backbone,
                [NodeId(i), NodeId((i + 1) % 3)],
                120,
            );
            link.capacity_bps = [120, 0];
            link
        })
        .collect();
    let mut scenario = plain(network, "script");
    for i in 0..3 {
        scenario.demands.push(transfer(&format!("d{i}"), NodeId(i), NodeId((i + 2) % 3), 100.0));
    }
    let run = play(&scenario, &Nothing, &mut NoRecorder);
    // 100 r (1 + r) = 120 → r = (−1 + √(1 + 4.8)) / 2.
    let r = (f64::sqrt(5.8) - 1.0) / 2.0;
    let served = run.total.served_bits / run.total.offered_bits;
    assert!((served - r * r).abs() < 1e-9, "{served} against {}", r * r);
}

/// Sites with servers and users: site i has `cpu[i]` CPU-seconds per second, and a client group
/// next door that asks `rps[i]` (10 ms each).
fn edge(cpu: &[u32], rps: &[f64]) -> Scenario {
    let mut network = Network::default();
    let mut groups = Vec::new();
    for (index, &servers) in cpu.iter().enumerate() {
        let location = Some(GeoPoint { lat: 0.0, lon: 10.0 * index as f64 });
        let site = network.add_site(&format!("s{index}"), "", location);
        let colo = network.add_colo(site, &format!("s{index}"));
        network.add_pool(Pool {
            id: format!("p{index}"),
            colo,
            servers,
            cores: 1,
            core_speed: 1.0,
        });
        groups.push(ClientGroup {
            id: format!("g{index}"),
            label: String::new(),
            location,
            neighbour: None,
            asn: None,
            weight: 1.0,
            rtt: Vec::new(),
        });
    }
    let mut scenario = plain(network, "script");
    let sites = (0..cpu.len()).map(SiteId::from_index).collect();
    scenario.prefixes.push(Prefix { id: "any".to_owned(), sites, value: 1.0 });
    for (index, group) in groups.into_iter().enumerate() {
        scenario.client_groups.push(group);
        scenario.demands.push(Demand {
            id: format!("d{index}"),
            source: Source::Clients(ClientGroupId::from_index(index)),
            target: Target::Prefix(PrefixId(0)),
            service: ServiceId(1),
            tenant: TenantId(0),
            rate: Rate::RequestsPerS(rps[index]),
            profile: None,
        });
    }
    scenario
}

/// One server, 1.5 times overloaded: the backlog of 10 s is full after 20 s, then a third is
/// dropped; what is served is the capacity.
#[test]
fn an_overloaded_server_queues_then_drops() {
    let mut scenario = edge(&[1], &[150.0]);
    scenario.horizon = SimSpan::from_seconds(120);
    let mut totals = Totals::default();
    let run = play(&scenario, &Nothing, &mut totals);
    assert!(close(run.total.served_requests, 100.0 * 120.0), "{}", run.total.served_requests);
    assert!((run.total.queued_requests - 1_000.0).abs() < 1e-3, "{}", run.total.queued_requests);
    assert!((run.total.dropped_requests - 50.0 * 100.0).abs() < 1e-3);
    assert!(close(run.sites[0].cpu_utilisation_max, 1.5));
    assert!(close(run.sites[0].overload_s, 120.0));
}

/// After an overload the backlog drains at the spare rate, and everything that was queued is
/// served in the end.
#[test]
fn a_backlog_drains_and_nothing_is_lost() {
    let mut scenario = edge(&[2], &[150.0]);
    // Half the servers are away for 15 s: the backlog grows by 0.5 s of work per second.
    scenario.timeline = vec![
        event(60, Change::ServersDown(steerlab_engine::net::PoolId(0), 0.5)),
        event(75, Change::ServersDown(steerlab_engine::net::PoolId(0), 0.0)),
    ];
    let mut totals = Totals::default();
    let run = play(&scenario, &Nothing, &mut totals);
    assert!(run.total.dropped_requests.abs() < 1e-3, "{}", run.total.dropped_requests);
    assert!(close(run.total.served_requests, 150.0 * 600.0), "{}", run.total.served_requests);
    assert!(totals.0[1].latency_ms.p99 > 1_000.0, "queued requests waited seconds");
}

/// What waits where the power goes is lost with it, and what waits for servers that fail is lost
/// beyond the bound of the others.
#[test]
fn a_backlog_goes_down_with_its_servers() {
    let servers = |share| Change::ServersDown(steerlab_engine::net::PoolId(0), share);
    // Four servers with 10 ms a request answer 400 of 410 requests per second: after 30 s 300 wait.
    // In the last second 410 arrive; one server answers 100 of them and lets 100 wait.
    for (change, cause, expected) in [
        (Change::SiteFails(SiteId(0)), DropCause::Down, 300.0 + 410.0),
        (servers(0.75), DropCause::ServerFull, 200.0 + 310.0),
        (servers(1.0), DropCause::ServerFull, 300.0 + 410.0),
    ] {
        let mut scenario = edge(&[4], &[410.0]);
        scenario.queue_limit = SimSpan::from_seconds(1);
        scenario.horizon = SimSpan::from_seconds(31);
        scenario.bucket = SimSpan::from_seconds(30);
        scenario.timeline = vec![event(30, change)];
        let mut totals = Totals::default();
        play(&scenario, &Nothing, &mut totals);
        assert!((totals.0[0].flow.queued_requests * 30.0 - 300.0).abs() < 1e-6);
        let dropped = totals.0[1].flow.dropped_bits[cause as usize] / (11_000.0 * 8.0);
        assert!((dropped - expected).abs() < 1e-3, "{dropped} of {expected}");
    }
}

/// A failed site loses its users' traffic until routing has moved them, then its neighbour
/// carries both: overload iff utilisation exceeds 1/2.
#[test]
fn a_lost_site_moves_to_its_neighbour() {
    for (rps, overloaded) in [(49.0, false), (51.0, true)] {
        let mut scenario = edge(&[1, 1], &[rps, rps]);
        scenario.timeline = vec![event(60, Change::SiteFails(SiteId(0)))];
        let mut totals = Totals::default();
        let run = play(&scenario, &Nothing, &mut totals);
        assert!(close(run.sites[1].cpu_utilisation_max, 2.0 * rps / 100.0));
        assert_eq!(run.sites[1].overload_s > 0.0, overloaded);
        let down = run.total.dropped_bits[DropCause::Down as usize];
        let per_second = rps * 11_000.0 * 8.0;
        let seconds = down / per_second;
        assert!((5.0..=60.0).contains(&seconds), "moved after {seconds} s");
        assert!(totals.0[0].flow.dropped_bits_total() == 0.0);
    }
}

/// Absorb or withdraw (capacities 1, 1, 10; legitimate 0.2, 0.2, 2; attack A at site 1, all in
/// units of 100 requests/s; proportional loss): shares of legitimate traffic that is served.
#[test]
fn absorbing_an_attack_serves_the_published_share() {
    for (attack, expected) in [(0.5, 1.0), (5.0, 0.9327), (20.0, 0.9208)] {
        let mut scenario = edge(&[1, 1, 10], &[20.0, 20.0, 200.0]);
        scenario.queue_limit = SimSpan::ZERO;
        scenario.tenants.push(scenario.tenants[TenantId(0)].clone());
        let mut flood = scenario.demands.rows()[0].clone();
        flood.id = "attack".to_owned();
        flood.tenant = TenantId(1);
        flood.rate = Rate::RequestsPerS(attack * 100.0);
        scenario.demands.push(flood);
        let run = play(&scenario, &Nothing, &mut NoRecorder);
        let legitimate = &run.flows[0];
        let served = legitimate.served_requests / legitimate.offered_requests;
        assert!((served - expected).abs() < 5e-5, "attack {attack}: {served}");
    }
}

/// Spilled work is served elsewhere, and everything adds up.
#[test]
fn spill_moves_service_but_not_landing() {
    script!(
        Move,
        vec![(0, Action::Spill { from: SiteId(0), to: SiteId(1), tenant: None, share: 0.25 })]
    );
    let mut scenario = edge(&[1, 1], &[80.0, 0.0]);
    let nodes = [NodeId(0), NodeId(1)];
    scenario.network.links.push(plain_link("b", LinkKind::Backbone, nodes, 1_000_000_000));
    let run = play(&scenario, &Move, &mut NoRecorder);
    assert!(close(run.sites[0].cpu_utilisation_max, 0.6), "{}", run.sites[0].cpu_utilisation_max);
    assert!(close(run.sites[1].cpu_utilisation_max, 0.2));
    // Requests cross the backbone (8 kbit each).
    assert!(close(run.arcs[0].carried_bits, 20.0 * 8_000.0 * 600.0));
}

/// A site whose servers are all out of service serves nothing, even if it has a colo without any.
#[test]
fn a_colo_without_servers_does_not_stand_in() {
    let mut scenario = edge(&[1], &[50.0]);
    let network = &mut scenario.network;
    let bare = network.add_colo(SiteId(0), "s0/bare");
    network.sites[SiteId(0)].colos = vec![bare, ColoId(0)];
    scenario.timeline = vec![event(300, Change::ServersDown(steerlab_engine::net::PoolId(0), 1.0))];
    let run = play(&scenario, &Nothing, &mut NoRecorder);
    assert!(close(run.total.served_requests, 50.0 * 300.0), "{}", run.total.served_requests);
}

/// A surge that begins and ends inside a traffic step is there in full; its ramps are taken at its
/// middle, not at that of the step.
#[test]
fn a_surge_ends_before_its_step() {
    let mut scenario = edge(&[10], &[10.0]);
    scenario.surges = vec![Surge {
        at: SimTime(0),
        until: SimTime(20_000_000_000),
        ramp: SimSpan::from_seconds(5),
        factor: 3.0,
        demands: scenario.demands.ids().collect(),
        label: String::new(),
    }];
    let run = play(&scenario, &Nothing, &mut NoRecorder);
    assert!(close(run.total.offered_requests, 10.0 * (600.0 + 2.0 * 20.0)));
}

/// Actions on one target take effect in the order in which they were asked for, however long each
/// of them takes.
#[test]
fn a_later_action_does_not_overtake() {
    script!(
        Flap,
        (1..100)
            .map(|at| {
                let (prefix, site) = (PrefixId(0), SiteId(0));
                let on = at % 2 == 0;
                let action = if on {
                    Action::Announce { prefix, site }
                } else {
                    Action::Withdraw { prefix, site }
                };
                (at, action)
            })
            .collect()
    );
    #[derive(Default)]
    struct Effects(Vec<String>);
    impl Recorder for Effects {
        fn event(&mut self, event: &EventRecord<'_>) {
            if event.kind == "action-effective" {
                self.0.push(event.label.to_owned());
            }
        }
    }
    let mut scenario = edge(&[1, 1], &[1.0, 1.0]);
    scenario.actuators[Surface::Announce as usize].jitter = SimSpan::from_seconds(30);
    let mut effects = Effects::default();
    play(&scenario, &Flap, &mut effects);
    assert_eq!(effects.0.len(), 99);
    assert!(effects.0.iter().step_by(2).all(|name| name == "withdraw"), "{:?}", effects.0);
}

/// Users who wait to follow a withdrawal are not hurried by links that fail and come back.
#[test]
fn failing_links_do_not_hurry_users() {
    let mut scenario = edge(&[1, 1], &[10.0, 10.0]);
    let nodes = [NodeId(0), NodeId(1)];
    scenario.network.links.push(plain_link("b", LinkKind::Backbone, nodes, 1_000));
    scenario.routing.bgp_convergence_mean = SimSpan::from_seconds(40);
    scenario.timeline = vec![event(60, Change::SiteFails(SiteId(0)))];
    let calm = play(&scenario, &Nothing, &mut NoRecorder);
    let link = steerlab_engine::net::LinkId(0);
    for second in 61..80 {
        scenario.timeline.push(event(second, Change::LinkFails(link)));
        scenario.timeline.push(event(second, Change::LinkRestored(link)));
    }
    let busy = play(&scenario, &Nothing, &mut NoRecorder);
    assert!(calm.total.dropped_bits_total() > 0.0);
    assert!(close(calm.total.dropped_bits_total(), busy.total.dropped_bits_total()));
}

/// The IGP needs its time after every change: a second failure does not converge with the first.
#[test]
fn every_change_converges_in_its_own_time() {
    let mut network = line_network(2, 1_000);
    for (index, weight) in [(1, 2), (2, 3)] {
        let nodes = [NodeId(0), NodeId(1)];
        let mut link = plain_link(&format!("l{index}"), LinkKind::Backbone, nodes, 1_000);
        link.weight = [weight; 2];
        network.links.push(link);
    }
    let mut scenario = plain(network, "script");
    scenario.demands.push(transfer("d", NodeId(0), NodeId(1), 100.0));
    scenario.routing.igp_convergence = SimSpan::from_seconds(10);
    scenario.timeline = vec![
        event(100, Change::LinkFails(steerlab_engine::net::LinkId(0))),
        event(105, Change::LinkFails(steerlab_engine::net::LinkId(1))),
    ];
    let run = play(&scenario, &Nothing, &mut NoRecorder);
    assert!(close(run.total.dropped_bits[DropCause::Down as usize], 100.0 * 15.0));
}

/// Work that waits elsewhere does not slow down what is served here: half of the requests go to a
/// full server and wait 10 s, half stay and take what an idle site takes.
#[test]
fn a_backlog_delays_only_what_waits_in_it() {
    script!(
        Half,
        vec![(0, Action::Spill { from: SiteId(0), to: SiteId(1), tenant: None, share: 0.5 })]
    );
    let mut scenario = edge(&[100, 1], &[400.0, 0.0]);
    let nodes = [NodeId(0), NodeId(1)];
    scenario.network.links.push(plain_link("b", LinkKind::Backbone, nodes, 1_000_000_000));
    let mut totals = Totals::default();
    play(&scenario, &Half, &mut totals);
    let latency = totals.0[9].latency_ms;
    assert!(latency.p50 < 100.0, "200 of 300 answers a second: {latency:?}");
    assert!(latency.p95 > 10_000.0, "100 of 300 answers a second: {latency:?}");
}

/// A spilled transfer starts at the other site and takes that site's way, not the tunnels of its
/// first source.
#[test]
fn a_spilled_transfer_leaves_the_tunnels_of_its_source() {
    script!(
        Both,
        vec![
            (
                0,
                Action::SetTunnels(std::sync::Arc::new(vec![TunnelPair {
                    from: NodeId(0),
                    to: NodeId(2),
                    tunnels: vec![Tunnel { arcs: vec![ArcId(0), ArcId(2)], share: 1.0 }],
                }]))
            ),
            (0, Action::Spill { from: SiteId(0), to: SiteId(1), tenant: None, share: 0.25 }),
        ]
    );
    let mut scenario = plain(line_network(3, 1_000), "script");
    scenario.demands.push(transfer("d", NodeId(0), NodeId(2), 400.0));
    let run = play(&scenario, &Both, &mut NoRecorder);
    assert!(close(run.arcs[0].utilisation_max, 0.3), "{}", run.arcs[0].utilisation_max);
    assert!(close(run.arcs[2].utilisation_max, 0.4), "{}", run.arcs[2].utilisation_max);
    assert!(close(run.total.served_bits, 400.0 * 600.0));
}

#[test]
fn requests_are_checked_at_once() {
    script!(
        Wrong,
        vec![
            (1, Action::Withdraw { prefix: PrefixId(0), site: SiteId(0) }),
            (2, Action::Withdraw { prefix: PrefixId(0), site: SiteId(0) }),
            (3, Action::Withdraw { prefix: PrefixId(0), site: SiteId(1) }),
            (4, Action::Withdraw { prefix: PrefixId(9), site: SiteId(1) }),
            (5, Action::Spill { from: SiteId(0), to: SiteId(1), tenant: None, share: 1.5 }),
        ]
    );
    #[derive(Default)]
    struct Refusals(Vec<Option<Refusal>>);
    impl Recorder for Refusals {
        fn action(&mut self, action: &ActionRecord<'_>) {
            self.0.push(action.refusal);
        }
    }
    let scenario = edge(&[1, 1], &[1.0, 1.0]);
    let mut refusals = Refusals::default();
    let run = play(&scenario, &Wrong, &mut refusals);
    assert_eq!(
        refusals.0,
        [
            None,
            Some(Refusal::NoChange),
            Some(Refusal::LastAnnouncement),
            Some(Refusal::UnknownEntity),
            Some(Refusal::OutOfRange)
        ]
    );
    assert_eq!((run.actions_applied, run.actions_refused), (1, 4));
}

/// The trajectory does not depend on how results are bucketed, or on unused entities.
#[test]
fn irrelevant_changes_leave_the_fingerprint() {
    let mut scenario = edge(&[1, 1, 1], &[90.0, 70.0, 30.0]);
    scenario.timeline =
        vec![event(100, Change::SiteFails(SiteId(0))), event(300, Change::SiteRestored(SiteId(0)))];
    scenario.demand_noise.cv = 0.1;
    let print = |scenario: &Scenario| play(scenario, &Nothing, &mut NoRecorder).fingerprint;
    let base = print(&scenario);
    assert_eq!(base, print(&scenario));
    let mut wide = scenario.clone();
    wide.bucket = SimSpan::from_seconds(7);
    wide.client_bucket = SimSpan::from_seconds(70);
    assert_eq!(base, print(&wide));
    let mut relabelled = scenario.clone();
    relabelled.network.sites[SiteId(1)].label = "another label".to_owned();
    assert_eq!(base, print(&relabelled));
    let mut other = scenario.clone();
    other.seed += 1;
    assert_ne!(base, print(&other));
    let mut faster = scenario;
    faster.network.pools.rows_mut()[0].servers = 2;
    assert_ne!(base, print(&faster));
    assert_eq!(faster.network.pools.rows()[0].colo, ColoId(0));
}
