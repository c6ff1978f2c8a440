//! `scripted`: does what operators did, when they did it.
//!
//! Model: a list of timed actions, for replaying incidents and for what-if changes.

use steerlab_engine::kernel::{SimSpan, Stream};
use steerlab_engine::scenario::ScriptStep;
use steerlab_engine::steer::{Ask, Descriptor, Param, ParamKind, Policy, Surface, View};

/// How it is registered.
pub const DESCRIPTOR: Descriptor = Descriptor {
    name: "scripted",
    version: 1,
    summary: "asks for the actions of a list at their times",
    source: "incident timelines",
    surfaces: &[Surface::Announce, Surface::Dns, Surface::Spill, Surface::Paths, Surface::Admit],
    feeds: &[],
    default_period: SimSpan::from_seconds(1),
    params: &[Param {
        name: "steps",
        kind: ParamKind::Script,
        default: None,
        doc: "timed actions, each with its cause",
    }],
    build: |params| Box::new(Scripted { steps: params.script("steps").to_vec(), next: 0 }),
    check: |_| Ok(()),
};

struct Scripted {
    steps: Vec<ScriptStep>,
    next: usize,
}

impl Policy for Scripted {
    fn decide(&mut self, view: &View<'_>, _stream: &mut Stream, ask: &mut Ask<'_>) {
        while let Some(step) = self.steps.get(self.next).filter(|step| step.at <= view.now) {
            // A refusal is on record; the script goes on, as operators do.
            let _refused = ask.request(step.action.clone(), step.cause.clone());
            self.next += 1;
        }
    }
}
