//! The JSON Schema of the language, for editors, made from the table.

use crate::quantity::{BANDWIDTH_UNITS, BYTE_UNITS, REQUEST_UNITS, SPAN_UNITS};
use crate::shape::param_kind;
use crate::table::{Key, Kind, Mapping, Need, ROOT, mappings};
use serde_json::{Map, Value, json};
use steerlab_engine::load::balance::BALANCERS;
use steerlab_engine::steer::{Descriptor, PolicyRegistry};

/// The JSON Schema (2020-12) of a scenario. With an empty registry any policy name fits.
#[must_use]
pub fn json_schema(registry: &dyn PolicyRegistry) -> Value {
    let mut defs = Map::new();
    for mapping in mappings() {
        if !std::ptr::eq(mapping, &raw const ROOT) {
            defs.insert(mapping.name.to_owned(), of_mapping(mapping));
        }
    }
    defs.insert("policy".into(), policies(registry.descriptors()));
    let mut schema = of_mapping(&ROOT);
    if let Some(root) = schema.as_object_mut() {
        let dialect = "https://json-schema.org/draft/2020-12/schema";
        root.insert("$schema".into(), json!(dialect));
        root.insert("title".into(), json!("Steerlab scenario"));
        root.insert("$defs".into(), Value::Object(defs));
    }
    schema
}

fn of_mapping(mapping: &Mapping) -> Value {
    let mut properties = Map::new();
    for key in mapping.keys {
        properties.insert(key.name.to_owned(), of_key(key));
    }
    let named = |need: Need| -> Vec<&str> {
        mapping.keys.iter().filter(|key| key.need == need).map(|key| key.name).collect()
    };
    let mut schema = json!({
        "type": "object",
        "description": mapping.doc,
        "properties": properties,
        "required": named(Need::Required),
        "additionalProperties": false,
    });
    let group = named(Need::OneOf);
    if !group.is_empty() {
        let each: Vec<Value> = group.iter().map(|name| json!({"required": [name]})).collect();
        schema["oneOf"] = Value::Array(each);
    }
    schema
}

fn of_key(key: &Key) -> Value {
    let mut schema = of_kind(&key.kind);
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".into(), json!(key.doc));
        if let Need::Default(text) = key.need {
            object.insert("default".into(), json!(text));
        }
    }
    schema
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn any_of(choices: Vec<Value>) -> Value {
    json!({ "anyOf": choices })
}

/// Text that is a number with one of the units.
fn with_unit(units: &[(&str, u128)]) -> Value {
    let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    json!({"type": "string", "pattern": format!("^[0-9]+(\\.[0-9]+)? ?({})$", names.join("|"))})
}

/// What a plain scalar may look like to an editor that knows YAML's own types.
fn texts() -> Value {
    json!({"type": ["string", "number", "boolean"]})
}

