//! Representations, OPTIONS, methods and headers: what all addresses have in common.

use reqwest::Method;
use serde_json::json;
use store::testing;

use crate::app::TestApp;

#[tokio::test]
async fn the_representation_is_chosen_as_recorded() {
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let client = reqwest::Client::new();
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (path, accept, status, kind) in [
        ("/api/v2/jobs/", "*/*", 200, "application/json"),
        ("/api/v2/jobs", "application/json", 200, "application/json"),
        ("/api/v2/jobs.json", browser, 200, "application/json"),
        ("/api/v2/jobs.json/", browser, 200, "application/json"),
        (
            "/api/v2/jobs/?format=json",
            browser,
            200,
            "application/json",
        ),
        ("/api/v2/jobs/", browser, 200, "text/html"),
        ("/api/v2/jobs/?format=api", "*/*", 200, "text/html"),
        ("/api/v2/", browser, 200, "text/html"),
        ("/api/v2/jobs/?format=bogus", "*/*", 404, "application/json"),
        ("/api/v2/jobs/", "application/xml", 406, "application/json"),
        ("/api/v2/jobs/99/", browser, 404, "text/html"),
        ("/api/v2/jobs/1.5/", "*/*", 404, "application/json"),
    ] {
        let answer = client
            .get(format!("{}{path}", app.url))
            .header("Accept", accept)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{path} {accept}");
        let found = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(found.starts_with(kind), "{path} {accept}: {found}");
        assert!(
            answer.headers()["vary"]
                .to_str()
                .unwrap()
                .starts_with("Accept")
        );
    }
    let indented = client
        .get(format!("{}/api/v2/jobs/", app.url))
        .header("Accept", "application/json; indent=4")
        .send()
        .await
        .unwrap();
    assert!(
        indented
            .text()
            .await
            .unwrap()
            .starts_with("{\n    \"count\": 0")
    );
}

#[tokio::test]
async fn addresses_say_what_they_take() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let admin = app.superuser().await;
        let made = admin
            .post(
                "/api/v2/jobs/",
                json!({"name": "x", "delay": 0, "project_id": project.id}),
            )
            .await
            .json();
        let id = &made["id"];
        let list = admin.send(Method::OPTIONS, "/api/v2/jobs/", None).await;
        assert_eq!(list.headers["allow"], "GET, POST, HEAD, OPTIONS");
        let body = list.json();
        assert_eq!(body["name"], "Job List");
        let name = json!({"type": "string", "required": true, "read_only": false, "label": "Name", "max_length": 255});
        assert_eq!(body["actions"]["POST"]["name"], name);
        let one = format!("/api/v2/jobs/{id}/");
        let detail = admin.send(Method::OPTIONS, &one, None).await;
        assert_eq!(
            detail.headers["allow"],
            "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
        );
        let fields: Vec<String> = detail.json()["actions"]["PUT"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        let anonymous = app.anonymous().send(Method::OPTIONS, &one, None).await;
        assert!(
            anonymous.json().get("actions").is_none(),
            "only those who may PUT are told how"
        );
        // The table of fields and the JSON are the same, but for what is only sent.
        let shown: Vec<&String> = made
            .as_object()
            .unwrap()
            .keys()
            .filter(|k| *k != "user_permissions")
            .collect();
        let table: Vec<&String> = fields
            .iter()
            .filter(|k| !k.ends_with("_id") && *k != "job_type_key")
            .collect();
        assert_eq!(table, shown);
        for (method, path, allow) in [
            (
                Method::DELETE,
                "/api/v2/jobs/".to_owned(),
                "GET, POST, HEAD, OPTIONS",
            ),
            (Method::GET, format!("{one}run/"), "POST, OPTIONS"),
            (
                Method::POST,
                format!("{one}failures/"),
                "GET, HEAD, OPTIONS",
            ),
        ] {
            let answer = admin.send(method.clone(), &path, None).await;
            assert_eq!(
                (
                    answer.status.as_u16(),
                    answer.headers["allow"].to_str().unwrap()
                ),
                (405, allow)
            );
            assert_eq!(
                answer.json(),
                json!({"detail": format!("Method \"{method}\" not allowed.")})
            );
        }
    }
}

#[tokio::test]
async fn the_page_of_a_job_shows_its_json_with_links() {
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let project = app.project("Moths", false).await;
    let admin = app.superuser().await;
    let body = json!({"name": "<b>bold</b>", "delay": 0, "project_id": project.id});
    let id = admin.post("/api/v2/jobs/", body).await.json()["id"].clone();
    let page = app
        .anonymous()
        .get(&format!("/api/v2/jobs/{id}/?format=api"))
        .await;
    assert!(!page.text.contains("<b>bold</b>"));
    for words in [
        "Job Instance",
        "Job List",
        "HTTP 200 OK",
        "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
        "Jobs can be viewed, made and edited here.",
    ] {
        assert!(page.text.contains(words), "{words}");
    }
    for link in [
        format!("/api/v2/jobs/{id}/run/"),
        format!("/api/v2/jobs/{id}/cancel/"),
        format!("{}/api/v2/projects/{}/?format=api", app.url, project.id),
        "/api/v2/jobs/?format=api".to_owned(),
    ] {
        assert!(page.text.contains(&format!("href=\"{link}\"")), "{link}");
    }
}
