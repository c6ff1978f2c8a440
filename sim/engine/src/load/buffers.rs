//! Buffers of links that have a memory: they fill before anything is lost and empty later.
//!
//! A buffer is a fluid: bits arrive, leave at the rate that scheduling gives the queue, and the
//! rest waits, up to a bound per queue. Between two solutions all rates are constant, so that the
//! backlog is a straight line and the instants at which it ends are known.

use super::links::Transfer;
use super::sharing::{Shape, queue_ratios};
use crate::kernel::{SimSpan, SimTime};
use std::ops::Range;

/// While a buffer empties, what leaves is told apart by who arrives now; beyond this multiple of
/// the arrivals it is not told apart any more and counted when the buffer is empty.
const RATIO_MAX: f64 = 8.0;

/// Bits that wait in front of every (arc, queue); empty where no link has a memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buffers {
    /// Backlog, bits.
    pub bits: Vec<f64>,
}

impl Buffers {
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
        // A queue that holds something takes all that scheduling gives it.
        let wanted: Vec<f64> = slots
            .clone()
            .map(|slot| {
                let waits = self.bits[slot] > 0.0;
                if waits { arrival[slot].max(shape.capacity_bps) } else { arrival[slot] }
            })
            .collect();
        queue_ratios(shape, &wanted, &mut transfer.ratio[slots.clone()]);
        for (slot, wanted) in slots.zip(wanted) {
            let arriving = arrival[slot];
            let out = transfer.ratio[slot] * wanted;
            transfer.out_bps[slot] = out;
            let (passed, kept) = if arriving <= 0.0 {
                (1.0, 0.0)
            } else if out >= arriving {
                let passed = (out / arriving).min(RATIO_MAX);
                (passed, 1.0 - passed)
            } else if is_full(self.bits[slot], bound) {
                (out / arriving, 0.0)
            } else {
                (out / arriving, 1.0 - out / arriving)
            };
            transfer.ratio[slot] = passed;
            transfer.kept[slot] = kept;
        }
    }

    /// Backlog of a slot after some seconds of constant rates.
    #[must_use]
    pub fn after(&self, slot: usize, seconds: f64, arriving: f64, out: f64, bound: f64) -> f64 {
        let before = self.bits[slot];
        if arriving > out && is_full(before, bound) {
            return before;
        }
        (before + (arriving - out) * seconds).clamp(0.0, bound.max(before))
    }

    /// When a slot's buffer is full or empty, if the rates stay.
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
