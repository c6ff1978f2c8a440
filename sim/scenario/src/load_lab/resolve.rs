//! From checked values to a lab: experiments, and the same in the parameters of theory.

use super::expect;
use super::lab::{
    BillingLab, BucketLab, CacheLab, CachePolicy, ChainLab, Experiment, LoadLab, QueueLab,
    SpillLab, TableLab, TiersLab,
};
use crate::diagnostic::{Diagnostic, Sink, quote};
use crate::resolve::load::{self, small};
use crate::source::Span;
use crate::typed::{Fields, Value};
use steerlab_engine::kernel::{SimSpan, entity_hash};
use steerlab_engine::load::balance::BalancerSpec;
use steerlab_engine::load::balance::hash::HashSpec;
use steerlab_engine::load::law::Law;
use steerlab_engine::load::requests::{ArrivalSpec, CellSpec, FrontSpec, Pattern, ServerSpec};

/// Parameters of theory: name and value.
pub(super) type Given = Vec<(String, String)>;

/// How a case comes about.
pub(super) struct Plan {
    /// Name.
    pub id: String,
    /// Position among the cases of the file; none: a value that the file does not have.
    pub position: Option<usize>,
    /// Values replaced in it.
    pub sets: Vec<(String, String)>,
}

fn error(sink: &mut Sink, code: &'static str, span: Span, message: &str, help: &str) {
    sink.push(Diagnostic::new(code, span, message).help(help));
}

/// Everything but the cases themselves, and how they come about. `sets` are the replacements of
/// who asked: one for the varied value takes the place of all cases.
pub(super) fn lab(
    fields: &Fields,
    sets: &[(String, String)],
    sink: &mut Sink,
) -> Option<(LoadLab, Vec<Plan>)> {
    let plans = plans(fields, sets, sink);
    let label = Some(fields.string("label")).filter(|label| !label.is_empty());
    let ids: Vec<&str> = plans.iter().map(|plan| plan.id.as_str()).collect();
    let lab = LoadLab {
        name: fields.string("name"),
        label: label.unwrap_or_else(|| fields.string("name")),
        description: fields.string("description"),
        source: fields.string("source"),
        seed: fields.count("seed")?,
        replications: small(fields.count("replications")?),
        confidence: fields.number("confidence")?,
        cases: Vec::new(),
        expect: expect::rows(fields, &ids, sink),
    };
    Some((lab, plans))
}

fn plans(fields: &Fields, sets: &[(String, String)], sink: &mut Sink) -> Vec<Plan> {
    if let (Some(vary), Some(cases)) = (fields.fields("vary"), fields.get("cases")) {
        let help = "keep one of them";
        error(sink, "E0408", cases.span, "`vary` and `cases` exclude each other", help);
        return vec![Plan { id: vary.string("key"), position: None, sets: Vec::new() }];
    }
    if let Some(vary) = fields.fields("vary") {
        let key = vary.string("key");
        let of = |value: &str, position| Plan {
            id: value.to_owned(),
            position,
            sets: vec![(key.clone(), value.to_owned())],
        };
        let values: Vec<&str> =
            vary.items("values").iter().filter_map(Value::text).map(|text| &**text).collect();
        if let Some((_, asked)) = sets.iter().rev().find(|(path, _)| *path == key) {
            return vec![of(asked, values.iter().position(|value| value == asked))];
        }
        return values.iter().enumerate().map(|(at, value)| of(value, Some(at))).collect();
    }
    if fields.get("cases").is_none() {
        return vec![Plan { id: String::new(), position: Some(0), sets: Vec::new() }];
    }
    let mut plans: Vec<Plan> = Vec::new();
    for (position, row) in fields.rows("cases").enumerate() {
        let mut sets = Vec::new();
        for value in row.items("set") {
            let Some(text) = value.text() else { continue };
            match text.split_once('=') {
                Some((path, to)) => sets.push((path.trim().to_owned(), to.trim().to_owned())),
                None => error(
                    sink,
                    "E0201",
                    value.span,
                    &format!("{} replaces nothing", quote(text)),
                    "write `path=value`, such as `queue.load=0.9`",
                ),
            }
        }
        let id = row.string("id");
        if plans.iter().any(|plan| plan.id == id) {
            let message = format!("the case {} is there twice", quote(&id));
            error(sink, "E0302", row.place("id"), &message, "give it another name");
        }
        plans.push(Plan { id, position: Some(position), sets });
    }
    plans
}

