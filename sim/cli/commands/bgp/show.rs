//! Shows what came out of a lab: for people and for programs.

use super::judge::{Verdict, end_of, names, shown};
use super::play::{Played, StableByPrefix, way};
use crate::table;
use serde_json::{Value, json};
use std::fmt::Write as _;
use steerlab_engine::route::bgp::stable::{StableState, TooLarge};
use steerlab_engine::route::bgp::{BgpNetwork, BgpPrefixId, Cycle, RouteView, SpeakerId, Standing};
use steerlab_scenario::bgp::{BgpLab, LabOutcome, community_text};

/// Everything there is to show.
pub struct Shown<'a> {
    pub lab: &'a BgpLab,
    pub played: &'a Played,
    pub verdicts: &'a [Verdict],
    /// Stable states by prefix, if asked for.
    pub stable: Option<StableByPrefix>,
    /// Whose candidates are explained.
    pub asked: Option<(SpeakerId, BgpPrefixId)>,
}

pub(super) fn path_text(path: &[u32]) -> String {
    path.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
}

fn marks_text(route: &RouteView) -> String {
    route.communities.iter().map(community_text).collect::<Vec<_>>().join(" ")
}

impl Shown<'_> {
    pub(super) fn network(&self) -> &BgpNetwork {
        &self.lab.network
    }

    pub(super) fn name(&self, speaker: SpeakerId) -> &str {
        &self.network().speakers[speaker].id
    }

    pub(super) fn prefix(&self, prefix: BgpPrefixId) -> &str {
        &self.network().prefixes[prefix].id
    }

    /// All pairs of speaker and prefix, in id order. Recorded peers are left out: what they hold is
    /// what the recording says.
    fn cells(&self) -> impl Iterator<Item = (SpeakerId, BgpPrefixId)> + '_ {
        let prefixes = self.network().prefixes.ids();
        let recorded = self.lab.replay.as_ref().map_or(&[][..], |replay| &replay.peers);
        let own = move |speaker: &SpeakerId| recorded.binary_search(speaker).is_err();
        let speakers = move || self.network().speakers.ids().filter(own);
        prefixes.flat_map(move |prefix| speakers().map(move |speaker| (speaker, prefix)))
    }

    /// The answer for people.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.lab.label);
        self.outcome_text(&mut text);
        self.recorded_text(&mut text);
        self.routes_text(&mut text);
        self.forwarding_text(&mut text);
        self.stable_text(&mut text);
        self.explained_text(&mut text);
        self.verdicts_text(&mut text);
        text
    }

    fn outcome_text(&self, text: &mut String) {
        let counts = self.played.end.counts();
        let words = match self.played.outcome {
            LabOutcome::Converged => "it came to rest".to_owned(),
            LabOutcome::Diverged => {
                let period = self.played.cycle.as_ref().map_or(0.0, |c| c.period.seconds());
                format!("a state came again, so it goes on for ever; a round takes {period}s")
            }
            LabOutcome::Oscillating => {
                "states of all routes came again, but chance decides how it goes on".to_owned()
            }
            LabOutcome::Limit => {
                "it was not at rest when a limit of time or updates was reached".to_owned()
            }
        };
        let _ = writeln!(text, "outcome: {}: {words}", self.played.outcome.name());
        if let Some(cycle) = &self.played.cycle {
            self.cycle_text(text, cycle);
        }
        let _ = writeln!(
            text,
            "updates: {} announcements, {} withdrawals in {} messages; last change of a best route \
             at {}s",
            counts.announcements,
            counts.withdrawals,
            counts.messages,
            self.played.end.last_best_change().seconds()
        );
    }

    fn cycle_text(&self, text: &mut String, cycle: &Cycle) {
        for member in &cycle.members {
            let routes: Vec<String> =
                member.routes.iter().take(8).map(|route| self.turn(route.as_ref())).collect();
            let more = if member.routes.len() > 8 { ", .." } else { "" };
            let (who, what) = (self.name(member.speaker), self.prefix(member.prefix));
            let _ = writeln!(text, "  {who} for {what}: {}{more}", routes.join(", "));
        }
    }

    /// A route in a cycle: who told it, and its AS path.
    fn turn(&self, route: Option<&RouteView>) -> String {
        let Some(route) = route else { return "none".to_owned() };
        let via = route.from.map_or("itself", |from| self.name(from));
        format!("{via} ({})", path_text(&route.path))
    }

    fn routes_text(&self, text: &mut String) {
        let head = ["prefix", "speaker", "way", "as path", "pref", "med", "exit", "communities"];
        let mut rows = Vec::new();
        for (speaker, prefix) in self.cells() {
            let mut row = vec![self.prefix(prefix).to_owned(), self.name(speaker).to_owned()];
            match self.played.end.best(speaker, prefix) {
                Some(route) => {
                    let way = way(&self.played.end, speaker, prefix);
                    row.push(shown(self.network(), way.as_ref()));
                    row.push(path_text(&route.path));
                    row.push(route.local_pref.to_string());
                    row.push(route.med.map_or("-".to_owned(), |med| med.to_string()));
                    row.push(self.name(route.exit).to_owned());
                    row.push(marks_text(&route));
                }
                None => row.extend(["none", "", "-", "-", "", ""].map(str::to_owned)),
            }
            rows.push(row);
        }
        let _ = write!(text, "\nbest routes\n{}", table::plain(&head, &rows));
    }

    fn forwarding_text(&self, text: &mut String) {
        let mut rows = Vec::new();
        for (speaker, prefix) in self.cells() {
            let way = self.played.end.forward(speaker, prefix);
            rows.push(vec![
                self.prefix(prefix).to_owned(),
                self.name(speaker).to_owned(),
                end_of(way.end).name().to_owned(),
                names(self.network(), &way.hops),
            ]);
        }
        let head = ["prefix", "from", "ends", "hops"];
        let _ = write!(text, "\nforwarding\n{}", table::plain(&head, &rows));
    }

    fn stable_text(&self, text: &mut String) {
        for (prefix, states) in self.stable.iter().flatten() {
            let name = self.prefix(*prefix);
            match states {
                Err(too_large) => {
                    let _ = writeln!(text, "\nstable states of {name}: not known: {too_large}");
                }
                Ok(states) => {
                    let _ = writeln!(text, "\nstable states of {name}: {}", states.len());
                    for (number, state) in states.iter().enumerate() {
                        let paths = state.paths.iter().flatten();
                        let ways: Vec<String> =
                            paths.map(|way| names(self.network(), way)).collect();
                        let _ = writeln!(text, "  {number}: {}", ways.join(", "));
                    }
                }
            }
        }
    }

    fn explained_text(&self, text: &mut String) {
        let Some((speaker, prefix)) = self.asked else { return };
        let _ = writeln!(text, "\nroutes of {} to {}", self.name(speaker), self.prefix(prefix));
        let candidates = self.played.end.explain(speaker, prefix);
        for (number, candidate) in candidates.iter().enumerate() {
            let words = self.standing(&candidate.standing);
            let turn = self.turn(Some(&candidate.route));
            let _ = writeln!(text, "  {number}: {turn}: {words}");
        }
        if candidates.is_empty() {
            text.push_str("  none\n");
        }
    }

    fn standing(&self, standing: &Standing) -> String {
        match standing {
            Standing::Best => "best".into(),
            Standing::EquallyGood => "equally good".into(),
            Standing::LostAt { step, to } => format!("lost to {to} at {}", step.name()),
            Standing::Refused(refusal) => format!("refused: {}", refusal.words(self.network())),
        }
    }

    fn verdicts_text(&self, text: &mut String) {
        if self.verdicts.is_empty() {
            return;
        }
        let unmet: Vec<&Verdict> =
            self.verdicts.iter().filter(|verdict| verdict.problem.is_some()).collect();
        let met = self.verdicts.len() - unmet.len();
        let _ = writeln!(text, "\nexpectations: {met} met, {} not met", unmet.len());
        for verdict in unmet {
            let problem = verdict.problem.as_deref().unwrap_or_default();
            let _ = writeln!(text, "  NOT MET: {}: {problem}", verdict.what);
        }
    }

    /// The answer for programs, format `steerlab-bgp-result/1`.
    pub fn json(&self) -> String {
        let end = &self.played.end;
        let counts = end.counts();
        let unmet = self.verdicts.iter().filter(|verdict| verdict.problem.is_some()).count();
        let mut whole = json!({
            "format": "steerlab-bgp-result/1",
            "name": self.lab.name,
            "seed": self.lab.seed,
            "outcome": self.played.outcome.name(),
            "cycle": self.played.cycle.as_ref().map(|cycle| self.cycle_json(cycle)),
            "announcements": counts.announcements,
            "withdrawals": counts.withdrawals,
            "messages": counts.messages,
            "last_change_ns": end.last_best_change().0,
            "fingerprint": format!("{:016x}", end.fingerprint().value()),
            "routes": self.cells().map(|cell| self.route_json(cell)).collect::<Vec<_>>(),
            "forwarding": self.cells().map(|cell| self.forward_json(cell)).collect::<Vec<_>>(),
            "phases": self.phases_json(),
            "expectations": self.verdicts.iter().map(|verdict| json!({
                "what": verdict.what, "met": verdict.problem.is_none(), "problem": verdict.problem,
            })).collect::<Vec<_>>(),
            "expectations_unmet": unmet,
        });
        if let Some(replay) = &self.lab.replay {
            whole["replay"] = self.recorded_json(replay);
        }
        if let Some(stable) = &self.stable {
            whole["stable_states"] = stable.iter().map(|entry| self.stable_json(entry)).collect();
        }
        if let Some((speaker, prefix)) = self.asked {
            let candidates = end.explain(speaker, prefix);
            let row = |candidate: &steerlab_engine::route::bgp::Candidate| {
                json!({
                    "from": candidate.route.from.map(|from| self.name(from)),
                    "as_path": candidate.route.path,
                    "standing": self.standing(&candidate.standing),
                })
            };
            whole["explained"] = json!({
                "speaker": self.name(speaker),
                "prefix": self.prefix(prefix),
                "routes": candidates.iter().map(row).collect::<Vec<_>>(),
            });
        }
        format!("{whole:#}\n")
    }

    fn names_json(&self, way: &[SpeakerId]) -> Value {
        way.iter().map(|&hop| json!(self.name(hop))).collect()
    }

    fn cycle_json(&self, cycle: &Cycle) -> Value {
        let member = |member: &steerlab_engine::route::bgp::CycleMember| {
            let route = |route: &Option<RouteView>| {
                json!({
                    "from": route.as_ref().and_then(|route| route.from).map(|from| self.name(from)),
                    "as_path": route.as_ref().map(|route| &route.path),
                })
            };
            json!({
                "speaker": self.name(member.speaker),
                "prefix": self.prefix(member.prefix),
                "routes": member.routes.iter().map(route).collect::<Vec<_>>(),
            })
        };
        json!({
            "since_ns": cycle.since.0,
            "period_ns": cycle.period.0,
            "members": cycle.members.iter().map(member).collect::<Vec<_>>(),
        })
    }

    fn route_json(&self, (speaker, prefix): (SpeakerId, BgpPrefixId)) -> Value {
        let end = &self.played.end;
        let Some(route) = end.best(speaker, prefix) else {
            return json!({"speaker": self.name(speaker), "prefix": self.prefix(prefix), "way": null});
        };
        let way = way(end, speaker, prefix).unwrap_or_default();
        json!({
            "speaker": self.name(speaker),
            "prefix": self.prefix(prefix),
            "way": self.names_json(&way),
            "as_path": route.path,
            "local_pref": route.local_pref,
            "med": route.med,
            "origin": route.origin,
            "communities": route.communities.iter().map(community_text).collect::<Vec<_>>(),
            "exit": self.name(route.exit),
            "next_hop": self.name(route.next_hop),
            "igp_cost": route.igp_cost,
            "validity": route.validity,
            "learned_from": route.learned.map(|relation| relation.name()),
        })
    }

    fn forward_json(&self, (speaker, prefix): (SpeakerId, BgpPrefixId)) -> Value {
        let way = self.played.end.forward(speaker, prefix);
        json!({
            "from": self.name(speaker),
            "prefix": self.prefix(prefix),
            "ends": end_of(way.end).name(),
            "hops": self.names_json(&way.hops),
        })
    }

    fn phases_json(&self) -> Value {
        let phases = self.lab.expect.phases.iter().zip(&self.played.phases);
        phases
            .map(|(asked, found)| {
                let lasted = found.last_change.map_or(0, |last| last.since(asked.from).0);
                json!({"from_ns": asked.from.0, "updates": found.updates, "lasted_ns": lasted})
            })
            .collect()
    }

    fn stable_json(
        &self,
        (prefix, states): &(BgpPrefixId, Result<Vec<StableState>, TooLarge>),
    ) -> Value {
        let state = |state: &StableState| -> Value {
            let speakers = self.network().speakers.ids().zip(&state.paths);
            speakers
                .map(|(speaker, way)| {
                    let way = way.as_ref().map(|way| self.names_json(way));
                    (self.name(speaker).to_owned(), way.unwrap_or(Value::Null))
                })
                .collect::<serde_json::Map<String, Value>>()
                .into()
        };
        match states {
            Ok(states) => json!({
                "prefix": self.prefix(*prefix),
                "states": states.iter().map(state).collect::<Vec<_>>(),
            }),
            Err(too_large) => json!({
                "prefix": self.prefix(*prefix),
                "states": null,
                "problem": too_large.to_string(),
            }),
        }
    }
}
