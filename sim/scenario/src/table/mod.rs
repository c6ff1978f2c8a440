//! The whole language as data: every mapping, its keys, what values they take.
//!
//! Validation, the JSON Schema and the reference page are all made from this one table, so they
//! cannot disagree.

mod control;
mod dns;
mod edge;
mod load;
mod root;
mod routing;
mod traffic;
mod world;
mod zoom;

pub(crate) use control::{COMPARE_METRICS_DEFAULT, SCRIPT_STEP};
pub(crate) use load::{BALANCER, CLIENT, CLOSED, DISCIPLINES, LAW_NAMES, SERVICE, VIEW};
pub(crate) use root::ROOT;
pub(crate) use traffic::PROTOCOLS;
pub(crate) use world::GENERATE;

/// What a name names. Each has its own set of names, except that sites, colos and neighbours
/// share one where a node is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entity {
    Site,
    Colo,
    Pool,
    Neighbour,
    /// Site, `site/colo` or neighbour.
    Node,
    Link,
    Srlg,
    Class,
    Tenant,
    Service,
    Prefix,
    ClientGroup,
    Profile,
    Demand,
    Agent,
    Arm,
    Speaker,
    Session,
    IgpLink,
    RoutePolicy,
    DnsName,
    DnsResolver,
    /// A flow of a sharing lab.
    Flow,
}

impl Entity {
    /// All of them; `Entity as usize` is the position here.
    pub(crate) const ALL: [Entity; 23] = [
        Entity::Site,
        Entity::Colo,
        Entity::Pool,
        Entity::Neighbour,
        Entity::Node,
        Entity::Link,
        Entity::Srlg,
        Entity::Class,
        Entity::Tenant,
        Entity::Service,
        Entity::Prefix,
        Entity::ClientGroup,
        Entity::Profile,
        Entity::Demand,
        Entity::Agent,
        Entity::Arm,
        Entity::Speaker,
        Entity::Session,
        Entity::IgpLink,
        Entity::RoutePolicy,
        Entity::DnsName,
        Entity::DnsResolver,
        Entity::Flow,
    ];

    /// What people call it.
    pub(crate) fn name(self) -> &'static str {
        [
            "site",
            "colo",
            "pool",
            "neighbour",
            "site or neighbour",
            "link",
            "shared-risk group",
            "class",
            "tenant",
            "service",
            "prefix",
            "client group",
            "profile",
            "demand",
            "agent",
            "arm",
            "speaker",
            "session",
            "IGP link",
            "route policy",
            "DNS name",
            "resolver",
            "flow",
        ][self as usize]
    }
}

/// What values a key takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Free text.
    Text,
    /// A name: letters, digits, `.`, `_`, `-`.
    Id,
    /// The name of something that exists.
    Ref(Entity),
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Count { min: u64, max: u64 },
    /// A number within bounds.
    Number { min: f64, max: f64 },
    /// A fraction within bounds, `0.9` or `90%`.
    Ratio { min: f64, max: f64 },
    /// A span of time within bounds, nanoseconds.
    Span { min: u64, max: u64 },
    /// `HH:MM`.
    TimeOfDay,
    /// An instant of the run.
    Moment,
    /// A date and time with offset.
    DateTime,
    /// Bits per second, at least `min`.
    Bandwidth { min: u64 },
    /// A size in bytes.
    Bytes,
    /// Requests per second.
    RequestRate,
    /// `[latitude, longitude]`.
    Point,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// A file below the scenario's folder.
    Path,
    /// A check such as `loss_ratio < 0.1%`.
    Check,
    /// A metric with labels, as in checks.
    Metric,
    /// A policy: its name, or its name with parameters.
    Policy,
    /// A balancer, written in the same way.
    Balancer,
    /// This word, or else a value of the kind.
    Word(&'static str, &'static Kind),
    /// A single value of the kind, or a mapping.
    Either(&'static Kind, &'static Mapping),
    /// A list.
    List { item: &'static Kind, min: u64, max: u64 },
    /// A mapping from names to values.
    Dict { of: Entity, value: &'static Kind },
    /// A mapping with fixed keys.
    Map(&'static Mapping),
    /// One of several mappings, told apart by a key that only it has.
    Forms(&'static [Form]),
}

/// One of several mappings that may stand in a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// The key that tells this form.
    pub key: &'static str,
    /// Its keys.
    pub mapping: &'static Mapping,
}

/// Whether a key must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Always.
    Required,
    /// No; what its absence means is in its documentation.
    Optional,
    /// No; absent means this text.
    Default(&'static str),
    /// Exactly one of all keys of the mapping marked so.
    OneOf,
}

/// One key of a mapping.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub need: Need,
    pub doc: &'static str,
}

/// A mapping with fixed keys.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// Name in the schema and the reference.
    pub name: &'static str,
    pub doc: &'static str,
    pub keys: &'static [Key],
}