/// An experiment with all values replaced, the same in the parameters of theory, and what each
/// expectation says in this case.
pub(super) fn experiment(
    fields: &Fields,
    plan: &Plan,
    sink: &mut Sink,
) -> Option<(Experiment, Given, Vec<Option<f64>>)> {
    let (kind, value) = fields.chosen()?;
    let own = value.fields()?;
    let (experiment, given) = match kind {
        "queue" => queue(own, sink)?,
        "cache" => cache(own)?,
        "tiers" => tiers(own)?,
        "table" => table(own, sink)?,
        "chain" => chain(own, sink)?,
        "bucket" => bucket(own)?,
        "spill" => spill(own, sink)?,
        _ => billing(own)?,
    };
    let expected = expect::values(fields, kind, plan, &given, sink);
    Some((experiment, given, expected))
}

fn put(given: &mut Given, name: &str, value: impl ToString) {
    given.push((name.to_owned(), value.to_string()));
}

fn joined(values: impl Iterator<Item = f64>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join(",")
}

fn queue(fields: &Fields, sink: &mut Sink) -> Option<(Experiment, Given)> {
    let servers = fields.count("servers")?;
    let cores = fields.count("cores")?;
    let queue_max = fields.count("queue_max");
    let mut server = ServerSpec::new(load::discipline(fields, "discipline"), small(cores), 1.0);
    server.queue_max = queue_max.map(small);
    let mut given = Given::new();
    let capacity = (servers * cores) as f64;
    let arrivals = arrivals(fields, capacity, &mut given, sink)?;
    put(&mut given, "servers", if servers == 1 { cores } else { servers });
    if let Some(most) = queue_max {
        put(&mut given, "places", cores + most);
    }
    let (view, shared_view) = load::view(fields.fields("view"), sink);
    let client = load::client(fields.fields("client"));
    put(&mut given, "failure", client.failure);
    put(&mut given, "retries", client.retry.max);
    if let Some(budget) = client.retry.budget {
        put(&mut given, "budget_ratio", budget.ratio);
    }
    let balancer = fields.get("balancer").and_then(|value| load::balancer(value, sink))?;
    if let BalancerSpec::PowerOfD { draws, .. } = &balancer {
        put(&mut given, "d", draws);
    }
    let mut cell = CellSpec::new(arrivals, vec![server; servers as usize]);
    cell.clients = vec![client];
    cell.front = FrontSpec { view, shared_view, ..FrontSpec::default() };
    let lab = QueueLab {
        cell,
        balancer,
        balancers: small(fields.count("balancers")?),
        warm_up: fields.count("warm_up")?,
        requests: fields.count("requests")?,
    };
    Some((Experiment::Queue(Box::new(lab)), given))
}

/// Sources of a queue: a closed loop, classes, or one source with a load or a rate.
fn arrivals(
    fields: &Fields,
    capacity: f64,
    given: &mut Given,
    sink: &mut Sink,
) -> Option<Vec<ArrivalSpec>> {
    let keys = ["load", "rate", "closed", "classes"];
    let said: Vec<&str> = keys.into_iter().filter(|key| fields.get(key).is_some()).collect();
    if said.len() != 1 {
        let message = if said.is_empty() {
            "it is not said how much arrives".to_owned()
        } else {
            format!("`{}` exclude each other", said.join("`, `"))
        };
        let help = "give one of `load`, `rate`, `closed`, `classes`";
        error(sink, "E0104", fields.span, &message, help);
        return None;
    }
    if fields.get("classes").is_some() {
        return Some(classes(fields, capacity, given, sink));
    }
    let (law, mean) = load::service(fields.fields("service"), sink);
    put(given, "service_s", mean);
    put(given, "law", &law);
    let source = |pattern| ArrivalSpec {
        pattern,
        service: law.clone(),
        ..ArrivalSpec::poisson(entity_hash("load-lab", "source"), 0.0, mean)
    };
    if let Some(closed) = fields.fields("closed") {
        let pattern = load::closed(closed, sink);
        if let Pattern::Closed { clients, think_s, .. } = &pattern {
            put(given, "clients", clients);
            put(given, "think_s", think_s);
        }
        return Some(vec![source(pattern)]);
    }
    let rate = match fields.number("load") {
        Some(load) => load * capacity / mean,
        None => fields.number("rate")?,
    };
    put(given, "load", fields.number("load").unwrap_or(rate * mean / capacity));
    let pattern = match load::law(fields, "arrivals", sink) {
        Law::Exponential => Pattern::Poisson(rate),
        law => Pattern::Renewal(law, rate),
    };
    Some(vec![source(pattern)])
}

