//! 100 servers behind a balancer that looks at two different servers and takes the shorter queue
//! (power of two choices; Mitzenmacher 2001). Load 0.9 each, exponential service of mean 1.

use crate::outcome::{Moments, Outcome};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use steerlab_engine::kernel::{Phase, Scheduler, SimSpan, SimTime, Stream, StreamKey};

const SERVERS: u32 = 100;
const LOAD: f64 = 0.9;
/// Mean time in the system for 100 servers and two different picks at load 0.9. (The limit of
/// infinitely many servers is 2.6141.)
pub const SOJOURN_SECONDS_MEAN: f64 = 2.6455;
/// What the mean of 10^7 customers may differ from it: four standard errors, each 0.0046 by the
/// spread of 24 seeds.
pub const SOJOURN_SECONDS_TOLERANCE: f64 = 0.018;

struct Chance {
    arrivals: Stream,
    services: Stream,
    picks: Stream,
}

impl Chance {
    fn new() -> Chance {
        let stream =
            |purpose| Stream::new(StreamKey { seed: 1, replication: 0, purpose, entity: 0 });
        Chance {
            arrivals: stream("arrivals"),
            services: stream("services"),
            picks: stream("picks"),
        }
    }

    #[inline]
    fn gap(&mut self) -> u64 {
        (self.arrivals.exponential() * (1e9 / LOAD / f64::from(SERVERS))) as u64
    }

    #[inline]
    fn service(&mut self) -> u64 {
        (self.services.exponential() * 1e9) as u64
    }

    /// The shorter queue of two different servers; the first of equals.
    #[inline]
    fn pick(&mut self, length: impl Fn(usize) -> usize) -> u32 {
        let first = self.picks.below(u64::from(SERVERS)) as u32;
        let step = 1 + self.picks.below(u64::from(SERVERS) - 1) as u32;
        let second = (first + step) % SERVERS;
        if length(first as usize) <= length(second as usize) { first } else { second }
    }
}

enum Event {
    Arrival,
    Departure(u32),
}

const PHASE_DEPARTURE: Phase = Phase(1);
const PHASE_ARRIVAL: Phase = Phase(2);

/// On our kernel, with streaming mean and variance and the fingerprint. Source 0 is the arrivals,
/// source 1 + n is server n.
pub fn on_steerlab(customers: u64) -> Outcome {
    let mut chance = Chance::new();
    let mut scheduler = Scheduler::new(1 + SERVERS as usize);
    let mut queues: Vec<VecDeque<SimTime>> = vec![VecDeque::new(); SERVERS as usize];
    let mut sojourn = Moments::default();
    let mut arrived = 0;
    scheduler.schedule(SimTime(chance.gap()), PHASE_ARRIVAL, 0, Event::Arrival);
    while let Some((key, event)) = scheduler.pop() {
        let now = key.time();
        let starts = match event {
            Event::Arrival => {
                arrived += 1;
                if arrived < customers {
                    let at = now.after(SimSpan(chance.gap()));
                    scheduler.schedule(at, PHASE_ARRIVAL, 0, Event::Arrival);
                }
                let server = chance.pick(|server| queues[server].len());
                let queue = &mut queues[server as usize];
                queue.push_back(now);
                (queue.len() == 1).then_some(server)
            }
            Event::Departure(server) => {
                let queue = &mut queues[server as usize];
                let came = queue.pop_front().expect("whoever departs was waiting");
                sojourn.add(now.since(came).0);
                (!queue.is_empty()).then_some(server)
            }
        };
        if let Some(server) = starts {
            let at = now.after(SimSpan(chance.service()));
            scheduler.schedule(at, PHASE_DEPARTURE, 1 + server, Event::Departure(server));
        }
    }
    Outcome {
        events: scheduler.popped(),
        sojourn_seconds_mean: sojourn.mean_seconds(),
        sojourn_seconds2_variance: Some(sojourn.variance_seconds2()),
        fingerprint: Some(format!("{:016x}", scheduler.fingerprint().value())),
    }
}

/// Server number that stands for an arrival in the bare loop.
const ARRIVAL: u32 = u32::MAX;

/// A bare loop over the standard heap, with a sum and no fingerprint.
pub fn on_bare_heap(customers: u64) -> Outcome {
    let mut chance = Chance::new();
    let mut heap = BinaryHeap::new();
    let mut queues: Vec<VecDeque<u64>> = vec![VecDeque::new(); SERVERS as usize];
    let (mut arrived, mut events, mut sequence, mut sum) = (0, 0, 0_u64, 0_u128);
    heap.push(Reverse((chance.gap(), sequence, ARRIVAL)));
    while let Some(Reverse((now, _, who))) = heap.pop() {
        events += 1;
        let starts = if who == ARRIVAL {
            arrived += 1;
            if arrived < customers {
                sequence += 1;
                heap.push(Reverse((now + chance.gap(), sequence, ARRIVAL)));
            }
            let server = chance.pick(|server| queues[server].len());
            let queue = &mut queues[server as usize];
            queue.push_back(now);
            (queue.len() == 1).then_some(server)
        } else {
            let queue = &mut queues[who as usize];
            let came = queue.pop_front().expect("whoever departs was waiting");
            sum += u128::from(now - came);
            (!queue.is_empty()).then_some(who)
        };
        if let Some(server) = starts {
            sequence += 1;
            heap.push(Reverse((now + chance.service(), sequence, server)));
        }
    }
    Outcome {
        events,
        sojourn_seconds_mean: sum as f64 / customers as f64 / 1e9,
        sojourn_seconds2_variance: None,
        fingerprint: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_play_the_same_trajectory() {
        let (ours, bare) = (on_steerlab(50_000), on_bare_heap(50_000));
        assert_eq!(ours.sojourn_seconds_mean, bare.sojourn_seconds_mean);
        assert_eq!((ours.events, bare.events), (100_000, 100_000));
        assert!((ours.sojourn_seconds_mean - SOJOURN_SECONDS_MEAN).abs() < 0.2);
    }
}
