//! `/api/v2/storage/`: secrets go in and never come out, totals are counted, folders of the server
//! stay what they are, and a test says what a storage answers.

use domain::permission::Role;
use serde_json::{Value, json};
use store::testing;

use crate::app::{TestApp, keys};

const LIST: &str = "/api/v2/storage/";
const MISSING: &str = "This field is required.";

#[tokio::test]
async fn a_bucket_is_made_shown_edited_and_deleted() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let new = json!({
            "name": "Bucket", "bucket": "b", "prefix": "x", "access_key": "open-key",
            "secret_key": "swordfish", "endpoint_url": "http://127.0.0.1:9",
            "public_base_url": "http://example.org/b", "project": project.id,
        });
        assert_eq!(app.anonymous().post(LIST, new.clone()).await.status, 401);
        assert_eq!(basic.post(LIST, new.clone()).await.status, 403);
        let empty = manager.post(LIST, json!({})).await.json();
        assert_eq!(
            empty,
            json!({"name": [MISSING], "bucket": [MISSING], "project": [MISSING]})
        );
        let made = manager.post(LIST, new).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        let wanted = [
            "id",
            "details",
            "name",
            "bucket",
            "prefix",
            "endpoint_url",
            "public_base_url",
            "project",
            "deployments_count",
            "total_files_indexed",
            "total_size_indexed_display",
            "total_size_indexed",
            "total_captures_indexed",
            "last_checked",
            "created_at",
            "updated_at",
            "user_permissions",
        ];
        assert_eq!(keys(&made), wanted);
        assert_eq!(made["total_size_indexed_display"], "0\u{a0}bytes");
        assert_eq!(made["total_captures_indexed"], Value::Null);
        let id = made["id"].as_i64().unwrap();
        let one = format!("{LIST}{id}/");
        let row = app.store.source(id).await.unwrap();
        let stored = format!("{row:?}");
        assert!(
            !stored.contains("swordfish") && !stored.contains("open-key"),
            "{stored}"
        );
        let vault = app.tools.links.vault();
        assert_eq!(vault.open(&row.secret_key).as_deref(), Some("swordfish"));
        let patched = manager
            .patch(&one, json!({"name": "Other", "endpoint_url": ""}))
            .await;
        let patched = patched.json();
        assert_eq!(
            (&patched["name"], &patched["endpoint_url"]),
            (&json!("Other"), &Value::Null)
        );
        let after = app.store.source(id).await.unwrap();
        assert_eq!(after.secret_key, row.secret_key, "what is not sent stays");
        assert_eq!(basic.patch(&one, json!({"name": "x"})).await.status, 403);
        let null = manager.patch(&one, json!({"name": null})).await.json();
        assert_eq!(null, json!({"name": ["This field may not be null."]}));
        let list = app.anonymous().get(LIST).await.json();
        assert_eq!(
            (&list["count"], &list["user_permissions"]),
            (&json!(1), &json!([]))
        );
        assert_eq!(manager.delete(&one).await.status, 204);
        assert_eq!(manager.get(&one).await.status, 404);
    }
}

#[tokio::test]
async fn a_public_address_is_one_of_the_web() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let capture = app.capture(&station, "20220810220000.jpg", b"x").await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let new = |base: &str| {
            json!({"name": "Bucket", "bucket": "b", "project": project.id,
                   "public_base_url": base})
        };
        let words = "Enter a valid URL that begins with http:// or https://.";
        let refused = json!({"public_base_url": [words]});
        let script = "javascript://h/%0aalert(document.cookie)//";
        for base in [script, "data://text/html,x", "ftp://h/", "/media/"] {
            let answer = manager.post(LIST, new(base)).await;
            assert_eq!(
                (answer.status.as_u16(), answer.json()),
                (400, refused.clone())
            );
        }
        let made = manager.post(LIST, new("https://example.org/b/")).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let source = made.json()["id"].as_i64().unwrap();
        let one = format!("{LIST}{source}/");
        let changed = manager
            .patch(&one, json!({"public_base_url": script}))
            .await;
        assert_eq!((changed.status.as_u16(), changed.json()), (400, refused));
        for none in [json!(""), Value::Null] {
            let emptied = manager.patch(&one, json!({"public_base_url": none})).await;
            assert_eq!(emptied.json()["public_base_url"], Value::Null);
        }
        // One that an import brought leads nowhere.
        let change = store::source::SourceChange {
            public_base_url: Some(Some(script.to_owned())),
            ..Default::default()
        };
        let permit = domain::permission::Permit::BY_PROGRAM;
        app.store
            .change_source(permit, source, change)
            .await
            .unwrap();
        let to = format!("/api/v2/deployments/{}/", station.id);
        let admin = app.superuser().await;
        let moved = admin.patch(&to, json!({"data_source_id": source})).await;
        assert_eq!(moved.status, 200, "{}", moved.text);
        let page = format!("/projects/{}/captures/{capture}", project.id);
        let page = manager.get(&page).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(!page.text.contains("javascript:"), "{}", page.text);
        assert!(page.text.contains("The photograph has no address"));
    }
}

