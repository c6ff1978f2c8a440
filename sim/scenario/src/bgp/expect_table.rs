//! The keys of what a BGP lab expects.

use super::policy_table::{MED, U32};
use crate::table::{ANY_SPAN, Entity, Key, Kind, Mapping, default, list, optional, required, some};

const SPEAKER_REF: Kind = Kind::Ref(Entity::Speaker);
const PREFIX: Key = optional(
    "prefix",
    Kind::Ref(Entity::Prefix),
    "For this prefix; may be absent if there is one only.",
);
const MANY: Kind = Kind::Count { min: 0, max: 1_000_000_000 };
/// A path by speakers, or `none`.
const PATHS: Kind = Kind::Dict { of: Entity::Speaker, value: &Kind::Text };

/// What must come out.
pub(crate) static EXPECT: Mapping = Mapping {
    name: "bgp_expect",
    doc: "What must come out. Every key is one expectation; the command fails if one is not met.",
    keys: &[
        optional(
            "outcome",
            Kind::Choice(&["converged", "diverged", "oscillating", "limit"]),
            "How it ends with the lab's own seed: at rest; in a state that came before, so that \
             it goes on for ever; changing without an exact repetition; or stopped by a limit.",
        ),
        optional("cycle", list(&SPEAKER_REF), "The speakers whose routes change for ever."),
        optional("period", ANY_SPAN, "How long one round of the cycle takes."),
        optional("stable_states", Kind::Map(&STABLE), "All stable states there are."),
        optional("seeds", Kind::Map(&SEEDS), "What happens over several seeds."),
        optional("moments", list(&Kind::Map(&MOMENT)), "Routes at certain moments."),
        optional("phases", list(&Kind::Map(&PHASE)), "Updates and times after certain moments."),
    ],
};

static STABLE: Mapping = Mapping {
    name: "stable_states",
    doc: "All stable states of the network as it is after the last change, for one prefix, found \
          by trying all of them.",
    keys: &[
        PREFIX,
        required(
            "states",
            list(&PATHS),
            "One mapping a state, from speakers to paths: ids of speakers with spaces between, \
             from itself to the origin, or `none`. Speakers left out may have any route.",
        ),
    ],
};

static SEEDS: Mapping = Mapping {
    name: "seeds",
    doc: "What happens when the lab is played with several seeds.",
    keys: &[
        required("count", Kind::Count { min: 1, max: 10_000 }, "Seeds 1 to this number."),
        default(
            "outcome",
            Kind::Choice(&["converged", "diverged", "oscillating", "limit"]),
            "converged",
            "How all of them end.",
        ),
        optional(
            "reached",
            list(&MANY),
            "Which of the stable states are reached by some seed, by position from 0; no other end \
             may occur.",
        ),
    ],
};

static MOMENT: Mapping = Mapping {
    name: "moment",
    doc: "Routes and forwarding at an instant.",
    keys: &[
        optional("at", ANY_SPAN, "When; the end if absent."),
        PREFIX,
        optional(
            "best",
            Kind::Dict { of: Entity::Speaker, value: &Kind::Either(&Kind::Text, &ROUTE) },
            "Best routes: a path by speakers as in `stable_states`, `none`, or details.",
        ),
        optional(
            "forward",
            Kind::Dict { of: Entity::Speaker, value: &Kind::Map(&FORWARD) },
            "Where packets from a speaker go.",
        ),
    ],
};

static ROUTE: Mapping = Mapping {
    name: "expected_route",
    doc: "What a best route must look like.",
    keys: &[
        optional("via", SPEAKER_REF, "The neighbour it was learned from."),
        optional("path", Kind::Text, "Path by speakers, from itself to the origin."),
        optional("as_path", Kind::Text, "AS path, nearest first."),
        optional("local_pref", U32, "Local preference."),
        optional("med", MED, "Multi-exit discriminator, or `none`."),
        optional("communities", list(&Kind::Text), "All its communities."),
    ],
};

static FORWARD: Mapping = Mapping {
    name: "forward",
    doc: "Where packets go.",
    keys: &[
        required(
            "ends",
            Kind::Choice(&["delivered", "loop", "black-hole", "discarded"]),
            "How it ends: at the origin; in a loop; where no route is known; discarded on purpose.",
        ),
        optional("path", some(&SPEAKER_REF), "The speakers passed, itself first."),
    ],
};

static PHASE: Mapping = Mapping {
    name: "phase",
    doc: "What follows a change until the next phase, or the end.",
    keys: &[
        required("from", ANY_SPAN, "Begin of the phase."),
        optional("updates", MANY, "Announcements and withdrawals sent in it, exactly."),
        optional("updates_max", MANY, "Announcements and withdrawals sent in it, at most."),
        optional("lasts_min", ANY_SPAN, "Least time to the last change of a best route."),
        optional("lasts_max", ANY_SPAN, "Longest time to the last change of a best route."),
    ],
};
