//! Admission: who is let in when not everybody can be, and what happens to the rest.
//!
//! Each mechanism is a state machine without a clock. It answers for rates over a span (fluid) and
//! for single requests, from the same state.

mod filter;
mod shed;
mod tenants;
mod token_bucket;

pub use filter::{AttackFilter, FilterTerms, Stage};
pub use shed::{Control, Shed, ShedTerms};
pub use tenants::{Tenant, weighted_shares};
pub use token_bucket::{Passed, TokenBucket};
