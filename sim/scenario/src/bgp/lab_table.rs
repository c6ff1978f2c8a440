//! The keys of a BGP lab: speakers, sessions, prefixes, what happens, what is expected.

use super::policy_table::{ASN, MED, ORIGINS, PREPEND, ROUTE_POLICY};
use crate::table::{
    ANY_SPAN, Entity, FRACTION, Key, Kind, Mapping, NS_D, NS_S, default, list, one_of, optional,
    required, some,
};

const SPEAKER_REF: Kind = Kind::Ref(Entity::Speaker);
const PREFIX_REF: Kind = Kind::Ref(Entity::Prefix);
const SESSION_REF: Kind = Kind::Ref(Entity::Session);
const POLICIES: Kind = list(&Kind::Ref(Entity::RoutePolicy));
const TEXTS: Kind = list(&Kind::Text);
const COST: Kind = Kind::Count { min: 1, max: 1 << 32 };
const MANY: Kind = Kind::Count { min: 0, max: 1_000_000_000 };

/// The whole lab.
pub(crate) static LAB: Mapping = Mapping {
    name: "bgp_lab",
    doc: "The top level of a BGP lab file.",
    keys: &[
        required("format", Kind::Choice(&["steerlab-bgp/1"]), "Version of the language."),
        required("name", Kind::Id, "Name of the lab."),
        default("label", Kind::Text, "", "Title for people; the name if empty."),
        default("description", Kind::Text, "", "What it shows."),
        default("source", Kind::Text, "", "Where it comes from."),
        default("seed", Kind::Count { min: 0, max: u64::MAX }, "1", "Root of all chance."),
        default("horizon", ANY_SPAN, "1d", "Longest time it is played without coming to rest."),
        default(
            "updates_max",
            MANY,
            "1000000",
            "Most announcements and withdrawals it is played for.",
        ),
        optional("defaults", Kind::Map(&DEFAULTS), "What holds where nothing else is said."),
        optional("decision", Kind::Map(&DECISION), "Options of the decision process."),
        required("speakers", some(&Kind::Map(&SPEAKER)), "Routers that speak BGP."),
        optional("sessions", list(&Kind::Map(&SESSION)), "BGP sessions."),
        optional("igp_links", list(&Kind::Map(&IGP_LINK)), "Links inside ASes."),
        optional("policies", list(&Kind::Map(&ROUTE_POLICY)), "Route policies."),
        required("prefixes", some(&Kind::Map(&PREFIX)), "Address blocks."),
        optional("roas", list(&Kind::Map(&ROA)), "Route-origin authorisations."),
        optional("announce", list(&Kind::Map(&ORIGINATION)), "Announced from the start."),
        optional("timeline", list(&Kind::Map(&STEP)), "What happens later."),
        optional("replay", Kind::Map(&REPLAY), "Recorded announcements and withdrawals."),
        optional("expect", Kind::Map(&super::expect_table::EXPECT), "What must come out."),
    ],
};

static DEFAULTS: Mapping = Mapping {
    name: "bgp_defaults",
    doc: "What holds for speakers and sessions that do not say otherwise.",
    keys: &[
        default("delay", ANY_SPAN, "10ms", "Time a message takes."),
        default("delay_jitter", FRACTION, "0", "Largest relative lengthening of that time."),
        default("processing", ANY_SPAN, "0s", "Time a speaker takes over what arrives."),
        default("mrai", MRAI_KIND, "0s", "Minimum route advertisement interval."),
        default("next_hop_self", Kind::Flag, "true", "Border routers are next hops in their AS."),
    ],
};

/// A waiting time: a span, or all that there is to say.
pub(crate) const MRAI_KIND: Kind = Kind::Either(&ANY_SPAN, &MRAI);

static MRAI: Mapping = Mapping {
    name: "mrai",
    doc: "Minimum route advertisement interval (RFC 4271, 9.2.1.1).",
    keys: &[
        required("interval", ANY_SPAN, "The interval; 0s: none."),
        default("jitter", FRACTION, "25%", "Each timer is shortened by up to this share."),
        default(
            "scope",
            Kind::Choice(&["peer", "prefix"]),
            "peer",
            "One timer a session, or one for each prefix of it.",
        ),
        default("withdrawals_wait", Kind::Flag, "false", "Whether withdrawals wait too."),
    ],
};

