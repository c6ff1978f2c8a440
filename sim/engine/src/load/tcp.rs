//! How fast a TCP connection can be: by its window and by the loss it meets.

use crate::scenario::{Tcp, TcpModel};
use crate::theory::tcp::{Connection, mathis, padhye_approximation};

/// Segments confirmed by one acknowledgement (RFC 5681: delayed acknowledgements).
const ACKED: f64 = 2.0;
/// Shortest retransmission timeout in use, seconds; else it is four round trips.
const TIMEOUT_MIN_S: f64 = 0.2;
/// Segments sent before the first acknowledgement (RFC 6928).
const INITIAL_WINDOW: f64 = 10.0;

/// Bits per second of one long connection with a round trip of `rtt_s` and this share of segments
/// lost (the larger of it and the service's own counts). Infinite without a round trip.
///
/// Mathis and others, CCR 1997: mss / rtt x sqrt(3 / (2 b p)). Padhye and others, SIGCOMM 1998,
/// equation 33 (the approximation with timeouts). Both at most a window per round trip.
#[must_use]
pub fn rate_bps(tcp: &Tcp, rtt_s: f64, loss: f64) -> f64 {
    if rtt_s <= 0.0 {
        return f64::INFINITY;
    }
    let window = tcp.window_bytes * 8.0 / rtt_s;
    let p = loss.max(tcp.loss_ratio).min(1.0);
    if p <= 0.0 {
        return window;
    }
    let connection = Connection {
        rtt: rtt_s,
        loss: p,
        timeout: (4.0 * rtt_s).max(TIMEOUT_MIN_S),
        window: tcp.window_bytes / tcp.mss_bytes,
        acked: ACKED,
    };
    let segments_per_s = match tcp.model {
        TcpModel::Mathis => mathis(&connection),
        TcpModel::Pftk => padhye_approximation(&connection),
    };
    segments_per_s * tcp.mss_bytes * 8.0
}

/// Seconds from the first byte of an answer to its last: what exceeds the initial window comes at
/// the rate of a long connection.
#[must_use]
pub fn transfer_s(tcp: &Tcp, rtt_s: f64, loss: f64, bits: f64) -> f64 {
    let first = (INITIAL_WINDOW * tcp.mss_bytes).min(tcp.window_bytes) * 8.0;
    let rest = bits - first;
    if rest <= 0.0 || rtt_s <= 0.0 { 0.0 } else { rest / rate_bps(tcp, rtt_s, loss) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(model: TcpModel) -> Tcp {
        Tcp { model, window_bytes: 1e9, mss_bytes: 1_460.0, loss_ratio: 0.0, flows: None }
    }

    #[test]
    fn rates_by_hand() {
        // sqrt(3 / (2 x 2 x 0.01)) = sqrt(75) segments a round trip of 100 ms.
        let mathis = rate_bps(&tcp(TcpModel::Mathis), 0.1, 0.01);
        assert!((mathis - 1_460.0 * 8.0 * 75.0_f64.sqrt() / 0.1).abs() < 1e-3, "{mathis}");
        // Equation 33: 1 / (0.1 sqrt(0.04/3) + 0.4 x 3 sqrt(0.0075) x 0.01 x 1.0032).
        let pftk = rate_bps(&tcp(TcpModel::Pftk), 0.1, 0.01);
        let per_segment =
            0.1 * (0.04_f64 / 3.0).sqrt() + 0.4 * 3.0 * 0.0075_f64.sqrt() * 0.01 * 1.0032;
        assert!((pftk * per_segment / 11_680.0 - 1.0).abs() < 1e-12, "{pftk}");
        assert!(pftk < mathis);
    }

    #[test]
    fn the_window_limits() {
        let small = Tcp { window_bytes: 65_536.0, ..tcp(TcpModel::Pftk) };
        assert_eq!(rate_bps(&small, 0.1, 0.0), 65_536.0 * 80.0);
        assert_eq!(rate_bps(&small, 0.0, 0.5), f64::INFINITY);
        // 1 MB: all but the first 14,600 bytes at a window a round trip.
        let seconds = transfer_s(&small, 0.1, 0.0, 8e6);
        assert!((seconds - (1e6 - 14_600.0) / 655_360.0).abs() < 1e-12);
        assert_eq!(transfer_s(&small, 0.1, 0.0, 8e4), 0.0);
    }

    #[test]
    fn more_loss_or_distance_is_slower() {
        for model in [TcpModel::Mathis, TcpModel::Pftk] {
            let mut last = f64::INFINITY;
            for loss in [1e-6, 1e-4, 1e-3, 0.01, 0.1, 0.5, 1.0] {
                let rate = rate_bps(&tcp(model), 0.05, loss);
                assert!(rate <= last && rate > rate_bps(&tcp(model), 0.06, loss));
                last = rate;
            }
        }
    }
}
