//! Reads what happens in a lab.

use super::lab::LabStep;
use super::policy::word;
use super::resolve::{Resolver, costs, turned};
use crate::table::Entity;
use crate::typed::Fields;
use steerlab_engine::kernel::SimTime;
use steerlab_engine::route::bgp::{BgpChange, IgpLinkId, Relation, SessionId, SpeakerId};

/// A change, and what ends it if it can have an end.
type Pair = (Option<BgpChange>, Option<BgpChange>);

fn once(change: BgpChange) -> Pair {
    (Some(change), None)
}

/// The same change switched on and off.
fn switch(make: impl Fn(bool) -> BgpChange) -> Pair {
    (Some(make(true)), Some(make(false)))
}

impl Resolver<'_> {
    pub(super) fn step(&mut self, fields: &Fields, steps: &mut Vec<LabStep>) {
        let Some((kind, Some(given))) = fields.chosen().map(|(kind, value)| (kind, value.fields()))
        else {
            return;
        };
        let at = SimTime(given.time("at").map_or(0, |span| span.0));
        let (change, reverse) = self.change(kind, given);
        steps.extend(change.map(|change| LabStep { at, change }));
        let Some(reverse) = reverse else { return };
        let Some(until) = given.time("until") else { return };
        if until.0 <= at.0 {
            let place = given.place("until");
            self.error("E0406", place, "`until` is not after `at`", "make `until` later than `at`");
        }
        steps.push(LabStep { at: SimTime(until.0), change: reverse });
    }

    fn change(&mut self, kind: &str, given: &Fields) -> Pair {
        match kind {
            "announce" => once(BgpChange::Announce(self.origination(given))),
            "withdraw" => {
                let speaker = self.speaker_of(given, "speaker");
                once(BgpChange::Withdraw { speaker, prefix: self.prefix_of(given) })
            }
            "fail" => {
                self.up_or_down(given).map_or((None, None), |(up, down)| (Some(down), Some(up)))
            }
            "repair" => (self.up_or_down(given).map(|(up, _)| up), None),
            "reset" => {
                let session = self.named(Entity::Session, given, "session");
                (session.map(|session| BgpChange::SessionReset(SessionId(session))), None)
            }
            "cost" => {
                let link = self.named(Entity::IgpLink, given, "igp_link").map(IgpLinkId);
                let cost = costs(given);
                (link.map(|link| BgpChange::IgpCost { link, cost }), None)
            }
            "configure" => (self.configure(given), None),
            "relate" => self.relate(given),
            "leak" => {
                let speaker = self.speaker_of(given, "speaker");
                switch(|on| BgpChange::Leak { speaker, on })
            }
            "zombie" => {
                let speaker = self.speaker_of(given, "speaker");
                let session = self.named(Entity::Session, given, "session").map(SessionId);
                if let Some(session) = session {
                    self.must_be_end(given, session, speaker);
                }
                switch(|on| BgpChange::IgnoreWithdrawals { speaker, session, on })
            }
            _ => {
                let speaker = self.speaker_of(given, "speaker");
                let prefix = self.prefix_of(given);
                switch(|on| BgpChange::Blackhole { speaker, prefix, on })
            }
        }
    }

    /// What brings the named thing up, and what brings it down.
    fn up_or_down(&mut self, given: &Fields) -> Option<(BgpChange, BgpChange)> {
        let (kind, value) = given.chosen()?;
        Some(match kind {
            "session" => {
                let session = SessionId(self.find(Entity::Session, value)?);
                (BgpChange::SessionUp(session), BgpChange::SessionDown(session))
            }
            "igp_link" => {
                let link = IgpLinkId(self.find(Entity::IgpLink, value)?);
                (BgpChange::IgpLinkUp(link), BgpChange::IgpLinkDown(link))
            }
            _ => {
                let speaker = SpeakerId(self.find(Entity::Speaker, value)?);
                (BgpChange::SpeakerUp(speaker), BgpChange::SpeakerDown(speaker))
            }
        })
    }

    /// Which end of a session a speaker is; reported if it is none.
    fn must_be_end(
        &mut self,
        given: &Fields,
        session: SessionId,
        speaker: SpeakerId,
    ) -> Option<usize> {
        let ends = self.network.sessions[session].ends;
        let side = ends.iter().position(|&end| end == speaker);
        if side.is_none() {
            let place = given.place("speaker");
            let help = "name one of its two ends";
            self.error("E0403", place, "the speaker is no end of this session", help);
        }
        side
    }

    fn configure(&mut self, given: &Fields) -> Option<BgpChange> {
        let session = self.named(Entity::Session, given, "session").map(SessionId);
        let speaker = self.named(Entity::Speaker, given, "speaker").map(SpeakerId);
        let import = given.get("import").map(|_| self.policies(given, "import"));
        let export = given.get("export").map(|_| self.policies(given, "export"));
        let session = session?;
        let side = self.must_be_end(given, session, speaker?)?;
        let start = &self.network.sessions[session].sides[side];
        let import = import.unwrap_or_else(|| start.import.clone());
        let export = export.unwrap_or_else(|| start.export.clone());
        Some(BgpChange::SetPolicies { session, side, import, export })
    }

    fn relate(&mut self, given: &Fields) -> Pair {
        let session = self.named(Entity::Session, given, "session").map(SessionId);
        let (Some(session), Some(relation)) = (session, word::<Relation>(given, "relation")) else {
            return (None, None);
        };
        let sides = &self.network.sessions[session].sides;
        let start = [sides[0].relation, sides[1].relation];
        if start[0].is_internal() != relation.is_internal() {
            let place = given.place("relation");
            let help = "write `ibgp` or `ibgp-client` for speakers of one AS only";
            self.error("E0403", place, "this relation does not fit the ends", help);
            return (None, None);
        }
        let set = |relations| Some(BgpChange::SetRelation { session, relations });
        (set([relation, turned(relation)]), set(start))
    }
}
