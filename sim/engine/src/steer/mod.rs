//! Steering: what a policy sees, what it may ask for, and how what it asks for takes effect.
//!
//! A policy never touches the world. It gets a [`View`] (what its feeds delivered, as old and
//! noisy as the scenario says), its own random stream, and an [`Ask`]; what it asks for is checked
//! at once and takes effect through an actuator, later.

pub mod action;
pub mod ask;
pub mod params;
pub mod view;

use crate::kernel::{SimSpan, Stream};
use serde::{Deserialize, Serialize};

pub use action::{Action, AnswerScope, Refusal, Tunnel, TunnelPair};
pub use ask::Ask;
pub use params::{Param, ParamKind, ParamValue, Params};
pub use view::{
    ArcReading, DemandEnds, DnsView, GroupPlace, Sample, ServersReading, SiteReading,
    TenantReading, View,
};

/// Something that can be steered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// Which sites announce which prefixes.
    Announce,
    /// DNS answers.
    Dns,
    /// Moving service between sites or colos.
    Spill,
    /// Balancer weights inside a colo.
    Balance,
    /// Backbone paths.
    Paths,
    /// Egress choice.
    Egress,
    /// Budgets, shedding, filters.
    Admit,
}

impl Surface {
    /// All surfaces; `Surface as usize` is the position here.
    pub const ALL: [Surface; 7] = [
        Surface::Announce,
        Surface::Dns,
        Surface::Spill,
        Surface::Balance,
        Surface::Paths,
        Surface::Egress,
        Surface::Admit,
    ];

    /// Name as in YAML and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["announce", "dns", "spill", "balance", "paths", "egress", "admit"][self as usize]
    }
}

/// A way the world is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedKind {
    /// CPU load and requests of sites.
    Sites,
    /// Load and drops of links.
    Links,
    /// Load of each tenant on each link towards a neighbour.
    Tenants,
    /// Which links are up.
    Topology,
}

impl FeedKind {
    /// All feeds; `FeedKind as usize` is the position here.
    pub const ALL: [FeedKind; 4] =
        [FeedKind::Sites, FeedKind::Links, FeedKind::Tenants, FeedKind::Topology];

    /// Name as in YAML and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["sites", "links", "tenants", "topology"][self as usize]
    }
}

/// Decides on one or more surfaces.
pub trait Policy: Send {
    /// Called on the policy's own period, once at the start, and whenever the topology feed
    /// reports a change (if the descriptor names that feed). Must be a pure function of (own
    /// state, view, own stream).
    fn decide(&mut self, view: &View<'_>, stream: &mut Stream, ask: &mut Ask<'_>);
}

/// What is known of a policy before it is built: one declaration from which validation, `list`,
/// help, reference and schema are made.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// Name in YAML.
    pub name: &'static str,
    /// Version of its behaviour; part of a run's identity.
    pub version: u32,
    /// One line.
    pub summary: &'static str,
    /// Where the idea is published.
    pub source: &'static str,
    /// Surfaces it acts on; actions elsewhere are refused.
    pub surfaces: &'static [Surface],
    /// Feeds it reads; others are not in its view.
    pub feeds: &'static [FeedKind],
    /// Time between decisions unless the scenario says otherwise.
    pub default_period: SimSpan,
    /// Its parameters.
    pub params: &'static [Param],
    /// Builds an instance from complete, checked parameters.
    pub build: fn(&Params<'_>) -> Box<dyn Policy>,
    /// Rules over several parameters: the message of the first broken one.
    pub check: fn(&Params<'_>) -> Result<(), String>,
}

/// The policies a run may use.
pub trait PolicyRegistry: Sync {
    /// All descriptors, sorted by name.
    fn descriptors(&self) -> &[Descriptor];

    /// The descriptor of a name.
    fn find(&self, name: &str) -> Option<&Descriptor> {
        self.descriptors().iter().find(|descriptor| descriptor.name == name)
    }
}
