//! What hashes and caches do: tables of balancers, the Che approximation.

use super::words::{parameter, quantity};
use super::{Kind, Model, Preset, Range, Trouble};
use crate::load::balance::audit;
use crate::load::balance::hash::maglev::is_prime;
use crate::load::cache::che::{self, Eviction, Load};
use crate::load::cache::{Popularity, Spectrum};
use crate::theory::{Given, Rows, chain};
use std::sync::Arc;

pub const MODELS: &[Model] = &[MAGLEV, CHAIN, CHE];

const MAGLEV: Model = Model {
    name: "maglev",
    aliases: &[],
    title: "Maglev table",
    about: "The table itself is built and looked at; figures vary a little with the hash of the \
            backends' names. As a rule shares differ by at most 1 % if there are over 100 entries a \
            backend.",
    source: "Eisenbud and others, Maglev (2016), section 3.4",
    parameters: &[
        parameter(
            "backends",
            &["n", "servers"],
            "",
            Kind::Count(1, 100_000),
            Preset::Required,
            "backends",
        ),
        parameter(
            "table",
            &["m", "size"],
            "",
            Kind::Count(2, 5_000_011),
            Preset::Text("65537"),
            "entries, a prime number",
        ),
        parameter(
            "weights",
            &["weight"],
            "",
            Kind::Numbers(Range::POSITIVE, 100_000),
            Preset::Text("1"),
            "weights, repeated in turn",
        ),
        parameter(
            "remove",
            &["k", "removed"],
            "",
            Kind::Count(0, 99_999),
            Preset::Text("0"),
            "backends that leave, the last ones",
        ),
    ],
    quantities: &[
        quantity("share_max_over_mean", "", "of the table", "largest share over the due share"),
        quantity("share_min_over_mean", "", "of the table", "smallest share over the due share"),
        quantity("entries_per_backend", "", "table / backends", "mean entries of a backend"),
        quantity("entries", "", "of the table", "entries of a backend, if there are at most 16"),
        quantity(
            "moved_ratio",
            "",
            "of the tables before and after",
            "entries that change their backend",
        ),
        quantity(
            "disruption_ratio",
            "",
            "of the tables before and after",
            "entries that move between backends that stay",
        ),
    ],
    example: "--backends 100 --remove 1",
    solve: maglev,
};

fn maglev(given: &Given) -> Result<Rows, Trouble> {
    let (backends, table) = (given.count("backends"), given.count("table"));
    let remove = given.count("remove");
    if !u32::try_from(table).is_ok_and(is_prime) {
        let what = format!("is {table}, not a prime number");
        return Err(Trouble::new("table", what, "give a prime number, such as 65537 or 655373"));
    }
    if remove >= backends {
        let what = format!("is {remove} of {backends}: nobody is left");
        return Err(Trouble::new("remove", what, "give less than the number of backends"));
    }
    let stated = given.numbers("weights").iter().copied();
    let weights: Vec<f64> = stated.cycle().take(backends as usize).collect();
    let removed: Vec<u32> = (backends - remove..backends).map(|at| at as u32).collect();
    let found = audit::maglev_audit(&weights, table as u32, &removed);
    let even = audit::balance(&found.before, &weights).expect("all weights are above 0");
    let mut rows = Rows::default();
    rows.put("share_max_over_mean", even.max_over_mean)
        .put("share_min_over_mean", even.min_over_mean)
        .put("entries_per_backend", table as f64 / backends as f64);
    if backends <= 16 {
        for (count, backend) in found.before.iter().zip(1..) {
            rows.put_of("entries", format!("backend={backend}"), *count as f64);
        }
    }
    rows.put("moved_ratio", found.moved_ratio()).put("disruption_ratio", found.disruption_ratio());
    Ok(rows)
}

