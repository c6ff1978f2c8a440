//! Events, agents, routing, feeds, actuators, arms, comparison.

use super::routing;
use super::{
    ANY_SPAN, Entity, FRACTION, Key, Kind, Mapping, NS_D, STEP, WEIGHT, default, one_of, optional,
    required, some,
};

pub(super) const AT: Key = required("at", Kind::Moment, "When.");
pub(super) const UNTIL: Key = optional("until", Kind::Moment, "Until when; for good if absent.");
pub(super) const LABEL: Key = default("label", Kind::Text, "", "What people call it.");

pub(super) static EVENT: Mapping = Mapping {
    name: "event",
    doc: "Something that happens to the world, in every arm alike. One key a list item.",
    keys: &[
        one_of("fail", Kind::Map(&FAIL), "Something fails."),
        one_of("degrade", Kind::Map(&DEGRADE), "Some members of a bundle fail."),
        one_of("servers-down", Kind::Map(&SERVERS_DOWN), "Some servers of a pool fail."),
        one_of("feed-outage", Kind::Map(&FEED_OUTAGE), "A feed delivers nothing."),
        one_of("session-down", Kind::Map(&routing::SESSION_DOWN), "A BGP session goes down."),
        one_of("leak", Kind::Map(&routing::LEAK), "An AS leaks routes."),
        one_of("hijack", Kind::Map(&routing::HIJACK), "An AS originates our prefix."),
        one_of("blackhole", Kind::Map(&routing::BLACKHOLE), "An AS discards traffic to us."),
        one_of("zombie", Kind::Map(&routing::ZOMBIE), "An AS ignores withdrawals."),
        one_of("depeer", Kind::Map(&routing::DEPEER), "Two ASes part."),
        one_of("local-pref", Kind::Map(&routing::LOCAL_PREF), "An AS prefers otherwise."),
        one_of("mark", Kind::Map(&MARK), "Nothing changes: a mark on the time axis."),
    ],
};

static FAIL: Mapping = Mapping {
    name: "fail",
    doc: "A site, a link or a shared-risk group fails.",
    keys: &[
        one_of("site", Kind::Ref(Entity::Site), "This site loses power."),
        one_of("link", Kind::Ref(Entity::Link), "This link."),
        one_of("srlg", Kind::Ref(Entity::Srlg), "All links of this group."),
        AT,
        UNTIL,
        LABEL,
    ],
};

static DEGRADE: Mapping = Mapping {
    name: "degrade",
    doc: "Some members of a link bundle fail.",
    keys: &[
        required("link", Kind::Ref(Entity::Link), "Which link."),
        required("members_down", Kind::Count { min: 1, max: 1_024 }, "How many members."),
        AT,
        UNTIL,
        LABEL,
    ],
};

static SERVERS_DOWN: Mapping = Mapping {
    name: "servers_down",
    doc: "Some servers of a pool are out of service.",
    keys: &[
        required("pool", Kind::Ref(Entity::Pool), "Which pool, `site/pool` or `site/colo/pool`."),
        required("share", FRACTION, "Which share of its servers."),
        AT,
        UNTIL,
        LABEL,
    ],
};

static FEED_OUTAGE: Mapping = Mapping {
    name: "feed_outage",
    doc: "A feed delivers nothing for a while.",
    keys: &[
        required("feed", Kind::Choice(&["sites", "links", "tenants", "topology"]), "Which feed."),
        AT,
        required("until", Kind::Moment, "Until when."),
        LABEL,
    ],
};

static MARK: Mapping =
    Mapping { name: "mark", doc: "A mark on the time axis.", keys: &[AT, LABEL] };

pub(super) static AGENT: Mapping = Mapping {
    name: "agent",
    doc: "Automation of somebody else, such as a neighbour's traffic engineering.",
    keys: &[
        required("id", Kind::Id, "Name."),
        default("label", Kind::Text, "", "Text for people; the id if empty."),
        required("steps", some(&Kind::Map(&AGENT_STEP)), "What it does."),
    ],
};

static AGENT_STEP: Mapping = Mapping {
    name: "agent_step",
    doc: "One step of an agent. One key a list item.",
    keys: &[
        one_of("withdraw", Kind::Map(&AGENT_WITHDRAW), "Stops announcing on some links."),
        one_of("restore", Kind::Map(&AGENT_RESTORE), "Announces everything again."),
    ],
};

const SESSIONS: Kind = some(&Kind::Ref(Entity::Link));

static AGENT_WITHDRAW: Mapping = Mapping {
    name: "agent_withdraw",
    doc: "A neighbour stops announcing a share of its address blocks.",
    keys: &[
        required("links", SESSIONS, "On which links."),
        default("share", FRACTION, "100%", "Share of its blocks, rounded up to whole ones."),
        optional(
            "if_above",
            Kind::Ratio { min: 0.0, max: 100.0 },
            "Only if one of the links is used more than this by then.",
        ),
        AT,
        LABEL,
    ],
};

