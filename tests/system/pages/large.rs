//! Pages where there is more than they show: nothing of it is lost, wrong or silent, and what a link
//! counts is what it leads to.

use chrono::Duration;
use domain::permission::{Permit, Role};
use domain::wire::PipelineConfigResponse;
use serde_json::json;
use store::capture::Scope;
use store::capture_set::NewCaptureSet;
use store::job::NewJob;
use store::station::NewStation;
use store::testing;

use super::jobs::live::heard;
use crate::app::TestApp;
use crate::pull::Farm;
use crate::rooms::Visitor;

fn has(page: &str, words: &[&str]) {
    for words in words {
        assert!(page.contains(words), "{words} is missing from {page}");
    }
}

#[tokio::test]
async fn a_bar_of_the_overview_leads_to_the_captures_of_its_night() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        for time in [
            "20220810220000",
            "20220810233000",
            "20220811003000",
            "20220811010000",
            "20220811220000",
        ] {
            app.capture(&station, &format!("{time}.jpg"), b"none").await;
        }
        let gap = Duration::hours(2);
        app.store.regroup(station.id, gap, |_| {}).await.unwrap();
        app.store.refresh_station(station.id).await.unwrap();
        let here = format!("/projects/{}", project.id);
        let page = app.anonymous().get(&here).await.text;
        let night = "/captures?from=2022-08-10T22:00:00&#38;to=2022-08-11T01:00:00";
        has(&page, &["<title>2022-08-10: 4</title>", night]);
        let night = night.replace("&#38;", "&");
        let page = app.anonymous().get(&format!("{here}{night}")).await.text;
        has(&page, &["1–4 of 4", "2022-08-11 01:00:00"]);
    }
}

/// Registers so many pipelines: "Other 000" is other-000.
async fn pipelines(farm: &Farm, name: &str, count: usize) {
    let configs = (0..count).map(|n| {
        let slug = format!("{}-{n:03}", name.to_lowercase());
        let config = json!({
            "name": format!("{name} {n:03}"), "slug": slug, "version": 1,
            "algorithms": [{"name": "Boxes", "key": "boxes", "task_type": "localization"}],
        });
        serde_json::from_value(config).unwrap()
    });
    let configs: Vec<PipelineConfigResponse> = configs.collect();
    let store = &farm.app.store;
    let made = store.register_pull_service(farm.project.id, name, &configs, true);
    made.await.unwrap();
}

/// More stations, capture sets and pipelines than a filter offers; the last of each by name.
async fn crowded(farm: &Farm) -> (i64, i64, i64) {
    let (store, project_id) = (&farm.app.store, farm.project.id);
    let (mut station, mut set) = (0, 0);
    for n in 0..205 {
        let new = NewStation {
            project_id,
            name: format!("Station {n:03}"),
            ..Default::default()
        };
        station = store.create_station(new).await.unwrap().id;
        let new = NewCaptureSet {
            project_id,
            name: format!("Set {n:03}"),
            method: "manual".to_owned(),
            ..Default::default()
        };
        set = store.create_capture_set(new).await.unwrap().id;
    }
    pipelines(farm, "Pipeline", 105).await;
    let pipeline = store.pipeline_by_slug("pipeline-104").await.unwrap();
    (station, set, pipeline.unwrap().id)
}

#[tokio::test]
async fn what_a_list_is_narrowed_by_stays_chosen() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 3).await;
        let (station, set, pipeline) = crowded(&farm).await;
        farm.app.store.populate_full(set).await.unwrap();
        let page = async |query: &str| {
            let path = format!("/projects/{}/{query}", farm.project.id);
            farm.app.anonymous().get(&path).await.text
        };
        let chosen = |id: i64, name: &str| format!("value=\"{id}\" selected>{name}</option>");
        let captures = page(&format!("captures?set={set}&station={station}")).await;
        has(
            &captures,
            &[&chosen(set, "Set 204"), &chosen(station, "Station 204")],
        );
        let captures = page(&format!("captures?set={set}")).await;
        has(&captures, &["1–3 of 3"]);
        let sessions = page(&format!("sessions?station={station}")).await;
        has(
            &sessions,
            &[
                &chosen(station, "Station 204"),
                "This station has no session",
            ],
        );
        let jobs = page(&format!("jobs?station={station}&pipeline={pipeline}")).await;
        let both = [
            chosen(station, "Station 204"),
            chosen(pipeline, "Pipeline 104"),
        ];
        has(&jobs, &[&both[0], &both[1]]);
        let gone = page("jobs?station=99999").await;
        has(&gone, &[&chosen(99_999, "number 99999, not here")]);
    }
}

