//! What a load lab holds.

use steerlab_engine::kernel::SimSpan;
use steerlab_engine::load::balance::BalancerSpec;
use steerlab_engine::load::balance::hash::HashSpec;
use steerlab_engine::load::requests::CellSpec;

/// An experiment in one or several cases, and what must come out.
#[derive(Clone, Debug)]
pub struct LoadLab {
    /// Name, used for files.
    pub name: String,
    /// Title for people.
    pub label: String,
    /// What it shows.
    pub description: String,
    /// Where it comes from.
    pub source: String,
    /// Root of all chance.
    pub seed: u64,
    /// How often each case is played, at least 2.
    pub replications: u32,
    /// Confidence of the intervals that judge, between 0 and 1.
    pub confidence: f64,
    /// Cases, at least one. The only one of a lab without cases has an empty id.
    pub cases: Vec<LoadCase>,
    /// What must come out.
    pub expect: Vec<Expectation>,
}

/// One case of a lab.
#[derive(Clone, Debug)]
pub struct LoadCase {
    /// Name.
    pub id: String,
    /// What is played.
    pub experiment: Experiment,
    /// The same in the parameters of theory, as `steerlab theory` takes them: name and value.
    pub given: Vec<(String, String)>,
    /// The value of each of the lab's expectations in this case, in their order; none where an
    /// expectation says nothing about a single value, or nothing about this case.
    pub expected: Vec<Option<f64>>,
}

/// What is played.
#[derive(Clone, Debug)]
pub enum Experiment {
    /// Requests at servers.
    Queue(Box<QueueLab>),
    /// Requests at a cache.
    Cache(CacheLab),
    /// Caches with a time to live in front of an upper cache or the origin.
    Tiers(TiersLab),
    /// Shares and moves of the keys of a hash.
    Table(TableLab),
    /// Connections while the table of a balancer changes.
    Chain(ChainLab),
    /// A token bucket.
    Bucket(BucketLab),
    /// Priority levels with unhealthy servers.
    Spill(SpillLab),
    /// A bill at a percentile.
    Billing(BillingLab),
}

/// Requests at servers.
#[derive(Clone, Debug)]
pub struct QueueLab {
    /// The cell; its seed and replication are those of the run.
    pub cell: CellSpec,
    /// Who chooses servers.
    pub balancer: BalancerSpec,
    /// Number of balancer processes.
    pub balancers: u32,
    /// Requests that end before anything is counted.
    pub warm_up: u64,
    /// Requests that are counted.
    pub requests: u64,
}

/// How a cache makes room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CachePolicy {
    /// Least recently used.
    Lru,
    /// First in first out.
    Fifo,
    /// By chance.
    Random,
    /// Least frequently used, by counts of what is kept.
    Lfu,
    /// Least frequently used, by counts of everything ever asked for.
    PerfectLfu,
    /// Three queues.
    S3Fifo,
}

/// Requests at a cache, Zipf.
#[derive(Clone, Copy, Debug)]
pub struct CacheLab {
    /// Objects, of one size.
    pub objects: u64,
    /// Exponent.
    pub alpha: f64,
    /// Objects the cache holds.
    pub capacity: u64,
    /// How it makes room.
    pub policy: CachePolicy,
    /// Requests before anything is counted.
    pub warm_up: u64,
    /// Requests that are counted.
    pub requests: u64,
}

/// Caches with a time to live.
#[derive(Clone, Copy, Debug)]
pub struct TiersLab {
    /// Lower caches.
    pub sites: u32,
    /// Requests per second for each object at each site.
    pub rate_per_s: f64,
    /// Time an object is kept after it was fetched.
    pub ttl: SimSpan,
    /// Whether the lower caches ask an upper one.
    pub upper: bool,
    /// Objects, all alike.
    pub objects: u32,
    /// Requests before anything is counted.
    pub warm_up: u64,
    /// Requests that are counted.
    pub requests: u64,
}

/// A hash before and after some backends leave.
#[derive(Clone, Debug)]
pub struct TableLab {
    /// The hash.
    pub hash: HashSpec,
    /// Weights of the backends.
    pub weights: Vec<f64>,
    /// How many leave, drawn by chance.
    pub remove: u32,
    /// Keys drawn where the hash is no table.
    pub keys: u32,
}

/// Connections while the table of a balancer changes.
#[derive(Clone, Debug)]
pub struct ChainLab {
    /// The balancer of connections.
    pub balancer: BalancerSpec,
    /// Connections opened per second.
    pub rate_per_s: f64,
    /// Mean life of a connection, seconds; exponential.
    pub life_s: f64,
    /// Time between the changes, seconds.
    pub gap_s: f64,
    /// How often the table changes.
    pub changes: u32,
}

/// A token bucket.
#[derive(Clone, Copy, Debug)]
pub struct BucketLab {
    /// Tokens per second.
    pub rate_per_s: f64,
    /// Tokens held at most, and at the start.
    pub burst: f64,
    /// Offered per second.
    pub offered_per_s: f64,
    /// How long, seconds.
    pub duration_s: f64,
    /// Whether it is offered one by one at even distances, rather than as a flow.
    pub one_by_one: bool,
}

/// Priority levels with unhealthy servers.
#[derive(Clone, Debug)]
pub struct SpillLab {
    /// Healthy servers and all servers of each level.
    pub levels: Vec<(u32, u32)>,
    /// Overprovisioning factor in percent.
    pub overprovisioning_percent: u32,
    /// Percent of healthy servers below which health is ignored; 0: never.
    pub panic_percent: u32,
    /// Requests that are counted.
    pub requests: u64,
}

/// A bill at a percentile.
#[derive(Clone, Debug)]
pub struct BillingLab {
    /// Samples.
    pub series: Vec<f64>,
    /// Percentile between 0 and 1.
    pub percentile: f64,
}

/// What one metric must be.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Metric, with a label if there are several.
    pub metric: String,
    /// Cases it holds for; empty: all.
    pub cases: Vec<String>,
    /// What it must be.
    pub wanted: Wanted,
    /// Relative distance that is allowed; none: the interval of the mean must hold the value.
    pub tolerance: Option<f64>,
    /// Where a value comes from.
    pub source: String,
}

/// What a metric must be.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// What theory says.
    Theory {
        /// Model.
        model: String,
        /// Quantity of the model, with label.
        quantity: String,
    },
    /// A value that the file gives.
    Value,
    /// Not less.
    AtLeast(f64),
    /// Not more.
    AtMost(f64),
    /// Rises from case to case, by more than chance explains.
    Ascending(Vec<String>),
}
