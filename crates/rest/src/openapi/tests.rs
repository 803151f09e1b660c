//! Schemas of tables, spelled out once.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::json;

use super::*;
use crate::shape;

const INNER: &[Field] = &[Field::id(), Field::permissions()];
const FIELDS: &[Field] = &[
    Field::id(),
    Field::details(),
    Field::new("name", "Name", Kind::Text(Some(5))).required(),
    Field::new("limit", "Limit", Kind::Integer(Some(-9), None))
        .nullable()
        .holds(Shape::Of(Kind::Integer(Some(0), Some(9)))),
    Field::new("shuffle", "Shuffle", Kind::Boolean).default("true"),
    Field::new("method", "Method", Kind::Choice(&[("full", "Full")])).nullable(),
    Field::new("image", "Image", Kind::Image).nullable(),
    Field::link("site_id", "Site", "deployments/sites"),
    Field::shown("site", "Site", Kind::Nested(INNER)).nullable(),
    Field::shown("tags", "Tags", Kind::List)
        .holds(shape::TEXTS)
        .sometimes(),
    Field::shown("made", "Made", Kind::DateTime).help("When."),
];

#[test]
fn what_is_shown_has_these_keys_and_no_others() {
    let permissions = json!({"type": "array", "items": {"type": "string"},
        "description": "What the caller may do with it"});
    let site = json!({
        "type": ["object", "null"],
        "properties": {
            "id": {"type": "integer", "description": "Id"},
            "user_permissions": permissions,
        },
        "required": ["id", "user_permissions"],
        "additionalProperties": false,
        "description": "Site",
    });
    let expected = json!({
        "type": "object",
        "properties": {
            "id": {"type": "integer", "description": "Id"},
            "details": {"type": "string", "format": "uri-reference", "description": "Details"},
            "name": {"type": "string", "description": "Name"},
            "limit": {"type": ["integer", "null"], "description": "Limit"},
            "shuffle": {"type": "boolean", "description": "Shuffle"},
            "method": {"type": ["string", "null"], "enum": ["full", null], "description": "Method"},
            "image": {"type": ["string", "null"], "format": "uri-reference", "description": "Image"},
            "site": site,
            "tags": {"type": "array", "items": {"type": "string"}, "description": "Tags"},
            "made": {"type": "string", "pattern": TIME_SHOWN, "description": "When."},
            "user_permissions": permissions,
        },
        "required": ["id", "details", "name", "limit", "shuffle", "method", "image", "site", "made",
            "user_permissions"],
        "additionalProperties": false,
    });
    let schema = row_with_permissions(FIELDS);
    assert_eq!(schema, expected);
    let keys = |value: &Value| {
        value["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let (keys, wanted): (Vec<String>, Vec<String>) = (keys(&schema), keys(&expected));
    assert_eq!(keys, wanted, "the order is part of the promise");
}

#[test]
fn what_is_sent_has_bounds() {
    let schema = body(FIELDS, Way::Sent, Part::Whole);
    let expected = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "pattern": "\\S", "maxLength": 5, "description": "Name"},
            "limit": {"type": ["integer", "null"], "minimum": 0, "maximum": 9, "description": "Limit"},
            "shuffle": {"type": "boolean", "description": "Shuffle", "default": true},
            "method": {"type": ["string", "null"], "enum": ["full", null], "description": "Method"},
            "image": {"type": "null", "description": "Image"},
            "site_id": {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_INT,
                "description": "Site"},
        },
        "required": ["name"],
    });
    assert_eq!(schema, expected);
    assert!(
        body(FIELDS, Way::Sent, Part::Some)
            .get("required")
            .is_none()
    );
    let form = body(FIELDS, Way::Form, Part::Some);
    assert_eq!(form["properties"]["image"]["format"], "binary");
    assert!(has_files(FIELDS) && !has_files(INNER));
}

#[test]
fn options_names_no_more_than_it_did() {
    let options = crate::field::table(INNER);
    assert_eq!(options.as_object().unwrap().len(), 1);
}

#[test]
fn a_parameter_says_what_it_takes() {
    let field = Field::new("hours", "Hours", Kind::Integer(Some(0), None)).help("How long.");
    let expected = json!({"name": "hours", "in": "query", "description": "How long.",
        "schema": {"type": "integer", "minimum": 0, "maximum": MAX_INT}});
    assert_eq!(parameter(&field), expected);
}
