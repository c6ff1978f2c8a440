//! Where flows come from: when they arrive and how large they are.
//!
//! Every draw belongs to a stream of (source, number of the flow), so that all arms of a scenario
//! meet the same flows. Gaps are drawn as numbers of *expected* arrivals; the rate turns them into
//! time, and may change in between.

use super::moment::Moment;
use crate::kernel::stream::mix;
use crate::kernel::{SimTime, Stream, StreamKey};
use crate::load::law::Law;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// When flows arrive.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// Independently, at the rate of the demand.
    #[default]
    Poisson,
    /// Independently while on, not at all while off; both last an exponential time. The mean rate
    /// is that of the demand.
    OnOff {
        /// Mean seconds on, above 0.
        on_s: f64,
        /// Mean seconds off, at least 0.
        off_s: f64,
    },
    /// At these instants with these bits, whatever the rate; ascending.
    Recorded(Arc<Vec<(SimTime, f64)>>),
}

/// How a source makes flows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceSpec {
    /// When flows arrive.
    pub arrivals: Arrivals,
    /// Law of their sizes.
    pub size: Law,
    /// Mean size, bits, above 0.
    pub mean_bits: f64,
}

/// A flow that a source sends.
#[derive(Debug)]
pub struct Sent {
    /// Number of the flow, from 0.
    pub number: u64,
    /// Its size.
    pub bits: f64,
    /// For what else is to be drawn of this flow.
    pub stream: Stream,
}

/// One source of flows.
#[derive(Clone, Debug)]
pub struct Source {
    spec: SourceSpec,
    key: StreamKey,
    number: u64,
    /// Expected arrivals until the next one, as of `at`.
    left: f64,
    at: Moment,
    rate_per_s: f64,
    phase: Option<Phase>,
}

/// Whether an on-off source is on, and until when.
#[derive(Clone, Copy, Debug)]
struct Phase {
    on: bool,
    until: Moment,
    number: u64,
}

/// The stream for further draws of one flow: paths are drawn from it, and again when routes change.
#[must_use]
pub fn flow_stream(key: StreamKey, number: u64) -> Stream {
    Stream::new(StreamKey { entity: mix(key.entity ^ mix(number)), purpose: "flow-path", ..key })
}

impl Source {
    /// A source that sends nothing yet. `key` says whose it is; its purpose is not used.
    #[must_use]
    pub fn new(spec: SourceSpec, key: StreamKey) -> Source {
        let phase = match spec.arrivals {
            Arrivals::OnOff { .. } => Some(Phase { on: false, until: Moment::ZERO, number: 0 }),
            _ => None,
        };
        let mut source =
            Source { spec, key, number: 0, left: 0.0, at: Moment::ZERO, rate_per_s: 0.0, phase };
        source.left = source.draws(0).exponential();
        if let (Some(phase), Arrivals::OnOff { on_s, off_s }) =
            (source.phase.as_mut(), &source.spec.arrivals)
        {
            // On at the start with the share of time that it is on: the switch at 0 turns it over.
            let key = StreamKey { purpose: "flow-phase-first", ..source.key };
            phase.on = Stream::new(key).uniform() * (on_s + off_s) >= *on_s;
        }
        source
    }

    /// Draws of gap and size of one flow.
    fn draws(&self, number: u64) -> Stream {
        let entity = mix(self.key.entity ^ mix(number));
        Stream::new(StreamKey { entity, purpose: "flow", ..self.key })
    }

    /// Flows per second while flows can arrive.
    fn rate_now(&self) -> f64 {
        match (self.phase, &self.spec.arrivals) {
            (Some(Phase { on: true, .. }), Arrivals::OnOff { on_s, off_s }) => {
                self.rate_per_s * (on_s + off_s) / on_s
            }
            (Some(_), _) => 0.0,
            (None, _) => self.rate_per_s,
        }
    }

    /// Sets the mean rate from an instant on, flows per second, at least 0.
    pub fn set_rate(&mut self, now: Moment, rate_per_s: f64) {
        self.age(now);
        self.rate_per_s = rate_per_s;
    }

    fn age(&mut self, now: Moment) {
        let expected = self.rate_now() * now.since(self.at);
        self.left = (self.left - expected).max(0.0);
        self.at = now;
    }

    /// The next instant at which something happens here, if the rate stays.
    #[must_use]
    pub fn due(&self) -> Moment {
        if let Arrivals::Recorded(list) = &self.spec.arrivals {
            return list.get(self.number as usize).map_or(Moment::NEVER, |row| row.0.into());
        }
        let arrival = self.at.after(self.left / self.rate_now());
        self.phase.map_or(arrival, |phase| phase.until.min(arrival))
    }

    /// Does what is due at `now`: a flow, or none if only the phase changes.
    pub fn step(&mut self, now: Moment) -> Option<Sent> {
        if let (Some(phase), Arrivals::OnOff { on_s, off_s }) = (self.phase, &self.spec.arrivals)
            && phase.until <= now
        {
            let (on_s, off_s) = (*on_s, *off_s);
            self.age(now);
            let on = !phase.on;
            let entity = mix(self.key.entity ^ mix(phase.number));
            let key = StreamKey { entity, purpose: "flow-phase", ..self.key };
            let lasts = Stream::new(key).exponential() * if on { on_s } else { off_s };
            let until = now.after(lasts);
            self.phase = Some(Phase { on, until, number: phase.number + 1 });
            return None;
        }
        let number = self.number;
        self.number += 1;
        if let Arrivals::Recorded(list) = &self.spec.arrivals {
            let bits = list[number as usize].1;
            return Some(Sent { number, bits, stream: flow_stream(self.key, number) });
        }
        self.at = now;
        let mut draws = self.draws(number);
        // The first draw was the gap before this flow.
        draws.exponential();
        let bits = self.spec.size.sample(self.spec.mean_bits, &mut draws);
        self.left = self.draws(number + 1).exponential();
        Some(Sent { number, bits, stream: flow_stream(self.key, number) })
    }

    /// Whose draws they are.
    #[must_use]
    pub fn key(&self) -> StreamKey {
        self.key
    }
}
