//! One server: who is served next.

use super::agenda::{Agenda, Event};
use super::job::{Job, Place};
use super::sharing::Sharing;
use super::slab::Slab;
use super::spec::{Discipline, ServerSpec};
use super::stats::ServerStats;
use crate::kernel::{SimSpan, SimTime};
use std::collections::VecDeque;

/// A job in a queue, as long as the stamp holds.
pub(super) type Ticket = (u32, u32);

/// The jobs of a cell and what is to happen with them.
#[derive(Debug)]
pub(super) struct Floor {
    pub(super) agenda: Agenda,
    pub(super) jobs: Slab<Job>,
}

/// How a server keeps its jobs.
#[derive(Clone, Debug)]
enum Order {
    Fifo(VecDeque<Ticket>),
    Sharing(Box<Sharing>),
    Priority { queues: Vec<VecDeque<Ticket>>, running: Vec<u32>, preemptive: bool },
}

/// Integrals over time of the numbers in the system and at work, times nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Levels {
    changed: SimTime,
    system: f64,
    busy: f64,
}

/// One server.
#[derive(Clone, Debug)]
pub(super) struct Station {
    index: u32,
    /// Who it is among the entities of the agenda.
    entity: u32,
    pub(super) cores: u32,
    speed: f64,
    /// Nanoseconds per core-second of demand.
    pub(super) pace_ns: f64,
    /// Whether it works; what it holds when it goes down is lost.
    pub(super) up: bool,
    /// Counts changes of its state: what was planned in an earlier one is out of date.
    pub(super) epoch: u32,
    slots: u32,
    queue_max: u32,
    waiting: u32,
    /// Tickets in the queues whose jobs left, at most.
    stale: u32,
    in_service: u32,
    order: Order,
    levels: Levels,
    completed: u64,
    refused: u64,
    /// Mean time that recent attempts took here, seconds.
    pub(super) recent_s: f64,
}

/// Tickets out of date that are never worth a sweep.
const STALE_MIN: u32 = 32;

/// Weight of the newest attempt in [`Station::recent_s`].
const RECENT_GAIN: f64 = 0.1;

impl Station {
    pub(super) fn new(spec: &ServerSpec, index: u32, entity: u32) -> Station {
        assert!(spec.cores > 0 && spec.concurrency > 0, "a server serves");
        assert!(spec.speed > 0.0 && spec.speed.is_finite(), "a server works");
        let slots = match spec.discipline {
            Discipline::ProcessorSharing => spec.concurrency,
            _ => spec.concurrency.min(spec.cores),
        };
        let priority =
            |preemptive| Order::Priority { queues: Vec::new(), running: Vec::new(), preemptive };
        Station {
            index,
            entity,
            cores: spec.cores,
            speed: spec.speed,
            pace_ns: 1e9 / spec.speed,
            up: true,
            epoch: 0,
            slots,
            queue_max: spec.queue_max.unwrap_or(u32::MAX),
            waiting: 0,
            stale: 0,
            in_service: 0,
            order: match spec.discipline {
                Discipline::Fifo => Order::Fifo(VecDeque::new()),
                Discipline::ProcessorSharing => Order::Sharing(Box::default()),
                Discipline::PreemptivePriority => priority(true),
                Discipline::Priority => priority(false),
            },
            levels: Levels::default(),
            completed: 0,
            refused: 0,
            recent_s: 0.0,
        }
    }

    /// Brings the integrals over time to an instant; to be called before any number changes.
    #[inline]
    fn settle(&mut self, now: SimTime) {
        let nanos = now.since(self.levels.changed).0 as f64;
        self.levels.system += nanos * f64::from(self.in_system());
        self.levels.busy += nanos * f64::from(self.in_service.min(self.cores));
        self.levels.changed = now;
    }

    /// Attempts waiting or in service.
    #[inline]
    pub(super) fn in_system(&self) -> u32 {
        self.waiting + self.in_service
    }

