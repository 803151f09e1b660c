//! Exports: every format is written by a real runner from a real job's occurrences; what is broken
//! ends with a sentence; a run that was cut off ends with the same bytes.

use std::path::PathBuf;

use domain::export::{CSV, DARWIN_CORE, FORMATS, JSON, PARQUET};
use domain::job::EXPORT;
use domain::permission::Permit;
use domain::state::JobState;
use serde_json::{Value, json};
use store::export::{Export, ExportChange, NewExport};
use store::job::{Job, NewJob};
use store::testing;

use super::world::{World, good, state};

/// A world whose captures have an occurrence each.
async fn world(store: &store::Store, captures: usize) -> World {
    let world = World::new(store, captures, 4).await;
    if captures > 0 {
        world.answers(good).await;
        let job = world.run(world.ml()).await;
        assert_eq!(state(&job), JobState::Success);
    }
    world
}

async fn ask(world: &World, format: &str, set: Option<i64>) -> (Export, Job) {
    let filters = set.map_or(json!({}), |set| json!({"collection_id": set}));
    let new = NewExport {
        project_id: world.project,
        format: format.to_owned(),
        filters_display: filters.clone(),
        filters,
        capture_set_id: set,
        job_name: "Export occurrences".to_owned(),
        ..Default::default()
    };
    world.store.create_export(new).await.unwrap()
}

/// The file of an export.
async fn file(world: &World, export: &Export) -> (Export, PathBuf) {
    let export = world.store.export(export.id).await.unwrap();
    let url = export.file_url.clone().expect("there is a file");
    let path = world
        .folder
        .path()
        .join(url.strip_prefix("/media/").unwrap());
    (export, path)
}

/// How many occurrences a file holds.
fn count(format: &str, bytes: &[u8]) -> usize {
    match format {
        JSON => serde_json::from_slice::<Vec<Value>>(bytes).unwrap().len(),
        CSV => bytes.windows(2).filter(|pair| pair == b"\r\n").count() - 1,
        DARWIN_CORE => {
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
            let table = archive.by_name("occurrence.txt").unwrap();
            std::io::read_to_string(table).unwrap().lines().count() - 1
        }
        PARQUET => {
            assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
            rows_of_parquet(bytes)
        }
        other => panic!("{other}"),
    }
}

fn rows_of_parquet(bytes: &[u8]) -> usize {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(bytes)).unwrap();
    usize::try_from(reader.metadata().file_metadata().num_rows()).unwrap()
}

