//! The table of models, and how each one computes its quantities from its parameters.

mod balancing;
mod priorities;
mod queues;
mod services;
mod sites;
mod tables;
mod words;

use super::{Kind, Model, Parameter, Preset, Quantity, Range, Trouble};

/// All models, in the order in which they are listed.
pub fn models() -> impl Iterator<Item = &'static Model> {
    [
        queues::MODELS,
        priorities::MODELS,
        balancing::MODELS,
        tables::MODELS,
        services::MODELS,
        sites::MODELS,
    ]
    .into_iter()
    .flatten()
}

/// The model of a name or an alias.
#[must_use]
pub fn model(name: &str) -> Option<&'static Model> {
    models().find(|model| model.name == name || model.aliases.contains(&name))
}
