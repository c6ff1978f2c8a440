//! Chance that belongs to a request: a seed of its own, drawn at its arrival.

use crate::kernel::{Stream, StreamKey};

/// What a draw of a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Purpose {
    Key = 1,
    User,
    Failure,
    Backoff,
    Resumption,
    Lookup,
    Life,
}

/// Seeds of the requests of a source, by their index: the sequence of SplitMix64 (Steele, Lea,
/// Flood 2014), whose start comes from the keyed stream of the source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seeds {
    state: u64,
}

impl Seeds {
    pub(super) fn new(key: StreamKey) -> Seeds {
        Seeds { state: Stream::new(key).next_u64() }
    }

    /// Seed of the next request.
    #[inline]
    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }
}

/// The finaliser of SplitMix64.
#[inline]
pub(super) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// 64 bits of a request for a purpose, and which of the draws for that purpose.
#[inline]
pub(super) fn bits(seed: u64, purpose: Purpose, index: u64) -> u64 {
    mix(mix(seed ^ (purpose as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(index))
}

/// A uniform draw in [0, 1) of a request for a purpose.
#[inline]
pub(super) fn uniform(seed: u64, purpose: Purpose, index: u64) -> f64 {
    (bits(seed, purpose, index) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// A whole number below `bound` of a request for a purpose; 0 if the bound is 0.
#[inline]
pub(super) fn below(seed: u64, purpose: Purpose, bound: u64) -> u64 {
    ((u128::from(bits(seed, purpose, 0)) * u128::from(bound)) >> 64) as u64
}
