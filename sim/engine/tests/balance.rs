//! Balancers against truth: published figures, closed forms, sequences worked by hand, and what must
//! hold of all of them.

use proptest::prelude::*;
use steerlab_engine::kernel::{SimSpan, SimTime, Stream, StreamKey};
use steerlab_engine::load::balance::audit::{Audit, Method, audit, balance, maglev_audit, removal};
use steerlab_engine::load::balance::hash::{Connections, Eviction, HashSpec};
use steerlab_engine::load::balance::least_request::weight_in_turns;
use steerlab_engine::load::balance::prequal::{Prequal, PrequalSpec};
use steerlab_engine::load::balance::{
    Ask, BALANCERS, Balancer, BalancerSpec, ConnectionsSpec, Place, Seen, Setting, Staleness, View,
    ViewSpec, bucket_loop, hash, priority, subset,
};

fn stream(seed: u64) -> Stream {
    Stream::new(StreamKey { seed, replication: 0, purpose: "balance-test", entity: 0 })
}

fn setting(servers: usize) -> Setting {
    Setting { servers, seed: 7, ..Setting::default() }
}

fn places(weights: &[f64]) -> Vec<Place> {
    weights.iter().map(|&weight| Place { weight, zone: 0, priority: 0 }).collect()
}

fn view(weights: &[f64], levels: bool) -> View {
    View::new(ViewSpec::default(), &places(weights), levels)
}

fn ask(key: u64) -> Ask {
    Ask { now: SimTime::ZERO, key, zone: 0 }
}

fn at(seconds: u64) -> SimTime {
    SimTime::ZERO.after(SimSpan::from_seconds(seconds))
}

/// How often each server is picked in a number of picks without any load.
fn tally(spec: &BalancerSpec, weights: &[f64], picks: u32) -> Vec<u32> {
    let mut balancer = spec.build(&setting(weights.len()));
    let mut view = view(weights, balancer.wants_levels());
    let mut draw = stream(1);
    let mut counts = vec![0; weights.len()];
    for _ in 0..picks {
        let ask = ask(draw.next_u64());
        let server = balancer.pick(&ask, &view.seen(ask.now), &mut draw).expect("one takes work");
        counts[server as usize] += 1;
    }
    counts
}

/// Most balls in a bin after `balls` were thrown into as many bins.
fn fullest(spec: &BalancerSpec, balls: usize, seed: u64) -> u32 {
    let mut balancer = spec.build(&setting(balls));
    let mut view = view(&vec![1.0; balls], balancer.wants_levels());
    let mut draw = stream(seed);
    for _ in 0..balls {
        let server = balancer.pick(&ask(0), &view.seen(SimTime::ZERO), &mut draw).expect("open");
        view.sent(server, SimTime::ZERO);
    }
    view.seen(SimTime::ZERO).outstanding.iter().copied().max().expect("there are bins")
}

#[test]
fn balls_in_bins() {
    // n = 1e5: ln n / ln ln n grows to 9 +- 1 with one choice, 4 +- 1 with two.
    let one = BalancerSpec::PowerOfD { draws: 1, distinct: true };
    let two = BalancerSpec::PowerOfD { draws: 2, distinct: true };
    for seed in 0..5 {
        let (one, two) = (fullest(&one, 100_000, seed), fullest(&two, 100_000, seed));
        assert!((7..=10).contains(&one), "one choice: {one}");
        assert!((3..=5).contains(&two), "two choices: {two}");
    }
    let least = fullest(&BalancerSpec::LeastConnections, 10_000, 1);
    assert_eq!(least, 1, "the least loaded bin is empty until all are full");
}

fn spread(spec: &HashSpec, servers: usize, seed: u64) -> (f64, f64) {
    let weights = vec![1.0; servers];
    let audit = audit(spec, &weights, &weights, Method { seed, keys: 200_000 });
    let found = balance(&audit.before, &weights).expect("there are servers");
    assert_eq!(audit.disruption_ratio(), 0.0, "nothing changed");
    (found.min_over_mean, found.max_over_mean)
}

#[test]
fn maglev_balance() {
    // (entries, servers, greatest distance of a share from the mean), twice what was computed.
    for (table, servers, distance) in
        [(65_537, 10, 0.0005), (65_537, 100, 0.002), (65_537, 1000, 0.016), (655_373, 1000, 0.002)]
    {
        for seed in 0..3 {
            let (min, max) = spread(&HashSpec::Maglev { table }, servers, seed);
            assert!(min >= 1.0 - distance, "{table} {servers}: {min}");
            assert!(max <= 1.0 + distance, "{table} {servers}: {max}");
        }
    }
}

