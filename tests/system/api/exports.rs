//! `/api/v2/exports/`: the record, its job and the file that it writes.

use domain::permission::Role;
use reqwest::Method;
use serde_json::{Value, json};
use store::testing;

use crate::app::{Client, TestApp};

const EXPORTS: &str = "/api/v2/exports/";

#[tokio::test]
async fn an_export_is_a_record_with_a_job() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let other = app.project("Flies", false).await;
        app.insects(&project).await;
        let researcher = app.member(&project, Some(Role::Researcher)).await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let new = json!({"project": project.id, "format": "occurrences_simple_csv"});
        assert_eq!(app.anonymous().post(EXPORTS, new.clone()).await.status, 401);
        assert_eq!(basic.post(EXPORTS, new.clone()).await.status, 403);
        let missing = json!(["This field is required."]);
        let empty = researcher.post(EXPORTS, json!({})).await.json();
        assert_eq!(empty, json!({"project": missing, "format": missing}));
        let bad = json!({"project": project.id, "format": "xml", "filters": "x"});
        let bad = researcher.post(EXPORTS, bad).await.json();
        let words = "Expected a dictionary of items but got type \"str\".";
        let expected = json!({
            "format": ["\"xml\" is not a valid choice."], "filters": [words],
        });
        assert_eq!(bad, expected);

        let set = store::capture_set::NewCaptureSet {
            project_id: other.id,
            name: "Theirs".to_owned(),
            method: "full".to_owned(),
            ..Default::default()
        };
        let theirs = app.store.create_capture_set(set.clone()).await.unwrap();
        let ours = store::capture_set::NewCaptureSet {
            project_id: project.id,
            name: "Ours".to_owned(),
            ..set
        };
        let ours = app.store.create_capture_set(ours).await.unwrap();
        let of = |set: i64| {
            json!({"project": project.id, "format": "occurrences_api_json",
                   "filters": {"collection_id": set}})
        };
        let gone = researcher.post(EXPORTS, of(9999)).await;
        assert_eq!(gone.status, 400);
        assert_eq!(gone.json(), json!({"error": "Capture set does not exist."}));
        let wrong = researcher.post(EXPORTS, of(theirs.id)).await.json();
        let words = "Capture set does not belong to the selected project.";
        assert_eq!(wrong, json!({"error": words}));
        let narrow = researcher.post(EXPORTS, of(ours.id)).await.json();
        assert_eq!(narrow["record_count"], 0, "the set is empty");
        let display = json!({"collection": {"id": ours.id, "name": "Ours"}});
        assert_eq!(narrow["filters_display"], display);
        let name = format!("Export occurrences for capture set {}", ours.id);
        assert_eq!(narrow["job"]["name"], json!(name));

        let made = researcher.post(EXPORTS, new).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        let expected = [
            "id",
            "user",
            "format",
            "filters",
            "filters_display",
            "job",
            "file_url",
            "record_count",
            "file_size",
            "file_size_display",
            "created_at",
            "updated_at",
            "user_permissions",
        ];
        let keys: Vec<&String> = made.as_object().unwrap().keys().collect();
        assert_eq!(keys, expected);
        assert_eq!(made["record_count"], 6, "whatever the default filters say");
        assert_eq!(made["user_permissions"], json!(["delete"]));
        assert_eq!(made["file_size_display"], Value::Null);
        let job = app.ended(made["job"]["id"].as_i64().unwrap()).await;
        assert_eq!(job.state, "SUCCESS");

        let list = format!("{EXPORTS}?project_id={}&ordering=-created_at", project.id);
        let list = researcher.get(&list).await.json();
        assert_eq!(list["count"], 2);
        assert_eq!(list["results"][0]["id"], made["id"]);
        assert_eq!(list["user_permissions"], json!(["create"]));
        let one = format!("{EXPORTS}{}/", made["id"]);
        let shown = researcher.get(&one).await.json();
        let url = shown["file_url"].as_str().unwrap();
        let name = format!("/media/exports/moths_export-{}.csv", made["id"]);
        assert_eq!(
            url,
            format!("{}{name}", app.url),
            "as recorded: no signature"
        );
        let file = app.anonymous().get(&name).await;
        assert_eq!((file.status.as_u16(), file.text.lines().count()), (200, 7));
        assert_eq!(shown["file_size"], json!(file.text.len()));
        assert!(
            shown["file_size_display"]
                .as_str()
                .unwrap()
                .ends_with("\u{a0}KB")
        );
        let patch = json!({"format": "occurrences_api_json"}).to_string();
        let patched = researcher
            .send(Method::PATCH, &one, Some(patch.clone()))
            .await;
        assert_eq!(patched.status, 403);
        let patched = app
            .superuser()
            .await
            .send(Method::PATCH, &one, Some(patch))
            .await;
        assert_eq!(patched.json()["format"], "occurrences_api_json");
        assert_eq!(basic.send(Method::DELETE, &one, None).await.status, 403);
        assert_eq!(
            researcher.send(Method::DELETE, &one, None).await.status,
            204
        );
        assert_eq!(researcher.get(&one).await.status, 404);
        assert!(app.store.job(job.id).await.is_err(), "its job is gone too");
        assert_eq!(app.anonymous().get(&name).await.status, 404, "and its file");
    }
}

