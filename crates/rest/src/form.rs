//! A body read against a table of fields: each writable field by its kind, every message at
//! once. The idea: what a resource takes is said once, in its table; a handler only picks the
//! sound values out.

use serde_json::{Map, Value, json};

use crate::body::{JsonBody, Upload};
use crate::error::{ApiResult, FieldErrors};
use crate::field::{Field, Kind};
use crate::validate::Input;

/// How much of a resource a body must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// All required fields: POST and PUT.
    Whole,
    /// Some fields: PATCH.
    Partial,
}

/// The sound values of a body. Messages may be added until [`Form::finish`].
#[derive(Debug)]
pub struct Form {
    values: Map<String, Value>,
    uploads: Vec<(String, Upload)>,
    order: Vec<&'static str>,
    /// Messages so far.
    pub errors: FieldErrors,
}

impl Form {
    /// Reads a body against a table. What was wrong is told by [`Form::finish`], so that a
    /// handler can look up named rows first and tell all at once.
    ///
    /// # Errors
    /// 400 where the body is no object.
    pub fn read(fields: &[Field], body: JsonBody, how: How) -> ApiResult<Form> {
        let uploads = body.uploads.clone();
        let mut input = Input::new(body)?;
        if how == How::Partial {
            input = input.partial();
        }
        let values = read_fields(fields, &mut input, &uploads, how);
        Ok(Form {
            values,
            uploads,
            order: fields.iter().map(|field| field.name).collect(),
            errors: input.errors,
        })
    }

    /// All messages in the order of the fields, or go on.
    ///
    /// # Errors
    /// [`crate::ApiError::Fields`].
    pub fn finish(&self) -> ApiResult<()> {
        let order = self.order.iter().copied();
        self.errors.clone().in_order(order).check()
    }

    /// Whether the field has a value: sent and sound (null too), or a default.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Whether the field was set to null (or emptied in a form).
    pub fn is_null(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(Value::is_null)
    }

    /// The value as it is.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<String> {
        Some(self.values.get(name)?.as_str()?.to_owned())
    }

    /// A whole number, or the key of a row.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.values.get(name)?.as_i64()
    }

    /// A number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.values.get(name)?.as_f64()
    }

    /// A truth value.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.values.get(name)?.as_bool()
    }

    /// The keys of rows.
    pub fn keys(&self, name: &str) -> Option<Vec<i64>> {
        let list = self.values.get(name)?.as_array()?;
        Some(list.iter().filter_map(Value::as_i64).collect())
    }

    /// The sound values of a nested object that was sent.
    pub fn nested(&self, name: &str) -> Option<&Map<String, Value>> {
        self.values.get(name)?.as_object()
    }

    /// A field that may be null, for a change: `None` where it was not sent.
    pub fn change<T>(
        &self,
        name: &str,
        read: impl Fn(&Form, &str) -> Option<T>,
    ) -> Option<Option<T>> {
        self.has(name).then(|| read(self, name))
    }

    /// An uploaded file.
    pub fn upload(&self, name: &str) -> Option<&Upload> {
        let found = self.uploads.iter().find(|(field, _)| field == name);
        found.map(|(_, upload)| upload)
    }

    /// Notes a message about a field.
    pub fn wrong(&mut self, name: &str, message: impl Into<String>) {
        self.errors.add(name, message);
    }

    /// Notes that a named row does not exist, or must not be known to.
    pub fn missing(&mut self, name: &str, key: i64) {
        let message = format!("Invalid pk \"{key}\" - object does not exist.");
        self.errors.add(name, message);
    }
}

fn read_fields(
    fields: &[Field],
    input: &mut Input,
    uploads: &[(String, Upload)],
    how: How,
) -> Map<String, Value> {
    let mut values = Map::new();
    for field in fields.iter().filter(|field| !field.read_only) {
        if let Some(value) = read_field(field, input, uploads, how) {
            values.insert(field.name.to_owned(), value);
        }
    }
    values
}

