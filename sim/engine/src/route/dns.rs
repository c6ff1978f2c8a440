//! Which answer users follow: caches that age, and the answers in them.
//!
//! Model. A request follows the answer that was fetched some time ago: the *age* of the answer. A
//! request's age is drawn from one of three laws:
//!
//! - caches that obey the time to live (TTL): uniform between 0 and TTL;
//! - caches that keep every answer for at least a floor: uniform between 0 and the longer of TTL
//!   and floor;
//! - sticky users, who ignore the TTL: exponential.
//!
//! The share of requests that still follow an earlier answer `t` after a change is the share whose
//! age is above `t` ([`Ageing::stale_share`]). For caches that obey it is 1 - t / TTL. Several
//! changes compose by themselves: a request of age `a` follows whatever was answered `a` ago.
//!
//! Calibration. Published for TTL 20 s: 90 % of requests follow a new answer within 60 s, and 2 %
//! still follow the old one after 15 minutes (Flavel, Mani, Maltz, "Re-evaluating the
//! responsiveness of DNS-based network control", LANMAN 2014). With a floor of at most 60 s only
//! the sticky are left at both instants, so their share s and mean m follow from
//! s exp(-60/m) = 0.1 and s exp(-900/m) = 0.02: m = 840 s / ln 5 = 521.9 s, s = 0.1122. Rounded to
//! 11.2 % and 522 s ([`crate::scenario::Caches::default`]). How many caches have a floor is not
//! published: 20 % with 60 s is our assumption; it touches the first minute only.

use crate::kernel::{SimSpan, SimTime, math};
use crate::scenario::Caches;
use std::rc::Rc;

/// Below this share of requests an earlier answer is forgotten: a millionth.
pub const SETTLED: f64 = 1e-6;

/// The law of the ages of answers for one TTL.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ageing {
    ttl_s: f64,
    floor_s: f64,
    floor_share: f64,
    sticky_share: f64,
    sticky_mean_s: f64,
}

/// Share of ages above `age_s` where ages are uniform up to `longest_s`; mean over an interval.
fn uniform_mean(from_s: f64, to_s: f64, longest_s: f64) -> f64 {
    if from_s >= longest_s {
        0.0
    } else if to_s <= longest_s {
        1.0 - (from_s + to_s) / 2.0 / longest_s
    } else {
        let left = longest_s - from_s;
        left * left / (2.0 * longest_s * (to_s - from_s))
    }
}

/// The same where ages are exponential.
fn exponential_mean(from_s: f64, to_s: f64, mean_s: f64) -> f64 {
    let x = (to_s - from_s) / mean_s;
    // Mean of exp over [0, x]. Its series where the difference would lose digits: the next term is
    // below 1e-16.
    let over = if x < 1e-4 {
        1.0 - x / 2.0 + x * x / 6.0 - x * x * x / 24.0
    } else {
        (1.0 - math::exp(-x)) / x
    };
    math::exp(-from_s / mean_s) * over
}

impl Ageing {
    /// The law for answers of a TTL (above zero).
    #[must_use]
    pub fn new(ttl: SimSpan, caches: &Caches) -> Ageing {
        assert!(ttl.0 > 0 && caches.sticky_mean.0 > 0, "ages need a scale");
        let ttl_s = ttl.seconds();
        Ageing {
            ttl_s,
            floor_s: caches.ttl_floor.seconds().max(ttl_s),
            floor_share: caches.floor_share,
            sticky_share: caches.sticky_share,
            sticky_mean_s: caches.sticky_mean.seconds(),
        }
    }

    /// Share of requests whose answer is older than `age_s` seconds, 1 down to 0.
    #[must_use]
    pub fn stale_share(&self, age_s: f64) -> f64 {
        self.stale_share_mean(age_s, age_s)
    }

    /// Mean of [`Ageing::stale_share`] over ages from `from_s` to `to_s`, in closed form.
    #[must_use]
    pub fn stale_share_mean(&self, from_s: f64, to_s: f64) -> f64 {
        assert!(0.0 <= from_s && from_s <= to_s, "ages run forwards");
        // As differences to the caches that obey, so that age 0 gives exactly 1.
        let obeying = uniform_mean(from_s, to_s, self.ttl_s);
        obeying
            + self.floor_share * (uniform_mean(from_s, to_s, self.floor_s) - obeying)
            + self.sticky_share * (exponential_mean(from_s, to_s, self.sticky_mean_s) - obeying)
    }

