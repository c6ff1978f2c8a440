//! One priority class: who is held back where, and how a change spreads.

use super::row::{Keys, Membership, Row, quanta};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Weight times coefficient of each node of a path.
#[derive(Clone, Debug)]
enum Shares {
    /// The same on all.
    Even(i128),
    /// One a node.
    Each(Box<[i128]>),
}

/// An entity of this layer.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Resources crossed, and last the node of the rate cap, if there is one.
    path: Box<[u32]>,
    shares: Shares,
    /// Number of members; entities without members stand nowhere.
    pub count: u32,
    /// Node that holds it back.
    pub at: u32,
    /// Place among those held back there.
    place: u32,
    pub weight: f64,
    pub cap: Option<f64>,
    moved: bool,
}

impl Member {
    fn share(&self, at: usize) -> i128 {
        match &self.shares {
            Shares::Even(share) => *share,
            Shares::Each(shares) => shares[at],
        }
    }
}

/// What changed since somebody last looked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// Nodes whose level changed.
    pub levels: Vec<u32>,
    /// Entities that are held back elsewhere.
    pub moved: Vec<u32>,
    /// Resources whose load or capacity changed.
    pub loads: Vec<u32>,
}

/// Entities of one priority over all resources.
///
/// Nodes are the resources, in their order, and after them one node for each distinct level of a
/// rate cap (cap per weight): a resource whose level is given.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    pub resources: usize,
    pub keys: Keys,
    /// What is left for elastic traffic, by resource.
    pub capacity: Vec<f64>,
    /// Load of elastic traffic, by resource.
    pub load: Vec<f64>,
    pub log: Log,
    rows: Vec<Row>,
    /// Nodes whose rows name this one as a parent.
    children: Vec<Vec<u32>>,
    /// Entities held back at each node.
    held: Vec<Vec<u32>>,
    members: Vec<Member>,
    free_members: Vec<u32>,
    caps: BTreeMap<u64, u32>,
    cap_users: Vec<u32>,
    free_caps: Vec<u32>,
    /// Resources to fill again: those with a level by their key, the others in no order.
    queue: BinaryHeap<Reverse<(u64, u32)>>,
    idle: Vec<u32>,
    queued: Vec<bool>,
    level_logged: Vec<bool>,
    load_logged: Vec<bool>,
    scratch: Vec<u32>,
}

impl Layer {
    pub fn new(capacity: &[f64]) -> Layer {
        let n = capacity.len();
        let rank = |i: usize| u32::try_from(i + 1).expect("resources are far below 2^32");
        Layer {
            resources: n,
            keys: Keys { level: vec![f64::INFINITY; n], rank: (0..n).map(rank).collect() },
            capacity: capacity.to_vec(),
            load: vec![0.0; n],
            rows: vec![Row::default(); n],
            children: vec![Vec::new(); n],
            held: vec![Vec::new(); n],
            queued: vec![false; n],
            level_logged: vec![false; n],
            load_logged: vec![false; n],
            ..Layer::default()
        }
    }

    pub fn member(&self, slot: u32) -> &Member {
        &self.members[slot as usize]
    }

    /// Number of nodes, resources and caps.
    pub fn nodes(&self) -> usize {
        self.rows.len()
    }

    /// A new entity without members.
    pub fn insert(&mut self, rows: &[(u32, f64)], weight: f64, cap: Option<f64>) -> u32 {
        let mut path: Vec<u32> = rows.iter().map(|row| row.0).collect();
        let mut shares: Vec<i128> = rows.iter().map(|row| quanta(weight * row.1)).collect();
        if let Some(cap) = cap {
            path.push(self.cap_node(cap / weight));
            shares.push(quanta(weight));
        }
        let even = shares.windows(2).all(|pair| pair[0] == pair[1]);
        let shares = match shares.first() {
            Some(&share) if even => Shares::Even(share),
            _ => Shares::Each(shares.into()),
        };
        let member = Member {
            path: path.into(),
            shares,
            count: 0,
            at: u32::MAX,
            place: 0,
            weight,
            cap,
            moved: false,
        };
        if let Some(slot) = self.free_members.pop() {
            let moved = self.members[slot as usize].moved;
            self.members[slot as usize] = Member { moved, ..member };
            return slot;
        }
        self.members.push(member);
        u32::try_from(self.members.len() - 1).expect("entities are far below 2^32")
    }

