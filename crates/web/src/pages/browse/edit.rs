//! The forms of a page: one with a control for each field, one for a body as it is
//! (`browsable-api.md` §2.1). The idea: what stands in them is what was just sent, or else what
//! the row holds, so that sending a form unchanged changes nothing.

use rest::field::{Field, Kind};
use rest::query::Query;
use serde_json::{Map, Value};

use super::control::{Control, held, secret};
use crate::shape::pretty;
use crate::shape::sent::Sent;

/// Media types of a body as it is. A multipart form needs a boundary that both sides know.
const MEDIA: [&str; 3] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=hawkmoth",
];

/// What fills the forms, the first that has a value for a field.
pub struct Source<'a> {
    /// What was just sent, and refused.
    pub sent: &'a Sent,
    /// The row of this page.
    pub row: Option<&'a Value>,
    /// The query of a list, which says what its rows have in common.
    pub query: Option<&'a Query>,
    /// The answer, where it says what was wrong.
    pub errors: Option<&'a Value>,
}

/// The two forms.
pub struct Edit {
    /// Method of the form with controls.
    pub method: &'static str,
    /// Methods for a body as it is.
    pub methods: Vec<&'static str>,
    pub controls: Vec<Control>,
    /// Holds files.
    pub multipart: bool,
    /// What was wrong, beside fields.
    pub wrong: Vec<String>,
    /// The body as it is.
    pub raw: String,
    pub media: Vec<(&'static str, bool)>,
}

impl Edit {
    /// The forms for these fields and methods.
    pub fn new(fields: &[Field], methods: &[&'static str], source: &Source<'_>) -> Edit {
        let mut controls = Vec::new();
        fill(fields, "", source, &mut controls);
        let wrong = source.errors.map(|errors| general(errors, &controls));
        let kept = source
            .sent
            .raw
            .clone()
            .filter(|_| !fields.iter().any(|f| secret(f.name)));
        let raw = kept.unwrap_or_else(|| pretty(&Value::Object(body(fields, source)), 4));
        let chosen = source.sent.media.as_deref().unwrap_or_default();
        let chosen = MEDIA
            .iter()
            .position(|m| chosen.starts_with(m.split(';').next().unwrap_or(m)));
        Edit {
            method: methods.first().copied().unwrap_or("POST"),
            methods: methods.to_vec(),
            multipart: fields.iter().any(|field| matches!(field.kind, Kind::Image)),
            controls,
            wrong: wrong.unwrap_or_default(),
            raw,
            media: MEDIA
                .iter()
                .enumerate()
                .map(|(i, media)| (*media, i == chosen.unwrap_or(0)))
                .collect(),
        }
    }
}

fn writable(fields: &[Field]) -> impl Iterator<Item = &Field> {
    fields.iter().filter(|field| !field.read_only)
}

/// The controls of these fields, those of nested objects with the object's name before theirs.
fn fill(fields: &[Field], within: &str, source: &Source<'_>, controls: &mut Vec<Control>) {
    for field in writable(fields) {
        let name = format!("{within}{}", field.name);
        if let Kind::Nested(inner) = field.kind {
            fill(inner, &format!("{name}."), source, controls);
            continue;
        }
        let path: Vec<&str> = name.split('.').collect();
        let row = source.row.and_then(|row| above(row, &path));
        let control = Control::new(field, &initial(field, &path, source), row, false);
        let errors = source.errors.map(|errors| messages(errors, &path));
        controls.push(Control {
            errors: errors.unwrap_or_default(),
            id: name.replace('.', "-"),
            name,
            ..control
        });
    }
}

/// The object that holds the last part of a path.
fn above<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    let (_, above) = path.split_last()?;
    above.iter().try_fold(value, |at, part| at.get(*part))
}

/// What stands in a field before somebody fills it in.
fn initial(field: &Field, path: &[&str], source: &Source<'_>) -> Value {
    let sent = source.sent.values.as_ref().and_then(|sent| {
        let dotted = sent.get(path.join("."));
        dotted.or_else(|| above(sent, path)?.get(field.name))
    });
    if let Some(sent) = sent {
        return sent.clone();
    }
    if let Some(row) = source.row {
        let row = above(row, path).and_then(Value::as_object);
        return row.map(|row| held(field, row)).unwrap_or_default();
    }
    let narrows = matches!(field.kind, Kind::Link(_));
    let asked = source.query.filter(|_| narrows).and_then(|query| {
        let short = field.name.strip_suffix("_id").unwrap_or(field.name);
        query.get(field.name).or_else(|| query.get(short))
    });
    if let Some(asked) = asked.filter(|asked| !asked.is_empty()) {
        return asked
            .parse::<i64>()
            .map_or_else(|_| asked.into(), Value::from);
    }
    let default = field
        .default
        .and_then(|json| serde_json::from_str(json).ok());
    default.unwrap_or_default()
}

/// A body with all that may be sent.
fn body(fields: &[Field], source: &Source<'_>) -> Map<String, Value> {
    body_within(fields, &[], source)
}

fn body_within(fields: &[Field], within: &[&str], source: &Source<'_>) -> Map<String, Value> {
    let sendable = writable(fields).filter(|field| !matches!(field.kind, Kind::Image));
    let pairs = sendable.map(|field| {
        let path = [within, &[field.name]].concat();
        let value = match field.kind {
            Kind::Nested(inner) => Value::Object(body_within(inner, &path, source)),
            Kind::Text(_) | Kind::Slug(_) | Kind::Email(_) | Kind::Url(_) => {
                match initial(field, &path, source) {
                    Value::Null if !field.nullable => Value::from(""),
                    value => value,
                }
            }
            _ => initial(field, &path, source),
        };
        let value = if secret(field.name) {
            Value::from("")
        } else {
            value
        };
        (field.name.to_owned(), value)
    });
    pairs.collect()
}

/// What an answer says about the field at this path.
fn messages(errors: &Value, path: &[&str]) -> Vec<String> {
    let found = path.iter().try_fold(errors, |at, part| at.get(*part));
    found.map(said).unwrap_or_default()
}

fn said(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().flat_map(said).collect(),
        Value::Object(map) => map.values().flat_map(said).collect(),
        _ => Vec::new(),
    }
}

