//! The request level against theory. Means over 30 replications must hold the exact value inside a
//! 99 % interval (Student's t with 29 degrees of freedom). Seeds are fixed. Values: textbook
//! formulas, and for the joined shortest queue, round robin and the closed loop the tables of
//! known answers (numerical solution of the chains).

// What was measured is printed for people; formulas are compared within intervals.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use steerlab_engine::kernel::{SimSpan, SimTime, Stream};
use steerlab_engine::load::balance::{Ask, Balancer, Seen};
use steerlab_engine::load::law::Law;
use steerlab_engine::load::requests::{
    ArrivalSpec, Cause, Cell, CellSpec, CellStats, ClientSpec, ConnectionSpec, Discipline,
    FrontSpec, Level, Path, Pattern, Protocol, RetryBudget, RetrySpec, ServerSpec,
};

/// Evenly at random.
#[derive(Debug)]
struct AtRandom;

impl Balancer for AtRandom {
    fn pick(&mut self, _: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        let able: Vec<u32> =
            (0..seen.weight.len()).filter(|at| seen.takes_work(*at)).map(|at| at as u32).collect();
        able.get(draw.below(able.len() as u64) as usize).copied()
    }
}

/// One after the other.
#[derive(Debug, Default)]
struct Turns(u32);

impl Balancer for Turns {
    fn pick(&mut self, _: &Ask, seen: &Seen<'_>, _: &mut Stream) -> Option<u32> {
        self.0 = (self.0 + 1) % seen.weight.len() as u32;
        Some(self.0)
    }
}

/// The shortest queue of all, ties at random.
#[derive(Debug)]
struct Shortest;

impl Balancer for Shortest {
    fn pick(&mut self, _: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        let least = *seen.outstanding.iter().min()?;
        let all: Vec<u32> = (0_u32..)
            .zip(seen.outstanding)
            .filter(|(_, count)| **count == least)
            .map(|(at, _)| at)
            .collect();
        all.get(draw.below(all.len() as u64) as usize).copied()
    }
}

fn at_random() -> Vec<Box<dyn Balancer>> {
    vec![Box::new(AtRandom)]
}

const REPLICATIONS: u32 = 30;
/// Student's t, 29 degrees of freedom, 99.5 %.
const T_99: f64 = 2.756;

/// Runs replications: drops what ends first, then measures.
fn replicate<const N: usize>(
    spec: &CellSpec,
    balancers: impl Fn() -> Vec<Box<dyn Balancer>>,
    (warm_up, measured): (u64, u64),
    measure: impl Fn(&CellStats) -> [f64; N],
) -> [Vec<f64>; N] {
    let mut samples = std::array::from_fn(|_| Vec::new());
    for replication in 0..REPLICATIONS {
        let spec = CellSpec { replication, ..spec.clone() };
        let mut cell = Cell::new(&spec, balancers());
        assert!(cell.advance_ended(warm_up));
        cell.take_stats();
        assert!(cell.advance_ended(measured));
        let stats = cell.take_stats();
        for (sample, value) in samples.iter_mut().zip(measure(&stats)) {
            sample.push(value);
        }
    }
    samples
}

fn assert_holds(what: &str, sample: &[f64], exact: f64) {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let variance = sample.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    let half = T_99 * (variance / n).sqrt();
    println!("{what}: {mean:.5} ± {half:.5}, exact {exact:.5}");
    assert!((mean - exact).abs() <= half, "{what}: {mean} ± {half}, exact {exact}");
    // An interval so wide that it holds anything proves nothing.
    assert!(half <= 0.12 * exact, "{what}: the interval is too wide: {half} of {exact}");
}

fn latency(stats: &CellStats) -> [f64; 1] {
    [stats.total().latency_s_mean()]
}

fn one_server(rate: f64, law: Law, server: ServerSpec) -> CellSpec {
    let arrival = ArrivalSpec { service: law, ..ArrivalSpec::poisson(7, rate, 1.0) };
    CellSpec::new(vec![arrival], vec![server])
}