    /// Takes an entity away.
    pub fn remove(&mut self, slot: u32) {
        self.set_count(slot, 0);
        let member = &mut self.members[slot as usize];
        if member.cap.take().is_some() {
            let node = *member.path.last().expect("a cap is the last node of a path");
            self.release_cap(node);
        }
        self.members[slot as usize].path = Box::default();
        self.free_members.push(slot);
    }

    /// The node of a cap level.
    fn cap_node(&mut self, level: f64) -> u32 {
        if let Some(&node) = self.caps.get(&level.to_bits()) {
            self.cap_users[node as usize - self.resources] += 1;
            return node;
        }
        let node = self.free_caps.pop().unwrap_or_else(|| {
            self.rows.push(Row::default());
            self.children.push(Vec::new());
            self.held.push(Vec::new());
            self.level_logged.push(false);
            self.keys.level.push(0.0);
            // Caps have no equals among themselves and come before resources.
            self.keys.rank.push(0);
            self.cap_users.push(0);
            u32::try_from(self.rows.len() - 1).expect("nodes are far below 2^32")
        });
        self.keys.level[node as usize] = level;
        self.cap_users[node as usize - self.resources] = 1;
        self.caps.insert(level.to_bits(), node);
        self.log_level(node);
        node
    }

    fn release_cap(&mut self, node: u32) {
        let users = &mut self.cap_users[node as usize - self.resources];
        *users -= 1;
        if *users == 0 {
            self.caps.remove(&self.keys.level[node as usize].to_bits());
            self.free_caps.push(node);
        }
    }

    /// Sets the number of members of an entity.
    pub fn set_count(&mut self, slot: u32, count: u32) {
        let old = self.members[slot as usize].count;
        if old == count || self.members[slot as usize].path.is_empty() {
            self.members[slot as usize].count = count;
            return;
        }
        if old == 0 {
            let at = self.lowest(slot);
            self.attach(slot, at);
        }
        let change = i128::from(count) - i128::from(old);
        let at = self.members[slot as usize].at;
        self.shift(slot, at, change);
        self.members[slot as usize].count = count;
        if count == 0 {
            self.detach(slot);
        }
    }

    /// Sets what a resource has for this layer.
    pub fn set_capacity(&mut self, resource: u32, capacity: f64) {
        if self.capacity[resource as usize] != capacity {
            self.capacity[resource as usize] = capacity;
            self.log_load(resource);
            self.mark(resource);
        }
    }

    /// The node of the path that comes first.
    fn lowest(&self, slot: u32) -> u32 {
        let path = &self.members[slot as usize].path;
        let mut best = path[0];
        for &node in &path[1..] {
            if self.keys.before(node, best) {
                best = node;
            }
        }
        best
    }

    fn attach(&mut self, slot: u32, at: u32) {
        let held = &mut self.held[at as usize];
        let member = &mut self.members[slot as usize];
        member.at = at;
        member.place = u32::try_from(held.len()).expect("entities are far below 2^32");
        held.push(slot);
        if !member.moved {
            member.moved = true;
            self.log.moved.push(slot);
        }
    }

    fn detach(&mut self, slot: u32) {
        let Member { at, place, .. } = self.members[slot as usize];
        let held = &mut self.held[at as usize];
        held.swap_remove(place as usize);
        if let Some(&other) = held.get(place as usize) {
            self.members[other as usize].place = place;
        }
    }

    /// Changes the weight of an entity in all rows of its path, where node `parent` holds it back.
    fn shift(&mut self, slot: u32, parent: u32, members: i128) {
        for i in 0..self.members[slot as usize].path.len() {
            let member = &self.members[slot as usize];
            let (node, change) = (member.path[i], member.share(i) * members);
            let named = if node == parent { None } else { Some(parent) };
            match self.rows[node as usize].add(named, change) {
                Membership::Same => {}
                Membership::Joined => self.children[parent as usize].push(node),
                Membership::Left => {
                    let children = &mut self.children[parent as usize];
                    let at = children.iter().position(|&child| child == node);
                    children.swap_remove(at.expect("a row names parents that name it back"));
                }
            }
            self.mark(node);
        }
    }