/// What it says about nothing that has a control.
fn general(errors: &Value, controls: &[Control]) -> Vec<String> {
    let Some(errors) = errors.as_object() else {
        return said(errors);
    };
    let has_control = |name: &str| {
        let prefix = format!("{name}.");
        let names = |control: &Control| control.name == name || control.name.starts_with(&prefix);
        controls.iter().any(names)
    };
    let mut words = Vec::new();
    for (name, value) in errors.iter().filter(|(name, _)| !has_control(name)) {
        let is_sentence = ["detail", "non_field_errors"].contains(&name.as_str());
        let named = |text| {
            if is_sentence {
                text
            } else {
                format!("{name}: {text}")
            }
        };
        words.extend(said(value).into_iter().map(named));
    }
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::control::Input;
    use super::*;
    use serde_json::json;

    const INNER: &[Field] = &[
        Field::new("gap", "Gap", Kind::Integer(Some(0), None)),
        Field::link("pipeline_id", "Pipeline", "ml/pipelines"),
    ];
    const FIELDS: &[Field] = &[
        Field::id(),
        Field::new("name", "Name", Kind::Text(Some(80))).required(),
        Field::new("shuffle", "Shuffle", Kind::Boolean).default("true"),
        Field::link("project_id", "Project", "projects").required(),
        Field::new("settings", "Settings", Kind::Nested(INNER)),
    ];

    fn row() -> Value {
        json!({
            "id": 1, "name": "Night", "shuffle": false, "project": {"id": 7, "name": "Moths"},
            "settings": {"gap": 5, "pipeline": {"id": 2, "name": "Quick"}},
        })
    }

    fn edit(sent: &Sent, row: Option<&Value>, errors: Option<&Value>) -> Edit {
        let query = Query::parse("project_id=3&name=x&limit=2");
        let source = Source {
            sent,
            row,
            query: Some(&query),
            errors,
        };
        Edit::new(FIELDS, &["PUT", "PATCH"], &source)
    }

    fn values(edit: &Edit) -> Vec<(&str, String)> {
        let value = |control: &Control| match &control.input {
            Input::Line { value, .. } | Input::Row { value, .. } => value.clone(),
            Input::Tick { on } => on.to_string(),
            other => format!("{other:?}"),
        };
        edit.controls
            .iter()
            .map(|c| (c.name.as_str(), value(c)))
            .collect()
    }

    #[test]
    fn a_form_sent_unchanged_changes_nothing() {
        let edit = edit(&Sent::default(), Some(&row()), None);
        let expected = [
            ("name", "Night"),
            ("shuffle", "false"),
            ("project_id", "7"),
            ("settings.gap", "5"),
            ("settings.pipeline_id", "2"),
        ];
        assert_eq!(values(&edit), expected.map(|(n, v)| (n, v.to_owned())));
        let raw: Value = serde_json::from_str(&edit.raw).unwrap();
        let expected = json!({
            "name": "Night", "shuffle": false, "project_id": 7,
            "settings": {"gap": 5, "pipeline_id": 2},
        });
        assert_eq!(raw, expected);
    }

    #[test]
    fn a_new_row_starts_with_defaults_and_what_the_list_is_narrowed_to() {
        let edit = edit(&Sent::default(), None, None);
        let values = values(&edit);
        assert_eq!(values[1], ("shuffle", "true".to_owned()));
        assert_eq!(values[2], ("project_id", "3".to_owned()));
        assert!(
            edit.raw
                .starts_with("{\n    \"name\": \"\",\n    \"shuffle\": true")
        );
    }

    #[test]
    fn what_was_refused_stays_with_what_was_wrong() {
        let sent = Sent {
            values: Some(json!({"name": "", "shuffle": "false", "settings.gap": "x"})),
            ..Sent::default()
        };
        let errors = json!({
            "name": ["This field may not be blank."],
            "settings": {"gap": ["A valid integer is required."]},
            "detail": "No.", "other": ["Odd."],
        });
        let edit = edit(&sent, Some(&row()), Some(&errors));
        let values = values(&edit);
        assert_eq!(values[0].1, "");
        assert_eq!(values[3].1, "x");
        assert_eq!(edit.controls[0].errors, ["This field may not be blank."]);
        assert_eq!(edit.controls[3].errors, ["A valid integer is required."]);
        assert_eq!(edit.wrong, ["No.", "other: Odd."]);
    }
}
