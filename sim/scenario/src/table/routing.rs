//! How users land, how routing reacts, and what others do to it.

use super::{
    ANY_SPAN, Entity, FRACTION, Form, Key, Kind, Mapping, NS_D, NS_H, NS_S, default, list,
    optional, required, some,
};
use crate::bgp::ROUTE_POLICY;

const ASN: Kind = Kind::Count { min: 1, max: u32::MAX as u64 };
const POLICIES: Kind = list(&Kind::Ref(Entity::RoutePolicy));
const SHORT: Kind = Kind::Span { min: 0, max: NS_H };
/// Messages take time: routing that never settles must let the run go on.
const TRAVEL: Kind = Kind::Span { min: 1_000_000, max: NS_H };

pub(super) static ROUTING: Mapping = Mapping {
    name: "routing",
    doc: "Where users land and how routing reacts.",
    keys: &[
        default(
            "model",
            Kind::Choice(&["nearest", "bgp", "measured"]),
            "nearest",
            "How it is decided where users land: by distance, by BGP, or as a measured catchment \
             says.",
        ),
        optional("catchment", Kind::Path, "For `measured`: the catchment table."),
        optional("asn", ASN, "For `bgp`: our AS number."),
        optional(
            "as_graph",
            Kind::Path,
            "For `bgp`: AS relationships of the Internet, CAIDA serial-1 or serial-2, plain, .gz \
             or .bz2.",
        ),
        optional(
            "as_links",
            list(&Kind::Forms(AS_LINK_FORMS)),
            "For `bgp`: more sessions between other ASes.",
        ),
        default(
            "solver",
            Kind::Choice(&["direct", "events"]),
            "direct",
            "For `bgp`: `direct` finds where routing ends and lets users follow after \
             `bgp_convergence`; it takes the whole Internet. `events` plays every message, with \
             loops and black holes on the way; for some thousand ASes.",
        ),
        optional("bgp_timing", Kind::Map(&BGP_TIMING), "For `events`: how fast BGP is."),
        optional(
            "presence",
            list(&Kind::Map(&PRESENCE)),
            "For `bgp`: where ASes are. One with several places hands traffic over at the nearest \
             of them; of others nothing is known.",
        ),
        optional(
            "announcements",
            list(&Kind::Map(&ANNOUNCEMENT)),
            "Announcements that differ from a plain one; later ones win.",
        ),
        optional("roas", list(&Kind::Map(&ROA)), "For `bgp`: authorisations to originate."),
        optional(
            "validators",
            list(&Kind::Map(&VALIDATOR)),
            "For `bgp`: ASes that validate the origin of routes.",
        ),
        optional(
            "policies",
            list(&Kind::Map(&ROUTE_POLICY)),
            "For `solver: events`: route policies that `sessions` name.",
        ),
        optional(
            "sessions",
            list(&Kind::Map(&SESSION)),
            "For `solver: events`: sessions that are not configured as all others.",
        ),
        optional(
            "replay",
            Kind::Map(&REPLAY),
            "For `bgp`: other ASes originate our prefixes when a recording shows it.",
        ),
        default(
            "igp_convergence",
            SHORT,
            "5s",
            "Time the backbone needs after a change of topology.",
        ),
        optional(
            "bgp_convergence",
            Kind::Map(&BGP_CONVERGENCE),
            "Time until users follow a changed announcement, in waves of five seconds, unless BGP \
             is played message by message.",
        ),
        default(
            "landing_noise",
            Kind::Ratio { min: 0.0, max: 10.0 },
            "10%",
            "For `nearest`: largest relative error with which routing mistakes distances; 0 = \
             always the nearest.",
        ),
    ],
};

static AS_LINK_FORMS: &[Form] = &[
    Form { key: "customer", mapping: &AS_LINK_CUSTOMER },
    Form { key: "peers", mapping: &AS_LINK_PEERS },
];

static AS_LINK_CUSTOMER: Mapping = Mapping {
    name: "as_link_customer",
    doc: "One AS buys transit of another.",
    keys: &[required("customer", ASN, "Who buys."), required("provider", ASN, "Of whom.")],
};

static AS_LINK_PEERS: Mapping = Mapping {
    name: "as_link_peers",
    doc: "Two ASes peer.",
    keys: &[required("peers", Kind::List { item: &ASN, min: 2, max: 2 }, "The two.")],
};

static PRESENCE: Mapping = Mapping {
    name: "presence",
    doc: "Where an AS is.",
    keys: &[
        required("asn", ASN, "Which."),
        required("at", some(&Kind::Point), "Its places, `[latitude, longitude]` each."),
    ],
};

