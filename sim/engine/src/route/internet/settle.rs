//! The general solver: ASes act one after the other until nobody changes.
//!
//! It serves where preference or export does not follow relations, so that routing need not settle
//! or may settle in several states (Griffin, Shepherd, Wilfong, *The stable paths problem and
//! interdomain routing*, 2002). Every AS keeps its whole path, so that loops are rejected by path as
//! routers do. Rounds are played in a fixed order. A round that begins like an earlier one proves
//! that this order never ends. Three orders are tried: all announcements at once in ascending
//! order, and one announcement after the other, first to last and last to first. If they end in
//! different states, both are stable and timing decides.

use super::announce::{Announcements, Validity};
use super::graph::{AsGraph, Relation};
use super::solution::{Choice, PATH_LENGTH_MAX, SEED, Solution, Unsettled, rank};
use super::terms::Terms;

/// No path.
const NO_PATH: u32 = u32::MAX;

/// A path: the AS, and the path behind it.
#[derive(Clone, Copy)]
struct Node {
    /// Index of the AS; for the last node what [`Choice::next`] says of a seed.
    at: u32,
    /// The rest; none behind a seed.
    rest: u32,
    /// Names the path.
    hash: u64,
}

/// Solves by letting ASes act.
pub(super) fn settle(
    graph: &AsGraph,
    announcements: &Announcements,
) -> Result<Solution, Unsettled> {
    let terms = Terms::new(graph, announcements);
    let count = announcements.seeds.len();
    let first = Play::new(&terms, false).play(&[(0..count).collect()])?;
    let single = |seed: usize| vec![seed];
    let orders: [(bool, Vec<Vec<usize>>); 2] =
        [(true, (0..count).map(single).collect()), (false, (0..count).rev().map(single).collect())];
    for (descending, steps) in orders {
        let other = Play::new(&terms, descending).play(&steps)?;
        if other != first {
            let pairs = first.choices.iter().zip(&other.choices);
            let differing =
                (0_u32..).zip(pairs).filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect();
            return Err(Unsettled::NotUnique { states: Box::new([first, other]), differing });
        }
    }
    Ok(first)
}

/// ASes acting in one order.
struct Play<'a> {
    terms: &'a Terms<'a>,
    descending: bool,
    choices: Vec<Choice>,
    /// Path of each AS as it announces it, itself first.
    paths: Vec<u32>,
    nodes: Vec<Node>,
    /// Which seeds are announced by now.
    announced: Vec<bool>,
    /// Whose turn it is in the next round.
    waiting: Vec<u32>,
    is_waiting: Vec<bool>,
    /// The round in which each AS changed last.
    changed_in: Vec<u64>,
    round: u64,
    turns_left: u64,
    /// Names the state of all ASes.
    hash: u64,
}

/// What an AS would choose, in order of preference.
#[derive(Clone, Copy)]
struct Candidate {
    local_preference: u32,
    choice: Choice,
}