/// Mean disruption in percent over some seeds, when the servers from 3 on leave.
fn disruption(spec: &HashSpec, servers: usize, removed: u32, seeds: u64) -> f64 {
    let removed: Vec<u32> = (0..removed).map(|index| 3 + 7 * index).collect();
    let one = |seed| {
        let method = Method { seed, keys: 200_000 };
        removal(spec, &vec![1.0; servers], &removed, method).disruption_ratio()
    };
    100.0 * (0..seeds).map(one).sum::<f64>() / seeds as f64
}

#[test]
fn maglev_disruption() {
    for (table, servers, removed, expected) in [
        (65_537, 10, 1, 0.24),
        (65_537, 100, 1, 0.56),
        (65_537, 100, 5, 0.9),
        (65_537, 1000, 1, 0.6),
        (65_537, 1000, 10, 2.4),
        (65_537, 1000, 50, 3.5),
        (655_373, 1000, 1, 0.33),
        (655_373, 1000, 10, 0.58),
        (655_373, 1000, 50, 0.97),
    ] {
        let found = disruption(&HashSpec::Maglev { table }, servers, removed, 5);
        let ratio = found / expected;
        assert!((0.85..1.15).contains(&ratio), "{table} {servers} {removed}: {found} %");
    }
}

#[test]
fn keys_move_as_each_hash_promises() {
    let equal = vec![1.0; 10];
    let method = Method { seed: 3, keys: 200_000 };
    // Ring and rendezvous: only the keys of the server that left.
    for spec in [HashSpec::RingHash { points: 160 }, HashSpec::Rendezvous] {
        let found = removal(&spec, &equal, &[4], method);
        assert_eq!(found.moved_among_survivors, 0, "{spec:?}");
        assert_eq!(found.orphaned, found.before[4], "{spec:?}");
    }
    // Unequal weights as well, and also when a server comes back.
    let weights = [1.0, 2.0, 3.0, 0.5, 0.0, 4.0];
    for spec in [HashSpec::RingHash { points: 160 }, HashSpec::Rendezvous] {
        let found = removal(&spec, &weights, &[2], method);
        assert_eq!(found.moved_among_survivors, 0, "{spec:?}");
        let with = [1.0, 2.0, 3.0, 0.5, 2.5, 4.0];
        let found = audit(&spec, &weights, &with, method);
        assert_eq!(found.moved_among_survivors, 0, "who comes takes, nobody else moves: {spec:?}");
    }
    // Modulo N: (N - 1)/N of all keys.
    let found = removal(&HashSpec::EcmpModulo, &equal, &[9], method);
    assert!((found.moved_ratio() - 0.9).abs() < 0.004, "{}", found.moved_ratio());
    // Jump: one more at the end of n takes 1/(n + 1) of all keys, and nobody else moves.
    let mut without = equal.clone();
    without[9] = 0.0;
    let found = audit(&HashSpec::JumpHash, &without, &equal, method);
    assert_eq!(found.after[9], moved(&found), "all that moved went to the new one");
    let share = found.after[9] as f64 / found.keys as f64;
    assert!((share - 0.1).abs() < 0.003, "{share}");
    let even = balance(&found.after, &equal).expect("there are servers");
    assert!(even.min_over_mean > 0.975 && even.max_over_mean < 1.025, "{even:?}");
    // Buckets: exactly the buckets of the server that left.
    let daisy = HashSpec::DaisyChain { buckets: 16_384, quarantine: SimSpan::ZERO, chained: true };
    let found = removal(&daisy, &equal, &[0], method);
    assert_eq!((found.moved_among_survivors, found.orphaned), (0, found.before[0]));
    assert!(found.after[1..].iter().all(|count| (1820..=1821).contains(count)), "{found:?}");
}

/// Keys that some server lost.
fn moved(audit: &Audit) -> u64 {
    audit.before.iter().zip(&audit.after).map(|(was, is)| was.saturating_sub(*is)).sum()
}

#[test]
fn ring_imbalance() {
    for (points, expected) in [(1, 5.0), (100, 1.25), (160, 1.25), (1000, 1.13)] {
        let spec = HashSpec::RingHash { points };
        let mean = (0..20).map(|seed| spread(&spec, 100, seed).1).sum::<f64>() / 20.0;
        assert!((mean / expected - 1.0_f64).abs() < 0.1, "{points} points: {mean}");
    }
    // One point a server: the longest of n arcs is (1 + 1/2 + ... + 1/n)/n of the circle.
    let spec = HashSpec::RingHash { points: 1 };
    let mean = (0..100).map(|seed| spread(&spec, 20, seed).1).sum::<f64>() / 100.0;
    let harmonic: f64 = (1..=20).map(|n| 1.0 / f64::from(n)).sum();
    assert!((mean / harmonic - 1.0).abs() < 0.1, "{mean} and {harmonic}");
}

