//! Zoom: what is played request by request agrees with the fluid around it, and with theory.

use steerlab_engine::kernel::{Id, SimSpan, SimTime, Stream};
use steerlab_engine::load::balance::BalancerSpec;
use steerlab_engine::load::law::Law;
use steerlab_engine::load::requests::{
    ClientSpec, ConnectionSpec, Discipline, FrontSpec, Level, Protocol,
};
use steerlab_engine::net::{ColoId, GeoPoint, Network, Pool, PoolId, SiteId};
use steerlab_engine::record::{Recorder, RunId, RunTotals, ZoomRow};
use steerlab_engine::run::{Limits, run};
use steerlab_engine::scenario::testing::plain;
use steerlab_engine::scenario::{
    ArmId, Change, ClientGroup, ClientGroupId, Demand, Prefix, PrefixId, Rate, Scenario, ServiceId,
    Source, Surge, Target, TenantId, TimelineEvent, ZoomSpec,
};
use steerlab_engine::steer::{Ask, Descriptor, Policy, PolicyRegistry, View};

struct Nothing;

impl Policy for Nothing {
    fn decide(&mut self, _: &View<'_>, _: &mut Stream, _: &mut Ask<'_>) {}
}

impl PolicyRegistry for Nothing {
    fn descriptors(&self) -> &[Descriptor] {
        static LIST: [Descriptor; 1] = [Descriptor {
            name: "nothing",
            version: 1,
            summary: "",
            source: "",
            surfaces: &[],
            feeds: &[],
            default_period: SimSpan::from_seconds(3_600),
            params: &[],
            build: |_| Box::new(Nothing),
            check: |_| Ok(()),
        }];
        &LIST
    }
}

/// Rows of zoomed colos with the start of their bucket in seconds.
#[derive(Default)]
struct Rows(Vec<(f64, ZoomRow)>);

impl Recorder for Rows {
    fn zoom_bucket(&mut self, start: SimTime, rows: &[ZoomRow]) {
        self.0.extend(rows.iter().map(|row| (start.seconds(), row.clone())));
    }
}

fn play(scenario: &Scenario, replication: u32) -> (RunTotals, Vec<(f64, ZoomRow)>) {
    let id = RunId { arm: ArmId(0), replication };
    let mut rows = Rows::default();
    let totals = run(scenario, id, &Nothing, &mut rows, Limits::default(), &|| false)
        .expect("no limit is in reach");
    (totals, rows.0)
}

/// Two sites of `servers` machines each with one core; users next to each ask for 10 ms of work,
/// the first site's `rps[0]` times a second. The first site is zoomed.
fn edge(servers: u32, rps: [f64; 2]) -> Scenario {
    let mut network = Network::default();
    let mut groups = Vec::new();
    for index in 0..2 {
        let location = Some(GeoPoint { lat: 0.0, lon: 10.0 * f64::from(index) });
        let site = network.add_site(&format!("s{index}"), "", location);
        let colo = network.add_colo(site, &format!("s{index}"));
        let (id, cores, core_speed) = (format!("p{index}"), 1, 1.0);
        network.add_pool(Pool { id, colo, servers, cores, core_speed });
        groups.push(ClientGroup {
            id: format!("g{index}"),
            label: String::new(),
            location,
            neighbour: None,
            asn: None,
            weight: 1.0,
            rtt: vec![(SiteId(0), SimSpan::from_millis(20)), (SiteId(1), SimSpan::from_millis(30))],
        });
    }
    let mut scenario = plain(network, "nothing");
    let sites = vec![SiteId(0), SiteId(1)];
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
    // The second group is nearer to the second site.
    scenario.client_groups.rows_mut()[1].rtt =
        vec![(SiteId(0), SimSpan::from_millis(50)), (SiteId(1), SimSpan::from_millis(5))];
    scenario.zoom.push(ZoomSpec {
        colos: vec![ColoId(0)],
        from: SimTime::ZERO,
        until: SimTime(600_000_000_000),
        warm_up: SimSpan::ZERO,
        balancer: BalancerSpec::Random,
        balancers: 1,
        front: FrontSpec::default(),
        equal_weights: false,
        discipline: Discipline::ProcessorSharing,
        concurrency: None,
        queue_max: None,
        law: Law::Exponential,
        client: ClientSpec::default(),
        request_interval: SimSpan::from_seconds(10),
    });
    scenario
}

const REPLICATIONS: u32 = 30;
/// Student's t, 29 degrees of freedom, 99.5 %.
const T_99: f64 = 2.756;

