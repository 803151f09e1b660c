//! What a project's overview reads: its newest nights, those of a station beside one, figures of
//! projects, and jobs by state.

use chrono::Duration;
use domain::permission::Permit;
use domain::state::JobState;

use super::{all, photo, project, station, t};
use crate::Store;
use crate::capture::NewCapture;
use crate::job::NewJob;
use crate::project::{AT_WORK, Figures};
use crate::session::{SessionFilter, SessionOrder};
use crate::station::{NewStation, Station};
use crate::testing::fresh;

/// Writes captures of these times, grouped into nights.
async fn filled(store: &Store, station: &Station, times: &[&str]) {
    let new: Vec<NewCapture> = times
        .iter()
        .map(|time| photo(&format!("{time}.jpg"), Some(time)))
        .collect();
    store.upsert_captures(station, &new).await.unwrap();
    let gap = Duration::hours(2);
    store.regroup(station.id, gap, |_| {}).await.unwrap();
    store.refresh_station(station.id).await.unwrap();
}

#[tokio::test]
async fn the_newest_nights_over_all_stations() {
    for db in fresh().await {
        let store = &db.store;
        let project = project(store).await;
        assert!(store.nights(project.id, 3).await.unwrap().is_empty());
        let (one, two) = (
            station(store, &project).await,
            station(store, &project).await,
        );
        let first = [
            "2022-08-10 22:00:00",
            "2022-08-10 23:00:00",
            "2022-08-12 22:00:00",
        ];
        filled(store, &one, &first).await;
        let second = [
            "2022-08-12 21:00:00",
            "2022-08-12 22:30:00",
            "2022-08-20 22:00:00",
        ];
        filled(store, &two, &second).await;
        let shown = async |most| {
            let nights = store.nights(project.id, most).await.unwrap();
            let shown = nights.iter();
            let shown = shown.map(|n| (n.day.to_string(), n.sessions, n.captures));
            shown.collect::<Vec<_>>()
        };
        let night = |day: &str, sessions, captures| (day.to_owned(), sessions, captures);
        let all = [
            night("2022-08-10", 1, 2),
            night("2022-08-12", 2, 3),
            night("2022-08-20", 1, 1),
        ];
        assert_eq!(shown(30).await, all);
        assert_eq!(shown(2).await, all[1..]);
    }
}

#[tokio::test]
async fn a_night_goes_on_past_midnight() {
    for db in fresh().await {
        let store = &db.store;
        let project = project(store).await;
        let (one, two) = (
            station(store, &project).await,
            station(store, &project).await,
        );
        let late = ["2022-08-10 23:30:00", "2022-08-11 01:00:00"];
        filled(store, &one, &late).await;
        let early = ["2022-08-10 21:00:00", "2022-08-10 22:00:00"];
        filled(store, &two, &early).await;
        let nights = store.nights(project.id, 30).await.unwrap();
        let shown: Vec<_> = nights
            .iter()
            .map(|n| (n.captures, n.start, n.end))
            .collect();
        assert_eq!(shown, [(4, t(early[0]), t(late[1]))]);
    }
}

