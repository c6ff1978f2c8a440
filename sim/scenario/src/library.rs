//! Scenarios that come with the command.

/// The scenario of `steerlab demo`.
pub const DEMO: &str = include_str!("../../../scenarios/demo.yaml");

/// A commented scenario to start from; it runs as it is.
pub const TEMPLATE: &str = include_str!("../../../scenarios/template.yaml");

/// A scenario of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LibraryEntry {
    /// Name, as in `steerlab init --from NAME`.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The scenario.
    pub text: &'static str,
}

/// All scenarios that need no other file.
const LIBRARY: &[LibraryEntry] = &[
    LibraryEntry {
        name: "demo",
        summary: "The largest site of a world-wide anycast edge fails at the evening peak.",
        text: DEMO,
    },
    LibraryEntry {
        name: "cache-shift",
        summary: "A large site is withdrawn: cold caches elsewhere, load on the link to the origin.",
        text: include_str!("../../../scenarios/cache-shift.yaml"),
    },
    LibraryEntry {
        name: "cache-shift-tiered",
        summary: "The same with an upper tier, which spares the origin most of it.",
        text: include_str!("../../../scenarios/cache-shift-tiered.yaml"),
    },
    LibraryEntry {
        name: "cloud-link-saturation-2025-08-21",
        summary: "A replay: one tenant saturates the links to a cloud region (21 August 2025).",
        text: include_str!("../../../scenarios/incidents/cloud-link-saturation-2025-08-21.yaml"),
    },
    LibraryEntry {
        name: "dns-steering",
        summary: "DNS answers by load: an eager controller swings, a patient one does not.",
        text: include_str!("../../../scenarios/dns-steering.yaml"),
    },
    LibraryEntry {
        name: "edge-300",
        summary: "Generated: 300 sites and 5,000 client groups over a day, for measuring speed.",
        text: include_str!("../../../scenarios/bench/edge-300.yaml"),
    },
    LibraryEntry {
        name: "prepending",
        summary: "Prepending at two of six sites by BGP: which way everybody moves, and why.",
        text: include_str!("../../../scenarios/prepending.yaml"),
    },
    LibraryEntry {
        name: "template",
        summary: "Three sites and every section of the language, commented.",
        text: TEMPLATE,
    },
    LibraryEntry {
        name: "zoom",
        summary: "Inside a site, request by request: a slow third of servers, three balancers.",
        text: include_str!("../../../scenarios/zoom.yaml"),
    },
];

/// The embedded scenarios.
#[must_use]
pub fn library() -> &'static [LibraryEntry] {
    LIBRARY
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::vocabulary;

    #[test]
    fn all_of_them_load_without_a_finding() {
        for entry in library() {
            let loaded = crate::load_text(entry.name, entry.text.as_bytes(), &vocabulary());
            assert!(loaded.scenario.is_some(), "{}", crate::render(&loaded, false));
            assert!(loaded.diagnostics.is_empty(), "{}", crate::render(&loaded, false));
        }
    }

    #[test]
    fn the_same_text_has_the_same_hash_and_formatting_does_not_matter() {
        let hash = |text: &str| {
            let loaded = crate::load_text("t", text.as_bytes(), &vocabulary());
            crate::content_sha256(&loaded.scenario.expect("valid"))
        };
        let first = hash(TEMPLATE);
        assert_eq!(first.len(), 64);
        assert_eq!(first, hash(&TEMPLATE.replace('\n', "\r\n")));
        assert_ne!(first, hash(&TEMPLATE.replace("seed: 1", "seed: 2")));
    }

    #[test]
    fn the_resolved_scenario_can_be_read_back() {
        let loaded = crate::load_text("t", DEMO.as_bytes(), &vocabulary());
        let scenario = loaded.scenario.expect("valid");
        let text = crate::scenario_json(&scenario);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["format"], "steerlab-resolved/1");
        let back: steerlab_engine::scenario::Scenario =
            serde_json::from_str(&text).expect("a scenario");
        assert_eq!(back, scenario);
    }
}
