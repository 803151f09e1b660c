//! The form of a new job: it says what the job will do before it is made, asks for the fields of its
//! kind and no others, and shows what was refused beside what was typed.

use domain::permission::Role;
use domain::state::JobState;
use store::testing::{self, Fresh};

use super::{browser, holds};
use crate::pull::Farm;

const SET: &str = "name=\"source_image_collection_id\"";
const STATION: &str = "name=\"deployment_id\"";

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
    // There is no other: nobody has to choose it.
    let only = format!("value=\"{pipeline}\" selected");
    holds(
        &text,
        &[&only, &format!("value=\"{station}\" selected")],
        &[],
    );
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
