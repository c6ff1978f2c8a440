//! Servers behind a balancer.

use super::words::{
    LOAD, NUMBER, QUANTILES, RATE, SERVICE, UTILISATION, WAIT, parameter, quantity, stable,
};
use super::{Kind, Model, Preset, Range, Trouble};
use crate::kernel::math;
use crate::theory::{Given, Rows, balance, jsq, spill};

pub const MODELS: &[Model] = &[P2C, JSQ, ROUND_ROBIN, RING, LEAST_REQUEST, SPILL];

const P2C: Model = Model {
    name: "p2c",
    aliases: &["power-of-d", "pod", "power-of-two"],
    title: "power of d choices, infinitely many servers",
    about: "Each arrival joins the shortest of d queues picked at random; exponential service. With \
            100 servers and d = 2 real means are about 1 to 2 % above; more at loads near 1.",
    source: "Mitzenmacher (2001); Vvedenskaya, Dobrushin, Karpelevich (1996)",
    parameters: &[
        LOAD,
        SERVICE,
        parameter(
            "d",
            &["choices"],
            "",
            Kind::Count(1, 1000),
            Preset::Text("2"),
            "queues that are looked at",
        ),
        parameter(
            "tails",
            &[],
            "",
            Kind::Count(1, 100),
            Preset::Text("7"),
            "how many shares of servers to give",
        ),
    ],
    quantities: &[
        UTILISATION,
        quantity(
            "sojourn_s_mean",
            "s",
            "s * sum load^((d^k - d) / (d - 1)), k >= 1",
            "mean time in the system",
        ),
        WAIT,
        quantity("in_system_mean", "", "sum over k of the share below", "mean number at a server"),
        quantity(
            "servers_with_at_least",
            "",
            "load^((d^k - 1) / (d - 1))",
            "share of servers that hold k or more",
        ),
    ],
    example: "--load 0.9",
    solve: |given| {
        let q = stable(given, 1.0)?;
        let d = given.count("d");
        let sojourn = balance::choices_sojourn(q.load, d);
        let mut rows = Rows::default();
        rows.put("utilisation", q.load)
            .put("sojourn_s_mean", q.service * sojourn)
            .put("wait_s_mean", q.service * (sojourn - 1.0))
            .put("in_system_mean", q.load * sojourn);
        for k in 1..=given.count("tails") {
            let share = balance::choices_at_least(q.load, d, k);
            rows.put_of("servers_with_at_least", format!("k={k}"), share);
        }
        Ok(rows)
    },
};

const JSQ: Model = Model {
    name: "jsq",
    aliases: &["join-shortest-queue", "least-connections"],
    title: "join the shortest queue, 2 or 3 servers",
    about: "Each arrival joins the shortest queue; exponential service, first come first served. \
            Solved numerically as a quasi-birth-death chain, without cutting queues.",
    source: "Neuts (1981); Latouche and Ramaswami (1993)",
    parameters: &[
        parameter(
            "servers",
            &["c", "n"],
            "",
            Kind::Count(2, 3),
            Preset::Text("2"),
            "servers, each with its queue",
        ),
        LOAD,
        RATE,
        SERVICE,
    ],
    quantities: &[
        UTILISATION,
        quantity("sojourn_s_mean", "s", "number / rate (Little)", "mean time in the system"),
        WAIT,
        quantity(
            "in_system_mean",
            "",
            "of the stationary distribution",
            "mean number at all servers",
        ),
        quantity("wait_probability", "", "no server is idle", "share of requests that wait"),
        quantity(
            "cut_probability",
            "",
            "of the largest differences kept",
            "bound on what the solution neglects",
        ),
    ],
    example: "--servers 2 --load 0.9",
    solve: |given| {
        let servers = given.count("servers");
        let q = stable(given, servers as f64)?;
        let solution = jsq::join_shortest(q.load, servers as usize);
        let sojourn = q.service * solution.sojourn_mean;
        let mut rows = Rows::default();
        rows.put("utilisation", q.load)
            .put("sojourn_s_mean", sojourn)
            .put("wait_s_mean", sojourn - q.service)
            .put("in_system_mean", q.rate * sojourn)
            .put("wait_probability", solution.waits)
            .put("cut_probability", solution.cut);
        Ok(rows)
    },
};

