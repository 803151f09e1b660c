//! What live viewers of jobs hear: rows that change and new ones of a list, and buttons only for
//! those who may press them.

use std::time::Duration;

use domain::permission::{Permit, Role};
use futures_util::StreamExt;
use store::testing;

use super::{holds, job};
use crate::app::TestApp;
use crate::pull::Farm;

/// What a live stream says until `until` holds.
pub(in crate::pages) async fn heard(
    app: &TestApp,
    path: &str,
    token: Option<&str>,
    until: &[&str],
) -> String {
    let client = reqwest::Client::new();
    let mut request = client.get(format!("{}{path}", app.url));
    if let Some(token) = token {
        request = request.header("Authorization", format!("Token {token}"));
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let mut chunks = answer.bytes_stream();
    let mut heard = String::new();
    let listen = async {
        while !until.iter().all(|words| heard.contains(words)) {
            let chunk = chunks.next().await.unwrap().unwrap();
            heard.push_str(&String::from_utf8_lossy(&chunk));
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), listen).await;
    assert!(in_time.is_ok(), "{until:?} was never heard: {heard}");
    heard
}

#[tokio::test]
async fn a_list_follows_its_jobs_and_announces_new_ones() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        let id = job(&farm, "Night", false).await.id;
        let other = job(&farm, "Not on this page", false).await.id;
        let list = format!("/projects/{}/jobs", farm.project.id);
        let live = format!("{list}/live?after={other}&ids={id}");
        let act = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let store = &farm.app.store;
            for id in [id, other] {
                store.enqueue_job(Permit::BY_PROGRAM, id).await.unwrap();
            }
            job(&farm, "Later", false).await;
            job(&farm, "Later still", false).await;
        };
        let until = ["Created", "Waiting", "2 new jobs – show"];
        // A list that is narrowed counts what it holds, and leads to itself.
        let narrow = format!("{list}/live?after={other}&ids={id}&page=2&search=still");
        let one = ["1 new job – show", "/jobs?search=still\\\""];
        let (text, _, ()) = tokio::join!(
            heard(&farm.app, &live, None, &until),
            heard(&farm.app, &narrow, None, &one),
            act
        );
        let state = format!("job-{id}-state");
        holds(&text, &[&state], &[&format!("job-{other}-state")]);
        let store = &farm.app.store;
        store.cancel_job(Permit::BY_PROGRAM, id).await.unwrap();
        let gone = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            store.delete_job(Permit::BY_PROGRAM, id).await.unwrap();
            loop {
                let job = id;
                let waiting = false;
                farm.app.tools.bus.publish(queue::Changed { job, waiting });
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::select! {
            _ = heard(&farm.app, &live, None, &["Cancelled", "Deleted"]) => {}
            () = gone => {}
        }
        let hidden = farm.app.anonymous().get("/projects/9999/jobs/live").await;
        assert_eq!(hidden.status, 404);
    }
}

#[tokio::test]
async fn live_buttons_are_for_those_who_may() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        let id = job(&farm, "Night", true).await.id;
        farm.app
            .member(&farm.project, Some(Role::ProjectManager))
            .await;
        let store = &farm.app.store;
        let user = store.user_by_email("projectmanager@example.org").await;
        let user = user.unwrap().unwrap().id;
        let token = store.create_token(user, "live").await.unwrap();
        let live = format!("/projects/{}/jobs/{id}/live", farm.project.id);
        let cancel = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            store.cancel_job(Permit::BY_PROGRAM, id).await.unwrap();
        };
        let may = ["value=\\\"pause\\\"", "value=\\\"retry\\\""];
        let ended = ["Ended: Cancelled", "Queued"];
        let (_, seen, ()) = tokio::join!(
            heard(&farm.app, &live, Some(&token), &may),
            heard(&farm.app, &live, None, &ended),
            cancel
        );
        holds(
            &seen,
            &["\"id\":\"actions\""],
            &["name=\\\"act\\\"", "Run again"],
        );
    }
}
