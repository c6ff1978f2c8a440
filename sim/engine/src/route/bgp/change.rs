//! What can be done to a running network from outside.

use super::attrs::{Attributes, Class, NOTHING};
use super::model::{
    BgpPrefixId, IgpLinkId, Origination, Relation, RoutePolicyId, SessionId, SpeakerId,
};
use super::sim::{BgpSim, RouteSink, SessionCause};
use super::state::{LocalRoute, REFUSED};
use crate::kernel::Id;

/// A change from outside.
#[derive(Clone, Debug, PartialEq)]
pub enum BgpChange {
    /// A speaker originates a prefix, or does so with other attributes than before.
    Announce(Origination),
    /// It no longer does. Nothing happens if it did not.
    Withdraw {
        /// Who.
        speaker: SpeakerId,
        /// What.
        prefix: BgpPrefixId,
    },
    /// A session ends; both ends know at once. For good: de-peering.
    SessionDown(SessionId),
    /// A session is wanted (again), also after a prefix limit tore it down.
    SessionUp(SessionId),
    /// Down, then up at once.
    SessionReset(SessionId),
    /// A link of an IGP fails.
    IgpLinkDown(IgpLinkId),
    /// It works again.
    IgpLinkUp(IgpLinkId),
    /// Its costs change.
    IgpCost {
        /// Which link.
        link: IgpLinkId,
        /// Cost in each direction, in the order of its ends.
        cost: [u64; 2],
    },
    /// A speaker fails, with its sessions and IGP links.
    SpeakerDown(SpeakerId),
    /// It works again; what it originated it originates again.
    SpeakerUp(SpeakerId),
    /// One end of a session gets other policies; both directions are evaluated anew, as by route
    /// refresh.
    SetPolicies {
        /// Which session.
        session: SessionId,
        /// Which of its two ends: 0 or 1.
        side: usize,
        /// Policies for what arrives.
        import: Vec<RoutePolicyId>,
        /// Policies for what is sent.
        export: Vec<RoutePolicyId>,
    },
    /// The two ends of a session become something else to each other. A session stays internal or
    /// external.
    SetRelation {
        /// Which session.
        session: SessionId,
        /// What the other end is to each end, in the order of ends.
        relations: [Relation; 2],
    },
    /// A speaker tells every neighbour everything (a leak), or stops that. Marks and policies count
    /// as before.
    Leak {
        /// Who.
        speaker: SpeakerId,
        /// Whether.
        on: bool,
    },
    /// A speaker keeps routes that were withdrawn (zombies). What it kept stays until it is
    /// announced or withdrawn again or the session goes down.
    IgnoreWithdrawals {
        /// Who.
        speaker: SpeakerId,
        /// On which session; none: on all.
        session: Option<SessionId>,
        /// Whether.
        on: bool,
    },
    /// A speaker discards traffic to a prefix while it announces the prefix as before.
    Blackhole {
        /// Who.
        speaker: SpeakerId,
        /// Traffic to what (more specific blocks included).
        prefix: BgpPrefixId,
        /// Whether.
        on: bool,
    },
}

