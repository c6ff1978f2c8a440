//! Plays one replication of an experiment: the engine's own parts, nothing else.

use steerlab_engine::kernel::{SimSpan, SimTime, Stream, StreamKey};
use steerlab_engine::load::admission::TokenBucket;
use steerlab_engine::load::balance::audit::{self, Method};
use steerlab_engine::load::balance::{BalancerSpec, Setting, priority};
use steerlab_engine::load::billing;
use steerlab_engine::load::cache::{
    Cache, Expiring, Fifo, Hop, Lfu, Lru, Popularity, RandomEviction, S3Fifo, Tiers, Unbounded,
};
use steerlab_engine::load::requests::{
    ArrivalSpec, Cause, Cell, CellSpec, ClassStats, ClientSpec, ConnectionSpec, Discipline,
    FrontSpec, Level, Protocol, ServerSpec,
};
use steerlab_scenario::load_lab::{
    BillingLab, BucketLab, CacheLab, CachePolicy, ChainLab, Experiment, QueueLab, SpillLab,
    TableLab, TiersLab,
};

/// Metrics with their values, in a fixed order.
pub type Metrics = Vec<(String, f64)>;

/// One replication.
pub fn play(experiment: &Experiment, seed: u64, replication: u32) -> Metrics {
    match experiment {
        Experiment::Queue(lab) => queue(lab, seed, replication),
        Experiment::Cache(lab) => cache(lab, seed, replication),
        Experiment::Tiers(lab) => tiers(lab, seed, replication),
        Experiment::Table(lab) => table(lab, seed, replication),
        Experiment::Chain(lab) => chain(lab, seed, replication),
        Experiment::Bucket(lab) => bucket(lab),
        Experiment::Spill(lab) => spill(lab, seed, replication),
        Experiment::Billing(lab) => bill(lab),
    }
}

fn stream(seed: u64, replication: u32, purpose: &'static str) -> Stream {
    Stream::new(StreamKey { seed, replication, purpose, entity: 0 })
}

fn one(name: &str, value: f64) -> (String, f64) {
    (name.to_owned(), value)
}

/// An instant to the nearest nanosecond.
fn instant(seconds: f64) -> SimTime {
    SimTime((seconds * 1e9).round() as u64)
}

/// A part of a whole; 0 of nothing.
fn part(some: f64, all: f64) -> f64 {
    if all > 0.0 { some / all } else { 0.0 }
}

fn queue(lab: &QueueLab, seed: u64, replication: u32) -> Metrics {
    let spec = CellSpec { seed, replication, ..lab.cell.clone() };
    let servers = spec.servers.len();
    let balancers = (0..lab.balancers).map(|balancer| {
        lab.balancer.build(&Setting { servers, seed, balancer, zone_rate: Vec::new() })
    });
    let mut cell = Cell::new(&spec, balancers.collect());
    cell.advance_ended(lab.warm_up);
    cell.take_stats();
    cell.advance_ended(lab.requests);
    let stats = cell.take_stats();
    let total = stats.total();
    let ended = (total.served + total.dropped_total()) as f64;
    let refused = total.dropped[Cause::Refused as usize] as f64;
    let at_servers: f64 = stats.servers.iter().map(|server| server.in_system_mean).sum();
    let busy: f64 = stats.servers.iter().map(|server| server.utilisation).sum();
    let mut metrics = times(&total, "");
    for (name, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)] {
        let value = total.latency.quantile_ms(share) / 1e3;
        metrics.push((format!("sojourn_s_{name}"), value));
    }
    metrics.extend([
        one("in_system_mean", at_servers),
        one("utilisation", busy / servers as f64),
        one("throughput_per_s", part(total.served as f64, stats.seconds)),
        one("blocking_ratio", part(refused, ended)),
        one("loss_ratio", part(total.dropped_total() as f64, ended)),
        one("success_ratio", part(total.served as f64, ended)),
        one("tries_per_request", part(total.attempts as f64, total.offered as f64)),
    ]);
    if stats.classes.len() > 1 {
        for (class, number) in stats.classes.iter().zip(1..) {
            let label = format!("{{class={number}}}");
            metrics.extend(times(class, &label));
            metrics.push((format!("in_system_mean{label}"), class.in_system_mean));
        }
    }
    metrics
}

fn times(class: &ClassStats, label: &str) -> Metrics {
    vec![
        (format!("sojourn_s_mean{label}"), class.latency_s_mean()),
        (format!("wait_s_mean{label}"), part(class.breakdown.wait_s, class.served as f64)),
    ]
}

