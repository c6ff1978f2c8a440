//! Whether an allocation is as expected.

use super::{Outcome, held_by, rate_text};
use steerlab_engine::load::maxmin::Bottleneck;
use steerlab_scenario::sharing::{ExpectedHold, ShareLab};

/// Number of expectations of a lab.
pub fn expectations(lab: &ShareLab) -> usize {
    let expect = &lab.expect;
    expect.flows.len() + expect.tunnels.len() + expect.freezes.len()
}

/// What is not as expected, one line each.
pub fn unmet(lab: &ShareLab, outcome: &Outcome) -> Vec<String> {
    let near =
        |found: f64, expected: f64| (found - expected).abs() <= lab.expect.tolerance * expected;
    let mut lines = Vec::new();
    match outcome {
        Outcome::Flows(solution) => {
            for expected in &lab.expect.flows {
                let id = &lab.flows[expected.flow].id;
                let (rate, hold) =
                    (solution.rate[expected.flow], solution.bottleneck[expected.flow]);
                if !near(rate, expected.rate_bps) {
                    let (found, wanted) = (rate_text(rate), rate_text(expected.rate_bps));
                    lines.push(format!("{id} gets {found} ({rate:?} bit/s), expected {wanted}"));
                }
                let wanted = expected.held_by.map(|hold| match hold {
                    ExpectedHold::Link(link) => Bottleneck::Resource(link),
                    ExpectedHold::Cap => Bottleneck::Cap,
                });
                if let Some(wanted) = wanted.filter(|&wanted| wanted != hold) {
                    let (found, wanted) = (held_by(lab, hold), held_by(lab, wanted));
                    lines.push(format!("{id} is held back by {found}, expected {wanted}"));
                }
            }
        }
        Outcome::Demands(shared) => {
            for expected in &lab.expect.tunnels {
                let id = &lab.demands[expected.demand].id;
                let rates = shared.bandwidth[expected.demand].iter().zip(&expected.rates_bps);
                for (tunnel, (&rate, &wanted)) in rates.enumerate() {
                    if !near(rate, wanted) {
                        let (found, wanted) = (rate_text(rate), rate_text(wanted));
                        let tunnel = tunnel + 1;
                        lines.push(format!(
                            "{id} gets {found} on tunnel {tunnel}, expected {wanted}"
                        ));
                    }
                }
            }
            for (index, expected) in lab.expect.freezes.iter().enumerate() {
                let wanted = &lab.links[expected.link].id;
                let good = shared.freezes.get(index).is_some_and(|freeze| {
                    freeze.edge == expected.link && near(freeze.fair_share, expected.fair_share)
                });
                if !good {
                    let found = shared.freezes.get(index).map_or("nothing".to_owned(), |freeze| {
                        format!("{} at {:?}", lab.links[freeze.edge].id, freeze.fair_share)
                    });
                    let (place, share) = (index + 1, expected.fair_share);
                    lines.push(format!(
                        "full link {place} is {found}, expected {wanted} at {share}"
                    ));
                }
            }
        }
    }
    lines
}
