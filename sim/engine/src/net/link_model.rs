//! What a link does to traffic beyond carrying it: waiting, memory, marks, shares of tenants, bills.

use crate::kernel::SimSpan;
use serde::{Deserialize, Serialize};

/// How long packets wait below saturation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Queueing {
    /// They do not: only a link that is too full delays.
    #[default]
    None,
    /// Poisson arrivals, exponential packet sizes.
    Mm1,
    /// Poisson arrivals, packets of one size.
    Md1,
    /// Poisson arrivals, packet sizes of a given coefficient of variation.
    Mg1,
}

/// What a link costs: a percentile of the rates of five minutes each.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Billing {
    /// Price of one Mbit/s of the billed rate, in any currency.
    pub price_per_mbps: f64,
    /// Rate that is paid for in any case, bit/s.
    pub commit_bps: u64,
    /// Share of samples at or below the billed one, such as 0.95.
    pub percentile: f64,
}

/// The options of a link. The default changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkModel {
    /// Waiting below saturation.
    pub queueing: Queueing,
    /// Mean packet size, bits.
    pub packet_bits: f64,
    /// Squared coefficient of variation of packet sizes, for [`Queueing::Mg1`].
    pub packet_cv2: f64,
    /// Whether the buffer has a memory: it fills before anything is lost and empties later.
    pub backlog: bool,
    /// Marks elastic traffic as soon as its queue is this long, in time at full rate; none: lets
    /// the buffer fill and drops.
    pub ecn: Option<SimSpan>,
    /// Weights of tenants inside a class, in tenant order; empty: tenants lose in proportion.
    pub tenant_weights: Vec<f64>,
    /// What it costs.
    pub billing: Option<Billing>,
}

impl Default for LinkModel {
    fn default() -> Self {
        LinkModel {
            queueing: Queueing::None,
            packet_bits: 12_000.0,
            packet_cv2: 1.0,
            backlog: false,
            ecn: None,
            tenant_weights: Vec::new(),
            billing: None,
        }
    }
}

impl LinkModel {
    /// Whether nothing differs from the default: not written into a scenario's identity.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == LinkModel::default()
    }

    /// Whether its queue is modelled beyond the delay of a buffer that is full.
    #[must_use]
    pub fn has_queue(&self) -> bool {
        self.queueing != Queueing::None || self.backlog || self.ecn.is_some()
    }
}