fn leftovers(world: &World) -> usize {
    let folder = world.folder.path().join(".unfinished");
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[tokio::test]
async fn every_format_is_written_and_noted() {
    for fresh in testing::fresh().await {
        let world = world(&fresh.store, 9).await;
        for format in FORMATS {
            let (export, job) = ask(&world, format.key, None).await;
            assert_eq!(export.record_count, 9);
            let job = world.finish(job.id).await;
            assert_eq!(state(&job), JobState::Success, "{}", world.log(&job).await);
            let (export, path) = file(&world, &export).await;
            let name = format!("exports/test_export-{}.{}", export.id, format.extension);
            assert_eq!(export.file_url, Some(format!("/media/{name}")));
            let bytes = std::fs::read(path).unwrap();
            assert_eq!(export.file_size, bytes.len() as i64);
            assert_eq!((export.record_count, count(format.key, &bytes)), (9, 9));
            let stages = job.own_stages();
            let shown = serde_json::to_value(&stages).unwrap();
            let figures = [
                &shown[0]["params"][0]["value"],
                &shown[0]["params"][1]["value"],
            ];
            assert_eq!(figures, [&json!(9), &json!(9)]);
            assert_eq!(
                shown[1]["params"][0]["value"],
                json!(format!("/media/{name}"))
            );
            assert!(stages.iter().all(|s| s.status == JobState::Success));
            let keys: Vec<&str> = stages.iter().map(|s| s.key.as_str()).collect();
            assert_eq!(keys, ["data_export", "uploading_snapshot"]);
            assert_eq!(leftovers(&world), 0);
        }
    }
}

#[tokio::test]
async fn a_set_narrows_what_is_written() {
    for fresh in testing::fresh().await {
        let world = world(&fresh.store, 6).await;
        let captures = world.captures().await;
        world
            .store
            .replace_members(world.set, &captures[..2])
            .await
            .unwrap();
        let (export, job) = ask(&world, CSV, Some(world.set)).await;
        assert_eq!(export.record_count, 2);
        world.finish(job.id).await;
        let (_, path) = file(&world, &export).await;
        assert_eq!(count(CSV, &std::fs::read(path).unwrap()), 2);
    }
}

#[tokio::test]
async fn a_run_that_was_cut_off_ends_with_the_same_bytes() {
    for fresh in testing::fresh().await {
        let world = world(&fresh.store, 5).await;
        for format in FORMATS {
            let (export, job) = ask(&world, format.key, None).await;
            world.finish(job.id).await;
            let (_, path) = file(&world, &export).await;
            let undisturbed = std::fs::read(&path).unwrap();

            world
                .store
                .enqueue_job(Permit::BY_PROGRAM, job.id)
                .await
                .unwrap();
            let (claimed, fence) = world.store.claim_job("dead").await.unwrap().unwrap();
            assert_eq!(claimed.id, job.id);
            let key = export_key(&path, &world);
            let half = world.tools.files.begin(&key, fence.claim_no).await.unwrap();
            std::io::Write::write_all(&mut half.open().unwrap(), b"half").unwrap();
            std::mem::forget(half);
            assert_eq!(leftovers(&world), 1, "as kill -9 leaves it");
            world
                .store
                .rescue_jobs(chrono::Duration::zero())
                .await
                .unwrap();
            let job = world.finish(job.id).await;
            assert_eq!(state(&job), JobState::Success, "{}", world.log(&job).await);
            assert!(
                std::fs::read(&path).unwrap() == undisturbed,
                "{}",
                format.key
            );
            assert_eq!(leftovers(&world), 0);
        }
    }
}

fn export_key(path: &std::path::Path, world: &World) -> String {
    let key = path.strip_prefix(world.folder.path()).unwrap();
    key.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_cannot_be_written_says_why() {
    for fresh in testing::fresh().await {
        let world = world(&fresh.store, 2).await;
        let fails = async |job: i64, why: &str| {
            let job = world.finish(job).await;
            assert_eq!(state(&job), JobState::Failure);
            let log = world.log(&job).await;
            assert!(log.contains(why), "{log}");
        };
        let (export, job) = ask(&world, CSV, None).await;
        let change = ExportChange {
            format: Some("punched_cards".to_owned()),
            ..Default::default()
        };
        world.store.change_export(export.id, change).await.unwrap();
        fails(job.id, "The format \"punched_cards\" cannot be written").await;

        let new = NewJob {
            kind: EXPORT,
            capture_set_id: None,
            pipeline_id: None,
            dispatch_mode: None,
            ..world.ml()
        };
        let job = world.store.create_job(new).await.unwrap();
        fails(job.id, "The job has no export.").await;

        let (_, job) = ask(&world, CSV, Some(world.set)).await;
        world.store.delete_capture_set(world.set).await.unwrap();
        fails(job.id, "is no longer in this project").await;
    }
}

#[tokio::test]
async fn a_project_without_occurrences_has_an_empty_file_and_a_warning() {
    for fresh in testing::fresh().await {
        let world = world(&fresh.store, 0).await;
        for format in FORMATS {
            let (export, job) = ask(&world, format.key, None).await;
            let job = world.finish(job.id).await;
            assert_eq!(state(&job), JobState::Success);
            let log = world.log(&job).await;
            assert!(log.contains("The project has no occurrence"), "{log}");
            let (_, path) = file(&world, &export).await;
            assert_eq!(count(format.key, &std::fs::read(path).unwrap()), 0);
        }
    }
}

#[tokio::test]
async fn a_file_written_under_another_name_replaces_the_old_one() {
    for fresh in testing::fresh().await {
        let world = world(&fresh.store, 3).await;
        let (export, job) = ask(&world, CSV, None).await;
        world.finish(job.id).await;
        let (_, old) = file(&world, &export).await;
        rename(&world).await;
        world
            .store
            .enqueue_job(Permit::BY_PROGRAM, job.id)
            .await
            .unwrap();
        world.finish(job.id).await;
        let (_, new) = file(&world, &export).await;
        assert!(new.exists() && !old.exists() && new != old);
    }
}

async fn rename(world: &World) {
    let change = store::project::ProjectChange {
        name: Some("Other name".to_owned()),
        ..Default::default()
    };
    let changed = world
        .store
        .change_project(Permit::BY_PROGRAM, world.project, change);
    changed.await.unwrap();
}
