//! What others do to routing.

use super::routing::number;
use super::{Resolver, number_of};
use crate::table::Entity;
use crate::typed::Fields;
use steerlab_engine::net::LinkId;
use steerlab_engine::route::internet::AsGraph;
use steerlab_engine::route::landing::{LandingSpec, Trouble};
use steerlab_engine::scenario::{Change, PrefixId};

impl Resolver<'_> {
    /// An event of routing, as begin and end. None: something is wrong with it.
    pub(super) fn routing_event(&mut self, kind: &str, event: &Fields) -> Option<(Change, Change)> {
        if kind == "session-down" {
            let link = LinkId(self.reference(Entity::Link, event, "link")?);
            if self.outside_of(link).is_none() {
                let message = "no BGP is spoken over this link".to_owned();
                self.error("E0410", event.place("link"), message, "name a link to a neighbour");
            }
            return Some((Change::SessionDown(link), Change::SessionUp(link)));
        }
        if self.bgp_unusable {
            return None;
        }
        let LandingSpec::Bgp(spec) = &self.out.landing else {
            let message = format!("`{kind}` needs `routing.model: bgp`");
            let help = "give `routing` the model, or take the event out";
            self.error("E0421", event.span, message, help);
            return None;
        };
        let spec = spec.clone();
        let own = spec.asn;
        let trouble = match kind {
            "leak" => Trouble::Leak { asn: self.known_as(event, "asn", &spec)? },
            "blackhole" => Trouble::Blackhole { asn: self.known_as(event, "asn", &spec)? },
            "zombie" => Trouble::Zombie { asn: self.known_as(event, "asn", &spec)? },
            "hijack" => Trouble::Hijack {
                asn: self.known_as(event, "asn", &spec)?,
                prefix: PrefixId(self.reference(Entity::Prefix, event, "prefix")?),
                more_specific: event.flag("more_specific").unwrap_or(false),
                pretends: event.flag("pretend").unwrap_or(false),
            },
            "local-pref" => Trouble::LocalPref {
                asn: self.known_as(event, "asn", &spec)?,
                neighbour: self.known_as(event, "neighbour", &spec)?,
                value: number_of(event.count("value"), 0),
            },
            _ => {
                let between: Vec<u32> = event.items("between").iter().filter_map(number).collect();
                let [a, b] = between[..] else { return None };
                for (asn, value) in [a, b].into_iter().zip(event.items("between")) {
                    if spec.graph.index_of(asn).is_none() {
                        self.unknown_as(asn, value.span);
                    }
                }
                Trouble::Depeering { a, b }
            }
        };
        self.check_parties(&trouble, &spec.graph, own, event)?;
        Some((Change::RoutingTrouble(trouble.clone()), Change::RoutingTroubleEnds(trouble)))
    }

    /// Trouble is what others do, and two that part or prefer each other otherwise must be
    /// neighbours.
    fn check_parties(
        &mut self,
        trouble: &Trouble,
        graph: &AsGraph,
        own: u32,
        event: &Fields,
    ) -> Option<()> {
        let (a, b, place) = match *trouble {
            Trouble::Depeering { a, b } => (a, Some(b), event.place("between")),
            Trouble::LocalPref { asn, neighbour, .. } => {
                (asn, Some(neighbour), event.place("neighbour"))
            }
            Trouble::Leak { asn }
            | Trouble::Hijack { asn, .. }
            | Trouble::Blackhole { asn }
            | Trouble::Zombie { asn } => (asn, None, event.place("asn")),
        };
        if a == own || b == Some(own) {
            let message = format!("AS{own} is ours, and the event is about others");
            let help = "use `session-down`, a scripted policy, or another AS";
            self.error("E0422", place, message, help);
            return None;
        }
        let (Some(at), Some(b)) = (graph.index_of(a), b) else { return Some(()) };
        let other = graph.index_of(b)?;
        if graph.relation(at, other).is_none() {
            let message = format!("AS{a} and AS{b} have no session in the AS graph");
            self.error("E0422", place, message, "name two ASes that are linked");
            return None;
        }
        Some(())
    }
}
