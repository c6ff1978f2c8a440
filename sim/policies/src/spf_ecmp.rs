//! `spf-ecmp`: backbone traffic follows the IGP's shortest paths, split evenly over equal ones.
//!
//! Model: the network's own protocol does the work; the policy only takes tunnels away that
//! somebody else may have set. Convergence after a failure is the scenario's `igp_convergence`.

use steerlab_engine::kernel::{SimSpan, Stream};
use steerlab_engine::steer::{Action, Ask, Descriptor, Policy, Surface, View};

/// How it is registered.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "spf-ecmp",
    version: 1,
    summary: "shortest paths by IGP weight, even split per equal-cost next edge",
    source: "OSPF/IS-IS with ECMP",
    surfaces: &[Surface::Paths],
    feeds: &[],
    default_period: SimSpan::from_seconds(86_400),
    params: &[],
    build: |_| Box::new(SpfEcmp { asked: false }),
    check: |_| Ok(()),
};

struct SpfEcmp {
    asked: bool,
}

impl Policy for SpfEcmp {
    fn decide(&mut self, _view: &View<'_>, _stream: &mut Stream, ask: &mut Ask<'_>) {
        if !self.asked {
            self.asked = ask.request(Action::FollowIgp, "shortest paths").is_ok();
        }
    }
}
