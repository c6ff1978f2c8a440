//! How senders adapt to what the network carries.

use serde::{Deserialize, Serialize};

/// A service whose rate is a wish: at full links its senders slow down to a fair share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Elastic {
    /// Weight of a request per second (of a transfer: of the demand) in that share.
    pub weight: f64,
}

/// Which law says how fast a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TcpModel {
    /// The square-root law (Mathis and others, CCR 1997).
    Mathis,
    /// With timeouts and a largest window (Padhye and others, SIGCOMM 1998).
    Pftk,
}

/// A connection's limits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tcp {
    /// Which law.
    pub model: TcpModel,
    /// Largest window, bytes.
    pub window_bytes: f64,
    /// Segment size, bytes.
    pub mss_bytes: f64,
    /// Share of segments lost where the links on the way lose fewer.
    pub loss_ratio: f64,
    /// Connections open at a time in one bundle of a transfer, which then takes no more than they
    /// all can; none: unlimited.
    pub flows: Option<u32>,
}
