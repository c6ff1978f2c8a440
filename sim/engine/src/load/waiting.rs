//! How long packets wait at a link.
//!
//! Below saturation: M/M/1, M/D/1 or M/G/1 (Pollaczek and Khinchine), by class under strict
//! priority (Cobham 1954, without preemption). At saturation: what the buffer holds.

use super::buffers::is_full;
use crate::net::{Link, Queueing, Scheduling};

/// What is known of a link's queues at an instant. Slices are by queue, classes first.
#[derive(Clone, Copy, Debug)]
pub struct State<'a> {
    /// The link.
    pub link: &'a Link,
    /// Its capacity now, bit/s.
    pub capacity_bps: f64,
    /// Queues of a class: 1, or the number of tenants.
    pub tenants: usize,
    /// What arrives, bit/s.
    pub arrival_bps: &'a [f64],
    /// Share that passes.
    pub ratio: &'a [f64],
    /// Backlog, bits; empty without memory.
    pub bits: &'a [f64],
    /// What leaves, bit/s; read with a backlog only.
    pub out_bps: &'a [f64],
    /// First slot of the buffer of every queue, and slot of the first queue; read with a backlog
    /// only.
    pub first: (&'a [usize], usize),
    /// Per queue: whether elastic traffic keeps the link full.
    pub saturated: &'a [bool],
}

/// Seconds that packets of every queue wait.
pub fn waits(state: &State<'_>, wait_s: &mut [f64]) {
    let buffer_s = state.link.buffer.seconds();
    let model = &state.link.model;
    let standing = |queue: usize| {
        if !state.saturated.is_empty() && state.saturated[queue] {
            model.ecn.map_or(buffer_s, |mark| mark.seconds().min(buffer_s))
        } else {
            0.0
        }
    };
    let total: f64 = state.arrival_bps.iter().sum();
    let stochastic = model.queueing != Queueing::None && total > 0.0;
    for (queue, wait_s) in wait_s.iter_mut().enumerate() {
        let overflow = if !model.backlog && state.ratio[queue] < 1.0 { buffer_s } else { 0.0 };
        let below = if stochastic { stationary_s(state, total, queue).min(buffer_s) } else { 0.0 };
        let held = if model.backlog { backlog_s(state, queue, below) } else { below };
        *wait_s = held.max(overflow).max(standing(queue));
    }
}

/// What is in the buffer ahead of a packet; the stationary wait where it is empty and stays so.
fn backlog_s(state: &State<'_>, queue: usize, below: f64) -> f64 {
    let (firsts, base) = state.first;
    let bits = state.bits[firsts[queue] - base];
    if bits <= 0.0 {
        return if state.ratio[queue] < 1.0 { 0.0 } else { below };
    }
    let bound = state.link.buffer.seconds() * state.capacity_bps;
    let bits = if is_full(bits, bound) { bound } else { bits };
    // A backlog that the scheduler does not serve delays nobody: nobody gets through.
    let same = firsts.iter().zip(state.out_bps).filter(|(first, _)| **first == firsts[queue]);
    let out_bps: f64 = same.map(|(_, out)| out).sum();
    if out_bps > 0.0 { bits / out_bps } else { 0.0 }
}

/// Mean wait of the stationary queue, infinite at saturation.
fn stationary_s(state: &State<'_>, total_bps: f64, queue: usize) -> f64 {
    let model = &state.link.model;
    let cv2 = match model.queueing {
        Queueing::None => return 0.0,
        Queueing::Mm1 => 1.0,
        Queueing::Md1 => 0.0,
        Queueing::Mg1 => model.packet_cv2,
    };
    let load = |bps: f64| bps / state.capacity_bps;
    // Remaining time of the packet that is being sent, as an arrival meets it.
    let residual_s =
        load(total_bps).min(1.0) * (1.0 + cv2) / 2.0 * model.packet_bits / state.capacity_bps;
    let class = queue / state.tenants;
    let up_to = |classes: usize| -> f64 {
        load(state.arrival_bps[..classes * state.tenants].iter().sum::<f64>())
    };
    let (before, with) = match &state.link.scheduling {
        Scheduling::StrictPriority => (up_to(class), up_to(class + 1)),
        // Classes that share by weight are taken as one queue.
        Scheduling::Weighted(_) => (0.0, load(total_bps)),
    };
    if with >= 1.0 { f64::INFINITY } else { residual_s / ((1.0 - before) * (1.0 - with)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::SimSpan;
    use crate::net::testing::plain_link;
    use crate::net::{LinkKind, NodeId};

    /// 1 Mbit/s and packets of 1,000 bits: a packet takes 1 ms.
    fn wait_of(queueing: Queueing, arrival_bps: &[f64]) -> Vec<f64> {
        let mut link = plain_link("l", LinkKind::Backbone, [NodeId(0), NodeId(1)], 1_000_000);
        link.buffer = SimSpan::from_seconds(1);
        link.model.queueing = queueing;
        link.model.packet_bits = 1_000.0;
        link.model.packet_cv2 = 4.0;
        let mut out = vec![0.0; arrival_bps.len()];
        waits(
            &State {
                link: &link,
                capacity_bps: 1e6,
                tenants: 1,
                arrival_bps,
                ratio: &vec![1.0; arrival_bps.len()],
                bits: &[],
                out_bps: &[],
                first: (&[], 0),
                saturated: &[],
            },
            &mut out,
        );
        out
    }

    fn assert_ms(found: &[f64], expected: &[f64]) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found * 1e3 - expected).abs() < 1e-9, "{found} s, expected {expected} ms");
        }
    }

    #[test]
    fn one_class_waits_as_the_formulas_say() {
        // At load 0.8: M/M/1 rho/(1-rho) = 4 services, M/D/1 half of that, M/G/1 with squared
        // coefficient of variation 4: 2.5 times.
        assert_ms(&wait_of(Queueing::Mm1, &[0.8e6]), &[4.0]);
        assert_ms(&wait_of(Queueing::Md1, &[0.8e6]), &[2.0]);
        assert_ms(&wait_of(Queueing::Mg1, &[0.8e6]), &[10.0]);
        assert_ms(&wait_of(Queueing::None, &[0.8e6]), &[0.0]);
        assert_ms(&wait_of(Queueing::Mm1, &[0.0]), &[0.0]);
        assert_ms(&wait_of(Queueing::Mm1, &[0.999_999e6]), &[1_000.0]);
    }

    #[test]
    fn priority_waits_as_cobham_says() {
        // Loads 0.3, 0.2, 0.4: W0 = 0.9 ms; 0.9/(0.7), 0.9/(0.7*0.5), 0.9/(0.5*0.1).
        let found = wait_of(Queueing::Mm1, &[0.3e6, 0.2e6, 0.4e6]);
        assert_ms(&found, &[0.9 / 0.7, 0.9 / 0.35, 18.0]);
        // Kleinrock's conservation law: the sum of rho_i W_i is rho W0 / (1 - rho).
        let sum: f64 = [0.3, 0.2, 0.4].iter().zip(&found).map(|(rho, wait)| rho * wait).sum();
        assert!((sum - 0.9 * 0.9e-3 / 0.1).abs() < 1e-12);
    }
}
