//! `hawkmoth copy` and `hawkmoth import` as a person starts them: there and back, killed in the
//! middle and given again, and refused with a sentence.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use store::Store;
use store::capture::NewCapture;
use store::job::NewJob;
use store::project::NewProject;
use store::station::NewStation;
use store::testing::foreign::Foreign;
use store::testing::{self, Fresh, rows};
use store::user::NewUser;

use crate::antenna::antenna;
use crate::program::{self, said};
use crate::sync::s3::{KEYS, Mood, S3};

/// Many pages.
const MANY: i64 = 40_000;

fn hawkmoth(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = program::hawkmoth();
    command
        .env("AWS_ACCESS_KEY_ID", KEYS.0)
        .env("AWS_SECRET_ACCESS_KEY", KEYS.1);
    command.current_dir(dir).args(arguments);
    command
}

fn succeeds(dir: &Path, arguments: &[&str]) -> String {
    program::succeeds(&mut hawkmoth(dir, arguments))
}

fn fails(dir: &Path, arguments: &[&str]) -> String {
    program::refused(&mut hawkmoth(dir, arguments))
}

/// The address of a SQLite file in a folder.
fn file(dir: &Path, name: &str) -> String {
    format!("sqlite://{}", dir.join(name).display())
}

/// An installation with many captures.
async fn installation() -> Fresh {
    let fresh = testing::fresh_sqlite().await;
    let store = &fresh.store;
    let project = NewProject {
        name: "Moths".to_owned(),
        ..Default::default()
    };
    let project = store.create_project(project).await.unwrap();
    let station = NewStation {
        project_id: project.id,
        name: "Meadow".to_owned(),
        ..Default::default()
    };
    let station = store.create_station(station).await.unwrap();
    let captures: Vec<NewCapture> = (0..MANY)
        .map(|i| NewCapture {
            path: format!("{i:06} ü.jpg"),
            size: Some(i),
            ..Default::default()
        })
        .collect();
    for page in captures.chunks(1000) {
        store.upsert_captures(&station, page).await.unwrap();
    }
    let owner = NewUser {
        email: "owner@example.org".to_owned(),
        password: "secret".to_owned(),
        ..Default::default()
    };
    store.create_user(owner).await.unwrap();
    fresh
}

/// What is compared of an installation: all its captures, and who may sign in.
async fn contents(url: &str) -> (Vec<String>, bool) {
    let store = Store::open_existing(url).await.unwrap();
    store.check_whole().await.unwrap();
    let mut ids: Vec<i64> = rows::ids(&store, "capture")
        .await
        .unwrap()
        .into_iter()
        .collect();
    ids.sort_unstable();
    let mut all = Vec::with_capacity(ids.len());
    for ids in ids.chunks(1000) {
        let mut page = store.captures_by_id(ids).await.unwrap();
        page.sort_by_key(|capture| capture.id);
        all.extend(page.iter().map(|capture| format!("{capture:?}")));
    }
    let owner = store.user_by_email("owner@example.org").await.unwrap();
    (all, owner.is_some())
}