#[tokio::test]
async fn a_new_job_keeps_what_is_chosen_for_it() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        let (station, set, _) = crowded(&farm).await;
        let store = &farm.app.store;
        // Two hundred come before this one.
        pipelines(&farm, "Other", 100).await;
        let pipeline = store.pipeline_by_slug("test").await.unwrap().unwrap().id;
        let role = Some(Role::ProjectManager);
        let manager = farm.app.member(&farm.project, role).await;
        let path = format!(
            "/projects/{}/jobs/new?kind=ml&pipeline_id={pipeline}&deployment_id={station}\
             &source_image_collection_id={set}",
            farm.project.id
        );
        let page = manager.get(&path).await.text;
        for id in [pipeline, station, set] {
            has(&page, &[&format!("value=\"{id}\" selected>")]);
        }
        has(
            &page,
            &["Pipeline test", "more stations are not offered here"],
        );
    }
}

#[tokio::test]
async fn a_step_of_a_schedule_keeps_what_it_names() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        let (station, set, pipeline) = crowded(&farm).await;
        let admin = farm.app.superuser().await;
        let schedule = json!({
            "name": "Nightly", "project": farm.project.id, "cron": "0 6 * * *", "time_zone": "UTC",
            "steps": [
                {"job_type_key": "regroup_events", "deployment_id": station},
                {"job_type_key": "ml", "source_image_collection_id": set, "pipeline_id": pipeline},
            ],
        });
        let made = admin.post("/api/v2/schedules/", schedule).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let path = format!(
            "/projects/{}/schedules/{}",
            farm.project.id,
            made.json()["id"]
        );
        let page = admin.get(&path).await.text;
        let typed = |field: &str, list: &str, id: i64| {
            format!("name=\"{field}\" list=\"{list}\" inputmode=\"numeric\" value=\"{id}\"")
        };
        has(
            &page,
            &[
                &typed("station-0", "stations", station),
                &typed("set-1", "sets", set),
                &typed("pipeline-1", "pipelines", pipeline),
                ">Set 204</p>",
            ],
        );
        // Each is offered once for both steps.
        assert_eq!(page.matches(">Set 003</option>").count(), 1);
    }
}

#[tokio::test]
async fn a_set_takes_any_of_many_stations() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        let (station, _, _) = crowded(&farm).await;
        let manager = Visitor::member(&farm.app, &farm.project, Role::ProjectManager).await;
        let new = format!("/projects/{}/data/sets/new", farm.project.id);
        let page = manager.get(&new).await;
        let ticks = page
            .text
            .matches("type=\"checkbox\" name=\"deployment_ids\"");
        assert_eq!(ticks.count(), 100);
        page.has(&["106 more stations cannot be ticked here"]);
        let (first, other) = (farm.station.id.to_string(), station.to_string());
        let form = [
            ("name", "Two"),
            ("method", "full"),
            ("deployment_ids", first.as_str()),
            ("deployment_ids", other.as_str()),
            ("do", "save"),
        ];
        let made = manager.post(&new, &form).await;
        made.done("Two was made.");
        let page = manager.get(&made.on_to.unwrap()).await;
        page.has(&[
            &format!("value=\"{first}\" checked> Station</label>"),
            &format!("name=\"deployment_ids\" value=\"{other}\""),
        ]);
    }
}

/// A job that waits for a runner.
async fn waiting(farm: &Farm, name: &str) -> i64 {
    let new = NewJob {
        name: name.to_owned(),
        project_id: farm.project.id,
        kind: domain::job::ML,
        station_id: Some(farm.station.id),
        pipeline_id: Some(farm.pipeline),
        start_now: true,
        ..Default::default()
    };
    farm.app.store.create_job(new).await.unwrap().id
}

