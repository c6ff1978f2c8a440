//! Classes, tenants, services, prefixes, client groups, demands.

use super::{
    ANY_SPAN, Entity, Form, Kind, Mapping, NS_H, NS_S, STEP, WEIGHT, default, one_of, optional,
    required, some,
};

pub(super) static CLASS: Mapping = Mapping {
    name: "class",
    doc: "A traffic class. Their order is their priority.",
    keys: &[
        required("id", Kind::Id, "Name."),
        default("weight", WEIGHT, "1", "Share on links with weighted scheduling."),
    ],
};

pub(super) static TENANT: Mapping = Mapping {
    name: "tenant",
    doc: "A customer of the edge network.",
    keys: &[
        required("id", Kind::Id, "Name."),
        default("label", Kind::Text, "", "Text for people; the id if empty."),
        optional(
            "budget",
            Kind::Bandwidth { min: 1 },
            "Contracted rate towards any one neighbour; no contract if absent.",
        ),
    ],
};

/// Protocols with the round trips before the first byte of an answer: connection set-up and the
/// request itself.
pub(crate) const PROTOCOLS: [(&str, f64); 6] = [
    ("http1-tls12", 4.0),
    ("http1-tls13", 3.0),
    ("http2-tls13", 3.0),
    ("http3", 2.0),
    ("http3-0rtt", 1.0),
    ("udp", 1.0),
];

pub(super) static SERVICE: Mapping = Mapping {
    name: "service",
    doc: "What is asked for.",
    keys: &[
        required("id", Kind::Id, "Name."),
        optional("class", Kind::Ref(Entity::Class), "Class of its traffic; the first if absent."),
        default(
            "cpu",
            Kind::Span { min: 0, max: NS_H },
            "0s",
            "CPU time of reference work per request.",
        ),
        default("request", Kind::Bytes, "1kB", "From the user, per request."),
        required("response", Kind::Bytes, "To the user, per request."),
        default(
            "protocol",
            Kind::Choice(&[
                "http1-tls12",
                "http1-tls13",
                "http2-tls13",
                "http3",
                "http3-0rtt",
                "udp",
            ]),
            "http2-tls13",
            "Decides the round trips before the answer: 4 with TLS 1.2, 3 with TLS 1.3, 2 with \
             HTTP/3, 1 with 0-RTT and plain UDP.",
        ),
        default(
            "elastic",
            Kind::Either(&Kind::Flag, &ELASTIC),
            "false",
            "Whether its senders adapt: at full links they slow down to a weighted max-min fair \
             share instead of losing; what they do not send is `throttled`.",
        ),
        optional(
            "tcp",
            Kind::Map(&TCP),
            "Limits of a connection: a response takes the time that window, loss and round trip \
             allow. No limit if absent.",
        ),
        optional(
            "flow",
            Kind::Map(&FLOW),
            "How responses and transfers come one by one, with `fidelity: flows`: they share links \
             max-min fairly, by the weight of `elastic`.",
        ),
        optional(
            "cache",
            Kind::Map(&super::edge::CONTENT),
            "What caches may keep of it; every answer is made at the site if absent.",
        ),
    ],
};

static ELASTIC: Mapping = Mapping {
    name: "elastic",
    doc: "The weight of an elastic service.",
    keys: &[default(
        "weight",
        Kind::Number { min: 1e-9, max: 1e9 },
        "1",
        "Weight of one request per second in a fair share; for traffic between nodes, of a demand.",
    )],
};

static FLOW: Mapping = Mapping {
    name: "flow",
    doc: "Single responses or transfers.",
    keys: &[
        optional("mean", Kind::Bytes, "Mean size; `response` if absent."),
        optional("size", Kind::Text, super::load::SIZE_DOC),
        optional(
            "points",
            Kind::List { item: &Kind::Map(&SIZE_POINT), min: 1, max: 10_000 },
            "Measured distribution of sizes, instead of `size` and `mean`: linear between points.",
        ),
        optional(
            "on_off",
            Kind::Map(&ON_OFF),
            "Flows come while a source is on and not while it is off; at all times if absent.",
        ),
        optional(
            "recorded",
            Kind::List { item: &Kind::Map(&RECORDED), min: 1, max: 100_000 },
            "Each demand sends exactly these flows, whatever its rate.",
        ),
    ],
};

