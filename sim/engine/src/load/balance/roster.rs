//! The servers that take work, kept until weights or health change, and draws among them.

use super::Seen;
use crate::kernel::Stream;

/// Servers that take work at present.
///
/// Weighted draws use the alias method (Walker 1977; Vose 1991): one random number a draw,
/// whatever the number of servers.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    version: Option<u64>,
    /// Servers that take work, ascending.
    open: Vec<u32>,
    /// Whether all of them have the same weight.
    equal: bool,
    /// Share of each slot that is its own, of 2^64.
    keep: Vec<u64>,
    /// Who has the rest of the slot.
    alias: Vec<u32>,
}

impl Roster {
    /// Brings the roster up to date. True if it was made anew.
    #[inline]
    pub(crate) fn update(&mut self, seen: &Seen<'_>) -> bool {
        if self.version == Some(seen.version) {
            return false;
        }
        self.renew(seen);
        true
    }

    #[cold]
    fn renew(&mut self, seen: &Seen<'_>) {
        self.version = Some(seen.version);
        self.open.clear();
        let servers = 0..seen.weight.len();
        self.open.extend(servers.filter(|&server| seen.takes_work(server)).map(|s| s as u32));
        let weight = |slot: &u32| seen.weight[*slot as usize];
        self.equal = self.open.windows(2).all(|pair| weight(&pair[0]) == weight(&pair[1]));
        self.keep.clear();
        self.alias.clear();
        if !self.equal {
            let weights: Vec<f64> = self.open.iter().map(weight).collect();
            (self.keep, self.alias) = alias_table(&weights);
        }
    }

    /// Servers that take work, ascending.
    #[inline]
    pub(crate) fn open(&self) -> &[u32] {
        &self.open
    }

    /// Whether all servers that take work have the same weight.
    #[inline]
    pub(crate) fn equal(&self) -> bool {
        self.equal
    }

    /// One server, in proportion to weight.
    #[inline]
    pub(crate) fn draw(&self, draw: &mut Stream) -> Option<u32> {
        if self.open.is_empty() {
            return None;
        }
        let wide = u128::from(draw.next_u64()) * self.open.len() as u128;
        let slot = (wide >> 64) as usize;
        let slot = if self.equal || (wide as u64) < self.keep[slot] {
            slot
        } else {
            self.alias[slot] as usize
        };
        Some(self.open[slot])
    }

    /// One server, all alike.
    #[inline]
    pub(crate) fn draw_evenly(&self, draw: &mut Stream) -> Option<u32> {
        let slot = draw.below(self.open.len() as u64) as usize;
        self.open.get(slot).copied()
    }

    /// Two servers, all alike and in random order, and if `distinct` not the same one twice unless
    /// there is only one. One random number for both: the bias is below servers / 2^32.
    #[inline]
    pub(crate) fn draw_pair(&self, distinct: bool, draw: &mut Stream) -> Option<(u32, u32)> {
        let servers = self.open.len() as u64;
        if servers < 2 {
            return self.open.first().map(|&only| (only, only));
        }
        let bits = draw.next_u64();
        let first = ((bits >> 32) * servers) >> 32;
        let second = ((bits & 0xffff_ffff) * (servers - u64::from(distinct))) >> 32;
        let second = second + u64::from(distinct && second >= first);
        Some((self.open[first as usize], self.open[second as usize]))
    }
}

/// The alias table of some weights above 0.
fn alias_table(weights: &[f64]) -> (Vec<u64>, Vec<u32>) {
    let mean = weights.iter().sum::<f64>() / weights.len() as f64;
    let mut part: Vec<f64> = weights.iter().map(|weight| weight / mean).collect();
    let mut alias: Vec<u32> = (0..weights.len() as u32).collect();
    let (mut small, mut large): (Vec<usize>, Vec<usize>) =
        (0..weights.len()).partition(|&slot| part[slot] < 1.0);
    let mut keep = vec![u64::MAX; weights.len()];
    while let (Some(&less), Some(&more)) = (small.last(), large.last()) {
        small.pop();
        // The cast saturates, so a share that rounds to 1 keeps all.
        keep[less] = (part[less] * 18_446_744_073_709_551_616.0) as u64;
        alias[less] = more as u32;
        part[more] -= 1.0 - part[less];
        if part[more] < 1.0 {
            large.pop();
            small.push(more);
        }
    }
    (keep, alias)
}
