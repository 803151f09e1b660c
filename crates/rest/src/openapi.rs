//! Tables of fields as JSON Schema, the pure part of the OpenAPI document (`architecture.md` §7).
//! What is sent and what is shown of the same field differ: bounds and patterns hold for what is
//! sent; of what is shown only the type is promised, since rows may be older than a bound.

use serde_json::{Map, Value, json};

use crate::document;
use crate::field::{Field, Kind};
use crate::shape::Shape;

/// Naive times with microseconds where there are any, as answers hold them.
const TIME_SHOWN: &str = "^[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{6})?$";
/// Times as bodies may hold them.
const TIME_SENT: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):\
     [0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])?$";
/// Keys of rows are whole numbers from one on.
const MAX_INT: i64 = 2_147_483_647;

/// Which way a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In a body of JSON.
    Sent,
    /// In a body that is a form; there files are sent too, and everything is text.
    Form,
    /// In an answer.
    Shown,
}

/// Whether a body must hold what is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// POST and PUT.
    Whole,
    /// PATCH.
    Some,
}

/// An object as answers hold it: these keys and no others, in this order.
pub fn row(fields: &[Field]) -> Value {
    let shown = || fields.iter().filter(|field| !field.write_only);
    let always: Vec<&str> = shown().filter(|f| !f.sometimes).map(|f| f.name).collect();
    let properties: Map<String, Value> = shown()
        .map(|field| (field.name.to_owned(), property(field, Way::Shown)))
        .collect();
    let mut schema = json!({"type": "object", "properties": properties});
    if !always.is_empty() {
        schema["required"] = json!(always);
    }
    schema["additionalProperties"] = json!(false);
    schema
}

/// The same with what the caller may do with the row behind it, unless the table says so itself.
pub fn row_with_permissions(fields: &[Field]) -> Value {
    let permissions = Field::permissions();
    let named = fields.iter().any(|field| field.name == permissions.name);
    let mut fields = fields.to_vec();
    if !named {
        fields.push(permissions);
    }
    row(&fields)
}

/// An object in another one. What is a row has an address, and then mostly tells what the caller
/// may do with it, though OPTIONS does not say so.
fn inner(fields: &[Field]) -> Value {
    let names = |name: &str| fields.iter().any(|field| field.name == name);
    if !names("details") || names("user_permissions") {
        return row(fields);
    }
    let mut fields = fields.to_vec();
    fields.push(Field::permissions().sometimes());
    row(&fields)
}

/// A page of rows in its envelope.
pub fn page(item: &Value) -> Value {
    let address = json!({"type": ["string", "null"], "format": "uri"});
    let described = |mut schema: Value, words: &str| {
        schema["description"] = json!(words);
        schema
    };
    json!({
        "type": "object",
        "properties": {
            "count": {"type": "integer", "minimum": 0, "description": "Rows in all."},
            "next": described(address.clone(), "Address of the next page."),
            "previous": described(address, "Address of the page before."),
            "results": {"type": "array", "items": item},
            "user_permissions": {
                "type": "array",
                "items": {"type": "string"},
                "description": "What the caller may do with the list.",
            },
        },
        "required": ["count", "next", "previous", "results", "user_permissions"],
        "additionalProperties": false,
    })
}

