//! Amounts of traffic and what became of them.

/// An amount of traffic and what became of it. As a rate (per second) in rows, as a total in
/// [`super::RunTotals`]. Conservation: offered = served + dropped + growth of the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flow {
    /// Bits that wanted to be moved (request and response, or transfer).
    pub offered_bits: f64,
    /// Bits delivered end to end.
    pub served_bits: f64,
    /// Bits lost, by cause.
    pub dropped_bits: [f64; DropCause::ALL.len()],
    /// Bits that wait in a server queue or in front of a link at the end (as a rate: growth per second).
    pub queued_bits: f64,
    /// Requests offered.
    pub offered_requests: f64,
    /// Requests answered.
    pub served_requests: f64,
    /// Requests lost, any cause.
    pub dropped_requests: f64,
    /// Requests that wait there at the end (as a rate: growth per second).
    pub queued_requests: f64,
}

/// Why traffic was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropCause {
    /// More than a link could carry.
    LinkFull,
    /// Sent into a link or site that is down, before routing noticed.
    Down,
    /// No route at all.
    NoRoute,
    /// The server queue was full.
    ServerFull,
    /// A policy's limit.
    Policed,
    /// Other networks send it in a circle.
    Loop,
    /// Another network discards it.
    Blackhole,
    /// It lands at a network that is not ours.
    Hijacked,
    /// Senders that adapt held it back because links were full.
    Throttled,
    /// Over its tenant's budget at a site.
    OverBudget,
    /// Its class was shed, to keep the servers' queue short.
    Shed,
    /// It looked like an attack, rightly or not.
    Filtered,
}

impl DropCause {
    /// All causes; `DropCause as usize` is the position here.
    pub const ALL: [DropCause; 12] = [
        DropCause::LinkFull,
        DropCause::Down,
        DropCause::NoRoute,
        DropCause::ServerFull,
        DropCause::Policed,
        DropCause::Loop,
        DropCause::Blackhole,
        DropCause::Hijacked,
        DropCause::Throttled,
        DropCause::OverBudget,
        DropCause::Shed,
        DropCause::Filtered,
    ];

    /// Name as in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        [
            "link-full",
            "down",
            "no-route",
            "server-full",
            "policed",
            "loop",
            "blackhole",
            "hijacked",
            "throttled",
            "over-budget",
            "shed",
            "filtered",
        ][self as usize]
    }
}

impl Flow {
    /// All lost bits.
    #[must_use]
    pub fn dropped_bits_total(&self) -> f64 {
        self.dropped_bits.iter().sum()
    }

    /// Adds requests of which none is lost or left waiting: as [`Flow::add`] of what has zeros
    /// elsewhere.
    #[inline]
    pub fn add_clean(&mut self, offered: f64, served: f64, unit_bits: f64) {
        self.offered_bits += offered * unit_bits;
        self.served_bits += served * unit_bits;
        self.offered_requests += offered;
        self.served_requests += served;
    }

    /// Adds another flow, field by field.
    pub fn add(&mut self, other: &Flow) {
        self.offered_bits += other.offered_bits;
        self.served_bits += other.served_bits;
        for (sum, value) in self.dropped_bits.iter_mut().zip(other.dropped_bits) {
            *sum += value;
        }
        self.queued_bits += other.queued_bits;
        self.offered_requests += other.offered_requests;
        self.served_requests += other.served_requests;
        self.dropped_requests += other.dropped_requests;
        self.queued_requests += other.queued_requests;
    }
}