#[test]
fn weights_set_shares() {
    let found = maglev_audit(&[1.0, 2.0], 65_537, &[]);
    assert!(found.exact);
    assert_eq!(found.before, [21_846, 43_691]);
    assert_eq!(maglev_audit(&[50.0, 100.0], 65_537, &[]).before, [21_846, 43_691]);
    let weights = [1.0, 2.0, 3.0, 4.0];
    let method = Method { seed: 3, keys: 200_000 };
    let daisy = HashSpec::DaisyChain { buckets: 10_000, quarantine: SimSpan::ZERO, chained: true };
    for (spec, within) in [
        (HashSpec::Maglev { table: 65_537 }, 0.001),
        (daisy, 1e-9),
        (HashSpec::Rendezvous, 0.02),
        (HashSpec::RingHash { points: 10_000 }, 0.04),
    ] {
        let found = audit(&spec, &weights, &weights, method);
        let even = balance(&found.before, &weights).expect("there are servers");
        let far = (1.0 - even.min_over_mean).max(even.max_over_mean - 1.0);
        assert!(far <= within, "{spec:?}: {even:?}");
    }
    for spec in [BalancerSpec::Random, BalancerSpec::RoundRobin] {
        let counts = tally(&spec, &[1.0, 2.0, 3.0, 0.0, 4.0], 100_000);
        for (count, expected) in counts.into_iter().zip([1e4, 2e4, 3e4, 0.0, 4e4]) {
            let far = (f64::from(count) - expected).abs();
            assert!(far <= 5.0 * f64::sqrt(expected), "{spec:?}: {count} for {expected}");
        }
    }
}

#[test]
fn smooth_weighted_round_robin_sequence() {
    let picks = |weights: &[f64], count: usize| -> Vec<u32> {
        let mut balancer = BalancerSpec::RoundRobin.build(&setting(weights.len()));
        let mut view = view(weights, false);
        let mut draw = stream(1);
        let seen = view.seen(SimTime::ZERO);
        (0..count).map(|_| balancer.pick(&ask(0), &seen, &mut draw).expect("open")).collect()
    };
    // a a b a c a a, and again.
    assert_eq!(picks(&[5.0, 1.0, 1.0], 10), [0, 0, 1, 0, 2, 0, 0, 0, 0, 1]);
    assert_eq!(picks(&[2.0, 2.0, 2.0], 5), [0, 1, 2, 0, 1]);
    assert_eq!(picks(&[1.0, 0.0, 1.0], 4), [0, 2, 0, 2]);
}

#[test]
fn least_request_weights() {
    assert!((weight_in_turns(2.0, 4, 1.0) - 0.4).abs() < 1e-15);
    assert_eq!(weight_in_turns(2.0, 4, 0.0), 2.0);
    assert_eq!(weight_in_turns(3.0, 8, 0.5), 1.0);
    // Without load: turns in proportion to weights. With 4 active at the first, weights are 0.4
    // and 1, so it gets 2 of 7.
    let spec = BalancerSpec::LeastRequest { choices: 2, bias: 1.0 };
    assert_eq!(tally(&spec, &[2.0, 1.0], 300), [200, 100]);
    let mut balancer = spec.build(&setting(2));
    let mut view = view(&[2.0, 1.0], false);
    (0..4).for_each(|_| view.sent(0, SimTime::ZERO));
    let (mut draw, mut counts) = (stream(1), [0; 2]);
    for _ in 0..7000 {
        let server = balancer.pick(&ask(0), &view.seen(SimTime::ZERO), &mut draw).expect("open");
        counts[server as usize] += 1;
    }
    assert!((1999..=2001).contains(&counts[0]), "{counts:?}");
}

#[test]
fn priority_spill() {
    let percent = |levels: &[(u32, u32)]| -> Vec<u32> {
        priority::loads(levels, 140, 50).into_iter().map(|(load, _)| load).collect()
    };
    for (healthy, expected) in [
        (&[72, 72][..], &[100, 0][..]),
        (&[71, 71], &[99, 1]),
        (&[50, 50], &[70, 30]),
        (&[25, 100], &[35, 65]),
        (&[25, 25], &[50, 50]),
        (&[25, 25, 100], &[35, 35, 30]),
        (&[25, 25, 20], &[36, 36, 28]),
        (&[20, 30], &[40, 60]),
        (&[100, 100, 100], &[100, 0, 0]),
        (&[72, 72, 100], &[100, 0, 0]),
        (&[0, 100], &[0, 100]),
    ] {
        let levels: Vec<(u32, u32)> = healthy.iter().map(|&healthy| (healthy, 100)).collect();
        assert_eq!(percent(&levels), expected, "{healthy:?}");
    }
    // No panic while healths add up to 100 %, however few are healthy in one level.
    assert_eq!(priority::loads(&[(5, 100), (100, 100)], 140, 50), [(7, false), (93, false)]);
    assert_eq!(priority::loads(&[(25, 100), (45, 100)], 140, 40), [(36, true), (64, false)]);
    // Nobody is healthy: all panic, by number of servers.
    assert_eq!(priority::loads(&[(0, 30), (0, 10)], 140, 50), [(75, true), (25, true)]);
    assert_eq!(priority::loads(&[(0, 0), (0, 0)], 140, 50), [(0, true), (0, true)]);
}