static DECISION: Mapping = Mapping {
    name: "decision",
    doc: "Options of the decision process, the same for all speakers.",
    keys: &[
        default("always_compare_med", Kind::Flag, "false", "Compare MEDs of different ASes too."),
        default("missing_med_is_worst", Kind::Flag, "false", "No MED is the worst, not 0."),
        default("prefer_oldest", Kind::Flag, "false", "The oldest eBGP route before router ids."),
        default("multipath", Kind::Flag, "false", "Routes equal up to the IGP cost share."),
    ],
};

static SPEAKER: Mapping = Mapping {
    name: "speaker",
    doc: "A router that speaks BGP.",
    keys: &[
        required("id", Kind::Id, "Name."),
        required("asn", ASN, "Its AS."),
        optional(
            "router_id",
            Kind::Text,
            "`10.0.0.1` or a number; its position, from 1, if absent.",
        ),
        optional("at", Kind::Point, "Where it is."),
        optional("cluster_id", Kind::Text, "Cluster id as a reflector; the router id if absent."),
        default(
            "validation",
            Kind::Choice(&["ignore", "drop", "depreference"]),
            "ignore",
            "What it does with routes that route-origin validation finds invalid.",
        ),
        optional("damping", Kind::Map(&DAMPING), "Route-flap damping on eBGP sessions."),
        optional("processing", ANY_SPAN, "Time it takes over what arrives."),
        optional(
            "path_length_max",
            Kind::Count { min: 1, max: 10_000 },
            "Routes with a longer AS path are refused.",
        ),
        optional(
            "permitted_paths",
            TEXTS,
            "The only paths it takes, best first: ids of speakers with spaces between, from itself \
             to the origin. Each speaker on them is an AS of its own.",
        ),
    ],
};

static DAMPING: Mapping = Mapping {
    name: "damping",
    doc: "Route-flap damping (RFC 2439).",
    keys: &[
        default("withdrawal_penalty", PENALTY, "1000", "Added at each withdrawal."),
        default("change_penalty", PENALTY, "500", "Added at each change of attributes."),
        default("suppress_above", PENALTY, "2000", "The route is not used from here on up."),
        default("reuse_below", REUSE, "750", "It is used again below this."),
        default("half_life", DECAY, "15min", "Time in which a penalty halves."),
        default("max_suppress", ANY_SPAN, "60min", "Longest time of suppression."),
    ],
};

/// A time in which something decays: never none.
const DECAY: Kind = Kind::Span { min: NS_S, max: NS_D };
/// Above zero: a penalty that only decays never reaches it.
const REUSE: Kind = Kind::Number { min: 1.0, max: 1e6 };
const PENALTY: Kind = Kind::Number { min: 0.0, max: 1e6 };

static SESSION: Mapping = Mapping {
    name: "bgp_session",
    doc: "A session between two speakers.",
    keys: &[
        optional("id", Kind::Id, "Name; `first-second` if absent."),
        required("ends", Kind::List { item: &SPEAKER_REF, min: 2, max: 2 }, "Its two speakers."),
        optional(
            "relation",
            Kind::Choice(super::policy_table::RELATIONS),
            "What the second end is to the first: `customer` means that the second pays the first, \
             `ibgp-client` that the first reflects the second's routes. `ibgp` inside an AS, \
             `plain` between ASes if absent.",
        ),
        optional("delay", ANY_SPAN, "Time a message takes."),
        optional("delay_jitter", FRACTION, "Largest relative lengthening of that time."),
        optional("mrai", MRAI_KIND, "Minimum route advertisement interval of both ends."),
        default("up", Kind::Flag, "true", "Whether it is up at the start."),
        optional(
            "sides",
            Kind::Dict { of: Entity::Speaker, value: &Kind::Map(&SIDE) },
            "How one end or both are configured.",
        ),
    ],
};

static SIDE: Mapping = Mapping {
    name: "session_side",
    doc: "One end of a session, as that end is configured.",
    keys: &[
        optional(
            "address",
            Kind::Text,
            "Its address; the router id plus the number of earlier sessions of this pair if absent.",
        ),
        optional("import", POLICIES, "Policies for what arrives, applied in order."),
        optional("export", POLICIES, "Policies for what is sent, applied in order."),
        optional("mrai", MRAI_KIND, "Minimum route advertisement interval of this end."),
        optional("prefixes_max", MANY, "More prefixes than this tear the session down."),
        optional("restart", ANY_SPAN, "How long it stays down then; for good if absent."),
        optional("next_hop_self", Kind::Flag, "Whether it is the next hop inside its AS."),
    ],
};

