//! The fields of a resource as plain data: one table from which validation, OPTIONS, forms and
//! the schema are read (`architecture.md` §7). The idea: what a field is stands in one line, and
//! nothing about it is written twice.

use serde_json::{Map, Value, json};

use crate::shape::{self, Shape};
/// Longest name of an uploaded picture that OPTIONS tells; what is kept has a name of ours.
const LONGEST_NAME: usize = 100;

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number between these bounds.
    Integer(Option<i64>, Option<i64>),
    /// A number.
    Float,
    /// A text of at most so many characters.
    Text(Option<usize>),
    /// A key of letters, digits, underscores and hyphens.
    Slug(usize),
    /// An e-mail address.
    Email(usize),
    /// An address.
    Url(usize),
    /// True or false.
    Boolean,
    /// One of these: value and name.
    Choice(&'static [(&'static str, &'static str)]),
    /// A time.
    DateTime,
    /// The key of a row of this resource.
    Link(&'static str),
    /// The keys of rows of this resource.
    Links(&'static str),
    /// An object with these fields.
    Nested(&'static [Field]),
    /// A list.
    List,
    /// A list of whole numbers.
    Integers,
    /// A list of numbers; only shown.
    Floats,
    /// A list of texts of at most so many characters.
    Texts(usize),
    /// A list of objects with these fields; only shown.
    Rows(&'static [Field]),
    /// An uploaded picture.
    Image,
    /// Anything else; only shown.
    Any,
}

/// One field of a resource.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Key in bodies.
    pub name: &'static str,
    /// Name for people.
    pub label: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Must be sent when a row is made.
    pub required: bool,
    /// Is only shown.
    pub read_only: bool,
    /// Is only sent, never shown.
    pub write_only: bool,
    /// May be null.
    pub nullable: bool,
    /// May be the empty text.
    pub blank: bool,
    /// What it is where it is left out, as JSON.
    pub default: Option<&'static str>,
    /// A sentence for people.
    pub help: &'static str,
    /// What it really holds, where the word of OPTIONS is coarse.
    pub holds: Option<Shape>,
    /// Is not in every answer.
    pub sometimes: bool,
    /// Is not named by OPTIONS.
    pub unlisted: bool,
    /// Values that are known to be right, with their names: offered to people, not enforced.
    pub offers: &'static [(&'static str, &'static str)],
}

impl Field {
    /// An optional, writable field.
    pub const fn new(name: &'static str, label: &'static str, kind: Kind) -> Field {
        Field {
            name,
            label,
            kind,
            required: false,
            read_only: false,
            write_only: false,
            nullable: false,
            blank: false,
            default: None,
            help: "",
            holds: None,
            sometimes: false,
            unlisted: false,
            offers: &[],
        }
    }

    /// A field that is only shown.
    pub const fn shown(name: &'static str, label: &'static str, kind: Kind) -> Field {
        Field {
            read_only: true,
            ..Field::new(name, label, kind)
        }
    }

    /// The number of the row.
    pub const fn id() -> Field {
        Field::shown("id", "Id", Kind::Integer(None, None))
    }

    /// The address of the row.
    pub const fn details() -> Field {
        Field::shown("details", "Details", Kind::Any).holds(shape::ADDRESS)
    }

    /// What the caller may do with the row; OPTIONS never names it.
    pub const fn permissions() -> Field {
        Field::shown(
            "user_permissions",
            "What the caller may do with it",
            Kind::List,
        )
        .holds(shape::TEXTS)
        .unlisted()
    }

    /// A row named by its key, sent only; the row itself is shown in another field.
    pub const fn link(name: &'static str, label: &'static str, to: &'static str) -> Field {
        Field {
            write_only: true,
            nullable: true,
            ..Field::new(name, label, Kind::Link(to))
        }
    }

    /// Is only sent, never shown.
    pub const fn write_only(self) -> Field {
        Field {
            write_only: true,
            ..self
        }
    }

    /// Must be sent, and not as null.
    pub const fn required(self) -> Field {
        Field {
            required: true,
            nullable: false,
            ..self
        }
    }

    /// May be null.
    pub const fn nullable(self) -> Field {
        Field {
            nullable: true,
            ..self
        }
    }

    /// May be the empty text.
    pub const fn blank(self) -> Field {
        Field {
            blank: true,
            ..self
        }
    }

    /// Counts as this JSON where it is left out.
    pub const fn default(self, json: &'static str) -> Field {
        Field {
            default: Some(json),
            ..self
        }
    }

    /// With a sentence for people.
    pub const fn help(self, help: &'static str) -> Field {
        Field { help, ..self }
    }

    /// Holds values of this shape, whatever OPTIONS calls it.
    pub const fn holds(self, shape: Shape) -> Field {
        Field {
            holds: Some(shape),
            ..self
        }
    }

    /// Is left out of some answers.
    pub const fn sometimes(self) -> Field {
        Field {
            sometimes: true,
            ..self
        }
    }

    /// Is not named by OPTIONS.
    pub const fn unlisted(self) -> Field {
        Field {
            unlisted: true,
            ..self
        }
    }

    /// Offering these values.
    pub const fn offers(self, offers: &'static [(&'static str, &'static str)]) -> Field {
        Field { offers, ..self }
    }

    /// The word of OPTIONS for what it holds.
    pub fn type_word(&self) -> &'static str {
        match self.kind {
            Kind::Integer(..) => "integer",
            Kind::Float => "float",
            Kind::Text(_) => "string",
            Kind::Slug(_) => "slug",
            Kind::Email(_) => "email",
            Kind::Url(_) => "url",
            Kind::Boolean => "boolean",
            Kind::Choice(_) => "choice",
            Kind::DateTime => "datetime",
            Kind::Nested(_) => "nested object",
            Kind::List | Kind::Integers | Kind::Floats | Kind::Texts(_) => "list",
            Kind::Image => "image upload",
            Kind::Link(_) | Kind::Links(_) | Kind::Rows(_) | Kind::Any => "field",
        }
    }

    /// What OPTIONS says about it, with the keys in the recorded order.
    pub fn metadata(&self) -> Value {
        let mut map = Map::new();
        map.insert("type".into(), json!(self.type_word()));
        map.insert("required".into(), json!(self.required));
        map.insert("read_only".into(), json!(self.read_only));
        map.insert("label".into(), json!(self.label));
        if !self.help.is_empty() {
            map.insert("help_text".into(), json!(self.help));
        }
        match self.kind {
            // What is only shown says no length where it has none.
            Kind::Slug(0) => {}
            Kind::Text(Some(most)) | Kind::Slug(most) | Kind::Email(most) | Kind::Url(most)
                if most < usize::MAX =>
            {
                map.insert("max_length".into(), json!(most));
            }
            Kind::Integer(least, most) => {
                if let Some(least) = least {
                    map.insert("min_value".into(), json!(least));
                }
                if let Some(most) = most {
                    map.insert("max_value".into(), json!(most));
                }
            }
            Kind::Choice(choices) if !self.read_only => {
                let choice =
                    |(value, name): &(&str, &str)| json!({"value": value, "display_name": name});
                let list: Vec<Value> = choices.iter().map(choice).collect();
                map.insert("choices".into(), Value::Array(list));
            }
            Kind::Nested(fields) => {
                map.insert("children".into(), table(fields));
            }
            Kind::Integers => {
                let child = json!({"type": "integer", "required": true, "read_only": false});
                map.insert("child".into(), child);
            }
            Kind::Floats => {
                let child = json!({
                    "type": "float",
                    "required": true,
                    "read_only": false,
                    "label": self.label,
                });
                map.insert("child".into(), child);
            }
            Kind::Texts(most) => {
                let child = json!({
                    "type": "string",
                    "required": true,
                    "read_only": false,
                    "label": self.label,
                    "max_length": most,
                });
                map.insert("child".into(), child);
            }
            Kind::Rows(fields) => {
                let child = json!({
                    "type": "nested object",
                    "required": false,
                    "read_only": true,
                    "children": table(fields),
                });
                map.insert("child".into(), child);
            }
            Kind::Image => {
                map.insert("max_length".into(), json!(LONGEST_NAME));
            }
            _ => {}
        }
        Value::Object(map)
    }
}

/// What OPTIONS says about a table of fields.
pub fn table(fields: &[Field]) -> Value {
    let listed = fields.iter().filter(|field| !field.unlisted);
    let entries = listed.map(|field| (field.name.to_owned(), field.metadata()));
    Value::Object(entries.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_objects_and_pictures_are_told_as_recorded() {
        const INNER: &[Field] = &[Field::id()];
        let jobs = Field::shown("jobs", "Jobs", Kind::Rows(INNER)).metadata();
        let expected = json!({
            "type": "field", "required": false, "read_only": true, "label": "Jobs",
            "child": {
                "type": "nested object", "required": false, "read_only": true,
                "children": {
                    "id": {
                        "type": "integer", "required": false, "read_only": true, "label": "Id",
                    },
                },
            },
        });
        assert_eq!(jobs, expected);
        let image = Field::new("image", "Image", Kind::Image).metadata();
        assert_eq!(image["max_length"], 100);
    }

    #[test]
    fn lists_say_what_stands_in_them() {
        const ROW: &[Field] = &[Field::id()];
        let rows = Field::shown("stages", "Stages", Kind::Rows(ROW)).metadata();
        assert_eq!(rows["type"], "field");
        assert_eq!(rows["child"]["type"], "nested object");
        assert_eq!(rows["child"]["children"]["id"]["type"], "integer");
        let texts = Field::new("labels", "Labels", Kind::Texts(255)).metadata();
        assert_eq!(texts["type"], "list");
        assert_eq!(texts["child"]["max_length"], 255);
        let numbers = Field::new("ids", "Ids", Kind::Integers).metadata();
        assert_eq!(
            (&numbers["type"], &numbers["child"]["type"]),
            (&json!("list"), &json!("integer"))
        );
    }
}
