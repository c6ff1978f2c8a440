//! Where requests come from: what a request is, is drawn at its arrival from the streams of its
//! source, whatever it meets later.

use super::chance::Seeds;
use super::spec::{ArrivalSpec, Path, Pattern};
use crate::kernel::{SimSpan, SimTime, Stream, StreamKey};
use crate::load::law::Law;
use std::sync::Arc;

/// When the next request of a source arrives.
#[derive(Clone, Debug)]
enum Clock {
    /// Gaps of a law, counted in units of the mean gap, so that a changed rate stretches what is
    /// left of the present gap and no draw depends on it.
    Gaps {
        law: Law,
        left: f64,
        since: SimTime,
        fraction_ns: f64,
    },
    Recorded {
        at: Arc<Vec<SimTime>>,
        next: usize,
    },
    /// Nobody but those who think.
    Closed {
        think: Law,
        think_s: f64,
    },
}

/// A source of requests.
#[derive(Debug)]
pub(super) struct Source {
    clock: Clock,
    /// Per second.
    pub(super) rate_per_s: f64,
    gaps: Stream,
    demands: Stream,
    seeds: Seeds,
    service: Law,
    service_s: f64,
    /// Arrivals scheduled in another epoch are out of date.
    pub(super) epoch: u32,
    /// Whether the next arrival is on the agenda.
    pub(super) scheduled: bool,
    pub(super) users: u64,
    pub(super) class: u32,
    pub(super) client: u32,
    pub(super) priority: u8,
    pub(super) zone: u16,
    pub(super) way: Way,
    /// Tokens of the retry budget.
    pub(super) tokens: f64,
}

/// A path in whole nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Way {
    pub(super) setup_ns: u64,
    pub(super) rtt_ns: u64,
    pub(super) one_way_ns: u64,
    pub(super) queue_there_ns: u64,
    pub(super) queue_back_ns: u64,
    pub(super) origin_ns: u64,
}

impl Way {
    pub(super) fn new(path: &Path) -> Way {
        let nanos = |seconds: f64| {
            assert!(seconds >= 0.0 && seconds.is_finite(), "times on a path are numbers from 0 up");
            (seconds * 1e9 + 0.5) as u64
        };
        let (rtt_ns, queue_ns) = (nanos(path.rtt_s), nanos(path.link_queue_s));
        Way {
            setup_ns: nanos(path.setup_s),
            rtt_ns,
            one_way_ns: rtt_ns / 2,
            queue_there_ns: queue_ns / 2,
            queue_back_ns: queue_ns - queue_ns / 2,
            origin_ns: nanos(path.origin_s),
        }
    }
}

impl Source {
    pub(super) fn new(spec: &ArrivalSpec, seed: u64, replication: u32) -> Source {
        assert!(spec.service_s >= 0.0 && spec.service_s.is_finite(), "demand is a number");
        let key = |purpose| StreamKey { seed, replication, purpose, entity: spec.entity };
        let mut gaps = Stream::new(key("request-arrivals"));
        let mut open = |law: &Law, rate: f64| {
            assert!(rate >= 0.0 && rate.is_finite(), "a rate is a number from 0 up");
            let left = law.sample(1.0, &mut gaps);
            let law = law.clone();
            (Clock::Gaps { law, left, since: SimTime::ZERO, fraction_ns: 0.0 }, rate)
        };
        let (clock, rate_per_s) = match &spec.pattern {
            Pattern::Poisson(rate) => open(&Law::Exponential, *rate),
            Pattern::Renewal(law, rate) => open(law, *rate),
            Pattern::Recorded(at) => (Clock::Recorded { at: at.clone(), next: 0 }, 0.0),
            Pattern::Closed { think, think_s, .. } => {
                (Clock::Closed { think: think.clone(), think_s: *think_s }, 0.0)
            }
        };
        Source {
            clock,
            rate_per_s,
            gaps,
            demands: Stream::new(key("request-demands")),
            seeds: Seeds::new(key("request-seeds")),
            service: spec.service.clone(),
            service_s: spec.service_s,
            epoch: 0,
            scheduled: false,
            users: spec.users.max(1),
            class: spec.class,
            client: spec.client,
            priority: spec.priority,
            zone: spec.zone,
            way: Way::new(&spec.path),
            tokens: 0.0,
        }
    }

    /// Demand in core-seconds and seed of the next request.
    #[inline]
    pub(super) fn draw(&mut self) -> (f64, u64) {
        (self.service.sample(self.service_s, &mut self.demands), self.seeds.next())
    }

    /// When the next request arrives, if any and not in a closed loop.
    #[inline]
    pub(super) fn next_at(&self) -> Option<SimTime> {
        match &self.clock {
            Clock::Gaps { left, since, fraction_ns, .. } => {
                let nanos = left / self.rate_per_s * 1e9 + fraction_ns;
                // A rate of 0 gives an endless gap; the cast saturates.
                (self.rate_per_s > 0.0).then(|| since.after(SimSpan(nanos as u64)))
            }
            Clock::Recorded { at, next } => at.get(*next).copied(),
            Clock::Closed { .. } => None,
        }
    }

    /// A request of the clock has arrived: draws when the next one will.
    #[inline]
    pub(super) fn arrived(&mut self, now: SimTime) {
        self.scheduled = false;
        match &mut self.clock {
            Clock::Gaps { law, left, since, fraction_ns } => {
                // Instants are whole nanoseconds; the rest is carried, so that the rate is exact.
                let nanos = *left / self.rate_per_s * 1e9 + *fraction_ns;
                *fraction_ns = nanos - (nanos as u64) as f64;
                *left = law.sample(1.0, &mut self.gaps);
                *since = now;
            }
            Clock::Recorded { next, .. } => *next += 1,
            Clock::Closed { .. } => {}
        }
    }

    /// Changes the rate of a source with gaps from now on.
    pub(super) fn set_rate(&mut self, rate_per_s: f64, now: SimTime) {
        assert!(rate_per_s >= 0.0 && rate_per_s.is_finite(), "a rate is a number from 0 up");
        let Clock::Gaps { left, since, fraction_ns, .. } = &mut self.clock else { return };
        let gone = (now.since(*since).0 as f64 - *fraction_ns) * 1e-9 * self.rate_per_s;
        *left = (*left - gone).max(0.0);
        *since = now;
        *fraction_ns = 0.0;
        self.rate_per_s = rate_per_s;
        self.epoch = self.epoch.wrapping_add(1);
        self.scheduled = false;
    }

    /// How long a client of a closed loop thinks now.
    pub(super) fn think(&mut self) -> Option<SimSpan> {
        let Clock::Closed { think, think_s } = &self.clock else { return None };
        let seconds = think.sample(*think_s, &mut self.gaps);
        Some(SimSpan((seconds * 1e9 + 0.5) as u64))
    }

    /// Whether it is a closed loop.
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.clock, Clock::Closed { .. })
    }
}
