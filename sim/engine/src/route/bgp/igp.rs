//! Shortest paths inside ASes: cost to an exit, next hops, who can reach whom.
//!
//! Costs are kept per exit that some route uses, and computed on its first use. A link change
//! recomputes the exits whose paths it can change, and tells whose cost changed. An AS without a
//! single IGP link is one place: all its speakers reach each other at no cost.

use super::model::{BgpNetwork, IgpLinkId, SpeakerId};
use crate::kernel::Id;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Cost of what cannot be reached.
pub(super) const UNREACHABLE: u64 = u64::MAX;

#[derive(Clone, Copy, Debug)]
struct Arc {
    /// The other speaker's position in the AS.
    to: u32,
    link: u32,
    /// Which of the link's two costs counts in this direction.
    side: usize,
}

#[derive(Clone, Debug, Default)]
struct Area {
    members: Vec<SpeakerId>,
    arcs: Vec<Vec<Arc>>,
    links: Vec<u32>,
    /// Costs to each exit in use, by the position of the exit, then of the source.
    costs: Vec<Option<Box<[u64]>>>,
    /// Connected part of each member.
    part: Vec<u32>,
}

/// Speakers of which the cost to an exit changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CostChange {
    pub(super) exit: SpeakerId,
    pub(super) speakers: Vec<SpeakerId>,
}

/// The IGPs of all ASes.
#[derive(Clone, Debug)]
pub(super) struct Igp {
    areas: Vec<Area>,
    /// Area and position of each speaker.
    place: Vec<(u32, u32)>,
    cost: Vec<[u64; 2]>,
    up: Vec<bool>,
}

impl Igp {
    pub(super) fn new(network: &BgpNetwork) -> Igp {
        let mut asns: Vec<u32> = network.speakers.rows().iter().map(|s| s.asn).collect();
        asns.sort_unstable();
        asns.dedup();
        let mut areas = vec![Area::default(); asns.len()];
        let mut place = Vec::with_capacity(network.speakers.len());
        for (id, speaker) in network.speakers.iter() {
            let area = asns.binary_search(&speaker.asn).expect("every speaker's AS was listed");
            place.push((area as u32, areas[area].members.len() as u32));
            areas[area].members.push(id);
            areas[area].arcs.push(Vec::new());
        }
        for (id, link) in network.igp_links.iter() {
            let [a, b] = link.ends.map(|end| place[end.index()]);
            assert_eq!(a.0, b.0, "an IGP link stays inside one AS");
            let area = &mut areas[a.0 as usize];
            area.arcs[a.1 as usize].push(Arc { to: b.1, link: id.0, side: 0 });
            area.arcs[b.1 as usize].push(Arc { to: a.1, link: id.0, side: 1 });
            area.links.push(id.0);
        }
        for area in &mut areas {
            area.costs = vec![None; area.members.len()];
        }
        let mut igp = Igp {
            areas,
            place,
            cost: network.igp_links.rows().iter().map(|link| link.cost).collect(),
            up: network.igp_links.rows().iter().map(|link| link.up).collect(),
        };
        for area in 0..igp.areas.len() {
            igp.find_parts(area);
        }
        igp
    }

    /// Makes the costs to `exit` known.
    #[inline]
    pub(super) fn ensure(&mut self, exit: SpeakerId) {
        let (area, at) = self.place[exit.index()];
        if self.areas[area as usize].costs[at as usize].is_none() {
            let costs = self.costs_to(area as usize, at);
            self.areas[area as usize].costs[at as usize] = Some(costs);
        }
    }

    /// Cost from `speaker` to `exit`, of one AS; [`Igp::ensure`] was called for `exit`.
    #[inline]
    pub(super) fn cost(&self, speaker: SpeakerId, exit: SpeakerId) -> u64 {
        let (area, at) = self.place[speaker.index()];
        let (exit_area, exit_at) = self.place[exit.index()];
        if area != exit_area {
            return UNREACHABLE;
        }
        let costs = self.areas[area as usize].costs[exit_at as usize].as_ref();
        costs.expect("the costs to an exit are made when its route is taken")[at as usize]
    }

    /// Whether the IGP connects two speakers of one AS.
    pub(super) fn connected(&self, a: SpeakerId, b: SpeakerId) -> bool {
        let (a, b) = (self.place[a.index()], self.place[b.index()]);
        let area = &self.areas[a.0 as usize];
        a.0 == b.0 && (area.links.is_empty() || area.part[a.1 as usize] == area.part[b.1 as usize])
    }

