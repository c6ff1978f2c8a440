//! One queue: M/M/1, M/M/c, M/M/c/K, Erlang B, M/D/1, M/G/1, processor sharing, closed loop.

use super::words::{
    CV2, LAW, LOAD, NUMBER, Open, QUANTILES, QUEUED, RATE, SERVERS, SERVICE, UTILISATION, open,
    parameter, quantity, stable, variation,
};
use super::{Kind, Model, Preset, Quantity, Range, Trouble};
use crate::theory::{Given, Rows, closed, general, markov};

const KLEINROCK: &str = "Kleinrock, Queueing Systems 1 (1975), chapter 3";

pub const MODELS: &[Model] = &[MM1, MMC, MMCK, ERLANG_B, MD1, MG1, MG1PS, MVA];

const MM1: Model = Model {
    name: "mm1",
    aliases: &["m/m/1"],
    title: "M/M/1",
    about: "One server, Poisson arrivals, exponential service, first come first served.",
    source: KLEINROCK,
    parameters: &[LOAD, RATE, SERVICE],
    quantities: &[
        UTILISATION,
        quantity("sojourn_s_mean", "s", "s / (1 - load)", "mean time in the system"),
        quantity("wait_s_mean", "s", "load * s / (1 - load)", "mean time before service begins"),
        quantity("in_system_mean", "", "load / (1 - load)", "mean number in the system"),
        QUEUED,
        quantity("wait_probability", "", "load", "share of requests that wait"),
        quantity(
            "sojourn_s_p50",
            "s",
            "s ln(1 / (1 - q)) / (1 - load)",
            "quantile of time in system",
        ),
        quantity("sojourn_s_p90", "s", "same, q = 0.9", "quantile of time in system"),
        quantity("sojourn_s_p99", "s", "same, q = 0.99", "quantile of time in system"),
        quantity("sojourn_s_p999", "s", "same, q = 0.999", "quantile of time in system"),
        quantity(
            "wait_s_p50",
            "s",
            "s ln(load / (1 - q)) / (1 - load), at least 0",
            "quantile of wait",
        ),
        quantity("wait_s_p90", "s", "same, q = 0.9", "quantile of wait"),
        quantity("wait_s_p99", "s", "same, q = 0.99", "quantile of wait"),
        quantity("wait_s_p999", "s", "same, q = 0.999", "quantile of wait"),
    ],
    example: "--load 0.9",
    solve: |given| many_servers(stable(given, 1.0)?, 1),
};

const MMC: Model = Model {
    name: "mmc",
    aliases: &["m/m/c", "erlang-c"],
    title: "M/M/c (Erlang C)",
    about: "Several servers with one queue, Poisson arrivals, exponential service, first come first \
            served.",
    source: KLEINROCK,
    parameters: &[SERVERS, LOAD, RATE, SERVICE],
    quantities: &[
        UTILISATION,
        quantity("sojourn_s_mean", "s", "s + wait", "mean time in the system"),
        quantity("wait_s_mean", "s", "C * s / (c (1 - load))", "mean time before service begins"),
        NUMBER,
        QUEUED,
        quantity(
            "wait_probability",
            "",
            "C = B / (1 - load (1 - B)), B: Erlang B",
            "share of requests that wait",
        ),
        quantity(
            "sojourn_s_p50",
            "s",
            "of service plus wait, q = 0.5",
            "quantile of time in system",
        ),
        quantity("sojourn_s_p90", "s", "same, q = 0.9", "quantile of time in system"),
        quantity("sojourn_s_p99", "s", "same, q = 0.99", "quantile of time in system"),
        quantity("sojourn_s_p999", "s", "same, q = 0.999", "quantile of time in system"),
        quantity(
            "wait_s_p50",
            "s",
            "s ln(C / (1 - q)) / (c (1 - load)), at least 0",
            "quantile of wait",
        ),
        quantity("wait_s_p90", "s", "same, q = 0.9", "quantile of wait"),
        quantity("wait_s_p99", "s", "same, q = 0.99", "quantile of wait"),
        quantity("wait_s_p999", "s", "same, q = 0.999", "quantile of wait"),
    ],
    example: "--servers 16 --load 0.9",
    solve: |given| {
        let servers = given.count("servers");
        many_servers(stable(given, servers as f64)?, servers)
    },
};

