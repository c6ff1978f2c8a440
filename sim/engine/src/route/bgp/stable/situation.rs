//! A network as it is after some changes, with what is originated in it.

use crate::kernel::Id;
use crate::route::bgp::change::BgpChange;
use crate::route::bgp::model::{BgpNetwork, Origination, SpeakerId};
use std::collections::BTreeSet;

/// A network at an instant, at rest or not: what is configured, up, and originated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Situation {
    /// The network; `up`, costs, relations and policies are those of the instant.
    pub network: BgpNetwork,
    /// What is originated, at most once for each speaker and prefix.
    pub originations: Vec<Origination>,
    /// Who exports everything to everybody.
    pub leaking: BTreeSet<SpeakerId>,
}

impl Situation {
    /// `network` after `changes`, in order.
    ///
    /// A session reset leaves things as they were. Ignored withdrawals, discarded traffic and
    /// prefix limits are not part of it: what they do depends on the past.
    #[must_use]
    pub fn after<'a>(
        network: &BgpNetwork,
        changes: impl IntoIterator<Item = &'a BgpChange>,
    ) -> Situation {
        let mut situation = Situation { network: network.clone(), ..Situation::default() };
        let mut dead: BTreeSet<SpeakerId> = BTreeSet::new();
        for change in changes {
            match change {
                BgpChange::SpeakerDown(speaker) => {
                    dead.insert(*speaker);
                }
                BgpChange::SpeakerUp(speaker) => {
                    dead.remove(speaker);
                }
                other => situation.apply(other),
            }
        }
        let network = &mut situation.network;
        for session in network.sessions.rows_mut() {
            session.up &= !session.ends.iter().any(|end| dead.contains(end));
        }
        for link in network.igp_links.rows_mut() {
            link.up &= !link.ends.iter().any(|end| dead.contains(end));
        }
        situation.originations.retain(|own| !dead.contains(&own.speaker));
        situation
    }

    fn apply(&mut self, change: &BgpChange) {
        let network = &mut self.network;
        match change {
            BgpChange::Announce(origination) => {
                self.withdraw(origination.speaker, origination.prefix.index());
                self.originations.push(origination.clone());
            }
            BgpChange::Withdraw { speaker, prefix } => self.withdraw(*speaker, prefix.index()),
            BgpChange::SessionDown(session) => network.sessions[*session].up = false,
            BgpChange::SessionUp(session) => network.sessions[*session].up = true,
            BgpChange::IgpLinkDown(link) => network.igp_links[*link].up = false,
            BgpChange::IgpLinkUp(link) => network.igp_links[*link].up = true,
            BgpChange::IgpCost { link, cost } => network.igp_links[*link].cost = *cost,
            BgpChange::SetPolicies { session, side, import, export } => {
                let side = &mut network.sessions[*session].sides[*side];
                (side.import, side.export) = (import.clone(), export.clone());
            }
            BgpChange::SetRelation { session, relations } => {
                let sides = &mut network.sessions[*session].sides;
                (sides[0].relation, sides[1].relation) = (relations[0], relations[1]);
            }
            BgpChange::Leak { speaker, on: true } => {
                self.leaking.insert(*speaker);
            }
            BgpChange::Leak { speaker, on: false } => {
                self.leaking.remove(speaker);
            }
            BgpChange::SessionReset(_)
            | BgpChange::SpeakerDown(_)
            | BgpChange::SpeakerUp(_)
            | BgpChange::IgnoreWithdrawals { .. }
            | BgpChange::Blackhole { .. } => {}
        }
    }

    fn withdraw(&mut self, speaker: SpeakerId, prefix: usize) {
        self.originations.retain(|own| own.speaker != speaker || own.prefix.index() != prefix);
    }
}
