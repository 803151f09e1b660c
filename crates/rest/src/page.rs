//! Limit and offset, and the envelope of a list (`ui.md` §A.1, `domain-rules.md` §17).

use serde::Serialize;

use crate::query::Query;

/// Rows of a page where nobody says how many.
pub const DEFAULT_LIMIT: u64 = 20;
/// Rows of a page at most, whatever is asked for: a page is built in memory. A greater number counts
/// as this one, as with the `max_limit` of Django REST framework.
pub const MAX_LIMIT: u64 = 10_000;

/// Which rows of a list are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many, and never more than [`MAX_LIMIT`].
    pub limit: u64,
    /// After so many; further than databases count there are no rows.
    pub offset: u64,
    /// The same as it was sent, for the links.
    sent: i128,
}

/// The furthest that databases count.
const FURTHEST: u64 = i64::MAX as u64;

impl Page {
    /// Reads `limit` and `offset`; a bad one silently counts as not given.
    pub fn read(query: &Query) -> Page {
        Page::read_or(query, DEFAULT_LIMIT)
    }

    /// The same with another number of rows where none is given.
    pub fn read_or(query: &Query, default_limit: u64) -> Page {
        let limit = query.number("limit").and_then(|n| u64::try_from(n).ok());
        let sent = query.wide("offset").filter(|n| *n > 0).unwrap_or(0);
        Page {
            limit: limit
                .filter(|n| *n > 0)
                .unwrap_or(default_limit)
                .min(MAX_LIMIT),
            offset: u64::try_from(sent).map_or(FURTHEST, |n| n.min(FURTHEST)),
            sent,
        }
    }
}

/// A page of a list.
#[derive(Clone, Debug, Serialize)]
pub struct Envelope<T> {
    /// Rows in all.
    pub count: u64,
    /// Address of the next page.
    pub next: Option<String>,
    /// Address of the page before.
    pub previous: Option<String>,
    /// The rows.
    pub results: Vec<T>,
    /// What the caller may do with the list.
    pub user_permissions: Vec<String>,
}

impl<T> Envelope<T> {
    /// Wraps a page. `url` is the absolute address of the list without its query.
    pub fn new(
        url: &str,
        query: &Query,
        page: Page,
        count: u64,
        results: Vec<T>,
        user_permissions: Vec<String>,
    ) -> Envelope<T> {
        let at = |offset: i128| {
            let offset = (offset > 0).then(|| offset.to_string());
            let limit = Some(page.limit.to_string());
            let query = query.with(&[("limit", limit), ("offset", offset)]);
            format!("{url}?{query}")
        };
        let limit = i128::from(page.limit);
        let following = page.sent.saturating_add(limit);
        Envelope {
            count,
            next: (following < i128::from(count)).then(|| at(following)),
            previous: (page.sent > 0).then(|| at(page.sent - limit)),
            results,
            user_permissions,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn envelope(query: &str, count: u64) -> Envelope<()> {
        let query = Query::parse(query);
        let page = Page::read(&query);
        Envelope::new(
            "http://h/jobs/",
            &query,
            page,
            count,
            Vec::new(),
            Vec::new(),
        )
    }

    #[test]
    fn links_lead_to_the_pages_beside_as_recorded() {
        for (query, next, previous) in [
            ("", Some("limit=20&offset=20"), None),
            (
                "limit=2&offset=2",
                Some("limit=2&offset=4"),
                Some("limit=2"),
            ),
            ("offset=5", Some("limit=20&offset=25"), Some("limit=20")),
            ("limit=2&offset=100000", None, Some("limit=2&offset=99998")),
            ("limit=2&offset=47", None, Some("limit=2&offset=45")),
            ("limit=10000&ids_only=1", None, None),
            ("page=2", Some("limit=20&offset=20&page=2"), None),
            ("limit=&offset=", Some("limit=20&offset=20"), None),
            ("project_id=", Some("limit=20&offset=20&project_id="), None),
            (
                "limit=2&ordering=-name&search=job&foo=bar",
                Some("foo=bar&limit=2&offset=2&ordering=-name&search=job"),
                None,
            ),
        ] {
            let url = |query: &str| format!("http://h/jobs/?{query}");
            let page = envelope(query, 48);
            assert_eq!(page.next, next.map(url), "after {query}");
            assert_eq!(page.previous, previous.map(url), "before {query}");
        }
        assert_eq!(
            envelope("limit=20&offset=20", 40).next,
            None,
            "a full last page"
        );
    }

    #[test]
    fn bad_numbers_count_as_not_given() {
        for bad in [
            "limit=0",
            "limit=-1",
            "limit=abc",
            "limit=",
            "limit=1.5",
            "offset=-3",
        ] {
            let page = Page::read(&Query::parse(bad));
            assert_eq!((page.limit, page.offset), (20, 0), "{bad}");
        }
        assert_eq!(Page::read_or(&Query::parse("limit=x"), 40).limit, 40);
        assert_eq!(Page::read_or(&Query::parse("limit=7"), 40).limit, 7);
    }

    #[test]
    fn no_number_is_too_large() {
        let page = envelope("limit=9223372036854775807&offset=9223372036854775807", 3);
        assert_eq!(page.next, None);
        assert!(page.previous.is_some());
        let page = envelope("limit=2&offset=9223372036854775808", 9);
        let before = "http://h/jobs/?limit=2&offset=9223372036854775806";
        assert_eq!((page.next, page.previous.as_deref()), (None, Some(before)));
        for far in [
            "9223372036854775808",
            "99999999999999999999999",
            &"9".repeat(60),
        ] {
            let page = Page::read(&Query::parse(&format!("offset={far}")));
            assert_eq!(page.offset, i64::MAX as u64);
        }
    }

    #[test]
    fn a_page_is_bounded_and_its_links_say_so() {
        for (asked, limit) in [
            ("limit=9999", 9999),
            ("limit=10000", 10_000),
            ("limit=10001", 10_000),
            ("limit=100000000", 10_000),
            ("limit=99999999999999999999999", 10_000),
        ] {
            assert_eq!(Page::read(&Query::parse(asked)).limit, limit, "{asked}");
            let other = Page::read_or(&Query::parse(asked), 5);
            assert_eq!(other.limit, limit, "{asked}");
        }
        let page = envelope("limit=100000000&offset=10000", 20_001);
        let url = |query: &str| Some(format!("http://h/jobs/?{query}"));
        assert_eq!(page.next, url("limit=10000&offset=20000"));
        assert_eq!(page.previous, url("limit=10000"));
    }

    #[test]
    fn digits_of_full_width_are_digits() {
        let page = envelope("limit=%EF%BC%92", 9);
        assert_eq!(
            page.next.as_deref(),
            Some("http://h/jobs/?limit=2&offset=2")
        );
    }

    #[test]
    fn the_keys_are_in_the_recorded_order() {
        insta::assert_snapshot!(serde_json::to_string(&envelope("", 0)).unwrap());
    }
}
