//! The pages of jobs as each role meets them: what is there and what is not, what acting does,
//! what refused input shows, and what live viewers hear.

use std::time::Duration;

use domain::permission::{Permit, Role};
use domain::state::JobState;
use futures_util::StreamExt;
use store::job::{Job, NewJob};
use store::testing::{self, Fresh};

use crate::app::TestApp;
use crate::pull::Farm;
use crate::session::Browser;

/// Heaviest page, in bytes.
const HEAVIEST: usize = 100_000;

async fn job(farm: &Farm, name: &str, start_now: bool) -> Job {
    let new = NewJob {
        name: name.to_owned(),
        project_id: farm.project.id,
        kind: domain::job::ML,
        station_id: Some(farm.station.id),
        pipeline_id: Some(farm.pipeline),
        start_now,
        ..Default::default()
    };
    farm.app.store.create_job(new).await.unwrap()
}

/// A browser in which a member with this role is signed in; with none, a superuser.
async fn browser<'a>(farm: &'a Farm, role: Option<Role>) -> Browser<'a> {
    let mut browser = Browser::new(&farm.app);
    let email = match role {
        Some(role) => {
            farm.app.member(&farm.project, Some(role)).await;
            format!("{}@example.org", role.key().to_lowercase())
        }
        None => {
            farm.app.superuser().await;
            "super@example.org".to_owned()
        }
    };
    let answer = browser.sign_in_as(&email, "secret", "/").await;
    assert_eq!(answer.status(), 303, "{email} cannot sign in");
    browser
}

impl Browser<'_> {
    async fn page(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        let text = answer.text().await.unwrap();
        assert!(text.len() < HEAVIEST, "{path} weighs {}", text.len());
        text
    }

    /// Sends a form of a page; the page that is shown then, with where it lies.
    async fn sends(&mut self, page: &str, path: &str, form: &[(&str, &str)]) -> (String, String) {
        let word = self.word(page).await;
        let mut form = form.to_vec();
        form.push(("csrfmiddlewaretoken", &word));
        let answer = self.post(path, &form).await;
        if answer.status() == 200 {
            return (path.to_owned(), answer.text().await.unwrap());
        }
        assert_eq!(answer.status(), 303, "{path}");
        let next = answer.headers()["location"].to_str().unwrap().to_owned();
        let text = self.page(&next).await;
        (next, text)
    }
}

fn holds(text: &str, all: &[&str], none: &[&str]) {
    for words in all {
        assert!(text.contains(words), "{words} is missing from {text}");
    }
    for words in none {
        assert!(!text.contains(words), "{words} is in {text}");
    }
}

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

async fn looked_at(fresh: &Fresh) {
    let farm = Farm::idle(fresh, 3).await;
    let project = farm.project.id;
    let new = format!("/projects/{project}/jobs/new");
    let page = farm.app.anonymous().get(&new).await;
    assert_eq!(page.status, 401);
    let mut basic = browser(&farm, Some(Role::BasicMember)).await;
    let text = basic.page(&new).await;
    holds(
        &text,
        &["ML pipeline", "value=\"save\"", "value=\"start\""],
        &["Data Export"],
    );
    let text = basic.page(&format!("{new}?kind=data_storage_sync")).await;
    holds(
        &text,
        &["value=\"save\"", "You may save this job"],
        &["value=\"start\""],
    );

    let mut manager = browser(&farm, Some(Role::ProjectManager)).await;
    let text = manager.page(&new).await;
    holds(
        &text,
        &["Data Export", "Pipeline test", "Start"],
        &["What it will do"],
    );
    let pipeline = farm.pipeline.to_string();
    let station = farm.station.id.to_string();
    let (_, text) = manager
        .sends(
            &new,
            &new,
            &[("kind", "ml"), ("scope", "station"), ("act", "start")],
        )
        .await;
    holds(&text, &["Choose a pipeline.", "Choose a station."], &[]);
    let fill = |act, limit| {
        [
            ("kind", "ml"),
            ("pipeline_id", pipeline.as_str()),
            ("scope", "station"),
            ("deployment_id", station.as_str()),
            ("limit", limit),
            ("act", act),
        ]
    };
    let (_, text) = manager.sends(&new, &new, &fill("look", "2")).await;
    holds(
        &text,
        &[
            "3 captures of station “Station”, 3 not yet processed by this pipeline.",
            "At most 2 of them",
            "Remote workers ask for its images: 0 did in the last minute.",
            "Test worker (host): online",
        ],
        &[],
    );
    let (_, text) = manager.sends(&new, &new, &fill("start", "many")).await;
    holds(
        &text,
        &["A valid integer is required.", "value=\"many\""],
        &[],
    );
    let count = farm.app.store.last_job(project).await.unwrap();
    assert_eq!(count, 0, "nothing was made");

    let (next, text) = manager.sends(&new, &new, &fill("save", "")).await;
    let id = farm.app.store.last_job(project).await.unwrap();
    assert!(next.ends_with(&format!("/jobs/{id}")), "{next}");
    holds(
        &text,
        &[
            "It runs when somebody starts it",
            "Pipeline test on Station",
        ],
        &[],
    );
    let made = farm.app.store.job(id).await.unwrap();
    assert_eq!(made.job_state(), JobState::Created);
    assert_eq!(
        (made.station_id, made.limit, made.shuffle),
        (Some(farm.station.id), None, false)
    );
    let (_, text) = manager.sends(&new, &new, &fill("start", "7")).await;
    holds(&text, &["was made and queued"], &[]);
    let id = farm.app.store.last_job(project).await.unwrap();
    let again = manager.page(&format!("{new}?from={id}")).await;
    holds(
        &again,
        &[
            "name=\"limit\" inputmode=\"numeric\" value=\"7\"",
            "What it will do",
        ],
        &[],
    );
    let missing = manager.get(&format!("{new}?from=99999")).await;
    assert_eq!(missing.status(), 404);
}