static AGENT_RESTORE: Mapping = Mapping {
    name: "agent_restore",
    doc: "A neighbour announces everything again.",
    keys: &[required("links", SESSIONS, "On which links."), AT, LABEL],
};

pub(super) static FEEDS: Mapping = Mapping {
    name: "feeds",
    doc: "How policies see the world.",
    keys: &[
        default(
            "oracle",
            Kind::Flag,
            "false",
            "Whether all feeds see the last second at once and exactly.",
        ),
        optional("sites", Kind::Map(&FEED_SITES), "CPU load and requests of sites."),
        optional("links", Kind::Map(&FEED_LINKS), "Load and drops of links."),
        optional("tenants", Kind::Map(&FEED_TENANTS), "Load of tenants towards neighbours."),
        optional("topology", Kind::Map(&FEED_TOPOLOGY), "Which links are up."),
    ],
};

const NOISE: Key = default(
    "noise",
    Kind::Ratio { min: 0.0, max: 1.0 },
    "0",
    "Standard deviation of the relative error.",
);

macro_rules! feed {
    ($static:ident, $name:literal, $doc:literal, $period:literal, $delay:literal) => {
        static $static: Mapping = Mapping {
            name: $name,
            doc: $doc,
            keys: &[
                default(
                    "period",
                    STEP,
                    $period,
                    "Time between samples; a sample is the mean over it.",
                ),
                default("delay", ANY_SPAN, $delay, "Time from sample to delivery."),
                NOISE,
            ],
        };
    };
}

feed!(FEED_SITES, "feed_of_sites", "CPU load and requests of sites.", "10s", "5s");
feed!(FEED_LINKS, "feed_of_links", "Load and drops of links.", "6s", "5s");
feed!(FEED_TENANTS, "feed_of_tenants", "Load of tenants towards neighbours.", "10s", "5s");

static FEED_TOPOLOGY: Mapping = Mapping {
    name: "feed_of_topology",
    doc: "Which links are up; told at every change.",
    keys: &[default("delay", ANY_SPAN, "1s", "Time from change to delivery.")],
};

const DELAY_MAX: Kind = Kind::Span { min: 0, max: NS_D };

macro_rules! actuator {
    ($static:ident, $name:literal, $doc:literal, $delay:literal) => {
        static $static: Mapping = Mapping {
            name: $name,
            doc: $doc,
            keys: &[
                default("delay", DELAY_MAX, $delay, "Time from request to effect."),
                default("jitter", DELAY_MAX, "0s", "Additional uniform random time."),
                default("failure", FRACTION, "0", "Chance that an action is lost."),
            ],
        };
    };
}

actuator!(ACT_ANNOUNCE, "actuator_announce", "Announcements; routing converges afterwards.", "5s");
actuator!(ACT_DNS, "actuator_dns", "DNS answers.", "30s");
actuator!(ACT_SPILL, "actuator_spill", "Moving service between sites.", "3s");
actuator!(ACT_BALANCE, "actuator_balance", "Balancer weights.", "2s");
actuator!(ACT_PATHS, "actuator_paths", "Backbone paths, staged.", "60s");
actuator!(ACT_EGRESS, "actuator_egress", "Egress choice.", "30s");
actuator!(ACT_ADMIT, "actuator_admit", "Tenant limits.", "2s");

/// A delay alone, or all fields.
const fn actuator(name: &'static str, mapping: &'static Mapping, doc: &'static str) -> Key {
    optional(name, Kind::Either(&DELAY_MAX, mapping), doc)
}

pub(super) static ACTUATORS: Mapping = Mapping {
    name: "actuators",
    doc: "How actions take effect, by surface. A span alone is the delay.",
    keys: &[
        actuator("announce", &ACT_ANNOUNCE, "Announcements."),
        actuator("dns", &ACT_DNS, "DNS answers."),
        actuator("spill", &ACT_SPILL, "Moving service between sites."),
        actuator("balance", &ACT_BALANCE, "Balancer weights."),
        actuator("paths", &ACT_PATHS, "Backbone paths."),
        actuator("egress", &ACT_EGRESS, "Egress choice."),
        actuator("admit", &ACT_ADMIT, "Tenant limits."),
    ],
};

pub(super) static ARM: Mapping = Mapping {
    name: "arm",
    doc: "One set of policies under comparison.",
    keys: &[
        required("id", Kind::Id, "Name."),
        default("label", Kind::Text, "", "Text for people; the id if empty."),
        required(
            "policies",
            some(&Kind::Policy),
            "Its policies: `name`, or `name: {parameter: value}`; `period` is the time between \
             decisions.",
        ),
        optional(
            "balancer",
            Kind::Balancer,
            "Who chooses servers in `zoom`, instead of the balancer named there.",
        ),
    ],
};

/// What is compared where nothing is said, as far as the catalogue has it.
pub(crate) const COMPARE_METRICS_DEFAULT: [&str; 2] = ["loss_ratio", "latency_ms_p99"];

