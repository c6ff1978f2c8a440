//! Our side.

use super::plan::{Drawn, INTERNAL_AS};
use crate::measure::{cpu_seconds, memory_mib_peak};
use std::sync::Arc;
use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::route::bgp::{
    BgpChange, BgpNetwork, BgpPrefix, BgpPrefixId, BgpSim, IgpLink, IgpLinkId, Origin, Origination,
    Relation, RoutePolicy, Session, SettleLimits, Settled, SpeakerId, Verdict, plain_side,
    plain_speaker,
};

fn network(drawn: &Drawn) -> BgpNetwork {
    let mut network = BgpNetwork::default();
    for at in 0..drawn.routers as u32 {
        network.speakers.push(plain_speaker(format!("r{at}"), INTERNAL_AS, at));
    }
    for (at, &asn) in drawn.external_as.iter().enumerate() {
        let router_id = (drawn.routers + at) as u32;
        network.speakers.push(plain_speaker(format!("x{at}"), asn, router_id));
    }
    // Outside routers announce and do not listen.
    let (id, rules) = ("nothing".to_owned(), Vec::new());
    let nothing = network.policies.push(RoutePolicy { id, rules, otherwise: Verdict::Reject });
    let mut join = |a: usize, b: usize, relations: [Relation; 2], deaf: bool| {
        let sides = [plain_side(relations[0], a as u32), plain_side(relations[1], b as u32)];
        let mut session = Session {
            id: format!("{a}-{b}"),
            ends: [SpeakerId(a as u32), SpeakerId(b as u32)],
            sides,
            delay: SimSpan::from_millis(10),
            delay_jitter: 0.0,
            up: true,
        };
        if deaf {
            session.sides[1].import.push(nothing);
        }
        network.sessions.push(session);
    };
    for &(a, b, client) in &drawn.sessions {
        let first = if client { Relation::ReflectorClient } else { Relation::Internal };
        join(a, b, [first, Relation::Internal], false);
    }
    for (at, &border) in drawn.borders.iter().enumerate() {
        join(border, drawn.routers + at, [Relation::Plain; 2], true);
    }
    for &(a, b, cost) in &drawn.links {
        network.igp_links.push(IgpLink {
            id: format!("{a}-{b}"),
            ends: [SpeakerId(a as u32), SpeakerId(b as u32)],
            cost: [u64::from(cost); 2],
            up: true,
        });
    }
    for prefix in 0..drawn.prefixes {
        network.prefixes.push(BgpPrefix { id: prefix.to_string(), parent: None });
    }
    network
}

fn rest(sim: &mut BgpSim) -> Result<(), String> {
    match sim.settle(SettleLimits::default()) {
        Settled::Converged { .. } => Ok(()),
        other => Err(format!("no rest: {other:?}")),
    }
}

/// Plays a run and prints routes and figures.
pub fn play(drawn: &Drawn) -> Result<(), String> {
    let mut sim = BgpSim::new(Arc::new(network(drawn)), 1, 0);
    let start = cpu_seconds();
    for row in &drawn.announcements {
        sim.apply(SimTime::ZERO, BgpChange::Announce(origination(drawn, row)));
    }
    rest(&mut sim)?;
    let announced = cpu_seconds() - start;
    print_routes("announced", &sim, drawn);
    let start = cpu_seconds();
    let later = |sim: &BgpSim| sim.now().after(SimSpan::from_seconds(1));
    let at = later(&sim);
    sim.apply(at, BgpChange::IgpLinkDown(IgpLinkId(drawn.failing as u32)));
    rest(&mut sim)?;
    let failed = cpu_seconds() - start;
    print_routes("failed", &sim, drawn);
    let start = cpu_seconds();
    let at = later(&sim);
    for row in drawn.announcements.iter().filter(|row| row.external == drawn.withdrawing) {
        let speaker = SpeakerId((drawn.routers + row.external) as u32);
        sim.apply(at, BgpChange::Withdraw { speaker, prefix: BgpPrefixId(row.prefix) });
    }
    rest(&mut sim)?;
    let withdrawn = cpu_seconds() - start;
    print_routes("withdrawn", &sim, drawn);
    println!("# {announced} {failed} {withdrawn} {}", memory_mib_peak());
    Ok(())
}

fn origination(drawn: &Drawn, row: &crate::plan::Announcement) -> Origination {
    Origination {
        speaker: SpeakerId((drawn.routers + row.external) as u32),
        prefix: BgpPrefixId(row.prefix),
        med: Some(row.med),
        origin: Origin::Igp,
        communities: Vec::new(),
        prepend: 0,
        path: row.path.clone(),
        sessions: None,
    }
}

fn print_routes(phase: &str, sim: &BgpSim, drawn: &Drawn) {
    for prefix in 0..drawn.prefixes {
        for at in 0..drawn.routers as u32 {
            match sim.best(SpeakerId(at), BgpPrefixId(prefix)) {
                Some(route) => {
                    let path: Vec<String> = route.path.iter().map(u32::to_string).collect();
                    println!("{phase},{prefix},{at},{},{}", route.next_hop.0, path.join("-"));
                }
                None => println!("{phase},{prefix},{at},none,"),
            }
        }
    }
}