const SHORT: (u64, u64) = (2_000, 20_000);

#[test]
fn one_queue_answers_as_mm1_and_its_level_obeys_little() {
    let spec = one_server(0.8, Law::Exponential, ServerSpec::new(Discipline::Fifo, 1, 1.0));
    let [t, n, rho, p99] = replicate(&spec, at_random, SHORT, |stats| {
        let server = stats.servers[0];
        let total = stats.total();
        assert!((server.in_system_mean - total.in_system_mean).abs() < 1e-9);
        let p99 = total.latency.quantile_ms(0.99) / 1e3;
        [total.latency_s_mean(), server.in_system_mean, server.utilisation, p99]
    });
    assert_holds("M/M/1 sojourn", &t, 5.0);
    assert_holds("M/M/1 number", &n, 4.0);
    assert_holds("M/M/1 utilisation", &rho, 0.8);
    assert_holds("M/M/1 p99 of sojourn", &p99, 23.0259);
}

#[test]
fn many_cores_behind_one_queue_answer_as_erlang_c() {
    for (cores, rho, sojourn) in [(2_u32, 0.8, 2.777_777_8), (16, 0.9, 1.369_589_7)] {
        let server = ServerSpec::new(Discipline::Fifo, cores, 1.0);
        let spec = one_server(rho * f64::from(cores), Law::Exponential, server);
        let [t] = replicate(&spec, at_random, SHORT, latency);
        assert_holds(&format!("M/M/{cores}"), &t, sojourn);
    }
}

#[test]
fn general_service_first_come_first_served_waits_as_pollaczek_and_khinchine_say() {
    let rho = 0.7;
    let laws = [
        Law::Deterministic,
        Law::Erlang(2),
        Law::Uniform,
        Law::HyperExponential(4.0),
        Law::LogNormal(2.0),
    ];
    for law in laws {
        let wait = rho * (1.0 + law.cv2()) / (2.0 * (1.0 - rho));
        let spec = one_server(rho, law.clone(), ServerSpec::new(Discipline::Fifo, 1, 1.0));
        let [w] = replicate(&spec, at_random, SHORT, |stats| {
            let total = stats.total();
            [total.breakdown.wait_s / total.served as f64]
        });
        assert_holds(&format!("M/G/1 wait, {law:?}"), &w, wait);
    }
}

#[test]
fn processor_sharing_depends_on_the_mean_of_the_law_alone() {
    for law in [Law::Deterministic, Law::Exponential, Law::HyperExponential(8.0)] {
        let server = ServerSpec::new(Discipline::ProcessorSharing, 1, 2.0);
        let spec = one_server(1.6, law.clone(), server);
        let [t, rho] = replicate(&spec, at_random, SHORT, |stats| {
            [stats.total().latency_s_mean(), stats.servers[0].utilisation]
        });
        assert_holds(&format!("M/G/1-PS, {law:?}"), &t, 2.5);
        assert_holds(&format!("utilisation, {law:?}"), &rho, 0.8);
    }
    // Four cores, nobody has more than one: the number present is that of M/M/4.
    let server = ServerSpec::new(Discipline::ProcessorSharing, 4, 1.0);
    let [t] = replicate(&one_server(3.2, Law::Exponential, server), at_random, SHORT, latency);
    assert_holds("M/M/4-PS", &t, 1.745_540_6);
}

/// Processor sharing done naively: at every arrival and completion all work left is looked at.
fn shared_naively(jobs: &[(f64, f64)], cores: f64, limit: usize) -> Vec<f64> {
    let mut done = vec![0.0; jobs.len()];
    let (mut inside, mut queue): (Vec<(usize, f64)>, Vec<usize>) = (Vec::new(), Vec::new());
    let (mut now, mut next) = (0.0, 0);
    while next < jobs.len() || !inside.is_empty() {
        let share = (cores / inside.len() as f64).min(1.0);
        let least = inside.iter().map(|(_, left)| *left).fold(f64::INFINITY, f64::min);
        let arrival = jobs.get(next).map_or(f64::INFINITY, |job| job.0);
        let at = arrival.min(now + least / share);
        inside.iter_mut().for_each(|(_, left)| *left -= (at - now) * share);
        now = at;
        if at == arrival {
            queue.push(next);
            next += 1;
        } else {
            inside.retain(|(job, left)| {
                if *left < 1e-12 {
                    done[*job] = now;
                }
                *left >= 1e-12
            });
        }
        while inside.len() < limit && !queue.is_empty() {
            let job = queue.remove(0);
            inside.push((job, jobs[job].1));
        }
    }
    done
}