#[test]
fn priority_picks_follow_the_loads() {
    let inner = Box::new(BalancerSpec::Random);
    let spec = |panic_percent| BalancerSpec::Priority {
        overprovisioning_percent: 140,
        panic_percent,
        inner: inner.clone(),
    };
    let servers: Vec<Place> =
        (0..40).map(|s| Place { weight: 1.0, zone: 0, priority: u16::from(s >= 20) }).collect();
    let count = |spec: &BalancerSpec, healthy: [u32; 2]| {
        let mut balancer = spec.build(&setting(40));
        let mut view = View::new(ViewSpec::default(), &servers, false);
        for server in (healthy[0]..20).chain(20 + healthy[1]..40) {
            view.set_health(server, false, SimTime::ZERO);
        }
        let (mut draw, mut counts) = (stream(1), vec![0_u32; 40]);
        for _ in 0..20_000 {
            let server = balancer.pick(&ask(0), &view.seen(SimTime::ZERO), &mut draw);
            counts[server.expect("some level takes work") as usize] += 1;
        }
        counts
    };
    // Half of the first level is healthy: 70 % stay.
    let counts = count(&spec(50), [10, 20]);
    let first: u32 = counts[..20].iter().sum();
    assert!((13_700..14_300).contains(&first), "{first}");
    assert!(counts[10..20].iter().all(|&count| count == 0));
    // 5 % and 5 %: both panic and ignore health; without panic only the healthy ones work.
    assert!(count(&spec(50), [1, 1]).iter().all(|&count| count > 0));
    let counts = count(&spec(0), [1, 1]);
    assert_eq!(counts.iter().filter(|&&count| count > 0).count(), 2);
}

#[test]
fn zones_keep_an_equal_rate() {
    // Capacities 2 : 1 : 1; requests 1 : 2 : 1.
    let zone = |server: u16| [0, 0, 1, 2][usize::from(server % 4)];
    let servers: Vec<Place> =
        (0..16).map(|s| Place { weight: 1.0, zone: zone(s), priority: 0 }).collect();
    for zone_rate in [vec![1.0, 2.0, 1.0], vec![]] {
        let spec = BalancerSpec::ZoneAware { hosts_min: 6, inner: Box::new(BalancerSpec::Random) };
        let known = !zone_rate.is_empty();
        let mut balancer = spec.build(&Setting { zone_rate, ..setting(16) });
        let mut view = View::new(ViewSpec::default(), &servers, false);
        let mut draw = stream(2);
        let mut flow = [[0.0; 3]; 3];
        let picks = 200_000;
        for _ in 0..picks {
            let from = [0, 1, 1, 2][draw.below(4) as usize];
            let ask = Ask { now: SimTime::ZERO, key: 0, zone: from };
            let server = balancer.pick(&ask, &view.seen(SimTime::ZERO), &mut draw).expect("open");
            let to = servers[server as usize].zone;
            flow[usize::from(from)][usize::from(to)] += 1.0 / f64::from(picks);
        }
        // Zones 0 and 2 keep all; zone 1 keeps half and sends the rest where room is, to zone 0.
        let expected = [[0.25, 0.0, 0.0], [0.25, 0.25, 0.0], [0.0, 0.0, 0.25]];
        let within = if known { 0.005 } else { 0.01 };
        for (found, expected) in flow.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < within, "known {known}: {flow:?}");
        }
    }
}

#[test]
fn subsets_cover_all_servers_evenly() {
    let mut known = vec![0; 60];
    for balancer in 0..30 {
        let members = subset::members(60, 10, balancer, 5);
        assert_eq!(members.len(), 10);
        assert!(members.windows(2).all(|pair| pair[0] < pair[1]), "no server twice");
        members.iter().for_each(|&server| known[server as usize] += 1);
    }
    // 30 balancers are 5 rounds of 6 slices: each server is known to one balancer a round.
    assert!(known.iter().all(|&count| count == 5), "{known:?}");
    assert_ne!(subset::members(60, 10, 0, 5), subset::members(60, 10, 6, 5), "rounds differ");
    let spec = BalancerSpec::Subset { size: 10, inner: Box::new(BalancerSpec::Random) };
    let counts = tally(&spec, &[1.0; 60], 5_000);
    let picked: Vec<u32> = (0..60).filter(|&server| counts[server as usize] > 0).collect();
    assert_eq!(picked, subset::members(60, 10, 0, 7));
}

