//! Where users land: which site the users of a client group reach for a prefix.
//!
//! The world says which sessions of ours announce a prefix ([`Offer`]) and what trouble others make
//! ([`Trouble`]). A model says what becomes of each client group's traffic ([`Fate`]) and why
//! ([`Explanation`]). Models: by distance ([`nearest`]), as measured ([`measured`]), by BGP.

pub mod bgp;
pub mod direct;
mod event_network;
pub mod events;
pub mod measured;
pub mod nearest;
mod rtt;
pub mod walk;

use crate::kernel::{Id, SimTime};
use crate::net::{LinkId, NeighbourId, SiteId};
use crate::record::DropCause;
use crate::scenario::{ClientGroupId, PrefixId, Scenario};
use serde::{Deserialize, Serialize};

pub use direct::DirectLanding;
pub use events::EventLanding;
pub use measured::MeasuredLanding;
pub use nearest::NearestLanding;
pub use rtt::RttMatrix;

/// Where a client group lands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Landing {
    /// The site.
    pub site: SiteId,
    /// Over whose links; none: the model does not say.
    pub via: Option<NeighbourId>,
    /// Over which of the links between the two; see [`link_bit`].
    pub links: u64,
}

/// Any of the links between a site and a neighbour.
pub const ANY_LINK: u64 = u64::MAX;

/// The bit of a link, by its place among the links between one site and one neighbour, in order of
/// ids. The last bit stands for all further ones.
#[must_use]
pub fn link_bit(place: usize) -> u64 {
    1 << place.min(63)
}

/// What becomes of a client group's traffic to a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It lands at a site of ours.
    Lands(Landing),
    /// It is lost on its way: no route, a loop, a black hole, or a site that is not ours.
    Lost(DropCause),
}

impl Fate {
    /// The site, if it lands.
    #[must_use]
    pub fn site(self) -> Option<SiteId> {
        match self {
            Fate::Lands(landing) => Some(landing.site),
            Fate::Lost(_) => None,
        }
    }
}

/// How an announcement is made over a session. Requests to the neighbour stand for what providers
/// publish as communities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Own AS put in front this many more times.
    pub prepend: u8,
    /// Multi-exit discriminator, if any.
    pub med: Option<u32>,
    /// The neighbour is asked to keep the route to itself (RFC 1997 no-export).
    pub no_export: bool,
    /// The neighbour is asked not to export it to these ASes.
    pub no_export_to: Vec<u32>,
    /// The neighbour is asked to prepend itself towards these ASes: (AS, times).
    pub prepend_to: Vec<(u32, u8)>,
    /// The neighbour is asked to give it this local preference.
    pub local_pref: Option<u32>,
    /// The neighbour is asked to discard traffic to it (RFC 7999).
    pub blackhole: bool,
    /// Other marks, for the policies of others.
    pub communities: Vec<(u32, u32)>,
}

/// A session over which a prefix is announced: the site is up, the link is, the session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Who announces.
    pub site: SiteId,
    /// Over which link; none for a site without any link to a neighbour.
    pub link: Option<LinkId>,
    /// How.
    pub attributes: Attributes,
}

/// What others do to routing, or what goes wrong in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// An AS exports all it knows to everybody (a valley).
    Leak {
        /// Who.
        asn: u32,
    },
    /// An AS originates our prefix.
    Hijack {
        /// Who.
        asn: u32,
        /// What.
        prefix: PrefixId,
        /// It announces more specific blocks, which win wherever they are heard.
        more_specific: bool,
        /// It pretends that our AS is behind it: the origin then looks valid.
        pretends: bool,
    },
    /// An AS goes on announcing but discards what it gets for our prefixes.
    Blackhole {
        /// Who.
        asn: u32,
    },
    /// An AS ignores withdrawals: it keeps the routes it has.
    Zombie {
        /// Who.
        asn: u32,
    },
    /// Two ASes have no session any more.
    Depeering {
        /// One of them.
        a: u32,
        /// The other.
        b: u32,
    },
    /// An AS gives routes of a neighbour AS this local preference.
    LocalPref {
        /// Who.
        asn: u32,
        /// Of whom.
        neighbour: u32,
        /// The preference; customers have 400, peers 300, route servers 200, providers 100.
        value: u32,
    },
}

