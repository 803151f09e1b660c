//! Whether an answer holds against the recorded one. The idea: errors are compared word for word,
//! objects key by key in their order; a value that the fixture determines must be the same, any
//! other must have the same type and form.

use serde_json::Value;

/// Where an answer differs, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// `status`, `header allow`, `body`, or a path into the body such as `results.0.name`.
    pub at: String,
    pub what: String,
}

/// How strictly values are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Every value.
    Words,
    /// Values that the fixture determines.
    Values,
    /// Keys and types only.
    Shape,
}

/// Keys whose values are made anew: only their type is compared.
const MADE: &[&str] = &[
    "auth_token",
    "duration",
    "last_seen",
    "last_checked",
    "last_seen_latency",
    "last_seen_live",
    "reply_subject",
    "task_id",
    "total_time",
    "latency",
    "request_url",
    "file_url",
    "file_size",
    "file_size_display",
    "calculated_fields_updated_at",
];

/// Keys of addresses that each server signs or serves in its own way.
const ADDRESSES: &[&str] = &[
    "url",
    "image_url",
    "public_url",
    "image",
    "thumbnails",
    "detection_images",
];

/// Keys of prose, which Hawkmoth words itself.
const PROSE: &[&str] = &["description", "help_text"];

/// When the recording began, in its own clock: rows made before stand in the fixture.
const BEGIN: &str = "2026-11-23T08:15:00";

pub struct Compare {
    pub found: Vec<Difference>,
    /// Whether prose is compared by presence: of OPTIONS, not of rows.
    pub prose: bool,
}

impl Compare {
    pub fn note(&mut self, at: &str, what: String) {
        let at = match at.trim_start_matches('.') {
            "" => "body".to_owned(),
            at => at.to_owned(),
        };
        self.found.push(Difference { at, what });
    }

    pub fn value(&mut self, at: &str, recorded: &Value, ours: &Value, rule: Rule) {
        match (recorded, ours) {
            (Value::Object(recorded), Value::Object(ours)) => {
                self.object(at, recorded, ours, rule);
            }
            (Value::Array(recorded), Value::Array(ours)) => self.array(at, recorded, ours, rule),
            (Value::Null, _) | (_, Value::Null) if rule == Rule::Shape => {}
            _ if kind(recorded) != kind(ours) => self.differ(at, recorded, ours),
            _ if rule == Rule::Shape => self.form(at, recorded, ours),
            _ => self.scalar(at, recorded, ours, rule),
        }
    }

    /// A list in whose order many rows are equal: the field must be the same row by row; the rows
    /// themselves are the same where it is a whole list, else of one shape.
    pub fn ordered(&mut self, recorded: &Value, ours: &Value, field: &str) {
        self.value("count", &recorded["count"], &ours["count"], Rule::Values);
        self.value("next", &recorded["next"], &ours["next"], Rule::Values);
        let rows = |value: &Value| value["results"].as_array().cloned().unwrap_or_default();
        for (n, (recorded, ours)) in rows(recorded).iter().zip(rows(ours)).enumerate() {
            let at = format!("results.{n}.{field}");
            self.value(&at, &recorded[field], &ours[field], Rule::Values);
        }
        if recorded["count"] == ours["count"] && rows(ours).len() as u64 == ours["count"] {
            return self.value("", &by_id(recorded), &by_id(ours), Rule::Values);
        }
        self.value("", recorded, ours, Rule::Shape);
    }

    fn differ(&mut self, at: &str, recorded: &Value, ours: &Value) {
        let short = |value: &Value| {
            let text = value.to_string();
            let cut: String = text.chars().take(90).collect();
            if cut.len() < text.len() {
                format!("{cut}…")
            } else {
                text
            }
        };
        self.note(
            at,
            format!("{} recorded, {} here", short(recorded), short(ours)),
        );
    }

    fn object(
        &mut self,
        at: &str,
        recorded: &serde_json::Map<String, Value>,
        ours: &serde_json::Map<String, Value>,
        rule: Rule,
    ) {
        let missing: Vec<_> = recorded.keys().filter(|k| !ours.contains_key(*k)).collect();
        let more: Vec<_> = ours.keys().filter(|k| !recorded.contains_key(*k)).collect();
        if !missing.is_empty() {
            self.note(at, format!("keys missing: {missing:?}"));
        }
        if !more.is_empty() {
            self.note(at, format!("keys too many: {more:?}"));
        }
        let here = |k: &&String| ours.contains_key(*k);
        let there = |k: &&String| recorded.contains_key(*k);
        if !recorded.keys().filter(here).eq(ours.keys().filter(there)) {
            self.note(
                at,
                format!("order of keys: {:?}", ours.keys().collect::<Vec<_>>()),
            );
        }
        // Figures are empty until the first value; moods are drawn by lot.
        let loose = rule == Rule::Shape || recorded.get("key").is_some_and(|key| key == "mood");
        for (key, recorded) in recorded {
            let Some(ours) = ours.get(key) else { continue };
            if key == "value" && loose {
                continue;
            }
            let at = format!("{at}.{key}");
            let rule = match key.as_str() {
                _ if rule == Rule::Words => rule,
                // The fixture holds the last of all changes.
                "updated_at" if ours.as_str().is_some_and(|ours| ours >= BEGIN) => Rule::Shape,
                key if MADE.contains(&key) || ADDRESSES.contains(&key) => Rule::Shape,
                key if self.prose && PROSE.contains(&key) => Rule::Shape,
                "stdout" | "stderr" | "errors" => Rule::Shape,
                _ => rule,
            };
            if key == "user_permissions" && rule == Rule::Values {
                self.set(&at, recorded, ours);
            } else {
                self.value(&at, recorded, ours, rule);
            }
        }
    }

