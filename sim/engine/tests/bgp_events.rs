//! The event-driven BGP solver on small networks whose results are known.

use std::sync::Arc;
use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::route::bgp::*;

/// A network in the making: speakers and sessions by name.
#[derive(Default)]
struct Net {
    network: BgpNetwork,
}

impl Net {
    fn new(prefixes: usize) -> Net {
        let mut net = Net::default();
        for index in 0..prefixes {
            net.network.prefixes.push(BgpPrefix { id: format!("p{index}"), parent: None });
        }
        net
    }

    fn speaker(&mut self, asn: u32, router_id: u32) -> SpeakerId {
        let id = format!("r{}", self.network.speakers.len());
        self.network.speakers.push(plain_speaker(id, asn, router_id))
    }

    fn session(&mut self, a: SpeakerId, b: SpeakerId, relation: Relation) -> SessionId {
        let id = format!("s{}", self.network.sessions.len());
        let address = |speaker: SpeakerId| self.network.speakers[speaker].router_id;
        let sides = [plain_side(relation, address(a)), plain_side(reverse(relation), address(b))];
        let delay = SimSpan::from_millis(10);
        self.network.sessions.push(Session {
            id,
            ends: [a, b],
            sides,
            delay,
            delay_jitter: 0.0,
            up: true,
        })
    }

    fn link(&mut self, a: SpeakerId, b: SpeakerId, cost: u64) -> IgpLinkId {
        let id = format!("l{}", self.network.igp_links.len());
        self.network.igp_links.push(IgpLink { id, ends: [a, b], cost: [cost, cost], up: true })
    }

    fn policy(&mut self, rules: Vec<Rule>, otherwise: Verdict) -> RoutePolicyId {
        let id = format!("policy-{}", self.network.policies.len());
        self.network.policies.push(RoutePolicy { id, rules, otherwise })
    }

    fn sim(self) -> BgpSim {
        BgpSim::new(Arc::new(self.network), 1, 0)
    }
}

const P: BgpPrefixId = BgpPrefixId(0);

fn origination(speaker: SpeakerId) -> Origination {
    Origination {
        speaker,
        prefix: P,
        med: None,
        origin: Origin::Igp,
        communities: Vec::new(),
        prepend: 0,
        path: Vec::new(),
        sessions: None,
    }
}

fn announce(sim: &mut BgpSim, speaker: SpeakerId) {
    sim.apply(sim.now(), BgpChange::Announce(origination(speaker)));
}

fn quiet(sim: &mut BgpSim) -> u64 {
    match sim.settle(SettleLimits::default()) {
        Settled::Converged { updates, .. } => updates,
        other => panic!("does not settle: {other:?}"),
    }
}

fn path(sim: &BgpSim, speaker: SpeakerId) -> Option<Vec<u32>> {
    sim.best(speaker, P).map(|route| route.path)
}

#[test]
fn a_route_goes_along_a_chain_and_comes_back_by_withdrawal() {
    let mut net = Net::new(1);
    let chain: Vec<SpeakerId> = (1..=4).map(|asn| net.speaker(asn, asn)).collect();
    for pair in chain.windows(2) {
        net.session(pair[0], pair[1], Relation::Plain);
    }
    let mut sim = net.sim();
    announce(&mut sim, chain[0]);
    assert_eq!(quiet(&mut sim), 3);
    assert_eq!(path(&sim, chain[3]), Some(vec![3, 2, 1]));
    assert_eq!(sim.last_best_change(), SimTime(30_000_000));
    let way = sim.forward(chain[3], P);
    assert_eq!(way.hops, [chain[3], chain[2], chain[1], chain[0]]);
    assert_eq!(way.end, ForwardingEnd::Delivered(chain[0]));
    sim.apply(sim.now(), BgpChange::Withdraw { speaker: chain[0], prefix: P });
    assert_eq!(quiet(&mut sim), 3);
    assert_eq!(path(&sim, chain[3]), None);
    assert_eq!(sim.forward(chain[3], P).end, ForwardingEnd::NoRoute(chain[3]));
}
