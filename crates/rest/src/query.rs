//! Values in the query of an address (`processing-service.md` §7.1, `domain-rules.md` §17). Paging
//! and ordering forgive what they cannot read; filters say what is wrong.

use std::borrow::Cow;

use chrono::NaiveDate;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

use crate::error::{ApiError, ApiResult};
use crate::validate::{INVALID_INTEGER, parse_integer, parse_wide, too_small};

/// Everything but what Python leaves as it is in a query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~')
    .remove(b' ');

/// The pairs of a query, decoded, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

/// One part of an order of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The field, as the resource names it.
    pub field: &'static str,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl Query {
    /// Reads the part of an address behind the question mark.
    pub fn parse(text: &str) -> Query {
        Query(
            form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// All pairs, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The last value with this name, as Django takes it.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().rev().filter(|(n, _)| n == name);
        values.next().map(|(_, value)| value.as_str())
    }

    /// All values with this name, without empty ones.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|(n, v)| n == name && !v.is_empty());
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The query as it came, with one more value at its end.
    pub fn appended(&self, name: &str, value: &str) -> String {
        let kept = self.0.iter().filter(|(n, _)| n != name);
        let mut pairs: Vec<String> = kept
            .map(|(n, v)| format!("{}={}", encoded(n), encoded(v)))
            .collect();
        pairs.push(format!("{}={}", encoded(name), encoded(value)));
        pairs.join("&")
    }

    /// A day (`2025-06-01`) that filters rows; an empty one counts as not given.
    ///
    /// # Errors
    /// 400 with the message of the field.
    pub fn day(&self, name: &str) -> ApiResult<Option<NaiveDate>> {
        let Some(text) = self.get(name).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(day) => Ok(Some(day)),
            Err(_) => Err(ApiError::field(
                name,
                "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.",
            )),
        }
    }

    /// A flag: present without a value is true; "false" and "0" are false; anything else is true.
    pub fn flag(&self, name: &str) -> bool {
        self.flag_or(name, false)
    }

    /// The same for a flag that counts as `default` where it is not given.
    pub fn flag_or(&self, name: &str, default: bool) -> bool {
        match self.get(name) {
            None => default,
            Some(value) => !matches!(value.to_ascii_lowercase().as_str(), "false" | "0"),
        }
    }

    /// A whole number, or `None` where there is none or it cannot be read; past 64 bits it counts
    /// as the largest.
    pub fn number(&self, name: &str) -> Option<i64> {
        let text = self.get(name)?.trim();
        parse_integer(text).filter(|_| !text.contains('.'))
    }

    /// The same of 128 bits, past which it counts as the largest.
    pub(crate) fn wide(&self, name: &str) -> Option<i128> {
        let text = self.get(name)?.trim();
        parse_wide(text).filter(|_| !text.contains('.'))
    }

    /// A whole number of at least `min` that filters rows; an empty one counts as not given.
    ///
    /// # Errors
    /// 400 with the message of the field.
    pub fn integer(&self, name: &str, min: i64) -> ApiResult<Option<i64>> {
        let Some(text) = self.get(name).filter(|text| !text.trim().is_empty()) else {
            return Ok(None);
        };
        match parse_integer(text) {
            None => Err(ApiError::field(name, INVALID_INTEGER)),
            Some(number) if number < min => Err(ApiError::field(name, too_small(min))),
            Some(number) => Ok(Some(number)),
        }
    }

    /// One of the choices of a filter; an empty one counts as not given.
    ///
    /// # Errors
    /// 400 with the message of the field.
    pub fn choice(&self, name: &str, choices: &[&'static str]) -> ApiResult<Option<&'static str>> {
        let Some(text) = self.get(name).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        match choices.iter().find(|choice| **choice == text) {
            Some(choice) => Ok(Some(choice)),
            None => Err(ApiError::field(
                name,
                format!("Select a valid choice. {text} is not one of the available choices."),
            )),
        }
    }

    /// The values of a list separated by commas, without empty ones.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let values = self.get(name).unwrap_or_default().split(',');
        values.map(str::trim).filter(|v| !v.is_empty()).collect()
    }

    /// The order that is asked for: `?ordering=-created_at,name`. Fields that are not among
    /// `fields` are passed over; where nothing is left, the resource's own order holds.
    pub fn ordering(&self, fields: &[&'static str]) -> Vec<Order> {
        let read = |term: &str| {
            let (descending, name) = match term.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, term),
            };
            let field = fields.iter().find(|field| **field == name)?;
            Some(Order { field, descending })
        };
        self.list("ordering").into_iter().filter_map(read).collect()
    }

    /// The words of a search: separated by spaces or commas.
    pub fn search(&self) -> Vec<String> {
        let text = self.get("search").unwrap_or_default().replace('\0', "");
        let words = text.split(|c: char| c.is_whitespace() || c == ',');
        words.filter(|w| !w.is_empty()).map(str::to_owned).collect()
    }

    /// The query with these values set, names in alphabetical order as Django writes them in
    /// links to further pages; `None` removes a name.
    pub fn with(&self, changes: &[(&str, Option<String>)]) -> String {
        let changed = |name: &str| changes.iter().any(|(n, _)| *n == name);
        let kept = self.0.iter().filter(|(n, _)| !changed(n));
        let mut pairs: Vec<(&str, &str)> = kept.map(|(n, v)| (n.as_str(), v.as_str())).collect();
        for (name, value) in changes {
            pairs.extend(value.as_deref().map(|value| (*name, value)));
        }
        pairs.sort_by_key(|(name, _)| *name);
        let pairs: Vec<String> = pairs
            .into_iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        pairs.join("&")
    }
}

