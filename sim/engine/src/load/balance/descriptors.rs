//! Every balancer by name: parameters with ranges and defaults, and where it is published. The
//! scenario language, lists and documentation are made from this one table.

use super::bucket_loop::BucketLoopSpec;
use super::hash::{Eviction, HashSpec, maglev};
use super::prequal::PrequalSpec;
use super::spec::{BalancerSpec, ConnectionsSpec};
use crate::kernel::SimSpan;
use crate::steer::{Param, ParamKind, Params};

/// What is known of a balancer before it is built.
#[derive(Clone, Copy, Debug)]
pub struct BalancerDescriptor {
    /// Name.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Where the idea is published.
    pub source: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// The balancer of complete, checked parameters.
    pub spec: fn(&Params<'_>) -> BalancerSpec,
    /// Rules that ranges do not express: the message of the first broken one.
    pub check: fn(&Params<'_>) -> Result<(), String>,
}

/// The descriptor of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static BalancerDescriptor> {
    BALANCERS.iter().find(|balancer| balancer.name == name)
}

const WEEK: SimSpan = SimSpan::from_seconds(7 * 24 * 3_600);
const YES_NO: ParamKind = ParamKind::Choice(&["yes", "no"]);

const fn param(
    name: &'static str,
    kind: ParamKind,
    default: &'static str,
    doc: &'static str,
) -> Param {
    Param { name, kind, default: Some(default), doc }
}

const fn count(
    name: &'static str,
    min: u64,
    max: u64,
    default: &'static str,
    doc: &'static str,
) -> Param {
    param(name, ParamKind::Count { min, max }, default, doc)
}

const fn ratio(
    name: &'static str,
    min: f64,
    max: f64,
    default: &'static str,
    doc: &'static str,
) -> Param {
    param(name, ParamKind::Ratio { min, max }, default, doc)
}

const fn span(
    name: &'static str,
    min_nanos: u64,
    default: &'static str,
    doc: &'static str,
) -> Param {
    param(name, ParamKind::Span { min: SimSpan(min_nanos), max: WEEK }, default, doc)
}

const CONNECTIONS: Param = count(
    "connections",
    0,
    1 << 28,
    "0",
    "connections that the balancer remembers; 0: it hashes every packet",
);
const EVICTION: Param = param(
    "eviction",
    ParamKind::Choice(&["least-recently-used", "oldest", "nobody"]),
    "least-recently-used",
    "who gives way when the table of connections is full",
);
const POINTS: Param =
    count("points", 1, 1 << 16, "160", "points on the ring of a server of mean weight");

const INNER: Param = param(
    "inner",
    ParamKind::Choice(&[
        "ecmp-modulo",
        "join-idle",
        "least-connections",
        "least-request",
        "maglev",
        "peak-ewma",
        "power-of-d",
        "prequal",
        "random",
        "rendezvous",
        "ring-hash",
        "round-robin",
    ]),
    "power-of-d",
    "balancer inside, with its default parameters",
);

fn fine(_: &Params<'_>) -> Result<(), String> {
    Ok(())
}

/// A count that its range keeps within 32 bits.
fn small(params: &Params<'_>, name: &str) -> u32 {
    u32::try_from(params.count(name)).expect("the range of the parameter ends below 2^32")
}

fn hash(table: HashSpec, params: &Params<'_>) -> BalancerSpec {
    let eviction = match params.choice("eviction") {
        "oldest" => Eviction::Oldest,
        "nobody" => Eviction::Nobody,
        _ => Eviction::LeastRecentlyUsed,
    };
    let size = small(params, "connections");
    let connections = (size > 0).then_some(ConnectionsSpec { size, eviction });
    BalancerSpec::Hash { table, connections }
}

/// A balancer with its default parameters.
fn inner(params: &Params<'_>) -> Box<BalancerSpec> {
    let hash = |table| BalancerSpec::Hash { table, connections: None };
    Box::new(match params.choice("inner") {
        "ecmp-modulo" => hash(HashSpec::EcmpModulo),
        "join-idle" => BalancerSpec::JoinIdle,
        "least-connections" => BalancerSpec::LeastConnections,
        "least-request" => BalancerSpec::LeastRequest { choices: 2, bias: 1.0 },
        "maglev" => hash(HashSpec::Maglev { table: maglev::TABLE }),
        "peak-ewma" => {
            let (decay, failure) = (SimSpan::from_seconds(10), SimSpan::ZERO);
            BalancerSpec::PeakEwma { decay, choices: 2, failure }
        }
        "prequal" => BalancerSpec::Prequal(PrequalSpec::default()),
        "random" => BalancerSpec::Random,
        "rendezvous" => hash(HashSpec::Rendezvous),
        "ring-hash" => hash(HashSpec::RingHash { points: 160 }),
        "round-robin" => BalancerSpec::RoundRobin,
        _ => BalancerSpec::PowerOfD { draws: 2, distinct: true },
    })
}

/// All balancers, sorted by name.
pub static BALANCERS: [BalancerDescriptor; 19] = [
    BalancerDescriptor {
        name: "bounded-ring",
        summary: "ring hash; a server above its share by more than the excess passes keys on",
        source: "Mirrokni, Thorup, Zadimoghaddam, SODA 2018; HAProxy hash-balance-factor",
        params: &[
            POINTS,
            ratio("excess", 0.001, 100.0, "0.25", "how far a server may be above its share"),
            CONNECTIONS,
            EVICTION,
        ],
        spec: |p| {
            let (points, excess) = (small(p, "points"), p.ratio("excess"));
            hash(HashSpec::BoundedRing { points, excess }, p)
        },
        check: fine,
    },
    BalancerDescriptor {
        name: "bucket-loop",
        summary: "two-slot buckets whose shares follow the load of servers",
        source: "Wragg, Unimog - Cloudflare's edge load balancer, 2020; the law of the loop is ours",
        params: &[
            count("buckets", 1, 1 << 24, "16384", "buckets; over 100 a server in the source"),
            span("period", 1_000_000, "10s", "time between moves of shares"),
            ratio("gain", 0.0, 2.0, "0.2", "part of the distance to the mean load corrected"),
            ratio("step", 0.0001, 0.9, "0.1", "most that a share moves at once"),
            ratio(
                "smoothing",
                0.001,
                1.0,
                "0.5",
                "how much of the average load is the last period",
            ),
            span("quarantine", 0, "60s", "how long a bucket keeps its server after a change"),
        ],
        spec: |p| {
            BalancerSpec::BucketLoop(BucketLoopSpec {
                buckets: small(p, "buckets"),
                period: p.span("period"),
                gain: p.ratio("gain"),
                step: p.ratio("step"),
                smoothing: p.ratio("smoothing"),
                quarantine: p.span("quarantine"),
            })
        },
        check: fine,
    },
    BalancerDescriptor {
        name: "daisy-chain",
        summary: "buckets that name the present server and the one before",
        source: "Unimog, 2020; Olteanu et al., Beamer, NSDI 2018; GitHub GLB director, 2018",
        params: &[
            count("buckets", 1, 1 << 24, "16384", "buckets"),
            span("quarantine", 0, "0s", "how long a bucket keeps its server after a change"),
            param("chain", YES_NO, "yes", "whether the server before gets what is not known"),
            CONNECTIONS,
            EVICTION,
        ],
        spec: |p| {
            let (buckets, quarantine) = (small(p, "buckets"), p.span("quarantine"));
            let chained = p.choice("chain") == "yes";
            hash(HashSpec::DaisyChain { buckets, quarantine, chained }, p)
        },
        check: fine,
    },
    BalancerDescriptor {
        name: "ecmp-modulo",
        summary: "hash of the connection modulo the number of servers, whatever their weights",
        source: "RFC 2992 section 2",
        params: &[CONNECTIONS, EVICTION],
        spec: |p| hash(HashSpec::EcmpModulo, p),
        check: fine,
    },
    BalancerDescriptor {
        name: "join-idle",
        summary: "an idle server if there is one, else any",
        source: "Lu et al., Join-Idle-Queue, 2011",
        params: &[],
        spec: |_| BalancerSpec::JoinIdle,
        check: fine,
    },
    BalancerDescriptor {
        name: "jump-hash",
        summary: "consistent hash without a table; servers come and go at the end of the row",
        source: "Lamping, Veach, 2014",
        params: &[CONNECTIONS, EVICTION],
        spec: |p| hash(HashSpec::JumpHash, p),
        check: fine,
    },
    BalancerDescriptor {
        name: "least-connections",
        summary: "the server with the fewest requests in flight by weight (join the shortest queue)",
        source: "HAProxy leastconn, NGINX least_conn; Winston, 1977",
        params: &[],
        spec: |_| BalancerSpec::LeastConnections,
        check: fine,
    },
    BalancerDescriptor {
        name: "least-request",
        summary: "power of choices if weights are equal, else round robin by weight / (active + 1)^bias",
        source: "Envoy documentation, weighted least request",
        params: &[
            count("choices", 1, 100, "2", "servers drawn where weights are equal"),
            ratio("bias", 0.0, 10.0, "1.0", "power of active requests where they are not"),
        ],
        spec: |p| BalancerSpec::LeastRequest {
            choices: small(p, "choices"),
            bias: p.ratio("bias"),
        },
        check: fine,
    },
    BalancerDescriptor {
        name: "maglev",
        summary: "lookup table with nearly equal shares and little disruption, weighted",
        source: "Eisenbud et al., Maglev, NSDI 2016 section 3.4; weights as in Envoy",
        params: &[
            count("table", 2, 5_000_011, "65537", "entries, a prime number"),
            CONNECTIONS,
            EVICTION,
        ],
        spec: |p| hash(HashSpec::Maglev { table: small(p, "table") }, p),
        check: |p| {
            let table = small(p, "table");
            if maglev::is_prime(table) {
                return Ok(());
            }
            let next = (table..).find(|&size| maglev::is_prime(size)).unwrap_or(maglev::TABLE);
            Err(format!("table: {table} is not a prime number; the next one is {next}"))
        },
    },
    BalancerDescriptor {
        name: "peak-ewma",
        summary: "the better of some servers by recent latency times requests in flight",
        source: "Twitter Finagle, Peak EWMA; Linkerd, 2016",
        params: &[
            span("decay", 1_000, "10s", "time in which a measurement fades to 1/e"),
            count("choices", 2, 100, "2", "servers drawn"),
            span("failure", 0, "0s", "what a failed request counts at least"),
        ],
        spec: |p| BalancerSpec::PeakEwma {
            decay: p.span("decay"),
            choices: small(p, "choices"),
            failure: p.span("failure"),
        },
        check: fine,
    },
    BalancerDescriptor {
        name: "power-of-d",
        summary: "the least loaded of d servers drawn by chance",
        source: "Mitzenmacher, 1996; Vvedenskaya et al., 1996",
        params: &[
            count("d", 1, 32, "2", "servers drawn"),
            param("distinct", YES_NO, "yes", "whether they are distinct"),
        ],
        spec: |p| BalancerSpec::PowerOfD {
            draws: small(p, "d"),
            distinct: p.choice("distinct") == "yes",
        },
        check: fine,
    },
    BalancerDescriptor {
        name: "prequal",
        summary: "the best of a pool of probes: cold and quick, else the least busy",
        source: "Wydrowski et al., Prequal, NSDI 2024 section 4",
        params: &[
            count("pool", 1, 1024, "16", "probes kept"),
            ratio("probes", 0.0, 100.0, "3.0", "probes sent a request"),
            ratio("removals", 0.0, 100.0, "1.0", "probes removed a request"),
            ratio("hot-quantile", 0.0, 1.0, "0.84", "quantile of load above which a probe is hot"),
            span("age-max", 1_000, "1s", "age at which a probe is dropped"),
            ratio("delta", 0.0, 100.0, "1.0", "how far uses of probes may exceed their supply"),
            count("pool-min", 1, 1024, "2", "probes below which the pick is by chance"),
        ],
        spec: |p| {
            BalancerSpec::Prequal(PrequalSpec {
                pool: small(p, "pool"),
                probes: p.ratio("probes"),
                removals: p.ratio("removals"),
                hot_quantile: p.ratio("hot-quantile"),
                age_max: p.span("age-max"),
                delta: p.ratio("delta"),
                pool_min: small(p, "pool-min"),
            })
        },
        check: |p| {
            if p.count("pool-min") <= p.count("pool") {
                return Ok(());
            }
            Err("pool-min: above pool, so every pick would be by chance".to_owned())
        },
    },
    BalancerDescriptor {
        name: "priority",
        summary: "levels of servers with spill and panic mode",
        source: "Envoy documentation, priority levels and panic threshold",
        params: &[
            ratio("overprovisioning", 1.0, 10.0, "1.4", "factor on the share of healthy servers"),
            ratio(
                "panic",
                0.0,
                1.0,
                "50%",
                "share of healthy servers below which health is ignored",
            ),
            INNER,
        ],
        spec: |p| BalancerSpec::Priority {
            // To the nearest percent, as Envoy counts.
            overprovisioning_percent: (p.ratio("overprovisioning") * 100.0 + 0.5) as u32,
            panic_percent: (p.ratio("panic") * 100.0 + 0.5) as u32,
            inner: inner(p),
        },
        check: fine,
    },
    BalancerDescriptor {
        name: "random",
        summary: "a server by chance, in proportion to weight",
        source: "baseline of Mitzenmacher, 1996",
        params: &[],
        spec: |_| BalancerSpec::Random,
        check: fine,
    },
    BalancerDescriptor {
        name: "rendezvous",
        summary: "the server that scores highest for the connection, weighted",
        source: "Thaler, Ravishankar, 1998; weights: Resch, 2015",
        params: &[CONNECTIONS, EVICTION],
        spec: |p| hash(HashSpec::Rendezvous, p),
        check: fine,
    },
    BalancerDescriptor {
        name: "ring-hash",
        summary: "consistent hashing with many points a server, weighted",
        source: "Karger et al., STOC 1997; libketama, 2007",
        params: &[POINTS, CONNECTIONS, EVICTION],
        spec: |p| hash(HashSpec::RingHash { points: small(p, "points") }, p),
        check: fine,
    },
    BalancerDescriptor {
        name: "round-robin",
        summary: "smooth weighted round robin",
        source: "NGINX, smooth weighted round-robin, 2012",
        params: &[],
        spec: |_| BalancerSpec::RoundRobin,
        check: fine,
    },
    BalancerDescriptor {
        name: "subset",
        summary: "each balancer knows some of the servers, all servers known equally often",
        source: "Site Reliability Engineering, 2016, chapter 20, deterministic subsetting",
        params: &[count("size", 1, 1 << 20, "20", "servers that a balancer knows"), INNER],
        spec: |p| BalancerSpec::Subset { size: small(p, "size"), inner: inner(p) },
        check: fine,
    },
    BalancerDescriptor {
        name: "zone-aware",
        summary: "requests stay in their zone as far as all servers get the same rate",
        source: "Envoy documentation, zone aware routing",
        params: &[
            count("hosts-min", 0, 1 << 20, "6", "servers below which zones do not matter"),
            INNER,
        ],
        spec: |p| BalancerSpec::ZoneAware { hosts_min: small(p, "hosts-min"), inner: inner(p) },
        check: fine,
    },
];
