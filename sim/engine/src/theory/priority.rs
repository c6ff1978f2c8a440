//! One server, several classes, strict priority.
//!
//! Source: A. Cobham (1954); L. Kleinrock, Queueing Systems, volume 2 (1976), chapter 3.

/// A class of requests, the most urgent first.
#[derive(Clone, Copy, Debug)]
pub struct Class {
    /// Work that arrives per second and server.
    pub load: f64,
    /// Mean service time, s.
    pub service: f64,
    /// Squared coefficient of variation of service.
    pub cv2: f64,
}

impl Class {
    /// Mean remaining work of the request that an arrival finds in service.
    fn residual(&self) -> f64 {
        0.5 * self.load * self.service * (1.0 + self.cv2)
    }
}

/// Mean wait of each class, s, if work that was begun is finished first.
#[must_use]
pub fn non_preemptive_waits(classes: &[Class]) -> Vec<f64> {
    let residual: f64 = classes.iter().map(Class::residual).sum();
    let mut above = 0.0;
    let wait = |class: &Class| {
        let before = above;
        above += class.load;
        residual / ((1.0 - before) * (1.0 - above))
    };
    classes.iter().map(wait).collect()
}

/// Mean time in system of each class, s, if an urgent arrival interrupts and the interrupted work
/// goes on later where it stopped.
#[must_use]
pub fn preemptive_sojourns(classes: &[Class]) -> Vec<f64> {
    let (mut above, mut residual) = (0.0, 0.0);
    let sojourn = |class: &Class| {
        let before = above;
        above += class.load;
        residual += class.residual();
        class.service / (1.0 - before) + residual / ((1.0 - before) * (1.0 - above))
    };
    classes.iter().map(sojourn).collect()
}
