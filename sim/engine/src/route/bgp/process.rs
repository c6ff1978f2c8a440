//! A speaker at work: takes what arrived, decides, and says who should hear of it.

use super::attrs::{AttrId, EMPTY, NOTHING};
use super::decide::Rank;
use super::igp::UNREACHABLE;
use super::model::{Relation, SessionId, SpeakerId};
use super::sim::{BgpSim, RouteSink, SessionCause};
use super::state::{Cell, EndId, Entry, Event, LOCAL, PHASE_CHANGE, REFUSED, Update};
use super::watch::zobrist;
use crate::kernel::Id;

impl BgpSim {
    /// A speaker is done with what arrived: it decides and sends.
    pub(super) fn process(&mut self, speaker: SpeakerId, sink: &mut dyn RouteSink) {
        let index = speaker.index();
        self.routers[index].process_at = None;
        if !self.routers[index].up {
            return;
        }
        let mut too_many: Vec<EndId> = Vec::new();
        for (end, updates) in std::mem::take(&mut self.routers[index].inbox) {
            for (prefix, raw) in updates {
                self.receive(end, prefix, raw);
            }
            let state = &self.ends[end as usize];
            if state.prefixes_max.is_some_and(|most| state.held > most) {
                too_many.push(end);
            }
        }
        for end in too_many {
            self.trip(end, sink);
        }
        let mut dirty = std::mem::take(&mut self.routers[index].dirty);
        // For each prefix the entry that asks for more comes first and stays.
        dirty.sort_unstable_by_key(|&(prefix, force)| (prefix, !force));
        dirty.dedup_by_key(|&mut (prefix, _)| prefix);
        let mut outs = std::mem::take(&mut self.scratch.outs);
        outs.resize_with(self.routers[index].ends.len().max(outs.len()), Vec::new);
        for &(prefix, force) in &dirty {
            if self.decide(speaker, prefix, sink) || force {
                self.spread(speaker, prefix, &mut outs);
            }
        }
        dirty.clear();
        self.routers[index].dirty = dirty;
        self.export_tables(speaker, &mut outs);
        for (place, out) in outs.iter_mut().enumerate().take(self.routers[index].ends.len()) {
            if !out.is_empty() {
                let end = self.routers[index].ends[place];
                self.send(end, out, sink);
                out.clear();
            }
        }
        self.scratch.outs = outs;
    }

    /// Takes one announcement or withdrawal into the table.
    fn receive(&mut self, end: EndId, prefix: u32, raw: AttrId) {
        let state = &self.ends[end as usize];
        let speaker = state.speaker;
        let keeps = state.ignores_withdrawals || self.routers[speaker.index()].ignores_withdrawals;
        let cell = self.cell_index(speaker, prefix);
        let found = self.cells[cell].entries.binary_search_by_key(&end, |entry| entry.end);
        if raw == NOTHING {
            let Ok(at) = found else { return };
            if keeps {
                return;
            }
            let entry = self.cells[cell].entries.remove(at);
            self.watch.tables ^= zobrist(cell as u64, end, entry.raw);
            self.ends[end as usize].held -= 1;
            self.flapped(end, prefix, true);
        } else {
            let used = self.import(end, prefix, raw);
            let entry = Entry { end, raw, used, since: self.clock.now() };
            match found {
                Ok(at) if self.cells[cell].entries[at].raw == raw => return,
                Ok(at) => {
                    let old = std::mem::replace(&mut self.cells[cell].entries[at], entry);
                    self.watch.tables ^= zobrist(cell as u64, end, old.raw);
                    self.flapped(end, prefix, false);
                }
                Err(at) => {
                    self.cells[cell].entries.insert(at, entry);
                    self.ends[end as usize].held += 1;
                }
            }
            self.watch.tables ^= zobrist(cell as u64, end, raw);
        }
        self.routers[speaker.index()].dirty.push((prefix, false));
    }

    /// Fills the working memory with all candidates of a cell: ranks, and where each is from.
    pub(super) fn gather(
        &self,
        speaker: SpeakerId,
        prefix: u32,
        ranks: &mut Vec<Rank>,
        sources: &mut Vec<(EndId, AttrId)>,
    ) {
        ranks.clear();
        sources.clear();
        let cell: &Cell = &self.cells[self.cell_index(speaker, prefix)];
        if cell.local != NOTHING {
            let attributes = self.locals[cell.local as usize].attributes;
            ranks.push(self.rank(
                speaker,
                LOCAL,
                attributes,
                &Entry {
                    end: LOCAL,
                    raw: attributes,
                    used: attributes,
                    since: crate::kernel::SimTime::ZERO,
                },
            ));
            sources.push((LOCAL, attributes));
        }
        for entry in &cell.entries {
            if entry.used >= REFUSED || self.damped(entry.end, prefix) {
                continue;
            }
            let rank = self.rank(speaker, entry.end, entry.used, entry);
            if rank.igp_cost != UNREACHABLE {
                ranks.push(rank);
                sources.push((entry.end, entry.used));
            }
        }
    }

