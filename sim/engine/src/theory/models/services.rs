//! Admission, retries, caches, TCP, money, control.

use super::words::{parameter, quantity};
use super::{Kind, Model, Preset, Range, Trouble};
use crate::theory::tcp::{self, Connection};
use crate::theory::{Given, Rows, admission, cache, control, money};

pub const MODELS: &[Model] = &[RETRY, BUCKET, TIERED, TCP, BILLING, DELAYED, DNS];

const RETRY: Model = Model {
    name: "retry",
    aliases: &["retries", "retry-amplification"],
    title: "retry amplification",
    about: "Each try fails on its own with probability p; up to r retries follow. Given a load in \
            place of p: what exceeds the capacity fails at no cost, and p is where tries that \
            succeed fill it.",
    source: "geometric sum; fixed point of load (1 - p^(r + 1)) = 1",
    parameters: &[
        parameter(
            "failure",
            &["p", "failure_ratio"],
            "",
            Kind::Number(Range::RATIO),
            Preset::None,
            "probability that a try fails",
        ),
        parameter(
            "load",
            &[],
            "",
            Kind::Number(Range::POSITIVE),
            Preset::None,
            "first tries over capacity, in place of failure",
        ),
        parameter(
            "retries",
            &["r"],
            "",
            Kind::Count(0, 10_000),
            Preset::Text("1"),
            "retries after a failed first try",
        ),
        parameter(
            "budget_ratio",
            &["budget"],
            "",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::None,
            "most retries over first tries",
        ),
    ],
    quantities: &[
        quantity(
            "failure_ratio",
            "",
            "p; ((load - 1) / load)^(1 / (r + 1)) from a load above 1",
            "share of tries that fail",
        ),
        quantity("tries_per_request", "", "(1 - p^(r+1)) / (1 - p)", "tries one request costs"),
        quantity("success_ratio", "", "1 - p^(r+1)", "share of requests that succeed at last"),
        quantity(
            "tries_per_request_budgeted",
            "",
            "min(tries, 1 + budget)",
            "tries one request costs at most with a budget",
        ),
    ],
    example: "--failure 0.9 --retries 3",
    solve: solve_retry,
};

fn solve_retry(given: &Given) -> Result<Rows, Trouble> {
    let retries = given.count("retries");
    let failure = match (given.maybe("failure"), given.maybe("load")) {
        (Some(failure), None) => failure,
        (None, Some(load)) => admission::overload_failure(load, retries),
        (None, None) => {
            let help = "give failure, or load";
            return Err(Trouble::new("failure", "is missing".to_owned(), help));
        }
        (Some(_), Some(_)) => {
            let what = "and load are both given".to_owned();
            return Err(Trouble::new("failure", what, "give one of them"));
        }
    };
    let tries = admission::tries(failure, retries);
    let mut rows = Rows::default();
    rows.put("failure_ratio", failure)
        .put("tries_per_request", tries)
        .put("success_ratio", 1.0 - admission::lost_after(failure, retries));
    if let Some(budget) = given.maybe("budget_ratio") {
        rows.put("tries_per_request_budgeted", tries.min(1.0 + budget));
    }
    Ok(rows)
}

const BUCKET: Model = Model {
    name: "token-bucket",
    aliases: &["bucket"],
    title: "token bucket",
    about: "A bucket that starts full; tokens and burst in the same unit as the offered rate times \
            seconds.",
    source: "RFC 2697, in its simplest form",
    parameters: &[
        parameter(
            "rate",
            &["rate_per_s", "r"],
            "1/s",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Required,
            "tokens per second",
        ),
        parameter(
            "burst",
            &["b"],
            "",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Required,
            "tokens the bucket holds",
        ),
        parameter(
            "offered",
            &["offered_per_s", "o"],
            "1/s",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Required,
            "offered per second, evenly",
        ),
        parameter(
            "duration_s",
            &["duration", "t"],
            "s",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Required,
            "how long it is offered",
        ),
    ],
    quantities: &[
        quantity("passed", "", "min(offered t, burst + rate t)", "what passes"),
        quantity("dropped", "", "offered t - passed", "what does not"),
        quantity("passed_ratio", "", "passed / (offered t)", "share that passes"),
        quantity("empty_after_s", "s", "burst / (offered - rate)", "when drops begin"),
    ],
    example: "--rate 100 --burst 500 --offered 300 --duration-s 10",
    solve: |given| {
        let (rate, burst) = (given.number("rate"), given.number("burst"));
        let (offered, duration) = (given.number("offered"), given.number("duration_s"));
        let passed = admission::bucket_passed(rate, burst, offered, duration);
        let all = offered * duration;
        let mut rows = Rows::default();
        rows.put("passed", passed)
            .put("dropped", all - passed)
            .put("passed_ratio", if all > 0.0 { passed / all } else { 1.0 });
        let empty = if offered > rate { burst / (offered - rate) } else { f64::INFINITY };
        rows.put("empty_after_s", empty);
        Ok(rows)
    },
};

