//! Servers that go down, come back or drain.

use super::agenda::Event;
use super::cell::Cell;
use super::job::{NONE, Place};
use super::stats::Cause;
use crate::kernel::SimSpan;

impl Cell {
    /// Takes a server down or brings it back. What a server holds when it goes down is lost, and
    /// so are the connections that stick to it. The front end learns of it after
    /// [`super::FrontSpec::health_delay`]; until then whoever is sent there fails at once.
    pub fn set_up(&mut self, server: u32, up: bool) {
        let station = &mut self.stations[server as usize];
        if station.up == up {
            return;
        }
        station.up = up;
        station.epoch = station.epoch.wrapping_add(1);
        let epoch = station.epoch;
        if !up {
            self.lose_all(server);
        }
        if self.health_delay == SimSpan::ZERO {
            self.health_seen(server, epoch);
        } else {
            let at = self.now().after(self.health_delay);
            let entity = self.sources.len() as u32 + server;
            self.floor.agenda.schedule(at, entity, Event::Health { server, epoch });
        }
    }

    /// Takes a server out of balancing. What is there may finish within a time; then connections
    /// and requests left are broken. [`Cell::undrain`] ends it.
    pub fn drain(&mut self, server: u32, within: SimSpan) {
        let now = self.now();
        self.front.set_weight(server, 0.0, now);
        let station = &mut self.stations[server as usize];
        station.epoch = station.epoch.wrapping_add(1);
        let event = Event::Drained { server, epoch: station.epoch };
        let entity = self.sources.len() as u32 + server;
        self.floor.agenda.schedule(now.after(within), entity, event);
        self.check_connections();
    }

    /// Takes a server that drains, or has drained, back into balancing.
    pub fn undrain(&mut self, server: u32) {
        let station = &mut self.stations[server as usize];
        station.epoch = station.epoch.wrapping_add(1);
        let (weight, now) = (self.weights[server as usize], self.now());
        self.front.set_weight(server, weight, now);
        self.check_connections();
    }

    /// Changes the weight of a server at the balancers. New connections and requests feel it.
    pub fn set_weight(&mut self, server: u32, weight: f64) {
        let now = self.now();
        self.weights[server as usize] = weight;
        self.front.set_weight(server, weight, now);
        self.check_connections();
    }

    /// Changes the weights of all servers at the balancers at once, so that tables are made anew
    /// once. New connections and requests feel it.
    pub fn set_weights(&mut self, weights: &[f64]) {
        assert_eq!(weights.len(), self.weights.len(), "each server has a weight");
        let now = self.now();
        self.weights.copy_from_slice(weights);
        (0..).zip(weights).for_each(|(server, &weight)| self.front.set_weight(server, weight, now));
        self.check_connections();
    }

    /// Weights of all servers at the balancers, when up and warm.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The front end learns whether a server is up.
    pub(super) fn health_seen(&mut self, server: u32, epoch: u32) {
        let station = &self.stations[server as usize];
        if station.epoch == epoch {
            let (up, now) = (station.up, self.now());
            self.front.set_health(server, up, now);
            self.check_connections();
        }
    }

    /// The time to drain is over.
    pub(super) fn drained(&mut self, server: u32, epoch: u32) {
        if self.stations[server as usize].epoch == epoch {
            self.lose_all(server);
        }
    }

    /// Whatever a server holds is lost.
    fn lose_all(&mut self, server: u32) {
        self.break_connections(|it| it.server == Some(server));
        // First those that wait: freeing a core would start them.
        for place in [Place::Waiting, Place::InService] {
            for job in self.floor.jobs.taken() {
                let it = self.floor.jobs[job];
                if it.server != server || it.place != place {
                    continue;
                }
                self.stations[server as usize].abandon(&mut self.floor, job);
                self.left(job, false);
                self.floor.jobs[job].place = Place::Returning;
                if it.request == NONE {
                    self.floor.jobs.remove(job);
                } else {
                    self.turned_away(job, Cause::Broken);
                }
            }
        }
    }
}
