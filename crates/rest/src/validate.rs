//! Reading the values of a body with the messages of Django REST framework. The idea: every
//! reader notes its message and goes on, so a person sees all errors of a form at once; values
//! are read as leniently as there ("5" is a number, 1 is true).

use serde_json::{Map, Value};

use crate::error::{ApiError, ApiResult, FieldErrors};

/// Largest value of a 32-bit column.
const MAX_INT: i64 = 2_147_483_647;

/// A body being read.
#[derive(Debug, Default)]
pub struct Input {
    body: Map<String, Value>,
    /// Messages so far.
    pub errors: FieldErrors,
}

impl Input {
    /// Starts to read a body.
    ///
    /// # Errors
    /// 400 where the body is no object.
    pub fn new(body: Value) -> ApiResult<Input> {
        let kind = match body {
            Value::Object(body) => {
                return Ok(Input {
                    body,
                    errors: FieldErrors::new(),
                });
            }
            Value::Null => return Err(ApiError::field("non_field_errors", "No data provided")),
            other => python_name(&other),
        };
        let message = format!("Invalid data. Expected a dictionary, but got {kind}.");
        Err(ApiError::field("non_field_errors", message))
    }

    /// Ends the reading: the value, or all messages.
    ///
    /// # Errors
    /// [`ApiError::Fields`].
    pub fn finish<T>(self, value: T) -> ApiResult<T> {
        self.errors.check().map(|()| value)
    }

    fn required(&mut self, field: &str) -> Option<Value> {
        match self.body.get(field) {
            None => {
                self.errors.add(field, "This field is required.");
                None
            }
            Some(Value::Null) => {
                self.errors.add(field, "This field may not be null.");
                None
            }
            Some(value) => Some(value.clone()),
        }
    }

    /// A value that may be left out; null only where `nullable`.
    fn optional(&mut self, field: &str, nullable: bool) -> Option<Value> {
        match self.body.get(field) {
            None => None,
            Some(Value::Null) if nullable => None,
            Some(_) => self.required(field),
        }
    }

    /// A text of at most `max` characters.
    pub fn text(&mut self, field: &str, max: usize) -> Option<String> {
        let value = self.required(field)?;
        self.read_text(field, &value, max)
    }

