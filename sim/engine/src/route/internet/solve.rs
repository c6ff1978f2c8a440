//! The fast solver: routes go up from customers to providers, across to peers, then down.
//!
//! Where everybody prefers routes by relation and exports them by relation (Gao and Rexford 2001),
//! a route from a customer depends on routes from customers only, one from a peer on those, and
//! one from a provider on all. Each AS can therefore be finished in order of (class, path length).
//! Three sweeps over the compressed rows do it, with one bucket for each path length and no
//! allocation for any route.

use super::announce::{Announcements, Class, Validity};
use super::graph::{AsGraph, Relation};
use super::solution::{Choice, PATH_LENGTH_MAX, Solution, rank};
use super::terms::Terms;

/// Memory that solving needs, to be used again.
#[derive(Debug, Default)]
pub struct Workspace {
    /// ASes to go on from, by path length.
    pub(super) buckets: Vec<Vec<u32>>,
    /// ASes whose route is from a customer or their own.
    routed: Vec<u32>,
    /// Whether the route of each AS has an invalid origin; empty if nobody cares.
    tainted: Vec<bool>,
    /// State of each AS during a change.
    pub(super) marks: Vec<u8>,
}

/// Marks ASes that take no route at all; better than any.
const CLOSED: Choice = Choice { rank: 0, next: 0 };

/// Solves into `solution`, whose memory is used again.
///
/// The announcements must follow the rules of Gao and Rexford.
pub(super) fn solve_into(
    graph: &AsGraph,
    announcements: &Announcements,
    workspace: &mut Workspace,
    solution: &mut Solution,
) {
    let terms = Terms::new(graph, announcements);
    solution.choices.clear();
    solution.choices.resize(graph.len(), Choice::NONE);
    let choices = &mut solution.choices;
    workspace.buckets.iter_mut().for_each(Vec::clear);
    workspace.routed.clear();
    workspace.tainted.clear();
    if terms.anybody_validates() {
        workspace.tainted.resize(graph.len(), false);
    }
    if terms.is_plain() {
        Sweep::<false> { terms: &terms, choices, workspace }.solve(&[]);
    } else {
        let closed = terms.rejecting.first().cloned().unwrap_or_default();
        Sweep::<true> { terms: &terms, choices, workspace }.solve(&closed);
    }
}

/// The three sweeps. `FILTERED`: some ASes or links need a closer look.
struct Sweep<'a, const FILTERED: bool> {
    terms: &'a Terms<'a>,
    choices: &'a mut [Choice],
    workspace: &'a mut Workspace,
}

