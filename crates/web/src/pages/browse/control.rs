//! What a person fills in for one field: its kind of input, what stands in it, and what was wrong
//! with it. The idea: forms and filters are both made of these, from the tables of fields.

use rest::field::{Field, Kind};
use serde_json::{Map, Value};

use crate::views;

/// One field of a form.
#[derive(Debug)]
pub struct Control {
    /// Name in the body or the query.
    pub name: String,
    /// Name within the page.
    pub id: String,
    pub label: String,
    pub help: &'static str,
    pub required: bool,
    pub errors: Vec<String>,
    pub input: Input,
}

/// How it is filled in.
#[derive(Debug)]
pub enum Input {
    /// One line. `kind` and `mode` are those of HTML.
    Line {
        kind: &'static str,
        mode: &'static str,
        value: String,
        most: Option<usize>,
        offers: &'static [(&'static str, &'static str)],
    },
    /// Several lines.
    Area { value: String },
    /// A box to tick.
    Tick { on: bool },
    /// One of a few.
    Choice { options: Vec<Choice> },
    /// The number of a row: typed, or found by its name where there is a script.
    Row {
        value: String,
        /// Name of the row that is chosen now.
        shown: String,
        /// Address of the list.
        rows: String,
        /// The list can be searched.
        searched: bool,
    },
    /// A file.
    File { current: String },
}

/// One of a few values.
#[derive(Debug)]
pub struct Choice {
    pub value: &'static str,
    pub text: &'static str,
    pub selected: bool,
}

impl Control {
    /// The control of a field that holds this value. `row` is where the name of a chosen row is
    /// looked for; `filters` is said of the fields of a filter, which may all be left empty.
    pub fn new(field: &Field, value: &Value, row: Option<&Value>, filters: bool) -> Control {
        let text = match field.kind {
            Kind::Links(_) | Kind::Integers => listed(value),
            _ => text(value),
        };
        let input = match field.kind {
            _ if secret(field.name) => line("password", "text", String::new(), None),
            Kind::Boolean if !filters => Input::Tick {
                on: matches!(text.as_str(), "true" | "True" | "on" | "1"),
            },
            Kind::Boolean => choice(&[("true", "Yes"), ("false", "No")], &text, true),
            Kind::Choice(choices) => {
                let empty = filters || field.nullable || (!field.required && text.is_empty());
                choice(choices, &text, empty)
            }
            Kind::Link(to) => Input::Row {
                value: text,
                shown: row.map(|row| row_name(field.name, row)).unwrap_or_default(),
                rows: rows(to),
                searched: list(to).is_some_and(|view| view.searched),
            },
            Kind::Integer(..) => line("text", "numeric", text, None),
            Kind::Float => line("text", "decimal", text, None),
            Kind::Email(most) => line("email", "email", text, Some(most)),
            Kind::Url(most) => line("url", "url", text, Some(most)),
            Kind::Text(None) if field.blank && !filters => Input::Area { value: text },
            Kind::List | Kind::Any if !filters => Input::Area { value: text },
            Kind::Text(most) => line("text", "text", text, most),
            Kind::Slug(most) => line("text", "text", text, Some(most)),
            Kind::Image => Input::File { current: text },
            _ => line("text", "text", text, None),
        };
        Control {
            name: field.name.to_owned(),
            id: field.name.to_owned(),
            label: field.label.to_owned(),
            help: field.help,
            required: field.required,
            errors: Vec::new(),
            input,
        }
        .offering(field)
    }

    fn offering(mut self, field: &Field) -> Control {
        if let Input::Line { offers, .. } = &mut self.input {
            *offers = field.offers;
        }
        self
    }
}

/// Whether what is in it must not be shown.
pub fn secret(name: &str) -> bool {
    name.contains("password") || name == "secret_key"
}

fn line(kind: &'static str, mode: &'static str, value: String, most: Option<usize>) -> Input {
    Input::Line {
        kind,
        mode,
        value,
        most,
        offers: &[],
    }
}