    fn rank(&self, speaker: SpeakerId, from: EndId, route: AttrId, entry: &Entry) -> Rank {
        let route = self.store.attributes(route);
        let local = from == LOCAL;
        let end = self.ends.get(from as usize);
        let ebgp = end.is_none_or(|end| !end.is_internal());
        let igp_cost = if ebgp { 0 } else { self.igp.cost(speaker, route.exit) };
        Rank {
            local,
            depreferenced: route.depreferenced,
            local_pref: route.local_pref,
            path_length: self.store.path_length(route.path),
            origin: route.origin,
            med: route.med,
            neighbour_as: self
                .store
                .path_first(route.path)
                .unwrap_or_else(|| self.network.speakers[speaker].asn),
            ebgp,
            igp_cost,
            since: entry.since,
            router_id: route.originator.unwrap_or_else(|| end.map_or(0, |end| end.peer_router_id)),
            cluster_list_length: self.store.path_length(route.clusters),
            peer_address: end.map_or(0, |end| end.peer_address),
            session_order: from,
        }
    }

    /// Runs the decision process; returns whether the best route changed.
    pub(super) fn decide(
        &mut self,
        speaker: SpeakerId,
        prefix: u32,
        sink: &mut dyn RouteSink,
    ) -> bool {
        self.counts.decisions += 1;
        sink.decided(self.clock.now(), speaker, super::model::BgpPrefixId(prefix));
        let mut ranks = std::mem::take(&mut self.scratch.ranks);
        let mut sources = std::mem::take(&mut self.scratch.sources);
        self.gather(speaker, prefix, &mut ranks, &mut sources);
        let best = self.scratch.decider.best(&ranks, self.network.decision);
        let (from, route) = best.map_or((NOTHING, NOTHING), |at| sources[at]);
        self.scratch.ranks = ranks;
        self.scratch.sources = sources;
        self.set_best(speaker, prefix, from, route, sink)
    }

    /// Sets the best route of a cell; returns whether it is another one.
    pub(super) fn set_best(
        &mut self,
        speaker: SpeakerId,
        prefix: u32,
        from: EndId,
        route: AttrId,
        sink: &mut dyn RouteSink,
    ) -> bool {
        let index = self.cell_index(speaker, prefix);
        let cell = &mut self.cells[index];
        if (cell.from, cell.best) == (from, route) {
            return false;
        }
        self.watch.bests ^= zobrist(index as u64, cell.from, cell.best);
        self.watch.bests ^= zobrist(index as u64, from, route);
        (cell.from, cell.best) = (from, route);
        self.watch.moved(cell);
        self.watch.note(self.clock.now(), speaker, prefix, from, route);
        let trace = self.clock.fingerprint_mut();
        trace.absorb(index as u64);
        trace.absorb(u64::from(from) << 32 | u64::from(route));
        self.counts.best_changes += 1;
        self.last_best_change = self.clock.now();
        sink.best_changed(self.clock.now(), speaker, super::model::BgpPrefixId(prefix));
        true
    }

    /// Says what each session should hear of a prefix now.
    fn spread(&mut self, speaker: SpeakerId, prefix: u32, outs: &mut [Vec<Update>]) {
        let router = &self.routers[speaker.index()];
        let heard = self.cells[self.cell_index(speaker, prefix)].from < LOCAL;
        if router.only_listens && !router.spoke && heard {
            return;
        }
        let count = router.ends.len();
        let mut exports = std::mem::take(&mut self.scratch.exports);
        exports.clear();
        exports.resize(router.groups as usize, None);
        for (place, out) in outs.iter_mut().enumerate().take(count) {
            let id = self.routers[speaker.index()].ends[place];
            self.consider(id, prefix, &mut exports, out);
        }
        self.scratch.exports = exports;
    }

    /// Says what one session should hear of all prefixes.
    fn export_tables(&mut self, speaker: SpeakerId, outs: &mut [Vec<Update>]) {
        let mut refresh = std::mem::take(&mut self.routers[speaker.index()].refresh);
        refresh.sort_unstable();
        refresh.dedup();
        for id in refresh {
            let ends = &self.routers[speaker.index()].ends;
            let place = ends.binary_search(&id).expect("a speaker refreshes its own ends");
            for prefix in 0..self.network.prefixes.len() as u32 {
                let groups = self.routers[speaker.index()].groups as usize;
                let mut exports = std::mem::take(&mut self.scratch.exports);
                exports.clear();
                exports.resize(groups, None);
                self.consider(id, prefix, &mut exports, &mut outs[place]);
                self.scratch.exports = exports;
            }
        }
    }

