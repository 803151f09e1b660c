//! What the API has against a request, in words. The idea: nothing that it says is lost, every
//! message stands behind the field that it is about, and what a person can do about a token is
//! said here.

use anyhow::{Context, anyhow};
use serde_json::Value;

use super::Reply;
use crate::table::plain;

/// Where messages stand that belong to no single field.
const GENERAL: [&str; 3] = ["non_field_errors", "detail", "error"];

/// The JSON of an answer that is none of an error.
///
/// # Errors
/// What the server has against the request.
pub fn read(reply: &Reply) -> anyhow::Result<Value> {
    if !(200..300).contains(&reply.status) {
        return Err(of(reply));
    }
    if reply.text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&reply.text)
        .ok()
        .context("what answers there is no Hawkmoth server: its answer is no JSON")
}

/// What the server has against a request.
pub fn of(reply: &Reply) -> anyhow::Error {
    let Ok(body) = serde_json::from_str::<Value>(&reply.text) else {
        return anyhow!(
            "the server answers with status {} and no JSON: is it a Hawkmoth server?",
            reply.status
        );
    };
    let mut messages = Vec::new();
    gather("", &body, &mut messages);
    let text = messages.join("\n  ");
    match (reply.status, messages.len()) {
        (_, 0) => anyhow!("the server answers with status {}", reply.status),
        (401, _) => anyhow!(
            "the server does not know who asks: {text} Sign in with `hawkmoth login`, or give \
             another --token"
        ),
        (500.., _) => anyhow!("the server has failed: {text}"),
        (_, 1) => anyhow!(text),
        _ => anyhow!("the server refuses this:\n  {text}"),
    }
}

/// `field: message` for each message, fields of fields with dots between them.
fn gather(field: &str, value: &Value, messages: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                let name = match (field, GENERAL.contains(&name.as_str())) {
                    ("", true) => String::new(),
                    (outer, true) => outer.to_owned(),
                    ("", false) => name.clone(),
                    (outer, false) => format!("{outer}.{name}"),
                };
                gather(&name, inner, messages);
            }
        }
        Value::Array(list) => list.iter().for_each(|one| gather(field, one, messages)),
        Value::Null => {}
        other => {
            let words = other
                .as_str()
                .map_or_else(|| other.to_string(), str::to_owned);
            messages.push(plain(&match field {
                "" => words,
                field => format!("{field}: {words}"),
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn said(status: u16, body: &Value) -> String {
        let text = body.to_string();
        read(&Reply { status, text }).unwrap_err().to_string()
    }

    #[test]
    fn every_message_stands_behind_its_field() {
        let body = json!({
            "name": ["This field is required."],
            "params": {"config": {"size_threshold": ["Too large.", "No number."]}},
        });
        let expected = "the server refuses this:\n  name: This field is required.\n  \
                        params.config.size_threshold: Too large.\n  \
                        params.config.size_threshold: No number.";
        assert_eq!(said(400, &body), expected);
    }

    #[test]
    fn a_sentence_stays_a_sentence() {
        for body in [
            json!({"detail": "Not found."}),
            json!(["Not found."]),
            json!({"non_field_errors": ["Not found."]}),
        ] {
            assert_eq!(said(404, &body), "Not found.");
        }
    }

    #[test]
    fn who_is_not_known_is_told_what_to_do() {
        let words = said(401, &json!({"detail": "Invalid token."}));
        assert!(words.contains("Invalid token."), "{words}");
        assert!(words.contains("hawkmoth login"), "{words}");
    }

    #[test]
    fn an_answer_of_something_else_is_named() {
        let text = "<html>".to_owned();
        let page = Reply { status: 200, text };
        let why = read(&page).unwrap_err().to_string();
        assert!(why.contains("no Hawkmoth server"), "{why}");
    }
}
