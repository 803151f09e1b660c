//! Regrouping: the rule itself is tested in the domain; here, that the tables end as it says,
//! whatever they held before, and stay so.

use chrono::{Duration, NaiveDateTime};
use domain::session::{Stats, gap, group};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};

use super::{algorithm, all, detection, occurrence, photo, project, station, t};
use crate::Store;
use crate::capture::NewCapture;
use crate::entity::{occurrence as occurrence_row, session};
use crate::session::Session;
use crate::station::Station;
use crate::testing::{fresh, fresh_sqlite};
use sea_orm::EntityTrait;

async fn with_times(store: &Store, times: &[Option<&str>]) -> Station {
    let station = station(store, &project(store).await).await;
    add(store, &station, times).await;
    station
}

async fn add(store: &Store, station: &Station, times: &[Option<&str>]) {
    let known = all(store, station).await.len();
    let new: Vec<NewCapture> = (known..)
        .zip(times)
        .map(|(i, time)| photo(&format!("{i}.jpg"), *time))
        .collect();
    store.upsert_captures(station, &new).await.unwrap();
}

async fn regroup(store: &Store, station: &Station, pause: Duration) -> Stats {
    store.regroup(station.id, pause, |_| {}).await.unwrap()
}

/// Day, start, end and captures of each session.
async fn shown(
    store: &Store,
    station: &Station,
) -> Vec<(String, NaiveDateTime, Option<NaiveDateTime>, i64)> {
    let sessions = store.sessions_of(station.id).await.unwrap();
    let show = |s: Session| (s.day.to_string(), s.start_at, s.end_at, s.captures_count);
    sessions.into_iter().map(show).collect()
}

const TWO_NIGHTS: [Option<&str>; 7] = [
    Some("2022-08-11 22:00:00"),
    Some("2022-08-10 23:30:00"),
    Some("2022-08-11 00:30:00"),
    Some("2022-08-10 22:00:00"),
    Some("2022-08-11 22:00:00"),
    Some("2022-08-11 23:00:00"),
    None,
];

#[tokio::test]
async fn two_nights() {
    for db in fresh().await {
        let store = &db.store;
        let station = with_times(store, &TWO_NIGHTS).await;
        let mut shares = Vec::new();
        let stats = store
            .regroup(station.id, gap(None), |s| shares.push(s))
            .await
            .unwrap();
        assert_eq!(shares, [1.0]);
        let expected = Stats {
            captures_grouped: 6,
            events_created: 2,
            events_touched: 2,
            empty_events_deleted: 0,
            duplicate_timestamps: 1,
            ungrouped_captures: 0,
            captures_missing_timestamp: 1,
        };
        assert_eq!(stats, expected);
        let sessions = [
            (
                "2022-08-10".to_owned(),
                t("2022-08-10 22:00:00"),
                Some(t("2022-08-11 00:30:00")),
                3,
            ),
            (
                "2022-08-11".to_owned(),
                t("2022-08-11 22:00:00"),
                Some(t("2022-08-11 23:00:00")),
                3,
            ),
        ];
        assert_eq!(shown(store, &station).await, sessions);
        let row = store.station(station.id).await.unwrap();
        assert_eq!((row.captures_count, row.sessions_count), (7, 2));
        assert_eq!(row.first_capture_at, Some(t("2022-08-10 22:00:00")));
        assert_eq!(row.last_capture_at, Some(t("2022-08-11 23:00:00")));
        let own = store.sessions_of(station.id).await.unwrap();
        assert_eq!(store.session(own[0].id).await.unwrap(), own[0]);
        assert_eq!(own[0].project_id, station.project_id);
        assert_eq!(
            store
                .count_sessions(station.project_id.unwrap())
                .await
                .unwrap(),
            2
        );
    }
}

#[tokio::test]
async fn a_second_run_creates_and_moves_nothing() {
    for db in fresh().await {
        let store = &db.store;
        let station = with_times(store, &TWO_NIGHTS).await;
        let first = regroup(store, &station, gap(None)).await;
        let captures = all(store, &station).await;
        let sessions = shown(store, &station).await;
        let second = regroup(store, &station, gap(None)).await;
        // As on the platform, the session of every group counts as touched.
        let expected = Stats {
            events_created: 0,
            ..first
        };
        assert_eq!(second, expected);
        assert_eq!(all(store, &station).await, captures);
        assert_eq!(shown(store, &station).await, sessions);
    }
}

