//! The settings of a capture set's method as fields of a form: read from what was sent, and written
//! into it again.

use serde_json::{Map, Value, json};
use store::capture_set::CaptureSet;

use crate::pages::form::{Sent, Shown};
use crate::pages::jobs::Choice;
use crate::pages::offered::Offered;

/// Settings that are numbers.
const NUMBERS: &[&str] = &[
    "size",
    "num_each",
    "minute_interval",
    "max_num",
    "last_nights",
    "hour_start",
    "hour_end",
    "month_start",
    "month_end",
    "seed",
];
/// Settings that are texts.
const TEXTS: &[&str] = &["date_start", "date_end"];
/// Settings that are lists of numbers between commas.
const LISTS: &[&str] = &["event_ids", "image_ids", "exclude_events"];
/// Stations, ticked in a list or named by their numbers.
const STATIONS: &str = "deployment_ids";

/// The settings that a form holds, beside those of the set that it does not show.
pub fn settings(sent: &Sent, set: Option<&CaptureSet>) -> Result<Map<String, Value>, String> {
    let known = set.and_then(|set| set.kwargs.as_object().cloned());
    let mut all = known.unwrap_or_default();
    let shown = NUMBERS.iter().chain(TEXTS).chain(LISTS).chain(&[STATIONS]);
    all.retain(|name, _| !shown.clone().any(|shown| shown == name));
    for name in NUMBERS {
        if let Some(text) = sent.filled(name) {
            let number = text.parse::<i64>();
            let number =
                number.map_err(|_| format!("{name}: \"{text}\" is not a whole number."))?;
            all.insert((*name).to_owned(), json!(number));
        }
    }
    for name in TEXTS {
        if let Some(text) = sent.filled(name) {
            all.insert((*name).to_owned(), json!(text));
        }
    }
    for name in LISTS {
        let Some(text) = sent.filled(name) else {
            continue;
        };
        let numbers = numbers(name, text)?;
        // The API keeps this one as a text.
        let value = match *name {
            "exclude_events" => json!(text),
            _ => json!(numbers),
        };
        all.insert((*name).to_owned(), value);
    }
    let mut stations = Vec::new();
    for text in sent.0.values(STATIONS) {
        stations.extend(numbers(STATIONS, text)?);
    }
    stations.sort_unstable();
    stations.dedup();
    if !stations.is_empty() {
        all.insert(STATIONS.to_owned(), json!(stations));
    }
    Ok(all)
}

/// Numbers between commas or spaces.
fn numbers(name: &str, text: &str) -> Result<Vec<i64>, String> {
    let parts = text
        .split([',', ' '])
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let numbers: Result<Vec<i64>, _> = parts.map(str::parse).collect();
    numbers.map_err(|_| format!("{name}: numbers between commas are wanted."))
}

/// The stations that can be ticked, as a form has them, and what it says of others.
pub fn stations(form: &Shown, offered: Offered) -> (Vec<Choice>, String) {
    let (mut named, mut others) = (Vec::new(), Vec::new());
    for text in form.values(STATIONS) {
        match numbers(STATIONS, text) {
            Ok(ids) => named.extend(ids),
            Err(_) => others.push(text.to_owned()),
        }
    }
    named.sort_unstable();
    named.dedup();
    let beyond = named.iter().filter(|id| !offered.has(**id));
    others.extend(beyond.map(i64::to_string));
    let choice = |(id, name): (i64, String)| Choice {
        value: id.to_string(),
        name,
        chosen: named.contains(&id),
    };
    let ticked = offered.all.into_iter().map(choice).collect();
    (ticked, others.join(", "))
}

/// The fields of a form from a set.
pub fn filled(set: &CaptureSet) -> Shown {
    let mut values = vec![
        ("name", set.name.clone()),
        ("description", set.description.clone()),
        ("method", set.method.clone()),
    ];
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    for name in NUMBERS.iter().chain(TEXTS).chain(LISTS) {
        match &set.kwargs[*name] {
            Value::Null => {}
            Value::Array(list) => {
                let parts: Vec<String> = list.iter().map(text).collect();
                values.push((*name, parts.join(", ")));
            }
            value => values.push((*name, text(value))),
        }
    }
    for id in set.kwargs[STATIONS].as_array().into_iter().flatten() {
        values.push((STATIONS, text(id)));
    }
    Shown::fresh(&values)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rest::query::Query;

    fn sent(text: &str) -> Sent {
        Sent(Query::parse(text))
    }

    #[test]
    fn settings_are_what_was_filled_in() {
        let all = settings(
            &sent("size=12&date_start=&deployment_ids=3&deployment_ids=4&event_ids=1, 2"),
            None,
        );
        let expected = json!({"size": 12, "event_ids": [1, 2], "deployment_ids": [3, 4]});
        assert_eq!(Value::Object(all.unwrap()), expected);
        let all = settings(&sent("deployment_ids=4&deployment_ids=9, 3"), None);
        let expected = json!({"deployment_ids": [3, 4, 9]});
        assert_eq!(Value::Object(all.unwrap()), expected);
        assert!(
            settings(&sent("size=many"), None)
                .unwrap_err()
                .contains("size")
        );
        assert!(
            settings(&sent("image_ids=1,x"), None)
                .unwrap_err()
                .contains("image_ids")
        );
    }

    #[test]
    fn a_station_that_is_not_offered_keeps_its_number() {
        let offered = Offered {
            all: vec![(3, "Ash".to_owned()), (4, "Elm".to_owned())],
            more: 2,
        };
        let form = Shown::of(sent(
            "deployment_ids=4&deployment_ids=9, 7&deployment_ids=oak",
        ));
        let (ticked, others) = stations(&form, offered);
        let chosen: Vec<bool> = ticked.iter().map(|choice| choice.chosen).collect();
        assert_eq!(chosen, [false, true]);
        assert_eq!(others, "oak, 7, 9");
    }
}
