//! Landing by BGP: what is common to both solvers.

use super::measured::DataFile;
use super::walk::{Chosen, Step};
use super::{Landing, link_bit};
use crate::kernel::{Id, SimSpan, Table};
use crate::net::{GeoPoint, LinkId, NeighbourId, NodeKind, SiteId};
use crate::record::Warning;
use crate::route::bgp::{Mrai, MraiScope, Relation, RoutePolicy, RoutePolicyId, Validation};
use crate::route::internet::{AsGraph, Class};
use crate::scenario::{PrefixId, Scenario};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How routes are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BgpSolver {
    /// Where routing ends, at once.
    #[default]
    Direct,
    /// Message by message.
    Events,
}

/// How fast BGP is, the same everywhere. Defaults: RFC 4271 for the timers; the delays are
/// assumptions of ours.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BgpTiming {
    /// Time a message takes.
    pub session_delay: SimSpan,
    /// Each message takes longer by a share drawn from 0 to this.
    pub session_jitter: f64,
    /// Time a speaker needs for what arrived.
    pub processing: SimSpan,
    /// Pace of announcements.
    pub mrai: Mrai,
    /// Route-flap damping with usual values.
    pub damping: bool,
    /// Users are moved at whole multiples of this.
    pub step: SimSpan,
}

impl Default for BgpTiming {
    fn default() -> BgpTiming {
        BgpTiming {
            session_delay: SimSpan(50_000_000),
            session_jitter: 1.0,
            processing: SimSpan(10_000_000),
            mrai: Mrai {
                interval: SimSpan::from_seconds(30),
                jitter: 0.25,
                scope: MraiScope::Peer,
                withdrawals_wait: false,
            },
            damping: false,
            step: SimSpan(100_000_000),
        }
    }
}

/// Where an AS is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Presence {
    /// Which.
    pub asn: u32,
    /// Its places, at least one.
    pub at: Vec<GeoPoint>,
}

/// An authorisation to originate one of our prefixes (RFC 6482).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roa {
    /// What.
    pub prefix: PrefixId,
    /// Who may.
    pub asn: u32,
    /// Whether more specific blocks too.
    pub more_specifics: bool,
}

/// How one AS configures its sessions with another, for [`BgpSolver::Events`]. What is none or
/// empty is as everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionTerms {
    /// Whose configuration: an AS of the graph, or ours.
    pub asn: u32,
    /// The AS at the other end.
    pub neighbour: u32,
    /// Of several sessions of ours with a neighbour, only the one over this link.
    pub link: Option<LinkId>,
    /// Policies for what it hears, in order, after the built-in rules.
    pub import: Vec<RoutePolicyId>,
    /// Policies for what it tells, in order, after the built-in rules.
    pub export: Vec<RoutePolicyId>,
    /// Pace of what it tells.
    pub mrai: Option<Mrai>,
    /// Time a message takes, both ways.
    pub delay: Option<SimSpan>,
    /// Each message takes longer by a share drawn from 0 to this, both ways.
    pub delay_jitter: Option<f64>,
    /// It tears the session down when it hears more prefixes than this.
    pub prefixes_max: Option<u32>,
    /// How long the session stays down then; none: for good.
    pub restart: Option<SimSpan>,
}

/// The Internet around our network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BgpSpec {
    /// Our AS number.
    pub asn: u32,
    /// Where relationships were read from, if anywhere.
    pub file: Option<DataFile>,
    /// Further links, our own sessions among them: (a, b, what b is to a as a number).
    pub links: Vec<(u32, u32, u8)>,
    /// All ASes, ours among them.
    #[serde(skip, default = "no_graph")]
    pub graph: Arc<AsGraph>,
    /// What each neighbour of ours is to us.
    pub relations: Vec<Relation>,
    /// How routes are found.
    pub solver: BgpSolver,
    /// How fast BGP is, for [`BgpSolver::Events`].
    pub timing: BgpTiming,
    /// Where ASes are, as far as known.
    pub presence: Vec<Presence>,
    /// Authorisations.
    pub roas: Vec<Roa>,
    /// ASes that validate origins.
    pub validators: Vec<(u32, Validation)>,
    /// Route policies that `sessions` name. Prefixes in them are [`PrefixId`]s of the scenario, as
    /// numbers of [`crate::route::bgp::BgpPrefixId`].
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub policies: Table<RoutePolicyId, RoutePolicy>,
    /// Sessions that are not configured as all others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<SessionTerms>,
}