#[tokio::test]
async fn the_queue_says_what_it_does_not_show_and_pauses_it_too() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        let store = &farm.app.store;
        let mut ids = Vec::new();
        for n in 0..25 {
            ids.push(waiting(&farm, &format!("Night {n}")).await);
        }
        let here = format!("/projects/{}/processing", farm.project.id);
        let manager = Visitor::member(&farm.app, &farm.project, Role::ProjectManager).await;
        let page = manager.get(&here).await;
        page.has(&["5 more run or wait", "jobs?state=unfinished", "Night 24"]);
        page.lacks(&["Night 4<"]);
        let overview = manager.get(&format!("/projects/{}", farm.project.id)).await;
        let all = "/jobs?state=unfinished\">All jobs</a> that have not ended: 25 run or wait";
        overview.has(&[all]);
        let pause = format!("{here}/queue/pause");
        let all = manager.post(&pause, &[]).await;
        all.done("25 jobs are paused.");
        assert!(!all.said.contains("still"), "{}", all.said);
        let left = store.jobs_to_steer(farm.project.id, false, 1).await;
        assert_eq!(left.unwrap().1, 0);
        for id in ids {
            store.cancel_job(Permit::BY_PROGRAM, id).await.unwrap();
        }
        manager
            .get(&here)
            .await
            .has(&["Nothing runs and nothing waits."]);
    }
}

/// The address of the stream that a page follows.
fn live(page: &str) -> String {
    let (_, rest) = page.split_once("data-live=\"").unwrap();
    rest.split('"').next().unwrap().replace("&#38;", "&")
}

#[tokio::test]
async fn what_runs_is_followed_on_the_overview_and_in_the_queue() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        let job = waiting(&farm, "Night").await;
        let (state, done) = (format!("job-{job}-state"), format!("job-{job}-done"));
        let mut streams = Vec::new();
        for part in ["", "/processing"] {
            let path = format!("/projects/{}{part}", farm.project.id);
            let page = farm.app.anonymous().get(&path).await.text;
            has(
                &page,
                &[&format!("id=\"{state}\""), &format!("id=\"{done}\"")],
            );
            streams.push(live(&page));
        }
        let cancel = async {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            let store = &farm.app.store;
            store.cancel_job(Permit::BY_PROGRAM, job).await.unwrap();
        };
        let until = [state.as_str(), "Waiting", "Cancelled"];
        let (_, _, ()) = tokio::join!(
            heard(&farm.app, &streams[0], None, &until),
            heard(&farm.app, &streams[1], None, &until),
            cancel
        );
    }
}

#[tokio::test]
async fn a_page_behind_the_last_one_says_so() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        let job = waiting(&farm, "Night").await;
        farm.app
            .member(&farm.project, Some(Role::BasicMember))
            .await;
        let admin = Visitor::superuser(&farm.app).await;
        let schedule = json!({
            "name": "Nightly", "project": farm.project.id, "cron": "0 6 * * *", "time_zone": "UTC",
            "steps": [{"job_type_key": "data_storage_sync"}],
        });
        let client = farm.app.superuser().await;
        let made = client.post("/api/v2/schedules/", schedule).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let here = format!("/projects/{}", farm.project.id);
        for (path, first) in [
            (here.clone(), "?"),
            (format!("{here}/jobs?state=unfinished"), "?state=unfinished"),
            (format!("{here}/captures"), "?"),
            (format!("{here}/data"), "?"),
            (format!("{here}/schedules"), "?"),
            (format!("{here}/people"), "?"),
            ("/server/jobs?status=PENDING".to_owned(), "?status=PENDING"),
            ("/server/users".to_owned(), "?"),
        ] {
            let mark = if path.contains('?') { '&' } else { '?' };
            let page = admin.get(&format!("{path}{mark}page=99")).await;
            assert_eq!(page.status, 200, "{path}");
            let link = format!("<a href=\"{first}\">Show the first</a>");
            page.has(&["This page is past the last one.", &link]);
        }
        let store = &farm.app.store;
        store.cancel_job(Permit::BY_PROGRAM, job).await.unwrap();
    }
}

#[tokio::test]
async fn captures_in_no_session_lead_on() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 3).await;
        let scope = Scope::Station(farm.station.id);
        let ids = farm.app.store.capture_ids_after(&scope, 0, 10).await;
        let ids = ids.unwrap();
        let path = |id: i64| format!("/projects/{}/captures/{id}", farm.project.id);
        let page = farm.app.anonymous().get(&path(ids[1])).await.text;
        let previous = format!("rel=\"prev\" href=\"{}\"", path(ids[0]));
        let next = format!("rel=\"next\" href=\"{}\"", path(ids[2]));
        has(&page, &[&previous, &next]);
        assert!(!page.contains("in this session"));
    }
}