    /// How long shares may be taken as constant when the last change is `age_s` ago: a tenth of
    /// the TTL while caches empty, then a tenth of the sticky mean; at least a second.
    #[must_use]
    pub fn step_s(&self, age_s: f64) -> f64 {
        let empties_s = if self.floor_share > 0.0 { self.floor_s } else { self.ttl_s };
        let fast = self.ttl_s / 10.0;
        let step = if age_s < empties_s { fast } else { fast.max(self.sticky_mean_s / 10.0) };
        step.max(1.0)
    }
}

/// What was answered since an instant: share of queries for each candidate.
#[derive(Clone, Debug, PartialEq)]
struct Epoch {
    since: SimTime,
    answer: Rc<[f64]>,
}

/// The answers that somebody got over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// Ascending; the first holds since ever.
    epochs: Vec<Epoch>,
}

impl Answers {
    /// The same answer since ever.
    #[must_use]
    pub fn always(answer: Rc<[f64]>) -> Answers {
        Answers { epochs: vec![Epoch { since: SimTime::ZERO, answer }] }
    }

    /// From `at` on, not before the last change, queries are answered so. The same answer again
    /// is no change.
    pub fn change(&mut self, at: SimTime, answer: &Rc<[f64]>) {
        let last = self.epochs.last().expect("there is always an answer");
        if last.answer == *answer {
            return;
        }
        assert!(last.since <= at, "answers change in order");
        if self.epochs.len() > 1 && last.since == at {
            self.epochs.pop();
            return self.change(at, answer);
        }
        self.epochs.push(Epoch { since: at, answer: Rc::clone(answer) });
    }

    /// Forgets answers that fewer than [`SETTLED`] of the requests still follow.
    pub fn forget(&mut self, ageing: &Ageing, now: SimTime) {
        let settled =
            |epoch: &Epoch| ageing.stale_share(now.since(epoch.since).seconds()) < SETTLED;
        // An epoch that begins this long ago has replaced all before it.
        let first = self.epochs.iter().rposition(settled).unwrap_or(0);
        self.epochs.drain(..first);
    }

