//! A feedback loop on the shares of buckets, in the manner of Unimog.
//!
//! Model: connections go by the two-slot table of [`super::hash::daisy`]. Every period the loop
//! compares each server's load, an average over the last periods of requests in flight by weight,
//! with the mean load of all that take work, and moves its share:
//!
//! `s <- s (1 + gain (mean - load) / mean)`, by at most the part `step` up or down.
//!
//! Then shares are scaled to 1 and buckets follow, those that are stable longest first, none twice
//! within the quarantine. Servers that take no work have no share; who comes back starts with the
//! mean share. Only new connections follow, so a high gain overshoots where connections live much
//! longer than a period.
//!
//! Source: D. Wragg, "Unimog - Cloudflare's edge load balancer", 2020. The law of the loop and its
//! parameters are ours; the post names a feedback loop without its formula.

use super::hash::buckets::Buckets;
use super::hash::{salted, spread_seed};
use super::{Ask, Balancer, Seen};
use crate::kernel::{SimSpan, SimTime, Stream};
use serde::{Deserialize, Serialize};

/// Times a period that the load is looked at.
const LOOKS: u64 = 16;

/// Parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BucketLoopSpec {
    /// Buckets, at least 1; the source has more than 100 a server.
    pub buckets: u32,
    /// Time between moves of shares, above 0.
    pub period: SimSpan,
    /// Part of the distance to the mean that is corrected, at least 0.
    pub gain: f64,
    /// Most that a share moves at once, as a part of it, above 0.
    pub step: f64,
    /// How much of the average the last period makes, above 0, at most 1.
    pub smoothing: f64,
    /// How long a bucket keeps a server that takes work after a change.
    pub quarantine: SimSpan,
}

impl Default for BucketLoopSpec {
    fn default() -> BucketLoopSpec {
        BucketLoopSpec {
            buckets: 16_384,
            period: SimSpan::from_seconds(10),
            gain: 0.2,
            step: 0.1,
            smoothing: 0.5,
            quarantine: SimSpan::from_seconds(60),
        }
    }
}

/// Moves shares one step of the loop. `load` is relative to capacity; entries of servers without
/// share are left out. Shares add up to 1 afterwards, unless all are 0.
pub fn move_shares(shares: &mut [f64], load: &[f64], gain: f64, step: f64) {
    let open = || (0..shares.len()).filter(|&server| shares[server] > 0.0);
    let (count, sum) = open().fold((0.0, 0.0), |(count, sum), s| (count + 1.0, sum + load[s]));
    if sum > 0.0 {
        let mean = sum / count;
        for (share, load) in shares.iter_mut().zip(load) {
            *share *= 1.0 + (gain * (mean - load) / mean).clamp(-step, step);
        }
    }
    let total: f64 = shares.iter().sum();
    if total > 0.0 {
        shares.iter_mut().for_each(|share| *share /= total);
    }
}

/// See the module.
#[derive(Debug)]
pub struct BucketLoop {
    spec: BucketLoopSpec,
    seed: u64,
    buckets: Buckets,
    shares: Vec<f64>,
    /// Averages of load; sums of the looks of this period.
    load: Vec<f64>,
    looked: Vec<f64>,
    looks: u32,
    next_look: SimTime,
    next_move: SimTime,
    version: Option<u64>,
}

impl BucketLoop {
    /// A loop with parameters in their ranges.
    #[must_use]
    pub fn new(servers: usize, spec: BucketLoopSpec, seed: u64) -> BucketLoop {
        assert!(spec.period > SimSpan::ZERO && spec.step > 0.0, "parameters are in their ranges");
        BucketLoop {
            spec,
            seed: spread_seed(seed),
            buckets: Buckets::new(spec.buckets, spec.quarantine),
            shares: vec![0.0; servers],
            load: vec![0.0; servers],
            looked: vec![0.0; servers],
            looks: 0,
            next_look: SimTime::ZERO,
            next_move: SimTime::ZERO.after(spec.period),
            version: None,
        }
    }

    /// Share of each server.
    #[must_use]
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// Gives shares to servers that began to take work and takes them from those that stopped.
    fn renew(&mut self, now: SimTime, seen: &Seen<'_>) {
        self.version = Some(seen.version);
        let stay = |server: usize, shares: &[f64]| shares[server] > 0.0 && seen.takes_work(server);
        let (mut share, mut weight) = (0.0, 0.0);
        for server in (0..self.shares.len()).filter(|&server| stay(server, &self.shares)) {
            share += self.shares[server];
            weight += seen.weight[server];
        }
        // Share of one unit of weight among those that stay.
        let unit = if weight > 0.0 { share / weight } else { 1.0 };
        for server in 0..self.shares.len() {
            if !seen.takes_work(server) {
                self.shares[server] = 0.0;
            } else if self.shares[server] <= 0.0 {
                self.shares[server] = unit * seen.weight[server];
            }
        }
        let total: f64 = self.shares.iter().sum();
        if total > 0.0 {
            self.shares.iter_mut().for_each(|share| *share /= total);
        }
        self.buckets.assign(&self.shares, now);
    }

    fn look(&mut self, now: SimTime, seen: &Seen<'_>) {
        self.looks += 1;
        for (server, looked) in self.looked.iter_mut().enumerate() {
            if seen.takes_work(server) {
                *looked += f64::from(seen.outstanding[server]) / seen.weight[server];
            }
        }
        let every = (self.spec.period.0 / LOOKS).max(1);
        self.next_look = SimTime((now.0 / every + 1).saturating_mul(every));
        if now >= self.next_move {
            let looks = f64::from(self.looks);
            for (load, looked) in self.load.iter_mut().zip(&mut self.looked) {
                *load += self.spec.smoothing * (*looked / looks - *load);
                *looked = 0.0;
            }
            self.looks = 0;
            move_shares(&mut self.shares, &self.load, self.spec.gain, self.spec.step);
            self.buckets.assign(&self.shares, now);
            self.next_move = now.after(self.spec.period);
        }
    }

    #[inline]
    fn update(&mut self, now: SimTime, seen: &Seen<'_>) {
        if self.version != Some(seen.version) {
            self.renew(now, seen);
        }
        if now >= self.next_look {
            self.look(now, seen);
        }
    }
}

impl Balancer for BucketLoop {
    fn pick(&mut self, ask: &Ask, seen: &Seen<'_>, _draw: &mut Stream) -> Option<u32> {
        self.update(ask.now, seen);
        self.buckets.of(salted(ask.key, self.seed)).0
    }

    fn reaches(&mut self, ask: &Ask, seen: &Seen<'_>, owner: u32) -> bool {
        self.update(ask.now, seen);
        let (first, second) = self.buckets.of(salted(ask.key, self.seed));
        first == Some(owner) || second == Some(owner)
    }
}
