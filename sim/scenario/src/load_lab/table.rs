//! The keys of a load lab.

use crate::table::{
    ANY_SPAN, BALANCER, CLIENT, CLOSED, DISCIPLINES, FRACTION, Key, Kind, Mapping, NS_D, SERVICE,
    VIEW, default, list, one_of, optional, required, some,
};

const TEXTS: Kind = some(&Kind::Text);
const NUMBER: Kind = Kind::Number { min: -1e15, max: 1e15 };
const POSITIVE: Kind = Kind::Number { min: 1e-9, max: 1e12 };
const AMOUNT: Kind = Kind::Number { min: 0.0, max: 1e15 };
/// Requests that are played: a limit, as all input has one.
const MANY: Kind = Kind::Count { min: 0, max: 10_000_000_000 };
const SOME: Kind = Kind::Count { min: 1, max: 10_000_000_000 };
/// Offered work over capacity; more than this never ends in any useful time.
const LOAD: Kind = Kind::Number { min: 1e-9, max: 1000.0 };
const TTL: Kind = Kind::Span { min: 1, max: NS_D * 365 };

const WARM_UP: Key = default("warm_up", MANY, "10000", "Requests that end before counting.");
const REQUESTS: Key = default("requests", SOME, "100000", "Requests that are counted.");

/// The whole lab.
pub(crate) static LAB: Mapping = Mapping {
    name: "load_lab",
    doc: "The top level of a load lab file.",
    keys: &[
        required("format", Kind::Choice(&["steerlab-load/1"]), "Version of the language."),
        required("name", Kind::Id, "Name of the lab."),
        default("label", Kind::Text, "", "Title for people; the name if empty."),
        default("description", Kind::Text, "", "What it shows."),
        default("source", Kind::Text, "", "Where it comes from."),
        default("seed", Kind::Count { min: 0, max: u64::MAX }, "1", "Root of all chance."),
        default(
            "replications",
            Kind::Count { min: 2, max: 10_000 },
            "30",
            "How often each case is played.",
        ),
        default(
            "confidence",
            Kind::Ratio { min: 0.5, max: 0.9999 },
            "99%",
            "Confidence of the intervals that judge.",
        ),
        optional("vary", Kind::Map(&VARY), "One value that differs from case to case."),
        optional("cases", some(&Kind::Map(&CASE)), "Cases, each with values of its own."),
        one_of("queue", Kind::Map(&QUEUE), "Requests at servers."),
        one_of("cache", Kind::Map(&CACHE), "Requests at a cache."),
        one_of("tiers", Kind::Map(&TIERS), "Caches with a time to live, in tiers."),
        one_of("table", Kind::Map(&TABLE), "Shares and moves of the keys of a hash."),
        one_of("chain", Kind::Map(&CHAIN), "Connections while a table changes."),
        one_of("bucket", Kind::Map(&BUCKET), "A token bucket."),
        one_of("spill", Kind::Map(&SPILL), "Priority levels with unhealthy servers."),
        one_of("billing", Kind::Map(&BILLING), "A bill at a percentile."),
        required("expect", some(&Kind::Map(&EXPECT)), "What must come out."),
    ],
};

static VARY: Mapping = Mapping {
    name: "vary",
    doc: "One value that differs from case to case; cases are named by it.",
    keys: &[
        required("key", Kind::Text, "Path of the value, such as `queue.load`."),
        required("values", TEXTS, "Its values."),
    ],
};

static CASE: Mapping = Mapping {
    name: "case",
    doc: "A case of the experiment.",
    keys: &[
        required("id", Kind::Id, "Name."),
        required("set", TEXTS, "Values replaced in it, such as `queue.load=0.9`."),
    ],
};