/// Waits until some but not all captures have come, and kills who brings them.
async fn killed_in_the_middle(mut child: Child, target: &str, all: usize) {
    loop {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "it ended before it could be killed");
        // Until the schema is there nothing can be asked.
        if let Ok(store) = Store::open_existing(target).await
            && let Ok(there) = rows::ids(&store, "capture").await
            && !there.is_empty()
        {
            child.kill().unwrap();
            child.wait().unwrap();
            let there = rows::ids(&store, "capture").await.unwrap().len();
            assert!((1..all).contains(&there), "{there} of {all}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn begun(dir: &Path, arguments: &[&str]) -> Child {
    let mut command = hawkmoth(dir, arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_goes_to_another_database_and_back() {
    let Some(there) = Foreign::make().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let source = installation().await;
    let copy = ["copy", "--from", &source.url, "--to", &there.url];
    killed_in_the_middle(begun(dir.path(), &copy), &there.url, MANY as usize).await;
    let web = ["web", "--bind", "127.0.0.1:0", "--database-url", &there.url];
    let refused = fails(dir.path(), &web);
    assert!(
        refused.contains("give the same `hawkmoth copy` again"),
        "{refused}"
    );

    let told = succeeds(dir.path(), &copy);
    let captures = told
        .lines()
        .find(|line| line.starts_with("capture "))
        .unwrap();
    let counts: Vec<&str> = captures.split_whitespace().collect();
    assert_eq!(counts, ["capture", "40000", "40000"], "{told}");
    assert!(told.contains("Files are not copied"), "{told}");
    assert!(contents(&source.url).await == contents(&there.url).await);

    let back = file(dir.path(), "back.db");
    let copy = ["copy", "--from", &there.url, "--to", &back];
    killed_in_the_middle(begun(dir.path(), &copy), &back, MANY as usize).await;
    succeeds(dir.path(), &copy);
    assert!(contents(&source.url).await == contents(&back).await);
    let again = fails(dir.path(), &copy);
    assert!(again.contains("the target is not empty"), "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_on_which_somebody_works_is_copied_for_a_trial_only() {
    let dir = tempfile::tempdir().unwrap();
    let source = testing::fresh_sqlite().await;
    let project = NewProject {
        name: "Moths".to_owned(),
        ..Default::default()
    };
    let job = NewJob {
        name: "Under way".to_owned(),
        project_id: source.store.create_project(project).await.unwrap().id,
        kind: domain::job::ML,
        start_now: true,
        ..Default::default()
    };
    source.store.create_job(job).await.unwrap();
    let claimed = source.store.claim_job("somebody").await.unwrap();
    let (_, fence) = claimed.unwrap();
    let target = file(dir.path(), "target.db");
    let copy = ["copy", "--from", &source.url, "--to", &target];
    let refused = fails(dir.path(), &copy);
    assert!(refused.contains("a process runs jobs on it"), "{refused}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    let trial = [&copy[..], &["--while-running"]].concat();
    succeeds(dir.path(), &trial);

    source.store.hand_back(&fence).await.unwrap();
    let other = file(dir.path(), "other.db");
    succeeds(dir.path(), &["copy", "--from", &source.url, "--to", &other]);
}

#[test]
fn what_is_not_there_is_not_copied_and_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let (nothing, target) = (
        file(dir.path(), "nothing.db"),
        file(dir.path(), "target.db"),
    );
    let refused = fails(dir.path(), &["copy", "--from", &nothing, "--to", &target]);
    assert!(refused.contains("there is no database at"), "{refused}");
    let missing = [
        "copy",
        "--files-from",
        "./no files",
        "--files-to",
        "./copied",
    ];
    let refused = fails(dir.path(), &missing);
    assert!(refused.contains("cannot read ./no files"), "{refused}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    for half in [
        vec!["copy"],
        vec!["copy", "--from", &nothing],
        vec!["copy", "--files-to", "x"],
    ] {
        let output = hawkmoth(dir.path(), &half).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{half:?}: {}", said(&output));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_go_into_a_bucket_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let s3 = S3::new().await;
    let bucket = s3.bucket("kept", []);
    let files = dir.path().join("files");
    for (name, size) in [
        ("crops/detection_1.jpg", 1000),
        ("exports/ü 1.zip", 20_000_000),
    ] {
        std::fs::create_dir_all(files.join(name).parent().unwrap()).unwrap();
        std::fs::write(files.join(name), vec![b'x'; size]).unwrap();
    }
    let home = format!("s3://kept/p?endpoint={}", s3.endpoint);
    let told = succeeds(
        dir.path(),
        &["copy", "--files-from", "files", "--files-to", &home],
    );
    assert!(told.contains("Copied 2 files"), "{told}");
    assert_eq!(
        bucket.join("p/exports/ü 1.zip").metadata().unwrap().len(),
        20_000_000
    );
    succeeds(
        dir.path(),
        &["copy", "--files-from", &home, "--files-to", "back"],
    );
    let read =
        |folder: &str| std::fs::read(dir.path().join(folder).join("exports/ü 1.zip")).unwrap();
    assert!(read("back") == read("files"));
    let again = ["copy", "--files-from", "files", "--files-to", "back"];
    let refused = fails(dir.path(), &again);
    assert!(refused.contains("it is not empty"), "{refused}");
    // Somebody wrote to the target while it was filled.
    std::fs::write(dir.path().join("back/.moving"), "files").unwrap();
    std::fs::write(dir.path().join("back/theirs.jpg"), "theirs").unwrap();
    let refused = fails(dir.path(), &again);
    assert!(refused.contains("Empty the target"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_whose_files_were_cut_off_is_given_again_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let source = installation().await;
    let s3 = S3::new().await;
    s3.bucket("kept", []);
    std::fs::create_dir(dir.path().join("files")).unwrap();
    for i in 0..20 {
        std::fs::write(dir.path().join(format!("files/{i}.jpg")), "x").unwrap();
    }
    let target = file(dir.path(), "target.db");
    let home = format!("s3://kept/p?endpoint={}", s3.endpoint);
    let copy = ["copy", "--from", &source.url, "--to", &target];
    let copy = [&copy[..], &["--files-from", "files", "--files-to", &home]].concat();
    s3.is(Mood::Busy(10));
    let cut = fails(dir.path(), &copy);
    assert!(cut.contains("cannot copy files from files to"), "{cut}");
    let web = ["web", "--bind", "127.0.0.1:0", "--database-url", &target];
    let refused = fails(dir.path(), &web);
    assert!(
        refused.contains("give the same `hawkmoth copy` again"),
        "{refused}"
    );
    s3.is(Mood::Good);
    let told = succeeds(dir.path(), &copy);
    let counts = told
        .lines()
        .find(|line| line.starts_with("files "))
        .unwrap();
    assert_eq!(
        counts.split_whitespace().collect::<Vec<_>>(),
        ["files", "20", "20"]
    );
    assert!(contents(&source.url).await == contents(&target).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_killed_goes_on() {
    let Some((_, antenna)) = antenna().await else {
        return;
    };
    // So many that they do not come over at once.
    let more = format!(
        "INSERT INTO main_sourceimage SELECT (jsonb_populate_record(s, jsonb_build_object(\
         'id', 1000000 + g, 'path', 'copy/' || g || '.jpg'))).* \
         FROM main_sourceimage s, generate_series(1, {MANY}) g WHERE s.id = 1"
    );
    antenna.run(&more).await;
    let Some(there) = Foreign::make().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let sqlite = file(dir.path(), "hawkmoth.db");
    for target in [&sqlite, &there.url] {
        let import = [
            "import",
            "antenna",
            &antenna.url,
            "--data",
            ".",
            "--database-url",
            target,
        ];
        killed_in_the_middle(begun(dir.path(), &import), target, MANY as usize).await;
        let web = ["web", "--bind", "127.0.0.1:0", "--database-url", target];
        let refused = fails(dir.path(), &web);
        assert!(
            refused.contains("give the same `hawkmoth import` again"),
            "{refused}"
        );
        let told = succeeds(dir.path(), &import);
        let line = told
            .lines()
            .find(|line| line.starts_with("main_sourceimage "))
            .unwrap();
        let counts: Vec<&str> = line.split_whitespace().collect();
        let [_, rows, read, brought, "capture", here] = counts[..] else {
            panic!("{line}");
        };
        assert_eq!(
            (rows, rows, rows),
            (read, brought, here),
            "nothing lost, nothing doubled"
        );
        let (captures, _) = contents(target).await;
        assert_eq!(captures.len().to_string(), here);
        let login = [
            "user",
            "token",
            "--email",
            "owner@example.org",
            "--database-url",
            target,
        ];
        assert_eq!(succeeds(dir.path(), &login).trim().len(), 40);
    }
}
