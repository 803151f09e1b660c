//! Refusals as the web client's forms read them (`ui.md` §B.2). The idea: a field's fault is a
//! list of texts under the field's name in the form; what is about no field is a sentence.

use serde_json::Value;

use super::ask::Prepared;
use super::world::World;

/// Method, address, body, and the fields that the answer names.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

const CASES: &[Case] = &[
    (
        "POST",
        "/auth/token/login/",
        r#"{"email": "nobody@example.org", "password": "x"}"#,
        &["non_field_errors"],
    ),
    (
        "POST",
        "/jobs/",
        r#"{"project_id": "$shop"}"#,
        &["name", "delay"],
    ),
    (
        "POST",
        "/jobs/",
        r#"{"name": "n", "delay": 0, "project_id": "$shop", "pipeline_id": "999999"}"#,
        &["pipeline_id"],
    ),
    ("POST", "/projects/", r#"{"name": ""}"#, &["name"]),
    (
        "POST",
        "/captures/collections/?project_id=$shop",
        r#"{"name": "", "project": "$shop", "method": "none", "kwargs": {}}"#,
        &["name", "method"],
    ),
    (
        "POST",
        "/deployments/",
        r#"{"name": "", "latitude": "north", "project_id": "$shop"}"#,
        &["name", "latitude"],
    ),
    (
        "POST",
        "/deployments/sites/?project_id=$shop",
        r#"{"project": "$shop"}"#,
        &["name"],
    ),
    (
        "POST",
        "/deployments/devices/?project_id=$shop",
        r#"{"project": "$shop"}"#,
        &["name"],
    ),
    (
        "POST",
        "/storage/?project_id=$shop",
        r#"{"project": "$shop"}"#,
        &["name", "bucket"],
    ),
    (
        "POST",
        "/ml/processing_services/?project_id=$shop",
        r#"{"project": "$shop"}"#,
        &["name"],
    ),
    (
        "POST",
        "/exports/?project_id=$shop",
        r#"{"project": "$shop", "format": "paper", "filters": {}}"#,
        &["format"],
    ),
    (
        "POST",
        "/projects/$shop/members/",
        r#"{"email": "nobody@example.org", "role_id": "BasicMember"}"#,
        &["email"],
    ),
    (
        "POST",
        "/projects/$shop/members/",
        r#"{"email": "basic@example.org", "role_id": "None"}"#,
        &["role_id"],
    ),
    (
        "POST",
        "/projects/$shop/members/",
        r#"{"email": "basic@example.org", "role_id": "BasicMember"}"#,
        &["non_field_errors"],
    ),
    ("POST", "/identifications/", "{}", &["occurrence_id"]),
    ("POST", "/taxa/lists/?project_id=$shop", "{}", &["name"]),
    (
        "POST",
        "/users/set_password/",
        r#"{"current_password": "wrong", "new_password": "another-secret-9"}"#,
        &["current_password"],
    ),
    (
        "POST",
        "/captures/upload/?process_now=True",
        "{}",
        &["image"],
    ),
    (
        "PATCH",
        "/projects/$shop/",
        r#"{"settings": {"session_time_gap_seconds": "long"}}"#,
        &["settings"],
    ),
    ("PATCH", "/users/me/", r#"{"name": null}"#, &["name"]),
];

/// What is wrong with the refusals.
pub async fn faults(world: &World) -> Vec<String> {
    let mut faults = Vec::new();
    for (method, path, body, fields) in CASES {
        let fill = |text: &str| world.filled(text, &Prepared::default());
        let client = world.superuser();
        let path = fill(&format!("/api/v2{path}"));
        let answer = client
            .send(method.parse().expect("a method"), &path, Some(fill(body)))
            .await;
        let mut say = |what: String| faults.push(format!("{method} {path} {body}: {what}"));
        if answer.status != 400 {
            say(format!("heard {} {}", answer.status, answer.text));
            continue;
        }
        let said = answer.json();
        for field in *fields {
            if said.get(field).is_none() {
                say(format!("{field} is not named in {said}"));
            }
        }
        for (name, value) in said.as_object().into_iter().flatten() {
            if !reads(name, value) {
                say(format!("{name} holds {value}"));
            }
        }
    }
    faults
}

/// Of a field the client shows the first element, of what is about no field all of it.
fn reads(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("detail", value) => value.is_string(),
        // Nested rows hold their own.
        ("settings" | "kwargs", Value::Object(inner)) => {
            inner.iter().all(|(name, value)| reads(name, value))
        }
        (_, Value::Array(list)) => !list.is_empty() && list.iter().all(Value::is_string),
        _ => false,
    }
}
