//! The import of a real installation of Antenna's: its tables from `HAWKMOTH_GOLDEN_DIR` in a
//! database made for the test, brought into each kind of database of ours.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::json;
use store::Store;
use store::antenna::{Brought, Report, Terms};
use store::testing::foreign::Foreign;
use store::testing::{self, rows};

use crate::app::TestApp;

pub mod tables;

use tables::{Tables, fill, read};

/// The recording's tables in a database, or `None` with a word where there is nothing to make it
/// of.
pub async fn antenna() -> Option<(PathBuf, Foreign)> {
    let folder = std::env::var_os("HAWKMOTH_GOLDEN_DIR").filter(|dir| !dir.is_empty());
    let Some(folder) = folder.map(|dir| PathBuf::from(dir).join("antenna-db")) else {
        testing::left_out("HAWKMOTH_GOLDEN_DIR is not set: the import is not tested");
        return None;
    };
    let foreign = Foreign::make().await?;
    let tables = Tables::of(&folder);
    foreign.run(&tables.made()).await;
    for table in tables.names() {
        let file = folder.join(format!("{table}.csv"));
        if file.is_file() {
            fill(&foreign, &tables, table, &read(&file)).await;
        }
    }
    Some((folder, foreign))
}

fn terms() -> Terms {
    sealing(|key| format!("sealed {}", key.len()))
}

/// What the recorded Antenna's clocks show, and how keys of buckets are sealed here.
pub fn sealing(seal: impl Fn(&str) -> String + Send + Sync + 'static) -> Terms {
    let zone: rest::Zone = "America/New_York".parse().unwrap();
    Terms {
        local: Box::new(move |time| zone.local(time)),
        instant: Box::new(move |time| zone.instant(time)),
        seal: Box::new(seal),
    }
}

async fn import(store: &Store, url: &str) -> Report {
    let report = store.import_antenna(url, terms(), &mut |_, _| {}).await;
    report.unwrap()
}

/// The ids in a table's file.
fn ids(folder: &Path, table: &str) -> HashSet<i64> {
    let rows = read(&folder.join(format!("{table}.csv")));
    rows.iter().map(|row| row["id"].parse().unwrap()).collect()
}

fn of<'a>(report: &'a Report, table: &str) -> &'a Brought {
    report.tables.iter().find(|t| t.table == table).unwrap()
}

/// Rows of these tables that were left out, by the report.
fn left_out(report: &Report, table: &str) -> i64 {
    let lost = report.lost.iter().filter(|lost| lost.table == table);
    lost.filter(|lost| lost.reason.starts_with("left out"))
        .map(|lost| lost.count)
        .sum()
}