fn many_servers(q: Open, servers: u64) -> Result<Rows, Trouble> {
    let wait = q.service * markov::wait_mean(q.load, servers);
    let mut rows = Rows::default();
    rows.put("utilisation", q.load)
        .put("sojourn_s_mean", q.service + wait)
        .put("wait_s_mean", wait)
        .put("in_system_mean", q.rate * (q.service + wait))
        .put("in_queue_mean", q.rate * wait)
        .put("wait_probability", markov::erlang_c(q.load, servers));
    let sojourn = ["sojourn_s_p50", "sojourn_s_p90", "sojourn_s_p99", "sojourn_s_p999"];
    for (name, (_, at)) in sojourn.into_iter().zip(QUANTILES) {
        rows.put(name, q.service * markov::sojourn_quantile(q.load, servers, at));
    }
    let waits = ["wait_s_p50", "wait_s_p90", "wait_s_p99", "wait_s_p999"];
    for (name, (_, at)) in waits.into_iter().zip(QUANTILES) {
        rows.put(name, q.service * markov::wait_quantile(q.load, servers, at));
    }
    Ok(rows)
}

const MMCK: Model = Model {
    name: "mmck",
    aliases: &["m/m/c/k", "mm1k"],
    title: "M/M/c/K (finite queue)",
    about: "Several servers and a limit on how many are in the system; who finds it full is lost. A \
            load above 1 is allowed.",
    source: KLEINROCK,
    parameters: &[
        SERVERS,
        parameter(
            "places",
            &["k", "capacity"],
            "",
            Kind::Count(1, 10_000_000),
            Preset::Required,
            "most requests in the system, those in service included",
        ),
        LOAD,
        RATE,
        SERVICE,
    ],
    quantities: &[
        quantity(
            "blocking_ratio",
            "",
            "p(K); p(n) = p(n-1) rate s / min(n, c)",
            "share of requests that are lost",
        ),
        quantity("utilisation", "", "load (1 - blocking)", "share of time a server works"),
        quantity("throughput_per_s", "1/s", "rate (1 - blocking)", "requests served per second"),
        quantity("in_system_mean", "", "sum n p(n)", "mean number in the system"),
        quantity(
            "sojourn_s_mean",
            "s",
            "number / throughput (Little)",
            "mean time in the system of who is let in",
        ),
        quantity(
            "wait_s_mean",
            "s",
            "sojourn - s",
            "mean time before service begins, of who is let in",
        ),
        quantity(
            "wait_probability",
            "",
            "sum p(n), c <= n < K, over 1 - p(K)",
            "share of who is let in that wait",
        ),
    ],
    example: "--servers 4 --places 10 --load 1.2",
    solve: finite,
};

fn finite(given: &Given) -> Result<Rows, Trouble> {
    let (servers, places) = (given.count("servers"), given.count("places"));
    if places < servers {
        let what = format!("is {places}, fewer than the {servers} servers");
        return Err(Trouble::new("places", what, "requests in service need a place, too"));
    }
    let q = open(given, servers as f64)?;
    let state = markov::finite_queue(q.load * servers as f64, servers, places);
    let throughput = q.rate * (1.0 - state.blocking);
    let mut rows = Rows::default();
    rows.put("blocking_ratio", state.blocking)
        .put("utilisation", state.busy / servers as f64)
        .put("throughput_per_s", throughput)
        .put("in_system_mean", state.number)
        .put("sojourn_s_mean", state.number / throughput)
        .put("wait_s_mean", (state.number - state.busy) / throughput)
        .put("wait_probability", state.waits);
    Ok(rows)
}

