//! M/M/1, first come first served: customers arrive at rate 0.9 and are served at rate 1.
//!
//! The same draws in the same order on every engine, so all must print the same mean.

use crate::outcome::{Moments, Outcome};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use steerlab_engine::kernel::{Phase, Scheduler, SimSpan, SimTime, Stream, StreamKey};

/// Offered load.
pub const LOAD: f64 = 0.9;
/// Mean time in the system: 1 / (1 - load).
pub const SOJOURN_SECONDS_MEAN: f64 = 10.0;
/// Its variance: the time in the system is exponential.
pub const SOJOURN_SECONDS2_VARIANCE: f64 = 100.0;

/// Standard error of the mean of `customers` consecutive times in the system. Asymptotic variance
/// of the waiting time per customer, load (2 + 5 load - 4 load^2 + load^3) / (1 - load)^4 (Daley
/// 1968; Whitt 1989, "Planning queueing simulations").
pub fn sojourn_standard_error(customers: u64) -> f64 {
    let spread = LOAD * (2.0 + 5.0 * LOAD - 4.0 * LOAD * LOAD + LOAD * LOAD * LOAD);
    (spread / (1.0 - LOAD).powi(4) / customers as f64).sqrt()
}

/// The streams of interarrival and service times.
#[derive(Debug)]
pub struct Chance {
    arrivals: Stream,
    services: Stream,
}

impl Chance {
    pub fn new() -> Chance {
        let stream =
            |purpose| Stream::new(StreamKey { seed: 1, replication: 0, purpose, entity: 0 });
        Chance { arrivals: stream("arrivals"), services: stream("services") }
    }

    /// Next interarrival time in nanoseconds.
    #[inline]
    pub fn gap(&mut self) -> u64 {
        (self.arrivals.exponential() * (1e9 / LOAD)) as u64
    }

    /// Next service time in nanoseconds.
    #[inline]
    pub fn service(&mut self) -> u64 {
        (self.services.exponential() * 1e9) as u64
    }
}

enum Event {
    Arrival,
    Departure,
}

const SOURCE_ARRIVALS: u32 = 0;
const SOURCE_SERVER: u32 = 1;
const PHASE_DEPARTURE: Phase = Phase(1);
const PHASE_ARRIVAL: Phase = Phase(2);

/// On our kernel, with streaming mean and variance and the fingerprint.
pub fn on_steerlab(customers: u64) -> Outcome {
    let mut chance = Chance::new();
    let mut scheduler = Scheduler::new(2);
    let mut waiting: VecDeque<SimTime> = VecDeque::new();
    let mut sojourn = Moments::default();
    let mut arrived = 0;
    let first = SimTime(chance.gap());
    scheduler.schedule(first, PHASE_ARRIVAL, SOURCE_ARRIVALS, Event::Arrival);
    while let Some((key, event)) = scheduler.pop() {
        let now = key.time();
        match event {
            Event::Arrival => {
                waiting.push_back(now);
                if waiting.len() == 1 {
                    let at = now.after(SimSpan(chance.service()));
                    scheduler.schedule(at, PHASE_DEPARTURE, SOURCE_SERVER, Event::Departure);
                }
                arrived += 1;
                if arrived < customers {
                    let at = now.after(SimSpan(chance.gap()));
                    scheduler.schedule(at, PHASE_ARRIVAL, SOURCE_ARRIVALS, Event::Arrival);
                }
            }
            Event::Departure => {
                let came = waiting.pop_front().expect("whoever departs was waiting");
                sojourn.add(now.since(came).0);
                if !waiting.is_empty() {
                    let at = now.after(SimSpan(chance.service()));
                    scheduler.schedule(at, PHASE_DEPARTURE, SOURCE_SERVER, Event::Departure);
                }
            }
        }
    }
    Outcome {
        events: scheduler.popped(),
        sojourn_seconds_mean: sojourn.mean_seconds(),
        sojourn_seconds2_variance: Some(sojourn.variance_seconds2()),
        fingerprint: Some(format!("{:016x}", scheduler.fingerprint().value())),
    }
}

/// A bare loop over the standard heap: the least a program can do. No statistics beyond a sum, no
/// fingerprint, order of equal times by insertion.
pub fn on_bare_heap(customers: u64) -> Outcome {
    let mut chance = Chance::new();
    let mut heap = BinaryHeap::new();
    let mut waiting: VecDeque<u64> = VecDeque::new();
    let (mut arrived, mut events, mut sequence, mut sum) = (0, 0, 0_u64, 0_u128);
    heap.push(Reverse((chance.gap(), sequence, true)));
    while let Some(Reverse((now, _, is_arrival))) = heap.pop() {
        events += 1;
        sequence += 1;
        if is_arrival {
            waiting.push_back(now);
            if waiting.len() == 1 {
                heap.push(Reverse((now + chance.service(), sequence, false)));
                sequence += 1;
            }
            arrived += 1;
            if arrived < customers {
                heap.push(Reverse((now + chance.gap(), sequence, true)));
            }
        } else {
            let came = waiting.pop_front().expect("whoever departs was waiting");
            sum += u128::from(now - came);
            if !waiting.is_empty() {
                heap.push(Reverse((now + chance.service(), sequence, false)));
            }
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

    /// Lindley's recursion: each customer waits for what the one before left over.
    fn lindley_mean(customers: u64) -> f64 {
        let mut chance = Chance::new();
        let (mut now, mut free_at, mut sojourn) = (0_u64, 0_u64, Moments::default());
        for _ in 0..customers {
            now += chance.gap();
            free_at = free_at.max(now) + chance.service();
            sojourn.add(free_at - now);
        }
        sojourn.mean_seconds()
    }

    #[test]
    fn every_engine_equals_lindleys_recursion() {
        let expected = lindley_mean(20_000);
        assert_eq!(on_steerlab(20_000).sojourn_seconds_mean, expected);
        assert_eq!(on_bare_heap(20_000).sojourn_seconds_mean, expected);
        assert_eq!(crate::nexosim_mm1::on_nexosim(20_000).sojourn_seconds_mean, expected);
    }
}
