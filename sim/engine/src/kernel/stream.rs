//! Keyed random streams: common random numbers across arms, by construction.
//!
//! A stream is keyed by (scenario seed, replication, purpose, entity), where the entity is a
//! stable hash of (kind, id). Adding a link never shifts another entity's draws, and every arm
//! meets the same arrivals, failures and noise.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Exp1, StandardNormal};

/// What a stream is for and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamKey {
    /// The scenario's seed.
    pub seed: u64,
    /// Which replication, from 0.
    pub replication: u32,
    /// What the draws are for; a stable name such as `demand-noise`.
    pub purpose: &'static str,
    /// Whose draws they are; see [`entity_hash`].
    pub entity: u64,
}

/// Stable 64-bit hash of (kind, id): the same on every machine and in every version.
///
/// FNV-1a over the bytes with a separator, then a finaliser so that nearby ids spread.
#[must_use]
pub fn entity_hash(kind: &str, id: &str) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in kind.bytes().chain(std::iter::once(0xff)).chain(id.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    mix(hash)
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of the result depends on all.
#[inline]
pub(crate) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// One uniform draw in [0, 1) of a key, without the cost of a stream: for properties of very many
/// entities that are drawn once each.
#[must_use]
pub fn single_uniform(key: StreamKey) -> f64 {
    let words =
        [key.seed, u64::from(key.replication), entity_hash("purpose", key.purpose), key.entity];
    let state = words.into_iter().fold(0x2545_f491_4f6c_dd1d, |state, word| {
        mix(mix(state) ^ word.wrapping_add(0x9e37_79b9_7f4a_7c15))
    });
    (mix(state) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// An independent, reproducible source of chance (ChaCha with 8 rounds).
#[derive(Debug)]
pub struct Stream {
    generator: ChaCha8Rng,
}

impl Stream {
    /// The stream of `key`. Equal keys give equal draws; different keys independent ones.
    #[must_use]
    pub fn new(key: StreamKey) -> Stream {
        let words =
            [key.seed, u64::from(key.replication), entity_hash("purpose", key.purpose), key.entity];
        let mut seed = [0_u8; 32];
        let mut state: u64 = 0x2545_f491_4f6c_dd1d;
        for (chunk, index) in seed.chunks_exact_mut(8).zip(0_u64..) {
            for word in words {
                state = mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ word.wrapping_add(index));
            }
            chunk.copy_from_slice(&state.to_le_bytes());
        }
        Stream { generator: ChaCha8Rng::from_seed(seed) }
    }

    /// 64 uniform bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// Uniform in [0, 1), on a grid of 2^-53.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform whole number below `bound` (bound of 0 gives 0), by widening multiplication; the
    /// bias is below bound / 2^64.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Exponential with mean 1 (ziggurat; the rare tail goes through libm).
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.generator)
    }

    /// Normal with mean 0 and standard deviation 1.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(replication: u32, purpose: &'static str, entity: u64) -> StreamKey {
        StreamKey { seed: 1, replication, purpose, entity }
    }

    #[test]
    fn equal_keys_agree_and_any_difference_separates() {
        let first = |k| Stream::new(k).next_u64();
        let base = first(key(0, "a", 1));
        assert_eq!(base, first(key(0, "a", 1)));
        assert_ne!(base, first(key(1, "a", 1)));
        assert_ne!(base, first(key(0, "b", 1)));
        assert_ne!(base, first(key(0, "a", 2)));
        assert_ne!(base, first(StreamKey { seed: 2, ..key(0, "a", 1) }));
    }

    #[test]
    fn moments_are_right() {
        let mut stream = Stream::new(key(0, "moments", 0));
        let n = 200_000;
        let (mut uniform, mut exponential, mut normal, mut square) = (0.0, 0.0, 0.0, 0.0);
        for _ in 0..n {
            uniform += stream.uniform();
            exponential += stream.exponential();
            let z = stream.normal();
            normal += z;
            square += z * z;
        }
        let n = f64::from(n);
        // Four standard errors.
        assert!((uniform / n - 0.5).abs() < 4.0 * 0.289 / n.sqrt());
        assert!((exponential / n - 1.0).abs() < 4.0 / n.sqrt());
        assert!((normal / n).abs() < 4.0 / n.sqrt());
        assert!((square / n - 1.0).abs() < 4.0 * 1.415 / n.sqrt());
    }

    #[test]
    fn entity_hash_is_frozen() {
        // A change here changes every trajectory: it needs a new trajectory version.
        // The values were computed by an independent program from the definition above.
        assert_eq!(entity_hash("site", "ams"), 0x8028_7aa7_4ea7_6eb4);
        assert_eq!(entity_hash("client-group", "berlin"), 0xac0c_02d1_5e7e_4fd3);
        assert_ne!(entity_hash("site", "ams"), entity_hash("sitea", "ms"));
    }
}
