//! Who speaks BGP, over which sessions, under which policies: data that a run does not change.

use crate::define_ids;
use crate::kernel::{SimSpan, Table};
use crate::net::GeoPoint;
use serde::{Deserialize, Serialize};

define_ids! {
    /// A router that speaks BGP.
    SpeakerId,
    /// A BGP session between two speakers.
    SessionId,
    /// A link of an AS's own IGP.
    IgpLinkId,
    /// A named list of rules.
    RoutePolicyId,
    /// An address block known to BGP.
    BgpPrefixId,
}

/// What the other end of a session is to this end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// It pays us: most preferred, and hears everything.
    Customer,
    /// Settlement-free: hears our own and our customers' routes.
    Peer,
    /// A peer through a route server: as a peer, less preferred.
    RouteServer,
    /// We pay it: least preferred.
    Provider,
    /// Another AS without any of these rules: neutral preference, hears everything.
    Plain,
    /// A speaker of the same AS (iBGP).
    Internal,
    /// A speaker of the same AS whose routes this end reflects (RFC 4456).
    ReflectorClient,
}

impl Relation {
    /// Whether the session is inside an AS.
    #[must_use]
    pub fn is_internal(self) -> bool {
        matches!(self, Relation::Internal | Relation::ReflectorClient)
    }

    /// Local preference given on import unless a policy says otherwise: customer 400, peer 300,
    /// route server 200, provider and plain 100. Sessions inside an AS keep what they carry.
    #[must_use]
    pub fn default_local_pref(self) -> u32 {
        match self {
            Relation::Customer => 400,
            Relation::Peer => 300,
            Relation::RouteServer => 200,
            Relation::Provider
            | Relation::Plain
            | Relation::Internal
            | Relation::ReflectorClient => 100,
        }
    }

    /// Name as in YAML and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Relation::Customer => "customer",
            Relation::Peer => "peer",
            Relation::RouteServer => "route-server",
            Relation::Provider => "provider",
            Relation::Plain => "plain",
            Relation::Internal => "ibgp",
            Relation::ReflectorClient => "ibgp-client",
        }
    }
}

/// Origin attribute; lower is preferred (RFC 4271, 9.1.2.2 b).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// From an IGP.
    #[default]
    Igp,
    /// From EGP.
    Egp,
    /// Unknown means.
    Incomplete,
}

/// A mark on a route. The last three stand for what providers publish as community schemes: the AS
/// `at` acts on them, others pass them on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Community {
    /// Not beyond the AS that hears it (RFC 1997).
    NoExport,
    /// To nobody at all (RFC 1997).
    NoAdvertise,
    /// Traffic to the prefix is discarded by whoever acts on it (RFC 7999).
    Blackhole,
    /// A number pair without built-in meaning; policies may match it.
    Plain(u32, u32),
    /// `at` does not export the route to AS `to`.
    NoExportTo {
        /// Who acts.
        at: u32,
        /// Towards whom.
        to: u32,
    },
    /// `at` prepends itself `times` more towards AS `to`.
    PrependTo {
        /// Who acts.
        at: u32,
        /// Towards whom.
        to: u32,
        /// How often.
        times: u8,
    },
    /// `at` gives the route this local preference on import.
    LocalPref {
        /// Who acts.
        at: u32,
        /// The preference.
        value: u32,
    },
}

/// Route-origin validation state (RFC 6811).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validity {
    /// A ROA covers the prefix and names the origin AS.
    Valid,
    /// No ROA covers it.
    Unknown,
    /// ROAs cover it and none of them agrees.
    Invalid,
}

/// What a speaker does with invalid routes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validation {
    /// Does not look.
    #[default]
    Ignore,
    /// Refuses them.
    Drop,
    /// Takes them with local preference 0.
    Depreference,
}

/// An authorisation to originate: AS, prefix and the longest length allowed (RFC 6482).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roa {
    /// The prefix it is for. It covers that prefix and all more specific ones.
    pub prefix: BgpPrefixId,
    /// How many levels of more specifics (in [`BgpPrefix::parent`]) it allows too.
    pub more_specific_levels: u8,
    /// The AS that may originate.
    pub asn: u32,
}

