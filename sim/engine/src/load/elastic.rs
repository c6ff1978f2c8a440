//! Elastic traffic: senders who slow down at full links to a fair share.
//!
//! What an elastic bundle offers is a wish. Where a link is full, elastic bundles of a queue share
//! what inelastic traffic of it leaves, max-min fairly by weight, over all links at once. Classes
//! are taken in order of priority, so under strict priority the shares are exact; where classes
//! share a link by weight, a class is entitled to what the link would give it if all others asked
//! for what they then get, found by a few rounds.

use super::fluid::{ColoState, Fluid, Inputs};
use super::links::{Fabric, Path};
use super::maxmin::{Entity, Problem};
use super::sharing::{Shape, queue_ratios};
use super::tcp::rate_bps;
use crate::kernel::{Id, Table};
use crate::net::{ArcId, ColoId, NodeId, Scheduling};
use crate::scenario::Tcp;

/// What an elastic bundle asks for, besides its rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wish {
    /// Weight; 0 = not elastic.
    pub weight: f64,
    /// Largest rate that its connections carry, bit/s of responses; infinite without limit.
    pub cap_bps: f64,
    /// Connections of a transfer, whose round trip follows from its path.
    pub transfer: Option<(Tcp, f64)>,
}

/// One elastic bundle as a row of the sharing problem.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    bundle: usize,
    class: usize,
    weight: f64,
    /// Largest rate.
    wish: f64,
    /// (slot, bits per unit of rate), ascending, each slot once.
    uses: Vec<(usize, f64)>,
}

/// Weighted max-min fair rates: `uses[i]` are the (resource, coefficient) pairs of the i-th, each
/// resource once, which wants at most `wish[i]` and counts `weight[i]`. Also says which resources
/// are full and hold somebody back.
#[must_use]
pub fn fill(
    uses: &[Vec<(usize, f64)>],
    weight: &[f64],
    wish: &[f64],
    capacity: &[f64],
) -> (Vec<f64>, Vec<bool>) {
    // The solver wants weights, coefficients and their products within 30 binary orders: they are
    // taken relative to the largest, and what is a billion times smaller counts as just that.
    let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let heaviest = largest(&mut weight.iter().copied());
    let widest = largest(&mut uses.iter().flatten().map(|&(_, bits)| bits));
    let unit = if widest > 0.0 { widest } else { 1.0 };
    let mut problem = Problem {
        capacity: capacity.iter().map(|capacity| capacity / unit).collect(),
        ..Problem::default()
    };
    let chosen: Vec<usize> = (0..uses.len()).filter(|&index| wish[index] > 0.0).collect();
    for &index in &chosen {
        let rows: Vec<(u32, f64)> = uses[index]
            .iter()
            .map(|&(resource, bits)| (resource as u32, (bits / unit).max(SMALLEST)))
            .collect();
        let thinnest = rows.iter().map(|row| row.1).fold(1.0, f64::min);
        let weight = (weight[index] / heaviest).max(SMALLEST / thinnest);
        problem.entities.push((Entity { weight, cap: Some(wish[index]), priority: 0, rows }, 1));
    }
    let (sharing, ids) = problem.share();
    let mut rate = vec![0.0; uses.len()];
    for (&index, &id) in chosen.iter().zip(&ids) {
        rate[index] = sharing.rate(id).min(wish[index]);
    }
    let full = (0..capacity.len()).map(|resource| sharing.level(resource, 0).is_some()).collect();
    (rate, full)
}

/// Smallest weight, coefficient and product that the solver takes: 2^-30.
const SMALLEST: f64 = 1.0 / 1_073_741_824.0;