#[test]
fn processor_sharing_equals_the_naive_way() {
    for (cores, limit) in [(1_u32, u32::MAX), (2, 3), (3, 3), (4, 1)] {
        let arrivals: Vec<u64> =
            (0..200_u64).map(|i| i * 700_000_000 + (i * i * 48_271 % 997) * 500_000).collect();
        let mut sorted = arrivals.clone();
        sorted.sort_unstable();
        let at = sorted.iter().map(|nanos| SimTime(*nanos)).collect();
        let mut server = ServerSpec::new(Discipline::ProcessorSharing, cores, 1.0);
        server.concurrency = limit;
        let mut spec = one_server(0.0, Law::Deterministic, server);
        spec.arrivals[0].pattern = Pattern::Recorded(std::sync::Arc::new(at));
        spec.arrivals[0].service_s = 1.9;
        let jobs: Vec<(f64, f64)> = sorted.iter().map(|at| (*at as f64 * 1e-9, 1.9)).collect();
        let done = shared_naively(&jobs, f64::from(cores), limit as usize);
        let mut cell = Cell::new(&spec, at_random());
        cell.advance(SimTime(1_000_000_000_000));
        let total = cell.take_stats().total();
        let naive: f64 = done.iter().zip(&jobs).map(|(done, job)| done - job.0).sum();
        assert_eq!(total.served, 200);
        let ours = total.breakdown.total_s();
        assert!((ours - naive).abs() < 1e-6, "{cores} cores, {limit}: {ours} against {naive}");
    }
}

#[test]
fn full_servers_refuse_as_erlang_b() {
    for (offered, cores, blocking, law) in [
        (10.0, 10, 0.214_582_343, Law::Exponential),
        // The formula holds for any law of service.
        (10.0, 10, 0.214_582_343, Law::HyperExponential(4.0)),
        (50.0, 60, 0.021_668_473, Law::Deterministic),
    ] {
        let mut server = ServerSpec::new(Discipline::Fifo, cores, 1.0);
        server.queue_max = Some(0);
        let spec = one_server(offered, law.clone(), server);
        let [b] = replicate(&spec, at_random, SHORT, |stats| {
            let total = stats.total();
            assert_eq!(total.dropped_total(), total.dropped[Cause::Refused as usize]);
            [total.dropped_total() as f64 / total.offered as f64]
        });
        assert_holds(&format!("Erlang B, {law:?}"), &b, blocking);
    }
    // One core, two places to wait: M/M/1/3 at load 1 loses 1/4.
    let mut server = ServerSpec::new(Discipline::Fifo, 1, 1.0);
    server.queue_max = Some(2);
    let [b] = replicate(&one_server(1.0, Law::Exponential, server), at_random, SHORT, |stats| {
        [stats.total().dropped_total() as f64 / stats.total().offered as f64]
    });
    assert_holds("M/M/1/3", &b, 0.25);
}

fn two_classes(rates: [f64; 2], discipline: Discipline) -> CellSpec {
    let class = |at: u32| ArrivalSpec {
        class: at,
        priority: at as u8,
        ..ArrivalSpec::poisson(u64::from(at), rates[at as usize], 1.0)
    };
    CellSpec::new(vec![class(0), class(1)], vec![ServerSpec::new(discipline, 1, 1.0)])
}