/// Every row was read, and came over or is named.
fn assert_whole(report: &Report) {
    for table in &report.tables {
        assert_eq!(table.there, table.seen, "{}", table.table);
        let lost = left_out(report, table.table);
        assert_eq!(
            table.written + lost,
            table.seen,
            "{}: {:#?}",
            table.table,
            report.lost
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_comes_over_whole() {
    let Some((folder, foreign)) = antenna().await else {
        return;
    };
    foreign
        .run("UPDATE jobs_job SET status = 'STARTED' WHERE id = 1")
        .await;
    foreign
        .run("UPDATE jobs_job SET status = 'PENDING' WHERE id = 2")
        .await;
    for fresh in testing::fresh().await {
        let store = &fresh.store;
        let report = import(store, &foreign.url).await;
        for table in &report.tables {
            println!("{table:?}");
        }
        println!("{:#?}", report.lost);
        assert_whole(&report);
        for (theirs, ours) in [
            ("users_user", "user"),
            ("main_project", "project"),
            ("main_deployment", "station"),
            ("main_event", "session"),
            ("main_sourceimage", "capture"),
            ("main_taxon", "taxon"),
            ("main_occurrence", "occurrence"),
            ("main_detection", "detection"),
            ("main_classification", "classification"),
            ("main_identification", "identification"),
            ("ml_pipeline", "pipeline"),
            ("jobs_job", "job"),
        ] {
            let there = rows::ids(store, ours).await.unwrap();
            assert_eq!(there.len() as i64, of(&report, theirs).written, "{ours}");
            assert!(there.is_subset(&ids(&folder, theirs)), "{ours}");
            assert_eq!(left_out(&report, theirs), 0, "{theirs}: {:#?}", report.lost);
        }
        store.check_whole().await.unwrap();
        at_work(store).await;
        whole_rows(store).await;
        // Once more: nothing is doubled, and the table says the same.
        assert_eq!(import(store, &foreign.url).await.tables, report.tables);
        signed_in(&TestApp::start(&fresh).await, &folder).await;
    }
}

/// Jobs that were at work wait for a person, and say why.
async fn at_work(store: &Store) {
    for (id, was) in [(1, "STARTED"), (2, "PENDING")] {
        assert_eq!(store.job(id).await.unwrap().state, "CREATED");
        let log = store.job_log(id, 10).await.unwrap();
        let sentence = format!("Brought over from Antenna, where it was {was}.");
        assert!(
            log.iter().any(|line| line.message.starts_with(&sentence)),
            "{log:?}"
        );
    }
}

async fn whole_rows(store: &Store) {
    let capture = store.captures_by_id(&[1]).await.unwrap().remove(0);
    // 02:01 UTC, and so it stands in the name of the file.
    assert_eq!(capture.taken_at.unwrap().to_string(), "2025-04-20 22:01:00");
    assert_eq!((capture.station_id, capture.session_id), (Some(2), Some(1)));
    assert_eq!(capture.size, Some(24_593));
    assert_eq!(
        capture.checksum.as_deref(),
        Some("b75fa631139deec917e422b955705c53")
    );
    let (member, user) = store.members(1, 100, 0).await.unwrap().0.remove(0);
    assert_eq!(
        (member.role.as_str(), user.email.as_str()),
        ("ProjectManager", "owner@example.org")
    );
    let source = store.source(1).await.unwrap();
    assert_eq!(source.access_key, "sealed 10");
    assert_eq!(source.secret_key, "sealed 10");
}

/// Tokens go on working, and so do passwords.
async fn signed_in(app: &TestApp, folder: &Path) {
    let tokens = read(&folder.join("authtoken_token.csv"));
    let owner = tokens.iter().find(|row| row["user_id"] == "5").unwrap();
    let client = app.with_token(&owner["key"]);
    let me = client.get("/api/v2/users/me/").await.json();
    assert_eq!(
        (me["id"].as_i64(), me["email"].as_str()),
        (Some(5), Some("owner@example.org"))
    );
    let job = client.get("/api/v2/jobs/1/").await.json();
    assert_eq!(
        (job["id"].as_i64(), job["name"].as_str()),
        (Some(1), Some("form job"))
    );
    let login = json!({"email": "owner@example.org", "password": "pass-owner-1"});
    let answer = app
        .anonymous()
        .post("/api/v2/auth/token/login/", login)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    // New rows get numbers that were never given.
    let highest = ids(folder, "jobs_job").into_iter().max().unwrap();
    let job = json!({"name": "new", "delay": 0, "project_id": 1, "job_type_key": "ml"});
    let made = client.post("/api/v2/jobs/", job).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(made.json()["id"].as_i64().unwrap() > highest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_was_cut_off_goes_on() {
    let Some((_, foreign)) = antenna().await else {
        return;
    };
    for fresh in testing::fresh().await {
        for table in [
            "main_sourceimage",
            "main_classification",
            "counts of captures",
        ] {
            let (store, url) = (fresh.store.clone(), foreign.url.clone());
            let cut = tokio::spawn(async move {
                let heard = &mut |at: &str, _: i64| assert_ne!(at, table, "cut off");
                store.import_antenna(&url, terms(), heard).await.map(|_| ())
            });
            assert!(cut.await.unwrap_err().is_panic(), "{table}");
            let open = fresh.store.check_whole().await.unwrap_err().to_string();
            assert!(open.contains("`hawkmoth import` again"), "{open}");
        }
        assert_whole(&import(&fresh.store, &foreign.url).await);
        fresh.store.check_whole().await.unwrap();
        let undisturbed = testing::fresh_sqlite().await;
        let report = import(&undisturbed.store, &foreign.url).await;
        assert_eq!(import(&fresh.store, &foreign.url).await, report);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_is_named() {
    let Some((_, foreign)) = antenna().await else {
        return;
    };
    for statement in [
        "UPDATE jobs_job SET status = 'SLEEPING' WHERE id = 1",
        "UPDATE jobs_job SET job_type_key = 'dance' WHERE id = 2",
        "UPDATE main_detection SET bbox = '[1, 2]' WHERE id = 1",
        "UPDATE main_taxon SET author = 'Linnaeus', parent_id = 999 WHERE id = 2",
        "INSERT INTO main_taxon_tags (id, taxon_id, tag_id) VALUES (1, 2, 77)",
        "INSERT INTO main_blogpost (id, title) VALUES (1, 'News')",
    ] {
        foreign.run(statement).await;
    }
    for fresh in testing::fresh().await {
        let report = import(&fresh.store, &foreign.url).await;
        for (table, reason, id) in [
            ("jobs_job", "came as UNKNOWN: no such status here", Some(1)),
            (
                "jobs_job",
                "left out: \"dance\" is no kind of job here",
                Some(2),
            ),
            ("main_detection", "left out: bbox is no box", Some(1)),
            (
                "main_taxon",
                "came without its author, which has no place here",
                Some(2),
            ),
            (
                "main_taxon",
                "came without its parent_id, which is not there",
                Some(2),
            ),
            (
                "main_taxon_tags",
                "left out: its tag_id is not there",
                Some(1),
            ),
            (
                "main_blogpost",
                "left out: there is no such thing here",
                None,
            ),
        ] {
            let lost = report
                .lost
                .iter()
                .find(|l| l.table == table && l.reason == reason);
            let lost = lost.unwrap_or_else(|| panic!("{table}: {reason} in {:#?}", report.lost));
            assert!(
                lost.count > 0 && id.is_none_or(|id| lost.ids.contains(&id)),
                "{lost:?}"
            );
        }
        let other = fresh
            .store
            .import_antenna(&fresh.url, terms(), &mut |_, _| {})
            .await;
        assert!(other.is_err(), "a database of ours is none of Antenna's");
    }
}
