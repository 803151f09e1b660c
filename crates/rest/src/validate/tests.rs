//! The messages word for word, and what is read from values of every type, as the recordings of
//! the reference show it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;
use serde_json::json;

/// What a reader gives, or its messages.
fn one<T>(body: Value, read: impl FnOnce(&mut Input) -> Option<T>) -> Result<Option<T>, String> {
    let mut input = Input::new(body).unwrap();
    let value = read(&mut input);
    let end = input.finish(value);
    end.map_err(|error| {
        error.body()["x"].as_array().unwrap()[0]
            .as_str()
            .unwrap()
            .to_owned()
    })
}

fn form(text: &str) -> Input {
    let kind = Some("application/x-www-form-urlencoded");
    Input::new(JsonBody::read(kind, text.as_bytes()).unwrap()).unwrap()
}

fn json_text(text: &str) -> Input {
    Input::new(JsonBody::read(Some("application/json"), text.as_bytes()).unwrap()).unwrap()
}

fn job(input: &mut Input) {
    input.text("name", 255);
    input.integer("delay", 0);
    input.optional_integer("limit", 0);
    input.boolean("shuffle", true);
    input.key("project_id");
    input.optional_key("deployment_id");
    input.slug("job_type_key", 255, "ml");
}

fn messages(mut input: Input) -> Value {
    job(&mut input);
    match input.finish(()) {
        Ok(()) => Value::Null,
        Err(error) => error.body(),
    }
}

#[test]
fn messages_are_word_for_word() {
    let long = "n".repeat(256);
    let bodies = [
        json!({}),
        json!({"name": null, "delay": "x", "limit": "y", "shuffle": "z", "project_id": "q", "job_type_key": null}),
        json!({"name": "", "delay": 1.5, "limit": 2_147_483_648_i64, "shuffle": null, "project_id": [1], "job_type_key": "not a slug!"}),
        json!({"name": true, "delay": null, "limit": true, "project_id": true, "deployment_id": {}}),
        json!({"name": "a\u{0}b", "delay": -1, "project_id": -1, "deployment_id": 1e30}),
        json!({"name": long, "delay": "9".repeat(1001), "project_id": "", "job_type_key": ""}),
        json!({"name": ["a"], "delay": 0, "limit": "99999999999999999999", "project_id": 1.5, "deployment_id": "1.0"}),
        json!({"name": 5, "delay": "7", "limit": null, "shuffle": "on", "project_id": "3", "deployment_id": ""}),
    ];
    let seen: Vec<String> = bodies
        .into_iter()
        .map(|body| messages(Input::new(body).unwrap()).to_string())
        .collect();
    insta::assert_snapshot!(seen.join("\n"));
}

#[test]
fn a_body_that_is_no_object_is_named() {
    for (body, words) in [
        (
            json!([1, 2]),
            "Invalid data. Expected a dictionary, but got list.",
        ),
        (
            json!("abc"),
            "Invalid data. Expected a dictionary, but got str.",
        ),
        (
            json!(1.5),
            "Invalid data. Expected a dictionary, but got float.",
        ),
        (Value::Null, "No data provided"),
    ] {
        let error = Input::new(body).unwrap_err().body();
        assert_eq!(error, json!({"non_field_errors": [words]}));
    }
}

#[test]
fn integers_are_read_leniently() {
    for (value, number) in [
        (json!(5), 5),
        (json!(2.0), 2),
        (json!("7"), 7),
        (json!(" 7 "), 7),
        (json!("7.00"), 7),
        (json!("100"), 100),
        (json!("-3"), -3),
        (json!("+3"), 3),
    ] {
        let got = one(json!({"x": value}), |input| input.integer("x", -9));
        assert_eq!(got, Ok(Some(number)), "{value}");
    }
    for value in [
        json!(1.5),
        json!(true),
        json!([]),
        json!({}),
        json!(""),
        json!("."),
        json!("1e3"),
        json!("1 0"),
        json!(1e16),
    ] {
        let got = one(json!({"x": value}), |input| input.integer("x", 0));
        assert_eq!(got, Err(INVALID_INTEGER.to_owned()), "{value}");
    }
    let lowest = one(json!({"x": -3e9}), |input| input.integer("x", i64::MIN));
    let words = "Ensure this value is greater than or equal to -2147483648.";
    assert_eq!(lowest, Err(words.to_owned()));
}

#[test]
fn numbers_are_read_leniently() {
    for (value, number) in [(json!(1), 1.0), (json!("1.5e1"), 15.0), (json!(true), 1.0)] {
        let got = one(json!({"x": value}), |input| input.number("x"));
        assert_eq!(got, Ok(Some(number)), "{value}");
    }
    for value in [json!("x"), json!("nan"), json!("inf"), json!([]), json!("")] {
        let got = one(json!({"x": value}), |input| input.optional_number("x"));
        assert_eq!(
            got,
            Err("A valid number is required.".to_owned()),
            "{value}"
        );
    }
    assert_eq!(
        one(json!({"x": null}), |i| i.optional_number("x")),
        Ok(None)
    );
}

#[test]
fn truth_is_read_leniently() {
    for (value, truth) in [
        (json!(true), true),
        (json!(1), true),
        (json!(1.0), true),
        (json!("True"), true),
        (json!("on"), true),
        (json!(0), false),
        (json!("false"), false),
        (json!("N"), false),
    ] {
        let got = one(json!({"x": value}), |input| input.boolean("x", !truth));
        assert_eq!(got, Ok(Some(truth)), "{value}");
    }
    for value in [
        json!(2),
        json!("maybe"),
        json!([]),
        json!(""),
        json!("tRUE"),
    ] {
        let got = one(json!({"x": value}), |input| input.boolean("x", true));
        assert_eq!(got, Err("Must be a valid boolean.".to_owned()), "{value}");
    }
    for body in [
        json!({}),
        json!({"x": null}),
        json!({"x": ""}),
        json!({"x": "null"}),
    ] {
        assert_eq!(one(body, |input| input.optional_boolean("x")), Ok(None));
    }
}

