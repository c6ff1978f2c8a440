//! How often a forecast agrees with what was measured.

use super::{Prediction, SHARE_EPSILON};
use std::collections::BTreeMap;

/// Share of the larger site from which on sites do not really compete, in percent.
const COMPETE_PERCENT: usize = 97;

/// A forecast is called sure from this share on.
const SURE_SHARE: f64 = 0.9;

/// Counts of ASes. Those measured at several sites are in `undecided` only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Measured at one site.
    pub measured: usize,
    /// Of these, forecast at that site. An AS without a forecast is not right.
    pub right: usize,
    /// Of these, without a forecast.
    pub silent: usize,
    /// Of these, with two or more sites equally likely.
    pub tied: usize,
    /// Right if every tie were decided as measured: what no other decision of ties can exceed.
    pub right_at_best: usize,
    /// With a forecast whose share is at least 0.9.
    pub sure: usize,
    /// Of the sure, right.
    pub sure_right: usize,
    /// Measured at the site where most are.
    pub larger: usize,
    /// Measured at several sites.
    pub undecided: usize,
}

impl Score {
    /// Of a prediction. Sites are positions, as in [`super::Forecast::site`]; `measured` gives those
    /// of each AS number.
    #[must_use]
    pub fn of(prediction: &Prediction, measured: &BTreeMap<u32, Vec<usize>>) -> Score {
        let mut score = Score::counted(measured);
        for (asn, site) in decided(measured) {
            let Some(forecast) = prediction.forecast(asn) else {
                score.silent += 1;
                continue;
            };
            let right = usize::from(forecast.site == site);
            score.right += right;
            score.tied += usize::from(forecast.tied);
            let share = prediction.shares(asn).map_or(0.0, |shares| shares[site]);
            score.right_at_best += usize::from(share >= forecast.share - SHARE_EPSILON);
            if forecast.share >= SURE_SHARE {
                score.sure += 1;
                score.sure_right += right;
            }
        }
        score
    }

    /// Of any model that gives each AS number a site or none. Nothing is known of ties and shares.
    #[must_use]
    pub fn of_model(
        site_of: impl Fn(u32) -> Option<usize>,
        measured: &BTreeMap<u32, Vec<usize>>,
    ) -> Score {
        let mut score = Score::counted(measured);
        for (asn, site) in decided(measured) {
            let found = site_of(asn);
            score.right += usize::from(found == Some(site));
            score.silent += usize::from(found.is_none());
        }
        score.right_at_best = score.right;
        score
    }

    /// What does not depend on a model.
    fn counted(measured: &BTreeMap<u32, Vec<usize>>) -> Score {
        let mut of_site = BTreeMap::new();
        for (_, site) in decided(measured) {
            *of_site.entry(site).or_insert(0_usize) += 1;
        }
        let decided: usize = of_site.values().sum();
        let larger = of_site.values().copied().max().unwrap_or(0);
        let undecided = measured.len() - decided;
        Score { measured: decided, larger, undecided, ..Score::default() }
    }

    /// Whether the sites really compete: the larger one has less than 97 % of the ASes.
    #[must_use]
    pub fn competes(&self) -> bool {
        self.larger * 100 < self.measured * COMPETE_PERCENT
    }

    /// Share of the measured ASes that is right, 0 to 1; none: nothing was measured.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        (self.measured > 0).then(|| self.right as f64 / self.measured as f64)
    }
}

/// The sum of scores.
#[must_use]
pub fn pooled<'a>(scores: impl IntoIterator<Item = &'a Score>) -> Score {
    scores.into_iter().fold(Score::default(), |sum, score| Score {
        measured: sum.measured + score.measured,
        right: sum.right + score.right,
        silent: sum.silent + score.silent,
        tied: sum.tied + score.tied,
        right_at_best: sum.right_at_best + score.right_at_best,
        sure: sum.sure + score.sure,
        sure_right: sum.sure_right + score.sure_right,
        larger: sum.larger + score.larger,
        undecided: sum.undecided + score.undecided,
    })
}

/// The ASes measured at exactly one site.
fn decided(measured: &BTreeMap<u32, Vec<usize>>) -> impl Iterator<Item = (u32, usize)> + '_ {
    measured.iter().filter_map(|(&asn, sites)| match sites.as_slice() {
        [site] => Some((asn, *site)),
        _ => None,
    })
}
