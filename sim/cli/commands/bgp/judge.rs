//! Compares what came out with what was expected.

use super::play::{self, Phase, Played, way};
use std::sync::Arc;
use steerlab_engine::kernel::SimTime;
use steerlab_engine::route::bgp::{
    BgpNetwork, BgpPrefixId, BgpSim, ForwardingEnd, RouteView, SpeakerId,
};
use steerlab_scenario::bgp::{
    BgpLab, ExpectedForward, ExpectedRoute, ForwardEnd, LabMoment, LabPhase, LabSeeds, LabStable,
    community_text,
};

/// One expectation and what is wrong, if anything is.
pub struct Verdict {
    /// What was expected.
    pub what: String,
    /// How it is instead; none: as expected.
    pub problem: Option<String>,
}

/// A state by speakers, as the expectations name them.
type Paths = Vec<(SpeakerId, Option<Vec<SpeakerId>>)>;

/// Names of speakers with spaces between.
pub fn names(network: &BgpNetwork, way: &[SpeakerId]) -> String {
    way.iter().map(|&hop| network.speakers[hop].id.as_str()).collect::<Vec<_>>().join(" ")
}

/// A way, or `none`.
pub fn shown(network: &BgpNetwork, way: Option<&Vec<SpeakerId>>) -> String {
    way.map_or_else(|| "none".to_owned(), |way| names(network, way))
}

/// Judges everything a lab expects.
pub fn judge(lab: &BgpLab, played: &Played) -> Vec<Verdict> {
    let mut judge = Judge { lab, found: Vec::new() };
    judge.outcome(played);
    for (moment, sim) in lab.expect.moments.iter().zip(&played.moments) {
        judge.moment(moment, sim);
    }
    for (phase, found) in lab.expect.phases.iter().zip(&played.phases) {
        judge.phase(phase, *found);
    }
    if let Some(stable) = &lab.expect.stable {
        judge.stable(stable);
    }
    if let Some(seeds) = &lab.expect.seeds {
        judge.seeds(seeds);
    }
    judge.found
}

struct Judge<'a> {
    lab: &'a BgpLab,
    found: Vec<Verdict>,
}

fn at_text(at: Option<SimTime>) -> String {
    at.map_or_else(|| "at the end".to_owned(), |at| format!("at {}s", at.seconds()))
}