#[test]
fn bounded_loads_stay_within_their_bound() {
    for excess in [0.05, 0.25, 1.0] {
        let table = HashSpec::BoundedRing { points: 20, excess };
        let spec = BalancerSpec::Hash { table, connections: None };
        let weights = [1.0, 1.0, 2.0, 1.0, 0.5];
        let mut balancer = spec.build(&setting(5));
        let mut view = view(&weights, false);
        let mut draw = stream(3);
        let mut reached = 0;
        for sent in 1..=2000_u32 {
            let ask = ask(draw.next_u64());
            let server = balancer.pick(&ask, &view.seen(ask.now), &mut draw).expect("open");
            view.sent(server, ask.now);
            let share = weights[server as usize] / 5.5;
            let bound = ((1.0 + excess) * f64::from(sent) * share).ceil();
            let holds = f64::from(view.seen(ask.now).outstanding[server as usize]);
            assert!(holds <= bound, "{holds} above {bound}");
            reached += u32::from(holds == bound);
        }
        assert!(reached > 0, "the bound is met, not missed by far");
    }
}

/// Connections of random lengths behind a balancer; servers change by steps. What breaks at each.
struct Flows {
    balancer: Box<dyn Balancer>,
    view: View,
    draw: Stream,
    now_s: f64,
    /// Key, server, start and end of each.
    open: Vec<(u64, u32, f64, f64)>,
}

impl Flows {
    fn new(spec: &BalancerSpec, weights: &[f64]) -> Flows {
        let balancer = spec.build(&setting(weights.len()));
        Flows {
            balancer,
            view: view(weights, false),
            draw: stream(9),
            now_s: 0.0,
            open: Vec::new(),
        }
    }

    fn instant(&self) -> SimTime {
        SimTime::ZERO.after(SimSpan::from_seconds_f64_ceil(self.now_s))
    }

    fn run(&mut self, until_s: f64, rate: f64, mean_s: f64) {
        loop {
            let gap = self.draw.exponential() / rate;
            if self.now_s + gap > until_s {
                break;
            }
            self.now_s += gap;
            let ask = Ask { now: self.instant(), key: self.draw.next_u64(), zone: 0 };
            let server = self.balancer.pick(&ask, &self.view.seen(ask.now), &mut self.draw);
            let end = self.now_s + mean_s * self.draw.exponential();
            self.open.push((ask.key, server.expect("open"), self.now_s, end));
        }
        self.now_s = until_s;
        self.open.retain(|&(_, _, _, end)| end > until_s);
    }

    /// Sets weights and takes the starts of connections that break.
    fn change(&mut self, weights: &[f64]) -> Vec<f64> {
        let now = self.instant();
        weights.iter().zip(0..).for_each(|(&weight, s)| self.view.set_weight(s, weight, now));
        let mut broken = Vec::new();
        self.open.retain(|&(key, server, start, _)| {
            let ask = Ask { now, key, zone: 0 };
            let reached = self.balancer.reaches(&ask, &self.view.seen(now), server);
            if !reached {
                broken.push(start);
            }
            reached
        });
        broken
    }
}

#[test]
fn daisy_chain_survives_one_change_not_two() {
    let spec = |chained| BalancerSpec::Hash {
        table: HashSpec::DaisyChain { buckets: 1024, quarantine: SimSpan::ZERO, chained },
        connections: None,
    };
    // Every bucket changes hands at 100 s and at 130 s.
    let mut flows = Flows::new(&spec(true), &[1.0, 0.0, 0.0]);
    flows.run(100.0, 50.0, 60.0);
    assert!(flows.change(&[0.0, 1.0, 0.0]).is_empty(), "one change breaks nothing");
    flows.run(130.0, 50.0, 60.0);
    let older = flows.open.iter().filter(|&&(_, _, start, _)| start < 100.0).count();
    let young = flows.open.len() - older;
    let broken = flows.change(&[0.0, 0.0, 1.0]);
    assert!(broken.iter().all(|&start| start < 100.0), "only flows older than the first change");
    assert_eq!((broken.len(), flows.open.len()), (older, young), "all of these");
    assert!(older > 500 && young > 500, "{older} {young}");
    // A server of four drained, without the second slot: rate x mean life of its quarter break.
    let mut total = 0;
    let rounds = 20;
    let mut flows = Flows::new(&spec(false), &[1.0; 4]);
    for round in 0..rounds {
        flows.run(flows.now_s + 100.0, 200.0, 10.0);
        let mut weights = [1.0; 4];
        weights[round % 4] = 0.0;
        total += flows.change(&weights).len();
        flows.run(flows.now_s + 100.0, 200.0, 10.0);
        flows.change(&[1.0; 4]);
    }
    let mean = total as f64 / rounds as f64;
    let deviation = f64::sqrt(500.0 / rounds as f64);
    assert!((mean - 500.0).abs() < 4.0 * deviation, "{mean} instead of 200/s x 10 s / 4");
}

