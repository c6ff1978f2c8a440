//! What is left when something fails or is attacked.

use super::root;

/// Largest utilisation of equal sites at which one may fail and its load go evenly to `neighbours`
/// others without overload.
#[must_use]
pub fn failover_limit(neighbours: u64) -> f64 {
    let k = neighbours as f64;
    k / (k + 1.0)
}

/// Probability that at least `working` of `links` independent links work.
#[must_use]
pub fn at_least_working(links: u64, failure: f64, working: u64) -> f64 {
    // The distribution of how many work, link by link: sums of positive terms only.
    let mut shares = vec![0.0; links as usize + 1];
    shares[0] = 1.0;
    for have in 1..=links as usize {
        for up in (0..=have).rev() {
            let before = if up > 0 { shares[up - 1] } else { 0.0 };
            let same = if up < have { shares[up] } else { 0.0 };
            shares[up] = before * (1.0 - failure) + same * failure;
        }
    }
    // From the small terms to the large ones.
    let missing: f64 = shares[..working as usize].iter().sum();
    1.0 - missing
}

/// How many links work at least, at an availability.
#[must_use]
pub fn working_at(links: u64, failure: f64, availability: f64) -> u64 {
    let enough = |&working: &u64| at_least_working(links, failure, working) >= availability;
    (0..=links).rev().find(enough).unwrap_or(0)
}

/// Share of the legitimate demand that is served when site 0 is attacked and either absorbs
/// (`to` is 0), or withdraws so that all its traffic lands at site `to`. Loss hits everything at a
/// site in proportion.
#[must_use]
pub fn legitimate_served(capacities: &[f64], legitimate: &[f64], attack: f64, to: usize) -> f64 {
    assert!(capacities.len() == legitimate.len() && to < capacities.len());
    let total: f64 = legitimate.iter().sum();
    let mut served = 0.0;
    for (site, (&capacity, &own)) in capacities.iter().zip(legitimate).enumerate() {
        let legitimate_here = match (site == 0, site == to) {
            (true, false) => 0.0,
            (false, true) => own + legitimate[0],
            _ => own,
        };
        let offered = legitimate_here + if site == to { attack } else { 0.0 };
        let share = if offered > capacity { capacity / offered } else { 1.0 };
        served += legitimate_here * share;
    }
    served / total
}

/// Attack above which to absorb serves more of the legitimate demand than to withdraw towards
/// site `to`; none if that does not change up to an attack of 1e6 times all capacity.
#[must_use]
pub fn absorb_break_even(capacities: &[f64], legitimate: &[f64], to: usize) -> Option<f64> {
    let gain = |attack: f64| {
        legitimate_served(capacities, legitimate, attack, 0)
            - legitimate_served(capacities, legitimate, attack, to)
    };
    let most = 1e6 * capacities.iter().sum::<f64>();
    // To withdraw pays only beyond what the attacked site can take; look from there on.
    let mut low = (capacities[0] - legitimate[0]).max(0.0);
    let mut high = low.max(1e-6 * capacities[0]);
    while high < most {
        high *= 1.05;
        if gain(low) < 0.0 && gain(high) >= 0.0 {
            return Some(root(low, high, gain));
        }
        low = high;
    }
    None
}
