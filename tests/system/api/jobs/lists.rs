//! Lists of jobs: pages, filters, order and words that are looked for, and the short form in which
//! workers poll for ids.

use serde_json::{Value, json};
use store::testing;

use crate::app::TestApp;

#[tokio::test]
async fn lists_are_paged_filtered_and_light() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let user = app.superuser().await;
        for i in 0..25 {
            let body = json!({"name": format!("job {i}"), "delay": 0, "project_id": project.id});
            user.post("/api/v2/jobs/", body).await;
        }
        let first = user.get("/api/v2/jobs/?project_id=1").await.json();
        assert_eq!(first["count"], 25);
        assert_eq!(first["results"].as_array().unwrap().len(), 20);
        assert_eq!(first["results"][0]["name"], "job 24");
        assert_eq!(
            first["results"][0]["logs"],
            json!({"stdout": [], "stderr": []})
        );
        let next = first["next"].as_str().unwrap();
        assert!(
            next.ends_with("/api/v2/jobs/?limit=20&offset=20&project_id=1"),
            "{next}"
        );
        let second = user.get(next).await.json();
        assert_eq!(second["results"].as_array().unwrap().len(), 5);
        assert_eq!(second["next"], Value::Null);
        assert_eq!(
            user.get("/api/v2/jobs/?status=STARTED").await.json()["count"],
            0
        );
        assert_eq!(user.get("/api/v2/jobs/?status=bogus").await.status, 400);
        assert_eq!(user.get("/api/v2/jobs/?project_id=abc").await.status, 400);
        assert_eq!(
            user.get("/api/v2/jobs/?project_id=99").await.json()["count"],
            0
        );
    }
}

#[tokio::test]
async fn workers_poll_ids_and_lists_are_searched_and_ordered() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let user = app.superuser().await;
        for name in ["beta moth", "Alpha", "gamma MOTH"] {
            let body = json!({"name": name, "delay": 0, "project_id": project.id});
            user.post("/api/v2/jobs/", body).await;
        }
        let names = |list: &Value| -> Vec<String> {
            let rows = list["results"].as_array().unwrap();
            rows.iter()
                .map(|r| r["name"].as_str().unwrap().to_owned())
                .collect()
        };
        let found = user
            .get("/api/v2/jobs/?search=moth&ordering=name")
            .await
            .json();
        assert_eq!(names(&found), ["beta moth", "gamma MOTH"]);
        let all = user
            .get("/api/v2/jobs/?ordering=bogus,-created_at")
            .await
            .json();
        assert_eq!(names(&all), ["gamma MOTH", "Alpha", "beta moth"]);
        let ids = user.get("/api/v2/jobs?ids_only=1").await.json();
        assert_eq!(
            (
                ids["count"].as_i64(),
                ids["results"].as_array().unwrap().len()
            ),
            (Some(3), 1)
        );
        let keys: Vec<&String> = ids["results"][0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "pipeline_slug", "user_permissions"]);
        let first = user.post("/api/v2/jobs/1/cancel/", json!({})).await;
        assert_eq!(first.json()["status"], "REVOKED");
        let open = user
            .get("/api/v2/jobs/?ids_only=1&incomplete_only=1&limit=9")
            .await
            .json();
        assert_eq!(open["count"], 2);
        assert_eq!(
            user.get("/api/v2/jobs/?cutoff_hours=0").await.json()["count"],
            2
        );
        let all = user.get("/api/v2/jobs/?cutoff_hours=99999999").await;
        assert_eq!(all.json()["count"], 3, "{}", all.text);
        for (query, field) in [
            ("cutoff_hours=-1", "cutoff_hours"),
            ("project=999", "project"),
            ("pipeline=abc", "pipeline"),
            ("dispatch_mode=bogus", "dispatch_mode"),
            ("project_id=-1", "project_id"),
        ] {
            let answer = user.get(&format!("/api/v2/jobs/?{query}")).await;
            assert_eq!(answer.status, 400, "{query}");
            assert!(answer.json()[field].is_array(), "{query}");
        }
        assert_eq!(user.get("/api/v2/jobs/2/?status=SUCCESS").await.status, 404);
        assert_eq!(
            user.get("/api/v2/jobs/2/?logs_limit=5001").await.status,
            400
        );
        assert_eq!(user.get("/api/v2/jobs/next/?pipelines=x").await.status, 404);
    }
}
