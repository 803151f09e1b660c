//! Processes that share nothing but PostgreSQL and a bucket: what one of them keeps the others see,
//! and none of them writes to a folder. And what is said at the start where that cannot be.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::permission::Role;
use reqwest::Client;
use serde_json::json;
use store::testing;
use store::testing::rows::{Row, insert};

use crate::app::TestApp;
use crate::chaos::process::{Process, free_port, listens};
use crate::found::Found;
use crate::pages::jpeg;
use crate::program::{self, hawkmoth};
use crate::sync::s3::{KEYS, S3};

/// Signs links; all processes have the same.
const SECRET: &str = "5ec5e75ec5e75ec5e75ec5e75ec5e75ec5e75ec5e75ec5e75ec5e75ec5e75ec5";

/// A process of a machine of its own.
fn process(name: &'static str, dir: &Path, common: &[&str], own: &[&str]) -> (Process, PathBuf) {
    let data = dir.join(name).join("data");
    std::fs::create_dir_all(dir.join(name)).unwrap();
    let place = ["--data", data.to_str().unwrap()];
    let command = name.split(' ').next_back().unwrap();
    let arguments = [&[command], &place[..], common, own].concat();
    (Process::new(name, dir, &arguments), data)
}

/// Waits for a file of the bucket.
async fn appears(file: &Path) -> Vec<u8> {
    for _ in 0..1200 {
        // It may be caught half-written: the server of the test is no database.
        if let Ok(content) = std::fs::read(file)
            && image::load_from_memory(&content).is_ok()
        {
            return content;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} does not appear", file.display());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_share_a_database_and_a_bucket_and_nothing_else() {
    for fresh in testing::fresh().await {
        if fresh.store.is_sqlite() {
            continue; // is a file of one machine
        }
        let dir = tempfile::tempdir().unwrap();
        let s3 = S3::new().await;
        let bucket = s3.bucket("kept", []).join("hawkmoth");
        let home = format!(
            "s3://kept/hawkmoth?endpoint={}&region=us-east-1",
            s3.endpoint
        );
        // The bucket is on this machine, and the operator's own: it is not refused.
        let (one, other) = (free_port(), free_port());
        let public = format!("http://{one}");
        let common = [
            "--database-url",
            &fresh.url,
            "--files",
            &home,
            "--files-access-key",
            KEYS.0,
            "--files-secret-key",
            KEYS.1,
            "--secret-key",
            SECRET,
            "--public-url",
            &public,
            "--outgoing-private",
            "false",
        ];
        let mut processes = vec![
            process("first web", dir.path(), &common, &["--bind", &one]),
            process("second web", dir.path(), &common, &["--bind", &other]),
        ];
        listens(&one).await;
        listens(&other).await;
        processes.push(process("work", dir.path(), &common, &[]));

        // Rows are made by the library, requests go to the processes.
        let mut app = TestApp::start(&fresh).await;
        app.url.clone_from(&public);
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let (picture, name) = (jpeg(640, 480), "20240601220000-00-snapshot.jpg");
        let sent = ("image", name, picture.clone());
        let station_id = station.id.to_string();
        let path = "/api/v2/captures/upload/?process_now=false";
        let sent = manager
            .send_file(path, ("deployment", &station_id), Some(sent))
            .await;
        assert_eq!(sent.status, 201, "{}", sent.text);
        let sent = sent.json();
        let key = format!("example_captures/{station_id}/{name}");
        assert_eq!(std::fs::read(bucket.join(&key)).unwrap(), picture);

        // The other web process shows it, and its thumbnail, which the first one then has too.
        let elsewhere = |address: &str| address.replace(&one, &other);
        let http = Client::new();
        let shown = http
            .get(elsewhere(sent["image"].as_str().unwrap()))
            .send()
            .await
            .unwrap();
        assert_eq!(shown.headers()["content-type"], "image/jpeg");
        assert_eq!(shown.headers()["cache-control"], "private, max-age=86400");
        assert_eq!(shown.bytes().await.unwrap(), picture);
        let capture = sent["source_image"]["id"].as_i64().unwrap();
        let path = format!("/api/v2/captures/thumbnails/{capture}/?label=small");
        let small = http
            .get(elsewhere(&format!("{public}{path}")))
            .send()
            .await
            .unwrap();
        let small = small.bytes().await.unwrap();
        let kept = bucket.join(format!("thumbnails/capture_{capture}/small.jpg"));
        assert_eq!(std::fs::read(kept).unwrap(), small);
        assert_eq!(manager.get(&path).await.status, 200);

        // The worker cuts the crop and writes the export; the web processes serve them.
        by_hand(&app).await;
        let taxon = testing::taxon(&app.store, "Noctua pronuba").await;
        let capture = app.store.capture(capture).await.unwrap();
        let found = Found {
            id: 1,
            taxon,
            algorithm: 1,
        };
        app.found(&capture, found).await;
        let crop = appears(&bucket.join("crops/detection_1.jpg")).await;
        let new = json!({"project": project.id, "format": domain::export::DARWIN_CORE});
        let made = manager.post("/api/v2/exports/", new).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        let job = app.ended(made["job"]["id"].as_i64().unwrap()).await;
        assert_eq!(job.state, "SUCCESS");
        let export = format!("/api/v2/exports/{}/", made["id"]);
        let export = manager.get(&export).await.json();
        let file = export["file_url"].as_str().unwrap();
        let file = http.get(elsewhere(file)).send().await.unwrap();
        assert_eq!(file.headers()["content-type"], "application/zip");
        assert_eq!(
            file.headers()["content-length"],
            export["file_size"].to_string().as_str()
        );
        let file = file.bytes().await.unwrap();
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&file[..])).unwrap();
        assert!(archive.by_name("occurrence.txt").is_ok());
        let occurrence = format!("/api/v2/occurrences/1/?project_id={}", project.id);
        let occurrence = manager.get(&occurrence).await;
        let images = occurrence.json()["detection_images"].clone();
        let address = images[0]
            .as_str()
            .unwrap_or_else(|| panic!("{}", occurrence.text));
        let cut = http
            .get(format!("http://{other}{address}"))
            .send()
            .await
            .unwrap();
        assert_eq!(cut.bytes().await.unwrap(), crop);

        for (process, data) in &mut processes {
            process.must_live();
            assert!(!data.exists(), "{} wrote to its own folder", process.name);
        }
        assert!(!dir.path().join("hawkmoth-data").exists());
        let unfinished = bucket.join(".unfinished");
        let unfinished = std::fs::read_dir(unfinished).unwrap().flatten();
        let left = unfinished.map(|dir| std::fs::read_dir(dir.path()).unwrap().count());
        assert_eq!(left.sum::<usize>(), 0);
    }
}