const ERLANG_B: Model = Model {
    name: "erlang-b",
    aliases: &["mmcc", "m/m/c/c", "erlangb"],
    title: "Erlang B (M/G/c/c)",
    about: "Several servers and no queue: who finds all busy is lost. The law of service does not \
            matter.",
    source: "A. K. Erlang (1917); Kleinrock, Queueing Systems 1 (1975), section 3.6",
    parameters: &[
        SERVERS,
        parameter(
            "offered_erlangs",
            &["offered", "erlangs", "a"],
            "",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::None,
            "work offered per second to all servers together; or give load or rate_per_s",
        ),
        LOAD,
        RATE,
        SERVICE,
    ],
    quantities: &[
        quantity(
            "blocking_ratio",
            "",
            "B(n) = a B(n-1) / (n + a B(n-1)), B(0) = 1",
            "share of requests that are lost",
        ),
        quantity("in_system_mean", "", "a (1 - B)", "mean number of busy servers"),
        quantity("utilisation", "", "a (1 - B) / servers", "share of time a server works"),
        quantity("throughput_per_s", "1/s", "a (1 - B) / s", "requests served per second"),
    ],
    example: "--servers 15 --offered-erlangs 10",
    solve: |given| {
        let servers = given.count("servers");
        let service = given.number("service_s");
        let offered = match given.maybe("offered_erlangs") {
            Some(offered) => offered,
            None => {
                let q = open(given, servers as f64).map_err(|mut trouble| {
                    trouble.help = "give offered_erlangs, load or rate_per_s".to_owned();
                    trouble
                })?;
                q.load * servers as f64
            }
        };
        let blocking = markov::erlang_b(offered, servers);
        let busy = offered * (1.0 - blocking);
        let mut rows = Rows::default();
        rows.put("blocking_ratio", blocking)
            .put("in_system_mean", busy)
            .put("utilisation", busy / servers as f64)
            .put("throughput_per_s", busy / service);
        Ok(rows)
    },
};

const MD1: Model = Model {
    name: "md1",
    aliases: &["m/d/1"],
    title: "M/D/1",
    about: "One server, Poisson arrivals, service always of the same length, first come first \
            served.",
    source: "Pollaczek (1930), Khinchine (1932)",
    parameters: &[LOAD, RATE, SERVICE],
    quantities: SINGLE,
    example: "--load 0.9",
    solve: |given| single_server(stable(given, 1.0)?, 0.0),
};

const SINGLE: &[Quantity] = &[
    UTILISATION,
    quantity("sojourn_s_mean", "s", "s + wait", "mean time in the system"),
    quantity(
        "wait_s_mean",
        "s",
        "load (1 + cv2) s / (2 (1 - load))",
        "mean time before service begins",
    ),
    NUMBER,
    QUEUED,
    quantity("wait_probability", "", "load", "share of requests that wait"),
    quantity("busy_period_s_mean", "s", "s / (1 - load)", "mean time from idle to idle"),
];

const MG1: Model = Model {
    name: "mg1",
    aliases: &["m/g/1", "pollaczek-khinchine"],
    title: "M/G/1 (Pollaczek-Khinchine)",
    about: "One server, Poisson arrivals, any law of service, first come first served. Only the \
            mean and the variance of service matter for the means.",
    source: "Pollaczek (1930), Khinchine (1932)",
    parameters: &[LOAD, RATE, SERVICE, CV2, LAW],
    quantities: SINGLE,
    example: "--load 0.8 --law hyper-exponential:4",
    solve: |given| {
        let q = stable(given, 1.0)?;
        single_server(q, variation(given)?)
    },
};

fn single_server(q: Open, cv2: f64) -> Result<Rows, Trouble> {
    let wait = q.service * general::wait_mean(q.load, cv2);
    let mut rows = Rows::default();
    rows.put("utilisation", q.load)
        .put("sojourn_s_mean", q.service + wait)
        .put("wait_s_mean", wait)
        .put("in_system_mean", q.rate * (q.service + wait))
        .put("in_queue_mean", q.rate * wait)
        .put("wait_probability", q.load)
        .put("busy_period_s_mean", q.service / (1.0 - q.load));
    Ok(rows)
}