fn mean_and_half(sample: &[f64]) -> (f64, f64) {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let variance = sample.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    (mean, T_99 * (variance / n).sqrt())
}

#[test]
fn fluid_and_requests_agree_on_load_and_response() {
    // One server at load 0.7 and users 20 ms away: M/G/1-PS answers after 20 + 10 / 0.3 ms on
    // average, whatever the law; and the fluid says the same.
    for law in [Law::Deterministic, Law::HyperExponential(4.0)] {
        let mut scenario = edge(1, [70.0, 10.0]);
        scenario.horizon = SimSpan::from_seconds(1_800);
        scenario.zoom[0].until = SimTime(1_800_000_000_000);
        scenario.zoom[0].law = law.clone();
        scenario.zoom[0].from = SimTime(60_000_000_000);
        scenario.zoom[0].warm_up = SimSpan::from_seconds(30);
        let (mut load, mut served, mut response) = (Vec::new(), Vec::new(), Vec::new());
        let mut fluid_ms = 0.0;
        for replication in 0..REPLICATIONS {
            let (totals, rows) = play(&scenario, replication);
            assert!(rows.iter().all(|(at, row)| *at >= 60.0 && row.seconds == 60.0));
            assert_eq!(rows.len(), 29);
            let all = &totals.zoom[0].counts;
            assert_eq!((totals.zoom[0].site, totals.zoom[1].site), (None, Some(SiteId(0))));
            assert_eq!(totals.zoom[1].counts, *all);
            let parts: f64 = all.parts_ms.iter().sum();
            assert!((parts - all.latency_ms.mean).abs() < 1e-6);
            assert!((all.parts_ms[1] - 20.0).abs() < 1e-6);
            load.push(all.utilisation_mean);
            served.push(all.served / 1_740.0);
            response.push(all.latency_ms.mean);
            fluid_ms = totals.sites[0].latency_parts_ms.total();
            assert!((totals.sites[0].cpu_utilisation_mean - 0.7).abs() < 1e-9);
        }
        for (what, sample, exact, tolerance) in [
            ("load", load, 0.7, 0.005),
            ("served per second", served, 70.0, 0.005),
            ("response, ms", response, 20.0 + 10.0 / 0.3, 0.02),
        ] {
            let (mean, half) = mean_and_half(&sample);
            println!("{law:?}, {what}: {mean:.5} ± {half:.5}, exact {exact:.5}");
            assert!((mean - exact).abs() <= half, "{what}: {mean} ± {half}, exact {exact}");
            assert!(half <= tolerance * exact, "{what}: {half} of {exact} is too wide");
        }
        assert!((fluid_ms - (20.0 + 10.0 / 0.3)).abs() < 1e-3, "fluid: {fluid_ms}");
    }
}

#[test]
fn rates_follow_the_fluid_and_the_window_is_kept() {
    // A surge triples demand in the third minute; the window cuts a bucket in half.
    let mut scenario = edge(10, [100.0, 10.0]);
    scenario.surges.push(Surge {
        at: SimTime(120_000_000_000),
        until: SimTime(180_000_000_000),
        ramp: SimSpan::ZERO,
        factor: 3.0,
        demands: vec![steerlab_engine::scenario::DemandId(0)],
        label: String::new(),
    });
    scenario.zoom[0].from = SimTime(90_000_000_000);
    scenario.zoom[0].until = SimTime(240_000_000_000);
    let (totals, rows) = play(&scenario, 0);
    let seen: Vec<(f64, f64)> = rows.iter().map(|(at, row)| (*at, row.seconds)).collect();
    assert_eq!(seen, [(60.0, 30.0), (120.0, 60.0), (180.0, 60.0)]);
    for ((_, row), rate) in rows.iter().zip([100.0, 300.0, 100.0]) {
        let offered = row.counts.offered / row.seconds;
        // Five standard deviations of a Poisson count.
        let spread = 5.0 * (rate / row.seconds).sqrt();
        assert!((offered - rate).abs() < spread, "{offered} of {rate}");
    }
    let sum: f64 = rows.iter().map(|(_, row)| row.counts.offered).sum();
    assert_eq!(totals.zoom[0].counts.offered, sum);
    // Zoom looks on: the fluid around it is the same without it, but the trajectory has more.
    let mut plain = scenario.clone();
    plain.zoom.clear();
    let (without, none) = play(&plain, 0);
    assert!(none.is_empty() && without.zoom.is_empty());
    assert_eq!(without.total, totals.total);
    assert_ne!(without.fingerprint, totals.fingerprint);
    assert_eq!(play(&scenario, 0).0, totals);
}

