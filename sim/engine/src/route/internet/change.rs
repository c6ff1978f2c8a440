//! A change of announcements, sessions or links, without solving everything again.
//!
//! Routes that hang on what went away lose their value together with everything that hangs on
//! them. Then ASes are finished in order of (class, path length), as from scratch, but beginning at
//! the edge of what is still good. Every announced route is worse in that order than the one it
//! was made from, so whatever is finished is final. What is finished with another value than
//! before takes those along whose route went through it: a *better* route may well be a worse one
//! for customers, who only see its length.

use super::announce::{Announcements, rejecting};
use super::graph::{AsGraph, Relation};
use super::solution::{Choice, SEED, Solution, Unsettled};
use super::solve::Workspace;
use super::terms::Terms;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// As it was before the change.
const KEPT: u8 = 0;
/// Being found again; not announced until then.
const OPEN: u8 = 1;
/// Found again.
const FINAL: u8 = 2;

/// If more than one AS in so many is affected, solving from scratch is quicker.
const SHARE_MAX: usize = 4;

impl Solution {
    /// Follows a change from `before`, for which this is the solution, to `after`. Gives the
    /// indices of the ASes that choose another class, length or next hop, ascending. ASes behind
    /// them may have another path although their own choice is the same.
    ///
    /// The result is the one that [`Solution::solve`] would find.
    ///
    /// # Errors
    /// As [`Solution::solve`]; the solution is then unchanged.
    pub fn change(
        &mut self,
        graph: &AsGraph,
        before: &Announcements,
        after: &Announcements,
        workspace: &mut Workspace,
    ) -> Result<Vec<u32>, Unsettled> {
        assert_eq!(self.choices.len(), graph.len(), "the solution is of another graph");
        let plain = |announcements: &Announcements| {
            announcements.trouble.only_links() && announcements.is_gao_rexford(graph)
        };
        let closed = closed(graph, after);
        if !plain(before) || !plain(after) || closed != self::closed(graph, before) {
            let solution = Solution::solve(graph, after, workspace)?;
            self.renumber(before, after);
            return Ok(self.replace(solution));
        }
        let terms = Terms::new(graph, after);
        let dirty = self.renumber(before, after);
        workspace.marks.resize(graph.len(), KEPT);
        let mut repair = Repair {
            terms: &terms,
            closed: &closed,
            choices: &mut self.choices,
            marks: &mut workspace.marks,
            touched: Vec::new(),
            heap: BinaryHeap::new(),
            touched_max: graph.len() / SHARE_MAX,
        };
        let done = repair.run(&dirty);
        let touched = repair.touched;
        for &(at, _) in &touched {
            workspace.marks[at as usize] = KEPT;
        }
        if !done {
            for &(at, old) in &touched {
                self.choices[at as usize] = old;
            }
            let solution = Solution::solve(graph, after, workspace)?;
            return Ok(self.replace(solution));
        }
        let other = touched.iter().filter(|&&(at, old)| self.choices[at as usize] != old);
        let mut changed: Vec<u32> = other.map(|&(at, _)| at).collect();
        changed.sort_unstable();
        Ok(changed)
    }

    /// Takes a solution from scratch and says what is different.
    fn replace(&mut self, solution: Solution) -> Vec<u32> {
        let pairs = self.choices.iter().zip(&solution.choices);
        let changed = (0_u32..).zip(pairs).filter(|(_, (old, new))| old != new);
        let changed = changed.map(|(at, _)| at).collect();
        *self = solution;
        changed
    }

    /// Gives seeds that stay their new positions. Returns where something is different: the ASes
    /// of other seeds and the ends of links that went up or down.
    fn renumber(&mut self, before: &Announcements, after: &Announcements) -> Vec<u32> {
        let (old, new) = (&before.seeds, &after.seeds);
        let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let left = old.len().min(new.len()) - head;
        let tails = old.iter().rev().zip(new.iter().rev()).take(left);
        let tail = tails.take_while(|(a, b)| a == b).count();
        let mut dirty: Vec<u32> = Vec::new();
        for seeds in [&old[head..old.len() - tail], &new[head..new.len() - tail]] {
            dirty.extend(seeds.iter().map(|seed| seed.at));
        }
        let same_zombies = before.trouble.zombies == after.trouble.zombies;
        let stays = |position: usize| match position < old.len() {
            true => position < head || position >= old.len() - tail,
            false => same_zombies,
        };
        let zombies = before.trouble.zombies.iter().map(|zombie| zombie.at);
        let mut at: Vec<u32> = old.iter().map(|seed| seed.at).chain(zombies).collect();
        at.sort_unstable();
        at.dedup();
        for at in at {
            let choice = &mut self.choices[at as usize];
            let Some(position) = choice.seed() else { continue };
            choice.next = match stays(position) {
                false => GONE,
                true if position < head => choice.next,
                true => SEED | (position + new.len() - old.len()) as u32,
            };
        }
        let pair = |&(a, b): &(u32, u32)| (a.min(b), a.max(b));
        let sorted = |announcements: &Announcements| {
            let mut down: Vec<_> = announcements.trouble.links_down.iter().map(pair).collect();
            down.sort_unstable();
            down
        };
        let (old, new) = (sorted(before), sorted(after));
        let lone = |here: &[(u32, u32)], there: &[(u32, u32)]| {
            let lone = here.iter().filter(|link| there.binary_search(link).is_err());
            lone.flat_map(|&(a, b)| [a, b]).collect::<Vec<_>>()
        };
        dirty.extend(lone(&old, &new));
        dirty.extend(lone(&new, &old));
        dirty.sort_unstable();
        dirty.dedup();
        dirty
    }
}

