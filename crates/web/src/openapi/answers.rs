//! What an address answers: its success, and the refusals in the shapes of Django REST framework.

use serde_json::{Map, Value, json};

use super::{Parts, allows, answer};
use crate::views::{Answer, View};

/// A refusal: status, name, sentence, schema.
type Refusal = (u16, &'static str, &'static str, &'static str);

const REFUSALS: &[Refusal] = &[
    (
        400,
        "BadRequest",
        "What was sent is wrong; the messages name the fields.",
        "Errors",
    ),
    (
        401,
        "NotAuthenticated",
        "Nobody is signed in, or the token is none.",
        "Detail",
    ),
    (403, "Forbidden", "Whoever asks may not do this.", "Detail"),
    (
        404,
        "NotFound",
        "There is nothing here, or nothing that whoever asks may see.",
        "Detail",
    ),
    (
        405,
        "MethodNotAllowed",
        "The address does not take this method; `Allow` says which it takes.",
        "Detail",
    ),
    (
        406,
        "NotAcceptable",
        "Nothing that is offered suits the header `Accept`.",
        "Detail",
    ),
    (
        409,
        "Conflict",
        "The state of the row does not allow it.",
        "Detail",
    ),
    (413, "TooLarge", "The body is too large.", "Detail"),
    (
        415,
        "UnsupportedMediaType",
        "The body is neither JSON nor a form.",
        "Detail",
    ),
    (
        429,
        "TooManyRequests",
        "Too often; `Retry-After` says how many seconds to wait.",
        "Detail",
    ),
    (
        502,
        "BadGateway",
        "A service that is needed answered what it must not.",
        "Errors",
    ),
    (
        503,
        "Unavailable",
        "Something that is needed does not answer now.",
        "Errors",
    ),
];

/// The schemas of refusals.
pub fn refusal_schemas(parts: &mut Parts) {
    let reference = super::reference;
    let mut put = |name: &str, schema: Value| parts.schemas.insert(name.to_owned(), schema);
    put(
        "Detail",
        json!({
            "type": "object",
            "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
            "required": ["detail"],
            "additionalProperties": false,
        }),
    );
    put(
        "Messages",
        json!({
            "description": "Sentences, or messages by field; of a list, one entry per element.",
            "anyOf": [
                {
                    "type": "array",
                    "items": {"anyOf": [{"type": "string"}, reference("Fault"), reference("Messages")]},
                },
                {"type": "object", "additionalProperties": reference("Messages")},
            ],
        }),
    );
    put(
        "Fault",
        json!({
            "description": "What is wrong at one place of a document.",
            "type": "object",
            "properties": {
                "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                "msg": {"type": "string"},
                "type": {"type": "string"},
                "ctx": {"type": "object"},
            },
            "required": ["loc", "msg", "type"],
            "additionalProperties": false,
        }),
    );
    put(
        "Sentence",
        json!({
            "description": "What is wrong with an export.",
            "type": "object",
            "properties": {"error": {"type": "string"}},
            "required": ["error"],
            "additionalProperties": false,
        }),
    );
    put(
        "Errors",
        json!({"anyOf": [reference("Detail"), reference("Messages"), reference("Sentence")]}),
    );
}

/// The refusals by name.
pub fn refusals() -> Value {
    let response = |(_, name, words, schema): &Refusal| {
        let body = json!({
            "description": words,
            "content": {
                "application/json": {"schema": super::reference(schema)},
                "text/html": {"schema": {"type": "string"}},
            },
        });
        ((*name).to_owned(), body)
    };
    Value::Object(REFUSALS.iter().map(response).collect())
}

/// All that an address answers to a method.
pub fn responses(parts: &mut Parts, view: &View, method: &str, reads_body: bool) -> Value {
    let mut all = Map::new();
    for (status, answers) in successes(view, method) {
        let success = success(parts, view, method, status, &answers);
        all.insert(status.to_string(), success);
        if status == 204 && !view.contract.own_formats {
            let words = "The same as a page, where one is asked for: a page needs a body.";
            let content = json!({"text/html": {"schema": {"type": "string"}}});
            all.insert(
                "200".to_owned(),
                json!({"description": words, "content": content}),
            );
        }
    }
    for (status, name, _, _) in REFUSALS {
        if refuses(view, method, reads_body, *status) {
            let reference = json!({"$ref": format!("#/components/responses/{name}")});
            all.insert(status.to_string(), reference);
        }
    }
    all.sort_keys();
    Value::Object(all)
}

fn refuses(view: &View, method: &str, reads_body: bool, status: u16) -> bool {
    let contract = &view.contract;
    let asks = if method == "GET" {
        contract.query
    } else {
        contract.asks
    };
    let filters = method == "GET" && !view.filters.is_empty();
    match status {
        400 => reads_body || filters || !asks.is_empty() || contract.fails.contains(&400),
        401 => true,
        403 => !contract.open,
        404 | 406 => true,
        413 | 415 => reads_body,
        405 => method == "GET" && contract.refused.contains(&method),
        409 | 429 if method == "GET" => false,
        other => contract.fails.contains(&other),
    }
}

/// The answers that are no refusals, by status.
fn successes(view: &View, method: &str) -> Vec<(u16, Vec<Answer>)> {
    let contract = &view.contract;
    let is_list = allows(view, "GET") && allows(view, "POST");
    let shown = view.row_fields();
    let one = |status, answer| vec![(status, vec![answer])];
    if contract.refused.contains(&method) {
        return Vec::new();
    }
    match method {
        "GET" if matches!(contract.got, [Answer::Moved]) => one(302, Answer::Moved),
        "GET" if !contract.got.is_empty() => vec![(200, contract.got.to_vec())],
        "GET" if is_list || view.searched || view.name.ends_with(" List") => {
            one(200, Answer::Page(shown))
        }
        "GET" => one(200, Answer::Row(shown)),
        "POST" if !contract.posted.is_empty() => {
            let mut all: Vec<(u16, Vec<Answer>)> = Vec::new();
            for (status, answer) in contract.posted {
                match all.iter_mut().find(|(known, _)| known == status) {
                    Some((_, answers)) => answers.push(*answer),
                    None => all.push((*status, vec![*answer])),
                }
            }
            all
        }
        "POST" if is_list => one(201, contract.edited.unwrap_or(Answer::Row(view.fields))),
        "POST" => one(200, Answer::Row(view.fields)),
        "DELETE" => one(204, Answer::Nothing),
        _ => one(200, contract.edited.unwrap_or(Answer::Row(view.fields))),
    }
}

fn success(parts: &mut Parts, view: &View, method: &str, status: u16, answers: &[Answer]) -> Value {
    let mut content: Map<String, Value> = Map::new();
    for (place, shape) in answers.iter().enumerate() {
        let role = match (method, place) {
            ("GET", 0) if matches!(shape, Answer::Page(_)) => "Row",
            ("GET", 0) => "Detail",
            ("GET", _) => "Brief",
            _ => "Answer",
        };
        for (kind, schema) in answer(parts, view, shape, role) {
            add(&mut content, kind, schema);
        }
    }
    let words = match status {
        201 => "It is made.",
        302 => "It is at the address in `Location`.",
        202 => "It is taken on.",
        204 => "It is done; there is no body.",
        _ => "The answer.",
    };
    let mut response = json!({ "description": words });
    if !content.is_empty() {
        if !view.contract.own_formats {
            content.insert(
                "text/html".to_owned(),
                json!({"schema": {"type": "string"}}),
            );
        }
        response["content"] = Value::Object(content);
    }
    response
}

/// One more schema of a kind of content: any of them may come.
fn add(content: &mut Map<String, Value>, kind: &str, schema: Value) {
    let Some(known) = content.get_mut(kind) else {
        content.insert(kind.to_owned(), json!({ "schema": schema }));
        return;
    };
    match known["schema"]
        .get_mut("anyOf")
        .and_then(Value::as_array_mut)
    {
        Some(any) => any.push(schema),
        None => {
            let first = known["schema"].take();
            known["schema"] = json!({"anyOf": [first, schema]});
        }
    }
}
