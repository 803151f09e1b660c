//! One method of one address: what it is called, what it takes, what it answers.

use rest::field::Field;
use rest::openapi::{self, Part, Way};
use serde_json::{Map, Value, json};

use super::{Parts, allows, answers, noun, tag};
use crate::views::View;

/// The operation object.
pub fn operation(parts: &mut Parts, view: &View, method: &str) -> Value {
    let body = request_body(parts, view, method);
    let mut operation = json!({
        "operationId": operation_id(view, method),
        "summary": summary(view, method),
        "description": view.about,
        "tags": [tag(view)],
    });
    let parameters = parameters(view, method);
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    let reads_body = body.is_some();
    if let Some(body) = body {
        operation["requestBody"] = body;
    }
    operation["security"] = security(view, method);
    operation["responses"] = answers::responses(parts, view, method, reads_body);
    operation
}

/// Whether it is one row that is shown, and not a list.
fn is_list(view: &View) -> bool {
    (allows(view, "GET") && allows(view, "POST")) || view.name.ends_with(" List")
}

/// The names that generated clients of the reference know: `jobs_list`, `jobs_run_create`.
fn operation_id(view: &View, method: &str) -> String {
    let words = view.path.split('/').filter(|part| !part.is_empty());
    let words: Vec<String> = words
        .filter(|part| !part.starts_with('{'))
        .map(|part| part.replace('-', "_"))
        .collect();
    let verb = match method {
        "GET" if is_list(view) => "list",
        "GET" => "retrieve",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "partial_update",
        _ => "destroy",
    };
    let words = match words.is_empty() {
        true => "root".to_owned(),
        false => words.join("_"),
    };
    format!("{words}_{verb}")
}

fn summary(view: &View, method: &str) -> String {
    let name = view.name;
    let name = name
        .strip_suffix(" List")
        .or(name.strip_suffix(" Instance"));
    let Some(name) = name.filter(|_| allows(view, "GET")) else {
        return view.name.to_owned();
    };
    let verb = match method {
        "GET" if is_list(view) => "list",
        "GET" => "show",
        "POST" => "make",
        "PUT" => "replace",
        "PATCH" => "change",
        _ => "delete",
    };
    format!("{name}: {verb}")
}

fn security(view: &View, method: &str) -> Value {
    let signed_in = [json!({"token": []}), json!({"session": []})];
    if view.contract.open {
        return json!([{}]);
    }
    let mut ways = Vec::new();
    if method == "GET" && !view.contract.private {
        ways.push(json!({}));
    }
    ways.extend(signed_in);
    Value::Array(ways)
}

fn parameters(view: &View, method: &str) -> Vec<Value> {
    let mut all: Vec<Value> = view.path.split('/').filter_map(path_parameter).collect();
    let contract = &view.contract;
    if method == "GET" {
        all.extend(view.filters.iter().map(openapi::parameter));
        all.extend(contract.query.iter().map(openapi::parameter));
        if view.searched {
            all.push(shared("search"));
        }
        if !view.orders.is_empty() {
            all.push(ordering(view.orders));
        }
        if pages(view) {
            all.push(shared("limit"));
            all.push(shared("offset"));
        }
    } else {
        all.extend(contract.asks.iter().map(openapi::parameter));
    }
    if !contract.own_formats {
        all.push(shared("format"));
    }
    all
}

fn pages(view: &View) -> bool {
    use crate::views::Answer;
    match view.contract.got {
        [] => is_list(view),
        got => got
            .iter()
            .any(|answer| matches!(answer, Answer::Page(_) | Answer::Objects(_))),
    }
}

/// `{id}` names a row by its number.
fn path_parameter(part: &str) -> Option<Value> {
    let name = part.strip_prefix('{')?.strip_suffix('}')?;
    let schema = match name {
        "slug" => json!({"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"}),
        _ => json!({"type": "integer", "format": "int64"}),
    };
    Some(json!({"name": name, "in": "path", "required": true, "schema": schema}))
}

fn ordering(orders: &[&str]) -> Value {
    let both = orders
        .iter()
        .flat_map(|name| [(*name).to_owned(), format!("-{name}")]);
    json!({
        "name": "ordering",
        "in": "query",
        "description": "By what the rows are ordered; `-` puts the greatest first.",
        "schema": {
            "type": "array",
            "items": {"type": "string", "enum": both.collect::<Vec<String>>()},
        },
        "style": "form",
        "explode": false,
    })
}

fn shared(name: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{name}")})
}

/// The parameters that many addresses share.
pub fn shared_parameters() -> Value {
    let parameter = |name: &str, words: &str, schema: Value| {
        let parameter =
            json!({"name": name, "in": "query", "description": words, "schema": schema});
        (name.to_owned(), parameter)
    };
    let whole = |least: i64| json!({"type": "integer", "minimum": least});
    Value::Object(Map::from_iter([
        parameter(
            "limit",
            "At most so many rows; more than 10,000 count as 10,000.",
            whole(1),
        ),
        parameter("offset", "After so many rows.", whole(0)),
        parameter(
            "search",
            "Rows that hold all these words.",
            json!({"type": "string"}),
        ),
        parameter(
            "format",
            "`json`, or `api` for the answer as a page to browse.",
            json!({"type": "string", "enum": ["json", "api"]}),
        ),
    ]))
}

/// What a method takes; a body of no fields is none.
fn request_body(parts: &mut Parts, view: &View, method: &str) -> Option<Value> {
    let contract = &view.contract;
    let (fields, part) = match method {
        "POST" => (contract.takes.unwrap_or(view.fields), Part::Whole),
        "PUT" => (contract.edits.unwrap_or(view.fields), Part::Whole),
        "PATCH" => (contract.edits.unwrap_or(view.fields), Part::Some),
        "DELETE" => (contract.removal, Part::Whole),
        _ => (&[] as &[Field], Part::Whole),
    };
    if !fields.iter().any(|field| !field.read_only) {
        return None;
    }
    let (name, own) = noun(view);
    let name = match part {
        Part::Whole => format!("{name}Request"),
        Part::Some => format!("{name}Patch"),
    };
    let mut keep = |name: String, schema: Value| match own {
        true => parts.named(&[name], schema),
        false => parts.shared(&[name], schema),
    };
    let json_body = keep(name.clone(), openapi::body(fields, Way::Sent, part));
    let form = match openapi::has_files(fields) {
        true => keep(
            format!("{name}Form"),
            openapi::body(fields, Way::Form, part),
        ),
        false => json_body.clone(),
    };
    let required = part == Part::Whole && fields.iter().any(|field| field.required);
    Some(json!({
        "required": required,
        "content": {
            "application/json": {"schema": json_body},
            "application/x-www-form-urlencoded": {"schema": json_body},
            "multipart/form-data": {"schema": form},
        },
    }))
}
