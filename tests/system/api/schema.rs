//! The OpenAPI document is true: it is served and committed as the tables say it, and every
//! address answers with what it declares, the keys in its order, whoever asks.

use std::collections::{BTreeMap, BTreeSet};

use domain::permission::Role;
use serde_json::{Value, json};
use store::testing;

use crate::app::{Answer, Client, TestApp};

mod check;
mod made;
mod world;

/// Rows of a list that are looked at one by one.
const ROWS: usize = 6;

/// Addresses of single rows for which the fixture has none, and why.
const NO_ROWS: &[(&str, &str)] = &[(
    "/api/v2/captures/thumbnails/{id}/",
    "the list above refuses; the rows are those of captures",
)];

#[test]
fn the_committed_document_is_what_the_tables_say() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let committed = std::fs::read_to_string(file).unwrap_or_default();
    let said = format!("{:#}\n", web::openapi());
    assert!(
        committed == said,
        "openapi.json is not what the tables say: cargo run -- schema > openapi.json"
    );
}

#[tokio::test]
async fn the_document_is_served_in_each_of_its_representations() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let anyone = app.anonymous();
        for (path, kind) in [
            (
                "/api/v2/schema/",
                "application/vnd.oai.openapi; charset=utf-8",
            ),
            (
                "/api/v2/schema/?format=yaml",
                "application/vnd.oai.openapi; charset=utf-8",
            ),
            (
                "/api/v2/schema/?format=json",
                "application/vnd.oai.openapi+json",
            ),
            ("/api/v2/schema.json", "application/vnd.oai.openapi+json"),
            ("/api/v2/docs/", "text/html; charset=utf-8"),
        ] {
            let answer = anyone.get(path).await;
            assert_eq!(answer.status, 200, "{path}");
            assert_eq!(answer.headers["content-type"], kind, "{path}");
            assert_eq!(answer.headers["allow"], "GET, HEAD, OPTIONS", "{path}");
            assert_eq!(answer.headers["x-frame-options"], "DENY", "{path}");
            if kind.ends_with("json") {
                assert_eq!(answer.json(), *web::openapi());
            }
        }
        for (accept, status, kind) in [
            ("application/yaml", 200, "application/yaml; charset=utf-8"),
            ("application/json", 200, "application/json"),
            (
                "text/html,*/*;q=0.8",
                200,
                "application/vnd.oai.openapi; charset=utf-8",
            ),
            ("text/html", 406, "application/json"),
        ] {
            let answer = anyone.accepting("/api/v2/schema/", accept).await;
            assert_eq!(answer.status, status, "{accept}");
            assert_eq!(answer.headers["content-type"], kind, "{accept}");
        }
        assert_eq!(anyone.get("/api/v2/schema/?format=xml").await.status, 404);
        let page = anyone.get("/api/v2/docs/").await.text;
        for words in [
            "/api/v2/jobs/{id}/",
            "jobs_list",
            "schema-Job",
            "logs_limit",
        ] {
            assert!(page.contains(words), "{words} is missing");
        }
        assert!(!page.contains("src=\"http"), "nothing comes from elsewhere");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_answers_as_it_declares() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = world::fill(&app).await;
        let admin = app.superuser().await;
        let member = app.member(&project, Some(Role::BasicMember)).await;
        let anyone = app.anonymous();
        let mut faults = BTreeSet::new();
        for (template, operation) in gets() {
            let addresses = addresses(&admin, project.id, template).await;
            let none = NO_ROWS.iter().any(|(path, _)| *path == template);
            if addresses.is_empty() != none {
                faults.insert(format!("{template}: {} rows", addresses.len()));
            }
            for address in addresses {
                for query in queries(operation) {
                    let path = format!("{address}{}", asked(operation, &query, project.id));
                    for (who, name) in [(&admin, "admin"), (&member, "member"), (&anyone, "anyone")]
                    {
                        let answer = who.get(&path).await;
                        if let Err(fault) = fits(operation, &answer) {
                            faults.insert(format!("GET {path} as {name}: {fault}"));
                        }
                    }
                }
            }
        }
        let faults: Vec<String> = faults.into_iter().collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