#[test]
fn the_urgent_class_goes_first() {
    let sojourns = |stats: &CellStats| [0, 1].map(|at: usize| stats.classes[at].latency_s_mean());
    let long = (5_000, 60_000);
    let spec = two_classes([0.3, 0.6], Discipline::PreemptivePriority);
    let [first, second] = replicate(&spec, at_random, long, sojourns);
    assert_holds("preemptive, first", &first, 1.428_571);
    assert_holds("preemptive, second", &second, 14.285_714);
    let spec = two_classes([0.4, 0.4], Discipline::Priority);
    let [first, second] = replicate(&spec, at_random, long, |stats| {
        [0, 1].map(|at: usize| {
            let class = &stats.classes[at];
            class.breakdown.wait_s / class.served as f64
        })
    });
    assert_holds("non-preemptive, first", &first, 1.333_333);
    assert_holds("non-preemptive, second", &second, 6.666_667);
}

#[test]
fn a_closed_loop_answers_as_mean_value_analysis() {
    for (clients, throughput, response) in [(5, 0.436_047_8, 1.466_632), (20, 0.998_131, 10.037_45)]
    {
        let mut spec = one_server(0.0, Law::Exponential, ServerSpec::new(Discipline::Fifo, 1, 1.0));
        spec.arrivals[0].pattern =
            Pattern::Closed { clients, think: Law::Exponential, think_s: 10.0 };
        let [x, r] = replicate(&spec, at_random, SHORT, |stats| {
            let total = stats.total();
            [total.served as f64 / stats.seconds, total.latency_s_mean()]
        });
        assert_holds(&format!("{clients} clients, throughput"), &x, throughput);
        assert_holds(&format!("{clients} clients, response"), &r, response);
    }
}

#[test]
fn the_shortest_queue_and_round_robin_are_exact() {
    let servers = |count: u32, load: f64| {
        let server = ServerSpec::new(Discipline::Fifo, 1, 1.0);
        let arrival = ArrivalSpec::poisson(3, load * f64::from(count), 1.0);
        CellSpec::new(vec![arrival], vec![server; count as usize])
    };
    for (count, load, sojourn) in [(2, 0.8, 2.955_737), (3, 0.7, 1.708_876)] {
        let shortest = || -> Vec<Box<dyn Balancer>> { vec![Box::new(Shortest)] };
        let [t] = replicate(&servers(count, load), shortest, SHORT, latency);
        assert_holds(&format!("shortest of {count}"), &t, sojourn);
    }
    for (count, load, sojourn) in [(2, 0.8, 3.843_980), (10, 0.7, 2.019_804)] {
        let turns = || -> Vec<Box<dyn Balancer>> { vec![Box::new(Turns::default())] };
        let [t] = replicate(&servers(count, load), turns, SHORT, latency);
        assert_holds(&format!("turns of {count}"), &t, sojourn);
    }
}

fn with_client(mut spec: CellSpec, client: ClientSpec) -> CellSpec {
    spec.clients = vec![client];
    spec
}

#[test]
fn retries_multiply_the_load() {
    // Failure p, at most r retries: (1 − p^(r+1)) / (1 − p) attempts per request.
    for (p, retries, factor) in [(0.9, 1, 1.9), (0.9, 3, 3.439), (0.5, 2, 1.75)] {
        let server = ServerSpec::new(Discipline::Fifo, 1000, 1.0);
        let spec = with_client(
            one_server(10.0, Law::Exponential, server),
            ClientSpec {
                failure: p,
                retry: RetrySpec {
                    max: retries,
                    backoff: SimSpan::from_millis(100),
                    jitter: true,
                    ..RetrySpec::default()
                },
                ..ClientSpec::default()
            },
        );
        let [attempts, dropped] = replicate(&spec, at_random, (200, 5_000), |stats| {
            let total = stats.total();
            [
                stats.servers[0].completed as f64 / total.offered as f64,
                total.dropped_total() as f64 / total.offered as f64,
            ]
        });
        assert_holds(&format!("attempts, p {p}, {retries} retries"), &attempts, factor);
        assert_holds("dropped", &dropped, (0..=retries).map(|_| p).product());
    }
}