fn read_field(
    field: &Field,
    input: &mut Input,
    uploads: &[(String, Upload)],
    how: How,
) -> Option<Value> {
    let name = field.name;
    if let Kind::Nested(inner) = field.kind {
        return read_nested(field, inner, input, how);
    }
    if matches!(field.kind, Kind::Image)
        && let Some((_, upload)) = uploads.iter().find(|(sent, _)| sent == name)
    {
        if upload.bytes.is_empty() {
            input.errors.add(name, "The submitted file is empty.");
        }
        return None; // the file itself is in `Form::upload`
    }
    if !input.has(name) {
        return unsent(field, input, how);
    }
    if input.is_empty(name)
        && (field.nullable || (matches!(field.kind, Kind::Image) && !field.required))
    {
        return match (field.kind, field.blank) {
            (Kind::Text(_) | Kind::Url(_), true) if !input.is_null(name) => Some(json!("")),
            _ => Some(Value::Null),
        };
    }
    match field.kind {
        // A row that is named by nothing is none; a box that is left empty is not ticked or not.
        Kind::Link(_) if field.nullable && input.is_blank(name) => Some(Value::Null),
        Kind::Boolean if input.is_form() && input.is_blank(name) => {
            serde_json::from_str(field.default?).ok()
        }
        Kind::Integer(least, most) => input.whole(name, least, most).map(Value::from),
        Kind::Float => input.number(name).map(Value::from),
        Kind::Boolean => input.boolean(name, false).map(Value::from),
        Kind::Text(most) => text(field, input, most),
        Kind::Slug(most) => input.slug(name, most, "").map(Value::from),
        Kind::Email(most) => input.email(name, most).map(Value::from),
        Kind::Url(_) if field.blank && input.is_blank(name) => Some(json!("")),
        Kind::Url(most) => input.url(name, most).map(Value::from),
        Kind::Choice(choices) => {
            let keys: Vec<&'static str> = choices.iter().map(|(key, _)| *key).collect();
            input.choice(name, &keys).map(Value::from)
        }
        Kind::DateTime => input.time(name).map(Value::from),
        Kind::Link(_) => input.key(name).map(Value::from),
        Kind::Links(_) => input.keys(name).map(Value::from),
        Kind::Image => {
            let words = match input.is_null(name) {
                true => "This field may not be null.",
                false => "The submitted data was not a file. Check the encoding type on the form.",
            };
            input.errors.add(name, words);
            None
        }
        Kind::Integers => input.integers(name).map(Value::from),
        Kind::Texts(most) => input.texts(name, most).map(Value::from),
        Kind::List | Kind::Floats | Kind::Any => input.anything(name),
        Kind::Nested(_) | Kind::Rows(_) => None,
    }
}

/// What a field that was not sent counts as.
fn unsent(field: &Field, input: &mut Input, how: How) -> Option<Value> {
    if how == How::Partial {
        return None;
    }
    if field.required && matches!(field.kind, Kind::Image) {
        input.errors.add(field.name, "No file was submitted.");
        return None;
    }
    if field.required {
        input.require(field.name);
        return None;
    }
    // An empty check box is not sent.
    if input.is_form() && matches!(field.kind, Kind::Boolean) {
        return Some(Value::Bool(false));
    }
    serde_json::from_str(field.default?).ok()
}

fn text(field: &Field, input: &mut Input, most: Option<usize>) -> Option<Value> {
    if field.blank && input.is_blank(field.name) {
        return Some(json!(""));
    }
    let most = most.unwrap_or(usize::MAX);
    input.text(field.name, most).map(Value::from)
}

