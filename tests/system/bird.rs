//! The best routes of our solver are those that real routers install: BIRD 2, one daemon a speaker.
//!
//! Needs root (network namespaces) and the Debian packages bird2 and iproute2; says so and checks
//! nothing where they are not to be had. `cargo xtask test` installs them where it may.

use crate::support::bird::{self, Best, Daemons, line, wire_mark};
use crate::support::labs;
use std::sync::Arc;
use std::time::{Duration, Instant};
use steerlab_engine::kernel::SimTime;
use steerlab_engine::route::bgp::{BgpNetwork, BgpSim, Deaf, Origin};
use steerlab_scenario::bgp::BgpLab;

/// Longest time until the daemons must agree with us.
const PATIENCE: Duration = Duration::from_secs(90);
/// They must still agree this much later.
const CALM: Duration = Duration::from_secs(2);

/// Labs that are played by daemons, too: all whose names begin so.
const PREFIX: &str = "real-";

fn real_labs() -> Vec<(String, BgpLab)> {
    let names = labs::names().into_iter().filter(|name| name.starts_with(PREFIX));
    names.map(|name| (name.clone(), labs::load(&name))).collect()
}

/// Our best routes in the words of the daemons.
fn ours(lab: &BgpLab) -> Best {
    let network: &BgpNetwork = &lab.network;
    let mut sim = BgpSim::new(Arc::new(network.clone()), lab.seed, 0);
    for step in &lab.steps {
        sim.apply(step.at, step.change.clone());
    }
    sim.advance(SimTime::NEVER, &mut Deaf);
    let mut best = Best::new();
    for (speaker, row) in network.speakers.iter() {
        for (prefix, block) in network.prefixes.iter() {
            let Some(route) = sim.best(speaker, prefix) else { continue };
            let text = match route.session {
                None => "own".to_owned(),
                Some(session) => {
                    let path: Vec<String> = route.path.iter().map(u32::to_string).collect();
                    let marks = route.communities.iter().map(wire_mark);
                    let mut marks: Vec<String> = marks.map(|mark| format!("{mark:?}")).collect();
                    marks.sort();
                    let med = route.med.map_or("none".to_owned(), |med| med.to_string());
                    let origin = match route.origin {
                        Origin::Igp => "IGP",
                        Origin::Egp => "EGP",
                        Origin::Incomplete => "Incomplete",
                    };
                    let pref = route.local_pref.to_string();
                    let from = &network.sessions[session].id;
                    line(from, &path.join(" "), &pref, &med, origin, &marks.join(" "))
                }
            };
            best.insert((row.id.clone(), block.id.clone()), text);
        }
    }
    best
}

/// What differs, one line each.
fn differences(ours: &Best, theirs: &Best) -> Vec<String> {
    let mut keys: Vec<_> = ours.keys().chain(theirs.keys()).collect();
    keys.sort();
    keys.dedup();
    let none = "none".to_owned();
    keys.into_iter()
        .map(|key| (key, ours.get(key).unwrap_or(&none), theirs.get(key).unwrap_or(&none)))
        .filter(|(_, ours, theirs)| ours != theirs)
        .map(|(key, ours, theirs)| {
            format!("{} to {}:\n  ours {ours}\n  BIRD {theirs}", key.0, key.1)
        })
        .collect()
}

#[test]
fn real_routers_choose_the_same_routes() {
    if let Some(reason) = bird::missing() {
        println!("SKIPPED: routes are not compared with real routers: {reason}");
        return;
    }
    let labs = real_labs();
    assert!(labs.len() >= 6, "only {} labs for real routers", labs.len());
    let start = Instant::now();
    let mut running: Vec<(&String, Best, Daemons)> = labs
        .iter()
        .enumerate()
        .map(|(at, (name, lab))| {
            let changes: Vec<_> = lab.steps.iter().map(|step| step.change.clone()).collect();
            (name, ours(lab), Daemons::start(&at.to_string(), &lab.network, &changes))
        })
        .collect();
    let mut routes = 0;
    for (name, ours, daemons) in &mut running {
        loop {
            let wrong = differences(ours, &daemons.best());
            if wrong.is_empty() {
                break;
            }
            assert!(
                start.elapsed() < PATIENCE && daemons.alive(),
                "{name}:\n{}\n{}",
                wrong.join("\n"),
                daemons.complaints()
            );
            std::thread::sleep(Duration::from_millis(300));
        }
        routes += ours.len();
    }
    std::thread::sleep(CALM);
    for (name, ours, daemons) in &running {
        let wrong = differences(ours, &daemons.best());
        assert!(wrong.is_empty(), "{name} changed again:\n{}", wrong.join("\n"));
    }
    println!("{routes} best routes of {} networks agree with BIRD", running.len());
}