pub(super) static ANNOUNCEMENT: Mapping = Mapping {
    name: "announcement",
    doc: "How a prefix is announced at a site. Requests to the neighbour stand for communities.",
    keys: &[
        required("prefix", Kind::Ref(Entity::Prefix), "What."),
        required("site", Kind::Ref(Entity::Site), "Where."),
        optional(
            "link",
            Kind::Ref(Entity::Link),
            "Over which link; over all of the site if absent.",
        ),
        default("announce", Kind::Flag, "true", "Whether at all."),
        default("prepend", Kind::Count { min: 0, max: 100 }, "0", "Our AS so many times more."),
        optional(
            "med",
            Kind::Count { min: 0, max: u32::MAX as u64 },
            "Multi-exit discriminator, for sessions with the same neighbour.",
        ),
        default("no_export", Kind::Flag, "false", "The neighbour keeps it to itself."),
        optional("no_export_to", list(&ASN), "The neighbour does not export it to these ASes."),
        optional(
            "prepend_to",
            list(&Kind::Map(&PREPEND_TO)),
            "The neighbour prepends itself towards these ASes.",
        ),
        optional(
            "local_pref",
            Kind::Count { min: 0, max: u32::MAX as u64 },
            "The neighbour gives it this local preference. Customers have 400, peers 300, route \
             servers 200, providers 100.",
        ),
        default("blackhole", Kind::Flag, "false", "The neighbour discards traffic to it."),
    ],
};

static PREPEND_TO: Mapping = Mapping {
    name: "prepend_to",
    doc: "Prepending by a neighbour.",
    keys: &[
        required("asn", ASN, "Towards whom."),
        default("times", Kind::Count { min: 1, max: 100 }, "1", "How often."),
    ],
};

static ROA: Mapping = Mapping {
    name: "roa",
    doc: "An authorisation to originate (RFC 6482).",
    keys: &[
        required("prefix", Kind::Ref(Entity::Prefix), "What."),
        required("asn", ASN, "Who may."),
        default("more_specifics", Kind::Flag, "false", "Whether more specific blocks too."),
    ],
};

static VALIDATOR: Mapping = Mapping {
    name: "validator",
    doc: "An AS that validates the origin of routes (RFC 6811).",
    keys: &[
        required("asn", ASN, "Which."),
        default(
            "invalid",
            Kind::Choice(&["drop", "depreference"]),
            "drop",
            "What it does with invalid routes.",
        ),
    ],
};

static SESSION: Mapping = Mapping {
    name: "route_session",
    doc: "How one AS configures its sessions with another. For the other's end write another row \
          with `between` turned round.",
    keys: &[
        required(
            "between",
            Kind::List { item: &ASN, min: 2, max: 2 },
            "The AS that is configured, then the AS at the other end. One of them may be ours.",
        ),
        optional(
            "link",
            Kind::Ref(Entity::Link),
            "Of our own sessions, only the one over this link; all with that neighbour if absent.",
        ),
        optional("import", POLICIES, "Policies for what the first AS hears, in order."),
        optional("export", POLICIES, "Policies for what the first AS tells, in order."),
        optional(
            "mrai",
            crate::bgp::MRAI_KIND,
            "Pace of what the first AS tells; that of `bgp_timing` if absent.",
        ),
        optional("delay", TRAVEL, "Time a message takes, both ways; `session_delay` if absent."),
        optional(
            "delay_jitter",
            Kind::Ratio { min: 0.0, max: 10.0 },
            "Each message takes longer by a share drawn from 0 to this, both ways; \
             `session_jitter` if absent.",
        ),
        optional(
            "prefixes_max",
            Kind::Count { min: 0, max: u32::MAX as u64 },
            "If the first AS hears more prefixes than this, it tears the session down.",
        ),
        optional(
            "restart",
            Kind::Span { min: NS_S, max: NS_H },
            "How long it stays down then; for good if absent.",
        ),
    ],
};

static REPLAY: Mapping = Mapping {
    name: "route_replay",
    doc: "Recorded originations by others become hijacks. An AS counts as originating a block while \
          at least `share` of all recorded peers have a path to it that ends with that AS. Paths \
          that end with a set name nobody. What we announce follows from the scenario alone.",
    keys: &[
        required("file", Kind::Path, "The recording, `steerlab-bgp-updates/1`."),
        required("blocks", some(&Kind::Map(&REPLAY_BLOCK)), "Recorded blocks that stand for ours."),
        default("share", FRACTION, "5%", "Share of the peers; one peer at least."),
        optional("ours", list(&ASN), "AS numbers that stand for us, besides `asn`."),
        optional("origins", some(&ASN), "Only these ASes; all others but ours if absent."),
        default("at", ANY_SPAN, "0s", "When in the run second 0 of the recording is."),
    ],
};