/// An address block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BgpPrefix {
    /// Name, such as `192.0.2.0/24` or `anycast-a`.
    pub id: String,
    /// The next less specific block known here: traffic goes there where this one is unknown.
    pub parent: Option<BgpPrefixId>,
}

/// Minimum route advertisement interval (RFC 4271, 9.2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mrai {
    /// The interval; zero: none.
    pub interval: SimSpan,
    /// Each timer is multiplied by a draw from [1 - jitter, 1]; RFC 4271 suggests 0.25.
    pub jitter: f64,
    /// One timer for all prefixes of a session, or one for each.
    pub scope: MraiScope,
    /// Whether withdrawals wait too (WRATE). RFC 4271 says they need not.
    pub withdrawals_wait: bool,
}

/// What one advertisement timer covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MraiScope {
    /// All prefixes of a session.
    #[default]
    Peer,
    /// One prefix.
    Prefix,
}

impl Default for Mrai {
    /// No waiting.
    fn default() -> Mrai {
        Mrai {
            interval: SimSpan::ZERO,
            jitter: 0.0,
            scope: MraiScope::Peer,
            withdrawals_wait: false,
        }
    }
}

/// Route-flap damping (RFC 2439).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Damping {
    /// Added at each withdrawal.
    pub withdrawal_penalty: f64,
    /// Added when an announcement changes attributes.
    pub change_penalty: f64,
    /// A route is not used from here on up.
    pub suppress_above: f64,
    /// It is used again below this.
    pub reuse_below: f64,
    /// Time in which a penalty halves.
    pub half_life: SimSpan,
    /// Longest time of suppression.
    pub max_suppress: SimSpan,
}

/// A router that speaks BGP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Speaker {
    /// Name.
    pub id: String,
    /// Its AS.
    pub asn: u32,
    /// BGP identifier: last but two among the tie-breaks, lower wins.
    pub router_id: u32,
    /// Where it is.
    pub location: Option<GeoPoint>,
    /// Cluster id as a route reflector; none: the router id.
    pub cluster_id: Option<u32>,
    /// What it does with invalid routes.
    pub validation: Validation,
    /// Flap damping on its eBGP sessions, if any.
    pub damping: Option<Damping>,
    /// Time to process what arrived, before it decides and sends; what arrives meanwhile is
    /// processed together.
    pub processing: SimSpan,
    /// Routes whose AS path is longer than this are refused.
    pub path_length_max: Option<u32>,
}

/// One end of a session, as that end is configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionSide {
    /// What the other end is to this one.
    pub relation: Relation,
    /// Address of this end: the other end's last tie-break, lower wins.
    pub address: u32,
    /// Applied in order to what arrives, after the built-in rules.
    pub import: Vec<RoutePolicyId>,
    /// Applied in order to what is sent, after the built-in rules.
    pub export: Vec<RoutePolicyId>,
    /// Pace of what this end sends.
    pub mrai: Mrai,
    /// This end tears the session down when it holds more prefixes from the other end than this.
    pub prefixes_max: Option<u32>,
    /// How long a session torn down by `prefixes_max` stays down; none: for good.
    pub restart: Option<SimSpan>,
    /// Whether this end is the next hop of what it sends into its own AS (usual for border
    /// routers). Otherwise the address of the far end of the session it was learned on is.
    pub next_hop_self: bool,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Name.
    pub id: String,
    /// Its two speakers.
    pub ends: [SpeakerId; 2],
    /// How each end is configured, in the order of `ends`.
    pub sides: [SessionSide; 2],
    /// Time a message takes.
    pub delay: SimSpan,
    /// Each message's delay is multiplied by a draw from [1, 1 + jitter]; order is kept.
    pub delay_jitter: f64,
    /// Whether it is up at the start.
    pub up: bool,
}

/// A link inside an AS, for the IGP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IgpLink {
    /// Name.
    pub id: String,
    /// Its two speakers, of one AS.
    pub ends: [SpeakerId; 2],
    /// Cost in each direction, at least 1.
    pub cost: [u64; 2],
    /// Whether it is up at the start.
    pub up: bool,
}

