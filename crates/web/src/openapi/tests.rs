//! The document as a whole.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashSet;

use super::*;

/// Every object of the document.
fn walk<'a>(value: &'a Value, seen: &mut Vec<&'a Map<String, Value>>) {
    match value {
        Value::Object(map) => {
            seen.push(map);
            map.values().for_each(|value| walk(value, seen));
        }
        Value::Array(list) => list.iter().for_each(|value| walk(value, seen)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let mut objects = Vec::new();
    walk(document(), &mut objects);
    let references = objects.iter().filter_map(|o| o.get("$ref")?.as_str());
    let mut count = 0;
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document().pointer(pointer).is_some(), "{reference}");
        count += 1;
    }
    assert!(count > 100, "only {count} references");
}

#[test]
fn every_method_of_every_address_is_described_under_a_name_of_its_own() {
    let mut names = HashSet::new();
    for view in views::all() {
        let item = &document()["paths"][format!("/api/v2{}/", view.path)];
        for method in view
            .allow
            .split(", ")
            .filter(|m| !["HEAD", "OPTIONS"].contains(m))
        {
            let operation = &item[method.to_lowercase()];
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            let said = operation["description"].as_str().unwrap();
            assert!(!said.is_empty(), "{name} has no description");
            let declared = operation["responses"].as_object().unwrap();
            let refused = view.contract.refused.contains(&method);
            let wanted = match (method, refused, view.contract.got) {
                ("GET", true, _) => "405",
                ("GET", _, [Answer::Moved]) => "302",
                (_, true, _) => "4",
                _ => "2",
            };
            assert!(
                declared.keys().any(|status| status.starts_with(wanted)),
                "{name}"
            );
            let succeeds = declared.keys().any(|status| status.starts_with('2'));
            assert!(!(refused && succeeds), "{name}");
            for parameter in view.path.split('/').filter_map(|p| p.strip_prefix('{')) {
                let wanted = parameter.trim_end_matches('}');
                let parameters = operation["parameters"].as_array().unwrap();
                assert!(parameters.iter().any(|p| p["name"] == wanted), "{name}");
            }
        }
    }
}

#[test]
fn names_are_those_that_generated_clients_know() {
    for (path, method, name) in [
        ("/api/v2/jobs/", "get", "jobs_list"),
        ("/api/v2/jobs/", "post", "jobs_create"),
        ("/api/v2/jobs/{id}/", "get", "jobs_retrieve"),
        ("/api/v2/jobs/{id}/", "put", "jobs_update"),
        ("/api/v2/jobs/{id}/", "patch", "jobs_partial_update"),
        ("/api/v2/jobs/{id}/", "delete", "jobs_destroy"),
        ("/api/v2/jobs/{id}/run/", "post", "jobs_run_create"),
        (
            "/api/v2/auth/token/login/",
            "post",
            "auth_token_login_create",
        ),
        ("/api/v2/users/me/", "get", "users_me_retrieve"),
        (
            "/api/v2/projects/{id}/members/",
            "get",
            "projects_members_list",
        ),
    ] {
        assert_eq!(document()["paths"][path][method]["operationId"], name);
    }
}