pub(super) static COMPARE: Mapping = Mapping {
    name: "compare",
    doc: "What `compare` judges.",
    keys: &[
        optional(
            "metrics",
            some(&Kind::Metric),
            "Primary metrics, with labels as in checks; `loss_ratio` and `latency_ms_p99` if absent.",
        ),
        default(
            "margin",
            Kind::Ratio { min: 0.0, max: 10.0 },
            "1%",
            "Smallest relative difference that matters.",
        ),
        default(
            "confidence",
            Kind::Ratio { min: 0.5, max: 0.9999 },
            "95%",
            "Confidence level of intervals.",
        ),
    ],
};

/// A step of the `scripted` policy.
pub(crate) static SCRIPT_STEP: Mapping = Mapping {
    name: "script_step",
    doc: "A step of a script parameter: a time and one action.",
    keys: &[
        AT,
        default("cause", Kind::Text, "script", "Why, for the record."),
        one_of("withdraw", Kind::Map(&PREFIX_AT_SITE), "A site stops announcing a prefix."),
        one_of("announce", Kind::Map(&PREFIX_AT_SITE), "A site announces a prefix again."),
        one_of(
            "change-announcement",
            Kind::Map(&routing::ANNOUNCEMENT),
            "A site announces a prefix otherwise from now on.",
        ),
        one_of("spill", Kind::Map(&SPILL), "A share of what lands here is served there."),
        one_of("answer", Kind::Map(&ANSWER), "Queries for a DNS name are answered so."),
        one_of(
            "set-weights",
            Kind::Map(&POOL_WEIGHTS),
            "Balancers of a colo in `zoom` send new connections and requests by these weights.",
        ),
        one_of("limit-tenant", Kind::Map(&TENANT_RATE), "Polices a tenant towards a neighbour."),
        one_of(
            "remark-tenant",
            Kind::Map(&TENANT_RATE),
            "Carries what exceeds a rate in the last class.",
        ),
        one_of("lift-tenant-limit", Kind::Map(&TENANT_AND_NEIGHBOUR), "Ends both."),
        one_of("follow-igp", Kind::Flag, "`true`: backbone traffic follows shortest paths again."),
    ],
};

static PREFIX_AT_SITE: Mapping = Mapping {
    name: "prefix_at_site",
    doc: "A prefix and a site.",
    keys: &[
        required("prefix", Kind::Ref(Entity::Prefix), "Which prefix."),
        required("site", Kind::Ref(Entity::Site), "Which site."),
    ],
};

static SPILL: Mapping = Mapping {
    name: "spill",
    doc: "Moving service from one site to another.",
    keys: &[
        required("from", Kind::Ref(Entity::Site), "Landing site."),
        required("to", Kind::Ref(Entity::Site), "Serving site."),
        optional("tenant", Kind::Ref(Entity::Tenant), "Only this tenant's; everybody's if absent."),
        required("share", FRACTION, "Share moved; 0 ends it."),
    ],
};

static ANSWER: Mapping = Mapping {
    name: "answer",
    doc: "How queries for a DNS name are answered: all of them, or those of one client group or \
          resolver. A query gets the answer of the narrowest of these that it is known to be of.",
    keys: &[
        required("name", Kind::Ref(Entity::DnsName), "Which name."),
        optional("client_group", Kind::Ref(Entity::ClientGroup), "Only of these users."),
        optional("resolver", Kind::Ref(Entity::DnsResolver), "Only through this resolver."),
        optional(
            "to",
            Kind::Dict { of: Entity::Prefix, value: &WEIGHT },
            "Prefixes with relative shares of queries; ends the answer of this client group, \
             resolver or all if absent.",
        ),
    ],
};

static POOL_WEIGHTS: Mapping = Mapping {
    name: "pool_weights",
    doc: "How the balancers of a colo weigh its servers.",
    keys: &[required(
        "to",
        Kind::Dict { of: Entity::Pool, value: &WEIGHT },
        "Pools of one colo with the relative weight of each of their servers. Servers of pools that \
         are not named take no new work, nor do those of weight 0.",
    )],
};

static TENANT_RATE: Mapping = Mapping {
    name: "tenant_rate",
    doc: "A tenant, a neighbour and a rate.",
    keys: &[
        required("tenant", Kind::Ref(Entity::Tenant), "Which tenant."),
        required("neighbour", Kind::Ref(Entity::Neighbour), "Towards which neighbour."),
        required("rate", Kind::Bandwidth { min: 0 }, "Rate over all sites."),
    ],
};

static TENANT_AND_NEIGHBOUR: Mapping = Mapping {
    name: "tenant_and_neighbour",
    doc: "A tenant and a neighbour.",
    keys: &[
        required("tenant", Kind::Ref(Entity::Tenant), "Which tenant."),
        required("neighbour", Kind::Ref(Entity::Neighbour), "Towards which neighbour."),
    ],
};
