//! Reads route policies, communities and AS paths. Used wherever a file has route policies.

use super::words::{self, Word};
use crate::diagnostic::{Diagnostic, Sink};
use crate::quantity::Bad;
use crate::resolve::names::Names;
use crate::table::Entity;
use crate::typed::{Data, Fields, Value};
use std::sync::Arc;
use steerlab_engine::kernel::Table;
use steerlab_engine::route::bgp::{
    BgpPrefixId, Community, Match, RoutePolicy, RoutePolicyId, Rule, Set, Verdict,
};

/// What the reading of policies needs: the names that exist, and where complaints go.
struct Reader<'a> {
    names: &'a mut Names,
    sink: &'a mut Sink,
}

/// Makes a match of a list of ASes.
type FromAses = fn(Vec<u32>) -> Match;

/// Reads all policies of the list `key` of `fields`, in order. Defines their names as
/// [`Entity::RoutePolicy`]; the prefixes must be defined before ([`Entity::Prefix`], row = id).
/// A policy with something wrong in it is still a row, so that ids hold; what is wrong is told.
pub(crate) fn route_policies(
    fields: &Fields,
    key: &str,
    names: &mut Names,
    sink: &mut Sink,
) -> Table<RoutePolicyId, RoutePolicy> {
    let mut reader = Reader { names, sink };
    let rows = fields.rows(key).enumerate();
    rows.map(|(index, policy)| reader.policy(index, policy)).collect()
}

/// Reads a list of texts, each with `read`; what is wrong is told and left out.
pub(crate) fn texts<T>(
    fields: &Fields,
    key: &str,
    sink: &mut Sink,
    read: impl Fn(&str) -> Result<T, Bad>,
) -> Vec<T> {
    let mut found = Vec::new();
    for value in fields.items(key) {
        found.extend(text(value, key, sink, &read));
    }
    found
}

/// Reads a text with `read`; none if it is wrong, which is told.
pub(crate) fn text<T>(
    value: &Value,
    key: &str,
    sink: &mut Sink,
    read: impl Fn(&str) -> Result<T, Bad>,
) -> Option<T> {
    let text: &Arc<str> = value.text()?;
    match read(text) {
        Ok(made) => Some(made),
        Err(bad) => {
            sink.push(Diagnostic::bad_quantity(bad, value.span, key, text));
            None
        }
    }
}

/// The communities of a list.
pub(crate) fn communities(fields: &Fields, key: &str, sink: &mut Sink) -> Vec<Community> {
    let mut found = texts(fields, key, sink, words::community);
    found.sort();
    found.dedup();
    found
}

/// A word of the table as the value it stands for; the first if something was wrong.
pub(crate) fn word<T: Word>(fields: &Fields, key: &str) -> Option<T> {
    T::of(fields.text(key)?)
}

/// The words of a list as values.
fn words_of<T: Word>(fields: &Fields, key: &str) -> Vec<T> {
    fields.items(key).iter().filter_map(|value| T::of(value.text()?)).collect()
}

/// A MED or `none`: outer none if the key is absent.
pub(crate) fn med(fields: &Fields, key: &str) -> Option<Option<u32>> {
    match fields.get(key)?.data {
        Data::Count(value) => Some(u32::try_from(value).ok()),
        Data::Text(_) => Some(None),
        _ => None,
    }
}

/// Whole numbers of a list, bounded to 32 bits by the table.
fn numbers(fields: &Fields, key: &str) -> Vec<u32> {
    let counts = fields.items(key).iter().filter_map(Value::count);
    counts.filter_map(|count| u32::try_from(count).ok()).collect()
}

/// A whole number that the table has bounded to 32 bits.
pub(crate) fn number(fields: &Fields, key: &str) -> Option<u32> {
    fields.count(key).and_then(|count| u32::try_from(count).ok())
}

