//! The top level of a scenario.

use super::{
    Kind, Mapping, NS_D, STEP, control, default, dns, edge, list, optional, required, routing,
    some, traffic, world, zoom,
};
use crate::limits;

/// The only format there is so far.
const FORMAT: &str = "steerlab-scenario/1";

/// The whole scenario.
pub(crate) static ROOT: Mapping = Mapping {
    name: "scenario",
    doc: "The top level of a scenario file.",
    keys: &[
        required("format", Kind::Choice(&[FORMAT]), "Version of the language."),
        required("name", Kind::Id, "Name of the scenario, used for files."),
        default("label", Kind::Text, "", "Title for people; the name if empty."),
        default("description", Kind::Text, "", "What it shows, with sources."),
        optional(
            "assumptions",
            list(&Kind::Text),
            "Statements a reader must know before trusting a result.",
        ),
        required("seed", Kind::Count { min: 0, max: u64::MAX }, "Root of all chance."),
        optional(
            "start",
            Kind::DateTime,
            "Wall-clock time of the start; midnight UTC of no particular day if absent.",
        ),
        required(
            "horizon",
            Kind::Span { min: limits::STEP_NS_MIN, max: limits::HORIZON_NS_MAX },
            "Length of the run.",
        ),
        default("bucket", STEP, "1min", "Width of a time bucket in the tables."),
        optional(
            "client_bucket",
            STEP,
            "Width of a bucket in the table of client groups, a multiple of `bucket`. If absent: a \
             24th of the horizon, at least `bucket` and at most an hour.",
        ),
        default("traffic_step", STEP, "1min", "How often demand changes between events."),
        default(
            "fidelity",
            Kind::Choice(&["fluid", "flows"]),
            "fluid",
            "How traffic is played. `fluid`: all as rates. `flows`: responses and transfers of \
             services with `flow` one by one; the rest as rates.",
        ),
        default(
            "replications",
            Kind::Count { min: 1, max: limits::REPLICATIONS_MAX },
            "1",
            "How often each arm is run, each time with its own draws.",
        ),
        optional(
            "includes",
            list(&Kind::Path),
            "Scenario files whose lists are appended to those of this file.",
        ),
        optional("generate", Kind::Map(&world::GENERATE), "A made-up world of a given size."),
        optional(
            "sites",
            Kind::List { item: &Kind::Map(&world::SITE), min: 0, max: limits::SITES_MAX },
            "Sites.",
        ),
        optional("neighbours", list(&Kind::Map(&world::NEIGHBOUR)), "Other ASes."),
        optional(
            "links",
            Kind::List { item: &Kind::Map(&world::LINK), min: 0, max: limits::LINKS_MAX },
            "Links.",
        ),
        optional(
            "classes",
            some(&Kind::Map(&traffic::CLASS)),
            "Traffic classes, first served first; one class `default` if absent.",
        ),
        optional(
            "tenants",
            some(&Kind::Map(&traffic::TENANT)),
            "Tenants; one tenant `default` if absent.",
        ),
        optional(
            "services",
            some(&Kind::Map(&traffic::SERVICE)),
            "Services; one service `transfer` (bits only) if absent.",
        ),
        optional(
            "prefixes",
            Kind::List { item: &Kind::Map(&traffic::PREFIX), min: 0, max: limits::PREFIXES_MAX },
            "Prefixes: address blocks that sites announce.",
        ),
        optional(
            "client_groups",
            Kind::List {
                item: &Kind::Map(&traffic::CLIENT_GROUP),
                min: 0,
                max: limits::CLIENT_GROUPS_MAX,
            },
            "Client groups.",
        ),
        optional("dns", Kind::Map(&dns::DNS), "DNS names and how their answers are followed."),
        optional("caches", Kind::Map(&edge::CACHES), "Caches at sites, and the origin."),
        optional("admission", Kind::Map(&edge::ADMISSION), "Who is let in at sites."),
        optional("profiles", list(&Kind::Map(&traffic::PROFILE)), "Daily shapes."),
        optional("demands", list(&Kind::Forms(traffic::DEMAND_FORMS)), "Demands."),
        optional("demand_noise", Kind::Map(&traffic::NOISE), "Random variation of demand."),
        optional("surges", list(&Kind::Map(&traffic::SURGE)), "Surges of demand."),
        optional("events", list(&Kind::Map(&control::EVENT)), "What happens to the world."),
        optional("agents", list(&Kind::Map(&control::AGENT)), "Automation that is not ours."),
        optional("routing", Kind::Map(&routing::ROUTING), "Where users land, how routing reacts."),
        default(
            "queue_limit",
            Kind::Span { min: 0, max: NS_D },
            "10s",
            "Longest backlog of a server pool, as time of work at full capacity.",
        ),
        optional("zoom", list(&Kind::Map(&zoom::ZOOM)), "Colos played request by request."),
        optional("feeds", Kind::Map(&control::FEEDS), "How policies see the world."),
        optional("actuators", Kind::Map(&control::ACTUATORS), "How actions take effect."),
        required(
            "arms",
            some(&Kind::Map(&control::ARM)),
            "What is compared; the first is the baseline.",
        ),
        optional("checks", list(&Kind::Check), "What must hold; judged after the runs."),
        optional("compare", Kind::Map(&control::COMPARE), "What `compare` judges."),
    ],
};