fn classes(fields: &Fields, capacity: f64, given: &mut Given, sink: &mut Sink) -> Vec<ArrivalSpec> {
    let mut sources = Vec::new();
    let (mut loads, mut means, mut cv2s) = (Vec::new(), Vec::new(), Vec::new());
    for (row, class) in fields.rows("classes").zip(0_u8..) {
        let (law, mean) = load::service(row.fields("service"), sink);
        let load = row.number("load").unwrap_or(0.0);
        loads.push(load);
        means.push(mean);
        cv2s.push(law.cv2());
        sources.push(ArrivalSpec {
            service: law,
            class: u32::from(class),
            priority: class,
            ..ArrivalSpec::poisson(
                entity_hash("load-lab", &format!("class-{class}")),
                load * capacity / mean,
                mean,
            )
        });
    }
    put(given, "load", loads.iter().sum::<f64>());
    put(given, "loads", joined(loads.into_iter()));
    put(given, "services_s", joined(means.into_iter()));
    put(given, "cv2s", joined(cv2s.into_iter()));
    sources
}

fn cache(fields: &Fields) -> Option<(Experiment, Given)> {
    let lab = CacheLab {
        objects: fields.count("objects")?,
        alpha: fields.number("alpha")?,
        capacity: fields.count("capacity")?,
        policy: match &*fields.string("policy") {
            "fifo" => CachePolicy::Fifo,
            "random" => CachePolicy::Random,
            "lfu" => CachePolicy::Lfu,
            "perfect-lfu" => CachePolicy::PerfectLfu,
            "s3-fifo" => CachePolicy::S3Fifo,
            _ => CachePolicy::Lru,
        },
        warm_up: fields.count("warm_up")?,
        requests: fields.count("requests")?,
    };
    let mut given = Given::new();
    put(&mut given, "objects", lab.objects);
    put(&mut given, "alpha", lab.alpha);
    put(&mut given, "capacity", lab.capacity);
    Some((Experiment::Cache(lab), given))
}

fn tiers(fields: &Fields) -> Option<(Experiment, Given)> {
    let lab = TiersLab {
        sites: small(fields.count("sites")?),
        rate_per_s: fields.number("rate")?,
        ttl: fields.time("ttl")?,
        upper: fields.flag("upper")?,
        objects: small(fields.count("objects")?),
        warm_up: fields.count("warm_up")?,
        requests: fields.count("requests")?,
    };
    let mut given = Given::new();
    put(&mut given, "sites", lab.sites);
    put(&mut given, "rate_per_s", lab.rate_per_s);
    put(&mut given, "ttl_s", lab.ttl.seconds());
    Some((Experiment::Tiers(lab), given))
}

fn table(fields: &Fields, sink: &mut Sink) -> Option<(Experiment, Given)> {
    let value = fields.get("balancer")?;
    let BalancerSpec::Hash { table, .. } = load::balancer(value, sink)? else {
        let help = "name one that hashes, such as `maglev` or `ring-hash`";
        error(sink, "E0203", value.span, "this balancer has no table", help);
        return None;
    };
    let backends = fields.count("backends")? as usize;
    let remove = small(fields.count("remove")?);
    if remove as usize >= backends {
        let help = "leave at least one backend";
        error(sink, "E0202", fields.place("remove"), "nobody is left", help);
    }
    let stated: Vec<f64> = fields.items("weights").iter().filter_map(Value::number).collect();
    let stated = if stated.is_empty() { vec![1.0] } else { stated };
    if stated.iter().sum::<f64>() <= 0.0 {
        let help = "give at least one backend a weight above 0";
        error(sink, "E0405", fields.place("weights"), "all weights are 0", help);
    }
    let weights: Vec<f64> = stated.iter().copied().cycle().take(backends).collect();
    let mut given = Given::new();
    put(&mut given, "backends", backends);
    put(&mut given, "remove", remove);
    put(&mut given, "weights", joined(stated.into_iter()));
    match table {
        HashSpec::Maglev { table } => put(&mut given, "table", table),
        HashSpec::RingHash { points } => put(&mut given, "points", points),
        _ => {}
    }
    let lab = TableLab { hash: table, weights, remove, keys: small(fields.count("keys")?) };
    Some((Experiment::Table(lab), given))
}

