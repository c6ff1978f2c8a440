//! Sites, neighbours, links, and made-up worlds.

use super::{Entity, Kind, Mapping, NS_S, WEIGHT, default, list, optional, required, some};
use crate::limits;

pub(super) static SITE: Mapping = Mapping {
    name: "site",
    doc: "A place where the edge network serves users.",
    keys: &[
        required("id", Kind::Id, "Name."),
        default("label", Kind::Text, "", "Text for people; the id if empty."),
        optional("at", Kind::Point, "Where it is."),
        optional("colos", some(&Kind::Map(&COLO)), "Its data centres, if there are several."),
        optional(
            "pools",
            some(&Kind::Map(&POOL)),
            "Its server pools, if there is one data centre. Without any pool it serves without \
             limit.",
        ),
    ],
};

static COLO: Mapping = Mapping {
    name: "colo",
    doc: "A data centre of a site, named `site/colo`.",
    keys: &[
        required("id", Kind::Id, "Name within the site."),
        optional("pools", some(&Kind::Map(&POOL)), "Its server pools."),
    ],
};

static POOL: Mapping = Mapping {
    name: "pool",
    doc: "Equal servers in a data centre, named `site/pool` or `site/colo/pool`.",
    keys: &[
        required("id", Kind::Id, "Name within the data centre."),
        required("servers", Kind::Count { min: 1, max: 1_000_000 }, "Number of machines."),
        required("cores", Kind::Count { min: 1, max: 4_096 }, "Cores of one machine."),
        default(
            "core_speed",
            Kind::Number { min: 0.001, max: 1_000.0 },
            "1",
            "CPU-seconds of reference work that a core does in a second.",
        ),
    ],
};

pub(super) static NEIGHBOUR: Mapping = Mapping {
    name: "neighbour",
    doc: "Another AS that we have sessions with.",
    keys: &[
        required("id", Kind::Id, "Name; no site has the same."),
        default("label", Kind::Text, "", "Text for people; the id if empty."),
        optional("asn", Kind::Count { min: 1, max: u32::MAX as u64 }, "AS number."),
        required(
            "kind",
            Kind::Choice(&["eyeball", "transit", "peer", "cloud"]),
            "What it is to us.",
        ),
        optional(
            "relationship",
            Kind::Choice(&["provider", "peer", "route-server", "customer"]),
            "What it is to us in BGP. If absent: transit is a provider, the others are peers.",
        ),
        optional("at", Kind::Point, "Where it is."),
        default(
            "blocks",
            Kind::Count { min: 1, max: 64 },
            "16",
            "Equal address blocks it can withdraw one by one.",
        ),
    ],
};

const LINK_WEIGHT: Kind = Kind::Count { min: 1, max: 1_000_000_000 };

pub(super) static LINK: Mapping = Mapping {
    name: "link",
    doc: "A directed pair of capacities between two ends.",
    keys: &[
        required("id", Kind::Id, "Name."),
        default("label", Kind::Text, "", "Text for people; the id if empty."),
        optional(
            "kind",
            Kind::Choice(&["backbone", "dci", "pni", "ixp", "transit", "cloud", "access"]),
            "What kind of link. If absent: `dci` within a site, `backbone` between sites, towards \
             a neighbour what its kind suggests (transit, eyeball: pni, peer: ixp, cloud).",
        ),
        required(
            "ends",
            Kind::List { item: &Kind::Ref(Entity::Node), min: 2, max: 2 },
            "Its two ends: sites, `site/colo`, or one neighbour.",
        ),
        required(
            "capacity",
            Kind::Either(&Kind::Bandwidth { min: 1 }, &BOTH_CAPACITIES),
            "Capacity in each direction.",
        ),
        default("weight", Kind::Either(&LINK_WEIGHT, &BOTH_WEIGHTS), "1", "IGP cost."),
        default(
            "delay",
            Kind::Word("auto", &Kind::Span { min: 0, max: 10 * NS_S }),
            "auto",
            "One-way propagation delay; `auto` follows from distance.",
        ),
        default(
            "lag_members",
            Kind::Count { min: 1, max: 1_024 },
            "1",
            "Members of the bundle, each with an equal share of capacity.",
        ),
        default(
            "buffer",
            Kind::Span { min: 0, max: 10 * NS_S },
            "50ms",
            "Queue in front of the link, as time at full rate.",
        ),
        default(
            "scheduling",
            Kind::Either(&Kind::Choice(&["strict", "per-tenant"]), &WEIGHTED),
            "strict",
            "How classes share it: `strict` priority, or weights. `per-tenant`: strict, and inside \
             a class all tenants share alike; else they lose in proportion to what they send.",
        ),
        default(
            "queueing",
            Kind::Either(&Kind::Choice(QUEUEING), &QUEUE),
            "none",
            "How long packets wait below saturation: `none`, or as in an M/M/1, M/D/1 or M/G/1 \
             queue of packets; by class under strict priority. Never longer than `buffer`. With \
             `none` only a link that is too full delays, by its whole buffer.",
        ),
        default(
            "backlog",
            Kind::Flag,
            "false",
            "Whether the buffer has a memory: it fills at the rate of the excess before anything \
             is lost, and empties later. Every class (every tenant, if shared by tenant) has a \
             buffer of its own.",
        ),
        optional(
            "ecn",
            Kind::Span { min: 0, max: 10 * NS_S },
            "Marks packets instead of dropping them as soon as its queue is this long, as time at \
             full rate: elastic services slow down without filling the buffer. If absent they \
             fill it.",
        ),
        optional("billing", Kind::Map(&BILLING), "What it costs; nothing if absent."),
        optional("srlgs", list(&Kind::Id), "Shared-risk groups: links that fail together."),
        optional(
            "preference",
            Kind::Count { min: 0, max: u32::MAX as u64 },
            "Local preference of the session over it, larger is preferred. If absent: access 400, \
             pni and cloud 300, ixp 200, transit 100.",
        ),
    ],
};