#[test]
fn a_budget_bounds_the_ratio_of_retries() {
    let server = ServerSpec::new(Discipline::Fifo, 1000, 1.0);
    let budget = Some(RetryBudget { ratio: 0.2, burst: 10.0 });
    let retry = RetrySpec { max: 3, budget, ..RetrySpec::default() };
    let client = ClientSpec { failure: 1.0, retry, ..ClientSpec::default() };
    let mut cell =
        Cell::new(&with_client(one_server(10.0, Law::Exponential, server), client), at_random());
    cell.advance_ended(10_000);
    let total = cell.stats().total();
    let ratio = total.retries as f64 / total.offered as f64;
    assert!((ratio - 0.2).abs() < 0.002, "{ratio}");
    assert_eq!(total.served, 0);
    assert!(total.over_budget > 0);
}

fn recorded(millis: &[u64], service_s: f64, servers: Vec<ServerSpec>) -> CellSpec {
    let at = millis.iter().map(|ms| SimTime(ms * 1_000_000)).collect();
    let arrival = ArrivalSpec {
        pattern: Pattern::Recorded(std::sync::Arc::new(at)),
        service: Law::Deterministic,
        ..ArrivalSpec::poisson(1, 0.0, service_s)
    };
    CellSpec::new(vec![arrival], servers)
}

fn turns() -> Vec<Box<dyn Balancer>> {
    vec![Box::new(Turns::default())]
}

#[test]
fn a_client_that_gives_up_frees_the_server_only_if_it_tells() {
    // Three requests of 1 s, a patience of 1.5 s. Told, the server works 1 s, 0.6 s and 0.1 s.
    for (tells, wasted, busy_s) in [(true, 0, 1.7), (false, 2, 3.0)] {
        let server = ServerSpec::new(Discipline::Fifo, 1, 1.0);
        let client = ClientSpec {
            timeout: Some(SimSpan::from_millis(1_500)),
            timeout_stops_server: tells,
            ..ClientSpec::default()
        };
        let spec = with_client(recorded(&[0, 100, 200], 1.0, vec![server]), client);
        let mut cell = Cell::new(&spec, at_random());
        cell.advance(SimTime(10_000_000_000));
        let stats = cell.take_stats();
        let total = stats.total();
        assert_eq!((total.served, total.wasted), (1, wasted));
        assert_eq!(total.dropped, [0, 2, 0, 0, 0]);
        assert!((total.latency_s_mean() - 1.0).abs() < 1e-9);
        assert!((stats.servers[0].utilisation * 10.0 - busy_s).abs() < 1e-8);
        assert_eq!(cell.in_flight(), (0, 0, 0, 0));
    }
}

#[test]
fn the_first_answer_wins_and_stops_the_other_copy() {
    // `Turns` sends the first copy to the slow server, the second, 2 s later, to the fast one.
    let servers = [1.0, 0.1].map(|speed| ServerSpec::new(Discipline::ProcessorSharing, 1, speed));
    let client = ClientSpec { hedge: Some(SimSpan::from_seconds(2)), ..ClientSpec::default() };
    let spec = with_client(recorded(&[1_000], 1.0, servers.to_vec()), client);
    let mut cell = Cell::new(&spec, turns());
    cell.advance(SimTime(20_000_000_000));
    let stats = cell.take_stats();
    let total = stats.total();
    assert_eq!((total.served, total.attempts, total.hedges, total.retries), (1, 2, 1, 0));
    assert!((total.breakdown.retry_s - 2.0).abs() < 1e-9);
    assert!((total.latency_s_mean() - 3.0).abs() < 1e-9);
    assert!((stats.servers[1].utilisation * 20.0 - 3.0).abs() < 1e-8);
    assert_eq!(cell.in_flight(), (0, 0, 0, 0));
}

fn connection(protocol: Protocol) -> ConnectionSpec {
    ConnectionSpec {
        protocol,
        resumed: 0.0,
        early_data: false,
        dns_share: 0.0,
        dns: SimSpan::ZERO,
        keep_alive: SimSpan::from_seconds(10),
        requests_max: None,
        life: None,
    }
}