impl Mapping {
    /// Position of a key.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.keys.iter().position(|key| key.name == name)
    }
}

pub(crate) const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, need: Need::Required, doc }
}

pub(crate) const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, need: Need::Optional, doc }
}

pub(crate) const fn default(
    name: &'static str,
    kind: Kind,
    value: &'static str,
    doc: &'static str,
) -> Key {
    Key { name, kind, need: Need::Default(value), doc }
}

pub(crate) const fn one_of(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, need: Need::OneOf, doc }
}

/// A list of any length up to the general limit.
pub(crate) const fn list(item: &'static Kind) -> Kind {
    Kind::List { item, min: 0, max: crate::limits::ROWS_MAX }
}

/// A list with at least one item.
pub(crate) const fn some(item: &'static Kind) -> Kind {
    Kind::List { item, min: 1, max: crate::limits::ROWS_MAX }
}

pub(crate) const NS_S: u64 = 1_000_000_000;
pub(crate) const NS_H: u64 = 3_600 * NS_S;
pub(crate) const NS_D: u64 = 24 * NS_H;

/// Any span up to ten years.
pub(crate) const ANY_SPAN: Kind = Kind::Span { min: 0, max: crate::limits::HORIZON_NS_MAX };
/// A span that divides the run into steps.
const STEP: Kind =
    Kind::Span { min: crate::limits::STEP_NS_MIN, max: crate::limits::HORIZON_NS_MAX };
/// A fraction from 0 to 1.
pub(crate) const FRACTION: Kind = Kind::Ratio { min: 0.0, max: 1.0 };
/// A relative weight.
const WEIGHT: Kind = Kind::Number { min: 0.0, max: 1e12 };

/// Calls `visit` for every mapping reachable from the root, each once, in reading order.
pub(crate) fn mappings() -> Vec<&'static Mapping> {
    fn of_kind(kind: &Kind, found: &mut Vec<&'static Mapping>) {
        match kind {
            Kind::Word(_, inner) | Kind::List { item: inner, .. } => of_kind(inner, found),
            Kind::Dict { value, .. } => of_kind(value, found),
            Kind::Either(inner, mapping) => {
                of_kind(inner, found);
                add(mapping, found);
            }
            Kind::Map(mapping) => add(mapping, found),
            Kind::Forms(forms) => forms.iter().for_each(|form| add(form.mapping, found)),
            _ => {}
        }
    }
    fn add(mapping: &'static Mapping, found: &mut Vec<&'static Mapping>) {
        if !found.iter().any(|known| std::ptr::eq(*known, mapping)) {
            found.push(mapping);
            mapping.keys.iter().for_each(|key| of_kind(&key.kind, found));
        }
    }
    let mut found = Vec::new();
    add(&ROOT, &mut found);
    add(&SCRIPT_STEP, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_everything_is_documented() {
        let all = mappings();
        assert!(all.len() > 30, "{}", all.len());
        for (index, mapping) in all.iter().enumerate() {
            assert!(
                all[..index].iter().all(|other| other.name != mapping.name),
                "{}",
                mapping.name
            );
            assert!(!mapping.doc.is_empty());
            for (at, key) in mapping.keys.iter().enumerate() {
                assert!(!key.doc.is_empty(), "{}.{}", mapping.name, key.name);
                assert_eq!(mapping.position(key.name), Some(at), "{}.{}", mapping.name, key.name);
            }
        }
        for (index, entity) in Entity::ALL.iter().enumerate() {
            assert_eq!(*entity as usize, index);
        }
    }
}
