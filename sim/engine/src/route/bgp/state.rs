//! What a run changes: tables, sessions, messages on their way, timers.

use super::attrs::{AttrId, NOTHING};
use super::model::{
    BgpNetwork, Mrai, Relation, RoutePolicyId, Session, SessionId, Speaker, SpeakerId,
};
use crate::kernel::{Phase, SimSpan, SimTime, entity_hash};
use std::collections::{BTreeSet, VecDeque};

/// Number of one end of a session: twice the session, plus the side.
pub(super) type EndId = u32;
/// In place of an end: the route is the speaker's own.
pub(super) const LOCAL: EndId = u32::MAX - 1;

/// What happens from outside comes first.
pub(super) const PHASE_CHANGE: Phase = Phase(0);
/// Then messages arrive and damped routes come back.
pub(super) const PHASE_ARRIVE: Phase = Phase(1);
/// Then speakers decide.
pub(super) const PHASE_PROCESS: Phase = Phase(2);
/// Timers expire last, so that they send what the instant decided.
pub(super) const PHASE_TIMER: Phase = Phase(3);

/// Something that will happen.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A scheduled change, by its place in the list.
    Change(usize),
    /// A session torn down by its prefix limit may start again.
    Restart { session: SessionId, attempt: u32 },
    /// The first message on its way to this end arrives, unless the session went down meanwhile.
    Deliver { to: EndId, epoch: u32 },
    /// A speaker is done with what arrived.
    Process(SpeakerId),
    /// The advertisement timer of an end expires, for one prefix or for all.
    Mrai { end: EndId, epoch: u32, prefix: Option<u32> },
    /// A damped route may be used again, unless it flapped meanwhile.
    Reuse { end: EndId, prefix: u32, generation: u32 },
}

/// One prefix in a message: its route, or [`NOTHING`] for a withdrawal.
pub(super) type Update = (u32, AttrId);

/// A message on its way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) arrives: SimTime,
    pub(super) updates: Vec<Update>,
}

/// One end of a session.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) session: SessionId,
    pub(super) speaker: SpeakerId,
    pub(super) asn: u32,
    pub(super) peer: SpeakerId,
    pub(super) peer_asn: u32,
    pub(super) peer_router_id: u32,
    pub(super) peer_address: u32,
    pub(super) relation: Relation,
    pub(super) import: Vec<RoutePolicyId>,
    pub(super) export: Vec<RoutePolicyId>,
    pub(super) mrai: Mrai,
    pub(super) prefixes_max: Option<u32>,
    pub(super) restart: Option<SimSpan>,
    pub(super) next_hop_self: bool,
    pub(super) delay: SimSpan,
    pub(super) delay_jitter: f64,
    /// Ends of one speaker with one number export alike.
    pub(super) group: u32,
    pub(super) ignores_withdrawals: bool,

    pub(super) up: bool,
    /// Counts the times the session went down: what belongs to an earlier time is void.
    pub(super) epoch: u32,
    /// What the far end was told last, by prefix; empty until the first message.
    pub(super) sent: Vec<AttrId>,
    /// Whether the advertisement timer of the session runs.
    pub(super) armed: bool,
    /// Prefixes whose own advertisement timer runs.
    pub(super) armed_prefixes: BTreeSet<u32>,
    /// Prefixes that wait for a timer.
    pub(super) pending: BTreeSet<u32>,
    /// When the running timers expire: the session's (key [`NOTHING`]) and each prefix's.
    pub(super) expiries: std::collections::BTreeMap<u32, SimTime>,
    /// Messages on their way to this end.
    pub(super) flights: VecDeque<Flight>,
    /// Prefixes held from the far end.
    pub(super) held: u32,
    /// Key of this end's random draws, and how many it made.
    pub(super) entity: u64,
    pub(super) draws: u64,
}

