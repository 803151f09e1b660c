//! The ways from a page of the API to its neighbours: the addresses above it, the other formats,
//! what can be done with its row, the other pages of its list (`browsable-api.md` §2).

use rest::page::DEFAULT_LIMIT;
use rest::query::Query;
use serde_json::Value;

use crate::views::{self, View};

/// A link with its words.
#[derive(Debug, PartialEq, Eq)]
pub struct Link {
    pub text: String,
    pub url: String,
    /// Leads to what is shown already.
    pub current: bool,
}

impl Link {
    fn to(text: impl Into<String>, url: String) -> Link {
        Link {
            text: text.into(),
            url,
            current: false,
        }
    }
}

/// The addresses above this one that exist, ending with it; a named format is kept.
pub fn crumbs(path: &str, query: &Query) -> Vec<Link> {
    let keep = query.get("format").filter(|format| !format.is_empty());
    let keep = keep.map_or(String::new(), |_| {
        let format = query.get("format").map(str::to_owned);
        format!("?{}", Query::default().with(&[("format", format)]))
    });
    let mut crumbs = vec![Link::to("Api Root", format!("/api/v2/{keep}"))];
    let below = path.strip_prefix("/api/v2").unwrap_or_default();
    let mut path = String::new();
    for part in below.split('/').filter(|part| !part.is_empty()) {
        path = format!("{path}/{part}");
        if let Some(view) = views::at(&path) {
            crumbs.push(Link::to(view.name, format!("/api/v2{path}/{keep}")));
        }
    }
    if let Some(last) = crumbs.last_mut() {
        last.current = true;
    }
    crumbs
}

/// The same address in each format.
pub fn formats(path: &str, query: &Query) -> Vec<Link> {
    let with = |format: &str| {
        let query = query.with(&[("format", Some(format.to_owned()))]);
        Link::to(format, format!("{path}?{query}"))
    };
    ["json", "api"].map(with).into_iter().collect()
}

/// What stands below the row, or below the list, of this page.
pub fn actions(view: &View, path: &str) -> Vec<Link> {
    let (home, below) = match view.path.split_once("{id}") {
        // An action shows its neighbours.
        Some((before, rest)) if !rest.contains('{') => (format!("{before}{{id}}"), rest),
        Some(_) => return Vec::new(),
        None => (view.path.to_owned(), ""),
    };
    let parts = below.split('/').filter(|part| !part.is_empty()).count();
    let mut path = path.trim_end_matches('/');
    for _ in 0..parts {
        path = path.rsplit_once('/').map_or(path, |(above, _)| above);
    }
    let start = format!("{home}/");
    let found = views::all()
        .filter(|other| !other.in_root)
        .filter_map(|other| {
            let name = other.path.strip_prefix(&start)?;
            let is_row = name.contains('{') || name.is_empty();
            (!is_row && !home.is_empty()).then(|| Link::to(name, format!("{path}/{name}/")))
        });
    let mut found: Vec<Link> = found.collect();
    found.sort_by(|a, b| a.text.cmp(&b.text));
    found
}

/// The other pages of a list, as « 1 … 3 4 5 … 9 »; empty where there is one page. A link
/// without an address stands for pages that are left out.
pub fn pages(path: &str, query: &Query, answer: &Value) -> Vec<Link> {
    let Some(count) = answer.get("count").and_then(Value::as_u64) else {
        return Vec::new();
    };
    let limit = page_size(query, answer).max(1);
    let offset = query.number("offset").and_then(|n| u64::try_from(n).ok());
    let offset = offset.unwrap_or(0);
    let last = count.div_ceil(limit);
    let current = offset / limit + 1;
    let at = |page: u64| {
        let offset = (page - 1) * limit;
        let offset = (offset > 0).then(|| offset.to_string());
        let limit = Some(limit.to_string());
        format!(
            "{path}?{}",
            query.with(&[("limit", limit), ("offset", offset)])
        )
    };
    if last < 2 && offset == 0 {
        return Vec::new();
    }
    let near = current.saturating_sub(2)..=current.saturating_add(2);
    let mut shown: Vec<u64> = near.chain([1, last]).collect();
    shown.retain(|page| (1..=last).contains(page));
    shown.sort_unstable();
    shown.dedup();
    let mut links = Vec::new();
    let mut before = 0;
    for page in shown {
        if page > before + 1 {
            links.push(Link::to("…", String::new()));
        }
        before = page;
        let link = Link::to(page.to_string(), at(page));
        let current = page == current;
        links.push(Link { current, ..link });
    }
    links
}

