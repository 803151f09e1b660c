//! Real processes killed in the middle: the same data folder, started again, ends with the same
//! counts as a run that nobody disturbed.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use domain::state::JobState;
use store::Store;
use store::job::life::Beat;
use store::job::{Job, NewJob};
use store::progress::Counts;
use store::project::NewProject;

use crate::program::hawkmoth;

const CAPTURES: usize = 24;

/// Drawn sheets, small so that the test is not about the detector.
fn draw(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for scene in detector::scene::demo_nights().iter().take(CAPTURES) {
        let picture = image::DynamicImage::ImageRgb8(scene.draw()).thumbnail(1024, 1024);
        picture.to_rgb8().save(folder.join(&scene.name)).unwrap();
    }
}

fn demo(data: &Path, captures: &Path) -> Child {
    hawkmoth()
        .args(["demo", "--exit", "--bind", "127.0.0.1:0", "--data"])
        .arg(data)
        .arg("--captures")
        .arg(captures)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn open(data: &Path) -> Store {
    let url = format!("sqlite://{}", data.join("hawkmoth.db").display());
    Store::open(&url).await.unwrap()
}

/// The demo's detection job with its counts, once there is one.
async fn detection(store: &Store) -> Option<(Job, Counts)> {
    let job = store
        .newest_job(1, domain::job::ML, "Find insects")
        .await
        .ok()??;
    let sums = store.counts(std::slice::from_ref(&job)).await.unwrap();
    let counts = sums.get(&job.id).copied().unwrap_or_default();
    Some((job, counts))
}

async fn waited(mut child: Child) -> Option<i32> {
    tokio::task::spawn_blocking(move || child.wait().unwrap().code())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_three_times_the_demo_ends_with_the_same_counts() {
    let dir = tempfile::tempdir().unwrap();
    let captures = dir.path().join("captures");
    draw(&captures);

    let calm = dir.path().join("calm");
    assert_eq!(waited(demo(&calm, &captures)).await, Some(0));
    let (job, expected) = detection(&open(&calm).await).await.unwrap();
    assert_eq!(job.job_state(), JobState::Success);
    assert_eq!(expected.done, CAPTURES as i64);
    assert!(expected.detections > 0, "there is something to lose");

    let torn = dir.path().join("torn");
    let mut killed = 0;
    for at_least in [1, 6, 12] {
        let mut child = demo(&torn, &captures);
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if child.try_wait().unwrap().is_some() {
                break; // it was faster than the test
            }
            if !torn.join("hawkmoth.db").exists() {
                continue;
            }
            let found = detection(&open(&torn).await).await;
            if found.is_some_and(|(_, counts)| counts.done >= at_least) {
                child.kill().unwrap(); // SIGKILL
                child.wait().unwrap();
                killed += 1;
                break;
            }
        }
    }
    assert!(killed > 0, "the demo was never caught in the middle");
    assert_eq!(waited(demo(&torn, &captures)).await, Some(0));
    let store = open(&torn).await;
    let (job, counts) = detection(&store).await.unwrap();
    assert_eq!(job.job_state(), JobState::Success);
    assert_eq!(counts, expected, "every image once, whatever was killed");
    let depth = store.ticket_depth(job.id, None).await.unwrap();
    assert_eq!(depth.waiting + depth.leased, 0);

    // Run once more, everything is known and nothing doubles.
    assert_eq!(waited(demo(&torn, &captures)).await, Some(0));
    let (next, counts) = detection(&store).await.unwrap();
    assert!(next.id != job.id && next.total == Some(0) && counts.done == 0);
    assert_eq!(store.count_sessions(1).await.unwrap(), 1);
}

/// Somebody works on the same database, and says so each second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_takes_no_job_of_others_on_its_database() {
    let dir = tempfile::tempdir().unwrap();
    let captures = dir.path().join("captures");
    draw(&captures);
    let data = dir.path().join("shared");
    std::fs::create_dir(&data).unwrap();
    let store = open(&data).await;
    store.migrate().await.unwrap();
    let project = NewProject {
        name: "Theirs".to_owned(),
        ..Default::default()
    };
    let job = NewJob {
        name: "Theirs".to_owned(),
        project_id: store.create_project(project).await.unwrap().id,
        kind: domain::job::ML,
        start_now: true,
        ..Default::default()
    };
    let job = store.create_job(job).await.unwrap();
    let (_, fence) = store.claim_job("theirs").await.unwrap().unwrap();
    let (held, beating) = (fence.clone(), store.clone());
    let beats = tokio::spawn(async move {
        loop {
            beating.beat(&held).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(waited(demo(&data, &captures)).await, Some(0));
    beats.abort();
    assert_eq!(store.beat(&fence).await.unwrap(), Beat::Working);
    let row = store.job(job.id).await.unwrap();
    assert_eq!((row.owner.as_deref(), row.rescues), (Some("theirs"), 0));
}