fn choice(choices: &[(&'static str, &'static str)], chosen: &str, empty: bool) -> Input {
    let none = Choice {
        value: "",
        text: "---------",
        selected: chosen.is_empty(),
    };
    let each = choices.iter().map(|(value, text)| Choice {
        value,
        text,
        selected: *value == chosen,
    });
    let options = empty.then_some(none).into_iter().chain(each);
    Input::Choice {
        options: options.collect(),
    }
}

fn list(to: &str) -> Option<&'static views::View> {
    views::all().find(|view| view.path.strip_prefix('/') == Some(to))
}

/// Where rows of a resource are looked for; empty where they are not listed.
fn rows(to: &str) -> String {
    list(to).map_or(String::new(), |_| format!("/api/v2/{to}/"))
}

/// A value as it stands in a form.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Numbers as they stand in a form.
fn listed(value: &Value) -> String {
    match value {
        Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join(", "),
        other => text(other),
    }
}

/// The field that shows the row whose key this one sends.
fn shown_in(name: &str) -> &str {
    let short = ["_ids", "_id", "_key"]
        .iter()
        .find_map(|end| name.strip_suffix(end));
    short.unwrap_or(name)
}

/// What a row holds for a field that is sent: its value, or the key of the row it shows.
pub fn held(field: &Field, row: &Map<String, Value>) -> Value {
    let Some(value) = row
        .get(field.name)
        .or_else(|| row.get(shown_in(field.name)))
    else {
        return Value::Null;
    };
    let key = |value: &Value| match value {
        Value::Object(shown) if field.name.ends_with("_key") => shown.get("key").cloned(),
        Value::Object(shown) => shown.get("id").cloned(),
        other => Some(other.clone()),
    };
    match (field.kind, value) {
        (Kind::Nested(_) | Kind::Any | Kind::List | Kind::Integers | Kind::Texts(_), value) => {
            value.clone()
        }
        (Kind::Links(_), Value::Array(list)) => list.iter().filter_map(key).collect(),
        (_, value) => key(value).unwrap_or_default(),
    }
}

fn row_name(name: &str, row: &Value) -> String {
    let Some(Value::Object(shown)) = row.get(name).or_else(|| row.get(shown_in(name))) else {
        return String::new();
    };
    let names = ["name", "path", "email", "timestamp"];
    let found = names.iter().find_map(|name| shown.get(*name)?.as_str());
    found.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn row() -> Value {
        json!({
            "project": {"id": 7, "name": "Moths"}, "pipeline": null, "site": 3,
            "job_type": {"name": "ML", "key": "ml"}, "taxa": [{"id": 1}, {"id": 2}],
        })
    }

    #[test]
    fn what_is_sent_by_key_is_found_in_the_row_that_is_shown() {
        let row = row();
        let row = row.as_object().unwrap();
        let link = |name| held(&Field::link(name, "", "projects"), row);
        assert_eq!(link("project_id"), 7);
        assert_eq!(link("pipeline_id"), Value::Null);
        assert_eq!(link("site"), 3);
        assert_eq!(link("nothing_id"), Value::Null);
        assert_eq!(
            held(&Field::new("job_type_key", "", Kind::Slug(9)), row),
            "ml"
        );
        let taxa = Field::new("taxa_ids", "", Kind::Links("taxa"));
        assert_eq!(held(&taxa, row), json!([1, 2]));
    }

    #[test]
    fn a_chosen_row_is_shown_by_name() {
        let field = Field::link("project_id", "Project", "projects");
        let control = Control::new(&field, &json!(7), Some(&row()), false);
        let Input::Row {
            value, shown, rows, ..
        } = control.input
        else {
            unreachable!("a link is a row")
        };
        assert_eq!((value.as_str(), shown.as_str()), ("7", "Moths"));
        assert_eq!(rows, "/api/v2/projects/");
    }

    #[test]
    fn passwords_are_not_shown_again() {
        let field = Field::new("new_password", "New", Kind::Text(None));
        let control = Control::new(&field, &json!("s3cret"), None, false);
        assert!(!format!("{control:?}").contains("s3cret"));
    }
}
