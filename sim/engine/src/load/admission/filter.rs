//! Filters against attacks: each site learns what an attack looks like and drops it after a while,
//! later all sites know.

use serde::{Deserialize, Serialize};

/// Settings of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FilterTerms {
    /// Seconds from the attack's arrival at a site to the site's own signature.
    pub local_delay_s: f64,
    /// Seconds from the first site's signature until every site has it.
    pub global_delay_s: f64,
    /// Part of legitimate traffic that matches the signature, too.
    pub false_positive: f64,
    /// Part of the attack that does not match.
    pub leak: f64,
    /// Seconds a signature stays after the attack has left its site.
    pub hold_s: f64,
}

/// What a site does about an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It has no signature.
    Open,
    /// It has its own signature.
    Local,
    /// It got the signature of another site.
    Global,
}

/// The filter of all sites against one attack.
#[derive(Clone, Debug, PartialEq)]
pub struct AttackFilter {
    terms: FilterTerms,
    sites: Vec<Site>,
    /// When the first signature was there.
    first_s: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Site {
    /// Since when the attack arrives.
    since_s: Option<f64>,
    /// Since when it does not any more.
    left_s: Option<f64>,
}

impl AttackFilter {
    /// The filter of that many sites before any attack.
    #[must_use]
    pub fn new(terms: FilterTerms, sites: usize) -> AttackFilter {
        assert!((0.0..=1.0).contains(&terms.false_positive), "a part of legitimate traffic");
        assert!((0.0..=1.0).contains(&terms.leak), "a part of the attack");
        AttackFilter { terms, sites: vec![Site::default(); sites], first_s: None }
    }

    /// Tells whether the attack arrives at a site now.
    pub fn observe(&mut self, site: usize, now_s: f64, arrives: bool) {
        self.settle(now_s);
        let state = &mut self.sites[site];
        match (arrives, state.since_s) {
            (true, None) => *state = Site { since_s: Some(now_s), left_s: None },
            (true, Some(_)) => state.left_s = None,
            // Nothing was learnt of what left again at once.
            (false, Some(since_s)) if now_s < since_s + self.terms.local_delay_s => {
                *state = Site::default();
            }
            (false, Some(_)) => state.left_s = state.left_s.or(Some(now_s)),
            (false, None) => {}
        }
    }

    /// What a site does at an instant.
    #[must_use]
    pub fn stage(&self, site: usize, now_s: f64) -> Stage {
        let local = |site: &Site| {
            self.learnt_s(site).is_some_and(|at_s| now_s >= at_s && !self.over(site, now_s))
        };
        if local(&self.sites[site]) {
            return Stage::Local;
        }
        let known =
            self.first_signature_s().is_some_and(|at_s| now_s >= at_s + self.terms.global_delay_s);
        // A signature that no site needs any more is withdrawn everywhere.
        if known && self.sites.iter().any(local) { Stage::Global } else { Stage::Open }
    }

    /// Parts of the attack and of legitimate traffic that pass at a site.
    #[must_use]
    pub fn passing(&self, site: usize, now_s: f64) -> (f64, f64) {
        match self.stage(site, now_s) {
            Stage::Open => (1.0, 1.0),
            Stage::Local | Stage::Global => (self.terms.leak, 1.0 - self.terms.false_positive),
        }
    }

    /// Whether one request passes, given a uniform draw from [0, 1).
    #[must_use]
    pub fn decide(&self, site: usize, now_s: f64, attack: bool, draw: f64) -> bool {
        let (of_attack, of_legitimate) = self.passing(site, now_s);
        draw < if attack { of_attack } else { of_legitimate }
    }

    /// The next instant after this at which a stage may change by itself.
    #[must_use]
    pub fn next_change_s(&self, now_s: f64) -> Option<f64> {
        let global_s = self.first_signature_s().map(|at_s| at_s + self.terms.global_delay_s);
        let own = self.sites.iter().flat_map(|site| {
            [self.learnt_s(site), site.left_s.map(|left_s| left_s + self.terms.hold_s)]
        });
        own.chain([global_s]).flatten().filter(|&at_s| at_s > now_s).min_by(f64::total_cmp)
    }

    fn learnt_s(&self, site: &Site) -> Option<f64> {
        site.since_s.map(|since_s| since_s + self.terms.local_delay_s)
    }

    fn over(&self, site: &Site, now_s: f64) -> bool {
        site.left_s.is_some_and(|left_s| now_s >= left_s + self.terms.hold_s)
    }

    fn first_signature_s(&self) -> Option<f64> {
        let first_s =
            self.sites.iter().filter_map(|site| self.learnt_s(site)).min_by(f64::total_cmp);
        match (self.first_s, first_s) {
            (Some(kept_s), Some(first_s)) => Some(kept_s.min(first_s)),
            (kept_s, first_s) => kept_s.or(first_s),
        }
    }

    /// Remembers the first signature, and forgets attacks that are over.
    fn settle(&mut self, now_s: f64) {
        self.first_s = self.first_signature_s().filter(|&at_s| at_s <= now_s);
        for index in 0..self.sites.len() {
            if self.over(&self.sites[index], now_s) {
                self.sites[index] = Site::default();
            }
        }
        if self.sites.iter().all(|site| site.since_s.is_none()) {
            self.first_s = None;
        }
    }
}
