//! What went wrong is told in words that are true, as a page at the address of a page, and to
//! programs as before.

use std::num::NonZeroU32;

use domain::permission::Role;
use reqwest::Method;
use store::testing;

use crate::app::{Answer, TestApp};

/// It is a page with this title, and one that says these words.
#[track_caller]
fn says(answer: &Answer, status: u16, title: &str, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    let kind = answer.headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/html"), "{kind}: {}", answer.text);
    for part in [format!("<h1>{title}</h1>"), words.to_owned()] {
        assert!(answer.text.contains(&part), "{part}: {}", answer.text);
    }
}

#[tokio::test]
async fn who_may_not_is_told_why() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let here = format!("/projects/{}", project.id);
        let data = format!("{here}/data");
        let refused = app.anonymous().get(&data).await;
        says(&refused, 401, "Sign in", "people who are signed in");
        let way = format!(
            "<p><a href=\"/login?next=%2Fprojects%2F{}%2Fdata\">",
            project.id
        );
        assert!(refused.text.contains(&way), "{}", refused.text);
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let refused = basic.get(&format!("{data}/sources/new")).await;
        says(&refused, 403, "Your role does not allow this", "a role");
        assert!(
            !refused.text.contains("<p><a href=\"/login"),
            "is signed in"
        );
        let unknown = app.with_token("nonsense").get(&here).await;
        says(&unknown, 401, "Sign in", "Invalid token.");
    }
}

#[tokio::test]
async fn an_address_that_cannot_be_read_names_nothing() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let admin = app.superuser().await;
        for path in [
            "/projects/abc".to_owned(),
            "/projects/99999999999999999999".to_owned(),
            format!("/projects/{}/jobs/x", project.id),
            format!("/projects/{}/captures/1.5", project.id),
        ] {
            let answer = admin.get(&path).await;
            says(&answer, 404, "There is nothing here", ">Test</a>");
        }
        let path = format!("/projects/{}/jobs/x/act", project.id);
        let answer = admin.send(Method::POST, &path, None).await;
        says(&answer, 404, "There is nothing here", ">Test</a>");
    }
}

#[tokio::test]
async fn what_is_too_large_is_said() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let admin = app.superuser().await;
        let body = format!("name={}", "x".repeat(3 << 20));
        let answer = admin.send(Method::POST, "/me", Some(body)).await;
        says(&answer, 413, "It is too large", "Nothing was changed");
        let limits = web::Limits {
            body: 1000,
            ..web::Limits::USUAL
        };
        let app = TestApp::start_with(&fresh, |state| state.within(limits)).await;
        let admin = app.superuser().await;
        let body = Some("x".repeat(2000));
        let answer = admin.send(Method::POST, "/me", body.clone()).await;
        says(&answer, 413, "It is too large", "Nothing was changed");
        let answer = admin.send(Method::POST, "/api/v2/jobs/", body).await;
        let words = "Request body exceeded the limit.";
        assert_eq!(answer.json(), serde_json::json!({"detail": words}));
    }
}

#[tokio::test]
async fn who_finds_no_room_or_asks_too_often_reads_a_page() {
    for fresh in testing::fresh().await {
        let limits = web::Limits {
            requests: 0,
            ..web::Limits::USUAL
        };
        let app = TestApp::start_with(&fresh, |state| state.within(limits)).await;
        let busy = app.anonymous().get("/").await;
        says(&busy, 503, "The server is busy", "Load the page again");
        assert_eq!(busy.headers["retry-after"], "1");
        let busy = app.anonymous().get("/api/v2/projects/").await;
        assert!(busy.json()["detail"].is_string());

        let limits = web::Limits {
            per_address: NonZeroU32::new(1),
            ..web::Limits::USUAL
        };
        let app = TestApp::start_with(&fresh, |state| state.within(limits)).await;
        let client = app.anonymous();
        let page = loop {
            let page = client.get("/").await;
            if page.status != 200 {
                break page;
            }
        };
        says(&page, 429, "Too many requests", "wait a second");
        assert_eq!(page.headers["retry-after"], "1");
    }
}
