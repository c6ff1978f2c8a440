//! Zoom: colos that are played request by request for a while.

use super::Scenario;
use crate::kernel::{SimSpan, SimTime};
use crate::load::balance::BalancerSpec;
use crate::load::law::Law;
use crate::load::requests::{ClientSpec, Discipline, FrontSpec};
use crate::net::ColoId;
use serde::{Deserialize, Serialize};

/// A window of time in which the servers of some colos are played request by request, fed by what
/// the fluid level sends there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZoomSpec {
    /// Colos, each played on its own. All have servers.
    pub colos: Vec<ColoId>,
    /// What arrives from here on is counted.
    pub from: SimTime,
    /// End, after `from`.
    pub until: SimTime,
    /// How much earlier than `from` requests begin to arrive, so that queues are as full as they
    /// will be.
    pub warm_up: SimSpan,
    /// Who chooses servers; an arm may choose another.
    pub balancer: BalancerSpec,
    /// Balancers side by side, at least 1.
    pub balancers: u32,
    /// What they see and when they learn of failures.
    pub front: FrontSpec,
    /// Whether balancers take all servers for equal, instead of knowing their capacity.
    pub equal_weights: bool,
    /// In which order servers serve.
    pub discipline: Discipline,
    /// Requests in service at once in one server; none: no limit.
    pub concurrency: Option<u32>,
    /// Requests that wait in one server at most; none: as much work as the scenario's
    /// `queue_limit` allows.
    pub queue_max: Option<u32>,
    /// Law of what requests ask of servers; the mean is that of their service.
    pub law: Law,
    /// How clients behave.
    pub client: ClientSpec,
    /// Mean time between two requests of one user, above 0: it says how many users there are.
    pub request_interval: SimSpan,
}

impl ZoomSpec {
    /// Panics if something refers to nothing.
    pub(super) fn assert_consistent(&self, scenario: &Scenario) {
        let network = &scenario.network;
        assert!(self.from < self.until && self.balancers > 0 && self.request_interval.0 > 0);
        for &colo in &self.colos {
            assert!(colo.0 < network.colos.len() as u32 && !network.colos[colo].pools.is_empty());
        }
    }
}
