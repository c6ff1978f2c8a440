//! Keys of queues and those who use them: laws, service, closed loops, clients, what balancers see.
//! Scenarios and load labs share them.

use super::{ANY_SPAN, FRACTION, Key, Kind, Mapping, NS_D, default, optional, required};

/// What laws are called, for documentation.
pub(crate) const LAW_NAMES: &str = "`deterministic`, `exponential`, `uniform`, `erlang:STAGES`, \
    `hyper-exponential:CV2` (balanced means), `log-normal:CV2` or `pareto:TAIL`";

/// What the law of sizes of flows is.
pub(super) const SIZE_DOC: &str = "Law of sizes, exponential if absent: `deterministic`, `exponential`, `uniform`, \
    `erlang:STAGES`, `hyper-exponential:CV2` (balanced means), `log-normal:CV2` or `pareto:TAIL`.";

/// A law of sizes or durations.
pub(crate) const LAW: Key = default(
    "law",
    Kind::Text,
    "exponential",
    "Law: `deterministic`, `exponential`, `uniform`, `erlang:STAGES`, `hyper-exponential:CV2` \
     (balanced means), `log-normal:CV2` or `pareto:TAIL`.",
);

/// In which order servers serve.
pub(crate) const DISCIPLINES: Kind =
    Kind::Choice(&["fifo", "processor-sharing", "preemptive-priority", "priority"]);

/// A time above zero.
const POSITIVE_SPAN: Kind = Kind::Span { min: 1, max: crate::limits::HORIZON_NS_MAX };

/// What a request asks of a server.
pub(crate) static SERVICE: Mapping = Mapping {
    name: "service_time",
    doc: "What a request asks of a server.",
    keys: &[default("mean", POSITIVE_SPAN, "1s", "Mean time on one core."), LAW],
};

/// A closed loop.
pub(crate) static CLOSED: Mapping = Mapping {
    name: "closed_loop",
    doc: "A fixed number of clients who think, ask, wait for the answer and think again.",
    keys: &[
        required("clients", Kind::Count { min: 1, max: 1_000_000 }, "Clients."),
        default("think", ANY_SPAN, "0s", "Mean time between an answer and the next request."),
        LAW,
    ],
};

/// How clients behave.
pub(crate) static CLIENT: Mapping = Mapping {
    name: "client_behaviour",
    doc: "How clients behave when an answer is late or does not come.",
    keys: &[
        optional(
            "timeout",
            POSITIVE_SPAN,
            "How long they wait for one attempt; for ever if absent.",
        ),
        default(
            "timeout_stops_server",
            Kind::Flag,
            "false",
            "Whether the server learns that a client gave up, and stops working for it.",
        ),
        default("failure", FRACTION, "0", "Probability that an attempt fails after its work."),
        optional("retries", Kind::Map(&RETRIES), "Attempts after the first; none if absent."),
        optional("hedge", POSITIVE_SPAN, "A second copy is sent after this time; never if absent."),
    ],
};

static RETRIES: Mapping = Mapping {
    name: "retries",
    doc: "When and how often clients try again.",
    keys: &[
        required("max", Kind::Count { min: 0, max: 1000 }, "Attempts after the first, at most."),
        default("backoff", ANY_SPAN, "0s", "Pause before the first retry."),
        default(
            "backoff_factor",
            Kind::Number { min: 1.0, max: 1000.0 },
            "2",
            "Factor from one pause to the next.",
        ),
        default("backoff_max", ANY_SPAN, "1d", "Longest pause."),
        default("jitter", Kind::Flag, "false", "Each pause is drawn between 0 and its length."),
        optional("budget", Kind::Map(&BUDGET), "Limit to retries; none if absent."),
    ],
};

static BUDGET: Mapping = Mapping {
    name: "retry_budget",
    doc: "A budget of retries: each request pays in, each retry takes one out.",
    keys: &[
        required(
            "ratio",
            Kind::Ratio { min: 0.0, max: 1000.0 },
            "Retries over requests in the long run.",
        ),
        default("burst", Kind::Number { min: 0.0, max: 1e9 }, "10", "Retries saved up at most."),
    ],
};

/// What balancers see.
pub(crate) static VIEW: Mapping = Mapping {
    name: "balancer_view",
    doc: "What balancers see of the servers.",
    keys: &[
        default(
            "staleness",
            Kind::Choice(&["fresh", "board", "entries", "delay"]),
            "fresh",
            "How old counts are: never; all read at multiples of `age`; read one by one, each once \
             in `age`; always `age` old.",
        ),
        optional("age", Kind::Span { min: 1, max: NS_D }, "Needed unless `fresh`."),
        default("shared", Kind::Flag, "true", "Whether all balancers see the requests of all."),
    ],
};

/// A balancer.
pub(crate) const BALANCER: Key =
    default("balancer", Kind::Balancer, "random", "Who chooses servers, with its parameters.");