/// 100 users with a request every 10 s each, and nothing to wait for at the servers.
fn users(connection: ConnectionSpec) -> CellSpec {
    let server = ServerSpec::new(Discipline::Fifo, 1_000, 1.0);
    let mut spec = with_client(
        one_server(10.0, Law::Deterministic, server),
        ClientSpec { connection: Some(connection), ..ClientSpec::default() },
    );
    spec.arrivals[0].users = 100;
    spec.arrivals[0].service_s = 1e-6;
    spec.arrivals[0].path =
        Path { rtt_s: 0.05, link_queue_s: 0.01, origin_s: 0.02, ..Path::default() };
    spec
}

#[test]
fn connections_are_used_again_within_their_idle_time() {
    // A user comes back within 10 s with probability 1 − e^−1. A round trip with its queues takes
    // 60 ms; the idle time begins when the answer is there, 80 ms after the request was sent.
    let open = f64::exp(-1.008);
    for (spec, trips) in [
        (connection(Protocol::Http3), 1.0),
        (connection(Protocol::Http2Tls12), 3.0),
        (ConnectionSpec { resumed: 0.5, ..connection(Protocol::Http2Tls12) }, 2.5),
    ] {
        let name = format!("{:?}", spec.protocol);
        let [opened, setup] = replicate(&users(spec), at_random, (1_000, 5_000), |stats| {
            let total = stats.total();
            let served = total.served as f64;
            assert!((total.breakdown.propagation_s / served - 0.05).abs() < 1e-9);
            assert!((total.breakdown.link_queue_s / served - 0.01).abs() < 1e-9);
            assert!((total.breakdown.origin_s / served - 0.02).abs() < 1e-9);
            assert!(
                (total.breakdown.total_s() * 1e3 / served - total.latency.stats().mean).abs()
                    < 1e-6
            );
            [total.connections_opened as f64 / served, total.breakdown.setup_s / served]
        });
        // Set-up makes the gap between answer and next request shorter still: by less than the
        // interval; so the rate of opening is bounded from both sides.
        let mean = opened.iter().sum::<f64>() / 30.0;
        assert!(mean < open * 1.01 && mean > open * 0.97, "{name}: {mean} against {open}");
        let setup_mean = setup.iter().sum::<f64>() / 30.0;
        assert!((setup_mean / mean / 0.06 - trips).abs() < 0.03, "{name}: {setup_mean}");
    }
}

#[test]
fn each_protocol_pays_its_round_trips_and_early_data_none() {
    for (protocol, resumed, early, trips) in [
        (Protocol::Http1Plain, 0.0, false, 1.0),
        (Protocol::Http1Tls12, 0.0, false, 3.0),
        (Protocol::Http1Tls13, 0.0, false, 2.0),
        (Protocol::Http2Tls12, 1.0, true, 2.0),
        (Protocol::Http2Tls13, 1.0, true, 1.0),
        (Protocol::Http3, 1.0, false, 1.0),
        (Protocol::Http3, 1.0, true, 0.0),
    ] {
        let one = ConnectionSpec {
            resumed,
            early_data: early,
            dns_share: 1.0,
            dns: SimSpan::from_millis(30),
            ..connection(protocol)
        };
        let server = ServerSpec::new(Discipline::Fifo, 10, 1.0);
        let client = ClientSpec { connection: Some(one), ..ClientSpec::default() };
        let mut spec = with_client(recorded(&[5, 1_000], 0.001, vec![server]), client);
        spec.arrivals[0].path = Path { rtt_s: 0.1, ..Path::default() };
        let mut cell = Cell::new(&spec, at_random());
        cell.advance(SimTime(5_000_000_000));
        let total = cell.take_stats().total();
        // The second request finds the connection open.
        assert_eq!((total.served, total.connections_opened), (2, 1));
        let setup = 0.03 + trips * 0.1;
        assert!((total.breakdown.setup_s - setup).abs() < 1e-9, "{protocol:?}");
        assert!((total.breakdown.total_s() - setup - 0.202).abs() < 1e-9, "{protocol:?}");
    }
}