static QUEUE: Mapping = Mapping {
    name: "queue_lab",
    doc: "Requests at servers behind a balancer. Statistics are of requests that end after the \
          warm-up.",
    keys: &[
        optional("load", LOAD, "Work offered per second over what all cores do."),
        optional("rate", Kind::RequestRate, "Arrivals per second, in place of `load`."),
        default(
            "arrivals",
            Kind::Text,
            "exponential",
            "Law of the gaps between arrivals; `exponential` is Poisson.",
        ),
        optional("closed", Kind::Map(&CLOSED), "A closed loop, in place of `load` and `rate`."),
        optional("service", Kind::Map(&SERVICE), "Service; exponential with mean 1s if absent."),
        optional(
            "classes",
            Kind::List { item: &Kind::Map(&CLASS), min: 1, max: 16 },
            "Classes of requests, the most urgent first, in place of `load`, `rate` and `service`.",
        ),
        default(
            "servers",
            Kind::Count { min: 1, max: 100_000 },
            "1",
            "Servers, each with a queue.",
        ),
        default("cores", Kind::Count { min: 1, max: 1_000_000 }, "1", "Cores of each server."),
        default("discipline", DISCIPLINES, "fifo", "In which order servers serve."),
        optional("queue_max", MANY, "Requests that may wait at a server; no limit if absent."),
        BALANCER,
        default("balancers", Kind::Count { min: 1, max: 1000 }, "1", "Balancer processes."),
        optional("view", Kind::Map(&VIEW), "What balancers see; always fresh if absent."),
        optional("client", Kind::Map(&CLIENT), "How clients behave; they wait for ever if absent."),
        WARM_UP,
        REQUESTS,
    ],
};

static CLASS: Mapping = Mapping {
    name: "queue_class",
    doc: "A class of requests. `{class=1}` labels the first.",
    keys: &[
        required("load", LOAD, "Work offered per second over what all cores do."),
        optional("service", Kind::Map(&SERVICE), "Service; exponential with mean 1s if absent."),
    ],
};

static CACHE: Mapping = Mapping {
    name: "cache_lab",
    doc: "Independent requests for objects of one size, by Zipf's law, at one cache.",
    keys: &[
        required("objects", Kind::Count { min: 1, max: 100_000_000 }, "Objects."),
        required("alpha", Kind::Number { min: 0.0, max: 10.0 }, "Exponent of Zipf's law."),
        required("capacity", Kind::Count { min: 1, max: 100_000_000 }, "Objects it holds."),
        default(
            "policy",
            Kind::Choice(&["lru", "fifo", "random", "lfu", "perfect-lfu", "s3-fifo"]),
            "lru",
            "How it makes room.",
        ),
        WARM_UP,
        REQUESTS,
    ],
};

static TIERS: Mapping = Mapping {
    name: "tiers_lab",
    doc: "Caches without limit whose objects live for a time after their fetch. Poisson requests.",
    keys: &[
        required("sites", Kind::Count { min: 1, max: 100_000 }, "Lower caches."),
        required("rate", Kind::RequestRate, "Requests for each object at each site."),
        required("ttl", TTL, "Time an object is kept after it was fetched."),
        default("upper", Kind::Flag, "true", "Whether lower caches ask one upper cache."),
        default("objects", Kind::Count { min: 1, max: 1_000_000 }, "10", "Objects, all alike."),
        WARM_UP,
        REQUESTS,
    ],
};

static TABLE: Mapping = Mapping {
    name: "table_lab",
    doc: "Shares and moves of the keys of a hash when backends leave. Each replication has another \
          seed of the hash and others who leave.",
    keys: &[
        required("balancer", Kind::Balancer, "A balancer that hashes."),
        required("backends", Kind::Count { min: 1, max: 100_000 }, "Backends."),
        optional("weights", some(&AMOUNT), "Their weights, repeated in turn; all alike if absent."),
        default("remove", Kind::Count { min: 0, max: 99_999 }, "0", "How many leave."),
        default(
            "keys",
            Kind::Count { min: 1, max: 100_000_000 },
            "100000",
            "Keys drawn where the hash is no table of entries.",
        ),
    ],
};