fn chain(fields: &Fields, sink: &mut Sink) -> Option<(Experiment, Given)> {
    let lab = ChainLab {
        balancer: fields.get("balancer").and_then(|value| load::balancer(value, sink))?,
        rate_per_s: fields.number("rate")?,
        life_s: fields.time("life").map(SimSpan::seconds)?,
        gap_s: fields.time("gap").map(SimSpan::seconds)?,
        changes: small(fields.count("changes")?),
    };
    let chained = match &lab.balancer {
        BalancerSpec::Hash { table: HashSpec::DaisyChain { chained, .. }, .. } => *chained,
        _ => false,
    };
    let mut given = Given::new();
    put(&mut given, "rate_per_s", lab.rate_per_s);
    put(&mut given, "life_s", lab.life_s);
    put(&mut given, "gap_s", lab.gap_s);
    put(&mut given, "changes", lab.changes);
    put(&mut given, "chained", u8::from(chained));
    Some((Experiment::Chain(lab), given))
}

fn bucket(fields: &Fields) -> Option<(Experiment, Given)> {
    let lab = BucketLab {
        rate_per_s: fields.number("rate")?,
        burst: fields.number("burst")?,
        offered_per_s: fields.number("offered")?,
        duration_s: fields.time("duration").map(SimSpan::seconds)?,
        one_by_one: fields.flag("one_by_one")?,
    };
    let mut given = Given::new();
    put(&mut given, "rate", lab.rate_per_s);
    put(&mut given, "burst", lab.burst);
    put(&mut given, "offered", lab.offered_per_s);
    put(&mut given, "duration_s", lab.duration_s);
    Some((Experiment::Bucket(lab), given))
}

fn spill(fields: &Fields, sink: &mut Sink) -> Option<(Experiment, Given)> {
    let mut levels = Vec::new();
    for row in fields.rows("levels") {
        let (healthy, servers) = (row.count("healthy")?, row.count("servers")?);
        if healthy > servers {
            let help = "give at most as many as there are servers";
            error(sink, "E0407", row.place("healthy"), "more are healthy than there are", help);
        }
        levels.push((small(healthy), small(servers)));
    }
    let percent = |key| fields.number(key).map(|share| (share * 100.0).round() as u32);
    let lab = SpillLab {
        levels,
        overprovisioning_percent: percent("overprovisioning")?,
        panic_percent: percent("panic")?,
        requests: fields.count("requests")?,
    };
    let mut given = Given::new();
    let healthy =
        lab.levels.iter().map(|(healthy, all)| 100.0 * f64::from(*healthy) / f64::from(*all));
    put(&mut given, "healthy_percent", joined(healthy));
    put(&mut given, "factor_percent", lab.overprovisioning_percent);
    Some((Experiment::Spill(lab), given))
}

fn billing(fields: &Fields) -> Option<(Experiment, Given)> {
    let mut series = Vec::new();
    for row in fields.rows("runs") {
        let (from, step) = (row.number("from")?, row.number("step")?);
        let left = crate::limits::ROWS_MAX.saturating_sub(series.len() as u64);
        let count = row.count("count")?.min(left);
        series.extend((0..count).map(|at| (from + at as f64 * step).max(0.0)));
    }
    let percentile = fields.number("percentile")?;
    let mut given = Given::new();
    put(&mut given, "samples", series.len());
    put(&mut given, "percentile", percentile);
    put(&mut given, "series", joined(series.iter().copied()));
    Some((Experiment::Billing(BillingLab { series, percentile }), given))
}
