//! Keys of `zoom`: colos played request by request.

use super::{
    ANY_SPAN, BALANCER, CLIENT, DISCIPLINES, Entity, FRACTION, Key, Kind, Mapping, VIEW, default,
    list, load::LAW, optional,
};
use crate::limits;

const POSITIVE_SPAN: Kind = Kind::Span { min: 1, max: limits::HORIZON_NS_MAX };

pub(super) static ZOOM: Mapping = Mapping {
    name: "zoom",
    doc: "Colos whose servers are played request by request for a while, fed by the fluid level.",
    keys: &[
        optional("sites", list(&Kind::Ref(Entity::Site)), "All colos with servers of these sites."),
        optional("colos", list(&Kind::Ref(Entity::Node)), "Single colos, `site/colo`."),
        optional("from", Kind::Moment, "From when on requests count; the start if absent."),
        optional("until", Kind::Moment, "Until when; to the end of the run if absent."),
        default(
            "warm_up",
            ANY_SPAN,
            "0s",
            "How much earlier than `from` requests begin to arrive, so that queues have filled.",
        ),
        BALANCER,
        default(
            "balancers",
            Kind::Count { min: 1, max: 1_000 },
            "1",
            "Balancers side by side; each request or connection meets one of them by its hash.",
        ),
        default(
            "level",
            Kind::Choice(&["request", "connection"]),
            "request",
            "What is balanced: each request, or each connection, to whose server its requests go.",
        ),
        default(
            "weights",
            Kind::Choice(&["capacity", "equal"]),
            "capacity",
            "Whether balancers know the capacity of each server or take all for equal.",
        ),
        optional("view", Kind::Map(&VIEW), "What balancers see; always fresh if absent."),
        default(
            "health_delay",
            ANY_SPAN,
            "0s",
            "Time until health checks find that a server went down or came back.",
        ),
        default("probe_delay", ANY_SPAN, "0s", "Time until the answer to a probe is there."),
        optional("servers", Kind::Map(&SERVERS), "How servers serve."),
        LAW,
        optional("clients", Kind::Map(&CLIENT), "How clients behave."),
        optional(
            "connections",
            Kind::Map(&CONNECTIONS),
            "Connections of the clients. If absent: a request costs the round trips of its service.",
        ),
    ],
};

static SERVERS: Mapping = Mapping {
    name: "zoom_servers",
    doc: "How servers serve.",
    keys: &[
        default("discipline", DISCIPLINES, "processor-sharing", "In which order."),
        optional(
            "concurrency",
            Kind::Count { min: 1, max: 1_000_000 },
            "Requests in service at once in one server; no limit if absent.",
        ),
        optional(
            "queue_max",
            Kind::Count { min: 0, max: 1_000_000_000 },
            "Requests that wait in one server; as much work as `queue_limit` allows if absent. \
             Only what exceeds `concurrency` or the cores waits.",
        ),
    ],
};

const PROTOCOL_NAMES: Kind = Kind::Choice(&[
    "http1-plain",
    "http1-tls12",
    "http1-tls13",
    "http2-tls12",
    "http2-tls13",
    "http3",
]);

static CONNECTIONS: Mapping = Mapping {
    name: "connections",
    doc: "Connections of the clients.",
    keys: &[
        PROTOCOL,
        default("resumed", FRACTION, "0", "Share of connections that resume an earlier session."),
        default(
            "early_data",
            Kind::Flag,
            "false",
            "Whether a resumed session sends its first request at once (0-RTT).",
        ),
        default("dns_share", FRACTION, "0", "Share of connections that first ask DNS."),
        default("dns", ANY_SPAN, "0s", "Time of such a question."),
        default("keep_alive", ANY_SPAN, "60s", "A connection is closed after so long without use."),
        optional(
            "requests_max",
            Kind::Count { min: 1, max: 1_000_000_000 },
            "Requests after which a connection is closed; no limit if absent.",
        ),
        optional(
            "life",
            Kind::Map(&LIFE),
            "Life of connections; then `keep_alive` does not matter.",
        ),
        default(
            "request_interval",
            POSITIVE_SPAN,
            "10s",
            "Mean time between two requests of one user; with the rate it says how many users \
             there are.",
        ),
    ],
};

const PROTOCOL: Key = default("protocol", PROTOCOL_NAMES, "http2-tls13", "What is spoken.");

static LIFE: Mapping = Mapping {
    name: "connection_life",
    doc: "How long connections last.",
    keys: &[default("mean", POSITIVE_SPAN, "1min", "Mean."), LAW],
};
