//! Route policies and settings of single sessions.

use super::Resolver;
use super::routing::number;
use crate::bgp;
use crate::source::Span;
use crate::table::Entity;
use crate::typed::Fields;
use std::collections::BTreeMap;
use steerlab_engine::net::LinkId;
use steerlab_engine::route::bgp::RoutePolicyId;
use steerlab_engine::route::landing::bgp::{BgpSolver, BgpSpec, SessionTerms};

/// Where rows were given, to find two about the same.
#[derive(Default)]
struct Given {
    rows: BTreeMap<(u32, u32, Option<LinkId>), Span>,
    delays: BTreeMap<(u32, u32), Span>,
}

impl Resolver<'_> {
    pub(super) fn route_sessions(&mut self, routing: &Fields, spec: &mut BgpSpec) {
        spec.policies = bgp::route_policies(routing, "policies", &mut self.names, self.sink);
        let direct = spec.solver == BgpSolver::Direct;
        for key in ["policies", "sessions"] {
            if direct && routing.get(key).is_some() {
                let message = format!("`{key}` needs `solver: events`");
                let help =
                    "write `solver: events`, or use `announcements`, `roas` and `validators`";
                self.error("E0426", routing.place(key), message, help);
            }
        }
        self.check_times(routing, spec.solver);
        let mut given = Given::default();
        for row in routing.rows("sessions") {
            let terms = self.session_terms(row, spec);
            let Some(terms) = terms else { continue };
            self.check_twice(row, &terms, &mut given);
            spec.sessions.push(terms);
        }
    }

    /// Times that the chosen solver does not read.
    fn check_times(&mut self, routing: &Fields, solver: BgpSolver) {
        let (code, key, message, help) = match solver {
            BgpSolver::Direct => (
                "E0426",
                "bgp_timing",
                "`bgp_timing` needs `solver: events`",
                "write `solver: events`, or use `bgp_convergence`",
            ),
            BgpSolver::Events => (
                "E0408",
                "bgp_convergence",
                "`bgp_convergence` is for `solver: direct`, and the solver is `events`",
                "use `bgp_timing`, or take it out",
            ),
        };
        if routing.get(key).is_some() {
            self.error(code, routing.place(key), message.to_owned(), help);
        }
    }

    fn session_terms(&mut self, row: &Fields, spec: &BgpSpec) -> Option<SessionTerms> {
        let (import, export) =
            (self.route_policies(row, "import"), self.route_policies(row, "export"));
        let link = self.reference(Entity::Link, row, "link").map(LinkId);
        if row.get("restart").is_some() && row.get("prefixes_max").is_none() {
            let message = "`restart` says what follows on `prefixes_max`".to_owned();
            self.error("E0408", row.place("restart"), message, "give `prefixes_max` too");
        }
        let between: Vec<u32> = row.items("between").iter().filter_map(number).collect();
        let [asn, neighbour] = between[..] else { return None };
        self.check_session(row, (asn, neighbour), link, spec);
        Some(SessionTerms {
            asn,
            neighbour,
            link,
            import,
            export,
            mrai: bgp::mrai(row, "mrai"),
            delay: row.time("delay"),
            delay_jitter: row.number("delay_jitter"),
            prefixes_max: bgp::number(row, "prefixes_max"),
            restart: row.time("restart"),
        })
    }

    fn route_policies(&mut self, fields: &Fields, key: &str) -> Vec<RoutePolicyId> {
        let found = fields.items(key).iter();
        found.filter_map(|value| self.find(Entity::RoutePolicy, value)).map(RoutePolicyId).collect()
    }

    /// There must be such a session.
    fn check_session(
        &mut self,
        row: &Fields,
        (asn, neighbour): (u32, u32),
        link: Option<LinkId>,
        spec: &BgpSpec,
    ) {
        let mut known = Vec::new();
        for (asn, value) in [asn, neighbour].into_iter().zip(row.items("between")) {
            match spec.graph.index_of(asn) {
                Some(at) => known.push(at),
                None => self.unknown_as(asn, value.span),
            }
        }
        let [a, b] = known[..] else { return };
        let own = [asn, neighbour].contains(&spec.asn);
        let other = if asn == spec.asn { neighbour } else { asn };
        let leads = |link: LinkId| {
            let outside = self.outside_of(link);
            outside
                .is_some_and(|(_, theirs)| self.out.network.neighbours[theirs].asn == Some(other))
        };
        let (message, help) = match link {
            Some(link) if !own || !leads(link) => (
                format!("no session of AS{asn} and AS{neighbour} is over this link"),
                "name a link between a site and that neighbour, or take `link` out",
            ),
            None if own && !self.out.network.links.ids().any(leads) => (
                format!("no link leads from a site to AS{other}"),
                "add the link, or take the row out",
            ),
            None if !own && spec.graph.relation(a, b).is_none() => (
                format!("AS{asn} and AS{neighbour} have no session"),
                "name two ASes that have one, or add it to `as_links`",
            ),
            _ => return,
        };
        let key = if link.is_some() { "link" } else { "between" };
        self.error("E0427", row.place(key), message, help);
    }

    /// Two rows must not say different things about the same.
    fn check_twice(&mut self, row: &Fields, terms: &SessionTerms, given: &mut Given) {
        let place = row.place("between");
        // A row for all links and one for a link of them meet at that link.
        let meets = given.rows.keys().any(|&(asn, neighbour, link)| {
            (asn, neighbour) == (terms.asn, terms.neighbour)
                && (link == terms.link || link.is_none() || terms.link.is_none())
        });
        if meets {
            let message = "another row is about the same end of the same session".to_owned();
            self.error("E0302", place, message, "join the rows, or give each its own `link`");
        }
        given.rows.insert((terms.asn, terms.neighbour, terms.link), place);
        if terms.delay.is_none() && terms.delay_jitter.is_none() {
            return;
        }
        if given.delays.contains_key(&(terms.neighbour, terms.asn)) {
            let message = "the row for the other end gives the delay already".to_owned();
            self.error(
                "E0408",
                place,
                message,
                "give `delay` and `delay_jitter` in one of the two",
            );
        }
        given.delays.insert((terms.asn, terms.neighbour), place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::load_text;
    use crate::testing::vocabulary;
    use steerlab_engine::kernel::SimSpan;
    use steerlab_engine::route::bgp::{BgpPrefixId, Community, Match, Set};
    use steerlab_engine::route::landing::LandingSpec;

    fn load(routing: &str) -> crate::Loaded {
        let text = format!(
            "format: steerlab-scenario/1\nname: s\nseed: 1\nhorizon: 1h\n\
             sites: [{{id: ams}}, {{id: fra}}]\nprefixes: [{{id: p}}, {{id: q}}]\n\
             neighbours: [{{id: north, kind: transit, asn: 10}}, \
             {{id: lone, kind: peer, asn: 40}}]\n\
             links:\n  - {{id: a, ends: [ams, north], capacity: 1Gbps, delay: 1ms}}\n  \
             - {{id: b, ends: [fra, north], capacity: 1Gbps, delay: 1ms}}\n\
             arms: [{{id: now, policies: [static-anycast]}}]\n\
             routing:\n  model: bgp\n  solver: events\n  asn: 100\n  \
             as_links: [{{customer: 30, provider: 10}}, {{peers: [10, 20]}}]\n{routing}"
        );
        load_text("s.yaml", text.as_bytes(), &vocabulary())
    }

    #[test]
    fn sessions_and_their_policies_are_read() {
        let loaded = load(
            "  policies:\n    - id: mark\n      rules: [{match: {prefix: [q]}, \
             set: {add_communities: [100:1]}}]\n  sessions:\n    \
             - {between: [100, 10], link: b, export: [mark], mrai: {interval: 5s, jitter: 0}}\n    \
             - {between: [10, 30], delay: 7ms, prefixes_max: 3, restart: 1min}\n    \
             - {between: [30, 10], mrai: 0s, import: [mark, mark]}\n",
        );
        let scenario = loaded.scenario.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        let LandingSpec::Bgp(spec) = &scenario.landing else { panic!("a BGP model") };
        let rule = &spec.policies.rows()[0].rules[0];
        assert_eq!(rule.matches, [Match::Prefix(vec![BgpPrefixId(1)])]);
        assert_eq!(rule.sets, [Set::AddCommunities(vec![Community::Plain(100, 1)])]);
        let [own, first, second] = &spec.sessions[..] else { panic!("three rows") };
        assert_eq!((own.asn, own.neighbour, own.link), (100, 10, Some(LinkId(1))));
        assert_eq!((&own.export[..], own.import.len()), (&[RoutePolicyId(0)][..], 0));
        assert_eq!(own.mrai.map(|mrai| mrai.interval), Some(SimSpan::from_seconds(5)));
        assert_eq!((first.delay, first.prefixes_max), (Some(SimSpan::from_millis(7)), Some(3)));
        assert_eq!(first.restart, Some(SimSpan::from_seconds(60)));
        assert_eq!(second.mrai.map(|mrai| mrai.interval), Some(SimSpan::ZERO));
        assert_eq!((second.import.len(), second.delay), (2, None));
    }

    #[test]
    fn what_is_wrong_with_sessions_is_told() {
        let of = |rows: &str| -> Vec<&'static str> {
            let loaded = load(&format!("  sessions: [{rows}]\n"));
            assert!(loaded.scenario.is_none(), "{rows}");
            loaded.diagnostics.iter().map(|found| found.code).collect()
        };
        assert_eq!(of("{between: [10, 30], import: [nobody], export: [none]}"), ["E0301"; 2]);
        assert_eq!(of("{between: [10, 31]}"), ["E0422"]);
        assert_eq!(of("{between: [20, 30]}"), ["E0427"], "both are there, a session is not");
        assert_eq!(of("{between: [100, 40]}"), ["E0427"], "a neighbour without a link");
        assert_eq!(of("{between: [10, 30], link: a}"), ["E0427"], "a link is ours only");
        assert_eq!(of("{between: [40, 100], link: a}"), ["E0427"], "to another neighbour");
        assert_eq!(of("{between: [10]}"), ["E0105"]);
        assert_eq!(of("{between: [10, 30], restart: 5s}"), ["E0408"]);
        assert_eq!(of("{between: [10, 30]}, {between: [10, 30]}"), ["E0302"]);
        assert_eq!(of("{between: [100, 10], link: a}, {between: [100, 10]}"), ["E0302"]);
        let delays = "{between: [10, 30], delay: 1ms}, {between: [30, 10], delay: 1ms}";
        assert_eq!(of(delays), ["E0408"]);
        let links = "{between: [100, 10], link: a}, {between: [100, 10], link: b}";
        assert!(load(&format!("  sessions: [{links}]\n")).scenario.is_some());
    }
    #[test]
    fn what_would_be_read_and_ignored_is_told() {
        let codes = |loaded: crate::Loaded| -> Vec<&'static str> {
            loaded.diagnostics.iter().map(|found| found.code).collect()
        };
        let direct = |routing: &str| {
            let text = format!(
                "format: steerlab-scenario/1\nname: s\nseed: 1\nhorizon: 1h\nsites: [{{id: ams}}]\n\
                 prefixes: [{{id: p}}]\narms: [{{id: now, policies: [static-anycast]}}]\n\
                 neighbours: [{{id: north, kind: transit, asn: 10}}]\nlinks:\n  \
                 - {{id: a, ends: [ams, north], capacity: 1Gbps, delay: 1ms}}\n\
                 routing:\n  model: bgp\n  asn: 100\n{routing}"
            );
            codes(load_text("s.yaml", text.as_bytes(), &vocabulary()))
        };
        assert_eq!(direct("  bgp_convergence: {min: 1s}\n"), [""; 0]);
        assert_eq!(direct("  bgp_timing: {mrai: 5s}\n"), ["E0426"]);
        assert_eq!(codes(load("  bgp_convergence: {min: 1s}\n")), ["E0408"]);
        let places = "  presence: [{asn: 10, at: [[1, 2]]}, {asn: 10, at: [[3, 4]]}]\n";
        assert_eq!(codes(load(places)), ["E0302"]);
        let validators = "  validators: [{asn: 10}, {asn: 10, invalid: depreference}]\n";
        assert_eq!(codes(load(validators)), ["E0302"]);
    }
}
