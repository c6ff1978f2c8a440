//! What was found for one prefix: for every AS its class, path length and next hop.

use super::announce::{Announcements, Class, Seed, Validity};
use super::graph::{AsGraph, Relation};
use super::terms::Terms;

/// Longest AS path, in numbers. A longer one is rejected by everybody; real routers stop earlier.
pub const PATH_LENGTH_MAX: u32 = 0xfffe;

/// No route.
pub(super) const NO_RANK: u32 = u32::MAX;
/// No next hop.
pub(super) const NO_NEXT: u32 = u32::MAX;
/// The next hop is a seed; the other bits are its position.
pub(super) const SEED: u32 = 1 << 31;

/// Class and path length in one number: lower is better.
#[inline]
pub(super) fn rank(class: Class, length: u32) -> u32 {
    (class as u32) << 16 | length
}

/// What one AS chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// Class and length; see [`rank`].
    pub(super) rank: u32,
    /// Index of the neighbour, or seed.
    pub(super) next: u32,
}

impl Choice {
    pub(super) const NONE: Choice = Choice { rank: NO_RANK, next: NO_NEXT };

    #[inline]
    pub(super) fn has_route(self) -> bool {
        self.rank != NO_RANK
    }

    /// Class of the route there is.
    #[inline]
    pub(super) fn class(self) -> Class {
        Class::ALL[(self.rank >> 16) as usize]
    }

    /// Length of the path, the AS itself not counted.
    #[inline]
    pub(super) fn length(self) -> u32 {
        self.rank & 0xffff
    }

    /// Position of the seed, if that is where the route is from.
    #[inline]
    pub(super) fn seed(self) -> Option<usize> {
        (self.next & SEED != 0 && self.next != NO_NEXT).then_some((self.next & !SEED) as usize)
    }
}

/// Where a route goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NextHop {
    /// A neighbour in the graph, by its index.
    As(u32),
    /// Out of the graph, or nowhere further: position of the seed.
    Seed(usize),
    /// A withdrawn route still in use: position in [`super::Trouble::zombies`].
    Zombie(usize),
}

/// The solution for one prefix: 8 bytes an AS.
///
/// It is meaningful together with the graph and the announcements it was made from; see
/// [`Solution::routes`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Solution {
    pub(super) choices: Vec<Choice>,
}

impl Solution {
    /// The solution with what it was made from.
    #[must_use]
    pub fn routes<'a>(
        &'a self,
        graph: &'a AsGraph,
        announcements: &'a Announcements,
    ) -> Routes<'a> {
        assert_eq!(self.choices.len(), graph.len(), "the solution is of another graph");
        Routes { graph, announcements, choices: &self.choices }
    }

    /// Number of ASes that have a route.
    #[must_use]
    pub fn reached(&self) -> usize {
        self.choices.iter().filter(|choice| choice.has_route()).count()
    }

    /// Class of the route of an AS; none: it has no route.
    #[inline]
    #[must_use]
    pub fn class(&self, at: u32) -> Option<Class> {
        let choice = self.choices[at as usize];
        choice.has_route().then(|| choice.class())
    }

    /// AS numbers in the path that the AS received, its own not counted; 0 without a route.
    #[inline]
    #[must_use]
    pub fn length(&self, at: u32) -> u32 {
        let choice = self.choices[at as usize];
        if choice.has_route() { choice.length() } else { 0 }
    }
}

/// Why there is no one solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsettled {
    /// At least two stable states: which one comes about is a matter of timing.
    NotUnique {
        /// The states found when ASes act in ascending and in descending order.
        states: Box<[Solution; 2]>,
        /// Indices of the ASes that choose differently, ascending.
        differing: Vec<u32>,
    },
    /// No stable state was reached.
    Diverged {
        /// Indices of the ASes that still change, ascending.
        changing: Vec<u32>,
    },
}

/// Questions about a solution.
#[derive(Clone, Copy, Debug)]
pub struct Routes<'a> {
    pub(super) graph: &'a AsGraph,
    pub(super) announcements: &'a Announcements,
    pub(super) choices: &'a [Choice],
}

