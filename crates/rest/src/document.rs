//! Fields that hold a whole document: its shape as data, and what is wrong with a value in the
//! words of the reference's model validator (places as `loc`, one object per fault). The idea:
//! this walk only finds words; reading a sound value is left to typed code, so it runs on broken
//! input alone.

use chrono::{DateTime, NaiveDateTime};
use serde_json::{Value, json};

use crate::json;

/// Faults named in one answer at most.
const MOST: usize = 100;

/// What a value must look like.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A text, or a number that is taken as one.
    Text,
    /// A number, or a text that spells one.
    Float,
    /// A whole number, or a text that spells one.
    Whole,
    /// A truth value.
    Flag,
    /// A moment.
    Time,
    /// Whatever it is.
    Any,
    /// An object of whatever.
    Map,
    /// A list of such values.
    List(&'static Shape),
    /// An object with these members; others are passed over.
    Model(&'static [Member]),
    /// One of these, in order; where none fits, the faults of all are told.
    Either(&'static [Shape]),
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    name: &'static str,
    shape: Shape,
    required: bool,
    nullable: bool,
}

impl Member {
    /// A member that must be there.
    pub const fn required(name: &'static str, shape: Shape) -> Member {
        Member {
            name,
            shape,
            required: true,
            nullable: false,
        }
    }

    /// A member that may be left out or null.
    pub const fn optional(name: &'static str, shape: Shape) -> Member {
        Member {
            name,
            shape,
            required: false,
            nullable: true,
        }
    }

    /// A member that may be left out, but not null.
    pub const fn defaulted(name: &'static str, shape: Shape) -> Member {
        Member {
            name,
            shape,
            required: false,
            nullable: false,
        }
    }
}

/// What is wrong with a document; empty where nothing is. `at` is its place below the root.
pub fn faults(value: &Value, shape: &Shape, at: &[&str]) -> Vec<Value> {
    let mut walk = Walk {
        place: vec!["__root__".to_owned()],
        faults: Vec::new(),
    };
    walk.place.extend(at.iter().map(|part| (*part).to_owned()));
    walk.check(value, shape);
    walk.faults
}

/// A document that came as a text: read as JSON.
///
/// # Errors
/// The fault, where it is none.
pub fn from_text(text: &str) -> Result<Value, Vec<Value>> {
    serde_json::from_str(text).map_err(|error| {
        let (words, at) = json::fault(text).unwrap_or_else(|| (error.to_string(), 0));
        let before: String = text.chars().take(at).collect();
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        vec![json!({
            "loc": ["__root__"],
            "msg": format!("{words}: line {line} column {column} (char {at})"),
            "type": "value_error.jsondecode",
            "ctx": {
                "msg": words,
                "doc": text,
                "pos": at.to_string(),
                "lineno": line.to_string(),
                "colno": column.to_string(),
            },
        })]
    })
}

struct Walk {
    place: Vec<String>,
    faults: Vec<Value>,
}

impl Walk {
    fn fault(&mut self, words: &str, kind: &str) {
        if self.faults.len() < MOST {
            let fault = json!({"loc": self.place, "msg": words, "type": kind});
            self.faults.push(fault);
        }
    }

    fn below(&mut self, part: String, then: impl FnOnce(&mut Walk)) {
        self.place.push(part);
        then(self);
        self.place.pop();
    }

    fn check(&mut self, value: &Value, shape: &Shape) {
        if value.is_null() && !matches!(shape, Shape::Any | Shape::Either(_)) {
            return self.fault(
                "none is not an allowed value",
                "type_error.none.not_allowed",
            );
        }
        match shape {
            Shape::Any => {}
            Shape::Text if !value.is_array() && !value.is_object() => {}
            Shape::Text => self.fault("str type expected", "type_error.str"),
            Shape::Float if is_float(value) => {}
            Shape::Float => self.fault("value is not a valid float", "type_error.float"),
            Shape::Whole if is_whole(value) => {}
            Shape::Whole => self.fault("value is not a valid integer", "type_error.integer"),
            Shape::Flag if is_flag(value) => {}
            Shape::Flag => {
                self.fault("value could not be parsed to a boolean", "type_error.bool");
            }
            Shape::Time => self.time(value),
            Shape::Map if is_map(value) => {}
            Shape::Map => self.fault("value is not a valid dict", "type_error.dict"),
            Shape::List(inner) => self.list(value, inner),
            Shape::Model(members) => self.model(value, members),
            Shape::Either(shapes) => self.either(value, shapes),
        }
    }

    fn time(&mut self, value: &Value) {
        match value {
            Value::Number(_) => {}
            Value::String(text) if is_time(text) => {}
            Value::String(_) => self.fault("invalid datetime format", "value_error.datetime"),
            _ => {
                let words = "invalid type; expected datetime, string, bytes, int or float";
                self.fault(words, "type_error");
            }
        }
    }

    fn list(&mut self, value: &Value, inner: &Shape) {
        let Some(list) = value.as_array() else {
            return self.fault("value is not a valid list", "type_error.list");
        };
        for (i, one) in list.iter().enumerate() {
            self.below(i.to_string(), |walk| walk.check(one, inner));
        }
    }

    fn model(&mut self, value: &Value, members: &[Member]) {
        if !is_map(value) {
            return self.fault("value is not a valid dict", "type_error.dict");
        }
        for member in members {
            self.below(member.name.to_owned(), |walk| {
                match value.get(member.name) {
                    None if member.required => walk.fault("field required", "value_error.missing"),
                    None => {}
                    Some(Value::Null) if member.nullable => {}
                    Some(inner) => walk.check(inner, &member.shape),
                }
            });
        }
    }

    fn either(&mut self, value: &Value, shapes: &[Shape]) {
        let before = self.faults.len();
        for shape in shapes {
            let so_far = self.faults.len();
            self.check(value, shape);
            if self.faults.len() == so_far && so_far < MOST {
                return self.faults.truncate(before);
            }
        }
    }
}

/// An object, or an empty list, which Python makes an object of.
fn is_map(value: &Value) -> bool {
    value.is_object() || value.as_array().is_some_and(Vec::is_empty)
}

fn is_float(value: &Value) -> bool {
    match value {
        Value::Number(_) | Value::Bool(_) => true,
        Value::String(text) => text.trim().parse::<f64>().is_ok(),
        _ => false,
    }
}

fn is_whole(value: &Value) -> bool {
    match value {
        Value::Number(_) | Value::Bool(_) => true,
        Value::String(text) => text.trim().parse::<i64>().is_ok(),
        _ => false,
    }
}

fn is_flag(value: &Value) -> bool {
    const WORDS: [&str; 12] = [
        "0", "off", "f", "false", "n", "no", "1", "on", "t", "true", "y", "yes",
    ];
    match value {
        Value::Bool(_) => true,
        Value::Number(number) => matches!(number.as_f64(), Some(0.0 | 1.0)),
        Value::String(text) => WORDS.contains(&text.to_lowercase().as_str()),
        _ => false,
    }
}

fn is_time(text: &str) -> bool {
    let text = text.trim().replacen(' ', "T", 1);
    text.parse::<f64>().is_ok()
        || DateTime::parse_from_rfc3339(&text).is_ok()
        || ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
            .iter()
            .any(|form| NaiveDateTime::parse_from_str(&text, form).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BOX: Shape = Shape::Model(&[Member::required("x1", Shape::Float)]);
    const GOOD: Shape = Shape::Model(&[
        Member::required("total_time", Shape::Float),
        Member::required("boxes", Shape::List(&BOX)),
        Member::optional("note", Shape::Text),
    ]);
    const BAD: Shape = Shape::Model(&[Member::required("error", Shape::Text)]);

    fn told(value: Value) -> Vec<(String, String)> {
        let faults = faults(&value, &Shape::Either(&[GOOD, BAD]), &["0", "result"]);
        let text = |fault: &Value, key: &str| fault[key].as_str().unwrap().to_owned();
        let place = |fault: &Value| {
            let parts = fault["loc"].as_array().unwrap().iter();
            parts
                .map(|p| p.as_str().unwrap())
                .collect::<Vec<_>>()
                .join(".")
        };
        faults.iter().map(|f| (place(f), text(f, "msg"))).collect()
    }

    #[test]
    fn a_sound_value_of_either_form_has_no_faults() {
        let good = json!({"total_time": "0.5", "boxes": [{"x1": 1}], "note": null, "more": []});
        assert!(told(good).is_empty());
        assert!(told(json!({"error": 5})).is_empty());
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let at = |place: &str| format!("__root__.0.result.{place}");
        let broken = json!({"total_time": "abc", "boxes": [{"x1": []}, [1], null]});
        let expected = [
            ("total_time", "value is not a valid float"),
            ("boxes.0.x1", "value is not a valid float"),
            ("boxes.1", "value is not a valid dict"),
            ("boxes.2", "none is not an allowed value"),
            ("error", "field required"),
        ];
        let expected: Vec<_> = expected.map(|(p, w)| (at(p), w.to_owned())).into();
        assert_eq!(told(broken), expected);
    }

    #[test]
    fn a_text_that_is_no_json_is_quoted() {
        let fault = from_text("x").unwrap_err();
        let expected = json!([{
            "loc": ["__root__"],
            "msg": "Expecting value: line 1 column 1 (char 0)",
            "type": "value_error.jsondecode",
            "ctx": {"msg": "Expecting value", "doc": "x", "pos": "0", "lineno": "1", "colno": "1"},
        }]);
        assert_eq!(Value::Array(fault), expected);
        assert_eq!(from_text("[1]").unwrap(), json!([1]));
    }
}
