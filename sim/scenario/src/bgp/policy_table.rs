//! Route policies as data: the keys of policies, rules, matches and changes.

use crate::table::{Entity, Kind, Mapping, default, list, optional, required, some};

/// An AS number.
pub(crate) const ASN: Kind = Kind::Count { min: 1, max: u32::MAX as u64 };
/// Any 32-bit number: preference, MED.
pub(crate) const U32: Kind = Kind::Count { min: 0, max: u32::MAX as u64 };
/// How often an AS number is put in front.
pub(crate) const PREPEND: Kind = Kind::Count { min: 0, max: 100 };
/// Names of relations, as the other end is to this one.
pub(crate) const RELATIONS: &[&str] =
    &["customer", "peer", "route-server", "provider", "plain", "ibgp", "ibgp-client"];
/// Names of the values of the origin attribute.
pub(crate) const ORIGINS: &[&str] = &["igp", "egp", "incomplete"];
/// A MED, or no MED.
pub(crate) const MED: Kind = Kind::Word("none", &U32);

const PREFIXES: Kind = some(&Kind::Ref(Entity::Prefix));
const ASNS: Kind = some(&ASN);
const TEXTS: Kind = some(&Kind::Text);

/// A route policy.
pub(crate) static ROUTE_POLICY: Mapping = Mapping {
    name: "route_policy",
    doc: "Rules in order. The first that accepts or rejects a route decides.",
    keys: &[
        required("id", Kind::Id, "Name."),
        optional("rules", list(&Kind::Map(&RULE)), "Rules, asked in order."),
        default(
            "otherwise",
            Kind::Choice(&["accept", "reject"]),
            "accept",
            "What happens to a route that no rule decides.",
        ),
    ],
};

static RULE: Mapping = Mapping {
    name: "rule",
    doc: "Changes a route that matches, and says what then.",
    keys: &[
        optional("match", Kind::Map(&MATCH), "All of these must hold; every route if absent."),
        optional("not", Kind::Map(&MATCH), "None of these may hold."),
        optional("set", Kind::Map(&SET), "Changes."),
        default(
            "then",
            Kind::Choice(&["accept", "reject", "next"]),
            "accept",
            "What happens then; `next` asks the next rule.",
        ),
    ],
};

static MATCH: Mapping = Mapping {
    name: "route_match",
    doc: "What a rule asks of a route. Of the values of one key, one is enough.",
    keys: &[
        optional("prefix", PREFIXES, "The prefix is one of these."),
        optional("within", PREFIXES, "The prefix is one of these or more specific."),
        optional(
            "path",
            TEXTS,
            "The whole AS path is one of these: AS numbers with spaces between, nearest first.",
        ),
        optional("path_contains", ASNS, "The AS path contains one of these."),
        optional("path_from", ASNS, "The AS path begins (nearest) with one of these."),
        optional("origin_as", ASNS, "The AS path ends (origin) with one of these."),
        optional(
            "path_length_min",
            Kind::Count { min: 0, max: 10_000 },
            "The AS path has at least this many elements, prepends counted.",
        ),
        optional("community", TEXTS, "It carries one of these communities."),
        optional(
            "validity",
            some(&Kind::Choice(&["valid", "unknown", "invalid"])),
            "Its route-origin validation state is one of these.",
        ),
        optional(
            "learned_from",
            some(&Kind::Choice(RELATIONS)),
            "It came into this AS from such a neighbour.",
        ),
        optional("own", Kind::Flag, "It was originated in this AS (`true`) or not (`false`)."),
        optional("neighbour_as", ASNS, "The AS at the other end of the session is one of these."),
    ],
};

static SET: Mapping = Mapping {
    name: "route_set",
    doc: "What a rule changes, in the order of these keys.",
    keys: &[
        optional("clear_communities", Kind::Flag, "`true` removes all communities."),
        optional("remove_communities", TEXTS, "Removes these communities."),
        optional(
            "add_communities",
            TEXTS,
            "Adds these: `no-export`, `no-advertise`, `blackhole`, `64500:120`, \
             `64500:no-export-to:3356`, `64500:prepend-to:3356:2`, `64500:local-pref:80`.",
        ),
        optional("local_pref", U32, "Local preference (import only)."),
        optional("med", MED, "Multi-exit discriminator, or `none`."),
        optional("origin", Kind::Choice(ORIGINS), "Origin attribute."),
        optional(
            "prepend",
            PREPEND,
            "Puts the own AS in front this many more times (export), or the neighbour's (import).",
        ),
    ],
};