    /// Puts into `out` what a session should hear of a prefix, if it heard something else last.
    fn consider(
        &mut self,
        id: EndId,
        prefix: u32,
        exports: &mut [Option<AttrId>],
        out: &mut Vec<Update>,
    ) {
        let end = &self.ends[id as usize];
        if !end.up {
            return;
        }
        let (group, told) = (end.group as usize, end.told(prefix));
        let wanted = if !self.may_hear(id, prefix) {
            NOTHING
        } else if self.has_marks(id, prefix) {
            self.export(id, prefix)
        } else {
            match exports[group] {
                Some(known) => known,
                None => *exports[group].insert(self.export(id, prefix)),
            }
        };
        if wanted != told {
            out.push((prefix, wanted));
        } else if !self.ends[id as usize].pending.is_empty() {
            // Back to what was said last: nothing needs to be said any more.
            self.ends[id as usize].pending.remove(&prefix);
        }
    }

    /// Whether the best route has marks: they may say something else to each neighbour of a group.
    #[inline]
    fn has_marks(&self, id: EndId, prefix: u32) -> bool {
        let cell = &self.cells[self.cell_index(self.ends[id as usize].speaker, prefix)];
        self.store.attributes(cell.best).communities != EMPTY
    }

    /// What a session should hear of a prefix now.
    pub(super) fn wanted(&mut self, id: EndId, prefix: u32) -> AttrId {
        if self.may_hear(id, prefix) { self.export(id, prefix) } else { NOTHING }
    }

    /// Whether a route is told over a session at all, by where it is from. A route never goes back
    /// over the session it came from; inside an AS it goes on through reflectors only (RFC 4456).
    #[inline]
    fn may_hear(&self, id: EndId, prefix: u32) -> bool {
        let end = &self.ends[id as usize];
        let cell = &self.cells[self.cell_index(end.speaker, prefix)];
        match cell.from {
            NOTHING => false,
            LOCAL => {
                let sessions = &self.locals[cell.local as usize].sessions;
                sessions.as_ref().is_none_or(|list| list.binary_search(&end.session).is_ok())
            }
            from if from == id => false,
            from => {
                end.relation != Relation::Internal
                    || self.ends[from as usize].relation != Relation::Internal
            }
        }
    }

    /// Tears a session down because one end holds too much.
    fn trip(&mut self, id: EndId, sink: &mut dyn RouteSink) {
        let end = &self.ends[id as usize];
        let (session, restart) = (end.session, end.restart);
        let cause = SessionCause::PrefixLimit { by: end.speaker, held: end.held };
        let state = &mut self.sessions[session.index()];
        state.tripped = true;
        state.attempt += 1;
        state.restart_at = restart.map(|pause| self.clock.now().after(pause));
        if let Some(at) = state.restart_at {
            let event = Event::Restart { session, attempt: state.attempt };
            self.clock.schedule(at, PHASE_CHANGE, 0, event);
        }
        self.session_down(session, cause, sink);
    }

    /// The pause after a prefix limit is over.
    pub(super) fn restart(&mut self, session: SessionId, attempt: u32, sink: &mut dyn RouteSink) {
        let state = &mut self.sessions[session.index()];
        if state.tripped && state.attempt == attempt {
            (state.tripped, state.restart_at) = (false, None);
            self.refresh_session(session, SessionCause::Restart, sink);
        }
    }

    /// Both ends forget what they learned and what is on its way.
    pub(super) fn session_down(
        &mut self,
        session: SessionId,
        cause: SessionCause,
        sink: &mut dyn RouteSink,
    ) {
        sink.session_changed(self.clock.now(), session, false, cause);
        for id in [2 * session.0, 2 * session.0 + 1] {
            let end = &mut self.ends[id as usize];
            end.up = false;
            end.epoch += 1;
            end.flights.clear();
            for (prefix, told) in (0_u64..).zip(std::mem::take(&mut end.sent)) {
                if told != NOTHING {
                    self.watch.told ^= zobrist(prefix, id, told);
                }
            }
            end.armed = false;
            end.armed_prefixes.clear();
            end.expiries.clear();
            end.pending.clear();
            let speaker = end.speaker;
            let held = std::mem::take(&mut end.held);
            let router = &mut self.routers[speaker.index()];
            router.inbox.retain(|(from, _)| *from != id);
            router.refresh.retain(|&end| end != id);
            if held > 0 {
                self.forget(speaker, id);
            }
        }
    }

    /// Drops all routes from one end.
    fn forget(&mut self, speaker: SpeakerId, id: EndId) {
        for prefix in 0..self.network.prefixes.len() as u32 {
            let index = self.cell_index(speaker, prefix);
            let entries = &mut self.cells[index].entries;
            if let Ok(at) = entries.binary_search_by_key(&id, |entry| entry.end) {
                let entry = entries.remove(at);
                self.watch.tables ^= zobrist(index as u64, id, entry.raw);
                self.routers[speaker.index()].dirty.push((prefix, false));
            }
        }
        self.wake(speaker);
    }
}
