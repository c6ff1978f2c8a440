//! Internets that never were: hierarchical graphs with heavy tails, for growth and tests.
//!
//! Model: a clique of tier-1 ASes; below, one AS in seven sells transit. ASes join one after the
//! other and choose providers among those that sell transit and were there before, each with a
//! chance that grows with its customers (Barabasi and Albert, *Emergence of scaling in random
//! networks*, 1999). The other links are peerings between ASes drawn with weights that fall by a
//! power of their place. Nobody is an indirect provider of itself by construction.

use super::graph::{Link, Relation};
use crate::kernel::math;
use crate::kernel::{Stream, StreamKey};
use std::collections::BTreeSet;

/// Share of links between customer and provider in CAIDA's files of 2026.
const PROVIDER_SHARE: f64 = 0.245;

/// One AS in so many sells transit.
const TRANSIT_ONE_IN: usize = 7;

/// Exponent of peering weights; with it the largest degree of a graph of today's size is in the
/// thousands, as in recorded graphs.
const PEERING_EXPONENT: f64 = -0.62;

/// Smallest number of ASes.
const ASES_MIN: usize = 4;

/// Largest number of ASes.
const ASES_MAX: usize = 2_000_000;

/// Makes the links of a graph of `ases` ASes and `links` links. The same numbers give the same
/// graph everywhere.
///
/// # Errors
/// Numbers that do not fit: 4 to 2,000,000 ASes, at least as many links as ASes plus the clique of
/// tier-1 ASes, and at most a quarter of all pairs.
pub fn generate(ases: usize, links: usize, seed: u64) -> Result<Vec<Link>, String> {
    if !(ASES_MIN..=ASES_MAX).contains(&ases) {
        return Err(format!("{ases} ASes: there must be {ASES_MIN} to {ASES_MAX}"));
    }
    let tier1 = (ases / 5_000).clamp(2, 16);
    let least = tier1 * (tier1 - 1) / 2 + ases - tier1;
    let most = (ases * (ases - 1) / 4).max(least);
    if !(least..=most).contains(&links) {
        return Err(format!("{links} links: {ases} ASes need {least} to {most}"));
    }
    let key = |purpose| StreamKey { seed, replication: 0, purpose, entity: 0 };
    let numbers = numbers(ases, &mut Stream::new(key("as-graph-numbers")));
    let mut pairs = BTreeSet::new();
    let mut made = Vec::with_capacity(links);
    let mut link = |a: usize, b: usize, relation| {
        let fresh = a != b && pairs.insert((a.min(b), a.max(b)));
        if fresh {
            made.push(Link { a: numbers[a], b: numbers[b], relation });
        }
        fresh
    };
    for a in 0..tier1 {
        for b in a + 1..tier1 {
            link(a, b, Relation::Peer);
        }
    }
    let paid = ((links as f64 * PROVIDER_SHARE) as usize).max(ases - tier1);
    let extra = paid - (ases - tier1);
    let mut left = links - tier1 * (tier1 - 1) / 2;
    left -=
        buy(ases, tier1, extra.min(left - (ases - tier1)), key("as-graph-providers"), &mut link);
    peer(ases, tier1, left, key("as-graph-peers"), &mut link);
    Ok(made)
}

/// AS numbers with gaps, in random order: place in the hierarchy says nothing about the number.
fn numbers(ases: usize, stream: &mut Stream) -> Vec<u32> {
    let mut last = 0;
    let mut numbers: Vec<u32> = (0..ases)
        .map(|_| {
            last += 1 + stream.below(9) as u32;
            last
        })
        .collect();
    for place in (1..ases).rev() {
        numbers.swap(place, stream.below(place as u64 + 1) as usize);
    }
    numbers
}

/// Every AS below the clique buys from one provider, and `extra` times somebody buys once more.
/// Returns the number of links made.
fn buy(
    ases: usize,
    tier1: usize,
    extra: usize,
    key: StreamKey,
    link: &mut dyn FnMut(usize, usize, Relation) -> bool,
) -> usize {
    let mut stream = Stream::new(key);
    let transit = (ases / TRANSIT_ONE_IN).max(tier1 + 1);
    // Everybody who sells transit, once and once more for each customer.
    let mut sellers: Vec<usize> = (0..tier1).collect();
    let mut made = 0;
    let below = ases - tier1;
    for customer in tier1..ases {
        // Extra contracts spread evenly over those that join.
        let joined = customer - tier1;
        let more = extra * (joined + 1) / below - extra * joined / below;
        for _ in 0..=more {
            // A few attempts: with few sellers all may be providers already.
            for _ in 0..20 {
                let seller = sellers[stream.below(sellers.len() as u64) as usize];
                if link(seller, customer, Relation::Customer) {
                    sellers.push(seller);
                    made += 1;
                    break;
                }
            }
        }
        if customer < transit {
            sellers.push(customer);
        }
    }
    made
}

/// Makes so many peerings below the clique.
fn peer(
    ases: usize,
    tier1: usize,
    count: usize,
    key: StreamKey,
    link: &mut dyn FnMut(usize, usize, Relation) -> bool,
) {
    let mut stream = Stream::new(key);
    let mut sum = 0.0;
    let sums: Vec<f64> = (tier1..ases)
        .map(|place| {
            sum += math::powf((place - tier1 + 10) as f64, PEERING_EXPONENT);
            sum
        })
        .collect();
    let mut made = 0;
    let mut attempts = 0;
    while made < count {
        attempts += 1;
        // Where the heavy ends are used up, everybody has the same chance.
        let weighted = attempts <= 20 * count;
        let mut draw = || match weighted {
            true => {
                let at = stream.uniform() * sum;
                tier1 + sums.partition_point(|&sum| sum <= at).min(sums.len() - 1)
            }
            false => stream.below(ases as u64) as usize,
        };
        let (a, b) = (draw(), draw());
        made += usize::from(link(a, b, Relation::Peer));
    }
}

#[cfg(test)]
mod tests {
    use super::super::AsGraph;
    use super::*;

    #[test]
    fn graphs_have_the_size_asked_for_and_are_sound() {
        for (ases, links) in [(4, 3), (10, 20), (300, 2_000), (3_000, 20_000)] {
            for seed in 0..3 {
                let made = generate(ases, links, seed).unwrap();
                let graph = AsGraph::new(&made).unwrap();
                assert_eq!((graph.len(), graph.link_count()), (ases, links));
                assert_eq!(made, generate(ases, links, seed).unwrap());
                assert_ne!(made, generate(ases, links, seed + 1).unwrap());
            }
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        assert!(generate(3, 5, 1).is_err());
        assert!(generate(100, 50, 1).is_err());
        assert!(generate(100, 5_000, 1).is_err());
    }
}