#[test]
fn as_many_connections_break_as_littles_law_has_open() {
    // 20 connections a second, each open for 5 s: 100 at any time. Half of the clients move.
    let mut broken = Vec::new();
    let mut survivors = Vec::new();
    for replication in 0..REPLICATIONS {
        let life = Some((Law::LogNormal(1.0), 5.0));
        let server = ServerSpec::new(Discipline::Fifo, 100, 1.0);
        let connection = ConnectionSpec { life, ..connection(Protocol::Http3) };
        let client = ClientSpec { connection: Some(connection), ..ClientSpec::default() };
        let mut spec = with_client(one_server(20.0, Law::Deterministic, server), client);
        spec.arrivals[0].users = u64::MAX;
        spec.arrivals[0].service_s = 1e-6;
        spec.front.level = Level::Connection;
        spec.replication = replication;
        let mut cell = Cell::new(&spec, at_random());
        cell.advance(SimTime(60_000_000_000));
        broken.push(cell.break_share(0, 0.5) as f64);
        survivors.push(cell.in_flight().2 as f64);
        // A chain of two slots: who was there before the last change but one is lost.
        let version = cell.new_tables();
        cell.advance(SimTime(61_000_000_000));
        let younger = cell.break_connections(|it| it.version == version);
        assert!((10..=32).contains(&younger), "{younger}");
        let total = cell.take_stats().total();
        let ends = total.connections_closed + total.connections_broken;
        assert_eq!(total.connections_opened, ends + cell.in_flight().2 as u64);
    }
    assert_holds("broken", &broken, 50.0);
    assert_holds("survivors", &survivors, 50.0);
}

#[test]
fn rates_change_at_once_and_requests_stay_who_they_are() {
    let server = ServerSpec::new(Discipline::Fifo, 1_000, 1.0);
    let spec = one_server(10.0, Law::Exponential, server.clone());
    let counts: [Vec<f64>; 3] = {
        let mut samples: [Vec<f64>; 3] = Default::default();
        for replication in 0..REPLICATIONS {
            let mut cell = Cell::new(&CellSpec { replication, ..spec.clone() }, at_random());
            for (index, rate) in [10.0, 30.0, 0.5].into_iter().enumerate() {
                cell.set_rate(0, rate);
                cell.advance(SimTime((index as u64 + 1) * 100_000_000_000));
                samples[index].push(cell.take_stats().total().offered as f64);
            }
            cell.set_rate(0, 0.0);
            cell.advance(SimTime(1_000_000_000_000));
            assert_eq!(cell.take_stats().total().offered, 0);
        }
        samples
    };
    for (sample, exact) in counts.iter().zip([1_000.0, 3_000.0, 50.0]) {
        assert_holds("arrivals", sample, exact);
    }
    // The same requests at half the rate and on other servers, in twice the time.
    let service = |rate: f64, servers: Vec<ServerSpec>| {
        let arrival = ArrivalSpec::poisson(7, rate, 1.0);
        let mut cell = Cell::new(&CellSpec::new(vec![arrival], servers), turns());
        cell.advance(SimTime((1_000.0 / rate * 1e9) as u64));
        cell.set_rate(0, 0.0);
        cell.advance(SimTime(10_000_000_000_000));
        cell.take_stats().total()
    };
    let one = service(2.0, vec![server]);
    let two = service(1.0, vec![ServerSpec::new(Discipline::ProcessorSharing, 1, 1.0); 3]);
    assert!(one.offered > 900 && one.served == one.offered && two.served == two.offered);
    assert_eq!(one.offered, two.offered);
    assert!((one.breakdown.service_s - two.breakdown.service_s).abs() < 1e-6);
}

