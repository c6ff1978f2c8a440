//! What links have carried, and what that costs.

use super::World;
use crate::kernel::{Id, SimTime};
use crate::load::billing::{Meter, billed, cost};
use crate::net::{ArcId, LinkId, LinkKind, NodeKind};
use crate::record::LinkBill;

/// What an arc does between two events; rates in bit/s.
#[derive(Clone, Copy, Debug, Default)]
struct ArcFlow {
    arrival: f64,
    carried: f64,
    /// Growth of the backlog.
    kept: f64,
    /// Bits carried times the seconds they waited, per second.
    waited: f64,
}

impl World<'_> {
    /// What an arc does under the present solution.
    fn arc_flow(&self, arc: usize) -> ArcFlow {
        let transfer = &self.fluid.transfer;
        let flows = self.flow_bps(arc);
        let mut flow = ArcFlow { arrival: flows, carried: flows, ..ArcFlow::default() };
        for slot in arc * self.queues.0..(arc + 1) * self.queues.0 {
            let arriving = self.fluid.arrival_bps[slot];
            flow.arrival += arriving;
            let remembers = transfer.out_bps[slot] > 0.0 || transfer.kept[slot] != 0.0;
            let out = if remembers {
                let lost = arriving * (1.0 - transfer.ratio[slot] - transfer.kept[slot]);
                flow.kept += arriving - transfer.out_bps[slot] - lost;
                transfer.out_bps[slot]
            } else {
                arriving * transfer.ratio[slot]
            };
            flow.carried += out;
            flow.waited += out * transfer.wait_s[slot];
        }
        flow
    }

    /// What links with a price carried.
    pub(super) fn count_bills(&mut self, from: SimTime, until: SimTime) {
        for index in 0..self.ledger.meters.len() {
            let link = self.ledger.meters[index].0;
            let bps = [0, 1].map(|way| self.arc_flow(ArcId::of(link, way).index()).carried);
            self.ledger.meters[index].1.carry(from, until, bps);
        }
    }

    /// What every link with a price is billed at the end of a run.
    pub fn bills(&self, end: SimTime) -> Vec<LinkBill> {
        let bill = |(link, meter): &(LinkId, Meter)| {
            let billing = self.scenario.network.links[*link].model.billing?;
            let billed_bps = billed(&meter.samples_until(end), billing.percentile);
            Some(LinkBill { link: *link, billed_bps, cost: cost(&billing, billed_bps) })
        };
        self.ledger.meters.iter().filter_map(bill).collect()
    }

    pub(super) fn count_arcs(&mut self, seconds: f64) {
        let network = &self.scenario.network;
        let queues = self.queues.0;
        for index in 0..network.arc_count() {
            let arc = ArcId::from_index(index);
            let link = &network.links[arc.link()];
            let configured = link.capacity_bps[arc.direction()] as f64;
            if configured == 0.0 {
                continue;
            }
            let now = self.truth.links.capacity_bps[index];
            let placed = self.fluid.placed_bps[index] + self.flow_bps(index);
            let utilisation = placed / if now > 0.0 { now } else { configured };
            let ArcFlow { arrival, carried, kept, waited } = self.arc_flow(index);
            let count = &mut self.ledger.arcs[index];
            count.utilisation_s += utilisation * seconds;
            count.utilisation_max = count.utilisation_max.max(utilisation);
            count.overload_s += if utilisation > 1.0 { seconds } else { 0.0 };
            count.placed_bits += placed * seconds;
            count.carried_bits += carried * seconds;
            count.dropped_bits += (arrival - carried - kept) * seconds;
            count.queue_bit_s += waited * seconds;
            if link.model.ecn.is_some() {
                count.marked_bits +=
                    self.fluid.marked_bps(index * queues..(index + 1) * queues) * seconds;
            }
            if matches!(link.kind, LinkKind::Backbone | LinkKind::Dci) {
                let km = link.distance_km.unwrap_or(0.0);
                self.ledger.backbone_byte_km += carried / 8.0 * seconds * km;
            }
            if matches!(network.nodes[self.graph.to[index]], NodeKind::Neighbour(_)) {
                self.ledger.exit_bits += carried * seconds;
                if link.kind == LinkKind::Transit {
                    self.ledger.transit_bits += carried * seconds;
                }
                if let Some(site) = network.node_site(self.graph.from[index]) {
                    self.ledger.sites[site.index()].egress_bits += carried * seconds;
                }
            }
        }
    }
}
