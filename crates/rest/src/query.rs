//! Values in the query of an address (`processing-service.md` §7.1, `domain-rules.md` §17).

use url::form_urlencoded;

/// The pairs of a query, decoded, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the part of an address behind the question mark.
    pub fn parse(text: &str) -> Query {
        Query(
            form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The last value with this name, as Django takes it.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().rev().filter(|(n, _)| n == name);
        values.next().map(|(_, value)| value.as_str())
    }

    /// A flag: present without a value is true; "false" and "0" are false; anything else is true.
    pub fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            None => false,
            Some(value) => !matches!(value.to_ascii_lowercase().as_str(), "false" | "0"),
        }
    }

    /// A whole number, or `None` where there is none or it cannot be read.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.trim().parse().ok()
    }

    /// The query with these values set, names in alphabetical order as Django writes them in
    /// links to further pages; `None` removes a name.
    pub fn with(&self, changes: &[(&str, Option<String>)]) -> String {
        let changed = |name: &str| changes.iter().any(|(n, _)| *n == name);
        let mut pairs: Vec<(String, String)> = self
            .0
            .iter()
            .filter(|(n, _)| !changed(n))
            .cloned()
            .collect();
        for (name, value) in changes {
            if let Some(value) = value {
                pairs.push(((*name).to_owned(), value.clone()));
            }
        }
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    fn flags_are_read_as_recorded() {
        let query = Query::parse("a&b=&c=false&d=0&e=no&f=False&g=1");
        let on: Vec<bool> = ["a", "b", "c", "d", "e", "f", "g", "h"]
            .iter()
            .map(|n| query.flag(n))
            .collect();
        assert_eq!(on, [true, true, false, false, true, false, true, false]);
    }

    #[test]
    fn the_last_value_counts() {
        let query = Query::parse("limit=1&limit=abc&offset=7");
        assert_eq!(query.number("limit"), None);
        assert_eq!(query.number("offset"), Some(7));
    }

    #[test]
    fn changed_queries_are_sorted() {
        let query = Query::parse("status=STARTED&limit=2&x=a%20b");
        let next = query.with(&[("limit", Some("2".into())), ("offset", Some("4".into()))]);
        assert_eq!(next, "limit=2&offset=4&status=STARTED&x=a+b");
    }
}
