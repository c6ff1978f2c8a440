//! A rolling hash of what happened: two runs with the same fingerprint took the same trajectory.

/// Rolling 64-bit hash. Not cryptographic: it detects divergence, not forgery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Fingerprint(0x9e37_79b9_7f4a_7c15)
    }
}

impl Fingerprint {
    /// Takes one word into the hash (one multiply and one rotation: order matters).
    #[inline]
    pub fn absorb(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(29) ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93);
    }

    /// Takes the bits of a number into the hash; −0 counts as 0.
    #[inline]
    pub fn absorb_f64(&mut self, value: f64) {
        self.absorb((value + 0.0).to_bits());
    }

    /// Takes text into the hash, length included.
    pub fn absorb_str(&mut self, text: &str) {
        self.absorb(text.len() as u64);
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0_u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.absorb(u64::from_le_bytes(word));
        }
    }

    /// The value to show and compare.
    #[must_use]
    pub fn value(self) -> u64 {
        let mut x = self.0;
        x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        x ^ (x >> 32)
    }
}
