//! Buffers of links with a memory: how they fill and empty in time, and whose bits they hold.
//!
//! What joins a buffer is counted as queued by its demand, what leaves it as served by the demands
//! that arrive then. Once all buffers are empty, every demand's account is closed: what it has
//! queued has been delivered.

use super::part::Part;
use super::{Event, World, phase, source};
use crate::kernel::{Id, SimTime};
use crate::load::buffers::Buffers;
use crate::load::sharing::Shape;
use crate::net::ArcId;
use crate::record::DropCause;
use crate::scenario::Scenario;

/// Queues of every link: all, and of one class. Tenants have queues of their own where any link
/// shares by tenant.
pub(super) fn queues_of(scenario: &Scenario) -> (usize, usize) {
    let by_tenant =
        scenario.network.links.rows().iter().any(|link| !link.model.tenant_weights.is_empty());
    let tenants = if by_tenant { scenario.tenants.len() } else { 1 };
    (scenario.classes.len() * tenants, tenants)
}

impl World<'_> {
    /// Empty buffers; nothing at all where no link has a memory.
    pub(super) fn start_buffers(&mut self) {
        let network = &self.scenario.network;
        if network.links.rows().iter().any(|link| link.model.backlog) {
            let (queues, tenants) = self.queues;
            let shapes = (0..network.arc_count()).map(|arc| {
                let link = &network.links[ArcId::from_index(arc).link()];
                Shape {
                    scheduling: &link.scheduling,
                    tenant_weights: &link.model.tenant_weights,
                    tenants,
                    capacity_bps: 0.0,
                }
            });
            self.buffers = Buffers::new(shapes, queues);
            self.ledger.in_buffers = vec![0.0; self.scenario.demands.len()];
        }
    }

    /// Bits that fit in front of an arc, per queue.
    fn buffer_bound(&self, arc: ArcId) -> f64 {
        let buffer = self.scenario.network.links[arc.link()].buffer;
        buffer.seconds() * self.truth.links.capacity_bps[arc.index()]
    }

    /// Arcs whose link has a memory.
    fn remembering_arcs(&self) -> impl Iterator<Item = ArcId> + use<> {
        let network = &self.scenario.network;
        let arcs: Vec<ArcId> = if self.buffers.bits.is_empty() {
            Vec::new()
        } else {
            (0..network.arc_count())
                .map(ArcId::from_index)
                .filter(|arc| network.links[arc.link()].model.backlog)
                .collect()
        };
        arcs.into_iter()
    }

    /// Backlog of an arc at an instant since the last solution, all queues, bits.
    pub(super) fn backlog_bits(&self, arc: ArcId, until: SimTime) -> f64 {
        if self.buffers.bits.is_empty() || !self.truth.links.up[arc.index()] {
            return 0.0;
        }
        let seconds = until.since(self.ledger.anchored_at).seconds();
        self.buffers_of(arc).map(|slot| self.buffer_after(arc, slot, seconds)).sum()
    }

    /// First slots of the buffers of an arc.
    fn buffers_of(&self, arc: ArcId) -> impl Iterator<Item = usize> + use<> {
        let slots = self.slots_of(arc);
        let firsts: Vec<usize> = slots.filter(|&slot| self.buffers.first[slot] == slot).collect();
        firsts.into_iter()
    }

    fn slots_of(&self, arc: ArcId) -> std::ops::Range<usize> {
        arc.index() * self.queues.0..(arc.index() + 1) * self.queues.0
    }

    /// What arrives at a buffer and what leaves it, bit/s.
    fn buffer_rates(&self, arc: ArcId, first: usize) -> (f64, f64) {
        let rates = [&self.fluid.arrival_bps, &self.fluid.transfer.out_bps];
        let [arriving, out] = rates.map(|rates| self.buffers.sum(first, self.slots_of(arc), rates));
        (arriving, out)
    }

    fn buffer_after(&self, arc: ArcId, first: usize, seconds: f64) -> f64 {
        let (arriving, out) = self.buffer_rates(arc, first);
        self.buffers.after(first, seconds, arriving, out, self.buffer_bound(arc))
    }

    /// Before a new solution: the backlogs become what they have grown or shrunk to `seconds` after
    /// the last one.
    pub(super) fn anchor_buffers(&mut self, seconds: f64) {
        for arc in self.remembering_arcs() {
            if self.truth.links.up[arc.index()] {
                for slot in self.buffers_of(arc) {
                    self.buffers.bits[slot] = self.buffer_after(arc, slot, seconds);
                }
            }
        }
        self.balance_accounts();
        self.close_accounts();
    }

    /// Nobody takes more out of buffers than he has put in: where that was counted, because what
    /// leaves is told apart by who arrives, those who have bits in buffers get theirs out instead.
    pub(super) fn balance_accounts(&mut self) {
        let (mut over, mut held) = (0.0, 0.0);
        for (demand, &amount) in self.ledger.in_buffers.iter().enumerate() {
            let bits = amount * self.unit_of(demand).0;
            if bits < 0.0 { over -= bits } else { held += bits }
        }
        if over <= 0.0 {
            return;
        }
        let part = if held > 0.0 { (over / held).min(1.0) } else { 0.0 };
        for demand in 0..self.ledger.in_buffers.len() {
            let amount = self.ledger.in_buffers[demand];
            let moved = if amount < 0.0 { amount } else { amount * part };
            self.deliver_buffered(demand, moved);
        }
    }

    /// Counts what a demand had in buffers as delivered.
    fn deliver_buffered(&mut self, demand: usize, amount: f64) {
        if amount != 0.0 {
            self.ledger.in_buffers[demand] -= amount;
            let dropped = [0.0; DropCause::ALL.len()];
            self.count_demand(
                demand,
                &Part { amount: 0.0, served: amount, dropped, queued: -amount },
            );
        }
    }

    /// Bits of a unit of a demand's rate, and whether the unit is a request.
    fn unit_of(&self, demand: usize) -> (f64, bool) {
        let row = &self.scenario.demands.rows()[demand];
        let service = &self.scenario.services[row.service];
        match self.bundles.fate[demand].group {
            // What leaves flow by flow is not in buffers.
            Some(_) if self.scenario.plays_flows(row.service) => {
                (service.request_bytes * 8.0, true)
            }
            Some(_) => ((service.request_bytes + service.response_bytes) * 8.0, true),
            None => (1.0, false),
        }
    }

    /// Where all buffers are empty, what they held has been delivered.
    fn close_accounts(&mut self) {
        let held = self.ledger.in_buffers.iter().any(|&amount| amount != 0.0);
        if held && self.buffers.bits.iter().all(|&bits| bits <= 0.0) {
            for demand in 0..self.ledger.in_buffers.len() {
                self.deliver_buffered(demand, self.ledger.in_buffers[demand]);
            }
        }
    }

    /// What waits in front of links that went down is lost. Backlogs have been brought up to this
    /// instant.
    pub(super) fn lose_buffers(&mut self) {
        let total: f64 = self.buffers.bits.iter().sum();
        let mut lost = 0.0;
        for arc in self.remembering_arcs() {
            if !self.truth.links.up[arc.index()] {
                for slot in self.slots_of(arc) {
                    lost += std::mem::take(&mut self.buffers.bits[slot]);
                }
            }
        }
        if lost <= 0.0 {
            return;
        }
        for demand in 0..self.ledger.in_buffers.len() {
            let amount = self.ledger.in_buffers[demand] * (lost / total).min(1.0);
            self.ledger.in_buffers[demand] -= amount;
            let mut dropped = [0.0; DropCause::ALL.len()];
            dropped[DropCause::Down as usize] = amount;
            let part = Part { amount: 0.0, served: 0.0, dropped, queued: -amount };
            self.count_demand(demand, &part);
        }
        self.close_accounts();
    }

    /// Books something of one demand beyond what its bundle does.
    fn count_demand(&mut self, demand: usize, part: &Part) {
        let row = &self.scenario.demands.rows()[demand];
        let service = &self.scenario.services[row.service];
        let group = self.bundles.fate[demand].group;
        let (unit_bits, requests) = self.unit_of(demand);
        let flow = part.flow(unit_bits, requests);
        let slot = row.tenant.index() * self.scenario.classes.len() + service.class.index();
        self.ledger.bucket_flows[slot].add(&flow);
        if let Some(group) = group {
            self.ledger.groups[group.index()].flow.add(&flow);
        }
    }

    /// Schedules the next instant at which a buffer is full or empty.
    pub(super) fn foresee_buffers(&mut self) {
        let mut next: Option<SimTime> = None;
        for arc in self.remembering_arcs() {
            let bound = self.buffer_bound(arc);
            if !self.truth.links.up[arc.index()] {
                continue;
            }
            for slot in self.buffers_of(arc) {
                let (arriving, out) = self.buffer_rates(arc, slot);
                let crossing = self.buffers.crossing(slot, self.now, arriving, out, bound);
                next = next.into_iter().chain(crossing).min();
            }
        }
        if let Some(at) = next {
            let event = Event::Buffer(self.solution);
            self.outbox.push((at, phase::CHANGE, source::BUFFER, event));
        }
    }
}