/// Everything at once: three kinds of server, impatient clients, connections.
fn busy_cell(level: Level, stops: bool) -> Cell {
    let servers = [
        Discipline::Fifo,
        Discipline::ProcessorSharing,
        Discipline::PreemptivePriority,
        Discipline::Priority,
        Discipline::ProcessorSharing,
    ]
    .map(|discipline| ServerSpec {
        queue_max: Some(20),
        concurrency: 8,
        ..ServerSpec::new(discipline, 2, 1.0)
    });
    let client = |protocol| ClientSpec {
        timeout: Some(SimSpan::from_millis(2_500)),
        timeout_stops_server: stops,
        failure: 0.05,
        retry: RetrySpec {
            max: 2,
            backoff: SimSpan::from_millis(200),
            jitter: true,
            budget: Some(RetryBudget { ratio: 0.5, burst: 20.0 }),
            ..RetrySpec::default()
        },
        hedge: Some(SimSpan::from_millis(1_500)),
        connection: Some(ConnectionSpec {
            requests_max: Some(7),
            resumed: 0.5,
            early_data: true,
            ..connection(protocol)
        }),
    };
    let arrival = |at: u32| ArrivalSpec {
        class: at,
        priority: at as u8,
        client: at,
        users: 50,
        path: Path { rtt_s: 0.05, link_queue_s: 0.003, origin_s: 0.01, setup_s: 0.0 },
        ..ArrivalSpec::poisson(u64::from(at), 4.5, 1.0)
    };
    let mut spec = CellSpec::new(vec![arrival(0), arrival(1)], servers.to_vec());
    spec.clients = vec![client(Protocol::Http1Tls13), client(Protocol::Http3)];
    spec.front = FrontSpec {
        level,
        shared_view: false,
        health_delay: SimSpan::from_millis(700),
        ..FrontSpec::default()
    };
    Cell::new(&spec, vec![Box::new(AtRandom), Box::new(Shortest), Box::new(AtRandom)])
}

/// Plays a busy cell with servers that come and go, in steps.
fn play(cell: &mut Cell, step_ms: u64) {
    let to = |cell: &mut Cell, seconds: u64| {
        while cell.now() < SimTime(seconds * 1_000_000_000) {
            cell.advance(SimTime(cell.now().0 + step_ms * 1_000_000));
        }
    };
    for round in 0..6_u64 {
        to(cell, round * 60 + 10);
        cell.set_up((round % 5) as u32, false);
        to(cell, round * 60 + 20);
        cell.drain(((round + 1) % 5) as u32, SimSpan::from_millis(500));
        cell.break_share((round % 2) as u32, 0.3);
        to(cell, round * 60 + 30);
        cell.set_up((round % 5) as u32, true);
        cell.undrain(((round + 1) % 5) as u32);
        cell.set_rate(1, 3.0 + round as f64);
        to(cell, round * 60 + 60);
    }
}

#[test]
fn nothing_is_lost_and_steps_do_not_matter() {
    for (level, stops) in
        [(Level::Request, true), (Level::Request, false), (Level::Connection, true)]
    {
        let mut cell = busy_cell(level, stops);
        play(&mut cell, 10_000);
        let total = cell.stats().total();
        let (requests, ..) = cell.in_flight();
        assert_eq!(total.offered, total.served + total.dropped_total() + requests as u64);
        let failed: u64 = total.attempts_failed.iter().sum();
        assert!(total.attempts >= total.served + failed);
        for cause in [Cause::TimedOut, Cause::Failed, Cause::Broken] {
            assert!(total.attempts_failed[cause as usize] > 0, "{level:?}: no {cause:?}");
        }
        assert!(total.hedges > 0 && total.retries > 0 && total.connections_broken > 0);
        // In steps of another length: the same trajectory.
        let mut other = busy_cell(level, stops);
        play(&mut other, 2_500);
        assert_eq!(cell.fingerprint().value(), other.fingerprint().value());
        // When nobody comes any more, nothing remains.
        cell.set_rate(0, 0.0);
        cell.set_rate(1, 0.0);
        cell.advance(SimTime(cell.now().0 + 600_000_000_000));
        assert_eq!(cell.in_flight(), (0, 0, 0, 0));
        let total = cell.stats().total();
        assert_eq!(total.offered, total.served + total.dropped_total());
        assert_eq!(total.connections_opened, total.connections_closed + total.connections_broken);
    }
}
