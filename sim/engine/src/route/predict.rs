//! Which of several sites each AS will reach, from what is known before they announce together.
//!
//! Known are the graph of AS relationships, and for every site the AS paths that collectors see
//! while it announces alone. The method and its figures are in `PREDICTION.md` beside this file.
//! In short: routing by relation on the whole graph, corrected by what the paths show.
//!
//! 1. Links that the paths cross and the graph lacks are added, with prepends where they are made.
//! 2. An AS seen on a path keeps to the next hops that it was seen to take for that site. A
//!    collector's AS that sees other sites, but not this one, has no route to it.
//! 3. Where an AS is mostly not taken although its offer would be best, it is the last resort of
//!    ASes that are not seen themselves.
//! 4. Among offers of the same class the shortest mostly wins. How often others do is counted in
//!    the same paths; each AS gets a share for every site accordingly, and its first site is the
//!    forecast.
//!
//! No number is fitted to what happens when sites announce together.

mod evidence;
mod learn;
mod score;
mod settle;
#[cfg(test)]
mod tests;
mod web;

use super::internet::{Announcements, AsGraph, Class, Seed};
use evidence::{Evidence, passed_on};
pub use score::{Score, pooled};
use web::Web;

/// Most sites.
pub const SITES_MAX: usize = 32;

/// Shares nearer to each other than this are equal.
const SHARE_EPSILON: f64 = 1e-9;

/// What collectors see while one site announces alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlonePaths {
    /// AS paths, the collector's AS first, the site's neighbour last, prepends included. Empty
    /// paths and paths that name an AS again after another one are left out of account.
    pub paths: Vec<Vec<u32>>,
}

/// The forecast for one AS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Position of the site it is expected to reach.
    pub site: usize,
    /// Share of its equally plausible routes that lead there, above 0 up to 1.
    pub share: f64,
    /// Whether another site has the same share. The site is then the one that is the first choice
    /// of more ASes.
    pub tied: bool,
}

/// Forecasts for all ASes.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// AS numbers, ascending.
    asns: Vec<u32>,
    forecasts: Vec<Option<Forecast>>,
    /// Share of each site, AS by AS.
    shares: Vec<f64>,
    sites: usize,
    /// ASes whose routes did not come to rest; their forecast is the last state seen.
    pub unsettled: usize,
    /// How often an AS takes an offer of its best class that is as short as the shortest, one
    /// longer, and longer still: counted in the paths, 0 to 1 each.
    pub taken: [f64; 3],
}

/// The parts of the method. Each can be left out to see what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// An AS on a path keeps to the next hops it was seen to take.
    SeenNextHops,
    /// A collector's AS on no path to a site has no route to it.
    Absence,
    /// Who is mostly not taken is a last resort.
    Untaken,
    /// Who was seen to pass on a route against the rule does so again.
    AgainstRule,
    /// Paths are as long as they were seen, prepends included.
    Prepends,
    /// Longer offers of the best class get a share, too.
    LongerOffers,
    /// Ties go to the site that is the first choice of more ASes; else to the one given first.
    TiesToMajority,
}

impl Rule {
    /// All rules.
    pub const ALL: [Rule; 7] = [
        Rule::SeenNextHops,
        Rule::Absence,
        Rule::Untaken,
        Rule::AgainstRule,
        Rule::Prepends,
        Rule::LongerOffers,
        Rule::TiesToMajority,
    ];
}

impl Prediction {
    /// Predicts for sites that announce one prefix together, from what is seen of each alone.
    ///
    /// # Panics
    /// If there are more than [`SITES_MAX`] sites.
    #[must_use]
    pub fn new(graph: &AsGraph, sites: &[AlonePaths]) -> Prediction {
        Prediction::with_rules(graph, sites, &Rule::ALL)
    }

