//! `static-anycast`: every site announces every prefix it is configured for, always.
//!
//! Model: none; the catchment is routing's alone. The baseline of everything else, and the way to
//! see what the network does by itself (compare "absorb" in Moura et al., IMC 2016).

use steerlab_engine::kernel::{SimSpan, Stream};
use steerlab_engine::steer::{Ask, Descriptor, Policy, Surface, View};

/// How it is registered.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "static-anycast",
    version: 1,
    summary: "announce every prefix everywhere and leave it so",
    source: "the default of anycast networks",
    surfaces: &[Surface::Announce],
    feeds: &[],
    default_period: SimSpan::from_seconds(86_400),
    params: &[],
    build: |_| Box::new(StaticAnycast),
    check: |_| Ok(()),
};

struct StaticAnycast;

impl Policy for StaticAnycast {
    fn decide(&mut self, _view: &View<'_>, _stream: &mut Stream, _ask: &mut Ask<'_>) {}
}
