//! Checks a tree of nodes against the table: keys, kinds, units, ranges. Everything that is wrong
//! is reported; what is right becomes a typed value.

use crate::Vocabulary;
use crate::clock;
use crate::diagnostic::{Diagnostic, Sink, quote};
use crate::limits;
use crate::quantity::{self, Bad};
use crate::source::Span;
use crate::table::{Form, Key, Kind, Mapping, Need, SCRIPT_STEP};
use crate::typed::{Data, Fields, PolicyValue, Value};
use crate::yaml::{Entry, Node, NodeKind};
use std::sync::Arc;
use steerlab_engine::kernel::SimSpan;
use steerlab_engine::load::balance::descriptors;
use steerlab_engine::net::GeoPoint;
use steerlab_engine::steer::{Param, ParamKind};

/// Checks nodes against the table.
pub(crate) struct Shape<'a> {
    pub sink: &'a mut Sink,
    pub vocabulary: &'a Vocabulary<'a>,
}

/// Kind of the list behind a script parameter.
const SCRIPT: Kind = Kind::List { item: &Kind::Map(&SCRIPT_STEP), min: 0, max: limits::ROWS_MAX };
/// Time between decisions of a policy.
const PERIOD: Kind = Kind::Span { min: limits::STEP_NS_MIN, max: limits::HORIZON_NS_MAX };

/// The kind of value that a policy's parameter takes.
pub(crate) fn param_kind(kind: &ParamKind) -> Kind {
    match *kind {
        ParamKind::Ratio { min, max } => Kind::Ratio { min, max },
        ParamKind::Span { min, max } => Kind::Span { min: min.0, max: max.0 },
        ParamKind::Count { min, max } => Kind::Count { min, max },
        ParamKind::Rate => Kind::Bandwidth { min: 0 },
        ParamKind::Choice(words) => Kind::Choice(words),
        ParamKind::Script => SCRIPT,
    }
}

/// What is expected, in words.
pub(crate) fn expected(kind: &Kind) -> String {
    match kind {
        Kind::Text => "a text".into(),
        Kind::Id => "an id".into(),
        Kind::Ref(entity) => format!("the id of a {}", entity.name()),
        Kind::Flag => "`true` or `false`".into(),
        Kind::Count { .. } => "a whole number".into(),
        Kind::Number { .. } => "a number".into(),
        Kind::Ratio { .. } => "a ratio such as `0.9` or `90%`".into(),
        Kind::Span { .. } => "a span such as `5ms` or `1h30m`".into(),
        Kind::TimeOfDay => "a time of day such as `20:30`".into(),
        Kind::Moment => "an instant such as `90m`".into(),
        Kind::DateTime => "a date and time such as `2025-08-21T16:00:00Z`".into(),
        Kind::Bandwidth { .. } => "a bandwidth such as `100Gbps`".into(),
        Kind::Bytes => "a size such as `50kB`".into(),
        Kind::RequestRate => "a request rate such as `120krps`".into(),
        Kind::Point => "coordinates such as `[52.37, 4.90]` (latitude, longitude)".into(),
        Kind::Choice(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
        }
        Kind::Path => "a file below the scenario's folder".into(),
        Kind::Check => "a check such as `loss_ratio < 0.1%`".into(),
        Kind::Metric => "a metric such as `loss_ratio`".into(),
        Kind::Policy => "a policy: `name` or `name: {parameter: value}`".into(),
        Kind::Balancer => "a balancer: `name` or `name: {parameter: value}`".into(),
        Kind::Word(word, inner) => format!("`{word}` or {}", expected(inner)),
        Kind::Either(inner, mapping) => format!("{} or {}", expected(inner), keys_of(mapping)),
        Kind::List { item, .. } => match item {
            Kind::Map(mapping) => format!("a list (`- `), each item {}", keys_of(mapping)),
            Kind::Forms(_) => "a list (`- `) of mappings".into(),
            _ => format!("a list of which each item is {}", expected(item)),
        },
        Kind::Dict { of, value } => format!("a mapping from {} to {}", of.name(), expected(value)),
        Kind::Map(mapping) => keys_of(mapping),
        Kind::Forms(_) => "a mapping".into(),
    }
}

/// A mapping in words: the keys it must have, or else its first ones.
fn keys_of(mapping: &Mapping) -> String {
    let needed = mapping.keys.iter().filter(|key| key.need == Need::Required).count();
    let shown = mapping.keys.iter().filter(|key| needed == 0 || key.need == Need::Required);
    let mut keys: Vec<_> = shown.take(5).map(|key| format!("{}: ..", key.name)).collect();
    if mapping.keys.len() > keys.len() {
        keys.push("..".into());
    }
    format!("a mapping `{{{}}}`", keys.join(", "))
}

