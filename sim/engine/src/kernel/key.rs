//! The total order of events: (time, phase, source entity, that entity's own counter).
//!
//! The key never contains a global insertion counter, so the order of two events does not depend
//! on who happened to be scheduled first (after Shadow's event order).

use super::time::SimTime;

/// Position of an event among those of one instant; smaller comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phase(pub u8);

const PHASE_BITS: u32 = 4;
const SOURCE_BITS: u32 = 24;
const COUNTER_BITS: u32 = 36;

/// The packed event key: 64 bits of time, 4 of phase, 24 of source, 36 of counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey(u128);

impl EventKey {
    /// Largest phase that fits.
    pub const PHASE_MAX: u8 = (1 << PHASE_BITS) - 1;
    /// Largest source that fits (16 million entities).
    pub const SOURCE_MAX: u32 = (1 << SOURCE_BITS) - 1;
    /// Largest per-source counter that fits (6.8e10 events of one entity).
    pub const COUNTER_MAX: u64 = (1 << COUNTER_BITS) - 1;

    /// Packs a key. Panics if a part does not fit: that would be a bug, not bad input.
    #[must_use]
    #[inline]
    pub fn new(time: SimTime, phase: Phase, source: u32, counter: u64) -> EventKey {
        assert!(phase.0 <= Self::PHASE_MAX, "phase out of range");
        assert!(source <= Self::SOURCE_MAX, "source out of range");
        assert!(counter <= Self::COUNTER_MAX, "counter out of range");
        let low = (u64::from(phase.0) << (SOURCE_BITS + COUNTER_BITS))
            | (u64::from(source) << COUNTER_BITS)
            | counter;
        EventKey((u128::from(time.0) << 64) | u128::from(low))
    }

    /// When the event happens.
    #[must_use]
    #[inline]
    pub fn time(self) -> SimTime {
        SimTime((self.0 >> 64) as u64)
    }

    /// Phase, source and counter packed in one word.
    #[must_use]
    #[inline]
    pub fn low(self) -> u64 {
        self.0 as u64
    }

    /// The event's phase within its instant.
    #[must_use]
    pub fn phase(self) -> Phase {
        Phase((self.low() >> (SOURCE_BITS + COUNTER_BITS)) as u8)
    }

    /// The entity that scheduled the event.
    #[must_use]
    pub fn source(self) -> u32 {
        ((self.low() >> COUNTER_BITS) as u32) & Self::SOURCE_MAX
    }

    /// That entity's own event number.
    #[must_use]
    pub fn counter(self) -> u64 {
        self.low() & Self::COUNTER_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_survive_packing_and_order_is_lexicographic() {
        let key = EventKey::new(SimTime(7), Phase(3), 5, 11);
        assert_eq!(
            (key.time(), key.phase(), key.source(), key.counter()),
            (SimTime(7), Phase(3), 5, 11)
        );
        let ordered = [
            EventKey::new(SimTime(6), Phase(15), EventKey::SOURCE_MAX, EventKey::COUNTER_MAX),
            EventKey::new(SimTime(7), Phase(2), EventKey::SOURCE_MAX, 0),
            EventKey::new(SimTime(7), Phase(3), 4, EventKey::COUNTER_MAX),
            key,
            EventKey::new(SimTime(7), Phase(3), 5, 12),
        ];
        assert!(ordered.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