fn event(at_s: u64, change: Change) -> TimelineEvent {
    TimelineEvent {
        at: SimTime(at_s * 1_000_000_000),
        agent: "scenario".to_owned(),
        label: String::new(),
        change,
    }
}

fn long_lived() -> ClientSpec {
    ClientSpec {
        connection: Some(ConnectionSpec {
            protocol: Protocol::Http3,
            resumed: 0.0,
            early_data: false,
            dns_share: 0.0,
            dns: SimSpan::ZERO,
            keep_alive: SimSpan::from_seconds(60),
            requests_max: None,
            life: Some((Law::Exponential, 20.0)),
        }),
        ..ClientSpec::default()
    }
}

#[test]
fn servers_that_fail_break_their_connections_and_others_take_over() {
    let mut scenario = edge(10, [100.0, 10.0]);
    scenario.timeline = vec![
        event(300, Change::ServersDown(PoolId(0), 0.3)),
        event(420, Change::ServersDown(PoolId(0), 0.0)),
    ];
    scenario.zoom[0].front = FrontSpec { level: Level::Connection, ..FrontSpec::default() };
    scenario.zoom[0].client = long_lived();
    let (_, rows) = play(&scenario, 0);
    let broken: Vec<f64> = rows.iter().map(|(_, row)| row.counts.connections_broken).collect();
    assert!(broken.iter().enumerate().all(|(minute, count)| (*count > 0.0) == (minute == 5)));
    // 1,000 users with a request every 10 s, connections of 20 s: a user has one for 2/3 of the
    // time, and 3 of 10 servers go.
    let expected = 1_000.0 * 20.0 / 30.0 * 0.3;
    assert!((broken[5] - expected).abs() < 0.25 * expected, "{} of {expected}", broken[5]);
    let utilisation = |minute: usize| rows[minute].1.counts.utilisation_mean;
    assert!((utilisation(2) - 0.1).abs() < 0.02, "{}", utilisation(2));
    assert!((utilisation(6) - 0.1 / 0.7).abs() < 0.02, "{}", utilisation(6));
}

#[test]
fn a_moved_catchment_breaks_connections() {
    // The second site fails: its users come to the first. When it is back they leave again, and
    // their connections with the first site break.
    let mut scenario = edge(10, [100.0, 50.0]);
    scenario.timeline =
        vec![event(120, Change::SiteFails(SiteId(1))), event(360, Change::SiteRestored(SiteId(1)))];
    scenario.zoom[0].client = long_lived();
    let (totals, rows) = play(&scenario, 0);
    let offered = |minute: usize| rows[minute].1.counts.offered / 60.0;
    assert!((offered(1) - 100.0).abs() < 8.0 && (offered(5) - 150.0).abs() < 8.0);
    let early: f64 = rows[..6].iter().map(|(_, row)| row.counts.connections_broken).sum();
    assert_eq!(early, 0.0);
    let later = totals.zoom[0].counts.connections_broken;
    let expected = 500.0 * 20.0 / 30.0;
    assert!((later - expected).abs() < 0.3 * expected, "{later} of {expected}");
}

#[test]
fn an_arm_may_choose_another_balancer() {
    // A third of the servers is half as fast, and balancers do not know it.
    let mut scenario = edge(20, [2_000.0, 10.0]);
    let (id, colo) = ("slow".to_owned(), ColoId(0));
    scenario.network.add_pool(Pool { id, colo, servers: 10, cores: 1, core_speed: 0.5 });
    scenario.horizon = SimSpan::from_seconds(120);
    scenario.zoom[0].until = SimTime(120_000_000_000);
    scenario.zoom[0].equal_weights = true;
    scenario.zoom[0].balancer = BalancerSpec::RoundRobin;
    let (turns, _) = play(&scenario, 0);
    scenario.arms[ArmId(0)].balancer = Some(BalancerSpec::PowerOfD { draws: 2, distinct: true });
    let (choices, _) = play(&scenario, 0);
    let p99 = |totals: &RunTotals| totals.zoom[0].counts.latency_ms.p99;
    // Round robin overloads the slow ones: 67 of 50 requests per second each.
    assert!(turns.zoom[0].counts.utilisation_max > 0.99);
    assert!(p99(&choices) < 0.2 * p99(&turns), "{} against {}", p99(&choices), p99(&turns));
    // The same requests arrive.
    assert_eq!(choices.zoom[0].counts.offered, turns.zoom[0].counts.offered);
}
