//! `unimog-loop`: shares of the servers of a colo follow their load.
//!
//! Model, in the manner of Unimog (D. Wragg, "Unimog - Cloudflare's edge load balancer", 2020): a
//! conductor reads the load of every server and moves the weights of the balancer's table, so that
//! all servers of a colo come to the same load though nobody knows how fast they are. Every new
//! sample updates an average of each server's load; then its share moves by
//! `gain (mean - load) / mean`, at most by `step`, and shares are scaled back to their sum. Servers
//! out of service keep their share. Only new connections follow, so a high gain overshoots where
//! they live much longer than the feed's period. The post names a feedback loop; this law and its
//! parameters are ours.

use std::sync::Arc;
use steerlab_engine::kernel::{SimSpan, SimTime, Stream};
use steerlab_engine::load::balance::bucket_loop::move_shares;
use steerlab_engine::net::ColoId;
use steerlab_engine::steer::{
    Action, Ask, Descriptor, FeedKind, Param, ParamKind, Policy, ServersReading, Surface, View,
};

/// How it is registered.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "unimog-loop",
    version: 1,
    summary: "move the weights of servers until all of a colo have the same load",
    source: "Wragg, Unimog - Cloudflare's edge load balancer, 2020",
    surfaces: &[Surface::Balance],
    feeds: &[FeedKind::Sites],
    default_period: SimSpan::from_seconds(10),
    params: &[
        Param {
            name: "gain",
            kind: ParamKind::Ratio { min: 0.0, max: 2.0 },
            default: Some("0.2"),
            doc: "part of the distance to the mean load that is corrected at once",
        },
        Param {
            name: "step",
            kind: ParamKind::Ratio { min: 0.0001, max: 0.9 },
            default: Some("0.1"),
            doc: "most that a share moves at once, as a part of it",
        },
        Param {
            name: "smoothing",
            kind: ParamKind::Ratio { min: 0.001, max: 1.0 },
            default: Some("0.5"),
            doc: "how much of the average load is the last sample",
        },
        Param {
            name: "tolerance",
            kind: ParamKind::Ratio { min: 0.0, max: 1.0 },
            default: Some("5%"),
            doc: "distance of all loads from their mean that is left alone",
        },
    ],
    build: |params| {
        Box::new(UnimogLoop {
            gain: params.ratio("gain"),
            step: params.ratio("step"),
            smoothing: params.ratio("smoothing"),
            tolerance: params.ratio("tolerance"),
            colos: Vec::new(),
            seen_at: None,
        })
    },
    check: |_| Ok(()),
};

/// What the policy remembers of a colo.
struct Memory {
    colo: ColoId,
    /// Share of each server, as last asked for.
    shares: Vec<f64>,
    /// Average load of each server.
    load: Vec<f64>,
}

struct UnimogLoop {
    gain: f64,
    step: f64,
    smoothing: f64,
    tolerance: f64,
    colos: Vec<Memory>,
    seen_at: Option<SimTime>,
}

impl Policy for UnimogLoop {
    fn decide(&mut self, view: &View<'_>, _stream: &mut Stream, ask: &mut Ask<'_>) {
        let Some(sample) = view.server_feed else { return };
        if self.seen_at == Some(sample.sampled_at) {
            return;
        }
        self.seen_at = Some(sample.sampled_at);
        for reading in &sample.values {
            self.colo(reading, ask);
        }
    }
}

impl UnimogLoop {
    fn colo(&mut self, reading: &ServersReading, ask: &mut Ask<'_>) {
        let known = self.colos.iter().position(|memory| memory.colo == reading.colo);
        let index = known.unwrap_or_else(|| {
            let total: f64 = reading.weights.iter().sum();
            let shares = reading.weights.iter().map(|weight| weight / total).collect();
            let load = reading.utilisation.clone();
            self.colos.push(Memory { colo: reading.colo, shares, load });
            self.colos.len() - 1
        });
        let memory = &mut self.colos[index];
        for (load, seen) in memory.load.iter_mut().zip(&reading.utilisation) {
            *load += self.smoothing * (seen - *load);
        }
        // Only servers that work are compared and share what they have together.
        let mut open: Vec<f64> = memory
            .shares
            .iter()
            .zip(&reading.up)
            .map(|(s, up)| if *up { *s } else { 0.0 })
            .collect();
        let together: f64 = open.iter().sum();
        let loads = || memory.load.iter().zip(&open).filter(|(_, share)| **share > 0.0);
        let mean = loads().map(|(load, _)| load).sum::<f64>() / loads().count().max(1) as f64;
        let far = loads().map(|(load, _)| (load - mean).abs()).fold(0.0, f64::max);
        if mean <= 0.0 || far <= self.tolerance * mean {
            return;
        }
        move_shares(&mut open, &memory.load, self.gain, self.step);
        for (share, moved) in memory.shares.iter_mut().zip(&open).filter(|(_, moved)| **moved > 0.0)
        {
            *share = moved * together;
        }
        let weights = Arc::new(memory.shares.clone());
        let cause =
            format!("loads are up to {:.1} % from their mean {mean:.3}", far / mean * 100.0);
        // A refusal changes nothing: the next sample asks again.
        let _ = ask.request(Action::SetWeights { colo: reading.colo, weights }, &cause);
    }
}
