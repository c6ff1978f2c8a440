//! `unimog-loop` through whole runs: a colo with servers of two generations, played request by
//! request.

use std::cell::RefCell;
use steerlab_engine::kernel::{SimSpan, SimTime, Stream};
use steerlab_engine::load::balance::hash::HashSpec;
use steerlab_engine::load::balance::{BalancerSpec, ConnectionsSpec};
use steerlab_engine::load::law::Law;
use steerlab_engine::load::requests::{
    ClientSpec, ConnectionSpec, Discipline, FrontSpec, Level, Protocol,
};
use steerlab_engine::net::{ColoId, Network, Pool, PoolId, SiteId};
use steerlab_engine::record::{ActionRecord, Recorder, RunId, RunTotals, ZoomRow};
use steerlab_engine::run::{Limits, run};
use steerlab_engine::scenario::testing::plain;
use steerlab_engine::scenario::{
    ArmId, Change, ClientGroup, Demand, PolicySpec, Prefix, PrefixId, Rate, Scenario, ServiceId,
    Source, Target, TenantId, TimelineEvent, ZoomSpec,
};
use steerlab_engine::steer::{
    Action, Ask, Descriptor, ParamValue, Policy, PolicyRegistry, Refusal, Surface, View,
};
use steerlab_policies::BuiltIn;

/// Eight fast servers and eight half as fast; 720 requests/s of 10 ms on 12 cores' worth: load 0.6.
/// The balancer takes all for equal, so without help the slow ones have load 0.9, the fast ones
/// 0.45.
fn colo(balancer: BalancerSpec) -> Scenario {
    let mut network = Network::default();
    let site = network.add_site("ams", "", None);
    let colo = network.add_colo(site, "ams");
    for (id, core_speed) in [("new", 1.0), ("old", 0.5)] {
        network.add_pool(Pool { id: id.to_owned(), colo, servers: 8, cores: 1, core_speed });
    }
    let mut scenario = plain(network, "unimog-loop");
    scenario.horizon = SimSpan::from_seconds(900);
    scenario.prefixes.push(Prefix { id: "any".to_owned(), sites: vec![SiteId(0)], value: 1.0 });
    let group = scenario.client_groups.push(ClientGroup {
        id: "users".to_owned(),
        label: String::new(),
        location: None,
        neighbour: None,
        asn: None,
        weight: 1.0,
        rtt: vec![(SiteId(0), SimSpan::from_millis(10))],
    });
    scenario.demands.push(Demand {
        id: "users".to_owned(),
        source: Source::Clients(group),
        target: Target::Prefix(PrefixId(0)),
        service: ServiceId(1),
        tenant: TenantId(0),
        rate: Rate::RequestsPerS(720.0),
        profile: None,
    });
    scenario.zoom.push(ZoomSpec {
        colos: vec![ColoId(0)],
        from: SimTime::ZERO,
        until: SimTime(900_000_000_000),
        warm_up: SimSpan::ZERO,
        balancer,
        balancers: 1,
        front: FrontSpec::default(),
        equal_weights: true,
        discipline: Discipline::ProcessorSharing,
        concurrency: None,
        queue_max: None,
        law: Law::Exponential,
        client: ClientSpec::default(),
        request_interval: SimSpan::from_seconds(10),
    });
    scenario.arms.rows_mut()[0].policies = vec![policy(0.4, 0.2)];
    scenario
}

fn policy(gain: f64, step: f64) -> PolicySpec {
    let ratios = [("gain", gain), ("step", step), ("smoothing", 0.5), ("tolerance", 0.05)];
    let params = ratios.map(|(name, value)| (name.to_owned(), ParamValue::Ratio(value)));
    let period = SimSpan::from_seconds(10);
    PolicySpec { name: "unimog-loop".to_owned(), period, params: params.to_vec() }
}

#[derive(Default)]
struct Seen {
    rows: Vec<ZoomRow>,
    weights: Vec<Vec<f64>>,
    refusals: Vec<Refusal>,
}

impl Recorder for Seen {
    fn zoom_bucket(&mut self, _: SimTime, rows: &[ZoomRow]) {
        self.rows.extend(rows.iter().cloned());
    }

    fn action(&mut self, action: &ActionRecord<'_>) {
        self.refusals.extend(action.refusal);
        if let (Action::SetWeights { weights, .. }, None) = (action.action, action.refusal) {
            self.weights.push(weights.to_vec());
        }
    }
}

fn play(scenario: &Scenario, policies: &dyn PolicyRegistry) -> (RunTotals, Seen) {
    let id = RunId { arm: ArmId(0), replication: 0 };
    let mut seen = Seen::default();
    let totals = run(scenario, id, policies, &mut seen, Limits::default(), &|| false)
        .expect("no limit is in reach");
    (totals, seen)
}

/// Highest utilisation of a server over the mean, in the last five minutes.
fn spread(seen: &Seen) -> f64 {
    let last = &seen.rows[seen.rows.len() - 5..];
    let mean: f64 = last.iter().map(|row| row.counts.utilisation_mean).sum();
    last.iter().map(|row| row.counts.utilisation_max).sum::<f64>() / mean
}