impl Trouble {
    /// Kind of the event with which it begins or ends, as in tables.
    #[must_use]
    pub fn kind(&self, begins: bool) -> &'static str {
        match (self, begins) {
            (Trouble::Leak { .. }, true) => "route-leak",
            (Trouble::Leak { .. }, false) => "route-leak-ends",
            (Trouble::Hijack { .. }, true) => "hijack",
            (Trouble::Hijack { .. }, false) => "hijack-ends",
            (Trouble::Blackhole { .. }, true) => "blackhole",
            (Trouble::Blackhole { .. }, false) => "blackhole-ends",
            (Trouble::Zombie { .. }, true) => "zombie-routes",
            (Trouble::Zombie { .. }, false) => "zombie-routes-end",
            (Trouble::Depeering { .. }, true) => "de-peering",
            (Trouble::Depeering { .. }, false) => "re-peering",
            (Trouble::LocalPref { .. }, true) => "local-pref-override",
            (Trouble::LocalPref { .. }, false) => "local-pref-override-ends",
        }
    }

    /// Whose doing it is, for people.
    #[must_use]
    pub fn entity(&self) -> String {
        match self {
            Trouble::Leak { asn }
            | Trouble::Hijack { asn, .. }
            | Trouble::Blackhole { asn }
            | Trouble::Zombie { asn } => format!("AS{asn}"),
            Trouble::Depeering { a, b } => format!("AS{a} AS{b}"),
            Trouble::LocalPref { asn, neighbour, .. } => format!("AS{asn} for AS{neighbour}"),
        }
    }
}

/// Why a site won or lost; best first.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteRank {
    /// The site.
    pub site: SiteId,
    /// Whether it announces the prefix and is up.
    pub announces: bool,
    /// Round-trip time, ms.
    pub rtt_ms: f64,
    /// The cost that routing compares, ms.
    pub cost_ms: f64,
    /// In words.
    pub reason: String,
}

/// A route that an AS could take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteChoice {
    /// AS path, nearest first, as the AS holds it.
    pub as_path: Vec<u32>,
    /// Site at its end, where it is ours and known.
    pub site: Option<SiteId>,
    /// Relation to the neighbour it came from: customer, peer ...
    pub learned_from: &'static str,
    /// Whether the AS takes it.
    pub taken: bool,
    /// Why it is taken, or the step of the decision that it lost.
    pub reason: String,
}

/// One AS on the way and what it had to choose from; the route it takes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HopChoice {
    /// The AS.
    pub asn: u32,
    /// Its routes.
    pub routes: Vec<RouteChoice>,
}

/// Why a client group's traffic fares as it does.
#[derive(Clone, Debug, PartialEq)]
pub enum Explanation {
    /// Sites by cost.
    Sites(Vec<SiteRank>),
    /// ASes on the way, from the users.
    Hops(Vec<HopChoice>),
    /// In words, where there is nothing to compare.
    Words(String),
}

/// Decides where users land.
pub trait LandingModel {
    /// From now on a prefix is announced over these sessions, in order of (site, link). Returns
    /// whether anybody hears the difference.
    fn announce(&mut self, now: SimTime, prefix: PrefixId, offers: &[Offer]) -> bool;

    /// The session over one of our links goes down, or is up again. What it carried is withdrawn, or
    /// announced again, by [`LandingModel::announce`] at the same instant.
    fn set_session(&mut self, _now: SimTime, _link: LinkId, _up: bool) {}

    /// From now on something is wrong (or right again). Models without ASes ignore it.
    fn set_trouble(&mut self, _now: SimTime, _trouble: &Trouble, _on: bool) {}

    /// What becomes of a group's traffic, as routing stands.
    fn fate(&self, group: ClientGroupId, prefix: PrefixId) -> Fate;

    /// Why.
    fn explain(&self, group: ClientGroupId, prefix: PrefixId) -> Explanation;

    /// Whether changes take their own time inside the model. If not, they take effect at once and
    /// the world lets users follow after a convergence time.
    fn converges_by_itself(&self) -> bool {
        false
    }

    /// When something happens next inside the model.
    fn next_time(&self) -> Option<SimTime> {
        None
    }

    /// Plays the model up to and including `now`. Returns prefixes whose routes changed somewhere.
    fn advance(&mut self, _now: SimTime) -> Vec<PrefixId> {
        Vec::new()
    }

    /// What to know before trusting the result; empty if nothing.
    fn caveats(&self) -> Vec<crate::record::Warning> {
        Vec::new()
    }
}

/// Which sites announce, of all; for models that know no sessions.
fn announcing(sites: usize, offers: &[Offer]) -> Vec<bool> {
    let mut row = vec![false; sites];
    offers.iter().for_each(|offer| row[offer.site.index()] = true);
    row
}

/// How a scenario lets users land.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LandingSpec {
    /// At the site of least cost.
    #[default]
    Nearest,
    /// Where a measured catchment says.
    Measured(measured::MeasuredSpec),
    /// Where BGP leads.
    Bgp(Box<bgp::BgpSpec>),
}

/// The model of a scenario in one replication.
#[must_use]
pub fn model_of(scenario: &Scenario, replication: u32, rtt: &RttMatrix) -> Box<dyn LandingModel> {
    match &scenario.landing {
        LandingSpec::Nearest => Box::new(NearestLanding::new(scenario, replication, rtt)),
        LandingSpec::Bgp(spec) => match spec.solver {
            bgp::BgpSolver::Direct => Box::new(DirectLanding::new(scenario, spec)),
            bgp::BgpSolver::Events => Box::new(EventLanding::new(scenario, spec, replication)),
        },
        LandingSpec::Measured(spec) => Box::new(MeasuredLanding::new(scenario, spec, rtt)),
    }
}