impl BgpSim {
    pub(super) fn make_change(&mut self, change: BgpChange, sink: &mut dyn RouteSink) {
        match change {
            BgpChange::Announce(origination) => self.announce(&origination),
            BgpChange::Withdraw { speaker, prefix } => {
                let cell = self.cell_index(speaker, prefix.0);
                if std::mem::replace(&mut self.cells[cell].local, NOTHING) != NOTHING {
                    self.routers[speaker.index()].dirty.push((prefix.0, false));
                    self.wake(speaker);
                }
            }
            BgpChange::SessionDown(session) => {
                self.sessions[session.index()].wanted = false;
                self.refresh_session(session, SessionCause::Change, sink);
            }
            BgpChange::SessionUp(session) => {
                let state = &mut self.sessions[session.index()];
                (state.wanted, state.tripped, state.restart_at) = (true, false, None);
                self.refresh_session(session, SessionCause::Change, sink);
            }
            BgpChange::SessionReset(session) => {
                if self.session_is_up(session) {
                    self.session_down(session, SessionCause::Change, sink);
                    self.refresh_session(session, SessionCause::Change, sink);
                }
            }
            BgpChange::IgpLinkDown(link) => {
                self.link_wanted[link.index()] = false;
                self.refresh_link(link, sink);
            }
            BgpChange::IgpLinkUp(link) => {
                self.link_wanted[link.index()] = true;
                self.refresh_link(link, sink);
            }
            BgpChange::IgpCost { link, cost } => {
                self.link_cost[link.index()] = cost;
                self.refresh_link(link, sink);
            }
            BgpChange::SpeakerDown(speaker) => self.speaker_switched(speaker, false, sink),
            BgpChange::SpeakerUp(speaker) => self.speaker_switched(speaker, true, sink),
            BgpChange::SetPolicies { session, side, import, export } => {
                let end = &mut self.ends[2 * session.index() + side];
                (end.import, end.export) = (import, export);
                self.refresh_end(2 * session.0 + side as u32);
            }
            BgpChange::SetRelation { session, relations } => self.set_relation(session, relations),
            BgpChange::Leak { speaker, on } => {
                self.routers[speaker.index()].leaks = on;
                self.routers[speaker.index()].refresh = self.ends_up(speaker);
                self.wake(speaker);
            }
            BgpChange::IgnoreWithdrawals { speaker, session: None, on } => {
                self.routers[speaker.index()].ignores_withdrawals = on;
            }
            BgpChange::IgnoreWithdrawals { speaker, session: Some(session), on } => {
                let ends = self.network.sessions[session].ends;
                let side = usize::from(ends[0] != speaker);
                assert_eq!(ends[side], speaker, "the speaker has no part in the session");
                self.ends[2 * session.index() + side].ignores_withdrawals = on;
            }
            BgpChange::Blackhole { speaker, prefix, on: true } => {
                self.discards.insert((speaker, prefix));
            }
            BgpChange::Blackhole { speaker, prefix, on: false } => {
                self.discards.remove(&(speaker, prefix));
            }
        }
    }

    fn announce(&mut self, origination: &Origination) {
        let Origination { speaker, prefix, .. } = *origination;
        let asn = self.network.speakers[speaker].asn;
        let behind = self.store.path_of(&origination.path);
        let path = self.store.prepend_times(asn, u32::from(origination.prepend), behind);
        let communities = self.store.communities_of(origination.communities.clone());
        let attributes = self.store.intern(Attributes {
            path,
            clusters: super::attrs::EMPTY,
            communities,
            local_pref: Relation::Plain.default_local_pref(),
            med: origination.med,
            originator: None,
            exit: speaker,
            next_hop: speaker,
            origin: origination.origin,
            class: Class::Own,
            depreferenced: false,
        });
        let mut sessions = origination.sessions.clone();
        if let Some(list) = &mut sessions {
            list.sort_unstable();
        }
        let route = LocalRoute { attributes, sessions };
        let cell = self.cell_index(speaker, prefix.0);
        let place = self.cells[cell].local;
        if place == NOTHING {
            self.cells[cell].local = self.locals.len() as u32;
            self.locals.push(route);
        } else {
            self.locals[place as usize] = route;
        }
        self.routers[speaker.index()].dirty.push((prefix.0, true));
        self.wake(speaker);
    }

    fn ends_up(&self, speaker: SpeakerId) -> Vec<u32> {
        let ends = self.routers[speaker.index()].ends.iter().copied();
        ends.filter(|&end| self.ends[end as usize].up).collect()
    }

    /// Evaluates both directions of an end anew.
    fn refresh_end(&mut self, id: u32) {
        let speaker = self.ends[id as usize].speaker;
        self.regroup(speaker);
        for prefix in 0..self.network.prefixes.len() as u32 {
            let cell = self.cell_index(speaker, prefix);
            let entries = &self.cells[cell].entries;
            let Ok(at) = entries.binary_search_by_key(&id, |entry| entry.end) else { continue };
            let used = self.import(id, prefix, entries[at].raw);
            self.cells[cell].entries[at].used = used;
            self.routers[speaker.index()].dirty.push((prefix, false));
        }
        if self.ends[id as usize].up {
            self.routers[speaker.index()].refresh.push(id);
        }
        self.wake(speaker);
    }

    fn set_relation(&mut self, session: SessionId, relations: [Relation; 2]) {
        for (side, relation) in relations.into_iter().enumerate() {
            let end = &mut self.ends[2 * session.index() + side];
            assert_eq!(end.is_internal(), relation.is_internal(), "a session stays in its AS");
            end.relation = relation;
        }
        for side in 0..2 {
            let id = 2 * session.0 + side;
            self.refresh_end(id);
            // Who hears a route depends on where it is from: all ends may change.
            let speaker = self.ends[id as usize].speaker;
            self.routers[speaker.index()].refresh = self.ends_up(speaker);
        }
    }

