//! A bucket behind a real S3 server: more objects than one page has, wrong keys, a bucket that is
//! not there, and a server that is slow, busy, or breaks off in the middle.

use std::time::Duration;

use serde_json::{Value, json};
use store::station::Station;
use store::testing;

use super::s3::{KEYS, Mood, S3};
use super::{log, param, sync};
use crate::app::{Client, TestApp};

/// More than two pages of a listing.
const MANY: usize = 2_300;

/// So many names of photographs, one each minute.
fn names(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|i| {
        let (day, hour, minute) = (i / 1440 + 1, i / 60 % 24, i % 60);
        format!("trap/cam/202406{day:02}{hour:02}{minute:02}00-snapshot.jpg")
    })
}

/// Makes a bucket the storage of a station; returns the number of the source.
pub async fn connect(client: &Client<'_>, station: &Station, source: Value) -> i64 {
    let mut body = json!({
        "name": "Bucket", "project": station.project_id,
        "access_key": KEYS.0, "secret_key": KEYS.1, "prefix": "trap",
    });
    body.as_object_mut()
        .unwrap()
        .extend(source.as_object().unwrap().clone());
    let made = client.post("/api/v2/storage/", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["id"].as_i64().unwrap();
    let one = format!("/api/v2/deployments/{}/", station.id);
    let changed = client.patch(&one, json!({"data_source_id": id})).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    id
}

async fn count(client: &Client<'_>, station: &Station) -> Value {
    let project = station.project_id.unwrap();
    let list = format!("/api/v2/captures/?project_id={project}&with_counts=0&limit=1");
    client.get(&list).await.json()["count"].clone()
}

#[tokio::test]
async fn a_bucket_is_read_page_by_page_once() {
    for fresh in testing::fresh().await {
        let s3 = S3::new().await;
        s3.bucket("moths", names(MANY));
        s3.bucket(
            "moths",
            ["elsewhere/20240601220000-snapshot.jpg".to_owned()],
        );
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let manager = app.superuser().await;
        app.work();
        let source = json!({"endpoint_url": s3.endpoint, "bucket": "moths"});
        let source = connect(&manager, &station, source).await;

        let test = format!("/api/v2/storage/{source}/test/");
        let looked = manager.post(&test, json!({})).await;
        assert_eq!(looked.status, 200, "{}", looked.text);
        assert_eq!(looked.json()["connection_successful"], true);

        for run in 1..=2 {
            s3.is(if run == 1 {
                Mood::Good
            } else {
                Mood::Slow(Duration::from_millis(100))
            });
            let job = sync(&app, &manager, &station).await;
            assert_eq!(job.state, "SUCCESS", "{}", log(&manager, job.id).await);
            let total = param(&manager, job.id, "data_storage_sync", "total_files").await;
            assert_eq!(total, MANY);
            assert_eq!(count(&manager, &station).await, MANY);
        }
        let list = format!("/api/v2/captures/?project_id={}&limit=1", project.id);
        let capture = manager.get(&list).await.json()["results"][0].clone();
        assert_eq!(
            (&capture["width"], &capture["height"]),
            (&json!(64), &json!(48))
        );
        let link = capture["url"].as_str().unwrap();
        let photograph = reqwest::get(link).await.unwrap();
        assert_eq!(photograph.status(), 200, "{link}");
        // Neither key is ever shown.
        let shown = manager.get(&format!("/api/v2/storage/{source}/")).await;
        assert!(!shown.text.contains(KEYS.1), "{}", shown.text);
    }
}

/// The address of the only picture of a page.
fn picture(page: &str) -> String {
    let (_, rest) = page.split_once("<img src=\"").unwrap();
    let link = rest.split('"').next().unwrap();
    link.replace("&#38;", "&")
}

#[tokio::test]
async fn the_page_of_a_capture_shows_a_buckets_picture_from_here() {
    for fresh in testing::fresh().await {
        let s3 = S3::new().await;
        s3.bucket("moths", names(1));
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let manager = app.superuser().await;
        app.work();
        let source = json!({"endpoint_url": s3.endpoint, "bucket": "moths"});
        let source = connect(&manager, &station, source).await;
        let job = sync(&app, &manager, &station).await;
        assert_eq!(job.state, "SUCCESS", "{}", log(&manager, job.id).await);
        let list = format!("/api/v2/captures/?project_id={}&limit=1", project.id);
        let id = manager.get(&list).await.json()["results"][0]["id"].clone();
        let path = format!("/projects/{}/captures/{id}", project.id);
        let page = manager.get(&path).await.text;
        let link = picture(&page);
        let thumbnail = format!("/media/thumbnails/capture_{id}/large.jpg?");
        assert!(link.starts_with(&thumbnail), "{link}");
        let shown = reqwest::get(format!("{}{link}", app.url)).await.unwrap();
        assert_eq!(shown.status(), 200);
        assert!(
            shown.url().as_str().starts_with(&app.url),
            "{}",
            shown.url()
        );
        assert_eq!(shown.headers()["content-type"], "image/jpeg");
        // The whole photograph is a link away, and nothing is fetched from the storage before.
        let whole = format!("href=\"/media/captures/{source}/");
        assert!(page.contains(&whole) && page.contains(">Full picture</a>"));
        assert!(!page.contains(&s3.endpoint), "{page}");

        let base = format!("{}/moths/", s3.endpoint);
        let one = format!("/api/v2/storage/{source}/");
        let public = manager.patch(&one, json!({"public_base_url": base}));
        assert_eq!(public.await.status, 200);
        let page = manager.get(&path).await.text;
        let link = picture(&page);
        assert!(link.starts_with(&thumbnail), "{link}");
        assert!(page.contains(&format!("href=\"{base}trap/")), "{page}");
    }
}

#[tokio::test]
async fn a_bucket_that_cannot_be_read_is_a_failure_that_says_why() {
    let fresh = testing::fresh_sqlite().await;
    let s3 = S3::new().await;
    s3.bucket("moths", names(3));
    let app = TestApp::start(&fresh).await;
    let project = app.project("Moths", false).await;
    let station = app.station(&project).await;
    let manager = app.superuser().await;
    app.work();
    let at = |bucket: &str| json!({"endpoint_url": s3.endpoint, "bucket": bucket});
    let mut wrong = at("moths");
    wrong["secret_key"] = json!("another");
    let mut unknown = at("moths");
    unknown["access_key"] = json!("nobody");
    let nowhere = json!({"endpoint_url": "http://127.0.0.1:9", "bucket": "moths"});
    for (source, code) in [
        (at("beetles"), "NoSuchBucket"),
        (wrong, "SignatureDoesNotMatch"),
        (unknown, "NotSignedUp"),
        (nowhere, "ConnectionError"),
    ] {
        let id = connect(&manager, &station, source).await;
        let job = sync(&app, &manager, &station).await;
        let log = log(&manager, job.id).await;
        assert_eq!(job.state, "FAILURE", "{code}: {log}");
        assert!(log.contains(code), "{code}: {log}");
        assert!(!log.contains(KEYS.1), "{log}");
        let test = format!("/api/v2/storage/{id}/test/");
        let looked = manager.post(&test, json!({})).await;
        assert_eq!(looked.status, 400, "{}", looked.text);
        assert_eq!(looked.json()["code"], code);
    }
    assert_eq!(count(&manager, &station).await, 0);
}

#[tokio::test]
async fn a_listing_that_breaks_off_keeps_what_it_had_and_is_gone_on_with() {
    for fresh in testing::fresh().await {
        let s3 = S3::new().await;
        s3.bucket("moths", names(MANY));
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let manager = app.superuser().await;
        app.work();
        let source = json!({"endpoint_url": s3.endpoint, "bucket": "moths"});
        connect(&manager, &station, source).await;
        for mood in [Mood::Broken(1), Mood::Busy(2)] {
            s3.is(mood);
            let job = sync(&app, &manager, &station).await;
            let log = log(&manager, job.id).await;
            assert_eq!(job.state, "FAILURE", "{mood:?}: {log}");
            assert!(log.contains("The storage cannot be listed"), "{log}");
        }
        assert_eq!(
            count(&manager, &station).await,
            2_000,
            "two pages came through"
        );
        s3.is(Mood::Good);
        let job = sync(&app, &manager, &station).await;
        assert_eq!(job.state, "SUCCESS", "{}", log(&manager, job.id).await);
        assert_eq!(count(&manager, &station).await, MANY);
    }
}
