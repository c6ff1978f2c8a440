//! What it costs to set up a connection, in round trips before the first request can be sent.
//!
//! - TCP: one round trip, then data may flow (RFC 9293, section 3.5).
//! - TLS 1.2: two round trips, one if an earlier session is resumed (RFC 5246, section 7.3).
//! - TLS 1.3: one round trip; none for early data on a resumed session (RFC 8446, sections 2, 2.2
//!   and 2.3). HTTP/2 adds none: the client sends its preface and requests at once (RFC 9113,
//!   section 3.4).
//! - QUIC: one round trip for transport and TLS 1.3 together; none for early data (RFC 9001,
//!   section 4.1.1; RFC 9000, section 7). HTTP/3 adds none (RFC 9114, section 3.2).

use serde::{Deserialize, Serialize};

/// Application protocol with what is below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// HTTP/1.1 over TCP without TLS.
    Http1Plain,
    /// HTTP/1.1 over TLS 1.2.
    Http1Tls12,
    /// HTTP/1.1 over TLS 1.3.
    Http1Tls13,
    /// HTTP/2 over TLS 1.2.
    Http2Tls12,
    /// HTTP/2 over TLS 1.3.
    Http2Tls13,
    /// HTTP/3 over QUIC.
    Http3,
}

/// Requests in flight on one connection of HTTP/2 and HTTP/3: the least that RFC 9113, section
/// 6.5.2, and RFC 9114, section 6.1, recommend to allow.
const STREAMS_MAX: u32 = 100;

impl Protocol {
    /// All protocols.
    pub const ALL: [Protocol; 6] = [
        Protocol::Http1Plain,
        Protocol::Http1Tls12,
        Protocol::Http1Tls13,
        Protocol::Http2Tls12,
        Protocol::Http2Tls13,
        Protocol::Http3,
    ];

    /// Round trips before the first request is sent, without DNS.
    #[must_use]
    pub fn round_trips(self, resumed: bool, early_data: bool) -> u32 {
        let early = resumed && early_data;
        match self {
            Protocol::Http1Plain => 1,
            Protocol::Http1Tls12 | Protocol::Http2Tls12 => 1 + if resumed { 1 } else { 2 },
            Protocol::Http1Tls13 | Protocol::Http2Tls13 => 1 + u32::from(!early),
            Protocol::Http3 => u32::from(!early),
        }
    }

    /// Requests that one connection carries at once.
    #[must_use]
    pub fn streams_max(self) -> u32 {
        match self {
            Protocol::Http1Plain | Protocol::Http1Tls12 | Protocol::Http1Tls13 => 1,
            Protocol::Http2Tls12 | Protocol::Http2Tls13 | Protocol::Http3 => STREAMS_MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_are_those_of_the_standards() {
        let table = [
            // full, resumed, resumed with early data
            (Protocol::Http1Plain, [1, 1, 1]),
            (Protocol::Http1Tls12, [3, 2, 2]),
            (Protocol::Http1Tls13, [2, 2, 1]),
            (Protocol::Http2Tls12, [3, 2, 2]),
            (Protocol::Http2Tls13, [2, 2, 1]),
            (Protocol::Http3, [1, 1, 0]),
        ];
        for (protocol, expected) in table {
            let found = [(false, true), (true, false), (true, true)]
                .map(|(resumed, early)| protocol.round_trips(resumed, early));
            assert_eq!(found, expected, "{protocol:?}");
        }
    }
}
