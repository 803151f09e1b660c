//! Text as HTML: descriptions in Markdown, and answers in JSON with every address in them a link.
//! The idea: what people wrote is only ever escaped here, once.

use serde_json::Value;

/// Most lines of text that a page shows of one list; the JSON itself has all.
const MOST_LINES: usize = 200;

/// Markdown as HTML. Only our own words are Markdown.
pub fn markdown(text: &str) -> String {
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(text));
    html
}

/// An answer as a page shows it: long lists of lines, such as logs, are cut and say so.
pub fn shortened(value: &mut Value) {
    match value {
        Value::Array(list) => {
            let more = list.len().saturating_sub(MOST_LINES);
            if more > 0 && list.iter().all(Value::is_string) {
                list.truncate(MOST_LINES);
                list.push(Value::String(format!("… and {more} more, see the JSON")));
            }
            list.iter_mut().for_each(shortened);
        }
        Value::Object(map) => map.values_mut().for_each(shortened),
        _ => {}
    }
}

/// JSON as HTML: escaped, every address of a page or a person a link.
pub fn linked(json: &str) -> String {
    let mut html = String::with_capacity(json.len() * 2);
    for word in words(json) {
        match address(word) {
            Some((text, href)) => {
                let (href, shown) = (quoted(&href), escape(text));
                html.push_str(&format!("<a href=\"{href}\" rel=\"nofollow\">{shown}</a>"));
                html.push_str(&escape(&word[text.len()..]));
            }
            None => html.push_str(&escape(word)),
        }
    }
    html
}

/// The text cut where no address goes on; what stands between the words is kept as words.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\\' | '<' | '>' | '(' | ')' | '|');
    text.split_inclusive(ends).flat_map(move |part| {
        let end = part.len()
            - part
                .chars()
                .next_back()
                .filter(|c| ends(*c))
                .map_or(0, char::len_utf8);
        let (word, rest) = part.split_at(end);
        [word, rest]
    })
}

/// The part of a word that is an address, and where it leads.
fn address(word: &str) -> Option<(&str, String)> {
    let text = word.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', ']', '}']);
    let after = |start: &str| text.strip_prefix(start).filter(|rest| !rest.is_empty());
    if after("http://").or(after("https://")).is_some() {
        return Some((text, text.to_owned()));
    }
    if after("www.").is_some_and(|rest| rest.contains('.')) {
        return Some((text, format!("http://{text}")));
    }
    let (name, host) = text.split_once('@')?;
    let plain = |part: &str, more: &[char]| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(&c))
    };
    let is_mail = plain(name, &['.', '_', '%', '+', '-'])
        && plain(host, &['.', '-'])
        && host.split('.').count() > 1
        && host.split('.').all(|part| !part.is_empty());
    is_mail.then(|| (text, format!("mailto:{text}")))
}

/// Text within an attribute.
fn quoted(text: &str) -> String {
    escape(text).replace('"', "&quot;").replace('\'', "&#x27;")
}

/// Text that is only text. Quotes stay as they are: JSON is full of them.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_address_in_the_answer_is_a_link_and_nothing_else_is() {
        let html = linked(
            "{\"a\": \"http://h/x&y='\", \"b\": \"httpx http:// www. @ a@b\", \"c\": \"<b>\", \
             \"d\": \"INFO see https://h/z, or www.moths.org.\\nmail me@moths.org!\"}",
        );
        for link in [
            "<a href=\"http://h/x&amp;y=\" rel=\"nofollow\">http://h/x&amp;y=</a>'",
            "see <a href=\"https://h/z\" rel=\"nofollow\">https://h/z</a>, or",
            "<a href=\"http://www.moths.org\" rel=\"nofollow\">www.moths.org</a>.\\nmail",
            "<a href=\"mailto:me@moths.org\" rel=\"nofollow\">me@moths.org</a>!",
        ] {
            assert!(html.contains(link), "{link} in {html}");
        }
        assert_eq!(html.matches("<a ").count(), 4);
        assert!(!html.contains("<b>"));
    }

    #[test]
    fn a_script_cannot_hide_in_an_address() {
        let html = linked("\"http://h/<script>alert(1)</script>\" \"javascript:alert(1)\"");
        assert!(!html.contains("<script>"));
        assert!(!html.contains("href=\"javascript"));
    }

    #[test]
    fn long_logs_are_cut_and_long_lists_of_rows_are_not() {
        let line = || Value::String("line".to_owned());
        let mut value = json!({
            "logs": {"stdout": (0..300).map(|_| line()).collect::<Vec<_>>()},
            "results": (0..300).collect::<Vec<i32>>(),
        });
        shortened(&mut value);
        let lines = value["logs"]["stdout"].as_array().map_or(0, Vec::len);
        assert_eq!(lines, MOST_LINES + 1);
        assert_eq!(
            value["logs"]["stdout"][MOST_LINES],
            "… and 100 more, see the JSON"
        );
        assert_eq!(value["results"].as_array().map_or(0, Vec::len), 300);
    }
}
