//! Caches and admission at sites.

use super::{
    ANY_SPAN, Entity, FRACTION, Kind, Mapping, NS_H, NS_S, default, list, one_of, optional,
    required, some,
};

/// All sites, or some.
const SITES: Kind = Kind::Word("all", &some(&Kind::Ref(Entity::Site)));

/// What of a service caches may keep.
pub(super) static CONTENT: Mapping = Mapping {
    name: "content",
    doc: "What of a service caches may keep. All its users ask for the same objects; users who ask \
          for others have a service of their own.",
    keys: &[
        one_of(
            "objects",
            Kind::Count { min: 1, max: 1_000_000_000 },
            "Number of objects, of Zipf popularity.",
        ),
        one_of(
            "weights",
            some(&Kind::Number { min: 0.0, max: 1e12 }),
            "How often each object is asked for, relative to the others.",
        ),
        default(
            "zipf",
            Kind::Number { min: 0.0, max: 10.0 },
            "0.8",
            "Exponent of the popularity of `objects`: the r-th is asked for in proportion to \
             r^-exponent.",
        ),
        optional("object_size", Kind::Bytes, "Size of each object; the response if absent."),
        optional(
            "ttl",
            Kind::Span { min: 1, max: crate::limits::HORIZON_NS_MAX },
            "How long a copy may be used after its fetch; for ever if absent.",
        ),
    ],
};

pub(super) static CACHES: Mapping = Mapping {
    name: "caches",
    doc: "LRU caches in the colos of sites. Sites without one fetch whatever they serve.",
    keys: &[
        required("origin", Kind::Ref(Entity::Node), "Site or neighbour that has everything."),
        default("origin_time", ANY_SPAN, "0s", "Time the origin itself takes for an answer."),
        default(
            "start",
            Kind::Choice(&["warm", "cold"]),
            "warm",
            "Whether caches hold at the start what they would after a long time under the first \
             rates, or nothing.",
        ),
        required("at", some(&Kind::Map(&CACHE)), "The caches. Later entries of a site win."),
    ],
};

static CACHE: Mapping = Mapping {
    name: "cache",
    doc: "Caches at some sites.",
    keys: &[
        default("sites", SITES, "all", "Where."),
        required("capacity", Kind::Bytes, "What the cache of each colo holds."),
        optional(
            "upper",
            Kind::Ref(Entity::Site),
            "Site whose cache is asked for what is missing; the origin if absent, and for this site \
             itself. An upper tier may have one of its own.",
        ),
    ],
};

pub(super) static ADMISSION: Mapping = Mapping {
    name: "admission",
    doc: "Who is let in at sites when not everybody can be.",
    keys: &[
        optional("buckets", list(&Kind::Map(&BUCKET)), "Token buckets of tenants."),
        optional("shed", Kind::Map(&SHED), "Shedding of the lowest classes by queue delay."),
        optional("filter", Kind::Map(&FILTER), "Filters against demands with `attack: true`."),
    ],
};

static BUCKET: Mapping = Mapping {
    name: "token_bucket",
    doc: "A token bucket of a tenant, one at each site.",
    keys: &[
        required("tenant", Kind::Ref(Entity::Tenant), "Whose requests."),
        default("sites", SITES, "all", "Where."),
        required("rate", Kind::RequestRate, "What always passes, at each site."),
        required(
            "burst",
            Kind::Count { min: 0, max: 1_000_000_000_000_000 },
            "Requests that pass beyond that.",
        ),
    ],
};

static SHED: Mapping = Mapping {
    name: "shed",
    doc: "Each site admits as much work as keeps the delay of its servers' queue at a target, and \
          turns away the lowest classes first.",
    keys: &[
        default("sites", SITES, "all", "Where."),
        required("target", Kind::Span { min: 1, max: NS_H }, "Queue delay to keep."),
        default("period", Kind::Span { min: 1_000_000, max: NS_H }, "1s", "Time between looks."),
        default("control", Kind::Choice(&["pi", "aimd"]), "pi", "How the admitted work follows."),
        default(
            "pole",
            Kind::Ratio { min: 0.0, max: 0.99 },
            "0.5",
            "PI: what is left of the distance from the target after a period, about.",
        ),
        default(
            "increase",
            Kind::Ratio { min: 0.000_001, max: 1.0 },
            "2%",
            "AIMD: added to the admitted work per period, of what the servers do.",
        ),
        default(
            "decrease",
            Kind::Ratio { min: 0.000_001, max: 0.99 },
            "10%",
            "AIMD: part of the admitted work cut when the delay is above the target.",
        ),
    ],
};

static FILTER: Mapping = Mapping {
    name: "attack_filter",
    doc: "Each site learns the signature of an attack and drops what matches; later all sites have \
          it.",
    keys: &[
        default(
            "local_delay",
            ANY_SPAN,
            "3s",
            "From the attack's arrival to its site's signature.",
        ),
        default(
            "global_delay",
            ANY_SPAN,
            "30s",
            "From the first signature until all sites have it.",
        ),
        default(
            "false_positive",
            FRACTION,
            "0",
            "Part of the service's other requests that match.",
        ),
        default("leak", FRACTION, "0", "Part of the attack that does not match."),
        default(
            "hold",
            Kind::Span { min: NS_S, max: crate::limits::HORIZON_NS_MAX },
            "5min",
            "How long a signature stays after the attack has left.",
        ),
    ],
};
