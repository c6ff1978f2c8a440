//! The event queue against a model: whatever is pushed and popped, in any order, the queue gives
//! what an ordered map gives.

use proptest::prelude::*;
use std::collections::BTreeMap;
use steerlab_engine::kernel::{EventKey, Phase, Queue, Scheduler, SimTime};

/// One step of a random program.
#[derive(Clone, Debug)]
enum Step {
    /// Push `count` events `ahead` nanoseconds (grown by `spread` each) after the last pop.
    Push {
        ahead: u64,
        spread: u64,
        count: usize,
        phase: u8,
        source: u32,
    },
    /// Push an event at any time, earlier ones included.
    PushAnywhere {
        time: u64,
    },
    Pop(usize),
}

/// Distances that meet every level of the queue, the current instant and the end of time.
fn distance() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => Just(0),
        3 => 0_u64..40,
        3 => 0_u64..100_000,
        2 => 0_u64..5_000_000_000,
        1 => (0_u32..64).prop_flat_map(|bits| 0..=u64::MAX >> bits),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (distance(), distance(), 1_usize..300, 0_u8..16, 0_u32..4).prop_map(
            |(ahead, spread, count, phase, source)| Step::Push { ahead, spread, count, phase, source }
        ),
        1 => any::<u64>().prop_map(|time| Step::PushAnywhere { time }),
        5 => (1_usize..400).prop_map(Step::Pop),
    ]
}

/// The queue and its model, side by side.
#[derive(Default)]
struct Pair {
    queue: Queue<u64>,
    model: BTreeMap<EventKey, u64>,
    counter: u64,
    now: u64,
}

impl Pair {
    fn push(&mut self, time: u64, phase: u8, source: u32) {
        // Counters fall as often as they rise: order must come from the key, not from the call.
        let counter = self.counter ^ 1;
        let key = EventKey::new(SimTime(time), Phase(phase), source, counter);
        self.queue.push(key, self.counter);
        self.model.insert(key, self.counter);
        self.counter += 1;
    }

    fn pop_and_compare(&mut self) {
        assert_eq!(self.queue.peek_key(), self.model.keys().next().copied());
        let expected = self.model.pop_first();
        assert_eq!(self.queue.pop(), expected);
        self.now = expected.map_or(self.now, |(key, _)| key.time().0);
    }

    fn play(&mut self, step: &Step) {
        match *step {
            Step::Push { ahead, spread, count, phase, source } => {
                for index in 0..count as u64 {
                    let distance = ahead.saturating_add(spread.saturating_mul(index));
                    self.push(self.now.saturating_add(distance), phase, source);
                }
            }
            Step::PushAnywhere { time } => self.push(time, 3, 1),
            Step::Pop(count) => (0..count).for_each(|_| self.pop_and_compare()),
        }
        assert_eq!(self.queue.len(), self.model.len());
        assert_eq!(self.queue.is_empty(), self.model.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_interleaving_equals_an_ordered_map(steps in prop::collection::vec(step(), 1..40)) {
        let mut pair = Pair::default();
        for step in &steps {
            pair.play(step);
        }
        while !pair.model.is_empty() {
            pair.pop_and_compare();
        }
        prop_assert_eq!(pair.queue.pop(), None);
    }
}

/// A cheap reproducible source of numbers, independent of the kernel's own.
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn population_that_swells_and_shrinks_keeps_the_order() {
    let mut pair = Pair::default();
    let mut chance = Lcg(7);
    for target in [3, 2_000, 1, 40_000, 60, 70, 5_000, 0] {
        while pair.model.len() < target {
            let distance = chance.below(2_000_000_000);
            pair.push(pair.now + distance, 0, 0);
        }
        for _ in 0..2_000.min(target * 20) {
            pair.pop_and_compare();
            let distance = chance.below(1_000_000_000);
            pair.push(pair.now + distance, (distance % 16) as u8, 2);
        }
        while pair.model.len() > target / 2 {
            pair.pop_and_compare();
        }
    }
}

#[test]
fn event_pushed_at_the_current_instant_with_a_smaller_phase_comes_next() {
    let mut queue = Queue::default();
    let key = |time, phase, source| EventKey::new(SimTime(time), Phase(phase), source, 0);
    for source in 0..5_000 {
        queue.push(key(1_000, 8, source), "tick");
        queue.push(key(2_000 + u64::from(source), 8, source), "later");
    }
    assert_eq!(queue.pop(), Some((key(1_000, 8, 0), "tick")));
    queue.push(key(1_000, 2, 9), "urgent");
    assert_eq!(queue.pop(), Some((key(1_000, 2, 9), "urgent")));
    assert_eq!(queue.pop(), Some((key(1_000, 8, 1), "tick")));
}

#[test]
fn scheduler_counts_per_source_and_its_fingerprint_sees_order() {
    let play = |first: u32, second: u32| {
        let mut scheduler = Scheduler::new(2);
        scheduler.schedule(SimTime(5), Phase(1), first, 'a');
        scheduler.schedule(SimTime(5), Phase(1), second, 'b');
        scheduler.schedule(SimTime(4), Phase(1), first, 'c');
        let mut order = Vec::new();
        while let Some((key, event)) = scheduler.pop() {
            assert_eq!(scheduler.now(), key.time());
            order.push(event);
        }
        assert_eq!((scheduler.popped(), scheduler.pending()), (3, 0));
        (order, scheduler.fingerprint().value())
    };
    let (order, fingerprint) = play(0, 1);
    assert_eq!(order, ['c', 'a', 'b']);
    assert_eq!(play(0, 1).1, fingerprint);
    let (other_order, other_fingerprint) = play(1, 0);
    assert_eq!(other_order, ['c', 'b', 'a']);
    assert_ne!(other_fingerprint, fingerprint);
}

#[test]
#[should_panic(expected = "in the past")]
fn scheduling_in_the_past_is_a_bug() {
    let mut scheduler = Scheduler::new(1);
    scheduler.schedule(SimTime(5), Phase(0), 0, ());
    scheduler.pop();
    scheduler.schedule(SimTime(4), Phase(0), 0, ());
}