const CHAIN: Model = Model {
    name: "daisy-chain",
    aliases: &["chain"],
    title: "connections while buckets change",
    about: "All buckets of a server go to another one, then to a third. Chained: what the present \
            server does not know goes to the one before. Poisson connections of exponential life.",
    source: "Little's law; Wragg, Unimog (2020); Olteanu and others, Beamer (2018)",
    parameters: &[
        parameter(
            "rate_per_s",
            &["rate", "lambda"],
            "1/s",
            Kind::Number(Range::POSITIVE),
            Preset::Required,
            "connections opened per second",
        ),
        parameter(
            "life_s",
            &["life", "duration_s"],
            "s",
            Kind::Number(Range::POSITIVE),
            Preset::Required,
            "mean life of a connection",
        ),
        parameter(
            "gap_s",
            &["gap"],
            "s",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Text("1"),
            "time between two changes",
        ),
        parameter(
            "changes",
            &[],
            "",
            Kind::Count(1, 100),
            Preset::Text("2"),
            "how often buckets change",
        ),
        parameter(
            "chained",
            &["chain"],
            "",
            Kind::Count(0, 1),
            Preset::Text("1"),
            "1: with a second slot; 0: without",
        ),
    ],
    quantities: &[
        quantity("in_flight_mean", "", "rate * life (Little)", "connections open at an instant"),
        quantity(
            "broken",
            "",
            "chained: 0, then rate life exp(-gap/life); else rate life, then rate life (1 - exp(-gap/life))",
            "mean number of connections that a change breaks",
        ),
    ],
    example: "--rate-per-s 1000 --life-s 2 --gap-s 1",
    solve: |given| {
        let (rate, life) = (given.number("rate_per_s"), given.number("life_s"));
        let (gap, chained) = (given.number("gap_s"), given.count("chained") == 1);
        let mut rows = Rows::default();
        rows.put("in_flight_mean", rate * life);
        for change in 1..=given.count("changes") {
            let broken = chain::broken(rate, life, gap, change, chained);
            rows.put_of("broken", format!("change={change}"), broken);
        }
        Ok(rows)
    },
};

const CHE: Model = Model {
    name: "che",
    aliases: &["lru"],
    title: "hit ratio of a cache (Che's approximation)",
    about: "Independent requests for objects of one size, Zipf. Each object stays for about the \
            same time, the characteristic time. An approximation, good to about 0.1 % for caches of \
            some hundred objects on. Perfect LFU keeps the most popular: exact.",
    source: "Che, Tung, Wang (2002); Fricker, Robert, Roberts (2012)",
    parameters: &[
        parameter("objects", &["n"], "", Kind::Count(1, 100_000_000), Preset::Required, "objects"),
        parameter(
            "alpha",
            &["exponent", "zipf"],
            "",
            Kind::Number(Range { min: 0.0, with_min: true, max: 10.0, with_max: true }),
            Preset::Required,
            "exponent of Zipf's law",
        ),
        parameter(
            "capacity",
            &["c"],
            "",
            Kind::Count(1, 100_000_000),
            Preset::Required,
            "objects the cache holds",
        ),
    ],
    quantities: &[
        quantity("hit_ratio", "", "sum p (1 - exp(-p T)), LRU", "share of requests that hit"),
        quantity(
            "characteristic_time_requests",
            "",
            "T of sum (1 - exp(-p T)) = capacity",
            "requests an object stays without being asked for",
        ),
        quantity(
            "hit_ratio_fifo",
            "",
            "sum p (p T) / (1 + p T), own T",
            "the same with first in first out, or random eviction",
        ),
        quantity(
            "hit_ratio_perfect_lfu",
            "",
            "sum p of the most popular",
            "the same if the most popular are kept",
        ),
    ],
    example: "--objects 10000 --alpha 0.8 --capacity 100",
    solve: solve_che,
};

fn solve_che(given: &Given) -> Result<Rows, Trouble> {
    let (objects, capacity) = (given.count("objects"), given.count("capacity") as f64);
    let alpha = given.number("alpha");
    let spectrum = Spectrum::new(&Popularity::Zipf { objects, alpha });
    let spectrum = Arc::new(spectrum.expect("the ranges of the parameters make a law"));
    let load = Load { rate_per_s: 1.0, bytes: 1.0, spectrum };
    let hits = |eviction| {
        let time = che::characteristic_time_s(eviction, std::slice::from_ref(&load), capacity);
        (che::hit_ratio(eviction, &load, time), time)
    };
    let (lru, time) = hits(Eviction::Lru);
    let (fifo, _) = hits(Eviction::FifoOrRandom);
    let perfect = che::perfect_lfu_hit_ratios(std::slice::from_ref(&load), capacity);
    let mut rows = Rows::default();
    rows.put("hit_ratio", lru)
        .put("characteristic_time_requests", time)
        .put("hit_ratio_fifo", fifo)
        .put("hit_ratio_perfect_lfu", perfect[0]);
    Ok(rows)
}