    /// The reference's lists of permissions stand in no order.
    fn set(&mut self, at: &str, recorded: &Value, ours: &Value) {
        let sorted = |value: &Value| {
            let mut items: Vec<String> = match value {
                Value::Array(items) => items.iter().map(Value::to_string).collect(),
                other => vec![other.to_string()],
            };
            items.sort();
            items
        };
        if sorted(recorded) != sorted(ours) {
            self.differ(at, recorded, ours);
        }
    }

    fn array(&mut self, at: &str, recorded: &[Value], ours: &[Value], rule: Rule) {
        if rule == Rule::Shape {
            let first = recorded.first();
            for (n, ours) in ours.iter().enumerate() {
                if let Some(recorded) = recorded.get(n).or(first) {
                    self.value(&format!("{at}.{n}"), recorded, ours, rule);
                }
            }
            return;
        }
        if recorded.len() != ours.len() {
            self.note(
                at,
                format!("{} items recorded, {} here", recorded.len(), ours.len()),
            );
        }
        for (n, (recorded, ours)) in recorded.iter().zip(ours).enumerate() {
            self.value(&format!("{at}.{n}"), recorded, ours, rule);
        }
    }

    fn scalar(&mut self, at: &str, recorded: &Value, ours: &Value, rule: Rule) {
        let same = match (recorded, ours) {
            (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
            (Value::String(a), Value::String(b)) if rule == Rule::Values && is_time(a) => {
                let fixed = a.as_str() < BEGIN;
                if fixed { a == b } else { is_time(b) }
            }
            (a, b) => a == b,
        };
        if !same {
            self.differ(at, recorded, ours);
        }
    }

    /// Two texts of one form: times look like times, addresses like addresses.
    fn form(&mut self, at: &str, recorded: &Value, ours: &Value) {
        let (Value::String(a), Value::String(b)) = (recorded, ours) else {
            return;
        };
        let address = |text: &str| text.contains("://");
        if is_time(a) != is_time(b) || address(a) != address(b) || a.is_empty() != b.is_empty() {
            self.differ(at, recorded, ours);
        }
    }
}

/// The list with its rows by number.
pub fn by_id(list: &Value) -> Value {
    let mut list = list.clone();
    if let Some(Value::Array(rows)) = list.get_mut("results") {
        rows.sort_by_key(|row| row["id"].as_i64());
    }
    list
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// `2026-11-23T08:17:09.449518`, with or without fraction; never with an offset.
fn is_time(text: &str) -> bool {
    let form = if text.contains('.') {
        "%Y-%m-%dT%H:%M:%S%.6f"
    } else {
        "%Y-%m-%dT%H:%M:%S"
    };
    chrono::NaiveDateTime::parse_from_str(text, form).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(recorded: Value, ours: Value, rule: Rule) -> Vec<String> {
        let mut compare = Compare {
            found: vec![],
            prose: false,
        };
        compare.value("", &recorded, &ours, rule);
        compare.found.into_iter().map(|d| d.at).collect()
    }

    #[test]
    fn what_differs_is_found() {
        let none: Vec<String> = vec![];
        let later = "2026-11-23T08:17:09.449518";
        for (recorded, ours, rule, expected) in [
            (
                json!({"a": 1}),
                json!({"a": 1.0}),
                Rule::Values,
                none.clone(),
            ),
            (
                json!({"a": 1}),
                json!({"a": "1"}),
                Rule::Values,
                vec!["a".to_owned()],
            ),
            (
                json!({"a": 1, "b": 2}),
                json!({"b": 2, "a": 1}),
                Rule::Values,
                vec!["body".to_owned()],
            ),
            (
                json!({"a": 1}),
                json!({"a": 1, "b": 1}),
                Rule::Shape,
                vec!["body".to_owned()],
            ),
            (
                json!([{"a": 1}]),
                json!([{"a": 2}]),
                Rule::Shape,
                none.clone(),
            ),
            (
                json!([{"a": 1}]),
                json!([{"a": 2}]),
                Rule::Values,
                vec!["0.a".to_owned()],
            ),
            (
                json!([1, 2]),
                json!([1]),
                Rule::Values,
                vec!["body".to_owned()],
            ),
            (
                json!({"t": later}),
                json!({"t": "2030-01-01T00:00:00"}),
                Rule::Values,
                none.clone(),
            ),
            (
                json!({"t": later}),
                json!({"t": "2030-01-01T00:00:00Z"}),
                Rule::Values,
                vec!["t".to_owned()],
            ),
            (
                json!({"t": "2020-01-01T00:00:00"}),
                json!({"t": "2020-01-01T05:00:00"}),
                Rule::Values,
                vec!["t".to_owned()],
            ),
            (
                json!({"user_permissions": ["a", "b"]}),
                json!({"user_permissions": ["b", "a"]}),
                Rule::Values,
                none.clone(),
            ),
            (
                json!({"user_permissions": ["a"]}),
                json!({"user_permissions": ["b"]}),
                Rule::Values,
                vec!["user_permissions".to_owned()],
            ),
            (
                json!({"url": "http://a/b"}),
                json!({"url": "b"}),
                Rule::Values,
                vec!["url".to_owned()],
            ),
        ] {
            assert_eq!(
                found(recorded.clone(), ours.clone(), rule),
                expected,
                "{recorded} {ours}"
            );
        }
    }
}
