//! A part of the traffic, to be counted.

use crate::record::{DropCause, Flow};

/// A part of a demand's traffic and what became of it.
pub(super) struct Part {
    pub amount: f64,
    pub served: f64,
    pub dropped: [f64; DropCause::ALL.len()],
    pub queued: f64,
}

impl Part {
    pub fn flow(&self, unit_bits: f64, requests: bool) -> Flow {
        let count = if requests { 1.0 } else { 0.0 };
        Flow {
            offered_bits: self.amount * unit_bits,
            served_bits: self.served * unit_bits,
            dropped_bits: self.dropped.map(|share| share * unit_bits),
            queued_bits: self.queued * unit_bits,
            offered_requests: self.amount * count,
            served_requests: self.served * count,
            dropped_requests: self.dropped.iter().sum::<f64>() * count,
            queued_requests: self.queued * count,
        }
    }
}
