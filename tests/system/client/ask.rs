//! Sends a row as a role and says what is wrong with the answer. The idea: who may hear all that
//! the client reads; who may not hears 401 or 403 with a sentence, as the client shows it.

use reqwest::Method;
use serde_json::Value;

use super::path;
use super::row::{ROLES, Row, Sent};
use super::world::World;
use crate::app::Answer;
use crate::pages::jpeg;

/// What a role heard of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// All that the client reads.
    Served,
    /// No, in the right words.
    Refused,
    /// Not asked by the client.
    Unasked,
    Wrong(Vec<String>),
}

impl Heard {
    pub fn sign(&self) -> &'static str {
        match self {
            Heard::Served => "✓",
            Heard::Refused => "–",
            Heard::Unasked => "·",
            Heard::Wrong(_) => "✗",
        }
    }
}

/// Asks a row as a role, in all its forms.
pub async fn ask(world: &World, row: &Row, column: usize) -> Heard {
    if row.signed_in && column == ROLES.len() - 1 {
        return Heard::Unasked;
    }
    let may = row.who.may(column);
    let mut wrong = Vec::new();
    let whole = [""].iter().chain(row.also).map(|end| (*end, false));
    let narrowed = row.narrowed.iter().map(|end| (*end, true));
    for (end, narrowed) in whole.chain(narrowed) {
        let answer = send(world, row, column, end).await;
        for fault in judged(row, may, column, narrowed, &answer) {
            wrong.push(format!("{end} {fault}"));
        }
    }
    if row.method == "GET" && column == 0 {
        let other = turned(row.path);
        let made = world.make(row.made, column, row.who).await;
        let path = format!("/api/v2{}", world.filled(&other, &made));
        let heard = world.superuser().get(&path).await.status.as_u16();
        if heard != row.status {
            wrong.push(format!(" {other}: heard {heard}"));
        }
    }
    match (wrong.is_empty(), may) {
        (true, true) => Heard::Served,
        (true, false) => Heard::Refused,
        (false, _) => Heard::Wrong(wrong),
    }
}

/// An address with its last slash where it has none, and without where it has one.
fn turned(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    match path.strip_suffix('/') {
        Some(path) => format!("{path}{query}"),
        None => format!("{path}/{query}"),
    }
}

fn judged(row: &Row, may: bool, column: usize, narrowed: bool, answer: &Answer) -> Vec<String> {
    let status = answer.status.as_u16();
    let wanted = match (may, column == ROLES.len() - 1) {
        (true, _) => row.status,
        (false, true) => 401,
        (false, false) => 403,
    };
    if status != wanted {
        let text: String = answer.text.chars().take(200).collect();
        return vec![format!("heard {status}, not {wanted}: {text}")];
    }
    if answer.text.is_empty() {
        let silent = may && row.reads.is_empty();
        return (!silent)
            .then(|| "said nothing".to_owned())
            .into_iter()
            .collect();
    }
    let Ok(body) = serde_json::from_str::<Value>(&answer.text) else {
        return vec![format!("no JSON: {}", answer.text)];
    };
    match may {
        true => read(row, &body, narrowed, row.nothing.contains(&ROLES[column])),
        false => path::faults(&body, "detail: string"),
    }
}

/// What is wrong with what the client reads. A list has rows, unless it was narrowed or this role
/// is to see none.
fn read(row: &Row, body: &Value, narrowed: bool, nothing: bool) -> Vec<String> {
    let may_be_empty = narrowed || nothing;
    let lines = row.reads.iter().map(|line| match may_be_empty {
        true => line.replacen("results.*.", "results.*?.", 1),
        false => (*line).to_owned(),
    });
    let mut faults: Vec<String> = lines.flat_map(|line| path::faults(body, &line)).collect();
    if nothing
        && body["results"]
            .as_array()
            .is_none_or(|rows| !rows.is_empty())
    {
        faults.push(" results should be empty".to_owned());
    }
    faults
}

/// Makes what the row needs, and sends it.
async fn send(world: &World, row: &Row, column: usize, end: &str) -> Answer {
    let made = world.make(row.made, column, row.who).await;
    let fill = |text: &str| world.filled(text, &made);
    let token = made.token.as_deref().or(world.token(column));
    let client = match token.filter(|_| !row.bare) {
        Some(token) => world.app.with_token(token),
        None => world.app.anonymous(),
    };
    let path = format!("/api/v2{}", fill(&format!("{}{end}", row.path)));
    let method: Method = row.method.parse().expect("a method");
    match row.sent {
        Sent::Nothing => client.send(method, &path, None).await,
        Sent::Json(text) => client.send(method, &path, Some(fill(text))).await,
        Sent::Form(parts) => {
            let parts = filled(parts, fill);
            client.form(method, &path, &borrowed(&parts), &[]).await
        }
        Sent::Photo(parts, name) => {
            let (parts, photo) = (filled(parts, fill), jpeg(64, 48));
            let file = fill("20260714230000-$n.jpg");
            let files = [(name, file.as_str(), photo.as_slice())];
            client.form(method, &path, &borrowed(&parts), &files).await
        }
    }
}

fn filled(parts: &[(&str, &str)], fill: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), fill(value));
    parts.iter().map(pair).collect()
}

fn borrowed(parts: &[(String, String)]) -> Vec<(&str, &str)> {
    parts
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect()
}

/// What was made for one asking.
#[derive(Default)]
pub struct Prepared {
    pub id: Option<i64>,
    /// Who asks.
    pub me: Option<i64>,
    pub email: Option<String>,
    /// Of who asks, where it is somebody else.
    pub token: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::row::{ROLES, get};
    use super::super::table::SECTIONS;
    use super::read;

    #[test]
    fn a_list_without_rows_is_a_fault_unless_it_was_narrowed_or_nobody_is_to_see_any() {
        let row = get("/moths/").reads(&["count: number", "results.*.id: number"]);
        let (none, one) = (
            json!({"count": 0, "results": []}),
            json!({"count": 1, "results": [{"id": 1}]}),
        );
        for (body, narrowed, nothing, faults) in [
            (&one, false, false, 0),
            (&none, false, false, 1),
            (&none, true, false, 0),
            (&one, true, false, 0),
            (&none, false, true, 0),
            (&one, false, true, 1),
        ] {
            let found = read(&row, body, narrowed, nothing);
            assert_eq!(found.len(), faults, "{body}: {found:?}");
        }
    }

    #[test]
    fn the_tables_say_of_no_list_that_it_may_be_empty_but_by_role() {
        for row in SECTIONS.iter().flat_map(|(_, rows)| *rows) {
            for line in row.reads {
                assert!(!line.starts_with("results.*?"), "{}: {line}", row.name());
            }
            for role in row.nothing {
                assert!(ROLES.contains(role), "{}: {role}", row.name());
            }
        }
    }
}