impl Fabric<'_> {
    /// What one unit of traffic from a node along a path puts on every slot if nothing is lost,
    /// and how long it takes.
    fn unit(
        &self,
        path: Path,
        queue: usize,
        from: NodeId,
        unit: f64,
        uses: &mut Vec<(usize, f64)>,
    ) {
        match path {
            Path::Dag(dag) => {
                let dag = self.routes.dag(dag);
                let mut at = vec![0.0; self.graph.node_count()];
                at[from.index()] = unit;
                for &node in &dag.order {
                    let here = at[node.index()];
                    if here == 0.0 {
                        continue;
                    }
                    for &(arc, share) in dag.next(node) {
                        uses.push((self.slot(arc, queue), here * share));
                        at[self.graph.to[arc.index()].index()] += here * share;
                    }
                }
            }
            Path::Tunnels(pair) => {
                for tunnel in &self.tunnels[pair].tunnels {
                    for &arc in &tunnel.arcs {
                        uses.push((self.slot(arc, queue), unit * tunnel.share));
                    }
                }
            }
        }
    }
}

impl Fluid {
    /// Finds the shares of elastic bundles that are not sent, and the solution with them.
    pub(super) fn slow_down(&mut self, inputs: &Inputs<'_>, colos: &mut Table<ColoId, ColoState>) {
        self.saturated.clear();
        self.elastic_bps.clear();
        if inputs.wishes.is_empty() {
            return;
        }
        let rows = self.elastic_rows(inputs);
        let limited = rows.iter().any(|row| row.wish < self.asked(row.bundle));
        let full = |row: &Row| row.uses.iter().any(|&(slot, _)| self.transfer.ratio[slot] < 1.0);
        if !limited && !rows.iter().any(full) {
            return;
        }
        let slots = self.arrival_bps.len();
        let by_weight = inputs.fabric.network.links.rows().iter().any(|link| {
            matches!(link.scheduling, Scheduling::Weighted(_))
                || !link.model.tenant_weights.is_empty()
        });
        let mut elastic = vec![0.0; slots];
        let mut wanted = vec![0.0; slots];
        let mut rate: Vec<f64> = rows.iter().map(|row| row.wish).collect();
        self.saturated.resize(slots, false);
        for round in 0..if by_weight { ROUNDS } else { 1 } {
            for class in 0..self.queues / self.tenants {
                let later =
                    |row: &Row| if round == 0 { row.class >= class } else { row.class == class };
                // Inelastic traffic and the classes that are settled; elastic traffic of this class
                // is not there yet.
                self.send(&rows, |row, index| if later(row) { 0.0 } else { rate[index] });
                self.restart(inputs, colos);
                place(&rows, |row, index| if later(row) { 0.0 } else { rate[index] }, &mut elastic);
                place(
                    &rows,
                    |row, index| if later(row) { row.wish } else { rate[index] },
                    &mut wanted,
                );
                let room = self.room(inputs, class, &elastic, &wanted);
                self.share(inputs, &rows, class, &room, &mut rate);
            }
        }
        self.send(&rows, |_, index| rate[index]);
        self.restart(inputs, colos);
        place(&rows, |_, index| rate[index], &mut elastic);
        self.elastic_bps = elastic;
    }

    /// Elastic traffic of some slots that meets a full link, bit/s.
    #[must_use]
    pub fn marked_bps(&self, slots: std::ops::Range<usize>) -> f64 {
        if self.elastic_bps.is_empty() {
            return 0.0;
        }
        slots.filter(|&slot| self.saturated[slot]).map(|slot| self.elastic_bps[slot]).sum()
    }

    /// Rate of a bundle after policing.
    fn asked(&self, bundle: usize) -> f64 {
        self.rate[bundle] * (1.0 - self.policed[bundle])
    }

