//! Why an AS has the route it has: every route it hears, and the step that decided.

use super::announce::{Class, InvalidRoutes, Validity};
use super::graph::Relation;
use super::solution::{Choice, NextHop, Routes};
use super::terms::Terms;

/// A route that an AS hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// From where.
    pub hop: NextHop,
    /// AS numbers of the path as received, nearest first.
    pub path: Vec<u32>,
    /// How the AS knows it.
    pub class: Class,
    /// Why it is as good as the best, or which step of the decision it lost and to what.
    pub standing: String,
    /// Whether it is as good as the best by local preference and path length.
    pub equal: bool,
}

/// Many questions about one solution.
pub struct Inquiry<'a> {
    routes: Routes<'a>,
    terms: Terms<'a>,
}

impl<'a> Routes<'a> {
    /// For many questions in a row.
    #[must_use]
    pub fn inquire(self) -> Inquiry<'a> {
        Inquiry { routes: self, terms: Terms::new(self.graph, self.announcements) }
    }
}

impl Inquiry<'_> {
    /// As [`Routes::equal_next_hops`].
    #[must_use]
    pub fn equal_next_hops(&self, at: u32) -> Vec<NextHop> {
        let mut hops = Vec::new();
        self.routes.equal_next_hops_into(&self.terms, at, &mut hops);
        hops
    }

    /// As [`Routes::next_hop`].
    #[must_use]
    pub fn next_hop(&self, at: u32) -> Option<NextHop> {
        self.routes.next_hop(at)
    }

    /// Every route that an AS hears, the best first, then by standing and next hop.
    #[must_use]
    pub fn explain(&self, at: u32) -> Vec<Heard> {
        let mut rows: Vec<(u32, u32, bool, Heard)> = Vec::new();
        for relation in Relation::ALL {
            for &from in self.routes.graph.neighbours(at, relation) {
                let Some(offer) = self.terms.offer(self.routes.choices, from, at, relation) else {
                    continue;
                };
                let mut path = Vec::new();
                self.routes.path(from, &mut path);
                let own = self.routes.graph.asn(from);
                // What a seed asks for prepends the neighbour's own number.
                let missing = (offer.length() as usize).saturating_sub(path.len());
                path.splice(0..0, std::iter::repeat_n(own, missing));
                rows.push(self.heard(at, offer, NextHop::As(from), path));
            }
        }
        for offer in self.terms.seeds_at(at) {
            let Some(number) = offer.seed() else { continue };
            let path = self.routes.announcements.seeds[number].path.clone();
            rows.push(self.heard(at, offer, NextHop::Seed(number), path));
        }
        if let Some(hop @ NextHop::Zombie(number)) = self.routes.next_hop(at) {
            let path = self.routes.announcements.trouble.zombies[number].path.clone();
            rows.push(self.heard(at, self.routes.choices[at as usize], hop, path));
        }
        let best =
            rows.iter().filter(|row| row.2).map(|row| (row.0, std::cmp::Reverse(row.1))).max();
        for (preference, length, allowed, heard) in &mut rows {
            let Some((most, std::cmp::Reverse(least))) = best.filter(|_| *allowed) else {
                continue;
            };
            heard.equal = *preference == most && *length == least;
            heard.standing = if heard.class == Class::Own {
                "it announces the prefix itself".to_owned()
            } else if most == Class::Own.local_preference() {
                "lost to its own announcement".to_owned()
            } else if *preference < most {
                format!("lost at local preference: {preference}, the best has {most}")
            } else if heard.equal {
                format!("local preference {preference}, path length {length}")
            } else {
                format!("lost at path length: {length}, the best has {least}")
            };
        }
        rows.sort_by(|a, b| {
            (b.3.equal.cmp(&a.3.equal))
                .then(b.2.cmp(&a.2))
                .then(b.0.cmp(&a.0))
                .then(a.1.cmp(&b.1))
                .then(a.3.hop.cmp(&b.3.hop))
        });
        rows.into_iter().map(|row| row.3).collect()
    }

    /// Local preference, length, whether it may be used, and the row.
    fn heard(
        &self,
        at: u32,
        offer: Choice,
        hop: NextHop,
        path: Vec<u32>,
    ) -> (u32, u32, bool, Heard) {
        let own = self.routes.graph.asn(at);
        let validity = self.validity(hop);
        let refuses = |mode| self.routes.announcements.trouble.validators.contains(&(at, mode));
        let invalid = validity == Validity::Invalid;
        let preference = self.terms.local_preference(at, offer, validity);
        let mut allowed = true;
        let mut standing = String::new();
        if path.contains(&own) {
            (allowed, standing) = (false, "refused: its path has this AS already".to_owned());
        } else if invalid && refuses(InvalidRoutes::Drop) {
            (allowed, standing) = (false, "refused: its origin is invalid".to_owned());
        }
        let heard = Heard { hop, path, class: offer.class(), standing, equal: false };
        (preference, offer.length(), allowed, heard)
    }

    fn validity(&self, hop: NextHop) -> Validity {
        let seed = match hop {
            NextHop::As(from) => self.routes.seed(from),
            NextHop::Seed(number) => self.routes.announcements.seeds.get(number),
            NextHop::Zombie(_) => None,
        };
        seed.map_or(Validity::Unknown, |seed| seed.control.validity)
    }
}
