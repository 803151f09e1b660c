//! Reading the values of a body with the messages of Django REST framework. The idea: every
//! reader notes its message and goes on, so a person sees all errors of a form at once; values
//! are read as leniently as there ("5" is a number, 1 is true).

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::body::JsonBody;
use crate::error::{ApiError, ApiResult, FieldErrors};
use crate::python;

pub(crate) const INVALID_INTEGER: &str = "A valid integer is required.";
const REQUIRED: &str = "This field is required.";
const NULL: &str = "This field may not be null.";

/// Texts that are read as true, and as false.
const YES: &[&str] = &[
    "t", "T", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "1",
];
const NO: &[&str] = &[
    "f", "F", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", "0",
];

/// Longest text that is read as a number, in characters.
const LONGEST_NUMBER: usize = 1000;

/// A body being read. A reader gives `None` where a value is left out or wrong; whether it was
/// wrong is told at the end, by [`Input::finish`].
#[derive(Debug, Default)]
pub struct Input {
    body: Map<String, Value>,
    is_form: bool,
    is_partial: bool,
    long: HashMap<String, String>,
    /// Messages so far.
    pub errors: FieldErrors,
}

impl Input {
    /// Starts to read a body: a [`JsonBody`], or a value alone.
    ///
    /// # Errors
    /// 400 where the body is no object.
    pub fn new(body: impl Into<JsonBody>) -> ApiResult<Input> {
        let body = body.into();
        let kind = match body.value {
            Value::Object(object) => {
                return Ok(Input {
                    body: object,
                    is_form: body.is_form,
                    long: body.long,
                    ..Input::default()
                });
            }
            Value::Null => return Err(ApiError::general("No data provided")),
            other => python::type_name(&other),
        };
        let message = format!("Invalid data. Expected a dictionary, but got {kind}.");
        Err(ApiError::general(message))
    }

    /// For a change of some fields: whatever is not sent is not missed.
    #[must_use]
    pub fn partial(mut self) -> Input {
        self.is_partial = true;
        self
    }

    /// Whether the field was sent, as null too.
    pub fn has(&self, field: &str) -> bool {
        self.body.contains_key(field)
    }

    /// Ends the reading: the value, or all messages.
    ///
    /// # Errors
    /// [`ApiError::Fields`].
    pub fn finish<T>(self, value: T) -> ApiResult<T> {
        self.errors.check().map(|()| value)
    }

    /// Whether the body is a form.
    pub(crate) fn is_form(&self) -> bool {
        self.is_form
    }

    /// Whether the field was sent as null.
    pub(crate) fn is_null(&self, field: &str) -> bool {
        self.body.get(field).is_some_and(Value::is_null)
    }

    /// Whether the field was sent without a value: null, or an empty text in a form.
    pub(crate) fn is_empty(&self, field: &str) -> bool {
        self.has(field) && self.optional(field).is_none()
    }

    /// Whether the field was sent as a text of nothing but spaces.
    pub(crate) fn is_blank(&self, field: &str) -> bool {
        let text = self.body.get(field).and_then(Value::as_str);
        text.is_some_and(|text| text.trim().is_empty())
    }

    /// Notes that the field is required.
    pub(crate) fn require(&mut self, field: &str) {
        self.errors.add(field, REQUIRED);
    }

    /// The nested object of that name; in a form, the members that are named `object.member`.
    /// `None` where nothing of it was sent, or it is no object.
    pub(crate) fn within(&mut self, field: &str) -> Option<Input> {
        let body = match self.body.get(field) {
            Some(Value::Object(object)) => object.clone(),
            Some(other) => {
                let kind = python::type_name(other);
                let message = format!("Invalid data. Expected a dictionary, but got {kind}.");
                let mut inner = FieldErrors::new();
                inner.add_general(message);
                self.errors.add_nested(field, inner);
                return None;
            }
            None => {
                let prefix = format!("{field}.");
                let members = self.body.iter();
                let own = members.filter_map(|(name, value)| {
                    Some((name.strip_prefix(&prefix)?.to_owned(), value.clone()))
                });
                let own: Map<String, Value> = own.collect();
                if own.is_empty() {
                    return None;
                }
                own
            }
        };
        Some(Input {
            body,
            is_form: self.is_form,
            ..Input::default()
        })
    }

    fn required(&mut self, field: &str) -> Option<Value> {
        let message = match self.body.get(field) {
            Some(Value::Null) => NULL,
            Some(value) => return Some(value.clone()),
            None if self.is_partial => return None,
            None => REQUIRED,
        };
        self.errors.add(field, message);
        None
    }

    /// A value that may be left out or null. In a form, an empty text is no value.
    fn optional(&self, field: &str) -> Option<Value> {
        let value = self.body.get(field)?;
        let is_none = value.is_null() || (self.is_form && value == "");
        (!is_none).then(|| value.clone())
    }

    /// A whole number of 32 bits that must be there.
    pub fn integer(&mut self, field: &str, min: i64) -> Option<i32> {
        let value = self.required(field)?;
        self.read_integer(field, &value, min)
    }

    /// A whole number of 32 bits that may be left out or null.
    pub fn optional_integer(&mut self, field: &str, min: i64) -> Option<i32> {
        let value = self.optional(field)?;
        self.read_integer(field, &value, min)
    }

    /// A whole number between these bounds, at most of 32 bits where none is given.
    pub(crate) fn whole(&mut self, field: &str, min: Option<i64>, max: Option<i64>) -> Option<i64> {
        let value = self.required(field)?;
        let min = min.unwrap_or(i64::from(i32::MIN));
        self.read_between(field, &value, min, max.unwrap_or(i64::from(i32::MAX)))
    }

