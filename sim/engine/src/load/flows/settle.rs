//! What happens to clocks when flows finish and when rates change.

use super::class::Bits;
use super::clock::{Clock, SERVICE_MAX, Waiting};
use super::sim::{Carried, Completion, Flow, FlowId, FlowSim, NO_CLASS};
use std::cmp::Reverse;

impl FlowSim {
    /// The next flow of a clock finishes now, with all of its class that end with it.
    pub(super) fn finish(&mut self, clock: u32, each: &mut impl FnMut(Completion)) {
        let Some(Waiting { finish, class }) = self.clocks[clock as usize].first() else {
            return;
        };
        self.clocks[clock as usize].set(finish, self.now);
        let entry = &mut self.classes[class as usize];
        let Some(&Reverse((Bits(done), _))) = entry.flows.peek() else {
            return;
        };
        (entry.attained, entry.reading) = (done, finish);
        while let Some(&Reverse((Bits(at), slot))) = self.classes[class as usize].flows.peek() {
            if at > done {
                break;
            }
            self.classes[class as usize].flows.pop();
            let Flow { generation, bits, alone_s, started, tag, .. } = self.flows[slot as usize];
            self.release(slot);
            let (flow, at) = (FlowId { slot, generation }, self.now);
            each(Completion { flow, tag, started, at, bits, alone_s });
        }
        if done > SERVICE_MAX {
            self.classes[class as usize].restart(&mut self.done);
        }
        self.after_leaving(class);
    }

    /// Brings rates up to date at the present instant.
    pub(super) fn refresh(&mut self) {
        if !self.stale {
            return;
        }
        self.stale = false;
        self.sharing.settle();
        self.touched.clear();
        for priority in 0..self.sharing.priorities() {
            self.need_clocks(priority);
            self.count_loads(priority);
            for i in 0..self.sharing.log(priority).levels.len() {
                let node = self.sharing.log(priority).levels[i];
                let clock = self.clock_of[priority][node as usize];
                self.clocks[clock as usize].count_to(self.now);
                self.clocks[clock as usize].level = self.sharing.node_level(priority, node);
                self.touched.push(clock);
            }
            for i in 0..self.sharing.log(priority).moved.len() {
                let slot = self.sharing.log(priority).moved[i];
                self.rehook(priority, slot);
            }
        }
        self.sharing.clear_log();
        for i in 0..self.touched.len() {
            let clock = self.touched[i];
            if let Some(down) = self.clocks[clock as usize].restart() {
                for waiting in self.clocks[clock as usize].waiting() {
                    self.classes[waiting.class as usize].reading -= down;
                }
            }
            self.due.set(clock, self.clocks[clock as usize].due());
        }
    }

    /// A class may be held back elsewhere: it waits at the clock of its bottleneck.
    fn rehook(&mut self, priority: usize, slot: u32) {
        let class = self.class_of[priority][slot as usize];
        if class == NO_CLASS || self.classes[class as usize].flows.is_empty() {
            return;
        }
        let node = self.sharing.node_of(self.classes[class as usize].entity);
        let clock = self.clock_of[priority][node as usize];
        if self.classes[class as usize].clock == Some(clock) {
            return;
        }
        let attained = self.attained(class);
        self.unhook(class);
        let reading = self.clocks[clock as usize].count_to(self.now);
        let entry = &mut self.classes[class as usize];
        (entry.attained, entry.reading, entry.clock) = (attained, reading, Some(clock));
        let finish = entry.finish();
        let classes = &mut self.classes;
        self.clocks[clock as usize].push(Waiting { finish, class }, |class, place| {
            classes[class as usize].place = place;
        });
        self.touched.push(clock);
    }

    /// Makes clocks for new priorities and caps.
    fn need_clocks(&mut self, priority: usize) {
        let arcs = self.sharing.resources();
        while self.clock_of.len() <= priority {
            self.clock_of.push(Vec::new());
            self.carried.push(Carried {
                bits: vec![0.0; arcs],
                bps: vec![0.0; arcs],
                at: vec![self.now; arcs],
            });
        }
        while self.clock_of[priority].len() < self.sharing.nodes(priority) {
            let node = self.clock_of[priority].len() as u32;
            self.clock_of[priority].push(self.clocks.len() as u32);
            let level = self.sharing.node_level(priority, node);
            self.clocks.push(Clock::new(level, self.now));
            self.due.push();
        }
    }

    /// Counts what arcs carried at the rates that end now.
    fn count_loads(&mut self, priority: usize) {
        let carried = &mut self.carried[priority];
        for &arc in &self.sharing.log(priority).loads {
            let arc = arc as usize;
            carried.bits[arc] = carried.until(arc, self.now);
            carried.at[arc] = self.now;
            carried.bps[arc] = self.sharing.elastic_load(arc, priority as u32);
        }
    }
}
