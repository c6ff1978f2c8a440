//! Who lands where, and which way traffic goes inside the network.
//!
//! Two questions, two interfaces. *Landing*: which site do the users of a client group reach for a
//! prefix ([`landing::LandingModel`]). *Forwarding*: how does traffic at a node of ours get to a
//! destination ([`table::RouteTable`]). Before both, a name is answered with a prefix: [`dns`]. Load asks both and knows nothing of how they are answered,
//! so a full BGP engine can answer instead.

pub mod bgp;
pub mod dns;
pub mod internet;
pub mod ksp;
pub mod landing;
pub mod predict;
pub mod spf;
pub mod table;
pub mod tree;

pub use ksp::k_shortest_paths;
pub use landing::{Explanation, Fate, Landing, LandingModel, Offer, RttMatrix};
pub use spf::{Dag, shortest_dag};
pub use table::{Destination, Installed, RouteTable};
pub use tree::PathTree;