static IGP_LINK: Mapping = Mapping {
    name: "igp_link",
    doc: "A link inside an AS.",
    keys: &[
        optional("id", Kind::Id, "Name; `first-second` if absent."),
        required("ends", Kind::List { item: &SPEAKER_REF, min: 2, max: 2 }, "Its two speakers."),
        default("cost", COST, "1", "Cost from the first to the second."),
        optional("cost_back", COST, "Cost the other way; the same if absent."),
        default("up", Kind::Flag, "true", "Whether it is up at the start."),
    ],
};

static PREFIX: Mapping = Mapping {
    name: "bgp_prefix",
    doc: "An address block.",
    keys: &[
        required("id", Kind::Text, "Name, such as `192.0.2.0/24` or `anycast-a`."),
        optional("within", PREFIX_REF, "The next less specific block; it stands above this one."),
    ],
};

static ROA: Mapping = Mapping {
    name: "roa",
    doc: "An authorisation to originate (RFC 9582).",
    keys: &[
        required("prefix", PREFIX_REF, "For this block; it covers the more specific ones too."),
        required("asn", ASN, "The AS that may originate."),
        default(
            "more_specific_levels",
            Kind::Count { min: 0, max: 128 },
            "0",
            "How many levels of more specific blocks it allows too.",
        ),
    ],
};

const SPEAKER_KEY: Key = required("speaker", SPEAKER_REF, "Who.");
const PREFIX_KEY: Key = required("prefix", PREFIX_REF, "What.");
const AT: Key = required("at", ANY_SPAN, "When.");
const UNTIL: Key = optional("until", ANY_SPAN, "Until when; for good if absent.");

const MED_KEY: Key = default("med", MED, "none", "Multi-exit discriminator.");
const ORIGIN: Key = default("origin", Kind::Choice(ORIGINS), "igp", "Origin attribute.");
const MARKS: Key = optional("communities", TEXTS, "Communities.");
const PREPENDED: Key =
    default("prepend", PREPEND, "0", "Own AS put in front this many more times.");
const PATH: Key = default(
    "path",
    Kind::Text,
    "",
    "AS path behind the own AS, nearest first: how an outside speaker stands for a longer path, or \
     a hijacker pretends to be a neighbour of the victim.",
);
const SESSIONS: Key =
    optional("sessions", some(&SESSION_REF), "Sessions it is announced over; all if absent.");

static ORIGINATION: Mapping = Mapping {
    name: "origination",
    doc: "What a speaker originates.",
    keys: &[SPEAKER_KEY, PREFIX_KEY, MED_KEY, ORIGIN, MARKS, PREPENDED, PATH, SESSIONS],
};

static STEP: Mapping = Mapping {
    name: "bgp_step",
    doc: "Something that happens. One key a list item; what has the same time happens in the order \
          written.",
    keys: &[
        one_of("announce", Kind::Map(&ANNOUNCE), "Originates a prefix, or changes how."),
        one_of("withdraw", Kind::Map(&WITHDRAW), "Stops originating a prefix."),
        one_of("fail", Kind::Map(&FAIL), "A session, an IGP link or a speaker goes down."),
        one_of("repair", Kind::Map(&REPAIR), "A session, an IGP link or a speaker comes up."),
        one_of("reset", Kind::Map(&RESET), "A session goes down and up again."),
        one_of("cost", Kind::Map(&COST_CHANGE), "An IGP link changes its cost."),
        one_of("configure", Kind::Map(&CONFIGURE), "One end of a session gets other policies."),
        one_of("leak", Kind::Map(&LEAK), "A speaker exports everything to everybody."),
        one_of("relate", Kind::Map(&RELATE), "The ends of a session become something else."),
        one_of("zombie", Kind::Map(&ZOMBIE), "A speaker ignores withdrawals."),
        one_of("blackhole", Kind::Map(&BLACKHOLE), "A speaker discards traffic it attracts."),
    ],
};

