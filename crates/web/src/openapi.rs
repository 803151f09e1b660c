//! The OpenAPI document: every address of `views::all()` with what it takes and answers. The
//! idea: nothing is written here that a table already says, so the document cannot disagree with
//! the server; a test sends a request to every address and compares.

use std::sync::LazyLock;

use rest::openapi::{self, Way};
use rest::shape::{self, Shape};
use serde_json::{Map, Value, json};

use crate::views::{self, Answer, View};

mod answers;
mod operation;

/// Title of the document.
pub const TITLE: &str = "Hawkmoth API";

const ABOUT: &str = "The API of a job server for automated insect monitoring, in the conventions of \
Django REST framework; it is the API of Antenna, and more.\n\n\
Sign in with the header `Authorization: Token …` (`POST /api/v2/auth/token/login/` gives a token) \
or with the cookie of a browser's session. Without either, what is public can be read.\n\n\
Lists come in pages: `limit` and `offset` choose the rows, `next` and `previous` are the addresses \
beside. What a list cannot read of paging and ordering counts as not given; a filter says what is \
wrong. Addresses are served with and without their last slash, and with `.json`.\n\n\
Bodies may be JSON, `application/x-www-form-urlencoded` or `multipart/form-data`; another media \
type is refused with 415. Numbers and truth values are taken as texts too. A method that an address \
does not take is refused with 405 and the methods that it takes in `Allow`; every address answers \
`OPTIONS` with its name, its description and its fields. `?format=api` or `Accept: text/html` gets \
the same answer as a page to browse. Times are naive, in the time zone of the server.";

/// The document; the same for every request.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(build);
    &DOCUMENT
}

fn build() -> Value {
    let mut parts = Parts::default();
    let mut paths = Map::new();
    for view in views::all() {
        let mut item = Map::new();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if allows(view, method) {
                let operation = operation::operation(&mut parts, view, method);
                item.insert(method.to_lowercase(), operation);
            }
        }
        paths.insert(format!("/api/v2{}/", view.path), Value::Object(item));
    }
    let mut tags: Vec<&str> = views::all().map(tag).collect();
    let mut seen = std::collections::HashSet::new();
    tags.retain(|tag| seen.insert(*tag));
    let tags: Vec<Value> = tags.iter().map(|tag| json!({"name": tag})).collect();
    answers::refusal_schemas(&mut parts);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This server."}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": parts.schemas,
            "responses": answers::refusals(),
            "parameters": operation::shared_parameters(),
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Token` and a space before the token.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": crate::auth::cookie::SESSION,
                    "description": "The session of a browser; with it, methods other than GET need \
                                    the header `X-CSRFToken` or the field `csrfmiddlewaretoken`.",
                },
            },
        },
    })
}

/// Whether an address takes this method.
pub fn allows(view: &View, method: &str) -> bool {
    view.allow.split(", ").any(|allowed| allowed == method)
}

/// The first word of an address.
fn tag(view: &View) -> &'static str {
    let words = view.path.trim_start_matches('/');
    match words.split('/').next() {
        None | Some("") => "root",
        Some(word) => word,
    }
}

/// The named schemas of the document.
#[derive(Default)]
pub struct Parts {
    schemas: Map<String, Value>,
}

impl Parts {
    /// A reference to a schema under the first of these names that is free or holds the same.
    fn named(&mut self, names: &[String], schema: Value) -> Value {
        let more = (2..).map(|n| format!("{}{n}", names.last().map_or("", String::as_str)));
        for name in names.iter().cloned().chain(more) {
            match self.schemas.get(&name) {
                Some(known) if *known != schema => {}
                Some(_) => return reference(&name),
                None => {
                    self.schemas.insert(name.clone(), schema);
                    return reference(&name);
                }
            }
        }
        schema // not reached: names without end
    }

    /// The same for addresses without rows of their own: what another one shows is not named anew.
    fn shared(&mut self, names: &[String], schema: Value) -> Value {
        let known = self.schemas.iter().find(|(_, known)| **known == schema);
        match known.map(|(name, _)| reference(name)) {
            Some(known) => known,
            None => self.named(names, schema),
        }
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The name of what an address is about, such as `Job`, and whether it is a resource's own.
fn noun(view: &View) -> (String, bool) {
    let own = [" List", " Instance"]
        .iter()
        .find_map(|end| view.name.strip_suffix(end));
    match own {
        Some(name) => (camel(name.split([' ', '-'])), true),
        None => {
            let words = view.path.split(['/', '_', '-']);
            (camel(words.filter(|word| !word.starts_with('{'))), false)
        }
    }
}

fn camel<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    words.map(capital).collect()
}

/// The schema of an answer, by the kind of its content.
fn answer(
    parts: &mut Parts,
    view: &View,
    answer: &Answer,
    role: &str,
) -> Vec<(&'static str, Value)> {
    let (name, own) = noun(view);
    let names = [name.clone(), format!("{name}{role}")];
    let mut keep = |schema: Value| match own {
        true => parts.named(&names, schema),
        false => parts.shared(&names, schema),
    };
    let schema = match *answer {
        Answer::Row(fields) => keep(openapi::row_with_permissions(fields)),
        Answer::Object(fields) => keep(openapi::row(fields)),
        Answer::Page(fields) => {
            let item = keep(openapi::row_with_permissions(fields));
            openapi::page(&item)
        }
        Answer::Objects(fields) => {
            let item = keep(openapi::row(fields));
            openapi::page(&item)
        }
        Answer::List(fields) => {
            json!({"type": "array", "items": keep(openapi::row(fields))})
        }
        Answer::Open => json!({"type": "object"}),
        Answer::Map => openapi::of_shape(&Shape::Map(&shape::ADDRESS), Way::Shown),
        Answer::Text => return vec![("text/plain", json!({"type": "string"}))],
        Answer::Html => return vec![("text/html", json!({"type": "string"}))],
        Answer::Schema => {
            let kinds = crate::api::schema::OFFERED.iter();
            return kinds.map(|(_, kind)| (*kind, json!({}))).collect();
        }
        Answer::Nothing | Answer::Moved => return Vec::new(),
    };
    vec![("application/json", schema)]
}

#[cfg(test)]
mod tests;