    /// Whether all requests follow one answer.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.epochs.len() == 1
    }

    /// Instant of the last change that has not settled.
    #[must_use]
    pub fn changed_at(&self) -> Option<SimTime> {
        (!self.settled()).then(|| self.epochs[self.epochs.len() - 1].since)
    }

    /// Adds `weight` times the mean share of requests that follow each candidate between two
    /// instants, none of them before the last change. Returns the share of requests that follow an
    /// earlier answer than the last.
    pub fn add_shares(
        &self,
        ageing: &Ageing,
        (from, to): (SimTime, SimTime),
        weight: f64,
        shares: &mut [f64],
    ) -> f64 {
        // Shares of epochs are differences of one falling function, so they add up to 1.
        let mut older = 0.0;
        let mut stale = 0.0;
        for (index, epoch) in self.epochs.iter().enumerate() {
            stale = older;
            let not_newer = match self.epochs.get(index + 1) {
                Some(next) => ageing.stale_share_mean(
                    from.since(next.since).seconds(),
                    to.since(next.since).seconds(),
                ),
                None => 1.0,
            };
            for (share, answer) in shares.iter_mut().zip(epoch.answer.iter()) {
                *share += weight * (not_newer - older) * answer;
            }
            older = not_newer;
        }
        stale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: SimSpan = SimSpan::from_seconds(20);

    fn at(seconds: f64) -> SimTime {
        SimTime::ZERO.after(SimSpan::from_seconds_f64_ceil(seconds))
    }

    fn only_obeying() -> Ageing {
        let caches = Caches { floor_share: 0.0, sticky_share: 0.0, ..Caches::default() };
        Ageing::new(TTL, &caches)
    }

    fn shares(answers: &Answers, ageing: &Ageing, now: SimTime) -> Vec<f64> {
        let mut shares = vec![0.0; answers.epochs[0].answer.len()];
        answers.add_shares(ageing, (now, now), 1.0, &mut shares);
        shares
    }

    fn unit(candidates: usize, which: usize) -> Rc<[f64]> {
        (0..candidates).map(|index| if index == which { 1.0 } else { 0.0 }).collect()
    }

    /// V25 of the case list: Flavel, Mani, Maltz, LANMAN 2014.
    #[test]
    fn the_defaults_give_the_published_step_response() {
        let ageing = Ageing::new(TTL, &Caches::default());
        assert_eq!(ageing.stale_share(0.0), 1.0);
        assert!((ageing.stale_share(60.0) - 0.10).abs() < 0.0005, "{}", ageing.stale_share(60.0));
        assert!((ageing.stale_share(900.0) - 0.02).abs() < 0.0005, "{}", ageing.stale_share(900.0));
    }

    #[test]
    fn caches_that_obey_empty_linearly() {
        let ageing = only_obeying();
        for (age_s, share) in [(0.0, 1.0), (5.0, 0.75), (10.0, 0.5), (20.0, 0.0), (21.0, 0.0)] {
            assert_eq!(ageing.stale_share(age_s), share);
        }
    }

    #[test]
    fn means_are_those_of_a_fine_sum() {
        let ageing = Ageing::new(TTL, &Caches::default());
        for (from, to) in [(0.0, 2.0), (19.0, 21.0), (0.0, 100.0), (50.0, 70.0), (900.0, 952.2)] {
            let steps = 200_000;
            let width = (to - from) / f64::from(steps);
            let sum: f64 =
                (0..steps).map(|i| ageing.stale_share(from + (f64::from(i) + 0.5) * width)).sum();
            let mean = sum / f64::from(steps);
            assert!((ageing.stale_share_mean(from, to) - mean).abs() < 1e-9, "{from} to {to}");
        }
        // Where the series takes over from the quotient.
        let (below, above) =
            (exponential_mean(0.0, 0.9999e-4, 1.0), exponential_mean(0.0, 1.0001e-4, 1.0));
        assert!((below - above - 1e-8).abs() < 1e-11, "{}", below - above);
    }

    #[test]
    fn a_second_change_does_not_stop_the_first_from_ageing() {
        let ageing = only_obeying();
        let mut answers = Answers::always(unit(3, 0));
        answers.change(at(100.0), &unit(3, 1));
        answers.change(at(108.0), &unit(3, 2));
        // At 112: a fifth of the caches were filled since 108, two fifths between, the rest before.
        let now = shares(&answers, &ageing, at(112.0));
        for (share, expected) in now.iter().zip([0.4, 0.4, 0.2]) {
            assert!((share - expected).abs() < 1e-12, "{now:?}");
        }
        // At 124: nothing from before 104 is left.
        let later = shares(&answers, &ageing, at(124.0));
        for (share, expected) in later.iter().zip([0.0, 0.2, 0.8]) {
            assert!((share - expected).abs() < 1e-12, "{later:?}");
        }
    }

    #[test]
    fn shares_add_up_to_one_after_any_history() {
        let ageing = Ageing::new(TTL, &Caches::default());
        let mut stream = crate::kernel::Stream::new(crate::kernel::StreamKey {
            seed: 7,
            replication: 0,
            purpose: "test",
            entity: 0,
        });
        let mut now_s = 0.0;
        let mut answers = Answers::always(unit(4, 0));
        for round in 0..2_000 {
            now_s += stream.uniform() * 40.0;
            if round % 3 == 0 {
                let split = stream.uniform();
                answers.change(at(now_s), &Rc::from([split, 0.0, 1.0 - split, 0.0]));
            } else {
                answers.change(at(now_s), &unit(4, round % 4));
            }
            answers.forget(&ageing, at(now_s));
            let later = at(now_s + stream.uniform() * 100.0);
            let mut shares = vec![0.0; 4];
            let stale = answers.add_shares(&ageing, (at(now_s), later), 1.0, &mut shares);
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{shares:?}");
            assert!(shares.iter().all(|&share| share >= -1e-15) && (0.0..=1.0).contains(&stale));
        }
    }

    #[test]
    fn what_has_aged_out_is_forgotten() {
        let ageing = only_obeying();
        let mut answers = Answers::always(unit(2, 0));
        answers.change(at(10.0), &unit(2, 0));
        assert!(answers.settled(), "the same answer again is no change");
        answers.change(at(10.0), &unit(2, 1));
        answers.forget(&ageing, at(29.9));
        assert_eq!(answers.changed_at(), Some(at(10.0)));
        answers.forget(&ageing, at(30.0));
        assert!(answers.settled());
        assert_eq!(shares(&answers, &ageing, at(30.0)), [0.0, 1.0]);
        let sticky = Ageing::new(TTL, &Caches::default());
        answers.change(at(100.0), &unit(2, 0));
        answers.forget(&sticky, at(100.0 + 522.0 * 11.0));
        assert!(!answers.settled(), "0.112 exp(-11) is two millionths");
        answers.forget(&sticky, at(100.0 + 522.0 * 12.0));
        assert!(answers.settled());
    }
}