impl End {
    pub(super) fn new(network: &BgpNetwork, id: SessionId, side: usize) -> End {
        let session: &Session = &network.sessions[id];
        let (this, far) = (&session.sides[side], &session.sides[1 - side]);
        let speaker = &network.speakers[session.ends[side]];
        let peer: &Speaker = &network.speakers[session.ends[1 - side]];
        let internal = speaker.asn == peer.asn;
        assert_eq!(
            internal,
            this.relation.is_internal(),
            "a session is internal inside an AS only"
        );
        End {
            session: id,
            speaker: session.ends[side],
            asn: speaker.asn,
            peer: session.ends[1 - side],
            peer_asn: peer.asn,
            peer_router_id: peer.router_id,
            peer_address: far.address,
            relation: this.relation,
            import: this.import.clone(),
            export: this.export.clone(),
            mrai: this.mrai,
            prefixes_max: this.prefixes_max,
            restart: this.restart,
            next_hop_self: this.next_hop_self,
            delay: session.delay,
            delay_jitter: session.delay_jitter,
            group: 0,
            ignores_withdrawals: false,
            up: false,
            epoch: 0,
            sent: Vec::new(),
            armed: false,
            armed_prefixes: BTreeSet::new(),
            pending: BTreeSet::new(),
            expiries: std::collections::BTreeMap::new(),
            flights: VecDeque::new(),
            held: 0,
            entity: entity_hash(["bgp-session-a", "bgp-session-b"][side], &session.id),
            draws: 0,
        }
    }

    #[inline]
    pub(super) fn is_internal(&self) -> bool {
        self.relation.is_internal()
    }

    /// What the far end was told last.
    #[inline]
    pub(super) fn told(&self, prefix: u32) -> AttrId {
        self.sent.get(prefix as usize).copied().unwrap_or(NOTHING)
    }
}

/// One speaker.
#[derive(Clone, Debug)]
pub(super) struct Router {
    /// Its ends, in the order of sessions.
    pub(super) ends: Vec<EndId>,
    pub(super) up: bool,
    /// Whether it forgets to hold back what only customers may hear.
    pub(super) leaks: bool,
    pub(super) ignores_withdrawals: bool,
    /// Messages that arrived and wait.
    pub(super) inbox: Vec<(EndId, Vec<Update>)>,
    /// Prefixes to decide anew; `true`: to export anew even if the best route stays.
    pub(super) dirty: Vec<(u32, bool)>,
    /// Ends whose whole table is to be exported anew.
    pub(super) refresh: Vec<EndId>,
    /// When it will be done with what waits.
    pub(super) process_at: Option<SimTime>,
    pub(super) groups: u32,
    /// Whether all its sessions are internal and none is with a client: it never tells on what it
    /// heard.
    pub(super) only_listens: bool,
    /// Whether it ever sent anything.
    pub(super) spoke: bool,
}

/// A session as a whole.
#[derive(Clone, Debug)]
pub(super) struct SessionState {
    /// Wanted by its operators.
    pub(super) wanted: bool,
    /// Torn down by a prefix limit, and when it restarts.
    pub(super) tripped: bool,
    pub(super) restart_at: Option<SimTime>,
    pub(super) attempt: u32,
}

/// A route held from one session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) end: EndId,
    /// As it arrived.
    pub(super) raw: AttrId,
    /// After import; above [`REFUSED`]: the number of a refusal.
    pub(super) used: AttrId,
    pub(super) since: SimTime,
}

/// From here on a number names a refusal.
pub(super) const REFUSED: u32 = 1 << 31;

/// What a speaker holds for a prefix.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// Routes from sessions, by end.
    pub(super) entries: Vec<Entry>,
    /// Place of the own route in the list of own routes.
    pub(super) local: u32,
    /// Where the best route is from: an end, [`LOCAL`], or [`NOTHING`].
    pub(super) from: EndId,
    pub(super) best: AttrId,
    /// Changes of the best route since the last change from outside, and which that was.
    pub(super) moves: u32,
    pub(super) era: u32,
}

impl Cell {
    pub(super) const EMPTY: Cell = Cell {
        entries: Vec::new(),
        local: NOTHING,
        from: NOTHING,
        best: NOTHING,
        moves: 0,
        era: 0,
    };
}

/// A route of a speaker's own.
#[derive(Clone, Debug)]
pub(super) struct LocalRoute {
    pub(super) attributes: AttrId,
    /// Sessions it is announced on, sorted; none: all.
    pub(super) sessions: Option<Vec<SessionId>>,
}