/// Every address that answers GET, with what it declares.
fn gets() -> Vec<(&'static str, &'static Value)> {
    let paths = web::openapi()["paths"].as_object().unwrap();
    let gets = paths
        .iter()
        .filter_map(|(path, item)| Some((path.as_str(), item.get("get")?)));
    gets.collect()
}

/// The addresses of a template: its rows are found in the list above each name in braces.
async fn addresses(who: &Client<'_>, project: i64, template: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for part in template.split_inclusive('/') {
        if !part.starts_with('{') {
            found.iter_mut().for_each(|address| address.push_str(part));
            continue;
        }
        let mut longer = Vec::new();
        for address in &found {
            let list = who
                .get(&format!("{address}?limit=200&project_id={project}"))
                .await;
            if list.status != 200 {
                continue;
            }
            let list = list.json();
            let rows = list["results"].as_array().cloned().unwrap_or_default();
            let slugged = part.starts_with("{slug}");
            let ids = rows.iter().filter_map(|row| match slugged {
                true => Some(row["slug"].as_str()?.to_owned()),
                false => Some(row["id"].as_i64()?.to_string()),
            });
            longer.extend(ids.take(ROWS).map(|id| format!("{address}{id}/")));
        }
        found = longer;
    }
    found
}

/// The plain query, and one for each thing that a parameter can be.
fn queries(operation: &Value) -> Vec<String> {
    let mut queries = vec![String::new()];
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = check::resolved(parameter);
        if parameter["in"] != "query" || parameter["name"] == "format" {
            continue;
        }
        let name = parameter["name"].as_str().unwrap();
        let schema = &parameter["schema"];
        let choices = schema["enum"]
            .as_array()
            .or(schema["items"]["enum"].as_array());
        let values: Vec<String> = match (choices, schema["type"].as_str()) {
            (Some(choices), _) => {
                let texts = choices.iter().filter_map(Value::as_str);
                texts.map(str::to_owned).collect()
            }
            (None, Some("boolean")) => vec!["true".to_owned(), "false".to_owned()],
            (None, Some("integer" | "number")) => vec!["1".to_owned()],
            (None, Some("array")) => vec!["1,2".to_owned()],
            (None, _) => vec!["a".to_owned()],
        };
        queries.extend(values.iter().map(|value| format!("?{name}={value}")));
    }
    queries
}

/// The query with what every query of the address must name.
fn asked(operation: &Value, query: &str, project: i64) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let needs = |parameter: &&Value| parameter["in"] == "query" && parameter["required"] == true;
    let mut query = query.to_owned();
    for parameter in parameters.filter(needs) {
        let name = parameter["name"].as_str().unwrap();
        if !query.contains(&format!("{name}=")) {
            let joint = if query.is_empty() { '?' } else { '&' };
            query = format!("{query}{joint}{name}={project}");
        }
    }
    query
}

/// Whether an answer is one of those that are declared.
fn fits(operation: &Value, answer: &Answer) -> Result<(), String> {
    let status = answer.status.as_u16().to_string();
    let declared = operation["responses"].get(&status);
    let declared = declared.ok_or_else(|| format!("{status} is not declared: {}", answer.text))?;
    let kind = answer
        .headers
        .get("content-type")
        .map_or("", |kind| kind.to_str().unwrap());
    let kind = kind.split(';').next().unwrap_or_default();
    let content = &check::resolved(declared)["content"];
    let content = content
        .get(kind)
        .ok_or_else(|| format!("{status} as {kind} is not declared"))?;
    if kind != "application/json" {
        return Ok(());
    }
    check::check(&content["schema"], &answer.json())
}

#[test]
fn a_check_that_finds_nothing_would_be_no_check() {
    let schema = json!({"$ref": "#/components/schemas/Detail"});
    assert!(check::check(&schema, &json!({"detail": "x"})).is_ok());
    assert!(check::check(&schema, &json!({"detail": 3})).is_err());
    assert!(check::check(&schema, &json!({"detail": "x", "more": 1})).is_err());
    let pair = json!({"properties": {"a": {}, "b": {}}});
    assert!(check::check(&pair, &json!({"a": 1, "b": 1})).is_ok());
    assert!(check::check(&pair, &json!({"b": 1, "a": 1})).is_err());
    let counted: BTreeMap<&str, &Value> = gets().into_iter().collect();
    assert!(counted.len() > 15);
}