static SIZE_POINT: Mapping = Mapping {
    name: "size_point",
    doc: "A point of a distribution of sizes.",
    keys: &[
        required("size", Kind::Bytes, "Size; ascending."),
        required(
            "share",
            Kind::Ratio { min: 0.0, max: 1.0 },
            "Share of flows that are no larger; ascending, the last 1.",
        ),
    ],
};

static ON_OFF: Mapping = Mapping {
    name: "on_off",
    doc: "A source that is on and off in turn, each for an exponential time.",
    keys: &[
        required("on", Kind::Span { min: 1_000, max: NS_H }, "Mean time on."),
        required("off", Kind::Span { min: 0, max: NS_H }, "Mean time off."),
    ],
};

static RECORDED: Mapping = Mapping {
    name: "recorded_flow",
    doc: "A flow that is known in advance.",
    keys: &[
        required("at", Kind::Moment, "When it starts; ascending."),
        required("size", Kind::Bytes, "Its size."),
    ],
};

static TCP: Mapping = Mapping {
    name: "tcp",
    doc: "What a TCP connection can carry.",
    keys: &[
        default(
            "model",
            Kind::Choice(&["pftk", "mathis"]),
            "pftk",
            "With timeouts (Padhye and others, SIGCOMM 1998), or the square-root law (Mathis and \
             others, CCR 1997).",
        ),
        default("window", Kind::Bytes, "1MB", "Largest window."),
        default("mss", Kind::Bytes, "1460B", "Segment size."),
        default(
            "loss",
            Kind::Ratio { min: 0.0, max: 0.999 },
            "0",
            "Share of segments lost; links that lose more count instead.",
        ),
        optional(
            "flows",
            Kind::Count { min: 1, max: 1_000_000_000 },
            "Connections of a demand at a time: an elastic one sends no more than they carry. If \
             absent there are as many as it takes.",
        ),
    ],
};

pub(super) static PREFIX: Mapping = Mapping {
    name: "prefix",
    doc: "An address block: anycast, or unicast if one site alone announces it.",
    keys: &[
        required("id", Kind::Id, "Name."),
        default(
            "sites",
            Kind::Word("all", &Kind::List { item: &Kind::Ref(Entity::Site), min: 1, max: 10_000 }),
            "all",
            "Sites that announce it at the start.",
        ),
        default(
            "value",
            WEIGHT,
            "1",
            "How valuable its traffic is; policies move the least first.",
        ),
    ],
};

pub(super) static CLIENT_GROUP: Mapping = Mapping {
    name: "client_group",
    doc: "Users of one AS in one metro.",
    keys: &[
        required("id", Kind::Id, "Name."),
        default("label", Kind::Text, "", "Text for people; the id if empty."),
        optional("at", Kind::Point, "Where they are."),
        optional(
            "neighbour",
            Kind::Ref(Entity::Neighbour),
            "The AS they are in; somewhere behind the public Internet if absent.",
        ),
        optional(
            "asn",
            Kind::Count { min: 1, max: u32::MAX as u64 },
            "Number of the AS they are in, for `routing.model: bgp`; that of `neighbour` if absent.",
        ),
        default("weight", WEIGHT, "1", "Share of a demand relative to its other groups."),
        optional(
            "rtt",
            Kind::Dict { of: Entity::Site, value: &Kind::Span { min: 0, max: 10 * NS_S } },
            "Measured round-trip times by site; the others follow from distance.",
        ),
    ],
};

pub(super) static PROFILE: Mapping = Mapping {
    name: "profile",
    doc: "A daily shape: a cosine between trough and peak, twelve hours apart.",
    keys: &[
        required("id", Kind::Id, "Name."),
        required("peak", Kind::TimeOfDay, "Time of day of the peak."),
        required(
            "trough_ratio",
            Kind::Ratio { min: 0.000_001, max: 1.0 },
            "Demand at the trough over demand at the peak.",
        ),
        default(
            "local",
            Kind::Flag,
            "true",
            "Whether that is local solar time of the users (longitude) or UTC.",
        ),
    ],
};

const SERVICE_KEY: super::Key = optional(
    "service",
    Kind::Ref(Entity::Service),
    "What is asked for; the first service if absent.",
);
const TENANT_KEY: super::Key =
    optional("tenant", Kind::Ref(Entity::Tenant), "Who pays; the first tenant if absent.");