    /// Has an entity held back elsewhere.
    fn relocate(&mut self, slot: u32, to: u32) {
        let Member { at: from, count, .. } = self.members[slot as usize];
        self.detach(slot);
        self.shift(slot, from, -i128::from(count));
        self.attach(slot, to);
        self.shift(slot, to, i128::from(count));
    }

    /// Notes that a resource must be filled again.
    fn mark(&mut self, node: u32) {
        let index = node as usize;
        if index >= self.resources || self.queued[index] {
            return;
        }
        self.queued[index] = true;
        let level = self.keys.level[index];
        if level == f64::INFINITY {
            self.idle.push(node);
        } else {
            // Levels are never negative, so their bits have their order.
            self.queue.push(Reverse((level.to_bits(), node)));
        }
    }

    fn log_level(&mut self, node: u32) {
        if !self.level_logged[node as usize] {
            self.level_logged[node as usize] = true;
            self.log.levels.push(node);
        }
    }

    fn log_load(&mut self, resource: u32) {
        if !self.load_logged[resource as usize] {
            self.load_logged[resource as usize] = true;
            self.log.loads.push(resource);
        }
    }

    /// Empties the log.
    pub fn clear_log(&mut self) {
        for node in self.log.levels.drain(..) {
            self.level_logged[node as usize] = false;
        }
        for slot in self.log.moved.drain(..) {
            self.members[slot as usize].moved = false;
        }
        for resource in self.log.loads.drain(..) {
            self.load_logged[resource as usize] = false;
        }
    }

    /// Fills resources until none has anything to change: lowest old level first, those that were
    /// not full last.
    pub fn settle(&mut self) {
        loop {
            while let Some(Reverse((_, node))) = self.queue.pop() {
                self.fill(node);
            }
            if self.idle.is_empty() {
                return;
            }
            let idle = std::mem::take(&mut self.idle);
            for &node in &idle {
                self.fill(node);
            }
            if self.idle.is_empty() {
                // Keeps the room it has.
                self.idle = idle;
                self.idle.clear();
            }
        }
    }

    /// Fills one resource and spreads what this changes.
    fn fill(&mut self, node: u32) {
        let index = node as usize;
        self.queued[index] = false;
        let filled = self.rows[index].fill(self.capacity[index], self.keys.rank[index], &self.keys);
        if filled.load != self.load[index] {
            self.load[index] = filled.load;
            self.log_load(node);
        }
        let old = self.keys.level[index];
        if filled.level == old {
            return;
        }
        self.keys.level[index] = filled.level;
        self.log_level(node);
        if filled.level > old {
            self.rise(node);
        } else {
            self.fall(node, filled.consumed);
        }
    }

    /// A level went up: entities held back here may now be held back by others before it.
    fn rise(&mut self, node: u32) {
        let mut passed = false;
        for i in 0..self.children[node as usize].len() {
            let child = self.children[node as usize][i];
            passed |= self.keys.before(child, node);
            self.mark(child);
        }
        if !passed {
            return;
        }
        let mut place = self.held[node as usize].len();
        while place > 0 {
            place -= 1;
            let slot = self.held[node as usize][place];
            let lowest = self.lowest(slot);
            if lowest != node {
                self.relocate(slot, lowest);
            }
        }
    }

    /// A level went down: it holds back all that cross it and were held back by later ones.
    fn fall(&mut self, node: u32, consumed: usize) {
        for i in 0..self.children[node as usize].len() {
            self.mark(self.children[node as usize][i]);
        }
        let mut later = std::mem::take(&mut self.scratch);
        later.clear();
        later.extend_from_slice(self.rows[node as usize].parents_from(consumed));
        for &parent in &later {
            let mut place = self.held[parent as usize].len();
            while place > 0 {
                place -= 1;
                let slot = self.held[parent as usize][place];
                if self.members[slot as usize].path.contains(&node) {
                    self.relocate(slot, node);
                }
            }
        }
        self.scratch = later;
    }
}
