//! Processor sharing by attained service: everybody in service attains the same per second, so a
//! job is done when what each has attained reaches a mark set at its entry.

use super::job::Job;
use super::slab::Slab;
use super::station::Ticket;
use crate::kernel::{SimSpan, SimTime};
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// A job with the attained service at which it is done.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at_s: f64,
    order: u64,
    job: u32,
    stamp: u32,
}

impl PartialEq for Mark {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Mark {}

impl PartialOrd for Mark {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Mark {
    /// The heap gives the greatest: the earliest mark must be it.
    fn cmp(&self, other: &Self) -> Ordering {
        other.at_s.total_cmp(&self.at_s).then(other.order.cmp(&self.order))
    }
}

/// The jobs in service of one processor-sharing server.
#[derive(Clone, Debug, Default)]
pub(super) struct Sharing {
    /// Core time that a job in service since the server was last idle has had, seconds.
    attained_s: f64,
    updated: SimTime,
    /// By how much the attained service is that of an instant before `updated`, seconds: looks are
    /// at whole nanoseconds, completions are not.
    behind_s: f64,
    marks: BinaryHeap<Mark>,
    entered: u64,
    /// Jobs beyond the limit of concurrency.
    pub(super) queue: VecDeque<Ticket>,
    /// When the next look is to be, if any.
    look_at: Option<SimTime>,
    /// A look of an earlier epoch is out of date.
    pub(super) epoch: u32,
}

/// Share of a core that each of `jobs` gets.
#[inline]
fn share(jobs: u32, cores: u32) -> f64 {
    if jobs <= cores { 1.0 } else { f64::from(cores) / f64::from(jobs) }
}

impl Sharing {
    /// Brings the attained service to an instant; `jobs` have been in service since the last.
    #[inline]
    pub(super) fn advance(&mut self, now: SimTime, jobs: u32, cores: u32) {
        if jobs == 0 {
            // Starting from 0 whenever idle keeps the numbers small, so exact.
            self.attained_s = 0.0;
            self.behind_s = 0.0;
            self.marks.clear();
        } else if now > self.updated {
            let seconds = now.since(self.updated).seconds() + self.behind_s;
            self.attained_s += seconds * share(jobs, cores);
            self.behind_s = 0.0;
        }
        self.updated = now;
    }

    /// A job that needs `core_s` of a core enters.
    #[inline]
    pub(super) fn enter(&mut self, core_s: f64, job: u32, stamp: u32) {
        self.entered += 1;
        let at_s = self.attained_s + core_s;
        self.marks.push(Mark { at_s, order: self.entered, job, stamp });
    }

    /// Takes a job out that is not done.
    pub(super) fn forget(&mut self, job: u32) {
        self.marks.retain(|mark| mark.job != job);
    }

    /// A job that is done by now, and the attained service moved back to when it was: the time
    /// since then is shared by those left and who comes in its place.
    #[inline]
    pub(super) fn due(&mut self, jobs: &Slab<Job>, inside: u32, cores: u32) -> Option<u32> {
        let mark = *self.marks.peek()?;
        assert!(jobs.holds(mark.job, mark.stamp), "who leaves early is forgotten");
        let since_s = self.behind_s * share(inside, cores);
        if mark.at_s > self.attained_s + since_s {
            return None;
        }
        self.behind_s += (self.attained_s - mark.at_s) / share(inside, cores);
        self.attained_s = mark.at_s;
        self.marks.pop();
        Some(mark.job)
    }

    /// When to look next, if that is earlier than any look under way. The attained service must be
    /// that of now.
    #[inline]
    pub(super) fn next_look(&mut self, now: SimTime, jobs: u32, cores: u32) -> Option<SimTime> {
        let mark = self.marks.peek()?;
        let seconds = (mark.at_s - self.attained_s) / share(jobs, cores) - self.behind_s;
        let at = now.after(SimSpan::from_seconds_f64_ceil(seconds));
        // A look that comes too early does no harm: it looks again.
        if self.look_at.is_some_and(|look| look <= at) {
            return None;
        }
        self.look_at = Some(at);
        self.epoch = self.epoch.wrapping_add(1);
        Some(at)
    }

    /// The look under way has been taken.
    #[inline]
    pub(super) fn looked(&mut self) {
        self.look_at = None;
    }
}
