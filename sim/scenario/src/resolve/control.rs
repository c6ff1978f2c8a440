//! Routing, feeds, actuators.

use super::Resolver;
use crate::typed::{Data, Fields};
use steerlab_engine::kernel::SimSpan;
use steerlab_engine::scenario::{ActuatorSpec, FeedSpec};
use steerlab_engine::steer::{FeedKind, Surface};

/// How feeds see the world where nothing is said, and under `oracle`: (feed, period s, delay s).
/// The sites feed is a scrape, the links feed an interface poll of 6 s.
const FEEDS_DEFAULT: [(FeedKind, u64, u64); 4] = [
    (FeedKind::Sites, 10, 5),
    (FeedKind::Links, 6, 5),
    (FeedKind::Tenants, 10, 5),
    (FeedKind::Topology, 10, 1),
];

/// Delay of each surface's actions where nothing is said, seconds. The table has the same.
const ACTUATORS_DEFAULT: [(Surface, u64); 7] = [
    (Surface::Announce, 5),
    (Surface::Dns, 30),
    (Surface::Spill, 3),
    (Surface::Balance, 2),
    (Surface::Paths, 60),
    (Surface::Egress, 30),
    (Surface::Admit, 2),
];

impl Resolver<'_> {
    pub(super) fn control(&mut self, fields: &Fields) {
        self.routing_times(fields.fields("routing"));
        self.feeds(fields.fields("feeds"));
        self.actuators(fields.fields("actuators"));
    }

    fn feeds(&mut self, feeds: Option<&Fields>) {
        let oracle = feeds.and_then(|feeds| feeds.flag("oracle")).unwrap_or(false);
        for (kind, period, delay) in FEEDS_DEFAULT {
            let given = feeds.and_then(|feeds| feeds.fields(kind.name()));
            if oracle && let Some(given) = given {
                let message = format!("`oracle: true` and `{}` contradict each other", kind.name());
                self.error("E0408", given.span, message, "keep one of them");
            }
            let mut spec = FeedSpec {
                period: SimSpan::from_seconds(if oracle { 1 } else { period }),
                delay: if oracle { SimSpan::ZERO } else { SimSpan::from_seconds(delay) },
                noise: 0.0,
            };
            if let Some(given) = given {
                spec.delay = given.time("delay").unwrap_or(spec.delay);
                if kind != FeedKind::Topology {
                    spec.period = given.time("period").unwrap_or(spec.period);
                    spec.noise = given.number("noise").unwrap_or(0.0);
                    self.check_steps(spec.period, "period", given.place("period"));
                }
            }
            self.out.feeds.push(spec);
        }
    }

    fn actuators(&mut self, actuators: Option<&Fields>) {
        for (surface, delay) in ACTUATORS_DEFAULT {
            let mut spec = ActuatorSpec {
                delay: SimSpan::from_seconds(delay),
                jitter: SimSpan::ZERO,
                failure: 0.0,
            };
            match actuators.and_then(|actuators| actuators.get(surface.name())).map(|v| &v.data) {
                Some(Data::Span(delay)) => spec.delay = *delay,
                Some(Data::Map(given)) => {
                    spec.delay = given.time("delay").unwrap_or(spec.delay);
                    spec.jitter = given.time("jitter").unwrap_or(spec.jitter);
                    spec.failure = given.number("failure").unwrap_or(spec.failure);
                }
                _ => {}
            }
            self.out.actuators.push(spec);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Kind, Mapping, Need, mappings};

    fn mapping(name: &str) -> &'static Mapping {
        mappings().into_iter().find(|mapping| mapping.name == name).expect(name)
    }

    fn default_of(mapping: &Mapping, key: &str) -> SimSpan {
        let key = &mapping.keys[mapping.position(key).expect(key)];
        let Need::Default(text) = key.need else { panic!("no default") };
        crate::quantity::span(text).expect("a span")
    }

    #[test]
    fn an_absent_mapping_means_the_same_as_an_empty_one() {
        for (kind, period, delay) in FEEDS_DEFAULT {
            let table = mapping(&format!("feed_of_{}", kind.name()));
            assert_eq!(default_of(table, "delay"), SimSpan::from_seconds(delay));
            if kind != FeedKind::Topology {
                assert_eq!(default_of(table, "period"), SimSpan::from_seconds(period));
            }
        }
        for (index, (surface, delay)) in ACTUATORS_DEFAULT.into_iter().enumerate() {
            let table = mapping(&format!("actuator_{}", surface.name()));
            assert_eq!(default_of(table, "delay"), SimSpan::from_seconds(delay));
            assert_eq!(surface as usize, index);
        }
        for (index, (kind, ..)) in FEEDS_DEFAULT.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
        let routing = mapping("routing");
        assert_eq!(default_of(routing, "igp_convergence"), SimSpan::from_seconds(5));
        let noise = &routing.keys[routing.position("landing_noise").expect("key")];
        assert_eq!(noise.need, Need::Default("10%"));
        assert!(matches!(noise.kind, Kind::Ratio { .. }));
        let bgp = mapping("bgp_convergence");
        for (key, seconds) in [("min", 5), ("mean", 30), ("max", 180)] {
            assert_eq!(default_of(bgp, key), SimSpan::from_seconds(seconds));
        }
    }
}