    fn speaker_switched(&mut self, speaker: SpeakerId, up: bool, sink: &mut dyn RouteSink) {
        if std::mem::replace(&mut self.routers[speaker.index()].up, up) == up {
            return;
        }
        let ends = self.routers[speaker.index()].ends.clone();
        for end in ends {
            let session = self.ends[end as usize].session;
            self.refresh_session(session, SessionCause::Change, sink);
        }
        for link in self.network.igp_links.ids() {
            if self.network.igp_links[link].ends.contains(&speaker) {
                self.refresh_link(link, sink);
            }
        }
        let router = &mut self.routers[speaker.index()];
        router.inbox.clear();
        if up {
            router.dirty.extend((0..self.network.prefixes.len() as u32).map(|p| (p, false)));
            self.wake(speaker);
        } else {
            router.dirty.clear();
            router.refresh.clear();
            for prefix in 0..self.network.prefixes.len() as u32 {
                self.set_best(speaker, prefix, NOTHING, NOTHING, sink);
            }
        }
    }

    pub(super) fn link_possible(&self, link: IgpLinkId) -> bool {
        let ends = self.network.igp_links[link].ends;
        self.link_wanted[link.index()] && ends.iter().all(|end| self.routers[end.index()].up)
    }

    /// Brings the IGP up to date with a link, and BGP with the IGP.
    fn refresh_link(&mut self, link: IgpLinkId, sink: &mut dyn RouteSink) {
        let ends = self.network.igp_links[link].ends;
        let (up, cost) = (self.link_possible(link), self.link_cost[link.index()]);
        let (changes, parts) = self.igp.set_link(link, up, cost, ends);
        let mut pairs: Vec<(SpeakerId, SpeakerId)> = changes
            .iter()
            .flat_map(|change| change.speakers.iter().map(|&speaker| (speaker, change.exit)))
            .collect();
        pairs.sort_unstable();
        for group in pairs.chunk_by(|a, b| a.0 == b.0) {
            self.costs_changed(group[0].0, group);
        }
        if parts {
            let asn = self.network.speakers[ends[0]].asn;
            for session in self.network.sessions.ids() {
                let end = &self.ends[2 * session.index()];
                if end.is_internal() && end.asn == asn {
                    self.refresh_session(session, SessionCause::Change, sink);
                }
            }
        }
    }

    /// Decides anew where a candidate's exit changed its cost. `pairs` hold (speaker, exit).
    fn costs_changed(&mut self, speaker: SpeakerId, pairs: &[(SpeakerId, SpeakerId)]) {
        let first = self.cell_index(speaker, 0);
        let cells = &self.cells[first..first + self.network.prefixes.len()];
        let router = &mut self.routers[speaker.index()];
        let before = router.dirty.len();
        for (prefix, cell) in (0_u32..).zip(cells) {
            let concerned = cell.entries.iter().any(|entry| {
                entry.used < REFUSED && self.ends[entry.end as usize].is_internal() && {
                    let exit = self.store.attributes(entry.used).exit;
                    pairs.binary_search_by_key(&exit, |pair| pair.1).is_ok()
                }
            });
            if concerned {
                router.dirty.push((prefix, false));
            }
        }
        if router.dirty.len() > before {
            self.wake(speaker);
        }
    }

    /// Whether everything a session needs is there.
    pub(super) fn session_possible(&self, session: SessionId) -> bool {
        let state = &self.sessions[session.index()];
        let [a, b] = self.network.sessions[session].ends;
        let external = !self.ends[2 * session.index()].is_internal();
        state.wanted
            && !state.tripped
            && self.routers[a.index()].up
            && self.routers[b.index()].up
            && (external || self.igp.connected(a, b))
    }

    /// Brings a session up to date with what it needs.
    pub(super) fn refresh_session(
        &mut self,
        session: SessionId,
        cause: SessionCause,
        sink: &mut dyn RouteSink,
    ) {
        match (self.session_is_up(session), self.session_possible(session)) {
            (true, false) => self.session_down(session, cause, sink),
            (false, true) => {
                for id in [2 * session.0, 2 * session.0 + 1] {
                    self.ends[id as usize].up = true;
                    let speaker = self.ends[id as usize].speaker;
                    self.routers[speaker.index()].refresh.push(id);
                    self.wake(speaker);
                }
                sink.session_changed(self.clock.now(), session, true, cause);
            }
            _ => {}
        }
    }
}
