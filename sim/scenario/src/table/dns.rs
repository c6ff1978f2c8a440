//! DNS: names, resolvers, caches.

use super::{
    Entity, FRACTION, Kind, Mapping, NS_D, NS_S, WEIGHT, default, list, optional, required,
};

/// From a second to a week.
const CACHE_SPAN: Kind = Kind::Span { min: NS_S, max: 7 * NS_D };

pub(super) static DNS: Mapping = Mapping {
    name: "dns",
    doc: "DNS names, who asks through which resolver, and how long answers live. The defaults \
          of the caches are assumptions that reproduce a published step response: with a `ttl` \
          of 20 s, 90 % of requests follow a new answer within 60 s and 2 % still follow the old \
          one after 15 min (Flavel et al., LANMAN 2014).",
    keys: &[
        optional("names", list(&Kind::Map(&NAME)), "Names that demands can go to."),
        optional(
            "resolvers",
            list(&Kind::Map(&RESOLVER)),
            "Resolvers that client groups share, such as public ones. Who uses none asks \
             through one of their own network, which tells who they are.",
        ),
        default(
            "floor_share",
            FRACTION,
            "20%",
            "Share of requests behind caches that keep every answer for at least `ttl_floor`.",
        ),
        default("ttl_floor", CACHE_SPAN, "60s", "That least time."),
        default("sticky_share", FRACTION, "0.112", "Share of requests of users who ignore `ttl`."),
        default(
            "sticky_mean",
            CACHE_SPAN,
            "522s",
            "Mean of the exponential time for which they keep an answer.",
        ),
    ],
};

static NAME: Mapping = Mapping {
    name: "dns_name",
    doc: "A DNS name.",
    keys: &[
        required("id", Kind::Id, "Name."),
        default("ttl", CACHE_SPAN, "60s", "How long an answer may be kept."),
        required(
            "answers",
            Kind::List { item: &Kind::Ref(Entity::Prefix), min: 1, max: 1_000 },
            "Prefixes it may be answered with: anycast, or unicast (announced by one site).",
        ),
        optional(
            "weights",
            Kind::Dict { of: Entity::Prefix, value: &WEIGHT },
            "Share of queries answered with each at the start, relative; all with the first if \
             absent.",
        ),
    ],
};

static RESOLVER: Mapping = Mapping {
    name: "dns_resolver",
    doc: "A resolver that several client groups share.",
    keys: &[
        required("id", Kind::Id, "Name."),
        optional("at", Kind::Point, "Where it asks from."),
        default(
            "ecs",
            Kind::Flag,
            "false",
            "Whether its queries carry the client's subnet, so that answers can differ by client \
             group.",
        ),
        default("share", FRACTION, "0", "Share of each client group's requests behind it."),
        optional(
            "shares",
            Kind::Dict { of: Entity::ClientGroup, value: &FRACTION },
            "The same for single client groups, in place of `share`.",
        ),
    ],
};