#[tokio::test]
async fn sessions_by_the_names_of_their_stations() {
    for db in fresh().await {
        let store = &db.store;
        let project = project(store).await;
        let named = async |name: &str| {
            let new = NewStation {
                project_id: project.id,
                name: name.to_owned(),
                ..Default::default()
            };
            store.create_station(new).await.unwrap()
        };
        let (wood, ash) = (named("Wood").await, named("Ash").await);
        let evenings = ["2022-08-10 22:00:00", "2022-08-12 22:00:00"];
        filled(store, &wood, &evenings).await;
        filled(store, &ash, &["2022-08-11 22:00:00"]).await;
        let filter = SessionFilter {
            project_id: Some(project.id),
            ..Default::default()
        };
        let days = async |descending, limit, offset| {
            let order = [(SessionOrder::STATION_NAME, descending)];
            let page = store.sessions_page(&filter, &order, limit, offset).await;
            let (rows, count) = page.unwrap();
            assert_eq!(count, 3);
            let days = rows.iter().map(|row| row.day.format("%d").to_string());
            days.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(days(false, 10, 0).await, "11 12 10");
        assert_eq!(days(true, 10, 0).await, "12 10 11");
        assert_eq!(days(false, 1, 1).await, "12");
        assert_eq!(days(false, 10, 3).await, "");
    }
}

#[tokio::test]
async fn the_nights_beside_one_and_the_captures_at_its_ends() {
    for db in fresh().await {
        let store = &db.store;
        let project = project(store).await;
        let station = station(store, &project).await;
        let times = [
            "2022-08-10 22:00:00",
            "2022-08-12 23:00:00",
            "2022-08-12 22:00:00",
            "2022-08-13 22:00:00",
        ];
        filled(store, &station, &times).await;
        let nights = store.sessions_of(station.id).await.unwrap();
        let beside = async |place: usize| {
            let (before, after) = store.nights_beside(&nights[place]).await.unwrap();
            (before.map(|night| night.id), after.map(|night| night.id))
        };
        assert_eq!(beside(0).await, (None, Some(nights[1].id)));
        let both = (Some(nights[0].id), Some(nights[2].id));
        assert_eq!(beside(1).await, both);
        assert_eq!(beside(2).await, (Some(nights[1].id), None));
        let rows = all(store, &station).await;
        let id = |time: &str| {
            rows.iter()
                .find(|c| c.taken_at == Some(t(time)))
                .unwrap()
                .id
        };
        let ids: Vec<i64> = nights.iter().map(|night| night.id).collect();
        let ends = store.first_and_last(&ids).await.unwrap();
        assert_eq!(ends[&ids[0]], (id(times[0]), id(times[0])));
        assert_eq!(ends[&ids[1]], (id(times[2]), id(times[1])));
        assert_eq!(ends.len(), 3);
        assert!(store.first_and_last(&[]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn figures_of_projects_and_jobs_by_state() {
    for db in fresh().await {
        let store = &db.store;
        let (one, empty) = (project(store).await, project(store).await);
        let (meadow, wood) = (station(store, &one).await, station(store, &one).await);
        filled(
            store,
            &meadow,
            &["2022-08-10 22:00:00", "2022-08-12 22:00:00"],
        )
        .await;
        filled(store, &wood, &["2022-08-11 22:00:00"]).await;
        let job = async |project_id| {
            let new = NewJob {
                project_id,
                kind: domain::job::POPULATE,
                ..Default::default()
            };
            store.create_job(new).await.unwrap().id
        };
        let (waits, also) = (job(one.id).await, job(one.id).await);
        let rests = job(one.id).await;
        for id in [waits, also] {
            store.enqueue_job(Permit::BY_PROGRAM, id).await.unwrap();
        }
        let figures = store.project_figures(&[one.id, empty.id]).await.unwrap();
        let expected = Figures {
            stations: 2,
            sessions: 3,
            captures: 3,
            last_capture_at: Some(t("2022-08-12 22:00:00")),
            running: 2,
        };
        assert_eq!(figures[&one.id], expected);
        assert!(!figures.contains_key(&empty.id), "it holds nothing");
        assert!(store.project_figures(&[]).await.unwrap().is_empty());
        let latest = async |states: &[JobState], most| {
            let jobs = store.latest_jobs(one.id, states, most).await.unwrap();
            jobs.iter().map(|job| job.id).collect::<Vec<_>>()
        };
        assert_eq!(latest(&AT_WORK, 10).await, [also, waits]);
        assert_eq!(latest(&AT_WORK, 1).await, [also]);
        assert_eq!(latest(&[JobState::Created], 10).await, [rests]);
        let mixed = [JobState::Created, JobState::Pending];
        assert_eq!(latest(&mixed, 2).await, [rests, also]);
    }
}