#[test]
fn a_table_of_connections_keeps_what_fits() {
    let with = |connections| BalancerSpec::Hash { table: HashSpec::EcmpModulo, connections };
    let broken = |size| {
        let spec = ConnectionsSpec { size, eviction: Eviction::LeastRecentlyUsed };
        let mut flows = Flows::new(&with(Some(spec)), &[1.0; 4]);
        flows.run(100.0, 20.0, 30.0);
        let open = flows.open.len();
        (flows.change(&[1.0, 1.0, 1.0, 0.0]).len(), open)
    };
    let (lost, open) = broken(1 << 16);
    assert_eq!(lost, 0, "all {open} are remembered");
    let (lost, open) = broken(100);
    // Three quarters of those that are forgotten move: about (600 - 100) x 3/4.
    assert!(lost > open / 3 && lost < open * 3 / 4, "{lost} of {open}");
    let mut flows = Flows::new(&with(None), &[1.0; 4]);
    flows.run(100.0, 20.0, 30.0);
    let open = flows.open.len() as f64;
    let lost = flows.change(&[1.0, 1.0, 1.0, 0.0]).len() as f64;
    assert!((lost / open - 0.75).abs() < 0.08, "{lost} of {open}");
}

#[test]
fn peak_ewma_leaves_a_slow_server() {
    let decay = SimSpan::from_seconds(10);
    let spec = BalancerSpec::PeakEwma { decay, choices: 2, failure: SimSpan::ZERO };
    let mut balancer = spec.build(&setting(2));
    let mut view = view(&[1.0, 1.0], false);
    let mut draw = stream(4);
    balancer.finished(0, at(1), 0.010, true);
    balancer.finished(1, at(1), 0.050, true);
    let mut pick = |balancer: &mut Box<dyn Balancer>, now| {
        let ask = Ask { now, key: 0, zone: 0 };
        balancer.pick(&ask, &view.seen(now), &mut draw).expect("open")
    };
    assert_eq!(pick(&mut balancer, at(1)), 0);
    // A peak counts at once; afterwards it fades: 0.010 + 0.99 e^-1 is still the worse.
    balancer.finished(0, at(1), 1.0, true);
    assert_eq!(pick(&mut balancer, at(1)), 1);
    balancer.finished(0, at(11), 0.010, true);
    balancer.finished(1, at(11), 0.050, true);
    assert_eq!(pick(&mut balancer, at(11)), 1);
    balancer.finished(0, at(71), 0.010, true);
    balancer.finished(1, at(71), 0.050, true);
    assert_eq!(pick(&mut balancer, at(71)), 0);
}

#[test]
fn prequal_takes_the_quickest_cold_probe() {
    let spec = PrequalSpec { removals: 0.0, hot_quantile: 0.5, ..PrequalSpec::default() };
    let mut balancer = BalancerSpec::Prequal(spec).build(&setting(100));
    let mut view = view(&[1.0; 100], false);
    let mut draw = stream(4);
    let mut pick = |balancer: &mut Box<dyn Balancer>, now| {
        let ask = Ask { now, key: 0, zone: 0 };
        balancer.pick(&ask, &view.seen(now), &mut draw).expect("open")
    };
    // Requests in flight 1, 2, 3, 9: above 3 is hot, however quick.
    for (server, in_flight, latency_s) in
        [(1, 9, 0.001), (2, 3, 0.020), (3, 2, 0.010), (4, 1, 0.030)]
    {
        balancer.probed(server, at(1), in_flight, latency_s);
    }
    assert_eq!(pick(&mut balancer, at(1)), 3);
    // All known are too old: by chance, so others come up as well.
    let later: Vec<u32> = (0..20).map(|_| pick(&mut balancer, at(10))).collect();
    assert!(later.iter().any(|server| *server > 4), "{later:?}");
    // Supply (1 - 16/100) x 3 = 2.52 a pick, less 1 removal; twice that may be used.
    let uses = Prequal::uses_mean(&PrequalSpec::default(), 100);
    assert!((uses - 2.0 / 1.52).abs() < 1e-12, "{uses}");
    assert!(Prequal::uses_mean(&PrequalSpec::default(), 10).is_infinite());
}

