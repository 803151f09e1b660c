//! Whether a whole answer holds: status, headers, body. The idea: how a body is compared follows
//! from what was recorded there, a page, a schema, an error or rows.

use serde_json::Value;

use super::compare::{Compare, Difference, Rule, by_id};
use super::recording::Exchange;
use super::request::Answer;
use super::unwritten;

/// Where the answer differs from the recorded one.
pub fn differences(name: &str, recorded: &Exchange, answer: &Answer) -> Vec<Difference> {
    let options = recorded.method == "OPTIONS";
    let mut compare = Compare {
        found: vec![],
        prose: options,
    };
    if recorded.status != answer.status {
        let start: String = answer.text.chars().take(160).collect();
        let what = format!(
            "{} recorded, {} here: {start}",
            recorded.status, answer.status
        );
        compare.note("status", what);
        return compare.found;
    }
    for name in ["content-type", "allow", "www-authenticate", "location"] {
        let theirs = recorded.answer_headers[name].as_str();
        let ours = answer.headers.get(name).and_then(|v| v.to_str().ok());
        if theirs != ours {
            let what = format!("{theirs:?} recorded, {ours:?} here");
            compare.note(&format!("header {name}"), what);
        }
    }
    body_holds(&mut compare, name, recorded, answer);
    compare.found
}

fn body_holds(compare: &mut Compare, name: &str, recorded: &Exchange, answer: &Answer) {
    match &recorded.answer {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {
            if !answer.text.is_empty() {
                compare.note("", format!("a body here: {}", answer.text));
            }
        }
        Value::String(text) if text.starts_with("<html page") => {
            if !answer.text.contains("<html") {
                compare.note("", "no HTML page here".to_owned());
            }
        }
        Value::String(text) if text.starts_with("openapi") => {
            if !answer.text.starts_with("openapi") {
                compare.note("", "no schema here".to_owned());
            }
        }
        theirs if theirs.get("openapi").is_some() => {
            if !answer.text.contains("\"openapi\"") {
                compare.note("", "no schema here".to_owned());
            }
        }
        theirs => {
            let theirs = &unwritten::amended(theirs);
            let Ok(ours) = serde_json::from_str::<Value>(&answer.text) else {
                let start: String = answer.text.chars().take(120).collect();
                compare.note("", format!("no JSON here: {start}"));
                return;
            };
            let rule = if recorded.status >= 400 {
                Rule::Words
            } else {
                Rule::Values
            };
            if unwritten::at_random(&recorded.path) {
                compare.value("count", &theirs["count"], &ours["count"], rule);
                compare.value("", theirs, &ours, Rule::Shape);
            } else if let Some(field) = unwritten::loose_order(&recorded.path) {
                compare.ordered(theirs, &ours, field);
            } else if unwritten::without_order(name) {
                compare.value("", &by_id(theirs), &by_id(&ours), rule);
            } else {
                compare.value("", theirs, &ours, rule);
            }
        }
    }
}