#[tokio::test]
async fn nothing_to_group() {
    for db in fresh().await {
        let store = &db.store;
        let station = with_times(store, &[None]).await;
        let expected = Stats {
            captures_missing_timestamp: 1,
            ..Stats::default()
        };
        assert_eq!(regroup(store, &station, gap(None)).await, expected);
        assert!(
            store
                .regroup(station.id + 1000, gap(None), |_| {})
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn another_gap_joins_and_splits_and_clears_what_is_empty() {
    for db in fresh().await {
        let store = &db.store;
        let times = [
            "2022-08-10 22:00:00",
            "2022-08-11 01:00:00",
            "2022-08-11 23:59:00",
        ];
        let station = with_times(store, &times.map(Some)).await;
        let narrow = regroup(store, &station, Duration::hours(2)).await;
        assert_eq!(narrow.events_created, 2, "the two of the 11th share one");
        let wide = regroup(store, &station, Duration::hours(20)).await;
        assert_eq!((wide.events_created, wide.empty_events_deleted), (0, 0));
        assert_eq!(shown(store, &station).await[0].3, 2);
        let whole = regroup(store, &station, Duration::hours(23)).await;
        assert_eq!(
            whole.empty_events_deleted, 0,
            "a night is cut after 24 hours"
        );
        let back = regroup(store, &station, Duration::hours(2)).await;
        assert_eq!((back.events_created, back.empty_events_deleted), (0, 0));
        assert_eq!(shown(store, &station).await[1].3, 2);

        store
            .delete_capture(all(store, &station).await[0].id)
            .await
            .unwrap();
        let cleared = regroup(store, &station, Duration::hours(2)).await;
        assert_eq!(cleared.empty_events_deleted, 1);
        assert_eq!(shown(store, &station).await.len(), 1);
    }
}

#[tokio::test]
async fn late_captures_join_the_session_of_their_day() {
    for db in fresh().await {
        let store = &db.store;
        let station = with_times(store, &[Some("2022-08-11 01:00:00")]).await;
        regroup(store, &station, gap(None)).await;
        let old = store.sessions_of(station.id).await.unwrap();
        // The night began earlier than known: its key is another day, the old session goes.
        add(store, &station, &[Some("2022-08-10 23:30:00")]).await;
        let stats = regroup(store, &station, gap(None)).await;
        assert_eq!((stats.events_created, stats.empty_events_deleted), (1, 1));
        assert_eq!(
            stats.events_touched, 2,
            "the one that lost and the one that gained"
        );
        let new = store.sessions_of(station.id).await.unwrap();
        assert_eq!(new.len(), 1);
        assert_ne!(new[0].id, old[0].id);
        assert_eq!(new[0].captures_count, 2);
    }
}

#[tokio::test]
async fn other_stations_are_left_alone() {
    for db in fresh().await {
        let store = &db.store;
        let project = project(store).await;
        let (a, b) = (
            station(store, &project).await,
            station(store, &project).await,
        );
        for s in [&a, &b] {
            add(store, s, &TWO_NIGHTS).await;
        }
        regroup(store, &a, gap(None)).await;
        assert!(shown(store, &b).await.is_empty());
        assert!(all(store, &b).await.iter().all(|c| c.session_id.is_none()));
        regroup(store, &b, gap(None)).await;
        assert_eq!(shown(store, &a).await, shown(store, &b).await);
    }
}

#[tokio::test]
async fn occurrences_follow_their_earliest_capture() {
    for db in fresh().await {
        let store = &db.store;
        let station = with_times(store, &TWO_NIGHTS).await;
        regroup(store, &station, gap(None)).await;
        let captures = all(store, &station).await;
        let sessions = store.sessions_of(station.id).await.unwrap();
        let detector = algorithm(store, "det", "localization").await;
        // Seen in both nights, on the later one first; wrongly with the second.
        let both = occurrence(store, &station, Some(sessions[1].id)).await;
        let unseen = occurrence(store, &station, Some(sessions[1].id)).await;
        for i in [0, 1] {
            detection(
                store,
                captures[i].id,
                detector.id,
                Some([0.0; 4]),
                Some(both),
            )
            .await;
        }
        regroup(store, &station, gap(None)).await;
        let session_of = async |id| {
            let row = occurrence_row::Entity::find_by_id(id)
                .one(&store.db)
                .await
                .unwrap();
            row.unwrap().session_id
        };
        assert_eq!(session_of(both).await, Some(sessions[0].id));
        assert_eq!(session_of(unseen).await, None);
    }
}

/// What a crash between moving captures and everything after it leaves behind.
#[tokio::test]
async fn a_run_that_was_cut_off_is_repaired_by_the_next() {
    for db in fresh().await {
        let store = &db.store;
        let station = with_times(store, &TWO_NIGHTS).await;
        regroup(store, &station, gap(None)).await;
        let right = (
            shown(store, &station).await,
            store.station(station.id).await.unwrap(),
        );
        let detector = algorithm(store, "det", "localization").await;
        let seen = occurrence(store, &station, None).await;
        let first = all(store, &station).await[1].clone();
        detection(store, first.id, detector.id, Some([0.0; 4]), Some(seen)).await;
        for row in store.sessions_of(station.id).await.unwrap() {
            let mut row: session::ActiveModel = row.into_active_model();
            row.captures_count = Set(0);
            row.start_at = Set(t("2000-01-01 00:00:00"));
            row.end_at = Set(None);
            row.update(&store.db).await.unwrap();
        }
        let stats = regroup(store, &station, gap(None)).await;
        assert_eq!(stats.events_created, 0);
        assert_eq!(
            (
                shown(store, &station).await,
                store.station(station.id).await.unwrap()
            ),
            right
        );
        let row = occurrence_row::Entity::find_by_id(seen)
            .one(&store.db)
            .await
            .unwrap();
        assert_eq!(row.unwrap().session_id, first.session_id);
    }
}

/// More captures than a page of times, with shared times over the edge of the page.
#[tokio::test]
async fn pages_leave_no_seam() {
    for db in fresh().await {
        let store = &db.store;
        let station = station(store, &project(store).await).await;
        let start = t("2022-08-10 20:00:00");
        let new: Vec<NewCapture> = (0..12_000)
            .map(|i| NewCapture {
                taken_at: Some(start + Duration::seconds(i / 7 * 30)),
                ..photo(&format!("{i}.jpg"), None)
            })
            .collect();
        store.upsert_captures(&station, &new).await.unwrap();
        let mut shares = Vec::new();
        let stats = store
            .regroup(station.id, gap(None), |s| shares.push(s))
            .await
            .unwrap();
        assert_eq!(shares.len(), 3);
        assert!(
            shares.is_sorted() && shares.last() == Some(&1.0),
            "{shares:?}"
        );
        assert_eq!((stats.captures_grouped, stats.events_created), (12_000, 1));
        // 1714 times of seven captures and one of two.
        assert_eq!(stats.duplicate_timestamps, 1715);
        assert_eq!(shown(store, &station).await[0].3, 12_000);
    }
}

async fn agrees_with_the_rule(store: &Store, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let station = station(store, &project(store).await).await;
    let start = t("2022-08-10 18:00:00");
    let mut times = Vec::new();
    // In rounds, so that later captures split and join what earlier ones made.
    for round in 0..3 {
        let new: Vec<NewCapture> = (0..random.random_range(1..40))
            .map(|i| NewCapture {
                taken_at: Some(start + Duration::minutes(random.random_range(0..400) * 20)),
                ..photo(&format!("{round}/{i}.jpg"), None)
            })
            .collect();
        times.extend(new.iter().filter_map(|c| c.taken_at));
        store.upsert_captures(&station, &new).await.unwrap();
        let pause = Duration::minutes(random.random_range(1..400));
        let stats = regroup(store, &station, pause).await;
        let groups = group(&times, pause);
        let expected: Vec<_> = groups
            .iter()
            .map(|g| {
                (
                    g.day.to_string(),
                    g.start,
                    Some(g.end),
                    i64::try_from(g.captures).unwrap(),
                )
            })
            .collect();
        assert_eq!(
            shown(store, &station).await,
            expected,
            "seed {seed} round {round}"
        );
        let shared: u64 = groups.iter().map(|g| g.shared_times).sum();
        assert_eq!(stats.duplicate_timestamps, shared);
        assert_eq!(stats.captures_grouped, times.len() as u64);
    }
}

#[tokio::test]
async fn random_captures_end_as_the_rule_says() {
    let db = fresh_sqlite().await;
    for seed in 0..40 {
        agrees_with_the_rule(&db.store, seed).await;
    }
}
