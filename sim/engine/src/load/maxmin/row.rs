//! What one resource knows of the entities that cross it: how much weight is held back by which
//! other resource. From this alone follows the level at which the resource itself fills.

/// Sums of weights are whole multiples of 2^-64, so that they are exact in any order.
const QUANTA_PER_WEIGHT: f64 = 18_446_744_073_709_551_616.0;

/// A weight as a whole number of quanta, at least one.
pub(super) fn quanta(weight: f64) -> i128 {
    ((weight * QUANTA_PER_WEIGHT) as i128).max(1)
}

/// Quanta as a weight.
#[inline]
fn weight(quanta: i128) -> f64 {
    if quanta as u64 == 0 {
        // A whole number, as nearly always: the machine converts it by itself.
        return (quanta >> 64) as i64 as f64;
    }
    quanta as f64 / QUANTA_PER_WEIGHT
}

/// Where nodes stand: the level of each and its place among equals. Both together are its key.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    /// Rate per weight at which the node holds entities back; infinite where it holds none.
    pub level: Vec<f64>,
    /// Order of nodes with the same level.
    pub rank: Vec<u32>,
}

impl Keys {
    /// Whether node `a` comes before node `b`.
    #[inline]
    pub fn before(&self, a: u32, b: u32) -> bool {
        let (a, b) = (a as usize, b as usize);
        self.level[a] < self.level[b]
            || (self.level[a] == self.level[b] && self.rank[a] < self.rank[b])
    }
}

/// What a row says of its resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filled {
    /// Rate per weight at which the resource fills; infinite if it does not.
    pub level: f64,
    /// Load on it, in its own unit.
    pub load: f64,
    /// Number of parents that hold back less than this level: the first so many of the row.
    pub consumed: usize,
}

/// Weights that cross one resource, by the node (the parent) that holds them back.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    parents: Vec<u32>,
    exact: Vec<i128>,
    weight: Vec<f64>,
    /// Weight held back here.
    own: i128,
    total: i128,
}

impl Row {
    /// Adds weight (or takes it away) held back by `parent`; `None` is the resource itself.
    /// Says whether the parent is new to the row or leaves it.
    pub fn add(&mut self, parent: Option<u32>, change: i128) -> Membership {
        self.total += change;
        let Some(parent) = parent else {
            self.own += change;
            return Membership::Same;
        };
        let Some(at) = self.parents.iter().position(|&p| p == parent) else {
            assert!(change > 0, "weight taken from a parent that is not in the row");
            self.parents.push(parent);
            self.exact.push(change);
            self.weight.push(weight(change));
            return Membership::Joined;
        };
        let left = self.exact[at] + change;
        assert!(left >= 0, "more weight taken from a parent than it holds");
        if left == 0 {
            self.parents.remove(at);
            self.exact.remove(at);
            self.weight.remove(at);
            return Membership::Left;
        }
        self.exact[at] = left;
        self.weight[at] = weight(left);
        Membership::Same
    }

    /// Parents from a place on, in the order of their keys as of the last filling.
    pub fn parents_from(&self, place: usize) -> &[u32] {
        &self.parents[place..]
    }

    /// Brings parents into the order of their keys: nearly always they are.
    fn sort(&mut self, keys: &Keys) {
        for i in 1..self.parents.len() {
            let mut at = i;
            while at > 0 && keys.before(self.parents[at], self.parents[at - 1]) {
                self.parents.swap(at, at - 1);
                self.exact.swap(at, at - 1);
                self.weight.swap(at, at - 1);
                at -= 1;
            }
        }
    }

    /// Fills the resource: parents take their share one by one, lowest level first, until the next
    /// one would come after the resource itself.
    ///
    /// The level depends on the consumed parents alone, never on how the rest is split. This makes
    /// the solution unique to the last bit (see the module's notes).
    pub fn fill(&mut self, capacity: f64, rank: u32, keys: &Keys) -> Filled {
        self.sort(keys);
        let mut rough = weight(self.total);
        let margin = rough * (1e-12 + self.parents.len() as f64 * 2.3e-16);
        let (mut load, mut consumed) = (0.0, 0);
        // Exact weight of the rest, from the first close decision on.
        let mut rest: Option<i128> = None;
        while let Some(&parent) = self.parents.get(consumed) {
            let level = keys.level[parent as usize];
            if level == f64::INFINITY {
                break;
            }
            if capacity - load <= level * (rough + margin) {
                let exact = *rest.get_or_insert_with(|| self.rest(consumed));
                let own = self.candidate(capacity - load, exact, consumed, rank, keys);
                if own < level || (own == level && rank < keys.rank[parent as usize]) {
                    break;
                }
            }
            load += self.weight[consumed] * level;
            rough -= self.weight[consumed];
            rest = rest.map(|rest| rest - self.exact[consumed]);
            consumed += 1;
        }
        let rest = rest.unwrap_or_else(|| self.rest(consumed));
        let level = self.candidate(capacity - load, rest, consumed, rank, keys);
        Filled { level, load: if level < f64::INFINITY { capacity } else { load }, consumed }
    }

    /// Weight that the first `consumed` parents do not hold back.
    fn rest(&self, consumed: usize) -> i128 {
        self.own + self.exact[consumed..].iter().sum::<i128>()
    }

    /// Level at which `room` is shared by `rest`; after the last consumed parent in any case, as it
    /// would be without rounding.
    fn candidate(&self, room: f64, rest: i128, consumed: usize, rank: u32, keys: &Keys) -> f64 {
        if rest == 0 {
            return f64::INFINITY;
        }
        let level = (room / weight(rest)).max(0.0);
        let Some(last) = consumed.checked_sub(1) else {
            return level;
        };
        let last = self.parents[last] as usize;
        let floor = keys.level[last];
        level.max(if rank > keys.rank[last] { floor } else { floor.next_up() })
    }
}

/// What became of a parent in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Membership {
    /// It was there and is there, or is the resource itself.
    Same,
    /// It is new.
    Joined,
    /// It has no weight left.
    Left,
}
