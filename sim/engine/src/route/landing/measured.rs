//! Landing as measured: a catchment table drives the run.

use super::{ANY_LINK, Explanation, Fate, Landing, LandingModel, Offer, RttMatrix, announcing};
use crate::kernel::{Id, SimTime, Table};
use crate::net::SiteId;
use crate::record::{DropCause, Warning};
use crate::scenario::{ClientGroupId, PrefixId, Scenario};
use serde::{Deserialize, Serialize};

/// A file that a scenario was made with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Name, relative to the scenario.
    pub file: String,
    /// Hash of its contents: part of the scenario's identity.
    pub sha256: String,
}

/// A measured catchment: where each client group was seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeasuredSpec {
    /// Where it was read from.
    pub file: DataFile,
    /// Per (client group, prefix), groups first: the site where it was seen; none: not seen.
    pub site: Vec<Option<SiteId>>,
}

/// Each group lands where it was measured while that site announces. A measurement does not say
/// where users go when their site is withdrawn: then, and for groups that were not seen, the
/// nearest announcing site is taken.
#[derive(Clone, Debug)]
pub struct MeasuredLanding {
    site: Vec<Option<SiteId>>,
    rtt: RttMatrix,
    announced: Table<PrefixId, Vec<bool>>,
    /// Pairs of client group and prefix without a measurement.
    unseen: usize,
}

impl MeasuredLanding {
    /// The model of a measurement.
    #[must_use]
    pub fn new(scenario: &Scenario, spec: &MeasuredSpec, rtt: &RttMatrix) -> MeasuredLanding {
        let sites = scenario.network.sites.len();
        let mut site = spec.site.clone();
        site.resize(scenario.client_groups.len() * scenario.prefixes.len(), None);
        let unseen = site.iter().filter(|site| site.is_none()).count();
        let announced = Table::filled(scenario.prefixes.len(), vec![false; sites]);
        MeasuredLanding { site, rtt: rtt.clone(), announced, unseen }
    }

    fn measured(&self, group: ClientGroupId, prefix: PrefixId) -> Option<SiteId> {
        self.site[group.index() * self.announced.len() + prefix.index()]
    }

    fn nearest(&self, group: ClientGroupId, prefix: PrefixId) -> Option<SiteId> {
        let announced = &self.announced[prefix];
        let row = self.rtt.row(group).iter().enumerate();
        row.filter(|(site, _)| announced[*site])
            .min_by(|a, b| a.1.total_cmp(b.1))
            .map(|(site, _)| SiteId::from_index(site))
    }
}

impl LandingModel for MeasuredLanding {
    fn announce(&mut self, _now: SimTime, prefix: PrefixId, offers: &[Offer]) -> bool {
        let row = announcing(self.announced[prefix].len(), offers);
        let news = row != self.announced[prefix];
        self.announced[prefix] = row;
        news
    }

    fn fate(&self, group: ClientGroupId, prefix: PrefixId) -> Fate {
        let measured = self.measured(group, prefix);
        match measured.filter(|site| self.announced[prefix][site.index()]) {
            Some(site) => Fate::Lands(Landing { site, via: None, links: ANY_LINK }),
            None => match self.nearest(group, prefix) {
                Some(site) => Fate::Lands(Landing { site, via: None, links: ANY_LINK }),
                None => Fate::Lost(DropCause::NoRoute),
            },
        }
    }

    fn explain(&self, group: ClientGroupId, prefix: PrefixId) -> Explanation {
        let measured = self.measured(group, prefix);
        Explanation::Words(match measured {
            Some(site) if self.announced[prefix][site.index()] => {
                "measured there, and the site announces the prefix".to_owned()
            }
            Some(_) => "the measured site does not announce the prefix: the nearest site that \
                        does is assumed"
                .to_owned(),
            None => {
                "not measured: the nearest site that announces the prefix is assumed".to_owned()
            }
        })
    }

    fn caveats(&self) -> Vec<Warning> {
        if self.unseen == 0 {
            return Vec::new();
        }
        vec![Warning {
            code: "W0103",
            message: format!(
                "{} of {} pairs of client group and prefix are not in the measured catchment; \
                 they land at the nearest site",
                self.unseen,
                self.site.len()
            ),
        }]
    }
}
