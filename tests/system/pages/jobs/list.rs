//! The list of jobs: what each role is offered, what the address narrows and sorts, and what is done
//! to several jobs at once. The idea: what a person may not do is not on the page, and is refused to
//! whoever sends it nevertheless.

use domain::permission::Role;
use domain::state::JobState;
use store::testing;

use super::{browser, holds, job};
use crate::pull::Farm;

#[tokio::test]
async fn the_list_offers_what_each_role_may() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        let made = job(&farm, "First <night>", false).await;
        let list = format!("/projects/{}/jobs", farm.project.id);
        let selects = format!("name=\"ids\" value=\"{}\"", made.id);
        let seen = [
            "First &#60;night&#62;",
            "Created",
            "Pipeline test",
            "Station",
        ];
        let acts = [
            "New job",
            "value=\"retry\"",
            "Cancel the selected jobs",
            &selects,
            "> mine",
        ];
        let delete = ["Delete the selected jobs"];
        let text = farm.app.anonymous().get(&list).await.text;
        holds(&text, &seen, &[&acts[..], &delete].concat());
        for (role, deletes) in [
            (Some(Role::BasicMember), false),
            (Some(Role::ProjectManager), false),
            (None, true),
        ] {
            let text = browser(&farm, role).await.page(&list).await;
            holds(&text, &[&seen[..], &acts].concat(), &[]);
            assert_eq!(text.contains(delete[0]), deletes, "{role:?}");
        }
    }
}

#[tokio::test]
async fn filters_and_order_stand_in_the_address() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        for name in ["Alpha", "Beta", "Gamma"] {
            job(&farm, name, name == "Beta").await;
        }
        let list = format!("/projects/{}/jobs", farm.project.id);
        let client = farm.app.anonymous();
        let names = async |query: &str| {
            let text = client.get(&format!("{list}{query}")).await.text;
            let mut found: Vec<(usize, &str)> = ["Alpha", "Beta", "Gamma"]
                .into_iter()
                .filter_map(|name| Some((text.find(&format!(">{name}</a>"))?, name)))
                .collect();
            found.sort_unstable();
            found.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(names("").await, ["Gamma", "Beta", "Alpha"]);
        assert_eq!(names("?ordering=name").await, ["Alpha", "Beta", "Gamma"]);
        assert_eq!(names("?state=PENDING").await, ["Beta"]);
        assert_eq!(names("?state=unfinished").await.len(), 3);
        assert_eq!(names("?kind=data_export").await.len(), 0);
        assert_eq!(names("?search=mm").await, ["Gamma"]);
        assert_eq!(
            names(&format!("?pipeline={}", farm.pipeline)).await.len(),
            3
        );
        assert_eq!(names("?station=99999").await.len(), 0);
        let text = client.get(&format!("{list}?search=nothing")).await.text;
        holds(&text, &["No job is like that"], &["name=\"ids\""]);
        for number in 0..60 {
            job(
                &farm,
                &format!("{:>200}", format!("& more {number}")),
                false,
            )
            .await;
        }
        let first = browser(&farm, None).await.page(&list).await;
        holds(&first, &["1–50 of 63", "rel=\"next\""], &["rel=\"prev\""]);
        let last = client
            .get(&format!("{list}?page=2&state=CREATED"))
            .await
            .text;
        holds(
            &last,
            &["51–62 of 62", "?page=1&#38;state=CREATED"],
            &["rel=\"next\""],
        );
    }
}

#[tokio::test]
async fn several_jobs_are_acted_on_at_once() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        let list = format!("/projects/{}/jobs", farm.project.id);
        let bulk = format!("{list}/bulk");
        let mut ids = Vec::new();
        for name in ["a", "b", "c"] {
            ids.push(job(&farm, name, name != "c").await.id);
        }
        let store = &farm.app.store;
        let (running, _) = store.claim_job("runner").await.unwrap().unwrap();
        let mut manager = browser(&farm, Some(Role::ProjectManager)).await;
        let [a, b, c] = [ids[0], ids[1], ids[2]].map(|id| id.to_string());
        let form = |action| {
            [
                ("action", action),
                ("ids", a.as_str()),
                ("ids", b.as_str()),
                ("ids", c.as_str()),
                ("back", "state=unfinished"),
            ]
        };
        let (next, text) = manager.sends(&list, &bulk, &form("run")).await;
        assert!(next.ends_with("?state=unfinished"), "{next}");
        let refused = format!("2 could not be queued: job {a}: ");
        holds(&text, &["1 queued; ", &refused], &[]);
        let (_, text) = manager.sends(&list, &bulk, &form("cancel")).await;
        holds(&text, &["3 cancelled."], &[]);
        let state = store.job(running.id).await.unwrap().job_state();
        assert_eq!(state, JobState::Canceling, "its runner has not heard of it");
        let (_, text) = manager.sends(&list, &bulk, &form("delete")).await;
        holds(&text, &["3 could not be deleted"], &[]);
        let (_, text) = manager.sends(&list, &bulk, &[("action", "run")]).await;
        holds(&text, &["No job was selected"], &[]);
        let (_, text) = manager.sends(&list, &bulk, &[("ids", &b)]).await;
        holds(&text, &["Nothing was done."], &[]);

        let mut basic = browser(&farm, Some(Role::BasicMember)).await;
        let (_, text) = basic.sends(&list, &bulk, &form("retry")).await;
        holds(&text, &["3 could not be queued again"], &[]);

        let mut admin = browser(&farm, None).await;
        let (_, text) = admin.sends(&list, &bulk, &form("delete")).await;
        let stays = format!("2 deleted; 1 could not be deleted: job {}: ", running.id);
        holds(&text, &[&stays], &[]);
        assert!(store.job(ids[2]).await.is_err());
        let client = farm.app.anonymous();
        let answer = client.post(&bulk, serde_json::json!({})).await;
        assert!(answer.text.contains("Jobs"), "it is sent back to the list");
    }
}