/// A whole number that the table has bounded to 8 bits.
pub(crate) fn small(fields: &Fields, key: &str) -> Option<u8> {
    fields.count(key).and_then(|count| u8::try_from(count).ok())
}

impl Reader<'_> {
    fn policy(&mut self, index: usize, fields: &Fields) -> RoutePolicy {
        if let Some(id) = fields.text("id") {
            let row = u32::try_from(index).unwrap_or(u32::MAX);
            let (id, place) = (Arc::clone(id), fields.place("id"));
            self.names.define(Entity::RoutePolicy, id, row, place, self.sink);
        }
        RoutePolicy {
            id: fields.string("id"),
            rules: fields.rows("rules").map(|rule| self.rule(rule)).collect(),
            otherwise: word(fields, "otherwise").unwrap_or(Verdict::Accept),
        }
    }

    fn rule(&mut self, fields: &Fields) -> Rule {
        let mut matches = fields.fields("match").map_or(Vec::new(), |asked| self.matches(asked));
        if let Some(refused) = fields.fields("not") {
            let refused = self.matches(refused).into_iter();
            matches.extend(refused.map(|asked| Match::Not(Box::new(asked))));
        }
        Rule {
            matches,
            sets: fields.fields("set").map_or(Vec::new(), |set| self.sets(set)),
            then: word(fields, "then").unwrap_or(Verdict::Accept),
        }
    }

    fn prefixes(&mut self, fields: &Fields, key: &str) -> Vec<BgpPrefixId> {
        let mut found = Vec::new();
        for value in fields.items(key) {
            found.extend(self.names.find(Entity::Prefix, value, self.sink).map(BgpPrefixId));
        }
        found
    }

    fn matches(&mut self, fields: &Fields) -> Vec<Match> {
        let mut found = Vec::new();
        if fields.get("prefix").is_some() {
            found.push(Match::Prefix(self.prefixes(fields, "prefix")));
        }
        if fields.get("within").is_some() {
            found.push(Match::Within(self.prefixes(fields, "within")));
        }
        if fields.get("path").is_some() {
            found.push(Match::PathIs(texts(fields, "path", self.sink, words::as_path)));
        }
        let lists: [(&str, FromAses); 4] = [
            ("path_contains", Match::PathContains),
            ("path_from", Match::PathFrom),
            ("origin_as", Match::OriginAs),
            ("neighbour_as", Match::NeighbourAs),
        ];
        for (key, make) in lists {
            if fields.get(key).is_some() {
                found.push(make(numbers(fields, key)));
            }
        }
        found.extend(number(fields, "path_length_min").map(Match::PathLengthMin));
        if fields.get("community").is_some() {
            found.push(Match::Community(communities(fields, "community", self.sink)));
        }
        if fields.get("validity").is_some() {
            found.push(Match::Validity(words_of(fields, "validity")));
        }
        if fields.get("learned_from").is_some() {
            found.push(Match::LearnedFrom(words_of(fields, "learned_from")));
        }
        match fields.flag("own") {
            Some(true) => found.push(Match::Own),
            Some(false) => found.push(Match::Not(Box::new(Match::Own))),
            None => {}
        }
        found
    }

    fn sets(&mut self, fields: &Fields) -> Vec<Set> {
        let mut found = Vec::new();
        if fields.flag("clear_communities") == Some(true) {
            found.push(Set::ClearCommunities);
        }
        if fields.get("remove_communities").is_some() {
            let marks = communities(fields, "remove_communities", self.sink);
            found.push(Set::RemoveCommunities(marks));
        }
        if fields.get("add_communities").is_some() {
            let marks = communities(fields, "add_communities", self.sink);
            found.push(Set::AddCommunities(marks));
        }
        found.extend(number(fields, "local_pref").map(Set::LocalPref));
        found.extend(med(fields, "med").map(Set::Med));
        found.extend(word(fields, "origin").map(Set::Origin));
        found.extend(small(fields, "prepend").map(Set::Prepend));
        found
    }
}