impl<'a> Routes<'a> {
    /// The graph.
    #[must_use]
    pub fn graph(&self) -> &'a AsGraph {
        self.graph
    }

    /// What is announced.
    #[must_use]
    pub fn announcements(&self) -> &'a Announcements {
        self.announcements
    }

    /// Class of the route of an AS; none: it has no route.
    #[must_use]
    pub fn class(&self, at: u32) -> Option<Class> {
        let choice = self.choices[at as usize];
        choice.has_route().then(|| choice.class())
    }

    /// The next hop that an AS chose and announces; none: it has no route.
    #[must_use]
    pub fn next_hop(&self, at: u32) -> Option<NextHop> {
        let choice = self.choices[at as usize];
        choice.has_route().then(|| self.named(choice))
    }

    fn named(&self, choice: Choice) -> NextHop {
        let seeds = self.announcements.seeds.len();
        match choice.seed() {
            None => NextHop::As(choice.next),
            Some(seed) if seed < seeds => NextHop::Seed(seed),
            Some(zombie) => NextHop::Zombie(zombie - seeds),
        }
    }

    /// The seed at the end of the chosen path; none: no route, or a zombie's.
    #[must_use]
    pub fn seed(&self, at: u32) -> Option<&'a Seed> {
        self.source(at).map(|seed| &self.announcements.seeds[seed])
    }

    /// Position of [`Routes::seed`].
    #[must_use]
    pub fn source(&self, at: u32) -> Option<usize> {
        let mut at = at;
        for _ in 0..=self.graph.len() {
            match self.next_hop(at)? {
                NextHop::As(next) => at = next,
                NextHop::Seed(seed) => return Some(seed),
                NextHop::Zombie(_) => return None,
            }
        }
        unreachable!("a solution has no loops")
    }

    /// Appends the chosen path to `path`: AS numbers, first that of the AS itself, last that of
    /// the origin. Appends nothing if the AS has no route.
    pub fn path(&self, at: u32, path: &mut Vec<u32>) {
        let mut at = at;
        let begin = path.len();
        let Some(mut hop) = self.next_hop(at) else { return };
        path.push(self.graph.asn(at));
        loop {
            match hop {
                NextHop::As(next) => {
                    let copies = 1 + self.prepends(next, at);
                    path.extend((0..copies).map(|_| self.graph.asn(next)));
                    at = next;
                }
                NextHop::Seed(seed) => {
                    return path.extend(&self.announcements.seeds[seed].path);
                }
                NextHop::Zombie(zombie) => {
                    return path.extend(&self.announcements.trouble.zombies[zombie].path);
                }
            }
            assert!(path.len() - begin <= PATH_LENGTH_MAX as usize + 1, "a solution has no loops");
            hop = self.next_hop(at).expect("an announced route is there");
        }
    }

    /// How often more than once `from` names itself towards `to`.
    fn prepends(&self, from: u32, to: u32) -> u32 {
        match self.choices[from as usize].seed().and_then(|at| self.announcements.seeds.get(at)) {
            None => 0,
            Some(seed) => {
                let asked = seed.control.prepend_to.iter().filter(|(towards, _)| *towards == to);
                asked.map(|(_, times)| u32::from(*times)).sum()
            }
        }
    }

    /// All next hops that are as good as the chosen one by local preference and path length,
    /// in order of preference if all else is equal, the chosen one first: lowest AS number of the
    /// neighbour. Empty without a route.
    #[must_use]
    pub fn equal_next_hops(&self, at: u32) -> Vec<NextHop> {
        let mut hops = Vec::new();
        self.equal_next_hops_into(&Terms::new(self.graph, self.announcements), at, &mut hops);
        hops
    }

    /// [`Routes::equal_next_hops`] for very many ASes, with the terms and the memory reused.
    pub(super) fn equal_next_hops_into(&self, terms: &Terms<'_>, at: u32, hops: &mut Vec<NextHop>) {
        hops.clear();
        let chosen = self.choices[at as usize];
        if !chosen.has_route() {
            return;
        }
        let standing = |offer: Choice, validity: Validity| {
            (terms.local_preference(at, offer, validity), offer.length())
        };
        let source = |of: u32| if terms.is_plain() { None } else { self.source(of) };
        let validity = |source: Option<usize>| {
            source.map_or(Validity::Unknown, |seed| self.announcements.seeds[seed].control.validity)
        };
        let best = standing(chosen, validity(source(at)));
        for relation in Relation::ALL {
            for &from in self.graph.neighbours(at, relation) {
                let offer = terms.offer(self.choices, from, at, relation);
                let Some(offer) = offer.filter(|offer| offer.length() == chosen.length()) else {
                    continue;
                };
                let source = source(from);
                let validity = validity(source);
                let taken = terms.takes(at, offer.length(), validity)
                    && !source.is_some_and(|seed| terms.rejects(seed, at));
                if taken && standing(offer, validity) == best {
                    hops.push(NextHop::As(from));
                }
            }
        }
        for offer in terms.seeds_at(at) {
            let source = offer.seed();
            let validity = validity(source);
            let taken = terms.takes(at, offer.length(), validity)
                && !source.is_some_and(|seed| terms.rejects(seed, at));
            if taken && standing(offer, validity) == best {
                hops.push(self.named(offer));
            }
        }
        hops.sort_unstable_by_key(|hop| match *hop {
            NextHop::As(next) => (terms.order(next), next),
            NextHop::Seed(seed) | NextHop::Zombie(seed) => {
                (terms.order(SEED | seed as u32), SEED | seed as u32)
            }
        });
        // A zombie is offered by nobody.
        if let zombie @ NextHop::Zombie(_) = self.named(chosen) {
            hops.insert(0, zombie);
        }
    }
}
