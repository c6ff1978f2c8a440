//! Which names exist, where they were given, and what they refer to.

use crate::diagnostic::{Diagnostic, Sink, quote};
use crate::source::Span;
use crate::table::Entity;
use crate::typed::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All names of a scenario.
pub(crate) struct Names {
    known: Vec<BTreeMap<Arc<str>, (u32, Span)>>,
}

impl Names {
    pub(crate) fn new() -> Names {
        Names { known: vec![BTreeMap::new(); Entity::ALL.len()] }
    }

    /// Adds a name for row `index`. A second one of the same kind is reported and returns false.
    pub(crate) fn define(
        &mut self,
        entity: Entity,
        name: Arc<str>,
        index: u32,
        span: Span,
        sink: &mut Sink,
    ) -> bool {
        if let Some((_, first)) = self.known[entity as usize].get(&name) {
            sink.push(
                Diagnostic::new(
                    "E0302",
                    span,
                    format!("the {} {} exists already", entity.name(), quote(&name)),
                )
                .help("give it an id of its own; free text belongs into `label`")
                .related(*first, "first given here"),
            );
            return false;
        }
        self.known[entity as usize].insert(name, (index, span));
        true
    }

    /// The row of a name, if it exists.
    pub(crate) fn get(&self, entity: Entity, name: &str) -> Option<u32> {
        self.known[entity as usize].get(name).map(|(index, _)| *index)
    }

    /// The row that a value names; an unknown name is reported.
    pub(crate) fn find(&self, entity: Entity, value: &Value, sink: &mut Sink) -> Option<u32> {
        let name = value.text()?;
        let found = self.get(entity, name);
        if found.is_none() {
            sink.push(self.unknown(entity, name, value.span, sink.error_count()));
        }
        found
    }

    /// What to say of an unknown name. With many errors before it, no suggestion is looked for.
    pub(crate) fn unknown(
        &self,
        entity: Entity,
        name: &str,
        span: Span,
        errors_before: usize,
    ) -> Diagnostic {
        let known = &self.known[entity as usize];
        let names = || known.keys().map(|name| &**name);
        let near =
            (errors_before < 100).then(|| crate::diagnostic::nearest(name, names())).flatten();
        let listed: Vec<_> = names().take(8).map(|name| format!("`{name}`")).collect();
        let more = if known.len() > listed.len() { ", .." } else { "" };
        let help = if listed.is_empty() {
            format!("this scenario has no {} so far: add one", entity.name())
        } else {
            format!("known: {}{more}", listed.join(", "))
        };
        Diagnostic::new("E0301", span, format!("there is no {} {}", entity.name(), quote(name)))
            .help(help)
            .suggest(near)
    }
}
