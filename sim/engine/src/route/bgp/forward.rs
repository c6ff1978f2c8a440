//! Where traffic goes, hop by hop, by each speaker's own best route.

use super::attrs::{Class, NOTHING};
use super::model::{BgpPrefixId, Community, SpeakerId};
use super::roa::chain;
use super::sim::BgpSim;
use super::state::LOCAL;
use crate::kernel::Id;

/// How far traffic gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarding {
    /// The speakers it passes, the first one included.
    pub hops: Vec<SpeakerId>,
    /// How it ends.
    pub end: ForwardingEnd,
}

/// How traffic ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardingEnd {
    /// At a speaker that originates the block.
    Delivered(SpeakerId),
    /// It came back to this speaker, which is the last of the hops too.
    Loop(SpeakerId),
    /// This speaker knows no way.
    NoRoute(SpeakerId),
    /// This speaker discards it.
    Blackhole(SpeakerId),
}

impl BgpSim {
    /// Sends a packet from a speaker towards a block, with all tables as they are now. Each speaker
    /// takes its most specific route; inside an AS the first of several equally near next hops.
    #[must_use]
    pub fn forward(&self, speaker: SpeakerId, prefix: BgpPrefixId) -> Forwarding {
        let mut hops = vec![speaker];
        let mut seen = vec![false; self.network.speakers.len()];
        let mut at = speaker;
        loop {
            if std::mem::replace(&mut seen[at.index()], true) {
                return Forwarding { hops, end: ForwardingEnd::Loop(at) };
            }
            match self.next_hop(at, prefix) {
                Ok(next) => {
                    hops.push(next);
                    at = next;
                }
                Err(end) => return Forwarding { hops, end },
            }
        }
    }

    /// The next speaker on the way from `at` to `prefix`.
    ///
    /// # Errors
    /// How the traffic ends there.
    pub fn next_hop(&self, at: SpeakerId, prefix: BgpPrefixId) -> Result<SpeakerId, ForwardingEnd> {
        if !self.routers[at.index()].up {
            return Err(ForwardingEnd::Blackhole(at));
        }
        for block in chain(&self.network, prefix) {
            if self.discards.contains(&(at, block)) {
                return Err(ForwardingEnd::Blackhole(at));
            }
            let cell = self.cell(at, block);
            if cell.from == NOTHING {
                continue;
            }
            if cell.from == LOCAL {
                return Err(ForwardingEnd::Delivered(at));
            }
            let route = self.store.attributes(cell.best);
            let marks = self.store.communities(route.communities);
            if route.class != Class::Own && marks.contains(&Community::Blackhole) {
                return Err(ForwardingEnd::Blackhole(at));
            }
            let end = &self.ends[cell.from as usize];
            if !end.is_internal() {
                return Ok(end.peer);
            }
            let next = self.igp.next_hops(at, route.exit).first().copied();
            return next.ok_or(ForwardingEnd::NoRoute(at));
        }
        Err(ForwardingEnd::NoRoute(at))
    }
}
