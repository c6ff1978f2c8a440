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

/// What one request waits for: the users' round trips and what comes on top of them.
pub(super) fn parts_of(fate: DemandFate, waits: Waits) -> LatencyParts {
    LatencyParts {
        setup_ms: fate.setup_ns as f64 * 1e-6,
        propagation_ms: (fate.round_trips_ns - fate.setup_ns) as f64 * 1e-6
            + waits.propagation_s * 1e3,
        link_queue_ms: waits.link_queue_s * 1e3,
        service_ms: waits.service_s * 1e3,
        origin_ms: waits.origin_s * 1e3,
    }
}

/// Seconds beyond the users' round trips, with the time that a connection's limits add to the
/// answer: round trips of its window, so they count as the way.
pub(super) fn with_tcp(
    tcp: &Tcp,
    fate: DemandFate,
    bundle: &Bundle,
    outcome: &Outcome,
) -> (f64, Waits) {
    let waits = outcome.waits;
    let rtt_s = fate.rtt_ns as f64 * 1e-9 + waits.propagation_s + waits.link_queue_s;
    let loss = outcome.dropped[DropCause::LinkFull as usize];
    let extra_s = transfer_s(tcp, rtt_s, loss, bundle.response_bits);
    let waits = Waits { propagation_s: waits.propagation_s + extra_s, ..waits };
    (outcome.latency_s + extra_s, waits)
}
