//! The keys of a sharing lab.

use crate::table::{Entity, Kind, Mapping, default, list, one_of, optional, required, some};

const LINK: Kind = Kind::Ref(Entity::Link);
const PATH: Kind = some(&LINK);
const RATE: Kind = Kind::Bandwidth { min: 0 };
const ABOVE_ZERO: Kind = Kind::Bandwidth { min: 1 };
const CLASS: Kind = Kind::Count { min: 0, max: 255 };

/// The whole lab.
pub(super) static SHARE: Mapping = Mapping {
    name: "share_lab",
    doc: "The top level of a sharing lab file.",
    keys: &[
        required("format", Kind::Choice(&["steerlab-share/1"]), "Version of the language."),
        required("name", Kind::Id, "Name of the lab."),
        default("label", Kind::Text, "", "Title for people; the name if empty."),
        default("description", Kind::Text, "", "What it shows."),
        default("source", Kind::Text, "", "Where it comes from."),
        required("links", some(&Kind::Map(&SHARED_LINK)), "What is shared."),
        one_of("flows", some(&Kind::Map(&FLOW)), "Who shares it max-min fairly."),
        one_of("demands", some(&Kind::Map(&DEMAND)), "Who shares it by bandwidth functions."),
        optional("background", list(&Kind::Map(&BACKGROUND)), "Inelastic load; with flows only."),
        optional("expect", Kind::Map(&EXPECT), "What must come out."),
    ],
};

static SHARED_LINK: Mapping = Mapping {
    name: "shared_link",
    doc: "One direction of a link, or anything else that has a capacity.",
    keys: &[required("id", Kind::Id, "Name."), required("capacity", RATE, "What it can carry.")],
};

static FLOW: Mapping = Mapping {
    name: "shared_flow",
    doc: "Flows with one path, weight, cap and class.",
    keys: &[
        required("id", Kind::Id, "Name."),
        required("path", PATH, "Links it crosses; a link named twice carries it twice."),
        default("weight", Kind::Number { min: 1e-6, max: 1e6 }, "1", "Share relative to others."),
        optional("cap", ABOVE_ZERO, "Largest rate of one of them; none if absent."),
        default("class", CLASS, "0", "Served in this order, 0 first; the next gets what is left."),
        default("count", Kind::Count { min: 1, max: 1_000_000 }, "1", "How many there are."),
    ],
};

static BACKGROUND: Mapping = Mapping {
    name: "background",
    doc: "Load that takes its part before the flows of its class, whatever they want.",
    keys: &[
        required("link", LINK, "Where."),
        required("rate", RATE, "How much."),
        default("class", CLASS, "0", "Its class."),
    ],
};

static DEMAND: Mapping = Mapping {
    name: "shared_demand",
    doc: "Somebody with a bandwidth function and tunnels (Jain et al., B4, SIGCOMM 2013).",
    keys: &[
        required("id", Kind::Id, "Name."),
        required("tunnels", some(&PATH), "Its tunnels as lists of links, the best first."),
        required(
            "applications",
            some(&Kind::Map(&APPLICATION)),
            "Whose wishes make up its bandwidth function.",
        ),
    ],
};

static APPLICATION: Mapping = Mapping {
    name: "application",
    doc: "A part of a demand.",
    keys: &[
        required("per_share", ABOVE_ZERO, "What it wants per unit of fair share."),
        required("demand", ABOVE_ZERO, "What it wants at most."),
    ],
};

static EXPECT: Mapping = Mapping {
    name: "share_expect",
    doc: "What must come out; what is not named is not judged.",
    keys: &[
        default(
            "tolerance",
            Kind::Ratio { min: 0.0, max: 1.0 },
            "0.000001",
            "Relative difference allowed.",
        ),
        optional("flows", list(&Kind::Map(&EXPECTED_FLOW)), "What flows get."),
        optional("tunnels", list(&Kind::Map(&EXPECTED_TUNNELS)), "What demands get."),
        optional(
            "freezes",
            list(&Kind::Map(&EXPECTED_FREEZE)),
            "Which links become full, from the first on.",
        ),
    ],
};

static EXPECTED_FLOW: Mapping = Mapping {
    name: "expected_flow",
    doc: "What a flow must get.",
    keys: &[
        required("flow", Kind::Ref(Entity::Flow), "Which."),
        required("rate", RATE, "Rate of one of them."),
        optional("held_by", Kind::Word("cap", &LINK), "The link that holds it back, or `cap`."),
    ],
};

static EXPECTED_TUNNELS: Mapping = Mapping {
    name: "expected_tunnels",
    doc: "What a demand must get.",
    keys: &[
        required("demand", Kind::Ref(Entity::Demand), "Which."),
        required("rates", some(&RATE), "Rate on each of its tunnels, in their order."),
    ],
};

static EXPECTED_FREEZE: Mapping = Mapping {
    name: "expected_freeze",
    doc: "A link that must become full.",
    keys: &[
        required("link", LINK, "Which."),
        required("fair_share", Kind::Number { min: 0.0, max: 1e12 }, "At which fair share."),
    ],
};
