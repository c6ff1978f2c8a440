//! Who moved after what: users that changed their landing site, by cause.

mod bars;
mod causes;
mod episodes;
mod largest;
mod lost;

pub use bars::{moved_by_cause, pairs, table};
pub use episodes::Churn;
pub use largest::{LargestMoves, MovedGroup};