/// What a rule asks of a route. All matches of a rule must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Match {
    /// The prefix is one of these.
    Prefix(Vec<BgpPrefixId>),
    /// The prefix is one of these or more specific.
    Within(Vec<BgpPrefixId>),
    /// The whole AS path, nearest AS first, is one of these.
    PathIs(Vec<Vec<u32>>),
    /// The AS path contains one of these ASes.
    PathContains(Vec<u32>),
    /// The AS path begins (nearest) with one of these.
    PathFrom(Vec<u32>),
    /// The AS path ends (origin) with one of these.
    OriginAs(Vec<u32>),
    /// The AS path has at least this many elements, prepends counted.
    PathLengthMin(u32),
    /// It carries one of these.
    Community(Vec<Community>),
    /// Its validation state is one of these.
    Validity(Vec<Validity>),
    /// It came into this AS from a neighbour of one of these relations; own routes never match.
    LearnedFrom(Vec<Relation>),
    /// It was originated in this AS.
    Own,
    /// The neighbour at the other end is one of these ASes.
    NeighbourAs(Vec<u32>),
    /// The opposite.
    Not(Box<Match>),
}

/// What a rule changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Set {
    /// Local preference (import only).
    LocalPref(u32),
    /// Multi-exit discriminator; none removes it.
    Med(Option<u32>),
    /// Origin attribute.
    Origin(Origin),
    /// Puts the own AS in front this many more times (export), or the neighbour's (import).
    Prepend(u8),
    /// Adds marks.
    AddCommunities(Vec<Community>),
    /// Removes marks.
    RemoveCommunities(Vec<Community>),
    /// Removes all marks.
    ClearCommunities,
}

/// What happens to a route that matches a rule, after its changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It passes this policy.
    Accept,
    /// It is refused.
    Reject,
    /// The next rule is asked.
    Next,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// All must hold; none: every route.
    pub matches: Vec<Match>,
    /// Changes, in order.
    pub sets: Vec<Set>,
    /// What then.
    pub then: Verdict,
}

/// A policy: rules in order. What no rule decides gets `otherwise`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoutePolicy {
    /// Name.
    pub id: String,
    /// Rules.
    pub rules: Vec<Rule>,
    /// [`Verdict::Accept`] or [`Verdict::Reject`].
    pub otherwise: Verdict,
}

/// What a speaker originates, with its attributes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origination {
    /// Who.
    pub speaker: SpeakerId,
    /// What.
    pub prefix: BgpPrefixId,
    /// Multi-exit discriminator, if any.
    pub med: Option<u32>,
    /// Origin attribute.
    pub origin: Origin,
    /// Marks.
    pub communities: Vec<Community>,
    /// Own AS put in front this many more times on all sessions.
    pub prepend: u8,
    /// AS path behind the own AS, nearest first: how an outside speaker stands for a longer path,
    /// or a hijacker pretends to be a neighbour of the victim. Usually empty.
    pub path: Vec<u32>,
    /// Sessions over which it is announced; none: all.
    pub sessions: Option<Vec<SessionId>>,
}

impl Origination {
    /// A prefix announced plainly over all sessions.
    #[must_use]
    pub fn plain(speaker: SpeakerId, prefix: BgpPrefixId) -> Origination {
        Origination {
            speaker,
            prefix,
            med: None,
            origin: Origin::Igp,
            communities: Vec::new(),
            prepend: 0,
            path: Vec::new(),
            sessions: None,
        }
    }
}

/// Options of the decision process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionOptions {
    /// MED is compared between routes of different neighbour ASes too.
    pub always_compare_med: bool,
    /// A route without MED counts as the worst instead of 0.
    pub missing_med_is_worst: bool,
    /// Before the router id, the route held longest wins (eBGP only). In the event-driven solver only.
    pub prefer_oldest: bool,
    /// Stop before the router id: IGP cost is the last step and the rest is equally good (multipath).
    pub multipath: bool,
}

/// A whole BGP network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BgpNetwork {
    /// Routers.
    pub speakers: Table<SpeakerId, Speaker>,
    /// Sessions.
    pub sessions: Table<SessionId, Session>,
    /// Links inside ASes.
    pub igp_links: Table<IgpLinkId, IgpLink>,
    /// Policies.
    pub policies: Table<RoutePolicyId, RoutePolicy>,
    /// Address blocks.
    pub prefixes: Table<BgpPrefixId, BgpPrefix>,
    /// Authorisations.
    pub roas: Vec<Roa>,
    /// Options of the decision process, the same for all speakers.
    pub decision: DecisionOptions,
}
