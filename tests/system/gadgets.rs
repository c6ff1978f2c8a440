//! Every BGP lab of the library does what its file expects.

use crate::support::program::{Finished, Program};
use crate::support::{labs, root};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use steerlab_engine::kernel::{Id, SimTime};
use steerlab_engine::route::bgp::stable::{Situation, StableLimits, StableState, stable_states};
use steerlab_engine::route::bgp::{BgpSim, Deaf, RouteView, SpeakerId};

fn folder() -> PathBuf {
    root().join("scenarios/bgp")
}

fn play(lab: &str, words: &[&str]) -> Finished {
    let file = folder().join(lab).join("network.yaml");
    let first = ["bgp".to_owned(), file.display().to_string(), "--format=json".to_owned()];
    let words = words.iter().map(|word| (*word).to_owned());
    Program::new(&root()).args(first.into_iter().chain(words)).run()
}

#[test]
fn every_lab_does_what_it_expects() {
    let mut complaints = Vec::new();
    for lab in labs::names() {
        let played = play(&lab, &[]);
        if played.code == 2 {
            complaints.push(format!("{lab}: {}{}", played.stdout, played.stderr));
            continue;
        }
        let answer = played.json();
        let expectations = answer["expectations"].as_array().unwrap();
        if expectations.is_empty() {
            complaints.push(format!("{lab} expects nothing"));
        }
        for one in expectations.iter().filter(|one| one["met"] != true) {
            complaints.push(format!("{lab}: {}: {}", one["what"], one["problem"]));
        }
        if played.code != i32::from(answer["expectations_unmet"] != 0) {
            complaints.push(format!("{lab}: exit code {}", played.code));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn an_expectation_that_is_not_met_fails_the_command() {
    let wrong = play("shortest", &["--set", "expect.outcome=diverged"]);
    assert_eq!(wrong.code, 1);
    assert_eq!(wrong.json()["expectations_unmet"], 1);
    let unknown = play("shortest", &["--set", "sessions.0.relation=friend"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stdout.contains("E0203"), "{}", unknown.stdout);
}

#[test]
fn the_same_lab_gives_the_same_bytes_and_another_seed_another_run() {
    let answer = |seed: &str| play("disagree-mrai", &["--seed", seed]).stdout;
    assert_eq!(answer("3"), answer("3"));
    assert_ne!(answer("3"), answer("4"));
}

#[test]
fn the_page_names_every_lab() {
    let page = std::fs::read_to_string(folder().join("README.md")).unwrap();
    for lab in labs::names() {
        assert!(page.contains(&format!("| {lab} |")), "{lab} is not in scenarios/bgp/README.md");
    }
}

/// A state of best routes as the speakers on the way of each.
fn ways(state: &[Option<RouteView>]) -> StableState {
    let way = |at: usize| {
        let mut way = vec![SpeakerId::from_index(at)];
        let mut from = state[at].as_ref()?.from;
        while let Some(speaker) = from {
            way.push(speaker);
            from = state[speaker.index()].as_ref().and_then(|route| route.from);
        }
        Some(way)
    };
    StableState { paths: (0..state.len()).map(way).collect() }
}

/// Two searches that share nothing: the solver's walks through states that one speaker at a time can
/// reach; the other one tries all states there are. What the first finds the second must know, and
/// what the first proves to be all the second may not add to where one state is all there is.
#[test]
fn both_searches_for_stable_states_agree() {
    let mut compared = 0;
    for name in labs::names() {
        let lab = labs::load(&name);
        // Whether a prefix limit holds a session down depends on the past.
        let mut sides = lab.network.sessions.rows().iter().flat_map(|row| &row.sides);
        if sides.any(|side| side.prefixes_max.is_some()) {
            continue;
        }
        let mut sim = BgpSim::new(Arc::new(lab.network.clone()), lab.seed, 0);
        for step in &lab.steps {
            sim.apply(step.at, step.change.clone());
        }
        sim.advance(lab.steps.last().map_or(SimTime::ZERO, |step| step.at), &mut Deaf);
        let situation = Situation::after(&lab.network, lab.steps.iter().map(|step| &step.change));
        for prefix in lab.network.prefixes.ids() {
            let all = stable_states(&situation, prefix, StableLimits::default()).unwrap();
            let walked = sim.stable_states(prefix, 2_000);
            let reached: BTreeSet<StableState> =
                walked.stable.iter().map(|state| ways(state)).collect();
            let unknown: Vec<&StableState> =
                reached.iter().filter(|state| !all.contains(state)).collect();
            assert!(unknown.is_empty(), "{name}, {prefix:?}: {unknown:?}, all: {all:?}");
            if walked.complete {
                assert_eq!(reached.is_empty(), all.is_empty(), "{name}, {prefix:?}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 50, "only {compared} searches were complete");
}

/// Time from the withdrawal to the last change of a best route, seconds.
fn lasted_s(n: u32, mrai: &str) -> f64 {
    let set = format!("defaults.mrai={mrai}");
    let played = play(&format!("withdrawal-{n}"), &["--set", &set]);
    played.json()["phases"][1]["lasted_ns"].as_f64().unwrap() / 1e9
}

/// Labovitz and others (2000): without waiting times a withdrawal takes one round less than there
/// are members. With a waiting time M among m members beside the origin it takes at least (m - 3) M,
/// and grows in proportion to m and to M. All timers run in step here, so time grows by 2 M every
/// second member.
#[test]
fn a_withdrawal_takes_time_in_proportion_to_the_mesh_and_to_the_waiting_time() {
    for n in 3..=8_u32 {
        assert!((lasted_s(n, "0s") - 0.01 * f64::from(n - 1)).abs() < 1e-9, "n = {n}");
    }
    let with_30: Vec<f64> = (3..=8).map(|n| lasted_s(n, "30s")).collect();
    for (n, lasted) in (3..).zip(&with_30) {
        assert!(*lasted >= 30.0 * f64::from(n - 4), "n = {n}: {with_30:?}");
    }
    for pair in with_30[1..].windows(3) {
        assert!((59.9..=60.1).contains(&(pair[2] - pair[0])), "{with_30:?}");
    }
    for n in [5, 6, 7, 8] {
        let (short, long) = (lasted_s(n, "15s"), lasted_s(n, "60s"));
        assert!((3.99..=4.01).contains(&(long / short)), "n = {n}: {short} and {long}");
    }
}