#[tokio::test]
async fn totals_are_those_of_its_stations() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let at = store::now();
        app.store
            .update_source_totals(station.id, 6, 160_690, at)
            .await
            .unwrap();
        app.capture(&station, "20220810220000.jpg", b"x").await;
        app.store.refresh_station(station.id).await.unwrap();
        let source = app.anonymous().get(LIST).await.json()["results"][0].clone();
        assert_eq!(source["deployments_count"], 1);
        assert_eq!(source["total_files_indexed"], 6);
        assert_eq!(source["total_size_indexed_display"], "156.9\u{a0}KB");
        assert_eq!(source["total_captures_indexed"], 1);
    }
}

#[tokio::test]
async fn a_folder_of_the_server_stays_what_it_is() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        app.capture(&station, "20220810220000.jpg", b"x").await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let one = format!("{LIST}{}/", station.source_id.unwrap());
        let shown = manager.get(&one).await.json();
        assert_eq!(shown["bucket"], "photographs", "only its name");
        let same = json!({
            "name": "Renamed", "bucket": "photographs", "endpoint_url": "http://h/",
            "access_key": "k", "project": project.id,
        });
        let renamed = manager.patch(&one, same).await.json();
        assert_eq!(
            (&renamed["name"], &renamed["endpoint_url"]),
            (&json!("Renamed"), &Value::Null)
        );
        let stolen = manager.patch(&one, json!({"bucket": "/etc"})).await;
        assert_eq!(stolen.status, 400, "{}", stolen.text);

        let test = format!("{one}test/");
        let found = manager.post(&test, json!({})).await;
        assert_eq!(found.status, 200, "{}", found.text);
        let found = found.json();
        let wanted = [
            "connection_successful",
            "prefix_exists",
            "latency",
            "total_time",
            "error_code",
            "error_message",
            "files_checked",
            "first_file_found",
            "full_uri",
        ];
        assert_eq!(keys(&found), wanted);
        assert_eq!(
            (&found["prefix_exists"], &found["files_checked"]),
            (&json!(true), &json!(1))
        );
        assert_eq!(found["full_uri"], "folder://photographs/");
        let photograph = app
            .anonymous()
            .get(found["first_file_found"].as_str().unwrap())
            .await;
        assert_eq!(photograph.text, "x");
        for (body, code) in [
            (json!({"subdir": "none"}), "NoFilesFound"),
            (json!({"regex_filter": r"\.png$"}), "NoMatchingFilesFound"),
        ] {
            let answer = manager.post(&test, body).await;
            assert_eq!(answer.status, 200);
            let answer = answer.json();
            assert_eq!(answer["error_code"], code);
            assert_eq!(answer["connection_successful"], true);
        }
        let words = "missing ), unterminated subpattern at position 0";
        let broken = manager.post(&test, json!({"regex_filter": "("})).await;
        assert_eq!(broken.status, 400);
        assert_eq!(broken.json(), json!({"detail": words, "code": words}));
        let out = manager.post(&test, json!({"subdir": "../.."})).await;
        assert_eq!(out.json()["code"], "InvalidPath");
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        assert_eq!(basic.post(&test, json!({})).await.status, 403);
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_there_says_so() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let new = json!({
            "name": "Bucket", "bucket": "b", "endpoint_url": "http://127.0.0.1:9",
            "access_key": "k", "secret_key": "swordfish", "project": project.id,
        });
        let id = manager.post(LIST, new).await.json()["id"].clone();
        let answer = manager.post(&format!("{LIST}{id}/test/"), json!({})).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["code"], "ConnectionError");
        assert!(!answer.text.contains("swordfish"));
    }
}