const ROUND_ROBIN: Model = Model {
    name: "round-robin",
    aliases: &["rr", "gi-m-1"],
    title: "round robin (Erlang-N/M/1)",
    about: "Poisson arrivals dealt in turn to servers with exponential service. Each server sees \
            Erlang-N arrivals; r is the root of r = (N load / (N load + 1 - r))^N.",
    source: "Kleinrock, Queueing Systems 1 (1975), section 6.4",
    parameters: &[
        parameter(
            "servers",
            &["c", "n"],
            "",
            Kind::Count(1, 1_000_000),
            Preset::Required,
            "servers, each with its queue",
        ),
        LOAD,
        RATE,
        SERVICE,
    ],
    quantities: &[
        UTILISATION,
        quantity("wait_probability", "", "r", "share of requests that wait"),
        quantity("sojourn_s_mean", "s", "s / (1 - r)", "mean time in the system"),
        WAIT,
        NUMBER,
        quantity("sojourn_s_p50", "s", "s ln(1 / (1 - q)) / (1 - r)", "quantile of time in system"),
        quantity("sojourn_s_p90", "s", "same, q = 0.9", "quantile of time in system"),
        quantity("sojourn_s_p99", "s", "same, q = 0.99", "quantile of time in system"),
        quantity("sojourn_s_p999", "s", "same, q = 0.999", "quantile of time in system"),
    ],
    example: "--servers 100 --load 0.9",
    solve: |given| {
        let servers = given.count("servers");
        let q = stable(given, servers as f64)?;
        let busy = balance::round_robin_busy(q.load, servers);
        let sojourn = q.service / (1.0 - busy);
        let mut rows = Rows::default();
        rows.put("utilisation", q.load)
            .put("wait_probability", busy)
            .put("sojourn_s_mean", sojourn)
            .put("wait_s_mean", sojourn - q.service)
            .put("in_system_mean", q.rate * sojourn);
        let names = ["sojourn_s_p50", "sojourn_s_p90", "sojourn_s_p99", "sojourn_s_p999"];
        for (name, (_, at)) in names.into_iter().zip(QUANTILES) {
            rows.put(name, -sojourn * math::ln(1.0 - at));
        }
        Ok(rows)
    },
};

const RING: Model = Model {
    name: "ring",
    aliases: &["ring-hash", "consistent-hashing"],
    title: "hash ring",
    about: "Each backend has points on a circle and owns what lies before them. The share of a \
            backend is a Beta variable.",
    source: "Karger and others (1997); spacings of uniform points",
    parameters: &[
        parameter(
            "backends",
            &["n", "servers"],
            "",
            Kind::Count(1, 1_000_000),
            Preset::Required,
            "backends",
        ),
        parameter(
            "points",
            &["v", "vnodes"],
            "",
            Kind::Count(1, 1_000_000),
            Preset::Text("160"),
            "points of each backend",
        ),
    ],
    quantities: &[
        quantity("share_mean", "", "1 / N", "mean share of a backend"),
        quantity(
            "share_cv",
            "",
            "sqrt((N - 1) / (N V + 1))",
            "standard deviation of a share over its mean",
        ),
        quantity(
            "share_max_over_mean",
            "",
            "N E[max of N Beta(V, (N-1) V)]; H(N) for V = 1",
            "expected largest share over the mean",
        ),
        quantity(
            "moved_on_removal_ratio",
            "",
            "1 / N",
            "expected share of keys that move when one backend goes",
        ),
    ],
    example: "--backends 100 --points 160",
    solve: |given| {
        let (backends, points) = (given.count("backends"), given.count("points"));
        let mut rows = Rows::default();
        rows.put("share_mean", 1.0 / backends as f64)
            .put("share_cv", math::sqrt(balance::ring_share_cv2(backends, points)))
            .put("share_max_over_mean", balance::ring_largest(backends, points))
            .put("moved_on_removal_ratio", 1.0 / backends as f64);
        Ok(rows)
    },
};

const LEAST_REQUEST: Model = Model {
    name: "least-request",
    aliases: &[],
    title: "weight of a host under weighted least request",
    about: "What a host weighs in the choice when weights differ.",
    source: "Envoy documentation, weighted least request",
    parameters: &[
        parameter(
            "weight",
            &[],
            "",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Required,
            "configured weight",
        ),
        parameter(
            "active",
            &["outstanding"],
            "",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Required,
            "requests in flight",
        ),
        parameter(
            "bias",
            &[],
            "",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Text("1"),
            "active request bias",
        ),
    ],
    quantities: &[quantity(
        "effective_weight",
        "",
        "weight / (active + 1)^bias",
        "weight in the choice",
    )],
    example: "--weight 2 --active 4",
    solve: |given| {
        let held = math::powf(given.number("active") + 1.0, given.number("bias"));
        let mut rows = Rows::default();
        rows.put("effective_weight", given.number("weight") / held);
        Ok(rows)
    },
};

const SPILL: Model = Model {
    name: "priority-spill",
    aliases: &["spill"],
    title: "spill between priority levels",
    about: "How load goes to the next level when hosts of a level are unhealthy. Health of a level: \
            healthy percent times factor, at most 100.",
    source: "Envoy documentation, priority levels",
    parameters: &[
        parameter(
            "healthy_percent",
            &["healthy"],
            "%",
            Kind::Numbers(Range { min: 0.0, with_min: true, max: 100.0, with_max: true }, 16),
            Preset::Required,
            "healthy hosts of each level, level 0 first",
        ),
        parameter(
            "factor_percent",
            &["factor", "overprovisioning"],
            "%",
            Kind::Number(Range { min: 100.0, with_min: true, max: 10_000.0, with_max: true }),
            Preset::Text("140"),
            "overprovisioning factor",
        ),
    ],
    quantities: &[quantity(
        "load_percent",
        "%",
        "min(left, round(health * 100 / min(100, sum of health)))",
        "load of a level",
    )],
    example: "--healthy-percent 25,25,20",
    solve: |given| solve_spill(given),
};

fn solve_spill(given: &Given) -> Result<Rows, Trouble> {
    let loads =
        spill::priority_loads(given.numbers("healthy_percent"), given.number("factor_percent"));
    let mut rows = Rows::default();
    for (level, load) in loads.into_iter().enumerate() {
        rows.put_of("load_percent", format!("priority={level}"), f64::from(load));
    }
    Ok(rows)
}
