//! Shedding by queue delay: admit as much work as keeps the servers' queue near a target, and turn
//! the lowest classes away first.
//!
//! Once a period a controller looks at the queue's delay d (seconds of work waiting) and sets the
//! admitted work a, relative to what the servers do. The queue moves by h (a - 1) in a period h.
//! PI control in velocity form, a += -Kp (d - d before) - Ki (d - target), then has the
//! characteristic polynomial z^2 - (2 - h Kp - h Ki) z + 1 - h Kp. [`Control::pi`] puts both its
//! roots at one place p: h Kp = 1 - p^2, h Ki = (1 - p)^2, stable without oscillation for p in
//! [0, 1). AIMD raises a by a step when the delay is below the target and cuts it in proportion
//! when it is above.

use serde::{Deserialize, Serialize};

/// How the admitted work follows the delay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// Additive increase, multiplicative decrease, per period.
    Aimd {
        /// Added to the admitted work.
        increase: f64,
        /// Part of the admitted work that is cut, between 0 and 1.
        decrease: f64,
    },
    /// Proportional-integral control.
    Pi {
        /// Gain on the change of the delay, per second.
        proportional_per_s: f64,
        /// Gain on the distance from the target, per second.
        integral_per_s: f64,
    },
}

impl Control {
    /// PI control with both roots at `pole`, in [0, 1): the distance to the target shrinks about
    /// by that factor a period.
    #[must_use]
    pub fn pi(period_s: f64, pole: f64) -> Control {
        assert!((0.0..1.0).contains(&pole), "a pole outside the unit circle is unstable");
        Control::Pi {
            proportional_per_s: (1.0 - pole * pole) / period_s,
            integral_per_s: (1.0 - pole) * (1.0 - pole) / period_s,
        }
    }

    /// Whether the loop is stable at a period, by the criterion of Jury.
    #[must_use]
    pub fn stable(self, period_s: f64) -> bool {
        match self {
            Control::Aimd { increase, decrease } => {
                increase > 0.0 && decrease > 0.0 && decrease < 1.0
            }
            Control::Pi { proportional_per_s, integral_per_s } => {
                let (kp, ki) = (proportional_per_s * period_s, integral_per_s * period_s);
                let (middle, last) = (2.0 - kp - ki, 1.0 - kp);
                last.abs() < 1.0 && middle.abs() < 1.0 + last
            }
        }
    }
}

/// Settings of shedding at one site.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShedTerms {
    /// Queue delay to keep, in seconds.
    pub target_s: f64,
    /// Seconds between two looks at the queue.
    pub period_s: f64,
    /// How to follow it.
    pub control: Control,
    /// Work of turning a request away, as a part of the work of serving it; below 1.
    pub error_cost: f64,
}

/// Admitted work never falls below this part of what the servers do.
const ADMITTED_MIN: f64 = 0.01;

/// The controller of one site.
#[derive(Clone, Debug, PartialEq)]
pub struct Shed {
    terms: ShedTerms,
    admitted: f64,
    delay_s: f64,
    /// Part of each class to admit, class 0 the most important.
    parts: Vec<f64>,
}

impl Shed {
    /// A controller that admits everything at first.
    #[must_use]
    pub fn new(terms: ShedTerms, classes: usize) -> Shed {
        assert!(terms.control.stable(terms.period_s), "gains are stable");
        let admitted = ceiling(&terms);
        Shed { terms, admitted, delay_s: 0.0, parts: vec![1.0; classes] }
    }

    /// Work to admit, relative to what the servers do.
    #[must_use]
    pub fn admitted(&self) -> f64 {
        self.admitted
    }

    /// One look at the queue, once a period: the delay in seconds and the work offered by each
    /// class, relative to what the servers do. Gives the part of each class to admit until the
    /// next look.
    pub fn look(&mut self, delay_s: f64, offered: &[f64]) -> &[f64] {
        let terms = self.terms;
        let wanted = match terms.control {
            Control::Aimd { increase, decrease } => {
                if delay_s > terms.target_s {
                    self.admitted * (1.0 - decrease)
                } else {
                    self.admitted + increase
                }
            }
            Control::Pi { proportional_per_s, integral_per_s } => {
                self.admitted
                    - proportional_per_s * (delay_s - self.delay_s)
                    - integral_per_s * (delay_s - terms.target_s)
            }
        };
        // What fills the queue from nothing to the target in one period is enough: a loop that is
        // idle for long must not wind up.
        self.admitted = wanted.clamp(ADMITTED_MIN, ceiling(&terms));
        self.delay_s = delay_s;
        self.parts = parts(self.admitted, terms.error_cost, offered);
        &self.parts
    }

    /// Whether to admit one request of a class, given a uniform draw from [0, 1).
    #[must_use]
    pub fn decide(&self, class: usize, draw: f64) -> bool {
        draw < self.parts[class]
    }

    /// The part of each class that is admitted now.
    #[must_use]
    pub fn parts(&self) -> &[f64] {
        &self.parts
    }
}

fn ceiling(terms: &ShedTerms) -> f64 {
    1.0 + terms.target_s / terms.period_s
}

/// Parts of classes to admit so that the work of serving and of turning away is at most `admitted`:
/// the first classes whole, one in part, the rest not at all.
#[must_use]
fn parts(admitted: f64, error_cost: f64, offered: &[f64]) -> Vec<f64> {
    let total: f64 = offered.iter().sum();
    if total <= admitted {
        return vec![1.0; offered.len()];
    }
    let mut left = ((admitted - error_cost * total) / (1.0 - error_cost)).max(0.0);
    let part = |&work: &f64| {
        let part = if work > 0.0 { (left / work).min(1.0) } else { 1.0 };
        left = (left - part * work).max(0.0);
        part
    };
    offered.iter().map(part).collect()
}