    /// The neighbours on shortest paths to `exit`, in id order; `exit` itself in an AS without links.
    pub(super) fn next_hops(&self, speaker: SpeakerId, exit: SpeakerId) -> Vec<SpeakerId> {
        let (area, at) = self.place[speaker.index()];
        let area = &self.areas[area as usize];
        if area.links.is_empty() {
            return vec![exit];
        }
        let total = self.cost(speaker, exit);
        let mut hops: Vec<SpeakerId> = area.arcs[at as usize]
            .iter()
            .filter(|arc| self.up[arc.link as usize])
            .map(|arc| (area.members[arc.to as usize], self.cost[arc.link as usize][arc.side]))
            .filter(|&(next, cost)| cost.saturating_add(self.cost(next, exit)) == total)
            .map(|(next, _)| next)
            .collect();
        hops.sort_unstable();
        hops.dedup();
        if total == UNREACHABLE { Vec::new() } else { hops }
    }

    /// Sets a link's state and costs. Returns whose cost to which exit in use changed, and whether
    /// the connected parts may have changed.
    pub(super) fn set_link(
        &mut self,
        link: IgpLinkId,
        up: bool,
        cost: [u64; 2],
        ends: [SpeakerId; 2],
    ) -> (Vec<CostChange>, bool) {
        let (was_up, was) = (self.up[link.index()], self.cost[link.index()]);
        if (was_up, was) == (up, cost) {
            return (Vec::new(), false);
        }
        (self.up[link.index()], self.cost[link.index()]) = (up, cost);
        let area = self.place[ends[0].index()].0 as usize;
        let at = ends.map(|end| self.place[end.index()].1 as usize);
        let weight = |up: bool, cost: u64| if up { cost } else { UNREACHABLE };
        let mut changes = Vec::new();
        for exit in 0..self.areas[area].members.len() {
            let Some(costs) = &self.areas[area].costs[exit] else { continue };
            let matters = [(0, 1), (1, 0)].into_iter().any(|(from, to)| {
                let (old, new) = (weight(was_up, was[from]), weight(up, cost[from]));
                let (here, there) = (costs[at[from]], costs[at[to]]);
                let shorter = new.saturating_add(there) < here;
                let was_used = here != UNREACHABLE && old.saturating_add(there) == here;
                shorter || (was_used && new > old)
            });
            if !matters {
                continue;
            }
            let new = self.costs_to(area, exit as u32);
            let area = &mut self.areas[area];
            let old = area.costs[exit].replace(new.clone()).expect("it was there above");
            let speakers: Vec<SpeakerId> = (0..new.len())
                .filter(|&at| new[at] != old[at])
                .map(|at| area.members[at])
                .collect();
            if !speakers.is_empty() {
                changes.push(CostChange { exit: area.members[exit], speakers });
            }
        }
        if was_up != up {
            self.find_parts(area);
        }
        (changes, was_up != up)
    }

    /// Dijkstra towards one exit.
    fn costs_to(&self, area: usize, exit: u32) -> Box<[u64]> {
        let area = &self.areas[area];
        if area.links.is_empty() {
            return vec![0; area.members.len()].into();
        }
        let mut costs = vec![UNREACHABLE; area.members.len()];
        costs[exit as usize] = 0;
        let mut heap = BinaryHeap::from([Reverse((0_u64, exit))]);
        while let Some(Reverse((cost, at))) = heap.pop() {
            if cost > costs[at as usize] {
                continue;
            }
            for arc in area.arcs[at as usize].iter().filter(|arc| self.up[arc.link as usize]) {
                // Towards the exit the arc is used the other way round.
                let next = cost.saturating_add(self.cost[arc.link as usize][1 - arc.side]);
                if next < costs[arc.to as usize] {
                    costs[arc.to as usize] = next;
                    heap.push(Reverse((next, arc.to)));
                }
            }
        }
        costs.into()
    }

    /// Finds the connected parts of an AS.
    fn find_parts(&mut self, area: usize) {
        let area = &mut self.areas[area];
        area.part = vec![u32::MAX; area.members.len()];
        let mut stack = Vec::new();
        for start in 0..area.members.len() {
            if area.part[start] != u32::MAX {
                continue;
            }
            area.part[start] = start as u32;
            stack.push(start);
            while let Some(at) = stack.pop() {
                for arc in &area.arcs[at] {
                    if self.up[arc.link as usize] && area.part[arc.to as usize] == u32::MAX {
                        area.part[arc.to as usize] = start as u32;
                        stack.push(arc.to as usize);
                    }
                }
            }
        }
    }
}