#[test]
fn bucket_loop_evens_unequal_servers() {
    // By hand: mean load 2; gain 0.5: shares x (1 + 0.5 (2 - 1)/2) and x (1 - 0.5 (3 - 2)/2).
    let mut shares = [0.5, 0.5];
    bucket_loop::move_shares(&mut shares, &[1.0, 3.0], 0.5, 0.9);
    assert_eq!(shares, [0.625, 0.375]);
    bucket_loop::move_shares(&mut shares, &[1.0, 3.0], 0.5, 0.1);
    let clipped = [0.625 * 1.1, 0.375 * 0.9];
    assert_eq!(shares, clipped.map(|share| share / (clipped[0] + clipped[1])));
    // Servers that look equal, but one holds each connection twice as long: loads become equal when
    // it gets half of what the others get.
    let spec = bucket_loop::BucketLoopSpec {
        period: SimSpan::from_seconds(20),
        quarantine: SimSpan::ZERO,
        ..bucket_loop::BucketLoopSpec::default()
    };
    let mut balancer = BalancerSpec::BucketLoop(spec).build(&setting(3));
    let mut view = view(&[1.0; 3], false);
    let mut draw = stream(6);
    let mut ends: Vec<(SimTime, u32)> = Vec::new();
    let mut counts = [0.0; 3];
    for step in 0..400_000_u64 {
        let now = SimTime(step * 5_000_000);
        ends.retain(|&(end, server)| {
            let ended = end <= now;
            if ended {
                view.finished(server, now, true);
            }
            !ended
        });
        let ask = Ask { now, key: draw.next_u64(), zone: 0 };
        let server = balancer.pick(&ask, &view.seen(now), &mut draw).expect("open");
        view.sent(server, now);
        let life = if server == 0 { 0.2 } else { 0.1 };
        ends.push((now.after(SimSpan::from_seconds_f64_ceil(life)), server));
        if step > 200_000 {
            counts[server as usize] += 1.0;
        }
    }
    let share = counts[0] / counts.iter().sum::<f64>();
    assert!((share - 0.2).abs() < 0.005, "{share} instead of 1/5: {counts:?}");
}

/// Parameters as the scenario reader makes them, all at their defaults.
fn defaults() -> Vec<(&'static str, BalancerSpec)> {
    use steerlab_engine::steer::{ParamKind, ParamValue, Params};
    let seconds = |text: &str| -> f64 { text.trim_end_matches('s').parse().expect("a span") };
    let ratio = |text: &str| -> f64 {
        match text.strip_suffix('%') {
            Some(percent) => percent.parse::<f64>().expect("a percentage") / 100.0,
            None => text.parse().expect("a ratio"),
        }
    };
    let value = |kind: ParamKind, text: &str| match kind {
        ParamKind::Ratio { min, max } => {
            assert!((min..=max).contains(&ratio(text)), "default {text} is out of range");
            ParamValue::Ratio(ratio(text))
        }
        ParamKind::Span { min, max } => {
            let span = SimSpan::from_seconds_f64_ceil(seconds(text));
            assert!((min..=max).contains(&span), "default {text} is out of range");
            ParamValue::Span(span)
        }
        ParamKind::Count { min, max } => {
            let count = text.parse().expect("a count");
            assert!((min..=max).contains(&count), "default {text} is out of range");
            ParamValue::Count(count)
        }
        ParamKind::Choice(words) => {
            assert!(words.contains(&text), "default {text} is no choice");
            ParamValue::Choice(text.to_owned())
        }
        other => panic!("no balancer takes {other:?}"),
    };
    let spec = |balancer: &steerlab_engine::load::balance::BalancerDescriptor| {
        let values: Vec<(String, ParamValue)> = balancer
            .params
            .iter()
            .map(|p| (p.name.to_owned(), value(p.kind, p.default.expect("all have defaults"))))
            .collect();
        assert_eq!((balancer.check)(&Params(&values)), Ok(()), "{}", balancer.name);
        (balancer.name, (balancer.spec)(&Params(&values)))
    };
    BALANCERS.iter().map(spec).collect()
}

#[test]
fn descriptors_are_sorted_and_their_defaults_work() {
    assert!(BALANCERS.windows(2).all(|pair| pair[0].name < pair[1].name));
    for (name, spec) in defaults() {
        let counts = tally(&spec, &[1.0; 30], 3_000);
        assert_eq!(counts.iter().sum::<u32>(), 3_000, "{name}");
    }
    assert!(!hash::maglev::is_prime(65_535) && hash::maglev::is_prime(65_537));
}