static REPLAY: Mapping = Mapping {
    name: "bgp_replay",
    doc: "Recorded peers become speakers `AS7018-192.0.2.1`, each with a session to one speaker. \
          They announce and withdraw the blocks of `prefixes` at the recorded times over the \
          recorded paths; other blocks are left out. They hear nothing.",
    keys: &[
        required("file", Kind::Path, "The recording, `steerlab-bgp-updates/1`."),
        required("to", SPEAKER_REF, "The speaker that hears the peers."),
        default("peers", Kind::Word("all", &some(&ASN)), "all", "AS numbers of the peers played."),
        default(
            "from",
            ANY_SPAN,
            "0s",
            "Where in the recording it begins. What the peers hold then is announced at the start.",
        ),
        optional("until", ANY_SPAN, "Where in the recording it ends; its end if absent."),
        default("at", ANY_SPAN, "0s", "When in the lab that begin is."),
        default("delay", ANY_SPAN, "0s", "Time a message of a peer takes."),
        optional("import", POLICIES, "Policies of the speaker for what the peers announce."),
    ],
};

static ANNOUNCE: Mapping = Mapping {
    name: "announce",
    doc: "Originates a prefix, or changes how it is originated.",
    keys: &[SPEAKER_KEY, PREFIX_KEY, MED_KEY, ORIGIN, MARKS, PREPENDED, PATH, SESSIONS, AT],
};

static WITHDRAW: Mapping = Mapping {
    name: "withdraw",
    doc: "Stops originating a prefix.",
    keys: &[SPEAKER_KEY, PREFIX_KEY, AT],
};

static FAIL: Mapping = Mapping {
    name: "bgp_fail",
    doc: "A session, an IGP link or a speaker goes down.",
    keys: &[
        one_of("session", SESSION_REF, "This session."),
        one_of("igp_link", Kind::Ref(Entity::IgpLink), "This link inside an AS."),
        one_of("speaker", SPEAKER_REF, "This speaker, with its sessions and links."),
        AT,
        UNTIL,
    ],
};

static REPAIR: Mapping = Mapping {
    name: "bgp_repair",
    doc: "A session, an IGP link or a speaker comes up.",
    keys: &[
        one_of("session", SESSION_REF, "This session."),
        one_of("igp_link", Kind::Ref(Entity::IgpLink), "This link inside an AS."),
        one_of("speaker", SPEAKER_REF, "This speaker, with its sessions and links."),
        AT,
    ],
};

static RESET: Mapping = Mapping {
    name: "bgp_reset",
    doc: "A session goes down and up again.",
    keys: &[required("session", SESSION_REF, "Which session."), AT],
};

static COST_CHANGE: Mapping = Mapping {
    name: "igp_cost",
    doc: "An IGP link changes its cost.",
    keys: &[
        required("igp_link", Kind::Ref(Entity::IgpLink), "Which link."),
        required("cost", COST, "Cost from the first end to the second."),
        optional("cost_back", COST, "Cost the other way; the same if absent."),
        AT,
    ],
};

static CONFIGURE: Mapping = Mapping {
    name: "configure",
    doc: "One end of a session gets other policies.",
    keys: &[
        required("session", SESSION_REF, "Which session."),
        required("speaker", SPEAKER_REF, "Which end of it."),
        optional("import", POLICIES, "The new import policies; those of the start if absent."),
        optional("export", POLICIES, "The new export policies; those of the start if absent."),
        AT,
    ],
};

static LEAK: Mapping = Mapping {
    name: "leak",
    doc: "A speaker exports what it has to all neighbours, whatever their relation.",
    keys: &[SPEAKER_KEY, AT, UNTIL],
};

static RELATE: Mapping = Mapping {
    name: "relate",
    doc: "The two ends of a session become something else to each other, for instance by mistake.",
    keys: &[
        required("session", SESSION_REF, "Which session."),
        required(
            "relation",
            Kind::Choice(super::policy_table::RELATIONS),
            "What the second end is to the first from now on.",
        ),
        AT,
        UNTIL,
    ],
};

static ZOMBIE: Mapping = Mapping {
    name: "zombie",
    doc: "A speaker does not act on withdrawals that it hears.",
    keys: &[
        SPEAKER_KEY,
        optional("session", SESSION_REF, "On this session only; on all if absent."),
        AT,
        UNTIL,
    ],
};

static BLACKHOLE: Mapping = Mapping {
    name: "blackhole",
    doc: "A speaker discards traffic to a prefix while it announces the prefix as before.",
    keys: &[SPEAKER_KEY, PREFIX_KEY, AT, UNTIL],
};
