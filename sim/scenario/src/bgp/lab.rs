//! A BGP lab as data.

use steerlab_engine::kernel::{SimSpan, SimTime};
use steerlab_engine::route::bgp::{BgpChange, BgpNetwork, BgpPrefixId, Community, SpeakerId};

/// A network, what happens to it, and what must come out.
#[derive(Clone, Debug, PartialEq)]
pub struct BgpLab {
    /// Name, used for files.
    pub name: String,
    /// Title for people.
    pub label: String,
    /// What it shows.
    pub description: String,
    /// Where it comes from.
    pub source: String,
    /// Root of all chance.
    pub seed: u64,
    /// Longest time it is played without coming to rest.
    pub horizon: SimSpan,
    /// Most announcements and withdrawals it is played for.
    pub updates_max: u64,
    /// The network at the start.
    pub network: BgpNetwork,
    /// What happens, in order of time; what is announced from the start comes first.
    pub steps: Vec<LabStep>,
    /// What of it was recorded, if anything.
    pub replay: Option<LabReplay>,
    /// What must come out.
    pub expect: LabExpect,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct LabStep {
    /// When.
    pub at: SimTime,
    /// What.
    pub change: BgpChange,
}

/// A recording that is played: who hears it, and how it became speakers and steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabReplay {
    /// The speaker that hears the recorded peers.
    pub to: SpeakerId,
    /// The speakers that stand for the recorded peers, in order of AS number and address.
    pub peers: Vec<SpeakerId>,
    /// What second 0 of the lab was, in microseconds since 1970-01-01T00:00:00Z.
    pub zero_unix_us: i64,
    /// Routes that were held when the recording begins.
    pub held: u64,
    /// Announcements and withdrawals after that.
    pub updates: u64,
    /// Rows of the recording that are not played: other blocks, other peers, after the end.
    pub left_out: u64,
    /// What was assumed to make AS paths of recorded ones.
    pub notes: Vec<String>,
}

impl LabReplay {
    /// Time of day (UTC, whole seconds) at an instant of the lab, as `2008-02-24T18:47:53Z`.
    #[must_use]
    pub fn clock(&self, at: SimTime) -> String {
        let since_us = i64::try_from(at.0 / 1_000).unwrap_or(i64::MAX);
        let unix_us = self.zero_unix_us.saturating_add(since_us);
        crate::import::stamp_text(unix_us.div_euclid(1_000_000))
    }
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabOutcome {
    /// At rest.
    Converged,
    /// In a state that came before: it goes on for ever.
    Diverged,
    /// Still changing, without an exact repetition.
    Oscillating,
    /// Stopped by the limit of time or messages.
    Limit,
}

impl LabOutcome {
    /// Name as in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            LabOutcome::Converged => "converged",
            LabOutcome::Diverged => "diverged",
            LabOutcome::Oscillating => "oscillating",
            LabOutcome::Limit => "limit",
        }
    }
}

/// What must come out of a lab. What is none or empty is not expected at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabExpect {
    /// How it ends with the lab's own seed.
    pub outcome: Option<LabOutcome>,
    /// The speakers whose routes change for ever, in id order.
    pub cycle: Option<Vec<SpeakerId>>,
    /// How long one round of the cycle takes.
    pub period: Option<SimSpan>,
    /// All stable states there are.
    pub stable: Option<LabStable>,
    /// What happens over several seeds.
    pub seeds: Option<LabSeeds>,
    /// Routes at certain moments.
    pub moments: Vec<LabMoment>,
    /// What follows certain moments, in order of time.
    pub phases: Vec<LabPhase>,
}

impl LabExpect {
    /// Whether nothing is expected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == LabExpect::default()
    }
}

/// All stable states for one prefix.
#[derive(Clone, Debug, PartialEq)]
pub struct LabStable {
    /// For this prefix.
    pub prefix: BgpPrefixId,
    /// For each state the paths of some speakers, itself first; none: no route.
    pub states: Vec<Vec<(SpeakerId, Option<Vec<SpeakerId>>)>>,
}

/// What happens over several seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct LabSeeds {
    /// Seeds 1 to this number.
    pub count: u64,
    /// How all of them end.
    pub outcome: LabOutcome,
    /// Which of the stable states are reached by some seed; none: not asked.
    pub reached: Option<Vec<usize>>,
}

/// Routes and forwarding at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct LabMoment {
    /// When; none: the end.
    pub at: Option<SimTime>,
    /// For this prefix.
    pub prefix: BgpPrefixId,
    /// Best routes of some speakers; none: no route.
    pub best: Vec<(SpeakerId, Option<ExpectedRoute>)>,
    /// Where packets from some speakers go.
    pub forward: Vec<(SpeakerId, ExpectedForward)>,
}

/// What a best route must look like. What is none is not asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedRoute {
    /// The neighbour it was learned from.
    pub via: Option<SpeakerId>,
    /// Path by speakers, from itself to the origin.
    pub path: Option<Vec<SpeakerId>>,
    /// AS path, nearest first.
    pub as_path: Option<Vec<u32>>,
    /// Local preference.
    pub local_pref: Option<u32>,
    /// Multi-exit discriminator, inner none: it has none.
    pub med: Option<Option<u32>>,
    /// All its communities, sorted.
    pub communities: Option<Vec<Community>>,
}

/// How the way of a packet ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardEnd {
    /// At an origin.
    Delivered,
    /// In a loop.
    Loop,
    /// Where no route is known.
    BlackHole,
    /// Discarded on purpose.
    Discarded,
}

impl ForwardEnd {
    /// Name as in files and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ForwardEnd::Delivered => "delivered",
            ForwardEnd::Loop => "loop",
            ForwardEnd::BlackHole => "black-hole",
            ForwardEnd::Discarded => "discarded",
        }
    }
}

/// Where packets must go.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedForward {
    /// How it ends.
    pub ends: ForwardEnd,
    /// The speakers passed, itself first; none: not asked.
    pub path: Option<Vec<SpeakerId>>,
}

/// What follows a change until the next phase.
#[derive(Clone, Debug, PartialEq)]
pub struct LabPhase {
    /// Begin.
    pub from: SimTime,
    /// Announcements and withdrawals sent, exactly.
    pub updates: Option<u64>,
    /// Announcements and withdrawals sent, at most.
    pub updates_max: Option<u64>,
    /// Least time to the last change of a best route.
    pub lasts_min: Option<SimSpan>,
    /// Longest time to the last change of a best route.
    pub lasts_max: Option<SimSpan>,
}