impl Shape<'_> {
    /// Checks a mapping; `name` is what it is called in messages.
    pub(crate) fn mapping(&mut self, node: &Node, mapping: &'static Mapping) -> Option<Fields> {
        let NodeKind::Map(entries) = &node.kind else {
            self.wrong_shape(node, mapping.name, &keys_of(mapping));
            return None;
        };
        let mut slots: Vec<Option<Value>> = vec![None; mapping.keys.len()];
        for entry in entries {
            if let Some(at) = mapping.position(&entry.key) {
                slots[at] = Some(self.value(&entry.value, &mapping.keys[at].kind, &entry.key));
                continue;
            }
            let names = mapping.keys.iter().map(|key| key.name);
            let meant = self.unknown_key(entry, mapping.name, names);
            // A misspelt key is one mistake, not also a missing one.
            let meant = meant.and_then(|name| mapping.position(&name));
            if let Some(slot) = meant.and_then(|at| slots.get_mut(at)) {
                let invalid = Value { span: entry.value.span, data: Data::Invalid };
                slot.get_or_insert(invalid);
            }
        }
        self.one_of(node, mapping, &slots);
        for (key, slot) in mapping.keys.iter().zip(&mut slots) {
            if slot.is_none() {
                *slot = self.absent(node, mapping, key);
            }
        }
        Some(Fields { mapping, span: node.span, slots })
    }

    fn unknown_key<'k>(
        &mut self,
        entry: &Entry,
        place: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) -> Option<String> {
        let near = self.sink.nearest(&entry.key, known.clone());
        let names = known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        self.sink.push(
            Diagnostic::new(
                "E0101",
                entry.key_span,
                format!("unknown key {} in `{place}`", quote(&entry.key)),
            )
            .help(format!("keys of `{place}`: {names}"))
            .suggest(near.clone()),
        );
        near
    }

    fn one_of(&mut self, node: &Node, mapping: &'static Mapping, slots: &[Option<Value>]) {
        let group: Vec<(&Key, &Option<Value>)> =
            mapping.keys.iter().zip(slots).filter(|(key, _)| key.need == Need::OneOf).collect();
        if group.is_empty() {
            return;
        }
        let names = group.iter().map(|(key, _)| format!("`{}`", key.name)).collect::<Vec<_>>();
        let given: Vec<_> =
            group.iter().filter_map(|(key, slot)| slot.as_ref().map(|v| (key.name, v))).collect();
        let message = match given.as_slice() {
            [_] => return,
            [] => format!("`{}` says none of {}", mapping.name, names.join(", ")),
            [(first, _), (second, _), ..] => {
                format!("`{}` says both `{first}` and `{second}`", mapping.name)
            }
        };
        let span = given.get(1).map_or(node.span, |(_, value)| value.span);
        self.sink.push(
            Diagnostic::new("E0104", span, message)
                .help(format!("give exactly one of {}", names.join(", "))),
        );
    }

    fn absent(&mut self, node: &Node, mapping: &Mapping, key: &Key) -> Option<Value> {
        match key.need {
            Need::Required => {
                self.sink.push(
                    Diagnostic::new(
                        "E0102",
                        node.span,
                        format!("`{}` has no `{}`", mapping.name, key.name),
                    )
                    .help(format!(
                        "add `{}`: {}. {}",
                        key.name,
                        expected(&key.kind),
                        key.doc
                    )),
                );
                None
            }
            Need::Default(text) => {
                let kind = NodeKind::Scalar { text: Arc::from(text), plain: !text.is_empty() };
                let node = Node { span: node.span, kind };
                Some(self.value(&node, &key.kind, key.name))
            }
            Need::Optional | Need::OneOf => None,
        }
    }

    /// Checks a value; what is wrong becomes [`Data::Invalid`].
    pub(crate) fn value(&mut self, node: &Node, kind: &Kind, name: &str) -> Value {
        let data = self.data(node, kind, name).unwrap_or(Data::Invalid);
        Value { span: node.span, data }
    }

    fn wrong_shape(&mut self, node: &Node, name: &str, wanted: &str) {
        self.sink.push(
            Diagnostic::new(
                "E0103",
                node.span,
                format!(
                    "`{}` needs {wanted}, here is {}",
                    crate::diagnostic::quote(name).trim_matches('`'),
                    node.shape()
                ),
            )
            .help(if node.is_empty() {
                "write a value, or remove the key".to_owned()
            } else {
                format!("write {wanted}")
            }),
        );
    }

    fn data(&mut self, node: &Node, kind: &Kind, name: &str) -> Option<Data> {
        match (kind, &node.kind) {
            (Kind::Word(word, inner), _) => match &node.kind {
                NodeKind::Scalar { text, .. } if **text == **word => {
                    Some(Data::Text(Arc::clone(text)))
                }
                NodeKind::Scalar { .. } if !is_single(inner) => {
                    self.wrong_shape(node, name, &expected(kind));
                    None
                }
                _ => self.data(node, inner, name),
            },
            (Kind::Either(_, mapping), NodeKind::Map(_)) => {
                self.mapping(node, mapping).map(Data::Map)
            }
            (Kind::Either(inner, _), NodeKind::Scalar { .. }) if !node.is_empty() => {
                self.data(node, inner, name)
            }
            (Kind::Map(mapping), NodeKind::Map(_)) => self.mapping(node, mapping).map(Data::Map),
            (Kind::Forms(forms), NodeKind::Map(entries)) => self.forms(node, entries, forms),
            (Kind::List { item, min, max }, NodeKind::Seq(items)) => {
                self.list(node, items, item, (*min, *max), name)
            }
            (Kind::Point, NodeKind::Seq(items)) => self.point(node, items, name),
            (Kind::Dict { value, .. }, NodeKind::Map(entries)) => {
                let pair = |entry: &Entry| {
                    let key = Data::Text(Arc::clone(&entry.key));
                    let value = self.value(&entry.value, value, &entry.key);
                    (Value { span: entry.key_span, data: key }, value)
                };
                Some(Data::Dict(entries.iter().map(pair).collect()))
            }
            (Kind::Policy | Kind::Balancer, NodeKind::Scalar { text, .. }) if !node.is_empty() => {
                self.named(kind, text, node.span, None)
            }
            (Kind::Policy | Kind::Balancer, NodeKind::Map(entries)) => match entries.as_slice() {
                [entry] => self.named(kind, &entry.key, entry.key_span, Some(&entry.value)),
                _ => {
                    let one = match kind {
                        Kind::Policy => "one policy a list item, with its parameters below it",
                        _ => "one balancer, with its parameters below it",
                    };
                    self.wrong_shape(node, name, one);
                    None
                }
            },
            (_, NodeKind::Scalar { text, .. }) if is_single(kind) => {
                // An empty text is a text, if it is quoted.
                if node.is_empty() {
                    self.wrong_shape(node, name, &expected(kind));
                    return None;
                }
                match self.scalar(text, kind) {
                    Ok(data) => Some(data),
                    Err(bad) => {
                        self.sink.push(Diagnostic::bad_quantity(bad, node.span, name, text));
                        None
                    }
                }
            }
            _ => {
                self.wrong_shape(node, name, &expected(kind));
                None
            }
        }
    }

    fn forms(&mut self, node: &Node, entries: &[Entry], forms: &[Form]) -> Option<Data> {
        let form = forms.iter().find(|form| entries.iter().any(|entry| &*entry.key == form.key));
        if let Some(form) = form {
            return self.mapping(node, form.mapping).map(Data::Map);
        }
        let names = forms.iter().map(|form| format!("`{}`", form.key)).collect::<Vec<_>>();
        self.sink.push(
            Diagnostic::new(
                "E0104",
                node.span,
                format!("this item says none of {}", names.join(", ")),
            )
            .help(format!("give exactly one of {}", names.join(", "))),
        );
        None
    }

    fn list(
        &mut self,
        node: &Node,
        items: &[Node],
        item: &Kind,
        (min, max): (u64, u64),
        name: &str,
    ) -> Option<Data> {
        let count = items.len() as u64;
        if count < min || count > max {
            let wanted = if min == max {
                format!("exactly {min}")
            } else if count < min {
                format!("at least {min}")
            } else {
                format!("at most {max}")
            };
            let code = if count > max && min < max { "E0303" } else { "E0105" };
            self.sink.push(
                Diagnostic::new(
                    code,
                    node.span,
                    format!("`{name}` has {count} items, it needs {wanted}"),
                )
                .help(format!("give {wanted}")),
            );
            return None;
        }
        Some(Data::List(items.iter().map(|node| self.value(node, item, name)).collect()))
    }

    fn point(&mut self, node: &Node, items: &[Node], name: &str) -> Option<Data> {
        let [lat, lon] = items else {
            self.wrong_shape(node, name, &expected(&Kind::Point));
            return None;
        };
        let lat = self.value(lat, &Kind::Number { min: -90.0, max: 90.0 }, "latitude");
        let lon = self.value(lon, &Kind::Number { min: -180.0, max: 180.0 }, "longitude");
        match (lat.data, lon.data) {
            (Data::Number(lat), Data::Number(lon)) => Some(Data::Point(GeoPoint { lat, lon })),
            _ => None,
        }
    }

    fn scalar(&mut self, text: &Arc<str>, kind: &Kind) -> Result<Data, Bad> {
        let within = |ok: bool, low: String, high: String| {
            let help = format!("write a value from {low} to {high}");
            if ok { Ok(()) } else { Err(Bad::range("is out of range", help)) }
        };
        Ok(match *kind {
            Kind::Text | Kind::Check | Kind::Metric | Kind::Path => Data::Text(Arc::clone(text)),
            Kind::Ref(_) => Data::Text(Arc::clone(text)),
            Kind::Id => Data::Text(valid_id(text).map(|()| Arc::clone(text))?),
            Kind::Flag => match &**text {
                "true" => Data::Flag(true),
                "false" => Data::Flag(false),
                _ => return Err(self.not_a_choice(text, &["true", "false"])),
            },
            Kind::Choice(words) => match words.iter().any(|word| **word == **text) {
                true => Data::Text(Arc::clone(text)),
                false => return Err(self.not_a_choice(text, words)),
            },
            Kind::Count { min, max } => {
                let value = quantity::count(text)?;
                within((min..=max).contains(&value), min.to_string(), max.to_string())?;
                Data::Count(value)
            }
            Kind::Number { min, max } => {
                let value = quantity::number(text)?;
                within((min..=max).contains(&value), min.to_string(), max.to_string())?;
                Data::Number(value)
            }
            Kind::Ratio { min, max } => {
                let value = quantity::ratio(text)?;
                within((min..=max).contains(&value), min.to_string(), max.to_string())?;
                Data::Number(value)
            }
            Kind::Span { min, max } => {
                let value = quantity::span(text)?;
                let words = |nanos| span_words(SimSpan(nanos));
                within((min..=max).contains(&value.0), words(min), words(max))?;
                Data::Span(value)
            }
            Kind::Bandwidth { min } => {
                let value = quantity::bandwidth(text)?;
                let ok = (min..=limits::RATE_BPS_MAX).contains(&value);
                within(ok, format!("{min}bps"), "1000Pbps".into())?;
                Data::Count(value)
            }
            Kind::Bytes => {
                let value = quantity::bytes(text)?;
                within(value <= 1_000_000_000_000_000, "0B".into(), "1000TB".into())?;
                Data::Count(value)
            }
            Kind::RequestRate => {
                let value = quantity::request_rate(text)?;
                within(value <= limits::RATE_RPS_MAX, "0rps".into(), "1000000Grps".into())?;
                Data::Number(value)
            }
            Kind::TimeOfDay => Data::Span(clock::time_of_day(text)?),
            Kind::Moment => Data::Moment(clock::moment(text)?),
            Kind::DateTime => Data::Date(clock::date_time(text)?),
            _ => Data::Invalid,
        })
    }

    fn not_a_choice(&mut self, text: &str, words: &[&'static str]) -> Bad {
        let listed = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        Bad {
            code: "E0203",
            what: "is not one of the words known here".into(),
            help: format!("write one of {listed}"),
            suggestion: self.sink.nearest(text, words.iter().copied()),
        }
    }

    /// A policy or a balancer.
    fn named(
        &mut self,
        kind: &Kind,
        name: &Arc<str>,
        span: Span,
        params: Option<&Node>,
    ) -> Option<Data> {
        let declared = match kind {
            Kind::Policy => self.policy(name, span)?,
            _ => self.balancer(name, span)?,
        };
        let entries = match params.map(|node| (node, &node.kind)) {
            None => &[][..],
            Some((_, NodeKind::Map(entries))) => entries,
            Some((node, _)) if node.is_empty() => &[],
            Some((node, _)) => {
                self.wrong_shape(node, name, "a mapping from parameters to values");
                return None;
            }
        };
        Some(self.params(name, span, declared, entries))
    }

    fn policy(&mut self, name: &str, span: Span) -> Option<Declared> {
        let vocabulary = self.vocabulary;
        if let Some(found) = vocabulary.registry.find(name) {
            return Some(Declared { name: found.name, params: found.params, periodic: true });
        }
        let names: Vec<_> =
            vocabulary.registry.descriptors().iter().map(|known| known.name).collect();
        let near = self.sink.nearest(name, names.iter().copied());
        self.sink.push(
            Diagnostic::new("E0601", span, format!("there is no policy {}", quote(name)))
                .help(format!("policies: {}; see `steerlab list policies`", names.join(", ")))
                .suggest(near),
        );
        None
    }

    fn balancer(&mut self, name: &str, span: Span) -> Option<Declared> {
        if let Some(found) = descriptors::find(name) {
            return Some(Declared { name: found.name, params: found.params, periodic: false });
        }
        let names = || descriptors::BALANCERS.iter().map(|known| known.name);
        let near = self.sink.nearest(name, names());
        let listed = names().collect::<Vec<_>>().join(", ");
        self.sink.push(
            Diagnostic::new("E0601", span, format!("there is no balancer {}", quote(name)))
                .help(format!("balancers: {listed}"))
                .suggest(near),
        );
        None
    }

    fn params(
        &mut self,
        name: &Arc<str>,
        span: Span,
        declared: Declared,
        entries: &[Entry],
    ) -> Data {
        let mut policy = PolicyValue { name: Arc::clone(name), period: None, params: Vec::new() };
        let mut misspelt = Vec::new();
        for entry in entries {
            if declared.periodic && &*entry.key == "period" {
                policy.period = self.value(&entry.value, &PERIOD, "period").time();
            } else if !declared.params.iter().any(|param| *param.name == *entry.key) {
                let period = declared.periodic.then_some("period");
                let known = declared.params.iter().map(|param| param.name).chain(period);
                misspelt.extend(self.unknown_key(entry, name, known));
            }
        }
        for param in declared.params {
            let kind = param_kind(&param.kind);
            let given = entries.iter().find(|entry| *entry.key == *param.name);
            let value = match (given, param.default) {
                (Some(entry), _) => self.value(&entry.value, &kind, param.name),
                (None, Some(text)) => {
                    let scalar = NodeKind::Scalar { text: Arc::from(text), plain: true };
                    self.value(&Node { span, kind: scalar }, &kind, param.name)
                }
                (None, None) if misspelt.iter().any(|meant| meant == param.name) => {
                    Value { span, data: Data::Invalid }
                }
                (None, None) => {
                    let message = format!("`{}` has no `{}`", declared.name, param.name);
                    let help = format!("add `{}`: {}. {}", param.name, expected(&kind), param.doc);
                    self.sink.push(Diagnostic::new("E0102", span, message).help(help));
                    Value { span, data: Data::Invalid }
                }
            };
            policy.params.push((param.name, value));
        }
        Data::Policy(Box::new(policy))
    }
}

