//! JSON values written as YAML. Every text that could be read as something else is quoted as in
//! JSON, which is YAML too; so this needs no more than indentation.

use std::fmt::Write;

use serde_json::Value;

/// The value as a YAML document.
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    put(value, 0, &mut out);
    out
}

fn put(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                indent(depth, out);
                out.push_str(&text(key));
                out.push(':');
                member(value, depth + 1, out);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for value in list {
                indent(depth, out);
                out.push('-');
                if is_nested(value) {
                    // The first key of an object in a list stands on the line of its dash.
                    let mut inner = String::new();
                    put(value, depth + 1, &mut inner);
                    out.push(' ');
                    out.push_str(inner.trim_start());
                } else {
                    member(value, depth + 1, out);
                }
            }
        }
        other => {
            indent(depth, out);
            out.push_str(&plain(other));
            out.push('\n');
        }
    }
}

fn member(value: &Value, depth: usize, out: &mut String) {
    if is_nested(value) {
        out.push('\n');
        put(value, depth, out);
    } else {
        let _ = writeln!(out, " {}", plain(value));
    }
}

fn is_nested(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    }
}

fn indent(depth: usize, out: &mut String) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(value) => text(value),
        other => other.to_string(),
    }
}

fn text(text: &str) -> String {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-/.{} ".contains(c);
    let word = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if starts && !word && !text.ends_with(' ') && text.chars().all(harmless) {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_is_indented_and_quoted_where_it_must_be() {
        let value = json!({
            "openapi": "3.1.0",
            "on": [1, "null", {"a": [[2]], "b": {}}],
            "paths": {"/jobs/{id}/": {"404": null}, "say": "a: b\n#c"},
        });
        let expected = "openapi: \"3.1.0\"\n\"on\":\n  - 1\n  - \"null\"\n  - a:\n      - - 2\n    \
                        b: {}\npaths:\n  /jobs/{id}/:\n    \"404\": null\n  say: \"a: b\\n#c\"\n";
        assert_eq!(write(&value), expected);
    }
}
