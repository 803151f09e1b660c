//! `/api/v2/status/` and `/api/v2/pages/`.

use serde_json::json;
use store::testing;

use crate::app::{TestApp, keys};

#[tokio::test]
async fn the_summary_counts_a_project() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let draft = app.project("Draft", true).await;
        let station = app.station(&project).await;
        for name in ["20220810220000.jpg", "20220812220000.jpg"] {
            app.capture(&station, name, b"x").await;
        }
        let gap = chrono::Duration::hours(2);
        app.store.regroup(station.id, gap, |_| ()).await.unwrap();
        let at = |id: i64| format!("/api/v2/status/summary/?project_id={id}");
        let summary = app.anonymous().get(&at(project.id)).await.json();
        let expected = json!({
            "projects_count": 1, "deployments_count": 1, "events_count": 2, "captures_count": 2,
            "occurrences_count": 0, "taxa_count": 0, "num_sessions": 2, "num_species": 0,
            "num_projects": 1, "num_deployments": 1, "num_events": 2, "num_captures": 2,
            "num_occurrences": 0, "num_taxa": 0,
        });
        assert_eq!(summary, expected);
        let missing = app.anonymous().get("/api/v2/status/summary/").await;
        assert_eq!(missing.status, 400);
        assert_eq!(
            missing.json(),
            json!({"project_id": ["This field is required."]})
        );
        assert_eq!(app.anonymous().get(&at(999)).await.status, 404);
        assert_eq!(app.anonymous().get(&at(draft.id)).await.status, 404);
        let storage = "/api/v2/status/storage/";
        assert_eq!(app.anonymous().get(storage).await.status, 405);
        let said = app
            .anonymous()
            .post(storage, json!({"data_source": "s3://x"}))
            .await
            .json();
        let wanted = ["data_source", "status", "updated_at", "example_captures"];
        assert_eq!(keys(&said), wanted);
        assert_eq!(said["example_captures"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn staff_write_pages_and_everybody_reads_the_published() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let admin = app.superuser().await;
        let list = "/api/v2/pages/";
        let missing = "This field is required.";
        let empty = admin.post(list, json!({})).await.json();
        assert_eq!(empty, json!({"name": [missing], "slug": [missing]}));
        let new = json!({
            "name": "Terms", "slug": "terms-of-service", "content": "# Be kind\n\n<b>x</b>",
        });
        assert_eq!(app.anonymous().post(list, new.clone()).await.status, 401);
        let made = admin.post(list, new.clone()).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        assert_eq!(
            made["html"],
            "<h1>Be kind</h1>\n<p>&lt;b&gt;x&lt;/b&gt;</p>\n"
        );
        assert_eq!(made["published"], false);
        let twice = admin.post(list, new).await.json();
        assert_eq!(
            twice,
            json!({"slug": ["page with this slug already exists."]})
        );
        let one = "/api/v2/pages/terms-of-service/";
        assert_eq!(
            app.anonymous().get(one).await.status,
            404,
            "not yet published"
        );
        assert_eq!(
            admin.patch(one, json!({"published": true})).await.status,
            200
        );
        assert_eq!(app.anonymous().get(one).await.json()["name"], "Terms");
        let listed = app.anonymous().get(list).await.json();
        assert_eq!(listed["count"], 1);
        assert!(listed["results"][0].get("html").is_none());
        assert_eq!(admin.delete(one).await.status, 204);
        assert_eq!(admin.get(one).await.status, 404);
    }
}
