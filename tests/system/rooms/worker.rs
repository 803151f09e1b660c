//! A worker's token: it works on the jobs of its project, and everything else is refused.

use domain::permission::Role;
use serde_json::json;
use store::testing;

use super::Visitor;
use crate::pull::{Farm, registration};

#[tokio::test]
async fn a_workers_token_works_and_does_nothing_else() {
    for fresh in testing::fresh().await {
        let farm = Farm::new(&fresh, 2).await;
        let app = &farm.app;
        let job = farm.job(None).await;
        let (mine, other) = (farm.project.id, app.project("Other", false).await.id);
        let manager = app.member(&farm.project, Some(Role::ProjectManager)).await;
        let tokens = "/api/v2/users/me/tokens/";
        let refused = manager
            .post(tokens, json!({"name": "gpu", "project": other}))
            .await;
        assert_eq!(refused.status, 400);
        assert!(
            refused.json()["project"][0]
                .as_str()
                .unwrap()
                .contains("no member")
        );
        let made = manager
            .post(tokens, json!({"name": "gpu", "project": mine}))
            .await;
        assert_eq!(
            (made.status.as_u16(), &made.json()["project"]),
            (201, &json!(mine))
        );
        let token = made.json()["token"].as_str().unwrap().to_owned();
        let worker = app.with_token(&token);

        let poll = "/api/v2/jobs?pipeline__slug__in=test&ids_only=1&incomplete_only=1";
        assert_eq!(worker.get(poll).await.json()["results"][0]["id"], job);
        let next = worker
            .get("/api/v2/jobs/next/?pipeline__slug__in=test")
            .await;
        assert_eq!(next.json()["id"], job);
        let fetch = format!("/api/v2/jobs/{job}/tasks/");
        let got = worker.post(&fetch, json!({"batch_size": 2})).await.json();
        let results: Vec<_> = got["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|task| {
                json!({"reply_subject": task["reply_subject"], "result": {
                "error": "failed to load image", "image_id": task["image_id"]}})
            })
            .collect();
        assert_eq!(results.len(), 2);
        let path = format!("/api/v2/jobs/{job}/result/");
        let posted = worker.post(&path, json!({"results": results})).await;
        assert_eq!(posted.status, 200, "{}", posted.text);
        let path = format!("/api/v2/projects/{mine}/pipelines/");
        assert_eq!(worker.post(&path, registration("test")).await.status, 201);
        let names = worker.get("/api/v2/projects/").await.json();
        assert_eq!(names["results"].as_array().unwrap().len(), 1);

        // Everything else is closed, also what its owner may do.
        for path in [
            "/api/v2/users/me/",
            "/api/v2/users/me/tokens/",
            "/api/v2/occurrences/",
            &format!("/api/v2/jobs/{job}/logs/"),
            &format!("/projects/{mine}/jobs"),
            "/me",
            "/",
        ] {
            assert_eq!(worker.get(path).await.status, 403, "{path}");
        }
        let path = format!("/api/v2/jobs/{job}/cancel/");
        assert_eq!(worker.post(&path, json!({})).await.status, 403);
        let path = format!("/api/v2/projects/{other}/pipelines/");
        assert_eq!(worker.post(&path, registration("test")).await.status, 404);
        let new = json!({"name": "more", "project": null});
        assert_eq!(worker.post(tokens, new).await.status, 403);
        app.ended(job).await;
        // What its machine did is told.
        let all = manager
            .get(&format!("/api/v2/workers/?project_id={mine}"))
            .await
            .json();
        assert_eq!(all["results"][0]["name"], "projectmanager@example.org");
        // Its owner's own token sees all, as before.
        assert_eq!(manager.get("/api/v2/users/me/").await.status, 200);
    }
}

#[tokio::test]
async fn a_token_is_shown_once_and_revoked() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        let app = &farm.app;
        assert_eq!(
            Visitor::nobody(app).get("/me").await.on_to.as_deref(),
            Some("/login?next=%2Fme")
        );
        assert_eq!(
            Visitor::nobody(app)
                .post("/me/tokens", &[("name", "x")])
                .await
                .status,
            401
        );
        let manager = Visitor::member(app, &farm.project, Role::ProjectManager).await;
        let page = manager.get("/me").await;
        page.has(&["projectmanager@example.org", "a worker of Moths", "Revoke"]);
        page.lacks(&["shown this once"]);
        let page = manager
            .post("/me/tokens", &[("name", ""), ("project", "")])
            .await;
        page.has(&["class=\"wrong\""]);
        let id = farm.project.id.to_string();
        let made = manager
            .post("/me/tokens", &[("name", "gpu-3"), ("project", &id)])
            .await;
        made.has(&["shown this once", "gpu-3", "a worker of Moths"]);
        let (_, rest) = made.text.split_once("id=\"fresh\">").unwrap();
        let token = rest.split('<').next().unwrap().to_owned();
        assert_eq!(token.len(), 40);
        manager.get("/me").await.lacks(&[&token]);
        let worker = app.with_token(&token);
        assert_eq!(worker.get("/api/v2/jobs/").await.status, 200);
        let user = app.store.user_by_email("projectmanager@example.org").await;
        let user = user.unwrap().unwrap();
        let (rows, _) = app.store.tokens(user.id, 10, 0).await.unwrap();
        let gpu = rows.iter().find(|row| row.name == "gpu-3").unwrap().id;
        let stranger = Visitor::superuser(app).await;
        let path = format!("/me/tokens/{gpu}/end");
        assert_eq!(stranger.post(&path, &[]).await.status, 404);
        manager.post(&path, &[]).await.done("The token was revoked");
        assert_eq!(worker.get("/api/v2/jobs/").await.status, 401);
        // A superuser who is no member has no worker there.
        stranger.get("/me").await.lacks(&["a worker of Moths"]);
    }
}