fn no_graph() -> Arc<AsGraph> {
    Arc::new(AsGraph::new(&[]).expect("no links contradict each other"))
}

/// The graph follows from file and links.
impl PartialEq for BgpSpec {
    fn eq(&self, other: &BgpSpec) -> bool {
        let parts = |spec: &BgpSpec| {
            (
                (spec.asn, spec.file.clone(), spec.links.clone(), spec.relations.clone()),
                (spec.solver, spec.timing, spec.presence.clone(), spec.roas.clone()),
                (spec.validators.clone(), spec.policies.clone(), spec.sessions.clone()),
            )
        };
        parts(self) == parts(other)
    }
}

/// A session of ours: one end of a link to a neighbour.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnSession {
    pub site: SiteId,
    pub neighbour: NeighbourId,
    /// AS number of the neighbour.
    pub asn: u32,
    /// What we are to the neighbour.
    pub we_are: Relation,
    /// Where the site is.
    pub location: Option<GeoPoint>,
    /// Which of the links between the two it is.
    pub link: u64,
}

impl OwnSession {
    /// Landing over this one of equally good ways out of the neighbour, and over whichever of them
    /// lead to the same site.
    pub fn landing(&self, equal: impl Iterator<Item = OwnSession>) -> Landing {
        let same = |row: &OwnSession| (row.site, row.neighbour) == (self.site, self.neighbour);
        let links = equal.filter(same).fold(self.link, |links, row| links | row.link);
        Landing { site: self.site, via: Some(self.neighbour), links }
    }

    /// How the neighbour knows our routes.
    pub fn we_are_class(&self) -> Class {
        match self.we_are {
            Relation::Customer => Class::Customer,
            Relation::RouteServer => Class::RouteServer,
            Relation::Provider => Class::Provider,
            _ => Class::Peer,
        }
    }
}

/// Our sessions by link; none for links without a neighbour that has an AS number.
pub(super) fn own_sessions(
    scenario: &Scenario,
    spec: &BgpSpec,
) -> Table<LinkId, Option<OwnSession>> {
    let network = &scenario.network;
    let mut places = BTreeMap::new();
    let rows = network.links.rows().iter().map(|link| {
        let site = link.ends.iter().find_map(|&end| network.node_site(end))?;
        let neighbour = link.ends.iter().find_map(|&end| match network.nodes[end] {
            NodeKind::Neighbour(neighbour) => Some(neighbour),
            NodeKind::Colo(_) => None,
        })?;
        let we_are = match spec.relations[neighbour.index()] {
            Relation::Provider => Relation::Customer,
            Relation::Customer => Relation::Provider,
            other => other,
        };
        let asn = network.neighbours[neighbour].asn?;
        let location = network.sites[site].location;
        let place = places.entry((site, neighbour)).or_insert(0);
        *place += 1;
        let link = link_bit(*place - 1);
        Some(OwnSession { site, neighbour, asn, we_are, location, link })
    });
    rows.collect()
}

/// What is said of a route of the AS itself.
pub(super) const OWN_ROUTE: &str = "it announces the prefix itself";

/// Added to the reason of a route to a more specific block.
pub(super) const SPECIFIC: &str = " (more specific block)";

/// Why a route is taken or not, for people.
pub(super) fn way_words<H>(taken: bool, discards: bool, step: &Step<H>, standing: &str) -> String {
    let words = match (taken, step.chosen) {
        (true, Chosen::Only) => format!("taken: {standing}"),
        (true, Chosen::Nearest) => format!("taken: {standing}, and the nearest exit"),
        (true, Chosen::Arbitrary) => {
            format!("taken: {standing}, and the lowest AS number (no place is known)")
        }
        (false, _) => standing.to_owned(),
    };
    if taken && discards { words + "; but it discards the traffic" } else { words }
}

/// Whether an AS on the way had a choice about which geography says nothing.
pub(super) fn is_arbitrary<H>(way: &[Step<H>]) -> bool {
    way.iter().any(|step| step.chosen == Chosen::Arbitrary)
}

/// The warning about them.
pub(super) fn arbitrary_exits(groups: usize, of: usize) -> Option<Warning> {
    (groups > 0).then(|| Warning {
        code: "W0105",
        message: format!(
            "on the way of {groups} of {of} client groups an AS has equally good exits and nothing \
             is known of its places: the lowest AS number decides; `routing.presence` can tell more"
        ),
    })
}
