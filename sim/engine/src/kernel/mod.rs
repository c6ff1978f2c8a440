//! The kernel: time, total event order, queue, keyed chance, portable math, fingerprint.
//!
//! It knows no network word. Everything else in the engine is built from these few types.

pub mod fingerprint;
pub mod key;
pub mod math;
pub mod queue;
pub mod scheduler;
pub mod stream;
pub mod table;
pub mod time;

pub use fingerprint::Fingerprint;
pub use key::{EventKey, Phase};
pub use queue::Queue;
pub use scheduler::Scheduler;
pub use stream::{Stream, StreamKey, entity_hash};
pub use table::{Id, Table};
pub use time::{SimSpan, SimTime};