const MG1PS: Model = Model {
    name: "mg1ps",
    aliases: &["m/g/1-ps", "ps", "processor-sharing"],
    title: "M/G/1 processor sharing",
    about: "One server that serves all at once at equal parts of its speed. The law of service does \
            not matter: only its mean.",
    source: "Kleinrock, Queueing Systems 2 (1976), section 4.4",
    parameters: &[
        LOAD,
        RATE,
        SERVICE,
        parameter(
            "size_s",
            &["size", "x"],
            "s",
            Kind::Number(Range::POSITIVE),
            Preset::None,
            "service time of one request of interest",
        ),
    ],
    quantities: &[
        UTILISATION,
        quantity("sojourn_s_mean", "s", "s / (1 - load)", "mean time in the system"),
        quantity(
            "slowdown_mean",
            "",
            "1 / (1 - load)",
            "mean time in the system over size, for any size",
        ),
        quantity("in_system_mean", "", "load / (1 - load)", "mean number in the system"),
        quantity(
            "in_system_p50",
            "",
            "P(N <= n) = 1 - load^(n + 1)",
            "quantile of number in system",
        ),
        quantity("in_system_p90", "", "same, q = 0.9", "quantile of number in system"),
        quantity("in_system_p99", "", "same, q = 0.99", "quantile of number in system"),
        quantity("in_system_p999", "", "same, q = 0.999", "quantile of number in system"),
        quantity(
            "sojourn_s_of_size",
            "s",
            "size / (1 - load)",
            "mean time in the system of a request of that size",
        ),
    ],
    example: "--load 0.8 --size-s 3",
    solve: |given| {
        let q = stable(given, 1.0)?;
        let mut rows = Rows::default();
        rows.put("utilisation", q.load)
            .put("sojourn_s_mean", general::shared_sojourn(q.load, q.service))
            .put("slowdown_mean", general::shared_sojourn(q.load, 1.0))
            .put("in_system_mean", q.load / (1.0 - q.load));
        let names = ["in_system_p50", "in_system_p90", "in_system_p99", "in_system_p999"];
        for (name, (_, at)) in names.into_iter().zip(QUANTILES) {
            rows.put(name, general::shared_number_quantile(q.load, at));
        }
        if let Some(size) = given.maybe("size_s") {
            rows.put("sojourn_s_of_size", general::shared_sojourn(q.load, size));
        }
        Ok(rows)
    },
};

const MVA: Model = Model {
    name: "mva",
    aliases: &["closed", "closed-loop"],
    title: "closed loop (exact mean-value analysis)",
    about: "A fixed number of clients think, ask and wait. Each station is one server with \
            exponential service, or processor sharing with any.",
    source: "Reiser and Lavenberg (1980)",
    parameters: &[
        parameter(
            "clients",
            &["n"],
            "",
            Kind::Count(1, 1_000_000),
            Preset::Required,
            "clients in the loop",
        ),
        parameter(
            "think_s",
            &["think", "z"],
            "s",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Text("0"),
            "mean time between an answer and the next request",
        ),
        parameter(
            "service_s",
            &["service", "demands_s", "demands"],
            "s",
            Kind::Numbers(Range::POSITIVE, 100),
            Preset::Text("1"),
            "mean work of one request at each station",
        ),
    ],
    quantities: &[
        quantity(
            "throughput_per_s",
            "1/s",
            "clients / (think + response)",
            "requests finished per second",
        ),
        quantity(
            "sojourn_s_mean",
            "s",
            "sum s (1 + number with one client less)",
            "mean response time",
        ),
        quantity("utilisation", "", "throughput * s", "share of time a station works"),
        quantity(
            "in_system_mean",
            "",
            "throughput * time at the station",
            "mean number at a station",
        ),
        quantity(
            "clients_knee",
            "",
            "(think + sum s) / max s",
            "clients from which the slowest station limits",
        ),
    ],
    example: "--clients 11 --think-s 10",
    solve: |given| {
        let (think, demands) = (given.number("think_s"), given.numbers("service_s"));
        let answer = closed::mean_values(given.count("clients"), think, demands);
        let mut rows = Rows::default();
        rows.put("throughput_per_s", answer.throughput).put("sojourn_s_mean", answer.response);
        let label =
            |i: usize| if demands.len() > 1 { format!("station={}", i + 1) } else { String::new() };
        for (i, demand) in demands.iter().enumerate() {
            rows.put_of("utilisation", label(i), answer.throughput * demand);
        }
        for (i, number) in answer.numbers.iter().enumerate() {
            rows.put_of("in_system_mean", label(i), *number);
        }
        let largest = demands.iter().copied().fold(0.0, f64::max);
        rows.put("clients_knee", (think + demands.iter().sum::<f64>()) / largest);
        Ok(rows)
    },
};