fn encoded(text: &str) -> String {
    let text: Cow<'_, str> = utf8_percent_encode(text, ENCODED).into();
    text.replace(' ', "+")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn flags_are_read_as_recorded() {
        let query = Query::parse("a&b=&c=false&d=0&e=no&f=False&g=1&h=banana");
        for (name, on) in [
            ("a", true),
            ("b", true),
            ("c", false),
            ("d", false),
            ("e", true),
            ("f", false),
            ("g", true),
            ("h", true),
        ] {
            assert_eq!(query.flag(name), on, "{name}");
            assert_eq!(query.flag_or(name, true), on, "{name}");
        }
        assert!(!query.flag("missing"));
        assert!(query.flag_or("missing", true));
    }

    #[test]
    fn the_last_value_counts() {
        let query = Query::parse("limit=1&limit=abc&offset=7");
        assert_eq!(query.number("limit"), None);
        assert_eq!(query.number("offset"), Some(7));
        assert_eq!(query.values("limit"), ["1", "abc"]);
    }

    #[test]
    fn filters_say_what_is_wrong() {
        let read = |text: &str| {
            let number = Query::parse(text).integer("project_id", 0);
            number.map_err(|error| error.body()["project_id"][0].as_str().unwrap().to_owned())
        };
        let invalid = || Err("A valid integer is required.".to_owned());
        for (text, expected) in [
            ("", Ok(None)),
            ("project_id=", Ok(None)),
            ("project_id=7", Ok(Some(7))),
            ("project_id=1&project_id=2", Ok(Some(2))),
            ("project_id=+3+", Ok(Some(3))),
            ("project_id=4.0", Ok(Some(4))),
            ("project_id=0", Ok(Some(0))),
            ("project_id=abc", invalid()),
            ("project_id=1.5", invalid()),
            (
                "project_id=-1",
                Err("Ensure this value is greater than or equal to 0.".to_owned()),
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        let choice = |text| Query::parse(text).choice("status", &["CREATED", "STARTED"]);
        assert_eq!(choice("status=STARTED").unwrap(), Some("STARTED"));
        assert_eq!(choice("status=").unwrap(), None);
        let words = choice("status=created").unwrap_err().body().to_string();
        let expected = "{\"status\":[\"Select a valid choice. created is not one of the \
                        available choices.\"]}";
        assert_eq!(words, expected);
    }

    #[test]
    fn lists_and_orders_pass_over_what_they_do_not_know() {
        let query = Query::parse("ids=1,%202,,x&ordering=-name,bogus,+status,-");
        assert_eq!(query.list("ids"), ["1", "2", "x"]);
        assert!(query.list("none").is_empty());
        let order = |field, descending| Order { field, descending };
        let expected = [order("name", true), order("status", false)];
        assert_eq!(query.ordering(&["status", "name"]), expected);
        assert!(query.ordering(&["id"]).is_empty());
    }

    #[test]
    fn a_value_is_appended_and_the_rest_stays_in_its_order() {
        let query = Query::parse("project_id=1&limit=3&taxon=4");
        assert_eq!(query.appended("taxon", "7"), "project_id=1&limit=3&taxon=7");
        assert_eq!(Query::default().appended("taxon", "7"), "taxon=7");
    }

    #[test]
    fn days_are_read() {
        let query = Query::parse("a=2025-06-01&b=&c=1.6.2025");
        assert_eq!(query.day("a").unwrap().unwrap().to_string(), "2025-06-01");
        assert_eq!(query.day("b").unwrap(), None);
        let words = query.day("c").unwrap_err().body().to_string();
        assert!(words.contains("YYYY-MM-DD"), "{words}");
    }

    #[test]
    fn changed_queries_are_sorted() {
        let query = Query::parse("status=STARTED&limit=2&x=a%20b*~&e");
        let next = query.with(&[("limit", Some("2".into())), ("offset", Some("4".into()))]);
        assert_eq!(next, "e=&limit=2&offset=4&status=STARTED&x=a+b%2A~");
        assert_eq!(
            query.with(&[("x", None), ("e", None), ("limit", None)]),
            "status=STARTED"
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(name in ".{1,5}", value in ".{0,10}") {
            let query = Query(vec![(name, value)]);
            prop_assert_eq!(&Query::parse(&query.with(&[])), &query);
        }
    }
}
