//! What the latency of a request is made of: round trips, ways, queues, servers, fetches.

use super::bundles::DemandFate;
use crate::load::fluid::{Bundle, Outcome, Waits};
use crate::load::tcp::transfer_s;
use crate::record::{DropCause, LatencyParts};
use crate::scenario::Tcp;

/// Latencies of what was in a cache and of what was not, in seconds, with their shares; from the
/// mean, what of it is the fetch, and the share that was fetched.
pub(super) fn hits_and_misses([latency_s, fetch_s, fetched]: [f64; 3]) -> [(f64, f64); 2] {
    if fetched <= 0.0 {
        return [(latency_s, 1.0), (latency_s, 0.0)];
    }
    let hit_s = (latency_s - fetch_s).max(0.0);
    [(hit_s, 1.0 - fetched), (hit_s + fetch_s / fetched, fetched)]
}

/// Milliseconds of the users' round trips: those that only set the connection up, and the rest.
#[inline]
pub(super) fn round_trips_ms(fate: DemandFate) -> (f64, f64) {
    (fate.setup_ns as f64 * 1e-6, (fate.round_trips_ns - fate.setup_ns) as f64 * 1e-6)
}

/// What one request waits for beyond the users' round trips.
pub(super) fn parts_of_ways(waits: Waits) -> LatencyParts {
    LatencyParts {
        setup_ms: 0.0,
        propagation_ms: waits.propagation_s * 1e3,
        link_queue_ms: waits.link_queue_s * 1e3,
        service_ms: waits.service_s * 1e3,
        origin_ms: waits.origin_s * 1e3,
    }
}

/// What one request waits for: the users' round trips and what comes on top of them.
pub(super) fn parts_of(fate: DemandFate, waits: Waits) -> LatencyParts {
    let (setup_ms, way_ms) = round_trips_ms(fate);
    let ways = parts_of_ways(waits);
    LatencyParts { setup_ms, propagation_ms: way_ms + ways.propagation_ms, ..ways }
}

/// Seconds that a connection's limits add to an answer: round trips of its window, so they count
/// as the way.
pub(super) fn tcp_s(tcp: &Tcp, fate: DemandFate, bundle: &Bundle, outcome: &Outcome) -> f64 {
    let waits = outcome.waits;
    let rtt_s = fate.rtt_ns as f64 * 1e-9 + waits.propagation_s + waits.link_queue_s;
    let loss = outcome.dropped[DropCause::LinkFull as usize];
    transfer_s(tcp, rtt_s, loss, bundle.response_bits)
}
