//! Texts in bodies, and what is written as one: slugs, addresses and times. The idea: a number that
//! was sent for a text is taken as it is written, and all that is wrong with a text is said at once.

use serde_json::Value;

use super::Input;
use crate::python;

impl Input {
    /// A text of at most `max` characters, without the spaces around it.
    pub fn text(&mut self, field: &str, max: usize) -> Option<String> {
        let value = self.required(field)?;
        self.read_text(field, &value, max, |_| true)
    }

    /// The same where the field may be left out, but not null or blank.
    pub fn text_if_sent(&mut self, field: &str, max: usize) -> Option<String> {
        if self.has(field) {
            self.text(field, max)
        } else {
            None
        }
    }

    /// The same where the field may be left out, null or blank; a blank text is `None` too.
    pub fn optional_text(&mut self, field: &str, max: usize) -> Option<String> {
        let value = self.optional(field)?;
        if value.as_str().is_some_and(|text| text.trim().is_empty()) {
            return None;
        }
        self.read_text(field, &value, max, |_| true)
    }

    /// A key of letters, digits, underscores and hyphens; `default` where it is left out.
    pub fn slug(&mut self, field: &str, max: usize, default: &str) -> Option<String> {
        if !self.has(field) {
            return Some(default.to_owned());
        }
        let value = self.required(field)?;
        let sound = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        self.read_text(field, &value, max, |text| text.chars().all(sound))
    }

    /// An e-mail address, which must be there.
    pub(crate) fn email(&mut self, field: &str, max: usize) -> Option<String> {
        let text = self.text(field, max)?;
        let is_sound = text.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty()
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
                && !text.contains(|c: char| c.is_whitespace() || c.is_control())
                && !host.contains('@')
        });
        if !is_sound {
            self.errors.add(field, "Enter a valid email address.");
        }
        is_sound.then_some(text)
    }

    /// An address, which must be there.
    pub(crate) fn url(&mut self, field: &str, max: usize) -> Option<String> {
        let text = self.text(field, max)?;
        let known = |url: &url::Url| matches!(url.scheme(), "http" | "https" | "ftp" | "ftps");
        let is_sound = url::Url::parse(&text).is_ok_and(|url| known(&url) && url.has_host());
        if !is_sound {
            self.errors.add(field, "Enter a valid URL.");
        }
        is_sound.then_some(text)
    }

    /// A time in ISO 8601, brought to `YYYY-MM-DDThh:mm:ss[.ffffff]`; an offset is dropped, times
    /// of captures are local (`domain-rules.md`).
    pub(crate) fn time(&mut self, field: &str) -> Option<String> {
        let value = self.required(field)?;
        let read = value.as_str().and_then(crate::time::read);
        if read.is_none() {
            let words = "Datetime has wrong format. Use one of these formats instead: \
                         YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
            self.errors.add(field, words);
        }
        read.map(crate::time::naive)
    }

    /// All that is wrong with a text is noted, the shape last.
    fn read_text(
        &mut self,
        field: &str,
        value: &Value,
        max: usize,
        is_slug: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let Some(text) = self.as_text(field, value) else {
            self.errors.add(field, "Not a valid string.");
            return None;
        };
        let text = text.trim();
        let mut messages = Vec::new();
        if text.is_empty() {
            messages.push("This field may not be blank.".to_owned());
        }
        if text.chars().count() > max {
            messages.push(format!(
                "Ensure this field has no more than {max} characters."
            ));
        }
        if text.contains('\0') {
            messages.push("Null characters are not allowed.".to_owned());
        }
        if !is_slug(text) {
            let message = "Enter a valid \"slug\" consisting of letters, numbers, underscores or \
                           hyphens.";
            messages.push(message.to_owned());
        }
        let is_sound = messages.is_empty();
        for message in messages {
            self.errors.add(field, message);
        }
        is_sound.then(|| text.to_owned())
    }

    /// A text, or a number as it is written.
    pub(super) fn as_text(&self, field: &str, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(match self.long.get(field) {
                Some(digits) => digits.clone(),
                None => python::number(number),
            }),
            _ => None,
        }
    }
}
