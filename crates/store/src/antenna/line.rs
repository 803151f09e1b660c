//! One row of Antenna's, as PostgreSQL tells it in JSON. The idea: a column is asked for by name
//! and by what it is to hold, so a table's entry reads like a list; one that is missing, because
//! that Antenna is older or newer, is empty.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value};

use super::link::World;

/// One row.
pub(super) struct Line {
    /// What it is ordered and known by.
    pub(super) key: i64,
    columns: Map<String, Value>,
}

/// Why a row cannot come over.
pub(super) type Unfit = String;

/// What a column can hold.
pub(super) trait Held: Sized {
    /// For messages.
    const WORD: &'static str;
    fn of(value: &Value) -> Option<Self>;
}

impl Held for i64 {
    const WORD: &'static str = "whole number";
    fn of(value: &Value) -> Option<i64> {
        value.as_i64()
    }
}

impl Held for i32 {
    const WORD: &'static str = "whole number";
    fn of(value: &Value) -> Option<i32> {
        value.as_i64()?.try_into().ok()
    }
}

impl Held for f64 {
    const WORD: &'static str = "number";
    fn of(value: &Value) -> Option<f64> {
        value.as_f64()
    }
}

impl Held for bool {
    const WORD: &'static str = "truth";
    fn of(value: &Value) -> Option<bool> {
        value.as_bool()
    }
}

impl Held for String {
    const WORD: &'static str = "text";
    fn of(value: &Value) -> Option<String> {
        value.as_str().map(str::to_owned)
    }
}

impl Held for DateTime<Utc> {
    const WORD: &'static str = "time";
    fn of(value: &Value) -> Option<DateTime<Utc>> {
        let read = DateTime::parse_from_rfc3339(value.as_str()?);
        read.ok().map(|time| time.to_utc())
    }
}

impl Held for Value {
    const WORD: &'static str = "value";
    fn of(value: &Value) -> Option<Value> {
        Some(value.clone())
    }
}

impl Line {
    /// Reads a row; none where it has no such key.
    pub(super) fn read(columns: Map<String, Value>, key: &str) -> Option<Line> {
        let key = columns.get(key)?.as_i64()?;
        Some(Line { key, columns })
    }

    /// What the column holds, or nothing.
    pub(super) fn opt<T: Held>(&self, column: &str) -> Result<Option<T>, Unfit> {
        match self.columns.get(column) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match T::of(value) {
                Some(held) => Ok(Some(held)),
                None => Err(format!("{column} holds no {} that fits", T::WORD)),
            },
        }
    }

    /// What the column must hold.
    pub(super) fn get<T: Held>(&self, column: &str) -> Result<T, Unfit> {
        self.opt(column)?
            .ok_or_else(|| format!("{column} is empty"))
    }

    /// A text that Hawkmoth keeps as none where it is empty.
    pub(super) fn text(&self, column: &str) -> Result<Option<String>, Unfit> {
        Ok(self.opt::<String>(column)?.filter(|text| !text.is_empty()))
    }

    /// A text, empty where there is none.
    pub(super) fn words(&self, column: &str) -> Result<String, Unfit> {
        Ok(self.opt(column)?.unwrap_or_default())
    }

    /// An object, empty where there is none.
    pub(super) fn object(&self, column: &str) -> Result<Value, Unfit> {
        Ok(self
            .opt(column)?
            .unwrap_or_else(|| Value::Object(Map::new())))
    }

    /// A list, empty where there is none.
    pub(super) fn list(&self, column: &str) -> Result<Value, Unfit> {
        Ok(self
            .opt(column)?
            .unwrap_or_else(|| Value::Array(Vec::new())))
    }

    /// What Antenna keeps as an instant and Hawkmoth as a clock on the wall.
    pub(super) fn local(
        &self,
        column: &str,
        world: &World,
    ) -> Result<Option<NaiveDateTime>, Unfit> {
        Ok(self.opt(column)?.map(|time| (world.terms.local)(time)))
    }

    /// The id in a column.
    pub(super) fn id(&self, column: &str) -> Option<i64> {
        self.columns.get(column)?.as_i64()
    }

    /// Empties a column.
    pub(super) fn clear(&mut self, column: &str) {
        self.columns.insert(column.to_owned(), Value::Null);
    }

    /// Whether a column says nothing.
    pub(super) fn says_nothing(&self, column: &str) -> bool {
        match self.columns.get(column) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(parts)) => parts.is_empty(),
            Some(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_column_holds_what_is_asked_for_or_says_so() {
        let columns = serde_json::json!({
            "id": 7, "name": "", "width": 5_000_000_000i64, "at": "2026-11-23T13:15:13.645468+00:00",
            "empty": null,
        });
        let line = Line::read(columns.as_object().unwrap().clone(), "id").unwrap();
        assert_eq!(line.key, 7);
        assert_eq!(line.text("name"), Ok(None));
        assert_eq!(line.get::<i64>("width"), Ok(5_000_000_000));
        assert!(
            line.get::<i32>("width")
                .unwrap_err()
                .contains("width holds no whole number")
        );
        assert_eq!(line.opt::<i64>("missing"), Ok(None));
        assert_eq!(line.get::<i64>("empty").unwrap_err(), "empty is empty");
        let at: DateTime<Utc> = line.get("at").unwrap();
        assert_eq!(at.timestamp_subsec_micros(), 645_468);
    }
}