/// How many rows this page holds: as asked for, or as its neighbours' addresses say.
fn page_size(query: &Query, answer: &Value) -> u64 {
    let of_neighbour = ["next", "previous"].iter().find_map(|name| {
        let (_, query) = answer.get(*name)?.as_str()?.split_once('?')?;
        Query::parse(query).number("limit")
    });
    let size = of_neighbour.or_else(|| query.number("limit"));
    let size = size.and_then(|size| u64::try_from(size).ok());
    size.filter(|size| *size > 0).unwrap_or(DEFAULT_LIMIT)
}

/// The pages beside this one.
pub fn beside(answer: &Value) -> (Option<String>, Option<String>) {
    let link = |name: &str| Some(answer.get(name)?.as_str()?.to_owned());
    (link("previous"), link("next"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn texts(links: &[Link]) -> Vec<&str> {
        links.iter().map(|link| link.text.as_str()).collect()
    }

    #[test]
    fn crumbs_lead_up_and_keep_the_format() {
        let query = Query::parse("format=api&limit=2");
        let crumbs = crumbs("/api/v2/jobs/7/run/", &query);
        assert_eq!(
            texts(&crumbs),
            ["Api Root", "Job List", "Job Instance", "run"]
        );
        assert_eq!(crumbs[2].url, "/api/v2/jobs/7/?format=api");
        assert!(crumbs[3].current && !crumbs[2].current);
        let nasty = super::crumbs("/api/v2/jobs/", &Query::parse("format=%22%3E"));
        assert_eq!(nasty[1].url, "/api/v2/jobs/?format=%22%3E");
    }

    #[test]
    fn a_row_and_its_actions_name_the_same_actions() {
        let view = |path: &str| views::at(path).unwrap();
        let of_row = actions(view("/jobs/{id}"), "/api/v2/jobs/7/");
        let names = texts(&of_row);
        assert!(names.is_sorted() && names.contains(&"cancel") && names.contains(&"run"));
        assert!(
            of_row
                .iter()
                .all(|link| link.url.starts_with("/api/v2/jobs/7/"))
        );
        assert_eq!(
            actions(view("/jobs/{id}/run"), "/api/v2/jobs/7/run/"),
            of_row
        );
        let of_list = actions(view("/jobs"), "/api/v2/jobs/");
        assert!(texts(&of_list).contains(&"bulk"));
    }

    #[test]
    fn pages_are_numbered_and_the_far_ones_left_out() {
        let list = |count: u64| json!({"count": count, "results": []});
        let shown = |query: &str, count| {
            let query = Query::parse(query);
            let links = pages("/api/v2/jobs/", &query, &list(count));
            texts(&links).join(" ")
        };
        assert_eq!(shown("", 20), "");
        assert_eq!(shown("", 21), "1 2");
        assert_eq!(shown("limit=10&offset=90", 200), "1 … 8 9 10 11 12 … 20");
        assert_eq!(shown("limit=10&offset=900", 20), "1 2");
        let query = Query::parse("limit=2&offset=2&status=STARTED");
        let links = pages("/api/v2/jobs/", &query, &list(5));
        assert_eq!(links[0].url, "/api/v2/jobs/?limit=2&status=STARTED");
        assert_eq!(
            links[2].url,
            "/api/v2/jobs/?limit=2&offset=4&status=STARTED"
        );
        assert!(links[1].current);
        let of_projects = json!({"count": 90, "next": "http://h/?limit=40&offset=40"});
        let links = pages("/api/v2/projects/", &Query::default(), &of_projects);
        assert_eq!(texts(&links), ["1", "2", "3"]);
    }
}
