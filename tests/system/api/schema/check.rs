//! One value against one schema of the document: the types, and the order of the keys.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// What a reference leads to; anything else is itself.
pub fn resolved(value: &Value) -> &Value {
    match value["$ref"].as_str() {
        Some(reference) => pointed(reference),
        None => value,
    }
}

fn pointed(reference: &str) -> &'static Value {
    let pointer = reference.strip_prefix('#').unwrap();
    web::openapi()
        .pointer(pointer)
        .unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

/// Whether a value fits.
pub fn check(schema: &Value, value: &Value) -> Result<(), String> {
    let validator = validator(schema)?;
    if let Some(error) = validator.iter_errors(value).next() {
        return Err(format!(
            "does not fit at {}: {error:.300}",
            error.instance_path()
        ));
    }
    ordered(schema, value).then_some(()).ok_or_else(|| {
        let keys: Vec<&String> = value
            .as_object()
            .map(|o| o.keys().collect())
            .unwrap_or_default();
        format!("keys are in another order: {keys:?}")
    })
}

/// The validator of a schema; made once, for making it takes longer than any answer.
fn validator(schema: &Value) -> Result<Arc<Validator>, String> {
    static MADE: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());
    let key = schema.to_string();
    if let Some(known) = MADE.lock().unwrap().get(&key) {
        return Ok(known.clone());
    }
    let root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": web::openapi()["components"],
        "allOf": [schema],
    });
    let made = jsonschema::validator_for(&root).map_err(|error| error.to_string())?;
    let made = Arc::new(made);
    MADE.lock().unwrap().insert(key, made.clone());
    Ok(made)
}

/// Whether the keys of objects come in the order of their schemas.
fn ordered(schema: &Value, value: &Value) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        return ordered(pointed(reference), value);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        return any
            .iter()
            .any(|one| is_like(one, value) && ordered(one, value));
    }
    match value {
        Value::Array(list) => list.iter().all(|one| ordered(&schema["items"], one)),
        Value::Object(map) => {
            let Some(known) = schema["properties"].as_object() else {
                return true;
            };
            let known: Vec<&String> = known.keys().collect();
            let places = map
                .keys()
                .filter_map(|key| known.iter().position(|k| *k == key));
            places.collect::<Vec<_>>().is_sorted() && members(schema, map)
        }
        _ => true,
    }
}

fn members(schema: &Value, map: &Map<String, Value>) -> bool {
    let mut all = map.iter();
    all.all(|(key, value)| ordered(&schema["properties"][key], value))
}

/// Whether a branch has all keys of the value.
fn is_like(schema: &Value, value: &Value) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        return is_like(pointed(reference), value);
    }
    match (value, schema["properties"].as_object()) {
        (Value::Object(map), Some(known)) => map.keys().all(|key| known.contains_key(key)),
        _ => true,
    }
}
