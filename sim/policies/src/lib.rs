//! Built-in policies, one file each, and their registry.
//!
//! What this crate must not know: anything of the engine but its public API, and anything else of
//! ours. A user's policy compiles against the same traits.

mod dns_steer;
mod scripted;
mod spf_ecmp;
mod static_anycast;
mod tenant_budget;
mod threshold_withdraw;
mod unimog_loop;
mod wcmp_k_shortest;

use steerlab_engine::steer::{Descriptor, PolicyRegistry};

/// All built-in policies, sorted by name.
pub static POLICIES: [Descriptor; 8] = [
    dns_steer::DESCRIPTOR,
    scripted::DESCRIPTOR,
    spf_ecmp::DESCRIPTOR,
    static_anycast::DESCRIPTOR,
    tenant_budget::DESCRIPTOR,
    threshold_withdraw::DESCRIPTOR,
    unimog_loop::DESCRIPTOR,
    wcmp_k_shortest::DESCRIPTOR,
];

/// The registry of built-in policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltIn;

impl PolicyRegistry for BuiltIn {
    fn descriptors(&self) -> &[Descriptor] {
        &POLICIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_unique() {
        assert!(POLICIES.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