static CHAIN: Mapping = Mapping {
    name: "chain_lab",
    doc: "Connections held by one server while all buckets of the table go to another, once or \
          several times.",
    keys: &[
        required("balancer", Kind::Balancer, "The balancer of connections."),
        required("rate", Kind::RequestRate, "Connections opened per second."),
        required("life", TTL, "Mean life of a connection; exponential."),
        default("gap", TTL, "1s", "Time between two changes."),
        default("changes", Kind::Count { min: 1, max: 100 }, "1", "How often the table changes."),
    ],
};

static BUCKET: Mapping = Mapping {
    name: "bucket_lab",
    doc: "A token bucket that starts full.",
    keys: &[
        required("rate", AMOUNT, "Tokens per second."),
        required("burst", AMOUNT, "Tokens it holds."),
        required("offered", POSITIVE, "Offered per second."),
        required("duration", ANY_SPAN, "How long."),
        default(
            "one_by_one",
            Kind::Flag,
            "false",
            "Whether it is offered one by one at even distances, rather than as a flow.",
        ),
    ],
};

static SPILL: Mapping = Mapping {
    name: "spill_lab",
    doc: "Priority levels of which some servers are unhealthy.",
    keys: &[
        required(
            "levels",
            Kind::List { item: &Kind::Map(&LEVEL), min: 1, max: 16 },
            "Levels, the first used first.",
        ),
        default(
            "overprovisioning",
            Kind::Ratio { min: 1.0, max: 100.0 },
            "1.4",
            "Factor on the share of healthy servers.",
        ),
        default("panic", FRACTION, "0", "Share of healthy servers below which health is ignored."),
        REQUESTS,
    ],
};

static LEVEL: Mapping = Mapping {
    name: "spill_level",
    doc: "A priority level.",
    keys: &[
        required("healthy", Kind::Count { min: 0, max: 10_000 }, "Healthy servers."),
        default("servers", Kind::Count { min: 1, max: 10_000 }, "100", "All servers."),
    ],
};

static BILLING: Mapping = Mapping {
    name: "billing_lab",
    doc: "A series of samples and what is billed of it.",
    keys: &[
        required("runs", some(&Kind::Map(&RUN)), "Samples, one run after the other."),
        default(
            "percentile",
            Kind::Ratio { min: 0.001, max: 1.0 },
            "95%",
            "Percentile, nearest rank.",
        ),
    ],
};

static RUN: Mapping = Mapping {
    name: "billing_run",
    doc: "Samples in a row.",
    keys: &[
        default("count", Kind::Count { min: 1, max: 10_000_000 }, "1", "How many."),
        required("from", AMOUNT, "The first."),
        default("step", NUMBER, "0", "From one to the next."),
    ],
};

static EXPECT: Mapping = Mapping {
    name: "load_expect",
    doc: "What one metric must be. Without `tolerance` the confidence interval of the mean over \
          the replications must hold the value.",
    keys: &[
        required("metric", Kind::Text, "Metric, with a label if there are several."),
        optional("cases", TEXTS, "Cases it holds for; all if absent."),
        one_of("theory", Kind::Text, "What this model of `steerlab theory` says."),
        one_of("value", NUMBER, "This value."),
        one_of("values", some(&NUMBER), "These values, in the order of the cases."),
        one_of("at_least", NUMBER, "Not less than this."),
        one_of("at_most", NUMBER, "Not more than this."),
        one_of("ascending", TEXTS, "It rises over these cases, by more than chance explains."),
        optional("quantity", Kind::Text, "Quantity of the model; named as the metric if absent."),
        optional(
            "given",
            list(&Kind::Text),
            "Parameters of the model, `name=value`, besides those of the experiment.",
        ),
        optional("tolerance", FRACTION, "Relative distance of the mean that is allowed."),
        default("source", Kind::Text, "", "Where the value comes from."),
    ],
};
