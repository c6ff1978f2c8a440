//! A table of buckets whose servers change one by one, each with the server before.
//!
//! Shares become whole numbers of buckets by largest remainders. Servers with too many buckets give
//! up those that have been stable longest; servers with too few take them. A bucket that changed
//! within the quarantine stays, unless its server takes no work any more. So connections meet two
//! changes of their bucket only if they live longer than the time between them.

use super::scaled;
use crate::kernel::{SimSpan, SimTime};

/// Nobody.
const NONE: u32 = u32::MAX;

/// See the module.
#[derive(Clone, Debug)]
pub struct Buckets {
    now: Vec<u32>,
    before: Vec<u32>,
    /// When each changed hands; none: it has its first server.
    changed: Vec<Option<SimTime>>,
    quarantine: SimSpan,
    /// Buckets by the last change, oldest first; equal ones by number.
    order: Vec<u32>,
}

impl Buckets {
    /// Buckets, at least 1, of nobody.
    #[must_use]
    pub fn new(count: u32, quarantine: SimSpan) -> Buckets {
        assert!(count >= 1, "a table has buckets");
        let count = count as usize;
        Buckets {
            now: vec![NONE; count],
            before: vec![NONE; count],
            changed: vec![None; count],
            quarantine,
            order: (0..count as u32).collect(),
        }
    }

    /// The server of a hash, and the one before; none if nobody takes work.
    #[inline]
    #[must_use]
    pub fn of(&self, hash: u64) -> (Option<u32>, Option<u32>) {
        let bucket = scaled(hash, self.now.len());
        let some = |server: u32| (server != NONE).then_some(server);
        (some(self.now[bucket]), some(self.before[bucket]))
    }

    /// The server of each bucket.
    #[must_use]
    pub fn servers(&self) -> &[u32] {
        &self.now
    }

    /// Number of buckets of each of some servers.
    #[must_use]
    pub fn counts(&self, servers: usize) -> Vec<u32> {
        let mut counts = vec![0; servers];
        self.now.iter().filter(|&&server| server != NONE).for_each(|&s| counts[s as usize] += 1);
        counts
    }

    /// Moves as few buckets as shares demand. Shares are relative, 0 for servers that take no work;
    /// with all 0 every bucket is nobody's.
    pub fn assign(&mut self, shares: &[f64], now: SimTime) {
        let target = whole(shares, self.now.len() as u32);
        let mut excess: Vec<i64> = self.counts(shares.len()).into_iter().map(i64::from).collect();
        excess.iter_mut().zip(&target).for_each(|(count, &target)| *count -= i64::from(target));
        // Who is short, in order of number; each bucket that is given up goes to the first of them.
        let mut short = (0..shares.len()).filter(|&server| target[server] > 0).peekable();
        let changed = &self.changed;
        self.order.sort_by_key(|&bucket| (changed[bucket as usize], bucket));
        for &bucket in &self.order {
            let bucket = bucket as usize;
            let server = self.now[bucket];
            let gone = server == NONE || shares[server as usize] <= 0.0;
            let recent = self.changed[bucket].is_some_and(|at| now.since(at) < self.quarantine);
            if !gone && (recent || excess[server as usize] <= 0) {
                continue;
            }
            while short.next_if(|&server| excess[server] >= 0).is_some() {}
            let to = short.peek().map_or(NONE, |&server| server as u32);
            if to == NONE && !gone {
                continue;
            }
            if server != NONE {
                excess[server as usize] -= 1;
            }
            if to != NONE {
                excess[to as usize] += 1;
            }
            if to != server {
                self.before[bucket] = server;
                self.now[bucket] = to;
                self.changed[bucket] = (server != NONE).then_some(now);
            }
        }
    }
}

/// Whole numbers in proportion to shares that add up to `total` (largest remainders; equal ones by
/// number); all 0 if the shares are.
#[must_use]
pub fn whole(shares: &[f64], total: u32) -> Vec<u32> {
    let sum: f64 = shares.iter().sum();
    if sum <= 0.0 {
        return vec![0; shares.len()];
    }
    let exact = |index: usize| shares[index] / sum * f64::from(total);
    let mut counts: Vec<u32> = (0..shares.len()).map(|index| exact(index) as u32).collect();
    let mut by_rest: Vec<usize> = (0..shares.len()).filter(|&i| shares[i] > 0.0).collect();
    let rest = |index: &usize| exact(*index) - f64::from(counts[*index]);
    by_rest.sort_by(|a, b| rest(b).total_cmp(&rest(a)).then(a.cmp(b)));
    let given: u32 = counts.iter().sum();
    let missing = total.saturating_sub(given) as usize;
    by_rest.iter().cycle().take(missing).for_each(|&index| counts[index] += 1);
    counts
}