static BOTH_CAPACITIES: Mapping = Mapping {
    name: "capacities",
    doc: "Capacity by direction; `0bps` means no such direction.",
    keys: &[
        required("forward", Kind::Bandwidth { min: 0 }, "From the first end to the second."),
        required("back", Kind::Bandwidth { min: 0 }, "From the second end to the first."),
    ],
};

static BOTH_WEIGHTS: Mapping = Mapping {
    name: "weights",
    doc: "IGP cost by direction.",
    keys: &[
        required("forward", LINK_WEIGHT, "From the first end to the second."),
        required("back", LINK_WEIGHT, "From the second end to the first."),
    ],
};

static WEIGHTED: Mapping = Mapping {
    name: "weighted",
    doc: "Classes, or tenants inside a class, share a link by weight; what one does not use the \
          others get.",
    keys: &[
        optional(
            "weights",
            Kind::Dict { of: Entity::Class, value: &WEIGHT },
            "Weight by class; a class that is not named keeps its own weight. If absent: strict \
             priority.",
        ),
        optional(
            "tenants",
            Kind::Dict { of: Entity::Tenant, value: &WEIGHT },
            "Weight by tenant inside a class, 1 for those not named. If absent: tenants lose in \
             proportion to what they send.",
        ),
    ],
};

const QUEUEING: &[&str] = &["none", "mm1", "md1", "mg1"];

static QUEUE: Mapping = Mapping {
    name: "queue",
    doc: "A queue of packets in front of a link.",
    keys: &[
        required("model", Kind::Choice(QUEUEING), "Which queue."),
        default("packet", Kind::Bytes, "1500B", "Mean packet size."),
        default(
            "cv2",
            Kind::Number { min: 0.0, max: 1e6 },
            "1",
            "Squared coefficient of variation of packet sizes, for `mg1`.",
        ),
    ],
};

static BILLING: Mapping = Mapping {
    name: "billing",
    doc: "What a link costs: a percentile of the rates of five minutes each, the larger of both \
          directions in every five minutes.",
    keys: &[
        required(
            "price_per_mbps",
            Kind::Number { min: 0.0, max: 1e12 },
            "Price of one Mbit/s for the run, in any currency.",
        ),
        default("commit", Kind::Bandwidth { min: 0 }, "0bps", "Paid for in any case."),
        default(
            "percentile",
            Kind::Ratio { min: 0.000_001, max: 1.0 },
            "95%",
            "Share of samples at or below the billed one: number ceil(share x n) of n.",
        ),
    ],
};

/// A made-up world.
pub(crate) static GENERATE: Mapping = Mapping {
    name: "generate",
    doc: "A made-up world in real metros: sites in the largest ones, client groups by population, \
          one transit link a site, backbone links in a ring by longitude and to the nearest \
          sites, one prefix `generated`, \
          one service `generated`, one demand `generated`. The same keys give the same world.",
    keys: &[
        required(
            "sites",
            Kind::Count { min: 1, max: limits::GENERATED_SITES_MAX },
            "Number of sites, `site-0001` and so on.",
        ),
        required(
            "client_groups",
            Kind::Count { min: 1, max: limits::GENERATED_GROUPS_MAX },
            "Number of client groups, `group-00001` and so on.",
        ),
        required("seed", Kind::Count { min: 0, max: u64::MAX }, "Chance of places and weights."),
        required("rate", Kind::RequestRate, "Requests of all client groups at the peak."),
        default(
            "headroom",
            Kind::Ratio { min: 0.01, max: 100.0 },
            "1.5",
            "Capacity of a site over the demand of the groups nearest to it.",
        ),
        default(
            "backbone_degree",
            Kind::Count { min: 0, max: 16 },
            "2",
            "Nearest sites each site has a backbone link to.",
        ),
        default("trough_ratio", FRACTION_ABOVE_ZERO, "35%", "Demand at the trough over the peak."),
    ],
};

const FRACTION_ABOVE_ZERO: Kind = Kind::Ratio { min: 0.001, max: 1.0 };
