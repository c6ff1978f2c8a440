//! The same M/M/1 as one model of nexosim 1.0, on its single-threaded executor.

use crate::mm1::Chance;
use crate::outcome::{Moments, Outcome};
use nexosim::model::{Context, Model, schedulable};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

/// Arrivals, queue and server in one model. What cannot be saved is skipped.
#[derive(Serialize, Deserialize)]
struct Station {
    customers: u64,
    arrived: u64,
    departed: u64,
    #[serde(skip)]
    chance: Option<Chance>,
    #[serde(skip)]
    waiting: VecDeque<MonotonicTime>,
    #[serde(skip)]
    sojourn: Moments,
    #[serde(skip)]
    done: Option<Sender<Outcome>>,
}

impl Station {
    fn gap(&mut self) -> Duration {
        let chance = self.chance.as_mut().expect("set when the station is built");
        // nexosim refuses events at the current instant; gaps of 0 ns do not occur in the draws.
        Duration::from_nanos(chance.gap())
    }

    fn service(&mut self) -> Duration {
        let chance = self.chance.as_mut().expect("set when the station is built");
        Duration::from_nanos(chance.service())
    }
}

#[Model]
impl Station {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        let gap = self.gap();
        context.schedule_event(gap, schedulable!(Self::arrive), ()).expect("in the future");
    }

    #[nexosim(schedulable)]
    fn arrive(&mut self, _: (), context: &Context<Self>) {
        self.waiting.push_back(context.time());
        if self.waiting.len() == 1 {
            let service = self.service();
            context.schedule_event(service, schedulable!(Self::depart), ()).expect("in the future");
        }
        self.arrived += 1;
        if self.arrived < self.customers {
            let gap = self.gap();
            context.schedule_event(gap, schedulable!(Self::arrive), ()).expect("in the future");
        }
    }

    #[nexosim(schedulable)]
    fn depart(&mut self, _: (), context: &Context<Self>) {
        let came = self.waiting.pop_front().expect("whoever departs was waiting");
        let nanos = context.time().duration_since(came).as_nanos();
        self.sojourn.add(u64::try_from(nanos).expect("a sojourn is far below 584 years"));
        self.departed += 1;
        if !self.waiting.is_empty() {
            let service = self.service();
            context.schedule_event(service, schedulable!(Self::depart), ()).expect("in the future");
        } else if self.departed == self.customers {
            let outcome = Outcome {
                events: self.arrived + self.departed,
                sojourn_seconds_mean: self.sojourn.mean_seconds(),
                sojourn_seconds2_variance: Some(self.sojourn.variance_seconds2()),
                fingerprint: None,
            };
            let done = self.done.take().expect("the last customer departs once");
            done.send(outcome).expect("the receiver outlives the simulation");
        }
    }
}

/// On nexosim, with streaming mean and variance.
pub fn on_nexosim(customers: u64) -> Outcome {
    let (done, outcome) = channel();
    let station = Station {
        customers,
        arrived: 0,
        departed: 0,
        chance: Some(Chance::new()),
        waiting: VecDeque::new(),
        sojourn: Moments::default(),
        done: Some(done),
    };
    let mut simulation = SimInit::with_num_threads(1)
        .add_model(station, Mailbox::new(), "station")
        .init(MonotonicTime::EPOCH)
        .expect("the bench is well formed");
    simulation.run().expect("the simulation runs to its end");
    outcome.recv().expect("the last customer has departed")
}