/// An object as bodies hold it.
pub fn body(fields: &[Field], way: Way, part: Part) -> Value {
    let sent = || fields.iter().filter(|field| !field.read_only);
    let required: Vec<&str> = sent().filter(|f| f.required).map(|f| f.name).collect();
    let properties: Map<String, Value> = sent()
        .map(|field| (field.name.to_owned(), property(field, way)))
        .collect();
    let mut schema = json!({"type": "object", "properties": properties});
    if part == Part::Whole && !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// Whether bodies may hold files.
pub fn has_files(fields: &[Field]) -> bool {
    let file = |field: &Field| !field.read_only && matches!(field.kind, Kind::Image);
    fields.iter().any(file)
}

/// A value in the query of an address.
pub fn parameter(field: &Field) -> Value {
    let mut parameter = json!({"name": field.name, "in": "query"});
    let words = if field.help.is_empty() {
        field.label
    } else {
        field.help
    };
    if field.required {
        parameter["required"] = json!(true);
    }
    parameter["description"] = json!(words);
    let field = Field {
        nullable: false,
        help: "",
        label: "",
        ..*field
    };
    parameter["schema"] = property(&field, Way::Sent);
    parameter
}

fn property(field: &Field, way: Way) -> Value {
    // A body must name one of the choices, also where rows hold others.
    let chosen = way != Way::Shown && matches!(field.kind, Kind::Choice(_));
    let mut schema = match field.holds {
        Some(shape) if !chosen => of_shape(&shape, way),
        _ => of_kind(field.kind, field.blank, way),
    };
    if field.nullable && !(way == Way::Form && matches!(field.kind, Kind::Image)) {
        schema = or_null(schema);
    }
    let words = match (field.help, field.label) {
        ("", label) => label,
        (help, _) => help,
    };
    let Some(map) = schema.as_object_mut() else {
        return schema;
    };
    if !words.is_empty() {
        map.insert("description".into(), json!(words));
    }
    let default = field.default.and_then(|d| serde_json::from_str(d).ok());
    if let (Some::<Value>(default), false) = (default, way == Way::Shown) {
        map.insert("default".into(), default);
    }
    schema
}

/// The schema of a shape.
pub fn of_shape(shape: &Shape, way: Way) -> Value {
    match *shape {
        Shape::Of(kind) => of_kind(kind, true, way),
        Shape::Null => json!({"type": "null"}),
        Shape::Json => json!({}),
        Shape::Pattern(pattern) => json!({"type": "string", "pattern": pattern}),
        Shape::Object(fields) if way == Way::Shown => inner(fields),
        Shape::Object(fields) => body(fields, way, Part::Whole),
        Shape::Map(inner) => {
            json!({"type": "object", "additionalProperties": of_shape(inner, way)})
        }
        Shape::List(Shape::Or([])) => json!({"type": "array", "maxItems": 0}),
        Shape::List(inner) => json!({"type": "array", "items": of_shape(inner, way)}),
        Shape::Document(shape) => of_document(shape),
        Shape::Or([one, Shape::Null]) => or_null(of_shape(one, way)),
        Shape::Or(shapes) => {
            let any: Vec<Value> = shapes.iter().map(|shape| of_shape(shape, way)).collect();
            json!({"anyOf": any})
        }
    }
}

/// The schema of a document in a body.
fn of_document(shape: &document::Shape) -> Value {
    use document::Shape;
    match *shape {
        Shape::Text => json!({"type": "string"}),
        Shape::Float => json!({"type": "number"}),
        Shape::Whole => json!({"type": "integer"}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Time => json!({"type": "string", "pattern": TIME_SENT}),
        Shape::Any => json!({}),
        Shape::Map => json!({"type": "object"}),
        Shape::List(inner) => json!({"type": "array", "items": of_document(inner)}),
        Shape::Model(members) => {
            let schema = |member: &document::Member| match of_document(&member.shape) {
                schema if member.nullable => or_null(schema),
                schema => schema,
            };
            let properties: Map<String, Value> = members
                .iter()
                .map(|member| (member.name.to_owned(), schema(member)))
                .collect();
            let required: Vec<&str> = members
                .iter()
                .filter(|member| member.required)
                .map(|member| member.name)
                .collect();
            json!({"type": "object", "properties": properties, "required": required})
        }
        Shape::Either(shapes) => {
            let any: Vec<Value> = shapes.iter().map(of_document).collect();
            json!({"anyOf": any})
        }
    }
}

fn of_kind(kind: Kind, blank: bool, way: Way) -> Value {
    let sent = way != Way::Shown;
    match kind {
        Kind::Integer(least, most) => whole(least, most, sent),
        Kind::Float => json!({"type": "number"}),
        Kind::Text(most) => text(most, blank, sent),
        Kind::Slug(most) if sent => {
            let slug = "^[-a-zA-Z0-9_]+$";
            at_most(json!({"type": "string", "pattern": slug}), most)
        }
        Kind::Email(most) if sent => at_most(json!({"type": "string", "format": "email"}), most),
        Kind::Slug(_) | Kind::Email(_) => json!({"type": "string"}),
        Kind::Url(most) if sent => {
            let url = at_most(json!({"type": "string", "format": "uri"}), most);
            if blank {
                json!({"anyOf": [url, {"const": ""}]})
            } else {
                url
            }
        }
        Kind::Url(_) => json!({"type": "string", "format": "uri-reference"}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Choice(choices) => {
            let mut keys: Vec<&str> = choices.iter().map(|(key, _)| *key).collect();
            if blank && !keys.contains(&"") {
                keys.push("");
            }
            json!({"type": "string", "enum": keys})
        }
        Kind::DateTime => {
            let pattern = if sent { TIME_SENT } else { TIME_SHOWN };
            json!({"type": "string", "pattern": pattern})
        }
        Kind::Link(_) if sent => json!({"type": "integer", "minimum": 1, "maximum": MAX_INT}),
        Kind::Link(_) => json!({"type": "integer"}),
        Kind::Links(_) => json!({"type": "array", "items": of_kind(Kind::Link(""), false, way)}),
        Kind::Nested(fields) if sent => body(fields, way, Part::Some),
        Kind::Nested(fields) => inner(fields),
        Kind::List => json!({"type": "array"}),
        Kind::Integers => json!({"type": "array", "items": whole(None, None, sent)}),
        Kind::Floats => json!({"type": "array", "items": {"type": "number"}}),
        Kind::Texts(most) => json!({"type": "array", "items": text(Some(most), true, sent)}),
        Kind::Rows(fields) if sent => {
            json!({"type": "array", "items": body(fields, way, Part::Whole)})
        }
        Kind::Rows(fields) => json!({"type": "array", "items": inner(fields)}),
        Kind::Image => match way {
            Way::Form => json!({"type": "string", "format": "binary"}),
            Way::Sent => json!({"type": "null"}),
            Way::Shown => json!({"type": "string", "format": "uri-reference"}),
        },
        Kind::Any => json!({}),
    }
}

fn whole(least: Option<i64>, most: Option<i64>, sent: bool) -> Value {
    if !sent {
        return json!({"type": "integer"});
    }
    // What has no bounds of its own has 32 bits.
    let least = least.unwrap_or(-MAX_INT - 1);
    json!({"type": "integer", "minimum": least, "maximum": most.unwrap_or(MAX_INT)})
}

fn text(most: Option<usize>, blank: bool, sent: bool) -> Value {
    let mut schema = json!({"type": "string"});
    if sent && !blank {
        schema["pattern"] = json!("\\S");
    }
    match most {
        Some(most) if sent => at_most(schema, most),
        _ => schema,
    }
}

/// A length that nothing reaches is none.
fn at_most(mut schema: Value, most: usize) -> Value {
    if u32::try_from(most).is_ok() {
        schema["maxLength"] = json!(most);
    }
    schema
}

/// The schema that takes null too.
fn or_null(mut schema: Value) -> Value {
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    match schema.get("type") {
        Some(Value::String(kind)) if kind == "null" => schema,
        Some(Value::String(kind)) => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        _ if schema.as_object().is_some_and(Map::is_empty) => schema,
        _ => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

#[cfg(test)]
mod tests;