fn cache(lab: &CacheLab, seed: u64, replication: u32) -> Metrics {
    let mut cache: Box<dyn Cache> = match lab.policy {
        CachePolicy::Lru => Box::new(Lru::new(lab.capacity)),
        CachePolicy::Fifo => Box::new(Fifo::new(lab.capacity)),
        CachePolicy::Random => {
            Box::new(RandomEviction::new(lab.capacity, stream(seed, replication, "lab-eviction")))
        }
        CachePolicy::Lfu => Box::new(Lfu::in_cache(lab.capacity)),
        CachePolicy::PerfectLfu => Box::new(Lfu::perfect(lab.capacity)),
        CachePolicy::S3Fifo => Box::new(S3Fifo::new(lab.capacity)),
    };
    let popularity = Popularity::Zipf { objects: lab.objects, alpha: lab.alpha };
    let sampler = popularity.sampler().expect("the lab's ranges make a law");
    let mut draw = stream(seed, replication, "lab-objects");
    let mut hits = 0_u64;
    for turn in 0..lab.warm_up + lab.requests {
        let hit = cache.request(sampler.sample(&mut draw), 1, SimTime(turn)).is_hit();
        hits += u64::from(hit && turn >= lab.warm_up);
    }
    vec![one("hit_ratio", hits as f64 / lab.requests as f64)]
}

fn tiers(lab: &TiersLab, seed: u64, replication: u32) -> Metrics {
    let caches = (0..=lab.sites)
        .map(|_| Box::new(Expiring::new(Unbounded::new(), lab.ttl)) as Box<dyn Cache>);
    let mut tiers = Tiers::new(caches, true);
    let hop = |cache| Hop { cache, fetch: SimSpan::ZERO };
    let mut draw = stream(seed, replication, "lab-requests");
    let gap_s = 1.0 / (lab.rate_per_s * f64::from(lab.sites) * f64::from(lab.objects));
    let (mut now_s, mut begun_s) = (0.0, 0.0);
    for turn in 0..lab.warm_up + lab.requests {
        if turn == lab.warm_up {
            tiers.reset_counts();
            begun_s = now_s;
        }
        now_s += gap_s * draw.exponential();
        let site = draw.below(u64::from(lab.sites)) as u32;
        let object = draw.below(u64::from(lab.objects)) as u32;
        let way = Tiers::way(hop(site), None, lab.upper.then(|| hop(lab.sites)));
        tiers.request(&way, object, 1, instant(now_s));
    }
    let lower = (0..lab.sites).map(|site| tiers.counts(site));
    let (requests, hits, fetches) = lower.fold((0, 0, 0), |(requests, hits, fetches), count| {
        (requests + count.requests, hits + count.hits, fetches + count.fetches)
    });
    let upper = tiers.counts(lab.sites);
    let origin = if lab.upper { upper.fetches } else { fetches };
    let of_one = (now_s - begun_s) * f64::from(lab.objects);
    vec![
        one("origin_fetches_per_s", part(origin as f64, of_one)),
        one("hit_ratio_lower", part(hits as f64, requests as f64)),
        one("hit_ratio_upper", part(upper.hits as f64, upper.requests as f64)),
    ]
}

fn table(lab: &TableLab, seed: u64, replication: u32) -> Metrics {
    let mut draw = stream(seed, replication, "lab-table");
    let method = Method { seed: draw.next_u64(), keys: lab.keys };
    let mut left: Vec<u32> = (0..lab.weights.len() as u32).collect();
    let mut removed = Vec::new();
    for _ in 0..lab.remove {
        removed.push(left.swap_remove(draw.below(left.len() as u64) as usize));
    }
    let found = audit::removal(&lab.hash, &lab.weights, &removed, method);
    let even = audit::balance(&found.before, &lab.weights).expect("some backend takes work");
    let mut metrics = vec![
        one("share_max_over_mean", even.max_over_mean),
        one("share_min_over_mean", even.min_over_mean),
        one("moved_ratio", found.moved_ratio()),
        one("disruption_ratio", found.disruption_ratio()),
    ];
    if lab.weights.len() <= 16 {
        for (count, backend) in found.before.iter().zip(1..) {
            metrics.push((format!("entries{{backend={backend}}}"), *count as f64));
        }
    }
    metrics
}