/// What is declared of a policy or a balancer.
#[derive(Clone, Copy)]
struct Declared {
    name: &'static str,
    params: &'static [Param],
    /// Whether it decides at times of its own.
    periodic: bool,
}

/// Whether a kind is written as a single value.
fn is_single(kind: &Kind) -> bool {
    !matches!(
        kind,
        Kind::List { .. }
            | Kind::Dict { .. }
            | Kind::Map(_)
            | Kind::Forms(_)
            | Kind::Point
            | Kind::Policy
            | Kind::Balancer
    )
}

/// Names: letters, digits, `.`, `_`, `-`; the `/` is ours.
fn valid_id(text: &str) -> Result<(), Bad> {
    let bad = |what: &str| Bad {
        code: "E0204",
        what: what.into(),
        help: "an id has letters `A-Z a-z`, digits, `.`, `_`, `-`; other text belongs into `label`"
            .into(),
        suggestion: None,
    };
    if text.is_empty() {
        return Err(bad("is empty"));
    }
    if text.len() > limits::ID_BYTES_MAX {
        return Err(bad("is longer than 128 bytes"));
    }
    if text.bytes().any(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))) {
        return Err(bad("is not an id"));
    }
    Ok(())
}

/// A span in the language's own spelling, shortest exact form with one unit.
pub(crate) fn span_words(span: SimSpan) -> String {
    let units = [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("min", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ];
    if span.0 == 0 {
        return "0s".into();
    }
    let (name, size) =
        units.into_iter().find(|(_, size)| span.0.is_multiple_of(*size)).unwrap_or(("ns", 1));
    format!("{}{name}", span.0 / size)
}