#[test]
fn unknown_speeds_are_found_out() {
    let mut still = colo(BalancerSpec::Random);
    still.arms.rows_mut()[0].policies = vec![policy(0.0, 0.2)];
    let without = spread(&play(&still, &BuiltIn).1);
    assert!(without > 1.45, "slow servers at 0.9 of 0.6 without help: {without}");
    let (totals, seen) = play(&colo(BalancerSpec::Random), &BuiltIn);
    assert!(spread(&seen) < 1.12, "{} {}", without, spread(&seen));
    assert!(seen.refusals.is_empty() && totals.actions_applied > 0);
    let weights = seen.weights.last().expect("it acted");
    let (new, old): (f64, f64) = (weights[..8].iter().sum(), weights[8..].iter().sum());
    // Equal loads need twice the requests at twice the speed.
    assert!((new / old - 2.0).abs() < 0.2, "{new} to {old}");
}

#[test]
fn servers_that_fail_keep_their_share_and_the_others_stay_even() {
    let mut scenario = colo(BalancerSpec::Random);
    scenario.timeline.push(TimelineEvent {
        at: SimTime(300_000_000_000),
        agent: "timeline".to_owned(),
        label: String::new(),
        change: Change::ServersDown(PoolId(0), 0.25),
    });
    let (_, seen) = play(&scenario, &BuiltIn);
    assert!(spread(&seen) < 1.12, "{}", spread(&seen));
    let last = seen.weights.last().expect("it acted");
    assert!(last.iter().all(|share| *share > 0.0), "{last:?}");
}

/// Long connections: the loop moves buckets, the second slot keeps what is open.
#[test]
fn moving_buckets_breaks_nothing_behind_two_slots() {
    let run = |chained| {
        let table =
            HashSpec::DaisyChain { buckets: 4096, quarantine: SimSpan::from_seconds(60), chained };
        let connections: Option<ConnectionsSpec> = None;
        let mut scenario = colo(BalancerSpec::Hash { table, connections });
        let zoom = &mut scenario.zoom[0];
        zoom.front.level = Level::Connection;
        // 7,200 users, so that a server has hundreds of connections and chance leaves loads even.
        zoom.request_interval = SimSpan::from_seconds(10);
        zoom.client.connection = Some(ConnectionSpec {
            protocol: Protocol::Http2Tls13,
            resumed: 0.0,
            early_data: false,
            dns_share: 0.0,
            dns: SimSpan::ZERO,
            keep_alive: SimSpan::from_seconds(60),
            requests_max: None,
            // No connection lives through two changes of its bucket.
            life: Some((Law::Deterministic, 30.0)),
        });
        // Load follows new connections only, three periods late: a slow loop.
        scenario.arms.rows_mut()[0].policies = vec![policy(0.15, 0.2)];
        let (totals, seen) = play(&scenario, &BuiltIn);
        let opened = totals.zoom[0].counts.connections_opened;
        (totals.zoom[0].counts.connections_broken / opened, spread(&seen))
    };
    let (broken, even) = run(true);
    assert_eq!(broken, 0.0, "no bucket changes twice in the life of a connection");
    assert!(even < 1.2, "{even}");
    let (broken, _) = run(false);
    assert!(broken > 0.002, "without the second slot every move breaks some: {broken}");
}

thread_local! {
    static ANSWERS: RefCell<Vec<Result<(), Refusal>>> = const { RefCell::new(Vec::new()) };
}

/// Asks for weights that make no sense, once.
struct Confused(bool);

impl Policy for Confused {
    fn decide(&mut self, _: &View<'_>, _: &mut Stream, ask: &mut Ask<'_>) {
        if std::mem::replace(&mut self.0, true) {
            return;
        }
        let mut ask = |colo, weights: Vec<f64>| {
            let action = Action::SetWeights { colo: ColoId(colo), weights: weights.into() };
            ANSWERS.with_borrow_mut(|answers| answers.push(ask.request(action, "")));
        };
        ask(0, vec![1.0; 16]);
        ask(0, vec![1.0; 15]);
        ask(0, vec![0.0; 16]);
        ask(0, vec![f64::NAN; 16]);
        ask(0, vec![-1.0; 16]);
        ask(1, vec![1.0; 16]);
        ask(2, vec![1.0]);
    }
}

impl PolicyRegistry for Confused {
    fn descriptors(&self) -> &[Descriptor] {
        static LIST: [Descriptor; 1] = [Descriptor {
            name: "unimog-loop",
            version: 1,
            summary: "",
            source: "",
            surfaces: &[Surface::Balance],
            feeds: &[],
            default_period: SimSpan::from_seconds(10),
            params: &[],
            build: |_| Box::new(Confused(false)),
            check: |_| Ok(()),
        }];
        &LIST
    }
}

#[test]
fn weights_that_make_no_sense_are_refused() {
    let mut scenario = colo(BalancerSpec::Random);
    let (id, servers, cores, core_speed) = ("other".to_owned(), 1, 1, 1.0);
    let site = scenario.network.add_site("fra", "", None);
    let colo = scenario.network.add_colo(site, "fra");
    scenario.network.add_pool(Pool { id, colo, servers, cores, core_speed });
    play(&scenario, &Confused(false));
    let answers = ANSWERS.with_borrow_mut(std::mem::take);
    let expected = [
        Ok(()),
        Err(Refusal::OutOfRange),
        Err(Refusal::OutOfRange),
        Err(Refusal::OutOfRange),
        Err(Refusal::OutOfRange),
        Err(Refusal::NotZoomed),
        Err(Refusal::UnknownEntity),
    ];
    assert_eq!(answers, expected);
}