const PROFILE_KEY: super::Key =
    optional("profile", Kind::Ref(Entity::Profile), "Daily shape; flat if absent.");

/// The kinds of demand.
pub(super) const DEMAND_FORMS: &[Form] = &[
    Form { key: "clients", mapping: &DEMAND_CLIENTS },
    Form { key: "from", mapping: &DEMAND_NODES },
    Form { key: "matrix", mapping: &DEMAND_MATRIX },
];

static DEMAND_CLIENTS: Mapping = Mapping {
    name: "demand_of_clients",
    doc: "Requests of users towards a prefix or a DNS name. Becomes one demand `id/group` a group; \
          towards a name, one `id/group/prefix` for each of its answers.",
    keys: &[
        required("id", Kind::Id, "Name."),
        required(
            "clients",
            Kind::Word("all", &some(&Kind::Ref(Entity::ClientGroup))),
            "Which client groups.",
        ),
        one_of("prefix", Kind::Ref(Entity::Prefix), "Towards which prefix."),
        one_of("name", Kind::Ref(Entity::DnsName), "Towards which DNS name."),
        required("rate", Kind::RequestRate, "Of all groups together, shared by their weights."),
        SERVICE_KEY,
        TENANT_KEY,
        PROFILE_KEY,
        default(
            "attack",
            Kind::Flag,
            "false",
            "Whether it is an attack: filters of `admission` learn to know it.",
        ),
    ],
};

static DEMAND_NODES: Mapping = Mapping {
    name: "demand_between_nodes",
    doc: "Traffic from one node to another, in bits.",
    keys: &[
        required("id", Kind::Id, "Name."),
        required("from", Kind::Ref(Entity::Node), "Where it comes from."),
        required("to", Kind::Ref(Entity::Node), "Where it goes."),
        required("rate", Kind::Bandwidth { min: 0 }, "How much."),
        SERVICE_KEY,
        TENANT_KEY,
        PROFILE_KEY,
    ],
};

static DEMAND_MATRIX: Mapping = Mapping {
    name: "demand_of_matrix",
    doc: "Recorded traffic matrices. Becomes one demand `id/from/to` a pair.",
    keys: &[
        required("id", Kind::Id, "Name."),
        required("matrix", Kind::Map(&MATRIX), "The recording."),
        SERVICE_KEY,
        TENANT_KEY,
    ],
};

static MATRIX: Mapping = Mapping {
    name: "matrix",
    doc: "A recorded series of traffic matrices.",
    keys: &[
        required("file", Kind::Path, "Parquet file, as `steerlab import` writes it."),
        default("scale", Kind::Number { min: 0.0, max: 1e9 }, "1", "Multiplies every rate."),
    ],
};

pub(super) static NOISE: Mapping = Mapping {
    name: "demand_noise",
    doc: "A log-normal factor of mean 1 for every demand, drawn again at every step.",
    keys: &[
        required("cv", Kind::Ratio { min: 0.0, max: 10.0 }, "Coefficient of variation."),
        default("step", STEP, "1min", "How long a drawn factor holds."),
    ],
};

pub(super) static SURGE: Mapping = Mapping {
    name: "surge",
    doc: "Multiplies some demands for a while.",
    keys: &[
        required("at", Kind::Moment, "Start of the rise."),
        optional("until", Kind::Moment, "End of the fall; it stays if absent."),
        default("ramp", ANY_SPAN, "0s", "How long the rise, and the fall, take."),
        required("factor", Kind::Number { min: 0.0, max: 1e6 }, "Factor at the top."),
        one_of("demands", some(&Kind::Ref(Entity::Demand)), "These demands."),
        one_of("tenants", some(&Kind::Ref(Entity::Tenant)), "All demands of these tenants."),
        one_of(
            "neighbours",
            some(&Kind::Ref(Entity::Neighbour)),
            "All demands from or to these neighbours and their users.",
        ),
        one_of("near", Kind::Map(&NEAR), "All demands of client groups near a place."),
        default("label", Kind::Text, "", "What people call it."),
    ],
};

static NEAR: Mapping = Mapping {
    name: "near",
    doc: "A place and a radius.",
    keys: &[
        required("at", Kind::Point, "The place."),
        required("radius_km", Kind::Number { min: 0.0, max: 20_100.0 }, "Radius in kilometres."),
    ],
};