/// An algorithm with the number 1.
async fn by_hand(app: &TestApp) {
    let algorithm = Row::new("algorithm")
        .int("id", 1)
        .text("key", "by hand")
        .text("name", "By hand")
        .text("description", "")
        .int("version", 1)
        .text("task_type", "classification")
        .instant("created_at", store::now())
        .instant("updated_at", store::now());
    insert(&app.store, &[algorithm]).await.unwrap();
}

/// What the program says that cannot start.
fn refused(dir: &Path, arguments: &[&str], keys: Option<(&str, &str)>) -> String {
    let mut command = hawkmoth();
    if let Some((name, key)) = keys {
        command
            .env("AWS_ACCESS_KEY_ID", name)
            .env("AWS_SECRET_ACCESS_KEY", key);
    }
    program::refused(command.current_dir(dir).args(arguments))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_cannot_be_kept_are_said_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let s3 = S3::new().await;
    s3.bucket("kept", []);
    let home = |bucket: &str| format!("s3://{bucket}?endpoint={}", s3.endpoint);
    let good = Some(KEYS);
    for command in ["serve", "web", "work", "demo"] {
        for (bucket, keys, words) in [
            ("kept", None, "set AWS_ACCESS_KEY_ID"),
            ("kept", Some((KEYS.0, "another")), "refuses these keys"),
            ("nowhere", good, "The bucket does not exist"),
        ] {
            let mut arguments = vec![command, "--files"];
            let home = home(bucket);
            arguments.push(&home);
            if command != "work" {
                arguments.extend(["--bind", "127.0.0.1:0"]);
            }
            let said = refused(dir.path(), &arguments, keys);
            assert!(said.contains(words), "{command}: {said}");
            assert!(!said.contains("another"), "{said}");
        }
    }
    // A copy that was cut off.
    let half = dir.path().join("half");
    std::fs::create_dir(&half).unwrap();
    std::fs::write(half.join(".moving"), "/srv/files").unwrap();
    for command in ["serve", "web", "work", "demo"] {
        let said = refused(dir.path(), &[command, "--files", "half"], None);
        assert!(
            said.contains("in half: only the beginning of the files of /srv/files is there"),
            "{command}: {said}"
        );
    }
    let misspelt = refused_setting(dir.path(), "s3://kept?endpint=http://x");
    assert!(
        misspelt.contains("there is no \"endpint\" of a bucket"),
        "{misspelt}"
    );
}

/// What clap says of a setting.
fn refused_setting(dir: &Path, files: &str) -> String {
    let output = hawkmoth()
        .current_dir(dir)
        .args(["web", "--files", files])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_is_kept_here_no_key_is_made_here() {
    for fresh in testing::fresh().await {
        if fresh.store.is_sqlite() {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        let s3 = S3::new().await;
        s3.bucket("kept", []);
        let home = format!("s3://kept/p?endpoint={}", s3.endpoint);
        let arguments = ["work", "--database-url", &fresh.url, "--files", &home];
        let said = refused(dir.path(), &arguments, Some(KEYS));
        assert!(
            said.contains("give all of them the same with HAWKMOTH_SECRET_KEY"),
            "{said}"
        );
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