#[tokio::test]
async fn a_job_is_looked_at_before_it_is_made() {
    for fresh in testing::fresh().await {
        looked_at(&fresh).await;
    }
}

#[tokio::test]
async fn each_kind_asks_for_its_own_fields_and_no_others() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 2).await;
        let new = format!("/projects/{}/jobs/new", farm.project.id);
        let mut admin = browser(&farm, None).await;
        for (query, has, not) in [
            ("?kind=populate_captures_collection", SET, STATION),
            ("?kind=regroup_events", STATION, SET),
            ("?kind=data_storage_sync", STATION, "name=\"pipeline_id\""),
            ("?kind=data_export", "name=\"format\"", "name=\"name\""),
            (
                "?kind=post_processing",
                "name=\"size_threshold\"",
                "name=\"ranks\"",
            ),
            (
                "?kind=post_processing&task=rank_rollup",
                "name=\"ranks\"",
                "name=\"reweight\"",
            ),
            (
                "?kind=post_processing&task=class_masking",
                "name=\"taxa_list_id\"",
                "name=\"ranks\"",
            ),
        ] {
            holds(&admin.page(&format!("{new}{query}")).await, &[has], &[not]);
        }
        let rollup = [
            ("kind", "post_processing"),
            ("task", "rank_rollup"),
            ("threshold", "2"),
            ("act", "start"),
        ];
        let (_, text) = admin.sends(&new, &new, &rollup).await;
        holds(
            &text,
            &[
                "It must be greater than 0 and less than 1.",
                "Name the capture set to look at",
                "Give different ranks",
            ],
            &["params"],
        );
        let station = farm.station.id.to_string();
        let sync = [
            ("kind", "data_storage_sync"),
            ("deployment_id", station.as_str()),
            ("name", "Read it"),
            ("act", "start"),
        ];
        let (first, text) = admin.sends(&new, &new, &sync).await;
        holds(&text, &["Read it", "was made and queued"], &[]);
        let (second, text) = admin.sends(&new, &new, &sync).await;
        holds(&text, &["does this already, so no other was made"], &[]);
        assert_eq!(first, second);
        let export = [
            ("kind", "data_export"),
            ("format", "occurrences_simple_csv"),
            ("act", "start"),
        ];
        let (_, text) = admin.sends(&new, &new, &export).await;
        holds(
            &text,
            &["Export occurrences", "occurrences_simple_csv"],
            &[],
        );
        farm.app.work();
        let last = farm.app.store.last_job(farm.project.id).await.unwrap();
        for id in [last - 1, last] {
            let job = farm.app.ended(id).await;
            assert_eq!(job.job_state(), JobState::Success);
        }
        let path = format!("/projects/{}/jobs/{last}", farm.project.id);
        holds(&admin.page(&path).await, &["moths_export-"], &[]);
    }
}

const SET: &str = "name=\"source_image_collection_id\"";
const STATION: &str = "name=\"deployment_id\"";

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

/// What a live stream says until `until` holds.
pub(super) async fn heard(
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