    /// Takes a job in. False: its queue is full.
    #[inline]
    pub(super) fn offer(&mut self, floor: &mut Floor, job: u32) -> bool {
        let now = floor.agenda.now;
        let starts = self.in_service < self.slots || self.displaces(floor, job);
        if !starts && self.waiting >= self.queue_max {
            self.refused += 1;
            return false;
        }
        self.settle(now);
        let it = &mut floor.jobs[job];
        it.server = self.index;
        it.came = now.0;
        if starts {
            self.start(floor, job);
        } else {
            self.wait(floor, job, false);
        }
        true
    }

    /// A job in service is done.
    #[inline]
    pub(super) fn finish(&mut self, floor: &mut Floor, job: u32) {
        let now = floor.agenda.now;
        self.completed += 1;
        let it = &mut floor.jobs[job];
        it.at_server_ns = now.0 - it.came;
        self.recent_s += RECENT_GAIN * (it.at_server_ns as f64 * 1e-9 - self.recent_s);
        self.release(floor, job);
    }

    /// A job that waits or is in service leaves before it is done.
    pub(super) fn abandon(&mut self, floor: &mut Floor, job: u32) {
        let now = floor.agenda.now;
        floor.jobs[job].at_server_ns = now.0 - floor.jobs[job].came;
        if floor.jobs[job].place == Place::Waiting {
            // The ticket stays in its queue until it is reached.
            floor.jobs[job].place = Place::Returning;
            self.settle(now);
            self.waiting -= 1;
            self.stale += 1;
            if self.stale > self.waiting + STALE_MIN {
                self.sweep(floor);
            }
        } else {
            if let Order::Sharing(sharing) = &mut self.order {
                sharing.forget(job);
            }
            self.release(floor, job);
        }
    }

    /// Throws away the tickets of those who left their queue.
    fn sweep(&mut self, floor: &Floor) {
        self.stale = 0;
        let waits = |ticket: &Ticket| {
            floor.jobs.holds(ticket.0, ticket.1) && floor.jobs[ticket.0].place == Place::Waiting
        };
        match &mut self.order {
            Order::Fifo(queue) => queue.retain(waits),
            Order::Sharing(sharing) => sharing.queue.retain(waits),
            Order::Priority { queues, .. } => queues.iter_mut().for_each(|it| it.retain(waits)),
        }
    }

    /// Frees the core of a job that leaves and starts who waits.
    #[inline]
    fn release(&mut self, floor: &mut Floor, job: u32) {
        let now = floor.agenda.now;
        self.settle(now);
        if let Order::Priority { running, .. } = &mut self.order {
            running.retain(|&other| other != job);
        }
        // From here on it is nobody's: the queue must not find it.
        floor.jobs[job].place = Place::Returning;
        if let Order::Sharing(sharing) = &mut self.order {
            sharing.advance(now, self.in_service, self.cores);
        }
        self.in_service -= 1;
        if self.waiting > 0
            && let Some(next) = self.next_waiting(floor)
        {
            self.waiting -= 1;
            self.start(floor, next);
        }
        self.look_ahead(floor);
    }

    /// Puts a job on a core.
    #[inline]
    fn start(&mut self, floor: &mut Floor, job: u32) {
        let now = floor.agenda.now;
        let stamp = floor.jobs.stamp(job);
        let it = &mut floor.jobs[job];
        it.place = Place::InService;
        it.resumed = now.0;
        if let Order::Sharing(sharing) = &mut self.order {
            sharing.advance(now, self.in_service, self.cores);
            sharing.enter(it.left_s / self.speed, job, stamp);
            self.in_service += 1;
            self.look_ahead(floor);
            return;
        }
        self.in_service += 1;
        it.turn = it.turn.wrapping_add(1);
        let turn = it.turn;
        // To the nearest nanosecond: no bias over many.
        let nanos = (it.left_s * self.pace_ns + 0.5) as u64;
        if let Order::Priority { running, .. } = &mut self.order {
            running.push(job);
        }
        let at = now.after(SimSpan(nanos));
        floor.agenda.schedule(at, self.entity, Event::Done { job, stamp, turn });
    }

