//! The page of one job: the buttons are what may be done to it now by whoever looks, and what failed
//! is named and sent again.

use domain::permission::Role;
use domain::state::JobState;
use store::testing;

use super::{browser, holds, job};
use crate::pull::Farm;

#[tokio::test]
async fn a_jobs_page_offers_what_may_be_done_now() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 2).await;
        let id = job(&farm, "Night", false).await.id;
        let path = format!("/projects/{}/jobs/{id}", farm.project.id);
        let act = format!("{path}/act");
        let buttons = [
            "value=\"run\"",
            "value=\"cancel\"",
            "Run again with changes",
        ];
        let text = farm.app.anonymous().get(&path).await.text;
        holds(&text, &["Timeline", "Made", "Log"], &[]);
        holds(&text, &[], &[&buttons[..], &["name=\"act\""]].concat());
        let text = browser(&farm, Some(Role::BasicMember))
            .await
            .page(&path)
            .await;
        holds(&text, &buttons[2..], &buttons[..2]);
        let mut manager = browser(&farm, Some(Role::ProjectManager)).await;
        holds(
            &manager.page(&path).await,
            &buttons,
            &["value=\"delete\"", "value=\"pause\""],
        );

        let (_, text) = manager.sends(&path, &act, &[("act", "run")]).await;
        holds(
            &text,
            &["was queued.", "Waiting", "value=\"pause\""],
            &["value=\"run\""],
        );
        let (_, text) = manager.sends(&path, &act, &[("act", "pause")]).await;
        holds(
            &text,
            &["is paused", "Waiting, paused", "value=\"resume\""],
            &[],
        );
        let (_, text) = manager.sends(&path, &act, &[("act", "resume")]).await;
        holds(&text, &["goes on"], &[", paused"]);
        let (_, text) = manager.sends(&path, &act, &[("act", "cancel")]).await;
        holds(
            &text,
            &["was cancelled.", "Cancel asked for", "Ended: Cancelled"],
            &[],
        );
        holds(
            &text,
            &["value=\"retry\"", "value=\"run\""],
            &["value=\"cancel\""],
        );
        let (_, text) = manager.sends(&path, &act, &[("act", "pause")]).await;
        holds(&text, &["Nothing was done.", "cannot be paused"], &[]);
        let (_, text) = manager.sends(&path, &act, &[("act", "dance")]).await;
        holds(&text, &["Nothing was done"], &[]);

        let mut basic = browser(&farm, Some(Role::BasicMember)).await;
        let word = basic.word(&path).await;
        let form = [("act", "run"), ("csrfmiddlewaretoken", word.as_str())];
        assert_eq!(basic.post(&act, &form).await.status(), 403);
        let state = farm.app.store.job(id).await.unwrap().job_state();
        assert_eq!(state, JobState::Revoked);

        let mut admin = browser(&farm, None).await;
        let (next, text) = admin.sends(&path, &act, &[("act", "delete")]).await;
        assert!(next.ends_with("/jobs"), "{next}");
        holds(&text, &["was deleted.", "No job yet"], &[]);
    }
}

#[tokio::test]
async fn what_failed_is_shown_and_sent_again() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 25).await;
        let store = &farm.app.store;
        let id = job(&farm, "Night", true).await.id;
        let (_, fence) = store.claim_job("runner").await.unwrap().unwrap();
        let scope = store::capture::Scope::Station(farm.station.id);
        let ids = store
            .capture_ids_after(&scope, i64::MIN, 100)
            .await
            .unwrap();
        store.feed_page(&fence, &ids, ids[24]).await.unwrap();
        store.feed_end(&fence, false).await.unwrap();
        store
            .finish_job(&fence, Some("the <disk> is full"))
            .await
            .unwrap();
        let path = format!("/projects/{}/jobs/{id}", farm.project.id);
        let text = farm.app.anonymous().get(&path).await.text;
        let failed = [
            "25 captures failed",
            "the &#60;disk&#62; is full",
            "all of them",
        ];
        let again = ["send it alone", "value=\"retry-failed\""];
        holds(&text, &failed, &again);
        let mut manager = browser(&farm, Some(Role::ProjectManager)).await;
        let text = manager.page(&path).await;
        holds(&text, &["Retry the 25 failed captures"], &[]);
        holds(&text, &[&failed[..], &again].concat(), &[]);
        let all = manager.page(&format!("{path}/failures")).await;
        holds(
            &all,
            &["1–25 of 25", &format!("<code>{}</code>", ids[24])],
            &[],
        );
        let link = format!("?kind=ml&scope=capture&source_image_single_id={}", ids[3]);
        let text = manager
            .page(&format!("/projects/{}/jobs/new{link}", farm.project.id))
            .await;
        holds(&text, &[&format!("value=\"{}\"", ids[3])], &[]);
        let (_, text) = manager
            .sends(&path, &format!("{path}/act"), &[("act", "retry-failed")])
            .await;
        holds(
            &text,
            &["was queued again", "only what failed"],
            &["Failed captures"],
        );
        let job = store.job(id).await.unwrap();
        assert_eq!(job.feed(), domain::job::FeedMode::FailedOnly);

        let narrowed = manager
            .page(&format!("{path}?level=ERROR&search=disk"))
            .await;
        holds(
            &narrowed,
            &["1 line, as they were", "the &#60;disk&#62;"],
            &["data-follow"],
        );
        let file = manager.page(&format!("{path}/log.txt?level=ERROR")).await;
        assert_eq!(file.lines().count(), 1, "{file}");
    }
}
