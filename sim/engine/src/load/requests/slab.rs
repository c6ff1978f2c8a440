//! Storage of what comes and goes: places are used again, and a stamp tells whether a place still
//! holds what an event meant.

/// Values at places with stamps; the stamp of a place in use is odd.
#[derive(Clone, Debug)]
pub(super) struct Slab<T> {
    places: Vec<(u32, T)>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Stores a value and gives its place.
    #[inline]
    pub(super) fn insert(&mut self, value: T) -> u32 {
        if let Some(at) = self.free.pop() {
            let place = &mut self.places[at as usize];
            *place = (place.0.wrapping_add(1), value);
            return at;
        }
        let at = u32::try_from(self.places.len()).expect("fewer than 2^32 things are in flight");
        self.places.push((1, value));
        at
    }

    /// Frees a place: stamps taken before are out of date.
    #[inline]
    pub(super) fn remove(&mut self, at: u32) {
        let stamp = &mut self.places[at as usize].0;
        *stamp = stamp.wrapping_add(1);
        self.free.push(at);
    }

    /// Stamp of what is at a place.
    #[inline]
    pub(super) fn stamp(&self, at: u32) -> u32 {
        self.places[at as usize].0
    }

    /// Whether a place still holds what it held when the stamp was taken.
    #[inline]
    pub(super) fn holds(&self, at: u32, stamp: u32) -> bool {
        self.places[at as usize].0 == stamp
    }

    /// Places in use, ascending. Looks at all places: for rare occasions.
    pub(super) fn taken(&self) -> Vec<u32> {
        (0_u32..)
            .zip(&self.places)
            .filter(|(_, place)| place.0 % 2 == 1)
            .map(|(at, _)| at)
            .collect()
    }

    /// Number of values.
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
}

impl<T> std::ops::Index<u32> for Slab<T> {
    type Output = T;
    #[inline]
    fn index(&self, at: u32) -> &T {
        &self.places[at as usize].1
    }
}

impl<T> std::ops::IndexMut<u32> for Slab<T> {
    #[inline]
    fn index_mut(&mut self, at: u32) -> &mut T {
        &mut self.places[at as usize].1
    }
}
