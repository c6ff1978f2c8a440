//! What traffic does.
