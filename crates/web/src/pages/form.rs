//! What a form of a page sent, and a form as a page shows it again: values as they were typed and
//! the API's sentences beside their fields.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use rest::ApiError;
use rest::query::Query;

use super::PageError;
use super::act::{Refused, Wrong};

/// The largest form without files, in bytes.
const MOST: usize = 2 << 20;

/// The pairs that a form sent.
#[derive(Clone, Debug, Default)]
pub struct Sent(pub Query);

impl<S: Sync> FromRequest<S> for Sent {
    type Rejection = PageError;

    async fn from_request(request: Request, _state: &S) -> Result<Sent, PageError> {
        let bytes = to_bytes(request.into_body(), MOST).await;
        let bytes = bytes.map_err(|_| ApiError::TooLarge)?;
        Ok(Sent(Query::parse(&String::from_utf8_lossy(&bytes))))
    }
}

impl Sent {
    /// The value of a field, without spaces around it; empty where none was sent.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_default().trim()
    }

    /// The value of a field, where it is not empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// The number in a field, where there is one.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.filled(name)?.parse().ok()
    }

    /// Whether a box was ticked.
    pub fn ticked(&self, name: &str) -> bool {
        self.filled(name).is_some()
    }

    /// The numbers of all fields of this name: the rows that were selected.
    pub fn numbers(&self, name: &str) -> Vec<i64> {
        let values = self.0.values(name).into_iter();
        values
            .filter_map(|value| value.trim().parse().ok())
            .collect()
    }
}

/// A form as it is shown: what was typed, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    sent: Sent,
    wrong: Wrong,
}

impl Shown {
    /// A form that nobody has filled in, with these values.
    pub fn fresh(values: &[(&str, String)]) -> Shown {
        let changes: Vec<_> = values.iter().map(|(n, v)| (*n, Some(v.clone()))).collect();
        let query = Query::default().with(&changes);
        Shown {
            sent: Sent(Query::parse(&query)),
            wrong: Vec::new(),
        }
    }

    /// A form as it was sent, with nothing wrong.
    pub fn of(sent: Sent) -> Shown {
        Shown {
            sent,
            wrong: Vec::new(),
        }
    }

    /// A form that the API refused.
    ///
    /// # Errors
    /// What no form can mend.
    pub fn again(sent: Sent, refused: Refused) -> Result<Shown, PageError> {
        match refused {
            Refused::Fields(wrong) => Ok(Shown { sent, wrong }),
            Refused::Error(error) => Err(error),
        }
    }

    /// What stands in a field.
    pub fn value(&self, name: &str) -> &str {
        self.sent.0.get(name).unwrap_or_default()
    }

    /// What stands in all fields of this name, without empty ones.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.sent.0.values(name)
    }

    /// Whether a box is ticked or a choice is chosen.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.sent.0.values(name).contains(&value)
    }

    /// What is wrong with a field; of no field under an empty name.
    pub fn wrong(&self, name: &str) -> &[String] {
        let found = self.wrong.iter().find(|(field, _)| field == name);
        found.map_or(&[], |(_, words)| words)
    }

    /// What is wrong with fields that the form does not show, and with the whole.
    pub fn elsewhere(&self, fields: &[&str]) -> Vec<String> {
        let others = self
            .wrong
            .iter()
            .filter(|(field, _)| !fields.contains(&field.as_str()));
        let worded = |(field, words): &(String, Vec<String>)| {
            let words = words.join(" ");
            if field.is_empty() {
                words
            } else {
                format!("{field}: {words}")
            }
        };
        others.map(worded).collect()
    }

    /// Whether anything is wrong.
    pub fn refused(&self) -> bool {
        !self.wrong.is_empty()
    }
}
