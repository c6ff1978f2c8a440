//! Routes as others saw them: tables and updates of route collectors, row by row.
//!
//! Two formats are read, MRT (RFC 6396) by [`read_mrt`] and the answers of RIPEstat's BGPlay by
//! [`read_bgplay`]. Both give the same rows, one at a time, to a [`RouteSink`], so that a table of
//! any size needs little memory. Whoever keeps rows writes them to a place that can be dropped:
//! an input that fails gives rows before it fails.

mod bgplay;
mod mrt;
mod observation;
mod record;
mod structure;
mod table;
mod table_parquet;
mod unpack;
mod updates;

pub use bgplay::read_bgplay;
pub use mrt::{MrtOptions, read_mrt};
pub use observation::RouteOrigin;
pub(crate) use observation::parse_asn;
pub use observation::{Community, ObservedPath, PathSegment, Prefix, RouteKind, RouteObservation};
pub use table::{CsvRoutes, ROUTES_FORMAT, RoutesHead};
pub use table_parquet::ParquetRoutes;
pub use updates::{BgpUpdate, BgpUpdates, LoadedUpdates, UPDATES_FORMAT, UpdateCollector};

use super::ImportError;
use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

/// Takes rows as they are read.
pub trait RouteSink {
    /// Takes one row.
    ///
    /// # Errors
    /// The row cannot be kept; reading stops with [`RouteReadError::Sink`].
    fn take(&mut self, row: &RouteObservation) -> io::Result<()>;
}

/// Why reading stopped.
#[derive(Debug)]
pub enum RouteReadError {
    /// The input is not usable; what the sink has got so far must not be used.
    Input(ImportError),
    /// The sink could not keep a row.
    Sink(io::Error),
}

impl From<ImportError> for RouteReadError {
    fn from(error: ImportError) -> RouteReadError {
        RouteReadError::Input(error)
    }
}

impl From<super::common::problem::Problem> for RouteReadError {
    fn from(problem: super::common::problem::Problem) -> RouteReadError {
        RouteReadError::Input(problem.into())
    }
}

/// What an input held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteCounts {
    /// Records of the file: for MRT the records, for BGPlay the entries of its two lists.
    pub records: u64,
    /// Rows of tables.
    pub table_rows: u64,
    /// Announced prefixes of updates, counted once an update.
    pub announcements: u64,
    /// Withdrawn prefixes of updates.
    pub withdrawals: u64,
    /// Changes of session states.
    pub state_changes: u64,
    /// Prefixes, each once.
    pub prefixes: u64,
    /// Peers, each once: a peer is an AS number and an address.
    pub peers: u64,
}

/// An input that was read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutesRead {
    /// What it held.
    pub counts: RouteCounts,
    /// Everything that was left out or assumed.
    pub notes: Vec<String>,
}

/// Counts rows on their way to a sink.
struct Counting<'a> {
    sink: &'a mut dyn RouteSink,
    counts: RouteCounts,
    prefixes: BTreeSet<Prefix>,
    peers: BTreeSet<(u32, IpAddr)>,
}

impl<'a> Counting<'a> {
    fn new(sink: &'a mut dyn RouteSink) -> Counting<'a> {
        let (prefixes, peers) = (BTreeSet::new(), BTreeSet::new());
        Counting { sink, counts: RouteCounts::default(), prefixes, peers }
    }

    fn take(&mut self, row: &RouteObservation) -> Result<(), RouteReadError> {
        match row.kind {
            RouteKind::Table => self.counts.table_rows += 1,
            RouteKind::Announce => self.counts.announcements += 1,
            RouteKind::Withdraw => self.counts.withdrawals += 1,
        }
        self.prefixes.insert(row.prefix);
        self.peers.insert((row.peer_asn, row.peer_address));
        self.sink.take(row).map_err(RouteReadError::Sink)
    }

    fn finish(mut self) -> RouteCounts {
        self.counts.prefixes = self.prefixes.len() as u64;
        self.counts.peers = self.peers.len() as u64;
        self.counts
    }
}

/// Two sinks that get the same rows.
pub struct Both<'a>(
    /// Gets each row first.
    pub &'a mut dyn RouteSink,
    /// Gets it second.
    pub &'a mut dyn RouteSink,
);

impl RouteSink for Both<'_> {
    fn take(&mut self, row: &RouteObservation) -> io::Result<()> {
        self.0.take(row)?;
        self.1.take(row)
    }
}

impl RouteSink for Vec<RouteObservation> {
    fn take(&mut self, row: &RouteObservation) -> io::Result<()> {
        self.push(row.clone());
        Ok(())
    }
}
