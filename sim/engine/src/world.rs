//! The only mutable state.
