//! Long-term throughput of one TCP connection, from loss and round-trip time.
//!
//! Sources: M. Mathis, J. Semke, J. Mahdavi, T. Ott, The Macroscopic Behavior of the TCP
//! Congestion Avoidance Algorithm (1997); J. Padhye, V. Firoiu, D. Towsley, J. Kurose, Modeling
//! TCP Throughput (1998), the full model and its approximation.

use crate::kernel::math;

/// A connection.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// Round-trip time, s.
    pub rtt: f64,
    /// Probability that a loss event begins at a segment, above 0 and below 1.
    pub loss: f64,
    /// First retransmission timeout, s.
    pub timeout: f64,
    /// Largest window, segments.
    pub window: f64,
    /// Segments that one acknowledgement confirms.
    pub acked: f64,
}

/// Segments per second by the square-root law: sqrt(3 / (2 b p)) / rtt, at most a window a
/// round trip.
#[must_use]
pub fn mathis(c: &Connection) -> f64 {
    let open = math::sqrt(3.0 / (2.0 * c.acked * c.loss)) / c.rtt;
    open.min(c.window / c.rtt)
}

/// Probability that a loss in a window of `w` segments ends in a timeout.
fn timeout_share(loss: f64, w: f64) -> f64 {
    if w <= 3.0 {
        // Too few segments behind the lost one for three duplicate acknowledgements.
        return 1.0;
    }
    let kept = 1.0 - loss;
    let three = kept * kept * kept;
    let numerator = (1.0 - three) * (1.0 + three * (1.0 - math::powf(kept, w - 3.0)));
    (numerator / (1.0 - math::powf(kept, w))).min(1.0)
}

/// Segments per second by the full model of Padhye and others: fast retransmissions, timeouts with
/// back-off, and a largest window.
#[must_use]
pub fn padhye(c: &Connection) -> f64 {
    assert!(c.loss > 0.0 && c.loss < 1.0);
    let (p, b) = (c.loss, c.acked);
    let kept = 1.0 - p;
    let offset = (2.0 + b) / (3.0 * b);
    let open = offset + math::sqrt(8.0 * kept / (3.0 * b * p) + offset * offset);
    // 1 + p + 2 p^2 + 4 p^3 + ... + 32 p^6: timeouts double up to 64 times the first.
    let backoff = 1.0 + p * (1.0 + p * (2.0 + p * (4.0 + p * (8.0 + p * (16.0 + p * 32.0)))));
    let (window, rounds) = if open < c.window {
        (open, 0.5 * b * open + 1.0)
    } else {
        (c.window, 0.125 * b * c.window + kept / (p * c.window) + 2.0)
    };
    let out = timeout_share(p, window);
    (kept / p + window + out / kept) / (c.rtt * rounds + out * backoff * c.timeout / kept)
}

/// Segments per second by the approximation of the same authors.
#[must_use]
pub fn padhye_approximation(c: &Connection) -> f64 {
    let (p, b) = (c.loss, c.acked);
    let recover = c.rtt * math::sqrt(2.0 * b * p / 3.0);
    let out = c.timeout * (3.0 * math::sqrt(3.0 * b * p / 8.0)).min(1.0) * p * (1.0 + 32.0 * p * p);
    (c.window / c.rtt).min(1.0 / (recover + out))
}