/// A nested object, or in a form its members as `object.member`.
fn read_nested(field: &Field, inner: &[Field], input: &mut Input, how: How) -> Option<Value> {
    let mut within = input.within(field.name)?;
    if how == How::Partial {
        within = within.partial();
    }
    let values = read_fields(inner, &mut within, &[], how);
    input.errors.add_nested(field.name, within.errors);
    Some(Value::Object(values))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const INNER: &[Field] = &[
        Field::new("gap", "Gap", Kind::Integer(Some(0), None)),
        Field::new("pipeline_id", "Pipeline", Kind::Link("ml/pipelines")).nullable(),
    ];
    const FIELDS: &[Field] = &[
        Field::id(),
        Field::new("name", "Name", Kind::Text(Some(5))).required(),
        Field::new("about", "About", Kind::Text(None)).blank(),
        Field::new("shuffle", "Shuffle", Kind::Boolean).default("true"),
        Field::new("limit", "Limit", Kind::Integer(None, Some(9))).nullable(),
        Field::link("site_id", "Site", "deployments/sites"),
        Field::new("method", "Method", Kind::Choice(&[("full", "Full")])),
        Field::new("ids", "Ids", Kind::Links("captures")),
        Field::new("settings", "Settings", Kind::Nested(INNER)),
    ];

    fn read(value: Value, how: How) -> Form {
        Form::read(FIELDS, value.into(), how).unwrap()
    }

    #[test]
    fn items_of_a_list_are_told_apart() {
        const LISTS: &[Field] = &[Field::new("ids", "Ids", Kind::Integers)];
        let read = |value: Value| Form::read(LISTS, value.into(), How::Whole).unwrap();
        let form = read(json!({"ids": [1, "2"]}));
        assert_eq!(form.keys("ids"), Some(vec![1, 2]));
        let wrong = read(json!({"ids": [1, "x"]})).finish().unwrap_err();
        let words = json!({"ids": {"1": ["A valid integer is required."]}});
        assert_eq!(wrong.body(), words);
        let wrong = read(json!({"ids": "x"})).finish().unwrap_err();
        let words = json!({"ids": ["Expected a list of items but got type \"str\"."]});
        assert_eq!(wrong.body(), words);
    }

    #[test]
    fn a_picture_that_is_missing_or_empty_is_told() {
        const PICTURE: &[Field] = &[Field::new("image", "Image", Kind::Image).required()];
        let words = |body: JsonBody| Form::read(PICTURE, body, How::Whole).unwrap().finish();
        let none = words(json!({}).into()).unwrap_err().body();
        assert_eq!(none, json!({"image": ["No file was submitted."]}));
        let mut body = JsonBody::from(json!({}));
        body.uploads.push(("image".to_owned(), Upload::default()));
        let empty = words(body).unwrap_err().body();
        assert_eq!(empty, json!({"image": ["The submitted file is empty."]}));
    }

    #[test]
    fn sound_values_are_read_and_what_is_only_shown_is_passed_over() {
        let form = read(
            json!({"id": 3, "name": " moth ", "about": "", "limit": null, "site_id": "4",
                   "ids": [1, "2"], "settings": {"gap": 5, "pipeline_id": null}}),
            How::Whole,
        );
        form.finish().unwrap();
        assert!(!form.has("id"));
        assert_eq!(form.text("name").as_deref(), Some("moth"));
        assert_eq!(form.text("about").as_deref(), Some(""));
        assert_eq!(form.boolean("shuffle"), Some(true));
        assert!(form.is_null("limit"));
        assert_eq!(form.change("limit", Form::integer), Some(None));
        assert_eq!(form.change("method", Form::text), None);
        assert_eq!(form.integer("site_id"), Some(4));
        assert_eq!(form.keys("ids"), Some(vec![1, 2]));
        let settings = form.nested("settings").unwrap();
        assert_eq!(settings["gap"], 5);
        assert!(settings["pipeline_id"].is_null());
    }

    #[test]
    fn every_message_comes_at_once() {
        let form = read(
            json!({"about": null, "limit": 10, "site_id": "x", "method": "none", "ids": 3,
                   "settings": {"gap": -1}}),
            How::Whole,
        );
        let body = form.finish().unwrap_err().body();
        let expected = json!({
            "name": ["This field is required."],
            "about": ["This field may not be null."],
            "limit": ["Ensure this value is less than or equal to 9."],
            "site_id": ["Incorrect type. Expected pk value, received str."],
            "method": ["\"none\" is not a valid choice."],
            "ids": ["Expected a list of items but got type \"int\"."],
            "settings": {"gap": ["Ensure this value is greater than or equal to 0."]},
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn a_picture_that_must_be_sent_is_not_null() {
        const PICTURE: &[Field] = &[Field::new("image", "Image", Kind::Image).required()];
        let form = Form::read(PICTURE, json!({"image": null}).into(), How::Whole).unwrap();
        let body = form.finish().unwrap_err().body();
        assert_eq!(body, json!({"image": ["This field may not be null."]}));
    }

    #[test]
    fn a_partial_body_misses_nothing_and_sets_no_default() {
        let form = read(json!({"name": "x"}), How::Partial);
        form.finish().unwrap();
        assert!(!form.has("shuffle"));
    }

    #[test]
    fn a_form_has_dotted_members_and_unticked_boxes() {
        let bytes = b"name=x&limit=&settings.gap=7";
        let kind = Some("application/x-www-form-urlencoded");
        let body = JsonBody::read(kind, bytes).unwrap();
        let form = Form::read(FIELDS, body, How::Whole).unwrap();
        form.finish().unwrap();
        assert_eq!(form.boolean("shuffle"), Some(false));
        assert!(form.is_null("limit"));
        assert_eq!(form.nested("settings").unwrap()["gap"], 7);
    }
}