const TIERED: Model = Model {
    name: "tiered-cache",
    aliases: &["tiered", "ttl-cache"],
    title: "caches with a time to live, flat and tiered",
    about: "Poisson requests for one object at each site. Flat: each site fetches from the origin. \
            Tiered: sites fetch from one upper cache, whose requests are taken as Poisson.",
    source: "Jung, Berger, Balakrishnan (2003)",
    parameters: &[
        parameter(
            "sites",
            &["pops"],
            "",
            Kind::Count(1, 10_000_000),
            Preset::Required,
            "lower caches",
        ),
        parameter(
            "rate_per_s",
            &["rate", "lambda"],
            "1/s",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Required,
            "requests for the object at each site",
        ),
        parameter(
            "ttl_s",
            &["ttl"],
            "s",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Required,
            "time an object is kept after it was fetched",
        ),
    ],
    quantities: &[
        quantity(
            "hit_ratio_lower",
            "",
            "rate ttl / (1 + rate ttl)",
            "share of requests a site answers itself",
        ),
        quantity(
            "origin_fetches_per_s_flat",
            "1/s",
            "sites rate / (1 + rate ttl)",
            "fetches from the origin without an upper cache",
        ),
        quantity(
            "origin_fetches_per_s_tiered",
            "1/s",
            "flat / (1 + flat ttl)",
            "fetches from the origin with one upper cache",
        ),
        quantity("origin_relief", "", "flat / tiered", "how many times fewer"),
        quantity(
            "hit_ratio_upper",
            "",
            "flat ttl / (1 + flat ttl)",
            "share of fetches the upper cache answers",
        ),
    ],
    example: "--sites 100 --rate-per-s 0.1 --ttl-s 60",
    solve: |given| {
        let (sites, rate) = (given.count("sites"), given.number("rate_per_s"));
        let ttl = given.number("ttl_s");
        let flat = sites as f64 * cache::ttl_fetches(rate, ttl);
        let tiered = cache::tiered_fetches(sites, rate, ttl);
        let mut rows = Rows::default();
        rows.put("hit_ratio_lower", cache::ttl_hits(rate, ttl))
            .put("origin_fetches_per_s_flat", flat)
            .put("origin_fetches_per_s_tiered", tiered)
            .put("origin_relief", if tiered > 0.0 { flat / tiered } else { 1.0 })
            .put("hit_ratio_upper", cache::ttl_hits(flat, ttl));
        Ok(rows)
    },
};

const TCP: Model = Model {
    name: "tcp",
    aliases: &["mathis", "pftk", "padhye"],
    title: "TCP throughput (Mathis, Padhye)",
    about: "Long-term throughput of one Reno connection from loss and round-trip time. The full \
            model knows timeouts and the largest window; the square-root law only holds while \
            losses are rare.",
    source: "Mathis and others (1997); Padhye and others (1998)",
    parameters: &[
        parameter(
            "rtt_s",
            &["rtt"],
            "s",
            Kind::Number(Range::POSITIVE),
            Preset::Required,
            "round-trip time",
        ),
        parameter(
            "loss",
            &["p", "loss_ratio"],
            "",
            Kind::Number(Range::INSIDE),
            Preset::Required,
            "loss events per segment",
        ),
        parameter(
            "mss_bytes",
            &["mss"],
            "bytes",
            Kind::Number(Range::POSITIVE),
            Preset::Text("1460"),
            "size of a segment",
        ),
        parameter(
            "timeout_s",
            &["rto", "t0"],
            "s",
            Kind::Number(Range::POSITIVE),
            Preset::Text("1"),
            "first retransmission timeout",
        ),
        parameter(
            "window_segments",
            &["wmax", "window"],
            "",
            Kind::Number(Range::POSITIVE),
            Preset::Text("65535"),
            "largest window",
        ),
        parameter(
            "acked",
            &["b"],
            "",
            Kind::Number(Range::POSITIVE),
            Preset::Text("2"),
            "segments one acknowledgement confirms",
        ),
    ],
    quantities: &[
        quantity(
            "throughput_bps_mathis",
            "bit/s",
            "8 mss sqrt(3 / (2 b p)) / rtt, at most a window a round trip",
            "square-root law",
        ),
        quantity(
            "throughput_bps_padhye",
            "bit/s",
            "full model",
            "with timeouts and largest window",
        ),
        quantity(
            "throughput_bps_padhye_approx",
            "bit/s",
            "8 mss min(w/rtt, 1/(rtt sqrt(2bp/3) + t0 min(1, 3 sqrt(3bp/8)) p (1 + 32 p^2)))",
            "approximation of the full model",
        ),
    ],
    example: "--rtt-s 0.1 --loss 0.01",
    solve: |given| {
        let c = Connection {
            rtt: given.number("rtt_s"),
            loss: given.number("loss"),
            timeout: given.number("timeout_s"),
            window: given.number("window_segments"),
            acked: given.number("acked"),
        };
        let bits = 8.0 * given.number("mss_bytes");
        let mut rows = Rows::default();
        rows.put("throughput_bps_mathis", bits * tcp::mathis(&c))
            .put("throughput_bps_padhye", bits * tcp::padhye(&c))
            .put("throughput_bps_padhye_approx", bits * tcp::padhye_approximation(&c));
        Ok(rows)
    },
};