    fn read_integer(&mut self, field: &str, value: &Value, min: i64) -> Option<i32> {
        let min = min.max(i64::from(i32::MIN));
        let read = self.read_between(field, value, min, i64::from(i32::MAX))?;
        i32::try_from(read).ok()
    }

    fn read_between(&mut self, field: &str, value: &Value, min: i64, max: i64) -> Option<i64> {
        let text = self.as_text(field, value);
        let message = match text.as_deref().map(|text| (text, parse_integer(text))) {
            Some((text, _)) if text.chars().count() > LONGEST_NUMBER => {
                "String value too large.".to_owned()
            }
            None | Some((_, None)) => INVALID_INTEGER.to_owned(),
            Some((_, Some(number))) if number > max => {
                format!("Ensure this value is less than or equal to {max}.")
            }
            Some((_, Some(number))) if number < min => too_small(min),
            Some((_, Some(number))) => return Some(number),
        };
        self.errors.add(field, message);
        None
    }

    /// A number that must be there.
    pub fn number(&mut self, field: &str) -> Option<f64> {
        let value = self.required(field)?;
        self.read_number(field, &value)
    }

    /// A number that may be left out or null.
    pub fn optional_number(&mut self, field: &str) -> Option<f64> {
        let value = self.optional(field)?;
        self.read_number(field, &value)
    }

    fn read_number(&mut self, field: &str, value: &Value) -> Option<f64> {
        let read = match value {
            Value::Bool(yes) => Some(f64::from(u8::from(*yes))), // as Python counts it
            Value::Number(number) => number.as_f64(),
            Value::String(text) if text.chars().count() > LONGEST_NUMBER => {
                self.errors.add(field, "String value too large.");
                return None;
            }
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        // What JSON cannot say is not taken in as text either.
        let read = read.filter(|number: &f64| number.is_finite());
        if read.is_none() {
            self.errors.add(field, "A valid number is required.");
        }
        read
    }

    /// A truth value; `default` where it is left out. In a form, what is left out is false: an
    /// empty check box is not sent.
    pub fn boolean(&mut self, field: &str, default: bool) -> Option<bool> {
        if !self.has(field) {
            let is_unchecked = self.is_form && !self.is_partial;
            return Some(default && !is_unchecked);
        }
        let value = self.required(field)?;
        if self.is_form && value == "" {
            return Some(default);
        }
        self.read_boolean(field, &value)
    }

    /// A truth value that may be left out or null.
    pub fn optional_boolean(&mut self, field: &str) -> Option<bool> {
        let value = self.optional(field)?;
        let is_none = |text: &str| matches!(text, "" | "null" | "Null" | "NULL");
        if value.as_str().is_some_and(is_none) {
            return None;
        }
        self.read_boolean(field, &value)
    }

    fn read_boolean(&mut self, field: &str, value: &Value) -> Option<bool> {
        let read = match value {
            Value::Bool(yes) => Some(*yes),
            Value::Number(n) if n.as_f64() == Some(1.0) => Some(true),
            Value::Number(n) if n.as_f64() == Some(0.0) => Some(false),
            Value::String(text) if YES.contains(&text.as_str()) => Some(true),
            Value::String(text) if NO.contains(&text.as_str()) => Some(false),
            _ => None,
        };
        if read.is_none() {
            self.errors.add(field, "Must be a valid boolean.");
        }
        read
    }

    /// One of the choices, which must be there.
    pub fn choice(&mut self, field: &str, choices: &[&'static str]) -> Option<&'static str> {
        let text = python::display(&self.required(field)?);
        let found = choices.iter().find(|choice| **choice == text).copied();
        if found.is_none() {
            let message = format!("\"{text}\" is not a valid choice.");
            self.errors.add(field, message);
        }
        found
    }

    /// A value of any shape that must be there: a whole document, see [`crate::document`].
    pub fn document(&mut self, field: &str) -> Option<Value> {
        self.required(field)
    }

    /// A value of any shape that may be left out or null.
    pub fn json(&mut self, field: &str) -> Option<Value> {
        self.optional(field)
    }

    /// The key of a row that must be named; whether it exists is for the caller to see.
    pub fn key(&mut self, field: &str) -> Option<i64> {
        let value = self.required(field)?;
        if value == "" {
            self.errors.add(field, NULL);
            return None;
        }
        self.read_key(field, &value)
    }

    /// The key of a row that may be left out, null or empty.
    pub fn optional_key(&mut self, field: &str) -> Option<i64> {
        let value = self.optional(field).filter(|value| value != "")?;
        self.read_key(field, &value)
    }

    fn read_key(&mut self, field: &str, value: &Value) -> Option<i64> {
        let text = self.as_text(field, value);
        let is_key = |text: &str| match value {
            Value::String(_) => parse_integer(text).is_some() && !text.contains('.'),
            _ => true,
        };
        let Some(text) = text.filter(|text| is_key(text)) else {
            let kind = python::type_name(value);
            let message = format!("Incorrect type. Expected pk value, received {kind}.");
            self.errors.add(field, message);
            return None;
        };
        // A key past 64 bits is no row's, and neither is a fraction.
        let whole = text.trim().strip_suffix(".0").unwrap_or(text.trim());
        let read = whole.parse().ok();
        if read.is_none() {
            self.missing(field, &text);
        }
        read
    }

    /// Notes that a named row does not exist.
    pub fn missing(&mut self, field: &str, key: &str) {
        let message = format!("Invalid pk \"{key}\" - object does not exist.");
        self.errors.add(field, message);
    }
}

pub(crate) fn too_small(min: i64) -> String {
    format!("Ensure this value is greater than or equal to {min}.")
}

mod lists;
mod number;
mod texts;

pub(crate) use number::{parse_integer, parse_wide};

#[cfg(test)]
mod tests;
