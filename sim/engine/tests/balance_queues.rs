//! Balancers in front of real queues: 100 servers, Poisson arrivals, exponential demands of mean 1,
//! first come first served. Times are in service times.

use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::load::balance::hash::HashSpec;
use steerlab_engine::load::balance::{
    BalancerSpec, ErrorPenalty, Setting, Staleness, ViewSpec, prequal,
};
use steerlab_engine::load::requests::{
    ArrivalSpec, Cell, CellSpec, CellStats, ClientSpec, ConnectionSpec, Discipline, FrontSpec,
    Level, Protocol, ServerSpec,
};

const SERVERS: usize = 100;

/// Student's t with 9 degrees of freedom, 99.5 %.
const T_99: f64 = 3.250;
const REPLICATIONS: u32 = 10;

fn power(draws: u32, distinct: bool) -> BalancerSpec {
    BalancerSpec::PowerOfD { draws, distinct }
}

fn farm(load: f64) -> CellSpec {
    let servers = vec![ServerSpec::new(Discipline::Fifo, 1, 1.0); SERVERS];
    CellSpec::new(vec![ArrivalSpec::poisson(7, load * SERVERS as f64, 1.0)], servers)
}

fn play(cell: &CellSpec, balancer: &BalancerSpec, warm_up: u64, measured: u64) -> CellStats {
    let servers = cell.servers.len();
    let balancer = balancer.build(&Setting { servers, seed: 1, ..Setting::default() });
    let mut cell = Cell::new(cell, vec![balancer]);
    assert!(cell.advance_ended(warm_up));
    cell.take_stats();
    assert!(cell.advance_ended(measured));
    cell.take_stats()
}

fn mean_time(cell: &CellSpec, balancer: &BalancerSpec, warm_up: u64, measured: u64) -> f64 {
    play(cell, balancer, warm_up, measured).total().latency_s_mean()
}

/// Mean times of an independent simulator, 3 runs of 10 million requests each.
#[test]
fn mean_times_of_a_hundred_servers() {
    let idle = BalancerSpec::JoinIdle;
    let shortest = BalancerSpec::LeastConnections;
    let robin = BalancerSpec::RoundRobin;
    for (load, balancer, expected) in [
        (0.5, power(2, true), 1.2675),
        (0.5, power(2, false), 1.2716),
        (0.5, power(3, true), 1.1275),
        (0.5, robin.clone(), 1.2621),
        (0.7, power(2, true), 1.6199),
        (0.7, power(2, false), 1.6265),
        (0.7, shortest.clone(), 1.0000),
        (0.7, robin, 1.8926),
        (0.9, power(2, true), 2.6455),
        (0.9, power(2, false), 2.6604),
        (0.9, power(3, true), 2.0600),
        (0.9, shortest, 1.0672),
        (0.9, idle, 1.0747),
    ] {
        let (warm_up, measured) = if load < 0.8 { (5_000, 40_000) } else { (40_000, 80_000) };
        let sample: Vec<f64> = (0..REPLICATIONS)
            .map(|replication| {
                let cell = CellSpec { replication, ..farm(load) };
                mean_time(&cell, &balancer, warm_up, measured)
            })
            .collect();
        let n = f64::from(REPLICATIONS);
        let mean = sample.iter().sum::<f64>() / n;
        let variance = sample.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
        let half = T_99 * (variance / n).sqrt();
        println!("{balancer:?} at {load}: {mean:.4} ± {half:.4}, expected {expected}");
        assert!((mean - expected).abs() <= half, "{balancer:?} at {load}: {mean} ± {half}");
        assert!(half < 0.03 * expected, "{balancer:?} at {load}: the interval is too wide");
    }
}

/// A board that is written anew every `T` service times, at load 0.9: values within what sampling
/// allows, and where one rule becomes worse than another.
#[test]
fn old_information() {
    let at = |refresh: f64, balancer: &BalancerSpec| {
        let mut cell = farm(0.9);
        if refresh > 0.0 {
            let every = SimSpan::from_seconds_f64_ceil(refresh);
            cell.front.view.staleness = Staleness::Board(every);
        }
        mean_time(&cell, balancer, 60_000, 300_000)
    };
    let (two, three) = (power(2, true), power(3, true));
    let least = BalancerSpec::LeastConnections;
    let mut table = Vec::new();
    for (refresh, expected) in [
        (0.1, [2.69, 2.14, 1.55]),
        (0.5, [2.84, 2.36, 2.84]),
        (1.0, [2.98, 2.60, 4.02]),
        (2.0, [3.25, 3.06, 6.10]),
        (5.0, [4.01, 4.32, 12.1]),
        (10.0, [5.12, 6.25, 23.2]),
    ] {
        let found = [&two, &three, &least].map(|balancer| at(refresh, balancer));
        println!("T = {refresh}: {found:.3?}, expected {expected:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 0.06, "T = {refresh}: {found} {expected}");
        }
        table.push(found);
    }
    let random = 10.0;
    let [d2, d3, all] = [0, 1, 2].map(|rule| table.iter().map(|row| row[rule]).collect::<Vec<_>>());
    assert!(all[0] < d2[0] && all[2] > d2[2], "the least loaded loses to two draws by T = 1");
    assert!(all[3] < random && all[4] > random, "and to none at about T = 5");
    assert!(d3[3] < d2[3] && d3[4] > d2[4], "three draws lose to two at about T = 5");
    assert!(d2[5] < random && at(50.0, &two) > random, "two draws lose to none between 10 and 50");
}