const BILLING: Model = Model {
    name: "billing",
    aliases: &["p95", "percentile-billing"],
    title: "billing at a percentile",
    about: "Samples in ascending order; the one of nearest rank is billed. What lies above it is \
            free.",
    source: "nearest-rank percentile, as in transit contracts",
    parameters: &[
        parameter(
            "samples",
            &["n"],
            "",
            Kind::Count(1, 1_000_000_000),
            Preset::Text("8640"),
            "samples of a month: 5 minutes, 30 days",
        ),
        parameter(
            "percentile",
            &["p"],
            "",
            Kind::Number(Range { min: 0.0, with_min: false, max: 1.0, with_max: true }),
            Preset::Text("0.95"),
            "percentile",
        ),
        parameter(
            "series",
            &["values"],
            "",
            Kind::Numbers(Range::NOT_NEGATIVE, 100_000),
            Preset::None,
            "samples themselves, in place of their number",
        ),
    ],
    quantities: &[
        quantity(
            "billed_rank",
            "",
            "ceil(percentile * samples)",
            "sample that is billed, from 1, ascending",
        ),
        quantity("free_samples", "", "samples - rank", "samples that may be any height"),
        quantity("billed", "", "sample of that rank", "what is billed, in the unit of the samples"),
    ],
    example: "--samples 8640",
    solve: |given| {
        let series = given.numbers("series");
        let samples = if series.is_empty() { given.count("samples") } else { series.len() as u64 };
        let percentile = given.number("percentile");
        let rank = money::billed_rank(samples, percentile);
        let mut rows = Rows::default();
        rows.put("billed_rank", rank as f64).put("free_samples", (samples - rank) as f64);
        if !series.is_empty() {
            rows.put("billed", money::billed(series, percentile));
        }
        Ok(rows)
    },
};

const DELAYED: Model = Model {
    name: "delayed-control",
    aliases: &["delayed-integral", "gain"],
    title: "integral control with a lag",
    about: "x(t + 1) = x(t) - g x(t - k): a controller that corrects a share g of what it saw k \
            periods ago.",
    source: "Levin and May (1976)",
    parameters: &[
        parameter(
            "lag",
            &["k"],
            "",
            Kind::Count(0, 1_000_000),
            Preset::Required,
            "periods between an action and its sight",
        ),
        parameter(
            "gain",
            &["g"],
            "",
            Kind::Number(Range::POSITIVE),
            Preset::None,
            "share corrected each period",
        ),
    ],
    quantities: &[
        quantity("gain_max", "", "2 sin(pi / (2 (2 k + 1)))", "gain above which it never settles"),
        quantity(
            "gain_no_overshoot",
            "",
            "k^k / (k + 1)^(k + 1)",
            "gain up to which it settles without overshoot",
        ),
        quantity("settles", "", "gain < gain_max", "1: it settles; 0: it does not"),
    ],
    example: "--lag 3 --gain 0.2",
    solve: |given| {
        let lag = given.count("lag");
        let limit = control::gain_limit(lag);
        let mut rows = Rows::default();
        rows.put("gain_max", limit).put("gain_no_overshoot", control::gain_without_overshoot(lag));
        if let Some(gain) = given.maybe("gain") {
            rows.put("settles", if gain < limit { 1.0 } else { 0.0 });
        }
        Ok(rows)
    },
};

const DNS: Model = Model {
    name: "dns-residual",
    aliases: &["dns"],
    title: "who still follows an old DNS answer",
    about: "Ages of cached answers are uniform when the answer changes; a sticky share never lets \
            go.",
    source: "uniform residual life of a periodic refresh",
    parameters: &[
        parameter(
            "elapsed_s",
            &["elapsed", "t"],
            "s",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Required,
            "time since the change",
        ),
        parameter(
            "ttl_s",
            &["ttl"],
            "s",
            Kind::Number(Range::NOT_NEGATIVE),
            Preset::Required,
            "time to live of the answer",
        ),
        parameter(
            "sticky",
            &["sticky_ratio"],
            "",
            Kind::Number(Range::RATIO),
            Preset::Text("0"),
            "share that ignores the time to live",
        ),
    ],
    quantities: &[quantity(
        "old_answer_ratio",
        "",
        "sticky + (1 - sticky) max(0, 1 - t / ttl)",
        "share that still follows the old answer",
    )],
    example: "--elapsed-s 15 --ttl-s 20",
    solve: |given| {
        let (elapsed, ttl) = (given.number("elapsed_s"), given.number("ttl_s"));
        let mut rows = Rows::default();
        rows.put("old_answer_ratio", control::dns_residual(elapsed, ttl, given.number("sticky")));
        Ok(rows)
    },
};