    /// Whether a job may interrupt another; if so that one goes back to its queue.
    #[inline]
    fn displaces(&mut self, floor: &mut Floor, job: u32) -> bool {
        let Order::Priority { running, preemptive: true, .. } = &mut self.order else {
            return false;
        };
        let now = floor.agenda.now;
        let urgency = |at: &u32| {
            let other = &floor.jobs[*at];
            (other.priority, other.came, other.sent)
        };
        let Some((index, least)) =
            running.iter().copied().enumerate().max_by_key(|(_, other)| urgency(other))
        else {
            return false;
        };
        let priority = floor.jobs[job].priority;
        let other = &mut floor.jobs[least];
        if other.priority <= priority {
            return false;
        }
        running.remove(index);
        let done_s = now.since(SimTime(other.resumed)).seconds() * self.speed;
        other.left_s = (other.left_s - done_s).max(0.0);
        // Makes the event of its completion out of date.
        other.turn = other.turn.wrapping_add(1);
        self.in_service -= 1;
        self.wait(floor, least, true);
        true
    }

    /// Puts a job in its queue, in front if it was interrupted.
    fn wait(&mut self, floor: &mut Floor, job: u32, front: bool) {
        self.waiting += 1;
        let ticket = (job, floor.jobs.stamp(job));
        let it = &mut floor.jobs[job];
        it.place = Place::Waiting;
        let queue = match &mut self.order {
            Order::Fifo(queue) => queue,
            Order::Sharing(sharing) => &mut sharing.queue,
            Order::Priority { queues, .. } => {
                let at = usize::from(it.priority);
                if queues.len() <= at {
                    queues.resize_with(at + 1, VecDeque::new);
                }
                &mut queues[at]
            }
        };
        if front { queue.push_front(ticket) } else { queue.push_back(ticket) }
    }

    /// The next job that still waits.
    #[inline]
    fn next_waiting(&mut self, floor: &Floor) -> Option<u32> {
        let valid = |(job, stamp): Ticket| {
            let waits = floor.jobs.holds(job, stamp) && floor.jobs[job].place == Place::Waiting;
            waits.then_some(job)
        };
        let first = |queue: &mut VecDeque<Ticket>| {
            while let Some(ticket) = queue.pop_front() {
                if let Some(job) = valid(ticket) {
                    return Some(job);
                }
            }
            None
        };
        match &mut self.order {
            Order::Fifo(queue) => first(queue),
            Order::Sharing(sharing) => first(&mut sharing.queue),
            Order::Priority { queues, .. } => queues.iter_mut().find_map(first),
        }
    }

    /// Makes sure that a processor-sharing server looks in time who is done.
    #[inline]
    fn look_ahead(&mut self, floor: &mut Floor) {
        let Order::Sharing(sharing) = &mut self.order else { return };
        let now = floor.agenda.now;
        if let Some(at) = sharing.next_look(now, self.in_service, self.cores) {
            let event = Event::Tick { server: self.index, epoch: sharing.epoch };
            floor.agenda.schedule(at, self.entity, event);
        }
    }

    /// A look whether somebody is done; the job if so. To be repeated until there is none.
    pub(super) fn tick(&mut self, floor: &mut Floor, epoch: u32) -> Option<u32> {
        let now = floor.agenda.now;
        let Order::Sharing(sharing) = &mut self.order else { return None };
        if sharing.epoch != epoch {
            return None;
        }
        sharing.advance(now, self.in_service, self.cores);
        sharing.due(&floor.jobs, self.in_service, self.cores)
    }

    /// After a look: the next one.
    pub(super) fn ticked(&mut self, floor: &mut Floor, epoch: u32) {
        let Order::Sharing(sharing) = &mut self.order else { return };
        if sharing.epoch == epoch {
            sharing.looked();
            self.look_ahead(floor);
        }
    }

    pub(super) fn stats(&mut self, now: SimTime, seconds: f64) -> ServerStats {
        self.settle(now);
        let mean = |area: f64, present: u32| {
            if seconds > 0.0 { area * 1e-9 / seconds } else { f64::from(present) }
        };
        let busy = self.in_service.min(self.cores);
        ServerStats {
            completed: self.completed,
            refused: self.refused,
            in_system_mean: mean(self.levels.system, self.in_system()),
            utilisation: mean(self.levels.busy, busy) / f64::from(self.cores),
        }
    }

    pub(super) fn reset(&mut self, now: SimTime) {
        self.levels = Levels { changed: now, ..Levels::default() };
        self.completed = 0;
        self.refused = 0;
    }
}
