//! Reads what a lab expects.

use super::lab::{
    ExpectedForward, ExpectedRoute, ForwardEnd, LabExpect, LabMoment, LabOutcome, LabPhase,
    LabSeeds, LabStable,
};
use super::policy::{self, communities, number, text, word};
use super::resolve::Resolver;
use super::words::{self, Word};
use crate::table::Entity;
use crate::typed::{Data, Fields, Value};
use steerlab_engine::kernel::SimTime;
use steerlab_engine::route::bgp::{BgpPrefixId, SpeakerId};

impl Word for LabOutcome {
    const WORDS: &'static [(&'static str, LabOutcome)] = &[
        ("converged", LabOutcome::Converged),
        ("diverged", LabOutcome::Diverged),
        ("oscillating", LabOutcome::Oscillating),
        ("limit", LabOutcome::Limit),
    ];
}

impl Word for ForwardEnd {
    const WORDS: &'static [(&'static str, ForwardEnd)] = &[
        ("delivered", ForwardEnd::Delivered),
        ("loop", ForwardEnd::Loop),
        ("black-hole", ForwardEnd::BlackHole),
        ("discarded", ForwardEnd::Discarded),
    ];
}

/// Names and values of a mapping from names.
fn pairs<'a>(fields: &'a Fields, key: &str) -> &'a [(Value, Value)] {
    fields.get(key).map_or(&[], of_pairs)
}

fn of_pairs(value: &Value) -> &[(Value, Value)] {
    match &value.data {
        Data::Dict(pairs) => pairs,
        _ => &[],
    }
}

fn instant(fields: &Fields, key: &str) -> Option<SimTime> {
    fields.time(key).map(|span| SimTime(span.0))
}

impl Resolver<'_> {
    pub(super) fn expect(&mut self, fields: &Fields) -> LabExpect {
        let Some(fields) = fields.fields("expect") else { return LabExpect::default() };
        let cycle = fields.get("cycle").map(|_| self.speakers(fields, "cycle"));
        let stable = fields.fields("stable_states").map(|given| self.stable(given));
        let states = stable.as_ref().map(|stable| stable.states.len());
        let mut phases: Vec<LabPhase> = fields.rows("phases").map(phase).collect();
        phases.sort_by_key(|phase| phase.from);
        LabExpect {
            outcome: word(fields, "outcome"),
            cycle: cycle.map(|mut speakers| {
                speakers.sort();
                speakers
            }),
            period: fields.time("period"),
            stable,
            seeds: fields.fields("seeds").map(|given| self.seeds(given, states)),
            moments: fields.rows("moments").map(|moment| self.moment(moment)).collect(),
            phases,
        }
    }

    fn speakers(&mut self, fields: &Fields, key: &str) -> Vec<SpeakerId> {
        let mut found = Vec::new();
        for value in fields.items(key) {
            found.extend(self.find(Entity::Speaker, value).map(SpeakerId));
        }
        found
    }

    fn expected_prefix(&mut self, fields: &Fields) -> BgpPrefixId {
        if let Some(value) = fields.get("prefix") {
            return BgpPrefixId(self.find(Entity::Prefix, value).unwrap_or(0));
        }
        if self.network.prefixes.len() > 1 {
            let help = "add `prefix`: there are several";
            self.error("E0102", fields.span, "it is not said for which prefix", help);
        }
        BgpPrefixId(0)
    }

    /// A path by speakers that begins with `speaker`, or `none`.
    fn expected_path(
        &mut self,
        speaker: SpeakerId,
        value: &Value,
    ) -> Option<Option<Vec<SpeakerId>>> {
        if value.text().is_some_and(|text| &**text == "none") {
            return Some(None);
        }
        let path = self.path_by_speakers(value)?;
        if path.first() != Some(&speaker) {
            let help = "write the speaker itself first and the origin last, or `none`";
            self.error("E0403", value.span, "this path does not begin here", help);
        }
        Some(Some(path))
    }

    fn stable(&mut self, fields: &Fields) -> LabStable {
        let prefix = self.expected_prefix(fields);
        let mut states = Vec::new();
        for state in fields.items("states") {
            let mut row = Vec::new();
            for (name, value) in of_pairs(state) {
                let Some(speaker) = self.find(Entity::Speaker, name).map(SpeakerId) else {
                    continue;
                };
                row.extend(self.expected_path(speaker, value).map(|path| (speaker, path)));
            }
            states.push(row);
        }
        LabStable { prefix, states }
    }

    fn seeds(&mut self, fields: &Fields, states: Option<usize>) -> LabSeeds {
        let mut reached = fields.get("reached").map(|_| Vec::new());
        for value in fields.items("reached") {
            let Some(position) = value.count().and_then(|at| usize::try_from(at).ok()) else {
                continue;
            };
            if states.is_none_or(|states| position >= states) {
                let help = "list it under `stable_states`; the first has the position 0";
                self.error("E0301", value.span, "there is no such stable state", help);
            }
            if let Some(list) = &mut reached {
                list.push(position);
            }
        }
        LabSeeds {
            count: fields.count("count").unwrap_or(1),
            outcome: word(fields, "outcome").unwrap_or(LabOutcome::Converged),
            reached: reached.map(|mut list| {
                list.sort_unstable();
                list.dedup();
                list
            }),
        }
    }

    fn moment(&mut self, fields: &Fields) -> LabMoment {
        let prefix = self.expected_prefix(fields);
        let mut best = Vec::new();
        for (name, value) in pairs(fields, "best") {
            let Some(speaker) = self.find(Entity::Speaker, name).map(SpeakerId) else { continue };
            best.extend(self.expected_route(speaker, value).map(|route| (speaker, route)));
        }
        let mut forward = Vec::new();
        for (name, value) in pairs(fields, "forward") {
            let speaker = self.find(Entity::Speaker, name).map(SpeakerId);
            let (Some(speaker), Some(given)) = (speaker, value.fields()) else { continue };
            let path = given.get("path").map(|_| self.speakers(given, "path"));
            let ends = word(given, "ends").unwrap_or(ForwardEnd::Delivered);
            forward.push((speaker, ExpectedForward { ends, path }));
        }
        LabMoment { at: instant(fields, "at"), prefix, best, forward }
    }

    fn expected_route(
        &mut self,
        speaker: SpeakerId,
        value: &Value,
    ) -> Option<Option<ExpectedRoute>> {
        let Some(fields) = value.fields() else {
            let path = self.expected_path(speaker, value)?;
            let route = |path| ExpectedRoute { path: Some(path), ..ExpectedRoute::default() };
            return Some(path.map(route));
        };
        let path = fields.get("path").and_then(|value| self.expected_path(speaker, value));
        let marks =
            fields.get("communities").map(|_| communities(fields, "communities", self.sink));
        let as_path = fields.get("as_path");
        Some(Some(ExpectedRoute {
            via: fields
                .get("via")
                .and_then(|value| self.find(Entity::Speaker, value))
                .map(SpeakerId),
            path: path.flatten(),
            as_path: as_path.and_then(|value| text(value, "as_path", self.sink, words::as_path)),
            local_pref: number(fields, "local_pref"),
            med: policy::med(fields, "med"),
            communities: marks,
        }))
    }
}

fn phase(fields: &Fields) -> LabPhase {
    LabPhase {
        from: instant(fields, "from").unwrap_or(SimTime::ZERO),
        updates: fields.count("updates"),
        updates_max: fields.count("updates_max"),
        lasts_min: fields.time("lasts_min"),
        lasts_max: fields.time("lasts_max"),
    }
}