#[test]
fn texts_are_trimmed_and_may_be_numbers() {
    for (value, text) in [
        (json!("  trimmed  "), "trimmed"),
        (json!(12345), "12345"),
        (json!(5.0), "5.0"),
        (json!(1e16), "1e+16"),
        (json!("ćma 🦋"), "ćma 🦋"),
    ] {
        let got = one(json!({"x": value}), |input| input.text("x", 9));
        assert_eq!(got, Ok(Some(text.to_owned())), "{value}");
    }
    for body in [json!({}), json!({"x": null}), json!({"x": " "})] {
        assert_eq!(one(body, |input| input.optional_text("x", 9)), Ok(None));
    }
    let if_sent = |body| one(body, |input| input.text_if_sent("x", 9));
    assert_eq!(if_sent(json!({})), Ok(None));
    assert_eq!(if_sent(json!({"x": null})), Err(NULL.to_owned()));
    let blank = "This field may not be blank.".to_owned();
    assert_eq!(if_sent(json!({"x": ""})), Err(blank));
}

#[test]
fn all_that_is_wrong_with_a_text_is_said() {
    let mut input = Input::new(json!({"x": "a\u{0}b c"})).unwrap();
    input.slug("x", 3, "");
    let body = input.finish(()).unwrap_err().body();
    let expected = json!({"x": [
        "Ensure this field has no more than 3 characters.",
        "Null characters are not allowed.",
        "Enter a valid \"slug\" consisting of letters, numbers, underscores or hyphens.",
    ]});
    assert_eq!(body, expected);
}

#[test]
fn keys_are_read_as_recorded() {
    for (value, key) in [
        (json!(1), 1),
        (json!("1"), 1),
        (json!(1.0), 1),
        (json!(-1), -1),
    ] {
        let got = one(json!({"x": value}), |input| input.key("x"));
        assert_eq!(got, Ok(Some(key)), "{value}");
    }
    for body in [json!({}), json!({"x": null}), json!({"x": ""})] {
        assert_eq!(one(body, |input| input.optional_key("x")), Ok(None));
    }
    let mut huge = json_text(r#"{"x": 99999999999999999999999, "y": 99999999999999999999999}"#);
    huge.key("x");
    huge.integer("y", 0);
    let body = huge.finish(()).unwrap_err().body();
    let missing = "Invalid pk \"99999999999999999999999\" - object does not exist.";
    let large = "Ensure this value is less than or equal to 2147483647.";
    assert_eq!(body, json!({"x": [missing], "y": [large]}));
}

#[test]
fn choices_are_named() {
    let read = |value| {
        one(json!({"x": value}), |input| {
            input.choice("x", &["csv", "json"])
        })
    };
    assert_eq!(read(json!("csv")), Ok(Some("csv")));
    assert_eq!(
        read(json!("xml")),
        Err("\"xml\" is not a valid choice.".to_owned())
    );
    assert_eq!(
        read(json!(true)),
        Err("\"True\" is not a valid choice.".to_owned())
    );
    assert_eq!(read(Value::Null), Err(NULL.to_owned()));
}

#[test]
fn a_value_of_any_shape_is_kept() {
    let value = json!({"a": [1, null]});
    assert_eq!(one(json!({"x": value}), |i| i.json("x")), Ok(Some(value)));
    assert_eq!(one(json!({}), |i| i.json("x")), Ok(None));
}

#[test]
fn forms_leave_empty_what_has_no_value() {
    let mut input = form("name=form&delay=0&project_id=1");
    assert_eq!(
        input.boolean("shuffle", true),
        Some(false),
        "an empty box is not sent"
    );
    assert_eq!(input.integer("delay", 0), Some(0));
    let mut input = form("shuffle=&limit=&deployment_id=&delay=");
    assert_eq!(input.boolean("shuffle", true), Some(true));
    assert_eq!(input.optional_integer("limit", 0), None);
    assert_eq!(input.optional_key("deployment_id"), None);
    assert!(input.errors.is_empty());
    assert_eq!(input.integer("delay", 0), None);
    assert!(!input.errors.is_empty());
}

#[test]
fn what_a_partial_change_does_not_send_is_not_missed() {
    let mut input = form("limit=5").partial();
    job(&mut input);
    assert_eq!(input.boolean("shuffle", true), Some(true));
    assert!(!input.has("name"));
    assert!(input.finish(()).is_ok());
    let null = Input::new(json!({"name": null})).unwrap().partial();
    assert_eq!(messages(null), json!({"name": [NULL]}));
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        "[-+0-9. ]{0,24}".prop_map(Value::from),
        Just(json!([1])),
        Just(json!({"a": 1})),
    ]
}

proptest! {
    #[test]
    fn a_required_value_is_read_or_complained_about(value in any_value(), is_form in any::<bool>()) {
        let readers: [fn(&mut Input) -> bool; 7] = [
            |i| i.text("x", 5).is_some(),
            |i| i.slug("x", 5, "y").is_some(),
            |i| i.integer("x", 0).is_some(),
            |i| i.number("x").is_some(),
            |i| i.boolean("x", true).is_some(),
            |i| i.choice("x", &["a"]).is_some(),
            |i| i.key("x").is_some(),
        ];
        for read in readers {
            let body = JsonBody { is_form, ..JsonBody::from(json!({"x": value})) };
            let mut input = Input::new(body).unwrap();
            let is_read = read(&mut input);
            prop_assert_eq!(is_read, input.errors.is_empty());
        }
    }
}