/// Plays some random life against a balancer: what was picked.
fn life(spec: &BalancerSpec, seed: u64, staleness: Staleness) -> Vec<Option<u32>> {
    const SERVERS: u32 = 12;
    let mut draw = stream(seed);
    let place = |s| Place { weight: 1.0, zone: s as u16 % 3, priority: s as u16 % 2 };
    let servers: Vec<Place> = (0..SERVERS).map(place).collect();
    let mut balancer = spec.build(&setting(SERVERS as usize));
    let view = ViewSpec { staleness, ..ViewSpec::default() };
    let mut view = View::new(view, &servers, balancer.wants_levels());
    let panics = matches!(spec, BalancerSpec::Priority { .. });
    let mut open: Vec<u32> = Vec::new();
    let mut picks = Vec::new();
    for step in 0..600_u64 {
        let now = SimTime(step * 50_000_000);
        let server = draw.below(u64::from(SERVERS)) as u32;
        match draw.below(12) {
            0 => view.set_weight(server, [0.0, 0.5, 1.0, 3.0][draw.below(4) as usize], now),
            1 => view.set_health(server, draw.below(3) > 0, now),
            2 if step % 200 > 180 => (0..SERVERS).for_each(|s| view.set_weight(s, 0.0, now)),
            3..=6 if !open.is_empty() => {
                let server = open.swap_remove(draw.below(open.len() as u64) as usize);
                view.finished(server, now, true);
                balancer.finished(server, now, 0.01, true);
            }
            7 => balancer.probed(server, now, draw.below(9) as u32, 0.01),
            _ => {
                let ask = Ask { now, key: draw.next_u64(), zone: server as u16 % 3 };
                let seen = view.seen(now);
                let some = (0..SERVERS as usize).any(|server| seen.takes_work(server));
                let heavy = seen.weight.iter().any(|&weight| weight > 0.0);
                let pick = balancer.pick(&ask, &seen, &mut draw);
                check(pick, &seen, panics, some, heavy);
                if let Some(server) = pick {
                    assert!(balancer.reaches(&ask, &seen, server), "what was just picked");
                    view.sent(server, now);
                    open.push(server);
                }
                picks.push(pick);
            }
        }
    }
    picks
}

fn check(pick: Option<u32>, seen: &Seen<'_>, panics: bool, some: bool, heavy: bool) {
    match pick {
        Some(server) => {
            assert!(seen.weight[server as usize] > 0.0, "weight 0 was picked");
            assert!(panics || seen.healthy[server as usize], "an unhealthy server was picked");
        }
        None => {
            let open = if panics { heavy } else { some };
            assert!(!open, "nobody was picked though somebody takes work");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn only_servers_that_take_work_are_picked_and_always_the_same(seed in any::<u64>()) {
        let every = SimSpan::from_millis(500);
        let staleness = [Staleness::Fresh, Staleness::Board(every), Staleness::Entries(every)];
        let staleness = staleness[(seed % 3) as usize];
        for (name, spec) in defaults() {
            let picks = life(&spec, seed, staleness);
            prop_assert_eq!(&picks, &life(&spec, seed, staleness), "{} differs", name);
        }
    }

    #[test]
    fn connections_agree_with_a_list(
        steps in prop::collection::vec((0_u64..40, 0_u8..4), 0..400),
        capacity in 1_u32..12,
        which in 0..3_usize,
    ) {
        let eviction = [Eviction::LeastRecentlyUsed, Eviction::Oldest, Eviction::Nobody][which];
        let mut table = Connections::new(capacity, eviction);
        // Key and server, the first to go in front.
        let mut list: Vec<(u64, u32)> = Vec::new();
        for (step, (key, what)) in (0..).zip(steps) {
            let place = list.iter().position(|entry| entry.0 == key);
            match what {
                0 => {
                    table.remove(key);
                    place.map(|place| list.remove(place));
                }
                1 => {
                    prop_assert_eq!(table.get(key), place.map(|place| list[place].1));
                    if let Some(place) = place
                        && eviction == Eviction::LeastRecentlyUsed
                    {
                        let entry = list.remove(place);
                        list.push(entry);
                    }
                }
                _ => {
                    table.insert(key, step);
                    if let Some(place) = place {
                        list.remove(place);
                    } else if list.len() == capacity as usize {
                        if eviction == Eviction::Nobody {
                            continue;
                        }
                        list.remove(0);
                    }
                    list.push((key, step));
                }
            }
            prop_assert_eq!(table.len(), list.len());
        }
        for &(key, server) in &list {
            prop_assert_eq!(table.get(key), Some(server));
        }
    }
}