impl<'a> Play<'a> {
    fn new(terms: &'a Terms<'a>, descending: bool) -> Play<'a> {
        let count = terms.graph.len();
        Play {
            terms,
            descending,
            choices: vec![Choice::NONE; count],
            paths: vec![NO_PATH; count],
            nodes: Vec::new(),
            announced: vec![false; terms.announcements.seeds.len()],
            waiting: Vec::new(),
            is_waiting: vec![false; count],
            changed_in: vec![0; count],
            round: 0,
            turns_left: 50 * count as u64 + 10_000,
            hash: 0,
        }
    }

    /// Announces step by step, each after the one before has settled.
    fn play(mut self, steps: &[Vec<usize>]) -> Result<Solution, Unsettled> {
        for zombie in &self.terms.announcements.trouble.zombies {
            self.wake(zombie.at);
        }
        for step in steps {
            for &seed in step {
                self.announced[seed] = true;
                self.wake(self.terms.announcements.seeds[seed].at);
            }
            self.turns_left += 50 * self.waiting.len() as u64;
            self.until_quiet()?;
        }
        // Without announcements there may still be zombies.
        self.until_quiet()?;
        Ok(Solution { choices: self.choices })
    }

    fn wake(&mut self, at: u32) {
        if !std::mem::replace(&mut self.is_waiting[at as usize], true) {
            self.waiting.push(at);
        }
    }

    /// Plays rounds until nobody waits. The state is compared with that of the last round whose
    /// number was a power of two (Brent, *An improved Monte Carlo factorization algorithm*, 1980).
    fn until_quiet(&mut self) -> Result<(), Unsettled> {
        let begin = self.round;
        let (mut kept, mut kept_in) = (None, self.round);
        while !self.waiting.is_empty() {
            let mut turn = std::mem::take(&mut self.waiting);
            turn.sort_unstable();
            if self.descending {
                turn.reverse();
            }
            let state = turn.iter().fold(self.hash, |hash, &at| hash ^ mix(u64::from(at) ^ 0x5bd1));
            if kept == Some(state) || self.turns_left < turn.len() as u64 {
                return Err(self.diverged(if kept == Some(state) { kept_in } else { begin }));
            }
            if (self.round - begin + 1).is_power_of_two() {
                (kept, kept_in) = (Some(state), self.round);
            }
            self.turns_left -= turn.len() as u64;
            self.round += 1;
            for &at in &turn {
                self.is_waiting[at as usize] = false;
                self.act(at);
            }
        }
        Ok(())
    }

    fn diverged(&self, since: u64) -> Unsettled {
        let rounds = (0_u32..).zip(&self.changed_in);
        let changing = rounds.filter(|&(_, &round)| round > since).map(|(at, _)| at).collect();
        Unsettled::Diverged { changing }
    }

    /// One AS looks at what it hears, and tells its neighbours if its path changes.
    fn act(&mut self, at: u32) {
        let best = self.best(at);
        let choice = best.map_or(Choice::NONE, |best| best.choice);
        let rest = match choice.seed() {
            _ if !choice.has_route() => NO_PATH,
            None => self.paths[choice.next as usize],
            Some(_) => self.leaf(choice.next),
        };
        let old = self.paths[at as usize];
        let hash = if rest == NO_PATH {
            0
        } else {
            mix(self.nodes[rest as usize].hash
                ^ mix(u64::from(at) << 20 | u64::from(choice.length())))
        };
        let old_hash = if old == NO_PATH { 0 } else { self.nodes[old as usize].hash };
        if hash == old_hash && choice == self.choices[at as usize] {
            return;
        }
        self.hash ^= mix(old_hash ^ u64::from(at)) ^ mix(hash ^ u64::from(at));
        self.choices[at as usize] = choice;
        self.changed_in[at as usize] = self.round;
        self.paths[at as usize] = NO_PATH;
        if rest != NO_PATH {
            self.paths[at as usize] = self.nodes.len() as u32;
            self.nodes.push(Node { at, rest, hash });
        }
        let graph = self.terms.graph;
        for relation in Relation::ALL {
            for &to in graph.neighbours(at, relation) {
                if self.matters(at, to, relation.inverse()) {
                    self.wake(to);
                }
            }
        }
    }

    /// Whether `to` may choose otherwise now that the route of `from`, which is `relation` to it,
    /// is another one.
    fn matters(&self, from: u32, to: u32, relation: Relation) -> bool {
        let current = self.choices[to as usize];
        if current.next == from
            || self.terms.validates(to)
            || !self.terms.announcements.trouble.zombies.is_empty()
        {
            return true;
        }
        let Some(offer) = self.terms.offer(&self.choices, from, to, relation) else {
            return false;
        };
        let best = current.has_route().then(|| Candidate {
            local_preference: self.terms.local_preference(to, current, Validity::Unknown),
            choice: current,
        });
        self.is_better(to, offer, &best)
    }

    /// The end of a path at a seed.
    fn leaf(&mut self, seed: u32) -> u32 {
        self.nodes.push(Node { at: seed, rest: NO_PATH, hash: mix(u64::from(seed)) });
        self.nodes.len() as u32 - 1
    }

    fn best(&self, at: u32) -> Option<Candidate> {
        let mut best = None;
        for choice in self.terms.seeds_at(at) {
            let number = choice.seed().expect("a seed's choice names it");
            if self.announced[number] && !self.terms.rejects(number, at) {
                let validity = self.terms.announcements.seeds[number].control.validity;
                self.consider(at, choice, validity, &mut best);
            }
        }
        for (number, zombie) in (0_u32..).zip(&self.terms.announcements.trouble.zombies) {
            let relation = self.terms.graph.relation(at, zombie.from);
            let told = relation
                .and_then(|relation| self.terms.offer(&self.choices, zombie.from, at, relation));
            let length = zombie.path.len() as u32;
            if zombie.at == at && told.is_none() && length <= PATH_LENGTH_MAX {
                let next = SEED | (self.announced.len() as u32 + number);
                let choice = Choice { rank: rank(zombie.learned, length), next };
                self.consider(at, choice, Validity::Unknown, &mut best);
            }
        }
        for relation in Relation::ALL {
            for &from in self.terms.graph.neighbours(at, relation) {
                let Some(choice) = self.terms.offer(&self.choices, from, at, relation) else {
                    continue;
                };
                let open = self.terms.validates(at) || self.is_better(at, choice, &best);
                if open && let Some(validity) = self.loop_free(at, self.paths[from as usize]) {
                    self.consider(at, choice, validity, &mut best);
                }
            }
        }
        best
    }

    fn is_better(&self, at: u32, choice: Choice, best: &Option<Candidate>) -> bool {
        let local_preference = self.terms.local_preference(at, choice, Validity::Unknown);
        best.is_none_or(|best| self.precedes(local_preference, choice, best))
    }

    fn precedes(&self, local_preference: u32, choice: Choice, best: Candidate) -> bool {
        let key = |preference: u32, choice: Choice| (u32::MAX - preference, choice.length());
        let (new, old) = (key(local_preference, choice), key(best.local_preference, best.choice));
        new < old || new == old && self.terms.before(choice.next, best.choice.next)
    }

    fn consider(&self, at: u32, choice: Choice, validity: Validity, best: &mut Option<Candidate>) {
        if !self.terms.takes(at, choice.length(), validity) {
            return;
        }
        let local_preference = self.terms.local_preference(at, choice, validity);
        if best.is_none_or(|best| self.precedes(local_preference, choice, best)) {
            *best = Some(Candidate { local_preference, choice });
        }
    }

    /// Validity of the origin of a path that does not hold `at`; none: it does.
    fn loop_free(&self, at: u32, path: u32) -> Option<Validity> {
        let mut node = *self.nodes.get(path as usize)?;
        while node.rest != NO_PATH {
            if node.at == at {
                return None;
            }
            node = self.nodes[node.rest as usize];
        }
        let number = (node.at & !SEED) as usize;
        let seeds = &self.terms.announcements.seeds;
        if let Some(seed) = seeds.get(number) {
            return (!self.terms.rejects(number, at)).then_some(seed.control.validity);
        }
        let zombie = &self.terms.announcements.trouble.zombies[number - seeds.len()];
        let rejects = zombie.path.contains(&self.terms.graph.asn(at));
        (!rejects).then_some(Validity::Unknown)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(value: u64) -> u64 {
    let mut x = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::super::{Announcements, AsGraph, Solution, Workspace, generate};
    use super::settle;

    #[test]
    fn both_solvers_agree_where_both_apply() {
        let mut workspace = Workspace::default();
        for seed in 0..200 {
            let ases = 20 + seed as usize;
            let graph = AsGraph::new(&generate(ases, 3 * ases, seed).unwrap()).unwrap();
            let at: Vec<u32> = (0..5).map(|k| (k * 7 + seed as u32) % ases as u32).collect();
            let announced = Announcements::origins(&at);
            let fast = Solution::solve(&graph, &announced, &mut workspace);
            assert_eq!(fast, settle(&graph, &announced), "seed {seed}");
        }
    }
}
