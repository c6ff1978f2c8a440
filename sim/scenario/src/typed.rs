//! Values whose kind has been checked against the table, with their positions.

use crate::clock::{DateTime, Moment};
use crate::source::Span;
use crate::table::Mapping;
use std::sync::Arc;
use steerlab_engine::kernel::SimSpan;
use steerlab_engine::net::GeoPoint;

/// A checked value.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub span: Span,
    pub data: Data,
}

/// What a value holds.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    /// Something wrong stood here and has been reported.
    Invalid,
    /// Text, id, reference, word, path.
    Text(Arc<str>),
    Flag(bool),
    /// Count, bandwidth in bit/s, size in bytes.
    Count(u64),
    /// Number, ratio, requests per second.
    Number(f64),
    Span(SimSpan),
    Moment(Moment),
    Date(DateTime),
    Point(GeoPoint),
    List(Vec<Value>),
    Map(Fields),
    /// Names with their positions, and values.
    Dict(Vec<(Value, Value)>),
    Policy(Box<PolicyValue>),
}

/// A checked policy of an arm.
#[derive(Clone, Debug)]
pub(crate) struct PolicyValue {
    pub name: Arc<str>,
    pub period: Option<SimSpan>,
    /// In the order of the descriptor; absent where something was wrong.
    pub params: Vec<(&'static str, Value)>,
}

/// A checked mapping: one slot for every key of the table, defaults filled in.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub mapping: &'static Mapping,
    pub span: Span,
    pub slots: Vec<Option<Value>>,
}

impl Value {
    /// As text.
    pub(crate) fn text(&self) -> Option<&Arc<str>> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As a mapping.
    pub(crate) fn fields(&self) -> Option<&Fields> {
        match &self.data {
            Data::Map(fields) => Some(fields),
            _ => None,
        }
    }

    /// As a list; anything else is empty.
    pub(crate) fn items(&self) -> &[Value] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// As a number.
    pub(crate) fn number(&self) -> Option<f64> {
        match self.data {
            Data::Number(value) => Some(value),
            _ => None,
        }
    }

    /// As a count.
    pub(crate) fn count(&self) -> Option<u64> {
        match self.data {
            Data::Count(value) => Some(value),
            _ => None,
        }
    }

    /// As a span of time.
    pub(crate) fn time(&self) -> Option<SimSpan> {
        match self.data {
            Data::Span(value) => Some(value),
            _ => None,
        }
    }
}

impl Fields {
    /// The value of a key. None: not given and without default.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let position = self.mapping.position(name);
        debug_assert!(position.is_some(), "{} has no key {name}", self.mapping.name);
        self.slots.get(position?)?.as_ref()
    }

    /// Where a key's value stands; the mapping's place if it is not given.
    pub(crate) fn place(&self, name: &str) -> Span {
        self.get(name).map_or(self.span, |value| value.span)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&Arc<str>> {
        self.get(name)?.text()
    }

    /// Text, empty if something was wrong with it.
    pub(crate) fn string(&self, name: &str) -> String {
        self.text(name).map_or_else(String::new, |text| text.to_string())
    }

    /// The label, or the id where that is empty.
    pub(crate) fn label(&self) -> String {
        let label = self.string("label");
        if label.is_empty() { self.string("id") } else { label }
    }

    pub(crate) fn count(&self, name: &str) -> Option<u64> {
        self.get(name)?.count()
    }

    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.number()
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)?.data {
            Data::Flag(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn time(&self, name: &str) -> Option<SimSpan> {
        self.get(name)?.time()
    }

    pub(crate) fn point(&self, name: &str) -> Option<GeoPoint> {
        match self.get(name)?.data {
            Data::Point(point) => Some(point),
            _ => None,
        }
    }

    /// A list; empty if not given.
    pub(crate) fn items(&self, name: &str) -> &[Value] {
        self.get(name).map_or(&[], Value::items)
    }

    /// A mapping.
    pub(crate) fn fields(&self, name: &str) -> Option<&Fields> {
        self.get(name)?.fields()
    }

    /// The valid mappings of a list, with their position in it.
    pub(crate) fn rows(&self, name: &str) -> impl Iterator<Item = &Fields> {
        self.items(name).iter().filter_map(Value::fields)
    }

    /// The one key of those marked so in the table that is given.
    pub(crate) fn chosen(&self) -> Option<(&'static str, &Value)> {
        self.mapping
            .keys
            .iter()
            .zip(&self.slots)
            .filter(|(key, _)| key.need == crate::table::Need::OneOf)
            .find_map(|(key, slot)| slot.as_ref().map(|value| (key.name, value)))
    }
}
