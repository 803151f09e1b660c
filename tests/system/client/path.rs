//! The small language in which a row says what the client reads of an answer:
//! `results.*.deployment?.name: string|null`. The idea: a line is a path and the JSON types that
//! may stand at its end; whatever else there is, is said as a fault with its place.
//!
//! `*` is every element of an array that has some, `*?` of one that may be empty (never the rows of a
//! list: where these may be none, the row of the table says for whom or under which filter); `key?` may be
//! null, and the path ends there; `{a,b}` at the end are several keys; `absent` is a key that the
//! recordings do not have either.

use serde_json::Value;

/// What is wrong with an answer, by one line.
pub fn faults(body: &Value, line: &str) -> Vec<String> {
    let (path, types) = line.rsplit_once(": ").expect("a line has its types");
    let types: Vec<&str> = types.split('|').collect();
    let mut faults = Vec::new();
    for path in spelled(path) {
        let steps: Vec<&str> = path.split('.').filter(|step| !step.is_empty()).collect();
        walk(body, &steps, &types, String::new(), &mut faults);
    }
    faults
}

/// The paths that a path with braces stands for.
fn spelled(path: &str) -> Vec<String> {
    match path.split_once('{') {
        None => vec![path.to_owned()],
        Some((head, keys)) => {
            let keys = keys.trim_end_matches('}').split(',');
            keys.map(|key| format!("{head}{}", key.trim())).collect()
        }
    }
}

fn walk(value: &Value, steps: &[&str], types: &[&str], at: String, faults: &mut Vec<String>) {
    let Some((step, rest)) = steps.split_first() else {
        if !types.iter().any(|kind| is(value, kind)) {
            let text: String = value.to_string().chars().take(60).collect();
            faults.push(format!("{at} is {text}, not {}", types.join(" or ")));
        }
        return;
    };
    if let Some(more) = step.strip_prefix('*') {
        match value.as_array() {
            Some(list) if list.is_empty() && more.is_empty() => {
                faults.push(format!("{at} is empty"));
            }
            Some(list) => {
                for (i, one) in list.iter().enumerate() {
                    walk(one, rest, types, format!("{at}[{i}]"), faults);
                }
            }
            None => faults.push(format!("{at} is no array")),
        }
        return;
    }
    let key = step.trim_end_matches('?');
    let at = format!("{at}.{key}");
    let found = match (key.parse::<usize>(), value.as_array()) {
        (Ok(index), Some(list)) => list.get(index),
        _ => value.get(key),
    };
    match found {
        None if rest.is_empty() && types.contains(&"absent") => {}
        None => faults.push(format!("{at} is missing")),
        Some(Value::Null) if step.ends_with('?') => {}
        Some(found) => walk(found, rest, types, at, faults),
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "any" => true,
        "null" => value.is_null(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "strings" => texts(value),
        // What `new Date(text)` reads.
        "time" => value.as_str().is_some_and(|text| {
            chrono::DateTime::parse_from_rfc3339(text).is_ok()
                || text.parse::<chrono::NaiveDateTime>().is_ok()
                || text.parse::<chrono::NaiveDate>().is_ok()
        }),
        "absent" => false,
        other => panic!("{other} is no type"),
    }
}

fn texts(value: &Value) -> bool {
    let list = value.as_array();
    list.is_some_and(|list| list.iter().all(Value::is_string))
}

#[cfg(test)]
mod tests {
    use super::faults;
    use serde_json::json;

    #[test]
    fn a_line_finds_what_does_not_hold() {
        let body = json!({"results": [
            {"id": 1, "deployment": {"name": "S"}, "at": "2026-01-02T03:04:05.678"},
            {"id": "2", "deployment": null, "at": "soon"},
        ], "none": []});
        let cases = [
            ("results.*.id: number|string", 0),
            ("results.*.id: number", 1),
            ("results.*.deployment?.name: string", 0),
            ("results.*.deployment.name: string", 1),
            ("results.*.{id,more}: any", 2),
            ("results.*.more: string|absent", 0),
            ("results.0.at: time", 0),
            ("results.*.at: time", 1),
            ("none.*.id: number", 1),
            ("none.*?.id: number", 0),
            ("none: strings", 0),
            ("results.2.id: number", 1),
        ];
        for (line, count) in cases {
            let found = faults(&body, line);
            assert_eq!(found.len(), count, "{line}: {found:?}");
        }
    }
}
