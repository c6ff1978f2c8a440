//! A scenario with plain defaults, for tests to fill in.

use super::{
    ActuatorSpec, Arm, Class, ClassId, CompareSpec, DemandNoise, Dns, FeedSpec, PolicySpec,
    RoutingSpec, Scenario, Service, ServiceId, Tenant,
};
use crate::kernel::{SimSpan, Table};
use crate::net::Network;
use crate::route::landing::LandingSpec;
use crate::steer::{FeedKind, Surface};

/// A scenario over a network: one class, one tenant, services `transfer` (no CPU) and `web`
/// (10 ms CPU, 1 kB in, 10 kB out), no demand, one arm with the named policy.
#[must_use]
pub fn plain(network: Network, policy: &str) -> Scenario {
    let second = SimSpan::from_seconds(1);
    Scenario {
        name: "plain".to_owned(),
        label: String::new(),
        description: String::new(),
        assumptions: Vec::new(),
        seed: 1,
        start_time_of_day: SimSpan::ZERO,
        start: String::new(),
        horizon: SimSpan::from_seconds(600),
        bucket: SimSpan::from_seconds(60),
        client_bucket: SimSpan::from_seconds(600),
        traffic_step: SimSpan::from_seconds(60),
        replications: 1,
        network,
        classes: [Class { id: "default".to_owned(), weight: 1.0 }].into_iter().collect(),
        tenants: [Tenant { id: "default".to_owned(), label: String::new(), budget_bps: None }]
            .into_iter()
            .collect(),
        services: services(),
        prefixes: Table::new(),
        client_groups: Table::new(),
        dns: Dns::default(),
        caches: super::CachePlan::default(),
        admission: super::AdmissionPlan::default(),
        profiles: Table::new(),
        matrices: Table::new(),
        demands: Table::new(),
        demand_noise: DemandNoise { cv: 0.0, step: SimSpan::from_seconds(60) },
        surges: Vec::new(),
        fidelity: crate::scenario::Fidelity::Fluid,
        timeline: Vec::new(),
        queue_limit: SimSpan::from_seconds(10),
        zoom: Vec::new(),
        routing: quick_routing(),
        landing: LandingSpec::Nearest,
        announcements: Vec::new(),
        feeds: vec![
            FeedSpec { period: SimSpan::from_seconds(10), delay: second, noise: 0.0 };
            FeedKind::ALL.len()
        ],
        actuators: vec![
            ActuatorSpec { delay: second, jitter: SimSpan::ZERO, failure: 0.0 };
            Surface::ALL.len()
        ],
        arms: [one_arm(policy)].into_iter().collect(),
        checks: Vec::new(),
        compare: CompareSpec { metrics: Vec::new(), margin: 0.01, confidence: 0.95 },
    }
}

/// A service without CPU work and one with.
fn services() -> Table<ServiceId, Service> {
    [("transfer", 0.0, 0.0, 0.0), ("web", 0.01, 1e3, 1e4)]
        .into_iter()
        .map(|(id, cpu_s, request_bytes, response_bytes)| Service {
            id: id.to_owned(),
            class: ClassId(0),
            cpu_s,
            request_bytes,
            response_bytes,
            setup_round_trips: 1.0,
            elastic: None,
            tcp: None,
            flow: None,
        })
        .collect()
}

/// An arm with one policy.
fn one_arm(policy: &str) -> Arm {
    Arm {
        id: "only".to_owned(),
        label: String::new(),
        policies: vec![PolicySpec {
            name: policy.to_owned(),
            period: SimSpan::from_seconds(1),
            params: Vec::new(),
        }],
        balancer: None,
    }
}

/// Routing that converges within a minute.
fn quick_routing() -> RoutingSpec {
    RoutingSpec {
        igp_convergence: SimSpan::from_seconds(1),
        bgp_convergence_min: SimSpan::from_seconds(5),
        bgp_convergence_mean: SimSpan::from_seconds(10),
        bgp_convergence_max: SimSpan::from_seconds(60),
        landing_noise: 0.0,
    }
}
