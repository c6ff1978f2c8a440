//! Buffers of links that have a memory: they fill before anything is lost and empty later.
//!
//! A buffer is a fluid: bits arrive, leave at the rate that scheduling gives the queue, and the
//! rest waits, up to a bound per queue. Between two solutions all rates are constant, so that the
//! backlog is a straight line and the instants at which it ends are known.

use super::links::Transfer;
use super::sharing::{Shape, queue_ratios};
use crate::kernel::{SimSpan, SimTime};
use crate::net::Scheduling;
use std::ops::Range;

/// While a buffer empties, what leaves is told apart by who arrives now; beyond this multiple of
/// the arrivals it is not told apart any more and counted when the buffer is empty.
const RATIO_MAX: f64 = 8.0;

/// Bits that wait in front of every (arc, queue); empty where no link has a memory.
///
/// Queues that share in proportion to what arrives (tenants without weights, classes of weight
/// zero) are one buffer: first come, first served. Its backlog stands at the first of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buffers {
    /// Backlog by slot, bits; 0 for all but the first queue of a buffer.
    pub bits: Vec<f64>,
    /// First slot of the buffer that a slot belongs to.
    pub first: Vec<usize>,
}

/// First queue of the buffer of every queue of a link.
fn firsts(shape: &Shape<'_>, queues: usize) -> Vec<usize> {
    let weightless = |class: usize| matches!(shape.scheduling, Scheduling::Weighted(weights) if weights[class] <= 0.0);
    let key = |queue: usize| {
        let (class, tenant) = (queue / shape.tenants, queue % shape.tenants);
        let tenant = match shape.tenant_weights.get(tenant) {
            Some(&weight) if weight > 0.0 => Some(tenant),
            _ => None,
        };
        if weightless(class) { (None, None) } else { (Some(class), tenant) }
    };
    (0..queues)
        .map(|queue| (0..queue).find(|&other| key(other) == key(queue)).unwrap_or(queue))
        .collect()
}

impl Buffers {
    /// Empty buffers of links with these shapes, one an arc, of `queues` queues each.
    #[must_use]
    pub fn new<'a>(shapes: impl Iterator<Item = Shape<'a>>, queues: usize) -> Buffers {
        let mut first = Vec::new();
        for shape in shapes {
            let base = first.len();
            first.extend(firsts(&shape, queues).into_iter().map(|queue| base + queue));
        }
        Buffers { bits: vec![0.0; first.len()], first }
    }

    /// Sum of a rate over the slots of the buffer that begins at `first`.
    #[must_use]
    pub fn sum(&self, first: usize, slots: Range<usize>, rates: &[f64]) -> f64 {
        slots.filter(|&slot| self.first[slot] == first).map(|slot| rates[slot]).sum()
    }

    /// What a link with a memory does to what arrives.
    pub fn ratios(
        &self,
        shape: &Shape<'_>,
        buffer: SimSpan,
        slots: Range<usize>,
        arrival: &[f64],
        transfer: &mut Transfer,
    ) {
        let bound = buffer.seconds() * shape.capacity_bps;
        // A buffer that holds something takes all that scheduling gives it.
        let wanted: Vec<f64> = slots
            .clone()
            .map(|slot| {
                let first = self.first[slot];
                if self.bits[first] <= 0.0 {
                    return arrival[slot];
                }
                let together = self.sum(first, slots.clone(), arrival);
                if together <= 0.0 {
                    return if slot == first { shape.capacity_bps } else { 0.0 };
                }
                arrival[slot] * (shape.capacity_bps / together).max(1.0)
            })
            .collect();
        queue_ratios(shape, &wanted, &mut transfer.ratio[slots.clone()]);
        for (slot, wanted) in slots.clone().zip(wanted) {
            transfer.out_bps[slot] = transfer.ratio[slot] * wanted;
        }
        for slot in slots.clone() {
            let first = self.first[slot];
            let arriving = self.sum(first, slots.clone(), arrival);
            let out = self.sum(first, slots.clone(), &transfer.out_bps);
            let (passed, kept) = if arriving <= 0.0 {
                (1.0, 0.0)
            } else if out >= arriving {
                let passed = (out / arriving).min(RATIO_MAX);
                (passed, 1.0 - passed)
            } else if is_full(self.bits[first], bound) {
                (out / arriving, 0.0)
            } else {
                (out / arriving, 1.0 - out / arriving)
            };
            transfer.ratio[slot] = passed;
            transfer.kept[slot] = kept;
        }
    }

    /// Backlog at a first slot after some seconds of constant rates of its whole buffer.
    #[must_use]
    pub fn after(&self, slot: usize, seconds: f64, arriving: f64, out: f64, bound: f64) -> f64 {
        let before = self.bits[slot];
        if arriving > out && is_full(before, bound) {
            return before;
        }
        (before + (arriving - out) * seconds).clamp(0.0, bound.max(before))
    }

    /// When the buffer of a first slot is full or empty, if the rates of the whole buffer stay.
    #[must_use]
    pub fn crossing(
        &self,
        slot: usize,
        now: SimTime,
        arriving: f64,
        out: f64,
        bound: f64,
    ) -> Option<SimTime> {
        let bits = self.bits[slot];
        let seconds = if arriving > out {
            if is_full(bits, bound) {
                return None;
            }
            (bound - bits) / (arriving - out)
        } else if bits > 0.0 && out > arriving {
            bits / (out - arriving)
        } else {
            return None;
        };
        let span = SimSpan::from_seconds_f64_ceil(seconds);
        Some(now.after(SimSpan(span.0.max(1))))
    }
}

/// Whether nothing more fits into a buffer.
#[must_use]
pub fn is_full(bits: f64, bound: f64) -> bool {
    bits >= bound * (1.0 - 1e-12)
}