/// Makes an export and waits until its file is there; the record.
async fn written(app: &TestApp, user: &Client<'_>, project: i64, format: &str) -> Value {
    let new = json!({"project": project, "format": format, "filters": {}});
    let made = user.post(EXPORTS, new).await.json();
    let job = app.ended(made["job"]["id"].as_i64().unwrap()).await;
    assert_eq!(job.state, "SUCCESS");
    user.get(&format!("{EXPORTS}{}/", made["id"])).await.json()
}

#[tokio::test]
async fn a_drafts_file_is_behind_a_signed_link() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Secret", true).await;
        app.insects(&project).await;
        let researcher = app.member(&project, Some(Role::Researcher)).await;
        for format in domain::export::FORMATS {
            let export = written(&app, &researcher, project.id, format.key).await;
            let url = export["file_url"].as_str().unwrap();
            let link = url.strip_prefix(&app.url).unwrap();
            let (path, _) = link.split_once("?expires=").unwrap();
            let answer = reqwest::get(url).await.unwrap();
            assert_eq!(answer.status(), 200);
            let kept = answer.headers()["content-disposition"].to_str().unwrap();
            assert!(
                kept.starts_with("attachment; filename=\"secret_export-"),
                "{kept}"
            );
            let length = answer.bytes().await.unwrap().len();
            assert_eq!(export["file_size"], json!(length));
            assert_eq!(app.anonymous().get(path).await.status, 404);
            let changed = link.replace("signature=", "signature=00");
            assert_eq!(app.anonymous().get(&changed).await.status, 404);
        }
    }
}

/// An answer without what depends on who looks and when: permissions, links and the duration.
fn bare(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.shift_remove("user_permissions");
            map.shift_remove("duration");
            map.values_mut().for_each(bare);
        }
        Value::Array(list) => list.iter_mut().for_each(bare),
        Value::String(text) if text.contains("/media/") => {
            let path = text.split('?').next().unwrap_or_default();
            let at = path.find("/media/").unwrap_or_default();
            *text = path[at..].to_owned();
        }
        _ => {}
    }
}

#[tokio::test]
async fn an_occurrence_in_json_is_what_the_api_shows() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        app.insects(&project).await;
        let researcher = app.member(&project, Some(Role::Researcher)).await;
        let identifier = app.member(&project, Some(Role::Identifier)).await;
        let one = app.store.occurrences_page(&Default::default(), 1, 0).await;
        let one = one.unwrap().0.remove(0);
        let said = json!({"occurrence_id": one.id, "taxon_id": one.determination_id,
                          "comment": "so it is"});
        let said = identifier.post("/api/v2/identifications/", said).await;
        assert_eq!(said.status, 201, "{}", said.text);
        let export = written(&app, &researcher, project.id, domain::export::JSON).await;
        let url = export["file_url"].as_str().unwrap();
        let file = app
            .anonymous()
            .get(url.strip_prefix(&app.url).unwrap())
            .await;
        let list = file.json();
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), 6);
        for row in list {
            let path = format!("/api/v2/occurrences/{}/", row["id"]);
            let mut shown = app.superuser().await.get(&path).await.json();
            let mut row = row.clone();
            assert!(row.get("user_permissions").is_none());
            assert!(row["duration"].as_str().unwrap().starts_with("P0DT00H"));
            bare(&mut shown);
            bare(&mut row);
            assert_eq!(row, shown);
        }
    }
}