impl<const FILTERED: bool> Sweep<'_, FILTERED> {
    fn solve(&mut self, closed: &[u32]) {
        for &at in closed {
            self.choices[at as usize] = CLOSED;
        }
        self.plant(Class::Own, Class::Customer);
        self.up();
        self.plant(Class::Peer, Class::RouteServer);
        self.across();
        for at in 0..self.choices.len() as u32 {
            let choice = self.choices[at as usize];
            if choice.has_route() {
                self.wait(at, choice.length());
            }
        }
        self.plant(Class::Provider, Class::Provider);
        for &at in closed {
            self.choices[at as usize] = Choice::NONE;
        }
        self.down(closed);
    }

    /// Lets the seeds of two neighbouring classes offer their routes.
    fn plant(&mut self, first: Class, last: Class) {
        for (number, seed) in (0_u32..).zip(&self.terms.announcements.seeds) {
            let taken = || {
                !FILTERED || {
                    self.terms.takes(seed.at, seed.path.len() as u32, seed.control.validity)
                }
            };
            if seed.learned < first || seed.learned > last || !taken() {
                continue;
            }
            if let Some(choice) = self.terms.seed_choice(number) {
                self.offer(seed.at, choice);
            }
        }
    }

    /// From customers to providers, shortest paths first.
    fn up(&mut self) {
        let mut length = 0;
        while length < self.workspace.buckets.len() {
            let bucket = std::mem::take(&mut self.workspace.buckets[length]);
            for &at in &bucket {
                let choice = self.choices[at as usize];
                if choice.length() as usize == length {
                    self.workspace.routed.push(at);
                    self.taint(at, choice);
                    self.announce(at, choice, Relation::Provider);
                }
            }
            self.give_back(length, bucket);
            length += 1;
        }
    }

    /// What customers told, to peers.
    fn across(&mut self) {
        let routed = std::mem::take(&mut self.workspace.routed);
        for &at in &routed {
            let choice = self.choices[at as usize];
            self.announce(at, choice, Relation::Peer);
            self.announce(at, choice, Relation::RouteServer);
        }
        self.workspace.routed = routed;
        self.workspace.buckets.iter_mut().for_each(Vec::clear);
    }

    /// From providers to customers, shortest paths first.
    fn down(&mut self, closed: &[u32]) {
        let mut length = 0;
        while length < self.workspace.buckets.len() {
            let bucket = std::mem::take(&mut self.workspace.buckets[length]);
            for &at in &bucket {
                let choice = self.choices[at as usize];
                if choice.has_route() && choice.length() as usize == length {
                    self.taint(at, choice);
                    self.announce_down(at, choice, closed);
                }
            }
            self.give_back(length, bucket);
            length += 1;
        }
    }

    fn announce_down(&mut self, at: u32, choice: Choice, closed: &[u32]) {
        if FILTERED && !closed.is_empty() {
            for &to in self.terms.graph.neighbours(at, Relation::Customer) {
                if closed.binary_search(&to).is_err() {
                    self.announce_to(at, choice, to, Class::Provider);
                }
            }
        } else {
            self.announce(at, choice, Relation::Customer);
        }
    }

    /// Announces a choice to all neighbours of one relation.
    #[inline]
    fn announce(&mut self, at: u32, choice: Choice, towards: Relation) {
        let class = Class::of(towards.inverse());
        if FILTERED || choice.seed().is_some() {
            for &to in self.terms.graph.neighbours(at, towards) {
                self.announce_to(at, choice, to, class);
            }
            return;
        }
        let length = choice.length() + 1;
        if length > PATH_LENGTH_MAX {
            return;
        }
        let offer = Choice { rank: rank(class, length), next: at };
        for &to in self.terms.graph.neighbours(at, towards) {
            self.offer(to, offer);
        }
    }

    /// Announces a choice to one neighbour, with everything that may be in the way.
    fn announce_to(&mut self, at: u32, choice: Choice, to: u32, class: Class) {
        let Some(prepends) = self.terms.wishes(choice, to) else { return };
        let length = choice.length() + 1 + prepends;
        if length > PATH_LENGTH_MAX {
            return;
        }
        if FILTERED {
            let tainted = self.workspace.tainted.get(at as usize).copied().unwrap_or_default();
            let validity = if tainted { Validity::Invalid } else { Validity::Unknown };
            if !self.terms.is_up(at, to) || !self.terms.takes(to, length, validity) {
                return;
            }
        }
        self.offer(to, Choice { rank: rank(class, length), next: at });
    }

    /// Takes an offer if it is better than what is there.
    #[inline]
    fn offer(&mut self, to: u32, offer: Choice) {
        let current = &mut self.choices[to as usize];
        if offer.rank < current.rank {
            *current = offer;
            self.wait(to, offer.length());
        } else if offer.rank == current.rank && self.terms.before(offer.next, current.next) {
            current.next = offer.next;
        }
    }

    #[inline]
    fn wait(&mut self, at: u32, length: u32) {
        let length = length as usize;
        if length >= self.workspace.buckets.len() {
            self.workspace.buckets.resize_with(length + 1, Vec::new);
        }
        self.workspace.buckets[length].push(at);
    }

    /// Puts a bucket back so that its memory serves again.
    fn give_back(&mut self, length: usize, mut bucket: Vec<u32>) {
        bucket.clear();
        self.workspace.buckets[length] = bucket;
    }

    /// Notes whether what an AS chose, which is final now, has an invalid origin.
    fn taint(&mut self, at: u32, choice: Choice) {
        if !FILTERED || self.workspace.tainted.is_empty() {
            return;
        }
        self.workspace.tainted[at as usize] = match choice.seed() {
            Some(seed) => {
                self.terms.announcements.seeds[seed].control.validity == Validity::Invalid
            }
            None => self.workspace.tainted[choice.next as usize],
        };
    }
}
