//! Lists in bodies. The idea: what is wrong with a member is said under its place in the list.

use serde_json::Value;

use super::Input;
use crate::error::FieldErrors;
use crate::python;

impl Input {
    /// A list of texts, which must be there; each of at most `max` characters.
    pub(crate) fn texts(&mut self, field: &str, max: usize) -> Option<Vec<String>> {
        let list = self.list(field)?;
        let mut wrong = FieldErrors::new();
        let mut texts = Vec::new();
        for (place, value) in list.iter().enumerate() {
            match self.as_text(field, value) {
                None => wrong.add(&place.to_string(), "Not a valid string."),
                Some(text) if text.chars().count() > max => {
                    let words = format!("Ensure this field has no more than {max} characters.");
                    wrong.add(&place.to_string(), words);
                }
                Some(text) => texts.push(text.trim().to_owned()),
            }
        }
        let sound = wrong.is_empty();
        self.errors.add_nested(field, wrong);
        sound.then_some(texts)
    }

    /// A list of whole numbers of 32 bits, which must be there.
    pub(crate) fn integers(&mut self, field: &str) -> Option<Vec<i64>> {
        let list = self.numbers(field)?;
        let mut within = Input::default();
        let read = |(place, value): (usize, &Value)| {
            let (least, most) = (i64::from(i32::MIN), i64::from(i32::MAX));
            within.read_between(&place.to_string(), value, least, most)
        };
        let read: Vec<Option<i64>> = list.iter().enumerate().map(read).collect();
        self.errors.add_nested(field, within.errors);
        read.into_iter().collect()
    }

    /// The keys of rows, which must be there.
    pub(crate) fn keys(&mut self, field: &str) -> Option<Vec<i64>> {
        let list = self.numbers(field)?;
        let read = list.iter().map(|value| self.read_key(field, value));
        read.collect()
    }

    /// A list whose members are numbers: a form may hold them in one text, with commas between.
    pub(crate) fn numbers(&mut self, field: &str) -> Option<Vec<Value>> {
        let list = self.list(field)?;
        match &list[..] {
            [Value::String(text)] if self.is_form => {
                let numbers = text.split(',').map(str::trim).filter(|n| !n.is_empty());
                Some(numbers.map(Value::from).collect())
            }
            _ => Some(list),
        }
    }

    /// A list of anything, which must be there.
    pub(crate) fn list(&mut self, field: &str) -> Option<Vec<Value>> {
        match self.required(field)? {
            Value::Array(list) => Some(list),
            // In a form, one value is a list of one.
            Value::String(text) if self.is_form => Some(vec![Value::String(text)]),
            other => {
                let kind = python::type_name(&other);
                let message = format!("Expected a list of items but got type \"{kind}\".");
                self.errors.add(field, message);
                None
            }
        }
    }

    /// A value of any shape, which must not be null; in a form, the text of its JSON.
    pub(crate) fn anything(&mut self, field: &str) -> Option<Value> {
        let value = self.required(field)?;
        let text = value.as_str().filter(|_| self.is_form);
        match text.map(serde_json::from_str) {
            None => Some(value),
            Some(Ok(value)) => Some(value),
            Some(Err(_)) => {
                self.errors.add(field, "Value must be valid JSON.");
                None
            }
        }
    }
}