    fn elastic_rows(&self, inputs: &Inputs<'_>) -> Vec<Row> {
        let fabric = &inputs.fabric;
        let mut rows = Vec::new();
        for (index, (bundle, wish)) in inputs.bundles.iter().zip(inputs.wishes).enumerate() {
            let asked = self.asked(index);
            if wish.weight <= 0.0 || asked <= 0.0 || bundle.dead {
                continue;
            }
            let queue = self.queue_of(bundle.class, bundle.tenant);
            let mut uses: Vec<(usize, f64)> = bundle
                .entry
                .iter()
                .map(|&(arc, share)| (fabric.slot(arc, queue), share * bundle.request_bits))
                .collect();
            let mut out = Vec::new();
            for branch in &bundle.branches {
                // What admission turns away and what cannot be fetched goes no further.
                let admitted = branch.share * bundle.refused.admitted();
                let answered = admitted * branch.fetch.got();
                if let Some((node, path)) = branch.spill {
                    fabric.unit(path, queue, node, admitted * bundle.request_bits, &mut uses);
                }
                for (path, share) in branch.exits(bundle) {
                    let unit = answered * share * bundle.response_bits;
                    fabric.unit(path, queue, branch.node, unit, &mut out);
                }
            }
            let mut cap_bps = wish.cap_bps;
            if let Some((tcp, flows)) = &wish.transfer {
                let delay = |&(slot, bits): &(usize, f64)| {
                    let arc = ArcId::from_index(slot / fabric.queues);
                    bits * fabric.propagation_s(arc)
                };
                let one_way_s = out.iter().map(delay).sum::<f64>() / bundle.response_bits;
                cap_bps = cap_bps.min(flows * rate_bps(tcp, 2.0 * one_way_s, 0.0));
            }
            uses.extend(out);
            uses.sort_by_key(|&(slot, _)| slot);
            uses.dedup_by(|later, first| {
                let same = later.0 == first.0;
                if same {
                    first.1 += later.1;
                }
                same
            });
            uses.retain(|&(_, bits)| bits > 0.0);
            let most =
                if bundle.response_bits > 0.0 { cap_bps / bundle.response_bits } else { asked };
            let (class, wish) = (queue / self.tenants, asked.min(most));
            rows.push(Row {
                bundle: index,
                class,
                weight: inputs.wishes[index].weight,
                wish,
                uses,
            });
        }
        rows
    }

    /// Sets what elastic bundles send.
    fn send(&mut self, rows: &[Row], rate: impl Fn(&Row, usize) -> f64) {
        for (index, row) in rows.iter().enumerate() {
            let asked = self.asked(row.bundle);
            self.throttled[row.bundle] = (1.0 - rate(row, index) / asked).clamp(0.0, 1.0);
        }
    }

    /// What every slot of a class can carry of elastic traffic: what the link gives the queue, less
    /// the inelastic traffic that arrives there.
    fn room(&self, inputs: &Inputs<'_>, class: usize, elastic: &[f64], wanted: &[f64]) -> Vec<f64> {
        let fabric = &inputs.fabric;
        let mut room = vec![0.0; wanted.len()];
        let mut ask = vec![0.0; fabric.queues];
        let mut ratio = vec![0.0; fabric.queues];
        for arc in (0..fabric.graph.arc_count()).filter(|&arc| fabric.truth.up[arc]) {
            let link = &fabric.network.links[ArcId::from_index(arc).link()];
            let first = arc * fabric.queues;
            let inelastic = |slot: usize| (self.arrival_bps[slot] - elastic[slot]).max(0.0);
            for (queue, ask) in ask.iter_mut().enumerate() {
                *ask = inelastic(first + queue) + wanted[first + queue];
            }
            let shape = Shape {
                scheduling: &link.scheduling,
                tenant_weights: &link.model.tenant_weights,
                tenants: fabric.tenants,
                capacity_bps: fabric.truth.capacity_bps[arc],
            };
            queue_ratios(&shape, &ask, &mut ratio);
            for queue in class * self.tenants..(class + 1) * self.tenants {
                let slot = first + queue;
                let given = ratio[queue] * ask[queue] - inelastic(slot);
                // A link filled to the last bit must not count as too full by rounding.
                room[slot] = (given * (1.0 - 1e-12)).max(0.0);
            }
            // Tenants without weights of their own share their class as one.
            if link.model.tenant_weights.is_empty() {
                let slots = first + class * self.tenants..first + (class + 1) * self.tenants;
                room[slots.start] = room[slots.clone()].iter().sum();
            }
        }
        room
    }

