//! What the paths teach about who takes which offers.

use super::evidence::{Evidence, Seen};
use super::web::{LAST_RESORT, NEVER, Web};
use crate::route::internet::Relation;
use std::collections::BTreeMap;

/// An AS seen on paths takes other next hops than the seen ones only as a last resort.
pub(super) fn keep_to_seen(web: &mut Web, evidence: &Evidence) {
    for (site, seen) in evidence.seen.iter().enumerate() {
        for (&at, routes) in &seen.routes {
            for edge in web.edges(at) {
                let from = web.from[edge];
                if !routes.iter().any(|&(next, _)| next == from) {
                    web.reception[site][edge] = LAST_RESORT;
                }
            }
        }
    }
}

/// An AS that tells a collector of no route to a site has none.
pub(super) fn keep_without(web: &mut Web, evidence: &Evidence) {
    for (site, seen) in evidence.seen.iter().enumerate() {
        for &at in &seen.without {
            let edges = web.edges(at);
            web.reception[site][edges].fill(NEVER);
        }
    }
}

/// How an AS announces a route: upwards and sideways go together, as the rule of export has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    ToCustomers,
    ToOthers,
}

impl Direction {
    /// The direction of an announcement by a neighbour that is `relation` to the hearer.
    fn of(relation: Relation) -> Direction {
        match relation {
            Relation::Provider => Direction::ToCustomers,
            _ => Direction::ToOthers,
        }
    }
}

/// Makes an AS the last resort of unseen neighbours in a direction if most seen neighbours there
/// did not take its offer although it would have been better than what they took: either it does
/// not make the offer, or they know why not to take it.
pub(super) fn demote_untaken(web: &mut Web, evidence: &Evidence) {
    for (site, seen) in evidence.seen.iter().enumerate() {
        for (by, direction) in untaken(web, seen) {
            for edge in web.edges(by) {
                let to = web.from[edge];
                if web.is_site(to) || seen.routes.contains_key(&to) {
                    continue;
                }
                let edge = web.edge(to, by).expect("a link has both its edges");
                if Direction::of(web.relation[edge]) == direction {
                    let reception = &mut web.reception[site][edge];
                    *reception = (*reception).max(LAST_RESORT);
                }
            }
        }
    }
}

/// Class of the route that an AS on a path has: the best of those it was seen to take.
fn class_seen(web: &Web, seen: &Seen, at: u32) -> Relation {
    let routes = seen.routes[&at].iter();
    let classes = routes.map(|&(next, _)| web.relation_on_path(at, next));
    classes.min().expect("an AS on a path has a next hop")
}

/// Whether an AS with a route of class `has` announces it to one that it is `relation` to.
fn announces(has: Relation, relation: Relation) -> bool {
    has == Relation::Customer || relation == Relation::Provider
}

/// The announcers and directions that are mostly not taken.
fn untaken(web: &Web, seen: &Seen) -> Vec<(u32, Direction)> {
    let mut counts: BTreeMap<(u32, Direction), (u32, u32)> = BTreeMap::new();
    for &by in seen.routes.keys() {
        let has = class_seen(web, seen, by);
        let length = seen.shortest(by).expect("it is on a path") + 1;
        for edge in web.edges(by) {
            let to = web.from[edge];
            if web.is_site(to) {
                continue;
            }
            let relation = web.relation[edge].inverse();
            if !announces(has, relation) {
                continue;
            }
            let count = counts.entry((by, Direction::of(relation))).or_default();
            match seen.routes.get(&to) {
                Some(routes) if routes.iter().any(|&(next, _)| next == by) => count.0 += 1,
                Some(routes) => {
                    let took = class_seen(web, seen, to);
                    let of_class = routes.iter().filter(|r| web.relation_on_path(to, r.0) == took);
                    let shortest = of_class.map(|&(_, length)| length).min();
                    let shortest = shortest.expect("some route is of the best class");
                    count.1 += u32::from((relation, length) < (took, shortest));
                }
                None => count.1 += u32::from(seen.without.contains(&to)),
            }
        }
    }
    let mostly_not = |&(_, (taken, not)): &(_, (u32, u32))| taken < not;
    counts.into_iter().filter(mostly_not).map(|(key, _)| key).collect()
}

/// How often seen ASes take an offer of their best class that is as short as the shortest, one
/// longer, and longer still. Counted from one imagined AS that took the shortest, so that without
/// paths the shortest always wins.
pub(super) fn offers_taken(web: &Web, evidence: &Evidence) -> [f64; 3] {
    let (mut made, mut taken) = ([1_u32; 3], [1_u32, 0, 0]);
    for seen in &evidence.seen {
        for (&at, routes) in &seen.routes {
            let class = class_seen(web, seen, at);
            let mut offers: Vec<(u32, bool)> = Vec::new();
            for edge in web.edges(at) {
                let from = web.from[edge];
                let Some(length) = seen.shortest(from) else { continue };
                if web.relation[edge] == class && announces(class_seen(web, seen, from), class) {
                    let took = routes.iter().any(|&(next, _)| next == from);
                    offers.push((length + web.times[edge], took));
                }
            }
            let Some(shortest) = offers.iter().map(|offer| offer.0).min() else { continue };
            if offers.len() < 2 {
                continue;
            }
            for (length, took) in offers {
                let longer = (length - shortest).min(2) as usize;
                made[longer] += 1;
                taken[longer] += u32::from(took);
            }
        }
    }
    std::array::from_fn(|longer| f64::from(taken[longer]) / f64::from(made[longer]))
}
