//! Peak EWMA: the better of a few servers by recent latency times requests in flight.
//!
//! Model: each server has a cost in seconds. An answer that took longer than the cost sets it at
//! once; else the cost moves towards the answer by an exponentially weighted average over time,
//! `cost = cost w + latency (1 - w)`, `w = e^(-dt / decay)`. Unasked, the cost fades towards 0, so
//! that a server is tried again. Load is cost x (in flight + 1) / weight; a server without any
//! measurement and with requests in flight is taken last, one without either first. The pick is
//! the least loaded of `choices` even draws, the first two distinct.
//!
//! A failure counts as at least `failure`: servers that fail fast do not look good.
//!
//! Source: Twitter Finagle, `PeakEwma.scala`; Linkerd, "Beyond round robin: load balancing for
//! latency", 2016.

use super::roster::Roster;
use super::{Ask, Balancer, Seen};
use crate::kernel::{SimSpan, SimTime, Stream, math};

/// Load of a server of which nothing is known but that it has work.
const UNKNOWN: f64 = 1e12;

/// See the module.
#[derive(Debug)]
pub struct PeakEwma {
    decay: SimSpan,
    failure: SimSpan,
    /// Cost in seconds and when it was true, of each server.
    cost: Vec<(f64, SimTime)>,
    choices: u32,
    roster: Roster,
}

impl PeakEwma {
    /// `decay` above 0, at least 2 `choices`.
    #[must_use]
    pub fn new(servers: usize, decay: SimSpan, choices: u32, failure: SimSpan) -> PeakEwma {
        assert!(decay > SimSpan::ZERO && choices >= 2, "parameters are within their ranges");
        PeakEwma {
            decay,
            failure,
            cost: vec![(0.0, SimTime::ZERO); servers],
            choices,
            roster: Roster::default(),
        }
    }

    fn faded(&self, server: u32, now: SimTime) -> f64 {
        let (cost, at) = self.cost[server as usize];
        if cost <= 0.0 {
            return 0.0;
        }
        cost * math::exp(-(now.since(at).0 as f64 / self.decay.0 as f64))
    }

    fn load(&self, server: u32, now: SimTime, seen: &Seen<'_>) -> f64 {
        let in_flight = f64::from(seen.outstanding[server as usize]);
        let (cost, _) = self.cost[server as usize];
        if cost <= 0.0 && in_flight > 0.0 {
            return UNKNOWN + in_flight;
        }
        self.faded(server, now) * (in_flight + 1.0) / seen.weight[server as usize]
    }
}

impl Balancer for PeakEwma {
    fn pick(&mut self, ask: &Ask, seen: &Seen<'_>, draw: &mut Stream) -> Option<u32> {
        self.roster.update(seen);
        let (a, b) = self.roster.draw_pair(true, draw)?;
        let mut best = (self.load(a, ask.now, seen), a);
        let more = (2..self.choices).filter_map(|_| self.roster.draw_evenly(draw));
        for server in std::iter::once(b).chain(more) {
            let load = self.load(server, ask.now, seen);
            if load < best.0 {
                best = (load, server);
            }
        }
        Some(best.1)
    }

    fn finished(&mut self, server: u32, now: SimTime, latency_s: f64, ok: bool) {
        let latency_s = if ok { latency_s } else { latency_s.max(self.failure.seconds()) };
        let keep = self.faded(server, now);
        let (cost, at) = &mut self.cost[server as usize];
        if latency_s > keep {
            *cost = latency_s;
        } else {
            let weight = if *cost > 0.0 { keep / *cost } else { 0.0 };
            *cost = keep + latency_s * (1.0 - weight);
        }
        *at = now;
    }
}