impl Judge<'_> {
    fn network(&self) -> &BgpNetwork {
        &self.lab.network
    }

    /// Notes an expectation, which holds if both texts are equal.
    fn same(&mut self, what: &str, wanted: &str, is: &str) {
        let problem = (wanted != is).then(|| format!("it is {is}"));
        self.found.push(Verdict { what: format!("{what} {wanted}"), problem });
    }

    fn outcome(&mut self, played: &Played) {
        if let Some(wanted) = self.lab.expect.outcome {
            self.same("the outcome is", wanted.name(), played.outcome.name());
        }
        if let Some(wanted) = &self.lab.expect.cycle {
            let members = played.cycle.iter().flat_map(|cycle| &cycle.members);
            let mut is: Vec<SpeakerId> = members
                .filter(|member| member.routes.len() > 1)
                .map(|member| member.speaker)
                .collect();
            is.sort();
            is.dedup();
            let (wanted, is) = (names(self.network(), wanted), names(self.network(), &is));
            self.same("the cycle is among", &wanted, &is);
        }
        if let Some(wanted) = self.lab.expect.period {
            let is = played.cycle.as_ref().map(|cycle| cycle.period.seconds());
            let text = |seconds: f64| format!("{seconds}s");
            let is = is.map_or_else(|| "none".to_owned(), text);
            self.same("the period is", &text(wanted.seconds()), &is);
        }
    }

    fn moment(&mut self, moment: &LabMoment, sim: &BgpSim) {
        let prefix = &self.network().prefixes[moment.prefix].id;
        let place = format!("{} for {prefix}:", at_text(moment.at));
        for (speaker, wanted) in &moment.best {
            let what = format!("{place} {}", self.network().speakers[*speaker].id);
            let Some(wanted) = wanted else {
                let is = way(sim, *speaker, moment.prefix);
                let is = shown(self.network(), is.as_ref());
                self.same(&format!("{what} has"), "none", &is);
                continue;
            };
            match sim.best(*speaker, moment.prefix) {
                Some(route) => self.route(&what, wanted, &route, sim, *speaker),
                None => self.same(&format!("{what} has"), "a route", "none"),
            }
        }
        for (speaker, wanted) in &moment.forward {
            let what = format!("{place} traffic from {}", self.network().speakers[*speaker].id);
            self.forward(&what, wanted, sim, *speaker, moment.prefix);
        }
    }

    fn route(
        &mut self,
        what: &str,
        wanted: &ExpectedRoute,
        is: &RouteView,
        sim: &BgpSim,
        speaker: SpeakerId,
    ) {
        let number =
            |value: Option<u32>| value.map_or("none".to_owned(), |value| value.to_string());
        let list = |path: &[u32]| path.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        if let Some(path) = &wanted.path {
            let found = way(sim, speaker, is.prefix);
            let found = shown(self.network(), found.as_ref());
            self.same(&format!("{what} takes"), &names(self.network(), path), &found);
        }
        if let Some(via) = wanted.via {
            let found = is.from.map_or(String::new(), |from| names(self.network(), &[from]));
            self.same(&format!("{what} learns from"), &names(self.network(), &[via]), &found);
        }
        if let Some(path) = &wanted.as_path {
            self.same(&format!("{what} has the AS path"), &list(path), &list(&is.path));
        }
        if let Some(value) = wanted.local_pref {
            let what = format!("{what} has the local preference");
            self.same(&what, &value.to_string(), &is.local_pref.to_string());
        }
        if let Some(value) = wanted.med {
            self.same(&format!("{what} has the MED"), &number(value), &number(is.med));
        }
        if let Some(marks) = &wanted.communities {
            let text = |marks: &[_]| {
                let texts: Vec<String> = marks.iter().map(community_text).collect();
                format!("[{}]", texts.join(", "))
            };
            self.same(&format!("{what} has the communities"), &text(marks), &text(&is.communities));
        }
    }

    fn forward(
        &mut self,
        what: &str,
        wanted: &ExpectedForward,
        sim: &BgpSim,
        speaker: SpeakerId,
        prefix: BgpPrefixId,
    ) {
        let is = sim.forward(speaker, prefix);
        self.same(&format!("{what} ends"), wanted.ends.name(), end_of(is.end).name());
        if let Some(path) = &wanted.path {
            let (path, hops) = (names(self.network(), path), names(self.network(), &is.hops));
            self.same(&format!("{what} passes"), &path, &hops);
        }
    }

    fn phase(&mut self, wanted: &LabPhase, is: Phase) {
        let place = format!("from {}s on", wanted.from.seconds());
        let lasted = is.last_change.map_or(0.0, |last| last.since(wanted.from).seconds());
        if let Some(updates) = wanted.updates {
            let what = format!("{place} the number of updates is");
            self.same(&what, &updates.to_string(), &is.updates.to_string());
        }
        let mut bound = |what: String, holds: bool, is: String| {
            let problem = (!holds).then(|| format!("it is {is}"));
            self.found.push(Verdict { what, problem });
        };
        if let Some(most) = wanted.updates_max {
            let what = format!("{place} at most {most} updates are sent");
            bound(what, is.updates <= most, is.updates.to_string());
        }
        if let Some(least) = wanted.lasts_min {
            let what = format!("{place} routes change for at least {}s", least.seconds());
            bound(what, lasted >= least.seconds(), format!("{lasted}s"));
        }
        if let Some(most) = wanted.lasts_max {
            let what = format!("{place} routes change for at most {}s", most.seconds());
            bound(what, lasted <= most.seconds(), format!("{lasted}s"));
        }
    }

    fn stable(&mut self, wanted: &LabStable) {
        let what = format!("there are exactly these {} stable states", wanted.states.len());
        let all = play::stable(self.lab, None);
        let found = all.into_iter().find(|(prefix, _)| *prefix == wanted.prefix);
        let problem = match found {
            Some((_, Ok(states))) => {
                let matched = |state: &Paths| {
                    states.iter().filter(|found| fits(state, |at| found.paths[at].clone())).count()
                };
                let all_there = wanted.states.iter().all(|state| matched(state) == 1);
                let shown = |state: &steerlab_engine::route::bgp::stable::StableState| {
                    let paths = state.paths.iter().flatten();
                    paths.map(|way| names(self.network(), way)).collect::<Vec<_>>().join(", ")
                };
                (!all_there || states.len() != wanted.states.len()).then(|| {
                    let list: Vec<String> = states.iter().map(shown).collect();
                    format!("there are {}: [{}]", states.len(), list.join("] ["))
                })
            }
            Some((_, Err(too_large))) => Some(format!("it is not known: {too_large}")),
            None => Some("the prefix is unknown".to_owned()),
        };
        self.found.push(Verdict { what, problem });
    }

    fn seeds(&mut self, wanted: &LabSeeds) {
        let network = Arc::new(self.lab.network.clone());
        let stable = self.lab.expect.stable.as_ref();
        let mut reached: Vec<usize> = Vec::new();
        let (mut other_ends, mut nowhere) = (Vec::new(), Vec::new());
        for seed in 1..=wanted.count {
            let (outcome, sim) = play::with_seed(self.lab, &network, seed);
            if outcome != wanted.outcome {
                other_ends.push(format!("{seed} ({})", outcome.name()));
            }
            let Some(stable) = stable.filter(|_| wanted.reached.is_some()) else { continue };
            let way_of = |at: usize| way(&sim, SpeakerId(at as u32), stable.prefix);
            match stable.states.iter().position(|state| fits(state, way_of)) {
                Some(position) => reached.push(position),
                None => nowhere.push(seed.to_string()),
            }
        }
        let what = format!("with {} seeds every run ends {}", wanted.count, wanted.outcome.name());
        let problem = (!other_ends.is_empty())
            .then(|| format!("other ends with the seeds {}", other_ends.join(", ")));
        self.found.push(Verdict { what, problem });
        let Some(positions) = &wanted.reached else { return };
        reached.sort_unstable();
        reached.dedup();
        self.same(
            "the stable states reached are",
            &format!("{positions:?}"),
            &format!("{reached:?}"),
        );
        let what = "every run ends in a stable state that is listed".to_owned();
        let problem =
            (!nowhere.is_empty()).then(|| format!("not so with the seeds {}", nowhere.join(", ")));
        self.found.push(Verdict { what, problem });
    }
}

/// Whether a state has the paths that are asked for.
fn fits(wanted: &Paths, is: impl Fn(usize) -> Option<Vec<SpeakerId>>) -> bool {
    wanted.iter().all(|(speaker, path)| is(speaker.0 as usize) == *path)
}

/// How traffic ends, in the words of the expectations.
pub fn end_of(end: ForwardingEnd) -> ForwardEnd {
    match end {
        ForwardingEnd::Delivered(_) => ForwardEnd::Delivered,
        ForwardingEnd::Loop(_) => ForwardEnd::Loop,
        ForwardingEnd::NoRoute(_) => ForwardEnd::BlackHole,
        ForwardingEnd::Blackhole(_) => ForwardEnd::Discarded,
    }
}