    /// Shares the room of a class.
    fn share(
        &mut self,
        inputs: &Inputs<'_>,
        rows: &[Row],
        class: usize,
        room: &[f64],
        rate: &mut [f64],
    ) {
        let resource = |slot: usize| {
            let link = ArcId::from_index(slot / self.queues).link();
            let together = inputs.fabric.network.links[link].model.tenant_weights.is_empty();
            if together { slot - slot % self.tenants } else { slot }
        };
        let chosen: Vec<usize> =
            (0..rows.len()).filter(|&index| rows[index].class == class).collect();
        let uses: Vec<Vec<(usize, f64)>> = chosen
            .iter()
            .map(|&index| {
                rows[index].uses.iter().map(|&(slot, bits)| (resource(slot), bits)).collect()
            })
            .collect();
        let weight: Vec<f64> = chosen.iter().map(|&index| rows[index].weight).collect();
        let wish: Vec<f64> = chosen.iter().map(|&index| rows[index].wish).collect();
        let (found, full) = fill(&uses, &weight, &wish, room);
        for (&index, found) in chosen.iter().zip(found) {
            rate[index] = found;
        }
        let slots = 0..full.len();
        let of_class = slots.filter(|slot| (slot % self.queues) / self.tenants == class);
        let found: Vec<(usize, bool)> = of_class.map(|slot| (slot, full[resource(slot)])).collect();
        for (slot, full) in found {
            self.saturated[slot] = full;
        }
    }
}

/// Rounds in which classes that share by weight agree.
const ROUNDS: usize = 4;

/// What elastic bundles put on every slot.
fn place(rows: &[Row], rate: impl Fn(&Row, usize) -> f64, slots: &mut [f64]) {
    slots.fill(0.0);
    for (index, row) in rows.iter().enumerate() {
        let rate = rate(row, index);
        row.uses.iter().for_each(|&(slot, bits)| slots[slot] += rate * bits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_triangle_by_hand() {
        // Three resources of 1, 2 and 3; pairs of them used by three bundles of weights 1, 2, 1.
        let uses = [vec![(0, 1.0), (1, 1.0)], vec![(1, 1.0), (2, 1.0)], vec![(0, 1.0), (2, 1.0)]];
        let (rate, full) = fill(&uses, &[1.0, 2.0, 1.0], &[9.0; 3], &[1.0, 2.0, 3.0]);
        // The first resource stops two at 0.5; the second one's last user gets 1.5.
        assert_eq!(rate, [0.5, 1.5, 0.5]);
        assert_eq!(full, [true, true, false]);
    }

    proptest! {
        /// No resource is overfilled, and whoever gets less than his wish has a full resource
        /// where nobody has more per weight.
        #[test]
        fn every_allocation_has_its_certificate(
            rows in prop::collection::vec(
                (prop::collection::btree_map(0..6_usize, 0.1..3.0_f64, 0..4), 0.1..5.0_f64, 0.0..4.0_f64),
                1..12,
            ),
            capacity in prop::collection::vec(0.0..5.0_f64, 6),
        ) {
            let uses: Vec<Vec<(usize, f64)>> =
                rows.iter().map(|(uses, _, _)| uses.iter().map(|(&r, &c)| (r, c)).collect()).collect();
            let weight: Vec<f64> = rows.iter().map(|row| row.1).collect();
            let wish: Vec<f64> = rows.iter().map(|row| row.2).collect();
            let (rate, full) = fill(&uses, &weight, &wish, &capacity);
            let load = |resource: usize| -> f64 {
                uses.iter().zip(&rate).flat_map(|(row, rate)| row.iter().map(move |use_| (use_, rate)))
                    .filter(|((of, _), _)| *of == resource).map(|((_, bits), rate)| bits * rate).sum()
            };
            for resource in 0..6 {
                prop_assert!(load(resource) <= capacity[resource] * (1.0 + 1e-9) + 1e-12);
                prop_assert!(!full[resource] || load(resource) >= capacity[resource] * (1.0 - 1e-9) - 1e-12);
            }
            for index in 0..uses.len() {
                prop_assert!(rate[index] <= wish[index]);
                if rate[index] >= wish[index] * (1.0 - 1e-9) { continue; }
                let level = |other: usize| rate[other] / weight[other];
                let bottleneck = uses[index].iter().any(|&(resource, _)| full[resource]
                    && (0..uses.len()).all(|other| !uses[other].iter().any(|&(r, _)| r == resource)
                        || level(other) <= level(index) * (1.0 + 1e-9) + 1e-12));
                prop_assert!(bottleneck, "{index} of {rate:?}");
            }
        }
    }
}
