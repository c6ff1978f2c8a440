//! A table of connections of limited size: which server each key was sent to.
//!
//! Open addressing with linear probes and a list in order of use, all in arrays made once: no step
//! allocates, and what is pushed out is the same everywhere.

use crate::kernel::stream::mix;
use serde::{Deserialize, Serialize};

/// No entry.
const NONE: u32 = u32::MAX;

/// Who gives way in a full table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Eviction {
    /// The connection that sent no packet for the longest time.
    LeastRecentlyUsed,
    /// The oldest connection.
    Oldest,
    /// Nobody: new connections are not remembered.
    Nobody,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u64,
    server: u32,
    older: u32,
    newer: u32,
}

/// See the module.
#[derive(Debug)]
pub struct Connections {
    eviction: Eviction,
    entries: Vec<Entry>,
    capacity: usize,
    /// Entry at each place, a power of two of them, at most half in use.
    places: Vec<u32>,
    oldest: u32,
    newest: u32,
    free: Vec<u32>,
}

impl Connections {
    /// An empty table for at least 1 connection.
    #[must_use]
    pub fn new(capacity: u32, eviction: Eviction) -> Connections {
        assert!(capacity >= 1, "a table holds connections");
        let capacity = capacity as usize;
        Connections {
            eviction,
            entries: Vec::new(),
            capacity,
            places: vec![NONE; (2 * capacity).next_power_of_two()],
            oldest: NONE,
            newest: NONE,
            free: Vec::new(),
        }
    }

    /// Number of connections in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Whether the table is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The server of a key that was just used.
    pub fn get(&mut self, key: u64) -> Option<u32> {
        let entry = self.places[self.find(key)];
        if entry == NONE {
            return None;
        }
        if self.eviction == Eviction::LeastRecentlyUsed {
            self.unlink(entry);
            self.link_newest(entry);
        }
        Some(self.entries[entry as usize].server)
    }

    /// Remembers the server of a key, in place of what was remembered.
    pub fn insert(&mut self, key: u64, server: u32) {
        let place = self.find(key);
        if self.places[place] != NONE {
            let entry = self.places[place];
            self.entries[entry as usize].server = server;
            self.unlink(entry);
            self.link_newest(entry);
            return;
        }
        if self.len() == self.capacity {
            if self.eviction == Eviction::Nobody {
                return;
            }
            self.remove(self.entries[self.oldest as usize].key);
        }
        let new = Entry { key, server, older: NONE, newer: NONE };
        let entry = match self.free.pop() {
            Some(entry) => {
                self.entries[entry as usize] = new;
                entry
            }
            None => {
                self.entries.push(new);
                self.entries.len() as u32 - 1
            }
        };
        // A removal may have moved entries, so the place is looked up again.
        let place = self.find(key);
        self.places[place] = entry;
        self.link_newest(entry);
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: u64) {
        let place = self.find(key);
        let entry = self.places[place];
        if entry == NONE {
            return;
        }
        self.unlink(entry);
        self.free.push(entry);
        self.close_gap(place);
    }

    fn home(&self, key: u64) -> usize {
        mix(key ^ 0x636f_6e6e_7472_6163) as usize & (self.places.len() - 1)
    }

    /// The place of a key, or the empty one where it would be put.
    fn find(&self, key: u64) -> usize {
        let mut place = self.home(key);
        loop {
            let entry = self.places[place];
            if entry == NONE || self.entries[entry as usize].key == key {
                return place;
            }
            place = (place + 1) & (self.places.len() - 1);
        }
    }

    /// Empties a place and moves back the entries behind it that would not be found any more.
    fn close_gap(&mut self, mut gap: usize) {
        let mask = self.places.len() - 1;
        let mut place = gap;
        loop {
            self.places[gap] = NONE;
            loop {
                place = (place + 1) & mask;
                let entry = self.places[place];
                if entry == NONE {
                    return;
                }
                let home = self.home(self.entries[entry as usize].key);
                // Distance from home to here against distance from the gap to here.
                if (place.wrapping_sub(home) & mask) >= (place.wrapping_sub(gap) & mask) {
                    self.places[gap] = entry;
                    gap = place;
                    break;
                }
            }
        }
    }

    fn unlink(&mut self, entry: u32) {
        let Entry { older, newer, .. } = self.entries[entry as usize];
        match older {
            NONE => self.oldest = newer,
            _ => self.entries[older as usize].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            _ => self.entries[newer as usize].older = older,
        }
    }

    fn link_newest(&mut self, entry: u32) {
        let at = &mut self.entries[entry as usize];
        (at.older, at.newer) = (self.newest, NONE);
        match self.newest {
            NONE => self.oldest = entry,
            newest => self.entries[newest as usize].newer = entry,
        }
        self.newest = entry;
    }
}
