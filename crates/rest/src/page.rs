//! Limit and offset, and the envelope of a list (`ui.md` §A.1, `domain-rules.md` §17).

use serde::Serialize;

use crate::query::Query;

/// Rows of a page where nobody says how many.
pub const DEFAULT_LIMIT: u64 = 20;

/// Which rows of a list are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub limit: u64,
    /// After so many.
    pub offset: u64,
}

impl Page {
    /// Reads `limit` and `offset`; a bad one silently counts as not given.
    pub fn read(query: &Query) -> Page {
        let number = |name| query.number(name).and_then(|n| u64::try_from(n).ok());
        Page {
            limit: number("limit").filter(|n| *n > 0).unwrap_or(DEFAULT_LIMIT),
            offset: number("offset").unwrap_or(0),
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
        let at = |offset: u64| {
            let offset = (offset > 0).then(|| offset.to_string());
            let limit = Some(page.limit.to_string());
            let query = query.with(&[("limit", limit), ("offset", offset)]);
            format!("{url}?{query}")
        };
        let following = page.offset.saturating_add(page.limit);
        Envelope {
            count,
            next: (following < count).then(|| at(following)),
            previous: (page.offset > 0).then(|| at(page.offset.saturating_sub(page.limit))),
            results,
            user_permissions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(query: &str, count: u64) -> Envelope<()> {
        let query = Query::parse(query);
        let page = Page::read(&query);
        Envelope::new(
            "http://h/api/v2/jobs/",
            &query,
            page,
            count,
            Vec::new(),
            Vec::new(),
        )
    }

    #[test]
    fn links_lead_to_the_pages_beside() {
        let first = envelope("", 48);
        assert_eq!(
            first.next.as_deref(),
            Some("http://h/api/v2/jobs/?limit=20&offset=20")
        );
        assert_eq!(first.previous, None);
        let second = envelope("limit=20&offset=20&status=STARTED", 48);
        assert_eq!(
            second.previous.as_deref(),
            Some("http://h/api/v2/jobs/?limit=20&status=STARTED")
        );
        assert!(envelope("limit=20&offset=40", 48).next.is_none());
    }

    #[test]
    fn bad_numbers_count_as_not_given() {
        for bad in ["limit=0", "limit=-1", "limit=abc", "limit=", "offset=-3"] {
            let page = Page::read(&Query::parse(bad));
            assert_eq!((page.limit, page.offset), (20, 0), "{bad}");
        }
    }
}