    /// [`Prediction::new`] with some of the rules only.
    ///
    /// # Panics
    /// As [`Prediction::new`].
    #[must_use]
    pub fn with_rules(graph: &AsGraph, sites: &[AlonePaths], rules: &[Rule]) -> Prediction {
        assert!(sites.len() <= SITES_MAX, "at most {SITES_MAX} sites, not {}", sites.len());
        let evidence = Evidence::new(graph, sites);
        let mut web = Web::new(graph, &evidence, rules);
        let mut taken = learn::offers_taken(&web, &evidence);
        if rules.contains(&Rule::SeenNextHops) {
            learn::keep_to_seen(&mut web, &evidence);
        }
        if rules.contains(&Rule::Absence) {
            learn::keep_without(&mut web, &evidence);
        }
        if rules.contains(&Rule::Untaken) {
            learn::demote_untaken(&mut web, &evidence);
        }
        if !rules.contains(&Rule::LongerOffers) {
            taken = [1.0, 0.0, 0.0];
        }
        let settled = settle::settle(&web, taken);
        let majority = rules.contains(&Rule::TiesToMajority);
        let forecasts = forecasts(&settled, evidence.asns.len(), sites.len(), majority);
        Prediction {
            asns: evidence.asns,
            forecasts,
            shares: settled.shares,
            sites: sites.len(),
            unsettled: settled.unsettled,
            taken,
        }
    }

    /// The forecast for an AS; none: no site is expected to be reachable from it.
    #[must_use]
    pub fn forecast(&self, asn: u32) -> Option<Forecast> {
        let at = self.asns.binary_search(&asn).ok()?;
        self.forecasts[at]
    }

    /// The share of each site at an AS, each 0 to 1; none: not in the graph, nor on any path.
    #[must_use]
    pub fn shares(&self, asn: u32) -> Option<&[f64]> {
        let at = self.asns.binary_search(&asn).ok()?;
        Some(&self.shares[at * self.sites..(at + 1) * self.sites])
    }

    /// All ASes with a forecast, in ascending order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, Forecast)> + '_ {
        let rows = self.asns.iter().zip(&self.forecasts);
        rows.filter_map(|(&asn, forecast)| forecast.map(|forecast| (asn, forecast)))
    }
}

/// Forecasts of the first `count` nodes, which are the ASes.
fn forecasts(
    settled: &settle::Settled,
    count: usize,
    sites: usize,
    majority: bool,
) -> Vec<Option<Forecast>> {
    let mut firsts = vec![0_usize; sites];
    for &leads in &settled.leads[..count] {
        if majority && leads.is_power_of_two() {
            firsts[leads.trailing_zeros() as usize] += 1;
        }
    }
    let forecast = |at: usize| {
        let leads = settled.leads[at];
        let leading = (0..sites).filter(|site| leads >> site & 1 == 1);
        // The first of equals, so the order of sites decides what nothing else does.
        let site = leading.rev().max_by_key(|&site| firsts[site])?;
        let share = settled.shares[at * sites + site];
        Some(Forecast { site, share, tied: !leads.is_power_of_two() })
    };
    (0..count).map(forecast).collect()
}

/// The announcements of the plain model that predictions are compared with: every site is heard by
/// the last ASes of its paths. Such an AS hears it as from a customer if it is seen to pass the
/// route on to its own peers or providers, else as from a peer. Each site is the `exit` of its
/// seeds; `origin` is the AS number that announces.
#[must_use]
pub fn plain_announcements(graph: &AsGraph, sites: &[AlonePaths], origin: u32) -> Announcements {
    let mut seeds = Vec::new();
    for (exit, site) in (0_u32..).zip(sites) {
        for (asn, passed_on) in passed_on(graph, site) {
            let learned = if passed_on { Class::Customer } else { Class::Peer };
            let at = graph.index_of(asn);
            seeds.extend(at.map(|at| Seed::session(at, learned, origin, 0, exit)));
        }
    }
    Announcements { seeds, ..Announcements::default() }
}