    fn read_text(&mut self, field: &str, value: &Value, max: usize) -> Option<String> {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => {
                self.errors.add(field, "Not a valid string.");
                return None;
            }
        };
        let message = if text.is_empty() {
            "This field may not be blank.".to_owned()
        } else if text.contains('\0') {
            "Null characters are not allowed.".to_owned()
        } else if text.chars().count() > max {
            format!("Ensure this field has no more than {max} characters.")
        } else {
            return Some(text);
        };
        self.errors.add(field, message);
        None
    }

    /// A key of letters, digits, underscores and hyphens; `default` where it is left out.
    pub fn slug(&mut self, field: &str, max: usize, default: &str) -> Option<String> {
        if !self.body.contains_key(field) {
            return Some(default.to_owned());
        }
        let value = self.required(field)?;
        let text = self.read_text(field, &value, max)?;
        let sound = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if text.chars().all(sound) {
            return Some(text);
        }
        self.errors.add(
            field,
            "Enter a valid \"slug\" consisting of letters, numbers, underscores or hyphens.",
        );
        None
    }

    /// A whole number that must be there.
    pub fn integer(&mut self, field: &str, min: i64) -> Option<i32> {
        let value = self.required(field)?;
        self.read_integer(field, &value, min)
    }

    /// A whole number that may be left out or null.
    pub fn optional_integer(&mut self, field: &str, min: i64) -> Option<i32> {
        let value = self.optional(field, true)?;
        self.read_integer(field, &value, min)
    }

    fn read_integer(&mut self, field: &str, value: &Value, min: i64) -> Option<i32> {
        let Some(number) = whole(value) else {
            self.errors.add(field, "A valid integer is required.");
            return None;
        };
        let message = if number > MAX_INT {
            format!("Ensure this value is less than or equal to {MAX_INT}.")
        } else if number < min {
            format!("Ensure this value is greater than or equal to {min}.")
        } else {
            return i32::try_from(number).ok();
        };
        self.errors.add(field, message);
        None
    }

    /// A truth value; `default` where it is left out.
    pub fn boolean(&mut self, field: &str, default: bool) -> Option<bool> {
        if !self.body.contains_key(field) {
            return Some(default);
        }
        let read = match self.required(field)? {
            Value::Bool(b) => Some(b),
            Value::Number(n) if n.as_i64() == Some(1) => Some(true),
            Value::Number(n) if n.as_i64() == Some(0) => Some(false),
            Value::String(s) => match s.to_lowercase().as_str() {
                "true" | "t" | "1" | "yes" | "y" | "on" => Some(true),
                "false" | "f" | "0" | "no" | "n" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        };
        if read.is_none() {
            self.errors.add(field, "Must be a valid boolean.");
        }
        read
    }

    /// The key of a row that must be named; whether it exists is for the caller to see.
    pub fn key(&mut self, field: &str) -> Option<i64> {
        let value = self.required(field)?;
        self.read_key(field, &value)
    }

    /// The key of a row that may be left out or null.
    pub fn optional_key(&mut self, field: &str) -> Option<i64> {
        let value = self.optional(field, true)?;
        self.read_key(field, &value)
    }

    fn read_key(&mut self, field: &str, value: &Value) -> Option<i64> {
        let read = match value {
            Value::Number(n) if n.is_f64() => {
                self.missing(field, &n.to_string());
                return None;
            }
            Value::Number(n) => n.as_i64(),
            Value::String(s) => match s.trim().parse() {
                Ok(n) => Some(n),
                Err(_) => {
                    self.wrong_type(field, value);
                    return None;
                }
            },
            other => {
                self.wrong_type(field, other);
                return None;
            }
        };
        if read.is_none() {
            self.missing(field, &value.to_string());
        }
        read
    }

    /// Notes that a named row does not exist.
    pub fn missing(&mut self, field: &str, key: &str) {
        let message = format!("Invalid pk \"{key}\" - object does not exist.");
        self.errors.add(field, message);
    }

    fn wrong_type(&mut self, field: &str, value: &Value) {
        let kind = python_name(value);
        let message = format!("Incorrect type. Expected pk value, received {kind}.");
        self.errors.add(field, message);
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(n) => n.as_i64().or_else(|| {
            let f = n.as_f64()?;
            (f.fract() == 0.0 && f.abs() < 9e15).then_some(f as i64)
        }),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
}

/// What Python calls a value's type: the words of the recorded messages.
fn python_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn messages(body: Value, read: impl FnOnce(&mut Input)) -> Value {
        let mut input = Input::new(body).unwrap();
        read(&mut input);
        match input.finish(()) {
            Ok(()) => Value::Null,
            Err(error) => error.body(),
        }
    }

    #[test]
    fn messages_are_word_for_word() {
        let job = |input: &mut Input| {
            input.text("name", 255);
            input.integer("delay", 0);
            input.optional_integer("limit", 0);
            input.boolean("shuffle", true);
            input.key("project_id");
            input.optional_key("deployment_id");
            input.slug("job_type_key", 255, "ml");
        };
        let bodies = [
            json!({}),
            json!({"name": null, "delay": "x", "limit": "y", "shuffle": "z", "project_id": "q", "job_type_key": null}),
            json!({"name": "", "delay": 1.5, "limit": 2147483648i64, "shuffle": null, "project_id": [1], "job_type_key": "not a slug!"}),
            json!({"name": true, "delay": null, "project_id": true, "deployment_id": {}}),
            json!({"name": "a\u{0}b", "delay": -1, "project_id": 1, "deployment_id": 1e30}),
            json!({"name": 5, "delay": "7", "limit": null, "shuffle": "on", "project_id": "3"}),
        ];
        let seen: Vec<String> = bodies
            .into_iter()
            .map(|body| messages(body, job).to_string())
            .collect();
        insta::assert_snapshot!(seen.join("\n"));
    }

    #[test]
    fn a_body_that_is_no_object_is_named() {
        for (body, words) in [
            (
                json!([1, 2]),
                "Invalid data. Expected a dictionary, but got list.",
            ),
            (
                json!("abc"),
                "Invalid data. Expected a dictionary, but got str.",
            ),
            (Value::Null, "No data provided"),
        ] {
            let error = Input::new(body).unwrap_err().body();
            assert_eq!(error, json!({"non_field_errors": [words]}));
        }
    }
}