/// Views of their own: 20 balancers that each know a twentieth of the requests are between chance
/// and full knowledge.
#[test]
fn a_view_of_ones_own_is_worth_less() {
    let run = |balancers: usize, shared_view: bool| {
        let mut spec = farm(0.9);
        spec.front = FrontSpec { shared_view, ..FrontSpec::default() };
        // Requests of different users meet different balancers.
        spec.arrivals[0].users = 1_000_000;
        let build = |_| {
            BalancerSpec::LeastConnections
                .build(&Setting { servers: SERVERS, ..Setting::default() })
        };
        let mut cell = Cell::new(&spec, (0..balancers).map(build).collect());
        assert!(cell.advance_ended(50_000));
        cell.take_stats();
        assert!(cell.advance_ended(200_000));
        cell.take_stats().total().latency_s_mean()
    };
    let (one, shared, own) = (run(1, true), run(20, true), run(20, false));
    assert!((shared / one - 1.0).abs() < 0.02, "one view is one view: {one} {shared}");
    assert!(own > 2.0 * shared && own < 8.0, "{own} between {shared} and 10");
}

/// A server ten times slower than its weight says.
#[test]
fn who_looks_at_latency_leaves_a_slow_server() {
    let mut spec = farm(0.5);
    spec.servers[0].speed = 0.1;
    let share = |balancer: &BalancerSpec| {
        let stats = play(&spec, balancer, 50_000, 200_000);
        let served: u64 = stats.servers.iter().map(|server| server.completed).sum();
        stats.servers[0].completed as f64 / served as f64 * SERVERS as f64
    };
    let failure = SimSpan::ZERO;
    let decay = SimSpan::from_seconds(10);
    let ewma = share(&BalancerSpec::PeakEwma { decay, choices: 2, failure });
    let probes = share(&BalancerSpec::Prequal(prequal::PrequalSpec::default()));
    // It can serve 0.1 / 0.5 of the mean share at most.
    assert!(ewma < 0.15, "peak EWMA sends {ewma} of a share");
    assert!(probes < 0.15, "probes send {probes} of a share");
}

/// A server that fails everything at once always looks idle, and draws far more than its share until
/// health checks find it, unless errors count.
#[test]
fn errors_that_count_keep_a_sink_from_drawing_requests() {
    let lost = |balancer: &BalancerSpec, error_penalty| {
        let mut spec = farm(0.95);
        spec.front.health_delay = SimSpan::from_seconds(1_000_000);
        spec.front.view = ViewSpec { error_penalty, ..ViewSpec::default() };
        let balancer = balancer.build(&Setting { servers: SERVERS, seed: 1, ..Setting::default() });
        let mut cell = Cell::new(&spec, vec![balancer]);
        cell.set_up(0, false);
        assert!(cell.advance_ended(100_000));
        let total = cell.take_stats().total();
        total.dropped_total() as f64 / total.offered as f64
    };
    let penalty = Some(ErrorPenalty { requests: 20, hold: SimSpan::from_seconds(10) });
    let least = BalancerSpec::LeastConnections;
    let (without, with) = (lost(&least, None), lost(&least, penalty));
    assert!(without > 0.05, "the sink draws more than its hundredth: {without}");
    // One request in 10 s of 950.
    assert!(with < 0.002, "{with} and {without}");
    let ewma = |failure| {
        let decay = SimSpan::from_seconds(10);
        lost(&BalancerSpec::PeakEwma { decay, choices: 2, failure }, None)
    };
    let (quick, slow) = (ewma(SimSpan::ZERO), ewma(SimSpan::from_seconds(100)));
    assert!(slow < quick / 3.0, "failures that count as slow keep requests away: {slow} {quick}");
}

/// Long-lived connections behind a table: a drain breaks none behind two slots, and behind modulo
/// nearly all.
#[test]
fn draining_a_server_breaks_what_the_table_says() {
    let broken = |table| {
        let mut spec = farm(0.3);
        spec.arrivals[0].users = 2_000;
        spec.clients[0] = ClientSpec {
            connection: Some(ConnectionSpec {
                protocol: Protocol::Http2Tls13,
                resumed: 0.0,
                early_data: false,
                dns_share: 0.0,
                dns: SimSpan::ZERO,
                keep_alive: SimSpan::from_seconds(1_000_000),
                requests_max: None,
                life: None,
            }),
            ..ClientSpec::default()
        };
        spec.front.level = Level::Connection;
        let balancer = BalancerSpec::Hash { table, connections: None };
        let balancer = balancer.build(&Setting { servers: SERVERS, seed: 1, ..Setting::default() });
        let mut cell = Cell::new(&spec, vec![balancer]);
        cell.advance(SimTime::ZERO.after(SimSpan::from_seconds(1_000)));
        let open = cell.in_flight().2;
        assert_eq!(open, 2_000, "each user has a connection");
        assert_eq!(cell.check_connections(), 0, "nothing changed");
        cell.drain(99, SimSpan::from_seconds(1_000_000));
        cell.take_stats().total().connections_broken
    };
    let quarantine = SimSpan::ZERO;
    let chained = HashSpec::DaisyChain { buckets: 16_384, quarantine, chained: true };
    assert_eq!(broken(chained), 0);
    let unchained = HashSpec::DaisyChain { buckets: 16_384, quarantine, chained: false };
    let found = broken(unchained);
    assert!((5..=40).contains(&found), "a hundredth of 2,000, not {found}");
    let found = broken(HashSpec::EcmpModulo);
    assert!((1_950..=2_000).contains(&found), "99 of 100, not {found}");
}