/// The seed that was chosen is no longer there.
const GONE: u32 = u32::MAX - 1;

/// ASes without any route, because they reject what they announced themselves.
fn closed(graph: &AsGraph, announcements: &Announcements) -> Vec<u32> {
    announcements.seeds.first().map_or(Vec::new(), |seed| rejecting(graph, seed))
}

/// A change being followed.
struct Repair<'a> {
    terms: &'a Terms<'a>,
    closed: &'a [u32],
    choices: &'a mut [Choice],
    marks: &'a mut [u8],
    /// ASes looked at, with what they had before.
    touched: Vec<(u32, Choice)>,
    /// Open ASes by rank.
    heap: BinaryHeap<Reverse<(u32, u32)>>,
    touched_max: usize,
}

impl Repair<'_> {
    /// Whether it was done; if not, too much is affected.
    fn run(&mut self, dirty: &[u32]) -> bool {
        let stale: Vec<u32> = dirty.iter().copied().filter(|&at| !self.holds(at)).collect();
        self.reopen(&stale);
        for &at in dirty {
            if self.marks[at as usize] == KEPT {
                self.improve(at, self.best(at));
            }
        }
        while let Some(Reverse((rank, at))) = self.heap.pop() {
            if self.touched.len() > self.touched_max {
                return false;
            }
            if self.marks[at as usize] == OPEN && self.choices[at as usize].rank == rank {
                self.marks[at as usize] = FINAL;
                self.announce(at);
            }
        }
        true
    }

    /// Whether what an AS chose is still offered to it.
    fn holds(&self, at: u32) -> bool {
        let choice = self.choices[at as usize];
        if !choice.has_route() {
            return true;
        }
        match choice.seed() {
            Some(_) => choice.next != GONE,
            None => self.offer(choice.next, at) == Some(choice),
        }
    }

    /// What `from` offers to `at`.
    fn offer(&self, from: u32, at: u32) -> Option<Choice> {
        let relation = self.terms.graph.relation(at, from)?;
        self.terms.offer(self.choices, from, at, relation)
    }

    /// The best that an AS is offered by all that are not open.
    fn best(&self, at: u32) -> Choice {
        if self.closed.binary_search(&at).is_ok() {
            return Choice::NONE;
        }
        let mut best = Choice::NONE;
        for offer in self.terms.seeds_at(at) {
            self.keep_better(&mut best, offer);
        }
        for relation in Relation::ALL {
            for &from in self.terms.graph.neighbours(at, relation) {
                if self.marks[from as usize] != OPEN
                    && let Some(offer) = self.terms.offer(self.choices, from, at, relation)
                {
                    self.keep_better(&mut best, offer);
                }
            }
        }
        best
    }

    fn keep_better(&self, best: &mut Choice, offer: Choice) {
        if self.is_better(offer, *best) {
            *best = offer;
        }
    }

    fn is_better(&self, offer: Choice, than: Choice) -> bool {
        offer.rank < than.rank
            || offer.rank == than.rank && self.terms.before(offer.next, than.next)
    }

    /// Opens an AS for a better offer.
    fn improve(&mut self, at: u32, offer: Choice) {
        let current = self.choices[at as usize];
        if !offer.has_route() || !self.is_better(offer, current) {
            return;
        }
        self.open(at);
        self.choices[at as usize] = offer;
        self.heap.push(Reverse((offer.rank, at)));
    }

    fn open(&mut self, at: u32) {
        if self.marks[at as usize] == KEPT {
            self.touched.push((at, self.choices[at as usize]));
        }
        self.marks[at as usize] = OPEN;
    }

    /// Takes the routes away from these ASes and from all whose route goes through them, and looks
    /// what else they are offered.
    fn reopen(&mut self, stale: &[u32]) {
        let mut lost = stale.to_vec();
        for &at in stale {
            self.open(at);
            self.choices[at as usize] = Choice::NONE;
        }
        let mut done = 0;
        while let Some(&at) = lost.get(done) {
            done += 1;
            for &neighbour in self.terms.graph.all_neighbours(at) {
                let through = self.choices[neighbour as usize].next == at;
                if through && self.marks[neighbour as usize] != FINAL {
                    self.open(neighbour);
                    self.choices[neighbour as usize] = Choice::NONE;
                    lost.push(neighbour);
                }
            }
            if self.touched.len() > self.touched_max {
                // The heap must not be empty, so that the main loop sees it.
                self.heap.push(Reverse((u32::MAX, at)));
                return;
            }
        }
        for &at in &lost {
            let best = self.best(at);
            if best.has_route() {
                self.choices[at as usize] = best;
                self.heap.push(Reverse((best.rank, at)));
            }
        }
    }

    /// Tells the neighbours of a final route.
    fn announce(&mut self, at: u32) {
        let graph = self.terms.graph;
        for relation in Relation::ALL {
            for &to in graph.neighbours(at, relation) {
                if self.marks[to as usize] == FINAL || self.closed.binary_search(&to).is_ok() {
                    continue;
                }
                let offer = self.terms.offer(self.choices, at, to, relation.inverse());
                let current = self.choices[to as usize];
                if current.next == at && offer != Some(current) {
                    self.reopen(&[to]);
                } else if let Some(offer) = offer {
                    self.improve(to, offer);
                }
            }
        }
    }
}
