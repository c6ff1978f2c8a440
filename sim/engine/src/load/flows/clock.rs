//! The clock of a bottleneck: service per weight, and which class finishes a flow next.

use super::moment::Moment;

/// Beyond this much service, a clock starts again from 0: a float counts single millionths of a bit
/// up to here.
pub(super) const SERVICE_MAX: f64 = 1e11;

/// A class that waits at a clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    /// Reading of the clock at which the class finishes its next flow.
    pub finish: f64,
    pub class: u32,
}

/// The clock of one bottleneck.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    /// Service per second and weight; infinite where nothing binds.
    pub level: f64,
    /// Reading as of `at`.
    reading: f64,
    at: Moment,
    /// A binary heap, the next to finish first.
    waiting: Vec<Waiting>,
}

impl Clock {
    pub fn new(level: f64, at: Moment) -> Clock {
        Clock { level, reading: 0.0, at, waiting: Vec::new() }
    }

    /// Counts up to an instant and returns the reading there.
    pub fn count_to(&mut self, now: Moment) -> f64 {
        if now > self.at {
            if self.level < f64::INFINITY && !self.waiting.is_empty() {
                self.reading += self.level * now.since(self.at);
            }
            self.at = now;
        }
        self.reading
    }

    /// Sets the reading at an instant where it is known: something finishes.
    pub fn set(&mut self, reading: f64, now: Moment) {
        self.reading = reading;
        self.at = now;
    }

    /// When the next flow finishes, if the level stays.
    pub fn due(&self) -> Moment {
        match self.waiting.first() {
            None => Moment::NEVER,
            Some(_) if self.level == f64::INFINITY => self.at,
            Some(next) => self.at.after(((next.finish - self.reading) / self.level).max(0.0)),
        }
    }

    pub fn first(&self) -> Option<Waiting> {
        self.waiting.first().copied()
    }

    pub fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    /// Adds a class; `place` is told where each class that moves is now.
    pub fn push(&mut self, waiting: Waiting, mut place: impl FnMut(u32, u32)) {
        self.waiting.push(waiting);
        self.rise(self.waiting.len() - 1, &mut place);
    }

    /// Takes away the class at a place.
    pub fn remove(&mut self, at: u32, mut place: impl FnMut(u32, u32)) {
        let at = at as usize;
        self.waiting.swap_remove(at);
        if at < self.waiting.len() {
            self.rise(at, &mut place);
            self.sink(at, &mut place);
        }
        if self.waiting.is_empty() {
            self.reading = 0.0;
        }
    }

    /// Sets when the class at a place finishes.
    pub fn update(&mut self, at: u32, finish: f64, mut place: impl FnMut(u32, u32)) {
        let at = at as usize;
        let sooner = finish < self.waiting[at].finish;
        self.waiting[at].finish = finish;
        if sooner {
            self.rise(at, &mut place);
        } else {
            self.sink(at, &mut place);
        }
    }

    /// Starts again from 0 if the reading is large; says by how much all finishes came down.
    pub fn restart(&mut self) -> Option<f64> {
        if self.reading < SERVICE_MAX {
            return None;
        }
        let down = self.reading;
        self.reading = 0.0;
        self.waiting.iter_mut().for_each(|waiting| waiting.finish -= down);
        Some(down)
    }

    /// Whether one place comes before another; classes break ties.
    fn before(a: Waiting, b: Waiting) -> bool {
        a.finish < b.finish || (a.finish == b.finish && a.class < b.class)
    }

    fn rise(&mut self, mut at: usize, place: &mut impl FnMut(u32, u32)) {
        let moving = self.waiting[at];
        while at > 0 {
            let parent = (at - 1) / 2;
            if !Clock::before(moving, self.waiting[parent]) {
                break;
            }
            self.waiting[at] = self.waiting[parent];
            place(self.waiting[at].class, at as u32);
            at = parent;
        }
        self.waiting[at] = moving;
        place(moving.class, at as u32);
    }

    fn sink(&mut self, mut at: usize, place: &mut impl FnMut(u32, u32)) {
        let moving = self.waiting[at];
        loop {
            let mut child = 2 * at + 1;
            if child >= self.waiting.len() {
                break;
            }
            if child + 1 < self.waiting.len()
                && Clock::before(self.waiting[child + 1], self.waiting[child])
            {
                child += 1;
            }
            if !Clock::before(self.waiting[child], moving) {
                break;
            }
            self.waiting[at] = self.waiting[child];
            place(self.waiting[at].class, at as u32);
            at = child;
        }
        self.waiting[at] = moving;
        place(moving.class, at as u32);
    }
}

const BLOCK: usize = 64;

/// When each clock is due, with the least of every 64.
#[derive(Clone, Debug, Default)]
pub(super) struct Due {
    at: Vec<Moment>,
    least: Vec<(Moment, u32)>,
    stale: Vec<bool>,
}

impl Due {
    pub fn push(&mut self) {
        if self.at.len().is_multiple_of(BLOCK) {
            self.least.push((Moment::NEVER, 0));
            self.stale.push(true);
        }
        self.at.push(Moment::NEVER);
    }

    pub fn set(&mut self, clock: u32, at: Moment) {
        self.at[clock as usize] = at;
        self.stale[clock as usize / BLOCK] = true;
    }

    /// The first clock that is due; the least number among equals.
    pub fn first(&mut self) -> (Moment, u32) {
        let mut first = (Moment::NEVER, 0);
        for block in 0..self.least.len() {
            if self.stale[block] {
                self.stale[block] = false;
                let from = block * BLOCK;
                let to = self.at.len().min(from + BLOCK);
                let mut least = (Moment::NEVER, from as u32);
                for clock in from..to {
                    if self.at[clock] < least.0 {
                        least = (self.at[clock], clock as u32);
                    }
                }
                self.least[block] = least;
            }
            if self.least[block].0 < first.0 {
                first = self.least[block];
            }
        }
        first
    }
}
