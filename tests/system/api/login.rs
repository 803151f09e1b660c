//! `/api/v2/auth/token/login/` and the tokens it gives.

use serde_json::json;
use store::testing;

use crate::app::TestApp;

#[tokio::test]
async fn a_person_signs_in_and_is_known_by_the_token() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        app.superuser().await;
        let anonymous = app.anonymous();
        let login = json!({"email": "Super@Example.org", "password": "secret"});
        for path in ["/api/v2/auth/token/login/", "/api/v2/auth/token/login"] {
            let answer = anonymous.post(path, login.clone()).await;
            assert_eq!(answer.status, 200);
            let token = answer.json()["auth_token"].as_str().unwrap().to_owned();
            assert_eq!(token.len(), 40);
            let jobs = app.with_token(&token).get("/api/v2/jobs/").await;
            assert_eq!(jobs.json()["user_permissions"], json!(["create"]));
        }
    }
}

#[tokio::test]
async fn refusals_are_word_for_word() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        app.superuser().await;
        let anonymous = app.anonymous();
        let path = "/api/v2/auth/token/login/";
        let mut seen = Vec::new();
        for body in [
            json!({"email": "super@example.org", "password": "wrong"}),
            json!({"email": "nobody@example.org", "password": "secret"}),
            json!({"email": null, "password": null}),
            json!({"email": "", "password": ""}),
            json!({"email": ["x"], "password": {"a": 1}}),
            json!({}),
            json!([1]),
        ] {
            let answer = anonymous.post(path, body).await;
            seen.push(format!("{} {}", answer.status.as_u16(), answer.text));
        }
        let get = anonymous.get(path).await;
        seen.push(format!("{} {}", get.status.as_u16(), get.text));
        for token in ["bad", "", "two words"] {
            let answer = app.with_token(token).get("/api/v2/jobs/").await;
            let header = answer.headers["www-authenticate"].to_str().unwrap();
            seen.push(format!(
                "{} {} {header}",
                answer.status.as_u16(),
                answer.text
            ));
        }
        insta::assert_snapshot!("refusals", seen.join("\n"));
    }
}