/// All buckets go from server 0 to 1, then to 2, and so on. A server that is left keeps what it
/// serves, and the packets of its connections must still get there.
fn chain(lab: &ChainLab, seed: u64, replication: u32) -> Metrics {
    let mut spec = CellSpec::new(
        vec![ArrivalSpec::poisson(1, lab.rate_per_s, lab.life_s)],
        (0..=lab.changes)
            .map(|at| ServerSpec {
                weight: if at == 0 { 1.0 } else { 0.0 },
                ..ServerSpec::new(Discipline::Fifo, u32::MAX, 1.0)
            })
            .collect(),
    );
    (spec.seed, spec.replication) = (seed, replication);
    spec.front = FrontSpec { level: Level::Connection, ..FrontSpec::default() };
    // One connection a request, which lasts as long as its service.
    spec.clients = vec![ClientSpec {
        connection: Some(ConnectionSpec {
            protocol: Protocol::Http1Plain,
            resumed: 0.0,
            early_data: false,
            dns_share: 0.0,
            dns: SimSpan::ZERO,
            keep_alive: SimSpan::ZERO,
            requests_max: Some(1),
            life: None,
        }),
        ..ClientSpec::default()
    }];
    let setting = Setting { servers: spec.servers.len(), seed, ..Setting::default() };
    let mut cell = Cell::new(&spec, vec![lab.balancer.build(&setting)]);
    // Fifteen lives: what began empty is as good as forgotten (3e-7 of it is missing).
    let mut at_s = 15.0 * lab.life_s;
    let mut metrics = Metrics::new();
    for change in 1..=lab.changes {
        cell.advance(instant(at_s));
        let (_, held, _, _) = cell.in_flight();
        cell.take_stats();
        cell.set_weight(change, 1.0);
        cell.set_weight(change - 1, 0.0);
        let broken = cell.stats().total().connections_broken;
        metrics.push((format!("broken{{change={change}}}"), broken as f64));
        if change == 1 {
            metrics.push(one("in_flight_mean", held as f64));
        }
        at_s += lab.gap_s;
    }
    metrics
}

fn bucket(lab: &BucketLab) -> Metrics {
    let mut bucket = TokenBucket::new(lab.rate_per_s, lab.burst, 0.0);
    let offered = lab.offered_per_s * lab.duration_s;
    let passed = if lab.one_by_one {
        let count = offered.floor() as u64;
        let passes = |at: u64| bucket.decide((at + 1) as f64 / lab.offered_per_s, 1.0);
        (0..count).map(passes).filter(|&passes| passes).count() as f64
    } else {
        bucket.admit(lab.offered_per_s, lab.duration_s).passed
    };
    let offered = if lab.one_by_one { offered.floor() } else { offered };
    vec![
        one("passed", passed),
        one("dropped", offered - passed),
        one("passed_ratio", part(passed, offered)),
    ]
}

/// The rule itself, and where requests go when servers are really down.
fn spill(lab: &SpillLab, seed: u64, replication: u32) -> Metrics {
    let exact = priority::loads(&lab.levels, lab.overprovisioning_percent, lab.panic_percent);
    let mut metrics: Metrics = (0..)
        .zip(&exact)
        .map(|(level, (load, _))| (format!("load_percent{{priority={level}}}"), f64::from(*load)))
        .collect();
    let mut servers = Vec::new();
    let mut down = Vec::new();
    for (level, &(healthy, all)) in (0_u16..).zip(&lab.levels) {
        for number in 0..all {
            if number >= healthy {
                down.push(servers.len() as u32);
            }
            let server = ServerSpec::new(Discipline::ProcessorSharing, 1, 1.0);
            servers.push(ServerSpec { priority: level, ..server });
        }
    }
    let count = servers.len();
    let rate = 0.1 * count as f64;
    let spec = CellSpec {
        seed,
        replication,
        ..CellSpec::new(vec![ArrivalSpec::poisson(1, rate, 0.1)], servers)
    };
    let (overprovisioning_percent, panic_percent) =
        (lab.overprovisioning_percent, lab.panic_percent);
    let inner = Box::new(BalancerSpec::Random);
    let balancer = BalancerSpec::Priority { overprovisioning_percent, panic_percent, inner };
    let setting = Setting { servers: count, seed, ..Setting::default() };
    let mut cell = Cell::new(&spec, vec![balancer.build(&setting)]);
    down.into_iter().for_each(|server| cell.set_up(server, false));
    cell.advance_ended(lab.requests);
    let stats = cell.take_stats();
    let all: u64 = stats.servers.iter().map(|server| server.completed).sum();
    let mut from = 0;
    for (level, &(_, size)) in lab.levels.iter().enumerate() {
        let until = from + size as usize;
        let own: u64 = stats.servers[from..until].iter().map(|server| server.completed).sum();
        let share = 100.0 * part(own as f64, all as f64);
        metrics.push((format!("share_percent{{priority={level}}}"), share));
        from = until;
    }
    metrics
}

fn bill(lab: &BillingLab) -> Metrics {
    vec![one("billed", billing::billed(&lab.series, lab.percentile))]
}