static REPLAY_BLOCK: Mapping = Mapping {
    name: "route_replay_block",
    doc: "A recorded block and the prefix that it stands for.",
    keys: &[
        required("block", Kind::Text, "As recorded, such as `192.0.2.0/24`."),
        required("prefix", Kind::Ref(Entity::Prefix), "Our prefix."),
        default(
            "more_specific",
            Kind::Flag,
            "false",
            "Whether it is more specific than what we announce, so that it wins wherever it is \
             heard.",
        ),
    ],
};

static BGP_TIMING: Mapping = Mapping {
    name: "bgp_timing",
    doc: "How fast BGP is, the same everywhere.",
    keys: &[
        default("session_delay", TRAVEL, "50ms", "Time a message takes."),
        default(
            "session_jitter",
            Kind::Ratio { min: 0.0, max: 10.0 },
            "100%",
            "Each message takes longer by a share drawn from 0 to this.",
        ),
        default("processing", SHORT, "10ms", "Time a speaker needs for what arrived."),
        default("mrai", SHORT, "30s", "Shortest time between two announcements to a neighbour."),
        default(
            "mrai_jitter",
            Kind::Ratio { min: 0.0, max: 1.0 },
            "25%",
            "Each such time is shorter by a share drawn from 0 to this.",
        ),
        default(
            "mrai_scope",
            Kind::Choice(&["peer", "prefix"]),
            "peer",
            "One timer for a neighbour, or one for each prefix.",
        ),
        default("withdrawals_wait", Kind::Flag, "false", "Whether withdrawals wait for it too."),
        default("damping", Kind::Flag, "false", "Route-flap damping (RFC 2439, usual values)."),
        default(
            "step",
            Kind::Span { min: 1_000_000, max: 60 * NS_S },
            "100ms",
            "Users are moved at whole multiples of this; what comes and goes within is not seen.",
        ),
    ],
};

static BGP_CONVERGENCE: Mapping = Mapping {
    name: "bgp_convergence",
    doc: "An exponential time on top of a shortest one, cut at a longest one.",
    keys: &[
        default("min", Kind::Span { min: 0, max: NS_D }, "5s", "Shortest."),
        default("mean", Kind::Span { min: 0, max: NS_D }, "30s", "Mean of what comes on top."),
        default("max", Kind::Span { min: 0, max: NS_D }, "180s", "Longest."),
    ],
};

macro_rules! trouble {
    ($static:ident, $name:literal, $doc:literal, [$($key:expr),+ $(,)?]) => {
        pub(super) static $static: Mapping = Mapping {
            name: $name,
            doc: $doc,
            keys: &[$($key,)+ AT, UNTIL, LABEL],
        };
    };
}

const AT: Key = super::control::AT;
const UNTIL: Key = super::control::UNTIL;
const LABEL: Key = super::control::LABEL;
const WHO: Key = required("asn", ASN, "Which AS.");

trouble!(
    SESSION_DOWN,
    "session_down",
    "BGP over a link goes down; the link itself stays up. With `until` it is a session reset.",
    [required("link", Kind::Ref(Entity::Link), "Which link to a neighbour."),]
);
trouble!(LEAK, "leak", "An AS exports all it knows to everybody (RFC 7908).", [WHO]);
trouble!(
    HIJACK,
    "hijack",
    "An AS originates our prefix.",
    [
        WHO,
        required("prefix", Kind::Ref(Entity::Prefix), "Which prefix."),
        default(
            "more_specific",
            Kind::Flag,
            "false",
            "It announces more specific blocks, which win wherever they are heard."
        ),
        default(
            "pretend",
            Kind::Flag,
            "false",
            "It pretends that our AS is behind it, so that the origin looks valid."
        ),
    ]
);
trouble!(
    BLACKHOLE,
    "blackhole",
    "An AS goes on announcing but discards what it gets for our prefixes.",
    [WHO]
);
trouble!(
    ZOMBIE,
    "zombie",
    "An AS ignores withdrawals and keeps the routes it has. After `until`, `solver: direct` drops what it kept; with `events` it stays until it is announced or withdrawn again or the session goes down.",
    [WHO]
);
trouble!(
    DEPEER,
    "depeer",
    "Two ASes have no session any more.",
    [required("between", Kind::List { item: &ASN, min: 2, max: 2 }, "The two."),]
);
trouble!(
    LOCAL_PREF,
    "local_pref_override",
    "An AS gives routes of a neighbour another local preference.",
    [
        WHO,
        required("neighbour", ASN, "Whose routes."),
        required(
            "value",
            Kind::Count { min: 0, max: u32::MAX as u64 },
            "The preference; customers have 400, peers 300, route servers 200, providers 100."
        ),
    ]
);