fn of_kind(kind: &Kind) -> Value {
    match kind {
        Kind::Text | Kind::Id | Kind::Ref(_) => texts(),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Count { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Kind::Number { min, max } => json!({"type": "number", "minimum": min, "maximum": max}),
        Kind::Ratio { min, max } => any_of(vec![
            json!({"type": "number", "minimum": min, "maximum": max}),
            json!({"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?%$"}),
        ]),
        Kind::Span { .. } => {
            let names: Vec<&str> = SPAN_UNITS.iter().map(|(name, _)| *name).collect();
            let one = format!("[0-9]+(\\.[0-9]+)? ?({})", names.join("|"));
            json!({"type": "string", "pattern": format!("^({one} ?)+$")})
        }
        Kind::TimeOfDay => {
            json!({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$"})
        }
        Kind::Moment | Kind::DateTime | Kind::Path | Kind::Check | Kind::Metric => {
            json!({"type": "string"})
        }
        Kind::Bandwidth { .. } => with_unit(BANDWIDTH_UNITS),
        Kind::Bytes => with_unit(BYTE_UNITS),
        Kind::RequestRate => with_unit(REQUEST_UNITS),
        Kind::Point => json!({
            "type": "array",
            "prefixItems": [
                {"type": "number", "minimum": -90, "maximum": 90},
                {"type": "number", "minimum": -180, "maximum": 180},
            ],
            "minItems": 2,
            "maxItems": 2,
        }),
        Kind::Choice(words) => json!({"enum": words}),
        Kind::Policy => reference("policy"),
        Kind::Balancer => balancers(),
        Kind::Word(word, inner) => any_of(vec![json!({"const": word}), of_kind(inner)]),
        Kind::Either(inner, mapping) => any_of(vec![of_kind(inner), reference(mapping.name)]),
        Kind::List { item, min, max } => {
            json!({"type": "array", "items": of_kind(item), "minItems": min, "maxItems": max})
        }
        Kind::Dict { value, .. } => {
            json!({"type": "object", "additionalProperties": of_kind(value)})
        }
        Kind::Map(mapping) => reference(mapping.name),
        Kind::Forms(forms) => {
            any_of(forms.iter().map(|form| reference(form.mapping.name)).collect())
        }
    }
}

/// A balancer: its name, or a mapping from its name to its parameters.
fn balancers() -> Value {
    let names: Vec<&str> = BALANCERS.iter().map(|balancer| balancer.name).collect();
    let mut given = Map::new();
    for balancer in &BALANCERS {
        let mut params = Map::new();
        for param in balancer.params {
            let mut schema = of_kind(&param_kind(&param.kind));
            if let Some(object) = schema.as_object_mut() {
                object.insert("description".into(), json!(param.doc));
            }
            params.insert(param.name.to_owned(), schema);
        }
        given.insert(
            balancer.name.to_owned(),
            json!({
                "type": ["object", "null"],
                "description": balancer.summary,
                "properties": params,
                "additionalProperties": false,
            }),
        );
    }
    let one = json!({
        "type": "object",
        "properties": given,
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    });
    any_of(vec![json!({"enum": names}), one])
}

/// A policy: its name, or a mapping from its name to its parameters.
fn policies(descriptors: &[Descriptor]) -> Value {
    if descriptors.is_empty() {
        let any = json!({"type": "object", "minProperties": 1, "maxProperties": 1});
        return any_of(vec![json!({"type": "string"}), any]);
    }
    let names: Vec<&str> = descriptors.iter().map(|descriptor| descriptor.name).collect();
    let mut choices = vec![json!({"enum": names})];
    for descriptor in descriptors {
        let mut params = Map::new();
        let period = Kind::Span { min: 0, max: 0 };
        params.insert("period".into(), of_kind(&period));
        let mut required = Vec::new();
        for param in descriptor.params {
            let mut schema = of_kind(&param_kind(&param.kind));
            if let Some(object) = schema.as_object_mut() {
                object.insert("description".into(), json!(param.doc));
                match param.default {
                    Some(text) => drop(object.insert("default".into(), json!(text))),
                    None => required.push(param.name),
                }
            }
            params.insert(param.name.to_owned(), schema);
        }
        let given = json!({
            "type": ["object", "null"],
            "properties": params,
            "required": required,
            "additionalProperties": false,
        });
        choices.push(json!({
            "type": "object",
            "description": descriptor.summary,
            "properties": {(descriptor.name): given},
            "required": [descriptor.name],
            "additionalProperties": false,
        }));
    }
    any_of(choices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::vocabulary;

    /// Every `$ref` leads somewhere.
    fn check_refs(value: &Value, root: &Value) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(target)) = object.get("$ref") {
                    let pointer = target.trim_start_matches('#');
                    assert!(root.pointer(pointer).is_some(), "{target}");
                }
                object.values().for_each(|value| check_refs(value, root));
            }
            Value::Array(items) => items.iter().for_each(|value| check_refs(value, root)),
            _ => {}
        }
    }

    #[test]
    fn the_schema_has_every_key_and_no_loose_end() {
        let schema = json_schema(vocabulary().registry);
        check_refs(&schema, &schema);
        for key in ROOT.keys {
            assert!(schema["properties"][key.name].is_object(), "{}", key.name);
        }
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["bucket"]["default"], "1min");
        let policies = schema["$defs"]["policy"].to_string();
        assert!(policies.contains("threshold-withdraw") && policies.contains("\"high\""));
    }
}
