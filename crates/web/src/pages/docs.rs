//! `/api/v2/docs/`: the OpenAPI document to read, made from the document itself. One page without
//! a script, so that the browser's own search finds every field.

use std::sync::OnceLock;

use askama::Template;
use axum::response::Html;
use serde_json::{Map, Value};

use crate::openapi::{TITLE, document};
use crate::pages::browse::text::markdown;

/// A piece of a type's words, perhaps with a link to the schema that it names.
struct Piece {
    text: String,
    schema: Option<String>,
}

/// A field or a parameter.
struct Line {
    /// How deep it stands in an object.
    depth: usize,
    name: String,
    kind: Vec<Piece>,
    required: bool,
    words: String,
}

/// What an operation answers with one status.
struct Answered {
    status: String,
    words: String,
    kind: Vec<Piece>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    /// HTML.
    about: String,
    access: &'static str,
    parameters: Vec<Line>,
    body: Vec<Piece>,
    answers: Vec<Answered>,
}

struct Section {
    tag: String,
    operations: Vec<Operation>,
}

struct Schema {
    name: String,
    words: Vec<Piece>,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage<'a> {
    title: &'a str,
    version: &'a str,
    about: String,
    sections: &'a [Section],
    schemas: &'a [Schema],
}

/// The page.
///
/// # Errors
/// Where the template fails.
pub fn page() -> Result<Html<String>, askama::Error> {
    static PARTS: OnceLock<(Vec<Section>, Vec<Schema>)> = OnceLock::new();
    let (sections, schemas) = PARTS.get_or_init(|| (sections(), schemas()));
    let info = &document()["info"];
    let page = DocsPage {
        title: TITLE,
        version: text(info, "version"),
        about: markdown(text(info, "description")),
        sections,
        schemas,
    };
    page.render().map(Html)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn sections() -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for (path, item) in members(&document()["paths"]) {
        for (method, operation) in members(item) {
            let tag = operation["tags"][0].as_str().unwrap_or_default();
            let shown = shown(path, method, operation);
            match sections.iter_mut().find(|section| section.tag == tag) {
                Some(section) => section.operations.push(shown),
                None => sections.push(Section {
                    tag: tag.to_owned(),
                    operations: vec![shown],
                }),
            }
        }
    }
    sections
}

fn shown(path: &str, method: &str, operation: &Value) -> Operation {
    let parameters = operation["parameters"].as_array();
    let content = |value: &Value| pieces(&media(&value["content"])["schema"]);
    let answers = members(&operation["responses"]).map(|(status, response)| {
        let response = resolved(response);
        Answered {
            status: status.clone(),
            words: text(response, "description").to_owned(),
            kind: content(response),
        }
    });
    Operation {
        id: text(operation, "operationId").to_owned(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(operation, "summary").to_owned(),
        about: markdown(text(operation, "description")),
        access: access(&operation["security"]),
        parameters: parameters.into_iter().flatten().map(parameter).collect(),
        body: content(&operation["requestBody"]),
        answers: answers.collect(),
    }
}

/// JSON where there is JSON, otherwise the first kind of content.
fn media(content: &Value) -> &Value {
    let json = content.get("application/json");
    let first = || content.as_object().and_then(|map| map.values().next());
    json.or_else(first).unwrap_or(&Value::Null)
}

fn access(security: &Value) -> &'static str {
    let ways = security.as_array().map_or(&[] as &[Value], Vec::as_slice);
    let anonymous = |way: &Value| way.as_object().is_some_and(Map::is_empty);
    match ways.iter().any(anonymous) {
        true if ways.len() == 1 => "for everybody",
        true => "what is public for everybody",
        false => "for people and workers who are signed in",
    }
}

fn resolved(value: &Value) -> &Value {
    let pointer = value["$ref"].as_str().and_then(|r| r.strip_prefix('#'));
    let found = pointer.and_then(|pointer| document().pointer(pointer));
    found.unwrap_or(value)
}

fn parameter(parameter: &Value) -> Line {
    let parameter = resolved(parameter);
    Line {
        depth: 0,
        name: text(parameter, "name").to_owned(),
        kind: pieces(&parameter["schema"]),
        required: parameter["required"] == true,
        words: match text(parameter, "in") {
            "path" => "Part of the address.".to_owned(),
            _ => text(parameter, "description").to_owned(),
        },
    }
}

fn schemas() -> Vec<Schema> {
    let all = members(&document()["components"]["schemas"]);
    let shown = all.map(|(name, schema)| {
        let mut lines = Vec::new();
        properties(schema, 0, &mut lines);
        let words = match lines.is_empty() {
            true => pieces(schema),
            false => Vec::new(),
        };
        Schema {
            name: name.clone(),
            words,
            lines,
        }
    });
    shown.collect()
}

/// The fields of an object, those of objects in it below them.
fn properties(schema: &Value, depth: usize, lines: &mut Vec<Line>) {
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|r| r.iter().any(|n| n == name));
    for (name, inner) in members(&schema["properties"]) {
        lines.push(Line {
            depth,
            name: name.clone(),
            kind: pieces(inner),
            required: is_required(name),
            words: words(inner),
        });
        properties(inner, depth + 1, lines);
        properties(&inner["items"], depth + 1, lines);
        let any = inner["anyOf"].as_array().into_iter().flatten();
        any.for_each(|one| properties(one, depth + 1, lines));
    }
}

fn words(schema: &Value) -> String {
    let mut words = text(schema, "description").to_owned();
    for (key, said) in [
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("maxLength", "characters at most"),
        ("default", "by default"),
    ] {
        if let Some(value) = schema.get(key) {
            let joint = if words.is_empty() { "" } else { " · " };
            words = format!("{words}{joint}{said} {value}");
        }
    }
    words
}

fn plain(text: impl Into<String>) -> Piece {
    Piece {
        text: text.into(),
        schema: None,
    }
}

/// A schema in a few words.
fn pieces(schema: &Value) -> Vec<Piece> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        return vec![Piece {
            text: name.clone(),
            schema: Some(name),
        }];
    }
    if let Some(any) = schema["anyOf"].as_array() {
        return joined(any.iter().map(pieces));
    }
    if let Some(choices) = schema["enum"].as_array() {
        let choices: Vec<String> = choices.iter().map(Value::to_string).collect();
        return vec![plain(choices.join(", "))];
    }
    if let Some(value) = schema.get("const") {
        return vec![plain(value.to_string())];
    }
    let results = &schema["properties"]["results"]["items"];
    if !results.is_null() {
        return after("page of ", pieces(results));
    }
    match &schema["type"] {
        Value::Array(kinds) => joined(kinds.iter().map(|kind| {
            let mut one = schema.clone();
            one["type"] = kind.clone();
            pieces(&one)
        })),
        Value::String(kind) if kind == "array" => after("list of ", pieces(&schema["items"])),
        Value::String(kind) => match schema["format"].as_str().filter(|_| kind == "string") {
            Some(format) => vec![plain(format!("{kind} ({format})"))],
            None => vec![plain(kind.clone())],
        },
        _ if schema.is_null() => Vec::new(),
        _ => vec![plain("anything")],
    }
}

fn after(text: &str, mut rest: Vec<Piece>) -> Vec<Piece> {
    rest.insert(0, plain(text));
    rest
}

fn joined(all: impl Iterator<Item = Vec<Piece>>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for one in all {
        if !pieces.is_empty() {
            pieces.push(plain(" or "));
        }
        pieces.extend(one);
    }
    pieces
}
