//! What clients do when no answer comes: give up, send a second copy, try again.

use super::agenda::Event;
use super::cell::Cell;
use super::chance::{self, Purpose};
use super::job::{NONE, Place};
use super::spec::RetrySpec;
use super::stats::Cause;
use crate::kernel::SimSpan;

impl Cell {
    /// The client of an attempt waits no longer.
    pub(super) fn time_out(&mut self, job: u32) {
        let it = self.floor.jobs[job];
        if it.request == NONE {
            return;
        }
        let client = &self.clients[self.sources[it.source as usize].client as usize];
        let stops = client.timeout_stops_server;
        let now = self.now().0;
        self.detach(it.request, job);
        if it.connection != NONE {
            self.request_given_up(it.connection);
        }
        let unsent = it.place == Place::Travelling && now < it.sent + it.setup_ns;
        match it.place {
            Place::Returning => self.floor.jobs.remove(job),
            _ if stops || unsent => self.withdraw(job),
            _ => {
                // The server works on, for nobody.
                let it = &mut self.floor.jobs[job];
                (it.request, it.connection) = (NONE, NONE);
            }
        }
        self.attempt_lost(it.request, Cause::TimedOut);
    }

    /// No answer yet: a second copy, if the first is still under way and the budget allows.
    pub(super) fn hedge(&mut self, request: u32) {
        let it = self.requests[request];
        let alive = it.live.iter().filter(|job| **job != NONE).count();
        if it.hedged || alive != 1 || !self.may_pay(it.source) {
            return;
        }
        self.classes[self.sources[it.source as usize].class as usize].hedges += 1;
        self.send(request, true);
    }

    /// An answer came to the other copy: this one is stopped wherever it is.
    pub(super) fn cancel(&mut self, job: u32) {
        let connection = self.floor.jobs[job].connection;
        if connection != NONE {
            self.request_given_up(connection);
        }
        self.withdraw(job);
    }

    /// Takes an attempt off its server, or off its way, and forgets it.
    pub(super) fn withdraw(&mut self, job: u32) {
        let it = self.floor.jobs[job];
        if matches!(it.place, Place::Waiting | Place::InService) {
            self.stations[it.server as usize].abandon(&mut self.floor, job);
            self.left(job, false);
        }
        self.floor.jobs.remove(job);
    }

    /// An attempt came back without an answer.
    pub(super) fn attempt_failed(&mut self, job: u32, cause: Cause) {
        let request = self.floor.jobs[job].request;
        self.detach(request, job);
        self.floor.jobs.remove(job);
        self.attempt_lost(request, cause);
    }

    /// An attempt is none of its request's any more.
    pub(super) fn detach(&mut self, request: u32, job: u32) {
        for live in &mut self.requests[request].live {
            if *live == job {
                *live = NONE;
            }
        }
    }

    /// A request has lost an attempt.
    pub(super) fn attempt_lost(&mut self, request: u32, cause: Cause) {
        let source = self.requests[request].source as usize;
        let class = self.sources[source].class as usize;
        self.classes[class].attempts_failed[cause as usize] += 1;
        self.try_again(request, cause);
    }

    /// A request waits for its other copy, tries again or is dropped.
    pub(super) fn try_again(&mut self, request: u32, cause: Cause) {
        let it = self.requests[request];
        let source = &self.sources[it.source as usize];
        let class = source.class as usize;
        if it.live.iter().any(|job| *job != NONE) {
            return;
        }
        let retry = &self.clients[source.client as usize].retry;
        if it.tries > retry.max {
            self.classes[class].dropped[cause as usize] += 1;
            return self.end(request);
        }
        let pause = pause(retry, it.tries, it.seed);
        if !self.may_pay(it.source) {
            self.classes[class].dropped[cause as usize] += 1;
            return self.end(request);
        }
        self.classes[class].retries += 1;
        let event = Event::Retry { request, stamp: self.requests.stamp(request) };
        let at = self.now().after(pause);
        self.floor.agenda.schedule(at, it.source, event);
    }

    /// Takes a token out of the budget of a source, if it has one.
    fn may_pay(&mut self, source: u32) -> bool {
        let source = &mut self.sources[source as usize];
        if self.clients[source.client as usize].retry.budget.is_none() {
            return true;
        }
        if source.tokens < 1.0 {
            self.classes[source.class as usize].over_budget += 1;
            return false;
        }
        source.tokens -= 1.0;
        true
    }
}

/// Pause after attempt number `tries`, from 1.
fn pause(retry: &RetrySpec, tries: u32, seed: u64) -> SimSpan {
    let longest = retry.backoff_max.seconds();
    let mut seconds = retry.backoff.seconds();
    for _ in 1..tries {
        if seconds >= longest {
            break;
        }
        seconds *= retry.backoff_factor;
    }
    seconds = seconds.min(longest);
    if retry.jitter {
        seconds *= chance::uniform(seed, Purpose::Backoff, u64::from(tries));
    }
    SimSpan((seconds * 1e9 + 0.5) as u64)
}
