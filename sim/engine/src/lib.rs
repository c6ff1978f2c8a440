//! The pure engine of Steerlab.
//!
//! Given a validated [`scenario::Scenario`], one arm and one replication, [`run::run`] plays the
//! scenario and tells a [`record::Recorder`] what happened. The same inputs give the same facts,
//! to the byte, on every machine.
//!
//! What this crate must not know: files, clocks, threads, the environment, YAML, HTML, hash order
//! and the platform's transcendental functions. `clippy.toml` beside the manifest forbids them.

pub mod kernel;
pub mod load;
pub mod net;
pub mod record;
pub mod route;
pub mod run;
pub mod scenario;
pub mod steer;
pub mod theory;
pub mod world;
