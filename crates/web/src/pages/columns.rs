//! Headings of tables that sort, and links to further pages: both are addresses, the page's own
//! with one thing changed, so that everything a list shows stands in its address. And numbers as
//! lists and sentences show them.

use rest::query::Query;

/// A heading.
pub struct Heading {
    /// Name of the column.
    pub name: &'static str,
    /// The address that sorts by it, where it can be sorted by.
    pub href: Option<String>,
    /// `ascending` or `descending` where the rows are sorted by it.
    pub sorted: Option<&'static str>,
}

/// Headings from names and the fields that they sort by, where they do; `now` is the order that
/// holds, `-` before what is descending.
pub fn headings(
    query: &Query,
    columns: &[(&'static str, Option<&str>)],
    now: &str,
) -> Vec<Heading> {
    let heading = |(name, field): &(&'static str, Option<&str>)| {
        let Some(field) = field else {
            return Heading {
                name,
                href: None,
                sorted: None,
            };
        };
        let (up, down) = (now == *field, now.strip_prefix('-') == Some(field));
        let next = if up {
            format!("-{field}")
        } else {
            (*field).to_owned()
        };
        let sorted = match (up, down) {
            (true, _) => Some("ascending"),
            (_, true) => Some("descending"),
            _ => None,
        };
        let changes = [("ordering", Some(next)), ("page", None)];
        Heading {
            name,
            href: Some(changed(query, &changes)),
            sorted,
        }
    };
    columns.iter().map(heading).collect()
}

/// The address of the same list with something changed.
pub fn changed(query: &Query, changes: &[(&str, Option<String>)]) -> String {
    format!("?{}", query.with(changes))
}

/// Where a page of a list lies among its rows.
pub struct Pager {
    /// "51–100 of 1,234", or what is known of it.
    pub words: String,
    /// Whether there are rows at all: a page without any lies behind the last one then.
    pub some: bool,
    /// Address of the first page.
    pub first: String,
    /// Address of the page before.
    pub before: Option<String>,
    /// Address of the page after.
    pub after: Option<String>,
}

/// The page that an address asks for, counted from 1.
pub fn page(query: &Query) -> u64 {
    query
        .number("page")
        .unwrap_or(1)
        .clamp(1, 1_000_000)
        .unsigned_abs()
}

impl Pager {
    /// Links around the page of `rows` rows that the address asks for, of `count`.
    pub fn of(query: &Query, rows: u64, count: u64) -> Pager {
        let at = page(query);
        let first = (at - 1) * rows + 1;
        let last = count.min(at * rows);
        let words = match first > count {
            true => String::new(),
            false => format!("{}–{} of {}", grouped(first), grouped(last), grouped(count)),
        };
        let to = |at: u64| changed(query, &[("page", Some(at.to_string()))]);
        let pages = count.div_ceil(rows).max(1);
        Pager {
            words,
            some: count > 0,
            first: changed(query, &[("page", None)]),
            before: (at > 1).then(|| to(pages.min(at - 1))),
            after: (at * rows < count).then(|| to(at + 1)),
        }
    }
}

/// A number with its thousands apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The word for so many of something.
pub fn noun<'a>(number: u64, one: &'a str, several: &'a str) -> &'a str {
    match number {
        1 => one,
        _ => several,
    }
}

/// So many of something: "1 capture", "1,234 captures".
pub fn counted(number: u64, one: &str, several: &str) -> String {
    format!("{} {}", grouped(number), noun(number, one, several))
}

/// A figure of a page: the word for what is counted, and how many there are.
pub fn figure(number: i64, one: &'static str, several: &'static str) -> (&'static str, String) {
    let number = number.max(0).unsigned_abs();
    (noun(number, one, several), grouped(number))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_heading_turns_its_own_order_round_and_begins_at_the_first_page() {
        let query = Query::parse("status=STARTED&page=3&ordering=name");
        let columns = [
            ("Job", Some("name")),
            ("Made", Some("created_at")),
            ("Done", None),
        ];
        let found = headings(&query, &columns, "name");
        assert_eq!(
            found[0].href.as_deref(),
            Some("?ordering=-name&status=STARTED")
        );
        assert_eq!(found[0].sorted, Some("ascending"));
        assert_eq!(
            found[1].href.as_deref(),
            Some("?ordering=created_at&status=STARTED")
        );
        assert_eq!(found[1].sorted, None);
        assert!(found[2].href.is_none());
    }

    #[test]
    fn pages_know_their_place() {
        let first = Pager::of(&Query::parse("a=1"), 50, 1234);
        assert_eq!(first.words, "1–50 of 1,234");
        assert!(first.before.is_none());
        assert_eq!(first.after.unwrap(), "?a=1&page=2");
        let last = Pager::of(&Query::parse("page=25"), 50, 1234);
        assert_eq!(last.words, "1,201–1,234 of 1,234");
        assert!(last.after.is_none());
        assert_eq!(Pager::of(&Query::default(), 50, 0).words, "");
        let behind = Pager::of(&Query::parse("a=1&page=99"), 50, 120);
        assert!(behind.some && behind.words.is_empty() && behind.after.is_none());
        assert_eq!(behind.first, "?a=1");
        assert_eq!(behind.before.unwrap(), "?a=1&page=3");
        assert_eq!(grouped(1_000_000), "1,000,000");
    }

    #[test]
    fn one_is_not_several() {
        let captures = |number| counted(number, "capture", "captures");
        assert_eq!(captures(0), "0 captures");
        assert_eq!(captures(1), "1 capture");
        assert_eq!(captures(1_234), "1,234 captures");
        assert_eq!(figure(1, "taxon", "taxa"), ("taxon", "1".to_owned()));
        assert_eq!(figure(-3, "taxon", "taxa"), ("taxa", "0".to_owned()));
    }
}
